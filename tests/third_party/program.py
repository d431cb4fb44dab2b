"""A program of langgraph_sdk, as people write them: program.py URL. Prints what held, as JSON.

It is run as it is, and with `langgraph_sdk` replaced by `langgraph_client` in its text. The graphs
are `row`, `counter`, `approval`, `failing` and `slow` of `support.graphs`.
"""

# Programs look at errors in `except` blocks.
# ruff: noqa: PT017

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import sys
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import httpx
from langgraph_sdk import get_client, get_sync_client
from langgraph_sdk.client import LangGraphClient, SyncLangGraphClient
from langgraph_sdk.errors import APIError, APIStatusError, ConflictError, NotFoundError
from langgraph_sdk.schema import Checkpoint, Config, Run, StreamPart, Thread, ThreadState

URL = sys.argv[1]
UNKNOWN = str(uuid.UUID(int=0))
HELD: dict[str, str] = {}
Check = Callable[[LangGraphClient], Coroutine[Any, Any, None]]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    CHECKS.append(function)
    return function


async def thread_of(client: LangGraphClient, **options: Any) -> str:
    return (await client.threads.create(**options))["thread_id"]


@check
async def a_reply_is_a_dict(client: LangGraphClient) -> None:
    thread: Thread = await client.threads.create(metadata={"title": "x"})
    assert isinstance(thread, dict)
    assert thread["metadata"]["title"] == "x"
    assert isinstance(thread["created_at"], str)


@check
async def a_reply_is_json(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    assert json.loads(json.dumps(thread)) == thread


@check
async def a_list_of_replies_is_json(client: LangGraphClient) -> None:
    await client.threads.create(metadata={"listed": "yes"})
    found = await client.threads.search(metadata={"listed": "yes"})
    assert json.loads(json.dumps(found)) == found
    assert [type(json.loads(json.dumps(thread))) for thread in found] == [dict] * len(found)


@check
async def a_reply_is_copied_and_pickled(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    again = pickle.loads(pickle.dumps(thread))
    assert copy.deepcopy(thread) == copy.copy(thread) == again == thread


@check
async def a_reply_is_changed(client: LangGraphClient) -> None:
    thread: Any = await client.threads.create(metadata={"a": 1})
    thread["mine"] = 1
    thread["metadata"]["a"] = 2
    thread.update(more=2)
    del thread["status"]
    assert thread.pop("more") == 2
    assert thread.setdefault("new", 3) == 3
    written = json.loads(json.dumps(thread))
    assert (written["mine"], written["metadata"]["a"], "status" in written) == (1, 2, False)


@check
async def a_reply_is_unpacked_and_merged(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    assert {**thread, "a": 1}["a"] == 1
    assert (thread | {"a": 1})["thread_id"] == dict(thread)["thread_id"]  # type: ignore[operator]
    assert sorted(thread) == sorted(key for key, _ in thread.items())


@check
async def a_reply_is_matched(client: LangGraphClient) -> None:
    match await client.threads.create():
        case {"thread_id": str(thread_id), "status": "idle"}:
            assert uuid.UUID(thread_id)
        case other:
            raise AssertionError(other)


@check
async def a_reply_goes_back(client: LangGraphClient) -> None:
    thread = await client.threads.create(metadata={"a": 1})
    await client.store.put_item(["sent"], key="thread", value={"copy": thread})
    item = await client.store.get_item(["sent"], key="thread")
    assert item["value"]["copy"] == thread


@check
async def a_history_loader_sees_its_dicts(client: LangGraphClient) -> None:
    thread_id = await thread_of(client)
    await client.runs.wait(thread_id, "row", input={"topic": "t"})
    state: ThreadState = await client.threads.get_state(thread_id)
    assert isinstance(state, dict)
    values = state.get("values")
    assert isinstance(values, dict)
    assert values.get("log") == ["one", "two:t"]
    assert state["checkpoint"]["thread_id"] == thread_id


@check
async def history_is_a_list_of_dicts(client: LangGraphClient) -> None:
    thread_id = await thread_of(client)
    await client.runs.wait(thread_id, "row", input={"topic": "t"})
    history = await client.threads.get_history(thread_id, limit=10)
    assert all(isinstance(state, dict) for state in history)
    earlier = next(state for state in history if state["next"] == ["two"])
    checkpoint: Checkpoint = earlier["checkpoint"]
    state = await client.threads.get_state(thread_id, checkpoint=checkpoint)
    assert state["next"] == ["two"]


@check
async def a_refusal_is_httpx_s(client: LangGraphClient) -> None:
    try:
        await client.threads.get(UNKNOWN)
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 404
        assert error.request.method == "GET"
        assert error.response.json()["detail"]
    else:
        raise AssertionError("no error")


@check
async def a_refusal_is_the_sdk_s(client: LangGraphClient) -> None:
    try:
        await client.threads.get(UNKNOWN)
    except NotFoundError as error:
        assert isinstance(error, APIStatusError)
        assert (error.status_code, error.message in str(error)) == (404, True)
        assert isinstance(error.body, dict)
        assert (error.code, error.param, error.type) == (None, None, None)
    else:
        raise AssertionError("no error")


@check
async def a_conflict_is_caught(client: LangGraphClient) -> None:
    thread_id = await thread_of(client)
    try:
        await client.threads.create(thread_id=thread_id)
    except ConflictError as error:
        assert error.response.status_code == 409
    else:
        raise AssertionError("no error")
    again = await client.threads.create(thread_id=thread_id, if_exists="do_nothing")
    assert again["thread_id"] == thread_id


@check
async def nobody_there_is_a_transport_error(client: LangGraphClient) -> None:
    try:
        await get_client(url="http://127.0.0.1:9").threads.search()
    except httpx.ConnectError as error:
        assert error.request.method == "POST"
    else:
        raise AssertionError("no error")


@check
async def errors_are_made_in_tests(client: LangGraphClient) -> None:
    response = httpx.Response(409, request=httpx.Request("POST", URL))
    error = ConflictError("busy", response=response, body={"code": "busy"})
    assert isinstance(error, APIError)
    assert (error.status_code, error.code, str(error)[:4]) == (409, "busy", "busy")


@check
async def a_run_is_waited_for(client: LangGraphClient) -> None:
    result = await client.runs.wait(None, "counter", input={"count": 1})
    assert result == {"count": 2}
    assert isinstance(result, dict)


@check
async def a_run_is_started_and_joined(client: LangGraphClient) -> None:
    thread_id = await thread_of(client)
    run: Run = await client.runs.create(thread_id, "counter", input={"count": 1})
    assert isinstance(run, dict)
    assert await client.runs.join(thread_id, run["run_id"]) == {"count": 2}
    assert (await client.runs.get(thread_id, run["run_id"]))["status"] == "success"
    assert [found["run_id"] for found in await client.runs.list(thread_id)] == [run["run_id"]]


@check
async def a_stream_is_unpacked(client: LangGraphClient) -> None:
    names = []
    async for event, data, *_ in client.runs.stream(
        None, "row", input={"topic": "t"}, stream_mode="updates"
    ):
        names.append(event)
        assert isinstance(data, dict)
    assert names == ["metadata", "updates", "updates"]


@check
async def a_stream_has_parts(client: LangGraphClient) -> None:
    modes: Any = ["values", "updates"]
    parts = [
        part
        async for part in client.runs.stream(None, "row", input={"topic": "t"}, stream_mode=modes)
    ]
    assert all(isinstance(part, StreamPart) for part in parts)
    assert parts[-1].data["log"] == ["one", "two:t"]


@check
async def a_run_tells_its_id(client: LangGraphClient) -> None:
    told: list[Any] = []
    thread_id = await thread_of(client)
    await client.runs.wait(thread_id, "counter", input={"count": 1}, on_run_created=told.append)
    assert told[0]["thread_id"] == thread_id
    assert (await client.runs.get(thread_id, told[0]["run_id"]))["run_id"] == told[0]["run_id"]


@check
async def an_interrupt_is_answered(client: LangGraphClient) -> None:
    thread_id = await thread_of(client)
    paused = await client.runs.wait(thread_id, "approval", input={"draft": "d"})
    assert paused["__interrupt__"][0]["value"]
    thread = await client.threads.get(thread_id)
    assert thread["status"] == "interrupted"
    (asked,) = next(iter(thread["interrupts"].values()))
    assert asked["id"]
    done = await client.runs.wait(thread_id, "approval", command={"resume": "yes"})
    assert done["answers"] == ["yes"]


@check
async def a_state_is_updated(client: LangGraphClient) -> None:
    thread_id = await thread_of(client)
    await client.runs.wait(thread_id, "row", input={"topic": "t"})
    updated = await client.threads.update_state(thread_id, {"topic": "u"}, as_node="one")
    assert updated["checkpoint"]["checkpoint_id"]
    assert (await client.threads.get_state(thread_id))["next"] == ["two"]


@check
async def a_failed_run_is_seen(client: LangGraphClient) -> None:
    thread_id = await thread_of(client)
    bad: Any = {"how": "value"}
    result = await client.runs.wait(thread_id, "failing", input=bad, raise_error=False)
    assert result["__error__"]["error"] == "ValueError"
    parts = [part async for part in client.runs.stream(thread_id, "failing", input=bad)]
    assert parts[-1].event == "error"
    assert (await client.threads.get(thread_id))["status"] == "error"


@check
async def a_run_is_cancelled(client: LangGraphClient) -> None:
    thread_id = await thread_of(client)
    run = await client.runs.create(thread_id, "slow", input={})
    await client.runs.cancel(thread_id, run["run_id"], wait=True)
    assert (await client.runs.get(thread_id, run["run_id"]))["status"] == "interrupted"


@check
async def assistants_are_managed(client: LangGraphClient) -> None:
    config: Config = {"configurable": {"a": 1}}
    made = await client.assistants.create("row", config, metadata={"by": "me"}, name="mine")
    found = await client.assistants.search(metadata={"by": "me"}, graph_id="row", limit=100)
    assert made["assistant_id"] in [assistant["assistant_id"] for assistant in found]
    changed = await client.assistants.update(made["assistant_id"], metadata={"more": 1})
    assert (changed["version"], changed["metadata"]["by"]) == (2, "me")
    drawing = await client.assistants.get_graph(made["assistant_id"])
    assert {node["id"] for node in drawing["nodes"]} >= {"one", "two"}
    schemas = await client.assistants.get_schemas(made["assistant_id"])
    assert "topic" in schemas["input_schema"]["properties"]
    await client.assistants.delete(made["assistant_id"])


@check
async def the_store_keeps_items(client: LangGraphClient) -> None:
    space = ["memories", uuid.uuid4().hex]
    await client.store.put_item(space, key="k", value={"n": 1})
    item = await client.store.get_item(space, key="k")
    assert (item["value"], item["namespace"]) == ({"n": 1}, space)
    found = await client.store.search_items(space)
    assert isinstance(found, dict)
    assert [item["key"] for item in found["items"]] == ["k"]
    spaces = await client.store.list_namespaces(prefix=space)
    assert spaces["namespaces"] == [space]
    await client.store.delete_item(space, key="k")


@check
async def crons_are_managed(client: LangGraphClient) -> None:
    cron = await client.crons.create("counter", schedule="0 0 1 1 *", input={"count": 1})
    found = await client.crons.search(limit=100)
    assert cron["cron_id"] in [other["cron_id"] for other in found]
    await client.crons.delete(cron["cron_id"])


@check
async def values_of_python_are_sent(client: LangGraphClient) -> None:
    sent: Any = {
        "id": uuid.UUID(int=1),
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "set": {1},
        "tuple": (1, 2),
        "none": None,
        uuid.UUID(int=2): 1,
    }
    thread = await client.threads.create(metadata={"sent": sent})
    kept = thread["metadata"]["sent"]
    assert kept["id"] == str(uuid.UUID(int=1))
    assert (kept["set"], kept["tuple"], kept["none"]) == ([1], [1, 2], None)
    assert kept[str(uuid.UUID(int=2))] == 1
    assert kept["at"].startswith("2026-01-02T00:00:00")


@check
async def headers_and_clients_are_one_s_own(client: LangGraphClient) -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json=[])

    given = httpx.AsyncClient(
        base_url="http://h", transport=httpx.MockTransport(answer), headers={"Authorization": "a"}
    )
    own = LangGraphClient(given)
    await own.threads.search(headers={"x-user": "ann", "x-api-key": "hers"})
    sent = [seen[0][name] for name in ("authorization", "x-user", "x-api-key")]
    assert sent == ["a", "ann", "hers"]


@check
async def the_blocking_client_is_the_same(client: LangGraphClient) -> None:
    def work() -> None:
        with get_sync_client(url=URL, timeout=(5, 60)) as blocking:
            assert isinstance(blocking, SyncLangGraphClient)
            thread = blocking.threads.create()
            assert isinstance(thread, dict)
            result = blocking.runs.wait(thread["thread_id"], "counter", input={"count": 1})
            assert result == {"count": 2}
            parts = list(blocking.runs.stream(None, "row", input={}, stream_mode="updates"))
            assert [part.event for part in parts] == ["metadata", "updates", "updates"]

    await asyncio.to_thread(work)


async def main() -> None:
    async with get_client(url=URL, headers={"x-program": "third-party"}) as client:
        for function in CHECKS:
            try:
                await asyncio.wait_for(function(client), 60)
                HELD[function.__name__] = "held"
            except BaseException as error:  # One that fails does not hide the others.
                HELD[function.__name__] = f"{type(error).__name__}: {error}"
    print(json.dumps(HELD))


asyncio.run(main())
