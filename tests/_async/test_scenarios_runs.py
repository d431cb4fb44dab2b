"""The life of runs, through the client: interrupts, commands, strategies, cancelling, streams."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from langgraph_client import LangGraphClient
from langgraph_client.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    UnprocessableEntityError,
)
from langgraph_client.models.params import StreamMode

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


async def test_a_run_stops_and_is_resumed(client: LangGraphClient) -> None:
    """The interrupt shows in result, state and thread; a command answers it."""
    thread_id = (await client.threads.create()).thread_id
    result = await client.runs.wait(thread_id, "approval", input={"draft": "d"})
    (asked,) = result["__interrupt__"]
    assert asked["value"] == {"question": "approve?", "draft": "d!"}
    state = await client.threads.get_state(thread_id)
    assert state.next == ["review"]
    assert [found.id for found in state.interrupts] == [asked["id"]]
    thread = await client.threads.get(thread_id)
    assert thread.status == "interrupted"
    assert [found.id for found in next(iter(thread.interrupts.values()))] == [asked["id"]]
    result = await client.runs.wait(thread_id, "approval", command={"resume": "yes"})
    assert result == {"draft": "d!", "answers": ["yes"]}
    assert (await client.threads.get(thread_id)).status == "idle"


async def test_parallel_interrupts_are_answered_by_id(client: LangGraphClient) -> None:
    """One answer each; the other question stays open."""
    thread_id = (await client.threads.create()).thread_id
    await client.runs.wait(thread_id, "parallel", input={"draft": "d"})
    asked = {
        found.value: found.id for found in (await client.threads.get_state(thread_id)).interrupts
    }
    await client.runs.wait(thread_id, "parallel", command={"resume": {asked["left?"]: "L"}})
    left = (await client.threads.get_state(thread_id)).interrupts
    assert [found.value for found in left] == ["right?"]
    result = await client.runs.wait(
        thread_id, "parallel", command={"resume": {asked["right?"]: "R"}}
    )
    assert result["answers"] == [{"left": "L"}, {"right": "R"}]


async def test_the_state_of_a_subgraph(client: LangGraphClient) -> None:
    """Asked for, it is nested in the task that waits."""
    thread_id = (await client.threads.create()).thread_id
    await client.runs.wait(thread_id, "nested", input={"draft": "d"})
    (task,) = (await client.threads.get_state(thread_id)).tasks
    assert task.checkpoint is not None
    assert (task.checkpoint.checkpoint_ns or "").startswith("inner:")
    (task,) = (await client.threads.get_state(thread_id, subgraphs=True)).tasks
    assert task.state is not None
    assert task.state.next == ["review"]


async def test_a_command_updates_and_goes(client: LangGraphClient) -> None:
    """`update` and `goto` together, on a thread that has run."""
    thread_id = (await client.threads.create()).thread_id
    await client.runs.wait(thread_id, "row", input={"topic": "a"})
    result = await client.runs.wait(
        thread_id, "row", command={"update": {"topic": "b"}, "goto": "two"}
    )
    assert result["log"][-1] == "two:b"


async def test_breakpoints(client: LangGraphClient) -> None:
    """A run stops before or after a node, and null goes on."""
    thread_id = (await client.threads.create()).thread_id
    await client.runs.wait(thread_id, "row", input={"topic": "a"}, interrupt_before=["two"])
    assert (await client.threads.get_state(thread_id)).next == ["two"]
    result = await client.runs.wait(thread_id, "row")
    assert result["log"] == ["one", "two:a"]


async def test_a_fork_from_an_earlier_checkpoint(client: LangGraphClient) -> None:
    """A state written at a checkpoint is a branch; a run goes on from there."""
    thread_id = (await client.threads.create()).thread_id
    await client.runs.wait(thread_id, "row", input={"topic": "a"})
    history = await client.threads.get_history(thread_id, limit=10)
    before_two = next(state for state in history if state.next == ["two"])
    forked = await client.threads.update_state(
        thread_id, {"topic": "b"}, as_node="one", checkpoint_id=before_two.checkpoint_id
    )
    result = await client.runs.wait(thread_id, "row", checkpoint_id=forked.checkpoint.checkpoint_id)
    assert result == {"topic": "b", "log": ["one", "two:b"]}
    older = await client.threads.get_history(thread_id, limit=10, before=before_two.checkpoint_id)
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
async def test_stream_modes(
    client: LangGraphClient, modes: StreamMode | list[StreamMode], events: list[str]
) -> None:
    """Each mode sends its own events, in order."""
    thread_id = (await client.threads.create()).thread_id
    stream = client.runs.stream(thread_id, "row", input={"topic": "t"}, stream_mode=modes)
    assert [part.event async for part in stream] == events


async def test_messages_token_by_token(client: LangGraphClient) -> None:
    """Chunks of the model's answer, the last one marked."""
    stream = client.runs.stream(
        None,
        "chat",
        input={"messages": [{"role": "user", "content": "hi"}]},
        stream_mode="messages-tuple",
        version="v2",
    )
    chunks = [part["data"][0] async for part in stream if part["type"] == "messages"]
    assert "".join(chunk["content"] for chunk in chunks) == "Hello there"
    assert chunks[-1]["chunk_position"] == "last"


async def test_subgraphs_in_a_stream(client: LangGraphClient) -> None:
    """With `stream_subgraphs` the subgraph's events come too, under its namespace."""
    stream = client.runs.stream(
        None,
        "nested",
        input={"draft": "d"},
        stream_mode="updates",
        stream_subgraphs=True,
        version="v2",
    )
    spaces = [part["ns"] async for part in stream if part["type"] == "updates"]
    assert [[name.partition(":")[0] for name in space] for space in spaces] == [[], ["inner"], []]


async def test_cancelling_a_run(client: LangGraphClient) -> None:
    """A running run is stopped; what was streamed of it ends without an error."""
    thread_id = (await client.threads.create()).thread_id
    events: list[str] = []
    async with client.runs.stream(
        thread_id, "slow", input={}, stream_mode=["custom", "updates"]
    ) as stream:
        async for part in stream:
            events.append(part.event)
            if part.event == "custom":
                assert stream.run_id is not None
                await client.runs.cancel(thread_id, stream.run_id, wait=True)
    assert events == ["metadata", "custom"]
    assert (await client.runs.get(thread_id, stream.run_id)).status == "interrupted"
    assert (await client.threads.get(thread_id)).status == "interrupted"


async def test_a_busy_thread(client: LangGraphClient) -> None:
    """`reject` is a conflict, `enqueue` waits its turn, `interrupt` takes over."""
    thread_id = (await client.threads.create()).thread_id
    async with client.runs.stream(thread_id, "slow", input={}, stream_mode="custom") as stream:
        async for part in stream:
            if part.event == "custom":
                break
        with pytest.raises(ConflictError):
            await client.runs.create(thread_id, "counter", input={}, multitask_strategy="reject")
        waiting = await client.runs.create(thread_id, "counter", input={"count": 1})
        assert (await client.runs.get(thread_id, waiting.run_id)).status == "pending"
        first = stream.run_id
    await client.runs.wait(thread_id, "counter", input={"count": 5}, multitask_strategy="interrupt")
    assert first is not None
    assert (await client.runs.get(thread_id, first)).status == "interrupted"
    assert (await client.runs.get(thread_id, waiting.run_id)).status == "interrupted"


async def test_a_rolled_back_run_was_never_there(client: LangGraphClient) -> None:
    """Cancelling with `rollback` deletes the run and its checkpoints."""
    thread_id = (await client.threads.create()).thread_id
    before = await client.runs.wait(thread_id, "row", input={"topic": "t"})
    async with client.runs.stream(thread_id, "slow", input={}, stream_mode="custom") as stream:
        async for part in stream:
            if part.event == "custom":
                break
        assert stream.run_id is not None
        await client.runs.cancel(thread_id, stream.run_id, wait=True, action="rollback")
    with pytest.raises(NotFoundError):
        await client.runs.get(thread_id, stream.run_id)
    assert (await client.threads.get_state(thread_id)).values == before


async def test_a_batch(client: LangGraphClient) -> None:
    """Several stateless runs in one request, answered in their order."""
    runs = await client.runs.create_batch(
        [{"assistant_id": "counter", "input": {"count": n}} for n in (1, 2)]
    )
    assert [run.kwargs["input"] for run in runs if run.kwargs] == [{"count": 1}, {"count": 2}]


async def test_supersteps_make_a_thread_with_a_state(client: LangGraphClient) -> None:
    """A thread can begin with what nodes are said to have written."""
    updates: list[Any] = [
        {"updates": [{"as_node": "__input__", "values": {"topic": "t"}}]},
        {"updates": [{"as_node": "one", "values": {"log": ["said"]}}]},
    ]
    thread = await client.threads.create(graph_id="row", supersteps=updates)
    state = await client.threads.get_state(thread.thread_id)
    assert (state.values["log"], state.next) == (["said"], ["two"])


async def test_threads_found_by_what_they_hold(client: LangGraphClient) -> None:
    """By values and status, sorted, with parts of them taken out."""
    mark = {"mark": str(uuid4())}
    thread_id = (await client.threads.create(metadata=mark)).thread_id
    await client.runs.wait(thread_id, "approval", input={"draft": "special"})
    (found,) = await client.threads.search(
        metadata=mark,
        values={"draft": "special!"},
        status="interrupted",
        sort_by="created_at",
        sort_order="asc",
        extract={"draft": "values.draft"},
    )
    assert found.thread_id == thread_id
    assert found.extracted == {"draft": "special!"}
    assert await client.threads.count(metadata=mark, status="interrupted") == 1
    copied = await client.threads.copy(thread_id)
    assert (await client.threads.get_state(copied.thread_id)).next == ["review"]


async def test_config_and_context_reach_the_run(client: LangGraphClient) -> None:
    """What a run was asked for is in its document."""
    thread_id = (await client.threads.create()).thread_id
    run = await client.runs.create(
        thread_id,
        "counter",
        input={"count": 1},
        config={"tags": ["t"], "recursion_limit": 7, "configurable": {"model": "small"}},
        metadata={"why": "test"},
        stream_mode=["updates"],
    )
    await client.runs.join(thread_id, run.run_id)
    assert run.kwargs is not None
    assert run.kwargs["config"]["recursion_limit"] == 7
    assert run.kwargs["config"]["configurable"]["model"] == "small"
    assert run.metadata is not None
    assert run.metadata["why"] == "test"
    with pytest.raises(BadRequestError, match="configurable"):
        await client.runs.create(
            thread_id,
            "counter",
            input={},
            config={"configurable": {"a": 1}},
            context={"b": 2},
        )


async def test_what_does_not_exist(client: LangGraphClient) -> None:
    """Unknown things are not found; what is no id is unprocessable."""
    with pytest.raises(NotFoundError):
        await client.threads.get(UNKNOWN)
    with pytest.raises(NotFoundError):
        await client.runs.create(UNKNOWN, "counter", input={})
    with pytest.raises(UnprocessableEntityError):
        await client.runs.create(None, "no-such-graph", input={})
    with pytest.raises(UnprocessableEntityError):
        await client.threads.get("not-a-uuid")
    thread_id = (await client.threads.create()).thread_id
    with pytest.raises(NotFoundError):
        await client.runs.cancel(thread_id, UNKNOWN)
    made = await client.runs.wait(
        UNKNOWN[:-4] + "beef", "counter", input={"count": 1}, if_not_exists="create"
    )
    assert made == {"count": 2}
    await client.threads.delete(UNKNOWN[:-4] + "beef")


async def test_cancelling_several_runs(client: LangGraphClient) -> None:
    """Named runs of a thread, the waiting one too."""
    thread_id = (await client.threads.create()).thread_id
    async with client.runs.stream(thread_id, "slow", input={}, stream_mode="custom") as stream:
        async for part in stream:
            if part.event == "custom":
                break
        waiting = await client.runs.create(thread_id, "counter", input={"count": 1})
        assert stream.run_id is not None
        run_ids = [stream.run_id, waiting.run_id]
        await client.runs.cancel_many(thread_id=thread_id, run_ids=run_ids)
        for run_id in run_ids:
            await client.runs.join(thread_id, run_id)
    statuses = [run.status for run in await client.runs.list(thread_id)]
    assert statuses == ["interrupted", "interrupted"]
    with pytest.raises(NotFoundError):
        await client.runs.cancel_many(thread_id=thread_id, run_ids=[UNKNOWN])


async def test_joining_a_stream_with_typed_parts(client: LangGraphClient) -> None:
    """A resumable run, read again from its beginning, in one of its modes."""
    thread_id = (await client.threads.create()).thread_id
    run = await client.runs.create(
        thread_id,
        "row",
        input={"topic": "t"},
        stream_mode=["updates", "values"],
        stream_resumable=True,
    )
    await client.runs.join(thread_id, run.run_id)
    stream = client.runs.join_stream(
        thread_id, run.run_id, stream_mode="updates", last_event_id="-", version="v2"
    )
    updates = [part["data"] async for part in stream if part["type"] == "updates"]
    assert updates == [{"one": {"log": ["one"]}}, {"two": {"log": ["two:t"]}}]


async def test_a_cron_of_a_thread(client: LangGraphClient) -> None:
    """It belongs to the thread, and goes with it."""
    thread_id = (await client.threads.create()).thread_id
    made = await client.crons.create_for_thread(
        thread_id, "counter", schedule="0 0 1 1 *", timezone="Europe/Berlin", input={"count": 1}
    )
    assert (made.thread_id, made.timezone) == (thread_id, "Europe/Berlin")
    found = await client.crons.search(thread_id=thread_id, select=["cron_id"])
    assert found == [{"cron_id": made.cron_id}]
    assert await client.crons.count(thread_id=thread_id) == 1
    await client.threads.delete(thread_id)
    with pytest.raises(NotFoundError):
        await client.crons.get(made.cron_id)


async def test_subgraphs_and_their_schemas(client: LangGraphClient) -> None:
    """By namespace, one level or all."""
    (assistant,) = await client.assistants.search(
        graph_id="nested", metadata={"created_by": "system"}
    )
    found = await client.assistants.get_subgraphs(assistant.assistant_id, recurse=True)
    assert list(found) == ["inner"]
    assert "draft" in found["inner"].input_schema["properties"]
    drawn = await client.assistants.get_graph("nested", xray=True)
    assert "inner:review" in [node.id for node in drawn.nodes]


async def test_anything_else_goes_through_http(client: LangGraphClient) -> None:
    """The low-level client sends and reads JSON, streams included."""
    made = await client.http.post("/threads", json={"metadata": {"by": "http"}})
    path = f"/threads/{made['thread_id']}"
    assert (await client.http.patch(path, json={"metadata": {"n": 1}}))["metadata"]["n"] == 1
    body = {"assistant_id": "counter", "input": {"count": 1}}
    async with client.http.stream(f"{path}/runs/stream", "POST", json=body) as stream:
        assert [part.event async for part in stream] == ["metadata", "values", "values"]
    await client.http.delete(path)
    with pytest.raises(NotFoundError):
        await client.http.get(path)
