"""The edits of a graph that keep its precision in int8, each in place.

Activations are rounded on scales that are fixed when the graph is made, so that a sentence's score does not depend on what
it is scored with. A fixed scale must hold the largest value that ever comes, and a few channels and tokens are far larger than
the rest: the channels are scaled down and the weights behind them up (`smooth`), the hidden units rounded in groups of like
range (`group_units`), and the largest values cut off where that costs less than a coarser step (`quantise_matmuls`).

More than half of the time goes into what stands between the products, so the products take over what they can
(`take_biases_in`) and what batches of one length don't need is left out (`drop_mask`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.transformers.onnx_model import OnnxModel

from loadedwords.models.onnx_scorer import open_on_processor

# How far the activations' range is moved into the weights (SmoothQuant's alpha), found by trying.
_SMOOTH_INTO_ATTENTION, _SMOOTH_OUT_OF_ATTENTION = 0.8, 0.7
_SMOOTH_BEFORE_GELU, _SMOOTH_AFTER_GELU = 0.8, 0.9
# The hidden units of a feed-forward layer are quantised in groups of like range: such shares in those with the largest.
_LARGEST_UNITS = (1 / 48, 1 / 12, 1 / 4)
# Shares of the largest value that are tried as the end of a scale, and tokens that they are judged on.
_ENDS, _N_JUDGING = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5), 3000
# Tokens that ranges are found on. A hidden unit is large for a rare word in a thousand, so that some from many sentences
# tell more than all of a few.
_N_RANGING = 15_000
# Rows from which a table of embeddings is worth rounding.
_LONG_TABLE = 100
# What initialisers are called that the export itself puts into the graph.
ROWS, ROW_SCALES, SMOOTHING, GROUP = "_rows", "_row_scales", "_smoothing", "_group"
QUANTISED, SCALE, ZERO_POINT = "_quantized", "_scale", "_zero_point"
# The domain of the operators that only ONNX Runtime knows.
_OF_RUNTIME = "com.microsoft"
_make = onnx.helper.make_node
_tensor = onnx.numpy_helper.from_array


def smooth(model: onnx.ModelProto, ids: Sequence[Sequence[int]]) -> None:
    """Scale the inputs of the layers by channel, and their weights the other way, in place (SmoothQuant, Xiao et al. 2023)."""
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    made_by = {name: node.op_type for node in graph.node for name in node.output}
    goes_to = {name: node.op_type for node in graph.node for name in node.input}
    chosen: defaultdict[str, list[onnx.NodeProto]] = defaultdict(list)  # by input: query, key and value share theirs
    share: dict[str, float] = {}
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in weights:
            continue
        before, after = made_by.get(node.input[0], ""), goes_to.get(node.output[0], "")
        for alpha, is_it in (
            (_SMOOTH_AFTER_GELU, "Gelu" in before),
            (_SMOOTH_BEFORE_GELU, "Gelu" in after),
            (_SMOOTH_OUT_OF_ATTENTION, "Attention" in before),
            (_SMOOTH_INTO_ATTENTION, "Attention" in after),
        ):
            if is_it:
                chosen[node.input[0]].append(node)
                share[node.input[0]] = alpha
                break
    seen = _inputs(model, chosen, ids)
    for source, nodes in chosen.items():
        name = nodes[0].input[1]
        every = [onnx.numpy_helper.to_array(weights[node.input[1]]) for node in nodes]
        of_weights = np.abs(np.concatenate(every, axis=1)).max(axis=1)
        alpha = share[source]
        scale = np.maximum(np.abs(seen[source]).max(axis=0), 1e-3) ** alpha / np.maximum(of_weights, 1e-3) ** (
            1 - alpha
        )
        scale = (scale / np.exp(np.log(scale).mean())).astype(np.float32)
        for node, weight in zip(nodes, every, strict=True):
            weights[node.input[1]].CopyFrom(_tensor(weight * scale[:, None], node.input[1]))
            node.input[0] = f"{name}_input"
        graph.initializer.append(_tensor(1 / scale, f"{name}{SMOOTHING}"))
        first = min(list(graph.node).index(node) for node in nodes)
        graph.node.insert(first, _make("Mul", [source, f"{name}{SMOOTHING}"], [f"{name}_input"]))


def group_units(model: onnx.ModelProto, ids: Sequence[Sequence[int]]) -> None:
    """Sort the hidden units of each feed-forward layer by their range and compute them in groups, in place.

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
                chosen.append((before, gelu, scaled, node))
    seen = _inputs(model, (node.input[0] for *_, node in chosen), ids)
    for before, gelu, scaled, node in chosen:
        up, down = (onnx.numpy_helper.to_array(weights[each.input[1]]) for each in (before, node))
        bias, smoothing = (onnx.numpy_helper.to_array(weights[each.input[1]]) for each in (gelu, scaled))
        order = np.argsort(-np.abs(seen[node.input[0]]).max(axis=0) * np.abs(down).max(axis=1), kind="stable")
        sizes = [max(1, round(share * len(down))) for share in _LARGEST_UNITS]
        steps, sums = [], []
        for at, units in enumerate(np.split(order, np.cumsum(sizes))):
            group = f"{GROUP}{at}"
            names = [f"{each.input[1]}{group}" for each in (before, gelu, node)]
            names.append(f"{node.input[1]}{group}{SMOOTHING}")
            for name, values in zip(names, (up[:, units], bias[units], down[units], smoothing[units]), strict=True):
                graph.initializer.append(_tensor(np.ascontiguousarray(values), name))
            up_name, bias_name, down_name, smoothing_name = names
            out = [f"{each.output[0]}{group}" for each in (before, gelu, scaled, node)]
            steps += [
                _make("MatMul", [before.input[0], up_name], out[:1], name=f"{before.name}{group}"),
                _make("BiasGelu", [out[0], bias_name], out[1:2], domain=_OF_RUNTIME),
                _make("Mul", [out[1], smoothing_name], out[2:3]),
                _make("MatMul", [out[2], down_name], out[3:], name=f"{node.name}{group}"),
            ]
            sums.append(out[3])
        steps.append(_make("Sum", sums, [node.output[0]]))
        _replace(graph, [before, gelu, scaled, node], steps)
        for each in (before, gelu, scaled, node):
            graph.initializer.remove(weights[each.input[1]])


def quantise_matmuls(model: onnx.ModelProto, ids: Sequence[Sequence[int]], *, kept: Iterable[str]) -> None:
    """Products with a weight become products of int8, but for those of the nodes `kept`, in place.

    Weights are rounded by output channel, symmetrically; what comes in on one fixed scale. Where it ends is found by trying:
    a shorter one cuts the rarest values off and rounds all others more finely.
    """
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    kept = set(kept)
    chosen: defaultdict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and node.name not in kept:
            chosen[node.input[0]].append(node)
    seen = _inputs(model, chosen, ids)
    for source, nodes in chosen.items():
        name = nodes[0].input[1]
        every = [onnx.numpy_helper.to_array(weights[node.input[1]]) for node in nodes]
        scale, zero_point = _fixed_scale(seen.pop(source), np.concatenate(every, axis=1))
        come_in = [f"{name}_input{part}" for part in (QUANTISED, SCALE, ZERO_POINT)]
        graph.initializer.extend([_tensor(scale, come_in[1]), _tensor(zero_point, come_in[2])])
        first = min(list(graph.node).index(node) for node in nodes)
        graph.node.insert(first, _make("QuantizeLinear", [source, *come_in[1:]], come_in[:1]))
        for node, weight in zip(nodes, every, strict=True):
            of = [f"{node.input[1]}{part}" for part in (QUANTISED, SCALE, ZERO_POINT)]
            step = np.maximum(np.abs(weight).max(axis=0), 1e-9).astype(np.float32) / 127
            graph.initializer.remove(weights[node.input[1]])
            rounded = np.rint(weight / step).astype(np.int8)
            graph.initializer.extend(map(_tensor, (rounded, step, np.zeros(len(step), dtype=np.int8)), of))
            operands = [part for pair in zip(come_in, of, strict=True) for part in pair]
            product = _make("MatMulIntegerToFloat", operands, node.output, name=node.name, domain=_OF_RUNTIME)
            _replace(graph, [node], [product])


def take_biases_in(model: onnx.ModelProto) -> None:
    """Let the products of int8 add the biases that come after them, in place: the same sums with fewer passes over memory."""
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}

    def product_of(name: str) -> onnx.NodeProto | None:
        node = maker.get(name)
        if node is not None and node.op_type == "Sum":  # of a layer's groups one adds the bias
            node = maker.get(node.input[-1])
        return node if node is not None and node.op_type == "MatMulIntegerToFloat" and len(node.input) == 6 else None

    for node in list(graph.node):
        if node.op_type == "Add":
            bias, value = sorted(node.input, key=lambda name: name not in weights)
            product = product_of(value)
            if bias in weights and product is not None:
                product.input.append(bias)
                maker[value].output[0] = node.output[0]
                graph.node.remove(node)
        elif node.op_type == "BiasGelu" and (product := product_of(node.input[0])) is not None:
            product.input.append(node.input.pop())
            node.op_type = "Gelu"
        elif node.op_type == "MultiHeadAttention":
            products = [product for name in node.input[:3] if (product := product_of(name)) is not None]
            if len(products) == 3 and (bias := node.input[3]):
                for at, values in enumerate(np.split(onnx.numpy_helper.to_array(weights[bias]), 3)):
                    graph.initializer.append(_tensor(values, f"{bias}{GROUP}{at}"))
                    products[at].input.append(f"{bias}{GROUP}{at}")
                node.input[3] = ""
                graph.initializer.remove(weights[bias])


def drop_mask(model: onnx.ModelProto) -> None:
    """Take the mask out of the attention, in place: sentences of one length are scored together, so nothing is padding."""
    for node in model.graph.node:
        if node.op_type == "MultiHeadAttention":
            del node.input[4:]
    OnnxModel(model).prune_graph(allow_remove_graph_inputs=True)


def _fixed_scale(
    seen: NDArray[np.float32], weight: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Step and zero point for values of shape (n_tokens, n_in), by what rounding does to them times (n_in, n_out)."""
    low, high = min(float(seen.min()), 0.0), max(float(seen.max()), 1e-6)
    judging = seen[np.random.default_rng(0).permutation(len(seen))[:_N_JUDGING]]
    best = (np.inf, np.float32(0), np.uint8(0))
    for end in _ENDS:
        step = np.float32((high - low) * end / 255)
        zero_point = np.uint8(np.clip(np.rint(-low * end / step), 0, 255))
        rounded = (np.clip(np.rint(judging / step) + zero_point, 0, 255) - np.float32(zero_point)) * step
        error = float((((rounded - judging) @ weight) ** 2).mean())
        best = min(best, (error, step, zero_point))
    return np.array(best[1]), np.array(best[2])


def _inputs(
    model: onnx.ModelProto, names: Iterable[str], ids: Sequence[Sequence[int]]
) -> dict[str, NDArray[np.float32]]:
    """Values of some tensors at tokens of all the sentences, shape (n_tokens, n_channels) each."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    asked = sorted(set(names))
    for name in asked:
        watched.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in asked}
    for sentence in ids:
        tokens = rng.permutation(len(sentence))[: -(-_N_RANGING // len(ids))]
        for name, value in zip(asked, session.run(asked, _feed(session, sentence)), strict=True):
            found[name].append(value.reshape(-1, value.shape[-1])[tokens])
    return {name: np.concatenate(values) for name, values in found.items()}


def _feed(session: Any, sentence: Sequence[int]) -> dict[str, NDArray[np.int64]]:
    """One sentence for the inputs that a graph has: ids, and a mask unless it was dropped."""
    tokens = np.array([sentence], dtype=np.int64)
    return {each.name: tokens if each.name == "input_ids" else np.ones_like(tokens) for each in session.get_inputs()}


def _replace(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto], by: Sequence[onnx.NodeProto]) -> None:
    """Put other nodes in the place of the first of some."""
    place = list(graph.node).index(nodes[0])
    for node in nodes:
        graph.node.remove(node)
    for at, node in enumerate(by):
        graph.node.insert(place + at, node)


def quantise_embeddings(model: onnx.ModelProto) -> None:
    """The tables of words and positions become int8 with a scale for each row, in place."""
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    for node in [each for each in graph.node if each.op_type == "Gather"]:
        name, ids, out = node.input[0], node.input[1], node.output[0]
        dims = tuple(weights[name].dims) if name in weights else ()
        if len(dims) != 2 or max(dims) < _LONG_TABLE:
            continue
        table = onnx.numpy_helper.to_array(weights[name])
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-9).astype(np.float32) / 127
        graph.initializer.remove(weights[name])
        rows = np.rint(table / scale).astype(np.int8)
        graph.initializer.extend([_tensor(rows, f"{name}{ROWS}"), _tensor(scale, f"{name}{ROW_SCALES}")])
        steps = [
            _make("Gather", [f"{name}{ROWS}", ids], [f"{out}_int8"]),
            _make("Cast", [f"{out}_int8"], [f"{out}_float"], to=onnx.TensorProto.FLOAT),
            _make("Gather", [f"{name}{ROW_SCALES}", ids], [f"{out}_scale"]),
            _make("Mul", [f"{out}_float", f"{out}_scale"], [out]),
        ]
        _replace(graph, [node], steps)


def correct_bias(model: onnx.ModelProto, exact: Path, ids: Sequence[Sequence[int]]) -> None:
    """Move the log-odds of sentences and words by what rounding has moved them on average, in place (Nagel et al. 2019)."""
    rounded = open_on_processor(model.SerializeToString(), ort.SessionOptions())
    whole = ort.InferenceSession(str(exact), providers=["CPUExecutionProvider"])
    moved: dict[str, list[NDArray[np.float32]]] = {"sentence": [], "words": []}
    for sentence in ids:
        exactly, int8 = (each.run(list(moved), _feed(each, sentence)) for each in (whole, rounded))
        for name, before, after in zip(moved, exactly, int8, strict=True):
            moved[name].append((before - after).ravel())
    for name, by in moved.items():
        maker = next(node for node in model.graph.node if name in node.output)
        maker.output[list(maker.output).index(name)] = f"{name}_uncorrected"
        correction = np.array(np.concatenate(by).mean(), dtype=np.float32)
        model.graph.initializer.append(_tensor(correction, f"{name}_correction"))
        model.graph.node.append(_make("Add", [f"{name}_uncorrected", f"{name}_correction"], [name]))
