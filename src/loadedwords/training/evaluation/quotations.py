"""How well the quotation finder does on passages marked by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from loadedwords.text import prepare_text
from loadedwords.training.evaluation.results import Evaluation, Finding, resampled, share
from loadedwords.training.evaluation.texts import read_suite, unmarked


def evaluate_quotations() -> Evaluation:
    """Measure the quotation finder on passages marked by hand, each in four styles of marks.

    Characters count (white space left out), and the speaker where one is named.
    """
    passages = read_suite("quotations")["passages"]
    counts, number_of = [], []
    named, number_of_named = [], []
    for number, passage in enumerate(passages):
        for text in _styles(passage["text"]):
            clean, marked = unmarked(text)
            wanted = {at for span in marked for at in range(*span) if not clean[at].isspace()}
            found, speakers = _found_quotations(clean)
            counts.append((len(found & wanted), len(found), len(wanted)))
            number_of.append(str(number))
            if "speakers" in passage:
                named.append(_in_order(speakers) == _in_order(passage["speakers"]))
                number_of_named.append(str(number))
    table = np.array(counts)

    def f1(rows: NDArray[np.intp]) -> float:
        hit, n_found, n_wanted = table[rows].sum(axis=0)
        return float(2 * hit / max(1, n_found + n_wanted))

    hit, n_found, n_wanted = table.sum(axis=0)
    return Evaluation(
        "The quotation finder on marked passages.",
        {},
        (
            Finding(
                "F1 of quoted characters",
                resampled(f1, np.array(number_of)),
                f"precision {hit / n_found:.3f}, recall {hit / n_wanted:.3f}",
                f"{len(counts)} passages: {len(passages)} written by hand, each in four styles of marks",
            ),
            Finding(
                "passages with the right speakers",
                share(named, number_of_named),
                "in the order in which they speak",
                f"{len(named)} passages, {len(set(number_of_named))} written by hand",
            ),
        ),
    )


def _styles(text: str) -> Iterator[str]:
    """A passage as it stands, with straight marks, with single marks outside, and with angled ones."""
    yield text
    yield text.translate(str.maketrans("“”‘’", "\"\"''"))
    inner = re.sub(r"‘((?:[^’\n]|(?<=\w)’(?=\w))*)’", "\x01\\1\x02", text)  # an apostrophe stays one
    yield inner.translate(str.maketrans("“”\x01\x02", "‘’“”"))
    yield text.translate(str.maketrans("“”", "«»"))


def _found_quotations(text: str) -> tuple[set[int], list[str]]:
    found: set[int] = set()
    speakers = []
    for sentence in prepare_text(text).sentences:
        for quotation in sentence.quoted:
            start, end = sentence.to_article(quotation.start, quotation.end)
            found |= {at for at in range(start, end) if not text[at].isspace()}
            speakers.append(quotation.speaker or "")
    return found, speakers


def _in_order(speakers: list[str]) -> list[str]:
    return list(dict.fromkeys(name.replace("’", "'") for name in speakers))
