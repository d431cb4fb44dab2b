"""The client's side of a WebSocket without I/O: bytes in, texts and bytes out.

The protocol is that of the package websockets, which can be used without I/O too. Text frames that
hold a whole event are cut out of the bytes before they reach it, which is faster: a stream has
little else.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from langgraph_client._core.events import MAX_EVENT_BYTES
from langgraph_client.errors import MissingExtraError

NORMAL = 1000
"""The close code of a normal end."""
_TEXT = 0x81
"""The first byte of a frame that holds a whole text."""
_BEGINNINGS = frozenset(b"\x00\x01\x02\x80\x81\x82\x88\x89\x8a")
"""The allowed first bytes of a frame: final or not, with each known opcode."""
_POLICY = 1008
_OF_STATUS = 4000
"""Newer servers close with 4000 plus an HTTP status: 4404, 4429 and so on."""
_HANDSHAKE = (
    "connection",
    "upgrade",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
)


def is_refusal(code: int | None) -> bool:
    """Return whether a close code means that a new attempt would be refused too."""
    if code == _POLICY:  # A request that can never succeed, such as a thread id that is no UUID.
        return True
    status = 0 if code is None else code - _OF_STATUS
    return 400 <= status < 500 and status not in (408, 425, 429)


class HandshakeError(ValueError):
    """The response to a handshake is not that of a WebSocket server."""


def check_web_sockets() -> None:
    """Check that the package for WebSockets is installed.

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

        # The transport sends the request to its own server, so this address is never used.
        self._protocol = ClientProtocol(parse_uri("ws://localhost/"), max_size=MAX_EVENT_BYTES)
        self._request = self._protocol.connect()
        self.pings = 0  # How many pings and pongs were received.
        self._has_ended = False
        self._begun: list[bytes] = []  # The frames so far of a text in several frames.
        self._held: list[bytes] = []  # The bytes so far of an incomplete frame.
        self._missing = 0  # Bytes until that frame can be complete: no need to parse before.

    def headers(self) -> dict[str, str]:
        """Return the headers of the upgrade request, without `host`."""
        given = {name.lower(): value for name, value in self._request.headers.raw_items()}
        del given["host"]
        return given

    def opened(self, headers: Mapping[str, str]) -> None:
        """Check the headers of the 101 response.

        Args:
            headers: Names in lower case.

        Raises:
            HandshakeError: They do not complete a WebSocket handshake.
        """
        from websockets.datastructures import Headers
        from websockets.http11 import Response

        answer = Headers((name, headers[name]) for name in _HANDSHAKE if name in headers)
        self._protocol.send_request(self._request)
        # The HTTP client has sent the request and read the response. The protocol object must see
        # both to reach its open state, so they are played to it and its output is dropped.
        self._protocol.data_to_send()
        self._protocol.receive_data(Response(101, "Switching Protocols", answer).serialize())
        if self._protocol.handshake_exc is not None:
            raise HandshakeError(str(self._protocol.handshake_exc))
        self._protocol.events_received()

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes of the connection, `b""` at its end; return the complete texts."""
        if data:
            return self._cut(data)
        self._has_ended = True
        self._protocol.receive_data(b"".join(self._held))
        self._held.clear()
        self._protocol.receive_eof()
        return self._received()

    def _cut(self, data: bytes) -> list[bytes]:
        """Take the complete frames; hold the bytes of an incomplete one."""
        self._missing -= len(data)
        if self._held:
            self._held.append(data)
            if self._missing > 0:
                return []
            data = b"".join(self._held)
            self._held.clear()
        texts: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            start, stop = _span(data, at)
            is_bad = stop - start > MAX_EVENT_BYTES or data[at] not in _BEGINNINGS
            if is_bad or self.is_over:
                self._protocol.receive_data(data[at:])  # It finds and reports the error.
                return texts + self._received()
            if stop > end:
                self._held.append(data[at:])
                self._missing = stop - end
                break
            # A masked frame (0x80) of a server is an error, which the protocol must see.
            if data[at] == _TEXT and not self._begun and not data[at + 1] & 0x80:
                texts.append(data[start:stop])
            else:
                self._protocol.receive_data(data[at:stop])
                texts += self._received()
            at = stop
        return texts

    def _received(self) -> list[bytes]:
        """Return the complete texts among the frames that the protocol has parsed."""
        from websockets.frames import Frame, Opcode

        texts: list[bytes] = []
        for frame in self._protocol.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self.pings += frame.opcode is not Opcode.CLOSE
                continue  # The protocol itself answers pings.
            self._begun.append(bytes(frame.data))
            if frame.fin:
                texts.append(b"".join(self._begun))
                self._begun.clear()
        return texts

    def text(self, text: bytes) -> None:
        """Send a text."""
        self._protocol.send_text(text)

    def ping(self) -> None:
        """Send a ping, which the server must answer."""
        self._protocol.send_ping(b"")

    def close(self) -> None:
        """Start the closing handshake, unless the socket is closing or closed."""
        from websockets.protocol import OPEN

        if self._protocol.state is OPEN:
            self._protocol.send_close(NORMAL)

    def outgoing(self) -> bytes:
        """Return the bytes that are to be sent now."""
        return b"".join(self._protocol.data_to_send())

    @property
    def is_over(self) -> bool:
        """Whether the server closed the socket or sent invalid frames."""
        return self._has_ended or self._protocol.close_expected()

    @property
    def code(self) -> int | None:
        """The close code that the server sent; None if it sent none."""
        received = self._protocol.close_rcvd
        return None if received is None else int(received.code)

    @property
    def reason(self) -> str:
        """Why the socket is closed, in the words of the server or of the protocol."""
        if (received := self._protocol.close_rcvd) is not None:
            return received.reason or f"the server closed the socket with code {received.code}"
        error = self._protocol.parser_exc
        return "the connection ended" if error is None else str(error) or type(error).__name__


def _span(data: bytes, at: int) -> tuple[int, int]:
    """Return where a frame's content begins and ends, as far as its head was received."""
    if at + 2 > len(data):
        return at + 2, at + 2
    length, start = data[at + 1] & 0x7F, at + 2
    if length > 125:
        start += 2 if length == 126 else 8
        # If the head is incomplete, 0 is too short, but the frame is incomplete either way.
        length = int.from_bytes(data[at + 2 : start]) if start <= len(data) else 0
    if data[at + 1] & 0x80:  # Masked.
        start += 4
    return start, start + length
