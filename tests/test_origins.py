"""Whose work an article or a passage is: found by what says so outright, and left out of the outlet's own figures."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import loadedwords
from loadedwords.batch import RunDescription, score_to_folder
from loadedwords.cli import main
from loadedwords.errors import DataError, OutputError
from loadedwords.house import House
from loadedwords.outlets import compare_outlets, load_articles, scan_sentences, summarise_all
from loadedwords.outlets.comparison import compare_scores
from loadedwords.outlets.counted import without_syndicated
from loadedwords.report import write_report
from loadedwords.report.comparison import write_comparison_page
from loadedwords.schema import Article
from loadedwords.scoring import FramingModel
from loadedwords.text.origins import find_origins, named_in_byline

BODY = "The council met on Tuesday.\n\nIt voted on the bridge.\n\nThe mayor thanked all who came."
LONG = "\n\n".join(f"Sentence {n} of the town's own report tells of the bridge over the Dale." for n in range(40))
SPANISH = (
    "Los vecinos, que llevan años pidiendo una solución, recibieron la noticia con cautela y recordaron que ya en otras ocasiones "
    "se había prometido lo mismo. La oposición criticó el retraso y pidió que se publiquen los informes técnicos."
)
SLANTED = "The shameless puppet regime rammed its disastrous scheme through."


@pytest.fixture(scope="module")
def model() -> FramingModel:
    return loadedwords.load_model("linear")


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        (f"(Reuters) - {BODY}", "Reuters"),
        (f"OSLO (Reuters) – {BODY}", "Reuters"),
        (f"OSLO/BERGEN (Reuters) - {BODY}", "Reuters"),
        (f"HARROWGATE, Pa. (AP) — {BODY}", "Associated Press"),
        (f"(AP) OSLO – {BODY}", "Associated Press"),
        (f"SAN ROQUE DE LA SIERRA (AP) -- {BODY}", "Associated Press"),
        (f"OSLO, Dec. 5 (UPI) -- {BODY}", "United Press International"),
        (f"Oslo (AFP) - {BODY}", "Agence France-Presse"),
        (f"New Dale [India], Jan 5 (ANI): {BODY}", "ANI"),
        (f"Oslo (CNN) {BODY}", "CNN"),
        (f"Ann Lee speaks to the council on Monday.\n\nOSLO (AP) — {BODY}", "Associated Press"),
        (f"By The Associated Press\n\n{BODY}", "Associated Press"),
        (f"BY THE ASSOCIATED PRESS\n{BODY}", "Associated Press"),
        (f"By Ann Lee, AP\n\n{BODY}", "Associated Press"),
        (f"By Ann Lee and Tom Hale of The Associated Press\n\n{BODY}", "Associated Press"),
        (f"By Ann Lee | Reuters\n\n{BODY}", "Reuters"),
        (f"Ann Lee\n\nAssociated Press\n\n{BODY}", "Associated Press"),
        (f"{BODY}\n\nThis article first appeared in the Harrow Courier.", "Harrow Courier"),
        (f"{BODY}\n\nThis story was originally published by Dale Lens, a newsroom.", "Dale Lens"),
        (f"Editor’s note: The following column originally appeared on HarrowDaily.com.\n\n{BODY}", "HarrowDaily.com"),
        (f"{BODY}\n\nThis piece was first published in the March 3, 2019, issue of Dale Review.", "Dale Review"),
        (f"{BODY}\n\nThis article is republished from The Harrow Talk under a licence.", "The Harrow Talk"),
        (f"{BODY}\n\nReprinted with permission from Harrow Wire.", "Harrow Wire"),
        (f"{BODY}\n\nThe post Bridge vote delayed appeared first on Harrow Daily.", "Harrow Daily"),
        (f"Who built the bridge? originally appeared on harrow.co.uk\n\n{BODY}", "harrow.co.uk"),
        (f"{BODY}\n\nRead the original article on Harrow Insider.", "Harrow Insider"),
        (f"{BODY}\n\nThis column first ran in the (Salem, Ore.) Harrow Journal.", "(Salem, Ore.) Harrow Journal"),
        (f"{BODY}\n\nCopyright 2018 The Associated Press. All rights reserved.", "Associated Press"),
        (f"{BODY}\n\nCopyright © The Associated Press. All rights reserved.", "Associated Press"),
        (f"{BODY}\n\n© 2019 Thomson/Reuters. All rights reserved.", "Reuters"),
        (f"{BODY}\n\nAnn Lee can be reached at lee@x.org. (c) 2018, King Features Syndicate", "King Features"),
        (f"{BODY}\n\nCOPYRIGHT 2018 CREATORS.COM", "Creators"),
        (f"{BODY}\n\n(Reporting by Ann Lee; Writing by Tom Hale; Editing by Kim Oz)", "Reuters"),
        (f"{BODY}\n\nSource: AFP", "Agence France-Presse"),
    ],
)
def test_what_says_outright_whose_an_article_is(text: str, origin: str) -> None:
    found = find_origins(text, outlet="Dale Ledger", url="https://www.daleledger.com/bridge")
    assert found.article == origin
    assert not found.passages
    assert {found.at(0), found.at(len(text) - 1)} == {origin}


@pytest.mark.parametrize(
    "text",
    [
        f"The mayor told Reuters that she was ill.\n\n{BODY}",
        f"According to The Associated Press, the bridge fell.\n\n{BODY}",
        f"Ann Lee (Reuters photo: Tom Hale)\n\n{BODY}",
        f"Ann Lee at the bridge (Tom Hale/Reuters)\n\n{BODY}",
        f"Image copyright Reuters Image caption Ann Lee in July 2018\n\n{BODY}",
        f"Image copyright AP\n\n{BODY}",
        f"© 2019 AP Photo/Tom Hale\n\n{BODY}",
        f"A look at the bridge.\n\nReuters\n\n{BODY}",
        f"Watch more! (Reuters)\n\n{BODY}",
        f"Rep. Ann Lee (R-Pa.) said so.\n\n{BODY}",
        f"{BODY}\n\nThe Associated Press contributed to this report.",
        f"{BODY}\n\nContributing: Ann Lee; The Associated Press",
        f"{BODY}\n\n— with files from The Canadian Press",
        f"{BODY}\n\nThis article was originally published on May 3, 2019.",
        f"{BODY}\n\nThis story was first published in 2017.",
        f"The report was first published by the Bridge Institute.\n\n{BODY}",
        f"When Ann Lee first appeared in Harrow, nobody knew her.\n\n{BODY}",
        f"{BODY}\n\nThe bridge was first published as a drawing.",
        f"{BODY}\n\nReporting by Ann Lee.",
        f"{BODY}\n\nCopyright 2019 Dale Ledger. All rights reserved.",
        f"{BODY}\n\nSource: Dale Ledger and AFP",
        f"{LONG}\n\nOSLO (AP) — Bridge falls pic.example/x — AP (@AP) May 3, 2019\n\n{LONG}",
    ],
)
def test_a_mention_a_credit_and_a_contribution_are_no_origin(text: str) -> None:
    found = find_origins(text, outlet="Dale Ledger", url="https://www.daleledger.com/bridge")
    assert (found.article, found.passages) == (None, ())


@pytest.mark.parametrize(
    ("outlet", "url", "text"),
    [
        ("Associated Press", None, f"OSLO (AP) — {BODY}"),
        ("AP Fact Check", None, f"OSLO (AP) — {BODY}"),
        ("apnews.com", None, f"By The Associated Press\n\n{BODY}"),
        ("Guest writers", "https://apnews.com/x", f"OSLO (AP) — {BODY}"),
        ("Reuters UK", None, f"(Reuters) - {BODY}\n\n(Reporting by A Lee, T Hale; Editing by Kim Oz)"),
        ("CNN (Web News)", None, f"Oslo (CNN) {BODY}"),
        ("Opinion", "www.cnn.com/2019/x", f"Oslo (CNN) {BODY}"),
        ("The Harrow Courier", None, f"{BODY}\n\nThis article first appeared in the Harrow Courier."),
        ("Harrow", "https://harrowtimes.com/x", f"{BODY}\n\nThis post originally appeared on HarrowTimes.com."),
        ("Dale Review", None, f"{BODY}\n\nAnn Lee edits Dale Review. © 2019 King Features Syndicate"),
    ],
)
def test_what_an_outlet_quotes_of_itself_stays_its_own(outlet: str, url: str | None, text: str) -> None:
    assert find_origins(text, outlet=outlet, url=url).article is None


def test_a_columnists_own_page_is_hers_whoever_distributes_it() -> None:
    text = f"{BODY}\n\n© 2019 King Features Syndicate"
    assert find_origins(text, outlet="Ann Lee", byline="By Ann B. Lee").article is None
    assert find_origins(text, outlet="Dale Ledger", byline="Ann B. Lee").article == "King Features"


@pytest.mark.parametrize(
    ("byline", "origin"),
    [
        ("Associated Press", "Associated Press"),
        ("By The Associated Press", "Associated Press"),
        ("Ann Lee, Associated Press, Tom Hale", "Associated Press"),
        ("AFP", "Agence France-Presse"),
        ("Ann Lee via Harrow Post", "Harrow Post"),
        ("Ann Lee and Associated Press", None),
        ("Associated Press, Dale Ledger Reporter", None),
        ("A Lee, T Hale, K Oz, S Moe, Associated Press", None),
        ("Ann Apple", None),
        (None, None),
    ],
)
def test_a_byline_tells_it_where_nobody_of_the_house_stands_beside_it(byline: str | None, origin: str | None) -> None:
    assert find_origins(BODY, outlet="Dale Ledger", byline=byline).article == origin


def test_who_stands_in_a_byline() -> None:
    assert named_in_byline("Ann Lee and Reuters") == "Reuters"
    assert named_in_byline("By Ann Lee via the AP") == "Associated Press"
    assert named_in_byline("Reuterson, Ann") is None


def test_a_dateline_further_down_marks_its_paragraph() -> None:
    theirs = "OSLO (Reuters) - The storting met.\nIt voted at once."
    text = f"{LONG}\n\n{theirs}\n\n{LONG}"
    found = find_origins(text, outlet="Dale Ledger")
    assert found.article is None
    (start, end, who) = found.passages[0]
    assert (text[start:end], who) == (theirs, "Reuters")
    assert found.at(start) == "Reuters"
    assert found.at(start - 2) is None
    assert found.at(end) is None
    assert find_origins(text, outlet="Reuters").passages == ()


def test_an_article_has_begun_after_three_long_paragraphs() -> None:
    paragraph = "The council met for many hours in the old hall, and nobody could say how it would end. " * 6
    theirs = "OSLO (AP) — The storting met."
    own = "\n\n".join(["The hall was full on Friday.", *3 * [paragraph], theirs, "The mayor spoke.", paragraph])
    found = find_origins(own, outlet="Dale Ledger")
    assert (found.article, [own[start:end] for start, end, _ in found.passages]) == (None, [theirs])
    # Title, byline and date, or the two captions of a photograph, are above an agency's own.
    page = ["The storting meets", "By Ann Lee", "March 3, 2020", "The hall was full on Friday.", "It was cold."]
    for above in (page, ["The storting meets", *2 * [paragraph]]):
        assert find_origins("\n\n".join([*above, theirs, *4 * [paragraph]]), outlet="Dale Ledger").article


def test_a_passage_goes_on_to_what_closes_it() -> None:
    text = f"{LONG}\n\nOSLO (Reuters) - The storting met.\n\nIt voted at once.\n\n(Reporting by Ann Lee, Tom Hale; Editing by Kim Oz)"
    found = find_origins(text, outlet="Dale Ledger")
    assert found.article is None
    assert found.at(text.index("It voted")) == "Reuters"
    assert found.at(0) is None


@pytest.mark.parametrize(
    "note",
    [
        "The Associated Press contributed to this report.",
        "Ann Lee and The Associated Press contributed to this story.",
        "Contributing: Ann Lee; The Associated Press",
        "– with Associated Press",
        "— with files from The Canadian Press",
        "Material from the Associated Press was used in this report.",
        "Via Harrow Daily",
        "Source: Harrow Daily and news agencies",
        "(H/T Harrow Daily)",
    ],
)
def test_the_note_on_the_source_has_a_field(note: str) -> None:
    found = find_origins(f"{BODY}\n\n{note}", outlet="Dale Ledger")
    assert (found.article, found.note) == (None, note)


@pytest.mark.parametrize(
    "line",
    ["Ann Lee contributed to this report.", "Source: Shutterstock", "With hope, they went home.", "© 2019 Ann Lee"],
)
def test_what_names_no_source_is_no_note(line: str) -> None:
    assert find_origins(f"{BODY}\n\n{line}", outlet="Dale Ledger").note is None


def test_an_agencys_own_writers_are_no_note() -> None:
    text = f"{BODY}\n\nAssociated Press writer Ann Lee contributed to this report."
    assert find_origins(text, outlet="AP").note is None


@given(st.text(), st.none() | st.text(), st.none() | st.text(), st.none() | st.text())
def test_any_text_byline_and_address_will_do(
    text: str, outlet: str | None, byline: str | None, url: str | None
) -> None:
    found = find_origins(text, outlet=outlet, byline=byline, url=url)
    assert all(0 <= start < end <= len(text) for start, end, _ in found.passages)


@pytest.mark.parametrize(
    "unit",
    ["A ", "(", "© ", "© 2019 ", "By A, ", "Reporting by A, editing by ", "This post appeared ", "\n \n", "(AP)\n"],
)
def test_hostile_text_takes_no_longer_for_its_length(unit: str) -> None:
    text = (unit * 200_000)[:300_000]
    find_origins(text, outlet="Dale Ledger", byline=text, url=text)


def test_an_agencys_article_is_left_out_of_the_outlets_own_figures(model: FramingModel) -> None:
    text = f"OSLO (Reuters) - {SLANTED} “It is a disgrace,” said Ann Lee."
    theirs = model.score_text(text, outlet="Dale Ledger", title="A shameless puppet regime")
    assert theirs.origin == "Reuters"
    assert theirs.status == "ok"
    assert (theirs.n_sentences, theirs.n_own, theirs.n_quoted, theirs.n_syndicated) == (2, 0, 0, 2)
    assert (theirs.n_words, theirs.n_loaded_words, theirs.n_quoted_words) == (0, 0, 0)
    assert (theirs.loaded_share, theirs.loaded_share_quoted, theirs.top_words) == (None, None, ())
    assert [s.origin for s in (*theirs.sentences, *theirs.title_sentences)] == ["Reuters"] * 3
    assert [s.p_own for s in (*theirs.sentences, *theirs.title_sentences)] == [None] * 3
    assert theirs.n_loaded_syndicated_words > 2
    assert theirs.n_syndicated_words == 2 + 9 + 4 + 3  # dateline, sentence, quotation, and who said it
    mean = sum(s.p_loaded for s in theirs.sentences) / 2
    assert theirs.loaded_share_syndicated == theirs.loaded_share_all == pytest.approx(mean)


def test_what_is_its_own_is_not_touched(model: FramingModel) -> None:
    text = f"OSLO (Reuters) - {SLANTED}"
    own, nobodys = model.score_text(text, outlet="Reuters"), model.score_text(text)
    assert (own.origin, own.n_syndicated, own.loaded_share_syndicated) == (None, 0, None)
    assert own.n_own == 1
    assert own.loaded_share == own.sentences[0].p_own
    assert own.sentences[0].p_own is not None
    # Without an outlet, nothing can be other than its own; whose it is, is told.
    assert (nobodys.origin, nobodys.n_own, nobodys.n_syndicated) == ("Reuters", 1, 0)
    assert nobodys.loaded_share == own.loaded_share


def test_passages_count_apart_and_the_rest_as_ever(model: FramingModel) -> None:
    mixed = model.score_text(f"{LONG}\n\nOSLO (Reuters) - {SLANTED}\n\n{LONG}", outlet="Dale Ledger")
    alone = model.score_text(f"{LONG}\n\n{LONG}", outlet="Dale Ledger")
    assert mixed.origin is None
    assert [s.origin for s in mixed.sentences].count("Reuters") == mixed.n_syndicated == 1
    assert (mixed.n_own, mixed.n_words, mixed.loaded_share) == (alone.n_own, alone.n_words, alone.loaded_share)
    assert mixed.n_sentences == alone.n_sentences + 1


def test_syndicated_work_counts_where_that_is_asked_for() -> None:
    counting = loadedwords.load_model("linear", syndicated="count")
    for asked in (counting, pickle.loads(pickle.dumps(counting))):
        scored = asked.score_text(f"OSLO (Reuters) - {SLANTED}", outlet="Dale Ledger")
        assert (scored.origin, scored.sentences[0].origin) == ("Reuters", "Reuters")
        assert (scored.n_own, scored.n_syndicated) == (1, 0)
        assert scored.loaded_share == scored.sentences[0].p_own
    with pytest.raises(DataError, match="syndicated is 'leave'"):
        loadedwords.load_model("linear", syndicated="leave")


def test_the_houses_rules_leave_it_apart(model: FramingModel) -> None:
    house = House(accept=("shameless",))
    for text in (f"OSLO (Reuters) - {SLANTED}", f"{BODY}\n\nThe Associated Press contributed to this report."):
        article = Article("x", text, outlet="Dale Ledger")
        (plain,), (ruled,) = model.score_articles([article]), model.score_articles([article], house=house)
        assert replace(ruled, sentences=(), n_loaded_syndicated_words=0) == replace(
            plain, sentences=(), n_loaded_syndicated_words=0
        )
        assert ruled.n_loaded_syndicated_words == max(0, plain.n_loaded_syndicated_words - 1)


def articles() -> list[Article]:
    own = [Article(f"own{n}", f"{SLANTED} The council met.", outlet="Dale Ledger") for n in range(3)]
    wires = [Article(f"wire{n}", f"OSLO (AP) — {SLANTED} Story {n}.", outlet="Dale Ledger") for n in range(2)]
    other = Article("other", f"{SLANTED} The council met.", outlet="Harrow Post")
    return [*own, *wires, other, Article("mixed", f"{LONG}\n\nOSLO (AFP) - {SLANTED}\n\n{LONG}", outlet="Harrow Post")]


def test_outlets_say_what_was_left_out_and_what_they_published_twice(model: FramingModel) -> None:
    scored = list(model.score_articles(articles()))
    outlets = {row["outlet"]: row for row in compare_outlets(scored).to_dicts()}
    dale, harrow = outlets["Dale Ledger"], outlets["Harrow Post"]
    assert (dale["n_articles"], dale["n_own"], dale["n_syndicated_articles"], dale["n_syndicated"]) == (3, 6, 2, 4)
    assert (harrow["n_articles"], harrow["n_syndicated_articles"], harrow["n_syndicated"]) == (2, 1, 1)
    shares = [s.p_loaded for article in scored if article.origin for s in article.sentences]
    assert dale["loaded_share_syndicated"] == pytest.approx(sum(shares) / 4)
    # The same text three times in one outlet; that another has it, too, makes no copy.
    assert (dale["n_copies"], harrow["n_copies"]) == (2, 0)
    (overall,) = summarise_all(scored).to_dicts()
    assert (overall["n_syndicated"], overall["n_copies"]) == (5, 2)
    everything = {row["outlet"]: row for row in compare_outlets(scored, voice="all").to_dicts()}["Dale Ledger"]
    assert (everything["n_articles"], everything["n_sentences"]) == (5, 10)
    assert everything["n_words"] == dale["n_words"] + sum(s.n_syndicated_words for s in scored[3:5])


def test_scores_of_an_earlier_version_are_compared_as_ever(model: FramingModel) -> None:
    table = loadedwords.to_polars(model.score_articles(articles()[:3]))
    now = compare_outlets(table.drop("text_digest"))  # by which copies of a text are one unit
    later = [name for name in table.columns if "syndicated" in name or name in ("origin", "text_digest")]
    then = compare_outlets(table.drop(later))
    assert then.drop("n_copies").equals(now.drop("n_copies"))
    assert then["n_copies"].to_list() == [0]


def test_a_run_marks_counts_and_shows_them(tmp_path: Path) -> None:
    folder, description = tmp_path / "scores", RunDescription(["x"])
    summary = score_to_folder(iter(articles()), folder, description=description, model="linear")
    assert (summary.counts.syndicated_articles, summary.counts.syndicated_sentences, summary.n_copies) == (3, 5, 2)
    table, sentences = load_articles(folder), scan_sentences([folder])
    assert table.filter(pl.col("origin") == "Associated Press")["article_id"].to_list() == ["wire0", "wire1"]
    theirs = sentences.filter(pl.col("origin").is_not_null()).collect()
    assert theirs["origin"].to_list() == ["Associated Press"] * 4 + ["Agence France-Presse"]
    assert theirs["p_own"].null_count() == theirs.height == 5
    kept = without_syndicated(sentences, table).collect()
    assert kept.height == sentences.collect().height - 5
    assert kept["origin"].null_count() == kept.height
    page = write_report(folder).read_text(encoding="utf-8")
    said = "5 sentences of 3 articles are the work of agencies or other publications, and "
    assert page.count(f"{said}left out") == 3, "in what can be said, at the table and in the methods"
    assert "sentences of others, left out" in page
    assert "2 articles have word for word the text of another of the same outlet" in page
    assert "from Associated Press" in page
    with pytest.raises(OutputError, match="not the same: syndicated"):
        score_to_folder(iter(articles()), folder, description=description, model="linear", syndicated="count")
    again = score_to_folder(
        iter(articles()), folder, description=description, model="linear", syndicated="count", overwrite=True
    )
    assert again.counts.syndicated_sentences == 0
    assert again.counts.own_sentences == summary.counts.own_sentences + 5
    assert without_syndicated(scan_sentences([folder]), load_articles(folder)).collect().height == kept.height + 5


def test_where_all_voices_count_nothing_is_said_to_be_left_out(model: FramingModel, tmp_path: Path) -> None:
    score_to_folder(iter(articles()), tmp_path, description=RunDescription(["x"]), model="linear")
    found = compare_scores([tmp_path], voice="all", events="none", topics="none")
    assert found.overall["n_articles"].to_list() == [len(articles())]
    said = "5 sentences of 3 articles are the work of agencies or other publications, and count in the shares"
    page = write_comparison_page(found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count(said) == 3
    assert "and left out of" not in page
    assert "sentences of others, left out" not in page


def test_the_commands_say_what_was_left_out_and_let_it_count(tmp_path: Path) -> None:
    rows = [{"id": article.id, "text": article.text, "outlet": article.outlet} for article in articles()]
    rows.append({"id": "foreign", "text": SPANISH, "outlet": "Harrow Post"})
    file, scores = tmp_path / "articles.jsonl", str(tmp_path / "scores")
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    said = CliRunner().invoke(main, ["score", str(file), "-m", "linear", "--workers", "1", "-o", scores]).output
    assert "5 sentences of 3 articles left out of outlets' own figures" in said
    assert "1 article in another language than English" in said
    assert "2 articles with word for word the text of another of the same outlet" in said
    compared = compare_scores(scores, events="none", topics="none")
    assert any("5 sentences of 3 articles are the work of agencies" in line for line in compared.says)
    assert any("2 articles have word for word the text" in line for line in compared.cannot_say)
    everything = ["--syndicated", "count", "--other-languages", "count", "-o", f"{scores}-all"]
    said = CliRunner().invoke(main, ["score", str(file), "-m", "linear", "--workers", "1", *everything]).output
    assert "left out of outlets' own figures" not in said
    assert "1 article in another language than English" in said
    assert load_articles(f"{scores}-all").filter(pl.col("article_id") == "foreign")["n_own"].to_list() == [2]
