"""A page that this machine alone serves: who does not hold the token in its address gets nothing, and it asks nothing of others."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loadedwords.errors import DataError
from loadedwords.report.page import render

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class LocalServer(ThreadingHTTPServer):
    """A page and what it may ask for, served to this computer only, until it is closed.

    Parameters
    ----------
    template : str
        Of the page; it is given a `nonce` for its style and its script.
    values : mapping
        What else the template is given.
    answers : mapping of str to callable
        What the page may ask for by POST: from the object it sends to the one it gets, or a DataError with what to tell.
    last : str, optional
        What the page asks for when it has finished: `wait` ends after the answer.
    longest_request : int
        In bytes.
    port : int
        On 127.0.0.1; 0 for any that is free.

    Attributes
    ----------
    url : str
        Address of the page, with the token.

    Raises
    ------
    OSError
        If the port is taken.
    """

    daemon_threads = True

    def __init__(self, template: str, values: Mapping[str, Any], answers: Mapping[str, Answer], *,
                 longest_request: int, last: str | None = None, port: int = 0) -> None:  # fmt: skip
        super().__init__(("127.0.0.1", port), _Handler)
        self.token = secrets.token_urlsafe(24)
        self.nonce = secrets.token_urlsafe(16)
        self.url = f"http://127.0.0.1:{self.server_port}/{self.token}/"
        self.page = render(template, nonce=self.nonce, **values).encode()
        self.answers = answers
        self.last = last
        self.longest_request = longest_request
        self.finished = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Block until the page has finished or Ctrl-C is pressed, and close."""
        try:
            # Without a time limit the wait can't be interrupted on Windows.
            while not self.finished.wait(1.0):
                pass
        except KeyboardInterrupt:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer

    def do_GET(self) -> None:
        asked = self._asked(sends=False)
        if asked == "":
            self._answer(HTTPStatus.OK, self.server.page, "text/html; charset=utf-8")
        elif asked is not None:
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def do_POST(self) -> None:
        asked = self._asked(sends=True)
        if asked is None:
            return
        if asked not in self.server.answers:
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here.")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > self.server.longest_request:
            most = f"{self.server.longest_request:,} bytes"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"That is too long: at most {most} are taken at once.")
            return
        try:
            self._answer_json(HTTPStatus.OK, self.server.answers[asked](self._sent(int(length))))
            if asked == self.server.last:
                self.server.finished.set()
        except DataError as error:
            self._refuse(HTTPStatus.CONFLICT, str(error))
        except OSError as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"That could not be done: {error}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet: the address holds the token."""

    def _asked(self, *, sends: bool) -> str | None:
        """What stands after the token; None where the request was refused."""
        hosts = {f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")}
        origin = self.headers.get("Origin")
        given, _, asked = self.path.removeprefix("/").partition("?")[0].partition("/")
        # Another name that resolves to this computer is another site's attempt to read the page.
        known = self.headers.get("Host") in hosts and secrets.compare_digest(given.encode(), self.server.token.encode())
        if not known:
            self._refuse(HTTPStatus.FORBIDDEN, "Open the address that was printed.")
        elif sends and origin is not None and origin.removeprefix("http://") not in hosts:
            self._refuse(HTTPStatus.FORBIDDEN, "Only this page itself is answered.")
        # A form of another site can't send this type without asking first.
        elif sends and self.headers.get("Content-Type") != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only JSON is taken.")
        else:
            return asked
        return None

    def _sent(self, length: int) -> dict[str, Any]:
        try:
            sent = json.loads(self.rfile.read(length) or b"{}")
        except (ValueError, RecursionError) as error:
            raise DataError("The request is not JSON.") from error
        if not isinstance(sent, dict):
            raise DataError("The request is not a JSON object.")
        return sent

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True  # its body may not have been read
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
            f"default-src 'none'; script-src {nonce}; style-src {nonce}; connect-src 'self'; img-src data:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
