"""`loadedwords serve`."""

from __future__ import annotations

from pathlib import Path

import click

from loadedwords.cli.options import EXISTING_FILE, model_option, page_options
from loadedwords.cli.terminal import open_and_wait, tell


@click.command()
@click.option(
    "--house", type=EXISTING_FILE, help="The house's rules.  [default: the nearest .loadedwords.toml above this folder]"
)
@click.option("--no-house", is_flag=True, help="Without any house's rules.")
@model_option
@page_options
def serve(house: Path | None, no_house: bool, model: str | None, port: int, browser: bool) -> None:
    """Mark the loaded words of a story, and mend them, on a page that this machine alone serves.

    Paste or drop a text, a Markdown or an HTML file. Nothing leaves the machine and nothing is stored. Ctrl-C ends it.
    """
    from loadedwords.lint import find_house, read_house
    from loadedwords.report.story import serve_stories
    from loadedwords.scoring import load_model

    if house and no_house:
        raise click.UsageError("Name either a --house or --no-house.")
    file = house if house or no_house else find_house(Path.cwd())
    server = serve_stories(load_model(model), read_house(file) if file else None, port=port)
    tell(f"Read stories at {server.url}  (Ctrl-C ends){f'; rules of {file}' if file else ''}")
    open_and_wait(server, browser=browser)
