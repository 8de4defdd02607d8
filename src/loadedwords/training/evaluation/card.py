"""An evaluation and the suites → a model card, as Markdown and as one HTML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from importlib import metadata, resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from loadedwords.files import written_whole
from loadedwords.scoring import FramingModel
from loadedwords.training.card import Section, Table, card_sections, render_markdown, with_interval
from loadedwords.training.evaluation.results import Evaluation

CARD_FILES = ("CARD.md", "CARD.html")


def write_evaluation_card(
    folder: Path, model: FramingModel, evaluation: Evaluation, suites: Sequence[Evaluation]
) -> tuple[Path, ...]:
    """Write the card of a model: its cross-validation, the suites, and known failures with their scores of today.

    Parameters
    ----------
    folder : Path
        Made if it does not exist; gets ``CARD.md`` and ``CARD.html``.
    model : FramingModel
        The finished model that the suites were run on.
    evaluation : Evaluation
        The cross-validation of its recipe.
    suites : sequence of Evaluation
        What `evaluation.probe`, `evaluate_quotations` and `evaluate_spans` found.

    Returns
    -------
    tuple of Path
    """
    config = {**model.bundle.config, "metrics": evaluation.as_dict()}
    base = card_sections(config)
    last = next(at for at, section in enumerate(base) if section.title.startswith("What it must not"))
    sections = [*base[:last], *(_suite_section(each) for each in suites), _failures(model), *base[last:]]
    title = f"{model.bundle.name} ({model.bundle.hash[:12]})"
    environment = Environment(
        loader=PackageLoader("loadedwords.training.evaluation", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.tests |= {"table": lambda part: isinstance(part, Table), "points": lambda part: isinstance(part, tuple)}
    environment.filters["code"] = _code
    page = environment.get_template("card.html.j2").render(
        title=title, sections=sections, version=metadata.version("loadedwords")
    )
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in zip(CARD_FILES, (render_markdown(title, sections), page), strict=True):
        with written_whole(folder / name) as beside:
            beside.write_text(content, encoding="utf-8")
        written.append(folder / name)
    return tuple(written)


def _suite_section(suite: Evaluation) -> Section:
    found = suite.as_dict()
    rows = tuple((f["name"], with_interval(f), f["beside"], f["rests_on"]) for f in found["findings"])
    title, _, rest = suite.description.partition(";")
    table = Table(("figure", "with its interval", "beside", "rests on"), rows)
    return Section(
        title.rstrip("."), (*([rest.strip()] if rest else []), table, *([suite.notes] if suite.notes else []))
    )


def _failures(model: FramingModel) -> Section:
    file = resources.files("loadedwords.training.evaluation") / "suites" / "failures.toml"
    failures = tomllib.loads(file.read_text(encoding="utf-8"))["failures"]
    scores = model.p_loaded([failure["text"] for failure in failures])
    rows = tuple(
        (
            failure["what"],
            failure["text"],
            f"{p:.2f}",
            failure["right"],
            "right today" if (p >= model.threshold) == (failure["right"] == "loaded") else "wrong",
        )
        for failure, p in zip(failures, scores.tolist(), strict=True)
    )
    why = "Examples written for this card, scored when it was made."
    return Section("Known failures", (why, Table(("what", "example", "score", "right would be", "is"), rows)))


def _code(text: str) -> Markup:
    """`code` in backticks as HTML; everything else escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
