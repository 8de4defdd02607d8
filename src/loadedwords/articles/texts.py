"""A text or Markdown file → what it says of itself at its head, its title, and the text."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from loadedwords.articles.columns import COLUMN_NAMES, column_of
from loadedwords.articles.dates import read_date

_LONGEST_TITLE, _LONGEST_STANDFIRST = 150, 300
_LINE_ALONE = re.compile(r"\s*+(\S[^\r\n]*+)(?>\r\n|\r|\n)[ \t]*+(?>\r\n|\r|\n)\s*+\S")
_ENDS_A_SENTENCE = re.compile(r"[.:;,]['\"”’)]*$")
_NO_TITLE = re.compile(r"by\s+\w|advertisement\b", re.IGNORECASE)
# A byline, a date, a section: what has fewer than four words, too.
_NO_STANDFIRST = re.compile(r"(?i:by|from)\b|\W*\w+\W+(?:\w+\W*){0,2}$")
# A turn of an interview: "MAYOR LEE: ", "Q: ". Alone, a headline may begin so.
_TURN = re.compile(r"\s*(?:[A-Z][A-Z.’'-]*[ \t]?){1,4}:[ \t]")
_HEADING = re.compile(r"\s*#[ \t]+([^\r\n]+?)[ \t#]*(?:\r?\n|$)")
_HEADING_BELOW = re.compile(r"\s*(?:##[ \t]+|([*_]{1,3})(?=\S))([^\r\n]+?)(?:(?<=\S)\1|[ \t#]*)[ \t]*(?:\r?\n|$)")

_FENCED = re.compile(r"\s*---[ \t]*\r?\n(?P<lines>.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n\s*|$)", re.DOTALL)
_FENCED_TOML = re.compile(
    r"\s*\+\+\+[ \t]*\r?\n(?P<lines>.*?)\r?\n\+\+\+[ \t]*(?:\r?\n\s*|$)", re.DOTALL
)  # as Hugo has it
_UNFENCED = re.compile(r"\s*(?P<lines>(?:[A-Za-z][\w -]{1,30}:[ \t]*\S[^\r\n]*\r?\n)+)[ \t]*\r?\n")
_FIELD = re.compile(r"([A-Za-z][\w -]{0,40}):[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_NO_TEXT = tuple(kind for kind in COLUMN_NAMES if kind != "text")


def read_text(text: str, *, markdown: bool) -> dict[str, Any]:
    """The fields of a file, the text among them.

    Fields at its head stand between lines of three hyphens, in TOML of three plus signs, or without these in a paragraph of their own ("Title: …").
    Title and standfirst are among them, or headings, or lines that stand alone and do not end as a sentence does.
    """
    fields, text = fields_at_head(text)
    headings = _headings(text) if markdown else None
    title, standfirst = headings or title_and_standfirst(text)
    apart: dict[str, Any] = {}
    # A heading is the title on the page, though the head may have another for lists and searches; a line alone need not be.
    if title and (headings or column_of("title", fields, {}) is None):
        apart["title"] = text[slice(*title)]
        if standfirst and (headings or column_of("standfirst", fields, {}) is None):
            apart["standfirst"] = text[slice(*standfirst)]
        end = (standfirst if "standfirst" in apart and standfirst else title)[1]
        below = re.compile(r"[^\r\n]*\s*").match(text, end)
        text = text[below.end() :] if below else text
    return {**apart, **fields, "text": text}


def title_and_standfirst(text: str) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Where they stand in plain text: lines alone at its beginning that do not end as a sentence does."""
    title = _line_alone(text, 0, _LONGEST_TITLE)
    if title is None or _NO_TITLE.match(text, title[0]):
        return None, None
    if _TURN.match(text, title[1]):
        return None if _TURN.match(text, title[0]) else title, None
    standfirst = _line_alone(text, title[1], _LONGEST_STANDFIRST)
    return title, None if standfirst and _NO_STANDFIRST.match(text[slice(*standfirst)]) else standfirst


def _line_alone(text: str, at: int, longest: int) -> tuple[int, int] | None:
    """The next line, if a blank one and more follow, it is short, and it does not end as a sentence does."""
    first = _LINE_ALONE.match(text, at)
    if first is None:
        return None
    line = first[1].rstrip()
    is_alone = len(line) <= longest and not _ENDS_A_SENTENCE.search(line)
    return (first.start(1), first.start(1) + len(line)) if is_alone else None


def _headings(text: str) -> tuple[tuple[int, int], tuple[int, int] | None] | None:
    """Markdown's heading of the first order at the top, and below it one of the second or a line in emphasis."""
    title = _HEADING.match(text)
    if title is None or not text[title.end() :].strip():
        return None
    below = _HEADING_BELOW.match(text, title.end())
    return title.span(1), below.span(2) if below and text[below.end() :].strip() else None


def fields_at_head(text: str) -> tuple[dict[str, Any], str]:
    """What a text says of itself before it begins, and the text from there on."""
    if head := _FENCED_TOML.match(text):
        try:
            fields = tomllib.loads(head["lines"])
        except tomllib.TOMLDecodeError:  # plus signs in a text
            return {}, text
        return {name: value for name, value in fields.items() if name.lower() != "text"}, text[head.end() :]
    for form in (_FENCED, _UNFENCED):
        head = form.match(text)
        if head is None:
            continue
        fields = {name: value.strip("\"'") for name, value in _FIELD.findall(head["lines"])}
        known = [kind for kind in _NO_TEXT if column_of(kind, fields, {})]
        # Without its fence it might as well be the beginning of the text, or a headline with a colon in it.
        if form is _FENCED or (len(known) == len(fields) and (len(fields) > 1 or _is_no_headline(known[0], fields))):
            return {name: value for name, value in fields.items() if name.lower() != "text"}, text[head.end() :]
    return {}, text


def _is_no_headline(kind: str, field: dict[str, Any]) -> bool:
    ((name, value),) = field.items()
    return kind == "title" or name.islower() or (kind == "date" and read_date(value)[0] is not None)
