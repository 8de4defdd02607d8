"""Which devices an outlet's loaded words are: each kind per 1,000 words, and beside the other outlets."""

from __future__ import annotations

import numpy as np
import polars as pl

from loadedwords.outlets.counted import COUNTED, clusters_of, sum_by_cluster
from loadedwords.outlets.estimates import FEW_ARTICLES
from loadedwords.outlets.intervals import (
    Numbers,
    adjust_holm,
    effective_freedom,
    interval_of_sums,
    jackknife_influence,
    student,
)
from loadedwords.outlets.tables import counts, reals, texts
from loadedwords.schema import KINDS, PRAISES, CountedVoice

PRAISE = "praise"
# An outlet's use of a device is held against that of the others where at least so many of its words are it.
MIN_WORDS = 5
SCHEMA = {
    **texts("outlet", "device"),
    **counts("n_articles", "n_words", "n_loaded_words"),
    **reals("per_1000", "ci_low", "ci_high", "others_per_1000"),
    **reals("difference", "difference_low", "difference_high", "p_adjusted"),
    "differs": pl.Boolean(),
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
    found = _counts(articles, sentences, voice)
    if found is None:
        return None
    counted = found.filter(pl.col("n") > 0)
    clusters = clusters_of(counted)
    words = counted["n"].to_numpy().astype(float)
    rows = []
    for (outlet,), group in counted.group_by(["outlet"], maintain_order=True):
        if group.height < min_articles:
            continue
        inside = counted.select(pl.col("outlet").eq_missing(pl.lit(outlet, pl.String))).to_series().to_numpy()
        sides = np.column_stack([inside, 1 - inside])
        n_words = sum_by_cluster(words[:, None] * sides, clusters)
        for device in (*KINDS, PRAISE):
            uses = sum_by_cluster(counted[device].to_numpy().astype(float)[:, None] * sides, clusters)
            about = {"outlet": outlet, "device": device, "n_articles": group.height}
            rows.append(about | _rate(uses, n_words, level) | _difference(uses, n_words, level))
    table = pl.DataFrame(rows, schema={**SCHEMA, **reals("p_value")})
    tested = table.filter(pl.col("p_value").is_not_null()).select("outlet", "device", "p_value")
    adjusted = tested.with_columns(p_adjusted=pl.Series(adjust_holm(tested["p_value"].to_numpy()), dtype=pl.Float64))
    return (
        table.drop("p_adjusted")
        .join(adjusted.drop("p_value"), on=["outlet", "device"], how="left", nulls_equal=True, maintain_order="left")
        .with_columns(differs=pl.col("p_adjusted") < 1 - level)
        .select(list(SCHEMA))
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
    kinds = ((pl.col("kind") == kind).sum().alias(kind) for kind in KINDS)
    praise = (pl.col("praise") >= PRAISES).sum().alias(PRAISE)
    found = loaded.group_by("article_id").agg(*kinds, praise).collect()
    if found.is_empty():
        return None
    words_of_voice = [name for name in COUNTED[voice].words if name in articles.columns]
    return (
        articles.with_columns(pl.sum_horizontal(words_of_voice).alias("n"))
        .join(found, on="article_id", how="left", maintain_order="left")
        .with_columns(pl.col(*KINDS, PRAISE).fill_null(0))
    )


def _rate(uses: Numbers, words: Numbers, level: float) -> dict[str, object]:
    """The outlet's own figure; it is the first column of both, the others together the second."""
    here = words[:, 0] > 0
    own = interval_of_sums(uses[here, 0], words[here, 0], level)
    low, high = (None if end is None else 1000 * end for end in (own.low, own.high))
    return {
        "n_words": int(words[:, 0].sum()),
        "n_loaded_words": int(uses[:, 0].sum()),
        "per_1000": 1000 * own.estimate,
        "ci_low": low,
        "ci_high": high,
    }


def _difference(uses: Numbers, words: Numbers, level: float) -> dict[str, object]:
    """From the others: as much of it as can be told."""
    if not words[:, 1].sum():
        return {}
    others = float(1000 * uses[:, 1].sum() / words[:, 1].sum())
    difference = float(1000 * (uses[:, 0].sum() / words[:, 0].sum())) - others
    found: dict[str, object] = {"others_per_1000": others, "difference": difference}
    if uses[:, 0].sum() < MIN_WORDS or not ((words > 0).sum(axis=0) >= 2).all():
        return found
    influence = 1000 * jackknife_influence(uses, words)
    error = np.sqrt(((influence[:, 0] - influence[:, 1]) ** 2).sum())
    # The outlet's own degrees of freedom: the others are far more articles, and theirs would only add to them.
    low, high, p_value = map(float, student(np.asarray(difference), error, effective_freedom(words[:, 0]), level))
    return found | {"difference_low": low, "difference_high": high, "p_value": p_value if error else 1.0}
