"""Fillings: neutral sentences with any words of the corpora put in, for a teacher of words to mark.

A contrast knows which of its words is loaded, because we chose it; lists are short, and what is on none is never seen.
Here any word may be put in that somewhere stands in such a place, each as likely as the others, so that rare ones come, and
a large encoder that was taught words says what each is worth (data augmentation for distillation: Jiao et al. 2020).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from loadedwords.models.contrast import (
    QUOTE_MARKS,
    TOKEN,
    Edit,
    edited,
    grammar,
    is_noun,
    put_before,
    put_in_place,
    slots,
)

# Endings of words for people, kinds of people among them.
_PEOPLE = (
    "ers", "ors", "ists", "ians", "ants", "ents", "ees", "ites", "mongers", "men", "nuts", "heads", "ies", "ards", "ots",
    "cks", "ons",
)  # fmt: skip
_BEHIND_PEOPLE = frozenset({"who", "are", "were", "have", "said", "say"})
_BEHIND_A_VERB = frozenset({"the", "a", "an", "his", "her", "their", "its", "that", "against", "over", "at"})
_BEHIND_A_NOUN = frozenset({"of", "over", "that", "in", "by"})
_BEFORE_A_THING = frozenset({"the", "a", "an", "this", "that"})
_SHORTEST = 3
_LETTERS = re.compile(r"[a-z]+(?:-[a-z]+)*")  # no names, numbers, genitives
_TIMES = 3  # a sentence is used so often at most
_PLACES = 2  # and filled in so many places


def words_by_place(texts: Iterable[str]) -> dict[str, list[str]]:
    """Which words stand where adjectives, adverbs, people, verbs and things stand.

    Parameters
    ----------
    texts : iterable of str
        Sentences.

    Returns
    -------
    dict
        Of "adjective", "adverb", "many" (people), "verb" (past tense) and "doings" (things done), each a sorted list.
        By a word's ending and its neighbours alone, so that some are none of their kind.
    """
    found: dict[str, set[str]] = {kind: set() for kind in ("adjective", "adverb", "many", "verb", "doings")}
    before_a_noun, determiners = grammar("before_a_noun"), grammar("determiners")
    for text in texts:
        tokens = [token[0] for token in TOKEN.finditer(text)]
        for before, word, behind in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
            if len(word) < _SHORTEST or not _LETTERS.fullmatch(word) or word in determiners:
                continue
            if word.endswith("ly"):
                found["adverb"].add(word)
            elif before.lower() in before_a_noun and is_noun(behind) and not is_noun(word):
                found["adjective"].add(word)
            elif word.endswith(_PEOPLE) and behind in _BEHIND_PEOPLE:
                found["many"].add(word)
            elif word.endswith("ed") and before[:1].isupper() and behind in _BEHIND_A_VERB:
                found["verb"].add(word)
            elif before.lower() in _BEFORE_A_THING and behind in _BEHIND_A_NOUN:
                found["doings"].add(word)
    return {kind: sorted(words) for kind, words in found.items()}


def make_fillings(neutral: Sequence[str], words: Mapping[str, Sequence[str]], n: int, *, seed: int = 0) -> list[str]:
    """Put words into neutral sentences.

    Parameters
    ----------
    neutral : sequence of str
        Sentences that hold no loaded word; those with quotation marks are passed over.
    words : mapping
        As `words_by_place` gives them; all of a kind are used before one is used again.
    n : int
        How many sentences to make; fewer if there are not enough with such a place. Each is used up to three times, and
        filled in two places where it has them.
    seed : int

    Returns
    -------
    list of str
    """
    rng = random.Random(seed)
    waiting: dict[str, list[str]] = {}
    made: list[str] = []
    for text in chain.from_iterable([neutral] * _TIMES):
        if len(made) >= n:
            break
        if QUOTE_MARKS.search(text):
            continue
        places = [place for place in slots(text) if words.get(place[0])]
        kinds = sorted({kind for kind, _ in places})
        rng.shuffle(kinds)
        edits: list[Edit] = []
        for kind in kinds[:_PLACES]:
            if not waiting.get(kind):
                waiting[kind] = rng.sample(words[kind], len(words[kind]))
            token = rng.choice([token for of, token in places if of == kind])
            put = put_before if kind in ("adjective", "adverb") else put_in_place
            edit = put(token, waiting[kind][-1])
            if all(edit.end < other.start or other.end < edit.start for other in edits):
                waiting[kind].pop()
                edits.append(edit)
        filled = edited(text, edits)
        if filled is not None:
            made.append(filled[0])
    return made
