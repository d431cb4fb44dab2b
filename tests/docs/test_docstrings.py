"""The example of each method of the client runs."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from langgraph_client import (
    AssistantsClient,
    CronClient,
    LangGraphClient,
    RunsClient,
    Server,
    StoreClient,
    ThreadsClient,
)
from langgraph_client._async.http import HttpClient

ROOT = Path(__file__).parent.parent.parent
RESOURCES = (
    AssistantsClient,
    CronClient,
    HttpClient,
    LangGraphClient,
    RunsClient,
    StoreClient,
    ThreadsClient,
)
_EXAMPLE = re.compile(r"^Example:\n((?:    .*\n|\n)+)", re.MULTILINE)
#: The class of an event stream has the example; a client that is closed serves no other test.
ELSEWHERE = {"LangGraphClient.aclose", "ThreadsClient.stream"}

METHODS: dict[str, Callable[..., Any]] = {
    f"{kind.__name__}.{name}": method
    for kind in RESOURCES
    for name, method in vars(kind).items()
    if inspect.isfunction(method) and not name.startswith("_")
}


def example(method: Callable[..., Any]) -> str | None:
    """The code of a docstring's example; None where it has none."""
    found = _EXAMPLE.search((inspect.getdoc(method) or "") + "\n")
    return None if found is None else textwrap.dedent(found[1])


@pytest_asyncio.fixture
async def names(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, Any]]:
    """What the examples take as given: a client, and ids of what exists."""
    monkeypatch.syspath_prepend(ROOT / "examples" / "agent")
    from agent import agent

    async with Server({"agent": agent}) as server, server.client() as client:
        yield {"client": client, **await ids(client)}


async def ids(client: LangGraphClient) -> dict[str, str]:
    question = {"messages": [{"role": "user", "content": "Hello!"}]}
    thread = await client.threads.create(metadata={"user": "bob"})
    thread_id = thread["thread_id"]
    run = await client.runs.create(thread_id, "agent", input=question)
    await client.runs.join(thread_id, run["run_id"])
    assistant = await client.assistants.create("agent")
    cron = await client.crons.create("agent", schedule="0 0 1 1 *", input=question)
    await client.store.put_item(("users", "bob"), "profile", {"likes": "tea"})
    return {
        "thread_id": thread_id,
        "run_id": run["run_id"],
        "assistant_id": assistant["assistant_id"],
        "cron_id": cron["cron_id"],
    }


def test_each_method_has_an_example() -> None:
    """Where its reader stands."""
    lacking = {name for name, method in METHODS.items() if example(method) is None}
    assert lacking == ELSEWHERE


@pytest.mark.parametrize("name", sorted(set(METHODS) - ELSEWHERE))
async def test_the_example_runs(name: str, names: dict[str, Any]) -> None:
    """As it stands, with the ids it speaks of."""
    source = example(METHODS[name])
    assert source is not None
    if "running_id" in source:
        run = await names["client"].runs.create(names["thread_id"], "agent", after_seconds=600)
        names["running_id"] = run["run_id"]
    code = compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    assert inspect.iscoroutine(result)
    await result
