"""Paths as they are given, and how files and folders are written: beside their place, and renamed into it once they are whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadedwords.errors import DataError, OutputError, require


def as_paths(given: str | Path | Sequence[str | Path]) -> list[Path]:
    """One path or several, as a list."""
    return [Path(given)] if isinstance(given, (str, Path)) else [Path(each) for each in given]


def is_address(given: object) -> bool:
    """Whether it names a place beyond this machine's folders, such as s3://bucket/news.jsonl."""
    return "://" in str(given)


def file_system(address: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path there.

    Raises
    ------
    MissingExtraError
        If fsspec is not installed.
    DataError
        If there is no such kind of place, or its package is not installed.
    """
    fsspec = require("fsspec.core", extra="ray", purpose=f"Opening {address}")
    try:
        found: tuple[Any, str] = fsspec.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise DataError(
            f"{address} can't be opened: {error}.\n"
            "Install the package of such places, as s3fs for s3:// and gcsfs for gs://, or check the address."
        ) from error
    return found


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to; it takes that place once it is complete."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.touch()
    except OSError as error:
        raise OutputError(f"{path} can't be written: {error.strerror}.\nName another place.") from error
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def folder_written_whole(folder: Path) -> Iterator[Path]:
    """A folder to write into; it gets its name at the end, so that no half-written one is ever found under it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder} can't be written: {error.strerror}.\nName a folder you may write to.") from error
    try:
        yield beside
        beside.chmod(0o755)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
