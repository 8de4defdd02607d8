"""Many articles → Parquet shards, in bounded memory, in several processes, resumable after a kill.

Articles are cut into chunks in the order they are read. Each chunk becomes one shard of each table, named by its
number; the articles shard is written last and carries a digest of what went in: texts, model, version. A shard
whose digest is still right is never computed again, so the same command goes on where it was stopped, and ends
with the same files as if it had not been.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import signal
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib import metadata
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TextIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from loadedwords.articles import Progress
from loadedwords.errors import LoadedwordsError, OutputError
from loadedwords.models.bundle import Bundle, open_bundle
from loadedwords.outlets import compare_outlets, summarise_all
from loadedwords.schema import (
    ARTICLES,
    BOILERPLATE,
    SENTENCES,
    Article,
    CountedVoice,
    Reject,
    ScoredArticle,
    article_row,
    boilerplate_rows,
    sentence_rows,
)
from loadedwords.scoring import FramingModel

# About a second of work: little is lost in a kill, and a million articles make a few thousand files.
ARTICLES_PER_SHARD = 256
CHARACTERS_PER_SHARD = 4_000_000
RUN_FILE = "run.json"
REJECTS_FILE = "rejects.jsonl"
TABLES = ("sentences", "boilerplate", "articles")  # in the order they are written
_DIGEST_KEY = b"loadedwords"
_TABLES_LOOK_LIKE = "".join(schema.to_string() for schema in (SENTENCES, BOILERPLATE, ARTICLES))
_OUR_FILE = re.compile(r"part-(?P<number>\d{5,})\.(?:parquet|(?P<half>\d+\.tmp))")
_OUR_NAMES = frozenset({*TABLES, RUN_FILE, REJECTS_FILE, "outlets.parquet", "outlets.csv", "report.html"})


@dataclass(frozen=True)
class Counts:
    """What came of a shard, or of a run."""

    articles: int = 0
    sentences: int = 0
    own_sentences: int = 0
    loaded_words: int = 0
    boilerplate: int = 0
    empty: int = 0
    errors: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: value + getattr(other, name) for name, value in asdict(self).items()})


@dataclass(frozen=True)
class State:
    """How a run stands, for whoever shows its progress; `share_done` is None where the end can't be known."""

    counts: Counts
    n_rejected: int
    n_reused: int
    share_done: float | None
    seconds: float


@dataclass(frozen=True)
class RunSummary:
    """What a finished run did, as in `run.json`; the two tables are None where no outlet's own voice was found."""

    counts: Counts
    n_rejected: int
    n_reused_shards: int
    seconds: float
    model: Mapping[str, Any]
    folder: Path
    outlets: pl.DataFrame | None
    overall: pl.DataFrame | None
    voice: CountedVoice = "own"


@dataclass(frozen=True)
class RunDescription:
    """What makes a run the same run: what goes in and how it is read."""

    inputs: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Amendment:
    """What is done to every scored article, by something that can travel to other processes, and the run's record of it."""

    amend: Callable[[ScoredArticle], ScoredArticle]
    record: Mapping[str, str]


def score_to_folder(
    stream: Iterable[Article | Reject],
    folder: Path,
    *,
    description: RunDescription,
    model: str | Path | None = None,
    prevalence: float | None = None,
    voice: CountedVoice = "own",
    amendment: Amendment | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
    tell: Callable[[State], None] = lambda _: None,
) -> RunSummary:
    """Score a stream of articles into tables on disk.

    Parameters
    ----------
    stream : iterable of Article or Reject
        As `articles.read_articles` gives it.
    folder : Path
        Made if it does not exist. Gets ``sentences/``, ``articles/``, ``boilerplate/``, ``outlets.parquet``,
        ``outlets.csv``, ``rejects.jsonl`` and ``run.json``.
    description : RunDescription
        A folder that holds another run's scores is left alone.
    model : str or Path, optional
    prevalence : float, optional
        As `scoring.load_model` takes them.
    voice : {"own", "quoted", "all"}
        Whose words the outlets' figures rest on; the tables of sentences and articles hold all three.
    amendment : Amendment, optional
        What is done to every scored article before it is counted and written.
    workers : int
        Processes that score; 1 scores in this one.
    overwrite : bool
        Replace another run's scores.
    progress : Progress, optional
        The one the stream updates, for the time left.
    tell : callable
        Called with the `State` after every shard.

    Returns
    -------
    RunSummary

    Raises
    ------
    OutputError
        If the folder can't be written or holds another run's scores.
    LoadedwordsError
        If a worker process died; the shards that were done stay, and the same call goes on from them.
    """
    chosen = _Chosen(open_bundle(model), prevalence, amendment)
    bundle = chosen.bundle
    started = time.monotonic()
    run: dict[str, Any] = {
        "status": "running",
        "inputs": list(description.inputs),
        "options": {**description.options, **({"amendment": dict(amendment.record)} if amendment else {})},
        "model": {"name": bundle.name, "kind": bundle.kind, "hash": bundle.hash, "prevalence": prevalence},
        "versions": _versions(),
        "voice": voice,
    }
    with _claimed(folder, run, overwrite):
        counts, n_reused, n_shards = Counts(), 0, 0
        with _rejects(folder) as reject_writer, _engine(chosen, folder, workers) as engine:
            accepted = _accepted(stream, reject_writer, folder)
            for done in engine.results(_chunks(accepted, chosen, progress)):
                counts += done.counts
                n_reused += done.reused
                n_shards += 1
                tell(State(counts, reject_writer.n, n_reused, done.share_read, time.monotonic() - started))
        _remove_other_shards(folder, n_shards)
        outlets = compare_outlets(folder, voice=voice) if counts.articles else None
        if outlets is not None:
            _write_outlets(outlets, folder)
        overall = summarise_all(folder, voice=voice) if outlets is not None and outlets.height else None
        seconds = time.monotonic() - started
        run |= {
            "status": "done",
            "counts": {**asdict(counts), "rejected": reject_writer.n, "shards": n_shards, "shards_reused": n_reused},
            "seconds": round(seconds, 3),
            "sentences_per_second": round(counts.sentences / seconds, 1) if seconds and not n_reused else None,
            "overall": overall.to_dicts()[0] if overall is not None else None,
        }
        _write_json(folder / RUN_FILE, run)
    return RunSummary(counts, reject_writer.n, n_reused, seconds, run["model"], folder, outlets, overall, voice)


# --- one chunk ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chosen:
    """The model of a run and what it is told."""

    bundle: Bundle
    prevalence: float | None
    amendment: Amendment | None = None

    def load(self, *, threads: int | None) -> FramingModel:
        return FramingModel(self.bundle, prevalence=self.prevalence, threads=threads)


@dataclass(frozen=True)
class _Chunk:
    number: int
    articles: tuple[Article, ...]
    digest: str
    share_read: float | None
    amendment: Amendment | None = None


@dataclass(frozen=True)
class _Done:
    counts: Counts
    reused: int
    share_read: float | None


def _chunks(articles: Iterator[Article], chosen: _Chosen, progress: Progress | None) -> Iterator[_Chunk]:
    number = 0
    while True:
        held: list[Article] = []
        characters = 0
        for article in articles:
            held.append(article)
            characters += len(article.text)
            if len(held) >= ARTICLES_PER_SHARD or characters >= CHARACTERS_PER_SHARD:
                break
        if not held:
            return
        share = progress.done / progress.total if progress and progress.total else None
        yield _Chunk(number, tuple(held), _digest(held, chosen), share, chosen.amendment)
        number += 1


def _digest(articles: Iterable[Article], chosen: _Chosen) -> str:
    """Stands for everything that the scores depend on."""
    digest = hashlib.blake2b(
        f"{chosen.bundle.hash} {chosen.prevalence} {metadata.version('loadedwords')} {_TABLES_LOOK_LIKE}".encode(),
        digest_size=16,
    )
    if chosen.amendment:
        digest.update(repr(chosen.amendment.record).encode())
    for article in articles:
        digest.update(repr(article).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _finished(folder: Path, chunk: _Chunk) -> Counts | None:
    """The counts of a shard that an earlier run finished from the very same input."""
    try:
        # A shard that a crash of the machine cut short has no readable footer.
        footers = [pq.read_schema(_shard(folder, table, chunk.number)).metadata or {} for table in TABLES]
        left = json.loads(footers[-1].get(_DIGEST_KEY, b"{}"))
    except (OSError, pa.ArrowInvalid, ValueError):
        return None
    return Counts(**left["counts"]) if left.get("digest") == chunk.digest else None


def _score_chunk(model: FramingModel, folder: Path, chunk: _Chunk) -> Counts:
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    counts = Counts()
    for as_scored in model.score_articles(chunk.articles):
        scored = chunk.amendment.amend(as_scored) if chunk.amendment else as_scored
        rows["articles"].append(article_row(scored))
        rows["sentences"].extend(sentence_rows(scored))
        rows["boilerplate"].extend(boilerplate_rows(scored))
        counts += Counts(
            articles=1,
            sentences=scored.n_sentences,
            own_sentences=scored.n_own,
            loaded_words=scored.n_loaded_words,
            boilerplate=len(scored.boilerplate),
            empty=scored.status == "empty",
            errors=scored.status == "error",
        )
    stamp = json.dumps({"digest": chunk.digest, "counts": asdict(counts)}).encode()
    schemas = {
        "sentences": SENTENCES,
        "boilerplate": BOILERPLATE,
        "articles": ARTICLES.with_metadata({_DIGEST_KEY: stamp}),
    }
    # An old stamp must not vouch for new sentences, should the process die between the tables.
    _shard(folder, "articles", chunk.number).unlink(missing_ok=True)
    for table in TABLES:
        target = _shard(folder, table, chunk.number)
        beside = target.with_suffix(f".{os.getpid()}.tmp")
        pq.write_table(pa.Table.from_pylist(rows[table], schema=schemas[table]), beside, compression="zstd")
        beside.replace(target)
    return counts


def _shard(folder: Path, table: str, number: int) -> Path:
    return folder / table / f"part-{number:05d}.parquet"


# --- the local engine ---------------------------------------------------------------------------------------------


class _Engine:
    """Scores chunks, here or in other processes, and hands the results back in order."""

    def __init__(self, chosen: _Chosen, folder: Path, pool: ProcessPoolExecutor | None, workers: int) -> None:
        self._folder = folder
        self._pool = pool
        self._waiting = workers + 1  # one chunk ready for whichever process is free first
        self._chosen = chosen
        self._model: FramingModel | None = None

    def results(self, chunks: Iterator[_Chunk]) -> Iterator[_Done]:
        running: deque[tuple[_Chunk, Future[Counts] | Counts, int]] = deque()
        opening = list(islice(chunks, 2))
        if len(opening) < 2:
            self._pool = None  # to start processes for one chunk would take longer than to score it
        for chunk in chain(opening, chunks):
            finished = _finished(self._folder, chunk)
            running.append((chunk, self._start(chunk), 0) if finished is None else (chunk, finished, 1))
            if len(running) > self._waiting or self._pool is None:
                yield self._wait(running)
        while running:
            yield self._wait(running)

    def _start(self, chunk: _Chunk) -> Future[Counts] | Counts:
        if self._pool is None:
            self._model = self._model or self._chosen.load(threads=None)
            return _score_chunk(self._model, self._folder, chunk)
        return self._pool.submit(_score_in_worker, self._folder, chunk)

    def _wait(self, running: deque[tuple[_Chunk, Future[Counts] | Counts, int]]) -> _Done:
        chunk, work, reused = running.popleft()
        counts = work.result() if isinstance(work, Future) else work
        return _Done(counts, reused, chunk.share_read)


@contextmanager
def _engine(chosen: _Chosen, folder: Path, workers: int) -> Iterator[_Engine]:
    if workers <= 1:
        yield _Engine(chosen, folder, None, 1)
        return
    # Spawned, not forked: a fork copies the locks of threads that do not exist in the child.
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_load_in_worker, initargs=(chosen,)
    )
    try:
        yield _Engine(chosen, folder, pool, workers)
    except BrokenProcessPool as error:
        raise LoadedwordsError(
            "A worker process died, most likely for want of memory.\n"
            "Nothing finished is lost: run the same command again to go on, with fewer --workers if it recurs."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_WORKER: dict[str, FramingModel] = {}  # what a worker process keeps between chunks; empty in any other process


def _load_in_worker(chosen: _Chosen) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the parent decides what it means
    _WORKER["model"] = chosen.load(threads=1)


def _score_in_worker(folder: Path, chunk: _Chunk) -> Counts:
    return _score_chunk(_WORKER["model"], folder, chunk)


# --- rejects and duplicate ids ------------------------------------------------------------------------------------


class _RejectWriter:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")
        self.n = 0

    def write(self, reject: Reject) -> None:
        self._file.write(json.dumps(reject.as_row(), ensure_ascii=True) + "\n")
        self.n += 1

    def close(self) -> None:
        self._file.close()


@contextmanager
def _rejects(folder: Path) -> Iterator[_RejectWriter]:
    beside = folder / f".{REJECTS_FILE}.tmp"
    writer = _RejectWriter(beside)
    try:
        yield writer
    finally:
        writer.close()
    beside.replace(folder / REJECTS_FILE)


def _accepted(stream: Iterable[Article | Reject], rejects: _RejectWriter, folder: Path) -> Iterator[Article]:
    """The articles of the stream; rejects and articles with an id that was there before are written down."""
    index = folder / ".ids.sqlite"
    index.unlink(missing_ok=True)
    # On disk, so that ten million ids need no more memory than ten.
    seen = sqlite3.connect(index, isolation_level=None)
    try:
        seen.execute("PRAGMA journal_mode = OFF")
        seen.execute("PRAGMA synchronous = OFF")
        seen.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, source TEXT) WITHOUT ROWID")
        for item in stream:
            if isinstance(item, Reject):
                rejects.write(item)
            elif seen.execute("INSERT OR IGNORE INTO ids VALUES (?, ?)", (item.id, item.source)).rowcount:
                yield item
            else:
                (first,) = seen.execute("SELECT source FROM ids WHERE id = ?", (item.id,)).fetchone()
                file, _, line = item.source.rpartition(":")
                where: tuple[str, int | None] = (file, int(line)) if line.isdigit() else (item.source, None)
                rejects.write(
                    Reject(
                        where[0], where[1], f"duplicate id {item.id!r}, first seen at {first or 'an earlier article'}"
                    )
                )
    finally:
        seen.close()
        index.unlink(missing_ok=True)


# --- the folder ---------------------------------------------------------------------------------------------------


@contextmanager
def _claimed(folder: Path, run: dict[str, Any], overwrite: bool) -> Iterator[None]:
    """Make the folder ours for as long as the run lasts, or say why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise OutputError(f"{folder} can't be written: {error}.\nName a folder you may write to with -o.") from error
    with lock:
        _lock(lock, folder)
        try:
            _refuse_others_files(folder)
            _refuse_another_run(folder, run, overwrite)
            for table in TABLES:
                (folder / table).mkdir(exist_ok=True)
            _write_json(folder / RUN_FILE, run)
        except OSError as error:
            raise OutputError(
                f"{folder} can't be written: {error}.\nName a folder you may write to with -o."
            ) from error
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                f"Writing into {folder} failed: {error}.\n"
                "Nothing finished is lost: make room or mend the folder, and run the same command again."
            ) from error


def _lock(lock: TextIO, folder: Path) -> None:
    """Hold the lock until the process ends, however it ends; where the system has no such locks, do without."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OutputError(
            f"Another run is writing into {folder}.\nWait for it, or name another folder with -o."
        ) from error


def _refuse_others_files(folder: Path) -> None:
    if (folder / RUN_FILE).is_file():
        return
    others = [p.name for p in folder.iterdir() if p.name not in _OUR_NAMES and not p.name.startswith(".")]
    others += [
        f"{t}/{p.name}"
        for t in TABLES
        if (folder / t).is_dir()
        for p in (folder / t).iterdir()
        if not _OUR_FILE.fullmatch(p.name)
    ]
    if others:
        raise OutputError(
            f"{folder} already holds other files, such as {sorted(others)[0]}.\nName a new or empty folder with -o."
        )


def _refuse_another_run(folder: Path, run: dict[str, Any], overwrite: bool) -> None:
    left = folder / RUN_FILE
    if overwrite or not left.is_file():
        return
    try:
        earlier = json.loads(left.read_text(encoding="utf-8"))
        changed = [key for key in ("inputs", "options", "model") if earlier.get(key) != run[key]]
    except (ValueError, AttributeError) as error:
        raise OutputError(f"{left} is damaged.\nName another folder with -o, or pass --overwrite.") from error
    if changed:
        raise OutputError(
            f"{folder} holds the scores of another run: its {' and '.join(changed)} differ, see {left}.\n"
            "Name another folder with -o, or pass --overwrite to replace them."
        )


def _remove_other_shards(folder: Path, n_shards: int) -> None:
    """Shards of an earlier, longer run would be read as part of this one. Only files of our own naming are touched."""
    for table in TABLES:
        for file in (folder / table).iterdir():
            ours = _OUR_FILE.fullmatch(file.name)
            if ours and (ours["half"] or int(ours["number"]) >= n_shards):
                file.unlink()


def _write_outlets(frame: pl.DataFrame, folder: Path) -> None:
    for name, write in (("outlets.parquet", frame.write_parquet), ("outlets.csv", frame.write_csv)):
        beside = folder / f".{name}.tmp"
        write(beside)
        beside.replace(folder / name)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    beside.replace(path)


def _versions() -> dict[str, str]:
    names = ("loadedwords", "numpy", "pyarrow", "polars", "sentencex")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}
