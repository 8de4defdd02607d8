"""False alarms of `loadedwords lint`: how many plain sentences have a finding, and how many loaded ones.

    python tests/benchmarks/false_alarms.py                                            # the example articles: half a minute
    python tests/benchmarks/false_alarms.py --corpora ../shared/corpora --work runs    # held-out news: minutes

The sentences of the example articles were labelled by hand: no model was trained on them, and the linter reads each in
its article. They are a stratified sample, so each weighs as many as it stands for. Of the news corpus, its random
sentences, each read alone and scored by the model of the fold that did not train on it, which
`loadedwords evaluate --recipe default --work runs` has left (else they are trained now, for hours). What the
outlet says around a quotation takes the score of the whole sentence there. Plain is a target of 0, loaded one of 0.75.

In brackets 95% intervals by resampling articles. What is asked for is at most 0.025 false alarms a plain sentence.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import loadedwords
from loadedwords.articles import read_articles
from loadedwords.lint import Finding, findings, lint_text
from loadedwords.models.onnx_scorer import find_phrases
from loadedwords.models.scores import WordScore
from loadedwords.schema import Article
from loadedwords.scoring import FramingModel
from loadedwords.training.calibration import fit_settings
from loadedwords.training.evaluation import folds
from loadedwords.training.evaluation.results import resampled
from loadedwords.training.labels import CLEAR, calibrating, load_labels, load_unlabelled
from loadedwords.training.recipe import read_recipe
from loadedwords.training.stages import Workshop

DATA = Path(__file__).parents[2] / "notebooks" / "data"


@dataclass(frozen=True)
class Sentence:
    """A labelled sentence, what was found in it, and how many it stands for."""

    article: str
    target: float
    findings: tuple[Finding, ...]
    weight: float = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, help="score the news corpus there, held out")
    parser.add_argument("--work", type=Path, default=Path("runs"), help="where evaluate has left its folds")
    given = parser.parse_args()
    model = loadedwords.load_model()
    sentences = list(from_folds(given.corpora, given.work, model) if given.corpora else from_examples(model))
    for name, part in (("plain", [s for s in sentences if s.target == 0]),
                       ("clearly loaded", [s for s in sentences if s.target >= CLEAR])):  # fmt: skip
        articles = np.array([sentence.article for sentence in part])
        weight = np.array([sentence.weight for sentence in part])
        print(f"{name}: {len(part):,} sentences of {len(set(articles.tolist())):,} articles")
        for what, levels, found_by in (
            ("any finding", "note warning error", "model list"),
            ("by the model", "note warning error", "model"),
            ("by the list", "note warning error", "list"),
            ("a warning or error", "warning error", "model list"),
        ):
            hit = np.array(
                [any(f.severity in levels and f.found_by in found_by for f in s.findings) for s in part], dtype=float
            )
            share = resampled(lambda rows, hit=hit, weight=weight: float(np.average(hit[rows], weights=weight[rows])), articles)  # fmt: skip
            print(f"  {what}: {share.estimate:.3f} [{share.low:.3f}, {share.high:.3f}]")


class HeldOut:
    """In the place of a model's scorer: gives the sentence that is being read what another model said of it."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.text, self.probability, self.words = "", 0.0, list[WordScore]()

    def score(self, sentences: Sequence[str]) -> tuple[NDArray[np.float64], list[list[WordScore]]]:
        words = [self.words if sentence == self.text else [] for sentence in sentences]
        return np.full(len(sentences), self.probability), words


def from_folds(corpora: Path, work: Path, model: FramingModel) -> Iterator[Sentence]:
    recipe, articles = read_recipe("default"), corpora / "articles.parquet"
    labels = load_labels(recipe, corpora)
    unlabelled = load_unlabelled(articles, recipe.n_taught, without=labels)
    measured = labels.measured.with_row_index("at")
    (raw,) = folds._held_out(recipe, labels, [0], Workshop(work, unlabelled, articles), 1, lambda _: None)
    fold_of = measured["fold"].to_numpy()
    model._scorer = held_out = HeldOut(model.threshold)
    findings.plainer_words = lambda *_: ()  # to rank them takes a score of their own
    for fold in np.unique(fold_of):
        others = np.flatnonzero(fold_of != fold)
        settings = fit_settings(measured[others.tolist()], raw.take(others))
        for row in calibrating(measured).filter(pl.col("fold") == fold).iter_rows(named=True):
            at, held_out.text = row["at"], row["text"]
            held_out.probability = float(settings.of_sentences(raw.sentence[at : at + 1])[0])
            held_out.words = find_phrases(row["text"], raw.words[at], raw.kinds[at], settings)
            yield Sentence(row["article"], row["target"], tuple(lint_text(row["text"], model=model)))


def from_examples(model: FramingModel) -> Iterator[Sentence]:
    labelled = defaultdict(list)
    with (DATA / "labels.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["label"] != "skip":
                labelled[row["article_id"]].append(row)
    texts = {item.id: item.text for item in read_articles(DATA / "coverage.jsonl") if isinstance(item, Article)}
    for article, rows in labelled.items():
        scored, findings = model.score_text(texts[article]), lint_text(texts[article], model=model)
        for row in rows:
            sentence = scored.sentences[int(row["sentence_id"])]
            assert sentence.text.strip() == row["text"].strip(), (article, row["sentence_id"])
            inside = tuple(f for f in findings if sentence.start <= f.start < sentence.end)
            yield Sentence(article, float(row["label"] == "loaded"), inside, 1 / float(row["probability"]))


if __name__ == "__main__":
    main()
