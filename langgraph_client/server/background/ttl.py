"""Delete expired threads and expired items of the store."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.background.due_loop import DueLoop
from langgraph_client.server.clock import Clock
from langgraph_client.server.options import ThreadTTL
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.storage.protocol import Document, Storage

logger = logging.getLogger("langgraph_client.server")

_MAX_SLEEP = 3600.0
"""The longest sleep in seconds. Expired items of the store are hidden before they are deleted."""
_RESPITE = timedelta(minutes=1)
_EXPIRED_PER_QUERY = 100
"""How many expired threads are read with one query."""


class ThreadTTLs:
    """Stores the times to live of threads, and deletes expired threads.

    A time to live begins when it is set. A thread with a pending or running run gets one minute
    more, repeatedly. With the strategy `keep_latest`, a thread loses all but its latest checkpoint,
    and its time to live starts again.

    Args:
        clock: Gives times.
        storage: The storage.
        engine: Deletes threads.
        default: The default time to live; None for no limit.
    """

    def __init__(
        self, clock: Clock, storage: Storage, engine: Engine, default: ThreadTTL | None
    ) -> None:
        self._clock = clock
        self._storage = storage
        self._engine = engine
        self._default = default
        self._loop = DueLoop(clock, self.sweep, "threads cannot be deleted at their end yet")

    def new_document(self, thread_id: str, ttl: JsonMapping | None = None) -> Document | None:
        """Return the document of a new thread's time to live; None if it has none.

        After it is stored, `wake` must be called.

        Args:
            thread_id: The thread.
            ttl: Minutes, as `ttl`, and a `strategy`: `delete`, the default, or `keep_latest`. None
                for the default time to live.
        """
        if ttl is not None:
            return self._document(thread_id, ttl["ttl"], ttl.get("strategy", "delete"))
        if self._default is not None:
            return self._document(thread_id, self._default.minutes, self._default.strategy)
        return None

    def _document(self, thread_id: str, minutes: float, strategy: str) -> Document:
        return {
            "thread_id": thread_id,
            "strategy": strategy,
            "ttl_minutes": minutes,
            "expires_at": _text(self._clock.now() + timedelta(minutes=minutes)),
        }

    async def of(self, thread_id: str) -> Document | None:
        """Return a thread's time to live in the protocol's form; None if it has none."""
        ttl = await self._storage.thread_ttls.get(thread_id)
        return ttl and {key: value for key, value in ttl.items() if key != "thread_id"}

    def wake(self) -> None:
        """Check for expired threads now, because a time to live or the clock has changed."""
        self._loop.wake()

    async def run(self) -> None:
        """Delete expired threads and items, until cancelled."""
        await self._loop.run()

    async def sweep(self) -> float:
        """Delete expired threads and items. Return the time of the next check."""
        await self._storage.sweep_store()
        ttls = self._storage.thread_ttls
        while True:
            expired = await ttls.search(order_by="expires_at", limit=_EXPIRED_PER_QUERY)
            now = self._clock.now()
            for ttl in expired:
                expires_at = datetime.fromisoformat(ttl["expires_at"])
                if expires_at > now:
                    return min(expires_at.timestamp(), now.timestamp() + _MAX_SLEEP)
                await self._expire(ttl, now)
            if not expired:
                return now.timestamp() + _MAX_SLEEP

    async def _expire(self, ttl: Document, now: datetime) -> None:
        thread_id = ttl["thread_id"]
        postponed = {**ttl, "expires_at": _text(now + _RESPITE)}
        try:
            if ttl["strategy"] == "delete":
                await self._engine.stopper.delete_thread(thread_id, unless_busy=True, expired=ttl)
            async with self._engine.locks.hold(thread_id) as held:
                if await self._storage.thread_ttls.get(thread_id) != ttl:
                    return  # Meanwhile the thread was deleted, or its time to live changed.
                if ttl["strategy"] == "delete" or await self._engine.busy(thread_id):
                    await self._storage.thread_ttls.put(postponed)
                    return
                await self._engine.stopper.keep_latest(thread_id, held)
                # Otherwise `sweep` would never end with 0 minutes, which are valid.
                period = max(timedelta(minutes=ttl["ttl_minutes"]), _RESPITE)
                await self._storage.thread_ttls.put({**ttl, "expires_at": _text(now + period)})
        except Exception:  # An error of one thread must not stop the others.
            logger.exception("thread %s could not be deleted at its end", thread_id)
            async with self._engine.locks.hold(thread_id):
                if await self._storage.thread_ttls.get(thread_id) == ttl:
                    await self._storage.thread_ttls.replace(postponed)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
