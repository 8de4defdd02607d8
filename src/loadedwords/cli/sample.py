"""`loadedwords sample`."""

from __future__ import annotations

from pathlib import Path

import click

from loadedwords.cli.options import EXISTING, FILE
from loadedwords.cli.terminal import fail, say


@click.command()
@click.argument("folders", nargs=-1, required=True, type=EXISTING)
@click.option("-n", "--number", default=300, show_default=True, type=click.IntRange(2), help="Sentences to draw.")
@click.option("-o", "--output", type=FILE, default=Path("labels.csv"), show_default=True, help="CSV to label.")
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
    from loadedwords.outlets.hand_labels import write_sample
    from loadedwords.outlets.sampling import draw_sample

    if output.exists():
        fail(f"{output} exists, and may hold labels.\nName another file with --output, or move it away.")
    load_articles(folders)  # refuses folders that can't be taken together
    drawn = draw_sample(list(folders), number, seed=seed, outlets=outlets or None)
    write_sample(drawn, output)
    say(f"{drawn.height} sentences of {drawn['outlet'].n_unique()} outlets are in {output}")
