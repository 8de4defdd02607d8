"""How soon an editor shows findings: python tests/benchmarks/editor.py [--rounds N]

A story of 1,000 words of the example articles: from starting the server to its first diagnostics, and from a change of
one word to those that follow, the pause for typing included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from lsp_client import Client

ROOT = Path(__file__).parents[2]
N_WORDS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    story = example_story()
    starts, changes, hovers = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        uri = (Path(folder) / "story.txt").as_uri()
        for _ in range(rounds):
            began = time.perf_counter()
            with Client(Path(folder)) as client:
                n_findings = len(client.open(uri, story))
                starts.append(time.perf_counter() - began)
                for version, word in enumerate(("Monday", "yesterday", "shameful"), 2):
                    at = story.index(" the ", len(story) // version)
                    story_now = f"{story[:at]} {word}{story[at:]}"
                    began = time.perf_counter()
                    client.change(uri, story_now, version)
                    client.found(version)
                    changes.append(time.perf_counter() - began)
                began = time.perf_counter()
                client.ask(
                    "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}
                )
                hovers.append(time.perf_counter() - began)
    print(f"{len(story.split())} words, {n_findings} findings, {rounds} rounds; seconds: median (least to most)")
    for what, took in (("start to first diagnostics", starts), ("change of one word", changes), ("hover", hovers)):
        print(f"{what}: {statistics.median(took):.3f} ({min(took):.3f} to {max(took):.3f})")


def example_story() -> str:
    lines = (ROOT / "notebooks" / "data" / "coverage.jsonl").read_text(encoding="utf-8").splitlines()
    words: list[str] = []
    for line in lines:
        words += json.loads(line)["text"].replace("\n\n", " \n\n ").split(" ")
    return " ".join(words[:N_WORDS])


if __name__ == "__main__":
    main()
