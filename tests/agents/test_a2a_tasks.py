"""A2A's tasks where a thread changes while they are read or cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from langgraph_client.server.clock import Clock
from langgraph_client.server.http.a2a_wire import A2AError, Wire
from langgraph_client.server.http.routes.a2a import _Agent
from langgraph_client.server.http.routes.a2a_tasks import find, withdraw
from langgraph_client.server.http.self_requests import SelfClient, SelfRequestError
from langgraph_client.server.runs.background_tasks import BackgroundTasks
from langgraph_client.server.runs.run_document import assistant_id_of
from langgraph_client.testing import TestServer
from tests.agents.test_mcp import GRAPHS
from tests.auth.conftest import client

AGENT = assistant_id_of("asking")


class Between(SelfClient):
    """Requests to a server, with something that happens before one of them.

    Args:
        http: Bare httpx to the server.
        path: How the path of the request ends.
        happen: What happens before it, once.
    """

    def __init__(self, http: httpx.Client, path: str, happen: Callable[[], object]) -> None:
        self._http, self._path, self._happen = http, path, [happen]

    @property
    def run_status(self) -> str:
        """Its requests tell nothing of the runs that they start; here, none is cancelled."""
        return "success"

    async def _send(self, method: str, path: str, body: object) -> httpx.Response:
        if path.endswith(self._path) and self._happen:
            self._happen.pop()()
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise SelfRequestError(answer.status_code, answer.text)
        place = {"content-location": answer.headers.get("content-location", "")}
        return httpx.Response(answer.status_code, headers=place, content=answer.content)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """Bare httpx to a server."""
    with TestServer(GRAPHS) as server, client(server, None) as http:
        yield http


def asked(http: httpx.Client) -> tuple[str, str]:
    """Return a thread whose task waits for input, and the task."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    place = f"/threads/{thread_id}/runs"
    http.post(f"{place}/wait", json={"assistant_id": "asking", "input": {"messages": "hi"}})
    return thread_id, f"{thread_id}:{http.get(place).json()[0]['run_id']}"


def statuses(http: httpx.Client, thread_id: str) -> list[str]:
    return [run["status"] for run in http.get(f"/threads/{thread_id}/runs").json()]


async def test_a_task_whose_run_ends_between_two_reads(http: httpx.Client) -> None:
    """It has the state and the thread of one moment: the thread is read again."""
    thread_id, first = asked(http)
    place = f"/threads/{thread_id}/runs"
    answer = {"assistant_id": "asking", "command": {"resume": "bob"}}

    def go_on() -> None:
        http.post(f"{place}/wait", json={**answer, "metadata": {"a2a": {"task_id": first}}})

    task = await find(Between(http, "/runs?limit=100", go_on), AGENT, first)
    assert task.state == "completed"
    assert task.thread["values"]["messages"][-1]["content"] == "hello bob"


async def test_an_answer_that_comes_before_the_cancellation(http: httpx.Client) -> None:
    """The task cannot be cancelled as one that waits, and nothing is left of the attempt."""
    thread_id, task_id = asked(http)
    place = f"/threads/{thread_id}/runs"
    answer = {"assistant_id": "asking", "command": {"resume": "bob"}, "after_seconds": 3600}
    inside = Between(http, "/runs", lambda: http.post(place, json=answer))
    task = await find(inside, AGENT, task_id)
    with pytest.raises(A2AError) as caught:
        await withdraw(inside, task)
    assert caught.value.code == -32002
    assert statuses(http, thread_id) == ["pending", "success"]


async def test_an_answer_that_comes_within_the_cancellation(http: httpx.Client) -> None:
    """The answer goes on, and nothing is left of the attempt."""
    thread_id, task_id = asked(http)
    place = f"/threads/{thread_id}/runs"
    answer = {"assistant_id": "asking", "command": {"resume": "bob"}, "after_seconds": 3600}
    inside = Between(http, "/state", lambda: http.post(place, json=answer))
    task = await find(inside, AGENT, task_id)
    with pytest.raises(SelfRequestError, match="in-flight"):
        await withdraw(inside, task)
    assert statuses(http, thread_id) == ["pending", "success"]


async def test_another_message_before_the_first_is_answered(http: httpx.Client) -> None:
    """Each is answered with the result of its own run, although both are over by then."""
    context = "00000000-0000-4000-8000-000000000001"

    def message(text: str) -> dict[str, Any]:
        parts = [{"text": text}]
        return {"messageId": text, "role": "user", "contextId": context, "parts": parts}

    def another() -> None:
        send = {"jsonrpc": "2.0", "id": 1, "method": "message/send"}
        http.post("/a2a/chat", json={**send, "params": {"message": message("two")}})

    inside = Between(http, "/join", another)
    agent = _Agent(inside, Wire(Clock(), is_v1=False), assistant_id_of("chat"), BackgroundTasks())
    task = await agent.send({"message": message("one")})
    assert task["artifacts"][0]["parts"][0]["text"] == "you said one"
