"""Bytes to events, cut anywhere."""

from __future__ import annotations

import itertools
import random
import time

import pytest
from httpx_sse._decoders import SSEDecoder

from langgraph_client._core.events import EventParser, ServerEvent, part_from
from langgraph_client.errors import APIResponseValidationError

TABLE = [
    (b"event: values\r\ndata: 1\r\nid: 2-0\r\n\r\n", [("values", b"1", "2-0")]),
    (b"event: values\ndata: 1\n\n", [("values", b"1", None)]),
    (b"event: values\rdata: 1\r\r", [("values", b"1", None)]),
    (b"\xef\xbb\xbfevent:a\ndata:1\n\n", [("a", b"1", None)]),
    (b": heartbeat\r\n\r\n: heartbeat\r\n\r\ndata: 1\n\n", [("message", b"1", None)]),
    (b"event: end\n\n", [("end", b"", None)]),
    (b"data: 1\ndata: 2\n\n", [("message", b"1\n2", None)]),
    (b"event: a\nunknown: x\nretry: 3\ndata:  1\n\n", [("a", b" 1", None)]),
    ('event: a\ndata: "\u2028\u0085"\n\n'.encode(), [("a", '"\u2028\u0085"'.encode(), None)]),
    (b"event: a\nid: 1\n\nevent: b\ndata\n\n", [("a", b"", "1"), ("b", b"", "1")]),
    (b"event: a\nid: 1\n\nid\nevent: b\n\n", [("a", b"", "1"), ("b", b"", None)]),
    (b"event: a\nid: 1\n\nid: \0\nevent: b\n\n", [("a", b"", "1"), ("b", b"", "1")]),
    (b"event: a\nid: 1\n\nid: \x1b\nevent: b\n\n", [("a", b"", "1"), ("b", b"", None)]),
    (b"id: 1\n\nevent: b\n\n", [("b", b"", "1")]),
    (b"event: a\ndata: cut", []),
    (b"id: 7\n\n", []),
]


def parse(body: bytes, cuts: list[int]) -> tuple[list[ServerEvent], bool]:
    parser = EventParser()
    found = []
    edges = [0, *sorted(cuts), len(body)]
    for start, end in itertools.pairwise(edges):
        found += parser.feed(body[start:end])
    return found, parser.pending


@pytest.mark.parametrize(("body", "events"), TABLE)
def test_events_are_the_same_at_any_cut(body: bytes, events: list[tuple[str, bytes, str]]) -> None:
    """Wherever a body is cut into pieces, the same events come out."""
    assert parse(body, [])[0] == events
    for cut in range(len(body)):
        assert parse(body, [cut])[0] == events
    assert parse(body, list(range(len(body))))[0] == events


def test_half_an_event_is_known() -> None:
    """At the end of a body, an event that has begun and not ended says that it was cut."""
    assert parse(b"event: a\ndata: 1\n\n", [])[1] is False
    assert parse(b"event: a\ndata: 1\n\nev", [])[1] is True
    assert parse(b"event: a\ndata: 1\n", [])[1] is True


def test_any_bytes_give_what_another_parser_gives() -> None:
    """Random bodies, cut at random, against the decoder of httpx-sse. (It makes events of lone ids
    and retries.)"""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    words = [b"event", b"data", b"id", b"retry", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"x"]
    words += [b"a: b", "é".encode(), "\u2028".encode(), b"\xff", b"1"]
    for _ in range(3000):
        body = b"".join(chance.choice(words) for _ in range(chance.randrange(40)))
        cuts = [chance.randrange(len(body) + 1) for _ in range(chance.randrange(4))]
        found = parse(body, cuts)[0]
        ours = [(e.event, e.data.decode("utf-8", "replace"), e.id) for e in found]
        assert ours == by_httpx_sse(body), (seed, body, cuts)


def by_httpx_sse(body: bytes) -> list[tuple[str, str, str | None]]:
    decoder = SSEDecoder()
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    found = []
    has_data = False
    for line in text.split("\n")[:-1]:
        event = decoder.decode(line)
        if event is not None and (event.event != "message" or has_data):
            found.append((event.event, event.data, event.id.strip(" \t") or None))
        has_data = bool(line) and (has_data or line.partition(":")[0] == "data")
    return found


def test_time_is_linear_in_the_bytes() -> None:
    """A large event that drips in small pieces costs no more than its size."""

    def spent(size: int) -> float:
        parser, begun = EventParser(), time.process_time()
        parser.feed(b"data: ")
        for _ in range(size):
            parser.feed(b"x" * 64)
        assert len(parser.feed(b"\n\n")[0].data) == 64 * size
        return time.process_time() - begun

    small, large = (min(spent(size) for _ in range(3)) for size in (4_000, 40_000))
    assert large < 40 * max(small, 0.001)  # Quadratic would be 100.


def test_an_event_that_is_too_large_is_refused() -> None:
    """Memory is bounded, for one line and for many."""
    for body in (b"data: " + b"x" * 200, b"data: x\n" * 50):
        with pytest.raises(APIResponseValidationError, match="more than 100 bytes"):
            EventParser(max_event_bytes=100).feed(body)


def test_data_that_is_not_json_is_an_error_of_ours() -> None:
    """The event is named, and its data kept."""
    with pytest.raises(APIResponseValidationError, match="'values' is not JSON") as caught:
        part_from(ServerEvent("values", b"{oops", None))
    assert caught.value.body == "{oops"
    assert part_from(ServerEvent("end", b"", None)).data is None
