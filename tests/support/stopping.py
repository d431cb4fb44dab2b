"""Stop runs at a moment that a test chooses, with the graphs that are stopped.

For `tests/server/test_stopped_runs.py`, which compares such runs with ones that were not stopped.
"""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.server import Server
from tests.support.family import FAMILY, Member


class Steps(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]


async def _breathe(times: int = 3) -> None:
    for _ in range(times):
        await asyncio.sleep(0.001)


async def _step(state: Steps) -> dict[str, Any]:
    await _breathe(1)
    return {"log": [len(state["log"])]}


async def _more(state: Steps) -> str:
    await _breathe()
    return "step" if len(state["log"]) < 6 else END


def _slow_edges() -> Any:
    """A path function that takes its time: a stop falls between a node and its edge."""
    graph = StateGraph(Steps).add_node("step", _step).add_edge(START, "step")
    return graph.add_conditional_edges("step", _more, ["step", END]).compile(name="slow edges")


def _slow_branches() -> Any:
    """The same in several branches at once, each with a subgraph."""

    async def leave(state: Steps) -> dict[str, Any]:
        await _breathe()
        return {"log": ["left"]}

    return (
        StateGraph(Steps)
        .add_node("branch", _slow_edges())
        .add_node("leave", leave)
        .add_conditional_edges(
            START, lambda state: [Send("branch", {"log": [f"b{n}"]}) for n in range(3)], ["branch"]
        )
        .add_edge("branch", "leave")
        .compile(name="slow branches")
    )


def _commanded() -> Any:
    """Commands that answer, write and choose the next node, all at once."""

    async def ask(state: Steps) -> dict[str, Any]:
        await _breathe()
        return {"log": [interrupt("sure?")]}

    async def after(state: Steps) -> dict[str, Any]:
        await _breathe()
        return {"log": ["after"]}

    graph = StateGraph(Steps).add_node("ask", ask).add_node("after", after)
    return graph.add_edge(START, "ask").add_edge("ask", "after").compile(name="commanded")


#: Without `storing`, whose node has an effect of its own each time it is done.
STOPPED: dict[str, Member] = {
    **{name: member for name, member in FAMILY.items() if name != "storing"},
    "slow edges": Member(_slow_edges, [{"log": []}]),
    "commanded": Member(
        _commanded,
        [
            {"log": []},
            Command(resume="yes", update={"log": ["update"]}),
            Command(goto="after", update={"log": ["again"]}),
        ],
    ),
    "slow branches": Member(_slow_branches, [{"log": []}], side_by_side=True),
}


class StopAtNode(RunHooks):
    """Calls back when so many nodes have been gone into, and may hold that node."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._left = -1
        self._hold = False

    def arm(self, nodes: int, hold: bool) -> None:
        """Stop at the node behind so many others."""
        self.reached.clear()
        self._left, self._hold = nodes, hold

    @property
    def watches_nodes(self) -> bool:
        return True

    async def before_node(self, run: Mapping[str, Any], node: str) -> None:
        await asyncio.sleep(0)
        self._left -= 1
        if self._left == -1:
            self.stop()
            if self._hold:
                await asyncio.Event().wait()

    def stop(self) -> None:
        """Tell the test that the moment has come."""
        self.reached.set()


class KillAtNode(StopAtNode):
    """Kills its own process there. No node begins before `may_begin` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.may_begin = asyncio.Event()

    async def before_node(self, run: Mapping[str, Any], node: str) -> None:
        await self.may_begin.wait()
        await super().before_node(run, node)

    def stop(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def wire(value: Any) -> Any:
    """Return a value as it stands on the wire."""
    return decode(encode(value))


def main(file: str, nodes: int) -> None:
    """Host the graphs on a port, over a file; print the URL; be killed at a node.

    Nodes begin after a line of the standard input, with which a test says that it has all its runs.
    """
    hooks = KillAtNode()
    hooks.arm(nodes, hold=False)
    graphs = {name: member.build() for name, member in STOPPED.items()}
    with Server(graphs, path=file, hooks=hooks) as server:
        print(server.listen(), flush=True)
        sys.stdin.readline()
        server.loop.call_soon_threadsafe(hooks.may_begin.set)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
