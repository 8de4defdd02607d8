"""Chunks scored by a Ray cluster: each is a task, whichever machine it runs on, and its tables are written here.

Only this process reads and writes: a machine gets articles and gives back three tables, so that it needs no folder in
common with this one, and a machine that is lost has left nothing half-done.
"""

from __future__ import annotations

import os
import platform
import re
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from loadedwords.batch.folder import TABLES, shard_path
from loadedwords.batch.shards import ChosenModel, Chunk, Counts, left_by_an_earlier_run, score_chunk
from loadedwords.batch.workers import Done
from loadedwords.errors import LoadedwordsError, require
from loadedwords.files import written_whole
from loadedwords.models.bundle import CONFIG_FILE, open_bundle
from loadedwords.scoring import FramingModel

# One chunk being scored on a core and one ready for it; an autoscaler sees from the waiting ones that it may add machines.
_CHUNKS_PER_CORE = 2
# Times that a chunk is tried again when its machine or process is lost: a chunk that kills each one must come to an end.
_RETRIES = 8


@dataclass(frozen=True)
class _Sent:
    """What goes to the machines once: the model with its files, which need not be there, and our version."""

    chosen: ChosenModel
    files: Mapping[str, bytes]
    version: str


def require_ray() -> ModuleType:
    return require("ray", extra="ray", purpose="Scoring on a cluster")


def score_on_ray(
    chunks: Iterator[Chunk], chosen: ChosenModel, folder: Path, address: str | None, workers: int | None
) -> Generator[Done]:
    """As `workers.score_chunks`, but in the order in which the chunks are finished.

    Parameters
    ----------
    address : str, optional
        Of a cluster, as ``ray.init`` takes it: the one that ``RAY_ADDRESS`` names, or else one of this machine's cores,
        if not given.
    workers : int, optional
        Cores to take at most; all, if not given.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    LoadedwordsError
        If there is no such cluster, or it can't go on: the shards that were done stay.
    """
    ray = require_ray()
    # By itself Ray would take what is left of any cluster that ever ran here.
    with _connected(ray, address or os.environ.get("RAY_ADDRESS") or "local"):
        score = ray.remote(num_cpus=1, max_retries=_RETRIES)(_score)
        bundle = chosen.bundle
        files = {name: (bundle.folder / name).read_bytes() for name in (CONFIG_FILE, *bundle.config["files"])}
        sent = [ray.put(_Sent(chosen, files, metadata.version("loadedwords")))]  # in a list, Ray leaves it where it is
        running: dict[Any, Chunk] = {}
        for chunk in chunks:
            if left := left_by_an_earlier_run(folder, chunk):
                yield Done(left, True, chunk.share_read)
                continue
            while len(running) >= (workers or _CHUNKS_PER_CORE * max(1, ray.cluster_resources().get("CPU", 0))):
                yield _next(ray, running, folder)
            running[score.remote(sent, chunk)] = chunk
        while running:
            yield _next(ray, running, folder)


def _next(ray: Any, running: dict[Any, Chunk], folder: Path) -> Done:
    """What is finished first."""
    (ref,), _ = ray.wait(list(running), num_returns=1)
    chunk = running.pop(ref)
    try:
        counts, tables = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, LoadedwordsError):
            raise error.cause from error
        raise LoadedwordsError(
            f"A machine of the cluster could not score: {type(error.cause).__name__}: {_first_line(error.cause)}\n"
            "Install the same versions of Python and of loadedwords on every machine, and see that its disk has room."
        ) from error
    except ray.exceptions.RayError as error:
        raise LoadedwordsError(
            f"The cluster lost the articles around {chunk.articles[0].id!r} {_RETRIES + 1} times: {_first_line(error)}\n"
            "Nothing finished is lost: run the same command again to go on, with more memory for each core if it recurs."
        ) from error
    _write(folder, chunk, tables)
    return Done(counts, False, chunk.share_read)


def _first_line(error: object) -> str:
    return next(iter(str(error).splitlines()), "")


def _write(folder: Path, chunk: Chunk, tables: Mapping[str, bytes]) -> None:
    # An old stamp must not vouch for new sentences, should this process die between the tables.
    shard_path(folder, "articles", chunk.number).unlink(missing_ok=True)
    for table in TABLES:
        with written_whole(shard_path(folder, table, chunk.number)) as beside:
            beside.write_bytes(tables[table])


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    if ray.is_initialized():  # by whoever called us, who may need it longer
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    terminated = signal.getsignal(signal.SIGTERM)
    try:
        if place := re.fullmatch(r"([\w.-]+):(\d+)", address):  # where nothing answers, Ray would try for minutes
            socket.create_connection((place[1], int(place[2])), timeout=10).close()
        ray.init(address, log_to_driver=False, logging_level="error")
    except Exception as error:  # Ray raises all sorts, and plain ones
        raise LoadedwordsError(
            f"There is no Ray cluster at {address}: {error}\n"
            "Check that `ray status` works here, and --ray-address (or RAY_ADDRESS), such as 10.0.0.1:6379."
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminated)  # Ray put its own in the place, which leaves at once
    with redirect_stdout(sys.stderr):  # Ray tells of lost machines on stdout, which is for data
        try:
            yield
        finally:
            ray.shutdown()  # ends what is still running for us


_WORKER: dict[Any, FramingModel] = {}  # what a process of the cluster keeps between chunks; empty in any other


def _score(sent: list[Any], chunk: Chunk) -> tuple[Counts, dict[str, bytes]]:
    """What `score_chunk` writes, on whichever machine this is."""
    if sent[0] not in _WORKER:
        _WORKER.clear()
        _WORKER[sent[0]] = _load(sent[0])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for table in TABLES:
            (folder / table).mkdir()
        counts = score_chunk(_WORKER[sent[0]], folder, chunk)
        return counts, {table: shard_path(folder, table, chunk.number).read_bytes() for table in TABLES}


def _load(ref: Any) -> FramingModel:
    import ray

    sent: _Sent = ray.get(ref)
    if (version := metadata.version("loadedwords")) != sent.version:
        raise LoadedwordsError(
            f"{platform.node()} has loadedwords {version}, where the run was started it is {sent.version}.\n"
            "Install the same versions on every machine of the cluster."
        )
    with tempfile.TemporaryDirectory() as temporary:
        for name, content in sent.files.items():
            (Path(temporary) / name).write_bytes(content)
        try:
            return replace(sent.chosen, bundle=open_bundle(temporary)).load(threads=1)
        except Exception as error:  # a library that the machine lacks, too little memory, a damaged file
            raise LoadedwordsError(
                f"The model can't be loaded on {platform.node()}: {type(error).__name__}: {error}\n"
                "Install the same versions on every machine of the cluster, with room for the model on each core."
            ) from error
