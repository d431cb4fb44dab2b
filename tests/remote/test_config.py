"""How a caller's config is read, by tables."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from langgraph_client import InvalidArgumentError
from langgraph_client.remote.config import Address, merge, wire_config, with_ambient
from langgraph_client.thread_ids import THREAD_NAMESPACE, server_thread_id

ID = "0199a7e2-3c1f-7a53-9e7b-1f2d3c4b5a69"


@pytest.mark.parametrize(
    ("given", "known_as"),
    [
        (ID, ID),
        (ID.upper(), ID),
        (ID.replace("-", ""), ID),
        ("1", None),
        ("user-1", None),
        ("ü" * 500, None),
        ("{" + ID + "}", None),
    ],
)
def test_a_thread_id_becomes_a_uuid(given: str, known_as: str | None) -> None:
    """A UUID is itself; anything else is a version 5 UUID that is the same for ever."""
    if known_as is None:
        known_as = str(uuid.uuid5(THREAD_NAMESPACE, given))
    assert server_thread_id(given) == known_as


def test_the_namespace_never_changes() -> None:
    """Threads on servers depend on it."""
    assert str(THREAD_NAMESPACE) == "8d2f6a5e-1c0b-5f43-9a56-0f0f5f1d2b7c"
    assert server_thread_id("user-1") == "4d228ab0-595c-5818-b661-e725ff70a8ee"


@pytest.mark.parametrize(
    ("configs", "merged"),
    [
        ((None, {}), {"configurable": {}}),
        (({"thread_id": "1"},), {"configurable": {"thread_id": "1"}}),
        (
            ({"tags": ["b"]}, {"tags": ["a", "b"]}),
            {"configurable": {}, "tags": ["b", "a", "b"]},
        ),
        (
            ({"metadata": {"a": 1, "b": 1}}, {"metadata": {"b": 2}}),
            {"configurable": {}, "metadata": {"a": 1, "b": 2}},
        ),
        (
            ({"configurable": {"a": 1}, "recursion_limit": 5}, {"configurable": {"b": 2}}),
            {"configurable": {"a": 1, "b": 2}, "recursion_limit": 5},
        ),
        (
            ({"recursion_limit": 5}, {"recursion_limit": None}),
            {"configurable": {}, "recursion_limit": 5},
        ),
        (
            ({"thread_id": "flat", "configurable": {"thread_id": "1", "a": 1}}, {"a": 2}),
            {"configurable": {"thread_id": "flat", "a": 2}},
        ),
    ],
)
def test_configs_merge_as_locally(configs: tuple[Any, ...], merged: dict[str, Any]) -> None:
    """Configs merge as a local graph merges them."""
    assert merge(*configs) == merged


def test_merging_changes_nothing_that_was_passed() -> None:
    """What the caller passed stays as it was."""
    config = {"configurable": {"a": 1}, "tags": ["t"], "metadata": {"m": 1}}
    merge(config, {"configurable": {"b": 1}, "tags": ["u"], "metadata": {"n": 1}})
    assert config == {"configurable": {"a": 1}, "tags": ["t"], "metadata": {"m": 1}}


@pytest.mark.parametrize("given", [1, uuid.UUID(ID)])
def test_a_thread_id_may_be_a_number_or_a_uuid(given: Any) -> None:
    """As locally, where any id becomes text."""
    assert Address.of(merge({"thread_id": given})).given == str(given)


@pytest.mark.parametrize("given", ["", b"1", True, 1.5, ["1"], "\ud800"])
def test_other_thread_ids_are_refused(given: Any) -> None:
    """The error names the parameter."""
    with pytest.raises(InvalidArgumentError, match=r"config\.configurable\.thread_id"):
        Address.of(merge({"configurable": {"thread_id": given}}))


def test_only_the_callers_own_values_go_on_the_wire() -> None:
    """Neither the address, nor a parent's bookkeeping, nor callbacks are sent."""
    config = merge(
        {
            "configurable": {
                "thread_id": "1",
                "checkpoint_id": "c",
                "checkpoint_ns": "",
                "__pregel_task_id": "t",
                "model": "small",
            },
            "callbacks": [object()],
            "tags": [],
            "metadata": {"a": 1},
            "recursion_limit": 7,
        }
    )
    assert wire_config(config) == {
        "configurable": {"model": "small"},
        "metadata": {"a": 1},
        "recursion_limit": 7,
    }


def test_a_config_with_its_own_thread_takes_nothing_of_the_node_around_it() -> None:
    """An explicit coordinate drops the ambient configurable; other keys go on top of it."""
    ambient = {"configurable": {"thread_id": "p", "__pregel_task_id": "t"}, "tags": ["x"]}
    own = with_ambient(ambient, {"configurable": {"thread_id": "1"}}, {"a": 1})
    assert own == {"configurable": {"thread_id": "1", "a": 1}, "tags": ["x"]}
    inherited = with_ambient(ambient, merge({"configurable": {"a": 1, "checkpoint_id": None}}))
    assert inherited["configurable"] == {
        **ambient["configurable"],  # type: ignore[dict-item]
        "a": 1,
        "checkpoint_id": None,
    }


HOSTED: dict[str, Any] = {
    "configurable": {
        "langgraph_request_id": "1",
        "langgraph_auth_user_id": "alice",
        "user_id": "alice",
        "graph_id": "outer",
        "model": "small",
    },
    "metadata": {"user_id": "alice", "graph_id": "outer", "m": 1},
}


def test_the_callers_own_values_replace_those_of_the_hosting_server() -> None:
    """The server's values are removed; a key that the server uses too is not the server's alone."""
    own = {
        "configurable": {"user_id": "bob"},
        "metadata": {"user_id": "bob", "created_by": "me"},
    }
    sent = with_ambient(HOSTED, merge(own))
    assert sent["configurable"] == {"user_id": "bob", "model": "small"}
    assert sent["metadata"] == {"user_id": "bob", "created_by": "me", "m": 1}
    on_thread = {"configurable": {**HOSTED["configurable"], "thread_id": "1", "user_id": "bob"}}
    sent = with_ambient(HOSTED, merge(on_thread))
    assert sent["configurable"] == {"thread_id": "1", "user_id": "bob", "model": "small"}


def test_the_hosting_servers_metadata_stays_with_it_also_on_a_thread_of_ones_own() -> None:
    """Another server learns nothing of the run around the call, such as its user."""
    sent = with_ambient(HOSTED, merge({"configurable": {"thread_id": "1"}}))
    assert sent["metadata"] == {"m": 1}


@pytest.mark.parametrize("ambient", [HOSTED, {"tags": ["x"]}, None])
def test_a_nodes_config_is_passed_on_without_the_hosting_servers_values(ambient: Any) -> None:
    """Also where the surrounding node is not known: then all of the server's keys are removed."""
    sent = with_ambient(ambient, merge(HOSTED))
    assert sent["configurable"] == {"model": "small"}
    assert sent["metadata"] == {"m": 1}
