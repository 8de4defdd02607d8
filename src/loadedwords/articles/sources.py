"""A file or standard input: its name, its kind, its bytes and how many of them were read."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from loadedwords.articles.columns import COLUMN_NAMES, column_of
from loadedwords.articles.decoding import text_stream
from loadedwords.articles.records import ReadOptions
from loadedwords.articles.remote import FilePath, RemoteFile
from loadedwords.errors import DataError

STDIN = "-"

_HEAD = 65536
_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
# How far a packed file may swell: news text shrinks to a third or a fifth, the same line over and over to a hundredth.
_MOST_TIMES, _ALWAYS_READ = 200, 64 * 2**20


@dataclass
class Progress:
    """How far a stream has been read, in bytes; `total` is None where nobody can know."""

    done: float = 0.0
    total: float | None = None


@dataclass
class Understood:
    """What the reader of a file made of it, for whoever shows it.

    `form` is such as "semicolons" of a `.csv` file, empty where its ending says it all; `columns` has for each field
    the column that it is read from, of the records so far; `names` are the columns that the file names at its head.
    """

    form: str = ""
    encoding: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The form, and the encoding where it is another than most files have."""
        return ", ".join(filter(None, (self.form, "" if self.encoding.startswith("utf-8") else self.encoding)))

    def take_note(self, values: Mapping[str, Any], chosen: Mapping[str, str]) -> None:
        for kind in COLUMN_NAMES:
            if kind not in self.columns and (column := column_of(kind, values, chosen)):
                self.columns[kind] = column


@dataclass(frozen=True)
class Source:
    """One file to read, or standard input: its name as the user knows it, and how its bytes are counted.

    `outlet` is the outlet by the folder it is in, where folders name outlets.
    """

    name: str
    path: FilePath | None
    progress: Progress
    size: int
    outlet: str | None = None
    understood: Understood = field(default_factory=Understood, compare=False)

    @classmethod
    def of(cls, path: FilePath | None, progress: Progress, outlet: str | None = None) -> Source:
        if path is None:
            return cls(STDIN, None, progress, 0)
        try:
            size = path.size if isinstance(path, RemoteFile) else path.stat().st_size
        except OSError:
            size = 0  # reading it will say what is wrong
        # A file name need not be text; what can't be written is escaped.
        return cls(str(path).encode("utf-8", "backslashreplace").decode(), path, progress, size, outlet)

    @property
    def ending(self) -> str:
        """That by which its kind is known, such as ".csv"; "-" for standard input."""
        return ending_of(self.path)


def ending_of(path: FilePath | None) -> str:
    """The ending of a file's name in small letters, without that of its compression; "-" of standard input."""
    if path is None:
        return STDIN
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in _COMPRESSION:
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""


def open_bytes(source: Source) -> BinaryIO:
    """A source's bytes, unpacked; how many of the file's own were read is told to its progress.

    A packed file that swells beyond all measure raises a DataError while it is read.
    """
    if source.path is None:
        if sys.stdin is None:
            raise DataError("standard input is closed")
        return sys.stdin.buffer
    progress, left = source.progress, max(_ALWAYS_READ, _MOST_TIMES * source.size)

    def count(n: int) -> None:
        progress.done += n

    def measure(n: int) -> None:
        nonlocal left
        left -= n
        if left < 0:
            raise DataError(f"it unpacks to more than {_MOST_TIMES} times its size")

    path = source.path
    file = path.open("rb") if isinstance(path, RemoteFile) else path.open("rb", buffering=0)
    counted = io.BufferedReader(_Watched(file, count), _HEAD)
    compression = _COMPRESSION.get(path.suffix.lower())
    if compression is None:
        return counted
    import pyarrow as pa

    return io.BufferedReader(_Watched(pa.CompressedInputStream(counted, compression), measure), _HEAD)


class Text:
    """A file's text, line ends as they are; its `head` can be looked at before anything is read."""

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self._stream = text_stream(open_bytes(source), options.encoding, newline="")
        source.understood.encoding = self._stream.encoding
        self.head = self._stream.read(_HEAD)
        self._head = io.StringIO(self.head, newline="")

    def read(self, characters: int) -> str:
        """The next characters, fewer only at the end."""
        taken = self._head.read(characters)
        return taken + self._stream.read(characters - len(taken)) if len(taken) < characters else taken

    def line(self, limit: int) -> str:
        """The next line with its end, no more of it than `limit`; empty at the end."""
        taken = self._head.readline(limit)
        if len(taken) >= limit or taken[-1:] in ("\n", "\r"):
            return taken
        return taken + self._stream.readline(limit - len(taken))

    def __enter__(self) -> Text:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class _Watched(io.RawIOBase):
    """A stream of which `watch` is told how many bytes were read."""

    def __init__(self, stream: Any, watch: Callable[[int], None]) -> None:
        self._stream, self._watch = stream, watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        self._watch(len(content))
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()
