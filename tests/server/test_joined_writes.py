"""What is sent in one piece: the head of an answer and its body, the messages of a socket."""

from __future__ import annotations

import asyncio

from langgraph_client.server.http.joined_writes import JoinedWrites, always, is_head

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Connection(asyncio.Transport):
    """Notes what happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview[int]) -> None:
        self.log.append(bytes(data))

    def close(self) -> None:
        self.log.append("close")

    def abort(self) -> None:
        self.log.append("abort")

    def get_write_buffer_size(self) -> int:
        return 7


async def test_a_head_waits_for_the_body_and_not_longer_than_a_turn() -> None:
    """An answer is one piece; a stream that has nothing yet begins nevertheless."""
    connection = Connection()
    joined = JoinedWrites(connection, is_head)
    joined.write(HEAD)
    assert joined.get_write_buffer_size() == 7 + len(HEAD)
    joined.write(b"body")
    joined.write(b"")
    joined.write(b"more")
    assert connection.log == [HEAD + b"body", b"more"]
    joined.write(HEAD)
    await asyncio.sleep(0)
    assert connection.log[2:] == [HEAD]


async def test_messages_of_one_turn_are_one_piece() -> None:
    """They come in their order; what would be much is sent at once, so that a client that does not
    read is noticed."""
    connection = Connection()
    joined = JoinedWrites(connection, always)
    for number in range(5):
        joined.write(b"%d" % number)
    assert connection.log == []
    await asyncio.sleep(0)
    assert connection.log == [b"01234"]
    joined.write(b"x" * 65_535)
    joined.write(b"x")
    assert connection.log[1:] == [b"x" * 65_536]


async def test_what_was_written_is_sent_before_the_end_unless_it_is_aborted() -> None:
    """Closing loses nothing, aborting sends nothing more."""
    connection = Connection()
    joined = JoinedWrites(connection, always)
    joined.write(b"last")
    joined.close()
    assert connection.log == [b"last", "close"]
    joined.write(b"lost")
    joined.abort()
    await asyncio.sleep(0)
    assert connection.log == [b"last", "close", "abort"]
