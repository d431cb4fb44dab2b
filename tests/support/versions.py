"""Marks for tests of what only newer versions of langgraph do."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from packaging.version import Version


def needs_langgraph(oldest: str, why: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test on older versions of langgraph.

    Args:
        oldest: The first version on which the test passes.
        why: What older ones do.
    """
    is_older = Version(version("langgraph")) < Version(oldest)
    return pytest.mark.skipif(is_older, reason=f"before langgraph {oldest}, {why}")


OWN_THREADS = needs_langgraph(
    "1.2.22", "a local parent does not stream the messages of a call on a thread of its own"
)
"""A RemoteGraph streams them beside any version."""
