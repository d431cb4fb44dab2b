"""The page as a whole: safety, size, keys, keyboard, and what shows when things go wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from langgraph_client import Server, SyncLangGraphClient
from langgraph_client.server.documents import threads
from langgraph_client.server.options import HttpOptions
from langgraph_client.ui.pages import STATIC
from tests.support.free_port import free_port
from tests.support.hosted import Gate

from .browser import Browser, Page
from .test_threads import order, talk

Visit = Callable[[str], Page]


def get(server: Server, path: str) -> httpx.Response:
    """Ask a server's port."""
    return httpx.get(f"{server.url}{path}", trust_env=False, timeout=60)


def test_the_page_is_sent_with_a_strict_policy(server: Server) -> None:
    """No inline script, nothing from elsewhere, no HTML out of text, no frame around it."""
    answer = get(server, "/ui/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|style=", answer.text)
    assert get(server, "/ui").headers["location"] == "ui/"


def test_nothing_else_is_served(server: Server) -> None:
    """Only the page's own files can be asked for; other paths are the server's."""
    for path in ("../pages.py", "%2e%2e/pages.py", "..%2fpages.py", "vendor", "nothing.js"):
        assert get(server, f"/ui/{path}").status_code in (404, 405), path
    assert get(server, "/ok").json()["ok"] is True
    assert httpx.post(f"{server.url}/ui/", json={}, trust_env=False, timeout=60).status_code in (
        404,
        405,
    )


def test_the_page_names_no_other_host() -> None:
    """No file of ours has an address outside; nothing is loaded from elsewhere."""
    for file in STATIC.rglob("*"):
        if file.is_file() and "vendor" not in file.parts:
            found = re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", file.read_text("utf-8"))
            assert found == [], file.name


def test_the_page_is_small(server: Server) -> None:
    """All files together are less than 600 KB, compressed."""
    names = [file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*") if file.is_file()]
    sizes = {}
    with httpx.Client(trust_env=False, timeout=60) as client:
        for name in names:
            with client.stream("GET", f"{server.url}/ui/{name}") as answer:
                assert answer.status_code == 200, name
                sizes[name] = sum(map(len, answer.iter_raw()))
    assert sum(sizes.values()) < 600_000
    assert max(sizes[name] for name in sizes if "vendor" not in name) < 20_000


def test_the_page_is_asked_for_once(server: Server) -> None:
    """A file that has not changed is not sent again."""
    first = get(server, "/ui/app.js")
    headers = {"if-none-match": first.headers["etag"]}
    again = httpx.get(f"{server.url}/ui/app.js", headers=headers, trust_env=False, timeout=60)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("host", "options", "there"),
    [
        ("127.0.0.1", {}, True),
        ("0.0.0.0", {"api_key": "k"}, True),
        ("127.0.0.1", {"ui": False}, False),
        ("127.0.0.1", {"http": HttpOptions(disabled=frozenset({"ui"}))}, False),
    ],
)
def test_where_the_page_is(host: str, options: dict[str, object], there: bool) -> None:
    """On every port, unless it was left out."""
    server = Server({}, **options)  # type: ignore[arg-type]
    port = server.listen(host).rpartition(":")[2]
    with server:
        answer = httpx.get(f"http://127.0.0.1:{port}/ui/", trust_env=False, timeout=60)
        assert (answer.status_code == 200 and "<!doctype" in answer.text) is there


def test_the_key_is_asked_for_and_kept_in_the_tab(chromium: Browser) -> None:
    """With a key the page asks for it, says if it is wrong, and sends it with every request."""
    server = Server({}, api_key="secret")
    server.listen()
    with server, chromium.page() as page:
        page.open(f"{server.url}/ui/")
        page.wait_text("asks for a key")
        page.fill("[type=password]", "wrong")
        page.click("[type=submit]")
        page.wait_for("document.querySelector('[type=password]')?.value === ''")
        page.fill("[type=password]", "secret")
        page.click("[type=submit]")
        page.wait_text("No threads yet")
        assert page.evaluate("localStorage.length + document.cookie.length") == 0
        assert "secret" not in "".join(page.requests)


LATE_INFO = """{
  const fetched = window.fetch;
  window.fetch = async (url, options) => {
    const answer = await fetched(url, options);
    if (String(url).endsWith('/info') && answer.status === 401) {
      await new Promise((done) => { window.release = done; });
    }
    return answer;
  };
}"""


def test_a_late_refusal_of_the_key_before_is_ignored(chromium: Browser) -> None:
    """The page does not ask for a key again if a request that was sent before it is refused."""
    server = Server({}, api_key="secret")
    server.listen()
    with server, chromium.page() as page:
        page.send("Page.addScriptToEvaluateOnNewDocument", source=LATE_INFO)
        page.open(f"{server.url}/ui/")
        page.wait_text("asks for a key")
        page.wait_for("Boolean(window.release)")
        page.fill("[type=password]", "secret")
        page.click("[type=submit]")
        page.wait_text("No threads yet")
        page.evaluate("window.release()")
        page.press("2")
        page.wait_text("No assistants")


def test_a_key_in_the_address_is_taken_out_of_it(chromium: Browser) -> None:
    """`#key=…` is used, and neither shown nor kept in the address."""
    server = Server({}, api_key="secret")
    server.listen()
    with server, chromium.page() as page:
        page.open(f"{server.url}/ui/#key=secret")
        page.wait_text("No threads yet")
        assert page.evaluate("location.href") == f"{server.url}/ui/#/threads"
        assert page.problems == []


async def _fill(server: Server, count: int) -> None:
    for number in range(count):
        body = {"metadata": {"number": number}}
        await threads.create(server.services, server.services.clock.uuid7(), body)


def test_the_page_reads_no_more_of_many_threads(visit: Visit, server: Server) -> None:
    """With 3,000 threads it asks for what it asks for with 100, and gets about as many bytes."""

    def read_with(count: int) -> dict[str, int]:
        page = visit("threads")
        page.wait_for("document.querySelectorAll('[data-row]').length === 25")
        page.wait_text(f"{count:,}")
        for path in ("/info", "/threads/search", "/threads/count"):
            page.wait_for(f"({READ}).some(([path]) => path === '{path}')")
        # The largest of each: the page asks again now and then.
        return dict(sorted(page.evaluate(READ)))

    asyncio.run_coroutine_threadsafe(_fill(server, 100), server.loop).result(300)
    few = read_with(100)
    asyncio.run_coroutine_threadsafe(_fill(server, 2900), server.loop).result(300)
    many = read_with(3000)
    assert "/threads/search" in few
    assert many.keys() == few.keys()
    assert all(many[path] < 1.2 * size + 100 for path, size in few.items())


READ = """performance.getEntriesByType('resource')
    .map(one => [new URL(one.name).pathname, one.encodedBodySize])
    .filter(([path]) => !path.startsWith('/ui/'))"""


def test_threads_are_searched_and_paged(visit: Visit, client: SyncLangGraphClient) -> None:
    """By metadata, values, status and id; the pages go on where the last one ended."""
    talk(client, "about cats", user="ada", deep={"n": 1})
    waits = client.threads.create(metadata={"user": "bob"}).thread_id
    client.runs.wait(waits, "approval", input={"draft": "a draft"})
    for number in range(30):
        client.threads.create(metadata={"number": number})
    page = visit("threads")
    page.wait_for("document.querySelectorAll('[data-row]').length === 25")
    page.click(".pager button", "Next")
    page.wait_text("about cats", ".threads")
    for search, count in (
        ("user=ada", 1),
        ('metadata.deep.n=1 user="ada"', 1),
        ('{"deep": {"n": 1}}', 1),
        ("values.draft=nothing", 0),
        (waits, 1),
        ("number=3", 1),
    ):
        page.fill("[data-search]", search)
        page.wait_for(f"document.querySelectorAll('[data-row]').length === {count}")
    page.fill("[data-search]", "")
    page.choose("[aria-label=Status]", "interrupted")
    page.wait_for("document.querySelectorAll('[data-row]').length === 1")
    page.wait_text("1 waiting", ".threads")


def test_the_list_is_live(
    visit: Visit, client: SyncLangGraphClient, page: Page, gate: Gate
) -> None:
    """A thread that comes, and a status that changes, show without a reload."""
    visit("threads")
    page.wait_text("No threads yet")
    thread_id = order(client, "cats")
    gate.arrived()  # A run that has done nothing leaves an idle thread when it is cancelled.
    page.wait_text("busy", ".threads")
    client.runs.cancel(thread_id, client.runs.list(thread_id)[0].run_id, wait=True)
    page.wait_text("interrupted", ".threads")


def test_the_keyboard_is_enough(visit: Visit, client: SyncLangGraphClient) -> None:
    """Rows, tabs, views and the search are reached without a mouse; Ctrl+Enter sends."""
    thread_id = client.threads.create(graph_id="row").thread_id
    page = visit("threads")
    page.wait_for("document.querySelector('[data-row]')")
    page.press("j")
    page.press("Enter")
    page.fill("[aria-label=topic]", "cats")
    page.press("Enter", modifiers=2)
    page.wait_text("two:cats", ".tab-body")
    page.evaluate("document.activeElement.blur()")
    page.press("]")
    page.wait_text("checkpoints", ".history")
    page.press("2")
    page.wait_text("Assistants", "h1")
    page.press("1")
    page.wait_for("document.querySelector('[data-search]')")
    page.press("/")
    assert page.evaluate("document.activeElement.matches('[data-search]')")
    page.evaluate("document.activeElement.blur()")
    page.press("?")
    page.wait_for("document.querySelector('dialog[open]')")
    page.press("Escape")
    page.wait_for("!document.querySelector('dialog')")
    run_id = client.runs.list(thread_id)[0].run_id
    client.runs.join(thread_id, run_id)
    assert client.runs.get(thread_id, run_id).status == "success"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("tab", ["conversation", "state", "history", "runs", "events"])
def test_everything_has_a_name_and_fits(
    visit: Visit, client: SyncLangGraphClient, page: Page, width: int, tab: str
) -> None:
    """Each control has an accessible name, and nothing is wider than the window."""
    thread_id = talk(client, "hello " * 200)
    page.resize(width, 800)
    visit(f"threads/{thread_id}/{tab}")
    page.wait_for(
        "document.querySelector('.tab-body')?.innerText && document.querySelector('.node')"
    )
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    controls = {"button", "link", "textbox", "combobox", "checkbox", "searchbox", "dialog", "image"}
    nameless = [
        node
        for node in nodes
        if not node.get("ignored")
        and node.get("role", {}).get("value") in controls
        and not node.get("name", {}).get("value", "").strip()
    ]
    assert nameless == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_server_that_is_gone_is_said_and_found_again(chromium: Browser, tmp_path: Path) -> None:
    """While the server is away the page says so and keeps what it has; then it goes on."""
    from tests.support.graphs import fresh_graph

    path = tmp_path / "state.db"
    server = Server({"row": fresh_graph("row")}, path=path)
    url = server.listen(port=free_port())
    with chromium.page() as page:
        with server:
            client = server.sync_client()
            thread_id = client.threads.create().thread_id
            client.runs.wait(thread_id, "row", input={"topic": "cats"})
            page.open(f"{url}/ui/#/threads/{thread_id}/state")
            page.wait_text("two:cats", ".tab-body")
            page.wait_text("live", ".view-head")
        page.wait_text("The server does not answer")
        page.wait_text("Disconnected", ".side")
        assert "two:cats" in page.text(".tab-body")
        again = Server({"row": fresh_graph("row")}, path=path)
        again.listen(port=int(url.rpartition(":")[2]))
        with again:
            page.wait_for("!document.querySelector('.banner')")
            page.wait_text("live", ".view-head")
            again.sync_client().runs.wait(thread_id, "row", input={"topic": "dogs"})
            page.wait_text("two:dogs", ".tab-body")


def test_a_thread_that_is_not_there_is_said(visit: Visit, page: Page) -> None:
    """An unknown thread shows the server's words, and a way back."""
    visit("threads/00000000-0000-4000-8000-000000000000")
    page.wait_text("not found")
    page.click(".back")
    page.wait_text("No threads yet")
    page.problems.clear()  # The console of a browser names each answer above 399.


def test_both_colours_are_kept(visit: Visit, page: Page) -> None:
    """The page follows the system's colours until others are chosen; the choice lasts."""
    background = "getComputedStyle(document.body).backgroundColor"
    visit("threads")
    light = page.evaluate(background)
    page.click("button", "Use dark colours")
    page.wait_for(f"{background} !== {light!r}")
    visit("threads")
    page.wait_for(f"{background} !== {light!r}")  # They are set behind the first drawing.
