"""Transcripts and interviews: whose turn which paragraph is, and the labels that say so.

A label is "ANN LEE:" or "Ann Lee:" before a turn, "Q:" and "A:", or a name on a line of its own. A list with a name before each entry looks the same:
so nothing is a turn unless people speak by turns, or the story itself names the speaker in words before.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from loadedwords.text.interviews import find_answers
from loadedwords.text.stretches import Bounds, Stretch, stretch
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

_CAPITAL = r"(?:Mc|Mac|De|Di|Du|La|Le|Van|O[’'])?[A-Z][A-Z.’'-]*"
_CAPITALS = rf"{_CAPITAL}(?:\s(?:{_CAPITAL}|#?\d{{1,2}})){{0,5}}"
_NAME = r"(?:[A-Z][\w.’'-]{0,30}\s){0,4}[A-Z][\w.’'-]{0,30}"
_ROLE = r"(?P<role>(?:,\s[^:!?\n]{1,80}|\s[\[(][^)\]\n]{1,40}[)\]]){0,3})"
_LABEL = re.compile(rf"(?:(?P<caps>{_CAPITALS})|(?P<name>{_NAME})){_ROLE}:(?=\s|$)")
# Inside a paragraph, where a sentence ends, is cut off, or a remark in brackets stands.
_RUN_IN = re.compile(rf"(?<=[.!?…”\"’')\]—–-]\s)(?:(?P<caps>{_CAPITALS})|(?P<name>{_NAME})){_ROLE}:(?=\s|$)")
_RECORDING = re.compile(r"(?P<caps>archived recording)(?: \d{1,2})?(?: \((?P<role>[^()\n]{1,60})\))?:?(?=\s|$)")
_LINE = re.compile(r"(?P<name>[A-Za-z][\w.’' -]{0,50}[A-Za-z\d])(?P<role>(?:\s\([^()\n]{1,40}\))?):?$")
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
_HOSTS = frozenset("q host anchor interviewer correspondent moderator narrator presenter".split())  # noqa: SIM905
_ROLES = _HOSTS | frozenset(
    """reporter reporters caller crowd audience announcer operator interpreter translator protester protesters woman man male
    female speaker voice child president chairman judge court clerk lady witness counsel""".split()  # noqa: SIM905 — a list of them would be five times as long
)
# What opens a line of a list, a box or a page, and is nobody's name.
_NO_SPEAKERS = frozenset(
    """update updated updates breaking read more related watch see also note notes fact facts verdict winner winners loser
    losers vote votes claim claims check list report photo photos file image video videos poll exclusive opinion analysis
    correction clarification warning source sources summary highlights pros cons rating director cast score date time where
    when what how who why cost price tip tips step day part chapter rule myth reality truth takeaway line conclusion
    background context headline title subject from to re cc need avoid side perspective dissent dissenter dissenters
    concurrence location et edt est pt pdt pst ct cdt gmt bst contributing live coverage saying link listen key bio data
    favorable unfavorable topic""".split()  # noqa: SIM905 — a list of them would be five times as long
)
_TALK = re.compile(r"\b(?:I|I['’]\w+|[Yy]ou(?:['’]\w+|r|rs)?|[Ww]e(?:['’]\w+)?|[Oo]ur|[Mm]y|me|us)\b|\?")
_FULL_NAME = re.compile(r"(?<![\w:])(?P<first>[A-Z][\w’'-]*\.?)(?=\s(?:[A-Z]\.\s)?(?P<last>(?:[A-Z]|\w[’'])[\w’'-]+))")

Form = Literal["label", "run in", "recording", "line"]


@dataclass(frozen=True)
class _Label:
    """Where a speaker is named, in which paragraph; `marked`: quotation marks behind it say themselves whose words they hold."""

    start: int
    end: int
    paragraph: int
    who: str
    role: str
    form: Form
    marked: bool = False
    capitals: bool = False

    @property
    def key(self) -> str:
        """By this it is known again: the last name, "Mayor Tom Hale" and "HALE" being one."""
        return self.who.split()[-1].rstrip(".").casefold()


def find_turns(text: str, paragraphs: Bounds, byline: str = "") -> Iterator[Stretch]:
    """Find the turns of a clean text's transcripts and interviews, and their labels.

    Parameters
    ----------
    byline : str
        Who wrote the article: their turns are the outlet's, as are those of whom a transcript from end to end calls its host.
    """
    for start, end in paragraphs:
        if _STAGE.match(text, start, end):
            yield from stretch(text, start, end, "label")
    labels = [label for number, bounds in enumerate(paragraphs) for label in _labels(text, *bounds, number)]
    yield from list(_spoken(text, paragraphs, _without_stray_lines(labels), byline)) or find_answers(text, paragraphs)


def _spoken(text: str, paragraphs: Bounds, labels: Sequence[_Label], byline: str) -> Iterator[Stretch]:
    named = _named(text, labels)
    labels = _likely(labels, named)
    if not labels:
        return
    hosts = _hosts(text, labels)
    if _is_transcript(text, paragraphs, labels, len(paragraphs), named, hosts):
        to_end = len({label.paragraph for label in labels}) >= _FEWEST_TO_END
        if labels[0].paragraph > max(_BEFORE_A_TRANSCRIPT, len(paragraphs) / 10):  # of somebody else's programme, then
            hosts = frozenset()
        hosts |= _authors(text, labels, byline) | _interviewers(text, labels)
        yield from _turns(text, paragraphs, labels, hosts, to_end=to_end)
        return
    authors = _authors(text, labels, byline)
    for run in _runs(labels, _LONGEST_TURN):
        if _is_transcript(text, paragraphs, run, run[-1].paragraph + 1, named, hosts):
            yield from _turns(text, paragraphs, run, authors, to_end=False)
            continue
        for near in _runs(run, 1):
            if _are_named(text, near, named):
                plain = [one for one in near if not one.marked]
                yield from _turns(text, paragraphs, plain, authors, to_end=False, gaps=False)


def _labels(text: str, start: int, end: int, number: int) -> Iterator[_Label]:
    def found(match: re.Match[str], form: Form) -> _Label:
        groups = match.groupdict()
        who = groups.get("caps") or groups.get("name") or ""
        marked = text[match.end() : match.end() + 2].strip()[:1] in tuple("\"“‘'„«»") and match.end() < end
        return _Label(
            match.start(), match.end(), number, who, match["role"] or "", form, marked, bool(groups.get("caps"))
        )

    if recording := _RECORDING.match(text, start, end):
        yield found(recording, "recording")
        for again in _RECORDING.finditer(text, recording.end(), end):
            yield found(again, "recording")
        return
    if end - start <= 70 and (line := _LINE.match(text, start, end)) and len(line["name"].split()) <= 5:
        yield found(line, "line")
        return
    if text.find(":", start, end) < 0:
        return
    begin = start
    if first := _LABEL.match(text, start, end):
        label = found(first, "label")
        if _may_speak(label):
            yield label
            begin = first.end()
    for match in _RUN_IN.finditer(text, begin, end):
        label = found(match, "run in")
        if _may_speak(label):
            yield label


def _may_speak(label: _Label) -> bool:
    words = label.who.replace(".", "").casefold().split()
    if (
        label.who == "Question"
        or not words
        or words[-1] in _NO_SPEAKERS
        or words[0] in _NO_SPEAKERS
        or re.search(r"['’][sS]\b", label.who)
    ):
        return False
    inner = words[1:] if words[0] == "the" and words[-1] in _ROLES else words
    if label.capitals:  # "ACTING UNDER SECRETARY LEE"
        inner = [inner[0], inner[-1]]
    return FUNCTION_WORDS.isdisjoint(inner) and (len(label.who) >= 2 or label.who == "Q")


def _without_stray_lines(labels: list[_Label]) -> list[_Label]:
    """Lines on their own are labels where they come again and again and others with them, or name a role; never two below each other."""
    times = Counter(label.who for label in labels if label.form == "line")
    recordings = any(label.form == "recording" for label in labels)
    again = {who for who, n in times.items() if n > 1 and _may_speak(_Label(0, 0, 0, who, "", "line"))}
    kept = [
        label
        for label in labels
        if label.form != "line" or label.who in again or (label.key in _HOSTS and (recordings or len(again) > 1))
    ]
    lines = {label.paragraph for label in kept if label.form == "line"}
    if len(again) + recordings < 2:
        return [label for label in kept if label.form != "line"]
    return [label for label in kept if label.form != "line" or label.paragraph + 1 not in lines]


def _likely(labels: Sequence[_Label], named: dict[str, list[int]]) -> list[_Label]:
    """Without "Today:", which looks like a name: in small letters a speaker is named twice, or by two names that the story has."""
    times = Counter(label.key for label in labels)
    return [
        label
        for label in labels
        if label.capitals or label.form == "line" or times[label.key] > 1 or (" " in label.who and label.key in named)
    ]


def _named(text: str, labels: Sequence[_Label]) -> dict[str, list[int]]:
    """Where people are named in full, by their last name, outside of the labels."""
    within = {label.start for label in labels}
    found: dict[str, list[int]] = {}
    for match in _FULL_NAME.finditer(text):
        if match.start() not in within and match["first"].casefold() not in FUNCTION_WORDS:
            found.setdefault(match["last"].removesuffix("'s").removesuffix("’s").casefold(), []).append(match.start())
    return found


def _hosts(text: str, labels: Sequence[_Label]) -> frozenset[str]:
    """Who speaks for the outlet: called its host or reporter, saying "I'm Ann Lee" at the beginning, or presenting the rest."""
    hosts = {label.key for label in labels if _HOST.search(label.role.upper()) or label.key in _HOSTS}
    for label, after in pairwise(labels[:4]):
        turn = text[label.end : min(after.start, label.end + 2000)]
        introduced = re.search(rf"\bI['’]m {re.escape(label.who)}\b", turn, re.IGNORECASE)
        if introduced and len(label.who.split()) > 1:
            hosts.add(label.key)
    beginning = labels[min(_TURNS_OF_A_BEGINNING, len(labels) - 1)].start
    if _PRESENTS.search(text, labels[0].end, beginning):
        hosts.add(labels[0].key)
    return frozenset(hosts)


def _authors(text: str, labels: Sequence[_Label], byline: str) -> frozenset[str]:
    """Who wrote the article, by its byline or a line of the text above the turns."""
    written_by = " ".join([byline, *_BYLINE.findall(text, 0, labels[0].start)]).casefold()
    return frozenset(label.key for label in labels if " " in label.who and label.who.casefold() in written_by)


def _interviewers(text: str, labels: Sequence[_Label]) -> frozenset[str]:
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


def _runs(labels: Sequence[_Label], gap: int) -> Iterator[list[_Label]]:
    """Labels near each other: not more than `gap` paragraphs from one to the next."""
    run: list[_Label] = []
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
    labels: Sequence[_Label],
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
    known = all(key in named or key in hosts or key in _ROLES for key in again)
    both = sum(talking[key] > 0 for key in again) > 1
    short = any(" " not in label.who and not label.capitals for label in plain if label.key in again)
    if short and not known and not both:
        return False
    return sum(talking.values()) >= _SHARE_OF_TALK * len(plain)


def _are_named(text: str, run: Sequence[_Label], named: dict[str, list[int]]) -> bool:
    """Whether a few turns in a story are those of people it has named before."""
    plain = [label for label in run if not label.marked and label.form in ("label", "run in") and label.who != "Q"]
    if not plain or not all(label.capitals for label in plain):
        return False
    if text[plain[-1].end : plain[-1].end + 100].split("\n")[0].isupper():  # a headline
        return False
    sure = [
        label
        for label in plain
        if _named_near(named.get(label.key, ()), label.start) or (len(plain) > 1 and label.key in _ROLES | _HOSTS)
    ]
    return 2 * len(sure) >= len(plain) and plain[0] in sure


def _named_near(places: Sequence[int], at: int) -> bool:
    before = bisect_left(places, at)
    return before > 0 and at - places[before - 1] <= _NAMED_BEFORE


def _turns(
    text: str, paragraphs: Bounds, labels: Sequence[_Label], hosts: frozenset[str], *, to_end: bool, gaps: bool = True
) -> Iterator[Stretch]:
    """Each label and what follows it, up to the next."""
    keys = Counter(label.key for label in labels)
    # A headline or a summary may have a colon, too: the first turn is that of somebody who speaks again, if by surname.
    skipped = next((n for n, label in enumerate(labels) if keys[label.key] > 1 or label.key in hosts), 0)
    now: _Label | None = None
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


def _turn(text: str, start: int, end: int, label: _Label, hosts: frozenset[str]) -> Iterator[Stretch]:
    speaker = None if label.who == "Q" else label.who
    if label.form == "recording":
        speaker = label.role or None
    yield from stretch(text, start, end, "own" if label.key in hosts else "quoted", speaker)
