"""Plainer words for a loaded one: from the lexicon, in the form that its place asks for, as the model ranks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from loadedwords.lint.fitting import (
    BE,
    DEGREES,
    JOINTS,
    NUMBER,
    QUOTES,
    Place,
    ends_phrase,
    fits,
    is_adjective,
    is_participle,
    suits,
    unlike,
)
from loadedwords.lint.lexicon import TOKEN, Lexicon, Sense, read_lexicon
from loadedwords.models.odds import logit
from loadedwords.scoring import FramingModel
from loadedwords.text.words import FUNCTION_WORDS

N_OFFERED = 3
# Less than this off the sentence's log-odds is within what any change of a word does.
LEAST_GAIN = 0.1
LEFT_OUT = "-"

_WITHIN = re.compile(r"(?:['’]s)? ")
_VOWEL_SOUND = re.compile(r"(?!uni[^nm]|us[aeiu]|eu|one\b|once)[aeiou]|hour|honest|honou?r|heir|8|11\b|18\b", re.I)
# "Acted recklessly" without its adverb says nothing.
_NEEDS_ADVERB = re.compile(r"(act|behav|treat|perform|far|look|feel|felt|did|do|go|went|work)(e?s|ed|ing|e)?$")
_POSSESSIVE, _OPENS_MARKS = re.compile(r"['’](?!\w)"), re.compile(r"(?<!\w)['‘](?=\w)")


@dataclass(frozen=True)
class Replacement:
    """Put `text` where ``sentence[start:end]`` stands; an empty one leaves the word out.

    The slice may be wider or narrower than the loaded word: it takes in an article that must change, or a comma or space
    that must go, and only that part of a phrase that has a plainer word.
    """

    start: int
    end: int
    text: str

    def apply(self, sentence: str) -> str:
        return sentence[: self.start] + self.text + sentence[self.end :]


def plainer_words(
    sentence: str, start: int, end: int, kind: str | None, model: FramingModel
) -> tuple[Replacement, ...]:
    """Up to three plainer wordings fit for the place of a loaded word, the plainest first.

    Candidates come from a lexicon by hand, inflected as the loaded word is, where the words around it allow them. The
    model scores the sentence with each in one batch; those that don't make it plainer are dropped.

    Parameters
    ----------
    sentence : str
        The whole sentence, which the model reads.
    start, end : int
        The loaded word: ``sentence[start:end]``.
    kind : str, optional
        Its kind, one of `schema.KINDS`: tells a label from a verb where a word can be both.
    model : FramingModel

    Returns
    -------
    tuple of Replacement
        None where no word of the lexicon fits or none lowers the sentence's score.

    Examples
    --------
    >>> from loadedwords import load_model
    >>> sentence = "The minister slammed the plan."
    >>> plainer_words(sentence, 13, 20, "verb", load_model())[0].apply(sentence)
    'The minister criticized the plan.'
    """
    found = candidates(sentence, start, end, kind)
    if not found:
        return ()
    odds = logit(model.p_loaded([sentence, *(replacement.apply(sentence) for replacement in found)]))
    gains = odds[0] - odds[1:]
    best = [int(at) for at in np.argsort(-gains, kind="stable") if gains[at] >= LEAST_GAIN]
    return tuple(found[at] for at in best[:N_OFFERED])


def candidates(sentence: str, start: int, end: int, kind: str | None = None) -> tuple[Replacement, ...]:
    """All wordings that fit the place by the lexicon and its rules, before a model has judged them."""
    lexicon = read_lexicon()
    found: dict[Replacement, None] = {}
    for place, senses in _places(sentence, start, end, lexicon):
        fitting = [sense for sense in senses if fits(place, sense) and not is_adjective(place, sense, senses)]
        of_its_kind = [sense for sense in fitting if not unlike(sense.part, kind)]
        for sense in of_its_kind or fitting:
            found |= dict.fromkeys(filter(None, (_put(place, sense, plain, lexicon) for plain in sense.plain)))
    return tuple(found)


def _places(sentence: str, start: int, end: int, lexicon: Lexicon) -> Iterator[tuple[Place, tuple[Sense, ...]]]:
    """The longest pieces of the lexicon that share a letter with the loaded word, and no idiom."""
    tokens = list(TOKEN.finditer(sentence))
    pieces: list[tuple[int, int]] = []
    for at in range(len(tokens)):
        for length in range(lexicon.longest, 0, -1):
            piece = tokens[at : at + length]
            if len(piece) < length or piece[0].start() >= end or piece[-1].end() <= start:
                continue
            if not all(_WITHIN.fullmatch(sentence, a.end(), b.start()) for a, b in pairwise(piece)):
                continue
            key = " ".join(token[0].lower() for token in piece)
            if key in lexicon.senses or key in lexicon.left_alone:
                pieces.append((at, at + length))
                break
    for at, to in pieces:
        within_another = any((a <= at and to <= b and (a, b) != (at, to)) for a, b in pieces)
        key = " ".join(token[0].lower() for token in tokens[at:to])
        if not within_another and key not in lexicon.left_alone:
            place = Place(
                sentence,
                tokens[at].start(),
                tokens[to - 1].end(),
                tuple(_neighbours(sentence, tokens[max(0, at - 4) : at + 1])),
                tuple(_neighbours(sentence, tokens[to - 1 : to + 4], after=True)),
            )
            yield place, lexicon.senses[key]


def _neighbours(sentence: str, tokens: list[re.Match[str]], *, after: bool = False) -> list[str]:
    """Words joined by nothing but spaces to the last of the tokens, or to the first, which is not among them."""
    found: list[str] = []
    pairs = list(pairwise(tokens))
    for left, right in pairs if after else reversed(pairs):
        if sentence[left.end() : right.start()] not in (" ", "'s ", "’s "):
            break
        found.append((right if after else left)[0])
    return found if after else found[::-1]


def _put(place: Place, sense: Sense, plain: str, lexicon: Lexicon) -> Replacement | None:
    """The plain word in the form of the loaded one, or None where its grammar doesn't fit."""
    written = place.sentence[place.start : place.end]
    in_title = written[:1].isupper() and is_title_cased(place.sentence)
    a_name = written[:1].isupper() and not place.first and not in_title
    if a_name or (len(written) > 1 and written.isupper()):
        return None
    if plain == LEFT_OUT:
        return _left_out(place, sense.part)
    form = "participle" if sense.form == "past" and is_participle(place) else sense.form
    if not suits(place, sense.part, form, plain, lexicon):
        return None
    text = lexicon.inflect(plain, sense.part, form)
    if in_title:
        text = " ".join(word if word in FUNCTION_WORDS else _capital(word) for word in _capital(text).split())
    bare = sense.part == "noun" and plain in lexicon.mass | lexicon.plural_only
    start = place.start
    article_apart = re.search(rf"\b(an?) [{QUOTES}]$", place.sentence[:start], re.I)
    if article_apart and (bare or article_for(text) != article_apart[1].lower()):
        return None
    if place.previous in ("a", "an"):
        start -= len(place.previous) + 1
        text = text if bare else f"{article_for(text)} {text}"
    if _opens_capital(place.sentence, start):
        text = _capital(text)
    end = place.end
    if written.endswith("s") and not text.endswith("s") and _POSSESSIVE.match(place.sentence, end):
        if _OPENS_MARKS.search(place.sentence, 0, start):  # which the apostrophe may close
            return None
        end += 1
        text += f"{place.sentence[place.end]}s"  # "the thugs' violence": "the people's violence"
    return None if text == place.sentence[start:end] else Replacement(start, end, text)


def is_title_cased(sentence: str) -> bool:
    words = [word[0] for word in TOKEN.finditer(sentence) if word[0].lower() not in FUNCTION_WORDS]
    return len(words) > 2 and sum(word[0].isupper() or word[0].isdigit() for word in words) >= 0.8 * len(words)


def _left_out(place: Place, part: str) -> Replacement | None:
    """The sentence without the word, its commas and its space; None where it can't go."""
    sentence, previous, following = place.sentence, place.previous, place.next
    if part == "adjective" and (ends_phrase(place) or previous in BE or (not previous and not place.first)):
        return None
    if part in ("adjective", "adverb") and (
        previous in DEGREES | JOINTS
        or following in JOINTS | {"one", "ones"}
        or (part == "adjective" and previous.endswith("ly"))
        or (part == "adverb" and not following and _NEEDS_ADVERB.match(previous))
    ):
        return None
    start, end = place.start, place.end
    if re.search(r"[(\[—]$", sentence[:start]) and re.match(r"[)\]—]", sentence[end:]):
        return None
    commas = re.search(r", ?$", sentence[:start]), re.match(r", ?", sentence[end:])
    if place.first:
        gap = re.match(r",? (?=\w)", sentence[end:])
        if not gap:
            return None
        end += gap.end()
        if not sentence[start].isupper():
            return Replacement(start, end, "")
        return Replacement(start, end + 1, sentence[end : end + 1].upper())
    if commas[0] and (commas[1] or re.match(r"[.?!]", sentence[end:])):
        return Replacement(commas[0].start(), end + (1 if commas[1] else 0), "")
    if commas[1] or sentence[end : end + 1] == ":":
        return None
    if commas[0] and sentence[: commas[0].start()].lower().endswith(sentence[start:end].lower()):
        return Replacement(commas[0].start(), end, "")  # "really, really"
    if commas[0]:
        return None if part == "adjective" else _without_space(sentence, start, end)
    if previous in ("a", "an") and following:
        article = "" if NUMBER.match(sentence, end + 1) else article_for(sentence[end + 1 :]) + " "
        start -= len(previous) + 1
        if _opens_capital(sentence, start):
            article = article.capitalize()
        return Replacement(start, end + 1, article)
    return _without_space(sentence, start, end)


def _without_space(sentence: str, start: int, end: int) -> Replacement:
    if sentence[end : end + 1] == " ":
        return Replacement(start, end + 1, "")
    return Replacement(start - (sentence[start - 1 : start] == " "), end, "")


def _opens_capital(sentence: str, start: int) -> bool:
    """Whether the sentence's first word is there, and has a capital: an item of a list or a cell often has none."""
    return sentence[start].isupper() and not any(c.isalnum() for c in sentence[:start])


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def article_for(words: str) -> str:
    return "an" if _VOWEL_SOUND.match(words) else "a"
