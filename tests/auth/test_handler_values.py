"""What handlers of `Auth` get, and what becomes of what they change: as on the real server.

The expected values are those of `langgraph dev` with langgraph-api 0.16.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypedDict
from uuid import UUID

import httpx
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime

from langgraph_client import Auth
from langgraph_client.server.auth.users import User
from langgraph_client.server.options import HeaderRules, HttpOptions
from langgraph_client.testing import TestServer
from tests.auth.conftest import client

Asked = list[tuple[str, dict[str, Any]]]
Change = Callable[[dict[str, Any]], object]
CHECKPOINT = "1f0c0000-0000-6000-8000-000000000000"
CRON = {"assistant_id": "look", "schedule": "0 0 1 1 *", "input": {"x": 1}}
HEADERS = HttpOptions(configurable_headers=HeaderRules(includes=("x-tenant",)))


class State(TypedDict, total=False):
    x: int
    seen: dict[str, Any]


def look(state: State, config: RunnableConfig, runtime: Runtime[Any]) -> State:
    configurable = config["configurable"]
    seen = {name: configurable.get(name) for name in ("profile", "x-tenant", "user_id")}
    return {"seen": {**seen, "context": runtime.context, "input": state.get("x")}}


GRAPHS = {"look": StateGraph(State).add_node("look", look).add_edge(START, "look").compile()}


@contextmanager
def asked(change: Change | None = None) -> Iterator[tuple[httpx.Client, Asked, TestServer]]:
    """Give a server as ann, and what its handler is asked; the handler may change it."""
    auth, log = Auth(), Asked()

    @auth.authenticate
    async def authenticate(authorization: str | None) -> str:
        return authorization or "ann"

    @auth.on
    async def note(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> None:
        log.append((f"{ctx.resource}.{ctx.action}", value))
        if change is not None:
            change(value)

    with (
        TestServer(GRAPHS, auth=auth, http=HEADERS) as server,
        client(server, "ann") as http,
    ):
        yield http, log, server


def run(http: httpx.Client, **fields: Any) -> Any:
    """Return the result of a run on a new thread."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "look", "input": {"x": 1}, **fields}
    answer = http.post(f"/threads/{thread_id}/runs/wait", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_value_of_a_plain_run() -> None:
    """The handler of `create_run` gets the run that will be created, with all defaults."""
    with asked() as (http, log, _):
        created = http.post("/runs", json={"assistant_id": "look", "on_completion": "keep"}).json()
        name, value = log[-1]
    assert name == "threads.create_run"
    assert value["run_id"] == UUID(created["run_id"])
    assert value["thread_id"] == UUID(created["thread_id"])
    configurable = value["kwargs"].pop("config")["configurable"]
    assert isinstance(configurable.pop("__request_start_time_ms__"), int)
    assert isinstance(configurable.pop("langgraph_auth_user"), User)
    assert UUID(configurable.pop("langgraph_request_id"))
    assert configurable == {
        "__after_seconds__": 0,
        "langgraph_auth_user_id": "ann",
        "langgraph_auth_permissions": [],
    }
    assert value | {"assistant_id": "", "thread_id": "", "run_id": ""} == {
        "assistant_id": "",
        "thread_id": "",
        "run_id": "",
        "status": "pending",
        "metadata": {},
        "prevent_insert_if_inflight": False,
        "multitask_strategy": "enqueue",
        "if_not_exists": "create",
        "after_seconds": 0,
        "kwargs": {
            "input": None,
            "command": None,
            "context": {},
            "stream_mode": ["values"],
            "interrupt_before": None,
            "interrupt_after": None,
            "webhook": None,
            "feedback_keys": None,
            "temporary": False,
            "subgraphs": False,
            "resumable": False,
            "checkpoint_during": True,
            "durability": "async",
        },
    }


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"interrupt_before": ["look"]}, {"interrupt_before": ["look"]}),
        ({"interrupt_after": "*"}, {"interrupt_after": "*"}),
        ({"stream_mode": "updates"}, {"stream_mode": ["updates"]}),
        ({"stream_subgraphs": True}, {"subgraphs": True}),
        ({"stream_resumable": True}, {"resumable": True}),
        ({"durability": "exit"}, {"durability": "exit"}),
        ({"checkpoint_during": False}, {"durability": "exit", "checkpoint_during": False}),
        ({"webhook": "https://a.example/x"}, {"webhook": "https://a.example/x"}),
        ({"context": {"a": 1}}, {"context": {"a": 1}}),
        ({"config": {"configurable": {"a": 1}}}, {"context": {"a": 1}}),
        ({"command": {"goto": "look"}}, {"command": {"goto": "look"}}),
    ],
    ids=str,
)
def test_the_options_of_a_run(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    """The handler sees each option under the name and in the form of the run's `kwargs`."""
    with asked() as (http, log, _):
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        http.post(f"/threads/{thread_id}/runs", json={"assistant_id": "look", **sent})
        kwargs = log[-1][1]["kwargs"]
    assert {name: kwargs[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("sent", "key", "shown"),
    [
        ({"checkpoint_id": CHECKPOINT}, "checkpoint_id", CHECKPOINT),
        ({"checkpoint": {"checkpoint_id": CHECKPOINT}}, "checkpoint_id", CHECKPOINT),
        ({"context": {"model": "large"}}, "model", "large"),
        ({"config": {"configurable": {"model": "large"}}}, "model", "large"),
        ({}, "x-tenant", "acme"),
    ],
    ids=str,
)
def test_all_of_configurable_is_shown(sent: dict[str, Any], key: str, shown: str) -> None:
    """A handler that decides by `configurable` cannot be passed by another way of saying it."""
    with asked() as (http, log, _):
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        body = {"assistant_id": "look", **sent}
        http.post(f"/threads/{thread_id}/runs", json=body, headers={"x-tenant": "acme"})
        assert log[-1][1]["kwargs"]["config"]["configurable"][key] == shown


RUN = {"assistant_id": "look", "input": {}, "interrupt_before": ["look"]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/threads/{}/runs", RUN),
        ("/threads/{}/runs/wait", RUN),
        ("/threads/{}/runs/stream", RUN),
        ("/runs", RUN),
        ("/runs/wait", RUN),
        ("/runs/stream", RUN),
        ("/runs/batch", [RUN]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_policy_holds_wherever_a_run_is_created(path: str, body: Any) -> None:
    """A handler that refuses breakpoints refuses them at every endpoint."""

    def refuse(value: dict[str, Any]) -> None:
        if value.get("kwargs", {}).get("interrupt_before"):
            raise Auth.exceptions.HTTPException(403, "no breakpoints")

    with asked(refuse) as (http, _, _):
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        assert http.post(path.format(thread_id), json=body).status_code == 403


def stamp(value: dict[str, Any]) -> None:
    value["kwargs"]["config"]["configurable"]["profile"] = "p1"


def replace_tenant(value: dict[str, Any]) -> None:
    value["kwargs"]["config"]["configurable"]["x-tenant"] = "theirs"


def drop_tenant(value: dict[str, Any]) -> None:
    value["kwargs"]["config"]["configurable"].pop("x-tenant")


def set_context(value: dict[str, Any]) -> None:
    value["kwargs"]["context"]["tenant"] = "acme"


def set_user_id(value: dict[str, Any]) -> None:
    value["kwargs"]["config"]["configurable"]["user_id"] = "u1"


def set_input(value: dict[str, Any]) -> None:
    value["kwargs"]["input"]["x"] = 9


def be_another(value: dict[str, Any]) -> None:
    value["kwargs"]["config"] = {}


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (stamp, {"profile": "p1", "context": None}),
        (replace_tenant, {"x-tenant": "theirs"}),
        (drop_tenant, {"x-tenant": None}),
        (set_context, {"context": {"tenant": "acme"}}),
        (set_user_id, {"user_id": "u1"}),
        (set_input, {"input": 9}),
        (be_another, {"x-tenant": None, "user_id": "ann"}),
    ],
)
def test_what_a_handler_changes_reaches_the_node(change: Change, seen: dict[str, Any]) -> None:
    """A handler may change input, config and context, key by key."""

    def change_run(value: dict[str, Any]) -> None:
        if "kwargs" in value:
            change(value)

    with asked(change_run) as (http, _, _):
        http.headers["x-tenant"] = "acme"
        found = run(http)["seen"]
    assert {name: found[name] for name in seen} == seen


def test_a_handler_adds_and_takes_away_options() -> None:
    """It may forbid time travel by removing the checkpoint, and may set breakpoints."""

    def change(value: dict[str, Any]) -> None:
        if "kwargs" in value:
            value["kwargs"]["config"]["configurable"].pop("checkpoint_id", None)
            value["kwargs"]["interrupt_before"] = ["look"]

    with asked(change) as (http, _, _):
        assert "seen" not in run(http, checkpoint_id=CHECKPOINT)


def test_a_handler_changes_the_run_of_a_remote_graph() -> None:
    """What it changes reaches the nodes of a RemoteGraph's run; the rest keeps its types."""

    def change(value: dict[str, Any]) -> None:
        if "kwargs" in value:
            value["kwargs"]["config"]["configurable"]["profile"] = "p1"
            value["kwargs"]["config"]["configurable"].pop("user_id", None)
            value["kwargs"]["context"]["tenant"] = "acme"

    with asked(change) as (_, _, server):
        graph = server.remote_graph("look")
        config: RunnableConfig = {"configurable": {"x-tenant": "mine", "user_id": "u"}}
        context = {"at": (1, 2)}
        seen = graph.invoke({"x": 1}, config, context=context)["seen"]
    assert seen == {
        "profile": "p1",
        "x-tenant": "mine",
        "user_id": None,
        "context": {"at": (1, 2), "tenant": "acme"},
        "input": 1,
    }


@pytest.mark.parametrize("on_thread", [False, True], ids=["stateless", "on a thread"])
def test_the_value_of_a_cron(on_thread: bool) -> None:
    """The handler of `crons.create` gets the id, the thread and the config of the cron."""
    with asked() as (http, log, _):
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        path = f"/threads/{thread_id}/runs/crons" if on_thread else "/runs/crons"
        cron = http.post(path, json={**CRON, "metadata": {"a": 1}}).json()
        log.pop(0)
        value = dict(log)["crons.create"]
        assert value["cron_id"] == UUID(cron["cron_id"])
        assert value["thread_id"] == (UUID(thread_id) if on_thread else None)
        assert value["payload"]["config"] == {"configurable": {"cron_id": cron["cron_id"]}}
        if on_thread:
            shown = {"thread_id": UUID(thread_id), "metadata": {"a": 1}}
            assert dict(log)["threads.read"] == shown


def test_a_handler_changes_a_cron() -> None:
    """What it changes in the payload is what the cron's runs get."""

    def change(value: dict[str, Any]) -> None:
        value["payload"]["config"]["configurable"]["profile"] = "p1"
        value["payload"]["input"]["x"] = 9

    with asked(change) as (http, _, _):
        payload = http.post("/runs/crons", json=CRON).json()["payload"]
    assert payload["config"]["configurable"]["profile"] == "p1"
    assert payload["input"] == {"x": 9}


def test_the_value_of_a_cron_s_update() -> None:
    """The handler of `crons.update` gets each field that the server can change."""
    with asked() as (http, log, _):
        cron_id = http.post("/runs/crons", json=CRON).json()["cron_id"]
        http.patch(f"/runs/crons/{cron_id}", json={"enabled": False})
        assert log[-1][1] == {
            "cron_id": UUID(cron_id),
            "payload": {"enabled": False},
            "schedule": None,
            "end_time": None,
            "enabled": False,
            "on_run_completed": None,
            "metadata": {},
        }


@pytest.mark.parametrize("sent", [{}, {"config": {"tags": ["a"]}}], ids=["none", "own"])
def test_a_handler_changes_an_assistant(sent: dict[str, Any]) -> None:
    """What it writes into the config is in the assistant, also if the request has no config."""

    def change(value: dict[str, Any]) -> None:
        if "config" in value:
            value["config"].setdefault("configurable", {})["org"] = "acme"

    with asked(change) as (http, _, _):
        created = http.post("/assistants", json={"graph_id": "look", **sent}).json()
        assert created["config"] == {**sent.get("config", {}), "configurable": {"org": "acme"}}
        path = f"/assistants/{created['assistant_id']}"
        assert http.patch(path, json={**sent, "name": "x"}).json()["config"] == created["config"]


def test_a_handler_changes_a_search_for_threads() -> None:
    """What it writes into `values` is a condition of the search, also if none was sent."""

    def change(value: dict[str, Any]) -> None:
        if "values" in value:
            value["values"]["x"] = 2

    with asked(change) as (http, _, _):
        run(http, input={"x": 1})
        run(http, input={"x": 2})
        found = http.post("/threads/search", json={}).json()
        assert [thread["values"]["x"] for thread in found] == [2]
        assert http.post("/threads/count", json={}).json() == 1
