"""The language server, asked by a client over stdio as an editor asks it, and the pre-commit hook."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from numpy.typing import NDArray

from loadedwords.cli import main
from loadedwords.cli.lsp import lsp as lsp_command
from loadedwords.lint import lint_text, read_house
from loadedwords.models.bundle import open_bundle
from loadedwords.models.scores import WordScore
from loadedwords.scoring import FramingModel, load_model
from loadedwords.scoring.remembered import RememberedScores
from lsp_client import Client

needs_pygls = pytest.mark.skipif(find_spec("pygls") is None, reason="pygls is not installed: the extra lsp")

ROOT = Path(__file__).parents[1]
STORY = "The council met on Monday.\n\nThe shameless regime sneered at them.\n"
BAN = (
    '[[ban]]\nword = "illegals"\nreason = "a person is not illegal"\ninstead = ["migrants", "people without papers"]\n'
)
ENCODINGS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def at(text: str, place: dict[str, Any], encoding: str = "utf-16") -> str:
    """What stands in a range of a text, counted by the protocol's rules."""
    codec, width = ENCODINGS[encoding]
    lines = re.split("(\r\n|\r|\n)", text)

    def offset(position: dict[str, int]) -> int:
        line = (
            lines[2 * position["line"]]
            .encode(codec, "surrogatepass")[: width * position["character"]]
            .decode(codec, "surrogatepass")
        )
        return len("".join(lines[: 2 * position["line"]])) + len(line)

    return text[offset(place["start"]) : offset(place["end"])]


def actions(client: Client, uri: str, place: dict[str, Any], **context: Any) -> list[dict[str, Any]]:
    asked = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": [], **context}}
    return client.ask("textDocument/codeAction", asked)


# --- what is found --------------------------------------------------------------------------------------------------


@needs_pygls
@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-16", "utf-32"])
def test_diagnostics_stand_where_the_client_counts(encoding: str | None, tmp_path: Path) -> None:
    text = "🙂 The council met on Monday.\u2028It left on Tuesday.\r\n\r\n🙂🙂é “🙂” The shameless regime sneered at them.\r🙂 The shameless regime sneered.\n"
    offered = {"general": {"positionEncodings": [encoding]}} if encoding else {}
    with Client(tmp_path, capabilities=offered) as client:
        assert client.capabilities["positionEncoding"] == (encoding or "utf-16")
        found = client.open((tmp_path / "a story é.txt").as_uri(), text)
        expected = lint_text(text)
        assert len(expected) >= 2
        assert [at(text, one["range"], encoding or "utf-16") for one in found] == [one.text for one in expected]
        assert {one["range"]["start"]["line"] for one in found} == {2, 3}
        for one, finding in zip(found, expected, strict=True):
            assert finding.reason in one["message"]
            assert (one["code"], one["source"]) == (finding.kind, "loadedwords")
            assert one["severity"] == {"error": 1, "warning": 2, "note": 3}[finding.severity]


@needs_pygls
def test_a_change_is_linted_once_the_typing_pauses(tmp_path: Path) -> None:
    uri = (tmp_path / "story.txt").as_uri()
    with Client(tmp_path) as client:
        assert client.open(uri, "The council met on Monday.\n") == []
        for version in range(2, 12):
            client.change(uri, STORY[: 20 + version], version)
        client.change(uri, STORY, 12)
        published = client.published()
        assert published["version"] == 12, "what was typed over is not linted"
        assert [at(STORY, one["range"]) for one in published["diagnostics"]] == [f.text for f in lint_text(STORY)]
        client.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
        assert client.published()["diagnostics"] == [], "a closed story has no findings"
        assert client.open(uri, STORY), "and opened anew it has them"


@needs_pygls
def test_whatever_is_typed_and_asked_the_last_text_counts(tmp_path: Path) -> None:
    draw, model, uri = random.Random(0), load_model(), (tmp_path / "story.txt").as_uri()
    pieces = [
        "🙂 ",
        "The shameless regime sneered at them. ",
        "The council met on Monday.",
        "\n",
        "\r\n\n",
        "“",
        "”",
        "\ud83d",
    ]
    with Client(tmp_path) as client:
        client.open(uri, "")
        for version in range(2, 40):
            text = "".join(draw.choices(pieces, k=draw.randrange(9)))
            client.change(uri, text, version)
            here = {"line": draw.randrange(3), "character": draw.randrange(20)}
            if draw.random() < 0.5:
                hover = client.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": here})
                places = [hover["range"]] if hover else []
            else:
                offered = actions(client, uri, {"start": here, "end": here})
                places = [one["range"] for action in offered for one in action["diagnostics"]]
            expected = {finding.text for finding in lint_text(text.replace("\ud83d", "\ufffd"), model=model)}
            assert {at(text, place) for place in places} <= expected
        assert {at(text, one["range"]) for one in client.found(version)} == expected


@needs_pygls
def test_the_language_says_how_a_story_is_read(tmp_path: Path) -> None:
    code = "The council met.\n\n`The shameless regime sneered.`\n"
    (tmp_path / ".loadedwords.toml").write_text('[files]\nlint = ["stories/", "*.md"]\n', encoding="utf-8")
    with Client(tmp_path) as client:
        assert client.open("untitled:Untitled-1", code, "markdown") == []
        assert client.open("untitled:Untitled-2", code) != []
        assert client.open((tmp_path / "x.md").as_uri(), code, "some-other-mode") == []
        page = "<p>The council met on <b>Monday</b>.</p>\n<p>The <em>shameless</em> regime sneered at them.</p>"
        assert {at(page, one["range"]) for one in client.open("untitled:3", page, "html")} == {
            one.text for one in lint_text(page, form="html")
        }


@needs_pygls
def test_other_peoples_words_only_when_asked_for(tmp_path: Path) -> None:
    text = "“The shameless regime sneered at us,” said Ann Lee.\n"
    with Client(tmp_path) as client:
        assert client.open("untitled:1", text) == []
    with Client(tmp_path, "--quotes", "--stdio") as client:
        (first, *_) = client.open("untitled:1", text)
        asked = {"textDocument": {"uri": "untitled:1"}, "position": first["range"]["start"]}
        assert "said by Ann Lee" in client.ask("textDocument/hover", asked)["contents"]["value"]


# --- hover and actions ----------------------------------------------------------------------------------------------


@needs_pygls
def test_hover_says_kind_reason_and_how_sure(tmp_path: Path) -> None:
    uri, text = (tmp_path / "story.txt").as_uri(), "🙂 " + STORY.split("\n")[2]
    with Client(tmp_path) as client:
        found = client.open(uri, text)
        for one, finding in zip(found, lint_text(text), strict=True):
            asked = {"textDocument": {"uri": uri}, "position": one["range"]["start"]}
            said = client.ask("textDocument/hover", asked)
            assert said["range"] == one["range"]
            assert finding.reason in said["contents"]["value"]
            assert f"{finding.score:.0%}" in said["contents"]["value"]
            assert f"{finding.p_loaded:.0%}" in said["contents"]["value"]
        assert client.ask("textDocument/hover", asked | {"position": {"line": 0, "character": 0}}) is None


@needs_pygls
@pytest.mark.parametrize("uri", ["untitled:1", "file"])
def test_of_a_closed_story_nothing_is_said(uri: str, tmp_path: Path) -> None:
    file = tmp_path / "story.txt"
    file.write_text(STORY, encoding="utf-8")
    uri = file.as_uri() if uri == "file" else uri
    with Client(tmp_path) as client:
        (one, *_) = client.open(uri, STORY)
        client.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
        asked = {"textDocument": {"uri": uri}, "position": one["range"]["start"]}
        assert client.ask("textDocument/hover", asked) is None
        assert actions(client, uri, one["range"]) == []
        assert client.published()["diagnostics"] == []
        assert client.open(uri, STORY)


@needs_pygls
def test_a_replacement_leaves_the_plainer_text(tmp_path: Path) -> None:
    (tmp_path / ".loadedwords.toml").write_text(BAN, encoding="utf-8")
    uri, text = (tmp_path / "story.txt").as_uri(), "The council met.\n🙂 Nine illegals crossed.\n"
    with Client(tmp_path) as client:
        (one,) = client.open(uri, text)
        offered = actions(client, uri, one["range"])
        assert [action["title"] for action in offered] == [
            "Replace with “migrants”",
            "Replace with “people without papers”",
        ]
        assert [action.get("isPreferred") for action in offered] == [True, False]
        (edit,) = offered[0]["edit"]["changes"][uri]
        assert at(text, edit["range"]) == "illegals"
        assert edit["newText"] == "migrants"
        assert offered[0]["diagnostics"] == [one]
        assert actions(client, uri, one["range"], only=["quickfix"]) == offered
        assert actions(client, uri, one["range"], only=["source.organizeImports"]) == []
        start = {"line": 0, "character": 0}
        assert actions(client, uri, {"start": start, "end": start}) == []
        # Asked before the pause is over, the answer is of the text as it is now.
        client.change(uri, text.replace("🙂 Nine", "Nine"), 2)
        moved = {"start": {"line": 1, "character": 5}, "end": {"line": 1, "character": 13}}
        assert actions(client, uri, moved)[0]["edit"]["changes"][uri][0]["range"] == moved


@needs_pygls
@pytest.mark.parametrize("there", [True, False])
def test_accepting_a_word_writes_the_house_file(there: bool, tmp_path: Path) -> None:
    house = tmp_path / ".loadedwords.toml"
    if there:
        house.write_text('# Ours.\naccept = ["strongman"]\n', encoding="utf-8")
    (tmp_path / "desk").mkdir()
    uri, text = (
        (tmp_path / "desk" / "story.txt").as_uri(),
        "The council met.\n\nThe regime’s shameless escapade failed.\n",
    )
    with Client(tmp_path) as client:
        found = client.open(uri, text)
        n_accepted = 0
        while found:
            action = actions(client, uri, found[0]["range"])[-1]
            word = at(text, found[0]["range"]).removesuffix("’s")
            assert action["title"] == f"Accept “{word}” in .loadedwords.toml"
            client.ask("workspace/executeCommand", action["command"])
            assert word in read_house(house).accept
            n_accepted += 1
            found = client.found(1)
    assert 0 < n_accepted < 4
    assert house.read_text(encoding="utf-8").startswith("# Ours.") is there
    assert not (tmp_path / "desk" / ".loadedwords.toml").exists()


@needs_pygls
def test_what_cannot_be_accepted_is_said(tmp_path: Path) -> None:
    (tmp_path / ".loadedwords.toml").write_text("accept = 3\n", encoding="utf-8")
    with Client(tmp_path) as client:
        client.open((tmp_path / "story.txt").as_uri(), STORY)
        client.ask(
            "workspace/executeCommand",
            {"command": "loadedwords.accept", "arguments": [(tmp_path / "story.txt").as_uri(), "regime"]},
        )
        (shown,) = [message for message in client.asked if message["method"] == "window/showMessage"]
        assert "accept is 3" in shown["params"]["message"]


# --- the house's rules ----------------------------------------------------------------------------------------------


@needs_pygls
def test_rules_are_read_anew_when_they_change(tmp_path: Path) -> None:
    house = tmp_path / ".loadedwords.toml"
    uri = (tmp_path / "a story.txt").as_uri()
    watching = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    with Client(tmp_path, capabilities=watching) as client:
        assert client.open(uri, STORY)

        def found_with(rules: str) -> list[dict[str, Any]]:
            house.write_text(rules, encoding="utf-8")
            client.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": house.as_uri(), "type": 2}]})
            published = client.published()
            assert published["uri"] == uri, "a client knows its story by the very letters that it gave"
            return published["diagnostics"]

        assert found_with('accept = ["shameless", "regime", "sneered"]\n') == []
        assert found_with("") != []
        assert found_with('[files]\nleave = ["*.txt"]\n') == []
        (trouble,) = found_with("nosuch = 1\n")
        assert "nosuch is no key that is known" in trouble["message"]
        assert "Write one of accept" in trouble["message"]
        assert found_with("[levels]\nnote = 1.0\nwarning = 1.0\nerror = 1.0\n") == []
        # A client that does not watch files: the rules are read when the story is saved or changed.
        house.unlink()
        client.tell("textDocument/didSave", {"textDocument": {"uri": uri}})
        assert client.found(1)
        registered = [m["params"]["registrations"] for m in client.asked if m["method"] == "client/registerCapability"]
        assert registered[0][0]["registerOptions"]["watchers"][0]["globPattern"] == "**/.loadedwords.toml"


# --- start and end --------------------------------------------------------------------------------------------------


@needs_pygls
def test_it_ends_when_the_editor_is_gone(tmp_path: Path) -> None:
    client = Client(tmp_path)
    client.open("untitled:1", STORY)
    assert client.server.stdin
    client.server.stdin.close()
    assert client.server.wait(30) == 0


@needs_pygls
def test_a_model_that_is_not_there_is_said_at_the_start() -> None:
    result = CliRunner().invoke(main, ["lsp", "-m", "nosuch"])
    assert result.exit_code == 1
    assert "nosuch" in result.stderr


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygls", None)
    result = CliRunner().invoke(main, ["lsp"])
    assert result.exit_code == 1
    assert "pip install 'loadedwords[lsp]'" in result.stderr


# --- the memory -----------------------------------------------------------------------------------------------------


class Counting:
    """A scorer that knows a sentence's length, and what it was asked."""

    threshold = 0.5

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def score(self, sentences: Sequence[str]) -> tuple[NDArray[np.float64], list[list[WordScore]]]:
        self.asked.append(list(sentences))
        return np.array([len(s) / 100 for s in sentences]), [[WordScore(0, len(s), 0.5)] for s in sentences]


def test_only_what_changed_is_scored_again() -> None:
    counting = Counting()
    memory = RememberedScores(counting, 3)
    for sentences in (
        ["a", "bb", "a"],
        ["bb", "ccc", "a"],
        [],
        ["dddd"],
        ["a", "ccc"],
        ["bb"],
        ["x", "y", "z", "u", "v"],
    ):
        probability, words = memory.score(sentences)
        assert probability.tolist() == [len(s) / 100 for s in sentences]
        assert [one[0].end for one in words] == [len(s) for s in sentences]
    # "bb" was used longest ago when "dddd" came.
    assert counting.asked == [["a", "bb"], ["ccc"], [], ["dddd"], [], ["bb"], ["x", "y", "z", "u", "v"]]
    assert len(memory._remembered) == 3


@pytest.mark.parametrize("name", ["default", "linear"])
def test_the_memory_changes_no_finding(name: str) -> None:
    remembering, fresh = FramingModel(open_bundle(name), n_remembered=20), load_model(name)
    for text in (STORY, STORY.replace("council", "board"), STORY + STORY, STORY):
        assert lint_text(text, model=remembering) == lint_text(text, model=fresh)


# --- documentation and the hook -------------------------------------------------------------------------------------


def test_every_option_is_documented() -> None:
    page = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    for option in lsp_command.params:
        assert any(name in page for name in option.opts), option.opts


def test_the_hook_stops_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pre-commit runs it, but for the environment that it would install the package in."""
    file = ROOT / ".pre-commit-hooks.yaml"
    (hook,) = yaml.safe_load(file.read_text(encoding="utf-8"))
    beside = [sys.executable, "-m", "pre_commit"]
    subprocess.run([*beside, "validate-manifest", file], check=True)
    assert hook["language"] == "python"
    assert hook["entry"].split()[0] == "loadedwords"
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    here = hook | {
        "language": "system",
        "entry": hook["entry"].replace("loadedwords", f"{sys.executable} -m loadedwords"),
    }
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": [here]}]}))
    (desk / ".loadedwords.toml").write_text('accept = ["strongman"]\n[files]\nleave = ["archive/"]\n')
    (desk / "archive").mkdir()
    for name in ("story.txt", "story.md", "notes.py", "archive/old.txt"):
        (desk / name).write_text(STORY)
    git = shutil.which("git")
    assert git
    subprocess.run([git, "init", "-q"], cwd=desk, check=True)
    subprocess.run([git, "add", "."], cwd=desk, check=True)
    ran = subprocess.run([*beside, "run"], cwd=desk, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "story.txt:3:" in ran.stdout
    assert "story.md:3:" in ran.stdout
    assert not re.search(r"notes\.py:|old\.txt:", ran.stdout)
    (desk / "story.txt").write_text("The council met on Monday.\n")
    (desk / "story.md").write_text("The council met on Monday.\n")
    subprocess.run([git, "add", "."], cwd=desk, check=True)
    ran = subprocess.run([*beside, "run"], cwd=desk, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
