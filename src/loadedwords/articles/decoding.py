"""Bytes → text: which encoding a file is in, by its mark, by its bytes, by what a page declares, or as the user says."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO, cast

# UTF-32 first: its mark begins with that of UTF-16. Each of these codecs takes the mark away.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# As browsers read them (WHATWG Encoding Standard): nobody means the control characters that these have at 0x80 to 0x9f,
# where Windows has its quotation marks. ftfy's codec gives a character to the five bytes that cp1252 leaves out.
_WINDOWS = "sloppy-windows-1252"
_READ_AS_WINDOWS = frozenset({"ascii", "iso8859-1"})
_DECLARED = re.compile(
    rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE
)
_PAGE_HEAD = 4096
_AS_WINDOWS = "loadedwords: as windows-1252"


def encoding_of(head: bytes, given: str = "utf-8") -> str:
    """Python's name of the encoding of a file that begins with `head`, of which a kilobyte is plenty.

    A byte order mark says it better than what the user `given`, and so does every second byte being zero, or that bytes
    beyond ASCII are UTF-8: what the user says may be of another file of the run. The encoding takes a byte order mark
    away; Latin-1 is read as windows-1252.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    name = codecs.lookup(given).name
    if unmarked := _unmarked_utf16(head):
        return unmarked
    return "utf-8-sig" if name == "utf-8" or _is_utf8(head) else _as_browsers_read(name)


def text_stream(stream: BinaryIO, given: str = "utf-8", *, newline: str | None = None) -> io.TextIOWrapper:
    """A file's text, in the encoding that its first bytes tell (`encoding_of`).

    Bytes that are not in the encoding come out as lone surrogates, so one bad line costs only itself.
    """
    # Standard input may be replaced by something that can't be peeked into.
    buffered = stream if hasattr(stream, "peek") else io.BufferedReader(cast("io.RawIOBase", stream))
    encoding = encoding_of(cast("io.BufferedReader", buffered).peek(), given)
    # Of UTF-16 and UTF-32 no byte can be escaped alone.
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return io.TextIOWrapper(buffered, encoding=encoding, errors=errors, newline=newline)


def decode_page(page: bytes, given: str = "utf-8") -> str:
    """The text of a web page.

    A byte order mark decides; then what the user says, if that is not UTF-8; then UTF-8, if all of it is; then what the
    page declares. A byte that is not in the encoding is read as windows-1252: pages are pieced together.
    """
    encoding = encoding_of(page[:_PAGE_HEAD], given)
    try:
        return page.decode(encoding)
    except UnicodeDecodeError:
        declared = _DECLARED.search(page, 0, _PAGE_HEAD)
        if encoding == "utf-8-sig" and declared:
            encoding = _known(declared[1].decode("ascii", "replace")) or encoding
        return page.decode(encoding, errors=_AS_WINDOWS)


def _unmarked_utf16(head: bytes) -> str | None:
    even, odd = head[: len(head) // 2 * 2 : 2], head[1::2]
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) > 0.7 * len(zeros) and others.count(0) < 0.1 * len(others):
            return encoding
    return None


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # whose end may be cut
    except UnicodeDecodeError:
        return False
    return not head.isascii()


def _known(label: str) -> str | None:
    """The encoding that a page declares; none where Python knows no such one, or where the declaration can't be true."""
    try:
        letter = b"a".decode(label)
    except (LookupError, UnicodeError):
        return None
    # The declaration itself was read as ASCII.
    return _as_browsers_read(codecs.lookup(label).name) if letter == "a" else None


def _as_browsers_read(name: str) -> str:
    if name not in _READ_AS_WINDOWS:
        return name
    import ftfy.bad_codecs  # noqa: F401 — it enters the codec

    return _WINDOWS


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    byte = error.object[error.start : error.start + 1]
    return byte.decode(_as_browsers_read("ascii")), error.start + 1


codecs.register_error(_AS_WINDOWS, _as_windows)
