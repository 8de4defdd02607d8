"""Files, folders, standard input and datasets → a stream of articles; what can't be read → a reject with a reason."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from loadedwords.articles.columns import option_of, paths_of
from loadedwords.articles.dates import with_day_order
from loadedwords.articles.formats import PARTED, READERS, TABLES
from loadedwords.articles.inputs import find_files, folder_outlets, is_closed, is_table
from loadedwords.articles.records import (
    ReadOptions,
    Record,
    n_characters,
    of_options,
    raw_date,
    said_in_python,
    to_article,
)
from loadedwords.articles.remote import FilePath, RemoteFile, find_remote
from loadedwords.articles.sources import STDIN, Progress, Source, Understood
from loadedwords.errors import DataError, require
from loadedwords.files import is_address
from loadedwords.schema import Article, Reject

# Records of a file of which it is noted what they hold, and at most looked through for a column that the user named.
_NOTED, _PROBED = 20, 1_000


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
        ``.parquet``; ``.html``), folders and globs of these, also at an address that fsspec knows, such as
        ``s3://bucket/articles``, or ``-`` for JSON lines, a page, or else one text, on standard input.
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
        If an input does not exist, or a column that the user named, or it is a table: nothing was read then.
    """
    if is_table(inputs):
        raise DataError(
            f"read_articles takes files and folders, not a {type(inputs).__name__}.\n"
            "Pass it to score_articles, or read it with loadedwords.articles.read_table."
        )
    try:
        read = read_inputs(inputs, options=options, progress=progress, without=without)
    except DataError as error:
        raise DataError(of_options(str(error))) from None
    return map(said_in_python, read)


def read_inputs(
    inputs: str | Path | Sequence[str | Path],
    *,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    without: Path | None = None,
) -> Iterator[Article | Reject]:
    """As `read_articles`, for the command line: what it says names the options of that."""
    options = options or ReadOptions()
    sources = find_sources(inputs, progress=progress, without=without)
    check_columns(sources, options)
    return read_sources(sources, options)


def find_sources(
    inputs: str | Path | Sequence[str | Path], *, progress: Progress | None = None, without: Path | None = None
) -> list[Source]:
    """The files that `inputs` stand for, each with the outlet that its folder names; `progress` learns their size."""
    files: list[FilePath | None] = []
    inputs = [inputs] if isinstance(inputs, (str, Path)) else inputs
    for given in inputs:
        files += find_remote(str(given)) if is_address(given) else find_files(given, without=without)
    outlets = folder_outlets(inputs, files)
    progress = progress if progress is not None else Progress()
    sources = [Source.of(file, progress, outlets.get(file)) for file in files]
    progress.total = None if any(source.path is None for source in sources) else sum(s.size for s in sources)
    return sources


def check_columns(sources: Sequence[Source], options: ReadOptions) -> None:
    """Make sure that the columns which the user named are in some file.

    Raises
    ------
    DataError
        If one of them is in none: nothing was read then.
    """
    missing = dict(options.columns)
    names: dict[str, None] = {}
    for source in sources:
        if not missing or source.path is None:  # standard input can be read only once
            return
        if source.ending in TABLES:
            probe = _probed(source, options)
            missing = {kind: column for kind, column in missing.items() if column not in probe}
            names |= probe
    refuse_missing(missing, names)


def refuse_missing(missing: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise the error for columns that the user named and that are not among `names`, if there are any of both."""
    if missing and (found := list(names)):
        kind, column = next(iter(missing.items()))
        raise DataError(
            f"There is no column {column!r}.\nFound: {', '.join(found[:40])}.\n"
            f"Name another with {option_of(kind)}, or leave that out: usual names are found by themselves."
        )


def read_dataset(
    name: str,
    *,
    split: str = "train",
    config: str | None = None,
    revision: str | None = None,
    options: ReadOptions | None = None,
    understood: Understood | None = None,
) -> Iterator[Article | Reject]:
    """Read articles from a Hugging Face dataset, streaming where it comes from the Hub.

    Parameters
    ----------
    name : str
        Name on the Hub, a folder that `save_to_disk` wrote, or a folder of data files.
    split, config, revision : str, optional
        As `datasets.load_dataset` takes them.
    options : ReadOptions, optional
    understood : Understood, optional
        Filled while reading.

    Yields
    ------
    Article or Reject

    Raises
    ------
    DataError
        If the dataset or the split can't be loaded, or has no such column.
    """
    options = options or ReadOptions()
    rows = _load_dataset(name, split, config, revision)
    source = Source(f"{name}[{split}]", None, Progress(), 0, understood=understood or Understood())

    def records() -> Iterator[_Read]:
        number = 0
        try:
            for number, row in enumerate(rows, 1):
                if number <= _NOTED:
                    source.understood.take_note(row, options.columns)
                if number == 1:
                    names = [*paths_of(row)]
                    refuse_missing({k: column for k, column in options.columns.items() if column not in names}, names)
                yield _Read(source, options, Record(number, row))
        except DataError:
            raise
        except Exception as error:  # a stream may break off anywhere; what was read of it stays
            reason = f"reading stopped after {number} rows: {type(error).__name__}: {error}"
            yield _Read(source, options, Reject(source.name, None, reason))

    yield from _articles(records())


def _load_dataset(name: str, split: str, config: str | None, revision: str | None) -> Iterable[Mapping[str, Any]]:
    datasets = require("datasets", extra="datasets", purpose="Reading a dataset")
    try:
        if any((Path(name) / file).is_file() for file in ("state.json", "dataset_dict.json")):
            saved = datasets.load_from_disk(name)
            rows: Iterable[Mapping[str, Any]] = saved[split] if isinstance(saved, datasets.DatasetDict) else saved
        else:
            rows = datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)
    except Exception as error:  # datasets raises whatever its file systems raise
        raise DataError(
            f"The dataset {name} (split {split}) could not be loaded: {type(error).__name__}: {error}\n"
            "Check the name, --split and your connection; a local folder is passed by its path."
        ) from error
    return rows


def read_sources(
    sources: Iterable[Source], options: ReadOptions, *, at_most: int | None = None
) -> Iterator[Article | Reject]:
    """The articles of files in their order, of each file `at_most` so many."""
    for _, column in groupby(sources, key=_column_of_dates):
        yield from _articles(_records(column, options, at_most))


def _column_of_dates(source: Source) -> str:
    """Files that hold an article each make one column of dates; a table has its own."""
    return str(source.path.parent) if source.path and source.ending in PARTED else source.name


@dataclass(frozen=True)
class _Read:
    """A record or reject, where it is from, and how that is to be read."""

    source: Source
    options: ReadOptions
    item: Record | Reject


def _articles(records: Iterable[_Read]) -> Iterator[Article | Reject]:
    for read, day_first in with_day_order(
        records, lambda read: raw_date(read.item, read.options), lambda read: n_characters(read.item)
    ):
        source, item = read.source, read.item
        if isinstance(item, Reject):
            yield item
        else:
            default_id = source.name if item.line is None else f"{source.name}:{item.line}"
            yield to_article(
                item, source.name, read.options, default_id=default_id, day_first=day_first, folder=source.outlet
            )


def _records(sources: Iterable[Source], options: ReadOptions, at_most: int | None) -> Iterator[_Read]:
    for source in sources:
        begun = source.progress.done
        own = _own_options(source, options)
        for n, item in enumerate(islice(_records_of(source, own), at_most)):
            if n < _NOTED and isinstance(item, Record):
                source.understood.take_note(item.values, own.columns)
            yield _Read(source, own, item)
        source.progress.done = begun + source.size


def _own_options(source: Source, options: ReadOptions) -> ReadOptions:
    """Columns that the user named hold for the files that have them."""
    if not options.columns or source.path is None:
        return options
    names = _probed(source, options) if source.ending in TABLES else {}
    return replace(options, columns={kind: column for kind, column in options.columns.items() if column in names})


def _probed(source: Source, options: ReadOptions) -> dict[str, None]:
    """The columns of a file, or as many as show that it has all those that the user named."""
    probe = replace(source, progress=Progress(), understood=Understood())
    names = probe.understood.names
    for item in islice(_records_of(probe, options), _PROBED):
        if isinstance(item, Record):
            names.update(dict.fromkeys(paths_of(item.values)))
        if all(column in names for column in options.columns.values()):
            break
    return names


def _records_of(source: Source, options: ReadOptions) -> Iterator[Record | Reject]:
    read = READERS.get(source.ending)
    if isinstance(source.path, Path) and is_closed(source.path):
        yield Reject(source.name, None, "the folder may not be read: permission denied")
        return
    if isinstance(source.path, Path) and source.path.is_dir():
        yield Reject(source.name, None, "a link to a folder elsewhere, which is not followed: name that folder, too")
        return
    if read is None:
        what = f"files ending in {source.ending!r}" if source.ending else "files without an ending"
        kinds = ", ".join(kind for kind in READERS if kind != STDIN)
        yield Reject(source.name, None, f"{what} are not read; known are {kinds}, also packed as .gz or .zst")
        return
    n_read = 0
    try:
        before = _state_of(source)
        for item in read(source, options):
            n_read += 1
            yield item
        if _state_of(source) != before:
            yield Reject(source.name, None, "the file changed while it was read: run the same command again")
    except Exception as error:  # a broken file must not stop the run: what was read of it stays
        told = str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        yield Reject(source.name, None, f"reading stopped after {n_read} records: {told}")
        return
    if not n_read:
        names = source.understood.names
        yield Reject(source.name, None, "the file has a header and no rows" if names else "the file is empty")


def _state_of(source: Source) -> tuple[int, int] | None:
    """What changes when a file does.

    Raises
    ------
    DataError
        If it is no file, and might never end, or never begin.
    """
    if source.path is None or isinstance(source.path, RemoteFile):
        return None
    state = source.path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise DataError("it is a pipe or a device and no file: pass what comes from it on standard input, as -")
    return state.st_size, state.st_mtime_ns
