"""Intervals and verdicts in simulated worlds, at a small size; tests/benchmarks/simulations.py has the table."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def simulated() -> dict[str, Any]:
    file = Path(__file__).parent / "benchmarks" / "simulations.py"
    return runpy.run_path(str(file), run_name="benchmark")


@pytest.mark.parametrize("world", ["usual", "a third agency copies, found as events"])
def test_intervals_hold_the_truth(simulated: dict[str, Any], world: str) -> None:
    held = simulated["coverage"](10, simulated["WORLDS"][world], 40)
    # 40 runs of three outlets or pairs: were the coverage 0.95, fewer than 0.86 would be less than one chance in a thousand.
    assert {"outlet's share", "difference of a pair"} <= set(held)
    assert min(held.values()) >= 0.86, held


def test_equal_outlets_are_seldom_said_to_differ(simulated: dict[str, Any]) -> None:
    # At 0.05, four or more of 20 runs are two chances in a hundred; without Holm's correction nearly every run has one.
    assert simulated["false_differences"](10, simulated["WORLDS"]["usual"], 20) <= 0.2
    assert simulated["false_words"](10, 4) <= 0.25


def test_what_varies_little_by_chance_is_not_declared(simulated: dict[str, Any]) -> None:
    # By Student's t of raw differences half of the runs declare a device, and the share of variance is held in 44%.
    assert simulated["false_devices"](30, 10) <= 0.2
    assert simulated["few_outlets"]([2] * 30 + [300] * 2, None, 40)["share of variance"] >= 0.85


def test_what_is_planned_for_is_found(simulated: dict[str, Any]) -> None:
    n_articles, shown = simulated["planned_power"](60)
    assert 10 <= n_articles <= 200
    # Planned for 0.8: less than 0.6 or more than 0.97 of 60 would each be less than one chance in a thousand.
    assert 0.6 <= shown <= 0.97


def test_corrected_intervals_hold_where_the_models_do_not(simulated: dict[str, Any]) -> None:
    found = simulated["corrected_coverage"](simulated["Labelled"](0.15, 100), 30)
    assert all(found[of][0] >= 0.8 for of in found), found
    assert found["read too high"][4] <= 0.2, "the model alone, which no number of articles cures"
    assert found["read too high"][1] <= 1.05 * found["read too high"][3], "never much wider than the labels alone"


def test_few_outlets_and_few_events_are_allowed_for(simulated: dict[str, Any]) -> None:
    held = simulated["few_outlets"]([30] * 6, 6, 80)
    assert min(held["drawn towards the others"], held["share of variance"]) >= 0.88, held
    assert held["share of variance found between outlets that are alike, on average"] < 0.06, (
        "events are no differences between outlets"
    )
    # 0.92 of 400; without the events 0.68.
    corrected = simulated["corrected_coverage"](simulated["Labelled"](0.15, 300, n_events=10), 60)
    assert (corrected["read too high"][0] + corrected["read too low"][0]) / 2 >= 0.8
