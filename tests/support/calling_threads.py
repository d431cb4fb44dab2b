"""Threads that are within a call of a client."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import langgraph_client
from langgraph_client.server.loop_watch import frames_of_threads
from tests.support.eventually import eventually

_PACKAGE = Path(langgraph_client.__file__).parent
_CALLS = (str(_PACKAGE / "_sync"), str(_PACKAGE / "remote"))


def calling() -> dict[int, str]:
    """Return the stacks of all threads but this one that are within a call, by their numbers."""
    found = {}
    for number, innermost in frames_of_threads().items():
        frame = None if number == threading.get_ident() else innermost
        while frame is not None and not frame.f_code.co_filename.startswith(_CALLS):
            frame = frame.f_back
        stack = "" if frame is None else "".join(traceback.format_stack(innermost))
        if stack:
            found[number] = stack
    return found


@contextmanager
def calls_end() -> Iterator[None]:
    """Check that no thread goes on with a call: it would log and be counted in later tests."""
    before = calling().keys()
    yield
    with suppress(AssertionError):
        eventually(lambda: calling().keys() <= before)
    left = [stack for number, stack in calling().items() if number not in before]
    assert not left, "left by this test:\n" + "\n".join(left)
