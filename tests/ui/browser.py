"""Chromium without a window, driven over the DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LIMIT = 60.0
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Run Chromium for as long as the context lasts, with a profile of its own in `folder`."""
    assert CHROMIUM is not None
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            file = folder / "profile" / "DevToolsActivePort"
            limit = time.monotonic() + LIMIT * 2
            while not file.exists() or file.read_text().count("\n") < 1:
                started = process.poll() is None and time.monotonic() < limit
                assert started, "chromium did not start"
                time.sleep(0.05)  # Another process: there is no event to wait for.
            port, path = file.read_text().split("\n")[:2]
            address = f"ws://127.0.0.1:{port}{path}"
            # Without pings: the pong stands behind the events, which are read only with the next
            # command, and a test may go without one for a while.
            with connect(
                address, max_size=None, proxy=None, open_timeout=LIMIT, ping_interval=None
            ) as socket:
                started_browser = Browser(socket)
                yield started_browser
                # By this command it deletes its files outside of the profile; by a signal it
                # does not.
                started_browser.send("Browser.close")
                process.wait(LIMIT)
        finally:
            process.terminate()
            try:
                process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(LIMIT)


class Browser:
    """A running Chromium; opens pages, each with cookies and storage of its own."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._pages: dict[str, Page] = {}

    def send(self, method: str, session: str | None = None, **params: Any) -> Any:
        """Send a command, and return its result. Events that come meanwhile go to their pages."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._socket.send(json.dumps(message))
        while True:
            answer = self._receive(LIMIT)
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _receive(self, seconds: float) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._socket.recv(timeout=seconds))
        if "method" in answer and (page := self._pages.get(answer.get("sessionId", ""))):
            page.happened(answer["method"], answer["params"])
        return answer

    def page(self, width: int = 1280, height: int = 800, *, dark: bool = False) -> Page:
        """Open an empty page."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"], context)
        self._pages[attached["sessionId"]] = page
        return page.prepare(width, height, dark)

    def forget(self, page: Page) -> None:
        """Drop a page's events."""
        self._pages.pop(page.session, None)


class Page:
    """One page.

    Attributes:
        problems: What the page's console has shown as an error, and exceptions nobody caught.
        requests: The URLs it has asked for.
    """

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser = browser
        self.session = session
        self._context = context
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.dialogs: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.send("Target.disposeBrowserContext", browserContextId=self._context)
        self._browser.forget(self)

    def send(self, method: str, **params: Any) -> Any:
        """Send a command about this page."""
        return self._browser.send(method, self.session, **params)

    def prepare(self, width: int, height: int, dark: bool) -> Page:
        """Listen to the page, and set its size and colours."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        return self

    def resize(self, width: int, height: int) -> None:
        """Set the size of the window."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        self.send("Emulation.setDeviceMetricsOverride", **size)

    def happened(self, method: str, params: dict[str, Any]) -> None:
        """Note an event."""
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            entry = params["entry"]
            self.problems.append(f"{entry['text']} {entry.get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.problems.append(str([arg.get("value") for arg in params["args"]]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])

    def open(self, url: str) -> None:
        """Go to an address; the page has loaded when this returns."""
        self.send("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def reload(self) -> None:
        """Load the page once more; it has loaded when this returns."""
        self.evaluate("window.beforeReload = true")
        self.send("Page.reload")
        self.wait_for("!window.beforeReload && document.readyState === 'complete'")

    def evaluate(self, code: str) -> Any:
        """Return the value of an expression of JavaScript; promises are awaited."""
        answer = self.send(
            "Runtime.evaluate",
            expression=code,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
            allowUnsafeEvalBlockedByCSP=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition: str, seconds: float = LIMIT) -> Any:
        """Wait until an expression is true, and return its value. It is tried once a frame."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if value := self.evaluate(_TRY % (condition, 1000)):
                return value
        shown = self.evaluate("document.body.innerText")
        raise AssertionError(f"never: {condition}\n{self.problems}\n{shown}")

    def wait_text(self, text: str, within: str = "body") -> None:
        """Wait until an element shows a text."""
        place = f"document.querySelector({json.dumps(within)})"
        self.wait_for(f"{place}?.innerText.includes({json.dumps(text)})")

    def text(self, selector: str = "body") -> str:
        """Return the text that an element shows."""
        found: str = self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")
        return found

    def click(self, selector: str, text: str = "") -> None:
        """Click the first element that fits, with the mouse, once it is there and can be.

        What moves just then, as something above it has come, is tried again.
        """
        for _ in range(5):
            place = self.wait_for(_PLACE % (json.dumps(selector), json.dumps(text)))
            at = {"x": place["x"], "y": place["y"], "button": "left", "clickCount": 1}
            self.send("Input.dispatchMouseEvent", type="mousePressed", **at)
            self.send("Input.dispatchMouseEvent", type="mouseReleased", **at)
            if self.evaluate("window.testHit"):
                return
        raise AssertionError(f"{selector} {text!r} does not keep still")

    def fill(self, selector: str, text: str) -> None:
        """Write a text into a field, in place of what is in it."""
        self.wait_for(f"document.querySelector({json.dumps(selector)})?.checkVisibility()")
        self.evaluate(
            f"(() => {{ const field = document.querySelector({json.dumps(selector)});"
            " field.focus(); field.select?.(); })()"
        )
        if text:
            self.send("Input.insertText", text=text)
        else:
            self.press("Backspace")

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press a key; `modifiers` is 2 for Ctrl."""
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, "Backspace": 8, "ArrowRight": 39}
        event: dict[str, Any] = {
            "key": key,
            "modifiers": modifiers,
            "windowsVirtualKeyCode": codes.get(key, ord(key.upper()[0])),
        }
        if len(key) == 1 or key == "Enter":
            event["text"] = "\r" if key == "Enter" else key
        self.send("Input.dispatchKeyEvent", type="keyDown", **event)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a list by its value or its text."""
        self.wait_for(_CHOOSE % (json.dumps(selector), json.dumps(value)))

    def screenshot(self, file: Path) -> None:
        """Save what is seen as a PNG."""
        file.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))


_TRY = """new Promise((done) => {
  const look = (end) => {
    let value = null;
    try { value = (%s); } catch { value = null; }
    if (value || performance.now() > end) done(value instanceof Node || value);
    else setTimeout(look, 15, end);
  };
  look(performance.now() + %d);
})"""
_PLACE = """(() => {
  const [selector, text] = [%s, %s];
  const found = [...document.querySelectorAll(selector)].find(
    (one) => (one.innerText || one.getAttribute('aria-label') || '').includes(text));
  if (!found || found.disabled || !found.checkVisibility()) return null;
  found.scrollIntoView({ block: 'center' });
  const { x, y, width, height } = found.getBoundingClientRect();
  const moved = found.testPlace !== `${x} ${y}`;
  found.testPlace = `${x} ${y}`;
  if (moved) return null;
  const place = { x: x + width / 2, y: y + height / 2 };
  const top = document.elementFromPoint(place.x, place.y);
  if (!found.contains(top) && !top?.contains(found)) return null;
  window.testHit = false;
  removeEventListener('click', window.testClick, true);
  window.testClick = (event) => {
    window.testHit ||= found.contains(event.target) || event.target.contains(found);
  };
  addEventListener('click', window.testClick, true);
  return place;
})()"""
_CHOOSE = """(() => {
  const [field, value] = [document.querySelector(%s), %s];
  const options = [...field.options];
  const option = options.find((one) => one.value === value)
    ?? options.find((one) => one.text.includes(value));
  if (!option) return false;
  field.value = option.value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  field.dispatchEvent(new Event('change', { bubbles: true }));
  return true;
})()"""
