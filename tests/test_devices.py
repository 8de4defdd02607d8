"""Kinds of loaded words by outlet: counted rightly, with intervals that hold, and nothing where no kinds were told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from loadedwords.cli import main
from loadedwords.outlets.devices import SCHEMA, compare_devices
from loadedwords.schema import KINDS, LoadedWord


def tables(rates: dict[str, float], *, n_articles: int = 40, seed: int = 0) -> tuple[pl.DataFrame, pl.LazyFrame]:
    """Articles of 500 words whose labels are drawn at a rate per 1,000 words of the outlet, and two quoted verbs each."""
    rng = np.random.default_rng(seed)
    articles, sentences = [], []
    for outlet, rate in rates.items():
        for at in range(n_articles):
            article = f"{outlet}-{at}"
            words = [word("label", praise=0.9 if k % 2 else 0.1) for k in range(rng.poisson(rate / 2))]
            words += [word("verb", in_quote=True)] * 2
            counts = {"n_words": 500, "n_quoted_words": 100, "n_own": 20, "n_quoted": 4, "n_sentences": 24}
            articles.append({"article_id": article, "outlet": outlet, **counts})
            sentences.append({"article_id": article, "words": words})
    return pl.DataFrame(articles), pl.LazyFrame(sentences)


def word(kind: str, *, in_quote: bool = False, praise: float = 0.0) -> dict[str, object]:
    return {"start": 0, "end": 3, "text": "Mob", "score": 0.9, "in_quote": in_quote, "kind": kind, "praise": praise}


def row(table: pl.DataFrame, outlet: str, device: str) -> dict[str, float]:
    return table.filter((pl.col("outlet") == outlet) & (pl.col("device") == device)).to_dicts()[0]


def test_counts_by_hand() -> None:
    articles, sentences = tables({"A": 8.0, "B": 8.0})
    found = compare_devices(articles, sentences)
    assert found is not None
    assert found.schema == SCHEMA
    labels = row(found, "A", "label")
    n = sentences.filter(pl.col("article_id").str.starts_with("A")).collect()["words"].explode().struct.unnest()
    own = n.filter(~pl.col("in_quote"))
    assert labels["n_loaded_words"] == own.height
    assert labels["n_words"] == 40 * 500
    assert labels["per_1000"] == pytest.approx(1000 * own.height / (40 * 500))
    assert labels["others_per_1000"] == row(found, "B", "label")["per_1000"]
    assert row(found, "A", "praise")["n_loaded_words"] == own.filter(pl.col("praise") >= 0.5).height
    assert row(found, "A", "verb")["n_loaded_words"] == 0, "they are quoted"
    assert row(found, "A", "verb")["differs"] is None
    assert row(found, "A", "verb")["ci_low"] == 0 < row(found, "A", "verb")["ci_high"] < 5, "none is no proof of none"
    quoted = compare_devices(articles, sentences, voice="quoted")
    assert quoted is not None
    assert row(quoted, "A", "verb")["per_1000"] == pytest.approx(20.0)
    everything = compare_devices(articles, sentences, voice="all")
    assert everything is not None
    assert row(everything, "A", "verb")["per_1000"] == pytest.approx(1000 * 80 / (40 * 600))
    assert set(found["device"]) == {*KINDS, "praise"}


def test_a_phrase_counts_as_its_words() -> None:
    """So that the kinds add up to the loaded words of the outlet, which are counted so."""
    articles, sentences = tables({"A": 8.0, "B": 8.0})
    phrase = pl.col("words").list.eval(pl.element().struct.with_fields(text=pl.lit("so-called peace  plan")))
    found, phrases = compare_devices(articles, sentences), compare_devices(articles, sentences.with_columns(phrase))
    assert found is not None and phrases is not None  # noqa: PT018  both hold kinds
    for device in ("label", "praise"):
        assert row(phrases, "A", device)["n_loaded_words"] == 3 * row(found, "A", device)["n_loaded_words"]
        assert row(phrases, "A", device)["per_1000"] == pytest.approx(3 * row(found, "A", device)["per_1000"])


def test_intervals_hold_and_differences_are_declared_with_care() -> None:
    hits = false = found_true = 0
    for seed in range(60):
        alike = compare_devices(*tables({"A": 8.0, "B": 8.0, "C": 8.0}, seed=seed))
        assert alike is not None
        hits += row(alike, "A", "label")["ci_low"] <= 8.0 <= row(alike, "A", "label")["ci_high"]
        false += bool(alike["differs"].fill_null(False).any())
        apart = compare_devices(*tables({"A": 14.0, "B": 8.0, "C": 8.0}, seed=seed))
        assert apart is not None
        label = row(apart, "A", "label")
        found_true += bool(label["differs"]) and label["difference_low"] > 0
    assert hits >= 52  # of 60 at 95%
    assert false <= 8  # of 60 at 5% for all comparisons together
    assert found_true >= 55


def test_on_the_same_events_it_is_not_the_events_that_differ() -> None:
    """A's events call for labels twice as often as B's; where both report, A uses three more per 1,000 words."""
    rng = np.random.default_rng(3)
    articles, sentences = [], []
    for at in range(120):
        heated = at < 60
        for outlet in ("A", "B") if 30 <= at < 90 else ("A",) if heated else ("B",):
            rate = (16.0 if heated else 6.0) + (3.0 if outlet == "A" else 0.0)
            article = f"{outlet}-{at}"
            counts = {"n_words": 1000, "n_quoted_words": 0, "n_own": 40, "n_quoted": 0, "n_sentences": 40}
            articles.append({"article_id": article, "outlet": outlet, "event_id": f"e{at}", **counts})
            sentences.append({"article_id": article, "words": [word("label") for _ in range(rng.poisson(rate))]})
    found = compare_devices(pl.DataFrame(articles), pl.LazyFrame(sentences))
    assert found is not None
    label = row(found, "A", "label")
    assert label["n_events"] == 60
    assert label["same_events_low"] < 3.0 < label["same_events_high"]
    assert label["same_events"] == pytest.approx(3.0, abs=1.5)
    assert label["difference"] > 5.0, "other events, other words"
    assert label["same_events_differs"]
    assert row(found, "B", "label")["same_events"] == pytest.approx(-label["same_events"])


def test_scores_without_kinds_have_no_devices() -> None:
    articles, sentences = tables({"A": 8.0, "B": 8.0})
    old = ("start", "end", "text", "score", "in_quote")
    before = pl.col("words").list.eval(pl.struct(*(pl.element().struct.field(name) for name in old)))
    assert compare_devices(articles, sentences.with_columns(before)) is None
    untold = pl.col("words").list.eval(pl.element().struct.with_fields(kind=pl.lit(None, pl.String)))
    assert compare_devices(articles, sentences.with_columns(untold)) is None


def test_few_articles_take_no_part() -> None:
    articles, sentences = tables({"A": 8.0}, n_articles=4)
    found = compare_devices(articles, sentences)
    assert found is not None
    assert found.is_empty()
    assert found.schema == SCHEMA
    alone = compare_devices(*tables({"A": 8.0}))
    assert alone is not None
    assert alone["differs"].null_count() == alone.height, "there are no others"


def test_a_device_in_plain_words() -> None:
    assert LoadedWord(0, 3, "mob", 0.9, False).device == ""
    assert LoadedWord(0, 3, "mob", 0.9, False, kind="verb", praise=0.2).device == "slanted verb"
    assert LoadedWord(0, 3, "mob", 0.9, False, kind="judgement", praise=0.7).device == "judging word, praise"


def test_devices_go_through_the_command(tmp_path: Path) -> None:
    """With few articles too, where nothing can be told."""
    texts = {"Post": "The shameless puppets grovelled before a vile regime.", "Wire": "The council met on Tuesday."}
    rows = [
        {"id": f"{o}{at}", "outlet": o, "text": f"{text} It is day {at}."}
        for o, text in texts.items()
        for at in range(4)
    ]
    (tmp_path / "articles.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    runner = CliRunner()
    done = runner.invoke(main, ["score", str(tmp_path / "articles.jsonl"), "-o", str(tmp_path / "scores")])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "scores" / "report.html").read_text(encoding="utf-8")
    assert "No outlet has enough articles to tell its devices" in page
    assert re.search(r'<mark[^>]*title="(label|judging word|slanted verb)', page)
    for least, told in (("10", False), ("3", True)):
        done = runner.invoke(
            main, ["compare", str(tmp_path / "scores"), "-o", str(tmp_path / least), "--min-articles", least]
        )
        assert done.exit_code == 0, done.output
        table = pl.read_csv(tmp_path / least / "devices.csv")
        assert (table.height > 0) == told
        shown = (tmp_path / least / "comparison.html").read_text(encoding="utf-8")
        assert ("No outlet has enough articles to tell its devices" in shown) != told
    (tmp_path / "articles.txt").write_text(texts["Post"], encoding="utf-8")
    shown = runner.invoke(main, ["highlight", str(tmp_path / "articles.txt")])
    assert re.search(r"\((label|judging word|slanted verb)", shown.output), shown.output
