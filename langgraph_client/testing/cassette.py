"""Recorded exchanges with a deployment, replayed without one.

The file is one JSON document, meant to be read and compared:

    {"format": 1,
     "exchanges": [
      {"request": {"method": "POST", "path": "/threads", "query": "", "body": {...}},
       "response": {"status": 200, "headers": {...}, "body": {...}}},
      {"request": {...},
       "response": {"status": 200, "headers": {...}, "complete": true,
        "events": [{"event": "values", "data": {...}, "id": "1-0", "after": 0.012}]}}]}

`after` is how many seconds passed since the one before. Requests have no headers in it; answers
have those that clients read.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx

from langgraph_client._core.events import EventParser, ServerEvent
from langgraph_client.errors import LangGraphError

if TYPE_CHECKING:
    from langgraph_client import LangGraphClient, RemoteGraph, SyncLangGraphClient

FORMAT = 1
SCRUBBED = "<scrubbed>"
#: Fields whose values are never written, at any depth of a body.
SECRETS = ("api_key", "apikey", "authorization", "password", "secret", "token", "x-api-key")
_HEADERS = ("content-type", "content-location", "location", "retry-after")
_PREFIXES = ("x-pagination-", "x-langgraph-client-")

Mode = Literal["once", "record", "replay"]
Exchange = dict[str, Any]


class CassetteMismatch(LangGraphError, AssertionError):
    """A request is not one that was recorded, or not any more; the message shows the difference."""


def recorded(
    path: str | os.PathLike[str],
    *,
    mode: Mode = "once",
    scrub: Iterable[str] = (),
    ignore: Iterable[str] = (),
    timing: bool = False,
) -> Cassette:
    """Record what a deployment answers the first time, and replay it from then on.

        with recorded("agent.json") as cassette:
            client = cassette.sync_client(url="https://my-deployment")

    Args:
        path: The file. Its folder is made.
        mode: "once" records if there is no file, and else replays; "record" records anew;
            "replay" never asks the deployment.
        scrub: Names of fields whose values are not to be written, in bodies and events, besides
            those that are called `api_key`, `token`, `password` and the like.
        ignore: Names of fields of request bodies that may differ when replaying.
        timing: Replay streams as slowly as they came; otherwise at once.

    Raises:
        FileNotFoundError: `mode="replay"`, and there is no file.
        ValueError: The file is none of a cassette, or of a later version.
    """
    return Cassette(Path(path), mode, {*SECRETS, *scrub}, set(ignore), timing)


class Cassette:
    """See `recorded`. Written when its `with` ends; `async with`, where async clients are used.

    Connections to the deployment are closed with it.

    Attributes:
        is_recording: Whether the deployment is asked.
        exchanges: Requests and answers, as the file has them.
    """

    def __init__(
        self, path: Path, mode: Mode, scrub: set[str], ignore: set[str], timing: bool
    ) -> None:
        if mode not in ("once", "record", "replay"):
            raise ValueError(f'mode must be "once", "record" or "replay", not {mode!r}')
        self.path = path
        self.is_recording = mode == "record" or (mode == "once" and not path.exists())
        self.exchanges: list[Exchange] = [] if self.is_recording else _read(path)
        self._scrub = {name.lower() for name in scrub}
        self._ignore = ignore
        self._timing = timing
        self._left = list(self.exchanges)
        self._lock = threading.Lock()
        self._made: list[_Transport] = []
        self._made_async: list[_AsyncTransport] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for transport in self._made:
            transport.close()
        if self.is_recording and error is None:
            self.save()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for transport in self._made_async:
            await transport.aclose()
        self.__exit__(kind, error, trace)

    def save(self) -> None:
        """Write the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {"format": FORMAT, "exchanges": self.exchanges}
        self.path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    @property
    def unused(self) -> list[Exchange]:
        """The recorded exchanges that have not been replayed."""
        return [] if self.is_recording else list(self._left)

    # --- clients ---

    def transport(self, inner: httpx.BaseTransport | None = None) -> httpx.BaseTransport:
        """Return a blocking transport; `inner` reaches the deployment, by default over HTTP."""
        self._made.append(_Transport(self, inner))
        return self._made[-1]

    def async_transport(
        self, inner: httpx.AsyncBaseTransport | None = None
    ) -> httpx.AsyncBaseTransport:
        """Return an async transport; `inner` reaches the deployment, by default over HTTP."""
        self._made_async.append(_AsyncTransport(self, inner))
        return self._made_async[-1]

    def client(self, **options: Any) -> LangGraphClient:
        """Return an async client; `options` are those of `get_client`."""
        from langgraph_client import get_client

        return get_client(**{"transport": self.async_transport(), **options})

    def sync_client(self, **options: Any) -> SyncLangGraphClient:
        """Return a blocking client; `options` are those of `get_sync_client`."""
        from langgraph_client import get_sync_client

        return get_sync_client(**{"transport": self.transport(), **options})

    def remote_graph(self, name: str, *, url: str, **options: Any) -> RemoteGraph:
        """Return a `RemoteGraph`; `options` are those of `RemoteGraph`."""
        from langgraph_client import RemoteGraph

        clients = {"client": self.client(url=url), "sync_client": self.sync_client(url=url)}
        return RemoteGraph(name, **{**clients, **options})

    # --- for the transports ---

    def asked(self, request: httpx.Request, body: bytes) -> dict[str, Any]:
        """Return a request as it is written and compared."""
        return {
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query.decode(),
            "body": self._clean(_decoded(body)),
        }

    def keep(self, asked: dict[str, Any], response: httpx.Response) -> Exchange:
        """Note the beginning of an answer; its body is filled in by whoever reads it."""
        headers = {
            name: value
            for name, value in response.headers.items()
            if name in _HEADERS or name.startswith(_PREFIXES)
        }
        made = {
            "request": asked,
            "response": {"status": response.status_code, "headers": headers},
        }
        with self._lock:
            self.exchanges.append(made)
        return made

    def body(self, exchange: Exchange, body: bytes) -> None:
        """Note the body of an answer."""
        exchange["response"]["body"] = self._clean(_decoded(body))

    def event(self, exchange: Exchange, event: ServerEvent, after: float) -> None:
        """Note an event of an answer."""
        said = {"event": event.event, "data": self._clean(_decoded(event.data))}
        if event.id:
            said["id"] = event.id
        exchange["response"]["events"].append({**said, "after": round(after, 4)})

    def find(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer that was recorded for a request, each of them once.

        Raises:
            CassetteMismatch: There is none.
        """
        wanted = self._comparable(asked)
        with self._lock:
            for exchange in self._left:
                if self._comparable(exchange["request"]) == wanted:
                    self._left.remove(exchange)
                    answer: dict[str, Any] = exchange["response"]
                    return answer
            raise CassetteMismatch(self._mismatch(asked))

    def _mismatch(self, asked: dict[str, Any]) -> str:
        head = f"{asked['method']} {asked['path']} was not recorded so in {self.path}"
        if not self._left:
            return f"{head}: nothing is left to replay. Delete the file to record anew"
        same = [
            exchange["request"]
            for exchange in self._left
            if (exchange["request"]["method"], exchange["request"]["path"])
            == (asked["method"], asked["path"])
        ]
        nearest = same[0] if same else self._left[0]["request"]
        shown = [json.dumps(one, indent=1, sort_keys=True).splitlines() for one in (nearest, asked)]
        lines = difflib.unified_diff(shown[0], shown[1], "recorded", "asked", lineterm="")
        return f"{head}. Delete the file to record anew.\n" + "\n".join(lines)

    def _comparable(self, asked: Mapping[str, Any]) -> Any:
        def without(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: without(v) for k, v in value.items() if k not in self._ignore}
            return [without(item) for item in value] if isinstance(value, list) else value

        return without(dict(asked))

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: SCRUBBED if key.lower() in self._scrub else self._clean(item)
                for key, item in value.items()
            }
        return [self._clean(item) for item in value] if isinstance(value, list) else value

    def pause(self, event: Mapping[str, Any]) -> float:
        """Return how long to wait before an event is replayed, in seconds."""
        return float(event.get("after", 0.0)) if self._timing else 0.0


class _Transport(httpx.BaseTransport):
    def __init__(self, cassette: Cassette, inner: httpx.BaseTransport | None) -> None:
        self._cassette = cassette
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        cassette = self._cassette
        asked = cassette.asked(request, request.read())
        if not cassette.is_recording:
            answer = cassette.find(asked)
            if "events" in answer:
                return _response(answer, _Replayed(cassette, answer))
            return _response(answer, None)
        if self._inner is None:
            self._inner = httpx.HTTPTransport()
        response = self._inner.handle_request(request)
        exchange = cassette.keep(asked, response)
        if _is_stream(response):
            return _passed_on(response, _Recorded(cassette, exchange, response))
        response.read()
        response.close()
        cassette.body(exchange, response.content)
        return _whole(response)

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self, cassette: Cassette, inner: httpx.AsyncBaseTransport | None) -> None:
        self._cassette = cassette
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        cassette = self._cassette
        asked = cassette.asked(request, await request.aread())
        if not cassette.is_recording:
            answer = cassette.find(asked)
            if "events" in answer:
                return _response(answer, _Replayed(cassette, answer))
            return _response(answer, None)
        if self._inner is None:
            self._inner = httpx.AsyncHTTPTransport()
        response = await self._inner.handle_async_request(request)
        exchange = cassette.keep(asked, response)
        if _is_stream(response):
            return _passed_on(response, _Recorded(cassette, exchange, response))
        await response.aread()
        await response.aclose()
        cassette.body(exchange, response.content)
        return _whole(response)

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()


class _Recorded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A stream passed on as it comes, and noted event by event."""

    def __init__(self, cassette: Cassette, exchange: Exchange, response: httpx.Response) -> None:
        self._cassette = cassette
        self._exchange = exchange
        self._response = response
        self._reader = EventParser()
        self._last = time.monotonic()
        exchange["response"].update(complete=False, events=[])

    def _note(self, piece: bytes) -> None:
        for event in self._reader.feed(piece):
            now = time.monotonic()
            self._cassette.event(self._exchange, event, now - self._last)
            self._last = now

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._response.iter_bytes():
            self._note(piece)
            yield piece
        self._exchange["response"]["complete"] = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.aiter_bytes():
            self._note(piece)
            yield piece
        self._exchange["response"]["complete"] = True

    def close(self) -> None:
        self._response.close()

    async def aclose(self) -> None:
        await self._response.aclose()


class _Replayed(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A recorded stream."""

    def __init__(self, cassette: Cassette, answer: Mapping[str, Any]) -> None:
        self._cassette = cassette
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        for event in self._answer["events"]:
            if pause := self._cassette.pause(event):
                time.sleep(pause)
            yield frame(event)
        self._end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self._answer["events"]:
            if pause := self._cassette.pause(event):
                await asyncio.sleep(pause)
            yield frame(event)
        self._end()

    def _end(self) -> None:
        if not self._answer.get("complete", True):
            raise httpx.ReadError("the recording ends here: its reader left the stream")


def frame(event: Mapping[str, Any]) -> bytes:
    """Return an event as it is on the wire."""
    data = event["data"]
    text = json.dumps(data)
    lines = [f"event: {event['event']}", f"data: {text}"]
    if event.get("id"):
        lines.append(f"id: {event['id']}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _read(path: Path) -> list[Exchange]:
    document = json.loads(path.read_text())
    if not isinstance(document, dict) or "exchanges" not in document:
        raise ValueError(f"{path} is not the file of a cassette")
    if document.get("format") != FORMAT:
        raise ValueError(f"{path} has format {document.get('format')}, this package reads {FORMAT}")
    exchanges: list[Exchange] = document["exchanges"]
    return exchanges


def _decoded(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _is_stream(response: httpx.Response) -> bool:
    kind: str = response.headers.get("content-type", "")
    return kind.startswith("text/event-stream")


def _passed_on(response: httpx.Response, stream: _Recorded) -> httpx.Response:
    # Decoded on the way, so that what is noted is what is read.
    headers = [(k, v) for k, v in response.headers.multi_items() if k not in _OF_TRANSFER]
    return httpx.Response(response.status_code, headers=headers, stream=stream)


def _whole(response: httpx.Response) -> httpx.Response:
    headers = [(k, v) for k, v in response.headers.multi_items() if k not in _OF_TRANSFER]
    return httpx.Response(response.status_code, headers=headers, content=response.content)


_OF_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")


def _response(answer: Mapping[str, Any], stream: _Replayed | None) -> httpx.Response:
    headers = dict(answer["headers"])
    if stream is not None:
        return httpx.Response(answer["status"], headers=headers, stream=stream)
    body = answer.get("body")
    is_json = "json" in headers.get("content-type", "json")
    content = b"" if body is None and not is_json else json.dumps(body).encode()
    if isinstance(body, str) and not is_json:
        content = body.encode()
    if answer["status"] in (204, 304):
        content = b""
    return httpx.Response(answer["status"], headers=headers, content=content)
