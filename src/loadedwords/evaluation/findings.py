"""What else a cross-validation shows: calibration, single outlets, and the words beside those of annotators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from loadedwords.evaluation.results import Finding, resampled
from loadedwords.models.calibration import best_f1, calibration_error, word_rows
from loadedwords.models.recipe import TrainingSet
from loadedwords.models.training import Scores
from loadedwords.schema import Interval

# An outlet counts for the within-outlet AUC from so many sentences of each class.
OUTLET_CLASS_SIZE = 50
# A word counts as agreed among the others where at least so many of them marked it.
MARKERS_TO_AGREE = 2
MIN_REFERENCE_WORDS = 30


def calibration_findings(
    raw: Scores, calibrated: Scores, labels: NDArray[np.int64], articles: NDArray[np.str_]
) -> list[Finding]:
    def error(rows: NDArray[np.intp]) -> float:
        return calibration_error(labels[rows], calibrated.probability[rows])[0]

    return [
        Finding(
            "expected calibration error (lower is better)",
            resampled(error, articles),
            f"{calibration_error(labels, raw.probability)[0]:.3f} before calibration on the other folds",
            f"{len(labels):,} sentences in bins of equal size, first seed",
        )
    ]


def outlet_findings(
    every: Sequence[Scores], labels: NDArray[np.int64], outlets: NDArray[np.str_], articles: NDArray[np.str_]
) -> list[Finding]:
    """AUC among the sentences of one outlet, where the outlet itself tells nothing."""
    large = [
        outlet
        for outlet in np.unique(outlets).tolist()
        if outlet and min(np.bincount(labels[outlets == outlet], minlength=2)) >= OUTLET_CLASS_SIZE
    ]
    if not large:
        return []

    def mean_auc(rows: NDArray[np.intp]) -> float:
        each: list[float] = []
        for outlet in large:
            of = rows[outlets[rows] == outlet]
            if len(np.unique(labels[of])) == 2:
                each.extend(roc_auc_score(labels[of], scores.probability[of]) for scores in every)
        return float(np.mean(each)) if each else float("nan")

    return [
        Finding(
            "ROC AUC within an outlet, mean",
            resampled(mean_auc, articles),
            "0.500 for a rule that sees only the outlet",
            f"{len(large)} outlets with at least {OUTLET_CLASS_SIZE} sentences of each class",
        )
    ]


def word_findings(scores: Scores, rows: TrainingSet, fold_of: NDArray[np.int64]) -> list[Finding]:
    """How well the words are found: against the agreed ones, and against annotators as each of them does."""
    asked = np.array([spans is not None for spans in rows.loaded_words], dtype=bool)
    values, marked = word_rows(scores.words, rows.loaded_words)
    if not marked.any():
        return []
    n_words = np.array([len(words) if ask else 0 for words, ask in zip(scores.words, asked, strict=True)])
    starts = np.concatenate([[0], np.cumsum(n_words)])
    word_fold = np.repeat(fold_of, n_words)
    chosen = np.zeros(len(values), dtype=bool)
    for fold in np.unique(fold_of):
        threshold = best_f1(marked[word_fold != fold], values[word_fold != fold])[1]
        chosen[word_fold == fold] = values[word_fold == fold] >= threshold

    def precision(at: NDArray[np.intp]) -> float:
        return float(average_precision_score(marked[at], values[at]))

    def f1(at: NDArray[np.intp]) -> float:
        return float(2 * np.sum(marked[at] & chosen[at]) / max(1, np.sum(marked[at]) + np.sum(chosen[at])))

    word_articles = np.repeat(rows.articles, n_words)
    size = f"{int(asked.sum()):,} sentences, {len(values):,} words, {int(marked.sum()):,} agreed, first seed"
    findings = [
        Finding(
            "average precision of words",
            resampled(precision, word_articles),
            f"{marked.mean():.3f} for words at random",
            size,
        ),
        Finding("F1 of words, threshold from the other folds", resampled(f1, word_articles), "see below", size),
    ]
    return [*findings, *_annotator_findings(scores, rows, chosen, starts)]


def _annotator_findings(
    scores: Scores, rows: TrainingSet, chosen: NDArray[np.bool_], starts: NDArray[np.int64]
) -> list[Finding]:
    """Each annotator against what at least two of the others marked, and the model against the very same words."""
    names = sorted({name for who in rows.annotators for name in who})
    people, models, sizes = [], [], 0
    for name in names:
        theirs, ours, reference = [], [], []
        for at, who in enumerate(rows.annotators):
            if name not in who or rows.loaded_words[at] is None:
                continue
            marks = rows.marked_words[at]
            for k, (start, end, _) in enumerate(scores.words[at]):
                markers = {m[0] for m in marks if m[1] < end and start < m[2]}
                theirs.append(name in markers)
                reference.append(len(markers - {name}) >= MARKERS_TO_AGREE)
                ours.append(bool(chosen[starts[at] + k]))
        if sum(reference) >= MIN_REFERENCE_WORDS:
            people.append(f1_score(reference, theirs))
            models.append(f1_score(reference, ours))
            sizes += 1
    if not people:
        return []
    ordered = ", ".join(f"{value:.3f}" for value in sorted(people))
    middle = float(np.median(models))
    return [
        Finding(
            f"F1 of words against what {MARKERS_TO_AGREE} others marked, median over annotators",
            Interval(middle, min(models), max(models)),
            f"the annotators themselves: median {np.median(people):.3f} (each: {ordered})",
            f"{sizes} annotators; the range is over them, not an interval",
        )
    ]
