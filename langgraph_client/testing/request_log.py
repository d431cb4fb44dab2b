"""What a server was asked: the requests it got, kept for tests to look at."""

from __future__ import annotations

import difflib
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Headers that are not kept, as they may hold secrets.
SECRET = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "x-auth-token"})
_LONGEST = 256 * 1024


@dataclass(frozen=True)
class LoggedRequest:
    """One request.

    Attributes:
        method: `GET`, `POST` …
        path: Without the query.
        query: The query, as text.
        headers: By lower-case name, without those that may hold secrets.
        body: The decoded JSON body; None for none. Text where it is no JSON, or longer than
            256 kB.
        status: The answer's status; None as long as there is none.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int | None = None

    def __str__(self) -> str:
        said = "" if self.body is None else f" {json.dumps(self.body, sort_keys=True)}"
        return f"{self.method} {self.path}{said}"

    @property
    def graph(self) -> str | None:
        """The graph, or the assistant's id, that a run is asked of."""
        said = self._said("assistant_id")
        return said if isinstance(said, str) else None

    @property
    def input(self) -> Any:
        """A run's input."""
        return self._said("input")

    @property
    def command(self) -> Any:
        """A run's command: what it resumes with, updates, or goes to."""
        return self._said("command")

    @property
    def config(self) -> Any:
        """A run's config."""
        return self._said("config")

    @property
    def thread_id(self) -> str | None:
        """The thread in the path."""
        parts = self.path.split("/")
        return parts[2] if len(parts) > 2 and parts[1] == "threads" else None

    def _said(self, name: str) -> Any:
        return self.body.get(name) if isinstance(self.body, dict) else None


class RequestLog:
    """The latest requests of a server, oldest first; a sequence, with ways to choose and to assert.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._kept: deque[LoggedRequest] = deque(maxlen=most)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> LoggedRequest:
        return list(self)[index]

    def __repr__(self) -> str:
        return f"<{len(self)} requests: {', '.join(f'{a.method} {a.path}' for a in self)}>"

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()

    def matching(self, method: str | None = None, path: str | None = None) -> list[LoggedRequest]:
        """Return those with this method whose path fits this pattern (`*` for anything)."""
        return [
            asked
            for asked in self
            if (method is None or asked.method == method.upper())
            and (path is None or fnmatchcase(asked.path, path))
        ]

    def runs(self, graph: str | None = None, thread_id: str | None = None) -> list[LoggedRequest]:
        """Return those that asked for a run: of a graph, on a thread, whether waited for or not."""
        ends = ("/runs", "/runs/stream", "/runs/wait")
        return [
            asked
            for asked in self.matching("POST")
            if asked.path.endswith(ends)
            and (graph is None or asked.graph == graph)
            and (thread_id is None or asked.thread_id == thread_id)
        ]

    def assert_one(self, method: str, path: str, **body: Any) -> LoggedRequest:
        """Assert that exactly one request fits, and return it.

        Args:
            method: The HTTP method.
            path: A pattern of the path (`*` for anything).
            **body: What the body says under these names; other names are not looked at.

        Raises:
            AssertionError: None fits, or several; it shows how the nearest one differs.
        """
        near = self.matching(method, path)
        found = [asked for asked in near if _says(asked, body)]
        if len(found) == 1:
            return found[0]
        if found:
            raise AssertionError(f"{len(found)} requests fit, not one:\n" + _listed(found))
        if not near:
            raise AssertionError(
                f"no {method} {path} was asked for; what was:\n"
                + (_listed(list(self)) or "nothing")
            )
        raise AssertionError(f"no {method} {path} says that:\n" + _difference(near[-1], body))

    def note(self, asked: LoggedRequest) -> None:
        """Keep one; the server does this."""
        with self._lock:
            self._kept.append(asked)


def _says(asked: LoggedRequest, body: Mapping[str, Any]) -> bool:
    said = asked.body if isinstance(asked.body, dict) else {}
    return all(name in said and said[name] == value for name, value in body.items())


def _listed(asked: list[LoggedRequest]) -> str:
    return "\n".join(f"  {one}" for one in asked)


def _difference(asked: LoggedRequest, wanted: Mapping[str, Any]) -> str:
    said = asked.body if isinstance(asked.body, dict) else {}
    here, there = (
        json.dumps(one, indent=2, sort_keys=True, default=repr).splitlines()
        for one in (dict(wanted), {name: said[name] for name in wanted if name in said})
    )
    return "\n".join(difflib.unified_diff(here, there, "wanted", "asked", lineterm="", n=99))


class RequestLogging:
    """Middleware that notes each request when its answer begins, or when there will be none."""

    def __init__(self, app: ASGIApp, requests: RequestLog) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and keep what it says."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        noted = False

        async def hear() -> Message:
            message = await receive()
            if message["type"] == "http.request" and len(body) <= _LONGEST:
                body.extend(message.get("body", b""))
            return message

        def note(status: int | None) -> None:
            nonlocal noted
            if not noted:
                noted = True
                self._requests.note(_asked(scope, bytes(body), status))

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                note(message["status"])
            await send(message)

        try:
            await self._app(scope, hear, say)
        finally:
            note(None)


def _asked(scope: Scope, body: bytes, status: int | None) -> LoggedRequest:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    text = body[:_LONGEST].decode(errors="replace")
    said: Any = None
    if text:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = text
    return LoggedRequest(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name: value for name, value in headers.items() if name not in SECRET},
        body=said,
        status=status,
    )
