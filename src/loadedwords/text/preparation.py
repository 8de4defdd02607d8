"""The way of one article's text to what a model scores: clean, split, boilerplate set aside, voices told apart."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice, takewhile
from operator import attrgetter, itemgetter

from loadedwords.schema import Boilerplate, Voice
from loadedwords.text.alignment import Aligned
from loadedwords.text.boilerplate import (
    Leads,
    boilerplate_reason,
    gallery_captions,
    is_tag_line,
    leads_in,
    opens_tail,
)
from loadedwords.text.cleaning import BLOCK_QUOTATION, CAPTION, clean_text, elements
from loadedwords.text.dialogue import find_dialogue
from loadedwords.text.posts import find_posts
from loadedwords.text.quotes import Quotation, find_quotations, speech
from loadedwords.text.repair import repair
from loadedwords.text.sentences import Span, find_sentences
from loadedwords.text.speakers import is_indirect
from loadedwords.text.stretches import Stretch, in_order, pieces
from loadedwords.text.transcripts import find_turns
from loadedwords.text.words import PLACEHOLDER, n_words

# Why a line that only says who speaks is left out.
LABEL = "label"
_BLANK = re.compile(r"\s")
_TAG = re.compile(r"<[^<>]*>")
# Among so many lines at an article's end it says who wrote it.
_LAST_LINES = 4


@dataclass(frozen=True)
class Sentence:
    """A sentence as a model sees it, and its place in the article as read.

    Attributes
    ----------
    start, end : int
        Offsets into the article's text, marks such as ** that touch the sentence included.
    text : str
        The clean sentence.
    quoted : tuple of Quotation
        Somebody else's words in it; offsets into the clean sentence.
    own_text : str
        The clean sentence with `PLACEHOLDER` for each of them: what the outlet itself says; empty where it only quotes.
    voice : {"own", "quoted", "mixed"}
    indirect : bool
        Whether the outlet reports in its own words what somebody is said to have said.
    host : str or None
        Of the outlet's people who says it, where it is a turn of a transcript.
    paragraph : int
    n_own_words : int
        Those in addresses left out.
    alignment : Aligned
        Of the whole article.
    offset : int
        Of this sentence in the clean article.
    """

    start: int
    end: int
    text: str
    quoted: tuple[Quotation, ...]
    own_text: str
    voice: Voice
    indirect: bool
    paragraph: int
    n_own_words: int
    alignment: Aligned
    offset: int
    host: str | None = None

    def to_article(self, start: int, end: int) -> tuple[int, int]:
        """Offsets into the article of the slice ``text[start:end]``."""
        low, high = self.alignment.to_original(self.offset + start, self.offset + end)
        return max(low, self.start), high


@dataclass(frozen=True)
class PreparedText:
    """The sentences to score and the passages left out, in order; and the clean text that the sentences lie in."""

    sentences: tuple[Sentence, ...]
    boilerplate: tuple[Boilerplate, ...]
    clean: str = ""


def prepare_text(text: str, byline: str | None = None, outlet: str | None = None) -> PreparedText:
    """Prepare one article: every letter and digit of reporting is in exactly one sentence, with offsets into `text`.

    `byline` and `outlet` say who wrote it: in an interview, their questions are the outlet's.
    """
    aligned = clean_text(text)
    clean = aligned.text
    marks = _line_marks(text, aligned)
    spans = find_sentences(clean, frozenset(marks))
    paragraphs = _paragraphs(spans)
    block_quotations = elements(text, aligned, BLOCK_QUOTATION)
    for start, end in paragraphs if block_quotations else ():
        if _overlaps(start, end, block_quotations):  # as Markdown marks them
            marks[start] = f">{marks.get(start, '')}"
    stretches = in_order(
        [
            *find_posts(clean, paragraphs, marks),
            *find_turns(clean, paragraphs, byline or "", outlet or ""),
            *find_dialogue(clean, paragraphs, marks),
        ]
    )
    quotations = _speech_in(clean, paragraphs, marks, stretches)
    sentences: list[Sentence] = []
    boilerplate: list[Boilerplate] = []
    in_tail, done = False, 0
    apart = list(_told_apart(clean, spans, stretches))
    reasons = _reasons(clean, [span for span, _ in apart], elements(text, aligned, CAPTION))
    for (span, told), reason in zip(apart, reasons, strict=True):
        start, end = _with_marks(text, aligned, span, done)
        done = end
        if told and told.voice == "label":
            reason = LABEL
        if reason is None and "](" in text[start:end] and is_tag_line(_line_around(text, start, end)):
            reason = "tags"
        # At the top, a disclaimer is the author's, and the article is still to come.
        in_tail = in_tail or (2 * span.start > len(clean) and opens_tail(clean[span.start : span.end]))
        if reason is None and in_tail:
            reason = "disclaimer"
        if reason is None:
            host = told.speaker if told and told.voice == "own" else None
            sentences.append(_sentence(start, end, span, aligned, _quoted_in(span, quotations), host))
        else:
            boilerplate.append(Boilerplate(start, end, text[start:end], reason))
    return PreparedText(tuple(sentences), tuple(boilerplate), clean)


def prepare_sentence(text: str) -> Sentence:
    """Prepare a text that is one sentence by its giver's word: cleaned, quotations found, never split."""
    aligned = clean_text(text)
    span = Span(0, len(aligned.text), 0)
    return _sentence(0, len(text), span, aligned, tuple(speech(find_quotations(aligned.text))))


def _reasons(clean: str, spans: list[Span], captions: list[tuple[int, int]]) -> list[str | None]:
    """Why sentences are no reporting: by themselves, by the line they are in, or as captions, those of a gallery too."""
    captions, leads = sorted([*captions, *gallery_captions(clean)]), leads_in(clean)
    lines = [list(inside) for _, inside in groupby(spans, key=attrgetter("paragraph"))]
    found: list[str | None] = []
    for number, line in enumerate(lines):
        of_sentences = [boilerplate_reason(clean[span.start : span.end], "sentence", leads) for span in line]
        of_line = None if None not in of_sentences else _line_reason(clean, line, of_sentences, leads)
        if of_line is None and None in of_sentences and len(lines) - number <= _LAST_LINES < len(lines) // 2:
            of_line = boilerplate_reason(clean[line[0].start : line[-1].end], "last line", leads)
        for span, reason in zip(line, of_sentences, strict=True):
            found.append(reason or ("caption" if _overlaps(span.start, span.end, captions) else of_line))
    return found


def _line_reason(clean: str, line: list[Span], of_sentences: list[str | None], leads: Leads) -> str | None:
    """Why a whole line is no reporting: by what it is, or because most of its sentences are none."""
    known = [reason for reason in of_sentences if reason]
    if len(known) > 1 and 2 * len(known) >= len(line):
        return known[0]
    return boilerplate_reason(clean[line[0].start : line[-1].end], "line", leads)


def _overlaps(start: int, end: int, slices: list[tuple[int, int]]) -> bool:
    """Whether a sentence or paragraph has a part in slices that are in order."""
    at = bisect_right(slices, start, key=itemgetter(1))
    return at < len(slices) and slices[at][0] < end


def _paragraphs(spans: list[Span]) -> list[tuple[int, int]]:
    """Where the paragraphs start and end."""
    found = []
    for _, inside in groupby(spans, key=attrgetter("paragraph")):
        sentences = list(inside)
        found.append((sentences[0].start, sentences[-1].end))
    return found


def _speech_in(
    clean: str, paragraphs: list[tuple[int, int]], marks: Mapping[int, str], stretches: list[Stretch]
) -> list[Quotation]:
    """Somebody else's words in an article."""
    blocks = [number for number, (start, _) in enumerate(paragraphs) if ">" in marks.get(start, "")]
    return speech(find_quotations(clean, paragraphs, blocks, stretches))


def _told_apart(clean: str, spans: list[Span], stretches: list[Stretch]) -> Iterator[tuple[Span, Stretch | None]]:
    """The sentences, cut where a label, a post or a turn begins or ends."""
    for span in spans:
        for start, end, told in pieces(clean, span.start, span.end, stretches):
            yield Span(start, end, span.paragraph), told


def _sentence(
    start: int, end: int, span: Span, aligned: Aligned, quoted: tuple[Quotation, ...], host: str | None = None
) -> Sentence:
    text = aligned.text[span.start : span.end]
    own = _without(text, quoted)
    n_own = n_words(own)
    voice: Voice = "own" if not quoted else "mixed" if n_own else "quoted"
    return Sentence(
        start=start,
        end=end,
        text=text,
        quoted=quoted,
        own_text="" if voice == "quoted" else own,
        voice=voice,
        indirect=voice == "own" and is_indirect(text),
        paragraph=span.paragraph,
        n_own_words=n_own,
        alignment=aligned,
        offset=span.start,
        host=host,
    )


def _with_marks(text: str, aligned: Aligned, span: Span, floor: int) -> tuple[int, int]:
    """The slice of the article, with the marks that touch it, so that **a bold sentence.** keeps both its ends."""
    start, end = aligned.to_original(span.start, span.end)
    before, after = aligned.removed_around(span.start, span.end, len(text))
    if before >= floor and not _BLANK.search(text, before, start):
        start = before
    if text.startswith("](", end) or not _BLANK.search(text, end, after):
        end = after
    return max(start, floor), end  # a cut within what one character stands for, such as a ligature


def _without(text: str, quoted: tuple[Quotation, ...]) -> str:
    if not quoted:
        return text
    kept, done = [], 0
    for quotation in quoted:
        kept += [text[done : quotation.start], PLACEHOLDER]
        done = quotation.end
    return "".join([*kept, text[done:]])


def _quoted_in(span: Span, quotations: list[Quotation]) -> tuple[Quotation, ...]:
    """The parts of the article's quotations that fall into one sentence, as offsets into the sentence."""
    first = bisect_right(quotations, span.start, key=attrgetter("end"))
    inside = takewhile(lambda quotation: quotation.start < span.end, islice(quotations, first, None))
    return tuple(
        Quotation(max(q.start, span.start) - span.start, min(q.end, span.end) - span.start, q.kind, q.speaker)
        for q in inside
    )


def _line_marks(text: str, aligned: Aligned) -> dict[int, str]:
    """Offsets of the clean lines before which a bullet, number, heading or quotation mark was taken away, and what."""
    if aligned.text == text:
        return {}
    found = {}
    at = done = 0
    for line in aligned.text.split("\n"):
        stripped = line.lstrip()
        if stripped:
            begin = at + len(line) - len(stripped)
            before, _ = aligned.to_original(begin, begin + 1)
            # Of a page without line ends, not what stands before.
            line_start = max(done, text.rfind("\n", 0, before) + 1)
            if mark := text[line_start:before].strip():
                found[begin] = _without_tags(mark)
            _, done = aligned.to_original(begin, begin + len(stripped.rstrip()))
        at += len(line) + 1
    return found


def _without_tags(mark: str) -> str:
    return _TAG.sub("", repair(mark).text if "&" in mark else mark).strip() if "<" in mark or "&" in mark else mark


def _line_around(text: str, start: int, end: int) -> str:
    stop = text.find("\n", end)
    return text[text.rfind("\n", 0, start) + 1 : stop if stop >= 0 else len(text)]
