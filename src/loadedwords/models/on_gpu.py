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

from loadedwords.errors import MissingExtraError, ModelError

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
    found, why = None, f"it was built for {', '.join(ort.get_available_providers())}"
    if _CUDA in ort.get_available_providers():
        floats = in_floats(graph)
        with redirect_stdout(sys.stderr):  # it tells what it misses on stdout, which is for data
            ort.preload_dlls()  # CUDA's libraries, where they came as packages
            try:
                found = ort.InferenceSession(floats, options, providers=[(_CUDA, _EXACT_AND_FRUGAL), _PROCESSOR])
                why = "it finds neither a GPU nor CUDA's libraries, or one of both"
            except Exception as error:  # ONNX Runtime raises classes of its own, and plain ones
                why = str(error)
    if found is None or _CUDA not in found.get_providers():
        raise ModelError(
            f"ONNX Runtime can use no GPU here: {why}.\n"
            "See `A GPU` in docs/speed.md for what to install, take fewer --workers if its memory is full, or leave the device out."
        )
    return found


def in_floats(graph: bytes) -> bytes:
    """The graph with each product of int8 as one of float32; all else is as it was.

    Raises
    ------
    MissingExtraError
        If onnx is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:  # no extra brings it: that would put ONNX Runtime for processors back as well
        raise MissingExtraError(
            f"Scoring on a GPU needs {error.name}, which is not installed.\nInstall it with:  pip install onnx"
        ) from error
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
