"""pytest plugin: of what blocks an event loop, only what blocks that of the test fails it.

LangChain's tests let every blocking call in an event loop fail. The server is in the process of
the test, with an event loop of its own, which it may hold up; locally there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

_MAY_BLOCK = {
    "langgraph_client/server/server.py": {"_run"},
    "langgraph_client/server/http/in_process.py": {"_wait"},
    "upstream/adapters/ours.py": {"make_remote"},
}
"""Functions by their files: the thread of the server, blocking calls, and what starts a server."""


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    yield
    if fixturedef.argname == "blockbuster":
        for function in fixturedef.cached_result[0].functions.values():
            for file, names in _MAY_BLOCK.items():
                function.can_block_in(file, names)
