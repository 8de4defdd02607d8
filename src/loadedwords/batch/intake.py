"""What goes into a run: rejects, and articles with an id that was there before, are written down instead of scored.

A run that adds to another knows the articles of that by their tables: what has the same id and content is passed over.
Where changed articles replace those, the last of a stream with an id counts: a stream that holds the old and the new changes nothing the
second time. What is taken out of the tables is written down before, so that a run that was killed then knows what it was.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TextIO

import pyarrow.parquet as pq

from loadedwords.batch.folder import REJECTS_FILE, REPLACED_FILE, shard_path
from loadedwords.files import written_whole
from loadedwords.schema import Article, Reject, text_digest

# What is done with an article whose id is in the scores with other content.
Changed = Literal["keep", "replace"]

# Id, source, digest of the text, and of the details.
_Row = tuple[str, str, str, bytes]
# What a reject says of an article whose like is kept.
_ANOTHER = " was scored with another "
_FIRST_SEEN = ", first seen at "
# Beside the text, what the tables hold of an article as it was read.
_DETAILS = ("outlet", "title", "standfirst", "date", "url", "event_id", "topic", "byline")


class Intake:
    """The articles of a stream, once.

    Parameters
    ----------
    stream : iterable of Article or Reject
    folder : Path
        Of the run; gets ``rejects.jsonl``.
    n_shards : int or None
        Shards of the run that the articles are added to, if they are: articles that these hold are known.
    part : int
        How many parts that run has: so an addition that was stopped is known again.
    changed : {"keep", "replace"}
        Whether an article that these hold with other content is rejected, or goes in for the other.

    Attributes
    ----------
    n_known, n_changed, n_rejected : int
        Of the stream so far; what is changed and kept counts among the rejected, too.
    n_rejects : int
        Rows of ``rejects.jsonl``, once the stream has ended.
    """

    def __init__(
        self,
        stream: Iterable[Article | Reject],
        folder: Path,
        *,
        n_shards: int | None = None,
        part: int = 0,
        changed: Changed = "keep",
    ) -> None:
        self._stream, self._folder, self._changed = stream, folder, changed
        self._n_shards, self._part = n_shards, part
        self._n_replacing = 0
        self.n_known = self.n_changed = self.n_rejected = self.n_rejects = 0

    def articles(self) -> Iterator[Article]:
        # A nameless database lies on disk, so that ten million ids need no more memory than ten.
        with (
            written_whole(self._folder / REJECTS_FILE) as beside,
            beside.open("w", encoding="utf-8", errors="replace") as rejects,
            closing(sqlite3.connect("", isolation_level=None)) as seen,
        ):
            seen.execute("PRAGMA journal_mode = OFF")
            seen.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, source TEXT, text TEXT, details BLOB) WITHOUT ROWID")
            seen.execute("CREATE TABLE rejects (line TEXT PRIMARY KEY) WITHOUT ROWID")
            # The last article of an id that is to replace another, to go in at the end.
            seen.execute("CREATE TABLE replacing (id TEXT PRIMARY KEY, n INTEGER, article TEXT) WITHOUT ROWID")
            # Rows that an article may make untrue that is taken now for the one that was kept.
            seen.execute("CREATE TABLE held (n INTEGER PRIMARY KEY, about TEXT, line TEXT)")
            seen.execute("CREATE INDEX held_about ON held (about)")
            if self._n_shards is not None:
                _learn_articles(seen, self._folder, self._n_shards, self._part)
                hold = self._changed == "replace"
                self.n_rejects = _keep_rejects(seen, self._folder / REJECTS_FILE, rejects, hold=hold)
            for item in self._stream:
                settled = self._settle(item, seen) if isinstance(item, Article) else item
                if isinstance(settled, Reject):
                    self.n_rejected += 1
                    told = {"file": settled.file, "line": settled.line, "reason": settled.reason}
                    line = json.dumps(told, ensure_ascii=False) + "\n"
                    # The same broken file is told once, however often it comes again.
                    if not seen.execute("SELECT 1 FROM rejects WHERE line = ?", (_stored(line),)).fetchone():
                        rejects.write(line)
                        self.n_rejects += 1
                elif settled is not None:
                    yield settled
            for (content,) in seen.execute("SELECT article FROM replacing ORDER BY n"):
                article = _from_json(content)
                self.n_changed += 1
                untrue = map(_stored, (_changed(article), _duplicate(article, article.source)))
                seen.execute("DELETE FROM held WHERE about IN (?, ?)", (*untrue,))
                yield article
            for (line,) in seen.execute("SELECT line FROM held ORDER BY n"):
                rejects.write(line)
                self.n_rejects += 1

    def _settle(self, article: Article, seen: sqlite3.Connection) -> Article | Reject | None:
        """The article if it is to be scored, why it isn't, or None if its scores are there."""
        if seen.execute("INSERT OR IGNORE INTO ids VALUES (?, ?, NULL, NULL)", (article.id, article.source)).rowcount:
            return article
        first, text, details = seen.execute(
            "SELECT source, text, details FROM ids WHERE id = ?", (article.id,)
        ).fetchone()
        first = first or "an earlier article"
        if text is None:  # of this very stream
            return _reject(article, f"{_duplicate(article)}{_FIRST_SEEN}{first}")
        same_text = text == text_digest(article.text)
        is_known = same_text and details == _details(vars(article))
        if self._changed == "replace":
            # An earlier one of this stream is passed over like one that is known.
            self.n_known += seen.execute("DELETE FROM replacing WHERE id = ?", (article.id,)).rowcount
            if not is_known:
                self._n_replacing += 1
                row = (article.id, self._n_replacing, _as_json(article))
                seen.execute("INSERT INTO replacing VALUES (?, ?, ?)", row)
                return None
        if is_known:
            self.n_known += 1
            return None
        self.n_changed += 1
        differs = "title, outlet, date or another detail" if same_text else "text"
        return _reject(
            article,
            f"{_changed(article)}{_ANOTHER}{differs}, from {first}, and is kept so; --changed replace takes this one",
        )


def remember_replaced(folder: Path, n_shards: int, part: int, ids: Collection[str]) -> None:
    """Write down what the first shards hold of articles that are about to be taken out of them."""
    known = {row[0]: row for row in _replaced(folder, part)}
    known |= {row[0]: row for row in _articles_of(folder, n_shards) if row[0] in ids}
    with written_whole(folder / REPLACED_FILE) as beside, beside.open("w", encoding="utf-8") as file:
        for *about, details in known.values():
            file.write(json.dumps([part, *about, details.hex()]) + "\n")


def _replaced(folder: Path, part: int) -> Iterator[_Row]:
    """What an addition that was stopped had taken out, or was about to."""
    file = folder / REPLACED_FILE
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            of_part, identity, source, text, details = json.loads(line)
            if of_part == part:
                yield identity, source, text, bytes.fromhex(details)


def _articles_of(folder: Path, n_shards: int) -> Iterator[_Row]:
    for number in range(n_shards):
        rows = pq.read_table(
            shard_path(folder, "articles", number), columns=["article_id", "source", "text_digest", *_DETAILS]
        )
        for row in rows.to_pylist():
            yield row["article_id"], row["source"], row["text_digest"], _details(row)


def _learn_articles(seen: sqlite3.Connection, folder: Path, n_shards: int, part: int) -> None:
    rows = chain(_articles_of(folder, n_shards), _replaced(folder, part))
    seen.executemany("INSERT OR IGNORE INTO ids VALUES (?, ?, ?, ?)", rows)


def _as_json(article: Article) -> str:
    return json.dumps({**asdict(article), "date": article.date and article.date.isoformat()})


def _from_json(content: str) -> Article:
    fields = json.loads(content)
    date = fields.pop("date")
    return Article(**{**fields, "notes": tuple(fields["notes"])}, date=date and datetime.date.fromisoformat(date))


def _keep_rejects(seen: sqlite3.Connection, file: Path, rejects: TextIO, *, hold: bool) -> int:
    """Write down again what is in a file, and how many rows that were; hold back what says that an article is not taken."""
    n = 0
    if not file.is_file():  # somebody took it away
        return n
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            seen.execute("INSERT OR IGNORE INTO rejects VALUES (?)", (line,))
            about = _about(Reject(**json.loads(line))) if hold and (_ANOTHER in line or _FIRST_SEEN in line) else None
            if about:
                seen.execute("INSERT INTO held (about, line) VALUES (?, ?)", (about, line))
            else:
                rejects.write(line)
                n += 1
    return n


def _changed(article: Article) -> str:
    """What a reject says first of an article that another of its id was kept for."""
    return f"changed: id {article.id!r}"


def _duplicate(article: Article, place: str = "") -> str:
    """What a reject says first of an article whose id its own stream had before; with its place, which one it was."""
    return f"{place} duplicate id {article.id!r}".lstrip()


def _about(reject: Reject) -> str:
    """Which article a reject says is not taken: by its id what was kept for another, by its place, too, what came twice."""
    changed, another, _ = reject.reason.partition(_ANOTHER)
    if another:
        return changed
    place = reject.file if reject.line is None else f"{reject.file}:{reject.line}"
    return f"{place} {reject.reason.rpartition(_FIRST_SEEN)[0]}"


def _details(of: Mapping[str, Any]) -> bytes:
    return blake2b(repr([of[name] for name in _DETAILS]).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _stored(line: str) -> str:
    """As it is read from a file, which takes no half characters."""
    return line.encode("utf-8", "replace").decode()


def _reject(article: Article, reason: str) -> Reject:
    file, _, line = article.source.rpartition(":")
    return Reject(file, int(line), reason) if line.isdigit() else Reject(article.source, None, reason)
