"""Article scores → outlet estimates, each with an interval that takes articles (or events, where known) for the unit."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.outlets.counted import (
    COUNTED,
    check_asked,
    clusters_of,
    share_columns,
    sum_by_cluster,
    with_sentences,
)
from loadedwords.outlets.intervals import interval_of_sums, nothing_found, wilson
from loadedwords.outlets.tables import APART, Scores, counts, load_articles, reals, texts
from loadedwords.schema import CountedVoice, Interval

# Below this many articles no cluster interval can be relied on (Cameron, Gelbach & Miller 2008).
FEW_ARTICLES = 10
# An article counts as loaded from this share on, where the user names no other: in ordinary news about one in ten.
THRESHOLD = 0.3
_SCHEMA = {
    **texts("outlet"),
    **counts("n_articles", "n_own"),
    **reals("loaded_share", "ci_low", "ci_high"),
    **counts("n_words"),
    **reals("loaded_words_per_1000", "words_ci_low", "words_ci_high"),
    **texts("note", "voice"),
    **counts("n_sentences"),
    **reals("loaded_share_all", "all_ci_low", "all_ci_high"),
    **counts("n_clusters"),
    **reals("share_above", "above_ci_low", "above_ci_high"),
}
# What stands beside an outlet's own figures: how much is somebody else's and left out of them, and what it has twice.
_SCHEMA |= counts("n_syndicated_articles", "n_syndicated", "n_copies") | reals("loaded_share_syndicated")
for _part in APART:
    _SCHEMA |= counts(f"n_{_part}s") | reals(f"{_part}_loaded_share", f"{_part}_ci_low", f"{_part}_ci_high")


def compare_outlets(
    scores: Scores, *, voice: CountedVoice = "own", level: float = 0.95, threshold: float = THRESHOLD
) -> pl.DataFrame:
    """Compare outlets by how loaded their own words are.

    Parameters
    ----------
    scores : str, Path, table, ScoredArticle, iterable of them, or several folders
        A folder written by ``loadedwords score``; its articles table, of polars, pandas or pyarrow; or scored articles.
    voice : {"own", "quoted", "all"}
        Whose words count: what the outlet says itself (the mean `p_own` of its sentences), the sentences in which it
        quotes somebody, or all sentences, whoever speaks (the mean `p_loaded`).
    level : float
        Nominal coverage of the intervals.
    threshold : float
        The loaded share from which an article counts as loaded in `share_above`.

    Returns
    -------
    polars.DataFrame
        One row for each outlet, the most loaded first: outlet, n_articles (with at least one sentence that counts),
        n_own (own-voice sentences), loaded_share (mean score of the sentences that count), ci_low, ci_high, n_words
        (that count), loaded_words_per_1000, words_ci_low, words_ci_high, note, voice, n_sentences (that count), and
        beside them loaded_share_all, all_ci_low, all_ci_high: the share of all sentences of these articles, whoever
        speaks. Then n_clusters (the units: articles, those of one event together), share_above (share of
        articles at or above `threshold`), above_ci_low, above_ci_high (Wilson 1927, where no two articles are of one
        cluster). The other intervals are those of
        `intervals.interval_of_sums`, null for an outlet with one article; the note says where articles, or the events they are on, are fewer than
        `FEW_ARTICLES`, which is too few to rely on any interval. Where nothing loaded was found there is nothing to
        leave out, and the upper end is the exact binomial one (Clopper and Pearson 1934) for the number of sentences,
        made smaller by how alike an article's sentences are (Kish 1965). Then what stands beside the outlet's own:
        n_syndicated_articles and n_syndicated (articles and sentences left out, wholly or in part, as the work of agencies or
        other publications), n_copies (articles whose text an earlier one of the outlet has word for word; each counts) and
        loaded_share_syndicated (mean `p_loaded` of what was left out). Last n_titles, title_loaded_share, title_ci_low,
        title_ci_high, and the same of standfirsts: the mean of what the outlet's titles say in its own voice, whatever
        `voice` is; each article's title counts once.

    Raises
    ------
    DataError
        If the folder holds no scores, or the table lacks a column.

    Examples
    --------
    >>> import loadedwords
    >>> texts = [{"text": "The puppet regime sneered.", "outlet": "A"}, {"text": "The council met.", "outlet": "B"}]
    >>> compare_outlets(loadedwords.score_articles(texts))["outlet"].to_list()
    ['A', 'B']
    """
    check_asked(voice, level)
    rows = []
    for (outlet,), group in load_articles(scores).group_by(["outlet"], maintain_order=True):
        if (counted := with_sentences(group, voice)).height:
            rows.append({"outlet": outlet, **_figures(counted, voice, level, threshold)})
            rows[-1] |= _beside(group)
            for part in APART:
                rows[-1] |= _figures_apart(group, part, level)
    return pl.DataFrame(rows, schema=_SCHEMA).sort(["loaded_share", "outlet"], descending=[True, False])


def summarise_all(
    scores: Scores, *, voice: CountedVoice = "own", level: float = 0.95, threshold: float = THRESHOLD
) -> pl.DataFrame:
    """The same figures for all articles together, as one row: what any outlet is to be held against."""
    articles = load_articles(scores)
    together = articles.with_columns(outlet=pl.lit("all outlets"))
    found = compare_outlets(together, voice=voice, level=level, threshold=threshold)
    # Two outlets with the same agency's text have no copies of their own.
    return found.with_columns(n_copies=pl.lit(_n_copies(articles), pl.Int64))


def well_covered(outlets: pl.DataFrame) -> pl.DataFrame:
    """The outlets with enough articles for their intervals to be relied on; all of them where there is none."""
    covered = outlets.filter(pl.col("note") == "")
    return covered if covered.height else outlets


def _figures(group: pl.DataFrame, voice: CountedVoice, level: float, threshold: float) -> dict[str, object]:
    counted = COUNTED[voice]
    loaded_words, words = (
        np.sum([group[name].to_numpy().astype(float) for name in names], axis=0)
        for names in (counted.loaded_words, counted.words)
    )
    is_above = group[counted.share].fill_null(0.0).to_numpy() >= threshold
    columns = [*share_columns(group, voice), loaded_words, words, *share_columns(group, "all"), is_above]
    sums = sum_by_cluster(np.column_stack([*columns, np.ones(group.height)]), clusters_of(group))
    score, sentences, loaded_words, words, score_all, sentences_all, above, articles = sums.T
    share = _share(score, sentences, level)
    rate = interval_of_sums(loaded_words, words, level)
    if rate.estimate == 0:
        rate = nothing_found(sentences, words.sum(), level)
    return {
        "n_articles": group.height,
        "n_own": int(group["n_own"].sum()),
        **_named(share, "loaded_share", "ci_low", "ci_high"),
        "n_words": int(words.sum()),
        **_named(rate, "loaded_words_per_1000", "words_ci_low", "words_ci_high", times=1000),
        "note": _note(group.height, len(sums)),
        "voice": voice,
        "n_sentences": int(sentences.sum()),
        **_named(interval_of_sums(score_all, sentences_all, level), "loaded_share_all", "all_ci_low", "all_ci_high"),
        "n_clusters": len(sums),
        **_named(_share_of_articles(above, articles, level), "share_above", "above_ci_low", "above_ci_high"),
    }


def _note(n_articles: int, n_clusters: int) -> str:
    """Why an outlet's intervals can't be relied on; empty where they can."""
    if n_clusters >= FEW_ARTICLES:
        return ""
    if n_clusters == 1:
        return "one article" if n_articles == 1 else "one event"
    return "few articles" if n_articles < FEW_ARTICLES else "few events"


def _share_of_articles(chosen: NDArray[np.float64], articles: NDArray[np.float64], level: float) -> Interval:
    """Wilson's interval where each article stands alone; of clusters, where some are chosen and some not, that of sums."""
    share = float(chosen.sum() / articles.sum())
    if (articles == 1).all() or not 0 < share < 1:
        return wilson(share, len(articles), level)
    return interval_of_sums(chosen, articles, level)


def share_of(group: pl.DataFrame, voice: CountedVoice, level: float) -> Interval:
    """An outlet's loaded share alone, as `compare_outlets` has it."""
    score, sentences = sum_by_cluster(np.column_stack(share_columns(group, voice)), clusters_of(group)).T
    return _share(score, sentences, level)


def _share(score: NDArray[np.float64], sentences: NDArray[np.float64], level: float) -> Interval:
    share = interval_of_sums(score, sentences, level)
    return share if share.estimate else nothing_found(sentences, sentences.sum(), level)


def _beside(articles: pl.DataFrame) -> dict[str, float | int | None]:
    """What is left out of an outlet's figures, and what it published more than once."""
    left_out = articles.filter(pl.col("n_syndicated") > 0)
    found: dict[str, float | int | None] = {
        "n_syndicated_articles": left_out.height,
        "n_syndicated": int(left_out["n_syndicated"].sum()),
        "n_copies": _n_copies(articles),
    }
    if left_out.height:
        weighted = left_out["loaded_share_syndicated"] * left_out["n_syndicated"]
        found["loaded_share_syndicated"] = float(weighted.sum()) / int(left_out["n_syndicated"].sum())
    return found


def _n_copies(articles: pl.DataFrame) -> int:
    if "text_digest" not in articles.columns:
        return 0
    texts_of = articles.select("outlet", "text_digest").drop_nulls("text_digest")
    return texts_of.height - texts_of.unique().height


def _figures_apart(articles: pl.DataFrame, part: str, level: float) -> dict[str, float | None]:
    """The mean score of an outlet's titles or standfirsts, and how many there are."""
    share = f"{part}_p_own"
    scored = articles.filter(pl.col(share).is_not_null()) if share in articles.columns else articles.clear()
    if not scored.height:
        return {f"n_{part}s": 0}
    sums = sum_by_cluster(np.column_stack([scored[share].to_numpy(), np.ones(scored.height)]), clusters_of(scored))
    found = interval_of_sums(sums[:, 0], sums[:, 1], level)
    return {f"n_{part}s": scored.height, **_named(found, f"{part}_loaded_share", f"{part}_ci_low", f"{part}_ci_high")}


def _named(found: Interval, estimate: str, low: str, high: str, *, times: int = 1) -> dict[str, float | None]:
    ends = {estimate: found.estimate, low: found.low, high: found.high}
    return {name: None if end is None else times * end for name, end in ends.items()}
