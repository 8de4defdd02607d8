"""From log-odds on held-out sentences to temperatures and thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from loadedwords.models.odds import logistic
from loadedwords.models.onnx_scorer import Logits, OnnxSettings
from loadedwords.training.labels import calibrating

N_BINS = 10


def fit_settings(table: pl.DataFrame, held_out: Logits) -> OnnxSettings:
    """Temperature and bias of sentences and words, and the word threshold with the best F1 of characters.

    Parameters
    ----------
    table : polars.DataFrame
        Labelled sentences as `Labels` has them; those in domain that were drawn at random count.
    held_out : Logits
        Of the same rows, from models that were not trained on them.

    Returns
    -------
    OnnxSettings
        The sentence threshold stays at a probability of one half: half of the readers would object. Kinds are told where
        the labels have some.
    """
    rows = calibrating(table.with_row_index("row"))
    chosen = rows["row"].to_list()
    temperature, bias = fit_temperature(held_out.sentence[chosen], rows["target"].to_numpy())
    words = word_rows([held_out.words[at] for at in chosen], rows["words"].to_list())
    tells_kinds = any(mark is not None and mark["kind"] is not None for mark in words.mark)
    if not words.marked.any() or words.marked.all():
        return OnnxSettings(temperature, bias, tells_kinds=tells_kinds)
    word_temperature, word_bias = fit_temperature(words.log_odds, words.share)
    threshold = best_f1(words.marked, logistic(words.log_odds / word_temperature + word_bias), words.length)[1]
    return OnnxSettings(
        temperature, bias, word_temperature, word_bias, 0.5, threshold, round(threshold / 2, 4), tells_kinds
    )


def fit_temperature(log_odds: NDArray[np.float64], target: NDArray[Any]) -> tuple[float, float]:
    """Temperature (Guo et al. 2017) and bias by maximum likelihood, which together are Platt's line (Platt 1999).

    A target between 0 and 1 is the same as one sentence of each class, weighted.
    """
    weight = np.concatenate([target, 1.0 - target])
    classes = np.repeat([1, 0], len(target))[weight > 0]
    twice = np.concatenate([log_odds, log_odds])[weight > 0]
    line = LogisticRegression(C=1e6).fit(twice[:, None], classes, sample_weight=weight[weight > 0])
    slope = max(float(line.coef_[0][0]), 1e-3)
    return 1 / slope, float(line.intercept_[0])


def calibration_error(
    target: NDArray[Any], probability: NDArray[np.float64]
) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error (Naeini et al. 2015) in bins of equal size, and the bins for a reliability plot.

    Returns
    -------
    error : float
        Mean distance of a bin's mean target from its mean probability, weighted by the bin's size.
    bins : list of (mean probability, mean target, number of sentences)
    """
    bins = []
    for rows in np.array_split(np.argsort(probability, kind="stable"), N_BINS):
        if len(rows):
            bins.append((float(probability[rows].mean()), float(target[rows].mean()), len(rows)))
    return sum(abs(p - share) * n for p, share, n in bins) / len(target), bins


@dataclass(frozen=True)
class WordRows:
    """The words of some sentences, one row each.

    Attributes
    ----------
    sentence : ndarray of int
        Number of the sentence.
    log_odds : ndarray
        What the model says.
    length : ndarray of int
        In characters.
    share : ndarray
        Highest share among the marks that touch it, 0 if none.
    marked : ndarray of bool
        Whether any does.
    mark : list of dict or None
        That mark.
    """

    sentence: NDArray[np.intp]
    log_odds: NDArray[np.float64]
    length: NDArray[np.int64]
    share: NDArray[np.float64]
    marked: NDArray[np.bool_]
    mark: list[Mapping[str, Any] | None]


def word_rows(
    words: Sequence[Sequence[tuple[int, int, float]]], marks: Sequence[Sequence[Mapping[str, Any]] | None]
) -> WordRows:
    """Every word of the sentences where somebody was asked, beside what was marked."""
    sentence, log_odds, length, mark = [], [], [], []
    for at, (found, of) in enumerate(zip(words, marks, strict=True)):
        for start, end, score in found if of is not None else ():
            touching = [each for each in of or () if each["start"] < end and start < each["end"]]
            sentence.append(at)
            log_odds.append(score)
            length.append(end - start)
            mark.append(max(touching, key=lambda each: each["share"], default=None))
    return WordRows(
        np.array(sentence, dtype=np.intp),
        np.array(log_odds, dtype=np.float64),
        np.array(length, dtype=np.int64),
        np.array([0.0 if each is None else each["share"] for each in mark], dtype=np.float64),
        np.array([each is not None for each in mark], dtype=bool),
        mark,
    )


def best_f1(
    marked: NDArray[np.bool_], scores: NDArray[np.float64], weight: NDArray[Any] | None = None
) -> tuple[float, float]:
    """The highest F1 over all thresholds, and the threshold."""
    precision, recall, thresholds = precision_recall_curve(marked, scores, sample_weight=weight)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    at = int(np.argmax(f1[:-1]))
    return float(f1[at]), float(thresholds[at])
