"""Event streaming over the family: every projection of a run stream, local beside remote."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import ToolCallTransformer
from langgraph.stream import (
    CheckpointsTransformer,
    CustomTransformer,
    DebugTransformer,
    TasksTransformer,
    UpdatesTransformer,
)

from langgraph_client import Server
from langgraph_client.remote.events_v1 import EventsV1Converter
from tests.support.comparison import Names, failure, unordered
from tests.support.family import FAMILY

pytestmark = [
    pytest.mark.filterwarnings("default:Deserializing unregistered type"),
    pytest.mark.filterwarnings("ignore:The v3 streaming protocol"),
]

FURTHER: list[Any] = [
    UpdatesTransformer,
    CustomTransformer,
    CheckpointsTransformer,
    TasksTransformer,
    DebugTransformer,
    ToolCallTransformer,
]
PROJECTIONS = ["values", "messages", "lifecycle", "updates", "custom", "checkpoints", "tasks"]
PROJECTIONS += ["debug", "tool_calls", "subgraphs"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server({name: member.build() for name, member in FAMILY.items()}) as running:
        yield running


@pytest.fixture(scope="module", params=FAMILY)
def pair(request: pytest.FixtureRequest, server: Server) -> tuple[str, Any, Any]:
    """The name of a member of the family, the local graph and the remote one."""
    member = FAMILY[request.param]
    local = member.build()
    local.checkpointer = InMemorySaver()  # A copy would have dicts for states of a class.
    return request.param, local, server.remote_graph(request.param, allow_types=member.types)


def told(names: Names, name: str, item: Any) -> Any:
    """What is compared of an item of a projection, when it comes."""
    if name == "subgraphs":
        return name, names(list(item.path)), item.graph_name
    if name in ("messages", "tool_calls"):
        return name, None  # Read behind the end, when it is complete.
    return name, names(item)


def message_of(names: Names, message: Any) -> Any:
    """A streamed message: its text, and the whole of it."""
    return names(getattr(message, "namespace", None)), names(message.output_message)


def tool_call_of(names: Names, call: Any) -> Any:
    return names((call.tool_name, call.input, call.output, call.error, call.completed))


def played(graph: Any, name: str, thread: str) -> list[Any]:
    """Everything that the blocking run streams of a member's inputs give, in order of arrival."""
    member, names = FAMILY[name], Names()
    config = {"configurable": {"thread_id": thread}, "metadata": {"m": 1}, "tags": ["t"]}
    options = {} if member.context is None else {"context": member.context}
    found: list[Any] = []
    for given in member.inputs:
        messages: list[Any] = []
        calls: list[Any] = []
        run = graph.stream_events(given, config, version="v3", transformers=FURTHER, **options)
        with run:
            try:
                for projection, item in run.interleave(*PROJECTIONS):
                    found.append(told(names, projection, item))
                    if projection == "messages":
                        messages.append(item)
                    if projection == "tool_calls":
                        calls.append(item)
                found.append(names(run.output))
                found.append((run.interrupted, names(list(run.interrupts))))
            except Exception as error:  # What is raised is compared, too.
                found.append(failure(error))
        found += [message_of(names, message) for message in messages]
        found += [tool_call_of(names, call) for call in calls]
    return unordered(found) if member.side_by_side else found


async def aplayed(graph: Any, name: str, thread: str, projection: str) -> list[Any]:
    """What one projection of the async run streams of a member's inputs gives."""
    member, names = FAMILY[name], Names()
    config = {"configurable": {"thread_id": thread}, "metadata": {"m": 1}, "tags": ["t"]}
    options = {} if member.context is None else {"context": member.context}
    found: list[Any] = []
    for given in member.inputs:
        run = await graph.astream_events(
            given, config, version="v3", transformers=FURTHER, **options
        )
        async with run:
            try:
                async for item in run.extensions[projection]:
                    if projection == "messages":
                        message = await item
                        found.append(names(message))
                    elif projection == "tool_calls":
                        async for _ in item.output_deltas:
                            pass
                        found.append(tool_call_of(names, item))
                    else:
                        found.append(told(names, projection, item))
                found.append(names(await run.output()))
                found.append((await run.interrupted(), names(list(await run.interrupts()))))
            except Exception as error:
                found.append(failure(error))
    return unordered(found) if member.side_by_side else found


async def test_all_projections_in_order(pair: tuple[str, Any, Any]) -> None:
    """Interleaved, in blocking code: the same items in the same order, and the same end."""
    name, local, remote = pair
    here = await asyncio.to_thread(played, local, name, f"{name} v3")
    there = await asyncio.to_thread(played, remote, name, f"{name} v3")
    assert there == here


@pytest.mark.parametrize("projection", [one for one in PROJECTIONS if one != "subgraphs"])
async def test_each_projection_in_async_code(pair: tuple[str, Any, Any], projection: str) -> None:
    """Read alone, in async code: the same items."""
    name, local, remote = pair
    here = await aplayed(local, name, f"{name} v3 {projection}", projection)
    there = await aplayed(remote, name, f"{name} v3 {projection}", projection)
    await remote.aclose()  # The next test has an event loop of its own.
    assert there == here


def test_a_late_end_has_what_its_start_had() -> None:
    """Of a chain that failed, in version "v1", also if the caller has changed the start."""
    converter = EventsV1Converter({"configurable": {}})
    parts = {"tags": ["t"], "metadata": {"m": 1}, "data": {"input": 1}}
    root = {"event": "on_chain_start", "run_id": "1", "name": "g"}
    start = {"event": "on_chain_start", "run_id": "2", "name": "n", "parent_ids": ["1"], **parts}
    list(converter.convert({**root, "tags": [], "metadata": {}, "data": {}}))
    (shown,) = converter.convert(start)
    shown["tags"].append("u")
    shown["metadata"]["m"] = shown["data"]["input"] = 2
    (end,) = converter.finish()
    assert (end["event"], end["tags"], end["metadata"]) == ("on_chain_end", ["t"], {"m": 1})
    assert end["data"] == {"input": 1, "output": None}
