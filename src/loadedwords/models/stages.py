"""A transformer recipe, stage by stage, each kept on disk under a name that says what it was made of.

A stage whose encoder, settings, seed and sentences are the same is never trained twice: a killed run goes on where it
was, and the folds of a cross-validation share what does not depend on the fold.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.models.contrast import make_contrasts
from loadedwords.models.encoders import WEIGHTS_FILE, find_encoder
from loadedwords.models.exchange import make_exchanges
from loadedwords.models.fillings import make_fillings, words_by_place
from loadedwords.models.odds import logistic
from loadedwords.models.recipe import PARITY_STAGE, Recipe, Stage, TrainingSet, Workshop
from loadedwords.models.transformer import TransformerFramingClassifier, mixed_targets

# A teacher's word counts as plain below this probability: it keeps the targets short and changes no loss to speak of.
_PLAIN_WORD = 0.02
# Contrasts are made of sentences that the teacher puts below this probability.
_NEUTRAL = 0.12
# What a contrast with loaded words, and one with plain words, is taught as a sentence: not every annotator would agree.
_CONTRAST_TARGETS = (0.9, 0.05)
# So many versions of a sentence are made; each time it is learnt, one of them is.
_VERSIONS = 3
# A few minutes of a large teacher's work, which a kill would lose.
_LESSONS_AT_ONCE = 4000


def train_stages(recipe: Recipe, data: TrainingSet, workshop: Workshop, *, seed: int) -> TransformerFramingClassifier:
    """Train a recipe's stages in order.

    Parameters
    ----------
    recipe : Recipe
        Of the kind "transformer".
    data : TrainingSet
        Rows of all corpora; each stage takes those that name it.
    workshop : Workshop
    seed : int
        The teacher's seed is always 0, so that several students have the same one.

    Returns
    -------
    TransformerFramingClassifier
        Uncalibrated.
    """
    folder = _run_stages(recipe, data, workshop, seed)
    return TransformerFramingClassifier.from_checkpoint(folder, **_settings(recipe, recipe.stages[-1], workshop))


def _run_stages(recipe: Recipe, data: TrainingSet, workshop: Workshop, seed: int) -> str:
    """Run those that were not run yet; the last one's folder."""
    wanted = recipe.most_unlabelled
    lessons: _Lessons | None = None
    if wanted and workshop.start is None and recipe.teacher is not None:
        if not workshop.unlabelled:
            raise DataError(
                f"The recipe {recipe.name} learns from unlabelled sentences and the workshop holds none.\n"
                "Load some with load_unlabelled, or name --articles."
            )
        lessons = partial(teach, recipe.teacher, data, workshop)
        known = lessons(workshop.unlabelled[:wanted])
    stages = recipe.stages if workshop.start is None else recipe.stages[-1:]
    encoder = str(workshop.start or recipe.estimator.get("encoder", TransformerFramingClassifier().encoder))
    if recipe.from_teacher and recipe.teacher is not None:
        encoder = _run_stages(recipe.teacher, data, workshop, seed=0)
    for stage in stages:
        rows = data.rows(np.array([at for at, of in enumerate(data.stages) if stage.name in of], dtype=np.intp))
        soft = np.full(len(rows.texts), np.nan)
        neutral = [text for text, label in zip(rows.texts, rows.labels, strict=True) if not label]
        if lessons is not None:
            if stage.teacher_weight:
                vote_weight = TransformerFramingClassifier(**_settings(recipe, stage, workshop)).vote_weight
                mixed = mixed_targets(rows.labels, rows.vote_share, vote_weight)
                taught = lessons(rows.texts).probability
                soft = (1 - stage.teacher_weight) * mixed + stage.teacher_weight * taught
            lesson = known.part(stage.unlabelled_of(len(known.texts)))
            if stage.taught_words and recipe.word_teacher is not None:
                lesson = replace(lesson, words=teach(recipe.word_teacher, data, workshop, lesson.texts).words)
            rows, soft = _with_lessons(rows, soft, lesson, stage)
            rows, soft = _with_plain(rows, soft, known.part(slice(stage.plain)).neutral, stage)
            neutral = (lesson if stage.unlabelled else known).neutral
        if stage.contrasts and workshop.start is None:
            rows, soft = _with_contrasts(rows, soft, neutral, stage, lessons)
        if stage.fillings and lessons is not None and recipe.word_teacher is not None:
            made = make_fillings(known.neutral, _vocabulary(data, known), stage.fillings)
            marked = teach(recipe.word_teacher, data, workshop, made).words
            rows, soft = join_unlabelled(rows, soft, stage.name, made, np.zeros(len(made)), _told(marked), weight=0.0)
        if not rows.texts:  # one's own labels from scratch: only the last stage has sentences
            continue
        of_stage = 0 if recipe.shared_stages and stage is not stages[-1] else seed
        encoder = str(_run_stage(recipe, stage, encoder, rows, soft, workshop, of_stage))
    return encoder


def _run_stage(
    recipe: Recipe,
    stage: Stage,
    encoder: str,
    rows: TrainingSet,
    soft: NDArray[np.float64],
    workshop: Workshop,
    seed: int,
) -> Path:
    settings = _settings(recipe, stage, workshop)
    versions = _versions(tuple(rows.texts), stage.exchanged)
    made_of = _digest(
        {**{k: v for k, v in settings.items() if k not in ("threads", "progress")}, "seed": seed},
        _encoder_identity(encoder, settings.get("revision")),
        rows,
        soft,
        versions,
    )
    folder = workshop.folder / f"{recipe.name}-{stage.name}-{made_of}"
    with _alone(folder):  # two folds that share a stage, or two commands, train it once
        if folder.is_dir():
            workshop.tell(f"{recipe.name}, stage {stage.name}: found in {folder}")
            return folder
        workshop.tell(f"{recipe.name}, stage {stage.name}, seed {seed}: {len(rows.texts):,} sentences")
        checkpoints = workshop.folder / f"{folder.name}.running"
        estimator = TransformerFramingClassifier(
            **{**settings, "encoder": encoder, "random_state": seed, "checkpoint_dir": str(checkpoints)}
        )
        estimator.fit(
            rows.texts,
            rows.labels,
            sample_weight=rows.weights,
            vote_share=rows.vote_share,
            soft_labels=soft,
            word_targets=rows.word_targets,
            word_sample_weight=rows.word_weights,
            versions=versions or None,
            tell=lambda line: workshop.tell(f"{recipe.name}, stage {stage.name}: {line}"),
        )
        # Whole before it has its name: by the name a stage is taken for finished.
        beside = workshop.folder / f".{folder.name}.{os.getpid()}"
        shutil.rmtree(beside, ignore_errors=True)
        estimator.save_checkpoint(beside)
        (beside / "made_of.json").write_text(
            json.dumps({**settings, "encoder": encoder, "seed": seed}, indent=1) + "\n"
        )
        beside.rename(folder)
        shutil.rmtree(checkpoints, ignore_errors=True)
    return folder


def _alone(what: Path) -> FileLock:
    """Held while something of that name is made."""
    return FileLock(what.parent / f".{what.name}.lock")


def _settings(recipe: Recipe, stage: Stage, workshop: Workshop) -> dict[str, Any]:
    return {**recipe.estimator, **stage.settings, "threads": workshop.threads, "progress": workshop.progress}


@dataclass(frozen=True)
class Lessons:
    """Unlabelled sentences as the teacher sees them; no words where it was taught none itself."""

    texts: list[str]
    probability: NDArray[np.float64]
    words: list[list[tuple[int, int, float]] | None]

    def part(self, which: slice) -> Lessons:
        """Those of some sentences."""
        return Lessons(self.texts[which], self.probability[which], self.words[which])

    @property
    def neutral(self) -> list[str]:
        """The sentences that the teacher is sure are neutral."""
        return [text for text, p in zip(self.texts, self.probability, strict=True) if p < _NEUTRAL]


_Lessons = Callable[[Sequence[str]], Lessons]


def teach(teacher: Recipe, data: TrainingSet, workshop: Workshop, texts: Sequence[str], *, seed: int = 0) -> Lessons:
    """What a teacher says of sentences it never saw, kept on disk; it is trained first, where it is not yet."""
    trained = _run_stages(teacher, data, workshop, seed)
    names = {stage.name for stage in teacher.stages}
    knows_words = teacher.from_teacher or any(
        targets is not None and names & set(of) for targets, of in zip(data.word_targets, data.stages, strict=True)
    )
    kept = workshop.folder / f"lessons-{Path(trained).name}.jsonl"
    with _alone(kept):
        known = _kept_lessons(kept)
        asked = [text for text in dict.fromkeys(texts) if _key(text) not in known]
        if asked:
            settings = _settings(teacher, teacher.stages[-1], workshop)
            master = TransformerFramingClassifier.from_checkpoint(trained, **settings)
        for at in range(0, len(asked), _LESSONS_AT_ONCE):
            part = asked[at : at + _LESSONS_AT_ONCE]
            logits = master.logits(part, exact=False)
            with kept.open("a", encoding="utf-8") as file:
                for text, sentence, found in zip(part, logits.sentence.tolist(), logits.words, strict=True):
                    file.write(json.dumps([_key(text), sentence, found if knows_words else None]) + "\n")
                    known[_key(text)] = (sentence, found if knows_words else None)
            workshop.tell(f"{teacher.name} has scored {at + len(part):,} of {len(asked):,} sentences")
    answers = [known[_key(text)] for text in texts]
    return Lessons(
        list(texts),
        logistic(np.array([sentence for sentence, _ in answers], dtype=np.float64)),
        [
            None if found is None else [(start, end, float(logistic(np.array(score)))) for start, end, score in found]
            for _, found in answers
        ],
    )


def _kept_lessons(file: Path) -> dict[str, tuple[float, list[tuple[int, int, float]] | None]]:
    """What was kept, by sentence; a last line that was cut short by a kill is taken off."""
    if not file.is_file():
        return {}
    lines = file.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
        beside = file.with_suffix(f".{os.getpid()}")
        beside.write_bytes(b"".join(lines))
        beside.replace(file)
    return {key: (sentence, found) for key, sentence, found in map(json.loads, lines)}


def _key(text: str) -> str:
    return _digest_of(text.encode("utf-8", "surrogatepass"))


def _with_lessons(
    rows: TrainingSet, soft: NDArray[np.float64], lesson: Lessons, stage: Stage
) -> tuple[TrainingSet, NDArray[np.float64]]:
    """The stage's rows and their soft labels, with what it learns from the teacher added."""
    if not lesson.texts:
        return rows, soft
    return join_unlabelled(rows, soft, stage.name, lesson.texts, lesson.probability, _told(lesson.words))


def _told(
    words: Sequence[list[tuple[int, int, float]] | None],
) -> list[list[tuple[int, int, float]] | None]:
    """What a teacher says of words, without those it is sure are plain."""
    return [None if found is None else [word for word in found if word[2] >= _PLAIN_WORD] for found in words]


def _vocabulary(data: TrainingSet, known: Lessons) -> dict[str, list[str]]:
    """Words to put in: those of the unlabelled sentences and of all corpora but the one that is judged on."""
    others = ~data.in_domain & np.array([PARITY_STAGE not in of for of in data.stages])
    return words_by_place([*known.texts, *(data.texts[at] for at in np.flatnonzero(others))])


def _with_plain(
    rows: TrainingSet, soft: NDArray[np.float64], neutral: Sequence[str], stage: Stage
) -> tuple[TrainingSet, NDArray[np.float64]]:
    """The stage's rows and their soft labels, with neutral sentences added, to learn that they hold no loaded word."""
    if not neutral:
        return rows, soft
    nothing: list[list[tuple[int, int, float]] | None] = [[] for _ in neutral]
    return join_unlabelled(rows, soft, stage.name, neutral, np.zeros(len(neutral)), nothing, weight=0.0)


def _with_contrasts(
    rows: TrainingSet,
    soft: NDArray[np.float64],
    neutral: Sequence[str],
    stage: Stage,
    lessons: _Lessons | None,
) -> tuple[TrainingSet, NDArray[np.float64]]:
    """The stage's rows and their soft labels, with neutral sentences added that had loaded or plain words put in.

    The target is halfway between the rule that they are loaded and plain and what a teacher says: not every word put in
    fits, and not every teacher knows every word.
    """
    shuffled = list(neutral)
    random.Random(stage.name).shuffle(shuffled)  # another choice in each stage
    made = make_contrasts(shuffled, stage.contrasts, wide=stage.wide_contrasts, quotations=stage.contrast_weight > 0)
    texts = [text for contrast in made for text in (contrast.loaded, contrast.plain)]
    marked = [found for contrast in made for found in ([(start, end, 1.0) for start, end in contrast.loaded_words], [])]
    target = np.tile(_CONTRAST_TARGETS, len(made))
    if lessons is not None and stage.contrast_weight:
        target = (target + lessons(texts).probability) / 2
    return join_unlabelled(rows, soft, stage.name, texts, target, marked, weight=stage.contrast_weight)


@lru_cache(maxsize=4)  # the folds of a cross-validation share the stages before the last, and this takes half a minute
def _versions(texts: tuple[str, ...], n: int) -> list[list[str]]:
    """For each sentence other versions of it, of `n` sentences some; an empty list where none is wanted at all."""
    if not n:
        return []
    versions: dict[str, list[str]] = {}
    for seed in range(_VERSIONS):
        for made in make_exchanges(texts, n, seed=seed):
            versions.setdefault(made.text, []).append(made.version)
    return [versions.get(text, []) for text in texts]


def join_unlabelled(
    rows: TrainingSet,
    soft: NDArray[np.float64],
    stage: str,
    texts: Sequence[str],
    probability: NDArray[np.float64],
    words: Sequence[list[tuple[int, int, float]] | None],
    weight: float = 1.0,
) -> tuple[TrainingSet, NDArray[np.float64]]:
    """Rows and their soft labels, with sentences added that have a probability instead of a label."""
    n = len(texts)
    joined = replace(
        rows,
        texts=[*rows.texts, *texts],
        labels=np.concatenate([rows.labels, (probability >= 0.5).astype(np.int64)]),
        weights=np.concatenate([rows.weights, np.full(n, weight)]),
        articles=np.concatenate([rows.articles, np.array([f"unlabelled/{at}" for at in range(n)])]),
        outlets=[*rows.outlets, *[None] * n],
        in_domain=np.concatenate([rows.in_domain, np.zeros(n, dtype=bool)]),
        vote_share=np.concatenate([rows.vote_share, np.full(n, np.nan)]),
        loaded_words=[*rows.loaded_words, *[None] * n],
        annotators=[*rows.annotators, *[[] for _ in range(n)]],
        marked_words=[*rows.marked_words, *[[] for _ in range(n)]],
        word_targets=[*rows.word_targets, *words],
        word_weights=np.concatenate([rows.word_weights, np.ones(n)]),
        stages=[*rows.stages, *[(stage,)] * n],
        topics=[*rows.topics, *[None] * n],
        leans=[*rows.leans, *[None] * n],
    )
    return joined, np.concatenate([soft, probability])


def _digest(
    settings: dict[str, Any], encoder: str, rows: TrainingSet, soft: NDArray[np.float64], versions: list[list[str]]
) -> str:
    content = [
        json.dumps(settings, sort_keys=True).encode(),
        encoder.encode(),
        "\n".join(rows.texts).encode("utf-8", "surrogatepass"),
        json.dumps(rows.word_targets).encode(),
        *(values.tobytes() for values in (rows.labels, rows.weights, rows.vote_share, rows.word_weights, soft)),
        *([json.dumps(versions).encode()] if versions else []),
    ]
    return _digest_of(b"\0".join(content))


def _digest_of(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def _encoder_identity(encoder: str, revision: str | None) -> str:
    """A stage's folder is named after all that it was made of; any other encoder is known by its weights."""
    folder = find_encoder(encoder, revision=revision)
    if (folder / "made_of.json").is_file():
        return folder.name
    from loadedwords.corpora import file_hash

    return file_hash(folder / WEIGHTS_FILE) if (folder / WEIGHTS_FILE).is_file() else str(encoder)
