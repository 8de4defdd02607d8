"""What holds for the package as a whole: its layers, its wheel, its README, its notebooks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections import Counter
from dataclasses import fields
from pathlib import Path

import nbformat
import polars as pl
import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell

import loadedwords
from loadedwords.batch import RunDescription, score_to_folder
from loadedwords.outlets.hand_labels import read_gold

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_public_name_is_there_and_documented() -> None:
    for name in loadedwords.__all__:
        assert getattr(loadedwords, name).__doc__, f"{name} has no docstring"
    assert set(loadedwords.__all__) <= set(dir(loadedwords))
    assert loadedwords.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    with pytest.raises(AttributeError):
        loadedwords.nosuch  # noqa: B018


def test_what_a_stranger_tries_first_works_without_torch() -> None:
    code = (
        "from importlib.machinery import PathFinder as Finder; found = Finder.find_spec\n"
        "gone = {'torch', 'transformers', 'onnx'}\n"
        "Finder.find_spec = lambda name, *rest: None if name in gone else found(name, *rest)\n"
        "from loadedwords import *\n"
        "import loadedwords; help(loadedwords); load_model()\n"
        "try: loadedwords.TransformerFramingClassifier\n"
        "except LoadedwordsError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "score_articles" in ran.stdout
    assert "pip install 'loadedwords[train]'" in ran.stdout


@pytest.mark.parametrize(
    "command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["lint-imports"]]
)
def test_linters_pass(command: list[str]) -> None:
    beside = Path(sys.executable).parent
    result = subprocess.run(
        [str(beside / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_constraints_pin_every_requirement() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    names = {name.lower().replace("_", "-") for name in pinned}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [r for extra in project["optional-dependencies"].values() for r in extra]
    for requirement in wanted:
        if requirement.startswith("loadedwords["):  # an extra that holds another one
            continue
        assert re.split(r"[<>=\[ ]", requirement)[0].lower().replace("_", "-") in names, requirement


def test_the_oldest_versions_are_those_that_are_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = sorted([*project["dependencies"], *project["optional-dependencies"]["datasets"]])
    oldest = (ROOT / "constraints-oldest.txt").read_text().splitlines()[1:]
    assert oldest == [requirement.replace(">=", "==") for requirement in wanted]


def test_the_wheel_is_complete_and_runs(tmp_path: Path) -> None:
    """Built from the tree and run in a venv of its own, which borrows only the dependencies."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)], check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "models/default/config.json",
        "models/default/model.onnx",
        "models/linear_default/weights.npz",
        "training/recipes/default.toml",
        "training/recipes/linear.toml",
        "training/golden.toml",
        "training/plain.toml",
        "training/corpora.toml",
        "training/evaluation/suites/minimal_pairs.jsonl",
        "training/evaluation/suites/invariance.toml",
        "training/evaluation/suites/devices.toml",
        "lint/plainer.toml",
        "lint/listed.toml",
        "lint/left_alone.toml",
        "text/boilerplate.toml",
        "training/evaluation/suites/plain_words.toml",
        "training/evaluation/card.html.j2",
        "report/comparison.html.j2",
        "report/article.css",
        "py.typed",
    ):
        assert f"loadedwords/{needed}" in inside
    assert not [name for name in inside if name.startswith(("tests/", "notebooks/"))]
    assert wheel.stat().st_size < 30_000_000
    venv.create(tmp_path / "venv", with_pip=False)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    dependencies = next(path for path in sys.path if path.endswith("site-packages"))
    code = "import loadedwords; print(loadedwords.__file__, loadedwords.load_model().score_text('The shameless regime.').n_own)"
    ran = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-c", code],
        capture_output=True, text=True, check=True, cwd=tmp_path, env={"PYTHONPATH": f"{site}{os.pathsep}{dependencies}"},
    )  # fmt: skip
    assert str(site) in ran.stdout
    assert ran.stdout.split()[-1] == "1"


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation.keys() >= {"cff-version", "message", "title", "authors"}, "what CFF 1.2.0 demands"
    assert (citation["title"], citation["version"], citation["license"]) == (
        project["name"], project["version"], project["license"],
    )  # fmt: skip


@pytest.mark.usefixtures("few_resamples", "remembered_scores")
@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_run(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, where the embedded model scores each sentence once for all of them."""
    monkeypatch.chdir(notebook.parent)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell()
    ran = [
        shell.run_cell(cell.source) for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"
    ]
    for cell in ran:
        cell.raise_error()
    assert any(cell.result is not None for cell in ran)


def test_example_data_is_what_the_readme_says() -> None:
    rows = [
        json.loads(line) for line in (ROOT / "notebooks/data/coverage.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len({row["event_id"] for row in rows}) >= 6
    articles = Counter(row["outlet"] for row in rows)
    assert len(articles) >= 5
    assert min(articles.values()) >= 10, "fewer are not compared in pairs, words and devices"
    lines = Counter(line for row in rows for line in row["text"].splitlines() if len(line) > 80)
    assert max(lines.values()) == 1, "no paragraph stands in two articles"


@pytest.mark.usefixtures("remembered_scores")
def test_the_example_shows_every_part_of_a_comparison(tmp_path: Path) -> None:
    read = loadedwords.read_articles([ROOT / "notebooks/data/coverage.jsonl"])
    score_to_folder(read, tmp_path, description=RunDescription(["coverage.jsonl"]))
    found = loadedwords.compare_scores([tmp_path], gold=read_gold(ROOT / "notebooks/data/labels.csv"))
    tables = [getattr(found, field.name) for field in fields(found)] + [found.topics]
    empty = [table.columns for table in tables if isinstance(table, pl.DataFrame) and table.is_empty()]
    assert empty == []
    assert found.topics is not None
    assert found.corrected is not None
    assert not found.corrected["note"].str.contains("labels, too|no labels|few").any(), "every outlet has labels enough"
    assert found.corrected["corrected_share"].null_count() == 0
