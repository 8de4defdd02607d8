"""From a raw record to an article: columns by their usual names, dates, encodings."""

from __future__ import annotations

import datetime
import email.utils
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loadedwords.schema import Article, Reject

# The longest article in the news corpora at hand has 51,000 characters; a million is a book or a mistake.
MAX_CHARACTERS = 1_000_000
COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "article_id"),
    "text": ("text", "body", "content", "article"),
    "outlet": ("outlet", "source", "publisher", "site"),
    "title": ("title", "headline"),
    "standfirst": ("standfirst", "subtitle", "deck", "dek", "lead", "description", "summary"),
    "date": ("date", "published", "published_at"),
    "url": ("url", "link"),
    "event_id": ("event_id", "event"),
    "topic": ("topic", "section", "desk"),
    "byline": ("byline", "author", "authors"),
}
# All but the text and the date.
SHORT_FIELDS = ("id", "outlet", "title", "standfirst", "url", "event_id", "topic", "byline")

_EARLIEST = datetime.date(1600, 1, 1)
_NOT_THIS_ENCODING = "not {encoding}: name the file's encoding with --encoding, such as cp1252, or save it as UTF-8"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class ReadOptions:
    """How to read.

    Attributes
    ----------
    columns : mapping of str to str
        Field (a key of `COLUMN_NAMES`) → the column that holds it, where the usual names don't serve.
    encoding : str
        Of text files.
    max_characters : int
        Longer articles are rejected.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    max_characters: int = MAX_CHARACTERS


@dataclass(frozen=True)
class Record:
    """One raw row: where it is, what it holds, and whether the file named its columns (a text file does not)."""

    line: int | None
    values: Mapping[str, Any]
    named: bool = True


def to_article(record: Record, file: str, options: ReadOptions, *, default_id: str) -> Article | Reject:
    values, names = record.values, list(record.values)
    if not record.named:
        options = replace(options, columns={})

    def value(kind: str) -> Any:
        column = column_of(kind, names, options)
        return None if column is None else values[column]

    text = value("text")
    fields = {kind: short_text(value(kind)) for kind in SHORT_FIELDS}
    trouble = missing_text(names, options) or _text_trouble(text, options)
    for content in (text, *fields.values()):
        trouble = trouble or (encoding_trouble(content, options) if content else None)
    if trouble:
        return Reject(file, record.line, trouble)
    date, note = read_date(value("date"))
    return Article(
        id=fields.pop("id") or default_id,
        text=text,
        date=date,
        source=file if record.line is None else f"{file}:{record.line}",
        notes=(note,) if note else (),
        **fields,
    )


def _text_trouble(text: Any, options: ReadOptions) -> str | None:
    if text is None or (isinstance(text, float) and math.isnan(text)):
        return "the text is null"
    if not isinstance(text, str):
        return f"the text is of type {type(text).__name__}, not a string"
    if not text.strip():
        return "the text is empty"
    if len(text) > options.max_characters:
        return f"the text has {len(text):,} characters, more than the {options.max_characters:,} of --max-characters"
    return None


def column_of(kind: str, names: Sequence[str], options: ReadOptions) -> str | None:
    """The column that holds a field: the one the user named, else the first of the usual names, in any case."""
    if kind in options.columns:
        named = options.columns[kind]
        return named if named in names else None
    lowered = {str(name).lower(): name for name in reversed(names)}
    return next((lowered[usual] for usual in COLUMN_NAMES[kind] if usual in lowered), None)


def missing_text(names: Sequence[str], options: ReadOptions) -> str | None:
    if column_of("text", names, options) is not None:
        return None
    looked = options.columns.get("text") or ", ".join(COLUMN_NAMES["text"])
    return f"no text column. Looked for: {looked}. Found: {', '.join(map(str, names))}. Name it with --text-column"


def encoding_trouble(text: str, options: ReadOptions) -> str | None:
    found = _SURROGATE.search(text)
    if found is None:
        return None
    if "\udc80" <= found[0] <= "\udcff":  # what an undecodable byte is read as
        return _NOT_THIS_ENCODING.format(encoding=options.encoding)
    return "the text holds half a surrogate pair, which is no character"


def short_text(value: Any) -> str | None:
    """A field as text; news APIs give the outlet as ``{"id": ..., "name": ...}``."""
    if isinstance(value, Mapping):
        value = value.get("name")
    if isinstance(value, (list, tuple)):  # authors
        value = ", ".join(str(part) for part in value if part is not None)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def read_date(value: Any) -> tuple[datetime.date | None, str | None]:
    """The date, or why there is none."""
    if isinstance(value, datetime.datetime):
        value = value.date()
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None, None
    found = value if isinstance(value, datetime.date) else _parse_date(str(value))
    if found is None:
        return None, f"date {str(value)[:40]!r} was not understood; write YYYY-MM-DD"
    latest = datetime.date.today() + datetime.timedelta(days=366)
    if not _EARLIEST <= found <= latest:
        return None, f"date {str(value)[:40]!r} is impossible and was left out"
    return found, None


def _parse_date(written: str) -> datetime.date | None:
    """ISO 8601, RFC 2822, or a date in English words; 7/6/18 is two days, so it is none."""
    try:
        return datetime.date.fromisoformat(written[:10])
    except ValueError:
        pass
    for style in ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%Y/%m/%d", "%Y%m%d"):
        try:
            return datetime.datetime.strptime(written, style).date()
        except ValueError:
            continue
    try:
        return email.utils.parsedate_to_datetime(written).date()
    except (ValueError, TypeError, OverflowError):
        return None
