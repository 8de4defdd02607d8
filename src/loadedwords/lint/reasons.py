"""What a kind of loaded word is called in plain words, and one sentence why it pushes."""

from __future__ import annotations

from loadedwords.house import BANNED, EUPHEMISM, HIDDEN_AGENT, UNTOLD
from loadedwords.schema import KIND_NAMES

KIND_TITLES = {
    **KIND_NAMES,
    EUPHEMISM: "euphemism",
    HIDDEN_AGENT: "hidden agent",
    BANNED: "banned by the house",
    UNTOLD: "loaded word",
}

_REASONS = {
    "label": "a label that judges: it gives the writer's verdict on who somebody is, not what they did",
    "judgement": "it says what to think of the thing, and a reader can't check it",
    "verb": "it says how to take what was done or said, not only that it was",
    "exaggeration": "it makes the thing larger or smaller than what is reported of it",
    "image": "what it likens the thing to brings a feeling with it that no fact here carries",
    "mockery": "it keeps the thing at arm's length without saying what is wrong with it",
    "insinuation": "it hints at a motive or a doubt that the sentence does not state and so need not show",
    EUPHEMISM: "a soft name for something that a plain one would show",
    HIDDEN_AGENT: "the passive leaves out who did it: say who, or that it is not known",
    BANNED: "the house does not use this word",
    UNTOLD: "readers are likely to take it for the writer's opinion",
}
_PRAISE = "praise: it says that the thing is good, which a reader can't check"


def reason_for(kind: str | None, *, praise: bool = False) -> str:
    return _PRAISE if praise else _REASONS[kind or UNTOLD]


def title_of(kind: str | None) -> str:
    return KIND_TITLES[kind or UNTOLD]
