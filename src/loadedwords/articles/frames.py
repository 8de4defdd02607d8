"""Rows of a data frame, Arrow table or dataset in memory → a stream of articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loadedwords.articles.columns import column_of, missing_text
from loadedwords.articles.dates import with_day_order
from loadedwords.articles.inputs import offers
from loadedwords.articles.reading import refuse_missing
from loadedwords.articles.records import (
    ReadOptions,
    Record,
    n_characters,
    of_options,
    raw_date,
    said_in_python,
    to_article,
)
from loadedwords.errors import DataError
from loadedwords.schema import Article, Reject


def read_table(table: Any, *, options: ReadOptions | None = None) -> Iterator[Article | Reject]:
    """Read the articles of a table, one a row.

    Parameters
    ----------
    table : polars.DataFrame, polars.LazyFrame, pandas.DataFrame, pyarrow.Table, pyarrow.RecordBatch or datasets.Dataset
        Columns go by their usual names (`COLUMN_NAMES`); an article without an id gets the number
        of its row, or "table:" and that where others have one. A dataset's format, such as "torch", makes no difference.
    options : ReadOptions, optional

    Yields
    ------
    Article or Reject
        A reject has the id and outlet of its row.

    Raises
    ------
    DataError
        If there is no column of texts, or not one that was named: nothing was read then.
    """
    options = options or ReadOptions()
    if isinstance(table, Mapping):  # a datasets.DatasetDict
        raise DataError(f"The dataset has splits: {', '.join(map(str, table))}.\nPass one of them.")
    if offers(table, "collect"):
        table = table.collect()
    # The rows of a dataset are frames or tensors, if it is told to give them so; what a function makes of them is meant so.
    if offers(table, "with_format") and getattr(table, "format", {}).get("type") != "custom":
        table = table.with_format(None)
    names = _names(table)
    if trouble := missing_text(names, options.columns):
        raise DataError(of_options(f"The table has {trouble}, or call it by one of these names."))
    try:
        refuse_missing({kind: name for kind, name in options.columns.items() if name not in names}, map(str, names))
    except DataError as error:
        raise DataError(of_options(str(error))) from None
    records = (Record(number, row) for number, row in enumerate(_rows(table, names), 1))
    # A number may be the id of another row, where there are ids.
    numbered = "{}" if column_of("id", names, options.columns) is None else "table:{}"
    return (
        said_in_python(
            to_article(record, "table", options, default_id=numbered.format(record.line), day_first=day_first)
        )
        for record, day_first in with_day_order(records, lambda record: raw_date(record, options), n_characters)
    )


def _names(table: Any) -> list[str]:
    if not offers(table, "column_names"):
        return list(table.columns)
    if table.column_names is None:  # a dataset that streams may not know them yet
        return list(next(iter(table), {}))
    return list(table.column_names)


def _rows(table: Any, names: list[str]) -> Iterable[Mapping[str, Any]]:
    if offers(table, "iter_rows"):  # polars
        named: Iterable[Mapping[str, Any]] = table.iter_rows(named=True)
        return named
    if offers(table, "itertuples"):  # pandas, whose three ways to say that nothing is there become one
        told = table.astype(object).where(table.notna(), None)
        return (dict(zip(names, row, strict=True)) for row in told.itertuples(index=False, name=None))
    if offers(table, "to_pylist"):  # pyarrow, whose record batch is no table of batches
        batches = table.to_batches() if offers(table, "to_batches") else [table]
        return (row for batch in batches for row in batch.to_pylist())
    return table  # type: ignore[no-any-return]  # a dataset gives its rows by itself
