"""What an exception of a graph carries arrives with it, and its class is the right one."""

from __future__ import annotations

import builtins
import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import RemoteException, Server
from langgraph_client.remote.commands import parent_command
from langgraph_client.remote.exceptions import remote_error


class State(TypedDict, total=False):
    how: str


class TimeoutError(Exception):
    """Named as a built-in class."""


class GraphRecursionError(ValueError):
    """Named as a class of langgraph."""


def noted() -> None:
    error = ValueError({"code": 3, "where": ["a", (1, None)]})
    error.add_note("row 7")
    error.details = {"rows": [7]}  # type: ignore[attr-defined]
    error.request = {"headers": [{"Authorization": "Bearer x"}]}  # type: ignore[attr-defined]
    raise error


def circular() -> None:
    items: list[Any] = []
    items.append(items)
    raise ValueError("text", items)


def large() -> None:
    error = ValueError("text")
    error.rows = [{"n": n} for n in range(1000)]  # type: ignore[attr-defined]
    error.columns = ["n"]  # type: ignore[attr-defined]
    raise error


def missing_name() -> None:
    exec("nowhere")


FAILURES: dict[str, Callable[[], object]] = {
    "file": lambda: os.stat("/nowhere/at/all"),
    "import": lambda: __import__("nowhere_at_all"),
    "attribute": lambda: getattr(5, "real_part"),  # noqa: B009
    "name": missing_name,
    "noted": noted,
    "circular": circular,
    "large": large,
}


def graph_of(failures: dict[str, Callable[[], object]]) -> Any:
    def fail(state: State) -> State:
        failures[state["how"]]()
        return {}

    return StateGraph(State).add_node("fail", fail).add_edge(START, "fail").compile()


def raised_by(graph: Any, how: str) -> Any:
    try:
        graph.invoke({"how": how})
    except Exception as error:
        return error
    raise AssertionError("it has not failed")


def described(error: Any) -> dict[str, Any]:
    fields = ("errno", "strerror", "filename", "name", "path", "details")
    notes = [note for note in error.__notes__ if "row" in note]
    return {"args": error.args, "notes": notes} | {key: getattr(error, key, "") for key in fields}


@pytest.mark.parametrize("how", [how for how in FAILURES if how not in ("circular", "large")])
def test_what_an_exception_carries_arrives(how: str) -> None:
    """Fields of built-in classes, notes, and dicts and lists in args; a copy has them, too."""
    expected = described(raised_by(graph_of(FAILURES), how))
    with Server({"failing": graph_of(FAILURES)}) as server:
        error = raised_by(server.remote_graph("failing"), how)
    assert described(error) == described(pickle.loads(pickle.dumps(error))) == expected
    assert not hasattr(error, "request")  # An item of it is named as a secret.


def test_arguments_without_end_are_left_out() -> None:
    """The text and the class arrive nevertheless."""
    with Server({"failing": graph_of(FAILURES)}) as server:
        error = raised_by(server.remote_graph("failing"), "circular")
    assert isinstance(error, ValueError)
    assert str(error) == "('text', [[...]])"


def test_a_large_attribute_is_left_out() -> None:
    """It would be walked and encoded on the server's event loop; the others arrive."""
    with Server({"failing": graph_of(FAILURES)}) as server:
        error: Any = raised_by(server.remote_graph("failing"), "large")
    assert error.columns == ["n"]
    assert not hasattr(error, "rows")


def raises(error: Exception) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "allowed", "kind"),
    [
        (TimeoutError("t"), [TimeoutError], TimeoutError),
        (TimeoutError("t"), [], RemoteException),
        (builtins.TimeoutError("t"), [TimeoutError], builtins.TimeoutError),
        (GraphRecursionError("t"), [GraphRecursionError], GraphRecursionError),
        (GraphRecursionError("t"), [], ValueError),
    ],
    ids=["own", "own, not allowed", "built-in", "as langgraph's", "as langgraph's, not allowed"],
)
def test_a_class_named_as_a_known_one_is_not_mistaken(
    error: Exception, allowed: list[type], kind: type[Exception]
) -> None:
    """For the built-in class or that of langgraph; nor are these for it."""
    with Server({"failing": graph_of({"fail": raises(error)})}) as server:
        caught = raised_by(server.remote_graph("failing", allow_types=allowed), "fail")
    assert isinstance(caught, kind)
    assert not isinstance(caught, OSError) or kind is builtins.TimeoutError
    assert not isinstance(caught, RecursionError)


def test_another_server_s_error_is_an_allowed_class_first() -> None:
    """It sends the bare name only."""
    allowed: Any = {"shop:TimeoutError": TimeoutError}
    document = {"error": "TimeoutError", "message": "late"}
    assert isinstance(remote_error(document, allowed=allowed), TimeoutError)
    assert isinstance(remote_error(document), builtins.TimeoutError)


@pytest.mark.parametrize("text", ["(" * 5000, "-" * 100_000 + "1", "{[]}", "[" * 90 + "]" * 90])
def test_a_text_that_python_cannot_parse_is_a_text(text: str) -> None:
    """A key in the text of a KeyError, and a command in that of a `ParentCommand`."""
    error = remote_error({"error": "KeyError", "message": text})
    assert isinstance(error, KeyError)
    assert str(error) == text
    sent = {"error": "ParentCommand", "message": f"Command(update={text})"}
    assert parent_command(sent, ("n:1",)) is None or "[[" in text
