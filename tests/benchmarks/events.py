"""Found events held against known ones.

    python tests/benchmarks/events.py --scores DIR --corpora DIR [--fit | --copies N]

DIR of scores: a folder of scores of every article of articles.parquet, whose texts it holds; DIR of corpora holds
events.jsonl. The known events are pooled with 5,000 other articles. Weights and threshold were chosen on half of the
events (by a hash of their ids), so that the figures of the other half are those to rely on. Labels are incomplete:
other articles report the same events too, and a found pair with one of them is not an error just because nobody
labelled it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from loadedwords.outlets import events as room
from loadedwords.outlets import load_articles, scan_sentences
from loadedwords.outlets.events import DAYS, FEATURES, THRESHOLD, find_events
from loadedwords.outlets.within_events import compare_within_events, outlets_within_events

sys.path.insert(0, str(Path(__file__).parents[1]))
from known_events import pairwise_scores

N_OTHERS = 5000
HALVES = "tuned on", "held out"


def half(event_id: str) -> str:
    return HALVES[hashlib.blake2b(event_id.encode()).digest()[0] % 2]


def pooled(articles: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    others = articles.join(known, on="article_id", how="anti").sort("article_id").sample(N_OTHERS, seed=0)
    return pl.concat([articles.join(known, on="article_id", how="semi"), others])


def candidate_pairs(articles: pl.DataFrame, sentences: pl.LazyFrame) -> pl.DataFrame:
    """What `find_events` knows of each pair of articles that it looks at, on which its weights are fitted."""
    articles = room._checked(articles, DAYS)
    candidates = room._candidates(room._tokens(articles, sentences), articles, DAYS)
    ids = articles["article_id"]
    return pl.DataFrame(
        {
            "article_a": ids.gather(candidates.first),
            "article_b": ids.gather(candidates.second),
            "dated": candidates.dated,
            **{name: candidates.features[:, at] for at, name in enumerate(FEATURES)},
        }
    )


def fit(pool: pl.DataFrame, sentences: pl.LazyFrame, known: pl.DataFrame) -> None:
    """Print the weights of a logistic regression on pairs of articles of the half that is tuned on."""
    tuned = known.filter(pl.col("half") == HALVES[0])
    pairs = candidate_pairs(pool, sentences)
    ids = tuned["article_id"].unique().to_list()
    pairs = pairs.filter(pl.col("article_a").is_in(ids) & pl.col("article_b").is_in(ids))
    true = tuned.join(tuned, on="event_id").select(article_a="article_id", article_b="article_id_right", same=True)
    pairs = pairs.join(true.unique(), on=["article_a", "article_b"], how="left")
    for dated in (True, False):
        some = pairs.filter(pl.col("dated") == dated)
        x, y = some.select(FEATURES).to_numpy().astype(float), some["same"].fill_null(False).to_numpy()
        spread = x.std(axis=0)
        spread[spread == 0] = 1
        weights = fit_logistic(x / spread, y) / np.array([1.0, *spread])
        print("_DATED" if dated else "_UNDATED", "=", tuple(float(w) for w in np.round(weights, 3)))


def fit_logistic(x: NDArray[np.float64], y: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Intercept and weights, with a ridge of one half. What says that articles are alike must not speak against them.

    Without this bound the weights of raw similarities, which go together with those above the background, turn negative,
    and events that many articles report would come apart.
    """
    with_one = np.column_stack([np.ones(len(x)), x])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = with_one @ weights
        ridge = np.array([0.0, *weights[1:]])
        value = np.logaddexp(0, log_odds).sum() - log_odds[y].sum() + ridge @ ridge / 2
        return float(value), with_one.T @ (expit(log_odds) - y) + ridge

    bounds = [(None, None)] + [(None, None) if name in ("days", "same_day") else (0, None) for name in FEATURES]
    fitted = minimize(loss, np.zeros(with_one.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(fitted.x)


def copied(articles: pl.DataFrame, sentences: pl.LazyFrame, times: int) -> tuple[pl.DataFrame, pl.LazyFrame]:
    """So many times the articles, each time ten years later and with a third of the words spelled in another way."""
    lead = sentences.filter(pl.col("sentence_id") < 25).select("article_id", "sentence_id", "text").collect()
    names = [f"-{k}" for k in range(times)]
    return pl.concat(
        articles.with_columns(pl.col("article_id") + name, pl.col("date").dt.offset_by(f"{10 * k}y"))
        for k, name in enumerate(names)
    ), pl.concat(
        lead.with_columns(
            pl.col("article_id") + name, pl.col("text").str.replace_all(r"\b([a-m]\w{4,})\b", "${1}" + 2 * chr(97 + k))
        )
        for k, name in enumerate(names)
    ).lazy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--fit", action="store_true", help="print weights instead")
    parser.add_argument("--thresholds", type=float, nargs="*", default=[THRESHOLD])
    parser.add_argument("--copies", type=int, help="only the time for so many times the articles, and memory")
    options = parser.parse_args()

    articles, sentences = load_articles(options.scores), scan_sentences([options.scores])
    if options.copies:
        articles, sentences = copied(articles, sentences, options.copies)
        start = time.perf_counter()
        find_events(articles, sentences)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{articles.height} articles in {time.perf_counter() - start:.0f} s, {peak} MiB at peak")
        return
    events = [json.loads(line) for line in (options.corpora / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [(article, event["event_id"], half(event["event_id"])) for event in events for article in event["articles"]]
    known = pl.DataFrame(rows, schema=["article_id", "event_id", "half"], orient="row")
    pool = pooled(articles, known)
    if options.fit:
        fit(pool, sentences, known)
        return
    for threshold in options.thresholds:
        start = time.perf_counter()
        found = find_events(pool, sentences, threshold=threshold)
        took = time.perf_counter() - start
        sizes = found.group_by("event_id").len()["len"]
        print(
            f"threshold {threshold}: {pool.height} articles in {took:.1f} s, {len(sizes)} groups of 2 to {sizes.max()}"
        )
        for name, true in [("all events", known), *((f"{h} half", known.filter(pl.col("half") == h)) for h in HALVES)]:
            for among in ("labelled", "touching", "all") if name == "all events" else ("labelled",):
                s = pairwise_scores(found, true, among=among)
                print(
                    f"  {name}, pairs {among}: F1 {s.f1.estimate:.3f} [{s.f1.low:.3f}, {s.f1.high:.3f}], "
                    f"precision {s.precision:.3f}, recall {s.recall:.3f} ({s.n_both} of {s.n_found} found, {s.n_true} known)"
                )
    start = time.perf_counter()
    everything = find_events(articles, sentences)
    print(f"{articles.height} articles in {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    joined = articles.drop("event_id").join(everything, on="article_id")
    pairs, outlets = compare_within_events(joined), outlets_within_events(joined)
    print(f"{pairs.height} pairs of {outlets.height} outlets compared in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
