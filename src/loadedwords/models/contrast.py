"""Contrast sentences: a neutral sentence, the same with loaded words put in, and the same with plain words put in.

What a human annotator would say of them differs by those words alone, so that a model learns the words and neither the
topic nor that something was put in (contrast sets: Gardner et al. 2020; counterfactual augmentation: Kaushik et al.
2020).
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import chain
from typing import Any

TOKEN = re.compile(r"\w+(?:['’-]\w+)*")
QUOTE_MARKS = re.compile('["“”‘]')
_QUOTATION = re.compile('"[^"“”‘]*"|“[^"“”‘]*”')
_NUMBER = re.compile(r"(?<![\w$£€.,-])(?!(?:19|20)\d\d\b)\d[\d,]*(?= [a-z]+s\b)")
_NOUN_ENDINGS = ("tion", "tions", "ment", "ments", "ship", "sion", "sions")
VOWEL_SOUND = re.compile(r"(?!uni|us[aeu]|eu|one|once)[aeiou]|hour|hono|heir", re.IGNORECASE)
_CHANGES = (0.7, 0.3)  # of one and of two places; a single word must be enough

_QUOTED = 0.3  # share of sentences, where quotations are asked for, in which some words are put in quotation marks
_QUOTED_WORDS = (4, 10)  # so many: fewer would read as scare quotes
_FRAMED = 0.25  # share with something put before or after the sentence, which any sentence would allow


@dataclass(frozen=True)
class Contrast:
    """A sentence in three versions; `loaded_words` are character spans of `loaded`."""

    neutral: str
    loaded: str
    loaded_words: tuple[tuple[int, int], ...]
    plain: str


@dataclass(frozen=True)
class Edit:
    """Replace [start, end) by `text`, of which [mark_start, mark_end) is the loaded part."""

    start: int
    end: int
    text: str
    mark_start: int
    mark_end: int


def make_contrasts(
    neutral: Sequence[str], n: int, *, wide: bool = False, quotations: bool = False, seed: int = 0
) -> list[Contrast]:
    """Make contrasts of neutral sentences.

    Parameters
    ----------
    neutral : sequence of str
        Sentences that hold no loaded word.
    n : int
        How many contrasts; fewer if there are not enough sentences in which a listed word can be exchanged. Each
        sentence is used up to twice.
    wide : bool
        Also put in words that are chosen for the kind of thing (any label for any person), so that more of them occur
        and fewer of them fit.
    quotations : bool
        Also take sentences with quotations, make some of others, and put words in outside of them: else marks stand in
        loaded versions alone, as scare quotes, and who learns the versions as sentences may learn the marks.
    seed : int

    Returns
    -------
    list of Contrast
        In the order of the sentences, those of the second use behind those of the first.
    """
    rng = random.Random(seed)
    words = _words()
    contrasts: list[Contrast] = []
    for text in chain(neutral, neutral):
        if len(contrasts) >= n:
            break
        if quotations and not QUOTE_MARKS.search(text) and rng.random() < _QUOTED:
            text = _with_quotation(text, rng)
        # A word put inside a quotation would be the speaker's.
        quoted = [found.span() for found in _QUOTATION.finditer(text)] if quotations else []
        if QUOTE_MARKS.search(_QUOTATION.sub("", text) if quotations else text):
            continue
        loaded_edits = _outside(quoted, _loaded_edits(text, words, rng, wide))
        loaded = edited(text, _pick(loaded_edits, rng.choices((1, 2), _CHANGES)[0], rng))
        plain = edited(text, _pick(_outside(quoted, _plain_edits(text, words, rng)), 1, rng))
        if loaded is not None and plain is not None:
            contrasts.append(Contrast(text, loaded[0], tuple(loaded[1]), plain[0]))
    return contrasts


@cache
def _words() -> dict[str, Any]:
    file = resources.files("loadedwords.models") / "contrast_words.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def grammar(kind: str) -> frozenset[str]:
    """The words of one kind in the list's grammar, for instance those that stand before a noun."""
    return frozenset(_words()["grammar"][kind])


def is_noun(word: str) -> bool:
    """Whether the lists know the word as a noun."""
    return word in _words()["grammar"]["nouns"] or word in _words()["swaps"]["nouns"]


def listed_words(*, wide: bool = False) -> frozenset[str]:
    """All loaded words and phrases that contrasts are made with, in lower case; those of wide contrasts too, if asked."""
    words = _words()
    swaps = [choice for kind in words["swaps"].values() for choices in kind.values() for choice in choices]
    lists = [word for kind in (*words["inserts"].values(), *(words["wide"].values() if wide else ())) for word in kind]
    return frozenset(word.lower().strip(",:") for word in [*swaps, *lists])


def _with_quotation(text: str, rng: random.Random) -> str:
    """The sentence with a run of its words in quotation marks; as it is if it has few words."""
    tokens = list(TOKEN.finditer(text))
    fewest, most = _QUOTED_WORDS
    if len(tokens) < 2 * fewest:
        return text
    n = rng.randint(fewest, min(most, len(tokens) - fewest))
    first = rng.choice((rng.randint(0, len(tokens) - n), len(tokens) - n))  # most stand at the end
    start, end = tokens[first].start(), tokens[first + n - 1].end()
    left, right = rng.choice(('""', "“”"))
    return f"{text[:start]}{left}{text[start:end]}{right}{text[end:]}"


def _outside(quoted: list[tuple[int, int]], edits: list[tuple[str, Edit]]) -> list[tuple[str, Edit]]:
    """The edits that touch no quotation."""
    return [
        (device, edit) for device, edit in edits if all(edit.end <= start or end <= edit.start for start, end in quoted)
    ]


def _pick(edits: list[tuple[str, Edit]], n: int, rng: random.Random) -> list[Edit]:
    """Up to n edits of different devices that don't touch each other; every device as likely as the others."""
    chosen: list[Edit] = []
    devices = sorted({device for device, _ in edits})
    if rng.random() > _FRAMED:
        devices = [device for device in devices if device not in ("opening", "closing")]
    rng.shuffle(devices)
    for device in devices:
        edit = rng.choice([edit for of, edit in edits if of == device])
        if len(chosen) < n and all(edit.end < other.start or other.end < edit.start for other in chosen):
            chosen.append(edit)
    return chosen


def edited(text: str, edits: Sequence[Edit]) -> tuple[str, list[tuple[int, int]]] | None:
    """The text with the edits made, "a" and "an" put right, and the spans they mark; None if there is no edit."""
    if not edits:
        return None
    marks: list[tuple[int, int]] = []
    for edit in sorted(edits, key=lambda each: -each.start):
        before, after, inserted = text[: edit.start], text[edit.end :], edit.text
        mark_start, mark_end = edit.mark_start, edit.mark_end
        shift = 0
        article = re.search(r"\b([Aa])(n?) $", before)
        if article and inserted[:1].isalpha():
            right = "n" if VOWEL_SOUND.match(inserted) else ""
            shift = len(right) - len(article[2])
            before = before[: article.end(1)] + right + " "
        moved = shift + len(inserted) - (edit.end - edit.start)
        marks = [(start + moved, end + moved) for start, end in marks]
        if mark_end > mark_start:
            marks.append((len(before) + mark_start, len(before) + mark_end))
        text = before + inserted + after
    return text, sorted(marks)


def _loaded_edits(text: str, words: dict[str, Any], rng: random.Random, wide: bool) -> list[tuple[str, Edit]]:
    inserts = words["inserts"]
    edits = []
    for token, begins in _nouns(text, words):
        choices = words["swaps"]["nouns"].get(token[0])
        if begins:
            edits.append(("adjective", put_before(token, rng.choice(inserts["adjectives"]))))
            if choices:
                edits.append(("doubt", put_before(token, rng.choice(inserts["doubts"]))))
        if choices:
            edits.append(("noun", put_in_place(token, rng.choice(choices))))
            edits.append(("scare quotes", _quoted(token, text, rng)))
    edits += [
        ("verb", put_in_place(token, rng.choice(words["swaps"]["verbs"][token[0]]))) for token in _verbs(text, words)
    ]
    edits += [("adverb", put_before(token, rng.choice(inserts["adverbs"]))) for token in _verbs(text, words)]
    edits += _framed(text, inserts, words, rng)
    for number in _numbers(text, words):
        word = rng.choice(inserts[rng.choice(("small", "large"))])
        edits.append(("number", Edit(number.start(), number.start(), f"{word} ", 0, len(word))))
    return edits + _wide_edits(text, words, rng) if wide else edits


def _wide_edits(text: str, words: dict[str, Any], rng: random.Random) -> list[tuple[str, Edit]]:
    """Edits by the kind of the word that stands there: any label for a person, any verb for "said"."""
    choices, grammar = words["wide"], words["grammar"]
    edits = []
    previous: re.Match[str] | None = None
    for token in TOKEN.finditer(text):
        before = previous[0].lower() if previous else ""
        edits += [
            (f"any {kind}", put_in_place(token, rng.choice(choices[kind])))
            for kind in ("many", "one", "doings", "troubles")
            if token[0] in grammar[kind] and before in grammar["before_a_noun"]
        ]
        if token[0] in grammar["saying"] and previous and before not in grammar["not_before_a_verb"]:
            edits.append(("any saying", put_in_place(token, rng.choice(choices["said"]))))
            aside = rng.choice(choices["asides"])
            edits.append(("aside", Edit(previous.end(), previous.end(), f", {aside},", 2, 2 + len(aside))))
        if previous and before == "the" and any(token[0] in grammar[kind] for kind in ("doings", "troubles", "bodies")):
            opener = rng.choice(choices["openers"])
            edits.append(("opener", Edit(previous.start(), previous.start(), f"{opener} ", 0, len(opener))))
        previous = token
    return edits


def _plain_edits(text: str, words: dict[str, Any], rng: random.Random) -> list[tuple[str, Edit]]:
    plain = words["plain"]
    edits = [
        ("adjective", put_before(token, rng.choice(plain["adjectives"])))
        for token, begins in _nouns(text, words)
        if begins
    ]
    edits += [("adverb", put_before(token, rng.choice(plain["adverbs"]))) for token in _verbs(text, words)]
    edits += _framed(text, plain, words, rng)
    edits += [
        ("number", Edit(number.start(), number.start(), f"{rng.choice(plain['numbers'])} ", 0, 0))
        for number in _numbers(text, words)
    ]
    return edits


def _nouns(text: str, words: dict[str, Any]) -> Iterator[tuple[re.Match[str], bool]]:
    """Nouns by the lists or by their ending, and whether an adjective may be put before them.

    Elsewhere than right behind a determiner or the like they are in the middle of a noun phrase, or no nouns.
    """
    previous = ""
    for token in TOKEN.finditer(text):
        word = token[0]
        begins = previous in words["grammar"]["before_a_noun"]
        known = word in words["grammar"]["nouns"] or word.endswith(_NOUN_ENDINGS)
        if word in words["swaps"]["nouns"] or (known and begins):
            yield token, begins
        previous = word.lower()


def slots(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Where any word of a kind can be put: before the token for "adjective" and "adverb", else in its place."""
    words = _words()
    for token, begins in _nouns(text, words):
        if begins:
            yield "adjective", token
    for token in _verbs(text, words):
        yield "adverb", token
        if token[0] == "said" or token[0].endswith("ed"):
            yield "verb", token
    previous = ""
    for token in TOKEN.finditer(text):
        if previous in words["grammar"]["before_a_noun"]:
            if token[0] in words["grammar"]["many"]:
                yield "many", token
            if token[0] in words["grammar"]["doings"]:
                yield "doings", token
        previous = token[0].lower()


def _numbers(text: str, words: dict[str, Any]) -> Iterator[re.Match[str]]:
    """Counts of something before which "a mere" can stand: no determiner is there yet."""
    for number in _NUMBER.finditer(text):
        before = text[: number.start()].split()[-1:]
        if not before or before[0].lower() not in words["grammar"]["determiners"]:
            yield number


def _verbs(text: str, words: dict[str, Any]) -> Iterator[re.Match[str]]:
    previous = ""
    for token in TOKEN.finditer(text):
        if token[0] in words["swaps"]["verbs"] and previous and previous not in words["grammar"]["not_before_a_verb"]:
            yield token
        previous = token[0].lower()


def put_in_place(token: re.Match[str], choice: str) -> Edit:
    """Put `choice` where the token stands, and mark it."""
    return Edit(*token.span(), choice, 0, len(choice))


def put_before(token: re.Match[str], word: str) -> Edit:
    """Put `word` before the token, and mark it."""
    return Edit(token.start(), token.start(), f"{word} ", 0, len(word))


def _quoted(token: re.Match[str], text: str, rng: random.Random) -> Edit:
    left, right = rng.choice(('""', "“”", "''", "‘’"))
    quoted = f"{left}{text[slice(*token.span())]}{right}"
    return Edit(*token.span(), quoted, 1, len(quoted) - 1)


def _framed(text: str, frames: dict[str, Any], words: dict[str, Any], rng: random.Random) -> list[tuple[str, Edit]]:
    """What can be said before and after a whole sentence."""
    edits = []
    first = TOKEN.match(text)
    if first:
        opening = rng.choice(frames["openings"])
        word = first[0].lower() if first[0].lower() in words["grammar"]["not_names"] else first[0]
        edits.append(("opening", Edit(*first.span(), f"{opening} {word}", 0, len(opening) - 1)))
    if text.endswith(".") and not text.endswith(("..", "Inc.", "U.S.")):
        closing = rng.choice(frames["closings"])
        end = len(text) - 1
        edits.append(("closing", Edit(end, end, f", {closing}", 2, 2 + len(closing))))
    return edits
