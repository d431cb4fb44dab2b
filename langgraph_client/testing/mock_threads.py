"""`mock.threads`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import respx

from langgraph_client.testing import documents as doc
from langgraph_client.testing.mock_routes import Event, Routes, given_only, stream_of, total


class MockThreads(Routes):
    """`mock.threads`: the endpoints below `/threads`, runs apart."""

    def create(
        self, *, error: int | None = None, detail: str | None = None, **fields: Any
    ) -> respx.Route:
        """Answer `POST /threads` with a thread of these fields."""
        return self.on("POST", "/threads", doc.thread(**fields), error=error, detail=detail)

    def get(
        self,
        thread_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}` with a thread of these fields."""
        body = doc.thread(**given_only(thread_id=thread_id), **fields)
        return self.on(
            "GET", "/threads/{thread_id}", body, error=error, detail=detail, thread_id=thread_id
        )

    def update(
        self,
        thread_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `PATCH /threads/{thread_id}` with a thread of these fields."""
        body = doc.thread(**given_only(thread_id=thread_id), **fields)
        return self.on(
            "PATCH", "/threads/{thread_id}", body, error=error, detail=detail, thread_id=thread_id
        )

    def delete(
        self, thread_id: str | None = None, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `DELETE /threads/{thread_id}`."""
        return self.on(
            "DELETE",
            "/threads/{thread_id}",
            status=204,
            error=error,
            detail=detail,
            thread_id=thread_id,
        )

    def search(
        self,
        found: Sequence[Mapping[str, Any]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /threads/search` with threads of these fields."""
        return self.on(
            "POST",
            "/threads/search",
            [doc.thread(**one) for one in found],
            headers=total(found),
            error=error,
            detail=detail,
        )

    def count(
        self, count: int, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /threads/count`."""
        return self.on("POST", "/threads/count", count, error=error, detail=detail)

    def copy(
        self,
        source: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/copy` with a thread of these fields."""
        return self.on(
            "POST",
            "/threads/{thread_id}/copy",
            doc.thread(**fields),
            error=error,
            detail=detail,
            thread_id=source,
        )

    def get_state(
        self,
        thread_id: str | None = None,
        *,
        values: Any = None,
        next: Sequence[str] = (),
        interrupts: Sequence[Mapping[str, Any]] = (),
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/state`; `interrupts` are dicts with a `value`."""
        body = doc.state(values, next=next, interrupts=interrupts, thread_id=thread_id, **fields)
        return self.on(
            "GET",
            "/threads/{thread_id}/state",
            body,
            error=error,
            detail=detail,
            thread_id=thread_id,
        )

    def update_state(
        self, thread_id: str | None = None, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/state` with a new checkpoint."""
        return self.on(
            "POST",
            "/threads/{thread_id}/state",
            doc.updated_state(thread_id),
            error=error,
            detail=detail,
            thread_id=thread_id,
        )

    def get_history(
        self,
        thread_id: str | None = None,
        *,
        states: Sequence[Mapping[str, Any]] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/history`; each state has arguments of `get_state`."""
        body = [doc.state(thread_id=thread_id, **one) for one in states]
        return self.on(
            "POST",
            "/threads/{thread_id}/history",
            body,
            error=error,
            detail=detail,
            thread_id=thread_id,
        )

    def join_stream(
        self,
        thread_id: str | None = None,
        *,
        events: Sequence[Event] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/stream` with these events."""
        if error is not None:
            return self.on(
                "GET",
                "/threads/{thread_id}/stream",
                error=error,
                detail=detail,
                thread_id=thread_id,
            )
        route = self._route("GET", "/threads/{thread_id}/stream", {"thread_id": thread_id})
        return route.mock(return_value=stream_of(list(events), {}, cut=False))
