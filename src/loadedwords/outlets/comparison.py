"""One comparison of outlets from end to end: everything the page, the tables and the terminal show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from loadedwords.errors import DataError, OutputError
from loadedwords.files import written_whole
from loadedwords.outlets.aliases import apply_aliases
from loadedwords.outlets.correction import correct_by_gold, corrected_differences
from loadedwords.outlets.counted import COUNTED, without_syndicated
from loadedwords.outlets.devices import compare_devices
from loadedwords.outlets.differences import compare_pairs
from loadedwords.outlets.estimates import FEW_ARTICLES, THRESHOLD, compare_outlets, summarise_all
from loadedwords.outlets.events import find_events
from loadedwords.outlets.methods import methods
from loadedwords.outlets.other_words import other_words
from loadedwords.outlets.own_words import own_words
from loadedwords.outlets.shrinkage import shrink, split_variance
from loadedwords.outlets.spreadsheet import write_csv
from loadedwords.outlets.summary import summarise
from loadedwords.outlets.tables import TABLES, load_articles, read_run, scan_sentences, tells_kinds
from loadedwords.outlets.timeline import follow_time
from loadedwords.outlets.topics import Standardised, find_topics, standardise_topics
from loadedwords.outlets.within_events import compare_within_events, outlets_within_events
from loadedwords.schema import CountedVoice

PAGE_FILE = "comparison.html"  # beside the tables; written first, it says whose they are

EventSource = Literal["auto", "column", "find", "none"]
TopicSource = Literal["auto", "column", "find", "none"]
EVENTS_SHOWN = 60
SENTENCES_SHOWN = 3
# Sentences to look through on the page: so many, the most loaded first, from so high a score on.
SENTENCES_LISTED = 2000
LEAST_LISTED = 0.25


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
    sentences : DataFrame
        The most loaded sentences in the outlets' own voice, `SENTENCES_LISTED` at most: outlet, article_id, sentence_id,
        title, date, p_own, text, words (a list of {text, start, end, kind}, offsets into `text`, quoted words left out).
    timeline : DataFrame
        outlet, period (its first day), n_articles, loaded_share, ci_low, ci_high.
    corrected, corrected_pairs : DataFrame or None
        Estimates and differences corrected by hand labels, where there are any.
    level, threshold : float
    voice : str
    min_articles : int
    model : dict
        name and hash.
    prevalence : float or None
        The share of loaded sentences that the scores were moved to, where the run was told one.
    base_rate : float or None
        The share that the scores suppose; a mean of them depends on it, and so may the order of outlets.
    sources : list of str
        The folders.
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
    sentences: pl.DataFrame
    timeline: pl.DataFrame
    corrected: pl.DataFrame | None
    corrected_pairs: pl.DataFrame | None
    level: float
    threshold: float
    voice: CountedVoice
    min_articles: int
    model: dict[str, str]
    prevalence: float | None
    base_rate: float | None
    sources: list[str]

    @property
    def governing_pairs(self) -> pl.DataFrame:
        """The differences that are declared: once there are labels, those corrected by them and no others."""
        return self.pairs if self.corrected_pairs is None else self.corrected_pairs

    @property
    def topics(self) -> pl.DataFrame | None:
        return None if self.standardised is None else self.standardised.outlets

    @cached_property
    def says(self) -> tuple[str, ...]:
        """What these figures allow to be said."""
        return summarise(self)[0]

    @cached_property
    def cannot_say(self) -> tuple[str, ...]:
        """What they don't."""
        return summarise(self)[1]

    @cached_property
    def methods(self) -> tuple[str, tuple[str, ...]]:
        """How it was done, as a paragraph for a paper, and its references."""
        return methods(self)


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
        Names → outlets, as `loadedwords.outlets.aliases.read_aliases` gives them.
    events, topics : {"auto", "column", "find", "none"}
        Take them from the scores' columns, find them in the texts, or do without; "auto" finds them where the column
        is empty.
    gold : DataFrame, optional
        Hand labels, as `loadedwords.outlets.hand_labels.read_gold` gives them.
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

    tell("estimates, differences, the same events, words" + (", correction by hand labels" if gold is not None else ""))
    outlets = compare_outlets(articles, voice=voice, level=level, threshold=threshold)
    shrunken = shrink(articles, voice=voice, level=level)
    variance = split_variance(articles, voice=voice, level=level, seed=seed)
    on_events = articles.filter(pl.col("event_id").is_not_null())
    # Who published an article without an outlet isn't known: it makes no second one.
    shared = on_events.filter(pl.col("outlet").drop_nulls().n_unique().over("event_id") > 1)
    of_outlets = without_syndicated(sentences, articles)
    run = read_run(paths[0]).get("model", {})
    return Comparison(
        outlets=outlets.join(shrunken, on="outlet", how="left", nulls_equal=True, maintain_order="left"),
        overall=summarise_all(articles, voice=voice, level=level, threshold=threshold),
        pairs=compare_pairs(articles, voice=voice, level=level, min_articles=min_articles),
        variance={} if variance is None else asdict(variance),
        events=_shown_events(shared, sentences, why, voice),
        n_events=shared["event_id"].n_unique(),
        within_events=compare_within_events(shared, voice=voice, level=level),
        outlets_within_events=outlets_within_events(shared, voice=voice, level=level),
        standardised=standardise_topics(with_topics, voice=voice, level=level, min_articles=min_articles),
        words=own_words(of_outlets, articles, min_articles=min_articles),
        other_words=other_words(of_outlets, on_events),
        devices=compare_devices(
            articles,
            sentences if voice == "all" else of_outlets,
            voice=voice,
            level=level,
            min_articles=min_articles,
        ),
        sentences=_most_loaded(articles, of_outlets),
        timeline=follow_time(articles, voice=voice, level=level),
        corrected=None if gold is None else correct_by_gold(articles, sentences, gold, level=level),
        corrected_pairs=None if gold is None else corrected_differences(articles, sentences, gold, level=level),
        level=level,
        threshold=threshold,
        voice=voice,
        min_articles=min_articles,
        model={key: str(run.get(key, "unknown")) for key in ("name", "hash")},
        prevalence=run.get("prevalence"),
        base_rate=run.get("base_rate"),
        sources=[str(folder) for folder in paths],
    )


def claim_folder(folder: Path) -> None:
    """Make the folder of a comparison, or refuse one in which somebody else's tables would be written over.

    Raises
    ------
    OutputError
        If it holds a table of such a name and no comparison's page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = [f"{name}.csv" for name in TABLES if (folder / f"{name}.csv").exists()]
    if taken and not (folder / PAGE_FILE).exists():
        raise OutputError(
            f"{folder} holds {taken[0]}, which no comparison wrote.\nName another folder, or move it away."
        )


def write_tables(comparison: Comparison, folder: Path) -> list[Path]:
    """Write every table of a comparison as CSV (lists as JSON) into `folder`, each beside and renamed into place.

    A table that an earlier comparison left there and this one has not is removed: it would be taken for one of these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in TABLES:
        table: pl.DataFrame | None = getattr(comparison, name)
        file = folder / f"{name}.csv"
        if table is None:
            file.unlink(missing_ok=True)
            continue
        with written_whole(file) as beside:
            write_csv(_flat(table), beside)
        written.append(file)
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


def _most_loaded(articles: pl.DataFrame, sentences: pl.LazyFrame) -> pl.DataFrame:
    """The sentences to look through, the most loaded first."""
    known = articles.select("article_id", "outlet", "title", "date")
    inside = sentences.filter(
        pl.col("p_own") >= LEAST_LISTED, pl.col("article_id").is_in(known["article_id"].to_list())
    )
    kind = pl.element().struct.field("kind") if tells_kinds(sentences) else pl.lit(None, pl.String)
    told = ("text", "start", "end")
    own = pl.col("words").list.eval(
        pl.struct(*(pl.element().struct.field(name) for name in told), kind.alias("kind")).filter(
            ~pl.element().struct.field("in_quote")
        )
    )
    found = (
        inside.select("article_id", "sentence_id", "start", "text", "p_own", words=own)
        .top_k(SENTENCES_LISTED, by="p_own")
        .collect()
        .sort(["p_own", "article_id", "sentence_id"], descending=[True, False, False])
    )
    shifted = pl.struct("start", "words").map_elements(
        lambda row: [
            {**word, "start": word["start"] - row["start"], "end": word["end"] - row["start"]} for word in row["words"]
        ],
        return_dtype=found.schema["words"],
    )
    return (
        found.with_columns(words=shifted)
        .join(known, on="article_id", how="left", maintain_order="left")
        .select("outlet", "article_id", "sentence_id", "title", "date", "p_own", "text", "words")
    )


def _shown_events(
    shared: pl.DataFrame, sentences: pl.LazyFrame, why: pl.DataFrame, voice: CountedVoice
) -> pl.DataFrame:
    shared = shared.with_columns(loaded_share=pl.col(COUNTED[voice].share))
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
    return (
        shown.join(chosen.with_row_index("place"), on="event_id")
        .sort(["place", "loaded_share", "article_id"], descending=[False, True, False], nulls_last=True)
        .select("event_id", "article_id", "outlet", "title", "date", "loaded_share")
        .join(why, on="article_id", how="left", maintain_order="left")
        .join(top, on="article_id", how="left", maintain_order="left")
        .with_columns(pl.col("why").fill_null([]), pl.col("sentences").fill_null([]))
    )
