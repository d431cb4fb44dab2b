"""A2A: assistants as agents, for the client that people use and for bare requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.client import Client
from a2a.types.a2a_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    TaskState,
)

from langgraph_client.server.http import a2a_wire
from langgraph_client.server.http.a2a_wire import A2AError, read_message
from langgraph_client.server.options import HttpOptions
from langgraph_client.testing import TestServer
from tests.agents.test_mcp import GRAPHS
from tests.auth.conftest import client, owners


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    """A server whose graphs are agents, on a port."""
    with TestServer(GRAPHS, descriptions={"chat": "Repeats."}) as running:
        running.listen()
        yield running


@pytest.fixture
def http(server: TestServer) -> Iterator[httpx.Client]:
    """Bare httpx to it."""
    with client(server, None) as http:
        yield http


def id_of(http: httpx.Client, graph: str) -> str:
    found = http.post("/assistants/search", json={"graph_id": graph}).json()
    return str(found[0]["assistant_id"])


def rpc(http: httpx.Client, graph: str, method: str, params: Any) -> Any:
    message = {"jsonrpc": "2.0", "id": "7", "method": method, "params": params}
    answer = http.post(f"/a2a/{id_of(http, graph)}", json=message)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["jsonrpc"], answer.json()["id"]) == ("2.0", "7")
    return answer.json()


def said(text: str = "", **fields: Any) -> dict[str, Any]:
    parts = [{"kind": "text", "text": text}] if text else []
    message = {"role": "user", "messageId": "m1", "parts": parts, **fields}
    return {"message": message}


async def connected(
    server: TestServer, graph: str, http: httpx.AsyncClient, **options: Any
) -> Client:
    with client(server, None) as bare:
        place = f".well-known/agent-card.json?assistant_id={id_of(bare, graph)}"
    card = await A2ACardResolver(http, str(server.url), place).get_agent_card()
    assert card.name == graph
    return ClientFactory(ClientConfig(httpx_client=http, **options)).create(card)


def request(text: str, **ids: str) -> SendMessageRequest:
    message = Message(message_id="m", role=Role.ROLE_USER, parts=[Part(text=text)], **ids)
    return SendMessageRequest(message=message)


async def test_the_sdk_streams(server: TestServer) -> None:
    """`a2a-sdk` gets the task, its states, the text as it comes, and what it has made."""
    async with httpx.AsyncClient(timeout=60) as http:
        agent = await connected(server, "chat", http)
        events = [event async for event in agent.send_message(request("hi"))]
    kinds = [event.WhichOneof("payload") for event in events]
    assert kinds[0] == "task"
    assert kinds[-2:] == ["artifact_update", "status_update"]
    assert events[-2].artifact_update.artifact.parts[0].text == "you said hi"
    states = [e.status_update.status.state for e in events if e.HasField("status_update")]
    assert states[0] == TaskState.TASK_STATE_WORKING
    assert states[-1] == TaskState.TASK_STATE_COMPLETED


async def test_the_sdk_answers_a_question(server: TestServer) -> None:
    """A task that asks for input goes on with the message that answers, and can be read."""
    async with httpx.AsyncClient(timeout=60) as http:
        agent = await connected(server, "asking", http, streaming=False)
        (asked,) = [event async for event in agent.send_message(request("hello"))]
        task = asked.task
        assert task.status.state == TaskState.TASK_STATE_INPUT_REQUIRED
        shown = await agent.get_task(GetTaskRequest(id=task.id))
        assert shown.status.state == TaskState.TASK_STATE_INPUT_REQUIRED
        answer = request("bob", task_id=task.id, context_id=task.context_id)
        (done,) = [event async for event in agent.send_message(answer)]
        assert done.task.id == task.id
        assert done.task.status.state == TaskState.TASK_STATE_COMPLETED
        assert done.task.artifacts[0].parts[0].text == "hello bob"
        assert [message.role for message in done.task.history] == [
            Role.ROLE_USER,
            Role.ROLE_AGENT,
        ]
        shown = await agent.get_task(GetTaskRequest(id=task.id))
        assert shown.status.state == TaskState.TASK_STATE_COMPLETED


async def test_the_sdk_cancels(server: TestServer) -> None:
    """A task that is at work can be cancelled, once."""
    async with httpx.AsyncClient(timeout=60) as http:
        agent = await connected(server, "chat", http, streaming=False, polling=True)
        with server.hold(graph="chat", status="running"):
            (event,) = [event async for event in agent.send_message(request("hi"))]
            assert event.task.status.state == TaskState.TASK_STATE_SUBMITTED
            cancelled = await agent.cancel_task(CancelTaskRequest(id=event.task.id))
        assert cancelled.status.state == TaskState.TASK_STATE_CANCELED
        shown = await agent.get_task(GetTaskRequest(id=event.task.id))
        assert shown.status.state == TaskState.TASK_STATE_CANCELED
        with pytest.raises(Exception, match="not cancelable"):
            await agent.cancel_task(CancelTaskRequest(id=event.task.id))


def test_methods_of_earlier_versions_answer(http: httpx.Client) -> None:
    """The methods with a slash answer as they did before version 1.0: lower case, with kinds."""
    task = rpc(http, "chat", "message/send", said("hi"))["result"]
    assert task["kind"] == "task"
    assert task["status"]["state"] == "completed"
    assert task["artifacts"][0]["parts"] == [{"kind": "text", "text": "you said hi"}]
    assert [one["role"] for one in task["history"]] == ["user", "agent"]
    more = said("more", contextId=task["contextId"], messageId="m2")
    again = rpc(http, "chat", "message/send", more)["result"]
    assert again["contextId"] == task["contextId"]
    assert len(again["history"]) == 4
    shown = rpc(http, "chat", "tasks/get", {"id": again["id"], "historyLength": 1})["result"]
    assert (shown["status"]["state"], len(shown["history"])) == ("completed", 1)
    message = {"jsonrpc": "2.0", "id": 1, "method": "message/stream", "params": said("hi")}
    answer = http.post(f"/a2a/{id_of(http, 'chat')}", json=message)
    events = [json.loads(line[6:]) for line in answer.text.split("\r\n") if line[:5] == "data:"]
    assert {event["id"] for event in events} == {1}
    assert [event["result"]["kind"] for event in events][:2] == ["task", "status-update"]
    assert events[-1]["result"]["final"] is True


def test_what_a_graph_cannot_take(http: httpx.Client) -> None:
    """Data is the input of any graph; text is for those that have messages."""
    data = said(parts=[{"kind": "data", "data": {"a": 2, "b": 3}}])
    task = rpc(http, "adder", "message/send", data)["result"]
    assert task["artifacts"][0]["parts"][0]["data"]["sum"] == 5
    failed = said(parts=[{"kind": "data", "data": {"a": -2}}])
    task = rpc(http, "adder", "message/send", failed)["result"]
    assert task["status"]["state"] == "failed"
    assert "negative" in task["status"]["message"]["parts"][0]["text"]
    shown = rpc(http, "adder", "tasks/get", {"id": task["id"]})["result"]
    assert shown["status"]["state"] == "failed"
    error = rpc(http, "adder", "message/send", said("text"))["error"]
    assert (error["code"], "'a', 'b', 'sum'" in error["message"]) == (-32602, True)
    message = {"jsonrpc": "2.0", "id": 1, "method": "message/stream", "params": failed}
    text = http.post(f"/a2a/{id_of(http, 'adder')}", json=message).text
    assert '"state":"failed"' in text


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("tasks/none", {}, -32601),
        ("tasks/list", {"pageSize": 0}, -32602),
        ("tasks/list", {"pageToken": "x"}, -32602),
        ("tasks/list", {"status": "asleep"}, -32602),
        ("tasks/list", {"contextId": 7}, -32602),
        ("tasks/list", {"statusTimestampAfter": "now"}, -32602),
        ("tasks/list", {"statusTimestampAfter": 10**20}, -32602),
        ("tasks/list", {"statusTimestampAfter": -(10**300)}, -32602),
        ("tasks/list", {"statusTimestampAfter": "9999-12-31T23:59:59-12:00"}, -32602),
        ("tasks/list", {"historyLength": -1}, -32602),
        ("tasks/pushNotificationConfig/set", {}, -32003),
        ("CreateTaskPushNotificationConfig", {}, -32003),
        ("tasks/resubscribe", {}, -32004),
        ("GetExtendedAgentCard", {}, -32007),
        ("tasks/get", {}, -32602),
        ("tasks/get", {"id": "nothing"}, -32001),
        ("tasks/get", {"id": "../x:../y"}, -32001),
        ("tasks/cancel", {"id": "00000000-0000-4000-8000-000000000000:x"}, -32001),
        ("message/send", [], -32602),
        ("message/send", {}, -32602),
        ("message/send", said(), -32602),
        ("message/send", said("x", role=None), -32602),
        ("message/send", said("x", taskId=7), -32602),
        ("message/send", said("x", contextId="no-uuid"), -32602),
        ("message/send", said(parts=["x"]), -32005),
        ("message/send", said(parts=[{"kind": "file", "file": {}}]), -32005),
        ("message/send", said(parts=[{"data": {"resume": 1}}]), -32602),
        ("message/stream", said(parts=[{"kind": "odd"}]), -32005),
        ("message/send", {**said("x"), "configuration": {"historyLength": -1}}, -32602),
    ],
)
def test_each_mistake_has_its_code(http: httpx.Client, method: str, params: Any, code: int) -> None:
    """Each kind of mistake has its code."""
    assert rpc(http, "chat", method, params)["error"]["code"] == code


def test_tasks_are_listed(http: httpx.Client) -> None:
    """The tasks of an agent are listed, the latest first, by state, context, time and page."""
    context = rpc(http, "asking", "message/send", said("one"))["result"]["contextId"]
    asked = rpc(http, "asking", "message/send", said("two"))["result"]

    def listed(**params: Any) -> Any:
        return rpc(http, "asking", "tasks/list", params)["result"]

    everything = listed()
    assert everything["tasks"][0]["id"] == asked["id"]
    assert everything["tasks"][0]["status"]["state"] == "input-required"
    assert everything["tasks"][0]["artifacts"] == []
    assert everything["totalSize"] == everything["pageSize"] >= 2
    assert {one["contextId"] for one in listed(contextId=context)["tasks"]} == {context}
    assert listed(contextId="00000000-0000-4000-8000-000000000000")["tasks"] == []
    assert listed(contextId="no thread")["tasks"] == []
    first = listed(pageSize=1)
    assert len(first["tasks"]) == 1
    second = listed(pageSize=1, pageToken=first["nextPageToken"])
    assert second["tasks"][0]["id"] == everything["tasks"][1]["id"]
    assert listed(statusTimestampAfter="2999-01-01T00:00:00Z")["tasks"] == []
    (shown,) = listed(contextId=context, includeArtifacts=True, historyLength=0)["tasks"]
    assert shown["artifacts"][0]["name"] == "Interrupt"
    assert "history" not in shown
    answer = said(taskId=asked["id"], parts=[{"kind": "data", "data": {"resume": "eve"}}])
    rpc(http, "asking", "message/send", answer)
    done = listed(contextId=asked["contextId"], status="completed")["tasks"]
    assert [task["id"] for task in done] == [asked["id"]]
    assert listed(contextId=asked["contextId"], status="TASK_STATE_WORKING")["tasks"] == []


async def test_the_sdk_lists(server: TestServer, http: httpx.Client) -> None:
    """`a2a-sdk` reads the same list, in version 1.0."""
    task = rpc(http, "chat", "message/send", said("hi"))["result"]
    async with httpx.AsyncClient(timeout=60) as http_of_sdk:
        agent = await connected(server, "chat", http_of_sdk)
        found = await agent.list_tasks(ListTasksRequest(context_id=task["contextId"]))
    assert [each.id for each in found.tasks] == [task["id"]]
    assert found.tasks[0].status.state == TaskState.TASK_STATE_COMPLETED


def test_tasks_that_are_over(http: httpx.Client) -> None:
    """A task that is over takes no more messages, and is no task of another agent."""
    task = rpc(http, "chat", "message/send", said("hi"))["result"]
    over = rpc(http, "chat", "message/send", said("more", taskId=task["id"]))
    assert over["error"]["code"] == -32004
    assert rpc(http, "asking", "tasks/get", {"id": task["id"]})["error"]["code"] == -32001
    assert rpc(http, "chat", "tasks/cancel", {"id": task["id"]})["error"]["code"] == -32002
    asked = rpc(http, "asking", "message/send", said("hi"))["result"]
    data = said(taskId=asked["id"], parts=[{"kind": "data", "data": {"resume": "carl"}}])
    done = rpc(http, "asking", "message/send", data)["result"]
    assert done["artifacts"][0]["parts"][0]["text"] == "hello carl"
    asked = rpc(http, "asking", "message/send", said("hi"))["result"]
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "message/stream",
        "params": said("dora", taskId=asked["id"]),
    }
    text = http.post(f"/a2a/{id_of(http, 'asking')}", json=message).text
    assert "hello dora" in text


def test_what_an_earlier_task_has_said(http: httpx.Client) -> None:
    """A task has its own answer and history, also after another task in its context."""
    one = rpc(http, "chat", "message/send", said("one"))["result"]
    more = said("two", contextId=one["contextId"], messageId="m2")
    two = rpc(http, "chat", "message/send", more)["result"]
    listing = {"contextId": one["contextId"], "includeArtifacts": True}
    listed = rpc(http, "chat", "tasks/list", listing)["result"]["tasks"]
    shown = [rpc(http, "chat", "tasks/get", {"id": task["id"]})["result"] for task in (two, one)]
    for second, first in (listed, shown):
        assert (first["id"], second["id"]) == (one["id"], two["id"])
        assert text_of(first) == "you said one"
        assert text_of(second) == "you said two"
        assert (len(first["history"]), len(second["history"])) == (2, 4)


def text_of(task: Any) -> str:
    return str(task["artifacts"][0]["parts"][0]["text"])


@pytest.mark.parametrize("protocol", ["1.0", "0.3"])
def test_a_question_that_is_declined(server: TestServer, protocol: str) -> None:
    """A task that waits for input can be cancelled. Then it takes no answer, and others may run."""
    send, get, cancel = (
        ("SendMessage", "GetTask", "CancelTask")
        if protocol == "1.0"
        else ("message/send", "tasks/get", "tasks/cancel")
    )
    canceled = "TASK_STATE_CANCELED" if protocol == "1.0" else "canceled"
    with client(server, None) as http:
        asked = rpc(http, "asking", send, said("hi"))["result"]
        asked = asked.get("task", asked)
        task = rpc(http, "asking", cancel, {"id": asked["id"]})["result"]
        assert (task["id"], task["status"]["state"]) == (asked["id"], canceled)
        shown = rpc(http, "asking", get, {"id": asked["id"]})["result"]
        assert shown["status"]["state"] == canceled
        assert [message["parts"][0]["text"] for message in shown["history"]] == ["hi"]
        assert rpc(http, "asking", cancel, {"id": asked["id"]})["error"]["code"] == -32002
        answer = rpc(http, "asking", send, said("bob", taskId=asked["id"]))
        assert answer["error"]["code"] == -32004
        thread = http.get(f"/threads/{asked['contextId']}").json()
        assert (thread["status"], thread["interrupts"]) == ("idle", {})
        again = said("hi again", contextId=asked["contextId"])
        task = rpc(http, "asking", "message/send", again)["result"]
        assert task["status"]["state"] == "input-required"
        assert task["id"] != asked["id"]


def test_a_question_that_is_declined_while_it_is_answered(
    server: TestServer, http: httpx.Client
) -> None:
    """The answer goes on: the task is at work, and can be cancelled as such."""
    asked = rpc(http, "asking", "message/send", said("hi"))["result"]
    body = {
        "assistant_id": "asking",
        "command": {"resume": "bob"},
        "metadata": {"a2a": {"task_id": asked["id"]}},
        "after_seconds": 3600,
    }
    http.post(f"/threads/{asked['contextId']}/runs", json=body)
    shown = rpc(http, "asking", "tasks/get", {"id": asked["id"]})["result"]
    assert shown["status"]["state"] == "submitted"
    task = rpc(http, "asking", "tasks/cancel", {"id": asked["id"]})["result"]
    assert task["status"]["state"] == "canceled"


@pytest.mark.parametrize("noted", ["mine", 7, ["x"], {"task_id": 7}, {"task_id": ""}, None])
def test_metadata_of_others(http: httpx.Client, noted: object) -> None:
    """A run whose metadata has an `a2a` of the client's own is a task as any other."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "chat", "input": {"messages": "hi"}, "metadata": {"a2a": noted}}
    place = f"/threads/{thread_id}/runs"
    http.post(f"{place}/wait", json=body)
    task_id = f"{thread_id}:{http.get(place).json()[0]['run_id']}"
    shown = rpc(http, "chat", "tasks/get", {"id": task_id})["result"]
    assert text_of(shown) == "you said hi"
    listed = rpc(http, "chat", "tasks/list", {"contextId": thread_id})["result"]["tasks"]
    assert [task["id"] for task in listed] == [task_id]


@pytest.mark.parametrize("method", ["message/send", "message/stream"])
@pytest.mark.parametrize("configuration", ["x", [1], 5, True, [], ""])
def test_a_configuration_that_is_none(
    http: httpx.Client, method: str, configuration: object
) -> None:
    """It is refused before anything runs."""
    before = http.post("/threads/count", json={}).json()
    params = {**said("hi"), "configuration": configuration}
    error = rpc(http, "chat", method, params)["error"]
    assert error == {"code": -32602, "message": "configuration must be an object"}
    assert http.post("/threads/count", json={}).json() == before


def test_requests_that_are_none(http: httpx.Client) -> None:
    """What is no request of JSON-RPC is said so."""
    place = f"/a2a/{id_of(http, 'chat')}"
    for wrong in ([], {}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "id": {}, "method": "x"}):
        assert http.post(place, json=wrong).json()["error"]["code"] == -32600
    assert http.post(place, content="{").status_code == 400
    assert (http.get(place).status_code, http.delete(place).status_code) == (405, 404)
    send = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": said("x")}
    assert http.post("/a2a/nothing", json=send).json()["error"]["code"] == -32602
    missing = http.post("/a2a/00000000-0000-4000-8000-000000000000", json=send)
    assert "not found" in missing.json()["error"]["message"]
    assert http.post("/a2a/chat", json=send).json()["result"]["kind"] == "task"


def test_the_card_describes_the_agent(server: TestServer, http: httpx.Client) -> None:
    """The card says where the agent is and what it takes; a graph without a description has one."""
    of_chat, of_adder = id_of(http, "chat"), id_of(http, "adder")
    root = http.get("/.well-known/agent-card.json", params={"assistant_id": of_chat}).json()
    assert root["description"] == "Repeats."
    assert root["url"] == f"http://test/a2a/{of_chat}"
    assert root["supportedInterfaces"][0]["protocolVersion"] == "1.0"
    assert root["skills"][0]["metadata"]["inputSchema"]["supportsA2A"] is True
    for name in ("agent-card.json", "agent.json"):
        headers = {"x-forwarded-proto": "https"}
        card = http.get(f"/a2a/{of_adder}/.well-known/{name}", headers=headers).json()
        assert "adder" in card["description"]
        assert card["url"] == f"https://test/a2a/{of_adder}"
    assert http.get("/.well-known/agent-card.json").status_code == 400
    for unknown in ("nothing", "00000000-0000-4000-8000-000000000000"):
        params = {"assistant_id": unknown}
        assert http.get("/.well-known/agent-card.json", params=params).status_code == 400


def test_files_become_content_blocks() -> None:
    """Files of both versions become blocks of a message; data beside them stays data."""
    parts = [
        {"kind": "text", "text": "look"},
        {"kind": "file", "file": {"uri": "http://x/a.png", "mimeType": "image/png"}},
        {"raw": "AAAA", "mediaType": "application/pdf"},
        {"kind": "data", "data": {"k": 1}},
    ]
    message = read_message({"message": {"role": "ROLE_USER", "messageId": "m", "parts": parts}})
    assert message.input["k"] == 1
    assert message.input["messages"][0]["content"] == [
        {"type": "text", "text": "look"},
        {"type": "image", "mime_type": "image/png", "url": "http://x/a.png"},
        {"type": "file", "mime_type": "application/pdf", "base64": "AAAA"},
    ]
    with pytest.raises(A2AError):
        read_message({"message": {"role": "user", "messageId": "m", "parts": [{"file": 7}]}})
    assert a2a_wire.text_of({"type": "ai", "content": [{"type": "text", "text": "a"}, "b"]}) == "ab"
    assert a2a_wire.text_of({"type": "tool", "content": "x"}) == ""


def test_it_can_be_disabled() -> None:
    """`http.disable_a2a`: there are no such endpoints."""
    options = HttpOptions(disabled=frozenset({"a2a"}))
    with TestServer(GRAPHS, http=options) as server, client(server, None) as http:
        assert http.post("/a2a/chat", json={}).status_code == 404
        assert http.get("/.well-known/agent-card.json").status_code == 404


def test_tasks_are_one_s_own() -> None:
    """Another user finds neither the agent nor the task."""
    with (
        TestServer(GRAPHS, auth=owners(), max_runs=1) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
        client(server, None) as nobody,
    ):
        made = {
            http: http.post("/assistants", json={"graph_id": "chat", "name": "mine"}).json()
            for http in (ann, bob)
        }
        agent = f"/a2a/{made[ann]['assistant_id']}"
        send = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": said("hi")}
        task = ann.post(agent, json=send).json()["result"]
        assert task["artifacts"][0]["parts"][0]["text"] == "you said hi"
        assert bob.post(agent, json=send).json()["error"]["code"] == -32602
        get = {**send, "method": "tasks/get", "params": {"id": task["id"]}}
        assert ann.post(agent, json=get).json()["result"]["id"] == task["id"]
        for place in (agent, f"/a2a/{made[bob]['assistant_id']}"):
            assert bob.post(place, json=get).json()["error"]["code"] == -32001
        into = {**send, "params": said("x", contextId=task["contextId"])}
        answer = bob.post(f"/a2a/{made[bob]['assistant_id']}", json=into).json()
        assert answer["error"]["code"] == -32602
        assert ann.get(f"{agent}/.well-known/agent-card.json").status_code == 200
        assert bob.get(f"{agent}/.well-known/agent-card.json").status_code == 400
        assert nobody.post(agent, json=send).status_code == 401
        assert nobody.get(f"{agent}/.well-known/agent-card.json").status_code == 401
