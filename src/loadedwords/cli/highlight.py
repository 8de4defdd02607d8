"""`loadedwords highlight`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadedwords.cli.options import known_encoding, model_option
from loadedwords.cli.terminal import fail, make_console, say
from loadedwords.printable import counted

if TYPE_CHECKING:
    from rich.text import Text

    from loadedwords.schema import ScoredArticle, ScoredSentence


@click.command()
@click.argument("file", default="-", type=click.Path(path_type=Path, allow_dash=True))
@model_option
@click.option("--text-column", help="Of a table: column of the text, if not text, body, content or article.")
@click.option("--encoding", default="utf-8", show_default=True, callback=known_encoding, help="Encoding of the file.")
def highlight(file: Path, model: str | None, text_column: str | None, encoding: str) -> None:
    """Show one article in the terminal: loaded words marked, each sentence's own-voice score beside it.

    FILE is a text, Markdown or HTML file, or - for standard input; of a table, the first article is shown.
    """
    from loadedwords.articles import ReadOptions
    from loadedwords.articles.reading import read_inputs
    from loadedwords.schema import Reject
    from loadedwords.scoring import load_model

    options = ReadOptions({"text": text_column} if text_column else {}, encoding)
    first = next(iter(read_inputs([str(file)], options=options)), None)
    if first is None or isinstance(first, Reject):
        fail(f"{file} can't be read: {first.reason if first else 'it holds no article'}.")
    scored = next(load_model(model).score_articles([first]))
    _print_article(scored)


def _print_article(scored: ScoredArticle) -> None:
    from rich.table import Table
    from rich.text import Text

    console = make_console()
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    if scored.article.title and not scored.title_sentences:
        console.print(Text(scored.article.title, style="bold"))
    parts = {"bold": scored.title_sentences, "italic": scored.standfirst_sentences, "none": scored.sentences}
    for style, sentences in parts.items():
        for sentence in sentences:
            shown = "quoted" if sentence.p_own is None else f"{sentence.p_own:.2f}"
            score = Text(shown, style="bold red" if sentence.p_own and sentence.p_own >= 0.5 else "dim")
            table.add_row(score, _marked(sentence, style, in_colour=console.is_terminal))
    console.print(table)
    if scored.loaded_share is None:
        say(f"No sentence in the outlet's own voice. {scored.message}".strip())
        return
    say(
        f"loaded share {scored.loaded_share:.2f} over {scored.n_own} own-voice sentences; "
        f"{scored.n_loaded_words} loaded in {scored.n_words} own words; {counted(len(scored.boilerplate), 'passage')} left out. {scored.message}".rstrip()
    )
    marks = (
        "red: loaded words of the outlet; underlined"
        if console.is_terminal
        else "[loaded words of the outlet]; <others'>"
    )
    say(
        f"The number is the share of careful readers who would object to the wording; {marks}: what others are quoted as saying."
    )


def _marked(sentence: ScoredSentence, style: str, *, in_colour: bool) -> Text:
    from rich.text import Text

    text = Text(sentence.text if in_colour else _bracketed(sentence), style=style)
    for word in sentence.words if in_colour else ():
        marked = "underline" if word.in_quote else "bold white on red"
        text.stylize(marked, word.start - sentence.start, word.end - sentence.start)
    devices = list(dict.fromkeys(word.device for word in sentence.words if word.device and not word.in_quote))
    if devices:
        text.append(f"  ({'; '.join(devices)})", style="italic dim")
    return text


def _bracketed(sentence: ScoredSentence) -> str:
    """Where there are no colours: [own words] and <quoted ones>."""
    text = sentence.text
    for word in reversed(sentence.words):
        start, end = word.start - sentence.start, word.end - sentence.start
        opening, closing = "<>" if word.in_quote else "[]"
        text = f"{text[:start]}{opening}{text[start:end]}{closing}{text[end:]}"
    return text
