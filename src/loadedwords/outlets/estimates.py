"""Article scores → outlet estimates, each with an interval that takes articles (or events, where known) for the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri, stdtrit

from loadedwords.errors import DataError
from loadedwords.outlets.tables import Scores, load_articles
from loadedwords.schema import CountedVoice, Interval

# Below this many articles no cluster interval can be relied on (Cameron, Gelbach & Miller 2008).
FEW_ARTICLES = 10
# An article counts as loaded from this share on, where the user names no other.
THRESHOLD = 0.5
# How alike the sentences of an article are, for outlets where nothing was found and nothing can be resampled.
# Intraclass correlation of p_own over 52 outlets of 20 articles or more: median 0.14, the highest 0.25.
_ICC_WHERE_NOTHING_WAS_FOUND = 0.25


@dataclass(frozen=True)
class _Counted:
    """The columns of the articles table that a voice's figures rest on."""

    share: str
    sentences: str
    loaded_words: tuple[str, ...]
    words: tuple[str, ...]


COUNTED: dict[CountedVoice, _Counted] = {
    "own": _Counted("loaded_share", "n_own", ("n_loaded_words",), ("n_words",)),
    "quoted": _Counted("loaded_share_quoted", "n_quoted", ("n_loaded_quoted_words",), ("n_quoted_words",)),
    "all": _Counted(
        "loaded_share_all", "n_sentences", ("n_loaded_words", "n_loaded_quoted_words"), ("n_words", "n_quoted_words")
    ),
}
VOICES = tuple(COUNTED)
_SCHEMA = {
    "outlet": pl.String,
    "n_articles": pl.Int64,
    "n_own": pl.Int64,
    "loaded_share": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "n_words": pl.Int64,
    "loaded_words_per_1000": pl.Float64,
    "words_ci_low": pl.Float64,
    "words_ci_high": pl.Float64,
    "note": pl.String,
    "voice": pl.String,
    "n_sentences": pl.Int64,
    "loaded_share_all": pl.Float64,
    "all_ci_low": pl.Float64,
    "all_ci_high": pl.Float64,
    "n_clusters": pl.Int64,
    "share_above": pl.Float64,
    "above_ci_low": pl.Float64,
    "above_ci_high": pl.Float64,
}


def compare_outlets(
    scores: Scores,
    *,
    voice: CountedVoice = "own",
    level: float = 0.95,
    threshold: float = THRESHOLD,
) -> pl.DataFrame:
    """Compare outlets by how loaded their own words are.

    Parameters
    ----------
    scores : str, Path, DataFrame, iterable of ScoredArticle, or several folders
        A folder written by ``loadedwords score``, its articles table, or scored articles.
    voice : {"own", "quoted", "all"}
        Whose words count: what the outlet says itself (the mean `p_own` of its sentences), the sentences in which it
        quotes somebody, or all sentences, whoever speaks (the mean `p_loaded`).
    level : float
        Nominal coverage of the intervals.
    threshold : float
        The loaded share from which an article counts as loaded in `share_above`.

    Returns
    -------
    polars.DataFrame
        One row for each outlet, the most loaded first: outlet, n_articles (with at least one sentence that counts),
        n_own (own-voice sentences), loaded_share (mean score of the sentences that count), ci_low, ci_high, n_words
        (that count), loaded_words_per_1000, words_ci_low, words_ci_high, note, voice, n_sentences (that count), and
        beside them loaded_share_all, all_ci_low, all_ci_high: the share of all sentences of these articles, whoever
        speaks. Then n_clusters (the units: articles, those of one event together), share_above (share of
        articles at or above `threshold`), above_ci_low, above_ci_high (Wilson 1927). The other intervals are those of
        `ratio_interval`, null for an outlet with one article; the note says where articles are fewer than
        `FEW_ARTICLES`, which is too few to rely on any interval. Where nothing loaded was found there is nothing to
        leave out, and the upper end is the exact binomial one (Clopper and Pearson 1934) for the number of sentences,
        made smaller by how alike an article's sentences are (Kish 1965).

    Raises
    ------
    DataError
        If the folder holds no scores, or the table lacks a column.

    Examples
    --------
    >>> import loadedwords
    >>> texts = [{"text": "The puppet regime sneered.", "outlet": "A"}, {"text": "The council met.", "outlet": "B"}]
    >>> compare_outlets(loadedwords.score_articles(texts))["outlet"].to_list()
    ['A', 'B']
    """
    if voice not in COUNTED:
        raise DataError(f"voice is {voice!r}; it is one of {', '.join(VOICES)}.")
    articles = load_articles(scores)
    usable = articles.filter(pl.col(COUNTED[voice].sentences) > 0)
    rows = [
        _outlet_row(outlet, group, voice, level, threshold)
        for (outlet,), group in usable.group_by(["outlet"], maintain_order=True)
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort(["loaded_share", "outlet"], descending=[True, False])


def summarise_all(
    scores: Scores,
    *,
    voice: CountedVoice = "own",
    level: float = 0.95,
    threshold: float = THRESHOLD,
) -> pl.DataFrame:
    """The same figures for all articles together, as one row: what any outlet is to be held against."""
    together = load_articles(scores).with_columns(outlet=pl.lit("all outlets"))
    return compare_outlets(together, voice=voice, level=level, threshold=threshold)


def well_covered(outlets: pl.DataFrame) -> pl.DataFrame:
    """The outlets with enough articles for their intervals to be relied on; all of them where there is none."""
    covered = outlets.filter(pl.col("note") == "")
    return covered if covered.height else outlets


def ratio_interval(
    numerators: NDArray[np.float64], denominators: NDArray[np.float64], *, level: float = 0.95
) -> Interval:
    """Interval for a ratio of two sums over articles, leaving out whole articles.

    Sentences of one article are not independent, so the article is the unit (Cameron, Gelbach & Miller 2008). The
    variance is the delete-one jackknife's (Efron & Stein 1981), the interval is taken on the logit scale of a share
    and the log scale of any other ratio, so that it stays where such a figure can lie, with Student's t and the
    degrees of freedom of `effective_freedom`. In simulations with five articles it covers where the percentiles of a
    bootstrap, which knows only five values, do not (tests/benchmarks/intervals.py).

    Parameters
    ----------
    numerators, denominators : ndarray of shape (n_articles,)
        Such as the sum of scores and the number of sentences; denominators positive, numerators not negative.
    level : float
        Nominal coverage, between 0 and 1.

    Returns
    -------
    Interval

    Raises
    ------
    DataError
        If there is no article or a denominator is not positive.

    Examples
    --------
    >>> ratio_interval(np.array([1.0, 0.0, 2.0]), np.array([10.0, 10.0, 10.0])).estimate
    0.1
    """
    if not len(numerators) or not (denominators > 0).all():
        raise DataError(
            "An interval needs at least one article, each with a positive count.\nLeave out articles with none."
        )
    return _interval(numerators.astype(float), denominators.astype(float), level)


def jackknife_influence(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """How each cluster moves each outlet's ratio of sums to counts; squares sum to the delete-one jackknife variance.

    Parameters
    ----------
    sums, counts : ndarray of shape (n_clusters, n_outlets)
        Zero counts where an outlet has nothing in a cluster.

    Returns
    -------
    ndarray of shape (n_clusters, n_outlets)
    """
    total = counts.sum(axis=0)
    ratio = sums.sum(axis=0) / np.where(total > 0, total, 1)
    inside = counts > 0
    clusters = np.maximum(inside.sum(axis=0), 1)
    # The ratio less what it is without the cluster.
    moved = (sums - ratio * counts) / np.where(counts < total, total - counts, 1)
    centred = np.where(inside, moved - moved.sum(axis=0) / clusters, 0.0)
    return np.asarray(centred * np.sqrt((clusters - 1) / clusters))


def effective_freedom(counts: NDArray[np.float64]) -> float:
    """Degrees of freedom of the variance of a ratio over clusters of unequal size.

    n - 1 where all are of one size. Where a few long articles carry the sum there are fewer: Satterthwaite's (1946)
    number takes a cluster's part in the variance for the square of its part in the sum, as it would be if sentences of
    an article were copies of each other. They are neither copies nor independent, and the number taken is the
    geometric mean of both; tests/benchmarks/intervals.py shows what either end and the mean cover.

    Examples
    --------
    >>> effective_freedom(np.array([10.0, 10.0, 10.0]))
    2.0
    """
    sizes = counts[counts > 0] / counts.sum()
    n = len(sizes)
    copies = (sizes**2).sum() ** 2 / (sizes**4).sum() * (n - 1) / n
    return max(1.0, float(np.sqrt(copies * (n - 1))))


def _interval(numerators: NDArray[np.float64], denominators: NDArray[np.float64], level: float) -> Interval:
    total, whole = float(numerators.sum()), float(denominators.sum())
    estimate = total / whole if whole else 0.0
    if int((denominators > 0).sum()) < 2:
        return Interval(estimate, None, None)
    if estimate <= 0 or not np.isfinite(estimate):
        return Interval(estimate, estimate, estimate)
    error = float(np.sqrt((jackknife_influence(numerators[:, None], denominators[:, None]) ** 2).sum()))
    quantile = float(stdtrit(effective_freedom(denominators), 1 - (1 - level) / 2))
    if (numerators <= denominators).all() and estimate < 1:
        half, at = quantile * error / (estimate * (1 - estimate)), float(logit(estimate))
        low, high = float(expit(at - half)), float(expit(at + half))
    else:
        factor = float(np.exp(min(quantile * error / estimate, 50.0)))
        low, high = estimate / factor, estimate * factor
    return Interval(estimate, min(low, estimate), max(high, estimate))


def _outlet_row(
    outlet: object, group: pl.DataFrame, voice: CountedVoice, level: float, threshold: float
) -> tuple[object, ...]:
    counted = COUNTED[voice]
    by_article = np.column_stack(
        [
            *share_columns(group, voice),
            sum(group[of].to_numpy().astype(float) for of in counted.loaded_words),
            sum(group[of].to_numpy().astype(float) for of in counted.words),
            *share_columns(group, "all"),
        ]
    )
    columns = sum_by_cluster(by_article, clusters_of(group))
    share, words, everybody = (_interval(columns[:, at], columns[:, at + 1], level) for at in (0, 2, 4))
    if share.estimate == 0:
        share = _nothing_found(columns[:, 1], columns[:, 1].sum(), level)
    if words.estimate == 0:
        words = _nothing_found(columns[:, 1], columns[:, 3].sum(), level)
    per_1000 = Interval(*(None if end is None else 1000 * end for end in (words.estimate, words.low, words.high)))  # type: ignore[arg-type]
    above = _wilson(float((group[counted.share].fill_null(0.0) >= threshold).mean() or 0.0), len(columns), level)  # type: ignore[arg-type]
    return (
        outlet,
        group.height,
        int(group["n_own"].sum()),
        share.estimate,
        share.low,
        share.high,
        int(columns[:, 3].sum()),
        per_1000.estimate,
        per_1000.low,
        per_1000.high,
        _note(group.height),
        voice,
        int(columns[:, 1].sum()),
        everybody.estimate,
        everybody.low,
        everybody.high,
        len(columns),
        above.estimate,
        above.low,
        above.high,
    )


def _nothing_found(sentences: NDArray[np.float64], n_units: float, level: float) -> Interval:
    """None of `n_units` is loaded: an interval that is not a point."""
    if len(sentences) < 2 or n_units == 0:
        return Interval(0.0, None, None)
    alike = 1 + (float(sentences.mean()) - 1) * _ICC_WHERE_NOTHING_WAS_FOUND
    return Interval(0.0, 0.0, float(1 - ((1 - level) / 2) ** (alike / n_units)))


def _wilson(share: float, n: int, level: float) -> Interval:
    """Interval of a share of articles (Wilson 1927), which holds at shares of 0 and 1 too."""
    if n == 1:
        return Interval(share, None, None)
    z2 = float(ndtri(1 - (1 - level) / 2)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = float(np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))) / (1 + z2 / n)
    return Interval(share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))


def clusters_of(articles: pl.DataFrame) -> NDArray[np.int64]:
    """What is drawn together when articles are resampled: those of one event; an article without one stands alone.

    Returns
    -------
    ndarray of shape (n_articles,)
        Cluster numbers from 0.
    """
    alone = np.arange(articles.height)
    if "event_id" not in articles.columns or articles["event_id"].is_null().all():
        return alone
    numbers = articles.select(
        pl.when(pl.col("event_id").is_null())
        .then(pl.format("article {}", pl.int_range(pl.len())))
        .otherwise(pl.format("event {}", pl.col("event_id")))
        .rank("dense")
        .cast(pl.Int64)
        - 1
    )
    return numbers.to_series().to_numpy()


def sum_by_cluster(columns: NDArray[np.float64], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Columns of shape (n_articles, k) summed within clusters, in the order of their numbers."""
    summed = np.zeros((int(clusters.max()) + 1 if len(clusters) else 0, columns.shape[1]))
    np.add.at(summed, clusters, columns)
    return summed


def share_columns(group: pl.DataFrame, voice: CountedVoice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sum of scores and the number of sentences of each article, of those whose words count."""
    counted = COUNTED[voice]
    n = group[counted.sentences].to_numpy().astype(float)
    return group[counted.share].fill_null(0.0).to_numpy() * n, n


def _note(n_articles: int) -> str:
    if n_articles == 1:
        return "one article"
    return "few articles" if n_articles < FEW_ARTICLES else ""
