"""A recipe trained and measured on folds that never split an article."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from loadedwords.corpora import grouped_folds
from loadedwords.errors import DataError
from loadedwords.evaluation.findings import calibration_findings, outlet_findings, word_findings
from loadedwords.evaluation.results import (
    N_RESAMPLES,
    Evaluation,
    Finding,
    Predictions,
    compute_metrics,
    intervals,
    outlet_rates,
    resampled,
)
from loadedwords.evaluation.slices import slice_errors
from loadedwords.models.calibration import calibration_error, fit_settings, with_log_odds
from loadedwords.models.onnx_scorer import OnnxSettings, sentence_probability
from loadedwords.models.recipe import Recipe, TrainingSet, Workshop
from loadedwords.models.training import Scores, fit_and_score


def cross_validate(
    recipe: Recipe,
    data: TrainingSet,
    *,
    n_splits: int = 5,
    seeds: Sequence[int] = (0,),
    workshop: Workshop | None = None,
    jobs: int = 1,
    tell: Callable[[str], None] = print,
) -> Evaluation:
    """Measure a recipe on its corpus of interest, folds grouped by article.

    The recipe's other corpora help to train in every fold and are never tested on. The baselines learn from the
    same training rows of the corpus of interest and see no text. A transformer is measured as it is shipped, in int8.

    Parameters
    ----------
    recipe : Recipe
    data : TrainingSet
    n_splits : int
    seeds : sequence of int
        Of a linear recipe each draws its own folds; of a transformer each trains anew on the same folds, as its
        stages before the last are shared by them. A sentence's figures are averaged over the seeds for the intervals,
        and the macro-F1 of each seed is told in the notes.
    workshop : Workshop, optional
        Of a transformer.
    jobs : int
        Folds of a transformer trained at once, in processes of their own.
    tell : callable
        Gets a line after each fold.

    Returns
    -------
    Evaluation
        Of the model, "majority label", and "outlet's majority label" where outlets are known.
    """
    inside, outside = np.flatnonzero(data.in_domain), np.flatnonzero(~data.in_domain)
    rows = data.rows(inside)
    labels, articles = rows.labels, rows.articles
    outlets = np.array([outlet or "" for outlet in rows.outlets])
    folds = _folds(articles, n_splits, seeds, the_same=bool(recipe.stages or recipe.teacher))
    answers = _each_fold(
        [
            (data.rows(np.concatenate([inside[fold.train], outside])), [rows.texts[at] for at in fold.test], fold.seed)
            for fold in folds
        ],
        recipe,
        workshop,
        jobs,
    )
    raw: list[Scores] = []
    for seed in seeds:
        of_seed = [fold for fold in folds if fold.seed == seed]
        found = []
        for fold in of_seed:
            found.append(next(answers))
            reached = f1_score(labels[fold.test], found[-1].decision, average="macro")
            tell(
                f"seed {seed}, fold {fold.number + 1} of {n_splits}: macro-F1 {reached:.3f} on {len(fold.test)} sentences"
            )
        raw.append(_put_together(found, of_seed, len(inside)))
    first = [fold for fold in folds if fold.seed == seeds[0]]
    fold_of = np.zeros(len(inside), dtype=np.int64)
    for fold in first:
        fold_of[fold.test] = fold.number
    # As it is shipped; a linear model brings its own settings.
    shipped = [_calibrated(scores, rows, fold_of) for scores in raw] if recipe.stages else raw
    runs = {
        recipe.name: [Predictions(scores.probability, scores.decision.astype(np.int64)) for scores in shipped],
        **_baselines(labels, outlets, folds, seeds),
    }
    slices, ratios = slice_errors(shipped, rows)
    description = (
        f"{recipe.name}: {len(inside):,} sentences of {len(set(articles.tolist())):,} articles, {labels.mean():.0%} loaded; "
        f"{n_splits} folds grouped by article, {len(seeds)} seed{'s' if len(seeds) > 1 else ''}; "
        f"95% intervals by resampling articles, {N_RESAMPLES} times; what another training would change is not in them."
    )
    return Evaluation(
        description,
        {name: intervals(labels, of, articles) for name, of in runs.items()},
        (
            *outlet_findings(shipped, labels, outlets, articles),
            *calibration_findings(raw[0], shipped[0], labels, articles),
            *word_findings(shipped[0], rows, fold_of),
            *ratios,
        ),
        _by_seed_and_fold(labels, runs[recipe.name], folds, seeds),
        tuple(calibration_error(labels, shipped[0].probability)[1]),
        raw[0],
        slices,
    )


@dataclass(frozen=True)
class _Fold:
    """Rows to train on and to test on, as numbers among the in-domain rows."""

    seed: int
    number: int
    train: NDArray[np.intp]
    test: NDArray[np.intp]


def _folds(articles: NDArray[np.str_], n_splits: int, seeds: Sequence[int], *, the_same: bool) -> list[_Fold]:
    """The folds of every seed, in order; of the same rows for each, or drawn anew."""
    folds = []
    for seed in seeds:
        for number, (train, test) in enumerate(
            grouped_folds(articles, n_splits=n_splits, seed=0 if the_same else seed)
        ):
            if shared := set(articles[train].tolist()) & set(articles[test].tolist()):
                raise DataError(
                    f"{len(shared)} articles stand on both sides of a fold; this is a fault of loadedwords, please report it."
                )
            folds.append(_Fold(seed, number, train, test))
    return folds


def _put_together(found: Sequence[Scores], folds: Sequence[_Fold], n: int) -> Scores:
    """The scores of all rows, each from the fold that did not train on it."""
    log_odds, probability, decision = np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool)
    words: list[list[tuple[int, int, float]]] = [[] for _ in range(n)]
    for scores, fold in zip(found, folds, strict=True):
        log_odds[fold.test], probability[fold.test] = scores.log_odds, scores.probability
        decision[fold.test] = scores.decision
        for at, of in zip(fold.test, scores.words, strict=True):
            words[at] = of
    return Scores(log_odds, probability, decision, words)


def _baselines(
    labels: NDArray[np.int64], outlets: NDArray[np.str_], folds: Sequence[_Fold], seeds: Sequence[int]
) -> dict[str, list[Predictions]]:
    """Rules that see no text, learnt from the same training rows; one prediction of all rows for each seed."""
    by_name: dict[str, list[Predictions]] = {"majority label": []}
    if len(set(outlets.tolist())) > 1:
        by_name["outlet's majority label"] = []
    for seed in seeds:
        # The same probability in every fold: a constant has no AUC to lose or gain.
        rates = {name: np.full(len(labels), labels.mean()) for name in by_name}
        decisions = {name: np.zeros(len(labels), dtype=np.int64) for name in by_name}
        for fold in (fold for fold in folds if fold.seed == seed):
            decisions["majority label"][fold.test] = labels[fold.train].mean() >= 0.5
            if "outlet's majority label" in by_name:
                found = outlet_rates(labels[fold.train], outlets[fold.train], outlets[fold.test])
                rates["outlet's majority label"][fold.test] = found
                decisions["outlet's majority label"][fold.test] = found >= 0.5
        for name, of in by_name.items():
            of.append(Predictions(rates[name], decisions[name]))
    return by_name


def _by_seed_and_fold(
    labels: NDArray[np.int64], runs: Sequence[Predictions], folds: Sequence[_Fold], seeds: Sequence[int]
) -> tuple[str, str]:
    measured = [compute_metrics(labels, run.probability, run.decision) for run in runs]
    per_fold = [
        f1_score(labels[fold.test], runs[list(seeds).index(fold.seed)].decision[fold.test], average="macro")
        for fold in folds
    ]
    f1, auc = (", ".join(f"{each[metric]:.3f}" for each in measured) for metric in ("macro_f1", "roc_auc"))
    return (
        f"macro-F1 by seed: {f1}; ROC AUC: {auc}",
        f"macro-F1 by fold: {min(per_fold):.3f} to {max(per_fold):.3f}",
    )


def leave_one_outlet_out(
    recipe: Recipe,
    data: TrainingSet,
    within: Scores,
    *,
    n_outlets: int = 8,
    workshop: Workshop | None = None,
    jobs: int = 1,
    tell: Callable[[str], None] = print,
) -> Finding:
    """How much is lost on an outlet that nobody labelled in the corpus of interest.

    The recipe's other corpora may still hold articles of that outlet: what is left out is what annotators said of it.

    Parameters
    ----------
    recipe, data, workshop, jobs, tell
        As in `cross_validate`.
    within : Scores
        Of the in-domain rows from folds that know the outlet: `Evaluation.held_out`.
    n_outlets : int
        The largest ones, each left out in turn.

    Returns
    -------
    Finding
        Mean macro-F1 over the outlets, beside the mean on the same sentences from `within`.
    """
    inside = np.flatnonzero(data.in_domain)
    labels, articles = data.labels[inside], data.articles[inside]
    # "The Federalist" and "Federalist" are one.
    outlets = np.array([(data.outlets[at] or "").lower().removeprefix("the ") for at in inside])
    names, counts = np.unique(outlets[outlets != ""], return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:n_outlets].tolist()
    if not largest:
        raise DataError("The corpus names no outlets, so none can be left out.")
    tasks = []
    for outlet in largest:
        kept = np.concatenate([inside[outlets != outlet], np.flatnonzero(~data.in_domain)])
        tasks.append((data.rows(kept), [data.texts[at] for at in inside[outlets == outlet]], 0))
    all_rows = data.rows(inside)
    new, known = [], []
    decision = np.zeros(len(inside), dtype=np.int64)
    for outlet, scores in zip(largest, _each_fold(tasks, recipe, workshop, jobs), strict=True):
        rows = outlets == outlet
        before = _rows_of(within, np.flatnonzero(rows))
        found, expected = scores.decision, before.decision
        if recipe.stages:
            settings = _settings(within, all_rows, np.flatnonzero(~rows))
            of_outlet = [all_rows.texts[at] for at in np.flatnonzero(rows)]
            found, expected = (
                _as_shipped(of_outlet, each, settings) >= settings.threshold for each in (scores, before)
            )
        decision[rows] = found
        new.append(f1_score(labels[rows], found, average="macro", labels=[0, 1], zero_division=0))
        known.append(f1_score(labels[rows], expected, average="macro", labels=[0, 1], zero_division=0))
        tell(f"without {outlet}: macro-F1 {new[-1]:.3f} on {rows.sum()} sentences; known to training {known[-1]:.3f}")

    def mean_f1(rows: NDArray[np.intp]) -> float:
        each = [
            f1_score(labels[of], decision[of], average="macro", labels=[0, 1], zero_division=0)
            for of in (rows[outlets[rows] == outlet] for outlet in largest)
            if len(of)
        ]
        return float(np.mean(each))

    value = resampled(mean_f1, articles)
    return Finding(
        "macro-F1 on an outlet without labels in training, mean",
        value,
        f"{np.mean(known):.3f} by the grouped folds on the same sentences",
        f"{len(largest)} outlets, {int(np.isin(outlets, largest).sum()):,} sentences",
    )


def _each_fold(
    tasks: Sequence[tuple[TrainingSet, list[str], int]], recipe: Recipe, workshop: Workshop | None, jobs: int
) -> Iterator[Scores]:
    """Train and score each task, in order; a transformer's stages on disk are shared, and trained by who comes first."""
    if jobs <= 1 or workshop is None or recipe.kind != "transformer":
        for rows, texts, seed in tasks:
            yield fit_and_score(recipe, rows, texts, seed=seed, workshop=workshop)
        return
    quiet = replace(workshop, tell=_to_stderr, progress=False, threads=max(1, (os.cpu_count() or 1) // jobs))
    # Processes, as torch's threads of one process get in each other's way.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [
            pool.submit(fit_and_score, recipe, rows, texts, seed=seed, workshop=quiet) for rows, texts, seed in tasks
        ]
        for future in running:
            yield future.result()


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a process that has no other voice


def _calibrated(raw: Scores, rows: TrainingSet, fold_of: NDArray[np.int64]) -> Scores:
    """The scores as a shipped transformer would give them, its settings fitted on the other folds."""
    probability = np.zeros(len(rows.labels))
    for fold in np.unique(fold_of):
        own = np.flatnonzero(fold_of == fold)
        settings = _settings(raw, rows, np.flatnonzero(fold_of != fold))
        probability[own] = _as_shipped([rows.texts[at] for at in own], _rows_of(raw, own), settings)
    return replace(raw, probability=probability, decision=probability >= 0.5)


def _settings(raw: Scores, rows: TrainingSet, chosen: NDArray[np.intp]) -> OnnxSettings:
    part = _rows_of(raw, chosen)
    texts, agreed = [rows.texts[at] for at in chosen], [rows.loaded_words[at] for at in chosen]
    return fit_settings(texts, part.log_odds, rows.labels[chosen], part.words, agreed)


def _as_shipped(texts: Sequence[str], raw: Scores, settings: OnnxSettings) -> NDArray[np.float64]:
    return sentence_probability(texts, raw.log_odds, with_log_odds(raw.words), settings)


def _rows_of(scores: Scores, chosen: NDArray[np.intp]) -> Scores:
    return Scores(
        scores.log_odds[chosen],
        scores.probability[chosen],
        scores.decision[chosen],
        [scores.words[at] for at in chosen],
    )
