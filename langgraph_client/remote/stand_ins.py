"""What stands in for a client: mocks, fakes and wrappers that look like one, and promise less.

People test their code with `RemoteGraph("agent", client=AsyncMock(), sync_client=MagicMock())`, and
set up only what langgraph's RemoteGraph would use. So a stand-in is called as that one calls a
client: thread ids as the caller wrote them, everything by keyword, None for what is not given. Its
stream is whatever can be iterated over; what it does not say is not missed.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from langgraph_client.remote.aliases import JSON, JsonObject

#: The packages whose clients talk to a server.
_CLIENT_PACKAGES = frozenset({"langgraph_client", "langgraph_sdk"})
#: What langgraph's RemoteGraph passes always.
_ALWAYS_GIVEN = (
    "input",
    "command",
    "context",
    "interrupt_before",
    "interrupt_after",
    "headers",
    "params",
)


class ClientLike(Protocol):
    """A client with the resources of `langgraph_sdk`'s."""

    assistants: JSON
    threads: JSON
    runs: JSON


@runtime_checkable
class _Closable(Protocol):
    def close(self) -> object: ...


@runtime_checkable
class _AsyncClosable(Protocol):
    def aclose(self) -> object: ...


@dataclass(frozen=True)
class _NoEvents:
    """Read in place of the events of a run that gave none."""

    event: str = "metadata"
    data: JsonObject = field(default_factory=dict)


def is_stand_in(client: object) -> bool:
    """Return whether an object takes the place of a client, and is none itself."""
    packages = {kind.__module__.partition(".")[0] for kind in type(client).__mro__}
    return not packages & _CLIENT_PACKAGES


async def settled(result: object) -> JSON:
    """Return the result of an async method, also where a stand-in gives it without `await`."""
    return await result if inspect.isawaitable(result) else result


def run_parts(
    client: ClientLike, thread_id: str | None, assistant_id: str, arguments: JsonObject
) -> Iterator[JSON]:
    """Start a run with a stand-in, and return the parts of its stream, closed in the end.

    Args:
        client: The stand-in.
        thread_id: As the caller wrote it; None for a stateless run.
        assistant_id: Who runs.
        arguments: The keywords of `runs.stream`.
    """
    stream: Iterable[JSON] = client.runs.stream(**_keywords(thread_id, assistant_id, arguments))
    part: JSON = None
    try:
        for part in stream:
            yield part
    finally:
        if isinstance(stream, _Closable):
            stream.close()
    if part is None:
        yield _NoEvents()


async def arun_parts(
    client: ClientLike, thread_id: str | None, assistant_id: str, arguments: JsonObject
) -> AsyncIterator[JSON]:
    """Async twin of `run_parts`."""
    keywords = _keywords(thread_id, assistant_id, arguments)
    stream = await settled(client.runs.stream(**keywords))
    part: JSON = None
    try:
        async for part in stream:
            yield part
    finally:
        if isinstance(stream, _AsyncClosable):
            await settled(stream.aclose())
    if part is None:
        yield _NoEvents()


def _keywords(thread_id: str | None, assistant_id: str, arguments: JsonObject) -> JsonObject:
    return {
        **dict.fromkeys(_ALWAYS_GIVEN),
        **arguments,
        "thread_id": thread_id,
        "assistant_id": assistant_id,
        "config": {"configurable": {}, **arguments.get("config", {})},
    }
