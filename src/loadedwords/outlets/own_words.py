"""The loaded words that an outlet uses more than others do."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import betainc, betaincinv, logit

from loadedwords.outlets.counted import clusters_of
from loadedwords.outlets.intervals import Numbers, adjust_false_discovery
from loadedwords.outlets.spelling import CONTRACTION, plain_spelling
from loadedwords.outlets.tables import counts, need_columns, reals, texts
from loadedwords.text.words import FUNCTION_WORDS

# Total weight of the prior in loaded words: what a few dozen articles hold, so that an outlet of a few hundred words is
# drawn towards the others by half and one of many thousands hardly at all.
PRIOR = 500.0
# A word that fewer articles use, in all outlets together, can't tell any two of them apart: it is not tested. Copies and
# articles of one event, which have their words in common, count as one, here as everywhere in this module.
FEWEST_ARTICLES = 5
# In how many of its articles an outlet must use a word for it to be listed as its own, whatever the score.
FEWEST_OWN = 3
MOST_WORDS = 20  # of an outlet
_EXAMPLES = 3
_EASILY_READ = 300  # characters; longer "sentences" are often captions run together
_OWN_WORDS = {
    **texts("outlet", "word"),
    **counts("n", "n_articles", "n_elsewhere", "n_articles_elsewhere"),
    **reals("per_1000", "per_1000_elsewhere", "log_odds", "ci_low", "ci_high", "z_score", "p_value", "p_adjusted"),
    **reals("design_effect"),
    **counts("n_loaded_words", "outlet_articles"),
    "examples": pl.List(pl.Struct({"article_id": pl.String, "text": pl.String})),
}


def own_words(
    sentences: pl.LazyFrame, articles: pl.DataFrame, *, level: float = 0.95, min_articles: int = 10
) -> pl.DataFrame:
    """The loaded words that each outlet uses, in its own voice, more than the others do.

    Each outlet is held against all others together by the log-odds ratio with an informative Dirichlet prior (Monroe,
    Colaresi & Quinn 2008, "Fightin' Words", section 3, equations 15 to 22). With `y` the uses of a word, `n` all loaded
    words, `i` the outlet and `j` the others,

        log_odds = log((y_i + a) / (n_i + a_0 - y_i - a)) - log((y_j + a) / (n_j + a_0 - y_j - a))
        variance = 1 / (y_i + a) + 1 / (y_j + a)
        z_score  = log_odds / sqrt(variance)

    where ``a_0 = PRIOR`` is the weight of the prior and ``a = a_0 * (y_i + y_j) / (n_i + n_j)`` the word's part in it.

    The denominator is loaded words, not all words: this is what an outlet's mix of loaded words consists of, whatever
    their number, which `compare_outlets` gives.

    That variance takes each use for independent, but a word comes several times in one article and then in none. Uses
    and totals of each side are therefore divided by the word's design effect there (Rao & Scott 1992): the variance of
    its share among loaded words with whole articles as the units (the linearised ratio), over the variance if uses
    were independent, and at least 1. A word that one article has twenty times counts about once. Copies of a text, and
    articles on one event, are one unit (`clusters_of`): they have their words in common. Where every article has a
    single loaded word, the figures are those of the paper.

    The z-score takes the log-odds for normal, which for a handful of uses they are far from: three uses where a
    seventh of one was to be expected come to a z of 4.6, and to one chance in a thousand. Order, p-values and intervals
    are therefore those of the conditional test of two rates (Przyborowski & Wilenski 1940), on the same divided counts:
    an interval lies above nothing where p is below 1 - level.

    Articles about the same subject share its words: an outlet's words show what it covers as well as how it speaks.

    Parameters
    ----------
    sentences : LazyFrame
        The sentences table (`scan_sentences`): article_id, sentence_id, outlet, start, end, text, words.
    articles : DataFrame
        article_id and outlet, and event_id and text_digest where they are known; only sentences of these articles count.
        The outlet named here stands before the one in `sentences`. Articles without an outlet count among the others.
    level : float
        Nominal coverage of the intervals.
    min_articles : int
        Outlets with fewer articles that hold a loaded word, those of one event or text counted once, have no rows; they
        count among the others. Below `FEWEST_OWN` it has no effect.

    Returns
    -------
    polars.DataFrame
        Sorted by outlet and rising p-value, positive z-scores only: outlet, word (lower case, straight apostrophes, no
        possessive 's; contractions are left out), n and n_articles (uses, and articles with one, in the outlet),
        n_elsewhere, n_articles_elsewhere, per_1000 and per_1000_elsewhere (uses for each 1,000 loaded words),
        log_odds, ci_low, ci_high (of the log ratio of rates, by the test's own Clopper and
        Pearson interval (1934), widened to the estimate where the prior drew that out of it; no upper end where nobody else uses
        the word), z_score, p_value (twice the upper tail), p_adjusted (by Benjamini &
        Hochberg 1995 over all outlets with rows and all words that `FEWEST_ARTICLES` units use), design_effect (in
        the outlet), n_loaded_words and outlet_articles (what the outlet's figures rest on), examples (up to 3, each
        of another article: article_id, text). At least `FEWEST_OWN` of the outlet's units use the word. Empty where
        there is only one outlet.

    Raises
    ------
    DataError
        If a column is missing.
    """
    uses = _own_voice_words(sentences, articles)
    scored = _score_words(uses, PRIOR, max(min_articles, FEWEST_OWN), level)
    listed = (
        scored.filter(pl.col("z_score") > 0, pl.col("users") >= FEWEST_OWN)
        .sort(["outlet", "p_value", "z_score", "word"], descending=[False, False, True, False])
        .group_by("outlet", maintain_order=True)
        .head(MOST_WORDS)
    )
    with_examples = listed.join(_examples(uses, listed, sentences), on=["outlet", "word"], how="left")
    return with_examples.select(pl.col(name).cast(kind) for name, kind in _OWN_WORDS.items())


def _own_voice_words(sentences: pl.LazyFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """One row for each loaded word in own voice: article_id, cluster, sentence_id, outlet, word, score, long."""
    need_columns(
        sentences.collect_schema().names(),
        ("article_id", "sentence_id", "outlet", "start", "end", "text", "words"),
        "The table of sentences",
    )
    need_columns(articles.columns, ("article_id", "outlet"), "The table of articles")
    known = articles.select(
        "article_id", named="outlet", cluster=pl.Series(clusters_of(articles), dtype=pl.Int64)
    ).unique("article_id", keep="first")
    return (
        sentences.filter(pl.col("words").list.len() > 0)
        .select("article_id", "sentence_id", "outlet", "words", long=pl.col("end") - pl.col("start") > _EASILY_READ)
        .explode("words")
        .filter(~pl.col("words").struct.field("in_quote"))
        .select(
            "article_id",
            "sentence_id",
            "outlet",
            "long",
            word=plain_spelling(pl.col("words").struct.field("text")),
            score=pl.col("words").struct.field("score"),
        )
        .filter(
            ~pl.col("word").str.contains(CONTRACTION),
            ~pl.col("word").is_in(sorted(FUNCTION_WORDS)),
            pl.col("word") != "",
        )
        .join(known.lazy(), on="article_id", how="inner")
        .with_columns(outlet=pl.coalesce("named", "outlet"))
        .drop("named")
        .collect()
    )


def _tallied(uses: pl.DataFrame, min_articles: int) -> tuple[pl.DataFrame, int]:
    """Every outlet with enough articles and every tested word it uses, with sums over clusters; and how many were tested.

    Of the word in the outlet: y (uses), users (clusters with one), articles (with one), yy (the sum of y²), ym (that of y
    times the cluster's loaded words); of the outlet: total (loaded words), squares (the sum of their squares), units
    (clusters), outlet_articles; places are users, each outlet's counted apart. The same of all other outlets together end in ``_rest``: what several of them have in one
    cluster is added up first, so theirs is what all have less what goes with the outlet.
    """
    lengths = uses.group_by("outlet", "cluster").agg(m=pl.len().cast(pl.Float64))
    whole = lengths.group_by("cluster").agg(m_all=pl.col("m").sum())
    lengths = lengths.join(whole, on="cluster")
    in_cluster = uses.group_by("outlet", "cluster", "word").agg(
        y=pl.len().cast(pl.Float64), articles=pl.col("article_id").n_unique().cast(pl.Float64)
    )
    by_cluster = in_cluster.group_by("cluster", "word").agg(
        y_all=pl.col("y").sum(), articles_all=pl.col("articles").sum(), places_all=pl.len()
    )
    y, m, y_all, m_all = map(pl.col, ("y", "m", "y_all", "m_all"))
    outlets = (
        lengths.group_by("outlet")
        .agg(
            total=m.sum(), squares=(m**2).sum(), units=pl.len(),
            squares_gone=(m_all**2 - (m_all - m) ** 2).sum(), units_gone=(m_all == m).sum(),
        )
        .join(uses.group_by("outlet").agg(outlet_articles=pl.col("article_id").n_unique()), on="outlet", nulls_equal=True)
    )  # fmt: skip
    pairs = (
        in_cluster.join(lengths, on=["outlet", "cluster"], nulls_equal=True)
        .join(by_cluster, on=["cluster", "word"])
        .group_by("outlet", "word")
        .agg(
            pl.col("y", "articles").sum(), users=pl.len(), yy=(y**2).sum(), ym=(y * m).sum(),
            yy_gone=(y_all**2 - (y_all - y) ** 2).sum(), ym_there=(y * (m_all - m)).sum(),
        )
    )  # fmt: skip
    # Of the clusters that the outlet is in, those too in which others alone have the word.
    met = lengths.lazy().join(by_cluster.lazy(), on="cluster").group_by("outlet", "word").agg(ym_here=(m * y_all).sum())
    words = (
        by_cluster.join(whole, on="cluster")
        .group_by("word")
        .agg(
            y_all.sum(), pl.col("articles_all", "places_all").sum(), users_all=pl.len(),
            yy_all=(y_all**2).sum(), ym_all=(y_all * m_all).sum(),
        )
        .filter(pl.col("users_all") >= FEWEST_ARTICLES)
    )  # fmt: skip
    everybody = whole.select(total_all=m_all.sum(), squares_all=(m_all**2).sum(), units_all=pl.len())
    # Where a word is the only one, no outlet can have more of it than another.
    words = words.filter(y_all < everybody["total_all"].item())
    compared = outlets.filter(pl.col("outlet").is_not_null(), pl.col("units") >= min_articles)
    table = (
        pairs.join(words, on="word")
        .join(compared, on="outlet")
        .join(met.collect(engine="streaming"), on=["outlet", "word"])
        .join(everybody, how="cross")
        .with_columns(
            *((pl.col(f"{name}_all") - pl.col(name)).alias(f"{name}_rest") for name in ("y", "articles", "total")),
            *(
                (pl.col(f"{name}_all") - pl.col(f"{name}_gone")).alias(f"{name}_rest")
                for name in ("yy", "squares", "units")
            ),
            places=pl.col("users"),
            places_rest=pl.col("places_all") - pl.col("users"),
            ym_rest=pl.col("ym_all") - pl.col("ym_here") - pl.col("ym_there"),
        )
    )
    # Without at least two articles of somebody else there is nobody to be held against.
    return table.filter(pl.col("units_rest") >= 2), compared.height * words.height


def _score_words(uses: pl.DataFrame, prior: float, min_articles: int, level: float = 0.95) -> pl.DataFrame:
    """The figures of `own_words`, of all words that are tested, and in how many clusters the outlet has them, `users`."""
    table, n_tested = _tallied(uses, min_articles)
    here, rest = (
        {
            name: table[name + of].to_numpy().astype(float)
            for name in ("y", "articles", "places", "yy", "ym", "total", "squares", "units")
        }
        for of in ("", "_rest")
    )
    effect, effect_rest = _design_effect(here), _design_effect(rest)
    side_counts = (here["y"] / effect, here["total"] / effect, rest["y"] / effect_rest, rest["total"] / effect_rest)
    alpha = prior * (here["y"] + rest["y"]) / (here["total"] + rest["total"])
    log_odds, deviation = log_odds_ratio(*side_counts, alpha=alpha, prior=prior)
    p_value = _more_by_chance(*side_counts)
    low, high = _ratio_ends(*side_counts, tail=(1 - level) / 2)
    # A word that an outlet never uses was tested too, and has a p-value of 1.
    tested = np.append(p_value, np.ones(n_tested - len(p_value)))
    return table.select(
        "outlet",
        "word",
        "users",
        n="y",
        n_articles="articles",
        n_elsewhere="y_rest",
        n_articles_elsewhere="articles_rest",
        per_1000=1000 * pl.col("y") / pl.col("total"),
        per_1000_elsewhere=1000 * pl.col("y_rest") / pl.col("total_rest"),
        log_odds=pl.Series(log_odds),
        ci_low=pl.Series(np.minimum(low, log_odds)),
        ci_high=pl.Series(np.maximum(high, log_odds)).fill_nan(None),
        z_score=pl.Series(log_odds / deviation),
        p_value=pl.Series(p_value),
        p_adjusted=pl.Series(adjust_false_discovery(tested)[: len(p_value)]),
        design_effect=pl.Series(effect),
        n_loaded_words="total",
        outlet_articles="outlet_articles",
    )


def log_odds_ratio(
    uses: Numbers, total: Numbers, uses_elsewhere: Numbers, total_elsewhere: Numbers, *, alpha: Numbers, prior: float
) -> tuple[Numbers, Numbers]:
    """Each word's log-odds ratio with an informative Dirichlet prior, and its deviation (Monroe et al. 2008).

    `alpha` is each word's part in the prior, which sums to `prior` over all words.

    Examples
    --------
    >>> of = np.array
    >>> estimate, deviation = log_odds_ratio(of([3.0]), of([10.0]), of([1.0]), of([10.0]), alpha=of([1.0]), prior=10.0)
    >>> estimate.round(3), deviation.round(3)  # log(4 / 16) - log(2 / 18), sqrt(1 / 4 + 1 / 2)
    (array([0.811]), array([0.866]))
    """
    here, there = uses + alpha, uses_elsewhere + alpha
    log_odds = np.log(here / (total + prior - here)) - np.log(there / (total_elsewhere + prior - there))
    return log_odds, np.sqrt(1 / here + 1 / there)


def _more_by_chance(uses: Numbers, total: Numbers, uses_elsewhere: Numbers, total_elsewhere: Numbers) -> Numbers:
    """Twice the chance of as many uses or more: binomial, given the uses on both sides (Przyborowski & Wilenski 1940)."""
    # The binomial tail as an incomplete beta function, which takes the fractions that divided counts are.
    tail: Numbers = betainc(uses, uses_elsewhere + 1, total / (total + total_elsewhere))
    doubled: Numbers = np.minimum(2 * tail, 1.0)
    return doubled


def _ratio_ends(
    uses: Numbers, total: Numbers, uses_elsewhere: Numbers, total_elsewhere: Numbers, *, tail: float
) -> tuple[Numbers, Numbers]:
    """The interval that goes with that test, of the log ratio of the two rates; no upper end where nobody else uses it."""
    exposure = np.log(total_elsewhere / total)
    low = betaincinv(uses, uses_elsewhere + 1, tail)
    high = betaincinv(uses + 1, np.where(uses_elsewhere > 0, uses_elsewhere, np.nan), 1 - tail)
    return logit(low) + exposure, logit(high) + exposure


def _design_effect(side: dict[str, Numbers]) -> Numbers:
    """By how much the variance of a word's share exceeds that of independent uses; at least as often as an outlet that has
    it in a cluster has it there in several articles, so that copies add nothing to what can be told of independent uses.

    The sum over clusters of ``(y - share * m) ** 2``, with `y` uses and `m` loaded words of a cluster, from its parts:
    most clusters have no use, and are never listed one by one.
    """
    total, units = side["total"], side["units"]
    share = side["y"] / total
    squares = side["yy"] - 2 * share * side["ym"] + share**2 * side["squares"]
    clustered = squares * units / (units - 1)
    independent = side["y"] * (1 - share) * total / np.maximum(total - 1, 1)
    ratio = np.divide(clustered, independent, out=np.ones_like(share), where=independent > 0)
    return np.maximum(ratio, side["articles"] / np.maximum(side["places"], 1))


def _examples(uses: pl.DataFrame, listed: pl.DataFrame, sentences: pl.LazyFrame) -> pl.DataFrame:
    """For each outlet and word listed up to three sentences: those that read easily first, then the surest words."""
    chosen = (
        uses.join(listed.select("outlet", "word"), on=["outlet", "word"], how="semi")
        .sort(["long", "score", "article_id", "sentence_id"], descending=[False, True, False, False])
        .unique(["outlet", "word", "article_id"], keep="first", maintain_order=True)
        .group_by("outlet", "word", maintain_order=True)
        .head(_EXAMPLES)
        .with_row_index("place")
    )
    places = chosen.select("article_id", "sentence_id").unique()
    texts = (
        sentences.select("article_id", "sentence_id", "text")
        .join(places.lazy(), on=["article_id", "sentence_id"], how="semi")
        .collect()
        .unique(["article_id", "sentence_id"], keep="first")
    )
    return (
        chosen.join(texts, on=["article_id", "sentence_id"])
        .sort("place")
        .group_by("outlet", "word", maintain_order=True)
        .agg(examples=pl.struct("article_id", "text"))
    )
