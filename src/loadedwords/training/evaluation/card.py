"""An evaluation and the suites → a model card, as Markdown and as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from loadedwords.files import written_whole
from loadedwords.scoring import FramingModel
from loadedwords.training.card import as_points, as_table, as_text, card_sections, with_interval
from loadedwords.training.evaluation.results import Evaluation
from loadedwords.training.evaluation.texts import read_suite


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
    """
    measured = {**dict(map(_of_suite, suites)), "Known failures": _failures(model)}
    sections = card_sections({**model.bundle.config, "metrics": evaluation.as_dict()}, measured)
    title = f"{model.bundle.name} ({model.bundle.hash[:12]})"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in (("CARD.md", as_text(title, sections)), ("CARD.html", _page(title, sections))):
        with written_whole(folder / name) as beside:
            beside.write_text(content, encoding="utf-8")
        written.append(folder / name)
    return tuple(written)


def _of_suite(suite: Evaluation) -> tuple[str, list[str]]:
    rows = [(f["name"], with_interval(f), f["beside"], f["rests_on"]) for f in suite.as_dict()["findings"]]
    title, _, rest = suite.description.partition(";")
    table = as_table(("figure", "with its interval", "beside", "rests on"), rows)
    return title.rstrip("."), [rest.strip(), table, as_points(suite.notes)]


def _failures(model: FramingModel) -> list[str]:
    failures = read_suite("failures")["failures"]
    scores = model.p_loaded([failure["text"] for failure in failures])
    rows = [
        (
            failure["what"],
            failure["text"],
            f"{p:.2f}",
            failure["right"],
            "right today" if (p >= model.threshold) == (failure["right"] == "loaded") else "wrong",
        )
        for failure, p in zip(failures, scores.tolist(), strict=True)
    ]
    table = as_table(("what", "example", "score", "right would be", "is"), rows)
    return ["Examples written for this card, scored when it was made.", table]


def _page(title: str, sections: dict[str, list[str]]) -> str:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    environment = Environment(
        loader=PackageLoader("loadedwords.training.evaluation", ""), autoescape=True, undefined=StrictUndefined
    )
    rendered = {name: markdown.render("\n\n".join(filter(None, parts))) for name, parts in sections.items()}
    content = {name: Markup(part.replace("<th>", '<th scope="col">')) for name, part in rendered.items()}
    template = environment.get_template("card.html.j2")
    return template.render(title=title, sections=content, version=metadata.version("loadedwords"))
