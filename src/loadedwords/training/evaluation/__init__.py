"""How good is a model: metrics with intervals, on folds that never split an article, beside baselines that see no text."""

from __future__ import annotations

from loadedwords.training.evaluation.folds import cross_validate as cross_validate
from loadedwords.training.evaluation.folds import leave_one_outlet_out as leave_one_outlet_out
from loadedwords.training.evaluation.labelled import CheckpointClassifier as CheckpointClassifier
from loadedwords.training.evaluation.labelled import evaluate_labelled as evaluate_labelled
from loadedwords.training.evaluation.probes import evaluate_pairs as evaluate_pairs
from loadedwords.training.evaluation.probes import probe as probe
from loadedwords.training.evaluation.quotations import evaluate_quotations as evaluate_quotations
from loadedwords.training.evaluation.results import DeviceRate as DeviceRate
from loadedwords.training.evaluation.results import Evaluation as Evaluation
from loadedwords.training.evaluation.results import Finding as Finding
from loadedwords.training.evaluation.spans import evaluate_spans as evaluate_spans
