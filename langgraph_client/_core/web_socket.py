"""A WebSocket without its connection: bytes in, texts and bytes out. Pure.

The protocol is that of the package websockets, which does no I/O of its own either. Whole texts,
which is what an event is, are cut out of the bytes before: a stream has little else.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from langgraph_client._core.events import MAX_EVENT_BYTES
from langgraph_client.errors import MissingExtraError

NORMAL = 1000
"""The close code of an end in good order."""
_TEXT = 0x81
"""How a frame begins that is a whole text."""
_BEGINNINGS = frozenset(b"\x00\x01\x02\x80\x81\x82\x88\x89\x8a")
"""How frames begin. What begins otherwise is none, and so is what is masked by a server."""
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
        self._held: list[bytes] = []  # Of a frame that has not come whole.
        self._missing = 0  # How many bytes have to come before it is worth another look.

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
        if data:
            return self._cut(data)
        self._has_ended = True
        self._protocol.receive_data(b"".join(self._held))
        self._held.clear()
        self._protocol.receive_eof()
        return self._received()

    def _cut(self, data: bytes) -> list[bytes]:
        """Take the frames that are whole; hold the beginning of one that is not."""
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
                self._protocol.receive_data(data[at:])  # It says what is wrong.
                return texts + self._received()
            if stop > end:
                self._held.append(data[at:])
                self._missing = stop - end
                break
            if data[at] == _TEXT and not self._begun and not data[at + 1] & 0x80:
                texts.append(data[start:stop])
            else:
                self._protocol.receive_data(data[at:stop])
                texts += self._received()
            at = stop
        return texts

    def _received(self) -> list[bytes]:
        """Return the texts that are complete in what the protocol was given."""
        from websockets.frames import Frame, Opcode

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


def _span(data: bytes, at: int) -> tuple[int, int]:
    """Return where the content of a frame begins and ends, as far as its head has come."""
    if at + 2 > len(data):
        return at + 2, at + 2
    length, start = data[at + 1] & 0x7F, at + 2
    if length > 125:
        start += 2 if length == 126 else 8
        # With less of the head, this is short of the length, and the frame is not whole either way.
        length = int.from_bytes(data[at + 2 : start]) if start <= len(data) else 0
    if data[at + 1] & 0x80:  # Masked.
        start += 4
    return start, start + length
