"""Word and character n-grams of many sentences at once, hashed to buckets with numpy alone.

Training and scoring both count with this file, so a bundle needs no vocabulary and no scikit-learn. Every
n-gram is a slice of one long array of characters; the hash of any slice comes from two look-ups in a running
sum (Rabin and Karp 1987), and the buckets are those of Weinberger et al. (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so it has an inverse modulo 2**64
_BASE_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_BMP = 0x10000
_SPACE, _ZERO = 0x20, 0x30
# Marks of speech say who is talking, not how: a model that sees them fires on every quotation.
_BLANK = frozenset('"“”„‟«»‹›‘`*_#|~^<>[](){}')
_JOINERS = frozenset("'’-‐‑")
_KIND_WORD, _KIND_CHARACTER = 0, 32


@dataclass(frozen=True)
class NgramSpec:
    """Which n-grams are counted and into how many buckets.

    Parameters
    ----------
    words : tuple of int
        Shortest and longest run of words.
    characters : tuple of int
        Shortest and longest run of characters inside one word, its two edges included.
    bits : int
        Logarithm to base 2 of the number of buckets.
    """

    words: tuple[int, int] = (1, 2)
    characters: tuple[int, int] = (3, 5)
    bits: int = 18

    @property
    def n_buckets(self) -> int:
        return 1 << self.bits


@dataclass(frozen=True)
class Occurrences:
    """Every n-gram of every sentence, as parallel arrays, and the words they lie in.

    Attributes
    ----------
    bucket, sentence, word : ndarray of shape (n_occurrences,)
        The bucket of each n-gram, the sentence it is in and the first word it covers.
    span : ndarray of shape (n_occurrences,)
        How many words it covers: 1 for character n-grams.
    word_sentence, word_start, word_end : ndarray of shape (n_words,)
        Sentence of each word and its offsets in characters of that sentence. Single marks of punctuation
        count as words here.
    is_word : ndarray of shape (n_words,)
        False for those marks.
    word_bucket : ndarray of shape (n_words,)
        The bucket of the word by itself.
    opens, capital : ndarray of shape (n_words,)
        Whether it is the first of its sentence, and whether it begins with a capital letter.
    """

    bucket: NDArray[np.int64]
    sentence: NDArray[np.int64]
    word: NDArray[np.int64]
    span: NDArray[np.int64]
    word_sentence: NDArray[np.int64]
    word_start: NDArray[np.int64]
    word_end: NDArray[np.int64]
    is_word: NDArray[np.bool_]
    word_bucket: NDArray[np.int64]
    opens: NDArray[np.bool_]
    capital: NDArray[np.bool_]


def count_ngrams(sentences: Sequence[str], spec: NgramSpec) -> Occurrences:
    """List the n-grams of `sentences`.

    Letters are lower-cased, digits read as one digit, quotation marks and brackets as blanks.

    Parameters
    ----------
    sentences : sequence of str
        Clean text, one sentence each.
    spec : NgramSpec
        What to count.

    Returns
    -------
    Occurrences
        In order of kind, then of place.
    """
    fold, is_letter, is_joiner = _character_tables()
    # Two blanks between sentences keep every character n-gram, edges included, inside its own sentence.
    joined = "  " + "  ".join(sentences) + "  "
    raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    raw = np.minimum(raw, _BMP - 1)
    folded = fold[raw].astype(np.uint64)
    lengths = np.fromiter((len(s) for s in sentences), dtype=np.int64, count=len(sentences))
    begins = 2 + np.concatenate(([0], np.cumsum(lengths + 2)[:-1])).astype(np.int64)

    in_word = is_letter[raw]
    joins = is_joiner[raw]
    joins[1:-1] &= in_word[:-2] & in_word[2:]
    joins[[0, -1]] = False
    in_word = in_word | joins
    is_mark = ~in_word & (folded != _SPACE)

    # A token starts where a word begins and at each mark of punctuation.
    word_begin = in_word & ~np.concatenate(([False], in_word[:-1]))
    word_stop = in_word & ~np.concatenate((in_word[1:], [False]))
    start = np.flatnonzero(word_begin | is_mark)
    end = np.flatnonzero(word_stop | is_mark) + 1
    token_is_word = in_word[start]
    token_sentence = np.searchsorted(begins, start, side="right") - 1

    running, inverse = _running_hash(np.where(in_word | is_mark, folded, np.uint64(_SPACE)))

    def slice_hash(begin: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.uint64]:
        hashed: NDArray[np.uint64] = (running[stop] - running[begin]) * inverse[begin]
        return hashed

    parts = []

    def add(hashed: NDArray[np.uint64], kind: int, words: NDArray[np.int64], span: int) -> None:
        parts.append((_bucket(hashed, kind, spec.bits), words, np.full(len(words), span, dtype=np.int64)))

    token_hash = _mix(slice_hash(start, end))
    chained = token_hash
    everyone = np.arange(len(start))
    for n in range(1, spec.words[1] + 1):
        if n > 1:
            chained = _mix(chained[:-1] * _BASE + token_hash[n - 1 :])
        if n >= spec.words[0]:
            first = everyone[: len(chained)]
            same = token_sentence[first] == token_sentence[first + n - 1]
            add(chained[same], _KIND_WORD + n, first[same], n)

    # Inside words only: a boundary may stand at either edge of an n-gram, never between.
    word_of = np.cumsum(word_begin | is_mark) - 1
    outside = np.concatenate(([0], np.cumsum(~in_word)))
    shortest, longest = spec.characters
    for n in range(max(shortest, 2), longest + 1):
        begin = np.arange(1, len(raw) - n)
        inner_is_word = outside[begin + n - 1] == outside[begin + 1]
        touches_word = in_word[begin] | in_word[begin + 1]
        begin = begin[inner_is_word & touches_word]
        first = word_of[np.where(in_word[begin], begin, begin + 1)]
        add(slice_hash(begin, begin + n), _KIND_CHARACTER + n, first, 1)

    bucket, word, span = map(np.concatenate, zip(*parts, strict=True))
    return Occurrences(
        bucket=bucket,
        sentence=token_sentence[word],
        word=word,
        span=span,
        word_sentence=token_sentence,
        word_start=start - begins[token_sentence],
        word_end=end - begins[token_sentence],
        is_word=token_is_word,
        word_bucket=_bucket(token_hash, _KIND_WORD + 1, spec.bits),
        opens=np.concatenate(([True], token_sentence[1:] != token_sentence[:-1]))[: len(start)],
        capital=(fold[raw[start]] != raw[start]) & (fold[raw[start]] > _ZERO),
    )


@lru_cache(maxsize=1)
def _character_tables() -> tuple[NDArray[np.uint32], NDArray[np.bool_], NDArray[np.bool_]]:
    """For each character of the basic plane: what it is read as, whether it is a letter or digit, a joiner."""
    fold = np.arange(_BMP, dtype=np.uint32)
    letter = np.zeros(_BMP, dtype=np.bool_)
    joiner = np.zeros(_BMP, dtype=np.bool_)
    for point in range(_BMP):
        character = chr(point)
        if character.isalpha():
            lower = character.lower()
            fold[point] = ord(lower) if len(lower) == 1 else point
            letter[point] = True
        elif character.isdigit():
            fold[point], letter[point] = _ZERO, True
        elif character.isspace() or not character.isprintable() or character in _BLANK:
            fold[point] = _SPACE
    for character in _JOINERS:
        joiner[ord(character)] = True
        fold[ord(character)] = ord("'") if character in "'’" else ord("-")
    return fold, letter, joiner


def _running_hash(characters: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Sums that give the hash of any slice, and the factor that makes it independent of its place."""
    n = len(characters)
    powers = np.cumprod(np.concatenate((np.ones(1, np.uint64), np.full(n - 1, _BASE))), dtype=np.uint64)
    inverse = np.cumprod(np.concatenate((np.ones(1, np.uint64), np.full(n, _BASE_INVERSE))), dtype=np.uint64)
    running = np.concatenate((np.zeros(1, np.uint64), np.cumsum(_mix(characters) * powers, dtype=np.uint64)))
    return running, inverse


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits of each value over the whole word (the finaliser of Steele et al. 2014)."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return result


def _bucket(hashed: NDArray[np.uint64], kind: int, bits: int) -> NDArray[np.int64]:
    salted = _mix(hashed + np.array([kind], dtype=np.uint64) * _BASE)  # an array wraps around without a warning
    return (salted >> np.uint64(64 - bits)).astype(np.int64)
