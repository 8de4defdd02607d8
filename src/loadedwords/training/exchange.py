"""The same sentence with another name, party, nationality, religion, group, occupation, place or gender in it.

A reader would call both as loaded as each other, so either may be learnt (counterfactual augmentation: Kaushik et al.
2020).
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any

Edits = list[tuple[int, int, str]]

_HER_OF = re.compile(r"[Hh]er(?= [a-z])(?! (?:to|and|in|on|at|for|of|with|that|as|by|from|the|a|an|if|when|but|or)\b)")
_VOWEL_SOUND = re.compile(r"(?!uni|us[aeu]|eu|one|once)[aeiou]|hour|hono|heir", re.IGNORECASE)
_ARTICLE = re.compile(r"\b([Aa])n? $")


def exchange(
    text: str, words: Sequence[dict[str, Any]] | None, rng: random.Random
) -> tuple[str, list[dict[str, Any]] | None] | None:
    """Another version of a sentence, and its marked words where they now are; None if there is nothing to exchange.

    `rng` draws the kind of thing to exchange, among those that the sentence holds, and what comes in its place.
    """
    for kind in rng.sample(KINDS, len(KINDS)):
        edits = _EXCHANGES[kind](text, rng)
        if edits:
            return _applied(text, words, sorted(_with_articles(text, edits)))
    return None


def _applied(
    text: str, words: Sequence[dict[str, Any]] | None, edits: Edits
) -> tuple[str, list[dict[str, Any]] | None]:
    pieces, done = [], 0
    for start, end, new in edits:
        pieces += [text[done:start], new]
        done = end
    changed = "".join(pieces) + text[done:]

    def moved(place: int, *, is_end: bool) -> int:
        shift = 0
        for start, end, new in edits:
            if end <= place:
                shift += len(new) - (end - start)
            elif start < place:  # inside what was exchanged
                return start + shift + (len(new) if is_end else 0)
        return place + shift

    if words is None:
        return changed, None
    return changed, [
        {**word, "start": moved(word["start"], is_end=False), "end": moved(word["end"], is_end=True)} for word in words
    ]


def _with_articles(text: str, edits: Edits) -> Edits:
    """The same edits, and the article before each made to agree."""
    more: Edits = []
    for start, _, new in edits:
        article = _ARTICLE.search(text, 0, start)
        if article:
            agreeing = article[1] + ("n" if _VOWEL_SOUND.match(new) else "")
            more.append((article.start(), start - 1, agreeing))
    return edits + more


@cache
def _listed() -> dict[str, Any]:
    file = resources.files("loadedwords.training") / "exchange_words.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def _any_of(choices: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(choices, key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")


@cache
def _names() -> re.Pattern[str]:
    first = "|".join(map(re.escape, _listed()["person"]["first"]))
    return re.compile(rf"(?<![\w-])(?:{first}) (?:[A-Z]\. )?(?:[A-Z]['’])?[A-Z][a-z]+(?:[A-Z][a-z]+)?(?![\w-])")


@cache
def _genders() -> tuple[dict[str, str], re.Pattern[str]]:
    other: dict[str, str] = {}
    for pair in _listed()["gender"]["pairs"]:
        for one, another in (pair, pair[::-1]):
            other[one] = another
            other[one[:1].upper() + one[1:]] = another[:1].upper() + another[1:]
    other |= {"Mrs.": "Mr.", "Miss": "Mr.", "his": "her", "His": "Her", "him": "her"}  # what "her" is, depends
    forms = "|".join(sorted(map(re.escape, [*other, "her", "Her"]), key=len, reverse=True))
    return other, re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])")


def _by_list(kind: str) -> Callable[[str, random.Random], Edits]:
    """Exchange of the words of one kind: all of the same list that the sentence holds, each for another of the list."""

    def edits(text: str, rng: random.Random) -> Edits:
        for choices in _listed()[kind].values():
            matches = list(_any_of(tuple(choices)).finditer(text))
            if matches:
                found = sorted({match[0] for match in matches})
                free = [word for word in choices if word not in found]
                drawn = dict(zip(found, rng.sample(free, min(len(found), len(free))), strict=False))
                return [(*match.span(), drawn[match[0]]) for match in matches if match[0] in drawn]
        return []

    return edits


def _person(text: str, rng: random.Random) -> Edits:
    """Names: a first name and what follows, and the surname wherever it stands alone after that."""
    match = _names().search(text)
    if match is None:
        return []
    listed = _listed()["person"]
    first, last = rng.choice(listed["first"]), rng.choice(listed["last"])
    alone = re.compile(rf"(?<![\w-]){re.escape(match[0].split()[-1])}(?![\w-])")
    return [(*match.span(), f"{first} {last}")] + [
        (*again.span(), last)
        for again in alone.finditer(text)
        if again.end() <= match.start() or again.start() >= match.end()
    ]


def _gender(text: str, rng: random.Random) -> Edits:  # noqa: ARG001  as the others are called
    other, pattern = _genders()
    possessive = {match.start() for match in _HER_OF.finditer(text)}

    def another(match: re.Match[str]) -> str:
        word = match[0]
        if word in ("her", "Her"):
            own = "his" if match.start() in possessive else "him"
            return own if word == "her" else own.capitalize()
        return other[word]

    return [(*match.span(), another(match)) for match in pattern.finditer(text)]


_LISTED = ("party", "politician", "nationality", "religion", "group", "occupation", "place", "study")
_EXCHANGES: dict[str, Callable[[str, random.Random], Edits]] = {
    "person": _person,
    "gender": _gender,
    **{kind: _by_list(kind) for kind in _LISTED},
}
KINDS = tuple(_EXCHANGES)
