"""Before anything is scored, five lines say what was understood; nothing is lost by looking."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadedwords.articles import Progress, ReadOptions
from loadedwords.articles.look import Look, look_at, look_first
from loadedwords.articles.reading import find_sources, read_inputs
from loadedwords.cli import main
from loadedwords.schema import Article

TEXT = "The dam above Estmere broke in the night, the water board said."


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


def looked(*inputs: Path, options: ReadOptions | None = None) -> Look:
    return look_at(find_sources(list(inputs)), options or ReadOptions())


def make(folder: Path) -> Path:
    (folder / "a.csv").write_text(
        "id;content;publication;publishedAt\n"
        + "".join(f'{n};"{TEXT}";{"Wire" if n < 7 else "Blare"};{n + 3}/17/2018\n' for n in range(8))
        + '8;"";Wire;1/1/2018\n9;"Gone [+1234 chars]";;soon\n'
    )
    rows = [
        {"maintext": TEXT, "url": "https://www.courier.example/1", "date_publish": "2019-01-02"},
        {"maintext": TEXT},
    ]
    (folder / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    (folder / "c.txt").write_text(TEXT, encoding="utf-16")
    return folder


def test_five_lines_say_what_was_understood(tmp_path: Path) -> None:
    files, columns, outlets, dates, texts = looked(make(tmp_path)).lines()
    assert (
        files
        == "Files:   .csv (semicolons) (1), .jsonl (one object a line) (1), .txt (utf-16) (1); looked at all 14 records"
    )
    assert columns == (
        "Columns: id, text = content or maintext or text, outlet = publication, date = publishedAt or date_publish, url"
    )
    assert outlets.startswith(
        "Outlets: 3, such as Wire (7), Blare (1), courier.example (1); 1 articles named by the address"
    )
    assert "3 articles without; name one with --outlet" in outlets
    assert dates.startswith("Dates:   9 of 12 articles, 2018-03-17 to 2019-01-02; 1 left out, such as 'soon' was not")
    assert dates.endswith("; 2 come without one")
    assert texts.startswith("Texts:   12 words in the middle one; in English (11); 1 end as if cut short; 2 broken: ")
    assert "the text is empty (1)" in texts
    assert texts.endswith(f"; these are in {tmp_path / 'a.csv'} (1), {tmp_path / 'b.jsonl'} (1)")


def test_other_languages_are_seen(tmp_path: Path) -> None:
    german = "Der Damm oberhalb von Estmere ist in der Nacht gebrochen, sagte die Behörde am Dienstag. Das Wasser steht in vier Straßen der Stadt, und niemand weiß, wie lange noch."
    (tmp_path / "a.txt").write_text(german)
    (tmp_path / "b.txt").write_text(TEXT)
    assert "in German (1), English (1)" in looked(tmp_path).lines()[-1]


def test_of_many_texts_it_is_told_how_many_were_asked_for_their_language(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text\n" + f'"{TEXT}"\n' * 450)
    assert "in English (225), of 225 asked; 0 broken" in looked(tmp_path).lines()[-1]


def test_many_files_of_one_article_are_seen_whole(tmp_path: Path) -> None:
    for n in range(60):
        (tmp_path / f"{n}.txt").write_text(TEXT)
    assert looked(tmp_path).lines()[0].endswith("looked at all 60 records")


def test_of_many_files_some_of_each_kind_are_looked_at(tmp_path: Path) -> None:
    for n in range(400):
        (tmp_path / f"{n}.txt").write_text(TEXT)
    (tmp_path / "x.csv").write_text("text,outlet\n" + f'"{TEXT}",Wire\n' * 5000)
    look = looked(tmp_path)
    assert look.kinds == {".txt": 400, ".csv (commas)": 1}
    assert not look.complete
    assert len(look.articles) < 2_500
    assert {article.outlet for article in look.articles} == {None, "Wire"}


def test_a_look_at_files_takes_nothing_from_the_run(tmp_path: Path) -> None:
    progress = Progress()
    _, stream = look_first(make(tmp_path), options=ReadOptions(), progress=progress, without=None)
    assert progress.done == 0
    assert list(stream) == list(read_inputs(tmp_path))
    assert progress.done == progress.total == sum(file.stat().st_size for file in tmp_path.iterdir())


def test_dry_run_stops_there(tmp_path: Path) -> None:
    make(tmp_path)
    for arguments in ([tmp_path, "--dry-run"], [tmp_path, "--dry-run", "-o", tmp_path / "out"]):
        result = run("score", *arguments)
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines() == looked(tmp_path).lines()
        assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "b.jsonl", "c.txt"]
    assert run("score", tmp_path).exit_code == 2, "a run needs a folder"
    (tmp_path / "d.csv").write_text("nr,copy\n1,x\n")
    result = run("score", tmp_path / "d.csv", "--dry-run")
    assert result.exit_code == 1
    assert "No article could be read. The first: " in result.stderr
    assert "Found: nr, copy" in result.stderr


@pytest.mark.parametrize("n", [3, 500])
def test_standard_input_and_datasets_are_looked_at_and_read_whole(n: int, tmp_path: Path, small_bundle: Path) -> None:
    rows = "".join(json.dumps({"text": TEXT, "outlet": "Wire", "date": "7/17/2018"}) + "\n" for _ in range(n))
    result = run("score", "-", "-o", tmp_path / "a", "-m", small_bundle, "--workers", 1, stdin=rows)
    assert result.exit_code == 0, result.output
    assert (
        f"standard input (one object a line) (1); looked at {'all 3' if n == 3 else 'the first 200'} records"
        in result.stderr
    )
    assert f"{n} articles" in result.stdout
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text(rows)
    result = run("score", "--dataset", tmp_path / "data", "-o", tmp_path / "b", "-m", small_bundle, "--workers", 1)
    assert result.exit_code == 0, result.output
    assert "Columns: text, outlet, date\n" in result.stderr
    assert f"{n} articles" in result.stdout


def test_a_named_column_that_is_nowhere_stops_the_run_before_it_starts(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'text,paper\n"{TEXT}",Wire\n')
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text(f'text,paper\n"{TEXT}",Wire\n')
    for inputs in ([tmp_path / "a.csv"], ["--dataset", tmp_path / "data"]):
        result = run("score", *inputs, "-o", tmp_path / "out", "--outlet-column", "papers")
        assert result.exit_code == 1
        assert "no column 'papers'.\nFound: text, paper.\nName another with --outlet-column" in result.stderr
        assert not (tmp_path / "out").exists()


def test_options_for_outlet_dates_and_signs(tmp_path: Path, small_bundle: Path) -> None:
    (tmp_path / "a.csv").write_text(f'text~outlet~date\n"{TEXT}"~Blare~7.6/2018\n"{TEXT}"~~soon\n')
    arguments = [tmp_path / "a.csv", "--delimiter", "~", "--outlet", "Wire", "--date-format", "%d.%m/%Y"]
    result = run("score", *arguments, "-o", tmp_path / "out", "-m", small_bundle, "--workers", 1)
    assert result.exit_code == 0, result.output
    assert "1 of 2 dates left out, such as 'soon' was not understood" in result.stdout
    told = json.loads((tmp_path / "out" / "run.json").read_text())
    reason = "'soon' was not understood (name its form with --date-format)"
    assert told["dates"] == {"dated": 1, "left_out": 1, "without": 0, "examples": [reason]}
    assert [line.split(",")[0] for line in (tmp_path / "out" / "outlets.csv").read_text().splitlines()] == [
        "outlet",
        "Wire",
    ]
    assert "1 dates were not" in re.sub(r"\s+", " ", (tmp_path / "out" / "report.html").read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--delimiter", "ab"], "is not one sign"),
        (["--date-format", "%d/%m"], "does not name year, month and day"),
        (["--date-format", "%Q"], "write the like of"),
        (["--outlet", "Wire", "--outlet-column", "paper"], "either an --outlet or an --outlet-column"),
    ],
)
def test_options_that_can_not_be(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    result = run("score", tmp_path, "--dry-run", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_what_is_shown_can_not_take_over_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": TEXT, "outlet": "\x1b[2JWire" + "x" * 9_000}))
    result = run("score", tmp_path, "--dry-run")
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) < 1_000


def test_articles_of_our_own(tmp_path: Path) -> None:
    data = Path(__file__).parents[1] / "notebooks" / "data" / "coverage.jsonl"
    look = looked(data)
    assert (len(look.articles), len(look.rejects), look.complete) == (72, 0, True)
    assert all(isinstance(article, Article) and article.date and not article.notes for article in look.articles)
