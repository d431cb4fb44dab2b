"""pytest plugin: the agents of a supervisor or of a swarm are remote, beside what `routing` does.

Each test of `tests/supervisor` and `tests/swarm` runs with the whole graph remote, with only its
agents remote (the graph itself is local), and with both.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from upstream.plugins import routing

_MAKERS = {"supervisor": "langgraph_supervisor", "swarm": "langgraph_swarm"}
_REMOTE = ("whole", "agents", "both")

_has_remote_agents = False


def pytest_configure() -> None:
    for name, package in _MAKERS.items():
        module = importlib.import_module(package)
        original = getattr(module, f"create_{name}")
        setattr(module, original.__name__, _with_remote_agents(original))


def _with_remote_agents(make: Any) -> Any:
    @functools.wraps(make)
    def made(agents: list[Any], *args: Any, **kwargs: Any) -> Any:
        if _has_remote_agents and (router := routing.current()) is not None:
            router.calls += 1
            agents = [router.remote(agent) for agent in agents]
        return make(agents, *args, **kwargs)

    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.split(".")[-2] in _MAKERS:
        metafunc.fixturenames.append("remote")
        metafunc.parametrize("remote", _REMOTE)


@pytest.hookimpl(hookwrapper=True, trylast=True)  # After `routing` has been switched on.
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    global _has_remote_agents
    remote = item.callspec.params.get("remote") if hasattr(item, "callspec") else None
    router = routing.current()
    assert router is not None
    _has_remote_agents = remote in ("agents", "both")
    router.is_on = remote != "agents"
    yield
    _has_remote_agents = False
