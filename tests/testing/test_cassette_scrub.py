"""Secrets that are hard to see: in encoded queries, in quoted texts, in Markdown and code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from langgraph_client.testing import Cassette, ScriptedGraph, TestServer, recorded
from langgraph_client.testing.cassette_scrub import Scrubber

URL = "http://deployment.example"
SECRETS = ("hunter2", "sk-proj-abcDEF123456")


def over(cassette: Cassette, inner: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client without the rules of ours."""
    return httpx.Client(transport=cassette.transport(inner), base_url=URL)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("key=https%3A%2F%2Fbob%3Ahunter2%40host%2Fx", "key=https%3A%2F%2F<scrubbed>%40host%2Fx"),
        ("key=password%3A+hunter2&n=1", "key=password%3A+<scrubbed>&n=1"),
        ("key=password%3A%20hunter2", "key=password%3A%20<scrubbed>"),
        ("key=Bearer+abcdef1234567890ABC", "key=Bearer+<scrubbed>"),
        ("key=api_key%3D%22hunter2+pass%22", "key=api_key%3D%22<scrubbed>%22"),
        ("key=%7B%22pin%22%3A12345%7D", "key=%7B%22pin%22%3A+%22<scrubbed>%22%7D"),
        ("q=a%20sk-proj-abcDEF123456", "q=a%20<scrubbed>"),
        ("user%5Bpassword%5D=hunter2%20pass", "user%5Bpassword%5D=<scrubbed>"),
        ("X-Amz-Signature=abc%2Fdef", "X-Amz-Signature=<scrubbed>"),
        ("sk-proj-abcDEF123456=1&b", "<scrubbed>=1&b"),
        # Without a secret, the form stays: names without a value, other ways to encode, no UTF-8.
        ("a=b%20c+d&e=%2f%2F&f&g=&&token=&h=%ff", None),
        ("token=<scrubbed>&password=null&a=<scrubbed>%2F", None),
    ],
)
def test_a_query_is_scrubbed_as_what_it_says(query: str, expected: str | None) -> None:
    """Names and values are decoded, and encoded again where something was replaced."""
    scrubber = Scrubber()
    scrubbed = scrubber.query(query)
    assert scrubbed == (query if expected is None else expected)
    assert scrubber.query(scrubbed) == scrubbed


def test_names_in_a_query_are_kept_or_scrubbed_on_request() -> None:
    """`scrub` and `keep` name parameters of queries, too."""
    scrubber = Scrubber(["card"], keep=["page_token"])
    assert scrubber.query("Card=4%201&page_token=a%2Fb") == "Card=<scrubbed>&page_token=a%2Fb"


def test_no_secret_of_an_encoded_query_is_written(tmp_path: Path) -> None:
    """And the same request is found again, also with other secrets and another way to encode."""
    path = tmp_path / "query.json"
    keys = [f"https://bob:{SECRETS[0]}@host/x", f"see: password: {SECRETS[0]}", SECRETS[1]]
    with TestServer({}) as server, recorded(path) as cassette:
        client = cassette.sync_client(url=URL, transport=server.transport())
        for key in keys:
            client.store.get_item(["a"], key)
    text = path.read_text()
    assert not [secret for secret in (*SECRETS, "bob") if secret in text]
    with recorded(path) as cassette, over(cassette) as http:
        http.get("/store/items?namespace=a&key=see:%20password%3a%20other")
        http.get("/store/items?namespace=a&key=https://eve:other@host/x")
        assert len(cassette.unused) == 1


def test_a_query_of_an_older_file_is_found(tmp_path: Path) -> None:
    """Also where that file has a secret that is scrubbed by now, in the query or in the path."""
    path = tmp_path / "older.json"
    query = f"namespace=a&key=password%3A+{SECRETS[0]}&token=<scrubbed>"
    exchanges: list[dict[str, Any]] = [
        {
            "request": {"method": "GET", "path": place, "query": query, "body": None},
            "response": {"status": 200, "headers": {}, "body": place},
        }
        for place in ("/store/items", f"/x/_{SECRETS[1]}")
    ]
    path.write_text(json.dumps({"format": 1, "exchanges": exchanges}))
    with recorded(path) as cassette, over(cassette) as client:
        for exchange in exchanges:
            place = exchange["request"]["path"]
            url = f"{place}?namespace=a&key=password: new&token=b"
            assert client.get(url).json() == place


@pytest.mark.parametrize("before", ["\\n", "x\\n", "\\t", "%20", "x%3A", "\\u003d", "_", "__", "é"])
@pytest.mark.parametrize(
    "key",
    [
        SECRETS[1],
        "sk_live_abcDEF1234567",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "xapp-1-A0123-456-abcdef",
        "eyJhbGciOi.eyJzdWIiOi.SflKxwRJSMeKKF2QT4",
    ],
)
def test_a_key_begins_behind_an_escape(before: str, key: str) -> None:
    """A letter that is a part of an escape, such as `\\n` in a quoted text, is none before it."""
    text = f'{{"content": "one{before if before[0] != "_" else " " + before}'
    assert Scrubber().text(text + key) == f"{text}<scrubbed>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # In a text that quotes another.
        ('x "one\\nBearer abc1234"', 'x "one\\nBearer <scrubbed>"'),
        ('x "one\\nCookie: a=b; c=d" y', 'x "one\\nCookie: <scrubbed>" y'),
        ('x "one\\npin: 1234\\n"', 'x "one\\npin: <scrubbed>"'),
        ('x "one\\nAPI key: hunter2"', 'x "one\\nAPI key: <scrubbed>"'),
        # Markdown.
        ("**Password:** hunter2 a", "**Password:** <scrubbed> a"),
        ("**Password**: hunter2 a", "**Password**: <scrubbed> a"),
        ("*Password:* `hunter2` a", "*Password:* `<scrubbed>` a"),
        ("__Password:__ hunter2 a", "__Password:__ <scrubbed> a"),
        ("- **API key:** hunter2", "- **API key:** <scrubbed>"),
        ("- **API Key**: hunter2", "- **API Key**: <scrubbed>"),
        # Two words.
        ("My API key: hunter2", "My API key: <scrubbed>"),
        ("private key = hunter2", "private key = <scrubbed>"),
        ("OPENAI SECRET KEYS: hunter2", "OPENAI SECRET KEYS: <scrubbed>"),
        ('x {"API Key": "hunter2"', 'x {"API Key": "<scrubbed>"'),
        # Code.
        ("os.environ['API_KEY'] = 'hunter2'", "os.environ['API_KEY'] = '<scrubbed>'"),
        ('env[\\"API_KEY\\"] = \\"hunter2\\"', 'env[\\"API_KEY\\"] = \\"<scrubbed>\\"'),
        ("data[password]=hunter2&a=b", "data[password]=<scrubbed>&a=b"),
        ('PASSWORD = """hunter2 "a"\nb""" # c', 'PASSWORD = """<scrubbed>""" # c'),
        ("PASSWORD = '''hunter2", "PASSWORD = '''<scrubbed>'''"),
        ('x \\"\\"\\" y', None),
        ('PIN = \\"\\"\\"1 2\\"\\"\\"', 'PIN = \\"\\"\\"<scrubbed>\\"\\"\\"'),
        ('API_KEY = f"hunter2 {a}"', 'API_KEY = "<scrubbed>"'),
        # No secrets.
        ("the key: hunter, a key = hunter", None),
        ("primary key: id, public key: a, **Key:** a, license key: b", None),
        ("an API key is needed, and a private key too: see below", None),
        ("order_pk_123456, user_sk_2024_01, task-force, risk_Abc123456", None),
        ('options["max_tokens"] = 4096, d["key"] = "a", token == d["token"]', None),
        ("**Note:** the token is gone. *Tokens:* 5", None),
        ('password = "", secret = """""", token: ""', None),
        ("C:\\new\\tokens\\risk-1", None),
    ],
)
def test_names_and_values_stand_in_many_ways(text: str, expected: str | None) -> None:
    """Emphasis, two words, an item of a mapping, quotes of three signs; and prose stays."""
    scrubber = Scrubber()
    scrubbed = scrubber.text(text)
    assert scrubbed == (text if expected is None else expected)
    assert scrubber.text(scrubbed) == scrubbed


@pytest.mark.parametrize("later", ["another", "", None])
def test_a_replay_does_without_the_secret(later: str | None, tmp_path: Path) -> None:
    """As where tests run, keys are often not set: an empty text and None are like any secret."""
    path = tmp_path / "secret.json"

    def use(client: Any, key: str | None) -> Any:
        headers = [["x-api-key", key], ["n", "1"]]
        return client.runs.wait(
            None,
            "agent",
            input={"headers": headers, "note": ""},
            config={"configurable": {"openai_api_key": key, "of": {"password": key}}},
            params={"token": key or ""},
        )

    with TestServer({"agent": ScriptedGraph([{"x": 1}])}) as server, recorded(path) as cassette:
        first = use(cassette.sync_client(url=URL, transport=server.transport()), "hunter2")
    assert "hunter2" not in path.read_text()
    with recorded(path) as cassette:
        assert use(cassette.sync_client(url=URL), later)["x"] == first["x"] == 1


def test_a_secret_that_is_there_is_preferred(tmp_path: Path) -> None:
    """A first page has no token: it is not mixed up with the next one, in whatever order."""
    path = tmp_path / "pages.json"
    tokens = (None, "page-2")
    inner = httpx.MockTransport(
        lambda request: httpx.Response(200, json={"of": json.loads(request.content)["page_token"]})
    )
    with recorded(path, keep=["of"]) as cassette, over(cassette, inner) as client:
        for token in tokens:
            client.post("/x", json={"page_token": token})
    with recorded(path) as cassette, over(cassette) as client:
        for token in reversed(tokens):
            assert client.post("/x", json={"page_token": token}).json() == {"of": token}


def test_a_boolean_is_no_number(tmp_path: Path) -> None:
    """Although Python takes True and 1 for equal: another request was not recorded."""
    path = tmp_path / "flags.json"
    inner = httpx.MockTransport(lambda request: httpx.Response(200, content=request.content))
    sent: list[Any] = [{"flag": True}, {"flag": 1}, [False], [0.0]]
    with recorded(path) as cassette, over(cassette, inner) as client:
        for body in sent:
            client.post("/x", json=body)
    with recorded(path) as cassette, over(cassette) as client:
        for body in reversed(sent):
            assert json.dumps(client.post("/x", json=body).json()) == json.dumps(body)


def test_a_query_is_written_in_a_form_that_is_read_back() -> None:
    """What is encoded again says the same beside the secret."""
    name, text = "a+b&=é", 'é & "=" + %41, password: hunter2'
    query = str(httpx.QueryParams({name: text, "b": "c"}))
    expected = [(name, text.replace("hunter2", "<scrubbed>")), ("b", "c")]
    assert parse_qsl(Scrubber().query(query)) == expected
