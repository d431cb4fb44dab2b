"""The frames of a WebSocket, without a connection."""

from __future__ import annotations

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.server import ServerProtocol

from langgraph_client._core.web_socket import HandshakeError, WebSocket, is_refusal


def opened() -> tuple[WebSocket, ServerProtocol]:
    """A client's side and a server's side that have shaken hands."""
    client, server = WebSocket(), ServerProtocol()
    server.receive_data(Request("/", Headers({"host": "x", **client.headers()})).serialize())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    answer = server.accept(request)
    server.send_response(answer)
    server.data_to_send()
    client.opened({name.lower(): value for name, value in answer.headers.raw_items()})
    return client, server


def sent(server: ServerProtocol) -> bytes:
    """What the server has sent since."""
    return b"".join(server.data_to_send())


def test_texts_come_in_frames_of_any_size_and_pieces_of_any_size() -> None:
    """A text that is cut into frames, and frames that are cut into bytes, come as one."""
    client, server = opened()
    server.send_text(b"one")
    server.send_text(b"t", fin=False)
    server.send_continuation(b"w", fin=False)
    server.send_continuation(b"o", fin=True)
    server.send_text(b"3" * 70_000)
    data = sent(server)
    texts = [text for n in range(len(data)) for text in client.feed(data[n : n + 1])]
    assert texts == [b"one", b"two", b"3" * 70_000]


def test_pieces_of_frames_are_joined_once() -> None:
    """A long text costs as many steps as it has pieces, and one that is masked is an error."""
    client, server = opened()
    server.send_text(b"x" * 8_000_000)
    data = sent(server)
    texts = [t for at in range(0, len(data), 1000) for t in client.feed(data[at : at + 1000])]
    assert [len(text) for text in texts] == [8_000_000]
    client.feed(b"\x81\x81abcdx")
    assert client.is_over
    assert "mask" in client.reason


def test_a_text_between_the_frames_of_another_is_an_error() -> None:
    """A whole text must not come while another one is in the middle; what came before is kept."""
    client, server = opened()
    server.send_text(b"whole")
    server.send_text(b"begun", fin=False)
    assert client.feed(sent(server) + b"\x81\x01x") == [b"whole"]
    assert client.is_over


def test_a_connection_that_ends_within_a_frame() -> None:
    """Half a text is none."""
    client, server = opened()
    server.send_text(b"text")
    assert client.feed(sent(server)[:-1]) == []
    assert client.feed(b"") == []
    assert (client.is_over, client.code) == (True, None)


def test_pings_are_answered_and_asked() -> None:
    """A ping is no text; its answer is among what is to be sent."""
    client, server = opened()
    server.send_ping(b"x")
    assert client.feed(sent(server)) == []
    client.ping()
    server.receive_data(client.outgoing())
    assert [frame.opcode.name for frame in server.events_received()] == ["PONG", "PING"]  # type: ignore[union-attr]
    assert not client.is_over


def test_the_end_says_why() -> None:
    """The server's code and words; a connection that just ends has none."""
    client, server = opened()
    server.send_close(1008, "no such thread")
    client.feed(sent(server))
    assert (client.is_over, client.code, client.reason) == (True, 1008, "no such thread")
    client, _ = opened()
    client.feed(b"")
    assert (client.is_over, client.code) == (True, None)
    assert client.reason == "unexpected end of stream"


def test_what_is_no_frame_ends_it() -> None:
    """Bytes that no server may send are an end, and said to be one."""
    client, _ = opened()
    client.feed(b"\xff\xff\xff\xff")
    assert client.is_over
    assert client.code is None
    assert client.reason


@pytest.mark.parametrize("accept", ["", "wrong"])
def test_a_handshake_that_is_none_is_refused(accept: str) -> None:
    """The server has to prove that it has read the key."""
    headers = {"upgrade": "websocket", "connection": "Upgrade"}
    with pytest.raises(HandshakeError):
        WebSocket().opened({**headers, "sec-websocket-accept": accept})


@pytest.mark.parametrize(
    ("code", "expected"),
    [(1008, True), (4404, True), (4422, True), (4429, False), (4503, False), (1011, False)],
)
def test_codes_that_mean_a_status_are_read_as_it(code: int, expected: bool) -> None:
    """A refusal is not asked again; what passes, and the end of a server, are."""
    assert is_refusal(code) is expected
    assert not is_refusal(None)
