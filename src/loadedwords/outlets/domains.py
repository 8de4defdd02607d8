"""What a correction by hand labels is made from: the sentences of an outlet's articles, and the labels among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.outlets.counted import clusters_of
from loadedwords.outlets.hand_labels import SAME
from loadedwords.outlets.intervals import Numbers
from loadedwords.outlets.sampling import OUTLET, STRATUM, Strata

# Below this no interval is given; from LABELS_PER_OUTLET on its coverage is measured (tests/benchmarks/simulations.py).
FEW_LABELS = 20
# Those that were sampled, which may be fewer than were scored.
ALL_OUTLETS = "all sampled outlets"


@dataclass(frozen=True)
class Domain:
    """What an estimate is made from: the sentences of some articles, grouped in cells, and the labels among them.

    `cluster` (an article, or those that `clusters_of` takes together), `cell`, `count` and `score_sum` have one entry for
    each article and cell; the label arrays have one for each labelled sentence. `weight` is the inverse of the inclusion
    probability. `n_groups` are the groups of strata that the sentences are in, of which `n_labelled_groups` have enough labels
    to stand for themselves.
    """

    n_articles: int
    n_groups: int
    n_labelled_groups: int
    cluster: NDArray[np.int64]
    cell: NDArray[np.int64]
    count: Numbers
    score_sum: Numbers
    raw_share: float
    label_cluster: NDArray[np.int64]
    label_cell: NDArray[np.int64]
    label: Numbers
    score: Numbers
    weight: Numbers
    scores_changed: bool

    @property
    def n_clusters(self) -> int:
        return int(self.cluster.max()) + 1

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
        if unlabelled := self.n_groups - self.n_labelled_groups:
            return f"too few labels in {unlabelled} of {self.n_groups} groups of strata that were sampled"
        if self.n_clusters == 1:
            return "one article" if self.n_articles == 1 else "one event"
        return None


def domains_of(articles: pl.DataFrame, sentences: pl.LazyFrame, gold: pl.DataFrame) -> dict[str, Domain]:
    """The estimates' material by outlet and for all."""
    if articles["article_id"].is_duplicated().any():
        twice = articles.filter(pl.col("article_id").is_duplicated())["article_id"][0]
        raise DataError(f"The article_id {twice} occurs twice.\nGive articles of different folders different ids.")
    _check_strata(gold)
    names = sorted(set(gold["stratum"].drop_nulls().to_list()))
    known = articles.lazy().select("article_id", domain=OUTLET, cluster=pl.Series(clusters_of(articles)))
    own = sentences.filter(pl.col("p_own").is_not_null()).select("article_id", "sentence_id", OUTLET, "p_own")
    placed = Strata(names).place(own).join(known, on="article_id", how="inner")
    labels = _placed_labels(gold, placed, articles)
    changed = _scores_changed(labels, names)
    cell = pl.col("group" if changed else "stratum")
    sizes = (
        placed.group_by("domain", "article_id", "cluster", "group", cell=cell)
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


def _check_strata(gold: pl.DataFrame) -> None:
    """Refuse labels of two draws, which would each count the sentences that both could have drawn, and of less than one.

    The strata of one draw lie end to end from 0 to 1: where all rows of one were deleted, its sentences would be taken for
    none of the outlet's.
    """
    strata = (
        gold.lazy()
        .select("probability", where=pl.col("stratum").str.extract_groups(STRATUM.pattern))
        .unnest("where")
        .drop_nulls()
        .group_by(group="1", low=pl.col("2").cast(pl.Float64), high=pl.col("3").cast(pl.Float64))
        .agg(spread=pl.col("probability").max() / pl.col("probability").min())
        .sort("group", "low")
        .with_columns(
            before=pl.col("high").cum_max().shift(fill_value=0.0).over("group"),
            after=pl.col("low").shift(-1, fill_value=1.0).over("group"),
        )
        .collect()
    )
    twice = strata.filter((pl.col("low") < pl.col("before") - 1e-9) | (pl.col("spread") > 1 + SAME))
    if twice.height:
        raise DataError(
            f"The labels are of two samples, both drawn from {twice['group'][0]}, which can't be put together.\n"
            "Correct by one of them; for more labels draw one larger sample."
        )
    gaps = strata.filter((pl.col("low") > pl.col("before") + 1e-9) | (pl.col("high") < pl.col("after") - 1e-9))
    if gaps.height:
        group, low, high, _, before, after = gaps.row(0)
        ends = (before, low) if low > before + 1e-9 else (high, after)
        raise DataError(
            f"No row is left of the sentences of {group or 'articles without an outlet'} with scores from {ends[0]:.2f} to {ends[1]:.2f}, "
            "for which the others can't stand.\nPut the deleted rows back and leave their label empty."
        )


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


def _domain(sizes: pl.DataFrame, labels: pl.DataFrame, scores_changed: bool) -> Domain:
    """Number clusters and cells; cells with fewer than two labels are joined to the next."""
    number = {cluster: at for at, cluster in enumerate(sizes["cluster"].unique(maintain_order=True))}
    by_group = sizes.group_by("group").agg(pl.col("count").sum())
    by_group = by_group.join(labels.group_by("group").agg(labels=pl.len()), on="group", how="left").fill_null(0)
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
    return Domain(
        n_articles=sizes["article_id"].n_unique(),
        n_groups=by_group.height,
        n_labelled_groups=by_group.filter(pl.col("labels") >= pl.min_horizontal(2, "count")).height,
        cluster=np.array([number[each] for each in sizes["cluster"]], np.int64),
        cell=np.array([joined[cell] for cell in sizes["cell"]], np.int64),
        count=sizes["count"].to_numpy().astype(float),
        score_sum=sizes["score_sum"].to_numpy(),
        raw_share=float(sizes["score_sum"].sum()) / int(sizes["count"].sum()),
        label_cluster=np.array([number[each] for each in labels["cluster"]], np.int64),
        label_cell=np.array([joined[cell] for cell in labels["cell"]], np.int64),
        label=labels["label"].to_numpy().astype(float),
        score=labels["p_own"].to_numpy().astype(float),
        weight=labels["weight"].to_numpy().astype(float),
        scores_changed=scores_changed,
    )
