"""Record langchain's calls of callback handlers in a run, to repeat them for its caller.

It is imported only if langchain-core is installed.
"""

from __future__ import annotations

from collections import deque
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers import BaseTracer

from langgraph_client.server.encoding import NotJsonError, blanked
from langgraph_client.server.graphs.run_scope import error_in_run, texts_are_shown
from langgraph_client.server.graphs.stream_events import message_metadata
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.typed_values import enclosed, failure_details

_APART = ("run_id", "parent_run_id", "tags", "metadata")


class CallRecorder(BaseCallbackHandler):
    """Records the calls of a handler as documents.

    Calls for the root of the run are left out: the caller makes them itself. Values are encoded at
    once, because nodes may change them later.
    """

    # Called in the caller's thread, so that the calls keep their order.
    run_inline = True

    def __init__(self) -> None:
        super().__init__()
        # Node threads append to it while the run's task takes from it; a deque is thread-safe.
        self._calls: deque[Document] = deque()
        self._root: UUID | None = None

    def take(self) -> list[Document]:
        """Return the calls since the last call of this method."""
        taken = []
        while self._calls:
            taken.append(self._calls.popleft())
        return taken

    def _note(
        self, name: str, args: list[object], callback_kwargs: Document, more: Document | None = None
    ) -> None:
        run_id, parent = callback_kwargs["run_id"], callback_kwargs.get("parent_run_id")
        if parent is None and name in ("on_chain_start", "on_chain_end", "on_chain_error"):
            self._root = self._root or run_id
            return
        # Tags and metadata are sent with the start only.
        kwargs = {key: value for key, value in callback_kwargs.items() if key not in _APART}
        call = {
            **(more or {}),
            "name": name,
            "run_id": self._id(run_id),
            "parent_run_id": self._id(parent),
            "args": _json(args),
            "kwargs": _json(kwargs),
        }
        self._calls.append(call)

    def _id(self, run_id: UUID | None) -> str | None:
        return None if run_id in (None, self._root) else str(run_id)

    def _start(self, name: str, args: list[object], callback_kwargs: Document) -> None:
        start = {
            "tags": list(callback_kwargs.get("tags") or ()),
            # A copy: the handler of the mode "messages" adds tags.
            "metadata": message_metadata({**(callback_kwargs.get("metadata") or {})}),
        }
        self._note(name, args, callback_kwargs, start)

    def on_chain_start(self, serialized: object, inputs: object, **kwargs: object) -> Any:
        """Record the start of a node or another chain."""
        self._start("on_chain_start", [serialized, inputs], kwargs)

    def on_chain_end(self, outputs: object, **kwargs: object) -> Any:
        """Record the output of a chain."""
        self._note("on_chain_end", [outputs], kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: object) -> Any:
        """Record the error of a chain; an interrupt is one too."""
        self._note("on_chain_error", [_failure(error)], kwargs)

    def on_tool_start(self, serialized: object, input_str: str, **kwargs: object) -> Any:
        """Record the start of a tool."""
        self._start("on_tool_start", [serialized, input_str], kwargs)

    def on_tool_end(self, output: object, **kwargs: object) -> Any:
        """Record the output of a tool."""
        self._note("on_tool_end", [output], kwargs)

    def on_tool_error(self, error: BaseException, **kwargs: object) -> Any:
        """Record the error of a tool."""
        self._note("on_tool_error", [_failure(error)], kwargs)

    def on_retriever_start(self, serialized: object, query: str, **kwargs: object) -> Any:
        """Record the start of a retriever."""
        self._start("on_retriever_start", [serialized, query], kwargs)

    def on_retriever_end(self, documents: Any, **kwargs: Any) -> Any:
        """Record the documents of a retriever."""
        document_list = [document.model_dump() for document in documents]
        self._note("on_retriever_end", [document_list], kwargs)

    def on_retriever_error(self, error: BaseException, **kwargs: object) -> Any:
        """Record the error of a retriever."""
        self._note("on_retriever_error", [_failure(error)], kwargs)

    def on_chat_model_start(self, serialized: object, messages: object, **kwargs: object) -> Any:
        """Record the start of a chat model."""
        self._start("on_chat_model_start", [serialized, messages], kwargs)

    def on_llm_start(self, serialized: object, prompts: object, **kwargs: object) -> Any:
        """Record the start of a text model."""
        self._start("on_llm_start", [serialized, prompts], kwargs)

    def on_llm_new_token(self, token: object, *, chunk: object = None, **kwargs: object) -> Any:
        """Record a token of a model's output."""
        generation = None if chunk is None else _generation(chunk)
        self._note("on_llm_new_token", [token], {**kwargs, "chunk": generation})

    def on_llm_end(self, response: Any, **kwargs: Any) -> Any:
        """Record the output of a model."""
        answers = [[_generation(one) for one in several] for several in response.generations]
        result = {"generations": answers, "llm_output": response.llm_output}
        self._note("on_llm_end", [result], kwargs)

    def on_llm_error(self, error: BaseException, **kwargs: object) -> Any:
        """Record the error of a model."""
        kwargs.pop("response", None)
        self._note("on_llm_error", [_failure(error)], kwargs)

    def on_custom_event(self, name: str, data: object, **kwargs: object) -> Any:
        """Record a custom event of the graph."""
        self._start("on_custom_event", [name, data], kwargs)


class TracerCallRecorder(CallRecorder, BaseTracer):
    """Records the calls of a tracer, whose values may differ because of a `TracePolicy`."""

    def _persist_run(self, run: object) -> None:
        """Do nothing: the caller's tracers create the runs."""


def _json(value: object) -> object:
    try:
        return enclosed(value)
    except NotJsonError:
        return enclosed(blanked(value))


def _failure(error: BaseException) -> Document:
    document: Document = error_in_run(error)
    if type(error).__name__ in ("GraphInterrupt", "NodeInterrupt"):
        return {**document, "interrupts": list(error.args[0] if error.args else ())}
    return {**document, **failure_details(error, document["message"], show=texts_are_shown())}


def _generation(generation: Any) -> Document:
    document = {
        "type": type(generation).__name__,
        "text": generation.text,
        "generation_info": generation.generation_info,
    }
    message = getattr(generation, "message", None)
    return document if message is None else {**document, "message": message}
