"""The user of a request within a graph: in the config, the runtime and factories."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import langgraph_sdk
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph_sdk.runtime import ServerRuntime
from typing_extensions import TypedDict

from langgraph_client.auth import Auth
from langgraph_client.runtime import ServerRuntime as OurRuntime
from langgraph_client.testing import TestServer
from tests.auth.conftest import GRAPHS, State, client, keep, owners

AUTHS = [Auth, langgraph_sdk.Auth]


@contextmanager
def served(auth: Any, user: str | None = "ann", **options: Any) -> Iterator[httpx.Client]:
    graphs = {**GRAPHS, **options.pop("graphs", {})}
    with TestServer(graphs, auth=auth, **options) as server, client(server, user) as http:
        yield http


class Seen(TypedDict, total=False):
    told: Any


def look(state: Seen, config: RunnableConfig, runtime: Runtime) -> Seen:
    found = config["configurable"]
    user = found["langgraph_auth_user"]
    assert runtime.server_info is not None
    assert runtime.server_info.user is user
    return {
        "told": [
            user.identity,
            user["role"],
            user.get("nothing"),
            "role" in user,
            list(user.permissions),
            found["langgraph_auth_user_id"],
            found["langgraph_auth_permissions"],
            found["user_id"],
        ]
    }


def make(runtime: ServerRuntime, config: RunnableConfig) -> Any:
    user = runtime.ensure_user()
    assert config["configurable"]["langgraph_auth_user"]["identity"] == user.identity
    return (
        StateGraph(Seen)
        .add_node(f"of_{user.identity}", look)
        .add_edge(START, f"of_{user.identity}")
    )


@pytest.mark.parametrize("kind", AUTHS)
def test_the_user_within_a_graph(kind: Any) -> None:
    """Nodes and factories have the user in their config, and where langgraph has it."""
    auth = kind()

    @auth.authenticate
    async def authenticate(authorization: str) -> Any:
        return {"identity": authorization, "role": "cook", "permissions": ["a", "b"]}

    with served(auth, graphs={"made": make}) as http:
        body = {"assistant_id": "made", "input": {}, "stream_mode": ["values", "debug", "updates"]}
        thread = http.post("/threads", json={}).json()["thread_id"]
        answer = http.post(f"/threads/{thread}/runs/wait", json=body).json()
        assert answer["told"] == [
            "ann", "cook", None, True, ["a", "b"], "ann", ["a", "b"], "ann",
        ]  # fmt: skip
        assert http.post(f"/threads/{thread}/runs/stream", json=body).status_code == 200
        assert "of_ann" in http.get("/assistants/made/graph").text
        assert http.get(f"/threads/{thread}/state").json()["values"]["told"][0] == "ann"


class Nested(TypedDict, total=False):
    found: Any


@pytest.mark.parametrize("kind", AUTHS)
def test_objects_within_the_user(kind: Any) -> None:
    """Their keys are attributes too, for handlers and for nodes; they stay JSON."""
    auth = kind()

    @auth.authenticate
    async def authenticate(authorization: str) -> Any:
        return {"identity": authorization, "org": {"id": 7, "plan": {"name": "free"}, "items": 1}}

    @auth.on
    async def own_organization(ctx: Any, value: Any) -> Any:
        assert ctx.user["org"]["items"] == 1
        assert not hasattr(ctx.user.org, "nothing")
        value.setdefault("metadata", {})["org"] = ctx.user.org.id
        return {"org": ctx.user.org.id}

    def find(state: Nested, config: RunnableConfig) -> Nested:
        org = config["configurable"]["langgraph_auth_user"].org
        assert pickle.loads(pickle.dumps(org)) == copy.deepcopy(org) == dict(org)
        return {"found": [org.plan.name, org["plan"]["name"], copy.copy(org).id]}

    graph = StateGraph(Nested).add_node("find", find).add_edge(START, "find")
    with served(auth, graphs={"find": graph}) as http:
        thread = http.post("/threads", json={}).json()
        assert thread["metadata"] == {"org": 7}
        answer = http.post("/runs/wait", json={"assistant_id": "find", "input": {}})
        assert answer.json() == {"found": ["free", "free", 7]}


@dataclass
class Context:
    """What a run is given."""

    word: str


async def make_with_ours(wanted: OurRuntime[Context]) -> Any:
    """A factory in the words of this package."""
    execution = wanted.execution_runtime
    word = "" if execution is None or execution.context is None else execution.context.word
    name = f"{wanted.ensure_user().identity}_{wanted.access_context}_{word}".replace(".", "_")
    return StateGraph(State).add_node(name, keep).add_edge(START, name)


def test_factories_in_our_words() -> None:
    """`langgraph_client.runtime.ServerRuntime` asks for the same, with the context as its class."""
    with served(owners(), graphs={"made": make_with_ours}) as http:
        body = {"assistant_id": "made", "input": {}, "context": {"word": "x"}}
        events = http.post("/runs/stream", json={**body, "stream_mode": "updates"}).text
        assert "ann_threads_create_run_x" in events
