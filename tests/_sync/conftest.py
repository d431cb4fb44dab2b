# Generated from tests/_async/conftest.py by .ci/unasync.py; do not edit.
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from langgraph_client import SyncLangGraphClient, get_sync_client


@pytest.fixture
def client(subject: str, request: Any) -> Iterator[SyncLangGraphClient]:
    """A client of the bundled server; with --interop of the real one."""
    if subject == "real":
        made = get_sync_client(url=request.getfixturevalue("real_url"))
    else:
        made = request.getfixturevalue("server").sync_client()
    with made:
        yield made
