"""For testing code that talks to such servers. Names are loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph_client.server.asked import Asked, Requests
    from langgraph_client.server.dumps import Dump
    from langgraph_client.server.failures import Failure
    from langgraph_client.server.holds import Hold
    from langgraph_client.server.scripted import (
        Ask,
        Attempts,
        Emit,
        Fail,
        Say,
        ScriptedGraph,
        Update,
        Wait,
    )
    from langgraph_client.testing.cassette import Cassette, CassetteMismatch, recorded
    from langgraph_client.testing.clock import TestClock
    from langgraph_client.testing.faults import Fault, Faults
    from langgraph_client.testing.faults_proxy import FaultProxy
    from langgraph_client.testing.mock import LangGraphMock

__all__ = [
    "Ask",
    "Asked",
    "Attempts",
    "Cassette",
    "CassetteMismatch",
    "Dump",
    "Emit",
    "Fail",
    "Failure",
    "Fault",
    "FaultProxy",
    "Faults",
    "Hold",
    "LangGraphMock",
    "Requests",
    "Say",
    "ScriptedGraph",
    "TestClock",
    "Update",
    "Wait",
    "recorded",
]

_LAZY = {
    "Ask": "langgraph_client.server.scripted",
    "Asked": "langgraph_client.server.asked",
    "Attempts": "langgraph_client.server.scripted",
    "Cassette": "langgraph_client.testing.cassette",
    "CassetteMismatch": "langgraph_client.testing.cassette",
    "Dump": "langgraph_client.server.dumps",
    "Emit": "langgraph_client.server.scripted",
    "Fail": "langgraph_client.server.scripted",
    "Failure": "langgraph_client.server.failures",
    "Fault": "langgraph_client.testing.faults",
    "FaultProxy": "langgraph_client.testing.faults_proxy",
    "Faults": "langgraph_client.testing.faults",
    "Hold": "langgraph_client.server.holds",
    "LangGraphMock": "langgraph_client.testing.mock",
    "Requests": "langgraph_client.server.asked",
    "Say": "langgraph_client.server.scripted",
    "ScriptedGraph": "langgraph_client.server.scripted",
    "TestClock": "langgraph_client.testing.clock",
    "Update": "langgraph_client.server.scripted",
    "Wait": "langgraph_client.server.scripted",
    "recorded": "langgraph_client.testing.cassette",
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
