"""The event protocol over a WebSocket."""

from __future__ import annotations

import json
import socket as socket_module
import uuid
from contextlib import closing
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from langgraph_client import ScriptedGraph
from langgraph_client.server.graphs.script_steps import Emit
from langgraph_client.server.http.routes.event_sockets import MAX_SUBSCRIPTIONS
from langgraph_client.server.server import Server
from tests.server.test_event_streaming import GRAPHS, of

LIFE = ["lifecycle", "input", "values"]


class Socket:
    """A socket for the events of one thread."""

    def __init__(self, url: str, thread_id: str, **options: Any) -> None:
        address = f"{url.replace('http', 'ws', 1)}/threads/{thread_id}/stream/events"
        self._connection = connect(address, **options)
        self._socket = self._connection.__enter__()
        self.events: list[Any] = []

    def close(self) -> None:
        self._connection.__exit__(None, None, None)

    def send(self, frame: str | bytes) -> None:
        self._socket.send(frame)

    def receive(self) -> Any:
        value = json.loads(self._socket.recv(timeout=60))
        if value["type"] == "event":
            self.events.append(value)
        return value

    def command(self, method: str, **params: Any) -> Any:
        self.send(json.dumps({"id": 7, "method": method, "params": params}))
        while (value := self.receive())["type"] == "event":
            pass
        return value

    def until(self, event: str) -> list[Any]:
        """Read until the root says this."""
        while not (self.events and self.events[-1]["event_id"].endswith(f"lc||{event}")):
            self.receive()
        return self.events


@pytest.fixture(scope="module")
def url() -> Any:
    with Server(GRAPHS) as server:
        yield server.listen()


@pytest.fixture
def socket(url: str) -> Any:
    with closing(Socket(url, str(uuid.uuid4()))) as socket:
        yield socket


def test_a_run_on_a_socket(socket: Socket) -> None:
    """Commands and events go over one socket; the question is answered with its namespace."""
    assert socket.command("subscription.subscribe", channels=LIFE)["type"] == "success"
    assert socket.command("run.start", assistant_id="outer_ask", input={"count": 1})["result"]
    socket.until("interrupted")
    (question,) = [event for event in socket.events if event["method"] == "input.requested"]
    answer = {"interrupt_id": question["params"]["data"]["interrupt_id"], "response": "yes"}
    assert socket.command("input.respond", **answer)["error"] == "no_such_interrupt"
    namespace = question["params"]["namespace"]
    assert socket.command("input.respond", **answer, namespace=namespace)["type"] == "success"
    assert of(socket.until("completed"), "values")[-1] == {"count": 1, "answer": "yes"}


def test_a_late_socket_gets_what_was_and_can_go_on_behind_a_number(url: str) -> None:
    """A subscription replays the thread, `since` the part behind a number, before its answer."""
    thread_id = str(uuid.uuid4())
    with closing(Socket(url, thread_id)) as first:
        first.command("subscription.subscribe", channels=LIFE)
        first.command("run.start", assistant_id="ask", input={"count": 1})
        events = first.until("interrupted")
    with closing(Socket(url, thread_id)) as late:
        reply = late.command("subscription.subscribe", channels=LIFE)
        assert reply["result"]["replayed_events"] == len(events)
        assert late.events == events
    with closing(Socket(url, thread_id)) as later:
        since = events[1]["seq"]
        later.command("subscription.reconnect", channels=LIFE, since=since, subscription_id="mine")
        assert later.events == events[2:]
        assert later.command("subscription.unsubscribe", subscription_id="mine")["result"] == {}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{bad", "invalid_argument"),
        ("5", "invalid_argument"),
        (b'{"id": 1, "method": "nope"}', "unknown_command"),
        ('{"id": 1, "method": "subscription.subscribe"}', "invalid_argument"),
        ('{"id": 1, "method": "subscription.unsubscribe"}', "invalid_argument"),
    ],
)
def test_mistakes_are_answered_and_the_socket_lives(
    socket: Socket, frame: str | bytes, code: str
) -> None:
    """A frame that is no command is answered with a code."""
    socket.send(frame)
    assert socket.receive()["error"] == code
    assert socket.command("agent.getTree")["error"] == "no_such_run"


def test_a_socket_has_a_limited_number_of_subscriptions(socket: Socket) -> None:
    """One more is refused until another is ended; the same id again is no further one."""
    for number in range(MAX_SUBSCRIPTIONS):
        name = f"custom:{number}"
        reply = socket.command("subscription.subscribe", channels=[name], subscription_id=name)
        assert reply["type"] == "success"
    refused = socket.command("subscription.subscribe", channels=["custom:x"])
    assert refused["error"] == "invalid_argument"
    assert refused["message"] == "A socket may have at most 256 subscriptions: end one of them."
    again = {"channels": ["custom:x"], "subscription_id": "custom:0"}
    assert socket.command("subscription.subscribe", **again)["type"] == "success"
    socket.command("subscription.unsubscribe", subscription_id="custom:1")
    assert socket.command("subscription.subscribe", channels=LIFE)["type"] == "success"
    assert socket.command("run.start", assistant_id="ask", input={"count": 1})["result"]
    assert of(socket.until("interrupted"), "values")


def test_a_filter_has_a_limited_number_of_namespaces(socket: Socket, url: str) -> None:
    """Every new name of an event is compared with all of them, so there is a limit."""
    wanted = {"channels": LIFE, "namespaces": [["inner"]] * 1001}
    refused = socket.command("subscription.subscribe", **wanted)
    assert refused["error"] == "invalid_argument"
    assert refused["message"] == "subscription.subscribe may have at most 1000 namespaces."
    answer = httpx.post(f"{url}/threads/{uuid.uuid4()}/stream/events", json=wanted, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "namespaces may have at most 1000 entries"
    wanted["namespaces"].pop()
    assert socket.command("subscription.subscribe", **wanted)["type"] == "success"


def test_a_thread_that_cannot_be_closes_the_socket(url: str) -> None:
    """A thread id that is no UUID is refused."""
    with closing(Socket(url, "x")) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_a_page_of_another_origin_is_refused(url: str) -> None:
    """A socket is checked like a request: browsers let any page open one."""
    with pytest.raises(InvalidStatus) as refused:
        Socket(url, str(uuid.uuid4()), origin="https://evil.example")
    assert refused.value.response.status_code == 403


def test_a_socket_needs_the_api_key() -> None:
    """A server with a key refuses sockets without it."""
    with Server(GRAPHS, api_key="secret") as server:
        url = server.listen()
        with pytest.raises(InvalidStatus) as refused:
            Socket(url, str(uuid.uuid4()))
        assert refused.value.response.status_code == 401
        key = {"x-api-key": "secret"}
        with closing(Socket(url, str(uuid.uuid4()), additional_headers=key)) as socket:
            assert socket.command("agent.getTree")["error"] == "no_such_run"


def test_a_socket_that_is_not_read_is_dropped() -> None:
    """Its run goes on, and its thread is read by somebody else."""
    steps = [Emit({"n": n, "text": "x" * 1000}) for n in range(6000)]
    with Server({"talk": ScriptedGraph([*steps, {"n": 1}])}, send_timeout=0.2) as server:
        url = server.listen()
        thread_id = str(uuid.uuid4())
        sock = socket_module.socket()
        sock.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_RCVBUF, 4096)
        place = httpx.URL(url)
        sock.connect((place.host, place.port))
        options: dict[str, Any] = {"sock": sock, "max_queue": 1}
        with closing(Socket(url, thread_id, **options)) as stalled:
            stalled.command("subscription.subscribe", channels=["custom"])
            with httpx.Client(base_url=url, timeout=60) as http:
                start = {"assistant_id": "talk", "input": {"n": 0}}
                command = {"id": 1, "method": "run.start", "params": start}
                answer = http.post(f"/threads/{thread_id}/commands", json=command).json()
                run_id = answer["result"]["run_id"]
                assert http.get(f"/threads/{thread_id}/runs/{run_id}/join").json() == {"n": 1}


def test_a_refused_handshake_is_not_logged_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """A client without a key is refused, which is no failure of the server."""
    with Server(GRAPHS, api_key="secret") as server:
        with pytest.raises(InvalidStatus) as refused:
            Socket(server.listen(), str(uuid.uuid4()))
        assert refused.value.response.status_code == 401
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
