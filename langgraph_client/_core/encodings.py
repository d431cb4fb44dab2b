"""Bodies that a server has compressed, made plain piece by piece."""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Decompressor:
    """Makes one body plain.

    Raises:
        ValueError: for an encoding that was not asked for, and for bytes that are not of it.
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in ("gzip", "x-gzip", "deflate"):
            raise ValueError(f"the encoding {name!r} was not asked for")
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._may_be_raw = name == "deflate"  # Some servers mean it without zlib's frame.

    def feed(self, data: bytes) -> bytes:
        """Return what has become plain with these bytes; it may be nothing."""
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
