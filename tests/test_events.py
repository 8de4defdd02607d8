"""Events: found in invented articles, held against known ones, and outlets compared within them."""

from __future__ import annotations

import datetime
import math
import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from known_events import pairwise_scores
from loadedwords.errors import DataError
from loadedwords.outlets.events import find_events
from loadedwords.outlets.intervals import adjust_holm
from loadedwords.outlets.within_events import compare_within_events, outlets_within_events

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
DAY = datetime.date(2024, 3, 1)


def word(rng: random.Random) -> str:
    return "".join(rng.choices(SYLLABLES, k=3))


def invented(n_events: int, *, seed: int = 0, size: int = 3) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events of `size` articles that share a story's words and names among words of their own; one event a month."""
    rng = random.Random(seed)
    common = [word(rng) for _ in range(60)]
    articles, sentences = [], []
    for event in range(n_events):
        story, names = [word(rng) for _ in range(15)], [word(rng).title() for _ in range(3)]
        for member in range(size):
            article = f"e{event:02}-{member}"
            own = [word(rng) for _ in range(15)]
            articles.append(
                (article, f"{names[0]} {story[0]} {own[0]}", DAY + datetime.timedelta(31 * event + member % 3))
            )
            for at in range(6):
                words = rng.sample(story, 5) + rng.sample(own, 4) + rng.sample(common, 8)
                rng.shuffle(words)
                sentences.append((article, at, f"The {' '.join(words[:6])} {rng.choice(names)} {' '.join(words[6:])}."))
    return (
        pl.DataFrame(articles, schema=["article_id", "title", "date"], orient="row"),
        pl.DataFrame(sentences, schema=["article_id", "sentence_id", "text"], orient="row"),
    )


def members(found: pl.DataFrame) -> list[list[str]]:
    return sorted(found.group_by("event_id").agg(pl.col("article_id").sort())["article_id"].to_list())


@pytest.fixture(scope="module")
def twelve() -> tuple[pl.DataFrame, pl.DataFrame]:
    return invented(12)


def together(n_events: int, size: int = 3) -> list[list[str]]:
    return [sorted(f"e{event:02}-{member}" for member in range(size)) for event in range(n_events)]


def test_events_are_found_with_what_they_share(twelve):
    articles, sentences = twelve
    found = find_events(articles, sentences.lazy())
    assert members(found) == together(12)
    assert found["similarity"].is_between(0.45, 1).all()
    first = sentences.filter(pl.col("article_id").str.starts_with("e00"))["text"].str.join(" ").item().split()
    why = found.filter(pl.col("article_id") == "e00-0")["why"].item().to_list()
    assert 1 <= len(why) <= 8
    assert set(why) <= {w.strip(".") for w in first} | set(articles["title"][0].split())
    assert why[0][0].isupper()  # a name


def test_many_outlets_on_one_event_stay_together():
    articles, sentences = invented(5, size=12)
    assert members(find_events(articles, sentences.lazy())) == together(5, size=12)


def test_events_of_most_of_a_small_corpus_are_found():
    """Each event's own words are in a third of all articles, which in a large corpus only words of no event are."""
    articles, sentences = invented(3, size=80)
    assert members(find_events(articles, sentences.lazy())) == together(3, size=80)


def test_articles_too_far_apart_are_not_grouped(twelve):
    articles, sentences = twelve
    moved = articles.with_columns(
        date=pl.when(pl.col("article_id") == "e03-2").then(datetime.date(2031, 1, 1)).otherwise("date")
    )
    found = members(find_events(moved, sentences.lazy()))
    assert ["e03-0", "e03-1"] in found
    assert all("e03-2" not in group for group in found)


def test_articles_without_dates_find_theirs(twelve):
    articles, sentences = twelve
    one = articles.with_columns(date=pl.when(pl.col("article_id") == "e03-2").then(None).otherwise("date"))
    assert members(find_events(one, sentences.lazy())) == together(12)
    none = articles.with_columns(date=pl.lit(None, dtype=pl.Date))
    assert members(find_events(none, sentences.lazy())) == together(12)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_order_of_the_input_changes_nothing(seed):
    articles, sentences = invented(4)
    shuffled = find_events(
        articles.sample(fraction=1, shuffle=True, seed=seed),
        sentences.sample(fraction=1, shuffle=True, seed=seed).lazy(),
    )
    assert shuffled.equals(find_events(articles, sentences.lazy()))


def test_a_high_threshold_makes_fewer_groups(twelve):
    articles, sentences = twelve
    assert find_events(articles, sentences.lazy(), threshold=1.0).height < articles.height


def test_nothing_to_group():
    articles, sentences = invented(1, size=1)
    assert find_events(articles, sentences.lazy()).is_empty()
    assert find_events(articles.clear(), sentences.clear().lazy()).columns == [
        "article_id",
        "event_id",
        "similarity",
        "why",
    ]


def test_what_cannot_be_grouped_says_why(twelve):
    articles, sentences = twelve
    with pytest.raises(DataError, match="lacks the columns date"):
        find_events(articles.drop("date"), sentences.lazy())
    with pytest.raises(DataError, match="e00-0 is in the table of scores more than once"):
        find_events(pl.concat([articles, articles[:1]]), sentences.lazy())
    with pytest.raises(DataError, match="not dates"):
        find_events(articles.with_columns(pl.col("date").cast(pl.String)), sentences.lazy())
    with pytest.raises(DataError, match="threshold"):
        find_events(articles, sentences.lazy(), threshold=0.0)
    with pytest.raises(DataError, match="days"):
        find_events(articles, sentences.lazy(), days=-1)


def table(events: dict[str, str]) -> pl.DataFrame:
    rows = [(article, event) for event, articles in events.items() for article in articles]
    return pl.DataFrame(rows, schema=["article_id", "event_id"], orient="row")


def test_pairwise_scores_by_hand():
    true = table({"x": "abc", "y": "de", "z": "fg"})
    found = table({"1": "ab", "2": "cde", "3": "fh", "4": "ij"})
    scores = pairwise_scores(found, true)  # found among the labelled: ab, cd, ce, de; of which ab and de are known
    assert (scores.n_found, scores.n_true, scores.n_both) == (4, 5, 2)
    assert scores.precision == pytest.approx(1 / 2)
    assert scores.recall == pytest.approx(2 / 5)
    assert scores.f1.estimate == pytest.approx(4 / 9)
    assert 0 <= scores.f1.low < 4 / 9 < scores.f1.high <= 1
    assert pairwise_scores(found, true, among="touching").n_found == 5  # and fh
    assert pairwise_scores(found, true, among="all").n_found == 6  # and ij


def scored(rows: list[tuple[str | None, str | None, float | None, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["event_id", "outlet", "loaded_share", "n_own"], orient="row")


def test_within_events_by_hand():
    articles = scored(
        [
            ("x", "A", 0.5, 10),
            ("x", "A", 0.2, 20),  # pooled: 9 of 30
            ("x", "B", 0.1, 10),
            ("y", "A", 0.4, 10),
            ("y", "B", 0.3, 10),
            ("y", "C", 0.0, 5),
            ("z", "A", 0.9, 10),  # alone
            (None, "B", 0.9, 10),
            ("z", None, 0.9, 10),
            ("z", "B", None, 0),
        ]
    )
    pairs = compare_within_events(articles)
    assert pairs.select("outlet_a", "outlet_b", "n_events").rows() == [("A", "B", 2), ("A", "C", 1), ("B", "C", 1)]
    difference, low, high, p, adjusted = pairs.select("difference", "ci_low", "ci_high", "p_value", "p_adjusted").row(0)
    student = stats.ttest_1samp([0.2, 0.1], 0)
    assert difference == pytest.approx(0.15)
    assert p == pytest.approx(student.pvalue)
    assert (low, high) == pytest.approx(tuple(student.confidence_interval(0.95)))
    assert adjusted is None
    assert pairs.select("ci_low", "ci_high", "p_value").row(1) == (None, None, None)

    outlets = outlets_within_events(articles)
    assert outlets.select("outlet", "n_events").rows() == [("A", 2), ("B", 2), ("C", 1)]
    assert outlets["difference"].to_list() == pytest.approx([(0.2 + 0.25) / 2, (-0.2 + 0.1) / 2, -0.35])


def test_holm_adjusts_over_pairs_with_enough_events():
    rng = np.random.default_rng(0)
    rows = [
        (f"e{event}", outlet, float(rng.uniform(0.2, 0.4)) + lift, 20)
        for event in range(8)
        for outlet, lift in (("A", 0.0), ("B", 0.1), ("C", 0.2), *([("D", 0.0)] if event < 4 else []))
    ]
    pairs = compare_within_events(scored(rows))
    tested = pairs.filter(pl.col("n_events") == 8).sort("p_value")
    assert tested["p_adjusted"].to_numpy() == pytest.approx(adjust_holm(tested["p_value"].to_numpy()))
    assert pairs.filter(pl.col("n_events") == 4)["p_adjusted"].null_count() == 3


def test_equal_differences_leave_no_interval():
    rows = [
        (f"e{event}", outlet, 0.1 * event + lift, 10) for event in range(6) for outlet, lift in (("A", 0.1), ("B", 0))
    ]
    row = compare_within_events(scored(rows)).row(0, named=True)
    assert math.isclose(row["difference"], 0.1)
    assert row["ci_low"] is None
    assert row["p_value"] is None


def test_intervals_cover_with_five_events():
    """Skewed scores, unequal spreads, a true difference of 0.05: nominal 95% covers 93 to 98%."""
    rng = np.random.default_rng(1)
    n_pairs, n_events = 3000, 5
    base = rng.beta(1.2, 6, (n_pairs, n_events))
    a, b = base + 0.05 + rng.gamma(0.5, 0.1, base.shape) - 0.05, base + rng.normal(0, 0.05, base.shape)
    event = np.arange(base.size).astype(str).reshape(base.shape)
    pair = np.repeat(np.arange(n_pairs), n_events).astype(str)
    frame = pl.DataFrame(
        {
            "event_id": np.concatenate([event.ravel()] * 2),
            "outlet": np.concatenate([np.char.add("a", pair), np.char.add("b", pair)]),
            "loaded_share": np.concatenate([a.ravel(), b.ravel()]),
            "n_own": 20,
        }
    )
    pairs = compare_within_events(frame)
    assert pairs.height == n_pairs
    covered = ((pairs["ci_low"] <= 0.05) & (pairs["ci_high"] >= 0.05)).mean()
    assert 0.93 <= covered <= 0.98


def test_voice_and_level_are_checked():
    articles = scored([("x", "A", 0.5, 10), ("x", "B", 0.5, 10)])
    with pytest.raises(DataError, match="voice"):
        compare_within_events(articles, voice="nobody")
    with pytest.raises(DataError, match="level"):
        outlets_within_events(articles, level=95)
    with pytest.raises(DataError, match="loaded_share_all"):
        compare_within_events(articles, voice="all")
