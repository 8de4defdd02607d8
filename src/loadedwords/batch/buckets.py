"""Scores at an address that fsspec knows, such as s3://bucket/scores: a copy on this machine, sent there as it grows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from loadedwords.batch.folder import OUR_NAMES, REPLACED_FILE, RUN_FILE, TABLES
from loadedwords.errors import OutputError
from loadedwords.files import file_system

_SECONDS_APART = 60  # what was finished since is lost when the machine is


class Copy:
    """The folder of a run at an address: `folder` is where to work, and `send` brings the address up to it."""

    def __init__(self, address: str, folder: Path) -> None:
        self.folder = folder
        self._address = address
        self._files, self._path = file_system(address)
        self._there: dict[str, tuple[int, int]] = {}
        self._sent_at = -float("inf")  # the first shard sends run.json, too, which says what is being done

    def fetch(self) -> None:
        """What an earlier run left there.

        Raises
        ------
        OutputError
            If what is there is no run's, or the place can't be read.
        """
        with self._told():
            self._files.invalidate_cache()
            entries = self._files.ls(self._path, detail=False) if self._files.isdir(self._path) else []
            names = _names(entries)
            # By name and not by pattern, here and where files are removed: an address may hold brackets.
            shards = [
                f"{table}/{shard}"
                for table in TABLES
                if table in names
                for shard in _names(self._files.ls(f"{self._path}/{table}", detail=False))
                if shard.startswith("part-")
            ]
        if RUN_FILE not in names and (others := [name for name in names if name not in OUR_NAMES]):
            raise OutputError(
                f"{self._address} already holds other files, such as {others[0]}.\nName a new or empty folder with -o."
            )
        found = [name for name in names if name in OUR_NAMES and name not in TABLES]
        found += shards
        for table in TABLES:
            (self.folder / table).mkdir(parents=True)
        if found:
            with self._told():
                self._files.get(self._remote(found), [str(self.folder / name) for name in found])
        self._there = self._here()

    def send(self) -> None:
        """Bring the address up to the folder.

        Raises
        ------
        OutputError
            If the place can't be written.
        """
        here = self._here()
        new = [name for name, state in here.items() if self._there.get(name) != state]
        new.sort(key=RUN_FILE.__eq__)  # last, for it says that the others are there
        first = [name for name in new if name == REPLACED_FILE]  # it says what others will lack
        with self._told():
            if gone := [name for name in self._there if name not in here]:
                for path in self._remote(gone):
                    self._files.rm_file(path)
            # In the order in which the run writes them, which lets a killed one go on.
            for part in (
                first,
                *([name for name in new if name.rpartition("/")[0] == table] for table in (*TABLES, "")),
            ):
                if part:
                    self._files.makedirs(str(PurePosixPath(self._remote(part)[0]).parent), exist_ok=True)
                    self._files.put([str(self.folder / name) for name in part], self._remote(part))
        self._there, self._sent_at = here, time.monotonic()

    def send_now_and_then(self) -> None:
        if time.monotonic() - self._sent_at > _SECONDS_APART:
            self.send()

    def _here(self) -> dict[str, tuple[int, int]]:
        files = [file for file in self.folder.rglob("*") if file.is_file() and file.name[0] != "."]
        states = {file.relative_to(self.folder).as_posix(): file.stat() for file in files}
        return {name: (state.st_size, state.st_mtime_ns) for name, state in states.items()}

    def _remote(self, names: Sequence[str]) -> list[str]:
        return [f"{self._path}/{name}" for name in names]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each place has errors of its own
            raise OutputError(
                f"{self._address} can't be read or written: {type(error).__name__}: {error}.\n"
                "Check the address and your rights there, and run the same command again: what is there stays."
            ) from error


def _names(entries: Sequence[str]) -> list[str]:
    return [name for name in sorted(PurePosixPath(entry).name for entry in entries) if name[0] != "."]


@contextmanager
def working_folder(output: Path | str) -> Iterator[tuple[Path, Callable[[], None]]]:
    """The folder to work in for results that belong into `output`, and what to call often, so that they get there.

    That is `output` itself, or where this is an address a copy, which is sent there at the end, however that comes.

    Raises
    ------
    OutputError
        As the work within does, by the address, or if that can't be read or written.
    """
    if isinstance(output, Path):
        yield output, lambda: None
        return
    with tempfile.TemporaryDirectory(prefix="loadedwords-") as temporary:
        copy = Copy(output, Path(temporary) / PurePosixPath(output).name)  # the report tells its name
        copy.fetch()
        try:
            yield copy.folder, copy.send_now_and_then
        except OutputError as error:
            raise OutputError(str(error).replace(str(copy.folder), output)) from error
        finally:
            copy.send()
