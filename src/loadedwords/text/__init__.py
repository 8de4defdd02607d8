"""One article's text → clean text, sentences with exact offsets, who is speaking."""

from loadedwords.text.preparation import PreparedText, Sentence, prepare_sentence, prepare_text

__all__ = ["PreparedText", "Sentence", "prepare_sentence", "prepare_text"]
