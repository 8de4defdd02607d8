"""Dates in the forms that people write; what could be two days is decided by its column or left open, and never silently."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadedwords.articles import ReadOptions, read_articles
from loadedwords.articles.dates import LEFT_OUT, read_date
from loadedwords.schema import Article

DAY = datetime.date(2018, 7, 17)
# Python's own directives, and what they lack: a day and a month without zeros.
FORMS = [
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y%m%d123000", "%Y%m%d1230", "%Y%m%dT123000Z", "%Y-{m}-{d}",
    "%Y-%m-%dT12:30:00Z", "%Y-%m-%dT12:30:00.000+03:00", "%Y-%m-%d 12:30:00 UTC", "%Y-%m-%dT23:30:00-0500",
    "%B {d}, %Y", "%b {d}, %Y", "%b. {d}, %Y", "%B {d}th, %Y", "%B {d} %Y", "{d} %B %Y", "{d} %b %Y", "{d}th %B %Y",
    "{d}th of %B, %Y", "{d}-%b-%Y", "%d-%b-%y", "%d %b %y", "%d%b%Y", "%A, %B {d}, %Y", "%A {d} %B %Y", "%B {d},%Y",
    "%a, %d %b %Y 12:30:00 GMT", "%a, %d %b %Y 12:30:00 +0000", "%a %b %d 12:30:00 +0000 %Y", "%a %b %d 12:30:00 %Y",
    "%a %b %d 12:30:00 EDT %Y", "%B {d}, %Y at 12:30 p.m. ET", "%b {d}, %Y, 12:30 PM", "Published %B {d}, %Y",
    "Published: {d} %B %Y 12:30", "Updated 12:30 PM ET, %a %B {d}, %Y", "%Y %B {d}", "%Y-%b-%d", "{d}.{m}.%Y",
    "Last modified on %a {d} %b %Y 12.30 EDT", "({d} %B %Y)", "%B {d}, %Y | 12:30 PM",
]  # fmt: skip
DAYS = st.dates(datetime.date(1970, 1, 2), datetime.date(2025, 12, 31))


def write(day: datetime.date, form: str) -> str:
    return day.strftime(form.replace("{d}", str(day.day)).replace("{m}", str(day.month)))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20)
@given(day=DAYS)
def test_every_form_of_every_day(form: str, day: datetime.date) -> None:
    assert read_date(write(day, form)) == (day, None)
    assert read_date(f"  {write(day, form).upper()}\n") == (day, None)


@given(day=DAYS.filter(lambda day: day.day > 12), sign=st.sampled_from("/-"))
def test_a_day_above_twelve_is_told_from_a_month(day: datetime.date, sign: str) -> None:
    for form in ("{m}/{d}/%Y", "{d}/{m}/%Y", "%m/%d/%Y 12:30:00 PM", "%d/%m/%Y 12:30"):
        assert read_date(write(day, form.replace("/", sign))) == (day, None)


@given(day=st.dates(datetime.date(1973, 3, 4), datetime.date(2025, 12, 31)))
def test_seconds_since_1970(day: datetime.date) -> None:
    seconds = int(datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.UTC).timestamp())
    for value in (seconds, float(seconds), str(seconds), f"{seconds}.0"):
        assert read_date(value) == (day, None)
    if seconds >= 1_000_000_000:  # of fewer thousandths, some might be a day and a clock: 200001010000
        assert read_date({"$date": seconds * 1000}) == (day, None)
        for factor in (1000, 1_000_000, 1_000_000_000):
            assert read_date(seconds * factor) == read_date(str(seconds * factor)) == (day, None)


@pytest.mark.parametrize("value", [2018, "2018", 2018.0, "2018-01", "January 2018", "Jan. 2018"])
def test_a_year_or_a_month_is_told_to_be_no_day(value: Any) -> None:
    date, note = read_date(value)
    assert date == datetime.date(2018, 1, 1)
    assert note
    assert "names no day" in note
    assert not note.startswith(LEFT_OUT)


@pytest.mark.parametrize("value", [None, "", "  ", "\0\0", "N/A", "nan", "None", float("nan"), "-", {}])
def test_what_says_nothing_is_no_date_and_no_trouble(value: Any) -> None:
    assert read_date(value) == (None, None)


@pytest.mark.parametrize(
    "value",
    ["March", "May", "the march of 5", "yesterday", "2 days ago", "12:30", "5 May", "1/2", "2018-13-45", "31/02/2018",
     "0000-00-00", "0001-01-01", "9999-12-31", 0, -1, "12345678", True, float("inf"), "9" * 40, [1], "Summer 2018",
     "x" * 90 + " 17 July 2018"],
)  # fmt: skip
def test_what_is_no_date_is_left_out_aloud(value: Any) -> None:
    date, note = read_date(value)
    assert date is None
    assert note
    assert note.startswith(LEFT_OUT)
    assert str(value)[:40] in note


@given(st.text(max_size=60) | st.integers() | st.floats() | st.binary(max_size=20) | st.booleans())
def test_anything_is_a_date_or_nothing(value: Any) -> None:
    date, note = read_date(value)
    assert date is None or date.year >= 1600
    assert date is None or note is None or "no day" in note


def test_formats_of_the_user_come_first() -> None:
    assert read_date("2018-07-06", formats=["%Y-%d-%m"]) == (datetime.date(2018, 6, 7), None)
    assert read_date("7/6/2018 10:30", formats=["%d/%m/%Y"]) == (datetime.date(2018, 6, 7), None)
    assert read_date("17 July 2018", formats=["%d/%m/%Y"]) == (DAY, None)
    assert read_date("07|06|18", formats=["%d.%m.%y", "%m|%d|%y"]) == (datetime.date(2018, 7, 6), None)


def dates_of(folder: Path, written: list[Any], **options: Any) -> list[tuple[datetime.date | None, bool]]:
    """The dates of a column, and whether each was left out."""
    file = folder / "x.jsonl"
    file.write_text("".join(json.dumps({"text": "The dam broke.", "date": date}) + "\n" for date in written))
    found = list(read_articles(file, options=ReadOptions(**options)))
    assert all(isinstance(item, Article) for item in found)
    return [(a.date, any(n.startswith(LEFT_OUT) for n in a.notes)) for a in found if isinstance(a, Article)]


JUNE, JULY = (datetime.date(2018, 6, 7), False), (datetime.date(2018, 7, 6), False)
OPEN = (None, True)


def test_a_column_decides_what_its_values_leave_open(tmp_path: Path) -> None:
    assert dates_of(tmp_path, ["7/6/2018", "7/17/2018"]) == [JULY, (DAY, False)]
    assert dates_of(tmp_path, ["7/6/18", "", "17/7/18"]) == [JUNE, (None, False), (DAY, False)]
    assert dates_of(tmp_path, ["7-17-2018", *["2018-07-17"] * 50, "7-6-2018"])[-1] == JULY


def test_a_column_that_tells_nothing_or_both_leaves_it_open(tmp_path: Path) -> None:
    assert dates_of(tmp_path, ["7/6/2018", "8/6/2018"]) == [OPEN, OPEN]
    assert dates_of(tmp_path, ["7/6/2018", "7/17/2018", "17/7/2018"]) == [OPEN, (DAY, False), (DAY, False)]
    assert dates_of(tmp_path, ["7/6/2018", "8/6/2018"], date_formats=("%d/%m/%Y",))[0] == JUNE
    assert dates_of(tmp_path, ["6/6/2018"]) == [(datetime.date(2018, 6, 6), False)], "either way the same day"


def test_what_contradicts_its_column_later_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadedwords.articles.dates._LOOK_AHEAD", 3)
    assert dates_of(tmp_path, ["7/6/2018", "7/17/2018", "7/6/2018", "17/7/2018", "7/6/2018"]) == [
        JULY, (DAY, False), JULY, OPEN, JULY,
    ]  # fmt: skip


def test_files_of_one_article_each_are_one_column(tmp_path: Path) -> None:
    for n, date in enumerate(["7/6/2018", "8/6/2018", "7/17/2018"]):
        (tmp_path / f"{n}.json").write_text(json.dumps({"text": "The dam broke.", "published": date}))
    found = [item for item in read_articles(tmp_path) if isinstance(item, Article)]
    assert [a.date for a in found] == [datetime.date(2018, 7, 6), datetime.date(2018, 8, 6), DAY]
    for n, date in enumerate(["7/6/2018", "17/7/2018"]):
        (tmp_path / f"{n}.csv").write_text(f"text,date\nThe dam broke.,{date}\n")
    tables = [item for item in read_articles(sorted(tmp_path.glob("*.csv"))) if isinstance(item, Article)]
    assert [a.date for a in tables] == [None, DAY], "a table is a column of its own"


def test_a_date_in_three_columns(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("year,month,day,text\n2018,7,17,The dam broke.\n2018.0,7.0,,It broke.\n,,,Broke.\n")
    found = [item for item in read_articles(tmp_path) if isinstance(item, Article)]
    assert [a.date for a in found] == [DAY, datetime.date(2018, 7, 1), None]
