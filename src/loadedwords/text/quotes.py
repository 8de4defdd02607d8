"""Who is speaking: quotations, whose words they are, and what is only put in marks.

Marks are read paragraph by paragraph, so that a lost one never swallows an article. What stands between them is
somebody's speech unless it is short and nobody is said to have said it: then it is the outlet's own, in scare quotes
or as a title. The rules follow the way quotations are set in English news (Pareti 2012; Muzny et al. 2017).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["speech", "scare", "title"]

# So many words without a speaker are scare quotes, more are speech.
SCARE_WORDS = 3
# An unclosed quotation goes on to the end of its paragraph if that is so near, else of its sentence.
_NEAR = 400
# Nobody's speech in one pair of marks is longer: a mark was lost.
LONGEST = 1500
# So far from the marks it is looked who speaks.
_REACH = 160
# Paragraphs that one pair of marks may hold without a new opening mark.
_PARAGRAPHS_BETWEEN = 3

_MARK = re.compile("\"|“|”|„|‟|«|»|``|''|‘|’|'")
_CLOSER = {
    "“": ("”", '"'), "„": ("“", "”"), "‟": ("”",), "«": ("»",), '"': ('"', "”"), "``": ("''", '"'), "''": ("''",),
}  # fmt: skip
_SINGLE = {"‘": "’", "'": "'"}
_MEASURE = re.compile(r"\d[’']\d{1,2}$")  # 6'2" tall
_ELIDED = re.compile(r"(?:\d0s?\b|(?:em|tis|twas|til|till|cause|bout|round|n|cos|ere)\b)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"”’')\]]*(?=\s|$)")

_VERBS = (
    "said|says|say|saying|told|tells|telling|asked|asks|asking|added|adds|adding|wrote|writes|writing|tweeted|tweets|tweeting|posted|posts"
    "|stated|states|stating|replied|replies|responded|responds|answered|answers|explained|explains|explaining|argued|argues|arguing"
    "|insisted|insists|insisting|claimed|claims|claiming|announced|announces|noted|notes|noting|warned|warns|warning|declared|declares"
    "|declaring|admitted|admits|conceded|concedes|continued|continues|concluded|concludes|recalled|recalls|testified|testifies"
    "|complained|complains|joked|jokes|shouted|shouts|shouting|yelled|yells|yelling|screamed|screams|whispered|quipped|quips"
    "|remarked|remarks|observed|observes|suggested|suggests|urged|urges|raged|rages|fumed|fumes|sneered|sneers|ranted|rants|thundered"
    "|blasted|slammed|snapped|vowed|vows|promised|promises|predicted|predicts|boasted|boasts|acknowledged|acknowledges|confirmed"
    "|confirms|denied|denies|demanded|demands|pleaded|pleads|lamented|laments|mused|muses|murmured|muttered|cried|chanted|chanting|sang"
    "|growled|roared|whined|gushed|crowed|scoffed|sniffed|retorted|countered|counters|protested|objected|charged|alleged|alleges"
    "|reads|read|reported|reports|thought|thinks|believes|reckons|put it"
)
# Of these the words in marks are a part: "called it 'reckless'".
_NAMING_STEMS = (
    "call", "describ", "dub", "label", "term", "brand", "denounc", "condemn", "dismiss", "prais", "criticis", "criticiz",
    "accus", "refer", "characteris", "characteriz", "hail", "decri", "cit", "quot", "deem", "express", "apologis", "apologiz",
    "blam", "mock", "deplor", "pledg",
)  # fmt: skip
_NAMING = rf"(?:{'|'.join(_NAMING_STEMS)})(?:[bdlr]?(?:ed|ing)|e?[sd]|e|y)?"
_SAYING = frozenset(_VERBS.split("|")) | {"put"}
_SAYS = re.compile(rf"\b(?:{_VERBS}|{_NAMING}|according to)\b", re.IGNORECASE)
_PRONOUN = r"(?:he|she|they|it|we|I|He|She|They|It|We)"
_NAME = r"(?:(?:Mr|Mrs|Ms|Dr|Sen|Rep|Gov|Gen|Col|Lt|Sgt|Capt|Rev|Prof|St|[A-Z])\.|[A-Z][\w’'&-]*)"
_TITLED = rf"(?:{_NAME}|of|de|van|von|bin|al)"
_NOT_A_NAME = (
    r"(?!(?:But|And|Or|So|Yet|However|Then|When|While|As|If|In|On|At|For|By|After|Before|Since|Because|Just|Also|Meanwhile|Still"
    r"|Although|Though|That|This|What|Who|Why|How|Here|There|Now|Later|Earlier|Last|Asked|Speaking)\b)"
)
_NAMED = rf"(?:(?:the|The)\s)?{_NOT_A_NAME}{_NAME}(?:\s{_TITLED}){{0,5}}"
_DESCRIBED = (
    r"(?:the|a|an|his|her|their|its|one|another|The|A|An|His|Her|Their|Its|One|Another)\s(?:[\w’'&-]+\s){0,4}?[\w’'&-]+"
)
# No possessive: "Lee’s claims" are not what Lee claims.
_WHO = rf"(?P<who>{_PRONOUN}|{_NAMED}|{_DESCRIBED})(?<![’']s)"
_ASIDE = r"(?:,\s[^,.\"“”]{1,80},)?"
_HELPED = r"(?:\s(?:has|had|have|also|earlier|later|then|once|reportedly|now|\w+ly))*"
# ", said Ann Lee", ", the mayor said", ", Ann Lee, the mayor, told reporters".
_AFTER = (
    re.compile(rf"[\s,—–-]*{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS})\b"),
    re.compile(rf"[\s,—–-]*(?:{_VERBS})(?:\s\w+ly)?\s{_WHO}"),
)
# "Ann Lee, the mayor, told reporters on Tuesday:".
# What follows a preposition is not the one who speaks: "responded to the backlash, saying".
_PREPOSITIONS = ("of", "to", "by", "with", "for", "in", "on", "at", "from", "against", "about", "over")
_NO_PREPOSITION = "".join(rf"(?<!\b{word}\s)" for word in _PREPOSITIONS)
_BEFORE = re.compile(
    rf"{_NO_PREPOSITION}\b{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS}|{_NAMING})\b(?:\s(?!{_VERBS}\b)[^\s.!?;\"“”]+){{0,12}}[\s,:—–-]*$"
)
_ACCORDING = re.compile(rf"\b[Aa]ccording to\s{_WHO}")
_INTRODUCES = re.compile(
    rf"\b(?:{_VERBS}|statement|letter|post|email|message|tweet|memo|speech)\b(?:\s[^\s.!?\"“”]+){{0,5}}:$",
    re.IGNORECASE,
)
_PRONOUNS = frozenset({"he", "she", "they", "it", "we", "i"})
# A clause that somebody is said to have said, without marks.
_INDIRECT = re.compile(
    rf"\b{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS})\b"
    r"(?:\s(?:reporters|lawmakers|journalists|investigators|him|her|them|us|me|the \w+|[A-Z]\w+))?"
    r"(?:\s(?:on|in|at|during|after|last|this)\s[\w\s]{2,30}?)?"
    r"(?:\sthat\b|\s(?:the|a|an|he|she|it|they|there|this|these|those|his|her|their|its|no|some|many|most|[A-Z]\w+)\b)"
)
_INDIRECT_BEHIND = re.compile(
    rf",\s(?:{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS})|(?:{_VERBS})\s(?:{_NAMED}|{_DESCRIBED}))\b[^,]{{0,60}}[.!?]*$"
)
_WORD = re.compile(r"\w+(?:[’'-]\w+)*")
_SMALL_WORDS = frozenset(
    ("a", "an", "the", "of", "and", "or", "in", "on", "at", "to", "for", "from", "by", "with", "as", "is", "vs")
)


@dataclass(frozen=True)
class Quotation:
    """What stands between two marks, or in a block quotation.

    Attributes
    ----------
    start, end : int
        Offsets of the words, the marks themselves left out.
    kind : {"speech", "scare", "title"}
        Somebody else's words; or the outlet's own, held at arm's length or naming a work.
    speaker : str or None
        Whose words they are, as the text has it, where it can be read.
    """

    start: int
    end: int
    kind: Kind = "speech"
    speaker: str | None = None


@dataclass(frozen=True)
class _Marked:
    """Words between marks before it is known whose they are; `goes_on`: the next paragraph opens again."""

    start: int
    end: int
    goes_on: bool = False


def find_quotations(
    text: str, paragraphs: Sequence[tuple[int, int]] | None = None, blocks: Iterable[int] = ()
) -> list[Quotation]:
    """Find the quotations of an article.

    Parameters
    ----------
    text : str
        Clean text.
    paragraphs : sequence of (int, int), optional
        Where its paragraphs start and end; all of it is one, if not given.
    blocks : iterable of int
        Numbers of the paragraphs that are set off as block quotations.

    Returns
    -------
    list of Quotation
        In order, without overlap: a quotation inside a quotation belongs to the outer one.
    """
    bounds = list(paragraphs) if paragraphs is not None else [(0, len(text))]
    set_off = frozenset(blocks)
    found: list[Quotation] = []
    named: str | None = None  # who spoke last by name, for "he said"
    inherited: str | None = None
    continued = introduced = False
    done = 0
    for number, (start, end) in enumerate(bounds):
        marked = _marked(text, max(start, done), bounds, number)
        if number in set_off or (introduced and not (marked and marked[0].start <= start + 2)):
            # The sentence that introduces a block says whose it is.
            speaker = _speaker_before(text, *bounds[number - 1]) if introduced and number else None
            found.append(Quotation(start, end, speaker=_known(speaker, named)))
            introduced = False
            done = end
            continue
        own_speakers: list[str | None] = []
        for item in marked:
            quotation = _attributed(text, item, start, end)
            speaker = _known(quotation.speaker, named)
            if quotation.kind == "speech":
                if speaker is None:
                    speaker = inherited if continued else next((s for s in reversed(own_speakers) if s), None)
                elif quotation.speaker == speaker:
                    named = speaker
                own_speakers.append(speaker)
                continued, inherited = item.goes_on, speaker
            found.append(replace(quotation, speaker=speaker if quotation.kind == "speech" else None))
            done = item.end
        found = _speakers_of_paragraph(found, start)
        introduced = text.endswith(":", start, end) and bool(_INTRODUCES.search(text, max(start, end - 120), end))
    return found


def speech(quotations: Iterable[Quotation]) -> list[Quotation]:
    """Those that are somebody else's words."""
    return [quotation for quotation in quotations if quotation.kind == "speech"]


def is_indirect(sentence: str) -> bool:
    """Whether a sentence reports, without marks, what somebody is said to have said or written."""
    if "ccording to" in sentence and _ACCORDING.search(sentence):
        return True
    if not _speaks(sentence):  # most sentences, and a look at their words is ten times as fast as the patterns
        return False
    return bool(_INDIRECT.search(sentence) or _INDIRECT_BEHIND.search(sentence))


# --- marks --------------------------------------------------------------------------------------------------------


def _marked(text: str, begin: int, bounds: Sequence[tuple[int, int]], number: int) -> list[_Marked]:
    """What stands between marks in one paragraph; the last may end in a later one."""
    end = bounds[number][1]
    found: list[_Marked] = []
    opener, opened = "", 0
    skip = begin
    for match in _MARK.finditer(text, begin, end):
        mark, at, after = match[0], match.start(), match.end()
        if at < skip or (mark == '"' and _MEASURE.search(text, max(begin, at - 5), at)):
            continue
        if opener:
            if mark in _CLOSER[opener] and not _only_opens(text, at, after, opened):
                found.append(_Marked(opened, at))
                opener = ""
            elif mark == opener and _only_opens(text, at, after, opened):  # the one before was never closed
                found.append(_Marked(opened, _sentence_end(text, opened, at)))
                opened = after
            elif mark == opener:  # “set with the wrong mark“
                found.append(_Marked(opened, at))
                opener = ""
        elif mark in _SINGLE and _opens(text, at, after, end) and not _ELIDED.match(text, after):
            close = _single_close(text, mark, after, end)
            if close is not None:
                found.append(_Marked(after, close))
                skip = close + 1
            elif mark == "‘" and _opens_again(text, bounds, number, mark):
                found.append(_Marked(after, end, goes_on=True))
                skip = end
        elif mark in _CLOSER and _opens(text, at, after, end):
            opener, opened = mark, after
    if opener:
        found.append(_unclosed(text, opener, opened, bounds, number))
    return [item for item in found if text[item.start : item.end].strip()]


def _unclosed(text: str, opener: str, opened: int, bounds: Sequence[tuple[int, int]], number: int) -> _Marked:
    end = bounds[number][1]
    if _opens_again(text, bounds, number, opener):
        return _Marked(opened, end, goes_on=True)
    for later_start, later_end in bounds[number + 1 : number + 1 + _PARAGRAPHS_BETWEEN]:
        mark = next((m for m in _MARK.finditer(text, later_start, later_end) if m[0] in _CLOSER or m[0] in "”»"), None)
        if mark is not None:
            closing = mark[0] in _CLOSER[opener] and _closes(text, mark.start(), mark.end(), later_end)
            if closing and mark.start() - opened <= LONGEST and not _opens(text, mark.start(), mark.end(), later_end):
                return _Marked(opened, mark.start())
            break
    return _Marked(opened, end if end - opened <= _NEAR else _sentence_end(text, opened, end))


def _opens_again(text: str, bounds: Sequence[tuple[int, int]], number: int, opener: str) -> bool:
    return number + 1 < len(bounds) and text.startswith(opener, bounds[number + 1][0])


def _opens(text: str, at: int, after: int, end: int) -> bool:
    """Whether a mark may open: something follows it, and no word touches it on the left."""
    before = text[at - 1] if at else " "
    following = text[after] if after < end else " "
    return not following.isspace() and not before.isalnum() and before not in ".,!?;%)"


def _closes(text: str, at: int, after: int, end: int) -> bool:
    """Whether a mark may close: something stands before it, and no word begins right behind it."""
    return at > 0 and not text[at - 1].isspace() and not (after < end and text[after].isalnum())


def _only_opens(text: str, at: int, after: int, opened: int) -> bool:
    """Whether a mark that could close can't: a blank before it and a word right behind it."""
    return at > opened and text[at - 1].isspace() and after < len(text) and text[after].isalnum()


def _single_close(text: str, mark: str, opened: int, end: int) -> int | None:
    """Where a single mark closes that is also the apostrophe."""
    possible = [
        match.start()
        for match in re.compile(re.escape(_SINGLE[mark])).finditer(text, opened, min(end, opened + LONGEST))
        if _closes(text, match.start(), match.end(), end)
    ]
    for at in possible:
        # "the workers’ union": a plural's apostrophe, if the quotation is closed behind it.
        plural = text[at - 1] in "sS" and re.match(r"\s[a-z]", text[at + 1 : at + 3])
        if not plural or not any(text[later - 1] in ",.!?…" for later in possible if later > at):
            return at
    return possible[-1] if possible else None


def _sentence_end(text: str, start: int, end: int) -> int:
    match = _SENTENCE_END.search(text, start, end)
    return match.end() if match else end


# --- whose words --------------------------------------------------------------------------------------------------


def _attributed(text: str, item: _Marked, start: int, end: int) -> Quotation:
    """The kind and the speaker of what stands between marks, from the sentence around it."""
    before = text[_sentence_start(text, start, item.start) : max(start, item.start - 1)]
    behind = min(end, item.end + 1)
    after = text[behind : min(end, behind + _REACH)]
    speaker = _speaker_after(after) or _speaker_before(before, 0, len(before))
    words = _WORD.findall(text[item.start : item.end])
    if speaker is None and not item.goes_on and text[item.end - 1 : item.end] not in tuple(".,!?…;:"):
        said = _SAYS.search(before[-_REACH:]) or _SAYS.search(after[: _sentence_end(after, 0, 60)])
        if re.search(r"\bso[- ]called\W*$", before):
            return Quotation(item.start, item.end, "scare")
        if not said and _is_title(words):
            return Quotation(item.start, item.end, "title")
        if not said and len(words) <= SCARE_WORDS:
            return Quotation(item.start, item.end, "scare")
    return Quotation(item.start, item.end, "speech", speaker)


def _sentence_start(text: str, start: int, at: int) -> int:
    last = start
    for match in _SENTENCE_END.finditer(text, start, max(start, at - 1)):
        last = match.end()
    return last


def _speaker_after(after: str) -> str | None:
    for pattern in _AFTER:
        if match := pattern.match(after):
            return match["who"]
    match = _ACCORDING.match(after.lstrip(" ,"))
    return match["who"] if match else None


def _speaks(text: str, *, naming: bool = False) -> bool:
    """Whether a verb of saying is in it at all."""
    words = text.replace(",", " ").replace(":", " ").lower().split()
    return not _SAYING.isdisjoint(words) or (naming and any(word.startswith(_NAMING_STEMS) for word in words))


def _speaker_before(text: str, start: int, end: int) -> str | None:
    before = text[start:end]
    found = (_BEFORE.search(before) if _speaks(before, naming=True) else None) or _ACCORDING.search(before)
    return found["who"] if found else None


def _known(speaker: str | None, named: str | None) -> str | None:
    """A pronoun stands for whoever spoke last by name."""
    if speaker is None or speaker.lower() in _PRONOUNS:
        return named if speaker else None
    return speaker if speaker.endswith((" Jr.", " Sr.")) else speaker.rstrip(".")


def _speakers_of_paragraph(found: list[Quotation], start: int) -> list[Quotation]:
    """In "“One,” said Lee. “Two.”" the second is hers as well, and in "“One.” “Two,” said Lee." the first."""
    first = bisect_left(found, start, key=lambda quotation: quotation.start)
    speakers = {q.speaker for q in found[first:] if q.kind == "speech"} - {None}
    if len(speakers) != 1:
        return found
    only = speakers.pop()
    return [*found[:first], *(replace(q, speaker=only) if q.kind == "speech" else q for q in found[first:])]


def _is_title(words: Sequence[str]) -> bool:
    """Whether all words but the small ones begin with a capital: the name of a book, a film, a song."""
    main = [word for word in words if word.lower() not in _SMALL_WORDS]
    return (
        len(words) >= 2
        and len(main) >= 1
        and all(word[0].isupper() or word[0].isdigit() for word in main)
        and words[0][0].isupper()
    )
