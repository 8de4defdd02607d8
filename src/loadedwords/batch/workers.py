"""Chunks scored in this process or in several others, their results in order."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from pathlib import Path

from loadedwords.batch.shards import ChosenModel, Chunk, Counts, left_by_an_earlier_run, score_chunk
from loadedwords.errors import LoadedwordsError
from loadedwords.scoring import FramingModel

# Fewer chunks are scored sooner by the threads of one process (docs/speed.md).
_WORTH_PROCESSES = 4


@dataclass(frozen=True)
class Done:
    """What came of a chunk, and whether an earlier run had scored it."""

    counts: Counts
    reused: bool
    share_read: float | None


def score_chunks(chunks: Iterator[Chunk], chosen: ChosenModel, folder: Path, workers: int) -> Generator[Done]:
    opening = [] if workers <= 1 else list(islice(chunks, _WORTH_PROCESSES))
    chunks = chain(opening, chunks)
    if len(opening) < _WORTH_PROCESSES:
        yield from _here(chunks, chosen, folder)
    else:
        yield from _in_processes(chunks, chosen, folder, workers)


def _here(chunks: Iterable[Chunk], chosen: ChosenModel, folder: Path) -> Iterator[Done]:
    load = cache(partial(chosen.load, threads=None))  # not before there is something to score
    for chunk in chunks:
        left = left_by_an_earlier_run(folder, chunk)
        yield Done(left or score_chunk(load(), folder, chunk), left is not None, chunk.share_read)


def _in_processes(chunks: Iterable[Chunk], chosen: ChosenModel, folder: Path, workers: int) -> Iterator[Done]:
    # Spawned, not forked: a fork copies the locks of threads that do not exist in the child.
    spawn = get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin_worker, initargs=(chosen,))
    running: deque[tuple[Chunk, Future[Counts] | Counts]] = deque()
    try:
        for chunk in chunks:
            left = left_by_an_earlier_run(folder, chunk)
            running.append((chunk, left or pool.submit(_score_in_worker, folder, chunk)))
            if len(running) > workers + 1:  # one chunk ready for whichever process is free first
                yield _wait(*running.popleft())
        while running:
            yield _wait(*running.popleft())
    except BrokenProcessPool as error:
        raise LoadedwordsError(
            "A worker process died, most likely for want of memory.\n"
            "Nothing finished is lost: run the same command again to go on, with fewer --workers if it recurs."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _wait(chunk: Chunk, work: Future[Counts] | Counts) -> Done:
    if isinstance(work, Future):
        return Done(work.result(), False, chunk.share_read)
    return Done(work, True, chunk.share_read)


_WORKER: dict[str, Callable[[], FramingModel]] = {}  # what a worker process keeps; empty in any other process


def _begin_worker(chosen: ChosenModel) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the parent decides what it means
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Not loaded yet: what goes wrong in an initializer is lost, what goes wrong with a chunk is told.
    _WORKER["load"] = cache(partial(chosen.load, threads=1))


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _score_in_worker(folder: Path, chunk: Chunk) -> Counts:
    return score_chunk(_WORKER["load"](), folder, chunk)
