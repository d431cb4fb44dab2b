"""RemoteGraph's methods take what the local graph's take."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import httpx
import pytest
from langgraph.pregel import Pregel

from langgraph_client import InvalidArgumentError, RemoteGraph, Server, get_sync_client
from langgraph_client.types import StateUpdate

METHODS = [
    name
    for name, method in inspect.getmembers(RemoteGraph, inspect.isfunction)
    if not name.startswith("_")
    and method.__module__.startswith("langgraph_client")
    and hasattr(Pregel, name)
]


@pytest.mark.parametrize("name", METHODS)
def test_parameters_are_those_of_the_local_graph(name: str) -> None:
    """Each has every parameter of its namesake, by the same name and with the same default."""
    ours = inspect.signature(getattr(RemoteGraph, name)).parameters
    theirs = inspect.signature(getattr(Pregel, name)).parameters
    for parameter in theirs.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        assert parameter.name in ours, f"{name} lacks {parameter.name}"
        assert ours[parameter.name].default == parameter.default, f"{name}: {parameter.name}"


def test_each_method_has_its_twin() -> None:
    """A blocking method and its async twin take the same."""
    for name in METHODS:
        if name in ("copy", "with_config", "stream_events") or not hasattr(RemoteGraph, f"a{name}"):
            continue
        blocking, twin = getattr(RemoteGraph, name), getattr(RemoteGraph, f"a{name}")
        assert list(inspect.signature(blocking).parameters) == list(
            inspect.signature(twin).parameters
        ), name


def test_what_cannot_be_is_refused_by_name(server: Server) -> None:
    """Nothing is accepted and ignored: what no server can do is refused, saying which."""
    with pytest.raises(NotImplementedError, match="clear_cache"):
        server.remote_graph("row").clear_cache()


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("update_state", {"values": {}, "as_node": "one", "task_id": "t"}),
        ("bulk_update_state", {"supersteps": [[StateUpdate({}, "one", "t")]]}),
    ],
)
def test_what_other_servers_cannot_do_is_refused_by_name(
    method: str, arguments: dict[str, Any]
) -> None:
    """Only the bundled server takes the id of a task."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    with get_sync_client(url="http://server", transport=transport) as client:
        graph = RemoteGraph("row", sync_client=client)
        with pytest.raises(NotImplementedError, match="task_id"):
            getattr(graph, method)({"thread_id": "1"}, **arguments)


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"stream_mode": "valuse"}, "stream_mode"),
        ({"interrupt_before": "one"}, "interrupt_before"),
        ({"version": "v3"}, "version"),
        ({"config": {"configurable": {"thread_id": b"1"}}}, "thread_id"),
        ({"input": {"items": [0, {"when": object()}]}}, r"items\[1\]\.when"),
        ({"config": {"configurable": {"f": lambda: None}}}, r"config\.configurable\.f"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(
    server: Server, arguments: dict[str, Any], parameter: str
) -> None:
    """The error names the parameter, down to the path of the value."""
    with pytest.raises(InvalidArgumentError, match=parameter):
        list(server.remote_graph("row").stream(**{"input": {}, **arguments}))


def test_what_cannot_be_sent_may_be_left_out_with_a_warning(server: Server) -> None:
    """`strict_config=False` drops such config values, and says so once for each."""
    row = server.remote_graph("row", strict_config=False)
    config = {"configurable": {"thread_id": "1", "f": print, "deep": {"ok": 1, "not": print}}}
    with pytest.warns(
        UserWarning, match=r"config\.configurable\.f, config\.configurable\.deep\.not"
    ):
        row.invoke({"topic": "t"}, config)
    row.invoke({"topic": "t"}, config)  # Warnings are errors here: this one must not come again.


def test_unknown_keywords_are_refused(server: Server) -> None:
    """A misspelt keyword is a TypeError, as locally."""
    with pytest.raises(TypeError, match="thread"):
        server.remote_graph("row").invoke({}, thread="1")


def test_a_state_call_without_a_thread_says_what_is_missing(server: Server) -> None:
    """The error tells how a thread is named."""
    with pytest.raises(InvalidArgumentError, match="needs a thread"):
        server.remote_graph("row").get_state({})


def test_a_client_alone_is_no_licence_to_guess_a_url(server: Server) -> None:
    """With only an async client given, the blocking methods say what they lack."""
    graph = RemoteGraph("row", client=server.client())
    with pytest.raises(InvalidArgumentError, match="sync_client"):
        graph.invoke({})


def test_copies_share_the_clients(server: Server) -> None:
    """`copy(update)` changes what it is told to, and nothing else."""
    row = server.remote_graph("row").copy({"name": "mine"})
    copied = row.copy({"assistant_id": "counter", "config": {"tags": ["t"]}})
    assert (copied.assistant_id, copied.name, copied.config) == ("counter", "mine", {"tags": ["t"]})
    assert copied.sync_client is row.sync_client
    with pytest.raises(InvalidArgumentError, match="nodes"):
        row.copy({"nodes": {}})
    for copied in (copy.copy(row), copy.deepcopy(row)):
        assert (copied.assistant_id, copied.name) == ("row", "mine")
        assert copied.sync_client is row.sync_client
    assert copied.invoke({"topic": "a"}) == row.invoke({"topic": "a"})


class Tenants(RemoteGraph):
    def __init__(self, *given: Any, tenant: str, **more: Any) -> None:
        super().__init__(*given, **more)
        self.tenant = tenant


def test_copies_of_a_subclass_have_its_attributes(server: Server) -> None:
    """As copies of a local graph."""
    graph = Tenants("row", sync_client=server.sync_client(), tenant="a")
    for copied in (graph.with_config({"tags": ["t"]}), graph.copy({"name": "mine"})):
        assert copied.tenant == "a"
        copied.tenant = "b"
    assert graph.tenant == "a"


def test_a_name_that_was_not_given_follows_the_assistant(server: Server) -> None:
    """In a copy, as in a new RemoteGraph."""
    row = server.remote_graph("row")
    assert row.copy({"assistant_id": "counter"}).name == "counter"
    assert row.with_config({"tags": ["t"]}).name == "row"
