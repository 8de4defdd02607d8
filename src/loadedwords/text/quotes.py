"""Which characters stand between quotation marks: a first, simple rule.

A double mark (straight, curly, low or angled) opens and closes; a curly single mark does so outside a double
one. An unclosed quotation ends with its paragraph, so that a lost mark never swallows an article.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile('["“”„‟«»]|‘|’(?!\\w)')
_CLOSER = {"“": '”"', "„": "“”", "‟": "”", "«": "»", "‘": "’", '"': '"'}


@dataclass(frozen=True)
class Quotation:
    """What stands between two marks: offsets of the words, the marks themselves left out."""

    start: int
    end: int


def find_quotations(paragraph: str) -> list[Quotation]:
    """Find the quotations of one paragraph.

    Parameters
    ----------
    paragraph : str
        Clean text.

    Returns
    -------
    list of Quotation
        In order, without overlap: a quotation inside a quotation belongs to the outer one.
    """
    found: list[Quotation] = []
    opener, begin = "", 0
    for match in _MARK.finditer(paragraph):
        mark = match[0]
        if opener:
            if mark in _CLOSER[opener]:
                found.append(Quotation(begin, match.start()))
                opener = ""
        elif mark in _CLOSER and _opens(paragraph, match.start(), match.end()):
            opener, begin = mark, match.end()
    if opener and opener != "‘":
        found.append(Quotation(begin, len(paragraph)))
    return [quotation for quotation in found if quotation.end > quotation.start]


def _opens(paragraph: str, start: int, end: int) -> bool:
    """Whether a mark may open: a word follows it, and none touches it on the left."""
    before = paragraph[start - 1] if start else " "
    after = paragraph[end] if end < len(paragraph) else " "
    if paragraph[start] == "‘" and after.isdigit():
        return False  # ‘90s
    return not after.isspace() and not before.isalnum()
