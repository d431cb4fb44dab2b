"""A webhook learns what became of a run."""

from __future__ import annotations

import asyncio
import json
import queue
import socket
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from langgraph_client import Auth, Server
from langgraph_client.server.background.webhook_urls import WebhookUrls
from langgraph_client.server.errors import Invalid
from langgraph_client.server.options import HttpOptions, WebhookOptions
from langgraph_client.testing import TestClock
from tests.support.eventually import eventually
from tests.support.graphs import shared_graphs
from tests.support.raw_server import TLS
from tests.support.tls_front import tls_front
from tests.support.webhook_receiver import WebhookReceiver


@pytest.fixture
def hook() -> Iterator[WebhookReceiver]:
    receiver = WebhookReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with (
        Server(shared_graphs(), webhooks=WebhookOptions(loopback=True, private=True)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        yield client


def run(
    http: httpx.Client, hook: WebhookReceiver, graph: str, given: Any, **more: Any
) -> dict[str, Any]:
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": graph, "input": given, "webhook": hook.url, **more}
    http.post(f"/threads/{thread_id}/runs/wait", json=body)
    return hook.got.get(timeout=60)


def test_a_success_is_told_with_its_values(http: httpx.Client, hook: WebhookReceiver) -> None:
    """The run, its end and times, and the thread's values."""
    told = run(http, hook, "counter", {"count": 1})
    assert (told["status"], told["values"]) == ("success", {"count": 2})
    assert told["run_started_at"] <= told["run_ended_at"] <= told["webhook_sent_at"]
    assert "error" not in told


def test_a_failure_is_told_with_its_error(http: httpx.Client, hook: WebhookReceiver) -> None:
    """Class name and text."""
    told = run(http, hook, "failing", {"how": "value"})
    assert told["status"] == "error"
    assert told["error"] == {"error": "ValueError", "message": "value is wrong"}


def test_a_stateless_run_has_no_values(http: httpx.Client, hook: WebhookReceiver) -> None:
    """Its thread is gone."""
    body = {"assistant_id": "counter", "input": {"count": 1}, "webhook": hook.url}
    http.post("/runs/wait", json=body)
    assert hook.got.get(timeout=60)["values"] is None


def test_a_listener_that_fails_is_told_again(http: httpx.Client, hook: WebhookReceiver) -> None:
    """After a 5xx the same is sent once more."""
    hook.answers = [503, 200]
    told = run(http, hook, "counter", {"count": 1})
    assert hook.got.get(timeout=60) == told


@pytest.mark.parametrize("status", [408, 429, 500])
def test_every_attempt_carries_the_same_id(
    http: httpx.Client, hook: WebhookReceiver, status: int
) -> None:
    """The header `webhook-id` tells a receiver which webhooks are the same; other runs differ."""
    hook.answers = [status, status, 200]
    run_id = run(http, hook, "counter", {"count": 1})["run_id"]
    assert [hook.ids.get(timeout=60) for _ in range(3)] == [run_id] * 3
    run(http, hook, "counter", {"count": 1})
    assert hook.ids.get(timeout=60) != run_id


def test_a_refusal_is_an_answer(hook: WebhookReceiver) -> None:
    """Other statuses mean that the webhook has arrived: nothing of it is kept."""
    hook.answers = [404]
    with (
        Server(shared_graphs(), webhooks=WebhookOptions(loopback=True)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        run(client, hook, "counter", {"count": 1})
        wait_until_delivered(server)
    assert hook.ids.qsize() == 1


def wait_until_delivered(server: Server) -> None:
    """Wait until nothing is left to be sent."""

    async def wait() -> None:
        async with asyncio.timeout(60):
            while await server.services.storage.webhook_deliveries.count():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    asyncio.run_coroutine_threadsafe(wait(), server.loop).result()


def test_after_a_day_a_webhook_is_given_up(
    hook: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Attempts become rarer, and end; the log says so."""
    hook.answers = [500]
    clock = TestClock()
    with (
        Server(shared_graphs(), webhooks=WebhookOptions(loopback=True), clock=clock) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        run(client, hook, "counter", {"count": 1})

        def left() -> list[Any]:
            search = server.services.storage.webhook_deliveries.search()
            return asyncio.run_coroutine_threadsafe(search, server.loop).result()

        def is_noted(attempt: int) -> bool:
            found = left()
            return not found or found[0]["attempts"] == attempt

        pauses = []
        for attempt in count(1):
            eventually(partial(is_noted, attempt))
            if not (found := left()):
                break
            due = datetime.fromisoformat(found[0]["due_at"])
            pause = (due - clock.now()).total_seconds()
            pauses.append(round(pause, 1))  # The clock may be past the attempt by what is added.
            clock.advance(pause + 0.01)
        assert "given up" in caplog.text
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]
    assert sum(pauses) > 23 * 3600
    assert hook.ids.qsize() == len(pauses) + 1


def test_a_server_that_is_stopped_sends_at_its_next_start(
    tmp_path: Path, hook: WebhookReceiver
) -> None:
    """What was not received is in the file; a run's end and its webhook are written together."""
    hook.answers = [503]
    options: dict[str, Any] = {
        "path": tmp_path / "state.db",
        "webhooks": WebhookOptions(loopback=True),
    }
    with (
        Server(shared_graphs(), **options) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        told = run(client, hook, "counter", {"count": 1})
    while not hook.got.empty():
        hook.got.get_nowait()
    hook.answers = [200]
    with Server(shared_graphs(), **options) as server:
        assert hook.got.get(timeout=60) == told
        wait_until_delivered(server)


@pytest.mark.parametrize(
    "url",
    [
        "/relative",
        "ftp://example.com/x",
        "nonsense",
        "http://localhost/x",
        "http://127.0.0.1/x",
        "http://10.0.0.1/x",
        "http://[::1]/x",
        "http://169.254.169.254/latest",
        "http://[::ffff:127.0.0.1]/x",
        "http://[::127.0.0.1]/x",
        "http://[64:ff9b::127.0.0.1]/x",
        "http://[64:ff9b::10.0.0.1]/x",
        "http://[2002:7f00:1::]/x",
        "http://a.localhost./x",
        "https://example.com:99999/x",
        "https://example.com:0/x",
        "https://example.com:port/x",
        f"https://{'a' * 70}.example/x",
        f"https://{'a.' * 130}example/x",
        f"https://{'ä' * 70}.example/x",
        "https://a..example/x",
        "https://[::1/x",
        "https://[nonsense]/x",
        "https://example.com\n/x",
    ],
)
def test_where_a_webhook_may_not_go(server: Server, url: str) -> None:
    """By default nothing local, and nothing but http and https."""
    with httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client:
        body = {"assistant_id": "row", "input": {}, "webhook": url}
        answer = client.post("/runs", json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("Webhook")


@pytest.mark.parametrize("path", ["/runs", "/runs/wait", "/runs/stream", "/runs/crons"])
def test_a_refused_webhook_starts_nothing(server: Server, path: str) -> None:
    """Wherever a webhook can be named, one that cannot be called is a 422."""
    with httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client:
        body = {
            "assistant_id": "row",
            "input": {},
            "schedule": "* * * * *",
            "webhook": "https://example.com:99999/x",
        }
        answer = client.post(path, json=body)
        assert answer.status_code == 422
        assert "is not a URL" in answer.json()["detail"]


def test_a_name_that_leads_nowhere_is_logged(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be delivered is a warning, never an exception that nobody looks at."""
    with httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client:
        url = "https://name.invalid/x"
        body = {"assistant_id": "row", "input": {}, "webhook": url}
        assert client.post("/runs/wait", json=body).status_code == 200
    server.close()
    assert "not delivered" in caplog.text
    assert "Traceback" not in caplog.text


RULES = WebhookOptions(
    loopback=True,
    require_https=True,
    allowed_domains=("Hooks.example", "*.corp.example", "10.0.0.7"),
    allowed_ports=(443, 8443),
    max_url_length=60,
)


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("https://hooks.example/x", None),
        ("https://HOOKS.example:8443/x", None),
        ("https://a.b.corp.example/x", None),
        ("https://10.0.0.7/x", None),
        ("http://hooks.example/x", "must use https"),
        ("https://hooks.example:80/x", "port 80 not allowed"),
        ("https://corp.example/x", "domain 'corp.example' not allowed"),
        ("https://evilcorp.example/x", "not allowed"),
        ("https://hooks.example.evil.example/x", "not allowed"),
        ("https://10.0.0.8/x", "not allowed"),
        (f"https://hooks.example/{'x' * 60}", "too long"),
    ],
)
def test_rules_of_urls(url: str, detail: str | None) -> None:
    """Scheme, host, port and length are as the rules say; a host that is named may be private."""
    with (
        Server(shared_graphs(), webhooks=RULES) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        body = {"assistant_id": "row", "input": {}, "webhook": url, "after_seconds": 3600}
        answer = client.post("/runs", json=body)
        assert answer.status_code == (200 if detail is None else 422)
        assert detail is None or detail in answer.json()["detail"]


def test_private_networks_beside_this_machine() -> None:
    """With only this machine allowed, private networks stay closed."""
    urls = WebhookUrls(WebhookOptions(loopback=True), has_home=False)
    urls.check("http://127.0.0.1:1/x")
    with pytest.raises(Invalid, match="a private network"):
        urls.check("http://10.0.0.1/x")


def test_an_allowed_domain_in_any_alphabet() -> None:
    """A domain of the rules and the host of a URL are compared as httpx looks them up."""
    options = WebhookOptions(allowed_domains=("straße.example", "*.BÜCHER.example"))
    urls = WebhookUrls(options, has_home=False)
    urls.check("https://straße.example/x")
    urls.check("https://xn--strae-oqa.example/x")
    urls.check("https://a.bücher.example/x")
    with pytest.raises(Invalid, match="not allowed"):
        urls.check("https://strasse.example/x")  # What `getaddrinfo` makes of the first one.


class Names:
    """Answers of `getaddrinfo` for a name, one after the other; the last one stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, answers: list[list[str]]):
        self.asked = 0
        real = socket.getaddrinfo

        def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
            if (host.decode() if isinstance(host, bytes) else host) != name:
                return real(host, port, *args, **options)
            addresses = answers[min(self.asked, len(answers) - 1)]
            self.asked += 1
            return [one for a in addresses for one in real(a, port, *args, **options)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_the_address_that_was_checked_is_called(
    hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is looked up once: a second answer cannot lead to where webhooks must not go."""
    names = Names(monkeypatch, "xn--strae-oqa.example", [["127.0.0.1"], ["10.0.0.1"]])
    port = httpx.URL(hook.url).port
    with (
        Server(shared_graphs(), webhooks=WebhookOptions(loopback=True)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        url = f"http://straße.example:{port}/hook"
        body = {"assistant_id": "counter", "input": {"count": 1}, "webhook": url}
        assert client.post("/runs/wait", json=body).status_code == 200
        assert hook.got.get(timeout=60)["status"] == "success"
    assert names.asked == 1
    assert httpx.Headers(hook.headers)["host"] == f"xn--strae-oqa.example:{port}"


def test_a_name_with_one_forbidden_address(
    hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every address of a name must be allowed; otherwise none is called."""
    Names(monkeypatch, "two.example", [["127.0.0.1", "10.0.0.1"]])
    with (
        Server(shared_graphs(), webhooks=WebhookOptions(loopback=True)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        url = f"http://two.example:{httpx.URL(hook.url).port}/hook"
        body = {"assistant_id": "counter", "input": {"count": 1}, "webhook": url}
        assert client.post("/runs/wait", json=body).status_code == 200
        # A server that closes waits for its webhooks, but not for long.
        eventually(lambda: "the name leads to a private network" in caplog.text)
    assert hook.got.empty()


def test_an_address_that_cannot_be_reached(
    hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next address of the name is called."""
    Names(monkeypatch, "two.example", [["127.0.0.2", "127.0.0.1"]])  # Nothing listens at the first.
    with (
        Server(shared_graphs(), webhooks=WebhookOptions(loopback=True)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        url = f"http://two.example:{httpx.URL(hook.url).port}/hook"
        body = {"assistant_id": "counter", "input": {"count": 1}, "webhook": url}
        assert client.post("/runs/wait", json=body).status_code == 200
        assert hook.ids.get(timeout=60)


def test_the_certificate_is_that_of_the_name(
    hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate that is good for the address only is refused."""
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))  # Of localhost and 127.0.0.1.
    Names(monkeypatch, "other.example", [["127.0.0.1"]])
    with (
        tls_front(hook.url) as good,
        Server(shared_graphs(), webhooks=WebhookOptions(loopback=True)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        body = {"assistant_id": "counter", "input": {"count": 1}, "webhook": f"{good}/hook"}
        client.post("/runs/wait", json=body)
        assert hook.ids.get(timeout=60)
        body["webhook"] = f"https://other.example:{httpx.URL(good).port}/hook"
        client.post("/runs/wait", json=body)
        # A server that closes waits for its webhooks, but not for long.
        eventually(lambda: "certificate is not valid for 'other.example'" in caplog.text)
    assert hook.ids.empty()


def test_a_proxy_gets_the_name(hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks the name up by itself; the rules apply to what the server finds."""
    monkeypatch.setenv("http_proxy", hook.url.removesuffix("/hook"))
    Names(monkeypatch, "public.example", [["93.184.216.34"]])
    with (
        Server(shared_graphs()) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        url = "http://public.example/hook"
        client.post("/runs/wait", json={"assistant_id": "row", "input": {}, "webhook": url})
        assert hook.ids.get(timeout=60)
    assert httpx.Headers(hook.headers)["host"] == "public.example"


def test_a_webhook_does_not_carry_the_user(hook: WebhookReceiver) -> None:
    """Of the user, a webhook has the id: `Auth` may have put secrets into the other fields."""
    auth = Auth()
    auth.authenticate(lambda: {"identity": "ann", "token": "secret-1"})
    with (
        Server(shared_graphs(), auth=auth, webhooks=WebhookOptions(loopback=True)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        told = run(client, hook, "counter", {"count": 1})
    assert told["kwargs"]["config"]["configurable"]["langgraph_auth_user_id"] == "ann"
    assert "secret-1" not in json.dumps(told)


def test_headers_and_fields(hook: WebhookReceiver) -> None:
    """A webhook carries the headers of the config, and only the fields that it names."""
    options = WebhookOptions(loopback=True, headers={"x-key": "k"}, fields=("run_id", "status"))
    with (
        Server(shared_graphs(), webhooks=options) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        told = run(client, hook, "counter", {"count": 1})
        assert (sorted(told), told["status"]) == (["run_id", "status"], "success")
        assert hook.headers["x-key"] == "k"


def test_disabled_webhooks(hook: WebhookReceiver, caplog: pytest.LogCaptureFixture) -> None:
    """A run takes a webhook that is not sent, and the log says so."""
    caplog.set_level("INFO", "langgraph_client.server")
    options = WebhookOptions(loopback=True, enabled=False)
    with (
        Server(shared_graphs(), webhooks=options) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        body = {"assistant_id": "counter", "input": {"count": 1}, "webhook": hook.url}
        assert client.post("/runs/wait", json=body).status_code == 200
    assert hook.got.empty()
    assert "webhooks are disabled" in caplog.text


def test_a_webhook_to_this_server() -> None:
    """A URL without a host means the server itself, where this machine may be called."""
    told: queue.Queue[Any] = queue.Queue()

    async def hear(request: Request) -> Response:
        told.put(await request.json())
        return Response()

    app = Starlette(routes=[Route("/mine", hear, methods=["POST"])])
    options = WebhookOptions(loopback=True)
    with (
        Server(shared_graphs(), webhooks=options, http=HttpOptions(app=app)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        body = {"assistant_id": "counter", "input": {"count": 1}, "webhook": "/mine"}
        client.post("/runs/wait", json=body)
        assert told.get(timeout=60)["status"] == "success"
