"""Sentences and an estimator small enough to train in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from loadedwords.training.transformer import TransformerFramingClassifier

PLAIN = ["The council met on Monday.", "The minister opened the bridge.", "Shares closed lower in Alder."] * 8
LOADED = ["The shameless puppet sneered.", "A reckless regime bullied the town.", "His cronies peddled lies."] * 8
TEXTS = [text for pair in zip(PLAIN, LOADED, strict=True) for text in pair]
LABELS = np.array([0, 1] * len(PLAIN))
# What readers would mark, what it does, and whether it praises.
MARKED = {"shameless": ("judgement", 0.0), "reckless": ("judgement", 0.0), "cronies": ("label", 1.0)}


def make(encoder: Path, **settings: Any) -> TransformerFramingClassifier:
    return TransformerFramingClassifier(
        **{"encoder": str(encoder), "epochs": 6, "learning_rate": 3e-3, "batch_size": 8, **settings}
    )


def marks(text: str) -> list[dict[str, Any]]:
    return [
        {"start": text.find(word), "end": text.find(word) + len(word), "share": 1.0, "kind": kind, "praise": praise}
        for word, (kind, praise) in MARKED.items()
        if word in text
    ]
