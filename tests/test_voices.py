"""Whose words are whose, in passages written by the authors: embedded posts, transcripts, marks of other habits."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.schema import Article
from loadedwords.scoring.results import scored_sentence
from loadedwords.text import PreparedText, prepare_article, prepare_text
from loadedwords.text.html import extract_article

PASSAGES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "voices.toml").read_text(encoding="utf-8"))[
    "passage"
]
_PART = re.compile(r"(?P<open>[⟦⟨⟪])(?:(?P<who>[^¦⟧⟩⟫\n]*)¦)?|[⟧⟩⟫]")
_MARKUP = re.compile(r"</?\w+>|&\w+;")
_VOICE = {"⟦": "quoted", "⟨": "own", "⟪": "left out"}
Part = tuple[str, str | None]


def as_written(passage: str) -> tuple[str, list[Part]]:
    """The passage without its marks, and for every character whose it is."""
    text, parts, at = "", [], 0
    now: Part = ("own", None)
    for match in [*_PART.finditer(passage), None]:
        piece = passage[at : match.start() if match else None]
        text += piece
        parts += [now] * len(piece)
        if match:
            now = (_VOICE[match["open"]], match["who"] or None) if match["open"] else ("own", None)
            at = match.end()
    return text, parts


def as_prepared(text: str, prepared: PreparedText) -> list[Part]:
    parts: list[Part] = [("left out", None)] * len(text)
    for sentence in prepared.sentences:
        parts[sentence.start : sentence.end] = [("own", sentence.host)] * (sentence.end - sentence.start)
        for quotation in sentence.quoted:
            start, end = sentence.to_article(quotation.start, quotation.end)
            parts[start:end] = [("quoted", quotation.speaker)] * (end - start)
    return parts


def differences(passage: str) -> list[str]:
    """What is not as it was written, in words; empty where everything is."""
    text, wanted = as_written(passage)
    found = as_prepared(text, prepare_text(text))
    markup = {n for match in _MARKUP.finditer(text) for n in range(*match.span())}
    wrong = [n for n, c in enumerate(text) if c.isalnum() and n not in markup and wanted[n] != found[n]]
    said: dict[str, str] = {}
    for n in wrong:
        key = f"{wanted[n]} wanted, {found[n]} found: "
        said[key] = said.get(key, "") + text[n]
    return [key + letters for key, letters in said.items()]


@pytest.mark.parametrize("passage", PASSAGES, ids=[f"{n}-{p['kind']}" for n, p in enumerate(PASSAGES)])
def test_everybodys_words_are_their_own(passage: dict[str, Any]) -> None:
    assert differences(passage["text"]) == []


@pytest.mark.parametrize("passage", PASSAGES, ids=[f"{n}-{p['kind']}" for n, p in enumerate(PASSAGES)])
def test_the_outlets_paragraphs_around_stay_its_own(passage: dict[str, Any]) -> None:
    """What is found in a passage says nothing of the story before and behind it."""
    before = "The council met at noon in the old hall.\n\n" * 3
    after = "\nThe reckless plan was put off.\n\nThe hall is to be sold in June."
    text, _ = as_written(passage["text"])
    whole = before + text + after
    found = as_prepared(whole, prepare_text(whole))
    assert {found[n] for n, c in enumerate(before) if c.isalnum()} == {("own", None)}
    if passage.get("open"):  # the last turn of a transcript may be as long as its longest
        return
    assert {found[n] for n in range(len(before) + len(text), len(whole)) if whole[n].isalnum()} == {("own", None)}


@given(
    st.lists(st.sampled_from([line for p in PASSAGES for line in as_written(p["text"])[0].split("\n")]), max_size=12)
)
def test_every_word_is_one_persons_or_left_out(lines: list[str]) -> None:
    text = "\n".join(lines)
    prepared = prepare_text(text)
    places = sorted([(s.start, s.end) for s in prepared.sentences] + [(b.start, b.end) for b in prepared.boilerplate])
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    inside = {n for start, end in places for n in range(start, end)}
    markup = {n for match in _MARKUP.finditer(text) for n in range(*match.span())}
    assert [c for n, c in enumerate(text) if c.isalnum() and n not in inside | markup] == []
    for sentence in prepared.sentences:
        assert sentence.host is None or sentence.voice != "quoted"
        assert (sentence.voice == "quoted") == (sentence.own_text == "")


SLOW = [
    "LEE: I go. ROE: You go. ", "ann lee\n\nI go.\n\ntom roe\n\nYou go.\n\n", "Ann Lee. LEE: I\n\nx\n\n", "LEE (a) (b ", "AAA, bbb: ",
    "x: y. Ab, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q r s ",
    "— a (@b) ", "Go\n\n— Ann Lee (@ann) May 3, 2020\n\n", "A post shared by ", "Ann Lee ✔ @annlee\n\n", "View this post on Instagram\n\n",
    "Q: do you? A: I do. ", "— you a, b, said d, ", '" a ', "» a ", '""a ', "“a b c d” — Ann ", "<q a ",
    "<script>", "<script></style>", "<script a></script ", "<blockquote>a", "<blockquote>a</blockquote>", "[caption a]b", "<figcaption>a</figcaption>", "<p class=wp-caption-text>",
]  # fmt: skip


@pytest.mark.parametrize("unit", SLOW)
def test_no_page_takes_for_ever(unit: str) -> None:
    """Time that grew with the square of the length would take minutes here; a hang is a failure."""
    prepare_text((unit * 10_000)[:40_000])


PAGE = """<html><head><title>Bridge</title></head><body><article><h1>The bridge</h1>
<p>The bridge opened a year late on Monday, after the council had spent 4 million more than it had planned to spend on it.</p>
<blockquote class="twitter-tweet"><p lang="en">What a pathetic stunt. <a href="https://t.co/a">pic.twitter.com/aBc1D2</a></p>&mdash; Jane Roe
(@janeroe99) <a href="https://twitter.com/janeroe99/status/1">May 3, 2020</a></blockquote>
<p>The council did not answer. It had said in May that the bridge would be open by June, and in June that it would be by August.</p>
<p>Ann Lee said <q>it was a cowardly plan from the first day</q> and left the hall before the vote was taken by the council.</p>
</article></body></html>"""


def test_posts_and_marks_of_a_web_page() -> None:
    article = extract_article(PAGE)
    assert article is not None
    prepared = prepare_text(article["text"])
    quoted = [(s.text[q.start : q.end], q.speaker) for s in prepared.sentences for q in s.quoted]
    assert quoted == [
        ("What a pathetic stunt. pic.twitter.com/aBc1D2", "Jane Roe"),
        ("it was a cowardly plan from the first day", "Ann Lee"),
    ]
    assert [b.reason for b in prepared.boilerplate] == ["label"]


def test_a_line_break_ends_no_block_quotation() -> None:
    article = extract_article(
        PAGE.replace("<p>Ann Lee", "<blockquote>You <b>thugs</b>.<br>— Ann Lee</blockquote><p>Ann Lee")
    )
    assert article is not None
    assert "\n> You thugs.\n> — Ann Lee\nAnn Lee said" in article["text"]


BODY = """<p>The bridge opened on Monday.</p><blockquote class="b"><p>You <b>thugs</b>.</p><p>We will
be back.</p></blockquote>
<script>var said = "The pathetic mayor sneered.";</script><style>.a b{color:red}</style><noscript>Switch it on.</noscript>
<figure><img src="b.jpg"><figcaption>The shameless <i>mayor</i>. Photo: Ann Lee</figcaption></figure>
[caption id="a_1" width="30"]<img src="c.jpg"> The bridge by night.[/caption]
<div><img src="d.jpg"><p id="b" class="wp-caption-text">The old ferry.</p></div>
<blockquote>We sail.<blockquote>You swim.</blockquote>They fly.</blockquote><p>It was a year<script>f()</script> late.</p>"""


@pytest.mark.parametrize("body", [BODY, BODY.replace("\n", " "), escape(BODY), escape(escape(BODY))])
def test_the_body_of_a_page_says_whose_words_are_whose(body: str) -> None:
    """As a content system exports it, in a column."""
    prepared = prepare_text(body)
    assert [(" ".join(s.text.split()), s.voice) for s in prepared.sentences] == [
        ("The bridge opened on Monday.", "own"),
        ("You thugs.", "quoted"),
        ("We will be back.", "quoted"),
        ("We sail.", "quoted"),
        ("You swim.", "quoted"),
        ("They fly.", "quoted"),
        ("It was a year late.", "own"),
    ]
    assert {b.reason for b in prepared.boilerplate} <= {"caption", "source"}
    left_out = " ".join(b.text for b in prepared.boilerplate)
    assert all(said in left_out for said in ("mayor", "The bridge by night.", "The old ferry."))
    assert "pathetic" not in left_out


@pytest.mark.parametrize("tag", ["script", "blockquote", "figcaption"])
def test_a_tag_that_is_not_closed_takes_nothing(tag: str) -> None:
    prepared = prepare_text(f"<p>He typed &lt;{tag}&gt; here.</p><p>The mayor left.</p>")
    assert [s.voice for s in prepared.sentences][-1] == "own"
    assert prepared.sentences[-1].text == "The mayor left."
    assert not prepared.boilerplate


def test_a_post_in_the_body_of_a_page_is_its_authors() -> None:
    prepared = prepare_text("".join(PAGE.partition("</h1>")[2].partition("</article>")[0].splitlines()))
    quoted = [(s.text[q.start : q.end], q.speaker) for s in prepared.sentences for q in s.quoted]
    assert quoted[0][1] == "Jane Roe"
    assert quoted[0][0].startswith("What a pathetic stunt.")
    assert [b.reason for b in prepared.boilerplate] == ["label"]


def test_a_host_is_named_in_the_results() -> None:
    text = "ANN LEE, HOST: You lie.\n\nTOM HALE: I do not.\n\nLEE: You do.\n\nHALE: Never."
    scored = [scored_sentence(text, s, 0.1, 0.1, []) for s in prepare_text(text).sentences]
    assert [(s.voice, s.speaker, s.p_own is None) for s in scored] == [
        ("own", "ANN LEE", False),
        ("quoted", "TOM HALE", True),
        ("own", "LEE", False),
        ("quoted", "HALE", True),
    ]


@pytest.mark.parametrize(("name", "outlet"), [("Wire Daily", "The Wire Daily"), ("WIRE", "Wire")])
def test_what_the_outlet_asks_by_its_name_is_its_own(name: str, outlet: str) -> None:
    text = "\n\n".join(2 * [f"{name}: Why did your reckless plan fail?", "Ann Lee: I was robbed by thugs."])
    article = Article(id="1", text=text, outlet=outlet)
    assert [s.host for s in prepare_article(article).text.sentences] == [name, None, name, None]
    assert {s.voice for s in prepare_article(replace(article, outlet="Dale Ledger")).text.sentences} == {"quoted"}


@pytest.mark.parametrize("mark", ["> ", ">", ">> ", "> > ", "- > ", "1. > ", "  >"])
def test_however_a_block_is_marked_it_is_somebody_elses(mark: str) -> None:
    text = f"The council met.\n\n{mark}They robbed us.\n{mark}They did.\n\nThe mayor left.\n\n>50 people came.\n"
    assert [(s.text, s.voice) for s in prepare_text(text).sentences] == [
        ("The council met.", "own"),
        ("They robbed us.", "quoted"),
        ("They did.", "quoted"),
        ("The mayor left.", "own"),
        (">50 people came.", "own"),
    ]


def test_a_block_inside_an_open_quotation_is_no_second_one() -> None:
    text = (
        'The owners shut the mill. “It is a shame,” said Ann Lee, the mayor of -05-03", "Alder.7\n> We were never asked.\n\n*\n'
        "The owners shut the mill in disgrace,” said Ann Lee, the mayor of Alder."
    )
    for sentence in prepare_text(text).sentences:
        ends = [(quotation.start, quotation.end) for quotation in sentence.quoted]
        assert all(0 <= start < end <= len(sentence.text) for start, end in ends), (sentence.text, ends)
