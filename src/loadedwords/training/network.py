"""The network: one encoder, with heads for the sentence, its words and their kinds, trained together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, PreTrainedModel
from transformers.utils import logging as hf_logging

from loadedwords.errors import DataError
from loadedwords.schema import CLASSES, KINDS

HEADS_FILE = "framing_heads.safetensors"
SETTINGS_FILE = "framing.json"
POOLINGS = ("first", "mean")
IGNORED = -1  # target of a token that no loss is taken from


class FramingNetwork(nn.Module):
    """A sequence classifier with two labels, a word head, and one that says what a loaded word does.

    The pooling ``"first"`` reads the sentence from its first token, by the classifier's own head, so that the checkpoint is
    an ordinary text-classification checkpoint. ``"mean"`` reads it from the mean over all tokens.
    """

    def __init__(self, model: PreTrainedModel, pooling: str) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise DataError(f"pooling is {pooling!r}.\nChoose one of {', '.join(POOLINGS)}.")
        self.model, self.pooling = model, pooling
        width = model.config.hidden_size
        self.heads = nn.ModuleDict({"word": nn.Linear(width, 1)})
        if pooling == "mean":
            self.heads["sentence"] = nn.Linear(width, 2)
        self.heads["kind"] = nn.Linear(width, len(KINDS) + 1)  # the last one says whether it praises
        self.dropout = nn.Dropout(0.1)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        taught: Mapping[str, torch.Tensor] | None = None,
    ) -> dict[str, torch.Tensor]:
        """Log-odds of sentences, tokens and kinds, and the loss where targets are given.

        Parameters
        ----------
        input_ids, attention_mask : Tensor of shape (n_sentences, length)
        taught : mapping of str to Tensor, optional
            ``target``, ``offset``, ``weight``, ``word_weight`` and ``kind_weight`` of each sentence, as `fit` has them, and
            ``word``, ``kind`` and ``praise`` of each token, as `token_targets` gives them.

        Returns
        -------
        dict
            ``sentence`` (n_sentences,), ``words`` (n_sentences, length), ``kinds`` (n_sentences, length,
            n_kinds + 1) and perhaps ``loss``.
        """
        if self.pooling == "first":
            out = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
            hidden, logits = out.hidden_states[-1], out.logits
        else:
            hidden = self.model.base_model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            logits = self.heads["sentence"](self.dropout((hidden * mask).sum(1) / mask.sum(1)))
        dropped = self.dropout(hidden)
        answer = {
            "sentence": (logits[:, 1] - logits[:, 0]).float(),
            "words": self.heads["word"](dropped).squeeze(-1).float(),
            "kinds": self.heads["kind"](dropped).float(),
        }
        if taught is not None:
            answer["loss"] = _loss(answer, taught)
        return answer


def _loss(answer: Mapping[str, torch.Tensor], taught: Mapping[str, torch.Tensor]) -> torch.Tensor:
    cross_entropy = functional.binary_cross_entropy_with_logits
    each = cross_entropy(answer["sentence"] + taught["offset"], taught["target"], reduction="none")
    loss = (each * taught["weight"]).mean()
    asked = (taught["word"] != IGNORED) & (taught["word_weight"] > 0).unsqueeze(-1)
    if asked.any():
        tokens = cross_entropy(answer["words"], taught["word"], reduction="none")
        # The mean over each sentence's tokens, so that a long sentence weighs no more than a short one.
        per_sentence = (tokens * asked).sum(1) / asked.sum(1).clamp(min=1)
        loss = loss + (per_sentence * taught["word_weight"]).mean()
    kind_weight = taught["kind_weight"].mean()
    known = taught["kind"] != IGNORED
    if known.any():
        loss = loss + kind_weight * functional.cross_entropy(answer["kinds"][known][:, :-1], taught["kind"][known])
    known = taught["praise"] != IGNORED
    if known.any():
        loss = loss + kind_weight * cross_entropy(answer["kinds"][known][:, -1], taught["praise"][known])
    return loss


def tie_words(network: FramingNetwork, groups: Sequence[Sequence[int]]) -> None:
    """Give the tokens of each group one vector, the mean of theirs, which training moves as one."""
    table: nn.Parameter = network.model.get_input_embeddings().weight  # type: ignore[assignment]

    def share(of: torch.Tensor) -> None:
        for tokens in groups:
            of[tokens] = of[tokens].mean(dim=0)

    with torch.no_grad():
        share(table)
    # The same gradient, decay and moments, so that the optimizer takes the same step for all.
    table.register_post_accumulate_grad_hook(lambda parameter: share(parameter.grad))  # type: ignore[no-untyped-call]


class ByteDropout(nn.Module):
    """Dropout that draws bytes: on a CPU, torch's own draw takes a fifth of the training time."""

    def __init__(self, p: float, seed: int) -> None:
        super().__init__()
        self.dropped = round(256 * p)
        self.generator = np.random.Generator(np.random.SFC64(seed))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.dropped:
            return hidden
        drawn = self.generator.integers(0, 256, hidden.numel(), dtype=np.uint8)
        kept = torch.from_numpy(drawn).view(hidden.shape) >= self.dropped
        return hidden * kept * (256 / (256 - self.dropped))


def load_network(checkpoint: str | Path, *, pooling: str, seed: int) -> FramingNetwork:
    """A network from a checkpoint of ours, whose heads go on where they were, or a fresh one on an encoder.

    `pooling` is that of a fresh network, `seed` that of its heads' first weights.
    """
    folder = Path(checkpoint)
    torch.manual_seed(seed)
    settings_file = folder / SETTINGS_FILE
    if settings_file.is_file() != (folder / HEADS_FILE).is_file():
        raise DataError(f"{folder} has only one of {SETTINGS_FILE} and {HEADS_FILE}.\nCopy the whole folder again.")
    if settings_file.is_file():
        pooling = json.loads(settings_file.read_text(encoding="utf-8"))["pooling"]
    with _quiet():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=2,
            id2label=dict(enumerate(CLASSES)),
            label2id={name: at for at, name in enumerate(CLASSES)},
            # On a CPU this is the faster attention in training, and the graph's optimiser knows it.
            attn_implementation="eager",
            attention_probs_dropout_prob=0.0,
            dtype=torch.float32,
        )
    network = FramingNetwork(model, pooling)
    if settings_file.is_file():
        network.heads.load_state_dict(load_file(folder / HEADS_FILE))
    return network


def save_network(network: FramingNetwork, tokenizer: Any, folder: Path) -> None:
    """Write a checkpoint; with the pooling "first", transformers loads it as a text classifier."""
    with _quiet():
        network.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    save_file({name: value.contiguous() for name, value in network.heads.state_dict().items()}, folder / HEADS_FILE)
    (folder / SETTINGS_FILE).write_text(json.dumps({"pooling": network.pooling}) + "\n", encoding="utf-8")


def use_byte_dropout(network: FramingNetwork, seed: int) -> None:
    """Put `ByteDropout` in the place of every dropout that drops anything."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout) and child.p > 0:
                seed += 1
                setattr(module, name, ByteDropout(child.p, seed))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' bars and its report of fresh heads, which is what is asked for here."""
    level, bars = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        hf_logging.set_verbosity(level)
        if bars:
            hf_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
