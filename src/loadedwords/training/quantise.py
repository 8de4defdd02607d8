"""The edits of a graph that keep its precision in int8, each in place.

Activations are rounded on scales that are fixed when the graph is made, so that a sentence's score does not depend on what
it is scored with. A fixed scale must hold the largest value that ever comes, and a few channels and tokens are far larger than
the rest: the channels are scaled down and the weights behind them up (`smooth`), the hidden units rounded in groups of like
range (`group_units`), and the largest values cut off where that costs less than a coarser step (`quantise_matmuls`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

# How far the activations' range is moved into the weights (SmoothQuant's alpha), found by trying.
_SMOOTH_INTO_ATTENTION, _SMOOTH_OUT_OF_ATTENTION = 0.8, 0.7
_SMOOTH_BEFORE_GELU, _SMOOTH_AFTER_GELU = 0.8, 0.9
# The hidden units of a feed-forward layer are quantised in groups of like range: such shares in those with the largest.
_LARGEST_UNITS = (1 / 48, 1 / 12, 1 / 4)
# Shares of the largest value that are tried as the end of a scale, and tokens that they are judged on.
_ENDS, _N_JUDGING = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5), 3000
# Rows from which a table of embeddings is worth rounding.
_LONG_TABLE = 100
# What initialisers are called that the export itself puts into the graph.
ROWS, ROW_SCALES, SMOOTHING, GROUP = "_rows", "_row_scales", "_smoothing", "_group"
QUANTISED, SCALE, ZERO_POINT = "_quantized", "_scale", "_zero_point"
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
    seen = _inputs(model, (node.input[0] for node, *_ in chosen), ids)
    for node, scaled, gelu, before in chosen:
        name, smoothing = node.input[1], scaled.input[1]
        down = onnx.numpy_helper.to_array(weights[name])
        order = np.argsort(-np.abs(seen[node.input[0]]).max(axis=0) * np.abs(down).max(axis=1), kind="stable")
        for of, sorted_values in (
            (name, down[order]),
            (smoothing, onnx.numpy_helper.to_array(weights[smoothing])[order]),
            (before.input[1], onnx.numpy_helper.to_array(weights[before.input[1]])[:, order]),
            (gelu.input[1], onnx.numpy_helper.to_array(weights[gelu.input[1]])[order]),
        ):
            weights[of].CopyFrom(_tensor(np.ascontiguousarray(sorted_values), of))
        sizes = [max(1, round(share * len(down))) for share in _LARGEST_UNITS]
        sizes.append(len(down) - sum(sizes))
        parts = [f"{name}{GROUP}{at}" for at in range(len(sizes))]
        graph.initializer.append(_tensor(np.array(sizes, dtype=np.int64), f"{name}_sizes"))
        for part, values in zip(parts, np.split(down[order], np.cumsum(sizes)[:-1]), strict=True):
            graph.initializer.append(_tensor(np.ascontiguousarray(values), part))
        steps = [_make("Split", [node.input[0], f"{name}_sizes"], [f"{part}_input" for part in parts], axis=-1)]
        steps += [
            _make("MatMul", [f"{part}_input", part], [f"{part}_output"], name=f"{node.name}{GROUP}{at}")
            for at, part in enumerate(parts)
        ]
        steps.append(_make("Sum", [f"{part}_output" for part in parts], [node.output[0]]))
        place = list(graph.node).index(node)
        graph.node.remove(node)
        graph.initializer.remove(weights[name])
        for at, step in enumerate(steps):
            graph.node.insert(place + at, step)


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
            of = node.input[1]
            step = np.maximum(np.abs(weight).max(axis=0), 1e-9).astype(np.float32) / 127
            graph.initializer.remove(weights[of])
            graph.initializer.extend(
                [
                    _tensor(np.rint(weight / step).astype(np.int8), f"{of}{QUANTISED}"),
                    _tensor(step, f"{of}{SCALE}"),
                    _tensor(np.zeros(len(step), dtype=np.int8), f"{of}{ZERO_POINT}"),
                ]
            )
            operands = [
                part
                for pair in zip(come_in, (f"{of}{p}" for p in (QUANTISED, SCALE, ZERO_POINT)), strict=True)
                for part in pair
            ]
            product = _make("MatMulIntegerToFloat", operands, node.output, name=node.name, domain="com.microsoft")
            place = list(graph.node).index(node)
            graph.node.remove(node)
            graph.node.insert(place, product)


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
    """Values of some tensors over sentences, shape (n_tokens, n_channels) each."""
    import onnxruntime as ort

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    asked = sorted(set(names))
    for name in asked:
        watched.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in asked}
    for sentence in ids:
        tokens = np.array([sentence], dtype=np.int64)
        values = session.run(asked, {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})
        for name, value in zip(asked, values, strict=True):
            found[name].append(value.reshape(-1, value.shape[-1]))
    return {name: np.concatenate(values) for name, values in found.items()}


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
        at = list(graph.node).index(node)
        graph.node.remove(node)
        for step, each in enumerate(
            (
                _make("Gather", [f"{name}{ROWS}", ids], [f"{out}_int8"]),
                _make("Cast", [f"{out}_int8"], [f"{out}_float"], to=onnx.TensorProto.FLOAT),
                _make("Gather", [f"{name}{ROW_SCALES}", ids], [f"{out}_scale"]),
                _make("Mul", [f"{out}_float", f"{out}_scale"], [out]),
            )
        ):
            graph.node.insert(at + step, each)


def correct_bias(model: onnx.ModelProto, exact: Path, ids: Sequence[Sequence[int]]) -> None:
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
        model.graph.initializer.append(_tensor(correction, f"{name}_correction"))
        model.graph.node.append(_make("Add", [f"{name}_uncorrected", f"{name}_correction"], [name]))
