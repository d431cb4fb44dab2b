"""What displays are told of a run, from each form of stream."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph_client._core.run_progress import (
    NodeEnded,
    NodeStarted,
    RunFailed,
    RunProgress,
    RunStarted,
    Step,
    Tokens,
)
from langgraph_client.models.events import StreamPart


def steps(*parts: Any, mode: str | None = None) -> list[Step]:
    """Return what a reader tells of parts that come one second after the other."""
    progress = RunProgress(mode)
    return [step for now, part in enumerate(parts) for step in progress.read(part, float(now))]


def chunk(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "AIMessageChunk", "content": text, "id": "m", **fields}


STARTED = {"id": "1", "name": "say", "input": {}, "triggers": []}
ENDED = {"id": "1", "name": "say", "error": None, "result": {}, "interrupts": [{}]}
AT_SAY = {"langgraph_node": "say"}


@pytest.mark.parametrize(
    "form",
    [
        lambda mode, ns, data: StreamPart("|".join((mode, *ns)), data, None),
        lambda mode, ns, data: {"type": mode, "ns": ns, "data": data},
        lambda mode, ns, data: {"method": mode, "params": {"namespace": ns, "data": data}},
        lambda mode, ns, data: (ns, mode, data),
    ],
    ids=["parts", "v2", "protocol events", "with subgraphs"],
)
def test_every_form_of_stream_tells_the_same(form: Any) -> None:
    """Nodes with their times, and the text of models."""
    inside = ("outer:9",)
    assert steps(
        form("tasks", inside, STARTED),
        form("messages", inside, [chunk("one "), AT_SAY]),
        form("messages", inside, [chunk("two"), AT_SAY]),
        form("messages", inside, [{**chunk("one two"), "type": "ai"}, AT_SAY]),
        form("tasks", inside, ENDED),
        form("updates", inside, {"say": {}}),
    ) == [
        NodeStarted("say", ("outer",)),
        Tokens("say", "m", "one "),
        Tokens("say", "m", "two"),
        NodeEnded("say", ("outer",), 4.0, None, 1),
    ]


def test_nodes_without_tasks_have_no_times() -> None:
    """They are told when they have ended."""
    progress = RunProgress("updates")
    assert progress.read({"say": {}, "__interrupt__": ()}, 0) == [NodeEnded("say", ())]
    assert progress.read((("outer:9",), {"say": {}}), 1) == [NodeEnded("say", ("outer",))]


def test_the_values_of_the_root() -> None:
    """Values without a mode are those of the whole graph."""
    progress = RunProgress()
    assert progress.read({"a": 1}, 0) == progress.read(("values", {"a": 2}), 1) == []
    assert progress.values == {"a": 2}
    progress.read((("inner:1",), "values", {"a": 3}), 2)
    assert progress.values == {"a": 2}


def test_failures() -> None:
    """Of a run, by each protocol, and of a node, by each server."""
    assert steps(StreamPart("error", {"error": "ValueError", "message": "no"}, None)) == [
        RunFailed("ValueError", "no")
    ]
    failed = {"method": "lifecycle", "params": {"data": {"event": "failed", "error": "no"}}}
    inside = {"method": "lifecycle", "params": {"namespace": ["a:1"], "data": {"event": "failed"}}}
    silent = {"method": "lifecycle", "params": {"data": {"event": "failed"}}}
    assert steps(failed, inside, silent) == [
        RunFailed("the run", "no"),
        RunFailed("the run", "the server does not say why"),
    ]
    by_repr, by_class = "ValueError('no')", {"error": "ValueError", "message": "no"}
    said = [
        step.error
        for step in steps(("tasks", {**ENDED, "error": by_repr}), ("tasks", {"error": by_class}))
        if isinstance(step, NodeEnded)
    ]
    assert said == ["ValueError('no')", "ValueError: no"]


def test_message_events() -> None:
    """Of a server with the node elsewhere, and of langgraph with it beside the event."""
    start = {"event": "message-start", "role": "ai", "id": "m"}
    delta = {"event": "content-block-delta", "index": 0, "delta": {"text": "one"}}
    args = {"event": "content-block-delta", "index": 1, "delta": {"args": "{"}}
    of_server = [
        {"method": "messages", "params": {"namespace": [], "data": data}}
        for data in (start, delta, args)
    ]
    assert steps(*of_server) == [Tokens("", "m", "one")]
    assert steps(*(("messages", (data, AT_SAY)) for data in (start, delta, args))) == [
        Tokens("say", "m", "one")
    ]


def test_partial_messages() -> None:
    """Each holds all of its text so far; only what is new is told."""
    parts = [
        StreamPart("metadata", {"run_id": "r"}, None),
        StreamPart("messages/partial", [chunk("one ")], None),
        StreamPart("messages/partial", [chunk("one two")], None),
        StreamPart("messages/partial", [{"type": "human", "content": "x", "id": "h"}], None),
    ]
    assert steps(*parts) == [RunStarted("r"), Tokens("", "m", "one "), Tokens("", "m", "two")]


@pytest.mark.parametrize(
    "part",
    [
        ("messages", [{"type": "human", "content": "x", "id": "h"}, {}]),
        ("messages", [chunk(""), {}]),
        ("messages", "no pair"),
        ("heartbeat", None),
        StreamPart("end", None, None),
    ],
)
def test_what_tells_nothing(part: Any) -> None:
    """No step, and no error."""
    assert steps(part) == []
