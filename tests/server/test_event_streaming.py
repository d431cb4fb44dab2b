"""The event protocol over HTTP: commands, and the events of a thread."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
import uuid
from contextlib import closing
from typing import Annotated, Any, TypedDict

import httpx
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt

from langgraph_client.server.graphs.classic_events import ClassicEvents
from langgraph_client.server.graphs.protocol_events import RawEvent
from langgraph_client.server.server import Server
from langgraph_client.testing import Say, ScriptedGraph, TestServer

ALL = [
    "values",
    "updates",
    "messages",
    "tools",
    "lifecycle",
    "input",
    "checkpoints",
    "tasks",
    "custom",
]


class Chat(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class Count(TypedDict, total=False):
    count: int
    answer: str


async def say(state: Chat) -> dict[str, Any]:
    reply = AIMessage("one two three", additional_kwargs={"signature": "s1"})
    model = GenericFakeChatModel(messages=iter([reply]))
    return {"messages": [await model.ainvoke(state["messages"])]}


def ask(state: Count) -> dict[str, Any]:
    return {"answer": interrupt("sure?")}


def fail(state: Count) -> dict[str, Any]:
    raise ValueError("on purpose")


def one_node(state: type, node: Any) -> Any:
    builder = StateGraph(state)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    builder.add_edge("node", END)
    return builder.compile()


def outer(node: Any) -> Any:
    builder = StateGraph(Count)
    builder.add_node("inner", one_node(Count, node))
    builder.add_edge(START, "inner")
    return builder.compile()


GRAPHS = {
    "chat": one_node(Chat, say),
    "ask": one_node(Count, ask),
    "fail": one_node(Count, fail),
    "outer_fail": outer(fail),
    "outer_ask": outer(ask),
}


class Thread:
    """One thread of a server, through plain HTTP."""

    def __init__(self, url: str) -> None:
        self.id = str(uuid.uuid4())
        self._http = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        self._http.close()

    def command(self, method: str, **params: Any) -> Any:
        body = {"id": 1, "method": method, "params": params}
        return self._http.post(f"/threads/{self.id}/commands", json=body).json()

    def start(self, graph: str, given: Any, **params: Any) -> str:
        reply = self.command("run.start", assistant_id=graph, input=given, **params)
        return str(reply["result"]["run_id"])

    def events(self, ends: int = 1, **body: Any) -> list[Any]:
        """Read to the given end of a run, counted from the first event."""
        found: list[Any] = []
        body = {"channels": ALL, **body}
        with self._http.stream("POST", f"/threads/{self.id}/stream/events", json=body) as reply:
            assert reply.headers["x-langgraph-event-ids"] == "stable"
            for line in reply.iter_lines():
                if line.startswith("data: "):
                    found.append(json.loads(line.removeprefix("data: ")))
                    ends -= found[-1]["event_id"].endswith(
                        ("lc||completed", "lc||failed", "lc||interrupted")
                    )
                    if ends == 0:
                        break
        return found

    def request_stream(self, method: str, path: str, **options: Any) -> Any:
        return self._http.stream(method, path.replace("{t}", self.id), **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._http.request(method, path.replace("{t}", self.id), **options)


@pytest.fixture
def thread() -> Any:
    with (
        Server(GRAPHS, show_errors=True) as server,
        closing(Thread(server.listen())) as thread,
    ):
        yield thread


def kinds(events: list[Any]) -> list[str]:
    found = []
    for event in events:
        method = event["method"]
        word = f" {event['params']['data']['event']}" if method == "lifecycle" else ""
        found.append(method + word)
    return found


def of(events: list[Any], method: str) -> list[Any]:
    return [event["params"]["data"] for event in events if event["method"] == method]


def test_a_message_streams_in_blocks_each_event_with_the_messages_id(thread: Thread) -> None:
    """Every event of a message says which message it belongs to."""
    thread.start("chat", {"messages": "hi"})
    events = thread.events()
    messages = of(events, "messages")
    assert [data["event"] for data in messages][:2] == ["message-start", "content-block-start"]
    text = [d["delta"]["text"] for d in messages if d["event"] == "content-block-delta"]
    assert "".join(text) == "one two three"
    assert len(text) > 1
    assert {data["message_id"] for data in messages} == {messages[0]["id"]}
    assert kinds(events)[0] == "lifecycle running"
    assert kinds(events)[-1] == "lifecycle completed"
    assert {"values", "updates", "checkpoints", "tasks"} <= set(kinds(events))


def test_events_are_numbered_once_and_replayed_as_they_were(thread: Thread) -> None:
    """A later reader gets the same numbers, ids and times, and `since` goes on behind a number."""
    thread.start("chat", {"messages": "hi"})
    live = thread.events()
    assert [event["seq"] for event in live] == list(range(1, len(live) + 1))
    assert thread.events() == live
    assert thread.events(since=3) == live[3:]


def test_a_restarted_server_goes_on_with_numbers_and_replays(tmp_path: Any) -> None:
    """What was streamed is there after a restart on the same file, and numbers go on behind it."""
    with (
        Server(GRAPHS, path=tmp_path / "db") as server,
        closing(Thread(server.listen())) as thread,
    ):
        thread.start("chat", {"messages": "hi"})
        live = thread.events()
    with (
        Server(GRAPHS, path=tmp_path / "db") as server,
        closing(Thread(server.listen())) as again,
    ):
        again.id = thread.id
        assert again.events() == live
        again.start("chat", {"messages": "hi"})
        both = again.events(ends=2)
    assert [event["seq"] for event in both] == list(range(1, len(both) + 1))


def test_a_question_is_answered(thread: Thread) -> None:
    """The run ends as interrupted behind its question, and the answer's run has an id."""
    thread.start("ask", {"count": 1})
    events = thread.events()
    (question,) = of(events, "input.requested")
    assert question["payload"] == "sure?"
    assert of(events, "lifecycle")[-1] == {"event": "interrupted", "graph_name": "ask"}
    reply = thread.command("input.respond", interrupt_id=question["interrupt_id"], response="yes")
    events = thread.events(ends=2)
    running = [e for e in events if e["event_id"].endswith("lc||running")]
    assert running[-1]["event_id"].split(":")[1] == reply["result"]["run_id"]
    assert of(events, "values")[-1] == {"count": 1, "answer": "yes"}
    assert thread.command("input.respond", interrupt_id=question["interrupt_id"])["error"] == (
        "no_such_interrupt"
    )


def test_an_input_to_a_thread_that_waits_is_the_answer(thread: Thread) -> None:
    """`run.start` with an input answers the question."""
    thread.start("ask", {"count": 1})
    thread.events()
    thread.start("ask", "by start")
    assert of(thread.events(ends=2), "values")[-1] == {"count": 1, "answer": "by start"}


@pytest.mark.parametrize("graph", ["fail", "outer_fail"])
def test_a_failure_is_told_with_its_text_also_in_a_replay(thread: Thread, graph: str) -> None:
    """Root and subgraphs end as failed, with the text of the exception."""
    thread.start(graph, {"count": 1})
    live = thread.events()
    ends = [data for data in of(live, "lifecycle") if data["event"] == "failed"]
    assert {data["error"] for data in ends} == {"on purpose"}
    assert len(ends) == (2 if graph == "outer_fail" else 1)
    assert thread.events() == live


@pytest.mark.parametrize("action", ["interrupt", "rollback"])
def test_a_cancelled_run_ends_and_says_why(action: str) -> None:
    """A stopped run is interrupted for the reason that it was cancelled."""

    async def wait(state: Count) -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    with (
        Server({"wait": one_node(Count, wait)}) as server,
        closing(Thread(server.listen())) as thread,
    ):
        run_id = thread.start("wait", {"count": 1})
        thread.request("POST", f"/threads/{{t}}/runs/{run_id}/cancel?wait=1&action={action}")
        end = thread.events()[-1]["params"]["data"]
    assert end == {"event": "interrupted", "graph_name": "wait", "reason": "cancelled"}


def test_of_a_run_that_is_rolled_back_only_start_and_end_stay() -> None:
    """A later reader does not get what the run has said."""
    arrived = threading.Event()

    async def wait(state: Count) -> dict[str, Any]:
        arrived.set()
        await asyncio.sleep(60)
        return {}

    with (
        Server({"wait": one_node(Count, wait)}) as server,
        closing(Thread(server.listen())) as thread,
    ):
        run_id = thread.start("wait", {"count": 1})
        assert arrived.wait(60)
        thread.request("POST", f"/threads/{{t}}/runs/{run_id}/cancel?wait=1&action=rollback")
        assert kinds(thread.events()) == ["lifecycle running", "lifecycle interrupted"]


def test_a_run_of_the_older_endpoints_is_seen_by_a_late_reader(thread: Thread) -> None:
    """A run whose events are kept is in the log as a run of the event protocol would be."""
    body = {
        "assistant_id": "ask",
        "input": {"count": 1},
        "if_not_exists": "create",
        "stream_resumable": True,
        "stream_mode": ["values", "updates"],
    }
    thread.request("POST", "/threads/{t}/runs/wait", json=body)
    events = thread.events()
    assert kinds(events)[0] == "lifecycle running"
    assert kinds(events)[-1] == "lifecycle interrupted"
    assert of(events, "values") == [{"count": 1}, {"count": 1}]
    assert of(events, "input.requested")[0]["payload"] == "sure?"
    assert thread.events() == events


@pytest.mark.parametrize("modes", [["messages", "custom", "values"], ["messages", "custom"]])
def test_a_late_reader_gets_each_message_once(modes: list[str]) -> None:
    """Also if two models have streamed at the same time, with other events in between."""

    async def chat(state: Chat) -> dict[str, Any]:
        async def answer(text: str) -> Any:
            model = GenericFakeChatModel(messages=iter([AIMessage(content=text)]))
            whole: Any = None
            async for chunk in model.astream(state["messages"]):
                whole = chunk if whole is None else whole + chunk
                get_stream_writer()({"so far": whole.content})
                await asyncio.sleep(0)
            return whole

        both = await asyncio.gather(answer("one two three"), answer("four five six"))
        return {"messages": [*both]}

    body = {
        "assistant_id": "chat",
        "input": {"messages": []},
        "if_not_exists": "create",
        "stream_resumable": True,
        "stream_mode": modes,
    }
    with Server({"chat": one_node(Chat, chat)}) as server, closing(Thread(server.listen())) as late:
        late.request("POST", "/threads/{t}/runs/wait", json=body)
        events = of(late.events(), "messages")
    texts = dict[str, str]()
    for data in events:
        if data["event"] == "content-block-delta":
            texts[data["message_id"]] = texts.get(data["message_id"], "") + data["delta"]["text"]
    assert sorted(texts.values()) == ["four five six", "one two three"]
    for word in ("message-start", "content-block-finish", "message-finish"):
        assert len([data for data in events if data["event"] == word]) == 2


def test_the_tree_of_the_last_run(thread: Thread) -> None:
    """`agent.getTree` returns the graphs of the last run with their states."""
    assert thread.command("agent.getTree")["error"] == "no_such_run"
    thread.start("outer_ask", {"count": 1})
    thread.events()
    tree = thread.command("agent.getTree")["result"]["tree"]
    assert tree["status"] == "interrupted"
    assert tree["children"][0]["graph_name"] == "inner"


def test_subscriptions_are_filtered(thread: Thread) -> None:
    """Channels, namespaces and depth decide what comes; numbers stay."""
    thread.start("outer_fail", {"count": 1})
    everything = thread.events()
    root = thread.events(channels=["lifecycle"], depth=0)
    assert kinds(root) == ["lifecycle running", "lifecycle failed"]
    assert root == [e for e in everything if e in root]


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"channels": []}, 400), ({"channels": ["nope"]}, 400)],
)
def test_streams_that_are_refused(thread: Thread, body: Any, status: int) -> None:
    """A stream needs channels that there are."""
    reply = thread.request("POST", "/threads/{t}/stream/events", json=body)
    assert reply.status_code == status
    assert "channels" in reply.json()["detail"]


def test_a_thread_id_that_is_no_uuid_is_refused(thread: Thread) -> None:
    """A stream of a thread that cannot be is no endless stream."""
    body = {"channels": ["values"]}
    assert thread.request("POST", "/threads/x/stream/events", json=body).status_code == 422


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("nope", {}, "unknown_command"),
        ("run.start", {}, "invalid_argument"),
        ("run.start", {"assistant_id": "nope"}, "unknown_error"),
        ("input.respond", {}, "invalid_argument"),
        ("input.respond", {"interrupt_id": "x"}, "no_such_run"),
        ("input.respond", {"responses": []}, "invalid_argument"),
        ("subscription.unsubscribe", {"subscription_id": "x"}, "no_such_subscription"),
        ("subscription.reconnect", {"channels": ["values"], "since": 0}, "no_such_run"),
    ],
)
def test_commands_that_are_refused(thread: Thread, method: str, params: Any, code: str) -> None:
    """A command that cannot be carried out is answered with a code."""
    assert thread.command(method, **params)["error"] == code


@pytest.mark.sqlite
def test_an_end_that_a_kill_has_cut_off_is_made_up_for(tmp_path: Any) -> None:
    """A run whose document says that it is over has an end in its events."""
    file = tmp_path / "db"
    with (
        Server(GRAPHS, path=file) as server,
        closing(Thread(server.listen())) as thread,
    ):
        thread.start("fail", {"count": 1})
        live = thread.events()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM protocol_events WHERE name = 'lifecycle:failed'")
    with (
        Server(GRAPHS, path=file) as server,
        closing(Thread(server.listen())) as again,
    ):
        again.id = thread.id
        assert of(again.events(), "lifecycle")[-1] == of(live, "lifecycle")[-1]


def test_a_run_of_a_command_is_seen_on_the_older_stream_of_its_thread(thread: Thread) -> None:
    """Readers of the older streams get values and messages in the form they know."""
    with thread.request_stream("GET", "/threads/{t}/stream") as reply:
        thread.start("chat", {"messages": "hi"})
        found: dict[str, Any] = {}
        name = ""
        for line in reply.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found[name] = json.loads(line.removeprefix("data: "))
                if name == "metadata" and found[name].get("status") == "run_done":
                    break
    assert found["messages/complete"][0]["content"] == "one two three"
    assert found["messages/complete"][0]["additional_kwargs"] == {"signature": "s1"}
    assert found["values"]["messages"][-1]["type"] == "ai"


def test_on_the_older_stream_a_message_ends_for_the_reason_of_its_last_event() -> None:
    """As in the message that the graph stores, it replaces what the provider said."""
    provider = {"model_name": "m", "normalized_finish_reason": "stop"}
    end = {"event": "message-finish", "metadata": provider}
    told = [{"event": "message-start", "id": "1"}, {**end, "normalized_finish_reason": "refusal"}]
    events = [RawEvent("messages", (), data, (), "run") for data in told]
    ((name, [message]),) = ClassicEvents().take(events, is_watched=True)
    assert name == "messages/complete"
    assert message["response_metadata"] == {**provider, "normalized_finish_reason": "refusal"}


def test_a_slow_reader_slows_its_run_and_loses_nothing() -> None:
    """A run waits for a reader that does not read, and goes on when it does."""
    steps = 1000
    done = 0

    async def write(state: Count) -> dict[str, Any]:
        nonlocal done
        writer = get_stream_writer()
        for part in range(3):
            writer({"number": 3 * state["count"] + part, "filling": "x" * 10_000})
        done = state["count"] + 1
        return {"count": done}

    builder = StateGraph(Count)
    builder.add_node("write", write)
    builder.add_edge(START, "write")
    builder.add_conditional_edges("write", lambda s: "write" if s["count"] < steps else END)
    body = {"channels": ["custom", "lifecycle"]}
    with (
        Server({"write": builder.compile()}) as server,
        closing(Thread(server.listen())) as thread,
        thread.request_stream("POST", "/threads/{t}/stream/events", json=body) as reply,
    ):
        thread.start("write", {"count": 0}, config={"recursion_limit": 2 * steps})
        lines = reply.iter_lines()
        before = -1
        while done != before or done == 0:  # Until no step was done for half a second.
            before = done
            time.sleep(0.5)  # Time itself is what the test is about.
        assert done < steps, "the run did not wait for its reader"
        numbers = []
        for line in lines:
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                if event["event_id"].endswith("lc||completed"):
                    break
                if event["method"] == "custom":
                    numbers.append(event["params"]["data"]["number"])
    assert numbers == list(range(3 * steps))


def test_a_script_streams_its_messages() -> None:
    """A scripted graph is run by commands as any other, and its messages come in pieces."""
    graph = ScriptedGraph([Say("one two three"), {"count": 1}])
    with (
        TestServer({"script": graph}) as server,
        closing(Thread(server.listen())) as thread,
    ):
        thread.start("script", {})
        messages = of(thread.events(), "messages")
    assert [data["event"] for data in messages][:2] == ["message-start", "content-block-start"]
    assert messages[-1]["event"] == "message-finish"
    text = [d["delta"]["text"] for d in messages if d["event"] == "content-block-delta"]
    assert "".join(text) == "one two three"


def test_a_script_s_message_has_its_calls_of_tools() -> None:
    """They are blocks behind the text, each begun and finished."""
    call = {"id": "c1", "name": "search", "args": {"q": "x"}}
    graph = ScriptedGraph([Say("look", tool_calls=[call])])
    with (
        TestServer({"script": graph}) as server,
        closing(Thread(server.listen())) as thread,
    ):
        thread.start("script", {})
        messages = of(thread.events(), "messages")
    blocks = [data for data in messages if data["event"] == "content-block-finish"]
    assert [block["index"] for block in blocks] == [0, 1]
    assert blocks[1]["content"] == {"type": "tool_call", **call}
