"""From bytes to sentences, with broken files: python tests/benchmarks/fuzz.py [--minutes N] [--seed N] [--keep FOLDER]

Files of every kind that is read, in our own words, are bent at random and read, split and (one in fifty) scored. Whatever
comes in, there must be articles or rejects, no exception and no crash; every sentence where it says, in order; every
letter and digit of the text in one sentence or passage left out; and no case may take longer than `SECONDS`. What breaks
this is kept and printed with the number of the case, which with the seed makes it again.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loadedwords.articles import read_articles
from loadedwords.schema import Article, Reject
from loadedwords.scoring import load_model
from loadedwords.text import prepare_text

SECONDS = 20
STORY = (
    "Mill closes\n\nThe shameless owners shut the mill on Monday. “It is a disgrace,” said Ann Lee, the mayor of Alder.\n\n"
    "> We were never asked.\n\n**Related:** [The mill](https://example.org/mill)\n\nANN LEE: Nobody came.\nTOM HALE: 'Not so.'\n"
    "RELATED: more on this\n\n(Reuters) - Shares fell 3.5 p.c. — Jane Roe (@janeroe) May 3, 2020\n* one\n* two\n\nFirst published by the Wire."
)
ROWS = [
    {"id": str(n), "outlet": outlet, "title": "A title, “quoted”", "date": date, "url": "https://example.org/a", "text": text}
    for n, (outlet, date, text) in enumerate(
        [("Wire", "2020-05-03", STORY), ("Blare; Daily", "3 May 2020", "He said:\n\n\"No.\"\tYes.\r\nSo it was…"), ("«Post»", "", "Ça va? ‘Oui’ 𝒳 \u200b\u202e\xad.")]
    )
]  # fmt: skip
PAGE = (
    "<!doctype html><html><head><meta charset=utf-8><title>Mill closes</title><script>var a='<p>';</script></head><body><nav>"
    "<a href=/>Home</a></nav><article><h1>Mill closes</h1><p class=standfirst>What now?</p>"
    + "".join(f"<p>{line} <b>bold <i>words</b></i> &amp; &#8220;so&#8221;</p>" for line in STORY.split("\n\n"))
    + "<blockquote><p>It is a disgrace.</p></blockquote><q>so</q><table><tr><td>1</table></article><!-- end --></body></html>"
)
TOKENS = [token.encode("utf-8", "surrogatepass") for token in (
    *"\"'“”‘’«»[](){}<>*_#>-–—…,;:\n\r\t\0\\/&@=|\x1a\x85\u2028\u200b\u202e\xad\ufeff\ud800", "\n\n", "\r\n", '"""', '\\"', "\\u0000", "\\ud800", "](", "](http://", "**", "<!--",
    "-->", "<![CDATA[", "</", "<p>", "<blockquote>", "&#0;", "&#x110000;", "&nbsp", "&amp;amp;", "text", "NaN", "1e999", "null", "[[[[", "{{{{", "...", ". ", "said ", "Mr. ",
    "https://", "said Ann Lee: ", "(Reuters) - ", "RELATED: ", "A: ", "Q: ", "�", "é", "’s ", "9" * 50, "ﬁ", "\xa0", "\xff",
)] + [b"\xff", b"\xfe\xff", b"\x93so\x94", b"\xc3", b"\xed\xa0\x80", b"\x1f\x8b", b"PAR1"]  # fmt: skip


def seeds() -> list[tuple[str, bytes]]:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    table = pa.Table.from_pylist(ROWS)
    found = [
        (".jsonl", lines),
        (".txt", STORY.encode()),
        (".md", STORY.encode()),
        (".html", PAGE.encode()),
        (".ndjson", lines),
    ]
    found += [
        (".json", json.dumps(ROWS).encode()),
        (".txt", STORY.encode("utf-16")),
        (".html", PAGE.encode("cp1252", "replace")),
    ]
    for ending, mark in ((".csv", ","), (".csv", ";"), (".tsv", "\t")):
        import csv

        stream = io.StringIO()
        writer = csv.DictWriter(stream, ROWS[0], delimiter=mark)
        writer.writeheader()
        writer.writerows(ROWS)
        found.append((ending, stream.getvalue().encode()))
    for compression in ("none", "snappy"):
        sink = io.BytesIO()
        pq.write_table(table, sink, compression=compression)
        found.append((".parquet", sink.getvalue()))
    packed = pa.compress(lines, codec="zstd", asbytes=True)
    return [
        *found,
        (".jsonl.gz", gzip.compress(lines)),
        (".csv.gz", gzip.compress(found[8][1])),
        (".jsonl.zst", packed),
    ]


def bend(content: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    bent = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 12))):
        at = chance.randrange(len(bent) + 1)
        end = min(len(bent), at + chance.choice((1, 3, 20, 200)))
        match chance.randrange(8):
            case 0:
                bent[at:end] = b""
            case 1:
                bent[at:at] = chance.choice(TOKENS)
            case 2:
                bent[at:at] = chance.choice(TOKENS) * chance.choice((2, 30, 800))
            case 3 if at < len(bent):
                bent[at] = chance.randrange(256)
            case 4:
                bent[at:at] = bent[at:end] * chance.choice((1, 2, 50))
            case 5:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                bent[at:at] = other[start : start + chance.choice((10, 300))]
            case 6:
                bent[at:end] = chance.choice(TOKENS)
            case 7 if chance.random() < 0.2:
                del bent[at:]
    return bytes(bent)


def check(file: Path, score: bool) -> tuple[int, int]:
    n_articles = n_rejects = 0
    for item in read_articles([file]):
        if isinstance(item, Reject):
            n_rejects += 1
            assert item.reason
            item.reason.encode("utf-8", "surrogateescape")
            continue
        assert isinstance(item, Article)
        n_articles += 1
        repr(item).encode()
        check_text(item.text)
        if score and n_articles < 20:
            scored = load_linear().score_text(item.text, outlet=item.outlet, title=item.title)
            assert scored.status in ("ok", "empty"), scored.message
    assert n_articles + n_rejects, "neither an article nor a reject"
    return n_articles, n_rejects


def check_text(text: str) -> None:
    prepared = prepare_text(text)
    spans = sorted((s.start, s.end) for s in (*prepared.sentences, *prepared.boilerplate))
    done = 0
    for start, end in spans:
        assert done <= start < end <= len(text), (done, start, end)
        done = end
    for sentence in prepared.sentences:
        assert sentence.text.strip() == sentence.text != "", repr(sentence.text)
        for quotation in sentence.quoted:
            assert 0 <= quotation.start < quotation.end <= len(sentence.text)
        low, high = sentence.to_article(0, len(sentence.text))
        assert sentence.start <= low < high <= sentence.end


def load_linear() -> object:
    if not hasattr(load_linear, "model"):
        load_linear.model = load_model("linear")  # type: ignore[attr-defined]
    return load_linear.model  # type: ignore[attr-defined]


def run_cases(seed: int, first: int, minutes: float, keep: Path) -> None:
    """Cases from `first` on; each is on disk before it is read, so that a crash leaves it there."""
    end = time.monotonic() + 60 * minutes
    made_of = seeds()
    others = [content for _, content in made_of]
    number = first
    told: Counter[str] = Counter()

    def too_slow(*_: object) -> None:
        raise TimeoutError(f"longer than {SECONDS} s")

    signal.signal(signal.SIGALRM, too_slow)
    while time.monotonic() < end:
        chance = random.Random(f"{seed}-{number}")
        ending, content = chance.choice(made_of)
        bent = bend(content, chance, others)
        case = keep / f"case{ending}"
        case.write_bytes(bent)
        (keep / "at").write_text(f"{number} {ending}")
        began = time.perf_counter()
        signal.alarm(SECONDS)
        try:
            n_articles, n_rejects = check(case, score=number % 50 == 0)
            told.update({"cases": 1, "articles": n_articles, "rejects": n_rejects, f"cases of {ending}": 1})
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
            told.update({"cases": 1, f"BROKEN {what}": 1})
            if told[f"BROKEN {what}"] == 1:
                (keep / f"broken-{number}{ending}").write_bytes(bent)
                print(f"case {number} ({ending}, {len(bent)} bytes): {what}: {str(error)[:200]}", flush=True)
        finally:
            signal.alarm(0)
        took = time.perf_counter() - began
        if took > 2 and took > told["slowest, ms"] / 1000:
            told["slowest, ms"] = round(1000 * took)
            (keep / f"slow-{number}{ending}").write_bytes(bent)
        case.unlink()
        number += 1
        if number % 500 == 0 or time.monotonic() >= end:
            (keep / f"told-{first}.json").write_text(json.dumps(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="Number of the first case.")
    parser.add_argument("--keep", type=Path, help="Folder for what breaks.  [default: a temporary one]")
    parser.add_argument("--in-this-process", action="store_true")
    given = parser.parse_args()
    keep = given.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    keep.mkdir(parents=True, exist_ok=True)
    if given.in_this_process:
        run_cases(given.seed, given.first, given.minutes, keep)
        return
    end, first, crashes = time.monotonic() + 60 * given.minutes, given.first, 0
    while (left := (end - time.monotonic()) / 60) > 0:
        options = [f"--minutes={left}", f"--seed={given.seed}", f"--first={first}", f"--keep={keep}"]
        done = subprocess.run([sys.executable, __file__, "--in-this-process", *options], check=False)
        if done.returncode == 0:
            break
        crashes += 1
        number, ending = (keep / "at").read_text().split()
        (keep / f"case{ending}").rename(keep / f"crash-{number}{ending}")
        print(f"case {number} ({ending}): the process died with status {done.returncode}", flush=True)
        first = int(number) + 1
    told = sum((Counter(json.loads(file.read_text())) for file in keep.glob("told-*.json")), Counter())
    print(f"{crashes} crashes; what broke is in {keep}")
    for what, n in sorted(told.items()):
        print(f"{what}: {n:,}")


if __name__ == "__main__":
    main()
