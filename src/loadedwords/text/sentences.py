"""Where the sentences of a clean text are: prose, headlines and bullet points alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sentencex import get_sentence_boundaries

from loadedwords.text.alignment import Edit, apply_edits
from loadedwords.text.speakers import asked_by_name
from loadedwords.text.stretches import stripped

# Nothing anybody wrote as one sentence is longer; tables and lists without full stops are.
LONGEST = 1500
# The splitter's time grows with the square of a line's length where quotation marks don't match.
LONGEST_BLOCK = 10_000
# Nobody wraps lines wider, in characters.
_WIDEST = 120
# Of a line's indentation, which may have been as deep, a clean text keeps one blank.
_INDENT = 8

# Each pattern begins with characters that are rare or is asked only where the cheap one before it finds some: blocks without
# are most, and a pattern that begins by looking back is tried at every character.
# An apostrophe outside a word ("'90s", "players'") passes for one with the splitter.
_QUOTE_MARK = re.compile(r"[\"″＂“”„‟«»‹›‚`'‘’](?:(?<=[\"″＂“”„‟«»‹›‚`])|(?<=['‘])(?<!\w['‘])|(?<=['’])(?!\w))")
# "…the tax rates.The president": a paragraph break that a scraper lost. Addresses are left alone.
_MAY_LOSE_BREAK = re.compile(r"[.!?][\"”’'»›)]{0,2}[“‘«‹`]{0,2}[A-Z]")
_LOST_BREAK = re.compile(r"(?<!\S)[^\s@./:]*[a-z]{3}[.!?][\"”’'»›)]{0,2}(?=[“‘«‹`]{0,2}[A-Z][a-z’']*[\s,])")
# "(He left. She stayed.) The mayor": whole sentences in brackets, which may hold others.
_BRACKETED = re.compile(
    r"[(\[](?:[^()\[\]]|[(\[][^()\[\]]{0,100}[)\]]){3,1500}+(?:(?<=[.!?…])|(?<=[.!?…][\"”’'»]))[)\]](?!\S)"
)
# The splitter takes the month, and the name, for an abbreviation; nobody abbreviates it.
_MAY = re.compile(r"\bMay(?=\.\s)")
# "on Monday.[3] The mayor", "on Monday.¹ The mayor"; or a bare number, as what takes tags out leaves <sup>1</sup>.
_MAY_HAVE_FOOTNOTE = re.compile(r"[.!?…\"”’)][\[¹²³⁰⁴-⁹\d]")
_FOOTNOTE = re.compile(
    r"(?<=[.!?…\"”’)])(?:(?:\[(?:\d{1,3}|[a-z]|\^[\w-]{1,20})\])+|[¹²³⁰⁴-⁹]+)(?=\s)"
    r"|(?<=[a-z]{3}[.!?]|[a-z]{2}[.!?][\"”’)])\d{1,3}(?=\s+[A-Z“\"])"
)
# Titles and the like that the splitter does not know; a name follows them.
_ABBREVIATED = re.compile(
    r"\b(?:Ms|Mss|Mmes|Messrs|Fmr|Sens|Reps|Govs|Gens|Drs|Revs|Profs|Supt|Det|Ofc|Cmdr|Cmdt|Spc|Pfc|Adm|Asst|Assn|Dept"
    r"|Univ|Atty|Comm|Amb|Min|Pres|Ft|Cllr|Ald)\. $"
)
_BEFORE_NUMBER = re.compile(r"\b(?:approx|vols?|ch|paras?)\. $", re.IGNORECASE)
_TIME_OF_DAY = re.compile(r"\b[ap]\.m\. $", re.IGNORECASE)
_AFTER_TIME = re.compile(
    r"(?:[A-Z]{2,4}\b|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:Eastern|Pacific|Central|Mountain)\b)"
)
_ENDS_SENTENCE = re.compile("[.!?:;…][\"”’')\\]]*$")
_QUESTION_QUOTED = re.compile("[?!…](?:[\"”’'»›]+| [”»›])$")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_OPENING = frozenset("\"″＂“„‟«»‹›‚`‘'([")
_OPENING_ONLY = frozenset("“„«‹‚`‘([")


@dataclass(frozen=True)
class Span:
    """A slice of a text, and the number of the paragraph it is in."""

    start: int
    end: int
    paragraph: int


def find_sentences(text: str, list_lines: frozenset[int] = frozenset()) -> list[Span]:
    """Split clean text into sentences, in order, without white space around them; every letter and digit is in one.

    A line end ends a sentence and its paragraph, unless the lines were wrapped by hand; those at the offsets
    `list_lines`, which a bullet, number or heading mark introduced, are never joined to the one before. Quotation marks
    do not hold sentences together: three quoted sentences are three sentences.
    """
    found: list[Span] = []
    number = -1
    paragraphs = list(_paragraphs(text))
    width = _wrapped_at(text, paragraphs, list_lines)
    for lines in paragraphs:
        for line_start, line_end in _joined_lines(text, lines, list_lines, width):
            number += 1
            for start, end in _cut(text, line_start, line_end, LONGEST_BLOCK, ". ", " "):
                for piece_start, piece_end in _split_block(text, start, end):
                    pieces = _cut(text, piece_start, piece_end, LONGEST, "; ", ", ", " ")
                    found.extend(Span(s, e, number) for s, e in pieces)
    return found


def _paragraphs(text: str) -> Iterator[list[tuple[int, int]]]:
    """Each paragraph as the offsets of its lines, white space at their ends left out."""
    lines: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped:
            begin = start + line.index(stripped[0])
            lines.append((begin, begin + len(stripped)))
        elif lines:
            yield lines
            lines = []
        start += len(line) + 1
    if lines:
        yield lines


def _wrapped_at(text: str, paragraphs: list[list[tuple[int, int]]], list_lines: frozenset[int]) -> int:
    """The width at which an editor wrapped all of an article; 0 where it did not."""
    pairs = [(before, after) for lines in paragraphs for before, after in pairwise(lines) if after[0] not in list_lines]
    if len(pairs) < 2:
        return 0
    # One line in twenty may be wider: a headline, or an address that could not be broken.
    lengths = sorted(end - start for (start, end), _ in pairs)
    width = lengths[len(lengths) * 19 // 20]
    filled = [_fills(text, before, after, width) for before, after in pairs]
    # The other lines end paragraphs that no empty line parts.
    ended = sum(
        not full and _ENDS_SENTENCE.search(text, max(before[1] - 9, 0), before[1]) is not None
        for full, (before, _) in zip(filled, pairs, strict=True)
    )
    going_on = sum(full and text[after[0]].islower() for full, (_, after) in zip(filled, pairs, strict=True))
    wrapped = sum(filled) + ended >= 0.8 * len(pairs) and going_on >= 0.4 * sum(filled)
    return width if wrapped and width <= _WIDEST else 0


def _fills(text: str, line: tuple[int, int], following: tuple[int, int], width: int) -> bool:
    """Whether the next line's first word had no room in a line."""
    indented = _INDENT if text[line[0] - 1 : line[0]] == " " else 0
    word_end = text.find(" ", *following)
    word_end = word_end if word_end >= 0 else following[1]
    return indented + line[1] - line[0] + 1 + word_end - following[0] > width


def _joined_lines(
    text: str, lines: list[tuple[int, int]], list_lines: frozenset[int], width: int
) -> list[tuple[int, int]]:
    """Join the lines that were one before somebody wrapped them, all of the article at `width` if that is not 0."""
    wrapped = _looks_wrapped(text, lines, list_lines)
    blocks = lines[:1]
    for line, (start, end) in pairwise(lines):
        begun, stop = blocks[-1]
        cut_short = text[start].islower() and not _ENDS_SENTENCE.search(text, max(stop - 9, 0), stop)
        filled = width and _fills(text, line, (start, end), width)
        if start not in list_lines and (wrapped or cut_short or filled):
            blocks[-1] = (begun, end)
        else:
            blocks.append((start, end))
    return blocks


def unwrapped(text: str) -> list[str]:
    """The paragraphs of a text that may have been wrapped by hand."""
    paragraphs = list(_paragraphs(text))
    width = _wrapped_at(text, paragraphs, frozenset())
    joined = (_joined_lines(text, lines, frozenset(), width) for lines in paragraphs)
    return [" ".join(text[start:end].split()) for blocks in joined for start, end in blocks]


def _looks_wrapped(text: str, lines: list[tuple[int, int]], list_lines: frozenset[int]) -> bool:
    """Whether all lines but the last are of like length, as a wrapping editor leaves them, and many go on."""
    if len(lines) < 3:
        return False
    lengths = [end - start for start, end in lines[:-1]]
    following = [start for start, _ in lines[1:]]
    return (
        max(lengths) <= _WIDEST
        and min(lengths) >= 0.6 * max(lengths)
        and list_lines.isdisjoint(following)
        and sum(text[start].islower() for start in following) >= 0.4 * len(following)
    )


def _split_block(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Split lines that belong together, with what the splitter misreads out of its sight."""
    block = text[start:end]
    edits = [Edit(*match.span()) for match in _QUOTE_MARK.finditer(block)]
    edits += [Edit(*match.span(), " ") for match in re.finditer("\n", block)]
    if _MAY_LOSE_BREAK.search(block):
        edits += [Edit(match.end(), match.end(), " ") for match in _LOST_BREAK.finditer(block)]
    if _MAY_HAVE_FOOTNOTE.search(block):
        edits += [Edit(*match.span()) for match in _FOOTNOTE.finditer(block)]
    for match in _BRACKETED.finditer(block):
        if _begins(block, match.start()):
            edits += [Edit(match.start(), match.start() + 1), Edit(match.end() - 1, match.end())]
    edits += [Edit(*match.span(), "...") for match in re.finditer(r"…(?! ?\.)", block)]
    edits += [Edit(*match.span(), "June") for match in _MAY.finditer(block)]
    bare = apply_edits(block, edits)
    begin = start
    for boundary in get_sentence_boundaries("en", bare.text)[1:]:
        at = boundary["start_index"]
        if _goes_on(bare.text, at):
            continue
        cut = _before_opening_marks(text, begin, start + bare.to_original(at, at + 1)[0])
        asked = stripped(text, begin, cut)[1]
        if _QUESTION_QUOTED.search(text, max(begin, asked - 9), asked) and asked_by_name(text, cut):
            continue
        if _LETTER_OR_DIGIT.search(text, begin, cut) and _LETTER_OR_DIGIT.search(text, cut, end):
            yield stripped(text, begin, cut)
            begin = cut
    if _LETTER_OR_DIGIT.search(text, begin, end):
        yield stripped(text, begin, end)


def _begins(block: str, at: int) -> bool:
    """Whether what stands before ends a sentence, if anything does."""
    end = stripped(block, 0, at)[1]
    return not end or _ENDS_SENTENCE.search(block, max(end - 9, 0), end) is not None


def _goes_on(text: str, at: int) -> bool:
    """Whether the splitter cut a sentence in two: "D-N.|Y.", "Yahoo! | said so", "Ms. | Ames", "5 p.m. | Monday"."""
    if not text[at - 1].isspace() or text[at].islower() or _ABBREVIATED.search(text, max(0, at - 10), at):
        return True
    if text[at] in "$£€" or text[at].isdigit():
        return bool(_BEFORE_NUMBER.search(text, max(0, at - 8), at))
    return bool(_TIME_OF_DAY.search(text, max(0, at - 6), at) and _AFTER_TIME.match(text, at))


def _before_opening_marks(text: str, begin: int, cut: int) -> int:
    """Move a cut to the left of the marks that open what follows."""
    if cut - 1 > begin and text[cut - 1].isspace() and text[cut - 2] in _OPENING_ONLY:  # « with a blank behind it »
        at = _before_opening_marks(text, begin, cut - 1)
        return at if at == begin or text[at - 1].isspace() else cut
    at = cut
    while at > begin and text[at - 1] in _OPENING:
        at -= 1
    if at == begin or text[at - 1].isspace():
        return at
    while cut > begin and text[cut - 1] in _OPENING_ONLY:
        cut -= 1
    return cut


def _cut(text: str, start: int, end: int, longest: int, *marks: str) -> Iterator[tuple[int, int]]:
    """Cut what is too long after the last mark that fits, the first kind of mark that is there at all."""
    while end - start > longest:
        at = next((at for mark in marks if (at := text.rfind(mark, start + longest // 2, start + longest)) >= 0), None)
        cut = start + longest if at is None else at + 1
        yield stripped(text, start, cut)
        start, _ = stripped(text, cut, end)
    if start < end:
        yield start, end
