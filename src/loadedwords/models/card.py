"""The model card: what the config says, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def write_card(config: Mapping[str, Any]) -> str:
    """The model card of a bundle's config, as Markdown."""
    made = f"trained by {config['written_by']} on {config['n_sentences']:,} sentences" if config["n_sentences"] else (
        f"made by {config['written_by']} of a checkpoint"
    )  # fmt: skip
    return f"""# {config["name"]}

A {config["kind"]} model of loaded framing in English news sentences, {made}.
{_made_of(config)}
## What the score is
`p_loaded` estimates the probability that {_labellers(config)} would call the sentence loaded, at a share of loaded
sentences of {config["prevalence"]:.0%}, as among theirs. In whole news articles the share is far lower, so read scores on articles as
a scale for comparing, not as the share of biased sentences; or tell `load_model` or `loadedwords score` the
prevalence to assume, which moves every score's log-odds by the same amount.

## What it was trained on
{_corpora(config)}

## What was measured
{_measured(config["metrics"])}
## What it must not be used for
A verdict on a person; a claim that a statement is false; a ranking of outlets without the intervals. It reads
English only. It knows words, not the world: a plain sentence about a heated topic can score high.

## Licence
The code is Apache-2.0. The weights were trained on the corpora above; where one of them is licensed for
non-commercial use only (BABE: CC BY-NC-SA 4.0), so are the weights.
"""


def _labellers(config: Mapping[str, Any]) -> str:
    return "the annotators of " + " and ".join(corpus["name"] for corpus in config["corpora"] if corpus["in_domain"])


def _made_of(config: Mapping[str, Any]) -> str:
    if "encoder" not in config:
        return ""
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
    return f"""
## What it is made of
The encoder {encoder["name"]} ({", ".join(origin)}), fine-tuned with a head for the sentence and a head for its words, in
the stages of the recipe in `config.json`{seeds}; exported to ONNX in int8. The int8 model and the float one agree on
{parity["label_agreement"]:.2%} of the labels of {parity["n_sentences"]:,} sentences.
"""


def _corpora(config: Mapping[str, Any]) -> str:
    only_for = {
        ("parity",): "; not trained on, only to compare int8 with float",
        (
            "calibration",
        ): "; not trained on, only to calibrate; what the checkpoint itself was trained on is not known here",
    }
    lines = [
        f"- {corpus['name']}{' (' + corpus['split'] + ')' if 'split' in corpus else ''}: licence {corpus['licence']}; "
        f"sha256 `{corpus.get('sha256', 'from the Hub')}`{only_for.get(tuple(corpus.get('stages', ())), '')}"
        for corpus in config["corpora"]
    ]
    if unlabelled := config.get("unlabelled"):
        lines.append(
            f"- {unlabelled['n_sentences']:,} sentences of unlabelled articles ({unlabelled['source']}, sha256 of the sentences "
            f"`{unlabelled['sha256_of_sentences']}`), labelled by a teacher: {unlabelled['teacher']}, trained on "
            f"{', '.join(unlabelled['teacher_corpora'])}; up to {unlabelled['contrasts']:,} of them, with loaded and with plain "
            "words put in, taught the word head (`models/contrast.py`)"
        )
    return "\n".join(lines)


def _measured(metrics: dict[str, Any]) -> str:
    if not metrics:
        return "Not measured. Run `loadedwords evaluate`.\n"
    names = list(next(iter(metrics["predictors"].values())))
    rows = [
        f"| {predictor} | " + " | ".join(_with_interval(value) for value in values.values()) + " |"
        for predictor, values in metrics["predictors"].items()
    ]
    table = [f"| predictor | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|", *rows]
    points = [
        *(f"- {f['name']}: {_with_interval(f)}; {f['beside']} ({f['rests_on']})" for f in metrics.get("findings", ())),
        *(f"- {note}" for note in metrics.get("notes", ())),
    ]
    parts = [metrics["description"], "", *table, "", *points, ""]
    if bins := metrics.get("reliability"):
        parts += [
            "Reliability after calibration on the other folds, in bins of equal size:",
            "",
            "| mean probability | share loaded | sentences |",
            "|---|---|---|",
            *(f"| {p:.2f} | {share:.2f} | {n} |" for p, share, n in bins),
            "",
        ]
    return "\n".join(parts)


def _with_interval(value: dict[str, float]) -> str:
    return f"{value['estimate']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
