"""Values that JSON flattens come back as they are, where both ends are ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_client import Server
from langgraph_client.auth import Auth


class Colour(Enum):
    RED = "red"


@dataclass
class Box:
    width: int
    colour: Colour


class Person(BaseModel):
    name: str
    born: date


class Rich(TypedDict, total=False):
    given: Any
    kinds: list[str]
    made: Any
    answer: Any


class Boxes(TypedDict, total=False):
    box: Box
    person: Person
    colours: list[Colour]


MADE = {
    "tuple": (1, (2, 3)),
    "set": {1, 2},
    "bytes": b"\x00\xff",
    "when": datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
    "id": UUID(int=5),
    "price": Decimal("1.50"),
    1: "one",
}


def echo(state: Rich) -> dict[str, Any]:
    return {"kinds": [type(item).__name__ for item in state.get("given") or ()], "made": MADE}


def ask(state: Rich) -> dict[str, Any]:
    return {"answer": interrupt({"how": {1}})}


def box(state: Boxes) -> dict[str, Any]:
    return {
        "box": Box(state["box"].width * 2, Colour.RED),
        "person": Person(name="Ada", born=date(1815, 12, 10)),
        "colours": [Colour.RED],
    }


def built(node: Any, state: Any) -> Any:
    return StateGraph(state).add_node("node", node).add_edge(START, "node").compile()


GRAPHS = {"echo": built(echo, Rich), "ask": built(ask, Rich), "box": built(box, Boxes)}


@pytest.fixture(params=["local", "remote"])
def graph_of(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "local":
        yield lambda name: GRAPHS[name].copy({"checkpointer": InMemorySaver()})
    else:
        with Server(GRAPHS) as server:
            types = [Box, Person, Colour]
            yield lambda name: server.remote_graph(name, allow_types=types)


CONFIG = {"configurable": {"thread_id": "1"}}
# What a checkpoint keeps as it is; its own encoding makes lists of tuples, locally too.
KEPT = [{2}, b"3", date(2026, 1, 1), Decimal("4.0"), UUID(int=6), {1: "one"}]
GIVEN = [(1,), {2}, b"3", date(2026, 1, 1), Decimal("4.0"), UUID(int=6), 7.5, None]


def test_input_and_output_keep_their_types(graph_of: Any) -> None:
    """The node sees the caller's types, and the caller the node's."""
    result = graph_of("echo").invoke({"given": GIVEN}, CONFIG)
    assert result["kinds"] == [type(item).__name__ for item in GIVEN]
    assert result["given"] == GIVEN
    assert result["made"] == MADE


def test_state_and_history_keep_them(graph_of: Any) -> None:
    """Snapshots hold what invoke gave."""
    graph = graph_of("echo")
    graph.invoke({"given": KEPT}, CONFIG)
    assert graph.get_state(CONFIG).values["given"] == KEPT
    assert next(iter(graph.get_state_history(CONFIG))).values["given"] == KEPT


def test_a_state_update_keeps_them(graph_of: Any) -> None:
    """What is written is what is read."""
    graph = graph_of("echo")
    graph.update_state(CONFIG, {"given": KEPT}, as_node="node")
    assert graph.get_state(CONFIG).values == {"given": KEPT}


def test_questions_and_answers_keep_them(graph_of: Any) -> None:
    """An interrupt's value, and the answer to it."""
    graph = graph_of("ask")
    (asked,) = graph.invoke({"given": 1}, CONFIG)["__interrupt__"]
    assert asked.value == {"how": {1}}
    assert graph.get_state(CONFIG).interrupts[0].value == {"how": {1}}
    assert graph.invoke(Command(resume={"so": {2}}), CONFIG)["answer"] == {"so": {2}}


async def test_the_schema_s_classes_are_made_again(graph_of: Any) -> None:
    """Dataclasses, pydantic models and enums, where the caller allows them; async too."""
    graph = graph_of("box")
    result = await graph.ainvoke({"box": Box(1, Colour.RED)}, CONFIG)
    assert result == {
        "box": Box(2, Colour.RED),
        "person": Person(name="Ada", born=date(1815, 12, 10)),
        "colours": [Colour.RED],
    }
    assert (await graph.aget_state(CONFIG)).values == result


def test_a_server_s_own_remote_graph_knows_its_graph_s_classes() -> None:
    """They need not be named, where the graph is at hand."""
    with Server(GRAPHS) as server:
        result = server.remote_graph("box").invoke({"box": Box(1, Colour.RED)})
    assert result["box"] == Box(2, Colour.RED)


def test_classes_that_are_not_allowed_stay_dicts() -> None:
    """Nothing is imported by name."""
    with Server(GRAPHS) as server:
        result = server.remote_graph("box", allow_types=[]).invoke({"box": Box(1, Colour.RED)})
    assert result["box"] == {"width": 2, "colour": "red"}
    assert result["colours"] == ["red"]


def test_everybody_else_gets_plain_json() -> None:
    """A client that says nothing of envelopes sees none, not even of a RemoteGraph's own run."""
    with Server(GRAPHS) as server:
        remote = server.remote_graph("echo")
        remote.invoke({"given": GIVEN}, CONFIG, stream_resumable=True)
        client = server.sync_client()
        (thread,) = client.threads.search()
        (run,) = client.runs.list(thread.thread_id)
        with httpx.Client(
            transport=server.transport(), base_url="http://server", timeout=60
        ) as other:
            path = f"/threads/{thread.thread_id}"
            events = other.get(
                f"{path}/runs/{run.run_id}/stream", headers={"last-event-id": "-"}
            ).text
            state = other.get(f"{path}/state").text
    assert "data: " in events
    assert "__types__" not in events + state


@pytest.mark.parametrize(
    "info",
    [
        httpx.Response(200, json={"version": "1"}),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(200, text="hello"),
    ],
    ids=["another server", "no such path", "no JSON"],
)
def test_a_server_that_does_not_agree_gets_plain_json(info: httpx.Response) -> None:
    """Without the agreement the input goes as JSON, as to any server."""
    sent: list[bytes] = []

    class Other(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/info":
                return info
            sent.append(request.read())
            body = b'event: values\r\ndata: {"ok":true}\r\n\r\n'
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)

    from langgraph_client import RemoteGraph, get_sync_client

    with get_sync_client(url="http://server.example", transport=Other()) as client:
        result = RemoteGraph("echo", sync_client=client).invoke({"given": [(1,), {2}]})
    assert result == {"ok": True}
    assert b'"given":[[1],[2]]' in sent[0]


class Looked(TypedDict):
    colour: Colour


def test_configurable_values_reach_the_node_as_they_are() -> None:
    """Those that JSON would change, too; everybody else reads plain JSON in the run."""
    seen: list[dict[str, Any]] = []

    def look(_: Looked, config: RunnableConfig) -> dict[str, Any]:
        seen.append(config["configurable"])
        return {}

    graph = StateGraph(Looked).add_node("look", look).set_entry_point("look").compile()
    given = {"pair": (1, 2), "day": date(2026, 1, 1), "colour": Colour.RED, "n": 1, "text": "t"}
    on = {"configurable": {"thread_id": "1", **given}}
    with Server({"look": graph}) as server, server.sync_client() as client:
        server.remote_graph("look").invoke({}, on)
        (thread,) = client.threads.search()
        (run,) = client.runs.list(thread["thread_id"])
    assert {key: seen[0][key] for key in given} == given
    shown = run["kwargs"]["config"]["configurable"]
    assert (shown["pair"], shown["day"], shown["n"]) == ([1, 2], "2026-01-01", 1)


class Inner(NamedTuple):
    day: date


@dataclass
class Context:
    text: str = "t"
    pair: Any = None
    days: frozenset[date] = frozenset()
    inner: Inner | None = None
    person: Person | None = None


class Settings(BaseModel):
    pair: tuple[int, int]
    box: Box


class Shown(TypedDict, total=False):
    shown: str


def show(_: Shown, config: RunnableConfig, runtime: Runtime[Any]) -> Shown:
    configurable, metadata = config["configurable"], config["metadata"]
    own = [{key: at[key] for key in ("a", "b") if key in at} for at in (configurable, metadata)]
    return {"shown": repr([runtime.context, *own])}


def shows(context: Any = None) -> Any:
    builder = StateGraph(Shown, context_schema=context).add_node("show", show)
    return builder.add_edge(START, "show").compile()


DAY = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("schema", "context"),
    [
        (Context, Context("x", (1, {2}), frozenset({DAY}), Inner(DAY))),
        (Context, Context(person=Person(name="Ada", born=DAY))),
        (Context, {"pair": (1, 2), "inner": Inner(DAY)}),
        (Settings, Settings(pair=(1, 2), box=Box(1, Colour.RED))),
        (None, {"pair": (1, 2), "thread_id": "mine", "text": "t"}),
        (None, {"text": "t"}),
        (Context, None),
    ],
    ids=["dataclass", "model in it", "dict", "model", "no schema", "plain", "none"],
)
def test_context_and_metadata_reach_the_node_as_they_are(schema: Any, context: Any) -> None:
    """Those that JSON would change, too; beside `configurable`, as in a local graph."""
    odd = {"a": DAY, "b": (1, {2})}
    config: Any = {"configurable": odd, "metadata": odd}
    local = shows(schema).invoke({}, config, context=context)
    with Server({"shows": shows(schema)}) as server:
        remote = server.remote_graph("shows")
        assert remote.invoke({}, config, context=context) == local


def test_everybody_else_reads_plain_json_in_a_run_with_a_context() -> None:
    """Handlers of `Auth` see values that are JSON as they are."""
    auth, told = Auth(), []

    @auth.authenticate
    async def user() -> dict[str, Any]:
        return {"identity": "ada"}

    @auth.on.threads.create_run
    async def create_run(ctx: Any, value: Any) -> None:
        told.append(
            (value["kwargs"]["context"]["text"], value["kwargs"]["config"]["metadata"]["b"])
        )

    with Server({"shows": shows(Context)}, auth=auth) as server, server.sync_client() as client:
        on: Any = {"thread_id": str(UUID(int=1)), "metadata": {"a": (1,), "b": "text"}}
        server.remote_graph("shows").invoke({}, on, context=Context(pair=(1, 2)))
        (thread,) = client.threads.search()
        (run,) = client.runs.list(thread["thread_id"])
    assert told == [("t", "text")]
    kwargs = run["kwargs"]
    assert (kwargs["context"]["pair"], kwargs["context"]["text"]) == ([1, 2], "t")
    for metadata in (kwargs["config"]["metadata"], run["metadata"], thread["metadata"]):
        assert (metadata["a"], metadata["b"]) == ([1], "text")


def test_the_context_of_an_assistant_is_below_that_of_a_call() -> None:
    """Its values are JSON; those of the call keep their types."""
    with Server({"shows": shows()}) as server, server.sync_client() as client:
        own = {"pair": [0], "text": "of the assistant"}
        assistant = client.assistants.create("shows", context=own)
        graph = server.remote_graph(assistant["assistant_id"])
        on: Any = {"configurable": {"a": 1}}
        called = graph.invoke({}, on, context={"pair": (1, 2)})
        assert called["shown"] == repr([{"pair": (1, 2), "text": own["text"]}, {"a": 1}, {}])
        assert graph.invoke({}, on)["shown"] == repr([own, {"a": 1}, {}])
