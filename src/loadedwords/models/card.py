"""The model card: what the config says, for people."""

from __future__ import annotations

from typing import Any


def write_card(config: dict[str, Any]) -> str:
    """The model card: what the config says, for people."""
    corpora = "\n".join(
        f"- {c['name']}{' (' + c['split'] + ')' if 'split' in c else ''}: licence {c['licence']}; sha256 `{c.get('sha256', 'from the Hub')}`"
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
    return f"""# {config["name"]}

A {config["kind"]} model of loaded framing in English news sentences, trained by {config["written_by"]} on
{config["n_sentences"]:,} sentences.

## What the score is
`p_loaded` estimates the probability that the annotators of the first corpus below would call the sentence loaded,
at that corpus's share of loaded sentences. In BABE that is about half; in whole news articles it is far lower, so
read scores on articles as a scale for comparing, not as the share of biased sentences.

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
