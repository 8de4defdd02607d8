"""Charts of an evaluation, as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loadedwords.errors import require


def write_reliability_plot(bins: Sequence[tuple[float, float, int]], file: Path) -> None:
    """How often sentences are loaded (up) that were given a probability (across), as an SVG.

    `bins` are as in `Evaluation.reliability`: mean probability, share of loaded, number of sentences.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figure_room = require("matplotlib.figure", extra="notebooks", purpose="Drawing a reliability plot")
    figure = figure_room.Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="as it should be")
    # Two standard errors of a share, so that a bin's distance from the line can be judged.
    errors = [2 * (share * (1 - share) / n) ** 0.5 for _, share, n in bins]
    axes.errorbar([b[0] for b in bins], [b[1] for b in bins], yerr=errors, fmt="o", color="black", label="measured")
    axes.set(xlabel="probability given", ylabel="share loaded", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)
    figure.savefig(file)
