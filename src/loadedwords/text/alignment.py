"""Edits to a text, and the way back: which characters of the original a piece of the edited text stands for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Edit:
    """Replace `original[start:end]` by `replacement`; an empty slice inserts."""

    start: int
    end: int
    replacement: str = ""


@dataclass(frozen=True)
class Aligned:
    """An edited text and its alignment with the original.

    Attributes
    ----------
    text : str
        The edited text.
    starts, original_starts, original_ends : tuple of int
        One run of text each: where it starts in `text`, and the slice of the original it stands for. A run is
        either copied as it was or the replacement made by one edit.
    copied : tuple of bool
    """

    text: str
    starts: tuple[int, ...]
    original_starts: tuple[int, ...]
    original_ends: tuple[int, ...]
    copied: tuple[bool, ...]

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The slice of the original that `text[start:end]` stands for.

        Parameters
        ----------
        start, end : int
            Offsets into the edited text, ``0 <= start < end <= len(text)``.

        Returns
        -------
        tuple of int
            Start and end; the smallest slice that covers every character.
        """
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        original_start = self.original_starts[first]
        if self.copied[first]:
            original_start += start - self.starts[first]
        original_end = self.original_ends[last]
        if self.copied[last]:
            original_end = self.original_starts[last] + (end - self.starts[last])
        return original_start, original_end

    def removed_around(self, start: int, end: int, original_length: int) -> tuple[int, int]:
        """How far to either side of ``text[start:end]`` the original holds nothing but what was taken out.

        Returns
        -------
        tuple of int
            Offsets into the original, at or beyond those of `to_original`.
        """
        low, high = self.to_original(start, end)
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        if start == self.starts[first]:
            low = self.original_ends[first - 1] if first else 0
        stop = self.starts[last + 1] if last + 1 < len(self.starts) else len(self.text)
        if end == stop:
            high = self.original_starts[last + 1] if last + 1 < len(self.starts) else original_length
        return low, high


def apply_edits(original: str, edits: Iterable[Edit]) -> Aligned:
    """Carry out `edits`; where two overlap, the one that starts first (then the longer) wins."""
    pieces: list[str] = []
    starts: list[int] = []
    original_starts: list[int] = []
    original_ends: list[int] = []
    copied: list[bool] = []
    length = 0

    def add(piece: str, original_start: int, original_end: int, *, copy: bool) -> None:
        nonlocal length
        if piece:
            pieces.append(piece)
            starts.append(length)
            original_starts.append(original_start)
            original_ends.append(original_end)
            copied.append(copy)
            length += len(piece)

    done = 0
    for edit in sorted(edits, key=lambda e: (e.start, -e.end)):
        if edit.start < done:
            continue
        add(original[done : edit.start], done, edit.start, copy=True)
        add(edit.replacement, edit.start, edit.end, copy=False)
        done = edit.end
    add(original[done:], done, len(original), copy=True)
    return Aligned("".join(pieces), tuple(starts), tuple(original_starts), tuple(original_ends), tuple(copied))
