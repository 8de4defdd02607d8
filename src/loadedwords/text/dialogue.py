"""Dialogue that dashes introduce, line by line: "— We go now, said Ann Lee." A list with dashes looks the same, and is the outlet's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from loadedwords.text.marks import sentence_end
from loadedwords.text.speakers import REACH, known, tag_behind
from loadedwords.text.stretches import Bounds, Stretch, stretch

_DASHES = ("—", "–", "―")
_TALK = re.compile(r"\b(?:I|[Yy]ou|[Ww]e|[Mm]y|[Yy]our|[Oo]ur|me|us)\b|[!?]")
# Whoever sets dialogue with dashes sets no marks.
_MARKED = re.compile('["“”«»]')
_PAUSE = re.compile(r"[,!?…]\s")


def find_dialogue(text: str, paragraphs: Bounds, marks: Mapping[int, str]) -> Iterator[Stretch]:
    """Find what is said behind dashes, which `marks` has where cleaning took them away in front of a line."""
    run: list[tuple[int, int]] = []
    for start, end in [*paragraphs, (len(text), len(text))]:
        if marks.get(start, "") in _DASHES or text.startswith(_DASHES, start, end):
            run.append((start, end))
            continue
        yield from _spoken(text, run)
        run = []


def _spoken(text: str, run: list[tuple[int, int]]) -> Iterator[Stretch]:
    """A run of lines with dashes, if it is talk: somebody is said to say it, and somebody says I or you, asks or exclaims."""
    if len(run) < 2 or _MARKED.search(text, run[0][0], run[-1][1]):
        return
    tags = [_tag(text, start, end) for start, end in run]
    talk = [_TALK.search(text, start, tag[0] if tag else end) for (start, end), tag in zip(run, tags, strict=True)]
    if not any(tags) or not any(talk):
        return
    for (start, end), tag in zip(run, tags, strict=True):
        if tag is None:
            yield from stretch(text, start, end, "quoted")
            continue
        at, behind, speaker = tag
        yield from stretch(text, start, at, "quoted", speaker)
        yield from stretch(text, behind, end, "quoted", speaker)


def _tag(text: str, start: int, end: int) -> tuple[int, int, str | None] | None:
    """Where a line says who speaks: ", said Ann Lee." from its comma to the end of that sentence."""
    for pause in _PAUSE.finditer(text, start, end):
        found, speaker = tag_behind(text[pause.end() : min(end, pause.end() + REACH)])
        if found:
            return pause.end() - 1, sentence_end(text, pause.end(), end), known(speaker)
    return None
