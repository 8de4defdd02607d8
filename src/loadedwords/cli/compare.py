"""`loadedwords compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loadedwords.cli.options import EXISTING, EXISTING_FILE, FOLDER, Within, level_option, voice_option
from loadedwords.cli.tables import print_outlets, print_table
from loadedwords.cli.terminal import say, short_name, tell, with_interval

if TYPE_CHECKING:
    from loadedwords.outlets.comparison import Comparison, GroupSource
    from loadedwords.schema import CountedVoice

_SOURCES = click.Choice(["auto", "column", "find", "none"])


@click.command()
@click.argument("folders", nargs=-1, required=True, type=EXISTING)
@click.option("-o", "--output", type=FOLDER, help="Folder for comparison.html and its tables.")
@level_option
@voice_option
@click.option("--aliases", type=EXISTING_FILE, help="Table of outlets' names, as loadedwords aliases writes it.")
@click.option(
    "--gold", multiple=True, type=EXISTING_FILE, help="Hand labels, as loadedwords sample and label leave them."
)
@click.option(
    "--events",
    type=_SOURCES,
    default="auto",
    show_default=True,
    help="Same events: from the scores' column, found in the texts, or none; auto finds them where there is no column.",
)
@click.option("--topics", type=_SOURCES, default="auto", show_default=True, help="Topics to hold equal: likewise.")
@click.option(
    "--threshold",
    default=0.3,
    show_default=True,
    type=Within(0, 1),
    help="Share from which an article is loaded.",
)
@click.option(
    "--min-articles",
    default=10,
    show_default=True,
    type=click.IntRange(2),
    help="Outlets with fewer are not compared in pairs.",
)
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print only the table of outlets, as CSV; events are those of the scores' column.",
)
def compare(folders: tuple[Path, ...], output: Path | None, level: float, voice: CountedVoice, aliases: Path | None,
            gold: tuple[Path, ...], events: GroupSource, topics: GroupSource, threshold: float, min_articles: int, as_csv: bool) -> None:  # fmt: skip
    """Compare the outlets of one or more score folders, with intervals.

    Every pair is compared, within the same events and with topics held equal too; each outlet's own words, and what
    others call the same thing. Hand labels correct the outlets' shares and the differences of pairs; events, topics, words
    and devices stay the model's.

    \b
    loadedwords compare scores/ -o comparison
    loadedwords compare scores/ --aliases aliases.csv --gold labels.csv -o comparison
    """
    from loadedwords.outlets import compare_outlets, load_articles
    from loadedwords.outlets.aliases import apply_aliases, read_aliases
    from loadedwords.outlets.comparison import PAGE_FILE, claim_folder, compare_scores, write_tables
    from loadedwords.outlets.hand_labels import read_gold
    from loadedwords.outlets.spreadsheet import csv_text

    if as_csv and (output or gold or events in ("find", "none") or topics != "auto"):
        raise click.UsageError(
            "--csv prints the table of outlets alone; leave out --output, --gold, --events and --topics."
        )
    if gold and voice != "own":
        raise click.UsageError(
            "--gold holds labels of sentences in the outlets' own voice, which correct no other --voice."
        )
    if output and any((output / "articles").glob("part-*.parquet")):
        raise click.UsageError(f"{output} is a folder of scores, whose tables would be written over; name another.")
    if output:
        claim_folder(output)
    names = read_aliases(aliases) if aliases else {}
    if as_csv:
        articles = apply_aliases(load_articles(folders), names)
        table = compare_outlets(articles, voice=voice, level=level, threshold=threshold)
        click.echo(csv_text(table), nl=False)
        return
    comparison = compare_scores(
        folders, voice=voice, level=level, threshold=threshold, min_articles=min_articles, aliases=names,
        events=events, topics=topics, gold=read_gold(gold) if gold else None, tell=tell,
    )  # fmt: skip
    written = ""
    if output:  # before anything is printed: who reads the output may stop reading
        from loadedwords.report.comparison import write_comparison_page

        page = write_comparison_page(comparison, output / PAGE_FILE)
        written = f"{page} and {len(write_tables(comparison, output))} tables beside it."
    _print_comparison(comparison)
    if written:
        say(written)


def _print_comparison(found: Comparison, most: int = 12) -> None:
    by = "by the model"
    if found.corrected is not None:  # it governs, so it comes first
        by = "corrected by hand labels"
        rows = found.corrected.drop_nulls("corrected_share").to_dicts()
        print_table(
            "Corrected by hand labels: share of own-voice sentences that the labellers call loaded",
            ("outlet", "labels", "model's share", "corrected share", "note"),
            map(_corrected, rows[: 2 * most]),
            words=("outlet", "note"),
        )
        if len(rows) > 2 * most:
            say(f"{len(rows) - 2 * most} outlets below these are not shown.")
        say("By the model alone, not corrected by the labels:")
    print_outlets(found.outlets, found.overall, found.level, found.voice)
    print_table(
        f"The surest differences in loaded share, {by}",
        ("more loaded", "less loaded", "difference", "adjusted p"),
        map(_pair, found.governing_pairs.filter("differs").sort("p_adjusted").head(most).to_dicts()),
        words=("more loaded", "less loaded"),
    )
    if found.devices is not None:
        differ = found.devices.filter(found.devices["differs"].fill_null(False)).sort("p_adjusted")
        print_table(
            "Devices that an outlet uses more or less than all others, per 1,000 words",
            ("outlet", "device", "words", "per 1,000", "others", "difference"),
            map(_device, differ.head(most).to_dicts()),
            words=("outlet", "device"),
        )
    for heading, lines in (("What can be said:", found.says), ("What can't:", found.cannot_say)):
        say(heading)
        for line in lines:
            say(f"  - {line}")


def _corrected(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        short_name(row["outlet"]),
        f"{row['n_labelled']:,}",
        f"{row['loaded_share_raw']:.3f}",
        with_interval(row["corrected_share"], row["ci_low"], row["ci_high"], 3),
        row["note"],
    )


def _pair(row: dict[str, Any]) -> tuple[str, ...]:
    names = short_name(row["outlet_a"]), short_name(row["outlet_b"])
    low, high = sorted([abs(row["ci_low"]), abs(row["ci_high"])])
    difference = with_interval(abs(row["difference"]), low, high, 3)
    return *(names if row["difference"] > 0 else names[::-1]), difference, f"{row['p_adjusted']:.2g}"


def _device(row: dict[str, Any]) -> tuple[str, ...]:
    from loadedwords.schema import KIND_NAMES

    return (
        short_name(row["outlet"]),
        KIND_NAMES.get(row["device"], row["device"]),
        f"{row['n_loaded_words']:,}",
        with_interval(row["per_1000"], row["ci_low"], row["ci_high"], 2),
        f"{row['others_per_1000']:.2f}",
        with_interval(row["difference"], row["difference_low"], row["difference_high"], 2),
    )
