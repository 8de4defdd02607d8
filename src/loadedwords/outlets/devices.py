"""Which devices an outlet's loaded words are: each kind per 1,000 words, and beside the other outlets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from loadedwords.outlets.counted import COUNTED, clusters_of, sum_by_cluster
from loadedwords.outlets.estimates import FEW_ARTICLES
from loadedwords.outlets.intervals import (
    Numbers,
    adjust_false_discovery,
    difference_of,
    effective_freedom,
    interval_of_sums,
    jackknife_influence,
    nothing_found,
)
from loadedwords.outlets.tables import counts, reals, tells_kinds, texts
from loadedwords.outlets.within_events import FEW_EVENTS
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
    **counts("n_events"),
    **reals("same_events", "same_events_low", "same_events_high", "same_events_p_adjusted"),
    "same_events_differs": pl.Boolean(),
}

# What is kept of each row for `_tested`, and what the columns are called that come of it.
_MEASURED = {"measured": ("difference", ""), "same_events_measured": ("same_events", "same_events_")}


def compare_devices(
    articles: pl.DataFrame,
    sentences: pl.LazyFrame,
    *,
    voice: CountedVoice = "own",
    level: float = 0.95,
    min_articles: int = FEW_ARTICLES,
) -> pl.DataFrame | None:
    """How often each outlet uses each kind of loaded word, beside all other outlets together; None where no word has a
    kind.

    One row for each outlet with `min_articles` and each device, a kind of `schema.KINDS` or "praise": n_articles,
    n_words (that count), n_loaded_words (those of them that are it; a phrase counts as its words), per_1000 with the
    interval of `compare_outlets`, others_per_1000, their difference with an interval made from those of both rates
    (`_Rates`; Newcombe 1998, Zou & Donner 2008), allowing for the events that both are on, p_adjusted (Benjamini &
    Hochberg 1995, over outlets and devices) and differs: of all differences that are declared, a share of
    1 - level at most is expected to be false. No difference where the outlet has fewer than `MIN_WORDS` such words. The
    same from the events that the outlet shares with others (n_events, same_events, ...): its words there against what
    the others' rates on the very same events let expect, so that it is not the events that differ; none below
    `FEW_EVENTS` events. Where articles have `event_id`, events are the clusters.
    """
    found = _counts(articles, sentences, voice)
    if found is None:
        return None
    counted = found.filter(pl.col("n") > 0)
    clusters = clusters_of(counted)
    known = counted if "event_id" in counted.columns else counted.with_columns(event_id=pl.lit(None, pl.String))
    on_events = known.filter(pl.col("event_id").is_not_null())
    rows: list[dict[str, object]] = []
    for (outlet,), group in counted.group_by(["outlet"], maintain_order=True):
        if group.height >= min_articles:
            for row in _beside_others(counted, outlet, clusters, COUNTED[voice].sentences, level):
                rows.append(row | _on_same_events(on_events, outlet, str(row["device"])))
    measured = {of: pl.List(pl.Float64) for of in _MEASURED}
    table = pl.DataFrame(rows, schema={**SCHEMA, **measured})
    for of, (name, prefix) in _MEASURED.items():
        table = table.with_columns(_tested(table[of], name, prefix, level))
    return table.select(list(SCHEMA))


def _beside_others(
    counted: pl.DataFrame, outlet: Any, clusters: NDArray[np.int64], sentences: str, level: float
) -> Iterator[dict[str, object]]:
    """Each device of an outlet, held against all others; `sentences` is the column of how many count."""
    inside = counted.select(pl.col("outlet").eq_missing(pl.lit(outlet, pl.String))).to_series().to_numpy()

    def on_both_sides(column: str) -> Numbers:
        """Summed by cluster: the outlet's first, then all others'."""
        values = counted[column].to_numpy().astype(float)
        return sum_by_cluster(values[:, None] * np.column_stack([inside, 1 - inside]), clusters)

    words, n_sentences = on_both_sides("n"), on_both_sides(sentences)[:, 0]
    for device in (*KINDS, PRAISE):
        uses = on_both_sides(device)
        yield {
            "outlet": outlet,
            "device": device,
            "n_articles": int(inside.sum()),
            **_rate(uses, words, n_sentences, level),
            **_difference(uses, words),
        }


@dataclass(frozen=True)
class _Rates:
    """Rates of uses, with intervals on the log scale, as counts are skewed.

    An outlet that by chance uses a device seldom also varies little in it: a raw difference plus and minus t standard
    errors would declare one in half of all corpora of twenty outlets that are alike. `at` is the rate, of half a use
    where there is none.
    """

    rate: Numbers
    at: Numbers
    error: Numbers
    freedom: Numbers

    def ends(self, tail: Numbers | float) -> tuple[Numbers, Numbers]:
        factor = np.exp(np.minimum(-stdtrit(self.freedom, tail) * self.error, 50.0))
        return np.minimum(self.at / factor, self.rate), self.at * factor


def _measure(uses: Numbers, words: Numbers) -> list[float]:
    """Of both columns, which hold sums by cluster, what `_Rates` has of each, and how far they err alike.

    The error is the delete-one jackknife's (Efron & Stein 1981), and at least a Poisson count's.
    """
    influence = jackknife_influence(uses, words)
    error = np.sqrt((influence**2).sum(axis=0))
    total, n_words = uses.sum(axis=0), words.sum(axis=0)
    at = np.maximum(total, 0.5) / n_words
    of_log = np.maximum(error / at, 1 / np.sqrt(np.maximum(total, 0.5)))
    freedom = [effective_freedom(column) for column in words.T]
    alike = (influence / np.where(error > 0, error, 1)).prod(axis=1).sum()
    return [*total / n_words, *at, *of_log, *freedom, alike]


def _tested(measured: pl.Series, name: str, prefix: str, level: float) -> list[pl.Series]:
    """The ends of the differences, p-values adjusted for how many were tested and verdicts; null where nothing was."""
    tested = measured.is_not_null().to_numpy()
    *of_both, alike = np.array(measured.drop_nulls().to_list()).reshape(-1, 9).T
    own, others = _Rates(*of_both[::2]), _Rates(*of_both[1::2])
    _, low, high, p_value = difference_of(own.rate, others.rate, own.ends, others.ends, level, alike)
    figures = np.full((3, len(tested)), np.nan)
    figures[:, tested] = 1000 * low, 1000 * high, adjust_false_discovery(p_value)
    names = (f"{name}_low", f"{name}_high", f"{prefix}p_adjusted")
    columns = [pl.Series(of, values).fill_nan(None) for of, values in zip(names, figures, strict=True)]
    return [*columns, (columns[-1] < 1 - level).alias(f"{prefix}differs")]


def _counts(articles: pl.DataFrame, sentences: pl.LazyFrame, voice: CountedVoice) -> pl.DataFrame | None:
    """Each article with its number of words, `n`, and of words of each device; None where none has a kind."""
    if not tells_kinds(sentences):
        return None
    loaded = (
        sentences.select("article_id", "words").explode("words").drop_nulls("words").unnest("words").drop_nulls("kind")
    )
    if voice != "all":
        loaded = loaded.filter(pl.col("in_quote") == (voice == "quoted"))
    # A phrase counts as its words, as it does in `n_loaded_words` of articles, so that the kinds add up to those.
    n_words = pl.col("text").str.count_matches(r"\S+").cast(pl.Int64)
    kinds = (n_words.filter(pl.col("kind") == kind).sum().alias(kind) for kind in KINDS)
    praise = n_words.filter(pl.col("praise") >= PRAISES).sum().alias(PRAISE)
    found = loaded.group_by("article_id").agg(*kinds, praise).collect()
    if found.is_empty():
        return None
    words_of_voice = [name for name in COUNTED[voice].words if name in articles.columns]
    return (
        articles.with_columns(pl.sum_horizontal(words_of_voice).alias("n"))
        .join(found, on="article_id", how="left", maintain_order="left")
        .with_columns(pl.col(*KINDS, PRAISE).fill_null(0))
    )


def _rate(uses: Numbers, words: Numbers, sentences: Numbers, level: float) -> dict[str, object]:
    """The outlet's own figure; it is the first column of both, the others together the second."""
    here = words[:, 0] > 0
    own = interval_of_sums(uses[here, 0], words[here, 0], level)
    if own.estimate == 0:
        own = nothing_found(sentences[here], words[here, 0].sum(), level)
    low, high = (None if end is None else 1000 * end for end in (own.low, own.high))
    return {
        "n_words": int(words[:, 0].sum()),
        "n_loaded_words": int(uses[:, 0].sum()),
        "per_1000": 1000 * own.estimate,
        "ci_low": low,
        "ci_high": high,
    }


def _difference(uses: Numbers, words: Numbers) -> dict[str, object]:
    """From the others: as much of it as can be told."""
    if not words[:, 1].sum():
        return {}
    others = float(1000 * uses[:, 1].sum() / words[:, 1].sum())
    difference = float(1000 * (uses[:, 0].sum() / words[:, 0].sum())) - others
    found: dict[str, object] = {"others_per_1000": others, "difference": difference}
    if uses[:, 0].sum() < MIN_WORDS or not ((words > 0).sum(axis=0) >= 2).all():
        return found
    return found | {"measured": _measure(uses, words)}


def _on_same_events(articles: pl.DataFrame, outlet: str | None, device: str) -> dict[str, object]:
    """From the others on the events that both report; an event without words of either side says nothing."""
    own = pl.col("outlet").eq_missing(pl.lit(outlet, pl.String))
    both = (
        articles.group_by("event_id")
        .agg(
            uses=pl.col(device).filter(own).sum(),
            words=pl.col("n").filter(own).sum(),
            rate=pl.col(device).filter(~own).sum() / pl.col("n").filter(~own).sum(),
        )
        .filter(pl.col("words") > 0, pl.col("rate").is_finite())
        .sort("event_id")
    )
    found: dict[str, object] = {"n_events": both.height}
    if both.height < FEW_EVENTS or both["uses"].sum() < MIN_WORDS:
        return found
    uses, words, rate = both.select(pl.col("uses", "words", "rate").cast(pl.Float64)).to_numpy().T
    both_uses, both_words = np.column_stack([uses, words * rate]), np.column_stack([words, words])
    return found | {
        "same_events": float(1000 * (uses - words * rate).sum() / words.sum()),
        "same_events_measured": _measure(both_uses, both_words),
    }
