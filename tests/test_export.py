"""From a fitted transformer to a bundle: the int8 graph computes what torch does, and can be trained further."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from loadedwords.cli import main
from loadedwords.errors import DataError, ModelError
from loadedwords.models import onnx_scorer
from loadedwords.models.bundle import open_bundle, write_bundle
from loadedwords.models.onnx_scorer import OnnxScorer, OnnxSettings
from loadedwords.schema import KINDS
from loadedwords.scoring import load_model
from loadedwords.training import export, quantise, restore
from loadedwords.training.evaluation import evaluate_spans
from loadedwords.training.labels import Labels, load_labels
from loadedwords.training.recipe import Recipe, read_recipe
from loadedwords.training.release import export_checkpoint
from loadedwords.training.stages import Workshop, train_stages
from loadedwords.training.transformer import TransformerFramingClassifier
from text_classifier import SENTENCES
from tiny import LABELS, TEXTS, make


def test_the_int8_graph_computes_what_torch_does(fitted: TransformerFramingClassifier, tmp_path: Path) -> None:
    export.export_onnx(fitted, tmp_path, TEXTS)
    parity = export.measure_parity(fitted, tmp_path, TEXTS, LABELS.astype(np.int64), OnnxSettings())
    assert parity.label_agreement >= export.LABEL_AGREEMENT
    scorer = OnnxScorer(tmp_path, OnnxSettings())
    exact, rounded = fitted.logits(TEXTS), scorer.logits(TEXTS)
    strong = [at for at, text in enumerate(TEXTS) if "cronies" in text]
    assert all(
        logits.kinds[at][1, :-1].argmax() == KINDS.index("label") and logits.kinds[at][1, -1] > 0
        for logits in (exact, rounded)
        for at in strong
    ), "kinds survive the rounding"
    alone = np.array([scorer.score([text])[0][0] for text in SENTENCES])
    # Order, neighbours and the number of cores change nothing, to the last bit.
    np.testing.assert_array_equal(scorer.score(SENTENCES)[0], alone)
    np.testing.assert_array_equal(scorer.score(SENTENCES[::-1] * 2)[0], np.tile(alone[::-1], 2))
    np.testing.assert_array_equal(OnnxScorer(tmp_path, OnnxSettings(), threads=1).score(SENTENCES)[0], alone)
    assert scorer.score([])[0].shape == (0,)


def test_nothing_stands_between_the_products_that_need_not(tiny_bundle: Path) -> None:
    import onnx

    graph = onnx.load(str(tiny_bundle / "model.onnx")).graph
    weights = {each.name for each in graph.initializer}
    assert [each.name for each in graph.input] == ["input_ids"], "no mask, for nothing is padding"
    assert not [node for node in graph.node if node.op_type == "BiasGelu"]
    products = {name for node in graph.node if node.op_type == "MatMulIntegerToFloat" for name in node.output}
    added = [set(node.input) for node in graph.node if node.op_type == "Add"]
    assert not [names for names in added if names & weights and names & products], "products add their biases"


def test_a_processor_that_cuts_sums_off_comes_to_the_same_scores(
    fitted: TransformerFramingClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export.export_onnx(fitted, tmp_path, TEXTS)
    usual = OnnxScorer(tmp_path, OnnxSettings()).score(SENTENCES)
    monkeypatch.setattr(onnx_scorer, "_cuts_sums_off", lambda: True)
    careful = OnnxScorer(tmp_path, OnnxSettings()).score(SENTENCES)
    np.testing.assert_allclose(usual[0], careful[0], atol=1e-6)


def test_an_export_corrects_by_the_sums_that_scoring_makes(
    fitted: TransformerFramingClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    usual = quantise.open_on_processor
    monkeypatch.setattr(quantise, "open_on_processor", lambda *given: opened.append(given) or usual(*given))
    export.export_onnx(fitted, tmp_path, TEXTS)
    assert len(opened) == 1


def test_what_shows_a_cut_sum_is_one_product() -> None:
    import onnx
    from onnx import TensorProto, helper

    stored = onnx.load(str(Path(onnx_scorer.__file__).with_name("products.onnx")))
    value = helper.make_tensor_value_info
    products = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "products",
        [value("a", TensorProto.UINT8, ["m", "k"]), value("b", TensorProto.INT8, ["k", "n"])],
        [value("c", TensorProto.INT32, ["m", "n"])],
    )
    assert stored.graph == products


def test_another_model_does_not_pass_the_gate(
    fitted: TransformerFramingClassifier, tiny_encoder: Path, tmp_path: Path
) -> None:
    export.export_onnx(fitted, tmp_path, TEXTS)
    other = make(tiny_encoder).fit(TEXTS, 1 - LABELS)
    with pytest.raises(ModelError, match="not the float one"):
        export.measure_parity(other, tmp_path, TEXTS, LABELS.astype(np.int64), OnnxSettings())


def test_a_graph_that_differs_or_is_too_large_is_refused(
    fitted: TransformerFramingClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_BYTES", 100)
    with pytest.raises(ModelError, match="more than"):
        export.export_onnx(fitted, tmp_path, TEXTS)
    monkeypatch.setattr(export, "_FLOAT_TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="differs from torch"):
        export.export_onnx(fitted, tmp_path, TEXTS)


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


def test_a_bundle_takes_the_place_of_one_behind_a_link_or_here(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path(shutil.copytree(tiny_bundle, tmp_path / "place"))
    (tmp_path / "link").symlink_to(place)
    monkeypatch.chdir(place)

    def write(beside: Path) -> dict[str, Any]:
        for file in tiny_bundle.iterdir():
            shutil.copy(file, beside)
        (beside / "config.json").unlink()
        config = json.loads((tiny_bundle / "config.json").read_text(encoding="utf-8"))
        return {**config, "name": "another"}

    for folder in (tmp_path / "link", Path()):
        assert write_bundle(folder, write).name == "another"
        assert open_bundle(place).folder == place
        monkeypatch.chdir(place)


def test_a_bundle_is_trained_further(tiny_bundle: Path, tiny_recipe: Recipe, tiny_data: Labels, tmp_path: Path) -> None:
    """Without its checkpoint, from the int8 weights alone."""
    folder = restore.restore_checkpoint(open_bundle(tiny_bundle), tmp_path / "restored")
    restored = TransformerFramingClassifier.from_checkpoint(folder)
    exact = train_stages(tiny_recipe, tiny_data, Workshop(tiny_bundle.parent / "work", tell=lambda _: None), seed=0)
    found, expected = restored.logits(TEXTS), exact.logits(TEXTS)
    assert np.corrcoef(found.sentence, expected.sentence)[0, 1] > 0.98
    assert [[w[:2] for w in words] for words in found.words] == [[w[:2] for w in words] for words in expected.words]
    assert np.corrcoef(*(np.concatenate(of.kinds).ravel() for of in (found, expected)))[0, 1] > 0.98
    further = make(folder, epochs=8).fit(TEXTS, LABELS)
    assert roc_auc_score(LABELS, further.p_loaded(TEXTS)) > roc_auc_score(LABELS, restored.p_loaded(TEXTS)) - 1e-9
    with pytest.raises(ModelError, match="Only a transformer"):
        restore.restore_checkpoint(open_bundle("linear"), tmp_path / "no")


def test_hidden_units_are_rounded_in_groups_of_like_range(tiny_bundle: Path) -> None:
    import onnx

    values = {each.name: each for each in onnx.load(str(tiny_bundle / "model.onnx")).graph.initializer}
    layers: dict[str, list[str]] = {}
    for name in sorted(values):
        if name.endswith(quantise.SMOOTHING) and quantise.GROUP in name:
            layers.setdefault(name.split(quantise.GROUP)[0], []).append(name.removesuffix(quantise.SMOOTHING))
    assert len(layers) == 2
    for layer, groups in layers.items():
        sizes = [values[f"{group}_quantized"].dims[0] for group in groups]
        assert sum(sizes) == 128
        assert len(sizes) == len(quantise._LARGEST_UNITS) + 1
        scales = [onnx.numpy_helper.to_array(values[f"{group}_scale"]).mean() for group in groups]
        assert scales[0] > scales[-1], layer


def test_a_temperature_of_nothing_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(tiny_bundle, tmp_path / "broken")
    config = json.loads((broken / "config.json").read_text(encoding="utf-8"))
    config["scorer"]["temperature"] = 0
    (broken / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="temperature"):
        load_model(broken)


def test_prevalence_moves_the_level_and_keeps_the_order(tiny_bundle: Path) -> None:
    usual, rare = load_model(tiny_bundle), load_model(tiny_bundle, prevalence=0.06)
    before, after = (model.p_loaded(TEXTS) for model in (usual, rare))
    assert (after < before).all()
    assert (np.argsort(before, kind="stable") == np.argsort(after, kind="stable")).all()
    share = usual.prevalence
    odds = before / (1 - before) * (0.06 / 0.94) / (share / (1 - share))
    np.testing.assert_allclose(after, odds / (1 + odds))
    for wrong in (0.0, 1.0, -1):
        with pytest.raises(DataError, match="prevalence"):
            load_model(tiny_bundle, prevalence=wrong)


@pytest.mark.usefixtures("few_resamples")
def test_spans_are_measured(tiny_bundle: Path, corpora: Path) -> None:
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
    article = model.score_text("The shameless council met on Monday. His cronies peddled lies.")
    words = {w.text: w for sentence in article.sentences for w in sentence.words}
    assert {"shameless", "cronies"} <= set(words)
    assert {word.kind for word in words.values()} == {None}, "labels without kinds vouch for none"
    main(["card", str(tmp_path / "bundle")], standalone_mode=False)
    card = capsys.readouterr().out
    assert card == (tmp_path / "bundle" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "only to calibrate" in card
    neutral = load_labels(read_recipe("default"), None, [labelled])
    neutral = replace(neutral, table=neutral.table.filter(pl.col("label") == 0))
    with pytest.raises(DataError, match="one class"):
        export_checkpoint(checkpoint, neutral, tmp_path / "other")
