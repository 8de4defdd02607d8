"""A model that remembers the scores of sentences, so that a change to a story costs only the sentences that changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loadedwords.models.bundle import Bundle
from loadedwords.models.scores import WordScore
from loadedwords.scoring import FramingModel
from loadedwords.scoring.model import Scorer

N_REMEMBERED = 20_000  # some hundred stories, with the sentences that plainer words are tried in


class RememberingModel(FramingModel):
    """A `FramingModel` that scores a sentence it has scored before from memory; not for several threads at once."""

    def __init__(self, bundle: Bundle, *, n_remembered: int = N_REMEMBERED) -> None:
        super().__init__(bundle)
        self._scorer = RememberedScores(self._scorer, n_remembered)


class RememberedScores:
    """The scores of the sentences that were asked for last. A score depends on its sentence alone, so none grows old."""

    def __init__(self, scorer: Scorer, n_remembered: int) -> None:
        self._scorer, self._n_remembered = scorer, n_remembered
        self._remembered: dict[str, tuple[float, list[WordScore]]] = {}

    @property
    def threshold(self) -> float:
        return self._scorer.threshold

    def score(self, sentences: Sequence[str]) -> tuple[NDArray[np.float64], list[list[WordScore]]]:
        wanted = dict.fromkeys(sentences)
        known = {sentence: self._remembered.pop(sentence) for sentence in wanted if sentence in self._remembered}
        new = [sentence for sentence in wanted if sentence not in known]
        probability, words = self._scorer.score(new)
        known |= zip(new, zip(probability.tolist(), words, strict=True), strict=True)
        self._remembered |= known  # those used last stand last
        for oldest in list(self._remembered)[: max(0, len(self._remembered) - self._n_remembered)]:
            del self._remembered[oldest]
        return np.array([known[sentence][0] for sentence in sentences]), [known[sentence][1] for sentence in sentences]
