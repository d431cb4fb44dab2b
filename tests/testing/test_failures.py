"""Which failures of graphs a test expected, and what the server keeps of them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.graph import START, StateGraph

from langgraph_client import RemoteException
from langgraph_client.testing import Fail, ScriptedGraph, TestServer
from langgraph_client.testing.caught_errors import watch_caught
from tests.support.garbage import collect


def hosted(node: Callable[[Any], Any]) -> dict[str, Any]:
    return {"agent": StateGraph(dict).add_node("n", node).add_edge(START, "n").compile()}


def test_an_exception_that_is_its_own_cause_ends_the_run() -> None:
    """`raise error from error` makes a circle of causes; the server walks it once."""

    def failing(state: Any) -> Any:
        try:
            raise ValueError("circle")
        except ValueError as error:
            raise error from error

    server = TestServer(hosted(failing))
    server.start()
    answer: list[Any] = []

    def ask() -> None:
        client = server.sync_client()
        answer.append(client.runs.wait(None, "agent", input={}, raise_error=False))

    # Beside this thread: a server that hangs must not hang the test, too.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(60)
    assert not asking.is_alive()
    assert answer[0]["__error__"]["message"] == "circle"
    (failure,) = server.errors
    assert "ValueError: circle" in str(failure)
    server.expect_caught(failure.error)
    server.close()


class Page:
    """What a failed node had in memory."""


def failing_inside(pages: list[weakref.ref[Page]]) -> None:
    page = Page()
    pages.append(weakref.ref(page))
    raise KeyError("inner")


def test_no_frames_are_kept_of_what_caused_a_failure() -> None:
    """Causes have frames of their own; they are cleared, too."""
    pages: list[weakref.ref[Page]] = []

    def failing(state: Any) -> Any:
        try:
            failing_inside(pages)
        except KeyError as error:
            raise ValueError("outer") from error

    with TestServer(hosted(failing)) as server:
        server.sync_client().runs.wait(None, "agent", input={}, raise_error=False)
        collect()
        assert len(server.errors) == 1
        assert [page() for page in pages] == [None]


def raised_by_the_test(error: BaseException) -> None:
    with pytest.raises(type(error)):
        raise error


@pytest.mark.parametrize(
    ("failure", "caught", "expected"),
    [
        (ValueError(), ValueError("no number"), False),
        (ValueError(), ValueError(), False),
        (ValueError("no"), ValueError("no number"), False),
        (ValueError("no"), ValueError("no"), True),
        (ValueError("no"), KeyError("no"), False),
        (ValueError(), RemoteException("ValueError"), True),
        (ValueError("no"), RemoteException("ValueError", "no"), True),
        (ValueError("no"), RemoteException("ValueError", "no number"), False),
        (ValueError("no"), RemoteException("KeyError", "no"), False),
    ],
)
def test_an_exception_without_a_run_is_known_by_class_and_text(
    failure: Exception, caught: Exception, expected: bool
) -> None:
    """Both have to be the same; an exception of the test's own without a text could be any."""
    with TestServer({"agent": ScriptedGraph([Fail(failure)])}) as server:
        server.sync_client().runs.wait(None, "agent", input={}, raise_error=False)
        with watch_caught(server.expect_caught):
            raised_by_the_test(caught)
        assert (server.unexpected_errors == []) is expected


def test_an_exception_whose_text_cannot_be_read_is_a_failure_like_others() -> None:
    """`__str__` is the graph's code and may raise; the test is not failed by that."""

    class Unreadable(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    with TestServer({"agent": ScriptedGraph([Fail(Unreadable())])}) as server:
        with server.expect_error(Unreadable) as failures:
            server.sync_client().runs.create(None, "agent", input={})
        assert len(failures) == 1
        server.expect_caught(ValueError("another"))
        with pytest.raises(AssertionError, match="matching 'x'"), server.expect_error(match="x"):
            server.sync_client().runs.wait(None, "agent", input={}, raise_error=False)
