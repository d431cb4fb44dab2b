"""Read a run's progress from its stream: nodes, tokens and failures, for displays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from langgraph_client.models.events import StreamPart
from langgraph_client.models.message_text import message_parts


@dataclass(frozen=True)
class RunStarted:
    """A run began."""

    run_id: str


@dataclass(frozen=True)
class NodeStarted:
    """A node began. `path` names the nodes of the graphs around it, the outermost first."""

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Tokens:
    """Text of a model, to be appended to the earlier text of the same message."""

    node: str
    message_id: str
    text: str


@dataclass(frozen=True)
class NodeEnded:
    """A node ended. `seconds` is its duration; None if its start was not seen."""

    name: str
    path: tuple[str, ...]
    seconds: float | None = None
    error: str | None = None
    interrupts: int = 0


@dataclass(frozen=True)
class RunFailed:
    """A run failed."""

    error: str
    message: str


Step: TypeAlias = RunStarted | NodeStarted | Tokens | NodeEnded | RunFailed


class RunProgress:
    """Reads a stream of the client or of a `RemoteGraph`, in any of its forms.

    Events of the event protocol (v3) are read, too: of thread streams, and of the run streams of
    langgraph.

    Nodes come from the mode `tasks`, or else, without times, from `updates`; tokens from
    `messages-tuple` (`messages` of a `RemoteGraph`) or `messages`.

    Args:
        mode: The stream mode, for streams of a `RemoteGraph` with a single mode, whose parts do
            not name theirs.

    Attributes:
        values: The latest values of the root graph; None before there are any.
    """

    def __init__(self, mode: str | None = None) -> None:
        self.values: Any = None
        self._mode = mode
        self._began: dict[str, float] = {}
        self._has_tasks = False
        self._lengths: dict[str, int] = {}
        self._streamed: set[str] = set()
        self._open_messages: dict[tuple[tuple[str, ...], str], str] = {}

    def read(self, part: object, now: float) -> list[Step]:
        """Return the steps that a part of the stream reports; an empty list if it reports none.

        Args:
            part: A `StreamPart`, a part of `version="v2"`, or a value that `RemoteGraph.stream`
                yields.
            now: The current time in seconds, of any monotonic clock.
        """
        mode, namespace, data = self._split(part)
        path = tuple(name.split(":")[0] for name in namespace)
        match mode:
            case "metadata" if isinstance(data, Mapping) and "run_id" in data:
                self._has_tasks = False
                return [RunStarted(str(data["run_id"]))]
            case "tasks" if isinstance(data, Mapping):
                return [self._task(data, path, now)]
            case "updates" if isinstance(data, Mapping) and not self._has_tasks:
                return [
                    NodeEnded(str(name), path)
                    for name in data
                    if name not in ("__interrupt__", "__metadata__")
                ]
            case "values" if not path:
                self.values = data
            case "messages" if isinstance(data, Mapping) and "event" in data:
                return self._message_event(data, {}, path)  # From a server.
            case "messages" if (
                isinstance(data, tuple) and isinstance(data[0], Mapping) and "event" in data[0]
            ):
                return self._message_event(data[0], data[1], path)  # From langgraph.
            case "messages":
                return self._message(data)
            case "lifecycle" if isinstance(data, Mapping) and data.get("event") == "failed":
                text = str(data.get("error") or "the server does not say why")
                return [] if path else [RunFailed("the run", text)]
            case "messages/partial" if isinstance(data, list):
                return [step for message in data for step in self._whole(message)]
            case "error" if isinstance(data, Mapping):
                return [RunFailed(str(data.get("error", "")), str(data.get("message", "")))]
        return []

    def _split(self, part: object) -> tuple[str, tuple[str, ...], Any]:
        """Return the mode, the namespace and the data of a part."""
        if isinstance(part, StreamPart):
            name, *below = part.event.split("|")
            return name, tuple(below), part.data
        if isinstance(part, Mapping) and {"method", "params"} <= part.keys():
            params = part["params"]
            return str(part["method"]), tuple(params.get("namespace") or ()), params.get("data")
        if isinstance(part, Mapping) and {"type", "ns", "data"} <= part.keys():
            return str(part["type"]), tuple(part["ns"]), part["data"]
        if self._mode is not None:
            if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], tuple):
                return self._mode, part[0], part[1]
            return self._mode, (), part
        match part:
            case (tuple() as namespace, str() as mode, data):
                return mode, namespace, data
            case (str() as mode, data):
                return mode, (), data
        return "values", (), part

    def _task(self, data: Mapping[str, Any], path: tuple[str, ...], now: float) -> Step:
        self._has_tasks = True
        task_id, name = str(data.get("id")), str(data.get("name"))
        if "input" in data or "triggers" in data:
            self._began[task_id] = now
            return NodeStarted(name, path)
        began = self._began.pop(task_id, None)
        error = data.get("error")
        return NodeEnded(
            name,
            path,
            None if began is None else now - began,
            None if error is None else _error_text(error),
            len(data.get("interrupts") or ()),
        )

    def _message(self, data: object) -> list[Step]:
        """Read a pair of a message, or of a chunk of one, and its metadata."""
        if not isinstance(data, list | tuple) or len(data) != 2:
            return []
        message, metadata = data
        kind, text, message_id = message_parts(message)
        if kind not in ("ai", "AIMessageChunk") or not text:
            return []
        if kind == "ai" and message_id in self._streamed:
            return []  # The complete message, after its chunks were shown.
        self._streamed.add(message_id)
        node = metadata.get("langgraph_node") if isinstance(metadata, Mapping) else None
        return [Tokens(str(node or ""), message_id, text)]

    def _message_event(
        self, event: Mapping[str, Any], metadata: Mapping[str, Any], path: tuple[str, ...]
    ) -> list[Step]:
        """Read an event of a message."""
        node = str(metadata.get("langgraph_node") or "")
        kind, place = event["event"], (path, node)
        if kind == "message-start" and event.get("role", "ai") == "ai":
            self._open_messages[place] = str(event.get("id") or event.get("message_id"))
        message_id = str(event.get("message_id") or self._open_messages.get(place, ""))
        self._streamed.add(message_id)
        delta = event.get("delta") or {}
        if kind != "content-block-delta" or not isinstance(text := delta.get("text"), str):
            return []
        return [Tokens(node, message_id, text)]

    def _whole(self, message: object) -> list[Step]:
        """Read a message that holds all its text so far."""
        kind, text, message_id = message_parts(message)
        known = self._lengths.get(message_id, 0)
        self._lengths[message_id] = len(text)
        if kind not in ("ai", "AIMessageChunk") or len(text) <= known:
            return []
        return [Tokens("", message_id, text[known:])]


def _error_text(error: object) -> str:
    # The bundled server sends the exception's class and text, others its `repr`.
    if isinstance(error, Mapping) and "error" in error:
        return f"{error['error']}: {error.get('message', '')}"
    return str(error)
