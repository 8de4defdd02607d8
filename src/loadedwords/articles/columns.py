"""Which column of a table, or which key of a JSON object, holds what: by its usual names, or as the user says."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from loadedwords.text.repair import repair

# The usual names, the best first; capitals, blanks, hyphens and underscores make no difference. A full stop leads into
# an object within the object.
COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "article_id", "_id", "uuid", "guid", "stories_id", "document_id", "doc_id"),
    "text": (
        "text", "body", "content", "article", "maintext", "article_text", "full_text", "article_body", "body_text",
        "fields.body_text", "plain_text",
    ),
    "outlet": (
        "outlet", "publication", "publisher", "source_name", "media_name", "source-hostname", "newspaper",
        "news_outlet", "site_name", "source", "site", "thread.site", "source_common_name", "source_domain", "domain",
    ),
    "title": ("title", "headline", "article_title", "web_title", "thread.title"),
    "standfirst": ("standfirst", "subtitle", "deck", "dek", "lead", "description", "summary"),
    "date": (
        "date", "published", "published_at", "publish_date", "date_publish", "date_published", "published_date",
        "publication_date", "pub_date", "date_time", "seen_date", "web_publication_date", "timestamp",
        "thread.published", "published_utc",
    ),
    "url": (
        "url", "link", "article_url", "news_link", "article_link", "web_url", "canonical_url", "permalink",
        "document_identifier", "thread.url",
    ),
    "event_id": ("event_id", "event"),
    "topic": ("topic", "section", "desk", "section_name", "news_desk"),
    "byline": ("byline", "author", "authors"),
}  # fmt: skip
# All but the text and the date.
SHORT_FIELDS = ("id", "outlet", "title", "standfirst", "url", "event_id", "topic", "byline")
# What articles are put together by.
_GROUPING = ("outlet", "event_id", "topic")
# A date in three columns, or in two, or a year.
DATE_PARTS = ("year", "month", "day")
# What an object within the record is called by: a news API's source, a database's id and date.
_NAMES_WITHIN = ("name", "title", "main", "$oid", "$date")
_OPTION = {"event_id": "event"}
_NOTHING = frozenset({"none", "null", "nan", "nat", "n/a", "na", "-", "\\n"})
_NO_SIGN = re.compile(r"[^a-z0-9.$]")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")


def column_of(kind: str, names: Collection[str], chosen: Mapping[str, str]) -> str | None:
    """The column that holds a field: the one the user named, else the first of the usual names."""
    return next(_columns_of(kind, names, chosen), None)


def value_of(kind: str, values: Mapping[str, Any], chosen: Mapping[str, str]) -> Any:
    """What a record says of a field, None where it says nothing.

    A text stands in one column. Anything else may be said by the second of the usual names where the first is empty.
    """
    for column in _columns_of(kind, values, chosen):
        value = _within(values, column)
        if kind == "text" or not is_nothing(value):
            return value
    if kind == "date" and "date" not in chosen:
        return _date_of_parts(values)
    return None


def read_columns(names: Collection[str], chosen: Mapping[str, str]) -> set[str]:
    """Those of a table's columns that have anything to say."""
    usual = {path.partition(".")[0] for kind in COLUMN_NAMES for path in _usual(kind)} | {*DATE_PARTS}
    named = {name.partition(".")[0] for name in chosen.values()} | {*chosen.values()}
    return {name for name in names if name in named or _key(str(name)) in usual}


def missing_text(names: Collection[str], chosen: Mapping[str, str]) -> str | None:
    if column_of("text", names, chosen) is not None:
        return None
    looked = chosen.get("text") or ", ".join(COLUMN_NAMES["text"])
    found = ", ".join(str(name)[:60] for name in list(names)[:30])
    return f"no text column. Looked for: {looked}. Found: {found}. Name it with --text-column"


def has_column(names: Collection[str], path: str) -> bool:
    """Whether there is a column, or something at a path into objects within the record."""
    if path in names:
        return True
    head, _, rest = path.partition(".")
    inner = names.get(head) if rest and isinstance(names, Mapping) else None
    return any(has_column(one, rest) for one in _objects(inner))


def paths_of(values: Mapping[str, Any]) -> Iterator[str]:
    """The columns of a record, those of objects and lists of objects within it too."""
    for name, value in values.items():
        yield str(name)
        yield from dict.fromkeys(f"{name}.{path}" for one in _objects(value) for path in paths_of(one))


def option_of(kind: str) -> str:
    """The command line's option that names the column of a field."""
    return f"--{_OPTION.get(kind, kind)}-column"


def is_nothing(value: Any) -> bool:
    """Whether a value is one of the many ways to leave a field empty."""
    if isinstance(value, str):
        shown = value.strip("\0 \t\r\n")
        return not shown or shown.lower() in _NOTHING
    if value is None or isinstance(value, (dict, list)):
        return not value
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in ("NaTType", "NAType")  # pandas' no time, and no value


def short_text(value: Any) -> str | None:
    """A field as text; news APIs give the outlet as ``{"id": ..., "name": ...}``."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in _NAMES_WITHIN if value.get(name)), None)
    if isinstance(value, (list, tuple)):  # authors
        value = ", ".join(filter(None, map(short_text, value)))
    if is_nothing(value) or isinstance(value, Mapping):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).replace("\0", "").strip() or None


def field_text(kind: str, value: Any) -> str | None:
    """A short field as text; where articles are put together by it, "Smith &amp; Co" and "Smith & Co" are one."""
    said = short_text(value)
    return _repaired(said) if said and kind in _GROUPING else said


@lru_cache(maxsize=4096)  # the records of a file mostly name the same few
def _repaired(name: str) -> str | None:
    return repair(name).text.strip() or None


def host_of(address: str | None) -> str | None:
    """The host of a web address, without "www."; None of what is no address.

    Examples
    --------
    >>> host_of("https://www.example.org:8080/2026/story.html"), host_of("The Example")
    ('example.org', None)
    """
    address = (address or "").strip()
    if address.lower().startswith("www."):
        address = f"//{address}"
    if "//" not in address:
        return None
    try:
        host = (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return None
    return host if _HOST.fullmatch(host) else None


def _columns_of(kind: str, names: Collection[str], chosen: Mapping[str, str]) -> Iterator[str]:
    if kind in chosen:
        if has_column(names, chosen[kind]):
            yield chosen[kind]
        return
    for name, rest in _usual_columns(kind, tuple(names)):
        if not rest:
            yield name
        elif isinstance(names, Mapping) and isinstance(inner := names[name], Mapping):
            yield from (f"{name}.{key}" for key in inner if _key(str(key)) == rest)


@lru_cache(maxsize=4096)  # the records of a file mostly have the same names
def _usual_columns(kind: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Those of the names that are usual for a field, the best first, and where to look in the object that it holds."""
    lowered = {_key(str(name)): name for name in reversed(names)}
    found = []
    for path in _usual(kind):
        head, _, rest = path.partition(".")
        if rest and path in lowered:  # an object that was made columns of
            found.append((lowered[path], ""))
        elif head in lowered:
            found.append((lowered[head], rest))
    return found


def _within(values: Mapping[str, Any], path: str) -> Any:
    """The value of a column, or at a path into objects within the record."""
    if path in values:
        return values[path]
    head, _, rest = path.partition(".")
    inner = values.get(head)
    if rest and isinstance(inner, (list, tuple)):
        found = [_within(one, rest) for one in _objects(inner)]
        return found[0] if len(found) == 1 else found or None
    return _within(inner, rest) if rest and isinstance(inner, Mapping) else None


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The object that a value is, or those that it lists, as content systems do where a field may have several values."""
    return [one for one in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(one, Mapping)]


def _date_of_parts(values: Mapping[str, Any]) -> str | None:
    lowered = {_key(str(name)): value for name, value in values.items()}
    parts: list[str] = []
    for name in DATE_PARTS:
        try:
            parts.append(f"{int(float(lowered[name])):02d}")
        except (KeyError, TypeError, ValueError, OverflowError):
            break
    return "-".join(parts) or None


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    return _NO_SIGN.sub("", name.lower())


@lru_cache
def _usual(kind: str) -> tuple[str, ...]:
    return tuple(_key(name) for name in COLUMN_NAMES[kind])
