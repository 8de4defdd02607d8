"""A recipe and its labels → a fitted model → what it says of sentences it has not seen → a bundle."""

from __future__ import annotations

import hashlib
import json
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from loadedwords.errors import DataError, require
from loadedwords.files import written_whole
from loadedwords.models.bundle import CARD_FILE, GOLDEN_FILE, Bundle, write_bundle
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
EXPORT_VERSION = 10
N_SEEN_BY_EXPORT = 1000

Tell = Callable[[str], None]
# Writes a model's files into a folder; gives the scorer that reads them and what belongs into the config.
_Save = Callable[[Path], "tuple[LinearScorer | OnnxScorer, dict[str, Any]]"]


def require_extra(purpose: str) -> None:
    """Raise `MissingExtraError` where the extra train is not installed."""
    for module in ("torch", "transformers", "onnx"):
        require(module, extra="train", purpose=purpose)


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
    settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in recipe.estimator.items()}
    try:
        estimator = LinearFramingClassifier(**{**settings, "random_state": seed})
    except TypeError as error:
        raise DataError(f"The recipe {recipe.name} sets a parameter that the estimator lacks: {error}.") from error
    table = labels.table if without is None else labels.table.filter(~pl.col("fold").eq_missing(without))
    if recipe.taught and recipe.teacher is not None and recipe.teacher.teacher is not None:
        taught = _taught(recipe, recipe.teacher.teacher, _needed(workshop, recipe), without)
        table = pl.concat([table, taught], how="diagonal")
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


def _taught(recipe: Recipe, teacher: Recipe, workshop: Workshop, without: int | None) -> pl.DataFrame:
    """What the teachers of a linear recipe say of unlabelled sentences, each an article of its own."""
    from loadedwords.training.stages import halves_of, taught_rows

    known = workshop.teacher_labels
    if known is None:
        raise DataError(
            f"The recipe {recipe.name} learns from the teachers of another, and the workshop lacks what those learn from.\n"
            "Pass a workshop with teacher_labels."
        )
    sentences = workshop.unlabelled[: recipe.taught]
    rows = taught_rows(teacher, known, workshop, sentences, halves_of(known, without=without))
    numbered = pl.format("unlabelled/{}", pl.int_range(pl.len()))
    return rows.with_columns(weight=pl.lit(recipe.taught_weight), article=numbered)


def fit_and_score(
    recipe: Recipe,
    labels: Labels,
    texts: Sequence[str],
    *,
    seed: int,
    without: int | None = None,
    workshop: Workshop | None = None,
) -> Logits:
    """Train a recipe on all folds but one and score sentences with the model as it would be shipped: a transformer in int8.

    The workshop of a transformer keeps the scores as well, so that a cross-validation that was killed goes on. The log-odds
    are not calibrated yet; those of a linear model are, and know no kinds.
    """
    if recipe.kind != "transformer":
        return fit_linear(recipe, labels, seed=seed, without=without, workshop=workshop).scorer_.logits(texts)
    workshop = _needed(workshop, recipe)
    from loadedwords.models.onnx_scorer import OnnxScorer, OnnxSettings
    from loadedwords.training import export, stages

    estimator = stages.train_stages(recipe, labels, workshop, seed=seed, without=without)
    seen = _seen(labels.trained_on())
    # The last stage's folder is named after all that the model was made of.
    made_of = json.dumps([EXPORT_VERSION, Path(estimator.encoder).name, seen, list(texts)])
    kept = workshop.folder / f"scores-{hashlib.blake2b(made_of.encode(), digest_size=8).hexdigest()}.npz"
    if not kept.is_file():
        with tempfile.TemporaryDirectory(prefix="loadedwords-") as folder:
            export.export_onnx(estimator, Path(folder), seen)
            logits = OnnxScorer(Path(folder), OnnxSettings(), threads=workshop.threads).logits(texts)
        with written_whole(kept) as beside, beside.open("wb") as file:
            logits.save(file)
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
    tell: Tell = print,
) -> Bundle:
    """Train by a recipe and write the bundle.

    Parameters
    ----------
    held_out : Logits, optional
        Of the rows that are measured, each by a model that had not seen it: calibrates a transformer. Without it, a
        fold is held out from one more training. A linear model holds out by itself.
    metrics : dict, optional
        Measured quality, as `Evaluation.as_dict` gives it; goes into the config and the card.
    workshop : Workshop, optional
        Of a transformer, or of what teaches a linear model.

    Raises
    ------
    DataError
        If a transformer can't be calibrated on what is labelled: it is of one class, or of one fold.
    """
    trained_on = labels.trained_on()
    config = {
        **_config(recipe.kind, recipe.name, labels),
        "recipe": asdict(recipe),
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
            labels.check_measurable()
            measured = measured.filter(pl.col("fold") == 0)
            texts = measured["text"].to_list()
            held_out = fit_and_score(recipe, labels, texts, seed=seed, without=0, workshop=workshop)
        settings = calibration.fit_settings(measured, held_out)
        estimator = stages.train_stages(recipe, labels, workshop, seed=seed)
        origin = encoders.describe_encoder(
            str(recipe.estimator.get("encoder", estimator.encoder)), recipe.estimator.get("revision")
        )
        apart = labels.table.filter(pl.col("stages").list.contains(PARITY_STAGE))
        save = _saving_transformer(estimator, settings, origin, trained_on, apart, workshop.tell)
    else:
        scorer = fit_linear(recipe, labels, seed=seed, workshop=workshop).scorer_

        def save(beside: Path) -> tuple[LinearScorer | OnnxScorer, dict[str, Any]]:
            return scorer, {"scorer": save_scorer(scorer, beside)}

    if workshop is not None:
        config["unlabelled"] = _unlabelled_record(recipe, workshop)
    return _write(folder, config, save, tell)


def export_checkpoint(checkpoint: Path, labelled: Labels, folder: Path, *, tell: Tell = print) -> Bundle:
    """Make a bundle, in a new folder, of a checkpoint that `TransformerFramingClassifier.save_checkpoint` wrote.

    The checkpoint must not have been trained on what is labelled: it is calibrated on it, and the int8 model is compared
    with the float one.

    Raises
    ------
    DataError
        If the sentences are all of one class.
    ModelError
        If the exported model computes something else than the checkpoint.
    """
    if labelled.table["label"].n_unique() < 2:
        raise DataError("All sentences are of one class, so nothing can be calibrated.\nAdd some of the other class.")
    require_extra("Exporting a checkpoint")
    from loadedwords.training import calibration, encoders
    from loadedwords.training.transformer import TransformerFramingClassifier

    estimator = TransformerFramingClassifier.from_checkpoint(checkpoint)
    config = {
        **_config("transformer", folder.name, labelled),
        "recipe": None,
        "corpora": [{**entry, "stages": [CALIBRATION_STAGE]} for entry in labelled.provenance],
        "seeds": [],
        "n_sentences": None,
        "metrics": {},
    }
    settings = calibration.fit_settings(labelled.table, estimator.logits(labelled.table["text"].to_list()))
    origin = encoders.describe_encoder(checkpoint.name)
    save = _saving_transformer(estimator, settings, origin, labelled.table, labelled.table[:0], tell)
    return _write(folder, config, save, tell)


def _config(kind: str, name: str, labels: Labels) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "written_by": f"loadedwords {metadata.version('loadedwords')}",
        "classes": list(CLASSES),
        "prevalence": round(labels.prevalence, 6),
    }


def _write(folder: Path, config: dict[str, Any], save: _Save, tell: Tell) -> Bundle:
    """The bundle: the model's files, what it says of the golden sentences, its card, its config."""

    def write_files(beside: Path) -> dict[str, Any]:
        scorer, of_model = save(beside)
        file = resources.files("loadedwords.training") / "golden.toml"
        texts = tomllib.loads(file.read_text(encoding="utf-8"))["sentences"]
        probability, words = scorer.score(texts)
        golden = [
            {
                "text": text,
                "p_loaded": round(float(p), 6),
                "words": [text[w.start : w.end] for w in found],
                "kinds": [w.kind for w in found],
            }
            for text, p, found in zip(texts, probability, words, strict=True)
        ]
        (beside / GOLDEN_FILE).write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        complete = {**config, **of_model}
        (beside / CARD_FILE).write_text(write_card(complete), encoding="utf-8")
        return complete

    bundle = write_bundle(folder, write_files)
    tell(f"wrote {folder} (hash {bundle.hash[:12]})")
    return bundle


def _saving_transformer(
    estimator: TransformerFramingClassifier,
    settings: OnnxSettings,
    origin: dict[str, Any],
    trained_on: pl.DataFrame,
    apart: pl.DataFrame,
    tell: Tell,
) -> _Save:
    """Export, and compare int8 with float on the rows `apart`; without any, on some that the export has not seen."""
    from loadedwords.models.onnx_scorer import OnnxScorer
    from loadedwords.training import export

    rest = _shuffled(trained_on)[len(_seen(trained_on)) :]
    compared = (rest if apart.is_empty() else _shuffled(apart))[:N_PARITY]

    def save(folder: Path) -> tuple[OnnxScorer, dict[str, Any]]:
        export.export_onnx(estimator, folder, _seen(trained_on))
        texts, truth = compared["text"].to_list(), compared["label"].to_numpy()
        parity = export.measure_parity(estimator, folder, texts, truth, settings)
        tell(f"int8 against float: {parity.label_agreement:.2%} of {parity.n_sentences:,} labels agree")
        return OnnxScorer(folder, settings), {
            "encoder": {**origin, **export.describe_network(estimator)},
            "scorer": asdict(settings),
            "parity": asdict(parity),
        }

    return save


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
    require_extra(f"Training the recipe {recipe.name}")
    if workshop is None:
        raise DataError(f"The recipe {recipe.name} needs a folder to keep its stages in.\nPass a workshop.")
    return workshop


def _shuffled(rows: pl.DataFrame) -> pl.DataFrame:
    """In another order, the same in every run."""
    return rows.select(pl.all().gather(np.random.default_rng(0).permutation(len(rows))))


def _seen(rows: pl.DataFrame) -> list[str]:
    """Sentences for the export to look at; of few only half, for it is judged by others."""
    return _shuffled(rows)["text"].to_list()[: min(N_SEEN_BY_EXPORT, -(-len(rows) // 2))]
