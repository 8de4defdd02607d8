"""A model that remembers the scores of sentences, so that a change to a story costs only the sentences that changed."""

from __future__ import annotations

from loadedwords.models.bundle import Bundle
from loadedwords.scoring import FramingModel

N_REMEMBERED = 20_000  # some hundred stories, with the sentences that plainer words are tried in


class RememberingModel(FramingModel):
    """A `FramingModel` that scores a sentence it has scored before from memory; not for several threads at once."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle, n_remembered=N_REMEMBERED)
