"""Passages of an article that are nobody's reporting; the rules that tell are in `boilerplate.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Literal, get_args

Of = Literal["sentence", "line", "last line"]

_FRAGMENTS = {
    "{NAME}": r"(?:(?-i:[A-Z])[\w.’'-]*+)",
    "{MONTH}": "january|february|march|april|may|june|july|august|september|october|november|december",
    "{UNSAID}": r"(?!.{0,200}\b(?:said|says|told|tells|warn(?:s|ed)|urge[sd]|advise[sd]|asked|begged|wrote)\b)",
    "{AGENCY}": "(?-i:AP|AFP|EPA|UPI|Reuters|REUTERS|Getty|Getty Images|The Christian Science Monitor)",
}
# No rule looks at anything longer: only in galleries so much text is nobody's reporting.
_LONGEST = 600
# From here on an aggregator speaks about itself.
_TAIL = re.compile(r"the original source (?:of|for) this (?:article|story|report)|disclaimer\s*:", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]\n]+)\]\([^()\s]+\)")
# "Photos: The flood  A field.  Hide Caption 1 of 7  Photos: The flood  The dam.  Hide Caption 2 of 7": what stands
# between two numbers of one gallery are captions, if it is no longer than captions are.
_NUMBERED = re.compile(r"\bHide Caption (\d{1,3}) of (\d{1,3})\b")
_LONGEST_CAPTION = 2000


@dataclass(frozen=True)
class Rule:
    """One way to know a passage that is no reporting; see the head of `boilerplate.toml`."""

    reason: str
    words: tuple[str, ...]
    pattern: str
    such_as: tuple[str, ...]
    of: Of = "sentence"


def read_rules() -> tuple[Rule, ...]:
    """The rules of `boilerplate.toml`."""
    table = tomllib.loads((files(__package__) / "boilerplate.toml").read_text(encoding="utf-8"))
    return tuple(
        Rule(reason, _spelt_out(rule["words"]), rule["pattern"], tuple(rule["such_as"]), rule.get("of", "sentence"))
        for reason, rules in table.items()
        for rule in rules
    )


def _spelt_out(words: list[str]) -> tuple[str, ...]:
    return tuple(each for word in words for each in (_FRAGMENTS[word].split("|") if word in _FRAGMENTS else [word]))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when it is first needed: most runs need few of them."""
    for name, fragment in _FRAGMENTS.items():
        pattern = pattern.replace(name, fragment)
    return re.compile(pattern, re.IGNORECASE)


RULES = read_rules()
REASONS = tuple(dict.fromkeys(rule.reason for rule in RULES))
# For each kind of text the words to look for, each with the numbers of the rules that it may lead to.
Leads = dict[Of, tuple[tuple[str, list[int]], ...]]
_LEADS: Leads = {
    of: tuple(
        (word, [number for number, rule in enumerate(RULES) if rule.of == of and word in rule.words])
        for word in dict.fromkeys(word for rule in RULES if rule.of == of for word in rule.words)
    )
    for of in get_args(Of)
}


def leads_in(text: str) -> Leads:
    """Of the words that lead to a rule those that an article holds: all that its sentences need to be searched for."""
    lowered = text.lower()
    return {of: tuple(lead for lead in leads if lead[0] in lowered) for of, leads in _LEADS.items()}


def boilerplate_reason(text: str, of: Of = "sentence", leads: Leads = _LEADS) -> str | None:
    """Why a clean sentence or line is no reporting, one of `REASONS`; None for reporting.

    Some lines are known only as a whole, some only by where they stand: `of` says what the text is. `leads` are those of
    the article it stands in.
    """
    if len(text) > _LONGEST:
        return None
    lowered = text.lower()
    looked_at = [numbers for word, numbers in leads[of] if word in lowered]
    for number in sorted({number for numbers in looked_at for number in numbers}):
        if _compiled(RULES[number].pattern).match(text):
            return RULES[number].reason
    return None


def gallery_captions(text: str) -> Iterator[tuple[int, int]]:
    """The slices of a clean text that hold the captions of a numbered gallery of pictures, in order."""
    numbered = list(_NUMBERED.finditer(text)) if "Hide Caption" in text else []
    for first in numbered[:1]:
        line = text.rfind("\n", 0, first.start()) + 1
        if text.startswith("Photos:", line):
            yield line, first.end()
    for before, after in pairwise(numbered):
        follows = before[2] == after[2] and int(before[1]) + 1 == int(after[1])
        if follows and after.start() - before.end() <= _LONGEST_CAPTION:
            yield before.start(), after.end()


def opens_tail(sentence: str) -> bool:
    """Whether everything after this clean sentence is the publisher speaking about itself."""
    return _TAIL.match(sentence) is not None


def is_tag_line(line: str) -> bool:
    """Whether a line as read, markup included, consists of short links only, as a list of tags does."""
    labels = _LINK.findall(line)
    if len(labels) < 2 or re.search(r"\w", _LINK.sub("", line)):
        return False
    return all(len(label.split()) <= 5 for label in labels)
