"""Threads for blocking nodes, and an event loop that survives their exceptions."""

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
"""How many blocking nodes of one run may work at the same time; the others wait."""
_IDLE = 10.0
"""After how many seconds an idle thread ends."""


class NodeThreads(ThreadPoolExecutor):
    """An executor with a limit of threads for each run, so that runs can wait for each other.

    A blocking node that calls another graph of the same server keeps its thread until that graph is
    done, which may need threads too. With one limit for all runs, enough such callers would take
    all threads and wait for ever. Threads are started when they are needed, and end some seconds
    after their last work. They are daemons, because a node may never end.

    Args:
        per_run: The most threads of a run.
    """

    def __init__(self, per_run: int = PER_RUN) -> None:
        # An event loop takes only a ThreadPoolExecutor; its own threads are never started.
        super().__init__(max_workers=1)
        self._per_run = per_run
        self._guard = threading.Lock()
        self._closed = False
        self._busy: dict[RunScope | None, int] = {}
        self._delayed: dict[RunScope | None, deque[_Work]] = {}
        # One queue for all runs, so that work is started in the order of its submission.
        self._ready: SimpleQueue[tuple[RunScope | None, _Work] | None] = SimpleQueue()
        #: The number of idle threads minus the number of items in the queue.
        self._free = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in a thread of the current run."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # SystemExit too: only the node must fail.
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
            # An idle thread that gives up looks at the count under the same lock: lowered here, it
            # makes that thread look for the item instead.
            if self._free > 0:
                self._free -= 1
            else:
                # Before the work is queued and counted: the system may have no more threads.
                threading.Thread(target=self._work, name="langgraph-node", daemon=True).start()
            self._busy[run] = self._busy.get(run, 0) + 1
            self._ready.put((run, work))
        return future

    def _work(self) -> None:
        """Do work from the queue, until there has been none for a while."""
        while True:
            try:
                ready = self._ready.get(timeout=_IDLE)
            except Empty:
                with self._guard:
                    if self._free > 0:  # Otherwise, an item is on its way to this thread.
                        self._free -= 1
                        return
                continue
            if ready is None:
                return
            run, work = ready
            work()
            self._done(run)
            del ready, run, work  # An idle thread must not keep objects of a run alive.

    def _done(self, run: RunScope | None) -> None:
        """Start waiting work of the same run, or else mark this thread as idle."""
        with self._guard:
            if delayed := self._delayed.get(run):
                # Both counts stay: the run keeps its place, and this thread takes the added item.
                self._ready.put((run, delayed.popleft()))
                if not delayed:
                    del self._delayed[run]
                return
            self._free += 1
            self._busy[run] -= 1
            if not self._busy[run]:
                del self._busy[run]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more work. Working threads are not waited for, because they may never end."""
        with self._guard:
            self._closed = True
            # One end mark for each idle thread. Working ones end some seconds after their work.
            free, self._free = self._free, 0
        for _ in range(free):
            self._ready.put(None)


def run_contained(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, even if other tasks of the loop raise `SystemExit`.

    In asyncio, a `SystemExit` or `KeyboardInterrupt` of any task stops the loop. A node, a tool or
    a task of user code may raise them (such as `sys.exit()` in argparse). Here the loop goes on,
    and langgraph finds the exception in the task. A real Ctrl-C is not affected: signals reach the
    main thread only, and a server's loop has its own thread.
    """
    task = loop.create_task(main)
    while not task.done():
        with suppress(SystemExit, KeyboardInterrupt):
            loop.run_until_complete(task)
    return task.result()
