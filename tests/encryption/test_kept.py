"""What a server with an `Encryption` keeps, and what its clients see."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import langgraph_sdk
import pytest

from langgraph_client.server.options import WebhookOptions
from langgraph_client.server.server import Server
from tests.encryption.conftest import GRAPHS, SECRET, http_of, kept_by, locking

Fields = dict[str, Any]
STATE = {"secret": SECRET}


def done(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def run_of(graph: str, **fields: Any) -> Fields:
    return {"assistant_id": graph, "input": STATE, **fields}


def furnish(http: httpx.Client) -> dict[str, str]:
    """Use the secret wherever a client can put text. Returns ids."""
    metadata = {"owner": "ann", "note": SECRET}
    thread = done(http.post("/threads", json={"metadata": metadata}))["thread_id"]
    config = {"configurable": {"own": SECRET}, "tags": [SECRET]}
    resumable = run_of(
        "keep", stream_mode=["values", "updates"], stream_resumable=True, config=config
    )
    stream = http.post(f"/threads/{thread}/runs/stream", json={**resumable, "metadata": metadata})
    assert SECRET in stream.text
    done(http.post(f"/threads/{thread}/runs/wait", json=run_of("ask", context={"own": SECRET})))
    waiting = http.post("/runs/wait", json=run_of("keep"), headers={"idempotency-key": "one"})
    assert waiting.json()["answer"] == f"kept {SECRET}"
    failed = done(http.post("/threads", json={}))["thread_id"]
    done(http.post(f"/threads/{failed}/runs/wait", json=run_of("fail")))
    assistant = {
        "graph_id": "keep",
        "metadata": metadata,
        "config": {"configurable": {"own": SECRET}},
    }
    cron = {**run_of("keep"), "schedule": "0 0 1 1 *", "metadata": metadata}
    item = {"namespace": ["a"], "key": "k", "value": {"note": SECRET}}
    assert http.put("/store/items", json=item).status_code == 204
    command = {
        "id": 1,
        "method": "run.start",
        "params": {"assistant_id": "keep", "input": STATE},
    }
    live = done(http.post("/threads", json={}))["thread_id"]
    started = http.post(f"/threads/{live}/commands", json=command).json()
    http.get(f"/threads/{live}/runs/{started['result']['run_id']}/join")
    return {
        "thread": thread,
        "failed": failed,
        "live": live,
        "run": stream.headers["content-location"].rsplit("/", 1)[1],
        "assistant": done(http.post("/assistants", json=assistant))["assistant_id"],
        "cron": done(http.post("/runs/crons", json=cron))["cron_id"],
    }


def check_all(http: httpx.Client, ids: dict[str, str]) -> None:
    """Everything comes back as it was given."""
    thread = done(http.get(f"/threads/{ids['thread']}"))
    assert (thread["metadata"]["note"], thread["metadata"]["owner"]) == (SECRET, "ann")
    assert thread["values"] == {"secret": SECRET, "answer": f"kept {SECRET}"}
    (questions,) = thread["interrupts"].values()
    assert questions[0]["value"] == f"what of {SECRET}?"
    history = done(http.get(f"/threads/{ids['thread']}/history?limit=20"))
    assert history[0]["tasks"][0]["interrupts"][0]["value"] == f"what of {SECRET}?"
    assert [state["values"].get("secret") for state in history].count(SECRET) >= 3
    run = done(http.get(f"/threads/{ids['thread']}/runs/{ids['run']}"))
    assert run["kwargs"]["input"] == STATE
    assert run["kwargs"]["config"]["configurable"]["own"] == SECRET
    assert run["metadata"]["note"] == SECRET
    assert "__encryption_context__" not in str(run)
    events = http.get(
        f"/threads/{ids['thread']}/runs/{ids['run']}/stream", headers={"last-event-id": "0-0"}
    )
    assert f"kept {SECRET}" in events.text
    assert done(http.get(f"/threads/{ids['failed']}"))["error"]["message"] == f"no {SECRET} today"
    assistant = done(http.get(f"/assistants/{ids['assistant']}"))
    assert assistant["config"]["configurable"] == {"own": SECRET}
    assert assistant["metadata"]["note"] == SECRET
    (cron,) = done(http.post("/runs/crons/search", json={}))
    assert cron["payload"]["input"] == STATE
    item = done(http.get("/store/items", params={"namespace": "a", "key": "k"}))
    assert item["value"] == {"note": SECRET}
    (found,) = done(http.post("/store/items/search", json={"namespace_prefix": ["a"]}))["items"]
    assert found["value"] == {"note": SECRET}


def test_nothing_is_kept_in_plain_text(path: Any) -> None:
    """A secret is nowhere in the database, and everywhere where clients look for it."""
    with Server(GRAPHS, path=path, encryption=locking()) as server, http_of(server) as http:
        ids = furnish(http)
        check_all(http, ids)
        kept = kept_by(server)
        assert b"ann" in kept
        assert SECRET.encode() not in kept
        again = http.post("/runs/wait", json=run_of("keep"), headers={"idempotency-key": "one"})
        assert again.json()["answer"] == f"kept {SECRET}"


def test_the_file_has_no_plain_text(tmp_path: Path) -> None:
    """The files of a database do not contain a secret, and a later server reads all of it."""
    path = tmp_path / "state.db"
    with Server(GRAPHS, path=path, encryption=locking()) as server, http_of(server) as http:
        ids = furnish(http)
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()
    with Server(GRAPHS, path=path, encryption=locking()) as server, http_of(server) as http:
        check_all(http, ids)
        answer = done(
            http.post(
                f"/threads/{ids['thread']}/runs/wait",
                json={"assistant_id": "ask", "command": {"resume": "all"}},
            )
        )
        assert answer == {"secret": SECRET, "answer": "all"}


def test_a_copy_and_a_fork(path: Any) -> None:
    """Threads are copied and changed as without encryption."""
    with Server(GRAPHS, path=path, encryption=locking()) as server, http_of(server) as http:
        thread = furnish(http)["thread"]
        copy = done(http.post(f"/threads/{thread}/copy"))["thread_id"]
        assert done(http.get(f"/threads/{copy}/state"))["values"]["secret"] == SECRET
        changed = {"values": {"secret": f"{SECRET} too"}}
        done(http.post(f"/threads/{copy}/state", json=changed))
        assert done(http.get(f"/threads/{copy}/state"))["values"]["secret"] == f"{SECRET} too"
        assert done(http.get(f"/threads/{thread}/state"))["values"]["secret"] == SECRET
        assert SECRET.encode() not in kept_by(server)


def test_encrypted_fields_are_not_found(path: Any) -> None:
    """Fields that stay plain are found, encrypted ones are not."""
    with Server(GRAPHS, path=path, encryption=locking()) as server, http_of(server) as http:
        ids = furnish(http)

        def search(**metadata: str) -> list[str]:
            found = done(http.post("/threads/search", json={"metadata": metadata}))
            return [thread["thread_id"] for thread in found]

        assert search(owner="ann") == [ids["thread"]]
        assert search(note=SECRET) == []
        assert ids["failed"] in search(graph_id="fail")


def test_all_at_once(path: Any) -> None:
    """Handlers that wait mix up no transactions: each of many threads has its own values."""
    with Server(GRAPHS, path=path, encryption=locking()) as server, http_of(server) as http:

        def converse(number: int) -> Any:
            thread = done(http.post("/threads", json={"metadata": {"number": number}}))
            run = {"assistant_id": "keep", "input": {"secret": str(number)}}
            done(http.post(f"/threads/{thread['thread_id']}/runs/wait", json=run))
            thread = done(http.get(f"/threads/{thread['thread_id']}"))
            return thread["metadata"]["number"], thread["values"]["answer"], thread["status"]

        with ThreadPoolExecutor(8) as pool:
            found = [*pool.map(converse, range(24))]
        assert found == [(number, f"kept {number}", "idle") for number in range(24)]


@pytest.mark.parametrize("graph", ["blocking", "blocking_within"])
def test_a_blocking_graph_within(path: Any, graph: str) -> None:
    """A node may call a graph that blocks, in its own thread or on the loop."""
    with Server(GRAPHS, path=path, encryption=locking()) as server, http_of(server) as http:
        thread = done(http.post("/threads", json={}))["thread_id"]
        answer = done(http.post(f"/threads/{thread}/runs/wait", json=run_of(graph)))
        assert answer["answer"] == f"kept {SECRET}"
        assert SECRET.encode() not in kept_by(server)


@pytest.mark.filterwarnings("ignore:The Encryption API is in beta")
def test_an_object_of_langgraph_sdk() -> None:
    """The `Encryption` of langgraph_sdk is taken as it is."""
    made = locking(langgraph_sdk.Encryption())
    with Server(GRAPHS, encryption=made) as server, http_of(server) as http:
        check_all(http, furnish(http))
        assert SECRET.encode() not in kept_by(server)


def test_what_was_plain_before(tmp_path: Path) -> None:
    """What was kept before there was an `Encryption` is read as before."""
    path = tmp_path / "state.db"
    with Server(GRAPHS, path=path) as server, http_of(server) as http:
        ids = furnish(http)
    with Server(GRAPHS, path=path, encryption=locking()) as server, http_of(server) as http:
        check_all(http, ids)


def test_what_webhooks_are_to_be_sent(path: Any) -> None:
    """What waits to be sent to a webhook that cannot be reached is not kept in plain text."""
    given: Fields = {
        "encryption": locking(),
        "webhooks": WebhookOptions(loopback=True, private=True),
        "path": path,
    }
    with Server(GRAPHS, **given) as server, http_of(server) as http:
        hook = f"http://127.0.0.1:9/{SECRET}"
        done(http.post("/runs/wait", json=run_of("keep", webhook=hook)))
        kept = kept_by(server)
        assert b"webhook_deliveries" in kept
        assert SECRET.encode() not in kept


def test_a_saver_and_a_store_that_are_given() -> None:
    """A checkpointer and a store of the application's own get encrypted values, too."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.store.memory import InMemoryStore

    saver, store = InMemorySaver(), InMemoryStore()
    given = {"checkpointer": saver, "store": store, "encryption": locking()}
    with Server(GRAPHS, **given) as server, http_of(server) as http:
        check_all(http, furnish(http))
        assert SECRET not in str([*store.search(("a",))])
        kept = asyncio.run(_all_of(saver))
        assert kept
        assert SECRET not in str(kept)


async def _all_of(saver: Any) -> list[Any]:
    return [item async for item in saver.alist(None)]
