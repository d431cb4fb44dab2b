"""`python -m langgraph_client.ui`: the page for any server, without its key in the browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from langgraph_client import Server
from tests.support.free_port import free_port
from tests.support.graphs import fresh_graph

from .browser import Browser

KEY = "the-key-of-the-server"


@contextmanager
def command(*arguments: str, **environment: str) -> Iterator[str]:
    """Run the command for as long as the context lasts; gives the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "langgraph_client.ui", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[0]
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.fixture
def locked() -> Iterator[str]:
    """The URL of a server that asks for a key."""
    server = Server({"row": fresh_graph("row")}, api_key=KEY)
    url = server.listen()
    with server:
        yield url


def test_the_page_works_through_the_command(chromium: Browser, locked: str) -> None:
    """Threads are made and run, events come as they happen, and the page never has the key."""
    with command("--url", locked, LANGGRAPH_API_KEY=KEY) as address, chromium.page() as page:
        page.open(address)
        page.wait_text("No threads yet")
        page.click("[data-new]")
        page.wait_for("document.querySelector('dialog select').options.length")
        page.click("dialog button", "Create")
        page.wait_text("live", ".view-head")
        page.fill("[aria-label=topic]", "cats")
        page.click("[type=submit]", "Send")
        page.wait_text("two:cats", ".tab-body")
        page.wait_for("document.querySelector('.tabs a:last-child .count')")
        kept = page.evaluate(
            "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"
        )
        assert KEY not in kept
        assert KEY not in page.evaluate("document.documentElement.outerHTML")
        assert all(url.startswith(address.partition("/ui/")[0]) for url in page.requests)
        assert page.problems == []


def test_only_the_page_may_use_it(locked: str) -> None:
    """Without the token of the address, from other pages and under other names it is refused."""
    with (
        command("--url", locked, "--api-key", KEY) as address,
        httpx.Client(trust_env=False, timeout=60) as http,
    ):
        origin, _, token = address.partition("/ui/#key=")
        known = {"x-api-key": token}
        assert http.get(f"{origin}/info", headers=known).status_code == 200
        assert http.get(f"{origin}/info").status_code == 401
        assert http.get(f"{origin}/info", headers={"x-api-key": KEY}).status_code == 401
        for headers in (
            {"origin": "https://evil.example"},
            {"host": "evil.example"},
            {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"},
            {"sec-fetch-site": "cross-site"},
        ):
            answer = http.get(f"{origin}/info", headers={**known, **headers})
            assert answer.status_code in (401, 403), headers
        assert http.get(f"{origin}/", headers={"accept": "text/html"}).headers["location"] == "/ui/"


def test_the_key_goes_to_no_other_host(locked: str) -> None:
    """The target of a request cannot change the host behind the server's URL."""
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        command("--url", locked, "--api-key", KEY) as address,
    ):
        host, port = other.getsockname()
        origin, _, token = address.partition("/ui/#key=")
        url = httpx.URL(origin)
        with socket.create_connection((url.host, url.port or 0), timeout=60) as connection:
            head = f"GET @{host}:{port}/x HTTP/1.1\r\nhost: {url.host}\r\nx-api-key: {token}\r\n"
            connection.sendall(f"{head}connection: close\r\n\r\n".encode())
            assert connection.recv(12) == b"HTTP/1.1 400"
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_a_request_goes_on_as_it_came(locked: str) -> None:
    """Status, body, query and paging headers are the server's."""
    with command("--url", locked, "--api-key", KEY) as address:
        origin, _, token = address.partition("/ui/#key=")
        with httpx.Client(trust_env=False, headers={"x-api-key": token}, timeout=60) as http:
            made = [http.post(f"{origin}/threads", json={}).json()["thread_id"] for _ in range(3)]
            page = http.post(f"{origin}/threads/search", json={"limit": 2})
            assert page.headers["x-pagination-next"] == "2"
            assert {thread["thread_id"] for thread in page.json()} <= set(made)
            refused = http.post(f"{origin}/threads/search", json={"limit": "many"})
            assert (refused.status_code, "detail" in refused.json()) == (422, True)
            assert http.get(f"{origin}/threads/{made[0]}?include=ttl").json()["ttl"] is None


def test_an_open_page_does_not_hold_up_the_end(locked: str) -> None:
    """Ctrl-C ends the command, and a page's open event stream with it, without a traceback."""
    with httpx.Client(trust_env=False, timeout=60) as http:
        with command("--url", locked, "--api-key", KEY) as address:
            origin, _, token = address.partition("/ui/#key=")
            http.headers["x-api-key"] = token
            thread = http.post(f"{origin}/threads", json={}).json()["thread_id"]
            request = http.build_request("GET", f"{origin}/threads/{thread}/stream")
            stream = http.send(request, stream=True)
            assert stream.headers["content-type"].startswith("text/event-stream")
        assert b"event:" not in stream.read()


def test_a_server_that_is_not_there_is_said(chromium: Browser) -> None:
    """The page says that the server does not answer, and the command goes on."""
    with command("--url", "http://127.0.0.1:1") as address, chromium.page() as page:
        page.open(address)
        page.wait_text("The server does not answer")
        page.wait_text("http://127.0.0.1:1 does not answer")


def test_a_server_that_comes_back_is_found_again(chromium: Browser) -> None:
    """The command outlives a restart of the server, and the page goes on by itself."""
    server = Server({"row": fresh_graph("row")})
    url = server.listen(port=free_port())
    with command("--url", url) as address, chromium.page() as page:
        with server:
            thread_id = server.sync_client().threads.create(graph_id="row").thread_id
            page.open(address)
            page.wait_text("1", "[data-total]")
            page.evaluate(f"location.hash = '#/threads/{thread_id}/state'")
            page.wait_text("live", ".view-head")
        page.wait_text("The server does not answer")
        again = Server({"row": fresh_graph("row")})
        again.listen(port=int(url.rpartition(":")[2]))
        with again:
            again.sync_client().threads.create(thread_id=thread_id, graph_id="row")
            page.wait_text("live", ".view-head")
            again.sync_client().runs.wait(thread_id, "row", input={"topic": "cats"})
            page.wait_text("two:cats", ".tab-body")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--url", "ftp://server"], "must begin with http://"),
        (["--url", "http://127.0.0.1:1", "--port", "99999"], "not within 0-65535"),
    ],
)
def test_bad_arguments_are_said_in_one_line(arguments: list[str], text: str) -> None:
    """What is wrong with an argument is one line, and the status is 1."""
    command = [sys.executable, "-m", "langgraph_client.ui", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
