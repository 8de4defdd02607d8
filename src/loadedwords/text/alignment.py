"""Edits to a text, and the way back: which characters of the original a piece of the edited text stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int32]


@dataclass(frozen=True, order=True)
class Edit:
    """Replace `original[start:end]` by `replacement`; an empty slice inserts."""

    start: int
    end: int
    replacement: str = ""


@dataclass(frozen=True)
class Aligned:
    """An edited text, and of each of its characters the slice of the original it stands for.

    Attributes
    ----------
    text : str
    starts, ends : ndarray of int, shape (len(text),)
        One character for one that was copied; what the edit replaced for all of a replacement.
    """

    text: str
    starts: Places = field(compare=False, repr=False)
    ends: Places = field(compare=False, repr=False)

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The slice of the original that `text[start:end]` stands for: the smallest that covers every character.

        ``0 <= start < end <= len(text)``.
        """
        return int(self.starts[start]), int(self.ends[end - 1])

    def removed_around(self, start: int, end: int, original_length: int) -> tuple[int, int]:
        """How far to either side of ``text[start:end]`` the original holds nothing but what was taken out.

        Offsets into the original, at or beyond those of `to_original`.
        """
        low, high = self.to_original(start, end)
        before = int(self.ends[start - 1]) if start else 0
        after = int(self.starts[end]) if end < len(self.text) else original_length
        return min(low, before), max(high, after)

    def edited(self, edits: Iterable[Edit]) -> Aligned:
        """The text after further `edits`, still aligned with the original."""
        done = apply_edits(self.text, edits)
        if done.text == self.text:
            return self
        # Where a slice of this text is empty, it stands for the place behind the character before it.
        behind = np.concatenate([np.zeros(1, np.int32), self.ends])
        first = np.append(self.starts, np.int32(0))[done.starts]
        return Aligned(done.text, np.where(done.starts < done.ends, first, behind[done.starts]), behind[done.ends])


def apply_edits(original: str, edits: Iterable[Edit]) -> Aligned:
    """Carry out `edits`; where two overlap, the one that starts first (then the longer) wins."""
    pieces: list[str] = []
    # Of each piece, kept or put in by turns, where its first and its last character come from, and its length.
    first: list[int] = []
    last: list[int] = []
    done = 0
    for edit in sorted(edits, key=lambda e: (e.start, -e.end)):
        if edit.start < done:
            continue
        pieces += [original[done : edit.start], edit.replacement]
        first += [done, edit.start]
        last += [done + 1, edit.end]
        done = edit.end
    pieces.append(original[done:])
    first.append(done)
    last.append(done + 1)
    if len(pieces) == 1:
        places = np.arange(len(original) + 1, dtype=np.int32)
        return Aligned(original, places[:-1], places[1:])
    lengths = list(map(len, pieces))
    # A character that was kept comes from one farther on than the one before it.
    farther = np.arange(sum(lengths), dtype=np.int32) - np.repeat(
        np.cumsum([0, *lengths[:-1]], dtype=np.int32), lengths
    )
    farther *= np.repeat(np.arange(len(pieces)) % 2 == 0, lengths)
    starts = np.repeat(np.array(first, dtype=np.int32), lengths) + farther
    ends = np.repeat(np.array(last, dtype=np.int32), lengths) + farther
    return Aligned("".join(pieces), starts, ends)
