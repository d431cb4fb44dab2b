"""The store's items in each database: filters, the order of pages, times to live."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langgraph.store.base import PutOp, SearchOp

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.options import StoreIndex, StoreOptions
from langgraph_client.server.server import Server
from langgraph_client.server.storage.item_filter import matches
from langgraph_client.server.storage.postgres import item_conditions as postgres_conditions
from langgraph_client.server.storage.postgres.store import BlockingStore
from langgraph_client.server.storage.sqlite import item_conditions as sqlite_conditions
from langgraph_client.server.storage.sqlite.json_conditions import install
from langgraph_client.server.storage.sqlite.storage import SqliteStorage
from langgraph_client.testing import TestClock
from tests.support.postgres import binaries, cluster

_KEYS = st.sampled_from(["a", "b", "a.b", "é", "x y", "'", 'quo"te', "", "0"])
_NUMBERS = [True, False, 0, 1, -3, 9, 10, 2**53 + 1, 10**20, 0.1, 1.5, 1e300]
_TEXTS = ["", "a", "b", "1", "10", "9.5", "1e2", "-1", "1_0", " 1", "nan", "null", "[1]", "é"]
_LEAVES = st.sampled_from([None, *_NUMBERS, *_TEXTS])
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)
_OPERATIONS = st.dictionaries(
    st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), _JSON, min_size=1, max_size=2
)
_CONDITIONS = st.recursive(
    _JSON.filter(lambda value: not isinstance(value, dict)) | _OPERATIONS,
    lambda inner: st.dictionaries(_KEYS, inner, max_size=2),
    max_leaves=4,
)
_DOCUMENTS = st.dictionaries(_KEYS, _JSON, max_size=3)
_FILTERS = st.dictionaries(_KEYS, _CONDITIONS, min_size=1, max_size=2)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def http(path: str | None, clock: TestClock) -> Iterator[httpx.Client]:
    with Server({}, path=path, clock=clock) as server, http_to(server) as client:
        yield client


def http_to(server: Server) -> httpx.Client:
    return httpx.Client(transport=server.transport(), base_url="http://server", timeout=60)


def put(http: httpx.Client, key: str, value: Any) -> None:
    item = {"namespace": ["a"], "key": key, "value": value}
    assert http.put("/store/items", json=item).status_code == 204


def keys(http: httpx.Client, **search: Any) -> list[str]:
    answer = http.post("/store/items/search", json={"namespace_prefix": ["a"], **search})
    assert answer.status_code == 200, answer.text
    return [item["key"] for item in answer.json()["items"]]


BIG = 1234567890123456789
ONE = {"id": BIG, "n": {"x": 1, "y": 2}, "l": [1, 2], "s": "ü", "a.b": 1, "ké": 1, "a b": 2}
TWO = {"id": "10", "n": '{"x":1,"y":2}', "l": "[1,2]", "a": {"b": 1}, "none": None}
THREE = {"id": 9, "n": {"x": 1}, "l": [1], "s": "u", "b": True}


def test_filters_of_items(http: httpx.Client, clock: TestClock) -> None:
    """A filter finds the same items in each database: those whose values are equal as JSON."""
    for key, value in (("one", ONE), ("two", TWO), ("three", THREE)):
        put(http, key, value)
        clock.advance(1)
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({"id": BIG}, ["one"]),
        ({"id": {"$eq": BIG}}, ["one"]),
        ({"id": {"$ne": BIG}}, ["two", "three"]),
        ({"id": {"$gt": BIG - 1}}, ["one"]),
        ({"id": {"$gt": 9}}, ["one", "two"]),
        ({"id": {"$lt": 10, "$gte": 1}}, ["three"]),
        ({"s": {"$gt": "u"}}, ["one"]),
        ({"l": [1, 2]}, ["one"]),
        ({"l": {"$eq": [1, 2]}}, ["one"]),
        ({"l": {"$ne": [1, 2]}}, ["two", "three"]),
        ({"n": {"$eq": {"y": 2, "x": 1}}}, ["one"]),
        ({"n": {"$ne": {"x": 1, "y": 2}}}, ["two", "three"]),
        ({"n": {"x": 1, "y": 2}}, ["one"]),
        ({"n": {"x": 1}}, ["one", "three"]),
        ({"n": {"x": {"$gte": 1}, "y": {"$lt": 3}}}, ["one"]),
        ({"n": {}}, ["one", "three"]),
        ({"a.b": 1}, ["one"]),
        ({"a": {"b": 1}}, ["two"]),
        ({"ké": 1, "a b": 2}, ["one"]),
        ({"b": True}, ["three"]),
        ({"b": 1}, []),
        ({"none": None}, ["one", "two", "three"]),
        ({"s": {"$ne": None}}, ["one", "three"]),
    ]
    assert [(wanted, keys(http, filter=wanted)) for wanted, _ in expected] == expected


@pytest.mark.parametrize("wanted", [{"n": {"x": {"$near": 1}}}, {"n": {"$eq": 1, "x": 1}}])
def test_an_operator_that_does_not_exist(http: httpx.Client, wanted: dict[str, Any]) -> None:
    """An unknown operator is refused, however deep it is; so is a key among operators."""
    answer = http.post("/store/items/search", json={"filter": wanted})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("Unsupported operator: ")


@given(_DOCUMENTS, _FILTERS)
@example({"a": {"0": [1]}}, {"a": {"0": {"0": 1}}})
@example({"a": "x\0y"}, {"a": "x\0y"})
@example({"a": 12}, {"a": 12})
@example({"a": None}, {"a": math.inf})
def test_sqlite_agrees_with_the_definition(document: Any, wanted: Any) -> None:
    """The condition for SQLite holds for a value exactly if the filter matches it."""
    connection = sqlite3.connect(":memory:")
    try:
        install(connection)
        sqlite_conditions.install_item_filter(connection)
        condition, parameters = sqlite_conditions.item_condition(wanted)
        query = f"SELECT 1 FROM (SELECT ? AS value) WHERE {condition}"
        found = connection.execute(query, [encode(document), *parameters]).fetchone()
    finally:
        connection.close()
    assert (found is not None) == matches(decode(encode(document)), wanted)


async def test_a_text_with_nul_is_found_as_a_whole_only() -> None:
    """And not by what comes before NUL."""
    storage = SqliteStorage()
    store: Any = storage.store
    values = {"one": {"a": "x\0y"}, "two": {"a": "x", "b": "\0"}, "three": {"a": r"x\u0000y"}}
    for key, value in values.items():
        await store.aput(("n",), key, value)
    for text, expected in (("x", ["two"]), ("x\0y", ["one"]), (r"x\u0000y", ["three"])):
        for wanted in ({"a": text}, {"a": {"$eq": text}}):
            found = await store.asearch(("n",), filter=wanted)
            assert [item.key for item in found] == expected
    await storage.close()


def test_json_functions_of_sqlite_get_no_bytes() -> None:
    """Some versions take the eight bytes of `{"a":12}`, as the store has them, for binary JSON."""
    connection, other = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")

    def replace(name: str) -> None:
        def call(text: Any, path: str) -> Any:
            assert isinstance(text, str)
            return other.execute(f"SELECT {name}(?, ?)", (text, path)).fetchone()[0]

        connection.create_function(name, 2, call)

    try:
        install(connection)
        sqlite_conditions.install_item_filter(connection)
        for name in ("json_type", "json_extract"):
            replace(name)
        condition, parameters = sqlite_conditions.item_condition({"a": 12})
        query = f"SELECT 1 FROM (SELECT ? AS value) WHERE {condition}"
        assert connection.execute(query, [b'{"a":12}', *parameters]).fetchone() == (1,)
    finally:
        connection.close()
        other.close()


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    url = cluster().fresh()
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened
    cluster().drop(url)


@given(document=_DOCUMENTS, wanted=_FILTERS)
@example(document={"a": [1]}, wanted={"a": {"0": 1}})
@example(document={"a": None}, wanted={"a": math.inf})
@example(document={"a": 1}, wanted={"a": {"$ne": [math.inf]}})
@example(document={"a": 1}, wanted={"b": {"$ne": "\0"}})
@example(document={"a": 1}, wanted={"\0": {"$eq": None}, "a": {"$ne": {"\0": 1}}})
@example(document={"a": 1}, wanted={"\0": 1})
@example(document={"a": "x"}, wanted={"a": {"$lt": "x\0y", "$lte": "x\0"}})
@example(document={"a": "xa"}, wanted={"a": {"$gt": "x\0y", "$gte": "x\0z"}})
@example(document={"a": "x"}, wanted={"a": {"$gte": "x\0"}})
def test_postgresql_agrees_with_the_definition(
    connection: psycopg.Connection[Any], document: Any, wanted: Any
) -> None:
    """The condition for PostgreSQL holds for a value exactly if the filter matches it."""
    condition, parameters = postgres_conditions.item_condition(wanted)
    query: Any = f"SELECT 1 FROM (SELECT %s::jsonb AS value) AS item WHERE {condition}"
    found = connection.execute(query, [encode(document).decode(), *parameters]).fetchone()
    assert (found is not None) == matches(document, wanted)


def test_an_item_keeps_its_place(http: httpx.Client, clock: TestClock) -> None:
    """An item that is written again stays where it is, so that pages miss none."""
    for key in ("one", "two", "three"):
        put(http, key, {"n": 1})
        clock.advance(1)
    assert keys(http, limit=1) == ["one"]
    put(http, "one", {"n": 2})
    assert keys(http, limit=2, offset=1) == ["two", "three"]
    http.request("DELETE", "/store/items", json={"namespace": ["a"], "key": "one"})
    put(http, "one", {"n": 3})
    assert keys(http) == ["two", "three", "one"]


def test_an_item_that_is_written_again_is_new(http: httpx.Client, clock: TestClock) -> None:
    """It says that it was created then."""
    times = []
    for number in range(2):
        put(http, "one", {"n": number})
        item = http.get("/store/items", params={"namespace": "a", "key": "one"}).json()
        (found,) = http.post("/store/items/search", json={}).json()["items"]
        assert found["created_at"] == found["updated_at"] == item["created_at"]
        assert item["created_at"] == item["updated_at"]
        times.append(item["created_at"])
        clock.advance(1)
    assert times[0] < times[1]


def test_pages_have_each_item_once(path: str | None) -> None:
    """Items of one batch with the same key, in many namespaces, are each on one page."""
    with Server({}, path=path) as server, http_to(server) as http:
        store: Any = server.services.store
        store.batch([PutOp(("a", f"{n:02}"), "profile", {"n": n}) for n in range(40)])
        for size in (3, 4, 7):
            pages = [
                http.post("/store/items/search", json={"limit": size, "offset": offset}).json()
                for offset in range(0, 40, size)
            ]
            shown = [item["value"]["n"] for page in pages for item in page["items"]]
            assert sorted(shown) == [*range(40)]


def test_the_last_write_of_a_batch_says_how_long_an_item_lives(
    path: str | None, clock: TestClock
) -> None:
    """Of two writes of an item in one batch, neither the value nor the time of the first stays."""
    with Server({}, path=path, clock=clock) as server, http_to(server) as http:
        store: Any = server.services.store
        store.batch(
            [
                PutOp(("a",), "stays", {"n": 1}, ttl=1.0),
                PutOp(("a",), "stays", {"n": 2}, ttl=None),
                PutOp(("a",), "ends", {"n": 1}, ttl=None),
                PutOp(("a",), "ends", {"n": 2}, ttl=1.0),
            ]
        )
        assert sorted(keys(http)) == ["ends", "stays"]
        clock.advance(120)
        assert keys(http) == ["stays"]


def embed(texts: list[str]) -> list[list[float]]:
    return [[1.0, int(text) / 1000] for text in texts]


FIELDS = ("a", "b", "c", "d")
INDEX = StoreIndex(2, embed, FIELDS)


@pytest.mark.vector
def test_pages_of_a_semantic_search() -> None:
    """Pages are full and go on to the last item, also if an item has several embeddings."""
    with Server({}, store=StoreOptions(INDEX)) as server, http_to(server) as http:
        for number in range(10):
            value = {field: str(number * 10 + n) for n, field in enumerate(FIELDS)}
            put(http, str(number), value)
        pages = [keys(http, query="0", limit=3, offset=offset) for offset in (0, 3, 6, 9)]
        assert pages == [["0", "1", "2"], ["3", "4", "5"], ["6", "7", "8"], ["9"]]


def test_pages_of_a_semantic_search_in_postgresql() -> None:
    """The query looks at enough embeddings for the pages before, too. It needs no pgvector here."""
    index: Any = {"dims": 2, "embed": embed, "fields": [*FIELDS]}
    unused: Any = None
    store = BlockingStore(unused, TestClock(), index, None)
    for limit, offset in ((3, 0), (3, 6), (1, 100)):
        search = SearchOp(("a",), None, limit, offset, "0")
        ((_, parameters),), _ = store._prepare_batch_search_queries([(0, search)])
        *_, embeddings, shown, skipped = parameters
        assert (shown, skipped) == (limit, offset)
        assert embeddings >= (limit + offset) * len(FIELDS)
