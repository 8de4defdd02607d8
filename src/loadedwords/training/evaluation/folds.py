"""A recipe trained and measured on folds that never split an article."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

from loadedwords.errors import DataError
from loadedwords.models.odds import logistic, logit
from loadedwords.models.scores import Logits
from loadedwords.training.calibration import calibration_error, fit_settings
from loadedwords.training.card import METRIC_NAMES
from loadedwords.training.evaluation.findings import (
    annotator_findings,
    kind_findings,
    lint_findings,
    outlet_findings,
    share_findings,
    word_findings,
)
from loadedwords.training.evaluation.results import (
    N_RESAMPLES,
    Evaluation,
    Finding,
    Predictions,
    Slice,
    intervals,
    outlet_rates,
    resampled,
)
from loadedwords.training.evaluation.slices import slice_errors
from loadedwords.training.labels import Labels, calibrating
from loadedwords.training.recipe import Recipe
from loadedwords.training.release import fit_and_score

if TYPE_CHECKING:
    from loadedwords.training.stages import Workshop

Tell = Callable[[str], None]
# What is scored: the labels to train on, the fold left out of them, the sentences, the seed.
_Task = tuple[Labels, int | None, list[str], int]


def cross_validate(
    recipe: Recipe,
    labels: Labels,
    *,
    seeds: Sequence[int] = (0,),
    workshop: Workshop | None = None,
    jobs: int = 1,
    tell: Tell = print,
) -> Evaluation:
    """Measure a recipe on what its corpora measure, in the folds of `labels`.

    The recipe's other corpora help to train in every fold and are never tested on. The baselines learn from the same
    training rows and see no text. A transformer is measured as it is shipped, in int8. Each fold is calibrated on the
    sentences in domain of the others; a corpus that is not in domain is compared at its own share of loaded sentences.

    Parameters
    ----------
    recipe : Recipe
    labels : Labels
    seeds : sequence of int
        Each trains anew on the same folds; the stages of a transformer before the last are shared by them. A
        sentence's figures are averaged over the seeds for the intervals, and the figures of each are told in the notes.
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
    measured = labels.measured
    raw = list(_held_out(recipe, labels, seeds, workshop, jobs, tell))
    probability, strongest = zip(*(_calibrated(logits, measured) for logits in raw), strict=True)

    inside = calibrating(measured.with_row_index("row"))
    rows = inside["row"].to_numpy()
    of_inside = [p[rows] for p in probability]
    runs = {recipe.name: [Predictions.at(p) for p in of_inside], **_baselines(inside)}
    truth, articles = inside["label"].to_numpy(), inside["article"].to_numpy()
    slices, ratios = slice_errors([p >= 0.5 for p in of_inside], inside)
    in_domain = [logits.take(rows) for logits in raw]
    findings = [
        *share_findings(of_inside, inside),
        *outlet_findings(of_inside, inside),
        *word_findings(in_domain, inside),
        *lint_findings(of_inside, [of[rows] for of in strongest], inside),
        *kind_findings(in_domain, inside),
        *ratios,
    ]
    notes = [f"by seed: {_by_seed(truth, of_inside)}"]
    others = measured.with_row_index("row").filter(~pl.col("in_domain"))
    for (corpus,), of_corpus in others.group_by("corpus", maintain_order=True):
        more, said, note = _beside(str(corpus), of_corpus, probability, raw[0], labels.prevalence)
        findings += more
        slices += said
        notes.append(note)
    description = (
        f"{recipe.name}{f' without {recipe.without}' if recipe.without else ''}: {len(inside):,} sentences of {len(set(articles.tolist())):,} articles, mean target "
        f"{labels.prevalence:.3f}; {measured['fold'].n_unique()} folds grouped by article, {len(seeds)} seed{'s' if len(seeds) > 1 else ''}; "
        f"95% intervals by resampling articles, {N_RESAMPLES} times; what another training would change is not in them."
    )
    return Evaluation(
        description,
        {name: intervals(truth, of, articles) for name, of in runs.items()},
        tuple(findings),
        tuple(notes),
        tuple(calibration_error(inside["target"].to_numpy(), of_inside[0])[1]),
        raw[0],
        slices,
    )


def _held_out(
    recipe: Recipe, labels: Labels, seeds: Sequence[int], workshop: Workshop | None, jobs: int, tell: Tell
) -> Iterator[Logits]:
    """For each seed the log-odds of all measured rows, each from the model that did not train on it."""
    measured = labels.measured
    texts = {
        fold: rows["text"].to_list()
        for (fold,), rows in measured.sort("fold", maintain_order=True).group_by("fold", maintain_order=True)
    }
    answers = _each([(labels, fold, of, seed) for seed in seeds for fold, of in texts.items()], recipe, workshop, jobs)
    # Of the folds one after the other, back to the order of the table.
    place = np.argsort(np.argsort(measured["fold"].to_numpy(), kind="stable"))
    for seed in seeds:
        found = []
        for fold, of in texts.items():
            found.append(next(answers))
            tell(f"seed {seed}, fold {fold + 1} of {len(texts)}: {len(of):,} sentences scored")
        yield Logits.joined(found).take(place)


def _beside(
    corpus: str,
    rows: pl.DataFrame,
    probability: Sequence[NDArray[np.float64]],
    first: Logits,
    prevalence: float,
) -> tuple[list[Finding], tuple[Slice, ...], str]:
    """A measured corpus that is not in domain: its labels beside the probabilities at its own share of loaded ones."""
    at, truth = rows["row"].to_numpy(), rows["label"].to_numpy()
    shift = float(logit(np.array(truth.mean())) - logit(np.array(prevalence)))
    moved = [logistic(logit(p[at]) + shift) for p in probability]
    of_rows = intervals(truth, [Predictions.at(p) for p in moved], rows["article"].to_numpy())
    rules = {name: intervals(truth, of, rows["article"].to_numpy()) for name, of in _baselines(rows).items()}
    size = (
        f"{len(rows):,} sentences of {rows['article'].n_unique():,} articles, {truth.mean():.0%} loaded, at that share"
    )
    findings = [
        Finding(
            f"{corpus}: {METRIC_NAMES[metric]}",
            of_rows[metric],
            "; ".join(f"{rule} {values[metric].estimate:.3f}" for rule, values in rules.items()),
            size,
        )
        for metric in ("macro_f1", "roc_auc", "average_precision")
    ]
    slices, ratios = slice_errors([p >= 0.5 for p in moved], rows)
    more = [
        *outlet_findings(moved, rows),
        *ratios,
        *annotator_findings(first.take(at), rows),
    ]
    findings += [replace(each, name=f"{corpus}: {each.name}") for each in more]
    slices = tuple(replace(each, by=f"{corpus}: {each.by}") for each in slices)
    return findings, slices, f"{corpus}, by seed: {_by_seed(truth, moved)}"


def _by_seed(truth: NDArray[np.int64], probability: Sequence[NDArray[np.float64]]) -> str:
    return "; ".join(
        f"macro-F1 {f1_score(truth, p >= 0.5, average='macro'):.3f}, ROC AUC {roc_auc_score(truth, p):.3f}"
        for p in probability
    )


def _calibrated(raw: Logits, measured: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The probabilities as a shipped model would give them, calibrated on the other folds.

    Of each sentence, and of the strongest word that it would be shown with: 0 where no word reaches the threshold.
    """
    probability, strongest = np.zeros(len(measured)), np.zeros(len(measured))
    fold_of = measured["fold"].to_numpy()
    for fold in np.unique(fold_of):
        others = np.flatnonzero(fold_of != fold)
        settings = fit_settings(measured[others.tolist()], raw.take(others))
        own = np.flatnonzero(fold_of == fold)
        probability[own] = logistic(raw.sentence[own] / settings.temperature + settings.bias)
        log_odds = np.array([max((word[2] for word in raw.words[at]), default=-np.inf) for at in own])
        words = logistic(log_odds / settings.word_temperature + settings.word_bias)
        strongest[own] = np.where(words >= settings.word_threshold, words, 0.0)
    return probability, strongest


def _baselines(rows: pl.DataFrame) -> dict[str, list[Predictions]]:
    """Rules that see no text, learnt from the rows of the same corpora in the other folds."""
    truth, outlets, fold_of = rows["label"].to_numpy(), rows["outlet"].fill_null("").to_numpy(), rows["fold"].to_numpy()
    decision = np.zeros(len(rows), dtype=np.int64)
    for fold in np.unique(fold_of):
        if (fold_of == fold).all():
            raise DataError("All sentences are in one fold, so nothing can be learnt from the others.")
        decision[fold_of == fold] = truth[fold_of != fold].mean() >= 0.5
    # The same probability in every fold: a constant has no AUC to lose or gain.
    rules = {"majority label": [Predictions(np.full(len(rows), truth.mean()), decision)]}
    if len(set(outlets.tolist())) > 1:
        rules["outlet's majority label"] = [Predictions.at(outlet_rates(truth, outlets, fold_of))]
    return rules


def leave_one_outlet_out(
    recipe: Recipe,
    labels: Labels,
    within: Logits,
    *,
    n_outlets: int = 8,
    workshop: Workshop | None = None,
    jobs: int = 1,
    tell: Tell = print,
) -> Finding:
    """How much is lost on an outlet of which no measured sentence was learnt.

    The teachers know the outlet, so the recipe is trained without them. Corpora that are only trained on may still hold
    articles of it: what is left out is what the readers of the measured ones said.

    Parameters
    ----------
    recipe, labels, workshop, jobs, tell
        As in `cross_validate`.
    within : Logits
        Of the measured rows from folds that know the outlet: `Evaluation.held_out`.
    n_outlets : int
        The largest ones among the measured sentences, each left out in turn.

    Returns
    -------
    Finding
        Mean ROC AUC over the outlets, beside the mean on the same sentences from `within`.
    """
    measured = labels.measured
    # "The Federalist" and "Federalist" are one.
    plain = pl.col("outlet").fill_null("").str.to_lowercase().str.strip_prefix("the ")
    outlets = measured.select(plain)["outlet"].to_numpy()
    names, counts = np.unique(outlets[outlets != ""], return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:n_outlets].tolist()
    if not largest:
        raise DataError("The labels name no outlets, so none can be left out.")
    alone = replace(recipe, stages=tuple(stage for stage in recipe.stages if not stage.taught), teacher=None)
    tasks: list[_Task] = [
        (
            labels.where(pl.col("fold").is_null() | (plain != outlet)),
            None,
            measured["text"].to_numpy()[outlets == outlet].tolist(),
            0,
        )
        for outlet in largest
    ]
    truth = measured["label"].to_numpy()
    new, known = np.full(len(measured), np.nan), within.sentence
    for outlet, logits in zip(largest, _each(tasks, alone, workshop, jobs), strict=True):
        new[outlets == outlet] = logits.sentence
        tell(f"without {outlet}: {(outlets == outlet).sum():,} sentences scored")

    def mean_auc(scores: NDArray[np.float64], rows: NDArray[np.intp]) -> float:
        each = []
        for outlet in largest:
            of = rows[outlets[rows] == outlet]
            if len(set(truth[of].tolist())) == 2:
                each.append(roc_auc_score(truth[of], scores[of]))
        return float(np.mean(each)) if each else float("nan")

    everything = np.arange(len(measured))
    return Finding(
        "ROC AUC on an outlet left out of the measured corpora, mean",
        resampled(lambda rows: mean_auc(new, rows), measured["article"].to_numpy()),
        f"{mean_auc(known, everything):.3f} by the grouped folds on the same sentences, with teachers",
        f"{len(largest)} outlets, {int(np.isin(outlets, largest).sum()):,} sentences",
    )


def _each(tasks: Sequence[_Task], recipe: Recipe, workshop: Workshop | None, jobs: int) -> Iterator[Logits]:
    """Train and score each task, in order; a transformer's stages on disk are shared, and trained by who comes first."""
    if jobs <= 1 or workshop is None or recipe.kind != "transformer":
        for labels, without, texts, seed in tasks:
            yield fit_and_score(recipe, labels, texts, seed=seed, without=without, workshop=workshop)
        return
    quiet = replace(workshop, tell=_to_stderr, progress=False, threads=max(1, (os.cpu_count() or 1) // jobs))
    # Processes, as torch's threads of one process get in each other's way.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [
            pool.submit(fit_and_score, recipe, labels, texts, seed=seed, without=without, workshop=quiet)
            for labels, without, texts, seed in tasks
        ]
        for future in running:
            yield future.result()


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a process that has no other voice
