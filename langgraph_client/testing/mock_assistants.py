"""`mock.assistants`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import respx

from langgraph_client.testing import documents as doc
from langgraph_client.testing.mock_routes import Routes, given_only, total


class MockAssistants(Routes):
    """`mock.assistants`: the endpoints below `/assistants`."""

    def get(
        self,
        assistant_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `GET /assistants/{assistant_id}` with an assistant of these fields."""
        body = doc.assistant(**given_only(assistant_id=assistant_id), **fields)
        return self.on(
            "GET",
            "/assistants/{assistant_id}",
            body,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def create(
        self, *, error: int | None = None, detail: str | None = None, **fields: Any
    ) -> respx.Route:
        """Answer `POST /assistants` with an assistant of these fields."""
        return self.on("POST", "/assistants", doc.assistant(**fields), error=error, detail=detail)

    def update(
        self,
        assistant_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `PATCH /assistants/{assistant_id}` with an assistant of these fields."""
        body = doc.assistant(**given_only(assistant_id=assistant_id), **fields)
        return self.on(
            "PATCH",
            "/assistants/{assistant_id}",
            body,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def delete(
        self,
        assistant_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `DELETE /assistants/{assistant_id}`."""
        return self.on(
            "DELETE",
            "/assistants/{assistant_id}",
            status=204,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def search(
        self,
        found: Sequence[Mapping[str, Any]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /assistants/search` with assistants of these fields."""
        return self.on(
            "POST",
            "/assistants/search",
            [doc.assistant(**one) for one in found],
            headers=total(found),
            error=error,
            detail=detail,
        )

    def count(
        self, count: int, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /assistants/count`."""
        return self.on("POST", "/assistants/count", count, error=error, detail=detail)

    def get_graph(
        self,
        assistant_id: str | None = None,
        *,
        nodes: Sequence[Mapping[str, Any]] = (),
        edges: Sequence[Mapping[str, Any]] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /assistants/{assistant_id}/graph` with a drawing."""
        body = {"nodes": list(nodes), "edges": list(edges)}
        return self.on(
            "GET",
            "/assistants/{assistant_id}/graph",
            body,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def get_schemas(
        self,
        assistant_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `GET /assistants/{assistant_id}/schemas` with these schemas."""
        names = ("input_schema", "output_schema", "state_schema", "config_schema", "context_schema")
        body = {"graph_id": "agent", **dict.fromkeys(names), **fields}
        return self.on(
            "GET",
            "/assistants/{assistant_id}/schemas",
            body,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def get_subgraphs(
        self,
        assistant_id: str | None = None,
        *,
        subgraphs: Mapping[str, Any] | None = None,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /assistants/{assistant_id}/subgraphs` with schemas by namespace."""
        return self.on(
            "GET",
            "/assistants/{assistant_id}/subgraphs",
            dict(subgraphs or {}),
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def get_versions(
        self,
        assistant_id: str | None = None,
        *,
        versions: Sequence[Mapping[str, Any]] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /assistants/{assistant_id}/versions` with versions of these fields."""
        body = [doc.assistant(**given_only(assistant_id=assistant_id), **one) for one in versions]
        return self.on(
            "POST",
            "/assistants/{assistant_id}/versions",
            body,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def set_latest(
        self,
        assistant_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `POST /assistants/{assistant_id}/latest` with an assistant of these fields."""
        body = doc.assistant(**given_only(assistant_id=assistant_id), **fields)
        return self.on(
            "POST",
            "/assistants/{assistant_id}/latest",
            body,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )
