"""Scored articles → data frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from loadedwords.errors import DataError, require
from loadedwords.schema import ARTICLES, LOADED_WORD, SENTENCES, ScoredArticle, article_row, sentence_rows

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Of = Literal["articles", "sentences", "words"]
_WORDS = pa.schema([("article_id", pa.string()), ("outlet", pa.string()), ("sentence_id", pa.int32()), *LOADED_WORD])


def to_arrow(scored: Iterable[ScoredArticle] | ScoredArticle, of: Of = "articles") -> pa.Table:
    """Scored articles as a table: that which `loadedwords score` writes, or one of loaded words.

    Parameters
    ----------
    scored : iterable of ScoredArticle
        As `score_articles` yields them, or a single one.
    of : {"articles", "sentences", "words"}
        One row for each.

    Raises
    ------
    DataError
        If `of` is something else.

    Examples
    --------
    >>> import loadedwords
    >>> scored = loadedwords.score_articles(["The regime's puppet sneered."], model="linear")
    >>> to_arrow(scored, "sentences").column("text").to_pylist()
    ["The regime's puppet sneered."]
    """
    articles = [scored] if isinstance(scored, ScoredArticle) else scored
    if of == "articles":
        return pa.Table.from_pylist([article_row(article) for article in articles], schema=ARTICLES)
    if of not in ("sentences", "words"):
        raise DataError(f"There is no table of {of!r}.\nAsk for articles, sentences or words.")
    rows: list[dict[str, Any]] = [row for article in articles for row in sentence_rows(article)]
    if of == "sentences":
        return pa.Table.from_pylist(rows, schema=SENTENCES)
    of_sentence = ("article_id", "outlet", "sentence_id")
    return pa.Table.from_pylist(
        [{**{name: row[name] for name in of_sentence}, **word} for row in rows for word in row["words"]], schema=_WORDS
    )


def to_polars(scored: Iterable[ScoredArticle] | ScoredArticle, of: Of = "articles") -> pl.DataFrame:
    """As `to_arrow`, a polars.DataFrame."""
    import polars as pl

    frame = pl.from_arrow(to_arrow(scored, of))
    return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()


def to_pandas(scored: Iterable[ScoredArticle] | ScoredArticle, of: Of = "articles") -> pd.DataFrame:
    """As `to_arrow`, a pandas.DataFrame."""
    require("pandas", extra="datasets", purpose="to_pandas")
    return to_arrow(scored, of).to_pandas()
