"""Documents and values as lines of text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from langgraph_client.models.message_text import is_message, message_parts

# All control characters except newline and tab: a model's text could move the cursor or rename the
# window.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Return a text without the characters that control a terminal."""
    return _CONTROL.sub("�", text)


def one_line(error: BaseException) -> str:
    """Return an exception as a line."""
    return clean(" ".join(str(error).split())) or type(error).__name__


def as_json(value: object, *, is_ascii: bool = False) -> str:
    """Return a value as a line of JSON, with other characters than ASCII as escapes on request."""
    return json.dumps(value, ensure_ascii=is_ascii, default=str)


def state_lines(values: object) -> Iterator[str]:
    """Return the values of a state: messages as a conversation, the rest as JSON."""
    if not isinstance(values, Mapping):
        yield clean(as_json(values))
        return
    for name, value in values.items():
        if isinstance(value, list) and value and all(map(is_message, value)):
            for message in value:
                kind, text, _ = message_parts(message)
                yield clean(f"{kind}: {text or as_json(message.get('tool_calls') or [])}")
        else:
            yield clean(f"{name}: {as_json(value)}")


def thread_row(thread: Mapping[str, Any]) -> list[str]:
    """Return a thread as the cells of a row."""
    graph = (thread.get("metadata") or {}).get("graph_id") or "-"
    updated = str(thread.get("updated_at") or "")[:19].replace("T", " ")
    return [clean(str(cell)) for cell in (thread["thread_id"], thread["status"], graph, updated)]


def checkpoint_row(state: Mapping[str, Any]) -> list[str]:
    """Return a checkpoint as the cells of a row."""
    metadata = state.get("metadata") or {}
    checkpoint = (state.get("checkpoint") or {}).get("checkpoint_id") or "-"
    parent = (state.get("parent_checkpoint") or {}).get("checkpoint_id") or "-"
    following = ", ".join(state.get("next") or ()) or "-"
    cells = (metadata.get("step", "-"), checkpoint, parent, metadata.get("source", "-"), following)
    return [clean(str(cell)) for cell in cells]
