"""A scorer that remembers the scores of sentences, so that the same sentence is not scored twice."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from loadedwords.models.scores import WordScore

# A sentence of more loaded words hardly comes again, and would take the memory of many others.
_MOST_WORDS = 20


class Scorer(Protocol):
    """What a kind of model must offer to be scored with."""

    @property
    def threshold(self) -> float: ...

    def score(self, sentences: Sequence[str]) -> tuple[NDArray[np.float64], list[list[WordScore]]]: ...


class RememberedScores:
    """The scores of the sentences that were asked for last. A score depends on its sentence alone, so none grows old.

    Not for several threads at once. A remembered sentence takes about 400 bytes, however long it is.
    """

    def __init__(self, scorer: Scorer, n_remembered: int) -> None:
        self._scorer, self._n_remembered = scorer, n_remembered
        self._remembered: dict[bytes, tuple[float, list[WordScore]]] = {}

    @property
    def threshold(self) -> float:
        return self._scorer.threshold

    def score(self, sentences: Sequence[str]) -> tuple[NDArray[np.float64], list[list[WordScore]]]:
        asked = [_digest(sentence) for sentence in sentences]
        wanted = dict(zip(asked, sentences, strict=True))
        known = {of: self._remembered.pop(of) for of in wanted if of in self._remembered}
        new = [of for of in wanted if of not in known]
        probability, words = self._scorer.score([wanted[of] for of in new])
        known |= zip(new, zip(probability.tolist(), words, strict=True), strict=True)
        # Those used last stand last.
        self._remembered |= {of: scores for of, scores in known.items() if len(scores[1]) <= _MOST_WORDS}
        for oldest in [*islice(self._remembered, max(0, len(self._remembered) - self._n_remembered))]:
            del self._remembered[oldest]
        return np.array([known[of][0] for of in asked]), [known[of][1] for of in asked]


def _digest(sentence: str) -> bytes:
    return blake2b(sentence.encode("utf-8", "surrogatepass"), digest_size=16).digest()
