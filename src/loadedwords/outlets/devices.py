"""Which devices an outlet's loaded words are: each kind per 1,000 words, and beside the other outlets."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from loadedwords.outlets.differences import adjust_holm
from loadedwords.outlets.estimates import (
    COUNTED,
    FEW_ARTICLES,
    clusters_of,
    effective_freedom,
    jackknife_influence,
    ratio_interval,
    sum_by_cluster,
)
from loadedwords.schema import KINDS, PRAISES, CountedVoice

PRAISE = "praise"
# An outlet's use of a device is held against that of the others where at least so many of its words are it.
MIN_WORDS = 5
SCHEMA = {
    "outlet": pl.String,
    "device": pl.String,
    "n_articles": pl.Int64,
    "n_words": pl.Int64,
    "n_loaded_words": pl.Int64,
    "per_1000": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "others_per_1000": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "p_adjusted": pl.Float64,
    "differs": pl.Boolean,
}


def compare_devices(
    articles: pl.DataFrame,
    sentences: pl.LazyFrame,
    *,
    voice: CountedVoice = "own",
    level: float = 0.95,
    min_articles: int = FEW_ARTICLES,
) -> pl.DataFrame | None:
    """How often each outlet uses each kind of loaded word, beside all other outlets together.

    Parameters
    ----------
    articles : DataFrame
        The articles table; where it has `event_id`, events are the clusters.
    sentences : LazyFrame
        As `scan_sentences` gives them.
    voice : {"own", "quoted", "all"}
        Whose words count.
    level : float
        Nominal coverage of each interval by itself; `differs` allows for the number of comparisons.
    min_articles : int
        Outlets with fewer take no part.

    Returns
    -------
    DataFrame or None
        One row for each outlet and device, a kind of `schema.KINDS` or "praise": n_articles, n_words (that count),
        n_loaded_words (those of them that are it), per_1000 with the interval of `ratio_interval`, others_per_1000,
        their difference with an interval by the delete-one jackknife (Efron & Stein 1981), p_adjusted (Holm 1979) and
        differs; no difference where the outlet has fewer than `MIN_WORDS` such words. None where the model told no
        kinds.
    """
    counts = _counts(articles, sentences, voice)
    if counts is None:
        return None
    counted = counts.filter(pl.col("n") > 0)
    groups = {
        outlet: rows.height
        for (outlet,), rows in counted.group_by(["outlet"], maintain_order=True)
        if rows.height >= min_articles
    }
    rows = []
    for outlet, n_articles in groups.items():
        inside = np.array([name == outlet for name in counted["outlet"].to_list()], dtype=float)
        n = counted["n"].to_numpy().astype(float)
        for device in (*KINDS, PRAISE):
            found = counted[device].to_numpy().astype(float)
            rows.append(_row(outlet, device, n_articles, found, n, inside, clusters_of(counted), level))
    table = pl.DataFrame(rows, schema={**SCHEMA, "p_value": pl.Float64}, orient="row")
    tested = table["p_value"].is_not_null().to_numpy()
    adjusted = np.full(table.height, np.nan)
    adjusted[tested] = adjust_holm(table["p_value"].to_numpy()[tested])
    return table.drop("p_value").with_columns(
        p_adjusted=pl.Series(adjusted, dtype=pl.Float64).fill_nan(None),
        differs=pl.Series(
            [bool(p < 1 - level) if ok else None for p, ok in zip(adjusted, tested, strict=True)], dtype=pl.Boolean
        ),
    )


def _counts(articles: pl.DataFrame, sentences: pl.LazyFrame, voice: CountedVoice) -> pl.DataFrame | None:
    """Each article with its number of words, `n`, and of loaded words of each device; None where none has a kind."""
    words = sentences.collect_schema().get("words")
    inner = getattr(words, "inner", None)
    if "kind" not in {field.name for field in getattr(inner, "fields", ())}:
        return None
    loaded = (
        sentences.select("article_id", "words").explode("words").drop_nulls("words").unnest("words").drop_nulls("kind")
    )
    if voice != "all":
        loaded = loaded.filter(pl.col("in_quote") == (voice == "quoted"))
    found = (
        loaded.group_by("article_id")
        .agg(
            *((pl.col("kind") == kind).sum().alias(kind) for kind in KINDS),
            (pl.col("praise") >= PRAISES).sum().alias(PRAISE),
        )
        .collect()
    )
    if found.is_empty():
        return None
    n = pl.sum_horizontal(COUNTED[voice].words).alias("n")
    return articles.with_columns(n).join(found, on="article_id", how="left", maintain_order="left").with_columns(
        pl.col(*KINDS, PRAISE).fill_null(0)
    )  # fmt: skip


def _row(
    outlet: object,
    device: str,
    n_articles: int,
    found: NDArray[np.float64],
    n: NDArray[np.float64],
    inside: NDArray[np.float64],
    clusters: NDArray[np.int64],
    level: float,
) -> tuple[object, ...]:
    sums = sum_by_cluster(np.column_stack([found * inside, found * (1 - inside)]), clusters)
    counts = sum_by_cluster(np.column_stack([n * inside, n * (1 - inside)]), clusters)
    here = counts[:, 0] > 0
    own = ratio_interval(sums[here, 0], counts[here, 0], level=level)
    low, high = (None if end is None else 1000 * end for end in (own.low, own.high))
    total = int(sums[:, 0].sum())
    figures: tuple[object, ...] = (
        outlet,
        device,
        n_articles,
        int(counts[:, 0].sum()),
        total,
        1000 * own.estimate,
        low,
        high,
    )
    both = (counts > 0).sum(axis=0) >= 2
    if not counts[:, 1].sum():
        return (*figures, None, None, None, None, None, None, None)
    others = float(1000 * sums[:, 1].sum() / counts[:, 1].sum())
    difference = 1000 * own.estimate - others
    if total < MIN_WORDS or not both.all():
        return (*figures, others, difference, None, None, None, None, None)
    influence = 1000 * jackknife_influence(sums, counts)
    error = float(np.sqrt(((influence[:, 0] - influence[:, 1]) ** 2).sum()))
    # The outlet's own degrees of freedom: the others are far more articles, and theirs would only add to them.
    freedom = effective_freedom(counts[:, 0])
    half = float(stdtrit(freedom, 1 - (1 - level) / 2)) * error
    p_value = float(2 * stdtr(freedom, -abs(difference) / error)) if error else 1.0
    return (*figures, others, difference, difference - half, difference + half, None, None, p_value)
