"""`loadedwords plan`."""

from __future__ import annotations

from pathlib import Path

import click

from loadedwords.cli.options import EXISTING, Within, level_option, voice_option
from loadedwords.schema import CountedVoice


@click.command()
@click.argument("folders", nargs=-1, type=EXISTING)
@click.option(
    "--difference", "differences", multiple=True, type=Within(0.001, 0.999), default=(0.02, 0.05, 0.1), show_default=True, help="Between two outlets' loaded shares; may be given several times.",
)  # fmt: skip
@click.option("--outlets", "n_outlets", type=click.IntRange(2, 10_000), help="To compare, all with each other.  [default: those of the folders, or 2]")  # fmt: skip
@click.option("--spread", type=Within(0.001, 1), help="How much an outlet's articles differ: the standard error of its share times the root of their number.  [default: from the folders, or as in ordinary news]")  # fmt: skip
@level_option
@click.option("--power", default=0.8, show_default=True, type=Within(0.5, 0.99), help="Share of such samples in which the difference is to show.")  # fmt: skip
@voice_option
def plan(folders: tuple[Path, ...], differences: tuple[float, ...], n_outlets: int | None, spread: float | None, level: float, power: float,
         voice: CountedVoice) -> None:  # fmt: skip
    """How many articles and labels an outlet needs to show a difference, before you collect any.

    FOLDERS are scores of a pilot, a few articles of the outlets in question, from which it is read how much articles
    differ and how loaded they are; without one, ordinary news is taken.

    \b
    loadedwords plan --outlets 10
    loadedwords plan pilot/ --outlets 10 --difference 0.03
    """
    from loadedwords.outlets import load_articles, summarise_all
    from loadedwords.outlets.power import ORDINARY_SENTENCES, ORDINARY_SHARE, ORDINARY_SPREAD, plan, spread_of_articles

    share, sentences, ordinary = ORDINARY_SHARE, float(ORDINARY_SENTENCES), "as in ordinary news"
    source = ordinary if spread is None else "as given"
    if folders:
        articles = load_articles(folders)
        for total in summarise_all(articles, voice=voice).to_dicts():
            share = min(max(total["loaded_share"], 0.01), 0.99)
            sentences = total["n_sentences"] / total["n_articles"]
        ordinary = f"from {articles.height:,} articles"
        if spread is None:
            spread, source = spread_of_articles(articles, voice), ordinary
        n_outlets = n_outlets or articles["outlet"].drop_nulls().n_unique()
    spread = ORDINARY_SPREAD if spread is None else spread
    n_outlets = max(2, n_outlets or 0)
    click.echo(
        f"{n_outlets} outlets, whose articles differ by {spread:.3f} ({source}) and have about {sentences:.0f} sentences, {share:.2f} of "
        f"them loaded ({ordinary}); power {power:.0%} at {level:.3g}, Holm over all pairs."
    )
    click.echo(f"{'difference':>10} {'articles each':>14} {'or labels each':>15} {'of articles':>12}")
    needed = plan(
        list(differences),
        spread=spread,
        share=share,
        sentences=sentences,
        n_outlets=n_outlets,
        level=level,
        power=power,
    )
    for row in needed:
        click.echo(f"{row.difference:>10.3f} {row.articles:>14,} {row.labels:>15,} {row.articles_for_labels:>12,}")
    click.echo(
        "Labels: for differences corrected by them, from so many articles of each outlet; counted as if scores were of no help, so "
        "with scores that help fewer do."
    )
