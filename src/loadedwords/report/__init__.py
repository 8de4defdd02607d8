"""A folder of scores → one HTML file that needs nothing else: the page of a comparison, with the articles themselves."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from loadedwords import highlight
from loadedwords.batch import RUN_FILE
from loadedwords.errors import DataError
from loadedwords.outlets import load_articles
from loadedwords.outlets.comparison import compare_scores
from loadedwords.report.comparison import ShownRun, write_comparison_page
from loadedwords.schema import LoadedWord

REPORT_FILE = "report.html"


def write_report(folder: Path, *, max_articles: int = 200) -> Path:
    """Write ``report.html`` into a folder of scores.

    It is the page that ``loadedwords compare`` writes, for this run alone and with what the input names: no event or topic
    is looked for. The articles themselves stand in it, and what the run left out.

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
    shown = _choose(articles, max_articles)
    comparison = compare_scores(
        folder,
        voice=run["voice"],
        events="column" if articles["event_id"].is_not_null().any() else "none",
        topics="column" if articles["topic"].is_not_null().any() else "none",
    )
    about = ShownRun(run, articles.height, shown.height, _article_groups(folder, shown))
    return write_comparison_page(comparison, folder / REPORT_FILE, about)


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


def _passages(folder: Path, table: str, of: list[str], *columns: str) -> list[dict[str, Any]]:
    """What some columns say of the passages of those articles."""
    parts = sorted((folder / table).glob("part-*.parquet"))  # no pattern for polars: a folder's name may hold brackets
    rows = pl.scan_parquet(parts, glob=False).filter(pl.col("article_id").is_in(of))
    return rows.select("article_id", "start", "text", *columns).collect().to_dicts()


def _article_groups(folder: Path, shown: pl.DataFrame) -> list[dict[str, Any]]:
    """The chosen articles under their headings, each with its text, loaded words marked."""
    ids = shown["article_id"].to_list()
    passages: dict[str, list[highlight.Passage]] = {article_id: [] for article_id in ids}
    for row in _passages(folder, "sentences", ids, "paragraph", "words", "p_loaded", "p_own", "origin"):
        passages[row.pop("article_id")].append(highlight.Passage(**row | {"words": _words(row)}))
    for row in _passages(folder, "boilerplate", ids, "reason"):
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
