"""`loadedwords: off`, `on` and `ignore-next`, written into a story, and what they silence."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ORDER = r"loadedwords:[ \t]*(off|on|ignore-next)"
# In a comment of HTML or Markdown anywhere, or alone on a line, with or without a mark of comments before it.
DIRECTIVE = re.compile(
    rf"<!--[ \t]*{_ORDER}[ \t]*-->"
    rf"|^[ \t]*\[[^\]\n]*\]:[ \t]*\#[ \t]*\([ \t]*{_ORDER}[ \t]*\)[ \t]*\r?$"
    rf"|^[ \t]*+(?:\#|//|%)?[ \t]*+{_ORDER}[ \t]*\r?$",
    re.MULTILINE,
)


def silenced(source: str, sentence_starts: Iterable[int]) -> list[tuple[int, int]]:
    """The slices of `source` whose findings are left out.

    ``off`` reaches to the next ``on`` or to the end; ``ignore-next`` to the end of the sentence that starts next, which
    is given as the slice up to the start of the one after it.
    """
    starts = sorted(sentence_starts)
    spans = []
    off: int | None = None
    for match in DIRECTIVE.finditer(source):
        order = next(filter(None, match.groups()))
        if order == "off" and off is None:
            off = match.start()
        elif order == "on" and off is not None:
            spans.append((off, match.end()))
            off = None
        elif order == "ignore-next":
            later = [at for at in starts if at >= match.end()]
            spans.append((match.start(), later[1] if len(later) > 1 else len(source)))
    return [*spans, (off, len(source))] if off is not None else spans
