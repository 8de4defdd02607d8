"""A text or Markdown file → what it says of itself at its head, its title, and the text."""

from __future__ import annotations

import re
from typing import Any

from loadedwords.articles.columns import COLUMN_NAMES, column_of

_LONGEST_TITLE = 150

_FENCED = re.compile(r"\s*---[ \t]*\r?\n(?P<lines>.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)", re.DOTALL)
_UNFENCED = re.compile(r"\s*(?P<lines>(?:[A-Za-z][\w -]{1,30}:[ \t]*\S[^\r\n]*\r?\n)+)[ \t]*\r?\n")
_FIELD = re.compile(r"([A-Za-z][\w -]{0,40}):[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_HEADING = re.compile(r"\s*#{1,2}[ \t]+([^\r\n]+?)[ \t#]*(?:\r?\n|$)\s*")
# A first line that stands alone.
_FIRST_LINE = re.compile(r"\s*+(\S[^\r\n]*+)(?:\r\n|\r|\n)[ \t]*+(?:\r\n|\r|\n)\s*+(?=\S)")
_ENDS_A_SENTENCE = re.compile(r"[.:;,]['\"”’)]*$")
_BYLINE = re.compile(r"by\s+[A-Z]|advertisement\b", re.IGNORECASE)
_NO_TEXT = tuple(kind for kind in COLUMN_NAMES if kind != "text")


def read_text(text: str, *, markdown: bool) -> dict[str, Any]:
    """The fields of a file, the text among them.

    Fields at its head stand between lines of three hyphens, or without these in a paragraph of their own ("Title: …").
    The title is one of them, a heading, or a first line that stands alone and does not end as a sentence does.
    """
    fields, text = _fields_at_head(text)
    heading = (_HEADING.match(text) if markdown else None) or _first_line(text)
    title = heading[1].strip() if heading else None
    named = column_of("title", fields, {})
    if heading is None or not text[heading.end() :].strip() or (named and fields[named] != title):
        return {**fields, "text": text}
    return {"title": title, **fields, "text": text[heading.end() :]}


def _first_line(text: str) -> re.Match[str] | None:
    first = _FIRST_LINE.match(text)
    if first is None:
        return None
    title = first[1].rstrip()
    if len(title) > _LONGEST_TITLE or _ENDS_A_SENTENCE.search(title) or _BYLINE.match(title):
        return None
    return first


def _fields_at_head(text: str) -> tuple[dict[str, Any], str]:
    for form in (_FENCED, _UNFENCED):
        head = form.match(text)
        if head is None:
            continue
        fields = {name: value.strip("\"'") for name, value in _FIELD.findall(head["lines"])}
        known = [kind for kind in _NO_TEXT if column_of(kind, fields, {})]
        # Without its fence it might as well be the beginning of the text.
        if form is _FENCED or ("title" in known and len(known) == len(fields)) or len(known) == len(fields) > 1:
            return {name: value for name, value in fields.items() if name.lower() != "text"}, text[head.end() :]
    return {}, text
