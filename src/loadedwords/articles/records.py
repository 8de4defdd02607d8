"""From a raw record to an article, or to a reject that says why not."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from loadedwords.articles.columns import (
    COLUMN_NAMES,
    SHORT_FIELDS,
    column_of,
    field_text,
    host_of,
    missing_text,
    option_of,
    value_of,
)
from loadedwords.articles.dates import read_date
from loadedwords.errors import DataError
from loadedwords.schema import Article, Reject

# The longest article in the news corpora at hand has 51,000 characters; a million is a book or a mistake.
MAX_CHARACTERS = 1_000_000

# How a note tells what names an outlet that nothing else names.
BY_ADDRESS, BY_FOLDER = "outlet named by the address", "outlet named by the folder"

_NOT_THIS_ENCODING = "not {encoding}: name the file's encoding with --encoding{such_as}, or save it as UTF-8"
_SURROGATE = re.compile("[\ud800-\udfff]")
# Of pictures and packed files, read as text, every tenth character is one of these; a few are in many a text.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
_FEW_CONTROL, _SHARE_CONTROL = 20, 0.02


@dataclass(frozen=True)
class ReadOptions:
    """How to read.

    Attributes
    ----------
    columns : mapping of str to str
        Field (a key of `columns.COLUMN_NAMES`) → the column that holds it, where the usual names don't serve. It holds for the
        files that have such a column, and one of them must.
    encoding : str
        Of text files.
    max_characters : int
        Longer articles are rejected.
    delimiter : str, optional
        What stands between the fields of `.csv` and `.tsv` files; by default it is found by looking.
    outlet : str, optional
        The outlet of all articles, whatever the files say.
    date_formats : tuple of str
        Forms of dates, as `datetime.strptime` takes them, to try before the usual ones.
    whole_texts : bool
        Leave title and front matter in text and Markdown files where they stand.

    Raises
    ------
    DataError
        If `columns` has something else than a field, or `date_formats` is one string.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    max_characters: int = MAX_CHARACTERS
    delimiter: str | None = None
    outlet: str | None = None
    date_formats: tuple[str, ...] = ()
    whole_texts: bool = False

    def __post_init__(self) -> None:
        if unknown := [kind for kind in self.columns if kind not in COLUMN_NAMES]:
            raise DataError(f"columns names {unknown[0]!r}, which is no field.\nKnown: {', '.join(COLUMN_NAMES)}.")
        if isinstance(self.date_formats, str):
            raise DataError(
                f"date_formats is one string; it is a tuple of them.\nWrite date_formats=({self.date_formats!r},)."
            )


# Option of the command line → what it is in Python.
_ARGUMENTS = {option_of(kind): f"columns={{{kind!r}: ...}}" for kind in COLUMN_NAMES} | {
    "--max-characters": "max_characters=...",
    "--encoding": "encoding=...",
    "--date-format": "date_formats=(...,)",
}


@dataclass(frozen=True)
class Record:
    """One raw row: where it is and what it holds."""

    line: int | None
    values: Mapping[str, Any]


def raw_date(item: Record | Reject, options: ReadOptions) -> Any:
    """What a record has for a date."""
    return value_of("date", item.values, options.columns) if isinstance(item, Record) else None


def n_characters(item: Record | Reject) -> int:
    return sum(len(str(value)) for value in item.values.values()) if isinstance(item, Record) else 0


def to_article(
    record: Record,
    file: str,
    options: ReadOptions,
    *,
    default_id: str,
    day_first: bool | None = None,
    folder: str | None = None,
) -> Article | Reject:
    """The article of a record; `default_id` where it has no id, `folder` the outlet by the folder of its file.

    `day_first` is as `dates.read_date` takes it.
    """
    values = record.values
    text = value_of("text", values, options.columns)
    if isinstance(text, (list, tuple)) and text and all(isinstance(part, str | None) for part in text):
        text = "\n\n".join(filter(None, text))  # paragraphs
    fields = {kind: field_text(kind, value_of(kind, values, options.columns)) for kind in SHORT_FIELDS}
    trouble = missing_text(values, options.columns)
    inner = text[0] if isinstance(text, (list, tuple)) and text else text
    if isinstance(inner, Mapping) and not trouble:
        within = next((key for key, value in inner.items() if isinstance(value, str)), "…")
        column = column_of("text", values, options.columns)
        trouble = (
            f"the text is a record of its own: name what holds it in there, such as --text-column {column}.{within}"
        )
    trouble = trouble or _text_trouble(text, options)
    misread = {kind: encoding_trouble(content, options) for kind, content in fields.items() if content}
    trouble = trouble or encoding_trouble(text, options) or next(filter(None, misread.values()), None)
    fields["outlet"], outlet_note = _outlet(fields["outlet"], fields["url"], folder, options)
    if trouble:
        named = {} if any(misread.values()) else {kind: fields[kind] for kind in ("id", "outlet")}
        return Reject(file, record.line, trouble, **named)
    date, date_note = read_date(raw_date(record, options), day_first=day_first, formats=options.date_formats)
    return Article(
        id=fields.pop("id") or default_id,
        text=text,
        date=date,
        source=file if record.line is None else f"{file}:{record.line}",
        notes=tuple(note for note in (date_note, outlet_note) if note),
        **fields,
    )


def said_in_python(item: Article | Reject) -> Article | Reject:
    """With `ReadOptions` where what is said of it names options of the command line."""
    if isinstance(item, Reject):
        return replace(item, reason=of_options(item.reason))
    return replace(item, notes=tuple(map(of_options, item.notes))) if item.notes else item


def of_options(said: str) -> str:
    """What a message for the command line says, with `ReadOptions` for its options."""
    said = re.sub(r"--text-column (\S+\.\S+)", r"ReadOptions(columns={'text': '\1'})", said)
    for option, argument in _ARGUMENTS.items():
        said = said.replace(option, f"ReadOptions({argument})")
    return said


def _outlet(
    named: str | None, url: str | None, folder: str | None, options: ReadOptions
) -> tuple[str | None, str | None]:
    """The outlet, and how it was found where nothing names it."""
    if options.outlet:
        return options.outlet, None
    if named:
        return host_of(named) or named, None
    if host := host_of(url):
        return host, BY_ADDRESS
    return folder, BY_FOLDER if folder else None


def _text_trouble(text: Any, options: ReadOptions) -> str | None:
    if text is None or (isinstance(text, float) and math.isnan(text)):
        return "the text is null"
    if not isinstance(text, str):
        return f"the text is of type {type(text).__name__}, not a string"
    if not text.replace("\0", "").strip():
        return "the text is empty"
    if len(text) > options.max_characters:  # the reader stops there, so nobody knows how many more
        return f"the text has more than the {options.max_characters:,} characters of --max-characters"
    if len(_CONTROL.findall(text)) > max(_FEW_CONTROL, _SHARE_CONTROL * len(text)):
        return "no text: too many of its characters are control characters, as in a picture or a packed file"
    return None


def encoding_trouble(text: str, options: ReadOptions) -> str | None:
    found = _SURROGATE.search(text)
    if found is None:
        return None
    if "\udc80" <= found[0] <= "\udcff":  # what an undecodable byte is read as
        such_as = ", such as cp1252" if options.encoding == "utf-8" else ""
        return _NOT_THIS_ENCODING.format(encoding=options.encoding, such_as=such_as)
    return "the text holds half a surrogate pair, which is no character"
