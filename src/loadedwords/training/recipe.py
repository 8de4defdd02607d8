"""Recipes: what a model is trained on, in which stages, and how; as in `training/recipes/*.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from loadedwords.errors import DataError

# Rows of this stage are not trained on: the int8 model is compared with the float one on them.
PARITY_STAGE = "parity"


@dataclass(frozen=True)
class CorpusUse:
    """One corpus of a recipe.

    Attributes
    ----------
    name, split : str
    stages : tuple of str
        The stages that train on it; a linear recipe has none and trains on all of its corpora.
    weight, word_weight : float
        Of its sentences' targets, and of its marked words.
    in_domain : bool
        Whether `p_loaded` is on its terms: it calibrates, on the rows that were drawn at random.
    measured : bool
        Whether it is cross-validated; one that is in domain always is.
    held_out : float
        Share of its articles that this use leaves out, the same every time; another use of the corpus may train on them.
    relabelled : bool
        Its sentences are learnt as the teachers see them, in a stage that has taught sentences; not by its labels.
    neutral_per_loaded : float or None
        So many neutral sentences are kept for each loaded one; all if None.
    """

    name: str
    split: str = "train"
    stages: tuple[str, ...] = ()
    weight: float = 1.0
    word_weight: float = 1.0
    in_domain: bool = False
    measured: bool = False
    held_out: float = 0.0
    relabelled: bool = False
    neutral_per_loaded: float | None = None


@dataclass(frozen=True)
class Stage:
    """One stage of training: the name that corpora refer to, and what it sets otherwise than the estimator's settings.

    `taught` is the number of sentences of unlabelled articles that are learnt as the teachers see them.
    """

    name: str
    taught: int = 0
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """What to train, on what, and how.

    The stages follow each other, each on the weights that the one before it left. All seeds share those before the last.
    The teachers are two models of one recipe on the same corpora, each trained on half of what is measured, so that
    whoever is measured on one half may learn from the teacher of the other. A linear recipe names the transformer recipe
    whose teachers it learns from: `taught` sentences, each of the weight `taught_weight`. `without` names what was left
    out of a recipe.
    """

    kind: str
    name: str
    corpora: tuple[CorpusUse, ...]
    estimator: dict[str, Any]
    stages: tuple[Stage, ...] = ()
    teacher: Recipe | None = None
    taught: int = 0
    taught_weight: float = 1.0
    without: str | None = None

    @property
    def n_taught(self) -> int:
        """How many unlabelled sentences training needs."""
        return max([self.taught, *(stage.taught for stage in self.stages)])


def read_recipe(name: str) -> Recipe:
    """A recipe by its name in `training/recipes`, or from a TOML file.

    Raises
    ------
    DataError
        If there is none of that name or it can't be understood.
    """
    shipped = resources.files("loadedwords.training") / "recipes"
    source = Path(name) if name.endswith(".toml") else shipped / f"{name}.toml"
    if not source.is_file():
        known = sorted(file.name.removesuffix(".toml") for file in shipped.iterdir() if file.name.endswith(".toml"))
        raise DataError(f"There is no recipe {name}.\nName one of {', '.join(known)}, or a .toml file.")
    try:
        return _recipe(tomllib.loads(source.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The recipe {source} can't be used: {error}.\nCompare it with those in training/recipes."
        ) from error


def _recipe(content: dict[str, Any]) -> Recipe:
    stages = []
    for stage in content.get("stages", ()):
        settings = dict(stage)
        stages.append(Stage(settings.pop("name"), settings.pop("taught", 0), settings))
    teacher = content.get("teacher")
    if isinstance(teacher, str):
        teacher = read_recipe(teacher)
    elif teacher:
        same = {"kind": content["kind"], "name": f"{content['name']}-teacher", "corpora": content["corpora"]}
        teacher = _recipe({**teacher, **same})
    recipe = Recipe(
        content["kind"],
        content["name"],
        tuple(CorpusUse(**{**corpus, "stages": tuple(corpus.get("stages", ()))}) for corpus in content["corpora"]),
        content["estimator"],
        tuple(stages),
        teacher,
        int(content.get("taught", 0)),
        float(content.get("taught_weight", 1.0)),
    )
    if recipe.kind == "transformer" and not stages:
        raise KeyError("stages")
    if recipe.n_taught and teacher is None:
        raise ValueError("it learns taught sentences, and there is no teacher")
    return recipe


def leave_out(recipe: Recipe, part: str) -> Recipe:
    """The recipe without one of its parts, to see what that is worth.

    A part is a stage; a corpus, which then trains in no stage and is measured all the same; or "alike", its words
    that no score may tell apart.

    Raises
    ------
    DataError
        If the recipe has no such part, or is linear and so has no stages.
    """
    if recipe.kind != "transformer":
        raise DataError(
            f"The recipe {recipe.name} is {recipe.kind} and has no stages to leave a part out of.\nName a transformer recipe."
        )
    known = [*(stage.name for stage in recipe.stages), *(use.name for use in recipe.corpora)]
    known += [name for name in recipe.estimator if name == "alike"]
    if part not in known:
        raise DataError(f"The recipe {recipe.name} has no part {part}.\nName one of {', '.join(dict.fromkeys(known))}.")
    estimator = {name: value for name, value in recipe.estimator.items() if name != part}
    stages = tuple(stage for stage in recipe.stages if stage.name != part)
    corpora = tuple(replace(use, stages=()) if use.name == part else use for use in recipe.corpora)
    teacher = replace(recipe.teacher, corpora=corpora) if recipe.teacher and any(s.taught for s in stages) else None
    without = part if recipe.without is None else f"{recipe.without}, {part}"
    return replace(recipe, estimator=estimator, stages=stages, corpora=corpora, teacher=teacher, without=without)


def for_own_labels(recipe: Recipe) -> Recipe:
    """What of a recipe applies to one's own labels: its last stage, as what comes before needs the recipe's corpora."""
    stages = tuple(replace(stage, taught=0) for stage in recipe.stages[-1:])
    return replace(recipe, stages=stages, teacher=None, taught=0)
