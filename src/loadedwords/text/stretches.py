"""Stretches of an article whose voice the page itself tells: posts, turns of a transcript, and the labels that name them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from operator import attrgetter
from typing import Literal

Bounds = Sequence[tuple[int, int]]  # where the paragraphs of a text start and end
Told = Literal["quoted", "own", "label"]


@dataclass(frozen=True)
class Stretch:
    """Words inside one paragraph that one speaker says, or a label that says who does.

    Attributes
    ----------
    start, end : int
        Offsets into the clean text.
    voice : {"quoted", "own", "label"}
        Somebody else's words; those of the outlet's own host or reporter; or no words of the article at all.
    speaker : str or None
        As the page has it.
    """

    start: int
    end: int
    voice: Told
    speaker: str | None = None


def stretch(text: str, start: int, end: int, voice: Told, speaker: str | None = None) -> Iterator[Stretch]:
    """A stretch without the white space at its ends; none where no letter or digit is in it."""
    if any(character.isalnum() for character in text[start:end]):
        yield Stretch(*stripped(text, start, end), voice, speaker)


def in_order(stretches: Iterable[Stretch]) -> list[Stretch]:
    """By their start; of two that overlap the first is kept, then the longer, then a label, then that with a speaker."""
    kept: list[Stretch] = []
    for each in sorted(stretches, key=lambda one: (one.start, -one.end, one.voice != "label", one.speaker is None)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def pieces(text: str, start: int, end: int, stretches: Sequence[Stretch]) -> Iterator[tuple[int, int, Stretch | None]]:
    """``text[start:end]`` cut at the edges of the stretches, each piece with its stretch; white space is left out."""
    first = bisect_right(stretches, start, key=attrgetter("end"))
    at = start
    for each in takewhile(lambda one: one.start < end, (stretches[n] for n in range(first, len(stretches)))):
        yield from _between(text, at, each.start)
        yield max(each.start, start), min(each.end, end), each
        at = each.end
    yield from _between(text, at, end)


def _between(text: str, start: int, end: int) -> Iterator[tuple[int, int, None]]:
    if start < end and any(character.isalnum() for character in text[start:end]):
        yield *stripped(text, start, end), None


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """The slice without the white space at its ends."""
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return start, start + len(words.strip())
