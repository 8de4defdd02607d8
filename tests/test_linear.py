"""The linear classifier is a scikit-learn estimator for text, and its words add up to its decision."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from loadedwords.models.linear import LinearFramingClassifier
from loadedwords.models.ngrams import NgramSpec, count_ngrams
from loadedwords.models.recipe import TrainingSet
from loadedwords.models.training import fit_estimator
from text_classifier import check_text_classifier


@pytest.fixture(scope="module")
def fitted(small_data: TrainingSet) -> LinearFramingClassifier:
    return fit_estimator(LinearFramingClassifier(bits=14, folds=2), small_data)


def test_it_is_a_text_classifier(small_data: TrainingSet) -> None:
    check_text_classifier(lambda: LinearFramingClassifier(bits=14, folds=2), small_data.texts, small_data.labels)


def test_it_works_inside_scikit_learn(small_data: TrainingSet) -> None:
    model = make_pipeline(LinearFramingClassifier(bits=14, folds=2))
    scores = cross_val_score(
        model,
        np.array(small_data.texts, dtype=object),
        small_data.labels,
        groups=small_data.articles,
        cv=GroupKFold(3),
        scoring="roc_auc",
    )
    assert scores.min() > 0.7


def test_words_add_up_to_the_decision(fitted: LinearFramingClassifier, small_data: TrainingSet) -> None:
    scorer = fitted.scorer_
    found, decision, features = scorer.word_features(small_data.texts)
    total = np.bincount(found.word_sentence, weights=features[:, 0], minlength=len(small_data.texts)) + scorer.intercept
    np.testing.assert_allclose(total, decision, atol=1e-9)
    np.testing.assert_allclose(scorer.decision_function(small_data.texts), decision, atol=1e-9)


def test_words_are_slices_and_above_the_threshold(fitted: LinearFramingClassifier, small_data: TrainingSet) -> None:
    n = 0
    for text, words in zip(small_data.texts, fitted.find_loaded_words(small_data.texts), strict=True):
        assert all(a.end <= b.start for a, b in itertools.pairwise(words))
        for word in words:
            n += 1
            assert text[word.start : word.end].strip() == text[word.start : word.end] != ""
            assert fitted.scorer_.word_threshold <= word.score <= 1
    assert n > 50


def test_marked_words_are_found_again(fitted: LinearFramingClassifier, small_data: TrainingSet) -> None:
    """Found words are marked ones far more often than words taken by chance."""
    hits = total = n_marked = 0
    n_words = len(" ".join(small_data.texts).split())
    for marked, words in zip(small_data.loaded_words, fitted.find_loaded_words(small_data.texts), strict=True):
        n_marked += len(marked or ())
        for word in words:
            total += 1
            hits += any(low < word.end and word.start < high for low, high in marked or ())
    assert hits / total > 3 * n_marked / n_words


def test_probabilities_are_calibrated_on_sentences_not_seen(small_data: TrainingSet) -> None:
    even = np.array([hash_of(article) % 2 == 0 for article in small_data.articles])
    model = fit_estimator(LinearFramingClassifier(bits=16), small_data.rows(np.flatnonzero(even)))
    rest = small_data.rows(np.flatnonzero(~even))
    probability = model.predict_proba(rest.texts)[:, 1]
    assert abs(probability.mean() - rest.labels.mean()) < 0.1
    assert roc_auc_score(rest.labels, probability) > 0.75


def hash_of(text: str) -> int:
    return sum(map(ord, text))


def brute_force(text: str, spec: NgramSpec) -> list[str]:
    """The n-grams of one plain lower-case sentence without punctuation, the slow and obvious way."""
    words = text.split()
    grams = [
        "w" + " ".join(words[k : k + n])
        for n in range(spec.words[0], spec.words[1] + 1)
        for k in range(len(words) - n + 1)
    ]
    for n in range(spec.characters[0], spec.characters[1] + 1):
        for word in words:
            padded = f" {word} "
            grams += ["c" + padded[k : k + n] for k in range(len(padded) - n + 1)]
    return grams


@settings(deadline=None)
@given(st.lists(st.lists(st.text("abcé", min_size=1, max_size=7), max_size=6).map(" ".join), min_size=1, max_size=5))
def test_ngrams_are_those_of_the_obvious_way(texts: list[str]) -> None:
    spec = NgramSpec((1, 2), (3, 5), 24)
    found = count_ngrams(texts, spec)
    for at, text in enumerate(texts):
        buckets = sorted(found.bucket[found.sentence == at].tolist())
        obvious = brute_force(text, spec)
        assert len(buckets) == len(obvious)
        assert len(set(buckets)) == len(set(obvious)), "equal n-grams share a bucket, others do not"
        assert sorted(count_ngrams([text], spec).bucket.tolist()) == buckets, "a bucket must not depend on the place"


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_text_can_be_counted(texts: list[str]) -> None:
    found = count_ngrams(texts, NgramSpec(bits=10))
    assert ((found.bucket >= 0) & (found.bucket < 1024)).all()
    for at in range(len(found.word_start)):
        text = texts[found.word_sentence[at]]
        assert 0 <= found.word_start[at] < found.word_end[at] <= len(text)


def test_marks_of_speech_are_not_seen() -> None:
    spec = NgramSpec()
    plain = count_ngrams(["He called it a disgrace"], spec)
    quoted = count_ngrams(["He called it “a disgrace”"], spec)
    assert sorted(plain.bucket.tolist()) == sorted(quoted.bucket.tolist())
