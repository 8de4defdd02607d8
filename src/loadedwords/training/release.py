"""A recipe and its labels → a fitted model → what it says of sentences it has not seen → a bundle."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from loadedwords.errors import DataError, require
from loadedwords.models.bundle import CARD_FILE, GOLDEN_FILE, Bundle, write_bundle
from loadedwords.models.golden import GOLDEN_SENTENCES
from loadedwords.models.linear_scorer import LinearScorer, save_scorer
from loadedwords.models.scores import Logits
from loadedwords.schema import CLASSES
from loadedwords.training.card import write_card
from loadedwords.training.labels import Labels, calibrating
from loadedwords.training.linear import LinearFramingClassifier
from loadedwords.training.recipe import PARITY_STAGE, Recipe

if TYPE_CHECKING:
    from loadedwords.models.onnx_scorer import OnnxScorer, OnnxSettings
    from loadedwords.training.stages import Workshop
    from loadedwords.training.transformer import TransformerFramingClassifier

N_PARITY = 2000
CALIBRATION_STAGE = "calibration"
# Part of what kept scores are named after: raise it when the export computes something else.
EXPORT_VERSION = 8
N_SEEN_BY_EXPORT = 200


def fit_linear(
    recipe: Recipe, labels: Labels, *, seed: int = 0, without: int | None = None, workshop: Workshop | None = None
) -> LinearFramingClassifier:
    """Fit a linear recipe on all rows but those of one fold, and on what its teachers say of other sentences.

    Raises
    ------
    DataError
        If the recipe sets what the estimator lacks, or scikit-learn can't fit these sentences.
    """
    if recipe.kind != "linear":
        raise DataError(f"The recipe {recipe.name} is of the kind {recipe.kind!r}; known are 'linear', 'transformer'.")
    settings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in recipe.estimator.items()
    }
    try:
        estimator = LinearFramingClassifier(**{**settings, "random_state": seed})
    except TypeError as error:
        raise DataError(f"The recipe {recipe.name} sets a parameter that the estimator lacks: {error}.") from error
    table = labels.table if without is None else labels.table.filter(~pl.col("fold").eq_missing(without))
    if recipe.taught and recipe.teacher is not None and recipe.teacher.teacher is not None:
        workshop = _needed(workshop, recipe)
        from loadedwords.training.stages import halves_of, taught_rows

        known = workshop.teacher_labels
        if known is None:
            raise DataError(
                f"The recipe {recipe.name} learns from the teachers of {recipe.teacher.name}, and the workshop lacks what "
                "those learn from.\nPass a workshop with teacher_labels."
            )
        rows = taught_rows(
            recipe.teacher.teacher,
            known,
            workshop,
            workshop.unlabelled[: recipe.taught],
            halves_of(known, without=without),
        )
        numbered = pl.format("unlabelled/{}", pl.int_range(pl.len()))
        rows = rows.with_columns(weight=pl.lit(recipe.taught_weight), article=numbered)
        table = pl.concat([table, rows], how="diagonal")
    table = table.with_row_index("row")
    try:
        return estimator.fit(
            table["text"].to_list(),
            table["label"].to_numpy(),
            sample_weight=table["weight"].to_numpy(),
            groups=table["article"].to_numpy(),
            in_domain=table["row"].is_in(calibrating(table)["row"].implode()).to_numpy(),
            target=table["target"].to_numpy(),
            loaded_words=table["words"].to_list(),
        )
    except (ValueError, TypeError) as error:
        raise DataError(
            f"These {len(table)} sentences could not be trained on: {error}\n"
            "Most often they are too few, or all of one class within a fold: label more, or lower folds in the recipe."
        ) from error


def fit_and_score(
    recipe: Recipe,
    labels: Labels,
    texts: Sequence[str],
    *,
    seed: int,
    without: int | None = None,
    workshop: Workshop | None = None,
) -> Logits:
    """Train a recipe and score sentences with the model as it would be shipped (a transformer: in int8).

    Parameters
    ----------
    recipe : Recipe
    labels : Labels
        To train on.
    texts : sequence of str
        To score; not among those trained on.
    seed : int
    without : int, optional
        The fold that is left out of training.
    workshop : Workshop, optional
        Of a transformer; keeps the scores as well, so that a cross-validation that was killed goes on.

    Returns
    -------
    Logits
        Before calibration; those of a linear model are calibrated already, and know no kinds.
    """
    if recipe.kind != "transformer":
        fitted = fit_linear(recipe, labels, seed=seed, without=without, workshop=workshop)
        return fitted.scorer_.logits(texts)
    workshop = _needed(workshop, recipe)
    from loadedwords.models.onnx_scorer import OnnxScorer, OnnxSettings
    from loadedwords.training import export, stages

    estimator = stages.train_stages(recipe, labels, workshop, seed=seed, without=without)
    seen = _some(labels.trained_on()["text"].to_list())
    # The last stage's folder is named after all that the model was made of.
    made_of = json.dumps([EXPORT_VERSION, Path(estimator.encoder).name, seen, list(texts)])
    kept = workshop.folder / f"scores-{hashlib.blake2b(made_of.encode(), digest_size=8).hexdigest()}.npz"
    if not kept.is_file():
        with tempfile.TemporaryDirectory(prefix="loadedwords-") as folder:
            export.export_onnx(estimator, Path(folder), seen)
            logits = OnnxScorer(Path(folder), OnnxSettings(), threads=workshop.threads).logits(texts)
        beside = kept.with_suffix(f".{os.getpid()}.npz")
        logits.save(beside)
        beside.replace(kept)
    return Logits.load(kept)


def train_bundle(
    recipe: Recipe,
    labels: Labels,
    folder: Path,
    *,
    held_out: Logits | None = None,
    metrics: dict[str, Any] | None = None,
    workshop: Workshop | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = print,
) -> Bundle:
    """Train by a recipe and write the bundle.

    Parameters
    ----------
    recipe : Recipe
    labels : Labels
    folder : Path
    held_out : Logits, optional
        Of the rows that are measured, each by a model that had not seen it: calibrates a transformer. Without it, a
        fold is held out from one more training. A linear model holds out by itself.
    metrics : dict, optional
        Measured quality, as `Evaluation.as_dict` gives it; goes into the config and the card.
    workshop : Workshop, optional
        Of a transformer.
    seed : int
    tell : callable
        Gets a line now and then.
    """
    trained_on = labels.trained_on()
    config = {
        **_config(recipe.kind, recipe.name, labels),
        "recipe": recipe.as_dict(),
        "corpora": list(labels.provenance),
        "seeds": [seed],
        # Not rows: a sentence may train both the teacher and the student.
        "n_sentences": trained_on["text"].n_unique(),
        "metrics": metrics or {},
    }
    tell(f"training {recipe.name} on {config['n_sentences']:,} sentences")
    if recipe.kind == "transformer":
        workshop = _needed(workshop, recipe)
        from loadedwords.training import calibration, encoders, stages

        measured = labels.measured
        if held_out is None:
            measured = measured.filter(pl.col("fold") == 0)
            held_out = fit_and_score(
                recipe, labels, measured["text"].to_list(), seed=seed, without=0, workshop=workshop
            )
        settings = calibration.fit_settings(measured, held_out)
        estimator = stages.train_stages(recipe, labels, workshop, seed=seed)
        origin = encoders.describe_encoder(
            str(recipe.estimator.get("encoder", estimator.encoder)), recipe.estimator.get("revision")
        )
        compared = labels.table.filter(pl.col("stages").list.contains(PARITY_STAGE))
        if compared.is_empty():
            compared = trained_on[_others(len(trained_on))]
        else:
            compared = compared[np.random.default_rng(0).permutation(len(compared))[:N_PARITY].tolist()]
        seen = _some(trained_on["text"].to_list())
        save: _Save = partial(_save_transformer, estimator, settings, origin, seen, compared, workshop.tell)
    else:
        save = partial(_save_linear, fit_linear(recipe, labels, seed=seed, workshop=workshop).scorer_)
    if workshop is not None:
        config["unlabelled"] = _unlabelled_record(recipe, workshop)
    return _write(folder, config, save, tell)


def export_checkpoint(
    checkpoint: Path, labelled: Labels, folder: Path, *, tell: Callable[[str], None] = print
) -> Bundle:
    """Make a bundle of a checkpoint that `TransformerFramingClassifier.save_checkpoint` wrote.

    Parameters
    ----------
    checkpoint : Path
    labelled : Labels
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
    if labelled.table["label"].n_unique() < 2:
        raise DataError("All sentences are of one class, so nothing can be calibrated.\nAdd some of the other class.")
    _require_extra("Exporting a checkpoint")
    from loadedwords.training import calibration, encoders
    from loadedwords.training.transformer import TransformerFramingClassifier

    estimator = TransformerFramingClassifier.from_checkpoint(checkpoint)
    texts = labelled.table["text"].to_list()
    settings = calibration.fit_settings(labelled.table, estimator.logits(texts))
    config = {
        **_config("transformer", folder.name, labelled),
        "recipe": None,
        "corpora": [{**entry, "stages": [CALIBRATION_STAGE]} for entry in labelled.provenance],
        "seeds": [],
        "n_sentences": None,
        "metrics": {},
    }
    origin, compared = encoders.describe_encoder(checkpoint.name), labelled.table[_others(len(texts))]
    save = partial(_save_transformer, estimator, settings, origin, _some(texts), compared, tell)
    return _write(folder, config, save, tell)


def _config(kind: str, name: str, labels: Labels) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "written_by": f"loadedwords {metadata.version('loadedwords')}",
        "classes": list(CLASSES),
        "prevalence": round(labels.prevalence, 6),
    }


# Writes a model's files into a folder; gives the scorer that reads them and what belongs into the config.
_Save = Callable[[Path], "tuple[LinearScorer | OnnxScorer, dict[str, Any]]"]


def _write(folder: Path, config: dict[str, Any], save: _Save, tell: Callable[[str], None]) -> Bundle:
    """The bundle: the model's files, what it says of the golden sentences, its card, its config."""

    def write_files(beside: Path) -> dict[str, Any]:
        scorer, of_model = save(beside)
        probability, words = scorer.score(GOLDEN_SENTENCES)
        golden = [
            {
                "text": text,
                "p_loaded": round(float(p), 6),
                "words": [text[w.start : w.end] for w in found],
                "kinds": [w.kind for w in found],
            }
            for text, p, found in zip(GOLDEN_SENTENCES, probability, words, strict=True)
        ]
        (beside / GOLDEN_FILE).write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        complete = {**config, **of_model}
        (beside / CARD_FILE).write_text(write_card(complete), encoding="utf-8")
        return complete

    bundle = write_bundle(folder, write_files)
    tell(f"wrote {folder} (hash {bundle.hash[:12]})")
    return bundle


def _save_linear(scorer: LinearScorer, folder: Path) -> tuple[LinearScorer, dict[str, Any]]:
    return scorer, {"scorer": save_scorer(scorer, folder)}


def _save_transformer(
    estimator: TransformerFramingClassifier,
    settings: OnnxSettings,
    origin: dict[str, Any],
    seen: Sequence[str],
    compared: pl.DataFrame,
    tell: Callable[[str], None],
    folder: Path,
) -> tuple[OnnxScorer, dict[str, Any]]:
    """Export, and compare int8 with float on some rows; `seen` are the sentences that the export looks at."""
    from loadedwords.models.onnx_scorer import OnnxScorer
    from loadedwords.training import export

    export.export_onnx(estimator, folder, seen)
    parity = export.measure_parity(
        estimator, folder, compared["text"].to_list(), compared["label"].to_numpy(), settings
    )
    tell(f"int8 against float: {parity.label_agreement:.2%} of {parity.n_sentences:,} labels agree")
    return OnnxScorer(folder, settings), {
        "encoder": {**origin, **export.describe_network(estimator)},
        "scorer": asdict(settings),
        "parity": asdict(parity),
    }


def _unlabelled_record(recipe: Recipe, workshop: Workshop) -> dict[str, Any] | None:
    """Which unlabelled sentences a recipe with teachers learnt from."""
    if recipe.teacher is None or not recipe.n_taught or workshop.start is not None:
        return None
    sentences = list(workshop.unlabelled[: recipe.n_taught])
    teacher = recipe.teacher.teacher or recipe.teacher
    of_teacher = {stage.name for stage in teacher.stages}
    return {
        "source": workshop.unlabelled_from.name if workshop.unlabelled_from else "given by the caller",
        "sha256_of_sentences": hashlib.sha256("\n".join(sentences).encode("utf-8", "surrogatepass")).hexdigest(),
        "n_sentences": len(sentences),
        "teacher": str(teacher.estimator["encoder"]),
        "teacher_corpora": [f"{use.name} ({use.split})" for use in teacher.corpora if of_teacher & set(use.stages)],
    }


def _needed(workshop: Workshop | None, recipe: Recipe) -> Workshop:
    _require_extra(f"Training the recipe {recipe.name}")
    if workshop is None:
        raise DataError(f"The recipe {recipe.name} needs a folder to keep its stages in.\nPass a workshop.")
    return workshop


def _require_extra(purpose: str) -> None:
    for module in ("torch", "transformers", "onnx"):
        require(module, extra="train", purpose=purpose)


def _some(texts: Sequence[str]) -> list[str]:
    """Sentences for the export to look at, the same in every run."""
    return [texts[at] for at in np.random.default_rng(0).permutation(len(texts))[:N_SEEN_BY_EXPORT]]


def _others(n: int) -> list[int]:
    """Which of n sentences to compare int8 with float on: not those of `_some`, where there are enough."""
    drawn: list[int] = np.random.default_rng(0).permutation(n).tolist()
    return drawn[N_SEEN_BY_EXPORT if n >= 2 * N_SEEN_BY_EXPORT else 0 :][:N_PARITY]
