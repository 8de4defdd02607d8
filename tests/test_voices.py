"""Whose words are whose, in passages written by the authors: embedded posts, transcripts, marks of other habits."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from loadedwords.text import PreparedText, prepare_text

PASSAGES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "voices.toml").read_text(encoding="utf-8"))[
    "passage"
]
_PART = re.compile(r"(?P<open>[⟦⟨⟪])(?:(?P<who>[^¦⟧⟩⟫\n]*)¦)?|[⟧⟩⟫]")
_MARKUP = re.compile(r"</?\w+>|&\w+;")
_VOICE = {"⟦": "quoted", "⟨": "own", "⟪": "left out"}
Part = tuple[str, str | None]


def as_written(passage: str) -> tuple[str, list[Part]]:
    """The passage without its marks, and for every character whose it is."""
    text, parts, at = "", [], 0
    now: Part = ("own", None)
    for match in [*_PART.finditer(passage), None]:
        piece = passage[at : match.start() if match else None]
        text += piece
        parts += [now] * len(piece)
        if match:
            now = (_VOICE[match["open"]], match["who"] or None) if match["open"] else ("own", None)
            at = match.end()
    return text, parts


def as_prepared(text: str, prepared: PreparedText) -> list[Part]:
    parts: list[Part] = [("left out", None)] * len(text)
    for sentence in prepared.sentences:
        parts[sentence.start : sentence.end] = [("own", sentence.host)] * (sentence.end - sentence.start)
        for quotation in sentence.quoted:
            start, end = sentence.to_article(quotation.start, quotation.end)
            parts[start:end] = [("quoted", quotation.speaker)] * (end - start)
    return parts


def differences(passage: str) -> list[str]:
    """What is not as it was written, in words; empty where everything is."""
    text, wanted = as_written(passage)
    found = as_prepared(text, prepare_text(text))
    markup = {n for match in _MARKUP.finditer(text) for n in range(*match.span())}
    wrong = [n for n, c in enumerate(text) if c.isalnum() and n not in markup and wanted[n] != found[n]]
    said: dict[str, str] = {}
    for n in wrong:
        key = f"{wanted[n]} wanted, {found[n]} found: "
        said[key] = said.get(key, "") + text[n]
    return [key + letters for key, letters in said.items()]


@pytest.mark.parametrize("passage", PASSAGES, ids=[f"{n}-{p['kind']}" for n, p in enumerate(PASSAGES)])
def test_everybodys_words_are_their_own(passage: dict[str, Any]) -> None:
    assert differences(passage["text"]) == []
