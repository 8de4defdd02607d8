"""Who is said to say something: the verbs of saying, and the names and descriptions beside them."""

from __future__ import annotations

import re

from loadedwords.text.marks import sentence_start
from loadedwords.text.words import FUNCTION_WORDS, TITLES

# So far from the marks it is looked who speaks.
REACH, BEFORE_REACH = 160, 400

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
    " commented, commenting, exclaim exclaims exclaimed, stressed, stressing, emphasize emphasizes emphasized,"
    " emphasise emphasises emphasised, reiterate reiterates reiterated, cautioned, cautioning, proclaim proclaims proclaimed,"
    " opine opines opined, marveled, marvelled, deadpanned, texted, chimed, interjected, exulted, enthused,"
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
SAYS = re.compile(rf"\b(?:{'|'.join(sorted(_ATTRIBUTING - _ALSO_NOUNS))}|according to)\b")
_PRONOUN = r"(?:[Hh]e|[Ss]he|[Tt]hey|[Ii]t|[Ww]e|I)\b"
_NAME = rf"(?:(?:{TITLES}|[A-Z])\.|[A-Z][\w’'&-]*+)"
_TITLED = rf"(?:{_NAME}|of|de|van|von|bin|al)"
# "The mayor didn’t say" names nobody who says it.
_NOT_DENIED = r"(?!\w+n[’']t\b)"
_NOT_A_NAME = _NOT_DENIED + (
    r"(?!(?:But|And|Or|So|Yet|However|Then|When|While|As|If|In|On|At|For|By|After|Before|Since|Because|Just|Also|Meanwhile|Still"
    r"|Although|Though|That|This|These|Those|What|Who|Why|How|Here|There|Now|Later|Earlier|Last|Asked|Speaking|He|She|They|It|We"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b)"
)
# No possessive: "Lee’s claims" are not what Lee claims.
_NAMED = rf"(?:(?:the|The)\s)?{_NOT_A_NAME}{_NAME}(?:\s{_TITLED}){{0,5}}(?<![’']s)"
_DETERMINER = r"(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts|[Oo]ne|[Aa]nother)"
# Nothing that begins another phrase: "the door a note" are two.
_INSIDE = _NOT_DENIED + (
    r"(?!(?:the|an?|and|or|but|that|which|who|he|she|they|it|is|are|was|were|has|had|have|to|by|did|does|do|not|never|will|would|can|could"
    r"|should|may|might|must|declined|refused)\b)(?![\w’'-]*[a-z]\.[A-Z])[\w’'.&-]+"
)
_DESCRIBED = (
    rf"{_DETERMINER}\s(?:{_INSIDE}\s){{0,6}}?{_INSIDE}"
    rf"(?:\s(?:of|for|at|from|in)\s(?:(?:the|its|his|her|a)\s)?(?:{_INSIDE}\s){{0,3}}?{_INSIDE})?"
)
_WHO = rf"(?P<who>{_PRONOUN}|{_NAMED}|{_DESCRIBED})"
_ASIDE = r"(?:,\s[^.\"“”]{1,80}?,)?"
_HELPED = r"(?:\s(?:has|had|have|also|earlier|later|then|once|reportedly|now|can\sbe\sheard|could\sbe\sheard|was\sheard|\w+ly))*"
_PHRASE_ENDS = r"(?=[,.;:!?—–)”\"]|\s(?:who|in|on|at|after|during|from|as|when|while|last|this|earlier|later|and|with|before|told)\b|$)"
_GOES_ON = (
    r"(?=\s*(?:[.,;:]|$)|\s(?:in|to|on|at|during|after|when|as|via|of|about|reporters|him|her|them|us|me|[A-Z]{2,})\b)"
)
# What introduces the next quotation says nothing of the one before; `“Go!” Lee said, “or stay.”` goes on.
_NO_INTRODUCTION = r"(?!(?:[^.!?\"“”‘]{0,80}[,:])?\s[\"“‘](?![a-z]))"
# Behind marks these are verbs; before them as often nouns.
_VERBS_BEHIND = rf"{_VERBS}|comments|stresses|reflects|reflected|enthuses"
# ", Ann Lee said", ", Ann Lee, the mayor, told reporters"; behind a full stop, only where nothing new is said.
_AFTER_SUBJECT = re.compile(rf"[\s,—–-]*{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS_BEHIND})\b")
_AFTER_FULL_STOP = re.compile(rf"[\s,—–-]*{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS_BEHIND})\b{_NO_INTRODUCTION}{_GOES_ON}")
# `“Why?” Harry Penn asked.`; what `Harry Penn asked: “Who?”` introduces is his next question.
_ASKED = re.compile(
    rf"(?:(?!The\b){_NAMED}|I){_ASIDE}{_HELPED}\s(?:{'|'.join(sorted(_SAYING - _ALSO_NOUNS))})\b(?![,:]?\s[\"“‘]){_GOES_ON}"
)
# ", said Ann Lee", ", said the top commander in the north", ", said spokesman Tom Hale".
_AFTER_VERB = (
    re.compile(rf"[\s,—–-]*(?:{_VERBS_BEHIND})(?:\s\w+ly)?\s(?P<who>{_PRONOUN}|{_NAMED}|{_DESCRIBED}{_PHRASE_ENDS})"),
    re.compile(
        rf"[\s,—–-]*(?:{_VERBS_BEHIND})\s(?:(?!(?:on|in|at|to|that|of|for|from|by|as|after|during|last)\b)[a-z][\w-]*\s){{1,4}}(?P<who>{_NAMED})"
    ),
)
# “…” — Ann Lee, the mayor: all that is left of the paragraph. “…” is how Ann Lee puts it.
_SIGNED = re.compile(rf"\s?(?:[—–―]|--?)\s?(?P<who>{_NAMED})(?:,\s[^.!?“”\"]{{1,100}})?\.?\s*$")
_IS_HOW = re.compile(rf"[\s,]*(?:is|was)\s(?:how|what)\s{_WHO}\s[a-z]")
# What follows a preposition is not the one who speaks: "responded to the backlash, saying".
_PREPOSITIONS = ("of", "to", "by", "with", "for", "in", "on", "at", "from", "against", "about", "over")
_NO_PREPOSITION = "".join(rf"(?<!\b{word}\s)" for word in _PREPOSITIONS)
# "Ann Lee, the mayor, told reporters on Tuesday:".
_BEFORE = re.compile(
    rf"{_NO_PREPOSITION}\b{_WHO}{_ASIDE}{_HELPED}\s(?:{_VERBS}|{_NAMING})\b(?:\s(?!(?:{_VERBS})\b)[^\s.!?;\"“”]+){{0,12}}[\s,:—–-]*$"
)
# "ANN LEE:", "Ann Lee:", "ANN LEE, HOST:", and no marks behind it, which would say themselves whose words they hold.
_BEFORE_IN_A_TRANSCRIPT = re.compile(rf"^(?P<who>{_NAMED}):\s*$")
# "Said Ann Lee, the mayor:".
_BEFORE_VERB_FIRST = re.compile(rf"^(?i:{_VERBS})\s(?P<who>{_NAMED})(?:,[^:.!?]{{1,100}})?[,:]\s*$")
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


def is_indirect(sentence: str) -> bool:
    """Whether a sentence reports, without marks, what somebody is said to have said or written."""
    if "ccording to" in sentence and _ACCORDING.search(sentence):
        return True
    if not _speaks(sentence):  # most sentences, and a look at their words is ten times as fast as the patterns
        return False
    return bool(_INDIRECT.search(sentence) or _INDIRECT_BEHIND.search(sentence))


def asked_by_name(text: str, start: int) -> bool:
    """Whether somebody is named at `start` as the one who asked what stands before: "Harry Penn asked."."""
    return _ASKED.match(text, start, start + REACH) is not None


def speaker_after(after: str, *, full_stop: bool) -> str | None:
    for pattern in (_AFTER_FULL_STOP if full_stop else _AFTER_SUBJECT, *(() if full_stop else _AFTER_VERB)):
        if match := pattern.match(after):
            return _named(match)
    according = None if full_stop else _ACCORDING.match(after.lstrip(" ,"))  # else it begins another sentence
    match = according or _SIGNED.match(after) or _IS_HOW.match(after)
    return _named(match) if match else None


def tag_behind(after: str) -> tuple[bool, str | None]:
    """Whether "said Ann Lee" follows a pause, and who that is."""
    match = next((match for pattern in _AFTER_VERB if (match := pattern.match(after))), None)
    return match is not None, _named(match) if match else None


def speaker_before(text: str, start: int, end: int) -> str | None:
    before = text[start:end]
    found = (
        (_BEFORE.search(before) if _speaks(before, naming=True) else None)
        or _ACCORDING.search(before)
        or _BEFORE_VERB_FIRST.match(before)
        or _BEFORE_IN_A_TRANSCRIPT.match(before)
    )
    return _named(found) if found else None


def introduces(text: str, start: int, end: int) -> bool:
    """Whether a paragraph's last words say that somebody else's follow; what the author says is his own."""
    last = text[sentence_start(text, max(start, end - BEFORE_REACH), end) : end]
    said = _BEFORE.search(last) if _speaks(last, naming=False) else None
    return bool(_IN_A_STATEMENT.search(last) or (said and said["who"].lower() not in ("i", "we")))


def known(speaker: str | None) -> str | None:
    """A pronoun names nobody: of those resolved to whoever spoke last by name, more than half were wrong."""
    if speaker is None or speaker.lower() in _PRONOUNS:
        return None
    return speaker if speaker.endswith((" Jr.", " Sr.")) else speaker.rstrip(".")


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
