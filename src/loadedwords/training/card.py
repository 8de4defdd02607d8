"""The model card: what the config says, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadedwords.training.corpora import CORPORA

METRIC_NAMES = {
    "macro_f1": "macro-F1",
    "mcc": "MCC",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "brier": "Brier (lower is better)",
}


@dataclass(frozen=True)
class Table:
    """A table of a card; every cell is text."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of a card: paragraphs, bullet points and tables, in the order they are shown."""

    title: str
    parts: tuple[str | tuple[str, ...] | Table, ...]


def write_card(config: Mapping[str, Any]) -> str:
    """The model card of a bundle's config, as Markdown."""
    return render_markdown(config["name"], card_sections(config))


def render_markdown(title: str, sections: Sequence[Section]) -> str:
    """Sections as Markdown."""
    lines = [f"# {title}", ""]
    for section in sections:
        lines += [f"## {section.title}", ""] if section.title else []
        for part in section.parts:
            if isinstance(part, Table):
                rows = [part.header, ("---",) * len(part.header), *part.rows]
                lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
            elif isinstance(part, tuple):
                lines += [f"- {point}" for point in part]
            else:
                lines.append(part)
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def card_sections(config: Mapping[str, Any]) -> list[Section]:
    """What a bundle's config says of the model."""
    made = f"trained by {config['written_by']} on {config['n_sentences']:,} sentences" if config["n_sentences"] else (
        f"made by {config['written_by']} of a checkpoint"
    )  # fmt: skip
    sections = [Section("", (f"A {config['kind']} model of loaded framing in English news sentences, {made}.",))]
    if "encoder" in config:
        sections.append(Section("What it is made of", (_made_of(config),)))
    return [
        *sections,
        Section(
            "What the score is",
            (
                _meaning(config),
                f"The mean target of the sentences that it is calibrated on is {config['prevalence']:.3f}. Where loaded sentences "
                "are more frequent, as in a corpus that was drawn so, tell `load_model` or `loadedwords score` the prevalence to "
                "assume, which moves every score's log-odds by the same amount.",
            ),
        ),
        Section("What it was trained on", (_corpora(config), *_labelled_by(config))),
        *measured_sections(config["metrics"]),
        Section(
            "What it must not be used for",
            (
                "A verdict on a person; a claim that a statement is true or false; a ranking of outlets without the intervals. "
                "It reads English only. It knows words, not the world: a plain sentence about a heated topic can score high.",
            ),
        ),
        Section(
            "Licence",
            (
                "The code is Apache-2.0. The weights were trained on the corpora above; where one of them is licensed for "
                "non-commercial use only (BABE: CC BY-NC-SA 4.0), so are the weights.",
            ),
        ),
    ]


def measured_sections(metrics: Mapping[str, Any]) -> list[Section]:
    """What `Evaluation.as_dict` holds: metrics, further figures, calibration, errors by slice."""
    if not metrics.get("predictors") and not metrics.get("findings"):
        return [Section("What was measured", ("Not measured. Run `loadedwords evaluate`.",))]
    parts: list[str | tuple[str, ...] | Table] = [metrics["description"]]
    if metrics["predictors"]:
        names = list(next(iter(metrics["predictors"].values())))
        parts.append(
            Table(
                ("predictor", *(METRIC_NAMES.get(name, name) for name in names)),
                tuple(
                    (predictor, *(with_interval(value) for value in values.values()))
                    for predictor, values in metrics["predictors"].items()
                ),
            )
        )
    points = (
        *(f"{f['name']}: {with_interval(f)}; {f['beside']} ({f['rests_on']})" for f in metrics.get("findings", ())),
        *metrics.get("notes", ()),
    )
    sections = [Section("What was measured", (*parts, *([points] if points else [])))]
    if ablation := metrics.get("ablation"):
        sections.append(Section("What each part is worth", _ablation(metrics, ablation)))
    if bins := metrics.get("reliability"):
        rows = tuple((f"{p:.2f}", f"{share:.2f}", str(n)) for p, share, n in bins)
        table = Table(("mean probability", "mean target", "sentences"), rows)
        why = "After calibration on the other folds, in bins of equal size."
        sections.append(Section("Calibration", (why, table)))
    if slices := metrics.get("slices"):
        sections.append(Section("Errors by slice", (_SLICES, *_slice_tables(slices))))
    return sections


# What a line of the ablation table shows, by the names of an evaluation's findings.
_ABLATED = (
    "ROC AUC, any objection",
    "ROC AUC, clearly loaded",
    "average precision, clearly loaded",
    "F1 of the characters of loaded words",
    "babe: macro-F1",
    "babe: ROC AUC",
)


def _ablation(metrics: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> tuple[str | Table, ...]:
    rows = []
    for of in (metrics, *parts):
        found = {finding["name"]: finding for finding in of["findings"]}
        rows.append((of["description"].partition(":")[0], *(with_interval(found.get(name)) for name in _ABLATED)))
    why = "The same folds with one part of the recipe left out; 95% intervals by resampling articles."
    return (why, Table(("recipe", *_ABLATED), tuple(rows)))


_SLICES = (
    "Held-out decisions, mean over the seeds; 95% intervals from resampling articles. False positives: share of the neutral "
    "sentences called loaded; missed: share of the loaded ones called neutral. Slices of fewer than 50 sentences are left out."
)


def _slice_tables(slices: Sequence[Mapping[str, Any]]) -> list[Table]:
    tables = []
    for by in dict.fromkeys(each["by"] for each in slices):
        rows = tuple(
            (
                each["value"],
                f"{each['n_sentences']:,}",
                f"{each['n_loaded']:,}",
                *(with_interval(each[name]) for name in ("macro_f1", "false_positive_rate", "missed")),
            )
            for each in slices
            if each["by"] == by
        )
        tables.append(Table((by, "sentences", "loaded", "macro-F1", "false positives", "missed"), rows))
    return tables


def with_interval(value: Mapping[str, float] | None) -> str:
    """An estimate and its interval, as text."""
    if value is None:
        return "–"
    if value["low"] is None or value["high"] is None:
        return f"{value['estimate']:.3f} [no interval]"
    return f"{value['estimate']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def _meaning(config: Mapping[str, Any]) -> str:
    inside = [corpus["name"] for corpus in config["corpora"] if corpus["in_domain"]]
    if inside == ["news"]:
        return (
            "`p_loaded` estimates the share of careful readers who would object to the sentence's wording, in ordinary news. Each "
            "loaded word has a kind, what it does, and a probability that it praises."
        )
    return f"`p_loaded` estimates the probability that those who labelled {' and '.join(inside)} would call the sentence loaded."


def _labelled_by(config: Mapping[str, Any]) -> tuple[str | tuple[str, ...], ...]:
    """Who labelled each corpus, how far they agree, and how loaded it is; of older bundles what is known today."""
    points, rates = [], []
    for name, corpus in {corpus["name"]: corpus for corpus in config["corpora"]}.items():
        known = CORPORA.get(name)
        who = corpus.get("labelled_by", known and known.labelled_by)
        agreement = corpus.get("agreement", known and known.agreement)
        if who:
            points.append(f"{name} was labelled by {who}." + (f" Agreement: {agreement}." if agreement else ""))
        rate = corpus.get("base_rates")
        if rate and corpus["in_domain"]:
            rates.append(
                f"of {rate['n_sentences']:,} sentences of {name} {rate['clearly_loaded']:.1%} are clearly loaded and "
                f"{rate['borderline']:.1%} borderline"
            )
        elif rate and corpus.get("measured"):
            rates.append(
                f"of {rate['n_sentences']:,} of {name}, which is not in domain, {rate['labelled_loaded']:.1%} are labelled loaded"
            )
    said = "; ".join(rates)
    return (*([tuple(points)] if points else []), *([f"Base rates: {said}."] if said else []))


def _made_of(config: Mapping[str, Any]) -> str:
    encoder, parity = config["encoder"], config["parity"]
    origin = [
        f"{name} {value}"
        for name, value in (
            ("revision", encoder["revision"]),
            ("licence", encoder["licence"]),
            ("sha256 of its weights", encoder["sha256"] and f"`{encoder['sha256']}`"),
        )
        if value
    ]
    seeds = f", seed {', '.join(map(str, config['seeds']))}" if config["seeds"] else ""
    return (
        f"The encoder {encoder['name']} ({', '.join(origin)}), fine-tuned with heads for the sentence, its words and their kinds, "
        f"in the stages of the recipe in `config.json`{seeds}; exported to ONNX in int8. The int8 model and the float one agree "
        f"on {parity['label_agreement']:.2%} of the labels of {parity['n_sentences']:,} sentences."
    )


_ONLY_FOR = {
    ("parity",): "; not trained on, only to compare int8 with float",
    (
        "calibration",
    ): "; not trained on, only to calibrate; what the checkpoint itself was trained on is not known here",
}


def _corpora(config: Mapping[str, Any]) -> tuple[str, ...]:
    described = []
    for corpus in config["corpora"]:
        line = (
            f"{corpus['name']}{' (' + corpus['split'] + ')' if 'split' in corpus else ''}: licence {corpus['licence']}; "
            f"sha256 `{corpus.get('sha256', 'from the Hub')}`{_ONLY_FOR.get(tuple(corpus.get('stages', ())), '')}"
        )
        if corpus.get("relabelled"):
            line += "; its sentences are learnt as the teachers see them, not by its labels"
        described.append(line)
    points = list(dict.fromkeys(described))  # a corpus may be used in two ways
    if unlabelled := config.get("unlabelled"):
        points.append(
            f"{unlabelled['n_sentences']:,} sentences of unlabelled articles ({unlabelled['source']}, sha256 of the sentences "
            f"`{unlabelled['sha256_of_sentences']}`), labelled by two teachers, each trained on half of what is measured: {unlabelled['teacher']}, trained on "
            f"{', '.join(unlabelled['teacher_corpora'])}"
        )
    return tuple(points)
