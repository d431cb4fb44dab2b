"""Exchanges with a deployment, recorded once and replayed without it.

The file is one JSON document, meant to be read and compared:

    {"format": 1,
     "scrubbed": {"openai_api_key": 2},
     "exchanges": [
      {"request": {"method": "POST", "path": "/threads", "query": "", "body": {...}},
       "response": {"status": 200, "headers": {...}, "body": {...}}},
      {"request": {...},
       "response": {"status": 200, "headers": {...}, "complete": true,
        "events": [{"event": "values", "data": {...}, "id": "1-0", "after": 0.012}]}}]}

`after` is the number of seconds since the event before. `complete` is false where a response was
not read to its end: because its reader left, or because it broke; a replay breaks there. Headers
of requests are not written, and of the headers of responses only those that clients read. Secrets
are replaced, see `cassette_scrub`; `scrubbed` counts the replacements by name or kind.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import parse_qsl

import httpx

from langgraph_client._core.events import ServerEvent
from langgraph_client.errors import InvalidArgumentError, LangGraphError
from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.testing.arguments import check_names
from langgraph_client.testing.cassette_difference import difference
from langgraph_client.testing.cassette_scrub import Scrubber
from langgraph_client.testing.cassette_transports import (
    AsyncCassetteTransport,
    CassetteTransport,
    Exchange,
)
from langgraph_client.testing.caught_errors import watch_caught
from langgraph_client.testing.failures import error_chain
from langgraph_client.testing.files import read_document, write_document

if TYPE_CHECKING:
    from langgraph_client import LangGraphClient, RemoteGraph, SyncLangGraphClient

FORMAT = 1
_HEADERS = ("content-type", "content-location", "location", "retry-after")
_PREFIXES = ("x-pagination-", "x-langgraph-")

Mode = Literal["once", "record", "replay"]


class CassetteMismatch(LangGraphError, AssertionError):
    """A request was not recorded, or was replayed already; the message shows the difference."""


def recorded(
    path: str | os.PathLike[str],
    *,
    mode: Mode = "once",
    scrub: Iterable[str] = (),
    keep: Iterable[str] = (),
    ignore: Iterable[str] = (),
    timing: bool = False,
) -> Cassette:
    """Record a deployment's responses on the first run, and replay them from then on.

        with recorded("agent.json") as cassette:
            client = cassette.sync_client(url="https://my-deployment")

    Args:
        path: The file. Its folder is created.
        mode: "once" records if there is no file and replays otherwise; "record" always records,
            over an existing file; "replay" never sends anything.
        scrub: Names of fields whose values are not written, in bodies and events, besides those
            whose names say that they are secret: with `key`, `token`, `secret`, `password`,
            `authorization` in them. Case does not matter. Values behind such names inside of texts
            are not written either, as in `password: x`.
        keep: Names of fields whose values are written although their names look secret.
        ignore: Names of fields of request bodies that may differ when replaying.
        timing: Replay streams as slowly as they came; otherwise at once.

    Returns:
        The cassette, a context manager for `with` and `async with`.

    Raises:
        FileNotFoundError: `mode="replay"`, and there is no file.
        InvalidArgumentError: `mode` is none of these, or names are given as one text.
        ValueError: The file is not a cassette, or one of a later version.
    """
    if mode not in ("once", "record", "replay"):
        raise InvalidArgumentError("mode", f'must be "once", "record" or "replay", not {mode!r}')
    scrubber = Scrubber(check_names("scrub", scrub), check_names("keep", keep))
    return Cassette(Path(path), mode, scrubber, check_names("ignore", ignore), timing)


class Cassette:
    """Recorded exchanges; made by `recorded`.

    The file is written when the `with` ends without an error. Use `async with` where async clients
    are used. Connections to the deployment are closed with it.

    A `CassetteMismatch` that the tested code has caught is raised again at the end of the `with`,
    if nothing else is. It counts as expected where `pytest.raises` or `assertRaises` caught it.

    A cassette is of one deployment: its file does not say which host was asked.

    Attributes:
        path: The file.
        is_recording: Whether requests go to the deployment.
        exchanges: Requests and responses, as the file has them.
    """

    def __init__(
        self, path: Path, mode: Mode, scrubber: Scrubber, ignore: frozenset[str], timing: bool
    ) -> None:
        self.path = path
        self.is_recording = mode == "record" or (mode == "once" and not path.exists())
        self.exchanges: list[Exchange] = [] if self.is_recording else _read(path)
        self._scrubber = scrubber
        self._ignore = ignore
        self._timing = timing
        self._unused = list(self.exchanges)
        self._lock = threading.Lock()
        self._transports: list[CassetteTransport] = []
        self._async_transports: list[AsyncCassetteTransport] = []
        self._host: str | None = None
        self._ends_early = False
        self._refused: list[LangGraphError] = []
        self._watch = ExitStack()

    def __enter__(self) -> Self:
        self._watch.enter_context(watch_caught(self._expect))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.close()
        for transport in self._transports:
            transport.close()
        # A fixture is not told of a failed test; where pytest runs it, the interpreter is.
        if isinstance(failure := getattr(sys, "last_value", None), BaseException):
            self._expect(failure)
        refused, self._refused = self._refused, []
        if error is None and refused:
            raise refused[0]
        # A test that failed may have recorded a part only, which would be replayed from then on.
        if self.is_recording and error is None:
            self.save()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.close()
        for transport in self._async_transports:
            await transport.aclose()
        self.__exit__(kind, error, trace)

    def save(self) -> None:
        """Write the file. If that fails, an older file stays as it is."""
        document = {"format": FORMAT, "scrubbed": self.scrubbed, "exchanges": self.exchanges}
        write_document(self.path, document)

    @property
    def scrubbed(self) -> dict[str, int]:
        """How many values were replaced while recording, by the name of the field or by kind."""
        return dict(sorted(self._scrubber.counts.items()))

    @property
    def unused(self) -> list[Exchange]:
        """The recorded exchanges that have not been replayed."""
        return [] if self.is_recording else list(self._unused)

    # --- clients ---

    def transport(self, inner: httpx.BaseTransport | None = None) -> httpx.BaseTransport:
        """Return a blocking transport that records or replays.

        Args:
            inner: Reaches the deployment; by default over HTTP.

        Raises:
            InvalidArgumentError: `inner` is not a blocking transport of httpx.
        """
        _check_inner(inner, httpx.BaseTransport)
        self._transports.append(CassetteTransport(self, inner))
        return self._transports[-1]

    def async_transport(
        self, inner: httpx.AsyncBaseTransport | None = None
    ) -> httpx.AsyncBaseTransport:
        """Return an async transport that records or replays.

        Args:
            inner: Reaches the deployment; by default over HTTP.

        Raises:
            InvalidArgumentError: `inner` is not an async transport of httpx.
        """
        _check_inner(inner, httpx.AsyncBaseTransport)
        self._async_transports.append(AsyncCassetteTransport(self, inner))
        return self._async_transports[-1]

    def client(self, **options: Any) -> LangGraphClient:
        """Return an async client that records or replays.

        Args:
            **options: The arguments of `get_client`, among them `url`. A `transport` reaches the
                deployment, as `inner` of `async_transport`.

        Raises:
            InvalidArgumentError: One of `http_client`, `proxy`, `limits` and `verify` is given: it
                would have no effect, or requests would go past the cassette.
        """
        from langgraph_client import get_client

        inner = _inner_of(options, httpx.AsyncHTTPTransport)
        is_own = any(inner is transport for transport in self._async_transports)
        return get_client(**options, transport=inner if is_own else self.async_transport(inner))

    def sync_client(self, **options: Any) -> SyncLangGraphClient:
        """Return a blocking client that records or replays.

        Args:
            **options: The arguments of `get_sync_client`, among them `url`. A `transport` reaches
                the deployment, as `inner` of `transport`.

        Raises:
            InvalidArgumentError: One of `http_client`, `proxy`, `limits` and `verify` is given: it
                would have no effect, or requests would go past the cassette.
        """
        from langgraph_client import get_sync_client

        inner = _inner_of(options, httpx.HTTPTransport)
        is_own = any(inner is transport for transport in self._transports)
        return get_sync_client(**options, transport=inner if is_own else self.transport(inner))

    def remote_graph(self, name: str, *, url: str, **options: Any) -> RemoteGraph:
        """Return a `RemoteGraph` that records or replays.

        Args:
            name: The graph or assistant.
            url: The deployment's URL; also when replaying.
            **options: Further arguments of `RemoteGraph`. A `client` or `sync_client` has to be one
                of this cassette.

        Raises:
            InvalidArgumentError: It is not: its requests would go past the cassette.
        """
        from langgraph_client import RemoteGraph

        for option in ("client", "sync_client"):
            given = options.get(option)
            if given is not None and not self._is_behind(given):
                problem = f"must be a client of this cassette, such as cassette.{option}(url=…)"
                raise InvalidArgumentError(option, problem)
        # Of the clients, as a graph that is given clients does not use them itself.
        settings = {key: options.pop(key) for key in ("api_key", "headers") if key in options}
        clients = {
            "client": self.client(url=url, **settings),
            "sync_client": self.sync_client(url=url, **settings),
        }
        return RemoteGraph(name, **{**clients, **options})

    # --- for the transports ---

    def read_request(self, request: httpx.Request, body: bytes) -> JsonObject:
        """Return a request in the form that is written and compared.

        Args:
            request: The request.
            body: Its body.
        """
        self._check_host(request.url.netloc.decode())
        # First: secrets of the headers may also be in the path, the query or the body.
        self._scrubber.learn(request.headers)
        return {
            "method": request.method,
            "path": self._scrubber.text(request.url.path),
            "query": self._scrubber.query(request.url.query.decode()),
            "body": self._scrubber.value(_decoded(body)),
        }

    def begin(self, request: JsonObject, response: httpx.Response) -> Exchange:
        """Record a request with the head of its response.

        Args:
            request: The request in the form that is written.
            response: The response; the transport that reads its body adds it later.

        Returns:
            The exchange, for `add_body` or `add_event`.
        """
        headers = {
            name: self._scrubber.text(value)
            for name, value in response.headers.items()
            if name in _HEADERS or name.startswith(_PREFIXES)
        }
        exchange = {
            "request": request,
            "response": {"status": response.status_code, "headers": headers},
        }
        # In the order of the responses' starts, also if several clients record at once.
        with self._lock:
            self.exchanges.append(exchange)
        return exchange

    def add_body(self, exchange: Exchange, body: bytes) -> None:
        """Add the body of a response.

        Args:
            exchange: The exchange.
            body: The body.
        """
        response = exchange["response"]
        response.pop("complete", None)
        response["body"] = self._scrubber.value(_decoded(body))

    def add_event(self, exchange: Exchange, event: ServerEvent, after: float) -> None:
        """Add an event of a response.

        Args:
            exchange: The exchange.
            event: The event.
            after: Seconds since the event before.
        """
        document = {"event": event.event, "data": self._scrubber.value(_decoded(event.data))}
        if event.id:
            document["id"] = event.id
        exchange["response"]["events"].append({**document, "after": round(after, 4)})

    def find(self, request: JsonObject) -> JsonObject:
        """Return the response that was recorded for a request. Each one is returned only once.

        Args:
            request: The request in the form that is compared.

        Raises:
            CassetteMismatch: There is no such response left.
        """
        with self._lock:
            # Without a secret there, such as a key that is not set, only if no other one is equal.
            for with_missing in (False, True):
                wanted = self._comparable(request, with_missing)
                # The first one that is left: equal requests get their responses in the recorded
                # order.
                for number, exchange in enumerate(self._unused):
                    if self._comparable(exchange["request"], with_missing) == wanted:
                        answer: JsonObject = self._unused.pop(number)["response"]
                        self._ends_early |= "events" in answer and not answer.get("complete", True)
                        return answer
            recorded = [exchange["request"] for exchange in self._unused]
            mismatch = CassetteMismatch(difference(request, recorded, self.path))
            # A client that reads ahead comes to the end of a stream that it left while recording.
            # That it tries to go on there is no fault of the tested code, which has all it needs.
            is_reading = request["method"] == "GET" or "/stream" in request["path"]
            if not (self._ends_early and is_reading):
                self._refused.append(mismatch)
            raise mismatch

    def _check_host(self, host: str) -> None:
        """Check that all requests are for one host; an answer of another one would be wrong."""
        with self._lock:
            self._host = self._host or host
            if host == self._host:
                return
            error = InvalidArgumentError(
                "url",
                f"a cassette is of one deployment, here {self._host}, as hosts are not recorded; "
                f"use another cassette for {host}",
            )
            self._refused.append(error)
        raise error

    def _expect(self, caught: BaseException) -> None:
        """Forget the errors that a test caught on purpose, or failed with."""
        links = {id(link) for link in error_chain(caught)}
        with self._lock:
            self._refused = [error for error in self._refused if id(error) not in links]

    def _is_behind(self, client: Any) -> bool:
        """Return whether the requests of a client go through this cassette."""
        own = {id(transport) for transport in (*self._transports, *self._async_transports)}
        # Also through another transport, such as one with faults. httpx does not name its own.
        http_client = getattr(getattr(client, "http", None), "client", None)
        waiting, seen = [getattr(http_client, "_transport", None)], set[int]()
        while waiting:
            transport = waiting.pop()
            if id(transport) in own:
                return True
            is_transport = isinstance(transport, httpx.BaseTransport | httpx.AsyncBaseTransport)
            if is_transport and id(transport) not in seen:
                seen.add(id(transport))
                waiting.extend(getattr(transport, "__dict__", {}).values())
        return False

    def _comparable(self, request: JsonMapping, with_missing: bool) -> tuple[object, ...]:
        """Return a request without the fields that may differ, and without secrets.

        Args:
            request: The request in the form that is written.
            with_missing: Whether an empty text or None in the place of a secret is one, too.
        """

        def compared(value: object) -> object:
            if isinstance(value, dict):
                return {
                    name: compared(item) for name, item in value.items() if name not in self._ignore
                }
            if isinstance(value, bool):  # In Python, True is equal to 1.
                return bool, value
            return [compared(item) for item in value] if isinstance(value, list) else value

        # Of the file's requests, too: they may be written under other rules than this cassette has,
        # such as other names in `scrub`, or while fewer keys were known.
        path = self._scrubber.text(request["path"])
        query = self._scrubber.query(request["query"], with_missing=with_missing)
        body = compared(self._scrubber.value(request["body"], with_missing=with_missing))
        # Read, as the same may be written in different forms: a blank as `+` or `%20`.
        parameters = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
        return request["method"], path, parameters, body

    def pause(self, event: JsonMapping) -> float:
        """Return how many seconds to wait before an event is replayed.

        Args:
            event: The recorded event.
        """
        return float(event.get("after", 0.0)) if self._timing else 0.0


def _inner_of(options: dict[str, Any], kind: type) -> Any:
    """Take the transport out of a client's options, and refuse what would not act on it."""
    for name in ("http_client", "proxy", "limits", "verify"):
        given = options.get(name)
        if given is not None and given is not True:
            raise InvalidArgumentError(
                name,
                "cannot be used with a cassette; give the transport that reaches the deployment: "
                f"transport=httpx.{kind.__name__}(…)",
            )
    return options.pop("transport", None)


def _check_inner(inner: object, kind: type) -> None:
    if inner is not None and not isinstance(inner, kind):
        raise InvalidArgumentError(
            "transport", f"must be an httpx.{kind.__name__}, not a {type(inner).__name__}"
        )


def _read(path: Path) -> list[Exchange]:
    document = read_document(path, kind="a cassette", part="exchanges", format=FORMAT)
    exchanges: list[Exchange] = document["exchanges"]
    return exchanges


def _decoded(body: bytes) -> object:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
