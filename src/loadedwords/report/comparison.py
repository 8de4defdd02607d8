"""A comparison of outlets → one HTML page that works offline, with its figures to download."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from markupsafe import Markup, escape

from loadedwords import highlight
from loadedwords.outlets import APART, FEW_ARTICLES
from loadedwords.outlets.devices import PRAISE
from loadedwords.outlets.summary import work_of_others
from loadedwords.outlets.tables import TABLES
from loadedwords.report.page import LABELS, Axis, minus, name, render, share, upper_end, write_page
from loadedwords.schema import KIND_NAMES

if TYPE_CHECKING:
    from loadedwords.outlets.comparison import Comparison

MAX_OUTLETS_IN_MATRIX = 25
MAX_PAIRS_SHOWN = 100
MAX_WITHIN_DRAWN = 40
MAX_WORDS_PER_OUTLET = 15
MAX_OTHER_WORDS_SHOWN = 200
MAX_DEVICE_ROWS = 60
SENTENCES_WITHOUT_SCRIPTS = 30
OUTLETS_IN_TIMELINE = 12  # shown before the reader asks for more
DEVICE_NAMES = {**KIND_NAMES, PRAISE: "praise"}
_STEPS_OF_SCALE = 4  # of the matrix, to either side of nothing

_Row = dict[str, Any]


@dataclass(frozen=True)
class ShownRun:
    """What the page shows of a run beside its comparison.

    Attributes
    ----------
    record : dict
        As run.json holds it.
    n_articles, n_shown : int
    groups : list of dict
        heading, articles (rows of the articles table with heading_html and html).
    """

    record: dict[str, Any]
    n_articles: int
    n_shown: int
    groups: list[_Row]


def write_comparison_page(comparison: Comparison, file: Path, run: ShownRun | None = None) -> Path:
    """Write a comparison of outlets as one HTML file.

    Charts and tables are in the file itself, so that they can be read with scripts off; scripts add the search, the
    filters and the downloads. The page's security policy lets nothing be fetched.

    Parameters
    ----------
    comparison : Comparison
        What was found about the outlets.
    file : Path
        Written beside and renamed into place; its folder is made where there is none.
    run : ShownRun, optional
        The run that it is the report of: its articles and its record stand in the page, too.

    Returns
    -------
    Path
        Of the page.
    """
    rows = {table: _rows(getattr(comparison, table)) for table in TABLES}
    # Outlets of one article would else stand first and last: chance alone puts them there.
    corrected = {row["outlet"]: row for row in rows["corrected"]}
    outlets = rows["outlets"] = sorted(rows["outlets"], key=lambda row: _place(row, corrected))
    # All outlets together have figures of their own, but nothing that they could be drawn to.
    overall = [{**dict.fromkeys(outlets[0]), **row} for row in _rows(comparison.overall) if outlets]
    # Once there are labels, no difference is shown but by them.
    governing, other = "pairs", "corrected_pairs"
    if comparison.corrected is not None:
        governing, other = other, governing
    pairs = rows[governing] = sorted(rows[governing], key=_surest)
    del rows[other]
    within = rows["within_events"] = sorted(rows["within_events"], key=lambda row: -row["n_events"])
    by_size = sorted(outlets, key=lambda row: -row["n_articles"])
    events, outlets_within, sentences = rows.pop("events"), rows["outlets_within_events"], rows.pop("sentences")
    listed: dict[str, None] = {name(row["outlet"]): None for row in outlets}
    for table in (overall, *rows.values(), events, sentences):
        listed.update((name(row[column]), None) for row in table for column in _outlet_columns(row))
    number = {outlet: at for at, outlet in enumerate(listed)}
    tested = [row["n_events"] for row in within if row["p_adjusted"] is not None]
    page = render(
        "comparison.html.j2",
        {
            "o": lambda outlet: number[name(outlet)],
            "signed": _signed,
            "p_value": _p_value,
            "mark_word": _mark_word,
            "mark_places": _mark_places,
            "difference_says": _difference_says,
        },
        comparison=comparison,
        run=run,
        article_style=Markup(highlight.STYLE) if run else "",
        apart=[part for part in APART if any(row[f"n_{part}s"] for row in outlets)],
        syndicated=work_of_others(comparison),
        level=f"{100 * comparison.level:g}%",
        few=FEW_ARTICLES,
        rows=rows,
        outlets=outlets,
        overall=overall[0] if overall else None,
        corrected=corrected,
        governing=governing,
        pairs=pairs,
        forest=_share_axis(outlets, "loaded_share", "ci_high", "shrunken_high", more=rows["corrected"]),
        matrix=_matrix(by_size, pairs, {o: row["corrected_share"] for o, row in corrected.items()}),
        most_pairs=MAX_PAIRS_SHOWN,
        n_differ=sum(bool(row["differs"]) for row in pairs),
        within=within[:MAX_WITHIN_DRAWN],
        within_axis=_difference_axis(within[:MAX_WITHIN_DRAWN], left=290),
        outlets_within_axis=_difference_axis(outlets_within),
        # Pairs that share too few to be tested are there to be asked for.
        least_events=min(tested or [row["n_events"] for row in within], default=0),
        topics_axis=_share_axis(rows["topics"], "raw_share", "standardised_share", "ci_high"),
        vocabularies=_of_outlets(rows["words"], by_size),
        most_words=MAX_WORDS_PER_OUTLET,
        n_examples=3 if len(rows["words"]) <= 600 else 1,
        most_other_words=MAX_OTHER_WORDS_SHOWN,
        devices=[
            (outlet, {row["device"]: row for row in figures})
            for outlet, figures in _of_outlets(rows["devices"], by_size)[:MAX_DEVICE_ROWS]
        ],
        device_names=DEVICE_NAMES,
        timeline=_timeline(rows["timeline"], by_size),
        n_in_timeline=OUTLETS_IN_TIMELINE,
        events=_events(events),
        sentences=sentences,
        n_sentences_drawn=SENTENCES_WITHOUT_SCRIPTS,
        sentence_outlets=sorted({name(row["outlet"]) for row in sentences}, key=str.casefold),
        sentence_kinds=[
            kind for kind in KIND_NAMES if any(word["kind"] == kind for row in sentences for word in row["words"])
        ],
        event_outlets=sorted({name(row["outlet"]) for row in events}, key=str.casefold),
        data=_json_for_script(
            {
                "names": list(number),
                "n": len(outlets),
                "kinds": KIND_NAMES,
                "sentences": [
                    {
                        "o": number[name(row["outlet"])],
                        "id": [row["article_id"], row["sentence_id"]],
                        "title": row["title"] or "",
                        "date": "" if row["date"] is None else row["date"].isoformat(),
                        "p": round(row["p_own"], 4),
                        "text": row["text"],
                        "words": [[word["start"], word["end"], word["kind"]] for word in row["words"]],
                    }
                    for row in sentences
                ],
                "tables": {
                    table: _columns(overall + listed if table == "outlets" else listed, number)
                    for table, listed in rows.items()
                    if listed
                },
            }
        ),
    )
    return write_page(page, file)


def _rows(frame: pl.DataFrame | None) -> list[_Row]:
    """Rows as dicts, not-a-number as nothing: JSON has no word for it and a chart no place."""
    if frame is None or not frame.height:
        return []
    return frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()


def _place(row: _Row, corrected: dict[str | None, _Row]) -> tuple[Any, ...]:
    """By the corrected share where there are labels, the outlets they don't reach behind; else as they come."""
    share = corrected.get(row["outlet"], {}).get("corrected_share")
    return (share is None, -(share or 0.0), bool(row["note"])) if corrected else (bool(row["note"]),)


def _surest(pair: _Row) -> tuple[float, float]:
    return 2.0 if pair["p_adjusted"] is None else pair["p_adjusted"], -abs(pair["difference"] or 0.0)


def _outlet_columns(row: _Row) -> list[str]:
    return [column for column in row if column.endswith("outlet") or column in ("outlet_a", "outlet_b")]


def _of_outlets(rows: list[_Row], by_size: list[_Row]) -> list[tuple[str | None, list[_Row]]]:
    """The rows of each outlet, the largest outlet first."""
    found: dict[str | None, list[_Row]] = {row["outlet"]: [] for row in by_size}
    for row in rows:
        found.setdefault(row["outlet"], []).append(row)
    return [(outlet, of) for outlet, of in found.items() if of]


# What stands in cells and titles


def _signed(value: float | None) -> str:
    # Adding nothing turns minus zero, as of a difference turned round, to zero.
    return "–" if value is None else minus(f"{round(value, 3) + 0.0:+.3f}")


def _p_value(value: float | None) -> str:
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _difference_says(row: _Row) -> str:
    """Such as ``A minus B: +0.050 [+0.010, +0.090], p adjusted 0.013``."""
    ends = "no interval" if row["ci_low"] is None else f"[{_signed(row['ci_low'])}, {_signed(row['ci_high'])}]"
    of = f"{name(row['outlet_a'])} minus {name(row['outlet_b'])}: {_signed(row['difference'])} {ends}"
    return f"{of}, p adjusted {_p_value(row['p_adjusted'])}"


def _mark_word(sentence: str | None, word: str | None) -> Markup:
    """The sentence, escaped, with the word marked wherever it stands as a word."""
    if not sentence or not word:
        return escape(sentence or "")
    parts = re.split(rf"(?i)(?<!\w)({re.escape(word)})(?!\w)", sentence)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def _mark_places(sentence: _Row) -> Markup:
    """The text of a sentence, escaped, its loaded words marked with what they do."""
    parts, done = [], 0
    for word in sentence["words"]:
        parts.append(escape(sentence["text"][done : word["start"]]))
        of = sentence["text"][word["start"] : word["end"]]
        parts.append(Markup('<mark title="{}">{}</mark>').format(KIND_NAMES.get(word["kind"] or "", ""), of))
        done = word["end"]
    return Markup("").join([*parts, escape(sentence["text"][done:])])


# What the downloads are made of


def _json_for_script(value: object) -> Markup:
    """JSON in which nothing can end the script element that holds it."""
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return Markup(written)


def _columns(rows: list[_Row], number: dict[str, int]) -> list[_Row]:
    """A table by columns; an outlet's name stands in the page's data once, however many pairs it is in."""
    columns = []
    for column in rows[0]:
        if column == "examples":
            continue
        values = [row[column] for row in rows]
        described: _Row = {"name": column}
        if column in _outlet_columns(rows[0]):
            described |= {"kind": "outlet", "values": [number[name(value)] for value in values]}
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


def _share_axis(rows: list[_Row], *columns: str, more: Sequence[_Row] = ()) -> Axis:
    ends = [row[of] for row in rows for of in columns]
    return Axis(0.0, upper_end([*ends, *(row[of] for row in more for of in ("corrected_share", "ci_high"))]))


def _difference_axis(rows: list[_Row], left: float = LABELS) -> Axis:
    """To either side of nothing."""
    ends = sorted(abs(value) for row in rows for value in (row["ci_low"], row["ci_high"]) if value is not None)
    # With two events an interval may span everything: one such must not flatten all the others.
    usual = ends[int(0.9 * (len(ends) - 1))] if ends else 0.0
    reach = ends[-1] if ends and ends[-1] <= 2 * usual else usual
    limit = upper_end([reach, *(abs(row["difference"]) for row in rows if row["difference"] is not None)], 0.05)
    return Axis(-limit, limit, left=left)


def _matrix(by_size: list[_Row], pairs: list[_Row], corrected: dict[str | None, float | None]) -> _Row | None:
    """Row minus column, the more loaded outlets first; a cell's class is its step on the colour scale."""
    compared = {row[of] for row in pairs for of in ("outlet_a", "outlet_b")}
    shown = [row for row in by_size if row["outlet"] in compared][:MAX_OUTLETS_IN_MATRIX]
    if len(shown) < 2:
        return None
    ordered = [
        row["outlet"] for row in sorted(shown, key=lambda row: -(corrected.get(row["outlet"]) or row["loaded_share"]))
    ]
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


def _turned(pair: _Row) -> _Row:
    low, high = (None if pair[end] is None else -pair[end] for end in ("ci_high", "ci_low"))
    names = {"outlet_a": pair["outlet_b"], "outlet_b": pair["outlet_a"]}
    return {**pair, **names, "difference": -pair["difference"], "ci_low": low, "ci_high": high}


def _timeline(rows: list[_Row], by_size: list[_Row]) -> _Row | None:
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
    for outlet, of in _of_outlets(rows, by_size):
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


def _says(row: _Row) -> str:
    ends = "" if row["ci_low"] is None else f" [{share(row['ci_low'])}, {share(row['ci_high'])}]"
    return f"{row['period'].isoformat()}: {share(row['loaded_share'])}{ends}, {row['n_articles']:,} articles"


def _bands(points: list[_Row], vertical: Axis) -> Iterable[str]:
    """Polygons over neighbouring points that have intervals; a point alone gets a narrow one."""
    for known, run in groupby(points, key=lambda point: point["ci_low"] is not None):
        if not known:
            continue
        together = list(run)
        edge = together if len(together) > 1 else [{**together[0], "x": together[0]["x"] + to} for to in (-2, 2)]
        above = [f"{point['x']:g},{vertical.at(point['ci_high']):g}" for point in edge]
        yield " ".join(above + [f"{point['x']:g},{vertical.at(point['ci_low']):g}" for point in reversed(edge)])


def _events(rows: Sequence[_Row]) -> list[_Row]:
    """Articles under their events, in the order in which they come; in each the most loaded outlet first."""
    events = []
    for event_id, group in groupby(rows, key=lambda row: str(row["event_id"])):
        articles = list(group)
        ordered = sorted(articles, key=lambda row: -(row["loaded_share"] or 0.0))
        columns: dict[str, list[_Row]] = {}
        for row in ordered:
            columns.setdefault(name(row["outlet"]), []).append(row)
        dates = sorted({str(row["date"])[:10] for row in ordered if row["date"] is not None})
        shares = [row["loaded_share"] for row in ordered if row["loaded_share"] is not None]
        events.append(
            {
                "title": next((row["title"] for row in articles if row["title"]), event_id),
                "dates": " to ".join(dict.fromkeys([*dates[:1], *dates[-1:]])),
                "why": list(dict.fromkeys(reason for row in articles for reason in row["why"] or [])),
                "columns": columns,
                "n_articles": len(articles),
                "lowest": min(shares, default=None),
                "highest": max(shares, default=None),
            }
        )
    return events
