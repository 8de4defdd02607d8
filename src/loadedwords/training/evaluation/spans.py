"""A model's words against spans that others marked in articles it was not trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.schema import Interval
from loadedwords.scoring import FramingModel
from loadedwords.text.words import WORD
from loadedwords.training.corpora import read_corpus
from loadedwords.training.evaluation.results import Evaluation, Finding, resampled
from loadedwords.training.labels import is_held_out
from loadedwords.training.marks import touching

# Share of PTC's articles that the recipes of this package never train on.
PTC_HELD_OUT = 0.2
LEXICON_OCCURRENCES = 2


def evaluate_spans(model: FramingModel, corpora: Path) -> Evaluation:
    """Measure a model's loaded words against PTC's spans of wording techniques, on articles that no model trained on.

    Precision, recall and F1 count overlapping characters, as the corpus's own task does (Da San Martino et al. 2020,
    SemEval task 11). The baseline is a lexicon: every word that lies in a span more often than not in the articles
    that models may train on. `corpora` is a folder, or PTC's file.
    """
    name = model.bundle.name
    used = [use for use in model.bundle.config["corpora"] if use["name"] == "ptc"]
    held_out = next((use["articles_held_out"] for use in used if "articles_held_out" in use), PTC_HELD_OUT)
    if not held_out:
        raise DataError(f"{name} was trained on all of PTC.\nThere is no article left to measure it on.")
    corpus = read_corpus("ptc", corpora)
    apart = pl.col("article").map_elements(lambda article: is_held_out(article, held_out), pl.Boolean)
    learnt, test = corpus.filter(~apart), corpus.filter(apart)
    lexicon = _span_lexicon(learnt)
    texts, articles = test["text"].to_list(), test["article"].to_numpy()
    gold = [[(span["start"], span["end"]) for span in spans] for spans in test["loaded_words"]]
    by_model = [[(word.start, word.end) for word in words] for words in model.find_loaded_words(texts)]
    by_lexicon = [[m.span() for m in WORD.finditer(text) if m.group().lower() in lexicon] for text in texts]
    ours, theirs = (
        np.array([_overlap(*each) for each in zip(gold, found, strict=True)]) for found in (by_model, by_lexicon)
    )
    size = f"{len(test):,} lines of {test['article'].n_unique()} articles, {sum(map(len, gold)):,} spans"

    def score(k: int) -> Interval:
        return resampled(lambda rows: _span_scores(ours[rows])[k], articles)

    findings = tuple(
        Finding(f"{what} of spans", score(k), f"lexicon {baseline:.3f} ({len(lexicon):,} words)", size)
        for k, (what, baseline) in enumerate(zip(("precision", "recall", "F1"), _span_scores(theirs), strict=True))
    )
    return Evaluation(f"{name} on PTC's wording spans; 95% intervals by resampling articles.", {}, findings)


def _span_lexicon(rows: pl.DataFrame) -> set[str]:
    """Words seen at least `LEXICON_OCCURRENCES` times and more often inside spans than outside."""
    inside: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for text, spans in rows.select("text", "loaded_words").iter_rows():
        for match in WORD.finditer(text):
            word = match.group().lower()
            total[word] += 1
            inside[word] += bool(touching(spans, *match.span()))
    return {word for word, n in total.items() if n >= LEXICON_OCCURRENCES and inside[word] / n > 0.5}


def _overlap(gold: Sequence[tuple[int, int]], found: Sequence[tuple[int, int]]) -> tuple[float, float, int, int]:
    """Sum over found spans of the share of each that is gold, the same the other way round, and the two counts."""

    def covered(spans: Sequence[tuple[int, int]], by: Sequence[tuple[int, int]]) -> float:
        return sum(
            len({c for low, high in by for c in range(max(start, low), min(end, high))}) / (end - start)
            for start, end in spans
            if end > start
        )

    return covered(found, gold), covered(gold, found), len(found), len(gold)


def _span_scores(overlaps: NDArray[np.float64]) -> tuple[float, float, float]:
    hit_found, hit_gold, n_found, n_gold = overlaps.sum(axis=0)
    precision, recall = hit_found / max(n_found, 1), hit_gold / max(n_gold, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)
