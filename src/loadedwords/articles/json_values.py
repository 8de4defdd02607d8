"""JSON that is not one object a line: a single object, an array, objects spread over lines, a list within an object.

Read piece by piece: of an array of gigabytes no more is held than one of its objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from loadedwords.articles.sources import Text

_PIECE = 65536
_DECODER = json.JSONDecoder(strict=False)
_BETWEEN = re.compile(r"[\s,\[\]\x00]*")
_OPENING = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"')
# Where a list begins within an object too large to hold.
_LIST_WITHIN = re.compile(r'"\s*:\s*\[\s*(?=\{)')
# How deep a list of records may lie: response → hits → list.
_DEEPEST = 3


def one_a_line(head: str, ending: str) -> bool:
    """Whether a file that begins like this has one value a line, as one called ".jsonl" says it has."""
    first, _, rest = head.lstrip().partition("\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):  # broken, or cut: by the end of the line or of what is looked at
        follows = rest.lstrip()[:1]
        if first.startswith("[") or first.strip() == "{":
            return False
        return follows == "{" or (ending != ".json" and follows != '"')
    return bool(rest.strip()) or (ending != ".json" and isinstance(value, dict))


def read_values(text: Text, limit: int) -> Iterator[Any]:
    """The values of a file, those of an array one by one; a `ValueError` in place of what is none.

    Parameters
    ----------
    text : Text
    limit : int
        Characters that one value may have.
    """
    held, opening = "", ""
    while True:
        held = held[_skipped(held) :]
        if not held:
            held = text.read(_PIECE)
            if not held:
                return
            continue
        opening = opening or (found[0] if (found := _OPENING.match(held)) else "")
        value, end, held = _decoded(held, text, limit)
        if value is _TOO_LARGE and (inner := _LIST_WITHIN.search(held)):
            opening, held = "", held[inner.end() :]
            continue
        if isinstance(value, ValueError):
            yield value
            held = _from_next(held, opening, text)
        else:
            yield value
            held = held[end:]


_TOO_LARGE = ValueError("longer than an article may be; raise --max-characters if it is one")


def _decoded(held: str, text: Text, limit: int) -> tuple[Any, int, str]:
    """The value that `held` begins with, or what is wrong with it; where it ends; and what is held by then."""
    while True:
        try:
            value, end = _DECODER.raw_decode(held)
        except RecursionError:
            return ValueError("nested too deeply"), 0, held
        except ValueError as error:
            at = getattr(error, "pos", 0)
            if "Unterminated" not in str(error) and at < len(held) - 16:
                return ValueError(f"no valid JSON: {error}"), 0, held
            trouble = ValueError(f"no valid JSON: {error}")
        else:
            if end < len(held) or not isinstance(value, (int, float)):  # a number may go on
                return value, end, held
            trouble = ValueError("a JSON number, not an object with a text")
        if len(held) > limit:
            return _TOO_LARGE, 0, held
        more = text.read(max(_PIECE, len(held)))
        if not more:
            return trouble, 0, held
        held += more


def _from_next(held: str, opening: str, text: Text) -> str:
    """What follows something broken, from where a value begins as the first one did, or a line with an object."""
    begins = re.compile(rf"(?<=\n)\{{|{re.escape(opening)}" if opening else r"(?<=\n)\{")
    start = 1
    while True:
        if found := begins.search(held, start):
            return held[found.start() :]
        held, start = held[-len(opening) - 1 :], 0
        more = text.read(_PIECE)
        if not more:
            return ""
        held += more


def _skipped(held: str) -> int:
    found = _BETWEEN.match(held)
    return found.end() if found else 0


def records_within(value: Any, is_record: Callable[[Mapping[str, Any]], bool]) -> Iterator[Any]:
    """The records that a value holds: itself, or those of a list within it, as news services answer."""
    inner = None if not isinstance(value, dict) or is_record(value) else _list_within(value, is_record, _DEEPEST)
    yield from [value] if inner is None else inner


def _list_within(
    value: Mapping[str, Any], is_record: Callable[[Mapping[str, Any]], bool], depth: int
) -> list[Any] | None:
    for inner in value.values():
        if isinstance(inner, list) and any(isinstance(item, dict) and is_record(_bare(item)) for item in inner[:20]):
            return [_bare(item) for item in inner]
        if isinstance(inner, dict) and depth and (found := _list_within(inner, is_record, depth - 1)) is not None:
            return found
    return None


def _bare(item: Any) -> Any:
    """Elasticsearch packs each record once more."""
    return item["_source"] if isinstance(item, dict) and isinstance(item.get("_source"), dict) else item
