"""The linter: every finding is where it says, every rule silences what it should and no more, every format is valid."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.cli import main
from loadedwords.cli.lint import lint as lint_command
from loadedwords.errors import DataError
from loadedwords.house import LINT_KINDS, Ban, Levels, without_possessive
from loadedwords.lint import Finding, House, HouseError, accept_words, find_house, lint_text, read_house
from loadedwords.lint import findings as findings_room
from loadedwords.lint.baseline import read_baseline, without_known, write_baseline
from loadedwords.lint.findings import Fix
from loadedwords.lint.formats import as_github, as_json, as_sarif
from loadedwords.lint.plainer import Replacement
from loadedwords.lint.reasons import reason_for
from loadedwords.models.scores import WordScore
from loadedwords.scoring import FramingModel, load_model
from loadedwords.text.cleaning import clean_text
from loadedwords.text.phrases import left_of

# The part of the schema that is written to, and, where it is named, all of it: it comes with npm's @microsoft/jest-sarif,
# lib/schemas/sarif-2.1.0-rtm.5.json, and is not ours to pass on.
SCHEMA_FILES = filter(
    None, [str(Path(__file__).parent / "sarif-2.1.0-part.json"), os.environ.get("LOADEDWORDS_SARIF_SCHEMA")]
)
SCHEMAS = [json.loads(Path(file).read_text(encoding="utf-8")) for file in SCHEMA_FILES]
STORY = "The council met. The shameless regime sneered.\n"
# What the scorer below marks; nothing else is ever loaded.
WORDS = {"shameless": ("judgement", 0.9), "regime": ("label", 0.9), "sneered": ("verb", 0.6), "blasted": ("verb", 0.3)}


class Marking:
    """A scorer that marks known words and side by side ones as one phrase: what is tested is what is made of its marks."""

    threshold = 0.5

    def score(self, sentences: list[str]) -> tuple[Any, list[list[WordScore]]]:
        words = []
        for sentence in sentences:
            one = rf"\b(?:{'|'.join(WORDS)})\b"
            found = re.finditer(rf"{one}(?: {one})*", sentence)
            words.append([WordScore(m.start(), m.end(), WORDS[first][1], WORDS[first][0])
                          for m in found if (first := re.split(r"\W", m[0])[0])])  # fmt: skip
        return np.array([0.95 if found else 0.05 for found in words]), words


@pytest.fixture(scope="module")
def model() -> FramingModel:
    marking = load_model("linear")
    marking._scorer = Marking()  # type: ignore[assignment]
    return marking


def words(findings: list[Finding]) -> list[str]:
    return [finding.text for finding in findings]


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["lint", *map(str, arguments)], input=stdin)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "story.txt").write_text(STORY, encoding="utf-8")
    return tmp_path


# --- places ---------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["The shameless regime met.", "He sneered", "café", "🙂 shameless", "\n", "\r\n", "\r", "\n\n", " ", "\t", "**", "&amp;", "\u2028", "<!-- x -->",
     "`regime`", "# ", "> ", "- ", "[shameless](/x)", "“shameless”", "https://a.b/regime", "loadedwords: on", "\n---\n", "<p>", "</p>", "<q>"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from(["text", "markdown", "html"]))
def test_every_finding_is_where_it_says(model: FramingModel, text: str, form: Any) -> None:
    lines = re.split("\r\n|\r|\n", text)  # as editors, SARIF and GitHub count lines
    for finding in lint_text(text, model=model, form=form, quotes=True):
        assert text[finding.start : finding.end] == finding.text
        assert lines[finding.line - 1][finding.column - 1 :].startswith(re.split("\r\n|\r|\n", finding.text)[0])
        assert lines[finding.end_line - 1][: finding.end_column - 1].endswith(re.split("\r\n|\r|\n", finding.text)[-1])
        assert re.match("|".join(WORDS), finding.text)


def test_lines_and_columns_count_characters_from_one(model: FramingModel) -> None:
    (finding,) = lint_text("Plain.\r\n\r\n🙂é The regime left.", model=model)
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == (3, 8, 3, 14)
    (wrapped,) = lint_text("x <em>shameless\nregime</em>.", model=model, form="html")
    assert (wrapped.line, wrapped.end_line, wrapped.end_column) == (1, 2, 7)


# --- what is read ---------------------------------------------------------------------------------------------------


def test_parts_of_a_text(model: FramingModel) -> None:
    found = lint_text("Regime: the shameless vote\n\nThe regime met.\n", model=model)
    assert [(f.part, f.text) for f in found] == [("title", "shameless"), ("text", "regime")]
    assert [f.part for f in lint_text("The shameless vote failed.\n\nThe council met.", model=model)] == ["text"]


MARKDOWN = """---
title: shameless
---
# A shameless vote

*The **regime** met*

The council met, `shameless`, ``a ` regime``. See [shameless](regime.html "regime"), [regime][shameless], <https://regime.org/regime>.
![shameless](/regime.png) [![shameless](regime.png)](regime.html)

    regime

- item

  ```
  regime
  ```
~~~ shameless
shameless
~~~
<!-- regime --> He <code>regime</code> sneered.

[shameless]: /regime "shameless"
"""


def test_markdown_is_linted_for_its_prose_alone(model: FramingModel) -> None:
    found = [(f.part, f.line, f.text) for f in lint_text(MARKDOWN, model=model, form="markdown")]
    assert found == [
        ("title", 4, "shameless"),
        ("standfirst", 6, "regime"),
        ("text", 8, "shameless"),
        ("text", 8, "regime"),
        ("text", 21, "sneered"),
    ]


PAGE = """<!doctype html><html><head><title>shameless</title><style>.regime{}</style></head><body>
<nav><a href="/regime">regime</a></nav>
<article><h1>A <em>shameless</em> vote</h1><p class="article-standfirst">The regime met</p>
<p>The council of the northern district met on Monday &amp; talked about the bridge. The shameless
regime sneered at the members of the council.</p>
<blockquote><p>The shameless regime has talked for nine hours about the bridge.</p></blockquote>
<p>The minister called it <q>a shameless answer</q>, and the council of the northern district went home.</p>
<script>regime()</script><!-- regime --></article><footer>regime</footer></body></html>
"""


def test_pages_are_linted_for_the_article_alone(model: FramingModel) -> None:
    found = [(f.part, f.line, f.text, f.voice) for f in lint_text(PAGE, model=model, form="html", quotes=True)]
    assert found == [
        ("title", 3, "shameless", "own"),
        ("standfirst", 3, "regime", "own"),
        ("text", 4, "shameless\nregime sneered", "own"),
        ("text", 6, "shameless regime", "quoted"),
        ("text", 7, "shameless", "quoted"),
    ]
    assert [f.voice for f in lint_text(PAGE, model=model, form="html")] == ["own"] * 3


def test_short_blocks_that_the_article_has_in_one_line_are_linted(model: FramingModel) -> None:
    embed = "<ul><li><p>The shameless mayor sneered.</p><p>She met a regime.</p></li></ul>"
    page = PAGE.replace("<script>", f"{embed}<script>", 1)
    words = [f.text for f in lint_text(page, model=model, form="html") if f.line == 8]
    assert words == ["shameless", "sneered", "regime"]


def test_a_tables_record_is_its_line_and_the_offset_in_its_text(desk: Path) -> None:
    rows = [{"title": "The shameless regime", "text": "The council met."}, {"text": STORY}]
    (desk / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = json.loads(run("x.jsonl", "--format", "json").stdout)
    assert [(f["part"], f["line"], f["in_table"]) for f in found] == [("title", 1, True), ("text", 2, True)]
    for finding, text in zip(found, (rows[0]["title"], STORY), strict=True):
        assert text[finding["column"] - 1 : finding["end_column"] - 1] == finding["text"]


def test_of_a_body_with_tags_what_nobody_reads_and_somebody_elses_words_are_not_linted(model: FramingModel) -> None:
    others = "<script>f('The regime sneered.')</script><figcaption>The regime.</figcaption><blockquote>Shameless.</blockquote>"
    body = f"<p>The council met.</p>{others}<p>The regime sneered.</p>"
    for house in (House(), House(bans=(Ban("regime"),))):
        found = lint_text(body, model=model, house=house)
        assert " ".join(finding.text for finding in found) == "regime sneered"
        assert found[0].start == body.rindex("regime")


def test_standard_input_is_called_as_one_says(desk: Path) -> None:
    found = run("-", stdin=STORY)
    assert found.exit_code == 1
    assert found.stdout.startswith("-:1:")
    named = run("-", "--stdin-name", "drafts/x.md", stdin="`shameless regime`\n\n" + STORY)
    assert named.stdout.startswith("drafts/x.md:3:")
    page = run("-", "--stdin-name", "x.html", stdin=f"<p>{STORY}</p>")
    assert page.stdout.startswith("x.html:1:")
    unnamed = run("-", stdin=f"<!doctype html>\n<html><body><article>\n<p>{STORY}</p></article></body></html>")
    assert unnamed.stdout.startswith("-:3:")


def test_packed_files_are_read(desk: Path) -> None:
    for name, content in (("a.html.gz", f"<p>{STORY}</p>"), ("b.md.gz", STORY)):
        (desk / name).write_bytes(gzip.compress(content.encode()))
        assert run(name).stdout.startswith(f"{name}:1:")


def test_quoted_words_only_where_asked(model: FramingModel) -> None:
    text = "The regime met. “It was shameless, all of it,” said Ann Lee."
    assert words(lint_text(text, model=model)) == ["regime"]
    (_, quoted) = lint_text(text, model=model, quotes=True)
    assert (quoted.voice, quoted.speaker) == ("quoted", "Ann Lee")
    assert "said by Ann Lee" in as_github([quoted])


# --- severity and kinds ---------------------------------------------------------------------------------------------


def test_severity_goes_by_the_less_sure_of_word_and_sentence(model: FramingModel) -> None:
    text = "The regime met. He sneered. She blasted it."
    assert [f.severity for f in lint_text(text, model=model)] == ["error", "warning", "note"]
    strict = House(levels=Levels(0.5, 0.6, 0.95))
    assert [f.severity for f in lint_text(text, model=model, house=strict)] == ["warning", "warning"]


def test_kinds_on_and_off(desk: Path) -> None:
    assert run("story.txt", "--only", "image").exit_code == 0
    kind = json.loads(run("story.txt", "--format", "json").stdout)[0]["kind"]
    assert run("story.txt", "--only", kind).exit_code == 1
    assert run("story.txt", "--ignore", kind).exit_code == 0
    assert run("story.txt", "--only", kind, "--ignore", kind).stdout == ""
    assert run("story.txt", "--only", "nosuch").exit_code == 2


def test_the_commands_kinds_are_the_linters() -> None:
    (only,) = (parameter for parameter in lint_command.params if parameter.name == "only")
    assert tuple(only.type.choices) == LINT_KINDS  # type: ignore[attr-defined]
    assert len({reason_for(kind) for kind in LINT_KINDS}) == len(LINT_KINDS), "each has a reason of its own"
    for level, default in (("note", Levels.note), ("warning", Levels.warning), ("error", Levels.error)):
        (option,) = (parameter for parameter in lint_command.params if parameter.name == level)
        assert f"[default: {default}]" in (getattr(option, "help", "") or "")


def test_plainer_words_are_asked_for_the_place(model: FramingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def stand_in(sentence: str, start: int, end: int, kind: str | None, _: FramingModel) -> tuple[Replacement, ...]:
        return (Replacement(start, end, f"{sentence[start:end]}/{kind}"), Replacement(start - 4, end, "A "))

    monkeypatch.setattr(findings_room, "plainer_words", stand_in)
    text = "It rained. The regime met."
    (finding,) = lint_text(text, model=model)
    first, second = finding.plainer
    assert (first.text, first.start, first.end) == ("regime/label", finding.start, finding.end)
    assert (second.line, second.column, text[second.start : second.end]) == (1, 12, "The regime")
    assert "Plainer: regime/label, leave out “The regime”" in as_github([finding])
    fixes = json.loads(as_sarif([finding]))["runs"][0]["results"][0]["fixes"]
    (there,) = fixes[1]["artifactChanges"][0]["replacements"]
    assert (there["deletedRegion"]["startColumn"], there["insertedContent"]["text"]) == (12, "A ")
    assert fixes[1]["description"]["text"] == "Plainer: leave out “The regime”"
    (marked,) = lint_text("It rained. The **regime** met.", model=model, form="markdown")
    assert [fix.text for fix in marked.plainer] == ["regime/label"], "a mark of Markdown is not taken away"


# --- the house's rules ----------------------------------------------------------------------------------------------

HOUSE = """# ours
accept = ["Regime"]  # the desk agreed
names = ["Shameless Lane"]
off = ["verb"]
[levels]
warning = 0.5
[files]
lint = ["*.txt"]
leave = ["old/"]
[[ban]]
word = "illegal*"
reason = "a person is not illegal"
instead = ["without papers"]
"""


def test_a_house_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / ".loadedwords.toml"
    file.write_text(HOUSE, encoding="utf-8")
    house = read_house(file)
    assert (house.accept, house.off, house.levels) == (("Regime",), ("verb",), Levels(warning=0.5))
    assert house.bans == (Ban("illegal*", "a person is not illegal", ("without papers",)),)
    assert house.wants(tmp_path / "a" / "x.txt")
    assert not house.wants(tmp_path / "x.md")
    assert not house.wants(tmp_path / "old" / "x.txt")
    assert house.wants(tmp_path.parent / "elsewhere.md"), "globs speak of the house file's folder"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("acept = []", "acept"),
        ("accept = 'regime'", "accept"),
        ("accept = ['']", "accept"),
        ("names = ['*']", "names"),
        ("off = ['nosuch']", "off"),
        ("levels = 1", "levels"),
        ("levels.notes = 1", "levels.notes"),
        ("levels.note = 2", "levels.note"),
        ("levels.note = nan", "levels.note"),
        ("levels.note = true", "levels.note"),
        ("levels = {note = 0.9, error = 0.1}", "levels"),
        ("files.lints = []", "files.lints"),
        ("files.leave = [1]", "files.leave"),
        ("ban = 'x'", "ban"),
        ("ban = ['x']", "ban"),
        ("[[ban]]", "ban.word"),
        ("[[ban]]\nword = 'x'\nwhy = 'y'", "ban.why"),
        ("[[ban]]\nword = 'x'\nreason = 1", "ban.reason"),
        ("[[ban]]\nword = 'x'\ninstead = 'y'", "ban.instead"),
        ("[[ban]]\nword = 'x'\nseverity = 'loud'", "ban.severity"),
        ("= broken", "can't be read"),
    ],
)
def test_what_a_house_file_gets_wrong_is_wrong_usage(content: str, named: str, desk: Path) -> None:
    (desk / ".loadedwords.toml").write_text(content, encoding="utf-8")
    with pytest.raises(HouseError):
        read_house(desk / ".loadedwords.toml")
    result = run("story.txt")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.search(rf"\.loadedwords\.toml:? {re.escape(named)}", " ".join(result.stderr.split()))


@pytest.mark.parametrize(
    ("house", "left"),
    [
        (House(accept=("regime",)), ["shameless"]),
        (House(accept=("Shameless Regime",)), []),
        (House(accept=("reg*",)), ["shameless"]),
        (House(accept=("reg",)), ["shameless regime"]),
        (House(names=("regime",)), ["shameless"]),
        (House(names=("Regime",)), ["shameless regime"]),
        (House(off=("judgement",)), []),
    ],
)
def test_accepted_words_leave_the_rest_of_a_phrase(house: House, left: list[str], model: FramingModel) -> None:
    assert words(lint_text("The shameless regime’s men met.", model=model, house=house)) == left


def test_a_possessive_is_accepted_with_its_word(model: FramingModel) -> None:
    assert lint_text("The regime's men met, and the regime’s too.", model=model, house=House(accept=("regime",))) == []


def test_a_fix_keeps_the_possessive(model: FramingModel) -> None:
    house = House(bans=(Ban("illegals", "", ("people without papers",)),))
    for text, there in (("The illegals’ camp burned.", "illegals"), ("The *illegals*' camp burned.", "illegals")):
        (finding,) = lint_text(text, model=model, house=house, form="markdown")
        (fix,) = finding.plainer
        assert text[fix.start : fix.end] == fix.instead_of == there


@pytest.mark.parametrize("below", ["---", "```\ncode\n```", "    code", "[//]: # (off)", "> said", "- one"])
def test_whatever_stands_below_a_heading_is_read(below: str, model: FramingModel) -> None:
    (finding,) = lint_text(f"# The shameless mayor\n\n{below}\n", model=model, form="markdown")
    assert (finding.part, finding.text) == ("title", "shameless")


def test_rules_and_forms_of_another_type_are_refused(model: FramingModel) -> None:
    for wrong in ({"accept": "regime"}, {"off": ("nokind",)}):
        with pytest.raises(HouseError, match=r"accept of a House|no kind"):
            House(**wrong)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="form is 'nope'"):
        lint_text("It met.", model=model, form="nope")  # type: ignore[arg-type]


def test_words_are_the_text_without_its_marks(model: FramingModel) -> None:
    for text in (
        "The **shameless** regime’s _bloated_ escapade failed.",
        "The [shameless](https://example.org/x) regime met.",
    ):
        findings = lint_text(text, model=model, form="markdown")
        assert findings
        for finding in findings:
            assert finding.words in clean_text(text).text
            accept = House(accept=(without_possessive(finding.words),))
            assert finding not in lint_text(text, model=model, house=accept, form="markdown")


def test_of_a_phrase_that_is_silenced_in_part_the_rest_is_reported(model: FramingModel) -> None:
    text = "The shameless <!-- loadedwords: off -->regime<!-- loadedwords: on --> met."
    assert words(lint_text(text, model=model, form="markdown")) == ["shameless"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("The o\ufb03cials met.", "o\ufb03cials"),
        ("The offi\u00adcials met.", "offi\u00adcials"),
        ("The of\u200bficials met.", "of\u200bficials"),
        ("The o&#xFB03;cials met.", "o&#xFB03;cials"),
        ("The **offi**cials met.", "offi**cials"),
        ("The fake&nbsp;news met.", "fake&nbsp;news"),
    ],
)
def test_no_spelling_hides_a_house_word(written: str, found: str, model: FramingModel) -> None:
    house = House(bans=(Ban("officials"), Ban("fake news")))
    assert [finding.text for finding in lint_text(written, model=model, house=house, form="markdown")] == [found]
    assert lint_text(written, model=model, house=House(accept=("officials", "fake news")), form="markdown") == []


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("The word ‘illegals’ is rude.", ["illegals"]),
        ("The 'illegals' met.", ["illegals"]),
        ("The word ‘many illegals’, and the illegals’ homes.", ["illegals", "illegals’"]),
        ("The '90s illegals' homes burned.", ["illegals'"]),
        ("“Don’t say ‘illegals’ here,” said Ann Lee.", ["illegals"]),
        ("‘Burn the illegals’ homes,’ said Ann Lee.", ["illegals’"]),
    ],
)
def test_the_mark_behind_a_house_word_is_no_possessive(written: str, found: list[str]) -> None:
    banned = House(bans=(Ban("illegals"),)).banned(written)
    assert [written[start:end] for _, (start, end) in banned] == found


@pytest.mark.parametrize(
    ("phrase", "left"),
    [
        ("regime&rsquo;s shameless cronies", "shameless cronies"),
        ("regime&nbsp;shameless cronies", "shameless cronies"),
        ("shameless</b> regime", "shameless"),
        ("shameless regime-like cronies", "shameless"),
    ],
)
def test_what_is_left_beside_a_house_word_is_words(phrase: str, left: str) -> None:
    text = f"It met. The <b>{phrase}."
    start = text.index(phrase)
    found = left_of(text, start, start + len(phrase), House(accept=("regime",)).accepted(text))
    assert next(text[low:high] for low, high in found) == left


def test_banned_words_are_found_whatever_the_model_says(model: FramingModel) -> None:
    house = House(
        bans=(Ban("illegals", "a person is not illegal", ("people without papers",)), Ban("regime", severity="note"))
    )
    text = "Illegals came to the shameless regime. “Illegals came,” said Ann Lee."
    first, second, third = lint_text(text, model=model, house=house)
    assert (first.kind, first.text, first.severity) == ("banned", "Illegals", "error")
    assert (first.reason, *map(first.offer, first.plainer)) == ("a person is not illegal", "people without papers")
    assert (second.text, second.kind) == ("shameless", "judgement")
    assert (third.text, third.kind, third.severity, third.reason) == ("regime", "banned", "note", reason_for("banned"))
    assert words(lint_text(text, model=model, house=house, quotes=True))[-1] == "Illegals"
    assert "regime" not in words(lint_text(text, model=model, house=House(bans=house.bans, off=("banned",))))


def test_the_nearest_house_file_counts(desk: Path) -> None:
    (desk / "a" / "b").mkdir(parents=True)
    (desk / "a" / "b" / "story.txt").write_text(STORY, encoding="utf-8")
    (desk / ".loadedwords.toml").write_text('off = ["image"]', encoding="utf-8")
    assert find_house(desk / "a" / "b" / "story.txt") == desk / ".loadedwords.toml"
    (desk / "a" / ".loadedwords.toml").write_text('accept = ["shameless", "regime", "sneered"]', encoding="utf-8")
    assert find_house(desk / "a" / "b") == desk / "a" / ".loadedwords.toml"
    assert run("a/b/story.txt").exit_code == 0
    assert run("a/b/story.txt", "--no-house").exit_code == 1
    assert run("story.txt").exit_code == 1
    assert run("story.txt", "--house", "a/.loadedwords.toml").exit_code == 0
    assert run("story.txt", "--house", "nosuch.toml").exit_code == 2


def test_a_link_in_a_circle_and_a_mark_of_byte_order_stop_nothing(desk: Path) -> None:
    (desk / "in" / "a").mkdir(parents=True)
    (desk / "in" / "self.txt").symlink_to("self.txt")
    (desk / "in" / "a" / "story.txt").write_text(STORY, encoding="utf-8")
    (desk / ".loadedwords.toml").write_text('accept = ["sneered"]', encoding="utf-8-sig")
    result = run("in", "--fail-on", "never")
    assert result.exit_code == 3
    assert "self.txt" in result.stderr
    assert "story.txt:1:" in result.stdout
    assert "sneered" not in result.stdout
    assert run("--accept", "regime").exit_code == 0
    assert read_house(desk / ".loadedwords.toml").accept == ("regime", "sneered")


def test_files_that_the_house_leaves_are_counted(desk: Path) -> None:
    (desk / ".loadedwords.toml").write_text('files.leave = ["story.*"]', encoding="utf-8")
    result = run("story.txt")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 left by the house's rules" in result.stderr


def test_options_stand_above_the_house(desk: Path) -> None:
    (desk / ".loadedwords.toml").write_text("levels = {note = 0.98, warning = 0.99, error = 1.0}", encoding="utf-8")
    assert run("story.txt").exit_code == 0
    assert run("story.txt", "--note", "0.1", "--warning", "0.1").exit_code == 1
    assert "not in order" in " ".join(run("story.txt", "--error", "0.5").stderr.split())


# --- accepting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    ["", HOUSE, 'accept = []\n# end', 'accept = [ # why\n  "a", # b\n]\n', "# only a comment", 'off = ["verb"]', "[levels]\nnote = 0.1"],
)  # fmt: skip
def test_accept_keeps_what_is_there(before: str, tmp_path: Path) -> None:
    file = tmp_path / ".loadedwords.toml"
    if before:
        file.write_text(before, encoding="utf-8")
    old = read_house(file) if before else House()
    new = ['tax "haven"', "crack\\down"]
    assert accept_words(new, file) == new
    assert accept_words([new[0].upper()], file) == []
    house = read_house(file)
    assert set(house.accept) == {*new, *old.accept}
    assert (house.bans, house.levels, house.off) == (old.bans, old.levels, old.off)
    for comment in re.findall("#.*", before):
        assert comment in file.read_text(encoding="utf-8")


def test_accept_keeps_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    file.write_bytes(b'accept = ["a"]\r\n# b\r\n')
    accept_words(["c"], file)
    assert file.read_bytes() == b'accept = ["c", "a"]\r\n# b\r\n'


def test_accept_adds_to_the_nearest_house_file_or_makes_one(desk: Path) -> None:
    assert run("--accept", "shameless", "--accept", "regime").exit_code == 0
    assert read_house(desk / ".loadedwords.toml").accept == ("shameless", "regime")
    (desk / "a").mkdir()
    told = run("--accept", "sneer*", "a")
    assert told.exit_code == 0
    assert "accepts sneer*" in told.stderr
    assert not (desk / "a" / ".loadedwords.toml").exists()
    assert run("story.txt").exit_code == 0
    assert run("--accept", " ").exit_code == 2
    (desk / "odd.toml").write_text('"accept" = ["a"]', encoding="utf-8")
    assert run("--accept", "b", "--house", "odd.toml").exit_code == 2
    assert (desk / "odd.toml").read_text(encoding="utf-8") == '"accept" = ["a"]'


# --- in the story ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "form", "left"),
    [
        ("loadedwords: off\nThe regime met.\nloadedwords: on\nHe sneered.", "text", ["sneered"]),
        ("# loadedwords: off\nThe regime met.", "text", []),
        ("loadedwords: ignore-next\nThe regime met. He sneered.", "text", ["sneered"]),
        ("The regime said loadedwords: off\n", "text", ["regime"]),
        ("The regime met. <!-- loadedwords: ignore-next --> He sneered. She blasted.", "markdown", ["regime", "blasted"]),
        ("[//]: # (loadedwords: off)\n\nThe regime met.\n\n[//]: # (loadedwords: on)\n\nHe sneered.", "markdown", ["sneered"]),
        ("# A regime\n\n<!--loadedwords:off-->\n\nThe regime met.", "markdown", ["regime"]),
        ("<p>The regime met.</p><!-- loadedwords: off --><p>He sneered.</p>", "html", ["regime"]),
        ("<!-- loadedwords: nosuch --><p>He sneered.</p>", "html", ["sneered"]),
    ],
)  # fmt: skip
def test_directives(text: str, form: Any, left: list[str], model: FramingModel) -> None:
    assert words(lint_text(text, model=model, form=form)) == left


# --- baseline -------------------------------------------------------------------------------------------------------


def test_a_baseline_knows_sentence_and_word_not_the_line(model: FramingModel, tmp_path: Path) -> None:
    file, path = tmp_path / "base.json", str(tmp_path / "x.txt")
    old = lint_text("The regime met. He sneered.", model=model, path=path)
    write_baseline(old, file)
    moved = lint_text("New.\n\nHe sneered.\nThe  regime met. The regime met. The regime left.", model=model, path=path)
    new = without_known(moved, read_baseline(file), file)
    assert [(f.sentence, f.text) for f in new] == [("The regime met.", "regime"), ("The regime left.", "regime")]
    other = lint_text("He sneered.", model=model, path=str(tmp_path / "y.txt"))
    assert without_known(other, read_baseline(file), file) == other


def test_an_old_archive_starts_clean(desk: Path) -> None:
    written = run("story.txt", "--baseline", "base.json", "--write-baseline")
    assert (written.exit_code, written.stdout) == (0, "")
    clean = run("story.txt", "--baseline", "base.json")
    assert (clean.exit_code, clean.stdout) == (0, "")
    assert "known from the baseline" in clean.stderr
    (desk / "base.json").write_text("{}", encoding="utf-8")
    assert run("story.txt", "--baseline", "base.json").exit_code == 2
    assert run("story.txt", "--baseline", "nosuch.json").exit_code == 2
    assert run("story.txt", "--write-baseline").exit_code == 2


# --- formats --------------------------------------------------------------------------------------------------------


def finding(**changes: Any) -> Finding:
    given = {
        "path": "a.txt", "part": "text", "line": 1, "column": 2, "end_line": 1, "end_column": 5, "start": 1, "end": 4,
        "text": "odd", "words": "odd", "kind": "label", "score": 0.9, "p_loaded": 0.8, "voice": "own", "speaker": None,
        "severity": "warning", "reason": "why", "plainer": (), "sentence": "So odd.",
    }  # fmt: skip
    return Finding(**(given | changes))


ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
FINDINGS = st.builds(
    finding, path=ANY.filter(lambda p: "\0" not in p), text=ANY, reason=ANY, plainer=st.lists(st.builds(Fix, ANY, *map(st.just, ("odd", 1, 4, 1, 7, 3, 6))), max_size=3).map(tuple), sentence=ANY,
    severity=st.sampled_from(["note", "warning", "error"]), kind=st.sampled_from([*LINT_KINDS[:-1], None]),
    part=st.sampled_from(["title", "standfirst", "text"]), end_line=st.sampled_from([1, 2]), in_table=st.booleans(),
    voice=st.sampled_from(["own", "quoted"]), speaker=st.none() | ANY, left_alone=st.none() | ANY,
    found_by=st.sampled_from(["model", "list", "house"]),
)  # fmt: skip


@given(st.lists(FINDINGS, max_size=3))
def test_sarif_is_valid_whatever_it_holds(findings: list[Finding]) -> None:
    log = json.loads(as_sarif(findings))
    for schema in SCHEMAS:
        jsonschema.validate(log, schema)
    (ran,) = log["runs"]
    assert ran["columnKind"] == "unicodeCodePoints"
    rules = ran["tool"]["driver"]["rules"]
    for result, given_one in zip(ran["results"], findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == (given_one.kind or "other")
        region = result["locations"][0]["physicalLocation"]["region"]
        assert ("startColumn" in region) is not given_one.in_table


def test_the_schema_refuses_what_is_wrong() -> None:
    log = json.loads(as_sarif([finding(severity="loud")]))
    for schema in SCHEMAS:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(log, schema)


def unescaped(text: str) -> str:
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, character)
    return text


@given(st.lists(FINDINGS, max_size=3))
def test_github_commands_can_be_read_back(findings: list[Finding]) -> None:
    """By the grammar of GitHub's runner: a command a line, properties split at commas and the first equals sign."""
    lines = as_github(findings).split("\n") if findings else []
    for line, given_one in zip(lines, findings, strict=True):
        assert "\r" not in line
        matched = re.fullmatch(r"::(notice|warning|error) ([^:]*)::(.*)", line, re.DOTALL)
        assert matched
        properties = dict(item.split("=", 1) for item in matched[2].split(","))
        assert unescaped(properties["file"]) == given_one.path
        assert properties["line"] == "1"
        assert ("col" in properties) is (given_one.end_line == 1 and not given_one.in_table)
        assert given_one.reason in unescaped(matched[3])


def test_github_escapes() -> None:
    line = as_github([finding(path="a,b:c%.txt", reason="100%\nsure: yes, ::error::")])
    assert line.startswith("::warning file=a%2Cb%3Ac%25.txt,line=1,endLine=1,col=2,endColumn=5,title=label::")
    assert line.endswith("100%25%0Asure: yes, ::error::")


@given(st.lists(FINDINGS, max_size=3))
def test_json_holds_every_field(findings: list[Finding]) -> None:
    rows = json.loads(as_json(findings))
    assert [Finding(**row | {"plainer": tuple(Fix(**fix) for fix in row["plainer"])}) for row in rows] == findings


def test_text_is_one_line_a_finding(desk: Path) -> None:
    (desk / "b\x1b[31m.md").write_text("The **shameless\nregime** sneered.\n\n" + STORY, encoding="utf-8")
    result = run("b\x1b[31m.md", "story.txt")
    assert "\x1b" not in result.stdout
    lines = result.stdout.splitlines()
    assert all(
        re.match(r'\S+:\d+:\d+: (note|warning|error) [^"]+ "[^"]+" \(word 0\.\d\d, sentence 0\.\d\d\): ', line)
        for line in lines
    )
    assert len(lines) == json.loads(run("b\x1b[31m.md", "story.txt", "--format", "json").stdout).__len__()


def test_every_format_has_something_to_say_of_nothing(desk: Path) -> None:
    (desk / "plain.txt").write_text("The council met on Monday.", encoding="utf-8")
    assert run("plain.txt").stdout == run("plain.txt", "--format", "github").stdout == ""
    assert json.loads(run("plain.txt", "--format", "json").stdout) == []
    assert json.loads(run("plain.txt", "--format", "sarif").stdout)["runs"][0]["results"] == []


# --- exit statuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["story.txt"], 1),
        (["story.txt", "--fail-on", "error"], 1),
        (["story.txt", "--fail-on", "never"], 0),
        (["story.txt", "--error", "1", "--fail-on", "error"], 0),
        (["story.txt", "--error", "1", "--warning", "1", "--fail-on", "warning"], 0),
        (["story.txt", "--error", "1", "--warning", "1", "--fail-on", "note"], 1),
        (["story.txt", "story.txt", ".", "*.txt"], 1),
        ([], 2),
        (["nosuch.txt"], 2),
        (["story.txt", "--note", "nan"], 2),
        (["story.txt", "--note", "2"], 2),
        (["story.txt", "-m", "nosuch"], 2),
        (["story.txt", "--encoding", "klingon"], 2),
        (["story.txt", "--house", "x", "--no-house"], 2),
        (["empty.txt"], 3),
        (["story.txt", "empty.txt"], 3),
        (["story.txt", "picture.png"], 3),
        (["bad.txt", "--fail-on", "never"], 3),
        (["bad.txt", "--encoding", "cp1252"], 0),
    ],
)
def test_exit_statuses(arguments: list[str], status: int, desk: Path) -> None:
    (desk / "picture.png").write_bytes(b"x")
    if "." not in arguments:
        (desk / "empty.txt").touch()
        (desk / "bad.txt").write_bytes("The café met.".encode("cp1252"))
    result = run(*arguments)
    assert result.exit_code == status, result.output
    if status == 1:
        assert len(result.stdout.splitlines()) == 1, "each file once"
    if status == 3:
        assert re.search("the file is empty|are not read|name the file's encoding", result.stderr)


def test_files_of_a_folder_that_are_not_read_are_named(desk: Path) -> None:
    for name in ("notes/a.docx", "notes/b.docx", "notes/LICENSE"):
        (desk / name).parent.mkdir(exist_ok=True)
        (desk / name).write_bytes(b"x")
    result = run(".")
    assert result.exit_code == 1
    assert "not read (2 .docx, 1 no ending)" in result.stderr
    result = run("notes")
    assert result.exit_code == 2
    assert "no file of a kind that is read (2 .docx, 1 no ending)" in result.stderr


def test_the_rest_goes_on_after_a_broken_record(desk: Path) -> None:
    (desk / "x.jsonl").write_text("{broken\n" + json.dumps({"text": STORY}) + "\n", encoding="utf-8")
    result = run("x.jsonl")
    assert result.exit_code == 3
    assert result.stdout.startswith("x.jsonl:2:")
    assert "x.jsonl:1: no valid JSON" in result.stderr
    assert "1 could not be linted" in result.stderr


def test_a_story_in_another_language_is_named_and_the_rest_linted(desk: Path) -> None:
    german = "Der Rat der Stadt hat am Dienstag über die neue Brücke beraten und die Entscheidung auf den Herbst verschoben. "
    (desk / "rat.txt").write_text(german * 4, encoding="utf-8")
    result = run("rat.txt", "story.txt")
    assert result.exit_code == 3
    assert "rat.txt is not linted: it is in German" in result.stderr
    assert "story.txt:" in result.stdout
