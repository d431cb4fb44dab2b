"""The bundled server, asked odd things: never a 500, never a way out, never held up."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langgraph_client import ScriptedGraph, Server
from langgraph_client.testing import Emit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = [
    "assistant_id",
    "graph_id",
    "input",
    "command",
    "config",
    "metadata",
    "stream_mode",
    "if_exists",
    "thread_id",
    "limit",
    "offset",
    "values",
    "checkpoint",
    "as_node",
    "namespace",
    "namespace_prefix",
    "key",
    "value",
    "schedule",
    "ttl",
    "supersteps",
    "before",
    "select",
    "sort_by",
]
BODIES = st.one_of(
    st.dictionaries(st.sampled_from(NAMES), JSON | st.just("agent"), max_size=5).map(
        lambda body: json.dumps(body).encode("utf-8", "surrogatepass")
    ),
    JSON.map(lambda body: json.dumps(body).encode("utf-8", "surrogatepass")),
    st.binary(max_size=30),
)
ID = "11111111-1111-1111-1111-111111111111"
PARTS = st.sampled_from(
    [ID, "agent", "..", "%2e%2e", "a b", "%00", "é", "'; DROP TABLE threads; --", "x" * 300]
)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with Server({"agent": ScriptedGraph([Emit(1), {"a": 1}])}) as server:
        found = server.app.routes
        with httpx.Client(transport=server.transport(), base_url="http://x", timeout=20) as made:
            made.headers["x-routes"] = json.dumps(
                [[method, route.path] for route in found for method in route.methods or ()]
            )
            yield made


@settings(max_examples=400, deadline=None, derandomize=True)
@given(data=st.data())
def test_odd_requests_are_refused_in_good_order(http: httpx.Client, data: st.DataObject) -> None:
    """Any method on any path with any body: a 4xx at worst."""
    routes = [
        (method, path)
        for method, path in json.loads(http.headers["x-routes"])
        if not path.endswith("/stream")
    ]
    method, path = data.draw(st.sampled_from(routes))
    while "{" in path:
        head, _, rest = path.partition("{")
        path = head + data.draw(PARTS) + rest.partition("}")[2]
    body = data.draw(BODIES)
    answer = http.request(
        method, path, content=body, headers={"content-type": "application/json", "x-routes": ""}
    )
    assert answer.status_code < 500, (method, path, body, answer.text)


@pytest.mark.parametrize(
    "path",
    ["/threads/../../etc/passwd", "/threads/%2e%2e%2f%2e%2e%2fetc/state", "/docs/../state.db"],
)
def test_ids_do_not_walk_out_of_their_place(http: httpx.Client, path: str) -> None:
    """A path is an id, or it is nothing."""
    assert http.get(path).status_code in (404, 422)


def test_a_body_that_is_too_large_or_too_deep_is_refused(http: httpx.Client) -> None:
    """Before it is understood."""
    deep = b'{"metadata": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"
    assert http.post("/threads", content=deep).status_code in (413, 422)
    wide = b'{"metadata": {"a": "' + b"x" * (65 * 1024 * 1024) + b'"}}'
    assert http.post("/threads", content=wide).status_code == 413


def test_a_reader_that_never_reads_does_not_hold_the_server_up() -> None:
    """Others are served all the while; the stream waits for its reader, or is ended."""
    chatty = ScriptedGraph([Emit("x" * 10_000) for _ in range(2_000)])
    with Server({"chatty": chatty, "agent": ScriptedGraph([{"a": 1}])}) as server:
        url = httpx.URL(server.listen())
        body = json.dumps({"assistant_id": "chatty", "input": {}, "stream_mode": "custom"}).encode()
        head = (
            f"POST /runs/stream HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        readers = []
        for _ in range(5):
            made = socket.create_connection((url.host, url.port or 80))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            made.sendall(head.encode() + body)
            readers.append(made)
        with server.sync_client() as client:
            for _ in range(50):
                assert client.runs.wait(None, "agent", input={}) == {"a": 1}
        for made in readers:
            made.close()


def test_half_a_request_does_not_hold_the_server_up() -> None:
    """A client that begins to speak and stops."""
    with Server({"agent": ScriptedGraph([{"a": 1}])}) as server:
        url = httpx.URL(server.listen())
        slow = [socket.create_connection((url.host, url.port or 80)) for _ in range(50)]
        for made in slow:
            made.sendall(
                b"POST /runs/wait HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"
            )
        began = time.monotonic()
        assert httpx.get(f"{url}/ok").status_code == 200
        assert time.monotonic() - began < 5
        for made in slow:
            made.close()


def test_many_ids_at_once_are_looked_at_one_by_one(http: httpx.Client) -> None:
    """A list that is too long, or of no ids, is refused."""
    answer: Any = http.post("/threads/search", json={"ids": ["x"] * 10_000})
    assert answer.status_code < 500
