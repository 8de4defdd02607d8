"""What an evaluation says: metrics with intervals, and further figures with what is needed to judge them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, matthews_corrcoef, roc_auc_score

from loadedwords.models.scores import Logits
from loadedwords.schema import Interval
from loadedwords.training.card import METRIC_NAMES

N_RESAMPLES = 500
METRICS = tuple(METRIC_NAMES)


@dataclass(frozen=True)
class Predictions:
    """What one predictor said of every sentence: probability of loaded, and the decision (0 or 1)."""

    probability: NDArray[np.float64]
    decision: NDArray[np.int64]

    @classmethod
    def at(cls, probability: NDArray[np.float64], threshold: float = 0.5) -> Self:
        """Decided at a threshold."""
        return cls(probability, (probability >= threshold).astype(np.int64))


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
class Slice:
    """A model's errors on a part of the sentences; None where one of the classes is missing.

    `false_positive_rate` is the share of neutral sentences called loaded, `missed` that of loaded ones called neutral.
    """

    by: str
    value: str
    n_sentences: int
    n_loaded: int
    macro_f1: Interval | None
    false_positive_rate: Interval | None
    missed: Interval | None


@dataclass(frozen=True)
class DeviceRate:
    """How often something finds a device, and how often it calls plain sentences loaded.

    `measure` says what was looked at, such as "words" or "sentences". `kind` is a device, whose `false_alarms` are on its
    plain twins, or a kind of sentence that must be left alone: nothing can be found in it, and `found` and `told_apart`
    are None. A pair is told apart where the loaded sentence is found and the twin left alone.
    """

    measure: str
    kind: str
    n: int
    false_alarms: Interval
    found: Interval | None = None
    told_apart: Interval | None = None


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
    slices : tuple of Slice
        Errors by outlet, topic and so on; empty where nothing was cross-validated.
    devices : tuple of DeviceRate
        Of the suite of devices, where it was run.
    held_out : Logits or None
        Of a cross-validation with its first seed: for each measured row what a model that had not seen it says, before
        calibration.
    """

    description: str
    metrics: Mapping[str, Mapping[str, Interval]]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    reliability: tuple[tuple[float, float, int], ...] = ()
    held_out: Logits | None = field(default=None, repr=False)
    slices: tuple[Slice, ...] = ()
    devices: tuple[DeviceRate, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what no figure can be given for is None, as JSON knows no NaN."""
        told = asdict(replace(self, held_out=None))
        told["predictors"] = told.pop("metrics")
        told["findings"] = [
            {"name": each.name, **asdict(each.value), "beside": each.beside, "rests_on": each.rests_on}
            for each in self.findings
        ]
        del told["held_out"]
        without_nan: dict[str, Any] = json.loads(json.dumps(told), parse_constant=lambda _: None)
        return without_nan


def compute_metrics(
    labels: NDArray[np.int64], probability: NDArray[np.float64], decision: NDArray[np.int64]
) -> dict[str, float]:
    """The metrics of `METRICS`; those of probabilities are NaN where only one class occurs."""
    metrics = {"macro_f1": f1_score(labels, decision, average="macro", labels=[0, 1], zero_division=0), "mcc": 0.0}
    if 0 < labels.mean() < 1:
        metrics["mcc"] = matthews_corrcoef(labels, decision)
        metrics["roc_auc"] = roc_auc_score(labels, probability)
        metrics["average_precision"] = average_precision_score(labels, probability)
        metrics["brier"] = brier_score_loss(labels, np.clip(probability, 0, 1))
    return {name: float(metrics.get(name, np.nan)) for name in METRICS}


def resampled(
    measure: Callable[[NDArray[np.intp]], float], articles: NDArray[np.str_], *, distance: bool = False
) -> Interval:
    """A measure of rows with a percentile interval from resampling whole articles (Cameron, Gelbach & Miller 2008).

    A `distance` from nothing, such as a calibration error, is larger in resampled rows, whose noise adds to it: its
    percentiles are moved back by as much as their mean lies off (Efron & Tibshirani 1993, section 10.2).
    """
    estimates, drawn = resamples(lambda rows: [measure(rows)], articles)
    (estimate,), (low, high) = estimates.tolist(), ends(drawn)
    if distance:
        bias = float(np.nanmean(drawn)) - estimate
        low, high = max(low - bias, 0.0), high - bias
    return Interval(estimate, low, high)


def share(hits: ArrayLike, groups: Sequence[str] | NDArray[Any] | None = None) -> Interval:
    """The mean of hits, or of other values, resampling the groups that belong together; each alone, if None."""
    values = np.asarray(hits, dtype=np.float64)
    of = np.arange(len(values)).astype(str) if groups is None else np.asarray(groups)
    return resampled(lambda rows: float(values[rows].mean()), of)


def intervals(
    labels: NDArray[np.int64], runs: Sequence[Predictions], articles: NDArray[np.str_]
) -> dict[str, Interval]:
    """The metrics in the mean over the runs, with the same intervals."""

    def mean_over_runs(rows: NDArray[np.intp]) -> NDArray[np.float64]:
        each = [compute_metrics(labels[rows], run.probability[rows], run.decision[rows]) for run in runs]
        mean: NDArray[np.float64] = np.mean([list(metrics.values()) for metrics in each], axis=0)
        return mean

    estimates, drawn = resamples(mean_over_runs, articles)
    return {name: Interval(float(estimates[at]), *ends(drawn[:, at])) for at, name in enumerate(METRICS)}


def resamples(
    measure: Callable[[NDArray[np.intp]], Sequence[float] | NDArray[np.float64]], articles: NDArray[np.str_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Some measures of all rows, and the same of each resample of articles."""
    _, article_of = np.unique(articles, return_inverse=True)
    members = np.split(np.argsort(article_of, kind="stable"), np.cumsum(np.bincount(article_of))[:-1])
    rng = np.random.default_rng(0)
    drawn = [
        measure(np.concatenate([members[at] for at in rng.integers(len(members), size=len(members))]))
        for _ in range(N_RESAMPLES)
    ]
    return np.asarray(measure(np.arange(len(articles)))), np.asarray(drawn)


def ends(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Of a 95% interval, by percentiles; NaN where no resample has a figure."""
    if np.isnan(drawn).all():
        return np.nan, np.nan
    low, high = np.nanpercentile(drawn, [2.5, 97.5]).tolist()
    return low, high


def baselines(labels: NDArray[np.int64], outlets: NDArray[np.str_], groups: NDArray[Any]) -> dict[str, Predictions]:
    """Rules that see no text, learnt for each group, a fold or an article, from the others."""
    most = outlet_rates(labels, np.zeros(len(labels)), groups) >= 0.5
    # The same probability in every group: a constant has no AUC to lose or gain.
    rules = {"majority label": Predictions(np.full(len(labels), labels.mean()), most.astype(np.int64))}
    if len(set(outlets.tolist())) > 1:
        rules["outlet's majority label"] = Predictions.at(outlet_rates(labels, outlets, groups))
    return rules


def outlet_rates(values: NDArray[Any], outlets: NDArray[Any], groups: NDArray[Any]) -> NDArray[np.float64]:
    """For each row the mean of its outlet in the other groups; the mean of all of these where the outlet is new."""
    rows = pl.DataFrame({"value": values.astype(np.float64), "outlet": outlets, "group": groups})
    total, n = pl.col("value").sum(), pl.len()
    if rows["group"].n_unique() == 1:
        return rows.select(total.over("outlet") / n.over("outlet")).to_series().to_numpy()
    in_others = (total.over("outlet") - total.over("outlet", "group")) / (n.over("outlet") - n.over("outlet", "group"))
    of_all = (total - total.over("group")) / (n - n.over("group"))
    return rows.select(in_others.fill_nan(of_all)).to_series().to_numpy()
