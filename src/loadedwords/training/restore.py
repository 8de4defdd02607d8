"""A checkpoint made again from the int8 graph of a bundle, to be trained further."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
from loadedwords.training.quantise import GROUP, ROW_SCALES, ROWS, SMOOTHING


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
    consumer = {name: node.name for node in graph.node for name in node.input}
    found: dict[str, dict[str, NDArray[np.float32]]] = {}  # by name and group
    for name, stored in values.items():
        whole, array = name, stored
        if name.endswith("_quantized"):
            whole = name.removesuffix("_quantized")
            centred = stored.astype(np.float32) - values[f"{whole}_zero_point"].astype(np.float32)
            array = (centred * values[f"{whole}_scale"]).astype(np.float32)
        elif name.endswith(ROWS):
            whole = name.removesuffix(ROWS)
            array = stored.astype(np.float32) * values[f"{whole}{ROW_SCALES}"]
        elif name.endswith(("_scale", "_zero_point", ROW_SCALES, SMOOTHING)) or stored.dtype != np.float32:
            continue
        ungrouped, group = re.sub(rf"{GROUP}\d+$", "", whole), whole  # a group's number has one digit
        found.setdefault(ungrouped, {})[group] = array
        consumer.setdefault(ungrouped, consumer.get(name, ""))
    for whole, groups in found.items():
        parts = [groups[group] for group in sorted(groups)]
        array = np.concatenate(parts) if len(parts) > 1 else parts[0]
        if f"{whole}{SMOOTHING}" in values:
            array = array * values[f"{whole}{SMOOTHING}"][:, None]
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
