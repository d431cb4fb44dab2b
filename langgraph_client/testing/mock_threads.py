"""`mock.threads`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import respx

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.testing import documents as doc
from langgraph_client.testing.arguments import check_mappings, check_whole
from langgraph_client.testing.mock_routes import (
    MockEndpoints,
    MockEvent,
    count_answer,
    endpoint,
    json_answer,
    stream_answer,
    total,
    without_none,
)


class MockThreads(MockEndpoints):
    """`mock.threads`: the endpoints below `/threads`, runs apart."""

    def create(
        self, *, error: int | None = None, detail: str | None = None, **fields: object
    ) -> respx.Route:
        """Answer `POST /threads` with a thread of these fields.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        return self._json("POST", "/threads", doc.thread(**fields), error=error, detail=detail)

    def get(
        self,
        thread_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}` with a thread of these fields.

        Args:
            thread_id: Answer only for this thread; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.thread(**without_none(thread_id=thread_id), **fields)
        return self._json(
            "GET", "/threads/{thread_id}", body, error=error, detail=detail, thread_id=thread_id
        )

    def update(
        self,
        thread_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `PATCH /threads/{thread_id}` with a thread of these fields.

        Args:
            thread_id: Answer only for this thread; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.thread(**without_none(thread_id=thread_id), **fields)
        return self._json(
            "PATCH", "/threads/{thread_id}", body, error=error, detail=detail, thread_id=thread_id
        )

    def delete(
        self, thread_id: str | None = None, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `DELETE /threads/{thread_id}`.

        Args:
            thread_id: Answer only for this thread; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json(
            "DELETE",
            "/threads/{thread_id}",
            status=204,
            error=error,
            detail=detail,
            thread_id=thread_id,
        )

    def search(
        self,
        documents: Sequence[Mapping[str, object]] = (),
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /threads/search` with threads of these fields.

        Args:
            documents: Fields of each document; the others have plausible values.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json(
            "POST",
            "/threads/search",
            [doc.thread(**document) for document in documents],
            headers=total(documents),
            error=error,
            detail=detail,
        )

    def count(
        self, count: int, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /threads/count`.

        Args:
            count: The number.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._add("POST", "/threads/count", count_answer(count, error, detail), {})

    def copy(
        self,
        source: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/copy` with a thread of these fields.

        Args:
            source: Answer only for copies of this thread; by default of any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        return self._json(
            "POST",
            "/threads/{thread_id}/copy",
            doc.thread(**fields),
            error=error,
            detail=detail,
            thread_id=source,
        )

    def prune(
        self, pruned: int = 0, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /threads/prune` with how many threads were pruned.

        Args:
            pruned: The number of threads.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        check_whole("pruned", pruned, 0)
        body = {"pruned_count": pruned}
        return self._json("POST", "/threads/prune", body, error=error, detail=detail)

    def get_state(
        self,
        thread_id: str | None = None,
        *,
        values: object = None,
        next: Sequence[str] = (),
        interrupts: Sequence[Mapping[str, object]] = (),
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer the reading of a state, the latest one or one of a checkpoint.

        Args:
            thread_id: Answer only for this thread; by default for any.
            values: The values of the state.
            next: The nodes that come next.
            interrupts: What the next node waits for: dicts with a `value`.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.state(values, next=next, interrupts=interrupts, thread_id=thread_id, **fields)
        ids = {"thread_id": thread_id}
        return self._routes.add(
            json_answer(body, error, detail),
            endpoint("GET", "/threads/{thread_id}/state", ids),
            endpoint("GET", "/threads/{thread_id}/state/{checkpoint_id}", ids),
            endpoint("POST", "/threads/{thread_id}/state/checkpoint", ids),
        )

    def update_state(
        self, thread_id: str | None = None, *, error: int | None = None, detail: str | None = None
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/state` with a new checkpoint.

        Args:
            thread_id: Answer only for this thread; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json(
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
        states: Sequence[JsonMapping] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/history` with these states.

        Args:
            thread_id: Answer only for this thread; by default for any.
            states: The states, newest first; each has the arguments of `get_state`.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        check_mappings("states", states)
        given: JsonObject = {"thread_id": thread_id}
        body = [doc.state(**{**given, **state}) for state in states]
        return self._json(
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
        events: Sequence[MockEvent] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/stream` with these events.

        Args:
            thread_id: Answer only for this thread; by default for any.
            events: Pairs of event and data; a third element is the event's id.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        answer = stream_answer(events, {}, error, detail)
        ids = {"thread_id": thread_id}
        return self._add("GET", "/threads/{thread_id}/stream", answer, ids)

    def stream_events(
        self,
        thread_id: str | None = None,
        *,
        events: Sequence[JsonObject] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/stream/events` with these events.

        Args:
            thread_id: Answer only for this thread; by default for any.
            events: Protocol events, each with `method`, `seq` and `params`.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        sent: list[MockEvent] = []
        for number, event in enumerate(check_mappings("events", events)):
            if not isinstance(event.get("method"), str):
                raise InvalidArgumentError(
                    f"events[{number}]", f"must have the name of a method, not {event!r}"
                )
            sent.append((str(event["method"]), event, str(event.get("seq", 0))))
        answer = stream_answer(sent, {}, error, detail)
        ids = {"thread_id": thread_id}
        return self._add("POST", "/threads/{thread_id}/stream/events", answer, ids)

    def command(
        self,
        thread_id: str | None = None,
        *,
        result: object = None,
        code: str | None = None,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/commands` with a result.

        Args:
            thread_id: Answer only for this thread; by default for any.
            result: The result of the command; by default a `run_id`.
            code: The protocol's code of an error to answer with instead, such as `no_such_run`.
            error: An HTTP status to answer with instead.
            detail: The text of either error.
        """
        result_document = {"run_id": str(uuid.uuid4())} if result is None else result
        reply: JsonObject = {"type": "success", "id": 1, "result": result_document}
        if code is not None:
            reply = {"type": "error", "id": 1, "error": code, "message": detail or code}
        return self._add(
            "POST",
            "/threads/{thread_id}/commands",
            json_answer(reply, error, detail),
            {"thread_id": thread_id},
        )
