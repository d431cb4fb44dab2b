"""Decompress response bodies piece by piece."""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Decompressor:
    """Decompresses one body.

    Args:
        encoding: The value of `Content-Encoding`.

    Raises:
        ValueError: The client did not offer the encoding. `feed` raises it for invalid bytes.
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in ("gzip", "x-gzip", "deflate"):
            raise ValueError(f"the server used the encoding {name!r}; offered were {ACCEPTED}")
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        # RFC 9110 says zlib format, but some servers send bare deflate data under this name.
        self._may_be_raw = name == "deflate"

    def feed(self, data: bytes) -> bytes:
        """Return the decompressed bytes; they may be empty until more input comes."""
        try:
            plain = self._zlib.decompress(data)
        except zlib.error as error:
            if not self._may_be_raw:
                raise ValueError(str(error)) from error
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            self._may_be_raw = False
            return self.feed(data)
        self._may_be_raw = False
        return plain
