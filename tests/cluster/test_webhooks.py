"""Webhooks arrive at least once, whichever process dies."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from langgraph_client.server.server import Server
from tests.cluster.processes import Process
from tests.support.postgres import binaries, cluster
from tests.support.webhook_receiver import WebhookReceiver


@pytest.fixture
def hook() -> Iterator[WebhookReceiver]:
    """A URL that keeps what it is sent."""
    receiver = WebhookReceiver()
    yield receiver
    receiver.close()


@pytest.mark.parametrize("storage", ["sqlite", "postgres"])
def test_a_killed_process_loses_no_webhook(
    storage: str, tmp_path: Path, hook: WebhookReceiver
) -> None:
    """After kill -9 the next process on the file, or another one on the database, sends it."""
    if storage == "postgres" and binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    database = cluster().fresh() if storage == "postgres" else str(tmp_path / "state.db")
    hook.answers = [503]
    process = Process(database, tmp_path / "effects")
    other = Process(database, tmp_path / "effects") if storage == "postgres" else process
    try:
        for one in {process, other}:
            one.start()
            one.wait()
        url = f"http://127.0.0.1:{process.port}"
        body = {"assistant_id": "quick", "input": {"log": []}, "webhook": hook.url}
        assert httpx.post(f"{url}/runs/wait", json=body, timeout=60).status_code == 200
        told, first = hook.got.get(timeout=60), hook.ids.get(timeout=60)
        process.kill()
        for kept in (hook.got, hook.ids):
            while not kept.empty():
                kept.get()
        hook.answers = [200]
        if other is process:
            process.start()
        assert hook.got.get(timeout=120) == told
        assert hook.ids.get(timeout=60) == first == told["run_id"]
    finally:
        process.kill()
        other.kill()
        if storage == "postgres":
            cluster().drop(database)


def test_what_a_dead_process_left_is_sent_by_one_of_the_others(
    pair: Any, hook: WebhookReceiver
) -> None:
    """Of all that look for webhooks at the same time, one sends each, and nothing is left."""
    count = 30

    async def leave(server: Server) -> None:
        for number in range(count):
            await server.services.storage.webhook_deliveries.put(
                {
                    "run_id": f"run-{number}",
                    "url": hook.url,
                    "body": f'{{"number":{number}}}',
                    "attempts": 0,
                    "created_at": server.services.clock.stamp(),
                    "due_at": server.services.clock.stamp(),
                }
            )

    async def send(server: Server) -> None:
        async with asyncio.timeout(60):
            while await server.services.storage.webhook_deliveries.count():
                await server.services.webhooks.send_due()
                await asyncio.sleep(0.01)

    first, second = pair.servers
    asyncio.run_coroutine_threadsafe(leave(first), first.loop).result(60)
    sending = [asyncio.run_coroutine_threadsafe(send(one), one.loop) for one in (first, second)]
    for future in sending:
        future.result(60)
    numbers = sorted(hook.got.get(timeout=1)["number"] for _ in range(count))
    assert numbers == list(range(count))
    with pytest.raises(queue.Empty):
        hook.got.get(timeout=0.2)
