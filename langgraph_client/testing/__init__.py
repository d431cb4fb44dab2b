"""Tools to test code that calls LangGraph servers. Names are loaded on first use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph_client.server.graphs.script_steps import (
        Ask,
        Attempts,
        Emit,
        Fail,
        Say,
        Update,
        Wait,
    )
    from langgraph_client.server.graphs.scripted import ScriptedGraph
    from langgraph_client.testing.cassette import Cassette, CassetteMismatch, recorded
    from langgraph_client.testing.clock import TestClock
    from langgraph_client.testing.dumps import Dump
    from langgraph_client.testing.failures import Failure
    from langgraph_client.testing.fake_chat_model import FakeChatModel, ModelCall
    from langgraph_client.testing.faults import Fault, Faults
    from langgraph_client.testing.faults_proxy import FaultProxy
    from langgraph_client.testing.holds import Hold
    from langgraph_client.testing.mock import LangGraphMock
    from langgraph_client.testing.request_log import LoggedRequest, RequestLog
    from langgraph_client.testing.server import TestServer

__all__ = [
    "Ask",
    "Attempts",
    "Cassette",
    "CassetteMismatch",
    "Dump",
    "Emit",
    "Fail",
    "Failure",
    "FakeChatModel",
    "Fault",
    "FaultProxy",
    "Faults",
    "Hold",
    "LangGraphMock",
    "LoggedRequest",
    "ModelCall",
    "RequestLog",
    "Say",
    "ScriptedGraph",
    "TestClock",
    "TestServer",
    "Update",
    "Wait",
    "recorded",
]

_LAZY = {
    "Ask": "langgraph_client.server.graphs.script_steps",
    "LoggedRequest": "langgraph_client.testing.request_log",
    "Attempts": "langgraph_client.server.graphs.script_steps",
    "Cassette": "langgraph_client.testing.cassette",
    "CassetteMismatch": "langgraph_client.testing.cassette",
    "Dump": "langgraph_client.testing.dumps",
    "Emit": "langgraph_client.server.graphs.script_steps",
    "Fail": "langgraph_client.server.graphs.script_steps",
    "Failure": "langgraph_client.testing.failures",
    "FakeChatModel": "langgraph_client.testing.fake_chat_model",
    "ModelCall": "langgraph_client.testing.fake_chat_model",
    "Fault": "langgraph_client.testing.faults",
    "FaultProxy": "langgraph_client.testing.faults_proxy",
    "Faults": "langgraph_client.testing.faults",
    "Hold": "langgraph_client.testing.holds",
    "LangGraphMock": "langgraph_client.testing.mock",
    "RequestLog": "langgraph_client.testing.request_log",
    "Say": "langgraph_client.server.graphs.script_steps",
    "ScriptedGraph": "langgraph_client.server.graphs.scripted",
    "TestClock": "langgraph_client.testing.clock",
    "TestServer": "langgraph_client.testing.server",
    "Update": "langgraph_client.server.graphs.script_steps",
    "Wait": "langgraph_client.server.graphs.script_steps",
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
    # freezegun reads every name that a module lists, when time is frozen: what is loaded then would
    # keep its false datetime class for good. Where it is in use, only loaded names are listed.
    return sorted(globals() if "freezegun" in sys.modules else {*globals(), *_LAZY})
