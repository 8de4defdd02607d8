"""How intervals and tests are made: whole articles, or events, are the units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri, stdtr, stdtrit

from loadedwords.schema import Interval

Numbers = NDArray[np.float64]
# Both ends of estimates' intervals that leave so much out on either side.
Ends = Callable[[Numbers | float], tuple[Numbers, Numbers]]

# How alike the sentences of an article are, for outlets where nothing was found and nothing can be resampled.
# Intraclass correlation of p_own over 52 outlets of 20 articles or more: median 0.14, the highest 0.25.
_ICC_WHERE_NOTHING_WAS_FOUND = 0.25
# Of p-values smaller than twice this nothing more is told.
_LEAST_TAIL = 1e-17
# Smaller differences are the rounding of sums.
_ROUNDING = 1e-12


def interval_of_sums(numerators: Numbers, denominators: Numbers, level: float = 0.95) -> Interval:
    """Interval for a ratio of two sums over clusters: articles, or events, left out whole.

    Sentences of one article are not independent, so the article is the unit (Cameron, Gelbach & Miller 2008). The
    variance is the delete-one jackknife's (Efron & Stein 1981), the interval is taken on the logit scale of a share
    and the log scale of any other ratio, so that it stays where such a figure can lie, with Student's t and the
    degrees of freedom of `effective_freedom`. In simulations with five articles it covers where the percentiles of a
    bootstrap, which knows only five values, do not (tests/benchmarks/simulations.py). A sum of nothing is a point at 0,
    a single cluster has no ends.

    Parameters
    ----------
    numerators, denominators : ndarray of float, shape (n_clusters,)
        Such as the sum of scores and the number of sentences; none negative.
    level : float
        Nominal coverage, between 0 and 1.

    Examples
    --------
    >>> interval_of_sums(np.array([1.0, 0.0, 2.0]), np.array([10.0, 10.0, 10.0])).estimate
    0.1
    """
    total, whole = float(numerators.sum()), float(denominators.sum())
    estimate = total / whole if whole else 0.0
    if int((denominators > 0).sum()) < 2:
        return Interval(estimate, None, None)
    if estimate <= 0 or not np.isfinite(estimate):
        return Interval(estimate, estimate, estimate)
    error = float(np.sqrt((jackknife_influence(numerators[:, None], denominators[:, None]) ** 2).sum()))
    quantile = float(stdtrit(effective_freedom(denominators), 1 - (1 - level) / 2))
    if (numerators <= denominators).all() and estimate < 1:
        low, high = map(float, within_a_share(np.asarray(estimate), quantile * error))
    else:
        factor = float(np.exp(min(quantile * error / estimate, 50.0)))
        low, high = estimate / factor, estimate * factor
    return Interval(estimate, min(low, estimate), max(high, estimate))


def within_a_share(share: Numbers, half: Numbers | float) -> tuple[Numbers, Numbers]:
    """Ends of an interval of that half width, taken on the logit scale, so that they stay where a share can lie.

    An estimate that lies at an end itself, or beyond, keeps its width and is cut off there, though never short of itself.
    """
    inside = (share > 0) & (share < 1)
    spread = np.where(inside, share * (1 - share), 1.0)
    at = logit(np.where(inside, share, 0.5))
    low = np.where(inside, expit(at - half / spread), np.clip(share - half, 0, 1))
    high = np.where(inside, expit(at + half / spread), np.clip(share + half, 0, 1))
    return np.minimum(low, share), np.maximum(high, share)


def jackknife_influence(sums: Numbers, counts: Numbers) -> Numbers:
    """How each cluster moves each outlet's ratio of sums to counts; squares sum to the delete-one jackknife variance.

    All three are of shape (n_clusters, n_outlets); counts are zero where an outlet has nothing in a cluster.
    """
    total = counts.sum(axis=0)
    ratio = sums.sum(axis=0) / np.where(total > 0, total, 1)
    inside = counts > 0
    clusters = np.maximum(inside.sum(axis=0), 1)
    # The ratio less what it is without the cluster.
    moved = (sums - ratio * counts) / np.where(counts < total, total - counts, 1)
    centred = np.where(inside, moved - moved.sum(axis=0) / clusters, 0.0)
    return np.asarray(centred * np.sqrt((clusters - 1) / clusters))


def effective_freedom(counts: Numbers) -> float:
    """Degrees of freedom of the variance of a ratio over clusters of unequal size.

    n - 1 where all are of one size. Where a few long articles carry the sum there are fewer: Satterthwaite's (1946)
    number takes a cluster's part in the variance for the square of its part in the sum, as it would be if sentences of
    an article were copies of each other. They are neither copies nor independent, and the number taken is the
    geometric mean of both; tests/benchmarks/simulations.py shows what either end and the mean cover.

    Examples
    --------
    >>> effective_freedom(np.array([10.0, 10.0, 10.0]))
    2.0
    """
    sizes = counts[counts > 0] / counts.sum()
    n = len(sizes)
    copies = (sizes**2).sum() ** 2 / (sizes**4).sum() * (n - 1) / n
    return max(1.0, float(np.sqrt(copies * (n - 1))))


def nothing_found(sentences: Numbers, n_units: float, level: float) -> Interval:
    """None of `n_units` is loaded: the exact binomial interval (Clopper & Pearson 1934), which is not a point.

    `sentences` of each cluster tell how many of the units are worth one (Kish 1965).
    """
    if len(sentences) < 2 or n_units == 0:
        return Interval(0.0, None, None)
    return Interval(0.0, 0.0, float(1 - ((1 - level) / 2) ** (1 / units_worth(sentences, n_units))))


def units_worth(sentences: Numbers, n_units: float) -> float:
    """How many units that are not alike so many of clusters of so many sentences are worth (Kish 1965)."""
    return n_units / (1 + (float(sentences.mean()) - 1) * _ICC_WHERE_NOTHING_WAS_FOUND)


def wilson(share: float, n: int, level: float) -> Interval:
    """Interval of a share of articles (Wilson 1927), which holds at shares of 0 and 1 too."""
    if n == 1:
        return Interval(share, None, None)
    z2 = float(ndtri(1 - (1 - level) / 2)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = float(np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))) / (1 + z2 / n)
    return Interval(share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))


def student(
    difference: Numbers, error: Numbers, freedom: Numbers | float, level: float
) -> tuple[Numbers, Numbers, Numbers]:
    """Low and high end of Student's interval, and the two-sided p-value; any difference without an error is sure."""
    half = stdtrit(freedom, 1 - (1 - level) / 2) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, np.abs(difference) / error, np.where(difference == 0, 0.0, np.inf))
    return difference - half, difference + half, np.asarray(2 * stdtr(freedom, -statistic))


def difference_of(
    a: Numbers, b: Numbers, ends_a: Ends, ends_b: Ends, level: float, correlation: Numbers | float = 0.0
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """The difference a - b, both ends of its interval, made from the intervals of a and b, and the two-sided p-value.

    Each end by the ends of the two that lie that way, allowing for their correlation (Newcombe 1998, method 10; Zou &
    Donner 2008). p is 1 less the level of the interval that has 0 at its end, found by halving, so that it and the
    interval agree.
    """
    difference = np.where(np.abs(a - b) < _ROUNDING, 0.0, a - b)

    def ends(tail: Numbers | float) -> tuple[Numbers, Numbers]:
        (low_a, high_a), (low_b, high_b) = ends_a(tail), ends_b(tail)
        down = distance(a - low_a, high_b - b, correlation)
        return difference - down, difference + distance(high_a - a, b - low_b, correlation)

    least, most = np.full_like(difference, np.log(_LEAST_TAIL)), np.full_like(difference, np.log(0.5))
    for _ in range(45):
        middle = (least + most) / 2
        low, high = ends(np.exp(middle))
        outside = (low > 0) | (high < 0)
        most, least = np.where(outside, middle, most), np.where(outside, least, middle)
    return difference, *ends((1 - level) / 2), 2 * np.exp(most)


def distance(one: Numbers, other: Numbers, correlation: Numbers | float) -> Numbers:
    """How far the difference of two reaches that reach so far themselves."""
    found: Numbers = np.sqrt(np.maximum(one**2 + other**2 - 2 * correlation * one * other, 0))
    return found


def welch_freedom(variance_a: Numbers, variance_b: Numbers, freedom_a: Numbers, freedom_b: Numbers) -> Numbers:
    """Degrees of freedom of a difference of two estimates (Welch 1947)."""
    below = variance_a**2 / freedom_a + variance_b**2 / freedom_b
    some = np.where(below > 0, below, 1)
    return np.where(below > 0, (variance_a + variance_b) ** 2 / some, np.minimum(freedom_a, freedom_b))


def adjust_false_discovery(p_values: Numbers) -> Numbers:
    """p-values corrected so that the expected share of false ones among those declared is held (Benjamini & Hochberg 1995).

    As `scipy.stats.false_discovery_control`, whose import would take longer than scoring a dozen articles.

    Examples
    --------
    >>> adjust_false_discovery(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(p_values)[::-1]
    stepped = p_values[order] * len(p_values) / np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(stepped))
    return adjusted


def adjust_holm(p_values: Numbers) -> Numbers:
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
