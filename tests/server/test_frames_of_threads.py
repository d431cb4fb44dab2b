"""The stacks of other threads are looked at without stopping the process."""

from __future__ import annotations

import subprocess
import sys

# A thread that is started from within a collection, which each allocation begins here.
PROGRAM = """
import _thread, gc, threading
from langgraph_client.server.loop_watch import frames_of_threads

class Starting:
    def __init__(self):
        self.itself = self

    def __del__(self):
        _thread.start_new_thread(int, ())

held = threading.Event()
threads = [threading.Thread(target=held.wait) for _ in range(20)]
for thread in threads:
    thread.start()
gc.disable()
for _ in range(100):
    Starting()
    gc.set_threshold(1)
    gc.enable()
    assert threading.get_ident() in frames_of_threads()
    gc.disable()
held.set()
print("looked")
"""


def test_no_garbage_is_collected_meanwhile() -> None:
    """Python would wait for a lock that it holds itself."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout, done.stderr) == ("looked\n", "")
