"""A trained model as a folder: a config that names every file and its hash, no pickles.

config.json     what the model is, what it was trained on, its thresholds, its measured quality, file hashes
model.onnx      and tokenizer.json: what a transformer computes with; a linear model has weights.npz
golden.json     sentences with the scores they must get, re-run by `verify`
MODEL_CARD.md   the same for people
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from loadedwords.errors import ModelError, OutputError
from loadedwords.files import folder_written_whole

SCHEMA_VERSION = 1
CONFIG_FILE = "config.json"
GOLDEN_FILE = "golden.json"
CARD_FILE = "MODEL_CARD.md"
# What a kind of model computes with, which no config may leave without a hash.
_MADE_OF = {"transformer": ("model.onnx", "tokenizer.json"), "linear": ("weights.npz",)}
# What a file manager leaves in a folder that was only looked at.
_OF_FILE_MANAGERS = (".DS_Store", "Thumbs.db", "desktop.ini")
EMBEDDED = {"default": "default", "linear": "linear_default"}


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, its files checked against their hashes.

    `config` is as in `config.json`, and `hash` the SHA-256 of that file; since it holds the hashes of all other files,
    it stands for the whole model.
    """

    folder: Path
    config: Mapping[str, Any]
    hash: str

    @property
    def kind(self) -> str:
        return str(self.config["kind"])

    @property
    def name(self) -> str:
        return str(self.config["name"])


def open_bundle(model: str | Path | None = None) -> Bundle:
    """Find and check a bundle.

    Parameters
    ----------
    model : str or Path, optional
        The name of an embedded bundle ("default", "linear") or the folder of another; the default if not given.

    Raises
    ------
    ModelError
        If there is no such bundle, it is of a format this version does not know, or a file was changed.
    """
    folder = _locate("default" if model is None else str(model))
    config_file = folder / CONFIG_FILE
    if not config_file.is_file():
        raise ModelError(
            f"{folder} is not a bundle: it has no {CONFIG_FILE}.\n"
            f"Pass a folder written by loadedwords train, or one of: {', '.join(EMBEDDED)}."
        )
    content = config_file.read_bytes()
    try:
        config = json.loads(content)
        version, files = config["schema_version"], config["files"]
        needed = (GOLDEN_FILE, *_MADE_OF.get(str(config["kind"]), ()))
        unvouched = [name for name in needed if name not in files]
        if not 0 < float(config.get("prevalence", 0.5)) < 1 or not isinstance(config["name"], str):
            raise ValueError("its prevalence is no share, or its name no text")
        listed = list(files.items())
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ModelError(
            f"{config_file} is no bundle's config: {error!r}.\nTrain the model again or restore the file."
        ) from error
    if version != SCHEMA_VERSION:
        raise ModelError(
            f"{folder} has format {version}; this version of loadedwords reads format {SCHEMA_VERSION}.\n"
            "Install the version that wrote it, or train the model again."
        )
    if unvouched:
        raise ModelError(f"{config_file} vouches for no {unvouched[0]}.\nCopy the whole folder again.")
    for name, expected in listed:
        file = folder / name
        if Path(name).name != name or not file.is_file():
            raise ModelError(f"{folder} lacks its file {name}.\nCopy the whole folder again.")
        if file_hash(file) != expected:
            raise ModelError(
                f"{file} was changed since the model was saved: its hash differs.\nCopy the whole folder again."
            )
    return Bundle(folder, config, hashlib.sha256(content).hexdigest())


def _locate(name: str) -> Path:
    if name in EMBEDDED:  # a folder of that name is passed as ./default
        return Path(str(resources.files("loadedwords.models") / EMBEDDED[name]))
    if not Path(name).is_dir():
        raise ModelError(
            f"There is no model {name}: neither the name of an embedded one ({', '.join(EMBEDDED)}) nor a folder.\n"
            "Pass a folder written by loadedwords train."
        )
    return Path(name)


def write_bundle(folder: Path, write_files: Callable[[Path], dict[str, Any]]) -> Bundle:
    """Write a bundle and open it.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty, unless it is a bundle and nothing else, which is then replaced.
    write_files : callable
        Writes the model's files into the folder it is given and returns the config, without file hashes.

    Raises
    ------
    OutputError
        If the place is taken by something else or can't be written.
    """
    folder = folder.resolve()  # a link, and what is here, are replaced where they lie
    check_place(folder)
    with folder_written_whole(folder) as beside:
        config = write_files(beside)
        files = {file.name: file_hash(file) for file in sorted(beside.iterdir())}
        complete = {"schema_version": SCHEMA_VERSION, **config, "files": files}
        (beside / CONFIG_FILE).write_text(json.dumps(complete, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
    return open_bundle(folder)


def check_place(folder: Path) -> None:
    """Refuse a place for a bundle that can't be written, or that holds anything but an earlier bundle."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        found = {file.name for file in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise OutputError(f"{folder} can't be written: {error}.\nName another folder.") from error
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8")) if found else {}
        others = found - {CONFIG_FILE, *config["files"], *_OF_FILE_MANAGERS} if found else set()
    except (OSError, ValueError, TypeError, KeyError):
        raise OutputError(f"{folder} exists and is not a bundle.\nName another folder, or remove this one.") from None
    if others:
        raise OutputError(f"{folder} holds other files than a bundle's, such as {min(others)}.\nName another folder.")


def file_hash(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal: what a bundle records of its own files and of its corpora."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
