"""From torch to ONNX to int8, with gates: an export that computes something else is refused."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from scipy.stats import binom
from sklearn.metrics import f1_score
from torch import nn

from loadedwords.errors import ModelError
from loadedwords.models.onnx_scorer import GRAPH_FILE, MAX_LENGTH, OUTPUTS, TOKENIZER_FILE, OnnxScorer, OnnxSettings
from loadedwords.training.network import FramingNetwork
from loadedwords.training.quantise import (
    correct_bias,
    drop_mask,
    group_units,
    quantise_embeddings,
    quantise_matmuls,
    smooth,
    take_biases_in,
)
from loadedwords.training.transformer import TransformerFramingClassifier

MAX_BYTES = 25_000_000
# Of sentences scored by the float and by the int8 model: how many labels must agree, how far macro-F1 may move.
LABEL_AGREEMENT, MACRO_F1_CHANGE = 0.99, 0.005
N_FOR_STRICT_GATE = 1000
SHAPES = ((1, 3), (1, 57), (4, 9), (3, 128), (7, 31), (1, MAX_LENGTH))
_FLOAT_TOLERANCE = 1e-3
_OPSET = 17


@dataclass(frozen=True)
class Parity:
    """How close the int8 model comes to the float one on the same sentences."""

    n_sentences: int
    label_agreement: float
    mean_difference: float
    macro_f1_float: float
    macro_f1_int8: float


class _Graph(nn.Module):
    """The network with plain inputs and outputs, as ONNX knows them."""

    def __init__(self, network: FramingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        answer = self.network(input_ids, attention_mask)
        return tuple(answer[name] for name in OUTPUTS)


def export_onnx(estimator: TransformerFramingClassifier, folder: Path, sentences: Sequence[str]) -> None:
    """Write `model.onnx` (int8) and `tokenizer.json` into `folder`.

    The graph is traced, its attention and norms fused (onnxruntime.transformers), its products quantised to int8
    (`quantise`), its word embeddings by row. The heads stay in float. The ranges are found on the sentences, some hundred
    and not those that the export is judged by.

    Raises
    ------
    ModelError
        If the graph computes something else than torch at any shape, or the file is larger than `MAX_BYTES`.
    """
    network = estimator.network_.cpu().eval()
    config = network.model.config
    with tempfile.TemporaryDirectory(prefix="loadedwords-export-") as work:
        plain, fused, smoothed = (Path(work, f"{name}.onnx") for name in ("plain", "fused", "smooth"))
        _trace(network, plain)
        _compare(network, plain, "traced")
        options = FusionOptions("bert")
        options.enable_embed_layer_norm = False  # the fused kernel knows one scale for all words
        options.enable_skip_layer_norm = False  # the fused kernel is slower than its parts
        options.enable_bias_skip_layer_norm = False
        options.use_multi_head_attention = True  # its products stay apart, and are quantised like all others
        with _quiet():
            optimize_model(
                str(plain),
                model_type="bert",  # the family's fusions serve any encoder of its make
                num_heads=config.num_attention_heads,
                hidden_size=config.hidden_size,
                optimization_options=options,
                opt_level=0,
            ).save_model_to_file(str(fused))
        _compare(network, fused, "fused")
        graph = onnx.load(str(fused))
        ids = estimator.tokenizer_(list(sentences), truncation=True, max_length=MAX_LENGTH)["input_ids"]
        smooth(graph, ids)
        group_units(graph, ids)
        onnx.save(graph, str(smoothed))
        _compare(network, smoothed, "smoothed")
        heads = [
            node.name
            for node in graph.graph.node
            if node.op_type in ("MatMul", "Gemm") and ".layer." not in node.name.replace("/", ".")
        ]
        quantise_matmuls(graph, ids, kept=heads)
        quantise_embeddings(graph)
        take_biases_in(graph)
        drop_mask(graph)
        correct_bias(graph, smoothed, ids)
        onnx.save(graph, str(folder / GRAPH_FILE))
        size = (folder / GRAPH_FILE).stat().st_size
        if size > MAX_BYTES:
            raise ModelError(
                f"The exported graph has {size / 1e6:.1f} MB, more than {MAX_BYTES / 1e6:.0f}.\nTrain a smaller encoder."
            )
        estimator.tokenizer_.backend_tokenizer.save(str(folder / TOKENIZER_FILE))


def describe_network(estimator: TransformerFramingClassifier) -> dict[str, Any]:
    """What `restore_checkpoint` needs beside the graph: architecture, pooling, special tokens; for a bundle's config."""
    config = estimator.network_.model.config.to_diff_dict()
    return {
        "pooling": estimator.network_.pooling,
        "architecture": {key: value for key, value in config.items() if not key.startswith("_")},
        "special_tokens": {name: str(token) for name, token in estimator.tokenizer_.special_tokens_map.items()},
    }


def measure_parity(
    estimator: TransformerFramingClassifier,
    folder: Path,
    sentences: Sequence[str],
    labels: NDArray[np.int64],
    settings: OnnxSettings,
) -> Parity:
    """Score sentences by torch in float and by the int8 graph that `export_onnx` wrote into the folder.

    `labels` are 0 for neutral and 1 for loaded, for macro-F1; `settings` make decisions of the log-odds.

    Raises
    ------
    ModelError
        If fewer than `LABEL_AGREEMENT` of the labels agree, or macro-F1 moves by more than `MACRO_F1_CHANGE`.
    """
    exact = estimator.logits(sentences)
    quantised = OnnxScorer(folder, settings).logits(sentences)
    labelled = [settings.of_sentences(of.sentence) >= settings.threshold for of in (exact, quantised)]
    agreement = float(np.mean(labelled[0] == labelled[1]))
    f1 = [float(f1_score(labels, decision, average="macro")) for decision in labelled]
    difference = float(np.mean(np.abs(exact.sentence - quantised.sentence)))
    parity = Parity(len(sentences), agreement, difference, f1[0], f1[1])
    moved = abs(f1[0] - f1[1])
    # On few sentences a good export fails 99% by chance: there, only what chance would hardly do is refused.
    differ, allowed = round((1 - agreement) * len(sentences)), (1 - LABEL_AGREEMENT) * len(sentences)
    small = len(sentences) < N_FOR_STRICT_GATE
    too_many = binom.sf(differ - 1, len(sentences), 1 - LABEL_AGREEMENT) < 0.01 if small else differ > allowed
    if too_many or (moved > MACRO_F1_CHANGE and not small):
        raise ModelError(
            f"The int8 model is not the float one: {agreement:.2%} of {len(sentences):,} labels agree "
            f"(at least {LABEL_AGREEMENT:.0%} must), macro-F1 moves by {moved:.4f} (at most {MACRO_F1_CHANGE}).\n"
            "Train with another seed, or look at the layers' ranges."
        )
    return parity


def _trace(network: FramingNetwork, file: Path) -> None:
    ids = torch.randint(5, 100, (3, 24))
    mask = torch.ones_like(ids)
    mask[1, 10:] = 0
    axes = {name: {0: "sentence", 1: "token"} for name in ("input_ids", "attention_mask", "words", "kinds")}
    with _quiet(), torch.inference_mode():
        torch.onnx.export(
            _Graph(network).eval(),
            (ids, mask),
            str(file),
            input_names=["input_ids", "attention_mask"],
            output_names=list(OUTPUTS),
            dynamic_axes=axes | {"sentence": {0: "sentence"}},
            opset_version=_OPSET,
            dynamo=False,  # onnxruntime's fusions know the patterns of this exporter
        )


def _compare(network: FramingNetwork, file: Path, step: str) -> None:
    """The graph against torch, at shapes it was not traced with, and with padding."""
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    for rows, length in SHAPES:
        ids = torch.randint(5, 100, (rows, length), generator=torch.Generator().manual_seed(length))
        mask = torch.ones_like(ids)
        mask[-1, max(1, length // 2) :] = 0
        with torch.inference_mode():
            expected = network(ids, mask)
        found = dict(
            zip(OUTPUTS, session.run(OUTPUTS, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}), strict=True)
        )
        seen = mask.numpy().astype(bool)
        apart = max(
            float(np.abs(found[name] - expected[name].numpy())[seen if name != "sentence" else ...].max())
            for name in OUTPUTS
        )
        if not apart <= _FLOAT_TOLERANCE:
            raise ModelError(
                f"The {step} graph differs from torch by {apart:.2g} at {rows} sentences of {length} tokens.\n"
                "This encoder can't be exported by this version; report it with the encoder's name."
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporters' warnings are about their own insides; what matters is compared above."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(level)
