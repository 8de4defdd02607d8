"""The page of a comparison: complete, escaped, offline, and working in a browser."""

from __future__ import annotations

import base64
import datetime
import hashlib
import html
import json
import re
import types
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chromium import Browser, needs_chromium
from loadedwords.outlets.devices import PRAISE, SCHEMA
from loadedwords.report.comparison import write_comparison_page
from loadedwords.report.drawing import matrix
from loadedwords.schema import KINDS
from pages import Page

HOSTILE = "</script><img src=x onerror=alert(1)>"
FORMULA = "=cmd()|'/c calc'!A1"
OUTLETS = ["Harbour Post", "Mill Lane Mail", "North Ferry News", "The Quiet Ledger", "Sluice & Weir", FORMULA, HOSTILE]


def _interval(centre: float, half: float, *names: str) -> dict[str, float]:
    return dict(zip(names, (centre, centre - half, centre + half), strict=True))


def _outlet(name: str | None, at: int, n: int) -> dict[str, Any]:
    share = 0.36 - 0.03 * at
    known = _interval(share, 0.2 / n**0.5, "loaded_share", "ci_low", "ci_high")
    return {
        "outlet": name,
        "n_articles": n,
        "n_sentences": 14 * n,
        **(known if n > 1 else {"loaded_share": share, "ci_low": None, "ci_high": None}),
        **_interval(9.5 - at, 1.2, "loaded_words_per_1000", "words_ci_low", "words_ci_high"),
        "note": "one article" if n == 1 else "few articles" if n < 10 else "",
        **_interval(share + 0.02, 0.03, "loaded_share_all", "all_ci_low", "all_ci_high"),
        **_interval(0.5 - 0.05 * at, 0.08, "share_above", "above_ci_low", "above_ci_high"),
        **_interval(share + 0.1, 0.05, "title_loaded_share", "title_ci_low", "title_ci_high"),
        "n_titles": n,
        "n_standfirsts": 0,
        "n_syndicated": 2,
        "n_syndicated_articles": 1,
        "loaded_share_syndicated": 0.1,
        "n_copies": at,
        **_interval(0.27 + (share - 0.27) * n / (n + 8), 0.03, "shrunken_share", "shrunken_low", "shrunken_high"),
    }


def _pair(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    difference = a["loaded_share"] - b["loaded_share"]
    p = 0.0004 if abs(difference) > 0.1 else 0.2
    names = {"outlet_a": a["outlet"], "outlet_b": b["outlet"]}
    about = _interval(difference, 0.05, "difference", "ci_low", "ci_high")
    return {**names, **about, "p_value": p / 2, "p_adjusted": p, "differs": p < 0.05}


def made_up(names: Sequence[str | None] = OUTLETS, n_events: int = 6, n_periods: int = 8) -> Any:
    """What a comparison of made-up outlets would hold; every text is hostile somewhere."""
    outlets = [
        _outlet(name, at % 10, 1 if at == 4 else 6 if at == 3 else 80 - at % 60) for at, name in enumerate(names)
    ]
    pairs = pl.DataFrame([_pair(a, b) for a, b in combinations(outlets, 2)], infer_schema_length=None)
    sentences = [
        {"text": "The shameless dam board sneered at the valley.", "p_own": 0.91},
        {"text": f"A brazen {HOSTILE} grab, said nobody.", "p_own": 0.8},
    ]
    events = [
        {
            "event_id": f"event {k}",
            "article_id": f"e{k}-{at}",
            "outlet": name,
            "title": (f"Bridge {k} closed for repair", FORMULA, f"{HOSTILE} at bridge {k}")[at % 3],
            "date": datetime.date(2024, 3, 1 + k % 25),
            "loaded_share": 0.2 + 0.05 * at,
            "why": ["shared words: bridge, closed", HOSTILE] if k % 2 else [],
            "sentences": sentences if at else [{"text": f"The zealot mayor{k} gloated.", "p_own": 0.7}],
        }
        for k in range(n_events)
        for at, name in enumerate(names[k % 3 : k % 3 + 3])
    ]
    words = [
        {
            "outlet": name,
            "word": word,
            "n": 20 - k,
            "n_articles": 12 - k,
            "n_elsewhere": 3 + k,
            **_interval(2.1 - 0.3 * k, 0.6, "log_odds", "ci_low", "ci_high"),
            "z_score": 6.5 - 1.2 * k,
            "p_adjusted": 0.0002 * 5**k,
            "examples": [{"article_id": "a1", "text": f"They called it {word} and left."}],
        }
        for name in names
        for k, word in enumerate(["shameless", "puppet", HOSTILE, FORMULA, "brazen"])
    ]
    loaded = [
        {
            "outlet": name,
            "article_id": f"s{at}",
            "sentence_id": k,
            "title": (f"Weir {at}", HOSTILE, FORMULA)[at % 3],
            "date": datetime.date(2023, 1 + at % 12, 3) if at % 5 else None,
            "p_own": 0.95 - 0.01 * (at % 60) - 0.001 * k,
            "text": f"😀 The {word} board {HOSTILE} sneered at row {at}.",
            "words": [{"text": word, "start": 6, "end": 6 + len(word), "kind": kind}],
        }
        for at, name in enumerate(names[:20])
        for k, (word, kind) in enumerate((("shameless", "judgement"), ("puppet", "label")))
    ]
    timeline = [
        {
            "outlet": name,
            "period": datetime.date(2023 + month // 12, 1 + month % 12, 1),
            "n_articles": 4 if month % 5 == 0 else 20,
            "loaded_share": 0.3 - 0.02 * (at % 10) + 0.01 * (month % 4),
            "ci_low": None if month == 3 else 0.2 - 0.02 * (at % 10),
            "ci_high": None if month == 3 else 0.4 - 0.02 * (at % 10),
        }
        for at, name in enumerate(names)
        for month in range(n_periods)
    ]
    topics = [
        {
            "outlet": row["outlet"],
            "n_articles": row["n_articles"],
            "raw_share": row["loaded_share"],
            **_interval(row["loaded_share"] * 0.8 + 0.05, 0.03, "standardised_share", "ci_low", "ci_high"),
            "rank": at + 1,
            "rank_standardised": len(outlets) - at,
            "coverage": 0.85,
        }
        for at, row in enumerate(outlets)
    ]
    other_words = {
        "event_id": "event 1",
        "outlet": names[0],
        "word": "slammed",
        "plain_outlet": names[-1],
        "plain_word": "criticised",
        "similarity": 0.83,
        "plain_sentence": "The council criticised the plan.",
        "sentence": f"The council slammed the plan {HOSTILE}.",
    }
    corrected = _interval(0.28, 0.06, "corrected_share", "ci_low", "ci_high")
    # The first outlet's labels differ.
    devices = [
        (
            row["outlet"],
            device,
            12,
            9000,
            9,
            1.0,
            0.5,
            2.0,
            0.4,
            0.6,
            0.1,
            1.1,
            0.01,
            at == 0 and device == "label",
            7,
            0.5,
            0.1,
            0.9,
            0.02,
            at == 0,
        )
        for at, row in enumerate(outlets)
        for device in (*KINDS, PRAISE)
    ]
    within = [
        {"outlet": row["outlet"], "n_events": 9 + at, "p_value": 0.02}
        | _interval(0.1 - 0.02 * at, 0.04, "difference", "ci_low", "ci_high")
        for at, row in enumerate(outlets)
    ]
    return types.SimpleNamespace(
        outlets=pl.DataFrame(outlets, infer_schema_length=None),
        overall=pl.DataFrame([_outlet("all outlets", 3, 400)]).drop("^shrunken.*$"),
        pairs=pairs,
        events=pl.DataFrame(events, infer_schema_length=None),
        n_events=n_events + 3,
        within_events=pairs.head(10 * len(outlets))
        .drop("differs", strict=False)
        .with_columns(n_events=5 + pl.int_range(pl.len()) % 30),
        outlets_within_events=pl.DataFrame(within),
        corrected_pairs=pairs,
        topics=pl.DataFrame(topics),
        words=pl.DataFrame(words),
        other_words=pl.DataFrame([other_words]),
        devices=pl.DataFrame(devices, schema=SCHEMA, orient="row"),
        sentences=pl.DataFrame(loaded, infer_schema_length=None).sort("p_own", descending=True),
        timeline=pl.DataFrame(timeline, infer_schema_length=None),
        n_off_timeline=2,
        corrected=pl.DataFrame(
            [
                {
                    "outlet": names[0],
                    "n_labelled": 60,
                    "loaded_share_raw": 0.36,
                    **corrected,
                    "more_labels": 40,
                    "note": "the scores are too unlike the labels to help; scored anew since the sample was drawn: its strata are not used",
                }
            ]
        ),
        level=0.95,
        voice="own",
        threshold=0.3,
        model={"name": "default", "hash": "0123abcd"},
        prevalence=None,
        base_rate=0.205,
        sources=["scores", HOSTILE],
        says=("Harbour Post is more loaded than the others.", HOSTILE),
        cannot_say=("Which outlet is right.",),
        methods=("We scored 400 articles.", ("Holm, S. (1979).",)),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison_page(made_up(), tmp_path_factory.mktemp("page") / "new" / "comparison.html")


@pytest.fixture(scope="module")
def page(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _data(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Page(page).scripts[0])
    return found


def test_nothing_in_it_runs_or_is_fetched(page: str) -> None:
    checker = Page(page)
    assert [attributes.get("type") for tag, attributes in checker.tags if tag == "script"] == ["application/json", None]
    assert not any("style" in attributes for _, attributes in checker.tags), "the policy would stop it"
    assert HOSTILE in checker.texts["h5"], "hostile text is shown as text"


def test_the_policy_names_exactly_its_own_script_and_style(page: str) -> None:
    policy = next(a["content"] for t, a in Page(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for element in ("script", "style"):
        text = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)[-1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy


def test_charts_are_there_without_scripts(page: str) -> None:
    without = page[: page.index('<script type="application/json"')]
    for chart, rows in (("forest", len(OUTLETS)), ("within", 21), ("others", len(OUTLETS)), ("topics", len(OUTLETS))):
        svg = re.search(rf'<svg class="chart {chart}".*?</svg>', without, re.DOTALL)
        assert svg is not None, chart
        assert svg.group().count("<title>") == rows
    assert without.count('<svg class="chart timeline"') == len(OUTLETS)
    assert "Left out: 2 with a date far from all others." in without
    assert without.count('<div class="vocabulary"') == len(OUTLETS)
    assert without.count("<rect") > 5 * len(OUTLETS)
    hidden = re.findall(r"<(\w+)[^>]* hidden>", without)
    assert set(hidden) <= {"div", "span", "button", "p"}
    for opened in re.findall(r"<[^>]* hidden>", without):
        assert "data-js" in opened or 'id="words-none"' in opened, "only what needs scripts is hidden without them"


def test_marks_say_what_they_rest_on(page: str) -> None:
    forest = re.search(r'<svg class="chart forest".*?</svg>', page, re.DOTALL)
    assert forest is not None
    rows = forest.group().split("<g ")[1:]
    hollow = [at for at, row in enumerate(rows) if "hollow" in row]
    assert hollow == [5, 6], "few articles, one article: after all others"
    assert 'y1="10"' not in rows[6], "one article has no interval"
    assert ["<rect" in row for row in rows] == [True] + [False] * 6, "only the labelled outlet has a corrected mark"
    assert "0.360, 95% interval 0.338 to 0.382, 80 articles" in rows[0]


def test_the_matrix_turns_differences_round(page: str) -> None:
    matrix = page[page.index('class="scroll matrix"') :].partition("</table>")[0]
    cells = [html.unescape(title) for title in re.findall(r'<td class="[^"]*" title="([^"]*)"', matrix)]
    assert len(cells) == len(OUTLETS) * (len(OUTLETS) - 1)
    assert "Harbour Post minus Mill Lane Mail: +0.030 [−0.020, +0.080], p adjusted 0.200" in cells
    assert "Mill Lane Mail minus Harbour Post: −0.030 [−0.080, +0.020], p adjusted 0.200" in cells
    far = re.search(r'<td class="less4 differs" title="[^"]*minus Harbour Post: −0\.180', matrix)
    assert far is not None


def test_a_corrected_share_of_nothing_is_a_share() -> None:
    outlets = [{"outlet": "a", "loaded_share": 0.3}, {"outlet": "b", "loaded_share": 0.1}]
    drawn = matrix(outlets, [{"outlet_a": "a", "outlet_b": "b", "difference": None}], {"a": 0.0, "b": 0.05})
    assert drawn is not None
    assert drawn["outlets"] == ["b", "a"]


def test_labels_govern_every_verdict(tmp_path: Path) -> None:
    comparison = made_up()
    comparison.corrected_pairs = comparison.pairs.head(2).with_columns(differs=pl.Series([False, True]))
    comparison.corrected = pl.DataFrame(
        [
            {
                "outlet": name,
                "n_labelled": 60,
                "loaded_share_raw": 0.3,
                "corrected_share": share,
                "ci_low": 0.1,
                "more_labels": 0,
            }
            for name, share in ((OUTLETS[0], 0.2), (OUTLETS[1], 0.9), (OUTLETS[2], None))
        ]
    ).with_columns(ci_high=0.95, note=pl.lit(""))
    page = write_comparison_page(comparison, tmp_path / "labels.html").read_text(encoding="utf-8")
    assert "1 of 2 pairs of outlets differ" in page
    assert page.count('<span class="vh"> differs</span>') == 2, "one pair, told from both sides"
    forest = re.search(r'<svg class="chart forest".*?</svg>', page, re.DOTALL)
    assert forest is not None
    assert re.findall(r"<title>([^:<]*):", forest.group())[:2] == [OUTLETS[1], OUTLETS[0]], "by the corrected share"
    assert page.count("not corrected by the labels") == 6, "each part that labels don't reach says so"
    assert "pairs" not in _data(page)["tables"], "nobody takes the model's differences for the corrected ones"
    comparison.corrected = comparison.corrected_pairs = None
    assert "labels" not in re.sub(r"<(style|script)\b.*?</\1>", "", _written(comparison, tmp_path), flags=re.DOTALL)


def _written(comparison: Any, folder: Path) -> str:
    return write_comparison_page(comparison, folder / "again.html").read_text(encoding="utf-8")


def test_names_of_one_family_stay_apart(tmp_path: Path) -> None:
    comparison = made_up([f"The Gazette and Advertiser of Parish {k}" for k in range(30)])
    page = write_comparison_page(comparison, tmp_path / "family.html").read_text(encoding="utf-8")
    drawn = re.findall(r">([^<]*…[^<]*)</text>", page[: page.index('class="chart others"')])
    assert len(drawn) == len(set(drawn)) == 30


def test_downloads_have_every_row(page: str) -> None:
    tables = _data(page)["tables"]
    buttons = {a["data-csv"] for tag, a in Page(page).tags if "data-csv" in a}
    assert buttons == set(tables) | {"events", "sentences"}
    n_pairs = len(OUTLETS) * (len(OUTLETS) - 1) // 2
    assert {len(column["values"]) for column in tables["corrected_pairs"]} == {n_pairs}
    difference = next(column for column in tables["corrected_pairs"] if column["name"] == "difference")
    assert difference["values"][0] / 10 ** difference["digits"] == pytest.approx(0.18)


def test_a_large_comparison_stays_small(tmp_path: Path) -> None:
    comparison = made_up([f"The Gazette of Parish {k}" for k in range(258)], n_events=300, n_periods=12)
    page = write_comparison_page(comparison, tmp_path / "large.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 6_000_000
    assert {len(column["values"]) for column in _data(page)["tables"]["corrected_pairs"]} == {258 * 257 // 2}
    assert page.count("<tr data-o=") < 2_000
    assert "Drawn are the 25 outlets with the most articles" in page


def test_it_copes_with_little(tmp_path: Path) -> None:
    comparison = made_up([None])
    for empty in ("events", "sentences", "topics", "other_words", "timeline", "words", "devices"):
        setattr(comparison, empty, getattr(comparison, empty).clear())
    comparison.corrected = comparison.topics = comparison.corrected_pairs = None
    comparison.outlets = comparison.outlets.with_columns(shrunken_share=pl.lit(float("nan")))
    comparison.pairs, comparison.within_events = made_up().pairs.clear(), made_up().within_events.clear()
    page = write_comparison_page(comparison, tmp_path / "one.html").read_text(encoding="utf-8")
    Page(page)
    assert "(no outlet)" in page
    assert "No two outlets have enough articles" in page
    assert "nan" not in Page(page).texts["td"].lower()
    assert "NaN" not in Page(page).scripts[0]
    comparison.outlets = comparison.outlets.clear()
    comparison.overall = comparison.overall.clear()
    nothing = write_comparison_page(comparison, tmp_path / "none.html").read_text(encoding="utf-8")
    Page(nothing)
    assert "nothing to compare" in nothing


# In a browser

# Not awaited, so that nothing in between is drawn or fetched; errors are the browser's to tell.
STEPS = """
(() => {
  const result = {};
  const by = id => document.getElementById(id);
  const visible = selector => Array.from(document.querySelectorAll(selector)).filter(e => e.getClientRects().length).length;
  const type = (id, value) => { by(id).value = value; by(id).dispatchEvent(new Event("input", {bubbles: true})); };
  const look = () => ({
    forest: visible(".forest g"), outlets: visible(".fold tbody tr[data-o]"), matrix: visible(".matrix tbody tr"),
    pairs: visible("#pairs-body tr"), within: visible(".within g"), others: visible(".others g"), topics: visible(".topics g"),
    words: visible(".vocabulary"), timelines: visible("#timeline figure"), events: visible("#event-list > details"),
    status: by("filter-status").textContent, height: document.querySelector(".forest").viewBox.baseVal.height,
  });
  result.start = look();
  type("outlet-filter", "FERRY");
  result.filtered = look();
  result.vocabulary = document.querySelector(".vocabulary:not([hidden]) h3").textContent;
  type("outlet-filter", "nobody");
  result.nobody = look();
  type("outlet-filter", "");
  result.again = look();
  type("event-search", "mayor2 ZEALOT");
  result.searched = visible("#event-list > details");
  result.told = by("event-status").textContent;
  type("event-search", "");
  type("event-outlet", by("event-outlet").options[1].value);
  result.covered = visible("#event-list > details");
  type("event-outlet", "");
  type("within-least", "20");
  result.atLeast20 = visible(".within g");
  const select = by("words-outlet");
  type("words-outlet", select.options[2].value);
  result.chosen = document.querySelector(".vocabulary:not([hidden]) h3").textContent === select.options[2].textContent;
  type("timeline-outlet", by("timeline-outlet").lastElementChild.value);
  result.oneTimeline = visible("#timeline figure");
  const sentences = () => Array.from(document.querySelectorAll("#sentence-list > li")).map(item => item.textContent);
  result.sentences = [sentences().length, document.querySelector("#sentence-list mark").textContent];
  type("sentence-search", "ROW 3 shameless");
  result.sought = sentences();
  type("sentence-search", "");
  document.querySelectorAll("#devices td[data-show] button")[1].click();
  result.ofDevice = [sentences(), by("sentence-kind").value, document.querySelector("#sentence-list mark").title];
  document.querySelector(".fold tbody tr[data-show] button").click();
  result.ofOutlet = sentences();
  const point = document.querySelectorAll("#timeline figure:not([hidden]) circle[data-show]")[1];
  point.dispatchEvent(new MouseEvent("click", {bubbles: true}));
  result.ofPeriod = [by("sentence-from").value, by("sentence-until").value];
  for (const id of ["sentence-from", "sentence-until", "sentence-outlet", "sentence-kind"]) type(id, "");
  type("sentence-order", "date");
  result.latest = sentences()[0];
  const heading = document.querySelector(".fold thead button");
  heading.click(); heading.click();
  result.sorted = Array.from(document.querySelectorAll(".fold tbody tr")).slice(0, 3).map(r => r.cells[0].textContent);
  result.csv = {};
  let saved = "";
  window.Blob = class { constructor(parts) { this.text = parts.join(""); } };
  URL.createObjectURL = blob => { saved = blob.text; return "#"; };
  HTMLAnchorElement.prototype.click = () => {};
  for (const button of document.querySelectorAll("button[data-csv]")) {
    button.click();
    result.csv[button.dataset.csv] = saved;
  }
  const picture = document.querySelector("button[data-picture=forest]");
  picture.click();
  const drawing = new DOMParser().parseFromString(saved, "image/svg+xml").documentElement;
  result.picture = [drawing.nodeName, drawing.querySelectorAll("circle").length, drawing.querySelector("circle").getAttribute("fill")];
  result.resources = performance.getEntriesByType("resource").map(entry => entry.name);
  return result;
})()
"""


@needs_chromium
def test_it_opens_without_a_complaint_or_a_request(file: Path, browser: Browser) -> None:
    browser.open(file.as_uri())
    dom = browser.run("document.documentElement.outerHTML")
    assert browser.complaints == []
    assert dom.count('class="chart') == 4 + len(OUTLETS)
    assert re.search(r"All 7 outlets</output>", dom), "its script ran under its policy"
    assert browser.asked == {file.as_uri()}


@needs_chromium
def test_a_request_would_be_seen(tmp_path: Path, browser: Browser) -> None:
    file = tmp_path / "asks.html"
    file.write_text('<title>asks</title><img src="http://127.0.0.1:9/picture.png" alt="">', encoding="utf-8")
    browser.open(file.as_uri())
    assert browser.asked == {file.as_uri(), "http://127.0.0.1:9/picture.png"}


@needs_chromium
def test_filter_search_and_downloads_work(file: Path, browser: Browser) -> None:
    browser.open(file.as_uri())
    found = browser.run(STEPS)
    assert browser.complaints == []
    assert browser.asked == {file.as_uri()}
    assert found["resources"] == [], "nothing is fetched"

    start = found["start"]
    assert start == {
        "forest": 7, "outlets": 7, "matrix": 7, "pairs": 21, "within": 21, "others": 7, "topics": 7, "words": 1, "timelines": 7,
        "events": 6, "status": "All 7 outlets", "height": 7 * 36,
    }  # fmt: skip
    assert found["filtered"] == {
        "forest": 1, "outlets": 1, "matrix": 1, "pairs": 6, "within": 6, "others": 1, "topics": 1, "words": 1, "timelines": 1,
        "events": 6, "status": "1 of 7 outlets", "height": 36,
    }  # fmt: skip
    assert found["vocabulary"] == "North Ferry News"
    assert {found["nobody"][of] for of in ("forest", "pairs", "words", "timelines", "events")} == {0}
    assert found["again"] == start

    assert found["searched"] == 1
    assert found["told"] == "1 of 6 events shown"
    assert 0 < found["covered"] < 6
    assert found["atLeast20"] == 6
    assert found["chosen"]
    assert found["oneTimeline"] == 1
    assert found["sentences"] == [14, "shameless"]
    assert len(found["sought"]) == 1
    assert found["sought"][0].startswith("😀 The shameless board </script>"), (
        "hostile text is text, marks stand where they belong"
    )
    (of_device, kind, told) = found["ofDevice"]
    assert (len(of_device), kind, told) == (1, "judgement", "judging word")
    assert "Harbour Post" in of_device[0]
    assert len(found["ofOutlet"]) == 2
    assert found["ofPeriod"] == ["2023-02-01", "2023-02-28"]
    assert "2023-07-03" in found["latest"]
    assert found["picture"][:2] == ["svg", 7]
    assert found["picture"][2].startswith("rgb(")
    assert found["sorted"] == ["all outlets", HOSTILE, FORMULA]

    csv = found["csv"]
    assert len(csv["corrected_pairs"].strip().splitlines()) == 22
    assert csv["corrected_pairs"].splitlines()[1].startswith('"Harbour Post","')
    assert ",0.18,0.13,0.23,0.0002,0.0004,true" in csv["corrected_pairs"]
    assert f'"{HOSTILE}"' in csv["outlets"]
    assert f'"\'{FORMULA}"' in csv["words"]
    assert len(csv["events"].strip().splitlines()) == 1 + 6 * (1 + 2 + 2)
    for text in csv.values():
        assert not re.search(r'(^|,)"?[=@+]', text, re.MULTILINE), "no cell is a formula"


@needs_chromium
def test_controls_have_names_and_everything_is_reached_by_keyboard(file: Path, browser: Browser) -> None:
    steps = """(() => {
const controls = Array.from(document.querySelectorAll("input,select,button"));
const named = e => (e.labels && e.labels.length && e.labels[0].textContent.trim()) || e.textContent.trim();
return {
  unnamed: controls.filter(e => !named(e)).length,
  n: controls.length,
  unreachable: controls.concat(Array.from(document.querySelectorAll(".scroll,summary"))).filter(e => e.tabIndex < 0).length,
  skips: document.querySelector("body a").getAttribute("href"),
  unnamedRegions: document.querySelectorAll(".scroll:not([aria-label])").length,
  wide: [document.documentElement, document.querySelector("[aria-label='Table of corrected shares']")].some(e => e.scrollWidth > e.clientWidth),
  doubled: Array.from(document.querySelectorAll("[id]")).map(e => e.id).filter((id, at, ids) => ids.indexOf(id) !== at),
  broken: Array.from(document.querySelectorAll("a[href^='#']")).filter(a => !document.getElementById(a.hash.slice(1))).length,
};
})()"""
    browser.open(file.as_uri())
    found = browser.run(steps)
    assert browser.complaints == []
    assert found.pop("n") > 20
    assert found == {
        "unnamed": 0, "unreachable": 0, "skips": "#content", "unnamedRegions": 0, "wide": False, "doubled": [], "broken": 0,
    }  # fmt: skip
