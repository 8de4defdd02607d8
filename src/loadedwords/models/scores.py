"""What the models of both tiers say of sentences and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.schema import KINDS

# What is said of a word nobody knows the kind of.
NO_KINDS = np.zeros((0, len(KINDS) + 1), dtype=np.float32)


def check_sentences(sentences: Sequence[str]) -> list[str]:
    """A list of strings, or a `DataError` that says what was passed instead."""
    if isinstance(sentences, (str, Mapping)) or hasattr(sentences, "columns"):
        raise DataError(
            "A bare string, mapping or table was passed where a list of sentences is due.\n"
            "Write [text]; for an article there is score_text(text)."
        )
    listed = list(sentences)
    for at, sentence in enumerate(listed):
        if not isinstance(sentence, str):
            raise DataError(f"Item {at} is {type(sentence).__name__}, not a string.\nPass a list of sentences.")
    return listed


@dataclass(frozen=True)
class WordScore:
    """A loaded word of one sentence: offsets into it and the score.

    `kind` is one of `loadedwords.schema.KINDS`, with the probability of it, and `praise` the probability that the word
    praises; all are None where the model doesn't tell.
    """

    start: int
    end: int
    score: float
    kind: str | None = None
    kind_score: float | None = None
    praise: float | None = None


@dataclass(frozen=True)
class Logits:
    """What a model says of some sentences before calibration.

    Attributes
    ----------
    sentence : ndarray of shape (n_sentences,)
        Log-odds of being loaded.
    words : list of list of (int, int, float)
        For each sentence its words: start, end, log-odds. Of a long sentence, torch in training misses the last.
    kinds : list of ndarray of shape (n_words, n_kinds + 1)
        For each word the scores of the kinds, before their softmax, and the log-odds that it praises.
    """

    sentence: NDArray[np.float64]
    words: list[list[tuple[int, int, float]]]
    kinds: list[NDArray[np.float32]]

    def take(self, rows: NDArray[np.intp]) -> Logits:
        """Those of some of the sentences."""
        return Logits(self.sentence[rows], [self.words[at] for at in rows], [self.kinds[at] for at in rows])

    @classmethod
    def joined(cls, parts: Sequence[Logits]) -> Self:
        """Those of several runs, one after the other."""
        return cls(
            np.concatenate([part.sentence for part in parts]),
            [words for part in parts for words in part.words],
            [kinds for part in parts for kinds in part.kinds],
        )

    def save(self, file: BinaryIO) -> None:
        """Write them as .npz."""
        np.savez(
            file,
            sentence=self.sentence,
            n_words=[len(words) for words in self.words],
            words=np.array([word for words in self.words for word in words]).reshape(-1, 3),
            kinds=np.concatenate([NO_KINDS, *self.kinds]),
        )

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(file) as stored:
            ends = np.cumsum(stored["n_words"])
            # Behind the last end there is nothing.
            words, kinds = (np.split(stored[name], ends)[:-1] for name in ("words", "kinds"))
            return cls(
                stored["sentence"],
                [[(int(start), int(end), float(log_odds)) for start, end, log_odds in of.tolist()] for of in words],
                kinds,
            )
