"""Servers that answer oddly: each a right reading or an error of ours, soon, in little memory."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from langgraph_client import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    BadRequestError,
    InternalServerError,
    LangGraphError,
    RemoteGraph,
    RetryPolicy,
    StreamIncomplete,
    get_client,
    get_sync_client,
)

THREAD = {
    "thread_id": "11111111-1111-1111-1111-111111111111",
    "created_at": "2026-01-01T00:00:00+00:00",
    "updated_at": "2026-01-01T00:00:00+00:00",
    "metadata": {},
    "status": "idle",
    "values": None,
}
ID = THREAD["thread_id"]
ONCE = RetryPolicy(max_attempts=1)


@contextmanager
def answering(*pieces: bytes, close: bool = True) -> Iterator[str]:
    """A port that sends these bytes to whoever asks, in these pieces; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    head = b""
                    while b"\r\n\r\n" not in head:
                        got = connection.recv(65536)
                        if not got:
                            break
                        head += got
                    # All of the request, or closing would reset the connection under the answer.
                    length = int((re.findall(rb"(?i)content-length: (\d+)", head) or [0])[0])
                    left = length - len(head.partition(b"\r\n\r\n")[2])
                    while left > 0:
                        left -= len(connection.recv(65536))
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for piece in pieces:
                        connection.sendall(piece)
                    if not close:
                        over.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            # Wakes `accept`.
            with suppress(OSError):
                socket.create_connection(listener.getsockname()).close()
            thread.join()


def reply(
    body: bytes, status: str = "200 OK", kind: str = "application/json", **headers: str
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


GOOD = as_json(THREAD)

#: What the server answers to `threads.get`, and what comes of it: a value's check, or an error.
ANSWERS: dict[str, tuple[bytes, Any]] = {
    "a good one": (reply(GOOD), ID),
    "gzip": (reply(gzip.compress(GOOD), content_encoding="gzip"), ID),
    "a BOM before the JSON": (reply(b"\xef\xbb\xbf" + GOOD), (ID, APIResponseValidationError)),
    "fields nobody knows": (reply(as_json({**THREAD, "future": {"a": [1]}})), ID),
    "no values, no metadata": (
        reply(as_json({k: THREAD[k] for k in ("thread_id", "created_at", "updated_at")})),
        (ID, APIResponseValidationError),
    ),
    "1xx before it": (b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + reply(GOOD), ID),
    "JSON cut in the middle": (reply(GOOD[:40]), APIResponseValidationError),
    "no body": (reply(b""), APIResponseValidationError),
    "a list": (reply(b"[]"), APIResponseValidationError),
    "null": (reply(b"null"), APIResponseValidationError),
    "wrong types": (reply(as_json({**THREAD, "thread_id": 5})), APIResponseValidationError),
    "NaN": (reply(b'{"thread_id": NaN}'), APIResponseValidationError),
    "a lone surrogate": (reply(as_json({**THREAD, "values": {"a": "\ud800"}})), ID),
    "deep JSON with a surrogate": (
        reply(b'["\\ud800",' + b"[" * 100_000 + b"]" * 100_001),
        APIResponseValidationError,
    ),
    "deep JSON": (reply(b"[" * 100_000 + b"]" * 100_000), APIResponseValidationError),
    "HTML": (reply(b"<html>hello", kind="text/html"), APIResponseValidationError),
    "bytes that are no UTF-8": (reply(b'{"thread_id": "\xff"}'), APIResponseValidationError),
    "no gzip": (reply(b"plain", content_encoding="gzip"), APIError),
    "less than promised": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n" + GOOD,
        APIConnectionError,
    ),
    "no HTTP": (b"220 mail.example ESMTP\r\n", APIConnectionError),
    "nothing": (b"", APIConnectionError),
    "half a status line": (b"HTTP/1.1 2", APIConnectionError),
    "endless headers": (
        b"HTTP/1.1 200 OK\r\n" + b"x-a: " + b"a" * 2_000_000,
        APIConnectionError,
    ),
    "a redirect to itself": (
        reply(b"", status="302 Found", location=f"/threads/{ID}"),
        LangGraphError,
    ),
    "an error without words": (reply(b"", status="400 Bad"), BadRequestError),
    "an error that is half an object": (reply(b'{"detail"', status="400 Bad"), BadRequestError),
    "an error of another shape": (
        reply(b'{"error": {"code": 1}}', status="400 B"),
        BadRequestError,
    ),
    "an error that is a list": (reply(b"[1]", status="500 Oops"), InternalServerError),
    "a status nobody knows": (reply(b"{}", status="799 Odd"), APIError),
}


def outcome_fits(outcome: Any, expected: Any) -> bool:
    """Whether it is the value, or an error of the class; of a pair either is right."""
    if isinstance(expected, tuple):
        return any(outcome_fits(outcome, one) for one in expected)
    if isinstance(expected, type):
        return isinstance(outcome, expected)
    return bool(outcome == expected)


@pytest.mark.parametrize("case", ANSWERS)
def test_an_odd_answer(case: str) -> None:
    """A right reading, or a named error, in both colours."""
    answer, expected = ANSWERS[case]

    async def by_async(url: str) -> Any:
        async with get_client(url=url, retry=ONCE, timeout=60) as client:
            try:
                return (await client.threads.get(ID)).thread_id
            except LangGraphError as error:
                return error

    with answering(answer) as url:
        with get_sync_client(url=url, retry=ONCE, timeout=60) as client:
            try:
                outcome: Any = client.threads.get(ID).thread_id
            except LangGraphError as error:
                outcome = error
        assert outcome_fits(outcome, expected), repr(outcome)
        outcome = asyncio.run(by_async(url))
        assert outcome_fits(outcome, expected), repr(outcome)


def stream(body: bytes, **headers: str) -> bytes:
    return reply(body, kind="text/event-stream", **headers)


VALUES = b'event: values\ndata: {"a": 1}\n\n'

#: What the server streams for a stateless run, and the events or the error that come of it.
STREAMS: dict[str, tuple[tuple[bytes, ...], Any]] = {
    "LF": ((stream(VALUES * 2),), ["values"] * 2),
    "CRLF": ((stream(VALUES.replace(b"\n", b"\r\n")),), ["values"]),
    "CR": ((stream(VALUES.replace(b"\n", b"\r")),), ["values"]),
    "a BOM first": ((stream(b"\xef\xbb\xbf" + VALUES),), ["values"]),
    "byte by byte": (tuple(stream(VALUES * 3)[i : i + 1] for i in range(400)), ["values"] * 3),
    "gzip": ((stream(gzip.compress(VALUES), content_encoding="gzip"),), ["values"]),
    "an `end` event behind it": (
        (stream(VALUES + b"event: end\ndata: null\n\n"),),
        ["values", "end"],
    ),
    "events nobody knows": (
        (stream(b"event: future\ndata: {}\n\n" + VALUES),),
        ["future", "values"],
    ),
    "comments only": ((stream(b": a\n\n: b\n\n"),), APIResponseValidationError),
    "odd ids": ((stream(b"id: \x01 \xc3\xa9|/../?\n" + VALUES),), ["values"]),
    "ids that repeat": ((stream(b"id: 1-0\n" + VALUES + b"id: 1-0\n" + VALUES),), ["values"] * 2),
    "data of many lines": ((stream(b'event: values\ndata: {"a":\ndata: 1}\n\n'),), ["values"]),
    "a lone surrogate": (
        (stream(VALUES.replace(b"1", b'"\\ud800"') + VALUES),),
        ["values"] * 2,
    ),
    "no JSON": (
        (stream(b"event: values\ndata: hello\n\n"),),
        (APIResponseValidationError, StreamIncomplete),
    ),
    "an error that says little": (
        (stream(b"event: error\ndata: {}\n\n"),),
        (["error"], LangGraphError),
    ),
    "half an event": ((stream(VALUES + b'event: values\ndata: {"a"'),), StreamIncomplete),
    "less than promised": ((stream(VALUES)[:-3],), (StreamIncomplete, APIConnectionError)),
    "JSON where a stream was due": ((reply(b"{}"),), APIResponseValidationError),
}


@pytest.mark.parametrize("case", STREAMS)
def test_an_odd_stream(case: str) -> None:
    """Its events, or a named error, in both colours."""
    pieces, expected = STREAMS[case]

    def read(url: str) -> Any:
        with get_sync_client(url=url, retry=ONCE, timeout=60) as client:
            try:
                return [part.event for part in client.runs.stream(None, "agent")]
            except LangGraphError as error:
                return error

    async def aread(url: str) -> Any:
        async with get_client(url=url, retry=ONCE, timeout=60) as client:
            try:
                return [part.event async for part in client.runs.stream(None, "agent")]
            except LangGraphError as error:
                return error

    with answering(*pieces) as url:
        for outcome in (read(url), asyncio.run(aread(url))):
            fits = outcome_fits(outcome, expected)
            assert fits, repr(outcome)


def test_a_remote_graph_on_an_odd_server() -> None:
    """Interrupts without ids, errors without words, values that are no state."""
    odd = b'event: metadata\ndata: {}\n\nevent: values\ndata: {"__interrupt__": [{"value": 1}]}\n\n'
    with answering(stream(odd)) as url, RemoteGraph("agent", url=url) as graph:
        assert graph.invoke({})["__interrupt__"][0].value == 1
    with answering(stream(b'event: error\ndata: "just text"\n\n')) as url:  # noqa: SIM117
        with (
            RemoteGraph("agent", url=url) as graph,
            pytest.raises(LangGraphError, match="just text"),
        ):
            graph.invoke({})


def test_an_event_of_many_megabytes_is_read() -> None:
    """64 MB in one event, in memory of its own order."""
    size = 64 * 1024 * 1024
    body = b'event: values\ndata: {"a": "' + b"x" * size + b'"}\n\n'
    with (
        answering(stream(body)) as url,
        get_sync_client(url=url, retry=ONCE, timeout=60) as client,
    ):
        (part,) = client.runs.stream(None, "agent")
        assert len(part.data["a"]) == size


def test_an_endless_body_is_not_read_for_ever() -> None:
    """A reply that drips is given up when the call's time is over."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"
    with (
        answering(head + b"[", close=False) as url,
        get_sync_client(url=url, retry=ONCE, timeout=0.3) as client,
        pytest.raises(LangGraphError),
    ):
        client.threads.get(ID)


def test_reading_odd_streams_leaves_nothing_behind() -> None:
    """A hundred of them, and the memory is where it was."""
    with answering(stream(VALUES + b"event: values\ndata: {")) as url:

        def once() -> None:
            with (
                get_sync_client(url=url, retry=ONCE, timeout=60) as client,
                pytest.raises(StreamIncomplete),
            ):
                list(client.runs.stream(None, "agent"))

        for _ in range(10):
            once()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(100):
                once()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert after - before < 500_000
