"""The records of each kind of file, one by one, in bounded memory.

To read another kind, write a function that yields its records and enter its ending in `READERS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, count
from typing import Any

from loadedwords.articles.columns import column_of, missing_text, paths_of, read_columns
from loadedwords.articles.decoding import decode_page
from loadedwords.articles.delimited import find_dialect, read_rows
from loadedwords.articles.json_values import one_a_line, read_values, records_within
from loadedwords.articles.records import ReadOptions, Record, encoding_trouble
from loadedwords.articles.sources import STDIN, Progress, Source, Text, ending_of, open_bytes
from loadedwords.articles.texts import read_text
from loadedwords.schema import Reject

__all__ = ["PARTED", "READERS", "STDIN", "TABLES", "Progress", "Source", "ending_of"]

_BATCH_ROWS = 256
_TOO_LONG = "the line is longer than an article may be; raise --max-characters if it is one"
_JSON = re.compile(r"\s*(?:\{|\[\s*\{)")
BEGINS_PAGE = re.compile(r"(?:\s|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
# Characters of markup for each of the article's.
_MARKUP = 16

Read = Callable[[Source, ReadOptions], Iterator[Record | Reject]]


def _read_json(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    with Text(source, options) as text:
        yield from _json_records(text, source, options)


def _json_records(text: Text, source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    limit = 6 * options.max_characters + 65536  # JSON may write a character as six, and other fields need room
    values: Iterator[tuple[int | None, Any]]
    if one_a_line(text.head, source.ending):
        source.understood.form = "one object a line"
        values = _values_of_lines(text, limit, options)
    else:
        source.understood.form = "objects"
        values = zip(count(1), _all_records(read_values(text, limit), options))
        first, second = next(values, None), next(values, None)
        if first and not second and source.ending == ".json":
            first = None, first[1]  # a file that is one article is called by its name
        values = chain(filter(None, (first, second)), values)
    for number, value in values:
        if isinstance(value, dict):
            yield Record(number, value)
        else:
            told = (
                value if isinstance(value, ValueError) else f"a JSON {type(value).__name__}, not an object with a text"
            )
            yield Reject(source.name, number, str(told))


def _values_of_lines(text: Text, limit: int, options: ReadOptions) -> Iterator[tuple[int | None, Any]]:
    for number, line in _lines(text, limit):
        if line is None:
            yield number, ValueError(_TOO_LONG)
        elif line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
                yield number, ValueError(encoding_trouble(line, options) or f"no valid JSON: {error}")
            else:
                yield from ((number, record) for record in _all_records([value], options))


def _all_records(values: Iterable[Any], options: ReadOptions) -> Iterator[Any]:
    def is_record(value: Mapping[str, Any]) -> bool:
        return column_of("text", value, options.columns) is not None

    for value in values:
        yield from records_within(value, is_record)


def _read_delimited(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    with Text(source, options) as text:
        dialect = find_dialect(text.head, source.ending, options.columns, options.delimiter)
        source.understood.form = dialect.name
        rows = read_rows(text, dialect, options.columns, 4 * options.max_characters + 1024)
        header: list[str] = []
        for row in rows:
            if row.trouble:
                yield Reject(source.name, row.line, row.trouble)
            elif header:
                yield Record(row.line, dict(zip(header, row.fields, strict=False)))
            else:
                header = list(row.fields)
                source.understood.names.update(dict.fromkeys(header))
                twice = sorted(name for name in read_columns(header, options.columns) if header.count(name) > 1)
                trouble = f"the header names {', '.join(twice)} more than once" if twice else None
                if trouble := trouble or missing_text(header, options.columns):
                    yield Reject(source.name, 1, trouble)
                    return


def _read_parquet(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    import pyarrow.parquet as pq

    assert source.path is not None
    with source.path.open("rb") as stream, pq.ParquetFile(stream) as file:
        names = _shape(file.schema_arrow)
        source.understood.names.update(dict.fromkeys(paths_of(names)))
        if trouble := missing_text(names, options.columns):
            yield Reject(source.name, None, trouble)
            return
        wanted = sorted(read_columns(names, options.columns))
        begun, number, total = source.progress.done, 0, max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
            for at, row in enumerate(_batch_rows(batch)):
                if isinstance(row, str):
                    yield Reject(source.name, number + at + 1, row)
                else:
                    yield Record(number + at + 1, row)
            number += batch.num_rows
            source.progress.done = begun + source.size * number / total


def _shape(fields: Iterable[Any]) -> dict[str, Any]:
    """Columns, and in place of their values the columns within them."""
    import pyarrow as pa

    def within(kind: Any) -> Any:
        listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        return [within(kind.value_type)] if listed else _shape(kind) if pa.types.is_struct(kind) else None

    return {field.name: within(field.type) for field in fields}


def _batch_rows(batch: Any) -> Iterator[dict[str, Any] | str]:
    """The rows of a record batch; in place of one that can't be read, the reason."""
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except (ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            yield f"a value can't be read: {error}"
        else:  # row by row, so that it costs only its own
            yield from chain.from_iterable(_batch_rows(batch.slice(at, 1)) for at in range(batch.num_rows))
    else:
        yield from rows


def _read_plain(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    with Text(source, options) as text:
        yield from _plain_record(text, source, options)


def _plain_record(text: Text, source: Source, options: ReadOptions) -> Iterator[Record]:
    whole = text.read(options.max_characters + 1)
    if whole:
        apart = len(whole) <= options.max_characters and not options.whole_texts
        yield Record(None, read_text(whole, markdown=source.ending == ".md") if apart else {"text": whole})


def _read_html(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    with open_bytes(source) as stream:
        content = stream.read(_MARKUP * options.max_characters)
    if content:
        yield _page_record(decode_page(content, options.encoding), source)


def _page_record(page: str, source: Source) -> Record | Reject:
    from loadedwords.articles.pages import read_page  # brings trafilatura, which is slow to import

    extracted = read_page(page)
    if extracted is None:
        return Reject(source.name, None, "no article was found in the page")
    return Record(None, extracted)


def _read_stdin(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    """JSON or a page if it begins like that, else one article of plain text."""
    text = Text(source, options)  # not closed: standard input is not ours
    if _JSON.match(text.head):
        yield from _json_records(text, source, options)
    elif BEGINS_PAGE.match(text.head) and not options.whole_texts:
        yield _page_record(text.read(_MARKUP * options.max_characters), source)
    else:
        yield from _plain_record(text, source, options)


READERS: Mapping[str, Read] = {
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".json": _read_json,
    ".csv": _read_delimited,
    ".tsv": _read_delimited,
    ".parquet": _read_parquet,
    ".txt": _read_plain,
    ".md": _read_plain,
    ".html": _read_html,
    ".htm": _read_html,
    STDIN: _read_stdin,
}
# Those whose columns or keys are the user's own.
TABLES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
# Those of which a file may hold one article, so that a column is a folder of them.
PARTED = (".json", ".txt", ".md", ".html", ".htm")


def _lines(text: Text, limit: int) -> Iterator[tuple[int, str | None]]:
    """Numbered lines; None for one too long to be an article, of which no more than that is ever held."""
    number = 0
    while piece := text.line(limit):
        number += 1
        too_long = len(piece) >= limit and not piece.endswith("\n")
        while too_long and (rest := text.line(limit)):
            if rest.endswith("\n"):
                break
        yield number, None if too_long else piece
