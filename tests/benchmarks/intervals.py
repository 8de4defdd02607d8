"""How often nominal 95% intervals hold the truth, in simulations where the truth is known.

Outlets report on events that they share and on stories of their own; an article has a temper of its own; a classifier
errs in every sentence and on one outlet more than on another. Moments are those of scored news: a mean share of
about 0.3, articles that differ by about 0.11 (standard deviation) and have 38 sentences on average, very unequal.

    python tests/benchmarks/intervals.py [--runs 1000]
"""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.outlets import compare_outlets
from loadedwords.outlets.differences import compare_pairs
from loadedwords.outlets.within_events import compare_within_events

SIZES = (5, 10, 30, 100, 500)
# What an outlet adds to the logit of each sentence, and what the classifier adds to that outlet's scores alone.
OUTLETS = {"plain": (0.0, 0.0), "warm": (0.5, 0.0), "misread": (0.0, 0.4)}
BASE, EVENT_SD, ARTICLE_SD = -0.9, 0.35, 0.40
ON_EVENTS = 0.6
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))


def true_share(shift: float) -> float:
    """Mean of sigmoid over the temper of events and articles (Gauss and Hermite's quadrature)."""
    spread = np.hypot(EVENT_SD, ARTICLE_SD)
    return float((WEIGHTS * sigmoid(BASE + shift + spread * NODES)).sum() / WEIGHTS.sum())


def draw(n_articles: int, rng: np.random.Generator) -> pl.DataFrame:
    """Scored articles of each of `OUTLETS`; a score is a noisy sentence label, as good as a probability on average."""
    n_events = max(2, n_articles)
    events = rng.normal(0, EVENT_SD, n_events)
    rows = []
    for outlet, (warmth, error) in OUTLETS.items():
        on_event = rng.random(n_articles) < ON_EVENTS
        # Without replacement: an outlet reports an event once.
        chosen = rng.permutation(n_events)[:n_articles]
        temper = np.where(on_event, events[chosen], rng.normal(0, EVENT_SD, n_articles))
        temper = temper + rng.normal(0, ARTICLE_SD, n_articles)
        n = np.maximum(3, rng.negative_binomial(1.5, 1.5 / (1.5 + 35), n_articles))
        share = sigmoid(BASE + warmth + error + temper)
        scored = rng.binomial(n, share) / n  # sums of noisy sentences, around the article's own share
        rows += [
            (outlet, int(k), f"e{event}" if on else None, float(s))
            for k, event, on, s in zip(n, chosen, on_event, scored, strict=True)
        ]
    frame = pl.DataFrame(
        rows,
        schema={"outlet": pl.String, "n_own": pl.Int64, "event_id": pl.String, "loaded_share": pl.Float64},
        orient="row",
    )
    zeros = ("n_quoted", "n_quoted_words", "n_loaded_quoted_words", "n_loaded_words", "n_words")
    return frame.with_columns(
        *[pl.lit(0).alias(name) for name in zeros],
        article_id=pl.format("a{}", pl.int_range(pl.len())),
        n_sentences="n_own",
        loaded_share_all="loaded_share",
        loaded_share_quoted=pl.lit(None, pl.Float64),
    )


def measure(n_articles: int, runs: int, seed: int = 0) -> dict[str, tuple[float, float, int]]:
    """Of each kind of interval: share that hold the truth, mean width, number of intervals."""
    rng = np.random.default_rng([seed, n_articles])
    hits: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}

    def note(kind: str, low: float | None, high: float | None, truth: float) -> None:
        if low is not None and high is not None:
            hits.setdefault(kind, []).append(low <= truth <= high)
            widths.setdefault(kind, []).append(high - low)

    means = {outlet: true_share(warmth + error) for outlet, (warmth, error) in OUTLETS.items()}
    for _ in range(runs):
        articles = draw(n_articles, rng)
        for row in compare_outlets(articles).to_dicts():
            note("outlet's mean", row["ci_low"], row["ci_high"], means[row["outlet"]])
            if row["outlet"] == "misread":
                note("the truth, uncorrected", row["ci_low"], row["ci_high"], true_share(OUTLETS["misread"][0]))
        for row in compare_pairs(articles, min_articles=2).to_dicts():
            note("difference of a pair", row["ci_low"], row["ci_high"], means[row["outlet_a"]] - means[row["outlet_b"]])
        for row in compare_within_events(articles.filter(pl.col("event_id").is_not_null())).to_dicts():
            if row["n_events"] >= 5:
                note(
                    "difference on the same events",
                    row["ci_low"],
                    row["ci_high"],
                    means[row["outlet_a"]] - means[row["outlet_b"]],
                )
    return {kind: (float(np.mean(hit)), float(np.mean(widths[kind])), len(hit)) for kind, hit in hits.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments = parser.parse_args()
    print(f"{'articles':>8}  {'interval':<32} {'covers':>7} {'± 2 s.e.':>8} {'width':>6} {'intervals':>9}")
    for size in arguments.sizes:
        for kind, (cover, width, n) in measure(size, arguments.runs).items():
            # Three intervals of a run share events: the error is stated for runs, not for intervals.
            error = 2 * (cover * (1 - cover) / min(n, arguments.runs)) ** 0.5
            print(f"{size:>8}  {kind:<32} {cover:>7.1%} {error:>8.1%} {width:>6.3f} {n:>9,}", flush=True)


if __name__ == "__main__":
    main()
