"""Small graphs for the tests of the server itself (`tests/server`, `tests/cluster`, `tests/ui`).

Some of them stop where a test says. For graphs that are compared with local ones see `graphs`.
"""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Callable
from typing import Annotated, Any

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class Gate:
    """Holds a node until the test opens it, and tells the test when one has arrived."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self._open: list[asyncio.Future[None]] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def hold(self) -> None:
        """Arrive, and wait until the gate is opened."""
        self._loop = asyncio.get_running_loop()
        ticket = self._loop.create_future()
        with self._lock:
            self._open.append(ticket)
        self._arrived.release()
        await ticket

    def arrived(self) -> None:
        """Wait until a node is held."""
        assert self._arrived.acquire(timeout=60), "no node came to the gate"

    def open(self) -> None:
        """Let all go that are held."""
        self._end(lambda ticket: ticket.set_result(None))

    def fail(self, error: Exception) -> None:
        """Raise an error in all that are held."""
        self._end(lambda ticket: ticket.set_exception(error))

    def _end(self, end: Callable[[asyncio.Future[None]], None]) -> None:
        with self._lock:
            held, self._open = self._open, []
        for ticket in held:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(_let_go, ticket, end)


def _let_go(ticket: asyncio.Future[None], end: Callable[[asyncio.Future[None]], None]) -> None:
    if not ticket.done():
        end(ticket)


class Log(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    name: str
    count: int


class Odd(Exception):
    """Not one of the classes whose text is known to be meant for callers."""


def hosted(gate: Gate) -> dict[str, Any]:
    """Return the graphs, by name."""

    def one(state: Log) -> dict[str, Any]:
        return {"log": [f"one:{state.get('name')}"]}

    def two(state: Log) -> dict[str, Any]:
        return {"log": ["two"]}

    async def held(state: Log) -> dict[str, Any]:
        get_stream_writer()("held")
        await gate.hold()
        return {"log": [f"held:{state.get('name')}"]}

    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("who?")]}

    def fail(state: Log) -> dict[str, Any]:
        raise Odd("the secret")

    async def many(state: Log) -> dict[str, Any]:
        write = get_stream_writer()
        for number in range(state["count"]):
            write(number)
        return {}

    def row(*nodes: Any) -> Any:
        builder = StateGraph(Log)
        before = START
        for node in nodes:
            builder.add_node(node.__name__, node)
            builder.add_edge(before, node.__name__)
            before = node.__name__
        return builder.add_edge(before, END)

    def made(config: Any) -> Any:
        return row(one)

    return {
        "row": row(one, two).compile(name="row"),
        "gate": row(one, held, two).compile(name="gate"),
        "ask": row(one, ask).compile(name="ask"),
        "fail": row(one, fail).compile(name="fail"),
        "many": row(many).compile(name="many"),
        "builder": row(one),
        "factory": made,
    }
