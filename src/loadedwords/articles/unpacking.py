"""A packed file's bytes, and no more of them than an honest file holds."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from loadedwords.errors import DataError

# News text shrinks to a third or a fifth, the same line over and over to a hundredth.
_MOST_TIMES, _ALWAYS_READ = 200, 64 * 2**20


def unpacked(packed: BinaryIO, compression: str, size: int) -> BinaryIO:
    """What is in a packed file of so many bytes, as it is read; a DataError where it swells beyond all measure."""
    import pyarrow as pa

    return io.BufferedReader(_Measured(pa.CompressedInputStream(packed, compression), size), 65536)


class _Measured(io.RawIOBase):
    def __init__(self, stream: Any, size: int) -> None:
        self._stream = stream
        self._left = max(_ALWAYS_READ, _MOST_TIMES * size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        self._left -= len(content)
        if self._left < 0:
            raise DataError(f"it unpacks to more than {_MOST_TIMES} times its size")
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()
