"""The folder of a run: whose it is, what it may hold, and how a file in it is written."""

from __future__ import annotations

import errno
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from loadedwords.errors import OutputError
from loadedwords.files import written_whole

RUN_FILE = "run.json"
REJECTS_FILE = "rejects.jsonl"
# Articles that the last addition took out of the shards before it, as they were: what one that is stopped then has to know.
REPLACED_FILE = "replaced.jsonl"
TABLES = ("sentences", "boilerplate", "articles")  # in the order they are written
# What makes scores others; a key that an earlier version did not write tells nothing.
_SAME_SCORES = ("options", "model", "house", "syndicated", "other_languages", "device")
# What file systems without locks say, as some on other machines.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
_OUR_SHARD = re.compile(r"part-(\d{5,})\.parquet")
_HALF_A_FILE = re.compile(
    r"\.(?:part-\d{5,}\.parquet|run\.json|(?:rejects|replaced)\.jsonl|outlets\.\w+|report\.html)\.\d+\.tmp"
)
OUR_NAMES = frozenset({*TABLES, RUN_FILE, REJECTS_FILE, REPLACED_FILE, "outlets.parquet", "outlets.csv", "report.html"})
# The key in a shard's footer by which it is known to be one.
DIGEST_KEY = b"loadedwords"


@contextmanager
def claimed(folder: Path, run: dict[str, Any], *, overwrite: bool, add: bool) -> Iterator[list[dict[str, Any]]]:
    """Make the folder ours for as long as the run lasts, or say why not.

    Yields the parts that stay, as run.json holds them, none unless the run adds to them; `run` gets them, and their inputs.
    Nothing is written yet that an earlier run would miss.
    """
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _lock(held.enter_context((folder / ".lock").open("w")), folder)
            _refuse_others_files(folder)
            parts = [] if overwrite else _parts_that_stay(folder, run, add)
            for table in TABLES:
                (folder / table).mkdir(exist_ok=True)
            run |= {"inputs": [*_inputs_of(parts), *run["inputs"]], "parts": parts}
        except OSError as error:
            raise OutputError(
                f"{folder} can't be written: {error}.\nName a folder you may write to with -o."
            ) from error
        try:
            yield parts
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                f"Writing into {folder} failed: {error}.\n"
                "Nothing finished is lost: make room or mend the folder, and run the same command again."
            ) from error


def shard_path(folder: Path, table: str, number: int) -> Path:
    return folder / table / f"part-{number:05d}.parquet"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    with written_whole(path) as beside:
        beside.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def remove_leftovers(folder: Path, n_shards: int) -> None:
    """Shards of an earlier, longer run would be read as part of this one. Only files of our own naming are touched."""
    for file in chain(folder.iterdir(), *((folder / table).iterdir() for table in TABLES)):
        shard = _OUR_SHARD.fullmatch(file.name)
        if _HALF_A_FILE.fullmatch(file.name) or (shard and file.parent != folder and int(shard[1]) >= n_shards):
            file.unlink()


def _lock(lock: TextIO, folder: Path) -> None:
    """Hold the lock until the process ends, however it ends; where the system has no such locks, do without."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return
        raise OutputError(
            f"Another run is writing into {folder}.\nWait for it, or name another folder with -o."
        ) from error


def _refuse_others_files(folder: Path) -> None:
    if (folder / RUN_FILE).is_file():
        return
    others = [p.name for p in folder.iterdir() if p.name not in OUR_NAMES]
    others += [f"{p.parent.name}/{p.name}" for t in TABLES for p in (folder / t).glob("*") if not _is_our_shard(p)]
    if shown := sorted(name for name in others if not Path(name).name.startswith(".")):
        raise OutputError(
            f"{folder} already holds other files, such as {shown[0]}.\nName a new or empty folder with -o."
        )


def _is_our_shard(file: Path) -> bool:
    try:
        return bool(_OUR_SHARD.fullmatch(file.name)) and DIGEST_KEY in (pq.read_schema(file).metadata or {})
    except (OSError, pa.ArrowInvalid):
        return False


def _inputs_of(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    return [given for part in parts for given in part["inputs"]]


def _parts_that_stay(folder: Path, run: Mapping[str, Any], add: bool) -> list[dict[str, Any]]:
    left = folder / RUN_FILE
    if not left.is_file():
        return []
    try:
        earlier = json.loads(left.read_text(encoding="utf-8"))
        changed = [key for key in _SAME_SCORES if earlier.get(key, run.get(key)) != run.get(key)]
        if "options" in changed:
            before, asked = earlier["options"], run["options"]
            others = sorted(name for name in {**before, **asked} if before.get(name) != asked.get(name))
            changed[changed.index("options")] = f"options ({', '.join(others)})"
        version, now = (of.get("versions", {}).get("loadedwords") for of in (earlier, run))
        # Before there were parts, a run was one.
        whole = {
            "inputs": earlier["inputs"],
            "shards": earlier.get("counts", {}).get("shards"),
            "dates": earlier.get("dates", {}),
        }
        parts = earlier.get("parts", [whole] if earlier["status"] == "done" else [])
        done = _inputs_of(parts)
        begun = earlier["inputs"][len(done) :]
        if not all(isinstance(part["shards"], int) for part in parts):
            raise ValueError("a part without its number of shards")
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise OutputError(f"{left} is damaged.\nName another folder with -o, or pass --overwrite.") from error
    if not add and len(parts) > 1:
        changed.insert(0, "it was added to")
    elif not add and run["inputs"] != (done or earlier["inputs"]):  # what was begun to be added is dropped
        changed.insert(0, "inputs")
    if add and version != now:
        changed.append("version")
    if changed:
        adds = "Add to them with --add, name" if changed == ["inputs"] else "Name"
        raise OutputError(
            f"{folder} holds the scores of another run (not the same: {', '.join(changed)}), see {left}.\n"
            f"{adds} another folder with -o, or pass --overwrite to replace them."
        )
    if add and begun and (begun, earlier.get("changed")) != (run["inputs"], run["changed"]):
        raise OutputError(
            f"{folder} is not finished: scoring {', '.join(begun)} was stopped.\n"
            "Run that command again, which goes on where it was, and then this one"
            + (", or the one before it, without --add, which drops what was begun." if len(parts) == 1 else ".")
        )
    return parts if add else []
