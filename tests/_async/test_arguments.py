"""Arguments of the client's methods: which are refused, and how the others are sent."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from langgraph_client import LangGraphClient, RetryPolicy, get_client
from langgraph_client.errors import (
    APIStatusError,
    InvalidArgumentError,
)
from tests.support.wire import URL, Answer, Wire, event, reply, stream

RUN: dict[str, Any] = {"thread_id": "t", "assistant_id": "a"}
CRON: dict[str, Any] = {"assistant_id": "a", "schedule": "* * * * *"}


def client_of(wire: Wire) -> LangGraphClient:
    return get_client(url=URL, transport=wire)


@pytest.mark.parametrize(
    ("method", "arguments", "sent"),
    [
        ("threads.create", {"if_exists": ""}, {}),
        ("threads.search", {"select": [], "status": "", "sort_by": "", "sort_order": ""}, {}),
        ("threads.count", {"status": ""}, {}),
        ("threads.get_state", {"thread_id": "t", "checkpoint_id": ""}, None),
        ("assistants.create", {"graph_id": "a", "name": "", "if_exists": ""}, {"graph_id": "a"}),
        ("assistants.update", {"assistant_id": "a", "name": "", "description": ""}, {}),
        ("assistants.search", {"graph_id": "", "select": [], "sort_by": ""}, {}),
        ("assistants.count", {"graph_id": ""}, {}),
        ("crons.search", {"select": [], "sort_by": "", "sort_order": ""}, {}),
        ("crons.create", {**CRON, "end_time": ""}, CRON),
        ("runs.create", {**RUN, "webhook": ""}, {"assistant_id": "a"}),
        (
            "runs.cancel_many",
            {"thread_id": "t", "run_ids": ["r"], "status": ""},
            {"thread_id": "t", "run_ids": ["r"]},
        ),
    ],
)
async def test_empty_conditions_are_none(method: str, arguments: dict[str, Any], sent: Any) -> None:
    """Web pages pass the empty values of their forms. langgraph_sdk leaves them out, too."""
    wire = Wire(reply([] if method.endswith("search") else 0 if "count" in method else {}))
    async with client_of(wire) as client:
        resource, _, name = method.partition(".")
        await getattr(getattr(client, resource), name)(**arguments)
    content = wire.requests[0].content
    body = json.loads(content) if content else None
    defaults = {"limit", "offset", "stream_mode", "stream_resumable", "stream_subgraphs"}
    assert body == sent or {k: v for k, v in body.items() if k not in defaults} == sent


@pytest.mark.parametrize("method", ["GÉT", "GE T", ""])
async def test_a_method_is_letters(method: str) -> None:
    """Anything else is refused before it is sent."""
    wire = Wire()
    async with client_of(wire) as client:
        with pytest.raises(InvalidArgumentError, match=r"^method"):
            await client.http.request_reconnect("/x", method)
    assert not wire.requests


async def test_a_checkpoint_to_read_is_sent_as_given() -> None:
    """A checkpoint is sent whole, with the fields that are null."""
    checkpoint: Any = {"checkpoint_id": "c", "checkpoint_ns": "", "checkpoint_map": None}
    wire = Wire(reply({"values": {}}))
    async with client_of(wire) as client:
        await client.threads.get_state("t", checkpoint)
    assert json.loads(wire.requests[0].content)["checkpoint"] == checkpoint


async def test_a_deletion_of_ones_own_route_may_answer_anything() -> None:
    """`http.delete` ignores the body of the response."""
    wire = Wire(Answer(200, [b"deleted"]))
    async with client_of(wire) as client:
        await client.http.delete("/custom/1")
    assert wire.lines == ["DELETE /custom/1"]


@dataclass
class User:
    user: str


async def test_metadata_of_a_thread_for_a_graph_may_be_an_object() -> None:
    """As without the graph's name, which is added to the metadata."""
    metadata: Any = User("ann")
    wire = Wire(reply({"thread_id": "t"}))
    async with client_of(wire) as client:
        await client.threads.create(metadata=metadata, graph_id="agent")
    assert json.loads(wire.requests[0].content)["metadata"] == {"user": "ann", "graph_id": "agent"}


def test_a_stream_of_an_empty_thread_id_is_refused() -> None:
    """It is no new thread, as None is."""
    with pytest.raises(InvalidArgumentError, match="thread_id: is empty"):
        client_of(Wire()).threads.stream("", assistant_id="agent")


@pytest.mark.parametrize("event_id", ["5\n", " 5", "1\r\nx-evil: 1"])
def test_an_event_id_that_cannot_be_sent_is_refused(event_id: str) -> None:
    """It is sent as a header."""
    client = client_of(Wire())
    with pytest.raises(InvalidArgumentError, match="last_event_id: must"):
        client.runs.join_stream("t", "r", last_event_id=event_id)
    with pytest.raises(InvalidArgumentError, match="last_event_id: must"):
        client.threads.join_stream("t", last_event_id=event_id)


async def test_an_error_about_a_very_long_address() -> None:
    """It is the server's, not one of httpx about the length."""
    wire = Wire(reply({"detail": "too long"}, 414))
    async with client_of(wire) as client:
        with pytest.raises(APIStatusError, match="too long"):
            await client.store.get_item(("a",), "x" * 65_000)


@pytest.mark.parametrize(
    ("method", "arguments", "parameter"),
    [
        ("threads.get", {"thread_id": None}, "thread_id"),
        ("threads.get", {"thread_id": b"t"}, "thread_id"),
        ("threads.get", {"thread_id": " "}, "thread_id"),
        ("threads.get", {"thread_id": "t", "headers": {"Host": "h"}}, "headers['Host']"),
        ("threads.get", {"thread_id": "t", "headers": {"a": "b\r\nc: d"}}, "headers['a']"),
        ("threads.get", {"thread_id": "t", "params": 5}, "params"),
        ("threads.search", {"limit": 0}, "limit"),
        ("threads.search", {"ids": "one"}, "ids"),
        ("threads.create", {"ttl": "soon"}, "ttl"),
        ("threads.create", {"if_exists": 1}, "if_exists"),
        ("threads.update_state", {"thread_id": "t", "values": "text"}, "values"),
        ("threads.update_state", {"thread_id": "t", "values": {"a": {1, (2j,)}}}, "values.a"),
        ("assistants.get_graph", {"assistant_id": "a", "xray": -1}, "xray"),
        ("assistants.search", {"response_format": "xml"}, "response_format"),
        ("runs.wait", {"thread_id": None, "assistant_id": ""}, "assistant_id"),
        ("runs.create", {"thread_id": "t", "assistant_id": "a", "stream_mode": 1}, "stream_mode"),
        ("runs.create", {"thread_id": "t", "assistant_id": "a", "config": []}, "config"),
        (
            "runs.create",
            {"thread_id": "t", "assistant_id": "a", "input": {"x": [1, {"y": float("nan")}]}},
            "input.x[1].y",
        ),
        ("runs.create_batch", {"payloads": []}, "payloads"),
        ("runs.create_batch", {"payloads": [{"assistant_id": None}]}, "payloads[0].assistant_id"),
        ("runs.cancel", {"thread_id": "t", "run_id": "r", "action": 1}, "action"),
        ("runs.cancel_many", {}, "status"),
        ("crons.create", {"assistant_id": "a", "schedule": ""}, "schedule"),
        (
            "crons.create",
            {"assistant_id": "a", "schedule": "* * * * *", "timezone": timezone.max},
            "timezone",
        ),
        ("http.get", {"path": "//evil.example/"}, "path"),
        ("http.get", {"path": "/\ud800"}, "path"),
        ("http.get", {"path": "/a", "params": {"q": "\ud800"}}, "params['q']"),
        ("runs.list", {"thread_id": "t", "select": ["\ud800"]}, "select[0]"),
        ("runs.create_batch", {"payloads": {"assistant_id": "a"}}, "payloads"),
        ("runs.create_batch", {"payloads": ["a"]}, "payloads[0]"),
        (
            "runs.create_batch",
            {"payloads": [{"assistant_id": "a"}, {"assistant_id": "a", "metadata": 1}]},
            "payloads[1].metadata",
        ),
        ("runs.create", {**RUN, "after_seconds": -1}, "after_seconds"),
        ("runs.create", {**RUN, "after_seconds": True}, "after_seconds"),
        ("runs.create", {**RUN, "after_seconds": float("inf")}, "after_seconds"),
        ("runs.wait", {**RUN, "feedback_keys": "one"}, "feedback_keys"),
        ("runs.create", {**RUN, "interrupt_before": "node"}, "interrupt_before"),
        ("runs.create", {**RUN, "stream_subgraphs": "yes"}, "stream_subgraphs"),
        ("runs.create", {**RUN, "langsmith_tracing": "project"}, "langsmith_tracing"),
        ("runs.create", {**RUN, "checkpoint": "latest"}, "checkpoint"),
        ("runs.create", {**RUN, "webhook": " "}, "webhook"),
        ("runs.cancel_many", {"status": "pending", "thread_id": "t"}, "status"),
        ("runs.cancel_many", {"thread_id": "t", "run_ids": []}, "run_ids"),
        ("threads.create", {"ttl": float("nan")}, "ttl"),
        ("threads.create", {"ttl": True}, "ttl"),
        ("threads.create", {"supersteps": {"updates": []}}, "supersteps"),
        ("threads.create", {"supersteps": [None]}, "supersteps[0]"),
        ("threads.create", {"supersteps": [{"updates": {}}]}, "supersteps[0].updates"),
        ("threads.create", {"supersteps": [{"updates": [1]}]}, "supersteps[0].updates[0]"),
        ("threads.search", {"limit": 1001}, "limit"),
        ("threads.search", {"offset": -1}, "offset"),
        ("threads.search", {"values": []}, "values"),
        ("crons.create", {**CRON, "timezone": 5}, "timezone"),
        ("crons.create", {**CRON, "timezone": timezone(timedelta(hours=2))}, "timezone"),
        ("crons.create", {**CRON, "enabled": "no"}, "enabled"),
    ],
)
async def test_bad_input_is_refused_before_it_is_sent(
    method: str, arguments: dict[str, Any], parameter: str
) -> None:
    """An argument that cannot be right is named, and nothing is sent."""
    wire = Wire()
    async with client_of(wire) as client:
        resource, name = method.split(".")
        with pytest.raises(InvalidArgumentError) as caught:
            await getattr(getattr(client, resource), name)(**arguments)
    assert caught.value.parameter.startswith(parameter)
    assert wire.requests == []


@pytest.mark.parametrize(
    ("namespace", "arguments", "parameter"),
    [
        (None, {}, "namespace"),
        (["a.b"], {}, "namespace[0]"),
        (["a", ""], {}, "namespace[1]"),
        (["a"], {"key": ""}, "key"),
        (["a"], {"value": None}, "value"),
        (["a"], {"ttl": "soon"}, "ttl"),
        (["a"], {"index": "field"}, "index"),
    ],
)
async def test_a_bad_item_is_refused_before_it_is_sent(
    namespace: Any, arguments: dict[str, Any], parameter: str
) -> None:
    """A part of a store item that cannot be right is named, and nothing is sent."""
    wire = Wire()
    async with client_of(wire) as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await client.store.put_item(namespace, **{"key": "k", "value": {}, **arguments})
    assert caught.value.parameter == parameter
    assert wire.requests == []


@pytest.mark.parametrize("mode", [5, ["values", 5]])
async def test_a_bad_stream_mode_is_refused_at_once(mode: Any) -> None:
    """A bad argument of a stream is refused when the stream is made, not when it is read."""
    async with client_of(Wire()) as client:
        with pytest.raises(InvalidArgumentError, match="stream_mode"):
            client.runs.stream("t", "agent", stream_mode=mode)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (ZoneInfo("Europe/Rome"), "Europe/Rome"),
        (UTC, "UTC"),
        (timezone(timedelta(0)), "UTC"),
        ("Asia/Tokyo", "Asia/Tokyo"),
    ],
)
async def test_a_time_zone_is_sent_by_its_name(given: Any, sent: str) -> None:
    """A name, or a tzinfo that has one."""
    wire = Wire(reply({}))
    async with client_of(wire) as client:
        await client.crons.create(**CRON, timezone=given)
    assert json.loads(wire.requests[0].content)["timezone"] == sent


@pytest.mark.parametrize(
    ("given", "sent"),
    [("updates", "updates"), (["updates"], "updates"), (["a", "b"], '["a","b"]'), ([], None)],
)
async def test_the_modes_of_a_joined_stream(given: Any, sent: str | None) -> None:
    """Several are one parameter."""
    wire = Wire(stream(event("end", None)))
    async with client_of(wire) as client:
        parts = [part async for part in client.runs.join_stream("t", "r", stream_mode=given)]
    assert [part.event for part in parts] == ["end"]
    assert wire.requests[0].url.params.get("stream_mode") == sent


async def test_supersteps_are_sent_without_commands_that_are_none() -> None:
    """Servers refuse null there."""
    wire = Wire(reply({"thread_id": "t"}))
    update = {"values": {"a": 1}, "as_node": "n"}
    async with client_of(wire) as client:
        await client.threads.create(supersteps=[{"updates": [{**update, "command": None}]}])
    assert json.loads(wire.requests[0].content)["supersteps"] == [{"updates": [update]}]


async def test_words_of_newer_servers_are_sent() -> None:
    """Modes, strategies, actions and statuses that are not known here are the server's to judge."""
    wire = Wire(*[reply({})] * 4)
    words: Any = ["values", "colours"]
    async with client_of(wire) as client:
        await client.runs.create("t", "a", stream_mode=words, multitask_strategy=words[1])
        await client.runs.cancel("t", "r", action=words[1])
        await client.runs.cancel_many(status=words[1])
        await client.threads.create(if_exists=words[1])
    bodies = [json.loads(request.content or b"null") for request in wire.requests]
    assert (bodies[0]["stream_mode"], bodies[0]["multitask_strategy"]) == (words, "colours")
    assert wire.requests[1].url.params["action"] == "colours"
    assert (bodies[2], bodies[3]) == ({"status": "colours"}, {"if_exists": "colours"})


class Colour(Enum):
    RED = "red"


async def test_a_query_s_values_may_be_of_many_types() -> None:
    """What is no text is sent as its text; several values of a name stay several."""
    day, moment = date(2030, 1, 2), datetime(2030, 1, 2, tzinfo=UTC)
    wire = Wire(reply({}), reply({}))
    async with client_of(wire) as client:
        values = {"a": UUID(int=5), "b": day, "c": moment, "d": Decimal("1.50"), "e": Colour.RED}
        await client.http.get("/x", params=values)
        await client.http.get("/x", params=httpx.QueryParams("a=1&a=2"))
    first, second = (dict(request.url.params.multi_items()) for request in wire.requests)
    assert first == {
        "a": str(UUID(int=5)),
        "b": "2030-01-02",
        "c": "2030-01-02T00:00:00+00:00",
        "d": "1.50",
        "e": "red",
    }
    assert wire.requests[1].url.query == b"a=1&a=2"
    assert second


@dataclass
class Checkpoint:
    checkpoint_id: str = "c"
    checkpoint_map: dict[str, Any] | None = None


async def test_a_checkpoint_may_be_a_dataclass() -> None:
    """It is sent without what is None; what is no mapping is refused by its name."""
    odd: Any = Checkpoint()
    no_mapping: Any = UUID(int=5)
    wire = Wire(reply({"run_id": "r"}), reply([]), reply({"checkpoint": {}}))
    async with client_of(wire) as client:
        await client.runs.create("t", "agent", checkpoint=odd)
        await client.threads.get_history("t", checkpoint=odd)
        await client.threads.update_state("t", {}, checkpoint=odd)
        with pytest.raises(InvalidArgumentError, match=r"^checkpoint: must be a mapping"):
            await client.threads.get_history("t", checkpoint=no_mapping)
    for request in wire.requests:
        assert json.loads(request.content)["checkpoint"] == {"checkpoint_id": "c"}


async def test_a_stream_s_ids_are_text() -> None:
    """Also if the caller gave UUIDs."""
    given: Any = UUID(int=5)
    async with client_of(Wire()) as client:
        assert client.runs.stream(given, "agent").thread_id == str(given)
        assert client.threads.join_stream(given).thread_id == str(given)
        joined = client.runs.join_stream(given, given)
        assert (joined.thread_id, joined.run_id) == (str(given), str(given))


@pytest.mark.parametrize("status", [200, 404, 503])
async def test_a_callback_gets_each_response(status: int) -> None:
    """Also one that is raised as an error."""
    notes: list[int] = []
    wire = Wire(reply({}, status))
    options = {"on_response": lambda response: notes.append(response.status_code)}
    async with get_client(url=URL, transport=wire, retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(APIStatusError) if status != 200 else nullcontext():
            await client.http.get("/x", **options)
    assert notes == [status]


async def test_a_query_may_be_text() -> None:
    """`params` takes a query as text or bytes, as httpx does."""
    wire = Wire(reply({}), reply({}))
    async with client_of(wire) as client:
        await client.threads.get("t", params="a=b%20c&d=")
        await client.threads.get("t", params=b"?a=b")
    first, second = (request.url.params.multi_items() for request in wire.requests)
    assert (first, second) == ([("a", "b c"), ("d", "")], [("a", "b")])


@pytest.mark.parametrize("wait", [True, False])
async def test_cancel_waits_by_number(wait: bool) -> None:
    """`wait` is 1 or 0 on the wire, which all servers take."""
    wire = Wire(reply(None))
    async with client_of(wire) as client:
        await client.runs.cancel("t", "r", wait=wait)
    assert wire.requests[0].url.params["wait"] == str(int(wait))


async def test_a_cron_s_end_can_be_taken_away() -> None:
    """For `end_time`, None and nothing are two things."""
    wire = Wire(*[reply({"cron_id": "c"})] * 3)
    async with client_of(wire) as client:
        await client.crons.update("c", enabled=False)
        await client.crons.update("c", end_time=None)
        await client.crons.update("c", end_time=datetime(2030, 1, 1, tzinfo=UTC))
    assert [request.content for request in wire.requests] == [
        b'{"enabled":false}',
        b'{"end_time":null}',
        b'{"end_time":"2030-01-01T00:00:00+00:00"}',
    ]
