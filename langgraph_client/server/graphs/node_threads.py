"""The threads of plain (sync) nodes, and a loop that outlives what they raise."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeAlias, TypeVar

from langgraph_client.server.graphs.run_scope import RunScope, current_run

P = ParamSpec("P")
T = TypeVar("T")
_Work: TypeAlias = Callable[[], None]

PER_RUN = 64
"""How many plain nodes of one run may be at work at the same time; the others wait for them."""
_IDLE = 10.0
"""How long a thread without work stays."""


class NodeThreads(ThreadPoolExecutor):
    """An executor with threads for each run, so that runs can wait for each other.

    A plain node that calls another graph of the same server holds its thread until that graph is
    through, which may need threads, too. With one pool for all, as many callers as it has threads
    would wait for ever. Here each run has its own share. Threads are started as they are needed,
    and end some seconds after their last work; they are daemons, as a node may never end.

    Args:
        per_run: How many threads a run may have.
    """

    def __init__(self, per_run: int = PER_RUN) -> None:
        # An event loop takes only a ThreadPoolExecutor; its own threads are never started.
        super().__init__(max_workers=1)
        self._per_run = per_run
        self._guard = threading.Lock()
        self._closed = False
        self._busy: dict[RunScope | None, int] = {}
        self._delayed: dict[RunScope | None, deque[_Work]] = {}
        # One queue for all, so that work is begun in the order in which it is given.
        self._ready: SimpleQueue[tuple[RunScope | None, _Work] | None] = SimpleQueue()
        #: Threads that wait for work, less the work that is ready for them.
        self._free = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in a thread of the current run."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # SystemExit as well: it is the node's failure.
                future.set_exception(error)
            else:
                future.set_result(result)

        run = current_run.get()
        with self._guard:
            if self._closed:
                raise RuntimeError("the server has been closed")
            if self._busy.get(run, 0) >= self._per_run:
                self._delayed.setdefault(run, deque()).append(work)
                return future
            self._busy[run] = self._busy.get(run, 0) + 1
            self._ready.put((run, work))
            if self._free > 0:
                self._free -= 1
            else:
                threading.Thread(target=self._work, name="langgraph-node", daemon=True).start()
        return future

    def _work(self) -> None:
        """Do what is ready, until there has been nothing for a while."""
        while True:
            try:
                ready = self._ready.get(timeout=_IDLE)
            except Empty:
                with self._guard:
                    if self._free > 0:  # Else there is work on its way to this thread.
                        self._free -= 1
                        return
                continue
            if ready is None:
                return
            run, work = ready
            work()
            self._done(run)
            del ready, run, work  # Nothing of a run is kept while a thread waits.

    def _done(self, run: RunScope | None) -> None:
        """Let more work of the same run begin, or else this thread be free for any."""
        with self._guard:
            if delayed := self._delayed.get(run):
                self._ready.put((run, delayed.popleft()))
                if not delayed:
                    del self._delayed[run]
                return
            self._free += 1
            self._busy[run] -= 1
            if not self._busy[run]:
                del self._busy[run]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work. Threads at work are left to themselves, as they may never end."""
        with self._guard:
            self._closed = True
            free, self._free = self._free, 0
        for _ in range(free):
            self._ready.put(None)


def run_contained(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, whatever other tasks of the loop raise.

    asyncio lets `SystemExit` and `KeyboardInterrupt` of any task end the loop. A node, a tool or a
    task that user code starts may raise them (`sys.exit()` in argparse, for one). The exception is
    kept by the task, where langgraph finds it, and the loop goes on. A key that is pressed is not
    meant: signals reach the main thread only, and a server's loop has a thread of its own.
    """
    task = loop.create_task(main)
    while not task.done():
        with suppress(SystemExit, KeyboardInterrupt):
            loop.run_until_complete(task)
    return task.result()
