"""How fast, how large, how safe: python tests/benchmarks/speed.py [--corpora DIR] [--only PART] [--before DIR]

One table: what was measured, what it was held against in the same run, and their ratio. The transformer's peers are
encoders that need the extra train and their weights (see loadedwords.training.encoders); the float weights that the int8
ones are held against are made again from these, unless --float names a folder that has them as they were trained, and
--model the bundle that was made of them.
Nothing here is a test, for a timing depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import memory
import numpy as np
import polars as pl
from kills import kill_runs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

import loadedwords
from loadedwords.scoring.model import ARTICLES_AT_ONCE
from loadedwords.scoring.results import scored_apart
from loadedwords.text import prepare_text
from loadedwords.text.boilerplate import boilerplate_reason
from loadedwords.text.cleaning import clean_text
from loadedwords.text.sentences import find_sentences
from loadedwords.training.corpora import load_corpus

ROOT = Path(__file__).parents[2]
N_LINEAR = 20_000
N_PIPELINE = 640
N_ENGINE = 4_000
# Articles of a whole run and how often it is repeated: starting up and the report weigh on the shorter one.
RUNS = {240: 3, 960: 2}
N_VOICES = 64
N_ROUNDS = 7
SHORT_ARTICLES = (1_000, 10_000, 100_000)


@dataclass(frozen=True)
class Row:
    """A line of the table: a figure and what it is held against."""

    what: str
    ours: str
    peer: str = ""
    ratio: str = ""


@dataclass(frozen=True)
class Given:
    """What the command was told."""

    articles: Path
    before: Path | None
    floats: Path | None
    model: str | None
    kills: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "corpora")
    parser.add_argument("--before", type=Path, help="checkout of an earlier version, to score beside this one")
    parser.add_argument("--float", type=Path, help="folder of the float weights, as training left them")
    parser.add_argument("--model", help="the bundle that was made of them; the embedded one if not given")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--only", choices=PARTS, action="append")
    told = parser.parse_args()
    given = Given(told.corpora / "articles.parquet", told.before, told.float, told.model, told.kills)
    if not given.articles.is_file():
        sys.exit(f"{given.articles} is not there: name the folder of the corpora with --corpora")
    print(f"{os.cpu_count()} cores\n\n| what | measured | held against | ratio |\n|---|---|---|---|")
    for part in told.only or PARTS:
        for row in PARTS[part](given):
            print(f"| {row.what} | {row.ours} | {row.peer} | {row.ratio} |", flush=True)


def real_sentences(articles: Path, n: int) -> list[str]:
    sentences: list[str] = []
    for text in pl.read_parquet(articles)["text"]:
        sentences.extend(sentence.text for sentence in prepare_text(text).sentences)
        if len(sentences) >= n:
            break
    return sentences[:n]


def transformer_against_pipelines(given: Given) -> Iterator[Row]:
    """transformers.pipeline in float32, batches of 32, as many threads: with MPNet, and with the very same MiniLM."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
    from transformers.utils import logging

    from loadedwords.training.encoders import find_encoder

    logging.set_verbosity_error()
    torch.set_num_threads(os.cpu_count() or 1)
    sentences = real_sentences(given.articles, N_PIPELINE)
    model = loadedwords.load_model()
    runs: dict[str, Callable[[], object]] = {"ours": lambda: model.find_loaded_words(sentences)}
    for name in ("sentence-transformers/all-MiniLM-L6-v2", "sentence-transformers/all-mpnet-base-v2"):
        folder = find_encoder(name)
        classify = pipeline(
            "text-classification",
            model=AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, dtype=torch.float32),
            tokenizer=AutoTokenizer.from_pretrained(folder),
        )
        runs[name.split("/")[1]] = lambda c=classify: c(sentences, batch_size=32, truncation=True)
    rates = {name: len(sentences) / seconds for name, seconds in in_turns(runs, 3).items()}
    for name in list(rates)[1:]:
        yield Row(
            f"probabilities and words of {len(sentences):,} real sentences",
            f"{rates['ours']:,.0f} sentences/s",
            f"`transformers.pipeline`, {name}, float32, batches of 32, probabilities only: {rates[name]:,.1f}",
            f"{rates['ours'] / rates[name]:.1f}",
        )


def whole_run(given: Given) -> Iterator[Row]:
    """From Parquet to report, beside its engine alone (every core busy, batches ready, nothing else) and another version."""
    sentences = real_sentences(given.articles, N_ENGINE)
    scorer = loadedwords.load_model()._scorer
    windows = scorer._tokenizer.encode_batch(sentences)
    peers = {"engine": f"the engine alone, {len(sentences):,} sentences in ready batches"}
    sources = {"now": ROOT / "src"}
    if given.before:
        sources["before"], peers["before"] = given.before / "src", f"the version in {given.before.name}"
    for n, rounds in RUNS.items():
        rates: dict[str, list[float]] = {name: [] for name in ("engine", *sources)}
        with tempfile.TemporaryDirectory() as folder:
            some = Path(folder) / "articles.parquet"
            pl.read_parquet(given.articles).head(n).write_parquet(some)
            for _ in range(rounds):  # in turns, so that a disturbance of the machine meets them all
                rates["engine"].append(len(sentences) / seconds_of(lambda: list(scorer._read(windows))))
                for name, source in sources.items():
                    rates[name].append(scored_per_second(some, Path(folder) / "scores", source))
        for name, peer in peers.items():
            ratios = [now / other for now, other in zip(rates["now"], rates[name], strict=True)]
            yield Row(
                f"{n} real articles, from Parquet to report, own words' scores counted as sentences",
                f"{statistics.median(rates['now']):,.0f} sentences/s",
                f"{peer}: {statistics.median(rates[name]):,.0f}",
                f"{statistics.median(ratios):.2f} ({', '.join(f'{r:.2f}' for r in ratios)})",
            )


def scored_per_second(articles: Path, folder: Path, source: Path = ROOT / "src") -> float:
    """Sentences that a whole run gives a score, those of own words among them, for each second from start to end."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "loadedwords", "score", str(articles), "-o", str(folder)]
    took = seconds_of(
        lambda: subprocess.run(
            command,
            check=True,
            env={**os.environ, "PYTHONPATH": str(source)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    scored = pl.read_parquet(folder / "sentences" / "part-*.parquet", columns=["p_loaded", "p_own"])
    own = scored.filter(pl.col("p_own").is_not_null() & (pl.col("p_own") != pl.col("p_loaded")))
    return (scored.height + own.height) / took


def int8_against_float(given: Given) -> Iterator[Row]:
    """A model beside its own weights in float arithmetic."""
    from loadedwords.training.restore import restore_checkpoint
    from loadedwords.training.transformer import TransformerFramingClassifier

    sentences = real_sentences(given.articles, N_ENGINE)
    model = loadedwords.load_model(given.model)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = given.floats or restore_checkpoint(model.bundle, Path(folder) / "checkpoint")
        exact = TransformerFramingClassifier.from_checkpoint(checkpoint).logits(sentences).sentence
    settings = model._scorer.settings
    scores = [settings.of_sentences(of) for of in (exact, model._scorer.logits(sentences).sentence)]
    apart = np.abs(scores[0] - scores[1])
    other = np.mean((scores[0] >= 0.5) != (scores[1] >= 0.5))
    yield Row(
        f"the int8 scores of {len(sentences):,} real sentences",
        f"{np.mean(apart <= 0.01):.1%} within .01, 99% within {np.quantile(apart, 0.99):.3f}, "
        f"on average {np.mean(scores[1] - scores[0]):+.4f}, other decisions {other:.2%}",
        f"{'the weights as they were trained' if given.floats else 'the same weights'}, in float arithmetic",
    )


def gpu_against_processor(given: Given) -> Iterator[Row]:
    """The same sentences on both; where there is no GPU, a row that says so."""
    here = loadedwords.load_model()
    try:
        there = loadedwords.load_model(device="cuda")
    except loadedwords.LoadedwordsError as error:
        yield Row("probabilities and words on a GPU", f"not measured: {str(error).splitlines()[0]}")
        return
    sentences = real_sentences(given.articles, N_ENGINE)
    took = in_turns(
        {name: lambda m=model: m.find_loaded_words(sentences) for name, model in (("gpu", there), ("cpu", here))}, 3
    )
    apart = np.abs(there.p_loaded(sentences) - here.p_loaded(sentences))
    yield Row(
        f"probabilities and words of {len(sentences):,} real sentences on a GPU, one process; scores apart by {apart.mean():.5f} on "
        f"average, {apart.max():.4f} at most",
        f"{len(sentences) / took['gpu']:,.0f} sentences/s",
        f"the processor: {len(sentences) / took['cpu']:,.0f}",
        f"{took['cpu'] / took['gpu']:.1f}",
    )


def own_voice_against_none(given: Given) -> Iterator[Row]:
    """Articles scored as they are, and the same sentences without asking who speaks: split and scored, no more."""
    model = loadedwords.load_model()
    texts = pl.read_parquet(given.articles)["text"].head(8 * N_VOICES).to_list()
    few = texts[:N_VOICES]

    def with_voices() -> None:
        for _ in model.score_articles(few):
            pass

    def without() -> None:
        for start in range(0, len(few), ARTICLES_AT_ONCE):
            found = []
            for text in few[start : start + ARTICLES_AT_ONCE]:
                clean = clean_text(text).text
                found += [clean[span.start : span.end] for span in find_sentences(clean)]
            model._scorer.score([sentence for sentence in found if boilerplate_reason(sentence) is None])

    with_voices(), without()
    # In turns, so that a disturbance of the machine meets both.
    more = [seconds_of(with_voices) / seconds_of(without) for _ in range(N_ROUNDS)]
    low, middle, high = np.quantile(more, [0.25, 0.5, 0.75])
    yield Row(
        f"time for {N_VOICES} articles with voices, speakers and own words' scores",
        f"median of {N_ROUNDS} rounds",
        "the same sentences split and scored whole, nothing else",
        f"{middle:.2f} (the middle half {low:.2f} to {high:.2f})",
    )
    mixed = [s for text in texts[N_VOICES:] for s in prepare_text(text).sentences if s.voice == "mixed"]
    whole, words = model._scorer.score([s.text for s in mixed])
    own, _ = model._scorer.score([s.own_text for s in mixed])
    at = model.threshold
    spared = np.array([not scored_apart(s, p, w, at) for s, p, w in zip(mixed, whole, words, strict=True)])
    changed = (whole >= at) != (own >= at)
    yield Row(
        f"{len(mixed):,} sentences with a quotation and words of the outlet",
        f"{spared.mean():.0%} take the score of the whole for their own words",
        "a second score for each",
        f"{np.abs(whole - own)[spared].mean():.3f} off on average ({(whole - own)[spared].mean():+.3f} with its sign), "
        f"another decision in {changed[spared].mean():.2%}",
    )


def linear_against_scikit_learn(given: Given) -> Iterator[Row]:
    """The same kinds of n-grams and the same classifier, as scikit-learn counts and scores them."""
    sentences = real_sentences(given.articles, N_LINEAR)
    labelled = load_corpus(str(ROOT / "notebooks" / "data" / "labelled.csv"))
    words = TfidfVectorizer(ngram_range=(1, 2))
    characters = TfidfVectorizer(ngram_range=(3, 5), analyzer="char_wb")
    peer = make_pipeline(make_union(words, characters), LogisticRegression()).fit(
        labelled["text"][:], labelled["label"][:]
    )
    model = loadedwords.load_model("linear")
    runs = {"ours": lambda: model.find_loaded_words(sentences), "peer": lambda: peer.predict_proba(sentences)}
    rates = {name: len(sentences) / seconds for name, seconds in in_turns(runs, 5).items()}
    yield Row(
        f"the linear tier, probabilities and words of {len(sentences):,} real sentences, one process",
        f"{rates['ours']:,.0f} sentences/s",
        f"scikit-learn's TfidfVectorizer and LogisticRegression, probabilities only: {rates['peer']:,.0f}",
        f"{rates['ours'] / rates['peer']:.1f}",
    )


def start_up(_: Given) -> Iterator[Row]:
    """Beside an interpreter that does nothing."""
    bare = seconds("-c", "pass")
    first_score = "import loadedwords; loadedwords.load_model({!r}).predict_proba(['x'])"
    for name, code in {
        "`loadedwords --help`": ("-m", "loadedwords", "--help"),
        "`import loadedwords`": ("-c", "import loadedwords"),
        "first score from a cold start": ("-c", first_score.format("default")),
        "the same, linear tier": ("-c", first_score.format("linear")),
    }.items():
        took = seconds(*code)
        yield Row(name, f"{took:.2f} s", f"a bare interpreter: {bare:.2f} s", f"{took / bare:.0f}")


def whole_corpus(given: Given) -> Iterator[Row]:
    """Everything, from Parquet to report, with the memory of all processes together."""
    for model in ("linear", "default"):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "loadedwords", "score", str(given.articles), "-o", folder, "-m", model]
            begun = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            peak = memory.peak_memory(process)
            took = time.perf_counter() - begun
            scored = pl.read_parquet(Path(folder) / "articles" / "part-*.parquet")
        n = scored["n_sentences"].sum()
        yield Row(
            f"all {scored.height:,} real articles, {n:,} sentences, by the {model} tier, from Parquet to report",
            f"{took:.0f} s, {n / took:,.0f} sentences/s; {peak / 2**20:,.0f} MiB at peak, all processes together",
        )


def flat_memory(_: Given) -> Iterator[Row]:
    """Peaks of runs of rising size."""
    peaks: dict[int, int] = {}
    for n, (name, articles) in zip((*SHORT_ARTICLES, 0), memory.inputs(SHORT_ARTICLES, 10), strict=True):
        peaks[n], _took = memory.run(articles, "linear", 2)
        middle = SHORT_ARTICLES[1]
        yield Row(
            f"memory of {name}, linear tier, two workers",
            f"{peaks[n] / 2**20:,.0f} MiB",
            f"{middle:,} articles",
            f"{peaks[n] / peaks[middle]:.2f}" if middle in peaks else "",
        )


def kills(given: Given) -> Iterator[Row]:
    yield Row("killed runs", kill_runs(given.kills), "runs without a disturbance")


PARTS: dict[str, Callable[[Given], Iterator[Row]]] = {
    "run": whole_run,
    "pipelines": transformer_against_pipelines,
    "float": int8_against_float,
    "linear": linear_against_scikit_learn,
    "start": start_up,
    "gpu": gpu_against_processor,
    "voice": own_voice_against_none,
    "memory": flat_memory,
    "kills": kills,
    "corpus": whole_corpus,
}


def in_turns(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median of each one's seconds; in turns, so that a disturbance of the machine meets them all."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for work in runs.values():
        work()
    for _ in range(rounds):
        for name, work in runs.items():
            times[name].append(seconds_of(work))
    return {name: statistics.median(took) for name, took in times.items()}


def seconds_of(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def seconds(*code: str) -> float:
    """Of an interpreter that does nothing else, median of 7."""
    command = [sys.executable, *code]
    return statistics.median(
        seconds_of(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)) for _ in range(7)
    )


if __name__ == "__main__":
    main()
