"""A server on a port whose streams and waits are quiet: heartbeats, and then one event."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.wire import event


class Quiet:
    """Where the server listens, and how often it was asked for a stream."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = 0
        self.go_on = threading.Event()


@contextmanager
def quiet_server(
    beats: int, gap: float, *, ids: bool = True, waits: bool = False
) -> Iterator[Quiet]:
    """Run it: each stream has its metadata, `beats` heartbeats, and its end.

    Args:
        beats: How many heartbeats.
        gap: Seconds before each of them.
        ids: Whether events have ids.
        waits: Whether a last event, and then silence until `go_on` is set, are before the end.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            quiet.asked += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"n": 1}')

        def do_wait(self) -> None:
            """A result that never comes, with blanks before it."""
            self.send_response(200)
            self.send_header("location", "/threads/t/runs/r/join")
            self.end_headers()
            for _ in range(beats):
                time.sleep(gap)
                self.wfile.write(b"\n")
            quiet.go_on.wait()

        def do_POST(self) -> None:
            quiet.asked += 1
            self.rfile.read(int(self.headers["content-length"]))
            if self.path.endswith("/wait"):
                self.do_wait()
                return
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-location", "/threads/t/runs/r")
            self.end_headers()
            self.wfile.write(event("metadata", {"run_id": "r"}, "1-0" if ids else None))
            for _ in range(beats):
                time.sleep(gap)
                self.wfile.write(b": heartbeat\r\n\r\n")
            if waits:
                self.wfile.write(event("values", 1, "2-0" if ids else None))
                quiet.go_on.wait()
            with suppress(OSError):  # The client may be gone.
                self.wfile.write(event("end", None, "3-0" if ids else None))

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        quiet = Quiet(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield quiet
        finally:
            quiet.go_on.set()
            server.shutdown()
            thread.join()
