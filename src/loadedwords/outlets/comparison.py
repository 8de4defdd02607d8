"""One comparison of outlets from end to end: everything the page, the tables and the terminal show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args

import polars as pl

from loadedwords.errors import DataError, OutputError
from loadedwords.files import as_paths, written_whole
from loadedwords.outlets.aliases import apply_aliases
from loadedwords.outlets.correction import correct_by_gold
from loadedwords.outlets.counted import check_asked, without_syndicated
from loadedwords.outlets.devices import compare_devices
from loadedwords.outlets.differences import compare_pairs
from loadedwords.outlets.estimates import FEW_ARTICLES, THRESHOLD, compare_outlets, summarise_all
from loadedwords.outlets.events import find_events
from loadedwords.outlets.hand_labels import Agreement, label_agreement
from loadedwords.outlets.methods import methods
from loadedwords.outlets.other_words import other_words
from loadedwords.outlets.own_words import own_words
from loadedwords.outlets.shown import most_loaded, shown_events
from loadedwords.outlets.shrinkage import shrink, split_variance
from loadedwords.outlets.spreadsheet import write_csv
from loadedwords.outlets.summary import summarise
from loadedwords.outlets.tables import TABLES, damage_told, load_articles, read_run, scan_sentences
from loadedwords.outlets.timeline import dated, follow_time
from loadedwords.outlets.topics import Standardised, find_topics, standardise_topics
from loadedwords.outlets.within_events import compare_within_events, outlets_within_events
from loadedwords.schema import CountedVoice

PAGE_FILE = "comparison.html"  # beside the tables; written first, it says whose they are

# Where events and topics are taken from.
GroupSource = Literal["auto", "column", "find", "none"]


class _By(TypedDict):
    """What all figures are made by."""

    voice: CountedVoice
    level: float


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
    standardised : Standardised or None
        The same topics for all outlets; its `outlets` are `topics`.
    words, other_words : DataFrame
        Each outlet's own words, and what outlets call the same thing.
    devices : DataFrame or None
        Kinds of loaded words per outlet, as `devices.compare_devices` gives them; None where the model told no kinds.
    sentences : DataFrame
        The most loaded sentences in the outlets' own voice, `shown.SENTENCES_LISTED` at most: outlet, article_id, sentence_id,
        title, date, p_own, text, words (a list of {text, start, end, kind}, offsets into `text`, quoted words left out).
    timeline : DataFrame
        outlet, period (its first day), n_articles, loaded_share, ci_low, ci_high.
    n_off_timeline : int
        Articles with a date so far from all others that the timeline leaves them out.
    corrected, corrected_pairs : DataFrame or None
        Estimates and differences corrected by hand labels, where there are any.
    agreement : Agreement or None
        How far those agree who labelled the same sentences.
    level, threshold : float
    voice : str
    min_articles : int
    sources : list of str
        The folders.
    runs : list of dict
        What ``run.json`` says of each.
    uncounted : tuple of str
        Outlets of which no sentence counts, such as those that only quote.
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
    agreement: Agreement | None
    level: float
    threshold: float
    voice: CountedVoice
    min_articles: int
    sources: list[str]
    runs: list[dict[str, Any]]
    uncounted: tuple[str, ...] = ()
    n_off_timeline: int = 0

    @property
    def model(self) -> dict[str, str]:
        """Its name and hash."""
        return {key: str(self._scored_by.get(key, "unknown")) for key in ("name", "hash")}

    @property
    def prevalence(self) -> float | None:
        """The share of loaded sentences that the scores were moved to, where the run was told one."""
        return self._scored_by.get("prevalence")

    @property
    def base_rate(self) -> float | None:
        """The share that the scores suppose; a mean of them depends on it, and so may the order of outlets."""
        return self._scored_by.get("base_rate")

    @property
    def _scored_by(self) -> dict[str, Any]:
        found: dict[str, Any] = self.runs[0].get("model", {})  # runs by different models are not compared
        return found

    @property
    def governing_pairs(self) -> pl.DataFrame:
        """The differences that are declared: once there are labels, those corrected by them and no others."""
        return self.pairs if self.corrected_pairs is None else self.corrected_pairs

    @property
    def topics(self) -> pl.DataFrame | None:
        return None if self.standardised is None else self.standardised.outlets

    @property
    def says(self) -> tuple[str, ...]:
        """What these figures allow to be said."""
        return self._summary[0]

    @property
    def cannot_say(self) -> tuple[str, ...]:
        """What they don't."""
        return self._summary[1]

    @cached_property
    def _summary(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return summarise(self)

    @cached_property
    def methods(self) -> tuple[str, tuple[str, ...]]:
        """How it was done, as a paragraph for a paper, and its references."""
        return methods(self)


@damage_told()
def compare_scores(
    folders: str | Path | Sequence[str | Path],
    *,
    voice: CountedVoice = "own",
    level: float = 0.95,
    threshold: float = THRESHOLD,
    min_articles: int = FEW_ARTICLES,
    aliases: Mapping[str, str | None] | None = None,
    events: GroupSource = "auto",
    topics: GroupSource = "auto",
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
    threshold : float
        The loaded share from which an article counts as loaded.
    min_articles : int
        Outlets with fewer take no part in the comparison of pairs, topics and words.
    aliases : mapping of str to str, optional
        Names → outlets, as `loadedwords.outlets.aliases.read_aliases` gives them; one without an outlet stays as it is.
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
        If a folder holds no scores, folders can't be compared, a setting is none of those above, an asked-for column is
        empty, no label is of these articles, or labels are to correct another voice than the outlets' own, of which
        they are.
    """
    check_asked(voice, level)
    _check_given(aliases, gold, events=events, topics=topics)
    paths = as_paths(folders)
    if not paths:
        raise DataError("There is no folder to compare.\nPass one or more written by loadedwords score.")
    outlet_of = {name: outlet for name, outlet in (aliases or {}).items() if outlet}  # as an empty cell in a file
    articles = apply_aliases(load_articles(paths), outlet_of)
    if gold is not None:
        if voice != "own":
            raise DataError(
                f"Labels are of sentences in the outlets' own voice, and can't correct the voice {voice!r}.\nLeave one out."
            )
        _refuse_others_labels(gold, articles, tell)
    sentences = scan_sentences(paths)
    if strange := sorted(set(outlet_of) - set(articles["outlet_as_found"].to_list())):
        tell(f"{len(strange):,} names of the alias table are of no article here, such as {strange[0]!r}")
    tell(f"{articles.height:,} articles of {articles['outlet'].n_unique():,} outlets")
    articles = _grouped(articles, "event_id", events, lambda: find_events(articles, sentences), tell)
    with_topics = _grouped(articles, "topic", topics, lambda: find_topics(articles, sentences), tell)

    tell("estimates, differences, the same events, words" + (", correction by hand labels" if gold is not None else ""))
    by = _By(voice=voice, level=level)
    variance = split_variance(articles, **by)
    corrected = None if gold is None else correct_by_gold(articles, sentences, gold, level=level)
    on_events = articles.filter(pl.col("event_id").is_not_null())
    # Who published an article without an outlet isn't known: it makes no second one.
    shared = on_events.filter(pl.col("outlet").drop_nulls().n_unique().over("event_id") > 1)
    of_outlets = without_syndicated(sentences, articles)
    spoken = sentences if voice == "all" else of_outlets
    outlets = compare_outlets(articles, **by, threshold=threshold)
    timeline = follow_time(articles, **by)
    return Comparison(
        outlets=outlets.join(shrink(articles, **by), on="outlet", how="left", nulls_equal=True, maintain_order="left"),
        overall=summarise_all(articles, **by, threshold=threshold),
        pairs=compare_pairs(articles, **by, min_articles=min_articles),
        variance={} if variance is None else asdict(variance),
        events=shown_events(shared, sentences, voice),
        n_events=shared["event_id"].n_unique(),
        within_events=compare_within_events(shared, **by),
        outlets_within_events=outlets_within_events(shared, **by),
        standardised=standardise_topics(with_topics, **by, min_articles=min_articles),
        words=own_words(of_outlets, articles, level=level, min_articles=min_articles),
        other_words=other_words(of_outlets, on_events),
        devices=compare_devices(articles, spoken, **by, min_articles=min_articles),
        sentences=most_loaded(articles, of_outlets),
        timeline=timeline,
        corrected=None if corrected is None else corrected.shares,
        corrected_pairs=None if corrected is None else corrected.pairs,
        agreement=None if gold is None else label_agreement(gold),
        level=level,
        threshold=threshold,
        voice=voice,
        min_articles=min_articles,
        sources=[str(folder) for folder in paths],
        runs=[read_run(folder) for folder in paths],
        uncounted=tuple(sorted(set(articles["outlet"].drop_nulls()) - set(outlets["outlet"].drop_nulls()))),
        n_off_timeline=dated(articles, voice).height - int(timeline["n_articles"].sum()),
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


def _check_given(aliases: object, gold: object, **groups: str) -> None:
    """Refuse what is not of the kind that `compare_scores` takes, before anything is read."""
    for name, source in groups.items():
        if source not in (known := get_args(GroupSource)):
            raise DataError(f"{name} is {source!r}; it is one of {', '.join(known)}.")
    if aliases is not None and not isinstance(aliases, Mapping):
        raise DataError(f"aliases is {_shown(aliases)}, not names with their outlets.\nPass read_aliases(file).")
    if gold is not None:
        if not isinstance(gold, pl.DataFrame):
            raise DataError(f"gold is {_shown(gold)}, not a table of labels.\nPass read_gold(file).")
        if lacks := {"article_id", "sentence_id", "p_own", "stratum", "probability", "label", "labels"} - set(
            gold.columns
        ):
            raise DataError(f"gold lacks {', '.join(sorted(lacks))}.\nPass the labels as read_gold(file) gives them.")


def _shown(thing: object) -> str:
    return repr(str(thing)) if isinstance(thing, (str, Path)) else f"of the type {type(thing).__name__}"


def _refuse_others_labels(gold: pl.DataFrame, articles: pl.DataFrame, tell: Callable[[str], None]) -> None:
    here = gold.filter(pl.col("article_id").is_in(articles["article_id"].to_list()))
    if not here["label"].is_not_null().any():
        raise DataError(
            f"None of the {gold['label'].count():,} labels is of a sentence in these articles.\n"
            "Pass the folders that the sample was drawn from; a spreadsheet may have changed the ids."
        )
    if elsewhere := gold["label"].count() - here["label"].count():
        tell(
            f"{elsewhere:,} of the {gold['label'].count():,} labels are of articles that are not here: they are left aside"
        )


def _grouped(
    articles: pl.DataFrame,
    column: str,
    source: GroupSource,
    find: Callable[[], pl.DataFrame],
    tell: Callable[[str], None],
) -> pl.DataFrame:
    """The articles with the events or topics that were asked for, and what else `find` says of them."""
    name = column.removesuffix("_id")
    given = column in articles.columns and articles[column].is_not_null().any()
    if source == "column" and not given:
        raise DataError(
            f"The scores name no {name}.\nScore with --{name}-column, or let {name}s be found: --{name}s find."
        )
    if source == "none":
        return articles.with_columns(pl.lit(None, pl.String).alias(column))
    if source != "find" and given:
        return articles
    tell(f"finding {name}s")
    return articles.drop(column, strict=False).join(find(), on="article_id", how="left", maintain_order="left")
