"""Call the caller's handlers as the handlers of the run were called on the server.

No I/O: each call is yielded, and its result is sent back; see `callbacks`.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterable, Sequence
from typing import TypeAlias

from langgraph_client.remote.aliases import Foreign, JsonObject, Reply
from langgraph_client.remote.compat import call_value, hears_calls, is_tracer
from langgraph_client.values import HANDLER_CALLS_EVENT, TRACER_CALLS_EVENT

Calls: TypeAlias = Generator[Foreign, Foreign, None]
"""Yields the return value of each handler call, and gets the result back. A blocking call is
complete when it is yielded; an async one returns an awaitable, which the driver awaits."""

#: For each call that starts a run, the call that reports its failure.
_STARTS = {
    "on_chain_start": "on_chain_error",
    "on_chat_model_start": "on_llm_error",
    "on_llm_start": "on_llm_error",
    "on_retriever_start": "on_retriever_error",
    "on_tool_start": "on_tool_error",
}
_ENDS = frozenset(
    {*_STARTS.values(), "on_chain_end", "on_llm_end", "on_retriever_end", "on_tool_end"}
)


class HandlerCalls:
    """The runs inside a graph's run for which the caller's handlers have been called.

    Args:
        run: langchain's run manager of the run itself.
    """

    def __init__(self, run: Foreign) -> None:
        self._run = run
        handlers = run.get_child().handlers
        self._handlers: dict[str, list[Foreign]] = {
            TRACER_CALLS_EVENT: [each for each in handlers if is_tracer(each)],
            HANDLER_CALLS_EVENT: [each for each in handlers if hears_calls(each)],
        }
        #: For each open run, by event and run id: its run manager, and the call for its failure.
        self._open: dict[tuple[str, str], tuple[Foreign, str]] = {}

    @property
    def events(self) -> list[str]:
        """The events that the server must send, because a handler needs their calls."""
        return [event for event, handlers in self._handlers.items() if handlers]

    def calls(self, event: str, sent: Iterable[JsonObject]) -> Calls:
        """Yield the handler calls of one event.

        Args:
            event: The event's name, which says whether the calls are for tracers or for handlers.
            sent: The calls; those with an unknown name are ignored.
        """
        for call in sent:
            name, key = call["name"], (event, str(call["run_id"]))
            args: Sequence[Foreign] = [call_value(name, value) for value in call["args"]]
            if name in _STARTS:
                manager = self._manager(event, call)
                made = yield getattr(manager, name)(
                    *args, run_id=uuid.UUID(call["run_id"]), **call["kwargs"]
                )
                # For models, langchain returns a list with one manager per prompt: here always one.
                self._open[key] = (made[0] if isinstance(made, list) else made, _STARTS[name])
            elif name == "on_custom_event":
                manager = self._manager(event, call)
                yield manager.on_custom_event(*args, run_id=self._run_id(call["run_id"]))
            elif name == "on_llm_new_token" and key in self._open:
                chunk = call_value(name, call["kwargs"].get("chunk"))
                yield self._open[key][0].on_llm_new_token(*args, chunk=chunk)
            elif name in _ENDS and key in self._open:
                yield getattr(self._open.pop(key)[0], name)(*args, **call["kwargs"])

    def fail(self, error: BaseException) -> Calls:
        """Yield calls that end all open runs with an error, the inner runs first."""
        while self._open:
            _, (manager, name) = self._open.popitem()
            yield getattr(manager, name)(error)

    def _manager(self, event: str, call: Reply) -> Foreign:
        child = self._run.get_child()
        handlers = self._handlers[event]
        # Not `child` itself, which has the handlers for the other event, too: they get other calls.
        return type(child)(
            handlers=list(handlers),
            inheritable_handlers=list(handlers),
            parent_run_id=self._run_id(call["parent_run_id"]),
            tags=list(call["tags"]),
            metadata=dict(call["metadata"]),
        )

    def _run_id(self, run_id: str | None) -> uuid.UUID:
        return self._run.run_id if run_id is None else uuid.UUID(run_id)
