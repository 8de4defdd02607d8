"""A baseline: the findings that were there before, which are not reported again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from loadedwords.errors import DataError, OutputError
from loadedwords.files import written_whole
from loadedwords.lint.findings import Finding

_VERSION = 1

Known = Counter[tuple[str, str, str]]


def read_baseline(file: Path) -> Known:
    """What `write_baseline` wrote.

    Raises
    ------
    DataError
        If it can't be read.
    """
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["version"] != _VERSION:
            raise ValueError(f"it has version {stored['version']!r}, known is {_VERSION}")
        return Counter({(row["file"], row["sentence"], row["word"]): int(row["n"]) for row in stored["findings"]})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is no baseline: {error!r}.\nWrite it again with --write-baseline.") from error


def write_baseline(findings: Sequence[Finding], file: Path) -> None:
    """Write what is known of `findings`: file (as seen from the baseline), sentence and word, not the line."""
    known = Counter(_key(finding, file) for finding in findings)
    rows = [
        {"file": path, "sentence": sentence, "word": word, "n": n}
        for (path, sentence, word), n in sorted(known.items())
    ]
    content = json.dumps({"version": _VERSION, "findings": rows}, indent=1, ensure_ascii=False) + "\n"
    try:
        with written_whole(file) as beside:
            beside.write_text(content, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{file} can't be written: {error}.\nCheck the folder.") from error


def without_known(findings: Sequence[Finding], known: Known, file: Path) -> list[Finding]:
    """The findings that a baseline does not know; a word that it knows once is new the second time."""
    left = Counter(known)
    new = []
    for finding in findings:
        key = _key(finding, file)
        if left[key] > 0:
            left[key] -= 1
        else:
            new.append(finding)
    return new


def _key(finding: Finding, file: Path) -> tuple[str, str, str]:
    folder, place = file.resolve().parent, Path(finding.path).resolve()
    path = place.relative_to(folder).as_posix() if place.is_relative_to(folder) else place.as_posix()
    if finding.path == "-":
        path = "-"
    return path, " ".join(finding.sentence.split()), " ".join(finding.text.split()).casefold()
