"""Crons fire when the clock says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from langgraph_client import Auth, Server
from langgraph_client.server.background import scheduler
from langgraph_client.server.errors import Unavailable
from tests.support.clock import Settable
from tests.support.engine import is_at_rest
from tests.support.eventually import eventually
from tests.support.graphs import Count, shared_graphs
from tests.support.killed_file import killed_copy


def move(server: Server, clock: Settable, seconds: float) -> None:
    """Move the clock, and have what is due started."""
    clock.present += seconds

    async def fire() -> None:
        await server.services.scheduler.fire_due()

    asyncio.run_coroutine_threadsafe(fire(), server.loop).result(60)


def on_loop(server: Server, look: Callable[[], bool]) -> bool:
    """Return what a look into the server says, taken on its own loop: between two tasks' steps."""

    async def call() -> bool:
        return look()

    return asyncio.run_coroutine_threadsafe(call(), server.loop).result(60)


@pytest.fixture
def clock() -> Settable:
    return Settable()


@pytest.fixture
def ticking(clock: Settable) -> Iterator[Server]:
    with Server(shared_graphs(), clock=clock) as server:
        yield server


@pytest.fixture
def http(ticking: Server) -> Iterator[httpx.Client]:
    with httpx.Client(
        transport=ticking.transport(), base_url="http://server", timeout=60
    ) as client:
        yield client


HOURLY = {"assistant_id": "counter", "schedule": "0 * * * *", "input": {"count": 1}}


def test_a_cron_on_a_thread_runs_there(
    http: httpx.Client, ticking: Server, clock: Settable
) -> None:
    """One run each time, with the cron's metadata; the cron moves on."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    path = f"/threads/{thread_id}/runs"
    cron = http.post(f"{path}/crons", json={**HOURLY, "metadata": {"by": "cron"}}).json()
    assert http.get(path).json() == []
    for times in (1, 2):
        move(ticking, clock, 3600)
        runs = http.get(path).json()
        assert len(runs) == times
        assert http.get(f"{path}/{runs[0]['run_id']}/join").json() == {"count": 2}
    assert runs[0]["metadata"]["by"] == "cron"
    assert runs[0]["kwargs"]["config"]["configurable"]["cron_id"] == cron["cron_id"]
    after = http.get(f"/runs/crons/{cron['cron_id']}").json()
    assert after["next_run_date"] > cron["next_run_date"]
    assert after["updated_at"] == cron["updated_at"]


@pytest.mark.parametrize(("on_run_completed", "left"), [("keep", 1), ("delete", 0)])
@pytest.mark.sqlite
def test_a_cron_without_a_thread_makes_one(
    http: httpx.Client, ticking: Server, clock: Settable, on_run_completed: str, left: int
) -> None:
    """It is kept or deleted behind the run, as the cron says."""
    http.post("/runs/crons", json={**HOURLY, "on_run_completed": on_run_completed})
    move(ticking, clock, 3600)
    eventually(lambda: on_loop(ticking, lambda: is_at_rest(ticking.services.engine)))
    assert len(http.post("/threads/search", json={}).json()) == left


def test_what_is_switched_off_or_over_does_not_fire(
    http: httpx.Client, ticking: Server, clock: Settable
) -> None:
    """`enabled: false`, and an end that has passed."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    path = f"/threads/{thread_id}/runs"
    http.post(f"{path}/crons", json={**HOURLY, "enabled": False})
    http.post(f"{path}/crons", json={**HOURLY, "end_time": "2020-01-01T00:00:00Z"})
    deleted = http.post(f"{path}/crons", json=HOURLY).json()["cron_id"]
    http.delete(f"/runs/crons/{deleted}")
    move(ticking, clock, 7200)
    assert http.get(path).json() == []


def test_a_cron_without_a_next_date_does_not_stop_the_others(
    http: httpx.Client, ticking: Server, clock: Settable, caplog: pytest.LogCaptureFixture
) -> None:
    """A cron whose time zone is gone is skipped and reported; the ones after it fire."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    path = f"/threads/{thread_id}/runs"
    cron_id = http.post(f"{path}/crons", json={**HOURLY, "schedule": "1 * * * *"}).json()["cron_id"]
    http.post(f"{path}/crons", json={**HOURLY, "schedule": "2 * * * *"})
    crons = ticking.services.storage.crons

    async def lose_zone() -> None:
        await crons.replace({**(await crons.get(cron_id) or {}), "timezone": "Gone/Zone"})

    asyncio.run_coroutine_threadsafe(lose_zone(), ticking.loop).result(60)
    move(ticking, clock, 3600)
    runs = http.get(path).json()
    assert len(runs) == 1
    assert runs[0]["kwargs"]["config"]["configurable"]["cron_id"] != cron_id
    assert f"cron {cron_id} has no next date" in caplog.text
    http.get(f"{path}/{runs[0]['run_id']}/join")


@pytest.mark.sqlite
def test_a_cron_that_fell_due_while_the_server_was_down_fires_once(
    clock: Settable, tmp_path: Path
) -> None:
    """Crons are in the file; a week of missed hours is one run."""
    path = tmp_path / "state.db"
    with Server(shared_graphs(), path=path, clock=clock) as server:
        client = server.sync_client()
        thread_id = client.threads.create().thread_id
        client.crons.create_for_thread(thread_id, "counter", **_parameters())
    clock.present += 7 * 24 * 3600
    with Server(shared_graphs(), path=path, clock=clock) as server:
        move(server, clock, 0)
        runs = server.sync_client().runs.list(thread_id)
        assert len(runs) == 1
        server.sync_client().runs.join(thread_id, runs[0].run_id)


@pytest.mark.sqlite
@pytest.mark.parametrize("when", ["before the run is stored", "after the run is stored"])
def test_a_kill_while_a_cron_fires_neither_loses_nor_doubles_its_run(
    clock: Settable, tmp_path: Path, when: str
) -> None:
    """The next start finds whether the run of the date exists, and moves the cron on."""
    file = tmp_path / "state.db"
    with Server(shared_graphs(), path=file, clock=clock) as server:
        client = server.sync_client()
        thread_id = client.threads.create().thread_id
        cron_id = client.crons.create_for_thread(thread_id, "counter", **_parameters()).cron_id

        async def fire_and_kill() -> Path:
            services = server.services
            locks, runs = services.engine.locks, services.storage.runs
            key = thread_id if when.startswith("before") else f"cron {cron_id}"
            async with asyncio.timeout(60), locks.hold(key):
                clock.present += 3600
                firing = asyncio.create_task(services.scheduler.fire_due())
                while locks._users[key] < 2:  # noqa: ASYNC110 (it waits for the lock)
                    await asyncio.sleep(0.001)
                assert await runs.count() == (0 if when.startswith("before") else 1)
                image = killed_copy(file)
            await firing
            return image

        image = asyncio.run_coroutine_threadsafe(fire_and_kill(), server.loop).result(60)
        client.runs.join(thread_id, client.runs.list(thread_id)[0].run_id)
    with Server(shared_graphs(), path=image, clock=clock) as server:
        move(server, clock, 0)
        client = server.sync_client()
        (run,) = client.runs.list(thread_id)
        assert client.runs.join(thread_id, run.run_id) == {"count": 2}
        due = client.crons.get(cron_id).next_run_date
        assert due is not None
        assert due > clock.now()


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("schedule", "down", "count"),
    [("0 0 * * 0", 3 * 24 * 3600, 1), ("0 * * * *", 5 * 3600, 2), ("0 * * * *", 60, 1)],
    ids=["nothing due for days", "hours missed", "at once"],
)
def test_a_cron_fires_once_for_a_kill_and_once_for_missed_dates(
    clock: Settable, tmp_path: Path, schedule: str, down: int, count: int
) -> None:
    """The date of the kill is not repeated, however late the next start; a missed one is due."""
    file, image = tmp_path / "state.db", tmp_path / "killed"
    with Server(shared_graphs(), path=file, clock=clock) as server:
        client = server.sync_client()
        thread_id = client.threads.create().thread_id
        options = {**_parameters(), "schedule": schedule}
        cron = client.crons.create_for_thread(thread_id, "counter", **options)
        assert cron.next_run_date is not None

        async def fire_and_kill() -> Path:
            services, key = server.services, f"cron {cron.cron_id}"
            async with asyncio.timeout(60), services.engine.locks.hold(key):
                clock.present = cron.next_run_date.timestamp() + 1
                firing = asyncio.create_task(services.scheduler.fire_due())
                while services.engine.locks._users[key] < 2:  # noqa: ASYNC110 (for the lock)
                    await asyncio.sleep(0.001)
                assert await services.storage.runs.count() == 1
                image = killed_copy(file)
            await firing
            return image

        image = asyncio.run_coroutine_threadsafe(fire_and_kill(), server.loop).result(60)
        client.runs.join(thread_id, client.runs.list(thread_id)[0].run_id)
    clock.present += down
    with Server(shared_graphs(), path=image, clock=clock) as server:
        client = server.sync_client()
        for _ in range(2):  # Old keys are deleted as new ones come.
            client.runs.wait(None, "counter", input={"count": 1}, headers={"Idempotency-Key": "a"})
        move(server, clock, 0)
        runs = client.runs.list(thread_id)
        assert len(runs) == count
        for run in runs:
            client.runs.join(thread_id, run.run_id)


def test_a_cron_whose_run_cannot_be_stored_now_fires_later(
    http: httpx.Client, ticking: Server, clock: Settable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile the others fire; it does so at the next look, within seconds."""
    path = f"/threads/{http.post('/threads', json={}).json()['thread_id']}/runs"
    ids = [http.post(f"{path}/crons", json=HOURLY).json()["cron_id"] for _ in range(2)]
    runs = ticking.services.runs

    class Unwilling:
        fired_at = runs.fired_at

        async def create(self, body: dict[str, Any], *args: Any, **options: Any) -> Any:
            if body["config"]["configurable"]["cron_id"] == ids[0]:
                raise Unavailable("not now")
            return await runs.create(body, *args, **options)

    def fired() -> list[str]:
        found = http.get(path).json()
        return sorted(run["kwargs"]["config"]["configurable"]["cron_id"] for run in found)

    scheduler = ticking.services.scheduler
    with monkeypatch.context() as patch:
        patch.setattr(scheduler, "_runs", Unwilling())
        clock.present += 3600
        firing = asyncio.run_coroutine_threadsafe(scheduler.fire_due(), ticking.loop)
        assert firing.result(60) == clock.present + 5.0
        assert fired() == [ids[1]]  # In here: the server looks, too, since the crons were made.
    move(ticking, clock, 0)
    assert fired() == sorted(ids)


def test_a_handler_that_hangs_for_one_user_does_not_stop_the_crons_of_others(
    clock: Settable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a limit the others fire. That cron does so once the handler answers again."""
    monkeypatch.setattr(scheduler, "_FIRE_SECONDS", 0.2)
    auth = Auth()
    hanging: set[str] = set()
    attempts: list[str] = []

    @auth.authenticate
    async def authenticate(authorization: str) -> str:
        return authorization

    @auth.on.threads.create_run
    async def allow(ctx: Any, value: Any) -> None:
        if ctx.user.identity in hanging:
            attempts.append(ctx.user.identity)
            await asyncio.Event().wait()

    with (
        Server(shared_graphs(), clock=clock, auth=auth) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        threads = {}
        for user in ("ann", "bob"):
            headers = {"authorization": user}
            thread_id = http.post("/threads", json={}, headers=headers).json()["thread_id"]
            threads[user] = f"/threads/{thread_id}/runs"
            http.post(f"{threads[user]}/crons", json=HOURLY, headers=headers)

        def counts() -> list[int]:
            runs = [http.get(path, headers={"authorization": u}) for u, path in threads.items()]
            return [len(reply.json()) for reply in runs]

        hanging.add("ann")
        # Otherwise the server's own look at the new crons would be another attempt.
        eventually(lambda: on_loop(server, lambda: server.services.scheduler.is_idle))
        move(server, clock, 3600)
        assert counts() == [0, 1]
        # Each attempt holds up the others, so the pause before the next one grows.
        for pause in (5, 10):
            move(server, clock, pause - 1)
            assert attempts == ["ann"]
            attempts.clear()
            move(server, clock, 1)
        hanging.clear()
        move(server, clock, 20)
        assert counts() == [1, 1]


def _parameters() -> dict[str, Any]:
    return {"schedule": "0 * * * *", "input": {"count": 1}}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"schedule": "often"}, 422, "Invalid cron schedule: 'often'"),
        ({"schedule": ",".join(["1"] * 1000) + " * * * *"}, 422, "Invalid cron schedule: '1,1,"),
        (
            {"schedule": "0 0 31 2 *"},
            400,
            "failed to find next date: the schedule names no day that",
        ),
        ({"timezone": "Mars/Base"}, 422, "Invalid timezone: 'Mars/Base'"),
        ({"assistant_id": "nope"}, 404, "Assistant 'nope' not found"),
        ({"schedule": None}, 422, "is not of type"),
        ({"enabled": "yes"}, 422, "is not of type"),
    ],
)
def test_a_wrong_cron_is_refused(
    http: httpx.Client, body: dict[str, Any], status: int, said: str
) -> None:
    """With the protocol's words."""
    response = http.post("/runs/crons", json={**HOURLY, **body})
    assert response.status_code == status
    assert said in response.json()["detail"]


def test_deleting_a_thread_deletes_its_crons(http: httpx.Client) -> None:
    """Nothing is left that could fire."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    http.post(f"/threads/{thread_id}/runs/crons", json=HOURLY)
    http.delete(f"/threads/{thread_id}")
    assert http.post("/runs/crons/count", json={}).json() == 0


def test_only_known_fields_are_kept(http: httpx.Client, ticking: Server, clock: Settable) -> None:
    """A field that the schema does not name changes neither a cron nor its runs."""
    other = http.post("/assistants", json={"graph_id": "counter"}).json()["assistant_id"]
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    path = f"/threads/{thread_id}/runs"
    odd = {"colour": "red", "command": 5, "checkpoint": "x", "after_seconds": "soon"}
    cron = http.post(f"{path}/crons", json={**HOURLY, **odd}).json()
    assert cron["payload"].keys() == {*HOURLY, "config"}
    changes = {**odd, "assistant_id": other, "multitask_strategy": 7, "enabled": True}
    cron = http.patch(f"/runs/crons/{cron['cron_id']}", json=changes).json()
    assert cron["payload"].keys() == {*HOURLY, "config", "enabled"}
    assert cron["payload"]["assistant_id"] == cron["assistant_id"] != other
    move(ticking, clock, 3600)
    (run,) = http.get(path).json()
    assert (run["assistant_id"], run["kwargs"]["command"]) == (cron["assistant_id"], None)
    assert http.get(f"{path}/{run['run_id']}/join").json() == {"count": 2}


def test_a_change_of_unknown_fields_is_an_empty_one(http: httpx.Client) -> None:
    """A PATCH of a cron without a known field is refused like an empty one."""
    cron = http.post("/runs/crons", json=HOURLY).json()
    refused = http.patch(f"/runs/crons/{cron['cron_id']}", json={"shedule": "1 * * * *"})
    assert (refused.status_code, refused.json()["detail"]) == (400, "Request body cannot be empty")


def _context_graph() -> Any:
    def seen(_: Count, runtime: Runtime[Settings]) -> dict[str, int]:
        return {"count": runtime.context["by"]}

    builder = StateGraph(Count, context_schema=Settings)
    return builder.add_node("seen", seen).add_edge(START, "seen").compile()


class Settings(TypedDict):
    by: int


def test_a_cron_with_a_context_starts_runs_with_it(clock: Settable) -> None:
    """The ids that the server keeps in a cron's config are no `configurable` beside the context."""
    with Server({"settings": _context_graph()}, clock=clock) as server:
        client = server.sync_client()
        thread_id = client.threads.create().thread_id
        client.crons.create_for_thread(
            thread_id, "settings", **_parameters() | {"context": {"by": 7}}
        )
        client.crons.create("settings", **_parameters(), context={"by": 7}, on_run_completed="keep")
        move(server, clock, 3600)
        found = client.threads.search()
        assert len(found) == 2
        for thread in found:
            (run,) = client.runs.list(thread.thread_id)
            assert client.runs.join(thread.thread_id, run.run_id) == {"count": 7}


def test_a_cron_has_no_context_beside_a_configurable(http: httpx.Client) -> None:
    """Its runs would be refused, one after the other, so the cron is; also when it is changed."""
    context, config = {"context": {"by": 7}}, {"config": {"configurable": {"model": "m"}}}
    told = "Cannot specify both configurable and context"
    refused = http.post("/runs/crons", json={**HOURLY, **context, **config})
    assert (refused.status_code, refused.json()["detail"][: len(told)]) == (400, told)
    for first, second in ((context, config), (config, context)):
        cron = http.post("/runs/crons", json={**HOURLY, **first}).json()
        path = f"/runs/crons/{cron['cron_id']}"
        assert http.patch(path, json=second).status_code == 400
        assert http.get(path).json() == cron
        assert http.patch(path, json=first).status_code == 200
