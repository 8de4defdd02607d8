"""Text in other languages is marked and left out; English is never lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loadedwords
from loadedwords.batch import RunDescription, score_to_folder
from loadedwords.schema import Article
from loadedwords.scoring import FramingModel
from loadedwords.text import prepare_text
from loadedwords.text.language import language_of, set_aside_other_languages

ENGLISH = (
    "The council met on Tuesday to talk of the bridge and of the roads that lead to the valley. The mayor said that the work "
    "would begin in the autumn and cost less than was thought."
)
PARAGRAPHS = {
    "es": "El consejo municipal se reunió el martes para hablar del puente y de las carreteras que llevan al valle. La alcaldesa dijo que las obras empezarán en otoño y que costarán menos de lo previsto.",
    "fr": "Le conseil municipal s'est réuni mardi pour parler du pont et des routes qui mènent à la vallée. La maire a déclaré que les travaux commenceront à l'automne et coûteront moins que prévu.",
    "de": "Der Stadtrat hat am Dienstag über die Brücke und die Straßen beraten, die ins Tal führen. Die Bürgermeisterin sagte, die Arbeiten würden im Herbst beginnen und weniger kosten als geplant.",
    "it": "Il consiglio comunale si è riunito martedì per parlare del ponte e delle strade che portano alla valle. La sindaca ha detto che i lavori inizieranno in autunno e costeranno meno del previsto.",
    "pt": "A câmara municipal reuniu-se na terça-feira para falar da ponte e das estradas que levam ao vale. A presidente disse que as obras começam no outono e vão custar menos do que o previsto.",
    "nl": "De gemeenteraad kwam dinsdag bijeen om te praten over de brug en de wegen die naar het dal leiden. De burgemeester zei dat het werk in de herfst begint en minder kost dan verwacht.",
    "sv": "Kommunfullmäktige möttes på tisdagen för att tala om bron och vägarna som leder till dalen. Borgmästaren sade att arbetet börjar i höst och kostar mindre än väntat.",
    "da": "Byrådet mødtes tirsdag for at tale om broen og vejene, der fører til dalen. Borgmesteren sagde, at arbejdet begynder til efteråret og koster mindre end ventet for byen.",
    "pl": "Rada miasta zebrała się we wtorek, aby porozmawiać o moście i drogach prowadzących do doliny. Burmistrzyni powiedziała, że prace rozpoczną się jesienią i będą kosztować mniej.",
    "tr": "Belediye meclisi salı günü köprüyü ve vadiye giden yolları konuşmak için toplandı. Belediye başkanı, çalışmaların sonbaharda başlayacağını ve beklenenden daha ucuza mal olacağını söyledi.",
    "ru": "Городской совет собрался во вторник, чтобы обсудить мост и дороги, ведущие в долину. Мэр сказала, что работы начнутся осенью и обойдутся дешевле.",
    "ja": "市議会は火曜日、谷へ通じる橋と道路について話し合うために開かれた。市長は、工事は秋に始まり、費用は予想より少ないと述べた。住民は歓迎した。",
}
LISTS = [
    "Ann Lee, Tom Hale, Kim Oz, Sven Moe, Rosa García, José Hernández, Luis Peña, Jürgen Groß, Émile Dubois, Søren Holm, Paulo Souza, "
    "Zoë Brandt, Carmen Núñez, Iñigo Ruiz, Ana Sofía Vega, Pietro Bianchi, Jan de Vries, Marek Nowak.",
    "1 Lee 52 37 15 2 Hale 53 41 12 3 Oz 51 40 11 4 Moe 53 41 12 5 Vega 52 44 8 6 Ruiz 47 38 9 7 Holm 50 36 14 8 Nowak 51.1 39.6 11.5 "
    "9 Groß 44 41 3 10 Dubois 43 40 3 11 Souza 39 36 3",
    "Replay More Videos ... MUST WATCH Lee gives kudos to Hale, Oz on bridge deal 02:00 JUST WATCHED Moe asks council to move bridge "
    "off terror list Replay More Videos ... MUST WATCH 00:45",
]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> FramingModel:
    return loadedwords.load_model("linear")


@pytest.mark.parametrize("code", PARAGRAPHS)
def test_a_paragraph_tells_its_language(code: str) -> None:
    assert language_of(PARAGRAPHS[code]) == code


@pytest.mark.parametrize("code", ["fr", "de", "it", "nl", "sv", "pl", "tr"])
def test_a_short_paragraph_tells_it_too(code: str, model: FramingModel) -> None:
    short = PARAGRAPHS[code].partition(". ")[0] + "."
    assert language_of(short) == code
    scored = model.score_text(f"{ENGLISH}\n\n{short}\n\n{ENGLISH}")
    assert [passage.text for passage in scored.boilerplate] == [short]


def test_english_is_told_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadedwords.text.language._identifier", lambda: pytest.fail("it was asked about"))
    assert language_of(ENGLISH) == "en"
    assert language_of(LISTS[0]) is None
    assert language_of("¡Qué vergüenza!") is None
    assert language_of("") is None


@pytest.mark.parametrize("text", LISTS)
def test_a_list_is_no_foreign_language(text: str) -> None:
    assert language_of(text) in (None, "en")
    prepared = prepare_text(f"{ENGLISH}\n\n{text}\n\n{ENGLISH}")
    assert set_aside_other_languages(prepared, "") == (prepared, "en")


@pytest.mark.parametrize("code", ["es", "de", "ru", "ja"])
def test_an_article_in_another_language_is_empty_and_says_why(code: str, model: FramingModel) -> None:
    names = {"es": "Spanish", "de": "German", "ru": "Russian", "ja": "Japanese"}
    text = f"{PARAGRAPHS[code]}\n\n1. Ann Lee\n\n{PARAGRAPHS[code]}"
    scored = model.score_text(text, outlet="Dale Ledger", title=PARAGRAPHS[code][:30])
    assert (scored.status, scored.language) == ("empty", code)
    assert scored.message == f"in {names[code]}; the model reads English"
    assert (scored.n_sentences, scored.n_own, scored.title_sentences) == (0, 0, ())
    assert {passage.reason for passage in scored.boilerplate} == {f"in {names[code]}"}
    assert all(text[passage.start : passage.end] == passage.text for passage in scored.boilerplate)


def test_a_passage_in_another_language_is_left_out_of_an_english_article(model: FramingModel) -> None:
    text = f"{ENGLISH}\n\n{PARAGRAPHS['es']}\n\nIt rained.\n\n{ENGLISH}"
    scored, alone = model.score_text(text), model.score_text(f"{ENGLISH}\n\nIt rained.\n\n{ENGLISH}")
    assert (scored.status, scored.language, scored.message) == ("ok", "en", "")
    assert [passage.reason for passage in scored.boilerplate] == ["in Spanish"] * 2
    assert [s.text for s in scored.sentences] == [s.text for s in alone.sentences]
    assert scored.loaded_share == alone.loaded_share


def test_english_in_an_article_in_another_language_is_kept(model: FramingModel) -> None:
    scored = model.score_text("\n\n".join([PARAGRAPHS["fr"], PARAGRAPHS["fr"], ENGLISH, PARAGRAPHS["fr"]]))
    assert (scored.status, scored.language, scored.n_sentences) == ("ok", "fr", 2)


def test_other_languages_are_scored_where_that_is_asked_for() -> None:
    scored = loadedwords.load_model("linear", other_languages="count").score_text(PARAGRAPHS["es"], title="El puente")
    assert (scored.status, scored.language) == ("ok", "es")
    assert (scored.n_own, len(scored.title_sentences)) == (2, 1)


def test_a_run_counts_them(tmp_path: Path) -> None:
    texts = [ENGLISH, PARAGRAPHS["es"], PARAGRAPHS["de"]]
    stream = (Article(str(n), text, outlet="Dale Ledger") for n, text in enumerate(texts))
    summary = score_to_folder(stream, tmp_path / "scores", description=RunDescription(["x"]), model="linear")
    assert (summary.counts.articles, summary.counts.other_languages, summary.counts.empty) == (3, 2, 2)


@given(st.lists(st.sampled_from([ENGLISH, *PARAGRAPHS.values(), *LISTS, "It rained.", "Llovió.", "\n", "Ann Lee"])))
def test_every_sentence_is_kept_or_left_out_and_english_is_kept(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    before = prepare_text(text)
    after, _ = set_aside_other_languages(before, text)
    places = sorted((passage.start, passage.end) for passage in (*after.sentences, *after.boilerplate))
    assert places == sorted((passage.start, passage.end) for passage in (*before.sentences, *before.boilerplate))
    assert sum(
        sentence.text in ENGLISH for sentence in after.sentences if len(sentence.text) > 60
    ) == 2 * paragraphs.count(ENGLISH)
