"""From torch to ONNX to int8, with gates: an export that computes something else is refused."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from scipy.stats import binom
from sklearn.metrics import f1_score
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

from loadedwords.errors import ModelError
from loadedwords.models.bundle import Bundle
from loadedwords.models.onnx_scorer import (
    GRAPH_FILE,
    MAX_LENGTH,
    OUTPUTS,
    TOKENIZER_FILE,
    OnnxScorer,
    OnnxSettings,
    sentence_probability,
)
from loadedwords.training.network import FramingNetwork, save_network
from loadedwords.training.transformer import TransformerFramingClassifier

MAX_BYTES = 25_000_000
# Of sentences scored by the float and by the int8 model: how many labels must agree, how far macro-F1 may move.
LABEL_AGREEMENT, MACRO_F1_CHANGE = 0.99, 0.005
N_FOR_STRICT_GATE = 1000
SHAPES = ((1, 3), (1, 57), (4, 9), (3, 128), (7, 31), (1, MAX_LENGTH))
_FLOAT_TOLERANCE = 1e-3
_OPSET = 17
# How far the activations' range is moved into the weights (SmoothQuant's alpha), found by trying.
_SMOOTH_BEFORE_GELU, _SMOOTH_AFTER_GELU = 0.5, 0.9
# The hidden units of a feed-forward layer are quantised in groups of like range: such shares in those with the largest.
_LARGEST_UNITS = (1 / 48, 1 / 12, 1 / 4)
# What initialisers are called that the export itself puts into the graph.
_ROWS, _ROW_SCALES, _SMOOTHING, _GROUP = "_rows", "_row_scales", "_smoothing", "_group"
_EMPTY = onnx.TensorProto()


@dataclass(frozen=True)
class Parity:
    """How close the int8 model comes to the float one on the same sentences."""

    n_sentences: int
    label_agreement: float
    mean_difference: float
    macro_f1_float: float | None
    macro_f1_int8: float | None


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

    The graph is traced, its attention and norms fused (onnxruntime.transformers), its weights quantised to int8 by
    output channel, its word embeddings by row; activations are quantised as they come. The heads stay in float.
    What goes into the feed-forward layers has a few channels far larger than the rest, which would cost the others
    their precision: they are scaled down and the weights behind them up (SmoothQuant, Xiao et al. 2023).

    Parameters
    ----------
    estimator : TransformerFramingClassifier
    folder : Path
    sentences : sequence of str
        Some hundred to see those channels on; not those that the export is judged by.

    Raises
    ------
    ModelError
        If the graph computes something else than torch at any shape, or the file is larger than `MAX_BYTES`.
    """
    network = estimator.network_.cpu().eval()
    config = network.model.config
    work = Path(tempfile.mkdtemp(prefix="loadedwords-export-"))
    try:
        plain, fused, smoothed, quantised = (work / f"{name}.onnx" for name in ("plain", "fused", "smooth", "int8"))
        _trace(network, plain)
        _compare(network, plain, "traced")
        options = FusionOptions("bert")
        options.enable_embed_layer_norm = False  # the fused kernel knows one scale for all words
        options.enable_skip_layer_norm = False  # the fused kernel is slower than its parts
        options.enable_bias_skip_layer_norm = False
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
        _smooth(graph, ids)
        _group_units(graph, ids)
        onnx.save(graph, str(smoothed))
        _compare(network, smoothed, "smoothed")
        heads = [
            node.name
            for node in graph.graph.node
            if node.op_type in ("MatMul", "Gemm") and ".layer." not in _scope(node)
        ]
        with _quiet():
            quantize_dynamic(
                str(smoothed),
                str(quantised),
                per_channel=True,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["MatMul", "Attention"],
                nodes_to_exclude=heads,
                extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
            )
        graph = onnx.load(str(quantised))
        _quantise_embeddings(graph)
        _correct_bias(graph, smoothed, ids)
        onnx.save(graph, str(folder / GRAPH_FILE))
        _check_shapes(folder / GRAPH_FILE)
        size = (folder / GRAPH_FILE).stat().st_size
        if size > MAX_BYTES:
            raise ModelError(
                f"The exported graph has {size / 1e6:.1f} MB, more than {MAX_BYTES / 1e6:.0f}.\nTrain a smaller encoder."
            )
        estimator.tokenizer_.backend_tokenizer.save(str(folder / TOKENIZER_FILE))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _scope(node: onnx.NodeProto) -> str:
    """Where in the network a node comes from, as torch would name it."""
    return str(node.name).strip("/").replace("/", ".")


def _smooth(model: onnx.ModelProto, ids: Sequence[Sequence[int]]) -> None:
    """Scale the inputs of the feed-forward layers by channel, and their weights the other way, in place."""
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    made_by = {name: node.op_type for node in graph.node for name in node.output}
    goes_to = {name: node.op_type for node in graph.node for name in node.input}
    chosen = []
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            if "Gelu" in made_by.get(node.input[0], ""):
                chosen.append((node, _SMOOTH_AFTER_GELU))
            elif "Gelu" in goes_to.get(node.output[0], ""):
                chosen.append((node, _SMOOTH_BEFORE_GELU))
    largest = _largest_inputs(model, sorted({node.input[0] for node, _ in chosen}), ids)
    for node, share in chosen:
        source, name = node.input[0], node.input[1]
        weight = onnx.numpy_helper.to_array(weights[name])
        scale = np.maximum(largest[source], 1e-3) ** share / np.maximum(np.abs(weight).max(axis=1), 1e-3) ** (1 - share)
        scale = (scale / np.exp(np.log(scale).mean())).astype(np.float32)
        graph.initializer.remove(weights[name])
        graph.initializer.append(onnx.numpy_helper.from_array(weight * scale[:, None], name))
        graph.initializer.append(onnx.numpy_helper.from_array(1 / scale, f"{name}{_SMOOTHING}"))
        node.input[0] = f"{name}_input"
        smoothing = onnx.helper.make_node("Mul", [source, f"{name}{_SMOOTHING}"], [f"{name}_input"])
        graph.node.insert(list(graph.node).index(node), smoothing)


def _group_units(model: onnx.ModelProto, ids: Sequence[Sequence[int]]) -> None:
    """Sort the hidden units of each feed-forward layer by their range and multiply them in groups, in place.

    Each group has scales of its own, so that the few units that are far larger than the rest don't cost them their
    precision. It is what mixed precision does for them (LLM.int8, Dettmers et al. 2022) with int8 throughout.
    """
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    chosen = []  # MatMul → BiasGelu → Mul (the smoothing) → MatMul
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and node.input[0] in maker:
            scaled = maker[node.input[0]]
            gelu = maker.get(scaled.input[0]) if scaled.op_type == "Mul" else None
            if gelu is None or gelu.op_type != "BiasGelu":
                continue
            before = maker[gelu.input[0]]
            if before.op_type == "MatMul" and before.input[1] in weights:
                chosen.append((node, scaled, gelu, before))
    largest = _largest_inputs(model, sorted({node.input[0] for node, *_ in chosen}), ids)
    for node, scaled, gelu, before in chosen:
        name, smoothing = node.input[1], scaled.input[1]
        down = onnx.numpy_helper.to_array(weights[name])
        order = np.argsort(-largest[node.input[0]] * np.abs(down).max(axis=1), kind="stable")
        for of, sorted_values in (
            (name, down[order]),
            (smoothing, onnx.numpy_helper.to_array(weights[smoothing])[order]),
            (before.input[1], onnx.numpy_helper.to_array(weights[before.input[1]])[:, order]),
            (gelu.input[1], onnx.numpy_helper.to_array(weights[gelu.input[1]])[order]),
        ):
            weights[of].CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(sorted_values), of))
        sizes = [max(1, round(share * len(down))) for share in _LARGEST_UNITS]
        sizes.append(len(down) - sum(sizes))
        parts = [f"{name}{_GROUP}{at}" for at in range(len(sizes))]
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(sizes, dtype=np.int64), f"{name}_sizes"))
        for part, values in zip(parts, np.split(down[order], np.cumsum(sizes)[:-1]), strict=True):
            graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), part))
        make = onnx.helper.make_node
        steps = [make("Split", [node.input[0], f"{name}_sizes"], [f"{part}_input" for part in parts], axis=-1)]
        steps += [
            make("MatMul", [f"{part}_input", part], [f"{part}_output"], name=f"{node.name}{_GROUP}{at}")
            for at, part in enumerate(parts)
        ]
        steps.append(make("Sum", [f"{part}_output" for part in parts], [node.output[0]]))
        place = list(graph.node).index(node)
        graph.node.remove(node)
        graph.initializer.remove(weights[name])
        for at, step in enumerate(steps):
            graph.node.insert(place + at, step)


def _largest_inputs(
    model: onnx.ModelProto, names: list[str], ids: Sequence[Sequence[int]]
) -> dict[str, NDArray[np.float32]]:
    """The largest absolute value of each channel of some tensors over sentences, shape (n_channels,) each."""
    import onnxruntime as ort

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    for name in names:
        watched.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    largest: dict[str, NDArray[np.float32]] = {}
    for sentence in ids:
        tokens = np.array([sentence], dtype=np.int64)
        values = session.run(names, {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})
        for name, value in zip(names, values, strict=True):
            seen = np.abs(value).reshape(-1, value.shape[-1]).max(axis=0)
            largest[name] = np.maximum(largest[name], seen) if name in largest else seen
    return largest


def _quantise_embeddings(model: onnx.ModelProto) -> None:
    """The largest table that rows are gathered from becomes int8 with a scale for each row, in place."""
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    tables = [
        node for node in graph.node if node.op_type == "Gather" and len(weights.get(node.input[0], _EMPTY).dims) == 2
    ]
    node = max(tables, key=lambda each: weights[each.input[0]].dims[0])
    name, ids, out = node.input[0], node.input[1], node.output[0]
    table = onnx.numpy_helper.to_array(weights[name])
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-9).astype(np.float32) / 127
    rows = np.clip(np.rint(table / scale), -127, 127).astype(np.int8)
    graph.initializer.remove(weights[name])
    graph.initializer.append(onnx.numpy_helper.from_array(rows, f"{name}{_ROWS}"))
    graph.initializer.append(onnx.numpy_helper.from_array(scale, f"{name}{_ROW_SCALES}"))
    at = list(graph.node).index(node)
    graph.node.remove(node)
    make = onnx.helper.make_node
    for step, each in enumerate(
        (
            make("Gather", [f"{name}{_ROWS}", ids], [f"{out}_int8"]),
            make("Cast", [f"{out}_int8"], [f"{out}_float"], to=onnx.TensorProto.FLOAT),
            make("Gather", [f"{name}{_ROW_SCALES}", ids], [f"{out}_scale"]),
            make("Mul", [f"{out}_float", f"{out}_scale"], [out]),
        )
    ):
        graph.node.insert(at + step, each)


def _correct_bias(model: onnx.ModelProto, exact: Path, ids: Sequence[Sequence[int]]) -> None:
    """Move the log-odds of sentences and words by what rounding has moved them on average, in place (Nagel et al. 2019)."""
    import onnxruntime as ort

    rounded, whole = (
        ort.InferenceSession(each, providers=["CPUExecutionProvider"])
        for each in (model.SerializeToString(), str(exact))
    )
    moved: dict[str, list[NDArray[np.float32]]] = {"sentence": [], "words": []}
    for sentence in ids:
        tokens = np.array([sentence], dtype=np.int64)
        feed = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        for name, before, after in zip(
            moved, whole.run(list(moved), feed), rounded.run(list(moved), feed), strict=True
        ):
            moved[name].append((before - after).ravel())
    for name, by in moved.items():
        maker = next(node for node in model.graph.node if name in node.output)
        maker.output[list(maker.output).index(name)] = f"{name}_uncorrected"
        correction = np.array(np.concatenate(by).mean(), dtype=np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(correction, f"{name}_correction"))
        model.graph.node.append(onnx.helper.make_node("Add", [f"{name}_uncorrected", f"{name}_correction"], [name]))


def describe_network(estimator: TransformerFramingClassifier) -> dict[str, Any]:
    """What `restore_checkpoint` needs beside the graph: architecture, pooling, special tokens; for a bundle's config."""
    config = estimator.network_.model.config.to_diff_dict()
    return {
        "pooling": estimator.network_.pooling,
        "architecture": {key: value for key, value in config.items() if not key.startswith("_")},
        "special_tokens": {name: str(token) for name, token in estimator.tokenizer_.special_tokens_map.items()},
    }


def restore_checkpoint(bundle: Bundle, folder: Path) -> Path:
    """Make a checkpoint of a transformer bundle again, to train it further where its own checkpoint is not at hand.

    The weights are those of the int8 graph: each is within half a step of its channel's 255 of what was trained.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        Must not exist.

    Returns
    -------
    Path
        `folder`, as `TransformerFramingClassifier.from_checkpoint` takes it.

    Raises
    ------
    ModelError
        If the bundle is no transformer, or its graph was made by another version.
    """
    if bundle.kind != "transformer":
        raise ModelError(f"{bundle.folder} holds a {bundle.kind} model.\nOnly a transformer can be trained further.")
    settings = dict(bundle.config["encoder"]["architecture"])
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    model = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    network = FramingNetwork(model, bundle.config["encoder"]["pooling"])
    missing = network.load_state_dict(
        {name: torch.from_numpy(values.copy()) for name, values in _float_weights(bundle.folder / GRAPH_FILE)},
        strict=False,
    )
    # Of the encoder's own pooling layer nothing is left where the sentence is read from the mean.
    if missing.unexpected_keys or any(
        "pooler" not in key and "position_ids" not in key for key in missing.missing_keys
    ):
        raise ModelError(
            f"The graph in {bundle.folder} has other weights than its config says: {missing}.\nTrain from the encoder."
        )
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(bundle.folder / TOKENIZER_FILE), **bundle.config["encoder"]["special_tokens"]
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    save_network(network, tokenizer, beside)
    beside.chmod(0o755)
    beside.rename(folder)
    return folder


def _float_weights(file: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The network's parameters by their names in torch, from the fused int8 graph."""
    graph = onnx.load(str(file)).graph
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    consumer = {name: node.name for node in graph.node for name in node.input}
    found: dict[str, dict[str, NDArray[np.float32]]] = {}  # by name and group
    for name, stored in values.items():
        whole, array = name, stored
        if name.endswith("_quantized"):
            whole = name.removesuffix("_quantized")
            centred = stored.astype(np.float32) - values[f"{whole}_zero_point"].astype(np.float32)
            array = (centred * values[f"{whole}_scale"]).astype(np.float32)
        elif name.endswith(_ROWS):
            whole = name.removesuffix(_ROWS)
            array = stored.astype(np.float32) * values[f"{whole}{_ROW_SCALES}"]
        elif name.endswith(("_scale", "_zero_point", _ROW_SCALES, _SMOOTHING)) or stored.dtype != np.float32:
            continue
        ungrouped, group = re.sub(rf"{_GROUP}\d+$", "", whole), whole  # a group's number has one digit
        found.setdefault(ungrouped, {})[group] = array
        consumer.setdefault(ungrouped, consumer.get(name, ""))
    for whole, groups in found.items():
        parts = [groups[group] for group in sorted(groups)]
        array = np.concatenate(parts) if len(parts) > 1 else parts[0]
        if f"{whole}{_SMOOTHING}" in values:
            array = array * values[f"{whole}{_SMOOTHING}"][:, None]
        fused = re.fullmatch(r"Attention_(\d+)_qkv_(weight|bias)", whole)
        if fused:
            prefix = next(n for n in values if f".encoder.layer.{fused[1]}." in n).split(".encoder.layer.")[0]
            for part, each in zip(("query", "key", "value"), np.split(array, 3, axis=-1), strict=True):
                name_of = f"{prefix}.encoder.layer.{fused[1]}.attention.self.{part}.{fused[2]}"
                yield name_of.removeprefix("network."), each.T
        elif whole.startswith("onnx::MatMul"):
            node = re.sub(r"/MatMul.*", "", consumer[whole]).strip("/").replace("/", ".").removeprefix("network.")
            # The heads' container is never called, so the tracer leaves its name out.
            yield f"{node if node.startswith('model.') else f'heads.{node}'}.weight", array.T
        elif whole.startswith("network."):
            turned = whole.endswith("_Transposed")
            yield whole.removesuffix("_Transposed").removeprefix("network."), array.T if turned else array


def measure_parity(
    estimator: TransformerFramingClassifier,
    folder: Path,
    sentences: Sequence[str],
    labels: NDArray[np.int64] | None = None,
    settings: OnnxSettings | None = None,
) -> Parity:
    """Score sentences by torch in float and by the exported int8 graph.

    Parameters
    ----------
    estimator : TransformerFramingClassifier
    folder : Path
        Where `export_onnx` wrote.
    sentences : sequence of str
    labels : ndarray of shape (n_sentences,), optional
        0 neutral, 1 loaded; -1 where unknown. For macro-F1.
    settings : OnnxSettings, optional
        What makes decisions of the log-odds; uncalibrated ones if not given.

    Raises
    ------
    ModelError
        If fewer than `LABEL_AGREEMENT` of the labels agree, or macro-F1 moves by more than `MACRO_F1_CHANGE`.
    """
    settings = settings or OnnxSettings()
    exact = estimator.logits(sentences)
    quantised = OnnxScorer(folder, settings).logits(sentences)
    labelled = [sentence_probability(of.sentence, settings) >= settings.threshold for of in (exact, quantised)]
    agreement = float(np.mean(labelled[0] == labelled[1]))
    f1: list[float | None] = [None, None]
    if labels is not None and (known := labels >= 0).any():
        f1 = [float(f1_score(labels[known], decision[known], average="macro")) for decision in labelled]
    difference = float(np.mean(np.abs(exact.sentence - quantised.sentence)))
    parity = Parity(len(sentences), agreement, difference, f1[0], f1[1])
    moved = abs(f1[0] - f1[1]) if f1[0] is not None and f1[1] is not None else 0.0
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
    import onnxruntime as ort

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


def _check_shapes(file: Path) -> None:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    for rows, length in SHAPES:
        ids = np.full((rows, length), 7, dtype=np.int64)
        sentence, words, _ = session.run(OUTPUTS, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        if sentence.shape != (rows,) or words.shape != (rows, length) or not np.isfinite(sentence).all():
            raise ModelError(f"The int8 graph can't take {rows} sentences of {length} tokens.\nReport it.")


class _quiet:  # noqa: N801  used like a function
    """The exporters' warnings are about their own insides; what matters is compared above."""

    def __enter__(self) -> None:
        self.caught: Any = warnings.catch_warnings()
        self.caught.__enter__()
        warnings.simplefilter("ignore")
        self.level = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *error: object) -> None:
        logging.disable(self.level)
        self.caught.__exit__(*error)
