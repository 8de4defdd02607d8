"""The suite of devices is what it says it is, and tells a tool that finds them from one that marks anything."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from loadedwords.cli import main
from loadedwords.training.evaluation import DeviceRate, Evaluation, probe
from loadedwords.training.evaluation.device_suite import ALL_DEVICES, ALL_LEFT_ALONE, measure_devices
from loadedwords.training.evaluation.texts import Span, read_device_pairs, read_left_alone

# Raise the floor and lower the ceilings when the model gets better; the other way needs a reason in the commit message.
FLOOR_TOLD_APART = 0.25
CEILING_IN_TWINS = 0.06
CEILING_LEFT_ALONE = 0.40
ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("few_resamples")


class RegimeRule:
    """A classifier that finds no words and calls a sentence loaded where it reads "regime"."""

    classes_ = np.array([0, 1])

    def predict_proba(self, sentences: Sequence[str], /) -> NDArray[np.float64]:
        loaded = np.array([0.9 if "regime" in sentence else 0.1 for sentence in sentences])
        return np.column_stack([1 - loaded, loaded])


def by_kind(rates: Sequence[DeviceRate]) -> dict[str, DeviceRate]:
    return {rate.kind: rate for rate in rates}


def matches(pattern: str, texts: Sequence[str]) -> list[list[Span]]:
    return [[found.span() for found in re.finditer(pattern, text)] for text in texts]


def test_twenty_five_of_each_and_none_twice() -> None:
    pairs, alone = read_device_pairs(), read_left_alone()
    assert set(Counter(pair.device for pair in pairs).values()) == {25}
    assert set(Counter(kind for kind, _ in alone).values()) == {25}
    assert (len(pairs), len(alone)) == (9 * 25, 5 * 25)
    texts = [text for pair in pairs for text in (pair.loaded, pair.plain)] + [text for _, text in alone]
    assert len(set(texts)) == len(texts)
    assert all(
        re.match(r"[A-Z“‘]", text) and text[-1] in ".?" and "⟦" not in text and "⟧" not in text for text in texts
    )


def test_loaded_words_are_where_they_are_marked_and_not_in_the_twin() -> None:
    marked = {}
    for pair in read_device_pairs():
        assert pair.marked, pair.loaded
        for start, end in pair.marked:
            words = pair.loaded[start:end]
            assert words, pair.loaded
            assert words == words.strip(), pair.loaded
            assert words.lower() not in pair.plain.lower(), pair.plain
            marked[words] = pair.device
    assert marked["collateral damage"] == "euphemism"
    assert marked["A mere"] == "minimising"
    assert marked["“experts”"] == "scare quotes"


def test_no_sentence_is_in_what_the_package_trains_on_or_tests_by() -> None:
    ours = ROOT / "src" / "loadedwords" / "training"
    files = [*ours.rglob("*.toml"), *ours.rglob("*.jsonl"), *(ROOT / "notebooks" / "data").glob("*.*")]
    others = "".join(f.read_text(encoding="utf-8") for f in files if f.name != "devices.toml" and f.suffix != ".html")
    assert not [pair for pair in read_device_pairs() if pair.loaded in others or pair.plain in others]
    assert not [text for _, text in read_left_alone() if text in others]


@pytest.mark.parametrize(("pattern", "found", "alarms"), [(".+", 1.0, 1.0), (r"\Z.", 0.0, 0.0)])
def test_marking_all_or_nothing_tells_nothing_apart(pattern: str, found: float, alarms: float) -> None:
    for rate in measure_devices(lambda texts: matches(pattern, texts), "words"):
        assert rate.false_alarms.estimate == alarms
        assert rate.found is None or rate.found.estimate == found
        assert rate.told_apart is None or rate.told_apart.estimate == 0


def test_rates_by_hand() -> None:
    rates = by_kind(measure_devices(lambda texts: matches(r"\b(regime|mob|Red Column|Talvia)\b", texts), "words"))
    labels = rates["contested labels"]
    assert labels.found is not None
    assert labels.told_apart is not None
    assert labels.found.estimate == pytest.approx(2 / 25)
    assert labels.false_alarms.estimate == 0  # Talvian is another word
    assert labels.told_apart.estimate == pytest.approx(2 / 25)
    assert labels.found.low is not None
    assert labels.found.high is not None
    assert labels.found.low < 2 / 25 < labels.found.high
    assert rates[ALL_DEVICES].found is not None
    assert rates[ALL_DEVICES].n == 225
    assert rates["names of groups as they are"].false_alarms.estimate == pytest.approx(2 / 25)
    assert rates["names of groups as they are"].found is None
    assert rates[ALL_LEFT_ALONE].false_alarms.estimate == pytest.approx(2 / 125)


def test_the_word_beside_the_loaded_one_is_not_found() -> None:
    everything_else = [pair.loaded[: pair.marked[0][0]] for pair in read_device_pairs()]

    def before_the_mark(texts: Sequence[str]) -> list[list[Span]]:
        ends = [len(before) for before in everything_else] + [1] * (len(texts) - len(everything_else))
        return [[(0, end)] if end else [] for end in ends]

    found = by_kind(measure_devices(before_the_mark, "words"))[ALL_DEVICES].found
    assert found is not None
    assert found.estimate == 0


def test_a_classifier_without_words_is_measured_by_sentences() -> None:
    result = probe(RegimeRule())
    assert {rate.measure for rate in result.devices} == {"sentences"}
    found = by_kind(result.devices)["contested labels"].found
    assert found is not None
    assert found.estimate == pytest.approx(1 / 25)
    assert "devices: a loaded word is found" not in {finding.name for finding in result.findings}


def test_the_embedded_model_keeps_what_it_has_reached(probed: Evaluation) -> None:
    words = by_kind([rate for rate in probed.devices if rate.measure == "words"])
    together = words[ALL_DEVICES]
    assert together.told_apart is not None
    assert together.told_apart.estimate >= FLOOR_TOLD_APART
    assert together.false_alarms.estimate <= CEILING_IN_TWINS
    assert words[ALL_LEFT_ALONE].false_alarms.estimate <= CEILING_LEFT_ALONE


def test_rates_go_through_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    rule = f"{__name__}:RegimeRule"
    monkeypatch.setattr(f"{__name__}.RegimeRule", RegimeRule())
    runner = CliRunner()
    shown = runner.invoke(main, ["probe", rule])
    assert shown.exit_code == 0, shown.output
    row = next(line for line in shown.output.splitlines() if "contested labels" in line)
    assert re.search(r" 25 .* 0\.04 \[0\.00, 0\.1\d\] .* 0\.00 \[0\.00, 0\.00\]", row), row
    told = json.loads(runner.invoke(main, ["probe", rule, "--json"]).stdout)
    device = next(each for each in told["devices"] if each["kind"] == "contested labels")
    assert device["found"]["estimate"] == pytest.approx(0.04)
    assert set(device["false_alarms"]) == {"estimate", "low", "high"}
    assert next(each for each in told["devices"] if each["kind"] == "sport")["found"] is None
