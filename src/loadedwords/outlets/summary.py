"""What a comparison allows to be said, in plain sentences, and what it doesn't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from loadedwords.outlets.within_events import FEW_EVENTS
from loadedwords.printable import counted

if TYPE_CHECKING:
    from loadedwords.outlets.comparison import Comparison

Lines = Iterator[tuple[bool, str]]  # each with whether it can be said


def summarise(found: Comparison) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What can be said, each with what it rests on, and what can't."""
    parts = (_pairs, _unpaired, _variance, _topics, _same_events, _labels, _beside, _too_few)
    lines = [line for part in parts for line in part(found)]
    lines.append(
        _cannot("Nothing here is a verdict on a person, a claim or an outlet, nor on what an outlet leaves out.")
    )
    return tuple(said for can, said in lines if can), tuple(said for can, said in lines if not can)


def _can(line: str) -> tuple[bool, str]:
    return True, line


def _cannot(line: str) -> tuple[bool, str]:
    return False, line


def _covered(found: Comparison) -> pl.DataFrame:
    """The outlets with enough articles to be compared; those without a name are nobody's."""
    return found.outlets.filter(pl.col("outlet").is_not_null() & (pl.col("n_articles") >= found.min_articles))


def _by_the_model(found: Comparison) -> str:
    """What labels don't reach is the model's own, and says so."""
    return "" if found.corrected is None else "By the model alone, not corrected by the labels: "


def _pairs(found: Comparison) -> Lines:
    pairs, by_labels = found.governing_pairs, found.corrected is not None
    if pairs.height:
        n = int(pairs["differs"].sum())
        rests_on = (
            "by the hand labels; the model's own differences are not declared, as it may err on one outlet more than on another"
            if by_labels
            else f"{_covered(found).height} outlets have at least {found.min_articles} articles"
        )
        yield _can(
            f"{n:,} of {pairs.height:,} pairs of outlets differ in loaded share after correction for the number of pairs (Holm, "
            f"{100 * (1 - found.level):.3g}%), {rests_on}."
        )
        reach = pairs["detectable"].drop_nulls().to_numpy()
        if len(reach):
            yield _cannot(
                f"Smaller differences than {np.median(reach):.3f} (median over the pairs; {reach.min():.3f} to {reach.max():.3f}) would not "
                "show in four of five samples like this one: loadedwords plan says what would be needed for them."
            )
        if n < pairs.height:
            by = "labels" if by_labels else "articles"
            yield _cannot(
                f"The other {pairs.height - n:,} pairs can't be told apart by these {by}; that does not show them alike."
            )


def _unpaired(found: Comparison) -> Lines:
    covered = _covered(found)
    if found.governing_pairs.is_empty() and found.corrected is not None:
        yield _cannot("No two outlets have enough labels, so no difference between outlets is declared.")
    elif found.governing_pairs.is_empty() and covered.height < 2:
        yield _cannot(
            f"No two outlets have {found.min_articles} articles each, so no pair is compared (--min-articles asks for fewer)."
        )
    if one_event := covered.filter(pl.col("n_clusters") < 2).height:
        yield _cannot(
            f"{one_event} outlets have enough articles, but all on one event, and take no part in the comparison of pairs."
        )


def _variance(found: Comparison) -> Lines:
    if v := found.variance:
        yield _can(
            f"{_by_the_model(found)}{v['share_between']:.0%} [{v['share_low']:.0%}, {v['share_high']:.0%}] of the variance of articles' shares lies between outlets, "
            f"the rest between articles of one outlet ({v['n_articles']:,} articles, {v['n_outlets']} outlets)."
        )


def _topics(found: Comparison) -> Lines:
    if s := found.standardised:
        yield _can(
            f"{_by_the_model(found)}With the same mix of {s.n_topics} topics for all, an outlet moves {s.mean_move:.1f} ranks of "
            f"{s.outlets.height} on average (Kendall's tau with the raw ranking {s.kendall_tau:.2f}); topics account for "
            f"{s.variance_explained:.0%} of the variance within outlets."
        )
        if s.left_out:
            named = ", ".join(s.left_out[:5]) + (", …" if len(s.left_out) > 5 else "")
            yield _cannot(
                f"Topics could not be held equal for {named}: what each topic adds elsewhere would put the share below 0 or above 1."
            )
    else:
        yield _cannot("Topics were not held equal: outlets may differ because they cover other things.")


def _same_events(found: Comparison) -> Lines:
    tested = found.within_events.filter(pl.col("n_events") >= FEW_EVENTS)
    if tested.height:
        n = int((tested["p_adjusted"] < 1 - found.level).sum())
        yield _can(
            f"{_by_the_model(found)}On the same events ({found.n_events:,} that two outlets or more report), {n:,} of the "
            f"{tested.height:,} pairs that share at least {FEW_EVENTS} differ after correction."
        )
    else:
        yield _cannot(
            (f"No two outlets share {FEW_EVENTS} events, so differences may be differences of what was reported on."),
        )


def _labels(found: Comparison) -> Lines:
    if found.corrected is None:
        scale = "" if found.base_rate is None else f" at a base rate of {100 * found.base_rate:.3g}% loaded"
        yield _cannot(
            "No hand labels were given: all figures are the model's estimates of the share of careful readers who would "
            f"object{scale}. They were not checked on these outlets, and an error that falls on one outlet more than on another "
            "looks like a difference. loadedwords sample draws sentences to label, --gold corrects by them."
        )
        return
    n = n_labels(found.corrected)
    uncorrected = found.corrected["corrected_share"].null_count()
    if uncorrected < found.corrected.height:
        yield _can(
            f"The shares corrected by {n:,} hand labels are shares of own-voice sentences that the labellers call loaded. Words, devices, "
            "topics, time and what is said of the same events are the model's, uncorrected."
        )
    if found.agreement is not None and found.agreement.alpha is not None:
        yield _can(
            f"On the {found.agreement.n_sentences:,} sentences that several people labelled, Krippendorff's alpha is "
            f"{found.agreement.alpha:.2f} (1 full agreement, 0 as by chance)."
        )
    if uncorrected:
        yield _cannot(
            f"{n:,} hand labels are too few, or in too few articles, to correct {uncorrected:,} of {found.corrected.height:,} "
            "estimates (the column note says why); no difference of these outlets is declared."
        )


def _beside(found: Comparison) -> Lines:
    """What is not the outlets' own, or counts twice."""
    if theirs := work_of_others(found):
        yield _can(theirs)
    for n in found.overall["n_copies"]:
        if n:
            yield _cannot(
                f"{n:,} articles have word for word the text of another of the same outlet; each counts, so what an outlet published "
                "twice weighs twice, though it makes no figure surer."
            )


def _too_few(found: Comparison) -> Lines:
    if found.uncounted:
        named = ", ".join(found.uncounted[:5]) + (", …" if len(found.uncounted) > 5 else "")
        yield _cannot(
            f"{counted(len(found.uncounted), 'outlet')} without a sentence that counts {'is' if len(found.uncounted) == 1 else 'are'} in no "
            f"figure: {named}."
        )
    if few := found.outlets["outlet"].drop_nulls().len() - _covered(found).height:
        left = "pairs, topics and words" if found.corrected is None else "topics and words"
        yield _cannot(
            f"{counted(few, 'outlet')} with fewer than {found.min_articles} articles {'takes' if few == 1 else 'take'} no part in the "
            f"comparison of {left}."
        )


def n_labels(corrected: pl.DataFrame) -> int:
    """How many labels corrected estimates rest on: those of all outlets together."""
    return int(corrected["n_labelled"].max() or 0)  # type: ignore[arg-type]


def work_of_others(found: Comparison) -> str:
    """How much agencies or other publications wrote, and whether it counts; empty where there is none."""
    row = found.overall.to_dicts()[0] if found.overall.height else {"n_syndicated": 0}
    if not row["n_syndicated"]:
        return ""
    counts = (
        "and count in the shares, as all voices do"
        if found.voice == "all"
        else "and left out of the outlets' own figures"
    )
    return (
        f"{counted(row['n_syndicated'], 'sentence')} of {counted(row['n_syndicated_articles'], 'article')} "
        f"{'is' if row['n_syndicated'] == 1 else 'are'} the work of agencies or other publications, {counts}; its loaded share is "
        f"{row['loaded_share_syndicated']:.3f}."
    )
