"""A run that failed is raised as the local exception, whatever its class and constructor."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import LangChainException, OutputParserException
from langchain_core.messages import AIMessage
from langgraph.errors import NodeTimeoutError, ParentCommand
from langgraph.graph import START, StateGraph
from langgraph.pregel.remote import RemoteException as LangGraphRemoteException
from langgraph.types import Command
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_client import RemoteException, Server
from langgraph_client.remote.exceptions import remote_error


class QuotaError(ValueError):
    def __init__(self, used: int, limit: int) -> None:
        super().__init__(f"{used} of {limit}")
        self.limit = limit
        self.reply = AIMessage("no more", id="1")
        self.api_key = "not to be told"


class BrokenError(Exception):
    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        raise RuntimeError("no attributes")


class Shop:
    class ClosedError(Exception):
        pass


class Model(BaseModel):
    number: int


class State(TypedDict, total=False):
    how: str


async def node(state: State) -> Any:
    match state["how"]:
        case "unicode":
            b"\xff".decode()
        case "syntax":
            compile("a b", "f", "exec")
        case "key":
            _ = {}["missing"]  # type: ignore[var-annotated]
        case "os":
            raise FileNotFoundError(2, "No such file")
        case "quota":
            raise QuotaError(5, 3)
        case "nested":
            raise Shop.ClosedError("until Monday")
        case "langchain":
            raise LangChainException("slow down")
        case "not encodable":
            error = QuotaError(5, 3)
            error.reply = AIMessage("no more", additional_kwargs={"retry": print})
            raise error
        case "handoff":
            return Command(graph=Command.PARENT, update={"how": print})
        case "broken":
            raise BrokenError
        case "parser":
            raise OutputParserException("no JSON", llm_output="{")
        case "caused":
            try:
                raise FileNotFoundError(2, "No such file") from QuotaError(5, 3)
            except OSError as error:
                raise KeyError("missing") from error
        case "circle":
            first, second = ValueError("first"), ValueError("second")
            second.__cause__ = first
            raise first from second
        case "timeout":
            raise NodeTimeoutError("n", 2.0, kind="run", run_timeout=1.0)
        case "pydantic":
            Model(number="x")
        case "parent":
            return Command(graph=Command.PARENT, update={"how": "told"}, goto="other")
        case "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.wait_for(asyncio.sleep(1), 0))
    return None


@pytest.fixture(scope="module")
def hosted() -> Iterator[Server]:
    builder = StateGraph(State)
    builder.add_node("n", node)
    builder.add_edge(START, "n")
    with Server({"failing": builder.compile()}, show_errors=True) as running:
        yield running


def failure(hosted: Server, how: str, kind: type[BaseException]) -> Any:
    graph = hosted.remote_graph("failing", allow_types=[QuotaError, Shop.ClosedError])
    with pytest.raises(kind) as caught:
        graph.invoke({"how": how}, {"configurable": {"thread_id": how}})
    assert isinstance(caught.value, RemoteException)
    return caught.value


@pytest.mark.parametrize(
    ("how", "kind", "args"),
    [
        ("unicode", UnicodeDecodeError, ("utf-8", b"\xff", 0, 1, "invalid start byte")),
        ("syntax", SyntaxError, ("invalid syntax", ("f", 1, 3, "a b\n", 1, 4))),
        ("key", KeyError, ("missing",)),
        ("os", FileNotFoundError, (2, "No such file")),
        ("quota", QuotaError, ("5 of 3",)),
        ("nested", Shop.ClosedError, ("until Monday",)),
        ("langchain", LangChainException, ("slow down",)),
        ("parser", OutputParserException, None),
        ("timeout", NodeTimeoutError, None),
        ("pydantic", ValueError, None),
        ("group", ExceptionGroup, None),
    ],
)
def test_any_class_is_rebuilt(
    hosted: Server, how: str, kind: type[BaseException], args: tuple[object, ...] | None
) -> None:
    """It is an instance of the local class, with its args; the text is the message alone."""
    error = failure(hosted, how, kind)
    assert args is None or error.args == args
    assert isinstance(error, LangGraphRemoteException)
    assert (error.node, error.thread_id) == ("n", how)
    assert f"node n, run {error.run_id}, thread {how}" in error.__notes__[-1]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


def test_attributes_of_the_original_are_there(hosted: Server) -> None:
    """Plain ones and messages, and none whose name sounds like a secret."""
    timeout = failure(hosted, "timeout", NodeTimeoutError)
    assert (timeout.node, timeout.kind, timeout.elapsed) == ("n", "run", 2.0)
    quota = failure(hosted, "quota", QuotaError)
    assert quota.limit == 3
    assert quota.reply == AIMessage("no more", id="1")
    assert not hasattr(quota, "api_key")
    assert failure(hosted, "unicode", UnicodeDecodeError).start == 0
    assert failure(hosted, "os", OSError).errno == 2
    assert failure(hosted, "parser", OutputParserException).llm_output == "{"


def test_members_of_a_group_are_rebuilt(hosted: Server) -> None:
    """`except*` finds them."""
    error = failure(hosted, "group", ExceptionGroup)
    assert str(error) == "unhandled errors in a TaskGroup (1 sub-exception)"
    assert error.split(TimeoutError)[0] is not None


def test_causes_are_rebuilt(hosted: Server) -> None:
    """`raise … from` in a node: as exceptions of their classes, without a circle."""
    first = failure(hosted, "caused", KeyError).__cause__
    assert isinstance(first, FileNotFoundError)
    assert (first.errno, str(first)) == (2, "[Errno 2] No such file")
    assert isinstance(first.__cause__, QuotaError)
    assert (str(first.__cause__), first.__cause__.__cause__) == ("5 of 3", None)
    links = [failure(hosted, "circle", ValueError)]
    while links[-1].__cause__ is not None:
        links.append(links[-1].__cause__)
    assert [str(link) for link in links] == ["first", "second"] * 3


def test_a_command_for_a_parent_is_what_it_was(hosted: Server) -> None:
    """As locally, where no parent takes it."""
    (command,) = failure(hosted, "parent", ParentCommand).args
    assert isinstance(command, Command)
    assert (command.update, command.goto) == ({"how": "told"}, "other")


def test_the_first_argument_is_the_message_and_the_document(hosted: Server) -> None:
    """Code for the local graph reads a text there, code for langgraph's RemoteGraph a dict."""
    error = failure(hosted, "key", KeyError)
    assert error.args[0] == "missing"
    assert error.args[0]["error"] == error.args[0].get("error") == "KeyError"
    assert dict(error.args[0])["message"] == str(error) == "'missing'"


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": "UnicodeDecodeError", "message": "bad"}, UnicodeDecodeError),
        ({"error": "ValidationError", "message": "bad", "bases": ["ValueError"]}, ValueError),
        ({"error": "ExceptionGroup", "message": "bad"}, RemoteException),
        ({"error": "GraphInterrupt", "message": "bad"}, RemoteException),
        ({"error": "LangChainException", "message": "bad"}, LangChainException),
        ({"error": "NoSuchError", "message": "bad"}, RemoteException),
        ({"error": "print", "message": "bad"}, RemoteException),
        (
            {"error": "OSError", "message": "bad", "node": "n", "attributes": {"add_note": 1}},
            OSError,
        ),
        ({"error": "KeyboardInterrupt", "message": "bad"}, RemoteException),
        ({"message": "bad"}, RemoteException),
        ({"error": "OSError", "message": "bad", "args": [{}, [], 1, 2, 3, 4, 5]}, OSError),
    ],
)
def test_what_another_server_tells_is_enough(document: dict[str, Any], kind: type) -> None:
    """Name and message alone give the local class where it can be built, else our own."""
    error = remote_error(document)
    assert isinstance(error, kind)
    assert isinstance(error, RemoteException)
    assert str(error) == "bad"
    if kind is RemoteException:
        assert error.args[0]["message"] == "bad"


def test_what_cannot_be_encoded_does_not_hide_a_failure(hosted: Server) -> None:
    """An attribute or a command with an object that JSON cannot represent is left out."""
    error = failure(hosted, "not encodable", ValueError)
    assert (str(error), error.limit) == ("5 of 3", 3)
    assert not hasattr(error, "reply")
    assert "ParentCommand" in repr(failure(hosted, "handoff", RemoteException))


def test_a_failure_whose_class_is_broken_is_told(hosted: Server) -> None:
    """A run ends, although methods of its exception's class fail."""
    assert isinstance(failure(hosted, "broken", Exception), RemoteException)


class Errors(BaseCallbackHandler):
    """Notes the errors of the nodes inside a run."""

    def __init__(self) -> None:
        self.errors: list[Any] = []

    @property
    def heard(self) -> list[str]:
        return list(map(str, self.errors))

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        if kwargs["parent_run_id"] is not None:
            self.errors.append(error)


@pytest.mark.parametrize("shown", [True, False])
def test_events_and_callbacks_have_the_text_that_the_run_s_error_has(shown: bool) -> None:
    """`show_errors` says whether it is there for classes that are not known to be for callers."""

    def fail(state: State) -> Any:
        raise ConnectionError("the disk is full")

    graph = StateGraph(State).add_node("fail", fail).add_edge(START, "fail").compile()
    text = "the disk is full" if shown else "An internal error occurred"
    errors, events = Errors(), list[Any]()
    with Server({"failing": graph}, show_errors=shown) as server:
        config: Any = {"callbacks": [errors]}
        stream = server.remote_graph("failing").stream({}, config, stream_mode="tasks")
        with pytest.raises(ConnectionError, match=text):
            events.extend(stream)
    assert errors.heard == [text]
    assert [str(event["error"]) for event in events if "error" in event] == [text]


@pytest.mark.parametrize("shown", [True, False])
def test_a_cause_shows_what_it_would_show_alone(shown: bool) -> None:
    """Its text has to be allowed, too, and so have its args."""

    def fail(state: State) -> Any:
        raise ValueError("out of order") from OSError(5, "password=hunter2")

    graph = StateGraph(State).add_node("fail", fail).add_edge(START, "fail").compile()
    with (
        Server({"failing": graph}, show_errors=shown) as server,
        pytest.raises(ValueError, match="out of order") as caught,
    ):
        server.remote_graph("failing").invoke({})
    cause: Any = caught.value.__cause__
    assert isinstance(cause, OSError)
    text = "[Errno 5] password=hunter2" if shown else "An internal error occurred"
    assert (str(cause), cause.errno) == (text, 5 if shown else None)
    assert shown or "hunter2" not in f"{cause.args} {vars(cause)}"


@pytest.mark.parametrize("shown", [True, False])
def test_members_of_a_group_show_what_they_would_show_alone(shown: bool) -> None:
    """Their texts, args and attributes, at any depth, in the error and for handlers."""

    def fail(state: State) -> Any:
        error = OSError(5, "password=hunter2")
        error.url = "postgres://ada:hunter2@db"  # type: ignore[attr-defined]
        raise ExceptionGroup("several", [error, ExceptionGroup("inner", [error])])

    graph = StateGraph(State).add_node("fail", fail).add_edge(START, "fail").compile()
    errors = Errors()
    with Server({"failing": graph}, show_errors=shown) as server:
        config: Any = {"callbacks": [errors]}
        with pytest.raises(ExceptionGroup) as caught:
            server.remote_graph("failing").invoke({}, config)
    for group in (caught.value, *errors.errors):
        first, inner = group.exceptions
        for member in (first, *inner.exceptions):
            assert isinstance(member, OSError)
            if shown:
                assert (str(member), member.errno) == ("[Errno 5] password=hunter2", 5)
                assert vars(member)["url"] == "postgres://ada:hunter2@db"
            else:
                assert str(member) == "An internal error occurred"
                assert "hunter2" not in f"{member.args} {vars(member)}"
