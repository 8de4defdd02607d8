"""A loaded model, which scores sentences, articles and columns of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from itertools import islice
from numbers import Integral, Real
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from loadedwords.articles import ReadOptions, is_table, read_table
from loadedwords.articles.columns import SHORT_FIELDS, field_text
from loadedwords.articles.dates import read_date
from loadedwords.articles.records import Record, of_options, said_in_python, to_article
from loadedwords.errors import DataError, MissingExtraError, ModelError
from loadedwords.house import House
from loadedwords.models.bundle import GOLDEN_FILE, Bundle, open_bundle
from loadedwords.models.odds import logistic, logit
from loadedwords.models.scores import WordScore, check_sentences
from loadedwords.schema import ARTICLES, CLASSES, Article, Device, LoadedWord, Reject, ScoredArticle, Treatment
from loadedwords.scoring.remembered import RememberedScores, Scorer
from loadedwords.scoring.results import place_words, rejected, scored_apart, scored_sentence, summed_up, unscored
from loadedwords.scoring.rules import apply_house
from loadedwords.text import PreparedArticle, prepare_article, prepare_sentence
from loadedwords.text.language import ENGLISH, set_aside_other_languages
from loadedwords.text.origins import find_origins

Articles = Iterable[Article | Reject | Mapping[str, Any] | str] | Any  # or a table, see `read_table`

# Articles scored in one go: enough sentences to fill the model's batches, few enough to hold in memory.
ARTICLES_AT_ONCE = 32
# Golden scores may differ by this much between processors; more means another model.
GOLDEN_TOLERANCE = 1e-3
_COLUMNS_OF_BATCH = ("loaded_share", "loaded_words_per_1000", "n_own", "n_words", "top_words", "status", "message")


class FramingModel:
    """A loaded model: scores sentences, finds loaded words, scores articles.

    Made by `load_model`. Attributes beside the methods: ``classes_``, the ndarray ``["loaded", "neutral"]``, and
    ``bundle``, where the model came from.

    `p_loaded` is the share of careful readers who would object to the sentence's wording, in ordinary news. Where loaded
    sentences are more frequent than there, say so as `prevalence`: it shifts every score's log-odds by the same amount,
    so that the order of sentences stays and the level and the decisions change.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        prevalence: float | None = None,
        threads: int | None = None,
        syndicated: Treatment = "leave-out",
        other_languages: Treatment = "leave-out",
        device: Device = "cpu",
        n_remembered: int = 0,
    ) -> None:
        for option, value, known in (
            ("syndicated", syndicated, get_args(Treatment)),
            ("other_languages", other_languages, get_args(Treatment)),
            ("device", device, get_args(Device)),
        ):
            if value not in known:
                raise DataError(f"{option} is {value!r}; it is one of {', '.join(known)}.")
        if threads is not None and (not isinstance(threads, Integral) or isinstance(threads, bool) or threads < 1):
            raise DataError(
                f"threads is {threads!r}; it is a whole number of at least 1.\nLeave it out to use all processor cores."
            )
        self.bundle = bundle
        self.syndicated = syndicated
        self.other_languages = other_languages
        self._threads = threads
        self._device = device
        self._n_remembered = n_remembered
        self.classes_ = np.array(sorted(CLASSES))
        self._scorer = _load_scorer(bundle, threads, device)
        if n_remembered:
            self._scorer = RememberedScores(self._scorer, n_remembered)
        self._shift = 0.0
        self.prevalence = float(bundle.config.get("prevalence", 0.5))
        if prevalence is not None:
            if not isinstance(prevalence, Real) or not 0 < prevalence < 1:
                raise DataError(f"prevalence is {prevalence!r}; it is a share between 0 and 1, for instance 0.06.")
            self._shift = float(logit(np.array(prevalence)) - logit(np.array(self.prevalence)))
            self.prevalence = prevalence

    def __repr__(self) -> str:
        return f"FramingModel({self.bundle.name!r}, hash={self.bundle.hash[:12]!r})"

    @property
    def threshold(self) -> float:
        """Probability from which a sentence counts as loaded."""
        return self._scorer.threshold

    def predict_proba(self, sentences: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities of loaded and neutral.

        Parameters
        ----------
        sentences : sequence of str
            Quoted words count here like any others.

        Returns
        -------
        ndarray of shape (n_sentences, 2)
            Columns as in `classes_`; rows sum to 1.

        Raises
        ------
        DataError
            If `sentences` is one string or holds something else than strings.

        Examples
        --------
        >>> load_model().predict_proba(["The council met on Tuesday."]).shape
        (1, 2)
        """
        loaded = self.p_loaded(sentences)
        return np.column_stack([loaded, 1 - loaded])

    def p_loaded(self, sentences: Sequence[str]) -> NDArray[np.float64]:
        """The share of careful readers who would object to each sentence; shape (n_sentences,)."""
        loaded, _ = self._score([prepare_sentence(s).text for s in check_sentences(sentences)])
        return loaded

    def predict(self, sentences: Sequence[str]) -> NDArray[np.str_]:
        """The class of each sentence by the model's threshold; shape (n_sentences,)."""
        loaded = self.p_loaded(sentences) >= self.threshold
        predicted: NDArray[np.str_] = np.where(loaded, CLASSES[1], CLASSES[0])
        return predicted

    def find_loaded_words(self, sentences: Sequence[str]) -> list[list[LoadedWord]]:
        """The loaded words of each sentence, in order.

        Offsets are characters of that sentence: ``sentence[word.start:word.end] == word.text``.
        """
        checked = check_sentences(sentences)
        prepared = [prepare_sentence(sentence) for sentence in checked]
        _, words = self._score([p.text for p in prepared])
        return [place_words(s, p, w) for s, p, w in zip(checked, prepared, words, strict=True)]

    def score_text(
        self, text: str, outlet: str | None = None, *, title: str | None = None, standfirst: str | None = None
    ) -> ScoredArticle:
        """Score one article given as text.

        Parameters
        ----------
        text : str
        outlet, title, standfirst : str, optional

        Returns
        -------
        ScoredArticle
            In a notebook it shows itself, loaded words marked.
        """
        if not isinstance(text, str):
            raise DataError(
                f"score_text takes one string, not {type(text).__name__}.\nFor many articles use score_articles."
            )
        return next(
            self.score_articles([Article(id="text", text=text, outlet=outlet, title=title, standfirst=standfirst)])
        )

    def score_articles(
        self, articles: Articles, *, house: House | None = None, progress: bool = False
    ) -> Iterator[ScoredArticle]:
        """Score a stream of articles, or a table of them, in order; see the function of the same name."""
        if not is_table(articles) and (isinstance(articles, (str, Mapping)) or not isinstance(articles, Iterable)):
            raise DataError(
                f"score_articles takes a list, stream or table of articles, not one {type(articles).__name__}.\n"
                "Write [article]."
            )
        stream = read_table(articles) if is_table(articles) else articles
        scored = self._score_stream(_settled(stream))
        if house is not None:
            if not isinstance(house, House):
                raise DataError(f"house is {type(house).__name__}, not a House.\nPass read_house(file).")
            scored = (apply_house(article, house) for article in scored)
        if not progress:
            return scored
        from tqdm.auto import tqdm

        return iter(tqdm(scored, total=len(articles) if isinstance(articles, Sized) else None, unit=" articles"))

    def score_columns(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Figures of the articles of a batch: what `datasets.Dataset.map` takes, with ``batched=True``.

        Parameters
        ----------
        batch : mapping of str to sequence
            Columns, by their usual names: text, and perhaps title, outlet, ...

        Returns
        -------
        dict of str to list
            loaded_share, loaded_words_per_1000, n_own, n_words, top_words, status and message, as in the articles table.
            Each list tells Arrow its type, so that a batch in which nothing is loaded has the types of the others.

        Raises
        ------
        DataError
            If `batch` is one article, or is no mapping as the dataset has a format such as "pandas", or has columns of
            these names already, which would be written over.

        Examples
        --------
        >>> import datasets
        >>> articles = datasets.Dataset.from_dict({"text": ["The regime's puppet sneered.", "The council met."]})
        >>> articles.map(load_model("linear").score_columns, batched=True).column_names[:3]
        ['text', 'loaded_share', 'loaded_words_per_1000']
        """
        if not isinstance(batch, Mapping):
            raise DataError(
                f"score_columns takes columns of articles, not {type(batch).__name__}.\n"
                "Take the format off the dataset: dataset.with_format(None).map(model.score_columns, batched=True)."
            )
        if taken := [name for name in _COLUMNS_OF_BATCH if name in batch]:
            raise DataError(
                f"The dataset has {', '.join(taken)} already, which score_columns would write over.\n"
                f"Keep it under another name with dataset.rename_column({taken[0]!r}, ...), or leave it out with "
                f"dataset.remove_columns({taken})."
            )
        if any(isinstance(values, str) or not isinstance(values, Sized) for values in batch.values()):
            raise DataError(
                "score_columns takes columns of articles, not one article.\nPass batched=True to datasets.map."
            )
        # A tensor or an array holds numbers of its own kind, which are no ids and dates.
        columns = [values.tolist() if hasattr(values, "tolist") else values for values in batch.values()]
        rows = [dict(zip(batch, row, strict=True)) for row in zip(*columns, strict=True)]
        read = (to_article(Record(n, row), "batch", ReadOptions(), default_id=str(n)) for n, row in enumerate(rows, 1))
        told = map(said_in_python, read)
        scored = list(self._score_stream(rejected(item) if isinstance(item, Reject) else item for item in told))
        return {name: _Column(name, [getattr(article, name) for article in scored]) for name in _COLUMNS_OF_BATCH}

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process the bundle is opened again: a session of the runtime can't travel."""
        again = partial(
            FramingModel,
            prevalence=self.prevalence,
            threads=self._threads,
            syndicated=self.syndicated,
            other_languages=self.other_languages,
            device=self._device,
            n_remembered=self._n_remembered,
        )
        return again, (self.bundle,)

    def _score_stream(self, items: Iterator[Article | ScoredArticle]) -> Iterator[ScoredArticle]:
        """Score the articles of a stream; what is in it as scored stays in its place."""
        while batch := list(islice(items, ARTICLES_AT_ONCE)):
            readable = [item for item in batch if isinstance(item, Article)]
            scored = iter(self._score_batch(readable) if readable else [])
            for item in batch:
                yield next(scored) if isinstance(item, Article) else item

    def verify(self) -> list[str]:
        """Score the bundle's golden sentences again, at its own prevalence; returns what differs, nothing if all is well."""
        import json

        file = self.bundle.folder / GOLDEN_FILE
        if not file.is_file():
            raise ModelError(f"{self.bundle.folder} has no {GOLDEN_FILE} to verify against.\nTrain the bundle again.")
        try:
            golden = json.loads(file.read_text(encoding="utf-8"))
            texts = [row["text"] for row in golden]
            expected = [(float(row["p_loaded"]), list(zip(row["words"], row["kinds"], strict=True))) for row in golden]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(f"{file} can't be read: {error!r}.\nTrain the bundle again.") from error
        if not golden:
            raise ModelError(f"{file} holds no sentence, so nothing can be verified.\nTrain the bundle again.")
        differences = []
        for text, (p_then, words_then), p_loaded, found in zip(
            texts, expected, *self._scorer.score(texts), strict=True
        ):
            words = [(text[word.start : word.end], word.kind) for word in found]
            if abs(p_loaded - p_then) > GOLDEN_TOLERANCE:
                differences.append(f"{text!r}: p_loaded is {p_loaded:.4f}, was {p_then:.4f}")
            if words != words_then:
                differences.append(f"{text!r}: words and kinds are {words}, were {words_then}")
        return differences

    def _score(self, sentences: Sequence[str]) -> tuple[NDArray[np.float64], list[list[WordScore]]]:
        probability, words = self._scorer.score(sentences)
        return logistic(logit(probability) + self._shift) if self._shift else probability, words

    def _score_batch(self, articles: Sequence[Article]) -> list[ScoredArticle]:
        """Score several articles in one run of the model; one that fails is marked and the others go on."""
        try:
            return self._score_together(articles)
        except Exception as error:  # a broken article must not stop the run: its row says what happened
            if len(articles) > 1:
                return [scored for article in articles for scored in self._score_batch([article])]
            return [unscored(articles[0], f"{type(error).__name__}: {error}")]

    def _score_together(self, articles: Sequence[Article]) -> list[ScoredArticle]:
        prepared, languages = zip(*map(self._prepared, articles), strict=True)
        sentences = [s for p in prepared for s in (*p.title, *p.standfirst, *p.text.sentences)]
        whole, words = self._score([sentence.text for sentence in sentences])
        # What the outlet itself says in a mixed sentence is scored as a sentence of its own.
        own = whole.copy()
        found = enumerate(zip(sentences, whole.tolist(), words, strict=True))
        apart = [at for at, (sentence, p, ws) in found if scored_apart(sentence, p, ws, self.threshold)]
        own[apart], _ = self._score([sentences[at].own_text for at in apart])
        results = zip(sentences, whole.tolist(), own.tolist(), words, strict=True)
        scored = []
        for article, p, language in zip(articles, prepared, languages, strict=True):
            origins = find_origins(p.text.clean, outlet=article.outlet, byline=article.byline, url=article.url)
            # Where no outlet is named, nothing can be other than its own.
            leave_out = self.syndicated == "leave-out" and bool(article.outlet)
            title, standfirst, text = (
                [
                    scored_sentence(source or "", *result, origin=origin, left_out=leave_out and bool(origin))
                    for origin, result in zip(whose, islice(results, len(whose)), strict=True)
                ]
                for source, whose in (
                    (article.title, [origins.article] * len(p.title)),
                    (article.standfirst, [origins.article] * len(p.standfirst)),
                    (article.text, [origins.at(sentence.offset) for sentence in p.text.sentences]),
                )
            )
            scored.append(
                summed_up(
                    article,
                    text,
                    p.text.boilerplate,
                    title,
                    standfirst,
                    origins=origins,
                    leave_out_syndicated=leave_out,
                    language=language,
                )
            )
        return scored

    def _prepared(self, article: Article) -> tuple[PreparedArticle, str | None]:
        """What is to be scored of an article, and the language it is in."""
        prepared = prepare_article(article)
        text, language = set_aside_other_languages(prepared.text, article.text)
        if self.other_languages == "count":
            return prepared, language
        if language in (None, ENGLISH):
            return replace(prepared, text=text), language
        return PreparedArticle((), (), text), language


def load_model(
    model: str | Path | None = None,
    *,
    prevalence: float | None = None,
    threads: int | None = None,
    syndicated: Treatment = "leave-out",
    other_languages: Treatment = "leave-out",
    device: Device = "cpu",
) -> FramingModel:
    """Load a model.

    Parameters
    ----------
    model : str or Path, optional
        "default" for the embedded transformer, "linear" for the smaller and faster embedded one, or the folder of a
        bundle. The embedded default, if not given.
    prevalence : float, optional
        Share of loaded sentences to assume in the texts to come, between 0 and 1; that of the model's corpus, for
        the embedded models ordinary news with about a fifth, if not given. Changes the level of the scores, not their order.
    threads : int, optional
        Processor cores to use, at least 1; all, if not given. The linear model uses one.
    syndicated : {"leave-out", "count"}
        Whether the work of agencies and other publications counts as the outlet's own; it is marked in any case.
    other_languages : {"leave-out", "count"}
        Whether passages in other languages than English are scored all the same.
    device : {"cpu", "cuda"}
        Where a transformer computes: "cuda" for an NVIDIA GPU, which needs ONNX Runtime for it (docs/speed.md).

    Returns
    -------
    FramingModel

    Raises
    ------
    DataError
        If `prevalence`, `threads` or another option is not what it may be.
    ModelError
        If the bundle is missing, damaged, or of a format this version can't read, or it can't compute on the device.
    """
    return FramingModel(
        open_bundle(model),
        prevalence=prevalence,
        threads=threads,
        syndicated=syndicated,
        other_languages=other_languages,
        device=device,
    )


def score_articles(
    articles: Articles,
    *,
    model: FramingModel | str | Path | None = None,
    house: House | None = None,
    progress: bool = False,
) -> Iterator[ScoredArticle]:
    """Score a stream of articles, one by one as they come.

    Parameters
    ----------
    articles : iterable of Article, Reject, mapping or str, or a table
        As `read_articles` gives them, or as mappings or texts of your own, or a table of polars, pandas, pyarrow or
        datasets with one article a row (columns as `read_table` finds them). A mapping needs a ``text``; ``id``, ``outlet``, ``title``, ``standfirst``, ``date``, ``url``, ``event_id``, ``topic`` and ``byline`` are used where
        present. What has no id gets its number, from 1; where others have ids, "article:" and its number.
    model : FramingModel, str or Path, optional
        A loaded model, or what `load_model` takes.
    house : House, optional
        As `loadedwords.house.read_house` gives it: the words that it accepts, and the kinds that it has switched off, are
        not counted as loaded. The scores of sentences stay the model's.
    progress : bool
        Show a progress bar, in a notebook as in a terminal.

    Yields
    ------
    ScoredArticle
        In order, one for each. One that could not be read or scored has the status "error" and says why, and so has one
        with the id of an earlier one, as that would count twice: a digest of each id is kept for this, about 100 MB for a million.

    Raises
    ------
    DataError
        If `articles` is a single text or mapping, a table has no column of texts, or an item has no text.
    """
    loaded = model if isinstance(model, FramingModel) else load_model(model)
    return loaded.score_articles(articles, house=house, progress=progress)


def _load_scorer(bundle: Bundle, threads: int | None, device: Device = "cpu") -> Scorer:
    if bundle.kind == "linear":
        if device != "cpu":
            raise ModelError(
                f"{bundle.name} is a linear model, which computes on the processor.\nLeave the device {device} out."
            )
        from loadedwords.models import linear_scorer

        return linear_scorer.load_scorer(bundle.folder, bundle.config)
    if bundle.kind == "transformer":
        try:
            from loadedwords.models import onnx_scorer  # imports ONNX Runtime, which the linear model does without
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"A transformer needs {error.name}, which is not installed.\n"
                "Install it with:  pip install onnxruntime  (onnxruntime-gpu for a GPU: the one takes the other's place)"
            ) from error

        return onnx_scorer.load_scorer(bundle.folder, bundle.config, threads=threads, device=device)
    raise ModelError(
        f"{bundle.folder} holds a {bundle.kind} model, which this version can't score with.\nUpdate loadedwords."
    )


class _Column(list[Any]):
    """Values of a column of the articles table, which tell Arrow their type, even if all of them are None."""

    def __init__(self, name: str, values: Iterable[Any]) -> None:
        super().__init__(values)
        self._type = ARTICLES.field(name).type

    def __arrow_array__(self, **_: object) -> pa.Array:
        return pa.array([*self], type=self._type)


def _settled(
    items: Iterable[Article | Reject | Mapping[str, Any] | str],
) -> Iterator[Article | ScoredArticle]:
    """Articles to score, each with an id of its own; rejects, and articles with the id of an earlier one, as errors."""
    numbered, named = enumerate(items, 1), False
    seen: set[bytes] = set()
    while batch := [
        (number, item if isinstance(item, Reject) else _as_article(item, number))
        for number, item in islice(numbered, ARTICLES_AT_ONCE)
    ]:
        # A number may be another article's own id, where articles have some.
        named = named or any(item.id for _, item in batch if isinstance(item, Article))
        for number, item in batch:
            if isinstance(item, Reject):
                yield rejected(item)
                continue
            article = item if item.id else replace(item, id=f"article:{number}" if named else str(number))
            digest = blake2b(article.id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            if digest in seen:
                yield unscored(article, f"duplicate id {article.id!r}: an earlier article has it and is counted")
            else:
                seen.add(digest)
                yield article


def _as_article(item: Article | Mapping[str, Any] | str, number: int) -> Article:
    """The article that an item stands for, with fields of the types that they should be; its id is empty if it has none."""
    if isinstance(item, str):
        return Article(id="", text=item)
    if not isinstance(item, (Article, Mapping)):
        raise DataError(
            f"Article {number} is {type(item).__name__}.\nPass texts, mappings with the key 'text', or articles."
        )
    values = vars(item) if isinstance(item, Article) else item
    if "text" not in values:
        raise DataError(
            f"Article {number} has no text.\nA mapping needs the key 'text'; found: {', '.join(map(str, values))}."
        )
    if not isinstance(values["text"], str):
        raise DataError(
            f"The text of article {number} is {type(values['text']).__name__}, not a string.\nLeave such articles out."
        )
    made = isinstance(item, Article)
    date, note = values.get("date"), None
    if not made or type(date) is not datetime.date:
        date, note = read_date(date)
    # The strings of an article are as its maker wants them, such as the - that stands for standard input.
    fields: dict[str, Any] = {
        key: value if made and isinstance(value, str) else field_text(key, value)
        for key, value in ((key, values.get(key)) for key in SHORT_FIELDS)
    }
    article = item if isinstance(item, Article) else Article(id="", text=values["text"])
    notes = (*article.notes, of_options(note)) if note else article.notes
    return replace(article, date=date, notes=notes, **{**fields, "id": fields["id"] or ""})
