"""Query parameters that need their own parser."""

from __future__ import annotations

from langgraph_client.server.errors import Invalid
from langgraph_client.server.http.endpoint import Query, flag, integer, lenient_flag, texts
from langgraph_client.server.http.routes import runs


def _read_xray(values: list[str]) -> bool | int:
    word = (values[-1] if values else "") or "false"
    if word in ("false", "False", "true", "True"):
        return word in ("true", "True")
    depth: int = _DEPTH.read(values)
    if depth < 1 or not word.isdecimal():
        raise Invalid("Invalid xray value")
    return depth


_DEPTH = integer(0, Invalid, "Invalid xray value")
XRAY = Query(_read_xray, {"type": ["boolean", "integer"]})
PYTHON_TRUE = flag("true", "True")
SELECT = texts(runs.FIELDS, f"Invalid select columns: {{}}. Expected: {{{str(runs.FIELDS)[1:-1]}}}")
REFRESH = Query(lambda values: lenient_flag().read(values) if values else None, {"type": "boolean"})
NAMESPACE = Query(lambda values: (values[-1] if values else "").split("."), {"type": "string"})
