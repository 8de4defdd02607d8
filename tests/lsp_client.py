"""A client of the language server protocol over stdio, of our own, so that it shares no mistake with the server's library."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds
ROOT = Path(__file__).parents[1]


class Client:
    """Starts `loadedwords lsp`; use it in a `with`, which ends the server as an editor does and checks that it ended well."""

    def __init__(self, folder: Path | None, *arguments: str, capabilities: dict[str, Any] | None = None) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-m", "loadedwords", "lsp", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self.asked: list[dict[str, Any]] = []  # what the server asked of the client
        self.diagnostics: list[dict[str, Any]] = []
        self.n_sent = 0
        threading.Thread(target=self._read, daemon=True).start()
        folders = [{"uri": folder.as_uri(), "name": "desk"}] if folder else None
        given = {"processId": None, "rootUri": folders and folders[0]["uri"], "workspaceFolders": folders}
        self.capabilities = self.ask("initialize", given | {"capabilities": capabilities or {}})["capabilities"]
        self.tell("initialized", {})

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *trouble: object) -> None:
        if trouble[0] is not None:
            self.server.kill()
            return
        self.ask("shutdown", None)
        self.tell("exit", None)
        assert self.server.wait(PATIENCE) == 0

    def tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        self.n_sent += 1
        number = self.n_sent
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def open(self, uri: str, text: str, language: str = "plaintext") -> list[dict[str, Any]]:
        """The diagnostics that the server gives for it."""
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return self.found(1)

    def change(self, uri: str, text: str, version: int) -> None:
        self.tell(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]},
        )

    def found(self, version: int) -> list[dict[str, Any]]:
        """The next diagnostics of a version."""
        while True:
            if (published := self.published())["version"] == version:
                return published["diagnostics"]

    def published(self) -> dict[str, Any]:
        while not self.diagnostics:
            self._next()
        return self.diagnostics.pop(0)

    def _next(self) -> dict[str, Any]:
        message = self.messages.get(timeout=PATIENCE)
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics.append(message["params"])
        elif "method" in message:
            self.asked.append(message)
            if "id" in message:
                self._send({"id": message["id"], "result": None})
        return message

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.server.stdin
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.server.stdin.flush()

    def _read(self) -> None:
        stream = self.server.stdout
        assert stream
        while header := stream.readline():
            length = int(header.removeprefix(b"Content-Length: "))  # anything else on stdout breaks an editor, too
            while stream.readline().strip():
                pass
            self.messages.put(json.loads(stream.read(length)))
