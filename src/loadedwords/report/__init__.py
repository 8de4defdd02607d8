"""A folder of scores → one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from loadedwords import highlight
from loadedwords.batch import RUN_FILE
from loadedwords.errors import DataError
from loadedwords.outlets import APART, FEW_ARTICLES, load_articles, well_covered
from loadedwords.report.page import Axis, render, upper_end, write_page
from loadedwords.schema import LoadedWord

REPORT_FILE = "report.html"
N_SENTENCES = 30
SENTENCES_PER_OUTLET = 4
# More than an ordinary sentence of news has: below it none is worth showing as loaded.
_LOADED = 0.25
MAX_OUTLETS_IN_CHART = 40


def write_report(folder: Path, *, max_articles: int = 200) -> Path:
    """Write ``report.html`` into a folder of scores.

    Parameters
    ----------
    folder : Path
        As `batch.score_to_folder` leaves it.
    max_articles : int
        So many articles are shown in full: of each outlet in turn, the most loaded first.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    DataError
        If the folder holds no finished run.
    """
    run_file = folder / RUN_FILE
    if not run_file.is_file():
        raise DataError(f"{folder} holds no {RUN_FILE}.\nPass a folder written by loadedwords score.")
    run = json.loads(run_file.read_text(encoding="utf-8"))
    articles = load_articles(folder)
    outlets = pl.read_parquet(folder / "outlets.parquet")
    drawn = well_covered(outlets).head(MAX_OUTLETS_IN_CHART).to_dicts()
    shown = _choose(articles, max_articles)
    page = render(
        "report.html.j2",
        run=run,
        outlets=outlets.to_dicts(),
        overall=run["overall"],
        drawn=drawn,
        axis=Axis(0.0, upper_end(row["ci_high"] or row["loaded_share"] for row in drawn)),
        few=FEW_ARTICLES,
        apart=[part for part in APART if outlets[f"n_{part}s"].sum()],
        devices=_devices(folder),
        sentences=_most_loaded(folder),
        groups=_article_groups(folder, shown),
        n_shown=shown.height,
        n_articles=articles.height,
        article_style=Markup(highlight.STYLE),
    )
    return write_page(page, folder / REPORT_FILE)


def _choose(articles: pl.DataFrame, most: int) -> pl.DataFrame:
    """The articles to show: every outlet's most loaded first, then every outlet's second, and so on."""
    ranked = articles.filter(pl.col("n_sentences") > 0).with_columns(
        rank=pl.col("loaded_share").rank("ordinal", descending=True).over("outlet")
    )
    chosen = ranked.sort(["rank", "loaded_share"], descending=[False, True], nulls_last=True).head(most)
    by_event = chosen["event_id"].is_not_null().any()
    heading = pl.col("event_id").fill_null("no event") if by_event else pl.col("outlet").fill_null("no outlet")
    return chosen.with_columns(heading=heading).sort(
        ["heading", "loaded_share"], descending=[False, True], nulls_last=True
    )


def _scan(folder: Path, table: str) -> pl.LazyFrame:
    return pl.scan_parquet(folder / table / "part-*.parquet")


def _most_loaded(folder: Path) -> list[dict[str, Any]]:
    """The sentences with the highest own-voice score, a few of each outlet at most."""
    highest = (
        _scan(folder, "sentences").filter(pl.col("p_own") >= _LOADED).top_k(50 * N_SENTENCES, by="p_own").collect()
    )
    ordered = highest.sort(["p_own", "article_id", "sentence_id"], descending=[True, False, False])
    nth = pl.int_range(pl.len()).over("outlet")
    few = ordered.filter(pl.col("outlet").is_null() | (nth < SENTENCES_PER_OUTLET)).head(N_SENTENCES)
    return [
        {**row, "html": Markup(highlight.mark_words(row["text"], _words(row), row["start"]))} for row in few.to_dicts()
    ]


def _devices(folder: Path) -> list[tuple[str, int]]:
    """Kinds of loaded words in the outlets' own voice, the most frequent first; none where the model told none."""
    counted: Counter[str] = Counter()
    for row in _scan(folder, "sentences").select("words").collect().to_dicts():
        for word in _words(row):
            if word.kind and not word.in_quote:
                counted.update(word.device.split(", "))
    return counted.most_common()


def _article_groups(folder: Path, shown: pl.DataFrame) -> list[dict[str, Any]]:
    """The chosen articles under their headings, each with its text, loaded words marked."""
    ids = shown["article_id"].to_list()
    passages: dict[str, list[highlight.Passage]] = {article_id: [] for article_id in ids}
    for row in _scan(folder, "sentences").filter(pl.col("article_id").is_in(ids)).collect().to_dicts():
        passages[row["article_id"]].append(
            highlight.Passage(row["start"], row["text"], row["paragraph"], _words(row), row["p_loaded"], row["p_own"])
        )
    for row in _scan(folder, "boilerplate").filter(pl.col("article_id").is_in(ids)).collect().to_dicts():
        passages[row["article_id"]].append(highlight.Passage(row["start"], row["text"], -1, left_out=row["reason"]))
    articles = [
        {
            **row,
            "heading_html": Markup(highlight.heading_html(_apart(row, "title"), _apart(row, "standfirst"))),
            "html": Markup(highlight.passages_html(sorted(passages[row["article_id"]], key=lambda p: p.start))),
        }
        for row in shown.to_dicts()
    ]
    return [
        {"heading": heading, "articles": list(group)}
        for heading, group in groupby(articles, key=lambda a: a["heading"])
    ]


def _apart(row: dict[str, Any], part: str) -> list[highlight.Passage]:
    """Title or standfirst of an article, where it was scored."""
    if row[f"{part}_p_loaded"] is None:
        return []
    return [
        highlight.Passage(0, row[part], 0, _words(row, f"{part}_words"), row[f"{part}_p_loaded"], row[f"{part}_p_own"])
    ]


def _words(row: dict[str, Any], column: str = "words") -> list[LoadedWord]:
    return [LoadedWord(**word) for word in row[column]]
