"""Each outlet's loaded share over time."""

from __future__ import annotations

import numpy as np
import polars as pl

from loadedwords.outlets.counted import check_asked, with_sentences
from loadedwords.outlets.estimates import share_of
from loadedwords.outlets.tables import counts, reals, texts
from loadedwords.schema import CountedVoice

# A date that lies further from the middle half of all dates than so many times its length, and than so many days, is
# taken for absurd: a few such must not stretch the axis.
_FAR, _FEWEST_DAYS = 3, 365
# From so many days on, periods are so long.
_PERIODS = ((365 * 3, "1y"), (270, "1q"), (0, "1mo"))
_SCHEMA = {**texts("outlet"), "period": pl.Date(), **counts("n_articles"), **reals("loaded_share", "ci_low", "ci_high")}


def dated(articles: pl.DataFrame, voice: CountedVoice) -> pl.DataFrame:
    """The articles that count and have a date, which a table that has been elsewhere may hold as a moment."""
    return with_sentences(articles, voice).with_columns(pl.col("date").cast(pl.Date)).drop_nulls("date")


def follow_time(articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95) -> pl.DataFrame:
    """Each outlet's share by month, quarter or year, whichever the time covered allows.

    Articles whose date lies far from all others are left out; they are those that n_articles lacks of `dated`.

    Returns
    -------
    DataFrame
        outlet, period (its first day), n_articles, loaded_share, ci_low, ci_high.

    Raises
    ------
    DataError
        If there is no such voice, or no interval of such a level.
    """
    check_asked(voice, level)
    counted = dated(articles, voice)
    if counted.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    day = counted["date"].cast(pl.Int64).to_numpy()
    low, high = np.quantile(day, (0.25, 0.75))
    far = max(_FAR * (high - low), _FEWEST_DAYS)
    near = (day >= low - far) & (day <= high + far)
    counted = counted.filter(pl.Series(near))
    width = next(width for least, width in _PERIODS if np.ptp(day[near]) >= least)
    periods = counted.with_columns(period=pl.col("date").dt.truncate(width))
    rows = []
    for (outlet, period), group in periods.group_by(["outlet", "period"], maintain_order=True):
        share = share_of(group, voice, level)
        rows.append((outlet, period, group.height, share.estimate, share.low, share.high))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("outlet", "period")
