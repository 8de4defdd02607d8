"""How good is a model: metrics with intervals, on folds that never split an article, beside baselines that see no text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, matthews_corrcoef, roc_auc_score

from loadedwords.corpora import file_hash, grouped_folds, load_corpus
from loadedwords.errors import DataError, require
from loadedwords.models.training import Recipe, TrainingSet, fit_estimator, make_estimator
from loadedwords.schema import Interval
from loadedwords.scoring import FramingModel

N_RESAMPLES = 500
_LOADED_NAMES = frozenset({"loaded", "biased", "bias", "label_1", "1", "subj", "subjective"})
METRICS = ("macro_f1", "mcc", "roc_auc", "average_precision", "brier")


@dataclass(frozen=True)
class Predictions:
    """What one predictor said of every sentence: probability of loaded, and the decision (0 or 1)."""

    probability: NDArray[np.float64]
    decision: NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """Metrics of several predictors on the same sentences.

    Attributes
    ----------
    description : str
        Corpus, size, folds and seeds, and how the intervals were made.
    metrics : mapping of str to mapping of str to Interval
        Predictor → metric → interval. For the Brier score lower is better, for all others higher.
    notes : tuple of str
        What a reader should know besides.
    """

    description: str
    metrics: Mapping[str, Mapping[str, Interval]]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "description": self.description,
            "predictors": {
                name: {metric: {"estimate": i.estimate, "low": i.low, "high": i.high} for metric, i in values.items()}
                for name, values in self.metrics.items()
            },
            "notes": list(self.notes),
        }


def cross_validate(
    recipe: Recipe,
    data: TrainingSet,
    *,
    n_splits: int = 5,
    seeds: Sequence[int] = (0,),
    tell: Callable[[str], None] = print,
) -> Evaluation:
    """Measure a recipe on its corpus of interest, folds grouped by article.

    The recipe's other corpora help to train in every fold and are never tested on. The baselines learn from the
    same training rows of the corpus of interest and see no text.

    Parameters
    ----------
    recipe : Recipe
    data : TrainingSet
    n_splits : int
    seeds : sequence of int
        Each draws its own folds; a sentence's predictions are averaged over them for the intervals, and the
        macro-F1 of each seed is told in the notes.
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
    per_seed, per_fold = [], []
    for seed in seeds:
        runs = {
            name: Predictions(np.zeros(len(inside)), np.zeros(len(inside), dtype=np.int64))
            for name in _predictors(recipe, outlets)
        }
        for number, (train, test) in enumerate(grouped_folds(articles, n_splits=n_splits, seed=seed), 1):
            _check_apart(articles, train, test)
            model = fit_estimator(
                make_estimator(recipe, seed=seed), data.rows(np.concatenate([inside[train], outside]))
            )
            probability = model.predict_proba([data.texts[at] for at in inside[test]])[:, 1]
            _fill(runs[recipe.name], test, probability, probability >= model.scorer_.threshold)
            majority = labels[train].mean() >= 0.5
            # The same probability in every fold: a constant has no AUC to lose or gain.
            _fill(runs["majority label"], test, np.full(len(test), labels.mean()), np.full(len(test), majority))
            if "outlet's majority label" in runs:
                rates = _outlet_rates(labels[train], outlets[train], outlets[test])
                _fill(runs["outlet's majority label"], test, rates, rates >= 0.5)
            per_fold.append(f1_score(labels[test], runs[recipe.name].decision[test], average="macro"))
            tell(f"seed {seed}, fold {number} of {n_splits}: macro-F1 {per_fold[-1]:.3f} on {len(test)} sentences")
        per_seed.append(f1_score(labels, runs[recipe.name].decision, average="macro"))
        for name, predictions in runs.items():
            collected.setdefault(name, []).append(predictions)
    metrics = {name: _intervals(labels, runs_of, articles) for name, runs_of in collected.items()}
    notes = [
        f"macro-F1 by seed: {', '.join(f'{value:.3f}' for value in per_seed)}",
        f"macro-F1 by fold: {min(per_fold):.3f} to {max(per_fold):.3f}",
    ]
    description = (
        f"{recipe.name}: {len(inside):,} sentences of {len(set(articles.tolist())):,} articles, {labels.mean():.0%} loaded; "
        f"{n_splits} folds grouped by article, {len(seeds)} seed{'s' if len(seeds) > 1 else ''}; "
        f"95% intervals by resampling articles, {N_RESAMPLES} times."
    )
    return Evaluation(description, metrics, tuple(notes))


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


def _intervals(
    labels: NDArray[np.int64], runs: Sequence[Predictions], articles: NDArray[np.str_], seed: int = 0
) -> dict[str, Interval]:
    """Mean over the runs, and a percentile interval from resampling whole articles (Cameron, Gelbach & Miller 2008)."""
    rng = np.random.default_rng(seed)
    _, group = np.unique(articles, return_inverse=True)
    n_groups = group.max() + 1
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(group))[:-1])

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
