"""Scores → outlets side by side: estimates with intervals, the same events, each outlet's own words."""

from __future__ import annotations

from loadedwords.outlets.counted import VOICES
from loadedwords.outlets.estimates import FEW_ARTICLES, compare_outlets, summarise_all, well_covered
from loadedwords.outlets.tables import APART, load_articles, scan_sentences

__all__ = [
    "APART",
    "FEW_ARTICLES",
    "VOICES",
    "compare_outlets",
    "load_articles",
    "scan_sentences",
    "summarise_all",
    "well_covered",
]
