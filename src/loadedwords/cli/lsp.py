"""`loadedwords lsp`."""

from __future__ import annotations

import click

from loadedwords.cli.options import model_option


@click.command()
@click.option("--quotes", is_flag=True, help="Report other people's words, too.")
@click.option("--stdio", is_flag=True, help="Taken for the editors that give it: there is no other way to talk.")
@model_option
def lsp(quotes: bool, stdio: bool, model: str | None) -> None:
    """Lint stories in your editor, as you write: a language server on standard input and output.

    An editor starts it; docs/editors.md says how to set that up. It needs the extra lsp.
    """
    del stdio
    from loadedwords.errors import require

    require("pygls", extra="lsp", purpose="loadedwords lsp")
    from loadedwords.lint.server import make_server

    make_server(model, quotes=quotes).start_io()
