"""The article in a web page."""

from __future__ import annotations

from typing import Any


def extract_article(page: bytes) -> dict[str, Any] | None:
    """Extract text and what the page says of itself (trafilatura, Barbaresi 2021).

    Parameters
    ----------
    page : bytes
        As downloaded; the encoding is found from the page.

    Returns
    -------
    dict or None
        ``text``, ``title``, ``date``, ``outlet``, ``url``, ``byline``, each but the text possibly None; None where the page
        holds no article.
    """
    import trafilatura  # slow to import, and most runs read no page

    found: Any = trafilatura.bare_extraction(page, include_comments=False, include_tables=False, with_metadata=True)
    if found is None or not found.text:
        return None
    return {
        "text": found.text,
        "title": found.title,
        "date": found.date,
        "outlet": found.sitename or found.hostname,
        "url": found.url,
        "byline": found.author,
    }
