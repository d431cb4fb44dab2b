"""Every endpoint of the table, as two users: nobody sees or changes what is not theirs."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from dataclasses import astuple
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from langgraph_client.server.http.endpoints import ENDPOINTS, SOCKETS
from langgraph_client.testing import TestServer
from tests.auth.conftest import GRAPHS, client, owners
from tests.support.endpoint_calls import (
    ASKS,
    ELSEWHERE,
    FOR_ALL,
    OTHERWISE,
    PUBLIC,
    SECRET,
    WAITING,
    Things,
)
from tests.support.postgres import binaries, cluster


def test_the_walk_leaves_nothing_out() -> None:
    """Each endpoint is public or walked; what is public says nothing of anybody's documents."""
    table = {(one.method, one.path): one.access for one in ENDPOINTS}
    assert table.keys() == ASKS.keys() | PUBLIC
    assert {key for key, access in table.items() if not access.resource} == PUBLIC
    assert all(access.resource and access.action for access, _ in SOCKETS.values())


def json_of(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


def furnish(http: httpx.Client) -> Things:
    """Give ann one thing of each kind."""
    metadata = {"note": SECRET}
    assistant = json_of(
        http.post("/assistants", json={"graph_id": "keep", "metadata": metadata, "name": SECRET})
    )["assistant_id"]
    thread = json_of(http.post("/threads", json={"metadata": metadata, "ttl": {"ttl": 600}}))[
        "thread_id"
    ]
    waiting = json_of(http.post("/threads", json={}))["thread_id"]
    body = {
        "assistant_id": assistant,
        "input": {"secret": SECRET},
        "stream_resumable": True,
        "stream_mode": ["values", "updates"],
    }
    run = json_of(http.post(f"/threads/{thread}/runs", json=body))["run_id"]
    json_of(http.get(f"/threads/{thread}/runs/{run}/join"))
    json_of(http.post(f"/threads/{waiting}/runs/wait", json={**body, "assistant_id": "ask"}))
    state = json_of(http.get(f"/threads/{waiting}/state"))
    schedule = {"assistant_id": assistant, "schedule": "0 0 1 1 *", "input": {"secret": SECRET}}
    cron = json_of(http.post("/runs/crons", json={**schedule, "metadata": metadata}))["cron_id"]
    of_thread = json_of(http.post(f"/threads/{thread}/runs/crons", json=schedule))["cron_id"]
    item = {"namespace": ["notes"], "key": "k", "value": {"secret": SECRET}}
    assert http.put("/store/items", json=item).status_code == 204
    kept = {**body, "on_completion": "keep"}
    made = json_of(http.post("/runs", json=kept))
    stateless = made["thread_id"]
    json_of(http.get(f"/threads/{stateless}/runs/{made['run_id']}/join"))
    checkpoint = json_of(http.get(f"/threads/{thread}/state"))["checkpoint"]["checkpoint_id"]
    return Things(
        thread,
        waiting,
        run,
        assistant,
        cron,
        of_thread,
        checkpoint,
        state["interrupts"][0]["id"],
        stateless,
    )


def snapshot(http: httpx.Client, things: Things) -> list[Any]:
    """Return all that ann has, as ann sees it."""
    shown: list[Any] = []
    for thread in (things.thread, things.waiting, things.stateless):
        for path in ("", "/state", "/history?limit=99", "/runs?limit=99"):
            shown.append(json_of(http.get(f"/threads/{thread}{path}")))
    shown.append(json_of(http.get(f"/assistants/{things.assistant}")))
    shown.append(json_of(http.post(f"/assistants/{things.assistant}/versions", json={})))
    for cron in (things.cron, things.thread_cron):
        shown.append(json_of(http.get(f"/runs/crons/{cron}")))
    for path in ("/assistants", "/threads", "/runs/crons"):
        shown.append(json_of(http.post(f"{path}/count", json={})))
    shown.append(json_of(http.post("/store/items/search", json={"namespace_prefix": []})))
    return shown


def path_of(key: tuple[str, str], things: Things) -> str:
    return key[1].format(
        thread_id=things.waiting if key in WAITING else things.thread,
        run_id=things.run,
        assistant_id=things.assistant,
        cron_id=things.cron,
        checkpoint_id=things.checkpoint,
        namespace="none",
    )


def send(
    http: httpx.Client, key: tuple[str, str], things: Things, **headers: str
) -> tuple[int, str]:
    """Send a request of the walk; return status and text, of what does not end the beginning."""
    ask = ASKS[key](things)
    body = None if ask.body is None else json.dumps(ask.body)
    request = http.build_request(
        key[0], path_of(key, things), content=body, params=ask.query, headers=headers
    )
    answer = http.send(request, stream=True)
    try:
        if ask.endless and answer.status_code == 200:
            return 200, next(answer.iter_text()) if "last-event-id" in headers else ""
        return answer.status_code, answer.read().decode()
    finally:
        answer.close()


@pytest.fixture
def things(ann: httpx.Client) -> Things:
    """What ann has."""
    return furnish(ann)


class Shared(NamedTuple):
    """A server whose things nobody changes, so that many tests may use it."""

    ann: httpx.Client
    bob: httpx.Client
    nobody: httpx.Client
    things: Things


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where the server keeps what it has: memory, or a PostgreSQL database of its own."""
    if request.param == "memory":
        yield None
        return
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    url = cluster().fresh()
    yield url
    cluster().drop(url)


@pytest.fixture(scope="module")
def shared(database: str | None) -> Iterator[Shared]:
    """A server with what ann has, as three users."""
    with (
        TestServer(GRAPHS, auth=owners(), path=database) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
        client(server, None) as nobody,
    ):
        yield Shared(ann, bob, nobody, furnish(ann))


@pytest.mark.parametrize("key", sorted(ASKS), ids=" ".join)
def test_who_has_it_gets_it(key: tuple[str, str], ann: httpx.Client, things: Things) -> None:
    """The requests of the walk are ones that do something, for who may."""
    status, text = send(ann, key, things)
    assert status in ASKS[key](things).for_ann, text
    assert '"error"' not in text.replace('"error":null', "")


@pytest.mark.parametrize("database", ["memory", "postgres"], indirect=True)
@pytest.mark.parametrize("key", sorted(ASKS), ids=" ".join)
def test_another_user_is_refused(key: tuple[str, str], shared: Shared) -> None:
    """Another user learns nothing of it, and leaves it as it is."""
    ann, bob, _, things = shared
    before = snapshot(ann, things)
    status, text = send(bob, key, things, **{"last-event-id": "0-0"})
    assert snapshot(ann, things) == before
    assert SECRET not in text.replace(f"Unknown tool: {SECRET}", "")
    for thing in (things.waiting, things.stateless, things.thread_cron):
        if key not in WAITING:
            assert thing not in text
    if key not in FOR_ALL:
        assert status == OTHERWISE.get(key, 404), text
        assert status != 200 or '"error":' in text


@pytest.mark.parametrize("database", ["memory"], indirect=True)
@pytest.mark.parametrize("key", sorted(ASKS), ids=" ".join)
def test_an_unknown_user_is_refused(key: tuple[str, str], shared: Shared) -> None:
    """A request without a name is answered with 401, whatever it asks, malformed or not."""
    ann, _, nobody, things = shared
    before = snapshot(ann, things)
    assert send(nobody, key, things) == (401, '{"detail":"who are you?"}')
    malformed = Things(*(text.replace("-", "+") for text in astuple(things)))
    answer = nobody.request(key[0], path_of(key, malformed), content="{")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Name"
    assert snapshot(ann, things) == before


@pytest.mark.parametrize("database", ["memory"], indirect=True)
@pytest.mark.parametrize(("method", "path"), sorted(PUBLIC))
def test_what_is_public(method: str, path: str, shared: Shared) -> None:
    """What says nothing of anybody's documents is there for everybody."""
    answer = shared.nobody.request(method, path)
    assert answer.status_code == 200
    assert SECRET not in answer.text


def opened(address: str, user: str | None) -> ClientConnection:
    """Open a socket as a user."""
    headers = {} if user is None else {"authorization": user}
    return connect(address, additional_headers=headers, open_timeout=60)


def test_a_socket_needs_its_owner(server: TestServer, ann: httpx.Client, things: Things) -> None:
    """A WebSocket is opened to who may read the thread, and to nobody else."""
    address = f"{server.listen().replace('http', 'ws', 1)}/threads/{things.thread}/stream/events"
    for name, status in (("bob", 404), (None, 401)):
        with pytest.raises(InvalidStatus) as refused, opened(address, name):
            pass
        assert refused.value.response.status_code == status
    with opened(address, "ann") as socket:
        params = {"channels": ["values"], "since": 0}
        socket.send(json.dumps({"id": 1, "method": "subscription.subscribe", "params": params}))
        assert SECRET in str(socket.recv(timeout=60))


def test_streams_of_a_thread_that_comes_later(server: TestServer, ann: httpx.Client) -> None:
    """Who waits for the events of a thread that does not exist yet gets none that are another's."""
    paths = [
        ("GET", f"/threads/{ELSEWHERE}/stream", None),
        ("POST", f"/threads/{ELSEWHERE}/stream/events", {"channels": ["values", "lifecycle"]}),
    ]

    async def listen(method: str, path: str, body: Any) -> str:
        options = {"transport": server.async_transport(), "base_url": "http://test", "timeout": 60}
        async with (
            httpx.AsyncClient(**options, headers={"authorization": "bob"}) as http,
            http.stream(method, path, json=body) as answer,
        ):
            assert answer.status_code == 200
            opened.set()
            return "".join([text async for text in answer.aiter_text()])

    async def both(method: str, path: str, body: Any) -> str:
        listening = asyncio.create_task(listen(method, path, body))
        async with asyncio.timeout(60):
            await opened.wait()
        await asyncio.to_thread(run)
        return await listening

    def run() -> None:
        body = {"assistant_id": "keep", "input": {"secret": SECRET}, "if_not_exists": "create"}
        json_of(ann.post(f"/threads/{ELSEWHERE}/runs/wait", json=body))

    for method, path, body in paths:
        opened = asyncio.Event()
        assert SECRET not in asyncio.run(both(method, path, body))
        assert ann.delete(f"/threads/{ELSEWHERE}").status_code == 204


def test_a_socket_of_a_thread_that_comes_later(server: TestServer, ann: httpx.Client) -> None:
    """A WebSocket on a thread that somebody else then creates ends, without any of its events."""
    address = f"{server.listen().replace('http', 'ws', 1)}/threads/{ELSEWHERE}/stream/events"
    params = {"channels": ["values", "lifecycle", "input"], "since": 0}
    subscribe = json.dumps({"id": 1, "method": "subscription.subscribe", "params": params})
    with opened(address, "bob") as socket:
        socket.send(subscribe)
        assert json.loads(socket.recv(timeout=60))["type"] == "success"
        body = {"assistant_id": "keep", "input": {"secret": SECRET}, "if_not_exists": "create"}
        json_of(ann.post(f"/threads/{ELSEWHERE}/runs/wait", json=body))
        assert list(socket) == []


def test_a_key_is_of_its_user(server: TestServer, ann: httpx.Client, bob: httpx.Client) -> None:
    """The same idempotency key of two users makes two runs."""
    body = {"assistant_id": "keep", "input": {"secret": SECRET}}
    key = {"idempotency-key": "once"}
    mine = json_of(ann.post("/runs", json=body, headers=key))
    again = json_of(ann.post("/runs", json=body, headers=key))
    theirs = json_of(bob.post("/runs", json={**body, "input": {}}, headers=key))
    assert mine["run_id"] == again["run_id"] != theirs["run_id"]
    command = {
        "id": 1,
        "method": "run.start",
        "params": {"assistant_id": "keep", "input": {}},
    }
    threads = [json_of(http.post("/threads", json={}))["thread_id"] for http in (ann, bob)]
    runs = [
        json_of(http.post(f"/threads/{thread}/commands", json=command, headers=key))
        for http, thread in zip((ann, ann, bob), (threads[0], threads[0], threads[1]), strict=True)
    ]
    assert runs[0]["result"]["run_id"] == runs[1]["result"]["run_id"]
    assert runs[0]["result"]["run_id"] != runs[2]["result"]["run_id"]


def test_cancelling_all_cancels_one_s_own(
    server: TestServer, ann: httpx.Client, bob: httpx.Client
) -> None:
    """`status: all` means all that are one's own."""
    with server.hold(graph="keep", status="running"):
        run = json_of(ann.post("/runs", json={"assistant_id": "keep", "input": {}}))
        mine = json_of(bob.post("/runs", json={"assistant_id": "keep", "input": {}}))
        assert bob.post("/runs/cancel", json={"status": "all"}).status_code == 204
        assert bob.post("/runs/cancel", json={"status": "all"}).status_code == 404
        place = f"/threads/{run['thread_id']}/runs/{run['run_id']}"
        assert json_of(ann.get(place))["status"] in ("pending", "running")
        # A run of bob's, under a thread of ann's and the other way round.
        for http in (ann, bob):
            for thread, other in ((run, mine), (mine, run)):
                mixed = f"/threads/{thread['thread_id']}/runs/{other['run_id']}"
                assert http.get(mixed).status_code == 404
                assert http.delete(mixed).status_code == 404
                assert http.post(f"{mixed}/cancel").status_code == 404
    assert json_of(ann.get(f"{place}/join")) == {"answer": "kept None"}


def test_a_hidden_thread_is_answered_as_a_missing_one(
    server: TestServer, ann: httpx.Client, bob: httpx.Client
) -> None:
    """No text tells that somebody else has a thread, nor its id to who has the id of a run."""
    theirs, missing = json_of(ann.post("/threads", json={}))["thread_id"], str(uuid.uuid4())
    run = json_of(ann.post(f"/threads/{theirs}/runs", json={"assistant_id": "keep"}))
    mine = json_of(bob.post("/threads", json={}))["thread_id"]
    answer = bob.get(f"/threads/{mine}/runs/{run['run_id']}")
    nothing = bob.get(f"/threads/{mine}/runs/{missing}")
    assert (answer.status_code, answer.text) == (404, nothing.text)
    assert (nothing.status_code, answer.json()) == (404, {"detail": "Not Found"})
    changed = [bob.patch(f"/threads/{one}", json={"metadata": {}}) for one in (theirs, missing)]
    assert [(one.status_code, one.text) for one in changed] == [(404, nothing.text)] * 2
    pruned = [
        bob.post("/threads/prune", json={"thread_ids": [mine, one]}) for one in (theirs, missing)
    ]
    assert [one.status_code for one in pruned] == [404, 404]
    assert pruned[0].text == pruned[1].text
    assert json_of(bob.post("/threads/prune", json={"thread_ids": [mine]})) == {"pruned_count": 1}
    assert ann.get(f"/threads/{theirs}").status_code == 200
    assert bob.get(f"/threads/{mine}").status_code == 404


def test_a_filter_cuts_before_the_page(
    server: TestServer, ann: httpx.Client, bob: httpx.Client
) -> None:
    """Pages and counts are of what one may have."""
    for number in range(6):
        for http in (ann, bob):
            json_of(http.post("/threads", json={"metadata": {"n": number}}))
    page = ann.post("/threads/search", json={"limit": 3, "offset": 3, "sort_by": "created_at"})
    assert [thread["metadata"]["owner"] for thread in json_of(page)] == ["ann"] * 3
    assert page.headers["x-pagination-total"] == "6"
    assert json_of(ann.post("/threads/count", json={})) == 6
    # A metadata filter that asks for what is another's finds nothing.
    wanted = {"metadata": {"owner": "bob"}}
    found = json_of(ann.post("/threads/search", json=wanted))
    assert all(thread["metadata"]["owner"] == "ann" for thread in found)


def test_a_server_that_is_started_again(ann: httpx.Client, server: TestServer) -> None:
    """Clients cannot say that they are somebody else, in the config of a run or a cron."""
    said = {"configurable": {"langgraph_auth_user": {"identity": "ann"}, "x": 1}}
    with client(server, "bob") as bob:
        body = {"assistant_id": "keep", "input": {}, "config": said, "on_completion": "keep"}
        run = json_of(bob.post("/runs", json=body))
        place = f"/threads/{run['thread_id']}/runs/{run['run_id']}"
        shown = json_of(bob.get(place))["kwargs"]["config"]["configurable"]
        assert shown["langgraph_auth_user"]["identity"] == "bob"
        cron = {"assistant_id": "keep", "schedule": "0 0 1 1 *", "config": said}
        made = json_of(bob.post("/runs/crons", json=cron))
        assert made["user_id"] == "bob"
        assert (
            json_of(bob.patch(f"/runs/crons/{made['cron_id']}", json={"config": said}))["payload"][
                "config"
            ]["configurable"]["langgraph_auth_user"]["identity"]
            == "bob"
        )
