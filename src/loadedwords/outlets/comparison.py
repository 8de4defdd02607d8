"""One comparison of outlets from end to end: everything the page, the tables and the terminal show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import polars as pl

from loadedwords.errors import DataError
from loadedwords.outlets.aliases import apply_aliases
from loadedwords.outlets.counted import COUNTED, share_columns
from loadedwords.outlets.devices import compare_devices
from loadedwords.outlets.differences import compare_pairs
from loadedwords.outlets.estimates import FEW_ARTICLES, THRESHOLD, compare_outlets, summarise_all
from loadedwords.outlets.shrinkage import VarianceSplit, shrink, split_variance
from loadedwords.outlets.tables import load_articles, read_run, scan_sentences
from loadedwords.outlets.topics import Standardised, find_topics, standardise_topics
from loadedwords.schema import CountedVoice

EventSource = Literal["auto", "column", "find", "none"]
TopicSource = Literal["auto", "column", "find", "none"]
EVENTS_SHOWN = 60
SENTENCES_SHOWN = 3
MIN_EVENTS = 5
_PERIODS = ((365 * 3, "1y"), (270, "1q"), (0, "1mo"))
_TIMELINE_SCHEMA = {
    "outlet": pl.String,
    "period": pl.Date,
    "n_articles": pl.Int64,
    "loaded_share": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
}


@dataclass(frozen=True)
class Comparison:
    """What is known of some outlets, as tables.

    Attributes
    ----------
    outlets, overall : DataFrame
        As `compare_outlets` and `summarise_all` give them, with shrunken_share, shrunken_low, shrunken_high, kept.
    pairs : DataFrame
        As `compare_pairs`.
    variance : dict
        The fields of `VarianceSplit`; empty where it can't be split.
    events : DataFrame
        Articles of the events shown: event_id, article_id, outlet, title, date, loaded_share (of the voice that
        counts), why, sentences (the most loaded own-voice ones, a list of {text, p_own}).
    n_events : int
        Events that at least two outlets report, articles without an outlet left aside.
    within_events, outlets_within_events : DataFrame
        Differences of pairs, and of each outlet from the others, within the same events.
    topics : Standardised or None
    words, other_words : DataFrame
        Each outlet's own words, and what outlets call the same thing.
    devices : DataFrame or None
        Kinds of loaded words per outlet, as `devices.compare_devices` gives them; None where the model told no kinds.
    timeline : DataFrame
        outlet, period (its first day), n_articles, loaded_share, ci_low, ci_high.
    corrected, corrected_pairs : DataFrame or None
        Estimates and differences corrected by hand labels, where there are any.
    level, threshold : float
    voice : str
    model : dict
        name and hash.
    sources : list of str
        The folders.
    says, cannot_say : tuple of str
        What these figures allow to be said, and what they don't.
    """

    outlets: pl.DataFrame
    overall: pl.DataFrame
    pairs: pl.DataFrame
    variance: dict[str, Any]
    events: pl.DataFrame
    n_events: int
    within_events: pl.DataFrame
    outlets_within_events: pl.DataFrame
    standardised: Standardised | None
    words: pl.DataFrame
    other_words: pl.DataFrame
    devices: pl.DataFrame | None
    timeline: pl.DataFrame
    corrected: pl.DataFrame | None
    corrected_pairs: pl.DataFrame | None
    level: float
    threshold: float
    voice: str
    model: dict[str, str]
    sources: list[str]
    says: tuple[str, ...]
    cannot_say: tuple[str, ...]

    @property
    def topics(self) -> pl.DataFrame | None:
        return None if self.standardised is None else self.standardised.outlets


def compare_scores(
    folders: str | Path | Sequence[str | Path],
    *,
    voice: CountedVoice = "own",
    level: float = 0.95,
    seed: int = 0,
    threshold: float = THRESHOLD,
    min_articles: int = FEW_ARTICLES,
    aliases: Mapping[str, str] | None = None,
    events: EventSource = "auto",
    topics: TopicSource = "auto",
    gold: pl.DataFrame | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Compare outlets by everything that folders of scores hold.

    Parameters
    ----------
    folders : str, Path or several
        Written by ``loadedwords score``, with one model.
    voice : {"own", "quoted", "all"}
    level : float
        Nominal coverage of the intervals.
    seed : int
    threshold : float
        The loaded share from which an article counts as loaded.
    min_articles : int
        Outlets with fewer take no part in the comparison of pairs, topics and words.
    aliases : mapping of str to str, optional
        Names → outlets, as `aliases.read_aliases` gives them.
    events, topics : {"auto", "column", "find", "none"}
        Take them from the scores' columns, find them in the texts, or do without; "auto" finds them where the column
        is empty.
    gold : DataFrame, optional
        Hand labels, as `gold.read_gold` gives them.
    tell : callable
        Is told, in a line, what is being done.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        If a folder holds no scores, folders can't be compared, an asked-for column is empty, or no label is of these
        articles.
    """
    paths = [Path(folders)] if isinstance(folders, (str, Path)) else [Path(folder) for folder in folders]
    if not paths:
        raise DataError("There is no folder to compare.\nPass one or more written by loadedwords score.")
    articles = apply_aliases(load_articles(paths), dict(aliases or {}))
    if gold is not None:
        _refuse_others_labels(gold, articles)
    sentences = scan_sentences(paths)
    tell(f"{articles.height:,} articles of {articles['outlet'].n_unique():,} outlets")
    articles, why = _with_events(articles, sentences, events, tell)
    with_topics = _with_topics(articles, sentences, topics, tell)

    tell("estimates and differences")
    outlets = compare_outlets(articles, voice=voice, level=level, threshold=threshold)
    drawn = shrink(articles, voice=voice, level=level)
    outlets = outlets.join(drawn, on="outlet", how="left", nulls_equal=True, maintain_order="left")
    overall = summarise_all(articles, voice=voice, level=level, threshold=threshold)
    pairs = compare_pairs(articles, voice=voice, level=level, min_articles=min_articles)
    variance = split_variance(articles, voice=voice, level=level, seed=seed)
    standardised = standardise_topics(with_topics, voice=voice, level=level, min_articles=min_articles)

    tell("the same events")
    within, outlets_within, shown, n_events = _events_tables(articles, sentences, why, voice, level)
    tell("words")
    words, other = _words(articles, sentences, min_articles)
    corrected = corrected_pairs = None
    if gold is not None:
        from loadedwords.outlets.correction import correct_by_gold, corrected_differences

        tell("correction by hand labels")
        corrected = correct_by_gold(articles, sentences, gold, level=level)
        corrected_pairs = corrected_differences(articles, sentences, gold, level=level)
    comparison = Comparison(
        outlets=outlets,
        overall=overall,
        pairs=pairs,
        variance={} if variance is None else _as_dict(variance),
        events=shown,
        n_events=n_events,
        within_events=within,
        outlets_within_events=outlets_within,
        standardised=standardised,
        words=words,
        other_words=other,
        devices=compare_devices(articles, sentences, voice=voice, level=level, min_articles=min_articles),
        timeline=_timeline(articles, voice, level),
        corrected=corrected,
        corrected_pairs=corrected_pairs,
        level=level,
        threshold=threshold,
        voice=voice,
        model=_model(paths[0]),
        sources=[str(folder) for folder in paths],
        says=(),
        cannot_say=(),
    )
    return _with_summary(comparison, min_articles, read_run(paths[0]).get("model", {}).get("prevalence"))


def write_tables(comparison: Comparison, folder: Path) -> list[Path]:
    """Write every table of a comparison as CSV (lists as JSON) into `folder`, each beside and renamed into place.

    A table that an earlier comparison left there and this one has not is removed: it would be taken for one of these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "outlets": comparison.outlets,
        "pairs": comparison.pairs,
        "within_events": comparison.within_events,
        "outlets_within_events": comparison.outlets_within_events,
        "topics": comparison.topics,
        "words": comparison.words,
        "other_words": comparison.other_words,
        "devices": comparison.devices,
        "timeline": comparison.timeline,
        "events": comparison.events,
        "corrected": comparison.corrected,
        "corrected_pairs": comparison.corrected_pairs,
    }
    written = []
    for name, table in tables.items():
        file = folder / f"{name}.csv"
        if table is None:
            file.unlink(missing_ok=True)
            continue
        beside = folder / f".{name}.csv.tmp"
        _flat(table).write_csv(beside)
        written.append(beside.replace(file))
    return written


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    nested = [name for name, kind in table.schema.items() if isinstance(kind, (pl.List, pl.Struct))]
    return table.with_columns(
        [
            pl.Series(name, [json.dumps(value, ensure_ascii=False, default=str) for value in table[name].to_list()])
            for name in nested
        ]
    )


def _refuse_others_labels(gold: pl.DataFrame, articles: pl.DataFrame) -> None:
    here = gold.filter(pl.col("article_id").is_in(articles["article_id"].to_list()))
    if not here["label"].is_not_null().any():
        raise DataError(
            f"None of the {gold['label'].count():,} labels is of a sentence in these articles.\n"
            "Pass the folders that the sample was drawn from; a spreadsheet may have changed the ids."
        )


def _with_events(
    articles: pl.DataFrame, sentences: pl.LazyFrame, source: EventSource, tell: Callable[[str], None]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The articles with the events that were asked for, and why each article is in its event."""
    no_reasons = pl.DataFrame(schema={"article_id": pl.String, "why": pl.List(pl.String)})
    given = articles["event_id"].is_not_null().any()
    if source == "column" and not given:
        raise DataError("The scores name no event.\nScore with --event-column, or let events be found: --events find.")
    if source == "none":
        return articles.with_columns(event_id=pl.lit(None, pl.String)), no_reasons
    if source == "column" or (source == "auto" and given):
        return articles, no_reasons
    from loadedwords.outlets.events import find_events

    tell("finding articles on the same event")
    found = find_events(articles, sentences)
    joined = articles.drop("event_id").join(
        found.select("article_id", "event_id"), on="article_id", how="left", maintain_order="left"
    )
    return joined, found.select("article_id", "why")


def _with_topics(
    articles: pl.DataFrame, sentences: pl.LazyFrame, source: TopicSource, tell: Callable[[str], None]
) -> pl.DataFrame:
    given = "topic" in articles.columns and articles["topic"].is_not_null().any()
    if source == "column" and not given:
        raise DataError("The scores name no topic.\nScore with --topic-column, or let topics be found: --topics find.")
    if source == "none":
        return articles.with_columns(topic=pl.lit(None, pl.String))
    if source == "column" or (source == "auto" and given):
        return articles
    tell("finding topics")
    found = find_topics(articles, sentences)
    return articles.drop("topic", strict=False).join(found, on="article_id", how="left", maintain_order="left")


def _events_tables(
    articles: pl.DataFrame, sentences: pl.LazyFrame, why: pl.DataFrame, voice: CountedVoice, level: float
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, int]:
    from loadedwords.outlets.within_events import compare_within_events, outlets_within_events

    grouped = articles.filter(pl.col("event_id").is_not_null())
    # Who published an article without an outlet isn't known: it makes no second one.
    shared = grouped.filter(pl.col("outlet").drop_nulls().n_unique().over("event_id") > 1)
    within = compare_within_events(shared, voice=voice, level=level)
    by_outlet = outlets_within_events(shared, voice=voice, level=level)
    shared = shared.with_columns(loaded_share=pl.col(COUNTED[voice].share))
    n_events = shared["event_id"].n_unique()
    # Those in which outlets are most and differ most are what a reader looks at first.
    chosen = (
        shared.group_by("event_id")
        .agg(
            outlets=pl.col("outlet").drop_nulls().n_unique(),
            spread=pl.col("loaded_share").max() - pl.col("loaded_share").min(),
        )
        .sort(["outlets", "spread", "event_id"], descending=[True, True, False], nulls_last=True)
        .head(EVENTS_SHOWN)
    )
    shown = shared.join(chosen.select("event_id"), on="event_id", how="semi")
    top = (
        sentences.filter(pl.col("article_id").is_in(shown["article_id"].to_list()) & pl.col("p_own").is_not_null())
        .select("article_id", "sentence_id", "text", "p_own")
        .collect()
        .sort(["p_own", "sentence_id"], descending=[True, False])
        .group_by("article_id", maintain_order=True)
        .head(SENTENCES_SHOWN)
        .group_by("article_id", maintain_order=True)
        .agg(sentences=pl.struct("text", "p_own"))
    )
    order = chosen.with_row_index("place").select("event_id", "place")
    table = (
        shown.join(order, on="event_id")
        .sort(["place", "loaded_share", "article_id"], descending=[False, True, False], nulls_last=True)
        .select("event_id", "article_id", "outlet", "title", "date", "loaded_share")
        .join(why, on="article_id", how="left", maintain_order="left")
        .join(top, on="article_id", how="left", maintain_order="left")
        .with_columns(pl.col("why").fill_null([]), pl.col("sentences").fill_null([]))
    )
    return within, by_outlet, table, n_events


def _words(articles: pl.DataFrame, sentences: pl.LazyFrame, min_articles: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    from loadedwords.outlets.other_words import other_words
    from loadedwords.outlets.own_words import own_words

    grouped = articles.filter(pl.col("event_id").is_not_null())
    return own_words(sentences, articles, min_articles=min_articles), other_words(sentences, grouped)


def _timeline(articles: pl.DataFrame, voice: CountedVoice, level: float) -> pl.DataFrame:
    """Each outlet's share by month, quarter or year, whichever the time covered allows."""
    dated = articles.filter(pl.col("date").is_not_null() & pl.Series(share_columns(articles, voice)[1] > 0))
    if not dated.height:
        return pl.DataFrame(schema=_TIMELINE_SCHEMA)
    # A few absurd dates must not stretch the axis.
    first, last = (dated["date"].cast(pl.Int64).quantile(q, "nearest") for q in (0.01, 0.99))
    days = int((last or 0) - (first or 0))
    width = next(width for least, width in _PERIODS if days >= least)
    # Those that lie in the first and the last period count, so that these are whole.
    periods = dated.with_columns(period=pl.col("date").dt.truncate(width))
    inside = periods.filter(pl.col("date").cast(pl.Int64).is_between(first, last))["period"]
    periods = periods.filter(pl.col("period").is_between(inside.min(), inside.max()))
    parts = []
    for (period,), group in periods.group_by(["period"], maintain_order=True):
        estimates = compare_outlets(group, voice=voice, level=level)
        parts.append(
            estimates.select("outlet", "n_articles", "loaded_share", "ci_low", "ci_high").with_columns(
                period=pl.lit(period, pl.Date)
            )
        )
    return pl.concat(parts).select(list(_TIMELINE_SCHEMA)).sort("outlet", "period")


def _with_summary(comparison: Comparison, min_articles: int, prevalence: float | None) -> Comparison:
    says, cannot = _summary(comparison, min_articles, prevalence)
    values = {field.name: getattr(comparison, field.name) for field in fields(comparison)}
    return Comparison(**{**values, "says": tuple(says), "cannot_say": tuple(cannot)})


def _summary(found: Comparison, min_articles: int, prevalence: float | None) -> tuple[list[str], list[str]]:
    """Plain sentences, each with what it rests on."""
    says: list[str] = []
    cannot: list[str] = []
    pairs, covered = found.pairs, found.outlets.filter(pl.col("n_articles") >= min_articles)
    few = found.outlets.height - covered.height
    one_event = covered.filter(pl.col("n_clusters") < 2).height
    if pairs.height:
        n = int(pairs["differs"].sum())
        says.append(
            f"{n:,} of {pairs.height:,} pairs of outlets differ in loaded share after correction for the number of pairs "
            f"(Holm, {100 * (1 - found.level):.3g}%); {covered.height} outlets have at least {min_articles} articles."
        )
        if n < pairs.height:
            cannot.append(
                f"The other {pairs.height - n:,} pairs can't be told apart by these articles; that does not show them alike."
            )
    elif covered.height < 2:
        cannot.append(
            f"No two outlets have {min_articles} articles each, so no pair is compared (--min-articles asks for fewer)."
        )
    if one_event:
        cannot.append(
            f"{one_event} outlets have enough articles, but all on one event, and take no part in the comparison of pairs."
        )
    if found.variance:
        v = found.variance
        interval = "" if v["share_low"] is None else f" [{v['share_low']:.0%}, {v['share_high']:.0%}]"
        says.append(
            f"{v['share_between']:.0%}{interval} of the variance of articles' shares lies between outlets, the rest "
            f"between articles of one outlet ({v['n_articles']:,} articles, {v['n_outlets']} outlets)."
        )
    if found.standardised is not None:
        s = found.standardised
        says.append(
            f"With the same mix of {s.n_topics} topics for all, an outlet moves {s.mean_move:.1f} ranks of {s.outlets.height} on "
            f"average (Kendall's tau with the raw ranking {s.kendall_tau:.2f}); topics account for {s.variance_explained:.0%} of the "
            "variance within outlets."
        )
    else:
        cannot.append("Topics were not held equal: outlets may differ because they cover other things.")
    tested = (
        found.within_events.filter(pl.col("n_events") >= MIN_EVENTS)
        if found.within_events.height
        else found.within_events
    )
    if tested.height:
        n = int((tested["p_adjusted"] < 1 - found.level).sum())
        says.append(
            f"On the same events ({found.n_events:,} that two outlets or more report), {n:,} of the {tested.height:,} pairs that share at "
            f"least {MIN_EVENTS} differ after correction."
        )
    else:
        cannot.append(
            f"No two outlets share {MIN_EVENTS} events, so differences may be differences of what was reported on."
        )
    if found.corrected is None:
        scale = "" if prevalence is None else f", moved to a share of {100 * prevalence:.3g}% loaded"
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
    if few:
        cannot.append(
            f"{few} outlets have fewer than {min_articles} articles and take no part in the comparison of pairs, topics and words."
        )
    cannot.append("Nothing here is a verdict on a person, a claim or an outlet, nor on what an outlet leaves out.")
    return says, cannot


def _model(folder: Path) -> dict[str, str]:
    model = read_run(folder).get("model", {})
    return {key: str(model.get(key, "unknown")) for key in ("name", "hash")}


def _as_dict(variance: VarianceSplit) -> dict[str, Any]:
    return {field.name: getattr(variance, field.name) for field in fields(variance)}
