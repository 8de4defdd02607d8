"""Labelled corpora → one schema, whatever their publishers' files look like.

To add a corpus, write a `_read_` function that turns one of its rows into ours and enter it in `CORPORA`.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.schema import CLASSES
from loadedwords.text.words import WORD

if TYPE_CHECKING:
    from datasets import Dataset

Row = dict[str, Any]

# The techniques of the Propaganda Techniques Corpus that lie in the choice of words, with the kind that each is.
WORDING_TECHNIQUES = {
    "Loaded_Language": None,
    "Name_Calling,Labeling": "label",
    "Exaggeration,Minimisation": "exaggeration",
}

_LABELS = {"0": 0, "neutral": 0, "non-biased": 0, "not biased": 0, "obj": 0, "objective": 0, "false": 0, "no": 0}
_LABELS |= {"1": 1, "loaded": 1, "biased": 1, "subj": 1, "subjective": 1, "true": 1, "yes": 1}
_TEXT = ("text", "sentence")
_LABEL = ("label", "label_bias")
_OUTLET = ("outlet", "source", "publisher", "site")
_ARTICLE = ("article", "article_id", "news_link", "group", "url")
_WORDS = ("loaded_words", "biased_words", "biased_words4", "spans")
_ID = ("id", "uuid", "sentence_id")
_TOPIC = ("topic",)
_LEAN = ("lean", "type", "political_lean")

_NOTHING_KNOWN = {"share": None, "kind": None, "praise": None}
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
# Two words of at least so many letters are taken for the same, misspelt or inflected, from this similarity.
_SHORTEST_ALIKE, _ALIKE = 4, 0.75


@dataclass(frozen=True)
class Corpus:
    """What is known of a published corpus.

    Attributes
    ----------
    title, source, licence : str
        `licence` as its publishers state it.
    files : dict of str to tuple of str
        Split → the names its file goes by in a corpora folder.
    hub : str or None
        Name on the Hugging Face Hub.
    read : callable
        Turns a publisher's row into ours.
    packaged : str or None
        Of a corpus that comes with this package: its file, in `loadedwords.training`.
    """

    title: str
    source: str
    licence: str
    files: Mapping[str, tuple[str, ...]]
    hub: str | None
    read: Callable[[Row], Row]
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
    """
    import datasets

    corpus = CORPORA.get(name)
    if corpus is not None and corpus.packaged is not None:
        file = None
    elif path is not None:
        file = find_corpus_file(name, Path(path), split=split)
    elif corpus is None and (Path(name).suffix or Path(name).exists()):
        file = Path(name)
        if not file.is_file():
            raise DataError(
                f"There is no labelled file {file}.\nPass a CSV, JSONL or Parquet file, or one of {', '.join(CORPORA)}."
            )
    else:
        file = None
    if corpus is not None and corpus.packaged is not None:
        raw = _packaged_rows(packaged_file(corpus.packaged))
    else:
        raw = read_rows(file) if file is not None else _fetch_rows(name, corpus, split, revision)
    rows = list(
        _normalise(raw, name if corpus else Path(name).stem, corpus.read if corpus else _read_own, str(file or name))
    )
    if not rows:
        raise DataError(f"{file or name} holds no labelled sentence.\nIt needs a text and a label column.")
    span = {"start": datasets.Value("int32"), "end": datasets.Value("int32")}
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=list(CLASSES)),
            "outlet": datasets.Value("string"),
            "article": datasets.Value("string"),
            "vote_share": datasets.Value("float32"),
            "target": datasets.Value("float32"),
            "loaded_words": datasets.List(
                {
                    **span,
                    "share": datasets.Value("float32"),
                    "kind": datasets.Value("string"),
                    "praise": datasets.Value("bool"),
                }
            ),
            "annotators": datasets.List(datasets.Value("string")),
            "marked_words": datasets.List({"annotator": datasets.Value("string"), **span}),
            "corpus": datasets.Value("string"),
            "topic": datasets.Value("string"),
            "lean": datasets.Value("string"),
            "part": datasets.Value("string"),
        }
    )
    return datasets.Dataset.from_list(rows, features=features)


def find_corpus_file(name: str, path: Path, *, split: str = "train") -> Path:
    """The file of a named corpus: `path` itself, or the usual name inside the folder `path`.

    Raises
    ------
    DataError
        If it is not there; the message says what was looked for.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"There is no file or folder {path}.\nPass the file of {name}, or the folder it lies in.")
    corpus = CORPORA.get(name)
    if corpus is None:
        raise DataError(
            f"{name} is no corpus known by name, so {path} must be a file.\nKnown names: {', '.join(CORPORA)}."
        )
    names = corpus.files.get(split, ())
    for candidate in names:
        if (path / candidate).is_file():
            return path / candidate
    looked = ", ".join(names) or "nothing: this split has no usual file name"
    raise DataError(
        f"{path} does not hold the {split} split of {name}.\nLooked for: {looked}. Name the file itself with path=."
    )


def read_rows(file: Path) -> Iterator[Row]:
    """The rows of a CSV, JSONL or Parquet file as they are."""
    try:
        if file.suffix == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            try:
                yield from pq.read_table(file).to_pylist()
            except pa.ArrowInvalid as error:
                raise DataError(f"{file} is no Parquet file: {error}.\nWrite it again.") from error
        elif file.suffix in (".jsonl", ".ndjson"):
            with file.open(encoding="utf-8-sig") as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        try:
                            row = json.loads(line)
                        except json.JSONDecodeError as error:
                            raise DataError(
                                f"{file}, line {number}: no valid JSON ({error.msg}).\nMend or remove the line."
                            ) from error
                        if not isinstance(row, dict):
                            raise DataError(
                                f"{file}, line {number}: not a JSON object.\nEach line must be one: {{...}}."
                            )
                        yield row
        elif file.suffix in (".csv", ".tsv"):
            with file.open(encoding="utf-8-sig", newline="") as lines:
                yield from csv.DictReader(lines, delimiter="\t" if file.suffix == ".tsv" else ",")
        else:
            raise DataError(f"{file} is neither .csv, .tsv, .jsonl nor .parquet.\nSave the labels as one of these.")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8: {error.reason} at byte {error.start}.\nSave it as UTF-8.") from error
    except OSError as error:
        raise DataError(f"{file} can't be read: {error}.") from error


def file_hash(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal: what a bundle records of its corpora."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def grouped_folds(
    articles: Iterable[str], *, n_splits: int = 5, seed: int = 0
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Folds that never split an article.

    Parameters
    ----------
    articles : iterable of str, shape (n_sentences,)
        The article of each sentence.
    n_splits, seed : int

    Returns
    -------
    list of (train, test)
        Arrays of row numbers.

    Raises
    ------
    DataError
        If there are fewer articles than folds.
    """
    from sklearn.model_selection import GroupKFold

    groups = np.asarray(list(articles))
    n_articles = len(np.unique(groups))
    if n_articles < n_splits:
        raise DataError(
            f"{n_splits} folds need at least {n_splits} articles, and there are {n_articles}.\nAsk for fewer folds."
        )
    splitter = GroupKFold(n_splits=n_splits, shuffle=True, random_state=seed)
    return list(splitter.split(groups, groups=groups))


def _fetch_rows(name: str, corpus: Corpus | None, split: str, revision: str | None) -> Iterator[Row]:
    import datasets

    hub = corpus.hub if corpus else name
    if hub is None:
        raise DataError(
            f"No Hugging Face Hub name is known for {name}.\nPass the publisher's file: load_corpus({name!r}, path=...)."
        )
    try:
        yield from datasets.load_dataset(hub, split=split, revision=revision)
    except Exception as error:  # the Hub's client raises whatever its transport raises
        raise DataError(
            f"{hub} could not be loaded from the Hugging Face Hub: {type(error).__name__}: {error}\n"
            f"If you have the file, pass it: load_corpus({name!r}, path=...)."
        ) from error


def _normalise(rows: Iterable[Row], name: str, read: Callable[[Row], Row], where: str) -> Iterator[Row]:
    for number, raw in enumerate(rows, 1):
        try:
            row = read(raw)
        except DataError as error:
            raise DataError(f"{where}, row {number}: {error}") from error
        identity = str(_first(raw, _ID) or f"{name}-{number}")
        words = row.get("loaded_words")
        yield {
            "id": identity,
            "outlet": None,
            "vote_share": None,
            "target": None,
            "annotators": None,
            "marked_words": None,
            "corpus": name,
            "topic": None,
            "lean": None,
            "part": None,
            **row,
            "loaded_words": None if words is None else [{**_NOTHING_KNOWN, **word} for word in words],
            "article": row.get("article") or identity,
        }


def _read_own(raw: Row) -> Row:
    row = _text_and_label(raw)
    marked = _first(raw, _WORDS)
    return row | {
        "outlet": _optional(_first(raw, _OUTLET)),
        "article": _optional(_first(raw, _ARTICLE)),
        "topic": _optional(_first(raw, _TOPIC)),
        "lean": _optional(_first(raw, _LEAN)),
        "loaded_words": None if marked is None else find_marked(row["text"], _word_list(marked)),
    }


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


def _read_label_only(raw: Row) -> Row:
    return _text_and_label(raw) | {"outlet": _optional(_first(raw, _OUTLET))}


def _read_ptc(raw: Row) -> Row:
    text = raw.get("text")
    if not isinstance(text, str) or "spans" not in raw:
        raise DataError(
            "the Propaganda Techniques Corpus has a text and a spans column.\nPass the file with one sentence a line."
        )
    spans = [
        {"start": s["start"], "end": s["end"], "kind": WORDING_TECHNIQUES[s["technique"]]}
        for s in raw["spans"]
        if s["technique"] in WORDING_TECHNIQUES
    ]
    return {"text": text, "label": int(bool(spans)), "article": _optional(raw.get("article_id")), "loaded_words": spans}


def packaged_file(name: str) -> Path:
    """The file of a corpus that comes with this package."""
    return Path(str(resources.files("loadedwords.training") / name))


def _packaged_rows(file: Path) -> Iterator[Row]:
    """Every name of a group in every sentence of it."""
    for group in tomllib.loads(file.read_text(encoding="utf-8"))["groups"]:
        for name in group["names"]:
            for sentence in group["sentences"]:
                text = sentence.format(name)
                yield {"text": text[:1].upper() + text[1:] if len(group["sentences"]) > 1 else text, "article": name}


def _read_plain(raw: Row) -> Row:
    return {**raw, "label": 0, "loaded_words": []}


def _read_news(raw: Row) -> Row:
    text, target = raw.get("text"), raw.get("target")
    if not isinstance(text, str) or not isinstance(target, (int, float)) or "spans" not in raw:
        raise DataError("the news corpus has a text, a target and a spans column.\nPass its file as it is published.")
    spans = [
        {
            "start": s["start"],
            "end": s["end"],
            "share": s["share"],
            "kind": _KIND_CODES[s["kind"]],
            "praise": s["praise"],
        }
        for s in raw["spans"]
    ]
    return {
        "text": text,
        "label": int(target >= 0.5),
        "target": float(target),
        "outlet": _optional(raw.get("outlet")),
        "article": _optional(raw.get("article_id")),
        "part": _optional(raw.get("part")),
        "loaded_words": spans,
    }


def _text_and_label(raw: Row) -> Row:
    text, label = _first(raw, _TEXT), _first(raw, _LABEL)
    if text is None or label is None:
        raise DataError(
            f"no {'text' if text is None else 'label'}.\nLooked for: {', '.join(_TEXT if text is None else _LABEL)}. Found: {', '.join(map(str, raw))}."
        )
    whole = isinstance(label, (bool, float)) and label in (0, 1)
    number = _LABELS.get(str(int(label) if whole else label).strip().lower().removesuffix(".0"))
    if number is None:
        raise DataError(f"label {label!r} is neither neutral nor loaded.\nWrite neutral and loaded, or 0 and 1.")
    return {"text": str(text), "label": number}


def find_marked(text: str, marked: Iterable[str]) -> list[dict[str, int]]:
    """Where the words and phrases that somebody typed stand in a text.

    Each whole-word occurrence counts, whatever its case. What is not there to the letter is looked for as a person
    meant it: the passage of as many words that is most like it (typing errors, inflections), else its longer words
    one by one. What is like nothing in the text is left out.

    Parameters
    ----------
    text : str
    marked : iterable of str

    Returns
    -------
    list of {"start": int, "end": int}
        Characters of `text`, in order, none twice.
    """
    words = [(match.start(), match.end(), _plain(match.group())) for match in WORD.finditer(text)]
    found: set[tuple[int, int]] = set()
    for phrase in marked:
        found.update(_find_phrase(words, [_plain(word) for word in WORD.findall(phrase)]))
    return [{"start": start, "end": end} for start, end in sorted(found)]


def _find_phrase(words: list[tuple[int, int, str]], wanted: list[str]) -> list[tuple[int, int]]:
    if not wanted:
        return []
    windows = [words[at : at + len(wanted)] for at in range(len(words) - len(wanted) + 1)]
    exact = [w for w in windows if all(word == want for (_, _, word), want in zip(w, wanted, strict=True))]
    if not exact:
        scored = [
            ([_likeness(word, want) for (_, _, word), want in zip(window, wanted, strict=True)], window)
            for window in windows
        ]
        like = [(sum(each), window) for each, window in scored if min(each) >= _ALIKE]
        exact = [max(like, key=lambda pair: pair[0])[1]] if like else []
    if not exact and len(wanted) > 1:
        return [span for want in wanted if len(want) >= _SHORTEST_ALIKE for span in _find_phrase(words, [want])]
    return [(window[0][0], window[-1][1]) for window in exact]


def _likeness(word: str, want: str) -> float:
    """Ratcliff and Obershelp's similarity, 0 to 1; short words must agree to the letter."""
    if word == want:
        return 1.0
    if min(len(word), len(want)) < _SHORTEST_ALIKE:
        return 0.0
    matcher = SequenceMatcher(None, word, want, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE else 0.0


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")


def _word_list(marked: Any) -> list[str]:
    """Marked words from a list, from "one; two", or from a list written out as text."""
    if isinstance(marked, str):
        if marked.strip().startswith("["):
            try:
                marked = ast.literal_eval(marked.strip())
            except (ValueError, SyntaxError):
                raise DataError(f"marked words {marked!r} are no list.\nSeparate them by semicolons.") from None
        else:
            marked = marked.split(";")
    if not isinstance(marked, (list, tuple)):
        raise DataError(f"marked words {marked!r} are no list.\nSeparate them by semicolons.")
    return [str(word).strip() for word in marked if str(word).strip()]


def _first(raw: Row, names: Iterable[str]) -> Any:
    return next((raw[name] for name in names if raw.get(name) is not None), None)


def _optional(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


CORPORA: Mapping[str, Corpus] = {
    "news": Corpus(
        "Natural news, read by a language model following guidelines",
        "this project, 2026; sentences of Baly et al. 2020, arXiv 2010.05338",
        "Apache-2.0 (article repository); texts belong to their outlets",
        {"train": ("news_train.jsonl",)},
        None,
        _read_news,
    ),
    "plain": Corpus(
        "Plain sentences with rare words and odd names",
        "written for this project (training/plain.toml)",
        "Apache-2.0",
        {},
        None,
        _read_plain,
        "plain.toml",
    ),
    "babe": Corpus(
        "BABE, Bias Annotations By Experts",
        "Spinde et al. 2021, arXiv 2209.14557",
        "CC BY-NC-SA 4.0",
        {"train": ("babe_train.jsonl",), "test": ("babe_test.jsonl",)},
        "mediabiasgroup/BABE",
        _read_babe,
    ),
    "anno-lexical": Corpus(
        "anno-lexical",
        "Horych et al. 2025, NAACL",
        "MIT (repository)",
        {
            "train": ("annolexical_train.parquet",),
            "validation": ("annolexical_validation.parquet",),
            "test": ("annolexical_test.parquet",),
        },
        "mediabiasgroup/anno-lexical",
        _read_label_only,
    ),
    "ptc": Corpus(
        "Propaganda Techniques Corpus",
        "Da San Martino et al. 2019/2020",
        "none stated (research use)",
        {"train": ("ptc_train.jsonl",)},
        "SemEvalWorkshop/sem_eval_2020_task_11",  # kept there as a loading script, which datasets 4 and later refuse
        _read_ptc,
    ),
    "checkthat": Corpus(
        "CheckThat! subjectivity, English",
        "CheckThat! lab, CLEF",
        "CC BY-NC-SA 4.0",
        {"train": ("checkthat_train.jsonl",)},
        None,
        _read_label_only,
    ),
}
