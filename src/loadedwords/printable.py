"""How things are said in a terminal and on a page: text that others wrote made harmless, numbers with their nouns."""

from __future__ import annotations

import re

_BLANKS = "\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"
# Control characters, and those that turn the direction of all that follows.
_OTHERS = map(chr, (*range(9), *range(11, 32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_HARMLESS = {**dict.fromkeys(_OTHERS, "�"), **dict.fromkeys(_BLANKS, " ")}
# A page of megabytes has few of them, and `translate` would look each of its characters up.
_HARMFUL = re.compile(f"[{''.join(_HARMLESS)}]")


def printable(text: str) -> str:
    """Without the characters by which a name or a text could take over a terminal or turn a line around; as long as before.

    Examples
    --------
    >>> printable("The \\x1b[2JLedger \\u202eregdeL ehT")
    'The �[2JLedger �regdeL ehT'
    """
    return _HARMFUL.sub(lambda found: _HARMLESS[found[0]], text)


def counted(n: int, noun: str) -> str:
    """1 article, 2,000 articles."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
