"""Euphemism, insinuation, praise and other devices, each beside a plain twin; and what looks loaded and is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from loadedwords.training.evaluation.results import DeviceRate, share
from loadedwords.training.evaluation.texts import Span, read_device_pairs, read_left_alone

# What a model or a linter marks in each of some sentences.
Finder = Callable[[Sequence[str]], Sequence[Sequence[Span]]]
ALL_DEVICES = "all devices"
ALL_LEFT_ALONE = "all that must be left alone"


def measure_devices(find: Finder, measure: str) -> tuple[DeviceRate, ...]:
    """How often loaded words are found and plain ones called loaded, by device and in all.

    A device counts as found where a span touches one of its loaded words, and any span at all in a plain sentence is a
    false alarm.

    Parameters
    ----------
    find : callable
        Sentences → for each the spans it marks.
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
        hits, alarms = found[rows], in_twin[rows]
        rates.append(DeviceRate(measure, device, len(rows), share(alarms), share(hits), share(hits & ~alarms)))
    for kind, rows in _groups([kind for kind, _ in alone], ALL_LEFT_ALONE):
        rates.append(DeviceRate(measure, kind, len(rows), share(in_alone[rows])))
    return tuple(rates)


def _touches(spans: Sequence[Span], marked: Sequence[Span]) -> bool:
    return any(start < its_end and its_start < end for start, end in spans for its_start, its_end in marked)


def _groups(kinds: Sequence[str], together: str) -> list[tuple[str, NDArray[np.intp]]]:
    of = np.array(kinds)
    return [*((kind, np.flatnonzero(of == kind)) for kind in dict.fromkeys(kinds)), (together, np.arange(len(of)))]
