"""The event protocol over a WebSocket: commands from the client, replies and events to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.errors import Invalid, Unavailable
from langgraph_client.server.http.client_json import decode_limited
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.routes.event_streams import STABLE
from langgraph_client.server.runs.commands import (
    NO_RUN,
    CommandError,
    failure,
    read_command,
    since_of,
    subscription,
    success,
)
from langgraph_client.server.runs.event_filter import CachedByName
from langgraph_client.server.runs.event_log import Reader
from langgraph_client.server.runs.protocol_log import ProtocolLog
from langgraph_client.server.runs.run_document import canonical_uuid
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import Event

_STABLE = [(name.encode(), value.encode()) for name, value in STABLE.items()]
_UNSUPPORTED = 1008
"""The close code for an invalid thread id."""
_TRY_AGAIN = 1013
"""The close code while the database is not available."""
_EVENTS_PER_TURN = 64
"""How many events are sent within one turn of the loop, and so in one write."""
MAX_SUBSCRIPTIONS = 256
"""The most subscriptions of a socket, as each live event is compared with all of them."""
_NOT_JSON = CommandError("invalid_argument", "Protocol commands must be valid JSON.")


async def event_socket(socket: WebSocket, request: ValidRequest) -> None:
    """GET /threads/{thread_id}/stream/events, upgraded."""
    services = request.services
    await socket.accept(headers=_STABLE)
    try:
        thread_id = canonical_uuid(socket.path_params["thread_id"], "Invalid thread ID")
    except Invalid as error:
        await socket.close(_UNSUPPORTED, error.detail)
        return
    runs = services.engine.protocol_runs
    try:
        log = await runs.open(thread_id)
    except Unavailable as error:
        await socket.close(_TRY_AGAIN, error.detail[:100])
        return
    try:
        reader = request.end_when_denied(log.log.read(), thread_id)
        await EventSocket(socket, services, log, reader).serve()
    finally:
        runs.release(log)


class EventSocket:
    """One socket, with its subscriptions.

    A reply and the events of its replay are sent under a lock, so that live events, which another
    task sends, come either before or after them, but not in between.

    Args:
        socket: The connection, accepted.
        services: The server.
        log: The events of the thread.
        reader: Reads new events; a subscription replays earlier ones. It is closed at the end.
    """

    def __init__(
        self, socket: WebSocket, services: Services, log: ProtocolLog, reader: Reader
    ) -> None:
        self._socket = socket
        self._services = services
        self._log = log
        self._reader = reader
        #: By subscription id: the wanted names, and the number after which events are live.
        self._subscriptions: dict[str, tuple[CachedByName[bool], int]] = {}
        #: The namespaces of the interrupts that this socket has sent, by interrupt id.
        self._sent_interrupts: dict[str, list[str]] = {}
        self._sent = 0
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Reply to commands and send events until the client disconnects."""
        tasks = [
            asyncio.create_task(self._commands()),
            asyncio.create_task(self._live(self._reader)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self._reader.close()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(RuntimeError, WebSocketDisconnect, OSError):
                await self._socket.close(1001)

    async def _live(self, reader: Reader) -> None:
        async for batch in reader:
            self._note_questions(batch)
            async with self._sending:
                await self._send_events(self._wanted(batch))

    def _wanted(self, events: list[Event]) -> list[Event]:
        """Return the live events that any subscription wants."""
        subscriptions = list(self._subscriptions.values())
        if len(subscriptions) == 1:  # The usual case, made fast: this is called for each token.
            ((wanted, after),) = subscriptions
            return [event for event in events if event.id[0] > after and wanted[event.name]]
        return [
            event
            for event in events
            if any(event.id[0] > after and wanted[event.name] for wanted, after in subscriptions)
        ]

    def _note_questions(self, events: list[Event]) -> None:
        for event in events:
            if event.name.startswith("input"):
                params = decode(event.data)["params"]
                self._sent_interrupts[params["data"]["interrupt_id"]] = params["namespace"]

    async def _send_events(self, events: Iterable[Event]) -> int:
        count, send = 0, self._socket.send
        for (seq, _), _, data in events:
            await send({"type": "websocket.send", "text": data.decode()})
            self._sent = max(self._sent, seq)
            count += 1
            if count % _EVENTS_PER_TURN == 0:
                await asyncio.sleep(0)  # So that a disconnect is noticed in a long replay.
        return count

    async def _commands(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            frame = message.get("text")
            # Without the lock: `_subscribe` takes it itself, and other commands may wait for runs.
            answer = await self._answer(message["bytes"] if frame is None else frame)
            async with self._sending:
                await self._socket.send_text(encode(answer).decode())

    async def _answer(self, frame: str | bytes) -> dict[str, object]:
        request_id: object = None
        try:
            try:
                text = frame if isinstance(frame, bytes) else frame.encode()
                command = decode_limited(text, "The command")
            except ValueError:
                raise _NOT_JSON from None
            except Invalid as error:
                raise CommandError("invalid_argument", f"{error.detail}.") from None
            request_id = command.get("id") if isinstance(command, dict) else None
            request_id, method, params = read_command(command)
            result = await self._result(method, params)
        except CommandError as error:
            return failure(request_id, error)
        return success(request_id, result, self._sent)

    async def _result(self, method: str, params: Any) -> object:
        if method in ("subscription.subscribe", "subscription.reconnect"):
            return await self._subscribe(method, params)
        if method == "subscription.unsubscribe":
            subscription_id = params.get("subscription_id")
            if not isinstance(subscription_id, str):
                raise CommandError("invalid_argument", f"{method} requires a subscription_id.")
            if self._subscriptions.pop(subscription_id, None) is None:
                raise CommandError(
                    "no_such_subscription", f"Unknown subscription: {subscription_id}"
                )
            return {}
        if method == "input.respond":
            self._check_namespaces(params)
        return await self._services.commands.execute(self._log.thread_id, method, params)

    def _check_namespaces(self, params: Any) -> None:
        """Refuse a response whose namespace is not that of its interrupt."""
        responses = params.get("responses", [params])
        for response in responses if isinstance(responses, list) else ():
            if not isinstance(response, dict):
                continue
            sent_namespace = self._sent_interrupts.get(str(response.get("interrupt_id")))
            if sent_namespace is not None and response.get("namespace", []) != sent_namespace:
                raise CommandError(
                    "no_such_interrupt", "Interrupt namespace does not match the pending interrupt."
                )

    async def _subscribe(self, method: str, params: Any) -> dict[str, object]:
        wanted, since = CachedByName(subscription(method, params).wants), since_of(params)
        given_id = params.get("subscription_id")
        if method == "subscription.reconnect":
            if self._log.last == 0:
                raise CommandError("no_such_run", NO_RUN)
            if since is None:
                raise CommandError(
                    "invalid_argument", f"{method} requires a non-negative integer since."
                )
        is_given = isinstance(given_id, str) and bool(given_id)
        subscription_id = given_id if is_given else self._services.clock.uuid4()
        subscriptions = self._subscriptions
        if subscription_id not in subscriptions and len(subscriptions) >= MAX_SUBSCRIPTIONS:
            raise CommandError(
                "invalid_argument",
                f"A socket may have at most {MAX_SUBSCRIPTIONS} subscriptions: end one of them.",
            )
        async with self._sending:
            after, count = await self._log.known(since or 0), 0
            # Until nothing is left: events that were handed out meanwhile are replayed too, and
            # `_live` waits for the lock. So each event is sent once, by the one or the other.
            while page := await self._past(after):
                self._note_questions(page)
                count += await self._send_events(e for e in page if wanted[e.name])
                after = page[-1].id[0]
            subscriptions[subscription_id] = wanted, after
        return {"subscription_id": subscription_id, "replayed_events": count}

    async def _past(self, after: int) -> list[Event]:
        """Return the stored events after a number, up to those that were handed out."""
        if self._reader.allowed is not None and not await self._reader.allowed():
            return []
        await self._log.log.flush()
        assert self._log.log.keeper is not None
        return await self._log.log.keeper.after((after, 0), 1000)
