"""Tables as CSV that a spreadsheet opens as text: what it would run as a formula is guarded, and read back as it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl

# What begins a formula, wide signs and blanks before it included, behind the apostrophes that guard it.
_FORMULA = "^'*(?:[\\s\\x00-\\x1f\ufeff]*[=+\\-@＝＋－＠]|[\\t\\r\\n])"
_LOOKS_LIKE_ONE = re.compile(_FORMULA)


def csv_text(table: pl.DataFrame, **style: Any) -> str:
    """A table as CSV in a `style` of polars; a text that begins like a formula gets an apostrophe in front.

    Examples
    --------
    >>> print(csv_text(pl.DataFrame({"outlet": ["=SUM(A1)"], "difference": [-0.5]})), end="")
    outlet,difference
    '=SUM(A1),-0.5
    """
    text = pl.selectors.string()
    guarded = pl.when(text.str.contains(_FORMULA)).then("'" + text).otherwise(text)
    written: str = table.with_columns(guarded.name.keep()).write_csv(**style)
    return written


def write_csv(table: pl.DataFrame, file: Path, **style: Any) -> None:
    """The same into a file."""
    file.write_bytes(csv_text(table, **style).encode())


def unguarded(cell: str) -> str:
    """A cell without the apostrophe that `csv_text` gave it."""
    return cell[1:] if cell.startswith("'") and _LOOKS_LIKE_ONE.match(cell) else cell
