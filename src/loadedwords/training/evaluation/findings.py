"""What else a cross-validation shows: the share of readers who object, single outlets, words and their kinds.

`rows` is always a part of the table of `Labels`, and what is passed beside it has one entry for each of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from loadedwords.models.onnx_scorer import Logits
from loadedwords.schema import KINDS, Interval
from loadedwords.training.calibration import WordRows, best_f1, calibration_error, word_rows
from loadedwords.training.evaluation.results import Finding, outlet_rates, resampled

# Readers who object: from one of two who calls a sentence borderline, and from where most call it loaded.
ANY, CLEAR = 0.4, 0.75
# An outlet counts for the within-outlet AUC from so many sentences of each class.
OUTLET_CLASS_SIZE = 50
# A word counts as agreed among the others where at least so many of them marked it.
MARKERS_TO_AGREE = 2
MIN_REFERENCE_WORDS = 30

Array = NDArray[np.float64]


def share_findings(probability: Sequence[Array], rows: pl.DataFrame) -> list[Finding]:
    """The probability beside the share of readers who object; one array of probabilities for each seed."""
    target, articles = rows["target"].to_numpy(), rows["article"].to_numpy()
    outlets = rows["outlet"].fill_null("").to_numpy()
    by_outlet = np.zeros(len(rows))
    for fold in rows["fold"].unique().to_list():
        test = (rows["fold"] == fold).to_numpy()
        by_outlet[test] = outlet_rates(target[~test], outlets[~test], outlets[test])

    def mean(measure: Callable[[Array, Array], float]) -> Interval:
        return resampled(lambda at: float(np.mean([measure(p[at], target[at]) for p in probability])), articles)

    size = f"{len(rows):,} sentences, mean target {target.mean():.3f}"
    findings = []
    for name, least in (("any objection", ANY), ("clearly loaded", CLEAR)):
        if len(set((target >= least).tolist())) < 2:
            continue
        of = f"{size}, {(target >= least).mean():.1%} {name}"
        findings += [
            Finding(
                f"ROC AUC, {name}",
                mean(lambda p, t, least=least: _auc(t >= least, p)),  # type: ignore[misc]
                f"{_auc(target >= least, by_outlet):.3f} for a rule that sees only the outlet",
                of,
            ),
            Finding(
                f"average precision, {name}",
                mean(lambda p, t, least=least: float(average_precision_score(t >= least, p))),  # type: ignore[misc]
                f"{(target >= least).mean():.3f} at random",
                of,
            ),
        ]
    called = float(np.mean([(p >= 0.5).mean() for p in probability]))
    return [
        *findings,
        Finding("mean probability", mean(lambda p, _: float(p.mean())), f"mean target {target.mean():.3f}", size),
        Finding(
            "expected calibration error (lower is better)",
            mean(lambda p, t: calibration_error(t, p)[0]),
            f"{calibration_error(target, by_outlet)[0]:.3f} for the outlet's mean target",
            f"{size}, in bins of equal size",
        ),
        Finding(
            "mean target of what is called loaded",
            mean(lambda p, t: float(t[p >= 0.5].mean()) if (p >= 0.5).any() else float("nan")),
            f"{target.mean():.3f} of all",
            f"{size}; {called:.1%} are called loaded",
        ),
        Finding(
            "clearly loaded ones found",
            mean(lambda p, t: float((p[t >= CLEAR] >= 0.5).mean()) if (t >= CLEAR).any() else float("nan")),
            f"{called:.3f} at random",
            f"{int((target >= CLEAR).sum()):,} clearly loaded sentences",
        ),
    ]


def _auc(truth: NDArray[np.bool_], scores: Array) -> float:
    return float(roc_auc_score(truth, scores)) if 0 < truth.mean() < 1 else float("nan")


def outlet_findings(probability: Sequence[Array], rows: pl.DataFrame) -> list[Finding]:
    """AUC among the sentences of one outlet, where the outlet itself tells nothing."""
    truth, outlets = rows["label"].to_numpy(), rows["outlet"].fill_null("").to_numpy()
    large = [
        outlet
        for outlet in np.unique(outlets).tolist()
        if outlet and min(np.bincount(truth[outlets == outlet], minlength=2)) >= OUTLET_CLASS_SIZE
    ]
    if not large:
        return []

    def mean_auc(at: NDArray[np.intp]) -> float:
        each = [
            roc_auc_score(truth[of], p[of])
            for of in (at[outlets[at] == outlet] for outlet in large)
            if len(np.unique(truth[of])) == 2
            for p in probability
        ]
        return float(np.mean(each)) if each else float("nan")

    return [
        Finding(
            "ROC AUC within an outlet, mean",
            resampled(mean_auc, rows["article"].to_numpy()),
            "0.500 for a rule that sees only the outlet",
            f"{len(large)} outlets with at least {OUTLET_CLASS_SIZE} sentences of each class",
        )
    ]


def word_findings(every: Sequence[Logits], rows: pl.DataFrame) -> list[Finding]:
    """How well the marked words are found: characters count, so that a long word weighs more than a short one."""
    each = [word_rows(logits.words, rows["words"].to_list()) for logits in every]
    first = each[0]
    if not first.marked.any():
        return []
    chosen = [_chosen(words, rows) for words in each]

    def mean(measure: Callable[[WordRows, NDArray[np.bool_], NDArray[np.intp]], float]) -> Interval:
        articles = rows["article"].to_numpy()[first.sentence]
        return resampled(
            lambda at: float(np.mean([measure(words, of, at) for words, of in zip(each, chosen, strict=True)])),
            articles,
        )

    def precision(words: WordRows, _: NDArray[np.bool_], at: NDArray[np.intp]) -> float:
        return float(average_precision_score(words.marked[at], words.log_odds[at]))

    def f1(words: WordRows, of: NDArray[np.bool_], at: NDArray[np.intp]) -> float:
        length, hit = words.length[at], words.marked[at] & of[at]
        return float(2 * length[hit].sum() / max(1, length[words.marked[at]].sum() + length[of[at]].sum()))

    size = f"{rows['words'].is_not_null().sum():,} sentences, {len(first.marked):,} words, {int(first.marked.sum()):,} marked"
    return [
        Finding("average precision of words", mean(precision), f"{first.marked.mean():.3f} for words at random", size),
        Finding(
            "F1 of the characters of loaded words",
            mean(f1),
            f"{2 * first.marked.mean() / (1 + first.marked.mean()):.3f} if every word were called loaded",
            f"{size}; threshold from the other folds",
        ),
    ]


def _chosen(words: WordRows, rows: pl.DataFrame) -> NDArray[np.bool_]:
    """Which words are called loaded, by the threshold with the best F1 on the other folds."""
    fold_of = rows["fold"].to_numpy()[words.sentence]
    chosen = np.zeros(len(fold_of), dtype=bool)
    for fold in np.unique(fold_of):
        others = fold_of != fold
        threshold = best_f1(words.marked[others], words.log_odds[others], words.length[others])[1]
        chosen[~others] = words.log_odds[~others] >= threshold
    return chosen


def kind_findings(every: Sequence[Logits], rows: pl.DataFrame) -> list[Finding]:
    """Whether a marked word's kind, and its praise, are told rightly; in the mean of the seeds."""
    truth, praise, said, praised, sentences = [], [], [], [], []
    for logits in every:
        words = word_rows(logits.words, rows["words"].to_list())
        kinds = np.concatenate([logits.kinds[at] for at in np.unique(words.sentence)]) if len(words.marked) else None
        if kinds is None or len(kinds) != len(words.marked):
            return []  # a model that knows no kinds
        for at, mark in enumerate(words.mark):
            if mark is not None and mark["kind"] is not None:
                truth.append(KINDS.index(mark["kind"]))
                said.append(int(kinds[at, :-1].argmax()))
                praise.append(bool(mark["praise"] >= 0.5))
                praised.append(bool(kinds[at, -1] >= 0))
                sentences.append(words.sentence[at])
    if not truth:
        return []
    is_kind, told = np.array(truth), np.array(said)
    articles = rows["article"].to_numpy()[np.array(sentences)]
    n = len(truth) // len(every)
    common = np.bincount(is_kind).max() / len(is_kind)
    findings = [
        Finding(
            "kind of a loaded word told rightly",
            resampled(lambda at: float((is_kind[at] == told[at]).mean()), articles),
            f"{common:.3f} if all were of the most frequent kind",
            f"{n:,} marked words",
        )
    ]
    columns = [(f"kind {name}", is_kind == at, told == at) for at, name in enumerate(KINDS)]
    for name, right, called in [*columns, ("praise", np.array(praise), np.array(praised))]:
        if not right.any():
            continue
        precision, recall = (float((right & called).sum() / max(1, of.sum())) for of in (called, right))
        findings.append(
            Finding(
                f"{name}, F1",
                resampled(
                    lambda at, right=right, called=called: _f1(right[at], called[at]),  # type: ignore[misc]
                    articles,
                ),
                f"precision {precision:.3f}, recall {recall:.3f}; {right.mean():.3f} of the words are it",
                f"{int(right.sum()) // len(every):,} of {n:,} marked words",
            )
        )
    return findings


def _f1(right: NDArray[np.bool_], called: NDArray[np.bool_]) -> float:
    return float(2 * (right & called).sum() / max(1, right.sum() + called.sum()))


def annotator_findings(logits: Logits, rows: pl.DataFrame) -> list[Finding]:
    """Each annotator against what at least two of the others marked, and the model against the very same words."""
    words = word_rows(logits.words, rows["words"].to_list())
    if not words.marked.any():
        return []
    chosen = _chosen(words, rows)
    ends = np.cumsum(np.bincount(words.sentence, minlength=len(rows)))
    asked, marked_words, known = (rows[name].to_list() for name in ("annotators", "marked_words", "words"))
    names = sorted({name for who in asked for name in who or ()})
    people, models = [], []
    for name in names:
        theirs, ours, reference = [], [], []
        for at, who in enumerate(asked):
            if name not in (who or ()) or known[at] is None:
                continue
            first = ends[at - 1] if at else 0
            for k, (start, end, _) in enumerate(logits.words[at]):
                markers = {m["annotator"] for m in marked_words[at] or () if m["start"] < end and start < m["end"]}
                theirs.append(name in markers)
                reference.append(len(markers - {name}) >= MARKERS_TO_AGREE)
                ours.append(bool(chosen[first + k]))
        if sum(reference) >= MIN_REFERENCE_WORDS:
            people.append(f1_score(reference, theirs))
            models.append(f1_score(reference, ours))
    if not people:
        return []
    ordered = ", ".join(f"{value:.3f}" for value in sorted(people))
    return [
        Finding(
            f"F1 of words against what {MARKERS_TO_AGREE} others marked, median over annotators",
            Interval(float(np.median(models)), min(models), max(models)),
            f"the annotators themselves: median {np.median(people):.3f} (each: {ordered})",
            f"{len(people)} annotators; the range is over them, not an interval",
        )
    ]
