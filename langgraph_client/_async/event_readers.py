"""Read the events of a thread from a server, as server-sent events or over a WebSocket.

A reader has one connection at a time. After each interruption it opens a new one, until the
policy's attempts are used up. Then all readers of its feeds get a `StreamIncomplete`.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from langgraph_client._async.event_socket import AsyncEventSocket
from langgraph_client._async.pools import AsyncAnswer
from langgraph_client._async.thread_feed import AsyncFeed
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.call import ANY, Call
from langgraph_client._core.codec import decode, encode
from langgraph_client._core.events import EventParser
from langgraph_client._core.exchange import Opening
from langgraph_client._core.outage import Outage, Reconnect, ReconnectPolicy, is_passing
from langgraph_client._core.requests import STREAM_HEADERS
from langgraph_client._io.tasks import Job, Lock, close_all
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    NotFoundError,
    ProtocolError,
)
from langgraph_client.models.fields import JsonObject
from langgraph_client.models.params import Headers

logger = logging.getLogger("langgraph_client")

STABLE_IDS = ("x-langgraph-event-ids", "stable")
"""The response header of a server whose event numbers are stable, so that `since` can be used."""


class AsyncEventReader:
    """Reads events over one connection after the other.

    Args:
        transport: Sends the requests.
        where: The path of the thread's events.
        headers: Headers of the requests.
        policy: When and how often to reconnect.
        is_gone: Returns whether no more events can come. It is called after the server has closed
            a connection normally.

    Attributes:
        feeds: The feeds that get the events.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        where: str,
        headers: Headers,
        policy: ReconnectPolicy,
        is_gone: Callable[[], Awaitable[bool]],
    ) -> None:
        self.feeds: list[AsyncFeed] = []
        self._is_gone = is_gone
        self._transport = transport
        self._where = where
        self._headers = headers
        self._policy = policy
        self._opening = Opening()
        self._job: Job | None = None
        # Not the same as `_job is not None`: a job may end before it is assigned.
        self._is_reading = False
        self._is_closed = False
        #: How reading ended, for feeds that are added afterwards: they would wait for ever.
        self._outcome: tuple[BaseException | None] | None = None

    async def add(self, feed: AsyncFeed) -> None:
        """Add a feed that gets the events too."""
        self.feeds.append(feed)
        feed.filled_by(self)
        # After the append: an end that comes between the two reaches the feed either way.
        if self._outcome is not None:
            feed.end(self._outcome[0])

    async def start(self) -> None:
        """Start reading, unless it was started already."""
        if not self._is_reading and not self._is_closed:
            self._is_reading = True
            self._job = Job(self._run)

    async def reconnect(self) -> None:
        """Close the open connection, if there is one, and open another one."""
        await self._hang_up()

    async def close(self) -> None:
        """Stop reading. Readers that wait on the feeds end."""
        # First: a reader that is just connecting then closes its connection itself, see `_follow`.
        self._is_closed = True
        job, self._job = self._job, None
        try:
            self._opening.leave()
            await close_all(self._hang_up, *([] if job is None else [job.stop]))
        finally:
            self._end(None)

    async def _run(self) -> None:
        try:
            await self._keep_reading()
        except Exception as error:
            # Any error must reach the feeds, or their readers wait for ever.
            self._end(error)

    async def _keep_reading(self) -> None:
        outage = Outage(self._policy)
        while not self._is_closed:
            error: APIError | None = None
            try:
                await self._follow(outage)
            except APIError as raised:
                error = raised
            if self._is_closed:
                return
            if isinstance(error, NotFoundError) and not any(feed.is_open for feed in self.feeds):
                # The thread may be created later: the next `start` tries again.
                # Before `refuse`: in blocking code, a thread that it wakes may call `start` now.
                self._is_reading = False
                for feed in self.feeds:
                    feed.refuse(error)
                return
            if error is not None and not is_passing(error):
                self._end(error)
                return
            if error is None and await self._is_gone():
                self._end(None)
                return
            if outage.is_hopeless:
                # Not `_end(error)`: readers need the thread and the last event to continue later.
                self._outcome = (error,)
                for feed in self.feeds:
                    feed.end(feed.incomplete(error))
                return
            pause = outage.attempt(error)
            logger.info(
                "the event stream %s was cut (%s); reconnecting in %g s, attempt %d",
                self._where,
                "closed" if error is None else type(error).__name__,
                pause,
                outage.attempts,
            )
            self._announce(outage.attempts, pause, error)
            await self._transport.sleep(pause)

    def _announce(self, attempt: int, pause: float, error: APIError | None) -> None:
        if self._policy.on_reconnect is not None and self.feeds:
            seq = self.feeds[0].last_seq
            thread_id = self.feeds[0].thread_id
            last = str(seq) if seq else None
            self._policy.on_reconnect(Reconnect(attempt, pause, error, None, thread_id, last))

    def _end(self, error: BaseException | None) -> None:
        self._outcome = (error,)
        for feed in self.feeds:
            feed.end(error)

    async def _follow(self, outage: Outage) -> None:
        """Read one connection to its end. A thread's stream never ends, so an end is a cut."""
        raise NotImplementedError

    async def _hang_up(self) -> None:
        """Close the connection, so that a task or thread that reads from it stops."""
        raise NotImplementedError


class AsyncSseReader(AsyncEventReader):
    """Reads server-sent events into one feed."""

    _answer: AsyncAnswer | None = None
    _is_stable = False

    async def _follow(self, outage: Outage) -> None:
        (feed,) = self.feeds
        body = feed.wanted.body()
        if self._is_stable and feed.last_seq:
            body["since"] = feed.last_seq
        headers = {**STREAM_HEADERS, **self._headers}
        call = Call(
            "POST",
            self._where,
            ANY,
            body=body,
            headers=headers,
            safe=True,
            opening=self._opening,
        )
        answer = self._answer = await self._transport.open(call)
        try:
            if self._is_closed:  # `close` found no connection to interrupt: this one came after it.
                return
            self._is_stable = is_stable(answer.headers)
            # Behind a proxy, the new connection may lead to a server with other numbers. Events are
            # continued only if this server too says that its numbers are stable.
            goes_on = self._is_stable and ("since" in body or not feed.last_seq)
            feed.begin(feed.last_seq if goes_on else None)
            feed.opened()
            parser = EventParser()
            while data := await self._transport.read(call, answer, self._policy.heartbeat_timeout):
                heartbeats, events = parser.comments, parser.feed(data)
                has_new = feed.take([protocol_event(e.data) for e in events if e.data])
                # Known events do not count as progress. Otherwise, a connection that always breaks
                # at the same place would be reopened for ever.
                if has_new:
                    outage.end()
                elif parser.comments > heartbeats:
                    outage.beat()
        finally:
            self._answer = None
            await answer.aclose()

    async def _hang_up(self) -> None:
        if (answer := self._answer) is not None:
            await answer.interrupt()


class AsyncSocketReader(AsyncEventReader):
    """Reads a WebSocket into any number of feeds. Each feed wants at least what earlier ones want.

    There is one subscription: that of the last, widest feed. When a wider feed is added, its
    subscription replaces the previous one. The replay of a subscription contains the events of all
    feeds, and each feed takes those after its own last number, so it misses none. Two subscriptions
    at the same time would not do: an event of the wider one could arrive after later events in the
    replay of the narrower one.

    Until the server has confirmed a wider subscription, live events of the previous one can arrive
    between the events of its replay. If the new feed took such an event first, it would drop all
    earlier ones. So its events are held until the confirmation, and then sorted.
    """

    _socket: AsyncEventSocket | None = None

    def __init__(
        self,
        transport: AsyncTransport,
        where: str,
        headers: Headers,
        policy: ReconnectPolicy,
        is_gone: Callable[[], Awaitable[bool]],
    ) -> None:
        super().__init__(transport, where, headers, policy, is_gone)
        self._numbers = itertools.count(1)
        self._is_stable = False
        #: The feeds of each subscription that is not confirmed yet, by the command's number.
        self._asked: dict[int, list[AsyncFeed]] = {}
        self._subscription: str | None = None
        #: The feeds whose subscription on the open socket is confirmed or requested.
        self._subscribed: list[AsyncFeed] = []
        #: Held events of each feed that was added to an open socket and is not confirmed yet.
        self._held: dict[AsyncFeed, list[JsonObject]] = {}
        self._lock = Lock()

    async def add(self, feed: AsyncFeed) -> None:
        """Add a feed that gets the events too, over the same socket."""
        await super().add(feed)
        if self._socket is not None:
            with suppress(APIError):  # The reader gets the same error, reconnects and subscribes.
                await self._subscribe(self._socket)

    async def _follow(self, outage: Outage) -> None:
        socket = await AsyncEventSocket.open(
            self._transport, self._where, self._headers, self._opening
        )
        try:
            async with self._lock:
                self._is_stable = is_stable(socket.headers)
                self._subscribed.clear()
                self._asked.clear()
                self._held.clear()
                self._subscription = None
                self._socket = socket
            if self._is_closed:  # `close` found no socket to interrupt: this one came after it.
                return
            await self._subscribe(socket)
            while (texts := await socket.receive(self._policy.heartbeat_timeout)) is not None:
                # Pings and new events end an outage. Replies to subscriptions do not: a server
                # that confirms and then closes the socket would be asked for ever.
                if await self._take(socket, texts):
                    outage.end()
                elif not texts:
                    outage.beat()
        finally:
            self._socket = None
            await socket.aclose()

    async def _subscribe(self, socket: AsyncEventSocket) -> None:
        """Subscribe to the events of the widest feed, from the first that a new feed lacks."""
        async with self._lock:
            fresh = [feed for feed in self.feeds if feed not in self._subscribed]
            if not fresh or socket is not self._socket:
                return  # Another connection has been opened, or will be, and subscribes all feeds.
            # The lock is held up to the send: if a wider subscription reached the server before a
            # narrower one, the narrower one would replace it.
            for feed in fresh:
                feed.begin(feed.last_seq if self._is_stable else -1)
                if self._subscribed:
                    self._held[feed] = []
            self._subscribed += fresh
            method, params = "subscription.subscribe", self.feeds[-1].wanted.body()
            if since := max(min(feed.position or 0 for feed in fresh), 0):
                method = "subscription.reconnect"
                params["since"] = since
            number = next(self._numbers)
            self._asked[number] = fresh
            await socket.send(encode({"id": number, "method": method, "params": params}))

    async def _take(self, socket: AsyncEventSocket, texts: Sequence[bytes]) -> bool:
        """Handle messages; return whether there are new events among them."""
        events: list[JsonObject] = []
        has_new = False
        for text in texts:
            document = protocol_message(text)
            if document.get("type") == "event":
                events.append(document)
                continue
            raise_failure(document)
            has_new = self._distribute(events) or has_new
            events = []
            await self._answered(socket, document)
        return self._distribute(events) or has_new

    def _distribute(self, events: Sequence[JsonObject]) -> bool:
        has_new = False
        for feed in list(self._subscribed) if events else ():
            passing = [event for event in events if feed.wanted.matches(event)]
            if feed in self._held:
                self._held[feed] += passing
            else:
                has_new = feed.take(passing) or has_new
        return has_new

    async def _answered(self, socket: AsyncEventSocket, answer: JsonObject) -> None:
        """Handle the server's reply to a subscription."""
        number = answer.get("id")
        feeds = self._asked.pop(number, None) if isinstance(number, int) else None
        if feeds is None:
            return
        if answer.get("type") != "success":
            code, message = answer.get("error", "unknown_error"), answer.get("message", "")
            for feed in feeds:
                feed.end(ProtocolError(str(code), str(message)))
            return
        result = answer.get("result")
        if not isinstance(result, dict) or not isinstance(result.get("subscription_id"), str):
            raise _not_of_the_protocol(repr(answer).encode("utf-8", "replace"))
        before, self._subscription = self._subscription, result["subscription_id"]
        if before is not None:
            params = {"subscription_id": before}
            number = next(self._numbers)
            command = {"id": number, "method": "subscription.unsubscribe", "params": params}
            await socket.send(encode(command))
        for feed in feeds:
            feed.take(sorted(self._held.pop(feed, ()), key=lambda event: int(event["seq"])))
            feed.opened()

    async def _hang_up(self) -> None:
        if (socket := self._socket) is not None:
            await socket.interrupt()


def is_stable(headers: Mapping[str, str]) -> bool:
    """Return whether a response's headers say that the server's event numbers are stable."""
    name, value = STABLE_IDS
    return headers.get(name) == value


def protocol_message(data: bytes) -> JsonObject:
    """Return the message in a text that a server sent on a socket.

    Raises:
        APIResponseValidationError: It is not a message of the protocol.
    """
    message = _decoded(data)
    if not isinstance(message, dict):
        raise _not_of_the_protocol(data)
    return protocol_event(data, message) if message.get("type") == "event" else message


def protocol_event(data: bytes, event: object = None) -> JsonObject:
    """Return the event in a text; `event` is its decoded JSON, if it was decoded already.

    Raises:
        APIResponseValidationError: It is not an event of the protocol.
        APIConnectionError: It reports that the stream failed on the server.
    """
    event = _decoded(data) if event is None else event
    if not isinstance(event, dict):
        raise _not_of_the_protocol(data)
    raise_failure(event)
    params = event.get("params")
    namespace = params.get("namespace") if isinstance(params, dict) else None
    if (
        not isinstance(namespace, list)
        or not all(isinstance(segment, str) for segment in namespace)
        or not isinstance(event.get("method"), str)
        or not isinstance(event.get("seq"), int)
    ):
        raise _not_of_the_protocol(data)
    return event


def _decoded(data: bytes) -> object:
    try:
        return decode(data)
    except ValueError as error:
        raise _not_of_the_protocol(data) from error


def raise_failure(message: JsonObject) -> None:
    """Raise the error that a server reports for its whole stream, before it closes it.

    Such a message has no id. Errors with an id are replies to commands.

    Raises:
        APIConnectionError: The stream failed on the server. It may be opened again.
    """
    if message.get("type") == "error" and message.get("id") is None:
        code, text = message.get("error", "unknown_error"), message.get("message", "")
        raise APIConnectionError(f"the server ended the event stream: {text} ({code})")


def _not_of_the_protocol(data: bytes) -> APIResponseValidationError:
    text = data[:200].decode("utf-8", "replace")
    return APIResponseValidationError(f"the server sent something that is not an event: {text}")
