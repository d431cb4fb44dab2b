"""Compare the results of two runs, whose ids and times differ."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic import BaseModel

_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"
    r"|\d{4}-\d\d-\d\dT[\d:.]+\+00:00"
)


class Names:
    """Names ids and times by the order in which they appear, so that two runs can be compared."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return _ID.sub(lambda m: self._seen.setdefault(m[0], f"#{len(self._seen)}"), value)
        if isinstance(value, BaseMessage):
            return type(value).__name__, self(value.model_dump())
        if isinstance(value, BaseModel):
            return type(value).__name__, self(dict(value))
        if isinstance(value, dict):
            # Sorted: a dict's order is not part of equality, but of the naming.
            # What langgraph keeps in a config for itself is not compared, nor what versions of
            # langchain's packages are installed on each side.
            own = ("__pregel_", "lc_versions")
            keys = sorted((k for k in value if not str(k).startswith(own)), key=repr)
            return {self(k): self(value[k]) for k in keys}
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return type(value).__name__, self(value._asdict())
        if isinstance(value, list | tuple):
            return type(value)(self(item) for item in value)
        if isinstance(value, BaseException):
            return self(failure(value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
            return type(value).__name__, self(fields)
        return value


def failure(error: BaseException) -> tuple[str, str]:
    """Return the local class of an exception, and its message."""
    local = next(
        kind
        for kind in type(error).__mro__
        if kind.__module__ == "builtins" or kind.__module__.startswith("langgraph.")
    )
    return local.__name__, str(error)


def unordered(value: Any) -> Any:
    """Return a value without its order, which may differ from run to run, and without `Names`."""
    if isinstance(value, str):
        return re.sub(r"#\d+", "#", value)
    if isinstance(value, dict):
        return {unordered(key): unordered(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return sorted((unordered(item) for item in value), key=repr)
    return value


def compare(here: Any, there: Any, *, ordered: bool = True) -> None:
    """Assert that two values are the same but for their ids and times.

    Args:
        here: One of them.
        there: The other.
        ordered: Whether order counts; that of nodes that run side by side differs from run to run.
    """
    if ordered:
        assert Names()(there) == Names()(here)
    else:
        assert unordered(Names()(there)) == unordered(Names()(here))
