"""`loadedwords label`."""

from __future__ import annotations

from pathlib import Path

import click

from loadedwords.cli.options import EXISTING_FILE, page_options
from loadedwords.cli.terminal import open_and_wait, say, tell


@click.command()
@click.argument("file", type=EXISTING_FILE)
@click.option("--labeller", help="Your name, where several label: each one's labels go to a file of their own.")
@page_options
def label(file: Path, labeller: str | None, port: int, browser: bool) -> None:
    """Label a sample by keyboard or mouse, on a page that this machine alone serves.

    Each label is saved at once; the same command goes on where you stopped. Ctrl-C ends it.
    """
    from loadedwords.report.labelling import LabellingSheet, serve_labelling

    sheet = LabellingSheet(file, labeller=labeller)
    server = serve_labelling(sheet, port=port)
    tell(f"Label at {server.url}  (Ctrl-C ends; every label is saved at once in {sheet.file})")
    open_and_wait(server, browser=browser)
    say(f"{sheet.n_labelled} sentences labelled in {sheet.file}")
