"""The parameters of queries that have readings of their own."""

from __future__ import annotations

from langgraph_client.server.errors import Invalid
from langgraph_client.server.http.endpoint import Query, flag, integer, texts, truth
from langgraph_client.server.http.routes import runs


def _read_xray(given: list[str]) -> bool | int:
    word = given[-1] if given else "false"
    if word in ("false", "False", "true", "True"):
        return word in ("true", "True")
    depth: int = _DEPTH.read(given)
    if depth < 1 or not word.isdecimal():
        raise Invalid("Invalid xray value")
    return depth


_DEPTH = integer(0, Invalid, "Invalid xray value")
XRAY = Query(_read_xray, {"type": ["boolean", "integer"]})
PYTHON_TRUE = flag("true", "True")
SELECT = texts(runs.FIELDS, f"Invalid select columns: {{}}. Expected: {{{str(runs.FIELDS)[1:-1]}}}")
REFRESH = Query(lambda given: truth().read(given) if given else None, {"type": "boolean"})
NAMESPACE = Query(lambda given: (given[-1] if given else "").split("."), {"type": "string"})
