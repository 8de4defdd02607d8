"""HTML: where title and standfirst stand in a page, and what of it is no prose: tags, scripts, menus, code."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from typing import Literal

from loadedwords.lint.documents import Outline
from loadedwords.text.alignment import Edit
from loadedwords.text.html import STANDFIRST, extract_article
from loadedwords.text.words import letters

Role = Literal["title", "standfirst", "skipped", "quotation", "text"]
# What is in several is of the first of these.
_RANKED: tuple[Role, ...] = ("skipped", "title", "standfirst", "quotation", "text")

_SKIPPED = frozenset(
    """button code footer form head kbd nav noscript pre samp script select style svg template textarea""".split()  # noqa: SIM905
)
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905
_INLINE = frozenset(
    """a abbr b big cite code del dfn em font i img ins kbd mark q s samp small span strike strong sub sup time u var
    wbr""".split()  # noqa: SIM905
)
_MOST_UNCLOSED = 50  # comments and the like: no page is written so
_ENDS = 40  # letters by which a passage is known again in the article


@dataclass(frozen=True)
class _Piece:
    """A tag, a comment or a run of text: where it starts, what it is, and the block it is in."""

    start: int
    tag: str | None
    role: Role
    block: int


class _Walk(HTMLParser):
    """Notes for every piece of a page what encloses it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self._lines = [0, *(match.end() for match in re.finditer("\n", page))]
        self._open: list[tuple[str, Role]] = [("", "text")]  # each with the role that it and what encloses it make
        self._n_open: Counter[str] = Counter()
        self._block = 0
        self._titled = False
        self.pieces: list[_Piece] = []
        end = _readable(page)
        self.feed(page[:end])
        self.close()
        if end < len(page):
            self.pieces.append(_Piece(end, "!", self._open[-1][1], self._block))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break_at(tag)
        if tag not in _INLINE and self._open and self._open[-1][0] == "p":
            self._n_open[self._open.pop()[0]] -= 1
        if tag not in _VOID:
            role = min(self._role_of(tag, dict(attrs)), self._open[-1][1], key=_RANKED.index)
            self._open.append((tag, role))
            self._n_open[tag] += 1
        self._note(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._break_at(tag)
        self._note(tag)

    def handle_endtag(self, tag: str) -> None:
        self._break_at(tag)
        self._note("/q" if tag == "q" else tag)
        while self._n_open[tag]:
            closed, _ = self._open.pop()
            self._n_open[closed] -= 1
            if closed == tag:
                break

    def _see_text(self, *_: object, **__: object) -> None:
        self._note(None)

    def _see_other(self, *_: object, **__: object) -> None:
        self._note("!")

    handle_data = handle_entityref = handle_charref = _see_text
    handle_comment = handle_decl = handle_pi = unknown_decl = _see_other

    def _break_at(self, tag: str) -> None:
        self._block += tag not in _INLINE

    def _role_of(self, tag: str, attributes: dict[str, str | None]) -> Role:
        if tag in _SKIPPED or "hidden" in attributes:
            return "skipped"
        if tag == "h1" and not self._titled:
            self._titled = True
            return "title"
        named = any(STANDFIRST.fullmatch(name) for name in (attributes.get("class") or "").split())
        if attributes.get("role") == "doc-subtitle" or named:
            return "standfirst"
        return "quotation" if tag == "blockquote" else "text"

    def _note(self, tag: str | None) -> None:
        line, column = self.getpos()
        self.pieces.append(_Piece(self._lines[line - 1] + column, tag, self._open[-1][1], self._block))


def _readable(page: str) -> int:
    """How far a page can be read: Python's parser looks for the end of a tag or comment that has none from each of them anew."""
    end = len(page)
    for opening, closing in (("<!--", "-->"), ("<![", "]>"), ("<", ">")):
        last = page.rfind(closing) + 1
        if page.count(opening, last) > _MOST_UNCLOSED:
            end = min(end, page.find(opening, last))
    return end


def outline_page(page: str) -> Outline:
    """Title is the first h1; standfirst what calls itself so; text what the reader of pages takes for the article.

    Where it finds no article, as in a fragment, all of the page's text is linted.
    """
    pieces = _Walk(page).pieces
    ends = [*(piece.start for piece in pieces[1:]), len(page)]
    slices = list(zip(pieces, ends, strict=False))  # a page without any piece has one end
    kept = _article_blocks(page, slices)
    edits: list[Edit] = []
    places: dict[Role, tuple[int, int]] = {}
    for piece, end in slices:
        if piece.tag is not None:
            edits.append(Edit(piece.start, end, _in_place_of(piece)))
        elif piece.role == "skipped" or piece.block not in kept:
            edits.append(Edit(piece.start, end))
        else:
            edits += [Edit(piece.start + m.start(), piece.start + m.end(), " ")
                      for m in re.finditer(r"[\r\n]\s*", page[piece.start : end])]  # fmt: skip
            first, _ = places.get(piece.role, (piece.start, end))
            places[piece.role] = (first, end)
    return Outline(places.get("title"), places.get("standfirst"), edits)


def _in_place_of(piece: _Piece) -> str:
    marks = {"q": "“", "/q": "”", "!": ""}
    if piece.tag in marks:
        return marks[piece.tag]
    if piece.tag in _INLINE:
        return ""
    return "\n> " if piece.role == "quotation" else "\n"


def _article_blocks(page: str, slices: list[tuple[_Piece, int]]) -> set[int]:
    """The blocks that the reader of pages found again in the article, and title and standfirst."""
    passages: dict[int, list[str]] = defaultdict(list)
    always = set()
    for piece, end in slices:
        if piece.tag is None and piece.role != "skipped":
            passages[piece.block].append(page[piece.start : end])
            if piece.role in ("title", "standfirst"):
                always.add(piece.block)
    blocks = {block: "".join(of) for block, of in passages.items()}
    article = extract_article(page.encode("utf-8", "replace").decode())
    if article is None:
        return set(blocks)
    lines = {letters(line) for line in article["text"].splitlines()}
    everything = "".join(map(letters, article["text"].splitlines()))
    in_lines = "\n".join(["", *lines, ""])

    def is_article(text: str) -> bool:
        found = letters(unescape(text))
        if len(found) < _ENDS:
            # Several may be one line there; a single word may as well be of a menu.
            at_an_end = f"\n{found}" in in_lines or f"{found}\n" in in_lines
            return found in lines or (at_an_end and " " in text.strip())
        return found[:_ENDS] in everything or found[-_ENDS:] in everything

    return always | {block for block, text in blocks.items() if is_article(text)}
