"""Trains the transformer tier: an encoder fine-tuned for sentences and words at once, as a scikit-learn estimator."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from transformers import AutoTokenizer, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import get_last_checkpoint

from loadedwords.errors import DataError
from loadedwords.models.encoders import find_encoder
from loadedwords.models.estimator import FramingClassifier, check_texts, encode_labels
from loadedwords.models.linear_scorer import WordScore
from loadedwords.models.network import IGNORED, FramingNetwork, load_network, save_network, use_byte_dropout
from loadedwords.models.odds import logit
from loadedwords.models.onnx_scorer import Logits, OnnxSettings, find_phrases, sentence_probability, word_logits

WordTargets = Sequence[tuple[int, int, float]]
_PREDICT_TOKENS = 4096


class TransformerFramingClassifier(FramingClassifier):
    """A fine-tuned encoder that scores sentences and marks loaded words in one pass.

    Trained by transformers' `Trainer`. The sentence's target may be a share of annotators rather than a label, the
    word's target the share of them who marked it.

    Parameters
    ----------
    encoder : str
        A folder, or the name of an encoder on the Hugging Face Hub (see `loadedwords.models.encoders`); a folder
        that `save_checkpoint` wrote is trained further, heads included.
    revision : str or None
        Of an encoder on the Hub.
    pooling : str
        ``"first"``: the sentence is read from its first token, and the checkpoint loads in
        ``transformers.pipeline("text-classification")``. ``"mean"``: from the mean over its tokens, which that
        pipeline does not know.
    epochs, learning_rate, batch_size, weight_decay, warmup : float
        As Trainer takes them; the rate falls linearly to 0 after the share `warmup` of the steps.
    layer_decay : float
        Each layer learns at this multiple of the rate of the one above it (Howard & Ruder 2018).
    max_length : int
        In tokens; what is beyond is cut off in training.
    vote_weight : float
        Share of the annotators' votes in a sentence's target, the rest being the label.
    word_weight : float
        Weight of the words' loss beside the sentences'.
    pair_weight : float
        Weight of the squared difference between a sentence's log-odds, and its strongest word's, and those of another
        version of it.
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
        ``["neutral", "loaded"]``, or ``[0, 1]`` where the labels were numbers.
    network_ : FramingNetwork
    tokenizer_ : PreTrainedTokenizerBase
    settings_ : OnnxSettings
        Temperatures and thresholds; uncalibrated after `fit`, set by whoever holds sentences out.
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
        weight_decay: float = 0.01,
        warmup: float = 0.06,
        layer_decay: float = 1.0,
        max_length: int = 112,
        vote_weight: float = 0.5,
        word_weight: float = 1.0,
        pair_weight: float = 0.3,
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
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.layer_decay = layer_decay
        self.max_length = max_length
        self.vote_weight = vote_weight
        self.word_weight = word_weight
        self.pair_weight = pair_weight
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
        vote_share: ArrayLike | None = None,
        soft_labels: ArrayLike | None = None,
        word_targets: Sequence[WordTargets | None] | None = None,
        word_sample_weight: ArrayLike | None = None,
        versions: Sequence[Sequence[str]] | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """Fine-tune.

        Parameters
        ----------
        X : sequence of str, shape (n_sentences,)
        y : array-like of shape (n_sentences,)
            0 and 1, or "neutral" and "loaded".
        sample_weight : array-like of shape (n_sentences,), optional
            Of the sentence's own target; 0 trains on its words alone.
        vote_share : array-like of shape (n_sentences,), optional
            Share of the annotators who called the sentence loaded; NaN where unknown.
        soft_labels : array-like of shape (n_sentences,), optional
            The target itself, between 0 and 1, for instance a teacher's probability; NaN where label and votes make it.
        word_targets : sequence, optional
            For each sentence (start, end, share of people who would mark this slice), slices left out being 0; None
            where nobody was asked.
        word_sample_weight : array-like of shape (n_sentences,), optional
        versions : sequence of sequence of str, optional
            For each sentence other versions of it that should have the same score, perhaps none; each step takes one.
        tell : callable
            Gets a line now and then: which step of how many.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If `X` is one string, the lengths differ, there are not both classes, or the encoder can't be found.
        """
        texts = check_texts(X)
        self.classes_, labels = encode_labels(y, len(texts))
        n = len(texts)
        weight = _column("sample_weight", sample_weight, n, 1.0)
        votes = _column("vote_share", vote_share, n, np.nan)
        soft = _column("soft_labels", soft_labels, n, np.nan)
        word_weight = _column("word_sample_weight", word_sample_weight, n, 1.0)
        for name, column in (("word_targets", word_targets), ("versions", versions)):
            if column is not None and len(column) != n:
                raise DataError(f"{name} has {len(column)} rows and X has {n}.\nPass one for each sentence, or None.")
        if soft_labels is None and len(np.unique(labels)) < 2:
            raise DataError("fit needs sentences of both classes, neutral and loaded.")
        target = np.where(np.isnan(soft), mixed_targets(labels, votes, self.vote_weight), soft)

        folder = find_encoder(self.encoder, revision=self.revision)
        self.tokenizer_ = AutoTokenizer.from_pretrained(folder)
        if self.threads:
            torch.set_num_threads(self.threads)
        network = load_network(folder, pooling=self.pooling, seed=self.random_state)
        rows = self._rows(texts, target, weight, word_targets, word_weight * self.word_weight)
        if versions is not None:
            for row, of in zip(rows, versions, strict=True):
                row["versions"] = [self._token_ids(version) for version in of]
        self._train(network, rows, tell)
        self.network_ = network.eval()
        self.settings_ = OnnxSettings()
        return self

    def logits(self, X: Sequence[str], *, exact: bool = True) -> Logits:  # noqa: N803
        """Log-odds of sentences and words before calibration; without `exact` in bfloat16, which is twice as fast."""
        check_is_fitted(self, "network_")
        texts = check_texts(X)
        encoded = self.tokenizer_(
            texts, truncation=True, max_length=self.max_length, return_offsets_mapping=True, padding=False
        ) if texts else {"input_ids": [], "offset_mapping": []}  # fmt: skip
        ids: list[list[int]] = encoded["input_ids"]
        order = sorted(range(len(texts)), key=lambda at: len(ids[at]))
        sentence = np.zeros(len(texts))
        words: list[list[tuple[int, int, float]]] = [[] for _ in texts]
        device = next(self.network_.parameters()).device
        half = torch.autocast(device.type, dtype=torch.bfloat16, enabled=not exact)
        with torch.inference_mode(), half:
            while order:
                batch = [order.pop()]
                longest = len(ids[batch[0]])
                while order and (len(batch) + 1) * longest <= _PREDICT_TOKENS:
                    batch.append(order.pop())
                tensors = self.tokenizer_.pad({"input_ids": [ids[at] for at in batch]}, return_tensors="pt")
                answer = self.network_(tensors["input_ids"].to(device), tensors["attention_mask"].to(device))
                sentence[batch] = answer["sentence"].cpu().numpy()
                tokens = answer["words"].cpu().numpy()
                for row, at in enumerate(batch):
                    words[at] = word_logits(texts[at], encoded["offset_mapping"][at], tokens[row])
        return Logits(sentence, words)

    def decision_function(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """Calibrated log-odds of being loaded; shape (n_sentences,)."""
        logits = self.logits(X)
        return logit(sentence_probability(X, logits.sentence, logits.words, self.settings_))

    def find_loaded_words(self, X: Sequence[str]) -> list[list[WordScore]]:  # noqa: N803
        """The loaded words and phrases of each sentence, with offsets into it."""
        texts = check_texts(X)
        words = self.logits(texts).words
        return [find_phrases(text, found, self.settings_) for text, found in zip(texts, words, strict=True)]

    def save_checkpoint(self, folder: str | Path) -> Path:
        """Write weights, heads and tokenizer into `folder`, which must not exist; returns it.

        With the pooling "first", ``transformers.pipeline("text-classification", model=folder)`` loads it.
        """
        check_is_fitted(self, "network_")
        folder = Path(folder)
        if folder.exists():
            raise DataError(f"{folder} exists.\nName another folder for the checkpoint, or remove this one.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            save_network(self.network_, self.tokenizer_, beside)
            beside.chmod(0o755)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return folder

    @classmethod
    def from_checkpoint(cls, folder: str | Path, **parameters: Any) -> Self:
        """A fitted estimator from a folder that `save_checkpoint` wrote; `parameters` as in the constructor."""
        estimator = cls(**{**parameters, "encoder": str(folder)})
        estimator.tokenizer_ = AutoTokenizer.from_pretrained(folder)
        estimator.network_ = load_network(folder, pooling=estimator.pooling, seed=estimator.random_state).eval()
        estimator.classes_ = np.array(["neutral", "loaded"])
        estimator.settings_ = OnnxSettings()
        return estimator

    @property
    def _threshold(self) -> float:
        return self.settings_.threshold

    def _rows(
        self,
        texts: list[str],
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
        word_targets: Sequence[WordTargets | None] | None,
        word_weight: NDArray[np.float64],
    ) -> list[dict[str, Any]]:
        encoded = self.tokenizer_(texts, truncation=True, max_length=self.max_length, return_offsets_mapping=True)
        rows = []
        for at, (ids, offsets) in enumerate(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)):
            spans = None if word_targets is None else word_targets[at]
            rows.append(
                {
                    "input_ids": ids,
                    "target": float(target[at]),
                    "weight": float(weight[at]),
                    "word_target": [IGNORED] * len(ids) if spans is None else token_targets(offsets, spans),
                    "word_weight": 0.0 if spans is None else float(word_weight[at]),
                }
            )
        return rows

    def _token_ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer_(text, truncation=True, max_length=self.max_length)["input_ids"]
        return ids

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
            learning_rate=self.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=round(self.warmup * n_steps),
            weight_decay=self.weight_decay,
            bf16=not on_gpu or torch.cuda.is_bf16_supported(),
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
        parameters = parameter_groups(network, self.learning_rate, self.layer_decay, self.weight_decay)
        optimizer = torch.optim.AdamW(parameters, lr=self.learning_rate, fused=True)
        trainer = _SilentTrainer(
            model=network,
            args=arguments,
            train_dataset=rows,
            data_collator=_Collator(self.tokenizer_, self.pair_weight, self.random_state),
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


class _Collator:
    """Rows of unequal length → padded tensors, with one of the other versions of each row behind them."""

    def __init__(self, tokenizer: Any, pair_weight: float, seed: int) -> None:
        self.tokenizer, self.pair_weight = tokenizer, pair_weight
        self.random = random.Random(seed)

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        versions = [(at, self.random.choice(row["versions"])) for at, row in enumerate(rows) if row.get("versions")]
        ids = [row["input_ids"] for row in rows] + [version for _, version in versions]
        batch = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt")
        length = batch["input_ids"].shape[1]
        words = [row["word_target"] + [IGNORED] * (length - len(row["word_target"])) for row in rows]
        pairs = [[at, len(rows) + behind] for behind, (at, _) in enumerate(versions)]
        return {
            "input_ids": batch["input_ids"],
            "attention_mask": batch["attention_mask"],
            "target": torch.tensor([row["target"] for row in rows]),
            "weight": torch.tensor([row["weight"] for row in rows]),
            "word_target": torch.tensor(words),
            "word_weight": torch.tensor([row["word_weight"] for row in rows]),
            "pairs": torch.tensor(pairs, dtype=torch.long).reshape(-1, 2),
            "pair_weight": torch.tensor(self.pair_weight),
        }


class _Teller(TrainerCallback):
    """A line now and then for logs, where no progress bar is seen."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:  # noqa: ARG002  Trainer's signature
        if state.global_step % max(1, state.max_steps // 10) == 0:
            self.tell(f"step {state.global_step:,} of {state.max_steps:,}")


def mixed_targets(
    labels: NDArray[np.int64] | NDArray[np.float64], votes: NDArray[np.float64], vote_weight: float
) -> NDArray[np.float64]:
    """Targets of labelled sentences: their labels, with so large a part of the votes where these are known."""
    return np.where(np.isnan(votes), labels, (1 - vote_weight) * labels + vote_weight * votes)


def token_targets(offsets: Sequence[tuple[int, int]], spans: WordTargets) -> list[float]:
    """The target of each token: the highest share among the slices it touches, 0 in none, ignored if no text.

    Parameters
    ----------
    offsets : sequence of (int, int), shape (n_tokens,)
        Characters of the sentence, end exclusive; special tokens have equal start and end.
    spans : sequence of (start, end, share)
    """
    return [
        max([0.0, *(share for low, high, share in spans if low < end and start < high)]) if end > start else IGNORED
        for start, end in offsets
    ]


def parameter_groups(network: FramingNetwork, rate: float, layer_decay: float, weight_decay: float) -> list[Any]:
    """Parameters with their learning rates: heads highest, then each layer less; no weight decay on biases and norms."""
    n_layers = int(network.model.config.num_hidden_layers)
    groups: dict[tuple[int, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        depth = n_layers + 1
        if "embeddings" in name:
            depth = 0
        elif ".layer." in name:
            depth = 1 + int(name.split(".layer.")[1].split(".")[0])
        groups.setdefault((depth, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": rate * layer_decay ** (n_layers + 1 - depth),
            "weight_decay": weight_decay if decays else 0.0,
        }
        for (depth, decays), parameters in groups.items()
    ]


def _column(name: str, values: ArrayLike | None, n: int, default: float) -> NDArray[np.float64]:
    column = np.full(n, default) if values is None else np.asarray(values, dtype=float)
    if column.shape != (n,):
        raise DataError(f"{name} has the shape {column.shape} and X has {n} sentences.\nPass one for each sentence.")
    return column
