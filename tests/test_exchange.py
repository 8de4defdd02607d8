"""Other versions of a sentence: one thing is exchanged for another of its kind, and nothing else."""

from __future__ import annotations

import difflib
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.corpora import load_corpus
from loadedwords.models.exchange import _EXCHANGES, KINDS, make_exchanges

ONE_OF_EACH = {
    "party": "Republican lawmakers and two Democrats voted for it.",
    "politician": "Nancy Pelosi met Obama on Friday.",
    "person": "Rachel Okoro said it was late, and Okoro left.",
    "nationality": "An Italian company hired forty Kenyans.",
    "religion": "A Catholic school opened beside the mosque.",
    "group": "Two young men and an elderly neighbour were hurt.",
    "occupation": "An engineer and three nurses told the court so.",
    "place": "Heavy rain closed roads in Chicago and across France.",
    "gender": "The chairman said he had sent his wife her passport and thanked her.",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_exchanged_and_the_rest_stays(kind: str) -> None:
    text = ONE_OF_EACH[kind]
    seen = set()
    for seed in range(20):
        version = _EXCHANGES[kind](text, random.Random(seed))
        assert version is not None
        assert version != text
        seen.add(version)
        words = text.split(), version.split()
        same = difflib.SequenceMatcher(a=words[0], b=words[1]).get_matching_blocks()
        assert sum(block.size for block in same) >= len(words[0]) - 6
    assert kind == "gender" or len(seen) > 5


def test_gender_is_exchanged_throughout() -> None:
    exchange = _EXCHANGES["gender"]
    rng = random.Random(0)
    assert (
        exchange(ONE_OF_EACH["gender"], rng)
        == "The chairwoman said she had sent her husband his passport and thanked him."
    )
    assert exchange("He said Mr. Lind blamed himself.", rng) == "She said Ms. Lind blamed herself."
    assert exchange("Her lawyer saw her at home.", rng) == "His lawyer saw him at home."


def test_a_surname_follows_its_name() -> None:
    version = _EXCHANGES["person"](ONE_OF_EACH["person"], random.Random(1))
    assert version is not None
    assert "Okoro" not in version
    surname = version.split(" said")[0].split()[-1]
    assert version.endswith(f"and {surname} left.")


def test_the_article_agrees() -> None:
    for seed in range(40):
        version = _EXCHANGES["nationality"]("An Italian firm bid first.", random.Random(seed))
        assert version is not None
        article, adjective = version.split()[:2]
        assert (article == "An") == (adjective[0] in "AEIOU" and not adjective.startswith("Eu")), version


def test_kinds_are_balanced_and_no_sentence_is_used_twice() -> None:
    texts = [text.replace(".", f" {n}.") for n in range(10) for text in ONE_OF_EACH.values()]
    made = make_exchanges(texts, 45)
    assert len({each.text for each in made}) == len(made) == 45
    counts = Counter(each.kind for each in made)
    assert set(counts) == set(KINDS)
    assert max(counts.values()) - min(counts.values()) <= 2
    assert made == make_exchanges(texts, 45)
    assert make_exchanges(["It rained."], 3) == []


@given(st.lists(st.text(max_size=60), max_size=5), st.integers(0, 3))
def test_any_text_is_survived(texts: list[str], seed: int) -> None:
    for made in make_exchanges(texts, 5, seed=seed):
        assert made.text in texts
        assert made.version != made.text


def test_much_of_real_news_can_be_exchanged(corpora: Path) -> None:
    texts = load_corpus("babe", corpora)["text"]
    made = make_exchanges(texts, len(texts))
    assert len(made) > 0.6 * len(texts)
    # What differs is short: a version is not another sentence.
    assert all(abs(len(each.text) - len(each.version)) < 60 for each in made)
