"""What the server does with the answer to a webhook."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from langgraph_client import Server
from langgraph_client.server.options import HttpOptions, WebhookOptions
from tests.support.graphs import shared_graphs

COUNT = {"assistant_id": "counter", "input": {"count": 1}}
FLOOD = 100 * 2**20
"""The bytes of an answer that is larger than all buffers on its way."""


@contextmanager
def serving(**options: Any) -> Iterator[httpx.Client]:
    with (
        Server(shared_graphs(), webhooks=WebhookOptions(loopback=True), **options) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        yield client


def test_the_handler_of_a_webhook_to_this_server_is_not_cut_short() -> None:
    """Its answer is read to the end, as the application expects of a request that it answers."""
    ended: queue.Queue[str] = queue.Queue()

    async def parts() -> AsyncIterator[str]:
        yield "first"
        await asyncio.sleep(0)
        yield "last"
        ended.put("all sent")

    async def hear(request: Request) -> Response:
        return StreamingResponse(parts())

    app = Starlette(routes=[Route("/mine", hear, methods=["POST"])])
    with serving(http=HttpOptions(app=app)) as client:
        client.post("/runs/wait", json={**COUNT, "webhook": "/mine"})
        assert ended.get(timeout=10) == "all sent"


class Flooding(BaseHTTPRequestHandler):
    """Answers 200, and sends a large body until it is sent or nobody reads it."""

    sent: queue.Queue[int]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(FLOOD))
        self.end_headers()
        count = 0
        try:
            while count < FLOOD:
                count += self.wfile.write(bytes(1 << 16))
        except OSError:
            self.close_connection = True
        self.sent.put(count)

    def log_message(self, *args: Any) -> None:
        pass


def test_a_large_body_of_an_answer_is_not_read_to_its_end() -> None:
    """A receiver cannot fill the server's memory. The status counts, so it is a delivery."""
    sent: queue.Queue[int] = queue.Queue()
    handler = type("Handler", (Flooding,), {"sent": sent})
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    receiving = threading.Thread(target=receiver.serve_forever)
    receiving.start()
    url = f"http://127.0.0.1:{receiver.server_address[1]}/hook"
    try:
        with serving() as client:
            client.post("/runs/wait", json={**COUNT, "webhook": url})
            assert sent.get(timeout=20) < FLOOD
    finally:
        receiver.shutdown()
        receiver.server_close()
        receiving.join()
