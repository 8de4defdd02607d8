"""A second version of a sentence: another name, party, nationality, religion, group, occupation, place or gender in it.

A reader would call both as loaded as each other, so training draws their scores together (counterfactual logit pairing:
Garg et al. 2019).
"""

from __future__ import annotations

import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from loadedwords.models.contrast import VOWEL_SOUND

_HER_OF = re.compile(r"[Hh]er(?= [a-z])(?! (?:to|and|in|on|at|for|of|with|that|as|by|from|the|a|an|if|when|but|or)\b)")


@dataclass(frozen=True)
class Exchanged:
    """A sentence, its second version, and the kind of thing that differs."""

    text: str
    version: str
    kind: str


def make_exchanges(texts: Sequence[str], n: int, *, seed: int = 0) -> list[Exchanged]:
    """Make second versions of sentences, every kind as often as the others where there is enough of it.

    Parameters
    ----------
    texts : sequence of str
    n : int
        How many; fewer if not enough sentences hold something to exchange. Each sentence is used once.
    seed : int

    Returns
    -------
    list of Exchanged
        In the order of the sentences.
    """
    rng = random.Random(seed)
    possible: dict[str, list[int]] = defaultdict(list)
    for at, text in enumerate(texts):
        for kind in KINDS:
            if _EXCHANGES[kind](text, random.Random(seed)) is not None:
                possible[kind].append(at)
    for of in possible.values():
        rng.shuffle(of)
    chosen: dict[int, str] = {}
    while len(chosen) < n and any(possible.values()):
        for kind in KINDS:
            while possible[kind] and possible[kind][-1] in chosen:
                possible[kind].pop()
            if possible[kind] and len(chosen) < n:
                chosen[possible[kind].pop()] = kind
    made = []
    for at in sorted(chosen):
        version = _EXCHANGES[chosen[at]](texts[at], rng)
        if version is not None and version != texts[at]:  # the same name may be drawn again
            made.append(Exchanged(texts[at], version, chosen[at]))
    return made


@cache
def _words() -> dict[str, Any]:
    file = resources.files("loadedwords.models") / "exchange_words.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def _any_of(choices: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(choices, key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")


@cache
def _names() -> re.Pattern[str]:
    first = "|".join(map(re.escape, _words()["person"]["first"]))
    return re.compile(rf"(?<![\w-])(?:{first}) (?:[A-Z]\. )?(?:[A-Z]['’])?[A-Z][a-z]+(?:[A-Z][a-z]+)?(?![\w-])")


@cache
def _genders() -> tuple[dict[str, str], re.Pattern[str]]:
    other: dict[str, str] = {}
    for pair in _words()["gender"]["pairs"]:
        for one, another in (pair, pair[::-1]):
            other[one] = another
            other[one[:1].upper() + one[1:]] = another[:1].upper() + another[1:]
    other["Mrs."] = other["Miss"] = "Mr."
    forms = "|".join(sorted(map(re.escape, [*other, "his", "His", "him", "her", "Her"]), key=len, reverse=True))
    return other, re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])")


def _by_list(kind: str) -> Callable[[str, random.Random], str | None]:
    """Exchange of the words of one kind: all of the same list that the sentence holds, each for another of the list."""

    def exchange(text: str, rng: random.Random) -> str | None:
        for choices in _words()[kind].values():
            pattern = _any_of(tuple(choices))
            found = {match[0] for match in pattern.finditer(text)}
            if found:
                free = [word for word in choices if word not in found]
                drawn = dict(zip(sorted(found), rng.sample(free, min(len(found), len(free))), strict=False))
                return _replaced(text, pattern, drawn)
        return None

    return exchange


def _person(text: str, rng: random.Random) -> str | None:
    """Names: a first name and what follows, and the surname wherever it stands alone after that."""
    match = _names().search(text)
    if match is None:
        return None
    words = _words()["person"]
    first, last = rng.choice(words["first"]), rng.choice(words["last"])
    surname = match[0].split()[-1]
    text = text[: match.start()] + f"{first} {last}" + text[match.end() :]
    return re.sub(rf"(?<![\w-]){re.escape(surname)}(?![\w-])", last, text)


def _gender(text: str, rng: random.Random) -> str | None:  # noqa: ARG001  as the others are called
    other, pattern = _genders()
    possessive = {match.start() for match in _HER_OF.finditer(text)}

    def exchanged(match: re.Match[str]) -> str:
        word = match[0]
        if word in ("his", "His", "him"):
            return {"his": "her", "His": "Her", "him": "her"}[word]
        if word in ("her", "Her"):
            mine = match.start() in possessive
            return ("his" if mine else "him") if word == "her" else ("His" if mine else "Him")
        return other[word]

    version = pattern.sub(exchanged, text)
    return version if version != text else None


def _replaced(text: str, pattern: re.Pattern[str], choices: Mapping[str, str]) -> str:
    """Each match replaced, and the article before it made to agree."""
    pieces: list[str] = []
    at = 0
    for match in pattern.finditer(text):
        word = choices.get(match[0], match[0])
        before = text[at : match.start()]
        article = re.search(r"\b([Aa])n? $", before)
        if article:
            before = before[: article.end(1)] + ("n " if VOWEL_SOUND.match(word) else " ")
        pieces += [before, word]
        at = match.end()
    return "".join(pieces) + text[at:]


_LISTED = ("party", "politician", "nationality", "religion", "group", "occupation", "place")
_EXCHANGES: dict[str, Callable[[str, random.Random], str | None]] = {
    "person": _person,
    "gender": _gender,
    **{kind: _by_list(kind) for kind in _LISTED},
}
KINDS = tuple(_EXCHANGES)
