"""Single requests over a strange wire: what is repeated, and what failures become."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from langgraph_client import LangGraphClient, get_client
from langgraph_client._core.failure import RetryPolicy
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APITimeoutError,
    ConflictError,
    InternalServerError,
    RateLimitError,
    RemoteException,
)
from tests.support.raw_server import client_context, http, raw_server
from tests.support.wire import URL, Answer, Wire, reply

KEY = "lsv2_secret"
QUICK = RetryPolicy(initial=0, jitter=0)


def client_of(wire: Wire, **options: Any) -> LangGraphClient:
    options = {"api_key": KEY, "retry": QUICK, **options}
    return get_client(url=URL, transport=wire, **options)


async def test_reading_is_repeated() -> None:
    """A request that changes nothing is sent again after 503 and after a reset."""
    wire = Wire(reply({}, 503), httpx.ReadError("reset"), reply({"thread_id": "t"}))
    async with client_of(wire) as client:
        assert (await client.threads.get("t")).thread_id == "t"
    assert len(wire.requests) == 3


async def test_a_repeated_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With the reason, and the pause before the next attempt."""
    wire = Wire(reply({}, 503), httpx.ReadError("reset"), reply({"thread_id": "t"}))
    with caplog.at_level("INFO", "langgraph_client"):
        async with client_of(wire) as client:
            await client.threads.get("t")
    assert [record.getMessage() for record in caplog.records] == [
        "GET /threads/t failed (503); trying again in 0 s",
        "GET /threads/t failed (connection failed); trying again in 0 s",
    ]


async def test_starting_a_run_is_not_repeated() -> None:
    """A run that may have been started is not started again, on a server that promises nothing."""
    for answer in (reply({}, 503), httpx.ReadError("reset"), httpx.ReadTimeout("slow")):
        wire = Wire(answer, reply({}, 404))
        async with client_of(wire) as client:
            with pytest.raises(APIError):
                await client.runs.create("t", "agent")
        assert wire.lines == ["POST /threads/t/runs", "GET /info"]


async def test_what_was_never_sent_is_repeated() -> None:
    """A refused connection did not start anything."""
    wire = Wire(httpx.ConnectError("refused"), reply({"run_id": "r"}))
    async with client_of(wire) as client:
        assert (await client.runs.create("t", "agent")).run_id == "r"


async def test_attempts_are_limited() -> None:
    """The last failure is raised as it is."""
    wire = Wire(*[reply({"detail": "later"}, 429, retry_after="0")] * 3)
    async with client_of(wire) as client:
        with pytest.raises(RateLimitError, match="later") as caught:
            await client.threads.search()
    assert caught.value.retry_after == 0


async def test_an_error_says_what_where_and_why() -> None:
    """`str()` is the server's words, a note says where it was; nothing has the key."""
    wire = Wire(reply({"detail": "Thread with ID t already exists"}, 409))
    async with client_of(wire) as client:
        with pytest.raises(ConflictError) as caught:
            await client.threads.create(thread_id="t")
        said = f"{client!r} {client._transport.settings!r} {caught.value!r}"
    error = caught.value
    assert str(error) == "Thread with ID t already exists"
    assert error.__notes__ == [f"409, POST {URL}/threads"]
    assert (error.status_code, error.response.json()) == (409, error.body)
    assert error.response.request.url == f"{URL}/threads"
    said += "".join(traceback.format_exception(error))
    assert KEY not in said
    assert KEY not in str(error.request.headers)
    assert wire.requests[0].headers["x-api-key"] == KEY


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), APIConnectionError),
        (httpx.ConnectTimeout("slow"), APITimeoutError),
        (httpx.ReadTimeout("slow"), APITimeoutError),
        (httpx.RemoteProtocolError("reset"), APIConnectionError),
        (Answer(500, [b"Internal Server Error"]), InternalServerError),
        (Answer(200, [b"<html>"], {"content-type": "text/html"}), APIResponseValidationError),
        (Answer(200, [b'{"thread_id": "t'], {}), APIResponseValidationError),
        (Answer(200, [b"[]"], {}), APIResponseValidationError),
        (Answer(200, [b"\x1f\x8bno"], {"content-encoding": "gzip"}), APIResponseValidationError),
    ],
    ids=str,
)
async def test_every_failure_is_one_of_ours(failure: Any, kind: type[APIError]) -> None:
    """Whatever goes wrong becomes an error of ours, naming the request, with its cause."""
    wire = Wire(failure)
    async with client_of(wire, retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(kind, match=r"GET http://server\.example/threads/t\)?$") as caught:
            await client.threads.get("t")
    if isinstance(failure, Exception):
        assert caught.value.__cause__ is failure


async def test_redirects_stay_at_home() -> None:
    """A redirect within the origin is followed; one that leads elsewhere is refused."""
    wire = Wire(Answer(307, [], {"location": "/threads/u"}), reply({"thread_id": "u"}))
    async with client_of(wire) as client:
        assert (await client.threads.get("t")).thread_id == "u"
    wire = Wire(Answer(307, [], {"location": "http://evil.example/threads/t"}))
    async with client_of(wire) as client:
        with pytest.raises(APIResponseValidationError, match=r"another host.*evil\.example"):
            await client.threads.get("t")
    assert len(wire.requests) == 1


async def test_a_redirect_to_no_url_is_told() -> None:
    """What cannot be parsed is an answer that is not valid."""
    wire = Wire(reply({}, 307, location="http://["))
    async with client_of(wire) as client:
        with pytest.raises(APIResponseValidationError, match="not a URL"):
            await client.threads.get("t")


async def test_endless_redirects_end() -> None:
    """A redirect loop is given up. The error says where it leads: perhaps only to https://."""
    encrypted = URL.replace("http:", "https:")
    wire = Wire(*[Answer(307, [], {"location": f"{encrypted}/threads/t"}) for _ in range(20)])
    async with client_of(wire, retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(APIConnectionError, match=f"redirects .* now to {encrypted}/threads/t"):
            await client.threads.get("t")


async def test_headers_and_params_of_a_call_are_sent() -> None:
    """What a call adds is sent, and wins over the client's headers and its own query."""
    wire = Wire(reply([]))
    async with client_of(wire, headers={"x-tenant": "a", "x-kept": "k"}) as client:
        await client.runs.list("t", headers={"X-Tenant": "b"}, params={"limit": 3, "more": True})
    sent = wire.requests[0]
    assert (sent.headers["x-tenant"], sent.headers["x-kept"]) == ("b", "k")
    assert wire.lines == ["GET /threads/t/runs?offset=0&limit=3&more=true"]


async def test_ids_cannot_walk_out_of_their_place() -> None:
    """Odd characters in an id are quoted."""
    wire = Wire(reply({"thread_id": "x"}))
    async with client_of(wire) as client:
        await client.threads.get("../runs?a=b#c é")
    assert wire.lines == ["GET /threads/..%2Fruns%3Fa%3Db%23c%20%C3%A9"]


@pytest.mark.parametrize("dots", [".", "..", "..."])
async def test_ids_of_dots_are_quoted(dots: str) -> None:
    """As they are, they would be folded into the path, and ask for another resource."""
    wire = Wire(reply({"thread_id": dots}))
    async with client_of(wire) as client:
        await client.threads.get(dots)
    assert wire.lines == [f"GET /threads/{'%2E' * len(dots)}"]


async def test_the_headers_of_a_call_win() -> None:
    """A call's headers take the place of the client's, whatever their case, the key included."""
    wire = Wire(reply({}), reply({}))
    async with client_of(wire, headers={"Authorization": "service"}) as client:
        await client.threads.get("t", headers={"aUTHORIZATION": "alice", "X-API-Key": "hers"})
        await client.threads.get("t")
    first, second = (request.headers for request in wire.requests)
    assert first.get_list("authorization") == ["alice"]
    assert first.get_list("x-api-key") == ["hers"]
    assert (second["authorization"], second["x-api-key"]) == ("service", KEY)


async def test_a_failed_run_raises() -> None:
    """The result of a failed run becomes an exception that knows the run, unless told not to."""
    failed = {"__error__": {"error": "ValueError", "message": "no"}}
    told = {"content_location": "/threads/t/runs/r"}
    wire = Wire(reply(failed, **told), reply(failed, **told))
    async with client_of(wire) as client:
        with pytest.raises(RemoteException, match=r"^ValueError: no$") as caught:
            await client.runs.wait("t", "agent")
        assert (caught.value.run_id, caught.value.thread_id) == ("r", "t")
        assert await client.runs.wait("t", "agent", raise_error=False) == failed


async def test_pages_are_iterated_to_the_end() -> None:
    """Iteration asks for page after page, to the end or to the limit; limit 0 asks for nothing."""
    items = [{"thread_id": str(n), "status": "idle"} for n in range(5)]
    wire = Wire(reply(items[:2]), reply(items[2:4]), reply(items[4:]))
    async with client_of(wire) as client:
        found = [t.thread_id async for t in client.threads.iter(page_size=2, status="idle")]
        assert found == ["0", "1", "2", "3", "4"]
        assert [t async for t in client.threads.iter(limit=0)] == []
        wire.answers = [reply(items[:2]), reply(items[2:3])]
        assert len([t async for t in client.threads.iter(limit=3, page_size=2)]) == 3
    assert wire.requests[1].content == b'{"limit":2,"offset":2,"status":"idle"}'


async def test_a_server_that_pays_no_heed_to_the_offset_does_not_trap_us() -> None:
    """The same page twice is an error, not an endless iteration."""
    wire = Wire(*[reply([{"thread_id": "t"}])] * 2)
    async with client_of(wire) as client:
        with pytest.raises(APIResponseValidationError, match="same page twice"):
            [thread async for thread in client.threads.iter(page_size=1)]


WITHOUT_A_REPLY: dict[str, Callable[[LangGraphClient], Any]] = {
    "put_item": lambda client: client.store.put_item(["a"], "k", {}),
    "delete_item": lambda client: client.store.delete_item(["a"], "k"),
    "cancel_many": lambda client: client.runs.cancel_many(status="all"),
    "delete": lambda client: client.threads.delete("t"),
}


@pytest.mark.parametrize("what", WITHOUT_A_REPLY)
async def test_a_web_page_is_no_reply_even_if_none_is_expected(what: str) -> None:
    """Nothing was done: the page is that of a login, or of another server on this port."""
    bodies = [b"", b"null", b'{"ok": true}', b"<html>Welcome</html>"]
    wire = Wire(*(Answer(200, [body], {"content-type": "text/html"}) for body in bodies))
    async with client_of(wire) as client:
        for _ in range(3):
            await WITHOUT_A_REPLY[what](client)
        with pytest.raises(APIResponseValidationError, match="not JSON"):
            await WITHOUT_A_REPLY[what](client)


ITERATED: dict[str, Callable[[LangGraphClient], Any]] = {
    "threads": lambda client: client.threads.iter(page_size=1, select=["status"]),
    "runs": lambda client: client.runs.iter("t", page_size=1, select=["status", "thread_id"]),
    "assistants": lambda client: client.assistants.iter(page_size=1, select=["name"]),
    "crons": lambda client: client.crons.iter(page_size=1, select=["schedule", "thread_id"]),
}


@pytest.mark.parametrize("what", ITERATED)
async def test_pages_of_a_few_fields_may_be_equal(what: str) -> None:
    """Without their ids, items of two pages may look the same; so the ids are asked for, too."""
    same = {"status": "idle", "thread_id": "t", "name": "a", "schedule": "* * * * *"}
    same = {"status": "idle"} if what == "threads" else same
    key = f"{what[:-1]}_id"
    pages = [[{**same, key: "1"}], [{**same, key: "2"}]]
    wire = Wire(reply(pages[0]), reply(pages[1]), reply([]), reply(pages[0]), reply(pages[0]))
    async with client_of(wire) as client:
        assert [item async for item in ITERATED[what](client)] == [same, same]
        with pytest.raises(APIResponseValidationError, match="same page twice"):
            print([item async for item in ITERATED[what](client)])


async def test_history_is_iterated_by_checkpoint() -> None:
    """Each page of history begins before the last state of the one before."""
    states = [{"values": n, "checkpoint": {"checkpoint_id": f"c{n}"}} for n in range(3)]
    wire = Wire(reply(states[:2]), reply(states[2:]))
    async with client_of(wire) as client:
        found = [state.values async for state in client.threads.iter_history("t", page_size=2)]
    assert found == [0, 1, 2]
    assert b'"before":{"configurable":{"checkpoint_id":"c1"}}' in wire.requests[1].content


async def test_a_client_that_was_given_is_not_closed() -> None:
    """An HTTP client from outside stays open; one of our own is closed, and says so."""
    wire = Wire(reply({"ok": True}))
    async with httpx.AsyncClient(transport=wire) as given:
        async with get_client(url=URL, http_client=given, api_key=None) as client:
            assert await client.ok()
        assert not given.is_closed
    async with client_of(Wire()) as client:
        pass
    assert not await client.ok()
    with pytest.raises(APIConnectionError, match="closed"):
        await client.info()


async def test_the_client_below_has_the_headers_of_all_requests() -> None:
    """As programs for langgraph_sdk use it: its headers are read and changed, and it sends."""
    wire = Wire(reply({"thread_id": "t"}), reply({"thread_id": "t"}), reply({}))
    async with client_of(wire) as client:
        below = client.http.client
        assert (str(below.base_url), below.headers["x-api-key"]) == (URL, KEY)
        await client.threads.get("t")
        below.headers["X-Api-Key"] = "other"
        await client.with_options(deadline=5).threads.get("t")
        await client.http.client.get("/mine")
    assert [request.headers["x-api-key"] for request in wire.requests] == [KEY, "other", "other"]
    async with httpx.AsyncClient(base_url=URL, transport=wire) as given:
        assert LangGraphClient(given).http.client is given


async def test_the_client_below_shares_headers_with_copies_and_sends_none_of_httpx() -> None:
    """A copy made before sees a change, too; what is accepted stays what this package decodes."""
    wire = Wire(*[reply({"thread_id": "t"})] * 2)
    async with client_of(wire) as client:
        copy = client.with_options(deadline=5)
        await client.threads.get("t")
        client.http.client.headers["authorization"] = "Bearer new"
        await copy.threads.get("t")
    before, after = (dict(request.headers) for request in wire.requests)
    assert after == {**before, "authorization": "Bearer new"}


async def test_what_is_set_on_the_client_below_counts_for_all_requests() -> None:
    """`auth`, `cookies`, `params`, `event_hooks` and `timeout`; the query of a call stays."""
    seen: list[str] = []

    async def hook(request: httpx.Request) -> None:
        seen.append(str(request.url.query))

    wire = Wire(*[reply([])] * 2)
    async with client_of(wire) as client:
        below = client.http.client
        await client.runs.list("t", limit=3)
        below.auth = httpx.BasicAuth("user", "password")
        below.cookies.set("session", "1")
        below.params = {"tenant": "a"}
        below.event_hooks = {"request": [hook]}
        below.timeout = 7.0
        await client.with_options(deadline=50).runs.list("t", limit=3)
    plain, changed = wire.requests
    assert "authorization" not in plain.headers
    assert changed.headers["authorization"] == "Basic dXNlcjpwYXNzd29yZA=="
    assert changed.headers["cookie"] == "session=1"
    assert dict(changed.url.params) == {"limit": "3", "offset": "0", "tenant": "a"}
    assert changed.extensions["timeout"]["read"] == 7.0
    assert len(seen) == 1


async def test_the_client_below_may_be_closed_by_its_user() -> None:
    """This client goes on, and what was set on the one below still counts."""
    wire = Wire(*[reply({"thread_id": "t"})] * 2)
    async with client_of(wire) as client:
        async with client.http.client as below:
            below.headers["x-tenant"] = "a"
            below.params = {"tenant": "a"}
        await client.threads.get("t")
        assert not client.http.client.is_closed
        await client.threads.get("t")
    assert [request.headers["x-tenant"] for request in wire.requests] == ["a", "a"]
    assert [str(request.url.query, "ascii") for request in wire.requests] == ["tenant=a"] * 2


async def test_the_client_below_stays_closed_after_its_client() -> None:
    """No other one is made then, which nobody would close."""
    client = get_client(url=URL, api_key=None)
    below = client.http.client
    await client.aclose()
    assert below.is_closed
    assert client.http.client is below


async def test_a_cookie_that_is_deleted_is_sent_no_longer() -> None:
    """By the server or by the user of the client below: there is one jar."""
    ended = {"set-cookie": "a=; Max-Age=0; Path=/"}
    wire = Wire(reply({}), Answer(200, [b"{}"], ended), reply({}), reply({}))
    async with client_of(wire) as client:
        below = client.http.client
        below.cookies.set("a", "1", domain=URL.rpartition("/")[2], path="/")
        below.cookies.set("b", "2")
        for _ in range(3):
            await client.http.get("/x")
        below.cookies.clear()
        await client.http.get("/x")
    sent = [request.headers.get("cookie") for request in wire.requests]
    assert sent[:2] == [sent[0]] * 2
    assert sorted(str(sent[0]).split("; ")) == ["a=1", "b=2"]
    assert sent[2:] == ["b=2", None]


async def test_parameters_of_a_caller_s_client_do_not_replace_those_of_a_call() -> None:
    """httpx drops the query of a URL if the client has parameters; repeated names stay."""
    wire = Wire(reply([]))
    params = {"tenant": "a"}
    async with (
        httpx.AsyncClient(base_url=URL, transport=wire, params=params) as given,
        get_client(url=URL, http_client=given, api_key=None) as client,
    ):
        await client.runs.list("t", limit=3, select=["run_id", "status"])
    assert sorted(wire.requests[0].url.params.multi_items()) == [
        ("limit", "3"),
        ("offset", "0"),
        ("select", "run_id"),
        ("select", "status"),
        ("tenant", "a"),
    ]


async def test_the_client_below_reaches_the_server_as_the_client_does() -> None:
    """The caller's TLS settings are those of `client.http.client`, too."""
    with raw_server(lambda asked, send: send(http(b"{}")), tls=True) as server:
        async with get_client(url=server.url, verify=client_context(), api_key=None) as client:
            assert (await client.http.client.get("/mine")).json() == {}
        async with get_client(url=server.url, api_key=None) as client:
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await client.http.client.get("/mine")


async def test_the_client_below_is_closed_with_its_client() -> None:
    """It has connections of its own, and no others are closed."""
    async with get_client(url=URL, api_key=None) as client:
        below = client.http.client
        assert client.http.client is below
    assert below.is_closed


async def test_credentials_in_the_url_are_sent_and_not_shown() -> None:
    """User and password of a URL become basic authentication."""
    wire = Wire(reply({"detail": "no"}, 404))
    async with get_client(url="http://ann:pw%21@server.example/api/", transport=wire) as client:
        with pytest.raises(APIError) as caught:
            await client.threads.get("t")
    assert wire.requests[0].headers["authorization"] == "Basic YW5uOnB3IQ=="
    assert str(caught.value) == "no"
    assert caught.value.__notes__ == ["404, GET http://server.example/api/threads/t"]


async def test_a_transport_gets_what_httpx_would_send() -> None:
    """A transport that was brought sees whole requests, and cookies come back over it."""
    marked = reply({"thread_id": "t"})
    marked.headers["Set-Cookie"] = "node=7; Path=/; HttpOnly"
    wire = Wire(marked, reply({}))
    async with client_of(wire) as client:
        await client.threads.create(thread_id="t")
        await client.threads.get("t")
    first, second = wire.requests
    assert first.headers["host"] == "server.example"
    assert first.headers["content-length"] == str(len(first.content))
    assert "gzip" in first.headers["accept-encoding"]
    assert first.extensions["timeout"]["connect"] == 5.0
    assert "content-length" not in second.headers
    assert (first.headers.get("cookie"), second.headers.get("cookie")) == (None, "node=7")


async def test_a_reply_that_would_fill_the_memory_is_refused() -> None:
    """An error says so; blanks before a result, as heartbeats, do not count as one."""
    wire = Wire(reply({"thread_id": "t" * 2000}), reply({"detail": "x" * 2000}, 500))
    async with client_of(wire) as client:
        client._transport.max_reply_bytes = 1000
        for _ in range(2):
            with pytest.raises(APIResponseValidationError, match="too large: more than 1000 bytes"):
                await client.threads.get("t")
    assert len(wire.requests) == 2
