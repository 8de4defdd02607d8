"""What travels between the rooms, and the Arrow schemas of the tables it is written to.

Offsets are Python characters into the article's text as read, end exclusive.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from loadedwords.highlight import Passage, article_html

Voice = Literal["own", "quoted", "mixed"]
# Whose words the figures of an article or outlet rest on.
CountedVoice = Literal["own", "quoted", "all"]
Status = Literal["ok", "empty", "error"]
# What is done with what is not the outlet's, or not in the model's language.
Treatment = Literal["leave-out", "count"]
# Where a transformer computes.
Device = Literal["cpu", "cuda"]

CLASSES = ("neutral", "loaded")
# What a loaded word does, and how to call it. The guidelines tell making small and scare quotes apart too; no model did.
KIND_NAMES = {
    "label": "label",
    "judgement": "judging word",
    "verb": "slanted verb",
    "exaggeration": "exaggeration or making small",
    "image": "image",
    "mockery": "mockery or scare quotes",
    "insinuation": "insinuation",
}
KINDS = tuple(KIND_NAMES)
# A word is said to praise from this probability on.
PRAISES = 0.5


@dataclass(frozen=True)
class Article:
    """One article as read.

    Attributes
    ----------
    id : str
        Unique in a run: the second article with an id is not scored.
    text : str
        As read; every offset in the results points into it.
    outlet, title, url, event_id, topic, byline : str or None
    standfirst : str or None
        The line or lines under the title: subtitle, dek, summary.
    date : datetime.date or None
        None where the input has no date or an impossible one.
    source : str
        File and line or row it came from.
    notes : tuple of str
        What the reader of the results should know, such as a date that was not understood.
    """

    id: str
    text: str
    outlet: str | None = None
    title: str | None = None
    date: datetime.date | None = None
    url: str | None = None
    event_id: str | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    topic: str | None = None
    byline: str | None = None
    standfirst: str | None = None


@dataclass(frozen=True)
class Reject:
    """Something in the input that could not be read as an article: where it is and why.

    `line` counts from 1: a line of a text file, a row of a table; None for a whole file. `id` and `outlet` are those of a
    row that has them, though no text.
    """

    file: str
    line: int | None
    reason: str
    id: str | None = None
    outlet: str | None = None


@dataclass(frozen=True)
class LoadedWord:
    """A word or phrase that carries slant.

    Attributes
    ----------
    start, end : int
        Offsets into the text it was found in.
    text : str
        Exactly that slice.
    score : float
        Between 0 and 1: the estimated share of careful readers who would mark it.
    in_quote : bool
        Whether somebody is quoted as saying it.
    speaker : str or None
        Who, as the text names them, where that can be read.
    kind : str or None
        What it does, one of `KINDS`; None from a model that does not tell.
    kind_score : float or None
        Probability of that kind, if the word is loaded.
    praise : float or None
        Probability that it praises or flatters.
    """

    start: int
    end: int
    text: str
    score: float
    in_quote: bool
    speaker: str | None = None
    kind: str | None = None
    kind_score: float | None = None
    praise: float | None = None

    @property
    def device(self) -> str:
        """What it does, in plain words; empty where that isn't known."""
        name = KIND_NAMES.get(self.kind or "", "")
        return f"{name}, praise" if name and self.praise is not None and self.praise >= PRAISES else name


@dataclass(frozen=True)
class ScoredSentence:
    """A sentence, who speaks in it, and how loaded it is.

    Attributes
    ----------
    start, end : int
        Offsets into the article's text.
    text : str
        Exactly that slice, markup included.
    voice : {"own", "quoted", "mixed"}
        Whether the outlet speaks, somebody it quotes, or both.
    p_loaded : float
        Of the whole sentence: the estimated share of careful readers who would object to its wording.
    p_own : float or None
        Score of what the outlet itself says in it; None where it only quotes. That of the whole sentence where the
        quotation can hardly matter: the whole is plain, or little of it and nothing loaded is quoted. None, too, where
        somebody else's work was left out of the outlet's own figures.
    words : tuple of LoadedWord
    paragraph : int
        Counted from 0.
    n_own_words : int
        Words in the outlet's own voice.
    n_quoted_words : int
        Words of somebody else.
    speaker : str or None
        Who is quoted, as the text names them, where that can be read; the first, where there are several. In the outlet's own
        voice, the host or reporter whose turn in a transcript it is.
    indirect : bool
        Whether the outlet reports in its own words what somebody is said to have said; its voice is "own" all the same.
    origin : str or None
        The agency or publication whose work it is; None where it is the outlet's own.
    """

    start: int
    end: int
    text: str
    voice: Voice
    p_loaded: float
    p_own: float | None
    words: tuple[LoadedWord, ...]
    paragraph: int
    n_own_words: int
    n_quoted_words: int = 0
    speaker: str | None = None
    indirect: bool = False
    origin: str | None = None


@dataclass(frozen=True)
class Boilerplate:
    """A passage that is nobody's reporting and takes no part in the scores."""

    start: int
    end: int
    text: str
    reason: str


@dataclass(frozen=True)
class ScoredArticle:
    """An article's scores; in a notebook it shows itself with the loaded words marked.

    Attributes
    ----------
    sentences : tuple of ScoredSentence
        In order; boilerplate is not among them.
    boilerplate : tuple of Boilerplate
    n_sentences, n_own : int
        Sentences, and those of them in which the outlet itself speaks.
    n_words, n_loaded_words : int
        Words, and loaded words, in the outlet's own voice.
    loaded_share : float or None
        Mean `p_own` over the `n_own` sentences; None where there is none.
    loaded_words_per_1000 : float or None
        Loaded words in own voice for each 1,000 words in own voice.
    top_words : tuple of str
        The most loaded words in own voice, lower-cased, by summed score.
    n_quoted : int
        Sentences in which somebody is quoted, alone or beside the outlet.
    n_quoted_words, n_loaded_quoted_words : int
        Words, and loaded words, of those who are quoted.
    loaded_share_all, loaded_share_quoted : float or None
        Mean `p_loaded` over all sentences, whoever speaks, and over the `n_quoted` ones.
    status : {"ok", "empty", "error"}
        "empty": no sentence was left to score. "error": scoring failed, `message` says why.
    title_sentences, standfirst_sentences : tuple of ScoredSentence
        Of the title, which is one, and of the standfirst; offsets into ``article.title`` and ``article.standfirst``. They
        take no part in the figures above. A standfirst with which the text begins is scored there alone.
    origin : str or None
        The agency or publication whose work the whole article is; None where it is the outlet's own.
    source_note : str or None
        What the page says of its source, such as "The Associated Press contributed to this report."
    n_syndicated : int
        Sentences of somebody else's work that were left out of the outlet's own figures and of those it quotes.
    n_syndicated_words, n_loaded_syndicated_words : int
        Their words, and loaded words, whoever speaks.
    loaded_share_syndicated : float or None
        Mean `p_loaded` over the `n_syndicated` sentences.
    language : str or None
        That of most of the text, as its code in ISO 639; None where it can't be told.
    """

    article: Article
    sentences: tuple[ScoredSentence, ...] = ()
    boilerplate: tuple[Boilerplate, ...] = ()
    n_sentences: int = 0
    n_own: int = 0
    n_words: int = 0
    n_loaded_words: int = 0
    loaded_share: float | None = None
    loaded_words_per_1000: float | None = None
    top_words: tuple[str, ...] = ()
    status: Status = "ok"
    message: str = ""
    n_quoted: int = 0
    n_quoted_words: int = 0
    n_loaded_quoted_words: int = 0
    loaded_share_all: float | None = None
    loaded_share_quoted: float | None = None
    title_sentences: tuple[ScoredSentence, ...] = ()
    standfirst_sentences: tuple[ScoredSentence, ...] = ()
    origin: str | None = None
    source_note: str | None = None
    n_syndicated: int = 0
    n_syndicated_words: int = 0
    n_loaded_syndicated_words: int = 0
    loaded_share_syndicated: float | None = None
    language: str | None = None

    @property
    def text(self) -> str:
        return self.article.text

    @property
    def outlet(self) -> str | None:
        return self.article.outlet

    def _repr_html_(self) -> str:
        share = "no sentence in the outlet's own voice"
        if self.loaded_share is not None:
            share = (
                f"loaded share {self.loaded_share:.2f} over {self.n_own} own-voice sentences, "
                f"{self.n_loaded_words} loaded in {self.n_words} own words"
            )
        theirs = f"from {self.origin}" if self.origin else self.source_note
        figures = " · ".join(filter(None, [self.outlet or "no outlet", share, theirs, self.message]))
        passages = _passages(self.sentences)
        passages += [Passage(b.start, b.text, -1, left_out=b.reason) for b in self.boilerplate]
        title = _passages(self.title_sentences) or [Passage(0, self.article.title or "", 0)]
        return article_html(title, figures, passages, _passages(self.standfirst_sentences))


def _passages(sentences: Iterable[ScoredSentence]) -> list[Passage]:
    return [Passage(s.start, s.text, s.paragraph, s.words, s.p_loaded, s.p_own, origin=s.origin) for s in sentences]


@dataclass(frozen=True)
class Interval:
    """An estimate between the ends of its interval; the ends are None where the data do not allow any."""

    estimate: float
    low: float | None
    high: float | None


_TEXT, _INT, _FLOAT, _DOUBLE = pa.string(), pa.int32(), pa.float32(), pa.float64()
LOADED_WORD = pa.struct([
    ("start", _INT), ("end", _INT), ("text", _TEXT), ("score", _FLOAT), ("in_quote", pa.bool_()),
    ("speaker", _TEXT), ("kind", _TEXT), ("kind_score", _FLOAT), ("praise", _FLOAT),
])  # fmt: skip
SENTENCES = pa.schema([
    ("article_id", _TEXT), ("outlet", _TEXT), ("sentence_id", _INT), ("start", _INT), ("end", _INT),
    ("text", _TEXT), ("voice", _TEXT), ("p_loaded", _FLOAT), ("p_own", _FLOAT),
    ("words", pa.list_(LOADED_WORD)), ("paragraph", _INT), ("speaker", _TEXT), ("indirect", pa.bool_()),
    ("origin", _TEXT),
])  # fmt: skip
ARTICLES = pa.schema([
    ("article_id", _TEXT), ("outlet", _TEXT), ("title", _TEXT), ("date", pa.date32()), ("url", _TEXT),
    ("event_id", _TEXT), ("n_sentences", _INT), ("n_own", _INT), ("n_words", _INT), ("loaded_share", _DOUBLE),
    ("loaded_words_per_1000", _DOUBLE), ("top_words", pa.list_(_TEXT)), ("status", _TEXT), ("message", _TEXT),
    ("n_loaded_words", _INT), ("n_boilerplate", _INT), ("source", _TEXT), ("n_quoted", _INT),
    ("n_quoted_words", _INT), ("n_loaded_quoted_words", _INT), ("loaded_share_all", _DOUBLE),
    ("loaded_share_quoted", _DOUBLE), ("topic", _TEXT), ("byline", _TEXT),
    ("title_p_loaded", _FLOAT), ("title_p_own", _FLOAT), ("title_words", pa.list_(LOADED_WORD)), ("standfirst", _TEXT),
    ("standfirst_p_loaded", _FLOAT), ("standfirst_p_own", _FLOAT), ("standfirst_words", pa.list_(LOADED_WORD)),
    ("origin", _TEXT), ("source_note", _TEXT), ("n_syndicated", _INT), ("n_syndicated_words", _INT),
    ("n_loaded_syndicated_words", _INT), ("loaded_share_syndicated", _DOUBLE), ("language", _TEXT),
    ("text_digest", _TEXT),
])  # fmt: skip
BOILERPLATE = pa.schema([
    ("article_id", _TEXT), ("start", _INT), ("end", _INT), ("text", _TEXT), ("reason", _TEXT),
])  # fmt: skip


def article_row(scored: ScoredArticle) -> dict[str, Any]:
    """The row of `scored` in the articles table."""
    article = scored.article
    own = {
        "article_id": article.id,
        "top_words": list(scored.top_words),
        "n_boilerplate": len(scored.boilerplate),
        "text_digest": text_digest(article.text),
    }
    apart = _scores_of("title", scored.title_sentences) | _scores_of("standfirst", scored.standfirst_sentences)
    return _columns(ARTICLES, vars(article) | vars(scored) | own | apart)


def sentence_rows(scored: ScoredArticle) -> list[dict[str, Any]]:
    """The rows of `scored` in the sentences table."""
    of_article = {"article_id": scored.article.id, "outlet": scored.article.outlet}
    return [
        _columns(
            SENTENCES, vars(sentence) | of_article | {"sentence_id": number, "words": [*map(vars, sentence.words)]}
        )
        for number, sentence in enumerate(scored.sentences)
    ]


def boilerplate_rows(scored: ScoredArticle) -> list[dict[str, Any]]:
    """The rows of `scored` in the boilerplate table."""
    return [{"article_id": scored.article.id, **vars(passage)} for passage in scored.boilerplate]


def text_digest(text: str) -> str:
    """The same for texts that differ in white space alone."""
    words = " ".join(text.split()).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(words, digest_size=8).hexdigest()


def _scores_of(part: str, sentences: Sequence[ScoredSentence]) -> dict[str, Any]:
    return {
        f"{part}_p_loaded": mean([s.p_loaded for s in sentences]),
        f"{part}_p_own": mean([s.p_own for s in sentences if s.p_own is not None]),
        f"{part}_words": [vars(word) for s in sentences for word in s.words],
    }


def mean(scores: Sequence[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None


def _columns(schema: pa.Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Most columns go by the name of the attribute they hold."""
    return {name: values[name] for name in schema.names}
