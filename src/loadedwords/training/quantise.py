"""The edits of a graph that keep its precision in int8, each in place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

# How far the activations' range is moved into the weights (SmoothQuant's alpha), found by trying.
_SMOOTH_BEFORE_GELU, _SMOOTH_AFTER_GELU = 0.5, 0.9
# The hidden units of a feed-forward layer are quantised in groups of like range: such shares in those with the largest.
_LARGEST_UNITS = (1 / 48, 1 / 12, 1 / 4)
# What initialisers are called that the export itself puts into the graph.
ROWS, ROW_SCALES, SMOOTHING, GROUP = "_rows", "_row_scales", "_smoothing", "_group"
_EMPTY = onnx.TensorProto()


def smooth(model: onnx.ModelProto, ids: Sequence[Sequence[int]]) -> None:
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
        graph.initializer.append(onnx.numpy_helper.from_array(1 / scale, f"{name}{SMOOTHING}"))
        node.input[0] = f"{name}_input"
        smoothing = onnx.helper.make_node("Mul", [source, f"{name}{SMOOTHING}"], [f"{name}_input"])
        graph.node.insert(list(graph.node).index(node), smoothing)


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
        parts = [f"{name}{GROUP}{at}" for at in range(len(sizes))]
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(sizes, dtype=np.int64), f"{name}_sizes"))
        for part, values in zip(parts, np.split(down[order], np.cumsum(sizes)[:-1]), strict=True):
            graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), part))
        make = onnx.helper.make_node
        steps = [make("Split", [node.input[0], f"{name}_sizes"], [f"{part}_input" for part in parts], axis=-1)]
        steps += [
            make("MatMul", [f"{part}_input", part], [f"{part}_output"], name=f"{node.name}{GROUP}{at}")
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


def quantise_embeddings(model: onnx.ModelProto) -> None:
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
    graph.initializer.append(onnx.numpy_helper.from_array(rows, f"{name}{ROWS}"))
    graph.initializer.append(onnx.numpy_helper.from_array(scale, f"{name}{ROW_SCALES}"))
    at = list(graph.node).index(node)
    graph.node.remove(node)
    make = onnx.helper.make_node
    for step, each in enumerate(
        (
            make("Gather", [f"{name}{ROWS}", ids], [f"{out}_int8"]),
            make("Cast", [f"{out}_int8"], [f"{out}_float"], to=onnx.TensorProto.FLOAT),
            make("Gather", [f"{name}{ROW_SCALES}", ids], [f"{out}_scale"]),
            make("Mul", [f"{out}_float", f"{out}_scale"], [out]),
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
        model.graph.initializer.append(onnx.numpy_helper.from_array(correction, f"{name}_correction"))
        model.graph.node.append(onnx.helper.make_node("Add", [f"{name}_uncorrected", f"{name}_correction"], [name]))
