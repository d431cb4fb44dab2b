"""Documents: what is put is got, and searches find what their words say."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langgraph_client.server.auth.scoped_storage import ScopedStorage
from langgraph_client.server.clock import Clock
from langgraph_client.server.storage import document_rows
from langgraph_client.server.storage.containment import contains
from langgraph_client.server.storage.opening import open_storage
from langgraph_client.server.storage.protocol import Event, KeyTaken
from langgraph_client.server.storage.sqlite.storage import SqliteStorage

HUGE = 99999999999999999999


@pytest.fixture
async def storage() -> AsyncIterator[SqliteStorage]:
    opened = SqliteStorage()
    yield opened
    await opened.close()


def thread(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "thread_id": f"t{number:05}",
        "created_at": f"2026-01-01T00:00:{number % 60:02}",
        "status": "idle",
        "metadata": {},
        "values": None,
        "interrupts": {},
        **fields,
    }


async def test_a_document_comes_back_as_it_was(storage: SqliteStorage) -> None:
    """Every field comes back, in its place, also null, empty and missing ones."""
    whole = thread(1, values={"a": [1, None, "é"]}, error={"message": "x"}, config={})
    await storage.threads.insert(whole)
    found = await storage.threads.get("t00001")
    assert found == whole
    assert list(found) == list(whole)
    del whole["values"]
    await storage.threads.put(whole)
    assert await storage.threads.get("t00001") == whole
    with pytest.raises(KeyTaken):
        await storage.threads.insert(whole)


_VALUES = st.dictionaries(
    st.sampled_from("abc"),
    st.one_of(st.booleans(), st.integers(0, 2), st.sampled_from(["x", "1"]), st.none())
    | st.lists(st.integers(0, 2), max_size=2),
    max_size=2,
)


@settings(max_examples=40)
@given(
    stored=st.lists(st.tuples(_VALUES, st.none() | _VALUES, st.sampled_from(["idle", "busy"]))),
    metadata=_VALUES,
    values=_VALUES,
    status=st.none() | st.sampled_from(["idle", "busy", ["idle", "busy"]]),
    limit=st.none() | st.integers(0, 5),
    offset=st.integers(0, 3),
    descending=st.booleans(),
)
def test_a_search_is_what_a_loop_would_find(
    stored: list[Any],
    metadata: Any,
    values: Any,
    status: Any,
    limit: int | None,
    offset: int,
    descending: bool,
) -> None:
    """Filters, order, limit and offset together give what a loop over all documents gives."""
    threads = [
        thread(number, metadata=one[0], values=one[1], status=one[2])
        for number, one in enumerate(stored)
    ]
    wanted = {key: value for key, value in (("metadata", metadata), ("values", values)) if value}

    async def search() -> tuple[list[dict[str, Any]], int]:
        storage = SqliteStorage()
        for one in threads:
            await storage.threads.put(one)
        where = {} if status is None else {"status": status}
        found = await storage.threads.search(
            where=where,
            contains=wanted,
            order_by="created_at",
            descending=descending,
            limit=limit,
            offset=offset,
        )
        count = await storage.threads.count(where=where, contains=wanted)
        await storage.close()
        return found, count

    expected = [
        one
        for one in threads
        if contains(one, wanted) and (status is None or one["status"] in status)
    ]
    ordered = sorted(
        expected, key=lambda one: (one["created_at"], one["thread_id"]), reverse=descending
    )
    end = None if limit is None else offset + limit
    assert asyncio.run(search()) == (ordered[offset:end], len(expected))


async def test_only_the_fields_that_are_wanted(storage: SqliteStorage) -> None:
    """A search for some fields gives those."""
    await storage.threads.put(thread(1, values={"a": 1}))
    found = await storage.threads.search(fields=["thread_id", "metadata"])
    assert found == [{"thread_id": "t00001", "metadata": {}}]


async def test_one_of_several_conditions_has_to_hold(storage: SqliteStorage) -> None:
    """`any_of` finds what at least one condition holds for, before pages are cut; none: nothing."""
    for number, owner in enumerate(["ann", "bob", "cid", "ann"]):
        await storage.threads.insert(thread(number, metadata={"owner": owner, "n": [number]}))
    conditions = [
        {"metadata": {"owner": "ann"}},
        {"metadata": {"owner": "bob", "n": [1]}},
        {"metadata": {"owner": "cid", "n": [7]}},
    ]
    found = await storage.threads.search(any_of=conditions, limit=2, offset=1)
    assert [document["thread_id"] for document in found] == ["t00001", "t00003"]
    assert await storage.threads.count(any_of=conditions) == 3
    assert await storage.threads.count(any_of=conditions, where={"thread_id": "t00002"}) == 0
    assert await storage.threads.count(any_of=[]) == 0
    assert await storage.threads.search(any_of=[]) == []


async def test_text_is_found_whatever_its_case(path: str | None) -> None:
    """Part of a name finds it, in upper or lower case, also beyond ASCII."""
    storage = await open_storage(path, clock=Clock())
    for number, name in enumerate(["Ärger", "other", None, "École", "ΟΔΟΣ"]):
        await storage.assistants.put({"assistant_id": str(number), "name": name, "metadata": {}})
    for part, names in (
        ("äRG", ["Ärger"]),
        ("École", ["École"]),
        ("école", ["École"]),
        ("ΟΔΟΣ", ["ΟΔΟΣ"]),
        ("e", ["Ärger", "other", "École"]),
    ):
        found = await storage.assistants.search(text={"name": part})
        assert [one["name"] for one in found] == names
        assert await storage.assistants.count(text={"name": part}) == len(names)
    await storage.close()


async def test_numbers_beyond_sqlite_s_are_as_good_as_its_greatest(storage: SqliteStorage) -> None:
    """No limit, offset, version or event id is too large for the database."""
    await storage.threads.put(thread(1))
    assert len(await storage.threads.search(limit=HUGE)) == 1
    assert len(await storage.threads.search(limit=HUGE, contains={"metadata": {}})) == 1
    assert await storage.threads.search(offset=HUGE) == []
    assert await storage.threads.search(limit=HUGE, offset=HUGE) == []
    assert await storage.assistant_versions.get("a", HUGE) is None
    event = Event((5, 0), "values", b"1")
    await storage.events.add("t", "r", [event])
    assert await storage.events.of_run("r", (HUGE, 0), HUGE) == []
    assert await storage.events.of_run("r", (-HUGE, HUGE), HUGE) == [event]
    assert await storage.events.of_thread("t", (10**4999, 10**4999), 5) == []


async def test_a_search_lets_others_work_and_decodes_only_what_it_returns(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter that has to read every state gives the loop back many times on its way."""
    state = {"messages": ["y" * 200] * 450}
    async with storage.transaction():
        for number in range(1000):
            values = {**state, "number": number}
            await storage.threads.put(thread(number, metadata={"n": number}, values=values))
    decoded = 0
    decode = document_rows.decode

    def counting(text: str) -> Any:
        nonlocal decoded
        decoded += 1
        return decode(text)

    monkeypatch.setattr(document_rows, "decode", counting)
    for wanted in ({"metadata": {"n": 999}}, {"values": {"number": 999}}):
        decoded = turns = 0
        searching = asyncio.create_task(storage.threads.search(contains=wanted))
        while not searching.done():
            turns += 1
            await asyncio.sleep(0)
        assert [found["metadata"]["n"] for found in searching.result()] == [999]
        assert decoded <= 4
        assert turns > (2 if "metadata" in wanted else 5)


@pytest.mark.parametrize("filters", [{}, {"contains": {"metadata": {"n": 1}}}])
async def test_a_page_is_read_by_its_row_numbers(
    storage: SqliteStorage, filters: dict[str, Any]
) -> None:
    """Not by an index of a condition: the rows of this would be read again for each batch."""
    for number in range(100):
        await storage.threads.put(thread(number, metadata={"n": 1}))
    statements: list[str] = []
    connection = storage._database.connection
    connection.set_trace_callback(statements.append)
    page = {"where": {"status": "idle"}, "order_by": "updated_at", "limit": 1000}
    assert len(await storage.threads.search(**page, **filters)) == 100
    connection.set_trace_callback(None)
    batches = [statement for statement in statements if "rowid IN" in statement]
    assert len(batches) > 1
    for batch in batches:
        plan = [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {batch}")]
        assert any("INTEGER PRIMARY KEY" in step for step in plan), plan


async def test_a_row_without_a_key_hides_no_other(storage: SqliteStorage) -> None:
    """It is damaged, and is left out each time."""
    for number in range(3):
        await storage.threads.put(thread(number))
    storage._database.execute(
        "UPDATE threads SET thread_id = NULL, doc = '{' WHERE thread_id = 't00001'"
    )
    for _ in range(3):
        found = [one["thread_id"] for one in await storage.threads.search()]
        assert found == ["t00000", "t00002"]
    found = await storage.threads.search(contains={"metadata": {}})
    assert [one["thread_id"] for one in found] == ["t00000", "t00002"]


async def test_a_thread_that_changes_during_a_search_is_still_found(storage: SqliteStorage) -> None:
    """A write in the middle of a search neither hides its document nor shows it twice."""
    for number in range(100):
        await storage.threads.put(thread(number, metadata={"a": 1}))
    searching = asyncio.create_task(storage.threads.search(contains={"metadata": {"a": 1}}))
    await asyncio.sleep(0)
    await storage.threads.put(thread(99, metadata={"a": 1}, created_at="2020"))
    await storage.threads.put(thread(0, metadata={"a": 1}, created_at="2030"))
    found = [one["thread_id"] for one in await searching]
    assert sorted(found) == [f"t{number:05}" for number in range(100)]


@pytest.mark.parametrize(
    "search",
    [
        {"contains": {"metadata": {"owner": "ann"}}},
        {"contains": {"values": {"state": "of ann"}}},
        {"where": {"status": "idle"}},
        {"scope": [{"metadata": {"owner": "ann"}}]},
    ],
    ids=["metadata", "values", "status", "auth"],
)
@pytest.mark.parametrize("new_id", ["t00002", "t00003"], ids=["same-id", "other-id"])
async def test_a_document_in_the_row_of_a_deleted_one_has_to_match(
    storage: SqliteStorage, search: dict[str, Any], new_id: str
) -> None:
    """A document that takes a deleted one's row during a search is checked like all others."""
    mine = {"metadata": {"owner": "ann"}, "values": {"state": "of ann"}}
    # After so much, a search lets others work.
    first = thread(1, **mine, config={"filling": "x" * 2_000_000})
    await storage.threads.insert(first)
    await storage.threads.insert(thread(2, **mine))
    others = {"metadata": {"owner": "bob"}, "values": {"state": "of bob"}, "status": "busy"}
    options = dict(search)
    threads = ScopedStorage(storage, {"threads": options.pop("scope", None)}).threads
    searching = asyncio.create_task(threads.search(**options))
    await asyncio.sleep(0)
    await storage.delete_thread("t00002")
    await storage.threads.insert({**thread(2, **others), "thread_id": new_id})
    assert await searching == [first]


async def test_a_deleted_thread_leaves_no_rows(storage: SqliteStorage) -> None:
    """Everything that names a thread goes with it, in whatever table."""
    for number in (1, 2):
        name = f"t{number:05}"
        await storage.threads.put(thread(number))
        await storage.runs.put({"run_id": f"r{number}", "thread_id": name})
        await storage.crons.put({"cron_id": f"c{number}", "thread_id": name, "metadata": {}})
        await storage.thread_ttls.put({"thread_id": name, "expires_at": "2026"})
        events = [Event((seq, 0), "values", b"1") for seq in range(1200)]
        await storage.events.add(name, f"r{number}", events)
    await storage.delete_thread("t00001")
    left = await storage.export()
    assert "t00001" not in str(left)
    assert "t00002" in str(left)


async def test_events_of_ended_runs_go(storage: SqliteStorage) -> None:
    """Events of runs that ended before a time are deleted, those of other runs stay."""
    for run, end in (("old", 10), ("new", 30), ("running", None)):
        events = [Event((seq, 0), "values", b"1") for seq in range(5)]
        events += [] if end is None else [Event((end, 0), "run_done", b"{}")]
        await storage.events.add("t", run, events)
    assert await storage.events.delete_ended("run_done", 20, 100) == 1
    left = {
        run: len(await storage.events.of_run(run, (-1, 0), 99)) for run in ("old", "new", "running")
    }
    assert left == {"old": 0, "new": 6, "running": 5}
    assert await storage.events.delete_ended("run_done", HUGE, 100) == 1
    assert await storage.events.delete_ended("run_done", HUGE, 100) == 0


async def test_deleted_space_is_given_back() -> None:
    """A file shrinks after what was in it is deleted."""
    with tempfile.TemporaryDirectory() as folder:
        storage = SqliteStorage(f"{folder}/x.db")
        async with storage.transaction():
            for number in range(100):
                await storage.threads.put(thread(number, values="y" * 50_000))
        for number in range(100):
            await storage.delete_thread(f"t{number:05}")
        pages = 1000
        async with asyncio.timeout(60):
            while pages > 200:
                await asyncio.to_thread(time.sleep, 0.01)  # No event tells of it.
                (pages,) = storage._database.row("PRAGMA page_count")
        await storage.close()


async def test_what_is_replaced_has_to_be_there(storage: SqliteStorage) -> None:
    """A document that was deleted meanwhile does not come back."""
    assert not await storage.threads.replace(thread(1))
    assert await storage.threads.count() == 0
    await storage.threads.insert(thread(1))
    await storage.threads.insert(thread(2))
    changed = thread(1, status="busy", metadata={"a": [1]}, values={"b": 2})
    assert await storage.threads.replace(changed)
    assert await storage.threads.get("t00001") == changed
    assert await storage.threads.get("t00002") == thread(2)
