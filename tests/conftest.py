"""Shared fixtures: the real corpora where they are, a tiny bundle, articles of our own."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# The networks of the tests are so small that a second thread only waits for the first: beside another process, twenty
# times as long. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from chromium import Browser
from loadedwords.models.bundle import Bundle, open_bundle
from loadedwords.schema import Device
from loadedwords.scoring import load_model
from loadedwords.scoring.model import _load_scorer
from loadedwords.scoring.remembered import RememberedScores
from loadedwords.training.evaluation import Evaluation, evaluate_labelled, probe
from loadedwords.training.labels import Labels, load_labels
from loadedwords.training.recipe import Recipe, Stage, read_recipe
from loadedwords.training.release import train_bundle

# How long an example takes depends on what else the machine does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

ROOT = Path(__file__).parents[1]
# Where several processes run the tests, each takes whole files: these together, as they share what takes long to make,
# and before all others, so that no process is left alone with them in the end.
TOGETHER = {
    "scores": ["test_docs", "test_package", "test_probes", "test_device_suite", "test_cli", "test_evaluation"],
    "networks": ["test_export", "test_stages", "test_transformer"],
}
FIRST = [file for files in TOGETHER.values() for file in files]
DATA = ROOT / "notebooks" / "data"
N_RESAMPLES = "loadedwords.training.evaluation.results.N_RESAMPLES"
# The command in shards so small that a few hundred articles make many.
IN_SMALL_SHARDS = [
    sys.executable,
    "-c",
    "from loadedwords.batch import shards; shards.ARTICLES_PER_SHARD = 8; from loadedwords.cli import main; main()",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(item.path.stem) if item.path.stem in FIRST else len(FIRST))


class Together(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).stem
        return next((of for of, files in TOGETHER.items() if file in files), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    return Together(config, log)


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that don't ask how wide an interval is, which takes most of an evaluation's time."""
    monkeypatch.setattr(N_RESAMPLES, 20)


@pytest.fixture(scope="session")
def embedded_scores() -> RememberedScores:
    return RememberedScores(_load_scorer(open_bundle(), threads=1), 100_000)


def _remember(patch: pytest.MonkeyPatch, scores: RememberedScores) -> None:
    def load_scorer(bundle: Bundle, threads: int | None, device: Device) -> Any:
        return scores if bundle.folder == open_bundle().folder else _load_scorer(bundle, threads, device)

    patch.setattr("loadedwords.scoring.model._load_scorer", load_scorer)


@pytest.fixture
def remembered_scores(embedded_scores: RememberedScores, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what is done with scores: the embedded model scores no sentence twice in a session."""
    _remember(monkeypatch, embedded_scores)


@pytest.fixture(scope="session")
def probed(embedded_scores: RememberedScores) -> Evaluation:
    """What the embedded model does with the package's own suites."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(N_RESAMPLES, 20)
        _remember(patch, embedded_scores)
        return probe(load_model())


@pytest.fixture(scope="session")
def labelled(embedded_scores: RememberedScores) -> Evaluation:
    """What it makes of sentences of our own, which no model was trained on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(N_RESAMPLES, 20)
        _remember(patch, embedded_scores)
        return evaluate_labelled(load_model(), [DATA / "labelled.csv"])


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora; without it the test says so and is skipped."""
    folder = Path(os.environ.get("LOADEDWORDS_CORPORA", ROOT.parent / "shared" / "corpora"))
    if not (folder / "babe_train.jsonl").is_file():
        pytest.skip(f"no corpora in {folder}: set LOADEDWORDS_CORPORA to the folder that holds babe_train.jsonl")
    return folder


@pytest.fixture(scope="session")
def real_articles(corpora: Path) -> list[dict[str, Any]]:
    import polars as pl

    return pl.read_parquet(corpora / "articles.parquet").sample(400, seed=11).to_dicts()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """The session's Chromium with a new page."""
    chromium.new_page()
    return chromium


@pytest.fixture(scope="session")
def coverage() -> list[dict[str, Any]]:
    """Our articles on the seven events that all six outlets tell: fewer than ten an outlet."""
    rows = [json.loads(line) for line in (DATA / "coverage.jsonl").read_text(encoding="utf-8").splitlines()]
    told = Counter(row["event_id"] for row in rows)
    return [row for row in rows if told[row["event_id"]] == 6]


@pytest.fixture(scope="session")
def small_recipe() -> Recipe:
    """The linear recipe on our own labels, small enough for a test."""
    recipe = read_recipe("linear")
    return Recipe(recipe.kind, "small", (), recipe.estimator | {"folds": 2, "bits": 14, "n_jobs": None})


@pytest.fixture(scope="session")
def small_data(small_recipe: Recipe) -> Labels:
    return load_labels(small_recipe, None, [DATA / "labelled.csv"])


@pytest.fixture(scope="session")
def small_bundle(small_recipe: Recipe, small_data: Labels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "small"
    train_bundle(small_recipe, small_data, folder, tell=lambda _: None)
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of BERT's make, untrained and small enough to train in a test, with a vocabulary of our own text."""
    pytest.importorskip("torch", reason="torch is not installed: pip install 'loadedwords[train]'")
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    folder.mkdir()
    # Not learnt, which comes out another way each time: words that occur again, and letters for the rest.
    from tiny import TEXTS

    text = (DATA / "labelled.csv").read_text(encoding="utf-8").lower() + " ".join(TEXTS).lower()
    letters = sorted(set(re.sub(r"\s", "", text)) | set("abcdefghijklmnopqrstuvwxyz"))
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    pieces += sorted(word for word, n in Counter(re.findall(r"[a-z]{2,}", text)).items() if n > 1)
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    torch.manual_seed(0)
    settings = BertConfig(
        vocab_size=len(pieces),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=256,
    )
    BertModel(settings).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_recipe(tiny_encoder: Path) -> Recipe:
    settings = {"encoder": str(tiny_encoder), "batch_size": 16, "learning_rate": 1e-3, "max_length": 64}
    return Recipe("transformer", "tiny", (), settings, (Stage("only", settings={"epochs": 10}),))


@pytest.fixture(scope="session")
def tiny_data(tiny_recipe: Recipe) -> Labels:
    """Our own labels in two folds."""
    return load_labels(tiny_recipe, None, [DATA / "labelled.csv"], n_folds=2)


@pytest.fixture(scope="session")
def own_labels(tiny_recipe: Recipe) -> Labels:
    """Our own labels in five folds."""
    return load_labels(tiny_recipe, None, [DATA / "labelled.csv"])


@pytest.fixture(scope="session")
def tiny_bundle(tiny_recipe: Recipe, tiny_data: Labels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer's bundle with its cross-validation; what it was made of is kept in `work` beside it."""
    from loadedwords.training.evaluation import cross_validate
    from loadedwords.training.stages import Workshop

    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    workshop = Workshop(folder.parent / "work", tell=lambda _: None)
    workshop.folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(N_RESAMPLES, 20)
        evaluation = cross_validate(tiny_recipe, tiny_data, workshop=workshop, tell=lambda _: None)
    train_bundle(
        tiny_recipe,
        tiny_data,
        folder,
        held_out=evaluation.held_out,
        metrics=evaluation.as_dict(),
        workshop=workshop,
        tell=lambda _: None,
    )
    return folder


@pytest.fixture(scope="session")
def fitted(tiny_encoder: Path) -> Any:
    """A TransformerFramingClassifier that knows the sentences of `tiny`."""
    from tiny import LABELS, TEXTS, make, marks

    return make(tiny_encoder, epochs=24, kind_weight=2.0).fit(TEXTS, LABELS, loaded_words=[marks(t) for t in TEXTS])
