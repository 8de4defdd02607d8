"""Characters as their author wrote them: what encodings, escaping and typesetting made of them is undone.

Only what is certain is repaired; every repair is an edit, so that offsets still lead to the text as read.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from html.entities import html5

from loadedwords.text.alignment import Aligned, Edit, apply_edits

# All but letters, digits, blanks, line ends and punctuation as they should be: most news text holds none, and one look
# saves every other search.
_ODD = re.compile(r"[^\t-\r\x1c-\x1e\x20-\x7e\u2012-\u2027]")

_ENTITY_BODY = r"(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
# "&amp;quot;": escaped twice. Of "R&amp;D;" only the first is an entity.
_ENTITY = re.compile(rf"&(?:amp;){{0,4}}(?P<last>{_ENTITY_BODY})|&amp;")

# UTF-8 read in another encoding makes at least two characters beyond ASCII of one, and not of punctuation alone.
_SUSPECT = re.compile(r"[^\x00-\x7f\xa0\u2000-\u206f][^\x00-\x7f]|[^\x00-\x7f][^\x00-\x7f\xa0\u2000-\u206f]")
# Windows-1252 has no character for the last byte of ”, so that it often gets lost; misread twice, that of — too.
_OPENING = re.compile("â€œ|Ã¢â‚¬Å“")
_LOST_BYTES = {
    "”": re.compile(r"Ã¢â‚¬Â?\ufffd?(?=Ã¢â‚¬|[\x00-\x7f]|\Z)|(?<!Ã¢â‚¬)â€\ufffd?(?=â€|[\x00-\x7f]|\Z)"),
    "—": re.compile(r"Ã¢â‚¬â€\ufffd?(?=[\x00-\x7f]|\Z)"),
}
# What is left of a no-break space that became a blank.
_BEFORE_BLANK = re.compile(r"Â(?<![^a-z0-9\s.,;:!?'\"”’)]Â)(?= )|Ã‚Â(?= )")
# A soft hyphen where a line ends: the word goes on.
_HYPHENATED = re.compile(r"\xad[ \t]*\r?\n[ \t]*(?=[a-z])")
_ACCENTS = re.compile(r"[\u0300-\u036f]+")
# Beside a mark that somebody put there in its stead; no euro without a sum, but what is left of a longer sequence.
_IN_VAIN = re.compile(r"[\x91\x92](?:(?<='.)|(?='))|[\x93\x94](?:(?<=\".)|(?=\"))|\x80(?!\s?\d)")
# Mainframes end lines with what Windows reads as an ellipsis; not where lines end otherwise, and no line begins with a blank.
_NEXT_LINE = "\x85"
_ELLIPSES = re.compile(r"[\n\x80-\x84\x86-\x9f]|\x85[ \"'”’]")


def _replacements() -> dict[str, str]:
    invisible = (
        *((0x00, 0x08), (0x0E, 0x1B), (0x1F, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C)),
        *((0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)),
        *((0xFFF9, 0xFFFC), (0xE0000, 0xE007F)),
    )
    table = {chr(code): "" for first, last in invisible for code in range(first, last + 1)}
    # Nobody means a control character of Latin-1.
    table |= {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
    # Typesetters' ligatures, hyphens that no vocabulary has, an apostrophe that passes for a letter.
    table |= {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
    return table | {"‐": "-", "‑": "-", "ʼ": "’"}


_REPLACEMENTS = _replacements()


def repair(text: str) -> Aligned:
    """Undo what became of a text's characters on their way.

    Entities become their characters, escaped twice as well; UTF-8 read in another encoding, once or several times over,
    becomes what it was (ftfy, Speer 2019); control characters of Latin-1 become those that Windows has in their place;
    ligatures and accents apart from their letters become plain letters; what can't be seen goes.
    """
    aligned = apply_edits(text, ())
    if "&" in text:
        aligned = aligned.edited(_unescaped(text))
    if not _ODD.search(aligned.text):
        return aligned
    if not aligned.text.isascii():
        aligned = aligned.edited(_lost_marks(aligned.text))
        aligned = aligned.edited(_mojibake(aligned.text))
    return aligned.edited(_plain(aligned.text))


def _unescaped(text: str) -> Iterator[Edit]:
    for match in _ENTITY.finditer(text):
        last = match["last"]
        # By itself, html.unescape reads "&notable;" as "¬able;".
        if last and (last.startswith("#") or last in html5):
            character = html.unescape(f"&{last}")
            yield Edit(*match.span(), " " if character.isspace() else character)
        elif match[0].startswith("&amp;"):
            yield Edit(match.start(), match.start() + len("&amp;"), "&")


def _lost_marks(text: str) -> Iterator[Edit]:
    if _OPENING.search(text):
        for mark, pattern in _LOST_BYTES.items():
            for match in pattern.finditer(text):
                yield Edit(*match.span(), mark)


def _mojibake(text: str) -> Iterator[Edit]:
    start = 0
    for line in text.split("\n"):
        if not line.isascii() and _SUSPECT.search(line):
            yield from _read_again(line, start)
        start += len(line) + 1


def _read_again(misread: str, at: int, *, in_parts: bool = True) -> Iterator[Edit]:
    """The edits to a line that begins at `at`: as a whole, or where parts of it are as they should be, to the others."""
    from ftfy import fix_encoding_and_explain  # slow to import, and most texts need none of it
    from ftfy.chardata import UTF8_DETECTOR_RE

    pieces = _pieces(misread, fix_encoding_and_explain(misread).explanation or [])
    if pieces is None and in_parts:
        for match in UTF8_DETECTOR_RE.finditer(misread):
            yield from _read_again(match[0], at + match.start(), in_parts=False)
    done = 0
    for character, length in pieces or ():
        if misread[done : done + length] != character:
            yield Edit(at + done, at + done + length, character)
        done += length


def _pieces(run: str, plan: Sequence[tuple[str, str]]) -> list[tuple[str, int]] | None:
    """Each character of a repaired run with how many of the run's it was made of; None if some bytes got lost."""
    pieces, raw = [(character, 1) for character in run], b""
    for step, encoding in plan:
        if step == "encode":
            raw = "".join(character for character, _ in pieces).encode(encoding)
        elif step == "decode" and encoding in ("utf-8", "windows-1252"):
            # It was encoded with one byte a character: a character of so many bytes was as many characters.
            lengths = iter([length for _, length in pieces])
            pieces = [(c, sum(next(lengths) for _ in c.encode(encoding))) for c in raw.decode(encoding)]
        else:
            return None
    return pieces


def _plain(text: str) -> Iterator[Edit]:
    for match in _HYPHENATED.finditer(text):
        yield Edit(*match.span())
    for match in _ACCENTS.finditer(text, 1):
        letter = match.start() - 1
        composed = unicodedata.normalize("NFC", text[letter : match.end()])
        if len(composed) <= len(match[0]):
            yield Edit(letter, match.end(), composed)
    for match in _BEFORE_BLANK.finditer(text):
        yield Edit(*match.span(), " ")
    ends_lines = _NEXT_LINE in text and not _ELLIPSES.search(text)
    for match in _ODD.finditer(text):
        if match[0] in _REPLACEMENTS and not (ends_lines and match[0] == _NEXT_LINE):
            yield Edit(*match.span(), "" if _IN_VAIN.match(text, match.start()) else _REPLACEMENTS[match[0]])
