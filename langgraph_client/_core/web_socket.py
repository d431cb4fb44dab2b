"""A WebSocket without its connection: bytes in, texts and bytes out. Pure.

The frames are those of the package websockets, whose protocol does no I/O of its own either.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from langgraph_client._core.events import MAX_EVENT_BYTES
from langgraph_client.errors import MissingExtraError

NORMAL = 1000
"""The close code of an end in good order."""
_POLICY = 1008
_OF_STATUS = 4000
"""Codes from here on are a status of HTTP: newer servers close with 4404, 4429 and the like."""
_HANDSHAKE = (
    "connection",
    "upgrade",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
)


def is_refusal(code: int | None) -> bool:
    """Return whether a close code says that asking again would be in vain."""
    if code == _POLICY:  # What cannot be followed, such as a thread whose id is no UUID.
        return True
    status = 0 if code is None else code - _OF_STATUS
    return 400 <= status < 500 and status not in (408, 425, 429)


class HandshakeError(ValueError):
    """The answer to a handshake is not that of a WebSocket server."""


def check_web_sockets() -> None:
    """Check that there can be WebSockets.

    Raises:
        MissingExtraError: The package websockets is not installed.
    """
    if find_spec("websockets") is None:
        raise MissingExtraError('transport="websocket"', "websocket")


class WebSocket:
    """The client's side of one WebSocket. See `check_web_sockets`."""

    def __init__(self) -> None:
        from websockets.client import ClientProtocol
        from websockets.uri import parse_uri

        # The request goes to the server that the transport knows: its address does not count here.
        self._protocol = ClientProtocol(parse_uri("ws://localhost/"), max_size=MAX_EVENT_BYTES)
        self._request = self._protocol.connect()
        self.signs = 0  # Pings that came, and answers to those that were sent.
        self._has_ended = False
        self._begun: list[bytes] = []  # Of a text that comes in several frames.

    def headers(self) -> dict[str, str]:
        """Return what the request for the upgrade carries."""
        given = {name.lower(): value for name, value in self._request.headers.raw_items()}
        del given["host"]
        return given

    def opened(self, headers: Mapping[str, str]) -> None:
        """Take the headers of the answer that switches protocols.

        Raises:
            HandshakeError: They are not those of a WebSocket.
        """
        from websockets.datastructures import Headers
        from websockets.http11 import Response

        answer = Headers((name, headers[name]) for name in _HANDSHAKE if name in headers)
        self._protocol.send_request(self._request)
        self._protocol.data_to_send()  # It was sent already.
        self._protocol.receive_data(Response(101, "Switching Protocols", answer).serialize())
        if self._protocol.handshake_exc is not None:
            raise HandshakeError(str(self._protocol.handshake_exc))
        self._protocol.events_received()

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes of the connection, `b""` at its end; return the texts that are complete."""
        from websockets.frames import Frame, Opcode

        if data:
            self._protocol.receive_data(data)
        else:
            self._has_ended = True
            self._protocol.receive_eof()
        texts: list[bytes] = []
        for frame in self._protocol.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self.signs += frame.opcode is not Opcode.CLOSE
                continue  # Pings are answered by the protocol.
            self._begun.append(bytes(frame.data))
            if frame.fin:
                texts.append(b"".join(self._begun))
                self._begun.clear()
        return texts

    def text(self, text: bytes) -> None:
        """Send a text."""
        self._protocol.send_text(text)

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._protocol.send_ping(b"")

    def close(self) -> None:
        """End it in good order, unless it has ended."""
        from websockets.protocol import OPEN

        if self._protocol.state is OPEN:
            self._protocol.send_close(NORMAL)

    def outgoing(self) -> bytes:
        """Return the bytes that are to be sent now."""
        return b"".join(self._protocol.data_to_send())

    @property
    def is_over(self) -> bool:
        """Whether the server closed it, or its frames cannot be read."""
        return self._has_ended or self._protocol.close_expected()

    @property
    def code(self) -> int | None:
        """The close code that the server sent."""
        received = self._protocol.close_rcvd
        return None if received is None else int(received.code)

    @property
    def reason(self) -> str:
        """Why it is over, in the words of the server or of the protocol."""
        if (received := self._protocol.close_rcvd) is not None:
            return received.reason or f"the server closed the socket with code {received.code}"
        error = self._protocol.parser_exc
        return "the connection ended" if error is None else str(error) or type(error).__name__
