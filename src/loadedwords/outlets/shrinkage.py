"""Outlets' shares drawn towards the mean of all outlets, and how much of the variance lies between outlets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtri

from loadedwords.outlets.counted import numbered, share_columns, with_sentences
from loadedwords.outlets.intervals import Numbers
from loadedwords.outlets.tables import reals, texts
from loadedwords.schema import CountedVoice

# What is left of equal means after rounding.
_ROUNDING = 1e-12
# Weight of the variance of all outlets in that of one, in degrees of freedom (moderated variance, Smyth 2004).
_PRIOR_FREEDOM = 4.0
_RESAMPLED_OUTLETS = 2000
_SCHEMA = {**texts("outlet"), **reals("shrunken_share", "shrunken_low", "shrunken_high", "kept")}


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
    counted = with_sentences(articles, voice)
    if not 3 <= counted["outlet"].n_unique() < counted.height:
        return pl.DataFrame(schema=_SCHEMA)
    numerators, denominators = share_columns(counted, voice)
    outlet, names = numbered(counted["outlet"])
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
    ends = {"shrunken_low": np.maximum(0, drawn - half), "shrunken_high": np.minimum(1, drawn + half)}
    return pl.DataFrame({"outlet": names, "shrunken_share": drawn, **ends, "kept": kept}, schema=_SCHEMA)


def split_variance(
    articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95, seed: int = 0
) -> VarianceSplit | None:
    """How much of the variance of articles' shares lies between outlets (analysis of variance, Searle et al. 1992).

    Returns
    -------
    VarianceSplit or None
        None with fewer than two outlets, or where no outlet has two articles.
    """
    counted = with_sentences(articles, voice)
    numerators, denominators = share_columns(counted, voice)
    shares = numerators / denominators
    outlet, names = numbered(counted["outlet"])
    if len(names) < 2 or len(shares) <= len(names):
        return None
    n = np.bincount(outlet).astype(float)
    mean = np.bincount(outlet, shares) / n
    inside = np.bincount(outlet, (shares - mean[outlet]) ** 2).astype(float)
    # Squares of means near zero lose no digits.
    mean = mean - mean.mean()
    mean[np.abs(mean) < _ROUNDING] = 0.0
    between, within = (float(part[0]) for part in _components(n, mean, inside, np.ones((1, len(n)))))
    share = between / (between + within) if between + within else 0.0
    low = high = None
    if len(names) >= 5:
        draws = np.random.default_rng(seed).multinomial(len(n), np.full(len(n), 1 / len(n)), size=_RESAMPLED_OUTLETS)
        drawn_between, drawn_within = _components(n, mean, inside, draws.astype(float))
        known = drawn_between + drawn_within > 0
        if known.any():
            ratio = drawn_between[known] / (drawn_between + drawn_within)[known]
            tail = (1 - level) / 2
            low, high = (float(end) for end in np.quantile(ratio, [tail, 1 - tail]))
            low, high = min(low, share), max(high, share)
    return VarianceSplit(between, within, share, low, high, len(names), len(shares))


def _components(n: Numbers, mean: Numbers, inside: Numbers, draws: Numbers) -> tuple[Numbers, Numbers]:
    """Variance between and within, for each draw of outlets (a row of `draws` says how often each was drawn)."""
    outlets, articles = draws.sum(axis=1), draws @ n
    grand = draws @ (n * mean) / articles
    square_within = draws @ inside / np.maximum(articles - outlets, 1)
    around = draws @ (n * mean**2) - articles * grand**2
    square_between = np.maximum(around, 0) / np.maximum(outlets - 1, 1)
    size = (articles - draws @ n**2 / articles) / np.maximum(outlets - 1, 1)
    between = np.maximum(0.0, (square_between - square_within) / np.where(size > 0, size, 1))
    return between, square_within
