"""What the page shows while things happen, and on servers that are set up in other ways."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from langgraph_sdk import Auth
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from langgraph_client import ScriptedGraph, Server, SyncLangGraphClient
from langgraph_client.server.graphs.script_steps import Ask, Say, Update
from langgraph_client.server.options import HttpOptions
from tests.support.free_port import free_port
from tests.support.hosted import Gate

from .browser import Browser, Page
from .test_doing import ran, run_python, values
from .test_threads import order

Visit = Callable[[str], Page]


def test_tokens_show_as_they_come(visit: Visit, client: SyncLangGraphClient, gate: Gate) -> None:
    """A message grows while it is streamed, also within a subgraph, whose node is lit."""
    thread_id = client.threads.create(graph_id="stream").thread_id
    page = visit(f"threads/{thread_id}")
    page.click(".panel .check", "subgraphs")
    page.wait_for("document.querySelector('[data-node=\"inner:say\"]')")
    page.fill("[aria-label=messages]", "hello")
    page.click("[type=submit]", "Send")
    gate.arrived()
    page.wait_text("First", ".message.streaming")
    page.wait_for("document.querySelector('[data-node=\"inner:say\"].is-running')")
    gate.open()
    page.wait_text("First second.", ".messages")
    # The thread and its state are read side by side: the state may be the one before the end.
    page.wait_for(
        "!document.querySelector('.streaming, .is-running')"
        " && document.querySelectorAll('.message').length === 2"
    )


def test_a_run_of_somebody_else_lights_its_node(
    visit: Visit, client: SyncLangGraphClient, gate: Gate
) -> None:
    """A run that sends no events of its tasks lights the node that the state says is next."""
    thread_id = order(client, "cats")
    gate.arrived()
    page = visit(f"threads/{thread_id}")
    page.wait_for("document.querySelector('[data-node=pack].is-running')")
    gate.open()
    page.wait_for("!document.querySelector('.is-running')")
    page.wait_text("idle", ".view-head")


def test_a_tab_that_is_hidden_leaves_its_connection(
    visit: Visit, client: SyncLangGraphClient, gate: Gate
) -> None:
    """A hidden tab has no stream, as all tabs share six connections, and misses nothing."""
    thread_id = order(client, "cats")
    gate.arrived()
    page = visit(f"threads/{thread_id}/events")
    page.wait_text("live", ".view-head")
    hide = "Object.defineProperty(document, 'hidden', {{ get: () => {0}, configurable: true }});"
    said = "document.dispatchEvent(new Event('visibilitychange'));"
    page.evaluate(hide.format("true") + said)
    page.wait_text("reconnecting", ".view-head")
    gate.open()
    client.runs.join(thread_id, client.runs.list(thread_id)[0].run_id)
    page.evaluate(hide.format("false") + said)
    page.wait_text("live", ".view-head")
    page.wait_text("idle", ".view-head")
    page.click(".tabs a", "State")
    page.wait_text("packed", ".tab-body")


def test_a_long_history_is_read_in_parts(visit: Visit, client: SyncLangGraphClient) -> None:
    """A hundred checkpoints are read at first, older ones when they are asked for."""
    thread_id = client.threads.create(graph_id="row").thread_id
    for number in range(120):
        client.threads.update_state(thread_id, {"topic": str(number)}, as_node="two")
    page = visit(f"threads/{thread_id}/history")
    page.wait_text("100 checkpoints", ".history")
    page.click(".history-list button", "Older ones")
    page.wait_text("120 checkpoints", ".history")
    client.runs.wait(thread_id, "row", input={"topic": "new"})
    page.wait_text("124 checkpoints", ".history")


def test_an_answer_is_copied_as_python(visit: Visit, client: SyncLangGraphClient) -> None:
    """The lines for an answer resume the thread with it."""
    thread_id = ran(client, "approval", {"draft": "a draft"})
    page = visit(f"threads/{thread_id}")
    page.fill(".interrupt textarea", '{"ok": [true, null]}')
    page.click(".pending button", "Copy as Python")
    page.wait_for("document.querySelector('[data-python]')")
    run_python(page.text("[data-python]"))
    assert values(client, thread_id)["answers"] == [{"ok": [True, None]}]


def test_an_answer_is_given_again(visit: Visit, client: SyncLangGraphClient) -> None:
    """A run with a command is started again with that command, not with an input."""
    thread_id = ran(client, "approval", {"draft": "a draft"})
    client.runs.wait(thread_id, "approval", command={"goto": "review"})
    page = visit(f"threads/{thread_id}/runs")
    page.wait_text("goto", ".run")
    page.click(".run button", "Run again")
    page.wait_for("document.querySelectorAll('.run').length === 3")
    commands = [run["kwargs"]["command"]["goto"] for run in client.runs.list(thread_id)[:2]]
    assert commands[0] == commands[1]


def test_a_view_is_read_again_when_the_server_is_back(chromium: Browser) -> None:
    """A view that could not be read is read as soon as the server answers."""
    server = Server({})
    url = server.listen(port=free_port())
    with chromium.page() as page:
        with server:
            page.open(f"{url}/ui/#/store")
            page.wait_text("Nothing here")
        page.press("3")
        page.wait_text("The server does not answer", ".view")
        again = Server({})
        again.listen(port=int(url.rpartition(":")[2]))
        with again:
            page.wait_text("No crons")


def test_a_scripted_graph_is_used(chromium: Browser) -> None:
    """A server with a script is enough for the page: it sends, shows nodes, and answers."""
    script = [Say("Let me see.", node="look"), Ask("sure?", into="sure", node="ask")]
    server = Server({"agent": ScriptedGraph([*script, Update({"done": True}, "end")])})
    url = server.listen()
    with server, server.sync_client() as client, chromium.page() as page:
        thread_id = client.threads.create(graph_id="agent").thread_id
        page.open(f"{url}/ui/#/threads/{thread_id}")
        page.click("[type=submit]", "Send")
        page.wait_text("Let me see.", ".messages")
        page.wait_text("sure?", ".pending")
        page.wait_text("interrupted", ".view-head")
        page.click(".interrupt button", "Yes")
        page.wait_text("idle", ".view-head")
        page.click(".tabs a", "Runs")
        for node in ("look", "ask", "end"):
            page.wait_text(node, ".tab-body")
        assert values(client, thread_id)["done"] is True
        assert values(client, thread_id)["sure"] is True
        assert page.problems == []


def test_the_page_is_below_the_prefix(chromium: Browser) -> None:
    """With `mount_prefix` the page is below it, and finds the endpoints there."""
    server = Server({}, http=HttpOptions(mount_prefix="/api"))
    url = server.listen()
    with server, chromium.page() as page:
        page.open(f"{url}/ui/")
        page.wait_text("No threads yet")
        assert page.problems == []


def test_a_route_of_the_application_wins() -> None:
    """Where `http.app` has a route for `/ui`, it is served; asked for, the page is."""

    async def own(request: Request) -> PlainTextResponse:
        return PlainTextResponse("own")

    for asked, text in ((None, "own"), (True, "<!doctype")):
        app = Starlette(routes=[Route("/ui/", own), Route("/ui", own)])
        server = Server({}, http=HttpOptions(app=app), ui=asked)
        url = server.listen()
        with server:
            assert httpx.get(f"{url}/ui/", trust_env=False, timeout=60).text.startswith(text)


def _auth() -> Auth:
    auth = Auth()

    @auth.authenticate
    async def authenticate(authorization: str | None) -> str:
        if authorization != "Bearer open":
            raise Auth.exceptions.HTTPException(status_code=401, detail="Who are you?")
        return "ada"

    @auth.on.store
    async def on_store(ctx: Auth.types.AuthContext, value: dict[str, object]) -> bool:
        return False

    return auth


def test_a_token_is_sent_and_a_refusal_is_only_that(chromium: Browser) -> None:
    """With `auth` a bearer token opens the page; what is forbidden says so where it is."""
    server = Server({}, auth=_auth())
    url = server.listen()
    with server, chromium.page() as page:
        page.open(f"{url}/ui/")
        page.wait_text("asks for a key")
        page.choose(".unlock select", "authorization")
        page.fill("[type=password]", "open")
        page.click("[type=submit]")
        page.wait_text("No threads yet")
        page.press("4")
        page.wait_text("The server answered 403", ".view")
        page.press("1")
        page.wait_text("No threads yet")
