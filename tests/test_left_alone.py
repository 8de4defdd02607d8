"""What is left alone needs its ground in the sentence or the story; the same word without it stays a finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.cli import main
from loadedwords.house import Ban
from loadedwords.lint import House, lint_text
from loadedwords.lint.formats import as_github
from loadedwords.lint.left_alone import COURT, GROUP, SPORT, TITLE, is_on_sport, why_left_alone
from loadedwords.scoring import FramingModel, load_model
from test_lint import Marking

MATCH = (
    "Harton United beat Merrow Rovers 3-1 on Sunday. The striker scored a hat-trick before half-time, and the goalkeeper saved "
    "a penalty. The league table has Harton in the semi-finals of the cup, the coach said after the match."
)


def why(sentence: str, word: str, *, source: str | None = None, sporting: bool = False) -> str | None:
    start = sentence.index(word)
    source = source or sentence
    return why_left_alone(sentence, start, start + len(word), source=source, at=source.index(word), sporting=sporting)


@pytest.mark.parametrize(
    ("sentence", "word", "ground"),
    [
        ("The film Shameless Tyrants opened on Friday.", "Shameless", TITLE),
        ("Her third novel, The Shameless Kingdom, is out.", "Shameless", TITLE),
        ("Shameless Tyrants is her third novel.", "Shameless Tyrants", TITLE),
        ("“Shameless” is an album of 12 songs.", "Shameless", TITLE),
        ("An essay titled “Why the shameless win” won.", "shameless", TITLE),
        ("She read “The Shameless Art of Lying” twice.", "Shameless", TITLE),
        ("He read the novel *Shameless* twice.", "Shameless", TITLE),
        ("The judge found that the firm had shamelessly lied.", "shamelessly lied", COURT),
        ("The firm lied shamelessly, the judge found.", "lied shamelessly", COURT),
        ("The firm lied shamelessly, according to the indictment.", "lied shamelessly", COURT),
        ("According to court papers, the firm lied.", "lied", COURT),
        ("Prosecutors say the firm ran a ruthless scheme.", "ruthless", COURT),
        ("The judge, Karin Roe, said that he was a predator.", "predator", COURT),
        ("She was convicted of a savage attack.", "savage", COURT),
        ("Harton thrashed Merrow 5-0.", "thrashed", None),  # nothing else says that it is a game
        ("Harton thrashed Merrow 5-0 in the cup final.", "thrashed", SPORT),
        ("The goalkeeper made a dreadful mistake.", "dreadful", SPORT),
        ("Harton were beaten 3-0 at home to United.", "were beaten", SPORT),
        ("Prisoners were beaten in their home city.", "were beaten", None),
        ("The Shameless Brigade met in Harton.", "Shameless", GROUP),
        ("On Sunday the Raging Tyrants sang in the square of Harton.", "Raging Tyrants", GROUP),
        ("A member of Shameless spoke at the meeting of the town.", "Shameless", GROUP),
        ("The neo-Nazi group Iron Dawn was banned last year.", "neo-Nazi", GROUP),
    ],
)
def test_what_is_left_alone(sentence: str, word: str, ground: str | None) -> None:
    assert why(sentence, word) == ground


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("The shameless tyrant opened a film on Friday.", "shameless"),
        ("Shameless officials banned the film.", "Shameless"),
        ("The minister read “shameless” claims in a novel.", "shameless"),
        ("THE SHAMELESS FILM OF A TYRANT", "SHAMELESS"),
        ("Shameless Mayor Bans Harton's Film", "Shameless"),
        ("The shameless judge found that the firm had lied.", "shameless"),
        ("The judge ruled against the shameless firm.", "shameless"),
        ("The Justice Department found the shameless firm.", "shameless"),
        ("He was convicted of theft, and his shameless friends laughed.", "shameless"),
        ("The council crushed the plan 5-4 in a vote after the match.", "crushed"),
        ("The greedy owner of the club sold the striker.", "greedy"),
        ("The neo-Nazi mayor of Harton spoke.", "neo-Nazi"),
        ("He spoke of the Radical Left Democrats in Harton.", "Radical Left Democrats"),
        ("They met Crooked Ann at the town hall of Harton.", "Crooked"),
    ],
)
def test_what_is_not(sentence: str, word: str) -> None:
    assert why(sentence, word) is None


def test_emphasis_is_seen_through_its_tags() -> None:
    page = "<p>She wrote <em>Shameless Tyrants</em> and <b>Shameless Men</b> last year.</p>"
    sentence = "She wrote Shameless Tyrants and Shameless Men last year."
    assert why("She likes Shameless Tyrants.", "Shameless", source="She likes <cite>Shameless Tyrants</cite>.") is None
    assert why(sentence.replace("wrote", "filmed the novel"), "Shameless", source=page) == TITLE


def test_a_report_on_sport_is_known_by_its_words() -> None:
    assert is_on_sport(MATCH)
    assert not is_on_sport("The council voted 5-4 for the stadium, and the coach of the team spoke. " * 5)
    assert why("Merrow were humiliated at home.", "humiliated") is None
    assert why("Merrow were humiliated at home.", "humiliated", sporting=True) == SPORT


@pytest.fixture(scope="module")
def model() -> FramingModel:
    marking = load_model("linear")
    marking._scorer = Marking()  # type: ignore[assignment]
    return marking


def test_findings_that_are_left_alone_are_shown_where_asked(model: FramingModel, tmp_path: Path) -> None:
    text = "The film Shameless opened. The regime fell."
    assert [f.text for f in lint_text(text, model=model)] == ["regime"]
    first, second = lint_text(text.replace("Shameless", "shameless regime"), model=model)
    assert (first.left_alone, second.left_alone) == (None, None)
    banned = lint_text(text, model=model, house=House(bans=(Ban("shameless"),)))
    assert [f.text for f in banned] == ["Shameless", "regime"], "what the house bans is banned in titles, too"
    story = tmp_path / "story.txt"
    story.write_text("The mayor saw Savage Thugs at the cinema and made a brutal speech.", encoding="utf-8")
    asked = ["lint", str(story), "--format", "json", "--fail-on", "never", "--note", "0"]
    shown = json.loads(CliRunner().invoke(main, asked).stdout)
    every = json.loads(CliRunner().invoke(main, [*asked, "--left-alone"]).stdout)
    assert [f for f in every if f["left_alone"] is None] == shown
    assert TITLE in {f["left_alone"] for f in every}
    (tmp_path / "title.txt").write_text(
        "She reviewed the novel “The Brutal Shameless Regime” on Monday.", encoding="utf-8"
    )
    spared = CliRunner().invoke(main, ["lint", str(tmp_path / "title.txt"), "--left-alone", "--fail-on", "note"])
    assert "left alone by default" in spared.stdout
    assert spared.exit_code == 0, "it is shown, and fails nothing"


def test_a_finding_says_why_it_is_left_alone(model: FramingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadedwords.lint.findings.why_left_alone", lambda *_, **__: TITLE)
    (found,) = lint_text("The regime fell.", model=model, left_alone=True)
    assert f"left alone by default: {TITLE}" in as_github([found])
    assert lint_text("The regime fell.", model=model) == []


PIECES = st.sampled_from(["The film ", "Shameless ", "“", "” ", "*", "_", "<em>", "</em>", "judge ", "found ", "5-0 ", ", ", "goal ", "group ", "A", "ß", "İ"])  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join), st.data())
def test_any_slice_of_any_sentence_can_be_asked_for(sentence: str, data: Any) -> None:
    start = data.draw(st.integers(0, len(sentence)))
    end = data.draw(st.integers(start, len(sentence)))
    said = why_left_alone(sentence, start, end, source=sentence, at=start, sporting=False)
    assert said in {None, TITLE, COURT, SPORT, GROUP}
