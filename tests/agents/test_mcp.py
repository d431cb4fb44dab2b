"""MCP: assistants as tools, for the clients that people use and for bare requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from langchain_core.messages import AnyMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from langgraph.graph import START, MessagesState, StateGraph, add_messages
from langgraph.types import interrupt
from pydantic import BaseModel, Field

from langgraph_client.server.http.routes.mcp import simplified, tool_name
from langgraph_client.server.options import HttpOptions
from langgraph_client.server.storage import document_rows
from langgraph_client.testing import TestServer
from tests.auth.conftest import client, owners


class Sum(BaseModel):
    """Two numbers."""

    a: int = Field(description="the first")
    b: int = 0
    sum: int | None = None


def add(state: Sum) -> dict[str, Any]:
    if state.a < 0:
        raise ValueError("negative")
    return {"sum": state.a + state.b}


def answer(state: MessagesState) -> dict[str, Any]:
    return {"messages": [("ai", f"you said {state['messages'][-1].text}")]}


def ask(state: MessagesState) -> dict[str, Any]:
    return {"messages": [("ai", f"hello {interrupt('who?')}")]}


def graph(state: Any, node: Any) -> Any:
    return StateGraph(state).add_node("node", node).add_edge(START, "node").compile()


GRAPHS = {
    "adder": graph(Sum, add),
    "chat": graph(MessagesState, answer),
    "asking": graph(MessagesState, ask),
}
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    """A server whose graphs are tools."""
    with TestServer(GRAPHS, descriptions={"adder": "Adds two numbers."}) as running:
        yield running


@pytest.fixture
def http(server: TestServer) -> Iterator[httpx.Client]:
    """Bare httpx to it."""
    with client(server, None) as http:
        yield http


def rpc(http: httpx.Client, method: str, params: Any = None, **headers: str) -> Any:
    message = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
    answer = http.post("/mcp", json=message, headers={**ACCEPT, **headers})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["jsonrpc"], answer.json()["id"]) == ("2.0", 0)
    return answer.json()


async def test_langchain_s_adapters(server: TestServer) -> None:
    """`langchain-mcp-adapters` finds the graphs, with their schemas, and calls them."""
    where: Any = {"transport": "streamable_http", "url": f"{url(server)}/mcp"}
    tools = {tool.name: tool for tool in await MultiServerMCPClient({"ours": where}).get_tools()}
    assert tools.keys() == GRAPHS.keys()
    adder: Any = tools["adder"]
    assert adder.description == "Adds two numbers."
    assert adder.args["a"] == {"title": "A", "type": "integer", "description": "the first"}
    assert adder.args_schema["required"] == ["a"]
    (block,) = await adder.ainvoke({"a": 2, "b": 3})
    assert block["text"] == '{"a":2,"b":3,"sum":5}'
    (block,) = await tools["chat"].ainvoke({"messages": "hello"})
    assert "you said hello" in block["text"]
    assert "'chat'" in tools["chat"].description


def url(server: TestServer) -> str:
    return server.url or server.listen()


def test_what_a_server_says_of_itself(http: httpx.Client) -> None:
    """The version of the protocol is the client's where it is known, else the latest."""
    for asked, answered in (("2025-03-26", "2025-03-26"), ("1999-01-01", "2025-11-25")):
        result = rpc(http, "initialize", {"protocolVersion": asked})["result"]
        assert result["protocolVersion"] == answered
        assert result["capabilities"] == {"tools": {"listChanged": False}}
    assert rpc(http, "ping")["result"] == {}


def test_calls_that_fail(http: httpx.Client) -> None:
    """A run that fails is a result with an error; a tool that there is not is an error."""
    call = {"name": "adder", "arguments": {"a": -1}}
    result = rpc(http, "tools/call", call)["result"]
    assert result["isError"] is True
    assert result["content"] == [{"type": "text", "text": "ValueError: negative"}]
    for params in ({"name": "nothing"}, {}, None):
        assert rpc(http, "tools/call", params)["error"]["code"] == -32602
    assert rpc(http, "resources/list")["error"]["code"] == -32601


def test_what_is_no_request(http: httpx.Client) -> None:
    """Notifications are taken, malformed messages refused; there are no streams and sessions."""
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert http.post("/mcp", json=note, headers=ACCEPT).status_code == 202
    for wrong in ([], {"id": 1, "method": "ping"}, {"jsonrpc": "2.0"}, "x"):
        assert http.post("/mcp", json=wrong, headers=ACCEPT).status_code == 400
    assert http.post("/mcp", content="{", headers=ACCEPT).status_code == 400
    assert http.post("/mcp", json=note, headers={"accept": "text/html"}).status_code == 400
    assert (http.get("/mcp").status_code, http.delete("/mcp").status_code) == (405, 404)


def test_pages_and_names(http: httpx.Client) -> None:
    """Assistants come in pages; two of one name are one tool: the older one."""
    made = [
        http.post("/assistants", json={"graph_id": "adder", "name": f"tool {number % 101}"}).json()
        for number in range(102)
    ]
    first = rpc(http, "tools/list")["result"]
    second = rpc(http, "tools/list", {"cursor": first["nextCursor"]})["result"]
    assert "nextCursor" not in second
    names = [tool["name"] for tool in (*first["tools"], *second["tools"])]
    assert sorted(names) == sorted([*GRAPHS, *(f"tool_{number}" for number in range(101))])
    for assistant in made:
        http.delete(f"/assistants/{assistant['assistant_id']}")
    assert tool_name("  a  b/ü\n.c-d_" + "x" * 200) == ("a_b_.c-d_" + "x" * 200)[:128]


def test_assistants_of_one_name(server: TestServer, http: httpx.Client) -> None:
    """The oldest has the tool, in the list and in calls, also after others have come."""
    known = server.sync_client().assistants
    made = [
        known.create(graph, name="My Agent!", description=graph, config={"tags": [graph]})
        for graph in ("adder", "chat")
    ]
    listed = [one for one in rpc(http, "tools/list")["result"]["tools"] if one["title"][:2] == "My"]
    assert [(tool["name"], tool["description"]) for tool in listed] == [("My_Agent", "adder")]
    call = {"name": "My_Agent", "arguments": {"a": 1}}
    result = rpc(http, "tools/call", call)["result"]
    assert result["content"][0]["text"] == '{"a":1,"sum":1}'
    for assistant in made:
        known.delete(assistant.assistant_id)


def test_few_fields_of_assistants_are_read(server: TestServer, http: httpx.Client) -> None:
    """A call reads pages of ids and names until the tool is found, the list descriptions, too."""
    known = server.sync_client().assistants
    made = [known.create("adder", name=f"one of many {number}") for number in range(1000)]

    def read(method: str, params: Any = None) -> list[tuple[int, list[str]]]:
        server.requests.clear()
        rpc(http, method, params)
        searches = server.requests.matching("POST", "/assistants/search")
        return [(search.body["offset"], search.body["select"]) for search in searches]

    fields = ["assistant_id", "name"]
    first, second = (0, fields), (1000, fields)
    assert read("tools/call", {"name": "adder", "arguments": {"a": 1}}) == [first]
    assert read("tools/call", {"name": "one_of_many_999", "arguments": {"a": 1}}) == [first, second]
    assert read("tools/call", {"name": "nobody's"}) == [first, second]
    more = [*fields, "graph_id", "description"]
    assert read("tools/list", {"cursor": "5000"}) == [(0, more), (1000, more)]
    for assistant in made:
        known.delete(assistant.assistant_id)


def test_a_tool_is_found_without_reading_assistants(
    path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids and names have columns of their own: a call of an unknown tool decodes no document."""
    decoded: list[str] = []
    decode = document_rows.decode

    def counting(text: str) -> Any:
        decoded.append(text)
        return decode(text)

    with TestServer(GRAPHS, path=path) as running, client(running, None) as http:
        monkeypatch.setattr(document_rows, "decode", counting)
        error = rpc(http, "tools/call", {"name": "nobody's"})["error"]
        assert (error["message"], decoded) == ("Unknown tool: nobody's", [])


@pytest.mark.parametrize("arguments", [[1], "x", 0, False])
def test_arguments_that_are_no_object(http: httpx.Client, arguments: object) -> None:
    """They are refused: without them, another run than the caller's would be made."""
    error = rpc(http, "tools/call", {"name": "chat", "arguments": arguments})["error"]
    assert error == {"code": -32602, "message": "The arguments of a tool must be an object."}


def test_assistants_that_cannot_be_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One whose graph is gone or cannot be created is no tool; the others are tools as before."""

    def picky(config: dict[str, Any]) -> Any:
        raise ValueError(f"no model {config.get('model')}")

    path = tmp_path / "server.db"
    with TestServer(GRAPHS, path=path) as server:
        server.sync_client().assistants.create("asking", name="left")
    kept = {name: GRAPHS[name] for name in ("adder", "chat")}
    with TestServer({**kept, "picky": picky}, path=path) as server, client(server, None) as http:
        tools = rpc(http, "tools/list")["result"]["tools"]
    assert {tool["name"] for tool in tools} == kept.keys()
    assert "MCP leaves out the tool left: " in caplog.text
    assert "MCP leaves out the tool picky: " in caplog.text


@pytest.mark.parametrize("cursor", ['"x"', "[]", "-7"])
def test_a_cursor_that_is_none(http: httpx.Client, cursor: str) -> None:
    """It means the first page."""
    message = '{"jsonrpc": "2.0", "id": 0, "method": "tools/list", "params": {"cursor": %s}}'
    answer = http.post("/mcp", content=message % cursor, headers=ACCEPT)
    assert answer.json()["result"] == rpc(http, "tools/list")["result"]


def test_schemas_for_models() -> None:
    """Messages are a text, and definitions that nothing names any more are gone."""

    class Mixed(BaseModel):
        messages: Annotated[list[AnyMessage], add_messages]
        sums: list[Sum]

    schema = simplified(Mixed.model_json_schema())
    assert schema["properties"]["messages"]["type"] == "string"
    assert schema["$defs"].keys() == {"Sum"}
    assert simplified({}) == {"properties": {}, "type": "object"}


def test_it_can_be_disabled() -> None:
    """`http.disable_mcp`: there is no such endpoint."""
    options = HttpOptions(disabled=frozenset({"mcp"}))
    with TestServer(GRAPHS, http=options) as server, client(server, None) as http:
        assert http.post("/mcp", json={}).status_code == 404


def test_tools_are_one_s_own() -> None:
    """A user's tools are the user's assistants and those of the graphs; the runs are the user's."""
    with (
        TestServer(GRAPHS, auth=owners(), max_runs=1) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
        client(server, None) as nobody,
    ):
        assistant = {"graph_id": "adder", "name": "ann's"}
        assert ann.post("/assistants", json=assistant).status_code == 200
        for http, own in ((ann, ["ann's"]), (bob, [])):
            tools = rpc(http, "tools/list")["result"]["tools"]
            assert {tool["title"] for tool in tools} == {*GRAPHS, *own}
        call = {"name": "anns", "arguments": {"a": 1}}
        assert rpc(ann, "tools/call", call)["result"]["content"][0]["text"].endswith('"sum":1}')
        assert rpc(bob, "tools/call", call)["error"]["message"] == "Unknown tool: anns"
        assert nobody.post("/mcp", json={}).status_code == 401
