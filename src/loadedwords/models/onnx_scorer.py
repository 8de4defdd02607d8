"""The transformer at work: sentences in, probabilities and loaded words out, with ONNX Runtime and no torch.

The graph gives one log-odds per sentence and one per token, and what each token would do; what is made of them happens
here, and the evaluation of a recipe goes through the same functions, so what was measured is what scoring does.

Sentences of the same number of tokens run together, about as many as a core's cache holds; the cores work on different
batches. Nothing is computed on padding, and since the graph rounds on fixed scales, a score depends neither on neighbours
nor on order, to the last bit (`tests/benchmarks/speed.py` shows what it is worth).

A sentence longer than `MAX_LENGTH` is read in windows that overlap: it is as loaded as its most loaded window, and each
of its words is read in the window where more stands around it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from loadedwords.cores import usable_cores
from loadedwords.errors import LoadedwordsError, ModelError
from loadedwords.models.odds import logistic
from loadedwords.models.scores import Logits, WordScore
from loadedwords.schema import KINDS, Device
from loadedwords.text.words import COMPOUND, FUNCTION_WORDS, addresses_in

GRAPH_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
OUTPUTS = ("sentence", "words", "kinds")
# In tokens. The attention's cost grows with the square of the length, and hardly a sentence is longer.
MAX_LENGTH = 256
# Tokens that a window shares with the next.
OVERLAP = 64
# Tokens of one run: more leave the processor's cache, fewer leave it idle between the steps.
TOKENS_AT_ONCE = 256
# A GPU has room for more; a batch is of one length, so that few hold as many.
TOKENS_AT_ONCE_ON_GPU = 16_384
# The key by which a graph says that a tensor lies in a file of its own.
_ELSEWHERE = b"location"
# No more than the largest vocabularies need, in characters; a template of special tokens needs little.
_LONGEST_TOKENIZER, _LONGEST_TEMPLATE = 50_000_000, 20_000
_TAME_PATTERNS = frozenset({" {2,}"})
_JOINS_WORDS = re.compile(r"\s*")

# Of a window: the sentence's log-odds, the tokens' of shape (n_tokens,), their kinds' of shape (n_tokens, n_kinds + 1).
_Read = tuple[float, NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class OnnxSettings:
    """What turns the graph's log-odds into probabilities, words and decisions.

    Attributes
    ----------
    temperature : float
        Log-odds of a sentence are divided by it (Guo et al. 2017), fitted on held-out folds.
    bias : float
        Added to them afterwards.
    word_temperature, word_bias : float
        The same for words.
    threshold, word_threshold : float
        Probability from which a sentence, or a word, counts as loaded.
    join_threshold : float
        A word between two loaded ones belongs to their phrase from this probability.
    tells_kinds : bool
        Whether the model has learnt what loaded words do.
    """

    temperature: float = 1.0
    bias: float = 0.0
    word_temperature: float = 1.0
    word_bias: float = 0.0
    threshold: float = 0.5
    word_threshold: float = 0.5
    join_threshold: float = 0.2
    tells_kinds: bool = True

    def of_sentences(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probability of sentences being loaded."""
        return logistic(log_odds / self.temperature + self.bias)

    def of_words(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probability of words being marked."""
        return logistic(log_odds / self.word_temperature + self.word_bias)


class OnnxScorer:
    """A graph and a tokenizer, opened; made by `load_scorer`.

    Sessions can't be pickled, so a copy in another process opens the files again.
    """

    def __init__(
        self, folder: Path, settings: OnnxSettings, *, threads: int | None = None, device: Device = "cpu"
    ) -> None:
        self.folder, self.settings, self.device = folder, settings, device
        self.threads = threads or usable_cores()
        options = ort.SessionOptions()
        # Batches run beside each other, one on each core: cores that share one batch wait for each other.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        graph = (folder / GRAPH_FILE).read_bytes()
        if _ELSEWHERE in graph:
            raise ValueError(f"{GRAPH_FILE} keeps weights in another file, for which no hash vouches")
        self._tokens_at_once = TOKENS_AT_ONCE
        if device == "cuda":
            from loadedwords.models.on_gpu import open_on_gpu

            self._session = open_on_gpu(graph, options)
            self._tokens_at_once = TOKENS_AT_ONCE_ON_GPU
        else:
            self._session = open_on_processor(graph, options)
        # A graph that pools by the mean asks for the mask.
        self._masks = [node.name for node in self._session.get_inputs() if node.name != "input_ids"]
        self._tokenizer = Tokenizer.from_str(_tame((folder / TOKENIZER_FILE).read_text(encoding="utf-8")))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_LENGTH, stride=OVERLAP)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(OnnxScorer, threads=self.threads, device=self.device), (self.folder, self.settings)

    @property
    def threshold(self) -> float:
        return self.settings.threshold

    def score(self, sentences: Sequence[str]) -> tuple[NDArray[np.float64], list[list[WordScore]]]:
        """Probabilities of the sentences, and of each the words and phrases that reach `word_threshold`, in order."""
        logits = self.logits(sentences)
        found = [
            find_phrases(text, words, kinds, self.settings)
            for text, words, kinds in zip(sentences, logits.words, logits.kinds, strict=True)
        ]
        return self.settings.of_sentences(logits.sentence), found

    def logits(self, sentences: Sequence[str]) -> Logits:
        """Run the graph; identical sentences once."""
        place: dict[str, int] = {}
        where = np.array([place.setdefault(sentence, len(place)) for sentence in sentences], dtype=np.intp)
        distinct = list(place)
        # Of each sentence the windows it is read in, most often one.
        encoded = [[each, *each.overflowing] for each in self._tokenizer.encode_batch(distinct)]
        read = self._read([window for windows in encoded for window in windows])
        sentence = np.zeros(len(distinct))
        words: list[list[tuple[int, int, float]]] = []
        kinds = []
        for at, windows in enumerate(encoded):
            sentence[at], offsets, log_odds, of_tokens = _joined_windows(windows, [next(read) for _ in windows])
            found, of_words = word_logits(distinct[at], offsets, log_odds, of_tokens)
            words.append(found)
            kinds.append(of_words)
        return Logits(sentence[where], [words[at] for at in where], [kinds[at] for at in where])

    def _read(self, windows: Sequence[Encoding]) -> Iterator[_Read]:
        """What the graph says of windows, in their order, run in batches of one length."""
        lengths = np.array([len(window.ids) for window in windows])
        batches = []
        for length in np.unique(lengths)[::-1]:  # longest first, so that no core ends with a long one alone
            of_length = np.flatnonzero(lengths == length)
            at_once = max(1, self._tokens_at_once // int(length))
            batches += [of_length[start : start + at_once] for start in range(0, len(of_length), at_once)]
        found: list[_Read | None] = [None] * len(windows)

        def run(batch: NDArray[np.intp]) -> None:
            ids = np.array([windows[at].ids for at in batch], dtype=np.int64)
            answers = self._session.run(OUTPUTS, {"input_ids": ids, **dict.fromkeys(self._masks, np.ones_like(ids))})
            for at, sentence, words, kinds in zip(batch, *answers, strict=True):
                found[at] = (float(sentence), words, kinds)

        if self.threads > 1 and len(batches) > 1:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(run, batches))
        else:
            for batch in batches:
                run(batch)
        return iter(each for each in found if each is not None)


def _joined_windows(
    windows: Sequence[Encoding], read: Sequence[_Read]
) -> tuple[float, list[tuple[int, int]], NDArray[np.float32], NDArray[np.float32]]:
    """The log-odds of a sentence; of its tokens offsets, log-odds and kinds."""
    offsets, log_odds, kinds = [], [], []
    for at, (window, (_, of_tokens, of_kinds)) in enumerate(zip(windows, read, strict=True)):
        # What the tokenizer adds stands at the ends. Of what two windows share, each keeps the half farther from its edge.
        of_text = [token for token, added in enumerate(window.special_tokens_mask) if not added]
        of_text = of_text[0 if at == 0 else OVERLAP // 2 :]
        of_text = of_text if at == len(windows) - 1 else of_text[: -(OVERLAP // 2)]
        kept = slice(of_text[0], of_text[-1] + 1) if of_text else slice(0)
        offsets += window.offsets[kept]
        log_odds.append(of_tokens[kept])
        kinds.append(of_kinds[kept])
    return max(sentence for sentence, _, _ in read), offsets, np.concatenate(log_odds), np.concatenate(kinds)


def open_on_processor(graph: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    """A session of a graph with products of int8, which gives the same numbers on every processor."""
    if _cuts_sums_off():  # by a slower way this processor comes to the very same numbers as others
        options.add_session_config_entry("session.x64quantprecision", "1")
    return ort.InferenceSession(
        graph,
        options,
        providers=["CPUExecutionProvider"],
        # The fused kernel takes five times as long as what it replaces: a quarter of the whole run.
        disabled_optimizers=["SkipLayerNormFusion"],
    )


@cache
def _cuts_sums_off() -> bool:
    """Whether sums of products of int8 saturate, as they do on x86 processors without VNNI."""
    graph = resources.files("loadedwords.models") / "products.onnx"  # one product of two matrices
    session = ort.InferenceSession(graph.read_bytes(), providers=["CPUExecutionProvider"])
    most = {"a": np.full((1, 64), 255, dtype=np.uint8), "b": np.full((64, 16), 127, dtype=np.int8)}
    return bool((session.run(None, most)[0] != 64 * 255 * 127).any())


def load_scorer(
    folder: Path, config: Mapping[str, Any], *, threads: int | None = None, device: Device = "cpu"
) -> OnnxScorer:
    """Open a transformer bundle; its settings stand in the config under ``scorer``.

    Raises
    ------
    ModelError
        If a setting is missing, a file can't be read, or there is no such device.
    MissingExtraError
        If what the device needs is not installed.
    """
    try:
        stored: dict[str, Any] = {k: v if isinstance(v, bool) else float(v) for k, v in config["scorer"].items()}
        settings = OnnxSettings(**stored)
        if not all(map(math.isfinite, stored.values())):
            raise ValueError("a setting is no finite number")
        if not settings.temperature > 0 or not settings.word_temperature > 0:
            raise ValueError("a temperature is not above 0")
        scorer = OnnxScorer(folder, settings, threads=threads, device=device)
        scorer.logits(["The council met."])  # graph and tokenizer may each be sound and not fit
        return scorer
    except (KeyboardInterrupt, SystemExit, LoadedwordsError):
        raise
    except BaseException as error:  # ONNX Runtime and tokenizers raise classes of their own; a panic is no Exception
        if device != "cpu":
            raise ModelError(
                f"{folder} can't be computed on {device}: {error!r}.\n"
                "Take fewer --workers if its memory is full, or leave the device out."
            ) from error
        raise ModelError(
            f"{folder} is no transformer bundle that this version can read: {error!r}.\nTrain it again with loadedwords train."
        ) from error


def _tame(tokenizer: str) -> str:
    """A tokenizer's JSON, if nothing in it makes a text longer, or takes longer the longer it is by more than that."""
    if len(tokenizer) > _LONGEST_TOKENIZER:
        raise ValueError(f"{TOKENIZER_FILE} has more than {_LONGEST_TOKENIZER:,} characters")
    parsed = json.loads(tokenizer)
    if len(json.dumps(parsed.get("post_processor"))) > _LONGEST_TEMPLATE:
        raise ValueError(f"{TOKENIZER_FILE} adds more than a few special tokens")
    steps = [parsed.get("normalizer"), parsed.get("pre_tokenizer")]
    while steps:
        step = steps.pop()
        if isinstance(step, list):
            steps += step
        elif isinstance(step, dict):
            steps += step.values()
            pattern = step.get("Regex")
            replaced = (step.get("pattern") or {}).get("String", " ") if step.get("type") == "Replace" else " "
            added = str(step.get("content" if step.get("type") == "Replace" else "prepend", ""))
            if len(added) > len(replaced) or (pattern is not None and pattern not in _TAME_PATTERNS):
                raise ValueError(f"{TOKENIZER_FILE} replaces by {pattern or added[:40]!r}, which might never end")
    return tokenizer


def word_logits(
    text: str,
    offsets: Sequence[tuple[int, int]],
    log_odds: NDArray[np.floating[Any]],
    kinds: NDArray[np.float32],
) -> tuple[list[tuple[int, int, float]], NDArray[np.float32]]:
    """From tokens to words, as `Logits` has them: a word is as loaded, and of the kind, as the most loaded of its pieces."""
    words, chosen = [], []
    values = log_odds.tolist()
    pieces = [token for token, (start, end) in enumerate(offsets) if end > start]
    starts, ends = [offsets[token][0] for token in pieces], [offsets[token][1] for token in pieces]
    at, n_pieces = 0, len(pieces)
    for match in COMPOUND.finditer(text):
        start, end = match.span()
        while at < n_pieces and ends[at] <= start:
            at += 1
        if at == n_pieces:
            break
        if starts[at] >= end:
            continue
        most, last = pieces[at], at + 1
        while last < n_pieces and starts[last] < end:
            if values[pieces[last]] > values[most]:
                most = pieces[last]
            last += 1
        chosen.append(most)
        words.append((start, end, values[most]))
    return words, kinds[chosen]


def find_phrases(
    text: str, words: Sequence[tuple[int, int, float]], kinds: NDArray[np.float32], settings: OnnxSettings
) -> list[WordScore]:
    """What a person would underline: loaded words, those side by side as one phrase, with what they do.

    A weaker word between two loaded ones ("war on women") belongs to the phrase; punctuation ends it. A phrase neither
    begins nor ends with an article, preposition, pronoun or auxiliary, and isn't made of them alone. It is of the kind of
    its most loaded word.
    """
    if not words:
        return []
    scores = settings.of_words(np.array([word[2] for word in words]))
    for start, end in addresses_in(text):  # else the word beside one would be marked for what stands in it
        scores[[word[0] < end and start < word[1] for word in words]] = 0

    def joined(left: int, right: int) -> bool:
        if right - left > 2 or (scores[left + 1 : right] < settings.join_threshold).any():
            return False
        return all(_JOINS_WORDS.fullmatch(text, words[at][1], words[at + 1][0]) for at in range(left, right))

    phrases: list[list[int]] = []
    for at in np.flatnonzero(scores >= settings.word_threshold).tolist():
        if phrases and joined(phrases[-1][-1], at):
            phrases[-1].append(at)
        else:
            phrases.append([at])
    found = []
    for phrase in phrases:
        said = [at for at in phrase if not _is_function_word(text, *words[at][:2])]
        if said:
            strongest = said[0] + int(scores[said[0] : said[-1] + 1].argmax())
            does = _device(kinds[strongest]) if settings.tells_kinds else (None, None, None)
            found.append(WordScore(words[said[0]][0], words[said[-1]][1], float(scores[strongest]), *does))
    return found


def _is_function_word(text: str, start: int, end: int) -> bool:
    return text[start:end].lower().replace("’", "'") in FUNCTION_WORDS


def _device(scores: NDArray[np.float32]) -> tuple[str, float, float]:
    """The likeliest kind, its probability, and that of praise."""
    raised = np.exp(scores[:-1] - scores[:-1].max())
    kind = int(raised.argmax())
    return KINDS[kind], float(raised[kind] / raised.sum()), float(logistic(scores[-1:].astype(np.float64))[0])
