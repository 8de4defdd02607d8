"""A recipe's stages, its teachers and its folds: nothing is trained twice, and nothing leaks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl
import pytest

from loadedwords.cli import main
from loadedwords.errors import DataError
from loadedwords.training.evaluation import cross_validate, leave_one_outlet_out
from loadedwords.training.labels import Labels, load_unlabelled
from loadedwords.training.recipe import Recipe, Stage, for_own_labels, leave_out, read_recipe
from loadedwords.training.release import fit_and_score
from loadedwords.training.stages import Workshop, halves_of, teach, train_stages
from loadedwords.training.transformer import TransformerFramingClassifier
from tiny import LABELS, PLAIN, TEXTS, make

DATA = Path(__file__).parents[1] / "notebooks" / "data"
pytestmark = pytest.mark.usefixtures("few_resamples")


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def workshop(tiny_bundle: Path) -> Workshop:
    """Where the tiny bundle was made."""
    return Workshop(tiny_bundle.parent / "work", tell=quiet)


def test_finished_stages_and_folds_are_not_trained_again(
    tiny_recipe: Recipe, tiny_data: Labels, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    first = cross_validate(tiny_recipe, tiny_data, workshop=workshop, tell=quiet)
    train_stages(tiny_recipe, tiny_data, workshop, seed=0)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(TransformerFramingClassifier, "fit", refuse)
    again = replace(workshop, tell=told.append)
    train_stages(tiny_recipe, tiny_data, again, seed=0)
    assert "found" in told[0]
    assert cross_validate(tiny_recipe, tiny_data, workshop=again, tell=quiet).metrics == first.metrics
    with pytest.raises(AssertionError, match="trained again"):
        train_stages(tiny_recipe, tiny_data, again, seed=1)


def test_folds_trained_beside_each_other_are_the_same(
    tiny_recipe: Recipe, tiny_data: Labels, workshop: Workshop, tmp_path: Path
) -> None:
    quick = replace(tiny_recipe, stages=(Stage("only", settings={"epochs": 2}),))
    alone, together = (
        cross_validate(
            quick,
            tiny_data,
            workshop=replace(workshop, folder=tmp_path / f"{jobs}", threads=1),
            jobs=jobs,
            tell=quiet,
        ).metrics["tiny"]
        for jobs in (1, 2)
    )
    assert len(list((tmp_path / "2").glob("tiny-only-*"))) == 2, "the processes left their stages where they belong"
    for name, interval in alone.items():
        assert together[name].estimate == pytest.approx(interval.estimate, abs=0.02)  # of another number of threads


def test_a_cross_validation_says_what_it_rests_on(
    tiny_recipe: Recipe, tiny_data: Labels, workshop: Workshop, fits: list[set[str]]
) -> None:
    evaluation = cross_validate(tiny_recipe, tiny_data, workshop=workshop, tell=quiet)
    names = [finding.name for finding in evaluation.findings]
    for name in (
        "expected calibration error (lower is better)",
        "average precision of words",
        "ROC AUC, any objection",
    ):
        assert name in names
    assert sum(n for _, _, n in evaluation.reliability) == len(tiny_data.table)
    assert evaluation.held_out is not None
    fits.clear()
    lost = leave_one_outlet_out(tiny_recipe, tiny_data, evaluation.held_out, n_outlets=1, workshop=workshop, tell=quiet)
    outlet = tiny_data.table["outlet"].drop_nulls().mode().sort()[0]
    theirs = (pl.col("outlet") == outlet).fill_null(value=False)
    assert fits == [set(tiny_data.table.filter(~theirs)["text"])]
    assert lost.value.low <= lost.value.estimate <= lost.value.high


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The sentences of every training, in order."""
    seen: list[set[str]] = []
    fit = TransformerFramingClassifier.fit

    def spy(self: TransformerFramingClassifier, texts: list[str], *rest: Any, **named: Any) -> Any:
        seen.append(set(texts))
        return fit(self, texts, *rest, **named)

    monkeypatch.setattr(TransformerFramingClassifier, "fit", spy)
    return seen


@pytest.fixture
def student(tiny_recipe: Recipe) -> Recipe:
    """A recipe that learns three sentences of its teachers first."""
    quick = {"epochs": 1}
    teacher = replace(tiny_recipe, name="teacher", stages=(Stage("only", settings=quick),))
    stages = (Stage("taught", taught=3, settings=quick), Stage("only", settings=quick))
    return replace(tiny_recipe, stages=stages, teacher=teacher)


@pytest.mark.parametrize("fold", [0, 3])
def test_neither_the_model_nor_its_teacher_sees_the_fold_that_it_is_measured_on(
    student: Recipe, own_labels: Labels, tmp_path: Path, fits: list[set[str]], fold: int
) -> None:
    hidden = set(own_labels.table.filter(pl.col("fold") == fold)["text"])
    articles = set(own_labels.table.filter(pl.col("fold") == fold)["article"])
    assert not articles & set(own_labels.table.filter(pl.col("fold") != fold)["article"])
    train_stages(student, own_labels, Workshop(tmp_path, PLAIN[:3], tell=quiet), seed=0, without=fold)
    assert len(fits) == 3, "one teacher, the taught stage, the labels"
    assert hidden
    assert not any(hidden & texts for texts in fits)
    (half,) = (half for half in halves_of(own_labels) if fold not in half)
    assert fits[0] == set(own_labels.table.filter(pl.col("fold").is_in(sorted(half)))["text"])
    assert fits[2] == set(own_labels.table.filter(pl.col("fold") != fold)["text"])


def test_the_finished_model_learns_the_mean_of_both_teachers(
    student: Recipe, own_labels: Labels, tmp_path: Path, fits: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {half: 0.2 + 0.4 * at for at, half in enumerate(halves_of(own_labels))}
    words = {half: [{"start": 0, "end": 3 + at, "share": 0.5}] for at, half in enumerate(halves_of(own_labels))}
    monkeypatch.setattr(
        "loadedwords.training.stages.teach",
        lambda _teacher, _labels, _workshop, texts, half: [{"target": said[half], "words": words[half]} for _ in texts],
    )
    learnt: list[dict[str, Any]] = []
    fit = TransformerFramingClassifier.fit
    monkeypatch.setattr(
        TransformerFramingClassifier, "fit", lambda self, *a, **k: (learnt.append(k), fit(self, *a, **k))[1]
    )
    train_stages(student, own_labels, Workshop(tmp_path, PLAIN[:3], tell=quiet), seed=0)
    np.testing.assert_allclose(learnt[0]["target"], [0.4] * 3)
    assert [(w["start"], w["end"], w["share"]) for w in learnt[0]["loaded_words"][0]] == [(0, 3, 0.25), (0, 4, 0.25)]
    assert set(own_labels.table["text"]) == fits[-1]


def test_a_student_learns_from_its_teachers(
    tiny_recipe: Recipe, tiny_data: Labels, coverage: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The teachers see the labels, the student only what they say of other sentences."""
    articles = tmp_path / "articles.jsonl"
    articles.write_text("\n".join(json.dumps(article) for article in coverage), encoding="utf-8")
    sentences = load_unlabelled(articles, 150, without=tiny_data)
    assert len(sentences) == len(set(sentences)) == 150
    assert sentences == load_unlabelled(articles, 150, without=tiny_data)
    assert not set(sentences) & set(tiny_data.table["text"])
    teacher = replace(tiny_recipe, name="teacher", stages=(Stage("only", settings={"epochs": 16}),))
    student = replace(tiny_recipe, stages=(Stage("taught", taught=150, settings={"epochs": 30}),), teacher=teacher)
    workshop = Workshop(tmp_path / "work", tuple(sentences), tell=quiet)
    workshop.folder.mkdir()
    taught = train_stages(student, tiny_data, workshop, seed=1).logits(sentences).sentence
    said = [teach(teacher, tiny_data, workshop, sentences, half) for half in halves_of(tiny_data)]
    targets = np.mean([[row["target"] for row in of] for of in said], axis=0)
    assert np.corrcoef(taught, targets)[0, 1] > 0.5


def test_what_is_taught_is_kept_and_a_line_cut_short_is_asked_again(
    tiny_recipe: Recipe, tiny_data: Labels, tmp_path: Path
) -> None:
    told: list[str] = []
    workshop = Workshop(tmp_path, tell=told.append)
    half = halves_of(tiny_data)[0]
    first = teach(tiny_recipe, tiny_data, workshop, PLAIN[:3], half)
    (kept,) = tmp_path.glob("taught-*.jsonl")
    kept.write_bytes(kept.read_bytes()[:-20])
    told.clear()
    again = teach(tiny_recipe, tiny_data, workshop, [*PLAIN[:3], *PLAIN[:2]], half)
    assert [line.partition(" has ")[2] for line in told if " has read" in line] == ["read 1 of 1 sentences"]
    np.testing.assert_allclose([r["target"] for r in again], [first[at]["target"] for at in (0, 1, 2, 0, 1)], atol=0.02)
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 3
    told.clear()
    teach(tiny_recipe, tiny_data, workshop, PLAIN[:3], half)
    assert not [line for line in told if " has read" in line]


def test_a_recipe_with_teachers_asks_for_sentences(student: Recipe, tiny_data: Labels, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unlabelled"):
        train_stages(student, tiny_data, Workshop(tmp_path, tell=quiet), seed=0)


def test_kept_scores_belong_to_one_model(
    tiny_recipe: Recipe, tiny_data: Labels, tiny_encoder: Path, tmp_path: Path
) -> None:
    """The same recipe and sentences from another start are another model."""
    tiny_recipe = replace(tiny_recipe, stages=(Stage("only", settings={"epochs": 2}),))
    start = make(tiny_encoder, epochs=20).fit(TEXTS, 1 - LABELS).save_checkpoint(tmp_path / "start")
    scores = [
        fit_and_score(tiny_recipe, tiny_data, PLAIN[:3], seed=0, workshop=Workshop(tmp_path, start=at, tell=quiet))
        for at in (None, start)
    ]
    assert not np.allclose(scores[0].sentence, scores[1].sentence)
    again = fit_and_score(tiny_recipe, tiny_data, PLAIN[:3], seed=0, workshop=Workshop(tmp_path, tell=quiet))
    np.testing.assert_array_equal(again.sentence, scores[0].sentence)
    assert again.words == scores[0].words
    np.testing.assert_array_equal(np.concatenate(again.kinds), np.concatenate(scores[0].kinds))


def test_recipes_say_what_is_wrong(tmp_path: Path) -> None:
    recipe = read_recipe("default")
    assert recipe.kind == "transformer"
    assert all(use.split != "test" for use in recipe.corpora)
    for content, complaint in (
        ('kind = "transformer"\nname = "x"\ncorpora = []\n[estimator]\n', "stages"),
        (
            'kind = "transformer"\nname = "x"\ncorpora = []\n[estimator]\n[[stages]]\nname = "a"\ntaught = 5\n',
            "teacher",
        ),
    ):
        file = tmp_path / "recipe.toml"
        file.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=complaint):
            read_recipe(str(file))


def test_a_recipe_may_set_only_what_the_estimator_has(tiny_recipe: Recipe, tiny_data: Labels, tmp_path: Path) -> None:
    late = Stage("late", settings={"weight_decay": 0.1})
    of_teacher = replace(tiny_recipe, teacher=replace(tiny_recipe, stages=(*tiny_recipe.stages, late)))
    for recipe in (replace(tiny_recipe, stages=(*tiny_recipe.stages, late)), of_teacher):
        with pytest.raises(DataError, match=r"sets weight_decay, which the estimator lacks\.\n.*learning_rate"):
            train_stages(recipe, tiny_data, Workshop(tmp_path, tell=quiet), seed=0)
    assert not list(tmp_path.iterdir()), "told before anything is trained"


def test_a_part_of_a_recipe_is_left_out() -> None:
    recipe = read_recipe("default")
    untaught = leave_out(recipe, "taught")
    assert [stage.name for stage in untaught.stages] == ["wording", "news"]
    assert untaught.teacher is None
    assert untaught.n_taught == 0
    plainer = leave_out(recipe, "babe")
    assert plainer.teacher is not None
    assert all(use.stages == () for of in (plainer, plainer.teacher) for use in of.corpora if use.name == "babe")
    assert "alike" in recipe.estimator
    both = leave_out(untaught, "plain")
    assert both.without == "taught, plain"
    assert [stage.name for stage in both.stages] == ["wording", "news"]
    assert all(use.stages == () for use in both.corpora if use.name == "plain")
    told_apart = leave_out(recipe, "alike")
    assert "alike" not in told_apart.estimator
    with pytest.raises(DataError, match="has no part alike"):
        leave_out(told_apart, "alike")
    with pytest.raises(DataError, match="has no stages"):
        leave_out(read_recipe("linear"), "babe")
    with pytest.raises(DataError, match="has no part lessons"):
        leave_out(recipe, "lessons")


def test_own_labels_train_the_last_stage_alone() -> None:
    recipe = for_own_labels(read_recipe("default"))
    assert [(stage.name, stage.taught) for stage in recipe.stages] == [("news", 0)]
    assert recipe.teacher is None


def test_a_model_is_not_trained_further_on_what_it_knows(tiny_bundle: Path, tmp_path: Path) -> None:
    arguments = ["train", str(DATA / "labelled.csv"), "--from", str(tiny_bundle), "--work", str(tmp_path / "work")]
    with pytest.raises(click.UsageError, match="already"):
        main([*arguments, "-o", str(tmp_path / "again")], standalone_mode=False)
