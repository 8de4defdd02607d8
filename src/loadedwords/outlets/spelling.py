"""Words as they are counted."""

from __future__ import annotations

import polars as pl

# What is left of a contraction is an auxiliary: a matter of style, not a word that carries slant.
CONTRACTION = r"(?:n't|'(?:re|ve|ll|m|d))$"


def plain_spelling(word: pl.Expr) -> pl.Expr:
    """Words as they are counted: one spelling for each."""
    return (
        word.str.normalize("NFC")
        .str.to_lowercase()
        .str.replace_all("[’ʼ]", "'")
        .str.replace_all(r"[*_]|</?[a-z]+>", "")  # marks of Markdown and tags inside a phrase
        .str.replace_all(r"\s+", " ")
        .str.replace(r"'s?$", "")
    )
