"""The log of requests: a sequence, with filters for runs and threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from langgraph_client.testing import ScriptedGraph, TestServer


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer({"agent": ScriptedGraph([{"done": True}])}) as running:
        yield running


def test_requests_are_a_sequence(server: TestServer) -> None:
    """With slices, `index`, `count` and `reversed`."""
    client = server.sync_client()
    thread_id = client.threads.create().thread_id
    client.threads.get(thread_id)
    client.threads.delete(thread_id)
    requests = server.requests
    assert isinstance(requests, Sequence)
    assert [request.method for request in requests[-2:]] == ["GET", "DELETE"]
    assert [request.method for request in reversed(requests)] == ["DELETE", "GET", "POST"]
    assert requests.index(requests[1]) == 1
    assert requests.count(requests[1]) == 1
    assert requests[2] in requests
    with pytest.raises(IndexError):
        requests[3]


def test_fields_of_a_body_may_have_any_name(server: TestServer) -> None:
    """Also `method`, as in the commands of a thread stream, and `path`."""
    with server.sync_client().threads.stream(assistant_id="agent") as thread:
        thread.run.start(input={})
        assert thread.output == {"done": True}
    found = server.requests.assert_one("POST", "/threads/*/commands", method="run.start")
    assert found.thread_id == thread.thread_id
    with pytest.raises(AssertionError, match='"path": "/x"'):
        server.requests.assert_one("POST", "/threads/*/commands", path="/x")


def test_a_request_about_many_threads_is_of_no_thread(server: TestServer) -> None:
    """What follows `/threads/` is not always an id."""
    client = server.sync_client()
    thread_id = client.threads.create().thread_id
    client.threads.search()
    client.threads.count()
    client.threads.prune([thread_id])
    client.threads.get_state(server.seed_thread("agent"))
    *of_many, of_one = server.requests
    assert [request.thread_id for request in of_many] == [None] * 4
    assert of_one.path == f"/threads/{of_one.thread_id}/state"
