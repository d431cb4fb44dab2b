"""A thread that was followed, as a server would send it: protocol events, commands, the state."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from typing import Any

import httpx
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from tests.support.raw_server import Asked

THREAD = "0dbad140-3487-42de-bed5-8cd7bdd4c8f9"
Event = tuple[str, list[str], Any]


def started(run_id: str) -> Event:
    """Return the first event of a run."""
    return ("lifecycle", [], {"event": "running", "graph_name": "agent", "run_id": run_id})


def ended(status: str = "completed", **more: Any) -> Event:
    """Return the last event of a run."""
    return ("lifecycle", [], {"event": status, "graph_name": "agent", **more})


def message(text: Sequence[str], message_id: str, namespace: Sequence[str] = ()) -> list[Event]:
    """Return the events of a message that is streamed in pieces; each says whose it is."""
    whole = {"type": "text", "text": "".join(text), "index": 0}
    parts = [
        {"event": "message-start", "role": "ai", "id": message_id},
        {"event": "content-block-start", "index": 0, "content": {**whole, "text": ""}},
        *(
            {
                "event": "content-block-delta",
                "index": 0,
                "delta": {"type": "text-delta", "text": piece},
            }
            for piece in text
        ),
        {"event": "content-block-finish", "index": 0, "content": whole},
        {"event": "message-finish"},
    ]
    return [("messages", list(namespace), {**part, "message_id": message_id}) for part in parts]


def documents(events: Sequence[Event], first: int = 1) -> list[dict[str, Any]]:
    """Return the events as documents of the protocol."""
    made = []
    for seq, (method, namespace, data) in enumerate(events, first):
        event_id = f"1-{seq}"
        if method == "lifecycle" and data["event"] == "running":
            event_id = f"synth:{data['run_id']}:lc||running"
        params = {"namespace": namespace, "timestamp": 1, "data": data}
        made.append(
            {
                "type": "event",
                "event_id": event_id,
                "seq": seq,
                "method": method,
                "params": params,
            }
        )
    return made


def frames(events: Sequence[Event], first: int = 1) -> bytes:
    """Return the events as an event stream."""
    return b"".join(
        f"event: {one['method']}\r\ndata: {json.dumps(one)}\r\nid: {one['seq']}\r\n\r\n".encode()
        for one in documents(events, first)
    )


class Held(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that stays open behind its last byte, or breaks or ends there.

    Args:
        content: Its bytes.
        cut: Whether it breaks.
        ends: Whether it ends in good order.
        silence: How many seconds pass before its first byte.
    """

    def __init__(
        self, content: bytes, cut: bool, *, ends: bool = False, silence: float = 0
    ) -> None:
        self._content = content
        self._cut = cut
        self._silence = silence
        self._closed = threading.Event()
        self._aclosed = asyncio.Event()
        if ends:
            self._end()

    def __iter__(self) -> Iterator[bytes]:
        self._closed.wait(self._silence)
        yield self._content
        if self._cut:
            raise httpx.ReadError("cut")
        self._closed.wait(60)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await self._until_closed(self._silence)
        yield self._content
        if self._cut:
            raise httpx.ReadError("cut")
        await self._until_closed(60)

    async def _until_closed(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._aclosed.wait()

    def _end(self) -> None:
        self._closed.set()
        self._aclosed.set()

    def close(self) -> None:
        self._end()

    async def aclose(self) -> None:
        self._end()


class FollowedThread(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A server with one thread.

    Args:
        connections: What each connection to the event stream sends; all but the last break. Further
            ones send nothing.
        answers: What commands are answered, in turn.
        stable: Whether numbers of events stay.
        values: What the state of the thread has.
        tasks: The tasks of that state.
        refusals: How often the event stream is refused, as of a thread that does not exist.
        runs: The runs of the thread, the last one first.
        run_status: What any run is said to be; None: no run is known.
        ends: Whether the last connection, and those behind it, end in good order.

    Attributes:
        states: How often the state was asked for.
    """

    def __init__(
        self,
        *connections: bytes,
        answers: Sequence[dict[str, Any]] = (),
        stable: bool = False,
        values: Any = None,
        tasks: Sequence[dict[str, Any]] = (),
        refusals: int = 0,
        runs: Sequence[dict[str, Any]] = (),
        run_status: str | None = None,
        ends: bool = False,
    ) -> None:
        self._connections = list(connections)
        self._answers = list(answers)
        self._stable = stable
        self._values = values or {"done": True}
        self._tasks = list(tasks)
        self._refusals = refusals
        self._runs = list(runs)
        self._run_status = run_status
        self._ends = ends
        self.states = 0
        self.commands: list[dict[str, Any]] = []
        self.filters: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/stream/events") and self._refusals:
            self._refusals -= 1
            return httpx.Response(404, json={"detail": "no such thread"})
        if path.endswith("/stream/events"):
            self.filters.append(json.loads(request.content))
            content = self._connections.pop(0) if self._connections else b""
            headers = {"content-type": "text/event-stream"}
            if self._stable:
                headers["x-langgraph-event-ids"] = "stable"
            body = Held(content, bool(self._connections), ends=self._ends)
            return httpx.Response(200, headers=headers, stream=body)
        if path.endswith("/commands"):
            self.commands.append(json.loads(request.content))
            return httpx.Response(200, json=self._answers.pop(0))
        if path.endswith("/state"):
            self.states += 1
            state = {"values": self._values, "next": [], "tasks": self._tasks}
            return httpx.Response(200, json=state)
        if path.endswith("/runs"):
            return httpx.Response(200, json=self._runs)
        if "/runs/" in path and self._run_status is not None:
            run_id = path.rpartition("/")[2]
            return httpx.Response(200, json={"run_id": run_id, "status": self._run_status})
        return httpx.Response(404, json={"detail": "not found"})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def accepted(run_id: str) -> dict[str, Any]:
    """Return the answer to a command that started a run."""
    return {"type": "success", "id": 1, "result": {"run_id": run_id}, "meta": {}}


def handshake(asked: Asked, *headers: str) -> bytes:
    """Return the answer that opens a socket."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "upgrade: websocket",
        "connection: upgrade",
        f"sec-websocket-accept: {accept_key(asked.headers['sec-websocket-key'])}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def text(document: Any) -> bytes:
    """Return a frame with a document."""
    return Frame(Opcode.TEXT, json.dumps(document).encode()).serialize(mask=False)
