"""What the server does with the answer to a webhook."""

from __future__ import annotations

import asyncio
import queue
import select
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
        # Longer than a sender that does not read takes to close the connection.
        await asyncio.sleep(0.2)
        yield "last"
        ended.put("all sent")

    async def hear(request: Request) -> Response:
        return StreamingResponse(parts())

    app = Starlette(routes=[Route("/mine", hear, methods=["POST"])])
    with serving(http=HttpOptions(app=app)) as client:
        client.post("/runs/wait", json={**COUNT, "webhook": "/mine"})
        assert ended.get(timeout=60) == "all sent"


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


class Late(BaseHTTPRequestHandler):
    """Answers 200, and sends its body some time after its head."""

    sent: queue.Queue[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.flush()
        # Only the end of the connection can be read here, as the request is.
        left, _, _ = select.select([self.connection], [], [], 0.3)
        self.wfile.write(b"last")
        self.sent.put("left" if left else "all sent")

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def receiving(kind: type[BaseHTTPRequestHandler], sent: queue.Queue[Any]) -> Iterator[str]:
    """Run a receiver, and give its URL."""
    handler = type("Handler", (kind,), {"sent": sent})
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=receiver.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{receiver.server_address[1]}/hook"
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()


def test_a_small_body_of_an_answer_is_read_to_its_end() -> None:
    """A receiver that is cancelled when its connection closes can end its work."""
    sent: queue.Queue[str] = queue.Queue()
    with receiving(Late, sent) as url, serving() as client:
        client.post("/runs/wait", json={**COUNT, "webhook": url})
        assert sent.get(timeout=60) == "all sent"


def test_a_large_body_of_an_answer_is_not_read_to_its_end() -> None:
    """A receiver cannot fill the server's memory. The status counts, so it is a delivery."""
    sent: queue.Queue[int] = queue.Queue()
    with receiving(Flooding, sent) as url, serving() as client:
        client.post("/runs/wait", json={**COUNT, "webhook": url})
        assert sent.get(timeout=60) < FLOOD
