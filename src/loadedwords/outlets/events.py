"""Articles that report the same event, found by what they say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from loadedwords.errors import DataError
from loadedwords.outlets.tables import need_columns, reals, texts

DAYS = 4
THRESHOLD = 0.45
# An article is compared by its headline and the sentences that follow it; later ones are mostly background.
_LEAD_SENTENCES = 25
_WORD = r"[\p{L}\p{N}][\p{L}\p{N}'-]*"
# A word in more than this share of the articles, and in more than so many of them, tells nothing about any. Where articles
# are few and many of them report one event, its own names are in more than a tenth: up to so many articles it is half.
_COMMON_SHARE, _COMMON_COUNT = 0.1, 25
_HALF_UP_TO = 150
# Of all that an article could be grouped with, only so many of the most similar are looked at; and so many where they are
# at least half as similar as the nearest, as they are on an event that more outlets report.
_NEAREST, _NEAREST_ALIKE = 30, 150
# The search for these leaves out words of more articles than this: with it, work grows with the number of articles
# and not with its square.
_LONGEST_LIST = 150
_ROWS_AT_ONCE = 512
_PAIRS_AT_ONCE = 50_000
# How similar articles are in this corner of the news anyway is read from the neighbour of this rank: events of up to
# so many articles do not raise it. Where articles are too few to have that many, it is taken to be the usual one.
_BACKGROUND_RANK = 20
_USUAL_BACKGROUND = 0.10
# Pairs less likely than this count as wholly unlike.
_WEAKEST = 0.05
_WHY = 8
_NAME_BONUS = 0.5
# Of a pair of articles: square roots of cosines; the ratio of their weighted mean to that of either article's nearest
# neighbour, and its difference from that of either's background neighbour; days between them, 0 where unknown.
FEATURES = (
    "words", "word_pairs", "headline", "nearest_low", "nearest_high", "background_low", "background_high", "days", "same_day",
)  # fmt: skip
# A logistic regression on half of 934 known events, made by tests/benchmarks/events.py --fit.
_DATED = (-6.801, 0.0, 0.0, 0.0, 6.055, 4.872, 2.389, 0.0, -1.437, -0.156)
_UNDATED = (-11.814, 0.0, 2.851, 0.0, 4.068, 6.704, 8.355, 3.308, 0.0, 0.0)
_FOUND = {**texts("article_id", "event_id"), **reals("similarity"), "why": pl.List(pl.String)}


@dataclass(frozen=True)
class _Vectors:
    """Unit rows, one for each article: words and pairs of adjacent words of headline and lead, words of the headline."""

    words: sparse.csr_matrix
    word_pairs: sparse.csr_matrix
    headline: sparse.csr_matrix


@dataclass(frozen=True)
class _Candidates:
    """Pairs of articles by row, first < second; `features` has shape (n_pairs, len(FEATURES))."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    features: NDArray[np.float64]
    dated: NDArray[np.bool_]

    @property
    def probability(self) -> NDArray[np.float64]:
        """That each pair reports the same event."""
        with_one = np.column_stack([np.ones(len(self.first)), self.features])
        log_odds = np.where(self.dated, with_one @ np.array(_DATED), with_one @ np.array(_UNDATED))
        return np.asarray(expit(log_odds), dtype=np.float64)


def find_events(
    articles: pl.DataFrame, sentences: pl.LazyFrame, *, days: int = DAYS, threshold: float = THRESHOLD
) -> pl.DataFrame:
    """Group articles that report the same event.

    Articles at most `days` apart are compared with their most similar neighbours, by tf-idf vectors of words, of pairs
    of adjacent words, and of headlines (Salton & Buckley 1988). What a similarity is worth depends on how crowded the
    topic is, so it is read beside that of the nearest neighbour and of one far down the list (local scaling:
    Zelnik-Manor & Perona 2004). A logistic regression fitted on known events makes of it the probability that two
    articles report the same event, and average linkage (Sokal & Michener 1958) makes groups of the probabilities.
    An article without a date is compared with all others, by weights of its own, which ask for more.

    Parameters
    ----------
    articles : DataFrame
        With article_id, title (may be null) and date (`pl.Date`, may be null), as `load_articles` reads them.
    sentences : LazyFrame
        With article_id, sentence_id (counted from 0 in each article) and text, as `scan_sentences` reads them.
    days : int
        Furthest distance of two dated articles. The weights were fitted with the default.
    threshold : float
        Between 0 and 1: mean probability between two groups from which they become one. Higher makes fewer, surer and
        smaller groups.

    Returns
    -------
    DataFrame
        One row for every article in a group of at least two, sorted by event_id and article_id: article_id; event_id,
        which depends on the group's members only; similarity, the probability (0 to 1) that it reports the same event
        as its nearest member; why, up to eight names and rare words that most of the group share, most telling first.
        The order of the input changes nothing. Other articles do: they say what is rare, and what is near.

    Raises
    ------
    DataError
        If a column is missing, an article_id occurs twice, dates are not dates, or a setting is out of range.

    Examples
    --------
    >>> articles = pl.DataFrame({"article_id": ["a", "b"], "title": ["Ferry sinks off Zorvia"] * 2, "date": [None] * 2})
    >>> text = ["A ferry, the Amalthea, sank off Zorvia, the coastguard said."] * 2
    >>> sentences = pl.LazyFrame({"article_id": ["a", "b"], "sentence_id": [0, 0], "text": text})
    >>> find_events(articles, sentences)["why"][0].to_list()[:2]
    ['Amalthea', 'Zorvia']
    """
    if not 0 < threshold <= 1:
        raise DataError(f"threshold is {threshold}; it lies above 0 and up to 1, such as {THRESHOLD}.")
    articles = _checked(articles, days)
    tokens = _tokens(articles, sentences)
    candidates = _candidates(tokens, articles, days)
    group = _groups(articles.height, candidates, threshold)
    nearest = np.zeros(articles.height)
    inside = (group[candidates.first] >= 0) & (group[candidates.first] == group[candidates.second])
    for one in (candidates.first, candidates.second):
        np.maximum.at(nearest, one[inside], candidates.probability[inside])
    ids = pl.col("article_id").sort().str.join("\n")
    return (
        articles.select("article_id", similarity=pl.Series(nearest), group=pl.Series(group))
        .filter(pl.col("group") >= 0)
        .with_columns(event_id=ids.map_elements(_event_id, return_dtype=pl.String).over("group"))
        .join(_why(tokens, group), on="group", how="left")
        .with_columns(pl.col("why").fill_null([]))
        .select(list(_FOUND))
        .sort("event_id", "article_id")
    )


def _checked(articles: pl.DataFrame, days: int) -> pl.DataFrame:
    """The columns that are needed, in an order of their own."""
    if days < 0:
        raise DataError(f"days is {days}; it can't be negative. Pass 0 for articles of the same day only.")
    need_columns(articles.columns, {"article_id", "title", "date"}, "The table of scores")
    if articles["date"].dtype not in (pl.Date, pl.Null):
        raise DataError(
            f"The column date of the table of scores holds {articles['date'].dtype}, not dates.\n"
            "Read the table with load_articles, or cast the column to pl.Date."
        )
    if articles["article_id"].n_unique() < articles.height:
        twice = articles.filter(pl.col("article_id").is_duplicated())["article_id"].sort()[0]
        raise DataError(
            f"The article {twice} is in the table of scores more than once.\nKeep one row for each article_id."
        )
    return articles.select("article_id", "title", pl.col("date").cast(pl.Date)).sort("article_id")


def _event_id(members: str) -> str:
    return "found-" + hashlib.blake2b(members.encode(), digest_size=6).hexdigest()


def _tokens(articles: pl.DataFrame, sentences: pl.LazyFrame) -> pl.DataFrame:
    """Words in order: article (its row), sentence (-1: the headline), word, code (of the lower-cased word), is_name.

    Words are kept as numbers: there are a hundred times as many of them as different ones.
    """
    rows = articles.select("article_id", article=pl.int_range(pl.len(), dtype=pl.UInt32))
    headlines = articles.select(
        article=pl.int_range(pl.len(), dtype=pl.UInt32),
        sentence=pl.lit(-1, dtype=pl.Int8),
        text=pl.col("title").cast(pl.String).fill_null(""),
    )
    leads = (
        sentences.filter(pl.col("sentence_id") < _LEAD_SENTENCES)
        .select("article_id", "sentence_id", "text")
        .join(rows.lazy(), on="article_id")
        .select("article", sentence=pl.col("sentence_id").cast(pl.Int8), text="text")
    )
    tokens = (
        pl.concat([headlines.lazy(), leads])
        .sort("article", "sentence")
        .select("article", "sentence", word=pl.col("text").str.replace_all("’", "'").str.extract_all(_WORD))
        .explode("word")
        .drop_nulls("word")
        .with_columns(pl.col("word").str.strip_suffix("'s"))
        .collect()
    )
    words = tokens["word"].unique().sort()
    tokens = tokens.with_columns(pl.col("word").cast(pl.Enum(words)))
    codes, capital = words.str.to_lowercase().rank("dense") - 1, words.str.contains(r"^\p{Lu}")
    number = tokens["word"].to_physical()
    return tokens.with_columns(
        code=codes.gather(number).cast(pl.UInt32),
        # A capital says nothing in a headline, or where a sentence starts.
        is_name=capital.gather(number) & (pl.col("sentence") >= 0) & _same_sentence(1),
    )


def _same_sentence(shift: int) -> pl.Expr:
    """Whether the row `shift` places before is of the same sentence."""
    return (pl.col("article") == pl.col("article").shift(shift)) & (
        pl.col("sentence") == pl.col("sentence").shift(shift)
    )


def _vectors(tokens: pl.DataFrame, n_articles: int) -> _Vectors:
    code = pl.col("code").cast(pl.UInt64)
    pairs = tokens.select("article", term=pl.when(_same_sentence(-1)).then(code * 2**32 + code.shift(-1)))
    words = tokens.select("article", "sentence", term=code)
    return _Vectors(
        words=_tf_idf(words.select("article", "term"), n_articles),
        word_pairs=_tf_idf(pairs.drop_nulls("term"), n_articles),
        headline=_tf_idf(words.filter(pl.col("sentence") == -1).select("article", "term"), n_articles),
    )


def _tf_idf(terms: pl.DataFrame, n_articles: int) -> sparse.csr_matrix:
    """Rows of length one; terms of a single article count towards the length and are left out, for they match nothing."""
    different, columns = np.unique(terms["term"].to_numpy(), return_inverse=True)
    counts = sparse.csr_matrix(  # which adds up what stands in one place
        (np.ones(len(columns), dtype=np.float32), (terms["article"].to_numpy(), columns)),
        shape=(n_articles, len(different)),
    )
    n_with = np.bincount(counts.indices, minlength=len(different))
    common = _most_common(n_articles)
    idf = np.where(n_with <= common, np.log((1 + n_articles) / np.maximum(n_with, 1)), 0).astype(np.float32)
    counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    scaled = sparse.diags(1 / np.maximum(lengths, 1e-9), dtype=np.float32) @ counts
    return scaled[:, (n_with > 1) & (n_with <= common)]


def _most_common(n_articles: int) -> float:
    """How many of the articles may have a word that tells something about them."""
    return max(_COMMON_SHARE * n_articles, _COMMON_COUNT, min(n_articles / 2, _HALF_UP_TO))


def _candidates(tokens: pl.DataFrame, articles: pl.DataFrame, days: int) -> _Candidates:
    vectors = _vectors(tokens, articles.height)
    dates = articles["date"].cast(pl.Int32).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    first, second = _nearest_pairs(vectors, dates, days)
    words, word_pairs, headline = (
        _root_cosines(matrix, first, second) for matrix in (vectors.words, vectors.word_pairs, vectors.headline)
    )
    overall = 0.4 * words + 0.4 * word_pairs + 0.2 * headline
    nearest, background = _neighbours(first, second, overall, articles.height)
    ratios = overall[:, None] / np.maximum(np.column_stack([nearest[first], nearest[second]]), 1e-9)
    above = overall[:, None] - np.column_stack([background[first], background[second]])
    gap = np.abs(dates[first] - dates[second])
    dated = ~np.isnan(gap)
    columns = [
        words,
        word_pairs,
        headline,
        ratios.min(axis=1),
        ratios.max(axis=1),
        above.min(axis=1),
        above.max(axis=1),
    ]
    return _Candidates(first, second, np.column_stack([*columns, np.where(dated, gap, 0), gap == 0]), dated)


def _nearest_pairs(
    vectors: _Vectors, dates: NDArray[np.float64], days: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of an article and one of the most similar ones at most `days` away; an unknown date may be any.

    Blocks of articles in order of date are multiplied with the articles of their window only, and among these through
    words that few of them share.
    """
    terms = sparse.hstack([vectors.words, vectors.word_pairs], format="csr")
    order = np.argsort(np.where(np.isnan(dates), np.inf, dates), kind="stable")
    n_dated = int((~np.isnan(dates)).sum())
    days_in_order, undated = dates[order[:n_dated]], order[n_dated:]
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in (*range(0, n_dated, _ROWS_AT_ONCE), *range(n_dated, len(order), _ROWS_AT_ONCE)):
        if start < n_dated:
            rows = order[start : min(start + _ROWS_AT_ONCE, n_dated)]
            low = np.searchsorted(days_in_order, dates[rows[0]] - days)
            high = np.searchsorted(days_in_order, dates[rows[-1]] + days, side="right")
            pool = np.concatenate([order[low:high], undated])
        else:
            rows, pool = order[start : start + _ROWS_AT_ONCE], order
        in_pool = terms[pool]
        n_with = np.bincount(in_pool.indices, minlength=terms.shape[1])
        rare = sparse.diags((n_with <= _LONGEST_LIST).astype(np.float32), format="csr")
        product = ((terms[rows] @ rare) @ in_pool.T.tocsr()).tocsr()
        of = np.repeat(rows, np.diff(product.indptr))
        others = pool[product.indices]
        usable = (others != of) & ~(np.abs(dates[others] - dates[of]) > days)
        # Rounded, because the order of a sum, and with it its last digits, depends on the block.
        of, others, values = of[usable], others[usable], product.data[usable].round(5)
        ends = np.flatnonzero(np.diff(of, prepend=-1, append=-1))
        for first, end in pairwise(ends.tolist()):
            least = np.partition(values[first:end], -_NEAREST)[-_NEAREST] if end - first > _NEAREST else 0.0
            alike = values[first:end].max() / 2
            near = first + np.flatnonzero(values[first:end] >= min(least, alike))
            n_alike = min(_NEAREST_ALIKE, int((values[near] >= alike).sum()))
            best = near[np.lexsort((others[near], -values[near]))[: max(_NEAREST, n_alike)]]
            found.append(np.column_stack([of[best], others[best]]))
    pairs = np.unique(np.sort(np.concatenate(found), axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _root_cosines(
    matrix: sparse.csr_matrix, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The square root evens out cosines of sparse vectors, which crowd near 0."""
    cosines = np.empty(len(first))
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        cosines[part] = np.asarray(matrix[first[part]].multiply(matrix[second[part]]).sum(axis=1)).ravel()
    return np.sqrt(np.clip(cosines, 0, 1))


def _neighbours(
    first: NDArray[np.int64], second: NDArray[np.int64], similarity: NDArray[np.float64], n_articles: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each article, the similarity of its nearest and of its background neighbour."""
    articles, values = np.concatenate([first, second]), np.concatenate([similarity, similarity])
    order = np.lexsort((-values, articles))
    articles, values = articles[order], values[order]
    starts = np.searchsorted(articles, np.arange(n_articles))
    n_neighbours = np.searchsorted(articles, np.arange(n_articles), side="right") - starts
    nearest, background = np.zeros(n_articles), np.full(n_articles, _USUAL_BACKGROUND)
    for ranked, rank in ((nearest, 1), (background, _BACKGROUND_RANK)):
        enough = n_neighbours >= rank
        ranked[enough] = values[starts[enough] + rank - 1]
    return nearest, background


def _groups(n_articles: int, candidates: _Candidates, threshold: float) -> NDArray[np.int64]:
    """The group of each article, -1 where it is alone: average linkage, where a pair that was not looked at counts 0."""
    probability = np.where(candidates.probability >= _WEAKEST, candidates.probability, 0.0)
    pairs = sparse.coo_array(
        (probability, (candidates.first, candidates.second)), shape=(n_articles, n_articles)
    ).tocsr()
    # Two groups become one only if some pair between them reaches the threshold: each part of that graph is by itself.
    _, part = connected_components(pairs >= threshold, directed=False)
    group = np.full(n_articles, -1)
    of_part = np.argsort(part, kind="stable")
    n_groups = 0
    for members in np.split(of_part, np.cumsum(np.bincount(part))[:-1]):
        if len(members) < 2:
            continue
        alike = pairs[members][:, members].toarray()
        apart = 1 - (alike + alike.T)[np.triu_indices(len(members), k=1)]
        found = fcluster(linkage(apart, "average"), 1 - threshold, "distance")
        together = np.bincount(found)[found] > 1
        group[members[together]] = n_groups + found[together]
        n_groups += int(found.max())
    return group


def _why(tokens: pl.DataFrame, group: NDArray[np.int64]) -> pl.DataFrame:
    """Of each group, what most of its members say and few other articles do, as it is usually written."""
    n_articles = len(group)
    common = _most_common(n_articles)
    n_with = tokens.group_by("code").agg(n_with=pl.col("article").n_unique())
    grouped = tokens.with_columns(group=pl.Series(group).gather(tokens["article"])).filter(pl.col("group") >= 0)
    size = grouped.group_by("group").agg(size=pl.col("article").n_unique())
    rarity = ((1 + n_articles) / pl.col("n_with")).log()
    return (
        grouped.group_by("group", "code")
        .agg(
            n=pl.col("article").n_unique(),
            is_name=pl.col("is_name").any(),
            why=pl.col("word").cast(pl.String).mode().sort().first(),
        )
        .join(size, on="group")
        .join(n_with, on="code")
        .filter(pl.col("n") > 1, 2 * pl.col("n") > pl.col("size"), pl.col("n_with") <= common)
        .with_columns(telling=(rarity * pl.col("n") / pl.col("size") * (1 + _NAME_BONUS * pl.col("is_name"))).round(6))
        .sort(["group", "telling", "code"], descending=[False, True, False])  # codes are in alphabetical order
        .group_by("group", maintain_order=True)
        .agg(pl.col("why").head(_WHY))
    )
