"""Trains the linear tier: n-grams, logistic regression, calibration, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from loadedwords.models.linear_scorer import Calibration, LinearScorer
from loadedwords.models.ngrams import NgramSpec, count_ngrams
from loadedwords.models.scores import WordScore, check_sentences
from loadedwords.training.calibration import best_f1, fit_temperature
from loadedwords.training.estimator import FramingClassifier, MarkedWords, check_fit, strongest_mark

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
        """Fit the model; each argument has one entry for each sentence.

        Parameters
        ----------
        X : sequence of str
        y : array-like
            0 and 1, or "neutral" and "loaded".
        sample_weight : array-like, optional
        groups : array-like, optional
            The article each sentence is from, so that no article calibrates itself.
        in_domain : array-like of bool, optional
            The sentences of the corpus whose labels `p_loaded` is to be the probability of. The others help
            to train; calibration uses these alone. All, if not given.
        target : array-like, optional
            What to learn instead of `y`: the share of readers who would object, 0 to 1.
        loaded_words : sequence, optional
            The slices ``{"start", "end", "share"}`` of a sentence that people would mark, or None where nobody was
            asked. Calibrates the scores of the words.

        Raises
        ------
        DataError
            If `X` is one string, the lengths differ, or there are not both classes among the in-domain rows.
        """
        texts = check_sentences(X)
        self.classes_, rows = check_fit(
            texts,
            y,
            target=target,
            loaded_words=loaded_words,
            sample_weight=(sample_weight, 1.0),
            groups=(groups, np.arange(len(texts))),
            in_domain=(in_domain, True),
        )
        domain = rows["in_domain"]
        if len(np.unique(rows["label"][domain])) < 2:
            raise DataError("fit needs sentences of both classes, neutral and loaded, in the corpus of interest.")
        spec = NgramSpec((self.words[0], self.words[1]), (self.characters[0], self.characters[1]), self.bits)
        features, rarity, names = _tf_idf(texts, spec, self.min_sentences)
        used = np.flatnonzero(rarity)
        features = features[:, used]

        def fit_scorer(chosen: NDArray[np.intp]) -> LinearScorer:
            own = domain[chosen] if self.own_weight > 0 and not domain.all() else None
            coefficients, intercept = self._fit_weights(
                features[chosen], rows["target"][chosen], rows["sample_weight"][chosen], own
            )
            weights = np.zeros(spec.n_buckets, dtype=np.float32)
            weights[used] = coefficients * rarity[used]
            return LinearScorer(
                spec, weights, (rarity**2).astype(np.float32), names, intercept, Calibration(), 0.5, 0.5
            )

        learnt, held_out = zip(*self._splits(domain, rows["groups"]), strict=True)
        # liblinear lets go of the interpreter while it works, so threads do, and the features are held once.
        scorers = Parallel(n_jobs=self.n_jobs, prefer="threads")(delayed(fit_scorer)(chosen) for chosen in learnt)
        final = fit_scorer(np.arange(len(texts)))
        apart = list(zip(scorers, held_out, strict=True))
        self.scorer_ = _calibrated(final, apart, texts, rows["target"], rows["loaded_words"])
        return self

    def _splits(
        self, domain: NDArray[np.bool_], group: NDArray[Any]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Rows to train on, and in-domain rows to hold out: those of whole articles."""
        inside, outside = np.flatnonzero(domain), np.flatnonzero(~domain)
        n_groups = len(np.unique(group[inside]))
        if n_groups < 2:
            raise DataError(
                "All sentences are of one article, so none can be held out.\nLeave groups out, or pass more articles."
            )
        splitter = GroupKFold(min(self.folds, n_groups), shuffle=True, random_state=self.random_state)
        for train, test in splitter.split(inside, groups=group[inside]):
            others = outside[~np.isin(group[outside], group[inside[test]])]
            yield np.concatenate([others, inside[train]]), inside[test]

    def log_odds(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """Log-odds of being loaded, calibrated; shape (n_sentences,)."""
        check_is_fitted(self)
        return self.scorer_.log_odds(check_sentences(X))

    def find_loaded_words(self, X: Sequence[str]) -> list[list[WordScore]]:  # noqa: N803
        """The words that carry the decision, with offsets into each sentence."""
        check_is_fitted(self)
        return self.scorer_.score(check_sentences(X))[1]

    def _fit_weights(
        self,
        features: sp.csr_matrix,
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
        domain: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.float64], float]:
        """Coefficients and intercept for the in-domain sentences, from all; `domain` is None where these are all."""
        n_shared = features.shape[1]
        own_columns = np.zeros(0, dtype=np.intp)
        if domain is not None:
            own = sp.diags_array(np.where(domain, self.own_weight, 0.0)) @ features
            # Only columns that in-domain sentences have can carry weights of their own.
            own_columns = np.flatnonzero(features[np.flatnonzero(domain)].getnnz(axis=0))
            features = sp.hstack([features, own.tocsr()[:, own_columns]], format="csr")
        # A target between 0 and 1 is the same as one sentence of each class, weighted.
        positive, negative = weight * target, weight * (1 - target)
        stacked = sp.vstack([features[positive > 0], features[negative > 0]], format="csr")
        classes = np.repeat([1, 0], [np.count_nonzero(positive), np.count_nonzero(negative)])
        model = LogisticRegression(C=self.C, solver="liblinear")
        model.fit(stacked, classes, sample_weight=np.concatenate([positive[positive > 0], negative[negative > 0]]))
        coefficients = model.coef_[0][:n_shared].copy()
        coefficients[own_columns] += self.own_weight * model.coef_[0][n_shared:]
        return coefficients, float(model.intercept_[0])


def _tf_idf(
    texts: Sequence[str], spec: NgramSpec, min_sentences: int
) -> tuple[sp.csr_matrix, NDArray[np.float64], NDArray[np.bool_]]:
    """Features of each text, the rarity of each n-gram (0 if not used), and which words are names by how they are written."""
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
    counts = sp.vstack(parts, format="csr")
    present = np.bincount(counts.indices, minlength=spec.n_buckets)
    # Smoothed inverse document frequency, as scikit-learn's TfidfTransformer computes it.
    rarity = np.where(present >= min_sentences, np.log((1 + len(texts)) / (1 + present)) + 1, 0.0)
    length = np.sqrt(counts @ rarity**2)  # that which `LinearScorer` divides by
    length[length == 0] = 1.0
    return sp.csr_matrix(sp.diags_array(1 / length) @ counts @ sp.diags_array(rarity)), rarity, names


def _calibrated(
    final: LinearScorer,
    held_out: Sequence[tuple[LinearScorer, NDArray[np.intp]]],
    texts: Sequence[str],
    target: NDArray[np.float64],
    loaded_words: Sequence[MarkedWords | None],
) -> LinearScorer:
    """The final scorer with the calibration that others have on the rows they had not seen."""
    decisions, word_features, marked = np.zeros(len(texts)), [], []
    for scorer, rows in held_out:
        found, decisions[rows], features = scorer.word_features([texts[at] for at in rows])
        chosen = []
        for word in np.flatnonzero(found.is_word).tolist():
            marks = loaded_words[rows[found.word_sentence[word]]]
            if marks is not None:
                chosen.append(word)
                marked.append(strongest_mark(int(found.word_start[word]), int(found.word_end[word]), marks) is not None)
        word_features.append(features[chosen])
    inside = np.sort(np.concatenate([rows for _, rows in held_out]))
    temperature, intercept = fit_temperature(decisions[inside], target[inside])
    calibration = replace(Calibration(), slope=1 / temperature, intercept=intercept)
    if len(set(marked)) < 2:
        return replace(final, calibration=calibration)
    stacked, is_marked = np.concatenate(word_features), np.array(marked)
    # So weak a penalty that it only keeps separable toy data finite.
    line = LogisticRegression(C=1e4, max_iter=1000).fit(stacked, is_marked)
    weights = tuple(float(weight) for weight in line.coef_[0])
    calibration = replace(calibration, word_weights=weights, word_intercept=float(line.intercept_[0]))
    threshold = best_f1(is_marked, line.predict_proba(stacked)[:, 1])[1]
    return replace(final, calibration=calibration, word_threshold=threshold)
