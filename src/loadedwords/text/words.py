"""What counts as a word."""

from __future__ import annotations

import re

# Letters and digits, with apostrophes inside ("isn't"). A hyphen parts words here, so that annotators may mark a half.
WORD = re.compile(r"\w+(?:['’]\w+)*")
# The same, a compound ("anti-choice") being one word: what is counted and underlined.
COMPOUND = re.compile(r"\w+(?:['’‐‑-]\w+)*")

# Addresses of pages and of mail hold no words that anybody chose for this sentence. Most sentences hold nothing of the kind.
_MAY_HOLD_ADDRESS = re.compile(r"://|@|www\.|\.(?:com|org|net|gov|edu|info|co\.uk)\b", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s<>\"“”]+"
    r"|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w.-])(?:[\w-]+\.)+(?:com|org|net|gov|edu|info|co\.uk)\b(?:/[^\s<>\"“”]*)?",
    re.IGNORECASE,
)

_NOT_LETTERS = re.compile(r"[\W_]+")

# What somebody else says, as a model sees it in the outlet's own words. Of nothing at all, empty marks, "this", "it is so"
# and no marks either, it was the only one with which attributed claims always stayed neutral and own words kept theirs.
PLACEHOLDER = "…"

# Abbreviated before a name, with a full stop that ends no sentence.
TITLES = "Mr|Mrs|Ms|Dr|Sen|Rep|Gov|Gen|Col|Lt|Sgt|Capt|Rev|Prof|St"

# Words that hold a sentence together and carry no slant by themselves: nobody underlines a phrase from "in a" on.
FUNCTION_WORDS = frozenset(
    """a an the this that these those some any each
    i me my we us our you your he him his she her it its they them their who whom whose which what there here
    of in on at to for from by with into onto over under about after before between through during against as than up
    down out off and or but nor if while because when where
    is are was were be been being am has have had having do does did will would shall should can could may might must
    it's its he's she's they're we're i'm isn't aren't wasn't weren't""".split()  # noqa: SIM905 — a list of them would be five times as long
)


def addresses_in(text: str) -> list[tuple[int, int]]:
    """Where addresses stand."""
    return [match.span() for match in _ADDRESS.finditer(text)] if _MAY_HOLD_ADDRESS.search(text) else []


def n_words(text: str) -> int:
    """How many words a text has, those in addresses left out."""
    addresses = addresses_in(text)
    return len(COMPOUND.findall(text)) - sum(len(COMPOUND.findall(text, *address)) for address in addresses)


def letters(text: str) -> str:
    """Letters and digits alone, small: the same of texts that differ in how they are set."""
    return _NOT_LETTERS.sub("", text).casefold()
