"""One chunk of articles → one shard of each table, and whether an earlier run left that very shard.

Articles are cut into chunks in the order they are read. Each chunk becomes one shard of each table, named by its
number; the articles shard is written last and carries a digest of what went in: texts, model, version. A shard
whose digest is still right is never computed again, so the same command goes on where it was stopped, and ends
with the same files as if it had not been.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loadedwords.articles import Progress
from loadedwords.batch.folder import TABLES, shard_path
from loadedwords.files import written_whole
from loadedwords.house import House
from loadedwords.models.bundle import Bundle
from loadedwords.schema import (
    ARTICLES,
    BOILERPLATE,
    SENTENCES,
    Article,
    Treatment,
    article_row,
    boilerplate_rows,
    sentence_rows,
)
from loadedwords.scoring import FramingModel
from loadedwords.text.language import ENGLISH

# About a second of work: little is lost in a kill, and a million articles make a few thousand files.
ARTICLES_PER_SHARD = 256
CHARACTERS_PER_SHARD = 4_000_000
# Agency copies and boilerplate lie far apart: this many sentences are some 1,500 articles, and take 25 MB a process.
N_REMEMBERED = 65_536
_SCHEMAS = {"sentences": SENTENCES, "boilerplate": BOILERPLATE, "articles": ARTICLES}
_DIGEST_KEY = b"loadedwords"
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


@dataclass(frozen=True)
class ChosenModel:
    """The model of a run, what it is told, and the house's rules on what it finds."""

    bundle: Bundle
    prevalence: float | None
    house: House | None = None
    syndicated: Treatment = "leave-out"
    other_languages: Treatment = "leave-out"

    def load(self, *, threads: int | None) -> FramingModel:
        return FramingModel(
            self.bundle,
            prevalence=self.prevalence,
            threads=threads,
            syndicated=self.syndicated,
            other_languages=self.other_languages,
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


def cut(articles: Iterable[Article], chosen: ChosenModel, progress: Progress | None) -> Iterator[Chunk]:
    number, characters, held = 0, 0, list[Article]()

    def chunk() -> Chunk:
        share = progress.done / progress.total if progress and progress.total else None
        return Chunk(number, tuple(held), _digest(held, chosen), share, chosen.house)

    for article in articles:
        held.append(article)
        characters += len(article.text)
        if len(held) >= ARTICLES_PER_SHARD or characters >= CHARACTERS_PER_SHARD:
            yield chunk()
            number, characters, held = number + 1, 0, []
    if held:
        yield chunk()


def _digest(articles: Iterable[Article], chosen: ChosenModel) -> str:
    """Stands for everything that the scores depend on."""
    told = f"{chosen.prevalence} {chosen.house} {chosen.syndicated} {chosen.other_languages}"
    settings = f"{chosen.bundle.hash} {told} {metadata.version('loadedwords')} {_TABLES_LOOK_LIKE}"
    digest = hashlib.blake2b(settings.encode(), digest_size=16)
    for article in articles:
        digest.update(repr(article).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def left_by_an_earlier_run(folder: Path, chunk: Chunk) -> Counts | None:
    """The counts of a shard that was finished from the very same input."""
    try:
        # A shard that a crash of the machine cut short has no readable footer.
        footers = [pq.read_schema(shard_path(folder, table, chunk.number)).metadata or {} for table in TABLES]
        left = json.loads(footers[-1].get(_DIGEST_KEY, b"{}"))
    except (OSError, pa.ArrowInvalid, ValueError):
        return None
    return Counts(**left["counts"]) if left.get("digest") == chunk.digest else None


def score_chunk(model: FramingModel, folder: Path, chunk: Chunk) -> Counts:
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    counts = Counts()
    for scored in model.score_articles(chunk.articles, house=chunk.house):
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
            syndicated_articles=scored.n_syndicated > 0,
            syndicated_sentences=scored.n_syndicated,
            other_languages=scored.language not in (None, ENGLISH),
        )
    # An old stamp must not vouch for new sentences, should the process die between the tables.
    shard_path(folder, "articles", chunk.number).unlink(missing_ok=True)
    for table in TABLES:
        filled = pa.Table.from_pylist(rows[table], schema=_SCHEMAS[table])
        if table == "articles":
            stamp = {"digest": chunk.digest, "counts": asdict(counts)}
            filled = filled.replace_schema_metadata({_DIGEST_KEY: json.dumps(stamp)})
        with written_whole(shard_path(folder, table, chunk.number)) as beside:
            pq.write_table(filled, beside, compression="zstd")
    return counts
