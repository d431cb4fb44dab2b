"""Recorded event streams of a real server, read by the log of a thread's runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langgraph_client._core.events import EventParser
from langgraph_client._core.run_log import ThreadLog
from langgraph_client._io.chat_model_streams import RawMessage

RECORDINGS = Path(__file__).parent.parent.parent.parent / "shared" / "protocol" / "transcripts_v3"
SCENARIOS = sorted(path.stem for path in RECORDINGS.glob("*.jsonl")) or ["none"]


def streams(scenario: str) -> list[list[dict[str, Any]]]:
    """The events of each recorded stream."""
    found = []
    for line in (RECORDINGS / f"{scenario}.jsonl").read_text().splitlines()[1:]:
        exchange = json.loads(line)
        if "frames" in exchange:
            events = EventParser().feed("".join(exchange["frames"]).encode())
            found.append([json.loads(event.data) for event in events])
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_was_read_is_known_when_it_is_read_again(scenario: str) -> None:
    """A stream that is read from its beginning once more brings nothing new.

    Named channels are not replayed by that server, so whatever comes on one of them is new.
    """
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings are not here")
    for events in streams(scenario):
        if not events or events[0]["params"]["data"].get("event") != "running":
            continue  # It was asked for from its middle, or without the beginnings of runs.
        log = ThreadLog(RawMessage)
        assert all(log.feed(event) for event in events)
        log.reconnected()
        again = [event["params"]["data"] for event in events if log.feed(event)]
        assert all(data.keys() == {"name", "payload"} for data in again)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_message_that_was_finished_is_done(scenario: str) -> None:
    """As many messages are complete as there were ends of messages, at any depth."""
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings are not here")
    for events in streams(scenario):
        made: list[RawMessage] = []

        def make(namespace: tuple[str, ...], message_id: str | None) -> RawMessage:
            made.append(RawMessage(namespace, message_id))  # noqa: B023
            return made[-1]  # noqa: B023

        log = ThreadLog(make)
        for event in events:
            log.feed(event)
        started = sum(
            event["method"] == "messages"
            and event["params"]["data"]["event"] == "message-start"
            and event["params"]["data"].get("role") != "tool"
            for event in events
        )
        assert len(made) == started
