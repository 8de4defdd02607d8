"""Topics held equal: what a simulated mix of topics hides comes out, and nothing else moves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from loadedwords.outlets.topics import find_topics, standardise_topics

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
        weights = articles.group_by("topic").agg(pl.col("n_own").sum())
        at_mix = sum(TOPICS[t] * n for t, n in weights.iter_rows()) / articles["n_own"].sum()
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
    found = standardise_topics(
        covered(
            {"A": {"courts": 40, "sports": 40, "wars": 40}, "B": {"courts": 30, "sports": 30}}, {"A": 0.0, "B": 0.1}
        )
    )
    assert found is not None
    rows = {row["outlet"]: row for row in found.outlets.to_dicts()}
    assert rows["A"]["coverage"] == pytest.approx(1.0)
    assert 0.5 < rows["B"]["coverage"] < 0.9
    assert rows["B"]["standardised_share"] - rows["A"]["standardised_share"] == pytest.approx(0.1, abs=0.01)


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


def test_too_few_or_empty_articles_have_no_topics() -> None:
    articles, sentences = written(30)
    assert find_topics(articles, sentences).height == 0
    articles, _ = written(126)
    empty = pl.LazyFrame({"article_id": articles["article_id"], "sentence_id": 0, "text": "the and of"})
    assert find_topics(articles, empty).height == 0
    assert find_topics(articles, empty.filter(pl.lit(value=False))).height == 0
