"""Where a model errs: its errors by outlet, lean, topic, length and quotation marks, each with an interval."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.schema import Interval
from loadedwords.text.words import COMPOUND
from loadedwords.training.evaluation.results import N_RESAMPLES, Finding, Slice

# An outlet, topic or lean is a slice of its own from so many sentences.
SLICE_SIZE = 50
LENGTHS = (15, 25, 35)  # words
_DOUBLE_QUOTE = re.compile('["“”]')


@dataclass(frozen=True)
class _Counts:
    """Right and wrong decisions of all seeds together, for each article: loaded right and missed, neutral right and wrong."""

    table: NDArray[np.float64]
    article_of: NDArray[np.intp]
    drawn: NDArray[np.int64]


def slice_errors(every: Sequence[NDArray[np.bool_]], rows: pl.DataFrame) -> tuple[tuple[Slice, ...], list[Finding]]:
    """Errors of held-out decisions by slice.

    Parameters
    ----------
    every : sequence of ndarray of bool
        For each seed which rows are called loaded.
    rows : polars.DataFrame
        The sentences, as `Labels` has them.

    Returns
    -------
    slices : tuple of Slice
        Intervals from resampling articles, the same draws in every slice.
    findings : list of Finding
        How far the false-positive rates of slices are apart where it matters most.
    """
    counts = _count(every, rows)
    slices = tuple(
        _slice(by, value, of, counts, rows)
        for by, values in _memberships(rows).items()
        for value, of in values.items()
        if of.sum() >= SLICE_SIZE
    )
    return slices, _ratios(counts, rows)


def _memberships(rows: pl.DataFrame) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """What slices there are: by what, of which value, which rows."""
    n_words = np.array([len(COMPOUND.findall(text)) for text in rows["text"]])
    bins = np.digitize(n_words, LENGTHS, right=True)
    names = [f"up to {LENGTHS[0]} words", *(f"{a + 1} to {b}" for a, b in pairwise(LENGTHS))]
    names.append(f"more than {LENGTHS[-1]}")
    quoting = _quoting(rows)
    return {
        "quotation marks": {"with a double quote": quoting, "without": ~quoting},
        "length": {name: bins == at for at, name in enumerate(names)},
        "lean of the outlet": _by_name(rows["lean"]),
        "topic": _by_name(rows["topic"]),
        "outlet": _by_name(rows["outlet"]),
    }


def _by_name(names: pl.Series) -> dict[str, NDArray[np.bool_]]:
    known = names.fill_null("").to_numpy()
    return {value: known == value for value in np.unique(known).tolist() if value}


def _quoting(rows: pl.DataFrame) -> NDArray[np.bool_]:
    return np.array([bool(_DOUBLE_QUOTE.search(text)) for text in rows["text"]])


def _count(every: Sequence[NDArray[np.bool_]], rows: pl.DataFrame) -> _Counts:
    loaded = rows["label"].to_numpy() == 1
    table = np.zeros((len(loaded), 4))
    for called in every:
        for column, hit in enumerate((loaded & called, loaded & ~called, ~loaded & ~called, ~loaded & called)):
            table[:, column] += hit
    names, article_of = np.unique(rows["article"].to_numpy(), return_inverse=True)
    drawn = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=N_RESAMPLES)
    return _Counts(table / len(every), article_of, drawn)


def _sums(counts: _Counts, of: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The four counts of a slice, and the same in every resample, shape (N_RESAMPLES, 4)."""
    per_article = np.zeros((counts.drawn.shape[1], 4))
    np.add.at(per_article, counts.article_of[of], counts.table[of])
    return per_article.sum(axis=0), counts.drawn @ per_article


def _slice(by: str, value: str, of: NDArray[np.bool_], counts: _Counts, rows: pl.DataFrame) -> Slice:
    total, resampled = _sums(counts, of)

    def with_interval(measure: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Interval | None:
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate, drawn = measure(total[None])[0], measure(resampled)
        if not np.isfinite(estimate):
            return None
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
        return Interval(float(estimate), float(low), float(high))

    return Slice(
        by,
        value,
        int(of.sum()),
        int(rows["label"].to_numpy()[of].sum()),
        with_interval(_macro_f1),
        with_interval(_false_positive_rate),
        with_interval(_missed),
    )


def _ratios(counts: _Counts, rows: pl.DataFrame) -> list[Finding]:
    """False-positive rates over each other, where a difference would be a bias of the model's own."""
    quoting, leans = _quoting(rows), _by_name(rows["lean"])
    pairs = [("with a double quote over without", quoting, ~quoting)]
    if {"left", "right"} <= set(leans):
        pairs.append(("of left outlets over right ones", leans["left"], leans["right"]))
    findings = []
    for name, here, there in pairs:
        (a, drawn_a), (b, drawn_b) = _sums(counts, here), _sums(counts, there)
        if min(a[2:].sum(), b[2:].sum()) < SLICE_SIZE:
            continue
        rates = _false_positive_rate(np.array([a, b]))
        if not rates[1]:
            continue
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = _false_positive_rate(drawn_a) / _false_positive_rate(drawn_b)
            low, high = np.percentile(ratios[~np.isnan(ratios)], [2.5, 97.5], method="nearest")
        findings.append(
            Finding(
                f"false-positive rate {name}",
                Interval(float(rates[0] / rates[1]), float(low), float(high) if np.isfinite(high) else None),
                f"{rates[0]:.3f} over {rates[1]:.3f}; 1 were no difference",
                f"{a[2:].sum():.0f} and {b[2:].sum():.0f} neutral sentences",
            )
        )
    return findings


def _false_positive_rate(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    rate: NDArray[np.float64] = sums[:, 3] / (sums[:, 2] + sums[:, 3])
    return rate


def _missed(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    rate: NDArray[np.float64] = sums[:, 1] / (sums[:, 0] + sums[:, 1])
    return rate


def _macro_f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    right, missed, neutral, wrong = sums.T
    f1: NDArray[np.float64] = right / (2 * right + missed + wrong) + neutral / (2 * neutral + missed + wrong)
    return f1
