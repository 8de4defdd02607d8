"""Plainer words: what the lexicon holds, what fits a place, and what the model makes of it."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords import load_model
from loadedwords.lint.lexicon import read_lexicon
from loadedwords.lint.plainer import N_OFFERED, Replacement, candidates, plainer_words
from loadedwords.scoring import FramingModel


@pytest.fixture(scope="module")
def model() -> FramingModel:
    return load_model(threads=1)


def offered(sentence: str, word: str, kind: str | None = None) -> list[str]:
    start = sentence.index(word)
    return [found.apply(sentence) for found in candidates(sentence, start, start + len(word), kind)]


@pytest.mark.parametrize(
    ("sentence", "word", "plainer"),
    [
        ("The senator slammed the plan.", "slammed", "The senator criticized the plan."),
        ("Smith slams the plan.", "slams", "Smith criticizes the plan."),
        ("They are slashing the budget.", "slashing", "They are cutting the budget."),
        ("The budget was gutted by the board.", "gutted", "The budget was weakened by the board."),
        ("The budget was hijacked by the board.", "hijacked", "The budget was taken over by the board."),
        ("Prices skyrocketed in May.", "skyrocketed", "Prices rose in May."),
        ("Prices have skyrocketed in May.", "skyrocketed", "Prices have risen in May."),
        ("The mayor railed against the tax.", "railed against", "The mayor objected to the tax."),
        ("The mayor claimed the vote was rigged.", "claimed", "The mayor said the vote was rigged."),
        ("He is a radical who left.", "radical", "He is an activist who left."),
        ("His cronies met.", "cronies", "His associates met."),
        ("The regime’s army left.", "regime", "The government’s army left."),
        ("He is a puppet of the firm.", "puppet", "He is an ally of the firm."),
        ("A flood of letters arrived.", "flood", "A large number of letters arrived."),
        ("Thugs broke the door.", "Thugs", "People broke the door."),
        ("thugs broke the door.", "thugs", "people broke the door."),
        ("a puppet of the firm.", "puppet", "an ally of the firm."),
        ("8 thugs broke the door.", "thugs", "8 people broke the door."),
        ("The rally ended in chaos.", "chaos", "The rally ended in disorder."),
        ("It was a draconian law.", "draconian", "It was a strict law."),
        (
            "They have at least partly shattered the record.",
            "shattered",
            "They have at least partly broken the record.",
        ),
        ("They are desperate for a deal.", "desperate", "They are eager for a deal."),
        ("The thugs’ violence ruined it.", "thugs", "The people’s violence ruined it."),
        ("His cronies' firms won.", "cronies", "His associates' firms won."),
    ],
)
def test_grammar_is_kept(sentence: str, word: str, plainer: str) -> None:
    assert plainer in offered(sentence, word)


@pytest.mark.parametrize(
    ("sentence", "word", "without"),
    [
        ("It is an utterly failed plan.", "utterly", "It is a failed plan."),
        ("Ironically, the plan failed.", "Ironically", "The plan failed."),
        ("The plan, of course, failed.", "of course", "The plan failed."),
        ("It is really, really late.", "really late", "It is really late."),
        ("The plan failed, ironically.", "ironically", "The plan failed."),
        ("The plan failed miserably.", "miserably", "The plan failed."),
        ("A mere 30 people came.", "mere", "30 people came."),
        ("The so-called experts met.", "so-called", "The experts met."),
        ("It is a feverish two-week race.", "feverish", "It is a two-week race."),
        ("Shameless lobbyists won.", "Shameless", "Lobbyists won."),
        ("shameless lobbyists won.", "shameless", "lobbyists won."),
        ("- ironically, the plan failed.", "ironically", "- the plan failed."),
        ("an utterly failed plan", "utterly", "a failed plan"),
        ("An utterly failed plan", "utterly", "A failed plan"),
    ],
)
def test_a_word_is_left_out_with_its_article_comma_and_space(sentence: str, word: str, without: str) -> None:
    assert without in offered(sentence, word)


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("The plan was disgraceful.", "disgraceful"),  # nothing would be left to say
        ("A shameful and cruel plan failed.", "shameful"),
        ("They acted shamefully.", "shamefully"),
        ("He is not utterly wrong.", "utterly"),
        ("She slammed the door.", "slammed"),
        ("The group claimed responsibility for it.", "claimed"),
        ("She claimed a tax refund.", "claimed"),
        ("The regime change failed.", "regime"),
        ("Their emotional claims failed.", "claims"),
        ("He met Mad Max there.", "Mad"),  # a name
        ("The PUPPET won.", "PUPPET"),
        ("There is no doubt about it.", "no doubt"),
        ("The rule was rammed through the council.", "rammed through"),
        ("It would have doomed other plans.", "doomed"),
        ("The media elite was right.", "elite"),
        ("The tables are green.", "tables"),
        ("Ann insults what is new.", "insults"),
        ("The towns were plundered last year.", "plundered"),
        ("He was seen body slamming a reporter.", "slamming"),
    ],
)
def test_nothing_is_offered_where_nothing_fits(sentence: str, word: str) -> None:
    assert offered(sentence, word) == []


def test_what_is_offered_suits_the_noun() -> None:
    assert "He is an urgent man." not in offered("He is a desperate man.", "desperate")
    assert offered("The panic-stricken piece failed.", "panic-stricken") == ["The frightened piece failed."]
    assert "It saw rising power." not in offered("It saw unfettered power.", "unfettered")
    assert "The violence started upon us." not in offered("The violence unleashed upon us.", "unleashed")
    assert "It was a close job." not in offered("It was a plum job.", "plum")


def test_a_title_keeps_its_capitals() -> None:
    assert "Senate Leader Criticizes Budget Plan" in offered("Senate Leader Slams Budget Plan", "Slams")


def test_a_mass_noun_takes_no_article_and_no_repeated_word_is_offered() -> None:
    assert "Smith faced opposition at home." in offered("Smith faced a backlash at home.", "backlash")
    assert "They sowed confusion and confusion." not in offered("They sowed chaos and confusion.", "chaos")


@given(
    st.text(max_size=60), st.sampled_from(["slammed", "a puppet", "Ironically, ", "an utterly ", "flood of"]), st.text()
)
def test_every_replacement_lies_in_its_sentence_and_changes_it(before: str, word: str, after: str) -> None:
    sentence = before + word + after
    for found in candidates(sentence, len(before), len(before) + len(word)):
        assert 0 <= found.start < found.end <= len(sentence)
        changed = found.apply(sentence)
        assert changed != sentence
        assert changed.startswith(sentence[: found.start])
        assert changed.endswith(sentence[found.end :])


def test_the_model_ranks_and_drops(model: FramingModel) -> None:
    sentence = "The shameless regime slammed the plan."
    start = sentence.index("slammed")
    found = plainer_words(sentence, start, start + len("slammed"), "verb", model)
    assert 1 <= len(found) <= N_OFFERED
    scores = list(model.p_loaded([sentence, *(replacement.apply(sentence) for replacement in found)]))
    assert max(scores[1:]) < scores[0]
    assert scores[1:] == sorted(scores[1:])
    assert plainer_words("The council met.", 4, 11, None, model) == ()


def test_a_replacement_is_put_in_its_place() -> None:
    assert Replacement(0, 3, "A").apply("Its end") == "A end"


def test_the_lexicon_is_large_and_says_each_thing_once() -> None:
    table = tomllib.loads(files("loadedwords.lint").joinpath("plainer.toml").read_text(encoding="utf-8"))
    seen: set[tuple[str, str]] = set()
    for part in ("verb", "saying", "noun", "adjective", "adverb", "phrase"):
        for loaded, plain in table[part].items():
            wordings = [wording.strip() for wording in plain.split(",")]
            assert 1 <= len(wordings) <= 4, loaded
            assert all(wordings), loaded
            for word in map(str.strip, loaded.split(",")):
                assert (part, word) not in seen, f"{word} stands twice among {part}"
                assert word not in wordings, f"{word} is its own plain word"
                seen.add((part, word))
    assert len(seen) >= 1200


@pytest.mark.parametrize(
    ("words", "part", "form", "inflected"),
    [
        ("criticize", "verb", "past", "criticized"),
        ("cut", "verb", "ing", "cutting"),
        ("stop", "verb", "past", "stopped"),
        ("deny", "verb", "s", "denies"),
        ("take over", "verb", "participle", "taken over"),
        ("admit", "verb", "ing", "admitting"),
        ("center of", "noun", "plural", "centers of"),
        ("ally", "noun", "plural", "allies"),
        ("person", "noun", "plural", "people"),
        ("criticism", "noun", "plural", "criticism"),
    ],
)
def test_inflection(words: str, part: str, form: str, inflected: str) -> None:
    assert read_lexicon().inflect(words, part, form) == inflected
