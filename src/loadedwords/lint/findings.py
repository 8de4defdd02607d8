"""A story and a model → findings: loaded words that the rules leave, and listed ones, with place, reason and plainer words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from loadedwords.errors import DataError
from loadedwords.house import BANNED, UNTOLD, Ban, House, Severity, without_possessive
from loadedwords.lint.documents import LINE_END, Document, Part, PartName, TextForm, make_document
from loadedwords.lint.left_alone import is_on_sport, why_left_alone
from loadedwords.lint.listed import Listed, listed_in
from loadedwords.lint.plainer import Replacement, plainer_words
from loadedwords.lint.reasons import reason_for
from loadedwords.lint.silence import silenced
from loadedwords.schema import PRAISES, ScoredArticle, ScoredSentence
from loadedwords.scoring import FramingModel, load_model
from loadedwords.text import prepare_text
from loadedwords.text.cleaning import clean_text
from loadedwords.text.language import ENGLISH
from loadedwords.text.phrases import left_of, overlaps

_MARKUP = re.compile(r"[*_`<>\[\]]")
_LONE_MARKS = re.compile(r"^[\s,]+|[\s,]+$|(?i:^(?:an? )(?=\w))")

FoundBy = Literal["model", "list", "house"]
Span = tuple[int, int]


@dataclass(frozen=True)
class Fix:
    """A plainer wording and what it takes the place of: the word, and what beside it has to change with it.

    Attributes
    ----------
    text, instead_of : str
        What is put there, and what stands there now. An empty text, or a lone article, leaves the word out.
    start, end, line, column, end_line, end_column : int
        As those of a `Finding`.
    """

    text: str
    instead_of: str
    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int

    @property
    def leaves_out(self) -> bool:
        return len(self.text.strip()) < 2 or self.text.strip().lower() == "an"


@dataclass(frozen=True)
class Finding:
    """A loaded word, one that the house bans, or one of the list of euphemisms and passives that hide who acted.

    Attributes
    ----------
    path : str
    part : {"title", "standfirst", "text"}
    line, column, end_line, end_column : int
        Counted from 1, columns in characters; the end is exclusive. In a table, `line` is that of the record (where
        records have no lines, its number) and columns count in the field.
    start, end : int
        Offsets into the file as read; in a table into the field.
    text : str
        Exactly that slice.
    words : str
        The same as it reads, without markup.
    kind : str or None
        One of `loadedwords.schema.KINDS`, "euphemism", "hidden-agent" or "banned"; None from a model that does not tell.
    score : float
        The share of careful readers who would mark the word; 1 for one that no model found.
    p_loaded : float
        The share of careful readers who would object to the sentence; in the outlet's voice, to what the outlet says in it.
    voice : {"own", "quoted"}
    speaker : str or None
        Who is quoted, where that can be read.
    severity : {"note", "warning", "error"}
        By `probability`, or as the ban or the list says.
    reason : str
        One sentence on why the word pushes.
    plainer : tuple of Fix
        Up to three plainer wordings.
    sentence : str
        The sentence that it is in.
    in_table : bool
    found_by : {"model", "list", "house"}
    left_alone : str or None
        Why it is left alone, where findings of that kind are asked for.
    """

    path: str
    part: PartName
    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int
    text: str
    words: str
    kind: str | None
    score: float
    p_loaded: float
    voice: str
    speaker: str | None
    severity: Severity
    reason: str
    plainer: tuple[Fix, ...]
    sentence: str
    in_table: bool = False
    found_by: FoundBy = "model"
    left_alone: str | None = None

    def offer(self, fix: Fix) -> str:
        """A fix in words: what to write, and in the place of what if that is not just the finding."""
        if fix.leaves_out:
            # The letter after it, which takes over its capital, stays.
            gone = fix.instead_of[:-1] if fix.instead_of.lower().endswith(fix.text.lower() or "-") else fix.instead_of
            return f"leave out “{_LONE_MARKS.sub('', gone)}”"
        if (fix.start, fix.end) == (self.start, self.end):
            return fix.text
        return f"{fix.instead_of.strip()} → {fix.text.strip()}"

    @property
    def probability(self) -> float:
        """As sure as the less sure of the two: that the word is loaded, and that the sentence is."""
        return min(self.score, self.p_loaded)


@dataclass(frozen=True)
class _Suspect:
    """A word that may become a finding; offsets into what of its part is scored."""

    sentence: ScoredSentence
    start: int
    end: int
    kind: str | None
    score: float
    p_loaded: float
    speaker: str | None
    quoted: bool
    praise: bool = False
    ban: Ban | None = None
    listed: Listed | None = None

    @property
    def at(self) -> tuple[int, int]:
        """In the sentence."""
        return self.start - self.sentence.start, self.end - self.sentence.start

    def severity(self, house: House) -> Severity | None:
        """None where it is not to be shown."""
        if (self.kind or UNTOLD) in house.off:
            return None
        said = self.ban or self.listed
        return said.severity if said else house.levels.severity(min(self.score, self.p_loaded))


def lint_text(
    text: str,
    *,
    model: FramingModel | str | Path | None = None,
    house: House | None = None,
    path: str = "-",
    form: TextForm = "text",
    quotes: bool = False,
    left_alone: bool = False,
) -> list[Finding]:
    """Find the loaded words of one story.

    Parameters
    ----------
    text : str
        As it stands in the file.
    model : FramingModel, str or Path, optional
        A loaded model, or what `load_model` takes.
    house : House, optional
        As `read_house` gives it.
    path : str
        What the findings say where they are from.
    form : {"text", "markdown", "html"}
    quotes : bool
        Whether other people's words are looked at, too.
    left_alone : bool
        Whether words are reported, too, that are left alone for being in a work's title, a court's words, a report on
        sport or a group's name.

    Returns
    -------
    list of Finding
        In the order of the text: ``text[finding.start:finding.end] == finding.text``.

    Raises
    ------
    DataError
        If the text can't be scored, or is in another language.

    Examples
    --------
    >>> lint_text("The council met. The shameless regime sneered.")[0].column
    22
    """
    loaded = model if isinstance(model, FramingModel) else load_model(model)
    return lint_document(make_document(text, path=path, form=form), loaded, house, quotes=quotes, left_alone=left_alone)


def lint_document(
    document: Document, model: FramingModel, house: House | None = None, *, quotes: bool = False, left_alone: bool = False,
    scored: ScoredArticle | None = None,
) -> list[Finding]:  # fmt: skip
    """Find the loaded words of a story that was read; see `lint_text`. `scored` is its article, where that was scored already."""
    house = house or House()
    scored = scored or next(model.score_articles([document.article]))
    if scored.status == "error":
        raise DataError(f"{document.path} can't be scored: {scored.message}.\nReport it with the text, if you can.")
    if scored.status == "empty" and scored.language not in (None, ENGLISH):
        raise DataError(f"{document.path} is not linted: it is {scored.message}.\nPass stories in English.")
    parts = [(part, sentences_of(part, scored)) for part in document.parts]
    silent = {part.source: silenced(part.source, _sentence_starts(part.source, parts)) for part in document.parts}
    findings = []
    for part, sentences in parts:
        sporting = is_on_sport(part.aligned.text)
        for suspect, severity in _suspects(part, sentences, house, silent[part.source]):
            if suspect.quoted and not quotes:
                continue
            why = None
            if not suspect.ban:
                start, _ = part.aligned.to_original(suspect.start, suspect.end)
                words = suspect.sentence.text
                why = why_left_alone(words, *suspect.at, source=part.source, at=start, sporting=sporting)
            if why is None or left_alone:
                findings.append(_finding(document, part, suspect, severity, model, why))
    return sorted(findings, key=lambda finding: finding.start) if document.record is None else findings


def sentences_of(part: Part, scored: ScoredArticle) -> tuple[ScoredSentence, ...]:
    """The sentences of one part of a document."""
    if part.name == "text":
        return scored.sentences
    return scored.title_sentences if part.name == "title" else scored.standfirst_sentences


def _finding(
    document: Document, part: Part, suspect: _Suspect, severity: Severity, model: FramingModel, left_alone: str | None
) -> Finding:
    ban, listed, sentence = suspect.ban, suspect.listed, suspect.sentence
    start, end = part.aligned.to_original(suspect.start, suspect.end)
    place = _place(document, part, start, end)
    clean = clean_text(sentence.text)
    low, high = (bisect_left(clean.starts, at) for at in suspect.at)
    words = clean.text[low:high]
    if ban:  # its possessive stays
        of_word = clean.to_original(low, low + len(without_possessive(words)))
        alone = part.aligned.to_original(*(sentence.start + each for each in of_word))
        there = _place(document, part, *alone)
        plainer = tuple(Fix(word, part.source[slice(*alone)], *there, *alone) for word in ban.instead)
    else:
        offered = listed.plainer if listed else plainer_words(sentence.text, *suspect.at, suspect.kind, model)
        plainer = _fixes(document, part, sentence, offered)
    return Finding(
        document.path,
        part.name,
        *place,
        start=start,
        end=end,
        text=part.source[start:end],
        words=words,
        kind=suspect.kind,
        score=suspect.score,
        p_loaded=suspect.p_loaded,
        voice="quoted" if suspect.quoted else "own",
        speaker=suspect.speaker,
        severity=severity,
        reason=(ban and ban.reason) or (listed and listed.reason) or reason_for(suspect.kind, praise=suspect.praise),
        plainer=plainer,
        sentence=sentence.text,
        in_table=document.record is not None,
        found_by="house" if ban else "list" if listed else "model",
        left_alone=left_alone,
    )


def _fixes(document: Document, part: Part, sentence: ScoredSentence, offered: Iterable[Replacement]) -> tuple[Fix, ...]:
    """In the file's own places; none that would take away a mark of Markdown or a tag that stands between the words."""
    fixes = []
    for each in offered:
        start, end = part.aligned.to_original(sentence.start + each.start, sentence.start + each.end)
        taken = part.source[start:end]
        if taken == sentence.text[each.start : each.end] and not _MARKUP.search(taken):
            fixes.append(Fix(each.text, taken, *_place(document, part, start, end), start, end))
    return tuple(fixes)


def _suspects(
    part: Part, sentences: Iterable[ScoredSentence], house: House, silent: Iterable[Span]
) -> Iterator[tuple[_Suspect, Severity]]:
    """What rules and silenced passages leave of what the model marks, what is banned, and what is listed, in order."""
    text = part.aligned.text
    unheard = [(bisect_left(part.aligned.starts, low), bisect_left(part.aligned.starts, high)) for low, high in silent]
    banned = house.banned(text)
    ruled = [*house.accepted(text), *(span for _, span in banned)]
    listed = [(sentence, listed_in(sentence.text)) for sentence in sentences]
    quoted = _quoted_slices(text) if banned or any(found for _, found in listed) else []
    for sentence, of_list in listed:
        found = [*_marked(text, sentence, [*ruled, *unheard]), *_banned(sentence, banned, quoted)]
        shown = [(each, level) for each in found if (level := each.severity(house))]
        # The list adds what the model does not see, and no second finding to what it does.
        taken = [*ruled, *((each.start, each.end) for each, _ in shown)]
        for item in of_list:
            start, end = sentence.start + item.start, sentence.start + item.end
            more = _unscored(sentence, start, end, item.kind, quoted, listed=item)
            if not overlaps(start, end, taken) and (level := more.severity(house)):
                shown.append((more, level))
        heard = [one for one in shown if not overlaps(one[0].start, one[0].start + 1, unheard)]
        yield from sorted(heard, key=lambda one: one[0].start)


def _marked(text: str, sentence: ScoredSentence, ruled: list[Span]) -> Iterator[_Suspect]:
    for word in sentence.words:
        p_loaded = sentence.p_loaded if word.in_quote else own_score(sentence)
        praise = word.praise is not None and word.praise >= PRAISES
        for start, end in left_of(text, word.start, word.end, ruled):
            yield _Suspect(
                sentence, start, end, word.kind, word.score, p_loaded, word.speaker, quoted=word.in_quote, praise=praise
            )


def _banned(sentence: ScoredSentence, banned: list[tuple[Ban, Span]], quoted: list[Span]) -> Iterator[_Suspect]:
    for ban, (start, end) in banned:
        if sentence.start <= start < sentence.end:
            yield _unscored(sentence, start, end, BANNED, quoted, ban=ban)


def _unscored(
    sentence: ScoredSentence,
    start: int,
    end: int,
    kind: str,
    quoted: list[Span],
    *,
    ban: Ban | None = None,
    listed: Listed | None = None,
) -> _Suspect:
    """A word that no model found."""
    in_quote = overlaps(start, end, quoted)
    p_loaded, speaker = (sentence.p_loaded, sentence.speaker) if in_quote else (own_score(sentence), None)
    return _Suspect(sentence, start, end, kind, 1.0, p_loaded, speaker, quoted=in_quote, ban=ban, listed=listed)


def own_score(sentence: ScoredSentence) -> float:
    """That of the whole sentence where the outlet itself says nothing in it."""
    return sentence.p_loaded if sentence.p_own is None else sentence.p_own


def _quoted_slices(text: str) -> list[Span]:
    return [s.to_article(q.start, q.end) for s in prepare_text(text).sentences for q in s.quoted]


def _sentence_starts(source: str, parts: Iterable[tuple[Part, Iterable[ScoredSentence]]]) -> Iterator[int]:
    for part, sentences in parts:
        if part.source is source:
            for sentence in sentences:
                yield part.aligned.to_original(sentence.start, sentence.end)[0]


def _place(document: Document, part: Part, start: int, end: int) -> tuple[int, int, int, int]:
    if document.record:
        return document.record, start + 1, document.record, end + 1
    text = part.source
    lines = [0, *(match.end() for match in LINE_END.finditer(text, 0, end))]
    first, last = bisect_right(lines, start), bisect_right(lines, end - 1)
    return first, start - lines[first - 1] + 1, last, end - lines[last - 1] + 1
