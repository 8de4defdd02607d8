"""What counts as a word."""

from __future__ import annotations

import re

# Letters and digits, with apostrophes inside ("isn't"). A hyphen parts words here, so that annotators may mark a half.
WORD = re.compile(r"\w+(?:['’]\w+)*")
# The same, a compound ("anti-choice") being one word: what is counted and underlined.
COMPOUND = re.compile(r"\w+(?:['’‐‑-]\w+)*")
