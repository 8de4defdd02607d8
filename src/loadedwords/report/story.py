"""A story pasted into a page on this computer → its pieces, each with its voice, sentence and finding, to mark and mend there."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from html import unescape
from itertools import groupby, pairwise
from math import inf
from typing import Any, get_args

from loadedwords.errors import DataError
from loadedwords.house import UNTOLD
from loadedwords.lint import Document, Finding, House, lint_document, make_document
from loadedwords.lint.documents import Part, TextForm
from loadedwords.lint.findings import Fix, Span, own_score, sentences_of
from loadedwords.lint.reasons import KIND_TITLES, title_of
from loadedwords.report.local_page import LocalServer
from loadedwords.schema import ScoredSentence
from loadedwords.scoring import FramingModel
from loadedwords.text import prepare_text

LONGEST_STORY = 200_000  # characters of prose
_LONGEST_REQUEST = 8_000_000  # bytes: a page of the web is mostly tags
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def serve_stories(model: FramingModel, house: House | None = None, *, port: int = 0) -> LocalServer:
    """Start the page on which stories are marked, by the rules of a house: open its `url`, then call `wait`.

    Raises
    ------
    OSError
        If the `port`, 0 for any that is free, is taken.
    """
    one_at_a_time = threading.Lock()  # a story takes all cores

    def mark(sent: dict[str, Any]) -> dict[str, Any]:
        text, form = sent.get("text"), sent.get("form", "text")
        if not isinstance(text, str) or form not in get_args(TextForm):
            raise DataError(
                f"The page sent no text, or a form that is none of {', '.join(get_args(TextForm))}.\nReload it."
            )
        with one_at_a_time:
            return mark_story(text, model, house, form=form)

    values = {"kinds": KIND_TITLES, "house": house.file if house else None, "longest_request": _LONGEST_REQUEST}
    return LocalServer("story.html.j2", values, {"mark": mark}, longest_request=_LONGEST_REQUEST, port=port)


def mark_story(
    text: str, model: FramingModel, house: House | None = None, *, form: TextForm = "text"
) -> dict[str, Any]:
    """Cut a story where a voice, a sentence or a finding begins or ends.

    Parameters
    ----------
    text : str
    model : FramingModel
    house : House, optional
    form : {"text", "markdown", "html"}

    Returns
    -------
    dict
        ``pieces`` (text; numbers of its sentence and finding, or None; whether somebody else speaks), which joined are
        the story, of a web page only its prose; ``sentences`` (p, voice, speaker, part) and ``findings``.

    Raises
    ------
    DataError
        If there is nothing to read, too much, or it can't be scored.
    """
    document = make_document(_LONE_SURROGATE.sub("\ufffd", text), path="story", form=form)
    n_characters = sum(len(part.aligned.text) for part in document.parts)
    if not document.parts:
        raise DataError("There is no text to read.\nPaste a story, or drop a file.")
    if n_characters > LONGEST_STORY:
        raise DataError(
            f"The story has {n_characters:,} characters, and the page takes {LONGEST_STORY:,}.\n"
            "Paste a part of it, or use loadedwords lint on the file."
        )
    scored = next(model.score_articles([document.article]))
    findings = lint_document(document, model, house, quotes=True, scored=scored)
    sentences = [
        (part, sentence, part.aligned.to_original(sentence.start, sentence.end))
        for part in document.parts
        for sentence in sentences_of(part, scored)
    ]
    sentences.sort(key=lambda found: found[2])
    cut = _Cut([span for *_, span in sentences], _quoted(document), [(f.start, f.end) for f in findings])
    if form == "html":
        pieces = list(map(_without_gaps, _merged(_page_pieces(document, cut))))
    else:
        pieces = _merged(cut.pieces(document.parts[0].source))
    return {
        "pieces": pieces,
        "sentences": [_sentence_row(part, sentence) for part, sentence, _ in sentences],
        "findings": _finding_rows(findings, pieces),
    }


class _Cut:
    """Where a story is cut, and what is to be known of each piece."""

    def __init__(self, sentences: list[Span], quoted: Iterable[Span], findings: list[Span]) -> None:
        self._sentences, self._quoted, self._findings = sentences, sorted(quoted), findings
        self._places = sorted({at for spans in (sentences, self._quoted, findings) for span in spans for at in span})

    def pieces(self, source: str, start: int = 0, end: int | None = None) -> Iterator[dict[str, Any]]:
        """Those of ``source[start:end]``."""
        end = len(source) if end is None else end
        inside = self._places[bisect_right(self._places, start) : bisect_right(self._places, end - 1)]
        for low, high in pairwise([start, *inside, end]):
            yield {
                "text": source[low:high],
                "sentence": _covering(self._sentences, low),
                "quoted": _covering(self._quoted, low) is not None,
                "finding": _covering(self._findings, low),
            }


def _covering(spans: list[Span], at: int) -> int | None:
    number = bisect_right(spans, (at, inf)) - 1
    return number if number >= 0 and at < spans[number][1] else None


def _quoted(document: Document) -> Iterator[Span]:
    for part in document.parts:
        for sentence in prepare_text(part.aligned.text).sentences:
            for quotation in sentence.quoted:
                yield part.aligned.to_original(*sentence.to_article(quotation.start, quotation.end))


def _page_pieces(document: Document, cut: _Cut) -> Iterator[dict[str, Any]]:
    """Title, standfirst and text of a web page, as they read without tags."""
    between = {"sentence": None, "quoted": False, "finding": None}
    for part in document.parts:
        for made, start, end in _stretches(part):
            if made == part.source[start:end]:
                found = cut.pieces(part.source, start, end)
                yield from ({**piece, "text": unescape(piece["text"])} for piece in found)
            else:
                # What a tag became within a sentence, a quotation mark or a blank, is the sentence's.
                around = between if "\n" in made else next(cut.pieces(part.source, start))
                yield {**around, "text": made}
        yield {**between, "text": "\n\n"}


def _stretches(part: Part) -> Iterator[tuple[str, int, int]]:
    """The text in stretches that were copied, and in those that one edit made, each with its slice of the source."""
    starts, ends = part.aligned.starts.tolist(), part.aligned.ends.tolist()

    def whose(at: int) -> tuple[bool, int]:
        copied = part.aligned.text[at] == part.source[starts[at] : ends[at]]
        return copied, starts[at] - at if copied else starts[at]

    for _, places in groupby(range(len(starts)), whose):
        first, *_, last = [*places] * 2
        yield part.aligned.text[first : last + 1], starts[first], ends[last]


def _without_gaps(piece: dict[str, Any]) -> dict[str, Any]:
    """The lines that tags left between two passages are one blank line; a block quotation stays marked as one."""
    if piece["sentence"] is not None:
        return piece
    gap = re.sub(r"\s*\n[\s>]*", "\n\n", piece["text"])
    return {**piece, "text": f"{gap}> " if piece["text"].endswith("> ") else gap}


def _merged(pieces: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbours of which the same is known are one piece."""
    merged: list[dict[str, Any]] = []
    for piece in pieces:
        if merged and {**merged[-1], "text": ""} == {**piece, "text": ""}:
            merged[-1] = {**piece, "text": merged[-1]["text"] + piece["text"]}
        elif piece["text"]:
            merged.append(piece)
    return merged


def _sentence_row(part: Part, sentence: ScoredSentence) -> dict[str, Any]:
    return {
        "p": round(float(own_score(sentence)), 3),
        "own": sentence.p_own is not None,
        "voice": sentence.voice,
        "speaker": sentence.speaker,
        "part": part.name,
    }


def _finding_rows(findings: list[Finding], pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    of_finding: dict[int, list[int]] = defaultdict(list)
    for at, piece in enumerate(pieces):
        if piece["finding"] is not None:
            of_finding[piece["finding"]].append(at)
    return [_finding_row(finding, pieces, of_finding[number]) for number, finding in enumerate(findings)]


def _finding_row(finding: Finding, pieces: list[dict[str, Any]], places: list[int]) -> dict[str, Any]:
    return {
        "kind": finding.kind or UNTOLD,
        "title": title_of(finding.kind),
        "severity": finding.severity,
        "score": round(float(finding.score), 3),
        "p_loaded": round(float(finding.p_loaded), 3),
        "found_by": finding.found_by,
        "quoted": finding.voice == "quoted",
        "speaker": finding.speaker,
        "reason": finding.reason,
        # A mark in several pieces has no place where one wording could stand.
        "plainer": [
            offer for fix in finding.plainer if len(places) == 1 and (offer := _offer(finding, fix, pieces, places[0]))
        ],
    }


def _offer(finding: Finding, fix: Fix, pieces: list[dict[str, Any]], at: int) -> dict[str, Any] | None:
    """A plainer wording as the page puts it: what the mark becomes, and how much of the text beside it goes.

    None where that is not all in the pieces next to it, or is marked itself.
    """
    low, high = fix.start - finding.start, finding.end - fix.end  # below 0 where the fix is wider than the finding
    marked = pieces[at]["text"]
    kept = marked[: max(0, low)], marked[len(marked) - max(0, high) :]
    if any(kept) and marked != finding.text:
        return None
    before, after = max(0, -low), max(0, -high)
    left, right = (
        pieces[beside]["text"] if 0 <= beside < len(pieces) and pieces[beside]["finding"] is None else ""
        for beside in (at - 1, at + 1)
    )
    taken = fix.instead_of[:before], fix.instead_of[len(fix.instead_of) - after :]
    if not left.endswith(taken[0]) or not right.startswith(taken[1]):
        return None
    return {"text": kept[0] + fix.text + kept[1], "before": before, "after": after, "says": finding.offer(fix)}
