"""The schemas of the bodies of store requests. Fields without a schema are not checked."""

from __future__ import annotations

from langgraph_client.server.http.schemas.parts import STRING, STRINGS
from langgraph_client.server.http.validation import Schema

_OPTIONAL = {"type": ["array", "null"], "items": {"type": "string"}}
_COUNT = {"type": ["integer", "null"], "minimum": 0, "maximum": 2**31}
PUT: Schema = {
    "type": "object",
    "required": ["namespace", "key", "value"],
    "properties": {
        "namespace": STRINGS,
        "key": STRING,
        "value": {"type": "object"},
        "index": {"anyOf": [{"type": "boolean"}, STRINGS, {"type": "null"}]},
        "ttl": {"type": ["number", "null"], "minimum": 0, "maximum": 100_000_000},
    },
}
DELETE: Schema = {
    "type": "object",
    "required": ["key"],
    "properties": {"namespace": STRINGS, "key": STRING},
}
SEARCH: Schema = {
    "type": "object",
    "properties": {
        "namespace_prefix": _OPTIONAL,
        "filter": {"type": ["object", "null"]},
        "limit": _COUNT,
        "offset": _COUNT,
        "query": {"type": ["string", "null"]},
        "refresh_ttl": {"type": ["boolean", "null"]},
    },
}
NAMESPACES: Schema = {
    "type": "object",
    "properties": {
        "prefix": _OPTIONAL,
        "suffix": _OPTIONAL,
        "max_depth": _COUNT,
        "limit": _COUNT,
        "offset": _COUNT,
    },
}
