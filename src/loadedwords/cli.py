"""The command line: parse, call, print. Each command imports its room when it runs."""

from __future__ import annotations

import io
import os
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from loadedwords.batch import RunSummary, State
    from loadedwords.evaluation import Evaluation
    from loadedwords.evaluation.probes import Classifier
    from loadedwords.outlets.comparison import Comparison, EventSource, TopicSource
    from loadedwords.schema import CountedVoice, ScoredArticle, ScoredSentence
    from loadedwords.training.labels import Labels
    from loadedwords.training.recipe import Recipe
    from loadedwords.training.stages import Workshop

EXIT_ERROR, EXIT_REJECTS = 1, 3
_EXISTING = click.Path(exists=True, path_type=Path)
_EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_voice_option = click.option(
    "--voice",
    type=click.Choice(["own", "quoted", "all"]),
    default="own",
    show_default=True,
    help="Whose words the outlets' figures rest on: the outlet's own, sentences in which it quotes somebody, or all.",
)
_model_option = click.option("-m", "--model", help="An embedded model (default, linear) or the folder of a bundle.")


class _Group(click.Group):
    """Turns the package's own errors into a message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        from loadedwords.errors import LoadedwordsError

        try:
            return super().invoke(ctx)
        except LoadedwordsError as error:
            _fail(f"{type(error).__name__}: {error}")
        except BrokenPipeError:
            raise  # click ends quietly when the reader of our output has gone
        except OSError as error:
            _fail(f"{type(error).__name__}: {error}")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="loadedwords")
def main() -> None:
    """Measure loaded framing in news: which words, which sentences, how much of an article, how outlets differ.

    Exit status: 0 done, 1 error, 2 wrong usage, 3 done but some articles were rejected.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal of another encoding shows "?" where it must


@main.command()
@click.argument("inputs", nargs=-1)
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the results."
)
@click.option("--dataset", help="Score a Hugging Face dataset instead: a name on the Hub, or a folder.")
@click.option("--split", default="train", show_default=True, help="Split of the dataset.")
@click.option("--config", help="Configuration of the dataset.")
@click.option("--revision", help="Revision of the dataset on the Hub.")
@_model_option
@click.option("--text-column", help="Column of the text, if not text, body, content or article.")
@click.option("--outlet-column", help="Column of the outlet, if not outlet, source, publisher or site.")
@click.option("--title-column", help="Column of the title, if not title or headline.")
@click.option("--date-column", help="Column of the date, if not date, published or published_at.")
@click.option("--url-column", help="Column of the address, if not url or link.")
@click.option("--id-column", help="Column of the id, if not id or article_id.")
@click.option("--event-column", help="Column of the event, if not event_id or event.")
@click.option("--topic-column", help="Column of the topic, if not topic, section or desk.")
@click.option("--byline-column", help="Column of the byline, if not byline, author or authors.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of text files.")
@click.option(
    "--max-characters",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(1, 100_000_000),
    help="Reject longer articles.",
)
@click.option(
    "--prevalence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    callback=lambda context, parameter, value: None if value is None else _no_nan(context, parameter, value),
    help="Share of loaded sentences to assume, for instance 0.06 for whole news articles.  [default: as in training, about a half]",
)
@_voice_option
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that score.  [default: one for each core]")
@click.option("--overwrite", is_flag=True, help="Replace the scores of another run in the output folder.")
@click.option(
    "--report-articles",
    default=200,
    show_default=True,
    type=click.IntRange(0, 100_000),
    help="Articles shown in full in the report.",
)
def score(inputs: tuple[str, ...], output: Path, dataset: str | None, split: str, config: str | None, revision: str | None,
          model: str | None, encoding: str, max_characters: int, prevalence: float | None, voice: CountedVoice, workers: int | None, overwrite: bool,
          report_articles: int, **columns: str | None) -> None:  # fmt: skip
    """Score articles into a folder of tables, with a report.

    INPUTS are files (.jsonl, .csv, .tsv, .txt, .md, each also .gz or .zst; .parquet; .html), folders, globs, or -
    for standard input. What can't be read goes to rejects.jsonl with the reason. Stopped half-way, the same command
    goes on where it was.

    \b
    loadedwords score articles/ -o scores
    loadedwords score news.csv --text-column copy --outlet-column paper -o scores
    loadedwords score --dataset my/dataset --split test -o scores
    """
    from loadedwords.articles import STDIN, Progress, ReadOptions, read_articles, read_dataset
    from loadedwords.batch import RunDescription, score_to_folder

    if bool(inputs) == bool(dataset):
        raise click.UsageError("Name either INPUTS or a --dataset.")
    named = {key.removesuffix("_column").replace("event", "event_id"): value for key, value in columns.items() if value}
    options = ReadOptions(named, _known_encoding(encoding), max_characters)
    progress = Progress()
    if dataset:
        stream = read_dataset(dataset, split=split, config=config, revision=revision, options=options)
        description = RunDescription(
            [f"{dataset}[{split}]"], {"columns": named, "config": config, "revision": revision}
        )
    else:
        stream = read_articles(inputs, options=options, progress=progress, without=output)
        description = RunDescription(
            [given if given == STDIN else str(Path(given).resolve()) for given in inputs],
            {"columns": named, "encoding": encoding, "max_characters": max_characters},
        )
    try:
        with _progress_bar() as tell:
            summary = score_to_folder(
                stream,
                output,
                description=description,
                model=model,
                prevalence=prevalence,
                voice=voice,
                workers=workers or os.cpu_count() or 1,
                overwrite=overwrite,
                progress=progress,
                tell=tell,
            )
    except KeyboardInterrupt:
        _fail(f"Interrupted. What was finished is kept in {output}: run the same command again to go on.")
    if not summary.counts.articles:
        _fail(f"No article could be read; {summary.n_rejected} rejects. {_first_reject(output)}")
    from loadedwords.report import write_report

    write_report(output, max_articles=report_articles)
    _print_summary(summary)
    if summary.n_rejected or summary.counts.errors:
        sys.exit(EXIT_REJECTS)


@main.command()
@click.argument("file", default="-", type=click.Path(path_type=Path, allow_dash=True))
@_model_option
def highlight(file: Path, model: str | None) -> None:
    """Show one article in the terminal: loaded words marked, each sentence's own-voice score beside it.

    FILE is a text, Markdown or HTML file, or - for standard input; of a table, the first article is shown.
    """
    from loadedwords.articles import read_articles
    from loadedwords.schema import Reject
    from loadedwords.scoring import load_model

    first = next(iter(read_articles([str(file)])), None)
    if first is None or isinstance(first, Reject):
        _fail(f"{file} can't be read: {first.reason if first else 'it holds no article'}.")
    scored = next(load_model(model).score_articles([first]))
    _print_article(scored)


def _no_nan(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    if value != value:  # which lies in every range, as click compares
        raise click.BadParameter("nan is not in the range.")
    return value


@main.command()
@click.argument("folders", nargs=-1, required=True, type=_EXISTING)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for comparison.html and its tables.",
)
@click.option(
    "--level",
    default=0.95,
    show_default=True,
    type=click.FloatRange(0.5, 0.999),
    callback=_no_nan,
    help="Coverage of the intervals.",
)
@_voice_option
@click.option("--aliases", type=_EXISTING_FILE, help="Table of outlets' names, as loadedwords aliases writes it.")
@click.option(
    "--gold", multiple=True, type=_EXISTING_FILE, help="Hand labels, as loadedwords sample and label leave them."
)
@click.option(
    "--events",
    type=click.Choice(["auto", "column", "find", "none"]),
    default="auto",
    show_default=True,
    help="Same events: from the scores' column, found in the texts, or none; auto finds them where there is no column.",
)
@click.option(
    "--topics",
    type=click.Choice(["auto", "column", "find", "none"]),
    default="auto",
    show_default=True,
    help="Topics to hold equal: likewise.",
)
@click.option(
    "--threshold",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0, 1),
    callback=_no_nan,
    help="Share from which an article is loaded.",
)
@click.option(
    "--min-articles",
    default=10,
    show_default=True,
    type=click.IntRange(2),
    help="Outlets with fewer are not compared in pairs.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the resampling.")
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print only the table of outlets, as CSV; events are those of the scores' column.",
)
def compare(folders: tuple[Path, ...], output: Path | None, level: float, voice: CountedVoice, aliases: Path | None,
            gold: tuple[Path, ...], events: str, topics: str, threshold: float, min_articles: int, seed: int, as_csv: bool) -> None:  # fmt: skip
    """Compare the outlets of one or more score folders, with intervals.

    Every pair is compared, within the same events and with topics held equal too; each outlet's own words, and what
    others call the same thing. With hand labels, all is corrected by them.

    \b
    loadedwords compare scores/ -o comparison
    loadedwords compare scores/ --aliases aliases.csv --gold labels.csv -o comparison
    """
    from loadedwords.outlets import compare_outlets, load_articles
    from loadedwords.outlets.aliases import apply_aliases, read_aliases
    from loadedwords.outlets.comparison import compare_scores, write_tables

    if as_csv and (output or gold or events in ("find", "none") or topics != "auto"):
        raise click.UsageError(
            "--csv prints the table of outlets alone; leave out --output, --gold, --events and --topics."
        )
    if output and any((output / "articles").glob("part-*.parquet")):
        raise click.UsageError(f"{output} is a folder of scores, whose tables would be written over; name another.")
    names = read_aliases(aliases) if aliases else {}
    if as_csv:
        articles = apply_aliases(load_articles([str(folder) for folder in folders]), names)
        table = compare_outlets(articles, voice=voice, level=level, threshold=threshold)
        click.echo(table.write_csv(), nl=False)
        return
    labels = None
    if gold:
        from loadedwords.outlets.gold import read_gold

        labels = read_gold(gold)
    comparison = compare_scores(
        folders, voice=voice, level=level, seed=seed, threshold=threshold, min_articles=min_articles, aliases=names,
        events=cast("EventSource", events), topics=cast("TopicSource", topics), gold=labels, tell=_tell,
    )  # fmt: skip
    _print_comparison(comparison)
    if output:
        from loadedwords.report.comparison import write_comparison_page

        tables = write_tables(comparison, output)
        page = write_comparison_page(comparison, output / "comparison.html")
        click.echo(f"{page} and {len(tables)} tables beside it.")


@main.command()
@click.argument("folders", nargs=-1, required=True, type=_EXISTING)
def aliases(folders: tuple[Path, ...]) -> None:
    """Print the outlets' names as a table to edit, with suggestions for --aliases.

    Nothing is merged by a suggestion: copy it into the column outlet to accept it.

    \b
    loadedwords aliases scores/ > aliases.csv
    loadedwords compare scores/ --aliases aliases.csv
    """
    from loadedwords.outlets import load_articles
    from loadedwords.outlets.aliases import suggest_aliases

    table = suggest_aliases(load_articles([str(folder) for folder in folders]))
    click.echo(table.write_csv(), nl=False)
    n = int(table["suggested"].is_not_null().sum())
    _tell(f"{table.height} names, {n} suggestions")


@main.command()
@click.argument("folders", nargs=-1, required=True, type=_EXISTING)
@click.option("-n", "--number", default=300, show_default=True, type=click.IntRange(2), help="Sentences to draw.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("labels.csv"),
    show_default=True,
    help="CSV to label.",
)
@click.option(
    "--outlet", "outlets", multiple=True, help="Draw from this outlet; may be given several times.  [default: all]"
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the draw.")
def sample(folders: tuple[Path, ...], number: int, output: Path, outlets: tuple[str, ...], seed: int) -> None:
    """Draw sentences to label by hand, for compare --gold.

    A stratified random sample, each sentence with its known chance of being drawn. Label it with loadedwords label,
    or in a spreadsheet: the column label takes loaded, neutral or skip.

    \b
    loadedwords sample scores/ -n 300 -o labels.csv
    loadedwords label labels.csv
    loadedwords compare scores/ --gold labels.csv
    """
    from loadedwords.outlets import load_articles
    from loadedwords.outlets.gold import draw_sample, write_sample

    if output.exists():
        _fail(f"{output} exists, and may hold labels.\nName another file with --output, or move it away.")
    load_articles([str(folder) for folder in folders])  # refuses folders that can't be taken together
    drawn = draw_sample(list(folders), number, seed=seed, outlets=outlets or None)
    write_sample(drawn, output)
    click.echo(f"{drawn.height} sentences of {drawn['outlet'].n_unique()} outlets are in {output}")


@main.command()
@click.argument("file", type=_EXISTING_FILE)
@click.option("--labeller", help="Your name, where several label: each one's labels go to a file of their own.")
@click.option("--port", default=0, show_default="any free", type=click.IntRange(0, 65535), help="Port of the page.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page.")
def label(file: Path, labeller: str | None, port: int, browser: bool) -> None:
    """Label a sample by keyboard or mouse, on a page that this machine alone serves.

    Each label is saved at once; the same command goes on where you stopped. Ctrl-C ends it.
    """
    import webbrowser

    from loadedwords.report.labelling import serve_labelling

    server = serve_labelling(file, port=port, labeller=labeller)
    _tell(f"Label at {server.url}  (Ctrl-C ends; every label is saved at once in {server.sheet.file})")
    if browser:
        webbrowser.open(server.url)
    click.echo(f"{server.wait()} sentences labelled in {server.sheet.file}")


_recipe_options = [
    click.option(
        "--corpora",
        type=_EXISTING,
        help="Folder of the corpora that the recipe names.  [default: the Hugging Face Hub]",
    ),
    click.option(
        "--articles",
        type=_EXISTING,
        help="Unlabelled articles for a recipe with a teacher.  [default: articles.parquet among the corpora]",
    ),
    click.option(
        "--work",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("runs"),
        show_default=True,
        help="Folder that keeps finished stages of a transformer: the same command goes on from them.",
    ),
    click.option(
        "--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Folds of a transformer at once."
    ),
]


def _with_options(options: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@main.command()
@click.argument("labelled", nargs=-1, type=_EXISTING_FILE)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the bundle.")
@click.option("--recipe", default="default", show_default=True, help="A recipe of the package, or a .toml file.")
@click.option(
    "--from",
    "start",
    help="What a transformer starts from: embedded, scratch (the recipe's encoder), or the folder of a bundle or checkpoint.  [default: embedded for your own labels, else scratch]",
)
@_with_options(_recipe_options)
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
    type=_EXISTING_FILE,
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
    from loadedwords.evaluation import cross_validate
    from loadedwords.training.labels import load_labels
    from loadedwords.training.recipe import for_own_labels, read_recipe
    from loadedwords.training.release import train_bundle

    plan = for_own_labels(read_recipe(recipe)) if labelled else read_recipe(recipe)
    data = load_labels(plan, corpora, labelled)
    workshop = _workshop(plan, data, corpora, articles, work, start or ("embedded" if labelled else "scratch"))
    metrics = held_out = None
    if measure:
        evaluation = cross_validate(plan, data, seeds=range(seeds), workshop=workshop, jobs=jobs, tell=_tell)
        _print_evaluation(evaluation)
        metrics, held_out = evaluation.as_dict(), evaluation.held_out
    if ablation:
        import json

        metrics = {**(metrics or {}), "ablation": [json.loads(file.read_text(encoding="utf-8")) for file in ablation]}
    bundle = train_bundle(
        plan, data, output, held_out=held_out, metrics=metrics, workshop=workshop, seed=seed, tell=_tell
    )
    click.echo(bundle.folder)


@main.command()
@click.argument("labelled", nargs=-1, type=_EXISTING_FILE)
@_model_option
@click.option("--checkpoint", help="A transformers checkpoint (folder or Hub name) to measure beside the model.")
@click.option("--revision", help="Revision of the checkpoint on the Hub.")
@click.option("--recipe", help="Cross-validate this recipe instead of measuring a finished model.")
@_with_options(_recipe_options)
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2), help="Folds, grouped by article.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), help="How often to cross-validate.")
@click.option(
    "--without", "part", help="Of a recipe: leave out a stage, a corpus or exchanges, to see what it is worth."
)
@click.option(
    "--leave-out-outlets", is_flag=True, help="Of a recipe: leave out each of the eight largest outlets, too."
)
@click.option("--pairs", is_flag=True, help="Measure the model on the package's own minimal pairs.")
@click.option("--quotations", is_flag=True, help="Measure the quotation finder on the package's own passages.")
@click.option("--spans", is_flag=True, help="Measure the model's words on PTC's articles that no model trained on.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="Of a recipe: write a reliability plot (SVG)."
)
@click.option(
    "--card",
    type=click.Path(file_okay=False, path_type=Path),
    help="Of a recipe: write the card of --model, with slices and suites, into this folder (Markdown and HTML).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(labelled: tuple[Path, ...], model: str | None, checkpoint: str | None, revision: str | None, recipe: str | None,
             corpora: Path | None, articles: Path | None, work: Path, jobs: int, folds: int, seeds: int, part: str | None, leave_out_outlets: bool,
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
    from loadedwords import evaluation
    from loadedwords.scoring import load_model
    from loadedwords.training.labels import load_labels
    from loadedwords.training.recipe import for_own_labels, leave_out, read_recipe

    if card and not recipe:
        raise click.UsageError("A --card needs the --recipe to cross-validate.")
    if sum([bool(labelled and not recipe), pairs, quotations, spans]) > 1:
        raise click.UsageError("A LABELLED file, --pairs, --quotations and --spans are measured one at a time.")
    if recipe:
        if (model and not card) or checkpoint or pairs or quotations or spans:
            raise click.UsageError("Name a --model or --checkpoint to measure, or a --recipe to cross-validate.")
        plan = for_own_labels(read_recipe(recipe)) if labelled else read_recipe(recipe)
        plan = plan if part is None else leave_out(plan, part)
        data = load_labels(plan, corpora, labelled, n_folds=folds)
        workshop = _workshop(plan, data, corpora, articles, work, "scratch")
        result = evaluation.cross_validate(plan, data, seeds=range(seeds), workshop=workshop, jobs=jobs, tell=_tell)
        if leave_out_outlets and result.held_out is not None:
            result = evaluation.with_finding(
                result,
                evaluation.leave_one_outlet_out(plan, data, result.held_out, workshop=workshop, jobs=jobs, tell=_tell),
            )
        if plot is not None:
            from loadedwords.report.charts import write_reliability_plot

            write_reliability_plot(result.reliability, plot)
        if card is not None:
            from loadedwords.evaluation.card import write_evaluation_card

            finished = load_model(model)
            made_by = (finished.bundle.config.get("recipe") or {}).get("name")
            if labelled or made_by != plan.name:
                raise click.UsageError(
                    f"The model {finished.bundle.name} was not made by the recipe {plan.name}: name the one that was with --model."
                )
            suites = [evaluation.probe(finished), evaluation.evaluate_quotations()]
            if corpora is not None and any(use.name == "ptc" for use in plan.corpora):
                suites.append(evaluation.evaluate_spans(finished, corpora))
            for file in write_evaluation_card(card, finished, result, suites):
                _tell(f"wrote {file}")
    elif pairs:
        result = evaluation.evaluate_pairs(load_model(model))
    elif quotations:
        result = evaluation.evaluate_quotations()
    elif spans:
        if corpora is None:
            raise click.UsageError("Name the folder of --corpora that holds the Propaganda Techniques Corpus.")
        result = evaluation.evaluate_spans(load_model(model), corpora)
    elif labelled:
        result = evaluation.evaluate_labelled(load_model(model), labelled, checkpoint=checkpoint, revision=revision)
    else:
        raise click.UsageError("Name a LABELLED file, a --recipe to cross-validate, --pairs, --quotations or --spans.")
    _show_evaluation(result, as_json)


@main.command()
@click.argument("model", required=False)
@click.option("--revision", help="Revision of a checkpoint on the Hub.")
@click.option("--threshold", type=click.FloatRange(0, 1), help="Probability from which a sentence counts as loaded.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def probe(model: str | None, revision: str | None, threshold: float | None, as_json: bool) -> None:
    """Run the package's own suites on a model: minimal pairs, single words, exchanged names, attributed claims.

    MODEL is a bundle (default, linear, or a folder), a scikit-learn classifier of sentences with predict_proba as
    MODULE:OBJECT, or a transformers text-classification checkpoint (folder or Hub name; needs the extra train). One of
    its two classes must be named like loaded, biased or 1.

    \b
    loadedwords probe                             the embedded model
    loadedwords probe my_package.models:pipeline  a fitted scikit-learn pipeline of yours
    loadedwords probe owner/name                  a published checkpoint
    """
    from loadedwords import evaluation

    chosen, name = _model_to_probe(model, revision)
    _show_evaluation(evaluation.probe(chosen, name=name, threshold=threshold), as_json)


@main.command()
@click.argument("model", required=False)
def verify(model: str | None) -> None:
    """Check that a model computes on this machine what it computed where it was trained."""
    from loadedwords.scoring import load_model

    loaded = load_model(model)
    differences = loaded.verify()
    for difference in differences:
        click.echo(difference)
    if differences:
        _fail(f"{len(differences)} golden scores differ: do not compare this machine's scores with others'.")
    click.echo(f"{loaded!r}: all golden scores agree.")


@main.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("labelled", nargs=-1, required=True, type=_EXISTING_FILE)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the bundle.")
def export(checkpoint: Path, labelled: tuple[Path, ...], output: Path) -> None:
    """Make a bundle of a CHECKPOINT that TransformerFramingClassifier.save_checkpoint wrote.

    The LABELLED sentences must not have been trained on: they calibrate the scores, and the int8 model is compared
    with the checkpoint on them. `train` exports by itself.
    """
    from loadedwords.training.labels import load_labels
    from loadedwords.training.recipe import for_own_labels, read_recipe
    from loadedwords.training.release import export_checkpoint

    data = load_labels(for_own_labels(read_recipe("default")), None, labelled)
    click.echo(export_checkpoint(checkpoint, data, output, tell=_tell).folder)


@main.command()
@click.argument("model", required=False)
def card(model: str | None) -> None:
    """Print a model's card (Markdown): what it was made of, what was measured, what it must not be used for."""
    from loadedwords.models.bundle import open_bundle
    from loadedwords.models.card import write_card

    click.echo(write_card(open_bundle(model).config), nl=False)


# --- what is shown ------------------------------------------------------------------------------------------------


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(EXIT_ERROR)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _workshop(
    recipe: Recipe, data: Labels, corpora: Path | None, articles: Path | None, work: Path, start: str
) -> Workshop | None:
    """Where a transformer is trained, with the unlabelled sentences to be labelled."""
    from loadedwords.errors import require
    from loadedwords.training.labels import load_labels, load_unlabelled

    if recipe.kind != "transformer" and recipe.teacher is None:
        return None
    for module in ("torch", "transformers", "onnx"):
        require(module, extra="train", purpose="Training a transformer")
    from loadedwords.training.stages import Workshop

    work.mkdir(parents=True, exist_ok=True)
    linear = recipe.kind == "linear"
    checkpoint = None if linear or start == "scratch" else _checkpoint(start, work, data)
    of_teacher = load_labels(recipe.teacher, corpora) if linear and recipe.teacher else None
    unlabelled: list[str] = []
    source = None
    if recipe.n_taught and checkpoint is None:
        source = articles or (corpora / "articles.parquet" if corpora else None)
        if source is None or not source.exists():
            raise click.UsageError(f"The recipe {recipe.name} learns from unlabelled articles too: name --articles.")
        unlabelled = load_unlabelled(source, recipe.n_taught, without=of_teacher or data)
    return Workshop(work, unlabelled, source, checkpoint, of_teacher, progress=sys.stderr.isatty(), tell=_tell)


def _checkpoint(start: str, work: Path, data: Labels) -> Path:
    """The checkpoint to train further; of a bundle, which has none, it is made again from the int8 weights."""
    from loadedwords.models.bundle import CONFIG_FILE, GOLDEN_FILE, open_bundle

    if start != "embedded" and not (Path(start) / GOLDEN_FILE).is_file():
        if not (Path(start) / CONFIG_FILE).is_file():
            raise click.UsageError(f"--from {start} is neither embedded, scratch, nor a folder with a model.")
        return Path(start)
    from loadedwords.training.export import restore_checkpoint

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


def _model_to_probe(model: str | None, revision: str | None) -> tuple[Classifier, str]:
    """A bundle, a classifier that Python can import, or a checkpoint, in this order; and what to call it."""
    from loadedwords.models.bundle import EMBEDDED, GOLDEN_FILE
    from loadedwords.scoring import load_model

    if model is None or model in EMBEDDED or (Path(model) / GOLDEN_FILE).is_file():
        loaded = load_model(model)
        return loaded, loaded.bundle.name
    module, _, attribute = model.partition(":")
    if attribute and not Path(model).exists():
        import importlib

        sys.path.insert(0, str(Path.cwd()))  # as python -m would
        try:
            return getattr(importlib.import_module(module), attribute), model
        except Exception as error:  # somebody else's module raises what it likes
            raise click.UsageError(f"{model} can't be imported: {type(error).__name__}: {error}.") from error
    from loadedwords.evaluation import CheckpointClassifier

    return CheckpointClassifier(model, revision=revision), model


def _known_encoding(encoding: str) -> str:
    import codecs

    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise click.UsageError(f"Python knows no encoding {encoding!r}; try utf-8, cp1252 or utf-16.") from None


def _console() -> Console:
    from rich.console import Console

    # An outlet's name is no markup, whatever brackets it has.
    console = Console(highlight=False, markup=False)
    # Piped, a table keeps its columns instead of being squeezed into an imagined terminal.
    return console if console.is_terminal else Console(highlight=False, markup=False, width=150)


@contextmanager
def _progress_bar() -> Iterator[Callable[[State], None]]:
    """Articles, sentences per second and time left, on stderr; in a log file a line now and then."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    said = [time.monotonic()]

    def line(state: State) -> str:
        rate = state.counts.sentences / state.seconds if state.seconds and not state.n_reused else None
        speed = f" · {rate:,.0f} sentences/s" if rate else ""
        rejected = f" · {state.n_rejected:,} rejected" if state.n_rejected else ""
        left = ""
        if state.share_done:
            left = f" · {_duration(state.seconds * (1 - state.share_done) / state.share_done)} left"
        return f"{state.counts.articles:,} articles{speed}{left}{rejected}"

    if not console.is_terminal:

        def tell_line(state: State) -> None:
            if time.monotonic() - said[0] >= 10:
                said[0] = time.monotonic()
                click.echo(line(state), err=True)

        yield tell_line
        return
    with Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def tell_bar(state: State) -> None:
            total = 1.0 if state.share_done is not None else None
            bar.update(task, total=total, completed=state.share_done or 0, description=line(state))

        yield tell_bar


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _first_reject(folder: Path) -> str:
    import json

    with (folder / "rejects.jsonl").open(encoding="utf-8") as lines:
        first = next(lines, None)
    if first is None:
        return "The input is empty."
    reject = json.loads(first)
    line = f", line {reject['line']}" if reject["line"] else ""
    return f"The first: {reject['file']}{line}: {reject['reason']}"


def _print_summary(summary: RunSummary) -> None:
    counts = summary.counts
    click.echo(
        f"{counts.articles:,} articles, {counts.sentences:,} sentences ({counts.own_sentences:,} with the outlet's own voice), "
        f"{counts.boilerplate:,} passages of boilerplate left out"
    )
    for n, what in (
        (counts.empty, "articles had nothing to score"),
        (counts.errors, "articles failed, see their message in the articles table"),
        (summary.n_rejected, "rejects, see rejects.jsonl"),
    ):
        if n:
            click.echo(f"{n:,} {what}")
    reused = f", {summary.n_reused_shards} shards from an earlier run" if summary.n_reused_shards else ""
    click.echo(f"model {summary.model['name']} ({summary.model['hash'][:12]}), {_duration(summary.seconds)}{reused}")
    if summary.outlets is not None and summary.overall is not None:
        _print_outlets(summary.outlets, summary.overall, 0.95, summary.voice)
    click.echo(f"Tables, run.json and report.html are in {summary.folder}")


def _print_outlets(
    outlets: pl.DataFrame, overall: pl.DataFrame, level: float, voice: CountedVoice, most: int = 30
) -> None:
    from rich.table import Table

    from loadedwords.outlets import FEW_ARTICLES, well_covered

    rests_on = {
        "own": "own-voice sentences",
        "quoted": "sentences that quote somebody",
        "all": "all sentences, whoever speaks",
    }
    if not overall.height:
        click.echo(f"There are no {rests_on[voice]}, so there is nothing to compare.")
        return
    table = Table(
        title=f"Loaded share of {rests_on[voice]}, {100 * level:.3g}% intervals (articles are the units)",
        title_justify="left",
    )
    for heading in (
        "outlet", "articles", "sentences", "loaded share", "loaded words per 1,000", "share of all sentences", "note",
    ):  # fmt: skip
        table.add_column(
            heading, justify="left" if heading in ("outlet", "note") else "right", no_wrap=heading == "outlet"
        )
    covered = well_covered(outlets)
    rows = covered.to_dicts()
    # Of many, both ends say more than the upper end alone.
    left_out = max(0, len(rows) - most)
    ends = [*rows[: most // 2], *rows[-most // 2 :]] if left_out else rows
    for row in [*overall.to_dicts(), *ends]:
        table.add_row(
            _printable(row["outlet"] or "(no outlet)"),
            f"{row['n_articles']:,}",
            f"{row['n_sentences']:,}",
            _with_interval(row["loaded_share"], row["ci_low"], row["ci_high"], 3),
            _with_interval(row["loaded_words_per_1000"], row["words_ci_low"], row["words_ci_high"], 1),
            _with_interval(row["loaded_share_all"], row["all_ci_low"], row["all_ci_high"], 3),
            row["note"],
        )
        if len(table.rows) in ((1, 1 + most // 2) if left_out else (1,)):
            table.add_section()
    _console().print(table)
    if left_out:
        click.echo(f"{left_out} outlets between these are not shown.")
    if outlets.height > covered.height:
        click.echo(f"{outlets.height - covered.height} outlets with fewer than {FEW_ARTICLES} articles are not shown.")
    click.echo(
        "Articles differ in topic and kind: outlets whose intervals overlap can't be told apart, others may still differ for what they cover."
    )


def _print_comparison(found: Comparison, most: int = 12) -> None:
    from rich.table import Table

    _print_outlets(found.outlets, found.overall, found.level, cast("CountedVoice", found.voice))
    if found.corrected is not None:
        table = Table(
            title="Corrected by hand labels: share of own-voice sentences that the labellers call loaded",
            title_justify="left",
        )
        for heading in ("outlet", "labels", "model's share", "corrected share", "note"):
            table.add_column(heading, justify="left" if heading in ("outlet", "note") else "right")
        rows = found.corrected.drop_nulls("corrected_share").to_dicts()
        for row in rows[: 2 * most]:
            table.add_row(
                _printable(row["outlet"] or "(no outlet)"),
                f"{row['n_labelled']:,}",
                f"{row['loaded_share_raw']:.3f}",
                _with_interval(row["corrected_share"], row["ci_low"], row["ci_high"], 3),
                row["note"],
            )
        if rows:
            _console().print(table)
        if len(rows) > 2 * most:
            click.echo(f"{len(rows) - 2 * most} outlets below these are not shown.")
    if found.pairs.height:
        surest = found.pairs.filter(found.pairs["differs"]).head(most).to_dicts()
        table = Table(title="The surest differences in loaded share", title_justify="left")
        for heading in ("more loaded", "less loaded", "difference", "adjusted p"):
            table.add_column(heading, justify="right" if heading[0] in "da" else "left")
        for row in surest:
            more, less = ("outlet_a", "outlet_b") if row["difference"] > 0 else ("outlet_b", "outlet_a")
            low, high = sorted([abs(row["ci_low"]), abs(row["ci_high"])])
            table.add_row(
                _printable(row[more] or "(no outlet)"),
                _printable(row[less] or "(no outlet)"),
                _with_interval(abs(row["difference"]), low, high, 3),
                f"{row['p_adjusted']:.2g}",
            )
        if surest:
            _console().print(table)
    if found.devices is not None:
        _print_devices(
            found.devices.filter(found.devices["differs"].fill_null(False)).sort("p_adjusted").head(most).to_dicts()
        )
    click.echo("What can be said:")
    for line in found.says:
        click.echo(f"  - {_printable(line)}")
    click.echo("What can't:")
    for line in found.cannot_say:
        click.echo(f"  - {_printable(line)}")


def _print_devices(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from loadedwords.schema import KIND_NAMES

    table = Table(
        title="Devices that an outlet uses more or less than all others, per 1,000 words", title_justify="left"
    )
    for heading in ("outlet", "device", "words", "per 1,000", "others", "difference"):
        table.add_column(heading, justify="left" if heading in ("outlet", "device") else "right")
    for row in rows:
        table.add_row(
            _printable(row["outlet"] or "(no outlet)"),
            KIND_NAMES.get(row["device"], row["device"]),
            f"{row['n_loaded_words']:,}",
            _with_interval(row["per_1000"], row["ci_low"], row["ci_high"], 2),
            f"{row['others_per_1000']:.2f}",
            _with_interval(row["difference"], row["difference_low"], row["difference_high"], 2),
        )
    if rows:
        _console().print(table)


def _printable(text: str) -> str:
    """Without the control characters by which a name or a text could take over the terminal; as long as before."""
    return "".join("�" if unicodedata.category(c) == "Cc" and c not in "\n\t" else c for c in text)


def _with_interval(estimate: float, low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return f"{estimate:.{digits}f} [no interval]"
    return f"{estimate:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _print_article(scored: ScoredArticle) -> None:
    from rich.table import Table
    from rich.text import Text

    console = _console()
    if scored.article.title:
        console.print(Text(_printable(scored.article.title), style="bold"))
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for sentence in scored.sentences:
        text = Text(_printable(sentence.text))
        for word in sentence.words:
            style = "underline" if word.in_quote else "bold white on red"
            text.stylize(style, word.start - sentence.start, word.end - sentence.start)
        if not console.is_terminal:
            text = Text(_printable(_bracketed(sentence)))
        devices = list(dict.fromkeys(word.device for word in sentence.words if word.device and not word.in_quote))
        if devices:
            text.append(f"  ({'; '.join(devices)})", style="italic dim")
        shown = "quoted" if sentence.p_own is None else f"{sentence.p_own:.2f}"
        table.add_row(Text(shown, style="bold red" if sentence.p_own and sentence.p_own >= 0.5 else "dim"), text)
    console.print(table)
    if scored.loaded_share is None:
        click.echo(f"No sentence in the outlet's own voice. {scored.message}".strip())
        return
    click.echo(
        f"loaded share {scored.loaded_share:.2f} over {scored.n_own} own-voice sentences; "
        f"{scored.n_loaded_words} loaded in {scored.n_words} own words; {len(scored.boilerplate)} passages left out. {scored.message}".rstrip()
    )


def _bracketed(sentence: ScoredSentence) -> str:
    """Where there are no colours: [own words] and <quoted ones>."""
    text = sentence.text
    for word in reversed(sentence.words):
        start, end = word.start - sentence.start, word.end - sentence.start
        opening, closing = "<>" if word.in_quote else "[]"
        text = f"{text[:start]}{opening}{text[start:end]}{closing}{text[end:]}"
    return text


def _show_evaluation(evaluation: Evaluation, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(evaluation.as_dict(), indent=2))
    else:
        _print_evaluation(evaluation)


def _print_evaluation(evaluation: Evaluation) -> None:
    from rich.table import Table

    click.echo(evaluation.description)
    table = Table()
    table.add_column("predictor", no_wrap=True)
    names = {
        "macro_f1": "macro-F1",
        "mcc": "MCC",
        "roc_auc": "ROC AUC",
        "average_precision": "average precision",
        "brier": "Brier (lower is better)",
    }
    for heading in names.values():
        table.add_column(heading, justify="right")
    for predictor, metrics in evaluation.metrics.items():
        table.add_row(
            predictor, *(_with_interval(metrics[m].estimate, metrics[m].low, metrics[m].high, 3) for m in names)
        )
    if evaluation.metrics:
        _console().print(table)
    for finding in evaluation.findings:
        value = _with_interval(finding.value.estimate, finding.value.low, finding.value.high, 3)
        click.echo(f"{finding.name}: {value}; {finding.beside} ({finding.rests_on})")
    for note in evaluation.notes:
        click.echo(note)
