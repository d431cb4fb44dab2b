"""pytest plugin: what a test asks of a compiled graph goes to a remote graph.

It replaces methods of `Pregel`, so that a call whose immediate caller is a test goes to
`make_remote(graph)` of the adapter. Calls that the engine, nodes and libraries make stay local.

Environment:
    UPSTREAM_ADAPTER: The module in `adapters` that says what a remote graph is.
    UPSTREAM_TESTS: The folder of the staged tests.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
from collections.abc import Iterator
from types import FrameType, ModuleType
from typing import Any

import pytest
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.pregel import Pregel

METHODS = [
    name
    for plain in (
        "invoke",
        "stream",
        "get_state",
        "get_state_history",
        "update_state",
        "bulk_update_state",
        "batch",
        "stream_events",
        "get_graph",
    )
    for name in (plain, f"a{plain}")
    if hasattr(Pregel, name)
]
#: The parameters of fixtures that need no database.
LOCAL = {
    "sync_checkpointer": {"memory"},
    "async_checkpointer": {"memory"},
    "sync_store": {"in_memory"},
    "async_store": {"in_memory"},
    "cache": {"memory"},
}
TESTS = os.path.realpath(os.environ["UPSTREAM_TESTS"])
ENGINE = tuple(os.path.join("langgraph", "pregel", name) for name in ("_runner.py", "_retry.py"))
POOL = os.path.join("concurrent", "futures", "thread.py")


class Routing:
    """Which graph is remote as what, in the test that is running."""

    def __init__(self, adapter: ModuleType) -> None:
        self.adapter = adapter
        self.is_on = False
        self.calls = 0
        self.last = ""
        # The graph is kept beside its remote, so that its id is not given to another one.
        self._remotes: dict[int, tuple[Any, Any]] = {}

    def begin(self) -> None:
        self.is_on, self.calls = True, 0
        self._remotes.clear()

    def end(self) -> None:
        self.is_on = False
        self._remotes.clear()
        self.adapter.end_test()

    def remote(self, graph: Any) -> Any:
        if id(graph) not in self._remotes:
            self._remotes[id(graph)] = (graph, self.adapter.make_remote(graph))
        return self._remotes[id(graph)][1]


def _is_called_by_a_test(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    # The pool's own frame is there for `executor.submit(graph.invoke, ...)`.
    return name.startswith(TESTS) or name.endswith(POOL)


def _is_in_a_run(frame: FrameType | None) -> bool:
    if var_child_runnable_config.get(None) is not None:
        return True
    for _ in range(60):
        if frame is None:
            return False
        if frame.f_code.co_filename.endswith(ENGINE):
            return True
        frame = frame.f_back
    return False


def _route(routing: Routing, name: str) -> None:
    original = getattr(Pregel, name)

    @functools.wraps(original)
    def routed(self: Any, *args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1)
        if not routing.is_on or not _is_called_by_a_test(caller) or _is_in_a_run(caller):
            return original(self, *args, **kwargs)
        routing.calls += 1
        routing.last = name
        remote = routing.remote(self)
        if remote is self:  # Not by its name: it may be the test that has replaced the method.
            return original(self, *args, **kwargs)
        return getattr(remote, name)(*args, **kwargs)

    if inspect.iscoroutinefunction(original) and sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(routed)
    setattr(Pregel, name, routed)


_routing: Routing | None = None


def current() -> Routing | None:
    """The routing of this process; None in one that only hands out tests to others."""
    return _routing


def pytest_configure(config: pytest.Config) -> None:
    global _routing
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        adapter = importlib.import_module(f"upstream.adapters.{os.environ['UPSTREAM_ADAPTER']}")
        adapter.begin_session()
        _routing = Routing(adapter)
        for name in METHODS:
            _route(_routing, name)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _routing is not None:
        _routing.adapter.end_session()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    dropped = [item for item in items if not _needs_no_database(item)]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if _needs_no_database(item)]


def _needs_no_database(item: pytest.Item) -> bool:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return all(parameters[name] in LOCAL[name] for name in LOCAL if name in parameters)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    assert _routing is not None
    _routing.begin()
    try:
        yield
    finally:
        item.user_properties.append(("calls", _routing.calls))
        _routing.end()
