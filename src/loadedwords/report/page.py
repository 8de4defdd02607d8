"""What the pages have in common: how one is rendered and written, its style, and the scale of a chart."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loadedwords.files import written_whole
from loadedwords.printable import printable

NO_OUTLET = "(no outlet)"
WIDTH = 620  # of a chart, in pixels; names stand left of LABELS
LABELS = 180
LONGEST_NAME = 120


@dataclass(frozen=True)
class Axis:
    """A scale in pixels: templates place by it what they draw."""

    low: float
    high: float
    left: float = LABELS
    right: float = WIDTH - 20

    def at(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return round(self.left + (inside - self.low) / (self.high - self.low) * (self.right - self.left), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where they stand, and their labels."""
        most = (self.right - self.left) / 48  # a label's width and some air
        step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if (self.high - self.low) / s <= most), 0.5)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self.at(k * step), minus(f"{k * step:.2f}")) for k in range(first, last + 1)]


def upper_end(values: Iterable[float | None], at_least: float = 0.1) -> float:
    """Where a scale of these shares ends."""
    highest = max([value for value in values if value is not None] + [at_least])
    return min(1.0, math.ceil(highest * 20 + 1e-9) / 20)


def render(template: str, filters: Mapping[str, Callable[..., Any]] | None = None, /, **values: Any) -> str:
    """A page of the template, whose style stands in `page.css`; what it is given is escaped, and turns no line around."""
    environment = Environment(
        loader=PackageLoader("loadedwords", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {
            "name": lambda outlet: shorten(name(outlet), LONGEST_NAME),
            "share": share,
            "count": count,
            "shorten": shorten,
            "sha256": _sha256,
        }
    )
    environment.filters.update(filters or {})
    environment.globals.update(source=_source, version=metadata.version("loadedwords"))
    return printable(environment.get_template(template).render(**values))


def write_page(page: str, file: Path) -> Path:
    """Write beside and rename into place, so that there is never half a page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as beside:
        beside.write_text(page, encoding="utf-8", errors="replace")
    return file


def name(outlet: str | None) -> str:
    return outlet or NO_OUTLET


def shorten(name: str, most: int) -> str:
    """The middle goes: names of one family of outlets differ at the end."""
    return name if len(name) <= most else f"{name[: (most - 1) // 2].rstrip()}…{name[-(most // 2) :].lstrip()}"


def minus(number: str) -> str:
    return number.replace("-", "−")


def share(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else minus(f"{value:.{digits}f}")


def count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _source(file: str) -> Markup:
    """A style or a script of this folder, as it is."""
    return Markup(resources.files("loadedwords.report").joinpath(file).read_text(encoding="utf-8"))


def _sha256(text: str) -> str:
    """As a Content-Security-Policy names a script or a style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()
