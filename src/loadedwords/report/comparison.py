"""A comparison of outlets → one HTML page that works offline, with its figures to download."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from markupsafe import Markup, escape

from loadedwords import highlight
from loadedwords.outlets import APART, FEW_ARTICLES
from loadedwords.outlets.devices import PRAISE
from loadedwords.outlets.summary import work_of_others
from loadedwords.outlets.tables import TABLES
from loadedwords.report.drawing import Row, difference_axis, matrix, of_outlets, share_axis, timeline
from loadedwords.report.page import minus, name, render, write_page
from loadedwords.schema import KIND_NAMES

if TYPE_CHECKING:
    from loadedwords.outlets.comparison import Comparison

MAX_WITHIN_DRAWN = 40
MAX_DEVICE_ROWS = 60
DEVICE_NAMES = {**KIND_NAMES, PRAISE: "praise"}
# Tables whose download is made of what the page itself lists.
_LISTED = ("events", "sentences")


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
    groups: list[Row]


@dataclass(frozen=True)
class _Shown:
    """The rows of a comparison's tables in the page's order.

    Attributes
    ----------
    rows : dict of str to list of dict
        By table; of differences only those that are declared, whose table is `governing`.
    overall : list of dict
        The row of all outlets together, if there are any.
    number : dict of str to int
        Outlets by name: in what scripts read a name stands once, however many rows it is in.
    """

    rows: dict[str, list[Row]]
    governing: str
    overall: list[Row]
    number: dict[str, int]

    @classmethod
    def of(cls, comparison: Comparison) -> _Shown:
        rows = {table: _rows(getattr(comparison, table)) for table in TABLES}
        # Once there are labels, no difference is shown but by them.
        governing, other = "pairs", "corrected_pairs"
        if comparison.corrected is not None:
            governing, other = other, governing
        del rows[other]
        corrected = _by_outlet(rows["corrected"])
        # Outlets of one article would else stand first and last: chance alone puts them there.
        rows["outlets"].sort(key=lambda row: _place(row, corrected))
        rows[governing].sort(key=_surest)
        rows["within_events"].sort(key=lambda row: -row["n_events"])
        # All outlets together have figures of their own, but nothing that they could be drawn to.
        overall = [{**dict.fromkeys(rows["outlets"][0]), **row} for row in _rows(comparison.overall) if rows["outlets"]]
        tables = [rows["outlets"], overall, *rows.values(), *(rows[table] for table in _LISTED)]
        names = dict.fromkeys(name(row[column]) for table in tables for row in table for column in _outlet_columns(row))
        return cls(rows, governing, overall, {outlet: at for at, outlet in enumerate(names)})

    @property
    def by_size(self) -> list[Row]:
        return sorted(self.rows["outlets"], key=lambda row: -row["n_articles"])

    def o(self, outlet: str | None) -> int:
        return self.number[name(outlet)]


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
    shown = _Shown.of(comparison)
    filters: dict[str, Callable[..., Any]] = {
        "o": shown.o,
        "signed": _signed,
        "p_value": _p_value,
        "mark_word": _mark_word,
        "mark_places": _mark_places,
        "difference_says": _difference_says,
    }
    page = render(
        "comparison.html.j2",
        filters,
        comparison=comparison,
        run=run,
        article_style=Markup(highlight.STYLE) if run else "",
        syndicated=work_of_others(comparison),
        level=f"{100 * comparison.level:g}%",
        few=FEW_ARTICLES,
        rows=shown.rows,
        **_outlets(shown),
        **_differences(shown),
        **_words(shown),
        **_to_look_through(shown),
        data=_json_for_script(_for_scripts(shown)),
    )
    return write_page(page, file)


# What the sections of the page are given


def _outlets(shown: _Shown) -> Row:
    outlets, topics = shown.rows["outlets"], shown.rows["topics"]
    return {
        "outlets": outlets,
        "overall": shown.overall[0] if shown.overall else None,
        "corrected": _by_outlet(shown.rows["corrected"]),
        "apart": [part for part in APART if any(row[f"n_{part}s"] for row in outlets)],
        "forest": share_axis(outlets, "loaded_share", "ci_high", "shrunken_high", more=shown.rows["corrected"]),
        "topics_axis": share_axis(topics, "raw_share", "standardised_share", "ci_high"),
        "timeline": timeline(shown.rows["timeline"], shown.by_size),
    }


def _differences(shown: _Shown) -> Row:
    pairs, within = shown.rows[shown.governing], shown.rows["within_events"]
    corrected = {row["outlet"]: row["corrected_share"] for row in shown.rows["corrected"]}
    tested = [row["n_events"] for row in within if row["p_adjusted"] is not None]
    drawn = within[:MAX_WITHIN_DRAWN]
    return {
        "governing": shown.governing,
        "pairs": pairs,
        "n_differ": sum(bool(row["differs"]) for row in pairs),
        "matrix": matrix(shown.by_size, pairs, corrected),
        "within": drawn,
        "within_axis": difference_axis(drawn, left=290),
        "outlets_within_axis": difference_axis(shown.rows["outlets_within_events"]),
        # Pairs that share too few to be tested are there to be asked for.
        "least_events": min(tested or [row["n_events"] for row in within], default=0),
    }


def _words(shown: _Shown) -> Row:
    return {
        "vocabularies": of_outlets(shown.rows["words"], shown.by_size),
        "n_examples": 3 if len(shown.rows["words"]) <= 600 else 1,
        "devices": [
            (outlet, {row["device"]: row for row in figures})
            for outlet, figures in of_outlets(shown.rows["devices"], shown.by_size)[:MAX_DEVICE_ROWS]
        ],
        "device_names": DEVICE_NAMES,
    }


def _to_look_through(shown: _Shown) -> Row:
    events, sentences = (shown.rows[table] for table in _LISTED)
    kinds = {word["kind"] for row in sentences for word in row["words"]}
    return {
        "events": _events(events),
        "event_outlets": _names(events),
        "sentences": sentences,
        "sentence_outlets": _names(sentences),
        "sentence_kinds": [kind for kind in KIND_NAMES if kind in kinds],
    }


def _names(rows: list[Row]) -> list[str]:
    return sorted({name(row["outlet"]) for row in rows}, key=str.casefold)


def _rows(frame: pl.DataFrame | None) -> list[Row]:
    """Rows as dicts, not-a-number as nothing: JSON has no word for it and a chart no place."""
    if frame is None or not frame.height:
        return []
    return frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()


def _by_outlet(rows: list[Row]) -> dict[str | None, Row]:
    return {row["outlet"]: row for row in rows}


def _place(row: Row, corrected: dict[str | None, Row]) -> tuple[Any, ...]:
    """By the corrected share where there are labels, the outlets they don't reach behind; else as they come."""
    share = corrected.get(row["outlet"], {}).get("corrected_share")
    return (share is None, -(share or 0.0), bool(row["note"])) if corrected else (bool(row["note"]),)


def _surest(pair: Row) -> tuple[float, float]:
    return 2.0 if pair["p_adjusted"] is None else pair["p_adjusted"], -abs(pair["difference"] or 0.0)


def _outlet_columns(row: Row) -> list[str]:
    return [column for column in row if column.endswith("outlet") or column in ("outlet_a", "outlet_b")]


def _events(rows: Sequence[Row]) -> list[Row]:
    """Articles under their events, in the order in which they come; in each the most loaded outlet first."""
    events = []
    for event_id, group in groupby(rows, key=lambda row: str(row["event_id"])):
        articles = list(group)
        ordered = sorted(articles, key=lambda row: -(row["loaded_share"] or 0.0))
        columns: dict[str, list[Row]] = {}
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


# What stands in cells and titles


def _signed(value: float | None) -> str:
    # Adding nothing turns minus zero, as of a difference turned round, to zero.
    return "–" if value is None else minus(f"{round(value, 3) + 0.0:+.3f}")


def _p_value(value: float | None) -> str:
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _difference_says(row: Row) -> str:
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


def _mark_places(sentence: Row) -> Markup:
    """The text of a sentence, escaped, its loaded words marked with what they do."""
    parts, done = [], 0
    for word in sentence["words"]:
        parts.append(escape(sentence["text"][done : word["start"]]))
        of = sentence["text"][word["start"] : word["end"]]
        parts.append(Markup('<mark title="{}">{}</mark>').format(KIND_NAMES.get(word["kind"] or "", ""), of))
        done = word["end"]
    return Markup("").join([*parts, escape(sentence["text"][done:])])


# What scripts read


def _for_scripts(shown: _Shown) -> Row:
    return {
        "names": list(shown.number),
        "n": len(shown.rows["outlets"]),
        "kinds": KIND_NAMES,
        "sentences": [
            {
                "o": shown.o(row["outlet"]),
                "id": [row["article_id"], row["sentence_id"]],
                "title": row["title"] or "",
                "date": "" if row["date"] is None else row["date"].isoformat(),
                "p": round(row["p_own"], 4),
                "text": row["text"],
                "words": [[word["start"], word["end"], word["kind"]] for word in row["words"]],
            }
            for row in shown.rows["sentences"]
        ],
        "tables": {
            table: list(_columns(shown.overall + rows if table == "outlets" else rows, shown))
            for table, rows in shown.rows.items()
            if rows and table not in _LISTED
        },
    }


def _json_for_script(value: object) -> Markup:
    """JSON in which nothing can end the script element that holds it."""
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return Markup(written)


def _columns(rows: list[Row], shown: _Shown) -> Iterator[Row]:
    """A table by columns, outlets by their numbers."""
    for column in rows[0]:
        if column == "examples":
            continue
        values = [row[column] for row in rows]
        if column in _outlet_columns(rows[0]):
            yield {"name": column, "kind": "outlet", "values": [shown.o(value) for value in values]}
        elif column.startswith("p_"):
            yield {"name": column, "values": [None if v is None else float(f"{v:.3g}") for v in values]}
        elif any(isinstance(value, float) for value in values):
            # As whole numbers: with tens of thousands of pairs that is a third of the page.
            yield {"name": column, "digits": 4, "values": [None if v is None else round(v * 10**4) for v in values]}
        else:
            yield {"name": column, "values": [v.isoformat() if isinstance(v, datetime.date) else v for v in values]}
