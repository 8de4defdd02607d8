"""Outlets' shares drawn towards the mean of all outlets, and how much of the variance lies between outlets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import fdtri, stdtrit

from loadedwords.outlets.counted import (
    check_asked,
    clusters_of,
    numbered,
    share_columns,
    sums_of_outlets,
    with_sentences,
)
from loadedwords.outlets.intervals import Numbers, jackknife_influence
from loadedwords.outlets.tables import reals, texts
from loadedwords.schema import CountedVoice

# What is left of equal means after rounding.
_ROUNDING = 1e-12
# Weight of the variance of all outlets in that of one, in degrees of freedom (moderated variance, Smyth 2004).
_PRIOR_FREEDOM = 4.0
# Of fewer nobody can tell how much outlets differ well enough to draw them together (Morris 1983).
_FEWEST_OUTLETS = 4
_SCHEMA = {**texts("outlet"), **reals("shrunken_share", "shrunken_low", "shrunken_high", "kept")}


@dataclass(frozen=True)
class VarianceSplit:
    """Variance of articles' loaded shares, articles on one event taken together.

    Attributes
    ----------
    between, within : float
        Variance of outlets' means, and of articles around the mean of their outlet, in squared shares.
    share_between : float
        between / (between + within), the intraclass correlation.
    share_low, share_high : float
        Its interval.
    n_outlets, n_articles : int
    """

    between: float
    within: float
    share_between: float
    share_low: float
    share_high: float
    n_outlets: int
    n_articles: int


def shrink(articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95) -> pl.DataFrame:
    """Outlets' shares drawn towards the mean of all, the more the less is known of the outlet.

    Empirical Bayes with Morris's (1983) interval, which allows for how uncertain the variance between
    outlets is; that variance is by the method of DerSimonian and Laird (1986). An outlet's own variance is the jackknife's
    of `intervals.interval_of_sums`, articles on one event left out together, moderated by that of all outlets (Smyth 2004),
    since that of three articles is itself a guess. A share that is drawn is better on average over outlets, and worse
    for an outlet that truly is unlike the others: the raw one stands beside it.

    Returns
    -------
    DataFrame
        outlet, shrunken_share, shrunken_low, shrunken_high (posterior interval), kept (the weight of the outlet's own
        figure, between 0 and 1). Empty with fewer than four outlets, or where no outlet has two articles (or events):
        then nothing says how sure a share is.
    """
    check_asked(voice, level)
    counted = with_sentences(articles, voice).filter(pl.col("outlet").is_not_null())
    names, _, sums, sizes = sums_of_outlets(counted, voice)
    k, freedom = len(names), np.maximum((sizes > 0).sum(axis=0) - 1, 0)
    if k < _FEWEST_OUTLETS or not freedom.any():
        return pl.DataFrame(schema=_SCHEMA)
    total = sizes.sum(axis=0)
    share = sums.sum(axis=0) / total
    # Clusters of an outlet, counted as if of one length (Kish 1965).
    worth = total**2 / (sizes**2).sum(axis=0)
    of_one = (jackknife_influence(sums, sizes) ** 2).sum(axis=0) * worth
    pooled = (freedom * of_one).sum() / freedom.sum()
    moderated = (freedom * of_one + _PRIOR_FREEDOM * pooled) / (freedom + _PRIOR_FREEDOM)
    error2 = np.maximum(moderated / worth, 1e-12)
    weight = 1 / error2
    centre = (weight * share).sum() / weight.sum()
    heterogeneity = (weight * (share - centre) ** 2).sum() - (k - 1)
    between = max(0.0, heterogeneity / (weight.sum() - (weight**2).sum() / weight.sum()))
    weight = 1 / (between + error2)
    centre = (weight * share).sum() / weight.sum()
    given_up = (k - 3) / (k - 1) * error2 * weight
    apart = share - centre
    typical = (weight * error2).sum() / weight.sum()
    unsure = 2 / (k - 3) * given_up**2 * (typical + between) * weight
    variance = error2 * (1 - (1 - weight / weight.sum()) * given_up) + unsure * apart**2
    half = stdtrit(freedom + _PRIOR_FREEDOM, 1 - (1 - level) / 2) * np.sqrt(variance)
    drawn = share - given_up * apart
    ends = {"shrunken_low": np.maximum(0, drawn - half), "shrunken_high": np.minimum(1, drawn + half)}
    return pl.DataFrame({"outlet": names, "shrunken_share": drawn, **ends, "kept": 1 - given_up}, schema=_SCHEMA)


def split_variance(articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95) -> VarianceSplit | None:
    """How much of the variance of articles' shares lies between outlets (analysis of variance, Searle et al. 1992).

    An outlet's articles on one event count as one, with their mean. The interval is Wald's (1940; Searle et al., chapter
    3), which holds for any numbers of articles: the pivot of equal numbers held the truth in 44% where thirty outlets had
    two articles and two had three hundred. It takes outlets' means for normal: where a few are far from the others, it
    holds in 75 to 90% (tests/benchmarks/simulations.py).

    Returns
    -------
    VarianceSplit or None
        None with fewer than two outlets, or where no outlet has two articles (or events).
    """
    counted = with_sentences(articles, voice).filter(pl.col("outlet").is_not_null())
    numerators, denominators = share_columns(counted, voice)
    by_unit = (
        pl.DataFrame({"outlet": counted["outlet"], "unit": clusters_of(counted), "share": numerators / denominators})
        .group_by("outlet", "unit")
        .agg(pl.col("share").mean())
        .sort("outlet", "unit")
    )
    shares = by_unit["share"].to_numpy()
    outlet, names = numbered(by_unit["outlet"])
    k, n_units = len(names), len(shares)
    if k < 2 or n_units <= k:
        return None
    n = np.bincount(outlet).astype(float)
    mean = np.bincount(outlet, shares) / n
    within = float(((shares - mean[outlet]) ** 2).sum()) / (n_units - k)
    # Squares of means near zero lose no digits.
    mean = mean - mean.mean()
    mean[np.abs(mean) < _ROUNDING] = 0.0
    around = float((n * (mean - (n * mean).sum() / n_units) ** 2).sum()) / (k - 1)
    size = float(n_units - (n**2).sum() / n_units) / (k - 1)
    between = max(0.0, (around - within) / size)
    share = between / (between + within) if between + within else 0.0
    tail = (1 - level) / 2
    ends = [_share_between(mean, n, within * float(fdtri(k - 1, n_units - k, p))) for p in (1 - tail, tail)]
    return VarianceSplit(between, within, share, min(ends[0], share), max(ends[1], share), k, counted.height)


def _share_between(mean: Numbers, n: Numbers, within: float) -> float:
    """The intraclass correlation at which means of n have the weighted mean square `within`; it falls as that rises."""
    low, high = 0.0, 1.0
    for _ in range(50):  # short of 1 itself, where nothing has a weight
        middle = (low + high) / 2
        # n / (1 + n·ratio of the variances)
        weight = n * (1 - middle) / (1 - middle + n * middle)
        square = (weight * (mean - (weight * mean).sum() / weight.sum()) ** 2).sum() / (len(n) - 1)
        low, high = (middle, high) if square > within else (low, middle)
    return low
