"""False alarms of `loadedwords lint`: how many plain sentences have a finding, and how many loaded ones.

    python tests/benchmarks/false_alarms.py ../shared/corpora/news_train.jsonl   # minutes
    python tests/benchmarks/false_alarms.py                                      # the example articles: half a minute

Without a file, the sentences of the example articles that were labelled by hand: no model was trained on them, and the
linter reads each in its article. They are a stratified sample, so each weighs as many as it stands for. With a file, its
random sentences (text, target, article_id; `part`, if there is one, natural), each read alone; plain is a target of 0,
loaded one of 0.75. The embedded model was trained on the file named above: **there these figures are too good**, and
what `loadedwords evaluate --recipe default` says of lint's levels is held out.

In brackets 95% intervals by resampling articles. What is asked for is at most 0.025 false alarms a plain sentence.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import loadedwords
from loadedwords.articles import read_articles
from loadedwords.lint import Finding, lint_text
from loadedwords.schema import Article
from loadedwords.scoring import FramingModel
from loadedwords.training.evaluation.results import resampled
from loadedwords.training.labels import CLEAR

DATA = Path(__file__).parents[2] / "notebooks" / "data"


@dataclass(frozen=True)
class Sentence:
    """A labelled sentence, what was found in it, and how many it stands for."""

    article: str
    target: float
    findings: tuple[Finding, ...]
    weight: float = 1.0


def main() -> None:
    model = loadedwords.load_model()
    files = [Path(name) for name in sys.argv[1:]]
    sentences = [each for file in files for each in from_file(file, model)] or list(from_examples(model))
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


def from_file(file: Path, model: FramingModel) -> Iterator[Sentence]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row.get("part", "natural") == "natural":
            yield Sentence(str(row["article_id"]), row["target"], tuple(lint_text(row["text"], model=model)))


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
