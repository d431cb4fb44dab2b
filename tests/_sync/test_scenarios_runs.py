# Generated from tests/_async/test_scenarios_runs.py by .ci/unasync.py; do not edit.
"""The life of runs, through the client: interrupts, commands, strategies, cancelling, streams."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from langgraph_client import SyncLangGraphClient
from langgraph_client.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    UnprocessableEntityError,
)
from langgraph_client.models.params import StreamMode

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


def test_a_run_stops_and_is_resumed(client: SyncLangGraphClient) -> None:
    """The interrupt shows in result, state and thread; a command answers it."""
    thread_id = (client.threads.create()).thread_id
    result = client.runs.wait(thread_id, "approval", input={"draft": "d"})
    (asked,) = result["__interrupt__"]
    assert asked["value"] == {"question": "approve?", "draft": "d!"}
    state = client.threads.get_state(thread_id)
    assert state.next == ["review"]
    assert [found.id for found in state.interrupts] == [asked["id"]]
    thread = client.threads.get(thread_id)
    assert thread.status == "interrupted"
    assert [found.id for found in next(iter(thread.interrupts.values()))] == [asked["id"]]
    result = client.runs.wait(thread_id, "approval", command={"resume": "yes"})
    assert result == {"draft": "d!", "answers": ["yes"]}
    assert (client.threads.get(thread_id)).status == "idle"


def test_parallel_interrupts_are_answered_by_id(client: SyncLangGraphClient) -> None:
    """One answer each; the other question stays open."""
    thread_id = (client.threads.create()).thread_id
    client.runs.wait(thread_id, "parallel", input={"draft": "d"})
    asked = {found.value: found.id for found in (client.threads.get_state(thread_id)).interrupts}
    client.runs.wait(thread_id, "parallel", command={"resume": {asked["left?"]: "L"}})
    left = (client.threads.get_state(thread_id)).interrupts
    assert [found.value for found in left] == ["right?"]
    result = client.runs.wait(thread_id, "parallel", command={"resume": {asked["right?"]: "R"}})
    assert result["answers"] == [{"left": "L"}, {"right": "R"}]


def test_the_state_of_a_subgraph(client: SyncLangGraphClient) -> None:
    """Asked for, it is nested in the task that waits."""
    thread_id = (client.threads.create()).thread_id
    client.runs.wait(thread_id, "nested", input={"draft": "d"})
    (task,) = (client.threads.get_state(thread_id)).tasks
    assert task.checkpoint is not None
    assert (task.checkpoint.checkpoint_ns or "").startswith("inner:")
    (task,) = (client.threads.get_state(thread_id, subgraphs=True)).tasks
    assert task.state is not None
    assert task.state.next == ["review"]


def test_a_command_updates_and_goes(client: SyncLangGraphClient) -> None:
    """`update` and `goto` together, on a thread that has run."""
    thread_id = (client.threads.create()).thread_id
    client.runs.wait(thread_id, "row", input={"topic": "a"})
    result = client.runs.wait(thread_id, "row", command={"update": {"topic": "b"}, "goto": "two"})
    assert result["log"][-1] == "two:b"


def test_breakpoints(client: SyncLangGraphClient) -> None:
    """A run stops before or after a node, and null goes on."""
    thread_id = (client.threads.create()).thread_id
    client.runs.wait(thread_id, "row", input={"topic": "a"}, interrupt_before=["two"])
    assert (client.threads.get_state(thread_id)).next == ["two"]
    result = client.runs.wait(thread_id, "row")
    assert result["log"] == ["one", "two:a"]


def test_a_fork_from_an_earlier_checkpoint(client: SyncLangGraphClient) -> None:
    """A state written at a checkpoint is a branch; a run goes on from there."""
    thread_id = (client.threads.create()).thread_id
    client.runs.wait(thread_id, "row", input={"topic": "a"})
    history = client.threads.get_history(thread_id, limit=10)
    before_two = next(state for state in history if state.next == ["two"])
    forked = client.threads.update_state(
        thread_id, {"topic": "b"}, as_node="one", checkpoint_id=before_two.checkpoint_id
    )
    result = client.runs.wait(thread_id, "row", checkpoint_id=forked.checkpoint.checkpoint_id)
    assert result == {"topic": "b", "log": ["one", "two:b"]}
    older = client.threads.get_history(thread_id, limit=10, before=before_two.checkpoint_id)
    assert [state.next for state in older] == [["one"], ["__start__"]]


@pytest.mark.parametrize(
    ("modes", "events"),
    [
        ("values", ["metadata", "values", "values", "values"]),
        ("updates", ["metadata", "updates", "updates"]),
        (["custom"], ["metadata", "custom"]),
        (["updates", "custom"], ["metadata", "custom", "updates", "updates"]),
        ("tasks", ["metadata", "tasks", "tasks", "tasks", "tasks"]),
    ],
)
def test_stream_modes(
    client: SyncLangGraphClient, modes: StreamMode | list[StreamMode], events: list[str]
) -> None:
    """Each mode sends its own events, in order."""
    thread_id = (client.threads.create()).thread_id
    stream = client.runs.stream(thread_id, "row", input={"topic": "t"}, stream_mode=modes)
    assert [part.event for part in stream] == events


def test_messages_token_by_token(client: SyncLangGraphClient) -> None:
    """Chunks of the model's answer, the last one marked."""
    stream = client.runs.stream(
        None,
        "chat",
        input={"messages": [{"role": "user", "content": "hi"}]},
        stream_mode="messages-tuple",
        version="v2",
    )
    chunks = [part["data"][0] for part in stream if part["type"] == "messages"]
    assert "".join(chunk["content"] for chunk in chunks) == "Hello there"
    assert chunks[-1]["chunk_position"] == "last"


def test_subgraphs_in_a_stream(client: SyncLangGraphClient) -> None:
    """With `stream_subgraphs` the subgraph's events come too, under its namespace."""
    stream = client.runs.stream(
        None,
        "nested",
        input={"draft": "d"},
        stream_mode="updates",
        stream_subgraphs=True,
        version="v2",
    )
    spaces = [part["ns"] for part in stream if part["type"] == "updates"]
    assert [[name.partition(":")[0] for name in space] for space in spaces] == [[], ["inner"], []]


def test_cancelling_a_run(client: SyncLangGraphClient) -> None:
    """A running run is stopped; what was streamed of it ends without an error."""
    thread_id = (client.threads.create()).thread_id
    events: list[str] = []
    with client.runs.stream(
        thread_id, "slow", input={}, stream_mode=["custom", "updates"]
    ) as stream:
        for part in stream:
            events.append(part.event)
            if part.event == "custom":
                assert stream.run_id is not None
                client.runs.cancel(thread_id, stream.run_id, wait=True)
    assert events == ["metadata", "custom"]
    assert (client.runs.get(thread_id, stream.run_id)).status == "interrupted"
    assert (client.threads.get(thread_id)).status == "interrupted"


def test_a_busy_thread(client: SyncLangGraphClient) -> None:
    """`reject` is a conflict, `enqueue` waits its turn, `interrupt` takes over."""
    thread_id = (client.threads.create()).thread_id
    with client.runs.stream(thread_id, "slow", input={}, stream_mode="custom") as stream:
        for part in stream:
            if part.event == "custom":
                break
        with pytest.raises(ConflictError):
            client.runs.create(thread_id, "counter", input={}, multitask_strategy="reject")
        waiting = client.runs.create(thread_id, "counter", input={"count": 1})
        assert (client.runs.get(thread_id, waiting.run_id)).status == "pending"
        first = stream.run_id
    client.runs.wait(thread_id, "counter", input={"count": 5}, multitask_strategy="interrupt")
    assert first is not None
    assert (client.runs.get(thread_id, first)).status == "interrupted"
    assert (client.runs.get(thread_id, waiting.run_id)).status == "interrupted"


def test_a_rolled_back_run_was_never_there(client: SyncLangGraphClient) -> None:
    """Cancelling with `rollback` deletes the run and its checkpoints."""
    thread_id = (client.threads.create()).thread_id
    before = client.runs.wait(thread_id, "row", input={"topic": "t"})
    with client.runs.stream(thread_id, "slow", input={}, stream_mode="custom") as stream:
        for part in stream:
            if part.event == "custom":
                break
        assert stream.run_id is not None
        client.runs.cancel(thread_id, stream.run_id, wait=True, action="rollback")
    with pytest.raises(NotFoundError):
        client.runs.get(thread_id, stream.run_id)
    assert (client.threads.get_state(thread_id)).values == before


def test_a_batch(client: SyncLangGraphClient) -> None:
    """Several stateless runs in one request, answered in their order."""
    runs = client.runs.create_batch(
        [{"assistant_id": "counter", "input": {"count": n}} for n in (1, 2)]
    )
    assert [run.kwargs["input"] for run in runs if run.kwargs] == [{"count": 1}, {"count": 2}]


def test_supersteps_make_a_thread_with_a_state(client: SyncLangGraphClient) -> None:
    """A thread can begin with what nodes are said to have written."""
    updates: list[Any] = [
        {"updates": [{"as_node": "__input__", "values": {"topic": "t"}}]},
        {"updates": [{"as_node": "one", "values": {"log": ["said"]}}]},
    ]
    thread = client.threads.create(graph_id="row", supersteps=updates)
    state = client.threads.get_state(thread.thread_id)
    assert (state.values["log"], state.next) == (["said"], ["two"])


def test_threads_found_by_what_they_hold(client: SyncLangGraphClient) -> None:
    """By values and status, sorted, with parts of them taken out."""
    mark = {"mark": str(uuid4())}
    thread_id = (client.threads.create(metadata=mark)).thread_id
    client.runs.wait(thread_id, "approval", input={"draft": "special"})
    (found,) = client.threads.search(
        metadata=mark,
        values={"draft": "special!"},
        status="interrupted",
        sort_by="created_at",
        sort_order="asc",
        extract={"draft": "values.draft"},
    )
    assert found.thread_id == thread_id
    assert found.extracted == {"draft": "special!"}
    assert client.threads.count(metadata=mark, status="interrupted") == 1
    copied = client.threads.copy(thread_id)
    assert (client.threads.get_state(copied.thread_id)).next == ["review"]


def test_config_and_context_reach_the_run(client: SyncLangGraphClient) -> None:
    """What a run was asked for is in its document."""
    thread_id = (client.threads.create()).thread_id
    run = client.runs.create(
        thread_id,
        "counter",
        input={"count": 1},
        config={"tags": ["t"], "recursion_limit": 7, "configurable": {"model": "small"}},
        metadata={"why": "test"},
        stream_mode=["updates"],
    )
    client.runs.join(thread_id, run.run_id)
    assert run.kwargs is not None
    assert run.kwargs["config"]["recursion_limit"] == 7
    assert run.kwargs["config"]["configurable"]["model"] == "small"
    assert run.metadata is not None
    assert run.metadata["why"] == "test"
    with pytest.raises(BadRequestError, match="configurable"):
        client.runs.create(
            thread_id,
            "counter",
            input={},
            config={"configurable": {"a": 1}},
            context={"b": 2},
        )


def test_what_does_not_exist(client: SyncLangGraphClient) -> None:
    """Unknown things are not found; what is no id is unprocessable."""
    with pytest.raises(NotFoundError):
        client.threads.get(UNKNOWN)
    with pytest.raises(NotFoundError):
        client.runs.create(UNKNOWN, "counter", input={})
    with pytest.raises(UnprocessableEntityError):
        client.runs.create(None, "no-such-graph", input={})
    with pytest.raises(UnprocessableEntityError):
        client.threads.get("not-a-uuid")
    thread_id = (client.threads.create()).thread_id
    with pytest.raises(NotFoundError):
        client.runs.cancel(thread_id, UNKNOWN)
    made = client.runs.wait(
        UNKNOWN[:-4] + "beef", "counter", input={"count": 1}, if_not_exists="create"
    )
    assert made == {"count": 2}
    client.threads.delete(UNKNOWN[:-4] + "beef")


def test_cancelling_several_runs(client: SyncLangGraphClient) -> None:
    """Named runs of a thread, the waiting one too."""
    thread_id = (client.threads.create()).thread_id
    with client.runs.stream(thread_id, "slow", input={}, stream_mode="custom") as stream:
        for part in stream:
            if part.event == "custom":
                break
        waiting = client.runs.create(thread_id, "counter", input={"count": 1})
        assert stream.run_id is not None
        run_ids = [stream.run_id, waiting.run_id]
        client.runs.cancel_many(thread_id=thread_id, run_ids=run_ids)
        for run_id in run_ids:
            client.runs.join(thread_id, run_id)
    statuses = [run.status for run in client.runs.list(thread_id)]
    assert statuses == ["interrupted", "interrupted"]
    with pytest.raises(NotFoundError):
        client.runs.cancel_many(thread_id=thread_id, run_ids=[UNKNOWN])


def test_joining_a_stream_with_typed_parts(client: SyncLangGraphClient) -> None:
    """A resumable run, read again from its beginning, in one of its modes."""
    thread_id = (client.threads.create()).thread_id
    run = client.runs.create(
        thread_id,
        "row",
        input={"topic": "t"},
        stream_mode=["updates", "values"],
        stream_resumable=True,
    )
    client.runs.join(thread_id, run.run_id)
    stream = client.runs.join_stream(
        thread_id, run.run_id, stream_mode="updates", last_event_id="-", version="v2"
    )
    updates = [part["data"] for part in stream if part["type"] == "updates"]
    assert updates == [{"one": {"log": ["one"]}}, {"two": {"log": ["two:t"]}}]


def test_a_cron_of_a_thread(client: SyncLangGraphClient) -> None:
    """It belongs to the thread, and goes with it."""
    thread_id = (client.threads.create()).thread_id
    made = client.crons.create_for_thread(
        thread_id, "counter", schedule="0 0 1 1 *", timezone="Europe/Berlin", input={"count": 1}
    )
    assert (made.thread_id, made.timezone) == (thread_id, "Europe/Berlin")
    found = client.crons.search(thread_id=thread_id, select=["cron_id"])
    assert found == [{"cron_id": made.cron_id}]
    assert client.crons.count(thread_id=thread_id) == 1
    client.threads.delete(thread_id)
    with pytest.raises(NotFoundError):
        client.crons.get(made.cron_id)


def test_subgraphs_and_their_schemas(client: SyncLangGraphClient) -> None:
    """By namespace, one level or all."""
    (assistant,) = client.assistants.search(graph_id="nested", metadata={"created_by": "system"})
    found = client.assistants.get_subgraphs(assistant.assistant_id, recurse=True)
    assert list(found) == ["inner"]
    assert "draft" in found["inner"].input_schema["properties"]
    drawn = client.assistants.get_graph("nested", xray=True)
    assert "inner:review" in [node.id for node in drawn.nodes]


def test_anything_else_goes_through_http(client: SyncLangGraphClient) -> None:
    """The low-level client sends and reads JSON, streams included."""
    made = client.http.post("/threads", json={"metadata": {"by": "http"}})
    path = f"/threads/{made['thread_id']}"
    assert (client.http.patch(path, json={"metadata": {"n": 1}}))["metadata"]["n"] == 1
    body = {"assistant_id": "counter", "input": {"count": 1}}
    with client.http.stream(f"{path}/runs/stream", "POST", json=body) as stream:
        assert [part.event for part in stream] == ["metadata", "values", "values"]
    client.http.delete(path)
    with pytest.raises(NotFoundError):
        client.http.get(path)
