"""The linear classifier is a scikit-learn estimator for text, and its words add up to its decision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline

from loadedwords.models.ngrams import NgramSpec, count_ngrams
from loadedwords.training.labels import Labels
from loadedwords.training.linear import LinearFramingClassifier
from loadedwords.training.recipe import Recipe
from loadedwords.training.release import fit_linear
from text_classifier import check_text_classifier


@pytest.fixture(scope="module")
def fitted(small_recipe: Recipe, small_data: Labels) -> LinearFramingClassifier:
    return fit_linear(small_recipe, small_data)


@pytest.fixture(scope="module")
def texts(small_data: Labels) -> list[str]:
    return small_data.table["text"].to_list()


def test_it_is_a_text_classifier(texts: list[str], small_data: Labels) -> None:
    check_text_classifier(
        lambda: LinearFramingClassifier(bits=14, folds=2), texts, small_data.table["label"].to_numpy()
    )


@pytest.mark.parametrize("named", [True, False])
def test_it_works_inside_scikit_learn(small_data: Labels, named: bool) -> None:
    table = small_data.table.filter(pl.col("corpus") == small_data.table["corpus"][0])
    texts = np.array(table["text"].to_list(), dtype=object)
    number, groups = table["label"].to_numpy(), table["article"].to_numpy()
    y = np.where(number == 1, "loaded", "neutral") if named else number
    model = LinearFramingClassifier(bits=14, folds=2)
    folds = GroupKFold(3)

    # Scorers read the second class, whatever it is called: neither comes out inverted.
    for scoring, least in (("roc_auc", 0.6), ("accuracy", 0.6), ("f1_macro", 0.5), ("neg_log_loss", -0.7)):
        assert cross_val_score(make_pipeline(model), texts, y, groups=groups, cv=folds, scoring=scoring).mean() > least
    second = cross_val_predict(model, texts, y, groups=groups, cv=folds, method="predict_proba")[:, 1]
    assert roc_auc_score(number if not named else y == "neutral", second) > 0.6

    search = GridSearchCV(Pipeline([("framing", model)]), {"framing__C": [1.0, 10.0]}, scoring="roc_auc", cv=folds)
    search.fit(texts, y, groups=groups)
    assert search.best_score_ > 0.6

    for method in ("sigmoid", "isotonic"):
        calibrated = CalibratedClassifierCV(model, method=method, cv=3).fit(texts, y)
        loaded = calibrated.predict_proba(texts)[:, calibrated.classes_.tolist().index("loaded" if named else 1)]
        assert roc_auc_score(number, loaded) > 0.8
    assert (model.fit(texts, y).decision_function(texts) > 0).mean() == pytest.approx(
        (model.predict(texts) == model.classes_[1]).mean(), abs=0.05
    )


def test_words_add_up_to_the_decision(fitted: LinearFramingClassifier, texts: list[str]) -> None:
    scorer = fitted.scorer_
    found, decision, features = scorer.word_features(texts)
    total = np.bincount(found.word_sentence, weights=features[:, 0], minlength=len(texts)) + scorer.intercept
    np.testing.assert_allclose(total, decision, atol=1e-9)
    np.testing.assert_allclose(scorer.decision_function(texts), decision, atol=1e-9)


def test_marked_words_are_found_again(fitted: LinearFramingClassifier, small_data: Labels, texts: list[str]) -> None:
    """Found words are marked ones far more often than words taken by chance."""
    hits = total = n_marked = 0
    n_words = len(" ".join(texts).split())
    for marked, words in zip(small_data.table["words"], fitted.find_loaded_words(texts), strict=True):
        n_marked += 0 if marked is None else len(marked)
        for word in words:
            total += 1
            hits += any(m["start"] < word.end and word.start < m["end"] for m in ([] if marked is None else marked))
    assert hits / total > 3 * n_marked / n_words


def test_probabilities_are_calibrated_on_sentences_not_seen(small_recipe: Recipe, small_data: Labels) -> None:
    even = pl.col("article").map_elements(lambda article: hash_of(article) % 2 == 0, pl.Boolean)
    model = fit_linear(
        replace(small_recipe, estimator={"bits": 16}), replace(small_data, table=small_data.table.filter(even))
    )
    rest = small_data.table.filter(~even)
    probability = model.predict_proba(rest["text"].to_list())[:, 1]
    assert abs(probability.mean() - rest["label"].mean()) < 0.1
    assert roc_auc_score(rest["label"], probability) > 0.75


def test_a_soft_target_is_learnt(texts: list[str], small_data: Labels) -> None:
    labels = small_data.table["label"].to_numpy()
    turned = LinearFramingClassifier(bits=14, folds=2).fit(texts, labels, target=1.0 - labels)
    assert roc_auc_score(labels, turned.predict_proba(texts)[:, 1]) < 0.1
    half = LinearFramingClassifier(bits=14, folds=2).fit(texts, labels, target=0.2 + 0.1 * labels)
    assert half.predict_proba(texts)[:, 1].mean() == pytest.approx((0.2 + 0.1 * labels).mean(), abs=0.02)


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
