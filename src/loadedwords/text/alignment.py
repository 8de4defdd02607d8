"""Edits to a text, and the way back: which characters of the original a piece of the edited text stands for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
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
        """The slice of the original that `text[start:end]` stands for: the smallest that covers every character.

        ``0 <= start < end <= len(text)``.
        """
        first, last = self.runs[self._run_at(start)], self.runs[self._run_at(end - 1)]
        low = first.original_start + (start - first.start if first.copied else 0)
        high = last.original_start + (end - last.start) if last.copied else last.original_end
        return low, high

    def removed_around(self, start: int, end: int, original_length: int) -> tuple[int, int]:
        """How far to either side of ``text[start:end]`` the original holds nothing but what was taken out.

        Offsets into the original, at or beyond those of `to_original`.
        """
        low, high = self.to_original(start, end)
        first, after = self._run_at(start), self._run_at(end - 1) + 1
        if start == self.runs[first].start:
            low = min(low, self.runs[first - 1].original_end) if first else 0
        if after == len(self.runs):
            high = original_length if end == len(self.text) else high
        elif end == self.runs[after].start:
            high = max(high, self.runs[after].original_start)
        return low, high

    def edited(self, edits: Iterable[Edit]) -> Aligned:
        """The text after further `edits`, still aligned with the original."""
        done = apply_edits(self.text, edits)
        if done.text == self.text:
            return self
        if self._is_whole:
            return done
        return Aligned(done.text, tuple(self._through(done)))

    @property
    def _is_whole(self) -> bool:
        """Whether nothing was edited."""
        return len(self.runs) == 1 and self.runs[0].copied and self.runs[0].original_start == 0

    def _through(self, further: Aligned) -> Iterator[Run]:
        """The runs of a text made of this one, leading to the original of this one."""
        for run in further.runs:
            at = run.original_start
            if not run.copied:
                yield Run(run.start, *self._slice(at, run.original_end), copied=False)
                continue
            first = self._run_at(at)
            for number in range(first, len(self.runs)):
                mine = self.runs[number]
                if mine.start >= run.original_end:
                    break
                inside = max(at, mine.start)
                low = mine.original_start + (inside - mine.start if mine.copied else 0)
                stop = self.runs[number + 1].start if number + 1 < len(self.runs) else len(self.text)
                high = low + min(stop, run.original_end) - inside if mine.copied else mine.original_end
                yield Run(run.start + inside - at, low, high, mine.copied)

    def _slice(self, start: int, end: int) -> tuple[int, int]:
        """The same as `to_original`, for an empty slice as well."""
        if start < end:
            return self.to_original(start, end)
        at = self.to_original(start - 1, start)[1] if start else 0
        return at, at

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
