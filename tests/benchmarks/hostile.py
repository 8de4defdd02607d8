"""Whether hostile texts and pages take time in proportion to their length: python tests/benchmarks/hostile.py [--only PART]

A unit is repeated to four lengths, each twice the one before, and prepared as a text, linted as a page or read as a
page. One row for each: processor seconds at each length, and the power of the length by which they grew over the last two
doublings: 1 is linear, 2 quadratic. What grows faster than by `WORST` is marked.
"""

from __future__ import annotations

import argparse
import math
import signal
import time
from collections.abc import Callable
from functools import partial

from loadedwords.lint.documents import make_document
from loadedwords.text import prepare_text
from loadedwords.text.html import extract_article

LENGTHS = (10_000, 20_000, 40_000, 80_000)
WORST, SECONDS = 1.4, 20

TEXTS = (
    '"', "“", "” ", "'", "‘a ", "“a ", "”", '"a" ', "'a' ", "« a", "„a ", "`` ", "''", "“a.\n\n", '"a.\n\n', "“A b”, said C D. ", "said ", "Ann Lee, ", "said Ann Lee: ", "According to ",
    "the a ", "The Aa ", "Aa ", "A.", "Mr. ", "a.B ", "a. ", "?! ", "… ", "- ", "— ", "\n", "\n\n", " ", "\t", "a", "a ", "aé", "9", "1. ", "1) ", "* ", "*", "**", "**a", "*a ", "_", "_a ", "__a",
    "[", "[a", "[[a]", "](", "[a](", "[a](http://", "[a](/b) ", "![", "(", ")", "()", "<", "<p>", "<p ", "<b><", "</", "<!--", "&", "&amp;", "&#", "&#0;", "\0", "\xad", "\u200b", "\u202e", "é\u0301", "\r",
    "\r\n", "\x85", "> ", "> a\n", ">a\n\n", "# ", "A B: c\n", "ANN LEE: a. ", "ANN LEE:\n", "Q: a\n", "Related: ", "RELATED: A\n", "Read more: a ", "Share ", "facebook ", "copyright ", "by A ", "By Aa ", "By Aa and ",
    "reporting by A ", "tags: a, ", "@a ", "https://", "https://a.b/ ", "www.", "(Reuters) - ", "— A (@a) May 3, 2020\n", "MORE ", "0:", "10:05 a.m. ", "so-called ", "that ", "it is ", "a-", "a'", "a’", "'90s ",
    "ﬁ", "Ã©", "â€œ", "â€", "\ud83d", "𝒳", "Advertisement ", "advertisement\n", "The a of the a in the a ", "Aa Bb, the a, ", ", a", "; ", "a;a,", "“‘\"'", "‘’", "'s ", "6'2\" ", "... ", ".”", "a.” ",
)  # fmt: skip
PAGES = (
    "<b>word ", "<div>word ", "<div><p>Some words of text stand here, and more of them.</p>", "<li>word ", "</b>", "</div>", "<p>", "<p>Words of text that stand here, forty letters or more.", "<blockquote>so it is ", "<q>so",
    "<a href=x>x</a> ", "<", "<!", "<!--", "<![CDATA[", "<?", "<a b=", "<a b='", "<script>", "<table><tr><td>x", "&", "&amp;", "&#1;", "<svg>", "<h1>x", "<br>", "<br/>a", "<b>a</i>", "\n", "<title>", "<style>",
    "<p>word</p>", "<p>“so it is,” said Ann Lee.</p>", "<em>a</em>", "<iframe>", "<a>", "<form>", "]]>", "-->", "<textarea>", "<p hidden>a", "<p class=dek>a",
)  # fmt: skip
STORY = (
    "<html><body><article><p>The council met on Monday and shut the mill, which had stood there for ninety years.</p>"
)


def main() -> None:
    parts: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
        "text": (prepare_text, TEXTS),
        "lint": (lambda text: make_document(STORY + text, form="html"), PAGES),
        "page": (lambda text: extract_article(STORY + text), PAGES),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=parts)
    only = parser.parse_args().only

    def too_slow(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, too_slow)
    print(f"{'':32}{''.join(f'{n:>9,}' for n in LENGTHS)}   power")
    worse = 0
    for part in [only] if only else parts:
        act, units = parts[part]
        act("words of text ")  # imports and caches
        for unit in units:
            took = measured(act, unit)
            known = [t for t in took if t is not None]
            power = math.log2(max(known[-1], 1e-4) / max(known[-3], 1e-4)) / 2 if len(known) > 2 else math.inf
            bad = len(known) < len(took) or (power > WORST and known[-1] > 0.2)
            worse += bad
            shown = "".join(f"{'-':>9}" if t is None else f"{t:9.3f}" for t in took)
            print(f"{part} {unit!r:27.27}{shown}{power:8.2f}{'  <-- ' if bad else ''}", flush=True)
    print(f"{worse} grow faster than by the power of {WORST}, or took more than {SECONDS} s")


def measured(act: Callable[[str], object], unit: str) -> list[float | None]:
    took: list[float | None] = []
    for n in LENGTHS:
        took.append(None if None in took else seconds(partial(act, (unit * (n // len(unit) + 1))[:n])))
    return took


def seconds(act: Callable[[], object]) -> float | None:
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    began = time.process_time()
    try:
        act()
    except TimeoutError:
        return None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return time.process_time() - began


if __name__ == "__main__":
    main()
