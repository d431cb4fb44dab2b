"""The modules below `langgraph_client.stream`, beside those of langgraph_sdk."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langgraph_sdk.stream import decoders as their_decoders
from langgraph_sdk.stream import errors as their_errors
from langgraph_sdk.stream import subscription as theirs

from langgraph_client import NotFoundError
from langgraph_client.stream import decoders, errors, subscription
from langgraph_client.stream.errors import protocol_error

NAMESPACES: list[list[str]] = [[], ["a"], ["a:1"], ["a:1", "b:2"], ["b"], ["a", "b:2", "c"]]
FILTERS: list[dict[str, Any]] = [
    {"channels": ["values"]},
    {"channels": ["values", "custom"]},
    {"channels": ["custom:progress"], "namespaces": [["a"]]},
    {"channels": ["values"], "namespaces": [["a"], ["b"]], "depth": 1},
    {"channels": ["values"], "namespaces": [[]], "depth": 0},
    {"channels": ["input"], "namespaces": [["a:1"]], "depth": 0},
    {"channels": ["values"], "depth": 1, "namespaces": [["a:1", "b:2"]]},
]


def event(method: str, namespace: list[str], data: Any = None) -> dict[str, Any]:
    return {"method": method, "params": {"namespace": namespace, "data": data}}


EVENTS = [
    *(event("values", namespace, {"x": 1}) for namespace in NAMESPACES),
    event("custom", ["a:1"], {"name": "progress"}),
    event("custom", [], {"name": ""}),
    event("custom", [], 3),
    event("input.requested", ["a:1"], {"interrupt_id": "i"}),
    event("something.new", []),
    {"method": "values"},
    {},
]


def test_namespaces_match_prefixes_as_there() -> None:
    """Every namespace against every prefix, at several depths."""
    for namespace in NAMESPACES:
        for prefix in NAMESPACES:
            assert subscription.is_prefix_match(namespace, prefix) is theirs.is_prefix_match(
                namespace, prefix
            )
            for depth in (None, 0, 1):
                here = subscription.namespace_matches(namespace, [prefix], depth)
                assert here is theirs.namespace_matches(namespace, [prefix], depth)
    assert subscription.namespace_matches(["a"], None, 0)
    assert subscription.normalize_segment("agent:1f2e") == "agent"


def test_events_match_subscriptions_as_there() -> None:
    """Every event against every filter, and the channel of each event."""
    their: Any = theirs
    for each in EVENTS:
        assert subscription.infer_channel(each) == their.infer_channel(each)
        for wanted in FILTERS:
            matches = subscription.matches_subscription(each, wanted)
            assert matches is their.matches_subscription(each, wanted), (each, wanted)


def test_filters_cover_and_unite_as_there() -> None:
    """Every filter with every other one."""
    for one in FILTERS:
        for other in FILTERS:
            assert subscription.filter_covers(one, other) is theirs.filter_covers(one, other)
            both = [one, other]
            assert subscription.compute_union_filter(both) == theirs.compute_union_filter(both)
    assert subscription.compute_union_filter([]) == {"channels": []}
    bounded = [{"channels": ["values"], "depth": 0}] * 2
    assert subscription.compute_union_filter(bounded) == {"channels": ["values"], "depth": 0}


def test_an_empty_list_of_namespaces_is_none() -> None:
    """And a depth without namespaces does nothing, on the wire as here."""
    their: Any = theirs
    anywhere: list[dict[str, Any]] = [
        {"channels": ["values"], "namespaces": []},
        {"channels": ["values"], "namespaces": [], "depth": 0},
        {"channels": ["values"], "depth": 0},
    ]
    for wanted in anywhere:
        for each in EVENTS:
            matches = subscription.matches_subscription(each, wanted)
            assert matches is their.matches_subscription(each, wanted), (each, wanted)
        assert subscription.filter_covers(wanted, {"channels": ["values"]})


@pytest.mark.parametrize("status", [404, 408, 429, 500])
def test_which_errors_pass_is_told_as_there(status: int) -> None:
    """A refusal does not pass, but for a timeout, too many requests and what is the server's."""
    request = httpx.Request("POST", "http://server/threads/t/stream/events")
    answer = httpx.Response(status, request=request)
    error = httpx.HTTPStatusError("refused", request=request, response=answer)
    expected = their_errors.is_non_retryable_stream_error(error)
    assert errors.is_non_retryable_stream_error(error) is expected
    assert not errors.is_non_retryable_stream_error(None)
    assert issubclass(NotFoundError, httpx.HTTPStatusError)


def test_what_a_server_says_of_a_failed_stream_is_an_error() -> None:
    """Answers to commands have an id, and are none."""
    frame = {"type": "error", "id": None, "error": "unknown_error", "message": "no luck"}
    assert str(errors.stream_error_frame(frame)) == str(their_errors.stream_error_frame(frame))
    assert errors.stream_error_frame({**frame, "id": 1}) is None
    assert errors.stream_error_frame(event("values", [])) is None
    assert isinstance(protocol_error(frame), RuntimeError)


class Message:
    """Notes the events of a message."""

    done = False

    def __init__(self, **about: Any) -> None:
        self.about = about
        self.events: list[Any] = []

    def dispatch(self, event: Any) -> None:
        self.events.append(event)

    def fail(self, error: BaseException) -> None:
        raise error


def test_decoders_give_what_theirs_give() -> None:
    """Data of a method, named channels, and messages with their events."""
    start = {"event": "message-start", "id": "m1", "metadata": {"langgraph_node": "agent"}}
    delta = {"event": "content-block-delta", "message_id": "m1"}
    events = [
        *EVENTS,
        event("messages", [], start),
        event("messages", ["a"], start),
        event("messages", [], delta),
        event("messages", [], {"event": "message-finish", "message_id": "m1"}),
        event("messages", [], delta),
    ]

    def said(module: Any) -> list[Any]:
        messages = module.MessagesDecoder([], Message)
        data = [module.DataDecoder("values"), module.DataDecoder("values", [])]
        made = [module.ExtensionsDecoder("progress"), *data]
        given = [list(decoder.feed(each)) for each in events for decoder in made]
        begun = [message for each in events for message in messages.feed(each)]
        return [given, [(message.about, message.events) for message in begun]]

    assert said(decoders) == said(their_decoders)
    assert said(decoders)[1][0][0]["node"] == "agent"


def test_names_of_projections_are_checked_as_there() -> None:
    """Channels without a projection are refused, extensions are not."""
    assert set(decoders.SUPPORTED_INTERLEAVE_CHANNELS) == set(
        their_decoders.SUPPORTED_INTERLEAVE_CHANNELS
    )
    decoders.validate_interleave_channels(["values", "progress"])
    for module in (decoders, their_decoders):
        with pytest.raises(ValueError, match="'tools'"):
            module.validate_interleave_channels(["tools"])
    with pytest.raises(ValueError, match="must be non-empty"):
        decoders.ExtensionsDecoder("")
