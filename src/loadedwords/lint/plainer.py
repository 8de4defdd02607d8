"""Plainer words for a loaded one, fit for its place."""

from __future__ import annotations

from loadedwords.scoring import FramingModel


def plainer_words(sentence: str, start: int, end: int, kind: str | None, model: FramingModel) -> tuple[str, ...]:
    """Up to three plainer words for ``sentence[start:end]``, the best first."""
    del sentence, start, end, kind, model
    return ()
