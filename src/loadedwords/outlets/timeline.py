"""Each outlet's loaded share over time."""

from __future__ import annotations

import polars as pl

from loadedwords.outlets.counted import with_sentences
from loadedwords.outlets.estimates import compare_outlets
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
    parts = [
        compare_outlets(group, voice=voice, level=level).with_columns(period=pl.lit(period, pl.Date))
        for (period,), group in periods.group_by(["period"], maintain_order=True)
    ]
    return pl.concat(parts).select(list(_SCHEMA)).sort("outlet", "period")
