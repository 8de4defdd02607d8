"""A finished model on labelled sentences that it has not seen, beside baselines that see no text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loadedwords.errors import DataError, require
from loadedwords.models.bundle import file_hash
from loadedwords.models.odds import logistic, logit
from loadedwords.scoring import FramingModel
from loadedwords.training.corpora import read_corpus
from loadedwords.training.evaluation.results import N_RESAMPLES, Evaluation, Predictions, baselines, intervals

LOADED_NAMES = frozenset({"loaded", "biased", "bias", "label_1", "1", "subj", "subjective"})
# Sentences, which take a small transformer some seconds on one core.
_TOLD_AFTER = 1_000


def evaluate_labelled(
    model: FramingModel,
    files: Sequence[str | Path],
    *,
    checkpoint: str | None = None,
    revision: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Measure a finished model on labelled files; warns where the model was trained on one of them.

    The model is measured as it is, for ordinary news, and at the labels' own share of loaded sentences: a corpus of which
    half is loaded was drawn so, and its share is known to nobody who scores a page.

    Parameters
    ----------
    files : sequence of str or Path
        As `corpora.load_corpus` reads them.
    checkpoint, revision : str, optional
        A transformers text-classification checkpoint to measure beside it, as `CheckpointClassifier` takes it.
    tell : callable
        Is told how many sentences are scored, after each thousand.
    """
    seen = {corpus.get("sha256") for corpus in model.bundle.config["corpora"]}
    notes = tuple(
        f"{file} is what {model.bundle.name} was trained on: these figures are too good."
        for file in files
        if file_hash(Path(file)) in seen
    )
    parts = [read_corpus(str(file)) for file in files]
    texts = [text for part in parts for text in part["text"]]
    labels = np.array([label for part in parts for label in part["label"]], dtype=np.int64)
    articles = np.array([f"{at}/{article}" for at, part in enumerate(parts) for article in part["article"]])
    outlets = np.array([outlet or "" for part in parts for outlet in part["outlet"]])
    scored = []
    for start in range(0, len(texts), _TOLD_AFTER):
        scored.append(model.p_loaded(texts[start : start + _TOLD_AFTER]))
        tell(f"{min(start + _TOLD_AFTER, len(texts)):,} of {len(texts):,} sentences scored")
    probability = np.concatenate(scored)
    runs = {model.bundle.name: Predictions.at(probability, model.threshold)}
    if 0 < (share := float(labels.mean())) < 1:
        shift = float(logit(np.array(share)) - logit(np.array(model.prevalence)))
        moved = logistic(logit(probability) + shift)
        runs[f"{model.bundle.name}, prevalence {share:.2f}"] = Predictions.at(moved)
    if checkpoint is not None:
        theirs = CheckpointClassifier(checkpoint, revision=revision)
        runs[checkpoint] = Predictions.at(theirs.predict_proba(texts)[:, which_is_loaded(theirs.classes_)])
    # Each article is left out in turn; that other labels of the file are known favours the rules a little.
    runs |= baselines(labels, outlets, articles)
    description = (
        f"{len(labels):,} sentences of {len(set(articles.tolist())):,} articles, {share:.0%} loaded; "
        f"95% intervals by resampling articles, {N_RESAMPLES} times."
    )
    return Evaluation(description, {key: intervals(labels, [run], articles) for key, run in runs.items()}, notes=notes)


class CheckpointClassifier:
    """A transformers text-classification checkpoint with scikit-learn's `classes_` and `predict_proba`.

    Parameters
    ----------
    checkpoint : str
        Folder or Hub name. One of its two labels must be named like "loaded", "biased" or "LABEL_1".
    revision : str, optional

    Raises
    ------
    MissingExtraError
        If transformers or torch is not installed.
    DataError
        If the checkpoint can't be loaded or none of its labels means loaded.
    """

    def __init__(self, checkpoint: str, *, revision: str | None = None) -> None:
        purpose = f"Measuring the checkpoint {checkpoint}"
        require("torch", extra="train", purpose=purpose)
        transformers = require("transformers", extra="train", purpose=purpose)
        try:
            self._classify = transformers.pipeline(
                "text-classification", model=checkpoint, revision=revision, top_k=None
            )
        except (OSError, ValueError) as error:
            raise DataError(f"The checkpoint {checkpoint} can't be loaded: {error}") from error
        self.classes_ = np.array(sorted(self._classify.model.config.id2label.values()))
        which_is_loaded(self.classes_)

    def predict_proba(self, sentences: Sequence[str], /) -> NDArray[np.float64]:
        """Probabilities, shape (n_sentences, 2), columns as in `classes_`."""
        answers = self._classify(list(sentences), batch_size=32, truncation=True)
        scores = [{each["label"]: each["score"] for each in answer} for answer in answers]
        return np.array([[of[name] for name in self.classes_] for of in scores]).reshape(len(answers), 2)


def which_is_loaded(classes: NDArray[np.generic]) -> int:
    """The number of the class that means loaded, by its name.

    Raises
    ------
    DataError
        If there are not two classes or not just one of them is named so.
    """
    names = [str(name).lower() for name in np.asarray(classes).tolist()]
    loaded = [at for at, name in enumerate(names) if name in LOADED_NAMES]
    if len(names) != 2 or len(loaded) != 1:
        raise DataError(
            f"Which class means loaded? The model has {', '.join(names)}.\n"
            f"It needs two, one of them named like {', '.join(sorted(LOADED_NAMES))}."
        )
    return loaded[0]
