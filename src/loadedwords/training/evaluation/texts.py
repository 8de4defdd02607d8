"""The suites' sentences, as they are written in `suites/`: templates filled, marks taken off."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

Span = tuple[int, int]
# Each template is filled so often with the fillers of one kind, its other slots filled otherwise each time.
_SETTINGS = 3


@dataclass(frozen=True)
class Exchange:
    """Sentences that differ in a name, a group, a place, ... alone.

    `tone` is what the template is: "neutral", "loaded" or "borderline".
    """

    kind: str
    tone: str
    sentences: tuple[str, ...]
    template: str


@dataclass(frozen=True)
class DevicePair:
    """A loaded sentence, where its loaded words are, and a plain sentence that says the same."""

    device: str
    loaded: str
    marked: tuple[Span, ...]
    plain: str


@cache
def read_suite(name: str) -> Any:
    """A suite as its file has it."""
    folder = resources.files("loadedwords.training.evaluation") / "suites"
    if name == "minimal_pairs":
        return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))


def read_exchanges() -> Iterator[Exchange]:
    """The invariance suite: templates filled with every filler of one kind in turn."""
    suite = read_suite("invariance")
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


def put_in(text: str, word: str) -> str:
    """The word in its place; "a" and "an" as they must be."""
    if not word:
        return text.replace("{} ", "")
    article = "an" if word[0] in "aeiou" else "a"
    return re.sub(r"\ba \{\}", f"{article} {{}}", text).replace("{}", word)


def read_attributions() -> list[tuple[str, str]]:
    """The attribution suite: a loaded claim, and the same in somebody's mouth; every claim twice, frame after frame."""
    suite = read_suite("attribution")
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


def read_device_pairs() -> tuple[DevicePair, ...]:
    """The pairs of all devices, in the order of the suite."""
    return tuple(
        DevicePair(device, *unmarked(loaded), plain)
        for device, pairs in read_suite("devices")["pairs"].items()
        for loaded, plain in pairs
    )


def read_left_alone() -> tuple[tuple[str, str], ...]:
    """What looks loaded and must be left alone: kind and sentence."""
    return tuple((kind, text) for kind, texts in read_suite("devices")["left_alone"].items() for text in texts)


def unmarked(text: str) -> tuple[str, tuple[Span, ...]]:
    """A text without ⟦ ⟧, and where they stood."""
    clean, marked = "", []
    for at, part in enumerate(re.split("[⟦⟧]", text)):
        if at % 2:
            marked.append((len(clean), len(clean) + len(part)))
        clean += part
    return clean, tuple(marked)
