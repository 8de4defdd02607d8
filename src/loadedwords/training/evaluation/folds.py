"""A recipe trained and measured on folds that never split an article."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import zip_longest
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

from loadedwords.cores import usable_cores
from loadedwords.errors import DataError
from loadedwords.models.odds import logistic, logit
from loadedwords.models.scores import Logits
from loadedwords.training.calibration import calibration_error, fit_settings
from loadedwords.training.card import METRIC_NAMES
from loadedwords.training.evaluation.findings import (
    annotator_findings,
    kind_findings,
    lint_findings,
    mean_outlet_auc,
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
    baselines,
    intervals,
    resampled,
)
from loadedwords.training.evaluation.slices import slice_errors
from loadedwords.training.labels import Labels, calibrating
from loadedwords.training.recipe import Recipe
from loadedwords.training.release import fit_and_score

if TYPE_CHECKING:
    from loadedwords.training.stages import Workshop

Tell = Callable[[str], None]


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
    seeds : sequence of int
        Each trains anew on the same folds; the stages of a transformer before the last are shared by them. A
        sentence's figures are averaged over the seeds for the intervals, and the figures of each are told in the notes.
    workshop : Workshop, optional
        Of a transformer.
    jobs : int
        Folds of a transformer trained at once, in processes of their own.
    tell : callable
        Gets a line after each fold.

    Raises
    ------
    DataError
        If all sentences are in one fold, or of one class.
    """
    labels.check_measurable()
    measured = labels.measured.with_row_index("at")
    raw = list(_held_out(recipe, labels, seeds, workshop, jobs, tell))
    probability, strongest = zip(*(_calibrated(logits, measured) for logits in raw), strict=True)

    inside = calibrating(measured)
    rows = inside["at"].to_numpy()
    of_inside, of_words = ([of_seed[rows] for of_seed in every] for every in (probability, strongest))
    in_domain = [logits.take(rows) for logits in raw]
    slices, ratios = slice_errors([p >= 0.5 for p in of_inside], inside)
    findings = [
        *share_findings(of_inside, inside),
        *outlet_findings(of_inside, inside),
        *word_findings(in_domain, inside),
        *lint_findings(of_inside, of_words, inside),
        *kind_findings(in_domain, inside),
        *ratios,
    ]
    truth, articles = inside["label"].to_numpy(), inside["article"].to_numpy()
    notes = [f"by seed: {_by_seed(truth, of_inside)}"]
    others = measured.filter(~pl.col("in_domain"))
    for (corpus,), of_corpus in others.group_by("corpus", maintain_order=True):
        more, said, note = _beside(str(corpus), of_corpus, probability, raw[0], labels.prevalence)
        findings += more
        slices += said
        notes.append(note)
    without = f" without {recipe.without}" if recipe.without else ""
    description = (
        f"{recipe.name}{without}: {len(inside):,} sentences of {len(set(articles.tolist())):,} articles, mean target "
        f"{labels.prevalence:.3f}; {labels.n_folds} folds grouped by article, {len(seeds)} seed{'s' if len(seeds) > 1 else ''}; "
        f"95% intervals by resampling articles, {N_RESAMPLES} times; what another training would change is not in them."
    )
    runs = {recipe.name: [Predictions.at(p) for p in of_inside], **_baselines(inside)}
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
    fold_of, texts = labels.measured["fold"].to_numpy(), labels.measured["text"].to_numpy()
    folds = {int(fold): texts[fold_of == fold].tolist() for fold in np.unique(fold_of)}
    # Of the folds one after the other, back to the order of the table.
    place = np.argsort(np.argsort(fold_of, kind="stable"))
    answers = _each(recipe, labels, [(seed, *of) for seed in seeds for of in folds.items()], workshop, jobs)
    for seed in seeds:
        found = []
        for fold, of in folds.items():
            found.append(next(answers))
            tell(f"seed {seed}, fold {fold + 1} of {len(folds)}: {len(of):,} sentences scored")
        yield Logits.joined(found).take(place)


def _each(
    recipe: Recipe, labels: Labels, tasks: list[tuple[int, int, list[str]]], workshop: Workshop | None, jobs: int
) -> Iterator[Logits]:
    """Train and score for each seed, fold and its sentences, in order.

    A transformer's stages on disk are shared, and trained by who comes first.
    """
    if jobs <= 1 or workshop is None or recipe.kind != "transformer":
        for seed, fold, texts in tasks:
            yield fit_and_score(recipe, labels, texts, seed=seed, without=fold, workshop=workshop)
        return
    from loadedwords.training.stages import halves_of

    # Folds with different teachers by turns: two with the same one would begin with one waiting for the other to train it.
    by_teacher: dict[tuple[frozenset[int], ...], list[tuple[int, int, list[str]]]] = {}
    for task in tasks:
        by_teacher.setdefault(halves_of(labels, without=task[1]), []).append(task)
    by_turns = [task for turn in zip_longest(*by_teacher.values()) for task in turn if task is not None]
    quiet = replace(workshop, tell=_to_stderr, progress=False, threads=max(1, usable_cores() // jobs))
    # Processes, as torch's threads of one process get in each other's way.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = {
            (seed, fold): pool.submit(fit_and_score, recipe, labels, texts, seed=seed, without=fold, workshop=quiet)
            for seed, fold, texts in by_turns
        }
        yield from (running[seed, fold].result() for seed, fold, _ in tasks)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a process that has no other voice


def _beside(
    corpus: str, rows: pl.DataFrame, probability: Sequence[NDArray[np.float64]], first: Logits, prevalence: float
) -> tuple[list[Finding], tuple[Slice, ...], str]:
    """A measured corpus that is not in domain: its labels beside the probabilities at its own share of loaded ones."""
    at, truth, articles = (rows[name].to_numpy() for name in ("at", "label", "article"))
    shift = float(logit(np.array(truth.mean())) - logit(np.array(prevalence)))
    moved = [logistic(logit(p[at]) + shift) for p in probability]
    ours = intervals(truth, [Predictions.at(p) for p in moved], articles)
    rules = {name: intervals(truth, of, articles) for name, of in _baselines(rows).items()}
    size = (
        f"{len(rows):,} sentences of {len(set(articles.tolist())):,} articles, {truth.mean():.0%} loaded, at that share"
    )
    slices, ratios = slice_errors([p >= 0.5 for p in moved], rows)
    findings = [
        *(
            Finding(
                METRIC_NAMES[metric],
                ours[metric],
                "; ".join(f"{rule} {values[metric].estimate:.3f}" for rule, values in rules.items()),
                size,
            )
            for metric in ("macro_f1", "roc_auc", "average_precision")
        ),
        *outlet_findings(moved, rows),
        *ratios,
        *annotator_findings(first.take(at), rows),
    ]
    return (
        [replace(each, name=f"{corpus}: {each.name}") for each in findings],
        tuple(replace(each, by=f"{corpus}: {each.by}") for each in slices),
        f"{corpus}, by seed: {_by_seed(truth, moved)}",
    )


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
        probability[own] = settings.of_sentences(raw.sentence[own])
        log_odds = np.array([max((word[2] for word in raw.words[at]), default=-np.inf) for at in own])
        words = settings.of_words(log_odds)
        strongest[own] = np.where(words >= settings.word_threshold, words, 0.0)
    return probability, strongest


def _baselines(rows: pl.DataFrame) -> dict[str, list[Predictions]]:
    """Learnt from the rows of the same corpora in the other folds."""
    outlets = rows["outlet"].fill_null("").to_numpy()
    rules = baselines(rows["label"].to_numpy(), outlets, rows["fold"].to_numpy())
    return {name: [rule] for name, rule in rules.items()}


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
    """How much is lost on an outlet of which no measured sentence was learnt: the mean ROC AUC of the largest outlets.

    Each is a fold of its own. The teachers know it, so the recipe is trained without them. Corpora that are only trained on
    may still hold articles of it: what is left out is what the readers of the measured ones said.

    Parameters
    ----------
    recipe, labels, workshop, jobs, tell
        As in `cross_validate`.
    within : Logits
        Of the measured rows from folds that know the outlet: `Evaluation.held_out`.
    """
    # "The Federalist" and "Federalist" are one.
    plain = pl.col("outlet").fill_null("").str.to_lowercase().str.strip_prefix("the ")
    measured = labels.measured.with_columns(outlet=plain)
    names, counts = np.unique(measured.filter(plain != "")["outlet"].to_numpy(), return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:n_outlets].tolist()
    if not largest:
        raise DataError("The labels name no outlets, so none can be left out.")
    fold = {outlet: at for at, outlet in enumerate(largest)}
    by_outlet = pl.when(pl.col("fold").is_not_null()).then(
        plain.replace_strict(fold, default=None, return_dtype=pl.Int64)
    )
    alone = replace(recipe, stages=tuple(stage for stage in recipe.stages if not stage.taught), teacher=None)
    apart = replace(labels, table=labels.table.with_columns(fold=by_outlet))
    (new,) = _held_out(alone, apart, [0], workshop, jobs, tell)
    left_out = measured["outlet"].is_in(largest).arg_true().to_numpy()
    outlets, truth, articles = (measured[name].to_numpy()[left_out] for name in ("outlet", "label", "article"))
    known = mean_outlet_auc(largest, outlets, truth, [within.sentence[left_out]])
    return Finding(
        "ROC AUC on an outlet left out of the measured corpora, mean",
        resampled(lambda at: mean_outlet_auc(largest, outlets[at], truth[at], [new.sentence[at]]), articles),
        f"{known:.3f} by the grouped folds on the same sentences, with teachers",
        f"{len(largest)} outlets, {len(left_out):,} sentences",
    )
