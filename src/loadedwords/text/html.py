"""The article in a web page."""

from __future__ import annotations

from typing import Any


def extract_article(page: str | bytes) -> dict[str, Any] | None:
    """Extract text and what the page says of itself (trafilatura, Barbaresi 2021).

    Parameters
    ----------
    page : str or bytes
        Of bytes, the encoding is guessed; `articles.decoding` knows more of it.

    Returns
    -------
    dict or None
        ``text`` (block quotations behind ``> ``, by which they are known for somebody else's), ``title``, ``date``, ``outlet``, ``sitename`` (the outlet, if the page names it), ``url``, ``byline``, each but the text possibly None; None where the page
        holds no article.
    """
    import trafilatura  # slow to import, and most runs read no page

    found: Any = trafilatura.bare_extraction(page, include_comments=False, include_tables=False, with_metadata=True)
    if found is None or not found.text:
        return None
    return {
        "text": _with_block_quotations(found.text, found.body),
        "title": found.title,
        "date": found.date,
        "outlet": found.sitename or found.hostname,
        "sitename": found.sitename,
        "url": found.url,
        "byline": found.author,
    }


def _with_block_quotations(text: str, body: Any) -> str:
    """Mark the lines that the page sets as block quotations: in plain text they would pass for the outlet's own."""
    quotes = body.iter("quote") if body is not None else ()
    parts = [part for quote in quotes for part in (list(quote.iter("p")) or [quote])]
    quoted = {line.strip() for part in parts for line in "".join(part.itertext()).split("\n")} - {""}
    return "\n".join(f"> {line}" if line.strip() in quoted else line for line in text.split("\n"))
