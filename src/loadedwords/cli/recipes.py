"""What `train` and `evaluate` share: the options of a recipe, and the workshop it is trained in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadedwords.cli.options import EXISTING, FOLDER, together
from loadedwords.cli.terminal import tell

if TYPE_CHECKING:
    from loadedwords.training.labels import Labels
    from loadedwords.training.recipe import Recipe
    from loadedwords.training.stages import Workshop

recipe_options = together(
    click.option(
        "--corpora",
        type=EXISTING,
        help="Folder of the corpora that the recipe names.  [default: the Hugging Face Hub, which lacks some]",
    ),
    click.option(
        "--articles",
        type=EXISTING,
        help="Unlabelled articles for a recipe with a teacher.  [default: articles.parquet among the corpora]",
    ),
    click.option(
        "--work",
        type=FOLDER,
        default=Path("runs"),
        show_default=True,
        help="Folder that keeps finished stages of a transformer: the same command goes on from them.",
    ),
    click.option(
        "--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Folds of a transformer at once."
    ),
)


def workshop_for(
    recipe: Recipe, data: Labels, corpora: Path | None, articles: Path | None, work: Path, start: str
) -> Workshop | None:
    """Where a transformer is trained, with the unlabelled sentences to be labelled."""
    from loadedwords.training.labels import load_labels, load_unlabelled
    from loadedwords.training.release import require_extra

    if recipe.kind != "transformer" and recipe.teacher is None:
        return None
    require_extra("Training a transformer")
    from loadedwords.training.stages import Workshop

    work.mkdir(parents=True, exist_ok=True)
    linear = recipe.kind == "linear"
    checkpoint = None if linear or start == "scratch" else _checkpoint(start, work, data)
    of_teacher = None
    if linear and recipe.teacher:  # in the same folds: no teacher may know a fold that its pupil is measured on
        of_teacher = load_labels(recipe.teacher, corpora, n_folds=data.n_folds)
    unlabelled: list[str] = []
    source = None
    if recipe.n_taught and checkpoint is None:
        source = articles or (corpora / "articles.parquet" if corpora else None)
        if source is None or not source.exists():
            raise click.UsageError(f"The recipe {recipe.name} learns from unlabelled articles too: name --articles.")
        unlabelled = load_unlabelled(source, recipe.n_taught, without=of_teacher or data)
    return Workshop(work, unlabelled, source, checkpoint, of_teacher, progress=sys.stderr.isatty(), tell=tell)


def _checkpoint(start: str, work: Path, data: Labels) -> Path:
    """The checkpoint to train further; of a bundle, which has none, it is made again from the int8 weights."""
    from loadedwords.models.bundle import CONFIG_FILE, GOLDEN_FILE, open_bundle

    if start != "embedded" and not (Path(start) / GOLDEN_FILE).is_file():
        if not (Path(start) / CONFIG_FILE).is_file():
            raise click.UsageError(f"--from {start} is neither embedded, scratch, nor a folder with a model.")
        return Path(start)
    from loadedwords.training.restore import restore_checkpoint

    bundle = open_bundle(None if start == "embedded" else start)
    known = {corpus.get("sha256") for corpus in bundle.config["corpora"]} - {None}
    again = [corpus for corpus in data.provenance if corpus.get("sha256") in known]
    if again:
        raise click.UsageError(
            f"{bundle.name} was trained on {again[0].get('file') or again[0]['name']} already, so it can't be calibrated or "
            "measured on it: train --from scratch, or on other labels."
        )
    folder = work / f"restored-{bundle.hash[:12]}"
    return folder if folder.is_dir() else restore_checkpoint(bundle, folder)
