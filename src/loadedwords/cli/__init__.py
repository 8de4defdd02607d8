"""The command line: one file a command, which parses, calls and prints. Each imports its room when it runs."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any

import click

from loadedwords.cli import (
    aliases,
    card,
    compare,
    evaluate,
    export,
    highlight,
    label,
    lint,
    lsp,
    plan,
    probe,
    sample,
    score,
    serve,
    train,
    verify,
)
from loadedwords.cli.terminal import fail

_NO_ROOM = "Make room or name another place, and run the same command again; nothing that was there is lost."
_NO_PORT = "Name another --port, or leave it out for any that is free."


class _Group(click.Group):
    """Turns the package's own errors into a message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        from loadedwords.errors import LoadedwordsError

        try:
            return super().invoke(ctx)
        except LoadedwordsError as error:
            fail(f"{type(error).__name__}: {error}")
        except BrokenPipeError:
            raise  # click ends quietly when the reader of our output has gone
        except OSError as error:
            no_room = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)
            more = _NO_ROOM if no_room else _NO_PORT if error.errno == errno.EADDRINUSE else ""
            fail(f"{type(error).__name__}: {error}" + (f".\n{more}" if more else ""))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="loadedwords")
def main() -> None:
    """Measure loaded framing in news: which words, which sentences, how much of an article, how outlets differ.

    Exit status: 0 done, 1 error, 2 wrong usage, 3 done but some articles were rejected.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal of another encoding shows "?" where it must


for _command in (
    score.score, highlight.highlight, lint.lint, lsp.lsp, serve.serve, compare.compare, aliases.aliases, plan.plan, sample.sample, label.label,
    train.train, evaluate.evaluate, probe.probe, verify.verify, export.export, card.card,
):  # fmt: skip
    main.add_command(_command)
