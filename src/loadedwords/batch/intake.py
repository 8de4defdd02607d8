"""What goes into a run: rejects, and articles with an id that was there before, are written down instead of scored."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from loadedwords.articles.dates import LEFT_OUT
from loadedwords.batch.folder import REJECTS_FILE
from loadedwords.files import written_whole
from loadedwords.schema import Article, Reject

_EXAMPLES = 5


@dataclass(frozen=True)
class DateCounts:
    """Articles with a date, those whose date was left out, with the first reasons, and those that came without one."""

    dated: int = 0
    left_out: int = 0
    without: int = 0
    examples: tuple[str, ...] = ()

    @property
    def written(self) -> int:
        return self.dated + self.left_out

    def and_of(self, article: Article) -> DateCounts:
        if article.date:
            return replace(self, dated=self.dated + 1)
        why = next((note.removeprefix(LEFT_OUT) for note in article.notes if note.startswith(LEFT_OUT)), None)
        if why is None:
            return replace(self, without=self.without + 1)
        examples = self.examples if len(self.examples) >= _EXAMPLES else (*self.examples, why)
        return replace(self, left_out=self.left_out + 1, examples=examples)


class Intake:
    """The articles of a stream, once; `n_rejected` and `dates` count what went to `rejects.jsonl` and on so far."""

    def __init__(self, stream: Iterable[Article | Reject], folder: Path) -> None:
        self._stream = stream
        self._file = folder / REJECTS_FILE
        self.n_rejected = 0
        self.dates = DateCounts()

    def articles(self) -> Iterator[Article]:
        # A nameless database lies on disk, so that ten million ids need no more memory than ten.
        with (
            written_whole(self._file) as beside,
            beside.open("w", encoding="utf-8", errors="replace") as rejects,
            closing(sqlite3.connect("", isolation_level=None)) as seen,
        ):
            seen.execute("PRAGMA journal_mode = OFF")
            seen.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, source TEXT) WITHOUT ROWID")
            for item in self._stream:
                reject = _seen_before(item, seen) if isinstance(item, Article) else item
                if reject is not None:
                    rejects.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")
                    self.n_rejected += 1
                elif isinstance(item, Article):
                    self.dates = self.dates.and_of(item)
                    yield item


def _seen_before(article: Article, seen: sqlite3.Connection) -> Reject | None:
    if seen.execute("INSERT OR IGNORE INTO ids VALUES (?, ?)", (article.id, article.source)).rowcount:
        return None
    (first,) = seen.execute("SELECT source FROM ids WHERE id = ?", (article.id,)).fetchone()
    file, _, line = article.source.rpartition(":")
    reason = f"duplicate id {article.id!r}, first seen at {first or 'an earlier article'}"
    return Reject(file, int(line), reason) if line.isdigit() else Reject(article.source, None, reason)
