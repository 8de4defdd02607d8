"""`loadedwords score`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loadedwords.cli.options import (
    FolderOrAddress,
    Within,
    device_option,
    model_option,
    read_options,
    reading_options,
    refuse_given,
    voice_option,
)
from loadedwords.cli.tables import print_outlets
from loadedwords.cli.terminal import EXIT_REJECTS, duration, fail, say, tell, terminated_is_interrupted
from loadedwords.cores import usable_cores
from loadedwords.files import is_address
from loadedwords.printable import counted

if TYPE_CHECKING:
    from loadedwords.batch import Changed, Engine, RunSummary, State
    from loadedwords.house import House
    from loadedwords.schema import CountedVoice, Device, Reject, Treatment

# Processes that share a GPU: each takes some of its memory, and prepares text on a core.
_ON_A_GPU = 4


@click.command()
@click.argument("inputs", nargs=-1)
@click.option(
    "-o",
    "--output",
    type=FolderOrAddress(),
    help="Folder for the results, also at an address such as s3://bucket/scores.",
)
@click.option("--dry-run", is_flag=True, help="Say what is understood of the input, and stop there.")
@click.option("--dataset", help="Score a Hugging Face dataset instead: a name on the Hub, or a folder.")
@click.option("--split", default="train", show_default=True, help="Split of the dataset.")
@click.option("--config", help="Configuration of the dataset.")
@click.option("--revision", help="Revision of the dataset on the Hub.")
@model_option
@reading_options
@click.option(
    "--prevalence",
    type=Within(0, 1, min_open=True, max_open=True),
    help="Share of loaded sentences to assume, for instance 0.5 where half of them were drawn as loaded.  [default: as in ordinary news, about a fifth]",
)
@voice_option
@click.option(
    "--syndicated",
    type=click.Choice(["leave-out", "count"]),
    default="leave-out",
    show_default=True,
    help="Whether articles and passages of agencies and other publications count as the outlet's own.",
)
@click.option(
    "--other-languages",
    type=click.Choice(["leave-out", "count"]),
    default="leave-out",
    show_default=True,
    help="Whether text in other languages than English is scored all the same.",
)
@click.option(
    "--house",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Leave the words that the house accepts, and kinds that it has off, out of the loaded words.  [default of FILE: the nearest .loadedwords.toml above the inputs]",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Processes that score.  [default: one for each core; four on a GPU]"
)
@device_option
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Score in this machine's processes, or on the cores of a Ray cluster.",
)
@click.option(
    "--ray-address", help="The cluster's, such as 10.0.0.1:6379.  [default: RAY_ADDRESS, or this machine's cores]"
)
@click.option("--overwrite", is_flag=True, help="Replace the scores of another run in the output folder.")
@click.option(
    "--add", is_flag=True, help="Add to the scores in the output folder; articles that are there are passed over."
)
@click.option(
    "--changed",
    type=click.Choice(["keep", "replace"]),
    default="keep",
    show_default=True,
    help="With --add, which of two articles of one id with other content: the one that is there, and tell; or the new one.",
)
@click.option(
    "--report-articles",
    default=200,
    show_default=True,
    type=click.IntRange(0, 100_000),
    help="Articles shown in full in the report.",
)
def score(inputs: tuple[str, ...], output: Path | str | None, dry_run: bool, dataset: str | None, split: str, config: str | None,
          revision: str | None, model: str | None, prevalence: float | None, voice: CountedVoice,
          syndicated: Treatment, other_languages: Treatment, house: str | None,
          workers: int | None, device: Device, engine: Engine, ray_address: str | None, overwrite: bool, add: bool, changed: Changed,
          report_articles: int, **reading: Any) -> None:  # fmt: skip
    """Score articles into a folder of tables, with a report.

    INPUTS are files (.jsonl, .json, .csv, .tsv, .txt, .md, each also .gz or .zst; .parquet; .html), folders, globs,
    or - for standard input. What can't be read goes to rejects.jsonl with the reason. Stopped half-way, the same
    command goes on where it was.

    \b
    loadedwords score articles/ --dry-run
    loadedwords score articles/ -o scores
    loadedwords score news.csv --text-column copy --outlet-column paper -o scores
    loadedwords score today/ -o scores --add
    loadedwords score --dataset my/dataset --split test -o scores
    """
    from loadedwords.articles import STDIN, Progress, read_dataset
    from loadedwords.articles.look import look_ahead, look_first
    from loadedwords.articles.sources import Source, Understood
    from loadedwords.batch import RunDescription, score_to_folder, working_folder

    if bool(inputs) == bool(dataset):
        taken = f" --house took {house} for its FILE: write it last." if house else ""
        raise click.UsageError(f"Name either INPUTS or a --dataset.{taken}")
    if not dataset:
        refuse_given(("split", "config", "revision"), "is for a --dataset: name that, too.")
    if ray_address and engine != "ray":
        raise click.UsageError("--ray-address is for --engine ray: pass that, too.")
    if device != "cpu" and engine != "local":
        raise click.UsageError(
            f"--device {device} is for --engine local: machines of a cluster compute on their processors."
        )
    rules = None if house is None else _read_house(house, inputs)
    if output is None and not dry_run:
        raise click.UsageError("Name a folder for the results with -o, or pass --dry-run.")
    if add and overwrite:
        raise click.UsageError("Pass --add or --overwrite, not both.")
    if changed != "keep" and not add:
        raise click.UsageError("--changed tells what to do with --add: pass that, too.")
    options = read_options(reading)
    progress = Progress()
    if dataset:
        understood = Understood()
        read = read_dataset(
            dataset, split=split, config=config, revision=revision, options=options, understood=understood
        )
        look, stream = look_ahead(read, [Source("dataset", None, progress, 0, understood=understood)])
        description = RunDescription(
            [f"{dataset}[{split}]"], {**asdict(options), "config": config, "revision": revision}
        )
    else:
        look, stream = look_first(
            inputs, options=options, progress=progress, without=output if isinstance(output, Path) else None
        )
        places = [given if given == STDIN or is_address(given) else str(Path(given).resolve()) for given in inputs]
        description = RunDescription(places, asdict(options))
    for line in look.lines():
        (say if dry_run else tell)(line)
    if output is None or dry_run:
        if not look.articles:
            fail(f"No article could be read. {_told(look.rejects[0]) if look.rejects else 'The input is empty.'}")
        return
    with working_folder(output) as (folder, send), _may_be_stopped(output):
        with _progress_bar() as show:

            def told(state: State) -> None:
                show(state)
                send()

            summary = score_to_folder(
                stream,
                folder,
                description=description,
                model=model,
                prevalence=prevalence,
                voice=voice,
                house=rules,
                syndicated=syndicated,
                other_languages=other_languages,
                device=device,
                workers=workers or _workers(engine, device),
                engine=engine,
                ray_address=ray_address,
                overwrite=overwrite,
                add=add,
                changed=changed,
                progress=progress,
                tell=told,
            )
        if not summary.counts.articles:
            fail(f"No article could be read; {summary.n_rejected} rejects. {_first_reject(folder)}")
        from loadedwords.report import write_report  # and all that compares outlets: not before it is needed

        write_report(folder, max_articles=report_articles)
    if add:
        _print_added(summary, output, changed)
    _print_summary(summary, output)
    if summary.n_rejected or summary.added.errors:
        sys.exit(EXIT_REJECTS)


@contextmanager
def _may_be_stopped(output: Path | str) -> Iterator[None]:
    """Say how to go on to whoever stops the run."""
    try:
        with terminated_is_interrupted():
            yield
    except KeyboardInterrupt:
        fail(f"Interrupted. What was finished is kept in {output}: run the same command again to go on.")


def _workers(engine: Engine, device: Device) -> int | None:
    cores = usable_cores()
    if engine != "local":
        return None  # as many as the cluster has cores
    return cores if device == "cpu" else min(cores, _ON_A_GPU)


def _read_house(named: str, inputs: tuple[str, ...]) -> House:
    """The rules in a file, or those of the one house that all inputs are in."""
    from loadedwords.articles import STDIN
    from loadedwords.house import HOUSE_FILE, HouseError, find_house, read_house

    if named:
        files: set[Path | None] = {Path(named)}
    else:
        files = {
            find_house(Path.cwd() if given == STDIN or is_address(given) else Path(given))
            for given in inputs or (STDIN,)
        }
    file = files.pop()
    if files or file is None:
        found = "Several houses' rules lie" if files else f"There is no {HOUSE_FILE}"
        raise click.UsageError(f"{found} above the inputs.\nName the file: --house FILE.")
    try:
        return read_house(file)
    except HouseError as error:
        raise click.UsageError(str(error)) from error


@contextmanager
def _progress_bar() -> Iterator[Callable[[State], None]]:
    """Articles, sentences per second and time left, on stderr; in a log file a line now and then."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    if console.is_terminal:
        with Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
            task = bar.add_task("reading", total=None)

            def tell_bar(state: State) -> None:
                total = None if state.share_done is None else 1.0
                bar.update(task, total=total, completed=state.share_done or 0, description=_progress_line(state))

            yield tell_bar
        return
    said = time.monotonic()

    def tell_line(state: State) -> None:
        nonlocal said
        if time.monotonic() - said >= 10:
            said = time.monotonic()
            tell(_progress_line(state))

    yield tell_line


def _progress_line(state: State) -> str:
    told = [f"{state.counts.articles:,} articles"]
    if state.seconds and not state.n_reused:
        told.append(f"{state.counts.sentences / state.seconds:,.0f} sentences/s")
    if state.share_done:
        told.append(f"{duration(state.seconds * (1 - state.share_done) / state.share_done)} left")
    if state.n_rejected:
        told.append(f"{state.n_rejected:,} rejected")
    return " · ".join(told)


def _first_reject(folder: Path) -> str:
    from loadedwords.schema import Reject

    with (folder / "rejects.jsonl").open(encoding="utf-8") as lines:
        first = next(lines, None)
    if first is None:
        return "The input is empty."
    return _told(Reject(**json.loads(first)))


def _told(reject: Reject) -> str:
    return f"The first: {reject.file}{f', line {reject.line}' if reject.line else ''}: {reject.reason}"


def _print_added(summary: RunSummary, output: Path | str, changed: Changed) -> None:
    known = f"; {counted(summary.n_known, 'article')} known and passed over" if summary.n_known else ""
    say(f"{counted(summary.added.articles, 'article')} added{known}")
    if summary.n_changed:
        kept = f"what is there was kept, see {output}/rejects.jsonl; --changed replace takes the new"
        told = kept if changed == "keep" else "the new took the place of what was there"
        tell(f"{counted(summary.n_changed, 'article')} with an id that is there with other content: {told}")


def _print_summary(summary: RunSummary, output: Path | str) -> None:
    counts = summary.counts
    say(
        f"{counted(counts.articles, 'article')}, {counted(counts.sentences, 'sentence')} ({counts.own_sentences:,} with the "
        f"outlet's own voice), {counted(counts.boilerplate, 'passage')} of boilerplate left out"
    )
    if counts.syndicated_sentences:
        say(
            f"{counted(counts.syndicated_sentences, 'sentence')} of {counted(counts.syndicated_articles, 'article')} left out of "
            "outlets' own figures as the work of agencies or other publications, as the column origin says"
        )
    for n, what in (
        (counts.other_languages, "article{} in another language than English, as the column language says"),
        (summary.n_copies, "article{} with word for word the text of another of the same outlet; each counts"),
        (counts.empty, "article{} with nothing to score"),
        (counts.errors, "article{} failed, as the column message of the articles table says"),
        (summary.n_rejected, f"reject{{}}, with reasons in {output}/rejects.jsonl"),
    ):
        if n:
            say(f"{n:,} {what.format('' if n == 1 else 's')}")
    if n := summary.dates.left_out:
        told = summary.dates.examples[0] if summary.dates.examples else ""
        say(f"{n:,} of {summary.dates.written:,} dates left out, such as {told}")
    reused = f", {summary.n_reused_shards} shards from an earlier run" if summary.n_reused_shards else ""
    say(f"model {summary.model['name']} ({summary.model['hash'][:12]}), {duration(summary.seconds)}{reused}")
    if summary.outlets is not None and summary.overall is not None:
        print_outlets(summary.outlets, summary.overall, 0.95, summary.voice)
    say(f"Tables and run.json are in {output}; open {output}/report.html.")
    if summary.outlets is not None and summary.outlets.height > 1 and not is_address(output):
        say(f"Which outlets differ, and on what: loadedwords compare {output} -o comparison")
