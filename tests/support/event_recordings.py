"""Recorded event streams of a real server, and what a reader of their first run has to get."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langgraph_client._core.events import EventParser

FOLDER = Path(__file__).parents[3] / "shared" / "protocol" / "transcripts_v3"
ENDS = ("completed", "failed", "interrupted")


@dataclass
class Recording:
    """One stream that was read from the beginning of its thread.

    Attributes:
        frames: Its body.
        end: How the root of the first run ended; None if it was left before.
        error: What the server said about a failure.
        values: Of the root, up to that end.
        messages: How many messages the root's models began.
        tools: Names of the tools that the root called.
        asked: Ids of the questions that the run asked.
    """

    frames: bytes
    end: str | None = None
    error: str | None = None
    values: list[Any] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    messages: int = 0

    def read(self, event: dict[str, Any]) -> None:
        """Take an event of the first run."""
        method, params = event["method"], event["params"]
        namespace, data = params["namespace"], params["data"]
        if method == "input.requested":
            self.asked.append(data["interrupt_id"])
        if namespace:
            return
        if method == "lifecycle" and data["event"] in ENDS:
            self.end, self.error = data["event"], data.get("error")
        elif method == "values":
            self.values.append(data)
        elif method == "tools" and data["event"] == "tool-started":
            self.tools.append(data["tool_name"])
        elif method == "messages" and data["event"] == "message-start":
            self.messages += data.get("role") != "tool"


def recordings() -> dict[str, Recording]:
    """Return the recorded streams that have the beginning of a run and its end."""
    found = {}
    for path in sorted(FOLDER.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines()[1:]):
            exchange = json.loads(line)
            if "frames" not in exchange:
                continue
            recording = _read("".join(exchange["frames"]).encode())
            if recording is not None and recording.end is not None:
                found[f"{path.stem}-{number}"] = recording
    return found


def _read(frames: bytes) -> Recording | None:
    recording = Recording(frames)
    events = [json.loads(event.data) for event in EventParser().feed(frames)]
    if not events or events[0]["params"]["data"].get("event") != "running":
        return None
    recording.read(events[0])
    for event in events[1:]:
        params = event["params"]
        of_root = event["method"] == "lifecycle" and not params["namespace"]
        if of_root and params["data"]["event"] == "running":
            break  # Another run begins, whether this one has ended or not.
        if recording.end is None or event["method"] == "input.requested":
            recording.read(event)  # Behind the first of several questions come the others.
    return recording
