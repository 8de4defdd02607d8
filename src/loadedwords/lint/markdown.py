"""Markdown: where title and standfirst stand, and what is no prose: code, links' targets, front matter, comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from loadedwords.articles.texts import fields_at_head
from loadedwords.lint.documents import LINE_END, Outline
from loadedwords.text.alignment import Edit
from loadedwords.text.words import PLACEHOLDER

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A\s*(---|\+\+\+)[ \t]*\r?\n.*?^(?:\1|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_REMOVED = (
    # Neither reaches past another one of its kind: many that are not closed would take for ever.
    re.compile(r"<!--(?:(?!<!--).)*?-->", re.DOTALL),
    re.compile(r"<(code|pre|kbd|samp|script|style)\b[^>]*>(?:(?!<\1\b).)*?</\1>", re.DOTALL | re.IGNORECASE),
    re.compile(r"^ {0,3}\[(?!\^)[^\]\n]+\]:[ \t]*\S.*$", re.MULTILINE),  # [name]: address
)
_REPLACED = (
    re.compile(r"(?<!`)(`+)(?!`)(?:[^\n]|\n(?![ \t]*\n))+?(?<!`)\1(?!`)"),
    re.compile(r"<(?:https?://|mailto:)[^>\s]+>"),
)
# The words of a link stay, those of an image don't.
_LABEL = r"(?:[^\[\]\n]|\[[^\[\]\n]*\])*"
_TARGET = r"(\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\]\[[^\[\]\n]*\])"
_LINK = re.compile(rf"(?<!!)(\[){_LABEL}{_TARGET}")
_IMAGE = re.compile(rf"!\[{_LABEL}{_TARGET}")


def outline_markdown(text: str) -> Outline:
    """Title is a heading of the first order at the top; standfirst, below it, one of the second or all in emphasis."""
    from markdown_it import MarkdownIt

    front = _FRONT_MATTER.match(text)
    head = front.end() if front else len(text) - len(fields_at_head(text)[1])
    edits = [Edit(0, head, "\n")] if head else []
    body = re.sub(r"[^\r\n]", " ", text[:head]) + text[head:]
    tokens = MarkdownIt("commonmark").parse(body)
    # As markdown-it counts lines; one more, for a block that ends with the text.
    lines = [0, *(match.end() for match in LINE_END.finditer(text)), len(text)]
    edits += [
        Edit(*_place(token, lines), "\n") for token in tokens if token.map and token.type in ("fence", "code_block")
    ]
    edits += _inline_edits(text)
    # A comment above the title is no block of the story.
    blocks = [token for token in tokens if token.level == 0 and token.map and token.type != "html_block"]
    headed = bool(blocks) and blocks[0].tag == "h1"
    title = _place(blocks[0], lines) if headed else None
    below = blocks[1] if headed and len(blocks) > 1 else None
    is_standfirst = below is not None and (
        below.tag == "h2" or (below.type == "paragraph_open" and _all_emphasis(tokens[tokens.index(below) + 1]))
    )
    return Outline(title, _place(below, lines) if below and is_standfirst else None, edits)


def _place(token: Token, lines: Sequence[int]) -> tuple[int, int]:
    assert token.map is not None
    return lines[token.map[0]], lines[min(token.map[1], len(lines) - 1)]


def _inline_edits(text: str) -> Iterator[Edit]:
    for pattern in (*_REMOVED, _IMAGE):
        for match in pattern.finditer(text):
            yield Edit(*match.span())
    for pattern in _REPLACED:
        for match in pattern.finditer(text):
            yield Edit(*match.span(), PLACEHOLDER)
    for match in _LINK.finditer(text):
        yield Edit(*match.span(1))
        yield Edit(*match.span(2))


def _all_emphasis(inline: Token) -> bool:
    children = [child for child in inline.children or () if child.content or child.type != "text"]
    if not children or children[0].type not in ("em_open", "strong_open"):
        return False
    closing = children[0].type.replace("open", "close")
    return next(at for at, child in enumerate(children) if child.type == closing and child.level == 0) == (
        len(children) - 1
    )
