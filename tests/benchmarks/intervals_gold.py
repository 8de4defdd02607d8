"""How often 95% intervals hold the truth: python tests/benchmarks/intervals_gold.py [--runs N] [--labels N] [--processes N]

A world with known shares: events, articles of an outlet on them, sentences, people who label, and a classifier with an
error of its own for each outlet. Each run publishes articles anew, draws a sample with draw_sample, labels it and
corrects. Prints, for each outlet, how often the intervals with and without correction hold the share of loaded
sentences in all articles the outlet could publish.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.outlets import ratio_interval
from loadedwords.outlets.correction import correct_by_gold, corrected_differences
from loadedwords.outlets.sampling import draw_sample

N_EVENTS = 2000
# Of an event and of an article on the log-odds of its sentences; what a sentence's own wording adds.
EVENT_SPREAD, ARTICLE_SPREAD, WORDING_SPREAD = 0.4, 0.7, 1.6
# Seen by the classifier but not by people: without it, scores would be the true probabilities, shifted.
CONFUSION_SPREAD = 1.0


@dataclass(frozen=True)
class Outlet:
    """How loaded an outlet is, in log-odds of its average sentence, and what the classifier adds to it."""

    n_articles: int
    loaded: float
    error: float


OUTLETS = {
    "5 articles": Outlet(5, -1.0, 0.8),
    "8 articles": Outlet(8, -2.0, 0.2),
    "12 articles": Outlet(12, -1.5, 1.5),
    "25 articles": Outlet(25, -2.5, 1.0),
    "50 articles": Outlet(50, -0.8, -0.5),
    "120 articles": Outlet(120, -2.0, 1.2),
    "250 articles": Outlet(250, -1.2, 0.5),
    "500 articles": Outlet(500, -3.0, 1.0),
}


def publish(outlet: Outlet, rng: np.random.Generator, events: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Sentences of freshly drawn articles: their article's number, score, and whether people would call them loaded."""
    some = rng.choice(len(events), size=outlet.n_articles, replace=outlet.n_articles > len(events))
    effect = events[some] + rng.normal(0, ARTICLE_SPREAD, outlet.n_articles)
    # Loaded articles are a little longer, so that sentences and articles do not have the same mean.
    lengths = 3 + rng.negative_binomial(2, 2 / (2 + 18 * np.exp(0.2 * effect)))
    article = np.repeat(np.arange(outlet.n_articles), lengths)
    log_odds = outlet.loaded + effect[article] + rng.normal(0, WORDING_SPREAD, len(article))
    confused = log_odds + outlet.error + rng.normal(0, CONFUSION_SPREAD, len(article))
    return {
        "article": article,
        "p_own": 1 / (1 + np.exp(-confused)),
        "loaded": rng.random(len(article)) < 1 / (1 + np.exp(-log_odds)),
    }


def true_shares(outlets: dict[str, Outlet], n_articles: int) -> dict[str, float]:
    """The share of loaded sentences in so many articles that chance no longer matters."""
    shares = {}
    for name, outlet in outlets.items():
        rng = np.random.default_rng(12345)
        many = Outlet(n_articles, outlet.loaded, outlet.error)
        shares[name] = float(publish(many, rng, rng.normal(0, EVENT_SPREAD, n_articles))["loaded"].mean())
    return shares


def one_run(
    outlets: dict[str, Outlet], labels_per_outlet: int, seed: int
) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Estimate, low and high by outlet and kind of interval, from one world."""
    rng = np.random.default_rng(seed)
    events = rng.normal(0, EVENT_SPREAD, N_EVENTS)
    frames = []
    raw = {}
    for name, outlet in outlets.items():
        world = publish(outlet, rng, events)
        frames.append(
            pl.DataFrame(world).select(
                article_id=name + pl.format(" {}", "article"),
                outlet=pl.lit(name),
                sentence_id=pl.int_range(pl.len(), dtype=pl.Int32).over("article"),
                text=pl.lit(""),
                p_own=pl.col("p_own").cast(pl.Float32),
                loaded="loaded",
            )
        )
        sums = np.bincount(world["article"], world["p_own"])
        interval = ratio_interval(sums, np.bincount(world["article"]).astype(float))
        raw[name] = (interval.estimate, interval.low, interval.high)
    sentences = pl.concat(frames)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sentences").mkdir()
        sentences.drop("loaded").write_parquet(Path(folder) / "sentences" / "part-00000.parquet")
        sample = draw_sample(folder, labels_per_outlet * len(outlets), seed=seed, outlets=list(outlets))
    truth = sentences.select("article_id", "sentence_id", label=pl.col("loaded").cast(pl.Float64))
    gold = sample.drop("label").join(truth.cast({"sentence_id": pl.Int64}), on=["article_id", "sentence_id"])
    articles = sentences.select("article_id", "outlet").unique()
    found = defaultdict(dict)
    for row in correct_by_gold(articles, sentences.lazy(), gold).iter_rows(named=True):
        name = row["outlet"]
        if name in outlets:
            found[name]["raw"] = raw[name]
            found[name]["corrected"] = (row["corrected_share"], row["ci_low"], row["ci_high"])
            found[name]["labels alone"] = (row["classical_share"], row["classical_low"], row["classical_high"])
    for row in corrected_differences(articles, sentences.lazy(), gold).iter_rows(named=True):
        pair = f"{row['outlet_a']} - {row['outlet_b']}"
        found[pair]["corrected"] = (row["difference"], row["ci_low"], row["ci_high"])
        estimates = [raw[row["outlet_a"]], raw[row["outlet_b"]]]
        found[pair]["raw"] = (estimates[0][0] - estimates[1][0], np.nan, np.nan)
    return found


def coverage(
    outlets: dict[str, Outlet],
    labels_per_outlet: int,
    n_runs: int,
    *,
    processes: int = 1,
    n_articles_for_truth: int = 100_000,
) -> pl.DataFrame:
    """Bias, coverage and mean width by outlet (or pair of outlets) and kind of interval."""
    truth = true_shares(outlets, n_articles_for_truth)
    seeds = range(n_runs)
    fixed = [outlets] * n_runs, [labels_per_outlet] * n_runs
    if processes > 1:
        with ProcessPoolExecutor(processes) as pool:
            runs = list(pool.map(one_run, *fixed, seeds, chunksize=10))
    else:
        runs = list(map(one_run, *fixed, seeds))
    rows = []
    for name in runs[0]:
        a, _, b = name.partition(" - ")
        share = truth[a] - truth[b] if b else truth[a]
        for kind in runs[0][name]:
            estimates = np.array([run[name][kind] for run in runs], float)
            held = (estimates[:, 1] <= share) & (share <= estimates[:, 2])
            rows.append(
                {
                    "of": name,
                    "interval": kind,
                    "truth": share,
                    "bias": float(estimates[:, 0].mean() - share),
                    "coverage": float(held.mean()),
                    "width": float((estimates[:, 2] - estimates[:, 1]).mean()),
                    "pair": bool(b),
                }
            )
    return pl.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=[30], nargs="+", help="Labels for each outlet.")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    for labels in arguments.labels:
        table = coverage(OUTLETS, labels, arguments.runs, processes=arguments.processes)
        print(f"\n{labels} labels for each outlet, {arguments.runs} runs")
        print(
            f"{'outlet':<16}{'truth':>7}{'raw: bias':>11}{'cover':>7}{'corrected: bias':>17}{'cover':>7}{'width':>7}{'labels alone':>14}{'width':>7}"
        )
        singles = table.filter(~pl.col("pair"))
        for (name,), kinds in singles.group_by(["of"], maintain_order=True):
            raw, corrected, alone = (
                kinds.row(by_predicate=pl.col("interval") == kind, named=True)
                for kind in ("raw", "corrected", "labels alone")
            )
            print(
                f"{name:<16}{raw['truth']:>7.3f}{raw['bias']:>+11.3f}{raw['coverage']:>7.1%}{corrected['bias']:>+17.3f}"
                f"{corrected['coverage']:>7.1%}{corrected['width']:>7.3f}{alone['coverage']:>14.1%}{alone['width']:>7.3f}"
            )
        pairs = table.filter(pl.col("pair") & (pl.col("interval") == "corrected"))["coverage"]
        print(
            f"differences of {len(pairs)} pairs, corrected: coverage {pairs.mean():.1%} on average, {pairs.min():.1%} to {pairs.max():.1%}"
        )


if __name__ == "__main__":
    main()
