"""What goes into a run: rejects, and articles with an id that was there before, are written down instead of scored."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from loadedwords.batch.folder import REJECTS_FILE
from loadedwords.files import written_whole
from loadedwords.schema import Article, Reject


class Intake:
    """The articles of a stream, once; `n_rejected` counts what was written to `rejects.jsonl` so far."""

    def __init__(self, stream: Iterable[Article | Reject], folder: Path) -> None:
        self._stream = stream
        self._file = folder / REJECTS_FILE
        self.n_rejected = 0

    def articles(self) -> Iterator[Article]:
        # A nameless database lies on disk, so that ten million ids need no more memory than ten.
        with (
            written_whole(self._file) as beside,
            beside.open("w", encoding="utf-8") as rejects,
            closing(sqlite3.connect("", isolation_level=None)) as seen,
        ):
            seen.execute("PRAGMA journal_mode = OFF")
            seen.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, source TEXT) WITHOUT ROWID")
            for item in self._stream:
                reject = _seen_before(item, seen) if isinstance(item, Article) else item
                if reject is not None:
                    rejects.write(json.dumps(asdict(reject)) + "\n")
                    self.n_rejected += 1
                elif isinstance(item, Article):
                    yield item


def _seen_before(article: Article, seen: sqlite3.Connection) -> Reject | None:
    if seen.execute("INSERT OR IGNORE INTO ids VALUES (?, ?)", (article.id, article.source)).rowcount:
        return None
    (first,) = seen.execute("SELECT source FROM ids WHERE id = ?", (article.id,)).fetchone()
    file, _, line = article.source.rpartition(":")
    reason = f"duplicate id {article.id!r}, first seen at {first or 'an earlier article'}"
    return Reject(file, int(line), reason) if line.isdigit() else Reject(article.source, None, reason)
