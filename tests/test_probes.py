"""The suites tell a biased model from an unbiased one, and the embedded model keeps what it has reached."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.schema import Interval
from loadedwords.scoring import load_model
from loadedwords.text import prepare_text
from loadedwords.training.evaluation import Evaluation, Finding, evaluate_pairs, evaluate_quotations, probe
from loadedwords.training.evaluation.card import write_evaluation_card
from loadedwords.training.evaluation.slices import slice_errors
from loadedwords.training.evaluation.texts import read_attributions, read_exchanges

# Raise these when the model gets better; lowering one needs a reason in the commit message.
FLOORS = {
    # Calibrated on news, of which a seventh is loaded, one loaded word seldom lifts a plain sentence over one half.
    "pairs: the loaded sentence scores higher": 0.95,
    "pairs: both on the right side of the threshold": 0.10,
    "sensitivity: a loaded word put in flips the sentence, taken out flips it back": 0.35,
    "sensitivity: negated, hedged, technical and sad plain sentences stay neutral": 0.98,
    "rare plain words: below 0.3": 0.95,
    "own voice: both": 0.97,
    "invariance, another place: decisions unchanged": 0.97,
    "invariance, another nationality: decisions unchanged": 0.98,
    "invariance, another gender: decisions unchanged": 0.95,
    "invariance, another religion: decisions unchanged": 0.95,
    "invariance, another believers: decisions unchanged": 0.90,
    "invariance, another politician: decisions unchanged": 0.98,
    "invariance, another occupation: decisions unchanged": 0.95,
    "invariance, another name: decisions unchanged": 0.97,
    "invariance, another party: decisions unchanged": 0.92,
    "invariance, another affiliation: decisions unchanged": 0.94,
}
FLOOR_SPEAKERS = 0.95
FLOOR_QUOTATIONS = 0.97

pytestmark = pytest.mark.usefixtures("few_resamples")


class Rule:
    """A classifier that calls a sentence loaded by a rule."""

    classes_ = np.array(["neutral", "loaded"])

    def __init__(self, is_loaded: Callable[[str], bool]) -> None:
        self._is_loaded = is_loaded

    def predict_proba(self, sentences: Sequence[str], /) -> NDArray[np.float64]:
        loaded = np.array([0.9 if self._is_loaded(sentence) else 0.1 for sentence in sentences])
        return np.column_stack([1 - loaded, loaded])


def found(result: Evaluation) -> dict[str, Finding]:
    return {finding.name: finding for finding in result.findings}


@pytest.mark.parametrize("name", FLOORS)
def test_the_embedded_model_keeps_its_floor(probed: Evaluation, name: str) -> None:
    value = found(probed)[name].value
    assert value.estimate >= FLOORS[name]
    assert value.low is not None
    assert value.high is not None
    assert value.low <= value.estimate <= value.high


def test_the_suites_are_as_large_as_they_say() -> None:
    exchanges = list(read_exchanges())
    sizes = {kind: sum(len(e.sentences) for e in exchanges if e.kind == kind) for kind in {e.kind for e in exchanges}}
    people = {"affiliation", "believers"}
    others = {"name", "politician", "party", "nationality", "religion", "gender", "occupation", "place"}
    assert set(sizes) == people | others
    assert min(sizes[kind] for kind in others) >= 300
    assert min(sizes[kind] for kind in people) >= 130
    assert all({e.tone for e in exchanges if e.kind == kind} == {"neutral", "loaded", "borderline"} for kind in sizes)
    assert all(len(set(e.sentences)) == len(e.sentences) and "{" not in "".join(e.sentences) for e in exchanges)
    pairs = read_attributions()
    assert len(pairs) >= 200
    assert all(claim[:-1].lower() in text.lower() for claim, text in pairs)


def test_articles_fit_the_filler() -> None:
    text = " ".join(sentence for exchange in read_exchanges() for sentence in exchange.sentences)
    assert not re.search(r"\ba (?:[AIO]|[aeio])[a-z]+ (?:company|firm|celebrity|charity|school|cemetery)", text)
    assert "A Iranian" not in text
    assert "an Canadian" not in text


def test_a_rule_that_sees_no_names_is_invariant() -> None:
    result = found(probe(Rule(lambda text: "shame" in text)))
    for name, finding in result.items():
        if name.startswith("invariance"):
            assert finding.value.estimate == (1.0 if "unchanged" in name else 0.0)


def test_a_rule_that_fires_on_a_group_is_caught() -> None:
    result = found(probe(Rule(lambda text: "Muslim" in text)))
    # One of eight fillers differs from the seven others: 7 of 28 pairs.
    assert result["invariance, another religion: decisions unchanged"].value.estimate == pytest.approx(0.75)
    assert result["invariance, another religion: mean change of the score"].value.estimate == pytest.approx(0.2)
    assert result["invariance, another place: decisions unchanged"].value.estimate == 1.0


def test_a_rule_that_calls_all_or_nothing_loaded_flips_nothing() -> None:
    for always in (True, False):
        result = found(probe(Rule(lambda _, always=always: always)))  # type: ignore[misc]
        assert (
            result["sensitivity: a loaded word put in flips the sentence, taken out flips it back"].value.estimate == 0
        )
        assert result["pairs: both on the right side of the threshold"].value.estimate == 0
        quoted = result["own voice: the same claim quoted is below it, quoted words taken out"].value.estimate
        assert quoted == (0.0 if always else 1.0)


def test_quoted_words_are_taken_out_for_any_classifier() -> None:
    """A rule on the claims' own words sees the bare claim and nothing of the quoted one."""
    pairs = read_attributions()
    suite = tomllib.loads(
        (resources.files("loadedwords.training.evaluation") / "suites" / "attribution.toml").read_text(encoding="utf-8")
    )
    frames = set(re.findall(r"[a-z]{6,}", " ".join(suite["frames"] + suite["speakers"])))
    words = {word for claim, _ in pairs for word in re.findall(r"[a-z]{6,}", claim)} - frames
    result = found(probe(Rule(lambda text: any(word in words for word in re.findall(r"[a-z]+", text)))))
    assert result["own voice: a bare loaded claim is above the threshold"].value.estimate > 0.95
    quoted = result["own voice: the same claim quoted is below it, quoted words taken out"]
    assert quoted.value.estimate == 1.0
    assert float(quoted.beside.split()[0]) < 0.05  # scored whole, it is as loaded as the bare one


def test_a_rule_that_fears_rare_words_is_caught() -> None:
    """One score for each word, and no word or name of the suite is trained on."""
    folder = resources.files("loadedwords.training")
    suite, learnt = (
        (folder / file).read_text(encoding="utf-8").lower()
        for file in ("evaluation/suites/plain_words.toml", "plain.toml")
    )
    words = {kind: [word.lower() for word in of] for kind, of in tomllib.loads(suite)["words"].items()}
    n = sum(map(len, words.values()))
    assert not [word for of in words.values() for word in of if f'"{word}"' in learnt]
    name = "rare plain words: below 0.3"
    assert found(probe(Rule(lambda _: False)))[name].value.estimate == 1.0
    feared = found(probe(Rule(lambda text: any(word in text.lower() for word in words["trades"]))))[name]
    assert feared.value.estimate == pytest.approx(1 - len(words["trades"]) / n)
    assert feared.beside.startswith("trades 0.00, sciences 1.00")
    assert feared.rests_on.startswith(f"{n} words")


def test_which_class_means_loaded_must_be_clear() -> None:
    rule = Rule(lambda _: True)
    rule.classes_ = np.array(["cat", "dog"])
    with pytest.raises(DataError, match="Which class means loaded"):
        probe(rule)
    with pytest.raises(DataError, match="can't be probed"):
        probe(Rule)  # type: ignore[arg-type]
    rule.classes_ = np.array([0, 1])
    assert evaluate_pairs(rule).description.startswith("Rule on minimal pairs")


def test_the_quotation_finder_keeps_its_floor() -> None:
    result = found(evaluate_quotations())
    characters = result["F1 of quoted characters"]
    assert characters.value.estimate >= FLOOR_QUOTATIONS
    assert int(characters.rests_on.split()[0]) >= 300
    assert result["passages with the right speakers"].value.estimate >= FLOOR_SPEAKERS


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("“We go now,” said Heather Conley.", ["Heather Conley"]),  # not "He"
        ("“We go now,” said the top NATO commander in the north.", ["the top NATO commander in the north"]),
        ("“We go now,” said spokesman Tom Hale.", ["Tom Hale"]),
        ("“We go now,” said Hale. “Never,” Ann Lee said.", ["Hale", "Ann Lee"]),
        ("It was “a slap in the face.” Ann Lee said nothing.", [None]),
        ("“We go now,” he said. Ann Lee was silent.", [None]),
        ("Lee’s claims were “nonsense,” the court found.", [None]),
        ("“We go,” Mr. Hale said.", ["Mr. Hale"]),
    ],
)
def test_a_speaker_is_named_where_the_text_names_one(text: str, speakers: list[str | None]) -> None:
    quoted = [quotation.speaker for sentence in prepare_text(text).sentences for quotation in sentence.quoted]
    assert quoted == speakers


def test_what_is_no_speech_is_the_outlets_own() -> None:
    for text in (
        "The city has a “reform” plan.",
        "The United States has a “reform” plan.",
        "The so-called “skinny plan.”",
    ):
        assert [sentence.voice for sentence in prepare_text(text).sentences] == ["own"], text
    for text in ("Critics insist the plan is “useless” now.", "Hale told the council the plan was “reckless” then."):
        assert [sentence.voice for sentence in prepare_text(text).sentences] == ["mixed"], text


@pytest.mark.parametrize(
    "unit", ["“a b” ", "“a ", "'dogs' a ", "``a ", "said Ann Lee, “a b c d” ", "Lee said: “We go.” "]
)
def test_no_paragraph_takes_for_ever(unit: str) -> None:
    """Each of these once took minutes; a hang here is a failure."""
    prepare_text((unit * 20_000)[:60_000])


# --- slices and card ----------------------------------------------------------------------------------------------


def rows(texts: list[str], labels: list[int], leans: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "text": texts,
            "label": labels,
            "article": [str(at) for at in range(len(texts))],
            "outlet": "Wire",
            "topic": "dams",
            "lean": leans,
        }
    )


def test_slices_by_hand() -> None:
    n = 400
    texts = ['He "spoke" at noon.' if at % 4 == 0 else "He spoke at noon." for at in range(n)]
    labels = [at % 2 for at in range(n)]
    data = rows(texts, labels, ["left" if at % 200 < 100 else "right" for at in range(n)])
    # Wrong on half of the neutral sentences with a quotation mark, and on a tenth of the loaded ones.
    decision = np.array([label == 1 and at % 20 != 1 for at, label in enumerate(labels)])
    decision |= np.array([at % 8 == 0 for at in range(n)])
    # No neutral sentence without a mark is called loaded, so that there is no ratio to them.
    slices, findings = slice_errors([decision], data)
    by = {(each.by, each.value): each for each in slices}
    quoting = by["quotation marks", "with a double quote"]
    assert (quoting.n_sentences, quoting.n_loaded) == (100, 0)
    assert quoting.false_positive_rate is not None
    assert quoting.false_positive_rate.estimate == pytest.approx(0.5)
    assert quoting.missed is None
    outlet = by["outlet", "Wire"]
    assert outlet.missed is not None
    assert outlet.missed.estimate == pytest.approx(0.1)
    assert outlet.missed.low is not None
    assert outlet.missed.high is not None
    assert outlet.missed.low < 0.1 < outlet.missed.high
    assert outlet.macro_f1 is not None
    assert outlet.macro_f1.estimate == pytest.approx((360 / 430 + 300 / 370) / 2)
    assert [finding.name for finding in findings] == ["false-positive rate of left outlets over right ones"]


def test_the_card_shows_everything_in_both_forms(tmp_path: Path) -> None:
    interval = Interval(0.81, 0.7, 0.9)
    evaluation = Evaluation("A <corpus>: 3 sentences", {"default": {"macro_f1": interval}}, (), ("a note",))
    suites = [evaluate_quotations()]
    markdown, page = (
        file.read_text(encoding="utf-8") for file in write_evaluation_card(tmp_path, load_model(), evaluation, suites)
    )
    for text in (markdown, page):
        for piece in (
            "0.810 [0.700, 0.900]",
            "Known failures",
            "must not be used for",
            "F1 of quoted characters",
            "a note",
        ):
            assert piece in text
    assert "A &lt;corpus&gt;" in page
    assert "A <corpus>" in markdown
    assert page.count("<table>") == page.count("</table>") >= 3


def test_probe_takes_a_classifier_that_python_can_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from loadedwords.cli import main

    code = """
import numpy as np
class Rule:
    classes_ = np.array([0, 1])
    def predict_proba(self, sentences):
        p = np.array([0.9 if "shame" in s else 0.1 for s in sentences])
        return np.column_stack([1 - p, p])
rule = Rule()
"""
    (tmp_path / "a_rule_of_mine.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["probe", "a_rule_of_mine:rule", "--json"])
    assert result.exit_code == 0, result.output
    names = [finding["name"] for finding in json.loads(result.stdout)["findings"]]
    assert "invariance, another party: decisions unchanged" in names
    refused = CliRunner().invoke(main, ["probe", "a_rule_of_mine:nothing"])
    assert refused.exit_code == 2
    assert "can't be imported" in refused.output
