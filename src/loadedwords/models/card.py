"""The model card: what the config says, for people."""

from __future__ import annotations

from typing import Any

NOT_TRAINED_ON = "; not trained on, only to compare int8 with float"


def write_card(config: dict[str, Any]) -> str:
    """The model card: what the config says, for people."""
    corpora = "\n".join(
        f"- {c['name']}{' (' + c['split'] + ')' if 'split' in c else ''}: licence {c['licence']}; sha256 `{c.get('sha256', 'from the Hub')}`{NOT_TRAINED_ON if c.get('stages') == ['parity'] else ''}"
        for c in config["corpora"]
    )
    metrics = config["metrics"]
    measured = "Not measured. Run `loadedwords evaluate`.\n"
    if metrics:
        rows = "\n".join(
            f"| {name} | "
            + " | ".join(f"{v['estimate']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for v in values.values())
            + " |"
            for name, values in metrics["predictors"].items()
        )
        names = list(next(iter(metrics["predictors"].values())))
        measured = (
            f"{metrics['description']}\n\n| predictor | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}\n{rows}\n"
        )
        measured += "".join(
            f"\n- {f['name']}: {f['estimate']:.3f} [{f['low']:.3f}, {f['high']:.3f}]; {f['beside']} ({f['rests_on']})"
            for f in metrics.get("findings", ())
        )
        measured += "".join(f"\n- {note}" for note in metrics.get("notes", ())) + "\n"
        if bins := metrics.get("reliability"):
            rows = "\n".join(f"| {p:.2f} | {share:.2f} | {n} |" for p, share, n in bins)
            measured += (
                "\nReliability after calibration on the other folds, in bins of equal size:\n\n"
                f"| mean probability | share loaded | sentences |\n|---|---|---|\n{rows}\n"
            )
    annotators = " and ".join(c["name"] for c in config["corpora"] if c["in_domain"])
    built = ""
    if encoder := config.get("encoder"):
        parity = config["parity"]
        built = f"""
## What it is made of
The encoder {encoder["name"]} (revision {encoder["revision"]}, licence {encoder["licence"]}, sha256 of its weights
`{encoder["sha256"]}`), fine-tuned with a head for the sentence and a head for its words, in the stages of the recipe in
`config.json`, seed {", ".join(map(str, config["seeds"]))}; exported to ONNX in int8. The int8 model and the float one agree
on {parity["label_agreement"]:.2%} of the labels of {parity["n_sentences"]:,} sentences.
"""
    return f"""# {config["name"]}

A {config["kind"]} model of loaded framing in English news sentences, trained by {config["written_by"]} on
{config["n_sentences"]:,} sentences.
{built}
## What the score is
`p_loaded` estimates the probability that the annotators of {annotators} would call the sentence loaded, at that
corpus's share of loaded sentences, {config["prevalence"]:.0%}. In whole news articles the share is far lower, so read scores on articles as a scale for comparing, not as the share of biased sentences; or tell `load_model` or
`loadedwords score` the prevalence to assume, which moves every score's log-odds by the same amount.

## What it was trained on
{corpora}

## What was measured
{measured}
## What it must not be used for
A verdict on a person; a claim that a statement is false; a ranking of outlets without the intervals. It reads
English only. It knows words, not the world: a plain sentence about a heated topic can score high.

## Licence
The code is Apache-2.0. The weights were trained on the corpora above; where one of them is licensed for
non-commercial use only (BABE: CC BY-NC-SA 4.0), so are the weights.
"""
