"""Every sentence is where it says, nothing of the reporting is lost, and boilerplate is told apart."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadedwords.text import PreparedText, prepare_text
from loadedwords.text.alignment import Edit, apply_edits
from loadedwords.text.boilerplate import REASONS, boilerplate_reason
from loadedwords.text.cleaning import clean_text
from loadedwords.text.quotes import find_quotations
from loadedwords.text.sentences import find_sentences

LONG_QUOTATION = 2000
PIECES = [
    "The minister spoke.", "“We won’t go.", "She said: “No.”", '"Why?" he asked.', "[Dams](https://example.org/t/dams)",
    "**Bold words**", "*quite*", "- a bullet point", "1. first", "# Headline here", "&amp;", "&quot;so&quot;", "&#8217;",
    "\u00a0", "\u200b", "\r\n", "\n", "\n\n", "  ", "\t", "U.S. Sen. A. B. Cole (R-Vale) said so.", "e.g. this", "…", "’", "‘so-called’",
    "<br>", "<checks notes>", "***", "___", "snake_case_word", "2 * 3 * 4", "Copyright © 2026 The Paper", "By Ann Lee", "a\x00b",
    "Ends.Next starts", "日本語。", "Émile’s café", "((", "\U0001f600", "'90s", "f***", "I went.\"Then", "—", "> quoted line", "\ud7ff",
    "<blockquote>", "</blockquote>", "<figcaption>", "</figcaption>", "[caption id=1]", "[/caption]", "<script>", "</script>", "<p class=wp-caption-text>", "</p>",
]  # fmt: skip

article_texts = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=25).map("".join),
)


def assert_exact(text: str, prepared: PreparedText) -> None:
    pieces = sorted([(s.start, s.end) for s in prepared.sentences] + [(b.start, b.end) for b in prepared.boilerplate])
    assert all(0 <= start < end <= len(text) for start, end in pieces)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(pieces)), "pieces overlap"
    for boilerplate in prepared.boilerplate:
        assert text[boilerplate.start : boilerplate.end] == boilerplate.text
    clean = clean_text(text).text
    for sentence in prepared.sentences:
        # The clean sentence is the slice of the article, but for the markup taken out of it.
        assert sentence.text in clean
        start, end = sentence.to_article(0, len(sentence.text))
        assert sentence.start <= start < end <= sentence.end
        low, high = sentence.alignment.starts, sentence.alignment.ends
        for a, b in ((sentence.start, start), (end, sentence.end)):
            assert not (np.maximum(low, a) < np.minimum(high, b)).any(), "only what was taken out is added"
        for match in re.finditer(r"[^\W_]+", sentence.text):
            start, end = sentence.to_article(*match.span())
            assert sentence.start <= start < end <= sentence.end
            if len(text[start:end]) == len(match[0]) and text[start:end].isalnum():
                assert text[start:end] == match[0]


@given(article_texts)
def test_every_sentence_is_where_it_says(text: str) -> None:
    assert_exact(text, prepare_text(text))


@given(article_texts)
def test_no_letter_of_the_clean_text_is_lost(text: str) -> None:
    clean = clean_text(text).text
    covered = set()
    for span in find_sentences(clean):
        covered.update(range(span.start, span.end))
    lost = [clean[at] for at in range(len(clean)) if at not in covered and clean[at].isalnum()]
    assert lost == []


@given(article_texts)
def test_voices_add_up(text: str) -> None:
    for sentence in prepare_text(text).sentences:
        assert (sentence.voice == "own") == (not sentence.quoted)
        assert (sentence.voice == "quoted") == (sentence.own_text == "")
        assert all(0 <= start < end <= len(sentence.text) for start, end in ((q.start, q.end) for q in sentence.quoted))


# Signs that stand in replacements alone.
MADE = "⟦⟧⟨⟩"


@given(
    st.text(st.characters(exclude_characters=MADE), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8), st.text(MADE, max_size=3)), max_size=6),
)
def test_alignment_leads_back(original: str, cuts: list[tuple[int, int, str]]) -> None:
    edits = [Edit(min(a, len(original)), min(a + n, len(original)), new) for a, n, new in cuts]
    aligned = apply_edits(original, edits)
    replaced = {(edit.start, edit.end) for edit in edits}
    for at, sign in enumerate(aligned.text):
        low, high = aligned.to_original(at, at + 1)
        if sign in MADE:
            assert (low, high) in replaced
        else:
            assert original[low:high] == sign
    if aligned.text:
        ends = aligned.to_original(0, 1)[0], aligned.to_original(len(aligned.text) - 1, len(aligned.text))[1]
        assert aligned.to_original(0, len(aligned.text)) == ends


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ('See [the **dam**](https://example.org/a_(b) "title") now.', "See the dam now."),
        ("![a picture](https://example.org/x.png)Text", "Text"),
        ("![a strongman](pic.jpg)One <!-- loadedwords: off -->two <!--\n-->", "One two "),
        ("a footnote [1] and [sic] stay", "a footnote [1] and [sic] stay"),
        ("**Bold *and italic* text** here", "Bold and italic text here"),
        ("He said s**t and f***, 2 * 3 * 4", "He said s**t and f***, 2 * 3 * 4"),
        ("an _emphatic_ word in snake_case_name", "an emphatic word in snake_case_name"),
        ("Fish &amp; chips &#8217;til late &notable;", "Fish & chips ’til late &notable;"),
        ("<p>One<br/>two <checks notes> three</p>", "\nOne\ntwo <checks notes> three\n"),
        ("<p>1. One</p><p>a<br> - two</p><ul><li>&bull; three</li></ul>", "\nOne\n\na\ntwo\n\n\nthree\n\n"),
        ("<p>1.5 tons</p><p>-5 degrees<b>- x</b></p>", "\n1.5 tons\n\n-5 degrees- x\n"),
        ("a\u00a0b\u2009c\u200bd  e\tf", "a b cd e f"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("# Title\n- item\n1. first\n> quote\n---\nend", "Title\nitem\nfirst\nquote\n\nend"),
        ("plain text", "plain text"),
    ],
)
def test_markup_goes_and_words_stay(raw: str, clean: str) -> None:
    assert clean_text(raw).text == clean


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Ames met Sen. Bo Cole (R-Vale) at 5 p.m. Monday. He left.", ["Mr. Ames met Sen. Bo Cole (R-Vale) at 5 p.m. Monday.", "He left."]),
        ("“We won. We did,” she said. “Again.” Then she left.", ["“We won.", "We did,” she said.", "“Again.”", "Then she left."]),
        ("Headline without a stop\nThe first sentence follows.", ["Headline without a stop", "The first sentence follows."]),
        ("They want:\n- lower fares\n- more trains. Soon.", ["They want:", "lower fares", "more trains.", "Soon."]),
        ("It was wrapped by\nhand here.", ["It was wrapped by\nhand here."]),
        ("the tax rates.The minister said so.", ["the tax rates.", "The minister said so."]),
        ("See ann.Lee@example.org or www.Example.Com today.", ["See ann.Lee@example.org or www.Example.Com today."]),
        ("One thing that Ms. Ames and D-N.Y. members know.", ["One thing that Ms. Ames and D-N.Y. members know."]),
        ("It starts in May. “Not so,” he told Ann May. Rents rose.", ["It starts in May.", "“Not so,” he told Ann May.", "Rents rose."]),
        ('"Is it true?" he asked. Yahoo! said no.', ['"Is it true?" he asked.', "Yahoo! said no."]),
        # An apostrophe outside a word opens nothing.
        ("In the '90s the mayor won. He lost later. The workers' union cheered.", ["In the '90s the mayor won.", "He lost later.", "The workers' union cheered."]),
        ("Born in ’52. Rock ‘n’ roll ruled. The dockers' '80s songs. 'Tis over. It’s the players’. Go.", ["Born in ’52.", "Rock ‘n’ roll ruled.", "The dockers' '80s songs.", "'Tis over.", "It’s the players’.", "Go."]),
        ("He said 'no.' ‘We won. We did,’ she said.", ["He said 'no.'", "‘We won.", "We did,’ she said."]),
        ("The minister said it. ``They closed it, the fools.'' She left. ``It is lost,'' he said. ``Never.''Then he left. ‹We won. We did.› ‹So?›", ["The minister said it.", "``They closed it, the fools.''", "She left.", "``It is lost,'' he said.", "``Never.''", "Then he left.", "‹We won.", "We did.›", "‹So?›"]),
        ("‚We won. We did.‘ „So.“ »Go. Now.« »No.« ``It is,″ he said. ″We go.″", ["‚We won.", "We did.‘", "„So.“", "»Go.", "Now.«", "»No.«", "``It is,″ he said.", "″We go.″"]),
        # Whole sentences in brackets are sentences, and what follows them is another.
        ("(He left the hall.) The mayor sneered. [She fell. “Never.”] Lee (R-Vale) spoke. (It (the port) is shut!)", ["(He left the hall.)", "The mayor sneered.", "[She fell.", "“Never.”]", "Lee (R-Vale) spoke.", "(It (the port) is shut!)"]),
        ("Sen. Bo Cole (D-Calif.) Monday met Acme (formerly Acme Inc.) Chairman Lee. It fell (so he said. Twice) and rose.", ["Sen. Bo Cole (D-Calif.) Monday met Acme (formerly Acme Inc.) Chairman Lee.", "It fell (so he said. Twice) and rose."]),
        # A mark with a blank behind it opens as well.
        ("It fell. « It is lost », said Lee. « Why? » Bo Cole asked. ( It is.) “ Go. »No.« He left.", ["It fell.", "« It is lost », said Lee.", "« Why? » Bo Cole asked.", "( It is.)", "“ Go.", "»No.«", "He left."]),
        # Who asks by name belongs to the question; what a name introduces, and what else begins with a capital, does not.
        ("“Why?” Bo Cole asked. “No!” Sen. Ann Lee, the chair, told reporters. 'Go?' I asked.", ["“Why?” Bo Cole asked.", "“No!” Sen. Ann Lee, the chair, told reporters.", "'Go?' I asked."]),
        ("“Is it?” Lee replied, “Yes.” “Who?” The police don’t know. “What?” Cole left.", ["“Is it?”", "Lee replied, “Yes.”", "“Who?”", "The police don’t know.", "“What?”", "Cole left."]),
        ("Did Ames win? Lee said so. “He left.” Cole said it.", ["Did Ames win?", "Lee said so.", "“He left.”", "Cole said it."]),
        # A footnote's mark hides no full stop; a decimal is none.
        ("They met.[3] He lied.[a][^no-1] “Never.”² She left.<sup>12</sup> A 3.5 A.", ["They met.[3]", "He lied.[a][^no-1]", "“Never.”²", "She left.<sup>12</sup>", "A 3.5 A."]),
        ("See approx. £3, Vol. 2 and paras. 7 of it. Cllr. Ames left Ft. Worth. He is 6 ft. It costs.", ["See approx. £3, Vol. 2 and paras. 7 of it.", "Cllr. Ames left Ft. Worth.", "He is 6 ft.", "It costs."]),
        # One character or three dots.
        ("It was lost… The mayor sneered. Well… perhaps ... Not… . Go.", ["It was lost…", "The mayor sneered.", "Well… perhaps ...", "Not… .", "Go."]),
        ("", []),
        ("*** — ...", []),
        ("**All of it is bold.** *Some.* See [this](https://example.org/a).", ["**All of it is bold.**", "*Some.*", "See [this](https://example.org/a)."]),
    ],
)  # fmt: skip
def test_sentences(text: str, sentences: list[str]) -> None:
    prepared = prepare_text(text)
    assert [text[s.start : s.end] for s in prepared.sentences] == sentences


def test_what_was_wrapped_by_hand_is_joined_and_no_sentence_is_endless() -> None:
    text = "The council met on Monday to decide on the plan for\nthe harbour, which had been put off twice since the\nspring and now costs more than the whole of last\nyear's budget. Nobody spoke against it."
    assert len(prepare_text(text).sentences) == 2
    assert max(len(s.text) for s in prepare_text("row, " * 5000).sentences) <= 1500


WIRE = """   ESTMERE (Agency) -- The council met in the old hall with
Mayor Ames and the dockers, who had asked for it.
   Nobody spoke against the plan. It was put off for the second
time by Minister Cole and now costs more than the whole of last
year's budget.

The ferry to Aldermouth will run again from June, said Captain
Bo Hale of the board. Fares stay as they are, and so do all of
the timetables. No tickets are sold on board.
"""


@pytest.mark.parametrize("indented", [True, False])
def test_an_article_that_was_wrapped_is_joined_before_capitals_too(indented: bool) -> None:
    text = WIRE if indented else re.sub("^ +", "", WIRE, flags=re.MULTILINE)
    assert [" ".join(s.text.split()) for s in prepare_text(text).sentences] == [
        "ESTMERE (Agency) -- The council met in the old hall with Mayor Ames and the dockers, who had asked for it.",
        "Nobody spoke against the plan.",
        "It was put off for the second time by Minister Cole and now costs more than the whole of last year's budget.",
        "The ferry to Aldermouth will run again from June, said Captain Bo Hale of the board.",
        "Fares stay as they are, and so do all of the timetables.",
        "No tickets are sold on board.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Harbour Plan Fails\nMayor Ames Under Fire\nThe council met on Monday.\nNobody spoke for the plan that had been put off",
        "Those who voted for it:\nAnn Lee of Estmere\nBo Cole\nTom Hale of Aldermouth East\n\nThose who did not:\nEva Ruiz\nSam Orr",
        "O harbour of the morning light\nWhere gulls on rusty railings sit\nThe ferry sails into the night\nAnd nobody remembers it",
        "The council met on Monday to talk about the harbour.\nNobody spoke against the plan, which had failed.\nIt will cost more than the whole budget.",
    ],
)
def test_lines_that_nobody_wrapped_stay_apart(text: str) -> None:
    assert [s.text for s in prepare_text(text).sentences] == [line for line in text.split("\n") if line]


@pytest.mark.parametrize(
    ("paragraph", "quoted"),
    [
        ("He called it “a disgrace” twice.", ["a disgrace"]),
        ('She said "no" and "never".', ["no", "never"]),
        ("“He told me ‘never’ and left,” she said.", ["He told me ‘never’ and left,"]),
        ("The ‘reform’ failed; workers’ pay fell.", ["reform"]),
        ("“An unclosed quotation runs to the end.", ["An unclosed quotation runs to the end."]),
        ('It was 5\'10" tall and 3" wide.', []),
        ("don’t, it’s, the dockers’ union", []),
        ('“Hello" said Ann, and left.', ["Hello"]),
        ("The band’s ‘90s hits drew the players’ crowd.", []),
        ("„So“ sagte er, «oui» dit-elle.", ["So", "oui"]),
        ("“They said “never” and left us,” said Ann.", ["They said “never” and left us,"]),
        ('"They said "never" and left us," said Ann.', ['They said "never" and left us,']),
        ("“It was lost. “Never,” he said. “Ever,” she said.", ["It was lost.", "Never,", "Ever,"]),
        ("It failed, said Ann.“It was lost,” she said.", ["It was lost,"]),
        ("”It was lost,” said Ann.", ["It was lost,"]),
        ("“It was lost,’’ said Ann. He left.", ["It was lost,"]),
        ("“It was lost,'' said Ann. ‘‘Never,’’ he said.", ["It was lost,", "Never,"]),
        ("It was lost,” said Ann. He left.", []),
        ("It was lost (“ The dam broke…  ” he said). He left.", ["The dam broke…"]),
    ],
)
def test_quotations(paragraph: str, quoted: list[str]) -> None:
    assert [paragraph[q.start : q.end] for q in find_quotations(paragraph)] == quoted


TRANSCRIPT = """Talks About The Harbour: What We Know

The mayor spoke to this paper on Tuesday.

ANN LEE, HOST: Why did you close the harbour?

MAYOR TOM HALE: It was a disgrace. “Safe”, they called it.

Nobody else dared to act.

LEE: Who will pay?

HALE (laughing): Not me.

LEE: Who then?

HALE: The thieves in the capital.
"""


def test_turns_in_a_transcript_are_somebody_elses_words() -> None:
    prepared = prepare_text(TRANSCRIPT)
    own = {s.text: s.host for s in prepared.sentences if s.voice == "own"}
    assert own == {
        "Talks About The Harbour: What We Know": None,
        "The mayor spoke to this paper on Tuesday.": None,
        "Why did you close the harbour?": "ANN LEE",
        "Who will pay?": "LEE",
        "Who then?": "LEE",
    }
    speakers = {s.text: s.quoted[0].speaker for s in prepared.sentences if s.quoted}
    assert speakers["Nobody else dared to act."] == "MAYOR TOM HALE"
    assert speakers["The thieves in the capital."] == "HALE"
    labels = [b.text for b in prepared.boilerplate if b.reason == "label"]
    assert labels == ["ANN LEE, HOST:", "MAYOR TOM HALE:", "LEE:", "HALE (laughing):", "LEE:", "HALE:"]


NO_TRANSCRIPTS = {
    "a list of names": ["Ann Lee: a nurse.", "Tom Hale: a driver.", "Eva Ruiz: a cook.", "Sam Orr: a clerk.", "Ida Low: a smith.", "Max Roe: a guard."],
    "too few": ["WINNER: the union.", "LOSER: the port."] * 2,
    "marks tell already": ["Ann Lee: “We wait.”", "Tom Hale: “We don't.”"] * 5,
    "one label": ["UPDATE: The port is open again."] * 9,
}  # fmt: skip


@pytest.mark.parametrize("lines", NO_TRANSCRIPTS.values(), ids=NO_TRANSCRIPTS)
def test_labels_before_paragraphs_make_no_transcript(lines: list[str]) -> None:
    assert all(s.voice != "quoted" for s in prepare_text("\n\n".join(lines)).sentences)


SLOW = [
    "Topics, from " + "tax, " * 40 + "health: all were raised.", "Topics | " + "tax | " * 40 + "& crime", "1" * 200 + " Facebook users complained.",
    "By " + "A" * 200 + "!", "BY " + "CORRESPONDENT-" * 30 + "!", "[•](#)" * 60 + " more text here.", "Advertisement" + " continue reading" * 30 + " x" * 30,
    "Reporting by " + "Ann " * 100 + "!", "Tags: " + "a-b, " * 80 + "!.", "Facebook " * 60 + "!", "Harbour " * 60 + "May 3",
    "(a (b. " * 9000, "(" + "a" * 60000 + ".) A", "It fell. (a.) " * 9000,
]  # fmt: skip


@pytest.mark.parametrize("line", SLOW, ids=range(len(SLOW)))
def test_no_line_takes_for_ever(line: str) -> None:
    """Each of these once took longer than anybody would wait; a hang here is a failure."""
    prepare_text(line)
    boilerplate_reason(line)


def test_a_disclaimer_at_the_top_leaves_the_article() -> None:
    prepared = prepare_text(
        "Disclaimer: the author owns shares in the firm.\n\nShares fell on Monday.\n\nAnalysts blamed rates."
    )
    assert [s.text for s in prepared.sentences] == ["Shares fell on Monday.", "Analysts blamed rates."]


@pytest.mark.parametrize(
    ("text", "voices"),
    [
        ("The mayor said, “We fight on.\nThe regime crushed it.\nPolice came.", ["mixed", "own", "own"]),
        ("“He never closed it.\n\nThe council met.", ["quoted", "own"]),
        (
            "Lee replied, “ I don’t know, and it is lost.\n\n“ I only wait,” Lee said. He left.",
            ["mixed", "mixed", "own"],
        ),
        (
            'Lee replied, " I don’t know, and it is lost.\n\n" I only wait," Lee said. He left.',
            ["mixed", "mixed", "own"],
        ),
        ('It is lost. "\n\n" I only wait," Lee said. He left.', ["own", "mixed", "own"]),
    ],
)
def test_a_lost_mark_ends_with_its_line_or_paragraph(text: str, voices: list[str]) -> None:
    assert [s.voice for s in prepare_text(text).sentences] == voices


BOILERPLATE = {
    "copyright": ["Copyright © 2026 The Tamsel Courier, LLC.", "© Estmere Press", "All rights reserved.", "Click here for reprint permission."],
    "source": ["The original source of this article is Harbour Watch", "This article was originally published on another site.", "(AP Photo/Ann Lee, File)"],
    "byline": ["By Ann Lee and Bo Cole", "Updated at 7:37 p.m.", "Harbour Watch, March 3, 2026", "Ann Lee contributed to this report."],
    "tags": ["Theme: Dams, Farming", "Region: Estmere", "Tags: dams, floods"],
    "share": ["Share this article", "Facebook Twitter Email Print", "Follow us on Twitter", "Follow Ann Lee on Twitter: @annlee"],
    "subscribe": ["Sign up for Daily Newsletters", "Subscribe now!", "By signing up you agree to our terms."],
    "advertisement": ["Advertisement", "ADVERTISEMENT:", "Story Continued Below"],
    "navigation": ["READ MORE: What the dam cost", "Related: The flood in pictures", "CLICK HERE TO GET THE APP", "Read more"],
    "update": ["This story has been updated with comments.", "Correction: An earlier version misnamed the river."],
    "disclaimer": ["The views expressed in this article are the sole responsibility of the author.", "Disclaimer: all of the above.", "This site contains copyrighted material the use of which was not authorised."],
}  # fmt: skip


def test_boilerplate_is_known() -> None:
    assert set(BOILERPLATE) <= set(REASONS)
    found = {reason: [boilerplate_reason(line) for line in lines] for reason, lines in BOILERPLATE.items()}
    assert found == {reason: [reason] * len(lines) for reason, lines in BOILERPLATE.items()}


REPORTING = [
    "By Tuesday the river had risen by two metres.", "By any measure, the plan failed.", "Share prices fell on Monday.",
    "Follow-up tests found no trace of lead.", "The court ruled on a copyright dispute between two studios.",
    "Subscribers to the pension fund lost a third of their savings.", "Related cases are pending in four courts.",
    "The views of voters have changed.", "Advertisements for betting will be banned from May.", "Click beetles were found in the grain.",
    "Region by region, turnout fell.", "She does not represent the views of her party.", "Read the bill before you vote on it, she told them.",
    "More than 40 people were hurt.", "Watch towers were built along the border.", "Photographs of the site show a crater.",
    "Support for the plan fell to 31 percent.", "Sign language will be taught in schools.", "Disclaimers were printed in small type.",
    "Copyright law was rewritten in secret, campaigners said.", "The footage may not be reproduced in court, the judge ruled.",
    "Prosecutors said permission to republish the leaked cables was never given.", "Reuters could not independently verify the images.",
    "EPA officials said the photos were fake.", "First published in 1949, the novel is a bestseller again.",
    "Photo by photo, the dead were identified.", "Updated figures show that 45 people died.", "Published in 1962, the book sold 30 million copies.",
    "Reporting by the Harbour Courier revealed that the mayor took bribes.",
    "More than 200 scientists contributed to this report, which warns of famine.", "The report was revised after the ministry objected.",
    "The firm trained its model on copyrighted material, the lawsuit says.",
    "The company said it was not responsible for any damage caused by the spill.",
    "The views expressed by the senator drew condemnation from both parties.", "She announced her resignation in a newsletter.",
    "Donate blood, the health ministry urged.", "Read by millions, the column made him famous.", "Share with care, teachers told the pupils.",
    "Join our fight, the rebel leader told crowds.", "Send tips to the police, the sheriff begged.",
    "Story continues after a decade of war in the north.", "Invalid email addresses were used to flood the board with comments.",
    "Topics, from tax, rent, schools and buses to health: all were raised.",
]  # fmt: skip


@pytest.mark.parametrize("sentence", REPORTING)
def test_reporting_is_not_boilerplate(sentence: str) -> None:
    assert boilerplate_reason(sentence) is None


REPUBLICATION = """Harbour Watch

By Ann Lee

Harbour Watch, March 3, 2026

Theme: [Dams](https://example.org/tags/dams), [Farming](https://example.org/tags/farming)

[Dams](https://example.org/tags/dams) [Farming](https://example.org/tags/farming) [Estmere](https://example.org/tags/estmere)

**The *reckless* release** flooded nine farms. Officials said:

- no warning was sent
- the gates opened at 3 a.m.

“They told us ‘stay calm’ and left,” said Bo Cole.

ALDERMOUTH (Agency) - The ministry will publish a report in May.

The original source of this article is Harbour Watch

Copyright © Ann Lee, Harbour Watch, 2026

Harbour Watch is a centre for harbours, run by volunteers. It asks for gifts.
"""


def test_a_republication_leaves_only_the_reporting() -> None:
    prepared = prepare_text(REPUBLICATION)
    assert [s.text for s in prepared.sentences] == [
        "Harbour Watch",
        "The reckless release flooded nine farms.",
        "Officials said:",
        "no warning was sent",
        "the gates opened at 3 a.m.",
        "“They told us ‘stay calm’ and left,” said Bo Cole.",
        "ALDERMOUTH (Agency) - The ministry will publish a report in May.",
    ]
    assert [b.reason for b in prepared.boilerplate] == [
        "byline", "byline", "tags", "tags", "source", "copyright", "disclaimer", "disclaimer",
    ]  # fmt: skip
    assert prepared.sentences[5].voice == "mixed"
    assert [REPUBLICATION[s.start : s.end] for s in prepared.sentences[1:4]] == [
        "**The *reckless* release** flooded nine farms.", "Officials said:", "no warning was sent",
    ]  # fmt: skip
    assert prepared.boilerplate[2].text.endswith("[Farming](https://example.org/tags/farming)")
    assert_exact(REPUBLICATION, prepared)


@pytest.fixture(scope="module")
def news(corpora: Path) -> list[tuple[str, PreparedText]]:
    """An eighth of the real articles, prepared."""
    texts = pl.read_parquet(corpora / "articles.parquet", columns=["text"])["text"].to_list()[::8]
    assert len(texts) > 1000
    return [(text, prepare_text(text)) for text in texts]


def test_real_articles_are_exact(news: list[tuple[str, PreparedText]]) -> None:
    for text, prepared in news:
        assert_exact(text, prepared)


@settings(deadline=None)
@given(data=st.data())
def test_real_text_cut_anywhere_is_exact(data: st.DataObject, real_articles: list[dict[str, Any]]) -> None:
    text = data.draw(st.sampled_from(real_articles), label="article")["text"]
    start = data.draw(st.integers(0, len(text)), label="start")
    cut = text[start : start + data.draw(st.integers(0, 3000), label="length")]
    assert_exact(cut, prepare_text(cut))


def test_real_articles_split_sensibly(news: list[tuple[str, PreparedText]]) -> None:
    """Bounds that a broken splitter or a greedy boilerplate rule would leave."""
    lengths = sorted(len(s.text.split()) for _, prepared in news for s in prepared.sentences)
    assert 15 <= lengths[len(lengths) // 2] <= 27
    assert sum(length > 80 for length in lengths) < 0.005 * len(lengths)
    left_out = sum(b.end - b.start for _, prepared in news for b in prepared.boilerplate)
    assert 0.001 < left_out / sum(len(text) for text, _ in news) < 0.05


def test_quotations_of_real_articles_end(news: list[tuple[str, PreparedText]]) -> None:
    """Fewer than one article in two hundred with a quotation that nobody would have spoken in one breath."""
    long = 0
    for _, prepared in news:
        run = longest = paragraph = 0
        for sentence in prepared.sentences:
            within = max((quotation.end - quotation.start for quotation in sentence.quoted), default=0)
            goes_on = sentence.voice == "quoted" and sentence.paragraph == paragraph
            run, paragraph = within + run if goes_on else within, sentence.paragraph
            longest = max(longest, run)
        long += longest > LONG_QUOTATION
    assert long / len(news) < 0.005
