# Generated from tests/_async/test_scenarios.py by .ci/unasync.py; do not edit.
"""The client over the bundled server: each resource, from creation to deletion."""

from __future__ import annotations

import pytest

from langgraph_client import SyncLangGraphClient
from langgraph_client.errors import ConflictError, NotFoundError, RemoteException


def test_a_thread_s_life(client: SyncLangGraphClient) -> None:
    """Create, get, find, change, count, copy, prune, delete."""
    made = client.threads.create(metadata={"mark": "life"}, graph_id="counter")
    assert client.threads.get(made.thread_id) == made
    with pytest.raises(ConflictError):
        client.threads.create(thread_id=made.thread_id)
    again = client.threads.create(thread_id=made.thread_id, if_exists="do_nothing")
    assert again.thread_id == made.thread_id
    changed = client.threads.update(made.thread_id, metadata={"more": 1})
    assert changed is not None
    assert changed.metadata == {"mark": "life", "graph_id": "counter", "more": 1}
    minimal = client.threads.update(made.thread_id, metadata={}, return_minimal=True)
    assert minimal is None
    found = client.threads.search(metadata={"mark": "life"}, select=["thread_id"])
    assert found == [{"thread_id": made.thread_id}]
    assert client.threads.count(metadata={"mark": "life"}) == 1
    other = client.threads.copy(made.thread_id)
    assert other.thread_id != made.thread_id
    assert (client.threads.prune([other.thread_id])).pruned_count == 1
    client.threads.delete(made.thread_id)
    with pytest.raises(NotFoundError):
        client.threads.get(made.thread_id)


def test_a_run_waited_for_and_its_state(client: SyncLangGraphClient) -> None:
    """The result, the state, the history, and a state written by hand."""
    thread = client.threads.create()
    result = client.runs.wait(thread.thread_id, "counter", input={"count": 1})
    assert result == {"count": 2}
    assert result.thread_id == thread.thread_id
    assert (client.runs.get(thread.thread_id, result.run_id)).status == "success"
    state = client.threads.get_state(thread.thread_id)
    assert (state.values, state.next, state.tasks) == ({"count": 2}, [], [])
    updated = client.threads.update_state(thread.thread_id, {"count": 40})
    assert updated.checkpoint.thread_id == thread.thread_id
    history = client.threads.get_history(thread.thread_id)
    assert history[0].values == {"count": 40}
    assert history[0].checkpoint_id == updated.checkpoint_id
    walked = [s for s in client.threads.iter_history(thread.thread_id, page_size=1)]
    assert walked == history
    earlier = client.threads.get_state(thread.thread_id, checkpoint_id=history[1].checkpoint_id)
    assert earlier.values == {"count": 2}


def test_a_run_in_the_background(client: SyncLangGraphClient) -> None:
    """Create, list, join, delete."""
    thread = client.threads.create()
    told: list[object] = []
    run = client.runs.create(
        thread.thread_id, "counter", input={"count": 1}, on_run_created=told.append
    )
    assert told == [{"run_id": run.run_id, "thread_id": thread.thread_id}]
    assert client.runs.join(thread.thread_id, run.run_id) == {"count": 2}
    assert [r.run_id for r in client.runs.list(thread.thread_id)] == [run.run_id]
    walked = [r.run_id for r in client.runs.iter(thread.thread_id, select=["run_id"])]
    assert walked == [run.run_id]
    client.runs.delete(thread.thread_id, run.run_id)
    with pytest.raises(NotFoundError):
        client.runs.get(thread.thread_id, run.run_id)


def test_streams_live_and_replayed(client: SyncLangGraphClient) -> None:
    """A resumable stream can be read live, and again from its beginning."""
    thread = client.threads.create()
    opened = client.runs.stream(
        thread.thread_id,
        "row",
        input={"topic": "t"},
        stream_mode=["updates", "custom"],
        stream_resumable=True,
    )
    parts = [part for part in opened]
    assert [part.event for part in parts] == ["metadata", "custom", "updates", "updates"]
    assert opened.run_id is not None
    assert opened.last_event_id == parts[-1].id
    again = client.runs.join_stream(thread.thread_id, opened.run_id, last_event_id="0")
    assert [part for part in again] == parts
    some = client.runs.join_stream(
        thread.thread_id, opened.run_id, last_event_id="0", stream_mode="custom"
    )
    assert [part.event for part in some] == ["custom"]


def test_a_stateless_stream(client: SyncLangGraphClient) -> None:
    """A run without a thread streams to its end and keeps nothing."""
    parts = [p for p in client.runs.stream(None, "counter", input={"count": 1}, version="v2")]
    assert [part["type"] for part in parts] == ["metadata", "values", "values"]
    assert parts[-1]["data"] == {"count": 2}


def test_a_thread_s_stream_shows_its_runs(client: SyncLangGraphClient) -> None:
    """Whoever joins a thread sees the runs that come after."""
    thread = client.threads.create()
    with client.threads.join_stream(thread.thread_id) as joined:
        client.runs.wait(thread.thread_id, "counter", input={"count": 1})
        events = []
        for part in joined:
            events.append(part.event)
            if isinstance(part.data, dict) and part.data.get("status") == "run_done":
                break
    assert events == ["metadata", "values", "values", "metadata"]


def test_a_graph_that_fails(client: SyncLangGraphClient) -> None:
    """An unknown graph is refused; a run without input fails, and says why."""
    with pytest.raises(Exception, match="nope"):
        client.runs.wait(None, "nope", input={})
    with pytest.raises(RemoteException) as caught:
        client.runs.wait(None, "counter")
    assert caught.value.error == "EmptyInputError"
    parts = [part for part in client.runs.stream(None, "counter")]
    assert parts[-1].event == "error"


def test_assistants(client: SyncLangGraphClient) -> None:
    """Create, find, draw, change, go back, delete."""
    made = client.assistants.create("counter", name="Mine", metadata={"mark": 1})
    assert (client.assistants.get(made.assistant_id)).name == "Mine"
    drawing = client.assistants.get_graph(made.assistant_id)
    assert [node.id for node in drawing.nodes] == ["__start__", "increment", "__end__"]
    assert drawing["edges"][0]["target"] == "increment"
    schemas = client.assistants.get_schemas(made.assistant_id)
    assert schemas.input_schema is not None
    assert "count" in schemas.input_schema["properties"]
    assert client.assistants.get_subgraphs(made.assistant_id) == {}
    changed = client.assistants.update(made.assistant_id, name="Yours")
    assert (changed.version, changed.name) == (2, "Yours")
    versions = client.assistants.get_versions(made.assistant_id)
    assert [version.version for version in versions] == [2, 1]
    assert (client.assistants.set_latest(made.assistant_id, 1)).name == "Mine"
    found = client.assistants.search(metadata={"mark": 1}, response_format="object")
    assert [a.assistant_id for a in found.assistants] == [made.assistant_id]
    assert found.next is None
    every = [a.graph_id for a in client.assistants.iter(page_size=2)]
    assert len(every) == client.assistants.count()
    client.assistants.delete(made.assistant_id)
    with pytest.raises(NotFoundError):
        client.assistants.get(made.assistant_id)


def test_the_store(client: SyncLangGraphClient) -> None:
    """Put, get, find, list, delete."""
    for key, age in (("ann", 40), ("bob", 30)):
        client.store.put_item(["users", "eu"], key, {"age": age})
    item = client.store.get_item(["users", "eu"], "ann")
    assert item is not None
    assert (item.value, item.namespace) == ({"age": 40}, ["users", "eu"])
    assert client.store.get_item(["users", "eu"], "nobody") is None
    found = client.store.search_items(["users"], filter={"age": {"$gte": 35}})
    assert [item.key for item in found.items] == ["ann"]
    walked = [i.key for i in client.store.iter_items(["users"], page_size=1)]
    assert sorted(walked) == ["ann", "bob"]
    everything = client.store.search_items(["users"], limit=1_000_000)
    assert [item.key for item in everything.items] == walked
    listed = client.store.list_namespaces(prefix=["users"], limit=1_000_000)
    assert listed.namespaces == [["users", "eu"]]
    client.store.delete_item(["users", "eu"], "ann")
    assert client.store.get_item(["users", "eu"], "ann") is None


def test_crons(client: SyncLangGraphClient) -> None:
    """Create, find, change, delete."""
    made = client.crons.create("counter", schedule="0 0 1 1 *", input={"count": 1})
    assert made.next_run_date is not None
    assert (client.crons.get(made.cron_id)).schedule == "0 0 1 1 *"
    changed = client.crons.update(made.cron_id, enabled=False)
    assert changed.enabled is False
    assert [c.cron_id for c in client.crons.search(enabled=False)] == [made.cron_id]
    assert [c.cron_id for c in client.crons.iter()] == [made.cron_id]
    assert client.crons.count() == 1
    client.crons.delete(made.cron_id)
    with pytest.raises(NotFoundError):
        client.crons.get(made.cron_id)


def test_the_server_itself(client: SyncLangGraphClient) -> None:
    """It is well, and says what it is."""
    assert client.ok()
    assert (client.info()).version is not None
    assert client.http.get("/ok") == {"ok": True, "services": {}}
