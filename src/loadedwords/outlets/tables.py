"""The tables that a comparison reads, of one folder of scores or of several, and what all tables are made of."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from loadedwords.errors import DataError
from loadedwords.frames import to_polars
from loadedwords.outlets.spreadsheet import unguarded
from loadedwords.schema import ScoredArticle


class Table(Protocol):
    """A table of polars, pandas or pyarrow, by what these have in common."""

    @property
    def columns(self) -> Any: ...


Scores = str | Path | Table | ScoredArticle | Iterable[ScoredArticle] | Sequence[str | Path]

# What a comparison writes and its page lets download: tables of a `Comparison`, by its attributes.
TABLES = (
    "outlets", "pairs", "sentences", "within_events", "outlets_within_events", "topics", "words", "other_words", "devices", "timeline",
    "events", "corrected", "corrected_pairs",
)  # fmt: skip
Schema = dict[str, pl.DataType]


def texts(*names: str) -> Schema:
    """Columns of a table's schema that hold text."""
    return dict.fromkeys(names, pl.String())


def counts(*names: str) -> Schema:
    """Columns that hold whole numbers."""
    return dict.fromkeys(names, pl.Int64())


def reals(*names: str) -> Schema:
    """Columns that hold shares and other figures."""
    return dict.fromkeys(names, pl.Float64())


_COLUMNS = {
    **texts("outlet"),
    **counts("n_sentences", "n_own", "n_quoted"),
    **counts("n_words", "n_quoted_words", "n_loaded_words", "n_loaded_quoted_words"),
    **reals("loaded_share", "loaded_share_quoted", "loaded_share_all"),
}
# Which the scores of earlier versions lack.
_LATER = counts("n_syndicated", "n_syndicated_words", "n_loaded_syndicated_words")
# Parts of an article that are scored apart from its text; their columns are missing from the scores of earlier versions.
APART = ("title", "standfirst")


def load_articles(scores: Scores) -> pl.DataFrame:
    """The articles table of a folder, of several, of a frame of polars, pandas or pyarrow, or of scored articles.

    Raises
    ------
    DataError
        If it is none of these, or lacks a column.
    """
    if isinstance(scores, pl.LazyFrame):
        frame = scores.collect()
    elif hasattr(type(scores), "columns"):
        # pandas says by NaN that nothing is there, and has moments for dates.
        frame = pl.DataFrame(scores, nan_to_null=True).with_columns(pl.col(pl.Datetime).cast(pl.Date))  # type: ignore[arg-type]
    elif isinstance(scores, (str, Path)):
        frame = _read_table(Path(scores))
    elif isinstance(scores, ScoredArticle):
        frame = to_polars(scores)
    else:
        listed = list(scores)  # type: ignore[arg-type]
        if wrong := [item for item in listed if not isinstance(item, (str, Path, ScoredArticle))]:
            raise DataError(
                f"compare_outlets takes a folder, folders, a table or scored articles, not {type(wrong[0]).__name__}.\n"
                "Score the articles first: loadedwords.score_articles(articles)."
            )
        if listed and all(isinstance(item, (str, Path)) for item in listed):
            folders = [Path(item) for item in listed if isinstance(item, (str, Path))]
            _check_comparable(folders)
            frame = pl.concat([_read_table(folder) for folder in folders], how="diagonal_relaxed")
            _refuse_twice(frame)
        else:
            frame = to_polars(item for item in listed if isinstance(item, ScoredArticle))
    need_columns(frame.columns, _COLUMNS, "The table of scores")
    return frame.with_columns(pl.lit(0, kind).alias(name) for name, kind in _LATER.items() if name not in frame.columns)


def scan_sentences(folders: Sequence[str | Path]) -> pl.LazyFrame:
    """The sentences of one or more folders of scores, to be read only as far as they are needed."""
    tables = []
    for folder in map(Path, folders):
        parts = [folder / "sentences" / part.name for part in _parts(folder)]
        for part in parts:
            with _readable(part):
                pl.scan_parquet(part, glob=False).collect_schema()
        # No pattern is looked for in names: a folder's may hold brackets.
        tables.append(pl.scan_parquet(parts, glob=False))
    return pl.concat(tables, how="diagonal_relaxed")


def read_run(folder: Path) -> dict[str, Any]:
    """What run.json says of a folder of scores; empty where there is none.

    Raises
    ------
    DataError
        If it is damaged, or names no model.
    """
    file = folder / "run.json"
    if not file.is_file():
        return {}
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        return {**run, "model": dict(run["model"])}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is damaged, or names no model.\nScore the articles again.") from error


def read_edited(file: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV that somebody may have edited: semicolons and tabs separate too, as spreadsheets save.

    What guards a cell against being run as a formula is taken off.

    Raises
    ------
    DataError
        If the file is no text in UTF-8, or a row has more or fewer fields than the header.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            content = stream.read()
        first = content.partition("\n")[0]
        cells = csv.reader(io.StringIO(content, newline=""), delimiter=max(",;\t", key=first.count))
        rows = [row for row in cells if any(map(str.strip, row))]  # a line of empty cells is no record
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8.\nSave it as CSV UTF-8.") from error
    except (OSError, csv.Error) as error:
        raise DataError(f"{file} can't be read as CSV: {error}.\nSave it as CSV UTF-8.") from error
    header = [name.strip() for name in rows[0]] if rows else []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataError(f"{file}: record {number} has {len(row)} fields, the header {len(header)}.\nRepair it.")
    return header, [list(map(unguarded, row)) for row in rows[1:]]


def _read_table(folder: Path) -> pl.DataFrame:
    tables = []
    for part in _parts(folder):
        with _readable(part):
            tables.append(pl.read_parquet(part, glob=False))
    need_columns(tables[0].columns, _COLUMNS, str(folder))
    return pl.concat(tables)


def _parts(folder: Path) -> list[Path]:
    parts = sorted((folder / "articles").glob("part-*.parquet"))
    if not parts:
        raise DataError(
            f"{folder} holds no scores: there is no articles/part-*.parquet in it.\nPass a folder written by loadedwords score."
        )
    return parts


@contextmanager
def _readable(part: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{part} can't be read: {error}.\nRemove it, and run the loadedwords score that wrote it again."
        ) from error


@contextmanager
def damage_told() -> Iterator[None]:
    """What is damaged within a table shows when it is read, which may be anywhere."""
    try:
        yield
    except pl.exceptions.ComputeError as error:
        raise DataError(
            f"A table of scores can't be read: {error}.\n"
            "Remove the file, or all of sentences/ where none is named, and run the loadedwords score that wrote it again."
        ) from error


def _refuse_twice(articles: pl.DataFrame) -> None:
    if "article_id" not in articles.columns:
        return
    twice = articles.filter(pl.col("article_id").is_duplicated())
    if twice.height:
        raise DataError(
            f"{twice['article_id'].n_unique()} articles are in two of the folders, such as {twice['article_id'][0]!r}.\n"
            "Compare folders that hold different articles, or score them together; where it is not the articles that are "
            "the same but the ids, give them ids of their own."
        )


def tells_kinds(sentences: pl.LazyFrame) -> bool:
    """Whether the words of a sentences table have kinds: those of earlier versions have none."""
    inner = getattr(sentences.collect_schema().get("words"), "inner", None)
    return "kind" in {field.name for field in getattr(inner, "fields", ())}


def need_columns(columns: Iterable[str], needed: Iterable[str], where: str) -> None:
    """Refuse a table that lacks columns, as tables of earlier versions may."""
    if missing := set(needed) - set(columns):
        raise DataError(
            f"{where} lacks the columns {', '.join(sorted(missing))}.\n"
            "Score the articles again with this version, or pass what it wrote."
        )


def _check_comparable(folders: Sequence[Path]) -> None:
    """Refuse to count a folder twice, to mix the scores of two models, or those of a run that was not finished."""
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise DataError("The same folder is named twice, which would count its articles twice.\nName each once.")
    runs: dict[tuple[Any, Any, Any], Path] = {}
    for folder in folders:
        if run := read_run(folder):
            # What is left of an earlier run may still be in it.
            if run.get("status") == "running":
                raise DataError(
                    f"{folder} is not finished: its run was stopped, or is still going on.\n"
                    "Run the same loadedwords score again; it goes on where it was."
                )
            house = json.dumps(run.get("house") and {**run["house"], "file": None})
            runs[run["model"].get("hash"), run["model"].get("prevalence"), house] = folder
    if len(runs) > 1:
        by, same = "by different models", "model"
        if len({model for model, _, _ in runs}) == 1:
            by, same = "with different --prevalence", "prevalence"
        if len({(model, prevalence) for model, prevalence, _ in runs}) == 1:
            by, same = "by the rules of different houses", "--house"
        raise DataError(
            f"{' and '.join(map(str, runs.values()))} were scored {by}, whose scores can't be compared.\n"
            f"Score them with the same {same}."
        )
