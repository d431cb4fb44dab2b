"""Values that are seldom sent reach a node, and come back, as in a local graph."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, Flag
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableParallel
from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_client import InvalidArgumentError
from langgraph_client.testing import TestServer
from tests.support.plain_server import plain_graph


class Access(Flag):
    READ = 1
    WRITE = 2


class Colour(Enum):
    RED = "red"


@dataclass
class Square:
    side: int

    def __post_init__(self) -> None:
        self.area = self.side**2


class Settings(BaseModel):
    first: int = 1
    second: int = 2


class State(TypedDict, total=False):
    given: Any
    seen: str
    access: Access
    colours: dict[Colour, Any]
    square: Square
    settings: Settings


def look(state: State) -> State:
    given = state["given"]
    if isinstance(given, Square):
        return {"seen": f"{given} {given.area}"}
    if isinstance(given, Settings):
        return {"seen": repr(given.model_dump(exclude_unset=True))}
    return {"seen": repr(dict(given) if isinstance(given, dict) else given)}


def built() -> Any:
    return StateGraph(State).add_node("look", look).add_edge(START, "look").compile()


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    with TestServer({"look": built()}) as running:
        yield running


VALUES = {
    "several flags": Access.READ | Access.WRITE,
    "no flag": Access(0),
    "keys that are one in JSON": {1: (1,), "1": {2}},
    "keys of an enum": {Colour.RED: (1, HumanMessage("a", id="1"))},
    "infinite decimals": [Decimal("Infinity"), {"a": Decimal("-Infinity")}],
    "a dataclass with more attributes": Square(2),
    "a model with defaults": Settings(first=5),
    "a default dict": defaultdict(list, {"a": {1}}),
    "an ordered dict": OrderedDict(a=HumanMessage("x", id="1")),
}


@pytest.mark.parametrize("name", VALUES)
def test_they_are_what_they_were(server: TestServer, name: str) -> None:
    """In the node, and in the result."""
    given = {"given": VALUES[name]}
    expected = built().invoke(given)
    assert server.remote_graph("look").invoke(given) == expected


class OwnMessage(HumanMessage):
    """A class that the caller does not allow."""


@pytest.mark.parametrize("extra", [{}, {"pair": (1, 2)}], ids=["plain", "noted"])
def test_of_a_message_only_a_class_that_is_not_allowed_is_lost(extra: Any) -> None:
    """It is langchain's class, whether or not it holds what JSON would change."""

    def say(state: State) -> State:
        return {"given": [OwnMessage("a", id="1", additional_kwargs=extra)]}

    graph = StateGraph(State).add_node("say", say).add_edge(START, "say").compile()
    with TestServer({"say": graph}) as server:
        (message,) = server.remote_graph("say").invoke({})["given"]
    assert message == HumanMessage("a", id="1", additional_kwargs=extra)


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_chain_that_is_streamed_gives_a_node_what_invoke_gives_it(
    server: TestServer, way: str
) -> None:
    """langchain joins the chunks of a stream in a dict of its own class."""
    before: Any = RunnableParallel(given=lambda _: {"pair": (1, HumanMessage("hi", id="1"))})

    def seen(graph: Any) -> str:
        if way == "invoke":
            return str((before | graph).invoke(1)["seen"])
        (update,) = (before | graph).stream(1)
        return str(update["look"]["seen"])

    assert seen(server.remote_graph("look")) == seen(built())


def test_other_servers_are_not_sent_keys_that_are_one_in_json(server: TestServer) -> None:
    """An item would be lost without a word."""
    graph = plain_graph(server, "look")
    with pytest.raises(InvalidArgumentError, match="the keys 1 and '1'"):
        graph.invoke({"given": [{1: "a", "1": "b"}]})
    with pytest.raises(InvalidArgumentError, match=r"values: .* keys None and 'null'"):
        graph.update_state({"thread_id": "1"}, {"given": {None: "a", "null": "b"}})
    assert graph.invoke({"given": {1: "a", "2": "b"}})["seen"] == "{'1': 'a', '2': 'b'}"


def test_other_servers_get_the_messages_in_a_dict_of_any_class(server: TestServer) -> None:
    """As in a plain dict: without the keys that a graph would not know."""
    message = AIMessage("x", id="1")
    graph = plain_graph(server, "look")
    plain, odd = ({"given": kind(a=message)} for kind in (dict, OrderedDict))
    assert graph.invoke(odd)["seen"] == graph.invoke(plain)["seen"]
