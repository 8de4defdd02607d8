"""`loadedwords train`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from loadedwords.cli.options import EXISTING_FILE, refuse_given
from loadedwords.cli.recipes import recipe_options, workshop_for
from loadedwords.cli.tables import print_evaluation
from loadedwords.cli.terminal import tell


@click.command()
@click.argument("labelled", nargs=-1, type=EXISTING_FILE)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the bundle.")
@click.option("--recipe", default="default", show_default=True, help="A recipe of the package, or a .toml file.")
@click.option(
    "--from",
    "start",
    help="What a transformer starts from: embedded, scratch (the recipe's encoder), or the folder of a bundle or checkpoint.  [default: embedded for your own labels, else scratch]",
)
@recipe_options
@click.option("--seed", default=0, show_default=True, help="Of the model that is written.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), help="How often to cross-validate.")
@click.option(
    "--evaluate/--no-evaluate",
    "measure",
    default=True,
    show_default=True,
    help="Cross-validate, and record it in the card.",
)
@click.option(
    "--ablation",
    type=EXISTING_FILE,
    multiple=True,
    help="What `evaluate --without PART --json` printed, for the card; once for each part.",
)
def train(labelled: tuple[Path, ...], output: Path, recipe: str, start: str | None, corpora: Path | None, articles: Path | None,
          work: Path, jobs: int, seed: int, seeds: int, measure: bool, ablation: tuple[Path, ...]) -> None:  # fmt: skip
    """Train a model, on the recipe's corpora or on your own LABELLED files, and write it as a bundle.

    \b
    loadedwords train --recipe default --corpora corpora/ -o my-model   the embedded transformer again
    loadedwords train --recipe linear --corpora corpora/ -o my-model    the embedded linear model again
    loadedwords train labelled.csv -o my-model                          the embedded transformer, on your own labels
    loadedwords train labelled.csv --recipe linear -o my-model          a linear model of your own
    """
    from loadedwords.models.bundle import check_place
    from loadedwords.training.evaluation import cross_validate
    from loadedwords.training.labels import load_labels
    from loadedwords.training.recipe import for_own_labels, read_recipe
    from loadedwords.training.release import train_bundle

    if not measure:
        refuse_given(("seeds", "jobs", "ablation"), "is for the cross-validation, which --no-evaluate leaves out.")
    check_place(output)  # and what else is wrong, before hours of training
    leaving_out = [_ablation(file) for file in ablation]
    plan = for_own_labels(read_recipe(recipe)) if labelled else read_recipe(recipe)
    if start and plan.kind == "linear":
        raise click.UsageError("--from is for a transformer: a linear model starts from nothing.")
    data = load_labels(plan, corpora, labelled)
    workshop = workshop_for(plan, data, corpora, articles, work, start or ("embedded" if labelled else "scratch"))
    metrics = held_out = None
    if measure:
        evaluation = cross_validate(plan, data, seeds=range(seeds), workshop=workshop, jobs=jobs, tell=tell)
        print_evaluation(evaluation)
        metrics, held_out = evaluation.as_dict(), evaluation.held_out
        if leaving_out:
            metrics["ablation"] = leaving_out
    bundle = train_bundle(
        plan, data, output, held_out=held_out, metrics=metrics, workshop=workshop, seed=seed, tell=tell
    )
    click.echo(bundle.folder)


def _ablation(file: Path) -> dict[str, Any]:
    """What `evaluate --without PART --json` printed."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(told["description"], str) and all(finding["name"] for finding in told["findings"]):
            return dict(told)
    except (ValueError, KeyError, TypeError):
        pass
    raise click.UsageError(f"The --ablation {file} is not what evaluate --json prints. Run it again into that file.")
