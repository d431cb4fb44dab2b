"""The context of a parent graph holds in its remote nodes, as in local subgraphs."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_client import Server
from tests.support.plain_server import plain_graph


@dataclass
class Inner:
    tags: tuple[str, ...] = ()


@dataclass
class Context:
    who: str = "nobody"
    day: datetime.date | None = None
    inner: Inner = field(default_factory=Inner)


class Model(BaseModel):
    who: str = "nobody"


class Names(TypedDict, total=False):
    who: str


@dataclass
class Other:
    who: str
    needed: int


class State(TypedDict, total=False):
    seen: Any


def sees(state: State, runtime: Runtime[Any]) -> State:
    return {"seen": repr(runtime.context)}


def who(state: State, runtime: Runtime[Any]) -> State:
    return {"seen": runtime.context.who}


def one(node: Any, schema: Any = None) -> Any:
    return StateGraph(State, schema).add_node("n", node).add_edge(START, "n").compile()


CHILDREN = {
    "dataclass": one(sees, Context),
    "model": one(sees, Model),
    "dict": one(sees, Names),
    "none": one(sees),
    "other": one(who, Other),
}
BOB = Context("bob", datetime.date(2020, 1, 1), Inner(("a", "b")))
CASES = [
    ("dataclass", Context, BOB),
    ("dataclass", Context, {"who": "bob"}),
    ("model", Model, Model(who="bob")),
    ("dict", Names, {"who": "bob", "more": 1}),
    ("none", Names, {"who": "bob"}),
    ("other", Context, BOB),
    ("dataclass", None, None),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(CHILDREN) as running:
        yield running


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize(("name", "schema", "context"), CASES)
def test_nodes_see_the_context_of_the_parent(
    server: Server, name: str, schema: Any, context: Any, called: bool
) -> None:
    """As a node or called in one; also where the schemas differ."""

    def seen(child: Any) -> Any:
        node = (lambda state: {"seen": child.invoke({})["seen"]}) if called else child
        return one(node, schema).invoke({}, {"configurable": {"tenant": 1}}, context=context)

    assert seen(server.remote_graph(name)) == seen(CHILDREN[name])


def test_a_context_of_the_call_wins(server: Server) -> None:
    """An empty one wins, too; with None the child gets the parent's."""
    for child in (CHILDREN["model"], server.remote_graph("model")):

        def node(state: State, child: Any = child) -> State:
            contexts = [{"who": "call"}, {}, None]
            return {"seen": [child.invoke({}, context=given)["seen"] for given in contexts]}

        result = one(node, Model).invoke({}, context={"who": "parent"})
        assert result["seen"] == ["Model(who='call')", "Model(who='nobody')", "Model(who='parent')"]


class Connection:
    """Something that cannot be sent."""


def test_a_context_that_cannot_be_sent_is_no_error(server: Server) -> None:
    """It was not passed to the remote graph, which may not need it."""
    parent = one(server.remote_graph("none"), Names)
    assert parent.invoke({}, context={"who": Connection()})["seen"] == "None"


def test_other_servers_get_it_only_if_a_call_passes_it(server: Server) -> None:
    """A context may hold keys, which another server must not get by itself."""
    remote = plain_graph(server, "dataclass")
    as_node = one(remote, Context).invoke({}, context=Context("bob"))
    assert "bob" not in as_node["seen"]

    def calls(state: State, runtime: Runtime[Context]) -> State:
        results = [remote.invoke({}), remote.invoke({}, context=runtime.context)]
        return {"seen": [result["seen"] for result in results]}

    by_itself, passed = one(calls, Context).invoke({}, context=Context("bob"))["seen"]
    assert "bob" not in by_itself
    assert passed.startswith("Context(who='bob'")
