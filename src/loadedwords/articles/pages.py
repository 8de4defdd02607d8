"""A web page → its fields, the text among them."""

from __future__ import annotations

import html
import re
from typing import Any

from loadedwords.articles.columns import host_of
from loadedwords.text.html import extract_article

_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,500})</title", re.IGNORECASE)
# Browsers say it at the head of a page that they save.
_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(\S{1,2000})\s*-->")
_HEAD = 65536
_SITE = re.compile(r".*\s[|–—·-]\s+(\S.{0,60})")


def read_page(page: str) -> dict[str, Any] | None:
    """What the page holds and says of itself; None where it holds no article."""
    found = extract_article(page)
    if found is None:
        return None
    saved = _SAVED_FROM.search(page, 0, _HEAD)
    found["url"] = found["url"] or (saved[1] if saved else None)
    named = found.pop("sitename")
    if named and named.lower() == host_of(found["url"]):
        named = None  # the address names the outlet too, but that is told apart (`records`)
    found["outlet"] = named or (None if found["url"] else _outlet_in_title(page, found["title"]))
    return found


def _outlet_in_title(page: str, title: str | None) -> str | None:
    """Behind the headline, as in "Dam breaks - The Courier"."""
    written = _TITLE.search(page, 0, _HEAD)
    whole = html.unescape(written[1]).strip() if written else ""
    if not title or not _plain(whole).startswith(_plain(title)):
        return None
    behind = _SITE.fullmatch(whole[len(title) :])
    return behind[1].strip() if behind else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
