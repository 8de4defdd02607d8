"""What can go wrong, said in three parts: what, where, and what to do next."""

from __future__ import annotations

import importlib
from types import ModuleType


class LoadedwordsError(Exception):
    """Every error that this package raises on purpose."""


class DataError(LoadedwordsError):
    """Input that can't be used as it is: a file, a column, a label."""


class ModelError(LoadedwordsError):
    """A bundle that is missing, damaged, of another format, or not a bundle at all."""


class OutputError(LoadedwordsError):
    """A place where results can't be written, or already lie."""


class MissingExtraError(LoadedwordsError, ImportError):
    """A part of the package that needs an extra which is not installed."""


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of this package that installs it.
    purpose : str
        What needs it, as the start of a sentence.

    Returns
    -------
    module

    Raises
    ------
    MissingExtraError
        If the module is not installed; the message holds the exact install line.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A module that is there but lacks a part of its own is another trouble: leave that error as it is.
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{purpose} needs {error.name}, which is not installed.\nInstall it with:  pip install 'loadedwords[{extra}]'"
        ) from error
