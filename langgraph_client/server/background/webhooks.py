"""Tells a URL that a run is over, at least once.

What is to be sent is written in the transaction that ends the run, and deleted when it has arrived.
Who sends it has it for `_LEASE` seconds: `due_at` is when somebody else may try. So a process that
dies meanwhile delays a webhook, and a process that dies before it notes the success repeats one.
The header `webhook-id` is the same at every attempt, so that receivers can tell.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta

import httpx

from langgraph_client.server.background.due_loop import DueLoop
from langgraph_client.server.background.webhook_urls import WebhookUrls, is_relative
from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import encode
from langgraph_client.server.errors import Unavailable
from langgraph_client.server.options import WebhookOptions
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.run_states import Ended
from langgraph_client.server.storage.protocol import Document, Storage, Transaction

logger = logging.getLogger("langgraph_client.server")

_SECONDS = 10.0
"""How long an attempt may take."""
_LEASE = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 3600.0
"""Between attempts; each pause is four times the one before."""
_GIVE_UP = timedelta(hours=24)
_AT_CLOSE = 2.0
_AT_ONCE = 100
_POLL, _LONGEST_SLEEP = 5.0, 3600.0
"""How long it takes to see what another process left; where there is none, clocks may be set."""
_REPEATED_STATUSES = (408, 425, 429)
_HOME = "http://langgraph.server"
"""What this server is called in URLs over its own transport."""


class Webhooks:
    """Sends what runs with a `webhook` became, when they are over.

    An attempt that finds nobody, or is answered 5xx, 408, 425 or 429, is repeated after half a
    second, two, eight and so on, at last each hour; after a day it is given up. Any other answer
    counts as received.

    Args:
        clock: Time.
        storage: Where it is kept until it has arrived.
        options: Where they may go, and what they carry.
        home: What URLs without a host are sent over, which mean this server; None for nothing.
    """

    def __init__(
        self,
        clock: Clock,
        storage: Storage,
        options: WebhookOptions | None = None,
        home: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._storage = storage
        self._options = options or WebhookOptions()
        self._urls = WebhookUrls(self._options, has_home=home is not None)
        self.check = self._urls.check
        self._home = home
        self._client: httpx.AsyncClient | None = None
        shared = storage.shared
        self._poll = _LONGEST_SLEEP if shared is None else _POLL
        self._locks = KeyedLocks(None if shared is None else shared.locked)
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._loop = DueLoop(clock, self.send_due, "webhooks cannot be read yet")

    # The end of a run.

    async def run_ending(self, transaction: Transaction, ended: Ended) -> None:
        """Write what is to be sent, if the run has a webhook, together with its end."""
        url = ended.run["kwargs"].get("webhook")
        if url and not self._options.enabled:
            logger.info("webhooks are disabled: that of run %s is not sent", ended.run["run_id"])
        elif url:
            await transaction.webhook_deliveries.put(
                {
                    "run_id": ended.run["run_id"],
                    "url": url,
                    "body": self._body(ended),
                    "attempts": 0,
                    "created_at": self._clock.stamp(),
                    "due_at": self._in(_LEASE),
                }
            )

    def run_ended(self, ended: Ended) -> None:
        """Send it, now that the end is written; does not wait for it."""
        if ended.run["kwargs"].get("webhook") and self._options.enabled:
            self._start(ended.run["run_id"], is_mine=True)

    def _body(self, ended: Ended) -> str:
        document = {
            **ended.run,
            "status": ended.status,
            "run_started_at": ended.started_at,
            "run_ended_at": ended.ended_at,
            "webhook_sent_at": self._clock.stamp(),
            "values": ended.values,
            **({} if ended.error is None else {"error": ended.error}),
        }
        if fields := self._options.fields:
            document = {name: document[name] for name in document if name in fields}
        return encode(document).decode()

    # What is left to be sent.

    async def take_up(self) -> None:
        """Take up what an earlier process left in a file, before any run of this one ends.

        Where several processes share a database, a sender may be alive: its time is waited for.
        """
        if self._storage.shared is not None:
            return
        for delivery in await self._storage.webhook_deliveries.search():
            await self._storage.webhook_deliveries.put({**delivery, "due_at": self._clock.stamp()})

    async def run(self) -> None:
        """Send whatever is due, until cancelled."""
        await self._loop.run()

    async def send_due(self) -> float:
        """Begin to send what is due. Returns the seconds until it is time to look again."""
        if not self._options.enabled:
            return self._poll
        # More than can be sent at once, as some of the first ones are being sent.
        found = await self._storage.webhook_deliveries.search(
            order_by="due_at", limit=2 * _AT_ONCE, fields=("run_id", "due_at")
        )
        for delivery in found:
            if delivery["run_id"] in self._sending:
                continue
            wait = datetime.fromisoformat(delivery["due_at"]) - self._clock.now()
            if wait > timedelta(0):
                return min(wait.total_seconds(), self._poll)
            self._start(delivery["run_id"], is_mine=False)
        return self._poll

    def _start(self, run_id: str, *, is_mine: bool) -> None:
        """Send something in a task. What does not fit is sent when its time is over.

        Args:
            run_id: Whose end.
            is_mine: Whether `due_at` says already that this process sends it.
        """
        if run_id not in self._sending and len(self._sending) < _AT_ONCE:
            task = asyncio.ensure_future(self._deliver(run_id, is_mine))
            self._sending[run_id] = task
            task.add_done_callback(lambda task: self._sent(run_id, task))

    def _sent(self, run_id: str, task: asyncio.Task[None]) -> None:
        del self._sending[run_id]
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Unavailable):
            logger.warning("the webhook of run %s may be sent again: %s", run_id, error)
            self._loop.wake_when_available()
            return
        self._loop.wake()
        if error is not None:
            logger.error("the webhook of run %s was not delivered", run_id, exc_info=error)

    # One attempt.

    async def _deliver(self, run_id: str, is_mine: bool) -> None:
        if is_mine:
            delivery = await self._storage.webhook_deliveries.get(run_id)
        else:
            delivery = await self._take(run_id)
        if delivery is None:
            return
        problem = await self._post(delivery)
        if problem is None:
            await self._storage.webhook_deliveries.delete(run_id)
            return
        attempts = delivery["attempts"] + 1
        age = self._clock.now() - datetime.fromisoformat(delivery["created_at"])
        if age > _GIVE_UP:
            logger.error("webhook of run %s not delivered, and given up: %s", run_id, problem)
            await self._storage.webhook_deliveries.delete(run_id)
            return
        pause = min(_FIRST_PAUSE * 4.0 ** min(attempts - 1, 10), _LONGEST_PAUSE)
        logger.warning(
            "webhook of run %s not delivered (attempt %d; the next one in %g s): %s",
            run_id,
            attempts,
            pause,
            problem,
        )
        await self._replace(delivery, {**delivery, "attempts": attempts, "due_at": self._in(pause)})

    async def _take(self, run_id: str) -> Document | None:
        """Say that this process sends something. Returns None if another one does, or has."""
        async with self._locks.hold(f"webhook {run_id}"):
            delivery = await self._storage.webhook_deliveries.get(run_id)
            if delivery is None or delivery["due_at"] > self._clock.stamp():
                return None
            delivery["due_at"] = self._in(_LEASE)
            await self._storage.webhook_deliveries.put(delivery)
            return delivery

    async def _replace(self, before: Document, after: Document) -> None:
        """Change what this process sends, unless another one has taken it meanwhile."""
        async with self._locks.hold(f"webhook {before['run_id']}"):
            if await self._storage.webhook_deliveries.get(before["run_id"]) == before:
                await self._storage.webhook_deliveries.put(after)

    def _in(self, seconds: float) -> str:
        due = self._clock.now() + timedelta(seconds=seconds)
        return due.isoformat(timespec="microseconds")

    async def _post(self, delivery: Document) -> str | None:
        """Return what went wrong, if it is worth another attempt or a word."""
        if self._client is None:
            mounts = {} if self._home is None else {_HOME: self._home}
            self._client = httpx.AsyncClient(timeout=_SECONDS, mounts=mounts)
        url = delivery["url"]
        try:
            async with asyncio.timeout(_SECONDS):  # httpx's is for each step on its own.
                if is_relative(url):
                    url = _HOME + url
                elif where := await self._urls.forbidden(url):
                    return f"the name leads to {where}"
                headers = {
                    "content-type": "application/json",
                    **self._options.headers,
                    "webhook-id": delivery["run_id"],
                }
                response = await self._client.post(
                    url, content=delivery["body"].encode(), headers=headers
                )
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return f"{type(error).__name__}: {error}"
        status = response.status_code
        is_refused = status >= 500 or status in _REPEATED_STATUSES
        return f"answered {status}" if is_refused else None

    async def close(self) -> None:
        """Give what is being sent a few seconds, hand back the rest, and close the connections."""
        sending = dict(self._sending)
        if sending:
            _, late = await asyncio.wait(sending.values(), timeout=_AT_CLOSE)
            for run_id, task in sending.items():
                if task in late:
                    task.cancel()
                    await asyncio.wait([task])
                    await self._hand_back(run_id)
            if late:
                logger.warning("%d webhooks were not delivered before the server closed", len(late))
        if self._client is not None:
            await self._client.aclose()

    async def _hand_back(self, run_id: str) -> None:
        """Let another process send something at once."""
        with suppress(Unavailable):  # Then it is sent when this process's time is over.
            delivery = await self._storage.webhook_deliveries.get(run_id)
            if delivery is not None:
                await self._replace(delivery, {**delivery, "due_at": self._clock.stamp()})
