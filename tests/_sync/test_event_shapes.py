# Generated from tests/_async/test_event_shapes.py by .ci/unasync.py; do not edit.
"""Thread streams of a server whose events do not have the protocol's shape: a named error each."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from langgraph_client import ReconnectPolicy, RetryPolicy, get_sync_client
from langgraph_client.errors import APIResponseValidationError
from tests.support.event_streaming import THREAD, documents, ended, handshake, started, text
from tests.support.raw_server import EVENTS, Asked, Send, chunked, http, raw_server

ONCE = RetryPolicy(max_attempts=1)
ONLY = ReconnectPolicy(max_reconnects=0)
(FIRST,) = documents([started("r1")])
ABSENT = object()


def damaged(*place: str, value: object) -> dict[str, Any]:
    """The event after the first one, with another value at one place."""
    event = copy.deepcopy(FIRST)
    event["seq"], event["event_id"] = 2, "1-2"
    at = event
    for key in place[:-1]:
        at = at[key]
    if value is ABSENT:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return event


def with_data(method: str, data: object) -> dict[str, Any]:
    return {**damaged("params", "data", value=data), "method": method}


ODD: dict[str, Any] = {
    "no namespace": damaged("params", "namespace", value=ABSENT),
    "a number for a namespace": damaged("params", "namespace", value=5),
    "numbers in a namespace": damaged("params", "namespace", value=[5]),
    "lists in a namespace": damaged("params", "namespace", value=[[]]),
    "a namespace of very many segments": damaged("params", "namespace", value=["a:1"] * 5000),
    "no method": damaged("method", value=ABSENT),
    "a number for a method": damaged("method", value=5),
    "no data of a lifecycle": damaged("params", "data", value=ABSENT),
    "a number for a lifecycle": with_data("lifecycle", 5),
    "a list for a message": with_data("messages", []),
    "a list for a tool": with_data("tools", [1]),
    "a question without an id": with_data("input.requested", {}),
    "a number for a question": with_data("input.requested", 5),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_event_is_named(case: str) -> None:
    """The error is ours, over both transports, and not Python's."""

    def answer(asked: Asked, send: Send) -> None:
        if asked.headers.get("upgrade"):
            confirmed = text({"type": "success", "id": 1, "result": {"subscription_id": "s"}})
            send(handshake(asked) + confirmed + text(FIRST) + text(ODD[case]))
        elif "/stream/events" in asked.line:
            parts = [f"event: x\ndata: {json.dumps(e)}\n\n".encode() for e in (FIRST, ODD[case])]
            send(EVENTS + chunked(*parts)[:-5])
        else:
            send(http(b"[]"))

    with raw_server(answer) as server:
        with get_sync_client(url=server.url, retry=ONCE, reconnect=ONLY) as client:
            for transport in ("sse", "websocket"):
                thread: Any = client.threads.stream(
                    THREAD, assistant_id="agent", transport=transport
                )
                with thread:
                    with pytest.raises(APIResponseValidationError):
                        for _ in thread.events:
                            pass


@pytest.mark.parametrize(
    "reply",
    [
        {"type": "success", "id": 1},
        {"type": "success", "id": 1, "result": []},
        {"type": "success", "id": 1, "result": {"subscription_id": 5}},
    ],
)
def test_an_odd_reply_to_a_subscription_is_named(reply: dict[str, Any]) -> None:
    """A reply to nothing is ignored; one that confirms nothing is an error."""
    nothing = [{"type": "success", "id": other, "result": {}} for other in ([], None, "x", 99)]

    def answer(asked: Asked, send: Send) -> None:
        if asked.headers.get("upgrade"):
            send(handshake(asked) + b"".join(map(text, [*nothing, reply])))
        else:
            send(http(b"[]"))

    with raw_server(answer) as server:
        with get_sync_client(url=server.url, retry=ONCE, reconnect=ONLY) as client:
            thread = client.threads.stream(THREAD, assistant_id="agent", transport="websocket")
            with thread:
                with pytest.raises(APIResponseValidationError, match="is not an event"):
                    thread.run.start()


@pytest.mark.parametrize("result", [[1], 5, {"run_id": 5}, None])
def test_a_command_s_odd_result_is_read_as_none(result: object) -> None:
    """As of a server that does not return the run's id: the newest run is meant."""

    def answer(asked: Asked, send: Send) -> None:
        if asked.line.startswith("POST") and "/commands" in asked.line:
            send(http(json.dumps({"type": "success", "id": 1, "result": result}).encode()))
        elif "/stream/events" in asked.line:
            send(EVENTS + chunked(b": heartbeat\n\n")[:-5])
        else:
            send(http(b'[{"run_id": "r9", "status": "running"}]'))

    with raw_server(answer) as server:
        with (
            get_sync_client(url=server.url, retry=ONCE, reconnect=ONLY) as client,
            client.threads.stream(THREAD, assistant_id="agent") as thread,
        ):
            thread.run.start()
            assert thread._runs._current is not None
            assert thread._runs._current.run_id == "r9"


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"values": {}, "tasks": 5},
        {"values": {}, "tasks": [5]},
        {"values": {}, "tasks": [{"id": "t", "name": "n", "interrupts": [5]}]},
        {"values": {}, "tasks": [{"id": "t", "name": "n", "interrupts": [{"id": []}]}]},
    ],
)
def test_an_odd_state_is_named(state: dict[str, Any]) -> None:
    """The output of an interrupted run is read from the thread's state."""
    events = documents([started("r1"), ended("interrupted")])

    def answer(asked: Asked, send: Send) -> None:
        if "/stream/events" in asked.line:
            parts = [f"event: x\ndata: {json.dumps(e)}\n\n".encode() for e in events]
            send(EVENTS + chunked(*parts)[:-5])
        elif "/state" in asked.line:
            send(http(json.dumps(state).encode()))
        else:
            send(http(b'[{"run_id": "r1", "status": "interrupted"}]'))

    with raw_server(answer) as server:
        with (
            get_sync_client(url=server.url, retry=ONCE, reconnect=ONLY) as client,
            client.threads.stream(THREAD, assistant_id="agent") as thread,
        ):
            if not state:
                assert thread.output is None
                return
            with pytest.raises(APIResponseValidationError):
                thread._runs.wait_for_output()


@pytest.mark.parametrize("runs", [[{}], [{"run_id": "r1"}], [{"run_id": 5}]])
def test_an_odd_run_is_named(runs: object) -> None:
    """Also one that came without its id or its status."""

    def answer(asked: Asked, send: Send) -> None:
        if "/stream/events" in asked.line:
            send(EVENTS + chunked(b": heartbeat\n\n")[:-5])
        elif "/runs/" in asked.line:
            send(http(b"{}"))
        else:
            send(http(json.dumps(runs).encode()))

    with raw_server(answer) as server:
        with (
            get_sync_client(url=server.url, retry=ONCE, reconnect=ONLY) as client,
            client.threads.stream(THREAD, assistant_id="agent") as thread,
        ):
            with pytest.raises(APIResponseValidationError, match=r"run_id|status"):
                thread._runs.wait_for_output()


@pytest.mark.parametrize("interrupts", [5, {"t": 5}, {"t": [5]}, {"t": [{"id": 5}]}])
def test_an_odd_thread_is_named(interrupts: object) -> None:
    """Its interrupts are read to respond to them."""

    def answer(asked: Asked, send: Send) -> None:
        if "/stream/events" in asked.line:
            send(EVENTS + chunked(b": heartbeat\n\n")[:-5])
        else:
            send(http(json.dumps({"thread_id": THREAD, "interrupts": interrupts}).encode()))

    with raw_server(answer) as server:
        with (
            get_sync_client(url=server.url, retry=ONCE, reconnect=ONLY) as client,
            client.threads.stream(THREAD, assistant_id="agent") as thread,
        ):
            with pytest.raises(APIResponseValidationError):
                thread.run.respond("yes")
