"""Lists by hand, in the TOML files of this folder."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_lists(file: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(file).read_text(encoding="utf-8"))


def items(listed: str) -> tuple[str, ...]:
    """What stands between commas or on lines of its own."""
    return tuple(filter(None, (item.strip() for item in re.split(r"[,\n]", listed))))
