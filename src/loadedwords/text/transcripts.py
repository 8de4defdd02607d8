"""Transcripts and interviews: whose turn which paragraph is, and the labels that say so.

A label is "ANN LEE:" or "Ann Lee:" before a turn, "Q:" and "A:", or a name on a line of its own. A list with a name before each entry looks the same:
so nothing is a turn unless people speak by turns, or the story itself names the speaker in words before.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from loadedwords.text.interviews import find_answers
from loadedwords.text.stretches import Bounds, Stretch, stretch
from loadedwords.text.turn_labels import HOSTS, ROLES, Label, find_labels
from loadedwords.text.words import FUNCTION_WORDS

# A stretch is a transcript if so many labels, in so large a share of its paragraphs, name two who speak more than once,
# and so large a share of the turns is talk: somebody says I or you, or asks.
_FEWEST_TURNS, _SHARE_OF_TURNS, _SHARE_OF_TALK = 4, 0.45, 0.3
# With so many paragraphs that begin with a label, the article is a transcript, and its last turn may be as long as its longest.
_FEWEST_TO_END = 6
# The same for names on lines of their own, each with at least a paragraph behind it.
_SHARE_OF_LINES = 0.25
# A turn has not more paragraphs without a label, but in an article that is a transcript from end to end.
_LONGEST_TURN = 4
# So many paragraphs may stand before a transcript of the outlet's own programme, and in so many turns its host says so.
_BEFORE_A_TRANSCRIPT, _TURNS_OF_A_BEGINNING = 2, 8
# Of so large a share of their turns ends an interviewer's in a question, and an interviewee's.
_MOSTLY, _SELDOM = 0.5, 0.25
# So far before a single turn its speaker is named.
_NAMED_BEFORE = 1500

_STAGE = re.compile(r"[\[(][A-Z][A-Z\d ,.'’:;/-]{3,80}[\])]$")
_HOST = re.compile(
    r"(?<!RADIO )(?<!TALK )(?<!SHOW )(?<!FORMER )\b(?:CO-?HOST|HOST|ANCHOR|CORRESPONDENT|BYLINE|INTERVIEWER|MODERATOR|NARRATOR)\b"
)
# So says who presents a programme.
_PRESENTS = re.compile(
    r"\b(?:[Ww]elcome (?:back )?to\b|[Jj]oin(?:s|ing)? (?:us|me)\b|(?:being|be|are|is) with us\b|[Ww]e(?:['’]ll| will) be (?:right )?back\b|[Ss]tay with us\b|[Ww]e turn (?:now )?to\b)"
)
_OURS = re.compile(
    r"\b[Oo]ur (?:\w+ )?(?:conversation|interview|discussion|chat|talk)\b"
    r"|\b(?:I|[Ww]e) (?:recently )?(?:spoke|talked|chatted|sat down|caught up|interviewed|called|met|asked)\b"
)
_BYLINE = re.compile(r"^By ([^\n]{3,80})$", re.MULTILINE)
_TALK = re.compile(r"\b(?:I|I['’]\w+|[Yy]ou(?:['’]\w+|r|rs)?|[Ww]e(?:['’]\w+)?|[Oo]ur|[Mm]y|me|us)\b|\?")
_FULL_NAME = re.compile(r"(?<![\w:])(?P<first>[A-Z][\w’'-]*\.?)(?=\s(?:[A-Z]\.\s)?(?P<last>(?:[A-Z]|\w[’'])[\w’'-]+))")


def find_turns(text: str, paragraphs: Bounds, byline: str = "", outlet: str = "") -> Iterator[Stretch]:
    """Find the turns of a clean text's transcripts and interviews, and their labels.

    Parameters
    ----------
    byline, outlet : str
        Who wrote the article, and for whom: their turns are the outlet's, as are those of whom a transcript from end to end
        calls its host.
    """
    for start, end in paragraphs:
        if _STAGE.match(text, start, end):
            yield from stretch(text, start, end, "label")
    labels = find_labels(text, paragraphs)
    yield from list(_spoken(text, paragraphs, labels, byline, outlet)) or find_answers(text, paragraphs)


def _spoken(text: str, paragraphs: Bounds, labels: Sequence[Label], byline: str, outlet: str) -> Iterator[Stretch]:
    named = _named(text, labels) if labels else {}
    labels = _likely(labels, named)
    if not labels:
        return
    hosts = _hosts(text, labels)
    if _is_transcript(text, paragraphs, labels, len(paragraphs), named, hosts):
        to_end = len({label.paragraph for label in labels}) >= _FEWEST_TO_END
        if labels[0].paragraph > max(_BEFORE_A_TRANSCRIPT, len(paragraphs) / 10):  # of somebody else's programme, then
            hosts = frozenset()
        hosts |= _authors(text, labels, byline, outlet) | _interviewers(text, labels)
        yield from _turns(text, paragraphs, labels, hosts, to_end=to_end)
        return
    authors = _authors(text, labels, byline, outlet)
    for run in _runs(labels, _LONGEST_TURN):
        if _is_transcript(text, paragraphs, run, run[-1].paragraph + 1, named, hosts):
            yield from _turns(text, paragraphs, run, authors, to_end=False)
            continue
        for near in _runs(run, 1):
            if _are_named(text, near, named):
                plain = [one for one in near if not one.marked]
                yield from _turns(text, paragraphs, plain, authors, to_end=False, gaps=False)


def _likely(labels: Sequence[Label], named: dict[str, list[int]]) -> list[Label]:
    """Without "Today:", which looks like a name: in small letters a speaker is named twice, or by two names that the story has."""
    times = Counter(label.key for label in labels)
    return [
        label
        for label in labels
        if label.capitals or label.form == "line" or times[label.key] > 1 or (" " in label.who and label.key in named)
    ]


def _named(text: str, labels: Sequence[Label]) -> dict[str, list[int]]:
    """Where people are named in full, by their last name, outside of the labels."""
    within = {label.start for label in labels}
    found: dict[str, list[int]] = {}
    for match in _FULL_NAME.finditer(text):
        if match.start() not in within and match["first"].casefold() not in FUNCTION_WORDS:
            found.setdefault(match["last"].removesuffix("'s").removesuffix("’s").casefold(), []).append(match.start())
    return found


def _hosts(text: str, labels: Sequence[Label]) -> frozenset[str]:
    """Who speaks for the outlet: called its host or reporter, saying "I'm Ann Lee" at the beginning, or presenting the rest."""
    hosts = {label.key for label in labels if _HOST.search(label.role.upper()) or label.key in HOSTS}
    for label, after in pairwise(labels[:4]):
        turn = text[label.end : min(after.start, label.end + 2000)]
        introduced = re.search(rf"\bI['’]m {re.escape(label.who)}\b", turn, re.IGNORECASE)
        if introduced and len(label.who.split()) > 1:
            hosts.add(label.key)
    beginning = labels[min(_TURNS_OF_A_BEGINNING, len(labels) - 1)].start
    if _PRESENTS.search(text, labels[0].end, beginning):
        hosts.add(labels[0].key)
    return frozenset(hosts)


def _authors(text: str, labels: Sequence[Label], byline: str, outlet: str) -> frozenset[str]:
    """Who wrote the article, by its byline or a line of the text above the turns; or the outlet, by its whole name."""
    written_by = " ".join([byline, *_BYLINE.findall(text, 0, labels[0].start)]).casefold()
    own_name = outlet.casefold().removeprefix("the ")
    return frozenset(
        label.key
        for label in labels
        if label.who.casefold() == own_name or (" " in label.who and label.who.casefold() in written_by)
    )


def _interviewers(text: str, labels: Sequence[Label]) -> frozenset[str]:
    """Of two in "our conversation" the one who asks, where the other seldom does."""
    if not _OURS.search(text, 0, labels[0].start):
        return frozenset()
    turns, asked = Counter(label.key for label in labels), Counter[str]()
    for label, after in pairwise(labels):
        asked[label.key] += text[label.end : after.start].rstrip().endswith("?")
    by_share = sorted((asked[key] / n, key) for key, n in turns.items() if n > 1)
    if len(by_share) != 2 or by_share[0][0] >= _SELDOM or by_share[1][0] < _MOSTLY:
        return frozenset()
    return frozenset({by_share[1][1]})


def _runs(labels: Sequence[Label], gap: int) -> Iterator[list[Label]]:
    """Labels near each other: not more than `gap` paragraphs from one to the next."""
    run: list[Label] = []
    for label in labels:
        if run and label.paragraph - run[-1].paragraph > gap:
            yield run
            run = []
        run.append(label)
    if run:
        yield run


def _is_transcript(
    text: str,
    paragraphs: Bounds,
    labels: Sequence[Label],
    until: int,
    named: dict[str, list[int]],
    hosts: frozenset[str],
) -> bool:
    """Whether people speak by turns here."""
    plain = [label for label in labels if not label.marked]
    keys = Counter(label.key for label in plain)
    again = {key for key, n in keys.items() if n > 1}
    if len(plain) < _FEWEST_TURNS or len(keys) < 2 or (len(again) < 2 and not (again and hosts)):
        return False
    begin = next(label.paragraph for label in plain if label.key in again)
    in_paragraphs = len({label.paragraph for label in plain if label.paragraph >= begin})
    lines = [label for label in plain if label.form == "line"]
    share = _SHARE_OF_LINES if lines else _SHARE_OF_TURNS
    if in_paragraphs < share * (until - begin):
        return False
    if any(label.form == "recording" or label.key in hosts for label in plain):
        return True
    ends = [after.start for after in plain[1:]] + [paragraphs[until - 1][1]]
    talking = Counter(label.key for label, end in zip(plain, ends, strict=True) if _TALK.search(text, label.end, end))
    known = all(key in named or key in hosts or key in ROLES for key in again)
    both = sum(talking[key] > 0 for key in again) > 1
    short = any(" " not in label.who and not label.capitals for label in plain if label.key in again)
    if short and not known and not both:
        return False
    return sum(talking.values()) >= _SHARE_OF_TALK * len(plain)


def _are_named(text: str, run: Sequence[Label], named: dict[str, list[int]]) -> bool:
    """Whether a few turns in a story are those of people it has named before."""
    plain = [label for label in run if not label.marked and label.form in ("label", "run in") and label.who != "Q"]
    if not plain or not all(label.capitals for label in plain):
        return False
    if text[plain[-1].end : plain[-1].end + 100].split("\n")[0].isupper():  # a headline
        return False
    sure = [
        label
        for label in plain
        if _named_near(named.get(label.key, ()), label.start) or (len(plain) > 1 and label.key in ROLES | HOSTS)
    ]
    return 2 * len(sure) >= len(plain) and plain[0] in sure


def _named_near(places: Sequence[int], at: int) -> bool:
    before = bisect_left(places, at)
    return before > 0 and at - places[before - 1] <= _NAMED_BEFORE


def _turns(
    text: str, paragraphs: Bounds, labels: Sequence[Label], hosts: frozenset[str], *, to_end: bool, gaps: bool = True
) -> Iterator[Stretch]:
    """Each label and what follows it, up to the next."""
    keys = Counter(label.key for label in labels)
    # A headline or a summary may have a colon, too: the first turn is that of somebody who speaks again, if by surname.
    skipped = next((n for n, label in enumerate(labels) if keys[label.key] > 1 or label.key in hosts), 0)
    now: Label | None = None
    by_paragraph = {number: list(each) for number, each in groupby(labels[skipped:], key=lambda label: label.paragraph)}
    if not by_paragraph:
        return
    last = max(by_paragraph)
    longest = max((after - before for before, after in pairwise(by_paragraph)), default=1)
    if labels[-1].end == paragraphs[last][1]:  # a name on a line of its own
        last += 1
    elif to_end:
        last += longest - 1
    for number in range(min(by_paragraph), min(last + 1, len(paragraphs))):
        start, end = paragraphs[number]
        at = start
        for label in by_paragraph.get(number, ()):
            if now is not None and at < label.start:
                yield from _turn(text, at, label.start, now, hosts)
            yield from stretch(text, label.start, label.end, "label")
            now, at = label, label.end
        if now is not None and (gaps or number in by_paragraph):
            yield from _turn(text, at, end, now, hosts)


def _turn(text: str, start: int, end: int, label: Label, hosts: frozenset[str]) -> Iterator[Stretch]:
    speaker = None if label.who == "Q" else label.who
    if label.form == "recording":
        speaker = label.role or None
    yield from stretch(text, start, end, "own" if label.key in hosts else "quoted", speaker)
