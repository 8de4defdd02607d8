"""The list finds its wording and spares what only looks like it; it adds to what the model finds and never doubles it."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.house import LINT_KINDS
from loadedwords.lint import House, lint_text
from loadedwords.lint.formats import as_github, as_sarif
from loadedwords.lint.listed import _read_passives, _read_wordings, listed_in
from loadedwords.lint.word_lists import read_lists
from loadedwords.scoring import FramingModel, load_model
from test_lint import Marking

# Of plain sentences of news; raise it with a reason only. The target is 1 in 200.
CEILING_IN_PLAIN = 1 / 300


@pytest.mark.parametrize(
    ("sentence", "kind", "found", "plain"),
    [
        ("The raid caused collateral damage.", "euphemism", "collateral damage", "The raid caused harm to civilians."),
        ("Collateral damage was feared.", "euphemism", "Collateral damage", "Harm to civilians was feared."),
        ("A surgical strike hit it.", "euphemism", "surgical strike", "An air strike hit it."),
        ("The firm plans to downsize.", "euphemism", "downsize", "The firm plans to cut jobs."),
        ("It spoke of an officer-involved shooting.", "euphemism", "officer-involved shooting", "It spoke of a police shooting."),
        ("Troops neutralised two militants.", "euphemism", "neutralised two militants", None),
        ("Shots were fired.", "hidden-agent", "Shots were fired", None),
        ("Mistakes in the ward were later made.", "hidden-agent", "Mistakes in the ward were later made", None),
        ("Protesters were beaten in the square.", "hidden-agent", "Protesters were beaten", None),
        ("The minutes have been shredded.", "hidden-agent", "minutes have been shredded", None),
        ("Two of those who backed the deal have been ousted.", "hidden-agent", "have been ousted", None),
        ("A decision was taken to close it.", "hidden-agent", "decision was taken to", None),
        ("It cost a mere 40 crowns.", "exaggeration", "a mere", None),
        ("She conveniently forgot it.", "insinuation", "conveniently", None),
        ("He claims to be a friend of the poor.", "insinuation", "claims to be", None),
    ],
)  # fmt: skip
def test_what_is_found(sentence: str, kind: str, found: str, plain: str | None) -> None:
    (listed,) = listed_in(sentence)
    assert (listed.kind, sentence[listed.start : listed.end]) == (kind, found)
    assert next((each.apply(sentence) for each in listed.plainer), None) == plain


@pytest.mark.parametrize(
    "sentence",
    [
        "Mistakes were made by the chief.",
        "Shots were fired, witnesses said, by two men.",
        "Police said that protesters were beaten.",
        "Villages were flattened in the earthquake.",
        "A decision was made.",
        "The eggs were beaten until they were stiff.",
        "The clinic is conveniently located near the bridge.",
        "He claims to be able to see it.",
        "The so-called collateral damage was great.",
        "The army calls it “collateral damage”.",
        "The term neutral is plain, and the phrase collateral damage is not.",
        "She starred in Collateral Damage in 2001.",
        "The club is collateral; damage is rare.",
        "The asylum claims to be processed on Monday are many.",
        "It took a little more than a year.",
    ],
)
def test_what_is_not(sentence: str) -> None:
    assert listed_in(sentence) == []


def test_titles_in_capitals_are_looked_at() -> None:
    (found,) = listed_in("Army Admits Collateral Damage in Harton")
    assert found.kind == "euphemism"


def test_a_wording_differs_in_nothing_but_number_from_what_it_replaces() -> None:
    (found,) = listed_in("Collateral casualties was the word of the day.")
    assert found.plainer == (), "a plural has no place before was"
    (found,) = listed_in("It was a workforce reduction.")
    assert found.plainer == (), "nor behind an article"


def test_the_list_holds_no_plain_wording_of_its_own_and_known_kinds() -> None:
    for group in read_lists("listed.toml")["wording"]:
        assert group["kind"] in LINT_KINDS
        assert group["why"] == group["why"].strip().removesuffix(".")
        for plain in filter(None, group["words"].values()):
            assert listed_in(f"it was {plain.replace(', ', ' and ')}.") == []
    assert len(_read_wordings()._entries) == sum(len(group["words"]) for group in read_lists("listed.toml")["wording"])
    assert len(_read_passives()._entries) == len(read_lists("listed.toml")["passive"])


PIECES = st.sampled_from(["Shots ", "in the north ", "were ", "later ", "fired ", "by ", "collateral damage ", "a ", "a mere ", "“", "”", "\n", "İ", "ß ", "claims to be "])  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_findings_stand_in_order_and_apart(sentence: str) -> None:
    found = listed_in(sentence)
    assert all(0 <= each.start < each.end <= len(sentence) for each in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
    assert all(each.start >= item.start - 3 and each.end == item.end for item in found for each in item.plainer)


@pytest.fixture(scope="module")
def model() -> FramingModel:
    marking = load_model("linear")
    marking._scorer = Marking()  # type: ignore[assignment]
    return marking


def test_the_linter_says_that_the_list_found_it(model: FramingModel) -> None:
    text = "The council met. It spoke of collateral damage when shots were fired."
    euphemism, passive = lint_text(text, model=model)
    assert (euphemism.kind, euphemism.severity, euphemism.found_by, euphemism.score) == (
        "euphemism",
        "warning",
        "list",
        1,
    )
    assert (passive.kind, passive.severity, passive.text) == ("hidden-agent", "note", "shots were fired")
    assert text[euphemism.start : euphemism.end] == "collateral damage"
    assert 'euphemism "collateral damage" (listed): ' in as_github([euphemism])
    (result,) = json.loads(as_sarif([euphemism]))["runs"][0]["results"]
    assert (result["ruleId"], result["properties"]["found_by"], "rank" in result) == ("euphemism", "list", False)
    assert [f.kind for f in lint_text(text, model=model, house=House(off=("hidden-agent",)))] == ["euphemism"]
    assert lint_text(text, model=model, house=House(off=("hidden-agent",), accept=("collateral damage",))) == []


def test_what_the_model_finds_is_not_found_again(model: FramingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_read_wordings().__dict__, "_one", re.compile("regime"))
    monkeypatch.setitem(_read_wordings().__dict__, "_entries", [(re.compile("regime"), _read_wordings()._entries[0][1])])  # fmt: skip
    assert [f.found_by for f in lint_text("The shameless regime met.", model=model)] == ["model"]
    assert [f.found_by for f in lint_text("A regime.", model=model, house=House(off=("label",)))] == ["list"]


def test_quoted_stock_wording_is_the_speakers(model: FramingModel) -> None:
    text = "“There was collateral damage in the town that day,” said Ann Lee."
    assert lint_text(text, model=model) == []
    (found,) = lint_text(text, model=model, quotes=True)
    assert (found.voice, found.speaker) == ("quoted", "Ann Lee")


def test_plain_sentences_of_news_are_spared(corpora: Path) -> None:
    rows = [json.loads(line) for line in (corpora / "news_train.jsonl").read_text(encoding="utf-8").splitlines()]
    plain = [row["text"] for row in rows if row["target"] == 0]
    assert sum(bool(listed_in(text)) for text in plain) <= CEILING_IN_PLAIN * len(plain)
