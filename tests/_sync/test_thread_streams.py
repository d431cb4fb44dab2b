# Generated from tests/_async/test_thread_streams.py by .ci/unasync.py; do not edit.
"""Thread streams: projections of a run, read in any order, and commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from langgraph_client import (
    Reconnect,
    ReconnectPolicy,
    StreamIncomplete,
    SyncLangGraphClient,
    get_sync_client,
)
from langgraph_client._core.event_filter import EventFilter
from langgraph_client._sync.event_readers import SyncSocketReader
from langgraph_client._sync.thread_feed import SyncFeed
from langgraph_client.errors import APIConnectionError, AuthenticationError, LangGraphError
from langgraph_client.stream import ProtocolError, RunFailedError
from tests.support.event_streaming import (
    THREAD,
    Event,
    FollowedThread,
    Held,
    accepted,
    documents,
    ended,
    frames,
    message,
    started,
)

pytestmark = pytest.mark.usefixtures("unhurried")

PLAIN: list[Event] = [
    started("r1"),
    ("values", [], {"count": 0}),
    *message(["Hel", "lo"], "m1"),
    ("tools", [], {"event": "tool-started", "tool_call_id": "c1", "tool_name": "add", "input": 1}),
    ("tools", [], {"event": "tool-output-delta", "tool_call_id": "c1", "delta": "half"}),
    ("tools", [], {"event": "tool-finished", "tool_call_id": "c1", "output": 3}),
    ("custom", [], {"name": "progress", "payload": 50}),
    ("lifecycle", ["inner:t1"], {"event": "started", "graph_name": "inner"}),
    ("values", ["inner:t1"], {"deep": 1}),
    *message(["down"], "m2", ["inner:t1"]),
    ("lifecycle", ["inner:t1"], {"event": "completed", "graph_name": "inner"}),
    ("values", [], {"count": 1}),
    ended(),
]
CHANNELS = ["lifecycle", "values", "messages", "tools", "custom"]
AGENT = {"assistant_id": "agent"}
ASKED: list[Event] = [
    started("r1"),
    ("input.requested", [], {"interrupt_id": "i1", "payload": "sure?"}),
    ended("interrupted"),
]


def client_of(thread: FollowedThread, **options: Any) -> SyncLangGraphClient:
    return get_sync_client(url="http://server.example", transport=thread, **options)


def test_projections_are_read_nested_late_and_twice() -> None:
    """Every projection begins with the first item of the run, whenever it is read."""
    server = FollowedThread(frames(PLAIN), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        assert thread.run.start(input={"count": 0}) == {"run_id": "r1"}
        tokens = []
        for streamed in thread.messages:
            for token in streamed.text:
                tokens.append(token)
        assert tokens == ["Hel", "lo"]
        for _ in range(2):
            assert [values for values in thread.values] == [{"count": 0}, {"count": 1}]
        assert [item for item in thread.extensions["progress"]] == [
            {"name": "progress", "payload": 50}
        ]
        assert thread.output == {"done": True}
    assert server.commands[0]["params"] == {"assistant_id": "agent", "input": {"count": 0}}
    assert len(server.filters) == 1


def test_tool_calls_and_subgraphs_are_found_with_what_belongs_to_them() -> None:
    """A tool call has its deltas and its output, a subgraph projections of its own."""
    server = FollowedThread(frames(PLAIN), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        calls = [call for call in thread.tool_calls]
        assert [(call.name, call.input, call.done) for call in calls] == [("add", 1, True)]
        assert [delta for delta in calls[0].deltas] == ["half"]
        assert calls[0].output == 3
        (inner,) = [found for found in thread.subgraphs]
        assert (inner.graph_name, inner.status) == ("inner", "completed")
        assert [values for values in inner.values] == [{"deep": 1}]
        assert [one.message_id for one in inner.messages] == ["m2"]


def test_a_subgraph_has_subgraphs_of_its_own() -> None:
    """They are found on it at any depth, also where the one between was never announced."""
    deep = ["outer:t1", "inner:t2", "inmost:t3"]
    events: list[Event] = [
        started("r1"),
        ("lifecycle", deep[:1], {"event": "started", "graph_name": "outer"}),
        ("values", deep, {"deep": 3}),
        ("lifecycle", deep[:1], {"event": "completed", "graph_name": "outer"}),
        ended(),
    ]
    server = FollowedThread(frames(events), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        (outer,) = [found for found in thread.subgraphs]
        (inner,) = [found for found in outer.subgraphs]
        (inmost,) = [found for found in inner.subagents]
        assert [outer.namespace, inner.namespace, inmost.namespace] == [deep[:1], deep[:2], deep]
        assert [values for values in inmost.values] == [{"deep": 3}]
        assert [found for found in inmost.subgraphs] == []
        assert (inner.graph_name, inner.trigger_call_id) == ("inner", "t2")
        assert {outer.status, inner.status, inmost.status} == {"completed"}


@pytest.mark.parametrize("names_messages", [True, False])
def test_the_message_that_mirrors_a_tool_result_is_no_subgraph(names_messages: bool) -> None:
    """A tool's result is repeated below `tools:<tool_call_id>`, which is no call of a subgraph."""
    call = {"tool_call_id": "c1"}
    named = {"message_id": "tool-c1"} if names_messages else {}
    events: list[Event] = [
        started("r1"),
        ("tools", [], {"event": "tool-started", "tool_name": "add", "input": 1, **call}),
        ("tools", [], {"event": "tool-finished", "output": 3, **call}),
        ("messages", ["tools:c1"], {"event": "message-start", "role": "tool", **call, **named}),
        ("messages", ["tools:c1"], {"event": "message-finish", **named}),
        ended(),
    ]
    server = FollowedThread(frames(events), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        assert [found for found in thread.subgraphs] == []
        assert [message for message in thread.messages] == []


def test_an_extension_is_the_same_object_at_each_access() -> None:
    """`extensions[name]` is made once, of a thread and of each subgraph."""
    server = FollowedThread(frames(PLAIN), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        assert thread.extensions["progress"] is thread.extensions["progress"]
        assert thread.extensions["progress"] is not thread.extensions["other"]
        (inner,) = [found for found in thread.subgraphs]
        assert inner.extensions["progress"] is inner.extensions["progress"]


def test_a_failure_ends_everything_that_waits() -> None:
    """Output, projections and a message in the middle raise the server's words."""
    cut = message(["Hel", "lo"], "m1")[:3]
    server = FollowedThread(
        frames([started("r1"), *cut, ended("failed", error="no luck")]), answers=[accepted("r1")]
    )
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        with pytest.raises(RunFailedError, match=r"^Run errored: no luck$"):
            print(thread.output)
        with pytest.raises(RunFailedError, match="no luck"):
            [[token for token in one.text] for one in thread.messages]


def test_a_refused_command_says_why() -> None:
    """An error envelope becomes a `ProtocolError` with the server's code and words."""
    refusal = {"type": "error", "id": 1, "error": "invalid_argument", "message": "no assistant"}
    server = FollowedThread(frames([]), answers=[refusal])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        with pytest.raises(ProtocolError, match=r"\[invalid_argument\]: no assistant"):
            thread.run.start()


@pytest.mark.parametrize("stable", [True, False])
def test_a_cut_connection_loses_and_repeats_nothing(stable: bool) -> None:
    """It goes on after the last number, or reads again and drops what is known."""
    whole = frames(PLAIN)
    second = frames(PLAIN[5:], 6) if stable else whole
    server = FollowedThread(frames(PLAIN[:5]), second, answers=[accepted("r1")], stable=stable)
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        seqs = [event["seq"] for event in thread.subscribe(CHANNELS)]
        assert seqs == list(range(1, len(PLAIN) + 1))
        assert [one.message_id for one in thread.messages] == ["m1"]
    assert server.filters[1].get("since") == (5 if stable else None)


def test_a_connection_that_is_lost_for_good_is_told() -> None:
    """Whatever waits gets a `StreamIncomplete`."""
    server = FollowedThread(frames([started("r1")]), b"", b"", answers=[accepted("r1")])
    policy = ReconnectPolicy(max_reconnects=1, initial=0)
    with (
        client_of(server, reconnect=policy) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        with pytest.raises(StreamIncomplete):
            print(thread.output)


class ExpiredThread(FollowedThread):
    """A thread whose server accepts the key of the first connection only."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream/events") and self.filters:
            return httpx.Response(401, json={"detail": "token expired"})
        return super().handle_request(request)


def test_events_end_with_the_error_of_their_connection() -> None:
    """A refused reconnection is an error in raw events as well, and no end of the run."""
    server = ExpiredThread(frames([started("r1")]), b"", answers=[accepted("r1")])
    policy = ReconnectPolicy(initial=0)
    with (
        client_of(server, reconnect=policy) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        events = thread.subscribe(["lifecycle", "values"])
        assert (next(events))["seq"] == 1
        with pytest.raises(AuthenticationError):
            next(events)


def test_a_closed_client_is_not_asked_again() -> None:
    """What waits for events ends at once with an error: no pause could help."""
    attempts: list[Reconnect] = []
    server = FollowedThread(frames([started("r1")]), answers=[accepted("r1")])
    policy = ReconnectPolicy(initial=0, on_reconnect=attempts.append)
    client = client_of(server, reconnect=policy)
    with client.threads.stream(THREAD, **AGENT) as thread:
        thread.run.start()
        events = thread.subscribe(["lifecycle", "values"])
        assert (next(events))["seq"] == 1
        client.close()
        with pytest.raises(APIConnectionError, match="closed"):
            next(events)
    assert len(attempts) <= 1


@pytest.mark.parametrize("channels", [["lifecycle"], ["tools"], ["input"], [""]])
def test_only_projections_are_interleaved(channels: Sequence[str]) -> None:
    """Names of channels that have no projection are refused."""
    server = FollowedThread(frames(PLAIN))
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        with pytest.raises(ValueError, match="is not a projection"):
            [item for item in thread.interleave_projections(channels)]


def test_interleaved_items_come_in_the_order_of_arrival() -> None:
    """Items of several projections come with the names of theirs."""
    server = FollowedThread(frames(PLAIN), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        items = thread.interleave_projections(["values", "tool_calls", "progress"])
        assert [name for name, _ in items] == [
            "values",
            "tool_calls",
            "progress",
            "values",
        ]


class ReplayedThread(FollowedThread):
    """A thread whose server sends all events over each connection, and then waits."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream/events"):
            body = Held(frames(PLAIN), cut=False)
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)
        return super().handle_request(request)


def test_an_interleaved_tool_call_beside_tasks_has_an_output() -> None:
    """Tasks need a subscription of their own, and the tool call belongs to that one."""
    with (
        client_of(ReplayedThread(answers=[accepted("r1")])) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        items = thread.interleave_projections(["tool_calls", "tasks"])
        calls = [call for _, call in items]
        assert [call.output for call in calls] == [3]
        assert [[delta for delta in call.deltas] for call in calls] == [["half"]]


def test_transports_are_checked_before_anything_is_sent() -> None:
    """What is no transport is a ValueError."""
    with client_of(FollowedThread()) as client:
        with pytest.raises(ValueError, match="'pigeon'"):
            client.threads.stream(THREAD, assistant_id="agent", transport="pigeon")  # type: ignore[arg-type]


def test_events_that_name_no_run_are_of_the_current_one() -> None:
    """A stand-in for a server, whose ids say nothing, is read nevertheless, also when it hangs up.

    What it sends again is known by its ids.
    """
    events = documents([("values", [], {"n": 1}), *message(["a", "b"], "m1"), ended()], first=0)
    for event in events:
        event["event_id"] = f"evt-{event['seq']}"
        event["params"].get("data", {}).pop("message_id", None)
    body = b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)
    server = FollowedThread(*[body] * 9, answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        assert [values for values in thread.values] == [{"n": 1}]
        assert [one.message_id for one in thread.messages] == ["m1"]
        assert thread.output == {"done": True}


def test_a_run_whose_steps_were_not_told_has_its_last_values() -> None:
    """Values of a run that only began and ended are those of the thread."""
    server = FollowedThread(frames([started("r1"), ended()]), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        assert [values for values in thread.values] == [{"done": True}]


def test_a_closed_thread_stream_ends_and_sends_nothing() -> None:
    """What is read behind the end is empty; commands and `output` are refused."""
    server = FollowedThread(frames(PLAIN), answers=[accepted("r1")])
    with client_of(server) as client:
        with client.threads.stream(THREAD, **AGENT) as thread:
            events = thread.events
        assert [event for event in events] == []
        assert [item for item in thread.extensions["progress"]] == []
        assert thread.subagents is thread.subgraphs
        for refused in (thread.run.start, thread._runs.wait_for_output, thread.agent.get_tree):
            with pytest.raises(RuntimeError, match="is closed"):
                refused()


def test_a_stream_that_the_server_says_has_failed_is_opened_again() -> None:
    """An error frame that nobody asked for is a cut; its words are told if there is no more."""
    failed = {"type": "error", "id": None, "error": "unknown_error", "message": "no luck"}
    frame = f"event: error\r\ndata: {json.dumps(failed)}\r\n\r\n".encode()
    whole = frames(PLAIN)
    server = FollowedThread(frames(PLAIN[:5]) + frame, whole, answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        assert [values for values in thread.values] == [{"count": 0}, {"count": 1}]
    policy = ReconnectPolicy(max_reconnects=1, initial=0)
    server = FollowedThread(frame, frame, b"", answers=[accepted("r1")])
    with (
        client_of(server, reconnect=policy) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        with pytest.raises(StreamIncomplete) as caught:
            print(thread.output)
        assert "no luck" in str(caught.value.__cause__)


def test_a_tool_call_without_an_end_fails_with_its_run() -> None:
    """Its output says that the run was over before the tool was."""
    tool = {"event": "tool-started", "tool_call_id": "c1", "tool_name": "add", "input": 1}
    server = FollowedThread(
        frames([started("r1"), ("tools", [], tool), ended()]), answers=[accepted("r1")]
    )
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        (call,) = [found for found in thread.tool_calls]
        with pytest.raises(RuntimeError, match="closed before terminal tool event"):
            print(call.output)


@pytest.mark.parametrize(
    ("told", "status", "error"),
    [
        ({"error": "boom", "interrupts": []}, "failed", "boom"),
        ({"error": None, "interrupts": [{"value": "?"}]}, "interrupted", None),
        ({"error": None, "interrupts": []}, "completed", None),
    ],
)
def test_a_task_tells_how_the_subgraph_that_it_called_has_ended(
    told: dict[str, Any], status: str, error: str | None
) -> None:
    """Where the subgraph itself tells no end, what its task says counts, not how the run ended."""
    events: list[Event] = [
        started("r1"),
        ("tasks", ["worker:t1"], {"id": "t2", "name": "inside", "input": {}}),
        ("tasks", [], {"id": "t1", "name": "worker", "result": {}, **told}),
        ended("completed" if error is None else "interrupted"),
    ]
    server = FollowedThread(frames(events), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        (worker,) = [found for found in thread.subgraphs]
        assert (worker.graph_name, worker.status, worker.error) == ("worker", status, error)


def test_the_output_of_a_run_is_asked_for_once() -> None:
    """Who waits for it again gets the same."""
    server = FollowedThread(frames(PLAIN), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        assert thread.output == thread.output == {"done": True}
    assert server.states == 1


def test_an_event_without_data_is_ignored() -> None:
    """Proxies send them to keep a connection open."""
    ping = b"event: ping\r\ndata: \r\n\r\n"
    server = FollowedThread(ping + frames(PLAIN), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        assert [values for values in thread.values] == [{"count": 0}, {"count": 1}]


@pytest.mark.parametrize("data", ["{nope", "[]", '{"type": "event", "params": {}}'])
def test_an_event_that_is_not_of_the_protocol_is_an_error_of_ours(data: str) -> None:
    """Data that is not JSON, not an event, or an event without its number."""
    policy = ReconnectPolicy(max_reconnects=0, initial=0)
    frame = f"event: values\r\ndata: {data}\r\n\r\n".encode()
    server = FollowedThread(frame, answers=[accepted("r1")])
    with (
        client_of(server, reconnect=policy) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        with pytest.raises(LangGraphError, match="not an event"):
            print([values for values in thread.values])


def test_a_stream_that_is_refused_before_its_thread_exists_is_asked_for_again() -> None:
    """The command that makes the thread is sent, and what it says counts."""
    refusal = {"type": "error", "id": 1, "error": "invalid_argument", "message": "no assistant"}
    server = FollowedThread(frames(PLAIN), answers=[refusal, accepted("r1")], refusals=2)
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        with pytest.raises(ProtocolError, match="no assistant"):
            thread.run.start()
        thread.run.start()
        assert [values for values in thread.values] == [{"count": 0}, {"count": 1}]


def test_a_feed_that_is_added_after_the_end_of_its_reader_ends() -> None:
    """It has the same error, and whoever waits for it does not wait for ever."""
    wire: Any = None

    def is_gone() -> bool:
        return True

    reader = SyncSocketReader(wire, "/x", {}, ReconnectPolicy(), is_gone)
    reader._end(ValueError("refused"))
    feed = SyncFeed("t", EventFilter(frozenset({"values"})))
    reader.add(feed)
    with pytest.raises(ValueError, match="refused"):
        feed.start()
