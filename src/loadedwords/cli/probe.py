"""`loadedwords probe`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadedwords.cli.options import Within
from loadedwords.cli.tables import show_evaluation

if TYPE_CHECKING:
    from loadedwords.training.evaluation.probes import Classifier


@click.command()
@click.argument("model", required=False)
@click.option("--revision", help="Revision of a checkpoint on the Hub.")
@click.option("--threshold", type=Within(0, 1), help="Probability from which a sentence counts as loaded.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def probe(model: str | None, revision: str | None, threshold: float | None, as_json: bool) -> None:
    """Run the package's own suites on a model: minimal pairs, single words, exchanged names, attributed claims,
    and devices such as euphemism and insinuation.

    MODEL is a bundle (default, linear, or a folder), a scikit-learn classifier of sentences with predict_proba as
    MODULE:OBJECT, or a transformers text-classification checkpoint (folder or Hub name; needs the extra train). One of
    its two classes must be named like loaded, biased or 1.

    \b
    loadedwords probe                             the embedded model
    loadedwords probe my_package.models:pipeline  a fitted scikit-learn pipeline of yours
    loadedwords probe owner/name                  a published checkpoint
    """
    from loadedwords.training import evaluation

    chosen, name = _model_to_probe(model, revision)
    show_evaluation(evaluation.probe(chosen, name=name, threshold=threshold), as_json)


def _model_to_probe(model: str | None, revision: str | None) -> tuple[Classifier, str]:
    """A bundle, a classifier that Python can import, or a checkpoint, in this order; and what to call it."""
    from loadedwords.models.bundle import EMBEDDED, GOLDEN_FILE
    from loadedwords.scoring import load_model

    is_bundle = model is None or model in EMBEDDED or (Path(model) / GOLDEN_FILE).is_file()
    module, _, attribute = (model or "").partition(":")
    is_object = bool(attribute) and not Path(str(model)).exists()
    if revision and (is_bundle or is_object):
        raise click.UsageError("--revision is for a checkpoint on the Hub.")
    if model is None or is_bundle:
        loaded = load_model(model)
        return loaded, loaded.bundle.name
    if is_object:
        import importlib

        sys.path.insert(0, str(Path.cwd()))  # as python -m would
        try:
            return getattr(importlib.import_module(module), attribute), model
        except Exception as error:  # somebody else's module raises what it likes
            raise click.UsageError(f"{model} can't be imported: {type(error).__name__}: {error}.") from error
    from loadedwords.training.evaluation import CheckpointClassifier

    return CheckpointClassifier(model, revision=revision), model
