"""Scripted graphs take commands, metadata and mistakes as compiled graphs do."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from langgraph.pregel.remote import RemoteGraph as LangGraphRemoteGraph
from langgraph.types import Command

from langgraph_client import (
    InternalServerError,
    InvalidArgumentError,
    RemoteException,
    RetryPolicy,
    ScriptedGraph,
    Server,
    SyncLangGraphClient,
)
from langgraph_client.server.graphs.script_steps import Ask, Attempts, Fail, Say, Update

ASKING = ScriptedGraph([Ask("sure?"), {"done": True}])
AGAIN = ScriptedGraph(
    Attempts(
        [Ask("one?", into="one", node="first")], [Ask("two?", into="two", node="second"), {"n": 2}]
    )
)


def asked(client: SyncLangGraphClient, graph: str, **options: Any) -> tuple[str, str]:
    """Run a graph up to its question; return the thread and the interrupt's id."""
    thread_id = client.threads.create()["thread_id"]
    result: Any = client.runs.wait(thread_id, graph, input={"i": 1}, **options)
    return thread_id, result["__interrupt__"][0]["id"]


def questions(client: SyncLangGraphClient, thread_id: str) -> list[Any]:
    state = client.threads.get_state(thread_id)
    return [interrupt["value"] for interrupt in state["interrupts"]]


def test_a_remote_graph_of_langgraph_answers_a_question() -> None:
    """It sends an empty `goto` with each command."""
    with Server({"agent": ASKING}) as server, server.sync_client() as client:
        graph = LangGraphRemoteGraph("agent", sync_client=client)
        config: Any = {"configurable": {"thread_id": client.threads.create()["thread_id"]}}
        graph.invoke({"i": 1}, config)
        assert graph.invoke(Command(resume="yes"), config) == {
            "i": 1,
            "answer": "yes",
            "done": True,
        }


def test_an_answer_by_the_id_of_the_interrupt() -> None:
    """The question gets the answer; one for another interrupt leaves it open."""
    with Server({"agent": ASKING}) as server, server.sync_client() as client:
        thread_id, interrupt_id = asked(client, "agent")
        client.runs.wait(thread_id, "agent", command={"resume": {"0" * 32: "other"}})
        assert questions(client, thread_id) == ["sure?"]
        result = client.runs.wait(thread_id, "agent", command={"resume": {interrupt_id: "yes"}})
        assert result == {"i": 1, "answer": "yes", "done": True}


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ({"goto": ["step-2"]}, {"i": 1, "done": True}),
        ({"goto": "step-2"}, {"i": 1, "done": True}),
        ({"goto": "", "resume": "yes"}, {"i": 1, "answer": "yes", "done": True}),
        (
            {"update": [["a", 1]], "resume": "yes"},
            {"i": 1, "a": 1, "answer": "yes", "done": True},
        ),
    ],
)
def test_forms_of_a_command(command: Any, result: dict[str, Any]) -> None:
    """One step may be in a list, and an update may be pairs, as for a compiled graph."""
    with Server({"agent": ASKING}) as server, server.sync_client() as client:
        thread_id, _ = asked(client, "agent")
        assert client.runs.wait(thread_id, "agent", command=command) == result


def test_a_step_that_is_none() -> None:
    """The error names the steps that there are."""
    with Server({"agent": ASKING}) as server, server.sync_client() as client:
        thread_id, _ = asked(client, "agent")
        with pytest.raises(RemoteException, match=r"one step: \['step-1', 'step-2'\], not 'other'"):
            client.runs.wait(thread_id, "agent", command={"goto": "other"})


def test_an_update_of_the_state_keeps_the_attempt() -> None:
    """The thread stays at its place in the script of its attempt."""
    with Server({"agent": AGAIN}) as server, server.sync_client() as client:
        thread_id, _ = asked(client, "agent")
        client.runs.wait(thread_id, "agent", input={"i": 2})
        client.threads.update_state(thread_id, {"k": 1}, as_node="second")
        assert questions(client, thread_id) == ["two?"]
        result = client.runs.wait(thread_id, "agent", command={"resume": "yes"})
        assert result == {"i": 2, "k": 1, "two": "yes", "n": 2}


@pytest.mark.parametrize("metadata", [{"attempt": 2}, {"attempt": "x"}, {"error": "a note"}])
def test_metadata_of_a_run_does_not_drive_the_script(metadata: dict[str, Any]) -> None:
    """It is kept with the state, and means nothing to the script."""
    with Server({"agent": AGAIN}) as server, server.sync_client() as client:
        thread_id, _ = asked(client, "agent", metadata=metadata)
        state = client.threads.get_state(thread_id)
        assert questions(client, thread_id) == ["one?"]
        assert state["tasks"][0]["error"] is None
        assert state["metadata"].items() >= metadata.items()


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, r"answer: has to return the steps of a script, not None"),
        ({"done": True}, r"answer: has to return the steps of a script, not \{'done': True\}"),
        ([5], r"answer\(\)\[0\]: is no step: 5"),
    ],
)
def test_a_function_that_returns_no_script(returned: Any, message: str) -> None:
    """The run fails with the reason, and the state of its thread says it, too."""

    def answer(values: Any) -> Any:
        return returned

    with Server({"agent": ScriptedGraph(answer)}) as server:
        client = server.sync_client(retry=RetryPolicy(max_attempts=1))
        thread_id = client.threads.create()["thread_id"]
        with pytest.raises(RemoteException, match=message):
            client.runs.wait(thread_id, "agent", input={})
        with pytest.raises(InternalServerError, match="the script of thread"):
            client.threads.get_state(thread_id)


@pytest.mark.parametrize(
    ("step", "value"), [(Fail, "boom"), (Say, None), (Say, [1]), (Update, None), (Update, [1])]
)
def test_a_step_with_a_wrong_value(step: Any, value: Any) -> None:
    """It is refused where it is made."""
    with pytest.raises(InvalidArgumentError, match="must be"):
        step(value)


def test_an_error_of_a_script_does_not_collect_frames() -> None:
    """Each run raises the same exception, with the frames of that run only."""
    error = ValueError("no")
    with Server({"agent": ScriptedGraph([Fail(error)])}) as server, server.sync_client() as client:
        lengths = []
        for _ in range(3):
            with pytest.raises(RemoteException):
                client.runs.wait(None, "agent", input={})
            lengths.append(len(traceback.extract_tb(error.__traceback__)))
    assert len(set(lengths)) == 1
