"""`loadedwords verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from loadedwords.cli.options import device_option
from loadedwords.cli.terminal import fail, say

if TYPE_CHECKING:
    from loadedwords.schema import Device


@click.command()
@click.argument("model", required=False)
@device_option
def verify(model: str | None, device: Device) -> None:
    """Check that a model computes on this machine what it computed where it was trained."""
    from loadedwords.scoring import load_model

    loaded = load_model(model, device=device)
    differences = loaded.verify()
    for difference in differences:
        say(difference)
    if differences:
        fail(f"{len(differences)} golden scores differ: do not compare this machine's scores with others'.")
    say(f"{loaded!r}: all golden scores agree.")
