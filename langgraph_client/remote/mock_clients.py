"""Support objects in place of a client: mocks, fakes and wrappers with only some of its methods.

Users test their code with `RemoteGraph("agent", client=AsyncMock(), sync_client=MagicMock())`, and
configure only what langgraph's RemoteGraph uses. So such an object is called as langgraph's
RemoteGraph calls a client: with the caller's thread ids, with keywords only, and with None for
arguments that are not passed. Its stream may be any iterable, and events may be missing.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JSON, JsonObject

#: The packages whose clients talk to a server.
_CLIENT_PACKAGES = frozenset({"langgraph_client", "langgraph_sdk"})
#: Arguments that langgraph's RemoteGraph always passes, even if they are None.
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
    """An object with the resources of a client of `langgraph_sdk`."""

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
    """A `metadata` event, used if the stream of a mock has no events."""

    event: str = "metadata"
    data: JsonObject = field(default_factory=dict)


def check_colours(client: object, sync_client: object) -> None:
    """Refuse a blocking client in place of an async one, and the other way round.

    Raises:
        InvalidArgumentError: A client is of the wrong kind. Mocks are of either kind.
    """
    for parameter, value, wrong, right in (
        ("client", client, "get_sync_client", "get_client"),
        ("sync_client", sync_client, "get_client", "get_sync_client"),
    ):
        name = "SyncLangGraphClient" if wrong == "get_sync_client" else "LangGraphClient"
        if not is_mock_client(value) and any(kind.__name__ == name for kind in type(value).__mro__):
            raise InvalidArgumentError(parameter, f"must be a client of {right}, not of {wrong}")


def is_mock_client(client: object) -> bool:
    """Return whether an object is not a client of this package or of `langgraph_sdk`."""
    packages = {kind.__module__.partition(".")[0] for kind in type(client).__mro__}
    return not packages & _CLIENT_PACKAGES


async def settled(result: object) -> JSON:
    """Return the result of an async method, even if a mock's method is not async."""
    return await result if inspect.isawaitable(result) else result


def run_parts(
    client: ClientLike, thread_id: str | None, assistant_id: str, arguments: JsonObject
) -> Iterator[JSON]:
    """Start a run with such an object, yield the parts of its stream, and close the stream.

    Args:
        client: The object in place of a client.
        thread_id: The caller's thread id; None for a stateless run.
        assistant_id: The assistant that runs.
        arguments: The keyword arguments of `runs.stream`.
    """
    stream: Iterable[JSON] = client.runs.stream(**_keywords(thread_id, assistant_id, arguments))
    part: JSON = None
    try:
        for part in stream:
            yield part
    finally:
        if isinstance(stream, _Closable):
            stream.close()
    # A mock that was not configured: a `metadata` event makes it a run without output.
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
