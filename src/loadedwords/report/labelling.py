"""A sample of sentences → a page on this computer to label them on, saved after each click.

The page shows neither the outlet nor the score: who knows what the model said, or whose sentence it is, labels towards
it, and the correction would then measure that expectation and not the model's error.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl

from loadedwords.errors import DataError
from loadedwords.outlets.hand_labels import LABELS, plain_labels, read_sample, write_sample
from loadedwords.report.page import render

_SHOWN = ("sample_id", "text", "context_before", "context_after")
_LONGEST_REQUEST = 10_000


class LabellingSheet:
    """The labels of one person, in memory and on disk; every change is saved before it counts.

    Parameters
    ----------
    file : Path
        As `write_sample` wrote it; labels in it are kept.
    labeller : str or None
        Labels of a named person go to a file of their own beside it, ``sample.NAME.csv``, which starts blank.

    Raises
    ------
    DataError
        If the file lacks a column, holds a label that is not understood, or the name is not fit for a file.

    Attributes
    ----------
    file : Path
        Where the labels are.
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


class LabellingServer(ThreadingHTTPServer):
    """The page, served to this computer only, until it is closed.

    Attributes
    ----------
    url : str
        Address of the page; who does not know the token in it gets nothing.
    sheet : LabellingSheet
    """

    daemon_threads = True

    def __init__(self, sheet: LabellingSheet, *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.sheet = sheet
        self.token = secrets.token_urlsafe(24)
        self.nonce = secrets.token_urlsafe(16)
        self.url = f"http://127.0.0.1:{self.server_port}/{self.token}/"
        self.page = render("labelling.html.j2", nonce=self.nonce, name=sheet.file.name).encode()
        self.finished = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def wait(self) -> int:
        """Block until the labeller finishes or presses Ctrl-C, close, and return how many sentences have a label."""
        try:
            # Without a time limit the wait can't be interrupted on Windows.
            while not self.finished.wait(1.0):
                pass
        except KeyboardInterrupt:
            pass
        finally:
            self.close()
        return self.sheet.n_labelled

    def close(self) -> None:
        """Stop serving; what was labelled is on disk already."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_labelling(sample_csv: Path, *, port: int = 0, labeller: str | None = None) -> LabellingServer:
    """Start the page on which a sample is labelled: open its `url`, then call `wait`.

    Parameters
    ----------
    sample_csv : Path
        As `write_sample` wrote it. Labels go into its column `label`, at once; started again, the page goes on where
        it was.
    port : int
        On 127.0.0.1; 0 for any that is free.
    labeller : str or None
        Labels of a named person go to a file of their own, ``sample.NAME.csv``, for agreement to be measured.

    Raises
    ------
    DataError
        If the file is not a sample.
    OSError
        If the port is taken.
    """
    return LabellingServer(LabellingSheet(sample_csv, labeller=labeller), port=port)


def _own_file(file: Path, labeller: str) -> Path:
    if not re.fullmatch(r"[\w-]{1,60}", labeller):
        raise DataError(f"labeller {labeller!r} becomes part of a file name.\nUse letters, digits, - and _.")
    return file.with_name(f"{file.stem}.{labeller}{file.suffix}")


class _Handler(BaseHTTPRequestHandler):
    server: LabellingServer

    def do_GET(self) -> None:
        match self._asked(writes=False):
            case "":
                self._answer(HTTPStatus.OK, self.server.page, "text/html; charset=utf-8")
            case "state":
                self._answer_json(HTTPStatus.OK, self.server.sheet.state())
            case str():
                self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def do_POST(self) -> None:
        asked, sheet = self._asked(writes=True), self.server.sheet
        if asked is None:
            return
        try:
            sent = self._sent()
            if asked == "label":
                self._answer_json(HTTPStatus.OK, sheet.put(str(sent.get("sample_id")), str(sent.get("label"))))
            elif asked == "undo":
                self._answer_json(HTTPStatus.OK, sheet.undo())
            elif asked == "finish":
                self._answer_json(HTTPStatus.OK, sheet.state())
                self.server.finished.set()
            else:
                self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here.")
        except DataError as error:
            self._refuse(HTTPStatus.CONFLICT, str(error))
        except OSError as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"Not saved: {error}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet: the address holds the token."""

    def _asked(self, *, writes: bool) -> str | None:
        """What stands after the token; None where the request was refused."""
        hosts = {f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")}
        origin = self.headers.get("Origin")
        given, _, asked = self.path.removeprefix("/").partition("?")[0].partition("/")
        # Another name that resolves to this computer is another site's attempt to read the page.
        known = self.headers.get("Host") in hosts and secrets.compare_digest(given.encode(), self.server.token.encode())
        if not known:
            self._refuse(HTTPStatus.FORBIDDEN, "Open the address that was printed.")
        elif writes and origin is not None and origin.removeprefix("http://") not in hosts:
            self._refuse(HTTPStatus.FORBIDDEN, "Labels are taken from this page only.")
        # A form of another site can't send this type without asking first.
        elif writes and self.headers.get("Content-Type") != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Labels are taken as JSON.")
        else:
            return asked
        return None

    def _sent(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_REQUEST:
            raise DataError("The request has no length, or is too long.")
        try:
            sent = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError as error:
            raise DataError("The request is not JSON.") from error
        if not isinstance(sent, dict):
            raise DataError("The request is not a JSON object.")
        return sent

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True  # its body was not read
        self._answer_json(status, {"error": why})

    def _answer_json(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        self._answer(status, json.dumps(content).encode(), "application/json")

    def _answer(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        nonce = f"'nonce-{self.server.nonce}'"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src {nonce}; style-src {nonce}; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
