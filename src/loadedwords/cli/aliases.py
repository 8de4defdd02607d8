"""`loadedwords aliases`."""

from __future__ import annotations

from pathlib import Path

import click

from loadedwords.cli.options import EXISTING
from loadedwords.cli.terminal import tell


@click.command()
@click.argument("folders", nargs=-1, required=True, type=EXISTING)
def aliases(folders: tuple[Path, ...]) -> None:
    """Print the outlets' names as a table to edit, with suggestions for --aliases.

    Nothing is merged by a suggestion: copy it into the column outlet to accept it.

    \b
    loadedwords aliases scores/ > aliases.csv
    loadedwords compare scores/ --aliases aliases.csv
    """
    from loadedwords.outlets import load_articles
    from loadedwords.outlets.aliases import suggest_aliases
    from loadedwords.outlets.spreadsheet import csv_text

    table = suggest_aliases(load_articles(folders))
    click.echo(csv_text(table), nl=False)
    n = int(table["suggested"].is_not_null().sum())
    tell(f"{table.height} names, {n} suggestions")
