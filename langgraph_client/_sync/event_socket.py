# Generated from langgraph_client/_async/event_socket.py by .ci/unasync.py; do not edit.
"""A WebSocket to the server of a client, over the connections that its requests take."""

from __future__ import annotations

from contextlib import suppress

from langgraph_client._core.call import ANY, Call
from langgraph_client._core.exchange import Kind, NoAnswer
from langgraph_client._core.web_socket import HandshakeError, WebSocket, is_refusal
from langgraph_client._io.threads import Lock
from langgraph_client._sync.pools import Answer
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import (
    APIError,
    APIResponseValidationError,
    APIStatusError,
    ProtocolError,
)
from langgraph_client.models.params import Headers

_NO_SOCKETS = (404, 405, 426)
"""Statuses of an answer that knows the path as that of a usual request only, or not at all."""


class SyncEventSocket:
    """One open socket. One reader at a time; anybody may send.

    Args:
        url: The address, for errors.
        answer: The answer that has switched protocols.
        frames: The state of the protocol, which has taken the answer's headers.
    """

    def __init__(self, url: str, answer: Answer, frames: WebSocket) -> None:
        self.headers = answer.headers
        self._url = url
        self._answer = answer
        self._frames = frames
        # The frames' state is changed by those who send and by the one who reads.
        self._lock = Lock()
        self._is_asked = False  # A ping was sent, and nothing has come since.

    @classmethod
    def open(cls, transport: Transport, where: str, headers: Headers) -> SyncEventSocket:
        """Open a socket.

        Args:
            transport: Sends the request, with the client's key, to the client's server.
            where: The path.
            headers: Further headers of the request.

        Raises:
            APIError: The server refuses, or cannot be reached.
            ProtocolError: There are no WebSockets here, such as in process.
        """
        frames = WebSocket()
        call = Call("GET", where, ANY, headers={**headers, **frames.headers()}, safe=True)
        try:
            answer = transport.upgrade(call)
        except APIStatusError as error:
            if error.status_code not in _NO_SOCKETS:
                raise
            raise ProtocolError(
                "unsupported",
                "there is no WebSocket here: the server is in this process or older than event"
                f' streaming; use transport="sse" (it answers {error.status_code})',
            ) from error
        url = transport.settings.url + where
        try:
            frames.opened(answer.headers)
        except HandshakeError as error:
            answer.close()
            raise APIResponseValidationError(
                f"the answer does not open a WebSocket: {error}", method="GET", url=url
            ) from error
        return cls(url, answer, frames)

    def send(self, text: bytes) -> None:
        """Send a text.

        Raises:
            APIConnectionError: The connection is broken.
        """
        with self._lock:
            self._frames.text(text)
            self._flush()

    def receive(self, silence: float | None) -> list[bytes] | None:
        """Return the texts that come next, none for a mere sign of life; None at the end.

        Args:
            silence: Seconds without anything after which the connection is dead. Half of them pass
                before the server is asked for a sign of life.

        Raises:
            APIError: The connection broke, or nothing came.
            ProtocolError: The server says that this cannot be followed.
        """
        while not self._frames.is_over:
            try:
                data = self._answer.receive(None if silence is None else silence / 2)
            except NoAnswer as error:
                if error.kind is Kind.TIMED_OUT and silence is not None and not self._is_asked:
                    self._ping()
                    continue
                raise self._error(error) from error.__cause__
            self._is_asked = False
            with self._lock:
                signs, texts = self._frames.signs, self._frames.feed(data)
                self._flush()
            if texts or self._frames.signs > signs:
                return texts
        if is_refusal(self._frames.code):
            raise ProtocolError("invalid_argument", self._frames.reason)
        if self._frames.code is None:
            raise self._error(NoAnswer(Kind.BROKEN, self._frames.reason))
        return None

    def _ping(self) -> None:
        self._is_asked = True
        with self._lock:
            self._frames.ping()
            self._flush()

    def _flush(self) -> None:
        if data := self._frames.outgoing():
            try:
                self._answer.transmit(data)
            except NoAnswer as error:
                raise self._error(error) from error.__cause__

    def _error(self, error: NoAnswer) -> APIError:
        return error.as_error("GET", self._url)

    def interrupt(self) -> None:
        """Let whoever reads come to an end."""
        self._answer.interrupt()

    def close(self) -> None:
        """Say good-bye, if that is possible, and close the connection."""
        try:
            with suppress(APIError):  # It is broken already.
                with self._lock:
                    self._frames.close()
                    self._flush()
        finally:
            self._answer.close()
