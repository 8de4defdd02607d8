"""Tables that several commands print."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from loadedwords.cli.terminal import make_console, say, short_name, with_interval

if TYPE_CHECKING:
    import polars as pl

    from loadedwords.schema import CountedVoice, Interval
    from loadedwords.training.evaluation import DeviceRate, Evaluation


def print_table(
    title: str | None,
    headings: Iterable[str],
    rows: Iterable[Sequence[str]],
    *,
    words: Collection[str] = ("outlet",),
    unwrapped: str = "",
    ends: Collection[int] = (),
) -> None:
    """Print a table, if it has rows: `words` are the columns of text, and behind the rows `ends` is a line."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in words else "right", no_wrap=heading == unwrapped)
    for number, row in enumerate(rows):
        table.add_row(*row, end_section=number in ends)
    if table.rows:
        make_console().print(table)


def print_outlets(
    outlets: pl.DataFrame, overall: pl.DataFrame, level: float, voice: CountedVoice, most: int = 30
) -> None:
    from loadedwords.outlets import FEW_ARTICLES, well_covered

    rests_on = {
        "own": "own-voice sentences",
        "quoted": "sentences that quote somebody",
        "all": "all sentences, whoever speaks",
    }
    if not overall.height:
        say(f"There are no {rests_on[voice]}, so there is nothing to compare.")
        return
    covered = well_covered(outlets)
    rows = covered.to_dicts()
    # Of many, both ends say more than the upper end alone.
    left_out = max(0, len(rows) - most)
    shown = [*rows[: most // 2], *rows[-most // 2 :]] if left_out else rows
    print_table(
        f"Loaded share of {rests_on[voice]}, {100 * level:.3g}% intervals (articles are the units)",
        ("outlet", "articles", "sentences", "loaded share", "loaded words per 1,000", "share of all sentences", "note"),
        map(_outlet, [*overall.to_dicts(), *shown]),
        words=("outlet", "note"),
        unwrapped="outlet",
        ends=(0, most // 2) if left_out else (0,),
    )
    if left_out:
        say(f"{left_out} outlets between these are not shown.")
    if outlets.height > covered.height:
        say(
            f"{outlets.height - covered.height} outlets with fewer than {FEW_ARTICLES} articles, or events that theirs are on, are not shown."
        )
    if outlets.height > 1:
        say(
            "Two of these intervals that overlap don't settle whether the outlets differ: the interval of their difference does. Outlets may also differ for what they cover."
        )


def _outlet(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        short_name(row["outlet"]),
        f"{row['n_articles']:,}",
        f"{row['n_sentences']:,}",
        with_interval(row["loaded_share"], row["ci_low"], row["ci_high"], 3),
        with_interval(row["loaded_words_per_1000"], row["words_ci_low"], row["words_ci_high"], 1),
        with_interval(row["loaded_share_all"], row["all_ci_low"], row["all_ci_high"], 3),
        row["note"],
    )


def show_evaluation(evaluation: Evaluation, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(evaluation.as_dict(), indent=2))
    else:
        print_evaluation(evaluation)


def print_evaluation(evaluation: Evaluation) -> None:
    from loadedwords.training.card import METRIC_NAMES

    say(evaluation.description)
    rows = [
        (predictor, *(_of(metrics[metric], 3) for metric in METRIC_NAMES))
        for predictor, metrics in evaluation.metrics.items()
    ]
    headings = ("predictor", *METRIC_NAMES.values())
    print_table(None, headings, rows, words=("predictor",), unwrapped="predictor")
    for finding in evaluation.findings:
        say(f"{finding.name}: {_of(finding.value, 3)}; {finding.beside} ({finding.rests_on})")
    if evaluation.devices:
        print_devices(evaluation.devices)
    for note in evaluation.notes:
        say(note)


def print_devices(devices: Sequence[DeviceRate]) -> None:
    measures = dict.fromkeys(rate.measure for rate in devices)
    kinds = list(dict.fromkeys(rate.kind for rate in devices))
    rows = []
    for kind in kinds:
        rates = [rate for rate in devices if rate.kind == kind]
        shares = [share for rate in rates for share in (rate.found, rate.false_alarms)]
        rows.append((kind, str(rates[0].n), *(_of(share, 2) if share else "" for share in shares)))
    print_table(
        "Devices: how often found, and how often the plain twin is taken for one",
        ("device", "n", *(f"{measure}: {what}" for measure in measures for what in ("found", "false alarms"))),
        rows,
        words=("device",),
        ends=[number for number, kind in enumerate(kinds) if kind.startswith("all ")],
    )


def _of(value: Interval, digits: int) -> str:
    return with_interval(value.estimate, value.low, value.high, digits)
