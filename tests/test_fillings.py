"""Fillings: which words are found for which place, and what is made of sentences with them."""

from __future__ import annotations

from collections import Counter

import pytest

from loadedwords.models.fillings import make_fillings, words_by_place

SEEN = [
    "Dredgers said the sordid plan was ready.",
    "Farmers said that Anna rebuked the mayor, and arsonists who came left quietly.",
    "It began with the farce of a 48-month budget and the NATO meeting.",
]
NEUTRAL = [
    "The government announced the plan on Monday.",
    "Officials met the ministers before the meeting.",
    "The committee said the report would follow.",
    "The council approved the budget.",
]


def test_words_are_found_by_the_place_where_they_stand() -> None:
    found = words_by_place(SEEN)
    assert found["adjective"] == ["sordid"], "neither numbers nor names"
    assert found["adverb"] == ["quietly"]
    assert found["many"] == ["arsonists"]
    assert found["verb"] == ["rebuked"]
    assert found["doings"] == ["farce"]


def test_a_sentence_is_filled_in_two_places_at_most_and_keeps_the_rest() -> None:
    words = {
        "adjective": ["sordid"],
        "adverb": ["glumly"],
        "verb": ["rubbished"],
        "doings": ["folly"],
        "many": ["louts"],
    }
    put = {word for kind in words.values() for word in kind}
    made = make_fillings(NEUTRAL, words, 12)
    assert made
    for text in made:
        tokens = [token.strip(".,").lower() for token in text.split()]
        assert 1 <= sum(token in put for token in tokens) <= 2, text
        assert any(
            len({t.strip(".,").lower() for t in of.split()} - set(tokens) - {"a", "an"}) <= 2 for of in NEUTRAL
        ), text
    assert made == make_fillings(NEUTRAL, words, 12)
    assert made != make_fillings(NEUTRAL, words, 12, seed=1)


def test_every_word_is_put_in_before_one_is_put_in_again() -> None:
    words = {"adjective": [f"w{at}" for at in "abcdef"]}
    made = make_fillings(NEUTRAL, words, 6)
    used = Counter(token for text in made for token in text.split() if token in words["adjective"])
    assert len(made) == 6
    assert set(used.values()) == {1}
    assert sorted(used) == words["adjective"]


@pytest.mark.parametrize("text", ['He said "the plan" again.', "Rain, then sun.", ""])
def test_a_sentence_without_a_place_or_with_quotation_marks_is_passed_over(text: str) -> None:
    assert not make_fillings([text], words_by_place(SEEN), 3)


def test_no_words_no_fillings() -> None:
    assert not make_fillings(NEUTRAL, words_by_place([]), 3)
    assert not make_fillings([], words_by_place(SEEN), 3)
