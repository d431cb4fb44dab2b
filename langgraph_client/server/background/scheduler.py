"""Starts the runs of crons when they are due."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.auth.authorization import Authorization
from langgraph_client.server.auth.users import USER_FIELDS
from langgraph_client.server.background.cron_schedule import parse
from langgraph_client.server.background.due_loop import DueLoop
from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import ServerError
from langgraph_client.server.request_context import encryption_context
from langgraph_client.server.runs.create_run import RunCreator
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.storage.protocol import Document, Storage

logger = logging.getLogger("langgraph_client.server")

_LONGEST_SLEEP = 3600.0
"""Clocks are set; nothing is relied on for longer than an hour."""


class Scheduler:
    """Waits for the next cron that is due, and starts its run.

    A cron that fell due while the server was down fires once, when the server is up again.
    """

    def __init__(
        self,
        clock: Clock,
        storage: Storage,
        runs: RunCreator,
        locks: KeyedLocks,
        authorization: Authorization | None = None,
        context_of_cron: Callable[[str], Awaitable[Mapping[str, object]]] | None = None,
    ) -> None:
        self._authorization = authorization
        self._context_of_cron = context_of_cron
        self._clock = clock
        self._storage = storage
        self._runs = runs
        self._locks = locks
        self._loop = DueLoop(clock, self.fire_due, "crons cannot be read yet")

    def wake(self) -> None:
        """Look again at what is due: a cron, or the clock, has changed."""
        self._loop.wake()

    async def run(self) -> None:
        """Start runs when they are due, until cancelled."""
        await self._loop.run()

    async def fire_due(self) -> float | None:
        """Start the runs that are due. Returns the seconds until the next one; None for never."""
        crons = self._storage.crons
        while True:
            found = await crons.search(where={"enabled": True}, order_by="next_run_date", limit=1)
            if not found:
                return None
            (cron,) = found
            now = self._clock.now()
            wait = (datetime.fromisoformat(cron["next_run_date"]) - now).total_seconds()
            if wait > 0:
                return min(wait, _LONGEST_SLEEP)
            if await self._move_on(cron, now) and not _is_past(cron["end_time"], now):
                await self._fire(cron)

    async def _move_on(self, cron: Document, now: datetime) -> bool:
        """Give a due cron its next date, before its run is started: so it is not started twice.

        Returns False if it was changed or deleted meanwhile, with its thread perhaps.
        """
        async with self._locks.hold(f"cron {cron['cron_id']}"):
            if await self._storage.crons.get(cron["cron_id"]) != cron:
                return False
            following = next_run_date(cron["schedule"], cron["timezone"], now)
            return await self._storage.crons.replace({**cron, "next_run_date": following})

    async def _fire(self, cron: Document) -> None:
        payload: JsonObject = dict(cron["payload"])
        metadata = {**(payload.get("metadata") or {}), **cron["metadata"]}
        body: dict[str, object] = {**payload, "metadata": metadata}
        if cron["thread_id"] is None:
            body["on_completion"] = cron["on_run_completed"]
        if self._context_of_cron is not None:
            encryption_context.set(await self._context_of_cron(cron["cron_id"]))
        runs = self._runs
        user = ((payload.get("config") or {}).get("configurable") or {}).get(USER_FIELDS[0])
        if self._authorization is not None and user is not None:
            runs = runs.for_caller(self._authorization.caller_of(user))
        try:
            await runs.create(body, cron["thread_id"])
        except ServerError as error:  # The thread is busy and the cron says `reject`, say.
            logger.warning("cron %s did not start a run: %s", cron["cron_id"], error.detail)
        except Exception:  # Whatever is wrong with one cron must not stop the others.
            logger.exception("cron %s could not start a run", cron["cron_id"])


def next_run_date(schedule: str, timezone: str | None, now: datetime) -> str:
    """Return when a schedule is due next, as the protocol writes it.

    Raises:
        ValueError: The schedule is none, or never due.
    """
    zone = ZoneInfo(timezone) if timezone else None
    return parse(schedule).next_after(now, zone).isoformat(timespec="microseconds")


def _is_past(end_time: object, now: datetime) -> bool:
    """Whether an end has come. Any text is kept as an end; one that is no time never comes."""
    try:
        end = datetime.fromisoformat(str(end_time))
    except ValueError:
        return False
    return (end if end.tzinfo else end.replace(tzinfo=now.tzinfo)) <= now
