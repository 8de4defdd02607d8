"""Files, folders, standard input and datasets → a stream of articles; what can't be read → a reject with a reason."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loadedwords.articles.formats import READERS, STDIN, Progress, Source, ending_of
from loadedwords.articles.records import ReadOptions, Record, to_article
from loadedwords.errors import DataError
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
            yield to_article(Record(number, row), label, options, default_id=f"{label}:{number}")
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
        source = Source(name, file, progress, size)
        yield from _read_file(source, options)
        progress.done = begun + size


def _read_file(source: Source, options: ReadOptions) -> Iterator[Article | Reject]:
    ending = ending_of(source.path)
    read = READERS.get(ending)
    if read is None:
        kinds = ", ".join(kind for kind in READERS if kind)
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
                yield to_article(item, source.name, options, default_id=default_id)
    except Exception as error:  # a broken file must not stop the run: what was read of it stays
        yield Reject(source.name, None, f"reading stopped after {n_read} records: {type(error).__name__}: {error}")
        return
    if not n_read:
        yield Reject(source.name, None, "the file is empty")


def _is_left_out(file: Path, folder: Path, without: Path | None) -> bool:
    if any(part.startswith(".") for part in file.relative_to(folder).parts):
        return True
    return without is not None and file.resolve().is_relative_to(without.resolve())
