"""Samples have the probabilities they state, labels are read as typed, and corrected estimates are right and cover."""

from __future__ import annotations

import csv
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from loadedwords.errors import DataError
from loadedwords.outlets.correction import ALL_OUTLETS, correct_by_gold
from loadedwords.outlets.hand_labels import (
    SAMPLE_COLUMNS,
    Agreement,
    label_agreement,
    read_gold,
    read_sample,
    write_sample,
)
from loadedwords.outlets.intervals import adjust_holm
from loadedwords.outlets.sampling import OTHER_OUTLETS, draw_sample, plan_strata


def sentences_of(sizes: dict[str, int], *, per_article: int = 5, seed: int = 0) -> pl.DataFrame:
    """So many own-voice sentences for each outlet, and after every fourth one that only quotes."""
    rng = np.random.default_rng(seed)
    rows = []
    for outlet, size in sizes.items():
        for at in range(size):
            article, number = divmod(at, per_article)
            place = number + number // 4
            rows.append((f"{outlet} {article}", outlet, place, f"{outlet} {article}, {place}.", rng.beta(1, 2)))
            if number % 4 == 3:
                rows.append((f"{outlet} {article}", outlet, place + 1, f"{outlet} {article}, {place + 1}.", None))
    schema = {
        "article_id": pl.String,
        "outlet": pl.String,
        "sentence_id": pl.Int32,
        "text": pl.String,
        "p_own": pl.Float32,
    }
    return pl.DataFrame(rows, schema=schema, orient="row", strict=False)


def folder_of(sentences: pl.DataFrame, folder: Path, *, parts: int = 3) -> Path:
    (folder / "sentences").mkdir(parents=True)
    articles = sentences["article_id"].unique(maintain_order=True).to_list()
    for part in range(parts):
        some = articles[part * len(articles) // parts : (part + 1) * len(articles) // parts]
        rows = sentences.filter(pl.col("article_id").is_in(some))
        rows.write_parquet(folder / "sentences" / f"part-{part:05d}.parquet")
    return folder


def articles_of(sentences: pl.DataFrame) -> pl.DataFrame:
    return sentences.select("article_id", "outlet").unique(maintain_order=True)


def gold_of(sample: pl.DataFrame, loaded: Any) -> pl.DataFrame:
    return sample.with_columns(label=pl.Series(loaded, dtype=pl.Float64, strict=False))


def corrected(sentences: pl.DataFrame, gold: pl.DataFrame) -> dict[str, dict[str, Any]]:
    table = correct_by_gold(articles_of(sentences), sentences.lazy(), gold).shares
    return {row["outlet"]: row for row in table.iter_rows(named=True)}


# Drawing


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.floats(0.3, 3), st.floats(0.3, 3)), min_size=1, max_size=8),
    st.integers(20, 300),
    st.booleans(),
)
def test_every_sentence_is_in_one_stratum_and_can_be_drawn(
    outlets: list[tuple[int, float, float]], n: int, pool: bool
) -> None:
    rng = np.random.default_rng(0)
    histograms = {
        str(number): np.bincount((rng.beta(a, b, size) * 100).astype(int).clip(0, 99), minlength=100)
        for number, (size, a, b) in enumerate(outlets)
    }
    total = sum(int(histogram.sum()) for histogram in histograms.values())
    if not total:
        return
    plan = plan_strata(histograms, n, pool=pool)
    assert sum(k for bins in plan.values() for *_, k in bins) == min(n, total)
    pooled = np.sum([h for name, h in histograms.items() if name not in plan], axis=0)
    for group, bins in plan.items():
        histogram = pooled if group == OTHER_OUTLETS else histograms[group]
        assert [low for low, *_ in bins] == [0, *[high for _, high, *_ in bins[:-1]]]
        assert bins[-1][1] == 100
        for low, high, size, k in bins:
            assert size == histogram[low:high].sum()
            assert min(2, size) <= k <= size
    if not pool:
        assert OTHER_OUTLETS not in plan


def test_bins_are_neyman_allocation_by_hand() -> None:
    # 90 sentences at 0.505 (spread 0.5 each: 45) and 450 at 0.005 (below the floor, 0.2 each: 90): of 12 labels a bin
    # would get 4 and 8; two bins of equal spread end where the cumulated 67.5 is reached: within the 450.
    histogram = np.zeros(100, int)
    histogram[0], histogram[50] = 450, 90
    assert plan_strata({"A": histogram}, 12, min_per_outlet=2)["A"] == [(0, 1, 450, 8), (1, 100, 90, 4)]


def test_large_outlets_have_strata_of_their_own_and_small_ones_share() -> None:
    sizes = {"large": 9000, "middle": 4000, "small": 100, "tiny": 3}
    flat = {name: np.bincount(np.arange(size) % 100, minlength=100) for name, size in sizes.items()}
    # √9000 : √4000 : √103 = 94.9 : 63.2 : 10.1, so 30 for the last one takes 30·168.2/10.1 = 500 labels; with two groups
    # √9000 : √4103 = 94.9 : 64.1, of 150 labels 90 and 60.
    assert set(plan_strata(flat, 150)) == {"large", OTHER_OUTLETS}
    assert set(plan_strata(flat, 501)) == {"large", "middle", OTHER_OUTLETS}
    assert [sum(k for *_, k in bins) for bins in plan_strata(flat, 150).values()] == [90, 60]
    drawn = {name: sum(k for *_, k in bins) for name, bins in plan_strata(flat, 120, pool=False).items()}
    assert drawn["tiny"] == 3  # all there are
    assert min(drawn["large"], drawn["middle"], drawn["small"]) >= 30
    with pytest.raises(DataError, match="too few"):
        plan_strata(flat, 5, pool=False)


def test_a_drawn_sample_states_its_probabilities(tmp_path: Path) -> None:
    sentences = sentences_of({"A": 200, "B": 90, "C": 10})
    folder = folder_of(sentences, tmp_path / "scores")
    sample = draw_sample(folder, 80, seed=3)
    assert sample.columns == list(SAMPLE_COLUMNS)
    assert sample.height == sample.select("article_id", "sentence_id").n_unique() == 80
    # Each stratum's probability is the number drawn over its sentences, so the inverse ones add up to all sentences.
    assert (1 / sample["probability"]).sum() == pytest.approx(300)
    for (name,), rows in sample.group_by(["stratum"]):
        low, high = map(float, str(name).rsplit(" | ", 1)[1].split("-"))
        assert rows["p_own"].is_between(low - 1e-6, high + 1e-6).all()
        assert rows["probability"].n_unique() == 1
    assert sample.equals(draw_sample(folder, 80, seed=3))
    assert not sample.equals(draw_sample(folder, 80, seed=4))
    assert set(sample["label"]) == {""}
    assert not sample["stratum"].is_sorted()  # so that labelling may stop after any row


def test_sentences_are_drawn_as_often_as_stated(tmp_path: Path) -> None:
    folder = folder_of(sentences_of({"A": 60}), tmp_path / "scores", parts=1)
    draws = pl.concat([draw_sample(folder, 12, seed=seed) for seed in range(60)])
    often = draws.group_by("article_id", "sentence_id").agg(pl.len(), pl.col("probability").first())
    assert often.height == 60
    z = (often["len"] / 60 - often["probability"]) / (often["probability"] * (1 - often["probability"]) / 60).sqrt()
    assert float(z.abs().max()) < 4.5  # type: ignore[arg-type]
    assert float((z**2).mean()) == pytest.approx(1, abs=0.6)  # type: ignore[arg-type]


def test_context_is_the_sentence_beside_it_in_the_same_article(tmp_path: Path) -> None:
    sentences = sentences_of({"A": 10})  # two articles of sentences 0 to 5, of which 4 only quotes
    sample = draw_sample(folder_of(sentences, tmp_path / "scores", parts=1), 10, min_per_outlet=2)
    assert 4 not in sample["sentence_id"].to_list()
    by_text = {row["text"]: row for row in sample.iter_rows(named=True)}
    assert (by_text["A 1, 0."]["context_before"], by_text["A 1, 0."]["context_after"]) == ("", "A 1, 1.")
    assert (by_text["A 0, 3."]["context_before"], by_text["A 0, 3."]["context_after"]) == ("A 0, 2.", "A 0, 4.")
    assert by_text["A 0, 5."]["context_after"] == ""


def test_only_named_outlets_are_drawn(tmp_path: Path) -> None:
    folder = folder_of(sentences_of({"A": 100, "B": 100, "C": 500}), tmp_path / "scores")
    sample = draw_sample([folder], 40, outlets=["A", "B"])
    assert dict(sample["outlet"].value_counts().iter_rows()) == {"A": 20, "B": 20}
    with pytest.raises(DataError, match="by Z"):
        draw_sample(folder, 40, outlets=["A", "Z"])
    with pytest.raises(DataError, match="no sentences/part"):
        draw_sample(tmp_path, 40)
    with pytest.raises(DataError, match="those that are drawn from together"):
        draw_sample(folder_of(sentences_of({"A": 100, OTHER_OUTLETS: 100}), tmp_path / "evil"), 40)


# Files


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    start=st.sampled_from("'=+-@\t\r,\"\n "),
)
def test_texts_read_back_unchanged_and_never_start_a_formula(
    tmp_path_factory: pytest.TempPathFactory, text: str, start: str
) -> None:
    file = tmp_path_factory.mktemp("csv") / "sample.csv"
    values = [start + text, text, "'" + start + text]
    sample = pl.DataFrame(
        {"article_id": values, "sentence_id": [1, 2, 3], "outlet": values, "probability": [0.5] * 3, "label": [""] * 3}
    )
    write_sample(sample, file)
    assert read_sample(file)["article_id"].to_list() == values
    with file.open(encoding="utf-8-sig", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r")]


def write_csv(file: Path, rows: list[str], header: str = "article_id,sentence_id,outlet,probability,label") -> Path:
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def test_labels_are_read_as_people_type_them(tmp_path: Path) -> None:
    typed = ["loaded", "1", " Loaded", "neutral", "0", "skip", "", "NEUTRAL"]
    rows = [f"a,{number},A,0.5,{label}" for number, label in enumerate(typed)]
    gold = read_gold(write_csv(tmp_path / "gold.csv", rows))
    assert gold["label"].to_list() == [1, 1, 1, 0, 0, None, None, 0]
    assert gold["probability"].to_list() == [0.5] * 8


def test_a_spreadsheet_may_save_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    header = "article_id;sentence_id;outlet;probability;label;p_own"
    gold = read_gold(write_csv(tmp_path / "gold.csv", ["007;1;A;0,25;loaded;0,5"], header))
    assert gold.row(0, named=True)["article_id"] == "007"
    assert (gold["probability"][0], gold["p_own"][0]) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["a,1,A,0.5,maybe"], "record 2: label 'maybe'"),
        (["a,1,A,0,loaded"], "probability 0.0"),
        (["a,1,A,1.5,loaded"], "probability 1.5"),
        (["a,1,A,nan,loaded"], "probability nan"),
        (["a,1,A,high,loaded"], "record 2: .*high"),
        (["a,one,A,0.5,loaded"], "record 2: .*one"),
        (["a,1,A,0.5,loaded", "a,1,A,0.5,neutral"], "record 3: .* twice"),
        (["a,1,A,0.5,skip", "a,2,A,0.5,"], "no sentence is labelled"),
        (["a,1,A,0.5"], "record 2 has 4 fields"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, rows: list[str], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_gold(write_csv(tmp_path / "gold.csv", rows))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"article_id,sentence_id\na,1\n", "lacks the columns outlet, probability, label"),
        (b"", "lacks the columns"),
        ("article_id,é\n".encode("latin-1"), "UTF-8"),
        (b"\x89PNG\xff", "UTF-8"),
    ],
)
def test_what_is_no_sample_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "gold.csv").write_bytes(content)
    with pytest.raises(DataError, match=says):
        read_gold(tmp_path / "gold.csv")


def test_several_labellers_make_a_mean_and_an_agreement(tmp_path: Path) -> None:
    header = "article_id,sentence_id,outlet,probability,label,labeller"
    rows = ["a,1,A,0.5,loaded,x", "a,1,A,0.5,neutral,y", "a,2,A,0.5,1,x", "a,2,A,0.5,1,y", "a,3,A,0.5,0,x", "a,3,A,0.5,0,y", "a,4,A,0.5,skip,x", "a,4,A,0.5,0,y"]  # fmt: skip
    together = read_gold(write_csv(tmp_path / "both.csv", rows, header))
    assert together["label"].to_list() == [0.5, 1, 0, 0]
    # Pairable are 6 labels of 3 sentences, 3 of them loaded: Do = 2/6, De = 2·3·3/(6·5) = 0.6, alpha = 1 − Do/De.
    assert label_agreement(together) == Agreement(3, pytest.approx(1 - (1 / 3) / 0.6))
    apart = [
        write_csv(tmp_path / f"{who}.csv", [row for row in rows if row.endswith(who)], header) for who in ("x", "y")
    ]
    assert read_gold(apart).equals(together)
    with pytest.raises(DataError, match="another probability"):
        read_gold([apart[0], write_csv(tmp_path / "z.csv", ["a,1,A,0.4,0,z"], header)])


def test_agreement_is_undefined_where_all_labels_are_alike() -> None:
    assert label_agreement(pl.DataFrame({"labels": [[1.0, 1.0], [1.0]]})) == Agreement(1, None)
    assert label_agreement(pl.DataFrame({"labels": [[1.0], [0.0]]})) == Agreement(0, None)


# Correcting


def one_sentence_each(
    labels: list[tuple[float, float, int]], rest: list[tuple[float, int]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Articles of one sentence: (label, score, how many) labelled, (score, how many) not. Sentences and gold."""
    labelled = [(y, f) for y, f, times in labels for _ in range(times)]
    scores = [f for _, f in labelled] + [f for f, times in rest for _ in range(times)]
    sentences = pl.DataFrame(
        {
            "article_id": [f"a{number}" for number in range(len(scores))],
            "outlet": "A",
            "sentence_id": 0,
            "p_own": scores,
        }
    )
    gold = sentences.head(len(labelled)).with_columns(
        label=pl.Series([y for y, _ in labelled]),
        probability=pl.lit(len(labelled) / len(scores)),
        stratum=pl.lit(None, pl.String),
    )
    return sentences, gold


def wilson(share: float, variance: float, df: float) -> tuple[float, float]:
    t2 = float(stdtrit(df, 0.025)) ** 2
    n = share * (1 - share) / variance
    half = (t2 * share * (1 - share) / n + t2**2 / (4 * n**2)) ** 0.5
    return (share + t2 / 2 / n - half) / (1 + t2 / n), (share + t2 / 2 / n + half) / (1 + t2 / n)


def test_equals_prediction_powered_inference_without_strata_and_clusters() -> None:
    # 24 labels: scores 0.8 and 0.2 twelve times each, 10 of 24 loaded. 240 scores in all, a quarter of them 0.8.
    #   mean y = 10/24, mean f = 0.5, mean y·f = (8·0.8 + 2·0.2)/24 = 6.8/24
    #   Cov(y, f) = 6.8/24 − 10/48 = 0.075 and Var f = 0.09, so λ = 5/6
    #   θ = λ·0.35 + (10/24 − λ·0.5) = 7/24, which is ppi_mean_pointestimate(y, f, all 240 scores, lam=5/6)
    #   Var(y − λf) = 10·14/24² − 0.075²/0.09 = 0.1805556 among the labels; λ²·Var f = 25/36·0.0675 = 0.046875 over all
    #   ppi_mean_ci takes 0.046875/240 + 0.1805556/24 for the variance; with n − 1 for n, and 240/239 for the articles:
    sentences, gold = one_sentence_each([(1, 0.8, 8), (0, 0.8, 4), (1, 0.2, 2), (0, 0.2, 10)], [(0.8, 48), (0.2, 168)])
    variance = 240 / 239 * (0.046875 / 240 + 0.18055556 / 23)
    # A sentence in ten was labelled: 0.9 of the labels' part comes from choosing them, with 23 degrees of freedom.
    design = 0.9 * 0.18055556 / 23
    df = variance**2 / ((variance - design) ** 2 / 239 + design**2 / 23)
    for row in corrected(sentences, gold).values():
        assert (row["n_articles"], row["n_own"], row["n_labelled"]) == (240, 240, 24)
        assert row["power_tuning"] == pytest.approx(5 / 6)
        assert row["loaded_share_raw"] == pytest.approx(0.35)
        assert row["corrected_share"] == pytest.approx(7 / 24)
        assert row["classical_share"] == pytest.approx(10 / 24)
        assert row["bias"] == pytest.approx(0.35 - 7 / 24)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(wilson(7 / 24, variance, df), rel=1e-6)
        # Labels drawn at random from 240 sentences: p(1-p)/n · (1 - n/240) is the labels' part where n = p(1-p) / (part + p(1-p)/240).
        spread = 10 / 24 * 14 / 24
        assert row["effective_ratio"] == pytest.approx(spread / (design + spread / 240) / 24, rel=1e-6)
        assert row["more_labels"] == max(0, ceil(24 * (design / (variance - design) - 1)))
        assert row["note"] == "few labels"


def test_strata_are_weighted_by_their_sentences() -> None:
    # Two strata of 100 and 300 sentences, 20 labels in each: 15 and 2 loaded. By hand (100·15/20 + 300·2/20)/400.
    # Scores are the same within a stratum, so they have nothing to add: λ = 0 and classical = corrected.
    low, high = "A | 0.00-0.50", "A | 0.50-1.00"
    sentences = pl.DataFrame(
        {
            "article_id": [f"a{number}" for number in range(400)],
            "outlet": "A",
            "sentence_id": 0,
            "p_own": [0.75] * 100 + [0.25] * 300,
        }
    )
    drawn = pl.concat([sentences.head(20), sentences.slice(100, 20)])
    gold = gold_of(
        drawn.with_columns(
            stratum=pl.Series([high] * 20 + [low] * 20), probability=pl.Series([0.2] * 20 + [1 / 15] * 20)
        ),
        [1.0] * 15 + [0.0] * 5 + [1.0] * 2 + [0.0] * 18,
    )
    row = corrected(sentences, gold)[ALL_OUTLETS]
    assert row["corrected_share"] == row["classical_share"] == pytest.approx((75 + 30) / 400)
    assert row["power_tuning"] == 0
    assert row["loaded_share_raw"] == pytest.approx(0.375)
    assert row["effective_ratio"] > 1.05, "the strata are by scores, which helps without any λ"
    assert "too unlike" not in row["note"]
    coin = gold.with_columns(label=pl.Series([float(at % 2) for at in range(40)]))
    row = corrected(sentences, coin)[ALL_OUTLETS]
    assert "the scores are too unlike the labels to help" in row["note"]
    # One sentence to an article: all the variance that is left is that of labels, or of articles, in known parts.
    assert row["more_labels"] > 0


def test_labels_that_cluster_in_articles_widen_the_interval() -> None:
    # 40 articles of 10 sentences, half of each labelled: in one world loaded sentences are spread evenly, in the other
    # they fill whole articles. Same shares, same scores; only who stands beside whom differs.
    sentences = pl.DataFrame(
        {
            "article_id": [f"a{at // 10}" for at in range(400)],
            "outlet": "A",
            "sentence_id": [at % 10 for at in range(400)],
            "p_own": [0.3 + 0.1 * (at % 2) for at in range(400)],
        }
    )
    drawn = sentences.filter(pl.col("sentence_id") < 5).with_columns(stratum=pl.lit(None, pl.String), probability=0.5)
    widths = {}
    for world, loaded in {
        "even": [float(at % 5 == 0) for at in range(200)],
        "in articles": [float(at < 40) for at in range(200)],
    }.items():
        row = corrected(sentences, gold_of(drawn, loaded))[ALL_OUTLETS]
        assert row["classical_share"] == pytest.approx(0.2)
        widths[world] = row["classical_high"] - row["classical_low"]
    # Whole articles: the mean of 40 articles of share 0 or 1, so a standard error of √(0.16/40) = 0.063 and a width of
    # about 4 of them, against at most √(0.16/200) = 0.028 where sentences vary independently.
    assert widths["in articles"] == pytest.approx(4 * 0.063, rel=0.15)
    assert widths["even"] < 0.5 * widths["in articles"]


def test_articles_on_one_event_are_one_unit() -> None:
    # As above: articles of ten sentences, those of one event alike.
    sentences = pl.DataFrame({"article_id": [f"a{at // 10}" for at in range(400)], "outlet": "A", "sentence_id": [at % 10 for at in range(400)], "p_own": 0.3})  # fmt: skip
    drawn = sentences.filter(pl.col("sentence_id") < 5).with_columns(stratum=pl.lit(None, pl.String), probability=0.5)
    gold = gold_of(drawn, [float(at % 200 < 40) for at in range(200)])
    widths = []
    for n_events in (40, 10):
        articles = articles_of(sentences).with_columns(
            event_id=pl.format("e{}", pl.int_range(pl.len()) * n_events // 40)
        )
        (row,) = correct_by_gold(articles, sentences.lazy(), gold).shares.filter(pl.col("outlet") == "A").to_dicts()
        assert row["n_articles"] == 40
        widths.append(row["ci_high"] - row["ci_low"])
    assert widths[1] > 1.5 * widths[0], "four articles of an event say what one does"
    one = articles_of(sentences).with_columns(event_id=pl.lit("e"))
    assert correct_by_gold(one, sentences.lazy(), gold).shares["note"].to_list() == ["one event", "one event"]


def test_articles_all_alike_and_labelled_whole_have_an_interval() -> None:
    sentences = pl.DataFrame({"article_id": [f"a{at // 2}" for at in range(24)], "outlet": "A", "sentence_id": [at % 2 for at in range(24)], "p_own": 0.3})  # fmt: skip
    gold = gold_of(sentences.with_columns(stratum=pl.lit(None, pl.String), probability=1.0), [float(at % 2) for at in range(24)])  # fmt: skip
    row = corrected(sentences, gold)["A"]
    assert row["ci_low"] < row["corrected_share"] == 0.5 < row["ci_high"]


def test_no_loaded_label_still_leaves_doubt() -> None:
    sentences, gold = one_sentence_each([(0, 0.8, 10), (0, 0.2, 20)], [(0.5, 270)])
    row = corrected(sentences, gold)[ALL_OUTLETS]
    t2 = float(stdtrit(29, 0.025)) ** 2
    assert (row["corrected_share"], row["ci_low"]) == (0, 0)
    assert row["ci_high"] == pytest.approx(t2 / (30 + t2))  # Wilson's for none of 30
    # Raw minus that: the doubt of the bias is the doubt of the share.
    ends = row["loaded_share_raw"] - row["ci_high"], row["loaded_share_raw"]
    assert (row["bias_low"], row["bias_high"]) == pytest.approx(ends)


def test_outlets_without_a_loaded_label_are_not_sure_to_differ() -> None:
    """Labels all alike show no variance, and a difference without an error would be declared whatever its size."""
    sizes, loaded = {"A": 30, "B": 30, "C": 60}, 4
    names = [outlet for outlet, size in sizes.items() for _ in range(size)]
    sentences = pl.DataFrame(
        {"article_id": [f"a{at}" for at in range(120)], "outlet": names, "sentence_id": 0, "p_own": 0.3}
    )
    drawn = sentences.with_columns(stratum=pl.lit(None, pl.String), probability=0.1)
    gold = gold_of(drawn, [0.0] * (120 - loaded) + [1.0] * loaded)
    pairs = correct_by_gold(articles_of(sentences), sentences.lazy(), gold).pairs.to_dicts()
    neutral, *others = pairs
    high = corrected(sentences, gold)["A"]["ci_high"]
    assert (neutral["difference"], neutral["p_value"], neutral["differs"]) == (0, 1, False)
    assert (neutral["ci_low"], neutral["ci_high"]) == pytest.approx((-high, high))
    assert neutral["detectable"] > high / 2
    share = corrected(sentences, gold)["C"]
    for pair in others:  # none of 30 and four of 60
        assert not pair["differs"]
        assert pair["ci_low"] == pytest.approx(
            -share["corrected_share"] - (share["ci_high"] - share["corrected_share"])
        )
        assert pair["ci_high"] > 0 > pair["ci_low"]
        assert 0.05 < pair["p_value"] < 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 60), st.floats(0, 1))
def test_useless_scores_do_no_harm_and_intervals_hold_the_estimate(seed: int, n: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    sentences, gold = one_sentence_each(
        [(float(rng.random() < share), rng.random(), 1) for _ in range(n)], [(rng.random(), 3 * n)]
    )
    row = corrected(sentences, gold)[ALL_OUTLETS]
    assert 0 <= row["power_tuning"] <= 1
    assert 0 <= row["ci_low"] <= row["corrected_share"] <= row["ci_high"] <= 1
    assert 0 <= row["classical_low"] <= row["classical_share"] <= row["classical_high"] <= 1


def drawn_and_labelled(
    tmp_path: Path, sizes: dict[str, int], n: int, **options: Any
) -> tuple[pl.DataFrame, pl.DataFrame]:
    sentences = sentences_of(sizes)
    sample = draw_sample(folder_of(sentences, tmp_path / "scores"), n, **options)
    rng = np.random.default_rng(1)
    return sentences, gold_of(sample, (rng.random(sample.height) < sample["p_own"].to_numpy() / 2).astype(float))


def test_outlets_with_few_labels_are_refused_with_the_reason(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 900, "B": 900, "C": 30}, 120)
    rows = corrected(sentences, gold)
    assert next(iter(rows)) == ALL_OUTLETS
    assert rows["A"]["ci_low"] < rows["A"]["corrected_share"] < rows["A"]["ci_high"]
    gold = gold.filter((pl.col("outlet") != "C") | (pl.col("sentence_id") > 5))
    few = gold.filter(pl.col("outlet") != "B").vstack(gold.filter(pl.col("outlet") == "B").with_columns(label=pl.when(pl.int_range(pl.len()) < 7).then("label")))  # fmt: skip
    rows = corrected(sentences, few)
    assert rows["B"]["corrected_share"] is None
    assert rows["B"]["note"].startswith("7 labels, too few")
    assert rows["C"]["note"] == "no labels"
    assert rows["B"]["loaded_share_raw"] is not None
    pairs = correct_by_gold(articles_of(sentences), sentences.lazy(), few).pairs
    assert pairs.height == 0


def test_articles_left_out_take_their_labels_with_them(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 900, "B": 900}, 120)
    only = articles_of(sentences).filter(pl.col("outlet") == "A")
    some = correct_by_gold(only, sentences.lazy(), gold).shares
    every = correct_by_gold(articles_of(sentences), sentences.lazy(), gold).shares
    assert sorted(some["outlet"]) == ["A", ALL_OUTLETS]
    assert some.filter(pl.col("outlet") == "A").equals(every.filter(pl.col("outlet") == "A"))
    # Renamed, as by a table of aliases: strata keep the name they were drawn under.
    renamed = articles_of(sentences).with_columns(outlet=pl.lit("A and B"))
    row = (
        correct_by_gold(renamed, sentences.lazy(), gold).shares.filter(pl.col("outlet") == "A and B").row(0, named=True)
    )
    assert row["corrected_share"] == pytest.approx(every["corrected_share"][0])


def test_labels_outlive_the_scores_they_were_drawn_by(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 900}, 120)
    anew = sentences.with_columns(p_own=pl.col("p_own") ** 2)
    row = corrected(anew, gold)["A"]
    weights = 1 / gold["probability"].to_numpy()
    assert row["classical_share"] == pytest.approx(np.average(gold["label"].to_numpy(), weights=weights))
    assert row["note"].startswith("scored anew")


def test_labels_without_their_sentences_are_named(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 300}, 60)
    first = gold.row(0, named=True)
    gone = (pl.col("article_id") == first["article_id"]) & (pl.col("sentence_id") == first["sentence_id"])
    with pytest.raises(DataError, match=f"1 labelled sentences .* {first['article_id']}"):
        correct_by_gold(articles_of(sentences), sentences.filter(~gone).lazy(), gold)
    with pytest.raises(DataError, match="occurs twice"):
        correct_by_gold(pl.concat([articles_of(sentences)] * 2), sentences.lazy(), gold)


def test_differences_are_those_of_the_estimates(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 900, "B": 900, "C": 900}, 300)
    loaded = pl.when(pl.col("outlet") == "C").then(1.0 - (pl.col("p_own") < 0.1)).otherwise("label")
    gold = gold.with_columns(label=loaded)
    shares = {outlet: row["corrected_share"] for outlet, row in corrected(sentences, gold).items()}
    pairs = correct_by_gold(articles_of(sentences), sentences.lazy(), gold).pairs
    assert pairs.select("outlet_a", "outlet_b").rows() == [("A", "B"), ("A", "C"), ("B", "C")]
    for row in pairs.iter_rows(named=True):
        assert row["difference"] == pytest.approx(shares[row["outlet_a"]] - shares[row["outlet_b"]])
        assert row["ci_low"] < row["difference"] < row["ci_high"]
        assert (row["p_value"] < 0.05) == (row["ci_low"] > 0 or row["ci_high"] < 0)
    assert pairs["p_adjusted"].to_numpy() == pytest.approx(adjust_holm(pairs["p_value"].to_numpy()))


def test_two_samples_are_not_put_together(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 900, "B": 900}, 120)
    again = draw_sample(tmp_path / "scores", 200, seed=1).with_columns(label=pl.lit(1.0))
    apart = again.join(gold, on=["article_id", "sentence_id"], how="anti")
    with pytest.raises(DataError, match="of two samples, both drawn from A"):
        corrected(sentences, pl.concat([gold, apart]))


def test_strata_whose_rows_were_deleted_are_missed(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 900, "B": 900}, 120)
    for stratum in gold["stratum"].unique().to_list():
        others = gold.filter(pl.col("stratum") != stratum)
        assert corrected(sentences, gold.with_columns(label=pl.when(pl.col("stratum") != stratum).then("label")))
        low, high = stratum.partition(" | ")[2].split("-")
        with pytest.raises(DataError, match=rf"of {stratum[0]} with scores from {low} to {high}"):
            corrected(sentences, others)
    assert set(corrected(sentences, gold.filter(pl.col("outlet") == "A"))) >= {"A", ALL_OUTLETS}


def test_all_outlets_are_told_of_only_where_each_has_labels(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 900, "B": 900}, 120)
    only_a = gold.with_columns(label=pl.when(pl.col("outlet") == "A").then("label"))
    rows = corrected(sentences, only_a)
    assert rows["A"]["corrected_share"] is not None
    assert rows[ALL_OUTLETS]["corrected_share"] is None
    assert "in 1 of 2 groups of strata" in rows[ALL_OUTLETS]["note"]


def test_no_more_labels_are_asked_for_than_there_are_sentences() -> None:
    # Articles of two sentences that are loaded at random: by chance their variance is next to nothing.
    sentences = pl.DataFrame({"article_id": [f"a{at // 2}" for at in range(100)], "outlet": "A", "sentence_id": [at % 2 for at in range(100)], "p_own": 0.3})  # fmt: skip
    asked = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        drawn = sentences[np.sort(rng.choice(100, 40, replace=False))]
        gold = gold_of(drawn.with_columns(stratum=pl.lit(None, pl.String), probability=0.4), rng.integers(0, 2, 40))
        asked.append(corrected(sentences, gold)["A"]["more_labels"])
    told = [more for more in asked if more is not None]
    assert max(told) == 60, "all that are left, in the worst case"
    assert min(told) < 60


def test_articles_of_nobody_are_in_no_pair(tmp_path: Path) -> None:
    sentences, gold = drawn_and_labelled(tmp_path, {"A": 900, "B": 900, "": 900}, 180)
    nobodys = articles_of(sentences).with_columns(pl.col("outlet").replace("", None))
    found = correct_by_gold(nobodys, sentences.with_columns(pl.col("outlet").replace("", None)).lazy(), gold)
    assert None in found.shares["outlet"].to_list()
    assert found.pairs.select("outlet_a", "outlet_b").rows() == [("A", "B")]
    assert found.pairs.select("n_labelled_a", "n_labelled_b").row(0) == (60, 60)


def test_what_a_spreadsheet_rounds_or_leaves_blank_is_read(tmp_path: Path) -> None:
    sentences = sentences_of({"A": 410})
    sample = draw_sample(folder_of(sentences, tmp_path / "scores"), 40)
    ann, bob = tmp_path / "ann.csv", tmp_path / "bob.csv"
    write_sample(sample.with_columns(label=pl.lit("loaded")), ann)
    write_sample(sample.with_columns(pl.col("probability").round(8), label=pl.lit("neutral")), bob)
    with bob.open("a", encoding="utf-8") as file:
        file.write("," * (len(SAMPLE_COLUMNS) - 1) + "\r\n")
    assert read_gold([ann, bob])["label"].to_list() == [0.5] * 40
