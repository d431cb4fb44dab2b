"""A server of one's own bytes on a port of this machine, with TLS or without.

    with raw_server(answer) as server:
        get_client(url=server.url)

`answer` is given each request and the connection's `send`; what it raises closes the connection.
"""

from __future__ import annotations

import json
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

TLS = Path(__file__).parent / "tls"


@dataclass
class Asked:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int
    rest: BinaryIO = field(repr=False)
    """What the client sends behind it."""

    def command(self) -> Any:
        """Wait for the next document that the client sends over the socket it has opened."""
        head = self._exactly(2)
        # Documents of tests are short: no length of eight bytes, no second frame.
        length = head[1] & 127
        if length == 126:
            length = int.from_bytes(self._exactly(2))
        mask = self._exactly(4)
        data = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self._exactly(length)))
        return json.loads(data)

    def _exactly(self, length: int) -> bytes:
        data = self.rest.read(length)
        if len(data) < length:
            raise OSError("the client hung up")
        return data


Send = Callable[[bytes], None]
Answer = Callable[[Asked, Send], None]


@dataclass
class RawServer:
    """Where it listens, and what it was asked."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0  # Opened so far.
    open: int = 0  # Open now.


def client_context() -> ssl.SSLContext:
    """Return a context that trusts only the certificate of these servers."""
    return ssl.create_default_context(cafile=str(TLS / "cert.pem"))


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return an answer of known length."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """Return the chunks of a body, and its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"


EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@contextmanager
def raw_server(answer: Answer, *, tls: bool = False) -> Iterator[RawServer]:
    """Run a listening server, with a thread for each connection."""
    server = RawServer()
    failed: list[BaseException] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            if tls:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()
            self.connection.close()

        def handle(self) -> None:
            server.connections += 1
            server.open += 1
            number = server.connections
            try:
                while (asked := _read(self.rfile, number)) is not None:
                    server.asked.append(asked)
                    answer(asked, self.connection.sendall)
            except (OSError, ValueError):
                return
            finally:
                server.open -= 1

    class Listening(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 200

        def handle_error(self, request: object, client_address: object) -> None:
            """Keep what went wrong, but for a client that does not trust the certificate."""
            error = sys.exception()
            if error is not None and not isinstance(error, OSError):
                failed.append(error)

        def shutdown_request(self, request: Any) -> None:
            self.close_request(request)

    with Listening(("127.0.0.1", 0), Handler) as listening:
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
            listening.block_on_close = False
    if failed:
        raise failed[0]


def _read(rfile: BinaryIO, number: int) -> Asked | None:
    """Return the next request of a connection; None at its end."""
    line = rfile.readline().decode("latin-1").strip()
    if not line:
        return None
    headers = {}
    while header := rfile.readline().decode("latin-1").strip():
        name, _, value = header.partition(": ")
        headers[name.lower()] = value
    body = rfile.read(int(headers.get("content-length", "0")))
    return Asked(line, headers, body, number, rfile)
