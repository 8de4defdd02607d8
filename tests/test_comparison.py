"""A comparison from end to end: from folders of scores to tables, and by the commands."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from loadedwords.cli import main
from loadedwords.errors import DataError
from loadedwords.outlets import compare_outlets, load_articles
from loadedwords.outlets.comparison import Comparison, compare_scores, write_tables
from loadedwords.outlets.gold import read_sample, write_sample

ROOT = Path(__file__).parents[1]
FORMULA = '=HYPERLINK("x")'

Score = Callable[[list[dict[str, Any]], str], Path]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def score(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Score:
    def scored(articles: list[dict[str, Any]], name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        (folder / "articles.jsonl").write_text("\n".join(map(json.dumps, articles)), encoding="utf-8")
        told = run("score", folder / "articles.jsonl", "-o", folder / "scores", "-m", small_bundle)
        assert told.exit_code == 0, told.output
        return folder / "scores"

    return scored


@pytest.fixture(scope="module")
def scores(score: Score, coverage: list[dict[str, Any]]) -> Path:
    return score(coverage, "coverage")


@pytest.fixture(scope="module")
def comparison(scores: Path) -> Comparison:
    return compare_scores([scores], min_articles=5)


def told(articles: int, outlet: str | None = "Wire", text: str = "The council met on Tuesday.") -> list[dict[str, Any]]:
    return [{"id": f"{outlet}-{k}", "outlet": outlet, "text": f"{text} Item {k} was read."} for k in range(articles)]


def numbers(comparison: Comparison) -> list[float]:
    tables = [
        value for field in fields(comparison) if isinstance(value := getattr(comparison, field.name), pl.DataFrame)
    ]
    return [
        v for table in tables for column in table.select(pl.selectors.float()) for v in column.drop_nulls().to_list()
    ]


def test_tables_hold_together(comparison: Comparison, scores: Path) -> None:
    alone = compare_outlets(scores)
    assert comparison.outlets.select(alone.columns).equals(alone)
    names = set(alone["outlet"])
    assert {name for row in comparison.pairs.select("outlet_a", "outlet_b").iter_rows() for name in row} == names
    assert comparison.pairs.height == 15
    assert comparison.timeline["n_articles"].sum() <= alone["n_articles"].sum()
    shares = dict(alone.select("outlet", "loaded_share").iter_rows())
    for a, b, difference in comparison.pairs.select("outlet_a", "outlet_b", "difference").iter_rows():
        assert difference == pytest.approx(shares[a] - shares[b])
    assert comparison.n_events == 7
    assert comparison.events["event_id"].n_unique() == 7
    assert set(comparison.within_events["n_events"]) == {7}
    assert comparison.model == {"name": "small", "hash": json.loads((scores / "run.json").read_text())["model"]["hash"]}
    assert comparison.corrected is None


def test_the_summary_says_what_there_is(comparison: Comparison, scores: Path) -> None:
    said, unsaid = "\n".join(comparison.says), "\n".join(comparison.cannot_say)
    assert "of 15 pairs" in said
    assert "(7 that two outlets or more report)" in said
    assert "No hand labels" in unsaid
    lonely = compare_scores([scores], events="none", topics="none")
    said, unsaid = "\n".join(lonely.says), "\n".join(lonely.cannot_say)
    assert "No two outlets have 10 articles" in unsaid
    assert "No two outlets share" in unsaid
    assert "Topics were not held equal" in unsaid
    assert "pairs" not in said
    assert lonely.n_events == 0


def test_columns_that_are_asked_for_must_be_there(score: Score) -> None:
    folder = score(told(12) + told(12, "Post"), "plain")
    with pytest.raises(DataError, match="--event-column, or let events be found"):
        compare_scores([folder], events="column")
    with pytest.raises(DataError, match="--topic-column, or let topics be found"):
        compare_scores([folder], topics="column")
    assert compare_scores([folder]).pairs.height == 1


def test_aliases_join_outlets_everywhere(scores: Path, tmp_path: Path) -> None:
    listed = run("aliases", scores)
    assert listed.exit_code == 0
    table = tmp_path / "aliases.csv"
    rows = list(csv.DictReader(listed.stdout.splitlines()))
    assert all(row["name"] == row["outlet"] for row in rows)
    for row in rows:
        if row["name"] in ("The Daily Blare", "The Common Ember"):
            row["outlet"] = "The Noise"
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    done = run("compare", scores, "--aliases", table, "--min-articles", "5", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "The Noise" in done.output
    for file in (tmp_path / "out").glob("*.csv"):
        assert "Daily Blare" not in file.read_text(encoding="utf-8"), file.name
    assert pl.read_csv(tmp_path / "out" / "outlets.csv").filter(pl.col("outlet") == "The Noise")["n_articles"][0] == 14


def test_the_folder_can_be_read_again_and_written_again(scores: Path, tmp_path: Path) -> None:
    for _ in range(2):
        done = run("compare", scores, "--min-articles", "5", "-o", tmp_path)
        assert done.exit_code == 0, done.output
    assert "<html" in (tmp_path / "comparison.html").read_text(encoding="utf-8")
    written = {file.name for file in tmp_path.iterdir()}
    assert written == {"comparison.html"} | {
        f"{name}.csv" for name in ("outlets", "pairs", "within_events", "outlets_within_events", "topics", "words",
                                   "other_words", "timeline", "events")
    }  # fmt: skip
    events = pl.read_csv(tmp_path / "events.csv")
    assert all(isinstance(json.loads(cell), list) for column in ("why", "sentences") for cell in events[column])
    assert pl.read_csv(tmp_path / "pairs.csv").height == 15


def test_the_table_alone_goes_to_stdout(scores: Path) -> None:
    done = run("compare", scores, "--csv", "--threshold", "0.1")
    table = pl.read_csv(done.stdout.encode())
    assert table["outlet"].to_list() == compare_outlets(scores)["outlet"].to_list()
    assert table["share_above"].to_list() == pytest.approx(
        compare_outlets(scores, threshold=0.1)["share_above"].to_list()
    )
    assert run("compare", scores, "--csv", "-o", "x").exit_code == 2


def test_a_sample_labelled_by_hand_corrects(scores: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "labels.csv"
    assert run("sample", scores, "-n", "300", "-o", sheet).exit_code == 0
    again = run("sample", scores, "-n", "300", "-o", sheet)
    assert again.exit_code == 1
    assert "may hold labels" in again.output
    drawn = read_sample(sheet)
    assert run("compare", scores, "--gold", sheet).exit_code == 1, "nothing is labelled yet"
    loaded = pl.col("outlet").is_in(["The Daily Blare", "The Plainspoken"])
    write_sample(drawn.with_columns(label=pl.when(loaded).then(pl.lit("loaded")).otherwise(pl.lit("neutral"))), sheet)
    done = run("compare", scores, "--gold", sheet, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "corrected by 300 hand labels" in " ".join(done.output.split())
    shares = dict(pl.read_csv(tmp_path / "out" / "corrected.csv").select("outlet", "corrected_share").iter_rows())
    assert shares["The Daily Blare"] > 0.9
    assert shares["Meridian Wire"] < 0.1
    assert (tmp_path / "out" / "corrected_pairs.csv").is_file()


def test_what_is_no_sample_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    done = run("label", file, "--no-browser")
    assert done.exit_code == 1
    assert "lacks the columns" in done.output


def test_folders_are_counted_once(scores: Path, score: Score, coverage: list[dict[str, Any]], tmp_path: Path) -> None:
    other = score(told(3, "Elsewhere"), "elsewhere")
    both = compare_scores([scores, other])
    assert both.outlets["n_articles"].sum() == len(coverage) + 3
    assert "same folder" in run("compare", scores, scores).output
    half = score(coverage[:5], "half")
    twice = run("compare", scores, half)
    assert twice.exit_code == 1
    assert "5 articles are in two of the folders" in twice.output
    (tmp_path / "articles.jsonl").write_text("\n".join(map(json.dumps, told(2, "By another model"))), encoding="utf-8")
    assert run("score", tmp_path / "articles.jsonl", "-o", tmp_path / "scores", "-m", "linear").exit_code == 0
    assert "different models" in run("compare", scores, tmp_path / "scores").output


@pytest.mark.parametrize(
    "articles",
    [
        told(1),
        told(12),
        told(12, None) + told(12, FORMULA),
        told(12, "Quoter", "“We met,” he said. “It rained.”") + told(12),
        told(2, "A") + told(2, "B") + told(1, "Ünïcode 新聞"),
        [{**article, "date": "0001-01-01"} for article in told(11)] + [{**a, "date": "9999-12-31"} for a in told(11, "B")],
        [{**article, "event_id": "one"} for article in told(11) + told(11, "B")],
    ],
    ids=["one article", "one outlet", "no outlet, formula", "only quoted", "few", "absurd dates", "one event"],
)  # fmt: skip
def test_odd_collections_are_compared_without_an_error(
    articles: list[dict[str, Any]], score: Score, tmp_path: Path
) -> None:
    folder = score(articles, "odd")
    for voice in ("own", "quoted", "all"):
        done = run("compare", folder, "--voice", voice, "-o", tmp_path / voice)
        assert done.exit_code == 0, done.output + repr(done.exception)
    found = compare_scores([folder])
    assert all(value == value and abs(value) != float("inf") for value in numbers(found))
    assert found.outlets["n_articles"].sum() <= load_articles(folder).height
    assert write_tables(found, tmp_path / "tables")


def test_nothing_to_compare(tmp_path: Path, score: Score) -> None:
    assert run("compare", tmp_path).exit_code == 1
    done = run("compare", score([{"id": "x", "outlet": "A", "text": "”"}], "empty"))
    assert done.exit_code == 0, repr(done.exception)
    assert "nothing to compare" in done.output
