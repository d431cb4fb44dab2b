"""Join the chunks of a chunked HTTP/1.1 body before they reach the parser, for speed.

Servers send one HTTP chunk per event. The parser, and the code above it, does a fixed amount of
work per chunk. So all chunks of one read are given to the parser as a single chunk.
"""

from __future__ import annotations

_HEXADECIMAL = b"0123456789abcdefABCDEF"
_MAX_SIZE_DIGITS = 20  # Digits of a chunk's size; more is left to the parser.
_END = -1  # In place of a size: the line end behind a chunk's data comes next.
# Sent to the parser in place of a missing line end, which it would not notice otherwise: the line
# end was added here. It is no size, so the parser reports the error.
_NO_END = b"no line end behind a chunk\r\n"


class ChunkJoiner:
    """Takes the bytes of one response after the other, and returns them with larger chunks.

    From the first bytes that it does not understand, the rest of the response is returned
    unchanged, and the parser reports any error. Only an incomplete size line or line end is held
    back.

    | state    | what comes next                                                          |
    | -------- | ------------------------------------------------------------------------ |
    | HEAD     | the response's head; if it is not complete in one read, nothing is joined |
    | CHUNKS   | a chunk's size, its data, the line end after it                          |
    | AS IT IS | anything                                                                 |
    """

    __slots__ = ("_has_left", "_held", "_in_head", "_is_plain", "_need")

    def __init__(self) -> None:
        self._has_left = False
        self.begin()

    def leave(self) -> None:
        """Stop joining: the connection has switched to another protocol, such as WebSocket."""
        self._has_left = True

    @property
    def holds(self) -> bool:
        """Whether bytes are held back: more than the response, if that has ended."""
        return bool(self._held)

    def begin(self) -> None:
        """Note that a request is sent: the next bytes begin a new response."""
        self._in_head = True
        self._is_plain = False
        self._need = 0  # Bytes missing from the current chunk, or `_END`.
        self._held = b""  # An incomplete size line or line end.

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to give to the parser; empty if more are needed first."""
        if self._is_plain or self._has_left:
            return data
        if not self._in_head:
            return self._join(b"", data)
        head, end, body = data.partition(b"\r\n\r\n")
        if not end or b"\r\ntransfer-encoding: chunked" not in head.lower():
            self._is_plain = True
            return data
        self._in_head = False
        return self._join(head + end, body)

    def _join(self, head: bytes, data: bytes) -> bytes:
        """Join the data of the chunks, and put `head` before them."""
        if self._held:
            data, self._held = self._held + data, b""
        pieces: list[bytes] = []
        place, length, need = 0, len(data), self._need
        rest = b""  # Bytes for the parser that are not changed.
        while place < length:
            if need > 0:
                piece = data[place : place + need]
                pieces.append(piece)
                place += len(piece)
                need = need - len(piece) or _END
                continue
            if need == _END:
                if length - place < 2:
                    self._held = data[place:]
                    break
                if data[place : place + 2] != b"\r\n":
                    rest = _NO_END + data[place:]
                    break
                place += 2
                need = 0
                continue
            line_end = data.find(b"\r\n", place, place + _MAX_SIZE_DIGITS)
            if line_end < 0:
                if length - place < _MAX_SIZE_DIGITS:
                    self._held = data[place:]
                else:
                    rest = data[place:]
                break
            size = data[place:line_end]
            if size.translate(None, _HEXADECIMAL) or not size or not (need := int(size, 16)):
                # The last chunk (size 0) with trailers, a size with extensions, or invalid bytes:
                # all rare, so the parser gets them as they are.
                rest, need = data[place:], 0
                break
            place = line_end + 2
        self._need = need
        if rest:
            self._is_plain = True
        if not pieces:
            return head + rest
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return b"%b%x\r\n%b\r\n%b" % (head, len(body), body, rest)
