"""Decompress response bodies piece by piece."""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
_KNOWN = ("gzip", "x-gzip", "deflate")
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

    @property
    def is_complete(self) -> bool:
        """Whether the input so far is a whole body. An empty body is one."""
        return self._zlib.eof or not self._has_input

    def feed(self, data: bytes) -> bytes:
        """Return the decompressed bytes; they may be empty until more input comes."""
        self._has_input = self._has_input or bool(data)
        if self._may_be_raw:
            data, self._held = self._held + data, b""
            if len(data) < 2:  # Two bytes tell zlib format from bare data.
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
        plain = self._zlib.decompress(data)
        # A gzip body may have several members. Anything else behind the end is ignored.
        while self._zlib.eof and (rest := self._zlib.unused_data) and _GZIP.startswith(rest[:2]):
            self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
            plain += self._zlib.decompress(rest)
        return plain
