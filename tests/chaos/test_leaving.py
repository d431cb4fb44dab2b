"""Leaving streams from elsewhere, by signals and with the interpreter; and many of them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from langgraph_client import ScriptedGraph, Server, get_client, get_sync_client
from langgraph_client.server.graphs.script_steps import Wait
from langgraph_client.server.http import streaming
from tests.chaos.leaving import dropped, more


@pytest.fixture(scope="module")
def slow() -> Iterator[str]:
    """The URL of a server whose runs say something, and then take an hour, without a heartbeat."""
    with (
        pytest.MonkeyPatch.context() as patch,
        Server({"slow": ScriptedGraph([{"n": 1}, Wait(3600)])}) as running,
    ):
        patch.setattr(streaming, "HEARTBEAT_SECONDS", 3600.0)
        yield running.listen()


def test_nothing_stays_of_many_streams() -> None:
    """Whatever the way of leaving, no connection, thread or task is left."""
    for colour, before, after in dropped(120):
        assert not more(after, before), (colour, before, after)


def test_another_thread_closes(slow: str) -> None:
    """A thread that waits for an event is woken at once, without an error."""
    with get_sync_client(url=slow) as client:
        stream = client.runs.stream(None, "slow", input={}, on_disconnect="cancel")
        seen = [next(stream) for _ in range(3)]
        reader = threading.Thread(target=lambda: seen.extend(stream))
        reader.start()
        stream.close()
        reader.join(60)  # No heartbeat has woken it.
        assert not reader.is_alive()
    assert len(seen) == 3


async def test_another_task_closes(slow: str) -> None:
    """A task that reads a stream ends when another task closes the stream."""
    async with get_client(url=slow) as client:
        stream = client.runs.stream(None, "slow", input={}, on_disconnect="cancel")
        seen = [await anext(stream) for _ in range(3)]

        async def read() -> None:
            seen.extend([part async for part in stream])

        reader = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        await stream.aclose()
        async with asyncio.timeout(60):
            await reader
    assert len(seen) == 3


async def test_a_cancelled_task_frees_its_connection(slow: str) -> None:
    """Cancelling the reader is leaving: the run that hangs on it is cancelled, too."""
    async with get_client(url=slow) as client:
        thread = await client.threads.create()
        stream = client.runs.stream(thread.thread_id, "slow", input={}, on_disconnect="cancel")
        opened = asyncio.Event()

        async def read() -> None:
            async for _ in stream:
                opened.set()

        reader = asyncio.ensure_future(read())
        await opened.wait()
        reader.cancel()
        await asyncio.wait([reader])
        assert reader.cancelled()
        await client.runs.join(thread.thread_id, stream.run_id or "")


BLOCKING = """
from langgraph_client import get_sync_client
client = get_sync_client(url={url!r})
stream = client.runs.stream(None, "slow", input={{}}, on_disconnect="cancel")
next(stream)
print("open", flush=True)
"""
ASYNC = """
import asyncio
from langgraph_client import get_client
async def main():
    async with get_client(url={url!r}) as client:
        stream = client.runs.stream(None, "slow", input={{}}, on_disconnect="cancel")
        await anext(stream)
        print("open", flush=True)
        {then}
asyncio.run(main())
"""
UNCLOSED = """
import asyncio
from langgraph_client import get_client
async def main():
    client = get_client(url={url!r})
    stream = client.runs.stream(None, "slow", input={{}}, on_disconnect="cancel")
    await anext(stream)
    print("open", flush=True)
asyncio.run(main())
"""


def process(program: str, warnings: str = "error") -> subprocess.Popen[str]:
    """A Python that runs this, and by default fails loudly."""
    return subprocess.Popen(
        [sys.executable, "-W", warnings, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("program", "warnings"),
    # Of an async client that is never closed, Python itself tells those who ask for all warnings.
    [(BLOCKING, "error"), (ASYNC, "error"), (UNCLOSED, "default::DeprecationWarning")],
    ids=["blocking", "async", "async, unclosed"],
)
def test_the_interpreter_may_exit(slow: str, program: str, warnings: str) -> None:
    """An open stream holds nobody up at exit, and nothing is complained of."""
    with process(program.format(url=slow, then="return"), warnings) as running:
        said, complained = running.communicate(timeout=120)
    assert (said, complained, running.returncode) == ("open\n", "", 0)


@pytest.mark.parametrize("program", [BLOCKING + "\nlist(stream)", ASYNC], ids=["blocking", "async"])
def test_control_c(slow: str, program: str) -> None:
    """While an event is waited for, it ends the program as anywhere else."""
    then = "[part async for part in stream]"
    with process(program.format(url=slow, then=then)) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "open\n"
        running.send_signal(signal.SIGINT)
        _, complained = running.communicate(timeout=120)
    lines = complained.strip().splitlines()
    assert lines[-1] == "KeyboardInterrupt"
    assert "Exception ignored" not in complained
    assert "Warning" not in complained
