"""Deletes what has outlived its time: threads with a time to live, and items of the store."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.background.due_loop import DueLoop
from langgraph_client.server.clock import Clock
from langgraph_client.server.options import ThreadTTL
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.storage.protocol import Document, Storage, Transaction

logger = logging.getLogger("langgraph_client.server")

_LONGEST_SLEEP = 3600.0
"""Items of the store never show once they are over; their room is given back within the hour."""
_RESPITE = timedelta(minutes=1)
_AT_ONCE = 100


class ThreadTTLs:
    """Keeps the times to live of threads, and sweeps when the next one is over.

    A time to live counts from when it was given. A thread with a run that is pending or running
    gets a minute more, as often as it needs. With the strategy `keep_latest` a thread loses all
    but its latest checkpoint, and its time starts again.

    Args:
        clock: Time.
        storage: Where the threads are.
        engine: What deletes them.
        default: The time of threads that are not given one; None for ever.
    """

    def __init__(
        self, clock: Clock, storage: Storage, engine: Engine, default: ThreadTTL | None = None
    ) -> None:
        self._clock = clock
        self._storage = storage
        self._engine = engine
        self._default = default
        self._loop = DueLoop(clock, self.sweep, "threads cannot be deleted at their end yet")

    async def give(self, thread_id: str, ttl: JsonMapping) -> None:
        """Give a thread a time to live, in place of the one it had.

        Args:
            thread_id: The thread.
            ttl: Minutes, as `ttl`, and a `strategy`: `delete`, the default, or `keep_latest`.
        """
        strategy = ttl.get("strategy", "delete")
        await self._storage.thread_ttls.put(self._document(thread_id, ttl["ttl"], strategy))
        self.wake()

    async def created(self, thread_id: str, transaction: Transaction | None = None) -> None:
        """Give a new thread the time that threads have by default.

        Args:
            thread_id: The thread.
            transaction: What it is created in.
        """
        if self._default is not None:
            document = self._document(thread_id, self._default.minutes, self._default.strategy)
            await (transaction or self._storage).thread_ttls.put(document)
            self.wake()

    def _document(self, thread_id: str, minutes: float, strategy: str) -> Document:
        return {
            "thread_id": thread_id,
            "strategy": strategy,
            "ttl_minutes": minutes,
            "expires_at": _text(self._clock.now() + timedelta(minutes=minutes)),
        }

    async def of(self, thread_id: str) -> Document | None:
        """Return a thread's time to live, as the protocol shows it; None if it has none."""
        found = await self._storage.thread_ttls.get(thread_id)
        return found and {key: value for key, value in found.items() if key != "thread_id"}

    def wake(self) -> None:
        """Look again at what is over: a time to live, or the clock, has changed."""
        self._loop.wake()

    async def run(self) -> None:
        """Sweep whenever something is over, until cancelled."""
        await self._loop.run()

    async def sweep(self) -> float:
        """Delete what is over. Returns the seconds until it is time to look again."""
        await self._storage.sweep_store()
        ttls = self._storage.thread_ttls
        while True:
            found = await ttls.search(order_by="expires_at", limit=_AT_ONCE)
            now = self._clock.now()
            for ttl in found:
                wait = (datetime.fromisoformat(ttl["expires_at"]) - now).total_seconds()
                if wait > 0:
                    return min(wait, _LONGEST_SLEEP)
                await self._expire(ttl, now)
            if not found:
                return _LONGEST_SLEEP

    async def _expire(self, ttl: Document, now: datetime) -> None:
        thread_id = ttl["thread_id"]
        again = {**ttl, "expires_at": _text(now + _RESPITE)}
        try:
            if ttl["strategy"] == "delete":
                await self._engine.stopper.delete_thread(thread_id, unless_busy=True)
            async with self._engine.locks.hold(thread_id):
                if await self._storage.thread_ttls.get(thread_id) != ttl:
                    return  # The thread is deleted, or was given another time meanwhile.
                if ttl["strategy"] == "delete" or await self._engine.busy(thread_id):
                    await self._storage.thread_ttls.put(again)
                    return
                await self._storage.states.keep_latest(thread_id)
                period = max(timedelta(minutes=ttl["ttl_minutes"]), _RESPITE)
                await self._storage.thread_ttls.put({**ttl, "expires_at": _text(now + period)})
        except Exception:  # Whatever is wrong with one thread must not keep the others.
            logger.exception("thread %s could not be deleted at its end", thread_id)
            await self._storage.thread_ttls.replace(again)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
