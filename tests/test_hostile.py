"""Whatever comes in: nothing breaks, nothing leaks, nothing is lost."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psutil
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from conftest import IN_SMALL_SHARDS
from loadedwords.articles import read_articles, sources
from loadedwords.batch import RunDescription, score_to_folder
from loadedwords.cli import main
from loadedwords.errors import DataError, ModelError, OutputError
from loadedwords.files import written_whole
from loadedwords.lint.documents import make_document
from loadedwords.lint.pages import _INLINE, _VOID, _Piece, _Walk
from loadedwords.models.bundle import file_hash, open_bundle
from loadedwords.outlets.comparison import claim_folder, compare_scores, write_tables
from loadedwords.outlets.spreadsheet import csv_text, unguarded
from loadedwords.outlets.tables import read_edited
from loadedwords.printable import printable
from loadedwords.report import write_report
from loadedwords.report.comparison import write_comparison_page
from loadedwords.schema import Article, Reject
from loadedwords.scoring import load_model
from loadedwords.text import prepare_text
from pages import Page

SOURCE = Path(__file__).parents[1] / "src" / "loadedwords"
EMBEDDED = SOURCE / "models"
TEXT = "The shameless owners shut the mill on Monday. The council met at noon."
FORMULAS = [
    '=HYPERLINK("http://example.org","x")',
    "@SUM(A1)",
    "+1+1",
    "-2+3",
    " =1+1",
    "＝1+1",
    "\ufeff=1",
    "\t=1",
    "'=1",
]
LIVE = re.compile("[\\s\\x00-\\x1f\ufeff]*[=+\\-@＝＋－＠]|[\\t\\r\\n]")
NUMBER = re.compile(r"-?[\d.]+(e-?\d+)?")
NAMES = ["x" * 10_000, "../../etc/passwd", "a/b\\c", "\x1b[31mred\x1b]0;title\x07", "\u202eevil", "back\x08", "nul\x00l", "c1\x9b2J", "<script>alert(1)</script>", "[bold]x[/]", "\u2066so"]  # fmt: skip
TAKES_OVER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def live_cells(written: str) -> list[str]:
    cells = [cell for row in csv.reader(io.StringIO(written, newline="")) for cell in row]
    return [cell for cell in cells if LIVE.match(cell) and not NUMBER.fullmatch(cell)]


def scored(folder: Path, names: list[str]) -> Path:
    articles = [
        Article(f"{n}-{k}", f"{TEXT} It was plan {k} of {n}.", outlet=name, title=name, event_id=name[:50] or None, topic=name)
        for n, name in enumerate(names)
        for k in range(10)
    ]  # fmt: skip
    score_to_folder(iter(articles), folder, description=RunDescription(["x"]), model="linear")
    return folder


@given(
    st.lists(
        st.text(st.sampled_from("=+-@'\t\r\n ＝\ufeffab,;\"") | st.characters(codec="utf-8"), max_size=8), min_size=1
    )
)
def test_no_cell_is_run_and_each_comes_back(cells: list[str]) -> None:
    written = csv_text(pl.DataFrame({"name": ["first", *cells], "n": [-0.5] * (len(cells) + 1)}))
    assert not live_cells(written)
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert [unguarded(row[0]) for row in rows[2:]] == cells
    assert {row[1] for row in rows[1:]} == {"-0.5"}, "a number is no formula"


def test_one_function_writes_every_csv() -> None:
    writers = [file.name for file in SOURCE.rglob("*.py") if ".write_csv(" in file.read_text(encoding="utf-8")]
    assert writers == ["spreadsheet.py"]


def test_tables_and_pages_of_hostile_names(tmp_path: Path) -> None:
    folder = scored(tmp_path / "scores", [*FORMULAS, *NAMES])
    compared = compare_scores([folder], events="column", topics="none", min_articles=5)
    tables = write_tables(compared, tmp_path / "comparison")
    assert len(tables) > 4
    for file in (folder / "outlets.csv", *tables):
        assert not live_cells(file.read_bytes().decode()), file.name
    shown = CliRunner().invoke(main, ["compare", str(folder), "--csv"])
    aliases = CliRunner().invoke(main, ["aliases", str(folder)])
    assert (shown.exit_code, aliases.exit_code) == (0, 0)
    assert not live_cells(shown.stdout)
    assert not live_cells(aliases.stdout)
    (tmp_path / "aliases.csv").write_bytes(aliases.stdout_bytes)
    header, rows = read_edited(tmp_path / "aliases.csv")
    assert {row[header.index("name")] for row in rows} >= set(FORMULAS)
    for page in (write_report(folder), write_comparison_page(compared, tmp_path / "comparison" / "comparison.html")):
        text = page.read_text(encoding="utf-8")
        read = Page(text)
        policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="(default-src \'none\';[^"]+)">', text)
        assert policy is not None
        assert "script-src 'unsafe" not in policy[1]
        assert not TAKES_OVER.search(text)
        assert "<script>alert" not in text
        assert "x" * 50 + "…" + "x" * 50 in read.text, "a long name is shortened"
        assert not re.search(r'<th scope="row">[^<]{200}', text)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["aliases.csv", "comparison", "scores"]


@pytest.mark.parametrize("command", [["compare"], ["sample", "-n", "5", "-o"], ["score", "-m", "linear", "-o"]])
def test_the_terminal_gets_no_control_characters(command: list[str], tmp_path: Path) -> None:
    if command[0] == "score":
        rows = [{"id": f"\x1b[2J{n}", "outlet": name, "text": TEXT} for n, name in enumerate(NAMES)]
        place = tmp_path / "\x1b[31min.jsonl"
        place.write_text("".join(json.dumps(row) + "\n" for row in rows) + "\x1b[2J{\n", encoding="utf-8")
    else:
        place = scored(tmp_path / "scores", NAMES)
    named = [*command, str(tmp_path / "out\x07")] if command[-1] == "-o" else command
    done = CliRunner().invoke(main, [*named, str(place)])
    assert done.exit_code in (0, 3), done.output
    assert not TAKES_OVER.search(done.output)
    assert max(map(len, done.output.splitlines())) < 1000
    failed = CliRunner().invoke(main, ["score", "none\x1b[2J\u202e.jsonl", "-o", str(tmp_path / "other")])
    assert failed.exit_code == 1
    assert not TAKES_OVER.search(failed.output)


@given(st.text())
def test_what_is_printable_is_as_long_as_before(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not TAKES_OVER.search(shown)
    assert all(a == b for a, b in zip(text, shown, strict=True) if a.isprintable())


# A run that ends before its end


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_no_worker_outlives_its_run(how: signal.Signals, tmp_path: Path) -> None:
    if signal.getsignal(how) is signal.SIG_IGN:
        pytest.skip("these tests were started by nohup, under which a run goes on without its terminal")
    source = tmp_path / "many.jsonl"
    rows = ({"id": k, "outlet": f"o{k % 3}", "text": f"The reckless plan {k} failed. " * 12} for k in range(1500))
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = [*IN_SMALL_SHARDS, "score", str(source), "-o", str(tmp_path / "out")]
    command += ["-m", "linear", "--workers", "2"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while not list((tmp_path / "out" / "articles").glob("part-*.parquet")):
        assert run.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = psutil.Process(run.pid).children(recursive=True)
    assert len(workers) >= 2
    run.send_signal(how)
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    _, said = run.communicate(timeout=60)
    if how == signal.SIGKILL:
        assert run.returncode == -how
    else:
        assert run.returncode == 1
        assert "run the same command again" in said
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "running"


def test_a_full_disk_is_said_and_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", full)
        with pytest.raises(OutputError, match=r"No space left[\s\S]*run the same command again"):
            scored(tmp_path / "scores", ["Wire", "Blare"])
    scored(tmp_path / "scores", ["Wire", "Blare"])
    assert json.loads((tmp_path / "scores" / "run.json").read_text())["counts"]["shards_reused"] == 1
    claim_folder(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("loadedwords.report.comparison.write_comparison_page", full)
        done = CliRunner().invoke(main, ["compare", str(tmp_path / "scores"), "-o", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "No space left" in done.output
    assert "Make room" in done.output
    assert not list((tmp_path / "out").iterdir())


# What goes in


def test_what_lies_where_the_results_go_is_no_input(tmp_path: Path) -> None:
    mine = tmp_path / "rejects.jsonl"  # a name that a run would write
    mine.write_text(json.dumps({"text": TEXT}), encoding="utf-8")
    done = CliRunner().invoke(main, ["score", str(mine), "-o", str(tmp_path), "-m", "linear"])
    assert done.exit_code == 1
    assert "where the results go" in done.output
    assert json.loads(mine.read_text(encoding="utf-8")) == {"text": TEXT}
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "outlets.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"outlets\.csv"):
        claim_folder(tmp_path / "tables")
    (tmp_path / "tables" / "comparison.html").touch()
    claim_folder(tmp_path / "tables")


@pytest.mark.parametrize("change", ["cut", "grown", "removed"])
def test_a_file_that_changes_while_it_is_read(change: str, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    lines = [json.dumps({"id": k, "text": f"{TEXT} {k} " + "x" * 200}) + "\n" for k in range(3000)]
    file.write_text("".join(lines))
    stream = read_articles(file)
    first = next(stream)
    if change == "cut":
        os.truncate(file, file.stat().st_size // 2 + 5)
    elif change == "grown":
        file.write_text("".join([*lines, lines[0].replace("0", "new", 1)]))
    else:
        file.unlink()
    *others, last = stream
    assert isinstance(last, Reject)
    assert re.search("changed while it was read|No such file", last.reason)
    articles = [item for item in (first, *others) if isinstance(item, Article)]
    assert {article.text for article in articles} <= {json.loads(line)["text"] for line in lines}


def test_a_packed_file_that_swells_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_ALWAYS_READ", 200_000)
    monkeypatch.setattr(sources, "_MOST_TIMES", 20)
    line = json.dumps({"id": "a", "text": TEXT}).encode() + b"\n"
    # A line that never ends, blank lines, a field that never ends: 3 MB each of some 3 KB.
    for name, head, fill in (
        ("a.jsonl.gz", line + b'{"text": "', b"a"),
        ("b.jsonl.gz", line, b"\n"),
        ("c.csv.gz", b'text\n"', b"a"),
    ):
        file = tmp_path / name
        file.write_bytes(gzip.compress(head + fill * (3_000_000 // len(fill))))
        *read, last = read_articles(file)
        assert isinstance(last, Reject)
        assert "unpacks to more than 20 times its size" in last.reason
        assert len([item for item in read if isinstance(item, Article)]) <= 1
    monkeypatch.undo()
    honest = tmp_path / "honest.jsonl.gz"
    honest.write_bytes(gzip.compress(b"".join(line.replace(b'"a"', b'"%d"' % k) for k in range(2_000))))
    assert sum(isinstance(item, Article) for item in read_articles(honest)) == 2_000


def test_pipes_devices_and_circles_of_links(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "x.jsonl").write_text(json.dumps({"text": TEXT}))
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "zero.txt").symlink_to("/dev/zero")
    (folder / "self.jsonl").symlink_to("self.jsonl")
    (folder / "dead.jsonl").symlink_to("nothing.jsonl")
    for name in ("loop", "again"):
        (folder / "a" / name).symlink_to(folder)
    items = list(read_articles(folder))
    assert sum(isinstance(item, Article) for item in items) == 1
    rejects = {Path(item.file).name: item.reason for item in items if isinstance(item, Reject)}
    assert rejects.keys() == {"pipe.jsonl", "zero.txt", "self.jsonl", "dead.jsonl"}
    assert "standard input" in rejects["pipe.jsonl"]
    found = [item for item in read_articles(f"{folder}/**/*.jsonl") if isinstance(item, Article)]
    assert [Path(article.source).name for article in found] == ["x.jsonl:1"]
    (only,) = read_articles(folder / "pipe.jsonl")
    assert isinstance(only, Reject)


def test_a_place_that_takes_no_file_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="can't be written"),
        written_whole(tmp_path / "missing/out.csv"),
    ):
        pass


def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "part" / "closed"
    closed.mkdir(parents=True)
    (tmp_path / "part" / "x.jsonl").write_text(json.dumps({"text": TEXT}))
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed and may(path, mode))
    items = {Path(item.file).name: item.reason for item in read_articles(tmp_path / "part") if isinstance(item, Reject)}
    assert items == {"closed": "the folder may not be read: permission denied"}
    with pytest.raises(DataError, match="may not be read"):
        list(read_articles(closed))


def test_json_nested_without_end_costs_only_itself(tmp_path: Path) -> None:
    good, deep = json.dumps({"text": TEXT}), 100_000
    bad = ["[" * deep, '{"a":' * deep + "1" + "}" * deep, '{"text":' + "[" * deep + "]" * deep + "}", '{"text": NaN}']
    (tmp_path / "a.jsonl").write_text("\n".join([good, *bad, good]))
    items = list(read_articles(tmp_path / "a.jsonl"))
    assert [isinstance(item, Article) for item in items] == [True, False, False, False, False, True]
    (tmp_path / "b.json").write_text("[" * deep)
    assert all(isinstance(item, Reject) for item in read_articles(tmp_path / "b.json"))


# Bundles that lie


def changed(tmp_path: Path, name: str, change: Callable[[Path, dict[str, Any]], object]) -> Path:
    """A bundle changed by somebody who puts the hashes right again."""
    folder = tmp_path / "bundle"
    shutil.copytree(EMBEDDED / name, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    change(folder, config)
    config["files"] = {file: file_hash(folder / file) for file in config["files"]}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def scorer_of(**settings: Any) -> Callable[[Path, dict[str, Any]], object]:
    return lambda _, config: config["scorer"].update(settings)


def features(**settings: Any) -> Callable[[Path, dict[str, Any]], object]:
    return lambda _, config: config["scorer"]["features"].update(settings)


def tokenizer(**parts: Any) -> Callable[[Path, dict[str, Any]], object]:
    def change(folder: Path, _: dict[str, Any]) -> None:
        file = folder / "tokenizer.json"
        file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | parts), encoding="utf-8")

    return change


def weights(**arrays: Any) -> Callable[[Path, dict[str, Any]], object]:
    few = {"buckets": np.arange(5, dtype=np.uint32), "weights": np.ones(5, np.float32), "squares": np.ones(5, np.float32), "names": np.arange(2, dtype=np.uint32)}  # fmt: skip
    return lambda folder, _: np.savez_compressed(folder / "weights.npz", **few | arrays)


def swap(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": pattern, "content": content}]}


LIES = {
    "a graph without a hash": ("default", lambda _, config: config["files"].pop("model.onnx")),
    "a tokenizer without a hash": ("default", lambda _, config: config["files"].pop("tokenizer.json")),
    "weights without a hash": ("linear_default", lambda _, config: config["files"].pop("weights.npz")),
    "a temperature that is none": ("default", scorer_of(temperature=float("nan"))),
    "an endless bias": ("default", scorer_of(bias=float("inf"))),
    "an intercept that is none": ("linear_default", scorer_of(intercept=float("nan"))),
    "n-grams of a million words": ("linear_default", features(words=[1, 10**6])),
    "n-grams of a million characters": ("linear_default", features(characters=[1, 10**6])),
    "buckets beyond memory": ("linear_default", features(bits=60)),
    "a prevalence that is no share": ("linear_default", lambda _, config: config.update(prevalence=7)),
    "a prevalence that is no number": ("linear_default", lambda _, config: config.update(prevalence="abc")),
    "weights that unpack without end": ("linear_default", weights(weights=np.zeros(10_000_000, np.float32))),
    "weights that are no numbers": ("linear_default", weights(weights=np.full(5, np.nan, np.float32))),
    "pickled weights": ("linear_default", weights(names=np.array([{}], object))),
    "a pattern that never ends": ("default", tokenizer(normalizer=swap({"Regex": "(a|a|[a-z ])*$x"}, ""))),
    "a text that grows": ("default", tokenizer(normalizer=swap({"String": "e"}, "eeee"))),
    "a long word before": ("default", tokenizer(normalizer={"type": "Prepend", "prepend": "x" * 1000})),
    "a thousand special tokens": ("default", tokenizer(post_processor={"type": "BertProcessing", "sep": ["x" * 30_000, 1], "cls": ["x", 2]})),
    "no vocabulary": ("default", tokenizer(model={"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {}})),
    "a tokenizer nested without end": ("default", lambda folder, _: (folder / "tokenizer.json").write_text("[" * 100_000)),
    "a graph cut short": ("default", lambda folder, _: os.truncate(folder / "model.onnx", 1_000_000)),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_bundle_that_lies_is_refused(lie: str, tmp_path: Path) -> None:
    name, change = LIES[lie]
    folder = changed(tmp_path, name, change)
    with pytest.raises(ModelError):
        load_model(folder)


def test_an_honest_copy_is_taken(tmp_path: Path) -> None:
    assert load_model(changed(tmp_path, "default", lambda *_: None)).verify() == []


def test_weights_in_a_file_of_their_own_are_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'loadedwords[train]'")

    def outside(folder: Path, config: dict[str, Any]) -> None:
        graph = onnx.load(folder / "model.onnx")
        onnx.save(graph, folder / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=4096)
        assert (folder / "weights.bin").stat().st_size > 1_000_000

    folder = changed(tmp_path, "default", outside)
    assert open_bundle(folder).kind == "transformer"
    with pytest.raises(ModelError, match="keeps weights in another file"):
        load_model(folder)


# Pages


class Naive(_Walk):
    """What encloses a piece, looked up anew for every piece: right, and slow where nothing is closed."""

    def __init__(self, page: str) -> None:
        self._around: list[tuple[str, Any]] = []
        super().__init__(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break_at(tag)
        if tag not in _INLINE and self._around and self._around[-1][0] == "p":
            self._around.pop()
        if tag not in _VOID:
            self._around.append((tag, self._role_of(tag, dict(attrs))))
        self._note(tag)

    def handle_endtag(self, tag: str) -> None:
        self._break_at(tag)
        self._note("/q" if tag == "q" else tag)
        if any(name == tag for name, _ in self._around):
            while self._around.pop()[0] != tag:
                pass

    def _note(self, tag: str | None) -> None:
        line, column = self.getpos()
        roles = [role for _, role in self._around]
        role: Any = next((r for r in ("skipped", "title", "standfirst", "quotation") if r in roles), "text")
        self.pieces.append(_Piece(self._lines[line - 1] + column, tag, role, self._block))


tags = st.sampled_from(["p", "div", "b", "blockquote", "h1", "script", "q", "br", "nav", "p class=dek", "i hidden"])
pieces = st.lists(st.builds("<{}>".format, tags) | st.builds("</{}>".format, tags) | st.sampled_from(["so it is", "\n", "<br/>", "&amp;"]), max_size=40)  # fmt: skip


@given(pieces)
def test_a_page_is_walked_as_by_looking_at_all_that_is_open(page: list[str]) -> None:
    assert _Walk("".join(page)).pieces == Naive("".join(page)).pieces


@pytest.mark.parametrize("unit", ["<!--a ", "<![CDATA[a ", "<?a ", "<a b=", "<a b='"])
def test_comments_without_end_are_no_text(unit: str) -> None:
    story = "<p>The council met on Monday and shut the mill, which had stood there for ninety years.</p>"
    (part,) = make_document(story + unit * 200, form="html").parts
    assert part.aligned.text.strip().startswith("The council")
    assert "a <" not in part.aligned.text


@pytest.mark.parametrize("before", [0, 1])
def test_a_long_word_of_ligatures_is_cut_between_characters(before: int) -> None:
    text = "a" * before + "ﬁ" * 2000
    sentences = prepare_text(text).sentences
    assert len(sentences) > 2
    places = [(sentence.start, sentence.end) for sentence in sentences]
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert "".join(text[start:end] for start, end in places) == text
    assert all(sentence.to_article(0, 1)[0] >= sentence.start for sentence in sentences)
