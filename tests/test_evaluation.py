"""Metrics are those of scikit-learn, baselines see no text, and the linear recipe keeps its floor."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from loadedwords.errors import DataError, MissingExtraError
from loadedwords.evaluation import (
    METRICS,
    CheckpointClassifier,
    Predictions,
    compute_metrics,
    cross_validate,
    evaluate_labelled,
    evaluate_predictions,
)
from loadedwords.models.recipe import Recipe, TrainingSet, load_training_set, read_recipe
from loadedwords.scoring import load_model

DATA = Path(__file__).parents[1] / "notebooks" / "data"
# Raise these when the model gets better; lowering one needs a reason in the commit message.
LINEAR_FLOOR_MACRO_F1 = 0.77
LINEAR_FLOOR_ROC_AUC = 0.855
DEFAULT_FLOOR_ROC_AUC = 0.95


def test_metrics_of_a_case_worked_by_hand() -> None:
    labels, decision = np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0])
    metrics = compute_metrics(labels, np.array([0.9, 0.4, 0.3, 0.5]), decision)
    assert set(metrics) == set(METRICS)
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert metrics["mcc"] == pytest.approx(1 / np.sqrt(3))
    assert metrics["roc_auc"] == pytest.approx(3 / 4)
    assert metrics["brier"] == pytest.approx((0.01 + 0.36 + 0.09 + 0.25) / 4)
    assert np.isnan(compute_metrics(np.ones(3, dtype=int), np.ones(3), np.ones(3, dtype=int))["roc_auc"])


def test_baselines_see_no_text() -> None:
    """Outlet A is always loaded and B never; the articles left out are foretold by the others of their outlet."""
    outlets = ["A", "B"] * 40
    labels = np.array([1, 0] * 40)
    articles = np.array([f"{k // 4}" for k in range(80)])
    guess = Predictions(np.full(80, 0.5), np.ones(80, dtype=int))
    metrics = evaluate_predictions({"guess": guess}, labels, articles, outlets).metrics
    assert metrics["outlet's majority label"]["macro_f1"].estimate == 1
    assert metrics["majority label"]["roc_auc"].estimate == 0.5
    assert metrics["guess"]["macro_f1"].estimate == pytest.approx(f1_score(labels, guess.decision, average="macro"))
    one = evaluate_predictions({"guess": guess}, labels, articles, ["A"] * 80).metrics
    assert "outlet's majority label" not in one


def test_an_interval_resamples_articles_not_sentences() -> None:
    """Ten articles of fifty equal sentences each know no more than ten sentences do."""
    rng = np.random.default_rng(0)
    right = rng.random(10) < 0.7
    labels = np.array([k % 2 for k in range(10)]).repeat(50)
    decision = np.where(right.repeat(50), labels, 1 - labels)
    predictions = Predictions(decision.astype(float), decision)
    clustered = evaluate_predictions(
        {"m": predictions}, labels, np.arange(10).repeat(50).astype(str), ["A"] * 500
    ).metrics["m"]["macro_f1"]
    loose = evaluate_predictions({"m": predictions}, labels, np.arange(500).astype(str), ["A"] * 500).metrics["m"][
        "macro_f1"
    ]
    assert clustered.high is not None
    assert clustered.low is not None
    assert loose.high is not None
    assert loose.low is not None
    assert clustered.high - clustered.low > 4 * (loose.high - loose.low)


def test_cross_validation_on_our_own_labels(small_recipe: Recipe, small_data: TrainingSet) -> None:
    result = cross_validate(small_recipe, small_data, n_splits=3, seeds=[0, 1], tell=lambda _: None)
    assert set(result.metrics) == {"small", "majority label", "outlet's majority label"}
    for metrics in result.metrics.values():
        for interval in metrics.values():
            assert interval.low is not None
            assert interval.high is not None
            assert interval.low <= interval.estimate <= interval.high
    assert result.metrics["small"]["roc_auc"].estimate > 0.75
    assert "2 seeds" in result.description


def test_what_a_model_was_trained_on_is_told(small_bundle: Path) -> None:
    result = evaluate_labelled(load_model(small_bundle), [DATA / "labelled.csv"])
    assert "too good" in result.notes[0]
    assert not evaluate_labelled(load_model(), [DATA / "labelled.csv"]).notes


def test_a_missing_extra_says_the_exact_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'loadedwords[train]'")):
        CheckpointClassifier("some/checkpoint")


def test_a_checkpoint_is_measured_beside_the_model(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra: pip install 'loadedwords[train]'")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(str(tmp_path / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        id2label={0: "neutral", 1: "loaded"}, label2id={"neutral": 0, "loaded": 1},
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    result = evaluate_labelled(load_model(), [DATA / "labelled.csv"], checkpoint=str(tmp_path))
    assert result.metrics["default"]["roc_auc"].estimate > result.metrics[str(tmp_path)]["roc_auc"].estimate
    config.id2label = {0: "cat", 1: "dog"}
    config.save_pretrained(tmp_path)
    with pytest.raises(DataError, match="means loaded"):
        CheckpointClassifier(str(tmp_path))


def test_the_embedded_transformer_keeps_its_floor() -> None:
    """On sentences of our own, which no model was trained on."""
    labelled = evaluate_labelled(load_model(), [DATA / "labelled.csv"]).metrics
    assert labelled["default"]["roc_auc"].estimate >= DEFAULT_FLOOR_ROC_AUC
    assert labelled["default"]["roc_auc"].estimate > labelled["outlet's majority label"]["roc_auc"].estimate


def test_the_linear_recipe_keeps_its_floor(corpora: Path) -> None:
    """Folds grouped by article on BABE, anno-lexical beside it: about five minutes on two cores; its teacher takes hours."""
    recipe = replace(read_recipe("linear"), teacher=None, unlabelled=0)
    result = cross_validate(recipe, load_training_set(recipe, corpora), tell=lambda _: None)
    linear, outlet = result.metrics["linear"], result.metrics["outlet's majority label"]
    assert linear["macro_f1"].estimate >= LINEAR_FLOOR_MACRO_F1
    assert linear["roc_auc"].estimate >= LINEAR_FLOOR_ROC_AUC
    assert linear["macro_f1"].estimate > outlet["macro_f1"].estimate
    assert linear["roc_auc"].estimate > outlet["roc_auc"].estimate
