"""Which loaded words are an outlet's own: those it uses more than others do, and those it has where others are plainer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import betainc

from loadedwords.errors import DataError
from loadedwords.text.words import COMPOUND, FUNCTION_WORDS

Numbers = NDArray[np.float64]

# Total weight of the prior in loaded words: what a few dozen articles hold, so that an outlet of a few hundred words is
# drawn towards the others by half and one of many thousands hardly at all.
PRIOR = 500.0
# A word that fewer articles use, in all outlets together, can't tell any two of them apart: it is not tested.
FEWEST_ARTICLES = 5
# In how many of its articles an outlet must use a word for it to be listed as its own, whatever the score.
FEWEST_OWN = 3
# Cosine from which two sentences about one event are held to say the same.
SIMILARITY = 0.3
_Z95 = 1.959963984540054
_EXAMPLES = 3
_EASILY_READ = 300  # characters; longer "sentences" are often captions run together

# What is left of a contraction is an auxiliary: a matter of style, not a word that carries slant.
_CONTRACTION = r"(?:n't|'(?:re|ve|ll|m|d))$"

_OWN_WORDS = {
    "outlet": pl.String,
    "word": pl.String,
    "n": pl.Int64,
    "n_articles": pl.Int64,
    "n_elsewhere": pl.Int64,
    "n_articles_elsewhere": pl.Int64,
    "per_1000": pl.Float64,
    "per_1000_elsewhere": pl.Float64,
    "log_odds": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "z_score": pl.Float64,
    "p_value": pl.Float64,
    "p_adjusted": pl.Float64,
    "design_effect": pl.Float64,
    "n_loaded_words": pl.Int64,
    "outlet_articles": pl.Int64,
    "examples": pl.List(pl.Struct({"article_id": pl.String, "text": pl.String})),
}

# Matched marks only: which of the others opens and which closes can't be told from one sentence.
_QUOTED = r'"[^"]*"|“[^”]*”'
_MARK = "§"
_STEPS = (1, 2, 3)
_SENTENCES_AT_ONCE = 25_000
# After these and before another word of content stands what qualifies a noun.
_BEFORE_QUALIFIER = frozenset(
    """a an the this these those some any each his her its their
    of in on at for from by with into onto over under about after before between through during against""".split()  # noqa: SIM905
)
_FIRST_PERSON = frozenset(
    "i me my mine we us our ours i'm i've i'll we're we've we'll".split()  # noqa: SIM905 — shorter than a list of them
)
# Verbs of reports whose past does not end in -ed.
_IRREGULAR = frozenset(
    """said told called made took saw got gave held left went kept sent slain shot sought fought struck drew fell rose
    led lost met put won spoke wrote thought found began became brought bought built came chose drove felt grew knew
    paid ran sold spent stood taught threw understood withdrew""".split()  # noqa: SIM905 — as above
)

_OTHER_WORDS = {
    "event_id": pl.String,
    "outlet": pl.String,
    "word": pl.String,
    "plain_outlet": pl.String,
    "plain_word": pl.String,
    "similarity": pl.Float64,
    "sentence": pl.String,
    "plain_sentence": pl.String,
    "article_id": pl.String,
    "plain_article_id": pl.String,
    "n_sentences": pl.Int64,
}


def own_words(
    sentences: pl.LazyFrame,
    articles: pl.DataFrame,
    *,
    prior: float = PRIOR,
    most: int = 20,
    min_articles: int = 10,
) -> pl.DataFrame:
    """The loaded words that each outlet uses, in its own voice, more than the others do.

    Each outlet is held against all others together by the log-odds ratio with an informative Dirichlet prior (Monroe,
    Colaresi & Quinn 2008, "Fightin' Words", section 3, equations 15 to 22). With `y` the uses of a word, `n` all loaded
    words, `i` the outlet and `j` the others,

        log_odds = log((y_i + a) / (n_i + a_0 - y_i - a)) - log((y_j + a) / (n_j + a_0 - y_j - a))
        variance = 1 / (y_i + a) + 1 / (y_j + a)
        z_score  = log_odds / sqrt(variance)

    where ``a_0 = prior`` is the weight of the prior and ``a = a_0 * (y_i + y_j) / (n_i + n_j)`` the word's part in it.

    The denominator is loaded words, not all words: this is what an outlet's mix of loaded words consists of, whatever
    their number, which `compare_outlets` gives.

    That variance takes each use for independent, but a word comes several times in one article and then in none. Uses
    and totals of each side are therefore divided by the word's design effect there (Rao & Scott 1992): the variance of
    its share among loaded words with whole articles as the units (the linearised ratio), over the variance if uses
    were independent, and at least 1. A word that one article has twenty times counts about once. Where every article
    has a single loaded word, the figures are those of the paper.

    The z-score takes the log-odds for normal, which for a handful of uses they are far from: three uses where a
    seventh of one was to be expected come to a z of 4.6, and to one chance in a thousand. Order and p-values are
    therefore those of the conditional test of two rates (Przyborowski & Wilenski 1940), on the same divided counts.

    Articles about the same subject share its words: an outlet's words show what it covers as well as how it speaks.

    Parameters
    ----------
    sentences : LazyFrame
        The sentences table (`scan_sentences`): article_id, sentence_id, outlet, start, end, text, words.
    articles : DataFrame
        article_id and outlet; only sentences of these articles count. The outlet named here stands before the one in
        `sentences`. Articles without an outlet count among the others.
    prior : float
        Weight of the prior, in loaded words; the larger, the more an outlet of few words is drawn towards the others.
    most : int
        Rows for each outlet.
    min_articles : int
        Outlets with fewer articles that hold a loaded word have no rows; they count among the others. Below
        `FEWEST_OWN` it has no effect.

    Returns
    -------
    polars.DataFrame
        Sorted by outlet and rising p-value, positive z-scores only: outlet, word (lower case, straight apostrophes, no
        possessive 's; contractions are left out), n and n_articles (uses, and articles with one, in the outlet),
        n_elsewhere, n_articles_elsewhere, per_1000 and per_1000_elsewhere (uses for each 1,000 loaded words),
        log_odds, ci_low, ci_high (95%, normal), z_score, p_value (twice the upper tail), p_adjusted (by Benjamini &
        Hochberg 1995 over all outlets with rows and all words that `FEWEST_ARTICLES` articles use), design_effect (in
        the outlet), n_loaded_words and outlet_articles (what the outlet's figures rest on), examples (up to 3, each
        of another article: article_id, text). At least `FEWEST_OWN` of the outlet's articles use the word. Empty
        where there is only one outlet.

    Raises
    ------
    DataError
        If a column is missing, or `prior`, `most` or `min_articles` is out of range.
    """
    if not (np.isfinite(prior) and prior > 0):
        raise DataError(f"prior is {prior}; it is a weight in loaded words, above 0.\nTry {PRIOR:g}.")
    if most < 1 or min_articles < 1:
        raise DataError(f"most is {most} and min_articles {min_articles}; both are at least 1.")
    uses = _own_voice_words(sentences, articles)
    scored = _score_words(uses, prior, max(min_articles, FEWEST_OWN))
    listed = (
        scored.filter(pl.col("z_score") > 0, pl.col("n_articles") >= FEWEST_OWN)
        .sort(["outlet", "p_value", "z_score", "word"], descending=[False, False, True, False])
        .group_by("outlet", maintain_order=True)
        .head(most)
    )
    with_examples = listed.join(_examples(uses, listed, sentences), on=["outlet", "word"], how="left")
    return with_examples.select(list(_OWN_WORDS)).cast(_OWN_WORDS)  # type: ignore[arg-type]


def _check_columns(columns: list[str], needed: tuple[str, ...], what: str) -> None:
    if missing := [name for name in needed if name not in columns]:
        raise DataError(
            f"The table of {what} lacks the columns {', '.join(missing)}.\n"
            "Score the articles again with this version, or pass a table that it wrote."
        )


def _plain_spelling(word: pl.Expr) -> pl.Expr:
    """Words as they are counted: one spelling for each."""
    return (
        word.str.normalize("NFC")
        .str.to_lowercase()
        .str.replace_all("[’ʼ]", "'")
        .str.replace_all(r"\s+", " ")
        .str.replace(r"'s?$", "")
    )


def _own_voice_words(sentences: pl.LazyFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """One row for each loaded word in own voice: article (a number), article_id, sentence_id, outlet, word, score, long."""
    _check_columns(
        sentences.collect_schema().names(),
        ("article_id", "sentence_id", "outlet", "start", "end", "text", "words"),
        "sentences",
    )
    _check_columns(articles.columns, ("article_id", "outlet"), "articles")
    known = articles.select("article_id", named="outlet").unique("article_id", keep="first").with_row_index("article")
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
            word=_plain_spelling(pl.col("words").struct.field("text")),
            score=pl.col("words").struct.field("score"),
        )
        .filter(
            ~pl.col("word").str.contains(_CONTRACTION),
            ~pl.col("word").is_in(sorted(FUNCTION_WORDS)),
            pl.col("word") != "",
        )
        .join(known.lazy(), on="article_id", how="inner")
        .with_columns(outlet=pl.coalesce("named", "outlet"))
        .drop("named")
        .collect()
    )


def _score_words(uses: pl.DataFrame, prior: float, min_articles: int) -> pl.DataFrame:
    """Every outlet with enough articles and every tested word it uses, with the figures of `own_words`."""
    in_article = uses.group_by("outlet", "article", "word").agg(y=pl.len().cast(pl.Float64))
    lengths = in_article.group_by("outlet", "article").agg(m=pl.col("y").sum())
    outlets = lengths.group_by("outlet").agg(
        total=pl.col("m").sum(), squares=(pl.col("m") ** 2).sum(), units=pl.len().cast(pl.Float64)
    )
    pairs = (
        in_article.join(lengths.drop("outlet"), on="article")
        .group_by("outlet", "word")
        .agg(
            y=pl.col("y").sum(),
            users=pl.len().cast(pl.Float64),
            yy=(pl.col("y") ** 2).sum(),
            ym=(pl.col("y") * pl.col("m")).sum(),
        )
    )
    words = (
        pairs.group_by("word")
        .agg(pl.col("y", "users", "yy", "ym").sum().name.suffix("_all"))
        .filter(pl.col("users_all") >= FEWEST_ARTICLES)
    )
    everybody = outlets.select(pl.col("total", "squares", "units").sum().name.suffix("_all"))
    compared = outlets.filter(pl.col("outlet").is_not_null(), pl.col("units") >= min_articles)
    table = pairs.join(words, on="word").join(compared, on="outlet").join(everybody, how="cross")
    # Without at least two articles of somebody else there is nobody to be held against.
    table = table.filter(pl.col("units_all") - pl.col("units") >= 2)

    column = {name: table[name].to_numpy().astype(float) for name in table.columns if name not in ("outlet", "word")}
    rest = {
        name: column[f"{name}_all"] - column[name] for name in ("y", "users", "yy", "ym", "total", "squares", "units")
    }
    effect, effect_rest = _design_effect(column), _design_effect(rest)
    counts = (column["y"] / effect, column["total"] / effect, rest["y"] / effect_rest, rest["total"] / effect_rest)
    alpha = prior * column["y_all"] / column["total_all"]
    log_odds, deviation = log_odds_ratio(*counts, alpha=alpha, prior=prior)
    p_value = _more_by_chance(*counts)
    return table.select(
        "outlet",
        "word",
        n="y",
        n_articles="users",
        n_elsewhere=pl.Series(rest["y"]),
        n_articles_elsewhere=pl.Series(rest["users"]),
        per_1000=1000 * pl.col("y") / pl.col("total"),
        per_1000_elsewhere=pl.Series(1000 * rest["y"] / rest["total"]),
        log_odds=pl.Series(log_odds),
        ci_low=pl.Series(log_odds - _Z95 * deviation),
        ci_high=pl.Series(log_odds + _Z95 * deviation),
        z_score=pl.Series(log_odds / deviation),
        p_value=pl.Series(p_value),
        # A word that an outlet never uses was tested too, and has a p-value of 1.
        p_adjusted=pl.Series(_adjusted(p_value, compared.height * words.height)),
        design_effect=pl.Series(effect),
        n_loaded_words="total",
        outlet_articles="units",
    )


def log_odds_ratio(
    uses: Numbers, total: Numbers, uses_elsewhere: Numbers, total_elsewhere: Numbers, *, alpha: Numbers, prior: float
) -> tuple[Numbers, Numbers]:
    """Log-odds ratio with an informative Dirichlet prior, and its standard deviation (Monroe et al. 2008).

    Parameters
    ----------
    uses, total, uses_elsewhere, total_elsewhere : ndarray of shape (n_words,)
        Of each word, and all words, on either side.
    alpha : ndarray of shape (n_words,)
        Each word's part in the prior, positive.
    prior : float
        The sum of `alpha` over all words.

    Returns
    -------
    log_odds, deviation : ndarray of shape (n_words,)

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


def _design_effect(side: dict[str, Numbers]) -> Numbers:
    """By how much the variance of a word's share exceeds that of independent uses, at least 1.

    The sum over articles of ``(y - share * m) ** 2``, with `y` uses and `m` loaded words of an article, from its parts:
    most articles have no use, and are never listed one by one.
    """
    total, units = side["total"], side["units"]
    share = side["y"] / total
    squares = side["yy"] - 2 * share * side["ym"] + share**2 * side["squares"]
    clustered = squares * units / (units - 1)
    independent = side["y"] * (1 - share) * total / np.maximum(total - 1, 1)
    ratio = np.divide(clustered, independent, out=np.ones_like(share), where=independent > 0)
    return np.maximum(ratio, 1.0)


def _adjusted(p_values: Numbers, n_tests: int) -> Numbers:
    """p-values by Benjamini & Hochberg (1995) where the other ``n_tests - len(p_values)`` are 1."""
    order = np.argsort(p_values)[::-1]
    ranks = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.minimum.accumulate(p_values[order] * n_tests / ranks), 1.0)
    return adjusted


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


def other_words(sentences: pl.LazyFrame, articles: pl.DataFrame, *, similarity: float = SIMILARITY) -> pl.DataFrame:
    """Same thing, other word: where one outlet has a loaded word, and another says the same without it.

    Looked for are places in sentences of two outlets about the same event with the same neighbours: the word on either
    side, a further one, and a word of content among the nearest three. What stands between them is held to be the same
    thing if the sentences resemble each other in what they have beside loaded words (the cosine of their tf-idf
    vectors, Salton & Buckley 1988), the less so the more the neighbours say. In the place of the loaded word the
    other outlet has one plain word with a like ending ("slammed", "criticized"), or none: then it leaves out an adverb,
    or what qualifies a noun ("the embattled mayor", "the mayor"). Both speak in their own voice; names are no words.

    Few pairs are found, so that most of them are right: of 55 from 934 events with 2 or 3 articles each, read one by
    one, 10 did not say the same. An outlet that says more or less often than others what is found here is not thereby
    shown to differ: outlets are as often in these rows as they report what others report, in like sentences.

    Parameters
    ----------
    sentences : LazyFrame
        The sentences table (`scan_sentences`): article_id, sentence_id, outlet, text, voice, words.
    articles : DataFrame
        article_id, outlet and event_id; only articles with an event and an outlet count. The outlet named here stands
        before the one in `sentences`. An article of several events has a row for each.
    similarity : float
        Least cosine of two sentences, above 0 and up to 1; the lower, the more pairs and the more wrong ones. With two
        words of content among the common neighbours, two thirds of it are enough.

    Returns
    -------
    polars.DataFrame
        The most similar first: event_id, outlet, word, plain_outlet, plain_word (null where the other outlet leaves
        the word out), similarity, sentence, plain_sentence, article_id, plain_article_id, n_sentences (of the events'
        articles, those quoting alone left out: what the rows were found among). One row for each event, outlet, word,
        other outlet and plain word: the most similar pair of sentences.

    Raises
    ------
    DataError
        If a column is missing or `similarity` is out of range.
    """
    if not 0 < similarity <= 1:
        raise DataError(f"similarity is {similarity}; it is a cosine above 0 and up to 1.\nTry {SIMILARITY}.")
    rows = _event_sentences(sentences, articles)
    met, counted = [], []
    for events in _batches(rows):
        places, known = _places(events)
        met.append(_counterparts(places, known))
        counted.append(_frequency(places, known))
    pairs = pl.concat(met)
    frequency = pl.concat(counted).group_by("token").agg(pl.col("sentences").sum())
    same_form = [
        plain is None or _same_form(word, plain) for word, plain in pairs.select("word", "plain_word").iter_rows()
    ]
    pairs = pairs.filter(pl.Series(same_form, dtype=pl.Boolean))
    pairs = pairs.with_columns(similarity=pl.Series(_cosines(rows, pairs, frequency), dtype=pl.Float64))
    told = rows.select("row", "event_id", "outlet", "article_id", sentence="text")
    there = told.drop("event_id").rename(
        {"row": "plain_row", "outlet": "plain_outlet", "article_id": "plain_article_id", "sentence": "plain_sentence"}
    )
    # Where more of the neighbours are the same, less of the sentence need be; found by reading what came of it.
    least = pl.when(pl.col("content") >= 2).then(2 * similarity / 3).otherwise(similarity)
    return (
        pairs.filter(pl.col("similarity") >= least)
        .join(told, on="row")
        .join(there, on="plain_row")
        .with_columns(n_sentences=pl.lit(rows.height))
        .select(list(_OTHER_WORDS))
        .cast(_OTHER_WORDS)  # type: ignore[arg-type]
        .sort(["similarity", "event_id", "word", "article_id", "plain_article_id"], descending=[True, *[False] * 4])
        .unique(["event_id", "outlet", "word", "plain_outlet", "plain_word"], keep="first", maintain_order=True)
    )


def count_other_words(found: pl.DataFrame) -> pl.DataFrame:
    """How often each loaded word stands where another outlet has a plainer one, over all events.

    Parameters
    ----------
    found : DataFrame
        Of `other_words`.

    Returns
    -------
    polars.DataFrame
        The most frequent first: word, plain_word (null: left out), n_events, n_outlets (that use the word),
        n_plain_outlets, n (rows of `found`).

    Raises
    ------
    DataError
        If a column is missing.
    """
    _check_columns(found.columns, ("event_id", "outlet", "word", "plain_outlet", "plain_word"), "other words")
    return (
        found.group_by("word", "plain_word")
        .agg(
            n_events=pl.col("event_id").n_unique().cast(pl.Int64),
            n_outlets=pl.col("outlet").n_unique().cast(pl.Int64),
            n_plain_outlets=pl.col("plain_outlet").n_unique().cast(pl.Int64),
            n=pl.len().cast(pl.Int64),
        )
        .sort(["n_events", "n", "word", "plain_word"], descending=[True, True, False, False], nulls_last=True)
    )


def _event_sentences(sentences: pl.LazyFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """Sentences of articles with an event, numbered; an article of two events has its sentences twice."""
    needed = ("article_id", "sentence_id", "outlet", "text", "voice", "words")
    _check_columns(sentences.collect_schema().names(), needed, "sentences")
    _check_columns(articles.columns, ("article_id", "outlet", "event_id"), "articles")
    known = articles.select("article_id", "event_id", named="outlet").filter(pl.col("event_id").is_not_null()).unique()
    several = known.group_by("event_id").agg(pl.col("article_id").n_unique().alias("n")).filter(pl.col("n") > 1)
    return (
        sentences.select(needed)
        .filter(pl.col("voice") != "quoted")
        .join(known.join(several, on="event_id", how="semi").lazy(), on="article_id", how="inner")
        .with_columns(outlet=pl.coalesce("named", "outlet"))
        .filter(pl.col("outlet").is_not_null())
        .sort("event_id", "article_id", "sentence_id")
        .select("event_id", "article_id", "outlet", "text", "words")
        .collect()
        .with_row_index("row")
    )


def _batches(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Whole events, some `_SENTENCES_AT_ONCE` at once: a table of all words with their neighbours would be large."""
    batch = rows.select(pl.col("row").min().over("event_id") // _SENTENCES_AT_ONCE).to_series()
    ends = [*(batch != batch.shift()).arg_true().to_list(), rows.height]
    return [rows[start:end] for start, end in pairwise(ends)] or [rows]


def _places(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Each word in own voice (row, event, outlet, word, loaded, name, before_1 .. after_3), and what the words are.

    Words are numbers, places in the second, and null before and after the sentence. What is quoted stands there as one
    mark, which is no word.
    """
    spoken = (
        rows.select(
            "row",
            "outlet",
            event=pl.col("event_id").rank("dense"),
            word=pl.col("text").str.replace_all(_QUOTED, f" {_MARK} ").str.extract_all(f"{COMPOUND.pattern}|{_MARK}"),
        )
        .with_columns(pl.col("outlet").rank("dense"))
        .explode("word")
        .drop_nulls("word")
    )
    # Spelled once for each different word, of which there are a hundredth.
    different = spoken.select(pl.col("word").unique()).with_columns(
        spelling=_plain_spelling(pl.col("word")), name=~pl.col("word").str.contains(r"^\p{Ll}")
    )
    known = different["spelling"].unique().sort()
    number = pl.DataFrame({"spelling": known}).with_row_index("number")
    marked = (
        rows.select("row", "words")
        .explode("words")
        .drop_nulls("words")
        .select("row", spelling=_plain_spelling(pl.col("words").struct.field("text")))
        .unique()
        .join(number, on="spelling")
        .select("row", word="number", loaded=pl.lit(value=True))
    )
    numbered = (
        spoken.lazy()
        .join(different.join(number, on="spelling").lazy(), on="word", how="left", maintain_order="left")
        .select("row", "event", "outlet", "name", word="number")
        .collect()
    )
    # Somebody's speech without quotation marks: no outlet says "I" in its reports.
    speech = numbered.filter(pl.col("word").is_in(_numbers(known, _FIRST_PERSON))).select("row").unique()
    places = (
        numbered.lazy()
        .join(speech.lazy(), on="row", how="anti", maintain_order="left")
        .join(marked.lazy(), on=["row", "word"], how="left", maintain_order="left")
        .with_columns(pl.col("loaded").is_not_null())
        .collect()
    )
    steps = {f"before_{step}": step for step in _STEPS} | {f"after_{step}": -step for step in _STEPS}
    return places.with_columns(
        pl.when(pl.col("row").shift(step) == pl.col("row")).then(pl.col("word").shift(step)).alias(name)
        for name, step in steps.items()
    ), known


def _numbers(known: pl.Series, words: frozenset[str]) -> pl.Series:
    """The numbers of `words`, to be looked for in a column of numbers."""
    return known.is_in(sorted(words)).arg_true().cast(pl.UInt32).implode()


def _counterparts(places: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """Loaded words and what has the same neighbours in another outlet's sentence about the same event.

    Columns: row, plain_row, word, plain_word (null: nothing stands there), content (words of content among the
    neighbours in common).
    """
    functional = _numbers(known, FUNCTION_WORDS | {_MARK})
    adverbs = known.str.ends_with("ly").arg_true().cast(pl.UInt32).implode()
    around = [f"{side}_{step}" for side in ("before", "after") for step in _STEPS]
    columns = ["event", "outlet", "row", *around]
    here = places.filter(
        pl.col("loaded"),
        ~pl.col("name"),
        ~pl.col("word").is_in(known.str.contains(_CONTRACTION).arg_true().cast(pl.UInt32).implode()),
        *(
            pl.col(name).is_not_null() & ~pl.col(name).is_in(_numbers(known, frozenset({_MARK})))
            for name in ("before_1", "after_1")
        ),
    ).select("word", *columns)
    adverb = pl.col("word").is_in(adverbs)
    # "the embattled president": what stands there can be left out, and another word there says another thing.
    qualifies = pl.col("before_1").is_in(_numbers(known, _BEFORE_QUALIFIER)) & ~pl.col("after_1").is_in(functional)
    there = places.lazy().filter(~pl.col("loaded"), ~pl.col("name"), ~pl.col("word").is_in(functional))
    # Between a word and the next there is nothing: the word itself is then the neighbour before.
    gaps = places.lazy().drop("before_3").rename({"before_2": "before_3", "before_1": "before_2", "word": "before_1"})
    met = [
        *_same_neighbours(here.filter(~adverb & ~qualifies), there.select(*columns, plain_word="word")),
        *_same_neighbours(
            here.filter(adverb | qualifies), gaps.select(*columns, plain_word=pl.lit(None, places["word"].dtype))
        ),
    ]
    found = pl.concat(met).unique()
    common = _common_neighbours()
    spelled = pl.DataFrame({"spelled": known}).with_row_index("word")
    content = [both & ~pl.col(name).is_in(functional) for name, both in common.items()]
    return (
        found.with_columns(content=pl.sum_horizontal(content))
        .filter(pl.col("content") >= 1)
        .select("row", "word", "plain_word", "content", plain_row="row_there")
        # Where the other sentence has the loaded word too, it stands elsewhere: no other word was chosen.
        .join(places.select("row", "word"), left_on=["plain_row", "word"], right_on=["row", "word"], how="anti")
        .join(spelled, on="word")
        .join(spelled.rename({"word": "plain_word", "spelled": "plain_spelled"}), on="plain_word", how="left")
        .select("row", "plain_row", "content", word="spelled", plain_word="plain_spelled")
    )


def _same_neighbours(here: pl.DataFrame, there: pl.LazyFrame) -> list[pl.DataFrame]:
    """Places of other outlets with the same neighbour on either side and the same second one on one side at least."""
    # Most places have nothing to stand beside, and go before the join makes its table.
    alike = ["event", "before_1", "after_1"]
    there_alike = there.join(here.lazy().select(alike).unique(), on=alike, how="semi").collect()
    return [
        here.join(
            there_alike, on=["event", "before_1", "after_1", second], how="inner", suffix="_there", coalesce=False
        )
        .filter(pl.col("outlet") != pl.col("outlet_there"))
        .drop("event_there")
        for second in ("before_2", "after_2")
    ]


def _common_neighbours() -> dict[str, pl.Expr]:
    """For each neighbour whether it, and all between it and the word, are the same in both sentences."""
    common: dict[str, pl.Expr] = {}
    for side in ("before", "after"):
        same = pl.lit(value=True)
        for step in _STEPS:
            name = f"{side}_{step}"
            same = same & (pl.col(name) == pl.col(f"{name}_there")).fill_null(value=False)
            common[name] = same
    return common


def _frequency(places: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """In how many sentences each word stands: token, sentences."""
    spelled = pl.DataFrame({"token": known}).with_row_index("word")
    return places.group_by("word").agg(sentences=pl.col("row").n_unique()).join(spelled, on="word").drop("word")


def _cosines(rows: pl.DataFrame, pairs: pl.DataFrame, frequency: pl.DataFrame) -> Numbers:
    """Cosine of the tf-idf vectors of pairs of sentences, quotations included and loaded words left out.

    `frequency` says for each token in how many sentences it stands in own voice.
    """
    needed = rows.join(pl.concat([pairs["row"], pairs["plain_row"]]).unique().to_frame(), on="row", how="semi").lazy()
    tokens = (
        needed.select("row", token=pl.col("text").str.extract_all(COMPOUND.pattern))
        .explode("token")
        .drop_nulls("token")
        .with_columns(token=_plain_spelling(pl.col("token")))
        .filter(~pl.col("token").is_in(sorted(FUNCTION_WORDS)))
    )
    marked = (
        needed.select("row", "words")
        .explode("words")
        .drop_nulls("words")
        .select("row", token=_plain_spelling(pl.col("words").struct.field("text")))
    )
    weights = (
        tokens.join(marked, on=["row", "token"], how="anti")
        .group_by("row", "token")
        .agg(n=pl.len())
        .join(frequency.lazy(), on="token", how="left")
        .with_columns(pl.col("sentences").fill_null(1))
        .with_columns(weight=(1 + pl.col("n").log()) * (1 + (rows.height / pl.col("sentences")).log()))
        .select("row", "token", weight=pl.col("weight") / (pl.col("weight") ** 2).sum().sqrt().over("row"))
        .collect()
    )
    both = pairs.select("row", "plain_row").with_row_index("pair")
    return (
        both.join(weights, on="row")
        .join(weights, left_on=["plain_row", "token"], right_on=["row", "token"], suffix="_there")
        .group_by("pair")
        .agg(cosine=(pl.col("weight") * pl.col("weight_there")).sum().clip(0, 1))
        .join(both, on="pair", how="right")
        .sort("pair")["cosine"]
        .fill_null(0.0)
        .to_numpy()
    )


def _same_form(word: str, plain: str) -> bool:
    """Whether two words could stand for one another by their endings, and are not forms of one word."""
    related = word[:5] == plain[:5] or plain in word.split("-") or word in plain.split("-")
    return not related and _form(word) == _form(plain)


def _form(word: str) -> str:
    if word in _IRREGULAR:
        return "ed"
    return next((ending for ending in ("ed", "ing", "ly") if word.endswith(ending)), "")
