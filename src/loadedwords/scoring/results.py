"""What a model found in prepared sentences → words in their places, sentences, and an article's figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from loadedwords.models.scores import WordScore
from loadedwords.schema import Article, Boilerplate, LoadedWord, Reject, ScoredArticle, ScoredSentence, mean
from loadedwords.text import Sentence
from loadedwords.text.words import COMPOUND

N_TOP_WORDS = 5
# A mixed sentence's own words are scored apart only where that can matter: not where the whole is as plain as this, nor
# where less than this share of its words is quoted, none of them loaded, and the whole this far from the threshold. That
# spares half of the second scores; what it changes is measured in tests/benchmarks/speed.py.
_PLAIN = 0.045
_LITTLE_QUOTED = 0.2
_DECIDED = 0.25


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
    return sum(len(COMPOUND.findall(sentence.text[q.start : q.end])) for q in sentence.quoted)


def scored_sentence(
    article: str, sentence: Sentence, p_loaded: float, p_own: float, words: list[WordScore]
) -> ScoredSentence:
    return ScoredSentence(
        start=sentence.start,
        end=sentence.end,
        text=article[sentence.start : sentence.end],
        voice=sentence.voice,
        p_loaded=p_loaded,
        p_own=None if sentence.voice == "quoted" else p_own,
        words=tuple(place_words(article, sentence, words)),
        paragraph=sentence.paragraph,
        n_own_words=sentence.n_own_words,
        n_quoted_words=_n_quoted_words(sentence),
        speaker=next((q.speaker for q in sentence.quoted if q.speaker), None),
        indirect=sentence.indirect,
    )


def place_words(original: str, sentence: Sentence, words: Iterable[WordScore]) -> list[LoadedWord]:
    """Words of the clean sentence, placed in the text it came from."""
    placed = []
    for word in words:
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
) -> ScoredArticle:  # fmt: skip
    """An article with its figures, which rest on the text alone."""
    own = [s.p_own for s in sentences if s.p_own is not None]
    quoting = [s.p_loaded for s in sentences if s.voice != "own"]
    words = [word for s in sentences for word in s.words]
    n_words = sum(s.n_own_words for s in sentences)
    n_loaded = _n_words([word for word in words if not word.in_quote])
    weight: defaultdict[str, float] = defaultdict(float)
    for word in words:
        if not word.in_quote:
            weight[word.text.lower()] += word.score
    notes = article.notes if sentences else (*article.notes, "no sentence was left to score")
    return ScoredArticle(
        article=article,
        sentences=tuple(sentences),
        boilerplate=boilerplate,
        n_sentences=len(sentences),
        n_own=len(own),
        n_words=n_words,
        n_loaded_words=n_loaded,
        loaded_share=mean(own),
        loaded_words_per_1000=1000 * n_loaded / n_words if n_words else None,
        top_words=tuple(sorted(weight, key=lambda word: (-weight[word], word))[:N_TOP_WORDS]),
        status="ok" if sentences else "empty",
        message="; ".join(notes),
        n_quoted=len(quoting),
        n_quoted_words=sum(s.n_quoted_words for s in sentences),
        n_loaded_quoted_words=_n_words([word for word in words if word.in_quote]),
        loaded_share_all=mean([s.p_loaded for s in sentences]),
        loaded_share_quoted=mean(quoting),
        title_sentences=tuple(title),
        standfirst_sentences=tuple(standfirst),
    )


def _n_words(loaded: Iterable[LoadedWord]) -> int:
    return sum(len(word.text.split()) for word in loaded)  # a phrase counts as its words


def rejected(reject: Reject) -> ScoredArticle:
    source = reject.file if reject.line is None else f"{reject.file}:{reject.line}"
    return unscored(Article(id=source, text="", source=source), reject.reason)


def unscored(article: Article, reason: str) -> ScoredArticle:
    return ScoredArticle(article, status="error", message="; ".join([*article.notes, reason]))
