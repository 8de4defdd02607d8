"""A house's rules on what a model found: the words that it accepts, and the kinds that it has switched off, are not loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loadedwords.house import UNTOLD, House
from loadedwords.schema import LoadedWord, ScoredArticle, ScoredSentence
from loadedwords.scoring.results import summed_up
from loadedwords.text.origins import Origins
from loadedwords.text.phrases import left_of


def apply_house(scored: ScoredArticle, house: House) -> ScoredArticle:
    """An article's loaded words, and what is counted from them, by the rules of a house.

    Those are its accepted words, its names and the kinds that are off; what it bans, its levels and its globs are for
    linting. The scores of sentences stay the model's: what it would have said of a sentence without the word can't be told
    from what it says of the sentence with it.
    """
    if scored.status == "error":
        return scored
    title, standfirst, text = (
        [replace(sentence, words=tuple(_left(sentence, house))) for sentence in sentences]
        for sentences in (scored.title_sentences, scored.standfirst_sentences, scored.sentences)
    )
    return summed_up(
        scored.article, text, scored.boilerplate, title, standfirst,
        origins=Origins(scored.origin, scored.source_note), leave_out_syndicated=scored.n_syndicated > 0, language=scored.language,
    )  # fmt: skip


def _left(sentence: ScoredSentence, house: House) -> Iterator[LoadedWord]:
    """The loaded words that the house's rules leave, of a phrase what is left of it."""
    if not sentence.words:
        return
    accepted = house.accepted(sentence.text)
    for word in sentence.words:
        if (word.kind or UNTOLD) in house.off:
            continue
        place = word.start - sentence.start, word.end - sentence.start
        for start, end in left_of(sentence.text, *place, accepted):
            yield replace(word, start=sentence.start + start, end=sentence.start + end, text=sentence.text[start:end])
