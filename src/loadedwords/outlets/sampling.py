"""Which sentences to label by hand: a stratified random sample of known probabilities."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.files import as_paths
from loadedwords.outlets.hand_labels import SAMPLE_SCHEMA

LABELS_PER_OUTLET = 30
OTHER_OUTLETS = "(other outlets)"
# Strata end at hundredths of the score, so that one histogram of each outlet is all that planning has to read.
_STEPS = 100
_LABELS_PER_BIN = 6
_MOST_BINS = 6
# A score of 0 or 1 is not a sentence without error: rarely sampled regions of the score keep a fair probability.
_LEAST_SPREAD = 0.2
STRATUM = re.compile(r"(?s)(.*) \| (\d\.\d\d)-(\d\.\d\d)")
OUTLET = pl.col("outlet").fill_null("")
_STEP = (pl.col("p_own").cast(pl.Float64) * _STEPS).floor().clip(0, _STEPS - 1).cast(pl.Int64)


class Bin(NamedTuple):
    """A range of the score in hundredths, end exclusive, with the sentences in it and those to draw."""

    low: int
    high: int
    size: int
    n: int


def plan_strata(
    histograms: Mapping[str, NDArray[np.int64]], n: int, *, min_per_outlet: int = LABELS_PER_OUTLET, pool: bool = True
) -> dict[str, list[Bin]]:
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
    dict of str to list of Bin
        For each outlet with strata of its own, and for `OTHER_OUTLETS`.

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
    listed = as_paths(folders)
    parts = [part for folder in listed for part in sorted((folder / "sentences").glob("part-*.parquet"))]
    if not parts:
        raise DataError(
            f"{', '.join(map(str, listed))}: no sentences/part-*.parquet there.\nPass a folder written by loadedwords score."
        )
    histograms = _histograms(parts, outlets)
    plan = plan_strata(histograms, n, min_per_outlet=min_per_outlet, pool=outlets is None)
    return _draw(parts, plan, set(histograms), seed)


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


def _plan_bins(histogram: NDArray[np.int64], n: int) -> list[Bin]:
    scores = (np.arange(_STEPS) + 0.5) / _STEPS
    spread = histogram * np.maximum(np.sqrt(scores * (1 - scores)), _LEAST_SPREAD)
    n_bins = min(_MOST_BINS, max(1, n // _LABELS_PER_BIN))
    cumulated = np.cumsum(spread) / spread.sum()
    inner = np.searchsorted(cumulated, np.arange(1, n_bins) / n_bins) + 1
    # A bin with fewer than two sentences goes to its neighbour: its variance could not be estimated.
    merged: list[tuple[int, int]] = []
    for low, high in pairwise(sorted({0, _STEPS, *map(int, inner)})):
        if merged and (histogram[low:high].sum() < 2 or histogram[merged[-1][0] : merged[-1][1]].sum() < 2):
            merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    sizes = np.array([histogram[low:high].sum() for low, high in merged])
    wanted = np.array([spread[low:high].sum() for low, high in merged])
    least = np.minimum(2, sizes)
    drawn = least + _allocate(wanted, sizes - least, n - int(least.sum()))
    return [Bin(low, high, int(size), int(k)) for (low, high), size, k in zip(merged, sizes, drawn, strict=True)]


def _histograms(parts: Sequence[Path], outlets: Sequence[str] | None) -> dict[str, NDArray[np.int64]]:
    counted = (
        pl.scan_parquet(list(parts), glob=False)
        .filter(pl.col("p_own").is_not_null())
        .group_by(OUTLET, step=_STEP)
        .len()
        .sort("outlet", "step")
        .collect()
    )
    histograms: dict[str, NDArray[np.int64]] = {}
    for outlet, step, size in counted.iter_rows():
        histograms.setdefault(outlet, np.zeros(_STEPS, np.int64))[step] += size
    if OTHER_OUTLETS in histograms:
        raise DataError(
            f"An outlet is named {OTHER_OUTLETS!r}, as those that are drawn from together are here.\nRename it and score again."
        )
    if outlets is not None:
        if missing := sorted(set(outlets) - set(histograms)):
            known = ", ".join(sorted(histograms)[:10]) + (" …" if len(histograms) > 10 else "")
            raise DataError(f"No own-voice sentence is by {', '.join(missing)}.\nOutlets are named: {known}")
        histograms = {outlet: histograms[outlet] for outlet in sorted(set(outlets))}
    if not histograms:
        raise DataError("There is no own-voice sentence to draw from.\nScore articles with text of their own.")
    return histograms


def _draw(parts: Sequence[Path], plan: Mapping[str, list[Bin]], covered: set[str], seed: int) -> pl.DataFrame:
    """Walk through the parts, one in memory at a time, and keep the sentences whose turn was drawn."""
    rng = np.random.default_rng(seed)
    bins = {
        f"{group} | {of.low / _STEPS:.2f}-{of.high / _STEPS:.2f}": of for group in sorted(plan) for of in plan[group]
    }
    turns = [rng.choice(of.size, size=of.n, replace=False) for of in bins.values()]
    seen = np.zeros(len(bins), np.int64)
    drawn = []
    for part in parts:
        table = pl.scan_parquet(part, glob=False).with_row_index("at")
        own = table.select(OUTLET, "p_own", "at").filter(
            pl.col("p_own").is_not_null() & pl.col("outlet").is_in(sorted(covered))
        )
        # In the order in which the turns are counted.
        placed = Strata(list(bins)).place(own).select("at", "stratum").collect().sort("at")
        rows, strata = placed["at"].to_numpy().astype(np.int64), placed["stratum"].to_numpy()
        for number, (name, of) in enumerate(bins.items()):
            members = rows[strata == number]
            here = turns[number] - seen[number]
            chosen = members[here[(here >= 0) & (here < len(members))]]
            seen[number] += len(members)
            drawn.append(_with_context(table, chosen).with_columns(stratum=pl.lit(name), probability=of.n / of.size))
    sample = pl.concat(drawn)
    order = list(range(sample.height))
    rng.shuffle(order)
    width = len(str(sample.height))
    sample_id = "s" + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(width)
    sample = sample[order].with_columns(sample_id=sample_id, label=pl.lit(""))
    return sample.select(pl.col(name).cast(kind) for name, kind in SAMPLE_SCHEMA.items())


def _with_context(table: pl.LazyFrame, rows: NDArray[np.int64]) -> pl.DataFrame:
    """The sentences in these rows, with the texts beside them in the same article."""
    near = table.filter(pl.col("at").is_in(np.unique([rows - 1, rows, rows + 1]).tolist())).collect()
    beside = {
        name: pl.when(pl.col("article_id").shift(step) == pl.col("article_id"))
        .then(pl.col("text").shift(step))
        .fill_null("")
        for name, step in (("context_before", 1), ("context_after", -1))
    }
    return pl.DataFrame({"at": rows}, schema_overrides={"at": near["at"].dtype}).join(
        near.with_columns(**beside), on="at", how="left", maintain_order="left"
    )


@dataclass(frozen=True)
class Strata:
    """The strata of a sample, from their names, in the order of their numbers."""

    names: Sequence[str]

    def place(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add to each sentence (outlet, p_own) its group and stratum; those that could not be drawn are left out."""
        rows = []
        groups: dict[str, int] = {}
        for number, name in enumerate(self.names):
            if match := STRATUM.fullmatch(name):
                group = groups.setdefault(match[1], len(groups))
                low, high = (round(float(end) * _STEPS) for end in match.group(2, 3))
                rows += [(match[1], step, number, group) for step in range(low, high)]
        if not rows:  # a sample drawn in another way: its probabilities are all that is known
            return frame.with_columns(stratum=pl.lit(0, pl.Int64), group=pl.lit(0, pl.Int64))
        columns = {"drawn_from": pl.String, "step": pl.Int64, "stratum": pl.Int64, "group": pl.Int64}
        table = pl.LazyFrame(rows, schema=columns, orient="row")
        own_group = OUTLET.is_in(sorted(groups))
        drawn_from = pl.when(own_group).then(OUTLET).otherwise(pl.lit(OTHER_OUTLETS))
        return frame.with_columns(drawn_from=drawn_from, step=_STEP).join(table, on=["drawn_from", "step"], how="inner")
