"""Trains the transformer tier: an encoder fine-tuned for sentences and words at once, as a scikit-learn estimator."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from transformers import AutoTokenizer, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils import CONFIG_NAME

from loadedwords.errors import DataError
from loadedwords.files import folder_written_whole
from loadedwords.models.onnx_scorer import OnnxSettings, find_phrases, word_logits
from loadedwords.models.scores import NO_KINDS, Logits, WordScore, check_sentences
from loadedwords.schema import CLASSES, KINDS
from loadedwords.training.encoders import find_encoder
from loadedwords.training.estimator import FramingClassifier, MarkedWords, check_fit, strongest_mark
from loadedwords.training.network import (
    IGNORED,
    FramingNetwork,
    load_network,
    save_network,
    tie_words,
    use_byte_dropout,
)

_PREDICT_TOKENS = 4096
_WEIGHT_DECAY = 0.01
_WARMUP = 0.06  # share of the steps in which the rate rises
_FIRST_LINE = 60.0  # seconds of training after which it tells how long the rest will take


class TransformerFramingClassifier(FramingClassifier):
    """A fine-tuned encoder that scores sentences and marks loaded words in one pass; trained by transformers' `Trainer`.

    Parameters
    ----------
    encoder : str
        A folder, or the name of an encoder on the Hugging Face Hub (see `loadedwords.training.encoders`); a folder
        that `save_checkpoint` wrote is trained further, heads included.
    revision : str or None
        Of an encoder on the Hub.
    pooling : str
        ``"first"``: the sentence is read from its first token, and the checkpoint loads in
        ``transformers.pipeline("text-classification")``. ``"mean"``: from the mean over its tokens, which that
        pipeline does not know.
    epochs, learning_rate, batch_size : float
        As Trainer takes them; the rate rises over the first steps and then falls linearly to 0.
    head_rate : float
        The heads learn at this multiple of the rate; of the pooling "first" not that for the sentence.
    max_length : int
        In tokens; what is beyond is cut off in training.
    word_weight, kind_weight : float
        Weight of the words' loss beside the sentences', and of that of their kinds.
    alike : sequence of sequence of str
        Groups of words that no score may tell apart: each group has one vector, learnt as one. Single tokens, as the
        tokenizer spells them.
    checkpoint_dir : str or None
        Folder in which training saves itself now and then; a killed `fit` called again with the same folder and data
        goes on from there. The folder is emptied when training has finished.
    progress : bool
        Show Trainer's progress bar on stderr.
    threads : int or None
        Processor threads; torch's own choice if None.
    random_state : int

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        ``["loaded", "neutral"]``, or ``[0, 1]`` where the labels were numbers.
    network_ : FramingNetwork
    tokenizer_ : PreTrainedTokenizerBase
    """

    def __init__(
        self,
        *,
        encoder: str = "sentence-transformers/all-MiniLM-L6-v2",
        revision: str | None = None,
        pooling: str = "first",
        epochs: float = 2.0,
        learning_rate: float = 5e-5,
        batch_size: int = 32,
        head_rate: float = 1.0,
        max_length: int = 112,
        word_weight: float = 1.0,
        kind_weight: float = 0.2,
        alike: Sequence[Sequence[str]] = (),
        checkpoint_dir: str | None = None,
        progress: bool = False,
        threads: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.encoder = encoder
        self.revision = revision
        self.pooling = pooling
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.head_rate = head_rate
        self.max_length = max_length
        self.word_weight = word_weight
        self.kind_weight = kind_weight
        self.alike = alike
        self.checkpoint_dir = checkpoint_dir
        self.progress = progress
        self.threads = threads
        self.random_state = random_state

    def fit(
        self,
        X: Sequence[str],  # noqa: N803
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        target: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        loaded_words: Sequence[MarkedWords | None] | None = None,
        word_sample_weight: ArrayLike | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """Fine-tune; all but `tell` have one entry for each sentence.

        Parameters
        ----------
        X : sequence of str
        y : array-like
            0 and 1, or "neutral" and "loaded".
        sample_weight : array-like, optional
            Of the sentence's own target; 0 trains on its words alone.
        target : array-like, optional
            What to learn instead of `y`: the share of readers who would object, 0 to 1.
        offset : array-like, optional
            Log-odds to add before a sentence is compared with its target: by how much its corpus is more loaded.
        loaded_words : sequence, optional
            The slices ``{"start", "end", "share", "kind", "praise"}`` of a sentence that people would mark, `share`
            of them; `kind` is one of `loadedwords.schema.KINDS`, `praise` 0 to 1, both None where unknown. The rest of
            the sentence is plain. None where nobody was asked.
        word_sample_weight : array-like, optional
        tell : callable
            Gets a line now and then: which step of how many.

        Raises
        ------
        DataError
            If `X` is one string, the lengths differ, there are not both classes, the encoder can't be found, or a word of
            `alike` is no single token of it.
        """
        self.classes_, rows = check_fit(
            X,
            y,
            target=target,
            loaded_words=loaded_words,
            sample_weight=(sample_weight, 1.0),
            offset=(offset, 0.0),
            word_sample_weight=(word_sample_weight, 1.0),
        )
        if target is None and len(np.unique(rows["label"])) < 2:
            raise DataError("fit needs sentences of both classes, neutral and loaded.")
        folder = find_encoder(self.encoder, revision=self.revision)
        self.tokenizer_ = AutoTokenizer.from_pretrained(folder)
        if self.threads:
            torch.set_num_threads(self.threads)
        network = load_network(folder, pooling=self.pooling, seed=self.random_state)
        tie_words(network, [[self._token_of(word) for word in group] for group in self.alike])
        encoded = self.tokenizer_(
            rows["text"], truncation=True, max_length=self.max_length, return_offsets_mapping=True
        )
        columns = {
            "input_ids": encoded["input_ids"],
            "tokens": list(map(token_targets, encoded["offset_mapping"], rows["loaded_words"])),
            "target": rows["target"].tolist(),
            "offset": rows["offset"].tolist(),
            "weight": rows["sample_weight"].tolist(),
            "word_weight": (rows["word_sample_weight"] * self.word_weight).tolist(),
            "kind_weight": [self.kind_weight] * len(rows["text"]),
        }
        by_row = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        self._train(network, by_row, tell)
        self.network_ = network.eval()
        return self

    def logits(self, X: Sequence[str], *, exact: bool = True) -> Logits:  # noqa: N803
        """Log-odds of sentences and words before calibration; without `exact` in bfloat16 where that is faster."""
        check_is_fitted(self, "network_")
        texts = check_sentences(X)
        encoded = self.tokenizer_(
            texts, truncation=True, max_length=self.max_length, return_offsets_mapping=True, padding=False
        ) if texts else {"input_ids": [], "offset_mapping": []}  # fmt: skip
        ids: list[list[int]] = encoded["input_ids"]
        order = sorted(range(len(texts)), key=lambda at: len(ids[at]))
        sentence = np.zeros(len(texts))
        words: list[list[tuple[int, int, float]]] = [[] for _ in texts]
        kinds = [NO_KINDS] * len(texts)
        device = next(self.network_.parameters()).device
        half = torch.autocast(device.type, dtype=torch.bfloat16, enabled=not exact and _bfloat16_is_fast())
        with torch.inference_mode(), half:
            while order:
                batch = [order.pop()]
                longest = len(ids[batch[0]])
                while order and (len(batch) + 1) * longest <= _PREDICT_TOKENS:
                    batch.append(order.pop())
                tensors = self.tokenizer_.pad({"input_ids": [ids[at] for at in batch]}, return_tensors="pt")
                answer = self.network_(tensors["input_ids"].to(device), tensors["attention_mask"].to(device))
                sentence[batch] = answer["sentence"].cpu().numpy()
                tokens, of_tokens = answer["words"].cpu().numpy(), answer["kinds"].cpu().numpy()
                for row, at in enumerate(batch):
                    words[at], kinds[at] = word_logits(
                        texts[at], encoded["offset_mapping"][at], tokens[row], of_tokens[row]
                    )
        return Logits(sentence, words, kinds)

    def log_odds(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """Log-odds of being loaded, not calibrated; shape (n_sentences,)."""
        return self.logits(X).sentence

    def find_loaded_words(self, X: Sequence[str]) -> list[list[WordScore]]:  # noqa: N803
        """The loaded words and phrases of each sentence, with offsets into it."""
        texts = check_sentences(X)
        logits = self.logits(texts)
        return [
            find_phrases(text, words, kinds, OnnxSettings())
            for text, words, kinds in zip(texts, logits.words, logits.kinds, strict=True)
        ]

    def save_checkpoint(self, folder: str | Path) -> Path:
        """Write weights, heads and tokenizer into `folder`, which must not exist; returns it.

        With the pooling "first", ``transformers.pipeline("text-classification", model=folder)`` loads it.
        """
        check_is_fitted(self, "network_")
        if Path(folder).exists():
            raise DataError(f"{folder} exists.\nName another folder for the checkpoint, or remove this one.")
        with folder_written_whole(Path(folder)) as beside:
            save_network(self.network_, self.tokenizer_, beside)
        return Path(folder)

    @classmethod
    def from_checkpoint(cls, folder: str | Path, **parameters: Any) -> Self:
        """A fitted estimator from a folder that `save_checkpoint` wrote; `parameters` as in the constructor."""
        estimator = cls(**{**parameters, "encoder": str(folder)})
        if not (Path(folder) / CONFIG_NAME).is_file():
            raise DataError(
                f"{folder} holds no checkpoint: it has no {CONFIG_NAME}.\nName a folder that save_checkpoint wrote."
            )
        if estimator.threads:
            torch.set_num_threads(estimator.threads)
        estimator.tokenizer_ = AutoTokenizer.from_pretrained(folder)
        estimator.network_ = load_network(folder, pooling=estimator.pooling, seed=estimator.random_state).eval()
        estimator.classes_ = np.array(sorted(CLASSES))
        return estimator

    def _token_of(self, word: str) -> int:
        token = self.tokenizer_.get_vocab().get(word)
        if token is None:
            raise DataError(f"alike has {word!r}, which is no single token of {self.encoder}.\nLeave it out.")
        return int(token)

    def _train(self, network: FramingNetwork, rows: list[dict[str, Any]], tell: Callable[[str], None]) -> None:
        on_gpu = torch.cuda.is_available()
        if not on_gpu:
            use_byte_dropout(network, self.random_state)
            torch.set_flush_denormal(True)
        keep = self.checkpoint_dir is not None
        folder = Path(self.checkpoint_dir or tempfile.mkdtemp(prefix="loadedwords-"))
        n_steps = max(1, round(self.epochs * -(-len(rows) // self.batch_size)))
        arguments = TrainingArguments(
            output_dir=str(folder),
            per_device_train_batch_size=self.batch_size,
            max_steps=n_steps,
            lr_scheduler_type="linear",
            warmup_steps=round(_WARMUP * n_steps),
            bf16=_bfloat16_is_fast(),
            use_cpu=not on_gpu,
            train_sampling_strategy="group_by_length",
            save_strategy="steps" if keep else "no",
            save_steps=max(50, n_steps // 20),
            save_total_limit=1,
            logging_strategy="no",
            report_to="none",
            disable_tqdm=not self.progress,
            dataloader_pin_memory=on_gpu,
            remove_unused_columns=False,
            seed=self.random_state,
            label_names=[],
        )
        parameters = _parameter_groups(network, self.learning_rate, self.head_rate)
        optimizer = torch.optim.AdamW(parameters, lr=self.learning_rate, fused=True)
        trainer = _SilentTrainer(
            model=network,
            args=arguments,
            train_dataset=rows,
            data_collator=partial(_as_batch, self.tokenizer_),
            optimizers=(optimizer, None),
            callbacks=[_Teller(tell)],
        )
        try:
            _remove_broken_checkpoints(folder)
            last = get_last_checkpoint(str(folder)) if keep and folder.is_dir() else None  # type: ignore[no-untyped-call]
            trainer.train(resume_from_checkpoint=last)
            # Trainer leaves its mixed precision wrapped around the forward pass.
            trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False)
        finally:
            torch.set_flush_denormal(False)  # it is the whole process's
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
        if keep:
            for checkpoint in folder.glob("checkpoint-*"):
                shutil.rmtree(checkpoint)


def _remove_broken_checkpoints(folder: Path) -> None:
    """Trainer writes a checkpoint in place, its state last: one without was cut short by a kill, and the one before is whole."""
    for checkpoint in folder.glob("checkpoint-*"):
        if not (checkpoint / TRAINER_STATE_NAME).is_file():
            shutil.rmtree(checkpoint)


class _SilentTrainer(Trainer):
    """Trainer prints its own figures on stdout, which carries data here; `_Teller` tells what there is to tell."""

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        pass


def _as_batch(tokenizer: Any, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rows → padded tensors."""
    batch = tokenizer.pad({"input_ids": [row["input_ids"] for row in rows]}, return_tensors="pt")
    length = batch["input_ids"].shape[1]
    padding = (IGNORED, IGNORED, IGNORED)
    tokens = [row["tokens"] + [padding] * (length - len(row["tokens"])) for row in rows]
    word, kind, praise = torch.tensor(tokens, dtype=torch.float32).unbind(dim=2)
    of_sentence = {
        name: torch.tensor([row[name] for row in rows])
        for name in ("target", "offset", "weight", "word_weight", "kind_weight")
    }
    return {
        "input_ids": batch["input_ids"],
        "attention_mask": batch["attention_mask"],
        "taught": {**of_sentence, "word": word, "kind": kind.long(), "praise": praise},
    }


def _bfloat16_is_fast() -> bool:
    """Twice as fast as float32 on the processors with AVX-512 that it was tried on, thirteen times slower with AVX2 alone."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return "AVX512" in torch.backends.cpu.get_cpu_capability()


class _Teller(TrainerCallback):
    """A line after a minute, and at every tenth of the steps, for logs, where no progress bar is seen."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell

    def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:  # noqa: ARG002  Trainer's signature
        self.began, self.done_before = time.monotonic(), state.global_step  # a training that is resumed has done some
        self.is_first = True

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:  # noqa: ARG002  Trainer's signature
        seconds = time.monotonic() - self.began
        tenth = state.global_step % max(1, state.max_steps // 10) == 0
        if tenth or (self.is_first and seconds > _FIRST_LINE):
            self.is_first = False
            left = seconds / (state.global_step - self.done_before) * (state.max_steps - state.global_step)
            self.tell(f"step {state.global_step:,} of {state.max_steps:,}, about {left / 60:,.0f} minutes left")


def token_targets(offsets: Sequence[tuple[int, int]], words: MarkedWords | None) -> list[tuple[float, int, float]]:
    """What each token is to say of its word: the share who mark it, the number of its kind, whether it praises.

    A token has what the slice says that it touches, of several the one with the highest share. `IGNORED` where there is
    no text (of special tokens start and end are equal), nobody was asked, or it isn't known.
    """
    targets: list[tuple[float, int, float]] = []
    for start, end in offsets:
        if words is None or end <= start:
            targets.append((IGNORED, IGNORED, IGNORED))
            continue
        word = strongest_mark(start, end, words)
        if word is None:
            targets.append((0.0, IGNORED, IGNORED))
        else:
            kind = IGNORED if word["kind"] is None else KINDS.index(word["kind"])
            targets.append((word["share"], kind, IGNORED if word["praise"] is None else word["praise"]))
    return targets


def _parameter_groups(network: FramingNetwork, rate: float, head_rate: float) -> list[dict[str, Any]]:
    """Parameters with their learning rates: those of the heads apart; no weight decay on biases and norms."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        groups.setdefault((name.startswith("heads."), parameter.ndim > 1), []).append(parameter)
    return [
        {"params": of, "lr": rate * (head_rate if in_head else 1.0), "weight_decay": _WEIGHT_DECAY if decays else 0.0}
        for (in_head, decays), of in groups.items()
    ]
