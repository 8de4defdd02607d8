"""Other versions of a sentence: one thing is exchanged for another of its kind, and nothing else."""

from __future__ import annotations

import difflib
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.training.corpora import load_corpus
from loadedwords.training.exchange import _EXCHANGES, KINDS, _applied, _with_articles, exchange

ONE_OF_EACH = {
    "party": "Republican lawmakers and two Democrats voted for it.",
    "politician": "Nancy Pelosi met Obama on Friday.",
    "person": "Rachel Okoro said it was late, and Okoro left.",
    "nationality": "An Italian company hired forty Kenyans.",
    "religion": "A Catholic school opened beside the mosque.",
    "group": "Two young men and an elderly neighbour were hurt.",
    "occupation": "An engineer and three nurses told the court so.",
    "place": "Heavy rain closed roads in Chicago and across France.",
    "study": "A study of biology and cheese was paid for by Google.",
    "gender": "The chairman said he had sent his wife her passport and thanked her.",
}


def one(kind: str, text: str, rng: random.Random) -> str:
    """The version with something of this kind exchanged."""
    edits = _EXCHANGES[kind](text, rng)
    assert edits
    return _applied(text, None, sorted(_with_articles(text, edits)))[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_exchanged_and_the_rest_stays(kind: str) -> None:
    text = ONE_OF_EACH[kind]
    seen = set()
    for seed in range(20):
        version = one(kind, text, random.Random(seed))
        assert version != text
        seen.add(version)
        words = text.split(), version.split()
        same = difflib.SequenceMatcher(a=words[0], b=words[1]).get_matching_blocks()
        assert sum(block.size for block in same) >= len(words[0]) - 6
    assert kind == "gender" or len(seen) > 5


def test_gender_is_exchanged_throughout() -> None:
    rng = random.Random(0)
    assert (
        one("gender", ONE_OF_EACH["gender"], rng)
        == "The chairwoman said she had sent her husband his passport and thanked him."
    )
    assert one("gender", "He said Mr. Lind blamed himself.", rng) == "She said Ms. Lind blamed herself."
    assert one("gender", "Her lawyer saw her at home.", rng) == "His lawyer saw him at home."


def test_a_surname_follows_its_name() -> None:
    version = one("person", ONE_OF_EACH["person"], random.Random(1))
    assert "Okoro" not in version
    surname = version.split(" said")[0].split()[-1]
    assert version.endswith(f"and {surname} left.")


def test_the_article_agrees() -> None:
    for seed in range(40):
        version = one("nationality", "An Italian firm bid first.", random.Random(seed))
        article, adjective = version.split()[:2]
        assert (article == "An") == (adjective[0] in "AEIOU" and not adjective.startswith("Eu")), version


@given(st.sampled_from(KINDS), st.integers(0, 1000), st.data())
def test_what_was_marked_is_marked_afterwards(kind: str, seed: int, data: st.DataObject) -> None:
    """The same words, or what came in their place; and what nothing was exchanged in is as it was."""
    text = ONE_OF_EACH[kind]
    words = [match.span() for match in re.finditer(r"\w+", text)]
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(words) - 1)] * 2)))
    start, end = words[first][0], words[last][1]
    edits = sorted(_with_articles(text, _EXCHANGES[kind](text, random.Random(seed))))
    version, marks = _applied(text, [{"start": start, "end": end, "share": 0.5}], edits)
    assert marks is not None
    (mark,) = marks
    assert mark["share"] == 0.5
    inside = [edit for edit in edits if edit[0] < end and start < edit[1]]
    low, high = (min(start, inside[0][0]), max(end, inside[-1][1])) if inside else (start, end)
    expected = text[low:high]
    for at, until, new in reversed(inside):  # from behind, so that no place moves
        expected = expected[: at - low] + new + expected[until - low :]
    assert version[mark["start"] : mark["end"]] == expected
    assert version[: mark["start"]].startswith(text[: min(edits[0][0], low)])
    assert version[mark["end"] :].endswith(text[max(edits[-1][1], high) :])


def test_a_sentence_moves_with_its_marks() -> None:
    text = "The shameless Democrats and a vile mob of Republicans sneered."
    marks = [{"start": text.index(word), "end": text.index(word) + len(word)} for word in ("shameless", "vile mob")]
    seen = set()
    for seed in range(20):
        version, moved = exchange(text, marks, random.Random(seed)) or ("", None)
        assert moved is not None
        assert [version[mark["start"] : mark["end"]] for mark in moved] == ["shameless", "vile mob"]
        seen.add(version)
    assert len(seen) > 1
    assert text not in seen


@given(st.text(max_size=60), st.integers(0, 3))
def test_any_text_is_survived(text: str, seed: int) -> None:
    exchange(text, [{"start": 0, "end": len(text)}], random.Random(seed))
    assert exchange("It rained.", None, random.Random(seed)) is None


def test_much_of_real_news_can_be_exchanged(corpora: Path) -> None:
    rng = random.Random(0)
    texts = load_corpus("babe", corpora)["text"]
    made = [(text, version) for text in texts if (version := exchange(text, None, rng))]
    assert len(made) > 0.6 * len(texts)
    # What differs is short: a version is not another sentence.
    assert all(abs(len(text) - len(version)) < 60 for text, (version, _) in made)
