"""Chunks of an answer, joined below the HTTP parser."""

from __future__ import annotations

import itertools
import random

import h11
import pytest

from langgraph_client._core.chunks import ChunkJoiner

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def parsed(pieces: list[bytes], *, joined: bool) -> tuple[bytes, str, int]:
    """What h11 makes of an answer: its body, how it ended, and how many pieces it was."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    connection.send(h11.EndOfMessage())
    joiner = ChunkJoiner()
    body, turns = b"", 0
    try:
        for piece in [*pieces, b""]:
            given = joiner.feed(piece) if joined and piece else piece
            if piece and not given:
                continue
            connection.receive_data(given)
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Data):
                    body += bytes(event.data)
                    turns += 1
                elif isinstance(event, h11.EndOfMessage):
                    return body, "whole", turns
    except h11.RemoteProtocolError:
        return body, "broken", turns
    return body, "open", turns


def wire(chance: random.Random) -> bytes:
    """An answer; now and then one that is damaged."""
    body = b""
    for _ in range(chance.randrange(8)):
        chunk = bytes(chance.choice(b"ab\r\n") for _ in range(chance.randrange(1, 12)))
        extension = chance.choice([b"", b"", b"", b";x=1"])
        body += b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk)
    body += b"0\r\n" + chance.choice([b"", b"", b"x: y\r\n"]) + b"\r\n"
    if chance.random() < 0.3:
        place = chance.randrange(len(body))
        damage = chance.choice([b"", b"Z", b"\r", b"-"])
        body = body[:place] + damage + body[place + chance.choice([1, 1, 2]) :]
    return HEAD + body


def test_the_parser_reads_the_same() -> None:
    """Whatever the chunks, the damage and the cuts: the same body, and the same end."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for _ in range(3000):
        sent = wire(chance)
        edges = [0, *sorted(chance.randrange(len(sent)) for _ in range(4)), len(sent)]
        pieces = [sent[a:b] for a, b in itertools.pairwise(edges) if a < b]
        plain, joined = parsed(pieces, joined=False), parsed(pieces, joined=True)
        assert plain[:2] == joined[:2], (seed, pieces)


def test_what_comes_together_is_one_chunk() -> None:
    """A hundred chunks in one read are one turn of the parser."""
    sent = HEAD + b"3\r\nabc\r\n" * 100 + b"0\r\n\r\n"
    assert parsed([sent], joined=False) == (b"abc" * 100, "whole", 100)
    assert parsed([sent], joined=True) == (b"abc" * 100, "whole", 1)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD,
    ],
)
def test_what_is_not_chunked_is_left_alone(head: bytes) -> None:
    """Other answers, and those that begin with an interim one, go through as they are."""
    joiner = ChunkJoiner()
    assert joiner.feed(head + b"1\r\na\r\n") == head + b"1\r\na\r\n"
    assert joiner.feed(b"1\r\na\r\n1\r\nb\r\n") == b"1\r\na\r\n1\r\nb\r\n"


def test_the_next_answer_is_looked_at_again() -> None:
    """On a connection that is kept, each answer has its own framing."""
    joiner = ChunkJoiner()
    joiner.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na")
    joiner.begin()
    assert joiner.feed(HEAD + b"1\r\na\r\n1\r\nb\r\n") == HEAD + b"2\r\nab\r\n"


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_missing_line_end_is_noticed(cut: int) -> None:
    """What follows looks like another chunk, wherever the bytes are cut."""
    body = b"3\r\nabc3\r\ndef\r\n0\r\n\r\n"
    for pieces in ([HEAD + body], [HEAD + body[:cut], body[cut:]]):
        assert parsed(pieces, joined=True)[:2] == parsed(pieces, joined=False)[:2]
        assert parsed(pieces, joined=True)[:2] == (b"abc", "broken")
