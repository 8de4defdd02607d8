"""What a model found in prepared sentences → words in their places, sentences, and an article's figures."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from loadedwords.models.scores import WordScore
from loadedwords.schema import Article, Boilerplate, LoadedWord, Reject, ScoredArticle, ScoredSentence, mean
from loadedwords.text import Sentence
from loadedwords.text.cleaning import clean_text
from loadedwords.text.language import ENGLISH, language_name
from loadedwords.text.origins import NO_ORIGINS, Origins
from loadedwords.text.words import addresses_in, n_words

N_TOP_WORDS = 5
# A mixed sentence's own words are scored apart only where that can matter: not where the whole is as plain as this, nor
# where less than this share of its words is quoted, none of them loaded, and the whole this far from the threshold. That
# spares half of the second scores; what it changes is measured in tests/benchmarks/speed.py.
_PLAIN = 0.045
_LITTLE_QUOTED = 0.2
_DECIDED = 0.25
# The slice of the article that a phrase stands for may hold marks of Markdown and tags.
_MARKS = re.compile(r"[*_<>&\[\]]")


def scored_apart(sentence: Sentence, p_loaded: float, words: Sequence[WordScore], threshold: float) -> bool:
    """Whether a sentence's own words need a score of their own."""
    if sentence.voice != "mixed" or p_loaded < _PLAIN:
        return False
    if abs(p_loaded - threshold) <= _DECIDED:
        return True
    quoted_loaded = any(q.start < word.end and word.start < q.end for q in sentence.quoted for word in words)
    n_quoted = _n_quoted_words(sentence)
    return quoted_loaded or n_quoted >= _LITTLE_QUOTED * (n_quoted + sentence.n_own_words)


def _n_quoted_words(sentence: Sentence) -> int:
    return sum(n_words(sentence.text[q.start : q.end]) for q in sentence.quoted)


def scored_sentence(
    article: str, sentence: Sentence, p_loaded: float, p_own: float, words: list[WordScore],
    *, origin: str | None = None, left_out: bool = False,
) -> ScoredSentence:  # fmt: skip
    """A sentence of the outlet's, or of somebody else's; if that is left out, there is nothing of the outlet's own in it."""
    return ScoredSentence(
        start=sentence.start,
        end=sentence.end,
        text=article[sentence.start : sentence.end],
        voice=sentence.voice,
        p_loaded=p_loaded,
        p_own=None if sentence.voice == "quoted" or left_out else p_own,
        words=tuple(place_words(article, sentence, words)),
        paragraph=sentence.paragraph,
        n_own_words=sentence.n_own_words,
        n_quoted_words=_n_quoted_words(sentence),
        speaker=next((q.speaker for q in sentence.quoted if q.speaker), sentence.host if not sentence.quoted else None),
        indirect=sentence.indirect,
        origin=origin,
    )


def place_words(original: str, sentence: Sentence, words: Iterable[WordScore]) -> list[LoadedWord]:
    """Words of the clean sentence, placed in the text it came from; none that stands in an address."""
    placed = []
    addresses = addresses_in(sentence.text)
    for word in words:
        if any(start < word.end and word.start < end for start, end in addresses):
            continue
        start, end = sentence.to_article(word.start, word.end)
        quoted = next((q for q in sentence.quoted if q.start < word.end and word.start < q.end), None)
        placed.append(
            LoadedWord(
                start=start,
                end=end,
                text=original[start:end],
                score=word.score,
                in_quote=quoted is not None,
                speaker=quoted.speaker if quoted else None,
                kind=word.kind,
                kind_score=word.kind_score,
                praise=word.praise,
            )
        )
    return placed


def summed_up(
    article: Article, sentences: Sequence[ScoredSentence], boilerplate: tuple[Boilerplate, ...],
    title: Iterable[ScoredSentence] = (), standfirst: Iterable[ScoredSentence] = (),
    *, origins: Origins = NO_ORIGINS, leave_out_syndicated: bool = False, language: str | None = None,
) -> ScoredArticle:  # fmt: skip
    """An article with its figures, which rest on the text alone; what is somebody else's work may be left out of them."""
    apart = [s for s in sentences if s.origin] if leave_out_syndicated else []
    counted = [s for s in sentences if not s.origin] if leave_out_syndicated else sentences
    own = [s.p_own for s in counted if s.p_own is not None]
    quoting = [s.p_loaded for s in counted if s.voice != "own"]
    words = [word for s in counted for word in s.words]
    n_own_words = sum(s.n_own_words for s in counted)
    own_words = [word for word in words if not word.in_quote]
    n_loaded = _n_words(own_words)
    weight: defaultdict[str, float] = defaultdict(float)
    for word, said in zip(own_words, _as_read(article.text, own_words), strict=True):
        weight[said.lower()] += word.score
    notes = article.notes
    if not sentences:
        foreign = language not in (None, ENGLISH)
        why = (
            f"in {language_name(language or ENGLISH)}; the model reads English"
            if foreign
            else "no sentence was left to score"
        )
        notes = (*notes, why)
    return ScoredArticle(
        article=article,
        sentences=tuple(sentences),
        boilerplate=boilerplate,
        n_sentences=len(sentences),
        n_own=len(own),
        n_words=n_own_words,
        n_loaded_words=n_loaded,
        loaded_share=mean(own),
        loaded_words_per_1000=1000 * n_loaded / n_own_words if n_own_words else None,
        top_words=tuple(sorted(weight, key=lambda word: (-weight[word], word))[:N_TOP_WORDS]),
        status="ok" if sentences else "empty",
        message="; ".join(notes),
        n_quoted=len(quoting),
        n_quoted_words=sum(s.n_quoted_words for s in counted),
        n_loaded_quoted_words=_n_words([word for word in words if word.in_quote]),
        loaded_share_all=mean([s.p_loaded for s in sentences]),
        loaded_share_quoted=mean(quoting),
        title_sentences=tuple(title),
        standfirst_sentences=tuple(standfirst),
        origin=origins.article,
        source_note=origins.note,
        n_syndicated=len(apart),
        n_syndicated_words=sum(s.n_own_words + s.n_quoted_words for s in apart),
        n_loaded_syndicated_words=_n_words(word for s in apart for word in s.words),
        loaded_share_syndicated=mean([s.p_loaded for s in apart]),
        language=language,
    )


def _as_read(text: str, words: Sequence[LoadedWord]) -> list[str]:
    """Loaded words without the marks that their slices of the text hold."""
    if not any(_MARKS.search(word.text) for word in words):
        return [word.text for word in words]
    clean = clean_text(text)  # all of it: emphasis may end behind the sentence
    return [clean.text[slice(*(bisect_left(clean.starts, at) for at in (word.start, word.end)))] for word in words]


def _n_words(loaded: Iterable[LoadedWord]) -> int:
    return sum(len(word.text.split()) for word in loaded)  # a phrase counts as its words


def rejected(reject: Reject) -> ScoredArticle:
    source = reject.file if reject.line is None else f"{reject.file}:{reject.line}"
    article = Article(id=reject.id or source, text="", outlet=reject.outlet, source=source)
    return unscored(article, reject.reason)


def unscored(article: Article, reason: str) -> ScoredArticle:
    return ScoredArticle(article, status="error", message="; ".join([*article.notes, reason]))
