"""Euphemism, insinuation, praise and other devices, each beside a plain twin; and what looks loaded and is not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadedwords.schema import Interval
from loadedwords.training.evaluation.results import DeviceRate, resampled

Span = tuple[int, int]
# What a model or a linter marks in each of some sentences.
Finder = Callable[[Sequence[str]], Sequence[Sequence[Span]]]
ALL_DEVICES = "all devices"
ALL_LEFT_ALONE = "all that must be left alone"


@dataclass(frozen=True)
class DevicePair:
    """A loaded sentence, where its loaded words are, and a plain sentence that says the same."""

    device: str
    loaded: str
    marked: tuple[Span, ...]
    plain: str


def read_device_pairs() -> tuple[DevicePair, ...]:
    """The pairs of all devices, in the order of the suite."""
    return tuple(
        DevicePair(device, *_unmarked(loaded), plain)
        for device, pairs in _suite()["pairs"].items()
        for loaded, plain in pairs
    )


def read_left_alone() -> tuple[tuple[str, str], ...]:
    """What must be left alone: kind and sentence."""
    return tuple((kind, text) for kind, texts in _suite()["left_alone"].items() for text in texts)


def measure_devices(find: Finder, measure: str) -> tuple[DeviceRate, ...]:
    """How often loaded words are found and plain ones called loaded, by device and in all.

    Parameters
    ----------
    find : callable
        Sentences → for each the spans it marks. A device counts as found where a span touches one of its loaded words,
        and any span at all in a plain sentence is a false alarm.
    measure : str
        What to call it in the rates.

    Returns
    -------
    tuple of DeviceRate
        Of each device, of all devices, of each kind that must be left alone, and of all these; with 95% intervals by
        resampling pairs or, where there are none, sentences.
    """
    pairs, alone = read_device_pairs(), read_left_alone()
    texts = [*(pair.loaded for pair in pairs), *(pair.plain for pair in pairs), *(text for _, text in alone)]
    spans = find(texts)
    n = len(pairs)
    found = np.array([_touches(of, pair.marked) for of, pair in zip(spans[:n], pairs, strict=True)])
    in_twin, in_alone = (np.array([len(of) > 0 for of in part]) for part in (spans[n : 2 * n], spans[2 * n :]))
    rates = []
    for device, rows in _groups([pair.device for pair in pairs], ALL_DEVICES):
        told_apart = found[rows] & ~in_twin[rows]
        rates.append(
            DeviceRate(
                measure, device, len(rows), _share(in_twin[rows]), found=_share(found[rows]), told_apart=_share(told_apart)
            )
        )  # fmt: skip
    for kind, rows in _groups([kind for kind, _ in alone], ALL_LEFT_ALONE):
        rates.append(DeviceRate(measure, kind, len(rows), _share(in_alone[rows])))
    return tuple(rates)


@cache
def _suite() -> Any:
    file = resources.files("loadedwords.training.evaluation") / "suites" / "devices.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _unmarked(text: str) -> tuple[str, tuple[Span, ...]]:
    """A sentence without ⟦ ⟧, and where they stood."""
    clean, marked = "", []
    for at, part in enumerate(re.split("[⟦⟧]", text)):
        if at % 2:
            marked.append((len(clean), len(clean) + len(part)))
        clean += part
    return clean, tuple(marked)


def _touches(spans: Sequence[Span], marked: Sequence[Span]) -> bool:
    return any(start < its_end and its_start < end for start, end in spans for its_start, its_end in marked)


def _groups(kinds: Sequence[str], together: str) -> list[tuple[str, NDArray[np.intp]]]:
    of = np.array(kinds)
    return [*((kind, np.flatnonzero(of == kind)) for kind in dict.fromkeys(kinds)), (together, np.arange(len(of)))]


def _share(hits: NDArray[np.bool_]) -> Interval:
    return resampled(lambda rows: float(hits[rows].mean()), np.arange(len(hits)).astype(str))
