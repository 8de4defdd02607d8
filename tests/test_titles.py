"""Titles and standfirsts are scored apart from the text, what stands twice is counted once, and the text's figures stay."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from loadedwords import load_model, score_articles
from loadedwords.articles import read_articles
from loadedwords.articles.texts import title_and_standfirst
from loadedwords.batch import RunDescription, score_to_folder
from loadedwords.cli import main
from loadedwords.errors import DataError, OutputError
from loadedwords.house import House, read_house
from loadedwords.lint import lint_text, read_documents
from loadedwords.lint.findings import lint_document
from loadedwords.outlets import compare_outlets, load_articles
from loadedwords.outlets.intervals import interval_of_sums
from loadedwords.report import write_report
from loadedwords.schema import Article, ScoredArticle, article_row
from loadedwords.scoring import FramingModel
from loadedwords.text import prepare_article
from pages import Page

TITLE = "Shameless regime rams plan through"
STANDFIRST = "The reckless scheme has cronies cheering. Nobody else was asked."
TEXT = "The council met on Tuesday.\n\nIt voted on the budget, and the mayor left."


@pytest.fixture(scope="module")
def model() -> FramingModel:
    return load_model("linear")


def score(model: FramingModel, text: str = TEXT, **fields: Any) -> ScoredArticle:
    return next(model.score_articles([Article("a", text, **fields)]))


def without(scored: ScoredArticle, *fields: str) -> ScoredArticle:
    """The figures of the text alone."""
    bare = replace(scored.article, title=None, standfirst=None)
    return replace(scored, article=bare, title_sentences=(), standfirst_sentences=())


def test_title_and_standfirst_have_scores_of_their_own_and_the_texts_stay(model: FramingModel) -> None:
    scored = score(model, title=TITLE, standfirst=STANDFIRST)
    assert without(scored) == score(model)
    (title,) = scored.title_sentences
    assert title.p_loaded == model.p_loaded([TITLE])[0] == title.p_own
    assert title.words
    for word in title.words:
        assert TITLE[word.start : word.end] == word.text
    assert [s.text for s in scored.standfirst_sentences] == STANDFIRST.replace(". ", ".\n").split("\n")
    row = article_row(scored)
    assert (row["title_p_loaded"], row["title_p_own"]) == (title.p_loaded, title.p_own)
    both = model.p_loaded([s.text for s in scored.standfirst_sentences])
    assert row["standfirst_p_own"] == pytest.approx(both.mean())
    assert row["standfirst"] == STANDFIRST
    assert [w["text"] for w in row["title_words"]] == [w.text for w in title.words]
    for word in row["standfirst_words"]:
        assert STANDFIRST[word["start"] : word["end"]] == word["text"]


@given(
    title=st.text(max_size=40),
    standfirst=st.text(max_size=80),
    text=st.text(st.sampled_from("ab .\n“”") | st.characters(codec="utf-8"), max_size=200),
)
def test_offsets_are_true_and_nothing_is_lost(title: str, standfirst: str, text: str) -> None:
    prepared = prepare_article(Article("a", text, title=title, standfirst=standfirst))
    bare = prepare_article(Article("a", text)).text
    left_out = [b for b in prepared.text.boilerplate if b.reason == "title"]
    assert len(prepared.text.sentences) + len(prepared.text.boilerplate) <= len(bare.sentences) + len(bare.boilerplate)
    assert set(prepared.text.sentences) <= set(bare.sentences)
    if not left_out:
        assert prepared.text == bare
    for passage in left_out:
        assert text[passage.start : passage.end] == passage.text
    assert bool(prepared.text.sentences) == bool(bare.sentences), "a text is never emptied"
    for source, sentences in ((title, prepared.title), (standfirst, prepared.standfirst)):
        for sentence in sentences:
            assert 0 <= sentence.start < sentence.end <= len(source)
    assert len(prepared.title) <= 1


@pytest.mark.parametrize(
    ("title", "voice", "said"),
    [
        ("Washington D.C. mayor bows to cronies. Again", "own", "Washington D.C. mayor bows to cronies. Again"),
        ("  ## Shameless vote \n", "own", "Shameless vote"),
        ("Shameless ‘reform’ hits the poor", "own", "Shameless ‘reform’ hits the poor"),
        ("“They lied to all of us”", "quoted", "“They lied to all of us”"),
        ("‘They lied to all of us’: widow speaks of the mine", "mixed", "‘They lied to all of us’: widow speaks of the mine"),
    ],
)  # fmt: skip
def test_a_title_is_one_sentence_with_its_voice(title: str, voice: str, said: str, model: FramingModel) -> None:
    (sentence,) = score(model, title=title).title_sentences
    assert (sentence.text, sentence.voice) == (said, voice)
    assert title[sentence.start : sentence.end] == said
    assert (sentence.p_own is None) == (voice == "quoted")


@pytest.mark.parametrize("title", [None, "", "  ", "—", "***", "<p>"])
def test_no_title_no_score(title: str | None, model: FramingModel) -> None:
    scored = score(model, title=title)
    assert scored.title_sentences == ()
    assert article_row(scored)["title_p_own"] is None
    assert without(scored) == score(model)


@pytest.mark.parametrize(
    "text",
    [
        f"{TITLE}\n\n{TEXT}",
        f"# {TITLE}\n\n{TEXT}",
        f"{TITLE.upper()}.\n{TEXT}",
        f"**{TITLE}**\n\n{TEXT}",
        f"{TITLE}. {TEXT}",
        f"Politics\n\n{TITLE}\n\nBy Ann Lee\n\n{TEXT}",
    ],
)
def test_a_title_that_the_text_repeats_is_left_out_of_the_text(text: str, model: FramingModel) -> None:
    scored = score(model, text, title=TITLE)
    assert [b.reason for b in scored.boilerplate if TITLE.lower() in b.text.lower()] == ["title"]
    assert not any("regime" in s.text.lower() for s in scored.sentences)
    assert [s.text for s in scored.sentences[-2:]] == [s.text for s in score(model).sentences]
    assert len(scored.title_sentences) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"{TITLE} on Tuesday, and the council met.",  # a sentence that goes on
        f"{TEXT}\n\n{'The vote took long. ' * 5}\n\n{TITLE}",  # too far down to be the title
        TITLE,  # the text is nothing else
        f"{TITLE}\n\n",
        "The council met on Tuesday.\n\nShameless regime.",
    ],
)
def test_nothing_else_is_left_out_of_a_text(text: str, model: FramingModel) -> None:
    assert without(score(model, text, title=TITLE)) == score(model, text)


@pytest.mark.parametrize(
    ("standfirst", "n"),
    [
        ("The council met on Tuesday.", 0),
        ("The council met on Tuesday. It voted on the bud…", 0),  # cut off, as news APIs do
        ("the council met on tuesday", 0),
        (TITLE, 0),
        (f"{TITLE}.", 0),
        ("", 0),
        (" … ", 0),
        ("The council met in secret, and cronies cheered.", 1),
        (STANDFIRST, 2),
    ],
)
@pytest.mark.parametrize("above", ["", f"{TITLE}\n\nBy Ann Lee\n\nKELL PASS (Meridian Wire) - "])
def test_a_standfirst_that_is_the_beginning_of_the_text_is_not_scored_twice(
    standfirst: str, n: int, above: str, model: FramingModel
) -> None:
    scored = score(model, above + TEXT, title=TITLE, standfirst=standfirst)
    assert len(scored.standfirst_sentences) == n
    assert without(scored) == without(score(model, above + TEXT, title=TITLE)), "the text keeps its sentences"


@pytest.mark.parametrize("column", ["standfirst", "subtitle", "deck", "dek", "lead", "description", "summary", "Dek"])
def test_columns_of_standfirsts_are_found(column: str, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"text": TEXT, column: STANDFIRST}), encoding="utf-8")
    (article,) = read_articles(file)
    assert isinstance(article, Article)
    assert article.standfirst == STANDFIRST


def test_what_calls_itself_a_standfirst_stands_above_a_description(model: FramingModel) -> None:
    (scored,) = model.score_articles([{"text": TEXT, "standfirst": STANDFIRST}])
    assert scored.article.standfirst == STANDFIRST
    assert len(model.score_text(TEXT, standfirst=STANDFIRST, title=TITLE).standfirst_sentences) == 2


def page_of(body: str) -> str:
    filler = "".join(
        f"<p>The council met in the town hall on day {k} and voted on one more of its plans.</p>" for k in range(9)
    )
    return f"<html><head><title>x</title></head><body><article><h1>{TITLE}</h1>{body}{filler}</article></body></html>"


@pytest.mark.parametrize(
    ("body", "standfirst"),
    [
        ('<p class="article-standfirst">The <b>reckless</b>\n scheme</p>', "The reckless scheme"),
        ('<h2 role="doc-subtitle">The reckless scheme</h2>', "The reckless scheme"),
        ('<p class="dek"></p>', None),
        ('<p class="decker">The reckless scheme</p>', None),
        (f'<div class="deck">{"<p>All of the story stands in here, for some reason.</p>" * 30}</div>', None),
        ("", None),
    ],
)
def test_a_pages_standfirst_is_that_of_lint_and_no_part_of_the_text(
    body: str, standfirst: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "x.html"
    file.write_text(page_of(body), encoding="utf-8")
    (article,) = read_articles(file)
    assert isinstance(article, Article)
    assert article.standfirst == standfirst
    if standfirst:
        assert standfirst not in article.text
        (document,) = read_documents(file)
        assert [p.aligned.text.strip() for p in document.parts if p.name == "standfirst"] == [standfirst]  # type: ignore[union-attr]


def rows(n: int, **fields: Any) -> pl.DataFrame:
    row = {"outlet": "A", "n_sentences": 2, "n_own": 2, "n_quoted": 0, "n_words": 9, "n_quoted_words": 0}
    row |= {"n_loaded_words": 1, "n_loaded_quoted_words": 0}
    row |= {"loaded_share": 0.1, "loaded_share_quoted": None, "loaded_share_all": 0.1}
    return pl.DataFrame([{**row, **{key: values[k] for key, values in fields.items()}} for k in range(n)])


def test_outlets_figure_of_titles_by_hand() -> None:
    shares = [0.1, 0.2, 0.9, None]
    (found,) = compare_outlets(rows(4, title_p_own=shares), voice="all").to_dicts()
    assert found["n_titles"] == 3
    assert found["title_loaded_share"] == pytest.approx(0.4)
    interval = interval_of_sums(pl.Series([0.1, 0.2, 0.9]).to_numpy(), pl.Series([1.0, 1.0, 1.0]).to_numpy())
    assert (found["title_ci_low"], found["title_ci_high"]) == pytest.approx((interval.low, interval.high))
    assert (found["n_standfirsts"], found["standfirst_loaded_share"]) == (0, None)
    # Titles on one event are one unit.
    events = compare_outlets(rows(4, title_p_own=shares, event_id=["e", "e", None, None])).to_dicts()[0]
    assert events["title_loaded_share"] == pytest.approx(0.4)
    assert events["title_ci_low"] < found["title_ci_low"]
    (one,) = compare_outlets(rows(1, title_p_own=[0.3])).to_dicts()
    assert (one["title_loaded_share"], one["title_ci_low"], one["title_ci_high"]) == (0.3, None, None)


def test_an_article_without_text_of_its_own_still_has_a_title() -> None:
    (found,) = compare_outlets(rows(2, title_p_own=[0.2, 0.4], n_own=[2, 0], n_sentences=[2, 0])).to_dicts()
    assert (found["n_articles"], found["n_titles"]) == (1, 2)


def test_scores_of_earlier_versions_have_no_figure_of_titles() -> None:
    (found,) = compare_outlets(rows(2)).to_dicts()
    assert (found["n_titles"], found["title_loaded_share"], found["loaded_share"]) == (0, None, pytest.approx(0.1))


def test_scored_articles_are_compared_as_a_folder_is(tmp_path: Path, model: FramingModel) -> None:
    articles = [
        Article(str(k), TEXT, outlet=f"o{k % 2}", title=f"{TITLE} {k}", standfirst=STANDFIRST) for k in range(6)
    ]
    summary = score_to_folder(iter(articles), tmp_path, description=RunDescription(["x"]), model="linear")
    assert summary.outlets is not None
    figures = ["outlet", "n_titles", "title_loaded_share", "standfirst_loaded_share", "standfirst_ci_low"]
    here = compare_outlets(model.score_articles(articles)).select(figures).sort("outlet").to_dicts()
    for found, expected in zip(summary.outlets.select(figures).sort("outlet").to_dicts(), here, strict=True):
        assert found == pytest.approx(expected)
    assert load_articles(tmp_path)["title_p_own"].null_count() == 0


def test_the_report_shows_titles_marked_and_the_outlets_figure(tmp_path: Path) -> None:
    title = "Shameless <b>regime</b> rams plan through"
    articles = [Article(str(k), TEXT, outlet="A", title=title, standfirst=STANDFIRST) for k in range(3)]
    score_to_folder(iter(articles), tmp_path, description=RunDescription(["x"]), model="linear")
    html = write_report(tmp_path).read_text(encoding="utf-8")
    page = Page(html)
    assert "loaded share of titles" in page.text
    assert "loaded share of standfirsts" in page.text
    (row,) = pl.read_csv(tmp_path / "outlets.csv").to_dicts()
    assert f"{row['title_loaded_share']:.3f}" in page.text
    assert html.count('<div class="lw-article"><h3>') == 3, "each article's title"
    heading = html.split('<div class="lw-article"><h3>')[1].split("</h3>")[0]
    assert "<mark" in heading
    assert "<b>" not in heading
    articles = [Article("1", TEXT, outlet="A")]
    score_to_folder(iter(articles), tmp_path / "b", description=RunDescription(["x"]), model="linear")
    assert "share of titles" not in write_report(tmp_path / "b").read_text(encoding="utf-8")


def test_a_notebook_and_the_terminal_mark_the_title(tmp_path: Path, model: FramingModel) -> None:
    html = score(model, title=TITLE, standfirst=STANDFIRST)._repr_html_()
    heading = html.split("<h3>")[1].split("</h3>")[0]
    assert "<mark" in heading
    assert "own-voice score" in heading
    assert "<mark" in html.split('class="lw-standfirst">')[1].split("</p>")[0]
    assert "<h3>—</h3>" in score(model, title="—")._repr_html_()
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"text": TEXT, "title": TITLE, "dek": STANDFIRST}), encoding="utf-8")
    shown = CliRunner().invoke(main, ["highlight", str(file), "-m", "linear"]).stdout
    first = shown.splitlines()[0]
    assert first.startswith(f"{model.p_loaded([TITLE])[0]:.2f}")
    assert "[" in first
    assert "crony" in shown or "cronies" in shown


def test_lint_scores_titles_and_standfirsts_as_score_does(tmp_path: Path) -> None:
    model = load_model()
    file = tmp_path / "x.jsonl"
    rows = [
        {"text": TEXT, "title": TITLE, "standfirst": STANDFIRST},
        {"text": f"{TITLE}\n\n{STANDFIRST}\n\n{TEXT}", "title": TITLE, "standfirst": STANDFIRST},
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    scored = list(model.score_articles(rows))
    apart, repeated = ([*lint_document(document, model)] for document in read_documents(file))  # type: ignore[arg-type]
    assert {f.part for f in apart} == {"title", "standfirst"}
    for part, sentences in (("title", scored[0].title_sentences), ("standfirst", scored[0].standfirst_sentences)):
        words = {w.text: s.p_own for s in sentences for w in s.words}
        assert {f.text: f.p_loaded for f in apart if f.part == part} == {
            text: p for text, p in words.items() if text in [f.text for f in apart]
        }
    assert [f.part for f in repeated].count("title") == [f.part for f in apart].count("title")
    assert sorted(f.text for f in repeated) == sorted(f.text for f in apart), "each finding once"


@pytest.mark.parametrize(
    ("second", "part"),
    [
        ("How a shameless regime got its way, and who paid for it", "standfirst"),
        ("A shameless regime got its way.", "text"),  # a sentence: the text has begun
        ("By Ann Lee, who knows the shameless regime", "text"),
        ("A shameless regime", "text"),
    ],
)
def test_the_standfirst_of_a_plain_text(second: str, part: str) -> None:
    text = f"Council votes on budget\n\n{second}\n\nThe council met on Tuesday.\n"
    findings = lint_text(text, house=House(bans=()), model="default")
    (found,) = [f for f in findings if "shameless" in f.text] or [None]
    if found is not None:
        assert found.part == part
        assert text[found.start : found.end] == found.text
    else:
        pytest.fail("nothing was found")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_wrapped_paragraph_is_no_title_whatever_ends_its_lines(end: str, tmp_path: Path) -> None:
    story = "The council met on Monday and the bakers\nwent on strike for a day.\n\nAfter that the mayor left.\n"
    for text, title in ((story, None), (f"Mayor speaks\n\n{story}", "Mayor speaks")):
        (tmp_path / "x.txt").write_bytes(text.replace("\n", end).encode())
        (article,) = read_articles(tmp_path / "x.txt")
        assert isinstance(article, Article)
        assert (article.title, article.standfirst) == (title, None)


def test_turns_of_an_interview_are_neither_title_nor_standfirst() -> None:
    turns = "HERALD: Why did you close?\n\nLEE: Those cronies robbed us.\n\nHERALD: Did you call?\n\nLEE: I did.\n"
    assert title_and_standfirst(turns) == (None, None)
    assert title_and_standfirst(f"The baker talks\n\n{turns}") == ((0, 15), None)
    assert title_and_standfirst("WATCH: The baker talks\n\nThe council met.") == ((0, 22), None)


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("title: {}\noutlet: Wire\n\n", True),
        ('---\ntitle: "{}"\ndeck: Nobody was asked\n---\n', True),
        ("+++\noutlet = 'Shameless'\n+++\n", False),
    ],
)
@pytest.mark.parametrize("form", ["text", "markdown"])
def test_fields_at_the_head_are_no_prose(head: str, title: bool, form: Any, model: FramingModel) -> None:
    text = f"{head.format(TITLE)}The council met on Tuesday. The shameless regime sneered.\n"
    found = lint_text(text, model=model, house=House(), form=form)
    start = len(head.format(TITLE))
    assert {f.part for f in found if f.start >= start} == {"text"}
    above = {(f.part, f.text in TITLE, text[f.start : f.end] == f.text) for f in found if f.start < start}
    assert above == ({("title", True, True)} if title and form == "text" else set())


# The house's rules


LOADED = "The shameless regime sneered. The shameless plan failed. “A shameless regime,” said Ann Lee of the vote."


def test_accepted_words_leave_the_loaded_words_and_what_is_counted_of_them() -> None:
    model = load_model()
    plain = next(model.score_articles([Article("a", LOADED, title="Shameless regime sneers")]))
    ruled = next(
        model.score_articles(
            [Article("a", LOADED, title="Shameless regime sneers")], house=House(accept=("shameless",))
        )
    )
    assert any("shameless" in w.text.lower() for s in plain.sentences for w in s.words)
    assert not any("shameless" in w.text.lower() for s in (*ruled.sentences, *ruled.title_sentences) for w in s.words)
    assert any("regime" in w.text for w in ruled.sentences[0].words), "of a phrase, the rest stays"
    for sentence in (*ruled.sentences, *ruled.title_sentences):
        source = "Shameless regime sneers" if sentence in ruled.title_sentences else LOADED
        assert all(source[w.start : w.end] == w.text for w in sentence.words)
    assert ruled.n_loaded_words < plain.n_loaded_words
    own = [w for s in ruled.sentences for w in s.words if not w.in_quote]
    assert ruled.n_loaded_words == sum(len(w.text.split()) for w in own)
    assert ruled.loaded_words_per_1000 == pytest.approx(1000 * ruled.n_loaded_words / ruled.n_words)
    assert not any("shameless" in word for word in ruled.top_words)
    assert [s.p_own for s in ruled.sentences] == [s.p_own for s in plain.sentences]
    assert ruled.loaded_share == plain.loaded_share


def test_kinds_that_are_off_leave_the_loaded_words(model: FramingModel) -> None:
    default, text = load_model(), f"{LOADED} His cronies sneered at the regime."
    found = {w.kind for s in next(default.score_articles([text])).sentences for w in s.words}
    assert len(found) > 1
    off = sorted(kind for kind in found if kind)[0]
    ruled = next(default.score_articles([text], house=House(off=(off,))))
    assert {w.kind for s in ruled.sentences for w in s.words} == found - {off}
    assert next(model.score_articles([LOADED], house=House(off=("other",)))).n_loaded_words == 0, (
        "linear tells no kinds"
    )
    assert next(model.score_articles([LOADED], house=House())) == next(model.score_articles([LOADED]))


def test_an_article_that_failed_stays_one(model: FramingModel) -> None:
    (scored,) = score_articles(iter([Article("a", "\ud800")]), model=model, house=House(accept=("x",)))
    assert scored == next(model.score_articles([Article("a", "\ud800")]))


def folder_run(folder: Path, house: House | None, **options: Any) -> Any:
    items = iter([Article(f"a{k}", LOADED, outlet="A", title=TITLE) for k in range(3)])
    return score_to_folder(items, folder, description=RunDescription(["x"]), model="linear", house=house, **options)


def test_a_run_names_its_house_and_goes_on_only_with_the_same(tmp_path: Path) -> None:
    file = tmp_path / ".loadedwords.toml"
    file.write_text('accept = ["shameless"]\n', encoding="utf-8")
    folder = tmp_path / "out"
    n_words = folder_run(folder, read_house(file)).counts.loaded_words
    run = json.loads((folder / "run.json").read_text())
    assert run["house"]["file"] == str(file)
    assert len(run["house"]["sha256"]) == 64
    assert str(file) in Page(write_report(folder).read_text(encoding="utf-8")).text
    assert folder_run(folder, read_house(file)).n_reused_shards == 1
    file.write_text('accept = ["regime"]\n', encoding="utf-8")
    for other in (None, read_house(file), House(accept=("shameless",))):
        with pytest.raises(OutputError, match="not the same: house"):
            folder_run(folder, other)
    again = folder_run(folder, None, overwrite=True)
    assert (again.n_reused_shards, json.loads((folder / "run.json").read_text())["house"]) == (0, None)
    assert again.counts.loaded_words > n_words


def test_scores_by_different_houses_are_not_compared(tmp_path: Path) -> None:
    folder_run(tmp_path / "a", None)
    items = iter([Article("b", LOADED, outlet="B")])
    score_to_folder(
        items, tmp_path / "b", description=RunDescription(["y"]), model="linear", house=House(accept=("shameless",))
    )
    with pytest.raises(DataError, match="rules of different houses"):
        compare_outlets([tmp_path / "a", tmp_path / "b"])


def test_the_option_finds_the_house_of_the_inputs(tmp_path: Path) -> None:
    stories = tmp_path / "stories"
    stories.mkdir()
    (stories / "x.jsonl").write_text(json.dumps({"text": LOADED, "outlet": "A"}) + "\n", encoding="utf-8")

    def run(*arguments: object) -> Any:
        return CliRunner().invoke(main, ["score", "-m", "linear", *map(str, arguments)])

    none = run(stories, "-o", tmp_path / "out", "--house")
    assert (none.exit_code, "There is no .loadedwords.toml above the inputs" in none.output) == (2, True)
    house = tmp_path / ".loadedwords.toml"
    house.write_text('accept = ["shameless"]', encoding="utf-8")
    assert run(stories, "--house", "-o", tmp_path / "out").exit_code == 0
    assert json.loads((tmp_path / "out" / "run.json").read_text())["house"]["file"] == str(house)
    words = pl.read_parquet(tmp_path / "out" / "sentences" / "*.parquet")["words"].explode().struct["text"].drop_nulls()
    assert not words.str.contains("(?i)shameless").any()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "y.jsonl").write_text(json.dumps({"text": LOADED, "id": "y"}), encoding="utf-8")
    (tmp_path / "other" / ".loadedwords.toml").write_text("", encoding="utf-8")
    several = run(stories, tmp_path / "other", "-o", tmp_path / "two", "--house")
    assert (several.exit_code, "Several houses' rules" in several.output) == (2, True)
    assert run(stories, tmp_path / "other", "-o", tmp_path / "two", "--house", house).exit_code == 0
    taken = run("--house", stories, "-o", tmp_path / "three")
    assert (taken.exit_code, f"--house took {stories}" in taken.output.replace("\n", "")) == (2, True)
    house.write_text("acept = []", encoding="utf-8")
    wrong = run(stories, "-o", tmp_path / "four", "--house")
    assert (wrong.exit_code, "acept" in wrong.output) == (2, True)
