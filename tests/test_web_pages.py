"""What a web page says of itself: title, outlet and date, whichever of the many ways it has."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from loadedwords.articles import read_articles
from loadedwords.articles.records import BY_ADDRESS
from loadedwords.schema import Article
from loadedwords.text import prepare_text
from loadedwords.text.html import extract_article

BODY = "".join(
    f"<p>Paragraph {n} says that the gates of the dam were opened in the night, as the water board had said before.</p>"
    for n in range(6)
)
DAY = datetime.date(2018, 7, 17)
ADDRESS = "https://www.courier.example/dam"


def test_what_is_preformatted_is_the_articles_own_text() -> None:
    wrapped = (
        "The council met on Monday to decide on the plan for\nthe harbour, which had been put off twice since\n"
        "Wednesday and now costs <b>more</b> than the whole of last\nyear's budget.\r\n\r\nNobody spoke.\n"
    )
    said = "This dam is a monstrous betrayal of the valley."
    page = f"<html><body><article><h1>Dam</h1><pre class='x'>{wrapped}</pre><blockquote><p>{said}</p></blockquote></article></body></html>"
    article = extract_article(page)
    assert article is not None
    sentences = prepare_text(article["text"]).sentences
    assert [(s.text, s.voice) for s in sentences][1:] == [
        (" ".join(wrapped.replace("<b>", "").replace("</b>", "").split()).removesuffix(" Nobody spoke."), "own"),
        ("Nobody spoke.", "own"),
        (said, "quoted"),
    ]


def linked(**more: object) -> str:
    story = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": "Dam opens",
        "datePublished": "2018-07-17T10:30:00Z",
        **more,
    }
    return f'<title>Dam opens - The Courier</title><script type="application/ld+json">{json.dumps(story)}</script>'


PAGES = {
    "open graph": (
        f"<title>Dam opens | News</title><meta property='og:site_name' content='The Courier'><link rel='canonical' href='{ADDRESS}'>"
        "<meta property='article:published_time' content='2018-07-17T10:30:00Z'>",
        "The Courier", DAY, None,
    ),
    "linked data": (linked(publisher={"@type": "Organization", "name": "The Courier"}, url=ADDRESS), "The Courier", DAY, None),
    "an application's name": (
        "<title>Dam opens</title><meta name='application-name' content='The Courier'><meta name='date' content='17 July 2018'>",
        "The Courier", DAY, None,
    ),
    "behind the headline": ("<title>Dam opens | World &amp; News - The Courier</title><meta name='pubdate' content='20180717'>", "The Courier", DAY, None),
    "an address": (f"<title>Dam opens</title><link rel='canonical' href='{ADDRESS}'><meta itemprop='datePublished' content='2018-07-17'>", "courier.example", DAY, BY_ADDRESS),
    "saved by a browser": (f"<!-- saved from url=(0031){ADDRESS} --><title>Dam opens</title>", "courier.example", None, BY_ADDRESS),
    "nothing": ("<title>Dam opens</title>", None, None, None),
    "a title of its own": ("<title>The day in pictures - our favourites</title>", None, None, None),
}  # fmt: skip


@pytest.mark.parametrize(
    "said", ["They meet again on March 3, 2019.", "In the 2020 election he lost.", "Copyright 2021 Wire"]
)
def test_a_date_in_the_prose_is_not_the_pages(said: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"<html><body><article><h1>Dam</h1>{BODY}<p>{said}</p></article></body></html>")
    (article,) = read_articles(tmp_path)
    assert isinstance(article, Article)
    assert article.date is None


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_of_itself(name: str, tmp_path: Path) -> None:
    head, outlet, day, note = PAGES[name]
    page = f"<!DOCTYPE html><html><head><meta charset='utf-8'>{head}</head><body><nav>Home</nav><article><h1>Dam opens</h1>{BODY}</article></body></html>"
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    (article,) = read_articles(tmp_path)
    assert isinstance(article, Article)
    assert (article.title, article.outlet, article.date) == ("Dam opens", outlet, day)
    assert article.notes == ((note,) if note else ())
    assert "Paragraph 5 says" in article.text


@pytest.mark.parametrize(
    ("head", "day", "two_days"),
    [
        ("<meta name='date' content='03/04/2020'>", None, True),
        ("<meta name='date' content='3/4/2020'>", None, True),
        ("<meta property='article:published_time' content='03/04/2020 10:15:00 AM'>", None, True),
        ("<meta name='date' content='04/13/2020'>", datetime.date(2020, 4, 13), False),
        ("<meta name='date' content='4.3.2020'>", datetime.date(2020, 3, 4), False),
        ("<meta name='date' content='2020-04-03'>", datetime.date(2020, 4, 3), False),
        # What the page says a second time tells.
        (
            "<meta name='date' content='03/04/2020'><script type='application/ld+json'>"
            '{"@type": "NewsArticle", "datePublished": "2020-03-04"}</script>',
            datetime.date(2020, 3, 4),
            False,
        ),
    ],
)
def test_a_date_that_is_two_days_is_left_out(
    head: str, day: datetime.date | None, two_days: bool, tmp_path: Path
) -> None:
    page = f"<html><head><title>Dam</title>{head}</head><body><article><h1>Dam</h1>{BODY}<p>It is of 04/03/2020.</p></article></body></html>"
    (tmp_path / "page.html").write_text(page)
    (article,) = read_articles(tmp_path)
    assert isinstance(article, Article)
    assert article.date == day
    assert any("could be two days" in note for note in article.notes) == two_days


def test_the_pages_of_a_folder_tell_how_they_write_days(tmp_path: Path) -> None:
    for name, written in (("a", "03/04/2020"), ("b", "04/13/2020")):
        page = f"<html><head><title>Dam</title><meta name='date' content='{written}'></head><body><article><h1>Dam</h1>{BODY}</article></body></html>"
        (tmp_path / f"{name}.html").write_text(page)
    dates = [article.date for article in read_articles(tmp_path) if isinstance(article, Article)]
    assert dates == [datetime.date(2020, 3, 4), datetime.date(2020, 4, 13)]
