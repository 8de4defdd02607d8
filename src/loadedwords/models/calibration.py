"""From log-odds on held-out sentences to temperatures and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_recall_curve, roc_auc_score

from loadedwords.models.odds import logistic, logit
from loadedwords.models.onnx_scorer import OnnxSettings, sentence_probability

N_BINS = 10
# Tried in this order: the log-odds from which a word makes its sentence loaded; and what that may cost.
LIFTS = tuple(round(0.1 * step, 1) for step in range(30, -11, -1))
LIFT_COST = 0.006
# Steep, as else it mixes up plain sentences far below the threshold; and no higher than just above the threshold, as of the
# sentences that only a word makes loaded the annotators called a quarter to a third so.
LIFT_SLOPE = 4.0
LIFT_LIMIT = 0.1


def fit_settings(
    texts: Sequence[str],
    log_odds: NDArray[np.float64],
    labels: NDArray[np.int64],
    words: Sequence[Sequence[tuple[int, int, float]]],
    agreed: Sequence[Sequence[tuple[int, int]] | None],
) -> OnnxSettings:
    """Temperature and bias of sentences and words, the word threshold with the best F1, and how words lift sentences.

    Parameters
    ----------
    texts : sequence of str
        The sentences.
    log_odds : ndarray of shape (n_sentences,)
        Of sentences the model was not trained on, before calibration.
    labels : ndarray of shape (n_sentences,)
    words : sequence of sequence of (start, end, probability)
        Every word of each sentence, before calibration.
    agreed : sequence
        The words that annotators agreed on, as slices; None where nobody was asked.

    Returns
    -------
    OnnxSettings
        The sentence threshold stays at a probability of one half.
    """
    temperature, bias = fit_temperature(log_odds, labels)
    settings = OnnxSettings(temperature=temperature, bias=bias)
    scores, marked = word_rows(words, agreed)
    if marked.any() and not marked.all():
        word_log_odds = logit(scores)
        word_temperature, word_bias = fit_temperature(word_log_odds, marked.astype(np.int64))
        calibrated = logistic(word_log_odds / word_temperature + word_bias)
        threshold = best_f1(marked, calibrated)[1]
        settings = OnnxSettings(
            temperature,
            bias,
            word_temperature,
            word_bias,
            0.5,
            threshold,
            round(threshold / 2, 4),
            lift_slope=LIFT_SLOPE,
            lift_limit=LIFT_LIMIT,
        )
        settings = replace(settings, word_lift=_fit_lift(texts, log_odds, labels, words, settings))
    return settings


def _fit_lift(
    texts: Sequence[str],
    log_odds: NDArray[np.float64],
    labels: NDArray[np.int64],
    words: Sequence[Sequence[tuple[int, int, float]]],
    settings: OnnxSettings,
) -> float | None:
    """The lowest lift that costs little macro-F1 and AUC on the labelled sentences; None if every one costs more."""
    word_log_odds = with_log_odds(words)

    def quality(lift: float | None) -> tuple[float, float]:
        probability = sentence_probability(texts, log_odds, word_log_odds, replace(settings, word_lift=lift))
        macro_f1 = f1_score(labels, probability >= settings.threshold, average="macro")
        return float(macro_f1), float(roc_auc_score(labels, probability))

    wanted = quality(None)
    best = None
    for lift in LIFTS:
        if any(have < want - LIFT_COST for have, want in zip(quality(lift), wanted, strict=True)):
            break
        best = lift
    return best


def with_log_odds(words: Sequence[Sequence[tuple[int, int, float]]]) -> list[list[tuple[int, int, float]]]:
    """The same words, each probability turned into log-odds."""
    log_odds = iter(logit(np.array([word[2] for found in words for word in found], dtype=np.float64)).tolist())
    return [[(start, end, next(log_odds)) for start, end, _ in found] for found in words]


def fit_temperature(log_odds: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Temperature (Guo et al. 2017) and bias by maximum likelihood, which together are Platt's line (Platt 1999)."""
    line = LogisticRegression(C=1e6).fit(log_odds[:, None], labels)
    slope = max(float(line.coef_[0][0]), 1e-3)
    return 1 / slope, float(line.intercept_[0])


def calibration_error(
    labels: NDArray[np.int64], probability: NDArray[np.float64]
) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error (Naeini et al. 2015) in bins of equal size, and the bins for a reliability plot.

    Returns
    -------
    error : float
        Mean distance of a bin's share of loaded from its mean probability, weighted by the bin's size.
    bins : list of (mean probability, share of loaded, number of sentences)
    """
    bins = []
    for rows in np.array_split(np.argsort(probability, kind="stable"), N_BINS):
        if len(rows):
            bins.append((float(probability[rows].mean()), float(labels[rows].mean()), len(rows)))
    return sum(abs(p - share) * n for p, share, n in bins) / len(labels), bins


def word_rows(
    words: Sequence[Sequence[tuple[int, int, float]]], agreed: Sequence[Sequence[tuple[int, int]] | None]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The score of every word of the sentences where somebody was asked, and whether it is among the agreed ones."""
    scores, marked = [], []
    for found, spans in zip(words, agreed, strict=True):
        if spans is None:
            continue
        for start, end, score in found:
            scores.append(score)
            marked.append(any(low < end and start < high for low, high in spans))
    return np.array(scores, dtype=np.float64), np.array(marked, dtype=np.bool_)


def best_f1(marked: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[float, float]:
    """The highest F1 over all thresholds, and the threshold."""
    precision, recall, thresholds = precision_recall_curve(marked, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    at = int(np.argmax(f1[:-1]))
    return float(f1[at]), float(thresholds[at])
