"""What the estimators of both tiers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from loadedwords.errors import DataError
from loadedwords.models.odds import logistic
from loadedwords.models.scores import check_sentences
from loadedwords.schema import CLASSES
from loadedwords.training.marks import touching

MarkedWords = Sequence[Mapping[str, Any]]


class FramingClassifier(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """A scikit-learn classifier of sentences; those who inherit give `fit` and `log_odds`.

    `classes_` is sorted, as scikit-learn expects: ``["loaded", "neutral"]``, or ``[0, 1]`` where the labels were numbers.
    """

    classes_: NDArray[Any]

    @abstractmethod
    def log_odds(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """Log-odds of being loaded, calibrated where the estimator does so by itself; shape (n_sentences,)."""

    def p_loaded(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """The probability of loaded, wherever its column is; shape (n_sentences,)."""
        return logistic(self.log_odds(X))

    def decision_function(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """The same log-odds of the second class, which with strings is "neutral"; shape (n_sentences,)."""
        loaded = self.log_odds(X)
        return loaded if self._loaded == 1 else -loaded

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities of both classes; shape (n_sentences, 2), columns as in `classes_`."""
        loaded = self.p_loaded(X)
        return np.column_stack([1 - loaded, loaded] if self._loaded == 1 else [loaded, 1 - loaded])

    def predict(self, X: Sequence[str]) -> NDArray[Any]:  # noqa: N803
        """The class of each sentence at a probability of one half; shape (n_sentences,)."""
        loaded = self.log_odds(X) >= 0
        predicted: NDArray[Any] = self.classes_[np.where(loaded, self._loaded, 1 - self._loaded)]
        return predicted

    @property
    def _loaded(self) -> int:
        """Which of the classes is the loaded one."""
        return int(np.flatnonzero(self.classes_ == (CLASSES[1] if self.classes_.dtype.kind == "U" else 1))[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_class = False
        return tags


def check_fit(
    X: Sequence[str],  # noqa: N803
    y: ArrayLike,
    *,
    target: ArrayLike | None,
    loaded_words: Sequence[MarkedWords | None] | None,
    **columns: tuple[ArrayLike | None, Any],
) -> tuple[NDArray[Any], dict[str, Any]]:
    """What `fit` was given, checked: the classes, and by name one column each with an entry for every sentence.

    Each of `columns` is what was passed and what stands for it where nothing was, which says the type, too; where no
    `target` was, the labels do.
    """
    texts = check_sentences(X)
    n = len(texts)
    classes, labels = _encode_labels(y, n)
    columns["target"] = (labels if target is None else target, 0.0)
    checked: dict[str, Any] = {"text": texts, "label": labels}
    for name, (values, default) in columns.items():
        kind = type(default) if isinstance(default, (bool, float)) else None
        checked[name] = np.asarray(np.broadcast_to(default, n) if values is None else values, dtype=kind)
        if checked[name].shape != (n,):
            raise DataError(
                f"{name} has the shape {checked[name].shape} and X has {n} sentences.\nPass one for each sentence."
            )
    checked["loaded_words"] = [None] * n if loaded_words is None else loaded_words
    if len(checked["loaded_words"]) != n:
        raise DataError(
            f"loaded_words has {len(checked['loaded_words'])} rows and X has {n}.\nPass one for each sentence, or None."
        )
    return classes, checked


def _encode_labels(y: ArrayLike, n: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The classes, sorted, and for each sentence 1.0 where it is loaded."""
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise DataError(f"y has the shape {labels.shape} and X has {n} sentences.\nPass one label for each sentence.")
    found = set(labels.tolist())
    if found <= set(CLASSES):
        return np.array(sorted(CLASSES)), np.asarray(labels == CLASSES[1], dtype=np.float64)
    if found <= {0, 1}:
        return np.array([0, 1]), np.asarray(labels, dtype=np.float64)
    raise DataError(
        f"y holds {sorted(map(str, found))[:5]}.\nLabels are 0 and 1, or 'neutral' and 'loaded': map yours to these."
    )


def strongest_mark(start: int, end: int, marks: MarkedWords) -> Mapping[str, Any] | None:
    """Of the marks that touch a slice the one with the highest share, the first of equals; None if none does."""
    return max(touching(marks, start, end), key=lambda mark: mark["share"], default=None)
