"""What counts of an article: the columns of the voice that is asked for, its outlet, its cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.schema import CountedVoice


@dataclass(frozen=True)
class Counted:
    """The columns of the articles table that a voice's figures rest on."""

    share: str
    sentences: str
    loaded_words: tuple[str, ...]
    words: tuple[str, ...]


COUNTED: dict[CountedVoice, Counted] = {
    "own": Counted("loaded_share", "n_own", ("n_loaded_words",), ("n_words",)),
    "quoted": Counted("loaded_share_quoted", "n_quoted", ("n_loaded_quoted_words",), ("n_quoted_words",)),
    # Whoever speaks, agencies too.
    "all": Counted(
        "loaded_share_all",
        "n_sentences",
        ("n_loaded_words", "n_loaded_quoted_words", "n_loaded_syndicated_words"),
        ("n_words", "n_quoted_words", "n_syndicated_words"),
    ),
}
VOICES = tuple(COUNTED)


def check_asked(voice: str, level: float = 0.95) -> None:
    """Refuse a voice that nobody has, and a coverage that no interval can.

    Raises
    ------
    DataError
    """
    if voice not in COUNTED:
        raise DataError(f"voice is {voice!r}; it is one of {', '.join(VOICES)}.")
    if not 0 < level < 1:
        raise DataError(f"level is {level}; it lies between 0 and 1, such as 0.95.")


def with_sentences(articles: pl.DataFrame, voice: CountedVoice) -> pl.DataFrame:
    """The articles with at least one sentence that counts.

    Raises
    ------
    DataError
        If there is no such voice.
    """
    check_asked(voice)
    return articles.filter(pl.col(COUNTED[voice].sentences) > 0)


def share_columns(articles: pl.DataFrame, voice: CountedVoice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sum of scores and the number of sentences of each article, of those whose words count."""
    n = articles[COUNTED[voice].sentences].to_numpy().astype(float)
    return articles[COUNTED[voice].share].fill_null(0.0).to_numpy() * n, n


def without_syndicated(sentences: pl.LazyFrame, articles: pl.DataFrame) -> pl.LazyFrame:
    """The sentences without what somebody else than the outlet wrote, where that was left out of its figures."""
    if "n_syndicated" not in articles.columns or "origin" not in sentences.collect_schema().names():
        return sentences
    left_out = articles.filter(pl.col("n_syndicated") > 0)["article_id"].to_list()
    return sentences.filter(pl.col("origin").is_null() | ~pl.col("article_id").is_in(left_out))


def clusters_of(articles: pl.DataFrame) -> NDArray[np.int64]:
    """What is drawn together when articles are resampled: those of one event, and those with the very same text.

    A copy is on the event of the text that it is a copy of, even if only one of the two says so.

    Returns
    -------
    ndarray of shape (n_articles,)
        Cluster numbers from 0.
    """
    first = list(range(articles.height))  # of each article one of its cluster, itself or an earlier one

    def root(at: int) -> int:
        while first[at] != at:
            first[at] = at = first[first[at]]
        return at

    for column in ("event_id", "text_digest"):
        known: dict[str, int] = {}
        for at, group in enumerate(articles[column].to_list() if column in articles.columns else ()):
            if group is not None and (other := known.setdefault(group, at)) != at:
                low, high = sorted((root(at), root(other)))
                first[high] = low
    return np.unique([root(at) for at in range(len(first))], return_inverse=True)[1].astype(np.int64)


def sum_by_cluster(columns: NDArray[np.float64], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Columns of shape (n_articles, k) summed within clusters, in the order of their numbers."""
    summed = np.zeros((int(clusters.max()) + 1 if len(clusters) else 0, columns.shape[1]))
    np.add.at(summed, clusters, columns)
    return summed


def sums_of_outlets(
    articles: pl.DataFrame, voice: CountedVoice
) -> tuple[pl.Series, NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Outlets by name: their numbers of articles, sums of scores and numbers of sentences, the last two by cluster.

    Sums are of shape (n_clusters, n_outlets).
    """
    outlet, names = numbered(articles["outlet"])
    clusters = clusters_of(articles)
    sums, sizes = np.zeros((2, int(clusters.max(initial=-1)) + 1, len(names)))
    for table, column in zip((sums, sizes), share_columns(articles, voice), strict=True):
        np.add.at(table, (clusters, outlet), column)
    return names, np.bincount(outlet, minlength=len(names)), sums, sizes


def numbered(column: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
    """Each value's number from 0, and the values in order; no value is the first of them."""
    text = column.cast(pl.String)
    number = text.rank("dense").cast(pl.Int64).fill_null(0) - (0 if text.has_nulls() else 1)
    return number.to_numpy(), text.unique().sort()
