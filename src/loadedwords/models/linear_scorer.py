"""The linear model at work: sentences in, probabilities and loaded words out, with numpy alone.

The estimator in `training/linear` predicts through this file too, so what was measured in training is what scoring does.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadedwords.errors import ModelError
from loadedwords.models.ngrams import NgramSpec, Occurrences, count_ngrams
from loadedwords.models.odds import logistic, logit
from loadedwords.models.scores import NO_KINDS, Logits, WordScore

WEIGHTS_FILE = "weights.npz"
# Large enough to keep numpy busy, small enough to stay in the processor's cache.
BATCH = 256
MAX_BITS = 26
MAX_NGRAM = 16


@dataclass(frozen=True)
class Calibration:
    """Straight lines on the log-odds scale, fitted on sentences the model had not seen (Platt 1999).

    The log-odds of a sentence are slope * decision + intercept; those of an annotator marking a word, the sum of what each
    of its `WORD_FEATURES` adds and `word_intercept`. The defaults of the words serve where a corpus has no marked ones;
    they are those of BABE, rounded.
    """

    slope: float = 1.0
    intercept: float = 0.0
    word_weights: tuple[float, ...] = (2.8, 0.3, 0.5, -2.2, -0.8, -0.5)
    word_intercept: float = -7.0


# What the word adds to the decision; the decision itself; how rare the word is; whether it is a name, by how it was
# written in training; whether it has a capital though it is none, inside the sentence or at its beginning. Without
# the last four, every "Obama" and many a "the" would be marked.
WORD_FEATURES = ("contribution", "decision", "rarity", "name", "capital", "opening_capital")


@dataclass(frozen=True)
class LinearScorer:
    """Weights of a fitted linear model.

    Attributes
    ----------
    spec : NgramSpec
    weights : ndarray of shape (n_buckets,), float32
        What one n-gram of the bucket adds to the decision before the sentence's length is taken out.
    squares : ndarray of shape (n_buckets,), float32
        What it adds to the square of that length.
    names : ndarray of shape (n_buckets,), bool
        Buckets of words that training texts write with a capital inside sentences.
    intercept : float
    calibration : Calibration
    threshold, word_threshold : float
        Probability from which a sentence, or a word, counts as loaded.
    """

    spec: NgramSpec
    weights: NDArray[np.float32]
    squares: NDArray[np.float32]
    names: NDArray[np.bool_]
    intercept: float
    calibration: Calibration
    threshold: float
    word_threshold: float

    @cached_property
    def highest_rarity(self) -> float:
        """That of a word never seen in training."""
        return float(np.sqrt(self.squares.max()))

    def decision_function(self, sentences: Sequence[str]) -> NDArray[np.float64]:
        """Decision values before calibration, shape (n_sentences,)."""
        return np.concatenate([np.zeros(0), *(self._decide(batch)[1] for batch in _batches(sentences))])

    def score(self, sentences: Sequence[str]) -> tuple[NDArray[np.float64], list[list[WordScore]]]:
        """Probabilities of the sentences, and of each the words that reach `word_threshold`, in order."""
        probabilities, words = [np.zeros(0)], []
        for batch in _batches(sentences):
            found, decision, features = self.word_features(batch)
            probabilities.append(logistic(self._calibrated(decision)))
            words.extend(self._loaded_words(len(batch), found, features))
        return np.concatenate(probabilities), words

    def log_odds(self, sentences: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated log-odds of being loaded, shape (n_sentences,)."""
        return self._calibrated(self.decision_function(sentences))

    def logits(self, sentences: Sequence[str]) -> Logits:
        """The same as `Logits`: calibrated already, and without kinds."""
        probability, every = replace(self, word_threshold=0.0).score(sentences)
        log_odds = iter(logit(np.array([word.score for found in every for word in found], dtype=np.float64)).tolist())
        words = [[(word.start, word.end, next(log_odds)) for word in found] for found in every]
        return Logits(logit(probability), words, [NO_KINDS] * len(sentences))

    def word_features(self, sentences: Sequence[str]) -> tuple[Occurrences, NDArray[np.float64], NDArray[np.float64]]:
        """The n-grams of `sentences`, the decision of each, and `WORD_FEATURES` of each word, shape (n_words, 6)."""
        found, decision, contribution = self._decide(sentences)
        rarity = np.sqrt(self.squares[found.word_bucket], dtype=np.float64)
        rarity[rarity == 0] = self.highest_rarity
        name = self.names[found.word_bucket] & found.capital
        capital = found.capital & ~name
        of_sentence, inside, opening = decision[found.word_sentence], capital & ~found.opens, capital & found.opens
        return found, decision, np.column_stack([contribution, of_sentence, rarity, name, inside, opening])

    def _calibrated(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        log_odds: NDArray[np.float64] = self.calibration.slope * decision + self.calibration.intercept
        return log_odds

    def _decide(self, sentences: Sequence[str]) -> tuple[Occurrences, NDArray[np.float64], NDArray[np.float64]]:
        found = count_ngrams(sentences, self.spec)
        n, n_words = len(sentences), len(found.word_start)
        length = np.sqrt(np.bincount(found.sentence, weights=self.squares[found.bucket], minlength=n))
        length[length == 0] = 1.0
        added = self.weights[found.bucket]
        contribution = np.zeros(n_words)
        # An n-gram of k words owes the same to each of them.
        for covered in range(1, max(self.spec.words[1], 1) + 1):
            chosen = found.span == covered
            share, first = added[chosen] / covered, found.word[chosen]
            for step in range(covered):
                contribution += np.bincount(first + step, weights=share, minlength=n_words)
        contribution /= length[found.word_sentence]
        total = np.bincount(found.word_sentence, weights=contribution, minlength=n)
        decision: NDArray[np.float64] = total.astype(np.float64) + self.intercept
        return found, decision, contribution

    def _loaded_words(self, n: int, found: Occurrences, features: NDArray[np.float64]) -> list[list[WordScore]]:
        score = logistic(features @ np.array(self.calibration.word_weights) + self.calibration.word_intercept)
        words: list[list[WordScore]] = [[] for _ in range(n)]
        for at in np.flatnonzero((score >= self.word_threshold) & found.is_word):
            words[found.word_sentence[at]].append(
                WordScore(int(found.word_start[at]), int(found.word_end[at]), float(score[at]))
            )
        return words


def save_scorer(scorer: LinearScorer, folder: Path) -> dict[str, Any]:
    """Write the weights into `folder`; returns the settings that belong into the bundle's config."""
    used = np.flatnonzero(scorer.squares).astype(np.uint32)
    np.savez_compressed(
        folder / WEIGHTS_FILE,
        buckets=used,
        weights=scorer.weights[used],
        squares=scorer.squares[used],
        names=np.flatnonzero(scorer.names).astype(np.uint32),
    )
    return {
        "features": asdict(scorer.spec),
        "intercept": scorer.intercept,
        "calibration": asdict(scorer.calibration),
        "threshold": scorer.threshold,
        "word_threshold": scorer.word_threshold,
    }


def load_scorer(folder: Path, config: Mapping[str, Any]) -> LinearScorer:
    """Read back what `save_scorer` wrote; its settings stand in the config under ``scorer``.

    Raises
    ------
    ModelError
        If a setting is missing or the weights don't fit the settings.
    """
    try:
        settings = config["scorer"]
        features = settings["features"]
        (low, high), (shortest, longest) = features["words"], features["characters"]
        spec = NgramSpec((int(low), int(high)), (int(shortest), int(longest)), int(features["bits"]))
        if not 1 <= spec.bits <= MAX_BITS:
            raise ValueError(f"{spec.bits} bits of buckets; at most {MAX_BITS} are read")
        weights = np.zeros(spec.n_buckets, dtype=np.float32)
        squares = np.zeros(spec.n_buckets, dtype=np.float32)
        names = np.zeros(spec.n_buckets, dtype=np.bool_)
        if not 0 <= max(spec.words[1], spec.characters[1]) <= MAX_NGRAM:
            raise ValueError(f"n-grams of more than {MAX_NGRAM}")
        with zipfile.ZipFile(folder / WEIGHTS_FILE) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > 16 * spec.n_buckets + 65536:
                raise ValueError(f"{WEIGHTS_FILE} unpacks to more than its buckets hold")
        with np.load(folder / WEIGHTS_FILE, allow_pickle=False) as stored:
            weights[stored["buckets"]] = stored["weights"]
            squares[stored["buckets"]] = stored["squares"]
            names[stored["names"]] = True
        scorer = LinearScorer(
            spec=spec,
            weights=weights,
            squares=squares,
            names=names,
            intercept=float(settings["intercept"]),
            calibration=Calibration(**settings["calibration"]),
            threshold=float(settings["threshold"]),
            word_threshold=float(settings["word_threshold"]),
        )
        calibration = scorer.calibration
        n_weights = len(calibration.word_weights)
        if n_weights != len(WORD_FEATURES):
            raise ValueError(f"{n_weights} word weights where there are {len(WORD_FEATURES)} word features")
        figures = [scorer.intercept, scorer.threshold, scorer.word_threshold, *np.hstack(astuple(calibration))]
        if not all(np.isfinite(array).all() for array in (figures, weights, squares)):
            raise ValueError("a weight or setting is no finite number")
        return scorer
    except Exception as error:  # zipfile, zlib and numpy each have their own ways to refuse a damaged file
        raise ModelError(
            f"{folder} is no linear bundle that this version can read: {error!r}.\nTrain it again with loadedwords train."
        ) from error


def _batches(sentences: Sequence[str]) -> list[Sequence[str]]:
    return [sentences[at : at + BATCH] for at in range(0, len(sentences), BATCH)]
