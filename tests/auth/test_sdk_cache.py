"""Code that uses `langgraph_sdk.cache` on a deployment uses this package's cache here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.strict import STRICT

IMPORT = "from langgraph_sdk.cache import SWRResult, cache_get, cache_set, swr\n"
SERVER = "from langgraph_client import Server\nServer({})\n"
PROGRAM = """
import asyncio
from datetime import timedelta

async def main():
    await cache_set("a", {"n": 1}, ttl=timedelta(minutes=1))
    assert await cache_get("a") == {"n": 1}

    async def load():
        return 2

    found = await swr("b", load, fresh_for=timedelta(minutes=1))
    assert isinstance(found, SWRResult) and (found.value, found.status) == (2, "miss")

    from langgraph_client.cache import cache_get as own
    assert await own("a") == {"n": 1}

asyncio.run(main())
"""


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_cache_of_langgraph_sdk(order: str) -> None:
    """Whether it is imported before the server is made or after."""
    if order == "before":
        program = "import langgraph_sdk.cache\n" + SERVER + IMPORT + PROGRAM
    else:
        program = SERVER + IMPORT + PROGRAM
    done = subprocess.run(
        [sys.executable, *STRICT, "-c", program],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
