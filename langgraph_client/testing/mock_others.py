"""`mock.crons` and `mock.store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import respx

from langgraph_client.testing import documents as doc
from langgraph_client.testing.mock_routes import Routes, given_only, total


class MockCrons(Routes):
    """`mock.crons`: the endpoints below `/runs/crons`."""

    def create(
        self, *, error: int | None = None, detail: str | None = None, **fields: Any
    ) -> respx.Route:
        """Answer `POST /runs/crons` with a cron of these fields."""
        return self.on("POST", "/runs/crons", doc.cron(**fields), error=error, detail=detail)

    def create_for_thread(
        self,
        thread_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/runs/crons` with a cron of these fields."""
        body = doc.cron(**{**given_only(thread_id=thread_id), **fields})
        return self.on(
            "POST",
            "/threads/{thread_id}/runs/crons",
            body,
            error=error,
            detail=detail,
            thread_id=thread_id,
        )

    def update(
        self,
        cron_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `PATCH /runs/crons/{cron_id}` with a cron of these fields."""
        body = doc.cron(**given_only(cron_id=cron_id), **fields)
        return self.on(
            "PATCH", "/runs/crons/{cron_id}", body, error=error, detail=detail, cron_id=cron_id
        )

    def delete(
        self, cron_id: str | None = None, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `DELETE /runs/crons/{cron_id}`."""
        return self.on(
            "DELETE", "/runs/crons/{cron_id}", {}, error=error, detail=detail, cron_id=cron_id
        )

    def search(
        self,
        found: Sequence[Mapping[str, Any]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /runs/crons/search` with crons of these fields."""
        return self.on(
            "POST",
            "/runs/crons/search",
            [doc.cron(**one) for one in found],
            headers=total(found),
            error=error,
            detail=detail,
        )

    def count(
        self, count: int, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /runs/crons/count`."""
        return self.on("POST", "/runs/crons/count", count, error=error, detail=detail)


class MockStore(Routes):
    """`mock.store`: the endpoints below `/store`."""

    def put_item(self, *, error: int | None = None, detail: str | None = None) -> respx.Route:
        """Answer `PUT /store/items`."""
        return self.on("PUT", "/store/items", status=204, error=error, detail=detail)

    def get_item(
        self, *, error: int | None = None, detail: str | None = None, **fields: Any
    ) -> respx.Route:
        """Answer `GET /store/items` with an item of these fields."""
        return self.on("GET", "/store/items", doc.item(**fields), error=error, detail=detail)

    def delete_item(self, *, error: int | None = None, detail: str | None = None) -> respx.Route:
        """Answer `DELETE /store/items`."""
        return self.on("DELETE", "/store/items", status=204, error=error, detail=detail)

    def search_items(
        self,
        found: Sequence[Mapping[str, Any]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /store/items/search` with items of these fields."""
        body = {"items": [doc.item(**{"score": None, **one}) for one in found]}
        return self.on("POST", "/store/items/search", body, error=error, detail=detail)

    def list_namespaces(
        self,
        found: Sequence[Sequence[str]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /store/namespaces` with these namespaces."""
        body = {"namespaces": [list(one) for one in found]}
        return self.on("POST", "/store/namespaces", body, error=error, detail=detail)
