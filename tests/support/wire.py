"""A server made of bytes: each request gets the next of the answers that were prepared."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx

URL = "http://server.example"
EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8"}


class Answer(httpx.SyncByteStream, httpx.AsyncByteStream):
    """One answer. An exception among its pieces breaks the connection at that point."""

    def __init__(
        self,
        status: int = 200,
        pieces: Sequence[bytes | BaseException] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status = status
        self.pieces = pieces
        self.headers = headers or {}
        self.closed = False

    def __repr__(self) -> str:
        return f"<Answer {self.status} {self.pieces!r}>"  # the same in each process that collects

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Gives the prepared answers in turn, and keeps the requests. An exception is raised."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert self.answers, f"nobody expected {request.method} {request.url}"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)

    @property
    def lines(self) -> list[str]:
        return [f"{r.method} {r.url.raw_path.decode()}" for r in self.requests]


def reply(document: Any, status: int = 200, **headers: str) -> Answer:
    """Return a JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = json.dumps(document).encode()
    return Answer(status, [content], {"content-type": "application/json", **named})


def event(name: str, data: Any, id: str | None = None) -> bytes:
    """Return an event as servers write it."""
    last = f"id: {id}\r\n" if id is not None else ""
    return f"event: {name}\r\ndata: {json.dumps(data)}\r\n{last}\r\n".encode()


def stream(*pieces: bytes | BaseException, run: str | None = None) -> Answer:
    """Return an event stream; `run` is the path of its run."""
    headers = dict(EVENT_STREAM)
    if run is not None:
        headers |= {"content-location": run, "location": f"{run}/stream"}
    return Answer(200, pieces, headers)
