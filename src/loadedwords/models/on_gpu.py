"""The graph on an NVIDIA GPU: the same whole numbers, multiplied in float32.

A product of int8 on scales is a kernel that ONNX Runtime has for processors alone. Whole numbers up to 255 times weights up
to 127 are exact in float32, and so are their sums up to 2**24; beyond, a sum is off by one in 2**24 at most. So the scores
are those of the processor, but for a rounding that may fall to the other side (tests/test_gpu.py holds them against each other).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import onnxruntime as ort

from loadedwords.errors import ModelError, require

_CUDA, _PROCESSOR = "CUDAExecutionProvider", "CPUExecutionProvider"
_PRODUCT = "MatMulIntegerToFloat"
# TensorFloat-32 keeps ten bits of what it multiplies: other scores. Memory grows by what is asked for, as several share a GPU.
_EXACT_AND_FRUGAL = {"use_tf32": "0", "arena_extend_strategy": "kSameAsRequested"}


def open_on_gpu(graph: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    """A session on the first GPU.

    Raises
    ------
    ModelError
        If ONNX Runtime can't use one here.
    MissingExtraError
        If onnx is not installed.
    """
    session = None
    if _CUDA in ort.get_available_providers():
        with redirect_stdout(sys.stderr):  # it tells what it misses on stdout, which is for data
            ort.preload_dlls()  # CUDA's libraries, where they came as packages
        session = ort.InferenceSession(in_floats(graph), options, providers=[(_CUDA, _EXACT_AND_FRUGAL), _PROCESSOR])
    if session is None or _CUDA not in session.get_providers():
        raise ModelError(
            "ONNX Runtime can use no GPU here: it has no CUDA, or finds neither its libraries nor a GPU.\n"
            "See docs/speed.md for what to install (pip uninstall onnxruntime, then onnxruntime-gpu in its place), or leave the device out."
        )
    return session


def in_floats(graph: bytes) -> bytes:
    """The graph with each product of int8 as one of float32; all else is as it was.

    Raises
    ------
    MissingExtraError
        If onnx is not installed.
    """
    onnx = require("onnx", extra="cuda", purpose="Scoring on a GPU")
    model = onnx.load_from_string(graph)
    weights = {each.name: each for each in model.graph.initializer}
    nodes: list[Any] = []
    for node in model.graph.node:
        nodes += _product(onnx, model.graph, node, weights) if node.op_type == _PRODUCT else [node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def _product(onnx: Any, graph: Any, node: Any, weights: dict[str, Any]) -> Iterator[Any]:
    """((input - zero point) @ weight) * scales + bias."""
    given, weight, in_scale, scale, zero_point, weight_zero, *bias = node.input
    array, make, named = onnx.numpy_helper.to_array, onnx.helper.make_node, onnx.numpy_helper.from_array
    shifted = array(weights[weight]).astype(np.float32) - array(weights[weight_zero]).astype(np.float32)
    floats, scales, one = f"{weight}_floats", f"{weight}_scales", f"{weight}_one"
    graph.initializer.extend(
        [
            named(shifted, floats),
            named(array(weights[in_scale]) * array(weights[scale]), scales),
            named(np.array(1, dtype=np.float32), one),
        ]
    )
    out = node.output[0]
    yield make("DequantizeLinear", [given, one, zero_point], [f"{out}_whole"])
    yield make("MatMul", [f"{out}_whole", floats], [f"{out}_product"], name=node.name)
    yield make("Mul", [f"{out}_product", scales], [f"{out}_scaled" if bias else out])
    if bias:
        yield make("Add", [f"{out}_scaled", bias[0]], [out])
