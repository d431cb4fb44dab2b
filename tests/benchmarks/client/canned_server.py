"""A loopback server that costs almost nothing, for measuring clients.

Speaks just enough HTTP/1.1 (keep-alive, Content-Length request bodies) to
answer the LangGraph Server routes that `subjects.py` calls, with canned
bytes built once.  It prints `{"port": N}` on its first line of output.

Streams are described by the `assistant_id` of the request body:

    KIND:COUNT:SIZE:FRAMING[:PAUSE_MS]

    KIND     messages | values | custom
    COUNT    events to send
    SIZE     bytes of JSON in each event (about)
    FRAMING  event: one HTTP chunk per event, as uvicorn and sse-starlette send
             block: one HTTP chunk per 64 KiB of events, as some proxies send
             close: no chunking at all, the connection closes at the end
    PAUSE_MS 0: as fast as the client reads.  Otherwise each event is written
             on its own, PAUSE_MS apart (how tokens arrive from a live model).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import uuid
from functools import lru_cache

STAMP = "2026-01-02T03:04:05.678901+00:00"
BLOCK = 64 * 1024


def make_thread(i: int, value_bytes: int = 0) -> dict:
    values: dict | None = None
    if value_bytes:
        text = "lorem ipsum dolor sit amet, "
        n = max(1, value_bytes // 2 - 160)
        content = (text * (n // len(text) + 1))[:n]
        values = {
            "messages": [
                {
                    "type": t,
                    "content": content,
                    "id": f"m-{i}-{t}",
                    "name": None,
                    "additional_kwargs": {},
                    "response_metadata": {},
                    "example": False,
                }
                for t in ("human", "ai")
            ]
        }
    return {
        "thread_id": str(uuid.UUID(int=i + 1)),
        "created_at": STAMP,
        "updated_at": STAMP,
        "metadata": {"graph_id": "agent", "owner": f"user-{i % 7}"},
        "status": "idle",
        "config": {},
        "values": values,
        "interrupts": {},
    }


def dumps(x) -> bytes:
    return json.dumps(x, separators=(",", ":"), ensure_ascii=False).encode()


@lru_cache(maxsize=8)
def threads_body(n: int, value_bytes: int) -> bytes:
    return dumps([make_thread(i, value_bytes) for i in range(n)])


THREAD = dumps(make_thread(7))
VALUES = dumps({"count": 2, "log": ["inc", "inc"]})


def event_bytes(kind: str, i: int, size: int) -> bytes:
    if kind == "messages":
        chunk = {
            "content": f" token{i % 1000}",
            "additional_kwargs": {},
            "response_metadata": {},
            "type": "AIMessageChunk",
            "name": None,
            "id": "run-0199c0de-1",
            "tool_calls": [],
            "tool_call_chunks": [],
            "usage_metadata": None,
        }
        meta = {"langgraph_node": "agent", "langgraph_step": 1}
        base = len(dumps([chunk, meta]))
        if size > base + 12:
            meta["pad"] = "x" * (size - base - 9)
        data = [chunk, meta]
    elif kind == "values":
        text = 'The quick brown fox jumps over the lazy dog. "Quoted" and\\nplain. '
        per = 1000
        msgs = []
        for j in range(max(1, size // per)):
            msgs.append(
                {
                    "type": "ai" if j % 2 else "human",
                    "id": f"m-{i}-{j}",
                    "content": (text * 14)[: per - 130],
                    "additional_kwargs": {},
                    "response_metadata": {"n": j, "p": 0.25},
                    "example": False,
                }
            )
        data = {"messages": msgs, "count": i}
    else:
        data = {"i": i, "pad": "x" * max(0, size - 20)}
    return b"event: " + kind.encode() + b"\r\ndata: " + dumps(data) + b"\r\n\r\n"


def chunked(b: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(b), b)


@lru_cache(maxsize=8)
def plan(kind: str, size: int, framing: str) -> tuple[list[bytes], int]:
    """Frames ready to write, each of `per` events, repeated as needed."""
    distinct = 200 if size < 4096 else 4
    events = [event_bytes(kind, i, size) for i in range(distinct)]
    if framing == "event":
        wire = [chunked(e) for e in events]
    else:
        wire = events
    per = max(1, min(distinct, BLOCK // max(1, len(wire[0]))))
    frames = []
    for start in range(0, distinct - per + 1, per):
        b = b"".join(wire[start : start + per])
        frames.append(chunked(b) if framing == "block" else b)
    return frames, per


class Peer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.buf = b""
        self.can_write = asyncio.Event()
        self.can_write.set()
        self.task = None
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc):
        self.can_write.set()
        if self.task:
            self.task.cancel()

    def pause_writing(self):
        self.can_write.clear()

    def resume_writing(self):
        self.can_write.set()

    def data_received(self, data: bytes):
        self.buf = self.buf + data if self.buf else data
        while True:
            end = self.buf.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buf[:end]
            low = head.lower()
            need = 0
            at = low.find(b"\r\ncontent-length:")
            if at >= 0:
                stop = low.find(b"\r\n", at + 2)
                need = int(low[at + 17 : stop if stop > 0 else len(low)])
            if len(self.buf) < end + 4 + need:
                return
            body = self.buf[end + 4 : end + 4 + need]
            self.buf = self.buf[end + 4 + need :]
            method, target = head.split(b" ", 2)[:2]
            self.answer(method, target.split(b"?")[0], body)

    def reply(self, body: bytes, status: bytes = b"200 OK"):
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (status, len(body), body)
        )

    def answer(self, method: bytes, path: bytes, body: bytes):
        if path.endswith(b"/runs/stream"):
            spec = json.loads(body)["assistant_id"]
            self.task = asyncio.ensure_future(self.stream(spec))
        elif path.endswith(b"/runs/wait"):
            self.reply(VALUES)
        elif path == b"/threads/search":
            req = json.loads(body) if body else {}
            self.reply(threads_body(int(req.get("limit") or 10), 2048))
        elif path == b"/threads" or path.startswith(b"/threads/"):
            self.reply(THREAD)
        elif path == b"/ok":
            self.reply(b'{"ok":true}')
        else:
            self.reply(b'{"detail":"Not Found"}', b"404 Not Found")

    async def stream(self, spec: str):
        kind, count, size, framing, *more = spec.split(":")
        count, size = int(count), int(size)
        pause = float(more[0]) / 1000 if more else 0.0
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
        if framing == "close":
            head += b"connection: close\r\n\r\n"
        else:
            head += b"transfer-encoding: chunked\r\n\r\n"
        w = self.transport
        w.write(head)
        if pause:
            for i in range(count):
                e = event_bytes(kind, i, size)
                w.write(e if framing == "close" else chunked(e))
                await asyncio.sleep(pause)
        else:
            frames, per = plan(kind, size, framing)
            sent = k = 0
            while sent + per <= count:
                w.write(frames[k])
                k = (k + 1) % len(frames)
                sent += per
                if not self.can_write.is_set():
                    await self.can_write.wait()
                    if w.is_closing():
                        return
                elif k == 0:
                    await asyncio.sleep(0)
            for i in range(sent, count):
                e = event_bytes(kind, i, size)
                w.write(e if framing == "close" else chunked(e))
        if framing == "close":
            w.close()
        else:
            w.write(b"0\r\n\r\n")


async def main(port: int):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Peer, "127.0.0.1", port, backlog=1024)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("--port", type=int, default=0)
    args = ap.parse_args()
    try:
        import uvloop

        runner = uvloop.run
    except ImportError:
        runner = asyncio.run
    with contextlib.suppress(KeyboardInterrupt):
        runner(main(args.port))
