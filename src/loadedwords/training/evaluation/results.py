"""What an evaluation says: metrics with intervals, and further figures with what is needed to judge them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
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
        """For JSON."""
        return {
            "description": self.description,
            "predictors": {
                name: {metric: asdict(value) for metric, value in values.items()}
                for name, values in self.metrics.items()
            },
            "findings": [
                {"name": f.name, **asdict(f.value), "beside": f.beside, "rests_on": f.rests_on} for f in self.findings
            ],
            "reliability": [list(each) for each in self.reliability],
            "notes": list(self.notes),
            "slices": [asdict(each) for each in self.slices],
            "devices": [asdict(each) for each in self.devices],
        }


def with_finding(evaluation: Evaluation, finding: Finding) -> Evaluation:
    """The same evaluation with one more figure."""
    return replace(evaluation, findings=(*evaluation.findings, finding))


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


def resampled(
    measure: Callable[[NDArray[np.intp]], float], articles: NDArray[np.str_], *, distance: bool = False
) -> Interval:
    """A measure of rows with a percentile interval from resampling whole articles (Cameron, Gelbach & Miller 2008).

    A `distance` from nothing, such as a calibration error, is larger in resampled rows, whose noise adds to it: its
    percentiles are moved back by as much as their mean lies off (Efron & Tibshirani 1993, section 10.2).
    """
    return _resampled(lambda rows: [measure(rows)], articles, distance=distance)[0]


def intervals(
    labels: NDArray[np.int64], runs: Sequence[Predictions], articles: NDArray[np.str_]
) -> dict[str, Interval]:
    """The metrics in the mean over the runs, with the same intervals."""

    def mean_over_runs(rows: NDArray[np.intp]) -> list[float]:
        each = [compute_metrics(labels[rows], run.probability[rows], run.decision[rows]) for run in runs]
        return [float(np.mean([metrics[name] for metrics in each])) for name in METRICS]

    return dict(zip(METRICS, _resampled(mean_over_runs, articles), strict=True))


def _resampled(
    measure: Callable[[NDArray[np.intp]], list[float]], articles: NDArray[np.str_], *, distance: bool = False
) -> list[Interval]:
    members = rows_by_article(articles)
    rng = np.random.default_rng(0)
    drawn = [
        measure(np.concatenate([members[at] for at in rng.integers(len(members), size=len(members))]))
        for _ in range(N_RESAMPLES)
    ]
    estimates = measure(np.arange(len(articles)))
    lows, highs = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    if distance:
        bias = np.nanmean(drawn, axis=0) - estimates
        lows, highs = np.maximum(lows - bias, 0.0), highs - bias
    return [Interval(*each) for each in zip(estimates, lows.tolist(), highs.tolist(), strict=True)]


def rows_by_article(articles: NDArray[np.str_]) -> list[NDArray[np.intp]]:
    _, group = np.unique(articles, return_inverse=True)
    order = np.argsort(group, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group))[:-1])


def outlet_rates(values: NDArray[Any], outlets: NDArray[np.str_], groups: NDArray[Any]) -> NDArray[np.float64]:
    """For each row the mean of its outlet in the other groups; the mean of all of these where the outlet is new."""
    rates = np.empty(len(values))
    for group in np.unique(groups):
        own = groups == group
        names, index = np.unique(outlets[~own], return_inverse=True)
        means = np.bincount(index, weights=values[~own]) / np.bincount(index)
        known = dict(zip(names.tolist(), means.tolist(), strict=True))
        overall = float(values[~own].mean())
        rates[own] = [known.get(outlet, overall) for outlet in outlets[own].tolist()]
    return rates
