"""The article in a web page."""

from __future__ import annotations

import re
from typing import Any

from loadedwords.text.sentences import unwrapped

# Quotation marks that only the browser sets: what extracts the text loses them.
_QUOTED = re.compile(r"<(/?)q(?:\s[^<>]{0,2000})?>", re.IGNORECASE)
# Old pages and wires set prose in these; none of them reaches past another, or into a script.
_PREFORMATTED = re.compile(
    r"<pre(?:\s[^<>]{0,2000})?>((?:[^<]|<(?!/?pre\b|/?script\b|code\b))*+)</pre\s*>", re.IGNORECASE
)
# What the page declares: the first date in its prose may be of anything.
_DECLARED = {"extensive_search": False, "original_date": True}
_NUMERIC_DATE = re.compile(r"(?<![\w/-])(\d{1,2})([/-])(\d{1,2})\2((?:\d\d)?\d\d)(?![\w/-])")
# Names of classes by which a page says that something is its standfirst.
STANDFIRST = re.compile(r"(?:.*[-_])?(?:standfirst|dek|deck|strapline|sub-?(?:title|head|heading|headline))", re.I)
_LONGEST_STANDFIRST = 1000  # characters; what is longer is a part of the page that only bears the name


def extract_article(page: str) -> dict[str, Any] | None:
    """Extract text and what the page says of itself (trafilatura, Barbaresi 2021); None where the page holds no
    article.

    ``date`` is that of ISO 8601, or as the page writes it in numbers of which either may be the month. ``text`` (block quotations behind ``> ``, by which they are known for somebody else's), ``title``, ``date``,
    ``outlet``, ``sitename`` (the outlet, if the page names it), ``url``, ``byline``, each but the text possibly None.
    ``standfirst``, by role or class, is no part of the text.
    """
    import trafilatura  # slow to import, and most runs read no page

    marked = _QUOTED.sub(lambda tag: "&rdquo;" if tag[1] else "&ldquo;", page)
    # trafilatura takes what is preformatted for a quotation.
    marked = _PREFORMATTED.sub(lambda pre: "".join(f"<p>{part}</p>" for part in unwrapped(pre[1])), marked)
    found: Any = trafilatura.bare_extraction(
        marked, include_comments=False, include_tables=False, with_metadata=True,
        date_extraction_params=_DECLARED,
    )  # fmt: skip
    if found is None or not found.text:
        return None
    standfirst = _standfirst(trafilatura.load_html(marked))
    text = "\n".join(line for line in found.text.split("\n") if not standfirst or line.strip() != standfirst)
    return {
        "text": _with_block_quotations(text if text.strip() else found.text, found.body),
        "title": found.title,
        "date": found.date and _date_as_written(page, found.date),
        "outlet": found.sitename or found.hostname,
        "sitename": found.sitename,
        "url": found.url,
        "byline": found.author,
        "standfirst": standfirst,
    }


def _date_as_written(page: str, date: str) -> str:
    """What takes dates from pages takes the first number for the day where it can; the outlet's other pages may tell."""
    import trafilatura

    year, month, day = date.split("-")
    readings = (date, f"{year}-{day}-{month}")
    for written in _NUMERIC_DATE.finditer(page):
        if f"{year[: 4 - len(written[4])]}{written[4]}-{written[1]:0>2}-{written[3]:0>2}" in readings:
            clear = trafilatura.extract_metadata(_NUMERIC_DATE.sub("", page), date_config=_DECLARED).date
            return clear if clear in readings else written[0]
    return date


def _standfirst(page: Any) -> str | None:
    """What the first element with such a role or class says, if it is no heap of things."""
    for element in page.iter() if page is not None else ():
        named = any(map(STANDFIRST.fullmatch, (element.get("class") or "").split()))
        if named or element.get("role") == "doc-subtitle":
            said = " ".join("".join(element.itertext()).split())
            return said if said and len(said) <= _LONGEST_STANDFIRST else None
    return None


def _with_block_quotations(text: str, body: Any) -> str:
    """Mark the lines that the page sets as block quotations: in plain text they would pass for the outlet's own."""
    for broken in body.iter("lb") if body is not None else ():
        broken.text = "\n"  # as the text has it
    quotes = body.iter("quote") if body is not None else ()
    parts = [part for quote in quotes for part in (list(quote.iter("p")) or [quote])]
    quoted = {line.strip() for part in parts for line in "".join(part.itertext()).split("\n")} - {""}
    return "\n".join(f"> {line}" if line.strip() in quoted else line for line in text.split("\n"))
