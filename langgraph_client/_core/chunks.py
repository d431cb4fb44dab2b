"""Fewer, larger chunks: what an HTTP/1.1 parser is given of a chunked body.

Servers send an HTTP chunk for each event, and a parser turns once for each chunk, with everything
above it. What one read brings is given to it as one chunk in place of many.
"""

from __future__ import annotations

_HEXADECIMAL = b"0123456789abcdefABCDEF"
_LONGEST_SIZE = 20  # Digits of a chunk's size; more is left to the parser.
_END = -1  # In place of a size: the line end behind a chunk's data comes next.


class ChunkJoiner:
    """Takes the bytes of one answer after the other, and gives them back with larger chunks.

    What it does not understand it gives back as it is, from there to the end of the answer: the
    parser behind it judges. Bytes are held back only within the line of a chunk's size.

    | state    | what comes next                                                   |
    | -------- | ----------------------------------------------------------------- |
    | HEAD     | the answer's head; it is not chunked unless all of it comes now   |
    | CHUNKS   | a chunk's size, its data, the line end behind it                  |
    | AS IT IS | anything                                                          |
    """

    __slots__ = ("_has_left", "_held", "_in_head", "_is_plain", "_need")

    def __init__(self) -> None:
        self._has_left = False
        self.begin()

    def leave(self) -> None:
        """Another protocol is spoken from now on: whatever comes is given back as it is."""
        self._has_left = True

    def begin(self) -> None:
        """A request is sent: another answer will come."""
        self._in_head = True
        self._is_plain = False
        self._need = 0  # Bytes of the chunk that are still to come; or `_END`.
        self._held = b""  # The beginning of a size, or of a line end.

    def feed(self, data: bytes) -> bytes:
        """Return what the parser is to be given for these bytes; nothing if more is needed."""
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
        """Join the data of the chunks; `head` goes before them."""
        if self._held:
            data, self._held = self._held + data, b""
        pieces: list[bytes] = []
        place, length, need = 0, len(data), self._need
        rest = b""  # What is left to the parser as it is.
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
                    rest = data[place:]
                    break
                place += 2
                need = 0
                continue
            line_end = data.find(b"\r\n", place, place + _LONGEST_SIZE)
            if line_end < 0:
                if length - place < _LONGEST_SIZE:
                    self._held = data[place:]
                else:
                    rest = data[place:]
                break
            size = data[place:line_end]
            if size.translate(None, _HEXADECIMAL) or not size or not (need := int(size, 16)):
                # The last chunk, and what is behind it; or one with extensions, or no chunk at all.
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
