"""Convert langchain's events from version "v2", which servers send, to version "v1"."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, Iterator, Sequence
from copy import copy

from langgraph_client.remote.aliases import GraphValue, JsonObject, MergedConfig
from langgraph_client.remote.closing import AsyncConverted
from langgraph_client.remote.compat import deprecation_warning, is_ai_chunk
from langgraph_client.remote.decode import INTERRUPT

_END = "on_chain_end"


def warn_of_v1() -> None:
    """Warn that version "v1" is deprecated, as langchain does."""
    warnings.warn(
        "astream_events version='v1' is deprecated. Use version='v2' or astream instead.",
        deprecation_warning(),
        stacklevel=3,
    )


def events_v1(events: AsyncGenerator[JsonObject, None], config: MergedConfig) -> AsyncConverted:
    """Return the events of a run in version "v1".

    Args:
        events: The events of version "v2".
        config: The caller's config.
    """
    converter = EventsV1Converter(config)
    # If the run failed, so did what is still open.
    return AsyncConverted(events, converter.convert, at_failure=converter.finish)


class EventsV1Converter:
    """Converts the events of one run: call `convert` for each event, then `finish`.

    In version "v1", events have no parents, there are no custom events, and the outputs of models
    and retrievers have the form of tracers. The root has the caller's tags and metadata, and its
    output is the sum of its chunks. A chain that failed has an end too, with the output None.
    Servers send no event for that, so this end may come late: at the interrupt, or at the end of
    the run.

    Args:
        config: The caller's config.
    """

    def __init__(self, config: MergedConfig) -> None:
        self._tags: Sequence[str] = config.get("tags") or []
        self._metadata: JsonObject = config.get("metadata") or {}
        self._root: str | None = None
        self._output: GraphValue = None
        #: The starts of chains that have not ended, by run.
        self._open: dict[str, JsonObject] = {}
        self._parents: dict[str, str | None] = {}

    def convert(self, event: JsonObject) -> Iterator[JsonObject]:
        """Yield the events of version "v1" for one of version "v2"."""
        name, run_id = event["event"], event["run_id"]
        if name == "on_custom_event":
            return
        parents = event.get("parent_ids") or []
        event = {**event, "parent_ids": []}
        if self._root is None:
            self._root = run_id
        if run_id == self._root:
            yield from self._of_root(event)
            return
        if name == "on_chain_start":
            # A copy: the caller may change the event that it gets.
            own = {key: event[key] for key in ("tags", "metadata", "data") if key in event}
            self._open[run_id] = {**event, **{key: copy(value) for key, value in own.items()}}
            self._parents[run_id] = parents[-1] if parents else None
        elif name == _END:
            self._open.pop(run_id, None)
        elif name.endswith(("_end", "_error")):
            event = _end(event)
        yield event

    def _of_root(self, event: JsonObject) -> Iterator[JsonObject]:
        event.update(tags=list(self._tags), metadata=dict(self._metadata))
        if event["event"] == "on_chain_stream":
            chunk = event["data"]["chunk"]
            self._output = _sum(self._output, chunk)
            # The interrupted node counts as failed. If several chains run side by side, it is not
            # known which of them it is, so their ends come later.
            if _interrupts(chunk) and self._is_one_in_the_other():
                yield from self.finish()
        elif event["event"] == _END:
            yield from self.finish()
            event["data"] = {"output": self._output}
        yield event

    def _is_one_in_the_other(self) -> bool:
        """Return whether each open chain is inside the one before it."""
        outer = [self._root, *self._open]
        return all(
            self._parents[run] == around for run, around in zip(self._open, outer, strict=False)
        )

    def finish(self) -> Iterator[JsonObject]:
        """Yield the ends of chains that failed, the inner ones first."""
        while self._open:
            _, start = self._open.popitem()
            yield {**start, "event": _END, "data": {**start["data"], "output": None}}


def _interrupts(chunk: GraphValue) -> bool:
    data = chunk[-1] if isinstance(chunk, tuple) else chunk
    if isinstance(data, dict) and data.keys() == {"type", "ns", "data"}:  # A part.
        data = data["data"]
    return isinstance(data, dict) and INTERRUPT in data


def _sum(total: GraphValue, chunk: GraphValue) -> GraphValue:
    if total is None:
        return chunk
    try:
        return total + chunk
    except TypeError:  # Most chunks are dicts: the last one counts.
        return chunk


def _end(event: JsonObject) -> JsonObject:
    kind = event["event"].removeprefix("on_").rpartition("_")[0]
    data = event["data"]
    kept: JsonObject = {"input": data["input"]} if data.get("input") is not None else {}
    output = data.get("output")  # An error has none.
    if kind == "retriever" and output is not None:
        output = {"documents": output}
    elif kind == "chat_model" and output is not None:
        output = _answer([[_generation(output)]], None)
    elif kind == "llm" and isinstance(output, dict):
        output = _answer(output["generations"], output.get("llm_output"))
    return {**event, "event": f"on_{kind}_end", "data": {**kept, "output": output}}


def _generation(message: GraphValue) -> JsonObject:
    if isinstance(message, dict):  # The caller wants messages as dicts.
        text, is_chunk = _text(message["content"]), message["type"] == "AIMessageChunk"
    else:
        text, is_chunk = message.text, is_ai_chunk(message)
    return {
        "text": text,
        "generation_info": None,
        "type": "ChatGenerationChunk" if is_chunk else "ChatGeneration",
        "message": message,
    }


def _text(content: GraphValue) -> str:
    """Return the text in the content of a message, as langchain's messages do."""
    if isinstance(content, str):
        return content
    blocks = [{"type": "text", "text": item} if isinstance(item, str) else item for item in content]
    return "".join(str(block["text"]) for block in blocks if block.get("type") == "text")


def _answer(generations: GraphValue, llm_output: GraphValue) -> JsonObject:
    return {
        "generations": generations,
        "llm_output": llm_output,
        "run": None,
        "type": "LLMResult",
    }
