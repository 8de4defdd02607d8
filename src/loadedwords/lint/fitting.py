"""Whether a plain word's grammar fits the place of a loaded one, by the words around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from loadedwords.lint.lexicon import Lexicon, Sense
from loadedwords.text.words import FUNCTION_WORDS

QUOTES = "\"'“”‘’«»"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BE = _words("am is are was were be been being isn't aren't wasn't weren't become becomes became seem seems")
_DETERMINERS = _words("a an the this that these those his her its their our my your no any some each every")
_BEFORE_VERB = _words(
    "to will would can could may might must should shall do does did don't didn't doesn't won't can't couldn't not "
    "i we you they who let's never"
)
_PRONOUNS = _words("i we you they who")
_BEFORE_PARTICIPLE = BE | _words("have has had having get gets got getting haven't hasn't hadn't")
DEGREES = _words("so too very as more most less least how not quite rather pretty even far much all")
_PARTICLES = _words("up down off out away back apart along around through into together")
_FAR_PARTICLES = _words("apart aside asunder out away")
_PREPOSITIONS = _words(
    "of in on at to for from by with into onto over under about after before between through during against across "
    "among around behind beside beyond despite like near since toward towards until upon within without as"
)
_OBJECTS = _words("him her them us me it")
JOINTS = _words("and or but nor yet")
# "The most good" is no English; "the most serious" is.
_LONGEST_COMPARED_BY_ENDING = 6
_CLAUSE_STARTS = _words("that he she it they we i you there")
# "Claimed the vote was rigged", and not "claimed the prize".
_A_CLAUSE = re.compile(
    r" (the|this|these|those|his|her|their|its) (\S+ ){1,5}?"
    r"(is|are|was|were|has|have|had|will|would|can|could|do|does|did|may|might|should)\b"
)
# "30 percent" or "two men", but not "two-week".
NUMBER = re.compile(
    r"([$£€]?\d[\d.,]*|(two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|thousand|million)\b)(?!-)"
)


@dataclass(frozen=True)
class Place:
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


def unlike(part: str, kind: str | None) -> bool:
    return (kind == "label" and part != "noun") or (kind == "verb" and part not in ("verb", "saying"))


def is_adjective(place: Place, sense: Sense, senses: tuple[Sense, ...]) -> bool:
    """Whether what could be a verb in -ing ("devastating") is the adjective here: no object follows."""
    if sense.form != "ing" or not any(other.part == "adjective" for other in senses):
        return False
    return not (place.next in _DETERMINERS or (place.after and place.after[0][0].isupper()))


def fits(place: Place, sense: Sense) -> bool:
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


def _fits_verb(place: Place, form: str) -> bool:
    previous, following = place.previous, place.next
    if following in _PARTICLES or any(word in _FAR_PARTICLES for word in place.after[:4]):
        return False
    if form == "participle":
        return is_participle(place)
    if form == "past" and is_participle(place) and following in _DETERMINERS:
        return not any(word.lower() in BE for word in place.before[-2:])
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


def _speaks(place: Place) -> bool:
    """Whether a clause or a quotation is near, without which "he said" stands alone."""
    rest, head = place.sentence[place.end :], place.sentence[: place.start]
    clause = place.next in _CLAUSE_STARTS or (place.after and place.after[0][0].isupper()) or _A_CLAUSE.match(rest)
    after_quotation = re.search(r"[,?!][”\"’'] (\S+ ){1,3}$", head)
    return bool(clause or re.match(r"[,:] ?[“\"‘']", rest) or (after_quotation and not place.next))


def _fits_noun(place: Place, form: str) -> bool:
    previous, following = place.previous, place.next
    if (form == "singular" and previous in _BEFORE_VERB | BE) or following in _OBJECTS - {"it"} | {"what"}:
        return False
    if form == "plural" and previous in {"he", "she", "it", "who", "which"}:
        return False
    possessive = place.sentence[place.end :].startswith(("'s", "’s"))
    if form == "plural" or possessive or place.sentence[: place.end].split()[-1].lower() in _PREPOSITIONS:
        return True
    # Before another noun it is half of a compound ("regime change"), which a plain word seldom is.
    return not following or following in FUNCTION_WORDS or following.endswith(("ed", "ly"))


def _fits_adjective(place: Place) -> bool:
    a_verb = place.sentence[place.start : place.end].endswith(("ed", "ing"))
    if not ends_phrase(place):
        return not (a_verb and place.previous in {"have", "has", "had", "having"})
    # Not before a noun it may be one itself ("a radical who"), or a verb ("they failed").
    said_of = place.previous in BE | DEGREES or (
        not a_verb and (place.previous in JOINTS or place.previous.endswith("ly"))
    )
    return place.next != "by" and (said_of or place.sentence[place.start - 1 : place.start] in tuple(QUOTES))


def _a_singular_subject(place: Place) -> bool:
    """Whether a verb in -s may follow: after "emotional" the same form is a noun."""
    if place.previous in {"he", "she", "it", "who", "which", "that"} or place.previous.endswith("ly"):
        return True
    if place.before and place.before[-1][0].isupper():
        return not re.search(r"(al|ive|ous|ic|ful|[ia]ble|an|ese|ing|ed)$", place.previous)
    return len(place.before) > 1 and place.before[-2].lower() in _DETERMINERS


def suits(place: Place, part: str, form: str, plain: str, lexicon: Lexicon) -> bool:
    """Whether this plain word can stand where one of the loaded word's class and form can."""
    if plain in (word.lower() for word in place.before + place.after):
        return False
    if part == "verb":
        return _object_fits(place, form, plain, lexicon)
    if part == "noun":
        return _number_fits(place, form, plain, lexicon)
    if part == "adjective":
        compared = place.previous in {"more", "most"} and len(plain) <= _LONGEST_COMPARED_BY_ENDING
        return not compared and not NUMBER.match(place.next)
    if plain == "very":
        return not ends_phrase(place) and not place.next.endswith(("ed", "ing", "s"))
    return plain != "much" or place.next.endswith(("er", "more", "less"))


def _object_fits(place: Place, form: str, plain: str, lexicon: Lexicon) -> bool:
    """Whether a transitive verb has an object here, or is passive, and another has none."""
    passive = form == "participle" or (form == "past" and is_participle(place))
    if " " in plain:
        ends_open = plain.split()[-1] in _PREPOSITIONS - {"over"}
        no_object = not place.next or place.next in _PREPOSITIONS | {"that"}
        of_an_object = passive and ends_open and plain.count(" ") > 1  # nobody "was taken money from"
        if place.previous in _DETERMINERS or (ends_open and no_object) or of_an_object:
            return False
    if plain in lexicon.either:
        return True
    if plain in lexicon.intransitive:
        has_object = place.next in _DETERMINERS | _OBJECTS or bool(place.after and place.after[0][0].isupper())
        return not has_object and place.next != "by"
    if passive or " " in plain:
        return True
    quoted = re.match(rf" [{QUOTES}]", place.sentence[place.end :])
    return bool(quoted or (place.next and place.next not in _PREPOSITIONS))


def _number_fits(place: Place, form: str, plain: str, lexicon: Lexicon) -> bool:
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


def is_participle(place: Place) -> bool:
    near = [w for w in map(str.lower, place.before) if w not in ("at", "least")][-3:]
    return place.next == "by" or place.previous in _DETERMINERS or any(w in _BEFORE_PARTICIPLE for w in near)


def ends_phrase(place: Place) -> bool:
    return not place.next or place.next in FUNCTION_WORDS
