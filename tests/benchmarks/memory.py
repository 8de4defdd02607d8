"""How much memory a run takes: python tests/benchmarks/memory.py [--articles 1000 10000 100000] [--long 10]

Short articles made of the project's own sentences, each with a number that makes it new; then one very long article
among short ones. Every run is `loadedwords score`, from JSON lines to report; what is printed is the most that all its
processes held together. Nothing here is a test: the interpreter and the libraries are most of it, and differ between machines.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from subprocess import DEVNULL, Popen

import psutil

ROOT = Path(__file__).parents[2]
N_SENTENCES = 5
N_OUTLETS = 20
Row = dict[str, str | None]
TOPICS = ("politics", "business", "sport", "health")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--long", type=float, default=10, help="megabytes of the long article; 0 for none")
    parser.add_argument("-m", "--model", default="linear")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    first = None
    print(f"{'input':>32}  {'peak, MiB':>9}  {'of the first':>12}  {'seconds':>7}")
    for name, articles in inputs(given.articles, given.long):
        peak, took = run(articles, given.model, given.workers)
        first = first or peak
        print(f"{name:>32}  {peak / 2**20:9,.0f}  {peak / first:12.2f}  {took:7.0f}", flush=True)


def inputs(numbers: Sequence[int], megabytes: float) -> Iterator[tuple[str, Iterable[Row]]]:
    for n in numbers:
        yield f"{n:,} short articles", short_articles(n)
    if megabytes:
        yield f"500 and one of {megabytes:g} MB", [*short_articles(500), long_article(megabytes)]


def sentences() -> list[str]:
    rows = (ROOT / "notebooks" / "data" / "coverage.jsonl").read_text(encoding="utf-8").splitlines()
    found = [s for row in rows for s in re.split(r"(?<=[.!?])\s+", json.loads(row)["text"])]
    return [s for s in found if 40 < len(s) < 250]


def short_articles(n: int) -> Iterator[Row]:
    known, drawn = sentences(), random.Random(7)
    for k in range(n):
        text = " ".join(f"{s} That was case {k}-{at}." for at, s in enumerate(drawn.sample(known, N_SENTENCES - 2)))
        yield {
            "id": f"article-{k}",
            "outlet": f"Outlet {drawn.randrange(N_OUTLETS)}",
            "title": f"{drawn.choice(known)[:60]} {k}",
            "date": f"2024-{drawn.randrange(1, 13):02d}-{drawn.randrange(1, 29):02d}",
            "url": f"https://example.org/{k}",
            "topic": drawn.choice(TOPICS),
            "event_id": f"event-{k // 6}" if drawn.random() < 0.5 else None,
            "text": text,
        }


def long_article(megabytes: float) -> Row:
    known, drawn, parts, size = sentences(), random.Random(8), list[str](), 0
    while size < megabytes * 1_000_000:
        parts.append(f"{drawn.choice(known)} That was case {len(parts)}.")
        size += len(parts[-1]) + 1
    return {"id": "long", "outlet": "Outlet 0", "title": "All of it", "text": " ".join(parts)}


def run(articles: Iterable[Row], model: str, workers: int) -> tuple[int, float]:
    """Peak in bytes, and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "articles.jsonl"
        with source.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(article) + "\n" for article in articles)
        command = ["-m", "loadedwords", "score", str(source), "-o", f"{folder}/scores", "-m", model]
        command += ["--max-characters", "100000000"]  # a longer line is rejected by default
        begun = time.perf_counter()
        process = Popen([sys.executable, *command, "--workers", str(workers)], stdout=DEVNULL, stderr=DEVNULL)
        peak = peak_memory(process)
        if process.returncode:
            sys.exit(f"the run ended with {process.returncode}: {' '.join(command)}")
        return peak, time.perf_counter() - begun


def peak_memory(process: Popen[bytes]) -> int:
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
