"""Exchanges with a deployment, recorded once and replayed from then on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.types import Command

from langgraph_client import NotFoundError
from langgraph_client.testing import (
    CassetteMismatch,
    Emit,
    Say,
    ScriptedGraph,
    TestServer,
    recorded,
)
from langgraph_client.testing.cassette_scrub import Scrubber
from tests.support.graphs import shared_graphs

URL = "http://deployment.example"


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer(shared_graphs()) as running:
        yield running


def calls(client: Any) -> list[Any]:
    """Calls of every kind: documents, errors, streams, empty answers."""
    thread = client.threads.create(thread_id="11111111-1111-1111-1111-111111111111")
    told: list[Any] = [thread]
    told.append(client.runs.wait(thread.thread_id, "counter", input={"count": 1}))
    modes: Any = ["values", "updates", "custom"]
    told.append(list(client.runs.stream(thread.thread_id, "row", input={}, stream_mode=modes)))
    try:
        client.threads.get("00000000-0000-0000-0000-000000000000")
    except NotFoundError as error:
        told.append((error.status_code, error.message))
    told.append(client.store.put_item(["a"], "k", {"token": "t0p", "plain": 1}))
    told.append(client.threads.delete(thread.thread_id))
    return told


def test_the_second_time_nobody_is_asked(server: TestServer, tmp_path: Path) -> None:
    """The same calls give the same, from the file alone."""
    path = tmp_path / "cassettes" / "calls.json"
    with recorded(path) as cassette:
        assert cassette.is_recording
        first = calls(
            cassette.sync_client(url=URL, transport=cassette.transport(server.transport()))
        )
    server.close()
    with recorded(path) as cassette:
        assert calls(cassette.sync_client(url=URL)) == first
        assert cassette.unused == []


async def test_async_clients_too(server: TestServer, tmp_path: Path) -> None:
    """And a RemoteGraph, with an interrupt in between."""
    path = tmp_path / "graph.json"
    config = {"configurable": {"thread_id": "1"}}

    async def work(approval: Any) -> list[Any]:
        (asked,) = (await approval.ainvoke({"draft": "d"}, config))["__interrupt__"]
        result = await approval.ainvoke(Command(resume="yes"), config)
        return [asked, result, [s.values async for s in approval.aget_state_history(config)]]

    async with recorded(path) as cassette:
        client = cassette.client(
            url=URL, transport=cassette.async_transport(server.async_transport())
        )
        async with client:
            first = await work(cassette.remote_graph("approval", url=URL, client=client))
    with recorded(path, mode="replay") as cassette:
        assert await work(cassette.remote_graph("approval", url=URL)) == first


def test_a_changed_request_shows_its_difference(server: TestServer, tmp_path: Path) -> None:
    """Against the nearest one that was recorded."""
    path = tmp_path / "one.json"
    with recorded(path) as cassette:
        client = cassette.sync_client(url=URL, transport=cassette.transport(server.transport()))
        client.runs.wait(None, "counter", input={"count": 1})
    with recorded(path) as cassette:
        client = cassette.sync_client(url=URL)
        with pytest.raises(CassetteMismatch, match=r'(?s)-.*"count": 1.*\+.*"count": 2'):
            client.runs.wait(None, "counter", input={"count": 2})
        client.runs.wait(None, "counter", input={"count": 1})
        with pytest.raises(CassetteMismatch, match="nothing is left"):
            client.runs.wait(None, "counter", input={"count": 1})
    with recorded(path, ignore=["count"]) as cassette:
        client = cassette.sync_client(url=URL)
        assert client.runs.wait(None, "counter", input={"count": 2}) == {"count": 2}


def test_secrets_are_not_written(server: TestServer, tmp_path: Path) -> None:
    """No keys, no headers of requests, none of the named fields."""
    path = tmp_path / "secret.json"
    with recorded(path, scrub=["topic", "log"]) as cassette:
        transport = cassette.transport(server.transport())
        client = cassette.sync_client(url=URL, transport=transport, api_key="k3y")
        client.store.put_item(["a"], "k", {"token": "t0ken", "deep": [{"password": "pw1"}]})
        list(client.runs.stream(None, "row", input={"topic": "t0pic"}))
    text = path.read_text()
    assert not [secret for secret in ("k3y", "t0ken", "pw1", "t0pic") if secret in text]
    assert "<scrubbed>" in text


def test_no_secret_of_any_kind_is_written(tmp_path: Path) -> None:
    """By name, by shape, in URLs and headers, in bodies, queries and events; and it says so."""

    def leaking(state: dict[str, Any]) -> list[Any]:
        text = "Bearer sk-S3CRET0007 and https://user:S3CRET0008@host/, or S3CRET0000-own"
        return [{"out": text, "args": '{"db_password": "S3CRET0014", "city": "Rome"}'}]

    path = tmp_path / "secret.json"
    configurable = {
        "openai_api_key": "S3CRET0001",
        "apiKey": "S3CRET0002",
        "access_token": "S3CRET0003",
        "nested": {"secrets": [{"value": "S3CRET0004"}], "passwd": 53237, "max_tokens": 100},
    }

    def work(client: Any) -> Any:
        client.threads.create(
            metadata={"clientSecret": "S3CRET0011", "Authorization": "S3CRET0012"}
        )
        client.store.put_item(["a"], "item", {"text": "hook: https://h/x?a=1&token=S3CRET0013"})
        return client.runs.wait(
            None,
            "agent",
            input={"x": 1},
            config={"configurable": configurable},
            headers={"x-auth-token": "S3CRET0006"},
            webhook="https://example.org/ok?token=S3CRET0009",
            params={"token": "S3CRET0010", "page": "2"},
        )

    with TestServer({"agent": ScriptedGraph(leaking)}) as server, recorded(path) as cassette:
        transport = cassette.transport(server.transport())
        work(cassette.sync_client(url=URL, transport=transport, api_key="S3CRET0000-own"))
    text = path.read_text()
    assert "S3CRET" not in text
    assert "53237" not in text
    assert '"max_tokens": 100' in text
    assert '"key": "item"' in text
    assert "page=2" in text
    assert "Rome" in text
    assert "a=1&token=<scrubbed>" in text
    document = json.loads(text)
    assert document["scrubbed"] == cassette.scrubbed
    assert document["scrubbed"]["access_token"] == 1
    assert document["scrubbed"]["credentials in a URL"] == 1
    with recorded(path, mode="replay") as cassette:
        result = work(cassette.sync_client(url=URL, api_key="S3CRET0000-own"))
        assert result["out"].startswith("Bearer <scrubbed> and https://<scrubbed>@host/")
        assert cassette.unused == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sk-proj-Abc123456789", "<scrubbed>"),
        ("use ghp_0123456789abcdefghijABCDEFGHIJ012345 now", "use <scrubbed> now"),
        ("AKIAIOSFODNN7EXAMPLE", "<scrubbed>"),
        ("eyJhbGciOi.eyJzdWIiOi.SflKxwRJSMeKKF2QT4", "<scrubbed>"),
        ("authorization: Basic dXNlcjpwYXNz0=", "authorization: Basic <scrubbed>"),
        ("postgres://u:p@db/x", "postgres://<scrubbed>@db/x"),
        ("postgres://u:p@ss@db/x", "postgres://<scrubbed>@db/x"),
        ("/cb?state=1&api_key=abc#x", "/cb?state=1&api_key=<scrubbed>#x"),
        (
            "/a?X-Amz-Signature=abc&X-Amz-SignedHeaders=host",
            "/a?X-Amz-Signature=<scrubbed>&X-Amz-SignedHeaders=host",
        ),
        ('{"otp": "123456"}', '{"otp": "<scrubbed>"}'),
        # A name and a value in a text: settings, headers, code, command lines, XML.
        ("log in with password: hunter2", "log in with password: <scrubbed>"),
        ("password:hunter2 user:bob", "password:<scrubbed> user:bob"),
        ("DB_PASSWORD = 'two words' # x", "DB_PASSWORD = '<scrubbed>' # x"),
        ('password: "a \\"b\\" c", x', 'password: "<scrubbed>", x'),
        ('password: "never closed', "password: <scrubbed> closed"),
        ("client_secret=`abc`", "client_secret=`<scrubbed>`"),
        ("a: note: password: abc", "a: note: password: <scrubbed>"),
        ("next=token=abc", "next=token=<scrubbed>"),
        ("X-Api-Key: abc\r\nAccept: x", "X-Api-Key: <scrubbed>\r\nAccept: x"),
        ("Authorization: Bearer abc", "Authorization: Bearer <scrubbed>"),
        ("authorization: token abc", "authorization: token <scrubbed>"),
        ("Bearer abcdefghijklmnopqrstuvwxyz", "Bearer <scrubbed>"),
        ("Cookie: a=b; session=c\nHost: x", "Cookie: <scrubbed>\nHost: x"),
        ("Set-Cookie: session=c; Path=/", "Set-Cookie: <scrubbed>"),
        ("run --api-key abc --limit 5", "run --api-key <scrubbed> --limit 5"),
        ("run --token=abc -v", "run --token=<scrubbed> -v"),
        ("<password>abc</password><user>b</user>", "<password><scrubbed></password><user>b</user>"),
        ("pin: 1234", "pin: <scrubbed>"),
        ('{"pin": 1234, "n": 5}', '{"pin": "<scrubbed>", "n": 5}'),
        ('{\\"api_key\\": \\"abc\\", \\"n\\": 5}', '{\\"api_key\\": \\"<scrubbed>\\", \\"n\\": 5}'),
        ('x {"pin": 1234, "n": 5', 'x {"pin": "<scrubbed>", "n": 5'),
        ('{"secrets": ["a", {"b": "c"}]}', '{"secrets": ["<scrubbed>", {"b": "<scrubbed>"}]}'),
        ("{'db_password': 'abc', 'n': 5}", "{'db_password': '<scrubbed>', 'n': 5}"),
        ("token := abc; secret => abc", "token := <scrubbed> secret => <scrubbed>"),
        ("Client(api_key='abc', n=5)", "Client(api_key='<scrubbed>', n=5)"),
        ("SG.abcdefghijklmnop.abcdefghijklmnop", "<scrubbed>"),
        ("https://hooks.slack.com/services/T0/B0/abc", "https://<scrubbed>"),
        ('{"n": 1, "token":"abc', '{"n": 1, "token":"<scrubbed>"'),
        ("{b'x-api-key': b'abc', 'n': 1}", "{b'x-api-key': '<scrubbed>', 'n': 1}"),
        ("{'api_key': u'abc'}", "{'api_key': '<scrubbed>'}"),
        ("f(api_key=SecretStr('abc'), n=5)", "f(api_key=SecretStr('<scrubbed>'), n=5)"),
        ("api_key: |\n  abc\nn: 5", "api_key: |\n  <scrubbed>\nn: 5"),
        ('[["authorization", "abc"], ["n", "5"]]', '[["authorization", "<scrubbed>"], ["n", "5"]]'),
        ('{"name": "api_key", "value": "abc"}', '{"name": "api_key", "value": "<scrubbed>"}'),
        # No secrets: numbers, missing values, namespaces, links, placeholders.
        ("max tokens: 5, input_tokens: 1,234", None),
        ("password: null, token: None, secret=true", None),
        ("token_node:1f3c0e6a-0d3b-6f0a-8a53-6b1f5b0f7c11|b", None),
        ("the password: <yours>, --password", None),
        ("Secret::Name, token://host, token == other", None),
        ("What is a token? A secret. Keys: many.", None),
        ("risk-averse, basic training, bearer of news", None),
        ("the key is under the mat; a=b", None),
        ("mail me@example.org, see https://example.org/@me", None),
    ],
)
def test_texts_are_scrubbed_by_shape(text: str, expected: str | None) -> None:
    """What looks like a key goes; prose stays; scrubbing twice changes nothing."""
    scrubber = Scrubber()
    scrubbed = scrubber.text(text)
    assert scrubbed == (text if expected is None else expected)
    assert scrubber.text(scrubbed) == scrubbed


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # A value with its name beside it: the other members are scrubbed as anywhere.
        (
            {"name": "api_key", "value": "abc", "token": "abc", "n": "a"},
            {"name": "api_key", "value": "<scrubbed>", "token": "<scrubbed>", "n": "a"},
        ),
        (
            {"key": "password", "value": 5, "note": "token=abc", "of": {"secret": "abc"}},
            {
                "key": "password",
                "value": "<scrubbed>",
                "note": "token=<scrubbed>",
                "of": {"secret": "<scrubbed>"},
            },
        ),
        (
            {"name": "a", "key": "Access token", "value": ["abc"]},
            {"name": "a", "key": "Access token", "value": ["<scrubbed>"]},
        ),
        # Everything below a sensitive name is secret.
        (
            {"credentials": {"name": "token", "value": "abc", "refresh": "abc"}},
            {
                "credentials": {
                    "name": "<scrubbed>",
                    "value": "<scrubbed>",
                    "refresh": "<scrubbed>",
                }
            },
        ),
        ({"secrets": ["token", "abc"]}, {"secrets": ["<scrubbed>", "<scrubbed>"]}),
        ({"headers": ["token", "abc"]}, {"headers": ["token", "<scrubbed>"]}),
        # Texts that contain a secret, or are about one, are no names.
        (["token=abc", "yes"], ["token=<scrubbed>", "yes"]),
        (["What is a token, and why?", "yes"], ["What is a token, and why?", "yes"]),
        (["sk-token-Abc123456", "yes"], ["<scrubbed>", "yes"]),
        # A name beside a value may contain a secret of its own, or look like one.
        (
            {"name": "sk-token-Abc123456", "value": "a"},
            {"name": "<scrubbed>", "value": "<scrubbed>"},
        ),
        (
            {"name": "password=abc", "value": "a"},
            {"name": "password=<scrubbed>", "value": "<scrubbed>"},
        ),
    ],
)
def test_values_are_scrubbed_by_name(value: Any, expected: Any) -> None:
    """A name may be the key of a value, or a text beside it; none of the others is forgotten."""
    scrubber = Scrubber()
    assert scrubber.value(value) == expected
    assert scrubber.value(expected) == expected
    assert "Abc123456" not in str(scrubber.counts)


@pytest.mark.parametrize(
    "name",
    [
        "alice/api_key",
        "users/alice/password",
        "env:API_KEY",
        "headers[authorization]",
        "$API_KEY",
        "@password",
        "/api_key",
        "secrets/alice",
        "tokens[0]",
        "password:",
        "OPENAI_API_KEY=",
        "password (old)",
        "my personal access token now",
        "x-api-key ",
        " Authorization",
        "pass_word",
        "DBPWD",
    ],
)
def test_a_name_is_sensitive_in_every_spelling(name: str) -> None:
    """A sensitive word may stand anywhere in a name: in an object, a store item and a pair."""
    scrubber = Scrubber()
    assert scrubber.value({"key": name, "value": "a"}) == {"key": name, "value": "<scrubbed>"}
    assert scrubber.value({"Name": name, "Value": "a"}) == {"Name": name, "Value": "<scrubbed>"}
    assert scrubber.value({name: "a"}) == {name: "<scrubbed>"}
    item = {"namespace": ["u"], "key": name, "value": {"text": "a", "n": ["b"]}}
    scrubbed = {"text": "<scrubbed>", "n": ["<scrubbed>"]}
    assert scrubber.value({"items": [item]}) == {"items": [{**item, "value": scrubbed}]}
    assert scrubber.value({"headers": [[name, "a"]]}) == {"headers": [[name, "<scrubbed>"]]}


def test_of_two_names_the_one_that_hides_more_counts() -> None:
    """A number is hidden under a name for a password, also beside a name that hides texts only."""
    scrubber = Scrubber()
    for value in (
        {"name": "password", "key": "max_tokens", "value": 5},
        {"name": "max_tokens", "key": "password", "value": 5},
    ):
        assert scrubber.value(value) == {**value, "value": "<scrubbed>"}
    assert scrubber.value({"token": {"pin": 5}}) == {"token": {"pin": "<scrubbed>"}}
    assert Scrubber(["n"]).value({"token": {"n": 5}}) == {"token": {"n": "<scrubbed>"}}
    value = {"name": "max_tokens", "value": 5}
    assert scrubber.value({"password": value})["password"]["value"] == "<scrubbed>"
    assert scrubber.value(value) == value


def test_the_namespace_of_a_subgraph_is_no_pair() -> None:
    """The name of a node may contain a sensitive word; its calls are found by the namespace."""
    scrubber = Scrubber()
    task = "1f3c0a2e-5b1d-4c7a-9e2f-0a1b2c3d4e5f"
    for namespace in ([f"token_node:{task}", f"child:{task}"], [f"token_node:{task}", "1"]):
        assert scrubber.value({"namespace": namespace}) == {"namespace": namespace}


def test_a_long_text_is_scrubbed_at_once() -> None:
    """The time grows with the length of a text, and not with its square."""
    scrubber = Scrubber()
    parts = ("a.", "ab ", "a-", "a=", "a:", "a: ", '"a":', "--a ", "<a>", '\\"', "x@", "a%")
    more = ("api key ", "*a:* ", "_a", "a*", "[a]", '["a', "[\\", "\\n", '"""', "sk-", "eyJa-")
    for part in (*parts, *more):
        text = "key " + part * (100_000 // len(part))
        began = time.process_time()
        assert scrubber.text(text) == text
        assert time.process_time() - began < 5, part
        assert scrubber.text(f"{text}://") == f"{text}://"
        assert time.process_time() - began < 5, part


def test_secrets_in_texts_are_not_written(tmp_path: Path) -> None:
    """In requests, answers and events; a replay answers the same requests."""
    texts = ["password: S3CRET01", "use Bearer s3cretlettersonlyyes", "set api_key=S3CRET02"]
    graph = ScriptedGraph(lambda state: [Emit(state["texts"]), Say(texts[0]), {"out": texts}])
    path = tmp_path / "secret.json"

    def work(client: Any) -> list[Any]:
        client.threads.create(metadata={"note": texts[0]})
        modes = ["values", "messages", "custom", "updates"]
        return list(client.runs.stream(None, "agent", input={"texts": texts}, stream_mode=modes))

    with TestServer({"agent": graph}) as server, recorded(path) as cassette:
        work(cassette.sync_client(url=URL, transport=cassette.transport(server.transport())))
    text = path.read_text()
    assert "s3cret" not in text.lower()
    assert "password: <scrubbed>" in text
    with recorded(path, mode="replay") as cassette:
        events = work(cassette.sync_client(url=URL))
        assert cassette.unused == []
    assert events[-1].data["out"] == [
        "password: <scrubbed>",
        "use Bearer <scrubbed>",
        "set api_key=<scrubbed>",
    ]


def test_the_values_of_cookies_are_scrubbed_wherever_they_stand() -> None:
    """A cookie is known by its value, not by its name; other headers by what follows a scheme."""
    scrubber = Scrubber()
    scrubber.learn(httpx.Headers({"cookie": "a=b; visit=S3CRET0001", "x-service-key": "K3Y000002"}))
    assert scrubber.text("S3CRET0001 and K3Y000002 of b") == "<scrubbed> and <scrubbed> of b"


def test_names_are_kept_or_scrubbed_on_request() -> None:
    """`scrub` replaces values of any type, `keep` writes values whose names look secret."""
    scrubber = Scrubber(["Card"], keep=["page_token"])
    value = {"card": 4111, "page_token": "p2", "tokenizer": None, "password": ""}
    assert scrubber.value(value) == {**value, "card": "<scrubbed>"}
    assert scrubber.counts == {"card": 1}


def test_the_file_is_readable(server: TestServer, tmp_path: Path) -> None:
    """Bodies and events are JSON in it, with the time between events."""
    path = tmp_path / "one.json"
    with recorded(path) as cassette:
        client = cassette.sync_client(url=URL, transport=cassette.transport(server.transport()))
        list(client.runs.stream(None, "counter", input={"count": 1}))
    (exchange,) = json.loads(path.read_text())["exchanges"]
    assert exchange["request"]["path"] == "/runs/stream"
    assert exchange["request"]["body"]["input"] == {"count": 1}
    events = exchange["response"]["events"]
    assert [event["event"] for event in events] == ["metadata", "values", "values"]
    assert all(event["after"] >= 0 for event in events)
    assert exchange["response"]["complete"]


def test_a_stream_may_come_as_slowly_as_it_did(tmp_path: Path) -> None:
    """`timing=True` waits between events as long as the deployment did."""
    path = tmp_path / "slow.json"
    events = [{"event": "values", "data": n, "after": 0.01} for n in range(3)]
    response = {"status": 200, "headers": {"content-type": "text/event-stream"}, "events": events}
    request = {"method": "GET", "path": "/x", "query": "", "body": None}
    document = {"format": 1, "exchanges": [{"request": request, "response": response}] * 2}
    path.write_text(json.dumps(document))
    with recorded(path, timing=True) as cassette:
        cassette_pauses = [cassette.pause(event) for event in events]
        with httpx.Client(transport=cassette.transport(), base_url=URL, timeout=60) as client:
            assert client.get("/x").text.count("event: values") == 3
    assert cassette_pauses == [0.01] * 3
    with recorded(path) as cassette:
        assert [cassette.pause(event) for event in events] == [0.0] * 3


def test_what_is_no_cassette_is_refused(tmp_path: Path) -> None:
    """A missing file, another file, another version, another mode."""
    with pytest.raises(FileNotFoundError):
        recorded(tmp_path / "none.json", mode="replay")
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(ValueError, match="not the file of a cassette"):
        recorded(tmp_path / "other.json")
    (tmp_path / "later.json").write_text('{"format": 9, "exchanges": []}')
    with pytest.raises(ValueError, match="format 9"):
        recorded(tmp_path / "later.json")
    with pytest.raises(ValueError, match="mode"):
        recorded(tmp_path / "x.json", mode="sometimes")  # type: ignore[arg-type]


def test_a_failed_test_records_nothing(server: TestServer, tmp_path: Path) -> None:
    """Half a recording would be replayed as if it were whole."""
    path = tmp_path / "half.json"

    def failing() -> None:
        with recorded(path) as cassette:
            transport = cassette.transport(server.transport())
            cassette.sync_client(url=URL, transport=transport).threads.create()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert not path.exists()
