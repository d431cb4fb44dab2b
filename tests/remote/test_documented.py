"""What the field's documentation promises of a graph, held against a local and a remote one."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command

Named = Any


def on(thread_id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id}}


def test_the_counter_goes_on_from_its_saved_state(graph_named: Named) -> None:
    """A call with `{}` continues from what the last call on the thread left."""
    counter = graph_named("counter")
    assert counter.invoke({"count": 0}, on("user-1")) == {"count": 1}
    assert counter.invoke({}, on("user-1")) == {"count": 2}
    assert counter.invoke({"count": 10}, on("user-2")) == {"count": 11}


def test_both_config_shapes_name_the_thread(graph_named: Named) -> None:
    """`{"thread_id": ...}` and `{"configurable": {"thread_id": ...}}` are one thread."""
    counter = graph_named("counter")
    counter.invoke({"count": 0}, {"thread_id": "1"})
    assert counter.invoke({}, on("1")) == {"count": 2}


def test_a_loop_runs_to_its_end_and_leaves_its_steps(graph_named: Named) -> None:
    """The history of the loop shows its six steps, newest first."""
    loop = graph_named("loop")
    assert loop.invoke({"step": 0}, on("job-42")) == {"step": 3, "message": "Process complete"}
    ran = [task.name for state in loop.get_state_history(on("job-42")) for task in state.tasks]
    assert ran == ["decide", "start"] * 3 + ["__start__"]


def test_a_chat_remembers_per_thread(graph_named: Named) -> None:
    """A thread knows what was said on it, and nothing of another."""
    chat = graph_named("chat")
    chat.invoke({"messages": [HumanMessage("hi! I'm bob")]}, on("1"))
    asked = {"messages": [{"role": "user", "content": "what's my name?"}]}
    assert chat.invoke(asked, on("1"))["messages"][-1].content == "You are Bob"
    assert chat.invoke(asked, on("2"))["messages"][-1].content == "I do not know"


def test_streamed_messages_are_message_objects(
    graph_named: Named, capsys: pytest.CaptureFixture[str]
) -> None:
    """`chunk["messages"][-1].pretty_print()` works in a loop over values."""
    for chunk in graph_named("chat").stream(
        {"messages": [("user", "hi! I'm bob")]}, on("1"), stream_mode="values"
    ):
        chunk["messages"][-1].pretty_print()
    assert type(chunk["messages"][0]) is HumanMessage
    assert type(chunk["messages"][-1]) is AIMessage
    assert "Human Message" in (printed := capsys.readouterr().out)
    assert "Hello there" in printed


def test_the_functional_api_remembers_its_previous_value(graph_named: Named) -> None:
    """`entrypoint.final(value=…, save=…)` gives the value and keeps what it saves, per thread."""
    total = graph_named("functional")
    assert total.invoke(1, on("a")) == {"doubled": 2, "total": 2}
    assert total.invoke(10, on("a")) == {"doubled": 20, "total": 22}
    assert total.invoke(5, on("b")) == {"doubled": 10, "total": 10}


def test_a_paused_graph_shows_its_interrupt_and_goes_on(graph_named: Named) -> None:
    """The interrupt is in the result and in the state; `Command(resume=…)` answers it."""
    approval = graph_named("approval")
    result = approval.invoke({"draft": "d"}, on("1"))
    (asked,) = result.pop("__interrupt__")
    assert result == {"draft": "d!", "answers": []}
    assert asked.value == {"question": "approve?", "draft": "d!"}
    state = approval.get_state(on("1"))
    assert state.next == ("review",)
    assert state.interrupts == (asked,)
    assert approval.invoke(Command(resume="yes"), on("1")) == {"draft": "d!", "answers": ["yes"]}
    assert approval.get_state(on("1")).next == ()


@pytest.mark.parametrize("answer", [0, "", False, {"nested": [1]}])
def test_any_answer_but_null_resumes(graph_named: Named, answer: Any) -> None:
    """Falsy answers are answers."""
    approval = graph_named("approval")
    approval.invoke({}, on("1"))
    assert approval.invoke(Command(resume=answer), on("1"))["answers"] == [answer]


def test_parallel_interrupts_are_answered_by_id(graph_named: Named) -> None:
    """Two nodes ask in one step; a dict of answers by id resumes both."""
    parallel = graph_named("parallel")
    asked = parallel.invoke({"draft": "d"}, on("1"))["__interrupt__"]
    answers = {interrupt.id: f"{interrupt.value} yes" for interrupt in asked}
    result = parallel.invoke(Command(resume=answers), on("1"))
    assert result["answers"] == [{"left": "left? yes"}, {"right": "right? yes"}]


def test_time_travel_forks_from_a_checkpoint(graph_named: Named) -> None:
    """`invoke(None, old.config)` goes on from that checkpoint and leaves the others."""
    row = graph_named("row")
    row.invoke({"topic": "a"}, on("1"))
    before_two = next(s for s in row.get_state_history(on("1")) if s.next == ("two",))
    forked = row.update_state(before_two.config, {"topic": "b"}, as_node="one")
    assert row.invoke(None, forked) == {"topic": "b", "log": ["one", "two:b"]}
    assert len(list(row.get_state_history(on("1")))) == 6


def test_state_can_be_written_before_any_run(graph_named: Named) -> None:
    """`update_state` on a thread that never ran makes it, and the graph goes on from there."""
    row = graph_named("row")
    config = row.update_state(on("new"), {"topic": "t", "log": ["x"]}, as_node="one")
    assert config["configurable"]["thread_id"] == "new"
    assert row.get_state(on("new")).next == ("two",)
    assert row.invoke(None, on("new")) == {"topic": "t", "log": ["x", "two:t"]}


def test_an_unknown_thread_has_an_empty_state(graph_named: Named) -> None:
    """Reading a thread that never was is no error."""
    state = graph_named("row").get_state(on("nobody"))
    assert (state.values, state.next, state.tasks, state.metadata) == ({}, (), (), None)
    assert state.config["configurable"]["thread_id"] == "nobody"
    assert list(graph_named("row").get_state_history(on("nobody"))) == []


def test_a_breakpoint_stops_without_an_interrupt(graph_named: Named) -> None:
    """`interrupt_before` stops the graph; updates say so with an empty tuple."""
    row = graph_named("row")
    seen = list(row.stream({"topic": "a"}, on("1"), interrupt_before=["two"]))
    assert seen == [{"one": {"log": ["one"]}}, {"__interrupt__": ()}]
    assert row.invoke(None, on("1")) == {"topic": "a", "log": ["one", "two:a"]}


def test_leaving_a_stream_early_stops_the_run(graph_named: Named) -> None:
    """After `break` the thread is free for the next call."""
    slow = graph_named("slow")
    if not hasattr(slow, "assistant_id"):
        pytest.skip("a local graph with async nodes has no blocking stream")
    stream = slow.stream({}, on("1"), stream_mode="custom")
    assert next(stream) == "started"
    stream.close()
    (run,) = slow.sync_client.runs.list(slow.get_state(on("1")).config and _server_id("1"))
    assert slow.sync_client.runs.join(_server_id("1"), run.run_id) is not None
    assert slow.sync_client.runs.get(_server_id("1"), run.run_id).status == "interrupted"


def _server_id(thread_id: str) -> str:
    from langgraph_client.thread_ids import server_thread_id

    return server_thread_id(thread_id)
