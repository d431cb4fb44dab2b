"""Random calls of every kind, many at a time, some of them cancelled; then what must be true is."""

from __future__ import annotations

import asyncio
import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Annotated, Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from langgraph_client.server.server import Server
from langgraph_client.server.storage.shared import FIRST_RUN_ID
from tests.support.engine import is_at_rest
from tests.support.eventually import aeventually

AT_ONCE = 20
STEPS = int(os.environ.get("MODEL_STEPS", "2000"))
SEEDS = [int(seed) for seed in os.environ.get("MODEL_SEED", "1").split(",")]
"""Other walks: `MODEL_SEED=2,3 MODEL_STEPS=100000 pytest tests/server/test_model.py`."""
LIMIT = 60.0
"""Seconds within which every call has to return."""


def _added(one: list[Any], other: list[Any]) -> list[Any]:
    return one + other


class State(TypedDict, total=False):
    log: Annotated[list[str], _added]


def graphs() -> dict[str, Any]:
    """Graphs that are over soon, take some steps, wait for an answer, fail, or exit."""

    async def soon(state: State) -> State:
        return {"log": ["soon"]}

    async def slow(state: State) -> State:
        await asyncio.sleep(0.005)
        return {"log": ["slow"]}

    async def ask(state: State) -> State:
        return {"log": [str(interrupt("?"))]}

    async def fail(state: State) -> State:
        raise ValueError("no")

    async def leave(state: State) -> State:
        raise SystemExit(3)

    def row(*nodes: Any) -> Any:
        builder = StateGraph(State)
        for number, node in enumerate(nodes):
            builder.add_node(f"{node.__name__}{number}", node)
        names = [START, *(f"{node.__name__}{number}" for number, node in enumerate(nodes))]
        for before, after in pairwise(names):
            builder.add_edge(before, after)
        return builder.compile()

    return {
        "soon": row(soon),
        "slow": row(slow, soon, slow, slow),
        "ask": row(slow, ask, soon),
        "fail": row(slow, fail),
        "leave": row(leave),
    }


class Walk:
    """One walk: what exists as far as its calls know, and the calls that may come next."""

    def __init__(self, http: httpx.AsyncClient, seed: int) -> None:
        self.http = http
        self.chance = random.Random(seed)
        self.threads: list[str] = []
        self.runs: list[tuple[str, str]] = []
        self.crons: list[str] = []
        self.assistants: list[str] = list(graphs())
        self.keys = [str(uuid.UUID(int=self.chance.getrandbits(128))) for _ in range(5)]
        self.calls = Counter[str]()
        self.answers = Counter[int]()
        self.kinds: list[Callable[[], Awaitable[None]]] = [
            getattr(self, name) for name in sorted(dir(Walk)) if name.startswith("call_")
        ]

    async def step(self) -> None:
        """Make one call; one of ten is cancelled on its way."""
        kind = self.chance.choice(self.kinds)
        self.calls[kind.__name__] += 1
        task = asyncio.ensure_future(kind())
        if self.chance.random() < 0.1:
            await asyncio.wait([task], timeout=self.chance.random() * 0.02)
            task.cancel()
        done, _ = await asyncio.wait([task], timeout=LIMIT)
        assert done, f"{kind.__name__} does not return"
        if not task.cancelled():
            task.result()

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        response = await self.http.request(method, path, json=body, **options)
        self.answers[response.status_code] += 1
        assert response.status_code < 500, (method, path, body, response.text)
        return response.json() if response.status_code == 200 and response.content else None

    async def read(self, method: str, path: str, body: Any = None, **options: Any) -> None:
        """Read a stream, to its end or for a while."""
        leave_after = self.chance.choice([1, 2, 1000])
        async with self.http.stream(method, path, json=body, **options) as response:
            self.answers[response.status_code] += 1
            assert response.status_code < 500
            self.note_run(response.headers.get("content-location", ""))
            async for _ in response.aiter_raw():
                leave_after -= 1
                if leave_after == 0:
                    break

    def note_run(self, path: str) -> None:
        parts = path.split("/")
        if len(parts) == 5:
            self.runs = [*self.runs[-60:], (parts[2], parts[4])]

    def thread(self) -> str:
        return self.chance.choice(self.threads or [str(uuid.UUID(int=7))])

    def run_path(self) -> str:
        thread, run = self.chance.choice(self.runs or [(self.thread(), str(uuid.UUID(int=7)))])
        return f"/threads/{thread}/runs/{run}"

    def body(self) -> dict[str, Any]:
        chance = self.chance
        body: dict[str, Any] = {
            "assistant_id": chance.choice(self.assistants),
            "input": {"log": ["in"]},
            "stream_mode": ["updates", "values"],
            "on_disconnect": chance.choice(["cancel", "continue"]),
            "stream_resumable": chance.random() < 0.5,
            "durability": chance.choice(["sync", "async", "exit"]),
        }
        if chance.random() < 0.1:
            body["after_seconds"] = 1
        return body

    def on_thread(self) -> dict[str, Any]:
        strategies = ["enqueue", "reject", "interrupt", "rollback"]
        body = {**self.body(), "multitask_strategy": self.chance.choice(strategies)}
        if self.chance.random() < 0.2:
            del body["input"]
            body["command"] = {"resume": "yes"}
        if self.chance.random() < 0.2:
            body["if_not_exists"] = "create"
        return body

    def key(self) -> dict[str, str]:
        some = self.chance.random() < 0.2
        return {"idempotency-key": self.chance.choice(self.keys)} if some else {}

    # The kinds of calls.

    async def call_thread_create(self) -> None:
        body: dict[str, Any] = {"metadata": {"graph_id": "slow"}}
        if self.chance.random() < 0.3:
            body |= {"thread_id": self.thread(), "if_exists": "do_nothing"}
        if self.chance.random() < 0.3:
            body["ttl"] = {"ttl": 60}
        if made := await self.ask("POST", "/threads", body):
            self.threads = [*self.threads[-15:], made["thread_id"]]

    async def call_thread_get(self) -> None:
        await self.ask("GET", f"/threads/{self.thread()}")

    async def call_thread_patch(self) -> None:
        body = {"metadata": {"k": self.chance.random()}, "ttl": {"ttl": 60}}
        await self.ask("PATCH", f"/threads/{self.thread()}", body)

    async def call_thread_delete(self) -> None:
        await self.ask("DELETE", f"/threads/{self.thread()}")

    async def call_thread_search(self) -> None:
        await self.ask("POST", "/threads/search", {"metadata": {"graph_id": "slow"}, "limit": 3})

    async def call_thread_count(self) -> None:
        await self.ask("POST", "/threads/count", {"status": "busy"})

    async def call_thread_copy(self) -> None:
        await self.ask("POST", f"/threads/{self.thread()}/copy")

    async def call_thread_prune(self) -> None:
        strategy = self.chance.choice(["delete", "keep_latest"])
        await self.ask(
            "POST", "/threads/prune", {"thread_ids": [self.thread()], "strategy": strategy}
        )

    async def call_thread_stream(self) -> None:
        path = f"/threads/{self.thread()}/stream"
        try:
            async with asyncio.timeout(0.05):
                await self.read("GET", path, headers={"last-event-id": "-"})
        except TimeoutError:
            pass

    async def call_run_create(self) -> None:
        path = f"/threads/{self.thread()}/runs"
        if made := await self.ask("POST", path, self.on_thread(), headers=self.key()):
            self.note_run(f"/threads/{made['thread_id']}/runs/{made['run_id']}")

    async def call_run_wait(self) -> None:
        path = f"/threads/{self.thread()}/runs/wait"
        await self.ask("POST", path, self.on_thread(), headers=self.key())

    async def call_run_stream(self) -> None:
        path = f"/threads/{self.thread()}/runs/stream"
        await self.read("POST", path, self.on_thread(), headers=self.key())

    async def call_stateless_create(self) -> None:
        if made := await self.ask("POST", "/runs", self.body(), headers=self.key()):
            self.note_run(f"/threads/{made['thread_id']}/runs/{made['run_id']}")

    async def call_stateless_wait(self) -> None:
        await self.ask("POST", "/runs/wait", self.body(), headers=self.key())

    async def call_stateless_stream(self) -> None:
        await self.read("POST", "/runs/stream", self.body(), headers=self.key())

    async def call_batch(self) -> None:
        await self.ask("POST", "/runs/batch", [self.body(), self.body()])

    async def call_run_join(self) -> None:
        await self.ask("GET", f"{self.run_path()}/join")

    async def call_run_join_stream(self) -> None:
        options: dict[str, Any] = {"headers": {"last-event-id": "-"}}
        if self.chance.random() < 0.3:
            options["params"] = {"cancel_on_disconnect": "true"}
        await self.read("GET", f"{self.run_path()}/stream", **options)

    async def call_run_cancel(self) -> None:
        action = self.chance.choice(["interrupt", "rollback"])
        params = {"action": action, "wait": self.chance.choice(["0", "1"])}
        await self.ask("POST", f"{self.run_path()}/cancel", params=params)

    async def call_runs_cancel(self) -> None:
        if self.chance.random() < 0.3:
            await self.ask("POST", "/runs/cancel", {"status": "pending"})

    async def call_run_delete(self) -> None:
        await self.ask("DELETE", self.run_path())

    async def call_run_get(self) -> None:
        await self.ask("GET", self.run_path())

    async def call_runs_list(self) -> None:
        await self.ask("GET", f"/threads/{self.thread()}/runs")

    async def call_state_get(self) -> None:
        await self.ask("GET", f"/threads/{self.thread()}/state")

    async def call_state_update(self) -> None:
        await self.ask("POST", f"/threads/{self.thread()}/state", {"values": {"log": ["u"]}})

    async def call_state_history(self) -> None:
        await self.ask("POST", f"/threads/{self.thread()}/history", {"limit": 5})

    async def call_cron_create(self) -> None:
        path = self.chance.choice(["/runs/crons", f"/threads/{self.thread()}/runs/crons"])
        body = {"assistant_id": "soon", "schedule": "* * * * *", "input": {"log": []}}
        if made := await self.ask("POST", path, body):
            self.crons = [*self.crons[-5:], made["cron_id"]]

    async def call_cron_change(self) -> None:
        path = f"/runs/crons/{self.chance.choice(self.crons or [self.thread()])}"
        if self.chance.random() < 0.5:
            await self.ask("DELETE", path)
        else:
            await self.ask("PATCH", path, {"enabled": True})

    async def call_assistant(self) -> None:
        """Make an assistant, use it, change it, delete it."""
        made = await self.ask("POST", "/assistants", {"graph_id": "soon"})
        path = f"/assistants/{made['assistant_id']}"
        await self.ask("POST", "/runs", {"assistant_id": made["assistant_id"], "input": {}})
        await self.ask("PATCH", path, {"name": "other"})
        await self.ask("DELETE", path)


async def walk(http: httpx.AsyncClient, seed: int, steps: int) -> Walk:
    """Make so many calls, always some at a time."""
    made = Walk(http, seed)
    left = iter(range(steps))

    async def go() -> None:
        for _ in left:
            await made.step()

    await asyncio.gather(*(go() for _ in range(AT_ONCE)))
    return made


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_calls_leave_the_server_sound(seed: int) -> None:
    """Every call returns, none with a 5xx; then the engine is at rest, and no row has lost what it
    belongs to."""
    with Server(graphs(), max_runs=5) as server:
        transport = server.async_transport()
        async with httpx.AsyncClient(
            transport=transport, base_url="http://server", timeout=None
        ) as http:
            made = await walk(http, seed, STEPS)
            await http.post("/runs/cancel", json={"status": "all"})
        assert len(made.calls) >= 23
        assert made.answers[200] > STEPS / 4
        done = asyncio.run_coroutine_threadsafe(at_rest(server), server.loop)
        await asyncio.wrap_future(done)


async def at_rest(server: Server, *, is_shared: bool = False) -> None:
    """Check the server on its own loop.

    Where servers share a database, the events of a temporary run stay for some minutes if another
    server was reading them, as long as its result.
    """
    services = server.services
    await aeventually(lambda: is_at_rest(services.engine), LIMIT)
    tables = await services.storage.export()
    rows = {
        name: [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        for name, table in tables.items()
    }
    threads = {row["thread_id"]: row["status"] for row in rows.get("threads", ())}
    assert "busy" not in threads.values()
    assert {row["status"] for row in rows.get("runs", ())}.isdisjoint({"pending", "running"})
    runs = {row["run_id"] for row in rows.get("runs", ())}
    # Only those that `with_end` keeps, which tell a later deletion of the run what to undo.
    for control in rows.get("run_controls", ()):
        document = control["doc"]
        if isinstance(document, str):
            document = json.loads(document)
        assert document.keys() == {"run_id", "thread_id", "mark", "latest"}
        assert control["run_id"] in runs
    if is_shared:
        results = await services.storage.connections.rows("SELECT run_id FROM run_results")
        read = {run_id for (run_id,) in results}
        rows["events"] = [row for row in rows.get("events", ()) if row["run_id"] not in read]
    for name, found in rows.items():
        if found and "thread_id" in found[0]:
            owners = {row["thread_id"] for row in found} - {None}
            assert owners <= set(threads), f"{name} has rows of threads that do not exist"
    of_runs = {row["run_id"] for row in rows.get("events", ()) if row["run_id"] >= FIRST_RUN_ID}
    assert of_runs <= runs
