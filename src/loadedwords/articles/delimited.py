"""Rows of `.csv` and `.tsv` files: which sign parts the fields, how quotation marks are written, and where a row ends.

Python's reader takes a broken row for over at the end of its line. With texts of several lines that makes the rest of a
text into rows of their own: an article and an outlet that nobody wrote. Here a row that can't be read is left out as a
whole, and reading goes on where the next one is sure to begin.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from loadedwords.articles.columns import column_of, host_of, missing_text
from loadedwords.articles.dates import read_date
from loadedwords.articles.sources import Text

_SAMPLE_ROWS = 60
# Lines looked through for the end of a row that can't be read.
_FURTHEST = 2_000
# A word with a number in it, which a text that goes on after a line end hardly begins with, a comma behind it.
_ID = re.compile(r"\S*\d\S*")
# How Excel is told the sign.
_SIGN_TOLD = re.compile(r"\s*\"?sep=([^\r\n])\"?\r?\n", re.IGNORECASE)
_NEVER_CLOSED = "a quotation mark that opens a field here is never closed"
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright lines"}


@dataclass(frozen=True)
class Dialect:
    """What parts the fields, and whether a quotation mark at a field's beginning means anything."""

    delimiter: str
    quoted: bool = True

    @property
    def name(self) -> str:
        parted = _NAMES.get(self.delimiter, repr(self.delimiter))
        return parted if self.quoted else f"{parted}, no quotation marks around fields"


@dataclass(frozen=True)
class Row:
    """A row and the line it begins in; in place of fields that can't be read, the trouble."""

    line: int
    fields: Sequence[str]
    trouble: str | None = None


def find_dialect(head: str, ending: str, chosen: Mapping[str, str], delimiter: str | None = None) -> Dialect:
    """The dialect in which the first row names a text and the next rows have as many fields.

    By `head`, the beginning of the file, and its `ending`: ".tsv" has tabs where nothing speaks for another sign,
    anything else commas. Columns are `chosen`, and the `delimiter` told, by the user.
    """
    if told := _SIGN_TOLD.match(head):
        delimiter, head = delimiter or told[1], head[told.end() :]
    head = head.lstrip("\r\n")
    signs = [delimiter] if delimiter else sorted(_NAMES, key=lambda sign: sign != {".tsv": "\t"}.get(ending, ","))
    # Fields with tabs are often written without any quotation marks; then those in a text are only signs.
    dialects = [Dialect(sign, quoted) for sign in signs for quoted in ((True, False) if sign == "\t" else (True,))]
    lines = head.splitlines(keepends=True)

    def fit(dialect: Dialect) -> tuple[bool, bool, float]:
        rows = list(islice(_sample(lines, dialect), _SAMPLE_ROWS))
        header = [name.strip() for name in rows[0] or []] if rows else []
        fitting = sum(row is not None and len(row) == len(header) for row in rows[1:])
        return missing_text(header, chosen) is None, len(header) > 1, fitting / max(len(rows) - 1, 1)

    return max(dialects, key=fit)


def _sample(lines: Sequence[str], dialect: Dialect) -> Iterator[list[str] | None]:
    feed = _Feed(iter(lines))
    while True:
        row = _parse(feed, dialect)
        if row is None:
            return
        # The last row may be cut.
        yield None if isinstance(row, str) else row
        feed.go_on()


def read_rows(text: Text, dialect: Dialect, chosen: Mapping[str, str], limit: int) -> Iterator[Row]:
    """The header, then the rows; a field has `limit` characters at most, and columns are `chosen` by the user."""
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    feed = _Feed(iter(lambda: _line(text, 2 * limit), ""))
    header = _parse(feed, dialect)
    while isinstance(header, list) and (not header or _SIGN_TOLD.match(feed.taken[0])):
        feed.go_on()
        header = _parse(feed, dialect)
    if header is None:
        return
    if isinstance(header, str):
        yield Row(feed.number, (), f"no valid CSV: {header}")
        return
    header = [name.strip() for name in header]
    yield Row(feed.number, header)
    begins = _row_begins(header, chosen, dialect)
    while True:
        feed.go_on()
        row = _row(feed, dialect, len(header))
        if row is None:
            return
        if not isinstance(row, str):
            if len(row) > len(header):
                told = f"{len(row)} fields where the header has {len(header)}; is a field with a {dialect.delimiter!r} unquoted?"
                yield Row(feed.number, (), told.replace("a ','", "a comma"))
            elif row:
                yield Row(feed.number, row)
            continue
        length = _length_of_broken(feed, begins, row)
        if length < len(feed.taken) and dialect.quoted:  # it ran into rows that are none of it
            row = _NEVER_CLOSED
        feed.keep(length)
        upto = f"lines {feed.number:,} to {feed.number + len(feed.taken) - 1:,}: " if len(feed.taken) > 1 else ""
        yield Row(feed.number, (), upto + row)


def _row(feed: _Feed, dialect: Dialect, n: int) -> list[str] | str | None:
    """The next row, or what is wrong with it."""
    row = _parse(feed, dialect)
    raw = "".join(feed.taken)
    if dialect.quoted and '\\"' in raw:  # some programs write a quotation mark in a text as \", not as ""
        feed.keep(0)
        escaped = _parse(feed, dialect, escapechar="\\")
        readable = isinstance(row, list) and len(row) <= n and '""' in raw
        if isinstance(escaped, list) and (len(escaped) == n or (len(escaped) < n and not readable)):
            return escaped
        feed.keep(0)
        row = _parse(feed, dialect)
    if dialect.delimiter == "\t" and dialect.quoted and (isinstance(row, str) or (row and len(row) != n)):
        fields = feed.taken[0].rstrip("\r\n").split("\t")
        if len(fields) == n:
            feed.keep(1)
            return fields
    if isinstance(row, str):
        return _trouble(row)
    return row


def _trouble(error: str) -> str:
    if "unexpected end of data" in error:
        return _NEVER_CLOSED
    return f"no valid CSV: {error}"


def _length_of_broken(feed: _Feed, begins: Callable[[str], bool], trouble: str) -> int:
    """How many lines the broken row at the feed's place takes: up to one that begins a row, or closes all quotation marks."""
    length = len(feed.taken)
    marks = 0
    for n, line in enumerate(feed.look_on(_FURTHEST)):
        if n and begins(line):
            return n
        marks += line.count('"') - line.count('\\"')
        if marks % 2 == 0 and n + 1 >= length and trouble != _NEVER_CLOSED:
            return n + 1
    return length


def _row_begins(header: Sequence[str], chosen: Mapping[str, str], dialect: Dialect) -> Callable[[str], bool]:
    """Whether a line begins a row: it has an id, a date or an address before the text, and no text has that by chance."""
    text = column_of("text", header, chosen)
    before = list(header[: header.index(text)]) if text in header else []
    kinds = {kind: column_of(kind, before, chosen) for kind in ("id", "date", "url")}
    places = [(kind, before.index(column)) for kind, column in kinds.items() if column in before]

    def begins(line: str) -> bool:
        fields = _parse(_Feed(iter([line])), dialect, strict=False)
        if not places or not isinstance(fields, list) or not len(before) < len(fields) <= len(header):
            return False
        told = [(kind, fields[place]) for kind, place in places]
        return all(
            (kind == "id" and _ID.fullmatch(value))
            or (kind == "url" and host_of(value) is not None)
            or (kind == "date" and read_date(value, day_first=True)[0] is not None)
            for kind, value in told
        )

    return begins


class _Feed:
    """Lines, of which those taken since the last `go_on` can be put back; `number` is that of the first of them."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        return line

    def keep(self, n: int) -> None:
        """Have taken exactly `n` lines."""
        self._back.extendleft(reversed(self.taken[n:]))
        del self.taken[n:]
        for _ in range(n - len(self.taken)):
            next(self, None)

    def look_on(self, n: int) -> Iterator[str]:
        """Those taken and, up to `n`, those that follow."""
        for at in range(max(n, len(self.taken))):
            if at == len(self.taken) and next(self, None) is None:
                return
            yield self.taken[at]

    def go_on(self) -> None:
        self.number += len(self.taken)
        self.taken = []


def _parse(feed: _Feed, dialect: Dialect, **settings: object) -> list[str] | str | None:
    """One row; None at the end; what is wrong with it, where it can't be read."""
    given: dict[str, object] = {"strict": True, "quoting": csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE}
    try:
        return next(csv.reader(feed, delimiter=dialect.delimiter, **(given | settings)), None)  # type: ignore[arg-type]
    except csv.Error as error:
        return str(error)


def _line(text: Text, limit: int) -> str:
    """The next line; of one too long to be a row only its beginning, which can't be read either."""
    line = text.line(limit)
    rest = line
    while len(rest) >= limit and not rest.endswith("\n"):
        rest = text.line(limit)
    return line
