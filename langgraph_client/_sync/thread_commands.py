# Generated from langgraph_client/_async/thread_commands.py by .ci/unasync.py; do not edit.
"""The commands of a thread stream: start a run, resume it, get the graph's drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langgraph_client._sync.thread_runs import SyncThreadRuns
from langgraph_client.models.fields import JSON, JsonObject


class SyncRunModule:
    """Starts and resumes runs of the thread."""

    def __init__(self, runs: SyncThreadRuns) -> None:
        self._runs = runs

    def start(
        self,
        *,
        input: JSON = None,
        config: JsonObject | None = None,
        metadata: JsonObject | None = None,
        multitask_strategy: str | None = None,
        langsmith_tracing: JsonObject | None = None,
    ) -> JsonObject:
        """Start a run, which becomes the current one. Create the thread if it does not exist.

        Args:
            input: The graph's input. On a thread that waits at an interrupt, it is the response to
                that interrupt.
            config: Tags, metadata, recursion limit and `configurable`, such as a `checkpoint_id`.
            metadata: Metadata of the run.
            multitask_strategy: What to do if the thread is busy: `reject`, `interrupt`, `rollback`
                or `enqueue`. None for the server's default, `enqueue`.
            langsmith_tracing: Where the server traces the run: `project_name`, `example_id`.

        Returns:
            `{"run_id": ...}`.

        Raises:
            RuntimeError: The thread stream is not entered, or closed.
            ProtocolError: The server refuses the command.
            APIError: The server cannot be reached or refuses the request.

        Example:
            thread.run.start(input={"question": "?"})

        POST /threads/{thread_id}/commands with `run.start`
        """
        params = {
            "assistant_id": self._runs.assistant_id,
            "input": input,
            "config": config,
            "metadata": metadata,
            "multitaskStrategy": multitask_strategy,
            "langsmith_tracer": langsmith_tracing,
        }
        return self._runs.command(
            "run.start", {name: value for name, value in params.items() if value is not None}
        )

    def respond(
        self,
        response: JSON = None,
        *,
        interrupt_id: str | None = None,
        responses: Mapping[str, JSON] | None = None,
        update: JSON = None,
        goto: JSON = None,
        config: JsonObject | None = None,
        metadata: JsonObject | None = None,
    ) -> JsonObject:
        """Respond to an interrupt of the current run. The resumed run becomes the current one.

        Args:
            response: The value that `interrupt()` returns in the node.
            interrupt_id: The interrupt to respond to; None if there is only one.
            responses: Responses to several interrupts, by their ids, in place of `response`.
            update: An update of the thread's state, applied before the run goes on.
            goto: The node, or a list of nodes, to go to.
            config: Tags, metadata, recursion limit and `configurable` of the run.
            metadata: Metadata of the run.

        Returns:
            The server's result: `{"run_id": ...}`, or `{}` (langgraph-api 0.16.7).

        Raises:
            RuntimeError: There is no such interrupt, or several and no id was passed.
            ProtocolError: The server refuses the command.
            APIError: The server cannot be reached or refuses the request.

        Example:
            thread.run.respond("yes")

        POST /threads/{thread_id}/commands with `input.respond`
        """
        spaces = self._runs.open_questions()
        if responses is None:
            chosen = {_only(spaces) if interrupt_id is None else interrupt_id: response}
        else:
            chosen = dict(responses)
        if unknown := [key for key in chosen if key not in spaces]:
            raise RuntimeError(
                f"interrupt_id {unknown[0]!r} does not match any outstanding interrupt: there are "
                f"{sorted(spaces)}"
            )
        answers = [
            {"interrupt_id": key, "namespace": spaces[key], "response": value}
            for key, value in chosen.items()
        ]
        params: JsonObject = answers[0] if len(answers) == 1 else {"responses": answers}
        more = {"update": update, "goto": goto, "config": config, "metadata": metadata}
        params = {**params, **{name: value for name, value in more.items() if value is not None}}
        return self._runs.command("input.respond", params)


class SyncAgentModule:
    """Reads information about the thread's assistant."""

    def __init__(self, runs: SyncThreadRuns) -> None:
        self._runs = runs

    def get_tree(
        self,
        *,
        xray: int | bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> JsonObject:
        """Return nodes and edges of the assistant's graph.

        Args:
            xray: How many levels of subgraphs to include; False for none, True for all.
            headers: Headers of this request, in addition to those of the thread stream.
            params: Query parameters of this request.

        Raises:
            NotFoundError: The assistant does not exist.

        Example:
            drawing = thread.agent.get_tree()
            print(drawing["nodes"])

        GET /assistants/{assistant_id}/graph
        """
        return self._runs.drawing(xray, headers, params)


def _only(questions: Mapping[str, object]) -> str:
    if not questions:
        raise RuntimeError("there is no outstanding interrupt to respond to")
    if len(questions) > 1:
        raise RuntimeError(
            f"ambiguous: there are several outstanding interrupts, {sorted(questions)}: choose one"
            " with interrupt_id=, or pass responses="
        )
    return next(iter(questions))
