"""Differences of outlets: held against formulas worked another way, and against simulations with known truth."""

from __future__ import annotations

import random
from dataclasses import astuple
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special, stats

from loadedwords.outlets.differences import compare_pairs
from loadedwords.outlets.intervals import Numbers, adjust_holm, difference_of
from loadedwords.outlets.shrinkage import shrink, split_variance

Rows = list[tuple[str | None, str | None, int, float]]


def articles(rows: Rows) -> pl.DataFrame:
    """Of (outlet, event, own-voice sentences, loaded share)."""
    schema = {"outlet": pl.String, "event_id": pl.String, "n_own": pl.Int64, "loaded_share": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(n_sentences="n_own", n_quoted=pl.lit(0))


def left_out_in_turn(rows: Rows, a: str, b: str) -> float:
    """Delete-one jackknife variance of a difference, the slow way: articles of one event are left out together."""

    def difference(kept: Rows) -> float:
        shares = []
        for of in (a, b):
            own = [(n, share) for outlet, _, n, share in kept if outlet == of]
            shares.append(sum(n * share for n, share in own) / sum(n for n, _ in own))
        return shares[0] - shares[1]

    units = [event or f"alone {at}" for at, (_, event, _, _) in enumerate(rows)]
    moved: dict[str, NDArray[np.float64]] = {}
    for unit in sorted(set(units)):
        kept = [row for row, of in zip(rows, units, strict=True) if of != unit]
        moved[unit] = np.array([
            difference([r for r in rows if r[0] == other] + [r for r in kept if r[0] == of]) - difference(rows)
            if any(u == unit and r[0] == of for r, u in zip(rows, units, strict=True)) else np.nan
            for of, other in ((a, b), (b, a))
        ])  # fmt: skip
    # Each outlet's own jackknife, and what they have in common.
    table = np.array(list(moved.values()))
    centred = np.where(np.isnan(table), 0.0, table - np.nanmean(table, axis=0))
    n = (~np.isnan(table)).sum(axis=0)
    scaled = centred * np.sqrt((n - 1) / n)
    return float((scaled.sum(axis=1) ** 2).sum())


def test_a_difference_by_the_slow_jackknife() -> None:
    rng = np.random.default_rng(3)
    rows: Rows = [
        (outlet, f"e{k}" if k % 2 else None, int(rng.integers(3, 40)), float(rng.uniform(0.1, 0.6)))
        for outlet in "AB"
        for k in range(12)
    ]
    pair = compare_pairs(articles(rows), min_articles=2).row(0, named=True)
    error = left_out_in_turn(rows, "A", "B") ** 0.5
    statistic = abs(pair["difference"]) / error
    # The freedom is not known to this test; the interval and the p-value must agree on one.
    reach = (pair["ci_high"] - pair["ci_low"]) / 2 / error
    freedom = next(df for df in np.arange(1, 40, 0.01) if stats.t.ppf(0.975, df) <= reach)
    assert 4 < freedom < 22
    assert pair["p_value"] == pytest.approx(2 * stats.t.sf(statistic, freedom), rel=0.01)


def test_articles_of_one_length_by_hand() -> None:
    # Then a ratio is a mean, its jackknife variance s²/n and its freedom n - 1. Newcombe's ends are of Student's on the logit scale.
    rng = np.random.default_rng(0)
    samples = rng.normal(0.3, 0.05, 15), rng.normal(0.35, 0.1, 11)
    rows: Rows = [(o, None, 20, float(share)) for o, shares in zip("AB", samples, strict=True) for share in shares]
    pair = compare_pairs(articles(rows), min_articles=2).row(0, named=True)

    def ends(level: float) -> tuple[float, float]:
        of_each = []
        for shares in samples:
            mean = shares.mean()
            reach = stats.t.interval(level, len(shares) - 1, scale=stats.sem(shares) / mean / (1 - mean))
            of_each.append((special.logit(mean), reach, mean))
        (low_a, high_a), (low_b, high_b) = (special.expit(at + np.array(reach)) for at, reach, _ in of_each)
        a, b = (mean for *_, mean in of_each)
        return a - b - np.hypot(a - low_a, high_b - b), a - b + np.hypot(high_a - a, b - low_b)

    assert pair["difference"] == pytest.approx(samples[0].mean() - samples[1].mean())
    assert (pair["ci_low"], pair["ci_high"]) == pytest.approx(ends(0.95))
    # A is the lower one, and the interval of level 1 - p ends at 0.
    assert ends(1 - pair["p_value"])[1] == pytest.approx(0, abs=1e-9)


def test_an_outlet_of_which_nothing_is_loaded_has_an_interval() -> None:
    rng = np.random.default_rng(9)
    rows: Rows = [(o, None, 20, 0.0) for o in ("none", "none either") for _ in range(10)]
    rows += [("few", None, 20, float(share)) for share in rng.uniform(0.0, 0.02, 10)]
    rows += [("many", None, 20, float(share)) for share in rng.uniform(0.2, 0.4, 10)]
    pairs = {(row["outlet_a"], row["outlet_b"]): row for row in compare_pairs(articles(rows)).to_dicts()}
    nothing = pairs["none", "none either"]
    assert nothing["p_value"] == 1
    assert nothing["ci_low"] == -nothing["ci_high"] < 0, "none is no proof of none"
    assert pairs["few", "none"]["p_value"] > 0.05
    assert pairs["many", "none"]["differs"]


def test_outlets_that_err_alike_differ_surely() -> None:
    def ends(tail: Numbers | float) -> tuple[Numbers, Numbers]:
        reach = 0.1 * special.ndtri(tail)
        return 0.3 + reach, 0.3 - reach

    def reach(correlation: float) -> float:
        _, low, high, _ = difference_of(np.array([0.3]), np.array([0.3]), ends, ends, 0.95, correlation)
        return float(high[0] - low[0]) / 2 / stats.norm.isf(0.025)

    assert [reach(r) for r in (0.0, 0.5, 1.0)] == pytest.approx([0.1 * 2**0.5, 0.1, 0])


def test_a_higher_level_is_wider_and_asks_more() -> None:
    rng = np.random.default_rng(6)
    rows: Rows = [
        (o, None, 20, float(rng.normal(mean, 0.1))) for o, mean in (("A", 0.3), ("B", 0.4)) for _ in range(15)
    ]
    for level in (0.5, 0.9, 0.99, 0.999):
        pair = compare_pairs(articles(rows), level=level).row(0, named=True)
        # An interval leaves out zero where the test is sure, and only there.
        assert (pair["ci_high"] < 0) == (pair["p_value"] < 1 - level) == pair["differs"]


def test_shared_events_make_a_difference_surer() -> None:
    rng = np.random.default_rng(1)
    heat = rng.uniform(0.1, 0.5, 20)
    rows: Rows = [
        (outlet, f"e{k}", 20, float(heat[k] + warmth + rng.normal(0, 0.01)))
        for outlet, warmth in (("A", 0.05), ("B", 0.0))
        for k in range(20)
    ]
    together = compare_pairs(articles(rows)).row(0, named=True)
    apart = compare_pairs(articles([(o, None, n, s) for o, _, n, s in rows])).row(0, named=True)
    assert together["difference"] == pytest.approx(apart["difference"])
    assert together["ci_high"] - together["ci_low"] < (apart["ci_high"] - apart["ci_low"]) / 4
    assert together["differs"]
    assert not apart["differs"]


def test_holm_by_hand() -> None:
    # 0.01·4, then max(., 0.02·3), max(., 0.03·2), max(., 0.6·1).
    assert adjust_holm(np.array([0.03, 0.01, 0.6, 0.02])).tolist() == pytest.approx([0.06, 0.04, 0.6, 0.06])
    assert adjust_holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert adjust_holm(np.array([])).tolist() == []


def test_who_takes_part() -> None:
    many: Rows = [(outlet, None, 20, 0.2 + 0.01 * k) for outlet in ("A", None, "C") for k in range(10)]
    few: Rows = [("Few", None, 20, 0.9)] * 9
    pairs = compare_pairs(articles(many + few))
    assert {name for row in pairs.select("outlet_a", "outlet_b").iter_rows() for name in row} == {"A", "C"}, (
        "articles without an outlet are nobody's"
    )
    assert "Few" in compare_pairs(articles(many + few), min_articles=9)["outlet_b"].to_list()
    assert compare_pairs(articles(few)).height == 0
    assert compare_pairs(articles([])).height == 0


def test_an_outlet_with_a_single_event_has_no_interval() -> None:
    rows: Rows = [("A", "e", 20, 0.1 * (k % 4)) for k in range(10)]
    rows += [(o, None, 20, 0.1 * (k % 3)) for o in "BC" for k in range(10)]
    assert compare_pairs(articles(rows)).select("outlet_a", "outlet_b").rows() == [("B", "C")]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7])
def test_rounding_is_no_difference(share: float) -> None:
    """Sums of the same shares over other lengths differ in the last digit, and nothing varies to hold that against."""
    rng = np.random.default_rng(8)
    rows: Rows = [(o, None, int(rng.integers(1, 40)), share) for o in "ABCDEF" for _ in range(10)]
    pairs = compare_pairs(articles(rows))
    assert pairs["p_value"].to_list() == [1.0] * 15
    assert not pairs["differs"].any()


def test_the_voice_that_is_asked_for_is_compared() -> None:
    frame = articles([(o, None, 20, 0.01 * k) for o in "AB" for k in range(10)]).with_columns(
        n_quoted=5,
        loaded_share_quoted=pl.when(pl.col("outlet") == "A").then(0.5).otherwise(0.2) + pl.col("loaded_share"),
    )
    assert compare_pairs(frame)["difference"].item() == 0
    assert compare_pairs(frame, voice="quoted")["difference"].item() == pytest.approx(0.3)
    unquoted = frame.with_columns(n_quoted=pl.when(pl.col("outlet") == "A").then(0).otherwise(5))
    assert compare_pairs(unquoted, voice="quoted").height == 0, "A quotes nobody"


@given(st.permutations(range(24)))
def test_the_order_of_articles_changes_nothing(order: list[int]) -> None:
    rows: Rows = [(f"o{k % 3}", f"e{k // 3}" if k < 12 else None, 5 + k, 0.02 * k) for k in range(24)]
    first, again = (compare_pairs(articles(r), min_articles=2) for r in (rows, [rows[at] for at in order]))
    assert first.equals(again) or all(
        left == pytest.approx(right) for left, right in zip(first.rows(), again.rows(), strict=True)
    )


# --- shrinkage ----------------------------------------------------------------------------------------------------


def simulated(rng: np.random.Generator) -> tuple[pl.DataFrame, dict[str, float]]:
    truth = {f"o{k}": float(rng.normal(0.3, 0.05)) for k in range(30)}
    return articles([
        (name, None, 20, float(np.clip(mean + rng.normal(0, 0.12), 0, 1)))
        for k, (name, mean) in enumerate(truth.items()) for _ in range(2 if k % 2 else 60)
    ]), truth  # fmt: skip


def test_shrunken_shares_are_nearer_to_the_truth_on_average() -> None:
    rng = np.random.default_rng(5)
    raw_error, drawn_error, held = [], [], []
    for _ in range(20):
        frame, truth = simulated(rng)
        raw = dict(frame.group_by("outlet").agg(pl.col("loaded_share").mean()).iter_rows())
        for row in shrink(frame).to_dicts():
            true = truth[row["outlet"]]
            raw_error.append((raw[row["outlet"]] - true) ** 2)
            drawn_error.append((row["shrunken_share"] - true) ** 2)
            held.append(row["shrunken_low"] <= true <= row["shrunken_high"])
    assert np.mean(drawn_error) < 0.6 * np.mean(raw_error)
    assert np.mean(held) > 0.9


def test_little_known_outlets_are_drawn_and_others_are_not() -> None:
    frame, _ = simulated(np.random.default_rng(7))
    kept = dict(shrink(frame).select("outlet", "kept").iter_rows())
    assert min(kept[f"o{k}"] for k in range(0, 30, 2)) > 0.85
    assert max(kept[f"o{k}"] for k in range(1, 30, 2)) < 0.6
    raw = dict(frame.group_by("outlet").agg(pl.col("loaded_share").mean()).iter_rows())
    centre = np.mean(list(raw.values()))
    for row in shrink(frame).to_dicts():
        low, high = sorted((raw[row["outlet"]], centre))
        assert low - 0.05 <= row["shrunken_share"] <= high + 0.05
    assert shrink(frame.filter(pl.col("outlet").is_in(["o0", "o1"]))).height == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", "C", "D", None]), st.none(), st.integers(0, 50), st.floats(0, 1)),
        max_size=40,
    ),
    st.randoms(use_true_random=False),
)
def test_what_is_drawn_stays_a_share(rows: Rows, rng: random.Random) -> None:
    frame = articles(rows)
    drawn = shrink(frame)
    some = frame.filter(pl.col("n_own") > 0)
    some = some.drop_nulls("outlet")
    assert drawn.height == (some["outlet"].n_unique() if 4 <= some["outlet"].n_unique() < some.height else 0)
    raw = {
        outlet: float(np.average(group["loaded_share"], weights=group["n_own"]))
        for (outlet,), group in some.group_by("outlet")
    }
    for row in drawn.to_dicts():
        assert 0 <= row["kept"] <= 1
        assert min(raw.values()) - 1e-9 <= row["shrunken_share"] <= max(raw.values()) + 1e-9
        assert 0 <= row["shrunken_low"] <= row["shrunken_share"] + 1e-9
        assert row["shrunken_share"] - 1e-9 <= row["shrunken_high"] <= 1
    again = shrink(articles(rng.sample(rows, len(rows))))
    assert again["outlet"].to_list() == drawn["outlet"].to_list()
    assert again["shrunken_share"].to_list() == pytest.approx(drawn["shrunken_share"].to_list(), abs=1e-6)


def test_one_article_each_says_nothing_of_how_sure_a_share_is() -> None:
    rows: Rows = [(f"o{k}", None, 20, 0.1 * k) for k in range(6)]
    assert shrink(articles(rows)).height == 0
    # One second article tells, for all.
    told = shrink(articles([*rows, ("o0", None, 20, 0.3), (None, None, 20, 0.9)]))
    assert told.height == 6
    assert (told["shrunken_high"] - told["shrunken_low"]).min() > 0.1


# --- variance -----------------------------------------------------------------------------------------------------


def test_variance_is_split_as_an_analysis_of_variance_does() -> None:
    rng = np.random.default_rng(13)
    groups = [rng.normal(mean, 0.05, 9) for mean in (0.2, 0.25, 0.4, 0.3, 0.35, 0.5)]
    split = split_variance(articles([(f"o{k}", None, 20, float(s)) for k, g in enumerate(groups) for s in g]))
    assert split is not None
    f = stats.f_oneway(*groups).statistic
    # With n articles each, F is 1 + n·between/within.
    assert split.between / split.within == pytest.approx((f - 1) / 9)
    assert split.share_between == pytest.approx((f - 1) / (f - 1 + 9))
    assert split.share_low is not None
    assert split.share_high is not None
    assert 0 <= split.share_low <= split.share_between <= split.share_high <= 1
    assert (split.n_outlets, split.n_articles) == (6, 54)


def test_variance_of_unlike_numbers_by_hand() -> None:
    rows: Rows = [("A", None, 5, 0.1), ("A", None, 50, 0.3), *[("B", None, 9, share) for share in (0.4, 0.6, 0.5, 0.9)]]
    split = split_variance(articles([*rows, ("C", None, 0, 0.0)]))
    assert split is not None
    # Means 0.2 and 0.6, of all 2.8 / 6; squares within 0.02 + 0.14 on 4 degrees of freedom, between on 1.
    within = 0.16 / 4
    square_between = 2 * (0.2 - 2.8 / 6) ** 2 + 4 * (0.6 - 2.8 / 6) ** 2
    assert split.within == pytest.approx(within)
    assert split.between == pytest.approx((square_between - within) / (6 - (4 + 16) / 6))
    assert (split.n_outlets, split.n_articles) == (2, 6)
    # Of two outlets the ends are those of F with 1 and 4 degrees of freedom, for groups of the mean size 8 / 3.
    ends = [square_between / within / stats.f.ppf(p, 1, 4) for p in (0.975, 0.025)]
    assert (split.share_low, split.share_high) == pytest.approx([max(0, r - 1) / (max(0, r - 1) + 8 / 3) for r in ends])


def test_the_ends_of_the_share_of_variance_by_generalised_least_squares() -> None:
    """Wald's pivot from the whole covariance of the articles, which its formula with weights never makes."""
    rng = np.random.default_rng(21)
    outlet = np.repeat(range(5), (2, 3, 3, 7, 40))
    shares = 0.4 + rng.normal(0, 0.1, 5)[outlet] + rng.normal(0, 0.05, len(outlet))
    split = split_variance(articles([(f"o{o}", None, 20, float(s)) for o, s in zip(outlet, shares, strict=True)]))
    assert split is not None
    freedom = (4, len(outlet) - 5)
    within = sum(((shares[outlet == o] - shares[outlet == o].mean()) ** 2).sum() for o in range(5))
    for end, p in ((split.share_low, 0.975), (split.share_high, 0.025)):
        inverse = np.linalg.inv(np.eye(len(outlet)) + end / (1 - end) * (outlet[:, None] == outlet))
        apart = shares - (inverse @ shares).sum() / inverse.sum()
        between = apart @ inverse @ apart - within
        assert between / freedom[0] / (within / freedom[1]) == pytest.approx(stats.f.ppf(p, *freedom))


@given(st.permutations(range(30)))
def test_the_order_of_articles_splits_no_variance(order: list[int]) -> None:
    rows: Rows = [(f"o{k % 6}" if k % 6 else None, None, 20, 0.03 * k) for k in range(30)]
    one, other = (split_variance(articles(r)) for r in (rows, [rows[at] for at in order]))
    assert one is not None
    assert other is not None
    assert astuple(other) == pytest.approx(astuple(one))


def test_no_variance_at_all() -> None:
    for share in (0.0, 0.1):
        split = split_variance(articles([(o, None, 5, share) for o in "ABCDEF" for _ in range(4)]))
        assert split is not None
        assert (split.between, split.share_between) == pytest.approx((0, 0))
    assert split_variance(articles([(o, None, 5, 0.2) for o in "ABCDEF"])) is None, "one article each"


def test_variance_without_differences_lies_within() -> None:
    rng = np.random.default_rng(17)
    rows: Rows = [(f"o{k}", None, 20, float(rng.uniform(0.2, 0.4))) for k in range(40) for _ in range(20)]
    split = split_variance(articles(rows))
    assert split is not None
    assert split.share_between < 0.03
    for too_little in ([], rows[:20], [(a, None, 20, 0.1) for a, _ in combinations("ABCD", 2)][:1]):
        assert split_variance(articles(too_little)) is None
