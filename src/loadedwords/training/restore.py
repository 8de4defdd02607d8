"""A checkpoint made again from the int8 graph of a bundle, to be trained further."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

from loadedwords.errors import ModelError
from loadedwords.files import folder_written_whole
from loadedwords.models.bundle import Bundle
from loadedwords.models.onnx_scorer import GRAPH_FILE, TOKENIZER_FILE
from loadedwords.training.network import FramingNetwork, save_network
from loadedwords.training.quantise import GROUP, QUANTISED, ROW_SCALES, ROWS, SCALE, SMOOTHING


def restore_checkpoint(bundle: Bundle, folder: Path) -> Path:
    """Make a checkpoint of a transformer bundle again, to train it further where its own checkpoint is not at hand.

    The weights are those of the int8 graph: each is within half a step of its channel's 255 of what was trained. The folder
    must not exist; `TransformerFramingClassifier.from_checkpoint` takes it.

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
    with folder_written_whole(folder) as beside:
        save_network(network, tokenizer, beside)
    return folder


def _float_weights(file: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The network's parameters by their names in torch, from the fused int8 graph."""
    graph = onnx.load(str(file)).graph
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    used_by = {name: node for node in graph.node for name in node.input}
    found: dict[str, dict[str, NDArray[np.float32]]] = {}  # by name and group
    for name, stored in values.items():
        whole, array = name, stored
        if name.endswith(QUANTISED):
            whole = name.removesuffix(QUANTISED)
            array = stored.astype(np.float32) * values[f"{whole}{SCALE}"]
        elif name.endswith(ROWS):
            whole = name.removesuffix(ROWS)
            array = stored.astype(np.float32) * values[f"{whole}{ROW_SCALES}"]
        elif name.endswith((SCALE, ROW_SCALES, SMOOTHING)) or stored.dtype != np.float32:
            continue
        ungrouped = re.sub(rf"{GROUP}\d+$", "", whole)  # a group's number has one digit
        found.setdefault(ungrouped, {})[name] = array
    for whole, groups in found.items():
        parts = []
        for name in sorted(groups):
            user = used_by[name]
            smoothing = _smoothing(user, maker) if name.endswith(QUANTISED) else None
            parts.append(groups[name] if smoothing is None else groups[name] * values[smoothing][:, None])
        # Hidden units, which are in groups, are what comes out of a layer's first product and goes into its second.
        axis = 1 if parts[0].ndim == 2 and used_by.get(user.output[0], user).op_type == "Gelu" else 0
        array = np.concatenate(parts, axis) if len(parts) > 1 else parts[0]
        fused = re.fullmatch(r"Attention_(\d+)_qkv_bias", whole)
        if fused:
            prefix = next(n for n in values if f".encoder.layer.{fused[1]}." in n).split(".encoder.layer.")[0]
            for part, each in zip(("query", "key", "value"), np.split(array, 3), strict=True):
                yield f"{prefix}.encoder.layer.{fused[1]}.attention.self.{part}.bias".removeprefix("network."), each
        elif whole.startswith("onnx::MatMul"):
            node = re.sub(r"/MatMul.*", "", user.name).strip("/").replace("/", ".").removeprefix("network.")
            # The heads' container is never called, so the tracer leaves its name out.
            yield f"{node if node.startswith('model.') else f'heads.{node}'}.weight", array.T
        elif whole.startswith("network."):
            turned = whole.endswith("_Transposed")
            yield whole.removesuffix("_Transposed").removeprefix("network."), array.T if turned else array


def _smoothing(product: onnx.NodeProto, maker: Mapping[str, onnx.NodeProto]) -> str | None:
    """What the input of a product is multiplied by before it is rounded: the name of its initialiser."""
    step = maker.get(product.input[0])
    while product.op_type == "MatMulIntegerToFloat" and step is not None and step.op_type in ("QuantizeLinear", "Mul"):
        if step.op_type == "Mul" and step.input[1].endswith(SMOOTHING):
            return str(step.input[1])
        step = maker.get(step.input[0])
    return None
