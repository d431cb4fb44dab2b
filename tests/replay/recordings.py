"""Recorded exchanges with a real server, and transports that play one back."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

FOLDER = Path(__file__).parents[3] / "shared" / "protocol" / "transcripts"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as they were on the wire."""

    scenario: str
    case: str
    request: dict[str, Any]
    response: dict[str, Any]
    hung_up: str | None

    @property
    def name(self) -> str:
        return f"{self.scenario}/{self.case}"

    @property
    def path(self) -> str:
        return str(self.request["path"]).partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.request["path"].partition("?")[2], keep_blank_values=True)

    @property
    def frames(self) -> list[str] | None:
        return self.response.get("frames")

    @property
    def body(self) -> bytes:
        answer = self.response
        if "frames" in answer:
            return "".join(answer["frames"]).encode()
        if "raw" in answer:
            return str(answer["raw"]).encode()
        if "json" in answer:
            return json.dumps(answer["json"], ensure_ascii=False, separators=(",", ":")).encode()
        return str(answer.get("text", "")).encode()

    def events(self) -> list[tuple[str, Any, str | None]]:
        """Name, data and id of each event, read in the plainest way."""
        found = []
        for frame in self.frames or []:
            fields = dict(
                line.split(": ", 1)
                for line in re.split(r"\r\n|\n|\r", frame)
                if line and not line.startswith(":")
            )
            if fields:
                found.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
        return found


def exchanges(scenario: Path) -> list[Exchange]:
    lines = scenario.read_text("utf-8").split("\n")[1:]
    found = [json.loads(line) for line in lines if line]
    return [
        Exchange(scenario.stem, e["case"], e["request"], e["response"], e.get("hung_up"))
        for e in found
    ]


class Playback(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers the first request with the recording, and keeps the request.

    What a client asks after a stream has closed is answered as the server would: the run is over,
    and continuing its stream brings the events that are newer than the last one seen.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.sent: httpx.Request | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.sent is None:
            self.sent = request
            frames = self.exchange.frames
            content = [frame.encode() for frame in frames or []] or [self.exchange.body]
            headers = dict(self.exchange.response["headers"])
            status = self.exchange.response["status"]
            return httpx.Response(status, headers=headers, stream=Pieces(content))
        if request.url.path.endswith("/stream"):
            after = request.headers["last-event-id"]
            newer = [f for f in self.exchange.frames or [] if _id(f) > after]
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, stream=Pieces([f.encode() for f in newer]))
        return httpx.Response(200, json={"status": "success"})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def _id(frame: str) -> str:
    match = re.search(r"^id: (.*?)\r?$", frame, re.M)
    return match[1] if match else ""


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
