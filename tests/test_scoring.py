"""Models load, score and show themselves as the contract says."""

from __future__ import annotations

import datetime
import html
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loadedwords
from loadedwords.errors import DataError, ModelError
from loadedwords.models.bundle import EMBEDDED, open_bundle
from loadedwords.models.onnx_scorer import MAX_LENGTH, OVERLAP, OnnxScorer
from loadedwords.schema import Article
from loadedwords.scoring import FramingModel
from loadedwords.scoring import model as scoring
from loadedwords.text import prepare_text
from loadedwords.training.labels import Labels
from loadedwords.training.linear import LinearFramingClassifier
from loadedwords.training.recipe import Recipe
from loadedwords.training.release import fit_linear

TEXT = "The reckless regime sneered at its critics. “This is an outrageous escapade,” said Ann Lee.\n\nThe **shameless** puppets &amp; cronies fled. “All of it is a lie.”\n\nAdvertisement"


@pytest.fixture(scope="module")
def model() -> FramingModel:
    return loadedwords.load_model()


QUOTING = (
    ("“The road will be open again in June,” the office said on Monday in a letter to the council.", False),
    ("“The mayor is a crooked puppet and his cronies are vile liars,” the office said in a letter.", True),
    ("The shameless, crooked regime and its vile cronies, who told the court they “met on Monday”, sneered at the grieving families.", False),
    ("The shameless, crooked regime and its vile cronies, who called it a “monstrous fraud by traitors”, sneered at the grieving families.", True),
)  # fmt: skip


@pytest.mark.parametrize(("text", "apart"), QUOTING)
def test_own_words_are_scored_apart_where_the_quotation_can_matter(model: FramingModel, text: str, apart: bool) -> None:
    (sentence,) = model.score_text(text).sentences
    assert sentence.voice == "mixed"
    (prepared,) = prepare_text(text).sentences
    alone = float(model.p_loaded([prepared.own_text])[0])
    assert sentence.p_own == pytest.approx(alone if apart else sentence.p_loaded, abs=1e-6)
    assert abs(alone - sentence.p_loaded) > 1e-6  # so that the line above tells the two apart


def test_what_is_near_the_threshold_is_so_at_the_prevalence_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    usual = scoring.scored_apart
    monkeypatch.setattr(scoring, "scored_apart", lambda s, p, *rest: seen.append(p) or usual(s, p, *rest))
    for prevalence in (None, 0.6):
        loadedwords.load_model("linear", prevalence=prevalence).score_text("The regime is “a puppet”, he said.")
    assert seen[0] < seen[1]


def test_sparing_a_second_score_changes_next_to_nothing(
    model: FramingModel, real_articles: list[dict[str, Any]]
) -> None:
    texts = [article["text"] for article in real_articles[:60]]
    prepared = [s for text in texts for s in prepare_text(text).sentences if s.voice == "mixed"]
    alone = model._scorer.score([s.own_text for s in prepared])[0]
    given = [s.p_own for article in model.score_articles(texts) for s in article.sentences if s.voice == "mixed"]
    off = np.array(given, dtype=float) - alone
    assert 0.2 < (off != 0).mean() < 0.8
    assert abs(off.mean()) < 0.01
    assert ((np.array(given) >= model.threshold) != (alone >= model.threshold)).mean() < 0.01


def test_the_contract(model: FramingModel) -> None:
    assert model.classes_.tolist() == ["loaded", "neutral"]
    probability = model.predict_proba(["A sentence.", "A shameless puppet regime."])
    assert probability.shape == (2, 2)
    assert probability[1, 0] > probability[0, 0]
    assert model.predict(["A shameless puppet regime."]).tolist() == ["loaded"]
    article = model.score_text(TEXT, outlet="Wire")
    assert article.outlet == "Wire"
    assert [s.voice for s in article.sentences] == ["own", "mixed", "own", "quoted"]
    assert [s.p_own is None for s in article.sentences] == [False, False, False, True]
    first = article.sentences[0]
    assert first.p_own == first.p_loaded
    assert article.n_own == 3
    assert article.loaded_share == pytest.approx(np.mean([s.p_own for s in article.sentences if s.p_own is not None]))
    assert [b.reason for b in article.boilerplate] == ["advertisement"]
    words = [w for s in article.sentences for w in s.words]
    assert all(any(expected in w.text for w in words) for expected in ("reckless", "shameless"))
    assert all(TEXT[w.start : w.end] == w.text for w in words)
    # The linear tier marks words in quotations as well; that the quotation is seen does not depend on the model.
    by_linear = loadedwords.load_model("linear").score_text(TEXT).sentences
    assert "outrageous" in {w.text for s in by_linear for w in s.words if w.in_quote}
    assert article.n_loaded_words == sum(len(w.text.split()) for w in words if not w.in_quote)
    assert article.loaded_words_per_1000 == pytest.approx(1000 * article.n_loaded_words / article.n_words)
    in_own_voice = "The reckless regime sneered at its critics said Ann Lee The shameless puppets cronies fled"
    assert article.n_words == len(in_own_voice.split())


def test_words_of_sentences_are_slices_of_them(model: FramingModel) -> None:
    sentences = ["The **shameless** regime &amp; its puppets sneered.", "He called it “shameless”.", "The council met."]
    found = model.find_loaded_words(sentences)
    assert all(s[w.start : w.end] == w.text for s, ws in zip(sentences, found, strict=True) for w in ws)
    assert any("shameless" in w.text for w in found[0])
    quoted = loadedwords.load_model("linear").find_loaded_words(sentences)[1]
    assert [w.in_quote for w in quoted if w.text == "shameless"] == [True]


@settings(deadline=None, max_examples=60)
@given(text=st.one_of(st.text(max_size=200), st.lists(st.sampled_from(TEXT.split()), max_size=40).map(" ".join)))
def test_every_word_is_where_it_says(text: str, model: FramingModel) -> None:
    article = model.score_text(text)
    for sentence in article.sentences:
        assert text[sentence.start : sentence.end] == sentence.text
        for word in sentence.words:
            assert sentence.start <= word.start < word.end <= sentence.end
            assert text[word.start : word.end] == word.text


def test_no_word_of_an_address_is_marked_or_counted(model: FramingModel) -> None:
    text = (
        "See https://example.com/shameless-thugs/brutal for more. The vile puppets of www.shameless-disgrace.org lied."
        " The vile clowns wrote to vile.thug@disgrace.example.net and brutal-thugs.com in May."
    )
    for scored in (model.score_text(text), loadedwords.load_model("linear").score_text(text)):
        marked = [word.text for s in scored.sentences for word in s.words]
        assert "vile" in " ".join(marked)
        assert not any(bad in word for word in marked for bad in ("thug", "brutal", "disgrace", "shameless", "org"))
        assert [s.n_own_words for s in scored.sentences] == [3, 5, 8]


def test_top_words_are_read_without_their_marks(model: FramingModel) -> None:
    text = "The council met. The shameless <b>regime</b> and its vile vultures of **Ashvein sneered. They lied.**"
    scored = next(model.score_articles([text]))
    assert {"shameless <b>regime", "vile vultures of **Ashvein sneered"} <= {
        w.text for s in scored.sentences for w in s.words
    }
    assert {"shameless regime", "vile vultures of ashvein sneered"} <= set(scored.top_words)


def test_articles_come_back_in_order_and_alone_as_together(coverage: list[dict[str, Any]], model: FramingModel) -> None:
    together = list(loadedwords.score_articles(coverage, model=model))
    assert [s.article.id for s in together] == [row["id"] for row in coverage]
    alone = [next(loadedwords.score_articles([row], model=model)) for row in coverage[:5]]
    assert alone == together[:5]


def windows_of(text: str, length: int, shared: int) -> list[str]:
    """The windows of a text whose words are tokens."""
    words = text.split(" ")
    starts = range(0, max(len(words) - shared, 1), length - shared)
    return [" ".join(words[start : start + length]) for start in starts]


def test_a_long_sentence_is_read_to_its_end(model: FramingModel) -> None:
    filler = "the council met in the hall on monday and read the plan "
    # Where the first window ends and the second begins, and at the very end.
    text = filler * 18 + "while the reckless regime watched " + filler * 26 + "and the shameless liar left"
    assert not set(re.findall("[^a-z ]", text))
    length, shared = MAX_LENGTH - 2, OVERLAP
    windows = windows_of(text, length, shared)
    assert len(windows) == 3
    found = model.find_loaded_words([text])[0]
    assert [text[word.start : word.end] for word in found] == [word.text for word in found]
    for loaded in ("reckless", "regime", "shameless", "liar"):
        assert any(loaded in word.text.split() for word in found), loaded
    # As loaded as the most loaded window, which alone scores the same.
    alone = model.p_loaded(windows)
    assert model.p_loaded([text])[0] == pytest.approx(alone.max(), abs=1e-9)
    assert alone.max() - np.median(alone) > 0.05
    # Every word once, with the score that it has in the window where more stands around it.
    scorer = model._scorer
    assert isinstance(scorer, OnnxScorer)
    (words,) = scorer.logits([text]).words
    assert [text[start:end] for start, end, _ in words] == text.split(" ")
    expected = []
    for number, of_window in enumerate(scorer.logits(windows).words):
        stop = None if number == len(windows) - 1 else -(shared // 2)
        expected += [log_odds for _, _, log_odds in of_window[shared // 2 if number else 0 : stop]]
    assert [log_odds for _, _, log_odds in words] == pytest.approx(expected, abs=1e-6)


def test_a_sentence_of_one_window_is_read_once(model: FramingModel) -> None:
    words = ["the", "liar", "met", "on", "monday"] * 60
    longest = " ".join(words[: MAX_LENGTH - 2])
    scorer = model._scorer
    assert isinstance(scorer, OnnxScorer)
    scorer = OnnxScorer(scorer.folder, scorer.settings, threads=1)
    runs = []
    session = scorer._session
    scorer._session = SimpleNamespace(run=lambda *given: runs.append(1) or session.run(*given))
    scorer.score([longest, longest])
    assert len(runs) == 1
    scorer.score([longest + " again"])
    assert len(runs) == 3


def test_the_linear_model_reads_on() -> None:
    linear = loadedwords.load_model("linear")
    text = "a " * 2000 + "the shameless regime"
    (words,) = linear._scorer.logits([text]).words
    assert [text[start:end] for start, end, _ in words[-3:]] == ["the", "shameless", "regime"]


def test_a_quoted_slur_does_not_count_towards_the_outlet(model: FramingModel) -> None:
    own = model.score_text("Mr Ames is a shameless liar and a puppet.")
    quoted = model.score_text("“Mr Ames is a shameless liar and a puppet,” she said.")
    assert quoted.loaded_share < own.loaded_share
    assert quoted.n_loaded_words == 0
    assert quoted.sentences[0].p_loaded > quoted.loaded_share


def test_the_embedded_model_cannot_tell_parties_or_faiths_by_their_names(model: FramingModel) -> None:
    """By construction: to the last digit, whatever it has learnt. Other groups it can tell."""
    alike = model.bundle.config["recipe"]["estimator"]["alike"]
    assert {"democrats", "republicans", "muslims", "christians"} <= {word for group in alike for word in group}
    for group in (*alike, ["fanatics", "teachers"]):
        sentences = [f"The {word.capitalize()} who stormed out were furious." for word in group]
        assert (len(set(model.p_loaded(sentences).tolist())) == 1) == (group in alike)
        found = [[(word.text, word.kind) for word in words if word.text != named.capitalize()]
                 for named, words in zip(group, model.find_loaded_words(sentences), strict=True)]  # fmt: skip
        assert group not in alike or (found[0] and all(words == found[0] for words in found))


def test_example_outlets_are_told_apart(coverage: list[dict[str, Any]], model: FramingModel) -> None:
    outlets = loadedwords.compare_outlets(loadedwords.score_articles(coverage, model=model))
    assert outlets["outlet"][-1] == "Meridian Wire"
    rows = {row["outlet"]: row for row in outlets.to_dicts()}
    assert rows["The Daily Blare"]["ci_low"] > rows["Meridian Wire"]["ci_high"]


@pytest.mark.parametrize("wrong", ["a bare string", {"text": "one mapping"}, ["fine", None], [b"bytes"]])
@pytest.mark.parametrize("method", ["predict_proba", "find_loaded_words"])
def test_what_is_no_list_of_sentences_is_refused(wrong: Any, method: str, model: FramingModel) -> None:
    with pytest.raises(DataError, match=r"Pass a list|Write \[text\]"):
        getattr(model, method)(wrong)


def test_what_is_no_article_is_refused(model: FramingModel) -> None:
    with pytest.raises(DataError, match="has no text"):
        list(model.score_articles([{"title": "no text"}]))
    with pytest.raises(DataError, match="Article 1 is int"):
        list(model.score_articles([1]))  # type: ignore[list-item]
    with pytest.raises(DataError, match="one string"):
        model.score_text(["a", "list"])  # type: ignore[arg-type]
    for wrong in ("one text", {"text": "one mapping"}):
        with pytest.raises(DataError, match="takes a list, stream or table"):
            loadedwords.score_articles(wrong, model=model)


def test_one_article_is_no_column_of_them(model: FramingModel) -> None:
    with pytest.raises(DataError, match="batched=True"):
        model.score_columns({"text": "The regime sneered."})
    for wrong in ({"articles": None}, {"articles": [], "house": "house.toml"}):
        with pytest.raises(DataError, match=r"one NoneType|not a House"):
            loadedwords.score_articles(model=model, **wrong)


def test_an_id_counts_once_and_none_is_given_twice(model: FramingModel) -> None:
    text = "The council met."
    first, second = loadedwords.score_articles([{"id": "2", "text": text}, {"id": 2, "text": text}], model=model)
    assert (first.status, second.status) == ("ok", "error")
    assert "duplicate id '2'" in second.message
    assert second.sentences == ()
    # Those that are read in one go, and those far apart.
    many = [{"id": n % 40, "text": text} for n in range(80)]
    assert [s.status for s in model.score_articles(many)] == ["ok"] * 40 + ["error"] * 40
    for mixed in ([{"id": "2", "text": text}, text], [text, {"id": "1", "text": text}]):
        scored = list(model.score_articles(mixed))
        assert [s.status for s in scored] == ["ok", "ok"]
        assert len({s.article.id for s in scored}) == 2
    assert [s.article.id for s in model.score_articles([text, text])] == ["1", "2"]


def test_an_article_is_taken_as_it_comes_from_a_frame(model: FramingModel) -> None:
    nan: Any = float("nan")
    odd: dict[str, Any] = {"id": 3, "outlet": 5, "title": nan, "url": pd.NA, "topic": None, "date": "2026-03-04"}
    (scored,) = model.score_articles([Article(text="It met.", **odd)])
    assert scored.article == Article("3", "It met.", outlet="5", date=datetime.date(2026, 3, 4))
    assert len(loadedwords.to_polars(scored)) == 1
    assert model.score_text("It met.", outlet=nan, title=nan).outlet is None
    (of_mapping,) = model.score_articles([{"text": "It met.", "outlet": pd.NA}])
    assert of_mapping.outlet is None
    kept = Article("-", "It met.", outlet="NA", date=datetime.date(1500, 1, 1), source="-", notes=("a note",))
    assert next(model.score_articles([kept])).article == kept
    with pytest.raises(DataError, match="text of article 1 is NoneType"):
        next(model.score_articles([Article("a", None)]))  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", ["2", 0, -1, 1.5, True])
def test_a_number_of_threads_that_is_none_is_refused(threads: Any) -> None:
    with pytest.raises(DataError, match=r"threads is .* at least 1"):
        loadedwords.load_model("linear", threads=threads)


def test_a_day_that_pandas_lacks_is_none(model: FramingModel) -> None:
    days = [pd.NaT, np.datetime64("2020-01-02"), pd.Timestamp("2020-01-02")]
    scored = model.score_articles([{"text": "It met.", "date": day} for day in days])
    assert [each.article.date for each in scored] == [None, *[datetime.date(2020, 1, 2)] * 2]


def test_what_was_read_can_be_scored_rejects_and_all(tmp_path: Path, model: FramingModel) -> None:
    (tmp_path / "x.jsonl").write_text(
        '{"id": 0, "text": "It met."}\n{broken\n{"text": "It spoke."}\n', encoding="utf-8"
    )
    scored = list(loadedwords.score_articles(loadedwords.read_articles(tmp_path / "x.jsonl"), model=model))
    assert [s.status for s in scored] == ["ok", "error", "ok"]
    assert "no valid JSON" in scored[1].message
    assert scored[0].article.id == "0"
    mapping = {"id": 0, "text": "It met.", "outlet": float("nan"), "date": "2026-03-04"}
    (of_mapping,) = loadedwords.score_articles([mapping], model=model)
    assert (of_mapping.article.id, of_mapping.outlet) == ("0", None)
    assert loadedwords.to_arrow(of_mapping)["date"].to_pylist() == [datetime.date(2026, 3, 4)]


def test_an_article_shows_itself_escaped(model: FramingModel) -> None:
    text = "The shameless <script>alert(1)</script> regime & co. sneered."
    shown = loadedwords.load_model().score_text(text, outlet="<b>Wire</b>", title="<i>T</i>")._repr_html_()
    assert "<script>" not in shown
    assert "<b>Wire" not in shown
    assert "<i>T" not in shown
    assert "<mark" in shown
    bare = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", shown))
    assert text.replace("sneered.", "sneered") in bare


def test_saved_and_loaded_it_predicts_the_same(small_bundle: Path, small_recipe: Recipe, small_data: Labels) -> None:
    fitted = fit_linear(small_recipe, small_data)
    assert isinstance(fitted, LinearFramingClassifier)
    loaded = loadedwords.load_model(small_bundle)
    plain = [text for text in small_data.table["text"] if "  " not in text]
    np.testing.assert_allclose(loaded.p_loaded(plain), fitted.p_loaded(plain), atol=1e-6)


# --- bundles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prevalence", ["a", "0.06", 0, 1.5, float("nan"), [0.5]])
def test_a_prevalence_that_is_no_share_is_refused(prevalence: Any, small_bundle: Path) -> None:
    with pytest.raises(DataError, match="it is a share between 0 and 1"):
        loadedwords.load_model(small_bundle, prevalence=prevalence)


def test_golden_scores_agree(small_bundle: Path) -> None:
    assert loadedwords.load_model(small_bundle).verify() == []
    for name in EMBEDDED:
        assert loadedwords.load_model(name).verify() == []
    assert loadedwords.load_model(small_bundle, prevalence=0.6).verify() == [], "which shifts every score that it gives"
    assert open_bundle("default").hash == open_bundle().hash != open_bundle("linear").hash


@pytest.fixture
def copy(small_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_bundle, tmp_path / "copy"))


def test_verify_sees_another_model(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["scorer"]["intercept"] += 1
    changed(**config)(copy)
    assert any("p_loaded is" in line for line in loadedwords.load_model(copy).verify())


def changed(**changes: Any) -> Any:
    """Damage that keeps the config readable."""

    def damage(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))

    return damage


def rewritten(content: str) -> Any:
    return lambda folder: (folder / "config.json").write_text(content)


SETTINGS = {"features": {"words": [1, 2], "characters": [3, 5], "bits": 60}}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "weights.npz").write_bytes(b"changed"), "hash differs"),
        (lambda folder: (folder / "weights.npz").unlink(), "lacks its file"),
        (lambda folder: (folder / "config.json").unlink(), "not a bundle"),
        (rewritten("{"), "no bundle's config"),
        (rewritten("[" * 100_000), "no bundle's config"),
        (changed(schema_version=99), "reads format 1"),
        (changed(files={}), "vouches for no"),
        (changed(files=None), "no bundle's config"),
        (changed(files={"../x": "", "golden.json": ""}), "vouches for no"),
        (changed(kind="magic"), "magic"),
        (changed(scorer={}), "no linear bundle"),
        (changed(scorer=SETTINGS), "60 bits"),
    ],
)
def test_a_damaged_bundle_is_refused(damage: Any, message: str, copy: Path) -> None:
    damage(copy)
    with pytest.raises(ModelError, match=message):
        loadedwords.load_model(copy)


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="nor a folder"):
        loadedwords.load_model("nosuch")


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_bundle_holds_no_pickle_and_says_what_it_is(name: str) -> None:
    bundle = open_bundle(name)
    if name == "linear":
        with np.load(bundle.folder / "weights.npz", allow_pickle=False) as stored:
            assert set(stored.files) == {"buckets", "weights", "squares", "names"}
    else:
        assert (bundle.folder / "model.onnx").stat().st_size <= 25_000_000
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "non-commercial" in card
    for corpus in bundle.config["corpora"]:
        assert corpus["sha256"] in card
    predictors = bundle.config["metrics"]["predictors"]
    assert predictors[name]["macro_f1"]["estimate"] > predictors["outlet's majority label"]["macro_f1"]["estimate"]
