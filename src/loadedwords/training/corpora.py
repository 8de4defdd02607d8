"""Labelled corpora → one schema, whatever their publishers' files look like.

To add a corpus, describe it in `corpora.toml` and write a `_read_` function that turns one of its rows into ours.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from loadedwords.errors import DataError, require
from loadedwords.schema import CLASSES
from loadedwords.training.marks import find_marked, word_list

if TYPE_CHECKING:
    from datasets import Dataset

Row = dict[str, Any]

_HERE = resources.files("loadedwords.training")

_PLACE = [("start", pa.int32()), ("end", pa.int32())]
_MARK = pa.struct([*_PLACE, ("share", pa.float32()), ("kind", pa.string()), ("praise", pa.bool_())])
_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "text": pa.string(),
        "label": pa.int64(),
        "outlet": pa.string(),
        "article": pa.string(),
        "vote_share": pa.float32(),
        "target": pa.float32(),
        "loaded_words": pa.list_(_MARK),
        "annotators": pa.list_(pa.string()),
        "marked_words": pa.list_(pa.struct([("annotator", pa.string()), *_PLACE])),
        "corpus": pa.string(),
        "topic": pa.string(),
        "lean": pa.string(),
        "part": pa.string(),
    }
)

# The techniques of the Propaganda Techniques Corpus that lie in the choice of words, with the kind that each is.
WORDING_TECHNIQUES = {
    "Loaded_Language": None,
    "Name_Calling,Labeling": "label",
    "Exaggeration,Minimisation": "exaggeration",
}

_LABELS = {"0": 0, "neutral": 0, "non-biased": 0, "not biased": 0, "obj": 0, "objective": 0, "false": 0, "no": 0}
_LABELS |= {"1": 1, "loaded": 1, "biased": 1, "subj": 1, "subjective": 1, "true": 1, "yes": 1}
# What the columns of one's own labels may be called.
_NAMES = {
    "id": ("id", "uuid", "sentence_id"),
    "text": ("text", "sentence"),
    "label": ("label", "label_bias"),
    "outlet": ("outlet", "source", "publisher", "site"),
    "article": ("article", "article_id", "news_link", "group", "url"),
    "topic": ("topic",),
    "lean": ("lean", "type", "political_lean"),
    "loaded_words": ("loaded_words", "biased_words", "biased_words4", "spans"),
}

# Making small (M) and scare quotes (S) are too rare to be told apart from what they are nearest to.
_KIND_CODES = {
    "L": "label",
    "E": "judgement",
    "V": "verb",
    "X": "exaggeration",
    "M": "exaggeration",
    "F": "image",
    "K": "mockery",
    "S": "mockery",
    "I": "insinuation",
}

_TYPED_APART = re.compile(r"[,;/\n]")


@dataclass(frozen=True)
class Corpus:
    """What `corpora.toml` says of a published corpus, and how a row as its publishers have it is turned into ours."""

    source: str
    licence: str
    labelled_by: str
    read: Callable[[Row], Row]
    files: Mapping[str, str] = field(default_factory=dict)
    agreement: str | None = None
    hub: str | None = None
    packaged: str | None = None


def load_corpus(
    name: str, path: str | Path | None = None, *, split: str = "train", revision: str | None = None
) -> Dataset:
    """Load a labelled corpus.

    Parameters
    ----------
    name : str
        ``"news"``, ``"babe"``, ``"anno-lexical"``, ``"ptc"``, ``"checkthat"``, the path of a CSV, JSONL or Parquet file with
        your own labels, or a dataset's name on the Hugging Face Hub.
    path : str or Path, optional
        A file, or the folder in which the corpus lies under its usual file name. Without it, a named corpus
        comes from the Hub.
    split : str
        ``"train"``, ``"validation"`` or ``"test"``.
    revision : str, optional
        Of a Hub dataset.

    Returns
    -------
    datasets.Dataset
        Columns: ``id``, ``text``, ``label`` (0 neutral, 1 loaded), ``outlet``, ``article`` (what folds are
        grouped by; the id where the corpus has none), ``vote_share`` (share of annotators who called it loaded,
        or null), ``target`` (share of readers who would object, where the corpus says it, or null), ``loaded_words``
        (list of ``{start, end, share, kind, praise}`` in characters of ``text``, the words agreed on; null where nobody
        was asked, as are share, kind and praise), ``annotators`` (who voted; null where unknown), ``marked_words`` (list of
        ``{annotator, start, end}``, what each of them marked; null where unknown), ``corpus``, and, null where unknown,
        ``topic``, ``lean`` (of the outlet, as the corpus has it) and ``part`` (how the sentence was drawn).

    Raises
    ------
    DataError
        If there is no such corpus or file, or a column or label can't be understood.
    MissingExtraError
        If datasets is not installed.
    """
    datasets = require("datasets", extra="datasets", purpose="load_corpus")
    rows = read_corpus(name, path, split=split, revision=revision)
    features = datasets.Features.from_arrow_schema(_SCHEMA)
    features["label"] = datasets.ClassLabel(names=list(CLASSES))
    return datasets.Dataset(rows.to_arrow().cast(_SCHEMA), info=datasets.DatasetInfo(features=features))


def read_corpus(
    name: str, path: str | Path | None = None, *, split: str = "train", revision: str | None = None
) -> pl.DataFrame:
    """Read a labelled corpus: as `load_corpus`, but into a frame, which needs datasets for the Hub alone."""
    corpus = CORPORA.get(name)
    file = find_corpus_file(name, path, split=split)
    if corpus is not None and corpus.packaged is not None:
        raw: Iterable[Row] = _packaged_rows(corpus.packaged)
    else:
        raw = read_rows(file) if file else _from_hub(name, corpus.hub if corpus else name, split, revision)
    read, origin = (_read_own, Path(name).stem) if corpus is None else (corpus.read, name)
    rows = []
    for number, each in enumerate(raw, 1):
        try:
            row = read(each)
        except DataError as error:
            raise DataError(f"{file or name}, row {number}: {error}") from error
        identity = str(_first(each, "id") or f"{origin}-{number}")
        rows.append({**row, "id": identity, "article": row.get("article") or identity, "corpus": origin})
    if not rows:
        raise DataError(f"{file or name} holds no labelled sentence.\nIt needs a text and a label column.")
    frame: pl.DataFrame = pl.from_arrow(pa.Table.from_pylist(rows, schema=_SCHEMA))  # type: ignore[assignment]
    return frame


def find_corpus_file(name: str, path: str | Path | None, *, split: str = "train") -> Path | None:
    """The file of a corpus: `path` itself, the usual name inside the folder `path`, or what `name` is the path of.

    Returns
    -------
    Path or None
        None where the corpus is on the Hub.

    Raises
    ------
    DataError
        If it is not there; the message says what was looked for.
    """
    corpus, place = CORPORA.get(name), Path(name if path is None else path)
    if corpus is not None and corpus.packaged is not None:
        return Path(str(_HERE / corpus.packaged))
    if path is None:
        is_file = place.exists() or place.suffix.strip(".0123456789")  # owner/data-v1.1 is on the Hub
        if corpus is not None or not is_file:
            return None
        if not place.is_file():
            raise DataError(
                f"There is no labelled file {place}.\nPass a CSV, JSONL or Parquet file, or one of {', '.join(CORPORA)}."
            )
    if place.is_file():
        return place
    if not place.is_dir():
        raise DataError(f"There is no file or folder {place}.\nPass the file of {name}, or the folder it lies in.")
    if corpus is None:
        raise DataError(
            f"{name} is no corpus known by name, so {place} must be a file.\nKnown names: {', '.join(CORPORA)}."
        )
    looked = corpus.files.get(split)
    if looked is None or not (place / looked).is_file():
        raise DataError(
            f"{place} does not hold the {split} split of {name}.\n"
            f"Looked for: {looked or 'nothing: this split has no usual file name'}. Name the file itself with path=."
        )
    return place / looked


def _from_hub(name: str, hub: str | None, split: str, revision: str | None) -> Iterable[Row]:
    if hub is None:
        raise DataError(
            f"No Hugging Face Hub name is known for {name}.\n"
            f"Name the folder that holds its file with --corpora, or pass it: load_corpus({name!r}, path=...)."
        )
    datasets = require("datasets", extra="datasets", purpose="Loading a corpus from the Hugging Face Hub")
    try:
        rows: Iterable[Row] = datasets.load_dataset(hub, split=split, revision=revision)
    except Exception as error:  # the Hub's client raises whatever its transport raises
        raise DataError(
            f"{hub} could not be loaded from the Hugging Face Hub: {type(error).__name__}: {error}\n"
            f"If you have the file, pass it: load_corpus({name!r}, path=...)."
        ) from error
    return rows


def read_rows(file: Path) -> Iterator[Row]:
    """The rows of a CSV, JSONL or Parquet file as they are."""
    try:
        if file.suffix == ".parquet":
            yield from pq.read_table(file).to_pylist()
        elif file.suffix in (".jsonl", ".ndjson"):
            with file.open(encoding="utf-8-sig") as lines:
                yield from (_json_row(line, f"{file}, line {at}") for at, line in enumerate(lines, 1) if line.strip())
        elif file.suffix in (".csv", ".tsv"):
            with file.open(encoding="utf-8-sig", newline="") as lines:
                head = lines.readline()
                lines.seek(0)
                yield from csv.DictReader(lines, delimiter=max(",;\t", key=head.count))
        else:
            raise DataError(f"{file} is neither .csv, .tsv, .jsonl nor .parquet.\nSave the labels as one of these.")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8: {error.reason} at byte {error.start}.\nSave it as UTF-8.") from error
    except pa.ArrowInvalid as error:
        raise DataError(f"{file} is no Parquet file: {error}.\nWrite it again.") from error
    except (OSError, csv.Error) as error:
        raise DataError(f"{file} can't be read: {error}.") from error


def _json_row(line: str, where: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:  # a number of too many digits, too
        raise DataError(f"{where}: no valid JSON ({error}).\nMend or remove the line.") from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: not a JSON object.\nEach line must be one: {{...}}.")
    return row


def _packaged_rows(file: str) -> Iterator[Row]:
    """Every name of a group in every sentence of it."""
    for group in tomllib.loads((_HERE / file).read_text(encoding="utf-8"))["groups"]:
        for name in group["names"]:
            for sentence in group["sentences"]:
                text = sentence.format(name)
                text = text[:1].upper() + text[1:] if len(group["sentences"]) > 1 else text
                yield {"text": text, "article": name, "label": 0, "loaded_words": []}


def _read_own(raw: Row) -> Row:
    row = _text_and_label(raw)
    marked = _first(raw, "loaded_words")
    known = {name: _optional(_first(raw, name)) for name in ("outlet", "article", "topic", "lean")}
    return {**row, **known, "loaded_words": None if marked is None else find_marked(row["text"], word_list(marked))}


def _read_babe(raw: Row) -> Row:
    row = _read_own(raw)
    votes = raw.get("votes")
    if not votes:  # re-annotated sentences come with a label alone: no word marked means that nobody was asked
        return row | {"loaded_words": row["loaded_words"] or None}
    marked = [
        {"annotator": annotator, **span}
        for annotator, typed in (raw.get("marked_words") or {}).items()
        for span in find_marked(row["text"], _TYPED_APART.split(typed))
    ]
    return row | {
        "vote_share": sum(votes.values()) / len(votes),
        "annotators": sorted(votes),
        "marked_words": marked,
    }


def _read_ptc(raw: Row) -> Row:
    if not isinstance(raw.get("text"), str) or "spans" not in raw:
        raise DataError(
            "the Propaganda Techniques Corpus has a text and a spans column.\nPass the file with one sentence a line."
        )
    spans = [
        {"start": span["start"], "end": span["end"], "kind": WORDING_TECHNIQUES[span["technique"]]}
        for span in raw["spans"]
        if span["technique"] in WORDING_TECHNIQUES
    ]
    article = _optional(raw.get("article_id"))
    return {"text": raw["text"], "label": int(bool(spans)), "article": article, "loaded_words": spans}


def _read_news(raw: Row) -> Row:
    text, target = raw.get("text"), raw.get("target")
    if not isinstance(text, str) or not isinstance(target, (int, float)) or "spans" not in raw:
        raise DataError("the news corpus has a text, a target and a spans column.\nPass its file as it is published.")
    known = ("start", "end", "share", "praise")
    return {
        "text": text,
        "label": int(target >= 0.5),
        "target": float(target),
        "outlet": _optional(raw.get("outlet")),
        "article": _optional(raw.get("article_id")),
        "part": _optional(raw.get("part")),
        "loaded_words": [
            {**{name: span[name] for name in known}, "kind": _KIND_CODES[span["kind"]]} for span in raw["spans"]
        ],
    }


def _text_and_label(raw: Row) -> Row:
    text, label = _first(raw, "text"), _first(raw, "label")
    if text is None or label is None:
        missing = "text" if text is None else "label"
        raise DataError(f"no {missing}.\nLooked for: {', '.join(_NAMES[missing])}. Found: {', '.join(map(str, raw))}.")
    whole = isinstance(label, (bool, float)) and label in (0, 1)
    number = _LABELS.get(str(int(label) if whole else label).strip().lower().removesuffix(".0"))
    if number is None:
        raise DataError(
            f"label {label!r} is neither neutral nor loaded.\n"
            "Write neutral and loaded, or 0 and 1, and take out what was skipped or not labelled."
        )
    if not str(text).strip():
        raise DataError("the text is empty.\nTake the row out.")
    return {"text": str(text), "label": number}


def _first(raw: Row, column: str) -> Any:
    return next((raw[name] for name in _NAMES[column] if raw.get(name) is not None), None)


def _optional(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


_READERS = {"news": _read_news, "babe": _read_babe, "ptc": _read_ptc}
CORPORA: Mapping[str, Corpus] = {
    name: Corpus(**known, read=_READERS.get(name, _read_own))
    for name, known in tomllib.loads((_HERE / "corpora.toml").read_text(encoding="utf-8")).items()
}
