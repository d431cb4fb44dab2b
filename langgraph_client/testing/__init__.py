"""For testing code that talks to such servers. Names are loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph_client.testing.faults import Fault, Faults
    from langgraph_client.testing.faults_proxy import FaultProxy

__all__ = ["Fault", "FaultProxy", "Faults"]

_LAZY = {
    "Fault": "langgraph_client.testing.faults",
    "FaultProxy": "langgraph_client.testing.faults_proxy",
    "Faults": "langgraph_client.testing.faults",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
