"""Own words by hand, against a second implementation, and without false alarms; other words for the same thing."""

from __future__ import annotations

from math import comb, log, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadedwords.errors import DataError
from loadedwords.outlets import other_words as other_words_room
from loadedwords.outlets import own_words as own_words_room
from loadedwords.outlets.other_words import other_words
from loadedwords.outlets.own_words import own_words

Articles = list[tuple[str, list[str]]]  # outlet, loaded words in own voice

_WORD = pl.Struct({"start": pl.Int32, "end": pl.Int32, "text": pl.String, "score": pl.Float32, "in_quote": pl.Boolean})
_SENTENCE = {
    "article_id": pl.String,
    "outlet": pl.String,
    "sentence_id": pl.Int32,
    "start": pl.Int32,
    "end": pl.Int32,
    "text": pl.String,
    "voice": pl.String,
    "words": pl.List(_WORD),
}


def sentence(article_id: str, outlet: str | None, text: str, *words: str, number: int = 0, quoted: bool = False):
    """A row of the sentences table; the words are found in the text, which starts where the article does."""
    found = [
        {"start": text.index(word), "end": text.index(word) + len(word), "text": word, "score": 0.9, "in_quote": quoted}
        for word in words
    ]
    return (article_id, outlet, number, 0, len(text), text, "quoted" if quoted else "own", found)


def tables(rows: list[tuple]) -> tuple[pl.LazyFrame, pl.DataFrame]:
    sentences = pl.DataFrame(rows, schema=_SENTENCE, orient="row")
    return sentences.lazy(), sentences.select("article_id", "outlet").unique()


def one_sentence_each(articles: Articles) -> tuple[pl.LazyFrame, pl.DataFrame]:
    return tables(
        [
            sentence(f"{k}", outlet, f"They said: {' '.join(words)}.", *words)
            for k, (outlet, words) in enumerate(articles)
        ]
    )


FIVE_EACH: Articles = [("A", ["regime"])] * 4 + [("A", ["thug"])] + [("B", ["regime"])] + [("B", ["thug"])] * 4


def test_own_words_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # A uses "regime" 4 times among 5 loaded words, B once among 5; together 5 of 10, so that of a prior of 10 it gets 5.
    # log((4 + 5) / (5 + 10 - 9)) - log((1 + 5) / (5 + 10 - 6)) = log(9 / 6) - log(6 / 9) = 2 log 1.5 = 0.81093
    # variance 1 / 9 + 1 / 6 = 0.27778, its root 0.52705, z = 0.81093 / 0.52705 = 1.53863
    # Of 5 uses 4 are on one of two equal sides: Clopper and Pearson's interval of that share is 0.28358 .. 0.99495, its
    # log odds -0.92676 .. 5.28315.
    # At least 4 of 5 uses on one of two equal sides: (5 + 1) / 32 = 0.1875, twice that 0.375.
    # Four tests (two words, two outlets), two of them at 0.375: 0.375 * 4 / 2 = 0.75.
    monkeypatch.setattr(own_words_room, "PRIOR", 10.0)
    words = own_words(*one_sentence_each(FIVE_EACH), min_articles=2)
    assert words.select("outlet", "word").rows() == [("A", "regime"), ("B", "thug")]
    row = words.row(0, named=True)
    assert (row["n"], row["n_articles"], row["n_elsewhere"], row["n_articles_elsewhere"]) == (4, 4, 1, 1)
    assert (row["per_1000"], row["per_1000_elsewhere"]) == pytest.approx((800, 200))
    assert (row["n_loaded_words"], row["outlet_articles"], row["design_effect"]) == pytest.approx((5, 5, 1.0))
    assert row["log_odds"] == pytest.approx(0.81093, abs=1e-5)
    assert row["z_score"] == pytest.approx(1.53863, abs=1e-5)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-0.92676, 5.28315), abs=1e-5)
    assert (row["p_value"], row["p_adjusted"]) == pytest.approx((0.375, 0.75))


def test_the_only_loaded_word_is_nobodys_own() -> None:
    words = own_words(*one_sentence_each([("A", ["reckless"])] * 10 + [("B", ["reckless"])] * 4), min_articles=2)
    assert words.is_empty()


def test_an_interval_says_what_its_p_value_says() -> None:
    alone = [("A", ["regime", "mob"])] * 8 + [("B", ["mob", "mob"])] * 8
    row = own_words(*one_sentence_each(alone), min_articles=2).filter(pl.col("word") == "regime").row(0, named=True)
    assert row["p_value"] < 0.05
    assert row["ci_low"] > 0
    assert row["ci_high"] is None, "nobody else uses it: how much more often has no upper end"


def test_what_repeats_in_an_article_counts_less() -> None:
    # A's 8 articles have 3 loaded words each. One says "regime" 3 times: its share is 3 / 24 = 1/8, so that 3/8 were to
    # be expected of each. Squares: (3 - 3/8)^2 + 7 (3/8)^2 = 6.890625 + 0.984375 = 7.875, times 8/7 = 9;
    # independent uses: 3 * 7/8 * 24/23 = 2.73913. Design effect 9 / 2.73913 = 3.28571: three uses count for 0.913.
    others = ["thug", "sneered", "puppet"]
    articles: Articles = [("A", ["regime"] * 3), *[("A", others)] * 7, *[("B", ["regime", *others])] * 4]
    uses = own_words_room._own_voice_words(*one_sentence_each(articles))
    row = own_words_room._score_words(uses, 500.0, 2).row(
        by_predicate=(pl.col("word") == "regime") & (pl.col("outlet") == "A"), named=True
    )
    assert row["design_effect"] == pytest.approx(3.28571, abs=1e-5)


def from_the_paper(articles: Articles, events: list[int], prior: float) -> dict[tuple[str, str], dict[str, float]]:
    """Each outlet against all others, event by event, with nothing shared with the module but the formulas."""
    figures = {}

    def by_event(outlets: set[str]) -> list[list[str]]:
        told: dict[int, list[str]] = {}
        for (outlet, words), event in zip(articles, events, strict=True):
            if words and outlet in outlets:
                told.setdefault(event, []).extend(words)
        return list(told.values())

    everybody = {outlet for outlet, _ in articles}
    pooled = [word for _, words in articles for word in words]
    for outlet in everybody:
        sides = [({outlet}, by_event({outlet})), (everybody - {outlet}, by_event(everybody - {outlet}))]
        if len(sides[0][1]) < 2 or len(sides[1][1]) < 2:
            continue
        for word in {word for words in sides[0][1] for word in words}:
            if sum(word in words for words in by_event(everybody)) < 5 or pooled.count(word) == len(pooled):
                continue
            alpha = prior * pooled.count(word) / len(pooled)
            counted = []
            for outlets, side in sides:
                uses = sum(words.count(word) for words in side)
                total = sum(len(words) for words in side)
                share = uses / total
                told = [
                    (of, event)
                    for (of, words), event in zip(articles, events, strict=True)
                    if of in outlets and word in words
                ]
                effect = len(told) / max(1, len(set(told))) or 1.0
                if 0 < share < 1:
                    apart = sum((words.count(word) - share * len(words)) ** 2 for words in side)
                    clustered = apart * len(side) / (len(side) - 1)
                    effect = max(effect, clustered / (uses * (1 - share) * total / (total - 1)))
                counted.append((uses / effect + alpha, total / effect + prior))
            (y_i, n_i), (y_j, n_j) = counted
            delta = log(y_i / (n_i - y_i)) - log(y_j / (n_j - y_j))
            figures[outlet, word] = {"log_odds": delta, "z_score": delta / sqrt(1 / y_i + 1 / y_j)}
    return figures


@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.lists(st.sampled_from(["regime", "thug", "sham"]), max_size=6)),
        max_size=24,
    ),
    st.lists(st.integers(0, 11), min_size=24, max_size=24) | st.just(list(range(24))),
    st.sampled_from([1.0, 50.0]),
)
@settings(max_examples=120, deadline=None)
def test_agrees_with_a_loop_written_from_the_paper(articles: Articles, events: list[int], prior: float) -> None:
    expected = from_the_paper(articles, events[: len(articles)], prior)
    sentences, known = one_sentence_each(articles)
    known = known.with_columns(event_id=pl.Series([f"{events[int(k)]}" for k in known["article_id"]], dtype=pl.String))
    uses = own_words_room._own_voice_words(sentences, known)
    scored = {
        (row["outlet"], row["word"]): row for row in own_words_room._score_words(uses, prior, 2).iter_rows(named=True)
    }
    assert scored.keys() == expected.keys()
    for pair, figures in expected.items():
        assert {name: scored[pair][name] for name in figures} == pytest.approx(figures, abs=1e-9)


@given(uses=st.integers(1, 12), elsewhere=st.integers(0, 12), total=st.integers(20, 60), others=st.integers(20, 60))
def test_chance_is_the_binomial_tail(uses: int, elsewhere: int, total: int, others: int) -> None:
    here = total / (total + others)
    both = uses + elsewhere
    tail = sum(comb(both, k) * here**k * (1 - here) ** (both - k) for k in range(uses, both + 1))
    counts = [np.array([float(count)]) for count in (uses, total, elsewhere, others)]
    assert own_words_room._more_by_chance(*counts)[0] == pytest.approx(min(1.0, 2 * tail))


def test_no_difference_gives_few_false_alarms() -> None:
    # Every article has a mix of its own around one mix for all, and a length of its own: no outlet differs.
    rng = np.random.default_rng(7)
    shares = rng.dirichlet(np.full(60, 2.0))
    beyond, beyond_as_independent, chance = [], [], []
    for _ in range(4):
        rows = []
        for article in range(240):
            length = 1 + rng.poisson(rng.lognormal(2.3, 0.6))
            drawn = rng.multinomial(length, rng.dirichlet(shares * 12))
            rows += [(f"{article % 4}", article, f"w{k}") for k in np.repeat(np.arange(60), drawn)]
        uses = pl.DataFrame(rows, schema=["outlet", "cluster", "word"], orient="row").with_columns(
            article_id=pl.col("cluster")
        )
        scored = own_words_room._score_words(uses, 20.0, 10)
        beyond += (scored["z_score"].abs() > 1.96).to_list()
        chance += (scored["p_value"] < 0.05).to_list()
        y, total, rest = (scored[name].to_numpy().astype(float) for name in ("n", "n_loaded_words", "n_elsewhere"))
        alpha = 20.0 * (y + rest) / uses.height
        as_independent = own_words_room.log_odds_ratio(y, total, rest, uses.height - total, alpha=alpha, prior=20.0)
        beyond_as_independent += (np.abs(as_independent[0] / as_independent[1]) > 1.96).tolist()
    assert len(beyond) > 900
    assert np.mean(beyond_as_independent) > 0.10  # what the paper's variance would have shouted about
    assert 0.02 < np.mean(beyond) < 0.065
    assert np.mean(chance) < 0.05


@pytest.mark.parametrize("column", ["text_digest", "event_id"])
def test_what_an_outlet_prints_again_makes_no_word_surer(column: str) -> None:
    plain = ["sham", "thug", "puppet", "sneered"]
    theirs: Articles = [("B", ["regime"] * (k < 2) + [plain[k % 4]] * 2) for k in range(12)]

    def scored(copies: int) -> pl.DataFrame:
        own: Articles = [("A", ["rigged"] * (k < 4) + ["regime"] * (k < 7) + [plain[k % 4]]) for k in range(12)]
        sentences, articles = one_sentence_each(own * copies + theirs)
        text = pl.when(pl.col("outlet") == "A").then(pl.col("article_id").cast(pl.Int64) % 12)
        alike = articles.with_columns(text.cast(pl.String).alias(column))
        return own_words_room._score_words(own_words_room._own_voice_words(sentences, alike), 500.0, 2)

    once, often = (
        scored(copies).row(by_predicate=(pl.col("word") == "regime") & (pl.col("outlet") == "A"), named=True)
        for copies in (1, 5)
    )
    assert (often["n"], often["n_articles"], often["users"], often["outlet_articles"]) == (35, 35, 7, 60)
    assert often["p_value"] == pytest.approx(once["p_value"], rel=0.05)
    assert "rigged" not in scored(5)["word"].to_list(), "four texts have it, however often they are printed"


def test_a_word_that_an_outlet_does_favour_is_found() -> None:
    plain = ["sham", "thug", "puppet", "sneered"]
    articles: Articles = [("A", ["regime", plain[k % 4]]) for k in range(30)] + [
        ("B", ["regime"] * (k % 10 == 0) + [plain[k % 4], plain[(k + 1) % 4]]) for k in range(30)
    ]
    words = own_words(*one_sentence_each(articles)).filter(pl.col("p_adjusted") < 0.05)
    assert words.select("outlet", "word").rows() == [("A", "regime")]


def test_spellings_are_one_word_and_contractions_none() -> None:
    rows = [
        sentence(f"a{k}", "A", f"{said} it won’t.", said, "won’t")
        for k, said in enumerate(["Regime’s", "REGIME", "regime's", "*re*gime", "<b>Reg</b>ime"])
    ]
    rows += [sentence(f"b{k}", "B", "A thug, a regime.", "thug", "regime") for k in range(5)]
    words = own_words(*tables(rows), min_articles=2)
    assert words.filter(pl.col("outlet") == "A").select("word", "n", "n_loaded_words").rows() == [("regime", 5, 5)]


def test_words_of_others_do_not_count() -> None:
    own = [sentence(f"{k}", outlet, f"A {word}.", word) for k, (outlet, (word,)) in enumerate(FIVE_EACH)]
    quoted = [sentence(f"{k}", "A", "A sham.", "sham", number=1, quoted=True) for k in range(5)]
    assert own_words(*tables(own + quoted), min_articles=2).equals(own_words(*tables(own), min_articles=2))


def test_the_articles_table_says_whose_words_they_are() -> None:
    sentences, articles = one_sentence_each(FIVE_EACH)
    renamed = articles.with_columns(outlet=pl.col("outlet").replace({"A": "The A Times"}))
    assert own_words(sentences, renamed, min_articles=2)["outlet"].to_list() == ["B", "The A Times"]
    unnamed = articles.with_columns(outlet=pl.lit(None, pl.String))
    assert own_words(sentences, unnamed, min_articles=2).equals(own_words(sentences, articles, min_articles=2))
    fewer = articles.filter(pl.col("article_id") != "0")
    assert "regime" not in own_words(sentences, fewer, min_articles=2)["word"].to_list()  # 4 articles are left with it


def test_examples_are_sentences_of_different_articles() -> None:
    rows = [
        sentence(f"{outlet}{k}", outlet, f"{outlet} said in {k}.{n} that a {word} stood.", word, number=n)
        for outlet, word in (("A", "regime"), ("B", "thug"))
        for k in range(5)
        for n in range(2)
    ]
    for row in own_words(*tables(rows), min_articles=2).iter_rows(named=True):
        assert len({example["article_id"] for example in row["examples"]}) == 3
        for example in row["examples"]:
            assert example["article_id"].startswith(row["outlet"])
            assert row["word"] in example["text"]
            assert example["text"].startswith(f"{row['outlet']} said in {example['article_id'][1:]}.")


def test_most_and_min_articles_limit_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    tabled = one_sentence_each(FIVE_EACH * 3 + [("C", ["regime"])])
    assert own_words(*tabled).height == 2
    assert own_words(*tabled, min_articles=16).is_empty()
    many: Articles = [("A", ["regime", "sham"])] * 6 + [("B", ["thug", "puppet"])] * 6
    monkeypatch.setattr(own_words_room, "MOST_WORDS", 1)
    assert own_words(*one_sentence_each(many), min_articles=2)["outlet"].to_list() == ["A", "B"]


def test_one_article_has_no_spread_to_judge_by() -> None:
    tabled = one_sentence_each([("A", ["regime"] * 9), *FIVE_EACH[5:], *FIVE_EACH[5:]])
    assert own_words(*tabled, min_articles=1)["outlet"].unique().to_list() == []
    tabled = one_sentence_each([("C", ["regime"] * 9), *FIVE_EACH])
    assert own_words(*tabled, min_articles=1).equals(own_words(*tabled, min_articles=2))


@pytest.mark.parametrize("articles", [[], FIVE_EACH[:5]], ids=["nothing", "one outlet"])
def test_nobody_to_be_held_against(articles: Articles) -> None:
    words = own_words(*one_sentence_each(articles), min_articles=2)
    assert words.is_empty()
    assert words.schema["examples"] == pl.List(pl.Struct({"article_id": pl.String, "text": pl.String}))


def test_refuses_what_makes_no_sense() -> None:
    sentences, articles = one_sentence_each(FIVE_EACH)
    with pytest.raises(DataError, match="lacks the columns words"):
        own_words(sentences.drop("words"), articles)
    with pytest.raises(DataError, match="lacks the columns article_id"):
        own_words(sentences, articles.drop("article_id"))


def told(
    here: str, there: str, *words: str, event: str = "e1", outlets: tuple[str, str] = ("A", "B"), quoted: bool = False
) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """One event: a sentence of A with loaded words, and a sentence of B without."""
    a, b = (f"{event}{outlet}{place}" for place, outlet in enumerate(outlets))
    sentences, articles = tables([sentence(a, outlets[0], here, *words, quoted=quoted), sentence(b, outlets[1], there)])
    if quoted:  # somebody is quoted, but the outlet speaks too
        sentences = sentences.with_columns(voice=pl.lit("mixed"))
    return sentences, articles.with_columns(event_id=pl.lit(event))


@pytest.mark.parametrize(
    ("here", "there", "word", "plain"),
    [
        ("Envoys urged the regime in Ruritania to talk.", "Envoys urged the government in Ruritania to talk.", "regime", "government"),
        ("On Monday Ruritania slapped duties on its imports.", "Ruritania imposed duties on all imports.", "slapped", "imposed"),
        ("Rescuers left the embattled harbour mayor behind.", "Rescuers left the harbour mayor behind.", "embattled", None),
        ("The mayor angrily denied taking any money.", "The mayor denied taking money.", "angrily", None),
        ("“It burns,” the mayor snarled at reporters on Friday.", "“It burns,” the mayor shouted at reporters on Friday.", None, None),
        ("The mayor’s regime in Ruritania “fell apart.”", "The mayor’s council in Ruritania “fell apart.”", "regime", "council"),
    ],
    ids=["noun", "verb", "qualifier", "adverb", "nothing marked", "beside a quotation"],
)  # fmt: skip
def test_same_thing_other_word(here: str, there: str, word: str | None, plain: str | None) -> None:
    found = other_words(*told(here, there, *([word] if word else [])))
    assert found.select("word", "plain_word").rows() == ([(word, plain)] if word else [])
    if word:
        row = found.row(0, named=True)
        assert (row["event_id"], row["outlet"], row["plain_outlet"]) == ("e1", "A", "B")
        assert (row["sentence"], row["plain_sentence"]) == (here, there)
        assert (row["article_id"], row["plain_article_id"], row["n_sentences"]) == ("e1A0", "e1B1", 2)
        assert 0 < row["similarity"] <= 1


def test_similarity_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # Beside the loaded word and words like "the", A has envoys, urged, talk and B envoys, urged, ruler, rest: two in
    # common. Weights are 1 + log(2 / sentences with it): 1 for those in both, 1 + log 2 = 1.69315 for the others.
    # 2 / sqrt(2 + 1.69315^2) / sqrt(2 + 2 * 1.69315^2) = 2 / (2.20597 * 2.78096)
    sentences, articles = told("Envoys urged the tyrant to talk.", "Envoys urged the ruler to rest.", "tyrant")
    # "envoys" and "urged" stand before the word in both: two thirds of the least similarity are enough.
    monkeypatch.setattr(other_words_room, "SIMILARITY", 0.486)
    found = other_words(sentences, articles)  # 0.324, below 0.32601
    assert found["similarity"].to_list() == pytest.approx([2 / (2.20597 * 2.78096)], abs=1e-5)
    monkeypatch.setattr(other_words_room, "SIMILARITY", 0.495)
    assert other_words(sentences, articles).is_empty()  # 0.33, above


HERE, THERE = "Envoys urged the regime in Ruritania to talk.", "Envoys urged the government in Ruritania to talk."


@pytest.mark.parametrize(
    ("here", "there", "word"),
    [
        (HERE, "Envoys urged the government of Ruritania to talk.", "regime"),
        (HERE, "Envoys urged the regime in Ruritania to talk.", "regime"),
        (HERE, "Envoys urged the “government” in Ruritania to talk.", "regime"),
        (HERE, "Envoys urged the Parliament in Ruritania to talk.", "regime"),
        ("The mayor slammed the council today.", "The mayor running the council today.", "slammed"),
        ("The mayor blasted the council today.", "The mayor the council today.", "blasted"),
        ("Soon we urged the regime in Ruritania to talk.", "Soon we urged the government in Ruritania to talk.", "regime"),
        ("Ships hit by terrorism in the bay turned.", "Ships hit by terror in the bay turned.", "terrorism"),
        ("The mayor won't urge the council to talk.", "The mayor may urge the council to talk.", "won't"),
    ],
    ids=["other neighbours", "the same word", "quoted", "a name", "another form", "a verb left out", "speech", "one stem", "contraction"],
)  # fmt: skip
def test_what_is_not_the_same_thing(here: str, there: str, word: str) -> None:
    assert other_words(*told(here, there, word)).is_empty()


def test_only_within_an_event_between_outlets_in_own_voice() -> None:
    sentences, articles = told(HERE, THERE, "regime")
    assert other_words(sentences, articles).height == 1
    assert other_words(sentences, articles.with_columns(event_id=pl.col("article_id"))).is_empty()
    assert other_words(sentences, articles.with_columns(event_id=pl.lit(None, pl.String))).is_empty()
    assert other_words(sentences, articles.with_columns(outlet=pl.lit("One family"))).is_empty()
    assert other_words(*told(f"“{HERE}”", THERE, "regime", quoted=True)).is_empty()
    for reported in (HERE, THERE):
        voice = pl.when(pl.col("text") == reported).then(pl.lit("quoted")).otherwise("voice")
        assert other_words(sentences.with_columns(voice=voice), articles).is_empty()


def test_other_words_refuse_what_makes_no_sense() -> None:
    sentences, articles = told(HERE, THERE, "regime")
    with pytest.raises(DataError, match="lacks the columns event_id"):
        other_words(sentences, articles.drop("event_id"))
    with pytest.raises(DataError, match="lacks the columns voice"):
        other_words(sentences.drop("voice"), articles)
