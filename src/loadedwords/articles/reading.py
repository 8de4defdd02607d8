"""Files, folders, standard input and datasets → a stream of articles; what can't be read → a reject with a reason."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loadedwords.articles.formats import READERS, STDIN, Progress, Source
from loadedwords.articles.records import ReadOptions, Record, to_article
from loadedwords.errors import DataError, require
from loadedwords.schema import Article, Reject


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
    sources = [Source.of(file, progress) for file in find_files(inputs, without=without)]
    progress.total = None if any(source.path is None for source in sources) else sum(s.size for s in sources)
    return _read_sources(sources, options)


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
            yield to_article(Record(number, row), label, options, default_id=f"{label}:{number}")
    except Exception as error:  # a stream may break off anywhere; what was read of it stays
        yield Reject(label, None, f"reading stopped after {number} rows: {type(error).__name__}: {error}")


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


def _read_sources(sources: Iterable[Source], options: ReadOptions) -> Iterator[Article | Reject]:
    for source in sources:
        begun = source.progress.done
        yield from _read_source(source, options)
        source.progress.done = begun + source.size


def _read_source(source: Source, options: ReadOptions) -> Iterator[Article | Reject]:
    read = READERS.get(source.ending)
    if read is None:
        kinds = ", ".join(kind for kind in READERS if kind)
        reason = f"files ending in {source.ending or 'nothing'!r} are not read; known are {kinds}"
        yield Reject(source.name, None, reason)
        return
    n_read = 0
    try:
        for item in read(source, options):
            n_read += 1
            if isinstance(item, Reject):
                yield item
            else:
                default_id = source.name if item.line is None else f"{source.name}:{item.line}"
                yield to_article(item, source.name, options, default_id=default_id)
    except Exception as error:  # a broken file must not stop the run: what was read of it stays
        yield Reject(source.name, None, f"reading stopped after {n_read} records: {type(error).__name__}: {error}")
        return
    if not n_read:
        yield Reject(source.name, None, "the file is empty")


def _is_left_out(file: Path, folder: Path, without: Path | None) -> bool:
    inside = file.relative_to(folder)
    if any(part.startswith(".") for part in inside.parts):
        return True
    # What an earlier run wrote is no article.
    if any((folder / parent / "run.json").is_file() for parent in inside.parents):
        return True
    return without is not None and file.resolve().is_relative_to(without.resolve())
