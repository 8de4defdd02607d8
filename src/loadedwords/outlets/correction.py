"""Outlet estimates corrected for the classifier's errors by hand labels.

A classifier that errs differently on different outlets makes differences where there are none, and no number of
articles cures that. A few hundred sentences drawn with known probabilities and labelled by people do: the model's
scores then only lower the variance, and whether the corrected estimate is right does not depend on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from loadedwords.outlets.domains import ALL_OUTLETS, Domain, domains_of
from loadedwords.outlets.estimates import FEW_ARTICLES
from loadedwords.outlets.intervals import Numbers, adjust_holm, difference_of, welch_freedom
from loadedwords.outlets.power import smallest_difference
from loadedwords.outlets.sampling import LABELS_PER_OUTLET
from loadedwords.outlets.tables import counts, reals, texts

# Below this effective ratio labels drawn without scores would have done as well.
LEAST_HELP = 1.05
_CORRECTED = {
    **texts("outlet"),
    **counts("n_articles", "n_own", "n_labelled"),
    **reals("loaded_share_raw", "corrected_share", "ci_low", "ci_high"),
    **reals("classical_share", "classical_low", "classical_high", "bias", "bias_low", "bias_high"),
    **reals("power_tuning", "effective_ratio"),
    **counts("more_labels"),
    **texts("note"),
}


_LABELLED = {**texts("outlet"), **counts("n_labelled")}


@dataclass(frozen=True)
class Corrected:
    """What hand labels correct: the outlets' `shares` and the differences of their `pairs`, as tables."""

    shares: pl.DataFrame
    pairs: pl.DataFrame


@dataclass(frozen=True)
class _Estimate:
    """A share with its variance, the part of it that comes from labelling few sentences, and degrees of freedom."""

    share: float
    variance: float
    design: float
    df: float


@dataclass(frozen=True)
class _Share:
    """Shares with the sample sizes that would have their variance; `inner` is the share that the size goes by.

    All of one shape.
    """

    share: Numbers
    inner: Numbers
    size: Numbers
    df: Numbers

    def ends(self, tail: Numbers | float) -> tuple[Numbers, Numbers]:
        """Wilson's interval (1927) that leaves `tail` out on either side.

        With t in place of the normal quantile, as for shares from complex surveys (Franco et al. 2019). An interval of
        the estimate plus and minus t standard errors lies too low where few labels are loaded: with none, it is empty.
        """
        t2 = stdtrit(self.df, tail) ** 2
        middle = (self.inner + t2 / 2 / self.size) / (1 + t2 / self.size)
        spread = self.inner * (1 - self.inner) / self.size + t2 / 4 / self.size**2
        half = np.sqrt(t2 * spread) / (1 + t2 / self.size)
        return np.minimum(np.maximum(middle - half, 0), self.share), np.maximum(
            np.minimum(middle + half, 1), self.share
        )

    def error(self, level: float) -> Numbers:
        """The standard error that an interval of that level would have by Student's t."""
        low, high = self.ends((1 - level) / 2)
        found: Numbers = (high - low) / 2 / -stdtrit(self.df, (1 - level) / 2)
        return found


def correct_by_gold(
    articles: pl.DataFrame, sentences: pl.LazyFrame, gold: pl.DataFrame, *, level: float = 0.95
) -> Corrected:
    """Estimate each outlet's share of loaded sentences, and their differences, corrected by labels.

    The estimand is the share of own-voice sentences that people who label as yours did would call loaded, in the
    articles an outlet publishes, of which those scored are taken as a random sample. With score f, label y, strata h
    of N_h sentences in which n_h were labelled, the estimate is

        θ = λ·mean(f over all N) + Σ_h (N_h / N)·mean(y − λ·f over the n_h)

    the stratified difference estimator of survey sampling, which is prediction-powered inference for a mean
    (Angelopoulos et al. 2023) with weights by the inverse of inclusion probabilities, as in design-based supervised
    learning (Egami et al. 2023). λ is power tuning (Angelopoulos, Duchi & Zrnic 2023): the λ in [0, 1] that
    minimises the estimated variance, so that useless scores do no harm. With one stratum, one sentence to the article
    and the same λ it equals ``ppi_py.ppi_mean_pointestimate`` with all scores as unlabelled ones, and at
    λ = Cov(y, f) / Var(f) so does its standard error that of ``ppi_mean_ci``, but for n − 1 in place of n. (The λ of
    that package is smaller by 1 + n/N: its labelled sentences are none of the unlabelled ones, ours are.)

    Variance: sums over whole articles of their sentences' influence (the linearised ratio, clustered by article, those
    on one event together), with the small-cluster correction and Satterthwaite degrees of freedom of Bell & McCaffrey
    (2002) and Imbens & Kolesár (2016) where articles are few. Intervals of shares are Wilson's at the effective sample size, with t
    quantiles (Franco et al. 2019); the bias has the ends of such an interval at its own variance, and a difference
    those of Newcombe (1998, method 10) from the two shares'.

    Parameters
    ----------
    articles : polars.DataFrame
        As `load_articles` gives it, one row for each article: article_id, outlet and perhaps event_id. Articles
        left out here are left out of the estimates, with their labels.
    sentences : polars.LazyFrame
        As `scan_sentences` gives it: article_id, outlet, sentence_id, p_own.
    gold : polars.DataFrame
        As `read_gold` gives it.
    level : float
        Nominal coverage of the intervals.

    Returns
    -------
    Corrected
        Shares: one row for each outlet, the most loaded first, after one for all the outlets that were sampled: outlet,
        n_articles, n_own, n_labelled, loaded_share_raw (mean `p_own`), corrected_share, ci_low, ci_high;
        classical_share, classical_low, classical_high (from the labels alone, by strata); bias, bias_low, bias_high
        (raw minus corrected); power_tuning (λ); effective_ratio (how many labels drawn without scores would be worth
        one of these, as for the variance that labelling more sentences would lower); more_labels (so many more, and labelling
        brings no more variance than the choice of articles does, which only more articles lower; at most the sentences that
        are left, null where the choice of articles can't be told to bring any); note. Outlets with fewer than
        `FEW_LABELS` labels get no corrected figure: borrowing the correction of other outlets would assume that the model errs
        on all alike. Nor do all together while an outlet that was sampled has no labels.

        Pairs: one row for each pair of outlets with a corrected share: outlet_a, outlet_b, n_labelled_a, n_labelled_b,
        difference (a minus b), ci_low, ci_high, p_value (two-sided, 1 less the level of the interval that ends at 0), p_adjusted (Holm
        1979, over the pairs), differs (p_adjusted below 1 - level), detectable. Intervals are not adjusted. Articles
        without an outlet are in no pair.

    Raises
    ------
    DataError
        If a labelled sentence is not among the sentences, an article_id occurs twice, or the labels are of two samples.
    """
    domains = domains_of(articles, sentences, gold)
    rows = [_corrected_row(outlet, domain, level) for outlet, domain in domains.items()]
    shares = pl.DataFrame(rows, schema=_CORRECTED).sort(
        [pl.col("outlet") != ALL_OUTLETS, "corrected_share", "outlet"], descending=[False, True, False], nulls_last=True
    )
    named = {outlet: domain for outlet, domain in sorted(domains.items()) if outlet and outlet != ALL_OUTLETS}
    return Corrected(shares, _differences(named, level))


def _differences(domains: Mapping[str, Domain], level: float) -> pl.DataFrame:
    """Every two outlets, by the intervals of their shares: those know that labels all alike don't make a share sure."""
    given = {outlet: domain for outlet, domain in domains.items() if domain.refusal is None}
    n_labelled = [len(domain.label) for domain in given.values()]
    known = pl.DataFrame({"outlet": list(given), "n_labelled": n_labelled}, schema=_LABELLED)
    shares = [_as_share(_estimate(domain, _power_tuning(domain)), domain) for domain in given.values()]
    first, second = np.triu_indices(len(shares), k=1)
    a, b = _taken(shares, first), _taken(shares, second)
    difference, low, high, p_value = difference_of(a.share, b.share, a.ends, b.ends, level)
    error_a, error_b = a.error(level), b.error(level)
    freedom = welch_freedom(error_a**2, error_b**2, a.df, b.df)
    figures = {
        "difference": difference,
        "ci_low": low,
        "ci_high": high,
        "p_value": p_value,
        "p_adjusted": adjust_holm(p_value),
        "detectable": smallest_difference(np.hypot(error_a, error_b), freedom, level, len(first)),
    }
    about = {
        f"{column}_{side}": known[column].gather(at)
        for column in _LABELLED
        for side, at in (("a", first), ("b", second))
    }
    return pl.DataFrame({**about, **figures}).with_columns(differs=pl.col("p_adjusted") < 1 - level)


def _taken(shares: Sequence[_Share], at: NDArray[np.int64]) -> _Share:
    columns = np.array([(each.share, each.inner, each.size, each.df) for each in shares]).reshape(-1, 4)[at].T
    return _Share(*columns)


def _power_tuning(domain: Domain) -> float:
    """The λ in [0, 1] that minimises the variance from labelling a part of each cell.

    The variance from drawing articles does not depend on it: whatever λ is, the estimate's mean over samples is the
    share among all sentences of the articles drawn.
    """
    residual_y, residual_f = (_residuals(domain, values) for values in (domain.label, domain.score))
    spread = float((domain.random * residual_f**2).sum())
    return float(np.clip((domain.random * residual_y * residual_f).sum() / spread, 0, 1)) if spread > 0 else 0.0


def _cell_means(domain: Domain, values: Numbers) -> Numbers:
    total = np.bincount(domain.label_cell, domain.weight * values)
    mean: Numbers = total / np.bincount(domain.label_cell, domain.weight)
    return mean


def _residuals(domain: Domain, values: Numbers) -> Numbers:
    """Each label's part in the error of the total: how far it is from its cell, times the sentences it stands for."""
    n_labels = np.bincount(domain.label_cell)
    size = np.bincount(domain.cell, domain.count)
    stands_for = size / np.bincount(domain.label_cell, domain.weight)
    few = np.sqrt(n_labels / np.maximum(n_labels - 1, 1))
    centred = values - _cell_means(domain, values)[domain.label_cell]
    part: Numbers = (few * stands_for)[domain.label_cell] * domain.weight * centred
    return part


def _estimate(domain: Domain, tuning: float, *, bias: bool = False) -> _Estimate:
    """The corrected share at λ = `tuning`, or with `bias` the raw share minus it."""
    error = domain.label - tuning * domain.score
    residual = _residuals(domain, error)
    # What each sentence contributes: its own λf and the mean error of its cell.
    by_cell = tuning * domain.score_sum + domain.count * _cell_means(domain, error)[domain.cell]
    if bias:
        by_cell, residual = domain.score_sum - by_cell, -residual
    sizes = np.bincount(domain.cluster, domain.count).astype(float)
    size = sizes.sum()
    share = float(by_cell.sum() / size)
    predicted = np.bincount(domain.cluster, by_cell) - share * sizes
    labelled = np.bincount(domain.label_cluster, residual, minlength=len(sizes)).astype(float)
    return _Estimate(share, *_variance(domain, sizes, predicted, labelled, residual))


def _variance(
    domain: Domain, sizes: Numbers, predicted: Numbers, labelled: Numbers, residual: Numbers
) -> tuple[float, float, float]:
    """Of `_Estimate` all but the share.

    Two sources: which articles were published and scored, and which of their sentences were labelled. The second is
    known to the design, article by article or not, and estimated from all labels; the first is what the sums over
    articles vary beyond it.
    """
    size = sizes.sum()
    leverage = np.sqrt(1 - sizes / size)
    total = float((((predicted + labelled) / leverage) ** 2).sum()) / size**2
    by_cell = np.bincount(domain.label_cell, domain.random * residual**2) / size**2
    design = float(by_cell.sum())
    articles = max(total - design, 0.0)
    # Article effects make an article's sum grow with its size, so long articles count for more of the variance.
    df_articles = max(float((sizes**2).sum() ** 2 / (sizes**4).sum()) - 1, 1.0)
    n_labels = np.bincount(domain.label_cell)
    # σ⁴ is estimated by s⁴·ν/(ν+2), or the degrees of freedom would come out too low (Rubin & Schenker 1986).
    spread = float((by_cell**2 / (np.maximum(n_labels - 1, 1) + 2)).sum())
    df_labels = max(design**2 / spread - 2, 1.0) if spread else np.inf
    variance = articles + design
    if variance <= 0:
        return 0.0, 0.0, df_articles
    return variance, design, variance**2 / (articles**2 / df_articles + design**2 / df_labels)


def _corrected_row(outlet: str, domain: Domain, level: float) -> dict[str, object]:
    n, n_own = len(domain.label), int(domain.count.sum())
    about = {
        "outlet": outlet or None,
        "n_articles": domain.n_articles,
        "n_own": n_own,
        "n_labelled": n,
        "loaded_share_raw": domain.raw_share,
    }
    if domain.refusal:
        return {**about, "note": domain.refusal}
    tuning = _power_tuning(domain)
    corrected, classical = _estimate(domain, tuning), _estimate(domain, 0.0)
    # What is known of the bias is known of the share, which it is the raw one minus: so it has the ends of that.
    of_bias = _estimate(domain, tuning, bias=True)
    share, low, high = _share_interval(replace(of_bias, share=corrected.share), domain, level)
    articles_vary = corrected.variance - corrected.design
    wanted = math.ceil(n * (corrected.design / articles_vary - 1)) if articles_vary > 0 else None
    more = None if wanted is None else min(max(0, wanted), n_own - n)
    # Labels that simple random sampling of these sentences would have needed for the same variance, for each label there is.
    spread = classical.share * (1 - classical.share)
    ratio = spread / (corrected.design + spread / n_own) / n if spread > 0 else None
    notes = {
        "few labels": n < LABELS_PER_OUTLET,
        "the scores are too unlike the labels to help": ratio is not None and ratio < LEAST_HELP,
        "few articles": domain.n_articles < FEW_ARTICLES,
        "scored anew since the sample was drawn: its strata are not used": domain.scores_changed,
    }
    figures = (
        *_share_interval(corrected, domain, level),
        *_share_interval(classical, domain, level),
        *(domain.raw_share - share, domain.raw_share - high, domain.raw_share - low),
        tuning,
        ratio,
        more,
        "; ".join(note for note, holds in notes.items() if holds),
    )
    return {**about, **dict(zip(list(_CORRECTED)[len(about) :], figures, strict=True))}


def _as_share(estimate: _Estimate, domain: Domain) -> _Share:
    n = len(domain.label)
    share = min(max(estimate.share, 0.0), 1.0)
    if np.ptp(domain.label) == 0 or estimate.variance <= 0:
        # Labels all alike show no variance, nor do articles all alike of which every sentence is labelled: as many labels
        # as the weights are worth (Kish 1965).
        return _Share(*map(np.asarray, (share, share, domain.weight.sum() ** 2 / (domain.weight**2).sum(), n - 1.0)))
    inner = min(max(share, 0.5 / n), 1 - 0.5 / n)  # the estimate itself can lie at 0, or outside
    return _Share(*map(np.asarray, (share, inner, inner * (1 - inner) / estimate.variance, estimate.df)))


def _share_interval(estimate: _Estimate, domain: Domain, level: float) -> tuple[float, float, float]:
    share = _as_share(estimate, domain)
    low, high = share.ends((1 - level) / 2)
    return float(share.share), float(low), float(high)
