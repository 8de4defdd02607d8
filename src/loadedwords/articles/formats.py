"""The records of each kind of file, one by one, in bounded memory.

To read another kind, write a function that yields its records and enter its ending in `READERS`.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from loadedwords.articles.decoding import decode_page, text_stream
from loadedwords.articles.records import COLUMN_NAMES, ReadOptions, Record, column_of, encoding_trouble, missing_text
from loadedwords.schema import Reject

STDIN = "-"

_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
_BATCH_ROWS = 256
_TOO_LONG = "the line is longer than an article may be; raise --max-characters if it is one"


@dataclass
class Progress:
    """How far a stream has been read, in bytes; `total` is None where nobody can know."""

    done: float = 0.0
    total: float | None = None


@dataclass(frozen=True)
class Source:
    """One file to read, or standard input: its name as the user knows it, and how its bytes are counted."""

    name: str
    path: Path | None
    progress: Progress
    size: int

    @classmethod
    def of(cls, path: Path | None, progress: Progress) -> Source:
        if path is None:
            return cls(STDIN, None, progress, 0)
        try:
            size = path.stat().st_size
        except OSError:
            size = 0  # reading it will say what is wrong
        # A file name need not be text; what can't be written is escaped.
        return cls(str(path).encode("utf-8", "backslashreplace").decode(), path, progress, size)

    @property
    def ending(self) -> str:
        """That by which its kind is known, such as ".csv"; "-" for standard input."""
        return ending_of(self.path)


def ending_of(path: Path | None) -> str:
    """The ending of a file's name in small letters, without that of its compression; "-" of standard input."""
    if path is None:
        return STDIN
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in _COMPRESSION:
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""


Read = Callable[[Source, ReadOptions], Iterator[Record | Reject]]


def _read_json_lines(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    with _open(source) as stream:
        yield from _json_records(_lines(stream, options), source, options)


def _json_records(
    lines: Iterable[tuple[int, str | None]], source: Source, options: ReadOptions
) -> Iterator[Record | Reject]:
    for number, line in lines:
        if line is None:
            yield Reject(source.name, number, _TOO_LONG)
        elif line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
                hint = encoding_trouble(line, options) or f"no valid JSON: {error}"
                yield Reject(source.name, number, hint)
                continue
            if isinstance(row, dict):
                yield Record(number, row)
            else:
                yield Reject(source.name, number, f"a JSON {type(row).__name__}, not an object with a text")


def _read_csv(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    csv.field_size_limit(max(csv.field_size_limit(), 4 * options.max_characters + 1024))
    with _open(source) as stream:
        delimiter = "\t" if source.ending == ".tsv" else ","
        rows = csv.reader(text_stream(stream, options.encoding, newline=""), delimiter=delimiter, strict=True)
        header = next(rows, None)
        if header is None:
            return
        header = [name.strip() for name in header]
        twice = sorted({name for name in header if name and header.count(name) > 1})
        trouble = f"the header names {', '.join(twice)} more than once" if twice else missing_text(header, options)
        if trouble:
            yield Reject(source.name, 1, trouble)
            return
        while True:
            line = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Reject(source.name, line, _csv_trouble(error))
                continue
            if len(row) > len(header):
                told = f"{len(row)} fields where the header has {len(header)}; is a field with a comma unquoted?"
                yield Reject(source.name, line, told)
            elif row:
                yield Record(line, dict(zip(header, row, strict=False)))


def _csv_trouble(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quotation mark that opens a field here is never closed: nothing from here on could be read"
    return f"no valid CSV: {error}"


def _read_parquet(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    import pyarrow.parquet as pq

    assert source.path is not None
    with pq.ParquetFile(source.path) as file:
        names = file.schema_arrow.names
        if trouble := missing_text(names, options):
            yield Reject(source.name, None, trouble)
            return
        wanted = [column for column in (column_of(kind, names, options) for kind in COLUMN_NAMES) if column]
        begun, number, total = source.progress.done, 0, max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
            for at, row in enumerate(_batch_rows(batch)):
                if isinstance(row, str):
                    yield Reject(source.name, number + at + 1, row)
                else:
                    yield Record(number + at + 1, row)
            number += batch.num_rows
            source.progress.done = begun + source.size * number / total


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
    with _open(source) as stream:
        text = text_stream(stream, options.encoding, newline="").read(options.max_characters + 1)
    if text:
        yield Record(None, {"text": text}, named=False)


def _read_html(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    from loadedwords.text.html import extract_article

    with _open(source) as stream:
        content = stream.read(16 * options.max_characters)
    if not content:
        return
    extracted = extract_article(decode_page(content, options.encoding))
    if extracted is None:
        yield Reject(source.name, None, "no article was found in the page")
    else:
        yield Record(None, extracted, named=False)


def _read_stdin(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    """JSON lines if the first line with text is a JSON object, else one article of plain text."""
    lines = _lines(_open(source), options)
    opening: list[tuple[int, str | None]] = []
    for number, line in lines:
        opening.append((number, line))
        if line is None or line.strip():
            break
    if not opening:
        return
    first = opening[-1][1]
    if first is None or first.lstrip().startswith("{"):
        yield from _json_records(chain(opening, lines), source, options)
        return
    pieces: list[str] = []
    length = 0
    for _, line in chain(opening, lines):
        pieces.append(line or "")
        length += len(pieces[-1])
        if length > options.max_characters:
            break
    yield Record(None, {"text": "".join(pieces)}, named=False)


READERS: Mapping[str, Read] = {
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".txt": _read_plain,
    ".md": _read_plain,
    ".html": _read_html,
    ".htm": _read_html,
    STDIN: _read_stdin,
}


class _Counted(io.RawIOBase):
    """A file that tells a `Progress` how many of its bytes were read, compressed or not."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._file = path.open("rb", buffering=0)
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        n = self._file.readinto(buffer)
        self._progress.done += n or 0
        return n

    def close(self) -> None:
        self._file.close()
        super().close()


def _open(source: Source) -> BinaryIO:
    import pyarrow as pa

    if source.path is None:
        return sys.stdin.buffer
    counted = io.BufferedReader(_Counted(source.path, source.progress))
    compression = _COMPRESSION.get(source.path.suffix.lower())
    return counted if compression is None else io.BufferedReader(pa.CompressedInputStream(counted, compression))


def _lines(stream: BinaryIO, options: ReadOptions) -> Iterator[tuple[int, str | None]]:
    """Numbered lines; None for one too long to be an article, of which no more than that is ever held."""
    limit = 6 * options.max_characters + 65536  # JSON may write a character as six, and other fields need room
    text = text_stream(stream, options.encoding, newline="\n")
    number = 0
    while piece := text.readline(limit):
        number += 1
        too_long = len(piece) >= limit and not piece.endswith("\n")
        while too_long and (rest := text.readline(limit)):
            if rest.endswith("\n"):
                break
        yield number, None if too_long else piece
