"""`loadedwords verify`."""

from __future__ import annotations

import click

from loadedwords.cli.terminal import fail, say


@click.command()
@click.argument("model", required=False)
def verify(model: str | None) -> None:
    """Check that a model computes on this machine what it computed where it was trained."""
    from loadedwords.scoring import load_model

    loaded = load_model(model)
    differences = loaded.verify()
    for difference in differences:
        say(difference)
    if differences:
        fail(f"{len(differences)} golden scores differ: do not compare this machine's scores with others'.")
    say(f"{loaded!r}: all golden scores agree.")
