"""The page for a story: pieces that join to the story, answers for nobody but the page itself, and a browser that works it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from chromium import Browser, needs_chromium
from loadedwords.cli import main
from loadedwords.errors import DataError
from loadedwords.house import Ban
from loadedwords.lint import House, lint_text
from loadedwords.lint import findings as findings_room
from loadedwords.lint.plainer import Replacement
from loadedwords.report.local_page import LocalServer
from loadedwords.report.story import LONGEST_STORY, mark_story, serve_stories
from loadedwords.scoring import FramingModel, load_model
from pages import Page
from test_lint import Marking

HOSTILE = "</script><img src=x onerror=alert(1)>"
STORY = (
    "# Harbour fee\n\n🎈 The council met. The shameless regime sneered. "
    f"“The regime is a disgrace,” said Ann Lee.\n\n{HOSTILE} The mayor blasted `regime`.\n"
)


@pytest.fixture(scope="module")
def model() -> FramingModel:
    marking = load_model("linear")
    marking._scorer = Marking()  # type: ignore[assignment]
    return marking


@pytest.fixture
def server(model: FramingModel) -> Iterator[LocalServer]:
    with serve_stories(model) as running:
        yield running


def ask(server: LocalServer, sent: Any = None, *, path: str = "mark", token: str | None = None, **headers: str) -> Any:
    """The status, and what was answered."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    target = f"/{server.token if token is None else token}/{path}"
    named = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    body = sent if isinstance(sent, str) or sent is None else json.dumps(sent)
    connection.request("GET" if sent is None else "POST", target, body, named)
    answer = connection.getresponse()
    content = answer.read()
    is_json = answer.headers["Content-Type"] == "application/json"
    return answer.status, json.loads(content) if is_json else content.decode(), dict(answer.headers)


def joined(marked: dict[str, Any], number: int | None = None) -> str:
    return "".join(p["text"] for p in marked["pieces"] if number is None or p["finding"] == number)


def test_pieces_know_sentence_voice_and_finding(model: FramingModel) -> None:
    marked = mark_story(STORY, model, form="markdown")
    assert joined(marked) == STORY
    found = {joined(marked, number): finding for number, finding in enumerate(marked["findings"])}
    assert list(found) == ["shameless regime sneered", "regime", "blasted"]
    assert (found["regime"]["quoted"], found["regime"]["speaker"]) == (True, "Ann Lee")
    assert [p["text"] for p in marked["pieces"] if p["quoted"]] == ["The ", "regime", " is a disgrace,"]
    assert marked["sentences"][0]["part"] == "title"
    assert all((p["sentence"] is None) <= (p["finding"] is None) for p in marked["pieces"])


@given(st.lists(st.sampled_from(["regime", "“", "”", "The ", "\n", "\r\n", ". ", "🎈", "`", "*", "# ", "<b>", "> ", "sneered"]), max_size=25))  # fmt: skip
def test_pieces_join_to_the_story(given_pieces: list[str]) -> None:
    marking = load_model("linear")
    marking._scorer = Marking()  # type: ignore[assignment]
    text = "".join(["A story. ", *given_pieces])
    for form in ("text", "markdown"):
        assert joined(mark_story(text, marking, form=form)) == text  # type: ignore[arg-type]


def test_of_a_web_page_the_prose_is_shown(model: FramingModel) -> None:
    page = """<html><body><nav><a href="/">Home</a></nav><article><h1>Fees &amp; cranes</h1>
    <p class="standfirst">A <b>shame</b>less plan.</p><p>The council met on Monday, as it does each week of the year.</p>
    <blockquote><p>The regime did it, and it will do it again before the summer.</p></blockquote>
    <p>The mayor sneered at &lt;everybody&gt; who had come to see her.</p></article></body></html>"""
    marked = mark_story(page, model, form="html")
    assert joined(marked).strip() == (
        "Fees & cranes\n\nA shameless plan.\n\nThe council met on Monday, as it does each week of the year.\n\n"
        "> The regime did it, and it will do it again before the summer.\n\n"
        "The mayor sneered at <everybody> who had come to see her."
    )
    assert [joined(marked, number) for number in range(3)] == ["shameless", "regime", "sneered"]
    assert [row["part"] for row in marked["sentences"][:3]] == ["title", "standfirst", "text"]
    assert [finding["quoted"] for finding in marked["findings"]] == [False, True, False]


def test_the_rules_of_the_house_hold(model: FramingModel) -> None:
    house = House(accept=("regime",), bans=(Ban("mayor", "she is a provost", ("provost",)),))
    marked = mark_story(STORY, model, house, form="markdown")
    assert [joined(marked, n) for n in range(len(marked["findings"]))] == ["shameless", "sneered", "mayor", "blasted"]
    banned = marked["findings"][2]
    assert (banned["reason"], [each["says"] for each in banned["plainer"]]) == ("she is a provost", ["provost"])


def fixes(*wanted: tuple[int, int, str]) -> Any:
    """Stands in for `plainer_words`: each takes so many of the sentence's characters before and behind the word, fewer if below 0."""

    def offered(sentence: str, start: int, end: int, *_: Any) -> tuple[Replacement, ...]:
        return tuple(
            Replacement(max(0, start - before), min(len(sentence), end + behind), text)
            for before, behind, text in wanted
        )

    return offered


WIDER = "🎈 It was a shameless, plain act.\n\nA regime-like tower &amp; “shameless” hut.\n"


@given(st.lists(st.tuples(st.integers(-3, 4), st.integers(-3, 4), st.sampled_from(["", "an open", "é"])), max_size=3))
def test_a_wider_wording_does_to_the_pieces_what_it_does_to_the_story(wanted: list[tuple[int, int, str]]) -> None:
    marking = load_model("linear")
    marking._scorer = Marking()  # type: ignore[assignment]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(findings_room, "plainer_words", fixes(*wanted))
        marked, found = mark_story(WIDER, marking), lint_text(WIDER, model=marking, path="story", quotes=True)
    texts = [piece["text"] for piece in marked["pieces"]]
    offers = 0
    for number, finding in enumerate(found):
        at = next(at for at, piece in enumerate(marked["pieces"]) if piece["finding"] == number)
        by_text = {WIDER[: fix.start] + fix.text + WIDER[fix.end :] for fix in finding.plainer}
        for offer in marked["findings"][number]["plainer"]:
            left, right = "".join(texts[:at]), "".join(texts[at + 1 :])
            assert left[: len(left) - offer["before"]] + offer["text"] + right[offer["after"] :] in by_text
            offers += 1
    assert offers >= len(found) * len({each for each in wanted if max(each[:2]) <= 1})


def test_what_the_list_found_says_so(model: FramingModel) -> None:
    (found,) = mark_story("Shots were fired in the square.", model)["findings"]
    assert (found["kind"], found["found_by"], found["severity"]) == ("hidden-agent", "list", "note")


def test_what_can_not_be_read_is_told(server: LocalServer) -> None:
    for sent, said in [
        ({"text": " \n"}, "no text to read"),
        ({"text": "<p></p>", "form": "html"}, "no text to read"),
        ({"text": 3}, "sent no text"),
        ({}, "sent no text"),
        ({"text": "Story.", "form": ["pdf"]}, "markdown"),
        ({"text": "The regime. " * (LONGEST_STORY // 12 + 1)}, "loadedwords lint"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
    ]:
        status, answer, _ = ask(server, sent)
        assert (status, said in answer["error"]) == (409, True), (sent, answer)
    assert ask(server, {"text": "A regime \ud800 sneered."})[0] == 200
    assert ask(server, {"text": "Story."}, path="elsewhere")[0] == 404


def test_too_much_is_refused_before_it_is_read(server: LocalServer) -> None:
    status, answer, _ = ask(server, "{}", Content_Length=str(server.longest_request + 1))
    assert (status, "too long" in answer["error"]) == (413, True)
    assert ask(server, "{}", Content_Length="-1")[0] == 413


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", {}, 403),
        ("wrong", {}, 403),
        (None, {"Host": "evil.example"}, 403),
        (None, {"Host": "evil.example:80"}, 403),
        (None, {"Origin": "http://evil.example"}, 403),
        (None, {"Origin": "null"}, 403),
        (None, {"Content_Type": "text/plain"}, 415),
    ],
)
def test_only_the_page_itself_is_answered(
    server: LocalServer, token: str | None, headers: dict[str, str], status: int
) -> None:
    assert ask(server, {"text": STORY}, token=token, **headers)[0] == status
    if "Origin" not in headers and "Content_Type" not in headers:
        assert ask(server, path="", token=token, **headers)[0] == status


def test_the_page_asks_nothing_of_other_machines(server: LocalServer) -> None:
    status, page, headers = ask(server, path="")
    assert status == 200
    Page(page)
    assert "://" not in page
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert {word for word in policy.replace(";", "").split() if ":" in word or "*" in word} == {"data:"}
    assert page.count(f'nonce="{server.nonce}"') == 2
    assert server.server_address[0] == "127.0.0.1"


def test_a_house_file_that_is_wrong_stops_it(tmp_path: Path) -> None:
    house = tmp_path / "house.toml"
    house.write_text("akzept = []\n")
    ran = CliRunner().invoke(main, ["serve", "--no-browser", "-m", "linear", "--house", str(house)])
    assert (ran.exit_code, "akzept" in ran.output) == (1, True)
    both = CliRunner().invoke(main, ["serve", "--no-house", "--house", str(house)])
    assert (both.exit_code, "either" in both.output) == (2, True)


def shown(browser: Browser) -> list[str]:
    words: list[str] = browser.run("[...document.querySelectorAll('mark:not(.off)')].map(mark => mark.textContent)")
    return words


CARD = "document.getElementById('card')"
COPIED = "document.getElementById('said').textContent === 'Copied.'"


@needs_chromium
def test_a_story_is_marked_and_mended_by_keyboard_alone(
    server: LocalServer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        findings_room,
        "plainer_words",
        lambda _, start, end, *__: tuple(
            Replacement(start, end, each) for each in ("<i>officials</i> said", "council said")
        ),
    )
    browser.open(server.url)
    browser.until("document.activeElement.id === 'text'")  # a moment after the page is there
    browser.type(STORY)
    browser.until("document.getElementById('text').value")
    browser.press("Tab")
    browser.press("M")  # the list of forms: Markdown
    for _ in range(2):
        browser.press("Tab")
    browser.press("Enter")
    browser.until("!document.getElementById('read').hidden")
    assert browser.run("document.querySelectorAll('img, #story i').length") == 0
    assert browser.run("document.getElementById('story').textContent") == STORY
    assert shown(browser) == ["shameless regime sneered"], "from warning on, and nobody else's words"
    browser.press("n")
    assert "judging word" in browser.run(f"{CARD}.textContent")
    browser.press("1")
    mended = STORY.replace("shameless regime sneered", "<i>officials</i> said")
    assert browser.run("written()") == mended
    assert browser.run("document.querySelectorAll('#story i').length") == 0
    browser.press("u")
    assert browser.run("written()") == STORY
    browser.press("n")
    browser.press("2")
    browser.press("c")
    browser.until(COPIED)
    browser.press("e")
    assert browser.run("document.getElementById('text').value") == STORY.replace(
        "shameless regime sneered", "council said"
    )
    assert {urlsplit(url).netloc for url in browser.asked} == {f"127.0.0.1:{server.server_port}"}
    assert browser.complaints == []


@needs_chromium
def test_a_wider_wording_takes_the_text_beside_it_and_gives_it_back(server: LocalServer, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    story = "It was a shameless and blasted act by a regime."
    monkeypatch.setattr(findings_room, "plainer_words", fixes((2, 0, "an open"), (2, 5, "an "), (0, 0, "open")))
    browser.open(server.url)
    browser.run(f"edit({json.dumps(story)}, 'text')")
    browser.run("find('check').click()")
    browser.until("!document.getElementById('read').hidden")
    browser.run("find('level').value = 0; refresh()")
    assert shown(browser) == ["shameless", "blasted", "regime"]
    browser.press("n")
    assert "a shameless → an open" in browser.run(f"{CARD}.textContent")
    browser.press("1")
    browser.run("words()[1].click()")
    browser.press("2")  # takes of the text on both sides
    both = browser.run("written()")
    assert browser.run("document.getElementById('story').textContent") == both
    browser.run("words()[1].click()")
    browser.press("u")
    assert browser.run("written()") == story.replace("a shameless", "an open")
    browser.run("words()[0].click()")
    browser.press("u")
    assert browser.run("written()") == browser.run("document.getElementById('story').textContent") == story
    assert both == "It was an open anan by a regime."
    assert browser.complaints == []


@needs_chromium
def test_a_dropped_file_is_read_and_the_mouse_does_the_rest(server: LocalServer, browser: Browser) -> None:
    drop = """(name, text) => { const carried = new DataTransfer(); carried.items.add(new File([text], name));
        document.dispatchEvent(new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true})); }"""
    browser.new_page(dark=True, width=400, height=800)
    browser.open(server.url)
    browser.run(f"({drop})('story.pdf', 'x')")
    browser.until("document.getElementById('trouble').textContent.includes('story.pdf is no text')")
    browser.run(f"({drop})('story.md', {json.dumps(STORY)})")
    browser.until("!document.getElementById('read').hidden")
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    legend = {b: f"[...document.querySelectorAll('#legend button')].find(b => b.textContent.includes('{b}'))"
              for b in ("other people", "judging", "who")}  # fmt: skip
    browser.point(legend["other people"], click=True)
    assert shown(browser) == ["shameless regime sneered", "regime"]
    browser.point(legend["judging"], click=True)
    assert shown(browser) == ["regime"]
    assert browser.run("document.querySelector('[data-who]').dataset.who") == "Ann Lee"
    browser.point("document.querySelector('mark:not(.off)')")
    browser.until(f"!{CARD}.hidden")
    assert "Ann Lee is quoted" in browser.run(f"{CARD}.textContent")
    browser.point("document.querySelector('mark:not(.off)')", click=True)
    browser.point(f"{CARD}.querySelector('input')", click=True)
    browser.type("government")
    browser.point(f"{CARD}.querySelector('input + button')", click=True)
    assert browser.run("written()") == STORY.replace("“The regime", "“The government")
    weights = browser.run("[...document.querySelectorAll('#list .p')].map(p => Number(p.textContent))")
    assert weights == sorted(weights, reverse=True)
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(23, 23, 23)"


def test_a_story_that_is_too_long_says_what_to_do(model: FramingModel) -> None:
    with pytest.raises(DataError, match="use loadedwords lint"):
        mark_story("The council met. " * 20_000, model)
