"""A comparison of outlets → one HTML page that works offline, with its figures to download."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from loadedwords.outlets import FEW_ARTICLES
from loadedwords.outlets.devices import PRAISE
from loadedwords.schema import KIND_NAMES

if TYPE_CHECKING:
    from loadedwords.outlets.comparison import Comparison

NO_OUTLET = "(no outlet)"
MAX_OUTLETS_IN_MATRIX = 25
MAX_PAIRS_SHOWN = 100
MAX_WITHIN_DRAWN = 40
MAX_WORDS_PER_OUTLET = 15
MAX_OTHER_WORDS_SHOWN = 200
OUTLETS_IN_TIMELINE = 12  # shown before the reader asks for more

_Row = dict[str, Any]
_WIDTH = 620
_LABEL_WIDTH = 180
_STEPS_OF_SCALE = 4  # of the matrix, to either side of nothing


@dataclass(frozen=True)
class _Axis:
    """A scale in pixels: the template only draws."""

    low: float
    high: float
    left: float = _LABEL_WIDTH
    right: float = _WIDTH - 20

    def at(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return round(self.left + (inside - self.low) / (self.high - self.low) * (self.right - self.left), 1)

    def maybe(self, value: float | None) -> float | None:
        return None if value is None else self.at(value)

    @property
    def ticks(self) -> list[_Row]:
        most = (self.right - self.left) / 48  # a label's width and some air
        step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if (self.high - self.low) / s <= most), 0.5)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [{"x": self.at(k * step), "label": f"{k * step:.2f}".replace("-", "−")} for k in range(first, last + 1)]


DEVICE_NAMES = {**KIND_NAMES, PRAISE: "praise"}
MAX_DEVICE_ROWS = 60


class _Names:
    """Outlets by number: a name stands in the page's data once, however many pairs it is in."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._at: dict[str, int] = {}

    def number(self, outlet: str | None) -> int:
        name = outlet or NO_OUTLET
        if name not in self._at:
            self._at[name] = len(self.listed)
            self.listed.append(name)
        return self._at[name]


def write_comparison_page(comparison: Comparison, file: Path) -> Path:
    """Write a comparison of outlets as one HTML file.

    Charts and tables are in the file itself, so that they can be read with scripts off; scripts add the search, the
    filters and the downloads. The page's security policy lets nothing be fetched.

    Parameters
    ----------
    comparison : Comparison
        What was found about the outlets.
    file : Path
        Written beside and renamed into place; its folder is made where there is none.

    Returns
    -------
    Path
        Of the page.
    """
    names = _Names()
    # Outlets of one article would else stand first and last: chance alone puts them there.
    outlets = sorted(_rows(comparison.outlets), key=lambda row: bool(row["note"]))
    for row in outlets:
        row["o"] = names.number(row["outlet"])
    # All outlets together have figures of their own, but nothing that they could be drawn to.
    together = _rows(comparison.overall)
    overall = {**dict.fromkeys(outlets[0]), **together[0]} if outlets and together else None
    order_of_size = sorted(outlets, key=lambda row: -row["n_articles"])
    corrected = _rows(comparison.corrected)
    pairs = _pairs(comparison.pairs)
    corrected_pairs = _rows(comparison.corrected_pairs)
    within = sorted(_rows(comparison.within_events), key=lambda row: -row["n_events"])
    outlets_within = _rows(comparison.outlets_within_events)
    topics = _rows(comparison.topics)
    words = _rows(comparison.words)
    events = _rows(comparison.events)
    environment = Environment(
        loader=PackageLoader("loadedwords", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        share=_share,
        signed=_signed,
        p_value=_p_value,
        count=_count,
        sha256=_sha256,
        name=_name,
        shorten=_shorten,
        mark_word=_mark_word,
    )
    tables = _tables(comparison, names, overall, outlets, pairs, within)
    page = environment.get_template("comparison.html.j2").render(
        version=metadata.version("loadedwords"),
        level=f"{100 * comparison.level:g}%",
        voice=comparison.voice,
        threshold=comparison.threshold,
        model=comparison.model,
        sources=comparison.sources,
        says=comparison.says,
        cannot_say=comparison.cannot_say,
        few=FEW_ARTICLES,
        outlets=outlets,
        overall=overall,
        forest=_forest(outlets, overall, corrected, comparison.level) if outlets else None,
        corrected=corrected,
        corrected_pairs=[_numbered(row, names) for row in corrected_pairs[:MAX_PAIRS_SHOWN]],
        n_corrected_pairs=len(corrected_pairs),
        matrix=_matrix(order_of_size, pairs),
        pairs=[_numbered(row, names) for row in pairs[:MAX_PAIRS_SHOWN]],
        n_pairs=len(pairs),
        n_differ=sum(bool(row["differs"]) for row in pairs),
        within=_differences(
            [{**_numbered(row, names), "says": _within_says(row)} for row in within[:MAX_WITHIN_DRAWN]], left=290
        ),
        outlets_within=_differences(
            [{**row, "o": names.number(row["outlet"]), "says": _outlet_within_says(row)} for row in outlets_within]
        ),
        within_rows=[_numbered(row, names) for row in within[:MAX_PAIRS_SHOWN]],
        n_within=len(within),
        # Pairs that share too few to be tested are there to be asked for.
        least_events=min(
            [row["n_events"] for row in within if row["p_adjusted"] is not None] or [row["n_events"] for row in within],
            default=0,
        ),
        topics=_topics(topics, names) if topics else None,
        vocabularies=_vocabularies(words, order_of_size, names),
        other_words=[
            {**row, "o": names.number(row["outlet"]), "plain_o": names.number(row["plain_outlet"])}
            for row in _rows(comparison.other_words)[:MAX_OTHER_WORDS_SHOWN]
        ],
        n_other_words=0 if comparison.other_words is None else comparison.other_words.height,
        devices=_devices(_rows(comparison.devices), order_of_size, names),
        device_names=DEVICE_NAMES,
        told_kinds=comparison.devices is not None,
        timeline=_timeline(_rows(comparison.timeline), order_of_size, overall, names),
        n_in_timeline=OUTLETS_IN_TIMELINE,
        events=_events(events, names),
        event_outlets=sorted({names.number(row["outlet"]) for row in events}, key=lambda o: names.listed[o].casefold()),
        n_events=comparison.n_events,
        names=names.listed,
        data=_json_for_script({"names": names.listed, "n": len(outlets), "tables": tables}),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.tmp")
    beside.write_text(page, encoding="utf-8", errors="replace")
    return beside.replace(file)


def _rows(frame: pl.DataFrame | None) -> list[_Row]:
    """Rows as dicts, not-a-number as nothing: JSON has no word for it and a chart no place."""
    if frame is None or not frame.height:
        return []
    return frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()


def _numbered(row: _Row, names: _Names) -> _Row:
    return {**row, "a": names.number(row["outlet_a"]), "b": names.number(row["outlet_b"])}


# What stands in cells and titles


def _name(outlet: str | None) -> str:
    return outlet or NO_OUTLET


def _shorten(name: str, most: int) -> str:
    """The middle goes: names of one family of outlets differ at the end."""
    return name if len(name) <= most else f"{name[: (most - 1) // 2].rstrip()}…{name[-(most // 2) :].lstrip()}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("-", "−")


def _signed(value: float | None) -> str:
    # Adding nothing turns minus zero, as of a difference turned round, to zero.
    return "–" if value is None else f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")


def _p_value(value: float | None) -> str:
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _difference_says(row: _Row, sign: int = 1) -> str:
    """Such as ``A minus B: +0.050 [+0.010, +0.090], p adjusted 0.013``."""
    a, b = (_name(row[of]) for of in (("outlet_a", "outlet_b") if sign > 0 else ("outlet_b", "outlet_a")))
    ends = [None if end is None else sign * end for end in (row["ci_low"], row["ci_high"])][::sign]
    interval = "no interval" if None in ends else f"[{_signed(ends[0])}, {_signed(ends[1])}]"
    difference = None if row["difference"] is None else sign * row["difference"]
    return f"{a} minus {b}: {_signed(difference)} {interval}, p adjusted {_p_value(row['p_adjusted'])}"


def _mark_word(sentence: str | None, word: str | None) -> Markup:
    """The sentence, escaped, with the word marked wherever it stands as a word."""
    if not sentence:
        return Markup("")
    if not word:
        return escape(sentence)
    parts = re.split(rf"(?i)(?<!\w)({re.escape(word)})(?!\w)", sentence)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def _sha256(text: str) -> str:
    """As a Content-Security-Policy names a script or a style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()


# What the downloads are made of


def _json_for_script(value: object) -> Markup:
    """JSON in which nothing can end the script element that holds it."""
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return Markup(written)


def _tables(
    comparison: Comparison,
    names: _Names,
    overall: _Row | None,
    outlets: list[_Row],
    pairs: list[_Row],
    within: list[_Row],
) -> dict[str, list[_Row]]:
    """Each table by columns. Events are not among them: their text would stand in the page twice."""
    listed: dict[str, Iterable[_Row]] = {
        "outlets": [{k: v for k, v in row.items() if k != "o"} for row in ([overall] if overall else []) + outlets],
        "corrected": _rows(comparison.corrected),
        "pairs": pairs,
        "corrected_pairs": _rows(comparison.corrected_pairs),
        "within_events": within,
        "outlets_within_events": _rows(comparison.outlets_within_events),
        "topics": _rows(comparison.topics),
        "words": [{k: v for k, v in row.items() if k != "examples"} for row in _rows(comparison.words)],
        "other_words": _rows(comparison.other_words),
        "devices": _rows(comparison.devices),
        "timeline": _rows(comparison.timeline),
    }
    return {table: _columns(list(rows), names) for table, rows in listed.items() if rows}


def _columns(rows: list[_Row], names: _Names) -> list[_Row]:
    columns = []
    for column in rows[0]:
        values = [row[column] for row in rows]
        described: _Row = {"name": column}
        if column.endswith("outlet") or column in ("outlet_a", "outlet_b"):
            described |= {"kind": "outlet", "values": [names.number(value) for value in values]}
        elif column.startswith("p_"):
            described |= {"values": [None if v is None else float(f"{v:.3g}") for v in values]}
        elif any(isinstance(value, float) for value in values):
            # As whole numbers: with tens of thousands of pairs that is a third of the page.
            described |= {"digits": 4, "values": [None if v is None else round(v * 10**4) for v in values]}
        else:
            described |= {"values": [v.isoformat() if isinstance(v, datetime.date) else v for v in values]}
        columns.append(described)
    return columns


# The charts


def _limit(values: Iterable[float | None], at_least: float = 0.1) -> float:
    highest = max([value for value in values if value is not None] + [at_least])
    return min(1.0, math.ceil(highest * 20 + 1e-9) / 20)


def _forest(outlets: list[_Row], overall: _Row | None, corrected: list[_Row], level: float) -> _Row:
    by_outlet = {row["outlet"]: row for row in corrected}
    ends: list[float | None] = [row[of] for row in outlets for of in ("loaded_share", "ci_high", "shrunken_high")]
    ends += [row[of] for row in corrected for of in ("corrected_share", "ci_high")]
    axis = _Axis(0.0, _limit(ends))
    drawn = []
    for row in outlets:
        measured = by_outlet.get(row["outlet"])
        drawn.append(
            {
                "o": row["o"],
                "outlet": row["outlet"],
                "few": bool(row["note"]),
                "raw": _mark(axis, row["loaded_share"], row["ci_low"], row["ci_high"]),
                "shrunken": _mark(axis, row["shrunken_share"], row["shrunken_low"], row["shrunken_high"]),
                "corrected": measured
                and _mark(axis, measured["corrected_share"], measured["ci_low"], measured["ci_high"]),
                "says": _outlet_says(row, measured, level),
            }
        )
    return {
        "rows": drawn,
        "axis": axis,
        "row_height": 36 if corrected else 28,
        "overall": None if overall is None else axis.at(overall["loaded_share"]),
    }


def _mark(axis: _Axis, estimate: float | None, low: float | None, high: float | None) -> _Row | None:
    if estimate is None:
        return None
    return {"x": axis.at(estimate), "low": axis.maybe(low), "high": axis.maybe(high)}


def _outlet_says(row: _Row, measured: _Row | None, level: float) -> str:
    said = f"{_name(row['outlet'])}: {_share(row['loaded_share'])}"
    said += (
        ", no interval"
        if row["ci_low"] is None
        else f", {100 * level:g}% interval {_share(row['ci_low'])} to {_share(row['ci_high'])}"
    )
    said += f", {row['n_articles']:,} articles"
    if row["shrunken_share"] is not None:
        said += f"; drawn towards the others {_share(row['shrunken_share'])}"
    if measured and measured["corrected_share"] is not None:
        said += f"; corrected by labels {_share(measured['corrected_share'])}"
    return said


def _pairs(frame: pl.DataFrame | None) -> list[_Row]:
    """The surest differences first."""
    return sorted(
        _rows(frame),
        key=lambda row: (2.0 if row["p_adjusted"] is None else row["p_adjusted"], -abs(row["difference"] or 0.0)),
    )


def _matrix(order_of_size: list[_Row], pairs: list[_Row]) -> _Row | None:
    """Row minus column, the more loaded outlets first; a cell's class is its step on the colour scale."""
    compared = {row[of] for row in pairs for of in ("outlet_a", "outlet_b")}
    shown = [row for row in order_of_size if row["outlet"] in compared][:MAX_OUTLETS_IN_MATRIX]
    if len(shown) < 2:
        return None
    ordered = sorted(shown, key=lambda row: -row["loaded_share"])
    kept = {row["outlet"] for row in ordered}
    found = {(row["outlet_a"], row["outlet_b"]): row for row in pairs if {row["outlet_a"], row["outlet_b"]} <= kept}
    widest = max((abs(row["difference"] or 0.0) for row in found.values()), default=0.0) or 0.1
    lines = []
    for row in ordered:
        cells: list[_Row | None] = []
        for column in ordered:
            pair = found.get((row["outlet"], column["outlet"]))
            turned = found.get((column["outlet"], row["outlet"]))
            either, sign = (pair, 1) if pair else (turned, -1)
            if either is None or either["difference"] is None:
                cells.append(None)
                continue
            difference = sign * either["difference"]
            step = min(_STEPS_OF_SCALE, math.ceil(abs(difference) / widest * _STEPS_OF_SCALE - 1e-9))
            cells.append(
                {
                    "class": f"{'more' if difference > 0 else 'less'}{step}" if step else "same",
                    "difference": f"{round(difference, 2) + 0.0:+.2f}".replace("-", "−"),
                    "differs": bool(either["differs"]),
                    "says": _difference_says(either, sign),
                }
            )
        lines.append({"o": row["o"], "outlet": row["outlet"], "cells": cells})
    return {
        "outlets": ordered,
        "lines": lines,
        "widest": f"{widest:.2f}",
        "n": len(ordered),
        "n_compared": len(compared),
    }


def _differences(rows: list[_Row], left: float = _LABEL_WIDTH) -> _Row | None:
    """Differences about a line at nothing."""
    if not rows:
        return None
    ends = sorted(abs(value) for row in rows for value in (row["ci_low"], row["ci_high"]) if value is not None)
    # With two events an interval may span everything: one such must not flatten all the others.
    usual = ends[int(0.9 * (len(ends) - 1))] if ends else 0.0
    reach = ends[-1] if ends and ends[-1] <= 2 * usual else usual
    limit = _limit([reach, *(abs(row["difference"]) for row in rows if row["difference"] is not None)], 0.05)
    axis = _Axis(-limit, limit, left=left)
    drawn = [{**row, "mark": _mark(axis, row["difference"], row["ci_low"], row["ci_high"])} for row in rows]
    return {"rows": drawn, "axis": axis, "zero": axis.at(0.0), "row_height": 24}


def _within_says(row: _Row) -> str:
    return f"{_difference_says(row)}, {row['n_events']:,} events"


def _outlet_within_says(row: _Row) -> str:
    interval = "no interval" if row["ci_low"] is None else f"[{_signed(row['ci_low'])}, {_signed(row['ci_high'])}]"
    return (
        f"{_name(row['outlet'])} minus the others: {_signed(row['difference'])} {interval}, {row['n_events']:,} events"
    )


def _topics(rows: list[_Row], names: _Names) -> _Row:
    axis = _Axis(0.0, _limit(row[of] for row in rows for of in ("raw_share", "standardised_share", "ci_high")))
    drawn = []
    for row in rows:
        standardised = _mark(axis, row["standardised_share"], row["ci_low"], row["ci_high"])
        says = f"{_name(row['outlet'])}: {_share(row['raw_share'])} as covered, {_share(row['standardised_share'])} with topics held equal"
        drawn.append(
            {
                **row,
                "o": names.number(row["outlet"]),
                "raw": axis.maybe(row["raw_share"]),
                "mark": standardised,
                "says": says,
            }
        )
    return {"rows": drawn, "axis": axis, "row_height": 26}


def _devices(rows: list[_Row], order_of_size: list[_Row], names: _Names) -> list[_Row]:
    """A row for each outlet, the largest first, with its figures in the order of `DEVICE_NAMES`."""
    by_outlet: dict[str | None, dict[str, _Row]] = {}
    for row in rows:
        by_outlet.setdefault(row["outlet"], {})[row["device"]] = row
    listed = [row["outlet"] for row in order_of_size if row["outlet"] in by_outlet]
    return [
        {"outlet": outlet, "o": names.number(outlet), "cells": [by_outlet[outlet][device] for device in DEVICE_NAMES]}
        for outlet in listed[:MAX_DEVICE_ROWS]
    ]


def _vocabularies(words: list[_Row], order_of_size: list[_Row], names: _Names) -> list[_Row]:
    """Each outlet's words with bars, the largest outlets first; few examples where outlets are many."""
    of_outlet: dict[str | None, list[_Row]] = {}
    for row in words:
        of_outlet.setdefault(row["outlet"], []).append(row)
    rank = {row["outlet"]: at for at, row in enumerate(order_of_size)}
    n_examples = 3 if len(words) <= 600 else 1
    drawn = []
    for outlet in sorted(of_outlet, key=lambda o: rank.get(o, len(rank))):
        rows = of_outlet[outlet]
        shown = rows[:MAX_WORDS_PER_OUTLET]  # the surest first, as they come
        longest = max([abs(row["z_score"] or 0.0) for row in shown] + [1e-9])
        drawn.append(
            {
                "o": names.number(outlet),
                "outlet": outlet,
                "n_words": len(rows),
                "words": [
                    {
                        **row,
                        "bar": round(abs(row["z_score"] or 0.0) / longest * 120, 1),
                        "z": "–" if row["z_score"] is None else f"{row['z_score']:+.1f}".replace("-", "−"),
                        "less": (row["z_score"] or 0.0) < 0,
                        "shown": (row["examples"] or [])[:n_examples],
                    }
                    for row in shown
                ],
            }
        )
    return drawn


def _timeline(rows: list[_Row], order_of_size: list[_Row], overall: _Row | None, names: _Names) -> _Row | None:
    """Small multiples on one scale, so that they can be held against each other."""
    if not rows:
        return None
    of_outlet: dict[str | None, list[_Row]] = {}
    for row in rows:
        of_outlet.setdefault(row["outlet"], []).append(row)
    # One interval from a handful of articles may span everything: the scale follows the estimates and most intervals.
    highs = sorted(row["ci_high"] for row in rows if row["ci_high"] is not None)
    usual = highs[int(0.95 * (len(highs) - 1))] if highs else 0.1
    limit = math.ceil(10 * _limit([usual, *(row["loaded_share"] for row in rows)]) - 1e-9) / 10
    vertical = _Axis(0.0, limit, left=104, right=10)
    days = [row["period"].toordinal() for row in rows]
    first, last = min(days), max(days)
    across = _Axis(first - 0.5, last + 0.5, left=42, right=278) if last > first else _Axis(first - 1, last + 1, 42, 278)
    ticks = [{"y": vertical.at(value), "label": f"{value:.2f}"} for value in (0.0, vertical.high / 2, vertical.high)]
    rank = {row["outlet"]: at for at, row in enumerate(order_of_size)}
    drawn = []
    for outlet in sorted(of_outlet, key=lambda o: rank.get(o, len(rank))):
        points = [
            {
                "x": across.at(row["period"].toordinal()),
                "y": vertical.at(row["loaded_share"]),
                "low": vertical.maybe(row["ci_low"]),
                "high": vertical.maybe(row["ci_high"]),
                "few": row["n_articles"] < FEW_ARTICLES,
                "says": f"{row['period'].isoformat()}: {_share(row['loaded_share'])}"
                + ("" if row["ci_low"] is None else f" [{_share(row['ci_low'])}, {_share(row['ci_high'])}]")
                + f", {row['n_articles']:,} articles",
            }
            for row in sorted(of_outlet[outlet], key=lambda row: row["period"])
            if row["loaded_share"] is not None
        ]
        drawn.append({"o": names.number(outlet), "outlet": outlet, "points": points, "bands": _bands(points)})
    return {
        "outlets": drawn,
        "ticks": ticks,
        "overall": None if overall is None else vertical.at(overall["loaded_share"]),
        "first": datetime.date.fromordinal(first).isoformat()[:7],
        "last": datetime.date.fromordinal(last).isoformat()[:7],
        "high": f"{vertical.high:.2f}",
    }


def _bands(points: list[_Row]) -> list[str]:
    """Polygons over neighbouring points that have intervals; a point alone gets a narrow one."""
    bands: list[str] = []
    together: list[_Row] = []
    for point in [*points, {"low": None}]:
        if point["low"] is not None:
            together.append(point)
            continue
        if together:
            if len(together) == 1:
                together = [{**together[0], "x": together[0]["x"] + shift} for shift in (-2, 2)]
            there = [f"{p['x']:g},{p['high']:g}" for p in together]
            back = [f"{p['x']:g},{p['low']:g}" for p in reversed(together)]
            bands.append(" ".join(there + back))
        together = []
    return bands


def _events(rows: Sequence[_Row], names: _Names) -> list[_Row]:
    """Articles under their events, in the order in which they come; in each the most loaded outlet first."""
    grouped: dict[str, list[_Row]] = {}
    for row in rows:
        grouped.setdefault(str(row["event_id"]), []).append(row)
    events = []
    for event_id, articles in grouped.items():
        ordered = sorted(articles, key=lambda row: -(row["loaded_share"] or 0.0))
        shares = [row["loaded_share"] for row in ordered if row["loaded_share"] is not None]
        dates = sorted({str(row["date"])[:10] for row in ordered if row["date"] is not None})
        columns: dict[int, list[_Row]] = {}
        for row in ordered:
            columns.setdefault(names.number(row["outlet"]), []).append(row)
        events.append(
            {
                "event_id": event_id,
                "title": next((row["title"] for row in articles if row["title"]), event_id),
                "dates": dates[0] + (f" to {dates[-1]}" if len(dates) > 1 else "") if dates else "",
                "why": list(dict.fromkeys(reason for row in articles for reason in row["why"] or [])),
                "columns": list(columns.items()),
                "o": " ".join(map(str, columns)),
                "n_articles": len(articles),
                "lowest": min(shares, default=None),
                "highest": max(shares, default=None),
            }
        )
    return events
