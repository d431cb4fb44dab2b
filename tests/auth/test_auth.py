"""`Auth`: who is asked what, what comes of the answers, and who the user is within a graph."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import langgraph_sdk
import pytest
from langgraph.store.memory import InMemoryStore
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from langgraph_client.auth import Auth, is_studio_user, types
from langgraph_client.server.auth.authorization import Authorization
from langgraph_client.server.auth.filters import FilterError, conditions_of, holds
from langgraph_client.server.http.replies import MAX_BODY
from langgraph_client.server.options import HttpOptions
from langgraph_client.testing import TestClock, TestServer
from tests.auth.conftest import GRAPHS, client, owners

AUTHS = [Auth, langgraph_sdk.Auth]


@contextmanager
def served(auth: Any, user: str | None = "ann", **options: Any) -> Iterator[httpx.Client]:
    graphs = {**GRAPHS, **options.pop("graphs", {})}
    with TestServer(graphs, auth=auth, **options) as server, client(server, user) as http:
        yield http


@pytest.mark.parametrize(
    ("given", "metadata", "matches"),
    [
        ({}, {}, True),
        ({"owner": "ann"}, {"owner": "ann", "x": 1}, True),
        ({"owner": "ann"}, {"owner": "ann."}, False),
        ({"owner": "ann"}, {"owner": ["ann"]}, False),
        ({"owner": "ann"}, {}, False),
        ({"owner": {"$eq": "ann"}}, {"owner": "ann"}, True),
        ({"n": 1}, {"n": True}, False),
        ({"n": None}, {"n": None}, True),
        ({"n": None}, {}, False),
        ({"members": {"$contains": "ann"}}, {"members": ["bob", "ann"]}, True),
        ({"members": {"$contains": "ann"}}, {"members": "ann"}, False),
        ({"members": {"$contains": ["ann", "bob"]}}, {"members": ["bob", "ann"]}, True),
        ({"members": {"$contains": ["ann", "cid"]}}, {"members": ["bob", "ann"]}, False),
        ({"owner": "ann", "team": "x"}, {"owner": "ann", "team": "y"}, False),
        ({"$or": [{"owner": "ann"}, {"team": "x"}]}, {"team": "x"}, True),
        ({"$or": [{"owner": "ann"}, {"team": "x"}]}, {"team": "y"}, False),
        ({"$or": [{"owner": "ann"}, {"team": "x"}], "open": True}, {"team": "x"}, False),
        ({"$and": [{"owner": "ann"}, {"team": "x"}]}, {"owner": "ann", "team": "x"}, True),
        ({"$and": [{"owner": "ann"}, {"owner": "bob"}]}, {"owner": "ann"}, False),
        ({"$and": [{"m": {"$contains": "a"}}, {"m": {"$contains": "b"}}]}, {"m": ["a"]}, False),
    ],
)
def test_a_filter_matches_metadata(
    given: dict[str, Any], metadata: dict[str, Any], matches: bool
) -> None:
    """Metadata matches a filter if all that the filter says holds."""
    assert holds(conditions_of(given), {"metadata": metadata}) is matches


@pytest.mark.parametrize(
    "given",
    [
        {"owner": {"$ne": "ann"}},
        {"owner": {"$eq": {"a": 1}}},
        {"owner": ["ann"]},
        {"owner": {}},
        {"$or": [{"owner": "ann"}]},
        {"$or": {"owner": "ann"}},
        {"$not": {"owner": "ann"}},
        {"$or": [{"$or": [{"$or": [{"a": 1}, {"b": 2}]}, {"c": 3}]}, {"d": 4}]},
        {"$and": [{"$or": [{str(n): k} for k in range(9)]} for n in range(3)]},
    ],
)
def test_filters_that_cannot_be(given: dict[str, Any]) -> None:
    """A filter that is malformed lets nobody in: it is an error of the handler."""
    with pytest.raises(FilterError):
        conditions_of(given)

    auth = owners()

    @auth.on.threads.read
    async def wrong(ctx: Any, value: Any) -> Any:
        return given

    with served(auth) as http:
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        assert http.get(f"/threads/{thread_id}").status_code == 500


@pytest.mark.parametrize("kind", AUTHS)
def test_the_most_special_handler_is_asked(kind: Any) -> None:
    """Resource and action, else the resource, else the action, else the one for everything."""
    auth = kind()
    asked: list[str] = []

    @auth.authenticate
    async def authenticate(authorization: str) -> str:
        return authorization

    @auth.on
    async def everything(ctx: Any, value: Any) -> None:
        asked.append("everything")

    @auth.on(actions="search")
    async def searches(ctx: Any, value: Any) -> None:
        asked.append("searches")

    @auth.on.threads
    async def threads(ctx: Any, value: Any) -> None:
        asked.append("threads")

    @auth.on.threads.create
    async def creating(ctx: Any, value: Any) -> None:
        asked.append(f"{ctx.resource}.{ctx.action}")

    with served(auth) as http:
        http.post("/threads", json={})
        http.post("/threads/search", json={})
        http.post("/assistants/search", json={})
        http.post("/assistants/count", json={})
        http.get("/store/items", params={"namespace": "a", "key": "k"})
    assert asked == ["threads.create", "threads", "searches", "searches", "everything"]


@pytest.mark.parametrize("kind", AUTHS)
def test_what_handlers_answer(kind: Any) -> None:
    """False and AssertionError are 403, an HTTPException is what it says, a failure is 500."""
    auth = kind()

    @auth.authenticate
    def authenticate(authorization: str | None, method: str, path: str) -> Any:
        if authorization == "ann":
            return {"identity": "ann", "permissions": ["p"]}
        if authorization == "bug":
            raise KeyError("a secret")
        if authorization == "none":
            return None
        raise kind.exceptions.HTTPException(status_code=403, detail=f"{method} {path}")

    @auth.on.threads.create
    async def create(ctx: Any, value: Any) -> Any:
        assert ctx.permissions == ["p"]
        assert ctx.user["identity"] == ctx.user.identity == ctx.user.display_name == "ann"
        match value["metadata"].get("how"):
            case "false":
                return False
            case "assert":
                raise AssertionError("not so")
            case "bug":
                raise KeyError("a secret")
            case "odd":
                return "yes"
            case "teapot":
                raise kind.exceptions.HTTPException(status_code=418, detail="tea")
        return True

    with served(auth) as http:
        for how, status, detail in (
            ("false", 403, "Forbidden"),
            ("assert", 403, "not so"),
            ("bug", 500, "Internal Server Error"),
            ("teapot", 418, "tea"),
            ("fine", 200, None),
        ):
            answer = http.post("/threads", json={"metadata": {"how": how}})
            assert answer.status_code == status
            assert answer.json().get("detail") == detail
        assert http.post("/threads", json={"metadata": {"how": "odd"}}).status_code == 500
        for user, status in (("eve", 403), ("bug", 500), ("none", 400)):
            answer = http.get("/threads/x", headers={"authorization": user})
            assert answer.status_code == status
            assert "secret" not in answer.text
        answer = http.get("/threads/x", headers={"authorization": "eve"})
        assert answer.json() == {"detail": "GET /threads/x"}


@pytest.mark.parametrize(
    "returned",
    [None, {}, {"name": "ann"}, (["p"], None), 5, False, {"identity": None}, {"identity": ""}],
    ids=str,
)
def test_a_user_without_an_identity_is_refused(
    returned: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """With 400, as on the real server; response and log say what to return."""
    auth = Auth()

    @auth.authenticate
    async def authenticate() -> Any:
        return returned

    with served(auth) as http:
        answer = http.post("/threads", json={})
        assert answer.status_code == 400
        assert "identity" in answer.json()["detail"]
        assert f"auth: {answer.json()['detail']}" in caplog.text


def test_what_authenticate_may_ask_for() -> None:
    """Its parameters are given by name, to a plain function in a thread of its own."""
    auth = Auth()
    seen: dict[str, Any] = {}

    @auth.authenticate
    def authenticate(
        request: Any,
        body: Any,
        path: str,
        method: str,
        path_params: Any,
        query_params: Any,
        headers: Any,
        authorization: Any,
        scope: Any,
        other: int = 7,
    ) -> Any:
        seen.update(locals(), thread=threading.current_thread())
        return "ann"

    with served(auth) as http:
        thread_id = http.post("/threads", json={"metadata": {"a": 1}}).json()["thread_id"]
        assert (seen["body"], seen["method"], seen["path"]) == (
            {"metadata": {"a": 1}},
            "POST",
            "/threads",
        )
        http.get(f"/threads/{thread_id}", params={"include": "ttl"})
    assert seen["path_params"] == {"thread_id": thread_id}
    assert seen["query_params"]["include"] == "ttl"
    assert seen["headers"][b"authorization"] == b"ann" == seen["authorization"].encode()
    assert seen["request"].url.path == seen["scope"]["path"]
    assert (seen["body"], seen["other"]) == (None, 7)
    assert seen["thread"].name != "langgraph-server"


def test_authenticate_sees_the_body_that_the_endpoint_reads() -> None:
    """A compressed one too. What cannot be read is refused before the handler is asked."""
    auth = Auth()
    bodies: list[Any] = []

    @auth.authenticate
    async def authenticate(body: Any) -> str:
        bodies.append(body)
        return "ann"

    async def echo(request: Request) -> Response:
        return Response(await request.body())

    app = Starlette(routes=[Route("/own", echo, methods=["POST"])])
    options = HttpOptions(app=app, custom_route_auth=True)
    sent = gzip.compress(b'{"metadata":{"a":1}}')
    compressed = {"content-encoding": "gzip"}
    with served(auth, http=options) as http:
        thread = http.post("/threads", content=sent, headers=compressed).json()
        assert thread["metadata"] == {"a": 1}
        # An application's own route gets what was sent.
        assert http.post("/own", content=sent, headers=compressed).content == sent
        assert http.post("/own", content=b"no JSON").content == b"no JSON"
        http.get(f"/threads/{thread['thread_id']}", headers=compressed)
        assert bodies == [{"metadata": {"a": 1}}, {"metadata": {"a": 1}}, None, None]
        bodies.clear()
        for path in ("/threads", "/own"):
            for status, content, encoding in (
                (400, b"no gzip", "gzip"),
                (400, sent[:-9], "gzip"),
                (415, sent, "br"),
                (413, gzip.compress(bytes(MAX_BODY + 1)), "gzip"),
                (422, b"[" * 200 + b"]" * 200, "identity"),
            ):
                answer = http.post(path, content=content, headers={"content-encoding": encoding})
                assert answer.status_code == status
    assert bodies == []


def test_what_is_no_auth() -> None:
    """What cannot authenticate is refused at once, not at the first request."""
    with pytest.raises(TypeError, match="must be a langgraph_client"):
        TestServer(GRAPHS, auth=object())
    with pytest.raises(ValueError, match=r"@auth\.authenticate"):
        TestServer(GRAPHS, auth=Auth())
    auth = Auth()
    auth.authenticate(lambda tenant: tenant)
    with pytest.raises(TypeError, match="required parameter 'tenant'"):
        Authorization(auth)


def test_handlers_that_cannot_be() -> None:
    """Plain functions, ones without `ctx` or `value`, and second ones are refused."""
    auth = Auth()

    async def without(ctx: Any) -> None: ...

    async def handler(ctx: Any, value: Any) -> None: ...

    def plain(ctx: Any, value: Any) -> None: ...

    for wrong in (without, plain):
        with pytest.raises(ValueError, match="must"):
            auth.on(wrong)  # type: ignore[type-var]
    for register in (
        auth.on,
        auth.on.threads,
        auth.on.threads.create,
        auth.on.store(actions="put"),
    ):
        register(handler)
        with pytest.raises(ValueError, match="already"):
            register(handler)
    with pytest.raises(ValueError, match="Invalid action"):
        auth.on.crons(actions=["create_run"])(handler)
    with pytest.raises(ValueError, match=r"auth\.on\(resources"):
        auth.on.crons(resources="threads")(handler)


@pytest.mark.parametrize("settings", [{}, {"context": {"tone": "dry"}}])
def test_runs_of_crons_are_their_maker_s(settings: dict[str, Any]) -> None:
    """A cron's run has the user who made the cron, and is visible to that user only."""
    clock = TestClock()
    with (
        TestServer(GRAPHS, auth=owners(), clock=clock) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
    ):
        cron = {
            "assistant_id": "keep",
            "schedule": "* * * * *",
            "input": {"secret": "s"},
            "on_run_completed": "keep",
            **settings,
        }
        assert ann.post("/runs/crons", json=cron).status_code == 200
        clock.advance(61)
        server.wait_idle()
        (thread,) = ann.post("/threads/search", json={}).json()
        assert thread["values"]["answer"] == "kept s"
        (run,) = ann.get(f"/threads/{thread['thread_id']}/runs").json()
        assert run["kwargs"]["config"]["configurable"]["langgraph_auth_user_id"] == "ann"
        assert bob.post("/threads/search", json={}).json() == []


@pytest.mark.parametrize("kind", AUTHS)
@pytest.mark.parametrize("wanted", [True, False])
def test_studio_needs_permission(kind: Any, wanted: bool) -> None:
    """Studio is let in only where that was asked for, as a user that handlers can tell."""
    auth = kind()
    users: list[Any] = []

    @auth.authenticate
    async def authenticate(authorization: str | None) -> str:
        raise kind.exceptions.HTTPException()

    @auth.on
    async def look(ctx: Any, value: Any) -> None:
        users.append(ctx.user)

    with served(auth, studio_auth=wanted) as http:
        answer = http.post("/threads", json={}, headers={"x-auth-scheme": "langsmith"})
        assert answer.status_code == (200 if wanted else 401)
        assert http.post("/threads", json={}).status_code == 401
        if wanted:
            thread = answer.json()["thread_id"]
            run = http.post(
                f"/threads/{thread}/runs/wait",
                json={"assistant_id": "keep", "input": {}},
                headers={"x-auth-scheme": "langsmith"},
            )
            assert run.json() == {"answer": "kept None"}
    assert all(isinstance(user, kind.types.StudioUser) for user in users)
    assert [user.identity for user in users] == ["langgraph-studio-user"] * 2 * wanted


def test_is_studio_user() -> None:
    """A Studio user is known by its class, or by its kind."""
    assert is_studio_user(types.StudioUser("x", is_authenticated=True))
    assert is_studio_user({"identity": "x", "kind": "StudioUser"})  # type: ignore[typeddict-unknown-key]
    assert not is_studio_user({"identity": "x"})


def test_a_handler_changes_what_is_done() -> None:
    """What a handler writes into the metadata, the input or a namespace is what is done."""
    auth = owners()

    @auth.on.threads.create_run
    async def with_more(ctx: Any, value: Any) -> None:
        value["metadata"]["owner"] = ctx.user.identity
        value["kwargs"]["input"] = {"secret": "given by the handler"}

    with served(auth) as http:
        thread = http.post("/threads", json={}).json()["thread_id"]
        body = {"assistant_id": "keep", "input": {"secret": "mine"}}
        answer = http.post(f"/threads/{thread}/runs/wait", json=body)
        assert answer.json()["answer"] == "kept given by the handler"
        assistant = http.post("/assistants", json={"graph_id": "keep"}).json()
        assert assistant["metadata"] == {"owner": "ann"}


def test_a_filter_is_refused_for_items() -> None:
    """Items have no metadata, so a filter that a handler returns for them must not be ignored."""
    auth, store = owners(own_store=False), InMemoryStore()
    store.put(("notes",), "k", {"text": "ann's"})
    item = {"namespace": ["notes"], "key": "k"}
    with served(auth, "bob", store=store) as http:
        answers = [
            http.put("/store/items", json={**item, "value": {"text": "bob's"}}),
            http.get("/store/items", params={"namespace": "notes", "key": "k"}),
            http.request("DELETE", "/store/items", json=item),
            http.post("/store/namespaces", json={}),
        ]
        assert [answer.status_code for answer in answers] == [403] * 4
        assert all("@auth.on.store" in answer.json()["detail"] for answer in answers)
        found = http.post("/store/items/search", json={"namespace_prefix": ["notes"]}).json()
        assert found["items"] == []
    kept = store.get(("notes",), "k")
    assert kept is not None
    assert kept.value == {"text": "ann's"}


def test_a_copy_is_its_maker_s() -> None:
    """A copy of a shared thread has the metadata that the handler of `create` has written."""
    auth = owners()

    @auth.on.threads.read
    async def all_may_read(ctx: Any, value: Any) -> None:
        return None

    with (
        TestServer(GRAPHS, auth=auth) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
    ):
        thread = ann.post("/threads", json={}).json()["thread_id"]
        copy = bob.post(f"/threads/{thread}/copy").json()
        assert copy["metadata"] == {"owner": "bob"}
        assert ann.get(f"/threads/{thread}").json()["metadata"] == {"owner": "ann"}


def test_a_copy_to_the_id_of_another_thread_leaves_that_one_alone() -> None:
    """A handler may give the copy its id. With a clock that stands, both are of the same moment."""
    auth = owners()
    taken = "11111111-1111-4111-8111-111111111111"

    @auth.on.threads.create
    async def at_the_same_place(ctx: Any, value: Any) -> None:
        value["thread_id"] = taken
        value["metadata"] = {"owner": ctx.user.identity}

    with TestServer(GRAPHS, auth=auth, clock=TestClock()) as server, client(server, "ann") as ann:
        ann.post("/threads", json={"thread_id": taken})
        assert ann.post(f"/threads/{taken}/copy").status_code == 409
        assert ann.get(f"/threads/{taken}").status_code == 200


def test_a_warning_for_what_nobody_is_asked_about(caplog: pytest.LogCaptureFixture) -> None:
    """Handlers that leave something out are told so at the start."""
    auth = Auth()
    auth.authenticate(lambda authorization: "ann")

    @auth.on.threads
    async def threads(ctx: Any, value: Any) -> bool:
        return True

    Authorization(auth)
    assert "no handler is registered for assistants.create" in caplog.text
    assert "threads.read" not in caplog.text
