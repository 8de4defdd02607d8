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
from itertools import islice
from typing import Literal

from loadedwords.text.words import FUNCTION_WORDS, TITLES

Kind = Literal["speech", "scare", "title"]

# So many words without a speaker are scare quotes, more are speech.
SCARE_WORDS = 3
# An unclosed quotation goes on to the end of its paragraph if that is so near, else of its sentence.
_NEAR = 400
# Nobody's speech in one pair of marks is longer: a mark was lost.
LONGEST = 1500
# Apostrophes that may close one quotation in single marks.
_CLOSERS_LOOKED_AT = 12
# So far from the marks it is looked who speaks.
_REACH, _BEFORE_REACH = 160, 400
# Paragraphs that one pair of marks may hold without a new opening mark.
_PARAGRAPHS_BETWEEN = 3
# A text is a transcript if so many paragraphs, and so large a share of them, begin with who speaks, and two of these
# speak more than once. Lists with a name before each entry are not: there nobody's turn comes again.
_FEWEST_TURNS, _SHARE_OF_TURNS = 6, 0.45

_MARK = re.compile("\"|“|”|„|‟|«|»|``|''|‘|’|'")
_CLOSER = {
    "“": ("”", '"'), "„": ("“", "”"), "‟": ("”",), "«": ("»",), '"': ('"', "”"), "``": ("''", '"'), "''": ("''",),
}  # fmt: skip
_SINGLE = {"‘": "’", "'": "'"}
_MEASURE = re.compile(r"\d[’']\d{1,2}$")  # 6'2" tall
_ELIDED = re.compile(r"(?:\d0s?\b|(?:em|tis|twas|til|till|cause|bout|round|n|cos|ere)\b)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"”’')\]]*(?=\s|$)")

# Each with its forms: "say" also after a plural, "saying" before a quotation.
_SPEAKING = (
    "say says said saying, tell tells told telling, ask asks asked asking, add adds added adding, write writes wrote writing,"
    " tweet tweets tweeted tweeting, post posts posted posting, state states stated stating, reply replies replied replying,"
    " respond responds responded responding, answer answers answered answering, explain explains explained explaining,"
    " argue argues argued arguing, insist insists insisted insisting, claim claims claimed claiming, contend contends contended,"
    " assert asserts asserted asserting, announce announces announced announcing, note notes noted noting,"
    " warn warns warned warning, declare declares declared declaring, admit admits admitted admitting, concede concedes conceded,"
    " continue continues continued, conclude concludes concluded, recall recalls recalled, testify testifies testified,"
    " complain complains complained, joke jokes joked, shout shouts shouted shouting, yell yells yelled yelling,"
    " scream screams screamed, whisper whispers whispered, quip quips quipped, remark remarks remarked, observe observes observed,"
    " suggest suggests suggested, urge urges urged, rage rages raged, fume fumes fumed, sneer sneers sneered, rant rants ranted,"
    " thunder thundered, blast blasted, slam slammed, snap snapped, vow vows vowed, promise promises promised,"
    " predict predicts predicted, boast boasts boasted, acknowledge acknowledges acknowledged, confirm confirms confirmed,"
    " deny denies denied, demand demands demanded, plead pleads pleaded, lament laments lamented, muse muses mused, murmured,"
    " muttered, cried, chant chanted chanting, sang, growled, roared, whine whines whined, gush gushes gushed, crow crows crowed,"
    " scoff scoffs scoffed, sniffed, retort retorted, counter counters countered, protest protests protested, objected,"
    " allege alleges alleged, report reported, think thinks thought, believe believes believed, reckon reckons"
)
_VERBS = "|".join(re.findall(r"\w+", _SPEAKING))
# Of these the words in marks are a part: "called it 'reckless'".
_NAMING = (
    "call|calls|called|calling|describe|describes|described|describing|dub|dubs|dubbed|labels|labelled|labeled|labelling|termed"
    "|branded|branding|denounce|denounces|denounced|denouncing|condemn|condemns|condemned|condemning|dismiss|dismisses|dismissed"
    "|praise|praises|praised|praising|criticise|criticised|criticises|criticize|criticizes|criticized|criticizing|accuse|accuses"
    "|accused|accusing|refer|refers|referred|referring|characterised|characterized|hail|hails|hailed|hailing|decry|decries|decried"
    "|cite|cites|cited|citing|quote|quotes|quoted|quoting|deem|deems|deemed|expressed|expressing|apologise|apologised|apologize"
    "|apologized|blame|blames|blamed|blaming|mock|mocks|mocked|mocking|deplore|deplored|pledge|pledged|pledges"
)
_SAYING = frozenset(_VERBS.split("|"))
_ATTRIBUTING = _SAYING | frozenset(_NAMING.split("|"))
# Nouns as often as verbs: only behind somebody who may do it are they taken for verbs.
_ALSO_NOUNS = frozenset(
    ("state", "states", "claim", "claims", "report", "post", "posts", "call", "calls", "demand", "demands", "protest", "protests",
     "note", "notes", "promise", "blame", "praise", "quote", "quotes", "labels", "answer", "answers", "remark", "remarks", "joke",
     "jokes", "rage", "rant", "blast", "vow", "vows", "counter", "thunder", "crow", "crows", "mock", "pledge", "chant", "add", "thought")
)  # fmt: skip
_SAYS = re.compile(rf"\b(?:{'|'.join(sorted(_ATTRIBUTING - _ALSO_NOUNS))}|according to)\b")
_PRONOUN = r"(?:[Hh]e|[Ss]he|[Tt]hey|[Ii]t|[Ww]e|I)\b"
_NAME = rf"(?:(?:{TITLES}|[A-Z])\.|[A-Z][\w’'&-]*+)"
_TITLED = rf"(?:{_NAME}|of|de|van|von|bin|al)"
_NOT_A_NAME = (
    r"(?!(?:But|And|Or|So|Yet|However|Then|When|While|As|If|In|On|At|For|By|After|Before|Since|Because|Just|Also|Meanwhile|Still"
    r"|Although|Though|That|This|These|Those|What|Who|Why|How|Here|There|Now|Later|Earlier|Last|Asked|Speaking|He|She|They|It|We"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b)"
)
# No possessive: "Lee’s claims" are not what Lee claims.
_NAMED = rf"(?:(?:the|The)\s)?{_NOT_A_NAME}{_NAME}(?:\s{_TITLED}){{0,5}}(?<![’']s)"
_DETERMINER = r"(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts|[Oo]ne|[Aa]nother)"
# Nothing that begins another phrase: "the door a note" are two.
_INSIDE = r"(?!(?:the|an?|and|or|but|that|which|who|he|she|they|it|is|are|was|were|has|had|have|to|by)\b)[\w’'.&-]+"
_DESCRIBED = (
    rf"{_DETERMINER}\s(?:{_INSIDE}\s){{0,6}}?{_INSIDE}"
    rf"(?:\s(?:of|for|at|from|in)\s(?:(?:the|its|his|her|a)\s)?(?:{_INSIDE}\s){{0,3}}?{_INSIDE})?"
)
_WHO = rf"(?P<who>{_PRONOUN}|{_NAMED}|{_DESCRIBED})"
_ASIDE = r"(?:,\s[^.\"“”]{1,80}?,)?"
_HELPED = r"(?:\s(?:has|had|have|also|earlier|later|then|once|reportedly|now|\w+ly))*"
_PHRASE_ENDS = r"(?=[,.;:!?—–)”\"]|\s(?:who|in|on|at|after|during|from|as|when|while|last|this|earlier|later|and|with|before|told)\b|$)"
_GOES_ON = (
    r"(?=\s*(?:[.,;:]|$)|\s(?:in|to|on|at|during|after|when|as|via|of|about|reporters|him|her|them|us|me|[A-Z]{2,})\b)"
)
# ", Ann Lee said", ", Ann Lee, the mayor, told reporters"; behind a full stop, only where nothing new is said.
_AFTER_SUBJECT = re.compile(rf"[\s,—–-]*{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS})\b")
_AFTER_FULL_STOP = re.compile(rf"[\s,—–-]*{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS})\b{_GOES_ON}")
# ", said Ann Lee", ", said the top commander in the north", ", said spokesman Tom Hale".
_AFTER_VERB = (
    re.compile(rf"[\s,—–-]*(?:{_VERBS})(?:\s\w+ly)?\s(?P<who>{_PRONOUN}|{_NAMED}|{_DESCRIBED}{_PHRASE_ENDS})"),
    re.compile(
        rf"[\s,—–-]*(?:{_VERBS})\s(?:(?!(?:on|in|at|to|that|of|for|from|by|as|after|during|last)\b)[a-z][\w-]*\s){{1,4}}(?P<who>{_NAMED})"
    ),
)
# What follows a preposition is not the one who speaks: "responded to the backlash, saying".
_PREPOSITIONS = ("of", "to", "by", "with", "for", "in", "on", "at", "from", "against", "about", "over")
_NO_PREPOSITION = "".join(rf"(?<!\b{word}\s)" for word in _PREPOSITIONS)
# "Ann Lee, the mayor, told reporters on Tuesday:".
_BEFORE = re.compile(
    rf"{_NO_PREPOSITION}\b{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS}|{_NAMING})\b(?:\s(?!{_VERBS}\b)[^\s.!?;\"“”]+){{0,12}}[\s,:—–-]*$"
)
# "ANN LEE:", "Ann Lee:", "ANN LEE, HOST:", and no marks behind it, which would say themselves whose words they hold.
_TURN = re.compile(
    r"(?P<who>[A-Z][A-Z.’'-]+(?:\s[A-Z][A-Z.’'-]+){0,4}|(?:[A-Z][\w.’'-]+\s){1,3}[A-Z][\w.’'-]+)(?:,[^:.!?]{1,60})?(?:\s\([^)]{1,30}\))?:\s(?![\"“‘'])"
)
_BEFORE_IN_A_TRANSCRIPT = re.compile(rf"^(?P<who>{_NAMED}):\s*$")
_ACCORDING = re.compile(rf"\b[Aa]ccording to\s{_WHO}")
_IN_A_STATEMENT = re.compile(
    r"\b(?:[Ii]n|[Oo]n|[Ff]rom)\s(?:an?|the|his|her|their|its)\s(?:[\w’-]+\s){0,3}?(?:statement|letter|post|e-?mail|message|tweet|memo|speech)\b[^:]{0,40}$"
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
    """What stands between two marks, in a block quotation, or in somebody's turn in a transcript (with the name before it).

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
    turns = _turns(text, bounds)
    found: list[Quotation] = []
    inherited: str | None = None
    continued = introduced = False
    done = 0
    for number, (start, end) in enumerate(bounds):
        if number in turns:
            if done < end:  # else it is inside of what was opened before
                found.append(Quotation(max(start, done), end, speaker=turns[number]))
            done, introduced = max(done, end), False
            continue
        marked = _marked(text, max(start, done), bounds, number)
        if number in set_off or (introduced and not (marked and marked[0].start <= start + 2)):
            # The sentence that introduces a block says whose it is.
            speaker = _speaker_before(text, *bounds[number - 1]) if introduced and number else None
            found.append(Quotation(start, end, speaker=_known(speaker)))
            introduced = False
            done = end
            continue
        own_speakers: list[str | None] = []
        for item in marked:
            quotation = _attributed(text, item, start, end)
            speaker = _known(quotation.speaker)
            if quotation.kind == "speech":
                if quotation.speaker is None:  # nobody is named beside it: whoever spoke before goes on
                    speaker = inherited if continued else next((s for s in reversed(own_speakers) if s), None)
                own_speakers.append(speaker)
                continued, inherited = item.goes_on, speaker
            found.append(replace(quotation, speaker=speaker if quotation.kind == "speech" else None))
            done = item.end
        _share_speaker(found, start)
        introduced = text.endswith(":", start, end) and _introduces(text, start, end - 1)
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


def _turns(text: str, bounds: Sequence[tuple[int, int]]) -> dict[int, str]:
    """Who speaks in which paragraph, if the text is a transcript; a turn ends where the next one begins."""
    labels = {
        number: match["who"] for number, (start, end) in enumerate(bounds) if (match := _TURN.match(text, start, end))
    }
    speakers = list(labels.values())
    again = {who for who in speakers if speakers.count(who) > 1}
    if len(labels) < max(_FEWEST_TURNS, _SHARE_OF_TURNS * len(bounds)) or len(again) < 2:
        return {}
    # A headline or a summary may have a colon, too: the first turn is that of somebody who speaks again, if by surname.
    surnames = {who.split()[-1] for who in again}
    first = next(number for number, who in labels.items() if who.split()[-1] in surnames)
    turns: dict[int, str] = {}
    for number in range(first, len(bounds)):
        turns[number] = labels.get(number) or turns[number - 1]
    return turns


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
    closers = (
        match.start()
        for match in re.compile(re.escape(_SINGLE[mark])).finditer(text, opened, min(end, opened + LONGEST))
        if _closes(text, match.start(), match.end(), end)
    )
    possible = list(islice(closers, _CLOSERS_LOOKED_AT))
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
    near = max(start, item.start - _BEFORE_REACH)
    before = text[_sentence_start(text, near, item.start) : max(start, item.start - 1)]
    behind = min(end, item.end + 1)
    after = text[behind : min(end, behind + _REACH)]
    full_stop = text[item.end - 1] in ".!?…" and after.lstrip()[:1].isupper()
    speaker = _speaker_after(after, full_stop=full_stop) or _speaker_before(before, 0, len(before))
    words = _WORD.findall(text[item.start : item.end])
    if re.search(r"\bso[- ]called\W*$", before):
        return Quotation(item.start, item.end, "scare")
    if speaker is None and not item.goes_on and text[item.end - 1 : item.end] not in tuple(".,!?…;:"):
        said = _SAYS.search(before[-_REACH:]) or _SAYS.search(after[: _sentence_end(after, 0, 60)])
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


def _speaker_after(after: str, *, full_stop: bool) -> str | None:
    for pattern in (_AFTER_FULL_STOP if full_stop else _AFTER_SUBJECT, *(() if full_stop else _AFTER_VERB)):
        if match := pattern.match(after):
            return _named(match)
    match = _ACCORDING.match(after.lstrip(" ,"))
    return _named(match) if match else None


def _named(match: re.Match[str]) -> str | None:
    """The speaker that a pattern found, if it is one: a name or a description, and no half of a phrase."""
    who = match["who"]
    last = who.split()[-1].lower()
    if last in FUNCTION_WORDS or last in _SAYING - _ALSO_NOUNS:
        return who if who.lower() in _PRONOUNS else None
    return who


def _speaks(text: str, *, naming: bool = False) -> bool:
    """Whether a verb of saying is in it at all."""
    words = text.replace(",", " ").replace(":", " ").lower().split()
    return not (_ATTRIBUTING if naming else _SAYING).isdisjoint(words)


def _speaker_before(text: str, start: int, end: int) -> str | None:
    before = text[start:end]
    found = (
        (_BEFORE.search(before) if _speaks(before, naming=True) else None)
        or _ACCORDING.search(before)
        or _BEFORE_IN_A_TRANSCRIPT.match(before)
    )
    return _named(found) if found else None


def _introduces(text: str, start: int, end: int) -> bool:
    """Whether a paragraph's last words say that somebody else's follow; what the author says is his own."""
    last = text[_sentence_start(text, max(start, end - _BEFORE_REACH), end) : end]
    said = _BEFORE.search(last) if _speaks(last, naming=False) else None
    return bool(_IN_A_STATEMENT.search(last) or (said and said["who"].lower() not in ("i", "we")))


def _known(speaker: str | None) -> str | None:
    """A pronoun names nobody: of those resolved to whoever spoke last by name, more than half were wrong."""
    if speaker is None or speaker.lower() in _PRONOUNS:
        return None
    return speaker if speaker.endswith((" Jr.", " Sr.")) else speaker.rstrip(".")


def _share_speaker(found: list[Quotation], start: int) -> None:
    """In "“One,” said Lee. “Two.”" the second is Lee's as well, and in "“One.” “Two,” said Lee." the first; in place."""
    first = bisect_left(found, start, key=lambda quotation: quotation.start)
    speakers = {q.speaker for q in found[first:] if q.kind == "speech"} - {None}
    if len(speakers) == 1:
        only = speakers.pop()
        found[first:] = [replace(q, speaker=only) if q.kind == "speech" else q for q in found[first:]]


def _is_title(words: Sequence[str]) -> bool:
    """Whether all words but the small ones begin with a capital: the name of a book, a film, a song."""
    main = [word for word in words if word.lower() not in _SMALL_WORDS]
    return (
        len(words) >= 2
        and len(main) >= 1
        and all(word[0].isupper() or word[0].isdigit() for word in main)
        and words[0][0].isupper()
    )
