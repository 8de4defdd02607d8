"""Every pair of outlets: does one use more loaded words than the other."""

from __future__ import annotations

import numpy as np
import polars as pl

from loadedwords.outlets.counted import check_asked, sums_of_outlets, with_sentences
from loadedwords.outlets.estimates import FEW_ARTICLES
from loadedwords.outlets.intervals import (
    adjust_holm,
    effective_freedom,
    jackknife_influence,
    student,
    welch_freedom,
)
from loadedwords.outlets.power import smallest_difference
from loadedwords.schema import CountedVoice

# Smaller differences are the rounding of sums.
_ROUNDING = 1e-12
PAIRS_COLUMNS = (
    "outlet_a", "outlet_b", "n_articles_a", "n_articles_b", "difference", "ci_low", "ci_high", "p_value", "p_adjusted",
    "differs", "detectable",
)  # fmt: skip


def compare_pairs(
    articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95, min_articles: int = FEW_ARTICLES
) -> pl.DataFrame:
    """Difference of every pair of outlets in loaded share.

    The variance is the delete-one jackknife's (Efron and Stein 1981; for ratios and clusters it is the CR3 of Bell and
    McCaffrey 2002), with the articles of one event, in both outlets, left out together: two outlets that report the
    same events err in the same direction, and their difference is surer for it. Intervals use Student's t with Welch's
    (1947) degrees of freedom, each outlet's own as in `intervals.effective_freedom`; `level` is that of each by itself,
    and `p_adjusted` and `differs` allow for the number of pairs. Outlets with fewer than `min_articles` are left out:
    each adds comparisons that can show nothing; so are articles without an outlet, which are nobody's.

    Returns
    -------
    DataFrame
        One row for every pair, the surest first: outlet_a, outlet_b, n_articles_a, n_articles_b, difference (a minus b),
        ci_low, ci_high, p_value (two-sided), p_adjusted (Holm 1979), differs (p_adjusted below 1 - level), detectable
        (the smallest difference that would be declared in four of five such samples).

    Examples
    --------
    >>> articles = pl.DataFrame({"outlet": ["A"] * 10 + ["B"] * 10, "n_own": 20, "n_sentences": 20, "n_quoted": 0,
    ...     "loaded_share": [0.3, 0.4] * 5 + [0.1, 0.2] * 5})
    >>> compare_pairs(articles)["difference"].round(3).to_list()
    [0.2]
    """
    check_asked(voice, level)
    counted = with_sentences(articles, voice).filter(pl.col("outlet").is_not_null())
    counted = counted.filter(pl.len().over("outlet") >= min_articles)
    names, n_articles, sums, sizes = sums_of_outlets(counted, voice)
    compared = np.flatnonzero((sizes > 0).sum(axis=0) > 1)  # a single cluster has no variance
    sums, sizes = sums[:, compared], sizes[:, compared]
    influence = jackknife_influence(sums, sizes)
    freedom = np.array([effective_freedom(column) for column in sizes.T])
    share, covariance = sums.sum(axis=0) / sizes.sum(axis=0), influence.T @ influence
    a, b = np.triu_indices(len(share), k=1)
    variance = np.diag(covariance)
    difference = share[a] - share[b]
    difference[np.abs(difference) < _ROUNDING] = 0.0
    error = np.sqrt(np.maximum(variance[a] + variance[b] - 2 * covariance[a, b], 0))
    both_freedom = welch_freedom(variance[a], variance[b], freedom[a], freedom[b])
    low, high, p_value = student(difference, error, both_freedom, level)
    known = pl.DataFrame({"outlet": names, "n_articles": n_articles})[compared]
    about = {f"{name}_{side}": known[name].gather(at) for name in known.columns for side, at in (("a", a), ("b", b))}
    figures = {"difference": difference, "ci_low": low, "ci_high": high, "p_value": p_value}
    detectable = smallest_difference(error, both_freedom, level, len(a))
    pairs = pl.DataFrame({**about, **figures, "p_adjusted": adjust_holm(p_value), "detectable": detectable})
    return (
        pairs.with_columns(differs=pl.col("p_adjusted") < 1 - level)
        .select(PAIRS_COLUMNS)
        .sort(["p_value", "outlet_a", "outlet_b"], nulls_last=True)
    )
