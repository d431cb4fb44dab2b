"""Numbers of the store's items and filters, the same on each database and on the real server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from langgraph_client.testing import TestServer

HUGE = 10**20


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        (HUGE, {"whole", "float", "next"}),
        (float(HUGE), {"whole", "float", "next"}),
        ({"$ne": HUGE}, {"small"}),
        ({"$gt": HUGE}, set()),
        ({"$gte": HUGE}, {"whole", "float", "next"}),
        ({"$lt": HUGE}, {"small"}),
        ([HUGE], set()),
    ],
    ids=["equal", "equal float", "ne", "gt", "gte", "lt", "list"],
)
def test_integers_of_more_than_64_bits_are_floats(
    server: TestServer, wanted: Any, keys: set[str]
) -> None:
    """They are stored, shown and compared as such, as langgraph-api 0.16.7 does."""
    numbers = {"whole": HUGE, "float": float(HUGE), "next": HUGE + 1, "small": 2**64 - 1}
    with httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http:
        for key, number in numbers.items():
            item = {"namespace": ["a"], "key": key, "value": {"n": number}}
            assert http.put("/store/items", json=item).status_code == 204
        shown = http.get("/store/items", params={"namespace": "a", "key": "next"})
        assert '"value":{"n":1e+20}' in shown.text
        body = {"namespace_prefix": ["a"], "filter": {"n": wanted}}
        found = http.post("/store/items/search", json=body).json()["items"]
        assert {item["key"] for item in found} == keys
