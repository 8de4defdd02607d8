"""The tables that a comparison reads: articles and sentences of one folder of scores, or of several."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from loadedwords.errors import DataError
from loadedwords.schema import ScoredArticle, article_row

Scores = str | Path | pl.DataFrame | Iterable[ScoredArticle] | Sequence[str | Path]

_COLUMNS = {
    "outlet": pl.String,
    "n_sentences": pl.Int64,
    "n_own": pl.Int64,
    "n_quoted": pl.Int64,
    "n_words": pl.Int64,
    "n_quoted_words": pl.Int64,
    "n_loaded_words": pl.Int64,
    "n_loaded_quoted_words": pl.Int64,
    "loaded_share": pl.Float64,
    "loaded_share_quoted": pl.Float64,
    "loaded_share_all": pl.Float64,
}


def load_articles(scores: Scores) -> pl.DataFrame:
    """The articles table of a folder, of several, or of scored articles."""
    if isinstance(scores, pl.DataFrame):
        frame = scores
    elif isinstance(scores, (str, Path)):
        frame = _read_table(Path(scores))
    else:
        listed = list(scores)
        if wrong := [item for item in listed if not isinstance(item, (str, Path, ScoredArticle))]:
            raise DataError(
                f"compare_outlets takes a folder, folders, a table or scored articles, not {type(wrong[0]).__name__}.\n"
                "Score the articles first: loadedwords.score_articles(articles)."
            )
        if listed and all(isinstance(item, (str, Path)) for item in listed):
            folders = [Path(item) for item in listed if isinstance(item, (str, Path))]
            _check_comparable(folders)
            frame = pl.concat([_read_table(folder) for folder in folders])
        else:
            rows = [article_row(item) for item in listed if isinstance(item, ScoredArticle)]
            frame = pl.DataFrame([[row[name] for name in _COLUMNS] for row in rows], schema=_COLUMNS, orient="row")
    _check_columns(frame, "The table of scores")
    return frame


def scan_sentences(folders: Sequence[str | Path]) -> pl.LazyFrame:
    """The sentences of one or more folders of scores, to be read only as far as they are needed."""
    return pl.concat([pl.scan_parquet(Path(folder) / "sentences" / "part-*.parquet") for folder in folders])


def read_edited(file: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV that somebody may have edited: semicolons and tabs separate too, as spreadsheets save.

    Raises
    ------
    DataError
        If the file is no text in UTF-8, or a row has more or fewer fields than the header.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            content = stream.read()
        first = content.partition("\n")[0]
        rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=max(",;\t", key=first.count)))
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8.\nSave it as CSV UTF-8.") from error
    except (OSError, csv.Error) as error:
        raise DataError(f"{file} can't be read as CSV: {error}.\nSave it as CSV UTF-8.") from error
    header = [name.strip() for name in rows[0]] if rows else []
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(header):
            raise DataError(f"{file}: record {number} has {len(row)} fields, the header {len(header)}.\nRepair it.")
    return header, [row for row in rows[1:] if row]


def _read_table(folder: Path) -> pl.DataFrame:
    parts = sorted((folder / "articles").glob("part-*.parquet"))
    if not parts:
        raise DataError(
            f"{folder} holds no scores: there is no articles/part-*.parquet in it.\nPass a folder written by loadedwords score."
        )
    tables = [pl.read_parquet(part) for part in parts]
    _check_columns(tables[0], str(folder))
    return pl.concat(tables)


def _check_columns(frame: pl.DataFrame, where: str) -> None:
    if missing := set(_COLUMNS) - set(frame.columns):
        raise DataError(
            f"{where} lacks the columns {', '.join(sorted(missing))}.\n"
            "Score the articles again with this version, or pass a folder that it wrote."
        )


def _check_comparable(folders: Sequence[Path]) -> None:
    """Refuse to count a folder twice, or to mix the scores of two models."""
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise DataError("The same folder is named twice, which would count its articles twice.\nName each once.")
    models = {}
    for folder in folders:
        run_file = folder / "run.json"
        if run_file.is_file():
            run = json.loads(run_file.read_text(encoding="utf-8"))
            models[run["model"]["hash"]] = folder
    if len(models) > 1:
        raise DataError(
            f"{' and '.join(map(str, models.values()))} were scored by different models, whose scores can't be compared.\n"
            "Score them with the same model."
        )
