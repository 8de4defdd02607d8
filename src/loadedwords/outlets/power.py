"""What a number of articles and labels can show: planned before anything is collected, and told of what there is."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import chdtri, stdtrit

from loadedwords.errors import DataError
from loadedwords.outlets.counted import sums_of_outlets, with_sentences
from loadedwords.outlets.estimates import FEW_ARTICLES
from loadedwords.outlets.intervals import Numbers, jackknife_influence
from loadedwords.schema import CountedVoice

# A difference is said to be within reach where it would be declared in so many of such samples.
POWER = 0.8
# How much the articles of an outlet differ, where there is no pilot: `spread_of_articles` of 300 articles of ordinary news,
# drawn at random over outlets and scored by the default model, is 0.097.
ORDINARY_SPREAD = 0.1
# What their sentences in the outlet's own voice are like there, about: how loaded, and how many an article has.
ORDINARY_SHARE, ORDINARY_SENTENCES = 0.2, 30
_CONFIDENCE = 0.8


@dataclass(frozen=True)
class Needed:
    """What an outlet needs for a difference to be declared.

    Attributes
    ----------
    difference : float
        Between two outlets' loaded shares.
    articles : int
        Of each outlet.
    labels : int
        Of each outlet, so that differences corrected by labels are declared.
    articles_for_labels : int
        Of each outlet, for that: twice those articles, or as many as hold so many sentences.
    """

    difference: float
    articles: int
    labels: int
    articles_for_labels: int


def smallest_difference(error: Numbers, freedom: Numbers, level: float, n_comparisons: int) -> Numbers:
    """The smallest difference that would be declared in `POWER` of such samples, the number of comparisons allowed for.

    By Bonferroni's bound, which Holm's (1979) first step is; the difference that Student's t with this standard error
    finds with that power (Cohen 1988, chapter 2). At most 1, which no difference of shares exceeds.
    """
    declared = stdtrit(freedom, 1 - (1 - level) / 2 / max(1, n_comparisons))
    found: Numbers = np.minimum(error * (declared + stdtrit(freedom, POWER)), 1.0)
    return found


def spread_of_articles(articles: pl.DataFrame, voice: CountedVoice = "own") -> float:
    """How much articles of one outlet differ in loaded share, with the margin that planning by a pilot needs.

    The standard deviation of an outlet's share (`jackknife_influence`, articles of one event together) times the root of
    its number of articles, pooled over outlets by their numbers of events; long articles weigh more, as they do in the share. A pilot finds too little
    as often as too much, and too few articles would be planned for: it is the upper 80% confidence limit (Browne 1995).
    Articles without an outlet are nobody's, and left out.

    Raises
    ------
    DataError
        If no outlet has two articles on different events, or all articles are alike; or there is no such voice.
    """
    named = with_sentences(articles, voice).filter(pl.col("outlet").is_not_null())
    _, n, sums, sizes = sums_of_outlets(named, voice)
    freedom = np.maximum((sizes > 0).sum(axis=0) - 1, 0)
    variance = (jackknife_influence(sums, sizes) ** 2).sum(axis=0) * n
    pooled = float((variance * freedom).sum())
    if not pooled:
        raise DataError(
            "No outlet has two articles that differ and are on different events, so how much articles differ can't be told.\n"
            "Score a few more of each."
        )
    return float(np.sqrt(pooled / chdtri(freedom.sum(), _CONFIDENCE)))


def plan(
    differences: list[float],
    *,
    spread: float = ORDINARY_SPREAD,
    share: float = ORDINARY_SHARE,
    sentences: float = ORDINARY_SENTENCES,
    n_outlets: int = 2,
    level: float = 0.95,
    power: float = POWER,
) -> list[Needed]:
    """How many articles, and labels, each of some outlets needs to show differences of these sizes.

    Parameters
    ----------
    differences : list of float
        In loaded share, such as 0.05.
    spread : float
        As `spread_of_articles` gives it.
    share : float
        Of loaded sentences, about, by which the labels' own variance goes.
    sentences : float
        That an article has, on average, in the voice that counts.
    n_outlets : int
        Compared with each other: the more pairs, the more each difference has to show (Holm 1979).
    level, power : float
        Nominal coverage, and the share of such samples in which the difference is to be declared.

    Returns
    -------
    list of Needed
        At least `FEW_ARTICLES` articles each, as outlets with fewer are not compared. Labels are counted as if the scores were of no help, so fewer will do where they are: compare --gold tells by how
        much (effective_ratio).

    Raises
    ------
    DataError
        If a difference is not between 0 and 1, or a setting is out of range.

    Examples
    --------
    >>> plan([0.05], spread=0.1)[0].articles
    64
    """
    if not (spread > 0 and sentences > 0 and 0 < share < 1 and n_outlets >= 2 and 0 < level < 1 and 0 < power < 1):
        raise DataError(
            "spread and sentences are above 0; share, level and power lie between 0 and 1; outlets are at least 2."
        )
    n_pairs = n_outlets * (n_outlets - 1) // 2
    found = []
    for difference in differences:
        if not 0 < difference < 1:
            raise DataError(f"A difference of {difference} can't be: it lies between 0 and 1, such as 0.05.")
        n = max(FEW_ARTICLES, _needed(spread, difference, n_pairs, level, power))
        # Labels and articles each bring half of the variance that the difference allows.
        labels = _needed(float(np.sqrt(share * (1 - share))), difference / np.sqrt(2), n_pairs, level, power)
        found.append(Needed(difference, n, labels, max(2 * n, int(np.ceil(labels / sentences)))))
    return found


def _needed(spread: float, difference: float, n_pairs: int, level: float, power: float) -> int:
    """Units of each of two outlets, whose difference of means has the variance 2 * spread ** 2 / n."""
    tail = 1 - (1 - level) / 2 / n_pairs

    def enough(n: int) -> bool:
        quantiles = stdtrit(2.0 * (n - 1), [tail, power]).sum()  # which depend on the number that they ask for
        return bool(n >= 2 * (spread / difference * quantiles) ** 2 - 1e-6)

    most = 2
    while not enough(most):
        most *= 2
    return bisect_left(range(most), True, lo=2, key=enough)
