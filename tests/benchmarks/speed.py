"""How fast, against a peer in the same run: python tests/benchmarks/speed.py [--corpora DIR] [--only PART] [--before DIR]

The transformer's peers are encoders that need the extra train and their weights (see loadedwords.training.encoders).
Prints a table of ratios; nothing here is a test, for a timing depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import psutil
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

import loadedwords
from loadedwords.models.onnx_scorer import sentence_probability
from loadedwords.scoring import FramingModel
from loadedwords.scoring.model import ARTICLES_AT_ONCE
from loadedwords.scoring.results import scored_apart
from loadedwords.text import prepare_text
from loadedwords.text.boilerplate import boilerplate_reason
from loadedwords.text.cleaning import clean_text
from loadedwords.text.sentences import find_sentences
from loadedwords.training.corpora import load_corpus

ROOT = Path(__file__).parents[2]
N_SENTENCES = 20_000
N_TRANSFORMER = 640
N_ENGINE = 4_000
N_RUN = 240
N_FLOAT = 4_000
N_ARTICLES = 64
N_ROUNDS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "corpora")
    parser.add_argument("--before", type=Path, help="checkout of an earlier version, to score beside this one")
    parts = {
        "transformer": transformer_against_pipelines,
        "engine": run_against_engine,
        "float": int8_against_float,
        "linear": linear_against_scikit_learn,
        "start": start_up,
        "voice": own_voice_against_none,
        "batch": whole_batch,
    }
    parser.add_argument("--only", choices=parts, action="append")
    given = parser.parse_args()
    articles = given.corpora / "articles.parquet"
    if not articles.is_file():
        sys.exit(f"{articles} is not there: name the folder of the corpora with --corpora")
    for part in given.only or parts:
        parts[part](articles)
    if given.before:
        run_against_earlier(articles, given.before)


def real_sentences(articles: Path, n: int) -> list[str]:
    sentences: list[str] = []
    for text in pl.read_parquet(articles)["text"]:
        sentences.extend(sentence.text for sentence in prepare_text(text).sentences)
        if len(sentences) >= n:
            break
    return sentences[:n]


def transformer_against_pipelines(articles: Path) -> None:
    """transformers.pipeline in float32, batches of 32, as many threads: with MPNet, and with the very same MiniLM."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
    from transformers.utils import logging

    from loadedwords.training.encoders import find_encoder

    logging.set_verbosity_error()
    threads = os.cpu_count() or 1
    torch.set_num_threads(threads)
    sentences = real_sentences(articles, N_TRANSFORMER)
    model = loadedwords.load_model()
    runs: dict[str, Callable[[], object]] = {
        "loadedwords, probabilities and words": lambda: model.find_loaded_words(sentences)
    }
    for name in ("sentence-transformers/all-MiniLM-L6-v2", "sentence-transformers/all-mpnet-base-v2"):
        folder = find_encoder(name)
        classify = pipeline(
            "text-classification",
            model=AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, dtype=torch.float32),
            tokenizer=AutoTokenizer.from_pretrained(folder),
        )
        runs[f"transformers.pipeline, {name.split('/')[1]}"] = lambda c=classify: c(
            sentences, batch_size=32, truncation=True
        )
    # In turns, so that a disturbance of the machine meets them all.
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(3):
        for name, work in runs.items():
            times[name].append(seconds_of(work))
    rates = {name: len(sentences) / statistics.median(took) for name, took in times.items()}
    ours = rates["loadedwords, probabilities and words"]
    print(f"{len(sentences):,} real sentences, {threads} threads, median of 3 runs in turns:")
    for name, found in rates.items():
        print(f"  {name}: {found:,.1f} sentences/s; loadedwords is {ours / found:.1f} times as fast")


def run_against_engine(articles: Path) -> None:
    """A whole run, from Parquet to report, beside its engine alone: one process for each core, batches ready, nothing else."""
    sentences = real_sentences(articles, N_ENGINE)
    model = loadedwords.load_model()
    windows = model._scorer._tokenizer.encode_batch(sentences)
    with tempfile.TemporaryDirectory() as folder:
        some = Path(folder) / "articles.parquet"
        pl.read_parquet(articles).head(N_RUN).write_parquet(some)
        engine, run = [], []
        for _ in range(3):  # in turns, so that a disturbance of the machine meets both
            engine.append(len(sentences) / seconds_of(lambda: list(model._scorer._read(windows))))
            run.append(scored_per_second(some, Path(folder) / "scores"))
    print(f"{N_RUN} real articles, {os.cpu_count()} cores, median of 3 in turns:")
    print(
        f"  the engine alone, {len(sentences):,} sentences in ready batches: {statistics.median(engine):,.0f} sentences/s"
    )
    print(
        f"  loadedwords score, own words' scores counted as sentences: {statistics.median(run):,.0f} sentences/s, "
        f"{statistics.median(run) / statistics.median(engine):.0%} of it"
    )


def run_against_earlier(articles: Path, before: Path) -> None:
    """The same articles by another version of this package, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        some = Path(folder) / "articles.parquet"
        pl.read_parquet(articles).head(N_RUN).write_parquet(some)
        sources = {"before": before / "src", "now": ROOT / "src"}
        rates: dict[str, list[float]] = {name: [] for name in sources}
        for _ in range(3):
            for name, source in sources.items():
                rates[name].append(scored_per_second(some, Path(folder) / "scores", source))
    ratios = [now / then for now, then in zip(rates["now"], rates["before"], strict=True)]
    print(
        f"{N_RUN} real articles, start to end: {statistics.median(rates['now']):,.0f} sentences/s, "
        f"{statistics.median(ratios):.2f} times the version in {before} (median of 3 in turns: {', '.join(f'{r:.2f}' for r in ratios)})"
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


def int8_against_float(articles: Path) -> None:
    """The embedded model beside its own weights in float arithmetic."""
    from loadedwords.training.restore import restore_checkpoint
    from loadedwords.training.transformer import TransformerFramingClassifier

    sentences = real_sentences(articles, N_FLOAT)
    model = loadedwords.load_model()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = restore_checkpoint(model.bundle, Path(folder) / "checkpoint")
        exact = TransformerFramingClassifier.from_checkpoint(checkpoint).logits(sentences).sentence
    settings = model._scorer.settings
    scores = [sentence_probability(of, settings) for of in (exact, model._scorer.logits(sentences).sentence)]
    apart = np.abs(scores[0] - scores[1])
    print(
        f"{len(sentences):,} real sentences, int8 beside float: {np.mean(apart <= 0.01):.1%} within .01, 99% within "
        f"{np.quantile(apart, 0.99):.3f}, on average {np.mean(scores[1] - scores[0]):+.4f}, other decisions "
        f"{np.mean((scores[0] >= 0.5) != (scores[1] >= 0.5)):.2%}"
    )


def own_voice_against_none(articles: Path) -> None:
    """Articles scored as they are, and the same sentences without asking who speaks: split and scored, no more."""
    model = loadedwords.load_model()
    real = pl.read_parquet(articles)["text"].to_list()
    texts = real[:N_ARTICLES]

    def with_voices() -> None:
        for _ in model.score_articles(texts):
            pass

    def without() -> None:
        for start in range(0, len(texts), ARTICLES_AT_ONCE):
            found = []
            for text in texts[start : start + ARTICLES_AT_ONCE]:
                clean = clean_text(text).text
                found += [clean[span.start : span.end] for span in find_sentences(clean)]
            model._scorer.score([sentence for sentence in found if boilerplate_reason(sentence) is None])

    n = sum(len(prepare_text(text).sentences) for text in texts)
    with_voices(), without()
    more = []
    for _ in range(N_ROUNDS):  # in turns, so that a disturbance of the machine meets both
        more.append(seconds_of(with_voices) / seconds_of(without) - 1)
    low, middle, high = np.quantile(more, [0.25, 0.5, 0.75])
    print(
        f"{len(texts)} articles, {n:,} sentences: own voice, speakers and quotations take {middle:.1%} more time than the same "
        f"sentences scored whole only, median of {N_ROUNDS} rounds (the middle half {low:.1%} to {high:.1%})"
    )
    spared_own_scores(model, real[N_ARTICLES : 8 * N_ARTICLES])


def spared_own_scores(model: FramingModel, texts: list[str]) -> None:
    """What it changes that some mixed sentences' own words take the score of the whole."""
    mixed = [s for text in texts for s in prepare_text(text).sentences if s.voice == "mixed"]
    whole, words = model._scorer.score([s.text for s in mixed])
    own, _ = model._scorer.score([s.own_text for s in mixed])
    at = model.threshold
    spared = np.array([not scored_apart(s, p, w, at) for s, p, w in zip(mixed, whole, words, strict=True)])
    length = np.array([len(s.own_text) for s in mixed])
    changed = (whole >= at) != (own >= at)
    print(
        f"  of {len(mixed):,} sentences with a quotation and words of the outlet {spared.mean():.0%} are spared a second score, "
        f"{length[spared].sum() / length.sum():.0%} of its text: p_own is {np.abs(whole - own)[spared].mean():.3f} off on average "
        f"({(whole - own)[spared].mean():+.3f} with its sign), the decision another in {changed[spared].mean():.2%}"
    )


def linear_against_scikit_learn(articles: Path) -> None:
    """The same kinds of n-grams and the same classifier, as scikit-learn counts and scores them."""
    sentences = real_sentences(articles, N_SENTENCES)
    labelled = load_corpus(str(ROOT / "notebooks" / "data" / "labelled.csv"))
    words = TfidfVectorizer(ngram_range=(1, 2))
    characters = TfidfVectorizer(ngram_range=(3, 5), analyzer="char_wb")
    peer = make_pipeline(make_union(words, characters), LogisticRegression()).fit(
        labelled["text"][:], labelled["label"][:]
    )
    model = loadedwords.load_model("linear")
    ours = rate(lambda: model.predict_proba(sentences), len(sentences))
    theirs = rate(lambda: peer.predict_proba(sentences), len(sentences))
    both = rate(lambda: model.find_loaded_words(sentences), len(sentences))
    print(f"{len(sentences):,} real sentences, one process, median of 5 runs:")
    print(f"  scikit-learn TfidfVectorizer + LogisticRegression: {theirs:,.0f} sentences/s")
    print(f"  the linear tier, probabilities: {ours:,.0f} sentences/s, {ours / theirs:.1f} times as fast")
    print(
        f"  the linear tier, probabilities and loaded words: {both:,.0f} sentences/s, {both / theirs:.1f} times as fast"
    )


def start_up(_: Path) -> None:
    """Beside an interpreter that does nothing."""
    bare = seconds("-c", "pass")
    first_score = "import loadedwords; loadedwords.load_model({!r}).predict_proba(['x'])"
    print("start-up, median of 7 runs:")
    for name, code in {
        "loadedwords --help": ("-m", "loadedwords", "--help"),
        "import loadedwords": ("-c", "import loadedwords"),
        "first score from a cold start": ("-c", first_score.format("default")),
        "the same, linear tier": ("-c", first_score.format("linear")),
    }.items():
        took = seconds(*code)
        print(f"  {name}: {took:.2f} s ({took / bare:.1f} times a bare interpreter)")


def whole_batch(articles: Path) -> None:
    """Everything, from Parquet to report, with the memory of all processes together."""
    for model in ("linear", "default"):
        whole_batch_with(model, articles)


def whole_batch_with(model: str, articles: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "loadedwords", "score", str(articles), "-o", folder, "-m", model]
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = peak_memory(process)
        took = time.perf_counter() - begun
        scored = pl.read_parquet(Path(folder) / "articles" / "part-*.parquet")
    print(
        f"all of {articles.name} by {model}, {os.cpu_count()} cores: {scored.height:,} articles, {scored['n_sentences'].sum():,} sentences"
    )
    print(
        f"  exit status {process.returncode}, {took:.0f} s, {scored['n_sentences'].sum() / took:,.0f} sentences/s from Parquet to report"
    )
    print(f"  peak memory of all processes together: {peak / 2**20:,.0f} MiB")


def rate(work: Callable[[], object], n: int) -> float:
    work()
    return n / statistics.median(seconds_of(work) for _ in range(5))


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


def peak_memory(process: subprocess.Popen[bytes]) -> int:
    """Bytes that the process and its descendants held together at most, until it ends."""
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [parent := psutil.Process(process.pid), *parent.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in family))
        time.sleep(0.05)
    return peak


if __name__ == "__main__":
    main()
