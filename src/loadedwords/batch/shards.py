"""One chunk of articles → one shard of each table, and whether an earlier run left that very shard.

Articles are cut into chunks in the order they are read. Each chunk becomes one shard of each table, named by its
number, and all three carry a digest of what went in: texts, model, version. Where they agree and the digest is still
right, nothing is computed again, so the same command goes on where it was stopped, and ends with the same files as if
it had not been.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loadedwords.articles import Progress
from loadedwords.batch.folder import DIGEST_KEY, TABLES, shard_path
from loadedwords.errors import OutputError
from loadedwords.files import written_whole
from loadedwords.house import House
from loadedwords.models.bundle import Bundle
from loadedwords.schema import (
    ARTICLES,
    BOILERPLATE,
    SENTENCES,
    Article,
    Device,
    Treatment,
    article_row,
    boilerplate_rows,
    sentence_rows,
)
from loadedwords.scoring import FramingModel
from loadedwords.text.language import ENGLISH

# Little is lost in a kill, and a million articles make a few thousand files. The first shards are smaller and grow with what
# was read, so that no core waits long for the last one to be scored.
ARTICLES_PER_SHARD = 256
_FIRST_SHARDS = (32,) * 16 + (64,) * 16 + (128,) * 16
CHARACTERS_PER_SHARD = 4_000_000
# Agency copies and boilerplate lie far apart: this many sentences are some 1,500 articles, and take 25 MB a process.
N_REMEMBERED = 65_536
_SCHEMAS = {"sentences": SENTENCES, "boilerplate": BOILERPLATE, "articles": ARTICLES}
_TABLES_LOOK_LIKE = "".join(schema.to_string() for schema in _SCHEMAS.values())


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
    syndicated_articles: int = 0
    syndicated_sentences: int = 0
    other_languages: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: value + getattr(other, name) for name, value in asdict(self).items()})

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Counts:
        """Those of a row of the articles table."""
        return cls(
            articles=1,
            sentences=row["n_sentences"],
            own_sentences=row["n_own"],
            loaded_words=row["n_loaded_words"],
            boilerplate=row["n_boilerplate"],
            empty=row["status"] == "empty",
            errors=row["status"] == "error",
            syndicated_articles=row["n_syndicated"] > 0,
            syndicated_sentences=row["n_syndicated"],
            other_languages=row["language"] not in (None, ENGLISH),
        )


@dataclass(frozen=True)
class ChosenModel:
    """The model of a run, what it is told, and the house's rules on what it finds."""

    bundle: Bundle
    prevalence: float | None
    house: House | None = None
    syndicated: Treatment = "leave-out"
    other_languages: Treatment = "leave-out"
    device: Device = "cpu"

    def load(self, *, threads: int | None) -> FramingModel:
        return FramingModel(
            self.bundle,
            prevalence=self.prevalence,
            threads=threads,
            syndicated=self.syndicated,
            other_languages=self.other_languages,
            device=self.device,
            n_remembered=N_REMEMBERED,
        )


@dataclass(frozen=True)
class Chunk:
    """The articles of one shard, how much of the input had been read by then, and the rules for what is found in them."""

    number: int
    articles: tuple[Article, ...]
    digest: str
    share_read: float | None
    house: House | None = None


def cut(
    articles: Iterable[Article], chosen: ChosenModel, progress: Progress | None, *, first: int = 0
) -> Iterator[Chunk]:
    """The chunks of a stream, numbered from `first`."""
    number, characters, held = first, 0, list[Article]()

    def chunk() -> Chunk:
        share = progress.done / progress.total if progress and progress.total else None
        return Chunk(number, tuple(held), _digest(held, chosen), share, chosen.house)

    for article in articles:
        held.append(article)
        characters += len(article.text)
        at_most = min((*_FIRST_SHARDS[number - first : number - first + 1], ARTICLES_PER_SHARD))
        if len(held) >= at_most or characters >= CHARACTERS_PER_SHARD:
            yield chunk()
            number, characters, held = number + 1, 0, []
    if held:
        yield chunk()


def _digest(articles: Iterable[Article], chosen: ChosenModel) -> str:
    """Stands for everything that the scores depend on."""
    told = f"{chosen.prevalence} {chosen.house} {chosen.syndicated} {chosen.other_languages}"
    if chosen.device != "cpu":  # shards of before there was a choice stay good
        told += f" {chosen.device}"
    settings = f"{chosen.bundle.hash} {told} {metadata.version('loadedwords')} {_TABLES_LOOK_LIKE}"
    digest = hashlib.blake2b(settings.encode(), digest_size=16)
    for article in articles:
        digest.update(repr(article).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def left_by_an_earlier_run(folder: Path, chunk: Chunk) -> Counts | None:
    """The counts of a shard that was finished from the very same input."""
    stamp = _stamp(folder, chunk.number)
    return Counts(**stamp["counts"]) if stamp.get("digest") == chunk.digest else None


def count_shards(folder: Path, n_shards: int) -> Counts:
    """The counts of the first shards of a run, which must be whole.

    Raises
    ------
    OutputError
        If one is missing, damaged, or of another version's making.
    """
    counts = Counts()
    for number in range(n_shards):
        if not (stamp := _stamp(folder, number)):
            raise OutputError(
                f"{shard_path(folder, TABLES[-1], number)} is damaged, missing or of another version, or a table beside it is.\n"
                "Nothing can be added to such scores: run the command again that wrote them, which makes anew what is missing, or "
                "score everything again with --overwrite."
            )
        counts += Counts(**stamp["counts"])
    return counts


def ids_after(folder: Path, n_shards: int) -> pa.Array:
    """The ids of the articles in the shards after the first."""
    first = shard_path(folder, "articles", n_shards)
    later = [file for file in first.parent.glob("part-*.parquet") if file.name >= first.name]
    columns = [pq.read_table(file, columns=["article_id"])["article_id"] for file in later]
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string()).combine_chunks()


def drop_articles(folder: Path, n_shards: int, ids: pa.Array) -> None:
    """Take articles out of the first shards. What stays is not scored again."""
    for number in range(n_shards):
        articles = pq.read_table(shard_path(folder, "articles", number))
        kept = _without(articles, ids)
        if len(kept) == len(articles):
            continue
        others = {table: pq.read_table(shard_path(folder, table, number)) for table in TABLES[:-1]}
        # Should the process die between the tables, the articles, which go last, show that there is something to take out.
        _write_shard(
            folder, number, {**{table: _without(rows, ids) for table, rows in others.items()}, "articles": kept}
        )


def _without(rows: pa.Table, ids: pa.Array) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows["article_id"], ids)))


def _count(rows: Iterable[Mapping[str, Any]]) -> Counts:
    return sum(map(Counts.of, rows), Counts())


def score_chunk(model: FramingModel, folder: Path, chunk: Chunk) -> Counts:
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for scored in model.score_articles(chunk.articles, house=chunk.house):
        rows["articles"].append(article_row(scored))
        rows["sentences"].extend(sentence_rows(scored))
        rows["boilerplate"].extend(boilerplate_rows(scored))
    filled = {table: pa.Table.from_pylist(rows[table], schema=_SCHEMAS[table]) for table in TABLES}
    return _write_shard(folder, chunk.number, filled, chunk.digest)


def _write_shard(folder: Path, number: int, tables: Mapping[str, pa.Table], digest: str | None = None) -> Counts:
    counts = _count(tables["articles"].to_pylist())
    for table in TABLES:
        stamp = {"digest": digest, **({"counts": asdict(counts)} if table == "articles" else {})}
        with written_whole(shard_path(folder, table, number)) as beside:
            stamped = tables[table].replace_schema_metadata({DIGEST_KEY: json.dumps(stamp)})
            pq.write_table(stamped, beside, compression="zstd")
    return counts


def _stamp(folder: Path, number: int) -> dict[str, Any]:
    """What a shard was made of, and its counts; empty where a table is missing, cut short, or not like ours.

    Tables that were not made of the same, as a run leaves them that dies between two of them, have no digest.
    """
    try:
        footers = {table: pq.read_schema(shard_path(folder, table, number)) for table in TABLES}
        stamps = [json.loads((footer.metadata or {}).get(DIGEST_KEY, b"{}")) for footer in footers.values()]
    except (OSError, pa.ArrowInvalid, ValueError):
        return {}
    if not stamps[-1] or not all(footers[table].equals(schema) for table, schema in _SCHEMAS.items()):
        return {}
    agreed = len({stamp.get("digest") for stamp in stamps}) == 1
    return {**stamps[-1], "digest": stamps[-1]["digest"] if agreed else None}
