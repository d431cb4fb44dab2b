"""The text of messages: of dicts from a server, and of langchain's objects."""

from __future__ import annotations

from collections.abc import Mapping


def message_parts(message: object) -> tuple[str, str, str]:
    """Return the kind, the text and the id of a message: a dict, or an object of langchain."""
    if isinstance(message, Mapping):
        fields = message
    else:
        fields = getattr(message, "__dict__", {})
    kind = str(fields.get("type") or fields.get("role") or "")
    return kind, content_text(fields.get("content")), str(fields.get("id") or "")


def content_text(content: object) -> str:
    """Return the text of a message's content: text, or a list of blocks."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (
        block if isinstance(block, str) else block.get("text")
        for block in content
        if isinstance(block, str | Mapping)
    )
    return "".join(text for text in texts if isinstance(text, str))


def is_message(value: object) -> bool:
    """Return whether a value is a message: a dict of that form, or an object of langchain."""
    fields = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    return isinstance(fields.get("type"), str) and "content" in fields
