"""A server on a port that receives webhooks."""

from __future__ import annotations

import json
import queue
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class WebhookReceiver:
    """Keep the webhooks that a URL receives, and answer with chosen statuses."""

    def __init__(self) -> None:
        self.got: queue.Queue[dict[str, Any]] = queue.Queue()
        #: The `webhook-id` of each request.
        self.ids: queue.Queue[str | None] = queue.Queue()
        self.headers: dict[str, str] = {}
        #: The statuses of its answers; the last one stays.
        self.answers = [200]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.headers = dict(self.headers.items())
                answers = outer.answers
                status = answers.pop(0) if len(answers) > 1 else answers[0]
                outer.ids.put(self.headers["webhook-id"])
                outer.got.put(json.loads(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
