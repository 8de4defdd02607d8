"""How often intervals hold the truth and differences are declared where there are none, in worlds whose truth is known.

    python tests/benchmarks/simulations.py [--runs 1000] [--labels-runs 400] [--processes 1]

Outlets report on events that they share and on stories of their own; an article has a temper of its own; a classifier
errs in every sentence and on one outlet more than on another. Moments are those of ordinary news as the default model
scores it: a mean share of 0.15, articles that differ by 0.12 (standard deviation) and have 38 sentences on average, very
unequal. Prints one table, as it stands in docs/comparing.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import nbinom

from loadedwords.outlets import compare_outlets
from loadedwords.outlets.correction import ALL_OUTLETS, correct_by_gold
from loadedwords.outlets.devices import compare_devices
from loadedwords.outlets.differences import compare_pairs
from loadedwords.outlets.intervals import interval_of_sums
from loadedwords.outlets.own_words import own_words
from loadedwords.outlets.power import plan, spread_of_articles
from loadedwords.outlets.sampling import draw_sample
from loadedwords.outlets.shrinkage import shrink, split_variance
from loadedwords.outlets.within_events import FEW_EVENTS, compare_within_events
from loadedwords.schema import KINDS

EVENT_SD, ARTICLE_SD, ON_EVENTS = 0.45, 0.6, 0.6
MEAN_LENGTH = 35  # of an article, in sentences
BASE = -2.0  # log-odds of an average sentence of the plain outlet
# What an outlet adds to the log-odds of each sentence.
OUTLETS = {"plain": 0.0, "warm": 0.5, "third": -0.3}
# Log-odds of a sentence's own wording; and of what only the classifier sees.
WORDING_SD, CONFUSION_SD = 1.6, 1.0
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)


@dataclass(frozen=True)
class World:
    """What makes intervals hard: how unequal articles are, whether long ones are more loaded, how many are an agency's."""

    shape: float = 1.5  # of the negative binomial of lengths; the smaller, the more unequal
    slope: float = 0.0  # of a sentence's log-odds on the logarithm of its article's length
    copies: float = 0.0
    copies_have_events: bool = True

    def longer(self, n: int) -> float:
        """What its length adds to the log-odds of an article's sentences."""
        return self.slope * float(np.log(n / MEAN_LENGTH))


WORLDS = {
    "usual": World(),
    "very unequal lengths": World(shape=0.4),
    # Within outlets of real news, 960 articles, the slope was 0.3 on average and 0.63 at most.
    "long articles are more loaded": World(slope=0.6),
    "a third agency copies, found as events": World(copies=1 / 3),
    "a third agency copies, not found": World(copies=1 / 3, copies_have_events=False),
}


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))


def true_share(log_odds: float, *spreads: float) -> float:
    """Mean of sigmoid over normal spreads (Gauss and Hermite's quadrature)."""
    return float((WEIGHTS * sigmoid(log_odds + np.sqrt(np.sum(np.square(spreads))) * NODES)).sum() / WEIGHTS.sum())


def share_of_outlet(warmth: float, world: World) -> float:
    """The true share of its sentences, of which long articles have more."""
    lengths = np.arange(1000)
    chance = nbinom.pmf(lengths, world.shape, world.shape / (world.shape + MEAN_LENGTH))
    lengths = np.maximum(lengths, 3)
    shares = [true_share(BASE + warmth + world.longer(int(n)), EVENT_SD, ARTICLE_SD) for n in lengths]
    return float(np.average(shares, weights=chance * lengths))


# Without labels


def draw_articles(
    outlets: dict[str, float], n_articles: int | tuple[int, ...], world: World, rng: np.random.Generator
) -> pl.DataFrame:
    """Scored articles of each outlet; a score is a noisy sentence label, as good as a probability on average.

    Several numbers of articles are the outlets' in turn.
    """
    numbers = np.resize(n_articles, len(outlets))
    n_events = max(2, *numbers)
    events = rng.normal(0, EVENT_SD, n_events)
    n_copied = round(world.copies * min(numbers))
    agency = [_article(rng.normal(0, EVENT_SD), 0.0, world, rng) for _ in range(n_copied)]
    rows: list[tuple[str, int, str | None, float]] = []
    for (outlet, warmth), number in zip(outlets.items(), numbers, strict=True):
        for at, (n, share) in enumerate(agency):
            rows.append((outlet, n, f"agency {at}" if world.copies_have_events else None, share))
        # Without replacement: an outlet reports an event once.
        for event in rng.permutation(n_events)[: number - n_copied]:
            on = rng.random() < ON_EVENTS
            n, share = _article(events[event] if on else rng.normal(0, EVENT_SD), warmth, world, rng)
            rows.append((outlet, n, f"e{event}" if on else None, share))
    schema = {"outlet": pl.String, "n_own": pl.Int64, "event_id": pl.String, "loaded_share": pl.Float64}
    zeros = ("n_quoted", "n_quoted_words", "n_loaded_quoted_words", "n_loaded_words", "n_words")
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        *[pl.lit(0).alias(name) for name in zeros],
        article_id=pl.format("a{}", pl.int_range(pl.len())),
        n_sentences="n_own",
        loaded_share_all="loaded_share",
        loaded_share_quoted=pl.lit(None, pl.Float64),
    )


def _article(event: float, warmth: float, world: World, rng: np.random.Generator) -> tuple[int, float]:
    n = max(3, int(rng.negative_binomial(world.shape, world.shape / (world.shape + MEAN_LENGTH))))
    log_odds = BASE + warmth + event + world.longer(n) + rng.normal(0, ARTICLE_SD)
    return n, float(rng.binomial(n, sigmoid(np.array(log_odds))) / n)


def coverage(n_articles: int, world: World, runs: int, seed: int = 0) -> dict[str, float]:
    """Share of nominal 95% intervals that hold the truth."""
    rng = np.random.default_rng([seed, n_articles])
    hits: dict[str, list[bool]] = {}

    def note(kind: str, row: dict[str, float | None], truth: float) -> None:
        if row["ci_low"] is not None and row["ci_high"] is not None:
            hits.setdefault(kind, []).append(row["ci_low"] <= truth <= row["ci_high"])

    own = {outlet: share_of_outlet(warmth, world) for outlet, warmth in OUTLETS.items()}
    agency, copied = true_share(BASE, EVENT_SD, ARTICLE_SD), round(world.copies * n_articles) / n_articles
    means = {outlet: (1 - copied) * share + copied * agency for outlet, share in own.items()}
    for _ in range(runs):
        articles = draw_articles(OUTLETS, n_articles, world, rng)
        for row in compare_outlets(articles).to_dicts():
            note("outlet's share", row, means[row["outlet"]])
        for row in compare_pairs(articles, min_articles=2).to_dicts():
            note("difference of a pair", row, means[row["outlet_a"]] - means[row["outlet_b"]])
        if not world.copies:
            for row in compare_within_events(articles.filter(pl.col("event_id").is_not_null())).to_dicts():
                if row["n_events"] >= FEW_EVENTS:
                    note("difference on the same events", row, means[row["outlet_a"]] - means[row["outlet_b"]])
    return {kind: float(np.mean(held)) for kind, held in hits.items()}


def false_differences(
    n_articles: int | tuple[int, ...], world: World, runs: int, n_outlets: int = 20, seed: int = 0
) -> float:
    """Share of runs in which any two of so many equal outlets are declared to differ."""
    rng = np.random.default_rng([seed, *np.ravel(n_articles)])
    equal = {f"outlet {at}": 0.0 for at in range(n_outlets)}
    return float(
        np.mean(
            [
                compare_pairs(draw_articles(equal, n_articles, world, rng), min_articles=2)["differs"].any()
                for _ in range(runs)
            ]
        )
    )


def planned_power(runs: int, seed: int = 0) -> tuple[int, float]:
    """Articles that `plan` asks of each of two outlets, by a pilot of 30, and the share of runs that then show the difference."""
    rng = np.random.default_rng(seed)
    two = {"plain": 0.0, "warm": 0.5}
    means = [true_share(BASE + warmth, EVENT_SD, ARTICLE_SD) for warmth in two.values()]
    # Every event is a story of its own here: outlets that share events need fewer.
    alone = [
        draw_articles(two, 30, WORLDS["usual"], rng).with_columns(event_id=pl.lit(None, pl.String)) for _ in range(9)
    ]
    spread = float(np.sqrt(np.mean([spread_of_articles(pilot) ** 2 for pilot in alone])))
    (needed,) = plan([means[1] - means[0]], spread=spread)
    shown = [
        compare_pairs(
            draw_articles(two, needed.articles, WORLDS["usual"], rng).with_columns(event_id=pl.lit(None, pl.String))
        )["differs"][0]
        for _ in range(runs)
    ]
    return needed.articles, float(np.mean(shown))


def false_words(
    n_articles: int, runs: int, n_outlets: int = 6, seed: int = 0, copies: int = 1, alike: int = 1
) -> float:
    """Share of runs in which any word is declared an outlet's own, though all draw from one pool and articles repeat theirs.

    The first outlet prints each text `copies` times; `alike` articles of an outlet are on one event, which they have the
    subject of in common.
    """
    rng = np.random.default_rng([seed, n_articles])
    chance = 1 / np.arange(1, 301)
    chance /= chance.sum()
    found = []
    for _ in range(runs):
        rows, subjects = [], {}
        for article in range(n_outlets * n_articles):
            outlet, number = article % n_outlets, article // n_outlets
            if number % alike == 0:
                # An article's subject: some words come again and again in it.
                subjects[outlet] = rng.dirichlet(300 * 0.2 * chance + 1e-9)
            drawn = rng.choice(300, rng.poisson(8), p=subjects[outlet])
            for copy in range(copies if outlet == 0 else 1):
                for at, word in enumerate(drawn):
                    text = f"word{'abcdefghij'[word % 10]}{'abcdefghij'[word // 10 % 10]}{'abc'[word // 100]}"
                    words = [{"text": text, "score": 0.9, "in_quote": False}]
                    event = f"{outlet} {number // alike}"
                    rows.append((f"a{article} {copy}", at, f"outlet {outlet}", 0, len(text), text, words, event))
        columns = ["article_id", "sentence_id", "outlet", "start", "end", "text", "words", "event_id"]
        sentences = pl.DataFrame(rows, schema=columns, orient="row")
        articles = sentences.select("article_id", "outlet", "event_id").unique()
        table = own_words(sentences.lazy(), articles)
        found.append(bool((table["p_adjusted"] < 0.05).any()))
    return float(np.mean(found))


def false_devices(n_articles: int, runs: int, n_outlets: int = 20, seed: int = 0) -> float:
    """Share of runs in which any device is declared, though all outlets use each once an article, some articles far more."""
    rng = np.random.default_rng([seed, n_articles])
    found = []
    for _ in range(runs):
        n = n_outlets * n_articles
        words = np.maximum(60, (600 * rng.gamma(1.5, 1 / 1.5, n)).astype(int))
        uses = rng.poisson(words[:, None] / 600 * rng.exponential(1, (n, len(KINDS))))
        articles = pl.DataFrame({"n_words": words, "n_own": np.maximum(3, words // 20)}).with_columns(
            article_id=pl.format("a{}", pl.int_range(n)), outlet=pl.format("o{}", pl.int_range(n) % n_outlets)
        )
        kinds = [[kind for kind, k in zip(KINDS, row, strict=True) for _ in range(k)] for row in uses]
        as_word = pl.struct(
            pl.element().alias("kind"),
            pl.lit("one").alias("text"),
            pl.lit(value=False).alias("in_quote"),
            pl.lit(0.0).alias("praise"),
        )
        sentences = articles.select("article_id", words=pl.Series(kinds).list.eval(as_word))
        table = compare_devices(articles, sentences.lazy())
        assert table is not None
        found.append(bool(table["differs"].any()))
    return float(np.mean(found))


def few_outlets(
    numbers: list[int], n_events: int | None, runs: int, seed: int = 0, *, heavy: bool = False
) -> dict[str, float]:
    """Of outlets with so many articles on a few events of their own, or each on one: how often intervals hold the truth, and
    what is found where outlets are alike. With `heavy` tails a few outlets are far from the others."""
    n_outlets = len(numbers)
    rng = np.random.default_rng([seed, n_outlets, n_events or 0])
    between, event_sd, article_sd = 0.05, 0.1, 0.05
    truth = between**2 / (between**2 + event_sd**2 + article_sd**2 * (n_events or numbers[0]) / numbers[0])
    outlet = np.repeat(np.arange(n_outlets), numbers)
    own = np.concatenate([np.arange(number) % (n_events or number) for number in numbers])
    event = np.unique([outlet, own], axis=1, return_inverse=True)[1]

    def drawn(means: NDArray[np.float64]) -> pl.DataFrame:
        moved = rng.normal(0, event_sd, event.max() + 1)[event]
        share = means[outlet] + moved + rng.normal(0, article_sd, len(outlet))
        about = {"outlet": outlet, "event_id": event}
        table = pl.DataFrame({**about, "loaded_share": share.clip(0, 1)}).with_columns(pl.col(*about).cast(pl.String))
        return table.with_columns(n_own=20, n_sentences=20, n_quoted=0)

    held, splits, alike = [], [], []
    for _ in range(runs):
        means = 0.4 + between * (rng.standard_t(3, n_outlets) / 3**0.5 if heavy else rng.normal(0, 1, n_outlets))
        articles = drawn(means)
        for row in shrink(articles).to_dicts():
            held.append(row["shrunken_low"] <= means[int(row["outlet"])] <= row["shrunken_high"])
        split, none = split_variance(articles), split_variance(drawn(np.full(n_outlets, 0.4)))
        assert split is not None and none is not None  # noqa: PT018  some have two articles
        splits.append(split.share_low <= truth <= split.share_high)
        alike.append(none.share_between)
    kinds = (
        "drawn towards the others",
        "share of variance",
        "share of variance found between outlets that are alike, on average",
    )
    return {kind: float(np.mean(found)) for kind, found in zip(kinds, (held, splits, alike), strict=True)}


# With labels


@dataclass(frozen=True)
class Labelled:
    """Two outlets of one true share, which the classifier reads too high and too low."""

    share: float
    n_labels: int
    n_articles: tuple[int, int] = (60, 60)
    n_events: int | None = None  # that the articles are on; each on one of its own if None

    @property
    def log_odds(self) -> float:
        """Of an average sentence, so that the outlet's share is `share`."""
        spreads = (EVENT_SD, ARTICLE_SD, WORDING_SD)
        low, high = -12.0, 12.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if true_share(middle, *spreads) < self.share else (low, middle)
        return low


ERRORS = {"read too high": 0.8, "read too low": -0.5}


def one_sample(case: Labelled, seed: int) -> dict[str, tuple[bool, float, bool, float, bool, float]]:
    """For each outlet: corrected holds, its width, labels alone hold, their width, the model alone holds, effective ratio."""
    rng = np.random.default_rng([seed, case.n_labels, int(1000 * case.share)])
    frames = []
    for (outlet, error), n_articles in zip(ERRORS.items(), case.n_articles, strict=True):
        temper = rng.normal(0, np.hypot(EVENT_SD, ARTICLE_SD), n_articles)
        on = [None] * n_articles
        if case.n_events:
            on = [f"{outlet} {at % case.n_events}" for at in range(n_articles)]
            temper = rng.normal(0, ARTICLE_SD, n_articles) + np.resize(
                rng.normal(0, EVENT_SD, case.n_events), n_articles
            )
        lengths = 3 + rng.negative_binomial(1.5, 1.5 / (1.5 + 35), n_articles)
        article = np.repeat(np.arange(n_articles), lengths)
        log_odds = case.log_odds + temper[article] + rng.normal(0, WORDING_SD, len(article))
        columns = {
            "article_id": [f"{outlet} {at}" for at in article],
            "event_id": pl.Series([on[at] for at in article], dtype=pl.String),
            "p_own": sigmoid(log_odds + error + rng.normal(0, CONFUSION_SD, len(article))).astype(np.float32),
            "loaded": (rng.random(len(article)) < sigmoid(log_odds)).astype(float),
        }
        frames.append(pl.DataFrame(columns).with_columns(outlet=pl.lit(outlet), text=pl.lit("")))
    sentences = pl.concat(frames).with_columns(sentence_id=pl.int_range(pl.len(), dtype=pl.Int32).over("article_id"))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sentences").mkdir()
        sentences.drop("loaded").write_parquet(Path(folder) / "sentences" / "part-00000.parquet")
        alike = len(set(case.n_articles)) == 1
        sample = draw_sample(folder, case.n_labels * len(ERRORS), seed=seed, outlets=list(ERRORS) if alike else None)
    truth = sentences.select("article_id", pl.col("sentence_id").cast(pl.Int64), label="loaded")
    gold = sample.drop("label").join(truth, on=["article_id", "sentence_id"])
    articles = sentences.select("article_id", "outlet", "event_id").unique(maintain_order=True)
    corrected = correct_by_gold(articles, sentences.lazy(), gold)
    found = {}
    for row in corrected.shares.filter(pl.col("outlet") != ALL_OUTLETS).to_dicts():
        counted = (
            sentences.filter(pl.col("outlet") == row["outlet"])
            .group_by("article_id")
            .agg(pl.col("p_own").mean().cast(pl.Float64).alias("loaded_share"), pl.len().cast(pl.Int64).alias("n_own"))
        )
        raw = _raw_interval(counted)
        found[row["outlet"]] = (
            row["ci_low"] <= case.share <= row["ci_high"],
            row["ci_high"] - row["ci_low"],
            row["classical_low"] <= case.share <= row["classical_high"],
            row["classical_high"] - row["classical_low"],
            raw[0] <= case.share <= raw[1],
            row["effective_ratio"],
        )
    (pair,) = corrected.pairs.to_dicts()
    found["difference"] = (
        pair["ci_low"] <= 0 <= pair["ci_high"],
        pair["ci_high"] - pair["ci_low"],
        True,
        1.0,
        True,
        1.0,
    )
    return found


def _raw_interval(counted: pl.DataFrame) -> tuple[float, float]:
    n = counted["n_own"].to_numpy().astype(float)
    interval = interval_of_sums(counted["loaded_share"].to_numpy() * n, n)
    return interval.low or 0.0, interval.high or 1.0


def corrected_coverage(case: Labelled, runs: int, processes: int = 1) -> dict[str, NDArray[np.float64]]:
    """Means over the runs of what `one_sample` gives."""
    if processes > 1:
        with ProcessPoolExecutor(processes) as pool:
            found = list(pool.map(one_sample, [case] * runs, range(runs), chunksize=10))
    else:
        found = [one_sample(case, seed) for seed in range(runs)]
    return {of: np.nanmean(np.array([each[of] for each in found], float), axis=0) for of in found[0]}


def rows(runs: int, labels_runs: int, processes: int) -> Iterator[tuple[str, str, str]]:
    """Of the table: what, in which world, what was found."""
    for (name, world), n_articles in product(WORLDS.items(), (5, 10, 30)):
        where = f"{n_articles} articles an outlet, {name}"
        for kind, held in coverage(n_articles, world, runs).items():
            yield f"95% interval of an {kind}" if kind[0] == "o" else f"95% interval of a {kind}", where, f"{held:.1%}"
    for name, n_articles in product(("usual", "a third agency copies, found as events"), (10, 30)):
        found = false_differences(n_articles, WORLDS[name], runs // 2)
        yield (
            "any difference declared among 20 equal outlets",
            f"{n_articles} articles an outlet, {name}",
            f"{found:.1%}",
        )
    for n_articles in ((3, 40), (5, 60), (10, 200)):
        found = false_differences(n_articles, WORLDS["usual"], runs, n_outlets=2)
        yield (
            "a difference declared of two equal outlets",
            f"{n_articles[0]} and {n_articles[1]} articles",
            f"{found:.1%}",
        )
    found = false_differences((10, 200), WORLDS["usual"], runs // 5)
    yield "any difference declared among 20 equal outlets", "10 and 200 articles in turn", f"{found:.1%}"
    found = false_devices(30, runs // 10)
    yield "any device declared, 20 equal outlets", "30 articles an outlet", f"{found:.1%}"
    n_articles, found = planned_power(runs)
    yield (
        "a difference that `plan` planned for is declared (asked: 80%)",
        f"{n_articles} articles an outlet, as planned",
        f"{found:.1%}",
    )
    for n_articles, copies, alike in ((10, 1, 1), (30, 1, 1), (10, 5, 1), (30, 5, 1), (30, 1, 3)):
        found = false_words(n_articles, max(1, runs // 10), copies=copies, alike=alike)
        where = f"{n_articles} articles an outlet, of which one prints each {copies} times, {alike} on an event"
        yield "any own word declared, 6 outlets of one pool", where, f"{found:.1%}"
    for n_outlets, n_events in product((5, 10, 30), (30, 6)):
        for kind, found in few_outlets([30] * n_outlets, n_events, runs // 2).items():
            yield kind, f"{n_outlets} outlets with 30 articles on {n_events} events each", f"{found:.1%}"
    for numbers, heavy in product(([30] * 10, [3] * 10 + [100] * 4, [2] * 30 + [300] * 2), (False, True)):
        found = few_outlets(numbers, None, runs // 2, heavy=heavy)["share of variance"]
        where = (
            f"{len(numbers)} outlets with {numbers[0]} to {numbers[-1]} articles{', a few far from the others' * heavy}"
        )
        yield "share of variance", where, f"{found:.1%}"
    cases = [Labelled(share, n_labels) for share, n_labels in product((0.02, 0.15, 0.4), (50, 100, 300))]
    cases += [Labelled(0.15, 300, n_events=n) for n in (20, 10)]
    # As `sample` draws from outlets of which one is small: few of its labels are loaded, or none.
    cases += [Labelled(share, 100, (20, 150)) for share in (0.02, 0.05)]
    for case in cases:
        found = corrected_coverage(case, labels_runs, processes)
        high, low = found["read too high"], found["read too low"]
        wider = max(high[1] / high[3], low[1] / low[3]) - 1
        yield (
            "95% interval of a share corrected by labels",
            f"true share {case.share}, {case.n_labels} labels of outlets with {case.n_articles[0]} and {case.n_articles[1]} articles{f', {case.n_events} events' if case.n_events else ''}, read too high and too low",
            f"{high[0]:.1%} and {low[0]:.1%} (model alone {high[4]:.1%} and {low[4]:.1%}); at most {wider:+.1%} wider than labels alone, "
            f"which hold {high[2]:.1%} and {low[2]:.1%}; their difference {found['difference'][0]:.1%}; a label is worth {high[5]:.2f} "
            f"and {low[5]:.2f} drawn without scores",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--labels-runs", type=int, default=400)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    print("| what | world | share of runs |\n|---|---|---|")
    for row in rows(arguments.runs, arguments.labels_runs, arguments.processes):
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
