"""Where quotation marks open and close, paragraph by paragraph, so that a lost one never swallows an article."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from loadedwords.text.stretches import Bounds, stripped

# An unclosed quotation goes on to the end of its paragraph if that is so near, else of its sentence.
_NEAR = 400
# Nobody's speech in one pair of marks is longer: a mark was lost.
LONGEST = 1500
# Apostrophes that may close one quotation in single marks.
_CLOSERS_LOOKED_AT = 12
# Paragraphs that one pair of marks may hold without a new opening mark.
_PARAGRAPHS_BETWEEN = 3

_MARK = re.compile("\"\"|``|''|’’|‘‘|[\"″＂“”„‟«»‹›‘’‚']")
_STRAIGHT = {"″": '"', "＂": '"'}
_CLOSER = {
    "“": ("”", '"', "’’", "''"), "”": ("”",), "„": ("“", "”", '"'), "‟": ("”",), "«": ("»",), "»": ("»", "«"), "‹": ("›",), "›": ("›", "‹"),
    '"': ('"', '""', "”", "’’", "''"), '""': ('""', '"'), "``": ("''", "’’", '"'), "‘‘": ("’’", "''"), "''": ("''",),
}  # fmt: skip
# These say themselves that they open, even before a blank.
_DIRECTED = frozenset("“„«‹") | {"``", "‘‘"}
_SINGLE = {"‘": "’", "'": "'", "‚": "‘’"}
_MEASURE = re.compile(r"\d[’'′]\d{1,2}$")  # 6'2" tall
_ELIDED = re.compile(r"(?:\d0s?\b|(?:em|tis|twas|til|till|cause|bout|round|n|cos|ere)\b)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"”’')\]]*(?=\s|$)")


@dataclass(frozen=True)
class Marked:
    """Words between marks before it is known whose they are.

    Attributes
    ----------
    start, end : int
        Offsets of the words.
    mark, behind : int
        Where the opening mark starts, and where the closing one ends.
    goes_on : bool
        Whether the next paragraph opens again.
    """

    start: int
    end: int
    mark: int
    behind: int
    goes_on: bool = False


def marked_in(text: str, begin: int, bounds: Bounds, number: int) -> list[Marked]:
    """What stands between marks in one paragraph; the last may end in a later one."""
    end = bounds[number][1]
    found: list[Marked] = []
    opener, mark_at, opened = "", 0, 0
    skip = begin
    for match in _MARK.finditer(text, begin, end):
        mark, at, after = _STRAIGHT.get(match[0], match[0]), match.start(), match.end()
        if at < skip or (mark == '"' and _MEASURE.search(text, max(begin, at - 5), at)):
            continue
        if opener:
            if mark in _CLOSER[opener] and not _only_opens(text, at, after, opened):
                found.append(Marked(opened, at, mark_at, after))
                # “…job.""But…”: one closed and one opened, with nothing between them.
                opener = '"' if mark == '""' != opener and text[after : after + 1].isalnum() else ""
                mark_at, opened = at + 1, after
            elif mark == opener and _only_opens(text, at, after, opened):
                inner = _inner_end(text, mark, after, end)
                if inner is not None:
                    skip = inner
                else:  # the one before was never closed
                    stop = sentence_end(text, opened, at)
                    found.append(Marked(opened, stop, mark_at, stop))
                    mark_at, opened = at, after
            elif mark == opener:  # “set with the wrong mark“
                found.append(Marked(opened, at, mark_at, after))
                opener = ""
        elif mark in _SINGLE and _opens(text, at, after, end) and not _ELIDED.match(text, after):
            close = _single_close(text, mark, after, end)
            if close is not None:
                found.append(Marked(after, close, at, close + 1))
                skip = close + 1
            elif mark == "‘" and _opens_again(text, bounds, number, mark):
                found.append(Marked(after, end, at, end, goes_on=True))
                skip = end
        elif mark in _CLOSER and _may_open(text, mark, at, after, bounds, number):
            opener, mark_at, opened = mark, at, after
    if opener:
        found.append(_unclosed(text, opener, mark_at, opened, bounds, number))
    return [
        Marked(start, stop, item.mark, item.behind, item.goes_on)
        for item in found
        for start, stop in [stripped(text, item.start, item.end)]
        if start < stop
    ]


def _inner_end(text: str, mark: str, after: int, end: int) -> int | None:
    """Where a quotation ends that opened within another in the same marks, if behind it the outer one closes as well."""
    open_now, inner = 2, None
    for match in _MARK.finditer(text, after, min(end, after + LONGEST)):
        if match[0] == mark and (mark in _DIRECTED or _only_opens(text, match.start(), match.end(), after)):
            open_now += 1
        elif match[0] in _CLOSER[mark] and _closes(text, match.start(), match.end(), end):
            open_now -= 1
            inner = inner or (match.end() if open_now == 1 else None)
            if open_now == 0:
                return inner
    return None


def _unclosed(text: str, opener: str, mark_at: int, opened: int, bounds: Bounds, number: int) -> Marked:
    end = bounds[number][1]
    if _opens_again(text, bounds, number, opener):
        return Marked(opened, end, mark_at, end, goes_on=True)
    for later_start, later_end in bounds[number + 1 : number + 1 + _PARAGRAPHS_BETWEEN]:
        mark = next((m for m in _MARK.finditer(text, later_start, later_end) if m[0] in _CLOSER or m[0] in "”»"), None)
        if mark is not None:
            closing = mark[0] in _CLOSER[opener] and _closes(text, mark.start(), mark.end(), later_end)
            if closing and mark.start() - opened <= LONGEST and not _opens(text, mark.start(), mark.end(), later_end):
                return Marked(opened, mark.start(), mark_at, mark.end())
            break
    stop = end if end - opened <= _NEAR else sentence_end(text, opened, end)
    return Marked(opened, stop, mark_at, stop)


def _opens_again(text: str, bounds: Bounds, number: int, opener: str) -> bool:
    return number + 1 < len(bounds) and text.startswith(opener, bounds[number + 1][0])


def _opens(text: str, at: int, after: int, end: int) -> bool:
    """Whether a mark may open: something follows it, and no word touches it on the left."""
    before = text[at - 1] if at else " "
    following = text[after] if after < end else " "
    return not following.isspace() and not before.isalnum() and before not in ".,!?;%)"


def _may_open(text: str, mark: str, at: int, after: int, bounds: Bounds, number: int) -> bool:
    end = bounds[number][1]
    if mark in "»›”" and not any(text.find(closer, after, end) >= 0 for closer in _CLOSER[mark]):
        return False  # the arrow of a link, or what closes a quotation whose first mark was lost
    # Nothing but the blank before it is missing: said the mayor.“It
    glued = mark in _DIRECTED and text[at - 1 : at] in (".", "!", "?") and text[after : after + 1].isalpha()
    return glued or _opens(text, at, after, end) or _opens_before_blank(text, mark, at, after, bounds, number)


def _opens_before_blank(text: str, mark: str, at: int, after: int, bounds: Bounds, number: int) -> bool:
    """Whether a mark with a blank on both sides opens (“ like this ”).

    One that closes comes before another that opens; or none comes, and the next paragraph opens again.
    """
    end = bounds[number][1]
    if (at and not text[at - 1].isspace() and text[at - 1] not in "([") or not (after < end and text[after].isspace()):
        return False
    if mark not in _DIRECTED and mark != '"':
        return False
    following = _MARK.finditer(text, after, min(end, after + LONGEST))
    closer = next((m for m in following if m[0] == mark or m[0] in _CLOSER[mark]), None)
    if closer is None:
        return _opens_again(text, bounds, number, mark)
    return closer[0] in _CLOSER[mark] and (mark != '"' or not _only_opens(text, closer.start(), closer.end(), after))


def _closes(text: str, at: int, after: int, end: int) -> bool:
    """Whether a mark may close: something stands before it, and no word begins right behind it."""
    return at > 0 and not text[at - 1].isspace() and not (after < end and text[after].isalnum())


def _only_opens(text: str, at: int, after: int, opened: int) -> bool:
    """Whether a mark that could close can't: a blank before it and a word right behind it."""
    return at > opened and text[at - 1].isspace() and after < len(text) and text[after].isalnum()


def _single_close(text: str, mark: str, opened: int, end: int) -> int | None:
    """Where a single mark closes that is also the apostrophe."""
    closers = (
        match.start()
        for match in re.compile(f"[{_SINGLE[mark]}]").finditer(text, opened, min(end, opened + LONGEST))
        if _closes(text, match.start(), match.end(), end)
    )
    possible = list(islice(closers, _CLOSERS_LOOKED_AT))
    for at in possible:
        # "the workers’ union": a plural's apostrophe, if the quotation is closed behind it.
        plural = text[at - 1] in "sS" and re.match(r"\s[a-z]", text[at + 1 : at + 3])
        if not plural or not any(text[later - 1] in ",.!?…" for later in possible if later > at):
            return at
    return possible[-1] if possible else None


def sentence_end(text: str, start: int, end: int) -> int:
    match = _SENTENCE_END.search(text, start, end)
    return match.end() if match else end


def sentence_start(text: str, start: int, at: int) -> int:
    last = start
    for match in _SENTENCE_END.finditer(text, start, max(start, at - 1)):
        last = match.end()
    return last
