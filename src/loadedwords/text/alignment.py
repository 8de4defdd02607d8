"""Edits to a text, and the way back: which characters of the original a piece of the edited text stands for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter


@dataclass(frozen=True, order=True)
class Edit:
    """Replace `original[start:end]` by `replacement`; an empty slice inserts."""

    start: int
    end: int
    replacement: str = ""


@dataclass(frozen=True)
class Run:
    """A piece of an edited text: where it starts there, and the slice of the original it stands for.

    It is either copied as it was or the replacement made by one edit.
    """

    start: int
    original_start: int
    original_end: int
    copied: bool


@dataclass(frozen=True)
class Aligned:
    """An edited text and its alignment with the original, run by run."""

    text: str
    runs: tuple[Run, ...]

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
        first, last = self.runs[self._run_at(start)], self.runs[self._run_at(end - 1)]
        low = first.original_start + (start - first.start if first.copied else 0)
        high = last.original_start + (end - last.start) if last.copied else last.original_end
        return low, high

    def removed_around(self, start: int, end: int, original_length: int) -> tuple[int, int]:
        """How far to either side of ``text[start:end]`` the original holds nothing but what was taken out.

        Returns
        -------
        tuple of int
            Offsets into the original, at or beyond those of `to_original`.
        """
        low, high = self.to_original(start, end)
        first, after = self._run_at(start), self._run_at(end - 1) + 1
        if start == self.runs[first].start:
            low = self.runs[first - 1].original_end if first else 0
        if after == len(self.runs):
            high = original_length if end == len(self.text) else high
        elif end == self.runs[after].start:
            high = self.runs[after].original_start
        return low, high

    def _run_at(self, offset: int) -> int:
        return bisect_right(self.runs, offset, key=attrgetter("start")) - 1


def apply_edits(original: str, edits: Iterable[Edit]) -> Aligned:
    """Carry out `edits`; where two overlap, the one that starts first (then the longer) wins."""
    pieces: list[str] = []
    runs: list[Run] = []
    length = 0

    def add(piece: str, original_start: int, original_end: int, *, copied: bool) -> None:
        nonlocal length
        if piece:
            pieces.append(piece)
            runs.append(Run(length, original_start, original_end, copied))
            length += len(piece)

    done = 0
    for edit in sorted(edits, key=lambda e: (e.start, -e.end)):
        if edit.start < done:
            continue
        add(original[done : edit.start], done, edit.start, copied=True)
        add(edit.replacement, edit.start, edit.end, copied=False)
        done = edit.end
    add(original[done:], done, len(original), copied=True)
    return Aligned("".join(pieces), tuple(runs))
