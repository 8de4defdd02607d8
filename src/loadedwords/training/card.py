"""The model card: what the config says, for people.

A section is a title and its paragraphs, lists and tables, each as Markdown; what is empty is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

METRIC_NAMES = {
    "macro_f1": "macro-F1",
    "mcc": "MCC",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "brier": "Brier (lower is better)",
}
# What a line of the ablation table shows, by the names of an evaluation's findings.
_ABLATED = (
    "ROC AUC, any objection",
    "ROC AUC, clearly loaded",
    "average precision, clearly loaded",
    "F1 of the characters of loaded words",
    "babe: macro-F1",
    "babe: ROC AUC",
)
# What a corpus in these stages alone was for.
_ONLY_FOR = {
    "parity": "only to compare int8 with float",
    "calibration": "only to calibrate; what the checkpoint itself was trained on is not known here",
}

Sections = dict[str, list[str]]


def write_card(config: Mapping[str, Any]) -> str:
    """The model card of a bundle's config, as Markdown."""
    return as_text(config["name"], card_sections(config))


def as_text(title: str, sections: Sections) -> str:
    """Sections as one Markdown text."""
    blocks = [f"# {title}"]
    for name, parts in sections.items():
        blocks += [f"## {name}" if name else "", *parts]
    return "\n\n".join(filter(None, blocks)) + "\n"


def as_points(points: Iterable[str]) -> str:
    return "\n".join(f"- {point}" for point in points)


def as_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def with_interval(value: Mapping[str, Any] | None) -> str:
    """An estimate and its interval, as text."""
    if value is None or value["estimate"] is None:
        return "–"
    if value["low"] is None or value["high"] is None:
        return f"{value['estimate']:.3f} [no interval]"
    return f"{value['estimate']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def card_sections(config: Mapping[str, Any], suites: Mapping[str, list[str]] | None = None) -> Sections:
    """What a bundle's config says of the model, and `suites`, what else was measured."""
    made = f"trained by {config['written_by']} on {config['n_sentences']:,} sentences" if config["n_sentences"] else (
        f"made by {config['written_by']} of a checkpoint"
    )  # fmt: skip
    sections = {"": [f"A {config['kind']} model of loaded framing in English news sentences, {made}."]}
    if "encoder" in config:
        sections["What it is made of"] = [_made_of(config)]
    sections["What the score is"] = [
        _meaning(config),
        f"The mean target of the sentences that it is calibrated on is {config['prevalence']:.3f}. Where loaded sentences "
        "are more frequent, as in a corpus that was drawn so, tell `load_model` or `loadedwords score` the prevalence to "
        "assume, which moves every score's log-odds by the same amount.",
    ]
    sections["What it was trained on"] = [as_points(_corpora(config)), *_labelled_by(config)]
    sections |= _measured(config["metrics"])
    sections |= suites or {}
    sections["What it must not be used for"] = [
        "A verdict on a person; a claim that a statement is true or false; a ranking of outlets without the intervals. "
        "It reads English only. It knows words, not the world: a plain sentence about a heated topic can score high."
    ]
    sections["Licence"] = [
        "The code is Apache-2.0. The weights were trained on the corpora above; where one of them is licensed for "
        "non-commercial use only (BABE: CC BY-NC-SA 4.0), so are the weights."
    ]
    return sections


def _made_of(config: Mapping[str, Any]) -> str:
    encoder, parity = config["encoder"], config["parity"]
    origin = {
        "revision": encoder["revision"],
        "licence": encoder["licence"],
        "sha256 of its weights": encoder["sha256"] and f"`{encoder['sha256']}`",
    }
    known = ", ".join(f"{name} {value}" for name, value in origin.items() if value)
    seeds = f", seed {', '.join(map(str, config['seeds']))}" if config["seeds"] else ""
    return (
        f"The encoder {encoder['name']} ({known}), fine-tuned with heads for the sentence, its words and their kinds, "
        f"in the stages of the recipe in `config.json`{seeds}; exported to ONNX in int8. The int8 model and the float one agree "
        f"on {parity['label_agreement']:.2%} of the labels of {parity['n_sentences']:,} sentences."
    )


def _meaning(config: Mapping[str, Any]) -> str:
    inside = [corpus["name"] for corpus in config["corpora"] if corpus["in_domain"]]
    if inside == ["news"]:
        return (
            "`p_loaded` estimates the share of careful readers who would object to the sentence's wording, in ordinary news. Each "
            "loaded word has a kind, what it does, and a probability that it praises."
        )
    return f"`p_loaded` estimates the probability that those who labelled {' and '.join(inside)} would call the sentence loaded."


def _corpora(config: Mapping[str, Any]) -> list[str]:
    learnt: dict[str, list[str]] = {}  # a corpus may be used in several ways
    for corpus in config["corpora"]:
        split = f" ({corpus['split']})" if "split" in corpus else ""
        line = f"{corpus['name']}{split}: licence {corpus['licence']}; sha256 `{corpus.get('sha256', 'from the Hub')}`"
        if len(stages := corpus.get("stages", ())) == 1 and stages[0] in _ONLY_FOR:
            line += f"; not trained on, {_ONLY_FOR[stages[0]]}"
        learnt.setdefault(line, []).append("as the teachers see it" if corpus.get("relabelled") else "by its labels")
    described = [
        line + ("" if set(how) == {"by its labels"} else f"; learnt {' and '.join(dict.fromkeys(how))}")
        for line, how in learnt.items()
    ]
    if unlabelled := config.get("unlabelled"):
        described.append(
            f"{unlabelled['n_sentences']:,} sentences of unlabelled articles ({unlabelled['source']}, sha256 of the sentences "
            f"`{unlabelled['sha256_of_sentences']}`), labelled by two teachers, each trained on half of what is measured: {unlabelled['teacher']}, trained on "
            f"{', '.join(unlabelled['teacher_corpora'])}"
        )
    return described


def _labelled_by(config: Mapping[str, Any]) -> list[str]:
    """Who labelled each corpus, how far they agree, and how loaded it is."""
    points, rates = [], []
    for name, corpus in {corpus["name"]: corpus for corpus in config["corpora"]}.items():
        if who := corpus.get("labelled_by"):
            agreement = corpus.get("agreement")
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
    return [as_points(points), f"Base rates: {'; '.join(rates)}." if rates else ""]


def _measured(metrics: Mapping[str, Any]) -> Sections:
    """What `Evaluation.as_dict` holds: metrics, further figures, calibration, errors by slice."""
    if not metrics.get("predictors") and not metrics.get("findings"):
        return {"What was measured": ["Not measured. Run `loadedwords evaluate`."]}
    measured = [metrics["description"]]
    if predictors := metrics["predictors"]:
        names = next(iter(predictors.values()))
        measured.append(
            as_table(
                ("predictor", *(METRIC_NAMES.get(name, name) for name in names)),
                ((who, *map(with_interval, values.values())) for who, values in predictors.items()),
            )
        )
    found = [f"{f['name']}: {with_interval(f)}; {f['beside']} ({f['rests_on']})" for f in metrics.get("findings", ())]
    sections = {"What was measured": [*measured, as_points([*found, *metrics.get("notes", ())])]}
    if ablation := metrics.get("ablation"):
        sections["What each part is worth"] = [
            "The recipe with parts left out, each line beside what it was measured on; 95% intervals by resampling articles.",
            as_table(("recipe", "measured on", *_ABLATED), map(_ablated, (metrics, *ablation))),
        ]
    if bins := metrics.get("reliability"):
        rows = [(f"{p:.2f}", f"{share:.2f}", str(n)) for p, share, n in bins]
        sections["Calibration"] = [
            "After calibration on the other folds, in bins of equal size.",
            as_table(("mean probability", "mean target", "sentences"), rows),
        ]
    if slices := metrics.get("slices"):
        sections["Errors by slice"] = [
            "Held-out decisions, mean over the seeds; 95% intervals from resampling articles. False positives: share of the neutral "
            "sentences called loaded; missed: share of the loaded ones called neutral. Slices of fewer than 50 sentences are left out.",
            *(_slices(by, slices) for by in dict.fromkeys(each["by"] for each in slices)),
        ]
    return sections


def _ablated(measured: Mapping[str, Any]) -> list[str]:
    found = {finding["name"]: finding for finding in measured["findings"]}
    recipe, _, rest = measured["description"].partition(": ")
    return [recipe, "; ".join(rest.split("; ")[:2]), *(with_interval(found.get(name)) for name in _ABLATED)]


def _slices(by: str, slices: Sequence[Mapping[str, Any]]) -> str:
    rows = (
        (
            each["value"],
            f"{each['n_sentences']:,}",
            f"{each['n_loaded']:,}",
            *(with_interval(each[name]) for name in ("macro_f1", "false_positive_rate", "missed")),
        )
        for each in slices
        if each["by"] == by
    )
    return as_table((by, "sentences", "loaded", "macro-F1", "false positives", "missed"), rows)
