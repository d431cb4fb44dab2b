"""Keys go to the server they are for, and nowhere else."""

from __future__ import annotations

import json
import logging
import pickle
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from langgraph_client import (
    APIConnectionError,
    LangGraphError,
    RemoteGraph,
    RetryPolicy,
    ScriptedGraph,
    get_client,
    get_sync_client,
)
from langgraph_client.testing import TestServer, recorded

KEY = "lsv2_s3cret"
ID = "11111111-1111-1111-1111-111111111111"
ONCE = RetryPolicy(max_attempts=1)


@contextmanager
def server(answer: Any) -> Iterator[tuple[str, list[Any]]]:
    """A port; `answer(handler)` answers. Gives its URL, and the headers it got."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            got.append(dict(self.headers.items()))
            self.rfile.read(int(self.headers.get("content-length", 0)))
            answer(self)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{made.server_address[1]}", got
        finally:
            made.shutdown()
            thread.join()


def say(handler: Any, status: int, body: bytes = b"{}", **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"content-type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_redirect_elsewhere_does_not_get_the_key() -> None:
    """Whether it is followed or not."""
    with server(lambda handler: say(handler, 200)) as (elsewhere, stolen):

        def away(handler: Any) -> None:
            say(handler, 307, location=f"{elsewhere}/threads/{ID}")

        with (
            server(away) as (url, got),
            get_sync_client(url=url, api_key=KEY, retry=ONCE) as client,
            pytest.raises(LangGraphError),
        ):
            client.threads.get(ID)
    assert got[0]["x-api-key"] == KEY
    assert KEY not in str(stolen)


def test_a_location_elsewhere_does_not_get_the_key() -> None:
    """A stream that is cut goes on at its own server, whatever `Location` says."""
    with server(lambda handler: say(handler, 200)) as (elsewhere, stolen):

        def cut(handler: Any) -> None:
            handler.send_response(200)
            handler.send_header("content-type", "text/event-stream")
            handler.send_header("location", f"{elsewhere}/threads/{ID}/runs/{ID}/stream")
            handler.send_header("content-length", "1000")
            handler.end_headers()
            handler.wfile.write(b'id: 1\nevent: metadata\ndata: {"run_id": "%s"}\n\n' % ID.encode())

        with (
            server(cut) as (url, _),
            get_sync_client(url=url, api_key=KEY, retry=ONCE) as client,
            pytest.raises(LangGraphError),
        ):
            list(client.runs.stream(ID, "agent", stream_resumable=True))
    assert KEY not in str(stolen)


def test_nothing_that_is_shown_has_the_key(caplog: pytest.LogCaptureFixture) -> None:
    """Not reprs, errors, tracebacks, logs, pickles."""
    caplog.set_level(logging.DEBUG)
    with (
        server(lambda handler: say(handler, 500, b'{"detail": "oops"}')) as (url, _),
        get_sync_client(url=url, api_key=KEY, retry=ONCE) as client,
    ):
        shown = [repr(client), repr(get_client(url=url, api_key=KEY))]
        shown.append(repr(RemoteGraph("agent", url=url, api_key=KEY)))
        with pytest.raises(LangGraphError) as caught:
            client.threads.get(ID)
        shown += [repr(caught.value), str(caught.value), str(vars(caught.value))]
        shown.append("".join(traceback.format_exception(caught.value)))
        shown.append(repr(caught.value.request))  # type: ignore[attr-defined]
        shown.append(str(caught.value.request.headers))  # type: ignore[attr-defined]
        shown.append(str(pickle.dumps(caught.value)))
    shown += [record.getMessage() for record in caplog.records]
    assert not [text for text in shown if KEY in text]


@pytest.mark.parametrize("where", ["http://{u}:{p}@127.0.0.1:1", "http://{u}:{p}@host.invalid"])
def test_a_url_with_credentials_is_never_shown(where: str) -> None:
    """They are sent as HTTP has it, and left out of what is shown."""
    url = where.format(u="ada", p="pa55word")
    with get_sync_client(url=url, retry=ONCE) as client:
        assert "pa55word" not in repr(client)
        with pytest.raises(APIConnectionError) as caught:
            client.threads.get(ID)
    assert "pa55word" not in "".join(traceback.format_exception(caught.value))


def test_credentials_in_a_url_are_sent_to_it() -> None:
    """User and password of a URL are sent as basic authentication."""
    with server(lambda handler: say(handler, 404)) as (url, got):
        with (
            get_sync_client(url=url.replace("//", "//ada:pa55@"), retry=ONCE) as client,
            pytest.raises(LangGraphError),
        ):
            client.threads.get(ID)
        assert httpx.Headers(got[0])["authorization"].startswith("Basic ")


def test_a_recording_has_no_key(tmp_path: Any) -> None:
    """Headers of requests are not written at all."""
    with TestServer({"agent": ScriptedGraph([{"a": 1}])}, api_key=KEY) as hosted:
        with recorded(tmp_path / "c.json") as cassette:
            transport = cassette.transport(hosted.transport())
            client = cassette.sync_client(url="http://x", transport=transport, api_key=KEY)
            client.runs.wait(None, "agent", input={})
        assert KEY not in (tmp_path / "c.json").read_text()
        assert KEY not in str([vars(asked) for asked in hosted.requests])


def test_the_server_wants_its_key_on_every_route() -> None:
    """401 everywhere but at `/ok`, with a wrong key and with none."""
    with (
        TestServer({"agent": ScriptedGraph([{"a": 1}])}, api_key=KEY) as hosted,
        httpx.Client(transport=hosted.transport(), base_url="http://x", timeout=60) as http,
    ):
        routes = json.loads(http.get("/openapi.json", headers={"x-api-key": KEY}).text)["paths"]
        assert len(routes) > 30
        for path, methods in routes.items():
            for method in methods:
                for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": KEY + " "}):
                    status = http.request(method, path, headers=headers).status_code
                    assert status == (200 if path == "/ok" else 401), (method, path)
