"""Recipes, and the labelled sentences they train on."""

from __future__ import annotations

import hashlib
import random
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loadedwords.corpora import CORPORA, file_hash, find_corpus_file, load_corpus
from loadedwords.errors import DataError
from loadedwords.text.words import WORD

if TYPE_CHECKING:
    from datasets import Dataset

OWN_LABELS = "your labels"
# Rows of this stage are not trained on: the int8 model is compared with the float one on them.
PARITY_STAGE = "parity"
_SENTENCES_PER_ARTICLE = 12
# What a stage of a recipe says beside the estimator's settings.
_MATERIAL = (
    "name",
    "unlabelled",
    "contrasts",
    "contrast_weight",
    "wide_contrasts",
    "exchanged",
    "teacher_weight",
    "unlabelled_after",
    "taught_words",
    "plain",
    "fillings",
)


@dataclass(frozen=True)
class CorpusUse:
    """One corpus of a recipe.

    Attributes
    ----------
    name, split : str
    weight, word_weight : float
        Of its sentences' labels, and of its marked words.
    in_domain : bool
        Whether the scores are to be on its terms.
    stages : tuple of str
        The stages that train on it; of a recipe without stages, none.
    held_out : float
        Share of its articles that no model trains on, so that it can always be measured on them; the same articles
        every time.
    neutral_per_loaded : float or None
        Where a corpus is mostly neutral, so many neutral sentences are kept for each loaded one; all if None.
    """

    name: str
    split: str = "train"
    weight: float = 1.0
    word_weight: float = 1.0
    in_domain: bool = False
    stages: tuple[str, ...] = ()
    held_out: float = 0.0
    neutral_per_loaded: float | None = None


@dataclass(frozen=True)
class Stage:
    """One stage of training: a name that corpora refer to, and what it sets otherwise than the estimator's settings.

    `unlabelled` is the number of sentences from unlabelled articles to learn from the teacher; `contrasts` the number
    of those the teacher calls neutral (of its own neutral sentences, where a stage has no teacher) that are also learnt
    with loaded and with plain words put in; `contrast_weight` what these weigh as sentences, beside their words (where it
    is not 0, some hold a quotation);
    `wide_contrasts` whether words that only the student is given are among those put in;
    `teacher_weight` the teacher's share in the targets of labelled sentences;
    `exchanged` the number of sentences that are learnt together with versions of them in which another name, party,
    nationality, ... stands, which should have the same score;
    `unlabelled_after` how many unlabelled sentences are passed over, fewer where there are not enough;
    `taught_words` whether the word teacher marks the words of the unlabelled sentences;
    `plain` of how many unlabelled sentences those that the teacher calls neutral are learnt as sentences without a loaded
    word;
    `fillings` the number of neutral sentences in which any words of the corpora are put, for the word teacher to mark.
    """

    name: str
    settings: dict[str, Any]
    unlabelled: int = 0
    contrasts: int = 0
    contrast_weight: float = 0.0
    wide_contrasts: bool = False
    exchanged: int = 0
    teacher_weight: float = 0.0
    unlabelled_after: int = 0
    taught_words: bool = False
    plain: int = 0
    fillings: int = 0

    def unlabelled_of(self, n_sentences: int) -> slice:
        """Which of so many unlabelled sentences it learns from."""
        first = min(self.unlabelled_after, max(0, n_sentences - self.unlabelled))
        return slice(first, first + self.unlabelled)


@dataclass(frozen=True)
class Recipe:
    """What to train, on what, and how; as in `models/recipes/*.toml`.

    The stages follow each other, each on the weights that the one before it left. A teacher is a recipe of its own
    that is trained first: of a transformer on the same corpora, and stages with unlabelled sentences learn from it; of a
    linear model a transformer's recipe with corpora of its own, which labels `unlabelled` sentences for it, each of the
    weight `unlabelled_weight`. With `shared_stages` a seed draws the last stage alone, and those before it are shared.
    A word teacher is the teacher trained on (`from_teacher`), to mark words.
    """

    kind: str
    name: str
    corpora: tuple[CorpusUse, ...]
    estimator: dict[str, Any]
    stages: tuple[Stage, ...] = ()
    teacher: Recipe | None = None
    unlabelled: int = 0
    unlabelled_weight: float = 1.0
    shared_stages: bool = False
    word_teacher: Recipe | None = None
    from_teacher: bool = False

    @property
    def most_unlabelled(self) -> int:
        """How many unlabelled sentences training needs."""
        of_stages = [max(stage.unlabelled_after + stage.unlabelled, stage.plain) for stage in self.stages]
        return max([self.unlabelled, *of_stages, *([self.word_teacher.most_unlabelled] if self.word_teacher else [])])

    def as_dict(self) -> dict[str, Any]:
        """For a bundle's config."""
        return asdict(self)


@dataclass(frozen=True)
class TrainingSet:
    """Sentences of several corpora, as the estimators' `fit` takes them; arrays of shape (n_sentences,).

    `annotators` holds who voted on each sentence and `marked_words` what they marked, as (annotator, start, end);
    `word_targets` holds for each sentence (start, end, share of annotators), None where nobody was asked; `stages`
    the stages that train on it; `provenance` names each file with its hash and licence. `topics` and `leans` (of the
    outlet, as the corpus has it) are for measuring only.
    """

    texts: list[str]
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]
    articles: NDArray[np.str_]
    outlets: list[str | None]
    in_domain: NDArray[np.bool_]
    vote_share: NDArray[np.float64]
    loaded_words: list[list[tuple[int, int]] | None]
    annotators: list[list[str]]
    marked_words: list[list[tuple[str, int, int]]]
    word_targets: list[list[tuple[int, int, float]] | None]
    word_weights: NDArray[np.float64]
    stages: list[tuple[str, ...]]
    provenance: list[dict[str, Any]]
    topics: list[str | None]
    leans: list[str | None]

    def rows(self, chosen: NDArray[np.intp]) -> TrainingSet:
        """The chosen rows only."""
        return TrainingSet(
            [self.texts[at] for at in chosen],
            self.labels[chosen],
            self.weights[chosen],
            self.articles[chosen],
            [self.outlets[at] for at in chosen],
            self.in_domain[chosen],
            self.vote_share[chosen],
            [self.loaded_words[at] for at in chosen],
            [self.annotators[at] for at in chosen],
            [self.marked_words[at] for at in chosen],
            [self.word_targets[at] for at in chosen],
            self.word_weights[chosen],
            [self.stages[at] for at in chosen],
            self.provenance,
            [self.topics[at] for at in chosen],
            [self.leans[at] for at in chosen],
        )


@dataclass(frozen=True)
class Workshop:
    """Where and how a transformer recipe is trained; a linear one needs it where a transformer teaches it.

    Attributes
    ----------
    folder : Path
        Keeps finished stages and the checkpoints of the one that runs.
    unlabelled : sequence of str
        Sentences for stages that learn from the teacher.
    unlabelled_from : Path or None
        Where they were read from, for the record.
    teacher_data : TrainingSet or None
        What the teacher of a linear recipe trains on.
    start : Path or None
        A checkpoint to train further instead of the recipe's encoder; then only the last stage is run.
    threads : int or None
    progress : bool
    tell : callable
    """

    folder: Path
    unlabelled: Sequence[str] = ()
    unlabelled_from: Path | None = None
    teacher_data: TrainingSet | None = None
    start: Path | None = None
    threads: int | None = None
    progress: bool = False
    tell: Callable[[str], None] = print


def read_recipe(name: str | Path) -> Recipe:
    """Read a recipe that comes with the package, or a TOML file.

    Raises
    ------
    DataError
        If there is none of that name, or it lacks something.
    """
    shipped = resources.files("loadedwords.models") / "recipes"
    source = Path(name) if Path(name).suffix == ".toml" else shipped / f"{name}.toml"
    if not source.is_file():
        known = sorted(Path(str(file)).stem for file in shipped.iterdir() if file.name.endswith(".toml"))
        raise DataError(f"There is no recipe {name}.\nName one of {', '.join(known)}, or a .toml file.")
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
        return _recipe(content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The recipe {source} can't be used: {error}.\nCompare it with those in models/recipes."
        ) from error


def _recipe(content: dict[str, Any]) -> Recipe:
    corpora = tuple(CorpusUse(**{**corpus, "stages": tuple(corpus.get("stages", ()))}) for corpus in content["corpora"])
    stages = tuple(
        Stage(
            stage["name"],
            {key: value for key, value in stage.items() if key not in _MATERIAL},
            int(stage.get("unlabelled", 0)),
            int(stage.get("contrasts", 0)),
            float(stage.get("contrast_weight", 0.0)),
            bool(stage.get("wide_contrasts", False)),
            int(stage.get("exchanged", 0)),
            float(stage.get("teacher_weight", 0.0)),
            int(stage.get("unlabelled_after", 0)),
            bool(stage.get("taught_words", False)),
            int(stage.get("plain", 0)),
            int(stage.get("fillings", 0)),
        )
        for stage in content.get("stages", ())
    )
    recipe = Recipe(
        content["kind"],
        content["name"],
        corpora,
        content["estimator"],
        stages,
        _teacher(content),
        int(content.get("unlabelled", 0)),
        float(content.get("unlabelled_weight", 1.0)),
        bool(content.get("shared_stages", False)),
    )
    if "word_teacher" in content:
        of_words = _recipe({**content["word_teacher"], **_same(content), "teacher": content["teacher"]})
        recipe = replace(recipe, word_teacher=replace(of_words, teacher=recipe.teacher, from_teacher=True))
    if recipe.word_teacher is None and any(stage.taught_words or stage.fillings for stage in stages):
        raise ValueError("a stage learns words from a word_teacher, and there is none")
    if recipe.kind == "transformer" and not stages:
        raise KeyError("stages")
    if recipe.teacher is None and recipe.most_unlabelled:
        raise ValueError("it has unlabelled sentences, and there is no teacher to label them")
    if recipe.kind == "linear" and recipe.teacher is not None and recipe.teacher.kind != "transformer":
        raise ValueError(f"its teacher {recipe.teacher.name} is no transformer")
    return recipe


def _teacher(content: dict[str, Any]) -> Recipe | None:
    """Stages of its own on the same corpora, or the name of a recipe."""
    teacher = content.get("teacher")
    if isinstance(teacher, str):
        return read_recipe(teacher)
    if teacher:
        return _recipe({**teacher, **_same(content)})
    return None


def _same(content: dict[str, Any]) -> dict[str, Any]:
    """What a recipe's teachers have of it."""
    return {"kind": content["kind"], "name": f"{content['name']}-teacher", "corpora": content["corpora"]}


def for_own_labels(recipe: Recipe) -> Recipe:
    """What of a recipe applies to one's own labels: its last stage, as what comes before needs the recipe's corpora."""
    stages = tuple(replace(stage, unlabelled=0, contrasts=0, plain=0) for stage in recipe.stages[-1:])
    return replace(recipe, stages=stages, teacher=None, word_teacher=None, unlabelled=0)


def load_training_set(recipe: Recipe, corpora: Path | None, labelled: Sequence[Path] = ()) -> TrainingSet:
    """Load what a recipe trains on.

    Parameters
    ----------
    recipe : Recipe
    corpora : Path or None
        Folder in which the recipe's corpora lie; from the Hub if None.
    labelled : sequence of Path
        Your own labels, which then take the place of the recipe's corpora.

    Raises
    ------
    DataError
        If a corpus is missing, or a test split is asked for: a model that saw it can't be measured on it.
    """
    parts: list[tuple[Dataset, CorpusUse]] = []
    provenance: list[dict[str, Any]] = []
    for file in labelled:
        parts.append((load_corpus(str(file)), CorpusUse(OWN_LABELS, in_domain=True, stages=_own_stages(recipe))))
        provenance.append(
            {"name": OWN_LABELS, "file": file.name, "sha256": file_hash(file), "licence": "yours", "in_domain": True}
        )
    for use in () if labelled else recipe.corpora:
        if use.split == "test":
            raise DataError(
                f"The recipe {recipe.name} trains on the test split of {use.name}.\nA published test split is for measuring only."
            )
        part = load_corpus(use.name, corpora, split=use.split)
        if use.held_out:
            part = part.select(np.flatnonzero([not is_held_out(a, use.held_out) for a in part["article"]]))
        if use.neutral_per_loaded is not None:
            part = part.select(_thinned(part["text"], part["label"], use.neutral_per_loaded))
        parts.append((part, use))
        known = CORPORA[use.name]
        entry = {
            "name": use.name,
            "split": use.split,
            "source": known.source,
            "licence": known.licence,
            "in_domain": use.in_domain,
            "stages": list(use.stages),
            "weight": use.weight,
            "word_weight": use.word_weight,
            "articles_held_out": use.held_out,
            "neutral_per_loaded": use.neutral_per_loaded,
        }
        if corpora is not None:
            file = find_corpus_file(use.name, corpora, split=use.split)
            entry |= {"file": file.name, "sha256": file_hash(file)}
        provenance.append(entry)
    if not parts:
        raise DataError(f"The recipe {recipe.name} names no corpus, and no labelled file was given.\nPass one.")
    return TrainingSet(
        texts=[text for part, _ in parts for text in part["text"]],
        labels=np.array([label for part, _ in parts for label in part["label"]], dtype=np.int64),
        weights=np.concatenate([np.full(len(part), use.weight) for part, use in parts]),
        articles=np.array([f"{use.name}/{article}" for part, use in parts for article in part["article"]]),
        outlets=[outlet for part, _ in parts for outlet in part["outlet"]],
        in_domain=np.concatenate([np.full(len(part), use.in_domain) for part, use in parts]),
        vote_share=np.array([np.nan if v is None else v for part, _ in parts for v in part["vote_share"]], dtype=float),
        loaded_words=[
            None if words is None else [(word["start"], word["end"]) for word in words]
            for part, _ in parts
            for words in part["loaded_words"]
        ],
        annotators=[who or [] for part, _ in parts for who in part["annotators"]],
        marked_words=[
            [(mark["annotator"], mark["start"], mark["end"]) for mark in marks or []]
            for part, _ in parts
            for marks in part["marked_words"]
        ],
        word_targets=[
            targets
            for part, _ in parts
            for targets in map(
                word_targets, part["text"], part["loaded_words"], part["annotators"], part["marked_words"]
            )
        ],
        word_weights=np.concatenate([np.full(len(part), use.word_weight) for part, use in parts]),
        stages=[use.stages for part, use in parts for _ in range(len(part))],
        provenance=provenance,
        topics=[topic for part, _ in parts for topic in part["topic"]],
        leans=[lean for part, _ in parts for lean in part["lean"]],
    )


def is_held_out(article: str, share: float) -> bool:
    """Whether an article is among those kept for measuring; by its name alone, so the same in every run."""
    return _drawn(article) < share


def _drawn(name: str) -> float:
    """A number from 0 to 1 that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:4]) / 2**32


def _thinned(texts: Sequence[str], labels: Sequence[int], neutral_per_loaded: float) -> list[int]:
    """Rows to keep: all loaded ones and a sample of the neutral ones, the same in every run."""
    n_loaded = sum(labels)
    share = neutral_per_loaded * n_loaded / max(1, len(labels) - n_loaded)
    return [at for at, (text, label) in enumerate(zip(texts, labels, strict=True)) if label or _drawn(text) < share]


def load_unlabelled(articles: Path, n: int, *, without: Sequence[str] = (), seed: int = 0) -> list[str]:
    """Sentences of unlabelled articles for a teacher to label.

    Parameters
    ----------
    articles : Path
        A file or folder that `read_articles` reads.
    n : int
        How many; at most `_SENTENCES_PER_ARTICLE` from one article, so that many outlets and topics are among them.
    without : sequence of str
        Labelled sentences, which must not come in by this door.
    seed : int

    Raises
    ------
    DataError
        If there is no article.
    """
    from loadedwords.articles import read_articles
    from loadedwords.schema import Article
    from loadedwords.text import prepare_text

    rng = random.Random(seed)
    texts = [article.text for article in read_articles([str(articles)]) if isinstance(article, Article)]
    if not texts:
        raise DataError(f"{articles} holds no article to learn from.\nName a file or folder of articles.")
    rng.shuffle(texts)
    taken = {text.strip().lower() for text in without}
    chosen: list[str] = []
    for text in texts:
        sentences = [s.text for s in prepare_text(text).sentences if len(s.text.split()) >= 5]
        for sentence in rng.sample(sentences, min(_SENTENCES_PER_ARTICLE, len(sentences))):
            if (key := sentence.strip().lower()) not in taken:
                taken.add(key)
                chosen.append(sentence)
        if len(chosen) >= n:
            break
    return chosen[:n]


def word_targets(
    text: str,
    agreed: Sequence[dict[str, int]] | None,
    annotators: Sequence[str] | None,
    marked: Sequence[dict[str, Any]] | None,
) -> list[tuple[int, int, float]] | None:
    """What the word head is to learn of a sentence, as half of the agreed words and half of the share who marked each.

    Parameters
    ----------
    text : str
    agreed, annotators, marked
        `loaded_words`, `annotators` and `marked_words` as `load_corpus` gives them.

    Returns
    -------
    list of (start, end, share) or None
        Marked words with their share, 0 to 1; None where nobody was asked.
    """
    if agreed is None:
        return None
    if not annotators or marked is None:
        return [(span["start"], span["end"], 1.0) for span in agreed]
    targets = []
    for word in WORD.finditer(text):
        start, end = word.span()

        def touches(span: dict[str, Any], start: int = start, end: int = end) -> bool:
            return bool(span["start"] < end and start < span["end"])

        share = len({span["annotator"] for span in marked if touches(span)}) / len(annotators)
        target = 0.5 * share + 0.5 * any(touches(span) for span in agreed)
        if target:
            targets.append((start, end, target))
    return targets


def _own_stages(recipe: Recipe) -> tuple[str, ...]:
    """One's own labels train in the last stage: what comes before it is general."""
    return (recipe.stages[-1].name,) if recipe.stages else ()
