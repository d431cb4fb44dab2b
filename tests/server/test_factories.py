"""Graph factories, and graphs that bring their own checkpointer."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.config import get_config, get_store
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from langgraph_sdk.runtime import ServerRuntime
from typing_extensions import TypedDict

from langgraph_client import RemoteException
from langgraph_client.server.graphs.factories import parameters_of
from langgraph_client.server.server import Server
from langgraph_client.testing import TestServer

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph as Checked
    from langgraph_sdk.runtime import ServerRuntime as ForCheckers


class Said(TypedDict, total=False):
    said: Any


@dataclass
class Tenant:
    name: str = ""


def saying(text: Any) -> Any:
    return StateGraph(Said).add_node("say", lambda state: {"said": text}).add_edge(START, "say")


def tenant_of(config: RunnableConfig) -> Any:
    return config["configurable"].get("tenant")


def described(runtime: Any) -> str:
    executing = runtime.execution_runtime
    return f"{runtime.access_context} {executing.context if executing else None}"


def config_only(config: RunnableConfig) -> Any:
    return saying(tenant_of(config))


def unannotated(whatever):  # type: ignore[no-untyped-def]
    return saying(whatever["configurable"].get("tenant"))


def keyword_only(*, config: RunnableConfig) -> Any:
    return saying(tenant_of(config))


def optional(config: RunnableConfig | None = None) -> Any:
    return saying(config and tenant_of(config))


def runtime_only(runtime: ServerRuntime[Tenant]) -> Any:
    return saying(described(runtime))


async def both(runtime: ServerRuntime[Tenant], config: RunnableConfig) -> Any:
    return saying(f"{tenant_of(config)} {described(runtime)}")


def generator(config: RunnableConfig) -> Iterator[Any]:
    yield saying(tenant_of(config))


async def async_generator(config: RunnableConfig) -> AsyncIterator[Any]:
    yield saying(tenant_of(config))


@contextmanager
def context_manager(config: RunnableConfig) -> Iterator[Any]:
    yield saying(tenant_of(config))


@asynccontextmanager
async def async_context_manager(config: RunnableConfig) -> AsyncIterator[Any]:
    yield saying(tenant_of(config))


def by_position(text: str = "of", config: RunnableConfig | None = None, n: int = 1, /) -> Any:
    assert config is not None
    return saying(f"{text} {tenant_of(config)} {n}")


def nothing() -> Any:
    return saying("nothing")


class Made:
    def __call__(self, config: RunnableConfig) -> Any:
        return saying(tenant_of(config)).compile()


RUN = "threads.create_run"
FACTORIES: dict[str, tuple[Any, Any]] = {
    "config_only": (config_only, "acme"),
    "unannotated": (unannotated, "acme"),
    "keyword_only": (keyword_only, "acme"),
    "optional": (optional, "acme"),
    "by_position": (by_position, "of acme 1"),
    "runtime_only": (runtime_only, f"{RUN} Tenant(name='ada')"),
    "both": (both, f"acme {RUN} Tenant(name='ada')"),
    "generator": (generator, "acme"),
    "async_generator": (async_generator, "acme"),
    "context_manager": (context_manager, "acme"),
    "async_context_manager": (async_context_manager, "acme"),
    "nothing": (nothing, "nothing"),
    "callable object": (Made(), "acme"),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_a_factory_gets_what_it_asks_for(name: str) -> None:
    """A factory is given the config, the runtime, both or nothing, as its annotations say, when a
    run is carried out and when the graph is only described."""
    factory, said = FACTORIES[name]
    with Server({"made": factory}) as server, server.sync_client() as client:
        options: dict[str, Any] = {"config": {"configurable": {"tenant": "acme"}}}
        if "Tenant" in said:
            options["context"] = {"name": "ada"}
            del options["config"]
            said = said.replace("acme", "None")
        assert client.runs.wait(None, "made", input={}, **options) == {"said": said}
        assistant = client.assistants.search(graph_id="made")[0]
        assert client.assistants.get_schemas(assistant.assistant_id)["graph_id"] == "made"
        drawn = client.assistants.get_graph(assistant.assistant_id)
        assert "say" in [node["id"] for node in drawn["nodes"]]


def fail(state: Said) -> None:
    raise ValueError("no")


def failing() -> Any:
    return StateGraph(Said).add_node("fail", fail).add_edge(START, "fail")


def fails_with_no(made: Callable[[], Iterator[Any]], is_async: bool) -> None:
    """Run the graph of a generator, or of an async one like it; the run fails with "no"."""

    async def made_async() -> AsyncIterator[Any]:
        with contextmanager(made)() as graph:
            yield graph

    factory = made_async if is_async else made
    with (
        TestServer({"made": factory}) as server,
        server.sync_client() as client,
        server.expect_error(ValueError),
        pytest.raises(RemoteException, match="no"),
    ):
        client.runs.wait(None, "made", input={})


@pytest.mark.parametrize("is_async", [False, True])
def test_a_generator_gets_the_exception_of_the_run(is_async: bool) -> None:
    """So it can roll back, as a context manager can; afterwards it gets to its end."""
    seen: list[object] = []

    def made() -> Iterator[Any]:
        try:
            yield failing()
        except BaseException as error:
            seen.append(repr(error))
            raise
        finally:
            seen.append("end")

    fails_with_no(made, is_async)
    assert seen == ["ValueError('no')", "end"]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_generator_cannot_hide_the_exception_of_the_run(is_async: bool) -> None:
    """One that logs it and does not raise it again leaves the run failed."""
    seen: list[str] = []

    def made() -> Iterator[Any]:
        try:
            yield failing()
        except ValueError as error:
            seen.append(str(error))

    fails_with_no(made, is_async)
    assert seen == ["no"]


async def empty() -> AsyncIterator[Any]:
    for graph in ():
        yield graph


def empty_blocking() -> Iterator[Any]:
    yield from ()


@pytest.mark.parametrize("factory", [empty, empty_blocking])
def test_a_generator_that_yields_nothing_is_named(factory: Any) -> None:
    """The error says which graph has no graph."""
    with TestServer({"made": factory}) as server, server.sync_client() as client:
        said = "the factory of graph 'made' is a generator, and yields nothing"
        with server.expect_error(TypeError), pytest.raises(RemoteException, match=said):
            client.runs.wait(None, "made", input={})


# Parameters with a default, and types that exist for type checkers only.


def of_any_name(cfg: RunnableConfig | None = None) -> Any: ...


def of_no_type(c=None) -> Any: ...  # type: ignore[no-untyped-def]


def for_checkers(config: RunnableConfig | None = None) -> Checked[Any]: ...  # type: ignore[empty-body]


def a_dict(config: dict[str, Any] | None = None) -> Checked[Any]: ...  # type: ignore[empty-body]


def own_class(config: Checked[Any] | None = None) -> Any: ...


def beside_a_runtime(runtime: ServerRuntime[Tenant], own: Tenant | None = None) -> Any: ...


def runtime_first(runtime: ServerRuntime[Tenant], c) -> Any: ...  # type: ignore[no-untyped-def]


def runtime_for_checkers(runtime: ForCheckers[Tenant] | None = None) -> Any: ...


def with_more(
    config: RunnableConfig | None = None, options: dict[str, Any] | None = None, n: int = 1
) -> Any: ...


def of_a_loop(n="a") -> Any: ...  # type: ignore[no-untyped-def]


def a_text(model: str | None = None) -> Any: ...


@pytest.mark.parametrize(
    ("factory", "asked"),
    [
        (of_any_name, {"cfg": "config"}),
        (of_no_type, {"c": "config"}),
        (for_checkers, {"config": "config"}),
        (a_dict, {"config": "config"}),
        (own_class, {"config": "config"}),
        (beside_a_runtime, {"runtime": "runtime", "own": "config"}),
        (runtime_first, {"runtime": "runtime", "c": "config"}),
        (runtime_for_checkers, {"runtime": "runtime"}),
        (with_more, {"config": "config"}),
        (of_a_loop, {}),
        (a_text, {}),
    ],
)
def test_what_a_factory_asks_for(factory: Any, asked: dict[str, str]) -> None:
    """A default does not keep the config away, nor does a name that cannot be resolved; what has
    a value already, or is something else, is left alone."""
    found = parameters_of(factory, "made")
    assert {parameter.name: wanted for parameter, wanted in found.items()} == asked


def test_a_factory_reads_its_config_and_store_anywhere() -> None:
    """`get_config` and `get_store` work in the code that a factory calls, and end with it."""

    async def factory() -> Any:
        said = get_config()["configurable"].get("tenant")
        await get_store().aput(("made",), "for", {"said": said})
        return saying(said)

    with Server({"made": factory}) as server, server.sync_client() as client:
        config = {"configurable": {"tenant": "acme"}}
        assert client.runs.wait(None, "made", input={}, config=config) == {"said": "acme"}
        assert client.store.get_item(["made"], key="for")["value"] == {"said": "acme"}


def test_a_factory_sees_whether_its_graph_is_run() -> None:
    """By `__is_for_execution__`, as on `langgraph dev`; a client cannot say otherwise."""
    seen: list[object] = []

    def factory(config: RunnableConfig) -> Any:
        seen.append(config["configurable"]["__is_for_execution__"])
        assert get_config()["configurable"]["__is_for_execution__"] is seen[-1]
        return saying("x")

    with Server({"made": factory}) as server, server.sync_client() as client:
        thread = client.threads.create().thread_id
        config = {"configurable": {"__is_for_execution__": False}}
        client.runs.wait(thread, "made", input={}, config=config)
        client.threads.get_state(thread)
        assert seen[0] is True
        assert seen[-1] is False


def needs_tenant(config: RunnableConfig) -> Any:
    return saying(config["configurable"]["tenant"])


@pytest.mark.parametrize("kind", ["config", "context"])
def test_the_state_of_a_thread_is_opened_with_the_settings_of_its_assistant(kind: str) -> None:
    """Read, written, copied, pruned and deleted: a factory may need them each time."""
    settings = {"tenant": "acme"}
    given: Any = (
        {"context": settings} if kind == "context" else {"config": {"configurable": settings}}
    )
    with Server({"made": needs_tenant}) as server, server.sync_client() as client:
        assistant = client.assistants.create("made", **given).assistant_id
        thread = client.threads.create().thread_id
        client.runs.wait(thread, assistant, input={})
        shown = client.threads.get(thread)
        assert shown["config"] == {"configurable": settings}
        assert client.threads.get_state(thread)["values"] == {"said": "acme"}
        client.threads.update_state(thread, {"said": "updated"})
        copied = client.threads.copy(thread)["thread_id"]
        for thread_id in (thread, copied):
            (latest, *_) = client.threads.get_history(thread_id)
            assert latest["values"] == {"said": "updated"}
            assert client.threads.prune([thread_id], strategy="keep_latest")["pruned_count"] == 1
            client.threads.delete(thread_id)
        assert client.threads.search() == []


def test_the_settings_of_the_assistant_that_ran_last_count() -> None:
    """A thread shows them; those of the run before stay where the last one has none."""
    with Server({"made": needs_tenant}) as server, server.sync_client() as client:
        thread = client.threads.create().thread_id
        for settings, shown in (
            ({"tenant": "a", "tone": "dry"}, {"tenant": "a", "tone": "dry"}),
            ({"tenant": "b"}, {"tenant": "b", "tone": "dry"}),
        ):
            assistant = client.assistants.create("made", context=settings).assistant_id
            client.runs.wait(thread, assistant, input={})
            assert client.threads.get(thread)["config"]["configurable"] == shown
            assert client.threads.get_state(thread)["values"] == {"said": settings["tenant"]}


def test_the_settings_of_an_assistant_name_no_place() -> None:
    """Ids and keys of langgraph among them change neither the thread nor the state that is read."""
    seen: list[Any] = []

    def factory(config: RunnableConfig) -> Any:
        seen.append(config["configurable"])
        return saying("x")

    settings = {"thread_id": "other", "__pregel_task_id": "x", "langgraph_auth_user": "eve"}
    with Server({"made": factory}) as server, server.sync_client() as client:
        assistant = client.assistants.create("made", context=settings).assistant_id
        thread = client.threads.create().thread_id
        client.runs.wait(thread, assistant, input={})
        assert client.threads.get_state(thread)["values"] == {"said": "x"}
        assert seen[-1]["thread_id"] == thread
        assert not {"__pregel_task_id", "langgraph_auth_user"} & seen[-1].keys()


def test_a_thread_shows_the_config_of_its_last_run() -> None:
    """What the assistant's config has, and what the run added; without the run's `configurable`."""
    with Server({"made": nothing}) as server, server.sync_client() as client:
        own: Any = {"tags": ["own"], "recursion_limit": 7}
        assistant = client.assistants.create("made", config=own).assistant_id
        thread = client.threads.create().thread_id
        config: Any = {"tags": ["run"], "metadata": {"m": 1}, "configurable": {"tenant": "acme"}}
        client.runs.wait(thread, assistant, input={}, config=config)
        assert client.threads.get(thread)["config"] == {
            "tags": ["run"],
            "recursion_limit": 7,
            "metadata": {"m": 1},
            "configurable": {},
        }


def test_a_factory_is_told_what_for() -> None:
    """The runtime says whether a graph is run, written to, read, or described."""
    asked: list[str] = []

    def factory(runtime: ServerRuntime) -> Any:  # type: ignore[type-arg]
        asked.append(runtime.access_context)
        return saying("x")

    with Server({"made": factory}) as server, server.sync_client() as client:
        thread = client.threads.create().thread_id
        client.runs.wait(thread, "made", input={})
        asked.clear()
        client.threads.get_state(thread)
        client.threads.update_state(thread, {"said": "y"})
        client.assistants.get_schemas(client.assistants.search()[0].assistant_id)
        assert asked == ["threads.read", "threads.update", "assistants.read"]


def test_a_factory_that_asks_for_anything_else_is_refused_at_the_start() -> None:
    """What cannot be given is named when the server starts, not when a run fails."""

    def factory(config: RunnableConfig, database: sqlite3.Connection) -> Any: ...

    with (
        pytest.raises(TypeError, match="graph 'made' has the required parameter 'database'"),
        Server({"made": factory}),
    ):
        pass


def test_a_blocking_saver_is_hosted(tmp_path: Any) -> None:
    """A graph that brings a saver with only blocking methods runs, is interrupted, resumed, read
    and updated; its checkpoints are in its own saver."""

    def ask(state: Said) -> dict[str, Any]:
        return {"said": interrupt("who?")}

    with closing(sqlite3.connect(tmp_path / "own.db", check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        graph = StateGraph(Said).add_node("ask", ask).add_edge(START, "ask").compile(saver)
        with Server({"ask": graph}) as server, server.sync_client() as client:
            thread = client.threads.create().thread_id
            first = client.runs.wait(thread, "ask", input={})
            assert first["__interrupt__"][0]["value"] == "who?"
            events = client.runs.stream(
                thread, "ask", command={"resume": "ada"}, stream_resumable=True
            )
            assert [event.data for event in events][-1] == {"said": "ada"}
            client.threads.update_state(thread, {"said": "bob"})
            assert client.threads.get_state(thread)["values"] == {"said": "bob"}
            assert len(client.threads.get_history(thread, limit=10)) == 4
        assert saver.get_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": ""}})


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("resumable", [False, True])
def test_an_error_handler_deals_with_a_failure(beside: bool, resumable: bool) -> None:
    """What a node's `error_handler` has dealt with does not fail the run, alone in its step or not,
    resumable or not."""

    def fail(state: Said) -> None:
        raise ValueError("no")

    graph = StateGraph(Said).add_node("fail", fail, error_handler=lambda state: {"said": "handled"})
    graph.add_node("beside", lambda state: {}).add_edge(START, "fail")
    graph.add_edge(START if beside else "fail", "beside")
    with Server({"g": graph}) as server, server.sync_client() as client:
        thread = client.threads.create().thread_id
        events = list(client.runs.stream(thread, "g", input={}, stream_resumable=resumable))
        assert "error" not in [event.event for event in events]
        assert client.threads.get_state(thread)["values"] == {"said": "handled"}
