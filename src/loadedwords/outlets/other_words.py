"""Where one outlet has a loaded word, and another reporting the same event a plainer one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadedwords.outlets.spelling import CONTRACTION, plain_spelling
from loadedwords.outlets.tables import counts, need_columns, reals, texts
from loadedwords.text.words import COMPOUND, FUNCTION_WORDS

# Cosine from which two sentences about one event are held to say the same; the lower, the more pairs and the more wrong ones.
SIMILARITY = 0.3
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
    **texts("event_id", "outlet", "word", "plain_outlet", "plain_word"),
    **reals("similarity"),
    **texts("sentence", "plain_sentence", "article_id", "plain_article_id"),
    **counts("n_sentences"),
}


def other_words(sentences: pl.LazyFrame, articles: pl.DataFrame) -> pl.DataFrame:
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
        If a column is missing.
    """
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
    least = pl.when(pl.col("content") >= 2).then(2 * SIMILARITY / 3).otherwise(SIMILARITY)
    return (
        pairs.filter(pl.col("similarity") >= least)
        .join(told, on="row")
        .join(there, on="plain_row")
        .with_columns(n_sentences=pl.lit(rows.height))
        .select(pl.col(name).cast(kind) for name, kind in _OTHER_WORDS.items())
        .sort(["similarity", "event_id", "word", "article_id", "plain_article_id"], descending=[True, *[False] * 4])
        .unique(["event_id", "outlet", "word", "plain_outlet", "plain_word"], keep="first", maintain_order=True)
    )


def _event_sentences(sentences: pl.LazyFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """Sentences of articles with an event, numbered; an article of two events has its sentences twice."""
    needed = ("article_id", "sentence_id", "outlet", "text", "voice", "words")
    need_columns(sentences.collect_schema().names(), needed, "The table of sentences")
    need_columns(articles.columns, ("article_id", "outlet", "event_id"), "The table of articles")
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
        spelling=plain_spelling(pl.col("word")), name=~pl.col("word").str.contains(r"^\p{Ll}")
    )
    known = different["spelling"].unique().sort()
    number = pl.DataFrame({"spelling": known}).with_row_index("number")
    marked = _loaded(rows).unique().join(number, on="spelling").select("row", word="number", loaded=pl.lit(value=True))
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


def _loaded(rows: pl.DataFrame) -> pl.DataFrame:
    """The loaded words of each sentence: row, spelling."""
    words = rows.select("row", "words").explode("words").drop_nulls("words")
    return words.select("row", spelling=plain_spelling(pl.col("words").struct.field("text")))


def _numbers(known: pl.Series, words: frozenset[str]) -> pl.Series:
    """The numbers of `words`, to be looked for in a column of numbers."""
    return known.is_in(sorted(words)).arg_true().cast(pl.UInt32).implode()


def _counterparts(places: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """Loaded words and what has the same neighbours in another outlet's sentence about the same event.

    Columns: row, plain_row, word, plain_word (null: nothing stands there), content (words of content among the
    neighbours in common).
    """
    functional, mark = _numbers(known, FUNCTION_WORDS | {_MARK}), _numbers(known, frozenset({_MARK}))
    adverbs = known.str.ends_with("ly").arg_true().cast(pl.UInt32).implode()
    around = [f"{side}_{step}" for side in ("before", "after") for step in _STEPS]
    columns = ["event", "outlet", "row", *around]
    here = places.filter(
        pl.col("loaded"),
        ~pl.col("name"),
        ~pl.col("word").is_in(known.str.contains(CONTRACTION).arg_true().cast(pl.UInt32).implode()),
        *(pl.col(name).is_not_null() & ~pl.col(name).is_in(mark) for name in ("before_1", "after_1")),
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
    spelled = pl.DataFrame({"spelled": known}).with_row_index("word")
    # A neighbour is in common if it, and all between it and the word, are the same in both sentences.
    same = [pl.col(name).eq(pl.col(f"{name}_there")).fill_null(value=False) for name in around]
    content = [
        pl.all_horizontal(same[at - at % len(_STEPS) : at + 1]) & ~pl.col(name).is_in(functional)
        for at, name in enumerate(around)
    ]
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


def _frequency(places: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """In how many sentences each word stands: token, sentences."""
    spelled = pl.DataFrame({"token": known}).with_row_index("word")
    return places.group_by("word").agg(sentences=pl.col("row").n_unique()).join(spelled, on="word").drop("word")


def _cosines(rows: pl.DataFrame, pairs: pl.DataFrame, frequency: pl.DataFrame) -> NDArray[np.float64]:
    """Cosine of the tf-idf vectors of pairs of sentences, quotations included and loaded words left out.

    `frequency` says for each token in how many sentences it stands in own voice.
    """
    needed = rows.join(pl.concat([pairs["row"], pairs["plain_row"]]).unique().to_frame(), on="row", how="semi")
    tokens = (
        needed.lazy()
        .select("row", token=pl.col("text").str.extract_all(COMPOUND.pattern))
        .explode("token")
        .drop_nulls("token")
        .with_columns(token=plain_spelling(pl.col("token")))
        .filter(~pl.col("token").is_in(sorted(FUNCTION_WORDS)))
    )
    weights = (
        tokens.join(_loaded(needed).lazy(), left_on=["row", "token"], right_on=["row", "spelling"], how="anti")
        .group_by("row", "token")
        .agg(n=pl.len())
        .sort("row", "token")  # sums are then the same to the last digit, whenever they are made
        .join(frequency.lazy(), on="token", how="left", maintain_order="left")
        .with_columns(pl.col("sentences").fill_null(1))
        .with_columns(weight=(1 + pl.col("n").log()) * (1 + (rows.height / pl.col("sentences")).log()))
        .select("row", "token", weight=pl.col("weight") / (pl.col("weight") ** 2).sum().sqrt().over("row"))
        .collect()
    )
    both = pairs.select("row", "plain_row").with_row_index("pair")
    return (
        both.join(weights, on="row", maintain_order="left_right")
        .join(
            weights, left_on=["plain_row", "token"], right_on=["row", "token"], suffix="_there", maintain_order="left"
        )
        .group_by("pair", maintain_order=True)  # or the last digits depend on how busy the machine is
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
