"""Work in the background, such as stopping the run of a stream, where threads are scarce."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from langgraph_client._io.threads import Background

TOO_LARGE = 2**45  # Bytes of a stack that no system has: no thread can be started.


@contextmanager
def no_new_threads() -> Iterator[None]:
    before = threading.stack_size(TOO_LARGE)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_work_is_done_also_where_no_thread_can_be_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The worker does it itself, and goes on to take work."""
    background = Background()
    done: list[int] = []
    with no_new_threads():
        for number in range(2):
            background.finish(lambda: done.append(number), "work", 30)  # noqa: B023
    background.finish(lambda: done.append(2), "work", 30)
    assert done == [0, 1, 2]
    assert not caplog.messages


def test_a_worker_that_could_not_be_started_is_started_later() -> None:
    """What it was to do meanwhile is done then."""
    program = f"""if True:
        import os, threading
        from langgraph_client._io.threads import Background
        before = threading.stack_size({TOO_LARGE})
        background = Background()
        # One write each: two threads that print may write both texts before both ends of line.
        background.start_soon(lambda: os.write(1, b"first\\n"), "work")
        threading.stack_size(before)
        Background().finish(lambda: os.write(1, b"second\\n"), "work", 30)
    """
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True
    )
    assert sorted(told.stdout.split()) == ["first", "second"], told
    assert not told.stderr
