"""What else a cross-validation shows: the share of readers who object, single outlets, words and their kinds.

`rows` is always a part of the table of `Labels`; what is passed beside it has one entry for each of its rows, and where
there are several, one for each seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from loadedwords.house import Levels
from loadedwords.models.scores import NO_KINDS, Logits
from loadedwords.schema import KINDS, Interval
from loadedwords.training.calibration import best_f1, calibration_error, word_rows
from loadedwords.training.evaluation.results import Finding, outlet_rates, resampled, share
from loadedwords.training.labels import ANY, CLEAR
from loadedwords.training.marks import touching

# An outlet counts for the within-outlet AUC from so many sentences of each class.
OUTLET_CLASS_SIZE = 50
# A word counts as agreed among the others where at least so many of them marked it.
MARKERS_TO_AGREE = 2
MIN_REFERENCE_WORDS = 30

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


def share_findings(probability: Sequence[Array], rows: pl.DataFrame) -> list[Finding]:
    """The probability beside the share of readers who object."""
    target, articles = rows["target"].to_numpy(), rows["article"].to_numpy()
    by_outlet = outlet_rates(target, rows["outlet"].fill_null("").to_numpy(), rows["fold"].to_numpy())
    size = f"{len(rows):,} sentences, mean target {target.mean():.3f}"
    findings = []

    def add(
        name: str, measure: Callable[[Array, Array], float], beside: str, rests_on: str, *, distance: bool = False
    ) -> None:
        def mean(at: Rows) -> float:
            return float(np.mean([measure(p[at], target[at]) for p in probability]))

        findings.append(Finding(name, resampled(mean, articles, distance=distance), beside, rests_on))

    def add_ranking(name: str, least: float) -> None:
        rate = (target >= least).mean()
        if not 0 < rate < 1:
            return
        alone = f"{_auc(target >= least, by_outlet):.3f} for a rule that sees only the outlet"
        of = f"{size}, {rate:.1%} {name}"
        add(f"ROC AUC, {name}", lambda p, t: _auc(t >= least, p), alone, of)
        precision = lambda p, t: float(average_precision_score(t >= least, p))  # noqa: E731
        add(f"average precision, {name}", precision, f"{rate:.3f} at random", of)

    add_ranking("any objection", ANY)
    add_ranking("clearly loaded", CLEAR)
    called = float(np.mean([(p >= 0.5).mean() for p in probability]))
    add("mean probability", lambda p, _: float(p.mean()), f"mean target {target.mean():.3f}", size)
    add(
        "expected calibration error (lower is better)",
        lambda p, t: calibration_error(t, p)[0],
        f"{calibration_error(target, by_outlet)[0]:.3f} for the outlet's mean target",
        f"{size}, in bins of equal size",
        distance=True,
    )
    add(
        "mean target of what is called loaded",
        lambda p, t: _mean(t[p >= 0.5]),
        f"{target.mean():.3f} of all",
        f"{size}; {called:.1%} are called loaded",
    )
    add(
        "clearly loaded ones found",
        lambda p, t: _mean(p[t >= CLEAR] >= 0.5),
        f"{called:.3f} at random",
        f"{int((target >= CLEAR).sum()):,} clearly loaded sentences",
    )
    return findings


def _auc(truth: NDArray[np.bool_], scores: Array) -> float:
    return float(roc_auc_score(truth, scores)) if 0 < truth.mean() < 1 else float("nan")


def _mean(values: ArrayLike) -> float:
    """NaN of nothing, without a warning."""
    listed = np.asarray(values, dtype=np.float64)
    return float(listed.mean()) if len(listed) else float("nan")


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
    return [
        Finding(
            "ROC AUC within an outlet, mean",
            resampled(
                lambda at: mean_outlet_auc(large, outlets[at], truth[at], [p[at] for p in probability]),
                rows["article"].to_numpy(),
            ),
            "0.500 for a rule that sees only the outlet",
            f"{len(large)} outlets with at least {OUTLET_CLASS_SIZE} sentences of each class",
        )
    ]


def mean_outlet_auc(
    names: Sequence[str], outlets: NDArray[np.str_], truth: NDArray[np.int64], scores: Sequence[Array]
) -> float:
    """The mean over the named outlets and the seeds; an outlet of one class alone has none."""
    each = [
        float(roc_auc_score(truth[of], of_seed[of]))
        for of in (outlets == name for name in names)
        if len(np.unique(truth[of])) == 2
        for of_seed in scores
    ]
    return _mean(each)


def word_findings(every: Sequence[Logits], rows: pl.DataFrame) -> list[Finding]:
    """How well the marked words are found: characters count, so that a long word weighs more than a short one."""
    tables = [_called(logits, rows) for logits in every]
    words = tables[0]
    marked, length = words["marked"].to_numpy(), words["length"].to_numpy()
    if not marked.any():
        return []
    log_odds, called = ([table[name].to_numpy() for table in tables] for name in ("log_odds", "called"))

    def precision(at: Rows) -> float:
        return float(np.mean([average_precision_score(marked[at], scores[at]) for scores in log_odds]))

    def f1(at: Rows) -> float:
        return float(np.mean([_f1(marked[at], of_seed[at], length[at]) for of_seed in called]))

    articles = rows["article"].to_numpy()[words["sentence"].to_numpy()]
    of_characters = length[marked].sum() / length.sum()
    size = f"{rows['words'].is_not_null().sum():,} sentences, {len(marked):,} words, {int(marked.sum()):,} marked"
    return [
        Finding(
            "average precision of words",
            resampled(precision, articles),
            f"{marked.mean():.3f} for words at random",
            size,
        ),
        Finding(
            "F1 of the characters of loaded words",
            resampled(f1, articles),
            f"{2 * of_characters / (1 + of_characters):.3f} if every word were called loaded",
            f"{size}; threshold from the other folds",
        ),
    ]


def _f1(right: NDArray[np.bool_], called: NDArray[np.bool_], weight: NDArray[np.int64] | int = 1) -> float:
    hits, wanted, found = (float((of * weight).sum()) for of in (right & called, right, called))
    return 2 * hits / max(1, wanted + found)


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


def lint_findings(probability: Sequence[Array], strongest: Sequence[Array], rows: pl.DataFrame) -> list[Finding]:
    """False alarms of the linter on plain sentences, to which no reader objects, and clear ones that it finds.

    A sentence is found at a level where both itself and its `strongest` word reach it. What the linter leaves alone by
    its rules and adds by its list is not in these figures.
    """
    if not any(of.any() for of in strongest):
        return []  # a model that finds no words
    target, articles = rows["target"].to_numpy(), rows["article"].to_numpy()
    sure = np.minimum(probability, strongest)
    findings = []
    for name, part in (
        ("false alarms on plain sentences", target == 0),
        ("clearly loaded ones found", target >= CLEAR),
    ):
        any_word = np.mean([of[part] > 0 for of in strongest])
        for level, least in (("note", Levels.note), ("warning", Levels.warning)) if part.any() else ():
            findings.append(
                Finding(
                    f"lint from {level} on: {name}",
                    share(np.mean(sure[:, part] >= least, axis=0), articles[part]),
                    f"{any_word:.3f} if each word that the model finds were shown",
                    f"{int(part.sum()):,} sentences",
                )
            )
    return findings


def kind_findings(every: Sequence[Logits], rows: pl.DataFrame) -> list[Finding]:
    """Whether a marked word's kind, and its praise, are told rightly; in the mean of the seeds."""
    tables = []
    for logits in every:
        words = word_rows(logits.words, rows["words"].to_list())
        scores = np.concatenate([NO_KINDS, *(logits.kinds[at] for at in words["sentence"].unique().sort())])
        if len(scores) != len(words):
            return []  # a model that knows no kinds
        kinds = [KINDS[at] for at in scores[:, :-1].argmax(axis=1)]
        words = words.with_columns(said=pl.Series(kinds, dtype=pl.String), praised=pl.Series(scores[:, -1] >= 0))
        tables.append(words.filter(pl.col("kind").is_not_null()))
    table = pl.concat(tables)
    if table.is_empty():
        return []
    articles = rows["article"].to_numpy()[table["sentence"].to_numpy()]
    kind, said, n = table["kind"].to_numpy(), table["said"].to_numpy(), len(table) // len(every)
    findings = [
        Finding(
            "kind of a loaded word told rightly",
            share(kind == said, articles),
            f"{max(np.mean(kind == name) for name in KINDS):.3f} if all were of the most frequent kind",
            f"{n:,} marked words",
        )
    ]

    def add(name: str, right: NDArray[np.bool_], called: NDArray[np.bool_]) -> None:
        if not right.any():
            return
        precision, recall = ((right & called).sum() / max(1, of.sum()) for of in (called, right))
        findings.append(
            Finding(
                f"{name}, F1",
                resampled(lambda at: _f1(right[at], called[at]), articles),
                f"precision {precision:.3f}, recall {recall:.3f}; {right.mean():.3f} of the words are it",
                f"{int(right.sum()) // len(every):,} of {n:,} marked words",
            )
        )

    for name in KINDS:
        add(f"kind {name}", kind == name, said == name)
    add("praise", table["praise"].to_numpy() >= 0.5, table["praised"].to_numpy())
    return findings


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
            markers = {mark["annotator"] for mark in touching(marks or (), start, end)}
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
