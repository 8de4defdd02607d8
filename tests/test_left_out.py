"""What is no sentence of the article is left out, and every sentence of the story stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.text import PreparedText, prepare_text
from loadedwords.text.boilerplate import REASONS, RULES, Rule, boilerplate_reason, leads_in

STORY = [
    "The mayor of Estmere closed the dam on Monday.", "Nobody in the valley had been warned, she said.", "Who will pay?",
    "“We lost the whole field,” said Bo Cole.", "The board meets again at 4:30 p.m.", "He lives by the sea.",
]  # fmt: skip


def left_out(prepared: PreparedText) -> list[tuple[str, str]]:
    return [(passage.text, passage.reason) for passage in prepared.boilerplate]


def sentences(prepared: PreparedText) -> list[str]:
    return [sentence.text for sentence in prepared.sentences]


LINES = [(rule, line) for rule in RULES for line in rule.such_as]


@pytest.mark.parametrize(("rule", "line"), LINES, ids=[f"{rule.reason}: {line[:30]}" for rule, line in LINES])
def test_every_rule_takes_its_lines_and_no_line_of_the_story(rule: Rule, line: str) -> None:
    """An article of the story's lines, with one of the rule's set between them or at the end."""
    before, after = (STORY * 2, []) if rule.of == "last line" else (STORY, STORY)
    text = "\n\n".join([*before, line, *after])
    prepared = prepare_text(text)
    begin = len("\n\n".join(before)) + 2
    inside = [
        passage for passage in prepared.boilerplate if begin <= passage.start and passage.end <= begin + len(line)
    ]
    covered = "".join(passage.text for passage in inside)
    assert re.sub(r"\W", "", covered) == re.sub(r"\W", "", line)
    tail = rule.reason == "disclaimer" or "original source" in line
    assert sentences(prepared)[: len(before)] == before
    assert tail or sentences(prepared) == before + after


def test_each_rule_matches_its_lines_by_itself() -> None:
    for number, rule in enumerate(RULES):
        alone = tuple((word, [number]) for word in rule.words)
        assert {boilerplate_reason(line, rule.of, {rule.of: alone}) for line in rule.such_as} == {rule.reason}, rule


def test_an_article_leads_where_its_lines_do() -> None:
    for rule in RULES:
        for line in rule.such_as:
            leads = leads_in(f"The council met.\n\n{line}\n\nIt rained.")
            assert boilerplate_reason(line, rule.of, leads) == boilerplate_reason(line, rule.of)


def test_every_reason_is_named_once() -> None:
    assert REASONS == (
        "copyright", "source", "caption", "byline", "tags", "share", "subscribe", "advertisement", "navigation", "poll",
        "clock", "update", "disclaimer",
    )  # fmt: skip


NEAR_MISSES = [
    # pictures, credits
    "The photo shows a crater beside the dam.", "Caption contests were banned in March.", "Close allies of the mayor said nothing.",
    "A Reuters/Ipsos poll found that most people blame the board.", "An AP reporter saw the gates open.", "Getty Images sued the firm.",
    "She hid the caption and left.", "Photo by photo, the dead were identified (all but two).", "The Estmere/Aldermouth line is closed.",
    # who wrote it
    "Ann Lee is the author of the bill.", "Ann Lee is a columnist.", "Contributing to the mood was the weather.", "Drought contributed.",
    "Analysis by the ministry showed lead in the water.", "Bo Cole reported from the front that the dam had gone.",
    "He can be reached by boat at 300 metres.", "The author of the report is a professor at Estmere University.",
    # links
    "More than 40 people were hurt: farmers, clerks and two children.", "Read more books, she told them.", "He wanted to read more",
    "Watch the dam, the engineers were told.", "Related cases: two in Estmere, one in Aldermouth.", "Videos of the flood went round the world.",
    "(Photos of the dam were found later.)", "(He was never charged.)", "[The mayor] never said so.", "(Also, nobody asked her.)",
    "Click on the wrong link, experts warn, and the money is gone “for good”.", "For more than a year nobody visited the dam.",
    "The page said “click here” and thousands did.", "THIS IS AN OUTRAGE AND EVERYONE OF YOU IN THIS ROOM KNOWS IT!", "A DAM TOO FAR",
    "The board: A short history", "Estmere: a city drowned", "She listened at 5:12 and again at 5:19.",
    # asking
    "Subscribe to that view and you will lose, he warned his party “for good”.", "The newsletter of the harbour masters, a dull read, broke the story.",
    "The scam begins in your inbox.", "Members get a vote on the board.", "The site uses cookies to follow its readers, the regulator found.",
    "Cookies were sold at the gate.", "The paper put up a paywall.", "Facebook changed its privacy policy.", "Support for journalism is falling.",
    "Sign up or leave, the crew was told.", "Send us home, the soldiers begged.", "Contact with the crew was lost.",
    "“If you enjoyed this, you will love what comes,” the mayor said.", "Follow the money, Bo Cole advised.", "He followed the coverage of the flood.",
    # polls, clocks
    "The council wants to vote now.", "Vote here, the sign said, and 300 did.", "Urgent repairs were put off.", "Urgent: the word was on every desk.",
    "The latest: nobody knows.", "Take the polls with a grain of salt.", "At 4:30 p.m. the gates opened.", "4:30 p.m. was the time she gave.",
    "It was 10.15 when they came.", "Update the law, campaigners urged.",
]  # fmt: skip


@pytest.mark.parametrize("sentence", NEAR_MISSES)
def test_what_only_looks_alike_stays(sentence: str) -> None:
    assert sentences(prepare_text("\n\n".join([*STORY, sentence, *STORY]))) == [*STORY, sentence, *STORY]
    assert boilerplate_reason(sentence) is None
    assert boilerplate_reason(sentence, "line") is None


ONE_LINE = st.sampled_from([line for rule, line in LINES if rule.of != "last line" and rule.reason != "disclaimer"
                            and "original source" not in line])  # fmt: skip


@given(
    st.lists(
        st.one_of(st.sampled_from(STORY).map(lambda line: (line, True)), ONE_LINE.map(lambda line: (line, False))),
        max_size=12,
    )
)
def test_any_mixture_of_lines_is_told_apart(lines: list[tuple[str, bool]]) -> None:
    text = "\n\n".join(line for line, _ in lines)
    prepared = prepare_text(text)
    assert sentences(prepared) == [line for line, story in lines if story]
    assert all(text[passage.start : passage.end] == passage.text for passage in prepared.boilerplate)


GALLERY = (
    "The dam burst on Monday.\n\n"
    "Photos: The flood Photos: The flood Farmers leave a field. They had no warning. Hide Caption 1 of 3 "
    "Photos: The flood The mayor at the dam. Hide Caption 2 of 3 Photos: The flood The board. It meets at night. Hide Caption 3 of 3\n\n"
    "Nobody was warned. The board met at night."
)


def test_captions_of_a_gallery_go_and_what_follows_stays() -> None:
    prepared = prepare_text(GALLERY)
    assert sentences(prepared) == ["The dam burst on Monday.", "Nobody was warned.", "The board met at night."]
    assert {"They had no warning.", "The mayor at the dam."} <= {
        piece for text, _ in left_out(prepared) for piece in re.split(r"(?<=\.) |(?<=flood) (?=The mayor)", text)
    }


@pytest.mark.parametrize(
    "text",
    [
        "The dam burst.\n\nHide Caption 1 of 3\n\nNobody was warned.\n\nHide Caption 3 of 3\n\nIt rained.",
        "The dam burst.\n\nHide Caption 1 of 3\n\nNobody was warned.\n\nHide Caption 2 of 4\n\nIt rained.",
        "The dam burst.\n\nHide Caption 1 of 2\n\nNobody was warned.\n\n"
        + "x " * 1100
        + "\n\nHide Caption 2 of 2\n\nIt rained.",
        "The dam burst. Nobody was warned. Hide Caption 1 of 3\n\nIt rained.",
    ],
    ids=["a number missing", "two galleries", "too long for a caption", "one number alone"],
)
def test_a_number_without_its_neighbour_hides_no_story(text: str) -> None:
    assert {"The dam burst.", "Nobody was warned.", "It rained."} <= set(sentences(prepare_text(text)))


def test_a_line_goes_whole_if_most_of_its_sentences_do() -> None:
    text = "It rained.\n\nThe race starts now. Stay with us. Sign up today! You can unsubscribe at any time.\n\nIt rained on."
    assert sentences(prepare_text(text)) == ["It rained.", "It rained on."]
    text = "It rained. The dam broke. Nobody came. Sign up today! You can unsubscribe at any time."
    assert sentences(prepare_text(text)) == ["It rained.", "The dam broke.", "Nobody came."]


def test_who_wrote_it_is_looked_for_at_the_end_alone() -> None:
    note = "Ann Lee is a columnist for the Tamsel Courier. She lives by the sea."
    assert left_out(prepare_text("\n\n".join([*STORY, *STORY, note]))) == [
        ("Ann Lee is a columnist for the Tamsel Courier.", "byline"), ("She lives by the sea.", "byline"),
    ]  # fmt: skip
    assert left_out(prepare_text("\n\n".join([note, *STORY, *STORY]))) == []
    assert left_out(prepare_text("\n\n".join(["The dam burst.", "It rained.", note]))) == []


LINKED = [
    ("Sen. Nancy RoeFloods: the dam that failed MORE (Vale) blamed the shameful board.", "Sen. Nancy Roe (Vale) blamed the shameful board."),
    ("Sen. Ann Lee Ann Mary LeeThe dam that failed 5 things to know MORE (R-Vale) called it shameful.", "Sen. Ann Lee (R-Vale) called it shameful."),
    ("President Cole Robert (Bo) Lane ColeBoard balks at dam 'We knew' MORE’s plan is shameful.", "President Cole’s plan is shameful."),
    ("Mayor Tom McRae Thomas McRae2020 floods remembered MORE said so.", "Mayor Tom McRae said so."),
    ("Bill de Lane Bill de LaneDam shut again MORE left.", "Bill de Lane left."),
    ("Speaker Eva Ruiz Eva Maria Ruiz Retirees lose their homes MORE (Vale) wept.", "Speaker Eva Ruiz (Vale) wept."),
    ("Jo LowJo LowBoard met again MORE and Ann Lee Ann LeeDam shut MORE met.", "Jo Low and Ann Lee met."),
    ("Bo Cole Jr. Robert Cole Jr.Dam shut again MORE met her.", "Bo Cole Jr. met her."),
]  # fmt: skip


@pytest.mark.parametrize(("read", "clean"), LINKED)
def test_links_behind_a_name_go_and_the_sentence_stays(read: str, clean: str) -> None:
    text = f"It rained.\n\n{read} Nobody came."
    prepared = prepare_text(text)
    assert sentences(prepared) == ["It rained.", clean, "Nobody came."]
    sentence = prepared.sentences[1]
    assert text[sentence.start : sentence.end] == read
    for word in re.finditer(r"\w+", clean):
        start, end = sentence.to_article(*word.span())
        assert text[start:end] == word[0]


@pytest.mark.parametrize(
    "text",
    [
        "Senator McRae wants MORE money (a lot of it).", "We want NO MORE of it, Ann Lee Ann said.", "The WikiDam files say MORE.",
        "Ann Lee said MORE (a paper) was wrong.", "IN AN AnnLee STATEMENT IT SAID FOR MORE THAN A YEAR",
        "Ann Lee Ann Lee\nDam shut MORE (Vale)", "Father Cole and Bo Cole want MORE (or less).",
    ],
)  # fmt: skip
def test_more_in_capitals_is_not_yet_a_link(text: str) -> None:
    assert "".join(sentences(prepare_text(text))).replace("\n", "") == text.replace("\n", "")


PUMPED = [
    "A",
    "Ann ",
    "Ann Lee ",
    "a-b, ",
    "( ",
    "[",
    "/",
    "Ann/",
    ". ",
    "| ",
    ": ",
    "12:12 ",
    "and ",
    " MORE (",
    "Photos: ",
    '"',
]


@pytest.mark.parametrize("rule", RULES, ids=[f"{rule.reason} {number}" for number, rule in enumerate(RULES)])
def test_no_rule_takes_for_ever(rule: Rule) -> None:
    """Pieces of a rule's own lines, again and again, and an end that fits no rule: a hang here is a failure."""
    pieces = {*PUMPED, *(" ".join(line.split(" ")[:count]) + " " for line in rule.such_as for count in (1, 2, 3))}
    for piece in pieces:
        boilerplate_reason((rule.such_as[0][:12] + piece * 600)[:590] + "!;", rule.of)


@pytest.mark.parametrize(
    "piece", [*PUMPED, "Aa Aa ", "Aa Aa MORE ", "Ann LeeXy MORE (Vale) ", "Hide Caption 1 of 2 ", "Ann Lee Ann Lee"]
)
def test_no_text_takes_for_ever(piece: str) -> None:
    prepare_text(piece * (40_000 // len(piece)))
