"""Loaded framing in news: which words, which sentences, how much of an article, and how outlets differ."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadedwords.articles import read_articles as read_articles
    from loadedwords.errors import LoadedwordsError as LoadedwordsError
    from loadedwords.frames import to_arrow as to_arrow
    from loadedwords.frames import to_pandas as to_pandas
    from loadedwords.frames import to_polars as to_polars
    from loadedwords.outlets import compare_outlets as compare_outlets
    from loadedwords.outlets.comparison import compare_scores as compare_scores
    from loadedwords.schema import Article as Article
    from loadedwords.schema import ScoredArticle as ScoredArticle
    from loadedwords.scoring import load_model as load_model
    from loadedwords.scoring import score_articles as score_articles
    from loadedwords.training.corpora import load_corpus as load_corpus
    from loadedwords.training.linear import LinearFramingClassifier as LinearFramingClassifier
    from loadedwords.training.transformer import TransformerFramingClassifier as TransformerFramingClassifier

# Each name is imported from its room when it is first used: importing the package itself costs nothing.
_ROOMS = {
    "Article": "schema",
    "LinearFramingClassifier": "training.linear",
    "LoadedwordsError": "errors",
    "ScoredArticle": "schema",
    "TransformerFramingClassifier": "training.transformer",
    "compare_outlets": "outlets",
    "compare_scores": "outlets.comparison",
    "load_corpus": "training.corpora",
    "load_model": "scoring",
    "read_articles": "articles",
    "score_articles": "scoring",
    "to_arrow": "frames",
    "to_pandas": "frames",
    "to_polars": "frames",
}

__all__ = sorted(_ROOMS)
if find_spec("torch") is None:  # without the extra train, help() and import * show what there is
    __all__.remove("TransformerFramingClassifier")


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        return metadata.version("loadedwords")
    if name == "TransformerFramingClassifier":
        from loadedwords.errors import require

        for module in ("torch", "transformers"):
            require(module, extra="train", purpose=name)
    if name in _ROOMS:
        return getattr(importlib.import_module(f"loadedwords.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'loadedwords' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
