"""Takes markup and odd white space out of a text, and remembers what stood where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from loadedwords.text.alignment import Aligned, Edit
from loadedwords.text.repair import repair

# Most news text holds nothing of the kind: one look saves every other search.
_ANYTHING = re.compile(
    r"[*_\[<\t\r\f\v\x1c-\x1e\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    r"|  | MORE\b|^>|^[ ]*(?:[#•▪◦·‣●■➤►▶→–—+-]|\d{1,3}[.)]) |^ | $",
    re.MULTILINE,
)

_ADDRESS = r"(?:https?://|www\.|mailto:|/|\#)"
_LINK = re.compile(
    r"(?P<open>!?\[)(?P<label>(?:[^\[\]\n]|\[[^\[\]\n]*\]){0,1000})"
    rf"(?P<close>\]\(\s*<?{_ADDRESS}[^\s()]*(?:\([^\s()]*\)[^\s()]*)*(?:\s+\"[^\"\n]*\")?\s*\))"
)
# What nobody reads on the page: comments, and pictures with the words that stand for them.
_UNSEEN = (
    re.compile(r"<!--.{0,5000}?-->", re.DOTALL),
    re.compile(r"!\[[^\[\]\n]{0,1000}\]\([^()\n]{0,2000}\)"),
)
# Likewise, in bodies that a content system exports; where one is not closed, somebody writes about it.
_CODE = tuple(
    (re.compile(rf"<{name}(?:\s[^<>]{{0,2000}})?>.*?</{name}\s*>", re.I | re.S), re.compile(rf"</{name}\s*>", re.I))
    for name in ("script", "style", "noscript")
)
_EMPHASIS = (
    re.compile(r"(?<![\w*])(\*{2,3})(?=[^\s*])(?:[^\n]{0,1000}?[^\s*])?(\1)(?!\*)"),  # it may end within a word
    re.compile(r"(?<![\w*])(\*)(?=[^\s*])[^*\n]*?(?<=[^\s*])(\*)(?!\*)"),
    re.compile(r"(?<![\w_])(_{1,3})(?=[^\s_])[^\n]{0,1000}?(?<=[^\s_])(\1)(?![\w_])"),
)
# Known tags only: "<checks notes>" is a joke, not markup. Those of the first kind end a line.
_BLOCK_TAG = re.compile(
    r"</?(?:article|aside|blockquote|br|center|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|li|ol|p|pre|section"
    r"|table|tbody|td|th|thead|tr|ul)(?:\s[^<>\n]{0,2000})?/?>",
    re.IGNORECASE,
)
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|cite|code|del|em|font|i|iframe|img|ins|mark|s|small|span|strike|strong|sub|sup|time|u|video)"
    r"(?:\s[^<>\n]{0,2000})?/?>",
    re.IGNORECASE,
)
# WordPress's own marks around a picture and its caption.
_SHORTCODE = re.compile(r"\[caption\s[^\[\]\n]{1,2000}\]|\[/caption\]")
# How tags open and close what is set apart: the words of somebody else; the words below a picture.
BLOCK_QUOTATION = (("<blockquote", "</blockquote"),)
CAPTION = (("<figcaption", "</figcaption"), (r"\[caption", r"\[/caption"), (r"<p\b.*\bwp-caption-text\b", "</p"))
_SET_APART = re.compile(r"blockquote|caption", re.IGNORECASE)
# A browser sets marks for these.
_QUOTED_TAG = re.compile(r"<(/?)q(?:\s[^<>\n]{0,2000})?>", re.IGNORECASE)
# Links that a page sets behind a name, glued to it: "Sen. Ann Lee Ann Mary LeeFloods: who pays Dam to close MORE (Vale)",
# or where the full name is not repeated "Sen. Ann LeeFloods: who pays MORE (Vale)". Without them the sentence is whole.
_MORE = re.compile(r" (?<!READ )(?<!LEARN )(?<!SEE )(?<!NO )MORE\b")
_LONGEST_LINKS = 700
_NAME = r"[A-Z][\w’'.-]{1,20}"
_LAST = rf"(?P<last>{_NAME}(?<![A-Z]))(?: [JS]r\.)?"
_LINKS = (
    re.compile(
        rf"(?<![\w’'-]){_LAST}(?P<links> ?(?:(?:\(?{_NAME}\)?|[A-Z]|de|la|van|von) ){{1,6}}(?P=last)(?:,? [JS]r\.)?(?=[A-Z0-9‘“'\"$]))"
    ),
    re.compile(
        rf"(?<![\w’'-])(?P<first>{_NAME}) {_LAST}(?P<links> (?P=first)(?: \(?{_NAME}\)?){{0,4}} (?P=last) (?=[A-Z0-9‘“'\"$]))"
    ),
    re.compile(
        rf"(?<![\w’'-]){_NAME} (?:[A-Z]\. )?(?:Mc|Mac|De|La|Le|O[’'])?[A-Z][a-z’-]{{1,20}}"
        r"(?<!Mc)(?<!Mac)(?<!De)(?<!La)(?<!Le)(?P<links>(?=[A-Z0-9‘“'\"]).{15})"
    ),
)
_LINE_END = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_ODD_BLANK = r"\t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_BLANKS = re.compile(rf"[ {_ODD_BLANK}]{{2,}}|[{_ODD_BLANK}]")  # all but a single blank as it should be
# A ">" needs no blank behind it, but for what is more than a number.
_LINE_MARK = re.compile(
    r"^[ \t\xa0]*(?:(?:#{1,6}|[*•▪◦·‣●■➤►▶→+–—-]|\d{1,3}[.)])[ \t\xa0]+|>(?:[ \t\xa0]+|(?![\d=])))+", re.MULTILINE
)
# Tags end lines too: "<p>1. First</p>", "<br>- second".
_MARK_BEHIND_TAG = re.compile(rf"(?:{_BLOCK_TAG.pattern})({_LINE_MARK.pattern.removeprefix('^')})", re.IGNORECASE)
_RULE = re.compile(r"^[ \t]*(?:[-*_=~][ \t]*){3,}$", re.MULTILINE)


def clean_text(text: str) -> Aligned:
    """Remove what is layout and not language; `to_original` of what comes back leads to the text as read.

    Markdown links keep their words and lose their address; emphasis, headings, bullets, rules and HTML tags lose their
    marks; comments and pictures go; runs of white space become one blank; line ends stay. Characters are repaired before.
    """
    repaired = repair(text)
    return repaired.edited(_edits(repaired.text)) if _ANYTHING.search(repaired.text) else repaired


def elements(text: str, aligned: Aligned, kind: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """Where a clean text was in elements of a `kind`, those within another left out; what is not closed is none.

    Of each tag it kept a line end.
    """
    if not _SET_APART.search(text):
        return []
    tags = []
    for line_end in re.finditer("\n", aligned.text):
        tag = text[slice(*aligned.to_original(*line_end.span()))]
        tags.append((line_end.start(), repair(tag).text if "&" in tag else tag))
    found = []
    for opens, closes in kind:
        begun = depth = 0
        opening, closing = re.compile(opens, re.IGNORECASE), re.compile(closes, re.IGNORECASE)
        for at, tag in tags:
            if opening.match(tag):
                begun = at if not depth else begun
                depth += 1
            elif depth and closing.match(tag):
                depth -= 1
                if not depth:
                    found.append((begun, at))
    return sorted(found)


def _links_behind_names(text: str) -> Iterator[Edit]:
    done = 0
    for more in _MORE.finditer(text):
        begin = max(done, more.start() - _LONGEST_LINKS)
        begin = max(begin, text.rfind("\n", begin, more.start()) + 1)
        done = more.end()
        bracket = text.startswith(" (", done)
        found = (pattern.search(text, begin, more.start()) for pattern in (_LINKS if bracket else _LINKS[:2]))
        if match := next(filter(None, found), None):
            yield Edit(match.start("links"), done)


def _edits(text: str) -> Iterator[Edit]:
    yield from _links_behind_names(text)
    for match in _LINK.finditer(text):
        if match["open"].startswith("!"):
            yield Edit(match.start(), match.end())
        else:
            yield Edit(*match.span("open"))
            yield Edit(*match.span("close"))
    for pattern in _EMPHASIS:
        for match in pattern.finditer(text):
            yield Edit(*match.span(1))
            yield Edit(*match.span(2))
    for pattern in (*_UNSEEN, _INLINE_TAG, _LINE_MARK, _RULE):
        for match in pattern.finditer(text):
            yield Edit(*match.span())
    if "</" in text:
        for element, end in _CODE:
            ends = [match.end() for match in end.finditer(text)]
            for match in element.finditer(text, 0, ends[-1] if ends else 0):  # each search ends where it finds one
                yield Edit(*match.span())
    for match in _MARK_BEHIND_TAG.finditer(text):
        yield Edit(*match.span(1))
    for pattern in (_LINE_END, _BLOCK_TAG, _SHORTCODE):
        for match in pattern.finditer(text):
            yield Edit(*match.span(), "\n")
    for match in _QUOTED_TAG.finditer(text):
        yield Edit(*match.span(), "”" if match[1] else "“")
    for match in _BLANKS.finditer(text):
        yield Edit(*match.span(), " ")
