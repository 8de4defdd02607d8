"""The labels of turns: "ANN LEE:", "Ann Lee (laughing):", "archived recording (the senator)", or a name on a line of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from loadedwords.text.stretches import Bounds
from loadedwords.text.words import FUNCTION_WORDS

_CAPITAL = r"(?:Mc|Mac|De|Di|Du|La|Le|Van|O[’'])?[A-Z][A-Z.’'-]*"
_CAPITALS = rf"{_CAPITAL}(?:\s(?:{_CAPITAL}|#?\d{{1,2}})){{0,5}}"
_NAME = r"(?:[A-Z][\w.’'-]{0,30}\s){0,4}[A-Z][\w.’'-]{0,30}"
_ROLE = r"(?P<role>(?:,\s[^,:!?\[(\n]{1,60}|\s[\[(][^)\]\n]{1,40}[)\]]){0,4})"
_LABEL = re.compile(rf"(?:(?P<caps>{_CAPITALS})|(?P<name>{_NAME})){_ROLE}:(?=\s|$)")
# Inside a paragraph, where a sentence ends, is cut off, or a remark in brackets stands.
_RUN_IN = re.compile(rf"(?<=[.!?…”\"’')\]—–-]\s)(?:(?P<caps>{_CAPITALS})|(?P<name>{_NAME})){_ROLE}:(?=\s|$)")
_RECORDING = re.compile(r"(?P<caps>archived recording)(?: \d{1,2})?(?: \((?P<role>[^()\n]{1,60})\))?:?(?=\s|$)")
_LINE = re.compile(r"(?P<name>[A-Za-z][\w.’' -]{0,50}[A-Za-z\d])(?P<role>(?:\s\([^()\n]{1,40}\))?):?$")
HOSTS = frozenset("q host anchor interviewer correspondent moderator narrator presenter".split())  # noqa: SIM905
ROLES = HOSTS | frozenset(
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
Form = Literal["label", "run in", "recording", "line"]


@dataclass(frozen=True)
class Label:
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


def find_labels(text: str, paragraphs: Bounds) -> list[Label]:
    """Find what may be the label of a turn; whether somebody speaks there is not yet known."""
    found = [label for number, bounds in enumerate(paragraphs) for label in _labels(text, *bounds, number)]
    return _without_stray_lines(found)


def _labels(text: str, start: int, end: int, number: int) -> Iterator[Label]:
    def found(match: re.Match[str], form: Form) -> Label:
        groups = match.groupdict()
        who = groups.get("caps") or groups.get("name") or ""
        marked = text[match.end() : match.end() + 2].strip()[:1] in tuple("\"“‘'„«»") and match.end() < end
        return Label(
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


def _may_speak(label: Label) -> bool:
    words = label.who.replace(".", "").casefold().split()
    if (
        label.who == "Question"
        or not words
        or words[-1] in _NO_SPEAKERS
        or words[0] in _NO_SPEAKERS
        or re.search(r"['’][sS]\b", label.who)
    ):
        return False
    inner = words[1:] if words[0] == "the" and words[-1] in ROLES else words
    if label.capitals:  # "ACTING UNDER SECRETARY LEE"
        inner = [inner[0], inner[-1]]
    return FUNCTION_WORDS.isdisjoint(inner) and (len(label.who) >= 2 or label.who == "Q")


def _without_stray_lines(labels: list[Label]) -> list[Label]:
    """Lines on their own are labels where they come again and again and others with them, or name a role; never two below each other."""
    times = Counter(label.who for label in labels if label.form == "line")
    recordings = any(label.form == "recording" for label in labels)
    again = {who for who, n in times.items() if n > 1 and _may_speak(Label(0, 0, 0, who, "", "line"))}
    kept = [
        label
        for label in labels
        if label.form != "line" or label.who in again or (label.key in HOSTS and (recordings or len(again) > 1))
    ]
    lines = {label.paragraph for label in kept if label.form == "line"}
    if len(again) + recordings < 2:
        return [label for label in kept if label.form != "line"]
    return [label for label in kept if label.form != "line" or label.paragraph + 1 not in lines]
