"""Rows of a data frame, Arrow table or dataset in memory → a stream of articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loadedwords.articles.columns import missing_text
from loadedwords.articles.reading import refuse_missing
from loadedwords.articles.records import ReadOptions, Record, to_article
from loadedwords.errors import DataError
from loadedwords.schema import Article, Reject


def is_table(thing: object) -> bool:
    """Whether it is a table of polars, pandas or pyarrow, or a `datasets.Dataset`, by what it offers."""
    return hasattr(type(thing), "columns") or hasattr(type(thing), "column_names")


def read_table(table: Any, *, options: ReadOptions | None = None) -> Iterator[Article | Reject]:
    """Read the articles of a table, one a row.

    Parameters
    ----------
    table : polars.DataFrame, polars.LazyFrame, pandas.DataFrame, pyarrow.Table or datasets.Dataset
        Columns go by their usual names (`COLUMN_NAMES`); an article without an id gets the number of its row.
    options : ReadOptions, optional

    Yields
    ------
    Article or Reject

    Raises
    ------
    DataError
        If there is no column of texts, or not one that was named: nothing was read then.
    """
    options = options or ReadOptions()
    if hasattr(table, "collect"):
        table = table.collect()
    names = list(table.column_names if hasattr(table, "column_names") else table.columns)
    if trouble := missing_text(names, options.columns):
        raise DataError(
            f"The table has {trouble.replace(' with --text-column', ' text')}, or give it one of these names."
        )
    refuse_missing({kind: name for kind, name in options.columns.items() if name not in names}, map(str, names))
    rows = enumerate(_rows(table, names), 1)
    return (to_article(Record(number, row), "table", options, default_id=str(number)) for number, row in rows)


def _rows(table: Any, names: list[str]) -> Iterable[Mapping[str, Any]]:
    if hasattr(table, "iter_rows"):  # polars
        named: Iterable[Mapping[str, Any]] = table.iter_rows(named=True)
        return named
    if hasattr(table, "itertuples"):  # pandas, whose three ways to say that nothing is there become one
        told = table.astype(object).where(table.notna(), None)
        return (dict(zip(names, row, strict=True)) for row in told.itertuples(index=False, name=None))
    if hasattr(table, "to_batches"):  # pyarrow
        return (row for batch in table.to_batches() for row in batch.to_pylist())
    return table  # type: ignore[no-any-return]  # a dataset gives its rows by itself
