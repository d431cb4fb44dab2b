"""The httpx client of `client.http.client` is one for all event loops of a program."""

from __future__ import annotations

import asyncio

from langgraph_client import get_client
from tests.support.raw_server import Asked, Send, http, raw_server


def test_what_is_set_on_the_client_below_counts_in_each_event_loop() -> None:
    """Its connections belong to one loop, so each loop gets connections of its own."""

    def answer(asked: Asked, send: Send) -> None:
        send(http(b'{"version": "1"}', "content-type: application/json"))

    with raw_server(answer) as server:
        client = get_client(url=server.url)
        client.http.client.params = {"tenant": "a"}
        for _ in range(3):
            assert asyncio.run(client.info())["version"] == "1"
        asyncio.run(client.aclose())
    assert {asked.line for asked in server.asked} == {"GET /info?tenant=a HTTP/1.1"}
    assert len({asked.connection for asked in server.asked}) == 3
