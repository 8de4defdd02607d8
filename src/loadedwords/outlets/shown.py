"""The sentences and the events that a comparison shows."""

from __future__ import annotations

import polars as pl

from loadedwords.outlets.counted import COUNTED
from loadedwords.outlets.tables import tells_kinds
from loadedwords.schema import CountedVoice

EVENTS_SHOWN = 60
SENTENCES_SHOWN = 3
# Sentences to look through on the page: so many, the most loaded first, from so high a score on.
SENTENCES_LISTED = 2000
LEAST_LISTED = 0.25


def most_loaded(articles: pl.DataFrame, sentences: pl.LazyFrame) -> pl.DataFrame:
    """The sentences to look through, the most loaded first."""
    known = articles.select("article_id", "outlet", "title", "date")
    inside = sentences.filter(
        pl.col("p_own") >= LEAST_LISTED, pl.col("article_id").is_in(known["article_id"].to_list())
    )
    kind = pl.element().struct.field("kind") if tells_kinds(sentences) else pl.lit(None, pl.String)
    told = ("text", "start", "end")
    own = pl.col("words").list.eval(
        pl.struct(*(pl.element().struct.field(name) for name in told), kind.alias("kind")).filter(
            ~pl.element().struct.field("in_quote")
        )
    )
    found = (
        inside.select("article_id", "sentence_id", "start", "text", "p_own", words=own)
        .top_k(SENTENCES_LISTED, by="p_own")
        .collect()
        .sort(["p_own", "article_id", "sentence_id"], descending=[True, False, False])
    )
    shifted = pl.struct("start", "words").map_elements(
        lambda row: [
            {**word, "start": word["start"] - row["start"], "end": word["end"] - row["start"]} for word in row["words"]
        ],
        return_dtype=found.schema["words"],
    )
    return (
        found.with_columns(words=shifted)
        .join(known, on="article_id", how="left", maintain_order="left")
        .select("outlet", "article_id", "sentence_id", "title", "date", "p_own", "text", "words")
    )


def shown_events(shared: pl.DataFrame, sentences: pl.LazyFrame, voice: CountedVoice) -> pl.DataFrame:
    """The articles of the events in which outlets are most and differ most, each with its most loaded sentences."""
    shared = shared.with_columns(loaded_share=pl.col(COUNTED[voice].share))
    chosen = (
        shared.group_by("event_id")
        .agg(
            outlets=pl.col("outlet").drop_nulls().n_unique(),
            spread=pl.col("loaded_share").max() - pl.col("loaded_share").min(),
        )
        .sort(["outlets", "spread", "event_id"], descending=[True, True, False], nulls_last=True)
        .head(EVENTS_SHOWN)
    )
    shown = shared.join(chosen.select("event_id"), on="event_id", how="semi")
    why = pl.col("why") if "why" in shared.columns else pl.lit(None, pl.List(pl.String)).alias("why")
    top = (
        sentences.filter(pl.col("article_id").is_in(shown["article_id"].to_list()) & pl.col("p_own").is_not_null())
        .select("article_id", "sentence_id", "text", "p_own")
        .collect()
        .sort(["p_own", "sentence_id"], descending=[True, False])
        .group_by("article_id", maintain_order=True)
        .head(SENTENCES_SHOWN)
        .group_by("article_id", maintain_order=True)
        .agg(sentences=pl.struct("text", "p_own"))
    )
    return (
        shown.join(chosen.with_row_index("place"), on="event_id")
        .sort(["place", "loaded_share", "article_id"], descending=[False, True, False], nulls_last=True)
        .join(top, on="article_id", how="left", maintain_order="left")
        .select("event_id", "article_id", "outlet", "title", "date", "loaded_share", why, "sentences")
        .with_columns(pl.col("why").fill_null([]), pl.col("sentences").fill_null([]))
    )
