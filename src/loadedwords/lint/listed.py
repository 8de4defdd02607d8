"""Stock wording that stands in a list by hand: euphemisms, passives that hide who acted, and a few that belittle or hint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from loadedwords.house import HIDDEN_AGENT, Severity
from loadedwords.lint.plainer import Replacement, article_for, is_title_cased
from loadedwords.lint.reasons import reason_for
from loadedwords.lint.word_lists import items, read_lists

_AUXILIARY = (
    r"(?:was|were|(?:has|have|had) been|(?:is|are|was|were) being|(?:may|might|could|must|should|to) have been)"
)
# "Shots in the north were then fired": where, and how or when.
_BETWEEN = r"(?: (?:in|at|of|from|near|across|on|along|around|against)(?: [\w’'-]+){1,4}?)?"
_ADVERB = r"(?: (?:\w+ly|then|also|later|never|not|all|both|again|still|once|first))*"
# A word that is spoken of is not used.
_SPOKEN_OF = re.compile(
    r"(?:so-called|euphemis\w+|terms?|phrases?|words?|known as|referred to as|dubbed|termed|calls? (?:it|this|them)|called)"
    r"(?: \w+){0,2}[ “\"‘']*$",
    re.IGNORECASE,
)
_BY = re.compile(r"\bby\b")
_MARKS = tuple("\"'“”‘’«»")
_SINGULAR_VERB = re.compile(r" (?:is|was|has|isn['’]t|wasn['’]t)\b")


@dataclass(frozen=True)
class Listed:
    """A piece of a sentence that is in the list, ``sentence[start:end]``, and what the list says of it."""

    start: int
    end: int
    kind: str
    severity: Severity
    reason: str
    plainer: tuple[Replacement, ...] = ()


@dataclass(frozen=True)
class _Entry:
    kind: str
    severity: Severity
    reason: str
    plain: tuple[str, ...] = ()
    named: bool = True  # of a passive: whether a sentence may name who did it elsewhere
    of_anything: bool = False  # of a passive: the word before it is no part, which may not be the one that it speaks of


class _Patterns:
    """Many patterns in one, which is searched in small letters and without groups: anything else takes ten times as long."""

    def __init__(self, entries: Iterable[tuple[str, _Entry]]) -> None:
        spaced = [(pattern.replace(" ", r"\s+"), entry) for pattern, entry in entries]
        self._one = re.compile(rf"(?<![\w-])(?:{'|'.join(pattern for pattern, _ in spaced)})(?![\w-])")
        self._entries = [(re.compile(rf"(?:{pattern})(?![\w-])"), entry) for pattern, entry in spaced]

    def finditer(self, sentence: str) -> Iterator[tuple[re.Match[str], _Entry]]:
        small = sentence.lower()
        if len(small) != len(sentence):  # a letter that has no small one of its own
            small = sentence
        for found in self._one.finditer(small):
            matches = ((pattern.match(small, found.start()), entry) for pattern, entry in self._entries)
            yield next((match, entry) for match, entry in matches if match and match.end() == found.end())


def listed_in(sentence: str) -> list[Listed]:
    """What of a sentence is in the list, in order; of two that overlap, the one that starts first.

    Examples
    --------
    >>> [(found.kind, found.start, found.end) for found in listed_in("Shots were fired.")]
    [('hidden-agent', 0, 16)]
    """
    found = sorted([*_wordings(sentence), *_passives(sentence)], key=lambda each: (each.start, -each.end))
    kept: list[Listed] = []
    for each in found:
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def _wordings(sentence: str) -> Iterator[Listed]:
    for match, entry in _read_wordings().finditer(sentence):
        if not _is_a_name(sentence, match) and not _is_spoken_of(sentence, match):
            plainer = (_put(sentence, match, plain) for plain in entry.plain)
            yield Listed(*match.span(), entry.kind, entry.severity, entry.reason, tuple(filter(None, plainer)))


def _passives(sentence: str) -> Iterator[Listed]:
    for match, entry in _read_passives().finditer(sentence):
        hidden = not _BY.search(sentence, match.end()) and (entry.named or not _read_unnamed().search(sentence))
        if hidden and not _is_a_name(sentence, match):
            start = match.end() - len(match[0].split(maxsplit=1)[1]) if entry.of_anything else match.start()
            yield Listed(start, match.end(), entry.kind, entry.severity, entry.reason)


def _is_a_name(sentence: str, match: re.Match[str]) -> bool:
    """Whether it has capitals that the start of a sentence or a title do not explain."""
    opens = not any(c.isalnum() for c in sentence[: match.start()])
    start = match.start() + opens
    small = sentence[start : match.end()]
    return small != small.lower() and not is_title_cased(sentence)


def _is_spoken_of(sentence: str, match: re.Match[str]) -> bool:
    before, after = sentence[: match.start()], sentence[match.end() :]
    return bool(_SPOKEN_OF.search(before)) or (before.endswith(_MARKS) and after.startswith(_MARKS))


def _put(sentence: str, match: re.Match[str], plain: str) -> Replacement | None:
    """The plain wording in the place of the listed one and of its article; None where it differs in number."""
    start, end = match.span()
    article = re.search(r"\b(an?) $", sentence[:start], re.IGNORECASE)
    many = re.split(r" (?:to|of|in|from) ", plain)[0].endswith("s")
    if many and (article or _SINGULAR_VERB.match(sentence, end)):
        return None
    if match[0].endswith("s") and not many:
        return None
    if article:
        start, plain = article.start(), f"{article_for(plain)} {plain}"
    capital = sentence[start].isupper()
    return Replacement(start, end, plain[0].upper() + plain[1:] if capital else plain)


@cache
def _read_wordings() -> _Patterns:
    return _Patterns(
        (wording, _Entry(group["kind"], group["severity"], group["why"], items(plain)))
        for group in read_lists("listed.toml")["wording"]
        for wording, plain in group["words"].items()
    )


@cache
def _read_passives() -> _Patterns:
    entries = []
    for group in read_lists("listed.toml")["passive"]:
        subject = f"{_any_of(group['of'])}{_BETWEEN}" if "of" in group else r"[\w’'-]+"
        passive = f"{subject} {_AUXILIARY}{_ADVERB} {_any_of(group['done'])}{group.get('only', '')}"
        named, of_anything = group.get("named", True), "of" not in group
        entry = _Entry(HIDDEN_AGENT, "note", reason_for(HIDDEN_AGENT), named=named, of_anything=of_anything)
        entries.append((passive, entry))
    return _Patterns(entries)


@cache
def _read_unnamed() -> re.Pattern[str]:
    unnamed = "|".join(item for words in read_lists("listed.toml")["unnamed"].values() for item in items(words))
    return re.compile(rf"(?<![\w-])(?:{unnamed})(?![\w-])", re.IGNORECASE)


def _any_of(listed: str) -> str:
    """Longer ones first, so that all of "shot dead" is taken."""
    return f"(?:{'|'.join(sorted(items(listed), key=len, reverse=True))})"
