"""Readers that leave, or do not read: nobody waits for them."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server
from langgraph_client.server.runs.event_log import BACKLOG
from langgraph_client.server.runs.stored_events import RUN_DONE
from langgraph_client.server.storage.protocol import Event
from tests.support.eventually import aeventually, eventually
from tests.support.hosted import Gate, hosted

BASE = "http://test"


class Numbers(TypedDict, total=False):
    n: int


async def talk(state: Numbers) -> Numbers:
    """Say more than the server keeps for a reader who does not read."""
    write = get_stream_writer()
    for number in range(state["n"]):
        write("x" * 1000)
        if number % 50 == 0:
            await asyncio.sleep(0)
    return {"n": state["n"]}


def talking() -> Any:
    return StateGraph(Numbers).add_node("talk", talk).add_edge(START, "talk").compile()


def body(n: int, **more: Any) -> dict[str, Any]:
    return {"assistant_id": "talk", "input": {"n": n}, "stream_mode": "custom", **more}


async def test_cancelled_anywhere_a_stream_holds_nobody_up() -> None:
    """Wherever a reader is cancelled, while opening or reading, its run comes to its end."""
    chance = random.Random(1)
    async with Server({"talk": talking()}) as server:
        transport = server.async_transport()
        async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as http:
            paths = []

            async def read(thread_id: str) -> None:
                path = f"/threads/{thread_id}/runs/stream"
                given = body(3000, on_disconnect="continue")
                async with http.stream("POST", path, json=given) as answer:
                    async for _ in answer.aiter_raw():
                        pass

            for _ in range(60):
                thread_id = (await http.post("/threads", json={})).json()["thread_id"]
                task = asyncio.create_task(read(thread_id))
                await asyncio.sleep(chance.random() * 0.004)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                paths.append(f"/threads/{thread_id}/runs")
            ended = []
            for path in paths:
                for run in (await http.get(path)).json():
                    await http.get(f"{path}/{run['run_id']}/join")
                    ended.append((await http.get(f"{path}/{run['run_id']}")).json()["status"])
            assert set(ended) == {"success"}  # Of those whose reader was not cancelled before.


async def test_cancelled_anywhere_cancels_its_run() -> None:
    """With `on_disconnect="cancel"` a run ends when its reader is cancelled, wherever that is."""
    chance = random.Random(2)
    gate = Gate()
    async with Server(hosted(gate)) as server:
        transport = server.async_transport()
        async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as http:
            for kind in ("stream", "wait"):
                for _ in range(20):
                    given = {"assistant_id": "gate", "input": {}, "on_disconnect": "cancel"}
                    task = asyncio.create_task(http.post(f"/runs/{kind}", json=given))
                    await asyncio.sleep(chance.random() * 0.04)
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            async with asyncio.timeout(60):
                while (await _numbers(http)) != (0, 0):  # noqa: ASYNC110 (told over HTTP)
                    await asyncio.sleep(0.01)


async def _numbers(http: httpx.AsyncClient) -> tuple[int, int]:
    queue = (await http.get("/metrics", params={"format": "json"})).json()["queue"]
    return queue["n_pending"], queue["n_running"]


def test_a_stalled_reader_in_process_is_dropped() -> None:
    """Its run goes on without it, and it is told what happened when it reads again."""
    with (
        Server({"talk": talking()}, send_timeout=2) as server,
        httpx.Client(transport=server.transport(), base_url=BASE, timeout=60) as http,
    ):
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        runs = f"/threads/{thread_id}/runs"
        given = body(5000, on_disconnect="continue", stream_resumable=True)
        with http.stream("POST", f"{runs}/stream", json=given) as answer:
            path = answer.headers["content-location"]
            assert http.get(f"{path}/join").json() == {"n": 5000}
            assert http.get(path).json()["status"] == "success"
            with pytest.raises(httpx.RemoteProtocolError, match="not read for 2 s"):
                answer.read()
        server.send_timeout = 60  # Enough for the next reader, which does read.
        again = http.get(f"{path}/stream", headers={"last-event-id": "-"}).text
        assert again.count("event: custom") == 5000


@pytest.mark.parametrize("modes", ["[[1]]", '[{"a": 1}]', '["custom", 1]'])
def test_a_refused_join_holds_nobody_up(modes: str) -> None:
    """A join with modes that are no texts is 422, and the run does not wait for its reader."""
    gate = Gate()

    async def held(state: Numbers) -> Numbers:
        await gate.hold()
        return {}

    graph = StateGraph(Numbers).add_node("held", held).add_node("talk", talk)
    talks = graph.add_edge(START, "held").add_edge("held", "talk").compile()
    with (
        Server({"talk": talks}) as server,
        httpx.Client(transport=server.transport(), base_url=BASE, timeout=60) as http,
    ):
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        run = http.post(f"/threads/{thread_id}/runs", json=body(3000)).json()
        path = f"/threads/{thread_id}/runs/{run['run_id']}"
        gate.arrived()
        refused = http.get(f"{path}/stream", params={"stream_mode": modes})
        gate.open()
        eventually(lambda: http.get(path).json()["status"] == "success")
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("stream_mode must be")


def stalled(url: httpx.URL, given: dict[str, Any]) -> socket.socket:
    """Open a stream over a socket that takes in little, and read nothing of it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((url.host, url.port))
    sent = json.dumps(given).encode()
    head = f"POST /runs/stream HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(sent)}\r\n\r\n"
    made.sendall(head.encode() + sent)
    return made


def test_stalled_readers_on_a_port_do_not_stop_the_server() -> None:
    """As many of them as runs may run at a time are dropped, and somebody else is served."""
    with Server({"talk": talking()}, max_runs=3, send_timeout=0.2) as server:
        url = httpx.URL(server.listen())
        left = [stalled(url, body(20_000, on_disconnect="continue")) for _ in range(3)]
        with httpx.Client(base_url=url, timeout=60) as http:
            given = {"assistant_id": "talk", "input": {"n": 1}}
            assert http.post("/runs/wait", json=given).json() == {"n": 1}
        for one in left:
            one.close()


def test_a_slow_reader_is_a_reader() -> None:
    """One who takes a little at a time gets everything, however long that takes."""
    with Server({"talk": talking()}, send_timeout=5) as server:
        slow = stalled(httpx.URL(server.listen()), body(1000))
        got, began = 0, time.monotonic()
        while part := slow.recv(16_384):
            got += part.count(b"event: custom")
            if part.endswith(b"0\r\n\r\n"):
                break
            if time.monotonic() - began < 7:
                time.sleep(0.05)
        slow.close()
        assert got > 900  # Those across two parts are not counted.


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What is logged at warning or above, by anybody."""
    found: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = found.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)


def test_clients_that_go_leave_no_traceback(logged: list[logging.LogRecord]) -> None:
    """In the middle of a request, before an answer, or in the middle of a stream."""
    gate = Gate()
    with Server({**hosted(gate), "talk": talking()}) as server:
        url = httpx.URL(server.listen())
        with socket.create_connection((url.host, url.port or 0)) as half:
            head = b"POST /runs/wait HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"
            half.sendall(head)
        for path, given in (
            ("/runs/wait", {"assistant_id": "gate", "input": {}, "on_disconnect": "cancel"}),
            ("/runs/stream", {"assistant_id": "gate", "input": {}, "on_disconnect": "cancel"}),
            ("/runs/stream", body(5000, on_disconnect="cancel")),
        ):
            with socket.create_connection((url.host, url.port or 0)) as made:
                sent = json.dumps(given).encode()
                head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(sent)}"
                made.sendall(head.encode() + b"\r\n\r\n" + sent)
                if given["assistant_id"] == "gate":
                    gate.arrived()
                else:
                    made.recv(1000)
        with httpx.Client(base_url=url, timeout=60) as http:
            metrics = partial(http.get, "/metrics", params={"format": "json"})
            eventually(lambda: metrics().json()["queue"]["n_running"] == 0)
    assert [record.getMessage() for record in logged] == []


def test_requests_that_begin_while_the_server_stops_are_answered() -> None:
    """Each caller gets an answer or an error, none waits for ever."""
    ended: list[str] = []

    def ask(server: Server) -> None:
        with httpx.Client(transport=server.transport(), base_url=BASE, timeout=None) as http:
            while True:
                try:
                    http.get("/ok")
                except httpx.HTTPError as error:
                    ended.append(type(error).__name__)
                    return

    for _ in range(5):
        with Server({"talk": talking()}) as server:
            threads = [threading.Thread(target=ask, args=(server,)) for _ in range(5)]
            for one in threads:
                one.start()
        for one in threads:
            one.join(60)
            assert not one.is_alive()
    assert len(ended) == 25


def test_the_log_of_a_thread_stays_for_a_reader_that_is_about_to_read() -> None:
    """Another reader of the same thread leaves meanwhile; the last one takes the log along."""
    with Server({}) as server:
        logs = server.services.engine.thread_logs
        log = logs.open("t")
        assert logs.open("t") is log
        logs.drop("t")
        assert logs.get("t") is log
        logs.drop("t")
        assert "t" not in logs


async def test_a_run_waits_for_a_slow_reader_of_its_thread() -> None:
    """As for one of the run itself: the events that it has not read yet do not fill the memory."""
    async with Server({"talk": talking()}) as server:
        engine = server.services.engine
        sizes: list[int] = []

        async def read_slowly(thread_id: str) -> None:
            log = await engine.watch(thread_id)
            reader = log.read()
            try:
                batch: list[Event] = []
                while not batch or RUN_DONE.encode() not in batch[-1].data:
                    for _ in range(300):  # Turns of the loop in which the run may go on.
                        await asyncio.sleep(0)
                    batch = await anext(reader)
                    sizes.append(len(batch))
            finally:
                reader.close()
                engine.thread_logs.drop(thread_id)

        transport = server.async_transport()
        async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as http:
            thread_id = (await http.post("/threads", json={})).json()["thread_id"]
            reading = asyncio.run_coroutine_threadsafe(read_slowly(thread_id), server.loop)
            await aeventually(lambda: thread_id in engine.thread_logs)
            await http.post(f"/threads/{thread_id}/runs/wait", json=body(5000))
            await asyncio.wait_for(asyncio.wrap_future(reading), 60)
        assert sum(sizes) > 5000
        assert max(sizes) < BACKLOG + 100
