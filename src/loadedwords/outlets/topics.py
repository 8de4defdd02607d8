"""Topic held equal: outlets as they would be if each covered the same mix of topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import stdtrit

from loadedwords.outlets.counted import clusters_of, numbered, share_columns, sum_by_cluster, with_sentences
from loadedwords.outlets.estimates import FEW_ARTICLES
from loadedwords.outlets.intervals import Numbers, within_a_share
from loadedwords.outlets.tables import counts, reals, texts
from loadedwords.schema import CountedVoice

N_TOPICS = 20
# Topics with fewer articles are held together: an effect can't be told from five of them.
MIN_ARTICLES_PER_TOPIC = 20
_LEAD_SENTENCES = 8
_WORDS_IN_NAME = 3

TOPICS_SCHEMA = {
    **texts("outlet"),
    **counts("n_articles"),
    **reals("raw_share", "standardised_share", "ci_low", "ci_high"),
    **counts("rank", "rank_standardised"),
    **reals("coverage"),
}


@dataclass(frozen=True)
class Standardised:
    """Outlets on a common mix of topics, and how far that moves them.

    Attributes
    ----------
    outlets : DataFrame
        outlet, n_articles, raw_share, standardised_share, ci_low, ci_high, rank, rank_standardised (1 is the most
        loaded), coverage (share of the common mix in topics that the outlet has an article on).
    left_out : tuple of str
        Outlets with no row, because added effects put their share below 0 or above 1: there topics do not move all alike.
    n_topics, n_articles : int
    kendall_tau : float
        Agreement of the two rankings, 1 where none moves (Kendall 1938).
    mean_move : float
        Mean number of ranks that an outlet moves.
    variance_explained : float
        Share of the variance of articles' shares within outlets that topics account for, less what as many topics at
        random would (adjusted R², Theil 1961).
    """

    outlets: pl.DataFrame
    left_out: tuple[str, ...]
    n_topics: int
    n_articles: int
    kendall_tau: float
    mean_move: float
    variance_explained: float


def standardise_topics(
    articles: pl.DataFrame, *, voice: CountedVoice = "own", level: float = 0.95, min_articles: int = FEW_ARTICLES
) -> Standardised | None:
    """Outlets as if each had the mix of topics of all of them together; None with fewer than two outlets or two topics.

    Regression standardisation (Little 1982): share = outlet + topic, over articles weighted by their sentences, each
    outlet's figure then taken at the common mix. Cells of one outlet and one topic are too small to be averaged
    directly: outlets miss topics, and a topic's effect has to be borrowed from the others. That supposes that a topic
    moves all outlets alike. Outlets that no topic links to the others, not even through third ones, can't be compared
    so: of several groups, the one with the most articles is taken. Variance by cluster (Liang and Zeger 1986), articles
    of an event together, with the factor of Hinkley (1977) for the number of parameters and Student's t for the
    outlet's number of clusters; never below that of equal variances, since where a few articles link an outlet to the
    others they are fitted too closely to tell their own (Angrist and Pischke 2009, section 8.1).

    Articles without `topic`, and outlets with fewer than `min_articles`, are left out; so is an outlet whose share would
    come to less than 0 or more than 1, as it may where it has a topic's articles in a tone that others do not.
    """
    counted = _linked(_usable(articles, voice, min_articles))
    if counted["outlet"].n_unique() < 2 or counted["topic"].n_unique() < 2:
        return None
    numerators, denominators = share_columns(counted, voice)
    share = numerators / denominators
    outlet, outlets = numbered(counted["outlet"])
    topic, _ = numbered(counted["topic"])
    n_articles = np.bincount(outlet)
    mix = np.bincount(topic, denominators) / denominators.sum()
    clusters = clusters_of(counted)
    n_clusters = np.array([len(np.unique(clusters[outlet == number])) for number in range(len(outlets))])
    at_mix, error, residual = _regressed(share, denominators, outlet, topic, mix, clusters)
    half = stdtrit(np.maximum(n_clusters - 1.0, 1.0), 1 - (1 - level) / 2) * error
    standardised = at_mix.round(12)  # what differs by the rounding of sums is tied
    low, high = within_a_share(standardised, half)
    covered = np.zeros((len(outlets), len(mix)), dtype=bool)
    covered[outlet, topic] = True
    raw = (np.bincount(outlet, numerators) / np.bincount(outlet, denominators)).round(12)
    n, freedom = len(share), _freedom(len(share), len(outlets), len(mix))
    within = (denominators * (share - raw[outlet]) ** 2).sum() / max(1, n - len(outlets))
    can_be = (standardised >= 0) & (standardised <= 1)
    if can_be.sum() < 2:
        return None
    rank, rank_standardised = _rank(raw[can_be]), _rank(standardised[can_be])
    columns = {
        "outlet": outlets.filter(pl.Series(can_be)),
        "n_articles": n_articles[can_be],
        "raw_share": raw[can_be],
        "standardised_share": standardised[can_be],
        "ci_low": low[can_be],
        "ci_high": high[can_be],
        "rank": rank,
        "rank_standardised": rank_standardised,
        "coverage": (covered @ mix)[can_be],
    }
    return Standardised(
        outlets=pl.DataFrame(columns, schema=TOPICS_SCHEMA).sort("rank_standardised"),
        left_out=tuple(outlets.filter(pl.Series(~can_be))),
        n_topics=len(mix),
        n_articles=n,
        kendall_tau=_agreement(raw[can_be], standardised[can_be]),
        mean_move=float(np.abs(rank - rank_standardised).mean()),
        variance_explained=max(0.0, float(1 - (denominators * residual**2).sum() / freedom / within))
        if within
        else 0.0,
    )


def _regressed(
    share: Numbers, weight: Numbers, outlet: NDArray[np.int64], topic: NDArray[np.int64], mix: Numbers,
    clusters: NDArray[np.int64],
) -> tuple[Numbers, Numbers, Numbers]:  # fmt: skip
    """Of the regression share = outlet + topic: each outlet's figure at the common mix, its error; articles' residuals."""
    n, n_outlets, n_topics = len(share), int(outlet.max()) + 1, len(mix)
    # Topic effects are coded against the common mix, so that an outlet's coefficient is its figure at that mix.
    design = np.zeros((n, n_outlets + n_topics))
    design[np.arange(n), outlet] = 1
    design[np.arange(n), n_outlets + topic] = 1
    design[:, n_outlets:] -= mix
    weighted = design * weight[:, None]
    inverse = np.linalg.pinv(design.T @ weighted, hermitian=True)
    # The effects are known up to a constant that `mix` takes away; pinv picks one, and it is made zero on the mix.
    coefficients = inverse @ (weighted.T @ share)
    residual = share - design @ coefficients
    scores = sum_by_cluster(weighted * residual[:, None], clusters)
    freedom = _freedom(n, n_outlets, n_topics)
    clustered = inverse @ (scores.T @ scores) @ inverse * (len(scores) / _freedom(len(scores), n_outlets, n_topics))
    equal = inverse @ (weighted.T @ weighted) @ inverse * (residual**2).sum() / freedom
    error = np.sqrt(np.maximum(np.diag(clustered), np.diag(equal))[:n_outlets])
    return coefficients[:n_outlets], error, residual


def _freedom(n: int, n_outlets: int, n_topics: int) -> int:
    """Degrees of freedom that so many observations leave."""
    return max(1, n - n_outlets - n_topics + 1)


def find_topics(articles: pl.DataFrame, sentences: pl.LazyFrame) -> pl.DataFrame:
    """Topics of articles that come without: clusters of titles and leads, named by their words ("border, wall,
    migrants").

    tf-idf, latent semantic analysis (Deerwester et al. 1990), spherical k-means. Outlets' names are no words of a
    topic, or the topics would be the outlets. Empty where too few articles have sentences; those without are left out.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction import text as features
    from sklearn.preprocessing import normalize

    empty = pl.DataFrame(schema={"article_id": pl.String, "topic": pl.String})
    leads = (
        sentences.filter(pl.col("sentence_id") < _LEAD_SENTENCES)
        .sort("article_id", "sentence_id")
        .group_by("article_id", maintain_order=True)
        .agg(pl.col("text").str.join(" "))
        .collect(engine="streaming")
    )
    documents = articles.select("article_id", "title").join(leads, on="article_id", how="inner").sort("article_id")
    if documents.height < 2 * MIN_ARTICLES_PER_TOPIC:
        return empty
    texts = [f"{title or ''} {lead}" for title, lead in documents.select("title", "text").iter_rows()]
    outlets = " ".join(filter(None, articles["outlet"].unique().to_list())).casefold()
    stop = {*features.ENGLISH_STOP_WORDS, *features.CountVectorizer().build_tokenizer()(outlets), "said", "mr", "ms"}
    vectorizer = features.TfidfVectorizer(
        stop_words=sorted(stop), max_df=0.2, min_df=min(5, 1 + documents.height // 100), max_features=20_000,
        sublinear_tf=True, token_pattern=r"(?u)\b[^\W\d]{3,}\b",
    )  # fmt: skip
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:  # nothing but stop words
        return empty
    parts = min(100, weights.shape[0] - 1, weights.shape[1] - 1)
    if parts < 2:
        return empty
    vectors = normalize(TruncatedSVD(parts, random_state=0).fit_transform(weights))
    n_clusters = min(N_TOPICS, documents.height // MIN_ARTICLES_PER_TOPIC)
    found = KMeans(n_clusters, n_init=1, random_state=0).fit_predict(vectors)
    names = _names(weights, found, vectorizer.get_feature_names_out())
    return documents.select("article_id").with_columns(topic=pl.Series([names[number] for number in found.tolist()]))


def _names(weights: Any, cluster: NDArray[np.int64], terms: NDArray[np.str_]) -> dict[int, str]:
    """Of each cluster, the words that are more frequent in it than elsewhere."""
    overall = np.asarray(weights.mean(axis=0)).ravel()
    names = {}
    for number in np.unique(cluster).tolist():
        own = np.asarray(weights[cluster == number].mean(axis=0)).ravel()
        names[number] = ", ".join(terms[np.argsort(overall - own, kind="stable")[:_WORDS_IN_NAME]])
    return names


def _usable(articles: pl.DataFrame, voice: CountedVoice, min_articles: int) -> pl.DataFrame:
    if "topic" not in articles.columns:
        return articles.clear().with_columns(topic=pl.lit(None, pl.String))
    counted = with_sentences(articles, voice).drop_nulls(["outlet", "topic"])
    counted = counted.filter(pl.len().over("outlet") >= min_articles)
    rare = pl.len().over("topic") < MIN_ARTICLES_PER_TOPIC
    return counted.with_columns(topic=pl.when(rare).then(pl.lit("(rare topics)")).otherwise(pl.col("topic")))


def _linked(counted: pl.DataFrame) -> pl.DataFrame:
    """The largest set of articles whose outlets are linked by topics: only these share a scale."""
    if counted.is_empty():
        return counted
    outlet, outlets = numbered(counted["outlet"])
    topic, topics = numbered(counted["topic"])
    n = len(outlets) + len(topics)
    edges = coo_array((np.ones(len(outlet)), (outlet, len(outlets) + topic)), shape=(n, n))
    _, group = connected_components(edges, directed=False)
    of_article = group[outlet]
    return counted.filter(pl.Series(of_article == np.bincount(of_article).argmax()))


def _agreement(raw: NDArray[np.float64], standardised: NDArray[np.float64]) -> float:
    """Kendall's tau-b (1945), as `scipy.stats.kendalltau`, whose import would take a third of a report's time."""
    both = np.zeros(3)
    for one, other in zip(raw, standardised, strict=True):
        above, above_standardised = np.sign(one - raw), np.sign(other - standardised)
        both += (above @ above_standardised, above @ above, above_standardised @ above_standardised)
    agreeing, untied, untied_standardised = both
    # There is none where a ranking is all ties.
    if not untied * untied_standardised:
        return float(np.array_equal(_rank(raw), _rank(standardised)))
    return float(agreeing / np.sqrt(untied * untied_standardised))


def _rank(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """1 is the most loaded; of those that tie, the one that comes first."""
    return pl.Series(shares).rank("ordinal", descending=True).cast(pl.Int64).to_numpy()
