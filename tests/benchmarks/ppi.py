"""Corrected shares beside those of ppi-python, which its authors keep (Angelopoulos et al. 2023, 2024).

    pip install ppi-python==0.2.3
    python tests/benchmarks/ppi.py [--runs 200]

Theirs knows neither strata nor articles, so there is one of each here: a sentence to an article, drawn with the same
chance. The estimate with the same power tuning must agree to the last digits; the intervals are Wilson's and Student's
here and Wald's there, so that their lengths and how often they hold the truth are held against each other.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
import polars as pl
from ppi_py import ppi_mean_ci, ppi_mean_pointestimate

from loadedwords.outlets.correction import correct_by_gold

SPREAD = 1.5
MIDDLES = (-5.0, -2.35, -0.55)  # log-odds whose shares are about 0.02, 0.15 and 0.4


def draw(rng: np.random.Generator, n_labels: int, n_all: int, middle: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sentences with a score as good as a noisy probability, and labels of some of them drawn at random."""
    log_odds = rng.normal(middle, SPREAD, n_all)
    loaded = (rng.random(n_all) < 1 / (1 + np.exp(-log_odds))).astype(float)
    sentences = pl.DataFrame(
        {
            "article_id": [f"a{i}" for i in range(n_all)],
            "outlet": "Wire",
            "sentence_id": 0,
            "p_own": 1 / (1 + np.exp(-log_odds - 0.7 - rng.normal(0, 0.5, n_all))),
        }
    )
    some = np.sort(rng.choice(n_all, n_labels, replace=False))
    gold = sentences[some].with_columns(
        label=pl.Series(loaded[some]), probability=pl.lit(n_labels / n_all), stratum=pl.lit(None, pl.String)
    )
    return sentences, gold


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    n_all = 3000
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    for middle, n_labels in product(MIDDLES, (50, 100, 300)):
        share = float((weights / (1 + np.exp(-middle - SPREAD * nodes))).sum() / weights.sum())
        apart, lengths, held = [], [], []
        for seed in range(arguments.runs):
            sentences, gold = draw(np.random.default_rng([seed, n_labels]), n_labels, n_all, middle)
            ours = correct_by_gold(sentences.select("article_id", "outlet"), sentences.lazy(), gold).shares
            row = ours.filter(pl.col("outlet") == "Wire").row(0, named=True)
            y, f = gold["label"].to_numpy(), gold["p_own"].to_numpy()
            everything = sentences["p_own"].to_numpy()
            theirs = ppi_mean_pointestimate(y, f, everything, lam=row["power_tuning"])
            low, high = ppi_mean_ci(y, f, everything, alpha=0.05, lam=row["power_tuning"])
            apart.append(abs(row["corrected_share"] - float(np.squeeze(theirs))))
            low, high = float(np.squeeze(low)), float(np.squeeze(high))
            lengths.append((row["ci_high"] - row["ci_low"], high - low))
            held.append((row["ci_low"] <= share <= row["ci_high"], low <= share <= high))
        ours, theirs = np.mean(held, axis=0)
        longer = float(np.divide(*np.mean(lengths, axis=0)))
        print(
            f"share {share:.2f}, {n_labels} labels of {n_all} sentences, {arguments.runs} runs: estimates at most {max(apart):.0e} apart; "
            f"ours hold {ours:.1%}, theirs {theirs:.1%}; ours {longer:.3f} times as long"
        )


if __name__ == "__main__":
    main()
