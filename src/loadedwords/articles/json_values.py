"""JSON that is not one object a line: a single object, an array, objects spread over lines, a list within an object.

Read piece by piece: of an array of gigabytes no more is held than one of its objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from loadedwords.articles.sources import Text

_PIECE = 65536
_DECODER = json.JSONDecoder(strict=False)
_BETWEEN = re.compile(r"[\s,\[\]\x00]*")
_OPENING = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# Where a list begins within an object too large to hold.
_LIST_WITHIN = re.compile(r'"\s*:\s*\[\s*(?=\{)')
# How deep a list of records may lie: response → hits → list.
_DEEPEST = 3
_SAMPLE = 20
# Characters of a file that is one object and no list: all its records are held.
_LARGEST_WHOLE = 200_000_000


def one_a_line(head: str, ending: str) -> bool:
    """Whether a file that begins like this has one value a line, as one called ".jsonl" says it has."""
    first, _, rest = head.lstrip().partition("\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):  # broken, or cut: by the end of the line or of what is looked at
        follows = rest.lstrip()[:1]
        if first.startswith("[") or _goes_on(first):
            return False
        return follows == "{" or (ending != ".json" and follows != '"')
    return bool(rest.strip()) or (ending != ".json" and isinstance(value, dict))


def _goes_on(line: str) -> bool:
    """Whether more follows below this line: it ends between two values, not within one as a line cut short does."""
    signs = _STRING.sub("", line).rstrip()
    return '"' not in signs and signs.endswith(("{", "[", ":", ","))


def read_values(text: Text, limit: int) -> Iterator[Any]:
    """The values of a file, those of an array one by one, each `limit` long at most; a `ValueError` for what is
    none.
    """
    held, opening, is_first, is_inside = "", "", text.head.lstrip().startswith("{"), False
    while True:
        held = held[_skipped(held) :]
        if not held:
            held = text.read(_PIECE)
            if not held:
                return
            continue
        if is_inside and not held.startswith("{"):
            return  # what stands behind the list is none of it
        opening = opening or (found[0] if (found := _OPENING.match(held)) else "")
        value, end, held = _decoded(held, text, limit)
        if value is _TOO_LARGE and is_first and (begin := _long_list(held)):
            opening, held, is_inside, is_first = "", held[begin:], True, False
            continue
        if value is _TOO_LARGE and is_first:
            value, end, held = _decoded(held, text, _LARGEST_WHOLE)
        is_first = False
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


def _long_list(held: str) -> int | None:
    """Where the first list of objects begins that does not end in what is held."""
    for found in _LIST_WITHIN.finditer(held):
        try:
            _DECODER.raw_decode(held, held.index("[", found.start()))
        except (ValueError, RecursionError):
            return found.end()
    return None


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
    """The records that a value holds: itself, or those within it, as news services answer and programs write tables."""
    if not isinstance(value, dict):
        yield value
    elif is_record(value):
        yield from _rows_of_columns(value) or [value]
    else:
        yield from _within(value, is_record, _DEEPEST) or [value]


def _within(value: Mapping[str, Any], is_record: Callable[[Mapping[str, Any]], bool], depth: int) -> Sequence[Any]:
    """The first list of records, the first object that holds records by their ids, or a table with its rows as lists."""
    if isinstance(names := value.get("columns"), list) and isinstance(rows := value.get("data"), list):
        return [dict(zip(names, row, strict=False)) if isinstance(row, list) else row for row in rows]
    inner = [(key, item) for key, item in value.items() if isinstance(item, dict)]
    if inner and len(inner) == len(value) and all(is_record(item) for _, item in inner[:_SAMPLE]):
        return [{"id": key, **item} for key, item in inner]
    for items in value.values():
        if isinstance(items, list):
            bare = [_bare(item) for item in items]
            if any(isinstance(item, dict) and is_record(item) for item in bare[:_SAMPLE]):
                return bare
    return next(filter(None, (_within(item, is_record, depth - 1) for _, item in inner if depth)), ())


def _rows_of_columns(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a table that is written column by column, as pandas does unless told otherwise."""
    columns = [list(item.values()) if isinstance(item, dict) else item for item in value.values()]
    if not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns) or len(columns) < 2:
        return []
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def _bare(item: Any) -> Any:
    """Elasticsearch packs each record once more."""
    return item["_source"] if isinstance(item, dict) and isinstance(item.get("_source"), dict) else item
