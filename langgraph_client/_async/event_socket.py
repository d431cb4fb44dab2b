"""A WebSocket to a client's server, over the same kind of connection as its requests."""

from __future__ import annotations

from contextlib import suppress

from langgraph_client._async.pools import AsyncAnswer
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.call import ANY, Call
from langgraph_client._core.exchange import FailureKind, NoAnswer, Opening
from langgraph_client._core.web_socket import HandshakeError, WebSocket, is_refusal
from langgraph_client._io.tasks import Lock, close_all
from langgraph_client.errors import (
    APIError,
    APIResponseValidationError,
    APIStatusError,
    ProtocolError,
)
from langgraph_client.models.params import Headers

_NO_SOCKETS = (404, 405, 426)
"""Statuses of a server that has no WebSocket at the path."""


def _names_thread(error: APIStatusError) -> bool:
    """Return whether the server has the path and misses the thread: it says so in its JSON."""
    detail = error.body.get("detail") if isinstance(error.body, dict) else None
    return isinstance(detail, str) and detail.startswith("Thread ")


class AsyncEventSocket:
    """One open socket. It has one reader at a time; any task or thread may send.

    Args:
        url: The address, for errors.
        answer: The response that switched protocols.
        frames: The protocol state after the handshake.
    """

    def __init__(self, url: str, answer: AsyncAnswer, frames: WebSocket) -> None:
        self.headers = answer.headers
        self._url = url
        self._answer = answer
        self._frames = frames
        # Senders and the reader both change the state of `_frames`. Its output must also be sent in
        # the order in which it was produced.
        self._lock = Lock()
        self._is_asked = False  # Whether a ping was sent and nothing was received since.

    @classmethod
    async def open(
        cls, transport: AsyncTransport, where: str, headers: Headers, opening: Opening
    ) -> AsyncEventSocket:
        """Open a socket.

        Args:
            transport: Sends the request, with the client's API key, to the client's server.
            where: The path below the server's URL.
            headers: More headers for the request.
            opening: With what another task or thread can end the wait for the response.

        Raises:
            APIError: The server cannot be reached or refuses the request; `NotFoundError` if the
                caller may not access the thread.
            ProtocolError: The server has no WebSocket there, or is in this process.
        """
        frames = WebSocket()
        sent = {**headers, **frames.headers()}
        call = Call("GET", where, ANY, headers=sent, safe=True, opening=opening)
        try:
            answer = await transport.upgrade(call)
        except APIStatusError as error:
            if error.status_code not in _NO_SOCKETS or _names_thread(error):
                raise
            raise ProtocolError(
                "unsupported",
                "the server has no WebSocket for events, because it runs in this process or is"
                f' too old (status {error.status_code}); use transport="sse"',
            ) from error
        url = transport.settings.url + where
        try:
            frames.opened(answer.headers)
        except HandshakeError as error:
            await answer.aclose()
            raise APIResponseValidationError(
                f"the response does not open a WebSocket: {error}", method="GET", url=url
            ) from error
        return cls(url, answer, frames)

    async def send(self, text: bytes) -> None:
        """Send a text.

        Raises:
            APIConnectionError: The connection broke, or the server has closed the socket.
        """
        async with self._lock:
            if self._frames.is_over:
                raise self._error(NoAnswer(FailureKind.BROKEN, self._frames.reason))
            self._frames.text(text)
            await self._flush()

    async def receive(self, silence: float | None) -> list[bytes] | None:
        """Return the next texts; an empty list for a ping or pong; None at the end.

        Args:
            silence: After this many seconds without data the connection counts as lost. A ping is
                sent after half of them. None for the read timeout, without a ping.

        Raises:
            APIError: The connection broke, or nothing was received in time.
            ProtocolError: The server refuses to send these events.
        """
        while not self._frames.is_over:
            try:
                data = await self._answer.receive(None if silence is None else silence / 2)
            except NoAnswer as error:
                if (
                    error.kind is FailureKind.TIMED_OUT
                    and silence is not None
                    and not self._is_asked
                ):
                    await self._ping()
                    continue
                raise self._error(error) from error.__cause__
            self._is_asked = False
            async with self._lock:
                pings, texts = self._frames.pings, self._frames.feed(data)
                await self._flush()
            if texts or self._frames.pings > pings:
                return texts
        if is_refusal(self._frames.code):
            raise ProtocolError("invalid_argument", self._frames.reason)
        if self._frames.code is None:
            raise self._error(NoAnswer(FailureKind.BROKEN, self._frames.reason))
        return None

    async def _ping(self) -> None:
        self._is_asked = True
        async with self._lock:
            self._frames.ping()
            await self._flush()

    async def _flush(self) -> None:
        if data := self._frames.outgoing():
            try:
                await self._answer.transmit(data)
            except NoAnswer as error:
                raise self._error(error) from error.__cause__

    def _error(self, error: NoAnswer) -> APIError:
        return error.as_error("GET", self._url)

    async def interrupt(self) -> None:
        """Make a `receive` in another task or thread end now."""
        await self._answer.interrupt()

    async def aclose(self) -> None:
        """Send a close frame, if possible, and close the connection."""
        await close_all(self._take_leave, self._answer.aclose)

    async def _take_leave(self) -> None:
        with suppress(APIError):  # The connection is broken already.
            async with self._lock:
                self._frames.close()
                await self._flush()
