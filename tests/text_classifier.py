"""What every text classifier of this package must hold; scikit-learn's own checks hardly look at text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from loadedwords.errors import DataError

SENTENCES = [
    "The reckless regime sneered.",
    "The council met on Monday.",
    "",
    "Señor Núñez’s café — 3,200 people?!",
    "\U0001f600 ok",
    "a\nb",
]


def check_text_classifier(make: Callable[[], Any], texts: list[str], y: np.ndarray, *, tolerance: float = 0.0) -> None:
    """Order, batch and container invariance, errors, seed, clone, labels; to the last bit where `tolerance` is 0."""

    def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)

    model = make().fit(texts, y)
    expected = model.predict_proba(SENTENCES)
    assert expected.shape == (len(SENTENCES), 2)
    np.testing.assert_allclose(expected.sum(axis=1), 1)
    assert ((expected >= 0) & (expected <= 1)).all()
    # Order, batch and container must not matter.
    assert_same(model.predict_proba(SENTENCES[::-1]), expected[::-1])
    assert_same(np.vstack([model.predict_proba([s]) for s in SENTENCES]), expected)
    assert_same(model.predict_proba(SENTENCES * 300)[-len(SENTENCES) :], expected)
    assert_same(model.predict_proba(tuple(SENTENCES)), expected)
    assert_same(model.predict_proba(np.array(SENTENCES, dtype=object)), expected)
    assert model.predict_proba([]).shape == (0, 2)
    for wrong in ("a bare string", ["fine", None], [b"bytes"]):
        with pytest.raises(DataError):
            model.predict_proba(wrong)
    with pytest.raises(DataError):
        make().fit("a bare string", y)
    with pytest.raises(DataError):
        make().fit(texts, y[:-1])
    with pytest.raises(DataError, match="both classes"):
        make().fit(texts, np.zeros(len(texts), dtype=int))
    # The same seed gives the same model; a clone is unfitted and has the same parameters.
    assert_same(make().fit(texts, y).predict_proba(SENTENCES), expected)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    with pytest.raises(Exception, match="not fitted"):
        copied.predict(SENTENCES)
    # Labels come back as they went in.
    assert set(model.predict(texts)) <= {0, 1}
    named = make().fit(texts, np.where(y == 1, "loaded", "neutral"))
    assert named.classes_.tolist() == ["loaded", "neutral"]
    assert (named.predict(texts) == np.where(model.predict(texts) == 1, "loaded", "neutral")).all()
    with pytest.raises(DataError, match="Labels are"):
        make().fit(texts, ["spam"] * len(texts))
