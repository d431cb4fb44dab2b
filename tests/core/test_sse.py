"""The line-by-line reader of event streams that programs import."""

from __future__ import annotations

import httpx
import pytest

from langgraph_client.models import StreamPart
from langgraph_client.sse import BytesLineDecoder, SSEDecoder, aiter_lines_raw, iter_lines_raw

BODY = (
    b"\xef\xbb\xbf: hello\r\nevent: values\r\ndata: {\r\ndata: }\r\nid: 1\r\n\r\n"
    b"data: [1]\n\n\n: beat\revent: end\r\revent: cut"
)
PARTS = [StreamPart("values", {}, "1"), StreamPart("", [1], "1"), StreamPart("end", None, "1")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_end_wherever_the_pieces_do(size: int) -> None:
    """CR, LF and CRLF end a line, also where a CRLF is cut; what has no end is flushed."""
    decoder, reader = BytesLineDecoder(), SSEDecoder()
    lines = []
    for start in range(0, len(BODY), size):
        lines += decoder.decode(BODY[start : start + size])
    assert list(decoder.flush()) == [b"event: cut"]
    parts = [part for line in lines if (part := reader.decode(bytes(line))) is not None]
    assert parts == PARTS
    assert reader.last_event_id == "1"


def test_fields_are_read_as_the_standard_says() -> None:
    """An id with a NUL is ignored, unknown fields too; an empty id takes the last one away."""
    reader = SSEDecoder(last_event_id="0")
    assert [reader.decode(line) for line in (b"id: a\0b", b"other: 1", b"retry: 5", b"data:5")] == [
        None
    ] * 4
    assert reader.decode(b"") == StreamPart("", 5, "0")
    assert reader.has_data
    assert [reader.decode(b"id"), reader.decode(b"")] == [None, StreamPart("", None, None)]
    assert (reader.last_event_id, reader.has_data) == ("", False)
    assert reader.decode(b"") is None
    # A block with nothing but fields that are ignored is no event.
    assert [reader.decode(line) for line in (b"id: a\0b", b"retry: soon", b"")] == [None] * 3
    assert [reader.decode(b"retry: 5"), reader.decode(b"")] == [None, StreamPart("", None, None)]


async def test_a_response_is_read_line_by_line() -> None:
    """In both colours, the last line included."""
    lines = [b"a", b"", b"b"]
    assert list(iter_lines_raw(httpx.Response(200, content=b"a\r\n\nb"))) == lines
    found = [line async for line in aiter_lines_raw(httpx.Response(200, content=b"a\r\n\nb"))]
    assert found == lines
