"""One article's text → clean text, sentences with exact offsets, who is speaking."""

from loadedwords.text.headlines import PreparedArticle, prepare_article
from loadedwords.text.preparation import PreparedText, Sentence, prepare_sentence, prepare_text

__all__ = ["PreparedArticle", "PreparedText", "Sentence", "prepare_article", "prepare_sentence", "prepare_text"]
