"""The signal that ends the command may come anywhere in its own code."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A handler may run wherever a tracing function is called.
INTERRUPTED = """
import sys
from langgraph_client.server.cli.stop_signal import StopSignal

def handler(frame, event, argument):
    stop.set()
    return handler

stop = StopSignal()
sys.settrace(handler)
stop.{act}()
sys.settrace(None)
stop.wait()
print("ended")
"""


@pytest.mark.parametrize("act", ["wait", "set"])
def test_it_may_interrupt_itself(act: str) -> None:
    """If `wait` or `set` held a lock that the handler takes, it would be waited for for ever."""
    command = [sys.executable, "-c", INTERRUPTED.format(act=act)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("ended\n", "")
