"""What a strong word is left alone for: it stands in a work's title, a court's words, a report of a match or a group's name.

These rules speak of the linter's findings alone; no score knows of them. Each needs its ground in the sentence, or, for
sport, in the story.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from loadedwords.lint.plainer import is_title_cased
from loadedwords.lint.word_lists import items, read_lists
from loadedwords.text.words import FUNCTION_WORDS

TITLE = "part of a work's title"
COURT = "what a court or a charge says, which the sentence names"
SPORT = "a word of contest in a report on sport"
GROUP = "a name, or what a group calls itself"

_CAPITAL = r"[A-ZÀ-Þ0-9][\w’'.‐‑-]*"
_JOIN = r"(?:(?:of|and|in|to|for|on|with|at|from|by|or|as|is|my|your|de|la|&|vs?\.?) (?:the |an? )?)"
# "Brutal Hearts", "The Art of War: A Life"; a comma ends it.
_RUN = re.compile(rf"{_CAPITAL}(?:[:!?]? {_JOIN}?{_CAPITAL})*[!?]?")
_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|(?<!\w)‘([^‘]+?)’(?!\w)|(?<!\w)'([^']+?)'(?!\w)|«([^«»]+)»")
_EMPHASIS = re.compile(r"(?<![\w*])\*{1,3}(?![\s*])([^*\n]+)(?<!\s)\*{1,3}(?![\w*])|(?<!\w)_{1,2}([^_\n]+)_{1,2}(?!\w)")
_TAG = re.compile(r"<(/?)(?:em|i|cite)\b[^>]*>", re.IGNORECASE)
_SCORE = re.compile(r"(?<![\w.,-])\d{1,3} ?[-–] ?\d{1,3}(?![\w%-])|\b(?:one|two|three|four|five|six|seven)-(?:nil|one|two|three|four)\b|\bnil-nil\b")  # fmt: skip
# What somebody was convicted of or is charged with, to the end of the clause.
_VERDICT = re.compile(
    r"\b(?:(?:convicted|guilty|acquitted|cleared) of|(?:pleaded|pled|pleading) \w+ to|guilty pleas? to|indicted (?:on|for)"
    r"|(?<!in )charged with|(?:sentenced|jailed|imprisoned|fined|arraigned)\b[^.;,:]* (?:for|on|over)|(?:charges?|counts?|convictions?|accusations?) (?:of|for))"
    r" [^.;,:]*$",
    re.IGNORECASE,
)
_LONE_CAPITAL = re.compile(_CAPITAL)
# From so many it is sport that a sentence speaks of, and a story.
_POINTS_OF_SPORT, _POINTS_OF_A_REPORT = 3, 15


def why_left_alone(sentence: str, start: int, end: int, *, source: str, at: int, sporting: bool) -> str | None:
    """Why a strong word, ``sentence[start:end]``, is left alone, or None.

    `source` is the file, where tags show emphasis, and `at` where the word starts in it; `sporting` says whether the
    story is a report on sport (`is_on_sport`).
    """
    if _is_of_a_title(sentence, start, end, source, at):
        return TITLE
    if _is_a_courts(sentence, start, end):
        return COURT
    if _is_of_contest(sentence, start, end, sporting=sporting):
        return SPORT
    if _is_of_a_group(sentence, start, end):
        return GROUP
    return None


def is_on_sport(story: str) -> bool:
    """Whether a story has many words of sport, some of which nothing else has."""
    n_sure = len({match[0].lower() for match in _words("sport", "sure").finditer(story)})
    return n_sure >= 2 and _sporting_points(story) >= _POINTS_OF_A_REPORT


def _is_of_a_title(sentence: str, start: int, end: int, source: str, at: int) -> bool:
    signed = bool(_words("works", "signs").search(sentence))
    headline = is_title_cased(sentence)
    inside = [*_around(_QUOTED, sentence, start, end), *_around(_EMPHASIS, sentence, start, end)]
    if not inside and "<" in source and (emphasised := _emphasised(source, at)):
        low = sentence.find(emphasised)
        inside = [(low, low + len(emphasised))] if 0 <= low <= start and end <= low + len(emphasised) else []
    for low, high in inside:
        title = sentence[low:high].strip(" ,.;*_")
        if not title[:1].isupper():
            continue
        before = sentence[:low].rstrip(" \"“‘'«*_,:")
        named = _ends_with_work(before)
        n_words = len(title.split())
        if named or (_is_cased(title) and (signed or (n_words > 2 and not headline))):
            return True
    run = _run_around(sentence, start, end)
    if run is None or headline:
        return False
    opens = not any(c.isalnum() for c in sentence[: run[0]])
    n_capitals = len([word for word in sentence[slice(*run)].split() if word[:1].isupper()])
    near = _ends_with_work(re.sub(r"(?:[ ,]+[\w’'-]+){0,2}$", "", sentence[: run[0]]), sentence[: run[0]].rstrip(" ,"))
    # A name of one word needs its noun beside it; "brutal" that opens a sentence has its capital from there.
    return (near and not opens) or (signed and n_capitals > 1)


def _ends_with_work(*texts: str) -> bool:
    return any(_ending("works", "nouns").search(text) or re.search(r"\b(?:en)?titled$", text) for text in texts)


def _is_cased(title: str) -> bool:
    """Whether all words have their capital but those that only hold the others together."""
    words = [word for word in re.findall(r"[^\W_][\w’'-]*", title) if word.lower() not in FUNCTION_WORDS]
    return bool(words) and all(word[0].isupper() or word[0].isdigit() for word in words)


def _emphasised(source: str, at: int) -> str | None:
    """What stands between the tags of emphasis around a place."""
    opened = None
    for tag in _TAG.finditer(source, max(0, at - 300), at):
        opened = None if tag[1] else tag
    if opened is None or (closing := _TAG.search(source, at)) is None or not closing[1]:
        return None
    return source[opened.end() : closing.start()]


def _is_a_courts(sentence: str, start: int, end: int) -> bool:
    head, tail = sentence[:start], sentence[end:]
    before, after, by_document = _court_patterns()
    verdict = _VERDICT.search(head)
    return bool(verdict or before.search(head) or after.search(tail) or by_document.search(head))


@cache
def _court_patterns() -> tuple[re.Pattern[str], ...]:
    """A court or a charge that says what follows; that is named after what it said; that is named with "according to"."""
    who, says = rf"(?:{_listed('courts', 'who')})", rf"(?:{_listed('courts', 'says')})"
    in_between = r"(?:, [^,;:.]{1,40},)?(?: [^.;:,]{0,40}?)?"
    article = r"(?:the|a|an|his|her|their|its|one|federal|district)"
    return tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"\b{who}(?! department\b)\b{in_between} {says}\b(?! (?:against|for|in favou?r|on|over|with)\b)",
            rf"^[^.;:?!]*,[”\"’']? (?:{article} (?:[\w-]+ ){{0,2}}{who}\b{in_between} {says}\b|{says} {article} (?:[\w-]+ ){{0,2}}{who}\b"
            rf"|according to (?:{article} )?(?:[\w-]+ ){{0,2}}{who}\b|{who} {says}\b)",
            rf"\baccording to (?:{article} )?(?:[\w-]+ ){{0,2}}{who}\b",
        )
    )


def _is_of_contest(sentence: str, start: int, end: int, *, sporting: bool) -> bool:
    rest = f"{sentence[:start]} … {sentence[end:]}"
    if not _words("sport", "contest").search(sentence, start, end) or _words("sport", "politics").search(rest):
        return False
    return _sporting_points(sentence) + 2 * sporting >= _POINTS_OF_SPORT


def _sporting_points(text: str) -> int:
    return (2 if _SCORE.search(text) else 0) + sum(
        worth * len({match[0].lower() for match in _words("sport", name).finditer(text)})
        for name, worth in (("sure", 3), ("signs", 2), ("weak", 1))
    )


def _is_of_a_group(sentence: str, start: int, end: int) -> bool:
    word = sentence[start:end]
    if _whole("groups", "creeds").fullmatch(word.strip("*_ ")):
        rest = f"{sentence[:start]} … {sentence[end:]}"
        if _words("groups", "grounds").search(rest):
            return True
    if is_title_cased(sentence):
        return False
    run = _run_around(sentence, start, end)
    if run is None:
        return False
    names = [name for name in _LONE_CAPITAL.findall(sentence[slice(*run)]) if name.lower() not in FUNCTION_WORDS]
    camps = set(_items("groups", "never"))
    if not names or all(name.isupper() and len(name) > 3 for name in names) or camps & set(names):
        return False
    opens = not any(c.isalnum() for c in sentence[: run[0]])
    if len(names) > 1:
        a_body = any(name in set(_items("groups", "bodies")) for name in names[1:])
        a_plural = re.search(r"\bthe $", sentence[: run[0]], re.I) or sentence[slice(*run)].startswith("The ")
        if a_body or (a_plural and names[-1].endswith("s") and not names[-1].endswith("ss")):
            return True
    before = sentence[: run[0]].rstrip()
    called = _ending("groups", "nouns").search(re.sub(r"\b(?:the|called|named|known as|,)$", "", before).rstrip(" ,"))
    after = re.match(rf"(?:,? (?:the|a|an) (?:[\w-]+ ){{0,3}}| )(?:{_listed('groups', 'nouns')})\b", sentence[run[1] :])
    return bool(not opens and (called or after))


def _run_around(sentence: str, start: int, end: int) -> tuple[int, int] | None:
    """The capitalised words that take in most of a word or phrase."""
    for run in _RUN.finditer(sentence):
        if 2 * (min(end, run.end()) - max(start, run.start())) > end - start:
            return run.span()
    return None


def _around(pattern: re.Pattern[str], sentence: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where what a pattern captures, or all of it, takes in the word."""
    for match in pattern.finditer(sentence):
        low, high = match.span(match.lastindex or 0)
        if low <= start and end <= high:
            yield low, high


@cache
def _items(part: str, name: str) -> tuple[str, ...]:
    return items(read_lists("left_alone.toml")[part][name])


@cache
def _listed(part: str, name: str) -> str:
    return "|".join(
        re.escape(item).replace(r"\*", r"\w*") for item in sorted(_items(part, name), key=len, reverse=True)
    )


@cache
def _words(part: str, name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{_listed(part, name)})(?![\w-])", re.IGNORECASE)


@cache
def _ending(part: str, name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{_listed(part, name)})$", re.IGNORECASE)


@cache
def _whole(part: str, name: str) -> re.Pattern[str]:
    return re.compile(_listed(part, name), re.IGNORECASE)
