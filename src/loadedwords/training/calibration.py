"""From log-odds on held-out sentences to temperatures and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from loadedwords.errors import DataError
from loadedwords.models.odds import logistic
from loadedwords.models.onnx_scorer import OnnxSettings
from loadedwords.models.scores import Logits
from loadedwords.training.estimator import MarkedWords, strongest_mark
from loadedwords.training.labels import calibrating

N_BINS = 10
_WORD_COLUMNS = {
    "sentence": pl.Int64,
    "log_odds": pl.Float64,
    "length": pl.Int64,
    "marked": pl.Boolean,
    "share": pl.Float64,
    "kind": pl.String,
    "praise": pl.Float64,
}


def fit_settings(table: pl.DataFrame, held_out: Logits) -> OnnxSettings:
    """Temperature and bias of sentences and words, and the word threshold with the best F1 of characters.

    Of the labelled sentences, as `Labels` has them, those in domain that were drawn at random count; `held_out` is of the
    same rows, from models that were not trained on them. The sentence threshold stays at a probability of one half: half of
    the readers would object. Kinds are told where the labels have some.
    """
    rows = calibrating(table.with_row_index("row"))
    chosen = rows["row"].to_list()
    temperature, bias = fit_temperature(held_out.sentence[chosen], rows["target"].to_numpy())
    words = word_rows([held_out.words[at] for at in chosen], rows["words"].to_list())
    tells_kinds = words["kind"].count() > 0
    if words["marked"].n_unique() < 2:
        return OnnxSettings(temperature, bias, tells_kinds=tells_kinds)
    log_odds = words["log_odds"].to_numpy()
    word_temperature, word_bias = fit_temperature(log_odds, words["share"].to_numpy())
    probability = logistic(log_odds / word_temperature + word_bias)
    threshold = best_f1(words["marked"].to_numpy(), probability, words["length"].to_numpy())[1]
    return OnnxSettings(
        temperature, bias, word_temperature, word_bias, 0.5, threshold, round(threshold / 2, 4), tells_kinds
    )


def fit_temperature(log_odds: NDArray[np.float64], target: NDArray[Any]) -> tuple[float, float]:
    """Temperature (Guo et al. 2017) and bias by maximum likelihood, which together are Platt's line (Platt 1999).

    A target between 0 and 1 is the same as one sentence of each class, weighted.
    """
    weight = np.concatenate([target, 1.0 - target])
    classes = np.repeat([1, 0], len(target))[weight > 0]
    if len(set(classes.tolist())) < 2:
        raise DataError("What is held out to calibrate on is of one class.\nLabel more sentences, of both classes.")
    twice = np.concatenate([log_odds, log_odds])[weight > 0]
    line = LogisticRegression(C=1e6).fit(twice[:, None], classes, sample_weight=weight[weight > 0])
    slope = max(float(line.coef_[0][0]), 1e-3)
    return 1 / slope, float(line.intercept_[0])


def calibration_error(
    target: NDArray[Any], probability: NDArray[np.float64]
) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error (Naeini et al. 2015) in bins of equal size, and the bins for a reliability plot.

    The error is the mean distance of a bin's mean target from its mean probability, weighted by its size; a bin is (mean
    probability, mean target, number of sentences).
    """
    bins = []
    for rows in np.array_split(np.argsort(probability, kind="stable"), N_BINS):
        if len(rows):
            bins.append((float(probability[rows].mean()), float(target[rows].mean()), len(rows)))
    return sum(abs(p - share) * n for p, share, n in bins) / len(target), bins


def word_rows(words: Sequence[Sequence[tuple[int, int, float]]], marks: Sequence[MarkedWords | None]) -> pl.DataFrame:
    """Every word of the sentences where somebody was asked, beside what was marked.

    Parameters
    ----------
    words : sequence
        Of each sentence (start, end, log-odds), as `Logits` has them.
    marks : sequence
        Of each sentence its marked words; None where nobody was asked.

    Returns
    -------
    polars.DataFrame
        ``sentence`` (its number), ``log_odds``, ``length`` in characters, ``marked``, and of the strongest mark that
        touches the word ``share`` (0 if none), ``kind`` and ``praise``.
    """
    rows = []
    for at, (found, of) in enumerate(zip(words, marks, strict=True)):
        for start, end, log_odds in () if of is None else found:
            mark = strongest_mark(start, end, of or ())
            known = {"share": 0.0} if mark is None else mark
            told = known["share"], known.get("kind"), known.get("praise")
            rows.append((at, log_odds, end - start, mark is not None, *told))
    return pl.DataFrame(rows, schema=_WORD_COLUMNS, orient="row")


def best_f1(
    marked: NDArray[np.bool_], scores: NDArray[np.float64], weight: NDArray[Any] | None = None
) -> tuple[float, float]:
    """The highest F1 over all thresholds, and the threshold."""
    precision, recall, thresholds = precision_recall_curve(marked, scores, sample_weight=weight)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    at = int(np.argmax(f1[:-1]))
    return float(f1[at]), float(thresholds[at])
