"""A headless Chromium that tests press keys in: spoken to through two pipes, so that it needs no driver and no port."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("LOADEDWORDS_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium found; install one or name it in LOADEDWORDS_CHROMIUM"
)
_QUIET = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --remote-debugging-pipe""".split()  # noqa: SIM905


class Browser:
    """One browser, and of its pages the newest, which shares nothing with those before it."""

    def __init__(self) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # It takes its orders from descriptor 3 and answers on 4.
        command = [str(CHROMIUM), *_QUIET, f"--user-data-dir={self._profile.name}", "about:blank"]
        shell = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *command],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._n, self._session, self._context = b"", 0, None, None
        self.events: list[dict[str, Any]] = []

    def new_page(self, *, dark: bool = False, width: int = 1200, height: int = 900) -> None:
        self._session = None
        if self._context:
            self.ask("Target.disposeBrowserContext", browserContextId=self._context)
        self._context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()

    @property
    def complaints(self) -> list[dict[str, Any]]:
        """Errors, what the page or its policy had logged, and anything that it says itself.

        The browser's own remarks are none: that it left the focus where a quick reader had put it, for one.
        """
        methods = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        said = [event for event in self.events if event["method"] in methods]
        return [event for event in said if event["params"].get("entry", {}).get("level") not in ("info", "verbose")]

    @property
    def asked(self) -> set[str]:
        """The addresses that the page has asked for, its own among them; what it carries itself is none."""
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        urls = {event["params"]["request"]["url"] for event in sent}
        return {url for url in urls if not url.startswith("data:")}

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._n += 1
        order = {"id": self._n, "method": method, "params": params}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._write, json.dumps(order).encode() + b"\0")
        while True:
            while b"\0" not in self._buffer:
                got = os.read(self._read, 1 << 20)
                assert got, "the browser ended"
                self._buffer += got
            one, _, self._buffer = self._buffer.partition(b"\0")
            said = json.loads(one)
            if said.get("id") == self._n:
                assert "error" not in said, said
                return dict(said["result"])
            self.events.append(said)

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        done = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def until(self, script: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < end, f"not within {seconds} s: {script}"
            time.sleep(0.05)

    def type(self, text: str) -> None:
        self.ask("Input.insertText", text=text)

    def press(self, key: str, *, modifiers: int = 0) -> None:
        codes = {"Enter": 13, "Tab": 9, "Escape": 27}
        text = key if len(key) == 1 else "\r" if key == "Enter" else ""
        shared = {"key": key, "modifiers": modifiers, "windowsVirtualKeyCode": codes.get(key) or ord(key.upper()[0])}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **shared)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **shared)

    def point(self, script: str, *, click: bool = False) -> None:
        """Move the mouse to the middle of the element."""
        x, y = self.run(
            f"(() => {{ const r = ({script}).getClientRects()[0]; return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        )
        for kind in ["mouseMoved", *(["mousePressed", "mouseReleased"] if click else [])]:
            self.ask(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left" if click else "none",
                clickCount=int(click),
            )

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
