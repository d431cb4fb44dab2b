"""What a request says of who it is and where it works reaches no further than its user may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, TypedDict

import httpx
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph._internal import _constants
from langgraph.graph import START, StateGraph

from langgraph_client import Auth
from langgraph_client.server.reserved_keys import RESERVED_CONFIGURABLE
from langgraph_client.testing import TestClock, TestServer
from langgraph_client.thread_ids import OWN_THREAD, THREAD_HEADER
from langgraph_client.values import HEADER, VERSION
from tests.auth.conftest import client, owners


class State(TypedDict, total=False):
    secret: str
    seen: Any


class Context(TypedDict, total=False):
    thread_id: str
    checkpoint_ns: str
    langgraph_auth_user: dict[str, str]
    run_id: str
    tone: str


LOOKED_AT = ("thread_id", "checkpoint_ns", "langgraph_auth_user_id", "own", "tone")


def look(state: State, config: RunnableConfig) -> State:
    configurable = config["configurable"]
    user = configurable["langgraph_auth_user"].identity
    return {"seen": {"user": user, **{key: configurable.get(key) for key in LOOKED_AT}}}


_NAMES = [name for name in vars(_constants).values() if isinstance(name, str)]
INTERNAL = sorted(
    name
    for name in {*_NAMES, *RESERVED_CONFIGURABLE, OWN_THREAD}
    if name.startswith(("__pregel_", "langgraph_auth_"))
)
"""The keys of `configurable` that belong to langgraph, and to the server with an `Auth`."""


def find(state: State, config: RunnableConfig) -> State:
    """Return the user, and the keys of `configurable` with the value that `input` names."""
    configurable = config["configurable"]
    user = configurable["langgraph_auth_user"].identity
    forged_keys = [key for key, value in configurable.items() if value == state["seen"]]
    return {"seen": {"user": user, "forged": forged_keys}}


GRAPH = StateGraph(State, context_schema=Context).add_node("look", look).add_edge(START, "look")
FIND = StateGraph(State).add_node("find", find).add_edge(START, "find")


@pytest.fixture
def server() -> Iterator[TestServer]:
    """A server where everybody has what is theirs, with a graph that tells what it was told."""
    graphs = {"look": GRAPH.compile(), "find": FIND.compile()}
    with TestServer(graphs, auth=owners()) as running:
        yield running


@pytest.fixture
def hers(ann: httpx.Client) -> str:
    """A thread of ann's with a secret."""
    thread_id: str = ann.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "look", "input": {"secret": "hers"}}
    assert ann.post(f"/threads/{thread_id}/runs/wait", json=body).status_code == 200
    return thread_id


def forged(thread_id: str) -> dict[str, Any]:
    """Return what bob says to be ann, and to work on her thread."""
    return {
        "thread_id": thread_id,
        "checkpoint_ns": "",
        "run_id": "00000000-0000-4000-8000-000000000000",
        "langgraph_auth_user": {"identity": "ann"},
        "langgraph_auth_user_id": "ann",
        "callbacks": ["no"],
        "__pregel_own_thread": thread_id,
        "own": "kept",
    }


WAYS = {
    "the top of the config": lambda of: {"config": of},
    "configurable": lambda of: {"config": {"configurable": of}},
    "the context": lambda of: {"context": of},
}


@pytest.mark.parametrize("by_assistant", [False, True], ids=["run", "assistant"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stateless", [False, True], ids=["own thread", "stateless"])
def test_a_run_works_on_its_own_thread_as_its_own_user(
    stateless: bool, way: str, by_assistant: bool, ann: httpx.Client, bob: httpx.Client, hers: str
) -> None:
    """A config or a context cannot name another thread or another user."""
    said = WAYS[way](forged(hers))
    assistant = "look"
    if by_assistant:
        created = bob.post("/assistants", json={"graph_id": "look", **said})
        assert created.status_code == 200, created.text
        assistant, said = created.json()["assistant_id"], {}
    own = bob.post("/threads", json={}).json()["thread_id"]
    path = "/runs/wait" if stateless else f"/threads/{own}/runs/wait"
    ended = bob.post(path, json={"assistant_id": assistant, "input": {}, **said})
    assert ended.status_code == 200, ended.text
    told = ended.json()
    assert "secret" not in told
    seen = told["seen"]
    assert (seen["user"], seen["langgraph_auth_user_id"]) == ("bob", "bob")
    assert seen["thread_id"] != hers
    assert stateless or seen["thread_id"] == own
    if way != "the context":
        assert seen["own"] == "kept"
    values = ann.get(f"/threads/{hers}/state").json()["values"]
    assert (values["secret"], values["seen"]["user"]) == ("hers", "ann")


@pytest.mark.parametrize("by_assistant", [False, True], ids=["run", "assistant"])
@pytest.mark.parametrize("way", ["configurable", "the context"])
@pytest.mark.parametrize("key", INTERNAL)
def test_a_remote_graph_sets_no_internal_key(
    key: str, way: str, by_assistant: bool, ann: httpx.Client, bob: httpx.Client, hers: str
) -> None:
    """Neither its `configurable` nor its context has a key of langgraph or of the server.

    The graph has no `context_schema`, so that a context may have any key.
    """
    said = WAYS[way]({key: hers, "own": hers})
    assistant = "find"
    if by_assistant:
        created = bob.post("/assistants", json={"graph_id": "find", **said})
        assert created.status_code == 200, created.text
        assistant, said = created.json()["assistant_id"], {}
    own = bob.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": assistant, "input": {"seen": hers}, **said}
    ended = bob.post(f"/threads/{own}/runs/wait", json=body, headers={HEADER: VERSION})
    assert ended.status_code == 200, ended.text
    assert ended.json() == {"seen": {"user": "bob", "forged": ["own"]}}
    assert "bob" not in ann.get(f"/threads/{hers}/state").text


@pytest.mark.parametrize("answer", ["filter", "no"])
@pytest.mark.parametrize("call", ["read", "update"])
def test_a_state_is_opened_with_readable_assistants_only(call: str, answer: str) -> None:
    """The settings of another user's assistant reach no graph through the header of a RemoteGraph.

    The thread is read and written with its own graph, as if that assistant had been deleted.
    """
    auth, keys = owners(), []
    if answer == "no":

        @auth.on.assistants.read
        async def only_ann(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> bool:
            return ctx.user.identity == "ann"

    def make(config: RunnableConfig) -> Any:
        keys.append((config.get("configurable") or {}).get("vault_key"))
        return GRAPH.compile()

    with (
        TestServer({"look": make}, auth=auth) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
    ):
        config = {"configurable": {"vault_key": "hers"}}
        made = ann.post("/assistants", json={"graph_id": "look", "config": config})
        used = {}
        for user in (ann, bob):
            thread = {"metadata": {"graph_id": "look"}}
            thread_id = user.post("/threads", json=thread).json()["thread_id"]
            header = json.dumps([made.json()["assistant_id"], thread_id])
            path, headers = f"/threads/{thread_id}/state", {THREAD_HEADER: header}
            keys.clear()
            if call == "read":
                response = user.get(path, headers=headers)
            else:
                body = {"values": {"secret": "own"}, "as_node": "look"}
                response = user.post(path, json=body, headers=headers)
            assert response.status_code == 200, response.text
            used[user.headers["authorization"]] = set(keys)
    assert used == {"ann": {"hers"}, "bob": {None}}


def test_a_cron_works_as_its_own_user() -> None:
    """A cron's run has the user who made it, and ignores a config that names others."""
    clock = TestClock()
    with (
        TestServer({"look": GRAPH.compile()}, auth=owners(), clock=clock) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
    ):
        hers = ann.post("/threads", json={}).json()["thread_id"]
        own = bob.post("/threads", json={}).json()["thread_id"]
        said = {"assistant_id": "look", "schedule": "* * * * *", "input": {}}
        cron = {**said, "config": forged(hers)}
        assert bob.post(f"/threads/{own}/runs/crons", json=cron).status_code == 200
        clock.advance(61)
        server.wait_idle()
        seen = bob.get(f"/threads/{own}/state").json()["values"]["seen"]
        assert (seen["user"], seen["thread_id"]) == ("bob", own)
        assert not ann.get(f"/threads/{hers}/state").json()["values"]


def test_a_context_reaches_the_node(bob: httpx.Client) -> None:
    """Other keys of a context are in `configurable`, as on the real server."""
    body = {"assistant_id": "look", "input": {}, "context": {"tone": "kind"}}
    assert bob.post("/runs/wait", json=body).json()["seen"]["tone"] == "kind"


@pytest.mark.parametrize("end", ["join", "stream"])
def test_who_may_only_read_cannot_stop_a_run_by_leaving(end: str) -> None:
    """`cancel_on_disconnect` needs the right to stop the run."""
    auth = Auth()

    @auth.authenticate
    async def authenticate(authorization: str | None) -> str:
        return authorization or "nobody"

    @auth.on
    async def only_ann(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> bool:
        return ctx.user.identity == "ann"

    @auth.on.threads.read
    async def all_read(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> bool:
        return True

    async def wait(state: State) -> State:
        await asyncio.Event().wait()
        return {}

    graph = StateGraph(State).add_node("wait", wait).add_edge(START, "wait").compile()
    with (
        TestServer({"wait": graph}, auth=auth) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
    ):
        thread_id = ann.post("/threads", json={}).json()["thread_id"]
        runs = f"/threads/{thread_id}/runs"
        run = (
            f"{runs}/{ann.post(runs, json={'assistant_id': 'wait', 'input': {}}).json()['run_id']}"
        )
        assert bob.get(run).status_code == 200
        refused = bob.get(f"{run}/{end}", params={"cancel_on_disconnect": "true"})
        assert refused.status_code == 403
        assert ann.get(run).json()["status"] in ("pending", "running")
        assert ann.post(f"{run}/cancel", params={"wait": "true"}).status_code == 200
