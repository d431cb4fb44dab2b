# Generated from tests/_async/test_policies.py by .ci/unasync.py; do not edit.
"""What is no policy is refused where the client is made."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph_client import InvalidArgumentError, RetryPolicy, get_sync_client


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_attempts", "3"), ("max_attempts", None), ("max_attempts", 0), ("initial", "1")],
)
def test_a_retry_policy_has_numbers(name: str, value: Any) -> None:
    """The error names the setting."""
    options: dict[str, Any] = {name: value}
    with pytest.raises(InvalidArgumentError, match=f"{name}: must be "):
        RetryPolicy(**options)


@pytest.mark.parametrize(
    ("name", "value"), [("retry", 5), ("retry", False), ("reconnect", {"heartbeat_timeout": 3})]
)
def test_a_policy_is_an_object(name: str, value: Any) -> None:
    """A number of attempts belongs into a `RetryPolicy`."""
    options: dict[str, Any] = {name: value}
    with pytest.raises(InvalidArgumentError, match=f"{name}: must be a Re.*Policy, not "):
        get_sync_client(**options)
