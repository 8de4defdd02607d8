"""What a model does with sentences made for the purpose: minimal pairs, exchanged names, attributed claims, devices.

All suites were written by the authors of this package and nothing is trained on them.
The idea of testing a model by what it must and must not react to is that of CheckList (Ribeiro et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.text import prepare_text
from loadedwords.training.evaluation.device_suite import ALL_DEVICES, ALL_LEFT_ALONE, Finder, measure_devices
from loadedwords.training.evaluation.labelled import which_is_loaded
from loadedwords.training.evaluation.results import DeviceRate, Evaluation, Finding, share
from loadedwords.training.evaluation.texts import Exchange, Span, put_in, read_attributions, read_exchanges, read_suite

# What a plain word must stay below, as a score of its sentence.
PLAIN = 0.3


class Classifier(Protocol):
    """What can be probed: a `FramingModel`, or any fitted scikit-learn classifier of texts."""

    classes_: Any

    def predict_proba(self, sentences: Sequence[str], /) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class _Probed:
    """A model as the suites use it: texts → probability of loaded, and loaded words if it finds any."""

    name: str
    score: Callable[[Sequence[str]], NDArray[np.float64]]
    threshold: float
    find_words: Finder | None

    def is_loaded(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        called: NDArray[np.bool_] = self.score(texts) >= self.threshold
        return called

    def score_groups(self, groups: Sequence[Sequence[str]]) -> list[NDArray[np.float64]]:
        """The scores of each group of texts; all in one run."""
        scores = self.score([text for group in groups for text in group])
        return np.split(scores, np.cumsum([len(group) for group in groups])[:-1])


# What a suite found, and what a reader should know besides.
_Part = tuple[list[Finding], list[str]]


def probe(model: Classifier, *, name: str = "", threshold: float | None = None) -> Evaluation:
    """Run all suites on a model.

    Parameters
    ----------
    model : FramingModel or classifier
        Anything with `predict_proba` for a list of sentences and `classes_`, one of which means loaded. Where it has
        `find_loaded_words` too, devices are looked for by words as well as by sentences.
    name : str
        For the description.
    threshold : float, optional
        Probability from which a sentence counts as loaded; the model's own, else one half.

    Returns
    -------
    Evaluation
        Findings of each suite, with intervals from resampling what belongs together.

    Raises
    ------
    DataError
        If none of the model's classes means loaded.

    Examples
    --------
    >>> import loadedwords
    >>> result = probe(loadedwords.load_model("linear"))
    >>> result.findings[0].name
    'pairs: the loaded sentence scores higher'
    """
    probed = _as_probed(model, name, threshold)
    suites = (_pairs, _words_in_and_out, _plain_words, _exchanged, _attributed)
    findings, notes = zip(*(suite(probed) for suite in suites), strict=True)
    devices = _devices(probed)
    return Evaluation(
        f"{probed.name} on the package's own suites; threshold {probed.threshold:.2f}; 95% intervals by resampling pairs, "
        "sentences or templates, whichever belong together.",
        {},
        (*(each for of in findings for each in of), *_devices_together(devices)),
        tuple(note for of in notes for note in of),
        devices=devices,
    )


def evaluate_pairs(model: Classifier) -> Evaluation:
    """Measure a model, as for `probe`, on minimal pairs: one sentence plain, and the same with loaded words in it."""
    probed = _as_probed(model, "", None)
    findings, notes = _pairs(probed)
    description = (
        f"{probed.name} on minimal pairs; threshold {probed.threshold:.2f}; 95% intervals by resampling pairs."
    )
    return Evaluation(description, {}, tuple(findings), tuple(notes))


def _pairs(probed: _Probed) -> _Part:
    pairs = read_suite("minimal_pairs")
    neutral, loaded = (probed.score([pair[side] for pair in pairs]) for side in ("neutral", "loaded"))
    higher, below, above = loaded > neutral, neutral < probed.threshold, loaded >= probed.threshold
    size = f"{len(pairs)} pairs"
    findings = [
        Finding("pairs: the loaded sentence scores higher", share(higher), "0.500 by chance", size),
        Finding(
            "pairs: both on the right side of the threshold",
            share(below & above),
            f"neutral below {below.mean():.3f}, loaded above {above.mean():.3f}; 0.250 by chance",
            size,
        ),
    ]
    devices = np.array([pair["device"] for pair in pairs])
    notes = [
        f"pairs, {device}: higher {higher[of].mean():.2f}, neutral below {below[of].mean():.2f}, loaded above "
        f"{above[of].mean():.2f} ({of.sum()} pairs)"
        for device in np.unique(devices)
        for of in [devices == device]
    ]
    return findings, notes


def _words_in_and_out(probed: _Probed) -> _Part:
    """Sensitivity: a loaded word flips a neutral sentence, what is only negated, hedged, technical or sad does not."""
    suite = read_suite("sensitivity")
    flips: list[bool] = []
    kinds: list[str] = []
    frames: list[str] = []
    for number, frame in enumerate(suite["loaded"]):
        plain, changed = ([put_in(frame["text"], word) for word in frame[words]] for words in ("plain", "words"))
        stays = not probed.is_loaded(plain).any()
        flips += [stays and flipped for flipped in probed.is_loaded(changed).tolist()]
        kinds += [frame["kind"]] * len(changed)
        frames += [str(number)] * len(changed)
    plain_kinds = [kind for kind, sentences in suite["plain"].items() for _ in sentences]
    below = ~probed.is_loaded([text for sentences in suite["plain"].values() for text in sentences])
    findings = [
        Finding(
            "sensitivity: a loaded word put in flips the sentence, taken out flips it back",
            share(flips, frames),
            "0.125 by chance",
            f"{len(flips)} words in {len(suite['loaded'])} sentences",
        ),
        Finding(
            "sensitivity: negated, hedged, technical and sad plain sentences stay neutral",
            share(below),
            ", ".join(f"{kind} {mean:.2f}" for kind, mean, _ in _by_kind(plain_kinds, below)),
            f"{len(below)} sentences",
        ),
    ]
    return findings, [f"sensitivity, {kind}s: {mean:.2f} flip ({n})" for kind, mean, n in _by_kind(kinds, flips)]


def _by_kind(kinds: Sequence[str], hits: Sequence[bool] | NDArray[np.bool_]) -> list[tuple[str, float, int]]:
    """Each kind in the order of the suite, its share of hits, how many there are of it."""
    of_kind, hit = np.array(kinds), np.asarray(hits)
    return [(kind, float(hit[of_kind == kind].mean()), kinds.count(kind)) for kind in dict.fromkeys(kinds)]


def _plain_words(probed: _Probed) -> _Part:
    """Rare plain words: names of trades, sciences, firms, bands and beers, and what is no sentence at all."""
    suite = read_suite("plain_words")
    kinds, texts = [], []
    for kind, words in suite["words"].items():
        templates = suite["templates"][kind]
        texts += [put_in(templates[at % len(templates)], word) for at, word in enumerate(words)]
        kinds += [kind] * len(words)
    scores = probed.score([text[:1].upper() + text[1:] for text in texts])
    by_kind = ", ".join(f"{kind} {mean:.2f}" for kind, mean, _ in _by_kind(kinds, scores < PLAIN))
    finding = Finding(
        f"rare plain words: below {PLAIN}",
        share(scores < PLAIN),
        f"{by_kind}; mean score {scores.mean():.2f}",
        f"{len(texts)} words, each in a plain sentence",
    )
    return [finding], []


def _exchanged(probed: _Probed) -> _Part:
    """Invariance: how often another name, party, place, ... changes the decision, and how far it moves the score."""
    exchanges = list(read_exchanges())
    scores = probed.score_groups([exchange.sentences for exchange in exchanges])
    findings, notes = [], []
    for kind in dict.fromkeys(exchange.kind for exchange in exchanges):
        found = [(exchange, p) for exchange, p in zip(exchanges, scores, strict=True) if exchange.kind == kind]
        pairs = [np.array(list(combinations(p, 2))) for _, p in found]
        same = np.array([((pair >= probed.threshold).sum(axis=1) != 1).mean() for pair in pairs])
        moved = np.array([np.abs(pair[:, 0] - pair[:, 1]).mean() for pair in pairs])
        middle = np.array([exchange.tone == "borderline" for exchange, _ in found])
        templates = [exchange.template for exchange, _ in found]
        n_middle = len({exchange.template for exchange, _ in found if exchange.tone == "borderline"})
        for what, values in (("decisions unchanged", same), ("mean change of the score", moved)):
            findings.append(
                Finding(
                    f"invariance, another {kind}: {what}",
                    share(values, templates),
                    f"{values[middle].mean():.3f} on the {n_middle} borderline ones",
                    f"{sum(len(p) for _, p in found)} sentences from {len(set(templates))} templates",
                )
            )
        notes.append(f"invariance, {kind}, mean score on the borderline ones: {_by_filler(kind, found)}")
    return findings, notes


def _by_filler(kind: str, found: Sequence[tuple[Exchange, NDArray[np.float64]]]) -> str:
    """The mean score with each filler, lowest first: whom the model is harder on."""
    means = np.mean([p for exchange, p in found if exchange.tone == "borderline"], axis=0)
    fillers = read_suite("invariance")["fillers"][kind]
    names = [filler["man"] if isinstance(filler, dict) else filler for filler in fillers]
    return ", ".join(f"{names[at]} {means[at]:.2f}" for at in np.argsort(means, kind="stable"))


def _attributed(probed: _Probed) -> _Part:
    """Own voice: a bare claim is the outlet's, the same claim in quotation marks is not."""
    pairs = read_attributions()
    claims = [claim for claim, _ in pairs]
    bare, whole = probed.is_loaded(claims), probed.is_loaded([text for _, text in pairs])
    own_texts = [[s.own_text for s in prepare_text(text).sentences if s.own_text] for _, text in pairs]
    own = np.array([bool((scores < probed.threshold).all()) for scores in probed.score_groups(own_texts)])
    n_frames = len(read_suite("attribution")["frames"])
    frames = [str(at % n_frames) for at in range(len(pairs))]
    size = f"{len(pairs)} pairs of {len(set(claims))} claims in {n_frames} frames"
    findings = [
        Finding("own voice: a bare loaded claim is above the threshold", share(bare, claims), "", size),
        Finding(
            "own voice: the same claim quoted is below it, quoted words taken out",
            share(own, frames),
            f"{1 - whole.mean():.3f} where the whole sentence is scored",
            size,
        ),
        Finding("own voice: both", share(bare & own, frames), "0.250 by chance", size),
    ]
    return findings, []


def _devices(probed: _Probed) -> tuple[DeviceRate, ...]:
    def find_sentences(texts: Sequence[str]) -> list[list[Span]]:
        loaded = probed.is_loaded(texts)
        return [[(0, len(text))] if is_loaded else [] for text, is_loaded in zip(texts, loaded, strict=True)]

    by_words = measure_devices(probed.find_words, "words") if probed.find_words else ()
    return (*by_words, *measure_devices(find_sentences, "sentences"))


def _devices_together(devices: Sequence[DeviceRate]) -> list[Finding]:
    findings = []
    for rate in devices:
        if rate.kind == ALL_DEVICES and rate.found and rate.told_apart:
            what = "a loaded word is found" if rate.measure == "words" else "the loaded sentence is above the threshold"
            beside = f"the same in the plain twin {rate.false_alarms.estimate:.3f}, told apart {rate.told_apart.estimate:.3f}"
            findings.append(Finding(f"devices: {what}", rate.found, beside, f"{rate.n} pairs"))
        elif rate.kind == ALL_LEFT_ALONE:
            what = "a word is found" if rate.measure == "words" else "a sentence is above the threshold"
            name = f"devices: {what} in what must be left alone"
            findings.append(Finding(name, rate.false_alarms, "lower is better", f"{rate.n} sentences"))
    return findings


def _as_probed(model: Classifier, name: str, threshold: float | None) -> _Probed:
    if not hasattr(model, "predict_proba") or not hasattr(model, "classes_") or isinstance(model, type):
        raise DataError(
            f"{model!r} can't be probed: it has no predict_proba and classes_.\nPass a fitted classifier of sentences."
        )
    column = which_is_loaded(model.classes_)

    def score(texts: Sequence[str]) -> NDArray[np.float64]:
        probability = np.asarray(model.predict_proba(list(texts)), dtype=np.float64)
        if probability.shape != (len(texts), 2) or not np.isfinite(probability).all():
            raise DataError(
                f"predict_proba gave the shape {probability.shape} for {len(texts)} sentences, or values that are no numbers.\n"
                "It must give two probabilities for each sentence."
            )
        loaded: NDArray[np.float64] = probability[:, column]
        return loaded

    find = getattr(model, "find_loaded_words", None)
    return _Probed(
        name or (model.bundle.name if hasattr(model, "bundle") else type(model).__name__),
        score,
        float(getattr(model, "threshold", 0.5) if threshold is None else threshold),
        find and (lambda texts: [[(word.start, word.end) for word in words] for words in find(texts)]),
    )
