# Generated from tests/_async/test_event_sockets.py by .ci/unasync.py; do not edit.
"""WebSockets of thread streams: whom they talk to, and what they do when something is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from websockets.frames import Frame, Opcode

from langgraph_client import (
    Reconnect,
    ReconnectPolicy,
    ScriptedGraph,
    StreamIncomplete,
    get_sync_client,
)
from langgraph_client.errors import (
    APIResponseValidationError,
    AuthenticationError,
    LangGraphError,
    NotFoundError,
)
from langgraph_client.server.graphs.script_steps import Wait
from langgraph_client.stream import ProtocolError
from langgraph_client.testing import TestServer
from tests.support.event_streaming import (
    THREAD,
    Event,
    accepted,
    documents,
    ended,
    handshake,
    message,
    started,
    text,
)
from tests.support.eventually import eventually
from tests.support.raw_server import EVENTS, Asked, Send, client_context, http, raw_server

pytestmark = pytest.mark.usefixtures("unhurried")

RUN: list[Event] = [
    started("r1"),
    ("values", [], {"n": 1}),
    *message(["a", "b"], "m1"),
    ("values", [], {"n": 2, "text": "\r\n\r\ntransfer-encoding: chunked\r\n\r\n" * 3}),
    ended(),
]
WAYS: dict[str, Callable[[], httpx.HTTPTransport | None]] = {
    "own": lambda: None,
    "httpx": httpx.HTTPTransport,
}
"""Who opens the connections, by the client's `transport`."""
SOCKET: dict[str, Any] = {"assistant_id": "agent", "transport": "websocket"}


SUBSCRIBED = text({"type": "success", "id": 1, "result": {"subscription_id": "s"}})


class Thread:
    """A server of one thread. Each socket gets its events, and then what `after` does.

    Args:
        sockets: The events of each connection; the last one stays open behind them.
        headers: Of the answer that opens a socket.
        hangs_up: Whether the other connections end behind their events, or fall silent.
    """

    def __init__(
        self,
        *sockets: Sequence[dict[str, Any]],
        headers: Sequence[str] = ("x-langgraph-event-ids: stable",),
        hangs_up: bool = True,
    ) -> None:
        self.sockets = [list(events) for events in sockets]
        self.headers = headers
        self.left = threading.Event()
        self.hangs_up = hangs_up
        self.opened = 0

    def __call__(self, asked: Asked, send: Send) -> None:
        path = asked.line.split()[1]
        if path.endswith("/commands"):
            send(http(json.dumps(accepted("r1")).encode(), "content-type: application/json"))
        elif path.endswith("/state"):
            state = {"values": {"n": 2}, "next": [], "tasks": []}
            send(http(json.dumps(state).encode(), "content-type: application/json"))
        elif path.endswith("/runs?limit=1"):
            send(http(b"[]", "content-type: application/json"))
        else:
            events = self.sockets[min(self.opened, len(self.sockets) - 1)]
            self.opened += 1
            send(handshake(asked, *self.headers) + SUBSCRIBED)
            for document in events:
                send(text(document))
            if self.opened >= len(self.sockets) or not self.hangs_up:
                self.left.wait(60)
            raise OSError("hung up")


@pytest.mark.parametrize("way", ["plain", "tls", "httpx"])
def test_a_run_over_a_socket(way: str) -> None:
    """Projections and output; the key is in the handshake; what looks like HTTP is data."""
    thread = Thread(documents(RUN))
    with raw_server(thread, tls=way == "tls") as server:
        verify = client_context() if way == "tls" else True
        inner = WAYS["httpx" if way == "httpx" else "own"]()
        with (
            get_sync_client(
                url=server.url, api_key="secret", verify=verify, transport=inner
            ) as client,
            client.threads.stream(THREAD, **SOCKET) as followed,
        ):
            followed.run.start()
            assert [values["n"] for values in followed.values] == [1, 2]
            assert followed.output == {"n": 2}
        thread.left.set()
    first = server.asked[0]
    assert first.line == f"GET /threads/{THREAD}/stream/events HTTP/1.1"
    assert first.headers["x-api-key"] == "secret"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stable", [True, False])
def test_a_cut_socket_loses_and_repeats_nothing(stable: bool, way: str) -> None:
    """What is known is dropped: by its number, or by its place in the run."""
    whole = documents(RUN)
    thread = Thread(
        whole[:4],
        whole,
        headers=["x-langgraph-event-ids: stable"] if stable else [],
    )
    with raw_server(thread) as server:
        with (
            get_sync_client(url=server.url, transport=WAYS[way]()) as client,
            client.threads.stream(THREAD, **SOCKET) as followed,
        ):
            followed.run.start()
            seqs = [event["seq"] for event in followed.subscribe(["values", "messages"])]
            assert seqs == list(range(2, len(RUN)))
        thread.left.set()
    assert thread.opened == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_socket_that_falls_silent_is_asked_and_then_left(
    way: str,
) -> None:
    """Silence is answered by a ping, and a ping without an answer by another connection."""
    whole = documents(RUN)
    thread = Thread(whole[:3], whole, hangs_up=False)
    with raw_server(thread) as server:
        policy = ReconnectPolicy(initial=0, heartbeat_timeout=2)
        with (
            get_sync_client(url=server.url, reconnect=policy, transport=WAYS[way]()) as client,
            client.threads.stream(THREAD, **SOCKET) as followed,
        ):
            followed.run.start()
            assert [values["n"] for values in followed.values] == [1, 2]
        thread.left.set()
    assert thread.opened == 2


def test_a_quiet_socket_that_answers_pings_stays() -> None:
    """A server with nothing to say is not left as long as it is there."""
    reconnects: list[Reconnect] = []
    # Each ping, after two seconds of silence, has two seconds to be answered.
    policy = ReconnectPolicy(heartbeat_timeout=4, on_reconnect=reconnects.append)
    with TestServer({"agent": ScriptedGraph([Wait(5), {"n": 1}])}) as server:
        url = server.listen()
        with (
            get_sync_client(url=url, reconnect=policy) as client,
            client.threads.stream(**SOCKET) as followed,
        ):
            followed.run.start(input={})
            assert followed.output == {"n": 1}
    assert reconnects == []


def test_a_socket_that_is_lost_for_good_is_told() -> None:
    """Whatever waits gets a `StreamIncomplete`."""
    thread = Thread(documents(RUN[:3]), [])
    thread.left.set()
    with raw_server(thread) as server:
        policy = ReconnectPolicy(max_reconnects=2, initial=0)
        with (
            get_sync_client(url=server.url, reconnect=policy) as client,
            client.threads.stream(THREAD, **SOCKET) as followed,
        ):
            followed.run.start()
            with pytest.raises(StreamIncomplete) as caught:
                print(followed.output)
            assert caught.value.thread_id == THREAD


REFUSALS: list[tuple[bytes, type[LangGraphError], str]] = [
    (http(b'{"detail": "no key"}', status="401 Unauthorized"), AuthenticationError, "no key"),
    (http(b"", status="405 Method Not Allowed"), ProtocolError, "no WebSocket for events"),
    (http(b'{"detail": "Not Found"}', status="404 Not Found"), ProtocolError, "no WebSocket"),
    (http(b"{}"), APIResponseValidationError, "does not switch protocols"),
    (
        http(b"", "location: http://elsewhere.example/", status="302 Found"),
        APIResponseValidationError,
        "another host",
    ),
    (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-accept: x\r\n\r\n",
        APIResponseValidationError,
        "does not open a WebSocket",
    ),
]


@pytest.mark.parametrize(("answer", "error", "said"), REFUSALS, ids=range(len(REFUSALS)))
def test_a_refused_socket_says_why(answer: bytes, error: type[LangGraphError], said: str) -> None:
    """A status is our error for it; the key goes nowhere else; nothing is tried in vain."""
    with raw_server(lambda _, send: send(answer)) as server:
        with (
            get_sync_client(url=server.url, api_key="secret") as client,
            client.threads.stream(THREAD, **SOCKET) as followed,
        ):
            with pytest.raises(error, match=said):
                followed.run.start()
        assert len(server.asked) == 1


def test_a_thread_that_is_not_found_is_no_server_without_sockets() -> None:
    """A 404 that names the thread is a `NotFoundError`, as over server-sent events."""
    missing = http(b'{"detail": "Thread with ID 1 not found"}', status="404 Not Found")
    with raw_server(lambda _, send: send(missing)) as server:
        with (
            get_sync_client(url=server.url) as client,
            client.threads.stream(THREAD, **SOCKET) as followed,
        ):
            with pytest.raises(NotFoundError, match="Thread with ID 1 not found"):
                _ = [event for event in followed.subscribe(["values"])]


def test_a_refused_subscription_says_why() -> None:
    """The server's code and words end the stream."""
    refusal = text({"type": "error", "id": 1, "error": "invalid_argument", "message": "bad"})

    def answer(asked: Asked, send: Send) -> None:
        send(handshake(asked) + refusal)
        asked.rest.read()  # Until the client hangs up.

    with raw_server(answer) as server:
        with (
            get_sync_client(url=server.url) as client,
            client.threads.stream(THREAD, **SOCKET) as followed,
        ):
            with pytest.raises(ProtocolError, match=r"\[invalid_argument\]: bad"):
                followed.run.start()


def test_a_socket_that_closes_right_behind_a_reply_is_opened_again() -> None:
    """The reply and the close frame arrive at once, so nothing can be sent after the reply."""
    thread = Thread(documents(RUN))

    def confirmed(number: int) -> bytes:
        return text({"type": "success", "id": number, "result": {"subscription_id": f"s{number}"}})

    def answer(asked: Asked, send: Send) -> None:
        if "/stream/events" not in asked.line:
            thread(asked, send)
            return
        thread.opened += 1
        send(handshake(asked, *thread.headers))
        first = confirmed(asked.command()["id"])
        if thread.opened == 1:
            send(first + text(documents(RUN)[0]))
            restart = Frame(Opcode.CLOSE, (1012).to_bytes(2)).serialize(mask=False)
            send(confirmed(asked.command()["id"]) + restart)
        else:
            send(first + b"".join(map(text, documents(RUN))))
            thread.left.wait(60)
        raise OSError

    with raw_server(answer) as server:
        policy = ReconnectPolicy(initial=0)
        with (
            get_sync_client(url=server.url, reconnect=policy) as client,
            client.threads.stream(THREAD, **SOCKET) as followed,
        ):
            followed.run.start()
            wider = followed.subscribe(["values", "checkpoints"])
            assert [item["params"]["data"]["n"] for item in wider] == [1, 2]
            assert [values["n"] for values in followed.values] == [1, 2]
        thread.left.set()
    assert thread.opened == 2


@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_a_connection_that_opens_after_the_stream_was_left_is_closed(transport: Any) -> None:
    """A reader that was still connecting does not go on to read."""
    left = threading.Event()

    def answer(asked: Asked, send: Send) -> None:
        left.wait(60)
        head, sign = EVENTS, b"3\r\n:\r\n\r\n"
        if transport == "websocket":
            head, sign = handshake(asked), Frame(Opcode.PING, b"").serialize(mask=False)
        send(head)
        for _ in range(2000):  # Until the client closes the connection.
            send(sign)
            time.sleep(0.005)  # A sign of life now and then, in the server's thread.

    with raw_server(answer) as server:
        with get_sync_client(url=server.url) as client:
            stream = client.threads.stream(THREAD, assistant_id="agent", transport=transport)
            with stream:
                eventually(lambda: server.asked)
            left.set()
            eventually(lambda: server.open == 0)


def test_in_process_there_is_none(server: TestServer) -> None:
    """A server that is not on a port has no sockets, and says so."""
    with (
        get_sync_client(url="http://server", transport=server.transport()) as client,
        client.threads.stream(THREAD, assistant_id="row", transport="websocket") as followed,
    ):
        with pytest.raises(ProtocolError, match='use transport="sse"'):
            followed.run.start()


def test_without_the_package_the_extra_is_named() -> None:
    """The error comes before anything is sent, and says what to install."""
    program = """
import importlib.util as util
found = util.find_spec
util.find_spec = lambda name, *more: None if name == "websockets" else found(name, *more)
from langgraph_client import get_sync_client
try:
    client = get_sync_client(url="http://localhost:1")
    client.threads.stream(assistant_id="a", transport="websocket")
except ImportError as error:
    print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert 'pip install "langgraph-client[websocket]"' in said
