"""One flow, two drivers: what a method asks of a server is written once.

A flow is a generator that yields operations on a client and is sent back their results:

    state = yield from ask(lambda client: client.threads.get_state(thread_id))

`drive` carries it out with a blocking client, `adrive` with an async one, where the same operation
gives an awaitable. A failed operation is raised inside the flow, at its `yield`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, TypeAlias, TypeVar

from langgraph_client._async.client import LangGraphClient
from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.remote.aliases import JSON
from langgraph_client.remote.stand_ins import settled

T = TypeVar("T")
#: What to do with a client. Typed by the blocking one.
Operation: TypeAlias = Callable[[SyncLangGraphClient], object]
#: A generator of operations that returns a `T`.
Flow: TypeAlias = Generator[Operation, JSON, T]


def ask(operation: Operation) -> Flow[JSON]:
    """Let the driver carry out an operation, and return the reply, which is to be read by key."""
    return (yield operation)


def drive(flow: Flow[T], client: SyncLangGraphClient) -> T:
    """Carry a flow out with a blocking client, and return what it returns."""
    step = _Step(flow)
    while step.operation is not None:
        try:
            result = step.operation(client)
        except Exception as error:
            step.failed(error)
        else:
            step.done(result)
    return step.result


async def adrive(flow: Flow[T], client: LangGraphClient) -> T:
    """Async twin of `drive`."""
    step = _Step(flow)
    while step.operation is not None:
        try:
            result = await settled(step.operation(client))
        except Exception as error:
            step.failed(error)
        else:
            step.done(result)
    return step.result


class _Step(Generic[T]):
    """Where a flow stands: at an operation, or at its end with a result."""

    operation: Callable[..., JSON] | None
    result: T

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self.done(None)

    def done(self, result: object) -> None:
        self._go(lambda: self._flow.send(result))

    def failed(self, error: Exception) -> None:
        self._go(lambda: self._flow.throw(error))

    def _go(self, advance: Callable[[], Operation]) -> None:
        try:
            self.operation = advance()
        except StopIteration as end:
            self.operation, self.result = None, end.value
