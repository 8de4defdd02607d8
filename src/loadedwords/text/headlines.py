"""Title and standfirst beside an article's text: each is prepared, and what stands there twice is counted once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loadedwords.schema import Article, Boilerplate
from loadedwords.text.cleaning import clean_text
from loadedwords.text.preparation import PreparedText, Sentence, prepare_sentence, prepare_text
from loadedwords.text.words import letters

# So many sentences of a text may stand above its title, such as the name of a section; and so many characters, such as
# title, byline and dateline, above a standfirst.
_ABOVE_TITLE = 5
_ABOVE_STANDFIRST = 400


@dataclass(frozen=True)
class PreparedArticle:
    """The sentences of an article's title (one or none), of its standfirst, and its text."""

    title: tuple[Sentence, ...]
    standfirst: tuple[Sentence, ...]
    text: PreparedText


def prepare_article(article: Article) -> PreparedArticle:
    """Prepare an article with its title and standfirst.

    A title that the text repeats near its top is left out of the text. A standfirst that is the text's own beginning, or
    the title once more, as the descriptions of news APIs often are, is not one.
    """
    title, standfirst = article.title or "", article.standfirst or ""
    text = prepare_text(article.text, article.byline, article.outlet)
    of_title = letters(clean_text(title).text)  # a tag alone is none
    if not of_title:
        return PreparedArticle((), _standfirst(standfirst, article.text), text)
    standfirsts = () if of_title.startswith(letters(standfirst)) else _standfirst(standfirst, article.text)
    return PreparedArticle((_title(title),), standfirsts, _without_title(article.text, text, of_title))


def _title(title: str) -> Sentence:
    """One sentence, whatever stops are in it: who split it would split at "D.C. Mayor"."""
    sentence = prepare_sentence(title)
    inside = len(sentence.text) - len(sentence.text.lstrip()), len(sentence.text.rstrip())
    start, end = sentence.to_article(*inside)
    return replace(sentence, start=start, end=end)


def _standfirst(standfirst: str, text: str) -> tuple[Sentence, ...]:
    opening = letters(text[: 2 * len(standfirst) + _ABOVE_STANDFIRST])
    return () if letters(standfirst) in opening else prepare_text(standfirst).sentences


def _without_title(source: str, text: PreparedText, of_title: str) -> PreparedText:
    """The text without the line or sentences that are its title; a text that is nothing else stays."""
    sentences = text.sentences
    for first in range(min(_ABOVE_TITLE, len(sentences))):
        found, last = "", first
        while last < len(sentences) and len(found) < len(of_title):
            found += letters(sentences[last].text)
            last += 1
        if found == of_title and last - first < len(sentences):
            start, end = sentences[first].start, sentences[last - 1].end
            left_out = sorted(
                [*text.boilerplate, Boilerplate(start, end, source[start:end], "title")], key=lambda b: b.start
            )
            return PreparedText(sentences[:first] + sentences[last:], tuple(left_out), text.clean)
    return text
