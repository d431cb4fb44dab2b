"""A forked process opens connections of its own, and leaves those of its parent alone."""

from __future__ import annotations

import subprocess
import sys

from tests.support.raw_server import Asked, Send, http, raw_server
from tests.support.strict import STRICT

PROGRAM = """
import asyncio
import os
import sys

from langgraph_client import get_client, get_sync_client

blocking = get_sync_client(url=sys.argv[1], api_key="of-the-blocking-client")
concurrent = get_client(url=sys.argv[1], api_key="of-the-async-client")


def ask():
    blocking.threads.get("t")
    asyncio.run(concurrent.threads.get("t"))


ask()
child = os.fork()
if child == 0:
    ask()
    blocking.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
ask()
blocking.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_process_opens_its_own_connections() -> None:
    """Parent and child share none; the parent's one still serves after the child has closed."""

    def answer(asked: Asked, send: Send) -> None:
        send(http(b'{"thread_id": "t"}', "content-type: application/json"))

    with raw_server(answer) as server:
        command = [sys.executable, *STRICT, "-c", PROGRAM, server.url]
        subprocess.run(command, check=True, timeout=300)

    keys = [(asked.headers["x-api-key"], asked.connection) for asked in server.asked]
    blocking = [connection for key, connection in keys if key == "of-the-blocking-client"]
    concurrent = [connection for key, connection in keys if key == "of-the-async-client"]
    before, child, after = blocking
    assert before == after != child
    assert len(set(concurrent)) == 3  # Each `asyncio.run` is a loop with connections of its own.
