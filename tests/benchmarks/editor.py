"""How soon an editor shows findings: python tests/benchmarks/editor.py [--rounds N]

A story of some 1,000 words, from the example articles: from starting the server to its first diagnostics, beside
`loadedwords lint` of the same file; and from a change of one word to the diagnostics of it, with the pause that waits
for the next keystroke, beside linting the whole story anew with the model in memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from loadedwords.lint import lint_text
from loadedwords.scoring import load_model

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from lsp_client import Client  # noqa: E402

N_WORDS = 1000
WORDS = ("Monday", "yesterday", "shameful")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    story = example_story()
    model = load_model()
    n_findings = len(lint_text(story, model=model))
    times: dict[str, list[float]] = {}

    def timed(what: str, act: Callable[[], object]) -> None:
        began = time.perf_counter()
        act()
        times.setdefault(what, []).append(time.perf_counter() - began)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "story.txt"
        file.write_text(story, encoding="utf-8")
        command = [sys.executable, "-m", "loadedwords", "lint", str(file)]
        for _ in range(rounds):
            began = time.perf_counter()
            with Client(Path(folder)) as client:
                client.open(file.as_uri(), story)
                times.setdefault("server: start to first diagnostics", []).append(time.perf_counter() - began)
                for version, word in enumerate(WORDS, 2):
                    at = story.index(" the ", len(story) // version)
                    changed = f"{story[:at]} {word}{story[at:]}"

                    def change(text: str = changed, version: int = version) -> None:
                        client.change(file.as_uri(), text, version)
                        client.found(version)

                    timed("server: a change of one word", change)
                    timed("the whole story anew, no pause", lambda text=changed: lint_text(text, model=model))
            timed("loadedwords lint", lambda: subprocess.run(command, capture_output=True, check=False))
    print(f"{len(story.split())} words, {n_findings} findings, {rounds} rounds; seconds, median (least to most)")
    for what, took in times.items():
        print(f"{what}: {statistics.median(took):.2f} ({min(took):.2f} to {max(took):.2f})")


def example_story() -> str:
    lines = (ROOT / "notebooks" / "data" / "coverage.jsonl").read_text(encoding="utf-8").splitlines()
    words = [word for line in lines for word in json.loads(line)["text"].replace("\n\n", " \n\n ").split(" ")]
    return " ".join(words[:N_WORDS])


if __name__ == "__main__":
    main()
