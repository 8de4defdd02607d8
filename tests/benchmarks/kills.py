"""Runs killed at random moments: python tests/benchmarks/kills.py [--kills 50] [--engine local] [--articles 2000]

A day of short articles is scored and another added to it, half of it known and some of it corrected, once without a
disturbance, and then over and over with `kill -9` for all processes of a run, up to five times in a row, before it is
let go on to its end. Every file must come out the same, byte for byte. What is told of itself in `run.json`, such as
its seconds, is not compared. Exits with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from memory import short_articles

MOST_IN_A_ROW = 5
WRITTEN = ("*/part-*.parquet", "outlets.*", "rejects.jsonl", "report.html")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    parser.add_argument("--articles", type=int, default=2_000, help="of each day")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(kill_runs(given.kills, engine=given.engine, articles=given.articles, seed=given.seed))


def kill_runs(kills: int, *, engine: str = "local", articles: int = 2_000, seed: int = 0) -> str:
    """What came of it; ends the process where any file differs."""
    drawn = random.Random(seed)
    with tempfile.TemporaryDirectory() as desk:
        days = write_days(Path(desk), articles)
        where = ["--workers", "2"] if engine == "local" else ["--engine", engine]
        commands = [[*command(day), *where] for day in days]
        commands[1] += ["--add", "--changed", "replace"]
        n_kills = n_runs = n_reused = 0
        # All by the same name, which the report tells.
        folder, *whole = (Path(desk) / name / "scores" for name in ("killed", "whole1", "whole2"))
        for place in (folder, *whole):
            place.parent.mkdir()
        took = [undisturbed(commands, whole, at) for at in range(2)]
        while n_kills < kills:
            at = n_runs % 2
            if at:
                shutil.copytree(whole[0], folder)
            wanted = min(drawn.randint(1, MOST_IN_A_ROW), kills - n_kills)
            killed = sum(kill(commands[at], folder, drawn.uniform(0, took[at])) for _ in range(wanted))
            n_reused += finish(commands[at], folder)
            if differ := sorted(written(folder).items() ^ written(whole[at]).items()):
                sys.exit(f"after {killed} kills of run {n_runs} another {', '.join(dict(differ))}")
            n_kills, n_runs = n_kills + killed, n_runs + 1
            shutil.rmtree(folder)
    return (
        f"{n_kills} kills in {n_runs} runs, every second one an addition, engine {engine}: all files the same; "
        f"{n_reused} shards were taken from a killed run"
    )


def write_days(desk: Path, n: int) -> list[Path]:
    """The second day begins in the middle of the first; every tenth article that is known was corrected."""
    articles = list(short_articles(n + n // 2))
    second = [
        article | ({"text": f"{article['text']} This article was corrected."} if at < n // 2 and at % 10 == 0 else {})
        for at, article in enumerate(articles[n // 2 :])
    ]
    days = [desk / f"day{number}.jsonl" for number in (1, 2)]
    for file, of_day in zip(days, (articles[:n], second), strict=True):
        broken = '{"id": "broken"\n'
        file.write_text("".join(json.dumps(article) + "\n" for article in of_day) + broken, encoding="utf-8")
    return days


def command(day: Path) -> list[str]:
    words = ["-m", "loadedwords", "score", str(day), "-m", "linear", "--report-articles", "20"]
    return [sys.executable, *words]


def undisturbed(commands: Sequence[list[str]], whole: Sequence[Path], at: int) -> float:
    """Seconds."""
    if at:
        shutil.copytree(whole[0], whole[1])
    begun = time.perf_counter()
    finish(commands[at], whole[at])
    return time.perf_counter() - begun


def finish(words: list[str], folder: Path) -> int:
    """Shards that were there already."""
    ran = subprocess.run([*words, "-o", folder.name], cwd=folder.parent, capture_output=True, text=True, check=False)
    if ran.returncode != 3:  # the broken line is rejected
        sys.exit(f"exit status {ran.returncode}: {ran.stderr}")
    reused: int = json.loads((folder / "run.json").read_text(encoding="utf-8"))["counts"]["shards_reused"]
    return reused


def kill(words: list[str], folder: Path, seconds: float) -> bool:
    """Whether the run was still going on."""
    process = subprocess.Popen(
        [*words, "-o", folder.name],
        cwd=folder.parent,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    family = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    going_on = process.poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for member in family:  # Ray's are of other groups
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
    return going_on


def written(folder: Path) -> dict[str, bytes]:
    files = (file for pattern in WRITTEN for file in folder.glob(pattern))
    # The report tells the folder.
    return {str(file.relative_to(folder)): file.read_bytes().replace(str(folder).encode(), b"") for file in files}


if __name__ == "__main__":
    main()
