"""The bundled server, asked odd things: never a 500, never a way out, never held up."""

from __future__ import annotations

import gzip
import json
import socket
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langgraph_client import ScriptedGraph, Server
from langgraph_client.server.http.endpoints import ENDPOINTS, SSE
from langgraph_client.server.http.lazy_routes import LazyRoutes
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
        groups = [one for one in server.app.routes if isinstance(one, LazyRoutes)]
        found = [route for group in groups for route in group.routes]
        with httpx.Client(transport=server.transport(), base_url="http://x", timeout=60) as made:
            made.headers["x-routes"] = json.dumps(
                [[method, route.path] for route in found for method in route.methods or ()]
            )
            yield made


@settings(max_examples=400, derandomize=True)
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


@pytest.mark.parametrize("host", ["[", "a b", "x:99999", "[::1", "a/b", "a@b", "", "é"])
def test_a_host_that_is_none(http: httpx.Client, host: str) -> None:
    """Links and redirects do not lead to a port that is none."""
    headers = {"host": host.encode()}
    moved = http.get("/threads/search/", headers=headers)
    assert moved.status_code == 307
    card = http.get("/a2a/agent/.well-known/agent-card.json", headers=headers).json()
    for url in (moved.headers["location"], card["url"]):
        assert url.startswith("http://")
        assert "None" not in url


def test_a_body_of_too_many_parts_is_refused(http: httpx.Client) -> None:
    """Each of its arrays and objects takes time and memory; brackets in a text do not count."""
    many = b'{"metadata": {"a": [' + b"[]," * 1_000_000 + b"1]}}"
    refused = http.post("/threads", content=many)
    assert refused.status_code == 422
    assert refused.json()["detail"] == "Request body has more than 1,000,000 arrays and objects"
    text = b'{"metadata": {"a": "' + b'\\"[{' * 600_000 + b'"}}'
    assert http.post("/threads", content=text).status_code == 200


@pytest.mark.parametrize(
    "limit",
    ["x" * 1_000_000, ["x"] * 1_000_000, {"x" * 1_000_000: 1}],
    ids=["text", "list", "name"],
)
def test_a_long_value_is_not_repeated_as_a_whole(http: httpx.Client, limit: object) -> None:
    """The text of an error has the beginning of what is wrong."""
    answer = http.post("/threads/search", json={"limit": limit})
    assert answer.status_code == 422
    assert "is not of type" in answer.json()["detail"]
    assert len(answer.content) < 50_000


def test_a_compressed_body_is_read_within_the_limit(http: httpx.Client) -> None:
    """gzip is understood; what would grow beyond the limit is refused before it does."""
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    good = gzip.compress(json.dumps({"metadata": {"a": "b"}}).encode())
    answer = http.post("/threads", content=good, headers=headers)
    assert answer.json()["metadata"] == {"a": "b"}
    bomb = zlib.compressobj(9, wbits=31)
    parts = [bomb.compress(b" " * 2**20) for _ in range(400)]
    tracemalloc.start()
    try:
        answer = http.post("/threads", content=b"".join([*parts, bomb.flush()]), headers=headers)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert most < 200 * 2**20


@pytest.mark.parametrize(
    ("encoding", "content", "status"),
    [
        ("br", b"{}", 415),
        ("gzip, gzip", b"{}", 415),
        ("gzip", b"{}", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-9], 400),
        ("gzip", gzip.compress(b"{", mtime=0) + gzip.compress(b"}", mtime=0), 400),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more", 400),
        ("deflate", zlib.compress(b"{}") + b"more", 400),
        ("identity", b"{}", 200),
    ],
)
def test_other_compressions_are_refused_by_name(
    http: httpx.Client, encoding: str, content: bytes, status: int
) -> None:
    """A body that cannot be decompressed is not taken for one that is no JSON."""
    headers = {"content-encoding": encoding}
    assert http.post("/threads", content=content, headers=headers).status_code == status


ODD = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "9" * 20,
        "9" * 5000,
        "1e3",
        "true",
        "TRUE",
        "null",
        "\x00",
        "é",
        "[",
        "a,b",
        ID,
    ]
)
QUERIES = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.query and endpoint.response != SSE and endpoint.method != "DELETE"
]


@settings(max_examples=300, derandomize=True)
@given(data=st.data())
def test_odd_queries_are_refused_in_good_order(http: httpx.Client, data: st.DataObject) -> None:
    """Any value of any parameter that the table has, once or twice: a 4xx at worst."""
    assistant_id = http.post("/assistants/search", json={}).json()[0]["assistant_id"]
    http.post("/threads", json={"thread_id": ID, "if_exists": "do_nothing"})
    endpoint = data.draw(st.sampled_from(QUERIES))
    names = {"assistant_id": assistant_id, "thread_id": ID, "run_id": ID, "checkpoint_id": ID}
    names["namespace"] = "x"
    query = [
        (name, value)
        for name in endpoint.query
        for value in data.draw(st.lists(ODD, max_size=2), label=name)
    ]
    body = {"status": "all"} if endpoint.body else None
    url = endpoint.path.format(**names)
    answer = http.request(endpoint.method, url, params=query, json=body)
    assert answer.status_code < 500, (url, query, answer.text)


BIG = "9" * 20
HUGE = "9" * 5000


@pytest.mark.parametrize("number", [BIG, HUGE, "-" + BIG, "0", "-1", "\u0663", "1e3", "", "1_0"])
def test_numbers_in_queries(http: httpx.Client, number: str) -> None:
    """Whatever stands where a number belongs is a number or a 4xx."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    http.post(f"/threads/{thread_id}/runs/wait", json={"assistant_id": "agent", "input": {}})
    assistant_id = http.post("/assistants/search", json={}).json()[0]["assistant_id"]
    for path in (
        f"/threads/{thread_id}/runs?limit={number}",
        f"/threads/{thread_id}/runs?offset={number}",
        f"/threads/{thread_id}/history?limit={number}",
        f"/assistants/{assistant_id}/graph?xray={number}",
        f"/ok?check_db={number}",
    ):
        assert http.get(path).status_code < 500, path


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**25, 1e308, -1, 0, 0.5])
def test_numbers_in_bodies(http: httpx.Client, number: float) -> None:
    """The same for the fields of bodies."""
    assistant_id = http.post("/assistants/search", json={}).json()[0]["assistant_id"]
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    run = {"assistant_id": "agent", "input": {}}
    for path, body in (
        ("/threads/search", {"limit": number}),
        ("/threads/search", {"offset": number}),
        ("/threads/search", {"metadata": {"a": number}}),
        ("/threads", {"ttl": {"ttl": number}}),
        ("/threads", {"metadata": {"a": number}}),
        (f"/threads/{thread_id}/history", {"limit": number}),
        ("/assistants/search", {"offset": number}),
        (f"/assistants/{assistant_id}/versions", {"offset": number}),
        (f"/assistants/{assistant_id}/latest", {"version": number}),
        ("/runs", {**run, "after_seconds": number}),
        ("/runs", {**run, "config": {"recursion_limit": number}}),
        ("/runs/crons/search", {"limit": number}),
        ("/store/items/search", {"namespace_prefix": [], "limit": number}),
        ("/store/items/search", {"namespace_prefix": [], "offset": number}),
        ("/store/namespaces", {"max_depth": number, "offset": number}),
    ):
        answer = http.post(path, json=body)
        assert answer.status_code < 500, (path, body, answer.text)


@pytest.mark.parametrize("last", ["9" * 25, "9" * 5000, "1-" + "9" * 25, "1-" + "9" * 5000, "1-*"])
def test_event_ids_of_any_length(http: httpx.Client, last: str) -> None:
    """A stream after an id that nobody gave out has an end."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "agent", "input": {}, "stream_resumable": True}
    run = http.post(f"/threads/{thread_id}/runs", json=body).json()
    path = f"/threads/{thread_id}/runs/{run['run_id']}"
    http.get(f"{path}/join")
    answer = http.get(f"{path}/stream", headers={"last-event-id": last})
    assert answer.status_code == 200
    if not last.startswith("1-"):
        assert "event: values" not in answer.text


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
        assert httpx.get(f"{url}/ok", timeout=60).status_code == 200
        for made in slow:
            made.setblocking(False)
            with pytest.raises(BlockingIOError):  # It is still open, and has no answer.
                made.recv(1)
            made.close()


def test_many_ids_at_once_are_looked_at_one_by_one(http: httpx.Client) -> None:
    """A list that is too long, or of no ids, is refused."""
    answer: Any = http.post("/threads/search", json={"ids": ["x"] * 10_000})
    assert answer.status_code < 500


@pytest.mark.parametrize("path", ["/a2a/agent/.well-known/agent-card.json", "/mcp"])
def test_headers_of_any_bytes_are_passed_on(http: httpx.Client, path: str) -> None:
    """By endpoints that call others of the server, which httpx would do in ASCII only."""
    headers = {"baggage": "a=é".encode("latin-1"), "x-other": b"\xc3\xa9\xff"}
    if path == "/mcp":
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        assert http.post(path, json=call, headers=headers).json()["result"]["tools"]
    else:
        assert http.get(path, headers=headers).json()["name"] == "agent"
