"""pytest plugin: count how often a test makes a client, and stop what it has served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from upstream.standins import loopback, sdk


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    sdk.reached = 0


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield
    item.user_properties.append(("calls", sdk.reached))
    loopback.stop_all()
