"""How fast, against a peer in the same run: python tests/benchmarks/speed.py [--corpora DIR]

Prints a table of ratios; nothing here is a test, for a timing depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

import loadedwords
from loadedwords.corpora import load_corpus
from loadedwords.text import prepare_text

ROOT = Path(__file__).parents[2]
N_SENTENCES = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "corpora")
    corpora = parser.parse_args().corpora
    articles = corpora / "articles.parquet"
    if not articles.is_file():
        sys.exit(f"{articles} is not there: name the folder of the corpora with --corpora")
    scoring_against_scikit_learn(pl.read_parquet(articles)["text"].to_list())
    start_up()
    whole_batch(articles)


def scoring_against_scikit_learn(texts: list[str]) -> None:
    """The same kinds of n-grams and the same classifier, as scikit-learn counts and scores them."""
    sentences: list[str] = []
    for text in texts:
        sentences.extend(sentence.text for sentence in prepare_text(text).sentences)
        if len(sentences) >= N_SENTENCES:
            break
    labelled = load_corpus(str(ROOT / "notebooks" / "data" / "labelled.csv"))
    words = TfidfVectorizer(ngram_range=(1, 2))
    characters = TfidfVectorizer(ngram_range=(3, 5), analyzer="char_wb")
    peer = make_pipeline(make_union(words, characters), LogisticRegression()).fit(
        labelled["text"][:], labelled["label"][:]
    )
    model = loadedwords.load_model()
    ours = rate(lambda: model.predict_proba(sentences), len(sentences))
    theirs = rate(lambda: peer.predict_proba(sentences), len(sentences))
    both = rate(lambda: model.find_loaded_words(sentences), len(sentences))
    print(f"{len(sentences):,} real sentences, one process, median of 5 runs:")
    print(f"  scikit-learn TfidfVectorizer + LogisticRegression: {theirs:,.0f} sentences/s")
    print(f"  loadedwords probabilities: {ours:,.0f} sentences/s, {ours / theirs:.1f} times as fast")
    print(f"  loadedwords probabilities and loaded words: {both:,.0f} sentences/s, {both / theirs:.1f} times as fast")


def start_up() -> None:
    """Beside an interpreter that does nothing."""
    bare = seconds([sys.executable, "-c", "pass"])
    print("start-up, median of 7 runs:")
    for name, command in (
        ("loadedwords --help", [sys.executable, "-m", "loadedwords", "--help"]),
        ("import loadedwords", [sys.executable, "-c", "import loadedwords"]),
        (
            "first score from a cold start",
            [sys.executable, "-c", "import loadedwords; loadedwords.load_model().predict_proba(['x'])"],
        ),
    ):
        took = seconds(command)
        print(f"  {name}: {took:.2f} s ({took / bare:.1f} times a bare interpreter)")


def whole_batch(articles: Path) -> None:
    """Everything, from Parquet to report, with the memory of all processes together."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "loadedwords", "score", str(articles), "-o", folder]
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = [0]
        watcher = threading.Thread(target=watch, args=(process, peak))
        watcher.start()
        status = process.wait()
        watcher.join()
        took = time.perf_counter() - begun
        scored = pl.read_parquet(Path(folder) / "articles" / "part-*.parquet")
    print(
        f"all of {articles.name}, {os.cpu_count()} cores: {scored.height:,} articles, {scored['n_sentences'].sum():,} sentences"
    )
    print(
        f"  exit status {status}, {took:.0f} s, {scored['n_sentences'].sum() / took:,.0f} sentences/s from Parquet to report"
    )
    print(f"  peak memory of all processes together: {peak[0] / 2**20:,.0f} MiB")


def rate(work: Callable[[], object], n: int) -> float:
    work()
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return n / statistics.median(times)


def seconds(command: list[str]) -> float:
    times = []
    for _ in range(7):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


def watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    """Sum the resident memory of the process and its descendants (Linux only) until it ends."""
    while process.poll() is None:
        peak[0] = max(peak[0], sum(resident(pid) for pid in family(process.pid)))
        time.sleep(0.05)


def family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in family(int(child)))]


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    main()
