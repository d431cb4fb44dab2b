"""`mock.assistants`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import respx

from langgraph_client.testing import documents as doc
from langgraph_client.testing.mock_routes import (
    MockEndpoints,
    count_answer,
    endpoint,
    json_answer,
    total,
    without_none,
)


class MockAssistants(MockEndpoints):
    """`mock.assistants`: the endpoints below `/assistants`."""

    def get(
        self,
        assistant_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `GET /assistants/{assistant_id}` with an assistant of these fields.

        Args:
            assistant_id: Answer only for this assistant; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.assistant(**without_none(assistant_id=assistant_id), **fields)
        return self._json(
            "GET",
            "/assistants/{assistant_id}",
            body,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def create(
        self, *, error: int | None = None, detail: str | None = None, **fields: object
    ) -> respx.Route:
        """Answer `POST /assistants` with an assistant of these fields.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        return self._json(
            "POST", "/assistants", doc.assistant(**fields), error=error, detail=detail
        )

    def update(
        self,
        assistant_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `PATCH /assistants/{assistant_id}` with an assistant of these fields.

        Args:
            assistant_id: Answer only for this assistant; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.assistant(**without_none(assistant_id=assistant_id), **fields)
        return self._json(
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
        """Answer `DELETE /assistants/{assistant_id}`.

        Args:
            assistant_id: Answer only for this assistant; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json(
            "DELETE",
            "/assistants/{assistant_id}",
            status=204,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )

    def search(
        self,
        documents: Sequence[Mapping[str, object]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /assistants/search` with assistants of these fields.

        Args:
            documents: Fields of each document; the others have plausible values.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json(
            "POST",
            "/assistants/search",
            [doc.assistant(**document) for document in documents],
            headers=total(documents),
            error=error,
            detail=detail,
        )

    def count(
        self, count: int, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /assistants/count`.

        Args:
            count: The number.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._add("POST", "/assistants/count", count_answer(count, error, detail), {})

    def get_graph(
        self,
        assistant_id: str | None = None,
        *,
        nodes: Sequence[Mapping[str, object]] = (),
        edges: Sequence[Mapping[str, object]] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /assistants/{assistant_id}/graph` with a drawing.

        Args:
            assistant_id: Answer only for this assistant; by default for any.
            nodes: The nodes of the drawing.
            edges: The edges of the drawing.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        body = {"nodes": list(nodes), "edges": list(edges)}
        return self._json(
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
        **fields: object,
    ) -> respx.Route:
        """Answer `GET /assistants/{assistant_id}/schemas` with these schemas.

        Args:
            assistant_id: Answer only for this assistant; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        names = ("input_schema", "output_schema", "state_schema", "config_schema", "context_schema")
        defaults = {"graph_id": "agent", **dict.fromkeys(names)}
        body = doc.document("the schemas", defaults, fields)
        return self._json(
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
        subgraphs: Mapping[str, object] | None = None,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /assistants/{assistant_id}/subgraphs` with schemas by namespace.

        Args:
            assistant_id: Answer only for this assistant; by default for any.
            subgraphs: The schemas of the subgraphs, by namespace.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        ids = {"assistant_id": assistant_id}
        return self._routes.add(
            json_answer(dict(subgraphs or {}), error, detail),
            endpoint("GET", "/assistants/{assistant_id}/subgraphs", ids),
            endpoint("GET", "/assistants/{assistant_id}/subgraphs/{namespace}", ids),
        )

    def get_versions(
        self,
        assistant_id: str | None = None,
        *,
        versions: Sequence[Mapping[str, object]] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /assistants/{assistant_id}/versions` with versions of these fields.

        Args:
            assistant_id: Answer only for this assistant; by default for any.
            versions: Fields of each version; the others have plausible values.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        body = [
            doc.assistant(**{**without_none(assistant_id=assistant_id), **version})
            for version in versions
        ]
        return self._json(
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
        **fields: object,
    ) -> respx.Route:
        """Answer `POST /assistants/{assistant_id}/latest` with an assistant of these fields.

        Args:
            assistant_id: Answer only for this assistant; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.assistant(**without_none(assistant_id=assistant_id), **fields)
        return self._json(
            "POST",
            "/assistants/{assistant_id}/latest",
            body,
            error=error,
            detail=detail,
            assistant_id=assistant_id,
        )
