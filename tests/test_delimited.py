"""Tables as programs and people write them: told by looking, and a broken row invents no article and no outlet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.articles import ReadOptions, read_articles
from loadedwords.articles.delimited import Dialect, find_dialect
from loadedwords.schema import Article, Reject

GOOD = "1,The dam broke.,Wire\n"


def read(
    file: Path, content: str, **options: Any
) -> tuple[list[tuple[str, str, str | None]], list[tuple[int | None, str]]]:
    """(id, text, outlet) of the articles, (line, reason) of the rejects."""
    file.write_bytes(content.encode())
    items = list(read_articles(file, options=ReadOptions(**options)))
    articles = [(i.id, i.text, i.outlet) for i in items if isinstance(i, Article)]
    return articles, [(i.line, i.reason) for i in items if isinstance(i, Reject)]


@pytest.mark.parametrize("sign", ",;\t|")
@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_sign_between_fields_is_found(sign: str, ending: str, line_end: str, tmp_path: Path) -> None:
    rows = [
        ("1", "The dam, the old one; broke | at night", "Wire"),
        ("2", f"A second{line_end}line, “he” said", "Blare"),
        ("3", 'He said "no".', ""),
    ]
    told = io.StringIO(newline="")
    writer = csv.writer(told, delimiter=sign, lineterminator=line_end)
    writer.writerows([("id", "text", "outlet"), *rows])
    articles, rejects = read(tmp_path / f"x.{ending}", told.getvalue())
    assert articles == [(*row[:2], row[2] or None) for row in rows]
    assert not rejects


def test_a_sign_of_the_user(tmp_path: Path) -> None:
    articles, _ = read(tmp_path / "x.csv", "id~text~outlet\n1~The dam, they said~Wire\n", delimiter="~")
    assert articles == [("1", "The dam, they said", "Wire")]


def test_the_columns_of_the_user_tell_the_sign(tmp_path: Path) -> None:
    assert find_dialect("nr;copy,paper\n1;a,b\n", ".csv", {"text": "copy,paper"}) == Dialect(";")
    assert find_dialect("nr;copy,paper\n1;a,b\n", ".csv", {"text": "nr;copy"}) == Dialect(",")


@pytest.mark.parametrize("before", ["sep=;\n", "\n\r\n", "\ufeffsep=;\r\n"])
def test_what_may_stand_before_the_header(before: str, tmp_path: Path) -> None:
    articles, rejects = read(tmp_path / "x.csv", f"{before}id;text;outlet\n1;The dam, they said;Wire\n2;a;b;c\n")
    assert articles == [("1", "The dam, they said", "Wire")]
    assert [line for line, _ in rejects] == [len(before.splitlines()) + 3]


def test_one_column_whose_texts_have_commas(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("text\nThe dam, they said, broke.\nIt, too.\n")
    assert [a.text for a in read_articles(file) if isinstance(a, Article)] == ["The dam, they said, broke.", "It, too."]


UNQUOTED = 'id\ttext\toutlet\n1\t"No," he said, and left.\tWire\n2\tThe 5" pipe\tBlare\n3\t"All of it"\tWire\n4\t"Never closed\tWire\n5\tIt broke.\tWire\n'


@pytest.mark.parametrize("before", [0, 2_000])
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_tabs_without_quotation_marks(before: int, ending: str, tmp_path: Path) -> None:
    """Whether that shows at the beginning of the file or far behind it."""
    header, *rows = UNQUOTED.splitlines(keepends=True)
    plain = "".join(f"p{n}\tThe dam broke and broke again that night.\tWire\n" for n in range(before))
    articles, rejects = read(tmp_path / f"x.{ending}", header + plain + "".join(rows))
    assert not rejects
    texts = {id_: text for id_, text, _ in articles[before:]}
    assert texts["1"] == '"No," he said, and left.'
    assert texts["2"] == 'The 5" pipe'
    assert texts["4"] == '"Never closed'
    assert [id_ for id_, *_ in articles[before:]] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ('He said \\"no\\" and left.', 'He said "no" and left.'),
        ('He said \\"no\\",\nand left.', 'He said "no",\nand left.'),
        ('One\n\\"Two,\\"\nThree, he said\\",\n', 'One\n"Two,"\nThree, he said",\n'),
        ('\\"No\\"', '"No"'),
        ('He left, \\",\nWire', 'He left, ",\nWire'),
    ],
)
@pytest.mark.parametrize("columns", ["id,text,outlet", "text,outlet"])
@pytest.mark.parametrize("before", [0, 2_000])
def test_quotation_marks_with_a_backslash(text: str, read_as: str, columns: str, before: int, tmp_path: Path) -> None:
    def row(id_: str, text: str, outlet: str) -> str:
        return f'{id_},"{text}",{outlet}\n' if columns.startswith("id") else f'"{text}",{outlet}\n'

    plain = "".join(row(f"p{n}", "The dam broke.", "Wire") for n in range(before))
    content = f"{columns}\n{plain}{row('a', text, 'Blare')}{row('b', 'It broke.', 'Wire')}"
    articles, rejects = read(tmp_path / "x.csv", content)
    assert not rejects
    assert [(text, outlet) for _, text, outlet in articles[before:]] == [(read_as, "Blare"), ("It broke.", "Wire")]


def test_a_backslash_before_the_end_of_a_field(tmp_path: Path) -> None:
    rows = 'a,"the folder C:\\",Wire\nb,"He said ""no\\"".",Blare\nc,"It broke, they said.",Wire\nd,It broke.,Wire\n'
    articles, rejects = read(tmp_path / "x.csv", f"id,text,outlet\n{rows}")
    assert not rejects
    assert [text for _, text, _ in articles] == [
        "the folder C:\\",
        'He said "no\\".',
        "It broke, they said.",
        "It broke.",
    ]


BROKEN = {
    "marks inside a text": '2,"He said "no" and\nleft, sadly.",Blare\n',
    "marks inside, more lines": '2,"He said "no" and\nleft.\n\n3 Roe, too, left\n"Then",\nno more.",Blare\n',
    "a mark that is never closed": '2,"He said it,Blare\n',
    "too many fields": "2,The dam broke, they said,Blare\n",
    "too many fields over lines": '2,"The dam\nbroke", they said,Blare\n',
    "a field too long": f'2,"{"The dam broke. " * 300}",Blare\n',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_row_costs_itself_and_invents_nothing(name: str, tmp_path: Path) -> None:
    after = '4,"It broke, too.",Wire\n5,The mayor spoke.,Wire\n'
    articles, rejects = read(tmp_path / "x.csv", f"id,text,outlet\n{GOOD}{BROKEN[name]}{after}", max_characters=1000)
    assert [id_ for id_, *_ in articles] == ["1", "4", "5"]
    assert {outlet for _, _, outlet in articles} == {"Wire"}
    assert [line for line, _ in rejects] == [3]
    n = BROKEN[name].count("\n")
    if n > 1 and "too many" not in name:
        assert f"lines 3 to {2 + n}: " in rejects[0][1]


def test_without_an_id_a_broken_row_still_invents_nothing(tmp_path: Path) -> None:
    content = 'text,outlet\nThe dam broke.,Wire\n"He said "no" and\nleft, sadly.\nIt was late, Roe",Blare\n"It broke, too.",Wire\n'
    articles, rejects = read(tmp_path / "x.csv", content)
    assert [(text, outlet) for _, text, outlet in articles] == [("The dam broke.", "Wire"), ("It broke, too.", "Wire")]
    assert len(rejects) == 1
    assert "lines 3 to 5" in rejects[0][1]


def test_a_file_cut_short_within_a_text(tmp_path: Path) -> None:
    content = f'id,text,outlet\n{GOOD}2,"The mayor spoke.\nShe said, among others, that\nthe dam, which is old, was'
    articles, rejects = read(tmp_path / "x.csv", content)
    assert [id_ for id_, *_ in articles] == ["1"]
    assert [line for line, _ in rejects] == [3]
    assert "never closed" in rejects[0][1]


@pytest.mark.parametrize("content", ["", "\n", '"', 'text"\n', '"text', "\0", ",,,\n", "text\n", '"text\n'])
def test_files_that_hardly_begin(content: str, tmp_path: Path) -> None:
    articles, _ = read(tmp_path / "x.csv", content)
    assert not articles


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=30).filter(str.strip)


@given(rows=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8), sign=st.sampled_from(",;\t|"))
def test_what_python_writes_is_read(
    rows: list[tuple[str, str]], sign: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    told = io.StringIO(newline="")
    csv.writer(told, delimiter=sign, quoting=csv.QUOTE_ALL).writerows([("text", "topic"), *rows])
    if '\\"' in told.getvalue():
        return  # which may be a backslash at the end of a field, or a mark within one
    file = tmp_path_factory.mktemp("csv") / "x.csv"
    file.write_bytes(told.getvalue().encode())
    items = list(read_articles(file))
    assert [i.text if isinstance(i, Article) else i for i in items] == [text for text, _ in rows]


@given(content=st.text(st.sampled_from('ab,\t;"\\\n1')))
def test_every_line_is_in_one_row_at_most(content: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("csv") / "x.csv"
    file.write_text(f"id,text,outlet\n{content}")
    items = list(read_articles(file))
    lines = [int(i.source.rpartition(":")[2]) if isinstance(i, Article) else i.line or 0 for i in items]
    assert lines == sorted(set(lines))
