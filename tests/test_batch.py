"""A run loses nothing: not to a kill, not to a broken article, not to a folder that is not ours."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from loadedwords.articles import read_articles
from loadedwords.batch import RunDescription, RunSummary, score_to_folder, shards, workers
from loadedwords.batch.folder import TABLES
from loadedwords.errors import LoadedwordsError, MissingExtraError, ModelError, OutputError
from loadedwords.house import House
from loadedwords.models import linear_scorer
from loadedwords.models.bundle import open_bundle
from loadedwords.schema import ARTICLES, BOILERPLATE, SENTENCES, Article, Reject


def articles_of(n: int, *, start: int = 0) -> list[Article]:
    return [
        Article(f"a{k}", f"The reckless plan number {k} failed. He said: “It is a disgrace.” Advertisement\n\nAdvertisement", outlet=f"o{k % 3}", source=f"x.jsonl:{k + 1}")
        for k in range(start, start + n)
    ]  # fmt: skip


def run(
    items: Iterable[Article | Reject], folder: Path, model: Path, inputs: Any = ("x.jsonl",), **options: Any
) -> RunSummary:
    return score_to_folder(iter(items), folder, description=RunDescription(inputs), model=model, **options)


def tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {table: pl.read_parquet(folder / table / "part-*.parquet").to_dicts() for table in TABLES}


def assert_exact(folder: Path, texts: dict[str, str]) -> int:
    """Every sentence and word is where it says; how many words there are."""
    n_words = 0
    for row in tables(folder)["sentences"]:
        text = texts[row["article_id"]]
        assert text[row["start"] : row["end"]] == row["text"]
        for word in row["words"]:
            n_words += 1
            assert row["start"] <= word["start"] < word["end"] <= row["end"]
            assert text[word["start"] : word["end"]] == word["text"]
    return n_words


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ARTICLES_PER_SHARD", 7)


def test_tables_have_the_columns_of_the_contract(tmp_path: Path, small_bundle: Path) -> None:
    summary = run(articles_of(20), tmp_path, small_bundle)
    assert summary.counts.articles == 20
    for table, schema in (("sentences", SENTENCES), ("articles", ARTICLES), ("boilerplate", BOILERPLATE)):
        files = sorted((tmp_path / table).glob("*.parquet"))
        assert len(files) == 3
        assert all(pq.read_schema(file).equals(schema) for file in files)
    sentences = pl.read_parquet(tmp_path / "sentences/*.parquet")
    assert (sentences["p_own"].is_null() == (sentences["voice"] == "quoted")).all()
    assert_exact(tmp_path, {article.id: article.text for article in articles_of(20)})
    outlets = pl.read_parquet(tmp_path / "outlets.parquet")
    assert {"outlet", "n_articles", "n_own", "loaded_share", "ci_low", "ci_high"} <= set(outlets.columns)
    assert pl.read_csv(tmp_path / "outlets.csv").height == outlets.height == 3
    told = json.loads((tmp_path / "run.json").read_text())
    assert (told["status"], told["counts"]["articles"], told["inputs"]) == ("done", 20, ["x.jsonl"])
    assert len(told["model"]["hash"]) == 64
    assert told["seconds"] > 0
    assert told["versions"]["loadedwords"]


def test_several_processes_write_the_same(tmp_path: Path, small_bundle: Path) -> None:
    run(articles_of(40), tmp_path / "one", small_bundle)
    run(articles_of(40), tmp_path / "two", small_bundle, workers=2)
    assert tables(tmp_path / "one") == tables(tmp_path / "two")


def test_the_same_sentence_is_scored_once_and_no_byte_is_another(
    tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two outlets with the same articles of an agency, in different shards."""
    copied = articles_of(20) + [replace(a, id=f"copy of {a.id}", outlet="another") for a in articles_of(20)]
    asked: list[str] = []
    score = linear_scorer.LinearScorer.score
    monkeypatch.setattr(
        linear_scorer.LinearScorer, "score", lambda self, texts: (asked.extend(texts), score(self, texts))[1]
    )
    run(copied, tmp_path / "remembered", small_bundle)
    assert len(asked) == len(set(asked)) > 20
    monkeypatch.setattr(shards, "N_REMEMBERED", 0)
    run(copied, tmp_path / "forgotten", small_bundle)
    files = sorted((tmp_path / "remembered").glob("*/part-*.parquet"))
    assert len(files) == 18
    for file in files:
        assert file.read_bytes() == (tmp_path / "forgotten" / file.parent.name / file.name).read_bytes()


def test_a_stopped_run_goes_on_where_it_was(
    tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(articles_of(40), tmp_path / "whole", small_bundle)

    def stopped() -> Iterator[Article]:
        yield from articles_of(24)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stopped(), tmp_path / "stopped", small_bundle)
    assert json.loads((tmp_path / "stopped/run.json").read_text())["status"] == "running"
    scored: list[int] = []
    monkeypatch.setattr(
        workers,
        "score_chunk",
        lambda model, folder, chunk, go=workers.score_chunk: (scored.append(chunk.number), go(model, folder, chunk))[1],
    )
    summary = run(articles_of(40), tmp_path / "stopped", small_bundle)
    assert summary.n_reused_shards == 3
    assert scored == [3, 4, 5]
    assert tables(tmp_path / "stopped") == tables(tmp_path / "whole")
    assert run(articles_of(40), tmp_path / "stopped", small_bundle).n_reused_shards == 6


def test_runs_killed_at_random_moments_end_with_the_same_files() -> None:
    """Fifty kills take minutes, and are for the benchmark."""
    script = Path(__file__).parent / "benchmarks" / "kills.py"
    command = [sys.executable, str(script), "--kills", "3", "--articles", "600"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("3 kills in ")


def test_only_what_changed_is_scored_again_and_nothing_old_stays(tmp_path: Path, small_bundle: Path) -> None:
    run(articles_of(20), tmp_path, small_bundle)
    changed = articles_of(20)
    changed[8] = Article("a8", "The council met.", outlet="o2")
    assert run(changed, tmp_path, small_bundle).n_reused_shards == 2
    assert {r["text"] for r in tables(tmp_path)["sentences"] if r["article_id"] == "a8"} == {"The council met."}
    run(changed[:10], tmp_path, small_bundle)
    assert len(tables(tmp_path)["articles"]) == 10


def test_duplicate_ids_are_rejected_and_the_first_kept(tmp_path: Path, small_bundle: Path) -> None:
    items = [*articles_of(3), Article("a1", "Another text.", source="y.jsonl:9"), *articles_of(3, start=3)]
    summary = run(items, tmp_path, small_bundle)
    (reject,) = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert reject == {"file": "y.jsonl", "line": 9, "reason": "duplicate id 'a1', first seen at x.jsonl:2"}
    assert summary.n_rejected == 1
    assert [r["article_id"] for r in tables(tmp_path)["articles"]] == [f"a{k}" for k in range(6)]


def test_an_article_that_breaks_the_model_is_a_row_with_a_reason(
    tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loadedwords.text import headlines

    def broken(text: str, *more: Any, go: Any = headlines.prepare_text) -> Any:
        if "number 4 " in text:
            raise RuntimeError("cannot split this")
        return go(text, *more)

    monkeypatch.setattr(headlines, "prepare_text", broken)
    summary = run(articles_of(9), tmp_path, small_bundle)
    assert (summary.counts.articles, summary.counts.errors) == (9, 1)
    (bad,) = [r for r in tables(tmp_path)["articles"] if r["status"] == "error"]
    assert (bad["article_id"], bad["message"]) == ("a4", "RuntimeError: cannot split this")
    assert all(r["loaded_share"] is not None for r in tables(tmp_path)["articles"] if r["status"] == "ok")


def test_articles_with_nothing_to_score(tmp_path: Path, small_bundle: Path) -> None:
    summary = run(
        [Article("a", "Advertisement"), Article("b", "“All of it is quoted.”"), Article("c", "***")],
        tmp_path,
        small_bundle,
    )
    assert summary.counts.empty == 2
    rows = {r["article_id"]: r for r in tables(tmp_path)["articles"]}
    assert (rows["a"]["status"], rows["a"]["n_boilerplate"], rows["b"]["status"]) == ("empty", 1, "ok")
    assert all(row["loaded_share"] is None for row in rows.values())
    assert not (tmp_path / "outlets.csv").read_text().splitlines()[1:]


def test_another_runs_folder_is_left_alone(tmp_path: Path, small_bundle: Path) -> None:
    run(articles_of(9), tmp_path, small_bundle)
    before = tables(tmp_path)
    with pytest.raises(OutputError, match="not the same: inputs"):
        run(articles_of(3), tmp_path, small_bundle, inputs=["other.jsonl"])
    assert tables(tmp_path) == before
    run(articles_of(3), tmp_path, small_bundle, inputs=["other.jsonl"], overwrite=True)
    assert len(tables(tmp_path)["articles"]) == 3


def test_other_peoples_files_are_never_touched(tmp_path: Path, small_bundle: Path) -> None:
    """Once, articles named part-00001.jsonl in a folder named articles were taken for old shards and deleted."""
    inputs = tmp_path / "articles"
    inputs.mkdir()
    for k in range(3):
        (inputs / f"part-0000{k}.jsonl").write_text('{"text": "The council met."}')
    with pytest.raises(OutputError, match="already holds other files"):
        run(read_articles(inputs), tmp_path, small_bundle)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        run(articles_of(1), tmp_path / "mine", small_bundle)
    run(articles_of(9), tmp_path / "out", small_bundle)
    strange = tmp_path / "out" / "articles" / "part-monday.txt"
    strange.write_text("keep")
    run(articles_of(3), tmp_path / "out", small_bundle)
    assert strange.read_text() == "keep"
    assert len(list(inputs.iterdir())) == 3


def added(items: Iterable[Article | Reject], folder: Path, model: Path, inputs: Any, **options: Any) -> RunSummary:
    return run(items, folder, model, inputs, add=True, **options)


def files_of(folder: Path) -> dict[str, bytes]:
    """All that a run writes and that does not tell its time."""
    files = [*folder.glob("*/part-*.parquet"), *folder.glob("outlets.*"), folder / "rejects.jsonl"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_a_day_is_added_and_nothing_old_is_touched(
    tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second day's file holds the last articles of the first, too; the figures are those of both days together."""
    run(articles_of(20), tmp_path / "day by day", small_bundle, ["day1"])
    old = {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in tmp_path.glob("*/*/part-*.parquet")}
    scored: list[str] = []
    score = workers.score_chunk
    monkeypatch.setattr(
        workers,
        "score_chunk",
        lambda model, folder, chunk: (scored.extend(a.id for a in chunk.articles), score(model, folder, chunk))[1],
    )
    summary = added(articles_of(15, start=15), tmp_path / "day by day", small_bundle, ["day2"])
    assert (summary.counts.articles, summary.added.articles, summary.n_known) == (30, 10, 5)
    assert scored == [f"a{k}" for k in range(20, 30)]
    assert old == {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in old}
    again = added(articles_of(15, start=15), tmp_path / "day by day", small_bundle, ["day2"])
    assert (again.counts, again.added.articles, again.n_known) == (summary.counts, 0, 15)

    run(articles_of(30), tmp_path / "at once", small_bundle, ["day1", "day2"])
    assert tables(tmp_path / "day by day") == tables(tmp_path / "at once")
    assert (tmp_path / "day by day/outlets.csv").read_bytes() == (tmp_path / "at once/outlets.csv").read_bytes()
    told, at_once = (json.loads((tmp_path / of / "run.json").read_text()) for of in ("day by day", "at once"))
    assert told["inputs"] == ["day1", "day2", "day2"]
    assert [(part["inputs"], part["shards"], part["articles"]) for part in told["parts"]] == [
        (["day1"], 3, 20),
        (["day2"], 2, 10),
        (["day2"], 0, 0),
    ]
    for of in (told, at_once):
        del of["counts"]["shards"], of["counts"]["shards_reused"]
    assert (told["counts"], told["dates"]) == (at_once["counts"], at_once["dates"])


def test_an_article_that_changed_is_told_and_kept_or_replaced(tmp_path: Path, small_bundle: Path) -> None:
    day2 = [
        replace(articles_of(1, start=3)[0], text="The council met.", source="day2.jsonl:1", date=date(2026, 5, 4)),
        replace(articles_of(1, start=4)[0], text=articles_of(1, start=4)[0].text.replace(" plan", "\n plan")),
        replace(articles_of(1, start=5)[0], outlet="another"),
        *articles_of(2, start=20),
        Article("a20", "Twice in one day.", source="day2.jsonl:6"),
    ]
    run([*articles_of(20), Reject("x.jsonl", 21, "no text")], tmp_path, small_bundle, ["day1"])
    before = files_of(tmp_path)
    summary = added(day2, tmp_path, small_bundle, ["day2"])
    assert (summary.added.articles, summary.n_known, summary.n_changed, summary.n_rejected) == (2, 1, 2, 3)
    assert before.items() - files_of(tmp_path).items() == {
        (name, before[name]) for name in ("rejects.jsonl", "outlets.csv", "outlets.parquet")
    }
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert reasons[0] == "no text"
    assert reasons[1].startswith("changed: id 'a3' was scored with another text, from x.jsonl:4, and is kept so")
    assert reasons[2].startswith("changed: id 'a5' was scored with another title, outlet, date or another detail")
    assert reasons[3] == "duplicate id 'a20', first seen at x.jsonl:21"
    kept = files_of(tmp_path)
    added(day2, tmp_path, small_bundle, ["day2"])
    # It is known now, and so is what was told: only the second "a20" is another thing.
    assert {name for name, content in files_of(tmp_path).items() if kept[name] != content} <= {"rejects.jsonl"}

    summary = added(day2[:3], tmp_path, small_bundle, ["day3"], changed="replace")
    assert (summary.added.articles, summary.n_changed, summary.n_rejected) == (2, 2, 0)
    left = [json.loads(line)["reason"] for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert left[:2] == [reasons[0], reasons[3]], "none says of an article that it is kept, for which another was taken"
    assert [reason[:17] for reason in left[2:]] == ["changed: id 'a20'"]
    assert json.loads((tmp_path / "run.json").read_text())["counts"]["rejected"] == len(left)
    now = tables(tmp_path)
    assert len(now["articles"]) == summary.counts.articles == 22
    assert sorted(r["article_id"] for r in now["articles"]) == sorted(f"a{k}" for k in range(22))
    assert [r["text"] for r in now["sentences"] if r["article_id"] == "a3"] == ["The council met."]
    assert {r["outlet"] for table in ("articles", "sentences") for r in now[table] if r["article_id"] == "a5"} == {
        "another"
    }
    assert len(now["sentences"]) == summary.counts.sentences
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["counts"]["articles"] == 22
    # Each article's date counts once, and as it is in the one that replaced another.
    assert told["dates"] == {"dated": 1, "left_out": 0, "without": 21, "examples": []}


def test_what_came_twice_in_one_day_and_is_taken_then_is_no_reject(tmp_path: Path, small_bundle: Path) -> None:
    day2 = [Article("b", f"It is version {k}.", source=f"b.jsonl:{k}") for k in (1, 2, 3)]
    run(articles_of(9), tmp_path, small_bundle, ["day1"])
    added(day2, tmp_path, small_bundle, ["day2"])
    assert added(day2, tmp_path, small_bundle, ["day2"], changed="replace").n_changed == 1
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert rejects == [{"file": "b.jsonl", "line": 2, "reason": "duplicate id 'b', first seen at b.jsonl:1"}]
    assert [r["text"] for r in tables(tmp_path)["sentences"] if r["article_id"] == "b"] == ["It is version 3."]


@pytest.mark.parametrize(("changed", "again"), [("keep", 0), ("replace", 0), ("replace", 20)])
def test_an_addition_that_is_stopped_anywhere_ends_with_the_same_files(
    changed: Any, again: int, tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends before the n-th file gets its name, for every n; what was scored before may be `again` in the input."""
    day2 = [*articles_of(again), Reject("day2", 1, "no text"), *articles_of(15, start=20)]
    day2 += [replace(a, text=f"{a.text} It was corrected.") for a in (*articles_of(2), *articles_of(2, start=15))]

    def add_day(folder: Path) -> None:
        added(day2, folder, small_bundle, ["day2"], changed=changed)

    run(articles_of(20), tmp_path / "day1", small_bundle, ["day1"])
    shutil.copytree(tmp_path / "day1", tmp_path / "whole")
    add_day(tmp_path / "whole")
    rename = Path.replace
    for n in range(100):
        folder = tmp_path / str(n)
        shutil.copytree(tmp_path / "day1", folder)
        left = iter(range(n))

        def stopped(file: Path, to: Path, left: Iterator[int] = left) -> Path:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return rename(file, to)

        try:
            with monkeypatch.context() as patch:
                patch.setattr(Path, "replace", stopped)
                add_day(folder)
        except KeyboardInterrupt:
            if n:  # else it had not begun
                with pytest.raises(OutputError, match="is not finished"):
                    added([], folder, small_bundle, ["day3"])
            add_day(folder)
        else:
            break
        assert files_of(folder) == files_of(tmp_path / "whole"), n
        assert parts_of(folder) == parts_of(tmp_path / "whole"), n
    assert n > 10


def parts_of(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text())["parts"]


def test_the_old_and_the_new_read_again_change_nothing(tmp_path: Path, small_bundle: Path) -> None:
    """A daily job that names all its files must not bring back what was corrected."""
    old = articles_of(9)
    new = [replace(a, text=f"{a.text} It was corrected.") for a in old[:3]]
    run(old, tmp_path, small_bundle, ["day1"])
    first = added([*old, *new], tmp_path, small_bundle, ["both"], changed="replace")
    assert (first.n_known, first.n_changed) == (9, 3)
    before = files_of(tmp_path)
    again = added([*old, *new], tmp_path, small_bundle, ["both"], changed="replace")
    assert (again.n_known, again.n_changed, again.added.articles) == (12, 0, 0)
    assert files_of(tmp_path) == before
    # What is taken back in earnest is.
    back = added(old[:1], tmp_path, small_bundle, ["back"], changed="replace")
    assert back.n_changed == 1
    assert "corrected" not in str([r["text"] for r in tables(tmp_path)["sentences"] if r["article_id"] == "a0"])
    with pytest.raises(OutputError, match="it was added to"):
        run(old, tmp_path, small_bundle, ["day1", "both", "both", "back"])


def test_an_addition_that_was_a_mistake_is_dropped(tmp_path: Path, small_bundle: Path) -> None:
    run(articles_of(9), tmp_path, small_bundle, ["day1"])
    before = files_of(tmp_path)

    def stopped() -> Iterator[Article]:
        yield from articles_of(9, start=50)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        added(stopped(), tmp_path, small_bundle, ["wrong"])
    with pytest.raises(OutputError, match="without --add, which drops what was begun"):
        added(articles_of(3, start=9), tmp_path, small_bundle, ["day2"])
    assert run(articles_of(9), tmp_path, small_bundle, ["day1"]).n_reused_shards == 2
    assert files_of(tmp_path) == before


def test_a_folder_that_can_not_be_added_to_stays_what_it_was(tmp_path: Path, small_bundle: Path) -> None:
    run(articles_of(9), tmp_path, small_bundle, ["day1"])
    before = (tmp_path / "run.json").read_bytes()
    (tmp_path / "sentences" / "part-00000.parquet").unlink()
    with pytest.raises(OutputError, match="run the command again that wrote them"):
        added(articles_of(3, start=9), tmp_path, small_bundle, ["day2"])
    assert (tmp_path / "run.json").read_bytes() == before
    run(articles_of(9), tmp_path, small_bundle, ["day1"])
    (tmp_path / "rejects.jsonl").unlink()
    assert added(articles_of(3, start=9), tmp_path, small_bundle, ["day2"]).counts.articles == 12


def test_standard_input_is_known_by_what_comes_in(tmp_path: Path, small_bundle: Path) -> None:
    run(articles_of(9), tmp_path, small_bundle, ["-"])
    assert run(articles_of(9), tmp_path, small_bundle, ["-"]).n_reused_shards == 2
    before = files_of(tmp_path)
    with pytest.raises(OutputError, match="scores of other articles"):
        run(articles_of(9, start=50), tmp_path, small_bundle, ["-"])
    assert files_of(tmp_path) == before
    assert added(articles_of(9, start=50), tmp_path, small_bundle, ["-"]).counts.articles == 18
    assert run(articles_of(9, start=50), tmp_path, small_bundle, ["-"], overwrite=True).counts.articles == 9


def test_somebody_elses_tables_are_left_alone(tmp_path: Path, small_bundle: Path) -> None:
    mine = tmp_path / "articles" / "part-00000.parquet"
    mine.parent.mkdir()
    pl.DataFrame({"text": ["The council met."]}).write_parquet(mine)
    before = mine.read_bytes()
    with pytest.raises(OutputError, match=r"other files, such as articles/part-00000\.parquet"):
        run(articles_of(9), tmp_path, small_bundle)
    assert mine.read_bytes() == before


def test_names_in_no_encoding_and_places_without_locks(
    tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_locks(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", without_locks)
    for _ in range(2):
        run(articles_of(3), tmp_path, small_bundle, ["caf\udce9.jsonl"])
    assert json.loads((tmp_path / "run.json").read_text())["inputs"] == ["caf\\udce9.jsonl"]


def test_scores_of_another_kind_are_not_added_to(tmp_path: Path, small_bundle: Path) -> None:
    run(articles_of(9), tmp_path, small_bundle, ["day1"])
    before = files_of(tmp_path)
    for options, differs in (
        ({"prevalence": 0.5}, "model"),
        ({"syndicated": "count"}, "syndicated"),
        ({"house": House(accept=("reckless",))}, "house"),
    ):
        with pytest.raises(OutputError, match=f"not the same: {differs}"):
            added(articles_of(3, start=9), tmp_path, small_bundle, ["day2"], **options)
    with pytest.raises(OutputError, match="--add"):
        run(articles_of(3, start=9), tmp_path, small_bundle, ["day2"])
    told = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(told | {"versions": {"loadedwords": "0.0.1"}}))
    with pytest.raises(OutputError, match="not the same: version"):
        added(articles_of(3, start=9), tmp_path, small_bundle, ["day2"])
    (tmp_path / "run.json").write_text(json.dumps(told))
    shard = tmp_path / "sentences" / "part-00001.parquet"
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(OutputError, match=r"part-00001\.parquet is damaged"):
        added(articles_of(3, start=9), tmp_path, small_bundle, ["day2"])
    shard.write_bytes(before["sentences/part-00001.parquet"])
    assert files_of(tmp_path) == before
    # As an earlier version left it.
    del told["parts"], told["changed"]
    (tmp_path / "run.json").write_text(json.dumps(told))
    assert added(articles_of(3, start=9), tmp_path, small_bundle, ["day2"]).counts.articles == 12


def test_two_runs_do_not_write_into_one_folder(tmp_path: Path, small_bundle: Path) -> None:
    def another_run() -> Iterator[Article]:
        yield from articles_of(3)
        with pytest.raises(OutputError, match="Another run"):
            run(articles_of(1), tmp_path, small_bundle)

    assert run(another_run(), tmp_path, small_bundle).counts.articles == 3


def test_a_shard_cut_short_is_scored_again(tmp_path: Path, small_bundle: Path) -> None:
    run(articles_of(20), tmp_path, small_bundle)
    before = tables(tmp_path)
    shard = tmp_path / "sentences" / "part-00001.parquet"
    shard.write_bytes(shard.read_bytes()[:100])
    assert run(articles_of(20), tmp_path, small_bundle).n_reused_shards == 2
    assert tables(tmp_path) == before


def test_a_half_written_shard_is_never_vouched_for(
    tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New sentences, then a full disk before the new articles, then the old input again: the old stamp must be gone."""
    run(articles_of(3), tmp_path, small_bundle)
    before = tables(tmp_path)

    def full(table: Any, where: Path, write: Any = shards.pq.write_table, **options: Any) -> None:
        if where.parent.name == "articles":
            raise OSError(28, "No space left on device")
        write(table, where, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shards.pq, "write_table", full)
        with pytest.raises(OutputError, match="No space left on device"):
            run(articles_of(3, start=50), tmp_path, small_bundle)
    assert run(articles_of(3), tmp_path, small_bundle).n_reused_shards == 0
    assert tables(tmp_path) == before


@pytest.mark.parametrize("place", ["a_file", "below_a_file/scores", "/proc/scores"])
def test_an_output_folder_that_can_not_be_written(place: str, tmp_path: Path, small_bundle: Path) -> None:
    for name in ("a_file", "below_a_file"):
        (tmp_path / name).write_text("taken")
    with pytest.raises(OutputError, match="can't be written"):
        run(articles_of(1), tmp_path / place, small_bundle)


def test_a_worker_that_dies_is_told_and_work_is_kept(tmp_path: Path, small_bundle: Path) -> None:
    """The stream kills one of the worker processes once a shard is there."""

    def deadly() -> Iterator[Article]:
        yield from articles_of(70)
        while not list((tmp_path / "articles").glob("part-*.parquet")):
            time.sleep(0.02)
        children = subprocess.run(
            ["pgrep", "-P", str(os.getpid()), "-f", "spawn_main"], capture_output=True, text=True, check=True
        )
        os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
        time.sleep(0.3)
        yield from articles_of(70, start=70)

    with pytest.raises(LoadedwordsError, match="run the same command again"):
        run(deadly(), tmp_path, small_bundle, workers=2)
    assert run(articles_of(140), tmp_path, small_bundle).n_reused_shards >= 1
    assert len(tables(tmp_path)["articles"]) == 140


def test_real_articles_through_the_whole_path(tmp_path: Path, real_articles: list[dict[str, Any]]) -> None:
    """Words and sentences are exact slices of real text, with the embedded model."""
    some = real_articles[:120]
    source = tmp_path / "real.jsonl"
    source.write_text("".join(json.dumps(article) + "\n" for article in some), encoding="utf-8")
    summary = run(read_articles([source]), tmp_path / "scores", Path("default"), workers=2)
    assert summary.counts.articles == len(some)
    assert assert_exact(tmp_path / "scores", {article["id"]: article["text"] for article in some}) > 300


def test_a_model_that_can_not_be_loaded_in_a_worker_process_is_told(tmp_path: Path, small_bundle: Path) -> None:
    """And not taken for a process that died for want of memory."""
    bundle = open_bundle(shutil.copytree(small_bundle, tmp_path / "bundle"))
    (tmp_path / "bundle" / "weights.npz").unlink()
    chosen = shards.ChosenModel(bundle, None)
    with pytest.raises(ModelError, match="linear bundle"):
        list(workers.score_chunks(shards.cut(articles_of(400), chosen, None), chosen, tmp_path, workers=2))


def test_which_options_are_not_the_same_is_told(tmp_path: Path, small_bundle: Path) -> None:
    before = RunDescription(["x"], {"text_column": "Story!", "delimiter": None})
    score_to_folder(iter(articles_of(3)), tmp_path, description=before, model=small_bundle)
    now = RunDescription(["x"], {"text_column": None, "delimiter": None})
    with pytest.raises(OutputError, match=r"not the same: options \(text_column\)"):
        score_to_folder(iter(articles_of(3)), tmp_path, description=now, model=small_bundle)


def test_a_cluster_without_ray_begins_nothing(
    tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores that are there stay those of a finished run."""
    run(articles_of(9), tmp_path, small_bundle, ["day1"])
    before = files_of(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"loadedwords\[ray\]"):
        run(articles_of(9), tmp_path, small_bundle, ["day1"], engine="ray", overwrite=True)
    assert files_of(tmp_path) == before
