"""Canned answers: what they look like, and that clients read them."""

from __future__ import annotations

import inspect
from typing import Any

import httpx
import pytest

from langgraph_client import (
    APIStatusError,
    NotFoundError,
    RemoteException,
    RemoteGraph,
    Server,
    StreamIncomplete,
    get_client,
    get_sync_client,
)
from langgraph_client.server.http.agent_endpoints import AGENT_ENDPOINTS
from langgraph_client.server.http.endpoints import ENDPOINTS
from langgraph_client.testing import LangGraphMock, ScriptedGraph
from langgraph_client.testing import documents as doc
from langgraph_client.testing.mock_routes import endpoint

ID = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"


def test_documents_have_the_fields_of_a_server_s() -> None:
    """No more and no less, and values of the same JSON types."""
    with (
        Server({"agent": ScriptedGraph([{"a": 1}])}) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        post: Any = lambda path, body: http.post(path, json=body).json()  # noqa: E731
        thread = post("/threads", {})
        place = f"/threads/{thread['thread_id']}"
        run = post(f"{place}/runs", {"assistant_id": "agent", "input": {}})
        http.get(f"{place}/runs/{run['run_id']}/join")
        cron = post("/runs/crons", {"assistant_id": "agent", "schedule": "0 * * * *"})
        http.put("/store/items", json={"namespace": ["a"], "key": "k", "value": {}})
        pairs = [
            (thread, doc.thread()),
            (run, doc.run()),
            (http.get(f"{place}/state").json(), doc.state({"a": 1})),
            (post(f"{place}/state", {"values": {}}), doc.updated_state()),
            (post("/assistants/search", {})[0], doc.assistant()),
            (cron, doc.cron()),
            (http.get("/store/items?namespace=a&key=k").json(), doc.item()),
        ]
    for real, canned in pairs:
        assert canned.keys() == real.keys()
        for name, value in canned.items():
            if value is not None and real[name] is not None:
                assert type(value) is type(real[name]), name


def test_every_method_of_the_client_can_be_mocked() -> None:
    """Each is answered, and read as what it is."""
    with LangGraphMock() as mock, get_sync_client(url=mock.url) as client:
        mock.ok()
        mock.info(version="1.2.3")
        assistants, threads, runs = mock.assistants, mock.threads, mock.runs
        assistants.get(ID, name="n")
        assistants.create(graph_id="agent")
        assistants.update(ID)
        assistants.delete(ID)
        assistants.search([{"name": "found"}])
        assistants.count(3)
        assistants.get_graph(ID, nodes=[{"id": "a"}])
        assistants.get_schemas(ID, input_schema={"type": "object"})
        assistants.get_subgraphs(ID, subgraphs={"child": {}})
        assistants.get_versions(ID, versions=[{"version": 2}])
        assistants.set_latest(ID)
        threads.create(thread_id=ID)
        threads.get(ID, metadata={"m": 1})
        threads.update(ID)
        threads.delete(ID)
        threads.search([{"thread_id": ID}])
        threads.count(2)
        threads.prune(4)
        threads.copy(ID, thread_id=OTHER)
        threads.get_state(ID, values={"a": 1}, next=["ask"], interrupts=[{"value": "sure?"}])
        threads.update_state(ID)
        threads.get_history(ID, states=[{"values": {"a": 1}}])
        runs.create(ID, status="pending")
        runs.create_batch([{}, {}])
        runs.wait({"answer": "!"}, thread_id=ID)
        runs.get(ID, OTHER, status="success")
        runs.list(ID, runs=[{"run_id": OTHER}])
        runs.join(ID, OTHER, values={"a": 1})
        runs.join_stream(ID, OTHER, events=[("values", {"a": 1})])
        runs.cancel(ID, OTHER)
        runs.cancel_many()
        runs.delete(ID, OTHER)
        mock.crons.create(schedule="* * * * *")
        mock.crons.create_for_thread(ID)
        mock.crons.get(ID, schedule="1 * * * *")
        mock.crons.update(ID)
        mock.crons.delete(ID)
        mock.crons.search([{}])
        mock.crons.count(1)
        mock.store.put_item()
        mock.store.get_item(key="k", value={"v": 1})
        mock.store.delete_item()
        mock.store.search_items([{"key": "k"}])
        mock.store.list_namespaces([["a"]])

        assert client.ok()
        assert client.info().version == "1.2.3"
        assert client.assistants.get(ID).name == "n"
        assert client.assistants.create("agent").graph_id == "agent"
        client.assistants.update(ID, name="x")
        client.assistants.delete(ID)
        assert client.assistants.search()[0].name == "found"
        assert client.assistants.count() == 3
        assert client.assistants.get_graph(ID).nodes[0].id == "a"
        assert client.assistants.get_schemas(ID).input_schema == {"type": "object"}
        assert list(client.assistants.get_subgraphs(ID)) == ["child"]
        assert client.assistants.get_versions(ID)[0].version == 2
        client.assistants.set_latest(ID, 1)
        assert client.threads.create().thread_id == ID
        assert client.threads.get(ID).metadata == {"m": 1}
        client.threads.update(ID, metadata={})
        client.threads.delete(ID)
        assert client.threads.search()[0].thread_id == ID
        assert client.threads.count() == 2
        assert client.threads.prune([ID]).pruned_count == 4
        client.threads.copy(ID)
        assert client.threads.get_state(ID).tasks[0].interrupts[0].value == "sure?"
        client.threads.update_state(ID, {"a": 1})
        assert client.threads.get_history(ID)[0].values == {"a": 1}
        assert client.runs.create(ID, "agent").thread_id == ID
        assert len(client.runs.create_batch([{"assistant_id": "agent"}] * 2)) == 2
        assert client.runs.wait(ID, "agent") == {"answer": "!"}
        assert client.runs.get(ID, OTHER).status == "success"
        assert client.runs.list(ID)[0].run_id == OTHER
        assert client.runs.join(ID, OTHER) == {"a": 1}
        assert [part.data for part in client.runs.join_stream(ID, OTHER)] == [{"a": 1}]
        client.runs.cancel(ID, OTHER)
        client.runs.cancel_many(thread_id=ID, run_ids=[OTHER])
        client.runs.delete(ID, OTHER)
        client.crons.create("agent", schedule="* * * * *")
        client.crons.create_for_thread(ID, "agent", schedule="* * * * *")
        assert client.crons.get(ID).schedule == "1 * * * *"
        client.crons.update(ID, enabled=False)
        client.crons.delete(ID)
        assert len(client.crons.search()) == 1
        assert client.crons.count() == 1
        client.store.put_item(["a"], "k", {})
        assert client.store.get_item(["a"], "k").value == {"v": 1}
        client.store.delete_item(["a"], "k")
        assert client.store.search_items(["a"]).items[0].key == "k"
        assert client.store.list_namespaces([]).namespaces == [["a"]]


async def test_streams_are_mocked_for_both_kinds_of_clients() -> None:
    """Events, a failure at the end, a connection that breaks."""
    with LangGraphMock() as mock:
        route = mock.runs.stream([("values", {"a": 1}), ("values", {"a": 2})])
        client = get_client(url=mock.url)
        parts = [part async for part in client.runs.stream(None, "agent", input={"q": 1})]
        assert [part.event for part in parts] == ["metadata", "values", "values"]
        assert b'"q":1' in route.calls.last.request.content
        with get_sync_client(url=mock.url) as blocking:
            assert len(list(blocking.runs.stream(ID, "agent"))) == 3
        await client.aclose()
    with LangGraphMock() as mock, get_sync_client(url=mock.url) as client_:
        mock.runs.stream([("values", {})], cut=True)
        with pytest.raises(StreamIncomplete):
            list(client_.runs.stream(None, "agent"))


def test_a_remote_graph_over_a_mock() -> None:
    """Results, failures and questions."""
    with LangGraphMock() as mock, RemoteGraph("agent", url=mock.url) as graph:
        mock.runs.stream([("values", {"answer": "!"})])
        assert graph.invoke({}) == {"answer": "!"}
    with LangGraphMock() as mock, RemoteGraph("agent", url=mock.url) as graph:
        mock.runs.stream(failure=("ValueError", "no"))
        with pytest.raises(RemoteException, match="no"):
            graph.invoke({})
    with LangGraphMock() as mock, RemoteGraph("agent", url=mock.url) as graph:
        mock.runs.stream([("updates", {"__interrupt__": [{"id": "i", "value": "sure?"}]})])
        assert (
            next(iter(graph.stream({}, stream_mode="updates")))["__interrupt__"][0].value == "sure?"
        )


def test_answers_of_one_route_come_one_after_the_other() -> None:
    """An interrupt and then a result; a refusal and then a thread; the last one for ever."""
    with LangGraphMock() as mock, get_sync_client(url=mock.url, retry=None) as client:
        mock.runs.wait({"__interrupt__": [{"value": "sure?", "id": "1"}]})
        route = mock.runs.wait({"answer": 2})
        results = [client.runs.wait(ID, "agent"), client.runs.wait(None, "agent")]
        assert results == [{"__interrupt__": [{"value": "sure?", "id": "1"}]}, {"answer": 2}]
        assert client.runs.wait(ID, "agent") == {"answer": 2}
        assert route.call_count == 3
        mock.threads.get(error=404)
        mock.threads.get(status="busy")
        with pytest.raises(NotFoundError):
            client.threads.get(ID)
        assert client.threads.get(ID).status == "busy"
        mock.runs.stream([("values", {"a": 1})], cut=True)
        mock.runs.stream([("values", {"a": 2})], run_id=OTHER)
        with pytest.raises(StreamIncomplete):
            list(client.runs.stream(None, "agent"))
        assert list(client.runs.stream(ID, "agent"))[-1].data == {"a": 2}


def test_an_answer_that_nobody_asked_for_fails_the_test() -> None:
    """Also where another answer of the same route was asked for."""
    mock = LangGraphMock()
    mock.ok()
    mock.ok(ok=False)
    with (
        pytest.raises(AssertionError, match=r"never asked for: .*/ok.*1 of 2 times"),
        mock,
        get_sync_client(url=mock.url) as client,
    ):
        client.ok()


def test_a_path_that_the_server_does_not_have_is_refused() -> None:
    """Routes are made of the server's endpoint table, so that the two cannot drift apart."""
    with pytest.raises(LookupError, match="GET /runs/nope"):
        endpoint("GET", "/runs/nope", {})


def test_every_endpoint_that_a_client_calls_can_be_mocked() -> None:
    """What is left of the server's table is what clients have no method for."""
    mock = LangGraphMock()
    groups = [mock.assistants, mock.threads, mock.runs, mock.crons, mock.store]
    needed: dict[str, Any] = {"count": 1, "runs": [{}]}
    for group in groups:
        for name in [name for name in dir(group) if not name.startswith("_")]:
            method = getattr(group, name)
            parameters = inspect.signature(method).parameters.values()
            method(*[needed[p.name] for p in parameters if p.default is p.empty and p.kind != 4])
    mock.info()
    mock.ok()
    mocked = {
        (endpoint.method, endpoint.path)
        for endpoint in ENDPOINTS
        for route in mock.router.routes
        if route.match(httpx.Request(endpoint.method, mock.url + endpoint.path)) is not None
    }
    rest = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} - mocked
    assert rest == {
        *(("GET", path) for path in ("/", "/docs", "/openapi.json", "/metrics")),
        ("GET", "/threads/{thread_id}/history"),
        ("GET", "/threads/{thread_id}/storage"),
        ("POST", "/threads/{thread_id}/runs/{run_id}/control"),
        *((endpoint.method, endpoint.path) for endpoint in AGENT_ENDPOINTS),
    }


def test_errors_are_mocked() -> None:
    """Any status, with the server's words."""
    with LangGraphMock() as mock, get_sync_client(url=mock.url, retry=None) as client:
        mock.threads.get(error=404, detail="no such thread")
        mock.runs.wait(error=409)
        with pytest.raises(NotFoundError, match="no such thread"):
            client.threads.get(ID)
        with pytest.raises(APIStatusError, match="409"):
            client.runs.wait(None, "agent")


def test_a_request_without_a_route_fails_the_test() -> None:
    """So does a route that no request asked for, unless `assert_all_called=False`."""
    with (
        LangGraphMock() as mock,
        get_sync_client(url=mock.url) as client,
        pytest.raises(AssertionError, match="not mocked"),
    ):
        client.threads.get(ID)
    with pytest.raises(AssertionError, match="never asked for"), LangGraphMock() as mock:
        mock.threads.create()
    with LangGraphMock(assert_all_called=False) as mock:
        mock.threads.create()


def test_a_joined_stream_is_mocked_alone() -> None:
    """A client that has read to its end asks whether the run is over; the mock knows."""
    events = [("values", {"a": 1})]
    for place in ((ID, OTHER), (None, None)):
        with LangGraphMock() as mock, get_sync_client(url=mock.url) as client:
            mock.runs.join_stream(*place, events=events)
            assert [part.data for part in client.runs.join_stream(ID, OTHER)] == [{"a": 1}]


@pytest.mark.parametrize("general_first", [True, False])
def test_the_more_specific_answer_is_given(general_first: bool) -> None:
    """Whichever was added first; the general one is for the other ids."""
    with LangGraphMock() as mock, get_sync_client(url=mock.url) as client:
        if general_first:
            mock.threads.get(status="idle")
        mock.threads.get(ID, status="busy")
        if not general_first:
            mock.threads.get(status="idle")
        assert [client.threads.get(one).status for one in (ID, OTHER)] == ["busy", "idle"]


@pytest.mark.parametrize("place", [(ID, OTHER), (None, OTHER), (None, None)])
@pytest.mark.parametrize("stream_first", [True, False])
def test_an_answer_of_the_test_goes_before_one_that_a_stream_brings(
    place: tuple[str | None, str | None], stream_first: bool
) -> None:
    """A stream answers the question whether its run is over, unless the test does."""
    with LangGraphMock() as mock, get_sync_client(url=mock.url) as client:
        if stream_first:
            mock.runs.stream([("values", {"a": 1})], run_id=OTHER)
        mock.runs.get(*place, status="interrupted")
        if not stream_first:
            mock.runs.stream([("values", {"a": 1})], run_id=OTHER)
        assert list(client.runs.stream(ID, "agent"))[-1].data == {"a": 1}
        assert client.runs.get(ID, OTHER).status == "interrupted"


def test_routes_of_the_test_s_own_keep_their_place() -> None:
    """A route on the router itself, such as one for everything else, is asked in its turn."""
    with LangGraphMock() as mock, get_sync_client(url=mock.url, retry=None) as client:
        mock.threads.get(status="idle")
        rest = mock.router.route(name="rest").respond(418)
        mock.threads.get(ID, status="busy")
        assert [client.threads.get(one).status for one in (ID, OTHER)] == ["busy", "idle"]
        with pytest.raises(APIStatusError, match="418"):
            client.threads.search()
        assert mock.router["rest"] is rest
        assert rest.call_count == 1


def test_a_field_that_servers_may_have_is_answered() -> None:
    """Only a name that is nearly another one is taken for a mistake."""
    further: dict[str, Any] = {"user_id": "u", "created_by": "u", "langsmith_session_id": "l"}
    further |= {"ttl": None, "text": "t", "os": "x", "id": 1, "state": "s"}
    with LangGraphMock(assert_all_called=False) as mock, httpx.Client(base_url=mock.url) as http:
        mock.threads.get(**further)
        mock.runs.create(**further)
        mock.crons.create(**further)
        mock.store.get_item(**further)
        mock.assistants.create(**further)
        mock.threads.get_state(**further)
        mock.ok(**further)
        for path in (f"/threads/{ID}", f"/threads/{ID}/state", "/ok", "/store/items"):
            assert further.items() <= http.get(path).json().items()


def test_the_server_itself_can_fail() -> None:
    """`info` and `ok` answer with an error, as all methods do."""
    with LangGraphMock() as mock, get_sync_client(url=mock.url, retry=None) as client:
        mock.info(error=500, detail="starting")
        mock.ok(error=500)
        with pytest.raises(APIStatusError, match="starting"):
            client.info()
        assert not client.ok()


def test_a_mock_can_be_used_again() -> None:
    """Each time it begins with the answers that were given before its first use."""
    mock = LangGraphMock()
    mock.threads.get(ID, status="idle")
    mock.threads.get(ID, status="busy")
    for number in range(3):
        with mock, get_sync_client(url=mock.url) as client:
            mock.threads.get(ID, status="error")
            mock.threads.get(status="interrupted")
            route = mock.runs.stream([("values", {"n": number})], run_id=OTHER, cut=number == 0)
            told = [client.threads.get(one).status for one in (ID, ID, ID, ID, OTHER)]
            assert told == ["idle", "busy", "error", "error", "interrupted"]
            assert client.runs.get(ID, OTHER).status == ("running" if number == 0 else "success")
            assert route.call_count == 0
            stream = client.runs.stream(None, "agent")
            if number == 0:
                with pytest.raises(StreamIncomplete):
                    list(stream)
            else:
                assert list(stream)[-1].data == {"n": number}
    with pytest.raises(AssertionError, match="2 times"), mock:
        pass
