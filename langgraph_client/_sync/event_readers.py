# Generated from langgraph_client/_async/event_readers.py by .ci/unasync.py; do not edit.
"""What brings the events of a thread: over server-sent events, or over a WebSocket.

A reader has one connection at a time. It opens it again after every cut, until the budget of the
policy is used up; then everything that waits on its feeds gets a `StreamIncomplete`.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from langgraph_client._core.call import ANY, Call
from langgraph_client._core.codec import decode, encode
from langgraph_client._core.events import EventParser
from langgraph_client._core.outage import Outage, Reconnect, ReconnectPolicy, is_passing
from langgraph_client._core.requests import STREAM_HEADERS
from langgraph_client._io.threads import Job, Lock
from langgraph_client._sync.event_socket import SyncEventSocket
from langgraph_client._sync.pools import Answer
from langgraph_client._sync.thread_feed import SyncFeed
from langgraph_client._sync.transport import Transport
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
"""What a server answers whose numbers of events stay, so that `since` may be relied on."""


class SyncEventReader:
    """Reads events, connection after connection.

    Args:
        transport: Sends the requests.
        where: The path of the thread's events.
        headers: Headers of the requests.
        policy: How often the connection is opened again.
        is_gone: Tells whether nothing can come any more, when the server has closed the connection
            in good order.

    Attributes:
        feeds: Where the events go.
    """

    def __init__(
        self,
        transport: Transport,
        where: str,
        headers: Headers,
        policy: ReconnectPolicy,
        is_gone: Callable[[], bool],
    ) -> None:
        self.feeds: list[SyncFeed] = []
        self._is_gone = is_gone
        self._transport = transport
        self._where = where
        self._headers = headers
        self._policy = policy
        self._job: Job | None = None
        # Not the same as a job: one that ends at once does so before it can be noted.
        self._is_reading = False
        self._is_closed = False

    def add(self, feed: SyncFeed) -> None:
        """Bring events into a feed as well."""
        self.feeds.append(feed)
        feed.filled_by(self)

    def start(self) -> None:
        """Begin to read, if that has not begun."""
        if not self._is_reading and not self._is_closed:
            self._is_reading = True
            self._job = Job(self._run)

    def reconnect(self) -> None:
        """Give up the connection that is open, if there is one, for another one."""
        self._hang_up()

    def close(self) -> None:
        """Stop reading. Whatever waits on the feeds comes to its end."""
        self._is_closed = True
        job, self._job = self._job, None
        self._hang_up()
        if job is not None:
            job.stop()
        self._end(None)

    def _run(self) -> None:
        try:
            self._keep_reading()
        except Exception as error:  # Whatever it is, nobody may wait for a reader that has ended.
            self._end(error)

    def _keep_reading(self) -> None:
        outage = Outage(self._policy)
        while not self._is_closed:
            error: APIError | None = None
            try:
                self._follow(outage)
            except APIError as raised:
                error = raised
            if self._is_closed:
                return
            if isinstance(error, NotFoundError) and not any(feed.is_open for feed in self.feeds):
                self._is_reading = False  # The thread may come to be: who starts again, asks again.
                for feed in self.feeds:
                    feed.refuse(error)
                return
            if error is not None and not is_passing(error):
                self._end(error)
                return
            if error is None and self._is_gone():
                self._end(None)
                return
            if outage.is_hopeless:
                for feed in self.feeds:
                    feed.end(feed.incomplete(error))
                return
            logger.info("the events at %s were cut; asking again", self._where)
            pause = outage.attempt(error)
            self._announce(outage.attempts, pause, error)
            self._transport.sleep(pause)

    def _announce(self, attempt: int, pause: float, error: APIError | None) -> None:
        if self._policy.on_reconnect is not None and self.feeds:
            seq = self.feeds[0].last_seq
            thread_id = self.feeds[0].thread_id
            last = str(seq) if seq else None
            self._policy.on_reconnect(Reconnect(attempt, pause, error, None, thread_id, last))

    def _end(self, error: BaseException | None) -> None:
        for feed in self.feeds:
            feed.end(error)

    def _follow(self, outage: Outage) -> None:
        """Read one connection to its end. A thread's stream has none, so that is always a cut."""
        raise NotImplementedError

    def _hang_up(self) -> None:
        """Close the connection, and let whoever reads from it come to an end."""
        raise NotImplementedError


class SyncSseReader(SyncEventReader):
    """Reads server-sent events into one feed."""

    _answer: Answer | None = None
    _is_stable = False

    def _follow(self, outage: Outage) -> None:
        (feed,) = self.feeds
        body = feed.wanted.body()
        if self._is_stable and feed.last_seq:
            body["since"] = feed.last_seq
        headers = {**STREAM_HEADERS, **self._headers}
        call = Call("POST", self._where, ANY, body=body, headers=headers, safe=True)
        answer = self._answer = self._transport.open(call)
        try:
            self._is_stable = is_stable(answer.headers)
            # Numbers of a server that has become another one, as behind a proxy, are not the same.
            goes_on = self._is_stable and ("since" in body or not feed.last_seq)
            feed.begin(feed.last_seq if goes_on else None)
            feed.opened()
            parser = EventParser()
            while data := self._transport.read(call, answer, self._policy.silence):
                heartbeats, events = parser.comments, parser.feed(data)
                has_new = feed.take([protocol_event(event.data) for event in events])
                # What is known already is no progress: a wire that cuts at the same place each
                # time would be tried for ever.
                if has_new or parser.comments > heartbeats:
                    outage.end()
        finally:
            self._answer = None
            answer.close()

    def _hang_up(self) -> None:
        if (answer := self._answer) is not None:
            answer.interrupt()


class SyncSocketReader(SyncEventReader):
    """Reads a WebSocket into any number of feeds, each of which wants all that those before it do.

    There is one subscription: that of the widest feed. A wider one takes the place of the one
    before it. Its replay contains whatever any feed wants, so each feed takes what is behind its
    own last number, and misses nothing. (With two subscriptions an event of the wider one could
    come behind the narrower one's replay of later events.)

    Until a wider subscription is answered, events of the one before it may come between those of
    its replay; a feed that began with such an event would miss all that was before. So the new
    feed's events are held until then, and put in order.
    """

    _socket: SyncEventSocket | None = None

    def __init__(
        self,
        transport: Transport,
        where: str,
        headers: Headers,
        policy: ReconnectPolicy,
        is_gone: Callable[[], bool],
    ) -> None:
        super().__init__(transport, where, headers, policy, is_gone)
        self._numbers = itertools.count(1)
        self._is_stable = False
        #: Subscriptions that are not answered yet, by the number of the command: for which feeds.
        self._asked: dict[int, list[SyncFeed]] = {}
        self._subscription: str | None = None
        #: Feeds for which the socket that is open has, or will have, a subscription.
        self._subscribed: list[SyncFeed] = []
        #: Events of feeds that have been added to a socket, until their subscription is answered.
        self._held: dict[SyncFeed, list[JsonObject]] = {}
        self._lock = Lock()

    def add(self, feed: SyncFeed) -> None:
        """Bring events into a feed as well, over the same socket."""
        super().add(feed)
        if self._socket is not None:
            with suppress(APIError):  # The reader notices it as well, and subscribes again.
                self._subscribe(self._socket)

    def _follow(self, outage: Outage) -> None:
        socket = SyncEventSocket.open(self._transport, self._where, self._headers)
        try:
            with self._lock:
                self._is_stable = is_stable(socket.headers)
                self._subscribed.clear()
                self._asked.clear()
                self._held.clear()
                self._subscription = None
                self._socket = socket
            self._subscribe(socket)
            while (texts := socket.receive(self._policy.silence)) is not None:
                # Pings are signs of life; the answer to a subscription is none.
                if self._take(socket, texts) or not texts:
                    outage.end()
        finally:
            self._socket = None
            socket.close()

    def _subscribe(self, socket: SyncEventSocket) -> None:
        """Subscribe to what the widest feed wants, from where the new ones need it."""
        with self._lock:
            fresh = [feed for feed in self.feeds if feed not in self._subscribed]
            if not fresh or socket is not self._socket:
                return  # Another connection has begun, or will, and subscribes to all.
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
            socket.send(encode({"id": number, "method": method, "params": params}))

    def _take(self, socket: SyncEventSocket, texts: Sequence[bytes]) -> bool:
        """Take messages; return whether there are new events among them."""
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
            self._answered(socket, document)
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

    def _answered(self, socket: SyncEventSocket, answer: JsonObject) -> None:
        """Take the answer to a subscription."""
        feeds = self._asked.pop(answer.get("id", 0), None)
        if feeds is None:
            return
        if answer.get("type") != "success":
            code, message = answer.get("error", "unknown_error"), answer.get("message", "")
            for feed in feeds:
                feed.end(ProtocolError(str(code), str(message)))
            return
        before, self._subscription = self._subscription, answer["result"]["subscription_id"]
        if before is not None:
            params = {"subscription_id": before}
            number = next(self._numbers)
            command = {"id": number, "method": "subscription.unsubscribe", "params": params}
            socket.send(encode(command))
        for feed in feeds:
            feed.take(sorted(self._held.pop(feed, ()), key=lambda event: int(event["seq"])))
            feed.opened()

    def _hang_up(self) -> None:
        if (socket := self._socket) is not None:
            socket.interrupt()


def is_stable(headers: Mapping[str, str]) -> bool:
    """Return whether a server's answer says that its numbers of events stay."""
    name, value = STABLE_IDS
    return headers.get(name) == value


def protocol_message(data: bytes) -> JsonObject:
    """Return what a server sent on a socket.

    Raises:
        APIResponseValidationError: It is no message of the protocol.
    """
    message = decode(data)
    if not isinstance(message, dict):
        raise _not_of_the_protocol(data)
    return protocol_event(data, message) if message.get("type") == "event" else message


def protocol_event(data: bytes, event: object = None) -> JsonObject:
    """Return an event.

    Raises:
        APIResponseValidationError: It is no event of the protocol.
    """
    event = decode(data) if event is None else event
    if isinstance(event, dict):
        raise_failure(event)
    if not isinstance(event, dict) or not isinstance(event.get("params"), dict):
        raise _not_of_the_protocol(data)
    return event


def raise_failure(message: JsonObject) -> None:
    """Raise what a server says of its stream, before it closes it, without having been asked.

    Raises:
        APIConnectionError: The stream failed there. It may be opened again.
    """
    if message.get("type") == "error" and message.get("id") is None:
        code, said = message.get("error", "unknown_error"), message.get("message", "")
        raise APIConnectionError(f"the server ended the stream: {said} ({code})")


def _not_of_the_protocol(data: bytes) -> APIResponseValidationError:
    said = data[:200].decode("utf-8", "replace")
    return APIResponseValidationError(f"not an event of the protocol: {said}")
