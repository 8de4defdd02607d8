"""A recipe trained and measured on folds that never split an article."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
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
    inside = np.flatnonzero(data.in_domain)
    outside = np.flatnonzero(~data.in_domain)
    labels, articles = data.labels[inside], data.articles[inside]
    outlets = np.array([data.outlets[at] or "" for at in inside])
    collected: dict[str, list[Predictions]] = {}
    rows = data.rows(inside)
    raw: list[Scores] = []
    every: list[Scores] = []
    per_seed, per_fold = [], []
    fold_of = np.zeros(len(inside), dtype=np.int64)
    tasks = []
    for seed in seeds:
        splits = grouped_folds(articles, n_splits=n_splits, seed=0 if recipe.stages else seed)
        for number, (train, test) in enumerate(splits):
            _check_apart(articles, train, test)
            tasks.append((seed, number, train, test))
    answers = _each_fold(
        [
            (data.rows(np.concatenate([inside[train], outside])), [data.texts[at] for at in inside[test]], seed)
            for seed, _, train, test in tasks
        ],
        recipe,
        workshop,
        jobs,
    )
    for seed in seeds:
        runs = {
            name: Predictions(np.zeros(len(inside)), np.zeros(len(inside), dtype=np.int64))
            for name in _predictors(recipe, outlets)
        }
        log_odds, probability = np.zeros(len(inside)), np.zeros(len(inside))
        decision = np.zeros(len(inside), dtype=bool)
        words: list[list[tuple[int, int, float]]] = [[] for _ in inside]
        for _, number, train, test in (task for task in tasks if task[0] == seed):
            scores = next(answers)
            log_odds[test], probability[test], decision[test] = scores.log_odds, scores.probability, scores.decision
            for at, found in zip(test, scores.words, strict=True):
                words[at] = found
            if seed == seeds[0]:
                fold_of[test] = number
            majority = labels[train].mean() >= 0.5
            # The same probability in every fold: a constant has no AUC to lose or gain.
            _fill(runs["majority label"], test, np.full(len(test), labels.mean()), np.full(len(test), majority))
            if "outlet's majority label" in runs:
                rates = outlet_rates(labels[train], outlets[train], outlets[test])
                _fill(runs["outlet's majority label"], test, rates, rates >= 0.5)
            reached = f1_score(labels[test], decision[test], average="macro")
            tell(f"seed {seed}, fold {number + 1} of {n_splits}: macro-F1 {reached:.3f} on {len(test)} sentences")
        raw.append(Scores(log_odds, probability, decision, words))
        every.append(_calibrated(raw[-1], rows, fold_of) if recipe.stages else raw[-1])
        model = every[-1]
        _fill(runs[recipe.name], np.arange(len(inside)), model.probability, model.decision)
        per_seed.append(f1_score(labels, model.decision, average="macro"))
        per_fold += [
            f1_score(labels[test], model.decision[test], average="macro") for of, _, _, test in tasks if of == seed
        ]
        for name, predictions in runs.items():
            collected.setdefault(name, []).append(predictions)
    metrics = {name: intervals(labels, runs_of, articles) for name, runs_of in collected.items()}
    aucs = [compute_metrics(labels, run.probability, run.decision)["roc_auc"] for run in collected[recipe.name]]
    notes = [
        f"macro-F1 by seed: {', '.join(f'{value:.3f}' for value in per_seed)}; ROC AUC: {', '.join(f'{value:.3f}' for value in aucs)}",
        f"macro-F1 by fold: {min(per_fold):.3f} to {max(per_fold):.3f}",
    ]
    description = (
        f"{recipe.name}: {len(inside):,} sentences of {len(set(articles.tolist())):,} articles, {labels.mean():.0%} loaded; "
        f"{n_splits} folds grouped by article, {len(seeds)} seed{'s' if len(seeds) > 1 else ''}; "
        f"95% intervals by resampling articles, {N_RESAMPLES} times; what another training would change is not in them."
    )
    slices, ratios = slice_errors(every, rows)
    findings = [
        *outlet_findings(every, labels, outlets, articles),
        *calibration_findings(raw[0], every[0], labels, articles),
        *word_findings(every[0], rows, fold_of),
        *ratios,
    ]
    return Evaluation(
        description,
        metrics,
        tuple(findings),
        tuple(notes),
        tuple(calibration_error(labels, every[0].probability)[1]),
        raw[0],
        slices,
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
            found, expected = (_as_shipped(each, settings) >= settings.threshold for each in (scores, before))
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
    """Train and score each task; a transformer's stages are shared on disk, so the first one goes ahead alone."""
    if jobs <= 1 or workshop is None or recipe.kind != "transformer":
        for rows, texts, seed in tasks:
            yield fit_and_score(recipe, rows, texts, seed=seed, workshop=workshop)
        return
    quiet = replace(workshop, tell=_to_stderr, progress=False, threads=max(1, (os.cpu_count() or 1) // jobs))
    # Processes, as torch's threads of one process get in each other's way; the first task of each seed goes ahead, for
    # what it makes on disk is what the others share.
    first = {seed: at for at, (_, _, seed) in reversed(list(enumerate(tasks)))}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:

        def start(at: int) -> Future[Scores]:
            rows, texts, seed = tasks[at]
            return pool.submit(fit_and_score, recipe, rows, texts, seed=seed, workshop=quiet)

        ahead = {at: start(at) for at in first.values()}
        for future in ahead.values():
            future.result()
        running = {at: ahead.get(at) or start(at) for at in range(len(tasks))}
        for at in range(len(tasks)):
            yield running[at].result()


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a process that has no other voice


def _calibrated(raw: Scores, rows: TrainingSet, fold_of: NDArray[np.int64]) -> Scores:
    """The scores as a shipped transformer would give them, its settings fitted on the other folds."""
    probability = np.zeros(len(rows.labels))
    for fold in np.unique(fold_of):
        own = np.flatnonzero(fold_of == fold)
        probability[own] = _as_shipped(_rows_of(raw, own), _settings(raw, rows, np.flatnonzero(fold_of != fold)))
    return replace(raw, probability=probability, decision=probability >= 0.5)


def _settings(raw: Scores, rows: TrainingSet, chosen: NDArray[np.intp]) -> OnnxSettings:
    part = _rows_of(raw, chosen)
    return fit_settings(part.log_odds, rows.labels[chosen], part.words, [rows.loaded_words[at] for at in chosen])


def _as_shipped(raw: Scores, settings: OnnxSettings) -> NDArray[np.float64]:
    return sentence_probability(raw.log_odds, with_log_odds(raw.words), settings)


def _rows_of(scores: Scores, chosen: NDArray[np.intp]) -> Scores:
    return Scores(
        scores.log_odds[chosen],
        scores.probability[chosen],
        scores.decision[chosen],
        [scores.words[at] for at in chosen],
    )


def _predictors(recipe: Recipe, outlets: NDArray[np.str_]) -> list[str]:
    known = len(set(outlets.tolist())) > 1
    return [recipe.name, "majority label", *(["outlet's majority label"] if known else [])]


def _fill(
    predictions: Predictions, rows: NDArray[np.intp], probability: NDArray[np.float64], decision: NDArray[np.bool_]
) -> None:
    predictions.probability[rows] = probability
    predictions.decision[rows] = decision


def _check_apart(articles: NDArray[np.str_], train: NDArray[np.intp], test: NDArray[np.intp]) -> None:
    if shared := set(articles[train].tolist()) & set(articles[test].tolist()):
        raise DataError(
            f"{len(shared)} articles stand on both sides of a fold; this is a fault of loadedwords, please report it."
        )
