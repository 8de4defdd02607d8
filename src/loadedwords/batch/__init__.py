"""Many articles → Parquet shards, in bounded memory, in several processes, resumable after a kill."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import polars as pl

from loadedwords.articles import STDIN, Progress
from loadedwords.articles.dates import LEFT_OUT
from loadedwords.batch.buckets import working_folder
from loadedwords.batch.cluster import require_ray, score_on_ray
from loadedwords.batch.folder import (
    REPLACED_FILE,
    RUN_FILE,
    claimed,
    remove_leftovers,
    shard_path,
    write_json,
)
from loadedwords.batch.intake import Changed, Intake, remember_replaced
from loadedwords.batch.shards import (
    ChosenModel,
    Chunk,
    Counts,
    count_shards,
    cut,
    drop_articles,
    ids_after,
    left_by_an_earlier_run,
)
from loadedwords.batch.workers import score_chunks
from loadedwords.errors import OutputError
from loadedwords.files import written_whole
from loadedwords.house import House
from loadedwords.models.bundle import file_hash, open_bundle
from loadedwords.schema import Article, CountedVoice, Device, Reject, Treatment

__all__ = [
    "RUN_FILE",
    "Changed",
    "Engine",
    "RunDescription",
    "RunSummary",
    "State",
    "score_to_folder",
    "working_folder",
]

Engine = Literal["local", "ray"]
# Reasons for dates left out that are told.
_N_EXAMPLES = 5


@dataclass(frozen=True)
class State:
    """How a run stands, for whoever shows its progress; `share_done` is None where the end can't be known."""

    counts: Counts
    n_rejected: int
    n_reused: int
    share_done: float | None
    seconds: float


@dataclass(frozen=True)
class RunDescription:
    """What makes a run the same run: what goes in and how it is read."""

    inputs: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)


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

    @classmethod
    def of(cls, articles: pl.DataFrame) -> DateCounts:
        """Those of an articles table."""
        messages = [message for message in articles["message"].drop_nulls() if LEFT_OUT in message]
        reasons = [message.split(LEFT_OUT)[1].split("; ")[0] for message in messages]  # other notes may follow
        dated = articles["date"].count()
        return cls(dated, len(reasons), len(articles) - dated - len(reasons), tuple(reasons[:_N_EXAMPLES]))


@dataclass(frozen=True)
class RunSummary:
    """What a finished run did, as in `run.json`; the two tables are None where no outlet's own voice was found.

    `counts` and tables are those of all that the folder holds. `added`, `n_known`, `n_changed` and `n_rejected` tell of what
    came in this time: articles that were scored, that had been before, that had been with other content (among the rejected,
    where that was kept), and that were rejected.
    """

    counts: Counts
    n_rejected: int
    n_reused_shards: int
    seconds: float
    model: Mapping[str, Any]
    folder: Path
    outlets: pl.DataFrame | None
    overall: pl.DataFrame | None
    voice: CountedVoice = "own"
    dates: DateCounts = field(default_factory=DateCounts)
    added: Counts = field(default_factory=Counts)
    n_known: int = 0
    n_changed: int = 0

    @property
    def n_copies(self) -> int:
        return 0 if self.overall is None else int(self.overall["n_copies"][0])


def score_to_folder(
    stream: Iterable[Article | Reject],
    folder: Path,
    *,
    description: RunDescription,
    model: str | Path | None = None,
    prevalence: float | None = None,
    voice: CountedVoice = "own",
    house: House | None = None,
    syndicated: Treatment = "leave-out",
    other_languages: Treatment = "leave-out",
    device: Device = "cpu",
    workers: int | None = None,
    engine: Engine = "local",
    ray_address: str | None = None,
    overwrite: bool = False,
    add: bool = False,
    changed: Changed = "keep",
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
    house : House, optional
        Rules on which words are counted as loaded, see `scoring.score_articles`; `run.json` names its file and the hash of it.
    syndicated, other_languages : {"leave-out", "count"}
        As `scoring.load_model` takes them.
    device : {"cpu", "cuda"}
        Where each process's model computes, as `scoring.load_model` takes it.
    workers : int, optional
        Processes that score; this one does if it is 1 or not given. On a cluster, cores to take at most.
    engine : {"local", "ray"}
        Where: in this machine's processes, or on each core of a Ray cluster, whose tables are the same.
    ray_address : str, optional
        As `cluster.score_on_ray` takes it.
    overwrite : bool
        Replace another run's scores.
    add : bool
        Add to the scores in the folder, if there are any: articles that are there with the same content are passed over,
        nothing is scored again, and the figures are made anew of everything.
    changed : {"keep", "replace"}
        What of an added article whose id is there with other content: reject it, or take it for the one that is there.
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
        If the folder can't be written, holds another run's scores, or scores that these can't be added to.
    ModelError
        If the model is missing or damaged, or can't compute on the device.
    MissingExtraError
        If the engine or the device needs what is not installed.
    LoadedwordsError
        If a worker process died or a cluster failed; the shards that were done stay, and the same call goes on from them.
    """
    started = time.monotonic()
    chosen = ChosenModel(open_bundle(model), prevalence, house, syndicated, other_languages, device)
    # Where it can't be scored, nothing is begun.
    if engine == "ray":
        require_ray()
    if device != "cpu":
        chosen.load(threads=1)
    run = _begun(description, chosen, voice, changed)
    with claimed(folder, run, overwrite=overwrite, add=add) as parts:
        n_before = sum(part["shards"] for part in parts)
        before, counts, n_reused, n_shards = count_shards(folder, n_before), Counts(), 0, n_before
        intake = Intake(stream, folder, n_shards=n_before if parts else None, part=len(parts), changed=changed)
        chunks = cut(intake.articles(), chosen, progress, first=n_before)
        if STDIN in description.inputs and not overwrite:
            chunks = _of_the_same_input(chunks, folder)
        if not parts:
            (folder / REPLACED_FILE).unlink(missing_ok=True)  # of scores that are no more
        write_json(folder / RUN_FILE, run)
        if engine == "ray":
            finished = score_on_ray(chunks, chosen, folder, ray_address, workers)
        else:
            finished = score_chunks(chunks, chosen, folder, workers or 1)
        with closing(finished):
            for done in finished:
                counts += done.counts
                n_reused += done.reused
                n_shards += 1
                tell(State(counts, intake.n_rejected, n_reused, done.share_read, time.monotonic() - started))
        remove_leftovers(folder, n_shards)
        if changed == "replace" and intake.n_changed:
            ids = ids_after(folder, n_before)
            remember_replaced(folder, n_before, len(parts), set(ids.to_pylist()))
            drop_articles(folder, n_before, ids)
            before = count_shards(folder, n_before)
        everything = before + counts
        outlets, overall, dates = _figures(folder, voice) if everything.articles else (None, None, DateCounts())
        if outlets is not None:
            _write_outlets(outlets, folder)
        summary = RunSummary(
            counts=everything,
            n_rejected=intake.n_rejected,
            n_reused_shards=n_reused,
            seconds=time.monotonic() - started,
            model=run["model"],
            folder=folder,
            outlets=outlets,
            overall=overall,
            voice=voice,
            dates=dates,
            added=counts,
            n_known=intake.n_known,
            n_changed=intake.n_changed,
        )
        part = {
            "inputs": _shown(description.inputs),
            "shards": n_shards - n_before,
            "articles": counts.articles,
            "known": intake.n_known,
            "changed": intake.n_changed,
        }
        run |= {"parts": [*parts, part], **_ended(summary, n_rejects=intake.n_rejects, n_shards=n_shards)}
        write_json(folder / RUN_FILE, run)
    return summary


def _of_the_same_input(chunks: Iterator[Chunk], folder: Path) -> Iterator[Chunk]:
    """Chunks of standard input, whose name is the same whatever comes in: what is there must have been made of it.

    Raises
    ------
    OutputError
        If the first shard is of other articles.
    """
    first = next(chunks, None)
    if first is None:
        return chunks
    there = shard_path(folder, "articles", first.number).is_file()
    if there and left_by_an_earlier_run(folder, first) is None:
        raise OutputError(
            f"{folder} holds the scores of other articles, or of another version, than come from standard input.\n"
            "Add to them with --add, name another folder with -o, or pass --overwrite to replace them."
        )
    return chain([first], chunks)


def _begun(description: RunDescription, chosen: ChosenModel, voice: CountedVoice, changed: Changed) -> dict[str, Any]:
    """What `run.json` says from the start: what the run is of, and all that makes its scores what they are."""
    bundle, prevalence = chosen.bundle, chosen.prevalence
    return {
        "status": "running",
        "inputs": _shown(description.inputs),
        "options": json.loads(json.dumps(description.options)),  # as an earlier run's will be read
        "model": {
            "name": bundle.name,
            "kind": bundle.kind,
            "hash": bundle.hash,
            "prevalence": prevalence,
            "base_rate": bundle.config.get("prevalence") if prevalence is None else prevalence,
        },
        "house": _house(chosen.house),
        "versions": _versions(),
        "voice": voice,
        "syndicated": chosen.syndicated,
        "other_languages": chosen.other_languages,
        "device": chosen.device,
        "changed": changed,
    }


def _shown(inputs: Iterable[str]) -> list[str]:
    """The names of inputs, as a file of text can hold them where they are in no encoding."""
    return [name.encode("utf-8", "backslashreplace").decode() for name in inputs]


def _ended(summary: RunSummary, *, n_rejects: int, n_shards: int) -> dict[str, Any]:
    """What `run.json` says at the end: what came of it."""
    new, seconds, n_reused = summary.added.sentences, summary.seconds, summary.n_reused_shards
    return {
        "status": "done",
        "counts": {
            **asdict(summary.counts),
            "rejected": n_rejects,
            "shards": n_shards,
            "shards_reused": n_reused,
        },
        "dates": asdict(summary.dates),
        "seconds": round(seconds, 3),
        "sentences_per_second": round(new / seconds, 1) if seconds and not n_reused else None,
        "overall": summary.overall.to_dicts()[0] if summary.overall is not None else None,
    }


def _figures(folder: Path, voice: CountedVoice) -> tuple[pl.DataFrame, pl.DataFrame | None, DateCounts]:
    """Those of the outlets, of all of them together where any has words that count, and of the dates."""
    from loadedwords.outlets import compare_outlets, load_articles, summarise_all  # not in each process that scores

    articles = load_articles(folder)
    outlets = compare_outlets(articles, voice=voice)
    overall = summarise_all(articles, voice=voice) if outlets.height else None
    return outlets, overall, DateCounts.of(articles)


def _write_outlets(frame: pl.DataFrame, folder: Path) -> None:
    from loadedwords.outlets.spreadsheet import write_csv

    with written_whole(folder / "outlets.parquet") as beside:
        frame.write_parquet(beside)
    with written_whole(folder / "outlets.csv") as beside:
        write_csv(frame, beside)


def _house(house: House | None) -> dict[str, str] | None:
    """The house's file as it was found, with what it held; of rules that were made in Python, the rules."""
    if house is None:
        return None
    if house.file is None:
        return {"rules": str(house)}
    return {"file": str(house.file.resolve()), "sha256": file_hash(house.file)}


def _versions() -> dict[str, str]:
    names = ("loadedwords", "numpy", "pyarrow", "polars", "sentencex")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}
