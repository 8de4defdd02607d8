"""What a strong word is left alone for: it stands in a work's title, a court's words, a report of a match or a group's name.

These rules speak of the linter's findings alone; no score knows of them. Each needs its ground in the sentence, or, for
sport, in the story.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from loadedwords.lint.plainer import is_title_cased
from loadedwords.text.words import FUNCTION_WORDS

TITLE = "part of a work's title"
COURT = "what a court or a charge says, which the sentence names"
SPORT = "a word of contest in a report on sport"
GROUP = "a group's name, or what it calls itself"

_CAPITAL = r"[A-ZÀ-Þ0-9][\w’'.‐‑-]*"
_JOIN = r"(?:of|the|and|a|an|in|to|for|on|with|at|from|by|or|as|is|my|your|de|la|&|vs?\.?)"
# "Brutal Hearts", "The Art of War: A Life"; a comma ends it.
_RUN = re.compile(rf"{_CAPITAL}(?:[:!?]? (?:{_JOIN} ){{0,3}}{_CAPITAL})*[!?]?")
_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|(?<!\w)‘([^‘]+?)’(?!\w)|(?<!\w)'([^']+?)'(?!\w)|«([^«»]+)»")
_EMPHASIS = re.compile(r"(?<![\w*])\*{1,3}(?![\s*])([^*\n]+)(?<!\s)\*{1,3}(?![\w*])|(?<!\w)_{1,2}([^_\n]+)_{1,2}(?!\w)")
_TAG = re.compile(r"<(/?)(?:em|i|cite)\b[^>]*>", re.IGNORECASE)
_SCORE = re.compile(r"(?<![\w.,-])\d{1,3} ?[-–] ?\d{1,3}(?![\w%-])|\b(?:one|two|three|four|five|six|seven)-(?:nil|one|two|three|four)\b|\bnil-nil\b")  # fmt: skip
_LONE_CAPITAL = re.compile(_CAPITAL)
# Distinct signs of sport in a story from which it counts as a report on sport.
_SPORTING = 6


def why_left_alone(sentence: str, start: int, end: int, *, source: str, at: int, sporting: bool) -> str | None:
    """Why a strong word is left alone, or None.

    Parameters
    ----------
    sentence : str
    start, end : int
        The word: ``sentence[start:end]``.
    source : str
        The file, where tags show emphasis; `at` is where the word starts in it.
    at : int
    sporting : bool
        Whether the story is a report on sport, by `is_on_sport`.
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
    sure = {match[0].lower() for match in _words("sport", "sure").finditer(story)}
    signs = {match[0].lower() for match in _words("sport", "signs").finditer(story)}
    return len(sure) >= 2 and len(sure | signs) + len(_SCORE.findall(story)) >= _SPORTING


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
    run = next(_around(_RUN, sentence, start, end), None)
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
    who, says = _listed("courts", "who"), _listed("courts", "says")
    source = rf"\b(?:{who})\b(?:[^.;:,]{{0,40}}?)? (?:had |has |have )?(?:{says})\b(?! (?:against|for|in favou?r|on|over|with)\b)"
    back = rf",? (?:(?:the|a|an|his|her|their|its|one|federal|district|appeals?|high|supreme) )*(?:{who})(?: [^.;:,]{{0,40}}?)? (?:{says})\b"
    turned = rf", (?:{says}|according to) (?:the|a|an) (?:[\w-]+ ){{0,2}}(?:{who})\b"
    head, tail = sentence[:start], sentence[end:]
    before = re.search(source, head, re.IGNORECASE)
    verdict = re.search(
        r"\b(?:convicted|guilty|acquitted|cleared|accused|indicted|charged|sentenced|jailed|imprisoned|arraigned|tried"
        r"|pleaded|pled|pleading|charges?|counts?|convictions?) (?:\w+ ){0,3}?(?:of|on|to|for|with|in|that)\b[^.;]*$",
        head, re.IGNORECASE,
    )  # fmt: skip
    crime = verdict and not re.search(r"\b(?:who|which|but|while|after|whose|despite)\b", head[verdict.end() - 1 :])
    after = re.search(rf"^[^.;:?!]*{back}|{turned}", tail, re.IGNORECASE)
    by_document = re.search(
        rf"\b(?:according to|in) (?:the|a|an|his|her|court|its) (?:[\w-]+ ){{0,2}}?(?:{who})\b", head, re.I
    )
    in_charge = re.search(rf"\b(?:{who})\b[^.;:,]{{0,25}} that\b", head, re.I)
    return bool(before or crime or after or (by_document and re.match(r"according", by_document[0], re.I)) or in_charge)


def _is_of_contest(sentence: str, start: int, end: int, *, sporting: bool) -> bool:
    if not _words("sport", "contest").search(sentence, start, end):
        return False
    rest = f"{sentence[:start]} … {sentence[end:]}"
    signs = {match[0].lower() for match in _words("sport", "signs").finditer(rest)}
    sure = _words("sport", "sure").search(rest)
    if sporting:
        return bool(signs or sure)
    return bool((sure and signs) or (_SCORE.search(rest) and (sure or len(signs) > 1)) or len(signs) > 3)


def _is_of_a_group(sentence: str, start: int, end: int) -> bool:
    word = sentence[start:end]
    if _whole("groups", "creeds").fullmatch(word.strip("*_ ")):
        rest = f"{sentence[:start]} … {sentence[end:]}"
        if _words("groups", "grounds").search(rest):
            return True
    if is_title_cased(sentence):
        return False
    run = next(_around(_RUN, sentence, start, end), None)
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
    after = re.match(rf",? (?:the|a|an) (?:[\w-]+ ){{0,3}}(?:{_listed('groups', 'nouns')})\b", sentence[run[1] :])
    return bool(not opens and (called or after))


def _around(pattern: re.Pattern[str], sentence: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where what a pattern captures, or all of it, takes in the word."""
    for match in pattern.finditer(sentence):
        low, high = match.span(match.lastindex or 0)
        if low <= start and end <= high:
            yield low, high


@cache
def _read() -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__package__).joinpath("left_alone.toml").read_text(encoding="utf-8"))


@cache
def _items(part: str, name: str) -> tuple[str, ...]:
    return tuple(filter(None, (item.strip() for item in re.split(r"[,\n]", _read()[part][name]))))


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
