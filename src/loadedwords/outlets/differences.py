"""Every pair of outlets, small outlets drawn to the mean, and how much of the variance lies between outlets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from loadedwords.outlets.estimates import (
    FEW_ARTICLES,
    clusters_of,
    effective_freedom,
    jackknife_influence,
    share_columns,
)
from loadedwords.schema import CountedVoice

# Smaller differences are the rounding of sums.
_ROUNDING = 1e-12
# Weight of the variance of all outlets in that of one, in degrees of freedom (moderated variance, Smyth 2004).
_PRIOR_FREEDOM = 4.0
_RESAMPLED_OUTLETS = 2000

PAIRS_SCHEMA = {
    "outlet_a": pl.String,
    "outlet_b": pl.String,
    "n_articles_a": pl.Int64,
    "n_articles_b": pl.Int64,
    "difference": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "p_value": pl.Float64,
    "p_adjusted": pl.Float64,
    "differs": pl.Boolean,
}


@dataclass(frozen=True)
class VarianceSplit:
    """Variance of articles' loaded shares.

    Attributes
    ----------
    between, within : float
        Variance of outlets' means, and of articles around the mean of their outlet, in squared shares.
    share_between : float
        between / (between + within), the intraclass correlation.
    share_low, share_high : float or None
        Its interval, outlets resampled; None with fewer than five outlets.
    n_outlets, n_articles : int
    """

    between: float
    within: float
    share_between: float
    share_low: float | None
    share_high: float | None
    n_outlets: int
    n_articles: int


@dataclass(frozen=True)
class _Shares:
    """Outlets with at least two clusters: shares, and how each cluster moves each outlet's share."""

    outlets: list[str | None]
    n_articles: NDArray[np.int64]
    share: NDArray[np.float64]
    freedom: NDArray[np.float64]  # degrees of freedom
    influence: NDArray[np.float64]  # (n_clusters, n_outlets)


def adjust_holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """p-values corrected for how many there are, so that the chance of any false one is held (Holm 1979).

    Examples
    --------
    >>> adjust_holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    stepped = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted


def compare_pairs(
    articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95, min_articles: int = FEW_ARTICLES
) -> pl.DataFrame:
    """Difference of every pair of outlets in loaded share.

    The variance is the delete-one jackknife's (Efron and Stein 1981; for ratios and clusters it is the CR3 of Bell
    and McCaffrey 2002), with the articles of one event, in both outlets, left out together: two outlets that report
    the same events err in the same direction, and their difference is surer for it. Intervals use Student's t with
    Welch's (1947) degrees of freedom, each outlet's own as in `estimates.effective_freedom`.

    Parameters
    ----------
    articles : DataFrame
        The articles table; where it has `event_id`, events are the clusters.
    voice : {"own", "quoted", "all"}
    level : float
        Nominal coverage of each interval by itself; `p_adjusted` and `differs` allow for the number of pairs.
    min_articles : int
        Outlets with fewer are left out: each adds comparisons that can show nothing.

    Returns
    -------
    DataFrame
        One row for every pair, the surest first: outlet_a, outlet_b, n_articles_a, n_articles_b, difference (a minus
        b), ci_low, ci_high, p_value (two-sided), p_adjusted (Holm 1979), differs (p_adjusted below 1 - level).

    Examples
    --------
    >>> articles = pl.DataFrame({"outlet": ["A"] * 10 + ["B"] * 10, "n_own": 20, "n_sentences": 20, "n_quoted": 0,
    ...     "loaded_share": [0.3, 0.4] * 5 + [0.1, 0.2] * 5})
    >>> compare_pairs(articles)["difference"].round(3).to_list()
    [0.2]
    """
    shares = _jackknife(articles, voice, min_articles)
    covariance = shares.influence.T @ shares.influence
    variance = np.diag(covariance)
    a, b = np.triu_indices(len(shares.outlets), k=1)
    if not len(a):
        return pl.DataFrame(schema=PAIRS_SCHEMA)
    difference = shares.share[a] - shares.share[b]
    difference[np.abs(difference) < _ROUNDING] = 0.0
    error = np.sqrt(np.maximum(variance[a] + variance[b] - 2 * covariance[a, b], 0))
    freedom = _welch(variance[a], variance[b], shares.freedom[a], shares.freedom[b])
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, np.abs(difference) / error, np.where(difference == 0, 0.0, np.inf))
    p_values = 2 * stdtr(freedom, -statistic)
    half = stdtrit(freedom, 1 - (1 - level) / 2) * error
    adjusted = adjust_holm(p_values)
    names = pl.Series(shares.outlets, dtype=pl.String)
    return pl.DataFrame(
        {
            "outlet_a": names.gather(a),
            "outlet_b": names.gather(b),
            "n_articles_a": shares.n_articles[a],
            "n_articles_b": shares.n_articles[b],
            "difference": difference,
            "ci_low": difference - half,
            "ci_high": difference + half,
            "p_value": p_values,
            "p_adjusted": adjusted,
            "differs": adjusted < 1 - level,
        },
        schema=PAIRS_SCHEMA,
    ).sort(["p_value", "outlet_a", "outlet_b"], nulls_last=True)


def shrink(articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95) -> pl.DataFrame:
    """Outlets' shares drawn towards the mean of all, the more the less is known of the outlet.

    Empirical Bayes (Morris 1983) with the variance between outlets by the method of DerSimonian and Laird (1986). An
    outlet's own variance is moderated by that of all outlets (Smyth 2004), since that of three articles is itself a guess.
    A share that is drawn is better on average over outlets, and worse for an outlet that truly is unlike the others:
    the raw one stands beside it.

    Returns
    -------
    DataFrame
        outlet, shrunken_share, shrunken_low, shrunken_high (posterior interval), kept (the weight of the outlet's own
        figure, between 0 and 1). Empty with fewer than three outlets, or where no outlet has two articles: then nothing
        says how sure a share is.
    """
    schema = dict.fromkeys(("outlet",), pl.String) | dict.fromkeys(
        ("shrunken_share", "shrunken_low", "shrunken_high", "kept"), pl.Float64
    )
    counted = articles.filter(pl.Series(share_columns(articles, voice)[1] > 0)) if articles.height else articles
    if not 3 <= counted["outlet"].n_unique() < counted.height:
        return pl.DataFrame(schema=schema)
    numerators, denominators = share_columns(counted, voice)
    outlet, names = _outlet_numbers(counted)
    n, k = np.bincount(outlet), len(names)
    total = np.bincount(outlet, denominators, k)
    share = np.bincount(outlet, numerators, k) / total
    # Squared residuals in units of one article of the outlet's mean length.
    spread = (denominators * (numerators / denominators - share[outlet])) ** 2
    residual = np.bincount(outlet, spread, k) / (total / n) ** 2
    freedom = np.maximum(n - 1, 0)
    pooled = residual.sum() / max(1, freedom.sum())
    # Articles of an outlet, counted as if of one length (Kish 1965).
    worth = total**2 / np.bincount(outlet, denominators**2, k)
    moderated = (residual + _PRIOR_FREEDOM * pooled) / (freedom + _PRIOR_FREEDOM)
    error2 = np.maximum(moderated / worth, 1e-12)
    weight = 1 / error2
    centre = (weight * share).sum() / weight.sum()
    heterogeneity = (weight * (share - centre) ** 2).sum() - (k - 1)
    between = max(0.0, heterogeneity / (weight.sum() - (weight**2).sum() / weight.sum()))
    weight = 1 / (between + error2)
    centre, centre_error2 = (weight * share).sum() / weight.sum(), 1 / weight.sum()
    kept = between / (between + error2)
    half = ndtri(1 - (1 - level) / 2) * np.sqrt(kept * error2 + (1 - kept) ** 2 * centre_error2)
    drawn = centre + kept * (share - centre)
    return pl.DataFrame(
        {
            "outlet": pl.Series(names, dtype=pl.String),
            "shrunken_share": drawn,
            "shrunken_low": np.maximum(0, drawn - half),
            "shrunken_high": np.minimum(1, drawn + half),
            "kept": kept,
        },
        schema=schema,
    )


def split_variance(
    articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95, seed: int = 0
) -> VarianceSplit | None:
    """How much of the variance of articles' shares lies between outlets (analysis of variance, Searle et al. 1992).

    Returns
    -------
    VarianceSplit or None
        None with fewer than two outlets, or where no outlet has two articles.
    """
    numerators, denominators = share_columns(articles, voice)
    some = denominators > 0
    outlet, names = _outlet_numbers(articles.filter(pl.Series(some)))
    shares = numerators[some] / denominators[some]
    if len(names) < 2 or len(shares) <= len(names):
        return None
    n = np.bincount(outlet).astype(float)
    mean = np.bincount(outlet, shares) / n
    inside: NDArray[np.float64] = np.bincount(outlet, (shares - mean[outlet]) ** 2).astype(float)
    # Squares of means near zero lose no digits, and what is left of equal means is rounding.
    mean = mean - mean.mean()
    mean[np.abs(mean) < _ROUNDING] = 0.0
    every = np.ones((1, len(n)))
    between, within = (float(part[0]) for part in _components(n, mean, inside, every))
    low = high = None
    if len(names) >= 5:
        draws = np.random.default_rng(seed).multinomial(len(n), np.full(len(n), 1 / len(n)), size=_RESAMPLED_OUTLETS)
        drawn_between, drawn_within = _components(n, mean, inside, draws.astype(float))
        tail = (1 - level) / 2
        known = drawn_between + drawn_within > 0
        ratio = drawn_between[known] / (drawn_between + drawn_within)[known]
        low, high = (float(end) for end in np.quantile(ratio, [tail, 1 - tail])) if known.any() else (None, None)
    total = between + within
    share = between / total if total else 0.0
    if low is not None and high is not None:
        low, high = min(low, share), max(high, share)
    return VarianceSplit(between, within, share, low, high, len(names), len(shares))


def _components(
    n: NDArray[np.float64], mean: NDArray[np.float64], inside: NDArray[np.float64], draws: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variance between and within, for each draw of outlets (a row of `draws` says how often each was drawn)."""
    outlets, articles = draws.sum(axis=1), draws @ n
    grand = draws @ (n * mean) / articles
    square_within = draws @ inside / np.maximum(articles - outlets, 1)
    around = draws @ (n * mean**2) - articles * grand**2
    square_between = np.maximum(around, 0) / np.maximum(outlets - 1, 1)
    size = (articles - draws @ n**2 / articles) / np.maximum(outlets - 1, 1)
    between = np.maximum(0.0, (square_between - square_within) / np.where(size > 0, size, 1))
    return between, square_within


def _jackknife(articles: pl.DataFrame, voice: CountedVoice, min_articles: int) -> _Shares:
    numerators, denominators = share_columns(articles, voice)
    some = pl.Series(denominators > 0)
    counted = articles.filter(some)
    enough = counted.select(pl.len().over("outlet") >= min_articles).to_series()
    counted = counted.filter(enough)
    numerators, denominators = share_columns(counted, voice)
    outlet, names = _outlet_numbers(counted)
    cluster = clusters_of(counted)
    shape = (int(cluster.max()) + 1 if len(cluster) else 0, len(names))
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (cluster, outlet), numerators)
    np.add.at(counts, (cluster, outlet), denominators)
    total = counts.sum(axis=0)
    share = sums.sum(axis=0) / total
    clusters = (counts > 0).sum(axis=0)
    keep = clusters > 1
    influence = jackknife_influence(sums, counts)
    return _Shares(
        [name for name, kept in zip(names, keep, strict=True) if kept],
        np.bincount(outlet, minlength=len(names))[keep],
        share[keep],
        np.array([effective_freedom(column) for column in counts.T[keep]]),
        influence[:, keep],
    )


def _welch(
    var_a: NDArray[np.float64], var_b: NDArray[np.float64], df_a: NDArray[np.float64], df_b: NDArray[np.float64]
) -> NDArray[np.float64]:
    below = var_a**2 / df_a + var_b**2 / df_b
    return np.where(below > 0, (var_a + var_b) ** 2 / np.where(below > 0, below, 1), np.minimum(df_a, df_b))


def _outlet_numbers(articles: pl.DataFrame) -> tuple[NDArray[np.int64], list[str | None]]:
    """Each article's outlet as a number from 0, and their names."""
    names = articles.select(pl.col("outlet").unique().sort()).to_series()
    table = pl.DataFrame({"outlet": names, "number": np.arange(len(names))}, schema_overrides={"outlet": pl.String})
    numbers = articles.select(pl.col("outlet").cast(pl.String)).join(
        table, on="outlet", how="left", nulls_equal=True, maintain_order="left"
    )
    return numbers["number"].to_numpy(), names.to_list()
