"""Where a model errs: its errors by outlet, lean, topic, length and quotation marks, each with an interval."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.schema import Interval
from loadedwords.text.words import COMPOUND
from loadedwords.training.evaluation.results import Finding, Slice, ends, resamples

# An outlet, topic or lean is a slice of its own from so many sentences.
SLICE_SIZE = 50
LENGTHS = (15, 25, 35)  # words
_DOUBLE_QUOTE = re.compile('["“”]')
# Slices whose false-positive rates are set over each other: a difference would be a bias of the model's own.
_RATIOS = {
    "with a double quote over without": ("quotation marks", "with a double quote", "without"),
    "of left outlets over right ones": ("lean of the outlet", "left", "right"),
}


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
    findings : list of Finding
        How far the false-positive rates of slices are apart where it matters most.
    """
    members = {key: of for key, of in _members(rows).items() if of.sum() >= SLICE_SIZE}
    loaded = rows["label"].to_numpy() == 1
    outcomes = np.mean(
        [[loaded & called, loaded & ~called, ~loaded & ~called, ~loaded & called] for called in every], 0
    )
    belongs = np.array(list(members.values()), dtype=np.float64)

    def errors(at: NDArray[np.intp]) -> NDArray[np.float64]:
        right, missed, neutral, wrong = outcomes[:, at] @ belongs[:, at].T
        with np.errstate(invalid="ignore", divide="ignore"):  # a slice without one of the classes
            f1 = right / (2 * right + missed + wrong) + neutral / (2 * neutral + missed + wrong)
            return np.stack([f1, wrong / (neutral + wrong), missed / (right + missed)], axis=1)

    estimates, drawn = resamples(errors, rows["article"].to_numpy())
    slices = tuple(
        Slice(*key, int(of.sum()), int(loaded[of].sum()), *map(_interval, estimates[at], drawn[:, at].T))
        for at, (key, of) in enumerate(members.items())
    )
    findings = []
    for name, (by, *pair) in _RATIOS.items():
        here, there = ((by, value) for value in pair)
        n_neutral = [int((members[key] & ~loaded).sum()) if key in members else 0 for key in (here, there)]
        if min(n_neutral) < SLICE_SIZE:
            continue
        place = [list(members).index(key) for key in (here, there)]
        rates, of_drawn = estimates[place, 1], drawn[:, place, 1]
        if not rates[1]:
            continue
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = of_drawn[:, 0] / of_drawn[:, 1]
        low, high = np.percentile(ratios[~np.isnan(ratios)], [2.5, 97.5], method="nearest").tolist()
        findings.append(
            Finding(
                f"false-positive rate {name}",
                Interval(float(rates[0] / rates[1]), low, high if np.isfinite(high) else None),
                f"{rates[0]:.3f} over {rates[1]:.3f}; 1 were no difference",
                f"{n_neutral[0]} and {n_neutral[1]} neutral sentences",
            )
        )
    return slices, findings


def _members(rows: pl.DataFrame) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """Which rows are in each slice, by what it is of and its name."""
    quoting = np.array([bool(_DOUBLE_QUOTE.search(text)) for text in rows["text"]])
    members = {
        ("quotation marks", "with a double quote"): quoting,
        ("quotation marks", "without"): ~quoting,
    }
    length = np.digitize([len(COMPOUND.findall(text)) for text in rows["text"]], LENGTHS, right=True)
    names = [f"up to {LENGTHS[0]} words", *(f"{a + 1} to {b}" for a, b in pairwise(LENGTHS))]
    for at, name in enumerate([*names, f"more than {LENGTHS[-1]}"]):
        members["length", name] = length == at
    for by, column in (("lean of the outlet", "lean"), ("topic", "topic"), ("outlet", "outlet")):
        known = rows[column].fill_null("").to_numpy()
        members |= {(by, name): known == name for name in np.unique(known).tolist() if name}
    return members


def _interval(estimate: float, drawn: NDArray[np.float64]) -> Interval | None:
    return Interval(float(estimate), *ends(drawn)) if np.isfinite(estimate) else None
