"""A random sample of sentences, labelled by hand → outlet estimates corrected for the classifier's errors.

A classifier that errs differently on different outlets makes differences where there are none, and no number of
articles cures that. A few hundred sentences drawn with known probabilities and labelled by people do: the model's
scores then only lower the variance, and whether the corrected estimate is right does not depend on them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from loadedwords.errors import DataError
from loadedwords.outlets.differences import adjust_holm
from loadedwords.outlets.estimates import FEW_ARTICLES
from loadedwords.outlets.tables import read_edited

# Below the first no interval is given; from the second on its coverage is measured (tests/benchmarks/intervals_gold.py).
FEW_LABELS = 20
LABELS_PER_OUTLET = 30
ALL_OUTLETS = "all outlets"
OTHER_OUTLETS = "(other outlets)"

SAMPLE_COLUMNS = (
    "sample_id",
    "article_id",
    "sentence_id",
    "outlet",
    "text",
    "context_before",
    "context_after",
    "p_own",
    "stratum",
    "probability",
    "label",
)

_NEEDED = ("article_id", "sentence_id", "outlet", "probability", "label")
_LABELS = {"loaded": 1.0, "1": 1.0, "1.0": 1.0, "neutral": 0.0, "0": 0.0, "0.0": 0.0, "skip": None, "": None}

# Strata end at hundredths of the score, so that one histogram of each outlet is all that planning has to read.
_STEPS = 100
_LABELS_PER_BIN = 6
_MOST_BINS = 6
# A score of 0 or 1 is not a sentence without error: rarely sampled regions of the score keep a fair probability.
_LEAST_SPREAD = 0.2
_STRATUM = re.compile(r"(?s)(.*) \| (\d\.\d\d)-(\d\.\d\d)")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")

_CORRECTED = {
    "outlet": pl.String,
    "n_articles": pl.Int64,
    "n_own": pl.Int64,
    "n_labelled": pl.Int64,
    "loaded_share_raw": pl.Float64,
    "corrected_share": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "classical_share": pl.Float64,
    "classical_low": pl.Float64,
    "classical_high": pl.Float64,
    "bias": pl.Float64,
    "bias_low": pl.Float64,
    "bias_high": pl.Float64,
    "power_tuning": pl.Float64,
    "effective_ratio": pl.Float64,
    "note": pl.String,
}
_DIFFERENCES = {
    "outlet_a": pl.String,
    "outlet_b": pl.String,
    "difference": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "p_value": pl.Float64,
    "p_adjusted": pl.Float64,
}
_GOLD: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "article_id": pl.String(),
    "sentence_id": pl.Int64(),
    "outlet": pl.String(),
    "text": pl.String(),
    "p_own": pl.Float64(),
    "stratum": pl.String(),
    "probability": pl.Float64(),
    "label": pl.Float64(),
    "labels": pl.List(pl.Float64()),
}


@dataclass(frozen=True)
class Agreement:
    """How far labellers agree.

    Attributes
    ----------
    n_sentences : int
        Sentences with at least two labels.
    alpha : float or None
        Krippendorff's alpha for nominal labels (Krippendorff 2004, chapter 11): 1 full agreement, 0 as by chance.
        None where it is undefined: no sentence with two labels, or all labels alike.
    """

    n_sentences: int
    alpha: float | None


@dataclass(frozen=True)
class _Domain:
    """What an estimate is made from: the sentences of some articles, grouped in cells, and the labels among them.

    `article`, `cell`, `count` and `score_sum` have one entry for each article and cell; the label arrays have one
    for each labelled sentence. `weight` is the inverse of the inclusion probability.
    """

    article: NDArray[np.int64]
    cell: NDArray[np.int64]
    count: NDArray[np.float64]
    score_sum: NDArray[np.float64]
    label_article: NDArray[np.int64]
    label_cell: NDArray[np.int64]
    label: NDArray[np.float64]
    score: NDArray[np.float64]
    weight: NDArray[np.float64]


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


def plan_strata(
    histograms: Mapping[str, NDArray[np.int64]],
    n: int,
    *,
    min_per_outlet: int = LABELS_PER_OUTLET,
    pool: bool = True,
) -> dict[str, list[tuple[int, int, int, int]]]:
    """Strata and their sample sizes, from how the scores of each outlet are distributed.

    Outlets share the labels by power allocation, in proportion to the square root of their sentences (Bankier 1988):
    between equal shares, best for comparing outlets, and proportional ones, best for all together. Within an outlet
    the bins hold equal sums of the standard deviation of a label given its score, √(p(1−p)) with a floor, so that
    equal sample sizes are Neyman's allocation (Neyman 1934; Dalenius & Hodges 1959).

    Parameters
    ----------
    histograms : mapping of outlet to ndarray of shape (100,)
        Own-voice sentences of the outlet by hundredths of `p_own`.
    n : int
        Sentences to label.
    min_per_outlet : int
        Outlets that would get fewer, the smallest first, share one group of strata.
    pool : bool
        Whether they may; without it each outlet gets `min_per_outlet`, or an equal share where `n` is too small
        for that, before the rest is allocated.

    Returns
    -------
    dict of str to list of (low, high, size, sample size)
        For each outlet with strata of its own, and for `OTHER_OUTLETS`: bins of the score in hundredths, end
        exclusive, with the sentences in it and those to draw.

    Raises
    ------
    DataError
        If `n` is too small to draw two sentences from each stratum.
    """
    sizes = {outlet: int(histogram.sum()) for outlet, histogram in histograms.items()}
    by_size = sorted((outlet for outlet in sizes if sizes[outlet]), key=lambda outlet: (-sizes[outlet], outlet))
    for n_own in range(len(by_size), -1, -1):
        groups = {outlet: histograms[outlet] for outlet in by_size[:n_own]}
        if rest := by_size[n_own:]:
            groups[OTHER_OUTLETS] = np.sum([histograms[outlet] for outlet in rest], axis=0)
        totals = np.array([histogram.sum() for histogram in groups.values()])
        # An outlet that is sampled whole has all the labels there can be.
        least = np.minimum(totals, min_per_outlet)
        shares = _allocate(np.sqrt(totals), totals, n)
        if not pool:
            least = np.minimum(least, n // len(groups))
            shares = least + _allocate(np.sqrt(totals), totals - least, n - int(least.sum()))
        if not pool or (shares >= least).all():
            break
    plan = {}
    for (group, histogram), share in zip(groups.items(), shares, strict=True):
        if share < min(2, histogram.sum()):
            raise DataError(f"{n} sentences are too few: {group} would get {share}.\nDraw at least {2 * len(groups)}.")
        plan[group] = _plan_bins(histogram, int(share))
    return plan


def draw_sample(
    folders: str | Path | Sequence[str | Path],
    n: int = 300,
    *,
    seed: int = 0,
    outlets: Sequence[str] | None = None,
    min_per_outlet: int = LABELS_PER_OUTLET,
) -> pl.DataFrame:
    """Draw a stratified random sample of own-voice sentences to label by hand.

    Every own-voice sentence of the covered outlets has a known chance of being drawn (`plan_strata`); within a
    stratum all have the same. Rows come in random order, so that labels given down to any row are a sample too.

    Parameters
    ----------
    folders : str, Path or several
        Folders written by ``loadedwords score``.
    n : int
        Sentences to draw; all, where there are fewer.
    seed : int
        The same seed draws the same sentences from the same folders.
    outlets : sequence of str or None
        Only these outlets, each with strata of its own; None for all.
    min_per_outlet : int
        Outlets that would get fewer labels, the smallest first, are drawn from together: they enter the estimate for
        all outlets. Fewer covers more outlets, each with a wider interval. Where `outlets` are named, each gets so many
        if `n` allows, and none is drawn from together with others.

    Returns
    -------
    polars.DataFrame
        Columns `SAMPLE_COLUMNS`: sample_id, article_id, sentence_id, outlet, text, context_before, context_after (the
        sentences beside it in the article), p_own, stratum ("outlet | low-high", a range of the score), probability
        (of being drawn), label (empty).

    Raises
    ------
    DataError
        If a folder holds no scores, an outlet is not in it, or `n` is too small for the outlets named.
    """
    listed = [Path(folders)] if isinstance(folders, (str, Path)) else [Path(folder) for folder in folders]
    parts = [part for folder in listed for part in sorted((folder / "sentences").glob("part-*.parquet"))]
    if not parts:
        raise DataError(
            f"{', '.join(map(str, listed))}: no sentences/part-*.parquet there.\nPass a folder written by loadedwords score."
        )
    histograms = _histograms(parts, outlets)
    plan = plan_strata(histograms, n, min_per_outlet=min_per_outlet, pool=outlets is None)
    return pl.DataFrame(_drawn_rows(parts, plan, set(histograms), seed), schema=_sample_schema(), orient="row")


def write_sample(sample: pl.DataFrame, file: Path) -> None:
    """Write a sample as CSV that spreadsheets open as text.

    A text that begins like a formula gets an apostrophe in front, which `read_sample` takes off again.

    Parameters
    ----------
    sample : polars.DataFrame
        As `draw_sample` returns it; further columns are kept.
    file : Path
        Replaced where it exists.
    """
    beside = file.with_name(f".{file.name}.part")
    with beside.open("w", encoding="utf-8-sig", newline="") as stream:  # the mark tells spreadsheets that it is UTF-8
        writer = csv.writer(stream)
        writer.writerow(sample.columns)
        for row in sample.iter_rows():
            writer.writerow(["" if value is None else _guard(str(value)) for value in row])
    beside.replace(file)  # never half a file, whatever happens meanwhile


def read_sample(file: Path) -> pl.DataFrame:
    """Read what `write_sample` wrote, every column as text; semicolons and tabs separate too, as spreadsheets save.

    Parameters
    ----------
    file : Path

    Returns
    -------
    polars.DataFrame
        All columns strings, stripped of the apostrophes that guard against formulas.

    Raises
    ------
    DataError
        If it is no CSV with the columns of a sample.
    """
    header, rows = read_edited(file)
    if missing := [name for name in _NEEDED if name not in header]:
        raise DataError(
            f"{file} lacks the columns {', '.join(missing)}.\nPass a file drawn by loadedwords sample, with its header."
        )
    kept = [[_unguard(value) for value in row] for row in rows]
    return pl.DataFrame(kept, schema=[(name, pl.String) for name in header], orient="row")


def read_gold(files: str | Path | Sequence[str | Path]) -> pl.DataFrame:
    """Read labels given by hand.

    Parameters
    ----------
    files : str, Path or several
        Samples with their labels filled in: loaded or 1, neutral or 0, skip, or blank. A column `labeller` tells
        several people apart in one file; of several files, each is one person's where it has no such column.

    Returns
    -------
    polars.DataFrame
        One row for each sentence drawn: sample_id, article_id, sentence_id, outlet, text, p_own, stratum, probability,
        label (mean of its labels between 0 and 1, null where nobody labelled it), labels (all of them). What skipped
        sentences would have been is taken to be like the labelled ones of their stratum.

    Raises
    ------
    DataError
        If a label is not understood, a probability is not in (0, 1], somebody labelled a sentence twice, or nobody
        labelled any.
    """
    listed = [Path(files)] if isinstance(files, (str, Path)) else [Path(file) for file in files]
    found: dict[tuple[str, int], dict[str, object]] = {}
    given: dict[tuple[str, int], dict[str, float | None]] = {}
    for file in listed:
        for number, row in enumerate(read_sample(file).iter_rows(named=True), start=2):
            where = f"{file}, record {number}"
            parsed, key, label = _gold_row(row, where)
            labeller = (row.get("labeller") or "").strip() or str(file)
            known = found.setdefault(key, parsed)
            if (known["probability"], known["stratum"]) != (parsed["probability"], parsed["stratum"]):
                raise DataError(
                    f"{where}: this sentence has another probability elsewhere.\nPass labels of one sample."
                )
            labels = given.setdefault(key, {})
            if labeller in labels:
                raise DataError(
                    f"{where}: {labeller} labelled sentence {key[1]} of article {key[0]} twice.\n"
                    "Keep one row, or tell labellers apart in a column labeller."
                )
            labels[labeller] = label
    rows = []
    for key, parsed in found.items():
        labels_given = [label for label in given[key].values() if label is not None]
        parsed["labels"] = labels_given
        parsed["label"] = sum(labels_given) / len(labels_given) if labels_given else None
        rows.append(parsed)
    gold = pl.DataFrame(rows, schema=_GOLD)
    if not gold["label"].is_not_null().any():
        raise DataError(f"{', '.join(map(str, listed))}: no sentence is labelled.\nFill in the column label.")
    return gold


def label_agreement(gold: pl.DataFrame) -> Agreement:
    """Krippendorff's alpha of the labels of `read_gold`.

    Parameters
    ----------
    gold : polars.DataFrame

    Returns
    -------
    Agreement

    Examples
    --------
    Two of three sentences agree. With 2 labels each, Do = 2/6 and De = 2·3·3/(6·5), so alpha = 1 − (1/3)/(3/5):

    >>> gold = pl.DataFrame({"labels": [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]]})
    >>> round(label_agreement(gold).alpha, 3)
    0.444
    """
    pairable = [labels for labels in gold["labels"].to_list() if len(labels) > 1]
    n = sum(map(len, pairable))
    ones = sum(sum(labels) for labels in pairable)
    if not ones or ones == n:
        return Agreement(len(pairable), None)
    observed = sum(2 * sum(labels) * (len(labels) - sum(labels)) / (len(labels) - 1) for labels in pairable) / n
    expected = 2 * ones * (n - ones) / (n * (n - 1))
    return Agreement(len(pairable), 1 - observed / expected)


def correct_by_gold(
    articles: pl.DataFrame,
    sentences: pl.LazyFrame,
    gold: pl.DataFrame,
    *,
    level: float = 0.95,
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
        one of these, as for the variance that labelling more sentences would lower); note. Outlets with fewer than
        `FEW_LABELS` labels get no corrected figure: borrowing the correction of other outlets would assume that the model errs on all alike.

    Raises
    ------
    DataError
        If a labelled sentence is not among the sentences or an article_id occurs twice.
    """
    domains, raw, scores_changed = _domains(articles, sentences, gold)
    rows = [
        _corrected_row(outlet, domain, raw[outlet], level, scores_changed=scores_changed)
        for outlet, domain in domains.items()
    ]
    frame = pl.DataFrame(rows, schema=_CORRECTED, orient="row")
    return frame.sort(
        pl.col("outlet") != ALL_OUTLETS,
        pl.col("corrected_share"),
        pl.col("outlet"),
        descending=[False, True, False],
        nulls_last=True,
    )


def corrected_differences(
    articles: pl.DataFrame,
    sentences: pl.LazyFrame,
    gold: pl.DataFrame,
    *,
    level: float = 0.95,
) -> pl.DataFrame:
    """Differences between outlets' corrected shares.

    Parameters
    ----------
    articles, sentences, gold, level
        As in `correct_by_gold`.

    Returns
    -------
    polars.DataFrame
        One row for each pair of outlets with enough labels: outlet_a, outlet_b, difference (a minus b), ci_low,
        ci_high, p_value (two-sided t test with Welch's degrees of freedom), p_adjusted (Holm 1979, over the pairs).
        Intervals are not adjusted.

    Raises
    ------
    DataError
        As in `correct_by_gold`.
    """
    domains, _, _ = _domains(articles, sentences, gold)
    estimates = {
        outlet: _estimate(domain, _power_tuning(domain))
        for outlet, domain in domains.items()
        if outlet != ALL_OUTLETS and _refusal(domain) is None
    }
    rows = []
    for a, b in combinations(sorted(estimates), 2):
        one, other = estimates[a], estimates[b]
        variance = one.variance + other.variance
        df = variance**2 / (one.variance**2 / one.df + other.variance**2 / other.df) if variance else 1.0
        difference = _Estimate(one.share - other.share, variance, one.design + other.design, df)
        t = abs(difference.share) / variance**0.5 if variance else np.inf
        p_value = 2 * float(stdtr(df, -t)) if difference.share else 1.0
        rows.append((a, b, difference.share, *difference.interval(level), p_value, 1.0))
    frame = pl.DataFrame(rows, schema=_DIFFERENCES, orient="row")
    return frame.with_columns(p_adjusted=pl.Series(adjust_holm(frame["p_value"].to_numpy()), dtype=pl.Float64))


def _allocate(shares: NDArray[np.float64], most: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Whole numbers in proportion to `shares`, none above `most`, that add up to `n` where that is possible."""
    n = min(n, int(most.sum()))
    given = np.zeros(len(shares), int)
    while (left := n - int(given.sum())) > 0:
        open_ = given < most
        exact = np.where(open_, shares, 0.0)
        exact = exact / exact.sum() * left
        step = np.minimum(np.floor(exact).astype(int), most - given)
        if not step.any():  # less than one each is left: to the largest remainders
            step[np.argsort(-np.where(open_, exact, -1.0), kind="stable")[:left]] = 1
            step = np.minimum(step, most - given)
        given += step
    return given


def _plan_bins(histogram: NDArray[np.int64], n: int) -> list[tuple[int, int, int, int]]:
    scores = (np.arange(_STEPS) + 0.5) / _STEPS
    spread = histogram * np.maximum(np.sqrt(scores * (1 - scores)), _LEAST_SPREAD)
    n_bins = min(_MOST_BINS, max(1, n // _LABELS_PER_BIN))
    cumulated = np.cumsum(spread) / spread.sum()
    inner = np.searchsorted(cumulated, np.arange(1, n_bins) / n_bins) + 1
    edges = sorted({0, _STEPS, *map(int, inner)})
    bins = list(pairwise(edges))
    # A bin with fewer than two sentences goes to its neighbour: its variance could not be estimated.
    merged: list[tuple[int, int]] = []
    for low, high in bins:
        if merged and (histogram[low:high].sum() < 2 or histogram[merged[-1][0] : merged[-1][1]].sum() < 2):
            merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    sizes = np.array([histogram[low:high].sum() for low, high in merged])
    wanted = np.array([spread[low:high].sum() for low, high in merged])
    least = np.minimum(2, sizes)
    drawn = least + _allocate(wanted, sizes - least, n - int(least.sum()))
    return [(low, high, int(size), int(k)) for (low, high), size, k in zip(merged, sizes, drawn, strict=True)]


_STEP = (pl.col("p_own").cast(pl.Float64) * _STEPS).floor().clip(0, _STEPS - 1).cast(pl.Int64)
_OUTLET = pl.col("outlet").fill_null("")


def _histograms(parts: Sequence[Path], outlets: Sequence[str] | None) -> dict[str, NDArray[np.int64]]:
    counted = (
        pl.scan_parquet(list(parts), glob=False)
        .filter(pl.col("p_own").is_not_null())
        .group_by(_OUTLET, step=_STEP)
        .len()
        .sort("outlet", "step")
        .collect()
    )
    histograms: dict[str, NDArray[np.int64]] = {}
    for outlet, step, size in counted.iter_rows():
        histograms.setdefault(outlet, np.zeros(_STEPS, np.int64))[step] += size
    if outlets is not None:
        if missing := sorted(set(outlets) - set(histograms)):
            known = ", ".join(sorted(histograms)[:10])
            raise DataError(f"No own-voice sentence is by {', '.join(missing)}.\nOutlets are named: {known} …")
        histograms = {outlet: histograms[outlet] for outlet in sorted(set(outlets))}
    if not histograms:
        raise DataError("There is no own-voice sentence to draw from.\nScore articles with text of their own.")
    return histograms


def _drawn_rows(
    parts: Sequence[Path], plan: Mapping[str, list[tuple[int, int, int, int]]], covered: set[str], seed: int
) -> list[tuple[object, ...]]:
    """Walk through the parts, one in memory at a time, and keep the sentences whose turn was drawn."""
    rng = np.random.default_rng(seed)
    names, chosen, probability = [], [], []
    for group, bins in sorted(plan.items()):
        for low, high, size, k in bins:
            names.append(_stratum_name(group, low, high))
            chosen.append(rng.choice(size, size=k, replace=False))
            probability.append(k / size)
    lookup = _Strata(names)
    seen = np.zeros(len(names), np.int64)
    rows = []
    for part in parts:
        frame = (
            pl.scan_parquet(part, glob=False)
            .select(_OUTLET, "p_own")
            .with_row_index("at")
            .filter(pl.col("p_own").is_not_null())
        )
        placed = lookup.place(frame.filter(pl.col("outlet").is_in(sorted(covered)))).select("at", "stratum").collect()
        placed = placed.sort("at")  # the order in which the turns are counted
        own, strata = placed["at"].to_numpy().astype(np.int64), placed["stratum"].to_numpy()
        picked = []
        for at in range(len(names)):
            members = own[strata == at]
            turns = chosen[at] - seen[at]
            here = turns[(turns >= 0) & (turns < len(members))]
            picked += [(int(members[turn]), at) for turn in here]
            seen[at] += len(members)
        rows += _with_context(part, picked, names, probability)
    rng.shuffle(rows)
    width = len(str(len(rows)))
    return [(f"s{number:0{width}d}", *row) for number, row in enumerate(rows, start=1)]


def _with_context(
    part: Path, picked: list[tuple[int, int]], names: list[str], probability: list[float]
) -> list[tuple[object, ...]]:
    if not picked:
        return []
    positions = sorted({row + step for row, _ in picked for step in (-1, 0, 1)})
    table = (
        pl.scan_parquet(part, glob=False)
        .select("article_id", "sentence_id", "outlet", "text", "p_own")
        .with_row_index("at")
    )
    near = {row["at"]: row for row in table.filter(pl.col("at").is_in(positions)).collect().iter_rows(named=True)}
    rows: list[tuple[object, ...]] = []
    for at, stratum in picked:
        row = near[at]
        before, after = (
            beside["text"] if (beside := near.get(at + step)) and beside["article_id"] == row["article_id"] else ""
            for step in (-1, 1)
        )
        rows.append(
            (
                row["article_id"],
                row["sentence_id"],
                row["outlet"],
                row["text"],
                before,
                after,
                row["p_own"],
                names[stratum],
                probability[stratum],
                "",
            )
        )
    return rows


def _sample_schema() -> dict[str, pl.DataType]:
    kinds = {"sentence_id": pl.Int64(), "p_own": pl.Float64(), "probability": pl.Float64()}
    return {name: kinds.get(name, pl.String()) for name in SAMPLE_COLUMNS}


def _stratum_name(group: str, low: int, high: int) -> str:
    return f"{group} | {low / _STEPS:.2f}-{high / _STEPS:.2f}"


@dataclass(frozen=True)
class _Strata:
    """The strata of a sample, from their names, in the order of their numbers."""

    names: Sequence[str]

    def place(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add to each sentence (outlet, p_own) its group and stratum; those that could not be drawn are left out."""
        rows = []
        groups: dict[str, int] = {}
        for number, name in enumerate(self.names):
            if match := _STRATUM.fullmatch(name):
                group = groups.setdefault(match[1], len(groups))
                low, high = (round(float(end) * _STEPS) for end in match.group(2, 3))
                rows += [(match[1], step, number, group) for step in range(low, high)]
        if not rows:  # a sample drawn in another way: its probabilities are all that is known
            return frame.with_columns(stratum=pl.lit(0, pl.Int64), group=pl.lit(0, pl.Int64))
        columns = {"drawn_from": pl.String, "step": pl.Int64, "stratum": pl.Int64, "group": pl.Int64}
        table = pl.LazyFrame(rows, schema=columns, orient="row")
        own_group = _OUTLET.is_in(sorted(groups))
        drawn_from = pl.when(own_group).then(_OUTLET).otherwise(pl.lit(OTHER_OUTLETS))
        return frame.with_columns(drawn_from=drawn_from, step=_STEP).join(table, on=["drawn_from", "step"], how="inner")


def _domains(
    articles: pl.DataFrame, sentences: pl.LazyFrame, gold: pl.DataFrame
) -> tuple[dict[str, _Domain], dict[str, tuple[int, int, float]], bool]:
    """The estimates' material by outlet and for all; articles, sentences and mean score; whether scores have changed."""
    if articles["article_id"].is_duplicated().any():
        twice = articles.filter(pl.col("article_id").is_duplicated())["article_id"][0]
        raise DataError(f"The article_id {twice} occurs twice.\nGive articles of different folders different ids.")
    names = sorted(set(gold["stratum"].drop_nulls().to_list()))
    known = articles.lazy().select("article_id", domain=_OUTLET)
    own = sentences.filter(pl.col("p_own").is_not_null()).select("article_id", "sentence_id", _OUTLET, "p_own")
    placed = _Strata(names).place(own).join(known, on="article_id", how="inner")
    labels = _placed_labels(gold, placed, articles)
    changed = _scores_changed(labels, names)
    cell = "group" if changed else "stratum"
    counts = (
        placed.group_by("domain", "article_id", cell=pl.col(cell))
        .agg(count=pl.len(), score_sum=pl.col("p_own").cast(pl.Float64).sum())
        .sort("domain", "article_id", "cell")
        .collect()
    )
    labels = labels.filter(pl.col("label").is_not_null()).with_columns(cell=pl.col(cell))
    domains = {ALL_OUTLETS: _domain(counts, labels)}
    raw = {ALL_OUTLETS: _raw(counts)}
    for (outlet,), group in counts.group_by(["domain"], maintain_order=True):
        if outlet == ALL_OUTLETS:
            raise DataError(
                f"An outlet is named {outlet!r}, as all of them together are here.\nRename it with --aliases."
            )
        domains[str(outlet)] = _domain(group, labels.filter(pl.col("domain") == outlet))
        raw[str(outlet)] = _raw(group)
    return domains, raw, changed


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
    if not any(map(_STRATUM.fullmatch, names)):
        return False
    now = pl.Series([names[number] for number in labels["stratum"]], dtype=pl.String)
    moved = (now != labels["drawn_stratum"]).fill_null(True).any()
    return bool(moved or ((labels["p_own"] - labels["drawn_score"]).abs() > 1e-3).any())


def _raw(counts: pl.DataFrame) -> tuple[int, int, float]:
    size = int(counts["count"].sum())
    return counts["article_id"].n_unique(), size, float(counts["score_sum"].sum()) / size


def _domain(counts: pl.DataFrame, labels: pl.DataFrame) -> _Domain:
    """Number articles and cells; cells with fewer than two labels are joined to the next."""
    article_ids = counts["article_id"].unique(maintain_order=True)
    number = {article_id: at for at, article_id in enumerate(article_ids)}
    labelled = dict(labels["cell"].value_counts().iter_rows())
    joined: dict[int, int] = {}
    at, held = 0, 0
    for cell in counts["cell"].unique().sort():
        if held >= 2:
            at, held = at + 1, 0
        joined[cell] = at
        held += labelled.get(cell, 0)
    if held < 2 and at:  # the last one falls short: to the one before
        joined = {cell: min(to, at - 1) for cell, to in joined.items()}
    return _Domain(
        article=np.array([number[a] for a in counts["article_id"]], np.int64),
        cell=np.array([joined[cell] for cell in counts["cell"]], np.int64),
        count=counts["count"].to_numpy().astype(float),
        score_sum=counts["score_sum"].to_numpy(),
        label_article=np.array([number[a] for a in labels["article_id"]], np.int64),
        label_cell=np.array([joined[cell] for cell in labels["cell"]], np.int64),
        label=labels["label"].to_numpy().astype(float),
        score=labels["p_own"].to_numpy().astype(float),
        weight=labels["weight"].to_numpy().astype(float),
    )


def _refusal(domain: _Domain) -> str | None:
    n = len(domain.label)
    if n < FEW_LABELS:
        return f"{n} labels, too few to correct by: {FEW_LABELS} are needed" if n else "no labels"
    if domain.article.max() == 0:
        return "one article"
    return None


def _power_tuning(domain: _Domain) -> float:
    """The λ in [0, 1] that minimises the variance from labelling a part of each cell.

    The variance from drawing articles does not depend on λ: whatever it is, the estimate's mean over samples is the
    share among all sentences of the articles drawn.
    """
    residual_y, residual_f = (_residuals(domain, values) for values in (domain.label, domain.score))
    # A sentence that was bound to be drawn brings no variance.
    random = 1 - np.minimum(1, 1 / domain.weight)
    spread = float((random * residual_f**2).sum())
    return float(np.clip((random * residual_y * residual_f).sum() / spread, 0, 1)) if spread > 0 else 0.0


def _cell_means(domain: _Domain, values: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.bincount(domain.label_cell, domain.weight * values)
    mean: NDArray[np.float64] = total / np.bincount(domain.label_cell, domain.weight)
    return mean


def _residuals(domain: _Domain, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each label's part in the error of the total: how far it is from its cell, times the sentences it stands for."""
    n_labels = np.bincount(domain.label_cell)
    size = np.bincount(domain.cell, domain.count)
    stands_for = size / np.bincount(domain.label_cell, domain.weight)
    few = np.sqrt(n_labels / np.maximum(n_labels - 1, 1))
    centred = values - _cell_means(domain, values)[domain.label_cell]
    part: NDArray[np.float64] = (few * stands_for)[domain.label_cell] * domain.weight * centred
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
    domain: _Domain,
    sizes: NDArray[np.float64],
    predicted: NDArray[np.float64],
    labelled: NDArray[np.float64],
    residual: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Variance of the estimate, the part of it that comes from labelling few sentences, and degrees of freedom.

    Two sources: which articles were published and scored, and which of their sentences were labelled. The second is
    known to the design, article by article or not, and estimated from all labels; the first is what the sums over
    articles vary beyond it.
    """
    size = sizes.sum()
    leverage = np.sqrt(1 - sizes / size)
    total = float((((predicted + labelled) / leverage) ** 2).sum()) / size**2
    random = 1 - np.minimum(1, 1 / domain.weight)
    by_cell = np.bincount(domain.label_cell, random * residual**2) / size**2
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


def _corrected_row(
    outlet: str, domain: _Domain, raw: tuple[int, int, float], level: float, *, scores_changed: bool
) -> tuple[object, ...]:
    head = (outlet, raw[0], raw[1], len(domain.label), raw[2])
    if refusal := _refusal(domain):
        return (*head, *[None] * 11, refusal)
    tuning = _power_tuning(domain)
    corrected, classical = _estimate(domain, tuning), _estimate(domain, 0.0)
    bias = _estimate(domain, tuning, bias=True)
    notes = []
    if len(domain.label) < LABELS_PER_OUTLET:
        notes.append("few labels")
    if domain.article.max() + 1 < FEW_ARTICLES:
        notes.append("few articles")
    if scores_changed:
        notes.append("scored anew since the sample was drawn: its strata are not used")
    return (
        *head,
        *_share_interval(corrected, domain, level),
        *_share_interval(classical, domain, level),
        bias.share,
        *bias.interval(level),
        tuning,
        _effective_ratio(classical.share, corrected.design, len(domain.label)),
        "; ".join(notes),
    )


def _effective_ratio(share: float, design: float, n_labels: int) -> float | None:
    """Labels that simple random sampling would have needed for the same variance, for each label there is."""
    return share * (1 - share) / n_labels / design if design > 0 else None


def _share_interval(estimate: _Estimate, domain: _Domain, level: float) -> tuple[float, float, float]:
    """The share and Wilson's interval (1927) at the sample size that would have its variance.

    With t in place of the normal quantile, as for shares from complex surveys (Franco et al. 2019). An interval of
    the estimate plus and minus t standard errors lies too low where few labels are loaded: with none, it is empty.
    """
    n = len(domain.label)
    share = min(max(estimate.share, 0.0), 1.0)
    inner = min(max(share, 0.5 / n), 1 - 0.5 / n)  # the estimate itself can lie at 0, or outside
    if (
        np.ptp(domain.label) == 0
    ):  # labels all alike show no variance: as many labels as the weights are worth (Kish 1965)
        size = domain.weight.sum() ** 2 / (domain.weight**2).sum()
        inner, df = share, n - 1.0
    else:
        size, df = inner * (1 - inner) / estimate.variance, estimate.df
    t2 = float(stdtrit(df, (1 - level) / 2)) ** 2
    middle = (inner + t2 / 2 / size) / (1 + t2 / size)
    half = (t2 * (inner * (1 - inner) / size + t2 / 4 / size**2)) ** 0.5 / (1 + t2 / size)
    return share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def _guard(value: str) -> str:
    return f"'{value}" if _FORMULA.match(value) else value


def _unguard(value: str) -> str:
    return value[1:] if value.startswith("'") and _FORMULA.match(value) else value


def _gold_row(row: Mapping[str, str], where: str) -> tuple[dict[str, object], tuple[str, int], float | None]:
    text = (row["label"] or "").strip().lower()
    if text not in _LABELS:
        raise DataError(
            f"{where}: label {row['label']!r} is not understood.\nUse loaded, neutral or skip, or leave it blank."
        )
    try:
        sentence_id = int(row["sentence_id"])
        # Spreadsheets of some countries save a decimal comma.
        probability = float(row["probability"].replace(",", "."))
        score = float(row["p_own"].replace(",", ".")) if row.get("p_own") else None
    except ValueError as error:
        raise DataError(f"{where}: {error}.\nsentence_id, p_own and probability are numbers.") from error
    if not 0 < probability <= 1:
        raise DataError(f"{where}: probability {probability} is not above 0 and at most 1.\nKeep the column as drawn.")
    parsed: dict[str, object] = {
        "sample_id": row.get("sample_id"),
        "article_id": row["article_id"],
        "sentence_id": sentence_id,
        "outlet": row["outlet"],
        "text": row.get("text"),
        "p_own": score,
        "stratum": row.get("stratum") or None,
        "probability": probability,
    }
    return parsed, (row["article_id"], sentence_id), _LABELS[text]
