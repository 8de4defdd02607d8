"""`loadedwords lint`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loadedwords.cli.options import FILE, Within, known_encoding, model_option
from loadedwords.cli.terminal import EXIT_REJECTS, make_console, tell
from loadedwords.printable import counted

if TYPE_CHECKING:
    from loadedwords.articles import ReadOptions
    from loadedwords.lint import Finding, House
    from loadedwords.scoring import FramingModel

EXIT_FINDINGS = 1
# Those of loadedwords.house, which a test holds together: to import it here would make every command slow.
_KINDS = click.Choice([
    "label", "judgement", "verb", "exaggeration", "image", "mockery", "insinuation", "euphemism", "hidden-agent", "banned", "other",
])  # fmt: skip
_STYLES = {"note": "cyan", "warning": "yellow", "error": "bold red"}


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...|-")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="Lines for people, or for other programs.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["note", "warning", "error", "never"]),
    default="warning",
    show_default=True,
    help="Severity from which the exit status is 1.",
)
@click.option("--note", type=Within(0, 1), help="Probability from which a finding is shown.  [default: 0.25]")
@click.option("--warning", type=Within(0, 1), help="Probability from which it warns.  [default: 0.55]")
@click.option("--error", type=Within(0, 1), help="Probability from which it is an error.  [default: 0.75]")
@click.option("--only", multiple=True, type=_KINDS, help="Report this kind and no other; may be repeated.")
@click.option("--ignore", multiple=True, type=_KINDS, help="Do not report this kind; may be repeated.")
@click.option("--quotes", is_flag=True, help="Report other people's words, too.")
@click.option(
    "--left-alone", is_flag=True, help="Report words in works' titles, courts' words, sport and groups' names, too."
)
@click.option("--house", type=FILE, help="The house's rules.  [default: the nearest .loadedwords.toml above each file]")
@click.option("--no-house", is_flag=True, help="Without any house's rules.")
@click.option("--accept", multiple=True, metavar="WORD", help="Add a word to those that the house accepts, and end; may be repeated.")  # fmt: skip
@click.option("--baseline", type=FILE, help="Leave out the findings that this file knows.")
@click.option("--write-baseline", is_flag=True, help="Write the findings to the --baseline instead of reporting them.")
@model_option
@click.option(
    "--stdin-name", help="What standard input is called: its ending says what it holds, its folder which rules hold."
)
@click.option("--text-column", help="Of a table: column of the text, if not text, body, content or article.")
@click.option("--title-column", help="Of a table: column of the title, if not title or headline.")
@click.option(
    "--standfirst-column", help="Of a table: column of the standfirst, if not standfirst, subtitle or the like."
)
@click.option("--encoding", default="utf-8", show_default=True, callback=known_encoding, help="Encoding of text files.")
def lint(files: tuple[str, ...], style: str, fail_on: str, note: float | None, warning: float | None, error: float | None,
         only: tuple[str, ...], ignore: tuple[str, ...], quotes: bool, left_alone: bool, house: Path | None, no_house: bool, accept: tuple[str, ...],
         baseline: Path | None, write_baseline: bool, model: str | None, stdin_name: str | None, text_column: str | None,
         title_column: str | None, standfirst_column: str | None, encoding: str) -> None:  # fmt: skip
    """List the loaded words of stories with line and column, kind, why, and plainer words.

    FILES are text, Markdown and HTML files, tables of articles (.jsonl, .csv, .tsv, .parquet), folders, globs, or - for
    standard input. Findings go to standard output; what can't be read, and a summary, to standard error.

    Exit status: 0 nothing at or above --fail-on, 1 something, 2 wrong usage or rules, 3 some file could not be read or is in another language.

    \b
    loadedwords lint story.md
    loadedwords lint stories/ --format sarif > findings.sarif
    loadedwords lint --accept regime
    """
    from loadedwords.articles import ReadOptions
    from loadedwords.errors import LoadedwordsError
    from loadedwords.lint.baseline import read_baseline, without_known
    from loadedwords.lint.baseline import write_baseline as write

    if house and no_house:
        raise click.UsageError("Name either a --house or --no-house.")
    if write_baseline and not baseline:
        raise click.UsageError("Name the --baseline to write.")
    if not files and not accept:
        raise click.UsageError("Name FILES, or - for standard input.")
    if only and not set(only) - set(ignore):
        raise click.UsageError("Each --only is a kind to --ignore, too: nothing would be reported.")
    if stdin_name and "-" not in files:
        raise click.UsageError("--stdin-name is for standard input: pass -, too.")
    named = {"text": text_column, "title": title_column, "standfirst": standfirst_column}
    columns = {kind: name for kind, name in named.items() if name}
    try:
        if accept:
            _accept(accept, house, files)
            return
        given = {"note": note, "warning": warning, "error": error}
        levels = {name: value for name, value in given.items() if value is not None}
        rules = _Rules(None if no_house else house, no_house, levels, only, ignore)
        known = read_baseline(baseline) if baseline and not write_baseline else None
        lint_as = {"quotes": quotes, "left_alone": left_alone}
        done = _lint_files(files, rules, model, ReadOptions(columns, encoding), stdin_name, lint_as)
        if baseline and write_baseline:
            write(done.findings, baseline)
            tell(f"{counted(len(done.findings), 'finding')} in {baseline}")
            sys.exit(EXIT_REJECTS if done.n_rejected else 0)
        findings = done.findings if known is None or baseline is None else without_known(done.findings, known, baseline)
    except LoadedwordsError as trouble:
        raise click.UsageError(str(trouble)) from trouble
    _show(findings, style)
    _summarise(findings, done, len(done.findings) - len(findings))
    if done.n_rejected:
        sys.exit(EXIT_REJECTS)
    steps = list(_STYLES)
    # What is left alone by default is shown, and fails nothing.
    weighed = [finding for finding in findings if finding.left_alone is None]
    if fail_on != "never" and any(steps.index(finding.severity) >= steps.index(fail_on) for finding in weighed):
        sys.exit(EXIT_FINDINGS)


@dataclass
class _Rules:
    """The rules for each file: its house's, and the options above them."""

    house: Path | None
    no_house: bool
    levels: dict[str, float]
    only: Sequence[str]
    ignore: Sequence[str]
    _read: dict[Path | None, House] = field(default_factory=dict)

    def of(self, file: Path) -> House:
        from loadedwords.lint import find_house

        place = self.house if self.house or self.no_house else find_house(file)
        if place not in self._read:
            self._read[place] = self._with_options(place)
        return self._read[place]

    def _with_options(self, place: Path | None) -> House:
        from loadedwords.house import LINT_KINDS
        from loadedwords.lint import House, read_house

        house = read_house(place) if place else House()
        levels = replace(house.levels, **self.levels)
        if not levels.note <= levels.warning <= levels.error:
            given = f"--note {levels.note} --warning {levels.warning} --error {levels.error}"
            raise click.UsageError(f"The thresholds are not in order: {given}, with those of {place or 'no house'}.")
        off = [kind for kind in LINT_KINDS if kind not in self.only] if self.only else house.off
        return replace(house, levels=levels, off=(*off, *self.ignore))


@dataclass
class _Done:
    """What came of all files."""

    findings: list[Finding] = field(default_factory=list)
    n_files: int = 0
    n_left: int = 0
    n_rejected: int = 0


def _accept(words: Sequence[str], house: Path | None, files: Sequence[str]) -> None:
    from loadedwords.lint import HOUSE_FILE, accept_words, find_house

    start = Path(files[0]) if files and files[0] != "-" else Path.cwd()
    file = house or find_house(start) or Path(HOUSE_FILE)
    new = accept_words(words, file)
    tell(f"{file} accepts {', '.join(new)}" if new else f"{file} accepts all of these already")


def _lint_files(files: Sequence[str], rules: _Rules, model: str | None, options: ReadOptions, stdin_name: str | None,
                lint_as: Mapping[str, Any]) -> _Done:  # fmt: skip
    from rich.console import Console
    from rich.progress import track

    from loadedwords.scoring import load_model

    found = _find(files)
    done = _Done()
    loaded: FramingModel | None = None
    console = Console(stderr=True)
    for file in track(
        found, "linting", console=console, transient=True, disable=not console.is_terminal or len(found) < 2
    ):
        place = file or (Path(stdin_name) if stdin_name else Path.cwd())
        house = rules.of(place)
        if not house.wants(place):
            done.n_left += 1
            continue
        loaded = loaded or load_model(model)
        done.n_files += 1
        _lint_file(file, stdin_name if file is None else None, loaded, house, options, lint_as, done)
    return done


def _lint_file(file: Path | None, name: str | None, model: FramingModel, house: House, options: ReadOptions,
               lint_as: Mapping[str, Any], done: _Done) -> None:  # fmt: skip
    from loadedwords.errors import DataError
    from loadedwords.lint import lint_document, read_documents
    from loadedwords.schema import Reject

    for story in read_documents(file, name=name, options=options):
        if isinstance(story, Reject):
            done.n_rejected += 1
            tell(f"{story.file}{f':{story.line}' if story.line else ''}: {story.reason}")
            continue
        try:
            done.findings += lint_document(story, model, house, **lint_as)
        except DataError as error:
            done.n_rejected += 1
            tell(str(error))


def _find(files: Sequence[str]) -> list[Path | None]:
    """The files to read, each once; a folder's files of kinds that are not read are passed over, and said to be."""
    from loadedwords.articles import find_files
    from loadedwords.articles.formats import READERS, ending_of
    from loadedwords.errors import DataError

    found: dict[Path | None, None] = {}
    for given in files:
        inside = find_files(given)
        if not Path(given).is_dir():
            found |= dict.fromkeys(inside)
            continue
        known = [file for file in inside if ending_of(file) in READERS]
        unread = Counter(ending_of(file) or "no ending" for file in inside if ending_of(file) not in READERS)
        which = ", ".join(f"{n} {ending}" for ending, n in unread.most_common())
        if not known:
            raise DataError(
                f"The folder {given} holds no file of a kind that is read ({which}).\nSave stories as text, Markdown or HTML."
            )
        if unread:
            tell(f"{given}: passed over files of kinds that are not read ({which})")
        found |= dict.fromkeys(known)
    return list(found)


def _show(findings: Sequence[Finding], style: str) -> None:
    from loadedwords.lint import formats

    if style == "text":
        _print(findings)
    elif style == "json":
        click.echo(formats.as_json(findings))
    elif style == "sarif":
        click.echo(formats.as_sarif(findings))
    elif findings:
        click.echo(formats.as_github(findings))


def _print(findings: Sequence[Finding]) -> None:
    from rich.text import Text

    from loadedwords.lint.formats import message_of

    console = make_console()
    for finding in findings:
        line = Text(f"{finding.path}:{finding.line}:{finding.column}: ", style="bold")
        line.append(finding.severity, style=_STYLES[finding.severity])
        line.append(f" {message_of(finding)}", style="not bold")
        console.print(line, soft_wrap=True)


def _summarise(findings: Sequence[Finding], done: _Done, n_known: int) -> None:
    counts = Counter[str](finding.severity for finding in findings if finding.left_alone is None)
    said = ", ".join(counted(counts[name], name) for name in reversed(list(_STYLES)) if counts[name]) or "no findings"
    rest = [
        (n_known, "known from the baseline"),
        (done.n_left, "left by the house's rules"),
        (done.n_rejected, "could not be linted"),
    ]
    tell("; ".join([f"{said} in {counted(done.n_files, 'file')}", *(f"{n} {what}" for n, what in rest if n)]))
