"""A comparison from end to end: from folders of scores to tables, and by the commands."""

from __future__ import annotations

import csv
import datetime
import json
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from loadedwords.cli import main
from loadedwords.cli.compare import _print_comparison
from loadedwords.errors import DataError
from loadedwords.models.odds import logistic, logit
from loadedwords.outlets import compare_outlets, load_articles, scan_sentences
from loadedwords.outlets.comparison import Comparison, compare_scores, write_tables
from loadedwords.outlets.differences import compare_pairs
from loadedwords.outlets.hand_labels import read_gold, write_sample
from loadedwords.outlets.sampling import draw_sample
from loadedwords.outlets.shrinkage import shrink
from loadedwords.outlets.tables import read_edited
from loadedwords.outlets.timeline import follow_time

FORMULA = '=HYPERLINK("x")'
UNICODE = "Ünïcode 新聞, “Rand”"
ALWAYS = (
    "outlets",
    "pairs",
    "sentences",
    "within_events",
    "outlets_within_events",
    "words",
    "other_words",
    "timeline",
    "events",
)

Score = Callable[[list[dict[str, Any]], str], Path]
Articles = list[dict[str, Any]]


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


def rewritten(
    folder: Path, to: Path, articles: list[pl.Expr] | None = None, sentences: list[pl.Expr] | None = None
) -> Path:
    """A copy of a folder of scores, with some columns replaced."""
    shutil.copytree(folder, to)
    for table, columns in (("articles", articles), ("sentences", sentences)):
        for part in (to / table).glob("part-*.parquet"):
            pl.read_parquet(part, glob=False).with_columns(columns or []).write_parquet(part)
    return to


def frames(comparison: Comparison) -> dict[str, pl.DataFrame]:
    values = {field.name: getattr(comparison, field.name) for field in fields(comparison)} | {
        "topics": comparison.topics
    }
    return {name: value for name, value in values.items() if isinstance(value, pl.DataFrame)}


def numbers(comparison: Comparison) -> list[float]:
    cells = [
        v
        for table in frames(comparison).values()
        for column in table.select(pl.selectors.numeric())
        for v in column.drop_nulls().to_list()
    ]
    return cells + [value for value in comparison.variance.values() if value is not None]


def summary(comparison: Comparison) -> tuple[str, str]:
    return "\n".join(comparison.says), "\n".join(comparison.cannot_say)


def test_tables_hold_together(comparison: Comparison, scores: Path) -> None:
    alone = compare_outlets(scores)
    assert comparison.outlets.select(alone.columns).equals(alone)
    names = set(alone["outlet"])
    assert {name for row in comparison.pairs.select("outlet_a", "outlet_b").iter_rows() for name in row} == names
    assert comparison.pairs.height == 15
    counted = comparison.timeline.group_by("outlet").agg(pl.col("n_articles").sum()).sort("outlet")
    assert counted.equals(alone.select("outlet", "n_articles").sort("outlet")), "all of coverage is dated"
    shares = dict(alone.select("outlet", "loaded_share").iter_rows())
    for a, b, difference in comparison.pairs.select("outlet_a", "outlet_b", "difference").iter_rows():
        assert difference == pytest.approx(shares[a] - shares[b])
    assert comparison.n_events == 7
    assert comparison.events["event_id"].n_unique() == 7
    scored = load_articles(scores)
    found = comparison.events.join(scored, on=["article_id", "event_id", "outlet", "loaded_share"], how="semi")
    assert found.height == comparison.events.height == scored.height
    texts = scan_sentences([scores]).select("article_id", "text", "p_own").collect()
    shown = comparison.events.select("article_id", "sentences").explode("sentences").unnest("sentences")
    assert shown.join(texts, on=["article_id", "text", "p_own"], how="semi").height == shown.height > scored.height
    first = shown.group_by("article_id").agg(pl.col("p_own").max()).sort("article_id")
    highest = texts.group_by("article_id").agg(pl.col("p_own").max()).sort("article_id")
    assert first.equals(highest), "the most loaded sentences are shown"
    assert set(comparison.within_events["n_events"]) == {7}
    assert comparison.model == {"name": "small", "hash": json.loads((scores / "run.json").read_text())["model"]["hash"]}
    assert comparison.corrected is None


def test_the_summary_says_what_there_is(comparison: Comparison, scores: Path) -> None:
    said, unsaid = summary(comparison)
    assert "of 15 pairs" in said
    assert "6 outlets have at least 5 articles" in said
    differing = int(comparison.pairs["differs"].sum())
    assert said.startswith(f"{differing} of 15 pairs")
    assert f"The other {15 - differing} pairs can't be told apart" in unsaid
    assert "(7 that two outlets or more report)" in said
    assert "No hand labels" in unsaid
    lonely = compare_scores([scores], events="none", topics="none")
    said, unsaid = summary(lonely)
    assert "6 outlets with fewer than 10 articles take no part" in unsaid
    assert "No two outlets have 10 articles" in unsaid
    assert "No two outlets share" in unsaid
    assert "Topics were not held equal" in unsaid
    assert "pairs" not in said
    assert lonely.n_events == 0
    assert lonely.topics is None


def test_nobodys_articles_are_no_outlet_and_those_that_only_quote_are_named(score: Score) -> None:
    quotes = [
        {
            "id": f"q{k}",
            "outlet": "Echo",
            "text": f"“We met on Tuesday and read item {k} of the long list,” said Ann Lee.",
        }
        for k in range(3)
    ]
    only = [{**each, "text": each["text"].removesuffix(" said Ann Lee.")} for each in quotes]
    found = compare_scores(
        score([*told(3), *told(3, None), *only], "nobody"), min_articles=3, events="none", topics="none"
    )
    _, unsaid = summary(found)
    assert "No two outlets have 3 articles" in unsaid
    assert found.uncounted == ("Echo",)
    assert "1 outlet without a sentence that counts is in no figure: Echo." in unsaid


def test_the_methods_paragraph_has_the_figures_of_this_run(comparison: Comparison, scores: Path) -> None:
    paragraph, references = comparison.methods
    assert f"{comparison.overall['n_articles'][0]} articles of 6 outlets" in paragraph
    assert comparison.model["hash"][:12] in paragraph
    assert "within the 7 events" in paragraph
    assert "not checked against labels" in paragraph
    for author in ("Holm", "Efron", "Cameron"):
        assert any(reference.startswith(author) for reference in references)
    assert "rules of a house" not in paragraph
    usual = comparison.runs[0]
    told = {**usual, "house": {"file": "house.toml"}, "other_languages": "count"}
    paragraph, _ = replace(comparison, runs=[told, usual]).methods
    assert "Words that the rules of a house accept" in paragraph
    assert "other languages than English was scored as well in 1 of the 2 runs." in paragraph
    drawn = draw_sample(scores, 180).with_columns(labels=pl.lit([1.0]), label=pl.lit(1.0))
    paragraph, references = compare_scores([scores], gold=drawn, events="none", topics="none").methods
    assert "180 hand labels" in paragraph
    assert "within the" not in paragraph
    assert any(reference.startswith("Egami") for reference in references)


def test_a_level_close_to_one_is_not_rounded_to_it(scores: Path) -> None:
    said, _ = summary(compare_scores([scores], min_articles=5, level=0.999, topics="none"))
    assert "(Holm, 0.1%)" in said


def test_only_outlets_with_enough_articles_are_paired(score: Score) -> None:
    folder = score(told(3, "Few") + told(4, "Four") + told(5, "Five") + told(7, None), "unequal")
    found = compare_scores(folder, min_articles=4, events="none", topics="none")
    paired = {name for row in found.pairs.select("outlet_a", "outlet_b").iter_rows() for name in row}
    assert paired == {"Four", "Five"}
    assert set(found.outlets["outlet"]) == paired | {"Few", None}
    assert "1 outlet with fewer than 4 articles takes no part" in summary(found)[1]
    assert found.sources == [str(folder)]


def test_outlets_with_all_articles_on_one_event_are_no_pair_and_not_said_to_be_few(score: Score) -> None:
    folder = score([{**article, "event_id": "one"} for article in told(11) + told(11, "B")], "one-event")
    found = compare_scores([folder])
    assert found.pairs.is_empty()
    _, unsaid = summary(found)
    assert "2 outlets have enough articles, but all on one event" in unsaid
    assert "No two outlets have 10 articles" not in unsaid


def test_an_article_without_an_outlet_makes_no_second_outlet(score: Score) -> None:
    rows = [{**article, "event_id": f"e{k % 6}"} for k, article in enumerate(told(12) + told(12, None))]
    assert compare_scores([score(rows, "nobody")]).n_events == 0
    rows += [{**article, "event_id": "e0"} for article in told(1, "Post")]
    found = compare_scores([score(rows, "somebody")])
    assert found.n_events == 1
    assert set(found.events["outlet"]) == {"Wire", "Post", None}


def test_events_and_topics_come_from_where_they_are_asked_for(score: Score, coverage: Articles) -> None:
    rows = [{**article, "topic": "early" if k < 21 else "late"} for k, article in enumerate(coverage)]
    folder = score(rows, "topics")
    found = compare_scores([folder], events="find", topics="column", min_articles=5)
    assert found.events["event_id"].str.starts_with("found-").all()
    assert found.events["why"].list.len().min() > 0
    assert found.standardised is not None
    assert found.standardised.n_topics == 2
    assert "mix of 2 topics" in summary(found)[0]
    assert "Topics were not held equal" not in summary(found)[1]
    asked = compare_scores([folder], events="column", topics="find", min_articles=5)
    assert set(asked.events["event_id"]) == {article["event_id"] for article in coverage}
    assert asked.events["why"].list.len().max() == 0
    left = compare_scores([folder], min_articles=5)
    assert left.events.equals(asked.events), "auto takes the column that is there"
    assert left.topics is not None
    assert left.topics.equals(found.topics)


@pytest.mark.parametrize("voice", ["quoted", "all"])
def test_every_table_is_of_the_voice_that_counts(voice: Any, scores: Path) -> None:
    found = compare_scores([scores], voice=voice, min_articles=5, topics="none")
    column = f"loaded_share_{voice}"
    given = found.events.join(load_articles(scores).select("article_id", column), on="article_id")
    assert given["loaded_share"].equals(given[column], check_names=False)
    assert found.outlets.select(compare_outlets(scores).columns).equals(compare_outlets(scores, voice=voice))
    shares = dict(found.outlets.select("outlet", "loaded_share").iter_rows())
    for a, b, difference in found.pairs.select("outlet_a", "outlet_b", "difference").iter_rows():
        assert difference == pytest.approx(shares[a] - shares[b])


def test_a_timeline_leaves_out_absurd_dates_and_has_whole_periods(score: Score) -> None:
    dates = ["1970-01-01", *(f"2024-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(119))]
    rows = [{**article, "date": date} for article, date in zip(told(120), dates, strict=True)]
    found = compare_scores([score(rows, "dated")], events="none", topics="none")
    timeline = found.timeline
    assert found.n_off_timeline == 1
    assert timeline["period"].to_list() == [datetime.date(2024, month, 1) for month in range(1, 6)]
    assert timeline["n_articles"].to_list() == [28, 28, 28, 28, 7]


def test_a_timeline_leaves_out_no_other_dates() -> None:
    first = datetime.date(2024, 1, 5)
    days = [first, *(first + datetime.timedelta(days=40 + k) for k in range(0, 240, 4)), datetime.date(2024, 11, 30)]
    dates = pl.Series("date", days)
    articles = pl.DataFrame({"date": dates}).with_columns(outlet=pl.lit("A"), n_own=20, loaded_share=0.2)
    timeline = follow_time(articles)
    assert timeline["n_articles"].sum() == len(days)
    # As pandas gives them back.
    moments = follow_time(articles.with_columns(pl.col("date").cast(pl.Datetime("ns"))))
    assert moments.equals(timeline)
    one_day = follow_time(pl.concat([articles.with_columns(date=pl.lit(first))] * 9 + [articles]))
    assert one_day["n_articles"].sum() == 10 * len(days), "most of one day, and the rest of the year of others"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"events": "finnd"}, "events is 'finnd'; it is one of auto, column, find, none"),
        ({"topics": "no"}, "topics is 'no'"),
        ({"voice": "x"}, "voice is 'x'"),
        ({"level": 95}, "level is 95"),
        ({"gold": "labels.csv"}, r"gold is 'labels.csv', .*\n.*read_gold\(file\)"),
        (
            {"gold": pl.DataFrame({"article_id": ["a"], "label": [1.0]})},
            r"gold lacks .*probability.*\n.*read_gold\(file\)",
        ),
        ({"aliases": "a.csv"}, r"aliases is 'a.csv', .*\n.*read_aliases\(file\)"),
    ],
)
def test_what_is_asked_for_must_make_sense(asked: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        compare_scores("nowhere", **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("made", [compare_pairs, shrink, follow_time])
def test_tables_refuse_what_no_interval_can_have(made: Callable[..., object]) -> None:
    articles = pl.DataFrame({"outlet": ["A"], "date": [None], "n_own": [20], "loaded_share": [0.2]})
    for asked in ({"voice": "x"}, {"level": 95}):
        with pytest.raises(DataError, match=next(iter(asked))):
            made(articles, **asked)


def test_an_alias_without_an_outlet_leaves_the_name(score: Score) -> None:
    folder = score(told(12) + told(12, "Post"), "plain")
    found = compare_scores(folder, aliases={"Post": None}, events="none", topics="none")
    assert found.outlets["outlet"].null_count() == 0
    assert "Post" in found.outlets["outlet"]


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
    alone = pl.read_csv(run("compare", scores, "--aliases", table, "--csv").stdout.encode())
    assert alone.equals(pl.read_csv(tmp_path / "out" / "outlets.csv").select(alone.columns))
    for file in (tmp_path / "out").glob("*.csv"):
        assert "Daily Blare" not in file.read_text(encoding="utf-8"), file.name
    assert pl.read_csv(tmp_path / "out" / "outlets.csv").filter(pl.col("outlet") == "The Noise")["n_articles"][0] == 14


def test_every_table_that_is_written_can_be_read(comparison: Comparison, tmp_path: Path) -> None:
    for _ in range(2):
        written = write_tables(comparison, tmp_path / "a" / "b")
    assert {file.name for file in (tmp_path / "a" / "b").iterdir()} == {file.name for file in written}
    assert {file.stem for file in written} == {*ALWAYS, "topics"}
    for file in written:
        frame = frames(comparison)[file.stem]
        read = pl.read_csv(file, infer_schema=False)
        assert read.shape == frame.shape, file.name
        for name, kind in frame.schema.items():
            if isinstance(kind, pl.List):
                assert [json.loads(cell) for cell in read[name]] == frame[name].to_list()
            elif kind == pl.Float64:
                assert read[name].cast(pl.Float64).equals(frame[name], null_equal=True), name
            elif kind == pl.String:
                assert read[name].fill_null("").equals(frame[name].fill_null("")), name


def test_tables_of_an_earlier_comparison_do_not_stay(scores: Path, tmp_path: Path) -> None:
    (tmp_path / "corrected.csv").write_text("outlet,corrected_share\nA,0.9\n", encoding="utf-8")
    others = run("compare", scores, "--topics", "none", "-o", tmp_path)
    assert others.exit_code == 1, "they may be anybody's, as long as no page of ours is beside them"
    (tmp_path / "comparison.html").write_text("of an earlier comparison", encoding="utf-8")
    (tmp_path / "notes.csv").write_text("mine\n", encoding="utf-8")
    assert run("compare", scores, "--topics", "none", "-o", tmp_path).exit_code == 0
    assert {file.stem for file in tmp_path.glob("*.csv")} == {*ALWAYS, "notes"}


def test_an_output_that_can_not_be_written_is_told(scores: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken" / "pairs.csv").mkdir(parents=True)
    (tmp_path / "page" / "comparison.html").mkdir(parents=True)
    for output, status, message in (
        (tmp_path / "file", 2, "is a file"),
        (tmp_path / "file" / "below", 1, "NotADirectoryError"),
        (tmp_path / "taken", 1, "pairs.csv"),
        (tmp_path / "page", 1, "comparison.html"),
    ):
        done = run("compare", scores, "--events", "none", "--topics", "none", "-o", output)
        assert (done.exit_code, message in done.stderr) == (status, True), repr(done.exception)
    before = (scores / "outlets.csv").read_bytes()
    done = run("compare", scores, "-o", scores)
    assert (done.exit_code, "is a folder of scores" in " ".join(done.stderr.split())) == (2, True)
    assert (scores / "outlets.csv").read_bytes() == before


def test_the_table_alone_goes_to_stdout(scores: Path) -> None:
    done = run("compare", scores, "--csv", "--threshold", "0.1")
    table = pl.read_csv(done.stdout.encode())
    assert table["outlet"].to_list() == compare_outlets(scores)["outlet"].to_list()
    assert table["share_above"].to_list() == pytest.approx(
        compare_outlets(scores, threshold=0.1)["share_above"].to_list()
    )
    told = [line for line in done.stdout.splitlines() if line.count(",") < len(table.columns) - 1]
    assert told == [], "the table and nothing else"


def test_a_sample_labelled_by_hand_corrects(scores: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "labels.csv"
    assert run("sample", scores, "-n", "300", "-o", sheet).exit_code == 0
    again = run("sample", scores, "-n", "300", "-o", sheet)
    assert again.exit_code == 1
    assert "may hold labels" in again.output
    unlabelled = run("compare", scores, "--gold", sheet)
    assert (unlabelled.exit_code, "no sentence is labelled" in unlabelled.stderr) == (1, True)
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with sheet.open("w", encoding="utf-8", newline="") as stream:  # as a spreadsheet saves it
        writer = csv.DictWriter(stream, rows[0].keys(), delimiter=";")
        writer.writeheader()
        for row in rows:
            label = "loaded" if row["outlet"] in ("The Daily Blare", "The Plainspoken") else "neutral"
            writer.writerow({**row, "label": label, "probability": row["probability"].replace(".", ",")})
    done = run("compare", scores, "--gold", sheet, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "corrected by 300 hand labels" in " ".join(done.output.split())
    shares = dict(pl.read_csv(tmp_path / "out" / "corrected.csv").select("outlet", "corrected_share").iter_rows())
    assert shares["The Daily Blare"] > 0.9
    assert shares["Meridian Wire"] < 0.1
    assert pl.read_csv(tmp_path / "out" / "corrected_pairs.csv").height == 15
    assert "No hand labels" not in done.output
    assert "estimates (the column note says why)" not in done.output


def test_the_terminal_tells_what_it_leaves_out(scores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = draw_sample(scores, 180).with_columns(labels=pl.lit([1.0]), label=pl.lit(1.0))
    found = compare_scores([scores], gold=drawn, events="none", topics="none")
    assert found.corrected is not None
    assert found.corrected["corrected_share"].null_count() == 0
    _print_comparison(found, most=2)
    assert "3 outlets below these are not shown." in capsys.readouterr().out
    _print_comparison(found)
    assert "are not shown" not in capsys.readouterr().out


def test_labels_that_correct_nothing_are_not_said_to(scores: Path, score: Score, tmp_path: Path) -> None:
    sheet = tmp_path / "labels.csv"
    drawn = draw_sample(scores, 60)
    few = drawn.with_row_index().with_columns(
        label=pl.when(pl.col("index") < 10).then(pl.lit("neutral")).otherwise(None)
    )
    write_sample(few.drop("index"), sheet)
    found = compare_scores([scores], gold=read_gold(sheet), events="none", topics="none")
    said, unsaid = summary(found)
    assert "The shares corrected by" not in said
    assert "no difference between outlets is declared" in unsaid, "the model's own pairs are no verdict beside labels"
    assert said.count("By the model alone") == 1
    assert "10 hand labels are too few" in unsaid
    done = run("compare", scores, "--gold", sheet, "--events", "none", "--topics", "none")
    assert (done.exit_code, "Corrected by hand labels" in done.output) == (0, False)
    write_sample(drawn.with_columns(label=pl.lit("neutral")), sheet)
    said, unsaid = summary(compare_scores([scores], gold=read_gold(sheet), events="none", topics="none"))
    assert "corrected by 60 hand labels" in said
    assert "of own-voice sentences" in said
    assert "pairs of outlets differ" not in said
    assert "to correct 6 of 7 estimates" in unsaid, "ten labels each do for all together only"
    other = run("compare", score(told(12), "others"), "--gold", sheet)
    assert (other.exit_code, "None of the 60 labels is of a sentence in these articles" in other.stderr) == (1, True)


def test_the_scale_of_the_scores_is_that_of_the_prevalence(scores: Path, small_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "articles.jsonl").write_text("\n".join(map(json.dumps, told(3, "Post"))), encoding="utf-8")
    done = run("score", tmp_path / "articles.jsonl", "-o", tmp_path / "out", "-m", small_bundle, "--prevalence", "0.06")
    assert done.exit_code == 0, done.output
    assert "share of careful readers who would object" in run("compare", scores, "--topics", "none").stdout
    assert "at a base rate of 6% loaded" in run("compare", tmp_path / "out").stdout
    mixed = run("compare", scores, tmp_path / "out")
    assert (mixed.exit_code, "with different --prevalence" in " ".join(mixed.stderr.split())) == (1, True)


def test_a_base_rate_keeps_the_order_of_sentences_but_not_that_of_outlets() -> None:
    glaring, doubtful = np.array([0.97, 0.03, 0.03]), np.array([0.4, 0.4, 0.4])

    def at(base_rate: float) -> tuple[pl.DataFrame, list[int]]:
        moved = [logistic(logit(p) + logit(np.array(base_rate)) - logit(np.array(0.2))) for p in (glaring, doubtful)]
        more = ("n_quoted_words", "n_loaded_quoted_words")
        scores = pl.DataFrame({"outlet": ["glaring", "doubtful"], "loaded_share": [p.mean() for p in moved]})
        counts = dict.fromkeys(("n_own", "n_sentences", "n_quoted", "n_words", "n_loaded_words", *more), pl.lit(3))
        table = scores.with_columns(**counts, loaded_share_all="loaded_share", loaded_share_quoted="loaded_share")
        return compare_outlets(table), np.argsort(np.concatenate(moved), kind="stable").tolist()

    (usual, order), (rare, order_when_rare) = at(0.2), at(0.02)
    assert order == order_when_rare
    assert usual["outlet"].to_list() == ["doubtful", "glaring"]
    assert rare["outlet"].to_list() == ["glaring", "doubtful"]


def cut(folder: Path, table: str) -> None:
    part = folder / table / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:200])


def change_run(folder: Path, **changes: Any) -> None:
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps({**run, **changes}), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: cut(folder, "articles"), "part-00000.parquet can't be read"),
        (lambda folder: cut(folder, "sentences"), "part-00000.parquet can't be read"),
        (lambda folder: shutil.rmtree(folder / "sentences"), "part-00000.parquet can't be read"),
        (lambda folder: shutil.rmtree(folder / "articles"), "holds no scores"),
        (lambda folder: (folder / "run.json").write_text('{"model": {', encoding="utf-8"), "run.json is damaged"),
        (lambda folder: change_run(folder, model=None), "run.json is damaged"),
        (lambda folder: change_run(folder, status="running"), "is not finished"),
    ],
)
def test_damaged_and_unfinished_folders_are_refused(
    damage: Callable[[Path], None], message: str, scores: Path, tmp_path: Path
) -> None:
    folder = rewritten(scores, tmp_path / "scores")
    damage(folder)
    done = run("compare", folder)
    assert (done.exit_code, done.stdout) == (1, ""), repr(done.exception)
    assert message in " ".join(done.stderr.split())


def test_a_folder_without_a_description_or_with_brackets_in_its_name_is_read(scores: Path, tmp_path: Path) -> None:
    folder = rewritten(scores, tmp_path / "scores [1]*")
    (folder / "run.json").unlink()
    found = compare_scores([folder], events="none", topics="none")
    assert found.outlets["n_articles"].sum() == 42
    assert found.model == {"name": "unknown", "hash": "unknown"}


def test_folders_are_counted_once(scores: Path, score: Score, coverage: list[dict[str, Any]], tmp_path: Path) -> None:
    other = score(told(3, "Elsewhere"), "elsewhere")
    both = compare_scores([scores, other])
    assert both.outlets["n_articles"].sum() == len(coverage) + 3
    assert "same folder" in run("compare", scores, scores).output
    half = score(coverage[:5], "half")
    for command in (["compare"], ["compare", "--csv"], ["sample", "-o", tmp_path / "labels.csv"], ["aliases"]):
        twice = run(*command, scores, half)
        assert (twice.exit_code, twice.stdout) == (1, "")
        assert "5 articles are in two of the folders" in twice.stderr
    assert not (tmp_path / "labels.csv").exists()
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
        told(2, "A") + told(2, "B") + told(1, UNICODE),
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
        assert not {"nan", "inf", "None"} & {word.strip("[],.:;()%") for word in done.output.split()}
    found = compare_scores([folder], min_articles=2)
    assert all(value == value and abs(value) != float("inf") for value in numbers(found))
    speaking = load_articles(folder).filter(pl.col("n_own") > 0)
    assert dict(found.outlets.select("outlet", "n_articles").iter_rows()) == dict(
        speaking["outlet"].value_counts().iter_rows()
    )
    header, rows = read_edited(tmp_path / "all" / "outlets.csv")
    names = {row[header.index("outlet")] or None for row in rows}
    assert names == {article["outlet"] for article in articles}, "read back as they were, guard and all"


def test_nothing_to_compare(tmp_path: Path, score: Score, scores: Path) -> None:
    assert run("compare", tmp_path).exit_code == 1
    done = run("compare", score([{"id": "x", "outlet": "A", "text": "”"}], "empty"), "-o", tmp_path / "a")
    assert done.exit_code == 0, repr(done.exception)
    assert "nothing to compare" in done.output
    folder = rewritten(scores, tmp_path / "none")
    for part in folder.glob("*/part-*.parquet"):
        pl.read_parquet(part).clear().write_parquet(part)
    done = run("compare", folder, "-o", tmp_path / "b")
    assert done.exit_code == 0, repr(done.exception)
    assert "nothing to compare" in done.output
    assert "No two outlets have 10 articles" in done.output
    assert pl.read_csv(tmp_path / "b" / "outlets.csv").is_empty()
    with pytest.raises(DataError, match="There is no folder"):
        compare_scores([])


def test_scores_that_are_all_zero_differ_nowhere(scores: Path, tmp_path: Path) -> None:
    shares = [pl.when(pl.col(name).is_not_null()).then(0.0).alias(name) for name in
              ("loaded_share", "loaded_share_all", "loaded_share_quoted")]  # fmt: skip
    counts = [pl.lit(0, pl.Int32).alias(name) for name in ("n_loaded_words", "n_loaded_quoted_words")]
    nothing = [(pl.col(name) * 0).alias(name) for name in ("p_loaded", "p_own")] + [pl.col("words").list.head(0)]
    folder = rewritten(scores, tmp_path / "zero", [*shares, *counts, pl.lit(None, pl.Date).alias("date")], nothing)
    found = compare_scores([folder], min_articles=5)
    assert set(found.outlets["loaded_share"]) == {0.0}
    assert not found.pairs["differs"].any()
    assert found.pairs.height == 15
    assert all(value == value and abs(value) != float("inf") for value in numbers(found))
    assert (found.words.height, found.timeline.height, found.events["date"].null_count()) == (0, 0, 42)
    assert found.variance["share_between"] == 0
    assert "0 of 15 pairs" in summary(found)[0]
    assert run("compare", folder, "-o", tmp_path / "out").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["compare"], 2, "Missing argument"),
        (["compare", "{tmp}/nosuch"], 2, "does not exist"),
        (["compare", "{scores}/run.json"], 1, "holds no scores"),
        (["compare", "{scores}", "--level", "1"], 2, "not in the range"),
        (["compare", "{scores}", "--min-articles", "1"], 2, "not in the range"),
        (["compare", "{scores}", "--threshold", "nan"], 2, "not in the range"),
        (["compare", "{scores}", "--level", "nan"], 2, "not in the range"),
        (
            ["compare", "{scores}", "--gold", "{tmp}/notes.csv", "--voice", "quoted"],
            2,
            "own voice, which correct no other",
        ),
        (["compare", "{scores}", "--voice", "loud"], 2, "'loud' is not one of"),
        (["compare", "{scores}", "--events", "some"], 2, "'some' is not one of"),
        (["compare", "{scores}", "--topics", "column"], 1, "--topic-column, or let topics be found"),
        (["compare", "{scores}", "--aliases", "{tmp}/nosuch"], 2, "does not exist"),
        (["compare", "{scores}", "--aliases", "{tmp}/notes.csv"], 1, "has the columns name and outlet"),
        (["compare", "{scores}", "--gold", "{tmp}/notes.csv"], 1, "lacks the columns"),
        (["aliases", "{tmp}"], 1, "holds no scores"),
        (["sample", "{scores}", "-o", "{tmp}/no/such.csv"], 1, "No such file or directory"),
        (["sample", "{scores}", "-o", "{tmp}"], 2, "is a directory"),
        (["sample", "{scores}", "{tmp}", "-o", "{tmp}/new.csv"], 1, "holds no scores"),
        (["sample", "{scores}", "{scores}", "-o", "{tmp}/new.csv"], 1, "same folder is named twice"),
        (["sample", "{scores}", "-o", "{tmp}/new.csv", "--seed", "-1"], 2, "not in the range"),
        (["sample", "{scores}", "-o", "{tmp}/new.csv", "-n", "1"], 2, "not in the range"),
        (["sample", "{scores}", "-o", "{tmp}/new.csv", "--outlet", "Nobody"], 1, "No own-voice sentence is by Nobody"),
        (["sample", "{scores}", "-o", "{tmp}/notes.csv"], 1, "may hold labels"),
        (["compare", "{scores}", "--csv", "-o", "{tmp}/out"], 2, "--csv prints the table of outlets alone"),
        (["compare", "{scores}", "--csv", "--events", "none"], 2, "--csv prints the table of outlets alone"),
        (["compare", "{scores}", "--csv", "--topics", "find"], 2, "--csv prints the table of outlets alone"),
        (["label", "{tmp}/nosuch"], 2, "does not exist"),
        (["label", "{tmp}"], 2, "is a directory"),
        (["label", "{tmp}/notes.csv", "--no-browser"], 1, "lacks the columns"),
    ],
)
def test_errors_say_what_and_what_to_do(
    arguments: list[str], status: int, message: str, scores: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    done = run(*(argument.format(tmp=tmp_path, scores=scores) for argument in arguments))
    assert done.exit_code == status, done.output + repr(done.exception)
    assert message in " ".join(done.stderr.split())
    assert done.stdout == "", "errors belong on stderr"
    assert [file.name for file in tmp_path.iterdir()] == ["notes.csv"]


def test_an_outlets_name_is_no_markup_and_can_not_take_over_the_terminal(score: Score) -> None:
    folder = score([*told(1, "Red\x1b[31m"), *told(1, "Bell\x07"), *told(1, "[/red]")], "escape")
    done = run("compare", folder)
    assert done.exit_code == 0, repr(done.exception)
    assert "Red" in done.output
    assert not set("\x1b\x07") & set(done.output)
    assert "[/red]" in done.output
    assert "[no interval]" in done.output
