"""Outlet estimates corrected for the classifier's errors by hand labels.

A classifier that errs differently on different outlets makes differences where there are none, and no number of
articles cures that. A few hundred sentences drawn with known probabilities and labelled by people do: the model's
scores then only lower the variance, and whether the corrected estimate is right does not depend on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from loadedwords.errors import DataError
from loadedwords.outlets.differences import pair_differences
from loadedwords.outlets.estimates import FEW_ARTICLES
from loadedwords.outlets.intervals import Numbers
from loadedwords.outlets.sampling import LABELS_PER_OUTLET, OUTLET, STRATUM, Strata
from loadedwords.outlets.tables import counts, reals, texts

# Below the first no interval is given; from the second on its coverage is measured (tests/benchmarks/simulations.py).
FEW_LABELS = 20
ALL_OUTLETS = "all outlets"
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


@dataclass(frozen=True)
class _Domain:
    """What an estimate is made from: the sentences of some articles, grouped in cells, and the labels among them.

    `article`, `cell`, `count` and `score_sum` have one entry for each article and cell; the label arrays have one
    for each labelled sentence. `weight` is the inverse of the inclusion probability.
    """

    article: NDArray[np.int64]
    cell: NDArray[np.int64]
    count: Numbers
    score_sum: Numbers
    raw_share: float
    label_article: NDArray[np.int64]
    label_cell: NDArray[np.int64]
    label: Numbers
    score: Numbers
    weight: Numbers
    scores_changed: bool

    @property
    def n_articles(self) -> int:
        return int(self.article.max()) + 1

    @property
    def random(self) -> Numbers:
        """How much of each label's variance is chance: a sentence that was bound to be drawn brings none."""
        return 1 - np.minimum(1, 1 / self.weight)

    @property
    def refusal(self) -> str | None:
        """Why these labels can't correct."""
        n = len(self.label)
        if n < FEW_LABELS:
            return f"{n} labels, too few to correct by: {FEW_LABELS} are needed" if n else "no labels"
        return "one article" if self.n_articles == 1 else None


@dataclass(frozen=True)
class _Estimate:
    """A share with its variance, the part of it that comes from labelling few sentences, and degrees of freedom."""

    share: float
    variance: float
    design: float
    df: float

    def interval(self, level: float) -> tuple[float, float]:
        half = -float(stdtrit(self.df, (1 - level) / 2)) * self.variance**0.5
        return self.share - half, self.share + half


def correct_by_gold(
    articles: pl.DataFrame, sentences: pl.LazyFrame, gold: pl.DataFrame, *, level: float = 0.95
) -> pl.DataFrame:
    """Estimate each outlet's share of loaded sentences, corrected by labels.

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

    Variance: sums over whole articles of their sentences' influence (the linearised ratio, clustered by article),
    with the small-cluster correction and Satterthwaite degrees of freedom of Bell & McCaffrey (2002) and Imbens &
    Kolesár (2016) where articles are few. Intervals of shares are Wilson's at the effective sample size, with t
    quantiles (Franco et al. 2019); those of the bias are the estimate and t standard errors.

    Parameters
    ----------
    articles : polars.DataFrame
        As `load_articles` gives it, one row for each article: article_id, outlet. Articles left out here are left out
        of the estimates, with their labels.
    sentences : polars.LazyFrame
        As `scan_sentences` gives it: article_id, outlet, sentence_id, p_own.
    gold : polars.DataFrame
        As `read_gold` gives it.
    level : float
        Nominal coverage of the intervals.

    Returns
    -------
    polars.DataFrame
        One row for each outlet, the most loaded first, after one for all the outlets that were sampled: outlet,
        n_articles, n_own, n_labelled, loaded_share_raw (mean `p_own`), corrected_share, ci_low, ci_high;
        classical_share, classical_low, classical_high (from the labels alone, by strata); bias, bias_low, bias_high
        (raw minus corrected); power_tuning (λ); effective_ratio (how many labels drawn without scores would be worth
        one of these, as for the variance that labelling more sentences would lower); more_labels (so many more, and labelling
        brings no more variance than the choice of articles does, which only more articles lower); note. Outlets with fewer than
        `FEW_LABELS` labels get no corrected figure: borrowing the correction of other outlets would assume that the model errs on all alike.

    Raises
    ------
    DataError
        If a labelled sentence is not among the sentences or an article_id occurs twice.
    """
    rows = [_corrected_row(outlet, domain, level) for outlet, domain in _domains(articles, sentences, gold).items()]
    return pl.DataFrame(rows, schema=_CORRECTED).sort(
        [pl.col("outlet") != ALL_OUTLETS, "corrected_share", "outlet"], descending=[False, True, False], nulls_last=True
    )


def corrected_differences(
    articles: pl.DataFrame, sentences: pl.LazyFrame, gold: pl.DataFrame, *, level: float = 0.95
) -> pl.DataFrame:
    """Differences between outlets' corrected shares; parameters and errors are those of `correct_by_gold`.

    Returns
    -------
    polars.DataFrame
        One row for each pair of outlets with enough labels: outlet_a, outlet_b, difference (a minus b), ci_low,
        ci_high, p_value (two-sided t test with Welch's degrees of freedom), p_adjusted (Holm 1979, over the pairs),
        differs (p_adjusted below 1 - level), detectable. Intervals are not adjusted.
    """
    found = {
        outlet: _estimate(domain, _power_tuning(domain))
        for outlet, domain in sorted(_domains(articles, sentences, gold).items())
        if outlet != ALL_OUTLETS and domain.refusal is None
    }
    names = pl.Series(list(found), dtype=pl.String)
    share, variance, df = np.array([(e.share, e.variance, e.df) for e in found.values()]).reshape(-1, 3).T
    pairs = pair_differences(share, np.diag(variance), df, level)
    outlets = {"outlet_a": names.gather(pairs["a"]), "outlet_b": names.gather(pairs["b"])}
    differs = pl.col("p_adjusted") < 1 - level
    return pl.DataFrame({**outlets, **pairs.drop("a", "b").to_dict()}).with_columns(differs=differs)


def _domains(articles: pl.DataFrame, sentences: pl.LazyFrame, gold: pl.DataFrame) -> dict[str, _Domain]:
    """The estimates' material by outlet and for all."""
    if articles["article_id"].is_duplicated().any():
        twice = articles.filter(pl.col("article_id").is_duplicated())["article_id"][0]
        raise DataError(f"The article_id {twice} occurs twice.\nGive articles of different folders different ids.")
    names = sorted(set(gold["stratum"].drop_nulls().to_list()))
    known = articles.lazy().select("article_id", domain=OUTLET)
    own = sentences.filter(pl.col("p_own").is_not_null()).select("article_id", "sentence_id", OUTLET, "p_own")
    placed = Strata(names).place(own).join(known, on="article_id", how="inner")
    labels = _placed_labels(gold, placed, articles)
    changed = _scores_changed(labels, names)
    cell = pl.col("group" if changed else "stratum")
    sizes = (
        placed.group_by("domain", "article_id", cell=cell)
        .agg(count=pl.len(), score_sum=pl.col("p_own").cast(pl.Float64).sum())
        .sort("domain", "article_id", "cell")
        .collect()
    )
    labels = labels.filter(pl.col("label").is_not_null()).with_columns(cell=cell)
    domains = {ALL_OUTLETS: _domain(sizes, labels, changed)}
    for (outlet,), group in sizes.group_by(["domain"], maintain_order=True):
        if outlet == ALL_OUTLETS:
            raise DataError(
                f"An outlet is named {outlet!r}, as all of them together are here.\nRename it with --aliases."
            )
        domains[str(outlet)] = _domain(group, labels.filter(pl.col("domain") == outlet), changed)
    return domains


def _placed_labels(gold: pl.DataFrame, placed: pl.LazyFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """The sentences drawn with what is known of them now, and a weight that skipped ones hand on to their stratum."""
    response = pl.col("label").is_not_null().mean().over(pl.col("stratum").fill_null(""))
    # "drawn_stratum" is what the file says, "stratum" where the sentence stands by the scores of today.
    drawn = gold.select(
        "article_id",
        pl.col("sentence_id").cast(pl.Int64),
        "label",
        drawn_stratum="stratum",
        drawn_score="p_own",
        weight=1 / (pl.col("probability") * response),
    ).filter(pl.col("article_id").is_in(articles["article_id"].unique().to_list()))
    wanted = placed.filter(pl.col("article_id").is_in(drawn["article_id"].unique().to_list()))
    wanted = wanted.with_columns(pl.col("sentence_id").cast(pl.Int64))
    labels = drawn.join(wanted.collect(), on=["article_id", "sentence_id"], how="left", maintain_order="left")
    if (lost := labels.filter(pl.col("p_own").is_null())).height:
        raise DataError(
            f"{lost.height} labelled sentences are not among the scored ones, the first is sentence "
            f"{lost['sentence_id'][0]} of article {lost['article_id'][0]}.\n"
            "Pass the folder that the sample was drawn from; a spreadsheet may have changed the ids."
        )
    return labels


def _scores_changed(labels: pl.DataFrame, names: Sequence[str]) -> bool:
    """Whether the sample was drawn by other scores, whose strata say nothing about the sentences as scored now."""
    if not any(map(STRATUM.fullmatch, names)):
        return False
    now = pl.Series([names[number] for number in labels["stratum"]], dtype=pl.String)
    moved = (now != labels["drawn_stratum"]).fill_null(True).any()
    return bool(moved or ((labels["p_own"] - labels["drawn_score"]).abs() > 1e-3).any())


def _domain(sizes: pl.DataFrame, labels: pl.DataFrame, scores_changed: bool) -> _Domain:
    """Number articles and cells; cells with fewer than two labels are joined to the next."""
    number = {article_id: at for at, article_id in enumerate(sizes["article_id"].unique(maintain_order=True))}
    labelled = dict(labels["cell"].value_counts().iter_rows())
    joined: dict[int, int] = {}
    at, held = 0, 0
    for cell in sizes["cell"].unique().sort():
        if held >= 2:
            at, held = at + 1, 0
        joined[cell] = at
        held += labelled.get(cell, 0)
    if held < 2 and at:  # the last one falls short: to the one before
        joined = {cell: min(to, at - 1) for cell, to in joined.items()}
    return _Domain(
        article=np.array([number[a] for a in sizes["article_id"]], np.int64),
        cell=np.array([joined[cell] for cell in sizes["cell"]], np.int64),
        count=sizes["count"].to_numpy().astype(float),
        score_sum=sizes["score_sum"].to_numpy(),
        raw_share=float(sizes["score_sum"].sum()) / int(sizes["count"].sum()),
        label_article=np.array([number[a] for a in labels["article_id"]], np.int64),
        label_cell=np.array([joined[cell] for cell in labels["cell"]], np.int64),
        label=labels["label"].to_numpy().astype(float),
        score=labels["p_own"].to_numpy().astype(float),
        weight=labels["weight"].to_numpy().astype(float),
        scores_changed=scores_changed,
    )


def _power_tuning(domain: _Domain) -> float:
    """The λ in [0, 1] that minimises the variance from labelling a part of each cell.

    The variance from drawing articles does not depend on it: whatever λ is, the estimate's mean over samples is the
    share among all sentences of the articles drawn.
    """
    residual_y, residual_f = (_residuals(domain, values) for values in (domain.label, domain.score))
    spread = float((domain.random * residual_f**2).sum())
    return float(np.clip((domain.random * residual_y * residual_f).sum() / spread, 0, 1)) if spread > 0 else 0.0


def _cell_means(domain: _Domain, values: Numbers) -> Numbers:
    total = np.bincount(domain.label_cell, domain.weight * values)
    mean: Numbers = total / np.bincount(domain.label_cell, domain.weight)
    return mean


def _residuals(domain: _Domain, values: Numbers) -> Numbers:
    """Each label's part in the error of the total: how far it is from its cell, times the sentences it stands for."""
    n_labels = np.bincount(domain.label_cell)
    size = np.bincount(domain.cell, domain.count)
    stands_for = size / np.bincount(domain.label_cell, domain.weight)
    few = np.sqrt(n_labels / np.maximum(n_labels - 1, 1))
    centred = values - _cell_means(domain, values)[domain.label_cell]
    part: Numbers = (few * stands_for)[domain.label_cell] * domain.weight * centred
    return part


def _estimate(domain: _Domain, tuning: float, *, bias: bool = False) -> _Estimate:
    """The corrected share at λ = `tuning`, or with `bias` the raw share minus it."""
    error = domain.label - tuning * domain.score
    residual = _residuals(domain, error)
    # What each sentence contributes: its own λf and the mean error of its cell.
    by_cell = tuning * domain.score_sum + domain.count * _cell_means(domain, error)[domain.cell]
    if bias:
        by_cell, residual = domain.score_sum - by_cell, -residual
    sizes = np.bincount(domain.article, domain.count).astype(float)
    size = sizes.sum()
    share = float(by_cell.sum() / size)
    predicted = np.bincount(domain.article, by_cell) - share * sizes
    labelled = np.bincount(domain.label_article, residual, minlength=len(sizes)).astype(float)
    return _Estimate(share, *_variance(domain, sizes, predicted, labelled, residual))


def _variance(
    domain: _Domain, sizes: Numbers, predicted: Numbers, labelled: Numbers, residual: Numbers
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


def _corrected_row(outlet: str, domain: _Domain, level: float) -> dict[str, object]:
    n = len(domain.label)
    about = {
        "outlet": outlet,
        "n_articles": domain.n_articles,
        "n_own": int(domain.count.sum()),
        "n_labelled": n,
        "loaded_share_raw": domain.raw_share,
    }
    if domain.refusal:
        return {**about, "more_labels": max(0, FEW_LABELS - n), "note": domain.refusal}
    tuning = _power_tuning(domain)
    corrected, classical = _estimate(domain, tuning), _estimate(domain, 0.0)
    bias = _estimate(domain, tuning, bias=True)
    articles_vary = corrected.variance - corrected.design
    more = max(0, math.ceil(n * (corrected.design / articles_vary - 1))) if articles_vary > 0 else None
    # Labels that simple random sampling would have needed for the same variance, for each label there is.
    ratio = classical.share * (1 - classical.share) / n / corrected.design if corrected.design > 0 else None
    notes = {
        "few labels": n < LABELS_PER_OUTLET,
        "the scores are too unlike the labels to help": ratio is not None and ratio < LEAST_HELP,
        "few articles": domain.n_articles < FEW_ARTICLES,
        "scored anew since the sample was drawn: its strata are not used": domain.scores_changed,
    }
    figures = (
        *_share_interval(corrected, domain, level),
        *_share_interval(classical, domain, level),
        *(bias.share, *bias.interval(level)),
        tuning,
        ratio,
        more,
        "; ".join(note for note, holds in notes.items() if holds),
    )
    return {**about, **dict(zip(list(_CORRECTED)[len(about) :], figures, strict=True))}


def _share_interval(estimate: _Estimate, domain: _Domain, level: float) -> tuple[float, float, float]:
    """The share and Wilson's interval (1927) at the sample size that would have its variance.

    With t in place of the normal quantile, as for shares from complex surveys (Franco et al. 2019). An interval of
    the estimate plus and minus t standard errors lies too low where few labels are loaded: with none, it is empty.
    """
    n = len(domain.label)
    share = min(max(estimate.share, 0.0), 1.0)
    inner = min(max(share, 0.5 / n), 1 - 0.5 / n)  # the estimate itself can lie at 0, or outside
    if np.ptp(domain.label) == 0:
        # Labels all alike show no variance: as many labels as the weights are worth (Kish 1965).
        size = domain.weight.sum() ** 2 / (domain.weight**2).sum()
        inner, df = share, n - 1.0
    else:
        size, df = inner * (1 - inner) / estimate.variance, estimate.df
    t2 = float(stdtrit(df, (1 - level) / 2)) ** 2
    middle = (inner + t2 / 2 / size) / (1 + t2 / size)
    half = (t2 * (inner * (1 - inner) / size + t2 / 4 / size**2)) ** 0.5 / (1 + t2 / size)
    return share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)
