"""A RemoteGraph as a node of a parent graph, beside the same parent over a local subgraph."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, Command, RetryPolicy, Send

from langgraph_client import RemoteException, Server
from langgraph_client.thread_ids import GIVEN_ID
from tests.support.graphs import Draft, How, Log, QuotaError, Work, graphs, shared_graphs


def on(thread_id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id}}


@pytest.fixture(params=["local", "remote"])
def child_named(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Gives a subgraph by name: local, or remote, in turn."""
    if request.param == "local":
        yield graphs().__getitem__
    else:
        with Server(shared_graphs()) as server:
            yield server.remote_graph


def parent_of(child: Any, state: Any, **compiled: Any) -> Any:
    return (
        StateGraph(state)
        .add_node("child", child)
        .add_edge(START, "child")
        .compile(checkpointer=InMemorySaver(), **compiled)
    )


def test_a_remote_node_gives_its_output_to_the_parent(child_named: Any) -> None:
    """The parent's state after the node is the child's output."""
    parent = parent_of(child_named("row"), Log)
    assert parent.invoke({"topic": "t"}, on("1"))["log"] == ["one", "two:t"]


async def test_in_an_async_parent_too(child_named: Any) -> None:
    """The same through `ainvoke`."""
    parent = parent_of(child_named("row"), Log)
    assert (await parent.ainvoke({"topic": "t"}, on("1")))["log"] == ["one", "two:t"]


def test_the_parent_resumes_an_interrupted_remote_node(child_named: Any) -> None:
    """`Command(resume=…)` on the parent answers the child's `interrupt()`."""
    parent = parent_of(child_named("approval"), Draft)
    (asked,) = parent.invoke({"draft": "d"}, on("1"))["__interrupt__"]
    assert asked.value == {"question": "approve?", "draft": "d!"}
    assert parent.get_state(on("1")).next == ("child",)
    assert parent.invoke(Command(resume="yes"), on("1")) == {"draft": "d!", "answers": ["yes"]}


def test_parallel_interrupts_of_a_remote_are_answered_by_id(child_named: Any) -> None:
    """All interrupts of the child reach the parent; answers by id find their way."""
    parent = parent_of(child_named("parallel"), Draft)
    parent.invoke({"draft": "d"}, on("1"))
    asked = parent.get_state(on("1")).interrupts
    assert sorted(one.value for one in asked) == ["left?", "right?"]
    result = parent.invoke(Command(resume={one.id: one.value[0] for one in asked}), on("1"))
    assert result["answers"] == [{"left": "l"}, {"right": "r"}]


def test_parallel_interrupts_can_be_answered_one_after_the_other(child_named: Any) -> None:
    """What was answered stays answered while the other question is open."""
    parent = parent_of(child_named("parallel"), Draft)
    parent.invoke({"draft": "d"}, on("1"))
    left, right = sorted(parent.get_state(on("1")).interrupts, key=lambda one: one.value)
    parent.invoke(Command(resume={left.id: "L"}), on("1"))
    assert [one.value for one in parent.get_state(on("1")).interrupts] == ["right?"]
    result = parent.invoke(Command(resume={right.id: "R"}), on("1"))
    assert result["answers"] == [{"left": "L"}, {"right": "R"}]


def test_two_levels_of_remotes(child_named: Any) -> None:
    """An interrupt passes through a remote graph that has a subgraph itself."""
    parent = parent_of(child_named("nested"), Draft)
    parent.invoke({"draft": "d"}, on("1"))
    assert parent.invoke(Command(resume="yes"), on("1"))["answers"] == ["yes"]


def test_the_parent_streams_what_the_remote_does(child_named: Any) -> None:
    """With `subgraphs`, the child's events stand in the parent's stream, under the node's name."""
    parent = parent_of(child_named("row"), Log)
    seen = [
        (tuple(part.partition(":")[0] for part in ns), mode, data)
        for ns, mode, data in parent.stream(
            {"topic": "t"}, on("1"), stream_mode=["updates", "custom"], subgraphs=True
        )
    ]
    assert seen == [
        (("child",), "custom", {"from": "one"}),
        (("child",), "updates", {"one": {"log": ["one"]}}),
        (("child",), "updates", {"two": {"log": ["two:t"]}}),
        ((), "updates", {"child": {"topic": "t", "log": ["one", "two:t"]}}),
    ]


def test_without_subgraphs_the_parent_streams_its_own_events_only(child_named: Any) -> None:
    """The node is one update of the parent."""
    parent = parent_of(child_named("row"), Log)
    seen = list(parent.stream({"topic": "t"}, on("1"), stream_mode="updates"))
    assert seen == [{"child": {"topic": "t", "log": ["one", "two:t"]}}]


def test_the_state_of_an_interrupted_remote_shows_in_the_parents(child_named: Any) -> None:
    """`get_state(subgraphs=True)` nests the child's snapshot in the parent's task."""
    parent = parent_of(child_named("approval"), Draft)
    parent.invoke({"draft": "d"}, on("1"))
    (task,) = parent.get_state(on("1"), subgraphs=True).tasks
    assert task.state.next == ("review",)
    assert task.state.values == {"draft": "d!", "answers": []}
    assert task.state.config["configurable"]["thread_id"] == "1"
    assert task.state.config["configurable"]["checkpoint_ns"].startswith("child:")


AROUND_A_STREAM: dict[str, Any] = {
    "a function": lambda stream: stream(None),
    "a chain": lambda stream: RunnableLambda(stream).invoke(None),
    "a chain with a configurable": lambda stream: RunnableLambda(stream).invoke(
        None, {"configurable": {"session": "1"}, "metadata": {"of": "the chain"}}
    ),
    "a chain with callbacks": lambda stream: RunnableLambda(stream).invoke(
        None, {"configurable": {"session": "1"}, "callbacks": []}
    ),
}


@pytest.mark.parametrize("around", AROUND_A_STREAM)
@pytest.mark.parametrize("thread", [None, "of its own"])
def test_a_node_may_keep_what_it_has_streamed(
    child_named: Any, thread: str | None, around: str
) -> None:
    """The pairs of several modes are plain tuples, which every saver writes.

    Also of a chain that the node calls with a config of its own.
    """
    child = child_named("row")

    def stream(_: object) -> list[Any]:
        modes = ["updates", "custom"]
        return list(child.stream({"topic": "t"}, thread and on(thread), stream_mode=modes))

    def call(state: Log) -> Any:
        return {"log": AROUND_A_STREAM[around](stream)}

    parent = parent_of(call, Log)
    parent.invoke({"topic": "t"}, on("1"))
    kept = parent.get_state(on("1")).values["log"]
    assert tuple(kept[0]) == ("custom", {"from": "one"})  # Savers write tuples as lists.


def test_a_fan_out_of_remote_calls(child_named: Any) -> None:
    """`Send` runs the child once for each packet, side by side, and each gives its own output."""
    parent = (
        StateGraph(Work)
        .add_node("child", child_named("square"))
        .add_conditional_edges(
            START, lambda state: [Send("child", {"item": n}) for n in state["items"]], ["child"]
        )
        .compile(checkpointer=InMemorySaver())
    )
    result = parent.invoke({"items": list(range(20))}, on("1"))
    assert sorted(result["squares"]) == [n * n for n in range(20)]


def test_a_command_for_the_parent_acts_on_the_parent(child_named: Any) -> None:
    """`Command(graph=Command.PARENT, …)` from inside the child updates and redirects the parent."""
    parent = (
        StateGraph(Log)
        .add_node("child", child_named("climber"), destinations=("other", "never"))
        .add_node("other", lambda state: {"log": ["other"]})
        .add_node("never", lambda state: {"log": ["never"]})
        .add_edge(START, "child")
        .compile(checkpointer=InMemorySaver())
    )
    assert parent.invoke({"topic": "t"}, on("1"))["log"] == ["from the child", "other"]


def test_a_command_of_the_second_child_of_a_node_acts_on_the_parent(child_named: Any) -> None:
    """`Command(graph=Command.PARENT, …)` is for the graph of the node, whichever child sends it."""
    first, second = child_named("row"), child_named("climber")

    def call(state: Log) -> Any:
        first.invoke({"topic": "t"})
        return second.invoke({"topic": "t"})

    parent = (
        StateGraph(Log)
        .add_node("call", call, destinations=("other",))
        .add_node("other", lambda state: {"log": ["other"]})
        .add_edge(START, "call")
        .compile(checkpointer=InMemorySaver())
    )
    assert parent.invoke({"topic": "t"}, on("1"))["log"] == ["from the child", "other"]


def test_the_parent_draws_what_is_inside(child_named: Any) -> None:
    """`get_graph(xray=True)` opens the remote node."""
    drawn = parent_of(child_named("row"), Log).get_graph(xray=True)
    assert {"child:one", "child:two"} <= drawn.nodes.keys()


def test_a_failing_remote_fails_the_parent(child_named: Any) -> None:
    """The exception is of the local class in either case."""
    parent = parent_of(child_named("failing"), dict)
    with pytest.raises(ValueError, match="value is wrong"):
        parent.invoke({"how": "value"}, on("1"))


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ("value", "ValueError('value is wrong')"),
        ("custom", "QuotaError('too much')"),
        ("nothing", "AssertionError()"),
    ],
)
def test_the_parent_keeps_the_text_of_a_failure(child_named: Any, how: str, kept: str) -> None:
    """In the state, the failure has the name of its class, also if only the server knows that."""
    parent = parent_of(child_named("failing"), dict)
    with contextlib.suppress(Exception):
        parent.invoke({"how": how}, on("1"))
    (failed,) = parent.get_state(on("1")).tasks
    assert failed.error == kept


@pytest.fixture
def hosted() -> Iterator[Server]:
    with Server(shared_graphs()) as server:
        yield server


def test_a_failure_keeps_its_class_through_two_servers(hosted: Server) -> None:
    """Also in the events of the tasks in which it was raised."""
    told: list[Any] = []
    with Server({"below": parent_of(hosted.remote_graph("failing"), How)}) as around:
        parent = parent_of(around.remote_graph("below"), How)
        stream = parent.stream({"how": "value"}, on("1"), stream_mode="tasks", subgraphs=True)
        with pytest.raises(ValueError, match="value is wrong"):
            told.extend(task.get("error") for _, task in stream)
    errors = [error for error in told if error is not None]
    assert [isinstance(error, ValueError) for error in errors] == [True] * 3


def test_a_class_that_a_server_between_does_not_know_arrives(hosted: Server) -> None:
    """The caller's `allow_types` suffices."""
    with Server({"below": parent_of(hosted.remote_graph("failing"), How)}) as around:
        with pytest.raises(QuotaError, match="too much"):
            around.remote_graph("below", allow_types=[QuotaError]).invoke({"how": "custom"})
        with pytest.raises(RemoteException, match="too much") as raised:
            around.remote_graph("below").invoke({"how": "custom"})
    assert raised.value.error == "QuotaError"


# --- what only a remote has: threads on a server ---


def test_a_remote_node_has_a_thread_of_its_own(hosted: Server) -> None:
    """Its id is derived from the parent's thread and the node's namespace; metadata says so."""
    parent_of(hosted.remote_graph("row"), Log).invoke({"topic": "t"}, on("parent-1"))
    (thread,) = hosted.sync_client().threads.search()
    assert thread.metadata[GIVEN_ID].startswith("parent-1/child:")


def test_a_parent_without_a_thread_leaves_none_behind(hosted: Server) -> None:
    """Stateless stays stateless."""
    parent = (
        StateGraph(Log)
        .add_node("child", hosted.remote_graph("row"))
        .add_edge(START, "child")
        .compile()
    )
    assert parent.invoke({"topic": "t"})["log"] == ["one", "two:t"]
    assert hosted.sync_client().threads.search() == []


@pytest.mark.parametrize(("checkpointer", "second"), [(None, 2), (True, 4), (False, 2)])
def test_a_remote_node_remembers_as_its_checkpointer_says(
    hosted: Server, checkpointer: bool | None, second: int
) -> None:
    """True keeps the node's state across the parent's invocations; None and False do not."""
    row = hosted.remote_graph("row", checkpointer=checkpointer)
    lengths: list[int] = []

    def call(state: Log) -> dict[str, Any]:
        lengths.append(len(row.invoke({"topic": "t"})["log"]))
        return {}

    parent = parent_of(call, Log)
    parent.invoke({"topic": "a"}, on("1"))
    parent.invoke({"topic": "b"}, on("1"))
    assert lengths == [2, second]


def test_a_parent_on_a_server_with_a_remote_node_on_the_same_server() -> None:
    """Two levels of remotes on one server do not wait for each other, and resume through both."""
    hosted: dict[str, Any] = {**graphs()}
    with Server(hosted, max_runs=2) as inner_server:
        outer = (
            StateGraph(Draft)
            .add_node("child", inner_server.remote_graph("approval"))
            .add_edge(START, "child")
            .compile(name="outer")
        )
        with Server({"outer": outer, **graphs()}) as server:
            top = parent_of(server.remote_graph("outer"), Draft)
            (asked,) = top.invoke({"draft": "d"}, on("1"))["__interrupt__"]
            assert asked.value["draft"] == "d!"
            assert top.invoke(Command(resume="yes"), on("1"))["answers"] == ["yes"]


def test_a_remote_node_of_a_graph_on_its_own_server() -> None:
    """A hosted graph may call another graph of its own server, on the same thread id."""
    home: list[Server] = []

    def call(state: Draft, config: RunnableConfig) -> Any:
        return home[0].remote_graph("approval").invoke(state, config)

    outer = StateGraph(Draft).add_node("call", call).add_edge(START, "call").compile()
    with Server({"outer": outer, **graphs()}) as server:
        home.append(server)
        remote = server.remote_graph("outer")
        (asked,) = remote.invoke({"draft": "d"}, on("1"))["__interrupt__"]
        assert remote.invoke(Command(resume={asked.id: "yes"}), on("1"))["answers"] == ["yes"]
        assert len(server.sync_client().threads.search()) == 2


async def test_cancelling_the_parent_cancels_the_remote_run(hosted: Server) -> None:
    """The server's run ends as interrupted; nothing goes on behind the caller's back."""
    parent = parent_of(hosted.remote_graph("slow"), Log)
    started = asyncio.Event()

    async def run() -> None:
        stream = parent.astream({"topic": "t"}, on("1"), stream_mode="custom", subgraphs=True)
        async for _ in stream:
            started.set()

    task = asyncio.create_task(run())
    await asyncio.wait_for(started.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with hosted.client() as client:
        (thread,) = await client.threads.search()
        (run_,) = await client.runs.list(thread.thread_id)
        await asyncio.wait_for(client.runs.join(thread.thread_id, run_.run_id), 60)
        (run_,) = await client.runs.list(thread.thread_id)
    assert run_.status == "interrupted"


async def test_a_time_limit_of_the_parent_cancels_the_remote_run(hosted: Server) -> None:
    """`step_timeout` of the parent ends the remote run, too."""
    parent = parent_of(hosted.remote_graph("slow"), Log)
    runs: list[Any] = []
    async with hosted.client() as client:
        limits = iter((1, 5, 20))
        # A limit may be over before there is a run, and then a longer one follows.
        while not runs:
            parent.step_timeout = next(limits)
            with pytest.raises(TimeoutError):
                await parent.ainvoke({"topic": "t"}, on(f"limit {parent.step_timeout}"))
            for thread in await client.threads.search():
                runs += await client.runs.list(thread.thread_id)
        for run in runs:
            await asyncio.wait_for(client.runs.join(run.thread_id, run.run_id), 60)
            ended = await client.runs.get(run.thread_id, run.run_id)
            assert ended.status == "interrupted"


def test_a_cache_policy_of_the_node_spares_the_remote_run(hosted: Server) -> None:
    """The second call with the same input is answered from the parent's cache."""
    parent = (
        StateGraph(Log)
        .add_node("child", hosted.remote_graph("row"), cache_policy=CachePolicy())
        .add_edge(START, "child")
        .compile(cache=InMemoryCache())
    )
    first = parent.invoke({"topic": "t"})
    hosted.close()
    assert parent.invoke({"topic": "t"}) == first


def test_a_retry_policy_of_the_node_sees_local_classes(hosted: Server) -> None:
    """`retry_on=ValueError` fits the error of a remote run."""
    calls: list[Any] = []

    def worth(error: Exception) -> bool:
        calls.append(type(error))
        return isinstance(error, ValueError)

    policy = RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=3, retry_on=worth)
    parent = (
        StateGraph(How)
        .add_node("child", hosted.remote_graph("failing"), retry_policy=policy)
        .add_edge(START, "child")
        .compile()
    )
    with pytest.raises(ValueError, match="value is wrong"):
        parent.invoke({"how": "value"})
    assert len(calls) >= 2


def test_what_the_caller_s_context_holds_stays_on_this_side(hosted: Server) -> None:
    """A run on an in-process server has none of the parent's callbacks and config around it."""
    heard: list[str] = []

    class Chains(BaseCallbackHandler):
        def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
            heard.append(kwargs["name"])

    parent = parent_of(hosted.remote_graph("row"), Log)
    parent.invoke({"topic": "t"}, {**on("1"), "callbacks": [Chains()]})
    # What the server tells of its nodes, once; with callbacks around the run it would be twice.
    assert heard == ["LangGraph", "child", "row", "one", "two"]
