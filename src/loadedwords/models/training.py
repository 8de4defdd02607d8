"""A recipe and its sentences → a fitted model → scores of sentences it has not seen → a bundle."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadedwords.corpora import grouped_folds
from loadedwords.errors import DataError, require
from loadedwords.models.bundle import CARD_FILE, GOLDEN_FILE, Bundle, write_bundle
from loadedwords.models.card import write_card
from loadedwords.models.golden import GOLDEN_SENTENCES
from loadedwords.models.linear import LinearFramingClassifier
from loadedwords.models.linear_scorer import LinearScorer, WordScore, save_scorer
from loadedwords.models.odds import logistic
from loadedwords.models.recipe import PARITY_STAGE, Recipe, TrainingSet, Workshop
from loadedwords.schema import CLASSES

Words = list[tuple[int, int, float]]
N_PARITY = 2000
CALIBRATION_STAGE = "calibration"
# Part of what kept scores are named after: raise it when the export computes something else.
EXPORT_VERSION = 6
N_SEEN_BY_EXPORT = 200


@dataclass(frozen=True)
class Scores:
    """What a model says of sentences it was not trained on.

    Attributes
    ----------
    log_odds, probability : ndarray of shape (n_sentences,)
    decision : ndarray of bool, shape (n_sentences,)
    words : list of list of (start, end, probability)
        Every word of each sentence.
    """

    log_odds: NDArray[np.float64]
    probability: NDArray[np.float64]
    decision: NDArray[np.bool_]
    words: list[Words] = field(repr=False)


def make_estimator(recipe: Recipe, *, seed: int | None = None) -> LinearFramingClassifier:
    """The estimator of a linear recipe, unfitted."""
    if recipe.kind != "linear":
        raise DataError(f"The recipe {recipe.name} is of the kind {recipe.kind!r}; known are 'linear', 'transformer'.")
    settings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in recipe.estimator.items()
    }
    if seed is not None:
        settings["random_state"] = seed
    try:
        return LinearFramingClassifier(**settings)
    except TypeError as error:
        raise DataError(f"The recipe {recipe.name} sets a parameter that the estimator lacks: {error}.") from error


def fit_estimator(
    estimator: LinearFramingClassifier, data: TrainingSet, soft_labels: NDArray[np.float64] | None = None
) -> LinearFramingClassifier:
    """Fit on everything that the training set knows of its sentences.

    Raises
    ------
    DataError
        If scikit-learn can't fit these sentences: too few, or of one class in some fold.
    """
    try:
        return estimator.fit(
            data.texts,
            data.labels,
            sample_weight=data.weights,
            groups=data.articles,
            in_domain=data.in_domain,
            vote_share=data.vote_share,
            soft_labels=soft_labels,
            loaded_words=data.loaded_words,
        )
    except (ValueError, TypeError) as error:
        raise DataError(
            f"These {len(data.texts)} sentences could not be trained on: {error}\n"
            "Most often they are too few, or all of one class within a fold: label more, or lower folds in the recipe."
        ) from error


def fit_and_score(
    recipe: Recipe, data: TrainingSet, texts: Sequence[str], *, seed: int, workshop: Workshop | None = None
) -> Scores:
    """Train a recipe and score sentences with the model as it would be shipped (a transformer: in int8).

    Parameters
    ----------
    recipe : Recipe
    data : TrainingSet
        To train on.
    texts : sequence of str
        To score; not among those trained on.
    seed : int
    workshop : Workshop, optional
        Of a transformer; keeps the scores as well, so that a cross-validation that was killed goes on.
    """
    if recipe.kind != "transformer":
        return _linear_scores(_fit_linear(recipe, data, workshop, seed).scorer_, texts)
    if workshop is None:
        raise DataError(f"The recipe {recipe.name} needs a folder to keep its stages in.\nPass a workshop.")
    stages, export = _training_rooms(recipe)
    from loadedwords.models.onnx_scorer import OnnxScorer, OnnxSettings

    estimator = stages.train_stages(recipe, data, workshop, seed=seed)
    seen = _some(data.texts)
    # The last stage's folder is named after all that the model was made of.
    made_of = json.dumps([EXPORT_VERSION, Path(estimator.encoder).name, seen, list(texts)])
    kept = workshop.folder / f"scores-{hashlib.blake2b(made_of.encode(), digest_size=8).hexdigest()}.json"
    if not kept.is_file():
        with tempfile.TemporaryDirectory(prefix="loadedwords-") as folder:
            export.export_onnx(estimator, Path(folder), seen)
            logits = OnnxScorer(Path(folder), OnnxSettings(), threads=workshop.threads).logits(texts)
        beside = kept.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps({"sentence": logits.sentence.tolist(), "words": logits.words}), encoding="utf-8")
        beside.replace(kept)
    stored = json.loads(kept.read_text(encoding="utf-8"))
    log_odds = np.array(stored["sentence"], dtype=np.float64)
    words = [[(s, e, float(logistic(np.array(score)))) for s, e, score in found] for found in stored["words"]]
    return Scores(log_odds, logistic(log_odds), log_odds >= 0, words)


def _fit_linear(recipe: Recipe, data: TrainingSet, workshop: Workshop | None, seed: int) -> LinearFramingClassifier:
    """Fit the linear model, beside its labels on what its teacher says of unlabelled sentences."""
    estimator = make_estimator(recipe, seed=seed)
    if recipe.teacher is None:
        return fit_estimator(estimator, data)
    if workshop is None or workshop.teacher_data is None or len(workshop.unlabelled) < 1:
        raise DataError(
            f"The recipe {recipe.name} learns from {recipe.teacher.name}, and the workshop lacks what that needs.\n"
            "Pass a workshop with teacher_data and unlabelled sentences."
        )
    stages, _ = _training_rooms(recipe.teacher)
    known = workshop.teacher_data
    # What this model is to be judged on is none of the teacher's business either.
    own = known.in_domain & np.isin(known.articles, data.articles[data.in_domain])
    rows = known.rows(np.concatenate([np.flatnonzero(own), np.flatnonzero(~known.in_domain)]))
    lessons = stages.teach(recipe.teacher, rows, workshop, workshop.unlabelled[: recipe.unlabelled], seed=seed)
    joined, soft = stages.join_unlabelled(
        data, np.full(len(data.texts), np.nan), "", lessons.texts, lessons.probability, [None] * len(lessons.texts),
        weight=recipe.unlabelled_weight,
    )  # fmt: skip
    return fit_estimator(estimator, joined, soft)


def train_bundle(
    recipe: Recipe,
    data: TrainingSet,
    folder: Path,
    *,
    held_out: Scores | None = None,
    metrics: dict[str, Any] | None = None,
    workshop: Workshop | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = print,
) -> Bundle:
    """Train by a recipe and write the bundle.

    Parameters
    ----------
    recipe : Recipe
    data : TrainingSet
    folder : Path
    held_out : Scores, optional
        Of the in-domain rows, each by a model that had not seen it: calibrates a transformer. Without it, a fifth
        of them is held out from one more training. A linear model holds out by itself.
    metrics : dict, optional
        Measured quality, as `Evaluation.as_dict` gives it; goes into the config and the card.
    workshop : Workshop, optional
        Of a transformer.
    seed : int
    tell : callable
        Gets a line now and then.
    """
    common = {
        "kind": recipe.kind,
        "name": recipe.name,
        "written_by": f"loadedwords {metadata.version('loadedwords')}",
        "classes": list(CLASSES),
        "prevalence": round(float(data.labels[data.in_domain].mean()), 6),
        "recipe": recipe.as_dict(),
        "corpora": data.provenance,
        "seeds": [seed],
        # Not rows: a sentence may train both the teacher and the student.
        "n_sentences": len({text for text, of in zip(data.texts, data.stages, strict=True) if PARITY_STAGE not in of}),
        "metrics": metrics or {},
    }
    tell(f"training {recipe.name} on {common['n_sentences']:,} sentences")
    if recipe.kind == "transformer":
        if workshop is None:
            raise DataError(f"The recipe {recipe.name} needs a folder to keep its stages in.\nPass a workshop.")
        bundle = write_bundle(folder, _transformer_files(recipe, data, held_out, workshop, seed, common))
    else:
        fitted = _fit_linear(recipe, data, workshop, seed)
        if recipe.teacher is not None and workshop is not None:
            common["unlabelled"] = _unlabelled_record(recipe, workshop)

        def write_files(beside: Path) -> dict[str, Any]:
            settings = save_scorer(fitted.scorer_, beside)
            _write_golden(fitted.scorer_.score, beside / GOLDEN_FILE)
            config = {**common, "scorer": settings}
            (beside / CARD_FILE).write_text(write_card(config), encoding="utf-8")
            return config

        bundle = write_bundle(folder, write_files)
    tell(f"wrote {folder} (hash {bundle.hash[:12]})")
    return bundle


def _transformer_files(
    recipe: Recipe,
    data: TrainingSet,
    held_out: Scores | None,
    workshop: Workshop,
    seed: int,
    common: dict[str, Any],
) -> Callable[[Path], dict[str, Any]]:
    stages, _ = _training_rooms(recipe)
    from loadedwords.models import calibration, encoders

    inside = np.flatnonzero(data.in_domain)
    if held_out is None:
        train, test = grouped_folds(data.articles[inside], n_splits=5, seed=0)[0]
        rows = data.rows(np.concatenate([inside[train], np.flatnonzero(~data.in_domain)]))
        inside = inside[test]
        held_out = fit_and_score(recipe, rows, [data.texts[at] for at in inside], seed=seed, workshop=workshop)
    settings = calibration.fit_settings(
        [data.texts[at] for at in inside],
        held_out.log_odds,
        data.labels[inside],
        held_out.words,
        [data.loaded_words[at] for at in inside],
    )
    estimator = stages.train_stages(recipe, data, workshop, seed=seed)
    encoder = str(recipe.estimator.get("encoder", estimator.encoder))
    known = encoders.ENCODERS.get(encoder)
    origin = {
        "name": encoder,
        "revision": known.revision if known else recipe.estimator.get("revision"),
        "sha256": known.sha256 if known else None,
        "licence": known.licence if known else "that of the encoder",
    }
    trained_on = [at for at, of in enumerate(data.stages) if PARITY_STAGE not in of]
    compared_on = [at for at, of in enumerate(data.stages) if PARITY_STAGE in of]
    if compared_on:
        compared_on = np.random.default_rng(0).permutation(compared_on)[:N_PARITY].tolist()
    else:
        compared_on = _others(len(data.texts))
    return _export_files(
        estimator,
        settings,
        {**common, "encoder": origin, "unlabelled": _unlabelled_record(recipe, workshop)},
        seen=_some([data.texts[at] for at in trained_on]),
        compared=data.rows(np.array(compared_on, dtype=np.intp)),
        tell=workshop.tell,
    )


def export_checkpoint(
    checkpoint: Path, labelled: TrainingSet, folder: Path, *, tell: Callable[[str], None] = print
) -> Bundle:
    """Make a bundle of a checkpoint that `TransformerFramingClassifier.save_checkpoint` wrote.

    Parameters
    ----------
    checkpoint : Path
    labelled : TrainingSet
        Sentences that the checkpoint was not trained on: they calibrate it, and the int8 model is compared with the
        float one on them.
    folder : Path
        Of the bundle; must not exist.
    tell : callable
        Gets a line now and then.

    Raises
    ------
    DataError
        If the sentences are all of one class.
    ModelError
        If the exported model computes something else than the checkpoint.
    """
    if len(set(labelled.labels.tolist())) < 2:
        raise DataError("All sentences are of one class, so nothing can be calibrated.\nAdd some of the other class.")
    for module in ("torch", "transformers", "onnx"):
        require(module, extra="train", purpose="Exporting a checkpoint")
    from loadedwords.models import calibration
    from loadedwords.models.transformer import TransformerFramingClassifier

    estimator = TransformerFramingClassifier.from_checkpoint(checkpoint)
    logits = estimator.logits(labelled.texts)
    words = [[(start, end, float(logistic(np.array(score)))) for start, end, score in of] for of in logits.words]
    settings = calibration.fit_settings(labelled.texts, logits.sentence, labelled.labels, words, labelled.loaded_words)
    common = {
        "kind": "transformer",
        "name": folder.name,
        "written_by": f"loadedwords {metadata.version('loadedwords')}",
        "classes": list(CLASSES),
        "prevalence": round(float(labelled.labels.mean()), 6),
        "recipe": None,
        "corpora": [{**entry, "stages": [CALIBRATION_STAGE]} for entry in labelled.provenance],
        "seeds": [],
        "n_sentences": None,
        "metrics": {},
        "encoder": {"name": str(checkpoint.name), "revision": None, "sha256": None, "licence": "that of the encoder"},
    }
    compared = labelled.rows(np.array(_others(len(labelled.texts)), dtype=np.intp))
    bundle = write_bundle(
        folder, _export_files(estimator, settings, common, seen=_some(labelled.texts), compared=compared, tell=tell)
    )
    tell(f"wrote {folder} (hash {bundle.hash[:12]})")
    return bundle


def _export_files(
    estimator: Any,
    settings: Any,
    common: dict[str, Any],
    *,
    seen: list[str],
    compared: TrainingSet,
    tell: Callable[[str], None],
) -> Callable[[Path], dict[str, Any]]:
    """What writes a transformer's files into a new bundle and returns its config."""
    from loadedwords.models import export
    from loadedwords.models.onnx_scorer import OnnxScorer

    def write_files(beside: Path) -> dict[str, Any]:
        export.export_onnx(estimator, beside, seen)
        parity = export.measure_parity(estimator, beside, compared.texts, compared.labels, settings)
        tell(f"int8 against float: {parity.label_agreement:.2%} of {parity.n_sentences:,} labels agree")
        _write_golden(OnnxScorer(beside, settings).score, beside / GOLDEN_FILE)
        config = {
            **common,
            "encoder": {**common["encoder"], **export.describe_network(estimator)},
            "scorer": asdict(settings),
            "parity": asdict(parity),
        }
        (beside / CARD_FILE).write_text(write_card(config), encoding="utf-8")
        return config

    return write_files


def _unlabelled_record(recipe: Recipe, workshop: Workshop) -> dict[str, Any] | None:
    """Which unlabelled sentences a recipe with a teacher learnt from."""
    n = recipe.most_unlabelled
    if not n or recipe.teacher is None or workshop.start is not None:
        return None
    sentences = list(workshop.unlabelled[:n])
    teachers = [recipe.teacher, *([recipe.word_teacher] if recipe.word_teacher else [])]
    lessons = {stage.name for teacher in teachers for stage in teacher.stages}
    of_its_own = recipe.kind != recipe.teacher.kind
    corpora = recipe.teacher.corpora if of_its_own else recipe.corpora
    encoder = str(recipe.teacher.estimator["encoder"])
    return {
        "source": workshop.unlabelled_from.name if workshop.unlabelled_from else "given by the caller",
        "sha256_of_sentences": hashlib.sha256("\n".join(sentences).encode("utf-8", "surrogatepass")).hexdigest(),
        "n_sentences": len(sentences),
        "n_learnt": min(len(sentences), recipe.unlabelled or sum(stage.unlabelled for stage in recipe.stages)),
        "words_marked": any(stage.taught_words for stage in recipe.stages),
        "contrasts": sum(stage.contrasts for stage in recipe.stages),
        "exchanged": sum(stage.exchanged for stage in recipe.stages),
        "fillings": sum(stage.fillings for stage in recipe.stages),
        "teacher": f"the recipe {recipe.teacher.name} ({encoder})" if of_its_own else encoder,
        "teacher_corpora": [f"{use.name} ({use.split})" for use in corpora if lessons & set(use.stages)],
    }


def _some(texts: Sequence[str]) -> list[str]:
    """Sentences for the export to look at, the same in every run."""
    return [texts[at] for at in np.random.default_rng(0).permutation(len(texts))[:N_SEEN_BY_EXPORT]]


def _others(n: int) -> list[int]:
    """Which of n sentences to compare int8 with float on: not those of `_some`, where there are enough."""
    drawn: list[int] = np.random.default_rng(0).permutation(n).tolist()
    return drawn[N_SEEN_BY_EXPORT if n >= 2 * N_SEEN_BY_EXPORT else 0 :][:N_PARITY]


def _training_rooms(recipe: Recipe) -> tuple[Any, Any]:
    for module in ("torch", "transformers", "onnx"):
        require(module, extra="train", purpose=f"Training the recipe {recipe.name}")
    from loadedwords.models import export, stages

    return stages, export


def _linear_scores(scorer: LinearScorer, texts: Sequence[str]) -> Scores:
    log_odds = scorer.calibration.slope * scorer.decision_function(texts) + scorer.calibration.intercept
    probability, words = replace(scorer, word_threshold=0.0).score(texts)
    every = [[(word.start, word.end, word.score) for word in found] for found in words]
    return Scores(log_odds, probability, probability >= scorer.threshold, every)


def _write_golden(
    score: Callable[[Sequence[str]], tuple[NDArray[np.float64], list[list[WordScore]]]], file: Path
) -> None:
    probability, words = score(GOLDEN_SENTENCES)
    rows = [
        {"text": text, "p_loaded": round(float(p), 6), "words": [text[w.start : w.end] for w in found]}
        for text, p, found in zip(GOLDEN_SENTENCES, probability, words, strict=True)
    ]
    file.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
