"""Between probabilities and log-odds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """From log-odds to probability, without overflow."""
    probability: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return probability


def logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """From probability to log-odds; certainty stays finite."""
    clipped = np.clip(probability, 1e-12, 1 - 1e-12)
    log_odds: NDArray[np.float64] = np.log(clipped) - np.log1p(-clipped)
    return log_odds
