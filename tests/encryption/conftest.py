"""Servers with an `Encryption`, on each database."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from langgraph_client.encryption import Encryption, EncryptionContext
from langgraph_client.server.server import Server

SECRET = "what-only-ann-may-know"
PLAIN = {"owner", "color"}
_KEY = 0x5A
_PREFIX = "locked:"


def scrambled(data: bytes) -> bytes:
    """Return bytes that do not show what they were; twice gives the same."""
    return bytes(byte ^ _KEY for byte in data)


def lock(value: Any) -> str:
    return _PREFIX + base64.b64encode(scrambled(json.dumps(value).encode())).decode()


def unlock(value: Any) -> Any:
    if not (isinstance(value, str) and value.startswith(_PREFIX)):
        return value
    return json.loads(scrambled(base64.b64decode(value.removeprefix(_PREFIX))))


def locking(made: Any = None) -> Any:
    """Return an `Encryption` whose handlers wait, as those that ask a service for keys do.

    Attributes:
        seen: The contexts that the handlers were given, each with what was to be done.
    """
    encryption = made or Encryption()

    @encryption.encrypt.json
    async def encrypt(ctx: EncryptionContext, data: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0.001)
        return {name: data[name] if name in PLAIN else lock(data[name]) for name in data}

    @encryption.decrypt.json
    async def decrypt(ctx: EncryptionContext, data: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {name: unlock(data[name]) for name in data}

    @encryption.encrypt.blob
    async def encrypt_blob(ctx: EncryptionContext, blob: bytes) -> bytes:
        await asyncio.sleep(0.001)
        return scrambled(blob)

    @encryption.decrypt.blob
    async def decrypt_blob(ctx: EncryptionContext, blob: bytes) -> bytes:
        await asyncio.sleep(0)
        return scrambled(blob)

    return encryption


class State(TypedDict, total=False):
    secret: str
    answer: Any


def keep(state: State) -> State:
    return {"answer": f"kept {state.get('secret')}"}


def ask(state: State) -> State:
    return {"answer": interrupt(f"what of {state.get('secret')}?")}


def fail(state: State) -> State:
    raise ValueError(f"no {state.get('secret')} today")


_inner = StateGraph(State).add_node("inner", keep).add_edge(START, "inner").compile(True)


def blocking(state: State) -> State:
    found: State = _inner.invoke(state)  # type: ignore[assignment]
    return found


async def blocking_within(state: State) -> State:
    return blocking(state)


GRAPHS = {
    node.__name__: StateGraph(State)
    .add_node(node.__name__, node)
    .add_edge(START, node.__name__)
    .compile()
    for node in (keep, ask, fail, blocking, blocking_within)
}


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Where a server is to keep everything."""
    match request.param:
        case "memory":
            return None
        case "sqlite":
            return tmp_path / "state.db"
        case _:
            return request.getfixturevalue("postgres")


def http_of(server: Server) -> httpx.Client:
    """Return bare httpx to a server."""
    return httpx.Client(transport=server.transport(), base_url="http://test", timeout=60)


def kept_by(server: Server) -> bytes:
    """Return everything that a server keeps, as it is stored."""
    storage = server.services.storage
    tables = asyncio.run_coroutine_threadsafe(storage.export(), server.loop).result(60)
    return b"\n".join(_bytes(tables))


def _bytes(value: Any) -> Iterator[bytes]:
    if isinstance(value, dict):
        if value.keys() == {"base64"}:
            yield base64.b64decode(value["base64"])
            return
        for name in value:
            yield from _bytes(name)
            yield from _bytes(value[name])
    elif isinstance(value, list):
        for item in value:
            yield from _bytes(item)
    else:
        yield str(value).encode()
