"""A file → what of it is linted: title, standfirst and text, each with the way back to where it stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from loadedwords.articles import STDIN, ReadOptions
from loadedwords.articles.columns import column_of
from loadedwords.articles.decoding import decode_page
from loadedwords.articles.formats import BEGINS_PAGE, ending_of
from loadedwords.articles.reading import read_inputs
from loadedwords.articles.texts import fields_at_head, title_and_standfirst
from loadedwords.errors import DataError
from loadedwords.lint.silence import DIRECTIVE
from loadedwords.schema import Article, Reject
from loadedwords.text.alignment import Aligned, Edit, apply_edits
from loadedwords.text.words import PLACEHOLDER

PartName = Literal["title", "standfirst", "text"]
TextForm = Literal["text", "markdown", "html"]

_FORMS: dict[str, TextForm] = {".txt": "text", ".md": "markdown", ".html": "html", ".htm": "html"}
LINE_END = re.compile(r"\r\n|\r|\n")
_ADDRESS = re.compile(r"(?<!\]\()(?:https?://|www\.)[^\s<>()\[\]]+")


@dataclass(frozen=True)
class Part:
    """One part of a story: what it was read from and, aligned with that, what of it is scored."""

    name: PartName
    source: str
    aligned: Aligned


@dataclass(frozen=True)
class Document:
    """A story. All parts of a file share its text; those of a table's record are fields, and `record` is its line or row."""

    path: str
    parts: tuple[Part, ...]
    record: int | None = None

    @property
    def article(self) -> Article:
        """What is scored: the offsets in its fields are those of the parts' aligned texts."""
        fields = {part.name: part.aligned.text for part in self.parts}
        title, standfirst = fields.get("title"), fields.get("standfirst")
        return Article(self.path, fields.get("text", ""), title=title, standfirst=standfirst)


@dataclass(frozen=True)
class Outline:
    """Where title and standfirst stand in a text, and what of it is no prose."""

    title: tuple[int, int] | None
    standfirst: tuple[int, int] | None
    edits: Sequence[Edit]


def read_documents(
    file: Path | None, *, name: str | None = None, options: ReadOptions | None = None
) -> Iterator[Document | Reject]:
    """Read the stories of one file.

    Parameters
    ----------
    file : Path or None
        None is standard input: JSON lines, a page, or else one text.
    name : str, optional
        What standard input is called; its ending says what it holds.
    options : ReadOptions, optional

    Yields
    ------
    Document or Reject
        One for a text, Markdown or HTML file; of a table, one for each record.
    """
    path = name or (STDIN if file is None else str(file))
    form = _FORMS.get(ending_of(Path(path)))
    if form == "html":
        yield from _read_page(file, path)
        return
    # Where title and text stand in a text file is found below, since findings point into the file.
    options = replace(options or ReadOptions(), whole_texts=True)
    try:
        items = read_inputs(STDIN if file is None else file, options=options)
    except DataError as error:  # such as a column that this file has not
        yield Reject(path, None, str(error))
        return
    for item in items:
        if isinstance(item, Reject):
            yield item
        elif item.source == (STDIN if file is None else str(file)) and ending_of(file) != ".json":
            a_page = file is None and form is None and BEGINS_PAGE.match(item.text)
            yield make_document(item.text, path=path, form="html" if a_page else form or "text")
        else:
            yield _of_record(item, path)


def make_document(text: str, *, path: str = STDIN, form: TextForm = "text") -> Document:
    """The story in a text that was read already."""
    if form not in get_args(TextForm):
        raise DataError(f"form is {form!r}; it is one of {', '.join(get_args(TextForm))}.")
    if form == "html":
        from loadedwords.lint.pages import outline_page  # brings trafilatura, which is slow to import

        return Document(path, _parts(text, outline_page(text)))
    if form == "markdown":
        from loadedwords.lint.markdown import outline_markdown

        return Document(path, _parts(text, outline_markdown(text)))
    return Document(path, _parts(text, _outline_text(text)))


def _read_page(file: Path | None, path: str) -> Iterator[Document | Reject]:
    import sys

    from trafilatura.utils import handle_compressed_file

    if file is not None and file.exists() and not file.is_file():
        yield Reject(
            path, None, "it is a pipe or a device and no file: pass what comes from it on standard input, as -"
        )
        return
    try:
        page = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        yield Reject(path, None, f"{type(error).__name__}: {error}")
        return
    text = decode_page(handle_compressed_file(page))
    if not text.strip():
        yield Reject(path, None, "the file is empty")
        return
    document = make_document(text, path=path, form="html")
    yield document if document.parts else Reject(path, None, "no text was found in the page")


def _of_record(article: Article, path: str) -> Document:
    fields = [getattr(article, name) or "" for name in get_args(PartName)]
    parts = tuple(
        Part(name, text, apply_edits(text, _no_prose(text)))
        for name, text in zip(get_args(PartName), fields, strict=True)
        if text.strip()
    )
    line = article.source.rpartition(":")[2]
    return Document(path, parts, int(line) if line.isdigit() else 1)


def _outline_text(text: str) -> Outline:
    fields, story = fields_at_head(text)
    head = len(text) - len(story)
    found = dict(zip(("title", "standfirst"), title_and_standfirst(story), strict=True))

    def place(kind: PartName) -> tuple[int, int] | None:
        if (name := column_of(kind, fields, {})) is not None:  # the head's goes first, as where articles are read
            said = str(fields[name])
            start = text.find(said, 0, head)
            return (start, start + len(said)) if start >= 0 else None
        span = found[kind]
        return (span[0] + head, span[1] + head) if span and not DIRECTIVE.match(story[slice(*span)]) else None

    edits = _no_prose(text)
    return Outline(place("title"), place("standfirst"), [Edit(0, head), *edits] if head else edits)


def _no_prose(text: str) -> list[Edit]:
    """Directives and addresses, which no kind of text is linted for."""
    edits = [Edit(*match.span()) for match in DIRECTIVE.finditer(text)]
    return edits + [Edit(*match.span(), PLACEHOLDER) for match in _ADDRESS.finditer(text)]


def _parts(text: str, outline: Outline) -> tuple[Part, ...]:
    edits = [*outline.edits, *_no_prose(text)]
    spans: dict[PartName, tuple[int, int] | None] = {"title": outline.title, "standfirst": outline.standfirst}
    apart = {name: span for name, span in spans.items() if span}
    parts = [
        Part(name, text, apply_edits(text, [Edit(0, start), *_within(edits, start, end), Edit(end, len(text))]))
        for name, (start, end) in apart.items()
    ]
    without = [edit for edit in edits if not any(start <= edit.start < end for start, end in apart.values())]
    parts.append(Part("text", text, apply_edits(text, [*without, *(Edit(*span, "\n") for span in apart.values())])))
    return tuple(part for part in parts if part.aligned.text.strip())


def _within(edits: Sequence[Edit], start: int, end: int) -> list[Edit]:
    return [edit for edit in edits if start <= edit.start and edit.end <= end]
