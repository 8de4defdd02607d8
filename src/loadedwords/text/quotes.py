"""Whose words are quoted, and what is only put in marks.

What stands between marks is somebody's speech unless it is short and nobody is said to have said it: then it is the
outlet's own, in scare quotes or as a title. The rules follow the way quotations are set in English news (Pareti 2012; Muzny et al. 2017).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from loadedwords.text.marks import Marked, marked_in, sentence_end, sentence_start
from loadedwords.text.speakers import BEFORE_REACH, REACH, SAYS, introduces, known, speaker_after, speaker_before
from loadedwords.text.stretches import Bounds, Stretch, pieces

Kind = Literal["speech", "scare", "title"]

# So many words without a speaker are scare quotes, more are speech.
SCARE_WORDS = 3
_WORD = re.compile(r"\w+(?:[’'-]\w+)*")
_SMALL_WORDS = frozenset(
    ("a", "an", "the", "of", "and", "or", "in", "on", "at", "to", "for", "from", "by", "with", "as", "is", "vs")
)


@dataclass(frozen=True)
class Quotation:
    """What stands between two marks, in a block quotation, in a post, or in somebody's turn in a transcript.

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
class _Part:
    """A paragraph, or what labels and others' stretches leave of it.

    `set_off`: as a block quotation. `labelled`: a label stands before it. `spoken`: the stretch of somebody else that it is.
    """

    start: int
    end: int
    set_off: bool
    labelled: bool
    spoken: Stretch | None


def find_quotations(
    text: str, paragraphs: Bounds | None = None, blocks: Iterable[int] = (), stretches: Sequence[Stretch] = ()
) -> list[Quotation]:
    """Find the quotations of a clean text, in order, without overlap: one inside another belongs to the outer one.

    Without `paragraphs` all of it is one; `blocks` are the numbers of those that are set off as block quotations. What
    is quoted in `stretches` (posts, turns and labels, in order) needs no marks.
    """
    parts = list(_parts(text, paragraphs if paragraphs is not None else [(0, len(text))], frozenset(blocks), stretches))
    bounds = [(part.start, part.end) for part in parts]
    found: list[Quotation] = []
    inherited: str | None = None
    continued = introduced = False
    done = 0
    for number, part in enumerate(parts):
        start, end = part.start, part.end
        introduced = introduced and not part.labelled  # a label says whose the words are, or that they are lost
        marked = [] if part.spoken else marked_in(text, max(start, done), bounds, number)
        if part.spoken or part.set_off or (introduced and not (marked and marked[0].mark <= start + 1)):
            speaker = part.spoken.speaker if part.spoken else None
            if not part.spoken and introduced and number:  # the sentence that introduces a block says whose it is
                speaker = known(speaker_before(text, *bounds[number - 1]))
            if done < end:  # else it is inside of what was opened before
                found.append(Quotation(max(start, done), end, speaker=speaker))
            done, introduced = max(done, end), False
            continue
        own_speakers: list[str | None] = []
        for item in marked:
            quotation = _attributed(text, item, start, end)
            speaker = known(quotation.speaker)
            if quotation.kind == "speech":
                if quotation.speaker is None:  # nobody is named beside it: whoever spoke before goes on
                    speaker = inherited if continued else next((s for s in reversed(own_speakers) if s), None)
                own_speakers.append(speaker)
                continued, inherited = item.goes_on, speaker
            found.append(replace(quotation, speaker=speaker if quotation.kind == "speech" else None))
            done = item.behind
        _share_speaker(found, start)
        introduced = text.endswith(":", start, end) and introduces(text, start, end - 1)
    return found


def _parts(text: str, paragraphs: Bounds, set_off: frozenset[int], stretches: Sequence[Stretch]) -> Iterator[_Part]:
    labelled = False
    for number, paragraph in enumerate(paragraphs):
        for start, end, told in pieces(text, *paragraph, stretches):
            if told is not None and told.voice == "label":
                labelled = True
                continue
            spoken = told if told is not None and told.voice == "quoted" else None
            yield _Part(start, end, number in set_off, labelled, spoken)
            labelled = False


def speech(quotations: Iterable[Quotation]) -> list[Quotation]:
    """Those that are somebody else's words."""
    return [quotation for quotation in quotations if quotation.kind == "speech"]


def _attributed(text: str, item: Marked, start: int, end: int) -> Quotation:
    """The kind and the speaker of what stands between marks, from the sentence around it."""
    near = max(start, item.mark - BEFORE_REACH)
    before = text[sentence_start(text, near, item.mark) : item.mark]
    after = text[item.behind : min(end, item.behind + REACH)]
    full_stop = text[item.end - 1] in ".!?…" and after.lstrip()[:1].isupper()
    speaker = speaker_after(after, full_stop=full_stop) or speaker_before(before, 0, len(before))
    words = _WORD.findall(text[item.start : item.end])
    if re.search(r"\bso[- ]called\W*$", before):
        return Quotation(item.start, item.end, "scare")
    last = text[item.start : item.end].rstrip("\"”’' ")[-1:]
    if speaker is None and not item.goes_on and last not in tuple(".,!?…;:"):
        said = SAYS.search(before[-REACH:]) or SAYS.search(after[: sentence_end(after, 0, 60)])
        if not said and _is_title(words):
            return Quotation(item.start, item.end, "title")
        if not said and len(words) <= SCARE_WORDS:
            return Quotation(item.start, item.end, "scare")
    return Quotation(item.start, item.end, "speech", speaker)


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
