"""Scoring on a GPU, without one: its graph computes on the processor here, and what has none says so."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from click.testing import CliRunner

from loadedwords import load_model
from loadedwords.batch import RunDescription, score_to_folder
from loadedwords.cli import main
from loadedwords.errors import DataError, MissingExtraError, ModelError, OutputError
from loadedwords.models import on_gpu, onnx_scorer
from loadedwords.models.bundle import open_bundle
from loadedwords.models.on_gpu import in_floats
from loadedwords.models.onnx_scorer import GRAPH_FILE, OnnxScorer
from loadedwords.schema import Article

SENTENCES = [
    "The council met on Monday to discuss the budget.",
    "The shameless regime sneered at its puppet's latest escapade.",
    "Critics slammed the so-called reform as a brazen power grab.",
    "Rain is expected in the north, and the ferry will leave an hour later than planned.",
    "Yes.",
]


def computes_here(graph: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    """In the place of a GPU: the graph that it would get."""
    return ort.InferenceSession(in_floats(graph), options, providers=["CPUExecutionProvider"])


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_gpu, "open_on_gpu", computes_here)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ONNX Runtime was built for."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])


def test_no_product_of_int8_is_left() -> None:
    graph = (open_bundle().folder / GRAPH_FILE).read_bytes()
    before, after = (
        {node.op_type for node in onnx.load_from_string(each).graph.node} for each in (graph, in_floats(graph))
    )
    assert before - after == {"MatMulIntegerToFloat"}
    onnx.checker.check_model(onnx.load_from_string(in_floats(graph)), full_check=False)


@pytest.mark.usefixtures("gpu")
def test_a_gpu_gets_a_graph_with_the_same_scores() -> None:
    """A rounding that falls to the other side moves a sentence's log-odds by a few thousandths."""
    here, there = load_model(), load_model(device="cuda")
    assert isinstance(there._scorer, OnnxScorer)
    assert there._scorer._tokens_at_once > onnx_scorer.TOKENS_AT_ONCE
    one, other = (model._scorer.logits(SENTENCES) for model in (here, there))
    np.testing.assert_allclose(one.sentence, other.sentence, atol=0.02)
    assert np.abs(one.sentence - other.sentence).mean() < 0.005
    assert here.find_loaded_words(SENTENCES) != [[]] * len(SENTENCES)
    words = [[[word.text for word in found] for found in model.find_loaded_words(SENTENCES)] for model in (here, there)]
    assert words[0] == words[1]
    assert there.verify() == []
    assert pickle.loads(pickle.dumps(there))._device == "cuda"


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_it_says_what_to_install() -> None:
    with pytest.raises(ModelError, match=r"no GPU here: it was built for .*CPU.*\n.*docs/speed.md"):
        load_model(device="cuda")
    told = CliRunner().invoke(main, ["verify", "--device", "cuda"])
    assert told.exit_code == 1
    assert "no GPU here" in told.stderr


@pytest.mark.usefixtures("no_gpu")
def test_a_run_without_a_gpu_begins_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no GPU here"):
        score_to_folder(iter([]), tmp_path / "scores", description=RunDescription(["here"]), device="cuda")
    assert not (tmp_path / "scores").exists()


def test_a_provider_that_fell_back_to_the_processor_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ONNX Runtime does where CUDA's libraries or the GPU itself are missing."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    session = ort.InferenceSession
    monkeypatch.setattr(
        ort, "InferenceSession", lambda graph, options, providers: session(graph, options, providers=providers[1:])
    )
    with pytest.raises(ModelError, match="no GPU here"):
        load_model(device="cuda")


def test_a_gpu_that_fails_is_not_taken_for_a_broken_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        print("*** EP Error ***")  # noqa: T201  as ONNX Runtime does
        raise RuntimeError("CUDA failure 2: out of memory")

    onnx_scorer._cuts_sums_off()  # which opens a session, once
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    monkeypatch.setattr(ort, "InferenceSession", fails)
    with pytest.raises(ModelError, match=r"no GPU here: CUDA failure 2: out of memory\.\n.*fewer --workers"):
        load_model(device="cuda")
    assert capsys.readouterr().out == ""


def test_what_is_missing_is_named_with_what_brings_it_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra of ours would put ONNX Runtime for processors back beside the one for GPUs."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install onnx$"):
        load_model(device="cuda")
    monkeypatch.delitem(sys.modules, "loadedwords.models.onnx_scorer")
    monkeypatch.delattr("loadedwords.models.onnx_scorer")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="needs onnxruntime, which is not installed"):
        load_model()


def test_what_no_gpu_computes_is_refused() -> None:
    with pytest.raises(ModelError, match="linear model, which computes on the processor"):
        load_model("linear", device="cuda")
    with pytest.raises(DataError, match="one of cpu, cuda"):
        load_model(device="tpu")  # type: ignore[arg-type]
    told = CliRunner().invoke(main, ["score", "x", "-o", "y", "--device", "cuda", "--engine", "ray"])
    assert told.exit_code == 2
    assert "--engine local" in told.output


@pytest.mark.usefixtures("gpu")
def test_a_run_says_where_it_was_computed_and_takes_no_shard_from_elsewhere(tmp_path: Path) -> None:
    articles = [Article(id="a", text=" ".join(SENTENCES))]
    description = RunDescription(["here"])
    score_to_folder(iter(articles), tmp_path, description=description, device="cuda")
    assert json.loads((tmp_path / "run.json").read_text())["device"] == "cuda"
    with pytest.raises(OutputError, match="not the same: device"):
        score_to_folder(iter(articles), tmp_path, description=description)
    again = score_to_folder(iter(articles), tmp_path, description=description, overwrite=True)
    assert again.n_reused_shards == 0
