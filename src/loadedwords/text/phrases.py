"""Phrases beside the slices that rules speak of: whether they meet, and what is left of one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from loadedwords.text.cleaning import clean_text
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
    clean = clean_text(text[start:end])  # a tag or an entity is no word
    done = 0
    for low, high in [*cuts, (end, end)]:
        words = list(COMPOUND.finditer(clean.text, done, max(done, bisect_left(clean.starts, low - start))))
        while words and words[0][0].lower() in FUNCTION_WORDS:
            del words[0]
        while words and words[-1][0].lower() in FUNCTION_WORDS:
            del words[-1]
        if words:
            first, last = clean.to_original(words[0].start(), words[-1].end())
            yield start + first, start + last
        done = max(done, bisect_left(clean.starts, high - start))
