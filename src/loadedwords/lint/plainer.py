"""Plainer words for a loaded one: from the lexicon, in the form that its place asks for, as the model ranks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from loadedwords.lint.lexicon import TOKEN, Lexicon, Sense, read_lexicon
from loadedwords.models.odds import logit
from loadedwords.scoring import FramingModel
from loadedwords.text.words import FUNCTION_WORDS

N_OFFERED = 3
# Less than this off the sentence's log-odds is within what any change of a word does.
LEAST_GAIN = 0.1
LEFT_OUT = "-"

_WITHIN = re.compile(r"(?:['’]s)? ")
_QUOTES = "\"'“”‘’«»"
_VOWEL_SOUND = re.compile(r"(?!uni[^nm]|us[aeiu]|eu|one\b|once)[aeiou]|hour|honest|honou?r|heir|8|11\b|18\b", re.I)
# "30 percent" or "two men", but not "two-week".
_NUMBER = re.compile(
    r"([$£€]?\d[\d.,]*|(two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|thousand|million)\b)(?!-)"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BE = _words("am is are was were be been being isn't aren't wasn't weren't become becomes became seem seems")
_DETERMINERS = _words("a an the this that these those his her its their our my your no any some each every")
_BEFORE_VERB = _words(
    "to will would can could may might must should shall do does did don't didn't doesn't won't can't couldn't not "
    "i we you they who let's never"
)
_PRONOUNS = _words("i we you they who")
_BEFORE_PARTICIPLE = _BE | _words("have has had having get gets got getting haven't hasn't hadn't")
_DEGREES = _words("so too very as more most less least how not quite rather pretty even far much all")
_PARTICLES = _words("up down off out away back apart along around through into together")
_FAR_PARTICLES = _words("apart aside asunder out away")
_PREPOSITIONS = _words(
    "of in on at to for from by with into onto over under about after before between through during against across "
    "among around behind beside beyond despite like near since toward towards until upon within without as"
)
_OBJECTS = _words("him her them us me it")
_JOINTS = _words("and or but nor yet")
# "The most good" is no English; "the most serious" is.
_LONGEST_COMPARED_BY_ENDING = 6
# "Acted recklessly" without its adverb says nothing.
_NEEDS_ADVERB = re.compile(r"(act|behav|treat|perform|far|look|feel|felt|did|do|go|went|work)(e?s|ed|ing|e)?$")
_CLAUSE_STARTS = _words("that he she it they we i you there")
# "Claimed the vote was rigged", and not "claimed the prize".
_A_CLAUSE = re.compile(
    r" (the|this|these|those|his|her|their|its) (\S+ ){1,5}?"
    r"(is|are|was|were|has|have|had|will|would|can|could|do|does|did|may|might|should)\b"
)


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


@dataclass(frozen=True)
class _Place:
    """A piece of a sentence that is in the lexicon, and the words around it; "" where there is none before a mark."""

    sentence: str
    start: int
    end: int
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def previous(self) -> str:
        return self.before[-1].lower() if self.before else ""

    @property
    def next(self) -> str:
        return self.after[0].lower() if self.after else ""

    @property
    def possessive(self) -> bool:
        return self.sentence[: self.start].rstrip().endswith(("'s", "’s"))

    @property
    def first(self) -> bool:
        return not any(c.isalnum() for c in self.sentence[: self.start])


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
        fitting = [sense for sense in senses if _fits(place, sense) and not _is_adjective(place, sense, senses)]
        of_its_kind = [sense for sense in fitting if not _unlike(sense.part, kind)]
        for sense in of_its_kind or fitting:
            found |= dict.fromkeys(filter(None, (_put(place, sense, plain, lexicon) for plain in sense.plain)))
    return tuple(found)


def _places(sentence: str, start: int, end: int, lexicon: Lexicon) -> Iterator[tuple[_Place, tuple[Sense, ...]]]:
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
            place = _Place(
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


def _unlike(part: str, kind: str | None) -> bool:
    return (kind == "label" and part != "noun") or (kind == "verb" and part not in ("verb", "saying"))


def _is_adjective(place: _Place, sense: Sense, senses: tuple[Sense, ...]) -> bool:
    """Whether what could be a verb in -ing ("devastating") is the adjective here: no object follows."""
    if sense.form != "ing" or not any(other.part == "adjective" for other in senses):
        return False
    return not (place.next in _DETERMINERS or (place.after and place.after[0][0].isupper()))


def _fits(place: _Place, sense: Sense) -> bool:
    """Whether the words around allow a word of that class and form here."""
    match sense.part:
        case "verb":
            return _fits_verb(place, sense.form)
        case "saying":
            return _fits_verb(place, sense.form) and _speaks(place)
        case "noun":
            return _fits_noun(place, sense.form)
        case "adjective":
            return _fits_adjective(place)
    return True


def _fits_verb(place: _Place, form: str) -> bool:
    previous, following = place.previous, place.next
    if following in _PARTICLES or any(word in _FAR_PARTICLES for word in place.after[:4]):
        return False
    if form == "participle":
        return _is_participle(place)
    if form == "past" and _is_participle(place) and following in _DETERMINERS:
        return not any(word.lower() in _BE for word in place.before[-2:])
    if form == "past":
        return previous not in (_BEFORE_VERB - _PRONOUNS) | _DETERMINERS
    if form == "base":
        a_plural = previous.endswith("s") and previous not in FUNCTION_WORDS and not previous.endswith("ss")
        return previous in _BEFORE_VERB or a_plural
    if form == "s":
        return following != "of" and _a_singular_subject(place)
    if form == "ing":
        return previous not in _DETERMINERS and following != "of" and not place.possessive
    return True


def _speaks(place: _Place) -> bool:
    """Whether a clause or a quotation is near, without which "he said" stands alone."""
    rest, head = place.sentence[place.end :], place.sentence[: place.start]
    clause = place.next in _CLAUSE_STARTS or (place.after and place.after[0][0].isupper()) or _A_CLAUSE.match(rest)
    after_quotation = re.search(r"[,?!][”\"’'] (\S+ ){1,3}$", head)
    return bool(clause or re.match(r"[,:] ?[“\"‘']", rest) or (after_quotation and not place.next))


def _fits_noun(place: _Place, form: str) -> bool:
    previous, following = place.previous, place.next
    if form == "singular" and previous in _BEFORE_VERB | _BE:
        return False
    if form == "plural" and previous in {"he", "she", "it", "who", "which"}:
        return False
    possessive = place.sentence[place.end :].startswith(("'s", "’s"))
    if form == "plural" or possessive or place.sentence[: place.end].split()[-1].lower() in _PREPOSITIONS:
        return True
    # Before another noun it is half of a compound ("regime change"), which a plain word seldom is.
    return not following or following in FUNCTION_WORDS or following.endswith(("ed", "ly"))


def _fits_adjective(place: _Place) -> bool:
    a_verb = place.sentence[place.start : place.end].endswith(("ed", "ing"))
    if not _ends_phrase(place):
        return not (a_verb and place.previous in {"have", "has", "had", "having"})
    # Not before a noun it may be one itself ("a radical who"), or a verb ("they failed").
    said_of = place.previous in _BE | _DEGREES or (
        not a_verb and (place.previous in _JOINTS or place.previous.endswith("ly"))
    )
    return place.next != "by" and (said_of or place.sentence[place.start - 1 : place.start] in tuple(_QUOTES))


def _object_fits(place: _Place, form: str, plain: str, lexicon: Lexicon) -> bool:
    """Whether a transitive verb has an object here, or is passive, and another has none."""
    if " " in plain:
        ends_open = plain.split()[-1] in _PREPOSITIONS - {"over"}
        no_object = not place.next or place.next in _PREPOSITIONS | {"that"}
        if place.previous in _DETERMINERS or (ends_open and no_object):
            return False
    if plain in lexicon.either:
        return True
    if plain in lexicon.intransitive:
        has_object = place.next in _DETERMINERS | _OBJECTS or bool(place.after and place.after[0][0].isupper())
        return not has_object and place.next != "by"
    if form == "participle" or (form == "past" and _is_participle(place)) or " " in plain:
        return True
    quoted = re.match(rf" [{_QUOTES}]", place.sentence[place.end :])
    return bool(quoted or (place.next and place.next not in _PREPOSITIONS))


def _a_singular_subject(place: _Place) -> bool:
    """Whether a verb in -s may follow: after "emotional" the same form is a noun."""
    if place.previous in {"he", "she", "it", "who", "which", "that"} or place.previous.endswith("ly"):
        return True
    if place.before and place.before[-1][0].isupper():
        return not re.search(r"(al|ive|ous|ic|ful|[ia]ble|an|ese|ing|ed)$", place.previous)
    return len(place.before) > 1 and place.before[-2].lower() in _DETERMINERS


def _ends_phrase(place: _Place) -> bool:
    return not place.next or place.next in FUNCTION_WORDS


def _put(place: _Place, sense: Sense, plain: str, lexicon: Lexicon) -> Replacement | None:
    """The plain word in the form of the loaded one, or None where its grammar doesn't fit."""
    written = place.sentence[place.start : place.end]
    in_title = written[:1].isupper() and is_title_cased(place.sentence)
    a_name = written[:1].isupper() and not place.first and not in_title
    if a_name or (len(written) > 1 and written.isupper()):
        return None
    if plain == LEFT_OUT:
        return _left_out(place, sense.part)
    form = "participle" if sense.form == "past" and _is_participle(place) else sense.form
    if not _suits(place, sense.part, form, plain, lexicon):
        return None
    text = lexicon.inflect(plain, sense.part, form)
    if in_title:
        text = " ".join(word if word in FUNCTION_WORDS else _capital(word) for word in _capital(text).split())
    bare = sense.part == "noun" and plain in lexicon.mass | lexicon.plural_only
    start = place.start
    article_apart = re.search(rf"\b(an?) [{_QUOTES}]$", place.sentence[:start], re.I)
    if article_apart and (bare or article_for(text) != article_apart[1].lower()):
        return None
    if place.previous in ("a", "an"):
        start -= len(place.previous) + 1
        text = text if bare else f"{article_for(text)} {text}"
    if not any(c.isalnum() for c in place.sentence[:start]):
        text = _capital(text)
    return None if text == place.sentence[start : place.end] else Replacement(start, place.end, text)


def _suits(place: _Place, part: str, form: str, plain: str, lexicon: Lexicon) -> bool:
    """Whether this plain word can stand where one of the loaded word's class and form can."""
    if plain in (word.lower() for word in place.before + place.after):
        return False
    if part == "verb":
        return _object_fits(place, form, plain, lexicon)
    if part == "noun":
        return _number_fits(place, form, plain, lexicon)
    if part == "adjective":
        compared = place.previous in {"more", "most"} and len(plain) <= _LONGEST_COMPARED_BY_ENDING
        return not compared and not _NUMBER.match(place.next)
    if plain == "very":
        return not _ends_phrase(place) and not place.next.endswith(("ed", "ing", "s"))
    return plain != "much" or place.next.endswith(("er", "more", "less"))


def is_title_cased(sentence: str) -> bool:
    words = [word[0] for word in TOKEN.finditer(sentence) if word[0].lower() not in FUNCTION_WORDS]
    return len(words) > 2 and sum(word[0].isupper() or word[0].isdigit() for word in words) >= 0.8 * len(words)


def _is_participle(place: _Place) -> bool:
    return (
        place.next == "by"
        or place.previous in _DETERMINERS
        or any(w.lower() in _BEFORE_PARTICIPLE for w in place.before[-3:])
    )


def _number_fits(place: _Place, form: str, plain: str, lexicon: Lexicon) -> bool:
    counted = {"a", "an", "one", "another", "each", "every", "this", "that"}
    if plain.endswith("number of") or plain == "series of":
        return any(w.endswith("s") or w in ("people", "children", "men", "women") for w in place.after[:3])
    if plain in lexicon.plural_only:
        singular_verb = place.next in {"is", "was", "has", "does", "isn't", "wasn't"}
        of_a_compound = form == "singular" and place.previous not in _DETERMINERS | _PREPOSITIONS | {""}
        return not singular_verb and not of_a_compound and not any(w.lower() in counted for w in place.before[-3:])
    if plain in lexicon.mass:
        if form == "plural":
            return place.next not in {"are", "were", "have", "do"} and place.previous not in {"these", "those", "many"}
        return place.previous not in counted - {"a", "an", "this", "that"} and not any(
            w.lower() in counted for w in place.before[-3:-1]
        )
    # A noun that can be counted needs its article, which one in "used sleight of hand" doesn't have.
    return form == "plural" or place.possessive or any(w.lower() in _DETERMINERS for w in place.before)


def _left_out(place: _Place, part: str) -> Replacement | None:
    """The sentence without the word, its commas and its space; None where it can't go."""
    sentence, previous, following = place.sentence, place.previous, place.next
    if part == "adjective" and (_ends_phrase(place) or previous in _BE or (not previous and not place.first)):
        return None
    if part in ("adjective", "adverb") and (
        previous in _DEGREES | _JOINTS
        or following in _JOINTS | {"one", "ones"}
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
        return Replacement(start, end + 1, sentence[end : end + 1].upper())
    if commas[0] and (commas[1] or re.match(r"[.?!]", sentence[end:])):
        return Replacement(commas[0].start(), end + (1 if commas[1] else 0), "")
    if commas[1] or sentence[end : end + 1] == ":":
        return None
    if commas[0]:
        return None if part == "adjective" else _without_space(sentence, start, end)
    if previous in ("a", "an") and following:
        article = "" if _NUMBER.match(sentence, end + 1) else article_for(sentence[end + 1 :]) + " "
        start -= len(previous) + 1
        if not any(c.isalnum() for c in sentence[:start]):
            article = article.capitalize()
        return Replacement(start, end + 1, article)
    return _without_space(sentence, start, end)


def _without_space(sentence: str, start: int, end: int) -> Replacement:
    if sentence[end : end + 1] == " ":
        return Replacement(start, end + 1, "")
    return Replacement(start - (sentence[start - 1 : start] == " "), end, "")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def article_for(words: str) -> str:
    return "an" if _VOWEL_SOUND.match(words) else "a"
