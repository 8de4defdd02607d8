"""Questions and answers behind "Q:" and "A:": the answers are somebody else's, unless the outlet answers its readers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from loadedwords.text.stretches import Bounds, Stretch, stretch

# An interview is where in more of the parts than this a question says you, or an answer I; else the outlet explains.
_SHARE = 0.4
# An answer without a label has not more paragraphs.
_LONGEST = 4

_LABEL = re.compile(r"(?P<kind>[QA]|Question|Answer|QUESTION|ANSWER)[:.](?=\s)")
_RUN_IN = re.compile(r"(?<=[.!?”\"]\s)" + _LABEL.pattern)
_YOU, _I = re.compile(r"\b[Yy]ou(?:r|rs|['’]\w+)?\b"), re.compile(r"\b(?:I|I['’]\w+|[Mm]y|me)\b")


@dataclass(frozen=True)
class _Part:
    """What one of the two says in one paragraph, behind its label if there is one."""

    label: tuple[int, int]
    start: int
    end: int
    asks: bool


def find_answers(text: str, paragraphs: Bounds) -> Iterator[Stretch]:
    """Find the answers of a clean text's interviews, and the labels of both."""
    parts = list(_parts(text, paragraphs))
    if sum(part.asks for part in parts) < 2:
        return
    you, asked_i, answered_i = (
        sum(part.asks == asks and bool(pattern.search(text, part.start, part.end)) for part in parts)
        for pattern, asks in ((_YOU, True), (_I, True), (_I, False))
    )
    if you + answered_i <= max(asked_i, _SHARE * len(parts)):
        return
    for part in parts:
        yield from stretch(text, *part.label, "label")
        yield from stretch(text, part.start, part.end, "own" if part.asks else "quoted")


def _parts(text: str, paragraphs: Bounds) -> Iterator[_Part]:
    labelled = [
        [first, *_RUN_IN.finditer(text, first.end(), end)] if (first := _LABEL.match(text, start, end)) else []
        for start, end in paragraphs
    ]
    all_labelled = any(label["kind"][0] == "A" for labels in labelled for label in labels)
    last = max((number for number, labels in enumerate(labelled) if labels), default=-1)
    asks, since = None, 0
    for number, ((start, end), labels) in enumerate(zip(paragraphs, labelled, strict=True)):
        for label, after in zip(labels, [*labels[1:], None], strict=False):
            asks, since = label["kind"][0] == "Q", number
            yield _Part(label.span(), label.end(), after.start() if after else end, asks)
        if labels or asks is None or number - since > _LONGEST:
            continue
        if not all_labelled:
            yield _Part((start, start), start, end, asks=False)
        elif number < last:
            yield _Part((start, start), start, end, asks)
