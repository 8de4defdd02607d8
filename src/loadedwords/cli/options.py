"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

EXISTING = click.Path(exists=True, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def known_encoding(_ctx: click.Context, _param: click.Parameter, encoding: str) -> str:
    import codecs

    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise click.UsageError(f"Python knows no encoding {encoding!r}; try utf-8, cp1252 or utf-16.") from None


voice_option = click.option(
    "--voice",
    type=click.Choice(["own", "quoted", "all"]),
    default="own",
    show_default=True,
    help="Whose words the outlets' figures rest on: the outlet's own, sentences in which it quotes somebody, or all.",
)
model_option = click.option("-m", "--model", help="An embedded model (default, linear) or the folder of a bundle.")


def no_nan(_ctx: click.Context, _param: click.Parameter, value: float | None) -> float | None:
    if value != value:  # which lies in every range, as click compares
        raise click.BadParameter("nan is not in the range.")
    return value
