"""Values that PostgreSQL refuses are the client's mistake: no 500, and no outage."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langgraph_client.server.server import Server
from tests.cluster.conftest import http_of
from tests.support.hosted import Gate, hosted

NUL = "a\x00b"
ITEM = {"namespace": ["a"], "key": "k", "value": {}}


@pytest.fixture
def http(database: str, gate: Gate) -> Iterator[httpx.Client]:
    """Bare httpx to a server on PostgreSQL."""
    with Server(hosted(gate), path=database) as server, http_of(server) as client:
        yield client


@pytest.mark.parametrize("field", ["namespace", "key"])
def test_a_key_that_does_not_fit_in_an_index_is_too_large(http: httpx.Client, field: str) -> None:
    """A text of some thousand characters that cannot be compressed is a 413; a short one is not."""
    letters = random.Random(1).choices(string.ascii_letters + string.digits, k=100_000)
    for length, status in ((1000, 204), (3000, 413), (100_000, 413)):
        text = "".join(letters[:length])
        item = {**ITEM, field: text if field == "key" else [text]}
        answer = http.put("/store/items", json=item)
        assert answer.status_code == status, answer.text
    assert "PostgreSQL refuses a value: index row" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/threads/{thread}/state/%00", None),
        ("POST", "/threads/{thread}/history", {"before": {"checkpoint_id": NUL}}),
        ("POST", "/threads/{thread}/history", {"metadata": {NUL: NUL}}),
        ("PUT", "/store/items", {**ITEM, "key": NUL}),
        ("GET", "/store/items?namespace=a&key=%00", None),
        ("POST", "/store/items/search", {"filter": {"a": NUL}}),
        ("POST", "/assistants", {"graph_id": "row", "name": NUL}),
        ("POST", "/assistants/search", {"name": NUL}),
        ("POST", "/threads", {"metadata": {NUL: NUL}}),
        ("POST", "/threads/search", {"metadata": {NUL: NUL}}),
        ("GET", "/threads/{thread}/runs?status=%00", None),
    ],
)
def test_a_text_with_a_nul(http: httpx.Client, method: str, path: str, body: Any) -> None:
    """PostgreSQL has no such texts."""
    thread = http.post("/threads", json={}).json()["thread_id"]
    http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "row", "input": {}})
    answer = http.request(method, path.format(thread=thread), json=body)
    assert answer.status_code < 500, answer.text
