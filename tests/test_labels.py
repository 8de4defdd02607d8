"""Labelled sentences as one table, and what is learnt of their words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loadedwords.models.bundle import open_bundle
from loadedwords.models.odds import logistic, logit
from loadedwords.models.scores import Logits
from loadedwords.training.calibration import fit_settings
from loadedwords.training.card import write_card
from loadedwords.training.corpora import load_corpus
from loadedwords.training.labels import calibrating, is_held_out, load_labels, word_targets
from loadedwords.training.recipe import CorpusUse, Recipe, Stage, read_recipe


def test_word_targets_are_half_agreement_half_share() -> None:
    text = "The reckless regime met."
    marks = [
        {"annotator": "a", "start": 4, "end": 19},
        {"annotator": "b", "start": 4, "end": 12},
    ]
    agreed = [{"start": 4, "end": 12, "share": None, "kind": None, "praise": None}]
    nothing = {"kind": None, "praise": None}
    assert word_targets(text, agreed, ["a", "b", "c", "d"], marks) == [
        {"start": 4, "end": 12, "share": 0.75, **nothing},
        {"start": 13, "end": 19, "share": 0.125, **nothing},
    ]
    assert word_targets(text, agreed, None, None) == [{"start": 4, "end": 12, "share": 1.0, **nothing}]
    assert word_targets(text, None, ["a"], []) is None


def test_what_was_not_drawn_at_random_calibrates_nothing() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(size=400) * 2 - 1
    table = pl.DataFrame(
        {
            "target": (rng.random(400) < 1 / (1 + np.exp(-log_odds))).astype(float),
            "in_domain": [at % 4 != 3 for at in range(400)],
            "part": ["natural", None, "enriched", "natural"] * 100,
            "words": pl.Series([[]] * 400, dtype=pl.List(pl.Struct({"start": pl.Int32}))),
        }
    )
    assert calibrating(table).select("in_domain", "part").unique(maintain_order=True).rows() == [
        (True, "natural"),
        (True, None),
    ]
    settings = fit_settings(table, Logits(log_odds, [[]] * 400, []))
    assert settings.bias == pytest.approx(0, abs=0.4)
    # However loaded the rest is, the level stays.
    rest = pl.col("in_domain").not_() | (pl.col("part") == "enriched").fill_null(value=False)
    drawn = table.with_columns(target=pl.when(rest).then(1.0).otherwise("target"))
    assert fit_settings(drawn, Logits(log_odds, [[]] * 400, [])) == settings


def test_held_out_articles_are_never_trained_on(corpora: Path) -> None:
    use = CorpusUse("ptc", held_out=0.2, in_domain=True, stages=("a",))
    recipe = Recipe("transformer", "x", (use,), {}, (Stage("a"),))
    articles = {name.removeprefix("ptc/") for name in load_labels(recipe, corpora).table["article"]}
    assert not any(is_held_out(article, 0.2) for article in articles)
    everything = load_labels(replace(recipe, corpora=(replace(use, held_out=0.0),)), corpora)
    assert 0.7 < len(articles) / everything.table["article"].n_unique() < 0.9


def test_the_news_corpus_is_read_as_it_was_labelled(corpora: Path) -> None:
    news = load_corpus("news", corpora)
    natural = [target for target, part in zip(news["target"], news["part"], strict=True) if part == "natural"]
    assert (len(news), len(natural)) == (5600, 3000)
    assert np.mean(natural) == pytest.approx(0.205, abs=0.001)
    file = pl.read_ndjson(corpora / "news_train.jsonl", infer_schema_length=None)
    raw = [span for spans in file["spans"].to_list() for span in spans]
    read = [(t, word) for t, words in zip(news["text"], news["loaded_words"], strict=True) for word in words]
    assert [text[word["start"] : word["end"]] for text, word in read] == [span["text"] for span in raw]
    assert {(span["kind"], word["kind"]) for span, (_, word) in zip(raw, read, strict=True)} == {
        ("L", "label"),
        ("E", "judgement"),
        ("V", "verb"),
        ("X", "exaggeration"),
        ("M", "exaggeration"),
        ("F", "image"),
        ("K", "mockery"),
        ("I", "insinuation"),
        ("S", "mockery"),
    }


def test_the_table_of_the_default_recipe(corpora: Path) -> None:
    labels = load_labels(read_recipe("default"), corpora)
    table = labels.table
    assert labels.prevalence == pytest.approx(0.205, abs=0.001)
    assert set(calibrating(table)["part"]) == {"natural"}
    measured = table.filter(pl.col("fold").is_not_null())
    assert set(measured["corpus"]) == {"news", "babe"}
    assert measured.group_by("article").agg(pl.col("fold").n_unique())["fold"].max() == 1, "no article in two folds"
    for corpus in ("news", "babe"):
        sizes = measured.filter(pl.col("corpus") == corpus).group_by("fold").len()["len"]
        assert len(sizes) == 5
        assert sizes.max() < 1.4 * sizes.min()
    # A sentence of BABE is taught at BABE's own share: the offset takes up what its drawing has added.
    offsets = dict(table.select("corpus", "offset").unique().iter_rows())
    share = table.filter(pl.col("corpus") == "babe")["target"].mean()
    added = offsets.pop("babe")
    assert logistic(np.array([logit(np.array(labels.prevalence)) + added])) == pytest.approx(share)
    assert added > 1
    assert set(offsets.values()) == {0.0}
    assert "parity" not in set(labels.trained_on()["stages"].explode())


def test_who_labelled_a_corpus_and_how_loaded_it_is_travels_with_the_labels(corpora: Path) -> None:
    recipe = read_recipe("default")
    provenance = load_labels(recipe, corpora).provenance
    of = {use["name"]: use for use in provenance}
    news, babe = of["news"], of["babe"]
    assert "language model" in news["labelled_by"]
    assert "320 sentences" in news["agreement"]
    assert news["base_rates"]["n_sentences"] == 3000
    assert news["base_rates"]["clearly_loaded"] == pytest.approx(0.129, abs=0.001)
    assert babe["base_rates"]["labelled_loaded"] == pytest.approx(0.556, abs=0.001)
    config = {**open_bundle("default").config, "metrics": {}}
    card = write_card({**config, "corpora": list(provenance)})
    assert f"news was labelled by {news['labelled_by']}" in card
    assert card.count("- anno-lexical (train): ") == 1
    assert card.count("; learnt by its labels and as the teachers see it") == 1
    assert "12.9% are clearly loaded" in card


def test_the_card_shows_what_each_part_is_worth_beside_what_it_was_measured_on() -> None:
    config = open_bundle("default").config
    found = [{"name": "babe: ROC AUC", "estimate": 0.9, "low": 0.88, "high": None}]
    line = {"description": "default without plain: 9 sentences; 2 folds, 1 seed; 95% intervals", "findings": found}
    card = write_card({**config, "metrics": {**config["metrics"], "ablation": [line]}})
    table = card.partition("## What each part is worth")[2].partition("## ")[0]
    whole, without = [row for row in table.splitlines() if row.startswith("| default")]
    assert whole.startswith("| default | 3,000 sentences of 1,614 articles, mean target 0.205; 5 folds")
    assert (
        without == "| default without plain | 9 sentences; 2 folds, 1 seed | – | – | – | – | – | 0.900 [no interval] |"
    )
