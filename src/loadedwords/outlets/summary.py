"""What a comparison allows to be said, in plain sentences, and what it doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from loadedwords.outlets.within_events import FEW_EVENTS

if TYPE_CHECKING:
    from loadedwords.outlets.comparison import Comparison


def summarise(found: Comparison) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What can be said, each with what it rests on, and what can't."""
    says: list[str] = []
    cannot: list[str] = []
    pairs, covered = found.pairs, found.outlets.filter(pl.col("n_articles") >= found.min_articles)
    few = found.outlets.height - covered.height
    one_event = covered.filter(pl.col("n_clusters") < 2).height
    by_hand = found.corrected_pairs
    if by_hand is not None and by_hand.height:
        n = by_hand.filter(pl.col("p_adjusted") < 1 - found.level).height
        says.append(
            f"By the hand labels, {n:,} of {by_hand.height:,} pairs of outlets differ in the share of loaded sentences (Holm, "
            f"{100 * (1 - found.level):.3g}%). These are the differences to report: the model's own figures don't know its errors."
        )
        cannot.append(
            "The labels correct the outlets' shares and their differences; variance, topics, the same events, words and devices are "
            "the model's, uncorrected."
        )
    if pairs.height:
        n = int(pairs["differs"].sum())
        says.append(
            f"{'By the model alone, ' if by_hand is not None else ''}{n:,} of {pairs.height:,} pairs of outlets differ in loaded share "
            f"after correction for the number of pairs (Holm, {100 * (1 - found.level):.3g}%); {covered.height} outlets have at least "
            f"{found.min_articles} articles."
        )
        if n < pairs.height:
            cannot.append(
                f"The other {pairs.height - n:,} pairs can't be told apart by these articles; that does not show them alike."
            )
    elif covered.height < 2:
        cannot.append(
            f"No two outlets have {found.min_articles} articles each, so no pair is compared (--min-articles asks for fewer)."
        )
    if one_event:
        cannot.append(
            f"{one_event} outlets have enough articles, but all on one event, and take no part in the comparison of pairs."
        )
    if v := found.variance:
        interval = "" if v["share_low"] is None else f" [{v['share_low']:.0%}, {v['share_high']:.0%}]"
        says.append(
            f"{v['share_between']:.0%}{interval} of the variance of articles' shares lies between outlets, the rest "
            f"between articles of one outlet ({v['n_articles']:,} articles, {v['n_outlets']} outlets)."
        )
    if s := found.standardised:
        says.append(
            f"With the same mix of {s.n_topics} topics for all, an outlet moves {s.mean_move:.1f} ranks of {s.outlets.height} on "
            f"average (Kendall's tau with the raw ranking {s.kendall_tau:.2f}); topics account for {s.variance_explained:.0%} of the "
            "variance within outlets."
        )
    else:
        cannot.append("Topics were not held equal: outlets may differ because they cover other things.")
    tested = found.within_events.filter(pl.col("n_events") >= FEW_EVENTS)
    if tested.height:
        n = int((tested["p_adjusted"] < 1 - found.level).sum())
        says.append(
            f"On the same events ({found.n_events:,} that two outlets or more report), {n:,} of the {tested.height:,} pairs that share at "
            f"least {FEW_EVENTS} differ after correction."
        )
    else:
        cannot.append(
            f"No two outlets share {FEW_EVENTS} events, so differences may be differences of what was reported on."
        )
    if found.corrected is None:
        scale = "" if found.prevalence is None else f", moved to a share of {100 * found.prevalence:.3g}% loaded"
        cannot.append(
            "No hand labels were given: all figures are the model's estimates of the share of careful readers who would "
            f"object{scale}. They were not checked on these outlets, and an error that falls on one outlet more than on another "
            "looks like a difference. loadedwords sample draws sentences to label, --gold corrects by them."
        )
    else:
        n = int(found.corrected["n_labelled"].max() or 0)  # type: ignore[arg-type]
        uncorrected = found.corrected["corrected_share"].null_count()
        if uncorrected < found.corrected.height:
            says.append(
                f"Estimates corrected by {n:,} hand labels stand beside the model's: they are shares of own-voice sentences that the labellers call loaded."
            )
        if uncorrected:
            cannot.append(
                f"{n:,} hand labels are too few, or in too few articles, to correct {uncorrected:,} of {found.corrected.height:,} "
                "estimates (the column note says why)."
            )
    for row in found.overall.to_dicts():
        if row["n_syndicated"]:
            says.append(
                f"{row['n_syndicated']:,} sentences of {row['n_syndicated_articles']:,} articles are the work of agencies or other "
                f"publications and are left out of the outlets' own figures; their loaded share is {row['loaded_share_syndicated']:.3f}."
            )
        if row["n_copies"]:
            cannot.append(
                f"{row['n_copies']:,} articles have word for word the text of another of the same outlet; each counts, so "
                "what an outlet published twice weighs twice."
            )
    if few:
        cannot.append(
            f"{few} outlets have fewer than {found.min_articles} articles and take no part in the comparison of pairs, topics and words."
        )
    cannot.append("Nothing here is a verdict on a person, a claim or an outlet, nor on what an outlet leaves out.")
    return tuple(says), tuple(cannot)
