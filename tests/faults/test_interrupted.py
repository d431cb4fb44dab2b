"""A Ctrl-C in blocking code: nothing goes on in the background."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any

import pytest

from langgraph_client import get_sync_client
from tests.support.eventually import eventually
from tests.support.raw_server import EVENTS, Asked, Send, raw_server


def readers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "langgraph-client-reader"]


def interrupt_after_start(frame: FrameType, event: str, argument: Any) -> None:
    """Raise what a Ctrl-C raises right after a thread was started."""
    if event == "return" and frame.f_code is threading.Thread.start.__code__:
        raise KeyboardInterrupt


def test_a_thread_stream_that_is_interrupted_while_it_opens_is_closed() -> None:
    """Its reader ends, although `with` calls no `__exit__` for it."""
    before = readers()
    is_over = threading.Event()

    def answer(asked: Asked, send: Send) -> None:
        send(EVENTS)
        is_over.wait(60)

    with raw_server(answer) as server, get_sync_client(url=server.url) as client:
        stream = client.threads.stream("t", assistant_id="agent")
        sys.setprofile(interrupt_after_start)
        try:
            with pytest.raises(KeyboardInterrupt):
                stream.__enter__()
        finally:
            sys.setprofile(None)
        eventually(lambda: readers() == before)
        is_over.set()
