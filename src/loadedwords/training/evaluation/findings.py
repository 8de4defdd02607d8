"""What else a cross-validation shows: the share of readers who object, single outlets, words and their kinds.

`rows` is always a part of the table of `Labels`, and what is passed beside it has one entry for each of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from loadedwords.house import Levels
from loadedwords.models.scores import NO_KINDS, Logits
from loadedwords.schema import KINDS, Interval
from loadedwords.training.calibration import best_f1, calibration_error, word_rows
from loadedwords.training.evaluation.results import Finding, outlet_rates, resampled
from loadedwords.training.labels import ANY, CLEAR

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
    by_outlet = outlet_rates(target, outlets, rows["fold"].to_numpy())

    def mean(measure: Callable[[Array, Array], float], *, distance: bool = False) -> Interval:
        one = lambda at: float(np.mean([measure(p[at], target[at]) for p in probability]))  # noqa: E731
        return resampled(one, articles, distance=distance)

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
            mean(lambda p, t: calibration_error(t, p)[0], distance=True),
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
    tables = [_called(logits, rows) for logits in every]
    words = tables[0]
    marked, length = words["marked"].to_numpy(), words["length"].to_numpy()
    if not marked.any():
        return []
    seeds = [(table["log_odds"].to_numpy(), table["called"].to_numpy()) for table in tables]

    def mean(measure: Callable[[Array, NDArray[np.bool_], NDArray[np.intp]], float]) -> Interval:
        return resampled(
            lambda at: float(np.mean([measure(log_odds, called, at) for log_odds, called in seeds])),
            rows["article"].to_numpy()[words["sentence"].to_numpy()],
        )

    def precision(log_odds: Array, _: NDArray[np.bool_], at: NDArray[np.intp]) -> float:
        return float(average_precision_score(marked[at], log_odds[at]))

    def f1(_: Array, called: NDArray[np.bool_], at: NDArray[np.intp]) -> float:
        of, right, found = length[at], marked[at], called[at]
        return float(2 * of[right & found].sum() / max(1, of[right].sum() + of[found].sum()))

    size = f"{rows['words'].is_not_null().sum():,} sentences, {len(marked):,} words, {int(marked.sum()):,} marked"
    return [
        Finding("average precision of words", mean(precision), f"{marked.mean():.3f} for words at random", size),
        Finding(
            "F1 of the characters of loaded words",
            mean(f1),
            f"{2 * marked.mean() / (1 + marked.mean()):.3f} if every word were called loaded",
            f"{size}; threshold from the other folds",
        ),
    ]


def lint_findings(probability: Sequence[Array], strongest: Sequence[Array], rows: pl.DataFrame) -> list[Finding]:
    """False alarms of the linter on plain sentences, to which no reader objects, and clear ones that it finds.

    A sentence is found at a level where both its strongest word and itself reach it. What the linter leaves alone by its
    rules and adds by its list is not in these figures. One array of each for each seed.
    """
    if not any(of.any() for of in strongest):
        return []  # a model that finds no words
    target, articles = rows["target"].to_numpy(), rows["article"].to_numpy()
    findings = []
    for name, part in (
        ("false alarms on plain sentences", target == 0),
        ("clearly loaded ones found", target >= CLEAR),
    ):
        if not part.any():
            continue
        for level, least in (("note", Levels.note), ("warning", Levels.warning)):
            sure = [np.minimum(p, word)[part] for p, word in zip(probability, strongest, strict=True)]
            found = np.mean([of >= least for of in sure], axis=0)
            any_word = float(np.mean([of[part] > 0 for of in strongest]))
            findings.append(
                Finding(
                    f"lint from {level} on: {name}",
                    resampled(lambda at, found=found: float(found[at].mean()), articles[part]),  # type: ignore[misc]
                    f"{any_word:.3f} if each word that the model finds were shown",
                    f"{int(part.sum()):,} sentences",
                )
            )
    return findings


def _called(logits: Logits, rows: pl.DataFrame) -> pl.DataFrame:
    """`word_rows`, and which of them are `called` loaded, by the threshold with the best F1 on the other folds."""
    words = word_rows(logits.words, rows["words"].to_list())
    if not words["marked"].any():
        return words.with_columns(called=pl.lit(value=False))
    marked, log_odds, length = (words[name].to_numpy() for name in ("marked", "log_odds", "length"))
    fold_of = rows["fold"].to_numpy()[words["sentence"].to_numpy()]
    called = np.zeros(len(words), dtype=bool)
    for fold in np.unique(fold_of):
        others = fold_of != fold
        threshold = best_f1(marked[others], log_odds[others], length[others])[1]
        called[~others] = log_odds[~others] >= threshold
    return words.with_columns(called=pl.Series(called))


def kind_findings(every: Sequence[Logits], rows: pl.DataFrame) -> list[Finding]:
    """Whether a marked word's kind, and its praise, are told rightly; in the mean of the seeds."""
    tables = []
    for logits in every:
        words = word_rows(logits.words, rows["words"].to_list())
        kinds = np.concatenate([NO_KINDS, *(logits.kinds[at] for at in words["sentence"].unique().sort())])
        if len(kinds) != len(words):
            return []  # a model that knows no kinds
        tables.append(
            words.with_columns(
                said=pl.Series(kinds[:, :-1].argmax(axis=1)), praised=pl.Series(kinds[:, -1] >= 0)
            ).filter(pl.col("kind").is_not_null())
        )
    table = pl.concat(tables)
    if table.is_empty():
        return []
    articles = rows["article"].to_numpy()[table["sentence"].to_numpy()]
    kind, said = np.array([KINDS.index(kind) for kind in table["kind"]]), table["said"].to_numpy()
    n = len(table) // len(every)
    findings = [
        Finding(
            "kind of a loaded word told rightly",
            resampled(lambda at: float((kind[at] == said[at]).mean()), articles),
            f"{np.bincount(kind).max() / len(kind):.3f} if all were of the most frequent kind",
            f"{n:,} marked words",
        )
    ]
    columns = [(f"kind {name}", kind == at, said == at) for at, name in enumerate(KINDS)]
    columns.append(("praise", table["praise"].to_numpy() >= 0.5, table["praised"].to_numpy()))
    for name, right, called in columns:
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
    called = _called(logits, rows)
    if not called["marked"].any():
        return []
    of_word = iter(called["called"].to_list())
    # One row for each word and each annotator who was asked about it: who else marked it, whether he did, what we say.
    answers: list[tuple[str, int, bool, bool]] = []
    for words, known, asked, marks in zip(
        logits.words, *(rows[name].to_list() for name in ("words", "annotators", "marked_words")), strict=True
    ):
        for start, end, _ in () if known is None else words:
            markers = {mark["annotator"] for mark in marks or () if mark["start"] < end and start < mark["end"]}
            ours = next(of_word)
            answers += [(name, len(markers - {name}), name in markers, ours) for name in asked or ()]
    people, models = [], []
    for name in sorted({name for name, *_ in answers}):
        others, theirs, ours = np.array([rest for who, *rest in answers if who == name]).T
        reference = others >= MARKERS_TO_AGREE
        if reference.sum() >= MIN_REFERENCE_WORDS:
            people.append(float(f1_score(reference, theirs.astype(bool))))
            models.append(float(f1_score(reference, ours.astype(bool))))
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
