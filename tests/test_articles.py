"""Every kind of input is read, and what is broken becomes a reject that says why, and costs nothing else."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.articles import Progress, ReadOptions, find_files, read_articles, read_dataset
from loadedwords.errors import DataError
from loadedwords.schema import Article, Reject
from loadedwords.text import prepare_text

ROWS = [
    {"id": "a1", "text": "The council met.", "outlet": "Wire", "title": "Council", "date": "2026-01-02", "url": "https://example.org/1"},
    {"id": "a2", "text": "The mayor spoke.\n\nHe left.", "outlet": "Blare", "title": "Mayor", "date": "2026-01-03", "url": None},
]  # fmt: skip


def read(*inputs: Path | str, **options: Any) -> tuple[list[Article], list[Reject]]:
    items = list(read_articles([str(i) for i in inputs], options=ReadOptions(**options)))
    return [i for i in items if isinstance(i, Article)], [i for i in items if isinstance(i, Reject)]


def json_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def put(file: Path, content: str | bytes | list[dict[str, Any]]) -> Path:
    """Write bytes, a text, or rows as JSON lines."""
    text = json_lines(content) if isinstance(content, list) else content
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def write_all_kinds(folder: Path) -> list[Path]:
    lines = json_lines(ROWS).encode()
    put(folder / "a.jsonl", lines)
    put(folder / "b.jsonl.gz", gzip.compress(lines))
    put(folder / "c.jsonl.zst", pa.compress(lines, "zstd", asbytes=True))
    pl.DataFrame(ROWS).write_csv(folder / "d.csv")
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "e.parquet")
    return sorted(folder.iterdir())


def test_every_table_reads_the_same(tmp_path: Path) -> None:
    for file in write_all_kinds(tmp_path):
        articles, rejects = read(file)
        assert not rejects, file
        for article, row in zip(articles, ROWS, strict=True):
            assert {**row, "date": datetime.date.fromisoformat(str(row["date"]))}.items() <= vars(article).items(), file


def test_folders_globs_and_their_order(tmp_path: Path) -> None:
    write_all_kinds(tmp_path)
    everything, _ = read(tmp_path)
    assert len(everything) == 10
    assert [a.source for a in everything] == sorted((a.source for a in everything), key=lambda s: s.rsplit(":", 1))
    named = [tmp_path / name for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl.zst")]
    assert read(tmp_path / "*.jsonl*")[0] == read(*named)[0] == everything[:6]


def test_a_web_page_s_block_quotations_are_somebody_else_s(tmp_path: Path) -> None:
    own = ["The council voted on the dam on Tuesday after eleven years of planning.", "The letter was read out before."]
    theirs = ["This dam is a monstrous betrayal of the valley.", "We will never accept it, whatever they decide."]
    page = (
        f"<html><head><title>Dam</title></head><body><article><h1>Dam</h1><p>{own[0]}</p><blockquote><p>{theirs[0]}</p>"
        f"<p>{theirs[1]}</p></blockquote><p>{own[1]}</p><blockquote>{theirs[1]}</blockquote></article></body></html>"
    )
    ((article,), _) = read(put(tmp_path / "one.html", page))
    voices = {sentence.text: sentence.voice for sentence in prepare_text(article.text).sentences}
    assert [voices[text] for text in own] == ["own", "own"]
    assert [voices[text] for text in theirs] == ["quoted", "quoted"]


def test_plain_text_markdown_and_html(tmp_path: Path) -> None:
    put(tmp_path / "one.txt", "The council met.\n")
    put(tmp_path / "two.md", "# Title\n\nThe **mayor** spoke.")
    gates = "<p>Paragraph {} says that the gates of the dam were opened in the night, as the office had said.</p>"
    put(
        tmp_path / "three.html",
        "<html><head><title>Dam opens | The Courier</title><meta property='og:site_name' content='The Courier'></head><body>"
        f"<nav>Home News Sport</nav><article><h1>Dam opens</h1>{''.join(gates.format(n) for n in range(9))}</article>"
        "<footer>Copyright</footer></body></html>",
    )
    articles, rejects = read(tmp_path)
    assert not rejects
    html, one, two = sorted(articles, key=lambda a: a.id.rsplit("/", 1)[1] != "three.html")
    assert "Paragraph 3 says" in html.text
    assert "Home News Sport" not in html.text
    assert html.outlet == "The Courier"
    assert (one.text, one.title) == ("The council met.\n", None)
    assert (two.text, two.title) == ("The **mayor** spoke.", "Title")


def test_the_head_of_a_file_in_toml_is_read(tmp_path: Path) -> None:
    head = 'title = "Dam"\ndate = 2026-02-03T04:05:06Z\noutlet = "Wire"\nText = "x"\ntags = ["a"]\n[params]\nauthor = "Ann Lee"'
    for line_end in ("\n", "\r\n"):
        put(tmp_path / "x.md", f"+++\n{head}\n+++\n\nThe dam broke.\n".replace("\n", line_end))
        (article,), _ = read(tmp_path / "x.md")
        assert (article.text.strip(), article.title, article.outlet) == ("The dam broke.", "Dam", "Wire")
        assert article.date == datetime.date(2026, 2, 3)
    put(tmp_path / "x.md", "+++\nThe dam broke.\n+++\nIt fell.\n")
    assert "The dam broke." in read(tmp_path / "x.md")[0][0].text


def test_columns_by_other_names(tmp_path: Path) -> None:
    row = "Dam,The dam broke.,Wire,2026-02-03T04:05:06Z,https://example.org\n"
    (article,), _ = read(put(tmp_path / "x.csv", f"Headline,BODY,publisher,published_at,link\n{row}"))
    found = (article.title, article.text, article.outlet, article.url)
    assert found == ("Dam", "The dam broke.", "Wire", "https://example.org")
    assert article.date == datetime.date(2026, 2, 3)
    named = put(tmp_path / "x.csv", "copy,paper,text\nThe dam broke.,Wire,not this\n")
    (article,), _ = read(named, columns={"text": "copy", "outlet": "paper"})
    assert (article.text, article.outlet) == ("The dam broke.", "Wire")


@pytest.mark.parametrize(
    "written", ["Smith &amp; Söhne", "Smith &amp;amp; Söhne", "Smith & SÃ¶hne", "Smith &#38; So\u0308hne"]
)
def test_the_name_of_an_outlet_or_topic_is_repaired_as_a_text_is(written: str, tmp_path: Path) -> None:
    row = {"text": "The dam broke.", "outlet": written, "topic": written, "event_id": written}
    (article,), _ = read(put(tmp_path / "x.jsonl", [row]))
    assert {article.outlet, article.topic, article.event_id} == {"Smith & Söhne"}


@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.parquet"])
@pytest.mark.parametrize("n_values", [1, 2])
@pytest.mark.parametrize("n_articles", [1, 2])
def test_a_text_in_a_list_of_objects_is_read_as_the_reject_says(
    n_articles: int, n_values: int, name: str, tmp_path: Path
) -> None:
    body = [{"value": f"The dam broke on day {n}.", "format": "html"} for n in range(n_values)]
    rows = [{"title": [{"value": "Dam"}], "body": body} for _ in range(n_articles)]
    if name == "x.parquet":
        pl.DataFrame(rows).write_parquet(tmp_path / name)
    else:
        (tmp_path / name).write_text(json.dumps(rows) if name == "x.json" else json_lines(rows))
    articles, rejects = read(tmp_path / name)
    assert not articles
    assert len(rejects) == n_articles
    option, column = rejects[0].reason.split()[-2:]
    assert option == "ReadOptions(columns={'text':"
    column = column.strip("'})")
    articles, rejects = read(tmp_path / name, columns={"text": column, "title": "title.value"})
    assert not rejects
    assert [a.text for a in articles] == ["\n\n".join(each["value"] for each in body)] * n_articles
    assert {a.title for a in articles} == {"Dam"}


def test_the_outlet_of_a_news_api(tmp_path: Path) -> None:
    rows = [{"content": "The dam broke.", "source": {"id": None, "name": "The Courier"}}]
    assert read(put(tmp_path / "x.jsonl", rows))[0][0].outlet == "The Courier"


@pytest.mark.parametrize("content", [json_lines(ROWS), "The council met.\nThe mayor spoke.\n"])
def test_standard_input(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    articles, rejects = read("-")
    assert not rejects
    assert [a.text for a in articles] == ([row["text"] for row in ROWS] if content.startswith("{") else [content])


def test_a_page_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    story = "The council met on Tuesday to talk of the bridge and the roads that lead to it. It will meet again."
    page = f"<!-- kept -->\n<!doctype html><html><body><article><h1>Dam</h1><p>{story}</p></article></body></html>"
    for content, text in (
        (page, story),
        (f"A <html> tag begins a page. {story}", f"A <html> tag begins a page. {story}"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        (article,), rejects = read("-")
        assert not rejects
        assert article.text == text


def test_a_dataset_on_disk(tmp_path: Path) -> None:
    import datasets

    rows = [{"body": row["text"], "outlet": row["outlet"]} for row in ROWS]
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    saved = list(read_dataset(str(tmp_path / "saved")))
    assert [a.text for a in saved if isinstance(a, Article)] == [row["text"] for row in ROWS]
    (tmp_path / "files").mkdir()
    put(tmp_path / "files" / "train.jsonl", ROWS)
    assert [a.id for a in read_dataset(str(tmp_path / "files")) if isinstance(a, Article)] == ["a1", "a2"]
    with pytest.raises(DataError, match="split nosuch"):
        list(read_dataset(str(tmp_path / "files"), split="nosuch"))


# --- bad input: a clear reject, and everything else is read --------------------------------------------------------


def test_an_empty_file(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.csv", "c.txt", "d.html", "e.jsonl.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    put(tmp_path / "z.txt", "The council met.")
    articles, rejects = read(tmp_path)
    assert [r.reason for r in rejects] == ["the file is empty"] * 5
    assert len(articles) == 1


def test_a_truncated_json_line(tmp_path: Path) -> None:
    first, second = json_lines(ROWS).splitlines()
    file = put(tmp_path / "x.jsonl", f"{first}\n{second[:25]}\n[1]\n\n{second}")
    articles, rejects = read(file)
    assert [a.id for a in articles] == ["a1", "a2"]
    assert [(r.file, r.line) for r in rejects] == [(str(file), 2), (str(file), 3)]
    assert "no valid JSON" in rejects[0].reason


def test_a_csv_with_a_missing_column(tmp_path: Path) -> None:
    put(tmp_path / "x.csv", "id,headline,copy\n1,Dam,The dam broke.\n")
    put(tmp_path / "y.jsonl", ROWS)
    articles, rejects = read(tmp_path)
    assert len(articles) == 2
    assert "Found: id, headline, copy. Name it with ReadOptions(columns={'text': ...})" in rejects[0].reason


def test_options_that_name_no_field_or_form_are_refused() -> None:
    with pytest.raises(DataError, match=r"(?s)'event', which is no field.*Known: .*event_id"):
        ReadOptions(columns={"event": "story"})
    with pytest.raises(DataError, match=r"Write date_formats=\('%d/%m/%Y',\)"):
        ReadOptions(date_formats="%d/%m/%Y")  # type: ignore[arg-type]


def test_a_table_is_no_file() -> None:
    for table in (pl.DataFrame(ROWS), pl.DataFrame(ROWS).to_pandas(), pa.Table.from_pylist(ROWS)):
        with pytest.raises(DataError, match=r"(?s)not a (DataFrame|Table)\..*read_table"):
            read_articles(table)


def test_csv_rows_that_do_not_fit_the_header(tmp_path: Path) -> None:
    rows = 'The dam broke, they said,Wire\n"The mayor\nspoke.",Wire\n\nshort\n'
    articles, rejects = read(put(tmp_path / "x.csv", f"text,outlet\n{rows}"))
    assert [a.text for a in articles] == ["The mayor\nspoke.", "short"]
    assert rejects[0].line == 2
    assert "unquoted" in rejects[0].reason


def test_the_wrong_encoding(tmp_path: Path) -> None:
    text = "The café reopened."
    rows = f"text,outlet\n{text},Wire\nThe council met.,Wire\n"
    (tmp_path / "a.csv").write_bytes(rows.encode("cp1252"))
    (tmp_path / "b.jsonl").write_bytes(f'{{"text": "{text}"}}\n{{"text": "The council met."}}\n'.encode("cp1252"))
    (tmp_path / "c.txt").write_bytes(text.encode("cp1252"))
    articles, rejects = read(tmp_path)
    assert [a.text for a in articles] == ["The council met."] * 2
    assert len(rejects) == 3
    assert all("encoding=" in r.reason for r in rejects)
    assert [a.text for a in read(tmp_path / "a.csv", encoding="cp1252")[0]] == [text, "The council met."]


def test_half_a_surrogate_pair(tmp_path: Path) -> None:
    articles, rejects = read(put(tmp_path / "x.jsonl", '{"text": "broken \\ud83d emoji"}\n' + json_lines(ROWS)))
    assert (len(articles), len(rejects)) == (2, 1)


def test_null_empty_and_wrong_text(tmp_path: Path) -> None:
    rows = [{"text": None}, {"text": "  \n"}, {"text": 7}, {"text": float("nan")}, {"title": "no text"}]
    articles, rejects = read(put(tmp_path / "x.jsonl", [*rows, *ROWS]))
    assert len(articles) == 2
    assert [r.line for r in rejects] == [1, 2, 3, 4, 5]
    pq.write_table(pa.table({"text": pa.array([None, "The council met."], pa.string())}), tmp_path / "x.parquet")
    articles, rejects = read(tmp_path / "x.parquet")
    assert (len(articles), rejects[0].line, rejects[0].reason) == (1, 1, "the text is null")


def test_a_line_of_50_megabytes(tmp_path: Path) -> None:
    long = '{"text": "' + "The dam broke. " * 3_500_000 + '"}\n'
    articles, rejects = read(put(tmp_path / "x.jsonl", long + json_lines(ROWS)))
    assert [a.id for a in articles] == ["a1", "a2"]
    assert rejects[0].line == 1
    assert "max_characters=" in rejects[0].reason
    put(tmp_path / "x.txt", "The dam broke. " * 100_000)
    assert "max_characters=" in read(tmp_path / "x.txt")[1][0].reason


DATES = ["2026-03-04", "2026-03-04 05:06:07", "March 4, 2026", "Wed, 04 Mar 2026 05:06:07 +0000", "", None]


@pytest.mark.parametrize("written", DATES)
def test_dates(tmp_path: Path, written: str | None) -> None:
    (article,), _ = read(put(tmp_path / "x.jsonl", [{"text": "The dam broke.", "date": written}]))
    assert article.date == (datetime.date(2026, 3, 4) if written else None)
    assert article.notes == ()


IMPOSSIBLE = ["0001-01-01", "0001-01-01T00:00:00Z", "9999-12-31", "7/6/18", "yesterday", "2026-13-45"]


@pytest.mark.parametrize("written", IMPOSSIBLE)
def test_impossible_dates_are_told_and_the_article_kept(tmp_path: Path, written: str) -> None:
    (article,), rejects = read(put(tmp_path / "x.jsonl", [{"text": "The dam broke.", "date": written}]))
    assert article.date is None
    assert written[:10] in article.notes[0]
    assert not rejects


def test_files_of_other_kinds_and_broken_files(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    (tmp_path / "b.parquet").write_bytes(b"not parquet")
    whole = gzip.compress(json_lines(ROWS * 2000).encode())
    (tmp_path / "c.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    put(tmp_path / ".hidden.txt", "not read")
    put(tmp_path / "d.txt", "The council met.")
    articles, rejects = read(tmp_path)
    assert [Path(r.file).name for r in rejects if r.line is None] == ["a.docx", "b.parquet", "c.jsonl.gz"]
    assert articles[-1].text == "The council met."
    assert len(articles) > 1, "what came before the cut is kept"


def test_one_bad_value_costs_only_its_own_row(tmp_path: Path) -> None:
    long_number = '{"text": "x", "n": ' + "9" * 5000 + "}\n"
    put(tmp_path / "a.jsonl", json_lines(ROWS[:1]) + long_number + json_lines(ROWS[1:]))
    articles, rejects = read(tmp_path / "a.jsonl")
    assert ([a.id for a in articles], rejects[0].line) == (["a1", "a2"], 2)
    dates = pa.array([0, 2**60, 0], pa.int64()).cast(pa.timestamp("ms"))
    pq.write_table(pa.table({"text": ["The dam broke."] * 3, "date": dates}), tmp_path / "b.parquet")
    articles, rejects = read(tmp_path / "b.parquet")
    assert (len(articles), [r.line for r in rejects]) == (2, [2])


def test_an_unclosed_quotation_mark_in_a_csv_is_told(tmp_path: Path) -> None:
    rest = "".join(f"{k},The dam broke.,A\n" for k in range(3, 30))
    put(tmp_path / "x.csv", f'id,text,outlet\n1,It met.,A\n2,"He said it,B\n{rest}')
    articles, rejects = read(tmp_path / "x.csv")
    assert [a.id for a in articles] == ["1", *map(str, range(3, 30))], "what has an id before its text is a row again"
    assert [r.line for r in rejects] == [3]
    assert "never closed" in rejects[0].reason
    put(tmp_path / "x.csv", f'text,outlet\nIt met.,A\n"He said it,B\n{rest}')
    articles, rejects = read(tmp_path / "x.csv")
    assert [a.text for a in articles] == ["It met."], "these lines might be a text of several lines, cut short"
    assert [r.line for r in rejects] == [3]
    assert "lines 3 to 30" in rejects[0].reason


def test_a_header_that_names_a_column_twice(tmp_path: Path) -> None:
    put(tmp_path / "x.csv", "text,text\nThe dam broke.,\n")
    assert "names text more than once" in read(tmp_path / "x.csv")[1][0].reason


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    Path(str(tmp_path / "x") + "\udcff.txt").write_text("The dam broke.", encoding="utf-8")
    (article,), _ = read(tmp_path)
    assert article.id.encode().endswith(b"\\udcff.txt")


def test_results_are_not_read_as_articles(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", "The dam broke.")
    (tmp_path / "scores").mkdir()
    put(tmp_path / "scores" / "report.html", "<p>not an article</p>")
    found = list(read_articles(tmp_path, without=tmp_path / "scores"))
    assert [item.source for item in found if isinstance(item, Article)] == [str(tmp_path / "a.txt")]
    assert len(found) == 1


def test_nothing_there(tmp_path: Path) -> None:
    for nothing in ("nosuch", "*.jsonl"):
        with pytest.raises(DataError, match="no file, folder or match"):
            read(tmp_path / nothing)
    with pytest.raises(DataError, match="is empty"):
        read(tmp_path)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    files = write_all_kinds(tmp_path)
    progress = Progress()
    list(read_articles([tmp_path], progress=progress))
    assert progress.done == progress.total == sum(file.stat().st_size for file in files)


ENDINGS = [".jsonl", ".json", ".csv", ".tsv", ".txt", ".md", ".parquet", ".jsonl.gz", ".html"]


@given(content=st.binary(max_size=300), ending=st.sampled_from(ENDINGS))
def test_any_bytes_give_articles_or_rejects(
    content: bytes, ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    articles, rejects = read(put(tmp_path_factory.mktemp("bytes") / f"x{ending}", content))
    assert articles or rejects or content.strip() == b"" or ending in (".jsonl", ".json", ".csv", ".tsv")
    for article in articles:
        article.text.encode()


def test_what_an_earlier_run_wrote_is_no_article(tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text("The council met on Monday.")
    (tmp_path / "scores").mkdir()
    for name in ("run.json", "report.html", "rejects.jsonl"):
        (tmp_path / "scores" / name).write_text("{}")
    (tmp_path / "scores" / "sentences").mkdir()
    assert find_files(tmp_path) == [tmp_path / "story.txt"]
    # Nor is it one where a pattern or a shell names the folder of the results among others.
    for named in ([str(tmp_path / "*")], sorted(map(str, tmp_path.iterdir()))):
        assert find_files(named, without=tmp_path / "scores") == [tmp_path / "story.txt"]
    with pytest.raises(DataError, match="nothing to read but the results"):
        find_files(tmp_path / "scores")


def test_a_folder_into_which_the_results_go_is_not_called_those_of_an_earlier_run(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "story.txt").write_text("The council met on Monday.")
    for without in (tmp_path / "in", tmp_path):
        with pytest.raises(DataError, match=r"not read, as the results go there\.\nName another folder with -o"):
            find_files(tmp_path / "in", without=without)


def test_somebody_elses_run_file_leaves_nothing_out(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"crawler": "x"}')
    (tmp_path / "story.txt").write_text("The council met on Monday.")
    assert find_files(tmp_path) == [tmp_path / "run.json", tmp_path / "story.txt"]


def test_a_link_to_a_folder_elsewhere_is_told_of(tmp_path: Path) -> None:
    for name in ("in/2018", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "story.txt").write_text("The council met on Monday.")
    (tmp_path / "in" / "latest").symlink_to(tmp_path / "in" / "2018")
    (tmp_path / "in" / "more").symlink_to(tmp_path / "elsewhere")
    read = list(read_articles(tmp_path / "in"))
    assert [each.reason.partition(",")[0] for each in read if isinstance(each, Reject)] == [
        "a link to a folder elsewhere"
    ]
    assert len(read) == 2
