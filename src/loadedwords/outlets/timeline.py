"""Each outlet's loaded share over time."""

from __future__ import annotations

import polars as pl

from loadedwords.outlets.counted import with_sentences
from loadedwords.outlets.estimates import share_of
from loadedwords.outlets.tables import counts, reals, texts
from loadedwords.schema import CountedVoice

# From so many days on, periods are so long.
_PERIODS = ((365 * 3, "1y"), (270, "1q"), (0, "1mo"))
_SCHEMA = {**texts("outlet"), "period": pl.Date(), **counts("n_articles"), **reals("loaded_share", "ci_low", "ci_high")}


def follow_time(articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95) -> pl.DataFrame:
    """Each outlet's share by month, quarter or year, whichever the time covered allows.

    Returns
    -------
    DataFrame
        outlet, period (its first day), n_articles, loaded_share, ci_low, ci_high.
    """
    dated = with_sentences(articles, voice).filter(pl.col("date").is_not_null())
    if dated.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    # A few absurd dates must not stretch the axis.
    day = pl.col("date").cast(pl.Int64)
    first, last = (int(dated.select(day.quantile(q, "nearest")).item()) for q in (0.01, 0.99))
    width = next(width for least, width in _PERIODS if last - first >= least)
    # Those that lie in the first and the last period count, so that these are whole.
    periods = dated.with_columns(period=pl.col("date").dt.truncate(width))
    inside = periods.filter(day.is_between(first, last))["period"]
    periods = periods.filter(pl.col("period").is_between(inside.min(), inside.max()))
    rows = []
    for (outlet, period), group in periods.group_by(["outlet", "period"], maintain_order=True):
        share = share_of(group, voice, level)
        rows.append((outlet, period, group.height, share.estimate, share.low, share.high))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("outlet", "period")
