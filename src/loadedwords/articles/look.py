"""A look at the input before anything is scored: what was understood of it, in five lines."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from loadedwords.articles.columns import COLUMN_NAMES
from loadedwords.articles.dates import LEFT_OUT
from loadedwords.articles.reading import check_columns, find_sources, read_sources
from loadedwords.articles.records import BY_ADDRESS, BY_FOLDER, ReadOptions
from loadedwords.articles.sources import STDIN, Progress, Source, Understood
from loadedwords.schema import Article, Reject
from loadedwords.text.language import ENGLISH, language_name, language_of

# Records looked at altogether, and files of each kind; a web page takes as long as a hundred texts.
_RECORDS = 2_000
_AHEAD = 200
_CHARACTERS = 20_000_000  # that are held of them
_FILES = 100
_PAGES = 10
_LANGUAGES = 200  # and texts whose language is told
_SHOWN = 5
_CUT_SHORT = re.compile(r"(?:\[\+\d+ chars\]|\[?(?:…|\.\.\.)\]?)\s*$")


@dataclass(frozen=True)
class Look:
    """What was understood of the first records.

    Attributes
    ----------
    kinds : mapping of str to int
        Such as ".csv (semicolons)" → files of that kind.
    columns : mapping of str to sequence of str
        Field → the columns that it is read from.
    articles : sequence of Article
    rejects : sequence of Reject
    complete : bool
        Whether this is all there is.
    """

    kinds: Mapping[str, int]
    columns: Mapping[str, Sequence[str]]
    articles: Sequence[Article]
    rejects: Sequence[Reject]
    complete: bool

    def lines(self) -> list[str]:
        """The five lines: files, columns, outlets, dates, texts."""
        return [self._files(), self._columns(), self._outlets(), self._dates(), self._texts()]

    def _files(self) -> str:
        n = len(self.articles) + len(self.rejects)
        looked = f"all {n:,} records" if self.complete else f"the first {n:,} records"
        return f"Files:   {_listed(self.kinds)}; looked at {looked}"

    def _columns(self) -> str:
        told = [
            " or ".join(columns) if [*columns] == [kind] else f"{kind} = {' or '.join(columns[:_SHOWN])}"
            for kind, columns in self.columns.items()
        ]
        return f"Columns: {', '.join(told) or 'none: no file has any'}"

    def _outlets(self) -> str:
        named = Counter(article.outlet for article in self.articles if article.outlet)
        notes = Counter(note for article in self.articles for note in article.notes)
        told = [f"{len(named):,}, such as {_listed(named)}" if named else "none"]
        for note, how in ((BY_ADDRESS, "the address"), (BY_FOLDER, "the folder")):
            if notes[note]:
                told.append(f"{notes[note]:,} articles named by {how}, since nothing else names them")
        if without := sum(not article.outlet for article in self.articles):
            told.append(f"{without:,} articles without; name one with --outlet, or a column with --outlet-column")
        return f"Outlets: {'; '.join(told)}"

    def _dates(self) -> str:
        dates = [article.date for article in self.articles if article.date]
        left_out = [note for article in self.articles for note in article.notes if note.startswith(LEFT_OUT)]
        told = [f"{len(dates):,} of {len(self.articles):,} articles{_range(dates)}"]
        if left_out:
            told.append(f"{len(left_out):,} left out, such as {left_out[0].removeprefix(LEFT_OUT)}")
        if without := len(self.articles) - len(dates) - len(left_out):
            told.append(f"{without:,} come without one")
        return f"Dates:   {'; '.join(told)}"

    def _texts(self) -> str:
        told = []
        if self.articles:
            lengths = sorted(len(article.text.split()) for article in self.articles)
            told.append(f"{lengths[len(lengths) // 2]:,} words in the middle one")
            step = max(1, len(self.articles) // _LANGUAGES)
            codes = [language_of(article.text) for article in self.articles[::step]]
            languages = Counter("English" if code == ENGLISH else language_name(code) for code in codes if code)
            of = f", of {len(codes):,} asked" if step > 1 else ""
            told.append(f"in {_listed(languages)}{of}" if languages else f"in no language that can be told{of}")
        if cut := sum(bool(_CUT_SHORT.search(article.text[-30:])) for article in self.articles):
            told.append(f"{cut:,} end as if cut short")
        told.append(f"{len(self.rejects):,} broken")
        if self.rejects:  # a dry run leaves no rejects.jsonl that says where
            told[-1] += f": {_listed(Counter(reject.reason for reject in self.rejects))}"
            told.append(f"these are in {_listed(Counter(reject.file for reject in self.rejects))}")
        return f"Texts:   {'; '.join(told)}"


def look_first(
    inputs: str | Path | Sequence[str | Path], *, options: ReadOptions, progress: Progress, without: Path | None
) -> tuple[Look, Iterator[Article | Reject]]:
    """What is understood of the inputs, and their articles; takes and raises what `read_articles` does."""
    sources = find_sources(inputs, progress=progress, without=without)
    check_columns(sources, options)
    stream = read_sources(sources, options)
    if any(source.path is None for source in sources):  # which can be read only once
        return look_ahead(stream, sources)
    return look_at(sources, options), stream


def look_ahead(
    stream: Iterator[Article | Reject], sources: Sequence[Source]
) -> tuple[Look, Iterator[Article | Reject]]:
    """What is understood of a stream that can be read only once, and the whole stream."""
    ahead, complete = _first(islice(stream, _AHEAD))
    return _look_at_items(ahead, sources, complete=complete and len(ahead) < _AHEAD), chain(ahead, stream)


def look_at(sources: Sequence[Source], options: ReadOptions) -> Look:
    """What is understood of the beginnings of files; of many files, of some of each kind."""
    by_ending: dict[str, list[Source]] = {}
    for source in sources:
        by_ending.setdefault(source.ending, []).append(source)
    chosen: list[Source] = []
    for ending, files in by_ending.items():
        step = max(1, len(files) // (_PAGES if ending in (".html", ".htm") else _FILES))
        chosen += files[::step]
    # In a place of their own: the run itself reads everything from the beginning.
    looked = [replace(source, progress=Progress(), understood=Understood()) for source in chosen]
    at_most = max(_SHOWN, _RECORDS // max(1, len(looked)))
    items, whole = _first(read_sources(looked, options, at_most=at_most))
    names = {source.name for source in looked}
    places = [item.file if isinstance(item, Reject) else item.source for item in items]
    n = Counter(place if place in names else place.rpartition(":")[0] for place in places)  # without the line
    complete = whole and len(looked) == len(sources) and max(n.values(), default=0) < at_most
    look = _look_at_items(items, looked, complete=complete)
    return replace(look, kinds=_kinds(looked, {ending: len(files) for ending, files in by_ending.items()}))


def _first(items: Iterator[Article | Reject]) -> tuple[list[Article | Reject], bool]:
    """As many as memory should hold, and whether these are all."""
    taken, n = list[Article | Reject](), 0
    for item in items:
        taken.append(item)
        n += len(item.text) if isinstance(item, Article) else 0
        if n > _CHARACTERS:
            return taken, False
    return taken, True


def _look_at_items(read: Sequence[Article | Reject], sources: Sequence[Source], *, complete: bool) -> Look:
    columns: dict[str, dict[str, None]] = {}
    for source in sources:
        for kind, column in source.understood.columns.items():
            columns.setdefault(kind, {})[column] = None
    return Look(
        _kinds(sources, {}),
        {kind: [*columns[kind]] for kind in COLUMN_NAMES if kind in columns},
        [item for item in read if isinstance(item, Article)],
        [item for item in read if isinstance(item, Reject)],
        complete,
    )


def _kinds(sources: Sequence[Source], n_files: Mapping[str, int]) -> dict[str, int]:
    """Kinds of files; where only some were looked at, the figure of those that look the same is drawn from them."""
    found = Counter((source.ending, source.understood.told) for source in sources)
    looked = Counter(source.ending for source in sources)
    return {
        _kind(ending, form): round(n * n_files.get(ending, looked[ending]) / looked[ending])
        for (ending, form), n in found.items()
    }


def _kind(ending: str, form: str) -> str:
    name = "standard input" if ending == STDIN else ending or "no ending"
    return f"{name} ({form})" if form else name


def _listed(counts: Mapping[str, int]) -> str:
    first = sorted(counts.items(), key=lambda pair: -pair[1])[:_SHOWN]
    told = ", ".join(f"{_short(name)} ({n:,})" for name, n in first)
    return f"{told}, …" if len(counts) > _SHOWN else told


def _short(name: str) -> str:
    return name if len(name) <= 100 else f"{name[:100]}…"


def _range(dates: Sequence[datetime.date]) -> str:
    return f", {min(dates)} to {max(dates)}" if dates else ""
