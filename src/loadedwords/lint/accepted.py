"""What the house accepts leaves the loaded words: of a phrase, and of a scored article."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from loadedwords.lint.house import House
from loadedwords.schema import ScoredArticle
from loadedwords.scoring import counted_anew
from loadedwords.text.words import COMPOUND, FUNCTION_WORDS


@dataclass(frozen=True)
class WithoutAccepted:
    """Takes the words that a house accepts, and the kinds that it has off, from an article's loaded words.

    The scores of sentences stay: they are the model's, and speak of more than one word.
    """

    house: House

    def __call__(self, scored: ScoredArticle) -> ScoredArticle:
        if scored.status == "error":
            return scored
        accepted = self.house.accepted(scored.text)
        sentences = [
            replace(
                sentence,
                words=tuple(
                    replace(word, start=start, end=end, text=scored.text[start:end])
                    for word in sentence.words
                    if word.kind not in self.house.off
                    for start, end in left_of(scored.text, word.start, word.end, accepted)
                ),
            )
            for sentence in scored.sentences
        ]
        return counted_anew(scored, sentences)


def left_of(text: str, start: int, end: int, taken: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of a phrase lies outside of the slices that a rule speaks of; nothing that only holds a sentence together."""
    cuts = sorted((low, high) for low, high in taken if low < end and start < high)
    if not cuts:
        yield start, end
        return
    for low, high in [*cuts, (end, end)]:
        words = list(COMPOUND.finditer(text, start, max(start, low)))
        while words and words[0][0].lower() in FUNCTION_WORDS:
            del words[0]
        while words and words[-1][0].lower() in FUNCTION_WORDS:
            del words[-1]
        if words:
            yield words[0].start(), words[-1].end()
        start = max(start, high)
