"""The suite of devices: the embedded model and `loadedwords lint` beside public prose linters, all as they come, in one run.

    python -m venv ~/linters/venv && ~/linters/venv/bin/pip install proselint==0.16.0
    npm install --prefix ~/linters alex@11.0.1 write-good@1.0.8
    python tests/benchmarks/linters.py --linters ~/linters

A device counts as found where something is marked that touches one of its loaded words; anything at all that is marked in
a plain twin, or in what must be left alone, is a false alarm. Each sentence is a text of its own. "lint" is the command at
its default level, "lint, all" with ``--note 0``, which shows each word that the model finds. The linters were made
for other ends (style, considerate words), so the table says what they do for this one, not how good they are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import loadedwords
from loadedwords.house import Levels
from loadedwords.lint import House, lint_text
from loadedwords.schema import Interval
from loadedwords.scoring import FramingModel
from loadedwords.training.evaluation import DeviceRate, probe
from loadedwords.training.evaluation.device_suite import ALL_DEVICES, Finder, measure_devices
from loadedwords.training.evaluation.texts import Span

ALEX = """
import { text } from "alex";
const find = (sentence) => text(sentence).messages.map(({ position: { start, end } }) => [start.offset, end.offset]);
"""
WRITE_GOOD = """
import writeGood from "write-good";
const find = (sentence) => writeGood(sentence).map((found) => [found.index, found.index + found.offset]);
"""
# Both count UTF-16 units, which are characters in every sentence of the suite.
RUN = """
import { readFileSync } from "node:fs";
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(find)));
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linters", type=Path, required=True, help="Folder with venv/ and node_modules/.")
    folder: Path = parser.parse_args().linters.expanduser().resolve()
    for needed in ("venv/bin/proselint", "node_modules/alex", "node_modules/write-good"):
        if not (folder / needed).exists():
            sys.exit(f"{folder / needed} is not there: install it as the top of this file says")
    model = loadedwords.load_model()
    finders: dict[str, Finder] = {
        "lint": lambda texts: linted(model, House(), texts),
        "lint, all": lambda texts: linted(model, House(levels=Levels(note=0)), texts),
        "proselint": lambda texts: proselint(folder, texts),
        "alex": lambda texts: by_node(folder, ALEX, texts),
        "write-good": lambda texts: by_node(folder, WRITE_GOOD, texts),
    }
    rates = [*probe(model).devices]
    for name, find in finders.items():
        rates += measure_devices(find, name)
    show(rates)


def linted(model: FramingModel, house: House, texts: Sequence[str]) -> list[list[Span]]:
    return [[(each.start, each.end) for each in lint_text(text, model=model, house=house)] for text in texts]


def proselint(folder: Path, texts: Sequence[str]) -> list[list[Span]]:
    """Its command on a folder of one file for each sentence; it counts from a line break that it puts before the text."""
    with tempfile.TemporaryDirectory() as written:
        files = [Path(written).resolve() / f"{at}.txt" for at in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")
        command = [folder / "venv/bin/proselint", "check", "-o", "json", written]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # 1 where it finds anything
        found = json.loads(done.stdout)["result"]
    diagnostics = [found.get(file.as_uri(), {}).get("diagnostics", []) for file in files]
    return [[(each["span"][0] - 1, each["span"][1] - 1) for each in of] for of in diagnostics]


def by_node(folder: Path, linter: str, texts: Sequence[str]) -> list[list[Span]]:
    command = ["node", "--input-type=module", "--eval", linter + RUN]
    done = subprocess.run(
        command, cwd=folder, input=json.dumps(list(texts)), stdout=subprocess.PIPE, text=True, check=True
    )
    return [[(start, end) for start, end in of] for of in json.loads(done.stdout)]


def show(rates: Sequence[DeviceRate]) -> None:
    """Two tables in Markdown: devices found, and false alarms on their plain twins and on what must be left alone."""
    found = [rate for rate in rates if rate.found]
    print_table("found", found, lambda rate: rate.found)
    print_table(
        "told apart from the plain twin",
        [rate for rate in found if rate.kind == ALL_DEVICES],
        lambda rate: rate.told_apart,
    )
    print_table("false alarms", rates, lambda rate: rate.false_alarms)


def print_table(title: str, rates: Sequence[DeviceRate], share_of: Callable[[DeviceRate], Interval | None]) -> None:
    measures = list(dict.fromkeys(rate.measure for rate in rates))
    print(f"| {title} | of | {' | '.join(measures)} |\n|{'---|' * (len(measures) + 2)}")
    for kind in dict.fromkeys(rate.kind for rate in rates):
        row = [rate for rate in rates if rate.kind == kind]
        print(f"| {kind} | {row[0].n} | {' | '.join(shown(share_of(rate)) for rate in row)} |")
    print()


def shown(share: Interval | None) -> str:
    return f"{share.estimate:.2f} [{share.low:.2f}, {share.high:.2f}]" if share else ""


if __name__ == "__main__":
    main()
