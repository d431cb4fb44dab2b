"""A wide family of graphs: each call gives on a local graph and on the remote one the same.

Compared after naming ids and times. Nodes that run side by side tell their events in an order that
differs from run to run, locally too; such events are compared as a set.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client import Server
from tests.support.comparison import Names, compare, failure, unordered
from tests.support.family import FAMILY

pytestmark = pytest.mark.filterwarnings("default:Deserializing unregistered type")

MODES: list[Any] = [
    "values",
    "updates",
    "custom",
    "messages",
    "tasks",
    "checkpoints",
    "debug",
    ["values", "updates"],
    ["messages", "custom", "tasks", "debug", "checkpoints"],
    [],
    (),
    ("values",),
]
#: What else a call can be given. KEY stands for a channel of the graph.
OPTIONS: list[dict[str, Any]] = [
    {},
    {"interrupt_before": "*"},
    {"interrupt_after": "*"},
    {"interrupt_before": ["nope"]},
    {"durability": "sync"},
    {"durability": "exit"},
    {"print_mode": "values"},
    {"print_mode": ["updates", "custom"]},
    {"version": "v2"},
    {"stream_mode": "updates"},
    {"stream_mode": ["updates"], "version": "v2"},
    {"stream_mode": ["values", "custom"]},
    {"output_keys": "KEY"},
    {"output_keys": ["KEY"]},
    {"output_keys": []},
    {"output_keys": "KEY", "version": "v2"},
    {"output_keys": ["KEY"], "version": "v2"},
    {"output_keys": ["nope"]},
]
STREAM_OPTIONS: list[dict[str, Any]] = [
    {"stream_mode": "values", "output_keys": "KEY"},
    {"stream_mode": "updates", "output_keys": "KEY"},
    {"stream_mode": "updates", "output_keys": ["KEY"]},
    {"stream_mode": ["values", "updates"], "output_keys": ["KEY"], "subgraphs": True},
    {"stream_mode": ["values", "updates"], "output_keys": [], "subgraphs": True},
    {"debug": True},
    {"debug": True, "subgraphs": True, "stream_mode": "values"},
    {"print_mode": "updates", "subgraphs": True, "stream_mode": "custom"},
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server({name: member.build() for name, member in FAMILY.items()}) as running:
        yield running


@pytest.fixture(scope="module", params=FAMILY)
def pair(request: pytest.FixtureRequest, server: Server) -> tuple[str, Any, Any]:
    """The name of a member of the family, the local graph and the remote one."""
    member = FAMILY[request.param]
    local = member.build()
    # Not by `copy`, which forgets the classes of states in version "v2" (langgraph 1.2.24).
    local.checkpointer = InMemorySaver()
    return request.param, local, server.remote_graph(request.param, allow_types=member.types)


async def blocking(see: Callable[[Any], Any], graph: Any, method: str, *a: Any, **k: Any) -> Any:
    """Call a blocking method, as code without an event loop does, and see what it gives."""

    def call() -> Any:
        result = getattr(graph, method)(*a, **k)
        # Seen when they come: what a graph has yielded it may change later on.
        return [see(item) for item in result] if method in LAZY else see(result)

    return await asyncio.to_thread(call)


async def awaited(see: Callable[[Any], Any], graph: Any, method: str, *a: Any, **k: Any) -> Any:
    """Call the async twin of a method, and see what it gives."""
    result = getattr(graph, f"a{method}")(*a, **k)
    return [see(item) async for item in result] if method in LAZY else see(await result)


LAZY = ("stream", "get_state_history")


async def played(
    graph: Any, name: str, thread: str, call: Callable[..., Any], method: str, **options: Any
) -> list[Any]:
    """Everything that a member's inputs give: what is returned and printed; the states behind."""
    member, names = FAMILY[name], Names()
    config = {"configurable": {"thread_id": thread}, "metadata": {"m": 1}, "tags": ["t"]}
    if member.context is not None:
        options["context"] = member.context
    told: list[Any] = []
    for given in member.inputs:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                told.append(await call(names, graph, method, given, config, **options))
            except Exception as error:  # What is raised is compared, too.
                told.append(failure(error))
        told += [names(line) for line in printed.getvalue().splitlines()]
        if method == "invoke":
            told.append(await call(names, graph, "get_state", config))
            told.append(await call(names, graph, "get_state_history", config))
    return unordered(told) if member.side_by_side else told


def in_turn(number: int) -> list[Any]:
    """Blocking calls for one number, async ones for the next: only their loops differ.

    Each graph and each mode is streamed both ways; all of them both ways would tell no more.
    """
    return [[blocking], [awaited]][number % 2]


async def both(
    pair: tuple[str, Any, Any], method: str, options: dict[str, Any], calls: list[Any]
) -> None:
    name, local, remote = pair
    for call in calls:
        thread = f"{name} {method} {options} {call.__name__}"
        here = await played(local, name, thread, call, method, **options)
        assert await played(remote, name, thread, call, method, **options) == here, thread
    await remote.aclose()  # The next test has an event loop of its own.


@pytest.mark.parametrize("mode", MODES, ids=repr)
async def test_streams_equal_the_local_graphs(pair: tuple[str, Any, Any], mode: Any) -> None:
    """Each mode, alone and with others, with and without subgraphs, in both versions."""
    shapes = [(False, "v1"), (True, "v2")]
    if dict(pair[1].get_subgraphs()):
        shapes += [(True, "v1"), (False, "v2")]
    first = MODES.index(mode) + list(FAMILY).index(pair[0])
    for number, (subgraphs, version) in enumerate(shapes, first):
        how = {"stream_mode": mode, "subgraphs": subgraphs, "version": version}
        await both(pair, "stream", how, in_turn(number))


def with_key(options: dict[str, Any], name: str) -> dict[str, Any]:
    key = {"loop": "step", "dataclass": "x", "pydantic": "name", "schemas": "answer"}
    channel = key.get(name) or next(
        channel
        for channel in ("notes", "log", "answers", "messages", "squares", "__end__")
        if channel in FAMILY[name].build().channels
    )
    named = {"KEY": channel}
    return {
        option: [named.get(item, item) for item in value]
        if isinstance(value, list)
        else named.get(value, value)
        for option, value in options.items()
    }


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
async def test_results_equal_the_local_graphs(
    pair: tuple[str, Any, Any], options: dict[str, Any]
) -> None:
    """Each keyword of `invoke`."""
    calls = in_turn(OPTIONS.index(options)) if options else [blocking, awaited]
    await both(pair, "invoke", with_key(options, pair[0]), calls)


@pytest.mark.parametrize("options", STREAM_OPTIONS, ids=repr)
async def test_stream_keywords(pair: tuple[str, Any, Any], options: dict[str, Any]) -> None:
    """Each keyword of `stream`."""
    number = STREAM_OPTIONS.index(options) + list(FAMILY).index(pair[0])
    await both(pair, "stream", with_key(options, pair[0]), in_turn(number))


@pytest.mark.parametrize("xray", [False, True, 1])
def test_drawings_equal_the_local_graphs(pair: tuple[str, Any, Any], xray: bool | int) -> None:
    """The drawing, as Mermaid text."""
    _, local, remote = pair
    compare(local.get_graph(xray=xray).draw_mermaid(), remote.get_graph(xray=xray).draw_mermaid())
