"""How good is a model: metrics with intervals, on folds that never split an article, beside baselines that see no text."""

from __future__ import annotations

from loadedwords.training.evaluation.folds import cross_validate, leave_one_outlet_out
from loadedwords.training.evaluation.labelled import CheckpointClassifier, evaluate_labelled, evaluate_predictions
from loadedwords.training.evaluation.probes import evaluate_pairs, evaluate_quotations, probe
from loadedwords.training.evaluation.results import (
    METRICS,
    DeviceRate,
    Evaluation,
    Finding,
    Predictions,
    compute_metrics,
    with_finding,
)
from loadedwords.training.evaluation.spans import evaluate_spans

__all__ = [
    "METRICS",
    "CheckpointClassifier",
    "DeviceRate",
    "Evaluation",
    "Finding",
    "Predictions",
    "compute_metrics",
    "cross_validate",
    "evaluate_labelled",
    "evaluate_pairs",
    "evaluate_predictions",
    "evaluate_quotations",
    "evaluate_spans",
    "leave_one_outlet_out",
    "probe",
    "with_finding",
]
