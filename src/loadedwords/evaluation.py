"""How good is a model: metrics with intervals, on folds that never split an article, beside baselines that see no text."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from importlib import resources
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, matthews_corrcoef, roc_auc_score

from loadedwords.corpora import file_hash, grouped_folds, load_corpus
from loadedwords.errors import DataError, require
from loadedwords.models.calibration import best_f1, calibration_error, fit_settings, with_log_odds, word_rows
from loadedwords.models.contrast import listed_words
from loadedwords.models.onnx_scorer import OnnxSettings, sentence_probability
from loadedwords.models.recipe import Recipe, TrainingSet, Workshop, is_held_out
from loadedwords.models.training import Scores, fit_and_score
from loadedwords.schema import Interval
from loadedwords.scoring import FramingModel
from loadedwords.text.words import WORD

N_RESAMPLES = 500
_LOADED_NAMES = frozenset({"loaded", "biased", "bias", "label_1", "1", "subj", "subjective"})
# An outlet counts for the within-outlet AUC from so many sentences of each class.
OUTLET_CLASS_SIZE = 50
# A word counts as agreed among the others where at least so many of them marked it.
MARKERS_TO_AGREE = 2
MIN_REFERENCE_WORDS = 30
# Share of PTC's articles that the recipes of this package never train on.
PTC_HELD_OUT = 0.2
LEXICON_OCCURRENCES = 2
METRICS = ("macro_f1", "mcc", "roc_auc", "average_precision", "brier")


@dataclass(frozen=True)
class Predictions:
    """What one predictor said of every sentence: probability of loaded, and the decision (0 or 1)."""

    probability: NDArray[np.float64]
    decision: NDArray[np.int64]


@dataclass(frozen=True)
class Finding:
    """One more figure about a model, with what is needed to judge it.

    `beside` is the figure of a baseline or of people on the same sentences, `rests_on` the size, in words.
    """

    name: str
    value: Interval
    beside: str
    rests_on: str


@dataclass(frozen=True)
class Evaluation:
    """Metrics of several predictors on the same sentences.

    Attributes
    ----------
    description : str
        Corpus, size, folds and seeds, and how the intervals were made.
    metrics : mapping of str to mapping of str to Interval
        Predictor → metric → interval. For the Brier score lower is better, for all others higher.
    findings : tuple of Finding
    notes : tuple of str
        What a reader should know besides.
    reliability : tuple of (mean probability, share of loaded, number of sentences)
        Bins of equal size, for a reliability plot; empty where nothing was cross-validated.
    held_out : Scores or None
        Of a cross-validation with its first seed: for each in-domain row what a model that had not seen it says, before
        calibration.
    """

    description: str
    metrics: Mapping[str, Mapping[str, Interval]]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    reliability: tuple[tuple[float, float, int], ...] = ()
    held_out: Scores | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "description": self.description,
            "predictors": {
                name: {metric: {"estimate": i.estimate, "low": i.low, "high": i.high} for metric, i in values.items()}
                for name, values in self.metrics.items()
            },
            "findings": [
                {
                    "name": f.name,
                    "estimate": f.value.estimate,
                    "low": f.value.low,
                    "high": f.value.high,
                    "beside": f.beside,
                    "rests_on": f.rests_on,
                }
                for f in self.findings
            ],
            "reliability": [list(each) for each in self.reliability],
            "notes": list(self.notes),
        }


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
                rates = _outlet_rates(labels[train], outlets[train], outlets[test])
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
    metrics = {name: _intervals(labels, runs_of, articles) for name, runs_of in collected.items()}
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
    findings = [
        *_outlet_findings(every, labels, outlets, articles),
        *_calibration_findings(raw[0], every[0], labels, articles),
        *_word_findings(every[0], rows, fold_of),
    ]
    return Evaluation(
        description,
        metrics,
        tuple(findings),
        tuple(notes),
        tuple(calibration_error(labels, every[0].probability)[1]),
        raw[0],
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

    value = _resampled(mean_f1, articles)
    return Finding(
        "macro-F1 on an outlet without labels in training, mean",
        value,
        f"{np.mean(known):.3f} by the grouped folds on the same sentences",
        f"{len(largest)} outlets, {int(np.isin(outlets, largest).sum()):,} sentences",
    )


def with_finding(evaluation: Evaluation, finding: Finding) -> Evaluation:
    """The same evaluation with one more figure."""
    return replace(evaluation, findings=(*evaluation.findings, finding))


def evaluate_pairs(model: FramingModel) -> Evaluation:
    """Measure a model on the package's minimal pairs: one sentence plain, and the same with loaded words in it.

    The pairs were written by the authors of this package, on many topics and countries, and nothing was trained on them;
    but some of their loaded words are among those that contrasts for training are made with (`models.contrast`), so the
    figures are also given for the pairs without any of these.
    """
    file = resources.files("loadedwords") / "suites" / "minimal_pairs.jsonl"
    pairs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    neutral = model.predict_proba([pair["neutral"] for pair in pairs])[:, 1]
    loaded = model.predict_proba([pair["loaded"] for pair in pairs])[:, 1]
    rests_on = f"{len(pairs)} pairs, resampled"

    def share(hits: NDArray[np.bool_], of: NDArray[np.bool_] | slice = slice(None)) -> Interval:
        chosen = hits[of]
        return _resampled(lambda rows: float(chosen[rows].mean()), np.arange(len(chosen)).astype(str))

    higher, below, above = loaded > neutral, neutral < model.threshold, loaded >= model.threshold
    findings: tuple[Finding, ...] = (
        Finding("the loaded sentence scores higher", share(higher), "0.500 by chance", rests_on),
        Finding("both on the right side of the threshold", share(below & above), "0.250 by chance", rests_on),
        Finding("neutral below the threshold", share(below), "0.500 by chance", rests_on),
        Finding("loaded above the threshold", share(above), "0.500 by chance", rests_on),
    )
    listed = listed_words()
    new = np.array([not any(w in p["loaded"].lower() and w not in p["neutral"].lower() for w in listed) for p in pairs])
    if new.any():
        rests_on = f"{new.sum()} pairs, resampled"
        findings += (
            Finding(
                "the same, no word of it in training's contrasts: scores higher",
                share(higher, new),
                "0.500 by chance",
                rests_on,
            ),
            Finding("both on the right side", share(below & above, new), "0.250 by chance", rests_on),
        )
    devices = np.array([pair["device"] for pair in pairs])
    notes = [
        f"{device}: higher {higher[of].mean():.2f}, neutral below {below[of].mean():.2f}, loaded above {above[of].mean():.2f} ({of.sum()} pairs)"
        for device in sorted(set(devices.tolist()))
        for of in [devices == device]
    ]
    description = f"{model.bundle.name} on {len(pairs)} minimal pairs; threshold {model.threshold:.2f}; 95% intervals by resampling pairs."
    return Evaluation(description, {}, findings, tuple(notes))


def evaluate_spans(model: FramingModel, corpora: Path) -> Evaluation:
    """Measure a model's loaded words against PTC's spans of wording techniques, on articles that no model trained on.

    Precision, recall and F1 count overlapping characters, as the corpus's own task does (Da San Martino et al. 2020,
    SemEval task 11). The baseline is a lexicon: every word that lies in a span more often than not in the articles
    that models may train on.

    Parameters
    ----------
    model : FramingModel
    corpora : Path
        Folder, or PTC's file.
    """
    corpus = load_corpus("ptc", corpora)
    share = next(
        (
            use["articles_held_out"]
            for use in model.bundle.config["corpora"]
            if use["name"] == "ptc" and "articles_held_out" in use
        ),
        PTC_HELD_OUT,
    )
    if not share:
        raise DataError(f"{model.bundle.name} was trained on all of PTC.\nThere is no article left to measure it on.")
    apart = np.array([is_held_out(article, share) for article in corpus["article"]])
    texts, spans = corpus["text"], corpus["loaded_words"]
    lexicon = _span_lexicon([(texts[at], spans[at]) for at in np.flatnonzero(~apart)])
    test = np.flatnonzero(apart)
    articles = np.array([corpus["article"][at] for at in test])
    gold = [[(span["start"], span["end"]) for span in spans[at]] for at in test]
    found = {
        model.bundle.name: [
            [(word.start, word.end) for word in words] for words in model.find_loaded_words([texts[at] for at in test])
        ],
        "lexicon": [[m.span() for m in WORD.finditer(texts[at]) if m.group().lower() in lexicon] for at in test],
    }
    overlaps = {
        name: np.array([_overlap(g, f) for g, f in zip(gold, each, strict=True)]) for name, each in found.items()
    }
    baseline = _span_scores(overlaps["lexicon"])
    ours = overlaps[model.bundle.name]
    size = f"{len(test):,} lines of {len(set(articles.tolist()))} articles, {sum(map(len, gold)):,} spans"

    def score(k: int) -> Interval:
        return _resampled(lambda rows: _span_scores(ours[rows])[k], articles)

    findings = tuple(
        Finding(f"{name} of spans", score(k), f"lexicon {baseline[k]:.3f} ({len(lexicon):,} words)", size)
        for k, name in enumerate(("precision", "recall", "F1"))
    )
    return Evaluation(
        f"{model.bundle.name} on PTC's wording spans; 95% intervals by resampling articles.", {}, findings
    )


def evaluate_predictions(
    predictors: Mapping[str, Predictions],
    labels: NDArray[np.int64],
    articles: NDArray[np.str_],
    outlets: Sequence[str | None],
) -> Evaluation:
    """Measure predictions made without any of these labels, beside the same baselines.

    The baselines learn from the labels they are measured on, each article left out in turn, which favours them a
    little: a model has to beat them all the same.
    """
    known = np.array([outlet or "" for outlet in outlets])
    share = float(labels.mean())
    constant = Predictions(np.full(len(labels), share), np.full(len(labels), int(share >= 0.5)))
    runs = {**predictors, "majority label": constant}
    if len(set(known.tolist())) > 1:
        rates = np.empty(len(labels))
        for article in np.unique(articles):
            test = articles == article
            rates[test] = _outlet_rates(labels[~test], known[~test], known[test])
        runs["outlet's majority label"] = Predictions(rates, (rates >= 0.5).astype(np.int64))
    description = (
        f"{len(labels):,} sentences of {len(set(articles.tolist())):,} articles, {share:.0%} loaded; "
        f"95% intervals by resampling articles, {N_RESAMPLES} times."
    )
    return Evaluation(description, {key: _intervals(labels, [run], articles) for key, run in runs.items()})


def evaluate_labelled(
    model: FramingModel, files: Sequence[str | Path], *, checkpoint: str | None = None, revision: str | None = None
) -> Evaluation:
    """Measure a finished model on labelled files; warns where the model was trained on one of them.

    Parameters
    ----------
    model : FramingModel
    files : sequence of str or Path
        As `corpora.load_corpus` reads them.
    checkpoint, revision : str, optional
        A transformers text-classification checkpoint, by folder or Hub name, to measure beside it on the same
        sentences.

    Returns
    -------
    Evaluation

    Raises
    ------
    MissingExtraError
        If a checkpoint is named and transformers is not installed.
    """
    seen = {corpus.get("sha256") for corpus in model.bundle.config["corpora"]}
    notes = [
        f"{file} is what {model.bundle.name} was trained on: these figures are too good."
        for file in files
        if file_hash(Path(file)) in seen
    ]
    parts = [load_corpus(str(file)) for file in files]
    texts = [text for part in parts for text in part["text"]]
    labels = np.array([label for part in parts for label in part["label"]], dtype=np.int64)
    articles = np.array([f"{at}/{article}" for at, part in enumerate(parts) for article in part["article"]])
    outlets = [outlet for part in parts for outlet in part["outlet"]]
    probability = model.predict_proba(texts)[:, 1]
    runs = {model.bundle.name: Predictions(probability, (probability >= model.threshold).astype(np.int64))}
    if checkpoint is not None:
        theirs = predict_with_checkpoint(checkpoint, texts, revision=revision)
        runs[checkpoint] = Predictions(theirs, (theirs >= 0.5).astype(np.int64))
    result = evaluate_predictions(runs, labels, articles, outlets)
    return replace(result, notes=(*result.notes, *notes))


def predict_with_checkpoint(
    checkpoint: str, texts: Sequence[str], *, revision: str | None = None
) -> NDArray[np.float64]:
    """Probability of loaded by a transformers text-classification checkpoint.

    Parameters
    ----------
    checkpoint : str
        Folder or Hub name. One of its two labels must be named like "loaded", "biased" or "LABEL_1".
    texts : sequence of str
    revision : str, optional

    Returns
    -------
    ndarray of shape (n_texts,)

    Raises
    ------
    MissingExtraError
        If transformers or torch is not installed.
    DataError
        If the checkpoint can't be loaded or none of its labels means loaded.
    """
    purpose = f"Measuring the checkpoint {checkpoint}"
    require("torch", extra="train", purpose=purpose)
    transformers = require("transformers", extra="train", purpose=purpose)
    try:
        classify = transformers.pipeline("text-classification", model=checkpoint, revision=revision, top_k=None)
    except (OSError, ValueError) as error:
        raise DataError(f"The checkpoint {checkpoint} can't be loaded: {error}") from error
    answers = classify(list(texts), batch_size=32, truncation=True)
    names = {answer["label"] for answer in answers[0]}
    loaded = [name for name in names if name.lower() in _LOADED_NAMES]
    if len(loaded) != 1:
        raise DataError(
            f"Which label of {checkpoint} means loaded? It has {', '.join(sorted(names))}.\n"
            f"Rename one of them to loaded in its config (known: {', '.join(sorted(_LOADED_NAMES))})."
        )
    return np.array([next(a["score"] for a in answer if a["label"] == loaded[0]) for answer in answers])


def compute_metrics(
    labels: NDArray[np.int64], probability: NDArray[np.float64], decision: NDArray[np.int64]
) -> dict[str, float]:
    """The metrics of `METRICS`; ROC AUC and average precision are NaN where only one class occurs."""
    both = 0 < labels.mean() < 1
    return {
        "macro_f1": float(f1_score(labels, decision, average="macro", labels=[0, 1], zero_division=0)),
        "mcc": float(matthews_corrcoef(labels, decision)),
        "roc_auc": float(roc_auc_score(labels, probability)) if both else float("nan"),
        "average_precision": float(average_precision_score(labels, probability)) if both else float("nan"),
        "brier": float(brier_score_loss(labels, np.clip(probability, 0, 1), labels=[0, 1])) if both else float("nan"),
    }


def _span_lexicon(rows: Sequence[tuple[str, Sequence[Mapping[str, int]]]]) -> set[str]:
    """Words seen at least `LEXICON_OCCURRENCES` times and more often inside spans than outside."""
    inside: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for text, spans in rows:
        for match in WORD.finditer(text):
            word = match.group().lower()
            total[word] += 1
            inside[word] += any(s["start"] < match.end() and match.start() < s["end"] for s in spans)
    return {word for word, n in total.items() if n >= LEXICON_OCCURRENCES and inside[word] / n > 0.5}


def _overlap(gold: Sequence[tuple[int, int]], found: Sequence[tuple[int, int]]) -> tuple[float, float, int, int]:
    """Sum over found spans of the share of each that is gold, the same the other way round, and the two counts."""

    def covered(spans: Sequence[tuple[int, int]], by: Sequence[tuple[int, int]]) -> float:
        return sum(
            len({c for low, high in by for c in range(max(start, low), min(end, high))}) / (end - start)
            for start, end in spans
            if end > start
        )

    return covered(found, gold), covered(gold, found), len(found), len(gold)


def _span_scores(overlaps: NDArray[np.float64]) -> tuple[float, float, float]:
    hit_found, hit_gold, n_found, n_gold = overlaps.sum(axis=0)
    precision, recall = hit_found / max(n_found, 1), hit_gold / max(n_gold, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


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


def _calibration_findings(
    raw: Scores, calibrated: Scores, labels: NDArray[np.int64], articles: NDArray[np.str_]
) -> list[Finding]:
    def error(rows: NDArray[np.intp]) -> float:
        return calibration_error(labels[rows], calibrated.probability[rows])[0]

    return [
        Finding(
            "expected calibration error (lower is better)",
            _resampled(error, articles),
            f"{calibration_error(labels, raw.probability)[0]:.3f} before calibration on the other folds",
            f"{len(labels):,} sentences in bins of equal size, first seed",
        )
    ]


def _outlet_findings(
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
            _resampled(mean_auc, articles),
            "0.500 for a rule that sees only the outlet",
            f"{len(large)} outlets with at least {OUTLET_CLASS_SIZE} sentences of each class",
        )
    ]


def _word_findings(scores: Scores, rows: TrainingSet, fold_of: NDArray[np.int64]) -> list[Finding]:
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
            _resampled(precision, word_articles),
            f"{marked.mean():.3f} for words at random",
            size,
        ),
        Finding("F1 of words, threshold from the other folds", _resampled(f1, word_articles), "see below", size),
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


def _resampled(measure: Callable[[NDArray[np.intp]], float], articles: NDArray[np.str_], seed: int = 0) -> Interval:
    """A measure of rows with a percentile interval from resampling whole articles."""
    members = _by_article(articles)
    rng = np.random.default_rng(seed)
    resampled = [
        measure(np.concatenate([members[g] for g in rng.integers(len(members), size=len(members))]))
        for _ in range(N_RESAMPLES)
    ]
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Interval(measure(np.arange(len(articles))), float(low), float(high))


def _by_article(articles: NDArray[np.str_]) -> list[NDArray[np.intp]]:
    _, group = np.unique(articles, return_inverse=True)
    order = np.argsort(group, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group))[:-1])


def _intervals(
    labels: NDArray[np.int64], runs: Sequence[Predictions], articles: NDArray[np.str_], seed: int = 0
) -> dict[str, Interval]:
    """Mean over the runs, and a percentile interval from resampling whole articles (Cameron, Gelbach & Miller 2008)."""
    rng = np.random.default_rng(seed)
    members = _by_article(articles)
    n_groups = len(members)

    def mean_over_runs(rows: NDArray[np.intp]) -> list[float]:
        each = [compute_metrics(labels[rows], run.probability[rows], run.decision[rows]) for run in runs]
        return [float(np.mean([metrics[name] for metrics in each])) for name in METRICS]

    estimate = mean_over_runs(np.arange(len(labels)))
    resampled = np.array(
        [
            mean_over_runs(np.concatenate([members[g] for g in rng.integers(n_groups, size=n_groups)]))
            for _ in range(N_RESAMPLES)
        ]
    )
    low, high = np.nanpercentile(resampled, [2.5, 97.5], axis=0)
    return {name: Interval(estimate[k], float(low[k]), float(high[k])) for k, name in enumerate(METRICS)}


def _predictors(recipe: Recipe, outlets: NDArray[np.str_]) -> list[str]:
    known = len(set(outlets.tolist())) > 1
    return [recipe.name, "majority label", *(["outlet's majority label"] if known else [])]


def _fill(
    predictions: Predictions, rows: NDArray[np.intp], probability: NDArray[np.float64], decision: NDArray[np.bool_]
) -> None:
    predictions.probability[rows] = probability
    predictions.decision[rows] = decision


def _outlet_rates(
    labels: NDArray[np.int64], outlets: NDArray[np.str_], wanted: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Share of loaded sentences of each wanted outlet in training; the overall share where it is new."""
    names, index = np.unique(outlets, return_inverse=True)
    rates = dict(zip(names.tolist(), (np.bincount(index, weights=labels) / np.bincount(index)).tolist(), strict=True))
    overall = float(labels.mean())
    return np.array([rates.get(outlet, overall) for outlet in wanted.tolist()])


def _check_apart(articles: NDArray[np.str_], train: NDArray[np.intp], test: NDArray[np.intp]) -> None:
    if shared := set(articles[train].tolist()) & set(articles[test].tolist()):
        raise DataError(
            f"{len(shared)} articles stand on both sides of a fold; this is a fault of loadedwords, please report it."
        )
