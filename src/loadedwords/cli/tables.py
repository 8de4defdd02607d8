"""Tables that several commands print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from loadedwords.cli.terminal import make_console, say, short_name, with_interval

if TYPE_CHECKING:
    import polars as pl

    from loadedwords.schema import CountedVoice
    from loadedwords.training.evaluation import DeviceRate, Evaluation


def print_outlets(
    outlets: pl.DataFrame, overall: pl.DataFrame, level: float, voice: CountedVoice, most: int = 30
) -> None:
    from rich.table import Table

    from loadedwords.outlets import FEW_ARTICLES, well_covered

    rests_on = {
        "own": "own-voice sentences",
        "quoted": "sentences that quote somebody",
        "all": "all sentences, whoever speaks",
    }
    if not overall.height:
        say(f"There are no {rests_on[voice]}, so there is nothing to compare.")
        return
    table = Table(
        title=f"Loaded share of {rests_on[voice]}, {100 * level:.3g}% intervals (articles are the units)",
        title_justify="left",
    )
    for heading in (
        "outlet", "articles", "sentences", "loaded share", "loaded words per 1,000", "share of all sentences", "note",
    ):  # fmt: skip
        table.add_column(
            heading, justify="left" if heading in ("outlet", "note") else "right", no_wrap=heading == "outlet"
        )
    covered = well_covered(outlets)
    rows = covered.to_dicts()
    # Of many, both ends say more than the upper end alone.
    left_out = max(0, len(rows) - most)
    ends = [*rows[: most // 2], *rows[-most // 2 :]] if left_out else rows
    for row in [*overall.to_dicts(), *ends]:
        table.add_row(
            short_name(row["outlet"]),
            f"{row['n_articles']:,}",
            f"{row['n_sentences']:,}",
            with_interval(row["loaded_share"], row["ci_low"], row["ci_high"], 3),
            with_interval(row["loaded_words_per_1000"], row["words_ci_low"], row["words_ci_high"], 1),
            with_interval(row["loaded_share_all"], row["all_ci_low"], row["all_ci_high"], 3),
            row["note"],
        )
        if len(table.rows) in ((1, 1 + most // 2) if left_out else (1,)):
            table.add_section()
    make_console().print(table)
    if left_out:
        say(f"{left_out} outlets between these are not shown.")
    if outlets.height > covered.height:
        say(f"{outlets.height - covered.height} outlets with fewer than {FEW_ARTICLES} articles are not shown.")
    say(
        "Two of these intervals that overlap don't settle whether the outlets differ: the interval of their difference does. Outlets may also differ for what they cover."
    )


def show_evaluation(evaluation: Evaluation, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(evaluation.as_dict(), indent=2))
    else:
        print_evaluation(evaluation)


def print_evaluation(evaluation: Evaluation) -> None:
    from rich.table import Table

    from loadedwords.training.card import METRIC_NAMES

    say(evaluation.description)
    table = Table()
    table.add_column("predictor", no_wrap=True)
    for heading in METRIC_NAMES.values():
        table.add_column(heading, justify="right")
    for predictor, metrics in evaluation.metrics.items():
        table.add_row(
            predictor, *(with_interval(metrics[m].estimate, metrics[m].low, metrics[m].high, 3) for m in METRIC_NAMES)
        )
    if evaluation.metrics:
        make_console().print(table)
    for finding in evaluation.findings:
        value = with_interval(finding.value.estimate, finding.value.low, finding.value.high, 3)
        say(f"{finding.name}: {value}; {finding.beside} ({finding.rests_on})")
    if evaluation.devices:
        print_devices(evaluation.devices)
    for note in evaluation.notes:
        say(note)


def print_devices(devices: Sequence[DeviceRate]) -> None:
    from rich.table import Table

    measures = dict.fromkeys(rate.measure for rate in devices)
    table = Table(title="Devices: how often found, and how often the plain twin is taken for one", title_justify="left")
    for heading in (
        "device",
        "n",
        *(f"{measure}: {what}" for measure in measures for what in ("found", "false alarms")),
    ):
        table.add_column(heading, justify="left" if heading == "device" else "right")
    for kind in dict.fromkeys(rate.kind for rate in devices):
        rates = [rate for rate in devices if rate.kind == kind]
        shares = [share for rate in rates for share in (rate.found, rate.false_alarms)]
        cells = [with_interval(share.estimate, share.low, share.high, 2) if share else "" for share in shares]
        table.add_row(kind, str(rates[0].n), *cells, end_section=kind.startswith("all "))
    make_console().print(table)
