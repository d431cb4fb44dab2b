# Generated from tests/_async/conftest.py by .ci/unasync.py; do not edit.
from __future__ import annotations

from collections.abc import Iterator

import pytest

from langgraph_client import Server, SyncLangGraphClient


@pytest.fixture
def client(server: Server) -> Iterator[SyncLangGraphClient]:
    """A client of `server`."""
    with server.sync_client() as made:
        yield made
