"""Which web pages may call a server on a port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx
import pytest

from langgraph_client import Auth, ScriptedGraph, Server

STUDIO = "https://smith.langchain.com"
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,x-api-key",
}


@contextmanager
def on_a_port(cors: Sequence[str] = (), api_key: str | None = None) -> Iterator[httpx.Client]:
    with Server({"agent": ScriptedGraph([{"a": 1}])}, cors=cors, api_key=api_key) as server:
        headers = {"x-api-key": api_key} if api_key else {}
        with httpx.Client(base_url=server.listen(), headers=headers, timeout=60) as client:
            yield client


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "http://127.0.0.1:5173",
        "https://localhost",
        "http://[::1]:8000",
        "http://chat.localhost:3000",
    ],
)
def test_pages_of_this_machine_may_call(origin: str) -> None:
    """Agent Chat UI and useStream on a local port work without any option, preflight included."""
    with on_a_port() as client:
        asked = client.options("/threads", headers={"origin": origin, **PREFLIGHT})
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == origin
        answer = client.post("/threads", json={}, headers={"origin": origin})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert "content-location" in answer.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "null",
        "file://",
        "http://[",
    ],
)
def test_other_pages_are_refused(origin: str) -> None:
    """A request that a browser sends without asking, such as text/plain, does nothing."""
    with on_a_port() as client:
        body = b'{"metadata": {"from": "evil"}}'
        headers = {"content-type": "text/plain", "origin": origin}
        answer = client.post("/threads", content=body, headers=headers)
        assert answer.status_code == 403
        assert origin in answer.json()["detail"]
        assert "access-control-allow-origin" not in answer.headers
        assert client.options("/threads", headers={"origin": origin, **PREFLIGHT}).is_error
        assert client.post("/threads/count", json={}).json() == 0


def test_a_refused_path_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A page cannot write lines of its own into the log with line ends in a path."""
    with on_a_port() as client:
        client.get("/x%0aERROR%20forged", headers={"origin": "https://evil.example"})
    (record,) = [record for record in caplog.records if "refused" in record.getMessage()]
    assert "refused GET /x\\nERROR forged: Pages of" in record.getMessage()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:2024", "localhost.evil.example"])
def test_other_host_names_are_refused(host: str) -> None:
    """A page whose own name leads to 127.0.0.1 is of the same origin for a browser."""
    with on_a_port() as client:
        answer = client.post("/threads", json={}, headers={"host": host})
        assert answer.status_code == 403
        for good in ("localhost:2024", "127.0.0.1", "[::1]:2024"):
            assert client.get("/info", headers={"host": good}).status_code == 200


def test_named_origins_may_call() -> None:
    """An origin of `cors` may call; no other may."""
    with on_a_port(cors=[STUDIO]) as client:
        answer = client.post("/threads", content=b"{}", headers={"origin": STUDIO})
        assert answer.headers["access-control-allow-origin"] == STUDIO
        other = {"origin": "https://evil.example"}
        assert client.post("/threads", json={}, headers=other).status_code == 403


def test_everybody_may_call_where_the_owner_says_so() -> None:
    """With `*` neither origin nor host is looked at."""
    with on_a_port(cors=["*"]) as client:
        headers = {"origin": "https://any.example", "host": "tunnel.example"}
        answer = client.post("/threads", json={}, headers=headers)
        assert answer.headers["access-control-allow-origin"] == "*"


def test_a_key_stands_for_the_origin() -> None:
    """With an API key the caller has shown who it is; pages still do not read the answer."""
    with on_a_port(api_key="k") as client:
        headers = {"origin": "https://any.example", "host": "service.example"}
        answer = client.post("/threads", json={}, headers=headers)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers


def test_a_public_server_s_own_page_may_call() -> None:
    """The page of a server with an `Auth` may call it, and pages of other hosts may not."""
    auth = Auth()
    auth.authenticate(lambda: "ann")
    graphs = {"agent": ScriptedGraph([{"a": 1}])}
    with Server(graphs, auth=auth) as server:
        port = httpx.URL(server.listen("0.0.0.0")).port
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for origin, host, allowed in [
                ("https://agents.example", "agents.example", True),
                ("http://agents.example:2024", "agents.example:2024", True),
                ("https://evil.example", "agents.example", False),
                ("https://agents.example:8443", "agents.example", False),
                ("null", "", False),
            ]:
                headers = {"origin": origin, "host": host}
                answer = client.post("/threads", json={}, headers=headers)
                assert (answer.status_code == 200) is allowed, (origin, answer.text)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [(STUDIO, True), ("http://localhost:3000", True), ("https://evil.example", False)],
)
def test_a_public_page_asks_for_this_machine(origin: str, allowed: bool) -> None:
    """Chrome's question whether a page may call a private network is answered as CORS is."""
    with on_a_port(cors=[STUDIO]) as client:
        headers = {
            "origin": origin,
            **PREFLIGHT,
            "access-control-request-private-network": "true",
        }
        answer = client.options("/threads", headers=headers)
        assert (answer.status_code == 200) is allowed
        assert ("access-control-allow-private-network" in answer.headers) is allowed
