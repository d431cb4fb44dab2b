"""What a local graph gives and shows, a remote one does too, cause by cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import InvalidUpdateError, is_invalid_resume
from langgraph.graph import START, MessagesState, StateGraph, add_messages
from langgraph.runtime import Runtime
from langgraph.types import Command, StateUpdate, interrupt
from pydantic import BaseModel, ValidationError

from langgraph_client import InvalidArgumentError, RemoteException, Server

ON = {"configurable": {"thread_id": "1"}}


class Model(BaseModel):
    value: str
    count: int = 0


@dataclasses.dataclass
class Data:
    value: str
    count: int = 0


def counting(schema: Any) -> Any:
    builder = StateGraph(schema)
    builder.add_node("add", lambda state: {"count": state.count + 1})
    builder.add_edge(START, "add")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("schema", [Model, Data])
async def test_version_v2_gives_states_as_their_class(schema: Any) -> None:
    """In `invoke`, in the parts of values and checkpoints, and where the graph stops."""
    graph = counting(schema)
    modes = ["values", "checkpoints", "debug", "updates"]
    with Server({"agent": graph}) as server:
        remote = server.remote_graph("agent")
        seen = []
        for subject in (graph, remote):
            on = {"configurable": {"thread_id": "remote" if subject is remote else "local"}}
            output = subject.invoke({"value": "x"}, on, version="v2")
            assert output.value == schema("x", 1) if schema is Data else schema(value="x", count=1)
            assert type(output.value) is schema
            parts = list(subject.stream({"value": "y"}, on, version="v2", stream_mode=modes))
            seen.append([(part["type"], type(_values(part))) for part in parts])
            aparts = subject.astream({"value": "y"}, on, version="v2", stream_mode="values")
            assert {type(part["data"]) async for part in aparts} == {schema}
        assert seen[0] == seen[1]
        assert ("checkpoints", schema) in seen[0]
        assert ("debug", schema) in seen[0]


def _values(part: Any) -> Any:
    data = part["data"]
    if part["type"] == "debug":
        data = data["payload"]
    return data.get("values") if isinstance(data, dict) and "values" in data else data


def test_version_v2_leaves_a_class_that_is_not_allowed_a_dict() -> None:
    """Nothing is made because a server names it."""
    with Server({"agent": counting(Model)}) as server:
        remote = server.remote_graph("agent", allow_types=[])
        assert remote.invoke({"value": "x"}, version="v2").value == {"value": "x", "count": 1}


def asking() -> Any:
    builder = StateGraph(TypedDict("State", {"answer": str}, total=False))
    builder.add_node("ask", lambda _: {"answer": interrupt("?")})
    builder.add_edge(START, "ask")
    return builder.compile(checkpointer=InMemorySaver())


class Lifecycle(GraphCallbackHandler):
    def __init__(self, error: str = "") -> None:
        self.told: list[tuple[Any, ...]] = []
        self.raise_error = bool(error)
        self.error = error

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        values = [each.value for each in event.interrupts]
        self.told.append(("interrupt", event.status, event.checkpoint_ns, values))
        assert event.run_id is not None
        if self.error:
            raise ValueError(self.error)

    def on_resume(self, event: GraphResumeEvent) -> None:
        self.told.append(("resume", event.status, event.checkpoint_ns))


async def test_callbacks_of_interrupts_and_resumptions() -> None:
    """Called here for what happens there, in both colours."""
    told = []
    graph = asking()
    with Server({"agent": graph}) as server:
        for subject in (graph, server.remote_graph("agent")):
            handler = Lifecycle()
            on = {"configurable": {"thread_id": repr(subject)}, "callbacks": [handler]}
            subject.invoke({}, on)
            await subject.ainvoke(Command(resume="!"), on)
            told.append(handler.told)
    assert told[0] == told[1]
    assert [name for name, *_ in told[1]] == ["interrupt", "resume"]


def test_a_callback_that_is_to_raise_raises_here() -> None:
    """A handler with `raise_error` raises its error from the call, as locally."""
    with Server({"agent": asking()}) as server, pytest.raises(ValueError, match="boom"):
        server.remote_graph("agent").invoke({}, {**ON, "callbacks": [Lifecycle("boom")]})


def test_drawings_tell_the_classes_of_nodes() -> None:
    """As `to_json()` of the local graph has them; plain clients get what the protocol has."""
    graph = asking()
    with Server({"agent": graph}) as server:
        remote = server.remote_graph("agent")
        assert remote.get_graph().to_json() == graph.get_graph().to_json()
        node = remote.get_graph().nodes["ask"].data
        with pytest.raises(NotImplementedError, match="cannot be run"):
            node.invoke({})
        plain = server.sync_client().assistants.get_graph("agent")
    assert all(set(node.get("data", {})) <= {"name"} for node in plain["nodes"])


def refusing() -> Any:
    def check(state: Any) -> dict[str, str]:
        Model.model_validate({"value": [1], "count": "many"})
        return {}

    builder = StateGraph(TypedDict("State", {"x": int}, total=False))
    builder.add_node("check", check)
    builder.add_edge(START, "check")
    return builder.compile()


def test_an_invalid_model_is_pydantics_own_error_where_it_is_allowed() -> None:
    """With its details; no class can be made of that one, so ours is the cause."""
    graph = refusing()
    with pytest.raises(ValidationError) as local:
        graph.invoke({"x": 1})
    with Server({"agent": graph}) as server:
        with pytest.raises(ValidationError) as remote:
            server.remote_graph("agent", allow_types=[ValidationError]).invoke({"x": 1})
        with pytest.raises(RemoteException) as usual:
            server.remote_graph("agent").invoke({"x": 1})
    assert remote.value.errors() == local.value.errors()
    assert str(remote.value) == str(local.value)
    assert isinstance(remote.value.__cause__, RemoteException)
    assert isinstance(usual.value, ValueError)
    assert not isinstance(usual.value, ValidationError)


def test_an_answer_that_does_not_fit_its_question_is_known_as_such() -> None:
    """`is_invalid_resume` says so of either form of the error."""

    def ask(_: Any) -> dict[str, int]:
        return {"x": interrupt("?", response_schema=Model).count}

    builder = StateGraph(TypedDict("State", {"x": int}, total=False))
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    with Server({"agent": builder.compile(checkpointer=InMemorySaver())}) as server:
        for allowed in ([], [ValidationError]):
            remote = server.remote_graph("agent", allow_types=allowed)
            on = {"configurable": {"thread_id": repr(allowed)}}
            remote.invoke({}, on)
            with pytest.raises(ValueError, match="value") as refused:
                remote.invoke(Command(resume={"count": "many"}), on)
            assert is_invalid_resume(refused.value)
            assert remote.invoke(Command(resume={"value": "x", "count": 2}), on) == {"x": 2}


@pytest.mark.parametrize("is_root", [False, True], ids=["key", "root"])
def test_messages_of_updates_have_the_ids_of_the_state(is_root: bool) -> None:
    """Also those that the reducer would name only after the event; alone, in lists, of commands."""
    schema: Any = Annotated[list, add_messages] if is_root else MessagesState

    def wrapped(value: Any) -> Any:
        return value if is_root else {"messages": value}

    builder = StateGraph(schema)
    builder.add_node("one", lambda _: wrapped(AIMessage("1")))
    builder.add_node("two", lambda _: wrapped([AIMessage("2"), AIMessage("3", id="mine")]))
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    with Server({"agent": builder.compile()}) as server:
        remote = server.remote_graph("agent")
        told = []
        for update in remote.stream(wrapped([]), ON):
            (written,) = update.values()
            messages = written if is_root else written["messages"]
            told += messages if isinstance(messages, list) else [messages]
        state = remote.get_state(ON).values
    kept = state if is_root else state["messages"]
    assert [each.id for each in told] == [each.id for each in kept]
    assert all(each.id for each in told)
    assert told[2].id == "mine"


def looking(look: Callable[[RunnableConfig, Any], Any]) -> Any:
    """A graph whose node keeps what it sees of its config and runtime."""

    class State(TypedDict, total=False):
        x: int

    def node(state: State, config: RunnableConfig, runtime: Runtime) -> State:
        look(config, runtime)
        return {"x": 1}

    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return builder.compile(checkpointer=InMemorySaver())


def _shown(config: RunnableConfig, runtime: Any) -> Any:
    configurable = config["configurable"]
    own = {key: configurable[key] for key in configurable if not key.startswith("__pregel")}
    own.pop("checkpoint_id", None)  # Of each run its own.
    own.pop("checkpoint_map", None)
    metadata = {k: v for k, v in (config.get("metadata") or {}).items() if "checkpoint" not in k}
    return {**own, "checkpoint_ns": None}, metadata, runtime.server_info


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"assistant_id": "mine", "graph_id": "mine too", "run_id": "r", "user_id": "u"},
    ],
    ids=["nothing", "names of the server"],
)
def test_nodes_see_the_callers_keys_and_none_of_the_servers(given: dict[str, str]) -> None:
    """In the config, the metadata, the runtime, and what the saver keeps."""
    seen: list[Any] = []
    graph = looking(lambda config, runtime: seen.append(_shown(config, runtime)))
    config = {"configurable": {"thread_id": "1", **given}, "metadata": {"who": "me"}}
    graph.invoke({}, config)
    with Server({"LangGraph": looking(lambda *a: seen.append(_shown(*a)))}) as server:
        server.remote_graph("LangGraph").invoke({}, config)
    assert seen[1] == seen[0]


def test_other_clients_runs_show_the_servers_keys() -> None:
    """As every LangGraph server does."""
    seen: list[Any] = []
    with Server({"agent": looking(lambda *a: seen.append(_shown(*a)))}) as server:
        server.sync_client().runs.wait(None, "agent", input={})
    configurable, metadata, info = seen[0]
    assert {"assistant_id", "graph_id", "run_id", "langgraph_auth_user"} <= configurable.keys()
    assert metadata["graph_id"] == "agent"
    assert info.graph_id == "agent"


def test_several_updates_with_the_ids_of_their_tasks() -> None:
    """The saver keeps each under the id that the caller gave."""

    def kept(subject: Any, saver: InMemorySaver) -> set[str]:
        subject.invoke({}, ON)
        before = saver.get_tuple(ON)
        updates = [StateUpdate({"x": 2}, "node", "t-1"), StateUpdate({}, "node", "t-2")]
        subject.bulk_update_state(ON, [updates])
        assert before is not None
        stored = saver.get_tuple(before.config)
        assert stored is not None
        return {task for task, *_ in stored.pending_writes or ()}

    local, hosted = looking(lambda *_: None), looking(lambda *_: None)
    with Server({"agent": hosted}) as server:
        remote = server.remote_graph("agent")
        assert kept(remote, hosted.checkpointer) == kept(local, local.checkpointer) == {"t-1"}
        remote.update_state(ON, {"x": 3}, "node", "t-3")
        assert remote.get_state(ON).values == {"x": 3}


def test_supersteps_that_no_graph_takes() -> None:
    """Refused with langgraph's class, and its words."""
    with Server({"agent": looking(lambda *_: None)}) as server:
        remote = server.remote_graph("agent")
        with pytest.raises(InvalidUpdateError) as refused:
            remote.bulk_update_state(ON, [[StateUpdate({}), StateUpdate({})]])
        assert isinstance(refused.value, InvalidArgumentError)
        both = [StateUpdate(None, "__end__"), StateUpdate(None, "__copy__")]
        with pytest.raises(InvalidUpdateError, match="clearing"):
            remote.bulk_update_state(ON, [both])
        with pytest.raises(ValueError, match="No supersteps provided"):
            remote.bulk_update_state(ON, [])
        with pytest.raises(ValueError, match="No updates provided"):
            remote.bulk_update_state(ON, [[]])


def test_version_v2_raises_where_the_output_makes_no_state() -> None:
    """As locally, with pydantic's own error: of the keys that were asked for a field is missing."""
    graph = counting(Model)
    with Server({"agent": graph}) as server:
        for subject in (graph, server.remote_graph("agent")):
            with pytest.raises(ValidationError, match="value"):
                subject.invoke({"value": "x"}, ON, version="v2", output_keys=["count"])
