"""Send webhooks at the end of runs, each at least once.

A webhook is stored in the transaction that ends its run, and deleted after its delivery. The
process that sends it holds a lease of `_LEASE_SECONDS` on it: once `due_at` has passed, another
process may send it. So if a process dies while sending, the webhook is delayed; if it dies before
it stores the success, the webhook is repeated. The header `webhook-id` is the same for every
attempt, so that receivers can recognise repetitions.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta

import httpx

from langgraph_client.server.background.due_loop import DueLoop
from langgraph_client.server.background.webhook_client import WebhookClient
from langgraph_client.server.background.webhook_urls import WebhookUrls
from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import encode
from langgraph_client.server.errors import Invalid, Unavailable
from langgraph_client.server.options import WebhookOptions
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.run_states import Ended
from langgraph_client.server.storage.protocol import Document, Storage, Transaction

logger = logging.getLogger("langgraph_client.server")

_ATTEMPT_SECONDS = 10.0
"""How many seconds an attempt may take."""
_LEASE_SECONDS = 15.0
"""Longer than an attempt, so that no other process begins one meanwhile."""
_FIRST_PAUSE, _MAX_PAUSE = 0.5, 3600.0
"""The first and the longest pause between attempts; each is four times the one before."""
_GIVE_UP = timedelta(hours=24)
"""The age after which a webhook is not sent again."""
_CLOSE_SECONDS = 2.0
"""How many seconds running attempts may take when the server is closed."""
_MAX_PARALLEL_SENDS = 100
"""How many webhooks are sent at the same time."""
_POLL, _MAX_SLEEP = 5.0, 3600.0
"""The longest sleep with and without other processes, whose webhooks must be noticed."""
_REPEATED_STATUSES = (408, 425, 429)


class Webhooks:
    """Sends the webhooks of runs that are over.

    An attempt that does not reach the receiver, or is answered with 5xx, 408, 425 or 429, is
    repeated after half a second, two seconds, eight and so on, at last every hour; after a day it
    is given up. Any other response counts as a delivery.

    Args:
        clock: Gives times.
        storage: Stores webhooks until their delivery.
        options: The allowed URLs, headers and fields.
        own_transport: The transport for URLs without a host, which mean this server; None for none.
    """

    def __init__(
        self,
        clock: Clock,
        storage: Storage,
        options: WebhookOptions,
        own_transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._clock = clock
        self._storage = storage
        self._options = options
        self._urls = WebhookUrls(self._options, has_home=own_transport is not None)
        self.check = self._urls.check
        self._own_transport = own_transport
        self._client: WebhookClient | None = None
        shared = storage.shared
        self._poll = _MAX_SLEEP if shared is None else _POLL
        self._locks = KeyedLocks(None if shared is None else shared.locked)
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._loop = DueLoop(clock, self.send_due, "webhooks cannot be read yet")

    # The end of a run.

    async def run_ending(self, transaction: Transaction, ended: Ended) -> None:
        """Store the run's webhook, if it has one, in the transaction of its end."""
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
                    "due_at": self._in(_LEASE_SECONDS),
                }
            )

    def run_ended(self, ended: Ended) -> None:
        """Start sending the run's webhook, because its end is stored; do not wait for it."""
        if ended.run["kwargs"].get("webhook") and self._options.enabled:
            self._start(ended.run["run_id"], has_lease=True)

    def _body(self, ended: Ended) -> str:
        document = {
            **_without_user(ended.run),
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

    # Pending deliveries.

    async def make_due(self) -> None:
        """Make webhooks of an earlier process due, before any run of this process ends.

        If several processes share the database, the sender may be alive, so its lease must end
        first.
        """
        if self._storage.shared is not None:
            return
        for delivery in await self._storage.webhook_deliveries.search():
            await self._storage.webhook_deliveries.put({**delivery, "due_at": self._clock.stamp()})

    async def run(self) -> None:
        """Send due webhooks, until cancelled."""
        await self._loop.run()

    async def send_due(self) -> float:
        """Start sending due webhooks. Return the time of the next check."""
        latest = self._clock.time() + self._poll
        if not self._options.enabled:
            return latest
        # More than can be sent at once, because some of the first ones are being sent already.
        # `attempts` has no column, so that a damaged delivery, which cannot be sent, is left out.
        due = await self._storage.webhook_deliveries.search(
            order_by="due_at",
            limit=2 * _MAX_PARALLEL_SENDS,
            fields=("run_id", "due_at", "attempts"),
        )
        for delivery in due:
            if delivery["run_id"] in self._sending:
                continue
            due_at = datetime.fromisoformat(delivery["due_at"])
            if due_at > self._clock.now():
                return min(due_at.timestamp(), latest)
            self._start(delivery["run_id"], has_lease=False)
        return latest

    def _start(self, run_id: str, *, has_lease: bool) -> None:
        """Send a webhook in a task. If there are too many tasks, it is sent when it is due again.

        Args:
            run_id: The run.
            has_lease: Whether this process has its lease already.
        """
        if run_id not in self._sending and len(self._sending) < _MAX_PARALLEL_SENDS:
            task = asyncio.ensure_future(self._deliver(run_id, has_lease))
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

    async def _deliver(self, run_id: str, has_lease: bool) -> None:
        if has_lease:
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
        pause = min(_FIRST_PAUSE * 4.0 ** min(attempts - 1, 10), _MAX_PAUSE)
        logger.warning(
            "webhook of run %s not delivered (attempt %d; the next one in %g s): %s",
            run_id,
            attempts,
            pause,
            problem,
        )
        await self._replace(delivery, {**delivery, "attempts": attempts, "due_at": self._in(pause)})

    async def _take(self, run_id: str) -> Document | None:
        """Take the lease of a webhook. Return None if another process sends it or has sent it."""
        async with self._locks.hold(f"webhook {run_id}"):
            delivery = await self._storage.webhook_deliveries.get(run_id)
            # Read again under the lock: another process may have been faster.
            if delivery is None or delivery["due_at"] > self._clock.stamp():
                return None
            delivery["due_at"] = self._in(_LEASE_SECONDS)
            await self._storage.webhook_deliveries.put(delivery)
            return delivery

    async def _replace(self, before: Document, after: Document) -> None:
        """Change a webhook of this process, unless another one has taken it meanwhile."""
        async with self._locks.hold(f"webhook {before['run_id']}"):
            if await self._storage.webhook_deliveries.get(before["run_id"]) == before:
                await self._storage.webhook_deliveries.put(after)

    def _in(self, seconds: float) -> str:
        due = self._clock.now() + timedelta(seconds=seconds)
        return due.isoformat(timespec="microseconds")

    async def _post(self, delivery: Document) -> str | None:
        """Send a webhook; return the problem, None if it was delivered."""
        if self._client is None:
            self._client = WebhookClient(self._urls, _ATTEMPT_SECONDS, self._own_transport)
        headers = {
            "content-type": "application/json",
            **self._options.headers,
            "webhook-id": delivery["run_id"],
        }
        try:
            async with asyncio.timeout(_ATTEMPT_SECONDS):  # httpx's timeout is for each step only.
                status = await self._client.post(
                    delivery["url"], delivery["body"].encode(), headers
                )
        except Invalid as error:
            return error.detail
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return f"{type(error).__name__}: {error}"
        is_refused = status >= 500 or status in _REPEATED_STATUSES
        return f"answered {status}" if is_refused else None

    async def close(self) -> None:
        """Wait some seconds for running attempts, release the others, and close the connections."""
        sending = dict(self._sending)  # A copy: `_sent` removes the tasks that end.
        if sending:
            _, late = await asyncio.wait(sending.values(), timeout=_CLOSE_SECONDS)
            for run_id, task in sending.items():
                if task in late:
                    task.cancel()
                    # After its end: it may just have stored a success or the next attempt.
                    await asyncio.wait([task])
                    await self._hand_back(run_id)
            if late:
                logger.warning("%d webhooks were not delivered before the server closed", len(late))
        if self._client is not None:
            await self._client.aclose()

    async def _hand_back(self, run_id: str) -> None:
        """Release a webhook, so that another process can send it at once."""
        with suppress(Unavailable):  # Then it is sent after the end of this process's lease.
            delivery = await self._storage.webhook_deliveries.get(run_id)
            if delivery is not None:
                await self._replace(delivery, {**delivery, "due_at": self._clock.stamp()})


def _without_user(run: Document) -> Document:
    # The application's `Auth` may have put secrets into the user. The user's id is still sent.
    config = run["kwargs"]["config"]
    configurable = {**config["configurable"], "langgraph_auth_user": None}
    return {**run, "kwargs": {**run["kwargs"], "config": {**config, "configurable": configurable}}}
