"""How things are said in a terminal."""

from __future__ import annotations

import sys
import unicodedata
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from rich.console import Console

EXIT_ERROR, EXIT_REJECTS = 1, 3


def fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(EXIT_ERROR)


def tell(line: str) -> None:
    click.echo(line, err=True)


def make_console() -> Console:
    from rich.console import Console

    # An outlet's name is no markup, whatever brackets it has.
    console = Console(highlight=False, markup=False)
    # Piped, a table keeps its columns instead of being squeezed into an imagined terminal.
    return console if console.is_terminal else Console(highlight=False, markup=False, width=150)


def printable(text: str) -> str:
    """Without the control characters by which a name or a text could take over the terminal; as long as before."""
    return "".join("�" if unicodedata.category(c) == "Cc" and c not in "\n\t" else c for c in text)


def with_interval(estimate: float, low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return f"{estimate:.{digits}f} [no interval]"
    return f"{estimate:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def counted(n: int, noun: str) -> str:
    """1 article, 2,000 articles."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
