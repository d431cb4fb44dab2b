"""`mock.crons` and `mock.store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import respx

from langgraph_client.testing import documents as doc
from langgraph_client.testing.mock_routes import MockEndpoints, count_answer, total, without_none


class MockCrons(MockEndpoints):
    """`mock.crons`: the endpoints below `/runs/crons`."""

    def create(
        self, *, error: int | None = None, detail: str | None = None, **fields: object
    ) -> respx.Route:
        """Answer `POST /runs/crons` with a cron of these fields.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        return self._json("POST", "/runs/crons", doc.cron(**fields), error=error, detail=detail)

    def create_for_thread(
        self,
        thread_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/runs/crons` with a cron of these fields.

        Args:
            thread_id: Answer only for this thread; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.cron(**{**without_none(thread_id=thread_id), **fields})
        return self._json(
            "POST",
            "/threads/{thread_id}/runs/crons",
            body,
            error=error,
            detail=detail,
            thread_id=thread_id,
        )

    def get(
        self,
        cron_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `GET /runs/crons/{cron_id}` with a cron of these fields.

        Args:
            cron_id: Answer only for this cron; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.cron(**without_none(cron_id=cron_id), **fields)
        return self._json(
            "GET", "/runs/crons/{cron_id}", body, error=error, detail=detail, cron_id=cron_id
        )

    def update(
        self,
        cron_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `PATCH /runs/crons/{cron_id}` with a cron of these fields.

        Args:
            cron_id: Answer only for this cron; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.cron(**without_none(cron_id=cron_id), **fields)
        return self._json(
            "PATCH", "/runs/crons/{cron_id}", body, error=error, detail=detail, cron_id=cron_id
        )

    def delete(
        self, cron_id: str | None = None, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `DELETE /runs/crons/{cron_id}`.

        Args:
            cron_id: Answer only for this cron; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json(
            "DELETE", "/runs/crons/{cron_id}", {}, error=error, detail=detail, cron_id=cron_id
        )

    def search(
        self,
        documents: Sequence[Mapping[str, object]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /runs/crons/search` with crons of these fields.

        Args:
            documents: Fields of each document; the others have plausible values.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json(
            "POST",
            "/runs/crons/search",
            [doc.cron(**document) for document in documents],
            headers=total(documents),
            error=error,
            detail=detail,
        )

    def count(
        self, count: int, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /runs/crons/count`.

        Args:
            count: The number.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._add("POST", "/runs/crons/count", count_answer(count, error, detail), {})


class MockStore(MockEndpoints):
    """`mock.store`: the endpoints below `/store`."""

    def put_item(self, *, error: int | None = None, detail: str | None = None) -> respx.Route:
        """Answer `PUT /store/items`.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json("PUT", "/store/items", status=204, error=error, detail=detail)

    def get_item(
        self, *, error: int | None = None, detail: str | None = None, **fields: object
    ) -> respx.Route:
        """Answer `GET /store/items` with an item of these fields.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        return self._json("GET", "/store/items", doc.item(**fields), error=error, detail=detail)

    def delete_item(self, *, error: int | None = None, detail: str | None = None) -> respx.Route:
        """Answer `DELETE /store/items`.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json("DELETE", "/store/items", status=204, error=error, detail=detail)

    def search_items(
        self,
        documents: Sequence[Mapping[str, object]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /store/items/search` with items of these fields.

        Args:
            documents: Fields of each document; the others have plausible values.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        body = {"items": [doc.item(**{"score": None, **document}) for document in documents]}
        return self._json("POST", "/store/items/search", body, error=error, detail=detail)

    def list_namespaces(
        self,
        namespaces: Sequence[Sequence[str]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /store/namespaces` with these namespaces.

        Args:
            namespaces: The namespaces.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        body = {"namespaces": [list(namespace) for namespace in namespaces]}
        return self._json("POST", "/store/namespaces", body, error=error, detail=detail)
