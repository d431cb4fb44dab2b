"""Every recorded exchange, made again by our own calls, in both colours."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import parse_qsl

import pytest
from pydantic import TypeAdapter

from langgraph_client import get_client, get_sync_client
from langgraph_client.errors import APIResponseValidationError, APIStatusError, InvalidArgumentError
from langgraph_client.models.record import Record
from tests.replay.calls import Untyped, make
from tests.replay.recordings import FOLDER, Exchange, Playback, exchanges

SCENARIOS = sorted(FOLDER.glob("*.jsonl")) if FOLDER.is_dir() else []
# What our calls say although it is the default, and recordings often leave out.
DEFAULTS: dict[str, Any] = {
    "input": None,
    "stream_mode": "values",
    "stream_subgraphs": False,
    "stream_resumable": False,
    "subgraphs": False,
    "offset": 0,
    "strategy": "delete",
}
PAGES = {"/history": 1, "/namespaces": 100}  # Default limits that are not 10.
QUERY_DEFAULTS = {
    ("limit", "10"),
    ("offset", "0"),
    ("subgraphs", "false"),
    ("xray", "false"),
    ("wait", "false"),
    ("wait", "0"),
    ("action", "interrupt"),
    ("stream_modes", "run_modes"),
}
# Requests that are no client's: what the server sent to a webhook, what a browser asks.
NOT_OURS = ("(webhook)", "HEAD", "OPTIONS")

# What a server lets pass although it cannot mean what it says.
STRICTER = {
    "bad_bodies/integral_float": "a limit of 1.0",
    "interrupts_static/bad_type": "a node's name where a list of names is meant",
}

#: How the exchanges were made, of each scenario that was played, by colour.
COUNTED: dict[str, dict[str, Counter[str]]] = {"async": {}, "sync": {}}

pytestmark = pytest.mark.skipif(not SCENARIOS, reason=f"no recordings at {FOLDER}")


def said(body: Any, path: str) -> Any:
    """A request's body without what is the default anyway."""
    if not isinstance(body, dict):
        return body
    default = {**DEFAULTS, "limit": next((n for end, n in PAGES.items() if path.endswith(end)), 10)}
    kept = {k: v for k, v in body.items() if k not in default or v != default[k]}
    if isinstance(kept.get("ttl"), (int, float)) and "namespace" not in kept:
        kept["ttl"] = {"ttl": kept["ttl"], "strategy": "delete"}
    return kept


def asked(query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(
        (k, "true" if v == "1" and k != "limit" and k != "xray" and k != "offset" else v)
        for k, v in query
        if (k, v) not in QUERY_DEFAULTS
    )


async def outcome(made: Any, exchange: Exchange) -> Any:
    """What a call comes to, whatever its colour; of a stream, its parts."""
    if exchange.frames is None or exchange.response["status"] >= 300:
        if hasattr(made, "last_event_id"):  # A stream that is refused.
            return await made.__anext__() if hasattr(made, "__anext__") else next(made)
        return await made if inspect.isawaitable(made) else made
    if hasattr(made, "__aenter__"):
        await made.__aenter__()
    else:
        made.__enter__()
    wanted = len(exchange.events())
    endless = exchange.hung_up == "client" or (
        exchange.path.startswith("/threads/")
        and (exchange.path.endswith("/stream") and exchange.path.count("/") == 3)
    )
    parts = []
    if hasattr(made, "__anext__"):
        while not endless or len(parts) < wanted:
            try:
                parts.append(await made.__anext__())
            except StopAsyncIteration:
                break
        await made.aclose()
    else:
        while not endless or len(parts) < wanted:
            try:
                parts.append(next(made))
            except StopIteration:
                break
        made.close()
    return parts


def raw(client: Any, exchange: Exchange) -> Any:
    """The request by the low-level client."""
    request = exchange.request
    method = request["method"].lower()
    headers = {
        k: v
        for k, v in (request.get("headers") or {}).items()
        if k not in ("x-api-key", "content-type")
    }
    if exchange.frames is not None:
        return client.http.stream(
            request["path"], method, json=request.get("json"), headers=headers
        )
    more = {} if method == "get" else {"json": request.get("json")}
    return getattr(client.http, method)(request["path"], headers=headers, **more)


def refusable(exchange: Exchange) -> bool:
    """Whether a client may refuse the request: the server did, or it cannot mean what it says."""
    return exchange.response["status"] >= 400 or exchange.name in STRICTER


async def play(exchange: Exchange, colour: str) -> str:
    """Make the request, compare it and its answer; how it was made."""
    if exchange.request["method"] in NOT_OURS:
        return "not a request of a client"
    if exchange.response.get("text") == "(not kept)":
        return "an answer that the recording does not hold"
    if exchange.hung_up == "client" and exchange.frames is None:
        return "an answer that the recording client did not wait for"
    transport = Playback(exchange)
    factory: Any = get_client if colour == "async" else get_sync_client
    client = factory(url="http://server.example", api_key=None, transport=transport)
    how = "by a typed call"
    try:
        made = make(client, exchange)
        result = await outcome(made, exchange)
    except Untyped as reason:
        if "text" in exchange.request or exchange.request.get("json", 1) is None:
            return f"not sent: {reason}"
        how = f"by client.http: {reason}"
        result = await settle(client, exchange)
    except InvalidArgumentError as refused:
        if transport.sent is not None or not refusable(exchange):
            raise
        how = f"refused before it was sent: {refused.parameter}"
        result = await settle(client, exchange)
    except APIStatusError as error:
        result = error
    compare_request(exchange, transport, how)
    compare_answer(exchange, result, how)
    return how


async def settle(client: Any, exchange: Exchange) -> Any:
    try:
        return await outcome(raw(client, exchange), exchange)
    except (APIStatusError, APIResponseValidationError) as error:
        return error


def compare_request(exchange: Exchange, transport: Playback, how: str) -> None:
    sent, recorded = transport.sent, exchange.request
    assert sent is not None
    path, _, query = sent.url.raw_path.decode().partition("?")
    assert (sent.method, path) == (recorded["method"], exchange.path)
    assert asked(parse_qsl(query, keep_blank_values=True)) == asked(exchange.query)
    body = json.loads(sent.content) if sent.content else None
    assert said(body, path) == said(recorded.get("json"), path)
    for name in ("last-event-id", "prefer", "x-custom", "x-request-id"):
        assert sent.headers.get(name) == (recorded.get("headers") or {}).get(name)


def compare_answer(exchange: Exchange, result: Any, how: str) -> None:
    answer = exchange.response
    if answer["status"] == 307:
        assert isinstance(result, dict)  # Followed: the second request was answered.
        return
    if answer["status"] >= 300:
        assert isinstance(result, APIStatusError)
        assert result.status_code == answer["status"]
        if "json" in answer:
            assert result.body == answer["json"]
        elif answer.get("text"):
            assert result.body == answer["text"]
        assert exchange.path in result.url
        return
    if "json" not in answer and answer.get("text"):
        # A page for people. `client.http` reads JSON, and says so.
        assert isinstance(result, APIResponseValidationError)
        assert "not JSON" in str(result)
        return
    if isinstance(result, Exception):
        raise result
    if exchange.frames is not None:
        assert [tuple(part) for part in result] == exchange.events()
    elif "json" in answer:
        check_types(result)
        # As text, so that the order of keys counts, too.
        assert json.dumps(result) == json.dumps(answer["json"])
    else:
        assert result is None


def check_types(value: Any) -> None:
    """What an annotation says is what the value is, all the way down."""
    if isinstance(value, Record):
        annotations = get_type_hints(type(value))
        for name in value.keys() & annotations.keys() - {"items"}:
            read = getattr(value, name)
            key = (type(value), name)
            if key not in ADAPTERS:
                ADAPTERS[key] = TypeAdapter(annotations[name])
            ADAPTERS[key].validate_python(read, strict=True)
            check_types(read)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            check_types(item)


ADAPTERS: dict[tuple[type, str], TypeAdapter[Any]] = {}


async def played(scenario: Path, colour: str) -> list[str]:
    """Play a scenario and count how; return what went wrong."""
    wrong, counted = [], Counter[str]()
    for exchange in exchanges(scenario):
        try:
            counted[await play(exchange, colour)] += 1
        except Exception as error:
            wrong.append(f"{exchange.name}: {type(error).__name__}: {str(error)[:600]}")
    COUNTED[colour][scenario.stem] = counted
    return wrong


@pytest.mark.parametrize("colour", ["async", "sync"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
async def test_each_recorded_exchange_is_made_and_read(scenario: Path, colour: str) -> None:
    """Our call sends what was recorded, and reads the answer without loss, event by event."""
    wrong = await played(scenario, colour)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("colour", ["async", "sync"])
async def test_the_exchanges_are_counted(colour: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All exchanges are accounted for: most made by a typed call, the others listed, with why."""
    for scenario in SCENARIOS:
        if scenario.stem not in COUNTED[colour]:  # It is played in another process, or later.
            await played(scenario, colour)
    counted = sum(COUNTED[colour].values(), Counter[str]())
    with capsys.disabled():
        print(f"\n{colour}: {counted.total()} recorded exchanges")
        for how, number in counted.most_common():
            print(f"  {number:4} {how}")
    assert counted.total() == sum(len(exchanges(path)) for path in SCENARIOS)
    assert counted["by a typed call"] >= 770
