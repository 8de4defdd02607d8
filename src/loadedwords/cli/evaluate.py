"""`loadedwords evaluate`."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from pathlib import Path

import click

from loadedwords.cli.options import EXISTING_FILE, FILE, FOLDER, model_option, refuse_given
from loadedwords.cli.recipes import recipe_options, workshop_for
from loadedwords.cli.tables import show_evaluation
from loadedwords.cli.terminal import tell


@click.command()
@click.argument("labelled", nargs=-1, type=EXISTING_FILE)
@model_option
@click.option("--checkpoint", help="A transformers checkpoint (folder or Hub name) to measure beside the model.")
@click.option("--revision", help="Revision of the checkpoint on the Hub.")
@click.option("--recipe", help="Cross-validate this recipe instead of measuring a finished model.")
@recipe_options
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2), help="Folds, grouped by article.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), help="How often to cross-validate.")
@click.option(
    "--without",
    "parts",
    multiple=True,
    help="Of a recipe: leave out a stage, a corpus or 'alike', to see what it is worth; several times for more.",
)
@click.option(
    "--leave-out-outlets", is_flag=True, help="Of a recipe: leave out each of the eight largest outlets, too."
)
@click.option("--pairs", is_flag=True, help="Measure the model on the package's own minimal pairs.")
@click.option("--quotations", is_flag=True, help="Measure the quotation finder on the package's own passages.")
@click.option("--spans", is_flag=True, help="Measure the model's words on PTC's articles that no model trained on.")
@click.option("--plot", type=FILE, help="Of a recipe: write a reliability plot (SVG).")
@click.option(
    "--card",
    type=FOLDER,
    help="Of a recipe: write the card of --model, with slices and suites, into this folder (Markdown and HTML).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(labelled: tuple[Path, ...], model: str | None, checkpoint: str | None, revision: str | None, recipe: str | None,
             corpora: Path | None, articles: Path | None, work: Path, jobs: int, folds: int, seeds: int, parts: tuple[str, ...], leave_out_outlets: bool,
             pairs: bool, quotations: bool, spans: bool, plot: Path | None, card: Path | None, as_json: bool) -> None:  # fmt: skip
    """Measure a model on LABELLED sentences, or a recipe by cross-validation, beside baselines that see no text.

    \b
    loadedwords evaluate labelled.csv                                  the embedded model on your labels
    loadedwords evaluate --recipe linear --corpora corpora/ --seeds 3  the recipe on its corpus
    loadedwords evaluate labelled.csv --checkpoint owner/name          a published model beside it
    loadedwords evaluate --recipe linear labelled.csv                  the recipe trained and tested on your labels
    loadedwords evaluate --pairs                                       the embedded model on minimal pairs
    loadedwords evaluate --recipe default --corpora corpora/ --seeds 3 --leave-out-outlets --card card/
    loadedwords evaluate --recipe default --corpora corpora/ --without taught --json > without-taught.json
    loadedwords evaluate --quotations                                  the quotation finder on marked passages
    loadedwords evaluate --spans --corpora corpora/                    its words on propaganda spans
    """
    from loadedwords.errors import require
    from loadedwords.scoring import load_model
    from loadedwords.training import evaluation
    from loadedwords.training.labels import load_labels
    from loadedwords.training.recipe import for_own_labels, leave_out, read_recipe

    if not recipe:
        of_recipe = ("card", "plot", "parts", "leave_out_outlets", "seeds", "folds", "jobs", "articles")
        refuse_given(of_recipe, "needs the --recipe to cross-validate.")
    if checkpoint and not labelled:
        raise click.UsageError("A --checkpoint is measured on a LABELLED file.")
    if revision and not checkpoint:
        raise click.UsageError("--revision is for a --checkpoint: name that, too.")
    if card and parts:
        raise click.UsageError("A --card is of the whole recipe: leave --without out, or write --json.")
    if plot is not None:  # before hours of training
        require("matplotlib", extra="notebooks", purpose="Drawing a reliability plot")
        plot.parent.mkdir(parents=True, exist_ok=True)
    if sum([bool(labelled and not recipe), pairs, quotations, spans]) > 1:
        raise click.UsageError("A LABELLED file, --pairs, --quotations and --spans are measured one at a time.")
    if recipe:
        if (model and not card) or checkpoint or pairs or quotations or spans:
            raise click.UsageError("Name a --model or --checkpoint to measure, or a --recipe to cross-validate.")
        plan = for_own_labels(read_recipe(recipe)) if labelled else read_recipe(recipe)
        plan = reduce(leave_out, parts, plan)
        data = load_labels(plan, corpora, labelled, n_folds=folds)
        finished = None if card is None else load_model(model)
        if finished and (labelled or (finished.bundle.config.get("recipe") or {}).get("name") != plan.name):
            raise click.UsageError(
                f"The model {finished.bundle.name} was not made by the recipe {plan.name}: name the one that was with --model."
            )
        workshop = workshop_for(plan, data, corpora, articles, work, "scratch")
        result = evaluation.cross_validate(plan, data, seeds=range(seeds), workshop=workshop, jobs=jobs, tell=tell)
        if leave_out_outlets and result.held_out is not None:
            within = result.held_out
            lost = evaluation.leave_one_outlet_out(plan, data, within, workshop=workshop, jobs=jobs, tell=tell)
            result = replace(result, findings=(*result.findings, lost))
        if plot is not None:
            from loadedwords.report.charts import write_reliability_plot

            write_reliability_plot(result.reliability, plot)
        if card is not None and finished is not None:
            from loadedwords.training.evaluation.card import write_evaluation_card

            suites = [evaluation.probe(finished), evaluation.evaluate_quotations()]
            if corpora is not None and any(use.name == "ptc" for use in plan.corpora):
                suites.append(evaluation.evaluate_spans(finished, corpora))
            for file in write_evaluation_card(card, finished, result, suites):
                tell(f"wrote {file}")
    elif pairs:
        result = evaluation.evaluate_pairs(load_model(model))
    elif quotations:
        result = evaluation.evaluate_quotations()
    elif spans:
        if corpora is None:
            raise click.UsageError("Name the folder of --corpora that holds the Propaganda Techniques Corpus.")
        result = evaluation.evaluate_spans(load_model(model), corpora)
    elif labelled:
        result = evaluation.evaluate_labelled(
            load_model(model), labelled, checkpoint=checkpoint, revision=revision, tell=tell
        )
    else:
        raise click.UsageError("Name a LABELLED file, a --recipe to cross-validate, --pairs, --quotations or --spans.")
    show_evaluation(result, as_json)
