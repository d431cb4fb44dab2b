"""What a graph tells of itself, and langchain's ways to call it: local and remote, the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import RetryPolicy, Send, StateUpdate
from pydantic import ValidationError
from typing_extensions import TypedDict

from langgraph_client import Server
from tests.support.comparison import Names, compare
from tests.support.family import FAMILY
from tests.support.graphs import Log, fresh_graph

NAMES = ["row", "inner questions", "nested", "schemas", "commands", "agent", "pydantic"]
ON = {"configurable": {"thread_id": "1"}}
APART = {"configurable": {"thread_id": "2"}}


@pytest.fixture(scope="module")
def hosted() -> Iterator[Server]:
    with Server({name: member.build() for name, member in FAMILY.items()}) as running:
        yield running


def pair(hosted: Server, name: str) -> tuple[Any, Any]:
    member = FAMILY[name]
    local = member.build().copy({"checkpointer": InMemorySaver()})
    return local, hosted.remote_graph(name, allow_types=member.types)


@pytest.mark.parametrize("recurse", [False, True])
@pytest.mark.parametrize("name", NAMES)
async def test_subgraphs(hosted: Server, name: str, recurse: bool) -> None:
    """The same namespaces, with the same schemas and drawings."""
    local, remote = pair(hosted, name)
    here, there = (
        dict(local.get_subgraphs(recurse=recurse)),
        dict(remote.get_subgraphs(recurse=recurse)),
    )
    assert there.keys() == here.keys()
    assert {n async for n, _ in remote.aget_subgraphs(recurse=recurse)} == here.keys()
    for namespace, graph in there.items():
        assert graph.get_input_jsonschema() == here[namespace].get_input_jsonschema()
        assert graph.get_output_jsonschema() == here[namespace].get_output_jsonschema()
        drawn, local_drawn = graph.get_graph(), here[namespace].get_graph()
        assert drawn.nodes.keys() == local_drawn.nodes.keys()
        assert {edge[:2] for edge in drawn.edges} == {edge[:2] for edge in local_drawn.edges}
        assert (await graph.aget_graph()).draw_mermaid() == drawn.draw_mermaid()
    await remote.aclose()


def test_one_subgraph_by_its_namespace(hosted: Server) -> None:
    """As locally: a nested one needs `recurse`; an unknown one is none."""
    local, remote = pair(hosted, "inner questions")
    for how in (
        {"namespace": "middle"},
        {"namespace": "middle|deep", "recurse": True},
        {"namespace": "middle|deep"},
        {"namespace": "nope"},
    ):
        assert [n for n, _ in remote.get_subgraphs(**how)] == [
            n for n, _ in local.get_subgraphs(**how)
        ]


async def test_subgraphs_of_a_subgraph(hosted: Server) -> None:
    """Under their namespaces inside it; and its nodes, as of the whole graph."""
    local, remote = pair(hosted, "inner questions")
    (here,), (there,) = (dict(graph.get_subgraphs()).values() for graph in (local, remote))
    assert there.nodes.keys() == here.nodes.keys()
    for how in ({}, {"recurse": True}, {"namespace": "deep"}, {"namespace": "nope"}):
        expected = [name for name, _ in here.get_subgraphs(**how)]
        assert [name for name, _ in there.get_subgraphs(**how)] == expected
        assert [name async for name, _ in there.aget_subgraphs(**how)] == expected
    (deep,) = dict(there.get_subgraphs()).values()
    assert list(deep.get_subgraphs()) == []
    await remote.aclose()


def test_a_subgraph_tells_its_state_and_cannot_be_run(hosted: Server) -> None:
    """Its state is at the place that a state of the whole names."""
    local, remote = pair(hosted, "nested")
    seen = []
    for graph in (local, remote):
        graph.invoke({"draft": "d"}, ON)
        (task,) = graph.get_state(ON).tasks
        inner = dict(graph.get_subgraphs())["inner"]
        below = graph.get_state(task.state)
        if graph is remote:
            compare(inner.get_state(task.state), below)
            compare(next(inner.get_state_history(task.state)), below)
            written = inner.update_state(task.state, {"answers": ["by hand"]}, "review")
            assert inner.get_state(written).values["answers"] == ["by hand"]
        else:
            graph.update_state(task.state, {"answers": ["by hand"]}, "review")
        seen.append((below.values, graph.get_state(task.state).values))
    assert seen[0] == seen[1]
    with pytest.raises(NotImplementedError, match="whole graphs"):
        inner.invoke({"draft": "d"})


async def test_the_async_methods_of_a_subgraph(hosted: Server) -> None:
    """They do what the blocking ones do; it cannot be run by these either."""
    _, remote = pair(hosted, "nested")
    await remote.ainvoke({"draft": "d"}, APART)
    (task,) = (await remote.aget_state(APART)).tasks
    inner = dict([each async for each in remote.aget_subgraphs()])["inner"]
    compare(await inner.aget_state(task.state), inner.get_state(task.state))
    compare(await anext(inner.aget_state_history(task.state)), inner.get_state(task.state))
    written = await inner.aupdate_state(task.state, {"answers": ["by hand"]}, "review")
    assert (await inner.aget_state(written)).values["answers"] == ["by hand"]
    update = StateUpdate({"answers": ["by hand, too"]}, "review")
    for written in (
        inner.bulk_update_state(task.state, [[update]]),
        await inner.abulk_update_state(task.state, [[update]]),
    ):
        assert inner.get_state(written).values["answers"][-1] == "by hand, too"
    assert (await inner.aget_graph()).nodes.keys() == inner.get_graph().nodes.keys()
    assert inner.with_config(tags=["t"]).namespace == inner.namespace
    assert "inner" in repr(inner)
    for run in (inner.ainvoke, inner.astream):
        with pytest.raises(NotImplementedError, match="whole graphs"):
            await run({"draft": "d"})
    with pytest.raises(NotImplementedError, match="whole graphs"):
        inner.stream({"draft": "d"})


@pytest.mark.parametrize("name", ["row", "schemas", "pydantic", "writers"])
def test_schemas(hosted: Server, name: str) -> None:
    """The same JSON schemas, and models with them."""
    local, remote = pair(hosted, name)
    assert remote.get_input_jsonschema() == local.get_input_jsonschema()
    assert remote.get_output_jsonschema() == local.get_output_jsonschema()
    assert remote.get_context_jsonschema() == local.get_context_jsonschema()
    assert remote.input_schema.model_json_schema() == local.get_input_jsonschema()
    assert remote.output_schema.model_json_schema() == local.get_output_jsonschema()


def test_a_model_of_a_schema_checks_what_it_is_given(hosted: Server) -> None:
    """As far as the fields' types go."""
    _, remote = pair(hosted, "pydantic")
    made = remote.get_input_schema()
    assert made.model_validate({"name": "Ada"}).orders == []
    with pytest.raises(ValidationError):
        made.model_validate({"name": 3})
    with pytest.raises(ValidationError):
        made.model_validate({})
    _, workflow = pair(hosted, "workflow")
    assert workflow.get_input_schema().model_validate([1, 2]).root == [1, 2]


KEYS = ["copy", "json", "model_config", "model_name", "model_validate", "server_schema", "_own"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_may_be_named_as_what_a_model_has(key: str) -> None:
    """No warning, no error; the model reads and writes the key."""
    keys: Any = TypedDict("keys", {key: str})  # type: ignore[misc]
    builder = StateGraph(keys, context_schema=keys)
    graph = builder.add_node("n", lambda _: {}).add_edge(START, "n").compile()
    with Server({"g": graph}) as server:
        remote = server.remote_graph("g")
        for schema in (remote.get_input_schema(), remote.context_schema):
            assert list(schema.model_json_schema()["properties"]) == [key]
            assert schema.model_validate({key: "x"}).model_dump(by_alias=True) == {key: "x"}
            with pytest.raises(ValidationError):
                schema.model_validate({key: 1})


def test_the_schema_of_a_context(hosted: Server) -> None:
    """A graph with a context tells its schema."""
    local, remote = pair(hosted, "contextual")
    assert remote.get_context_jsonschema() == local.get_context_jsonschema() is not None


@pytest.mark.filterwarnings("ignore:astream_events version='v1'")
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", ["row", "approval", "nested", "talking", "contextual", "writers"])
async def test_events(hosted: Server, name: str, version: str) -> None:
    """`astream_events` yields langchain's events, one by one the same."""
    member = FAMILY[name]
    local, remote = pair(hosted, name)
    config = {
        "configurable": {"thread_id": f"events {version} of {name}"},
        "metadata": {"m": 1},
        "tags": ["t"],
    }
    more: dict[str, Any] = {"version": version}
    if member.context is not None:
        more["context"] = member.context
    here, there = Names(), Names()
    for given in member.inputs:
        expected = [here(e) async for e in local.astream_events(given, config, **more)]
        assert [there(e) async for e in remote.astream_events(given, config, **more)] == expected
    await remote.aclose()


async def test_events_of_hidden_steps() -> None:
    """The branch at the entry point has events, too, at the root as in a graph inside of a node."""

    def build() -> Any:
        inner = StateGraph(MessagesState).add_node("say", lambda state: {"messages": ["hi"]})
        inner.add_conditional_edges(START, lambda state: [Send("say", state)], ["say"])
        said = inner.compile(name="inner")
        outer = StateGraph(MessagesState).add_node("call", lambda state: said.invoke(state))
        outer.add_conditional_edges(START, lambda state: "call", ["call"])
        return outer.compile(name="outer")

    async def events(graph: Any) -> list[Any]:
        names, given = Names(), {"messages": []}
        return [names(e) async for e in graph.astream_events(given, version="v2")]

    with Server({"outer": build()}) as server, server.remote_graph("outer") as remote:
        here, there = await events(build()), await events(remote)
        await remote.aclose()
    assert len([e for e in here if "langsmith:hidden" in e["tags"]]) > 4
    assert there == here


@pytest.mark.parametrize(
    "wanted",
    [
        {"include_types": ["chat_model"]},
        {"include_names": ["first"], "include_tags": ["t"]},
        {"exclude_types": ["chain"]},
        {"include_tags": ["t"], "exclude_names": ["talking"]},
        {"include_types": []},
    ],
    ids=repr,
)
async def test_wanted_events(hosted: Server, wanted: dict[str, Any]) -> None:
    """Events are chosen by name, type and tag as locally."""
    local, remote = pair(hosted, "talking")
    (given,) = FAMILY["talking"].inputs
    config = {"configurable": {"thread_id": f"{wanted}"}, "tags": ["t"]}
    here, there = Names(), Names()
    expected = [here(event) async for event in local.astream_events(given, config, **wanted)]
    assert [there(e) async for e in remote.astream_events(given, config, **wanted)] == expected
    await remote.aclose()


async def test_what_events_do_not_take_is_refused(hosted: Server) -> None:
    """By name, with the reason."""
    _, remote = pair(hosted, "row")
    with pytest.raises(NotImplementedError, match="v0"):
        remote.astream_events({}, version="v0")
    with pytest.raises(NotImplementedError, match="transformers"):
        remote.astream_events({}, transformers=[])
    with pytest.raises(NotImplementedError, match="astream_events"):
        remote.stream_events({})


# --- langchain's ways to call a graph ---


CALLS: dict[str, Any] = {
    "pipe": lambda graph: graph.pipe(lambda out: out["count"]).invoke({"count": 1}, ON),
    "|": lambda graph: (RunnableLambda(lambda n: {"count": n}) | graph).invoke(3, ON),
    "batch": lambda graph: graph.batch([{"count": n} for n in range(3)], {"max_concurrency": 1}),
    "batch_as_completed": lambda graph: sorted(
        graph.batch_as_completed([{"count": n} for n in range(3)]), key=lambda found: found[0]
    ),
    "bind": lambda graph: graph.bind(interrupt_before="*").invoke({"count": 1}, ON),
    "with_config": lambda graph: graph.with_config(ON).invoke({"count": 1}),
    "with_config flat": lambda graph: graph.with_config(tags=["x"]).invoke({"count": 1}, ON),
    "with_retry": lambda graph: graph.with_retry().invoke({"count": 1}, ON),
    "with_fallbacks": lambda graph: graph.with_fallbacks(
        [RunnableLambda(lambda _: "other")]
    ).invoke({"count": "none"}),
    "map": lambda graph: graph.map().invoke([{"count": 1}, {"count": 2}]),
    "pick": lambda graph: graph.pick("count").invoke({"count": 1}, ON),
    "assign": lambda graph: graph.assign(twice=lambda out: out["count"] * 2).invoke(
        {"count": 1}, ON
    ),
    "as_tool": lambda graph: graph.as_tool(name="count", description="counts").invoke({"count": 1}),
    "as_tool args": lambda graph: graph.as_tool(name="count", description="counts").args,
    "transform": lambda graph: list(graph.transform(iter([{"count": 1}]), ON)),
    "with_types": lambda graph: graph.with_types(input_type=dict).invoke({"count": 1}, ON),
    "with_listeners": lambda graph: graph.with_listeners(on_end=lambda run: None).invoke(
        {"count": 1}, ON
    ),
    "get_prompts": lambda graph: graph.get_prompts(),
    "get_name": lambda graph: (graph.get_name(), graph.get_name("Input"), graph.get_name(name="n")),
    "abatch": lambda graph: asyncio.run(graph.abatch([{"count": 1}, {"count": 2}])),
    "atransform": lambda graph: asyncio.run(_atransform(graph)),
}


async def _atransform(graph: Any) -> list[Any]:
    async def given() -> Any:
        yield {"count": 1}

    return [item async for item in graph.atransform(given(), ON)]


@pytest.mark.filterwarnings("ignore:This API is in beta")  # `as_tool` is, locally as well.
@pytest.mark.parametrize("call", CALLS)
def test_langchain_s_ways_to_call(server: Server, call: str) -> None:
    """Each gives what it gives on a local graph."""
    compare(CALLS[call](fresh_graph("counter")), CALLS[call](server.remote_graph("counter")))


def test_a_failed_item_of_a_batch_is_returned_in_its_place(graph_named: Any) -> None:
    """`return_exceptions=True`."""
    graph = graph_named("failing")
    ran = graph.batch(
        [{"how": "none"}, {"how": "value"}],
        [{"configurable": {"thread_id": str(n)}} for n in range(2)],
        return_exceptions=True,
    )
    assert ran[0] == {"how": "none", "steps": 1}
    assert isinstance(ran[1], ValueError)


def test_a_retry_policy_of_the_node_retries_the_remote_run(hosted: Server) -> None:
    """A parent's policy sees the local class of the error."""
    shaky = FAMILY["retried"].build()
    with Server({"shaky": shaky}) as server:
        remote = server.remote_graph("shaky")
        calls = []

        def watched(state: Log) -> Any:
            calls.append(1)
            if len(calls) < 3:
                raise ConnectionError("the way there")
            return remote.invoke({"topic": "x"}) and {"log": ["done"]}

        policy = RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=3)
        parent = (
            StateGraph(Log)
            .add_node("child", watched, retry_policy=policy)
            .add_edge(START, "child")
            .compile()
        )
        assert parent.invoke({})["log"] == ["done"]


@pytest.mark.parametrize(("during", "durability"), [(True, "async"), (False, "exit")])
def test_the_older_form_of_durability(hosted: Server, during: bool, durability: str) -> None:
    """`checkpoint_during` warns, and means a durability; both together are refused."""
    from langgraph.warnings import LangGraphDeprecatedSinceV10

    local, remote = pair(hosted, "row")
    for graph in (local, remote):
        config = {"configurable": {"thread_id": f"{durability} of {type(graph).__name__}"}}
        with pytest.warns(LangGraphDeprecatedSinceV10, match="use `durability` instead"):
            graph.invoke({"topic": "t"}, config, checkpoint_during=during)
        # With "exit" there is the last checkpoint alone.
        assert (len(list(graph.get_state_history(config))) == 1) == (durability == "exit")
        with (
            pytest.warns(LangGraphDeprecatedSinceV10),
            pytest.raises(ValueError, match="checkpoint_during"),
        ):
            graph.invoke({}, config, checkpoint_during=during, durability="sync")
