"""Outlet figures add up, and their intervals cover what they promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import loadedwords
from loadedwords.errors import DataError
from loadedwords.outlets import VOICES, compare_outlets, load_articles, summarise_all
from loadedwords.outlets.counted import clusters_of
from loadedwords.outlets.intervals import interval_of_sums


def frame(rows: list[tuple[str | None, int, int, int, float | None]]) -> pl.DataFrame:
    names = ["outlet", "n_own", "n_words", "n_loaded_words", "loaded_share"]
    own = pl.DataFrame(rows, schema=names, orient="row", strict=False)
    nobody_quoted = {name: pl.lit(0) for name in ("n_quoted", "n_quoted_words", "n_loaded_quoted_words")}
    return own.with_columns(
        **nobody_quoted,
        n_sentences=pl.col("n_own"),
        loaded_share_all=pl.col("loaded_share"),
        loaded_share_quoted=pl.lit(None, pl.Float64),
    )


def test_figures_by_hand() -> None:
    outlets = compare_outlets(
        frame([("A", 10, 100, 5, 0.2), ("A", 30, 300, 0, 0.4), ("B", 5, 50, 1, 0.1), ("B", 0, 0, 0, None)])
    )
    a, b = outlets.to_dicts()
    assert (a["outlet"], a["n_articles"], a["n_own"], a["n_words"]) == ("A", 2, 40, 400)
    assert a["loaded_share"] == pytest.approx((10 * 0.2 + 30 * 0.4) / 40)
    assert a["loaded_words_per_1000"] == pytest.approx(1000 * 5 / 400)
    assert a["ci_low"] <= a["loaded_share"] <= a["ci_high"]
    assert a["note"] == "few articles"
    assert (b["n_articles"], b["ci_low"], b["ci_high"], b["note"]) == (1, None, None, "one article")


def test_two_articles_on_one_event_are_one_event() -> None:
    two = frame([("A", 10, 100, 5, 0.2), ("A", 30, 300, 0, 0.4)])
    assert compare_outlets(two.with_columns(event_id=pl.lit("e")))["note"].to_list() == ["one event"]
    assert compare_outlets(two)["note"].to_list() == ["few articles"]


@pytest.mark.parametrize("to", ["pandas", "arrow", "lazy", "batch"])
def test_tables_of_others_are_read(to: str) -> None:
    scored = list(
        loadedwords.score_articles([{"text": "The vile regime sneered.", "outlet": "A", "date": "2024-05-01"}, ""])
    )
    table = loadedwords.to_polars(scored)
    if to == "pandas":
        pytest.importorskip("pandas")
    others = {
        "pandas": lambda: table.to_pandas(),
        "arrow": lambda: table.to_arrow(),
        "lazy": lambda: table.lazy(),
        "batch": lambda: table.to_arrow().combine_chunks().to_batches()[0],
    }
    assert_frame_equal(compare_outlets(others[to]()), compare_outlets(table))
    assert load_articles(others[to]())["date"].to_list()[0] == table["date"][0]


def test_a_single_scored_article_is_a_list_of_one() -> None:
    (scored,) = loadedwords.score_articles(["The vile regime sneered."])
    assert_frame_equal(compare_outlets(scored), compare_outlets([scored]))


def test_voices_by_hand() -> None:
    row = {"outlet": "A", "n_sentences": 10, "n_own": 8, "n_quoted": 4, "n_words": 100, "n_quoted_words": 50}
    row |= {"n_loaded_words": 2, "n_loaded_quoted_words": 5}
    row |= {"loaded_share": 0.1, "loaded_share_quoted": 0.5, "loaded_share_all": 0.3}
    articles = pl.DataFrame([row, {**row, "loaded_share": 0.2, "n_own": 4}])
    own, quoted, everybody = (compare_outlets(articles, voice=voice).to_dicts()[0] for voice in VOICES)
    assert own["loaded_share"] == pytest.approx((0.1 * 8 + 0.2 * 4) / 12)
    assert (quoted["loaded_share"], everybody["loaded_share"]) == pytest.approx((0.5, 0.3))
    assert [v["loaded_words_per_1000"] for v in (own, quoted, everybody)] == pytest.approx([20, 100, 7000 / 150])
    assert [v["n_sentences"] for v in (own, quoted, everybody)] == [12, 8, 20]
    assert [v["loaded_share_all"] for v in (own, quoted, everybody)] == pytest.approx([0.3] * 3)
    with pytest.raises(DataError, match="one of own, quoted, all"):
        compare_outlets(articles, voice="both")  # type: ignore[arg-type]


def test_articles_without_a_word_that_counts_leave_no_nan() -> None:
    row = {"outlet": "A", "n_sentences": 2, "n_own": 1, "n_quoted": 1, "n_words": 9, "n_quoted_words": 0}
    row |= {"n_loaded_words": 1, "n_loaded_quoted_words": 0}
    row |= {"loaded_share": 0.1, "loaded_share_quoted": 0.5, "loaded_share_all": 0.3}
    table = compare_outlets(pl.DataFrame([row, row, {**row, "n_quoted_words": 4}]), voice="quoted")
    assert not table.select(pl.col(pl.Float64).is_nan().any()).row(0).count(True)


def test_an_outlet_does_not_depend_on_the_others() -> None:
    a = [("A", 10, 100, k % 3, 0.01 * k) for k in range(20)]
    b = [("B", 7, 90, k % 2, 0.02 * k) for k in range(20)]
    together = compare_outlets(frame(b + a)).filter(outlet="A").to_dicts()
    assert together == compare_outlets(frame(a)).to_dicts()


def test_an_outlet_that_is_all_zero_has_a_sane_interval() -> None:
    (row,) = compare_outlets(frame([("A", 10, 100, 0, 0.0)] * 12)).to_dicts()
    assert (row["loaded_share"], row["ci_low"], row["note"]) == (0, 0, "")
    # 120 sentences, 10 in an article: worth 120 / 3.25 independent ones
    assert row["ci_high"] == pytest.approx(1 - 0.025 ** (3.25 / 120))
    assert row["words_ci_high"] == pytest.approx(1000 * (1 - 0.025 ** (3.25 / 1200)))
    assert (row["share_above"], row["above_ci_low"]) == (0, 0)
    assert row["above_ci_high"] == pytest.approx(1.96**2 / (12 + 1.96**2), abs=1e-4)  # Wilson at zero


def test_articles_of_one_event_are_resampled_together() -> None:
    rows = [("A", 10, 100, 1, share) for share in (0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.9, 0.9, 0.9)]
    alone = compare_outlets(frame(rows)).to_dicts()[0]
    events = frame(rows).with_columns(event_id=pl.Series([*"aaabbbccc"]))
    together = compare_outlets(events).to_dicts()[0]
    assert (alone["n_clusters"], together["n_clusters"]) == (9, 3)
    assert together["loaded_share"] == pytest.approx(alone["loaded_share"])
    assert together["ci_high"] - together["ci_low"] > 1.3 * (alone["ci_high"] - alone["ci_low"])


def test_articles_without_an_outlet_stay_together() -> None:
    rows = compare_outlets(frame([(None, 10, 100, 1, 0.3), (None, 10, 100, 1, 0.1), ("A", 5, 50, 0, 0.05)])).to_dicts()
    assert [(r["outlet"], r["n_articles"]) for r in rows] == [(None, 2), ("A", 1)]
    assert summarise_all(frame([(None, 10, 100, 1, 0.3), ("A", 10, 100, 1, 0.1)])).to_dicts()[0]["n_articles"] == 2


def test_what_is_no_score_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no scores"):
        compare_outlets(tmp_path)
    with pytest.raises(DataError, match="lacks the columns"):
        compare_outlets(pl.DataFrame({"outlet": ["A"]}))
    with pytest.raises(DataError, match="level is 95; it lies between"):
        compare_outlets(frame([]), level=95)
    assert compare_outlets(frame([])).height == 0


def test_scored_articles_are_compared_as_their_table_is() -> None:
    articles = [
        {"text": f"The {word} plan failed.", "outlet": "A", "event_id": event}
        for word, event in zip(("reckless", "new", "shameless", "second"), ("e", "e", None, None), strict=True)
    ]
    scored = list(loadedwords.score_articles(articles, model="linear"))
    compared = compare_outlets(scored)
    assert compared.equals(compare_outlets(loadedwords.to_polars(scored)))
    assert compared["n_clusters"].to_list() == [3]


def test_folders_that_can_not_be_compared(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(f'{{"model": {{"hash": "{name}"}}}}')
    with pytest.raises(DataError, match="named twice"):
        compare_outlets([tmp_path / "a", tmp_path / "a"])
    with pytest.raises(DataError, match="different models"):
        compare_outlets([tmp_path / "a", tmp_path / "b"])
    with pytest.raises(DataError, match="not int"):
        compare_outlets([1, 2])  # type: ignore[list-item]


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(1, 60)), min_size=2, max_size=30))
def test_the_estimate_lies_in_its_interval(pairs: list[tuple[float, int]]) -> None:
    numerators, denominators = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    interval = interval_of_sums(numerators, denominators)
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low <= interval.estimate <= interval.high
    assert interval.estimate == pytest.approx(numerators.sum() / denominators.sum())


@pytest.mark.parametrize(("n_articles", "lowest"), [(10, 0.90), (40, 0.92)])
def test_intervals_cover_the_truth(n_articles: int, lowest: float) -> None:
    """Articles of different length and temper; sentences of one article are alike, so sentences can't be the unit."""
    rng = np.random.default_rng(4)
    runs, truth, covered, too_short = 400, 0.3, 0, 0
    for _ in range(runs):
        sizes = rng.integers(5, 60, n_articles)
        shares = rng.beta(0.3 * 6, 0.7 * 6, n_articles)
        sums = np.array([rng.binomial(n, p) for n, p in zip(sizes, shares, strict=True)], dtype=float)
        interval = interval_of_sums(sums, sizes.astype(float))
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= truth <= interval.high
        p, n = sums.sum() / sizes.sum(), sizes.sum()
        too_short += abs(p - truth) <= 1.96 * np.sqrt(p * (1 - p) / n)
    assert lowest <= covered / runs <= 0.985
    assert too_short / runs < 0.75, (
        "an interval that takes sentences for independent must fail here, or this proves nothing"
    )


def test_the_note_and_the_share_above_go_by_events_where_they_are_known() -> None:
    rows = [("A", 20, 200, 4, 0.4 if at < 12 else 0.1) for at in range(24)]
    table = frame(rows)
    (alone,) = compare_outlets(table).to_dicts()
    assert (alone["note"], alone["share_above"]) == ("", 0.5)
    together = (
        pl.when(pl.int_range(pl.len()) < 12).then(pl.lit("one")).otherwise(pl.format("{}", pl.int_range(pl.len()) % 3))
    )
    (few,) = compare_outlets(table.with_columns(event_id=together)).to_dicts()
    assert (few["n_clusters"], few["note"]) == (4, "few events")
    assert few["above_ci_high"] - few["above_ci_low"] > 1.2 * (alone["above_ci_high"] - alone["above_ci_low"])
    (one,) = compare_outlets(table.with_columns(event_id=pl.lit("one"))).to_dicts()
    assert (one["note"], one["ci_low"]) == ("one event", None)


def test_a_copy_is_on_the_event_of_what_it_copies() -> None:
    for events, texts, clusters in (
        (["e", None, "f", None], ["s", "s", "t", "t"], [0, 0, 1, 1]),
        ([None, "e", None, "f"], ["s", "s", None, "s"], [0, 0, 1, 0]),
        (["e", None, None], [None, "s", "t"], [0, 1, 2]),
    ):
        table = pl.DataFrame({"event_id": events, "text_digest": texts})
        assert clusters_of(table).tolist() == clusters
    assert clusters_of(pl.DataFrame({"outlet": ["A", "A"]})).tolist() == [0, 1]


def test_copies_of_a_text_make_no_figure_surer() -> None:
    rows = [("A", 20, 200, 4, 0.02 * at) for at in range(12)]
    once = frame(rows).with_columns(text_digest=pl.format("t{}", pl.int_range(pl.len())))
    (single,) = compare_outlets(once).to_dicts()
    (thrice,) = compare_outlets(pl.concat([once] * 3)).to_dicts()
    assert (thrice["n_articles"], thrice["n_clusters"], thrice["n_copies"]) == (36, 12, 24)
    assert (thrice["ci_low"], thrice["ci_high"]) == pytest.approx((single["ci_low"], single["ci_high"]))
