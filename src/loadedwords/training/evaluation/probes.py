"""What a model does with sentences made for the purpose: minimal pairs, exchanged names, attributed claims, devices.

All suites were written by the authors of this package and nothing is trained on them.
The idea of testing a model by what it must and must not react to is that of CheckList (Ribeiro et al. 2020).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from loadedwords.errors import DataError
from loadedwords.schema import Interval
from loadedwords.text import prepare_text
from loadedwords.training.evaluation.device_suite import ALL_DEVICES, ALL_LEFT_ALONE, Finder, Span, measure_devices
from loadedwords.training.evaluation.labelled import LOADED_NAMES
from loadedwords.training.evaluation.results import DeviceRate, Evaluation, Finding, resampled

# Each template is filled so often with the fillers of one kind, its other slots filled otherwise each time.
_SETTINGS = 3
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


@dataclass(frozen=True)
class Exchange:
    """Sentences that differ in a name, a group, a place, ... alone.

    `tone` is what the template is: "neutral", "loaded" or "borderline".
    """

    kind: str
    tone: str
    sentences: tuple[str, ...]
    template: str


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
    parts = [_pairs(probed), _words_in_and_out(probed), _plain_words(probed), _exchanged(probed), _attributed(probed)]
    devices = _devices(probed)
    parts.append((_devices_together(devices), ()))
    return Evaluation(
        f"{probed.name} on the package's own suites; threshold {probed.threshold:.2f}; 95% intervals by resampling pairs, "
        "sentences or templates, whichever belong together.",
        {},
        tuple(finding for findings, _ in parts for finding in findings),
        tuple(note for _, notes in parts for note in notes),
        devices=devices,
    )


def evaluate_pairs(model: Classifier) -> Evaluation:
    """Measure a model on minimal pairs: one sentence plain, and the same with loaded words in it.

    Parameters
    ----------
    model : FramingModel or classifier
        As for `probe`.
    """
    probed = _as_probed(model, "", None)
    findings, notes = _pairs(probed)
    description = (
        f"{probed.name} on minimal pairs; threshold {probed.threshold:.2f}; 95% intervals by resampling pairs."
    )
    return Evaluation(description, {}, findings, notes)


def evaluate_quotations() -> Evaluation:
    """Measure the quotation finder on passages marked by hand, each in four styles of marks.

    Characters count (white space left out), and the speaker where one is named.
    """
    passages = _suite("quotations")["passages"]
    counts: list[tuple[int, int, int]] = []
    speakers: list[bool] = []
    of: list[str] = []
    told: list[str] = []
    for number, passage in enumerate(passages):
        for text in _styles(passage["text"]):
            clean, wanted = _unmarked(text)
            found, who = _found_quotations(clean)
            counts.append((len(found & wanted), len(found), len(wanted)))
            of.append(str(number))
            if "speakers" in passage:
                expected = [name.replace("’", "'") for name in passage["speakers"]]
                speakers.append(
                    list(dict.fromkeys((name or "").replace("’", "'") for name in who)) == list(dict.fromkeys(expected))
                )
                told.append(str(number))
    table = np.array(counts)

    def f1(rows: NDArray[np.intp]) -> float:
        hit, n_found, n_wanted = table[rows].sum(axis=0)
        return float(2 * hit / max(1, n_found + n_wanted))

    hit, n_found, n_wanted = table.sum(axis=0)
    size = f"{len(counts)} passages: {len(passages)} written by hand, each in four styles of marks"
    findings = (
        Finding(
            "F1 of quoted characters",
            resampled(f1, np.array(of)),
            f"precision {hit / n_found:.3f}, recall {hit / n_wanted:.3f}",
            size,
        ),
        Finding(
            "passages with the right speakers",
            _share(np.array(speakers), np.array(told)),
            "in the order in which they speak",
            f"{len(speakers)} passages, {len(set(told))} written by hand",
        ),
    )
    return Evaluation("The quotation finder on marked passages.", {}, findings)


# --- the suites ---------------------------------------------------------------------------------------------------


@cache
def _suite(name: str) -> Any:
    folder = resources.files("loadedwords.training.evaluation") / "suites"
    if name == "minimal_pairs":
        lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))


def read_exchanges() -> Iterator[Exchange]:
    """The invariance suite: templates filled with every filler of one kind in turn."""
    suite = _suite("invariance")
    fillers: dict[str, list[Any]] = suite["fillers"]
    forms = {kind: set(of[0]) if isinstance(of[0], dict) else {kind} for kind, of in fillers.items()}
    for tone, templates in suite["templates"].items():
        for number, template in enumerate(templates):
            slots = set(re.findall(r"{(\w+)}", template))
            kinds = [kind for kind in fillers if slots & forms[kind]]
            for kind in kinds:
                others = [other for other in kinds if other != kind]
                for setting in range(_SETTINGS if others else 1):
                    fixed = dict.fromkeys(others, number * 7 + setting * 5 + 1)
                    sentences = (_filled(template, fillers, {**fixed, kind: at}) for at in range(len(fillers[kind])))
                    yield Exchange(kind, tone, tuple(sentences), template)


def _filled(template: str, fillers: dict[str, list[Any]], chosen: dict[str, int]) -> str:
    forms: dict[str, str] = {}
    for kind, number in chosen.items():
        filler = fillers[kind][number % len(fillers[kind])]
        forms |= filler if isinstance(filler, dict) else {kind: filler}
    with_articles = re.sub(
        r"\b([Aa]) \{(\w+)\}",
        lambda match: f"{match[1]}{'n' if forms[match[2]][0] in 'AEIOaeio' else ''} {{{match[2]}}}",
        template,
    )
    return with_articles.format(**forms)


def read_attributions() -> list[tuple[str, str]]:
    """The attribution suite: a loaded claim, and the same in somebody's mouth; every claim twice, frame after frame."""
    suite = _suite("attribution")
    frames, speakers = suite["frames"], suite["speakers"]
    pairs = []
    for number, claim in enumerate(suite["claims"]):
        for at in (2 * number, 2 * number + 1):
            text = (
                frames[at % len(frames)]
                .replace("{claim,}", claim[:-1] + ",")
                .replace("{claim}", claim)
                .replace("{small}", claim[0].lower() + claim[1:])
                .replace("{speaker}", speakers[(5 * at + number) % len(speakers)])
            )
            pairs.append((claim, text[0].upper() + text[1:]))
    return pairs


def _styles(text: str) -> Iterator[str]:
    """A passage as it stands, with straight marks, with single marks outside, and with angled ones."""
    yield text
    yield text.translate(str.maketrans("“”‘’", "\"\"''"))
    inner = re.sub(r"‘((?:[^’\n]|(?<=\w)’(?=\w))*)’", "\x01\\1\x02", text)  # an apostrophe stays one
    yield inner.translate(str.maketrans("“”\x01\x02", "‘’“”"))
    yield text.translate(str.maketrans("“”", "«»"))


def _unmarked(text: str) -> tuple[str, set[int]]:
    """A passage without ⟦ ⟧, and the offsets of the characters that stood in them."""
    clean: list[str] = []
    wanted: set[int] = set()
    inside = False
    for character in text:
        if character in "⟦⟧":
            inside = character == "⟦"
            continue
        if inside and not character.isspace():
            wanted.add(len(clean))
        clean.append(character)
    return "".join(clean), wanted


def _found_quotations(text: str) -> tuple[set[int], list[str | None]]:
    found: set[int] = set()
    speakers = []
    for sentence in prepare_text(text).sentences:
        for quotation in sentence.quoted:
            start, end = sentence.to_article(quotation.start, quotation.end)
            found |= {at for at in range(start, end) if not text[at].isspace()}
            speakers.append(quotation.speaker)
    return found, speakers


# --- the measures -------------------------------------------------------------------------------------------------

_Part = tuple[tuple[Finding, ...], tuple[str, ...]]


def _pairs(probed: _Probed) -> _Part:
    pairs = _suite("minimal_pairs")
    neutral = probed.score([pair["neutral"] for pair in pairs])
    loaded = probed.score([pair["loaded"] for pair in pairs])
    higher, below, above = loaded > neutral, neutral < probed.threshold, loaded >= probed.threshold
    each, size = np.arange(len(pairs)).astype(str), f"{len(pairs)} pairs"
    findings = (
        Finding("pairs: the loaded sentence scores higher", _share(higher, each), "0.500 by chance", size),
        Finding(
            "pairs: both on the right side of the threshold",
            _share(below & above, each),
            f"neutral below {below.mean():.3f}, loaded above {above.mean():.3f}; 0.250 by chance",
            size,
        ),
    )
    devices = np.array([pair["device"] for pair in pairs])
    notes = tuple(
        f"pairs, {device}: higher {higher[of].mean():.2f}, neutral below {below[of].mean():.2f}, loaded above "
        f"{above[of].mean():.2f} ({of.sum()} pairs)"
        for device in sorted(set(devices.tolist()))
        for of in [devices == device]
    )
    return findings, notes


def _words_in_and_out(probed: _Probed) -> _Part:
    """Sensitivity: a loaded word flips a neutral sentence, what is only negated, hedged, technical or sad does not."""
    suite = _suite("sensitivity")
    flips: list[bool] = []
    kinds: list[str] = []
    frames: list[str] = []
    for number, frame in enumerate(suite["loaded"]):
        plain, changed = ([_put_in(frame["text"], w) for w in frame[words]] for words in ("plain", "words"))
        stays = bool((probed.score(plain) < probed.threshold).all())
        flips += [stays and bool(p >= probed.threshold) for p in probed.score(changed)]
        kinds += [frame["kind"]] * len(changed)
        frames += [str(number)] * len(changed)
    hits, of_kind = np.array(flips), np.array(kinds)
    groups = np.array(frames)
    size = f"{len(hits)} words in {len(suite['loaded'])} sentences"
    findings = [
        Finding(
            "sensitivity: a loaded word put in flips the sentence, taken out flips it back",
            _share(hits, groups),
            "0.125 by chance",
            size,
        )
    ]
    notes = [
        f"sensitivity, {kind}s: {hits[of_kind == kind].mean():.2f} flip ({(of_kind == kind).sum()})"
        for kind in dict.fromkeys(kinds)
    ]
    plain_kinds, below = [], []
    for kind, sentences in suite["plain"].items():
        stays_plain = probed.score(sentences) < probed.threshold
        below += stays_plain.tolist()
        plain_kinds += [f"{kind} {stays_plain.mean():.2f}"]
    findings.append(
        Finding(
            "sensitivity: negated, hedged, technical and sad plain sentences stay neutral",
            _share(np.array(below), np.arange(len(below)).astype(str)),
            ", ".join(plain_kinds),
            f"{len(below)} sentences",
        )
    )
    return tuple(findings), tuple(notes)


def _plain_words(probed: _Probed) -> _Part:
    """Rare plain words: names of trades, sciences, firms, bands and beers, and what is no sentence at all."""
    suite = _suite("plain_words")
    kinds, scores = [], []
    for kind, words in suite["words"].items():
        templates = suite["templates"][kind]
        texts = [_put_in(templates[at % len(templates)], word) for at, word in enumerate(words)]
        scores += probed.score([text[:1].upper() + text[1:] for text in texts]).tolist()
        kinds += [kind] * len(words)
    plain, of_kind = np.array(scores) < PLAIN, np.array(kinds)
    by_kind = ", ".join(f"{kind} {plain[of_kind == kind].mean():.2f}" for kind in suite["words"])
    return (
        Finding(
            f"rare plain words: below {PLAIN}",
            _share(plain, np.arange(len(plain)).astype(str)),
            f"{by_kind}; mean score {np.mean(scores):.2f}",
            f"{len(plain)} words, each in a plain sentence",
        ),
    ), ()


def _exchanged(probed: _Probed) -> _Part:
    """Invariance: how often another name, party, place, ... changes the decision, and how far it moves the score."""
    exchanges = list(read_exchanges())
    scores = iter(np.split(*_scored_together(probed, [exchange.sentences for exchange in exchanges])))
    by_kind: dict[str, list[tuple[Exchange, NDArray[np.float64]]]] = {}
    for exchange, p in zip(exchanges, scores, strict=True):
        by_kind.setdefault(exchange.kind, []).append((exchange, p))
    findings, notes = [], []
    for kind, found in by_kind.items():
        pairs = [np.array(list(combinations(p, 2))) for _, p in found]
        same = np.array([((pair >= probed.threshold).sum(axis=1) != 1).mean() for pair in pairs])
        moved = np.array([np.abs(pair[:, 0] - pair[:, 1]).mean() for pair in pairs])
        middle = np.array([exchange.tone == "borderline" for exchange, _ in found])
        templates = np.array([exchange.template for exchange, _ in found])
        size = f"{sum(len(p) for _, p in found)} sentences from {len(set(templates.tolist()))} templates"
        for what, values in (("decisions unchanged", same), ("mean change of the score", moved)):
            findings.append(
                Finding(
                    f"invariance, another {kind}: {what}",
                    _share(values, templates),
                    f"{values[middle].mean():.3f} on the {len(set(templates[middle].tolist()))} borderline ones",
                    size,
                )
            )
        notes.append(f"invariance, {kind}, mean score on the borderline ones: {_by_filler(kind, found)}")
    return tuple(findings), tuple(notes)


def _by_filler(kind: str, found: Sequence[tuple[Exchange, NDArray[np.float64]]]) -> str:
    """The mean score with each filler, lowest first: whom the model is harder on."""
    means = np.mean([p for exchange, p in found if exchange.tone == "borderline"], axis=0)
    fillers = _suite("invariance")["fillers"][kind]
    names = [filler["man"] if isinstance(filler, dict) else filler for filler in fillers]
    return ", ".join(f"{names[at]} {means[at]:.2f}" for at in np.argsort(means, kind="stable"))


def _attributed(probed: _Probed) -> _Part:
    """Own voice: a bare claim is the outlet's, the same claim in quotation marks is not."""
    pairs = read_attributions()
    claims = np.array([claim for claim, _ in pairs])
    bare = probed.score([claim for claim, _ in pairs]) >= probed.threshold
    whole = probed.score([text for _, text in pairs]) < probed.threshold
    own_texts = [[s.own_text for s in prepare_text(text).sentences if s.own_text] for _, text in pairs]
    own = np.array([bool((part < probed.threshold).all()) for part in np.split(*_scored_together(probed, own_texts))])
    n_frames = len(_suite("attribution")["frames"])
    frames = np.array([str(at % n_frames) for at in range(len(pairs))])
    size = f"{len(pairs)} pairs of {len(set(claims.tolist()))} claims in {n_frames} frames"
    return (
        Finding("own voice: a bare loaded claim is above the threshold", _share(bare, claims), "", size),
        Finding(
            "own voice: the same claim quoted is below it, quoted words taken out",
            _share(own, frames),
            f"{whole.mean():.3f} where the whole sentence is scored",
            size,
        ),
        Finding("own voice: both", _share(bare & own, frames), "0.250 by chance", size),
    ), ()


def _devices(probed: _Probed) -> tuple[DeviceRate, ...]:
    def find_sentences(texts: Sequence[str]) -> list[list[Span]]:
        loaded = probed.score(texts) >= probed.threshold
        return [[(0, len(text))] if is_loaded else [] for text, is_loaded in zip(texts, loaded, strict=True)]

    by_words = measure_devices(probed.find_words, "words") if probed.find_words else ()
    return (*by_words, *measure_devices(find_sentences, "sentences"))


def _devices_together(devices: Sequence[DeviceRate]) -> tuple[Finding, ...]:
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
    return tuple(findings)


def _scored_together(probed: _Probed, groups: Sequence[Sequence[str]]) -> tuple[NDArray[np.float64], list[int]]:
    """Scores of all texts in one run, and where to split them into the groups again."""
    ends = np.cumsum([len(group) for group in groups]).tolist()
    return probed.score([text for group in groups for text in group]), ends[:-1]


def _put_in(text: str, word: str) -> str:
    """The word in its place; "a" and "an" as they must be."""
    if not word:
        return text.replace("{} ", "")
    article = "an" if word[0] in "aeiou" else "a"
    return re.sub(r"\ba \{\}", f"{article} {{}}", text).replace("{}", word)


def _share(hits: NDArray[Any], groups: NDArray[np.str_]) -> Interval:
    return resampled(lambda rows: float(hits[rows].mean()), groups)


def _as_probed(model: Classifier, name: str, threshold: float | None) -> _Probed:
    if not hasattr(model, "predict_proba") or not hasattr(model, "classes_") or isinstance(model, type):
        raise DataError(
            f"{model!r} can't be probed: it has no predict_proba and classes_.\nPass a fitted classifier of sentences."
        )
    names = [str(each).lower() for each in np.asarray(model.classes_).tolist()]
    loaded = [at for at, each in enumerate(names) if each in LOADED_NAMES]
    if len(names) != 2 or len(loaded) != 1:
        raise DataError(
            f"Which class means loaded? The model has {', '.join(names)}.\n"
            f"It needs two, one of them named like {', '.join(sorted(LOADED_NAMES))}."
        )
    bundle = getattr(model, "bundle", None)

    def score(texts: Sequence[str]) -> NDArray[np.float64]:
        probability = np.asarray(model.predict_proba(list(texts)), dtype=np.float64)
        if probability.shape != (len(texts), 2) or not np.isfinite(probability).all():
            raise DataError(
                f"predict_proba gave the shape {probability.shape} for {len(texts)} sentences, or values that are no numbers.\n"
                "It must give two probabilities for each sentence."
            )
        column: NDArray[np.float64] = probability[:, loaded[0]]
        return column

    return _Probed(
        name or (bundle.name if bundle is not None else type(model).__name__),
        score,
        float(getattr(model, "threshold", 0.5) if threshold is None else threshold),
        _word_finder(model),
    )


def _word_finder(model: Classifier) -> Finder | None:
    find = getattr(model, "find_loaded_words", None)
    return find and (lambda texts: [[(word.start, word.end) for word in words] for words in find(texts)])
