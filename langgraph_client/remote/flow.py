"""Write the requests of a method once, for the blocking and the async client.

A flow is a generator that yields operations on a client and gets their results back:

    state = yield from ask(lambda client: client.threads.get_state(thread_id))

`drive` runs a flow with a blocking client. `adrive` runs it with an async one, where the same
operation returns an awaitable. The error of an operation is raised inside the flow, at its `yield`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, TypeAlias, TypeVar

from langgraph_client._async.client import LangGraphClient
from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.remote.aliases import JSON
from langgraph_client.remote.mock_clients import settled

T = TypeVar("T")
#: A function of a client. Its type is that of the blocking client.
Operation: TypeAlias = Callable[[SyncLangGraphClient], object]
#: A generator of operations that returns a `T`.
Flow: TypeAlias = Generator[Operation, JSON, T]


def ask(operation: Operation) -> Flow[JSON]:
    """Have the driver run an operation, and return its reply. Read the reply by key."""
    return (yield operation)


def drive(flow: Flow[T], client: SyncLangGraphClient) -> T:
    """Run a flow with a blocking client, and return its result."""
    step = _Step(flow)
    while step.operation is not None:
        try:
            result = step.operation(client)
        # Not BaseException: a flow must not handle a Ctrl-C or a cancellation.
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
    """The state of a flow: at an operation, or at its end with a result."""

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
