"""A transformer recipe, stage by stage, each kept on disk under a name that says what it was made of.

A stage whose encoder, settings, seed and sentences are the same is never trained twice: a killed run goes on where it
was, and the folds of a cross-validation share what does not depend on the fold.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from filelock import FileLock

from loadedwords.errors import DataError
from loadedwords.files import folder_written_whole, written_whole
from loadedwords.models.bundle import file_hash
from loadedwords.models.odds import logistic
from loadedwords.models.scores import Logits
from loadedwords.training.encoders import WEIGHTS_FILE, find_encoder
from loadedwords.training.labels import MARKED, Labels
from loadedwords.training.network import save_network
from loadedwords.training.recipe import Recipe, Stage
from loadedwords.training.transformer import TransformerFramingClassifier

# A teacher's word counts as plain below this probability: it keeps the targets short and changes no loss to speak of.
_PLAIN_WORD = 0.02
# A few minutes of a large teacher's work, which a kill would lose.
_TAUGHT_AT_ONCE = 2000


@dataclass(frozen=True)
class Workshop:
    """Where and how a transformer recipe is trained.

    Attributes
    ----------
    folder : Path
        Keeps finished stages and the checkpoints of the one that runs.
    unlabelled : sequence of str
        Sentences for the teachers to label.
    unlabelled_from : Path or None
        Where they were read from, for the record.
    start : Path or None
        A checkpoint to train further, by the last stage alone; the recipe's encoder and all stages if None.
    teacher_labels : Labels or None
        What the teachers of a linear recipe are trained on.
    threads : int or None
        Of one training; torch's own choice if None.
    progress : bool
        Show a bar on stderr.
    tell : callable
        Gets a line now and then.
    """

    folder: Path
    unlabelled: Sequence[str] = ()
    unlabelled_from: Path | None = None
    start: Path | None = None
    teacher_labels: Labels | None = None
    threads: int | None = None
    progress: bool = False
    tell: Callable[[str], None] = print


def train_stages(
    recipe: Recipe, labels: Labels, workshop: Workshop, *, seed: int, without: int | None = None
) -> TransformerFramingClassifier:
    """Train the stages of a transformer recipe in order, each on those rows that name it; uncalibrated.

    Neither the model nor its teacher sees a sentence of the fold `without`. The seed is that of the last stage: the
    teachers and the stages before have the seed 0, so that all seeds share them.
    """
    folds = frozenset().union(*halves_of(labels)) - {without}
    folder = _run_stages(recipe, labels, workshop, seed, folds)
    return TransformerFramingClassifier.from_checkpoint(folder, **_settings(recipe, recipe.stages[-1], workshop))


def halves_of(labels: Labels, *, without: int | None = None) -> tuple[frozenset[int], ...]:
    """The folds in two halves; only that which does not hold the fold `without`, if one is measured.

    Whoever is measured on a fold of one half learns from the teacher of the other.
    """
    folds = sorted(labels.table["fold"].drop_nulls().unique().to_list())
    halves = frozenset(folds[: len(folds) // 2]), frozenset(folds[len(folds) // 2 :])
    return tuple(half for half in halves if without not in half)


def _run_stages(recipe: Recipe, labels: Labels, workshop: Workshop, seed: int, folds: frozenset[int]) -> str:
    """Run those that were not run yet, on the rows of some folds and what is in none; the last one's folder."""
    _refuse_unknown(recipe)
    table = labels.table.filter(pl.col("fold").is_null() | pl.col("fold").is_in(sorted(folds)))
    stages = recipe.stages if workshop.start is None else recipe.stages[-1:]
    encoder = str(workshop.start or recipe.estimator.get("encoder", TransformerFramingClassifier().encoder))
    for stage in stages:
        rows = table.filter(pl.col("stages").list.contains(stage.name))
        if stage.taught and recipe.teacher is not None and workshop.start is None:
            texts = [*workshop.unlabelled[: stage.taught], *rows.filter(pl.col("relabelled"))["text"]]
            halves = [half for half in halves_of(labels) if half <= folds]
            taught = taught_rows(recipe.teacher, labels, workshop, texts, halves)
            rows = pl.concat([rows.filter(~pl.col("relabelled")), taught], how="diagonal")
        if rows.is_empty():  # one's own labels from scratch: only the last stage has sentences
            continue
        encoder = str(_run_stage(recipe, stage, encoder, rows, workshop, seed if stage is stages[-1] else 0))
    return encoder


def _run_stage(recipe: Recipe, stage: Stage, encoder: str, rows: pl.DataFrame, workshop: Workshop, seed: int) -> Path:
    settings = _settings(recipe, stage, workshop)
    computed_from = {**recipe.estimator, **stage.settings, "seed": seed}
    made_of = _digest(
        json.dumps(computed_from, sort_keys=True),
        _encoder_identity(encoder, settings.get("revision")),
        rows.select("text", "label", "target", "offset", "weight", "words", "word_weight").write_json(),
    )
    folder = workshop.folder / f"{recipe.name}-{stage.name}-{made_of}"
    with _alone(folder):  # two folds that share a stage, or two commands, train it once
        if folder.is_dir():
            workshop.tell(f"{recipe.name}, stage {stage.name}: found in {folder}")
            return folder
        workshop.tell(f"{recipe.name}, stage {stage.name}, seed {seed}: {len(rows):,} sentences")
        checkpoints = workshop.folder / f"{folder.name}.running"
        estimator = TransformerFramingClassifier(
            **{**settings, "encoder": encoder, "random_state": seed, "checkpoint_dir": str(checkpoints)}
        )
        estimator.fit(
            rows["text"].to_list(),
            rows["label"].to_numpy(),
            sample_weight=rows["weight"].to_numpy(),
            target=rows["target"].to_numpy(),
            offset=rows["offset"].to_numpy(),
            loaded_words=rows["words"].to_list(),
            word_sample_weight=rows["word_weight"].to_numpy(),
            tell=lambda line: workshop.tell(f"{folder.name}: {line}"),
        )
        with folder_written_whole(folder) as beside:  # by its name a stage is taken for finished
            save_network(estimator.network_, estimator.tokenizer_, beside)
            made = {**settings, "encoder": encoder, "seed": seed}
            (beside / "made_of.json").write_text(json.dumps(made, indent=1) + "\n")
        shutil.rmtree(checkpoints, ignore_errors=True)
    return folder


def _alone(what: Path) -> FileLock:
    """Held while something of that name is made."""
    return FileLock(what.parent / f".{what.name}.lock")


def _refuse_unknown(recipe: Recipe) -> None:
    """Before anything is trained: the last stage of a teacher may be an hour away."""
    known = TransformerFramingClassifier().get_params()
    told = {*recipe.estimator, *(name for stage in recipe.stages for name in stage.settings)}
    if unknown := sorted(told - known.keys()):
        raise DataError(
            f"The recipe {recipe.name} sets {', '.join(unknown)}, which the estimator lacks.\n"
            f"Leave that out, or set one of {', '.join(sorted(known))}."
        )
    if recipe.teacher is not None:
        _refuse_unknown(recipe.teacher)


def _settings(recipe: Recipe, stage: Stage, workshop: Workshop) -> dict[str, Any]:
    return {**recipe.estimator, **stage.settings, "threads": workshop.threads, "progress": workshop.progress}


def taught_rows(
    teacher: Recipe, labels: Labels, workshop: Workshop, texts: Sequence[str], halves: Sequence[frozenset[int]]
) -> pl.DataFrame:
    """Sentences as the teachers of some halves see them in the mean, as rows for training.

    `labels` are what the teachers are trained on. Columns that say nothing are left out.

    Raises
    ------
    DataError
        If the workshop holds no unlabelled sentence.
    """
    if not workshop.unlabelled:
        raise DataError(
            "The recipe learns from unlabelled sentences and the workshop holds none.\n"
            "Load some with load_unlabelled, or name --articles."
        )
    each = [teach(teacher, labels, workshop, texts, half) for half in halves]
    rows = []
    for text, *said in zip(texts, *each, strict=True):
        share: dict[tuple[int, int], float] = defaultdict(float)
        for word in (word for of_teacher in said for word in of_teacher["words"]):
            share[word["start"], word["end"]] += word["share"] / len(each)
        words = [{"start": start, "end": end, "share": value} for (start, end), value in sorted(share.items())]
        rows.append((text, float(np.mean([of_teacher["target"] for of_teacher in said])), words))
    table = pl.DataFrame(rows, schema={"text": pl.String, "target": pl.Float64, "words": MARKED}, orient="row")
    return table.with_columns(
        corpus=pl.lit("unlabelled"),
        label=(pl.col("target") >= 0.5).cast(pl.Int64),
        offset=pl.lit(0.0),
        weight=pl.lit(1.0),
        word_weight=pl.lit(1.0),
        in_domain=pl.lit(value=False),
    )


def teach(
    teacher: Recipe, labels: Labels, workshop: Workshop, texts: Sequence[str], half: frozenset[int]
) -> list[dict[str, Any]]:
    """What the teacher that was trained on half of the folds says of sentences; kept on disk.

    Returns
    -------
    list of {target, words}
        Of each sentence the probability that it is loaded, and {start, end, share} of its words that may be.
    """
    trained = _run_stages(teacher, labels, workshop, 0, half)
    kept = workshop.folder / f"taught-{Path(trained).name}.jsonl"
    with _alone(kept):
        known = _kept(kept)
        asked = [text for text in dict.fromkeys(texts) if _digest(text) not in known]
        master = None
        for at in range(0, len(asked), _TAUGHT_AT_ONCE):
            master = master or TransformerFramingClassifier.from_checkpoint(
                trained, **_settings(teacher, teacher.stages[-1], workshop)
            )
            part = asked[at : at + _TAUGHT_AT_ONCE]
            with kept.open("a", encoding="utf-8") as file:
                for text, row in zip(part, _as_rows(master.logits(part, exact=False)), strict=True):
                    known[_digest(text)] = row
                    file.write(json.dumps([_digest(text), row]) + "\n")
            workshop.tell(f"{Path(trained).name} has read {at + len(part):,} of {len(asked):,} sentences")
    return [known[_digest(text)] for text in texts]


def _as_rows(logits: Logits) -> list[dict[str, Any]]:
    rows = []
    for target, words in zip(logistic(logits.sentence).tolist(), logits.words, strict=True):
        shares = logistic(np.array([word[2] for word in words], dtype=np.float64)).tolist()
        marks = [
            {"start": start, "end": end, "share": round(share, 4)}
            for (start, end, _), share in zip(words, shares, strict=True)
            if share >= _PLAIN_WORD
        ]
        rows.append({"target": round(target, 5), "words": marks})
    return rows


def _kept(file: Path) -> dict[str, dict[str, Any]]:
    """What was kept, by sentence; a last line that was cut short by a kill is taken off."""
    if not file.is_file():
        return {}
    lines = file.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
        with written_whole(file) as beside:
            beside.write_bytes(b"".join(lines))
    return dict(map(json.loads, lines))


def _digest(*content: str) -> str:
    return hashlib.blake2b("\0".join(content).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _encoder_identity(encoder: str, revision: str | None) -> str:
    """A stage's folder is named after all that it was made of; any other encoder is known by its weights."""
    folder = find_encoder(encoder, revision=revision)
    if (folder / "made_of.json").is_file():
        return folder.name
    return file_hash(folder / WEIGHTS_FILE) if (folder / WEIGHTS_FILE).is_file() else str(encoder)
