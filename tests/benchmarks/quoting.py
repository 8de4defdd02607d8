"""False alarms on sentences with a double quote over those without: of the whole sentence, and of what the outlet says in it.

    python tests/benchmarks/quoting.py --corpora ../shared/corpora --work runs    # ten minutes

Each sentence of the news corpus and of BABE is an article of its own, scored in int8 by the model of the fold that did not
train on it, which `loadedwords evaluate --recipe default --work runs` has left (else they are trained now, for hours);
BABE at its own share of loaded ones, as there. A sentence in which the outlet says nothing counts as plain in its own voice.

In brackets 95% intervals by resampling articles. What is asked for is at most 1.3 times the false alarms.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

import loadedwords
from loadedwords.models.onnx_scorer import OnnxScorer
from loadedwords.schema import Article
from loadedwords.training import export, stages
from loadedwords.training.calibration import fit_settings
from loadedwords.training.evaluation import folds
from loadedwords.training.evaluation.slices import slice_errors
from loadedwords.training.labels import Labels, calibrating, load_labels, load_unlabelled
from loadedwords.training.recipe import Recipe, read_recipe
from loadedwords.training.release import _seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs"), help="where evaluate has left its folds")
    given = parser.parse_args()
    recipe, articles = read_recipe("default"), given.corpora / "articles.parquet"
    labels = load_labels(recipe, given.corpora)
    unlabelled = load_unlabelled(articles, recipe.n_taught, without=labels)
    scored = pl.concat(held_out(recipe, labels, stages.Workshop(given.work, unlabelled, articles)))
    for corpus, rows in (("news", calibrating(scored)), ("babe", scored.filter(pl.col("corpus") == "babe"))):
        for voice in ("p_loaded", "p_own"):
            ratio = slice_errors([(rows[voice] >= 0.5).to_numpy()], rows)[1][0]
            print(
                f"{corpus}, {voice}: {ratio.value.estimate:.2f} [{ratio.value.low:.2f}, {ratio.value.high:.2f}]; {ratio.beside}"
            )


def held_out(recipe: Recipe, labels: Labels, workshop: stages.Workshop) -> Iterator[pl.DataFrame]:
    """The measured rows of each fold with the highest `p_loaded` and `p_own` of their sentences."""
    (raw,) = folds._held_out(recipe, labels, [0], workshop, 1, lambda _: None)
    settings = fit_settings(labels.measured, raw)
    share = labels.measured.filter(~pl.col("in_domain"))["label"].mean()
    models = {True: loadedwords.load_model(), False: loadedwords.load_model(prevalence=share)}
    for (fold,), rows in labels.measured.group_by("fold", maintain_order=True):
        estimator = stages.train_stages(recipe, labels, workshop, seed=0, without=int(str(fold)))
        with tempfile.TemporaryDirectory() as folder:
            export.export_onnx(estimator, Path(folder), _seen(labels.trained_on()))
            for in_domain, model in models.items():
                model._scorer = OnnxScorer(Path(folder), settings)
                part = rows.filter(pl.col("in_domain") == in_domain)
                articles = [Article(id=str(at), text=text) for at, text in enumerate(part["text"])]
                found = [article.sentences for article in model.score_articles(articles)]
                yield part.with_columns(
                    p_loaded=pl.Series([max((s.p_loaded for s in of), default=0.0) for of in found]),
                    p_own=pl.Series([max((s.p_own or 0.0 for s in of), default=0.0) for of in found]),
                )


if __name__ == "__main__":
    main()
