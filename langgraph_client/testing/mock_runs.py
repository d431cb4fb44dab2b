"""`mock.runs`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import respx

from langgraph_client.testing import documents as doc
from langgraph_client.testing.mock_routes import Event, Routes, given_only, stream_of


class MockRuns(Routes):
    """`mock.runs`: runs with and without a thread."""

    def create(
        self,
        thread_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `POST …/runs` with a run of these fields."""
        body = doc.run(**given_only(thread_id=thread_id), **fields)
        return self._start("", thread_id, body, error, detail)

    def create_batch(
        self,
        runs: Sequence[Mapping[str, Any]],
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /runs/batch` with runs of these fields."""
        return self.on(
            "POST", "/runs/batch", [doc.run(**one) for one in runs], error=error, detail=detail
        )

    def wait(
        self,
        values: Any = None,
        *,
        thread_id: str | None = None,
        failure: tuple[str, str] | None = None,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST …/runs/wait` with a result.

        Args:
            values: The graph's output; may have interrupts under `__interrupt__`.
            thread_id: Only for runs on this thread.
            failure: Class and message of an exception that the graph raised.
            error: See `LangGraphMock`.
            detail: See `LangGraphMock`.
        """
        body = values
        if failure is not None:
            body = {"__error__": {"error": failure[0], "message": failure[1]}}
        return self._start("/wait", thread_id, body, error, detail)

    def stream(
        self,
        events: Sequence[Event] = (),
        *,
        thread_id: str | None = None,
        run_id: str | None = None,
        failure: tuple[str, str] | None = None,
        cut: bool = False,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST …/runs/stream` with events.

        Args:
            events: Pairs of event and data; a third element is the event's id. The `metadata`
                event comes first by itself, unless it is among them.
            thread_id: Only for runs on this thread.
            run_id: The run's id.
            failure: Class and message of an exception that the graph raises at the end.
            cut: Break the connection after the events.
            error: See `LangGraphMock`.
            detail: See `LangGraphMock`.
        """
        run_id = run_id or doc.an_id("run")
        told = list(events)
        if not told or told[0][0] != "metadata":
            told.insert(0, ("metadata", {"run_id": run_id, "attempt": 1}))
        if failure is not None:
            told.append(("error", {"error": failure[0], "message": failure[1]}))
        if error is not None:
            return self._start("/stream", thread_id, None, error, detail)
        # A client that has read to the end of a stream on a thread asks whether the run is over.
        status = "running" if cut else "success" if failure is None else "error"
        found = doc.run(run_id=run_id, status=status, **given_only(thread_id=thread_id))
        path = f"^/threads/[^/]+/runs/{run_id}$"
        self._router.route(method="GET", path__regex=path, name=f"status of {run_id}").mock(
            return_value=httpx.Response(200, json=found)
        )
        place = f"/threads/{thread_id}/runs/{run_id}" if thread_id else f"/runs/{run_id}"
        headers = {"location": f"{place}/stream", "content-location": place}
        route = self._start_route("/stream", thread_id)
        return route.mock(side_effect=lambda _: stream_of(told, headers, cut=cut))

    def get(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/runs/{run_id}` with a run of these fields."""
        body = doc.run(**given_only(thread_id=thread_id, run_id=run_id), **fields)
        return self._one("GET", "", thread_id, run_id, body, error=error, detail=detail)

    def list(
        self,
        thread_id: str | None = None,
        *,
        runs: Sequence[Mapping[str, Any]] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/runs` with runs of these fields."""
        body = [doc.run(**given_only(thread_id=thread_id), **one) for one in runs]
        return self.on(
            "GET",
            "/threads/{thread_id}/runs",
            body,
            error=error,
            detail=detail,
            thread_id=thread_id,
        )

    def join(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        values: Any = None,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/runs/{run_id}/join` with a result."""
        return self._one("GET", "/join", thread_id, run_id, values, error=error, detail=detail)

    def join_stream(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        events: Sequence[Event] = (),
        cut: bool = False,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/runs/{run_id}/stream` with these events."""
        if error is not None:
            return self._one("GET", "/stream", thread_id, run_id, None, error=error, detail=detail)
        ids = {"thread_id": thread_id, "run_id": run_id}
        route = self._route("GET", "/threads/{thread_id}/runs/{run_id}/stream", ids)
        told = [*events]
        return route.mock(side_effect=lambda _: stream_of(told, {}, cut=cut))

    def cancel(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/runs/{run_id}/cancel`."""
        return self._one(
            "POST", "/cancel", thread_id, run_id, None, status=202, error=error, detail=detail
        )

    def delete(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `DELETE /threads/{thread_id}/runs/{run_id}`."""
        return self._one(
            "DELETE", "", thread_id, run_id, None, status=204, error=error, detail=detail
        )

    def _one(
        self,
        method: str,
        end: str,
        thread_id: str | None,
        run_id: str | None,
        body: Any,
        **more: Any,
    ) -> respx.Route:
        path = "/threads/{thread_id}/runs/{run_id}" + end
        return self.on(method, path, body, thread_id=thread_id, run_id=run_id, **more)

    def _start_route(self, end: str, thread_id: str | None) -> respx.Route:
        place = "(?:/threads/[^/]+)?" if thread_id is None else f"/threads/{re.escape(thread_id)}"
        return self._router.route(method="POST", path__regex=f"^{place}/runs{end}$")

    def _start(
        self, end: str, thread_id: str | None, body: Any, error: int | None, detail: str | None
    ) -> respx.Route:
        status = 200 if error is None else error
        if error is not None:
            body = {"detail": detail or httpx.codes.get_reason_phrase(error)}
        answer = httpx.Response(status, json=body)
        return self._start_route(end, thread_id).mock(return_value=answer)
