"""How things are said in a terminal."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from loadedwords.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from loadedwords.report.local_page import LocalServer

EXIT_ERROR, EXIT_REJECTS = 1, 3
_LONGEST_NAME = 48


def fail(message: str) -> NoReturn:
    tell(message)
    sys.exit(EXIT_ERROR)


def tell(line: str) -> None:
    """To standard error."""
    click.echo(printable(line), err=True)


@contextmanager
def terminated_is_interrupted() -> Iterator[None]:
    """Let a command that is terminated, or whose terminal is closed, end as with Ctrl-C: its work in order."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ours = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]  # nohup ignores one of them
    for number in ours:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def say(line: object) -> None:
    """To standard output, for people: what another program reads is printed as it is."""
    click.echo(printable(str(line)))


def open_and_wait(server: LocalServer, *, browser: bool) -> None:
    """Until its page has finished, or Ctrl-C is pressed."""
    if browser:
        import webbrowser

        webbrowser.open(server.url)
    server.wait()


def make_console(*, stderr: bool = False) -> Console:
    from rich.console import Console
    from rich.segment import Segment

    class Harmless(Console):
        """Whatever a name or a text holds, only styles of our own reach the terminal."""

        def render(self, *args: Any, **options: Any) -> Iterator[Segment]:
            for text, style, control in super().render(*args, **options):
                yield Segment(text if control else printable(text), style, control)

    # An outlet's name is no markup, whatever brackets it has.
    console = Harmless(highlight=False, markup=False, stderr=stderr)
    # Piped, a table keeps its columns instead of being squeezed into an imagined terminal.
    if not console.is_terminal:
        console.width = 150
    return console


def short_name(outlet: str | None) -> str:
    """An outlet's name that leaves room for the figures beside it."""
    name = " ".join((outlet or "(no outlet)").split())
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def with_interval(estimate: float, low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return f"{estimate:.{digits}f} [no interval]"
    return f"{estimate:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
