"""A recipe and labelled corpora → a fitted model → a bundle."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loadedwords.corpora import CORPORA, file_hash, find_corpus_file, load_corpus
from loadedwords.errors import DataError
from loadedwords.models.bundle import CARD_FILE, GOLDEN_FILE, Bundle, write_bundle
from loadedwords.models.golden import GOLDEN_SENTENCES
from loadedwords.models.linear import LinearFramingClassifier
from loadedwords.models.linear_scorer import save_scorer

if TYPE_CHECKING:
    from datasets import Dataset

OWN_LABELS = "your labels"


@dataclass(frozen=True)
class CorpusUse:
    """One corpus of a recipe: which, how heavy, and whether the scores are to be on its terms."""

    name: str
    split: str = "train"
    weight: float = 1.0
    in_domain: bool = False


@dataclass(frozen=True)
class Recipe:
    """What to train, on what, and how; as in `models/recipes/*.toml`."""

    kind: str
    name: str
    corpora: tuple[CorpusUse, ...]
    estimator: dict[str, Any]


@dataclass(frozen=True)
class TrainingSet:
    """Sentences of several corpora, as `LinearFramingClassifier.fit` takes them; arrays of shape (n_sentences,).

    `provenance` names each file with its hash and licence.
    """

    texts: list[str]
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]
    articles: NDArray[np.str_]
    outlets: list[str | None]
    in_domain: NDArray[np.bool_]
    vote_share: NDArray[np.float64]
    loaded_words: list[list[tuple[int, int]] | None]
    provenance: list[dict[str, Any]]

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
            self.provenance,
        )


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
        corpora = tuple(CorpusUse(**corpus) for corpus in content["corpora"])
        return Recipe(content["kind"], content["name"], corpora, content["estimator"])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise DataError(
            f"The recipe {source} can't be used: {error}.\nCompare it with those in models/recipes."
        ) from error


def make_estimator(recipe: Recipe, *, seed: int | None = None) -> LinearFramingClassifier:
    """The estimator of a recipe, unfitted."""
    if recipe.kind != "linear":
        raise DataError(f"The recipe {recipe.name} is of the kind {recipe.kind!r}; this version trains 'linear'.")
    settings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in recipe.estimator.items()
    }
    if seed is not None:
        settings["random_state"] = seed
    try:
        return LinearFramingClassifier(**settings)
    except TypeError as error:
        raise DataError(f"The recipe {recipe.name} sets a parameter that the estimator lacks: {error}.") from error


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
        parts.append((load_corpus(str(file)), CorpusUse(OWN_LABELS, in_domain=True)))
        provenance.append({"name": OWN_LABELS, "file": file.name, "sha256": file_hash(file), "licence": "yours"})
    for use in () if labelled else recipe.corpora:
        if use.split == "test":
            raise DataError(
                f"The recipe {recipe.name} trains on the test split of {use.name}.\nA published test split is for measuring only."
            )
        parts.append((load_corpus(use.name, corpora, split=use.split), use))
        known = CORPORA[use.name]
        entry = {
            "name": use.name,
            "split": use.split,
            "source": known.source,
            "licence": known.licence,
            "weight": use.weight,
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
        provenance=provenance,
    )


def fit_estimator(estimator: LinearFramingClassifier, data: TrainingSet) -> LinearFramingClassifier:
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
            loaded_words=data.loaded_words,
        )
    except (ValueError, TypeError) as error:
        raise DataError(
            f"These {len(data.texts)} sentences could not be trained on: {error}\n"
            "Most often they are too few, or all of one class within a fold: label more, or lower folds in the recipe."
        ) from error


def train_bundle(
    recipe: Recipe,
    data: TrainingSet,
    folder: Path,
    *,
    metrics: dict[str, Any] | None = None,
    tell: Callable[[str], None] = print,
) -> Bundle:
    """Train by a recipe and write the bundle.

    Parameters
    ----------
    recipe : Recipe
    data : TrainingSet
    folder : Path
    metrics : dict, optional
        Measured quality, as `evaluation.cross_validate` gives it; goes into the config and the card.
    tell : callable
        Gets a line now and then.
    """
    tell(f"training {recipe.name} on {len(data.texts):,} sentences")
    fitted = fit_estimator(make_estimator(recipe), data)

    def write_files(beside: Path) -> dict[str, Any]:
        settings = save_scorer(fitted.scorer_, beside)
        _write_golden(fitted, beside / GOLDEN_FILE)
        config = {
            "kind": recipe.kind,
            "name": recipe.name,
            "written_by": f"loadedwords {metadata.version('loadedwords')}",
            "classes": ["neutral", "loaded"],
            "scorer": settings,
            "recipe": {"estimator": recipe.estimator, "corpora": [use.__dict__ for use in recipe.corpora]},
            "corpora": data.provenance,
            "n_sentences": len(data.texts),
            "metrics": metrics or {},
        }
        (beside / CARD_FILE).write_text(_card(config), encoding="utf-8")
        return config

    bundle = write_bundle(folder, write_files)
    tell(f"wrote {folder} (hash {bundle.hash[:12]})")
    return bundle


def _write_golden(fitted: LinearFramingClassifier, file: Path) -> None:
    probability, words = fitted.scorer_.score(GOLDEN_SENTENCES)
    rows = [
        {"text": text, "p_loaded": round(float(p), 6), "words": [text[w.start : w.end] for w in found]}
        for text, p, found in zip(GOLDEN_SENTENCES, probability, words, strict=True)
    ]
    file.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _card(config: dict[str, Any]) -> str:
    """The model card: what the config says, for people."""
    corpora = "\n".join(
        f"- {c['name']}{' (' + c['split'] + ')' if 'split' in c else ''}: licence {c['licence']}; sha256 `{c.get('sha256', 'from the Hub')}`"
        for c in config["corpora"]
    )
    metrics = config["metrics"]
    measured = "Not measured. Run `loadedwords evaluate`.\n"
    if metrics:
        rows = "\n".join(
            f"| {name} | "
            + " | ".join(f"{v['estimate']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for v in values.values())
            + " |"
            for name, values in metrics["predictors"].items()
        )
        names = list(next(iter(metrics["predictors"].values())))
        measured = (
            f"{metrics['description']}\n\n| predictor | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}\n{rows}\n"
        )
    return f"""# {config["name"]}

A {config["kind"]} model of loaded framing in English news sentences, trained by {config["written_by"]} on
{config["n_sentences"]:,} sentences.

## What the score is
`p_loaded` estimates the probability that the annotators of the first corpus below would call the sentence loaded,
at that corpus's share of loaded sentences. In BABE that is about half; in whole news articles it is far lower, so
read scores on articles as a scale for comparing, not as the share of biased sentences.

## What it was trained on
{corpora}

## What was measured
{measured}
## What it must not be used for
A verdict on a person; a claim that a statement is false; a ranking of outlets without the intervals. It reads
English only. It knows words, not the world: a plain sentence about a heated topic can score high.

## Licence
The code is Apache-2.0. The weights were trained on the corpora above; where one of them is licensed for
non-commercial use only (BABE: CC BY-NC-SA 4.0), so are the weights.
"""
