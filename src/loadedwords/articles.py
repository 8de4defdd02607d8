"""Files, folders, standard input and datasets → a stream of articles; what can't be read → a reject with a reason.

To read another kind of file, write a function that yields its records and enter its ending in `_READERS`.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import email.utils
import glob
import io
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from loadedwords.errors import DataError
from loadedwords.schema import Article, Reject

# The longest article in the news corpora at hand has 51,000 characters; a million is a book or a mistake.
MAX_CHARACTERS = 1_000_000
COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "article_id"),
    "text": ("text", "body", "content", "article"),
    "outlet": ("outlet", "source", "publisher", "site"),
    "title": ("title", "headline"),
    "date": ("date", "published", "published_at"),
    "url": ("url", "link"),
    "event_id": ("event_id", "event"),
}
STDIN = "-"

_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
_EARLIEST = datetime.date(1600, 1, 1)
_BATCH_ROWS = 256


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


@dataclass
class Progress:
    """How far a stream has been read, in bytes; `total` is None where nobody can know."""

    done: float = 0.0
    total: float | None = None


@dataclass(frozen=True)
class _Record:
    """One raw row: where it is, what it holds, and whether the file named its columns (a text file does not)."""

    line: int | None
    values: Mapping[str, Any]
    named: bool = True


_Read = Callable[["_Source", ReadOptions], Iterator[_Record | Reject]]


@dataclass(frozen=True)
class _Source:
    """One file to read: its name as the user knows it, and how its bytes are counted."""

    name: str
    path: Path | None
    progress: Progress
    size: int


def read_articles(
    inputs: str | Path | Sequence[str | Path],
    *,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    without: Path | None = None,
) -> Iterator[Article | Reject]:
    """Read articles one by one, in bounded memory.

    Parameters
    ----------
    inputs : str, Path, or sequence of these
        Files (``.jsonl``, ``.ndjson``, ``.csv``, ``.tsv``, ``.txt``, ``.md``, each also ``.gz`` or ``.zst``;
        ``.parquet``; ``.html``), folders and globs of these, or ``-`` for JSON lines, or else one text, on standard
        input.
    options : ReadOptions, optional
    progress : Progress, optional
        Updated while reading.
    without : Path, optional
        A folder to leave out, such as that of the results.

    Yields
    ------
    Article or Reject
        In the order of `inputs`, folders sorted by name.

    Raises
    ------
    DataError
        If an input does not exist: nothing was read then.
    """
    options = options or ReadOptions()
    progress = progress if progress is not None else Progress()
    files = find_files(inputs, without=without)
    sizes = [0 if file is None else _size(file) for file in files]
    progress.total = None if None in files else float(sum(sizes))
    return _read_files(files, sizes, options, progress)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0  # reading it will say what is wrong


def find_files(inputs: str | Path | Sequence[str | Path], *, without: Path | None = None) -> list[Path | None]:
    """The files that `inputs` stand for; None is standard input. Nothing below the folder `without` is taken.

    Raises
    ------
    DataError
        If one of them stands for nothing.
    """
    files: list[Path | None] = []
    for given in [inputs] if isinstance(inputs, (str, Path)) else inputs:
        path = Path(given)
        if len(path.name) > 255 or not str(given).strip():
            raise DataError(f"{str(given)[:60]!r} is no name of a file or folder.\nCheck the path.")
        if str(given) == STDIN:
            files.append(None)
        elif path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and not _is_left_out(p, path, without))
            if not inside:
                raise DataError(
                    f"The folder {path} is empty.\nPass files, folders that hold some, or - for standard input."
                )
            files.extend(inside)
        elif path.exists():
            files.append(path)
        elif glob.has_magic(str(given)) and (matches := sorted(glob.glob(str(given), recursive=True))):
            files.extend(find_files(matches, without=without))
        else:
            raise DataError(
                f"There is no file, folder or match for {given}.\nCheck the path; the current folder is {Path.cwd()}."
            )
    return files


def read_dataset(
    name: str,
    *,
    split: str = "train",
    config: str | None = None,
    revision: str | None = None,
    options: ReadOptions | None = None,
) -> Iterator[Article | Reject]:
    """Read articles from a Hugging Face dataset, streaming where it comes from the Hub.

    Parameters
    ----------
    name : str
        Name on the Hub, a folder that `save_to_disk` wrote, or a folder of data files.
    split, config, revision : str, optional
        As `datasets.load_dataset` takes them.
    options : ReadOptions, optional

    Yields
    ------
    Article or Reject

    Raises
    ------
    DataError
        If the dataset or the split can't be loaded.
    """
    options = options or ReadOptions()
    rows = _load_dataset(name, split, config, revision)
    label = f"{name}[{split}]"
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            yield _to_article(_Record(number, row), label, options, default_id=f"{label}:{number}")
    except Exception as error:  # a stream may break off anywhere; what was read of it stays
        yield Reject(label, None, f"reading stopped after {number} rows: {type(error).__name__}: {error}")


def _load_dataset(name: str, split: str, config: str | None, revision: str | None) -> Iterable[Mapping[str, Any]]:
    import datasets

    try:
        if (Path(name) / "state.json").is_file() or (Path(name) / "dataset_dict.json").is_file():
            loaded = datasets.load_from_disk(name)
            chosen: Iterable[Mapping[str, Any]] = loaded[split] if isinstance(loaded, datasets.DatasetDict) else loaded
            return chosen
        streamed: Iterable[Mapping[str, Any]] = datasets.load_dataset(
            name, config, split=split, revision=revision, streaming=True
        )
        return streamed
    except Exception as error:  # datasets raises whatever its file systems raise
        raise DataError(
            f"The dataset {name} (split {split}) could not be loaded: {type(error).__name__}: {error}\n"
            "Check the name, --split and your connection; a local folder is passed by its path."
        ) from error


def _read_files(
    files: Sequence[Path | None], sizes: Sequence[int], options: ReadOptions, progress: Progress
) -> Iterator[Article | Reject]:
    for file, size in zip(files, sizes, strict=True):
        begun = progress.done
        # A file name need not be text; what can't be written is escaped.
        name = STDIN if file is None else str(file).encode("utf-8", "backslashreplace").decode()
        source = _Source(name, file, progress, size)
        yield from _read_file(source, options)
        progress.done = begun + size


def _read_file(source: _Source, options: ReadOptions) -> Iterator[Article | Reject]:
    ending = _ending(source.path)
    read = _READERS.get(ending)
    if read is None:
        kinds = ", ".join(kind for kind in _READERS if kind)
        yield Reject(source.name, None, f"files ending in {ending or 'nothing'!r} are not read; known are {kinds}")
        return
    n_read = 0
    try:
        for item in read(source, options):
            n_read += 1
            if isinstance(item, Reject):
                yield item
            else:
                default_id = source.name if item.line is None else f"{source.name}:{item.line}"
                yield _to_article(item, source.name, options, default_id=default_id)
    except Exception as error:  # a broken file must not stop the run: what was read of it stays
        yield Reject(source.name, None, f"reading stopped after {n_read} records: {type(error).__name__}: {error}")
        return
    if not n_read:
        yield Reject(source.name, None, "the file is empty")


# --- records of each kind of file ---------------------------------------------------------------------------------


def _read_json_lines(source: _Source, options: ReadOptions) -> Iterator[_Record | Reject]:
    with _open(source) as stream:
        yield from _json_records(_lines(stream, options), source, options)


def _json_records(
    lines: Iterable[tuple[int, str | None]], source: _Source, options: ReadOptions
) -> Iterator[_Record | Reject]:
    for number, line in lines:
        if line is None:
            yield Reject(source.name, number, _TOO_LONG)
        elif line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
                hint = _encoding_trouble(line, options) or f"no valid JSON: {error}"
                yield Reject(source.name, number, hint)
                continue
            if isinstance(row, dict):
                yield _Record(number, row)
            else:
                yield Reject(source.name, number, f"a JSON {type(row).__name__}, not an object with a text")


def _read_csv(source: _Source, options: ReadOptions) -> Iterator[_Record | Reject]:
    csv.field_size_limit(max(csv.field_size_limit(), 4 * options.max_characters + 1024))
    with _open(source) as stream:
        delimiter = "\t" if _ending(source.path) == ".tsv" else ","
        rows = csv.reader(_text_stream(stream, options, newline=""), delimiter=delimiter, strict=True)
        header = next(rows, None)
        if header is None:
            return
        header = [name.strip() for name in header]
        if twice := sorted({name for name in header if name and header.count(name) > 1}):
            yield Reject(source.name, 1, f"the header names {', '.join(twice)} more than once")
            return
        if trouble := _missing_text(header, options):
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
                yield Reject(
                    source.name,
                    line,
                    f"{len(row)} fields where the header has {len(header)}; is a field with a comma unquoted?",
                )
            elif row:
                yield _Record(line, dict(zip(header, row, strict=False)))


def _csv_trouble(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quotation mark that opens a field here is never closed: nothing from here on could be read"
    return f"no valid CSV: {error}"


def _read_parquet(source: _Source, options: ReadOptions) -> Iterator[_Record | Reject]:
    import pyarrow.parquet as pq

    assert source.path is not None
    with pq.ParquetFile(source.path) as file:
        names = file.schema_arrow.names
        if trouble := _missing_text(names, options):
            yield Reject(source.name, None, trouble)
            return
        wanted = [column for column in (_column(kind, names, options) for kind in COLUMN_NAMES) if column]
        begun, number, total = source.progress.done, 0, max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
            for at, row in enumerate(_batch_rows(batch)):
                if isinstance(row, str):
                    yield Reject(source.name, number + at + 1, row)
                else:
                    yield _Record(number + at + 1, row)
            number += batch.num_rows
            source.progress.done = begun + source.size * number / total


def _batch_rows(batch: Any) -> Iterator[dict[str, Any] | str]:
    """The rows of a record batch; in place of one that can't be read, the reason."""
    try:
        yield from batch.to_pylist()
        return
    except (ValueError, OverflowError):
        pass  # one bad value must not cost the others: row by row
    for at in range(batch.num_rows):
        try:
            yield batch.slice(at, 1).to_pylist()[0]
        except (ValueError, OverflowError) as error:
            yield f"a value can't be read: {error}"


def _read_plain(source: _Source, options: ReadOptions) -> Iterator[_Record | Reject]:
    with _open(source) as stream:
        text = _text_stream(stream, options, newline="").read(options.max_characters + 1)
    if text:
        yield _Record(None, {"text": text}, named=False)


def _read_html(source: _Source, options: ReadOptions) -> Iterator[_Record | Reject]:
    from loadedwords.text.html import extract_article

    with _open(source) as stream:
        content = stream.read(16 * options.max_characters)
    if not content:
        return
    extracted = extract_article(content)
    if extracted is None:
        yield Reject(source.name, None, "no article was found in the page")
    else:
        yield _Record(None, extracted, named=False)


def _read_stdin(source: _Source, options: ReadOptions) -> Iterator[_Record | Reject]:
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
    yield _Record(None, {"text": "".join(pieces)}, named=False)


_READERS: Mapping[str, _Read] = {
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

# --- bytes and lines ----------------------------------------------------------------------------------------------

_TOO_LONG = "the line is longer than an article may be; raise --max-characters if it is one"
_NOT_THIS_ENCODING = "not {encoding}: name the file's encoding with --encoding, such as cp1252, or save it as UTF-8"


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


def _open(source: _Source) -> BinaryIO:
    import pyarrow as pa

    if source.path is None:
        return sys.stdin.buffer
    counted = io.BufferedReader(_Counted(source.path, source.progress))
    compression = _COMPRESSION.get(source.path.suffix.lower())
    return counted if compression is None else io.BufferedReader(pa.CompressedInputStream(counted, compression))


def _text_stream(stream: BinaryIO, options: ReadOptions, newline: str | None) -> io.TextIOWrapper:
    """Bytes that are not in the encoding come out as lone surrogates, so one bad line costs only itself."""
    encoding = "utf-8-sig" if codecs.lookup(options.encoding).name == "utf-8" else options.encoding
    return io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline=newline)


def _lines(stream: BinaryIO, options: ReadOptions) -> Iterator[tuple[int, str | None]]:
    """Numbered lines; None for one too long to be an article, of which no more than that is ever held."""
    limit = 6 * options.max_characters + 65536  # JSON may write a character as six, and other fields need room
    text = _text_stream(stream, options, newline="\n")
    number = 0
    while piece := text.readline(limit):
        number += 1
        too_long = len(piece) >= limit and not piece.endswith("\n")
        while too_long and (rest := text.readline(limit)):
            if rest.endswith("\n"):
                break
        yield number, None if too_long else piece


def _encoding_trouble(text: str, options: ReadOptions) -> str | None:
    found = _SURROGATE.search(text)
    if found is None:
        return None
    if "\udc80" <= found[0] <= "\udcff":  # what an undecodable byte is read as
        return _NOT_THIS_ENCODING.format(encoding=options.encoding)
    return "the text holds half a surrogate pair, which is no character"


_SURROGATE = re.compile("[\ud800-\udfff]")

# --- from a record to an article ----------------------------------------------------------------------------------


def _to_article(record: _Record, file: str, options: ReadOptions, *, default_id: str) -> Article | Reject:
    values, names = record.values, list(record.values)
    if not record.named:
        options = replace(options, columns={})

    def value(kind: str) -> Any:
        column = _column(kind, names, options)
        return None if column is None else values[column]

    def reject(reason: str) -> Reject:
        return Reject(file, record.line, reason)

    if trouble := _missing_text(names, options):
        return reject(trouble)
    text = value("text")
    if text is None or (isinstance(text, float) and math.isnan(text)):
        return reject("the text is null")
    if not isinstance(text, str):
        return reject(f"the text is of type {type(text).__name__}, not a string")
    if not text.strip():
        return reject("the text is empty")
    if len(text) > options.max_characters:
        return reject(
            f"the text has {len(text):,} characters, more than the {options.max_characters:,} of --max-characters"
        )
    fields = {kind: _short_text(value(kind)) for kind in ("id", "outlet", "title", "url", "event_id")}
    for content in (text, *fields.values()):
        if content and (trouble := _encoding_trouble(content, options)):
            return reject(trouble)
    date, note = _read_date(value("date"))
    return Article(
        id=fields["id"] or default_id,
        text=text,
        outlet=fields["outlet"],
        title=fields["title"],
        date=date,
        url=fields["url"],
        event_id=fields["event_id"],
        source=file if record.line is None else f"{file}:{record.line}",
        notes=(note,) if note else (),
    )


def _column(kind: str, names: Sequence[str], options: ReadOptions) -> str | None:
    """The column that holds a field: the one the user named, else the first of the usual names, in any case."""
    if kind in options.columns:
        named = options.columns[kind]
        return named if named in names else None
    lowered = {str(name).lower(): name for name in reversed(names)}
    return next((lowered[usual] for usual in COLUMN_NAMES[kind] if usual in lowered), None)


def _missing_text(names: Sequence[str], options: ReadOptions) -> str | None:
    if _column("text", names, options) is not None:
        return None
    looked = options.columns.get("text") or ", ".join(COLUMN_NAMES["text"])
    return f"no text column. Looked for: {looked}. Found: {', '.join(map(str, names))}. Name it with --text-column"


def _short_text(value: Any) -> str | None:
    """A field as text; news APIs give the outlet as ``{"id": ..., "name": ...}``."""
    if isinstance(value, Mapping):
        value = value.get("name")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _read_date(value: Any) -> tuple[datetime.date | None, str | None]:
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


def _ending(path: Path | None) -> str:
    if path is None:
        return STDIN
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in _COMPRESSION:
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""


def _is_left_out(file: Path, folder: Path, without: Path | None) -> bool:
    if any(part.startswith(".") for part in file.relative_to(folder).parts):
        return True
    return without is not None and file.resolve().is_relative_to(without.resolve())
