"""The log of the requests that a server has received, for tests."""

from __future__ import annotations

import difflib
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import overload

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from langgraph_client.models.fields import JSON
from langgraph_client.testing.arguments import check_whole
from langgraph_client.testing.cassette_scrub import is_secret_header

_MAX_BODY_BYTES = 256 * 1024
_STARTS = ("/runs", "/runs/stream", "/runs/wait")
_OF_NO_THREAD = ("search", "count", "prune")
"""What follows `/threads/` where it is not the id of a thread."""


@dataclass(frozen=True)
class LoggedRequest:
    """One request.

    Attributes:
        method: The HTTP method, such as `POST`.
        path: The path, without the query.
        query: The query, as text.
        headers: The headers by lower-case name, without those that hold keys.
        body: The decoded JSON body; None if there was none. Text if it is not JSON; cut after
            256 kB, and then text as well.
        status: The status of the answer; None if there was none.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: JSON
    status: int | None = None

    def __str__(self) -> str:
        body = "" if self.body is None else f" {json.dumps(self.body, sort_keys=True)}"
        return f"{self.method} {self.path}{body}"

    @property
    def graph(self) -> str | None:
        """The graph or the assistant's id of a run."""
        value = self._field("assistant_id")
        return value if isinstance(value, str) else None

    @property
    def input(self) -> JSON:
        """The input of a run."""
        return self._field("input")

    @property
    def command(self) -> JSON:
        """The command of a run: its `resume`, `update` or `goto`."""
        return self._field("command")

    @property
    def config(self) -> JSON:
        """The config of a run."""
        return self._field("config")

    @property
    def thread_id(self) -> str | None:
        """The id of the thread in the path; None if there is none."""
        parts = self.path.split("/")
        is_of_thread = len(parts) > 2 and parts[1] == "threads" and parts[2] not in _OF_NO_THREAD
        return parts[2] if is_of_thread else None

    def runs(self) -> list[LoggedRequest]:
        """Return the request once for each run that it starts, with the run's part of the body."""
        is_start = isinstance(self.body, dict) and self.body.get("method") == "run.start"
        if self.path.endswith("/runs/batch") and isinstance(self.body, list):
            return [replace(self, body=run) for run in self.body]
        if self.path.endswith(_STARTS) or (self.path.endswith("/commands") and is_start):
            return [self]
        return []

    def _field(self, name: str) -> JSON:
        fields = self.body
        if isinstance(fields, dict) and self.path.endswith("/commands"):
            fields = fields.get("params")  # Of a command of event streaming.
        return fields.get(name) if isinstance(fields, dict) else None


class RequestLog(Sequence[LoggedRequest]):
    """The latest requests of a server, oldest first; a sequence of `LoggedRequest`.

        server.requests[-1].body
        server.requests.assert_one("POST", "/runs/stream", input={"question": "?"})

    Args:
        limit: How many are kept.

    Raises:
        InvalidArgumentError: `limit` is not 0 or more.
    """

    def __init__(self, limit: int) -> None:
        check_whole("limit", limit, 0)
        self._requests: deque[LoggedRequest] = deque(maxlen=limit)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[LoggedRequest]:
        # A copy: the server appends in its own thread, also while a test iterates.
        with self._lock:
            return iter(list(self._requests))

    def __reversed__(self) -> Iterator[LoggedRequest]:
        return reversed(list(self))

    def __len__(self) -> int:
        return len(self._requests)

    @overload
    def __getitem__(self, index: int) -> LoggedRequest: ...

    @overload
    def __getitem__(self, index: slice) -> list[LoggedRequest]: ...

    def __getitem__(self, index: int | slice) -> LoggedRequest | list[LoggedRequest]:
        return list(self)[index]

    def __repr__(self) -> str:
        return f"<{len(self)} requests: {', '.join(f'{r.method} {r.path}' for r in self)}>"

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._requests.clear()

    def matching(self, method: str | None = None, path: str | None = None) -> list[LoggedRequest]:
        """Return the requests that match.

        Args:
            method: The HTTP method; None for any.
            path: A pattern of the path, with `*` for anything; None for any.
        """
        return [
            request
            for request in self
            if (method is None or request.method == method.upper())
            and (path is None or fnmatchcase(request.path, path))
        ]

    def runs(self, graph: str | None = None, thread_id: str | None = None) -> list[LoggedRequest]:
        """Return the requests that start a run, whether it is waited for, streamed or neither.

        The one of a batch is there once for each of its runs, with that run's part of the body.

        Args:
            graph: Only runs of this graph or assistant, as the request names it.
            thread_id: Only runs on this thread.
        """
        return [
            run
            for request in self.matching("POST")
            for run in request.runs()
            if (graph is None or run.graph == graph)
            and (thread_id is None or run.thread_id == thread_id)
        ]

    def assert_one(self, method: str, path: str, /, **body: object) -> LoggedRequest:
        """Assert that exactly one request matches, and return it.

        Args:
            method: The HTTP method.
            path: A pattern of the path, with `*` for anything.
            **body: Fields of the body and their values; other fields are ignored.

        Raises:
            AssertionError: None matches, or several; it shows how the nearest one differs.
        """
        candidates = self.matching(method, path)
        matching = [request for request in candidates if _has_fields(request, body)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            raise AssertionError(f"{len(matching)} requests match, not one:\n{_listed(matching)}")
        if not candidates:
            raise AssertionError(
                f"no request is {method} {path}; the requests are:\n"
                + (_listed(list(self)) or "none")
            )
        raise AssertionError(
            f"no {method} {path} has that body:\n{_difference(candidates[-1], body)}"
        )

    def append(self, request: LoggedRequest) -> None:
        """Keep a request; the server does this.

        Args:
            request: The request.
        """
        with self._lock:
            self._requests.append(request)


def _has_fields(request: LoggedRequest, fields: Mapping[str, object]) -> bool:
    body = request.body if isinstance(request.body, dict) else {}
    return all(name in body and body[name] == value for name, value in fields.items())


def _listed(requests: list[LoggedRequest]) -> str:
    return "\n".join(f"  {request}" for request in requests)


def _difference(request: LoggedRequest, expected: Mapping[str, object]) -> str:
    body = request.body if isinstance(request.body, dict) else {}
    before, after = (
        json.dumps(fields, indent=2, sort_keys=True, default=repr).splitlines()
        for fields in (dict(expected), {name: body[name] for name in expected if name in body})
    )
    return "\n".join(difflib.unified_diff(before, after, "expected", "sent", lineterm="", n=99))


class RequestLogging:
    """Middleware that logs each request when its response starts, or fails to start.

    Args:
        app: The application behind it.
        requests: The log.
    """

    def __init__(self, app: ASGIApp, requests: RequestLog) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        is_logged = False

        async def logged_receive() -> Message:
            message = await receive()
            # One part may exceed the limit; what is logged is cut to it.
            if message["type"] == "http.request" and len(body) <= _MAX_BODY_BYTES:
                body.extend(message.get("body", b""))
            return message

        # When the response starts, and not at its end: a test may read the log while a stream that
        # it has opened is still open.
        def log(status: int | None) -> None:
            nonlocal is_logged
            if not is_logged:
                is_logged = True
                self._requests.append(_logged_request(scope, bytes(body), status))

        async def logged_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                log(message["status"])
            await send(message)

        try:
            await self._app(scope, logged_receive, logged_send)
        finally:
            log(None)  # A request that failed, or was cancelled, before its response started.


def _logged_request(scope: Scope, body: bytes, status: int | None) -> LoggedRequest:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    text = body[:_MAX_BODY_BYTES].decode(errors="replace")
    document: object = None
    if text:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = text
    return LoggedRequest(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name: value for name, value in headers.items() if not is_secret_header(name)},
        body=document,
        status=status,
    )
