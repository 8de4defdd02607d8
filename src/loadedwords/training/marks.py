"""What annotators typed → where it stands in the sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from contextlib import suppress
from difflib import SequenceMatcher
from typing import Any, TypeVar

from loadedwords.errors import DataError
from loadedwords.text.words import WORD

Mark = TypeVar("Mark", bound=Mapping[str, Any])

# Two words of at least so many letters are taken for the same, misspelt or inflected, from this similarity.
_SHORTEST_ALIKE, _ALIKE = 4, 0.75


def word_list(marked: Any) -> list[str]:
    """Marked words from a list, from "one; two", or from a list written out as text."""
    if isinstance(marked, str) and not marked.strip().startswith("["):
        marked = marked.split(";")
    elif isinstance(marked, str):
        with suppress(ValueError, SyntaxError):  # what it is instead of a list is told below
            marked = ast.literal_eval(marked.strip())
    if not isinstance(marked, (list, tuple)):
        raise DataError(f"marked words {marked!r} are no list.\nSeparate them by semicolons.")
    return [str(word).strip() for word in marked if str(word).strip()]


def find_marked(text: str, marked: Iterable[str]) -> list[dict[str, int]]:
    """Where the words and phrases that somebody typed stand in a text: ``{"start", "end"}`` in order, none twice.

    Each whole-word occurrence counts, whatever its case. What is not there to the letter is looked for as a person
    meant it: the passage of as many words that is most like it (typing errors, inflections), else its longer words
    one by one. What is like nothing in the text is left out.
    """
    words = [(match.start(), match.end(), _plain(match.group())) for match in WORD.finditer(text)]
    found: set[tuple[int, int]] = set()
    for phrase in marked:
        found.update(_find_phrase(words, [_plain(word) for word in WORD.findall(phrase)]))
    return [{"start": start, "end": end} for start, end in sorted(found)]


def touching(marks: Iterable[Mark], start: int, end: int) -> list[Mark]:
    """Those of some marks that share a character with a slice."""
    return [mark for mark in marks if mark["start"] < end and start < mark["end"]]


def _find_phrase(words: list[tuple[int, int, str]], wanted: list[str]) -> list[tuple[int, int]]:
    if not wanted:
        return []
    windows = [words[at : at + len(wanted)] for at in range(len(words) - len(wanted) + 1)]
    found = [window for window in windows if [word for _, _, word in window] == wanted]
    if not found:
        likeness = [
            [_likeness(word, want) for (_, _, word), want in zip(window, wanted, strict=True)] for window in windows
        ]
        like = [(sum(each), window) for each, window in zip(likeness, windows, strict=True) if min(each) >= _ALIKE]
        found = [max(like, key=lambda pair: pair[0])[1]] if like else []
    if not found and len(wanted) > 1:
        return [span for want in wanted if len(want) >= _SHORTEST_ALIKE for span in _find_phrase(words, [want])]
    return [(window[0][0], window[-1][1]) for window in found]


def _likeness(word: str, want: str) -> float:
    """Ratcliff and Obershelp's similarity, 0 to 1; short words must agree to the letter."""
    if word == want:
        return 1.0
    if min(len(word), len(want)) < _SHORTEST_ALIKE:
        return 0.0
    matcher = SequenceMatcher(None, word, want, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE else 0.0


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")
