"""Labelled corpora of every publisher come out in one schema."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

import loadedwords
from loadedwords.errors import DataError
from loadedwords.training.corpora import CORPORA, find_corpus_file, load_corpus
from loadedwords.training.labels import load_labels
from loadedwords.training.marks import find_marked
from loadedwords.training.recipe import CorpusUse, Recipe, read_recipe

COLUMNS = {"id", "text", "label", "outlet", "article", "vote_share", "loaded_words", "corpus"}
COLUMNS |= {"annotators", "marked_words", "topic", "lean", "target", "part"}
SHAMELESS = {"start": 2, "end": 11, "share": None, "kind": None, "praise": None}
DATA = Path(__file__).parents[1] / "notebooks" / "data"


@pytest.mark.parametrize(
    ("name", "split", "n", "asked"),
    [
        ("news", "train", 5600, True),
        ("babe", "train", 3118, True),
        ("anno-lexical", "train", 33804, False),
        ("anno-lexical", "validation", 7231, False),
        ("ptc", "train", 13040, True),
        ("checkthat", "train", 1287, False),
    ],
)
def test_published_corpora(name: str, split: str, n: int, asked: bool, corpora: Path) -> None:
    loaded = load_corpus(name, corpora, split=split)
    assert set(loaded.column_names) == COLUMNS
    assert loaded.num_rows == n
    assert loaded.features["label"].names == ["neutral", "loaded"]
    assert 0 < np.mean(loaded["label"][:]) < 1
    for row in loaded.select(range(0, n, 37)):
        if name != "babe" or row["annotators"]:  # BABE's re-annotated sentences come without words
            assert (row["loaded_words"] is not None) == asked
        for span in row["loaded_words"] or ():
            assert 0 <= span["start"] < span["end"] <= len(row["text"])


def test_your_own_labels(tmp_path: Path) -> None:
    ours = load_corpus(str(DATA / "labelled.csv"))
    assert ours.num_rows >= 400
    assert len(set(ours["outlet"][:])) >= 5
    for row in ours:
        assert bool(row["loaded_words"]) == (row["label"] == 1), row["id"]
    file = tmp_path / "x.jsonl"
    rows = [
        {"sentence": "A shameless puppet.", "label": "Biased", "loaded_words": ["shameless"]},
        {"sentence": "It met.", "label": 0},
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    first, second = loadedwords.load_corpus(str(file))
    assert (first["label"], second["label"]) == (1, 0)
    assert first["loaded_words"] == [SHAMELESS]
    assert second["loaded_words"] is None
    assert first["article"] != second["article"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\nThe dam broke.,maybe\n", "row 1: label 'maybe' is neither"),
        ("copy,label\nThe dam broke.,0\n", "Looked for: text, sentence. Found: copy, label"),
        ("text,mood\nThe dam broke.,0\n", "no label"),
        ("text,label\n", "no labelled sentence"),
        ("text,label\n ,1\n", "row 1: the text is empty"),
        ("text;label\nThe dam broke.;skip\n", "label 'skip' is neither .*\n.*take out what was skipped"),
        ("text,label,loaded_words\nThe dam broke.,0,[broke\n", "are no list"),
    ],
)
def test_labels_that_can_not_be_understood(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_corpus(str(file))


def test_a_field_that_csv_refuses_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("text,label\nThe dam broke.,0\n", encoding="utf-8")
    limit = csv.field_size_limit(5)
    try:
        with pytest.raises(DataError, match=r"x\.csv can't be read: field larger than field limit"):
            load_corpus(str(file))
    finally:
        csv.field_size_limit(limit)


def test_corpora_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Looked for: babe_train\.jsonl"):
        load_corpus("babe", tmp_path)
    with pytest.raises(DataError, match="no labelled file"):
        load_corpus("nosuch.csv")
    assert find_corpus_file("owner/data-v1.1", None) is None, "a name on the Hub"
    with pytest.raises(DataError, match="No Hugging Face Hub name is known"):
        load_corpus("checkthat")


def test_the_hub_layout_of_babe(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the Hub the marked words are a list written out as text, and the id is called uuid."""
    asked: list[Any] = []

    def fetch(name: str, split: str, revision: str | None) -> datasets.Dataset:
        asked.append((name, split, revision))
        row = {
            "uuid": "u1",
            "text": "A shameless puppet.",
            "outlet": "Blare",
            "label": 1,
            "topic": "dams",
            "news_link": "https://example.org",
        }
        return datasets.Dataset.from_list(
            [row | {"biased_words": "['shameless']", "type": "left", "label_opinion": "x"}]
        )

    monkeypatch.setattr(datasets, "load_dataset", fetch)
    (row,) = load_corpus("babe", revision="abc")
    assert asked == [("mediabiasgroup/BABE", "train", "abc")]
    assert (row["id"], row["article"], row["label"]) == ("u1", "https://example.org", 1)
    assert row["loaded_words"] == [SHAMELESS]


def test_a_hub_that_does_not_answer_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(DataError, match="path="):
        load_corpus("babe")
    with pytest.raises(DataError, match="no network"):
        load_corpus("somebody/a-dataset")


def test_what_annotators_meant_is_found() -> None:
    """Typing errors, inflections, several words, and what belongs to another sentence."""
    text = "The buffoonish minister’s cronies were indoctrinating white nationalists; cronies everywhere."

    def found(*marked: str) -> list[str]:
        return [text[span["start"] : span["end"]] for span in find_marked(text, marked)]

    assert found("CRONIES", "crony") == ["cronies", "cronies"], "whole words, in any case"
    assert found("nation") == [], "no part of a word"
    assert found("buffonish") == ["buffoonish"]
    assert found("indoctrinate") == ["indoctrinating"]
    assert found("white nationalist") == ["white nationalists"]
    assert found("Minister's cronies") == ["minister’s cronies"]
    assert found("cronies") == ["cronies", "cronies"]
    assert found("buffoonish nationalists") == ["buffoonish", "nationalists"]
    assert found("tormented", "war", "") == []


def test_babe_keeps_what_training_needs(corpora: Path) -> None:
    babe = load_corpus("babe", corpora)
    voted = [row for row in babe if row["annotators"] is not None]
    assert len(voted) == sum(share is not None for share in babe["vote_share"]) == 2779
    assert all(row["loaded_words"] is None and row["marked_words"] is None for row in babe if row["annotators"] is None)
    assert len(set(babe["article"])) < babe.num_rows
    row = next(row for row in voted if row["loaded_words"])
    with (corpora / "babe_train.jsonl").open(encoding="utf-8") as lines:
        raw = next(raw for raw in map(json.loads, lines) if raw["id"] == row["id"])
    agreed = {row["text"][word["start"] : word["end"]].lower() for word in row["loaded_words"]}
    assert agreed <= {word.lower() for word in raw["biased_words"]}
    for row in voted[::23]:
        assert {mark["annotator"] for mark in row["marked_words"]} <= set(row["annotators"])
        assert all(0 <= mark["start"] < mark["end"] <= len(row["text"]) for mark in row["marked_words"])


def test_training_refuses_a_published_test_split(corpora: Path) -> None:
    recipe = read_recipe("linear")
    cheating = Recipe(recipe.kind, "cheating", (CorpusUse("babe", split="test", in_domain=True),), recipe.estimator)
    with pytest.raises(DataError, match="for measuring only"):
        load_labels(cheating, corpora)


def test_every_corpus_says_whose_it_is_and_who_labelled_it() -> None:
    assert all(corpus.licence and corpus.source and corpus.labelled_by for corpus in CORPORA.values())
