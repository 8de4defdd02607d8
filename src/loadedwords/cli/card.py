"""`loadedwords card`."""

from __future__ import annotations

import click


@click.command()
@click.argument("model", required=False)
def card(model: str | None) -> None:
    """Print a model's card (Markdown): what it was made of, what was measured, what it must not be used for."""
    from loadedwords.models.bundle import open_bundle
    from loadedwords.training.card import write_card

    click.echo(write_card(open_bundle(model).config), nl=False)
