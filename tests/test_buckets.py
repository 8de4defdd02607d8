"""Articles and scores at an address: the files that a folder has, and nothing there that can't be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from loadedwords.articles import read_articles
from loadedwords.batch import RunDescription, RunSummary, score_to_folder, shards, working_folder
from loadedwords.cli import main
from loadedwords.errors import DataError, OutputError
from loadedwords.schema import Article

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'loadedwords[ray]'")
SCORES = "memory://bucket/scores"


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(shards, "ARTICLES_PER_SHARD", 3)
    memory = fsspec.filesystem("memory")
    yield memory
    memory.store.clear()


def articles_of(n: int, text: str = "The reckless plan {} failed.") -> list[Article]:
    return [Article(f"a{k}", text.format(k), outlet=f"o{k % 2}", source=f"x.jsonl:{k + 1}") for k in range(n)]


def run(
    items: Iterable[Article], output: Path | str, model: Path, inputs: str = "x.jsonl", **options: Any
) -> RunSummary:
    with working_folder(output) as (folder, send):
        description = RunDescription([inputs])
        return score_to_folder(
            iter(items), folder, description=description, model=model, tell=lambda _: send(), **options
        )


def files_at(bucket: Any, address: str = SCORES) -> dict[str, bytes]:
    _, path = fsspec.core.url_to_fs(address)
    return {name.removeprefix(f"{path}/"): bucket.cat_file(name) for name in bucket.find(path)}


def files_in(folder: Path) -> dict[str, bytes]:
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in found.items() if name != ".lock"}


def test_the_command_reads_and_writes_at_addresses(tmp_path: Path, small_bundle: Path, bucket: Any) -> None:
    (tmp_path / "in").mkdir()
    for name, n in (("wire", 10), ("gazette", 4)):
        rows = (
            json.dumps({"id": f"{name}{k}", "outlet": name, "text": f"The reckless plan {k} of {name}. It failed."})
            for k in range(n)
        )
        (tmp_path / "in" / f"{name}.jsonl").write_text("\n".join([*rows, '{"id": broken']))
        bucket.put(str(tmp_path / "in" / f"{name}.jsonl"), f"/bucket/in/{name}.jsonl")
    told = {}
    for place, output in ((tmp_path / "in", tmp_path / "scores"), ("memory://bucket/in", SCORES)):
        ran = CliRunner().invoke(main, ["score", str(place), "-o", str(output), "-m", str(small_bundle)])
        assert ran.exit_code == 3, ran.output
        told[output] = ran.stdout
    assert f"Tables and run.json are in {SCORES}; open {SCORES}/report.html." in told[SCORES]
    here, there = files_in(tmp_path / "scores"), files_at(bucket)
    assert here.keys() == there.keys()
    for name in here:  # where the articles are from is told in some, and part of the digest in all shards
        if name.split("/")[0] in ("sentences", "boilerplate"):
            assert pl.read_parquet(here[name]).equals(pl.read_parquet(there[name])), name
        elif name.startswith("outlets"):
            assert here[name] == there[name], name
    again = CliRunner().invoke(main, ["score", "memory://bucket/in/*.jsonl", "-o", SCORES, "-m", str(small_bundle)])
    assert (again.exit_code, f"{SCORES} holds the scores of another run" in again.stderr) == (1, True)
    assert files_at(bucket) == there


def test_folders_name_outlets_at_addresses_too(tmp_path: Path, bucket: Any) -> None:
    for name in (
        "in/2018/Wire/a.txt",
        "in/2018/Gazette/b.txt",
        "in/.hidden/c.txt",
        "in/scores/run.json",
        "in/scores/sentences/x.txt",
    ):
        bucket.pipe_file(f"/bucket/{name}", b"The council met.")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("The council met.")
    found = [[a.outlet for a in read_articles(place)] for place in (str(tmp_path / "in"), "memory://bucket/in")]
    assert found == [["Gazette", "Wire"], ["Gazette", "Wire"]]


@pytest.mark.parametrize("ending", [".jsonl.gz", ".parquet"])
def test_kinds_of_files_at_addresses(ending: str, tmp_path: Path, bucket: Any) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "text": ["The council met.", "The regime sneered."]})
    file = tmp_path / f"news{ending}"
    if ending == ".parquet":
        frame.write_parquet(file)
    else:
        import gzip

        file.write_bytes(gzip.compress(frame.write_ndjson().encode()))
    bucket.put(str(file), f"/bucket/{file.name}")
    (there,), (here,) = ([[a.text for a in read_articles(p)]] for p in (f"memory://bucket/{file.name}", file))
    assert there == here == frame["text"].to_list()


@pytest.mark.parametrize("address", [SCORES, "memory://bucket/scores[1]*"])  # a name, and no pattern
def test_a_stopped_run_goes_on_where_it_was(address: str, tmp_path: Path, small_bundle: Path, bucket: Any) -> None:
    def stopped() -> Iterator[Article]:
        yield from articles_of(20)[:8]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stopped(), address, small_bundle)
    assert run(articles_of(20), address, small_bundle).n_reused_shards == 2
    run(articles_of(20), tmp_path / "scores", small_bundle)
    here, there = files_in(tmp_path / "scores"), files_at(bucket, address)
    assert here.pop("run.json") != there.pop("run.json")  # seconds
    assert here == there
    run(articles_of(5), address, small_bundle)
    assert len([name for name in files_at(bucket, address) if "part-" in name]) == 3 * 2


def test_a_stamp_never_vouches_for_what_it_was_not_made_of(
    small_bundle: Path, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New sentences get there, then the line breaks before their articles do, then the old input comes again."""
    run(articles_of(3), SCORES, small_bundle)
    before = files_at(bucket)

    put = bucket.put

    def breaks(here: list[str], there: list[str]) -> None:
        if "/articles/" in there[0]:
            raise PermissionError("no longer yours")
        put(here, there)

    with monkeypatch.context() as patch:
        patch.setattr(bucket, "put", breaks)
        with pytest.raises(OutputError, match=f"{SCORES} can't be read or written: PermissionError: no longer yours"):
            run(articles_of(3, "The council met {}."), SCORES, small_bundle)
    assert files_at(bucket)["sentences/part-00000.parquet"] != before["sentences/part-00000.parquet"]
    assert run(articles_of(3), SCORES, small_bundle).n_reused_shards == 0
    after = files_at(bucket)
    assert {n: after[n] for n in after if "part-" in n} == {n: before[n] for n in before if "part-" in n}


def test_a_replacement_that_is_stopped_anywhere_loses_nothing(
    tmp_path: Path, small_bundle: Path, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line breaks before the n-th file is sent or taken away, for every n."""
    corrected = [replace(a, text=f"{a.text} It was corrected.") for a in articles_of(8)[::3]]

    def corrects(output: Path | str) -> None:
        run(corrected, output, small_bundle, "day2", add=True, changed="replace")

    run(articles_of(8), tmp_path / "whole", small_bundle, "day1")
    corrects(tmp_path / "whole")
    whole = {name: content for name, content in files_in(tmp_path / "whole").items() if name != "run.json"}
    put, rm = bucket.put, bucket.rm
    for n in range(100):
        bucket.store.clear()
        run(articles_of(8), SCORES, small_bundle, "day1")
        day1 = files_at(bucket)
        left = iter(range(n))

        def breaks(left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise PermissionError("the line broke")

        def puts(here: list[str], there: list[str], breaks: Callable[[], None] = breaks) -> None:
            for one, other in zip(here, there, strict=True):
                breaks()
                put([one], [other])

        def removes(there: list[str], breaks: Callable[[], None] = breaks) -> None:
            for one in there:
                breaks()
                rm(one)

        with monkeypatch.context() as patch:
            patch.setattr(bucket, "put", puts)
            patch.setattr(bucket, "rm", removes)
            try:
                corrects(SCORES)
            except OutputError:
                pass
            else:
                break
        cut_off = files_at(bucket)
        if any(cut_off.get(name) != day1[name] for name in day1 if "part-" in name):
            with pytest.raises(OutputError, match="is not finished"):  # what another command would take for whole
                run([], SCORES, small_bundle, "day3", add=True)
        corrects(SCORES)
        found = {name: content for name, content in files_at(bucket).items() if name != "run.json"}
        assert found == whole, n
    assert n > 10


def test_other_files_at_an_address_are_left_alone(small_bundle: Path, bucket: Any) -> None:
    bucket.pipe_file("/bucket/scores/thesis.docx", b"years of work")
    with pytest.raises(OutputError, match=f"^{SCORES} already holds other files, such as thesis.docx"):
        run(articles_of(3), SCORES, small_bundle)
    assert list(files_at(bucket)) == ["thesis.docx"]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nosuchplace://bucket/in", "Protocol not known"),
        ("memory://bucket/none", "There is no file, folder or match for memory://bucket/none"),
        ("memory://bucket/*.csv", "There is no file, folder or match"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(address: str, told: str) -> None:
    with pytest.raises(DataError, match=told.replace("*", r"\*")):
        read_articles(address)


def test_an_address_with_folders_gets_them(tmp_path: Path, small_bundle: Path) -> None:
    """On file systems that have folders nothing can be sent into one that is not there."""
    (tmp_path / "in [1]").mkdir()
    (tmp_path / "in [1]" / "a.jsonl").write_text('{"text": "The council met."}', encoding="utf-8")
    place, output = f"file://{tmp_path}/in [1]/a.jsonl", f"file://{tmp_path}/scores"
    ran = CliRunner().invoke(main, ["score", place, "-o", output, "-m", str(small_bundle)])
    assert ran.exit_code == 0, ran.output
    assert (tmp_path / "scores" / "articles" / "part-00000.parquet").is_file()
