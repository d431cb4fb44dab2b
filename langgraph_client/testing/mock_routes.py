"""What the routes of a mock share: paths with ids in them, errors, streams."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import httpx
import respx

from langgraph_client.testing.cassette import frame

Event = tuple[str, Any] | tuple[str, Any, str | None]


class Routes:
    def __init__(self, router: respx.MockRouter) -> None:
        self._router = router

    def on(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        error: int | None = None,
        detail: str | None = None,
        **ids: str | None,
    ) -> respx.Route:
        """Answer requests for a path whose `{ids}` are these, or any."""
        if error is not None:
            status, body = error, {"detail": detail or httpx.codes.get_reason_phrase(error)}
            headers = None
        answer = (
            httpx.Response(status, headers=headers)
            if status == 204
            else httpx.Response(status, headers=headers, json=body)
        )
        return self._route(method, path, ids).mock(return_value=answer)

    def _route(self, method: str, path: str, ids: Mapping[str, str | None]) -> respx.Route:
        pattern = re.escape(path).replace(r"\{", "{").replace(r"\}", "}")
        for name in re.findall(r"{(\w+)}", pattern):
            given = ids.get(name)
            pattern = pattern.replace(f"{{{name}}}", "[^/]+" if given is None else re.escape(given))
        return self._router.route(method=method, path__regex=f"^{pattern}$")


class _Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Frames, and then a connection that breaks."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[bytes]:
        yield from self._frames
        raise httpx.ReadError("cut")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for one in self._frames:
            yield one
        raise httpx.ReadError("cut")


def stream_of(events: Sequence[Event], headers: Mapping[str, str], *, cut: bool) -> httpx.Response:
    frames = [
        frame({"event": event[0], "data": event[1], "id": event[2] if len(event) > 2 else None})
        for event in events
    ]
    headers = {"content-type": "text/event-stream; charset=utf-8", **headers}
    if cut:
        return httpx.Response(200, headers=headers, stream=_Cut(frames))
    return httpx.Response(200, headers=headers, content=b"".join(frames))


def total(found: Sequence[Any]) -> dict[str, str]:
    return {"x-pagination-total": str(len(found))}


def given_only(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
