"""Start the runs of crons when they are due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.auth.authorization import Authorization
from langgraph_client.server.auth.users import USER_FIELDS
from langgraph_client.server.background.cron_schedule import Schedule
from langgraph_client.server.background.due_loop import DueLoop
from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import ServerError, Unavailable
from langgraph_client.server.request_context import encryption_context
from langgraph_client.server.runs.create_run import RunCreator
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.storage.protocol import Document, Storage

logger = logging.getLogger("langgraph_client.server")

_MAX_SLEEP = 3600.0
"""The longest sleep in seconds, because the system's clock may be changed meanwhile."""
_RETRY = 5.0
"""How many seconds to wait after the run of a cron could not be stored."""
_FIRE_SECONDS = 10.0
"""How long the start of a run may take: all crons would wait for a handler that hangs for one."""
_MAX_PAUSE = 600.0
"""The longest pause in seconds before a cron is tried again whose starts take too long."""


class Scheduler:
    """Waits for the next cron that is due, and starts its run.

    If a cron was due while the server was not running, one run is started at the next start.

    First the run is created, under an idempotency key of the cron and its date, and then the cron
    gets its next date. If the process is killed in between, or another process fires the cron at
    the same time, the key leads to the same run, however late: it is kept until the cron has moved
    on. The next date is the first after the creation of the run, so a date that was missed since
    then is due at once.
    """

    def __init__(
        self,
        clock: Clock,
        storage: Storage,
        runs: RunCreator,
        locks: KeyedLocks,
        authorization: Authorization | None,
        context_of_cron: Callable[[str], Awaitable[Mapping[str, object]]] | None,
    ) -> None:
        self._authorization = authorization
        self._context_of_cron = context_of_cron
        self._clock = clock
        self._storage = storage
        self._runs = runs
        self._locks = locks
        self._loop = DueLoop(clock, self.fire_due, "crons cannot be read yet")
        #: By id, the crons whose last start took too long: when to try again, and the pause before.
        self._slow: dict[str, tuple[float, float]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether the runs of all due crons were started. Look at it on the server's loop."""
        return self._loop.is_idle

    def wake(self) -> None:
        """Check for due crons now, because a cron or the clock has changed."""
        self._loop.wake()

    async def run(self) -> None:
        """Start runs when they are due, until cancelled."""
        await self._loop.run()

    async def fire_due(self) -> float | None:
        """Start the due runs. Return the time of the next look; None if none is needed."""
        crons = self._storage.crons
        started = self._clock.time()
        put_off = {
            cron_id: until
            for cron_id, (until, pause) in self._slow.items()
            if 0 < until - started <= pause  # The system's clock may be set back.
        }
        skipped = set(put_off)
        latest = min(put_off.values(), default=started + _MAX_SLEEP)
        while True:
            # One more than the skipped ones, so that one that can fire is among them.
            enabled = await crons.search(
                where={"enabled": True}, order_by="next_run_date", limit=len(skipped) + 1
            )
            cron = next((cron for cron in enabled if cron["cron_id"] not in skipped), None)
            if cron is None:
                return latest if skipped else None
            now = self._clock.now()
            due = datetime.fromisoformat(cron["next_run_date"])
            if due > now:
                return min(due.timestamp(), latest)
            # Before the run is created, so that a cron that cannot move on starts none.
            try:
                following = next_run_date(cron["schedule"], cron["timezone"], now)
            except Exception:  # Such as: its time zone is unknown here.
                logger.exception("cron %s has no next date, and is skipped", cron["cron_id"])
                skipped.add(cron["cron_id"])
                continue
            try:
                if not _is_past(cron["end_time"], now):
                    async with asyncio.timeout(_FIRE_SECONDS):
                        fired_at = await self._fire(cron)
                    if fired_at is not None:
                        following = next_run_date(cron["schedule"], cron["timezone"], fired_at)
            # It keeps its date; meanwhile the others fire. If the run is stored after all, the
            # idempotency key leads to it.
            except Unavailable as error:
                logger.warning("cron %s could not start a run yet: %s", cron["cron_id"], error)
                skipped.add(cron["cron_id"])
                latest = min(latest, self._clock.time() + _RETRY)
                continue
            except TimeoutError:
                latest = min(latest, self._put_off(cron["cron_id"]))
                skipped.add(cron["cron_id"])
                continue
            self._slow.pop(cron["cron_id"], None)
            await self._move_on(cron, following)

    def _put_off(self, cron_id: str) -> float:
        """Try a cron again after a pause, which grows: each attempt holds up the others.

        Returns:
            When it is tried again.
        """
        _, before = self._slow.get(cron_id, (0.0, _RETRY / 2))
        pause = min(before * 2, _MAX_PAUSE)
        until = self._clock.time() + pause
        self._slow[cron_id] = (until, pause)
        logger.warning(
            "cron %s could not start a run within %s s, and is tried again in %s s",
            cron_id,
            _FIRE_SECONDS,
            pause,
        )
        return until

    async def _move_on(self, cron: Document, following: str) -> None:
        """Set the next date of a cron, unless it was changed or deleted meanwhile."""
        async with self._locks.hold(f"cron {cron['cron_id']}"):
            # Not `put`: it may have been deleted with its thread, and must not come back.
            if await self._storage.crons.get(cron["cron_id"]) == cron:
                await self._storage.crons.replace({**cron, "next_run_date": following})

    async def _fire(self, cron: Document) -> datetime | None:
        """Create the run of a due cron, unless it exists already.

        Returns:
            When it was created, if it existed already.

        Raises:
            Unavailable: It cannot be stored now. It may be stored nevertheless.
        """
        payload: JsonObject = dict(cron["payload"])
        metadata = {**(payload.get("metadata") or {}), **cron["metadata"]}
        body: dict[str, object] = {**payload, "metadata": metadata}
        if cron["thread_id"] is None:
            body["on_completion"] = cron["on_run_completed"]
        runs = self._runs
        key = f"cron {cron['cron_id']} {cron['next_run_date']}"
        user = ((payload.get("config") or {}).get("configurable") or {}).get(USER_FIELDS[0])
        try:
            if self._context_of_cron is not None:
                encryption_context.set(await self._context_of_cron(cron["cron_id"]))
            if self._authorization is not None and user is not None:
                runs = runs.for_caller(self._authorization.caller_of(user))
            # Asked first, because a repeated request for a deleted run is an error.
            if (fired_at := await runs.fired_at(key)) is not None:
                return fired_at
            await runs.create(body, cron["thread_id"], key=key, cron=cron)
        except Unavailable:
            raise
        except ServerError as error:  # Such as: the thread is busy, and the cron has `reject`.
            logger.warning("cron %s did not start a run: %s", cron["cron_id"], error.detail)
        except Exception:  # An error of one cron must not stop the others.
            logger.exception("cron %s could not start a run", cron["cron_id"])
        return None


def next_run_date(schedule: str, timezone: str | None, now: datetime) -> str:
    """Return when a schedule is due next, in the protocol's format.

    Raises:
        ValueError: The schedule is invalid or never due.
    """
    zone = ZoneInfo(timezone) if timezone else None
    return Schedule(schedule).next_after(now, zone).isoformat(timespec="microseconds")


def _is_past(end_time: object, now: datetime) -> bool:
    """Return whether an end time has passed. A text that is not a time never passes."""
    try:
        end = datetime.fromisoformat(str(end_time))
    except ValueError:
        return False
    return (end if end.tzinfo else end.replace(tzinfo=now.tzinfo)) <= now
