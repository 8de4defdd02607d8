"""The command line: every command documented, exit statuses kept, stdout for data, stderr for progress."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from loadedwords.cli import main

ROOT = Path(__file__).parents[1]
DATA = ROOT / "notebooks" / "data"
LINE = json.dumps({"id": "1", "outlet": "Wire", "text": "The shameless regime sneered. The council met."}) + "\n"


pytestmark = pytest.mark.usefixtures("few_resamples", "remembered_scores")


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


@pytest.mark.parametrize("command", [None, *main.commands])
def test_every_command_is_documented(command: str | None) -> None:
    result = run(*([command] if command else []), "--help")
    assert result.exit_code == 0
    context = click.Context(main)
    for parameter in (main.commands[command] if command else main).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{command}: {parameter.name} has no help"
    assert (main.get_command(context, command) if command else main).help
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    assert command is None or f"loadedwords {command}" in pages, f"neither README nor docs show {command}"


def test_score_writes_everything_and_says_so(tmp_path: Path) -> None:
    result = run("score", DATA / "coverage.jsonl", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "72 articles" in result.stdout
    assert "Meridian Wire" in result.stdout
    assert "the interval of their difference does" in result.stdout
    for name in ("run.json", "rejects.jsonl", "outlets.csv", "outlets.parquet", "report.html"):
        assert (tmp_path / "out" / name).is_file()
    again = run("score", DATA / "coverage.jsonl", "-o", tmp_path / "out")
    assert again.exit_code == 0
    assert "3 shards from an earlier run" in again.stdout
    compared = run("compare", tmp_path / "out", "--csv")
    assert compared.stdout == (tmp_path / "out" / "outlets.csv").read_text()
    assert "all outlets" in run("compare", tmp_path / "out").stdout


def test_rejects_make_exit_status_3(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(LINE + "{broken\n", encoding="utf-8")
    result = run("score", tmp_path / "x.jsonl", "-o", tmp_path / "out")
    assert result.exit_code == 3
    assert f"1 reject, with reasons in {tmp_path / 'out' / 'rejects.jsonl'}" in result.stdout
    assert "differ" not in result.stdout, "there is one outlet"
    (reject,) = map(json.loads, (tmp_path / "out" / "rejects.jsonl").read_text().splitlines())
    assert (reject["line"], reject["file"]) == (2, str(tmp_path / "x.jsonl"))


def test_a_day_is_added_and_a_corrected_story_told(tmp_path: Path) -> None:
    """With a broken line of the first day, for which the second day's run has no reason to complain."""
    day1, day2, out = tmp_path / "day1.jsonl", tmp_path / "day2.jsonl", tmp_path / "out"
    day1.write_text(LINE + LINE.replace('"1"', '"2"') + "{broken\n", encoding="utf-8")
    day2.write_text(LINE + LINE.replace('"1"', '"3"'), encoding="utf-8")
    command = ["score", "-m", "linear", "-o", out]
    assert run(*command, day1, "--add").exit_code == 3
    result = run(*command, day2, "--add")
    assert (result.exit_code, "1 article added; 1 article known and passed over" in result.stdout) == (0, True)
    assert "3 articles, 6 sentences" in result.stdout
    day2.write_text(LINE.replace("sneered", "smiled"), encoding="utf-8")
    result = run(*command, day2, "--add")
    assert (result.exit_code, "1 article with an id that is there with other content: what is there was kept" in result.stderr) == (3, True)  # fmt: skip
    result = run(*command, day2, "--add", "--changed", "replace")
    assert (result.exit_code, "the new took the place of what was there" in result.stderr) == (0, True)
    assert "3 articles, 6 sentences" in result.stdout


def test_standard_input_named_columns_and_a_dataset(tmp_path: Path) -> None:
    assert run("score", "-", "-o", tmp_path / "a", stdin=LINE).exit_code == 0
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("copy,paper\nThe dam broke.,Wire\n", encoding="utf-8")
    columns = ["--text-column", "copy", "--outlet-column", "paper"]
    for number, inputs in enumerate([[tmp_path / "data" / "train.csv"], ["--dataset", tmp_path / "data"]]):
        result = run("score", *inputs, "-o", tmp_path / str(number), *columns)
        assert result.exit_code == 0, result.output
        assert "Wire" in (tmp_path / str(number) / "outlets.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["score", "{tmp}/nosuch.jsonl", "-o", "{tmp}/out"], 1, "There is no file, folder or match"),
        (["score", "{tmp}/empty.jsonl", "-o", "{tmp}/out"], 1, "the file is empty"),
        (["score", "{tmp}/nocolumn.csv", "-o", "{tmp}/out"], 1, "Name it with --text-column"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/ok.jsonl"], 2, "is a file"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/ok.jsonl/below"], 1, "can't be written"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/out", "-m", "{tmp}"], 1, "is not a bundle"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/out", "--encoding", "klingon"], 2, "knows no encoding"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/out", "--add", "--overwrite"], 2, "not both"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/out", "--changed", "replace"], 2, "pass that, too"),
        (["score", "-o", "{tmp}/out"], 2, "Name either INPUTS or a --dataset"),
        (["score", "--dataset", "{tmp}/nosuch", "-o", "{tmp}/out"], 1, "could not be loaded"),
        (["highlight", "{tmp}/empty.jsonl"], 1, "the file is empty"),
        (["compare", "{tmp}"], 1, "holds no scores"),
        (["train", "{tmp}/nocolumn.csv", "-o", "{tmp}/bundle"], 1, "no text"),
        (["train", "--recipe", "nosuch", "-o", "{tmp}/bundle"], 1, "There is no recipe"),
        (["train", "--corpora", "{tmp}", "-o", "{tmp}/bundle"], 1, "does not hold the train split of anno-lexical"),
        (["train", "{tmp}/labels.csv", "--from", "{tmp}", "-o", "{tmp}/bundle"], 2, "neither embedded, scratch"),
        (["train", "{tmp}/labels.csv", "--from", "linear", "-o", "{tmp}/bundle"], 2, "neither embedded, scratch"),
        (["evaluate"], 2, "Name a LABELLED file"),
        (["evaluate", "--spans"], 2, "Name the folder of --corpora"),
        (["evaluate", "--pairs", "--quotations"], 2, "one at a time"),
        (["evaluate", "--recipe", "linear", "--pairs"], 2, "or a --recipe to cross-validate"),
        (["evaluate", "--pairs", "--plot", "{tmp}/plot.svg"], 2, "--plot needs the --recipe"),
        (["evaluate", "--pairs", "--checkpoint", "nowhere"], 2, "--checkpoint is measured on a LABELLED file"),
        (["evaluate", "{tmp}/labels.csv", "--folds", "5"], 2, "--folds needs the --recipe"),
        (["evaluate", "{tmp}/labels.csv", "--revision", "x"], 2, "--revision is for a --checkpoint"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/out", "--split", "test"], 2, "--split is for a --dataset"),
        (["lint", "{tmp}/ok.jsonl", "--only", "label", "--ignore", "label"], 2, "nothing would be reported"),
        (["lint", "{tmp}/ok.jsonl", "--stdin-name", "x.md"], 2, "--stdin-name is for standard input"),
        (["train", "{tmp}/labels.csv", "-o", "{tmp}/hub"], 1, "exists and is not a bundle"),
        (["train", "{tmp}/labels.csv", "-o", "{tmp}/mine"], 1, "holds other files than a bundle's, such as notes.txt"),
        (["train", "{tmp}/labels.csv", "-o", "{tmp}/ok.jsonl/x"], 1, "can't be written"),
        (
            ["evaluate", "--recipe", "linear", "{tmp}/labels.csv", "--card", "{tmp}/card"],
            2,
            "was not made by the recipe",
        ),
        (
            ["train", "{tmp}/labels.csv", "--ablation", "{tmp}/empty.jsonl", "-o", "{tmp}/bundle"],
            2,
            "is not what evaluate --json prints",
        ),
        (["train", "{tmp}/labels.csv", "--seeds", "3", "--no-evaluate", "-o", "{tmp}/bundle"], 2, "--seeds is for the"),
        (["train", "{tmp}/labels.csv", "--recipe", "linear", "--from", "x", "-o", "{tmp}/b"], 2, "for a transformer"),
        (["train", "{tmp}/one.csv", "-o", "{tmp}/bundle"], 1, "of one class"),
        (["train", "{tmp}/labels.csv", "--no-evaluate", "-o", "{tmp}/bundle"], 1, "of one class"),
        (["evaluate", "--recipe", "linear", "--without", "babe", "--corpora", "{tmp}"], 1, "has no stages"),
        (["evaluate", "--recipe", "default", "--without", "babe", "--card", "{tmp}/card"], 2, "of the whole recipe"),
        (["probe", "linear", "--revision", "x"], 2, "--revision is for a checkpoint"),
        (["export", "{tmp}", "{tmp}/labels.csv", "-o", "{tmp}/bundle"], 1, "holds no checkpoint"),
        (["score", "{tmp}/header.csv", "-o", "{tmp}/out"], 1, "a header and no rows"),
        (["score", "{tmp}/labels", "-o", "{tmp}/out"], 1, "files without an ending are not read"),
        (["score", "{tmp}/within.json", "-o", "{tmp}/out"], 1, "--text-column article.content"),
        (["train", "{tmp}/labels.csv", "-o", "{tmp}"], 1, "exists and is not a bundle"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/out", "--prevalence", "1"], 2, "not in the range"),
        (["score", "{tmp}/ok.jsonl", "-o", "{tmp}/out", "--prevalence", "nan"], 2, "nan is not in the range"),
        (["evaluate", "{tmp}/ok.jsonl"], 1, "no label"),
        (["verify", "{tmp}"], 1, "is not a bundle"),
    ],
)
def test_errors_say_what_and_what_to_do(arguments: list[str], status: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "nocolumn.csv").write_text("id,copy\n1,The dam broke.\n", encoding="utf-8")
    (tmp_path / "ok.jsonl").write_text(LINE, encoding="utf-8")
    for name, config in (("hub", {"model_type": "bert"}), ("mine", {"files": {}})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (tmp_path / name / "notes.txt").write_text("precious", encoding="utf-8")
    (tmp_path / "one.csv").write_text("text,label\nThe dam broke.,0\nIt met.,0\n", encoding="utf-8")
    (tmp_path / "header.csv").write_text("text,label\n", encoding="utf-8")
    (tmp_path / "labels").write_text("The dam broke.", encoding="utf-8")
    (tmp_path / "within.json").write_text('{"article": {"content": "The dam broke."}}', encoding="utf-8")
    (tmp_path / "labels.csv").write_text("text,label\nThe dam broke.,0\nA puppet.,1\n", encoding="utf-8")
    result = run(*(a.format(tmp=tmp_path) for a in arguments))
    assert result.exit_code == status, result.output
    assert message in " ".join(result.stderr.split())
    assert result.stdout == "", "errors belong on stderr"


def test_highlight_marks_words(tmp_path: Path) -> None:
    result = run("highlight", "-", stdin="The shameless regime sneered. “A shameless lie,” she said.")
    assert result.exit_code == 0, result.output
    assert "[shameless" in result.stdout
    assert re.search("<[^>]*shameless[^>]*>", result.stdout)
    assert "own-voice sentences" in result.stdout
    assert run("highlight", DATA / "coverage.jsonl").exit_code == 0


def test_train_evaluate_and_use_a_model_of_ones_own(tmp_path: Path) -> None:
    recipe = tmp_path / "small.toml"
    recipe.write_text(
        'kind = "linear"\nname = "mine"\ncorpora = []\n[estimator]\nbits = 14\nfolds = 2\n', encoding="utf-8"
    )
    trained = run("train", DATA / "labelled.csv", "--recipe", recipe, "-o", tmp_path / "mine")
    assert trained.exit_code == 0, trained.output
    assert "majority label" in trained.stdout
    assert run("verify", tmp_path / "mine").exit_code == 0
    assert "| mine |" in (tmp_path / "mine" / "MODEL_CARD.md").read_text(encoding="utf-8")
    scored = run("score", DATA / "coverage.jsonl", "-o", tmp_path / "out", "-m", tmp_path / "mine")
    assert scored.exit_code == 0, scored.output
    assert json.loads((tmp_path / "out" / "run.json").read_text())["model"]["name"] == "mine"
    evaluated = run("evaluate", DATA / "labelled.csv", "--json")
    figures = json.loads(evaluated.stdout)["predictors"]["default"]["roc_auc"]
    assert figures["low"] < figures["estimate"] < figures["high"]
    assert figures["estimate"] > 0.8


def test_scoring_imports_no_training_library() -> None:
    heavy = {"torch", "transformers", "sklearn", "pandas", "datasets"}
    code = f"import sys, loadedwords.cli, loadedwords.batch; print(*sorted({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_a_whole_run_needs_no_training_library(tmp_path: Path) -> None:
    """pandas is not among them: pyarrow imports it by itself, where it is installed, to build a table from rows."""
    code = (
        "import sys; from loadedwords.cli import main\n"
        "try: main()\n"
        "finally: print(*sorted({'torch', 'transformers', 'sklearn', 'datasets'} & set(sys.modules)), file=sys.stderr)"
    )
    arguments = ["score", str(DATA / "coverage.jsonl"), "-o", str(tmp_path / "out"), "--workers", "1"]
    ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines()[-1] == ""
