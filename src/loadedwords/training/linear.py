"""Trains the linear tier: n-grams, logistic regression, calibration, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import check_is_fitted

from loadedwords.errors import DataError
from loadedwords.models.linear_scorer import Calibration, LinearScorer, WordScore
from loadedwords.models.ngrams import NgramSpec, count_ngrams
from loadedwords.training.calibration import best_f1, fit_temperature
from loadedwords.training.estimator import FramingClassifier, check_texts, encode_labels

MarkedWords = Sequence[Mapping[str, Any]]
_COUNT_BATCH = 2000
# A word is a name if it has a capital inside sentences at least so often, and in at least this share of cases.
_NAME_OCCURRENCES, _NAME_SHARE = 2, 0.9


class LinearFramingClassifier(FramingClassifier):
    """Logistic regression on word and character n-grams, calibrated, with a score for every word.

    An n-gram's weight is shared among the words it covers, so the decision is exactly the sum of what its words
    add, plus a constant; the loaded words are those that add most.

    Parameters
    ----------
    words, characters : tuple of int
        Shortest and longest n-gram of words, and of characters inside a word.
    bits : int
        Logarithm to base 2 of the number of hash buckets (Weinberger et al. 2009).
    min_sentences : int
        n-grams in fewer sentences are not used.
    C : float
        Inverse strength of the L2 penalty.
    own_weight : float
        How freely the corpus of interest may depart from what it shares with the others (Daumé III 2007);
        without effect where `fit` gets no `in_domain`.
    folds : int
        Folds for the calibration (Platt 1999).
    random_state : int
        Seed of the folds.
    n_jobs : int or None
        Folds fitted at once; -1 for one on each core.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        ``["loaded", "neutral"]``, or ``[0, 1]`` where the labels were numbers.
    scorer_ : LinearScorer
        The fitted model, as a bundle holds it.

    Examples
    --------
    >>> texts = ["The regime's puppet sneered.", "The minister spoke.", "A shameless puppet.", "The council met."] * 5
    >>> model = LinearFramingClassifier(min_sentences=1, folds=2).fit(texts, [1, 0, 1, 0] * 5)
    >>> model.predict(["What a puppet.", "The minister met the council."])
    array([1, 0])
    """

    def __init__(
        self,
        *,
        words: tuple[int, int] = (1, 2),
        characters: tuple[int, int] = (3, 5),
        bits: int = 18,
        min_sentences: int = 2,
        C: float = 10.0,  # noqa: N803  scikit-learn's name
        own_weight: float = 0.5,
        folds: int = 5,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.words = words
        self.characters = characters
        self.bits = bits
        self.min_sentences = min_sentences
        self.C = C
        self.own_weight = own_weight
        self.folds = folds
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Sequence[str],  # noqa: N803
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        in_domain: ArrayLike | None = None,
        target: ArrayLike | None = None,
        loaded_words: Sequence[MarkedWords | None] | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : sequence of str, shape (n_sentences,)
        y : array-like of shape (n_sentences,)
            0 and 1, or "neutral" and "loaded".
        sample_weight : array-like of shape (n_sentences,), optional
        groups : array-like of shape (n_sentences,), optional
            The article each sentence is from, so that no article calibrates itself.
        in_domain : array-like of bool, shape (n_sentences,), optional
            The sentences of the corpus whose labels `p_loaded` is to be the probability of. The others help
            to train; calibration uses these alone. All, if not given.
        target : array-like of shape (n_sentences,), optional
            What to learn instead of `y`: the share of readers who would object, 0 to 1.
        loaded_words : sequence, optional
            For each sentence the slices ``{"start", "end", "share"}`` that people would mark, or None where nobody was
            asked. Calibrates the scores of the words.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If `X` is one string, the lengths differ, or there are not both classes among the in-domain rows.
        """
        texts = check_texts(X)
        self.classes_, labels = encode_labels(y, len(texts))
        n = len(texts)
        weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        group = np.arange(n) if groups is None else np.asarray(groups)
        domain = np.ones(n, dtype=bool) if in_domain is None else np.asarray(in_domain, dtype=bool)
        wanted = labels if target is None else np.asarray(target, dtype=float)
        for name, values in (
            ("sample_weight", weight),
            ("groups", group),
            ("in_domain", domain),
            ("target", wanted),
        ):
            if len(values) != n:
                raise DataError(f"{name} has {len(values)} rows and X has {n}.\nPass one for each sentence.")
        if len(np.unique(labels[domain])) < 2:
            raise DataError("fit needs sentences of both classes, neutral and loaded, in the corpus of interest.")

        spec = NgramSpec((self.words[0], self.words[1]), (self.characters[0], self.characters[1]), self.bits)
        counts, names = _count(texts, spec)
        present = np.bincount(counts.indices, minlength=spec.n_buckets)
        # Smoothed inverse document frequency, as scikit-learn's TfidfTransformer computes it.
        rarity = np.where(present >= self.min_sentences, np.log((1 + n) / (1 + present)) + 1, 0.0)
        features = _scale(counts, rarity)
        used = np.flatnonzero(rarity)
        features = features[:, used]

        def fit_scorer(rows: NDArray[np.intp]) -> LinearScorer:
            coefficients, intercept = self._fit_weights(features, wanted, weight, domain, rows)
            weights = np.zeros(spec.n_buckets, dtype=np.float32)
            weights[used] = coefficients * rarity[used]
            return LinearScorer(
                spec, weights, (rarity**2).astype(np.float32), names, intercept, Calibration(), 0.5, 0.5
            )

        self.scorer_ = self._calibrate(fit_scorer, texts, wanted, group, domain, loaded_words)
        return self

    def log_odds(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """Log-odds of being loaded, calibrated; shape (n_sentences,)."""
        check_is_fitted(self)
        calibration = self.scorer_.calibration
        decision: NDArray[np.float64] = self.scorer_.decision_function(check_texts(X))
        log_odds: NDArray[np.float64] = calibration.slope * decision + calibration.intercept
        return log_odds

    def find_loaded_words(self, X: Sequence[str]) -> list[list[WordScore]]:  # noqa: N803
        """The words that carry the decision, with offsets into each sentence."""
        check_is_fitted(self)
        return self.scorer_.score(check_texts(X))[1]

    def every_word(self, X: Sequence[str]) -> list[list[WordScore]]:  # noqa: N803
        """All words of each sentence with their scores, loaded or not."""
        check_is_fitted(self)
        return replace(self.scorer_, word_threshold=0.0).score(check_texts(X))[1]

    @property
    def _threshold(self) -> float:
        return self.scorer_.threshold

    def _fit_weights(
        self,
        features: sp.csr_matrix,
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
        domain: NDArray[np.bool_],
        rows: NDArray[np.intp],
    ) -> tuple[NDArray[np.float64], float]:
        """Coefficients and intercept from the given rows, for the in-domain sentences."""
        inside = rows[domain[rows]]
        shared = features[rows]
        mixed = not domain.all() and self.own_weight > 0
        if mixed:
            own = sp.diags_array(np.where(domain[rows], self.own_weight, 0.0)) @ shared
            # Only columns that in-domain sentences have can carry weights of their own.
            own_columns = np.flatnonzero(features[inside].getnnz(axis=0))
            shared = sp.hstack([shared, own.tocsr()[:, own_columns]], format="csr")
        # A target between 0 and 1 is the same as one sentence of each class, weighted.
        positive, negative = weight[rows] * target[rows], weight[rows] * (1 - target[rows])
        stacked = sp.vstack([shared[positive > 0], shared[negative > 0]], format="csr")
        classes = np.repeat([1, 0], [np.count_nonzero(positive), np.count_nonzero(negative)])
        model = LogisticRegression(C=self.C, solver="liblinear")
        model.fit(stacked, classes, sample_weight=np.concatenate([positive[positive > 0], negative[negative > 0]]))
        coefficients = model.coef_[0][: features.shape[1]].copy()
        if mixed:
            coefficients[own_columns] += self.own_weight * model.coef_[0][features.shape[1] :]
        return coefficients, float(model.intercept_[0])

    def _calibrate(
        self,
        fit_scorer: Any,
        texts: list[str],
        target: NDArray[np.float64],
        group: NDArray[Any],
        domain: NDArray[np.bool_],
        loaded_words: Sequence[MarkedWords | None] | None,
    ) -> LinearScorer:
        """Fit on everything; take the calibration from folds that leave whole articles out."""
        final: LinearScorer = fit_scorer(np.arange(len(texts)))
        inside, outside = np.flatnonzero(domain), np.flatnonzero(~domain)
        decisions = np.zeros(len(texts))
        word_features, marked = [], []
        splits = list(_group_folds(group[inside], self.folds, self.random_state))
        # liblinear lets go of the interpreter while it works, so threads do, and the features are held once.
        trained = [
            np.concatenate([outside[~np.isin(group[outside], group[inside[test]])], inside[train]])
            for train, test in splits
        ]
        fitted = Parallel(n_jobs=self.n_jobs, prefer="threads")(delayed(fit_scorer)(rows) for rows in trained)
        for scorer, (_, test) in zip(fitted, splits, strict=True):
            held_out = inside[test]
            found, decision, features = scorer.word_features([texts[at] for at in held_out])
            decisions[held_out] = decision
            if loaded_words is not None:
                asked = np.array([loaded_words[at] is not None for at in held_out], dtype=bool)
                chosen = found.is_word & asked[found.word_sentence]
                word_features.append(features[chosen])
                marked.append(
                    _is_marked(found.word_sentence, found.word_start, found.word_end, held_out, loaded_words)[chosen]
                )
        temperature, intercept = fit_temperature(decisions[inside], target[inside])
        calibration = replace(Calibration(), slope=1 / temperature, intercept=intercept)
        word_threshold = 0.5
        is_marked = np.concatenate([np.zeros(0, dtype=bool), *marked])
        if is_marked.any() and not is_marked.all():
            stacked = np.concatenate(word_features)
            # So weak a penalty that it only keeps separable toy data finite.
            line = LogisticRegression(C=1e4, max_iter=1000).fit(stacked, is_marked)
            weights = tuple(float(weight) for weight in line.coef_[0])
            calibration = replace(calibration, word_weights=weights, word_intercept=float(line.intercept_[0]))
            word_threshold = best_f1(is_marked, line.predict_proba(stacked)[:, 1])[1]
        return replace(final, calibration=calibration, word_threshold=word_threshold)


def _count(texts: Sequence[str], spec: NgramSpec) -> tuple[sp.csr_matrix, NDArray[np.bool_]]:
    """How often each n-gram occurs in each text, and which words are names by how they are written."""
    parts = []
    small, capital = np.zeros(spec.n_buckets), np.zeros(spec.n_buckets)
    for at in range(0, len(texts), _COUNT_BATCH):
        batch = texts[at : at + _COUNT_BATCH]
        found = count_ngrams(batch, spec)
        ones = np.ones(len(found.bucket), dtype=np.float64)
        parts.append(sp.csr_matrix((ones, (found.sentence, found.bucket)), shape=(len(batch), spec.n_buckets)))
        inside = found.is_word & ~found.opens
        small += np.bincount(found.word_bucket[inside & ~found.capital], minlength=spec.n_buckets)
        capital += np.bincount(found.word_bucket[inside & found.capital], minlength=spec.n_buckets)
    names = (capital >= _NAME_OCCURRENCES) & (capital >= _NAME_SHARE * (small + capital))
    return sp.vstack(parts, format="csr"), names


def _scale(counts: sp.csr_matrix, rarity: NDArray[np.float64]) -> sp.csr_matrix:
    """tf-idf, each sentence divided by the length that `LinearScorer` divides by."""
    length = np.sqrt(counts @ rarity**2)
    length[length == 0] = 1.0
    return sp.csr_matrix(sp.diags_array(1 / length) @ counts @ sp.diags_array(rarity))


def _group_folds(groups: NDArray[Any], folds: int, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise DataError(
            "All sentences are of one article, so none can be held out.\nLeave groups out, or pass more articles."
        )
    splitter = GroupKFold(n_splits=min(folds, n_groups), shuffle=True, random_state=seed)
    yield from splitter.split(groups, groups=groups)


def _is_marked(
    sentence: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    rows: NDArray[np.intp],
    loaded_words: Sequence[MarkedWords | None],
) -> NDArray[np.bool_]:
    """Whether each word overlaps a slice that annotators marked."""
    marked = np.zeros(len(sentence), dtype=bool)
    for at in range(len(sentence)):
        for word in loaded_words[rows[sentence[at]]] or ():
            if start[at] < word["end"] and word["start"] < end[at]:
                marked[at] = True
    return marked
