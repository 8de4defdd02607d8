"""Files in the shapes of well-known sets, and as services and programs write them, are read without an option."""

from __future__ import annotations

import datetime
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loadedwords.articles import COLUMN_NAMES, ReadOptions, read_articles, read_table
from loadedwords.articles.columns import option_of
from loadedwords.articles.records import BY_ADDRESS, BY_FOLDER
from loadedwords.errors import DataError
from loadedwords.schema import Article, Reject

TEXT = "The dam above Estmere broke in the night, the water board said."
DAY = datetime.date(2018, 7, 17)


def read(*inputs: Path, **options: Any) -> tuple[list[Article], list[Reject]]:
    items = list(read_articles(list(inputs), options=ReadOptions(**options)))
    return [i for i in items if isinstance(i, Article)], [i for i in items if isinstance(i, Reject)]


def fields(article: Article, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(article, name) for name in names)


ALL_THE_NEWS = (
    ",id,title,publication,author,date,year,month,url,content\n"
    f'0,17283,Dam breaks,Meridian Wire,Ann Lee,2018-07-17,2018.0,7.0,,"{TEXT}"\n'
)
ALL_THE_NEWS_2 = (
    "date,year,month,day,author,title,article,url,section,publication\n"
    f'2018-07-17 00:00:00,2018,7.0,17,Ann Lee,Dam breaks,"{TEXT}",https://www.wire.example/dam,World,Meridian Wire\n'
)
BABE = (
    "text;news_link;outlet;topic;type;label_bias;label_opinion;biased_words\n"
    f"\"{TEXT}\";https://wire.example/dam;Meridian Wire;dams;center;Non-biased;Factual;['broke']\n"
)
MEDIACLOUD = (
    "stories_id,publish_date,title,url,language,ap_syndicated,themes,media_id,media_name,media_url,text\n"
    f'99,2018-07-17 10:30:00,Dam breaks,https://wire.example/dam,en,False,,7,Meridian Wire,https://wire.example,"{TEXT}"\n'
)
GDELT = (
    "url\turl_mobile\ttitle\tseendate\tsocialimage\tdomain\tlanguage\tsourcecountry\ttext\n"
    f'https://wire.example/dam\t\t"Gone" in the night\t20180717T103000Z\t\twire.example\tEnglish\tUnited Kingdom\t{TEXT}\n'
)
NEWS_PLEASE = {
    "authors": ["Ann Lee"], "date_download": "2020-01-01 00:00:00", "date_modify": None, "date_publish": "2018-07-17 10:30:00",
    "description": "Water everywhere.", "filename": "dam.json", "image_url": None, "language": "en", "localpath": None,
    "maintext": TEXT, "source_domain": "www.wire.example", "title": "Dam breaks", "title_page": None, "title_rss": None,
    "url": "https://www.wire.example/dam",
}  # fmt: skip
WEBHOSE = {
    "organizations": [], "uuid": "9af0", "thread": {
        "site_full": "www.wire.example", "site": "wire.example", "section_title": "World", "url": "https://wire.example/dam",
        "country": "GB", "title": "Dam breaks", "performance_score": 0, "published": "2018-07-17T10:30:00.000+03:00",
        "social": {"facebook": {"likes": 0}},
    },
    "author": "Ann Lee", "url": "https://wire.example/dam", "ord_in_thread": 0, "title": "Dam breaks",
    "entities": {"persons": [{"name": "Kim Oz", "sentiment": "none"}], "locations": []}, "language": "english", "text": TEXT,
    "external_links": [], "published": "2018-07-17T10:30:00.000+03:00", "crawled": "2018-07-18T01:00:00.000+03:00",
}  # fmt: skip
NELA_GT = {
    "id": "wire--2018-07-17--dam", "date": "2018-07-17", "source": "meridianwire", "title": "Dam breaks", "content": TEXT,
    "author": "Ann Lee", "url": "https://wire.example/dam", "published": "Tue, 17 Jul 2018 10:30:00 +0000",
    "published_utc": 1531823400, "collection_utc": 1531830000,
}  # fmt: skip
NEWS_API_ARTICLE = {
    "source": {"id": "meridian-wire", "name": "Meridian Wire"}, "author": None, "title": "Dam breaks",
    "description": "Water everywhere.", "url": "https://wire.example/dam", "urlToImage": None,
    "publishedAt": "2018-07-17T10:30:00Z", "content": TEXT,
}  # fmt: skip
GUARDIAN_LIKE = {
    "response": {"status": "ok", "total": 1, "results": [{
        "id": "world/dam", "type": "article", "sectionName": "World", "webPublicationDate": "2018-07-17T10:30:00Z",
        "webTitle": "Dam breaks", "webUrl": "https://wire.example/dam", "fields": {"bodyText": TEXT, "byline": "Ann Lee"},
    }]},
}  # fmt: skip
ELASTIC = {"took": 3, "hits": {"total": 1, "hits": [{"_id": "1", "_source": NELA_GT}]}}
TRAFILATURA = {
    "title": "Dam breaks", "author": "Ann Lee", "hostname": "wire.example", "date": "2018-07-17", "fingerprint": "0f",
    "source": "https://wire.example/dam", "source-hostname": "Meridian Wire", "excerpt": "Water.", "text": TEXT,
}  # fmt: skip
EVENT_REGISTRY = {
    "uri": "77", "lang": "eng", "date": "2018-07-17", "dateTime": "2018-07-17T10:30:00Z", "url": "https://wire.example/dam",
    "title": "Dam breaks", "body": TEXT, "source": {"uri": "wire.example", "dataType": "news", "title": "Meridian Wire"},
    "authors": [{"uri": "ann", "name": "Ann Lee"}],
}  # fmt: skip
MONGO = {
    "_id": {"$oid": "5b4d"},
    "text": TEXT,
    "outlet": "Meridian Wire",
    "date": {"$date": "2018-07-17T10:30:00Z"},
    "title": "Dam breaks",
}

SETS = {
    "all-the-news.csv": (ALL_THE_NEWS, "Meridian Wire"),
    "all-the-news-2.csv": (ALL_THE_NEWS_2, "Meridian Wire"),
    "babe.csv": (BABE, "Meridian Wire"),
    "mediacloud.csv": (MEDIACLOUD, "Meridian Wire"),
    "gdelt.csv": (GDELT, "wire.example"),
    "gdelt.tsv": (GDELT, "wire.example"),
    "news-please.json": (NEWS_PLEASE, "wire.example"),
    "webhose.json": (WEBHOSE, "wire.example"),
    "nela.json": ([NELA_GT], "meridianwire"),
    "newsapi.json": ({"status": "ok", "totalResults": 1, "articles": [NEWS_API_ARTICLE]}, "Meridian Wire"),
    "newsapi.jsonl": ({"status": "ok", "totalResults": 1, "articles": [NEWS_API_ARTICLE]}, "Meridian Wire"),
    "guardian.json": (GUARDIAN_LIKE, "wire.example"),
    "elastic.json": (ELASTIC, "meridianwire"),
    "trafilatura.json": (TRAFILATURA, "Meridian Wire"),
    "registry.json": ({"articles": {"results": [EVENT_REGISTRY]}}, "Meridian Wire"),
    "mongo.json": (MONGO, "Meridian Wire"),
}


@pytest.mark.parametrize(
    ("name", "indent"), [(name, indent) for name in SETS for indent in (None, 2) if not (indent and name.endswith("l"))]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_well_known_set(name: str, indent: int | None, encoding: str, tmp_path: Path) -> None:
    content, outlet = SETS[name]
    text = content if isinstance(content, str) else json.dumps(content, indent=indent)
    (tmp_path / name).write_text(text, encoding=encoding)
    (article,), rejects = read(tmp_path / name)
    assert not rejects
    assert fields(article, "text", "outlet") == (TEXT, outlet)
    assert article.date == (None if name == "babe.csv" else DAY)
    assert article.title == {"babe.csv": None, "gdelt.csv": '"Gone" in the night', "gdelt.tsv": '"Gone" in the night'}.get(
        name, "Dam breaks"
    )  # fmt: skip
    if "wire.example/dam" in text:
        assert article.url in ("https://wire.example/dam", "https://www.wire.example/dam") or name == "trafilatura.json"
    if "Ann Lee" in text and name != "guardian.json":
        assert article.byline == "Ann Lee"


def test_one_object_an_array_or_a_line_each(tmp_path: Path) -> None:
    rows = [{**NELA_GT, "id": f"a{n}", "content": f"{TEXT} {n}"} for n in range(3)]
    spread = {
        "lines.json": "\n".join(map(json.dumps, rows)),
        "array.json": json.dumps(rows),
        "pretty.json": json.dumps(rows, indent=4),
        "one-by-one.json": "\n".join(json.dumps(row, indent=1) for row in rows),
        "array.jsonl": json.dumps(rows),
        "pretty.jsonl": json.dumps(rows, indent=4),
        "a-line-each.json": "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n",
        "newsapi.json": json.dumps({"articles": rows}, indent=1),
        "list-a-line-each.json": '{"status": "ok", "articles": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]}\n",
        "list-a-line-each.jsonl": '{"articles": [' + ",\n".join(map(json.dumps, rows)) + "]}",
        "commas.jsonl": ",\n".join(map(json.dumps, rows)),
    }
    for name, content in spread.items():
        (tmp_path / name).write_text(content)
        articles, rejects = read(tmp_path / name)
        assert not rejects, name
        assert [a.id for a in articles] == ["a0", "a1", "a2"], name
    for name in ("one.json", "one.jsonl"):
        (tmp_path / name).write_text(json.dumps({**WEBHOSE, "uuid": None}))
    assert read(tmp_path / "one.json")[0][0].id == str(tmp_path / "one.json")
    assert read(tmp_path / "one.jsonl")[0][0].id == f"{tmp_path / 'one.jsonl'}:1"


@pytest.mark.parametrize("orient", ["columns", "index", "split", "records", "table", "values by name"])
@pytest.mark.parametrize("n", [3, 2_000])
def test_tables_as_pandas_writes_them(orient: str, n: int, tmp_path: Path) -> None:
    rows = [{"text": f"{TEXT} {k}", "outlet": "Wire"} for k in range(n)]
    names = ["text", "outlet"]
    content = {
        "columns": {name: {str(k): row[name] for k, row in enumerate(rows)} for name in names},
        "index": {str(k): row for k, row in enumerate(rows)},
        "split": {"columns": names, "index": [*range(n)], "data": [[*row.values()] for row in rows]},
        "records": rows,
        "table": {"schema": {"fields": [{"name": "text", "type": "string"}]}, "data": rows},
        "values by name": {name: [row[name] for row in rows] for name in names},
    }[orient]
    (tmp_path / "x.json").write_text(json.dumps(content))
    articles, rejects = read(tmp_path / "x.json", max_characters=2_000)
    assert not rejects
    assert [fields(a, "text", "outlet") for a in articles] == [(row["text"], "Wire") for row in rows]
    if orient == "index":
        assert [a.id for a in articles[:3]] == ["0", "1", "2"]


def test_a_text_in_paragraphs(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({"text": ["The dam broke.", "It was late."], "outlet": "\\N"}))
    ((article,), _) = read(tmp_path / "x.jsonl")
    assert fields(article, "text", "outlet") == ("The dam broke.\n\nIt was late.", None)


def test_broken_json_costs_only_itself(tmp_path: Path) -> None:
    rows = [json.dumps({**NELA_GT, "id": f"a{n}"}) for n in range(5)]
    rows[1] = rows[1].replace('"title":', '"title"')
    rows[3] = rows[3].replace('breaks"', "breaks")
    for name, joint in (("x.json", ",\n"), ("y.json", ", "), ("z.json", "\n")):
        content = joint.join(rows)
        (tmp_path / name).write_text(content if joint == "\n" else f"[{content}]")
        articles, rejects = read(tmp_path / name)
        assert [a.id for a in articles] == ["a0", "a2", "a4"], name
        assert [r.line for r in rejects] == [2, 4], name
        assert all("no valid JSON" in r.reason for r in rejects)


def test_an_array_is_never_held_as_a_whole(tmp_path: Path) -> None:
    """Two megabytes, of which a reader may hold a tenth; and an object in it that is larger than an article may be."""
    row = json.dumps({"content": TEXT * 30, "outlet": "Wire", "tags": [{"name": "dams"}]})
    huge = json.dumps({"content": TEXT * 2_000, "outlet": "Wire"})
    for name, opening, closing in (
        ("x.json", "[", "]"),
        ("y.json", '{"tags": [{"id": 1}], "articles": [', '], "n": [{"a": 1}]}'),
    ):
        (tmp_path / name).write_text(f"{opening}{', '.join([row] * 500)}, {huge}, {', '.join([row] * 500)}{closing}")
        tracemalloc.start()
        n, rejects = 0, []
        for item in read_articles(tmp_path / name, options=ReadOptions(max_characters=3_000)):
            n += isinstance(item, Article)
            rejects += [item] if isinstance(item, Reject) else []
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert n == 1000
        assert [(r.line, "max_characters=" in r.reason) for r in rejects] == [(501, True)]
        assert peak < 1_200_000


def test_names_in_any_dress(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f'Article Text,PUBLISHED-AT,News Outlet,Article_ID\n"{TEXT}",2018-07-17,Wire,7\n')
    (article,), _ = read(tmp_path / "x.csv")
    assert fields(article, "text", "date", "outlet", "id") == (TEXT, DAY, "Wire", "7")


def test_nested_columns_by_an_option(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({"doc": {"copy": TEXT, "paper": "Wire"}, "text": "not this"}))
    (article,), _ = read(tmp_path / "x.jsonl", columns={"text": "doc.copy", "outlet": "doc.paper"})
    assert fields(article, "text", "outlet") == (TEXT, "Wire")
    pq.write_table(pa.Table.from_pylist([{"doc": {"copy": TEXT}}]), tmp_path / "x.parquet")
    (article,), _ = read(tmp_path / "x.parquet", columns={"text": "doc.copy"})
    assert article.text == TEXT


@pytest.mark.parametrize(
    ("row", "outlet", "note"),
    [
        ({"outlet": "Wire", "url": "https://x.example/1"}, "Wire", None),
        ({"outlet": "", "url": "https://www.x.example:8080/1?a=b"}, "x.example", BY_ADDRESS),
        ({"url": "http://news.x.example/1"}, "news.x.example", BY_ADDRESS),
        ({"source": "https://www.x.example"}, "x.example", None),
        ({"domain": "www.x.example"}, "x.example", None),
        ({"outlet": "\0\0\0\0"}, None, None),
        ({"outlet": "nan", "url": "dam.html"}, None, None),
        ({"outlet": {"id": 3, "name": "Wire"}}, "Wire", None),
        ({"outlet": ["Wire", None, "Blare"]}, "Wire, Blare", None),
        ({"outlet": "Wire\0"}, "Wire", None),
        ({"url": "https://[not an address"}, None, None),
        ({"url": "file:///home/ann/dam.html"}, None, None),
    ],
)
def test_what_names_the_outlet(row: dict[str, Any], outlet: str | None, note: str | None, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({"text": TEXT, **row}))
    (article,), _ = read(tmp_path / "x.jsonl")
    assert article.outlet == outlet
    assert article.notes == ((note,) if note else ())
    assert read(tmp_path / "x.jsonl", outlet="Told")[0][0].outlet == "Told"


def test_folders_name_outlets_where_nothing_else_does(tmp_path: Path) -> None:
    for name in (
        "articles/2018-07-17/Wire/a.txt",
        "articles/2018-07-18/Wire/b.txt",
        "articles/2018-07-17/The Blare/c.md",
        "articles/d.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TEXT)
    (tmp_path / "articles/2018-07-17/Wire/e.md").write_text(
        f"---\noutlet: Meridian Wire\ndate: 17 July 2018\n---\n{TEXT}"
    )

    def outlets(*inputs: Path) -> dict[str, str | None]:
        return {Path(a.source).name: a.outlet for a in read(*inputs)[0]}

    whole = {"a.txt": "Wire", "b.txt": "Wire", "c.md": "The Blare", "d.txt": None, "e.md": "Meridian Wire"}
    assert outlets(tmp_path / "articles") == whole
    notes = {Path(a.source).name: a.notes for a in read(tmp_path)[0]}
    assert notes == {"a.txt": (BY_FOLDER,), "b.txt": (BY_FOLDER,), "c.md": (BY_FOLDER,), "d.txt": (), "e.md": ()}
    day = tmp_path / "articles/2018-07-17"
    assert outlets(day / "Wire") == {"a.txt": None, "e.md": "Meridian Wire"}, "one folder tells nothing apart"
    assert outlets(day / "Wire", day / "The Blare") == {"a.txt": "Wire", "c.md": "The Blare", "e.md": "Meridian Wire"}


FRONT = (
    "---\ntitle: \"Dam breaks\"\nsource: 'Meridian Wire'\nauthor: Ann Lee\ndate: 2018-07-17\ntags:\n  - dams\n---\n\n"
)


@pytest.mark.parametrize(
    ("name", "head", "title", "standfirst"),
    [
        ("x.md", FRONT, "Dam breaks", None),
        ("x.txt", FRONT, "Dam breaks", None),
        ("x.txt", "Title: Dam breaks\nSource: Meridian Wire\nDate: July 17, 2018\n\n", "Dam breaks", None),
        ("x.txt", "Dam breaks\n\n", "Dam breaks", None),
        ("x.txt", "\r\n Dam breaks \r\n\r\n", "Dam breaks", None),
        ("x.txt", "Dam breaks\n\nWater stands in four streets of the old town\n\n", "Dam breaks",
         "Water stands in four streets of the old town"),
        ("x.md", "# Dam breaks #\n\n", "Dam breaks", None),
        ("x.md", "# Dam breaks\n## Water everywhere\n\n", "Dam breaks", "Water everywhere"),
        ("x.md", "# Dam breaks\n\n*Water everywhere.*\n\n", "Dam breaks", "Water everywhere."),
        ("x.txt", "", None, None),
        ("x.txt", "The night was quiet.\n\n", None, None),
        ("x.txt", "By Ann Lee\n\n", None, None),
        ("x.txt", "The mayor said: no\n\n", "The mayor said: no", None),
        ("x.txt", "Dam breaks\n", None, None),
        ("x.txt", f"{'word ' * 60}\n\n", None, None),
        ("x.txt", "---\nA line between rules\n---\n", None, None),
    ],
)  # fmt: skip
def test_what_a_text_file_says_at_its_head(
    name: str, head: str, title: str | None, standfirst: str | None, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(f"{head}{TEXT}\n".encode())
    (article,), _ = read(tmp_path / name)
    assert fields(article, "title", "standfirst") == (title, standfirst)
    if title:
        assert article.text == f"{TEXT}\n"
    elif "---" not in head:
        assert article.text == f"{head}{TEXT}\n"
    if "Wire" in head:
        assert fields(article, "outlet", "date") == ("Meridian Wire", DAY)


@pytest.mark.parametrize(
    ("line", "outlet", "day", "title"),
    [
        ("outlet: Meridian Wire", "Meridian Wire", None, None),
        ("date: 2018-07-17", None, DAY, None),
        ("Date: July 17, 2018", None, DAY, None),
        ("Media: a town and its papers", None, None, "Media: a town and its papers"),
        ("Date: a love story", None, None, "Date: a love story"),
    ],
)
def test_one_field_alone_at_the_head(
    line: str, outlet: str | None, day: datetime.date | None, title: str | None, tmp_path: Path
) -> None:
    """It is one if it is written as no headline is, or is a day."""
    (tmp_path / "x.txt").write_text(f"{line}\n\n{TEXT}\n")
    (article,), _ = read(tmp_path / "x.txt")
    assert fields(article, "outlet", "date", "title") == (outlet, day, title)
    assert article.text == f"{TEXT}\n"


def test_a_lone_title_is_the_text(tmp_path: Path) -> None:
    for n, content in enumerate(["# Dam breaks\n", "Dam breaks\n\n", "Dam breaks"]):
        (tmp_path / f"{n}.md").write_text(content)
        (article,), _ = read(tmp_path / f"{n}.md")
        assert fields(article, "text", "title") == (content, None)


def test_named_columns_hold_for_the_files_that_have_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'copy,paper,text\n"{TEXT}",Wire,not this\n')
    (tmp_path / "b.csv").write_text(f'text,outlet\n"{TEXT}",Blare\n')
    (tmp_path / "c.txt").write_text(TEXT)
    (tmp_path / "d.jsonl").write_text(json.dumps({"copy": TEXT, "outlet": "Gazette"}))
    articles, rejects = read(tmp_path, columns={"text": "copy", "outlet": "paper"})
    assert not rejects
    assert [a.text for a in articles] == [TEXT] * 4
    assert [a.outlet for a in articles] == ["Wire", "Blare", None, "Gazette"]


def test_a_named_encoding_holds_for_the_files_that_are_in_it(tmp_path: Path) -> None:
    text = "The café’s owner said “no”."
    for name, encoding in (
        ("a.txt", "cp1252"),
        ("b.txt", "utf-8"),
        ("c.txt", "utf-16"),
        ("d.csv", "cp1252"),
        ("e.csv", "utf-8"),
    ):
        (tmp_path / name).write_text(f"text\n{text}\n" if name.endswith("csv") else text, encoding=encoding)
    articles, rejects = read(tmp_path, encoding="cp1252")
    assert not rejects
    assert [a.text for a in articles] == [text] * 5


def test_a_named_column_that_is_nowhere_stops_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"text,paper\n{TEXT},Wire\n")
    (tmp_path / "b.txt").write_text(TEXT)
    with pytest.raises(
        DataError, match=r"no column 'papers'.\nFound: text, paper.\nName another with ReadOptions\(columns={'outlet'"
    ):
        read_articles(tmp_path, options=ReadOptions(columns={"outlet": "papers"}))
    with pytest.raises(DataError, match="event_id"):
        read_articles(tmp_path, options=ReadOptions(columns={"text": "text", "event_id": "story"}))
    assert len(read(tmp_path / "b.txt", columns={"outlet": "papers"})[0]) == 1, "a text has no columns"


def test_a_named_column_that_a_table_has_not() -> None:
    table = pa.table({"text": [TEXT], "paper": ["Wire"]})
    with pytest.raises(DataError, match="no column 'papers'"):
        read_table(table, options=ReadOptions(columns={"outlet": "papers"}))
    (article,) = read_table(table, options=ReadOptions(columns={"outlet": "paper"}))
    assert isinstance(article, Article)
    assert article.outlet == "Wire"


def test_the_docs_name_every_column() -> None:
    page = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")
    for kind, names in COLUMN_NAMES.items():
        assert f"| {', '.join(f'`{name}`' for name in names)} | `{option_of(kind)}` |" in page


def test_a_heading_below_front_matter_is_no_sentence_of_the_text(tmp_path: Path) -> None:
    story = tmp_path / "a.md"
    for title, wanted in (("", "Dam breaks"), ("title: For the search\n", "For the search")):
        story.write_text(f"---\n{title}outlet: Wire\n---\n# Dam breaks\n\n## Water rose\n\n{TEXT}\n", encoding="utf-8")
        (article,), _ = read(story)
        assert fields(article, "title", "standfirst", "text") == (wanted, "Water rose", f"{TEXT}\n")
