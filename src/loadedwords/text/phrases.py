"""Phrases beside the slices that rules speak of: whether they meet, and what is left of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loadedwords.text.words import COMPOUND, FUNCTION_WORDS


def overlaps(start: int, end: int, slices: Iterable[tuple[int, int]]) -> bool:
    """Whether ``start:end`` has a part in one of them."""
    return any(low < end and start < high for low, high in slices)


def left_of(text: str, start: int, end: int, taken: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of a phrase lies outside of the slices that a rule speaks of; nothing that only holds a sentence together."""
    cuts = sorted(cut for cut in taken if overlaps(start, end, [cut]))
    if not cuts:
        yield start, end
        return
    for low, high in [*cuts, (end, end)]:
        words = list(COMPOUND.finditer(text, start, max(start, low)))
        while words and words[0][0].lower() in FUNCTION_WORDS:
            del words[0]
        while words and words[-1][0].lower() in FUNCTION_WORDS:
            del words[-1]
        if words:
            yield words[0].start(), words[-1].end()
        start = max(start, high)
