"""Stands in for `langgraph.pregel.remote`: the public names of the package under test.

Environment:
    UPSTREAM_REMOTE: The module whose `RemoteGraph` is tested.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from upstream.standins import private

_target = importlib.import_module(os.environ["UPSTREAM_REMOTE"])


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name.startswith("_") or not hasattr(_target, name):
        return private.placeholder(name)
    return getattr(_target, name)
