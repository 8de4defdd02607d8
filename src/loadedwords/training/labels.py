"""The labelled sentences of a recipe, as one table with named columns, and sentences that nobody labelled.

Columns of the table, one row a sentence of a corpus:

    corpus, part                    where it is from; `part` is how it was drawn, where the corpus says so
    article, outlet, topic, lean    the article (no fold splits one), and what else is known
    text, label                     the sentence; 0 plain, 1 loaded
    target                          the share of readers who would object, as far as the corpus knows it, 0 to 1
    offset                          log-odds by which a measured corpus is more loaded than the one in domain
    weight, word_weight             of the sentence and of its words in the loss
    words                           marked words {start, end, share, kind, praise}; null where nobody was asked
    annotators, marked_words        who was asked and what each of them marked; null where unknown
    stages                          the stages that train on it
    relabelled                      whether they learn it as the teachers see it
    in_domain                       whether `p_loaded` is on its terms
    fold                            the fold that it is measured in; null where it is only trained on
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.model_selection import GroupKFold

from loadedwords.errors import DataError
from loadedwords.models.bundle import file_hash
from loadedwords.models.odds import logit
from loadedwords.text.words import WORD
from loadedwords.training.corpora import CORPORA, find_corpus_file, read_corpus
from loadedwords.training.marks import touching
from loadedwords.training.recipe import PARITY_STAGE, CorpusUse, Recipe

OWN_LABELS = "your labels"
N_FOLDS = 5
# What is told apart from the rest of a corpus, as it was not drawn at random: no rate of loaded sentences rests on it.
_AT_RANDOM = pl.col("part").ne_missing("enriched")
# Readers who object: from one of two who calls a sentence borderline, and from where most call it loaded.
ANY, CLEAR = 0.4, 0.75
_SENTENCES_PER_ARTICLE = 12
MARKED = pl.List(
    pl.Struct({"start": pl.Int32, "end": pl.Int32, "share": pl.Float64, "kind": pl.String, "praise": pl.Float64})
)


def calibrating(table: pl.DataFrame) -> pl.DataFrame:
    """The rows whose rates are those of ordinary text of the domain."""
    return table.filter(pl.col("in_domain") & _AT_RANDOM)


@dataclass(frozen=True)
class Labels:
    """Labelled sentences, as described above, and `provenance`: each file with its hash, licence and who labelled it."""

    table: pl.DataFrame
    provenance: tuple[dict[str, Any], ...]

    @property
    def measured(self) -> pl.DataFrame:
        """The rows that are measured, each in its fold."""
        return self.table.filter(pl.col("fold").is_not_null())

    @property
    def prevalence(self) -> float:
        """Mean target of the sentences in domain that were drawn at random."""
        return float(calibrating(self.table)["target"].mean())  # type: ignore[arg-type]

    def trained_on(self) -> pl.DataFrame:
        """The rows that train, which are all but those that the int8 model is compared on."""
        return self.table.filter(~pl.col("stages").list.contains(PARITY_STAGE))

    @property
    def n_folds(self) -> int:
        """Into how many folds the rows that are measured are dealt."""
        return self.measured["fold"].n_unique()

    def check_measurable(self) -> None:
        """Raise `DataError` where a model could not be measured, nor calibrated, on sentences that it has not seen."""
        if self.n_folds < 2:
            raise DataError(
                "All sentences are in one fold, so nothing can be learnt from the others.\nLabel more articles."
            )
        if self.measured["label"].n_unique() < 2:
            raise DataError(
                "All sentences are of one class, so nothing can be told apart.\nAdd some of the other class."
            )


def load_labels(
    recipe: Recipe, corpora: Path | None, labelled: Sequence[Path] = (), *, n_folds: int = N_FOLDS
) -> Labels:
    """Load what a recipe trains on.

    Parameters
    ----------
    corpora : Path or None
        Folder in which the recipe's corpora lie; from the Hub if None.
    labelled : sequence of Path
        Your own labels, which then take the place of the recipe's corpora.
    n_folds : int
        Fewer where there are fewer articles.

    Raises
    ------
    DataError
        If a corpus is missing, or a test split is asked for: a model that saw it can't be measured on it.
    """
    uses = recipe.corpora
    if labelled:
        last = tuple(stage.name for stage in recipe.stages[-1:])
        uses = tuple(CorpusUse(str(file), in_domain=True, stages=last) for file in labelled)
    if not uses:
        raise DataError(f"The recipe {recipe.name} names no corpus, and no labelled file was given.\nPass one.")
    parts = [_rows_of(use, corpora) for use in uses]
    table = pl.concat(parts)
    # Corpora share sentences: whatever is measured comes in by no other door.
    key = pl.col("text").str.strip_chars().str.to_lowercase()
    measured = table.filter(pl.col("fold").is_not_null()).select(key)["text"].implode()
    table = table.filter(pl.col("fold").is_not_null() | ~key.is_in(measured))
    provenance = tuple(_provenance(use, corpora, rows) for use, rows in zip(uses, parts, strict=True))
    return Labels(_with_folds(_with_offsets(table), n_folds), provenance)


def _rows_of(use: CorpusUse, corpora: Path | None) -> pl.DataFrame:
    if use.split == "test":
        raise DataError(
            f"A recipe trains on the test split of {use.name}.\nA published test split is for measuring only."
        )
    known = use.name in CORPORA
    rows = read_corpus(use.name, corpora if known else None, split=use.split)
    if use.held_out:
        rows = rows.filter(~pl.col("article").map_elements(lambda a: is_held_out(a, use.held_out), pl.Boolean))
    if use.neutral_per_loaded is not None:
        n_loaded = int(rows["label"].sum())
        share = use.neutral_per_loaded * n_loaded / max(1, len(rows) - n_loaded)
        drawn = pl.col("text").map_elements(_drawn, pl.Float64)
        rows = rows.filter((pl.col("label") == 1) | (drawn < share))
    corpus = use.name if known else OWN_LABELS
    votes = 0.5 * pl.col("vote_share") + 0.5 * pl.col("label")
    asked = rows.select("text", "loaded_words", "annotators", "marked_words").iter_rows()
    return rows.select(
        "part",
        "outlet",
        "topic",
        "lean",
        "text",
        "label",
        "annotators",
        "marked_words",
        corpus=pl.lit(corpus),
        article=pl.lit(f"{corpus}/") + pl.col("article"),
        target=pl.coalesce("target", votes, "label").cast(pl.Float64),
        weight=pl.lit(use.weight),
        word_weight=pl.lit(use.word_weight),
        words=pl.Series([word_targets(*row) for row in asked], dtype=MARKED),
        stages=pl.lit(list(use.stages), dtype=pl.List(pl.String)),
        relabelled=pl.lit(use.relabelled),
        in_domain=pl.lit(use.in_domain),
        fold=pl.lit(0 if use.in_domain or use.measured else None, dtype=pl.Int64),
    )


def _with_offsets(table: pl.DataFrame) -> pl.DataFrame:
    """Log-odds of loaded of what is measured beside the one in domain (logit adjustment, Menon et al. 2021).

    A corpus of which half is loaded, because it was drawn so, then teaches which of its sentences are and not that
    half of all sentences are.
    """
    inside = calibrating(table)["target"].mean()
    if inside is None:
        raise DataError(
            "None of the sentences is in domain, so there is nothing to calibrate on.\nMark a corpus in_domain."
        )
    base = float(logit(np.array(inside)))
    of_corpus = {
        str(corpus): float(logit(np.array(rows["target"].mean()))) - base
        for (corpus,), rows in table.filter(pl.col("fold").is_not_null()).group_by("corpus")
        if not rows["in_domain"].any()
    }
    return table.with_columns(offset=pl.col("corpus").replace_strict(of_corpus, default=0.0, return_dtype=pl.Float64))


def _with_folds(table: pl.DataFrame, n_folds: int) -> pl.DataFrame:
    """The fold of each row that is measured; each corpus is spread over all folds, and no article over two."""
    fold = table["fold"].to_list()
    measured = table.with_row_index("row").filter(pl.col("fold").is_not_null())
    for _, rows in measured.group_by("corpus", maintain_order=True):
        at, articles = rows["row"].to_numpy(), rows["article"].to_numpy()
        n_splits = min(n_folds, len(set(articles)))
        if n_splits < 2:  # all in fold 0: whoever wants to measure says that there is nothing to learn from
            continue
        splitter = GroupKFold(n_splits, shuffle=True, random_state=0)
        for number, (_, test) in enumerate(splitter.split(articles, groups=articles)):
            for row in at[test]:
                fold[row] = number
    return table.with_columns(fold=pl.Series(fold, dtype=pl.Int64))


def _provenance(use: CorpusUse, corpora: Path | None, rows: pl.DataFrame) -> dict[str, Any]:
    known = CORPORA.get(use.name)
    file = find_corpus_file(use.name, corpora if known else None, split=use.split)
    made = {} if file is None else {"file": file.name, "sha256": file_hash(file)}
    if known is None:
        entry: dict[str, Any] = {"name": OWN_LABELS, "licence": "yours", "in_domain": True}
    else:
        entry = {
            **asdict(use),
            **{name: getattr(known, name) for name in ("source", "licence", "labelled_by", "agreement")},
            "measured": use.in_domain or use.measured,
            "articles_held_out": use.held_out,
        }
    return {**entry, **made, "base_rates": _base_rates(rows)}


def _base_rates(rows: pl.DataFrame) -> dict[str, float]:
    """How loaded a corpus is, by those of its sentences that were drawn at random where it says how they were."""
    drawn = rows.filter(_AT_RANDOM)
    if drawn.is_empty():
        return {}
    target, label = drawn["target"].to_numpy(), drawn["label"].to_numpy()
    return {
        "n_sentences": len(drawn),
        "clearly_loaded": round(float((target >= CLEAR).mean()), 4),
        "borderline": round(float(((target >= ANY) & (target < CLEAR)).mean()), 4),
        "labelled_loaded": round(float(label.mean()), 4),
    }


def is_held_out(article: str, share: float) -> bool:
    """Whether an article is among those kept for measuring; by its name alone, so the same in every run."""
    return _drawn(article) < share


def _drawn(name: str) -> float:
    """A number from 0 to 1 that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:4]) / 2**32


def load_unlabelled(articles: Path, n: int, *, without: Labels | None = None) -> list[str]:
    """Up to `n` sentences of unlabelled articles for the teachers to label, few of each, the same in every run.

    Articles that are a file or folder as `read_articles` reads them; none of the articles and sentences of `without`.

    Raises
    ------
    DataError
        If there is no article.
    """
    from loadedwords.articles import read_articles
    from loadedwords.schema import Article
    from loadedwords.text import prepare_text

    rng = random.Random(0)
    labelled = set() if without is None else {name.partition("/")[2] for name in without.table["article"]}
    taken = set() if without is None else {text.strip().lower() for text in without.table["text"]}
    read = read_articles([str(articles)])
    texts = [article.text for article in read if isinstance(article, Article) and article.id not in labelled]
    if not texts:
        raise DataError(f"{articles} holds no article to learn from.\nName a file or folder of articles.")
    rng.shuffle(texts)
    chosen: list[str] = []
    for text in texts:
        sentences = [s.text for s in prepare_text(text).sentences if len(s.text.split()) >= 5]
        for sentence in rng.sample(sentences, min(_SENTENCES_PER_ARTICLE, len(sentences))):
            if (key := sentence.strip().lower()) not in taken:
                taken.add(key)
                chosen.append(sentence)
        if len(chosen) >= n:
            break
    return chosen[:n]


def word_targets(
    text: str,
    agreed: Sequence[dict[str, Any]] | None,
    annotators: Sequence[str] | None,
    marked: Sequence[dict[str, Any]] | None,
) -> list[dict[str, Any]] | None:
    """What the word heads are to learn of a sentence: marked words with their share, 0 to 1; None where nobody was asked.

    `agreed`, `annotators` and `marked` are `loaded_words`, `annotators` and `marked_words` as `read_corpus` gives them. Where
    single annotators are known, the share is half of the agreed words and half of the share who marked each.
    """
    if agreed is None:
        return None
    if not annotators or marked is None:
        return [{**span, "share": 1.0 if span["share"] is None else span["share"]} for span in agreed]
    targets = []
    for start, end in (word.span() for word in WORD.finditer(text)):
        markers = {span["annotator"] for span in touching(marked, start, end)}
        target = 0.5 * (len(markers) / len(annotators)) + 0.5 * bool(touching(agreed, start, end))
        if target:
            targets.append({"start": start, "end": end, "share": target, "kind": None, "praise": None})
    return targets
