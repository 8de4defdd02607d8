"""Whatever encoding a text comes in, what is scored is what its author wrote, and offsets point into the text as read."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.articles import ReadOptions, read_articles
from loadedwords.articles.decoding import decode_page, encoding_of, text_stream
from loadedwords.schema import Article

SENTENCE = "The mayor’s “plan” – a café for the few – failed."
# What Latin-1 makes of windows-1252's marks.
AS_LATIN = SENTENCE.encode("cp1252")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("ending", [".txt", ".jsonl", ".csv", ".txt.gz"])
def test_unicode_is_read_without_being_told(encoding: str, ending: str, tmp_path: Path) -> None:
    content = {".jsonl": f'{{"text": "{SENTENCE}"}}\n', ".csv": f"text,outlet\n{SENTENCE},Wire\n"}.get(ending, SENTENCE)
    raw = content.encode(encoding)
    (tmp_path / f"a{ending}").write_bytes(gzip.compress(raw) if ending.endswith(".gz") else raw)
    (article,) = read_articles(tmp_path)
    assert isinstance(article, Article)
    assert article.text == SENTENCE


def test_a_mark_says_it_better_than_the_user() -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        for given_encoding in ("utf-8", "cp1252", "utf-16", "latin-1"):
            stream = text_stream(io.BytesIO(SENTENCE.encode(encoding)), given_encoding)
            assert stream.read() == SENTENCE


def test_big_endian_is_told_from_little_where_the_user_says_utf16() -> None:
    for encoding in ("utf-16-be", "utf-16-le"):
        assert text_stream(io.BytesIO(SENTENCE.encode(encoding)), "utf-16").read() == SENTENCE


@given(st.binary(max_size=400))
def test_any_head_has_an_encoding_that_reads_on(head: bytes) -> None:
    text_stream(io.BytesIO(head), "utf-8").read()
    assert isinstance(decode_page(head), str)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=200))
def test_utf8_without_zeros_stays_utf8(text: str) -> None:
    raw = text.encode()
    assert encoding_of(raw) == "utf-8-sig"
    assert decode_page(raw) == text.removeprefix("\ufeff")


@pytest.mark.parametrize("name", ["latin-1", "iso-8859-1", "ascii", "cp1252"])
def test_what_is_called_latin_is_read_as_windows(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(AS_LATIN)
    (article,) = read_articles(tmp_path, options=ReadOptions(encoding=name))
    assert isinstance(article, Article)
    assert article.text == SENTENCE
    # The five bytes without a character are no reason to refuse a file.
    (tmp_path / "a.txt").write_bytes(b"Hot \x9d water")
    (article,) = read_articles(tmp_path, options=ReadOptions(encoding="latin-1"))
    assert isinstance(article, Article)


PAGE = "<html><head>{}<title>Harbour</title></head><body><article>{}</article></body></html>"
BODY = "".join(f"<p>{SENTENCE} It was the {n}th time that the council met to hear of it.</p>" for n in range(4, 12))


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="iso-8859-1">', "cp1252"),
        ("<meta http-equiv='Content-Type' content='text/html; charset=ISO-8859-1'>", "cp1252"),
        ('<meta charset="us-ascii">', "cp1252"),
        ('<meta charset="windows-1252">', "cp1252"),
        ('<meta charset="utf-8">', "cp1252"),
        ('<meta charset="iso-8859-1">', "utf-8"),
        ('<meta charset="nonsense">', "cp1252"),
        ('<meta charset="hex">', "cp1252"),
        ('<meta charset="utf-16">', "cp1252"),
        ("", "cp1252"),
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
        ('<meta charset="macintosh">', "mac_roman"),
    ],
)
def test_a_page_keeps_its_marks(head: str, encoding: str, tmp_path: Path) -> None:
    raw = PAGE.format(head, BODY).encode(encoding)
    assert decode_page(raw) == PAGE.format(head, BODY)
    (tmp_path / "a.html").write_bytes(raw)
    (article,) = read_articles(tmp_path)
    assert isinstance(article, Article)
    assert article.text.count(SENTENCE) == 8


def test_a_page_pieced_together_is_read_piece_by_piece() -> None:
    assert decode_page("“We won’t,” ".encode() + "she said – ‘never’ – at the café".encode("cp1252")) == (
        "“We won’t,” she said – ‘never’ – at the café"
    )
    assert decode_page("žluťoučký".encode("iso-8859-2"), "iso-8859-2") == "žluťoučký"
