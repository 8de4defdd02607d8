"""Every code block of the README and the docs: Python runs, commands run as printed.

Commands run in this process, where the embedded model scores each sentence once for all of them; a shell only makes what
is piped into them. A command whose comment speaks of hours, minutes or a page that it opens is only parsed: by the same parser, with the same
arguments.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from loadedwords.cli import main
from loadedwords.training.encoders import ENCODERS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = PAGES[0].read_text(encoding="utf-8")
TOO_LONG = ("hour", "minute", "opens a page")
OURS = re.compile(r"(?:(?P<before>.+) \| )?loadedwords (?P<words>[^|<>]+?)(?: > (?P<to>\S+))?")

pytestmark = pytest.mark.usefixtures("few_resamples", "remembered_scores")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def with_blocks(language: str) -> list[object]:
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, language)]


class Desk:
    """What a reader has before the first command: a clone, a folder of articles, and the scores of the README's set-up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ran: set[str] = set()
        shutil.copytree(ROOT / "notebooks", folder / "notebooks")
        shutil.copytree(ROOT / "tests" / "benchmarks", folder / "tests" / "benchmarks")
        (folder / "articles").mkdir()
        for name in ("wire", "gazette"):
            story = "The council met on Monday. The shameless regime sneered.\n"
            (folder / "articles" / f"{name}.txt").write_text(story)

    def run(self, line: str) -> None:
        """Unless the same line has run."""
        if line in self.ran:
            return
        self.ran.add(line)
        if ours := OURS.fullmatch(line):
            before = self._in_shell(ours["before"]) if ours["before"] else None
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(self.folder)
                done = CliRunner().invoke(main, shlex.split(ours["words"]), input=before)
            assert done.exit_code == 0, f"{line}\n{done.output[-1500:]}\n{done.exception!r}"
            if ours["to"]:
                (self.folder / ours["to"]).write_bytes(done.stdout_bytes)
        else:
            self._in_shell(line)

    def _in_shell(self, line: str) -> bytes:
        beside = f'export PATH="{Path(sys.executable).parent}:$PATH"; {line}'
        ran = subprocess.run(["bash", "-ec", beside], cwd=self.folder, capture_output=True, check=False)
        assert ran.returncode == 0, f"{line}\n{ran.stdout[-500:]!r}\n{ran.stderr[-1500:]!r}"
        return ran.stdout


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture
def desk(desks: Desk) -> Desk:
    desks.run("loadedwords score notebooks/data/coverage.jsonl -o scores")
    return desks


def parse(line: str) -> None:
    """Fails where a command, an option or a package is not as the line has it."""
    words = shlex.split(line, comments=True)
    if words[0] == "loadedwords":
        command = main.commands[words[1]]
        # What a line before would have made is not there: whether files exist is not asked.
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        options = [word for word in words[2:] if word.startswith("-") and word != "-"]
        assert set(options) <= known, f"{line}: unknown {set(options) - known}"
    elif words[0] == "pip":
        packages = {package for encoder in ENCODERS.values() for package in encoder.packages}
        for word in words[1:]:
            name = re.split("[={]", word)[0]
            assert "==" not in word or any(known.startswith(name) for known in packages), line
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file(), line


@pytest.mark.parametrize("page", with_blocks("sh"))
def test_commands_run_as_printed(page: Path, desk: Desk, request: pytest.FixtureRequest) -> None:
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", "").splitlines():
            command, _, comment = line.partition("  # ")
            if not command.strip():
                continue
            if any(word in comment for word in TOO_LONG) or command.startswith("pip "):
                parse(command)
                continue
            if "../shared/corpora" in command:
                command = command.replace("../shared/corpora", str(request.getfixturevalue("corpora")))
            desk.run(command.strip())


@pytest.mark.parametrize("page", with_blocks("python"))
def test_python_runs(page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    exec("\n".join(blocks(page, "python")), {"__name__": page.stem})
    assert capsys.readouterr().out.strip()


def test_ci_calls_the_readmes_test_command() -> None:
    tests = next(block for block in blocks(PAGES[0], "bash") if "pytest" in block).strip()
    assert tests in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)\s#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_readme_is_one_sitting() -> None:
    assert len(README.split()) <= 1600, "move what is for some readers to docs/"
