"""One stored row that is damaged hides no other one, is named, and can be deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import httpx
import pytest
from langgraph.graph import START, StateGraph

from langgraph_client.server.options import WebhookOptions
from langgraph_client.server.runs.run_document import assistant_id_of
from langgraph_client.server.server import Server
from langgraph_client.testing import TestClock
from tests.server.test_unreadable_rows import damage, execute
from tests.support.eventually import eventually
from tests.support.webhook_receiver import WebhookReceiver

MARKED = {"metadata": {"marked": True}}


class State(TypedDict):
    x: str


def graph() -> Any:
    builder = StateGraph(State).add_node("work", lambda state: {"x": "done"})
    return builder.add_edge(START, "work").compile()


@pytest.fixture
def path(kept_path: Any) -> Any:
    """Where the server keeps everything."""
    return kept_path


@pytest.fixture
def server(path: Any) -> Iterator[Server]:
    webhooks = WebhookOptions(loopback=True)
    with Server({"agent": graph()}, path=path, webhooks=webhooks) as running:
        yield running


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    transport = server.transport()
    with httpx.Client(transport=transport, base_url="http://test", timeout=60) as client:
        yield client


def threads_with_state(http: httpx.Client, count: int) -> list[str]:
    """Return the ids of marked threads with a finished run, in the order of a search."""
    for _ in range(count):
        thread_id = http.post("/threads", json=MARKED).json()["thread_id"]
        body = {"assistant_id": "agent", "input": {"x": "in"}}
        assert http.post(f"/threads/{thread_id}/runs/wait", json=body).json() == {"x": "done"}
    return [thread["thread_id"] for thread in http.post("/threads/search", json={}).json()]


def only_logged(caplog: pytest.LogCaptureFixture, table: str, key: str) -> bool:
    """Return whether the log has one error, which names a row."""
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    return len(errors) == 1 and f"table {table}" in errors[0] and key in errors[0]


@pytest.mark.parametrize("column", ["doc", "metadata", "values", "interrupts"])
def test_a_damaged_thread_is_left_out_of_searches(
    path: Any, http: httpx.Client, caplog: pytest.LogCaptureFixture, column: str
) -> None:
    """It is logged once, by its table and id, whatever the search has to look into."""
    if column != "doc" and not isinstance(path, Path):
        pytest.skip("PostgreSQL indexes this column, so that it cannot hold anything else")
    first, second, third = threads_with_state(http, 3)
    damage(path, "threads", f"thread_id = '{second}'", column)
    for body in ({}, MARKED, {"values": {"x": "done"}}, {"limit": 100}, {"status": "idle"}):
        found = http.post("/threads/search", json=body)
        assert [thread["thread_id"] for thread in found.json()] == [first, third], body
    assert only_logged(caplog, "threads", second)


@pytest.mark.parametrize("column", ["doc", "metadata", "values", "interrupts"])
def test_a_thread_with_a_byte_that_is_not_utf_8_is_damaged(
    path: Any, http: httpx.Client, caplog: pytest.LogCaptureFixture, column: str
) -> None:
    """It is left out of searches and logged once, and no answer quotes what is stored."""
    if not isinstance(path, Path):
        pytest.skip("PostgreSQL refuses such a text")
    first, second, third = threads_with_state(http, 3)
    spoilt = f"""CAST(replace("{column}", '}}', ',"pin":"1234' || x'ff' || '"}}') AS TEXT)"""
    execute(path, f"""UPDATE threads SET "{column}" = {spoilt} WHERE thread_id = '{second}'""")
    wide = {"values": {"x": "done"}, "metadata": {f"key{number}": 1 for number in range(200)}}
    for body in ({}, MARKED, {"values": {"x": "done"}}, {"limit": 100}, {"status": "idle"}):
        found = http.post("/threads/search", json=body)
        assert [thread["thread_id"] for thread in found.json()] == [first, third], body
    assert http.post("/threads/search", json=wide).json() == []
    assert only_logged(caplog, "threads", second)
    response = http.get(f"/threads/{second}")
    assert response.status_code == 500
    assert "is damaged" in response.text
    assert "1234" not in response.text
    assert http.delete(f"/threads/{second}").status_code == 204


def test_pages_are_full_without_a_damaged_thread(path: Any, http: httpx.Client) -> None:
    """So a client that reads page by page sees all others, each of them once."""
    ids = threads_with_state(http, 5)
    damage(path, "threads", f"thread_id = '{ids[1]}'")
    found, offset = [], 0
    while page := http.post("/threads/search", json={"limit": 2, "offset": offset}).json():
        found += [thread["thread_id"] for thread in page]
        offset += 2
    assert found == [ids[0], *ids[2:]]


def test_a_thread_that_is_not_damaged_any_more_is_found(path: Any, http: httpx.Client) -> None:
    """Also if nobody has asked for it since somebody else, such as another server, repaired it."""
    first, second = threads_with_state(http, 2)
    damage(path, "threads", f"thread_id = '{first}'")
    assert [row["thread_id"] for row in http.post("/threads/search", json={}).json()] == [second]
    execute(path, f"UPDATE threads SET doc = doc || '}}' WHERE thread_id = '{first}'")
    assert len(http.post("/threads/search", json={}).json()) == 2


def test_a_request_for_a_damaged_thread_says_what_is_damaged(path: Any, http: httpx.Client) -> None:
    """The answer is a 500 with the table and the id, not a bare one."""
    (thread_id,) = threads_with_state(http, 1)
    damage(path, "threads")
    run = {"assistant_id": "agent", "input": {"x": "in"}}
    for response in (
        http.get(f"/threads/{thread_id}"),
        http.get(f"/threads/{thread_id}/state"),
        http.post(f"/threads/{thread_id}/runs/wait", json=run),
    ):
        assert response.status_code == 500
        assert f"table threads with thread_id {thread_id} is damaged" in response.json()["detail"]


def test_a_request_for_a_damaged_run_says_what_is_damaged(path: Any, http: httpx.Client) -> None:
    """To get, to join, to stream and to cancel it."""
    (thread_id,) = threads_with_state(http, 1)
    run_id = http.get(f"/threads/{thread_id}/runs").json()[0]["run_id"]
    damage(path, "runs")
    url = f"/threads/{thread_id}/runs/{run_id}"
    for response in (
        http.get(url),
        http.get(f"{url}/join"),
        http.get(f"{url}/stream"),
        http.post(f"{url}/cancel"),
    ):
        assert response.status_code == 500
        assert f"table runs with run_id {run_id} is damaged" in response.json()["detail"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("doc", "'[]'"),
        ("doc", "'{}'"),
        ("doc", """replace(doc, '"config":', '"config":5,"other":')"""),
        ("metadata", "'[]'"),
        ("metadata", "'5'"),
    ],
)
def test_a_thread_with_json_of_another_type_is_damaged(
    path: Any, http: httpx.Client, column: str, value: str
) -> None:
    """It is left out of searches, and a request for it says so."""
    first, second = threads_with_state(http, 2)
    execute(path, f"UPDATE threads SET {column} = {value} WHERE thread_id = '{first}'")
    for body in ({}, {"values": {"x": "done"}}):
        found = http.post("/threads/search", json=body).json()
        assert [thread["thread_id"] for thread in found] == [second]
    response = http.get(f"/threads/{first}/state")
    assert response.status_code == 500
    assert f"table threads with thread_id {first} is damaged" in response.json()["detail"]


def test_a_run_with_json_of_another_type_is_damaged(path: Any, http: httpx.Client) -> None:
    """It can be deleted, as one whose JSON is cut off."""
    (thread_id,) = threads_with_state(http, 1)
    run_id = http.get(f"/threads/{thread_id}/runs").json()[0]["run_id"]
    execute(path, """UPDATE runs SET doc = replace(doc, '"kwargs":', '"kwargs":"x","other":')""")
    assert http.get(f"/threads/{thread_id}/runs").json() == []
    response = http.get(f"/threads/{thread_id}/runs/{run_id}/stream")
    assert "table runs" in response.json()["detail"]
    assert http.delete(f"/threads/{thread_id}/runs/{run_id}").status_code == 204


def test_runs_are_cancelled_beside_a_damaged_one(path: Any, http: httpx.Client) -> None:
    """`POST /runs/cancel` with the ids of both."""
    (thread_id,) = threads_with_state(http, 1)
    damaged = http.get(f"/threads/{thread_id}/runs").json()[0]["run_id"]
    damage(path, "runs")
    body = {"assistant_id": "agent", "input": {"x": "in"}, "after_seconds": 3600}
    other = http.post(f"/threads/{thread_id}/runs", json=body).json()["run_id"]
    both = {"thread_id": thread_id, "run_ids": [damaged, other]}
    assert http.post("/runs/cancel", json=both).status_code == 204
    assert http.get(f"/threads/{thread_id}/runs/{other}").json()["status"] == "interrupted"


@pytest.mark.parametrize("column", ["doc", "metadata"])
def test_an_assistant_is_deleted_with_its_threads_beside_a_damaged_one(
    path: Any, http: httpx.Client, column: str
) -> None:
    """The damaged one is not its own; nobody has to read it."""
    if column != "doc" and not isinstance(path, Path):
        pytest.skip("PostgreSQL indexes this column, so that it cannot hold anything else")
    assistant_id = http.post("/assistants", json={"graph_id": "agent"}).json()["assistant_id"]
    (other,) = threads_with_state(http, 1)
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": assistant_id, "input": {"x": "in"}}
    assert http.post(f"/threads/{thread_id}/runs/wait", json=body).status_code == 200
    damage(path, "threads", f"thread_id = '{other}'", column)
    response = http.delete(f"/assistants/{assistant_id}", params={"delete_threads": True})
    assert response.status_code == 204, response.text
    assert http.get(f"/threads/{thread_id}").status_code == 404
    assert http.get(f"/threads/{other}").status_code == 500


def test_a_damaged_assistant_is_left_out_and_can_be_deleted(
    path: Any, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are found, and it goes for good."""
    body = {"graph_id": "agent", "name": "mine", **MARKED}
    ids = [http.post("/assistants", json=body).json()["assistant_id"] for _ in range(2)]
    damage(path, "assistants", f"assistant_id = '{ids[0]}'")
    for body in ({"name": "mine"}, MARKED):
        found = http.post("/assistants/search", json=body).json()
        assert [assistant["assistant_id"] for assistant in found] == [ids[1]]
    assert only_logged(caplog, "assistants", ids[0])
    assert http.get(f"/assistants/{ids[0]}").status_code == 500
    assert http.delete(f"/assistants/{ids[0]}").status_code == 204
    assert http.get(f"/assistants/{ids[0]}").status_code == 404
    assert http.delete(f"/assistants/{ids[0]}").status_code == 404


def test_an_assistant_with_a_damaged_version_can_be_changed(path: Any, http: httpx.Client) -> None:
    """The number of the next version follows that of the damaged one."""
    assistant_id = http.post("/assistants", json={"graph_id": "agent"}).json()["assistant_id"]
    assert http.patch(f"/assistants/{assistant_id}", json=MARKED).json()["version"] == 2
    damage(path, "assistant_versions", f"assistant_id = '{assistant_id}' AND version = 2")
    assert http.patch(f"/assistants/{assistant_id}", json=MARKED).json()["version"] == 3
    versions = http.post(f"/assistants/{assistant_id}/versions", json={}).json()
    assert [version["version"] for version in versions] == [3, 1]


def test_a_damaged_default_assistant_keeps_no_server_from_starting(path: Any) -> None:
    """The other graphs run, and requests for this one say what is damaged."""
    graphs = {"agent": graph(), "other": graph()}
    with Server(graphs, path=path):
        pass
    damage(path, "assistants", f"assistant_id = '{assistant_id_of('agent')}'")
    with (
        Server(graphs, path=path) as server,
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
    ):
        run = {"assistant_id": "other", "input": {"x": "in"}}
        assert http.post("/runs/wait", json=run).json() == {"x": "done"}
        response = http.post("/runs/wait", json={**run, "assistant_id": "agent"})
        assert "table assistants" in response.json()["detail"]


def test_a_version_is_found_by_a_number_of_another_type(http: httpx.Client) -> None:
    """JSON does not tell 1.0 from 1: the row of version 1 is not damaged."""
    assistant_id = http.post("/assistants", json={"graph_id": "agent"}).json()["assistant_id"]
    response = http.post(f"/assistants/{assistant_id}/latest", json={"version": 1.0})
    assert response.status_code == 200


@pytest.mark.parametrize("column", ["doc", "metadata"])
def test_a_damaged_cron_is_left_out_and_can_be_deleted(
    path: Any, http: httpx.Client, caplog: pytest.LogCaptureFixture, column: str
) -> None:
    """The others are found by their metadata, and it goes for good."""
    body = {"assistant_id": "agent", "schedule": "0 0 1 1 *", "input": {}, **MARKED}
    ids = [http.post("/runs/crons", json=body).json()["cron_id"] for _ in range(2)]
    damage(path, "crons", f"cron_id = '{ids[0]}'", column)
    for body in ({}, MARKED):
        response = http.post("/runs/crons/search", json=body)
        assert [cron["cron_id"] for cron in response.json()] == [ids[1]]
    assert only_logged(caplog, "crons", ids[0])
    assert http.delete(f"/runs/crons/{ids[0]}").status_code == 204
    assert http.delete(f"/runs/crons/{ids[0]}").status_code == 404


def test_a_damaged_cron_keeps_no_other_from_firing(path: Any) -> None:
    """The scheduler looks into all of them."""
    clock = TestClock()
    with (
        Server({"agent": graph()}, path=path, clock=clock) as server,
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
    ):
        body = {"assistant_id": "agent", "schedule": "* * * * *", "input": {"x": "in"}}
        body["on_run_completed"] = "keep"
        ids = [http.post("/runs/crons", json=body).json()["cron_id"] for _ in range(2)]
        damage(path, "crons", f"cron_id = '{ids[0]}'")
        clock.advance(61)
        eventually(lambda: len(http.post("/threads/search", json={}).json()) == 1)


def test_a_damaged_item_is_left_out_and_can_be_deleted(
    path: Any, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Pages of the others are full, with and without a filter; a request for it says so."""
    if not isinstance(path, Path):
        pytest.skip("PostgreSQL's jsonb cannot hold anything else")
    place = {"namespace": ["a"], "key": "1"}
    for key in "0123":
        item = {"namespace": ["a"], "key": key, "value": {"n": 1, "key": key}}
        assert http.put("/store/items", json=item).status_code == 204
    execute(path, "UPDATE store SET value = substr(value, 1, length(value) - 1) WHERE key = '1'")
    for wanted in ({}, {"n": 1}, {"n": {"$gte": 1}}, {"n": 1, "key": {"$ne": "x"}}):
        body = {"namespace_prefix": ["a"], "limit": 2, "filter": wanted}
        found = http.post("/store/items/search", json=body).json()["items"]
        assert [item["key"] for item in found] == ["0", "2"], wanted
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [error.getMessage() for error in errors] == [
        "The item a/1 of the store is damaged, and is left out"
    ]
    response = http.get("/store/items", params=place)
    assert response.status_code == 500
    assert "item a/1 of the store is damaged" in response.json()["detail"]
    assert http.request("DELETE", "/store/items", json=place).status_code == 204
    assert http.get("/store/items", params=place).json() is None
    found = http.post("/store/items/search", json={"limit": 4}).json()["items"]
    assert [item["key"] for item in found] == ["0", "2", "3"]


def test_a_damaged_delivery_keeps_no_other_webhook_from_being_sent(
    path: Any, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """It is left out, and not tried again and again."""
    columns = "(run_id, due_at, doc, body)"
    row = "('run', '2020-01-01T00:00:00+00:00', '{', 'null')"
    execute(path, f"INSERT INTO webhook_deliveries {columns} VALUES {row}")
    receiver = WebhookReceiver()
    try:
        body = {"assistant_id": "agent", "input": {"x": "in"}, "webhook": receiver.url}
        for _ in range(2):
            assert http.post("/runs/wait", json=body).status_code == 200
            assert receiver.got.get(timeout=60)["status"] == "success"
    finally:
        receiver.close()
    assert only_logged(caplog, "webhook_deliveries", "run")
