"""A bundle and texts → scores. Needs neither scikit-learn nor torch."""

from loadedwords.scoring.model import FramingModel, load_model, score_articles

__all__ = ["FramingModel", "load_model", "score_articles"]
