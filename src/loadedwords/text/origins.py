"""Whose work an article or a passage is, where it is not the outlet's own: what datelines, bylines and notes say.

A mention is no origin ("told Reuters", "Image copyright AP"), and a contribution ("AP contributed to this report") leaves
the article its outlet's. A piece left out in error is worse than one too many: only forms that say it outright count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

# Each with the forms it is written in.
_AGENCIES = {
    "Associated Press": ("Associated Press", "AP"),
    "Reuters": ("Thomson Reuters", "Thomson/Reuters", "Reuters"),
    "Agence France-Presse": ("Agence France-Presse", "Agence France Presse", "AFP"),
    "United Press International": ("United Press International", "UPI"),
    "Australian Associated Press": ("Australian Associated Press", "AAP"),
    "Bloomberg": ("Bloomberg News", "Bloomberg"),
    "Canadian Press": ("Canadian Press",),
    "PA Media": ("Press Association", "PA Media"),
    "Deutsche Presse-Agentur": ("Deutsche Presse-Agentur", "dpa"),
    "Press Trust of India": ("Press Trust of India", "PTI"),
    "ANI": ("Asian News International", "ANI"),
    "IANS": ("IANS",),
    "Xinhua": ("Xinhua",),
    "TASS": ("TASS",),
    "Kyodo": ("Kyodo News", "Kyodo"),
    "CNN": ("CNN Wire", "CNN Business", "CNNMoney", "CNN"),
    "Kaiser Health News": ("Kaiser Health News", "KHN"),
    "Tribune News Service": ("Tribune News Services", "Tribune News Service", "TNS"),
}
_SYNDICATES = {
    "King Features": ("King Features Syndicate", "King Features"),
    "Creators": ("Creators Syndicate", "Creators.com"),
    "Tribune Content Agency": ("Tribune Content Agency", "Tribune Media Services"),
    "Washington Post Writers Group": ("Washington Post Writers Group",),
    "Andrews McMeel Syndication": ("Andrews McMeel Syndication", "Universal Uclick"),
    "Project Syndicate": ("Project Syndicate",),
    "New York Times News Service": ("New York Times News Service",),
}
_FORMS = _AGENCIES | _SYNDICATES
_NAME_OF = {form.casefold(): name for name, forms in _FORMS.items() for form in forms}


def _one_of(*tables: dict[str, tuple[str, ...]]) -> str:
    forms = [
        re.escape(form) for table in tables for written in table.values() for form in (*written, written[0].upper())
    ]
    return rf"(?:{'|'.join(sorted(forms, key=len, reverse=True))})(?!\w)"


_AGENCY, _ANY = _one_of(_AGENCIES), _one_of(_FORMS)
# "SPOKANE, Wash. (AP) — ", "(Reuters) - ", "LONDON, Dec. 5 (UPI) — ", "(AP) MOSCOW – "; CNN does without a dash.
_DATELINE = re.compile(
    r"\W{0,3}(?:[A-Z][\w.’'-]*(?:[ ,/\[\]]{1,2}(?:de|of|del|la|and|al|the|\d{1,2}|[A-Z][\w.’'-]*\]?))*,? ?[-–—]?)? ?"
    rf"\((?P<who>{_ANY})\)(?:\s*(?:[-–—:|]|[A-Z]{{3,}}[^a-z]{{0,40}} [-–—])|(?<=CNN\)) (?=\S)|(?<=CNN Business\)) (?=\S))"
)
_PERSON = r"[A-Z][\w.’'-]*(?:,? (?:and |& )?[A-Z][\w.’'-]*){0,9}"
_WRITERS = r"(?:,? (?:[Ww]riters?|[Ss]taff|[Rr]eporters?|[Nn]ews [Aa]gency|in [A-Z]\w+))*\.?"
_BYLINE = re.compile(
    rf"(?:By|BY|From|FROM) (?:{_PERSON}(?:,| \||/| [-–—]| of| for|) )?(?:[Tt]he |THE )?(?P<who>{_AGENCY}){_WRITERS}"
)
# Behind a photograph such a line is its credit: it stands first or below a writer's name.
_BARE_BYLINE, _BARE_NAME = re.compile(rf"(?:The )?(?P<who>{_AGENCY}){_WRITERS}"), re.compile(rf"(?:By )?{_PERSON}")
_NAME = (
    r"(?P<who>(?:\([A-Z][^()]{2,30}\) )?[A-Z][\w.&’'/-]*\w"
    r"(?: (?:\([A-Z][^()]{2,30}\) )?(?:(?:of|the|for|and|on|&) (?=[A-Z])|)[A-Z0-9][\w.&’'/-]*\w){0,6}|[a-z0-9-]+(?:\.[a-z]{2,})+)"
)
_IN = rf"(?:the (?:[^.]{{0,40}}issue of (?:the )?|website |newspaper |magazine |blog )?)?{_NAME}"
_PUBLISHED = r"(?:re-?published|reprinted|cross-?posted|re-?posted)(?: here)?(?: with (?:the )?permission)?"
_PIECE = r"(?:article|story|column|piece|post|op-?ed|essay|commentary|report|interview|analysis|excerpt)"
# Words of which one must occur, in small letters (a cheap first look), and the beginning of a line.
_NOTES = tuple(
    (words, re.compile(pattern))
    for words, pattern in (
        (
            ("published", "appeared", "posted", " ran ", "printed"),
            rf"\W*(?:(?:[Ee]ditor[’']?s?[’']? )?[Nn]ote:? ?)?(?:(?:[Tt]his|[Tt]he (?:following|above)|A version of this) {_PIECE}|[Tt]he {_PIECE} above) (?:(?:was|is|has been|is being|had|also) )*"
            rf"(?:(?:originally |first |previously )(?:published|appeared|posted|ran|printed|run)|{_PUBLISHED})(?: (?:by|in|on|at|from|of|with)){{1,2}} {_IN}",
        ),
        (("published", "printed", "posted"), rf"\W*{_PUBLISHED.replace('re', '[Rr]e').replace('cross', '[Cc]ross')} (?:from|of|by) {_IN}"),
        (("originally appeared",), rf".{{3,150}}? originally appeared on {_IN}\W*$"),
        (("appeared first", "first appeared"), rf"The post .{{3,200}}? (?:first appeared|appeared first) on {_IN}"),
        (("original ",), rf"\W*[Rr]ead the original (?:article|story)(?: here)? (?:on|at) {_IN}"),
        (("source",), rf"(?:Source|SOURCE)S?: ?(?:the |The )?(?P<who>{_AGENCY})\W*$"),
    )
)  # fmt: skip
_NO_PUBLICATION = re.compile(
    r"\d|(?:Jan(?:uary)?|Feb(?:ruary)?|March|April|May|June|July|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?"
    r"|Dec(?:ember)?|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
)
# "Copyright 2018 The Associated Press", "© The Associated Press. All rights reserved"; "Image copyright AP" has neither.
_COPYRIGHT = re.compile(
    rf"(?:©|copyright|\(c\))(?:[\s,©]|\(c\)|copyright|by\b|the\b)*(?:(?P<year>\d{{4}})(?:[\s,]|by\b|the\b)*)?(?P<who>{_ANY})(?! photo| via)"
    r"(?(year)|(?=.{0,20}rights reserved))",
    re.IGNORECASE,
)
_FEATURES = re.compile(rf"\bother (?P<who>{_one_of(_SYNDICATES)}) writers")
# Reuters signs its reports like this, and hardly anybody else.
_SIGNED = re.compile(
    r"\W{0,3}(?:Additional )?[Rr]eporting (?:and writing )?by [A-Z].{3,300}[;,] ?(?:.{3,200}[;,] ?)?[Ee]diting by "
)
# What says where something is from without making the article somebody else's.
_HELPED = re.compile(
    rf"(?=.{{0,300}}(?<!\w){_AGENCY})(?:.{{0,250}}\bcontributed to this\b|\W{{0,3}}(?:contributing|additional reporting|(?:this (?:report|story|article) contains )?material from|with)\b)"
    r"|\W{0,3}(?:via|h/t|sources?:|with files from|with (?:additional )?reporting (?:from|by)) .{2,100}$",
    re.IGNORECASE,
)
_HELPING = ("contribut", "additional reporting", "material from", "with ", "via ", "h/t", "source")
_PHOTO_BANKS = re.compile(r"shutterstock|getty|istock|unsplash|pixabay|wikimedia|flickr", re.IGNORECASE)
VIA = re.compile(
    r"\b(?:via|republished from|courtesy of|provided by)\s+(?:(?-i:the)\s+)?(?P<who>[^,;()|]{2,60})", re.IGNORECASE
)
_BY = re.compile(r"by\s+", re.IGNORECASE)
# Both an agency's and somebody's of the house.
_SHARED = re.compile(
    rf"(?:\band|&|\bwith)\s+(?:the\s+)?{_AGENCY}|{_AGENCY}\s+(?:and|&)|\b(?:staff|reporter|desk)\b", re.IGNORECASE
)
# A byline or dateline stands at the top, below a caption or two; a note there or in the last lines.
_TOP_LINES, _LAST_LINES, _TOP_CHARACTERS, _TOP_SHARE = 6, 6, 800, 0.2
_LONGEST_NOTE, _LONGEST_DATELINE = 500, 160
# So many lines of so many characters are captions, which agencies' pages repeat; with more, the article has begun.
_CAPTIONS, _CAPTION = 2, 200
# More names than that in a byline are those of other articles on the page.
_MOST_AUTHORS = 3


@dataclass(frozen=True)
class Origins:
    """Where an article is from.

    Attributes
    ----------
    article : str or None
        The agency or publication whose work the whole is; None for the outlet's own.
    note : str or None
        What the page says of its source.
    passages : tuple of (int, int, str)
        Paragraphs of an agency in an article of the outlet's own: offsets into the clean text, and whose.
    """

    article: str | None = None
    note: str | None = None
    passages: tuple[tuple[int, int, str], ...] = ()

    def at(self, offset: int) -> str | None:
        """Whose work the sentence that starts there is."""
        return self.article or next((who for start, end, who in self.passages if start <= offset < end), None)


NO_ORIGINS = Origins()


@dataclass(frozen=True)
class _Said:
    """That a line, or the byline, says whose the article is; or, with `who` None, who helped; offsets of a dateline far down."""

    who: str | None
    note: str = ""
    start: int | None = None
    end: int = 0


def find_origins(text: str, *, outlet: str | None = None, byline: str | None = None, url: str | None = None) -> Origins:
    """Find who else than the outlet wrote an article, or paragraphs of it.

    Parameters
    ----------
    text : str
        Clean text of the article.
    outlet, byline, url : str, optional
        As the input has them. What is the outlet's by its name or address is its own, and so is the column of an
        outlet that bears its author's name.

    Returns
    -------
    Origins

    Examples
    --------
    >>> find_origins("OSLO (Reuters) - The council met.", outlet="Dale Ledger").article
    'Reuters'
    >>> find_origins("OSLO (Reuters) - The council met.", outlet="Reuters UK").article
    >>> find_origins("The mayor told Reuters that the council met.", outlet="Dale Ledger").article
    """
    own_names = _own_names(outlet, url)
    if outlet and _is_author(_words(outlet), byline or ""):
        return NO_ORIGINS
    said = [s for s in _all_said(text, byline) if s.who is None or not _is_own(s.who, own_names)]
    # What a syndicate hands on may be by the outlet's own people, of whom it says so.
    name = "".join(own_names[0])
    said = [s for s in said if not (name and s.who in _SYNDICATES and name in "".join(_words(s.note)))]
    if any(s.who is None for s in said) and any(_is_own(agency, own_names) for agency in _AGENCIES):
        said = [s for s in said if s.who]  # its own writers contributed
    passages, closing = [], len(text)
    for s in reversed(said):
        if s.start is not None and s.who:
            closed = any(other.who == s.who and other.start is None for other in said)
            passages.append((s.start, closing if closed else s.end, s.who))
            closing = s.start
    # What closes a passage further down says nothing of the whole.
    whole = next((s.who for s in said if s.start is None and s.who and all(s.who != p[2] for p in passages)), None)
    note = "; ".join(dict.fromkeys(s.note for s in said if s.note))[:_LONGEST_NOTE]
    return Origins(whole, note or None, () if whole else tuple(reversed(passages)))


def named_in_byline(byline: str | None) -> str | None:
    """The agency or paper that a byline such as "By Ann Lee via Hill Post" or "Ann Lee, Associated Press" names."""
    if not byline:
        return None
    if via := VIA.search(byline):
        return _name(via["who"].strip(" ."))
    parts = [
        re.sub(r"^the\s+", "", _BY.sub("", part.strip(" .").casefold())) for part in re.split(r"[,;|/]|\band\b", byline)
    ]
    return next((_NAME_OF[part] for part in parts if part in _NAME_OF), None) if len(parts) <= _MOST_AUTHORS else None


def _all_said(text: str, byline: str | None) -> Iterator[_Said]:
    if byline and (who := named_in_byline(byline)):
        yield _Said(None if _SHARED.search(byline) else who, byline)
    lines, paragraphs = _lines(text), 0
    for number, (start, line) in enumerate(lines):
        dateline = _DATELINE.match(line[:_LONGEST_DATELINE]) if "(" in line[:_LONGEST_DATELINE] else None
        if dateline and "(@" not in line:  # else a post
            below_top = number >= _TOP_LINES or paragraphs > _CAPTIONS
            far_down = below_top and start > max(_TOP_CHARACTERS, _TOP_SHARE * len(text))
            end = text.find("\n\n", start) if "\n\n" in text else text.find("\n", start)
            yield _Said(_name(dateline["who"]), "", start if far_down else None, end if end >= 0 else len(text))
        if number < _TOP_LINES:
            byline_here = _BYLINE.fullmatch(line[:_LONGEST_NOTE])
            if byline_here is None and (number == 0 or _BARE_NAME.fullmatch(lines[number - 1][1][:100])):
                byline_here = _BARE_BYLINE.fullmatch(line[:_LONGEST_NOTE])
            if byline_here:
                yield _Said(_name(byline_here["who"]), line)
        if number < _TOP_LINES or number >= len(lines) - _LAST_LINES:
            yield from _in_note(line)
        paragraphs += len(line) >= _CAPTION


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines that are not empty, each with its offset."""
    lines, start = [], 0
    for line in text.split("\n"):
        if stripped := line.strip():
            lines.append((start, stripped))
        start += len(line) + 1
    return lines


def _in_note(line: str) -> Iterator[_Said]:
    if len(line) > 2 * _LONGEST_NOTE:
        return
    lowered, noted = line.casefold(), line[:_LONGEST_NOTE]
    for words, pattern in _NOTES:
        if any(word in lowered for word in words) and (match := pattern.match(line)):
            if not _NO_PUBLICATION.match(match["who"]):
                yield _Said(_name(match["who"]), noted)
            return
    found = _COPYRIGHT.search(line) if any(word in lowered for word in ("©", "copyright", "(c)")) else None
    if found := found or (_FEATURES.search(line) if " other " in line else None):
        yield _Said(_name(found["who"]), noted)
    elif "diting by" in line and _SIGNED.match(line):
        yield _Said("Reuters", noted)
    elif (
        len(line) <= _LONGEST_NOTE
        and any(word in lowered for word in _HELPING)
        and _HELPED.match(line)
        and not _PHOTO_BANKS.search(line)
    ):
        yield _Said(None, noted)


def _name(written: str) -> str:
    return _NAME_OF.get(written.casefold(), written)


def _own_names(outlet: str | None, url: str | None) -> list[list[str]]:
    """How the outlet is called, in words: by its name, and by the domain of the address."""
    try:
        host = (urlsplit(url if url and "//" in url else f"//{url or ''}").hostname or "").split(".")
    except ValueError:  # brackets that hold no IPv6 address
        host = []
    label = next((part for part in reversed(host[:-1]) if part not in ("co", "com", "org")), "")
    return [_words(outlet or ""), [label] if label else []]


def _is_author(outlet: list[str], byline: str) -> bool:
    """Whether the outlet bears the name of who wrote the article, middle names aside."""
    authors = [_words(author) for author in re.split(r",| and ", _BY.sub("", byline))]
    return len(outlet) > 1 and any(a[:1] == outlet[:1] and a[-1:] == outlet[-1:] for a in authors)


def _is_own(who: str, own_names: list[list[str]]) -> bool:
    for form in map(_words, (*_FORMS.get(who, ()), who)):
        joined = "".join(form)
        for name in own_names:
            if name and (
                _contains(name, form)
                or _contains(form, name)
                or "".join(name).removeprefix("the") in (joined, f"{joined}news")
            ):
                return True
    return False


def _contains(words: list[str], part: list[str]) -> bool:
    return any(words[at : at + len(part)] == part for at in range(len(words) - len(part) + 1))


def _words(name: str) -> list[str]:
    plain = re.sub(r"\.(?:com|org|net|co\.uk|news)\b", "", name.casefold())
    return [word for word in re.findall(r"[^\W_]+", plain) if word != "the"]
