"""The lexicon of loaded words and their plain ones, and how either is inflected."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from loadedwords.lint.word_lists import items, read_lists

# A word as the lexicon has it: a possessive's "'s" stands outside it.
TOKEN = re.compile(r"(?<!\w['’])\w+(?:[-‑]\w+)*(?:['’](?!s\b)\w+)?")


@dataclass(frozen=True)
class Sense:
    """What one form of a loaded word is: its word class and form, and its plain words as lemmas."""

    part: str
    form: str
    plain: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Every form of every loaded word of `plainer.toml`, and how plain words are inflected."""

    senses: Mapping[str, tuple[Sense, ...]]
    left_alone: frozenset[str]
    verbs: Mapping[str, tuple[str, ...]]
    doubled: frozenset[str]
    plurals: Mapping[str, str]
    intransitive: frozenset[str]
    either: frozenset[str]
    mass: frozenset[str]
    plural_only: frozenset[str]
    longest: int

    def inflect(self, words: str, part: str, form: str) -> str:
        if part in ("verb", "saying"):
            head, _, rest = words.partition(" ")
            return " ".join(filter(None, [_verb_forms(head, self.verbs, self.doubled)[form], rest]))
        if form == "plural" and words not in self.mass | self.plural_only:
            return _plural(words, self.plurals)
        return words


@cache
def read_lexicon() -> Lexicon:
    """The lexicon of `plainer.toml`."""
    table = read_lists("plainer.toml")
    rules = table["words"]
    verbs = {row[0]: tuple(row) for row in map(str.split, items(rules["irregular_verbs"]))}
    doubled = frozenset(items(rules["doubled"]))
    plurals = dict(_halves(row) for row in items(rules["irregular_plurals"]))
    senses: dict[str, list[Sense]] = defaultdict(list)
    for part in ("phrase", "verb", "saying", "noun", "adjective", "adverb"):
        for loaded, plain in table[part].items():
            for word in items(loaded):
                for form, inflected in _forms(word, part, verbs, doubled, plurals):
                    senses[_key(inflected)].append(Sense(part, form, items(plain)))
    idioms = [
        inflected
        for part in ("verb", "noun")
        for word in items(table["leave"][part])
        for _, inflected in _forms(word, part, verbs, doubled, plurals)
    ]
    return Lexicon(
        {key: tuple(dict.fromkeys(found)) for key, found in senses.items()},
        frozenset(map(_key, idioms)),
        verbs,
        doubled,
        plurals,
        frozenset(items(rules["intransitive"])),
        frozenset(items(rules["either"])),
        frozenset(items(rules["mass"])),
        frozenset(items(rules["plural"])),
        max(key.count(" ") + 1 for key in senses),
    )


def _halves(row: str) -> tuple[str, str]:
    words = row.split()
    return " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])


def _key(words: str) -> str:
    return " ".join(token[0].lower() for token in TOKEN.finditer(words))


def _forms(
    word: str, part: str, verbs: Mapping[str, tuple[str, ...]], doubled: frozenset[str], plurals: Mapping[str, str]
) -> Iterable[tuple[str, str]]:
    if part in ("verb", "saying"):
        head, _, rest = word.partition(" ")
        for form, inflected in _verb_forms(head, verbs, doubled).items():
            if form != "participle" or inflected != _verb_forms(head, verbs, doubled)["past"]:
                yield form, f"{inflected} {rest}".strip()
    elif part == "noun":
        yield "singular", word
        yield "plural", _plural(word, plurals)
    else:
        yield "", word


def _verb_forms(verb: str, irregular: Mapping[str, tuple[str, ...]], doubled: frozenset[str]) -> dict[str, str]:
    one_syllable = re.fullmatch(r"(?:[^aeiou]*|[^aeiou]*qu)[aeiou][bdfgklmnprtvz]", verb)
    stem = verb + verb[-1] if one_syllable or verb in doubled else verb
    ing = verb[:-1] if re.search(r"[^eioy]e$", verb) else stem
    past = verb + "d" if verb.endswith("e") else re.sub(r"([^aeiou])y$", r"\1i", stem) + "ed"
    _, past, participle = irregular.get(verb, (verb, past, past))
    return {
        "base": verb,
        "s": _with_s(re.sub(r"([^aeiou]o)$", r"\1e", verb)),
        "ing": ing + "ing",
        "past": past,
        "participle": participle,
    }


def _plural(noun: str, irregular: Mapping[str, str]) -> str:
    if noun in irregular:
        return irregular[noun]
    link = re.search(r" (?:of|for|on|against|in|to|affected|blamed)\b", noun)
    head, rest = (noun[: link.start()], noun[link.start() :]) if link else (noun, "")
    first, space, last = head.rpartition(" ")
    return first + space + irregular.get(last, _with_s(last)) + rest


def _with_s(word: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    return re.sub(r"([^aeiou])y$", r"\1ie", word) + "s"
