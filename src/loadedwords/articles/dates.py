"""What people write for a date → the date, or why there is none."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from loadedwords.articles.columns import is_nothing

T = TypeVar("T")

# How a note on a date begins that was left out.
LEFT_OUT = "date left out: "

_EARLIEST = datetime.date(1600, 1, 1)
_LONGEST = 80  # more is a sentence that speaks of a date
# Records looked at to tell whether a column writes the day or the month first, and how much text is held meanwhile.
_LOOK_AHEAD = 5_000
_LOOK_AHEAD_CHARACTERS = 20_000_000

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<m>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?(?![a-z])"
)
_DAY = r"(?<!\d)(?P<d>\d{1,2})(?:st|nd|rd|th)?(?![\d:])"
_YEAR = r"(?P<y>[12]\d{3})(?!\d)"
_GAP = r"[\s,./-]*"
_CLOCK = r"(?:\d{1,2}:\d\d(?::\d\d)?(?:\.\d+)?\s*(?:[ap]\.?m\.?)?\s*(?:[a-z]{2,4}|[+-]\d{4})?\s*)?"
_WORDED = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_DAY}{_GAP}(?:of\s+)?{_MONTH}{_GAP}{_YEAR}",  # 17 July 2018, 17-Jul-2018, 17th of July, 2018
        rf"(?<![a-z]){_MONTH}{_GAP}{_DAY}{_GAP}{_CLOCK}{_YEAR}",  # July 17, 2018; Jul 17 12:30:00 +0000 2018
        rf"(?<!\d){_YEAR}{_GAP}{_MONTH}{_GAP}{_DAY}",  # 2018 July 17
        rf"{_DAY}[-\s]{_MONTH}[-\s'’]+(?P<y>\d\d)(?![\d:])",  # 17-Jul-18
    )
]
_MONTH_AND_YEAR = re.compile(rf"\s*{_MONTH}{_GAP}{_YEAR}\s*", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"\D{0,20}?(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_COMPACT = re.compile(
    r"((?:1[5-9]|20)\d\d)(0\d|1[0-2])([0-2]\d|3[01])(?:[T ]?(?:[01]\d|2[0-3]):?[0-5]\d(?::?\d\d)?(?:\.\d+)?Z?)?"
)
_NUMERIC = re.compile(r"\D{0,20}?(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2([12]\d{3}|\d\d)(?![\d/])")
_YEAR_ONLY = re.compile(r"([12]\d{3})(?:[-/](\d\d?))?")
_NUMBER = re.compile(r"(?:\d{9,10}|\d{12,13}|\d{16}|\d{19})(?:\.\d*)?")


def read_date(
    value: Any, *, day_first: bool | None = None, formats: Sequence[str] = ()
) -> tuple[datetime.date | None, str | None]:
    """The date that a value stands for, in the time zone that it is written in, and a note on it.

    Values are dates, written dates, and seconds (or thousandths, millionths, ... of them) since 1970. `day_first` says
    whether the column writes 7/6/2018 for the 7th of June; where that isn't known, it is two days, so it is none.
    `formats`, as `datetime.strptime` takes them, are tried before anything else. The note says why a value was left out
    (`LEFT_OUT`), or that it names no day.
    """
    if isinstance(value, dict):  # as MongoDB exports it
        value = value.get("$date")
    if is_nothing(value):
        return None, None
    if isinstance(value, datetime.datetime):
        value = value.date()
    shown = repr(str(value).strip()[:40])
    if isinstance(value, datetime.date):
        found: datetime.date | None = value
        note = None
    else:
        try:
            found, note = _read_written(_plain(value), day_first, formats)
        except (ValueError, OverflowError, OSError):  # such as the 31st of June
            found, note = None, None
    if found is None:
        return None, f"{LEFT_OUT}{shown} {note or 'was not understood (name its form with --date-format)'}"
    if not _EARLIEST <= found <= datetime.date.today() + datetime.timedelta(days=366):
        return None, f"{LEFT_OUT}{shown} is impossible"
    return found, f"date {shown} {note}" if note else None


def with_day_order(
    records: Iterable[T], date_of: Callable[[T], Any], size_of: Callable[[T], int]
) -> Iterator[tuple[T, bool | None]]:
    """Each record with whether its column of dates writes the day first, as far as the column tells.

    At the first value that could be two days, the next records are read ahead: if all values that can be only one day
    have it in the same place, it is there in the others too. `date_of` gives what a record has for a date, `size_of`
    how many characters it holds.
    """
    shown: set[bool] = set()
    records = iter(records)
    for record in records:
        parts = _numeric_parts(date_of(record))
        shown |= _order_shown(parts)
        if parts is None or max(parts) > 12 or parts[0] == parts[1]:
            yield record, None
            continue
        ahead, size = [record], size_of(record)
        while len(ahead) < _LOOK_AHEAD and size < _LOOK_AHEAD_CHARACTERS and (other := next(records, None)) is not None:
            ahead.append(other)
            size += size_of(other)
            shown |= _order_shown(_numeric_parts(date_of(other)))
        decided = shown.pop() if len(shown) == 1 else None
        yield from ((other, decided) for other in chain(ahead, records))


def _numeric_parts(value: Any) -> tuple[int, int] | None:
    """The two numbers of which one is the day and one the month, where nothing but their place says which."""
    match = _NUMERIC.match(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST else None
    return None if match is None or match[2] == "." else (int(match[1]), int(match[3]))


def _order_shown(parts: tuple[int, int] | None) -> set[bool]:
    if parts is None or (parts[0] > 12) == (parts[1] > 12):
        return set()
    return {parts[0] > 12}


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) else ""
    return str(value).replace("\0", "").strip()


def _read_written(
    written: str, day_first: bool | None, formats: Sequence[str]
) -> tuple[datetime.date | None, str | None]:
    for form in formats:
        try:
            return datetime.datetime.strptime(written, form).date(), None
        except ValueError:
            continue
    if len(written) > _LONGEST:
        return None, None
    if match := _YEAR_FIRST.match(written):
        return datetime.date(int(match[1]), int(match[3]), int(match[4])), None
    if match := _COMPACT.fullmatch(written):
        return datetime.date(int(match[1]), int(match[2]), int(match[3])), None
    if _NUMBER.fullmatch(written):
        return _since_1970(written), None
    if match := _YEAR_ONLY.fullmatch(written):
        return datetime.date(int(match[1]), int(match[2] or 1), 1), "names no day: the first stands for it"
    for pattern in _WORDED:
        if match := pattern.search(written):
            return datetime.date(_full_year(match["y"]), _month(match["m"]), int(match["d"])), None
    if match := _MONTH_AND_YEAR.fullmatch(written):
        return datetime.date(int(match["y"]), _month(match["m"]), 1), "names no day: the first stands for it"
    if match := _NUMERIC.match(written):
        return _read_numeric(int(match[1]), int(match[3]), _full_year(match[4]), match[2], day_first, formats)
    return None, None


def _read_numeric(
    first: int, second: int, year: int, sign: str, day_first: bool | None, formats: Sequence[str]
) -> tuple[datetime.date | None, str | None]:
    for form in formats:  # one that says nothing of the clock still says which comes first
        if "%d" in form and "%m" in form:
            day_first = form.index("%d") < form.index("%m")
    if sign == ".":  # hardly anybody who writes the month first does so with full stops
        day_first = second <= 12
    elif (first > 12) != (second > 12):
        if day_first is not None and day_first != (first > 12):
            return None, "writes day and month the other way round than its column (name the form with --date-format)"
        day_first = first > 12
    if day_first is None and first != second:
        return None, "could be two days (name the form with --date-format, such as %m/%d/%Y)"
    day, month = (first, second) if day_first else (second, first)
    return datetime.date(year, month, day), None


def _since_1970(written: str) -> datetime.date:
    """Seconds, or thousandths, millionths or billionths of them, as the number of digits tells."""
    whole = written.partition(".")[0]
    seconds = int(whole) // 1000 ** max(0, (len(whole) - 8) // 3) if len(whole) > 10 else int(whole)
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date()


def _full_year(written: str) -> int:
    year = int(written)
    if len(written) == 4:
        return year
    century = datetime.date.today().year // 100 * 100
    return century + year if century + year <= datetime.date.today().year + 1 else century - 100 + year


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1
