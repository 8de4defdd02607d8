"""Topics held equal: what a simulated mix of topics hides comes out, and nothing else moves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.stats import kendalltau

from loadedwords.outlets.intervals import within_a_share
from loadedwords.outlets.topics import _agreement, find_topics, standardise_topics

TOPICS = {"courts": 0.1, "sports": 0.2, "wars": 0.5}


def covered(
    mixes: dict[str, dict[str, int]], warmth: dict[str, float], seed: int = 0, noise: float = 0.02
) -> pl.DataFrame:
    """Articles of outlets that have so many on each topic; an article's share is its topic's plus its outlet's."""
    rng = np.random.default_rng(seed)
    rows = [
        (outlet, topic, int(rng.integers(5, 40)), TOPICS[topic] + warmth[outlet] + float(rng.normal(0, noise)))
        for outlet, mix in mixes.items()
        for topic, n in mix.items()
        for _ in range(n)
    ]
    frame = pl.DataFrame(rows, schema=["outlet", "topic", "n_own", "loaded_share"], orient="row")
    return frame.with_columns(n_sentences="n_own", n_quoted=pl.lit(0))


def at_common_mix(articles: pl.DataFrame) -> float:
    weights = articles.group_by("topic").agg(pl.col("n_own").sum())
    return sum(TOPICS[topic] * n for topic, n in weights.iter_rows()) / articles["n_own"].sum()


CRIME_DESK = {"courts": 20, "sports": 5, "wars": 75}
SPORTS_DESK = {"courts": 20, "sports": 75, "wars": 5}


def test_a_mix_of_topics_no_longer_counts() -> None:
    found = standardise_topics(covered({"Crime": CRIME_DESK, "Sports": SPORTS_DESK}, {"Crime": 0.0, "Sports": 0.05}))
    assert found is not None
    rows = {row["outlet"]: row for row in found.outlets.to_dicts()}
    assert rows["Crime"]["raw_share"] > rows["Sports"]["raw_share"], "it has the heated topic"
    assert rows["Sports"]["standardised_share"] - rows["Crime"]["standardised_share"] == pytest.approx(0.05, abs=0.01)
    assert (rows["Crime"]["rank"], rows["Crime"]["rank_standardised"]) == (1, 2)
    assert found.mean_move == 1.0
    assert found.kendall_tau == -1.0
    assert found.variance_explained > 0.9
    assert (found.n_topics, found.n_articles) == (3, 200)


def test_intervals_cover_the_truth() -> None:
    warmth = {f"o{k}": 0.02 * k for k in range(5)}
    rng = np.random.default_rng(1)
    held = []
    for seed in range(60):
        mixes = {o: {t: int(rng.integers(3, 30)) for t in TOPICS} for o in warmth}
        articles = covered(mixes, warmth, seed, noise=0.1)
        found = standardise_topics(articles)
        assert found is not None
        at_mix = at_common_mix(articles)
        held += [row["ci_low"] <= at_mix + warmth[row["outlet"]] <= row["ci_high"] for row in found.outlets.to_dicts()]
    assert np.mean(held) > 0.9


def test_with_the_same_mix_nothing_moves() -> None:
    mix = {"courts": 20, "sports": 20, "wars": 20}
    articles = covered({"A": mix, "B": mix}, {"A": 0.1, "B": 0.0}).with_columns(n_own=10, n_sentences=10)
    found = standardise_topics(articles)
    assert found is not None
    assert found.outlets["standardised_share"].to_list() == pytest.approx(found.outlets["raw_share"].to_list())
    assert found.mean_move == 0
    assert found.outlets["coverage"].to_list() == pytest.approx([1.0, 1.0])


def test_an_outlet_that_lacks_a_topic_says_so() -> None:
    mixes = {"A": {"courts": 40, "sports": 40, "wars": 40}, "B": {"courts": 30, "sports": 30}}
    # Wars are written of at length: the mix is one of sentences.
    articles = covered(mixes, {"A": 0.0, "B": 0.1}).with_columns(
        n_own=pl.when(pl.col("topic") == "wars").then(60).otherwise("n_own")
    )
    found = standardise_topics(articles)
    assert found is not None
    rows = {row["outlet"]: row for row in found.outlets.to_dicts()}
    assert rows["A"]["coverage"] == pytest.approx(1.0)
    wars = articles.filter(pl.col("topic") == "wars")["n_own"].sum() / articles["n_own"].sum()
    assert rows["B"]["coverage"] == pytest.approx(1 - wars)
    assert rows["A"]["standardised_share"] == pytest.approx(at_common_mix(articles), abs=0.01)
    assert rows["B"]["standardised_share"] - rows["A"]["standardised_share"] == pytest.approx(0.1, abs=0.01)


def test_outlets_that_no_topic_links_are_not_compared() -> None:
    mixes = {"A": {"courts": 30}, "B": {"courts": 25, "sports": 30}, "C": {"sports": 40}, "D": {"wars": 60}}
    found = standardise_topics(covered(mixes, {"A": 0.1, "B": 0.0, "C": 0.05, "D": 0.2}))
    assert found is not None
    rows = {row["outlet"]: row["standardised_share"] for row in found.outlets.to_dicts()}
    # A and C have no topic in common, but each has one with B.
    assert set(rows) == {"A", "B", "C"}
    assert rows["A"] - rows["C"] == pytest.approx(0.05, abs=0.02)
    assert (found.n_topics, found.n_articles) == (2, 125)
    assert standardise_topics(covered({"A": {"courts": 40}, "D": {"wars": 40}}, {"A": 0.0, "D": 0.0})) is None


def test_an_outlet_linked_by_one_article_is_unsure() -> None:
    """That article is fitted exactly: its own residual says nothing, and the others' have to."""
    held = {"A": [], "B": []}
    for seed in range(100):
        articles = covered(
            {"A": {"courts": 40, "sports": 30}, "B": {"courts": 1, "wars": 40}}, {"A": 0.0, "B": 0.05}, seed, 0.1
        )
        found = standardise_topics(articles)
        assert found is not None
        at_mix = at_common_mix(articles)
        for outlet, warmth in (("A", 0.0), ("B", 0.05)):
            row = found.outlets.row(by_predicate=pl.col("outlet") == outlet, named=True)
            held[outlet].append(row["ci_low"] <= at_mix + warmth <= row["ci_high"])
    assert min(np.mean(h) for h in held.values()) > 0.88


def test_outlets_all_alike_keep_their_ranks() -> None:
    mixes = {o: {"courts": 20 + k, "wars": 30} for k, o in enumerate("ABCD")}
    for share in (0.0, 0.3):
        found = standardise_topics(covered(mixes, dict.fromkeys("ABCD", 0.0)).with_columns(loaded_share=pl.lit(share)))
        assert found is not None
        assert (found.mean_move, found.kendall_tau, found.variance_explained) == (0.0, 1.0, pytest.approx(0, abs=1e-9))
        assert found.outlets["standardised_share"].to_list() == pytest.approx([share] * 4)


def test_articles_of_nobody_and_in_any_order() -> None:
    articles = covered({"A": CRIME_DESK, "B": SPORTS_DESK, "C": CRIME_DESK}, {"A": 0.0, "B": 0.1, "C": 0.3})
    articles = articles.with_columns(outlet=pl.when(pl.col("outlet") == "C").then(None).otherwise("outlet"))
    tables = []
    for frame in (articles, articles.sample(fraction=1, shuffle=True, seed=3)):
        found = standardise_topics(frame)
        assert found is not None
        tables.append(found.outlets)
    assert tables[0]["outlet"].to_list() == ["B", "A"]
    assert_frame_equal(*tables)


def test_a_share_that_cannot_be_is_left_out_and_named() -> None:
    """A's wars are no more heated than others' courts: less what wars add elsewhere, nothing would be left of it."""
    mixes = {"A": {"wars": 40}, "B": {"courts": 40, "wars": 20}, "C": {"courts": 40, "wars": 20}}
    found = standardise_topics(covered(mixes, {"A": -0.4, "B": 0.0, "C": 0.05}))
    assert found is not None
    assert found.left_out == ("A",)
    assert set(found.outlets["outlet"]) == {"B", "C"}
    assert sorted(found.outlets["rank"]) == [1, 2]
    assert standardise_topics(covered({"A": mixes["A"], "B": mixes["B"]}, {"A": -0.4, "B": 0.0})) is None


@given(st.floats(-0.5, 1.5), st.floats(0, 2))
def test_an_interval_is_never_cut_off_short_of_its_estimate(share: float, half: float) -> None:
    low, high = within_a_share(np.asarray(share), half)
    assert low <= share <= high


def test_rare_topics_are_held_together() -> None:
    articles = covered({"A": {"courts": 40, "sports": 12}, "B": {"courts": 40, "wars": 12}}, {"A": 0.0, "B": 0.0})
    found = standardise_topics(articles)
    assert found is not None
    assert found.n_topics == 2
    assert found.outlets["coverage"].to_list() == pytest.approx([1.0, 1.0])


def test_articles_of_an_event_are_taken_together() -> None:
    """Ten copies of an article say no more than it does."""
    articles = covered({"A": CRIME_DESK, "B": SPORTS_DESK}, {"A": 0.0, "B": 0.0}, noise=0.1)
    copies = pl.concat([articles.with_columns(event_id=pl.format("e{}", pl.int_range(pl.len())))] * 10)
    alone, together = standardise_topics(copies.drop("event_id")), standardise_topics(copies)
    assert alone is not None
    assert together is not None
    width = [(found.outlets["ci_high"] - found.outlets["ci_low"]).to_numpy() for found in (alone, together)]
    # Taken for 2,000 articles they would have intervals √10 times as narrow, where no floor holds these.
    assert (width[1] > 1.8 * width[0]).all()


def test_too_little_is_not_standardised() -> None:
    one_topic = covered({"A": {"courts": 30}, "B": {"courts": 30}}, {"A": 0.0, "B": 0.0})
    assert standardise_topics(one_topic) is None
    one_outlet = covered({"A": CRIME_DESK, "B": {"courts": 3}}, {"A": 0.0, "B": 0.0})
    assert standardise_topics(one_outlet) is None, "B has fewer than ten articles"
    assert standardise_topics(one_topic.drop("topic")) is None
    assert standardise_topics(one_topic.with_columns(topic=pl.lit(None, pl.String))) is None


SUBJECTS = {
    "harbour": "The harbour master closed the quay after the ferry struck the pier and cargo ships waited outside.",
    "harvest": "Farmers brought in the wheat harvest early because the drought had dried their fields and barns stood empty.",
    "museum": "The museum opened a gallery of paintings and the curator showed visitors a portrait from the collection.",
    "election": "Voters elected the candidate by a narrow margin after the ballots of the second precinct were recounted.",
    "cycling": "The cyclist won the mountain stage of the race and took the jersey from the sprinter of a rival team.",
    "vaccine": "Doctors vaccinated children against measles at the clinic as the epidemic spread through the hospital ward.",
}


def written(n: int) -> tuple[pl.DataFrame, pl.LazyFrame]:
    names = list(SUBJECTS)
    ids = [f"a{k:03}" for k in range(n)]
    articles = pl.DataFrame({"article_id": ids, "title": [None] * n, "outlet": [f"o{k % 7}" for k in range(n)]})
    texts = [f"{SUBJECTS[names[k % 6]]} Number {k} was counted by witness {k % 5}." for k in range(n)]
    return articles, pl.LazyFrame({"article_id": ids, "sentence_id": [0] * n, "text": texts})


def test_topics_are_found_and_named_by_their_words() -> None:
    articles, sentences = written(126)
    found = find_topics(articles, sentences)
    subjects = found.with_columns(subject=pl.col("article_id").str.slice(1).cast(pl.Int64) % 6)
    assert subjects.group_by("subject").agg(pl.col("topic").n_unique())["topic"].to_list() == [1] * 6
    assert found["topic"].n_unique() == 6
    of_harbour = found.filter(pl.col("article_id") == "a000")["topic"][0]
    assert set(of_harbour.split(", ")) <= set(SUBJECTS["harbour"].lower().replace(".", "").split())


def test_topics_do_not_depend_on_the_order_of_articles() -> None:
    articles, sentences = written(126)
    turned = find_topics(articles.reverse(), sentences.collect().reverse().lazy())
    assert turned.equals(find_topics(articles, sentences))


def test_articles_without_text_have_no_topic() -> None:
    articles, sentences = written(126)
    # 39 of 126 would be too few, and 60 make three topics of twenty.
    assert find_topics(articles, sentences.head(39)).height == 0
    found = find_topics(articles, sentences.head(60))
    assert found["article_id"].to_list() == articles["article_id"].to_list()[:60]
    assert found["topic"].n_unique() == 3
    assert find_topics(articles, sentences.with_columns(sentence_id=8)).height == 0, "leads only"


def test_outlets_are_no_topics() -> None:
    articles, sentences = written(126)
    found = find_topics(articles.with_columns(outlet=pl.lit("Harbour Quay Ferry")), sentences)
    of_harbour = found.filter(pl.col("article_id") == "a000")["topic"][0].split(", ")
    assert not {"harbour", "quay", "ferry"} & set(of_harbour)


def test_too_few_or_empty_articles_have_no_topics() -> None:
    articles, sentences = written(30)
    assert find_topics(articles, sentences).height == 0
    articles, _ = written(126)
    empty = pl.LazyFrame({"article_id": articles["article_id"], "sentence_id": 0, "text": "the and of"})
    assert find_topics(articles, empty).height == 0
    assert find_topics(articles, empty.filter(pl.lit(value=False))).height == 0


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=12))
def test_the_agreement_of_two_rankings_is_kendalls(pairs: list[tuple[int, int]]) -> None:
    raw, standardised = np.array(pairs, dtype=float).T
    expected = kendalltau(raw, standardised).statistic
    if np.isfinite(expected):
        assert _agreement(raw, standardised) == pytest.approx(expected)
    else:  # all ties
        assert _agreement(raw, standardised) in (0.0, 1.0)


def test_few_events_widen_what_topics_held_equal_leave() -> None:
    articles = covered({"A": CRIME_DESK, "B": SPORTS_DESK}, {"A": 0.0, "B": 0.1})
    widths = []
    for n_events in (None, 4):
        number = pl.int_range(pl.len())
        found = standardise_topics(
            articles.with_columns(event_id=pl.format("{} {}", "outlet", number % n_events) if n_events else None)
        )
        assert found is not None
        widths.append((found.outlets["ci_high"] - found.outlets["ci_low"]).mean())
    assert widths[1] > widths[0]


def test_topics_at_random_explain_nothing() -> None:
    rng = np.random.default_rng(0)
    articles = covered({"A": CRIME_DESK, "B": SPORTS_DESK}, {"A": 0.0, "B": 0.1})
    explained = []
    for _ in range(20):
        shuffled = articles.with_columns(topic=pl.Series(rng.permutation(articles["topic"].to_numpy())))
        found = standardise_topics(
            shuffled.with_columns(loaded_share=pl.Series(rng.uniform(0.2, 0.4, articles.height)))
        )
        assert found is not None
        explained.append(found.variance_explained)
    assert np.mean(explained) < 0.01
