"""`loadedwords export`."""

from __future__ import annotations

from pathlib import Path

import click

from loadedwords.cli.options import EXISTING_FILE
from loadedwords.cli.terminal import tell


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("labelled", nargs=-1, required=True, type=EXISTING_FILE)
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
    click.echo(export_checkpoint(checkpoint, data, output, tell=tell).folder)
