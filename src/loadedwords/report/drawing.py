"""What the charts of a comparison show: scales, the matrix of differences, the timelines."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import Any

from loadedwords.report.page import LABELS, Axis, minus, share, upper_end

Row = dict[str, Any]
MAX_OUTLETS_IN_MATRIX = 25
_STEPS_OF_SCALE = 4  # of the matrix, to either side of nothing


def of_outlets(rows: list[Row], by_size: list[Row]) -> list[tuple[str | None, list[Row]]]:
    """The rows of each outlet, the largest outlet first."""
    found: dict[str | None, list[Row]] = {row["outlet"]: [] for row in by_size}
    for row in rows:
        found.setdefault(row["outlet"], []).append(row)
    return [(outlet, of) for outlet, of in found.items() if of]


def share_axis(rows: list[Row], *columns: str, more: Sequence[Row] = ()) -> Axis:
    ends = [row[of] for row in rows for of in columns]
    return Axis(0.0, upper_end([*ends, *(row[of] for row in more for of in ("corrected_share", "ci_high"))]))


def difference_axis(rows: list[Row], left: float = LABELS) -> Axis:
    """To either side of nothing."""
    ends = sorted(abs(value) for row in rows for value in (row["ci_low"], row["ci_high"]) if value is not None)
    # With two events an interval may span everything: one such must not flatten all the others.
    usual = ends[int(0.9 * (len(ends) - 1))] if ends else 0.0
    reach = ends[-1] if ends and ends[-1] <= 2 * usual else usual
    limit = upper_end([reach, *(abs(row["difference"]) for row in rows if row["difference"] is not None)], 0.05)
    return Axis(-limit, limit, left=left)


def matrix(by_size: list[Row], pairs: list[Row], corrected: dict[str | None, float | None]) -> Row | None:
    """Row minus column, the more loaded outlets first; a cell's class is its step on the colour scale."""
    compared = {row[of] for row in pairs for of in ("outlet_a", "outlet_b")}
    shown = [row for row in by_size if row["outlet"] in compared][:MAX_OUTLETS_IN_MATRIX]
    if len(shown) < 2:
        return None
    shares = {row["outlet"]: row["loaded_share"] for row in shown}
    shares |= {outlet: share for outlet, share in corrected.items() if outlet in shares and share is not None}
    ordered = sorted(shares, key=lambda outlet: -shares[outlet])
    found = {}
    for pair in pairs:
        if {pair["outlet_a"], pair["outlet_b"]} <= set(ordered) and pair["difference"] is not None:
            found[pair["outlet_a"], pair["outlet_b"]] = {**pair}
            found[pair["outlet_b"], pair["outlet_a"]] = _turned(pair)
    widest = max((pair["difference"] for pair in found.values()), default=0.0) or 0.1
    for pair in found.values():
        step = min(_STEPS_OF_SCALE, math.ceil(abs(pair["difference"]) / widest * _STEPS_OF_SCALE - 1e-9))
        pair["step"] = f"{'more' if pair['difference'] > 0 else 'less'}{step}" if step else "same"
        pair["rounded"] = minus(f"{round(pair['difference'], 2) + 0.0:+.2f}")
    return {"outlets": ordered, "cells": found, "widest": f"{widest:.2f}", "n_compared": len(compared)}


def _turned(pair: Row) -> Row:
    low, high = (None if pair[end] is None else -pair[end] for end in ("ci_high", "ci_low"))
    names = {"outlet_a": pair["outlet_b"], "outlet_b": pair["outlet_a"]}
    return {**pair, **names, "difference": -pair["difference"], "ci_low": low, "ci_high": high}


def timeline(rows: list[Row], by_size: list[Row]) -> Row | None:
    """Small multiples on one scale, so that they can be held against each other."""
    if not rows:
        return None
    # One interval from a handful of articles may span everything: the scale follows the estimates and most intervals.
    highs = sorted(row["ci_high"] for row in rows if row["ci_high"] is not None)
    usual = highs[int(0.95 * (len(highs) - 1))] if highs else 0.1
    limit = math.ceil(10 * upper_end([usual, *(row["loaded_share"] for row in rows)]) - 1e-9) / 10
    vertical = Axis(0.0, limit, left=104, right=10)
    first, last = (end(row["period"] for row in rows) for end in (min, max))
    air = 0.5 if last > first else 1
    across = Axis(first.toordinal() - air, last.toordinal() + air, left=42, right=278)
    begins = sorted({row["period"] for row in rows})
    ends = {period: after - datetime.timedelta(days=1) for period, after in pairwise(begins)}
    drawn = []
    for outlet, of in of_outlets(rows, by_size):
        points = [
            {
                "x": across.at(row["period"].toordinal()),
                "y": vertical.at(row["loaded_share"]),
                **row,
                "says": _says(row),
                "until": ends.get(row["period"], ""),
            }
            for row in sorted(of, key=lambda row: row["period"])
            if row["loaded_share"] is not None
        ]
        drawn.append({"outlet": outlet, "points": points, "bands": list(_bands(points, vertical))})
    return {"outlets": drawn, "vertical": vertical, "first": first.isoformat()[:7], "last": last.isoformat()[:7]}


def _says(row: Row) -> str:
    ends = "" if row["ci_low"] is None else f" [{share(row['ci_low'])}, {share(row['ci_high'])}]"
    return f"{row['period'].isoformat()}: {share(row['loaded_share'])}{ends}, {row['n_articles']:,} articles"


def _bands(points: list[Row], vertical: Axis) -> Iterable[str]:
    """Polygons over neighbouring points that have intervals; a point alone gets a narrow one."""
    for known, run in groupby(points, key=lambda point: point["ci_low"] is not None):
        if not known:
            continue
        together = list(run)
        edge = together if len(together) > 1 else [{**together[0], "x": together[0]["x"] + to} for to in (-2, 2)]
        above = [f"{point['x']:g},{vertical.at(point['ci_high']):g}" for point in edge]
        yield " ".join(above + [f"{point['x']:g},{vertical.at(point['ci_low']):g}" for point in reversed(edge)])
