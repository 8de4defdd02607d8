"""Files at an address that fsspec knows, such as s3://bucket/news.jsonl, for readers that know paths."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from loadedwords.errors import DataError
from loadedwords.files import file_system


@dataclass(frozen=True)
class RemoteFile:
    """What is asked of the path of a file, of one at an address."""

    address: str
    size: int

    def __str__(self) -> str:
        return self.address

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.address).suffix

    @property
    def suffixes(self) -> list[str]:
        return PurePosixPath(self.address).suffixes

    @property
    def parent(self) -> PurePosixPath:
        return PurePosixPath(self.address).parent

    def open(self, mode: str) -> BinaryIO:
        files, path = file_system(self.address)
        return cast("BinaryIO", files.open(path, mode))


FilePath = Path | RemoteFile


def find_remote(address: str) -> list[RemoteFile]:
    """The files that an address, or a pattern of them, stands for, sorted by name.

    Raises
    ------
    DataError
        If there are none, or the place can't be asked.
    """
    files, path = file_system(address)
    try:
        if glob.has_magic(path) and not files.exists(path):
            found = files.glob(path, detail=True)
        elif files.isdir(path):
            within = files.find(path, detail=True)
            # What an earlier run wrote is no article, and what is hidden isn't meant.
            results = [
                folder
                for folder in (PurePosixPath(name).parent for name in within if PurePosixPath(name).name == "run.json")
                if any(PurePosixPath(name).is_relative_to(folder / "sentences") for name in within)
            ]
            found = {
                name: about
                for name, about in within.items()
                if not any(part.startswith(".") for part in PurePosixPath(name).relative_to(path).parts)
                and not any(PurePosixPath(name).is_relative_to(folder) for folder in results)
            }
        else:
            found = {path: files.info(path)}
    except FileNotFoundError:
        found = {}
    except Exception as error:  # each place has errors of its own
        raise DataError(
            f"{address} can't be read: {type(error).__name__}: {error}\nCheck the address and your rights there."
        ) from error
    remote = [
        RemoteFile(files.unstrip_protocol(name), about["size"] or 0)
        for name, about in sorted(found.items())
        if about["type"] == "file"
    ]
    if not remote:
        raise DataError(f"There is no file, folder or match for {address}.\nCheck the address.")
    return remote


def is_remote_folder(address: str) -> bool:
    files, path = file_system(address)
    return bool(files.isdir(path))
