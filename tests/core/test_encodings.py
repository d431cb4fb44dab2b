"""Compressed bodies, in pieces of any size."""

from __future__ import annotations

import gzip
import zlib

import pytest

from langgraph_client._core.encodings import Decompressor

TEXT = b"some text, and some more text"
ZLIB = zlib.compress(TEXT)
GZIP = gzip.compress(TEXT, mtime=0)
WHOLE = [
    ("gzip", GZIP, TEXT),
    ("gzip", GZIP + GZIP, TEXT * 2),
    ("gzip", GZIP + b"\0\0", TEXT),
    ("deflate", ZLIB, TEXT),
    ("deflate", ZLIB[2:-4], TEXT),
]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(("encoding", "body", "text"), WHOLE)
def test_pieces_may_have_any_size(encoding: str, body: bytes, text: bytes, size: int) -> None:
    """gzip with one or more members, zlib format and bare deflate data."""
    plain = Decompressor(encoding)
    made = b"".join(plain.feed(body[at : at + size]) for at in range(0, len(body), size))
    assert made == text
    assert plain.is_complete


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", GZIP), ("gzip", GZIP + GZIP), ("deflate", ZLIB), ("deflate", ZLIB[2:-4])],
)
def test_a_body_without_its_end_is_not_complete(encoding: str, body: bytes) -> None:
    """Its last byte is missing, or all but its first. A body of no bytes is complete."""
    for part in (body[:-1], body[:1]):
        plain = Decompressor(encoding)
        plain.feed(part)
        assert not plain.is_complete
    assert Decompressor(encoding).is_complete
