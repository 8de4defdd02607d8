"""Whatever encoding a text comes in, what is scored is what its author wrote, and offsets point into the text as read."""

from __future__ import annotations

import gzip
import io
import itertools
import random
import re
from pathlib import Path
from typing import Any

import ftfy.bad_codecs  # noqa: F401 — it enters the sloppy codecs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import loadedwords
from loadedwords.articles import ReadOptions, read_articles
from loadedwords.articles.decoding import decode_page, encoding_of, text_stream
from loadedwords.schema import Article, Reject
from loadedwords.text import prepare_text
from loadedwords.text.alignment import Aligned, Edit, apply_edits
from loadedwords.text.cleaning import clean_text
from loadedwords.text.repair import repair

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


def test_zeros_tell_utf16_whatever_the_user_says() -> None:
    for encoding in ("utf-16-be", "utf-16-le"):
        assert text_stream(io.BytesIO(SENTENCE.encode(encoding)), "cp1252").read() == SENTENCE


def test_no_encoding_makes_a_text_of_a_picture(tmp_path: Path) -> None:
    for name, content in (
        ("packed", gzip.compress(random.Random(0).randbytes(2000), mtime=0)),
        ("numbers", bytes(range(256)) * 20),
    ):
        (tmp_path / f"{name}.txt").write_bytes(content)
    for given_encoding in ("utf-8", "latin-1", "cp1252"):
        items = list(read_articles(tmp_path, options=ReadOptions(encoding=given_encoding)))
        assert [isinstance(item, Reject) and "control characters" in item.reason for item in items] == [True, True]


def test_utf16_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        assert text_stream(io.BytesIO(SENTENCE.encode(encoding)[:-1])).read() == SENTENCE[:-1] + "\ufffd"


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


def test_what_xml_declares_counts_once(tmp_path: Path) -> None:
    page = '<?xml version="1.0" encoding="iso-8859-2"?>\n' + PAGE.format("", BODY.replace("é", "č"))
    for encoding in ("iso-8859-2", "utf-8"):
        raw = page.replace("’", "'").replace("“", '"').replace("”", '"').replace("–", "-").encode(encoding)
        (tmp_path / "a.html").write_bytes(raw)
        (article,) = read_articles(tmp_path)
        assert isinstance(article, Article)
        assert article.text.count("a cafč for the few") == 8


def test_a_page_pieced_together_is_read_piece_by_piece() -> None:
    assert decode_page("“We won’t,” ".encode() + "she said – ‘never’ – at the café".encode("cp1252")) == (
        "“We won’t,” she said – ‘never’ – at the café"
    )
    assert decode_page("žluťoučký".encode("iso-8859-2"), "iso-8859-2") == "žluťoučký"


# --- repairs --------------------------------------------------------------------------------------------------------

WRITTEN = "“We won’t,” said José – the café’s owner… “Naïve” — £6, “End”—so"


def misread(text: str, *encodings: str) -> str:
    for encoding in encodings:
        text = text.encode("utf-8").decode(encoding)
    return text


ENCODINGS = ("latin-1", "sloppy-windows-1252", "macroman", "cp437", "sloppy-windows-1250", "sloppy-windows-1251",
             "sloppy-windows-1253", "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2")  # fmt: skip


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_mojibake_is_undone(encoding: str, times: int) -> None:
    assert repair(misread(WRITTEN, *[encoding] * times)).text == WRITTEN


@pytest.mark.parametrize("lost", [("\x9d", ""), ("\x9d", "\ufffd"), ("Â\x9d", ""), ("\xa0", " ")])
@pytest.mark.parametrize("times", [1, 2])
def test_a_closing_mark_is_known_without_its_last_byte(times: int, lost: tuple[str, str]) -> None:
    text = misread("“No,” he said – “never”—and left. It was “five\xa0miles” off.", *["sloppy-windows-1252"] * times)
    assert clean_text(text.replace(*lost)).text == "“No,” he said – “never”—and left. It was “five miles” off."


def test_each_character_leads_to_those_that_it_was_made_of() -> None:
    for encodings in (("latin-1",), ("sloppy-windows-1252",), ("macroman",), ("latin-1", "sloppy-windows-1252")):
        read = misread(WRITTEN, *encodings)
        aligned = repair(read)
        at = 0
        for number, character in enumerate(WRITTEN):
            length = len(misread(character, *encodings))
            assert aligned.to_original(number, number + 1) == (at, at + length)
            at += length
        assert at == len(read)


def test_a_line_half_right_is_repaired_by_halves() -> None:
    text = "“Right,” he said. â€œWrongâ€\x9d – cafÃ©, ÃƒÂ©lan.\nThese stay: “é’s”, É— and IRMÃO."
    assert repair(text).text == "“Right,” he said. “Wrong” – café, élan.\nThese stay: “é’s”, É— and IRMÃO."


UNTOUCHED = [
    "The café’s “déjà vu” – naïve, isn’t it? – cost £5 (€6)…", "SÃO PAULO’S “JOÃO” É— “Ñ” … Öl, Ärger", "30 °C, ½ mile, 5′ 10″, © 2026, ™",
    "Привет, мир. Ελλάδα — «да».", "日本語。🇺🇸 𝔞", "R&D; AT&T &notable; 5 < 6 & so on", "Łódź, Kraków, Ağrı, Erdoğan, Dvořák",
]  # fmt: skip


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_is_right_stays(text: str) -> None:
    assert repair(text).text == text


@pytest.mark.parametrize(
    ("read", "written"),
    [
        # What Latin-1 makes of windows-1252.
        (AS_LATIN.decode("latin-1"), SENTENCE),
        ("wait\x85 and\x85", "wait… and…"),
        ("\x93It\x92s\x94\x85", "“It’s”…"),
        ("first.\x85Second.", "first.\nSecond."),
        ("first.\n\x85 second", "first.\n… second"),
        ("\x8050 or\x80— no", "€50 or— no"),
        ('campaign\'\x92s "\x93so\x94"', 'campaign\'s "so"'),
        ("Hot\x9d water", "Hot water"),
        # Escaped, once or more.
        ("&amp;quot;Hi&amp;quot; &amp;amp;#8217; &#147;x&#148; &#x2019;", '"Hi" ’ “x” ’'),
        ("R&amp;D; AT&amp;T; &amp; &amp;notable;", "R&D; AT&T; & &notable;"),
        ("&acirc;&euro;&oelig;so&acirc;&euro;&trade;s", "“so’s"),
        ("&lt;p&gt;One&lt;br&gt;two &lt;checks notes&gt;", "\nOne\ntwo <checks notes>"),
        ("a &nbsp; b&amp;nbsp;c", "a b c"),
        # Letters hidden or split.
        ("o\ufb03ce, \ufb01ne, re\ufb02ex, \ufb06", "office, fine, reflex, st"),
        ("&#64257;ne &shy;a&shy;b&zwj;c", "fine abc"),
        ("shame\xadless shame\u200bless shame\u2060less shame\ufeffless shame\ufe0fless", " ".join(["shameless"] * 5)),
        ("shame\xad\nless shame\xad\r\n  less", "shameless shameless"),
        ("The end\xad\nThe start", "The end\nThe start"),
        ("nai\u0308ve cafe\u0301", "naïve café"),
        ("don\u02bct be anti\u2011choice", "don’t be anti-choice"),
        ("\u2066@name\u2069 \u202a#x\u202c", "@name #x"),
        ("fiveÂ  miles, Â£5, 10Â km", "five miles, £5, 10 km"),
        ("â€¢ one\nâ€¢ two", "one\ntwo"),
    ],
)
def test_characters_become_what_was_written(read: str, written: str) -> None:
    assert clean_text(read).text == written


def test_lost_marks_hide_no_quotation() -> None:
    said = "“It is a vile, shameless farce,” said Ann Lee. The council met."
    for read in (
        *(misread(said, *["sloppy-windows-1252"] * times) for times in (1, 2)),
        misread(said, "sloppy-windows-1252").replace("\x9d", ""),
        said.encode("cp1252").decode("latin-1"),
        said.replace("“", "&amp;ldquo;").replace("”", "&amp;#148;"),
    ):
        sentences = prepare_text(read).sentences
        assert [s.voice for s in sentences] == ["mixed", "own"]
        assert sentences[0].quoted[0].speaker == "Ann Lee"
        assert read[sentences[1].start : sentences[1].end] == "The council met."


@pytest.mark.parametrize(
    "as_read",
    ["shame\xadless", "shame\u200bless", "sha\u2060me\ufeffless", "sham\xad\neless", "&#115;hameless", "shameles\ufb06".replace("\ufb06", "s")],
)  # fmt: skip
def test_a_hidden_word_is_found_and_covered(as_read: str) -> None:
    text = f"The {as_read} puppets sneered."
    plain = loadedwords.load_model().score_text("The shameless puppets sneered.")
    scored = loadedwords.load_model().score_text(text)
    assert [s.p_loaded for s in scored.sentences] == [s.p_loaded for s in plain.sentences]
    (word,), (plainly,) = scored.sentences[0].words, plain.sentences[0].words
    assert plainly.text.startswith("shameless")
    assert (word.text, word.score) == (text[word.start : word.end], plainly.score)
    assert word.text == plainly.text.replace("shameless", as_read)


# --- offsets --------------------------------------------------------------------------------------------------------

BROKEN = [
    "â€œ", "â€\x9d", "â€", "â€™", "Ã©", "Ãƒ", "Â", "Â\xa0", "Ã¢â‚¬Å“", "Ã¢â‚¬", "‚Äú", "ГўВЂВ", "\x93", "\x94", "\x92", "\x85", "\x80", "\x9d", "\xad", "\xad\n",
    "\u200b", "\ufb03", "e\u0301", "\u0301", "&amp;", "&amp;quot;", "&amp;#8217;", "&shy;", "&lt;b&gt;", "&fjlig;", "\ufffd", "\ufeff", "“", "”", "'", '"', "\xa0", " ",
    "\n", "\r\n", "**", "[x](https://example.org/)", "- ", "The mayor", "spoke.", "She", "left.", "café", "日本", "🇺🇸", "é", "—", "…", "?", "'90s",
]  # fmt: skip
broken_texts = st.lists(st.one_of(st.sampled_from(BROKEN), st.text(max_size=3)), max_size=20).map("".join)


def assert_leads_back(original: str, aligned: Aligned) -> None:
    """Places go forward, and what was copied shares its own with nothing else."""
    places = list(zip(aligned.starts.tolist(), aligned.ends.tolist(), strict=True))
    assert len(places) == len(aligned.text)
    assert all(0 <= start <= end <= len(original) for start, end in places)
    copied = [original[start:end] == sign for (start, end), sign in zip(places, aligned.text, strict=True)]
    for at, ((start, end), (next_start, next_end)) in enumerate(itertools.pairwise(places)):
        assert start <= next_start
        assert end <= next_end
        assert end <= next_start or not (copied[at] or copied[at + 1])


@given(broken_texts)
@example("\ufb03ce")
def test_repaired_text_leads_back(text: str) -> None:
    assert_leads_back(text, repair(text))
    assert_leads_back(text, clean_text(text))


@given(broken_texts)
def test_sentences_and_words_of_broken_text_are_where_they_say(text: str) -> None:
    prepared = prepare_text(text)
    pieces = sorted([(s.start, s.end) for s in prepared.sentences] + [(b.start, b.end) for b in prepared.boilerplate])
    assert all(0 <= start < end <= len(text) for start, end in pieces)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(pieces))
    for sentence in prepared.sentences:
        for word in re.finditer(r"\w+", sentence.text):
            start, end = sentence.to_article(*word.span())
            assert sentence.start <= start < end <= sentence.end
            if text[start:end].isascii() and "&" not in text[start:end]:
                assert set(word[0]) <= set(text[start:end])


@given(
    st.text("abcdefgh", max_size=12),
    st.lists(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.text("XYZ", max_size=3)), max_size=3), max_size=4),
)  # fmt: skip
def test_edits_on_edits_lead_back(original: str, rounds: list[list[tuple[int, int, str]]]) -> None:
    """Beside a second way of doing it: each character carries the slice that it stands for."""
    aligned, carried = apply_edits(original, ()), [(c, at, at + 1) for at, c in enumerate(original)]
    for cuts in rounds:
        n = len(carried)
        edits = [Edit(min(a, n), min(a + length, n), new) for a, length, new in cuts]
        aligned = aligned.edited(edits)
        done, kept = 0, []
        for edit in sorted(edits, key=lambda e: (e.start, -e.end)):
            if edit.start < done:
                continue
            kept += carried[done : edit.start]
            inside = carried[edit.start : edit.end] or carried[edit.start : edit.start + 1] or carried[-1:]
            low = inside[0][1] if inside else 0
            high = inside[-1][2] if inside else 0
            kept += [(c, low, high) for c in edit.replacement]
            done = edit.end
        carried = kept + carried[done:]
        assert aligned.text == "".join(c for c, _, _ in carried)
    for at in range(len(aligned.text)):
        if aligned.text[at] in "abcdefgh":
            assert aligned.to_original(at, at + 1) == carried[at][1:]


def test_real_articles_hardly_need_repair(real_articles: list[dict[str, Any]]) -> None:
    """A repair that fires on plain news would be wrong."""
    repaired = [article["text"] for article in real_articles if repair(article["text"]).text != article["text"]]
    assert len(repaired) <= 0.03 * len(real_articles)
    unmarked = {chr(code) for code in range(0x80, 0x9F)} | set("\xad\u2010\u2011\u200b\u200d\u200e\u200f\ufe0f\ufeff")
    assert all(unmarked & set(text) for text in repaired)
