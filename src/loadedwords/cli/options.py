"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from loadedwords.files import is_address

if TYPE_CHECKING:
    from loadedwords.articles import ReadOptions

EXISTING = click.Path(exists=True, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


class Within(click.FloatRange):
    """A range of numbers, which what is no number (nan) does not lie in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if number != number:  # lies in every range, as click compares
            self.fail("nan is not in the range.", param, ctx)
        return number


class FolderOrAddress(click.Path):
    """A folder as a Path, or the address of one, such as s3://bucket/scores, as it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if is_address(value) else FOLDER.convert(value, param, ctx)


def known_encoding(_ctx: click.Context, _param: click.Parameter, encoding: str) -> str:
    import codecs

    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise click.UsageError(f"Python knows no encoding {encoding!r}; try utf-8, cp1252 or utf-16.") from None


def refuse_given(parameters: Collection[str], because: str) -> None:
    """End with wrong usage if one of some parameters stands on the command line, though it would change nothing."""
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if parameter.name in parameters and source is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]} {because}")


voice_option = click.option(
    "--voice",
    type=click.Choice(["own", "quoted", "all"]),
    default="own",
    show_default=True,
    help="Whose words the outlets' figures rest on: the outlet's own, sentences in which it quotes somebody, or all.",
)
model_option = click.option("-m", "--model", help="An embedded model (default, linear) or the folder of a bundle.")
device_option = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Compute on the processor, or on an NVIDIA GPU; see docs/speed.md for what that needs.",
)


level_option = click.option(
    "--level",
    default=0.95,
    show_default=True,
    type=Within(0.5, 0.999),
    help="Coverage of the intervals.",
)


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one, in this order."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


# Of a page that this machine alone serves.
page_options = together(
    click.option("--port", default=0, show_default="any free", type=click.IntRange(0, 65535), help="Port of the page."),
    click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page."),
)

# Field → what its option says.
_COLUMNS = {
    "text": "Column of the text, if not text, body, content, article or the like.",
    "outlet": "Column of the outlet, if not outlet, publication, source, domain or the like.",
    "title": "Column of the title, if not title, headline or the like.",
    "standfirst": "Column of the standfirst, if not standfirst, subtitle, deck, dek, lead, description or summary.",
    "date": "Column of the date, if not date, published, publish_date or the like.",
    "url": "Column of the address, if not url, link or the like.",
    "id": "Column of the id, if not id, article_id or the like.",
    "event": "Column of the event, if not event_id or event.",
    "topic": "Column of the topic, if not topic, section or desk.",
    "byline": "Column of the byline, if not byline, author or authors.",
}


def read_options(given: dict[str, Any]) -> ReadOptions:
    """The `ReadOptions` of a command that has `reading_options`; they are taken out of `given`."""
    from loadedwords.articles import ReadOptions

    columns = {field: given.pop(f"{field}_column") for field in _COLUMNS}
    columns["event_id"] = columns.pop("event")
    if given["outlet"] and columns["outlet"]:
        raise click.UsageError("Name either an --outlet or an --outlet-column.")
    others = ("outlet", "date_formats", "delimiter", "encoding", "max_characters")
    return ReadOptions(
        {kind: name for kind, name in columns.items() if name}, **{name: given.pop(name) for name in others}
    )


def _one_sign(_ctx: click.Context, _param: click.Parameter, sign: str | None) -> str | None:
    sign = {"tab": "\t", "\\t": "\t"}.get(sign or "", sign)
    if sign is not None and (len(sign) != 1 or sign in '"\r\n'):
        raise click.BadParameter(f"{sign!r} is not one sign, such as ; or tab.")
    return sign


def _known_format(_ctx: click.Context, _param: click.Parameter, formats: tuple[str, ...]) -> tuple[str, ...]:
    import datetime

    day = datetime.datetime(2004, 3, 28)
    for form in formats:
        try:
            read = datetime.datetime.strptime(day.strftime(form), form)
        except ValueError as error:
            raise click.BadParameter(f"{form!r}: {error}; write the like of %d/%m/%Y.") from None
        if read.date() != day.date():
            raise click.BadParameter(f"{form!r} does not name year, month and day; write the like of %d/%m/%Y.")
    return formats


# How articles are read; `read_options` makes one thing of them.
reading_options = together(
    *(click.option(f"--{field}-column", metavar="NAME", help=told) for field, told in _COLUMNS.items()),
    click.option("--outlet", metavar="NAME", help="The outlet of all articles, whatever the files say."),
    click.option(
        "--date-format",
        "date_formats",
        multiple=True,
        metavar="FORMAT",
        callback=_known_format,
        help="Form of the dates, such as %d/%m/%Y; may be given several times.  [default: the usual ones]",
    ),
    click.option(
        "--delimiter",
        metavar="SIGN",
        callback=_one_sign,
        help="Sign between the fields of .csv and .tsv files; tab is one.  [default: found by looking]",
    ),
    click.option(
        "--encoding", default="utf-8", show_default=True, callback=known_encoding, help="Encoding of text files."
    ),
    click.option(
        "--max-characters",
        default=1_000_000,
        show_default=True,
        type=click.IntRange(1, 100_000_000),
        help="Reject longer articles.",
    ),
)
