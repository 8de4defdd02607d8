"""Found events held against known ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from loadedwords.schema import Interval

N_RESAMPLES = 2000


@dataclass(frozen=True)
class PairwiseScores:
    """Over pairs of articles: shares of the found pairs that are known and of the known ones found, and how many of each."""

    precision: float
    recall: float
    f1: Interval
    n_found: int
    n_true: int
    n_both: int


def pairwise_scores(
    found: pl.DataFrame,
    true: pl.DataFrame,
    *,
    among: Literal["labelled", "touching", "all"] = "labelled",
) -> PairwiseScores:
    """Hold found groups against known events, pair of articles by pair; an article may belong to several events.

    `among` says which found pairs count: those whose two articles are both in `true`; those with at least one; all. Known
    events are seldom all events there are, so that the last two count as errors what nobody has labelled. The interval of
    F1 resamples known events, and found groups of articles of no known event; a pair counts half for each article's event.
    """
    true_pairs, found_pairs = _pairs_of(true), _pairs_of(found)
    labelled = set(true["article_id"].to_list())
    enough = {"labelled": 2, "touching": 1, "all": 0}[among]
    found_pairs = {pair for pair in found_pairs if (pair[0] in labelled) + (pair[1] in labelled) >= enough}
    unit_of: dict[str, tuple[bool, str]] = {}
    for frame, known in ((true, True), (found, False)):
        for article, event in frame.select("article_id", "event_id").sort("article_id", "event_id").iter_rows():
            unit_of.setdefault(article, (known, event))
    units = {unit: at for at, unit in enumerate(sorted(set(unit_of.values())))}
    counts = np.zeros((len(units), 2))  # of each event: pairs that are both, and pairs found plus pairs known
    for pairs, column in ((found_pairs & true_pairs, 0), (found_pairs, 1), (true_pairs, 1)):
        for pair in pairs:
            for article in pair:
                counts[units[unit_of[article]], column] += 0.5
    counts = counts[counts[:, 1] > 0]
    draws = np.random.default_rng(0).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), N_RESAMPLES)
    totals = draws @ counts
    low, high = np.quantile(2 * totals[:, 0] / totals[:, 1], [0.025, 0.975])
    n_both = len(found_pairs & true_pairs)
    return PairwiseScores(
        precision=n_both / len(found_pairs) if found_pairs else 0.0,
        recall=n_both / len(true_pairs),
        f1=Interval(2 * n_both / (len(found_pairs) + len(true_pairs)), float(low), float(high)),
        n_found=len(found_pairs),
        n_true=len(true_pairs),
        n_both=n_both,
    )


def _pairs_of(events: pl.DataFrame) -> set[tuple[str, str]]:
    table = events.select("article_id", "event_id").unique()
    pairs = table.join(table, on="event_id", suffix="_b").filter(pl.col("article_id") < pl.col("article_id_b"))
    return set(pairs.select("article_id", "article_id_b").iter_rows())
