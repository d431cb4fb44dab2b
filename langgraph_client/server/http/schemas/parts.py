"""Schemas that several bodies share."""

from __future__ import annotations

from langgraph_client.server.http.validation import Schema

STRING: Schema = {"type": "string"}
STRINGS: Schema = {"type": "array", "items": STRING}
OBJECT: Schema = {"type": "object"}
FLAG: Schema = {"type": "boolean"}
LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 1000}
#: A database has 64-bit integers.
OFFSET: Schema = {"type": "integer", "minimum": 0, "maximum": 2**62}
SORT_ORDER: Schema = {"type": "string", "enum": ["asc", "desc"]}
MULTITASK_STRATEGY: Schema = {
    "type": "string",
    "enum": ["reject", "rollback", "interrupt", "enqueue"],
}


def body(required: list[str] | None = None, **properties: object) -> Schema:
    """Return the schema of an object with these properties."""
    schema: dict[str, object] = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema
