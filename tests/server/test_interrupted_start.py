"""A start that is given up leaves nothing behind: no thread, no port, no lock on the file."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client.server.loop_watch import frames_of_threads
from langgraph_client.server.server import Server
from tests.support.eventually import eventually


class SlowSaver:
    """Creates savers that are never opened."""

    def __init__(self) -> None:
        self.is_opening = threading.Event()
        self.ended: list[type[BaseException]] = []

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[BaseCheckpointSaver[str], None]:
        self.is_opening.set()
        try:
            await asyncio.Event().wait()
            yield InMemorySaver()
        except BaseException as error:
            self.ended.append(type(error))
            raise


@pytest.fixture
def saver() -> Iterator[SlowSaver]:
    saver = SlowSaver()
    yield saver
    assert saver.ended == [asyncio.CancelledError]


def assert_free(path: Path) -> None:
    with Server({}, path=path) as server:  # Refused while another server has the file.
        assert server.sync_client().threads.create()["thread_id"]


def interrupt_start(saver: SlowSaver) -> None:
    """Send Ctrl-C to the main thread, once it waits for the server, which opens the saver."""
    assert saver.is_opening.wait(60)
    main = threading.main_thread().ident
    assert main is not None

    def waits() -> bool:
        frame = frames_of_threads()[main]
        while frame.f_back is not None and frame.f_code.co_name != "result":
            frame = frame.f_back
        return frame.f_code.co_name == "result"

    eventually(waits)
    signal.pthread_kill(main, signal.SIGINT)


def test_ctrl_c_ends_a_start(saver: SlowSaver, tmp_path: Path) -> None:
    """The interrupt is raised at once, and the server can be started again."""
    server = Server({}, path=tmp_path / "state.db", checkpointer=saver.open)
    sending = threading.Thread(target=interrupt_start, args=(saver,))
    sending.start()
    with pytest.raises(KeyboardInterrupt):
        server.start()
    sending.join()
    assert_free(tmp_path / "state.db")


async def test_a_cancelled_start_is_undone(saver: SlowSaver, tmp_path: Path) -> None:
    """`async with` of a server within a time limit leaves no server when the limit is over."""
    server = Server({}, path=tmp_path / "state.db", checkpointer=saver.open)
    starting = asyncio.ensure_future(server.__aenter__())
    await asyncio.to_thread(saver.is_opening.wait, 60)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await asyncio.to_thread(assert_free, tmp_path / "state.db")


def test_a_server_that_is_closed_while_it_starts(saver: SlowSaver, tmp_path: Path) -> None:
    """`start` raises, and names the reason."""
    server = Server({}, path=tmp_path / "state.db", checkpointer=saver.open)
    url = server.listen()

    def close() -> None:
        saver.is_opening.wait(60)
        server.close()

    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(RuntimeError, match="closed while it started"):
        server.start()
    closing.join()
    assert url is not None
    assert server.url is None
    assert_free(tmp_path / "state.db")
