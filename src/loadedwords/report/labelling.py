"""A sample of sentences → a page on this computer to label them on, saved after each click.

The page shows neither the outlet nor the score: who knows what the model said, or whose sentence it is, labels towards
it, and the correction would then measure that expectation and not the model's error.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import polars as pl

from loadedwords.errors import DataError
from loadedwords.outlets.hand_labels import LABELS, plain_labels, read_sample, write_sample
from loadedwords.report.local_page import LocalServer

_SHOWN = ("sample_id", "text", "context_before", "context_after")
_LONGEST_REQUEST = 10_000


class LabellingSheet:
    """The labels of one person, in memory and on disk; every change is saved before it counts.

    Labels in the file, which `write_sample` wrote, are kept; those of a named `labeller` go to a file of their own
    beside it, ``sample.NAME.csv``, which starts blank. `file` is where the labels are.

    Raises
    ------
    DataError
        If the file lacks a column, holds a label that is not understood, or the name is not fit for a file.
    """

    def __init__(self, file: Path, *, labeller: str | None = None) -> None:
        self.file = file if labeller is None else _own_file(file, labeller)
        blank = labeller is not None and not self.file.exists()
        table = read_sample(file if blank else self.file)
        if missing := [name for name in _SHOWN if name not in table.columns]:
            raise DataError(
                f"{self.file} lacks the columns {', '.join(missing)}.\nPass a file drawn by loadedwords sample."
            )
        if table["sample_id"].is_duplicated().any():
            raise DataError(f"{self.file} holds a sample_id twice.\nLabel the sample as it was drawn, one row each.")
        if blank:
            table = table.with_columns(label=pl.lit(""), labeller=pl.lit(labeller))
        self._table = table
        self._rows = table.select(_SHOWN).to_dicts()
        self._at = {row["sample_id"]: number for number, row in enumerate(self._rows)}
        self._labels: list[str] = plain_labels(table, self.file).to_list()
        self._clicks: list[int] = []
        self._lock = threading.Lock()
        if blank:
            write_sample(table, self.file)
        self._as_saved = self._stamp()

    @property
    def n_labelled(self) -> int:
        """Sentences with a label, skipped ones among them."""
        return sum(map(bool, self._labels))

    def state(self) -> dict[str, Any]:
        """How far the labelling is, and the next sentence without a label; "sentence" is None where all have one."""
        with self._lock:
            return self._state()

    def put(self, sample_id: str, label: str) -> dict[str, Any]:
        """Label a sentence, save, and return the `state` after it.

        Raises
        ------
        DataError
            If there is no such sentence or label, or somebody else has changed the file.
        """
        if sample_id not in self._at or label not in LABELS:
            raise DataError(f"{sample_id!r} can't be labelled {label!r}.\nReload the page.")
        with self._lock:
            self._save(self._at[sample_id], label)
            self._clicks.append(self._at[sample_id])
            return self._state()

    def undo(self) -> dict[str, Any]:
        """Take back the last label given, save, and return the `state` with that sentence to be labelled again.

        After a restart the last one is the last in the file that has a label.
        """
        with self._lock:
            labelled = [at for at, label in enumerate(self._labels) if label]
            if not labelled:
                return self._state()
            at = next((click for click in reversed(self._clicks) if self._labels[click]), labelled[-1])
            self._save(at, "")
            self._clicks = [click for click in self._clicks if click != at]
            return self._state(at)

    def _save(self, at: int, label: str) -> None:
        if self._stamp() != self._as_saved:
            raise DataError(f"{self.file} was changed by something else.\nStop, look at it, and start labelling again.")
        labels = [*self._labels[:at], label, *self._labels[at + 1 :]]
        write_sample(self._table.with_columns(label=pl.Series(labels, dtype=pl.String)), self.file)
        self._as_saved = self._stamp()
        self._labels = labels

    def _stamp(self) -> tuple[int, int]:
        status = self.file.stat()
        return status.st_mtime_ns, status.st_size

    def _state(self, at: int | None = None) -> dict[str, Any]:
        if at is None:
            at = next((number for number, label in enumerate(self._labels) if not label), None)
        # Only what is shown leaves the computer's memory: neither the score nor the outlet.
        sentence = None if at is None else self._rows[at]
        return {"labelled": self.n_labelled, "total": len(self._rows), "sentence": sentence}


def serve_labelling(sheet: LabellingSheet, *, port: int = 0) -> LocalServer:
    """Start the page on which a sample is labelled: open its `url`, then call `wait`.

    Labels go into the sheet's file at once; started again, the page goes on where it was.

    Raises
    ------
    OSError
        If the `port`, 0 for any that is free, is taken.
    """
    answers = {
        "state": lambda _: sheet.state(),
        "label": lambda sent: sheet.put(str(sent.get("sample_id")), str(sent.get("label"))),
        "undo": lambda _: sheet.undo(),
        "finish": lambda _: sheet.state(),
    }
    return LocalServer("labelling.html.j2", {"name": sheet.file.name}, answers,
                       last="finish", longest_request=_LONGEST_REQUEST, port=port)  # fmt: skip


def _own_file(file: Path, labeller: str) -> Path:
    if not re.fullmatch(r"[\w-]{1,60}", labeller):
        raise DataError(f"labeller {labeller!r} becomes part of a file name.\nUse letters, digits, - and _.")
    return file.with_name(f"{file.stem}.{labeller}{file.suffix}")
