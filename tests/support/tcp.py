"""A real port: what arrives there is kept, and answered with the path that was asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Port:
    """A listening HTTP server."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.number}"


@contextmanager
def listening() -> Iterator[Port]:
    """A port of this machine, open as long as the context is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            port.asked.append(self.path)
            body = json.dumps({"thread_id": self.path}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        port = Port(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield port
        finally:
            server.shutdown()
            thread.join()
