"""Compressed bodies, in pieces of any size."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest

from langgraph_client._core.encodings import MAX_AT_ONCE, Decompressor

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


@pytest.mark.parametrize(("encoding", "begin", "end"), [("gzip", 0, None), ("deflate", 10, -8)])
@pytest.mark.parametrize("size", [3 * MAX_AT_ONCE, 3 * MAX_AT_ONCE + 5])
def test_much_output_comes_in_several_pieces(
    encoding: str, begin: int, end: int | None, size: int
) -> None:
    """A small body that stands for much does not fill the memory at once."""
    body = gzip.compress(bytes(size), mtime=0)[begin:end] * (2 if encoding == "gzip" else 1)
    plain = Decompressor(encoding)
    made, piece = 0, plain.feed(body)
    while piece:
        assert len(piece) <= MAX_AT_ONCE
        made += len(piece)
        piece = plain.feed(b"") if plain.has_more else b""
    assert made == size * (2 if encoding == "gzip" else 1)
    assert plain.is_complete


def test_time_is_linear_in_the_members() -> None:
    """A body of many small gzip members costs no more than its size."""

    def spent(size: int) -> float:
        body, plain = gzip.compress(b"a", mtime=0) * size, Decompressor("gzip")
        begun = time.process_time()
        assert plain.feed(body) == b"a" * size
        return time.process_time() - begun

    small, large = (min(spent(size) for _ in range(3)) for size in (2_000, 20_000))
    assert large < 40 * max(small, 0.001)  # Quadratic would be 100.
