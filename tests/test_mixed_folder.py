"""A folder of all kinds of files, a tenth of it broken in some twenty ways: every good article is read, every bad one told."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loadedwords.articles import ReadOptions, read_articles
from loadedwords.batch import RunDescription, score_to_folder
from loadedwords.schema import Article, Reject

OPTIONS = ReadOptions(max_characters=2_000)
OUTLETS = ["Wire", "Blare", "Gazette", "Courier"]
DATES = ["2018-07-17", "July 17, 2018", "17 Jul 2018", "Tue, 17 Jul 2018 10:30:00 GMT", "1531823400", "20180717"]

# The kind of trouble → what a line of that kind looks like, and what its reject says.
IN_LINES: dict[str, tuple[Callable[[str], bytes], str]] = {
    "cut": (lambda row: row[: len(row) // 2].encode(), "no valid JSON"),
    "array": (lambda row: f"[[{row}], 1]".encode(), "a JSON list"),
    "string": (lambda row: json.dumps(row).encode(), "a JSON str"),
    "null": (lambda _: b'{"id": "x", "text": null}', "the text is null"),
    "empty": (lambda _: b'{"id": "x", "text": " \\n "}', "the text is empty"),
    "zeros": (lambda _: b'{"id": "x", "text": "\\u0000\\u0000"}', "the text is empty"),
    "number": (lambda _: b'{"id": "x", "text": 7}', "of type int"),
    "nothing": (lambda _: b'{"id": "x", "titel": "Dam"}', "no text column"),
    "surrogate": (lambda _: b'{"id": "x", "text": "broken \\ud83d"}', "half a surrogate"),
    "bytes": (lambda _: b'{"id": "x", "text": "The caf\xe9 closed."}', "encoding="),
    "long text": (lambda _: json.dumps({"text": "dam " * 600}).encode(), "max_characters="),
    "long line": (lambda _: json.dumps({"text": "dam", "rest": "x" * 90_000}).encode(), "max_characters="),
    "deep": (lambda _: b'{"text": ' + b"[" * 60_000, "no valid JSON"),
    "digits": (lambda _: b'{"text": "dam", "n": ' + b"9" * 5000 + b"}", "no valid JSON"),
}
IN_ROWS: dict[str, tuple[str, str]] = {
    "too many fields": ("{id},The dam, they said, broke.,Wire\n", "fields where the header has"),
    "marks inside": ('{id},"He said "no" and left.",Wire\n', "no valid CSV"),
    "marks over lines": ('{id},"He said "no" and\nleft, sadly.\nNo more.",Wire\n', "no valid CSV"),
    "never closed": ('{id},"He said it,Wire\n', "never closed"),
    "empty": ("{id},,Wire\n", "the text is empty"),
    "bytes": ("{id},The caf\udce9 closed.,Wire\n", "encoding="),
}


def make_folder(folder: Path, n: int) -> tuple[set[str], Counter[str]]:
    """Write `n` records, a tenth of them bad; the ids of the good ones, and how often each reason is to be told."""
    rng = random.Random(7)
    good: set[str] = set()
    reasons: Counter[str] = Counter()

    def row(place: str, k: int) -> dict[str, Any]:
        good.add(f"{place}{k}")
        marked = rng.choice(["He said “no”,", 'He said "no",', "He said no;", "Nobody said,\nof all that,"])
        return {
            "id": f"{place}{k}",
            "text": f"{marked} and left the dam, number {k}.",
            "outlet": rng.choice(OUTLETS),
            "date": rng.choice(DATES),
        }

    def mixed(place: str, n: int, n_bad: int) -> list[bool]:
        """Which of the records are bad: never the first, by which the file is known, nor two in a row."""
        bad = {*rng.sample(range(1, n, 2), n_bad)}
        return [k in bad for k in range(n)]

    share = n // 20
    # Ten parts of lines, a tenth of them bad.
    lines: list[bytes] = []
    ways = list(IN_LINES)
    for k, bad in enumerate(mixed("l", 10 * share, share)):
        whole = json.dumps(row("l", k)) if not bad else json.dumps({"text": "x" * 50})
        if bad:
            make, reason = IN_LINES[ways[k // 2 % len(ways)]]
            reasons[reason] += 1
        lines.append(make(whole) if bad else whole.encode())
    half = len(lines) // 2
    (folder / "a.jsonl").write_bytes(b"\n".join(lines[:half]))
    (folder / "b.json.gz").write_bytes(gzip.compress(b"\n".join(lines[half:]) + b"\n"))
    # Five parts of rows.
    told = io.StringIO(newline="")
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(["id", "text", "outlet"])
    kinds = list(IN_ROWS)
    for k, bad in enumerate(mixed("r", 5 * share, share // 2)):
        if bad:
            form, reason = IN_ROWS[kinds[k // 2 % len(kinds)]]
            reasons[reason] += 1
            told.write(form.format(id=k))
        else:
            writer.writerow([row("r", k)[name] for name in ("id", "text", "outlet")])
    (folder / "c.csv").write_bytes(told.getvalue().encode("utf-8", "surrogateescape"))
    # Two parts in an array, one in Parquet, one with semicolons in UTF-16, one with tabs and no quotation marks.
    objects = [
        json.dumps(row("o", k), indent=1) if not bad else '{"id": "x" "text": 3}'
        for k, bad in enumerate(mixed("o", 2 * share, share // 4))
    ]
    reasons["no valid JSON"] += share // 4
    (folder / "d.json").write_text(f"[{','.join(objects)}]")
    table = [
        row("p", k) if not bad else {"id": "x", "text": None, "outlet": None, "date": None}
        for k, bad in enumerate(mixed("p", share, share // 8))
    ]
    reasons["the text is null"] += share // 8
    pq.write_table(pa.Table.from_pylist(table), folder / "e.parquet")
    told = io.StringIO(newline="")
    csv.writer(told, delimiter=";").writerows(
        [["id", "content", "publication"], *([*row("s", k).values()][:3] for k in range(share))]
    )
    (folder / "f.csv").write_bytes(told.getvalue().encode("utf-16"))
    tabs = ["\t".join(row("t", k).values()).replace("\n", " ") for k in range(share // 2)]
    (folder / "g.tsv").write_text("\n".join(["id\tbody\tsource\tpublished", *tabs]) + "\n")
    # What is left, a file each.
    left = n - 10 * share - 5 * share - 2 * share - share - share - share // 2
    n_bad = n // 10 - sum(reasons.values())
    bad_files = [("empty.txt", b"", "the file is empty"), ("word.docx", b"PK", "are not read"), ("bytes.txt", b"caf\xe9 closed", "encoding="),
                 ("cut.parquet", b"PAR1", "reading stopped"), ("cut.txt.gz", gzip.compress(b"The dam broke.")[:12], "reading stopped"),
                 ("zeros.txt", b"\0" * 80, "the text is empty"), ("blank.md", b"\n \n", "the text is empty")]  # fmt: skip
    for k in range(left):
        inside = folder / "texts" / OUTLETS[k % 4]
        inside.mkdir(parents=True, exist_ok=True)
        if k < n_bad:
            name, content, reason = bad_files[k % len(bad_files)]
            (inside / f"{k}{name}").write_bytes(content)
            reasons[reason] += 1
        else:
            (inside / f"{k}.txt").write_text(f"Dam {k} breaks\n\nThe dam broke, number {k}.")
            good.add(str(inside / f"{k}.txt"))
    return good, reasons


def test_every_good_one_is_read_and_every_bad_one_told(tmp_path: Path) -> None:
    good, reasons = make_folder(tmp_path, 20_000)
    assert len(good) == 18_000
    assert sum(reasons.values()) == 2_000
    items = list(read_articles(tmp_path, options=OPTIONS))
    articles = [item for item in items if isinstance(item, Article)]
    rejects = [item for item in items if isinstance(item, Reject)]
    assert Counter(article.id for article in articles) == Counter(good)
    assert {article.outlet for article in articles} == {*OUTLETS}
    told = Counter(next((reason for reason in reasons if reason in reject.reason), reject.reason) for reject in rejects)
    assert told == reasons
    assert len({(reject.file, reject.line) for reject in rejects}) == 2_000, "each says where it is"
    assert not [article for article in articles if article.notes and not article.id.endswith(".txt")]
    for article in articles:
        number = article.id.rpartition("/")[2].strip("lropst.x")
        assert f"number {number}." in article.text


def test_the_counts_of_a_run_add_up(tmp_path: Path, small_bundle: Path) -> None:
    (tmp_path / "in").mkdir()
    good, reasons = make_folder(tmp_path / "in", 800)
    stream = read_articles(tmp_path / "in", options=OPTIONS)
    summary = score_to_folder(stream, tmp_path / "out", description=RunDescription(["in"]), model=small_bundle)
    counts = json.loads((tmp_path / "out" / "run.json").read_text())["counts"]
    assert (counts["articles"], counts["rejected"]) == (len(good), sum(reasons.values())) == (720, 80)
    assert summary.dates.dated + summary.dates.left_out + summary.dates.without == len(good)
    assert len((tmp_path / "out" / "rejects.jsonl").read_text().splitlines()) == 80
