"""Posts of social media inside an article, as embeds leave them in its text: the words, and the line that says whose they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from loadedwords.text.stretches import Bounds, Stretch, stretch

# A post that its signature follows is not longer: 280 characters, and the addresses in it.
_LONGEST_POST = 340
# So many paragraphs may stand between the line that opens an embed and the one that closes it.
_REACH = 6

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DATE = (
    rf"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? )?"
    rf"(?:{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|\d{{1,2}} {_MONTH},? \d{{4}}|\d{{4}}-\d\d-\d\d|\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}})"
    r"(?:,? (?:at )?\d{1,2}[:.]\d\d ?(?:[AaPp]\.?[Mm]\.?)?(?: [A-Z]{2,4}\b)?)?"
)
_TIME = r"\d{1,2}:\d\d ?(?:[AaPp]\.?[Mm]\.?)?"
_HANDLE = r"@[\w.-]{1,60}(?:@[\w.-]{1,60})?"
# "— Ann Lee (@annlee) May 3, 2020": what stands before the handle is looked at from there, a little way back.
_SIGNED = re.compile(
    rf"\((?P<handle>{_HANDLE})\)(?:[ ,·•|]{{1,3}}(?P<date>{_DATE}))?(?: Report\b| pic\.twitter\.com/\w+)?"
)
_NAME_BACK = 90
_DASH = re.compile(r"(?:[—–―]|(?<!\S)--?)\s?(?=\S)")
# Lines of other platforms that follow a post; `name` says whose it is.
_SHARED = re.compile(
    rf"(?<!\S)A (?:post|photo|video|reel) (?:shared|posted) by (?P<sharer>[^\n]{{1,80}}?)(?: ?\({_HANDLE}\))?(?: on {_DATE}[^\n]{{0,20}})?$"
)
_SIGNATURES = re.compile(
    rf"Posted by (?P<poster>[^\n]{{2,80}}?) on {_DATE}$"
    r"|Post by (?P<handle>@[\w.@-]{1,60})(?: View on (?:Threads|Mastodon))?$"
    r"|(?P<commenter>[\w./-]{2,40})['’]s comment from discussion\b[^\n]{0,200}$|(?:Comment|Posted) by (?P<user>u/[\w-]{2,40})\b[^\n]{0,120}$"
    rf"|[—–―-]{{0,2}} ?(?P<bare>{_HANDLE})[ ,·•|]{{1,3}}{_DATE}$"
)
# Lines that open an embed, and lines that only its frame has.
_OPENS = re.compile(
    r"View this (?:post|photo|video) on \w{3,12}$|Skip (?:\w+ )?(?:post|tweet|thread)(?: \d+)? by [^\n]{1,60}$"
)
_FRAME = re.compile(
    r"End of (?:\w+ )?(?:post|tweet|thread)(?: \d+)? by [^\n]{1,60}$|View (?:original )?(?:tweet|post|image|photo) on \w{3,12}$"
    r"|[\d,.]+[KM]? (?:people are talking about this|(?:replies|retweets|reposts|likes|quotes)(?: [\d,.]+[KM]? (?:retweets|reposts|likes|quotes))*)$"
    r"|Twitter Ads info(?:rmation)? and privacy$|See [^\n]{1,60}['’]s? other (?:Tweets|posts)$|♬ [^\n]{1,100}$",
    re.IGNORECASE,
)
# "Ann Lee ✔ @annlee", "Ann Lee @annlee · May 3": a post as its page shows it, the name first.
_HEADER = re.compile(
    r"(?P<name>(?!Follow|Contact|E-?mail|By )[^\n@:.,;]{2,50}?)\s(?P<sure>[✓✔☑✅]\S?\s|Verified account\s)?"
    rf"\(?(?P<handle>{_HANDLE})\)?(?P<when>\s?[·•]\s?(?:{_DATE}|\d+[hmd]\b))?$"
)
_FOOTER = re.compile(rf"{_TIME}\s?[-–—·•]\s?{_DATE}(?:\s?[-–—·•]\s?[^\n]{{0,60}})?$")
_POSTED = re.compile(r"(?:pic\.twitter\.com/\w+|\bt\.co/\w+)\W*$")
# "@annlee: Look at this", as digests set them.
_SAID_BY = re.compile(r"\.?(?P<who>@\w{2,30}):\s")
# "Ann Lee (@annlee) Look at this", where the post follows its author's name.
_NAMED_FIRST = re.compile(rf"(?P<who>(?:[A-Z][\w.’'-]{{0,30}}\s){{1,5}})\({_HANDLE}\)\s(?=[A-Z\d#@“\"‘….])")
_PICTURE = re.compile(r"[^\w\s.,'’&()/|#+*!:-]+")
_TIKTOK = re.compile(r"(?P<who>@[\w.]{2,30})\s(?=[^\n]{0,2000}♬)")
_INTRODUCES = re.compile(r"\b(?:tweeted|wrote|posted|said|says|writes|told)\b")
_INTRODUCED = re.compile(r"\b(?:tweet(?:s|ed)|posted|on (?:Twitter|X|Facebook|Instagram))\b[^.!?:@\n]{0,60}:\s")
_STOP = re.compile(r"[.!?…:][\"”’)]*\s")
_ADDRESS = re.compile(r"(?:https?://)?(?:pic\.twitter\.com|t\.co)/\w+|https?://\S+")


@dataclass(frozen=True)
class _Page:
    """A clean text, its paragraphs, what stood before its lines, and how far its paragraphs usually are from each other."""

    text: str
    paragraphs: Bounds
    marks: Mapping[int, str]
    usual_gap: int

    def is_header(self, number: int) -> bool:
        """Whether a line with a name and a date stands above its post: the outlet introduces it, and no dash does."""
        if number == 0 or number + 1 == len(self.paragraphs) or self.marks.get(self.paragraphs[number][0]):
            return False
        introduced = self.text.endswith(":", *self.paragraphs[number - 1])
        return introduced and not _SIGNATURES.match(self.text, *self.paragraphs[number])

    def posts_before(self, number: int, name: str, taken: int, first: int | None, length: int = 0) -> Iterator[Stretch]:
        """The paragraphs before a signature that are its post: from the line that opens the embed, else the nearest.

        `first` is the paragraph behind the line that opens the embed, if one does. `length` is what the paragraph with
        the signature has of the post; the ones before are of it only if they stand closer or farther than paragraphs of
        this article do.
        """
        nearest = length == 0
        for before in range(number - 1, max(taken, number - 1 - _REACH), -1):
            start, end = self.paragraphs[before]
            length += len(_ADDRESS.sub("", self.text[start:end]))
            if first is not None and before < first:
                return
            if first is None and not self.marks.get(start, "").startswith(">"):
                if length > _LONGEST_POST or _introduces(self.text, start, end):
                    return
                below = self.paragraphs[before + 1][0]
                if not nearest and (below - end == self.usual_gap or self._opens_block(below, start)):
                    return
            yield from stretch(self.text, start, end, "quoted", name)
            nearest = False

    def _opens_block(self, start: int, before: int) -> bool:
        """Whether a block quotation starts with a paragraph: the one before is outside it."""
        return ">" in self.marks.get(start, "") and ">" not in self.marks.get(before, "")


def find_posts(text: str, paragraphs: Bounds, marks: Mapping[int, str]) -> Iterator[Stretch]:
    """Find the posts of a clean text, and the lines around them that are no sentences.

    `marks` is what cleaning took away in front of a line: the dash before a signature is one, ">" before a block
    quotation another.
    """
    if not any(trace in text for trace in ("@", "View this", "osted by", "twitter.com", "t.co/")):
        return
    page = _Page(text, paragraphs, marks, _usual_gap(paragraphs))
    taken = -1  # the last paragraph that is a post or a line of one
    opened = -1  # the last that opens an embed
    number = 0
    while number < len(paragraphs):
        start, end = paragraphs[number]
        last = number
        if _OPENS.match(text, start, end):
            yield from stretch(text, start, end, "label")
            opened = taken = number
        elif _FRAME.match(text, start, end):
            yield from stretch(text, start, end, "label")
            taken = number
        elif signatures := _signatures(text, start, end, marked=marks.get(start, "")):
            begin = start
            for at, stop, name in signatures:
                if at > start:
                    yield from stretch(text, max(begin, _post_start(text, begin, at)), at, "quoted", name)
                elif page.is_header(number):
                    yield from stretch(text, *paragraphs[number + 1], "quoted", name)
                    last = number + 1
                else:
                    first = opened + 1 if opened >= 0 and number - opened <= _REACH else None
                    yield from page.posts_before(number, name, taken, first)
                yield from stretch(text, at, stop, "label")
                begin = stop
            if signatures[0][0] > start:  # the rest of a post that was set in several paragraphs
                yield from page.posts_before(number, signatures[0][2], taken, None, end - start)
            taken, opened = last, -1
        elif header := _HEADER.match(text, start, end):
            last = yield from _headed(text, paragraphs, number, header)
            taken = last if last > number else taken
        elif said := next(
            filter(None, (form.match(text, start, end) for form in (_SAID_BY, _TIKTOK, _NAMED_FIRST))), None
        ):
            yield from stretch(text, start, said.end(), "label")
            yield from stretch(text, said.end(), end, "quoted", said["who"].strip())
            taken = number
        elif _POSTED.search(text, max(start, end - 60), end) and end - start <= _LONGEST_POST:
            yield from stretch(text, start, end, "quoted")
        number = last + 1


def _signatures(text: str, start: int, end: int, *, marked: str) -> list[tuple[int, int, str]]:
    """Where the signatures of a paragraph start and end, and the names in them."""
    whole = _SIGNATURES.match(text, start, end) or _SHARED.search(text, start, end)
    if whole:
        return [(whole.start(), end, whole[whole.lastgroup or 0])]
    found: list[tuple[int, int, str]] = []
    floor = start
    for match in _SIGNED.finditer(text, start, end):
        near = max(floor, match.start() - _NAME_BACK)
        dash = next(iter(reversed(list(_DASH.finditer(text, near, match.start())))), None)
        last = match.end() == end
        if dash is not None and (match["date"] or last) and dash.end() < match.start():
            found.append((dash.start(), match.end(), _name(text[dash.end() : match.start()]) or match["handle"]))
            floor = match.end()
        elif near == start == floor and last and (match["date"] or marked.endswith(("—", "–", "-", "―"))):
            found.append((start, match.end(), _name(text[start : match.start()]) or match["handle"]))
            floor = match.end()
    return found


def _name(written: str) -> str:
    """The author's name without the pictures people put in."""
    return " ".join(_PICTURE.sub(" ", written).split())


def _post_start(text: str, start: int, end: int) -> int:
    """Where a post starts that ends at `end`: with the paragraph, unless that introduces it or is longer than a post can be."""
    introduced = [match.end() for match in _INTRODUCED.finditer(text, start, end)]
    start = introduced[-1] if introduced else start
    if len(_ADDRESS.sub("", text[start:end])) <= _LONGEST_POST:
        return start
    begin = max(start, end - _LONGEST_POST)
    sentence = _STOP.search(text, begin, end)
    return sentence.end() if sentence else begin


def _introduces(text: str, start: int, end: int) -> bool:
    """Whether a paragraph is the outlet's, before a post whose words are lost."""
    if text.endswith(":", start, end):
        return True
    return bool(_INTRODUCES.search(text, start, end)) and not re.search(r"#\w|t\.co/|pic\.twitter", text[start:end])


def _headed(text: str, paragraphs: Bounds, number: int, header: re.Match[str]) -> Generator[Stretch, None, int]:
    """A post below its author's name; returns its last paragraph, or the header's where no post can be told."""
    name = _name(header["name"])
    sure = header["sure"] or header["when"]
    for last in range(number + 1, min(len(paragraphs), number + 1 + _REACH)):
        if _FOOTER.match(text, *paragraphs[last]) or (sure and _FRAME.match(text, *paragraphs[last])):
            yield from stretch(text, *paragraphs[last], "label")
            break
    else:
        last = number + 2 if sure else number + 1
    if last == number + 1:
        return number
    yield from stretch(text, *paragraphs[number], "label")
    for between in range(number + 1, min(last, len(paragraphs))):
        yield from stretch(text, *paragraphs[between], "quoted", name)
    return last if last < len(paragraphs) and _FOOTER.match(text, *paragraphs[last]) else last - 1


def _usual_gap(paragraphs: Bounds) -> int:
    gaps = Counter(after - end for (_, end), (after, _) in pairwise(paragraphs))
    return gaps.most_common(1)[0][0] if gaps else 0
