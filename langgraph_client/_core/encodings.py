"""Decompress response bodies piece by piece."""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
_KNOWN = ("gzip", "x-gzip", "deflate")
# The most bytes that one call returns: compressed data may stand for a thousand times as much.
MAX_AT_ONCE = 1024 * 1024
# How much is decompressed at once: zlib copies what is behind the end of each gzip member.
_SLICE = 4096
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_GZIP = b"\x1f\x8b"  # The first bytes of each member of a gzip body.


def is_known(encoding: str) -> bool:
    """Return whether `Decompressor` can read a body with this `Content-Encoding`."""
    return encoding.strip().lower() in _KNOWN


class Decompressor:
    """Decompresses one body.

    Args:
        encoding: The value of `Content-Encoding`.

    Raises:
        ValueError: The client did not offer the encoding. `feed` raises it for invalid bytes.
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in _KNOWN:
            raise ValueError(f"the server used the encoding {name!r}; offered were {ACCEPTED}")
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        # RFC 9110 says zlib format, but some servers send bare deflate data under this name.
        self._may_be_raw = name == "deflate"
        self._held = b""
        self._has_input = False
        self._rest = b""  # Input that was not decompressed yet.
        #: Whether there is more to return before further input: call `feed(b"")`.
        self.has_more = False

    @property
    def is_complete(self) -> bool:
        """Whether the input so far is a whole body. An empty body is one."""
        return self._zlib.eof or not self._has_input

    def feed(self, data: bytes) -> bytes:
        """Return decompressed bytes, at most `MAX_AT_ONCE`; see `has_more`.

        They may be empty until more input comes.
        """
        self._has_input = self._has_input or bool(data)
        if self._may_be_raw:
            data, self._held = self._held + data, b""
            if len(data) < 2:  # Two bytes tell zlib from bare deflate data.
                self._held = data
                return b""
        try:
            plain = self._decompressed(data)
        except zlib.error as error:
            if not self._may_be_raw:
                raise ValueError(str(error)) from error
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            self._may_be_raw = False
            return self.feed(data)
        self._may_be_raw = False
        return plain

    def _decompressed(self, data: bytes) -> bytes:
        data, self._rest, self.has_more = self._rest + data, b"", False
        made: list[bytes] = []
        at, room = 0, MAX_AT_ONCE
        while True:
            if self._zlib.eof:
                # A gzip body may have several members. Anything else behind the end is ignored.
                if at == len(data) or not _GZIP.startswith(data[at : at + 2]):
                    return b"".join(made)
                self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
            part = data[at : at + _SLICE]
            made.append(self._zlib.decompress(part, room))
            left = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            at += len(part) - len(left)
            room -= len(made[-1])
            self.has_more = not room
            if self.has_more or at == len(data):
                self._rest = data[at:]
                return b"".join(made)
