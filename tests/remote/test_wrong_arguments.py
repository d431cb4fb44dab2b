"""What a caller mistakes is said in the caller's terms, before anything is sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_client as sdk_client
from langgraph_sdk import get_sync_client as sdk_sync_client

from langgraph_client import (
    InvalidArgumentError,
    RemoteGraph,
    get_client,
    get_sync_client,
)

URL = "http://localhost:9"


class Colour(Enum):
    RED = "red"


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a thread in place of a config": (
        lambda: RemoteGraph("g", url=URL).invoke({}, "thread1"),  # type: ignore[arg-type]
        r'config: must be a mapping, not str; to name a thread, pass {"configurable":'
        r' {"thread_id": \'thread1\'}}',
    ),
    "an id in place of a config": (
        lambda: RemoteGraph("g", url=URL).get_state(uuid.uuid4()),  # type: ignore[arg-type]
        "config: must be a mapping, not UUID",
    ),
    "a thread in place of a configurable": (
        lambda: RemoteGraph("g", url=URL).invoke({}, {"configurable": "thread1"}),
        "config.configurable: must be a mapping, not str",
    ),
    "metadata": (
        lambda: RemoteGraph("g", url=URL).invoke({}, {"metadata": ["a"]}),
        "config.metadata: must be a mapping, not list",
    ),
    "a default config": (
        lambda: RemoteGraph("g", url=URL, config="thread1").invoke({}),  # type: ignore[arg-type]
        "config: must be a mapping, not str",
    ),
    "a saver": (
        lambda: RemoteGraph("g", url=URL, checkpointer=InMemorySaver()),  # type: ignore[arg-type]
        "checkpointer: must be True, False or None, not <.*InMemorySaver",
    ),
    "no transformers": (
        lambda: RemoteGraph("g", url=URL, transformers=None),  # type: ignore[arg-type]
        "transformers: must be a list of classes or factories, not None",
    ),
    "a transformer without its list": (
        lambda: RemoteGraph("g", url=URL, transformers=dict),  # type: ignore[arg-type]
        "transformers: must be a list of classes or factories, not <class 'dict'>",
    ),
    "a transformer by its name": (
        lambda: RemoteGraph("g", url=URL).copy({"transformers": ["ToolCallTransformer"]}),
        r"transformers: must be a list of classes or factories, not \['ToolCallTransformer'\]",
    ),
    "no types": (
        lambda: RemoteGraph("g", url=URL, allow_types=None),  # type: ignore[arg-type]
        "allow_types: must be a list of classes, not None",
    ),
    "a type without its list": (
        lambda: RemoteGraph("g", url=URL, allow_types=Colour),  # type: ignore[arg-type]
        "allow_types: must be a list of classes, not <enum 'Colour'>",
    ),
    "a type by its name": (
        lambda: RemoteGraph("g", url=URL).copy({"allow_types": ["Colour"]}),
        r"allow_types: must be a list of classes, not \['Colour'\]",
    ),
    "an async client for the blocking methods": (
        lambda: RemoteGraph("g", sync_client=get_client(url=URL)),
        "sync_client: must be a client of get_sync_client, not of get_client",
    ),
    "a blocking client for the async methods": (
        lambda: RemoteGraph("g", client=get_sync_client(url=URL)),
        "client: must be a client of get_client, not of get_sync_client",
    ),
    "langgraph_sdk's async client": (
        lambda: RemoteGraph("g", sync_client=sdk_client(url=URL)),
        "sync_client: must be a client of get_sync_client",
    ),
    "langgraph_sdk's blocking client": (
        lambda: RemoteGraph("g", client=sdk_sync_client(url=URL)),
        "client: must be a client of get_client",
    ),
    "a client that is set later": (
        lambda: setattr(RemoteGraph("g", url=URL), "sync_client", get_client(url=URL)),
        "sync_client: must be a client of get_sync_client",
    ),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_argument_is_named(name: str) -> None:
    """With its parameter, what it must be, and what it is."""
    call, message = WRONG[name]
    with pytest.raises(InvalidArgumentError, match=message):
        call()
