"""A field that is null counts as not sent, wherever the real server takes it.

Programs that send `model_dump()` of their own model of a request have a null in each field that
they do not use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from langgraph_client.server.errors import Invalid
from langgraph_client.server.http.endpoints import ENDPOINTS
from langgraph_client.server.http.schemas.bodies import BODIES, without_nulls
from langgraph_client.server.http.validation import validate
from langgraph_client.testing import TestServer
from tests.auth.conftest import GRAPHS
from tests.auth.test_every_endpoint import furnish, path_of
from tests.support.endpoint_calls import ASKS, Things

Key = tuple[str, str]
_RUN = {"command", "command.goto", "command.resume", "command.update", "config.metadata", "input"}
_STATELESS = {*_RUN, "interrupt_after", "interrupt_before"}
_STATEFUL = {*_RUN, "checkpoint_id"}
_CRON = {"checkpoint_during", "config.metadata"}
#: What `langgraph dev` takes, with langgraph-api 0.16.7; it refuses all other nulls.
TAKEN: dict[Key, set[str]] = {
    ("POST", "/assistants"): {"description"},
    ("POST", "/threads/{thread_id}/state"): {"checkpoint_id", "values"},
    ("POST", "/threads/{thread_id}/runs"): _STATEFUL,
    ("POST", "/threads/{thread_id}/runs/stream"): _STATEFUL,
    ("POST", "/threads/{thread_id}/runs/wait"): _STATEFUL,
    ("POST", "/runs"): _STATELESS,
    ("POST", "/runs/batch"): _STATELESS,
    ("POST", "/runs/stream"): _STATELESS,
    ("POST", "/runs/wait"): _STATELESS,
    ("POST", "/runs/crons"): {*_CRON, "multitask_strategy"},
    ("POST", "/threads/{thread_id}/runs/crons"): {*_CRON, "on_run_completed"},
    ("PATCH", "/runs/crons/{cron_id}"): {*_CRON, "end_time"},
    ("PUT", "/store/items"): {"index", "ttl"},
    ("POST", "/store/items/search"): {"filter", "query", "refresh_ttl"},
}
_OF_CRONS = {"multitask_strategy", "on_run_completed"} | {"interrupt_after", "interrupt_before"}
_PAGE = {"limit", "offset"}
#: What this server takes besides.
MORE: dict[Key, set[str]] = {
    ("POST", "/threads/{thread_id}/runs"): {"interrupt_after", "interrupt_before"},
    ("POST", "/threads/{thread_id}/runs/stream"): {"interrupt_after", "interrupt_before"},
    ("POST", "/threads/{thread_id}/runs/wait"): {"interrupt_after", "interrupt_before"},
    ("POST", "/runs/crons"): {*_OF_CRONS, "end_time", "input"},
    ("POST", "/threads/{thread_id}/runs/crons"): {*_OF_CRONS, "end_time", "input"},
    ("PATCH", "/runs/crons/{cron_id}"): {*_OF_CRONS, "input"} - {"multitask_strategy"},
    ("POST", "/store/items/search"): {"namespace_prefix", *_PAGE},
    ("POST", "/store/namespaces"): {"prefix", "suffix", "max_depth", *_PAGE},
}
#: Bodies of protocols of their own, in which a null has its meaning there.
_OTHER_PROTOCOLS = {"ProtocolCommand", "EventFilter", "JsonRpcMessage", "RunControl"}
NAMES = {
    (endpoint.method, endpoint.path): endpoint.body
    for endpoint in ENDPOINTS
    if endpoint.body is not None and endpoint.body not in _OTHER_PROTOCOLS
}
#: What they are about does not matter where nothing is sent.
NOTHING = Things(*(9 * [""]))


def fields_of(schema: Mapping[str, Any], depth: int = 2) -> Iterator[str]:
    """Yield the optional fields that a schema names, with those within them, as `a.b`."""
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        yield from fields_of(part, depth)
    if "$ref" in schema:
        yield from fields_of(BODIES[schema["$ref"]], depth)
    if "items" in schema and depth == 2:  # A batch.
        yield from fields_of(schema["items"], depth)
    for name, part in schema.get("properties", {}).items():
        if name not in schema.get("required", ()):
            yield name
        if depth > 1:
            yield from (f"{name}.{inner}" for inner in fields_of(part, depth - 1))


def with_null(body: Any, field: str) -> Any:
    """Return a body with a null in a field."""
    if isinstance(body, list):
        return [with_null(item, field) for item in body]
    outer, _, inner = field.partition(".")
    return {**body, outer: {**(body.get(outer) or {}), inner: None} if inner else None}


def is_valid(key: Key, body: object) -> bool:
    """Return whether an endpoint takes a body."""
    try:
        validate(without_nulls(NAMES[key], body), BODIES[NAMES[key]], BODIES)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("key", sorted(NAMES), ids=" ".join)
def test_each_optional_field_as_null(key: Key) -> None:
    """Each body takes the nulls that the real server takes, and few others."""
    body = ASKS[key](NOTHING).body
    assert is_valid(key, body)
    taken = {
        field for field in fields_of(BODIES[NAMES[key]]) if is_valid(key, with_null(body, field))
    }
    assert taken == TAKEN.get(key, set()) | MORE.get(key, set())


@pytest.mark.parametrize("key", sorted(TAKEN.keys() | MORE), ids=" ".join)
def test_the_request_is_answered_as_without_it(key: Key) -> None:
    """All fields that may be null at once, besides those that the request needs."""
    with (
        TestServer(GRAPHS) as server,
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
    ):
        things = furnish(http)
        body = ASKS[key](things).body
        for field in (TAKEN.get(key, set()) | MORE.get(key, set())) - {"input", "values"}:
            if not field.startswith("command."):
                body = with_null(body, field)
        with http.stream(key[0], path_of(key, things), json=body) as answer:
            answer.read()
            assert answer.status_code < 300, answer.text
        server.wait_idle()
        assert server.unexpected_errors == []
