"""`mock.runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx
import respx

from langgraph_client.testing import documents as doc
from langgraph_client.testing.mock_routes import (
    MakeResponse,
    MockEndpoints,
    MockEvent,
    endpoint,
    json_answer,
    stream_answer,
    without_none,
)


class MockRuns(MockEndpoints):
    """`mock.runs`: runs with and without a thread."""

    def create(
        self,
        thread_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `POST …/runs` with a run of these fields.

        Args:
            thread_id: Answer only for this thread; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.run(**without_none(thread_id=thread_id), **fields)
        return self._start("", thread_id, json_answer(body, error, detail))

    def create_batch(
        self,
        runs: Sequence[Mapping[str, object]],
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /runs/batch` with runs of these fields.

        Args:
            runs: Fields of each run; the others have plausible values.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json(
            "POST", "/runs/batch", [doc.run(**run) for run in runs], error=error, detail=detail
        )

    def wait(
        self,
        values: object = None,
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
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        body = values
        if failure is not None:
            body = {"__error__": {"error": failure[0], "message": failure[1]}}
        return self._start("/wait", thread_id, json_answer(body, error, detail))

    def stream(
        self,
        events: Sequence[MockEvent] = (),
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
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        run_id = run_id or doc.stable_id("run")
        events = list(events)
        if not events or tuple(events[0])[:1] != ("metadata",):
            events.insert(0, ("metadata", {"run_id": run_id, "attempt": 1}))
        if failure is not None:
            events.append(("error", {"error": failure[0], "message": failure[1]}))
        # A client that has read to the end of a stream on a thread asks whether the run is over.
        status = "running" if cut else "success" if failure is None else "error"
        run = doc.run(run_id=run_id, status=status, **without_none(thread_id=thread_id))
        place = f"/threads/{thread_id}/runs/{run_id}" if thread_id else f"/runs/{run_id}"
        headers = {"location": f"{place}/stream", "content-location": place}
        stream = stream_answer(events, headers, error, detail, cut=cut)

        def answer() -> httpx.Response:
            if error is None:
                self._routes.streamed[run_id] = run
            return stream()

        def state_of_run() -> httpx.Response:
            return httpx.Response(200, json=self._routes.streamed.get(run_id, run))

        ids = {"run_id": run_id}
        read = endpoint("GET", "/threads/{thread_id}/runs/{run_id}", ids)
        self._routes.add(state_of_run, read, optional=True)
        return self._start("/stream", thread_id, answer)

    def get(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
        **fields: object,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/runs/{run_id}` with a run of these fields.

        Args:
            thread_id: Answer only for this thread; by default for any.
            run_id: Answer only for this run; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the document; the others have plausible values.
        """
        body = doc.run(**without_none(thread_id=thread_id, run_id=run_id), **fields)
        return self._one_run("GET", "", thread_id, run_id, body, error=error, detail=detail)

    def list(
        self,
        thread_id: str | None = None,
        *,
        runs: Sequence[Mapping[str, object]] = (),
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/runs` with runs of these fields.

        Args:
            thread_id: Answer only for this thread; by default for any.
            runs: Fields of each run; the others have plausible values.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        body = [doc.run(**{**without_none(thread_id=thread_id), **run}) for run in runs]
        return self._json(
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
        values: object = None,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/runs/{run_id}/join` with a result.

        Args:
            thread_id: Answer only for this thread; by default for any.
            run_id: Answer only for this run; by default for any.
            values: The output of the graph.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._one_run("GET", "/join", thread_id, run_id, values, error=error, detail=detail)

    def join_stream(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        events: Sequence[MockEvent] = (),
        cut: bool = False,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `GET /threads/{thread_id}/runs/{run_id}/stream` with these events.

        Args:
            thread_id: Answer only for this thread; by default for any.
            run_id: Answer only for this run; by default for any.
            events: Pairs of event and data; a third element is the event's id.
            cut: Break the connection after the events.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        answer = stream_answer(events, {}, error, detail, cut=cut)
        ids = {"thread_id": thread_id, "run_id": run_id}
        # A client that has read to the end of the stream asks whether the run is over.
        status = "running" if cut else "success"
        run = doc.run(status=status, **without_none(thread_id=thread_id, run_id=run_id))
        read = endpoint("GET", "/threads/{thread_id}/runs/{run_id}", ids)
        self._routes.add(json_answer(run), read, optional=True)
        return self._add("GET", "/threads/{thread_id}/runs/{run_id}/stream", answer, ids)

    def cancel(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `POST /threads/{thread_id}/runs/{run_id}/cancel`.

        Args:
            thread_id: Answer only for this thread; by default for any.
            run_id: Answer only for this run; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._one_run(
            "POST", "/cancel", thread_id, run_id, None, status=202, error=error, detail=detail
        )

    def cancel_many(self, *, error: int | None = None, detail: str | None = None) -> respx.Route:
        """Answer `POST /runs/cancel`.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._json("POST", "/runs/cancel", status=204, error=error, detail=detail)

    def delete(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        """Answer `DELETE /threads/{thread_id}/runs/{run_id}`.

        Args:
            thread_id: Answer only for this thread; by default for any.
            run_id: Answer only for this run; by default for any.
            error: An HTTP status to answer with instead.
            detail: The text of that error.
        """
        return self._one_run(
            "DELETE", "", thread_id, run_id, None, status=204, error=error, detail=detail
        )

    def _one_run(
        self,
        method: str,
        end: str,
        thread_id: str | None,
        run_id: str | None,
        body: object,
        *,
        status: int = 200,
        error: int | None = None,
        detail: str | None = None,
    ) -> respx.Route:
        path = "/threads/{thread_id}/runs/{run_id}" + end
        return self._json(
            method,
            path,
            body,
            status=status,
            error=error,
            detail=detail,
            thread_id=thread_id,
            run_id=run_id,
        )

    def _start(self, end: str, thread_id: str | None, answer: MakeResponse) -> respx.Route:
        """Answer the start of a run, on this thread, or on any and on none."""
        endpoints = [
            endpoint("POST", f"/threads/{{thread_id}}/runs{end}", {"thread_id": thread_id})
        ]
        if thread_id is None:
            endpoints.append(endpoint("POST", f"/runs{end}", {}))
        return self._routes.add(answer, *endpoints)
