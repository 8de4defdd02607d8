"""The network: one encoder, a head for the sentence and a head for its words, trained together."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from loadedwords.schema import CLASSES

HEADS_FILE = "framing_heads.safetensors"
SETTINGS_FILE = "framing.json"
POOLINGS = ("first", "mean")
# Words below these log-odds are plain either way: that they are so to another degree is no reason to teach anything.
_PLAIN_WORD = -3.0
IGNORED = -1.0  # target of a token or sentence that no loss is taken from


class FramingNetwork(nn.Module):
    """An encoder with a sentence head and a word head.

    Parameters
    ----------
    model : PreTrainedModel
        A sequence classifier with two labels.
    pooling : str
        ``"first"`` reads the sentence from its first token, by the classifier's own head, so that the checkpoint is
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
        self.dropout = nn.Dropout(0.1)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        target: torch.Tensor | None = None,
        weight: torch.Tensor | None = None,
        word_target: torch.Tensor | None = None,
        word_weight: torch.Tensor | None = None,
        pairs: torch.Tensor | None = None,
        pair_weight: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Log-odds of sentences and tokens, and the loss where targets are given.

        Parameters
        ----------
        input_ids, attention_mask : Tensor of shape (n_sentences, length)
        target, weight : Tensor of shape (n_taught,), optional
            Share of loaded, 0 to 1, and the sentence's weight, of the first sentences; those behind them are second
            versions, which have no target of their own.
        word_target : Tensor of shape (n_taught, length), optional
            For each token the share of people who would mark its word; `IGNORED` where nobody was asked.
        word_weight : Tensor of shape (n_taught,), optional
        pairs : Tensor of shape (n_pairs, 2), optional
            Sentences that should have the same log-odds: versions of each other.
        pair_weight : Tensor of shape (), optional
            Of the mean squared difference of their log-odds and of those of their strongest words.

        Returns
        -------
        dict
            ``sentence`` (n_sentences,), ``words`` (n_sentences, length) and perhaps ``loss``.
        """
        if self.pooling == "first":
            out = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
            hidden, logits = out.hidden_states[-1], out.logits
        else:
            hidden = self.model.base_model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            logits = self.heads["sentence"](self.dropout((hidden * mask).sum(1) / mask.sum(1)))
        words = self.heads["word"](self.dropout(hidden)).squeeze(-1).float()
        sentence = (logits[:, 1] - logits[:, 0]).float()
        answer = {"sentence": sentence, "words": words}
        if target is not None and weight is not None:
            taught = len(target)
            each = functional.binary_cross_entropy_with_logits(sentence[:taught], target, reduction="none")
            loss = (each * weight).mean()
            if word_target is not None and word_weight is not None:
                asked = (word_target != IGNORED) & (word_weight > 0).unsqueeze(-1)
                if asked.any():
                    tokens = functional.binary_cross_entropy_with_logits(words[:taught], word_target, reduction="none")
                    # The mean over each sentence's tokens, so that a long sentence weighs no more than a short one.
                    per_sentence = (tokens * asked).sum(1) / asked.sum(1).clamp(min=1)
                    loss = loss + (per_sentence * word_weight).mean()
            if pairs is not None and pair_weight is not None and len(pairs):
                strongest = words.masked_fill(attention_mask == 0, _PLAIN_WORD).amax(1).clamp(min=_PLAIN_WORD)
                both = torch.stack([sentence, strongest], 1)
                loss = loss + pair_weight * (both[pairs[:, 0]] - both[pairs[:, 1]]).square().mean()
            answer["loss"] = loss
        return answer


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
    """A network from a checkpoint of ours, or a fresh one on an encoder.

    Parameters
    ----------
    checkpoint : str or Path
        A folder; with `HEADS_FILE` in it, its heads go on where they were.
    pooling : str
        Of a fresh network.
    seed : int
        Of the heads' first weights.
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
