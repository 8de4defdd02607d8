"""Contrast sentences: what was put in is marked, and nothing else changed."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.models.contrast import listed_words, make_contrasts

NEUTRAL = [
    "The government announced a plan on Tuesday, and three ministers said that it would be revised.",
    "The committee approved a proposal for 12 schools in the northern district.",
    "Officials said the agreement would be published in an annex.",
    "In the evening the council rejected an amendment by 14 votes to 9.",
]


@pytest.mark.parametrize("wide", [False, True])
def test_a_contrast_holds_the_marked_words_and_the_rest_of_the_sentence(wide: bool) -> None:
    for seed in range(40):
        for contrast in make_contrasts(NEUTRAL, 10, wide=wide, seed=seed):
            marked = [contrast.loaded[start:end] for start, end in contrast.loaded_words]
            assert all(marked)
            assert contrast.loaded != contrast.neutral != contrast.plain
            kept = set(contrast.neutral.lower().split()) - {"a", "an"}
            assert len(kept - set(contrast.loaded.lower().split())) <= 2 * len(marked)


@pytest.mark.parametrize("wide", [False, True])
def test_every_marked_word_is_a_listed_one_or_in_scare_quotes(wide: bool) -> None:
    listed = listed_words(wide=wide)
    for seed in range(40):
        for contrast in make_contrasts(NEUTRAL, 10, wide=wide, seed=seed):
            for start, end in contrast.loaded_words:
                quoted = contrast.loaded[start - 1] in "\"“'‘" and contrast.loaded[end] in "\"”'’"
                marked = contrast.loaded[start:end].lower()
                assert quoted or any(word.startswith(marked) for word in listed)


def test_the_article_before_a_word_put_in_agrees_with_it() -> None:
    text = ["The council rejected an agreement on a plan for the schools of the district."]
    for seed in range(60):
        for contrast in make_contrasts(text, 1, seed=seed):
            for version in (contrast.loaded, contrast.plain):
                words = version.split()
                for article, word in pairwise(words):
                    if article in ("a", "an"):
                        letter = word.strip("\"“'‘")[0]
                        sounds = not word.startswith(("uni", "use", "one-", "euro")) and letter in "aeiouAEIOU"
                        assert (article == "an") == (sounds or word.startswith(("hour", "hono"))), version


def test_nothing_is_put_into_a_quotation() -> None:
    assert not make_contrasts(['"The government has a plan," officials said on Tuesday.'], 1)


def test_with_quotations_marks_stand_in_every_version_and_their_words_stay() -> None:
    quoted = 'The minister said that "the government has a plan for schools" and left on Tuesday.'
    made = [each for seed in range(60) for each in make_contrasts([quoted, *NEUTRAL], 10, quotations=True, seed=seed)]
    inside = [re.findall('["“]([^"“”]*)["”]', contrast.neutral) for contrast in made]
    shares = []
    for contrast, said in zip(made, inside, strict=True):
        for version in (contrast.loaded, contrast.plain):
            assert all(words in version for words in said)
        shares.append([any(mark in version for mark in '"“') for version in (contrast.loaded, contrast.plain)])
    assert ["the government has a plan for schools"] in inside
    assert any(len(said) == 1 and contrast.neutral.count("“") == 1 for contrast, said in zip(made, inside, strict=True))
    loaded, plain = np.mean(shares, axis=0)
    assert 0.3 < plain <= loaded < plain + 0.2


def test_wide_contrasts_hold_words_that_the_others_never_do() -> None:
    def marked(wide: bool) -> set[str]:
        made = (c for seed in range(60) for c in make_contrasts(NEUTRAL, 10, wide=wide, seed=seed))
        return {c.loaded[start:end] for c in made for start, end in c.loaded_words}

    assert len(marked(True) - marked(False)) > 100


def test_the_same_seed_makes_the_same_contrasts() -> None:
    assert make_contrasts(NEUTRAL, 4, seed=3) == make_contrasts(NEUTRAL, 4, seed=3)
    assert make_contrasts(NEUTRAL, 4, seed=3) != make_contrasts(NEUTRAL, 4, seed=4)


@given(st.text(), st.integers(0, 9))
def test_any_text_is_taken(text: str, seed: int) -> None:
    for contrast in make_contrasts([text, f"The plan {text} officials said."], 2, seed=seed):
        for start, end in contrast.loaded_words:
            assert 0 <= start < end <= len(contrast.loaded)


def test_spans_stay_right_when_two_words_are_put_in() -> None:
    both = [c for seed in range(80) for c in make_contrasts(NEUTRAL, 4, seed=seed) if len(c.loaded_words) == 2]
    assert both
    listed = listed_words()
    sample = random.Random(0).sample(both, 10)
    marked = [(c.loaded[s:e].lower(), c.loaded[s - 1]) for c in sample for s, e in c.loaded_words]
    assert all(mark in "\"“'‘" or any(word.startswith(text) for word in listed) for text, mark in marked)
