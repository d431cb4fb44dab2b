"""Checkpoints in SQLite are those that langgraph's own saver in memory keeps."""

from __future__ import annotations

import asyncio
import operator
import os
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Annotated, Any, TypedDict

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_SINGLE_ARG, JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

from langgraph_client.server.storage.checkpoint_links import DELTA_COUNTERS
from langgraph_client.server.storage.postgres.storage import open_postgres
from langgraph_client.server.storage.sqlite.storage import SqliteStorage
from langgraph_client.server.storage.sqlite.value_parts import pack, unpack
from tests.support.garbage import collect

SERDE = JsonPlusSerializer()


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    log: Annotated[list[str], operator.add]
    files: dict[str, str]
    answer: Any


def build() -> Any:
    def think(state: State) -> State:
        number = len(state.get("log", []))
        return {
            "messages": [AIMessage(f"thought {number} " * 100, id=f"a{number}")],
            "log": [f"{number} " * 200],
            "files": {**state.get("files", {}), f"file{number}": "text " * 300},
        }

    def ask(state: State) -> State:
        return {"answer": interrupt("sure?")}

    below = StateGraph(State)
    below.add_node("ask", ask)
    below.add_edge(START, "ask")
    graph = StateGraph(State)
    graph.add_node("think", think)
    graph.add_node("below", below.compile())
    graph.add_edge(START, "think")
    graph.add_edge("think", "below")
    graph.add_edge("below", END)
    return graph


async def converse(saver: Any, thread_id: str, turns: int = 4) -> list[Any]:
    """Have a conversation with interrupts and an update; return the history, ids aside."""
    graph = build().compile(checkpointer=saver)
    config = {"configurable": {"thread_id": thread_id}}
    for turn in range(turns):
        said = {"messages": [HumanMessage(f"question {turn} " * 50, id=f"h{turn}")]}
        await graph.ainvoke(said, config)
        await graph.ainvoke(Command(resume=turn), config)
    await graph.aupdate_state(config, {"answer": "other"}, as_node="below")
    return [
        (
            state.values,
            state.next,
            state.metadata["step"],
            state.tasks and state.tasks[0].interrupts,
        )
        async for state in graph.aget_state_history(config)
    ]


def _without_ids(history: list[Any]) -> list[Any]:
    return [(*state[:3], [item.value for item in state[3]]) for state in history]


async def test_a_conversation_is_kept_as_in_memory() -> None:
    """Values, next nodes, steps and interrupts of a history are those of langgraph's saver."""
    storage = SqliteStorage()
    mine = await converse(storage.checkpointer, "t")
    theirs = await converse(InMemorySaver(), "t")
    assert _without_ids(mine) == _without_ids(theirs)
    await storage.close()


async def test_a_copy_goes_its_own_way() -> None:
    """A copied thread has the same history, and what happens to one does not touch the other."""
    storage = SqliteStorage()
    await converse(storage.checkpointer, "t")
    await storage.states.copy_thread("t", "copy")
    graph = build().compile(checkpointer=storage.checkpointer)

    async def states(thread_id: str) -> list[Any]:
        config = {"configurable": {"thread_id": thread_id}}
        return [(s.values, s.next) async for s in graph.aget_state_history(config)]

    before = await states("t")
    assert await states("copy") == before
    await storage.states.delete_thread("t")
    assert await states("t") == []
    assert await states("copy") == before
    assert "'t'" not in str(await storage.export())
    await storage.close()


async def test_the_latest_is_kept_and_nothing_else() -> None:
    """After `keep_latest` the state is the same, and what only older ones need is gone."""
    storage = SqliteStorage()
    await converse(storage.checkpointer, "t")
    graph = build().compile(checkpointer=storage.checkpointer)
    config = {"configurable": {"thread_id": "t"}}
    before = await graph.aget_state(config)
    size = (await storage.states.size("t"))["total_bytes"]
    await storage.states.keep_latest("t")
    after = await graph.aget_state(config)
    assert (after.values, after.next) == (before.values, before.next)
    found = await storage.states.size("t")
    assert found["total_bytes"] < size / 2
    assert len([s async for s in graph.aget_state_history(config)]) == 1
    assert (
        len((await graph.ainvoke({"log": ["x"]}, config))["log"]) == len(before.values["log"]) + 2
    )
    await storage.close()


async def test_a_run_is_undone() -> None:
    """What a run left is deleted, with its answers to interrupts, and the rest stays whole."""
    storage = SqliteStorage()
    graph = build().compile(checkpointer=storage.checkpointer)
    config = {"configurable": {"thread_id": "t"}}
    await graph.ainvoke({"log": ["x" * 2000]}, {**config, "metadata": {"run_id": "first"}})
    before = await graph.aget_state(config)
    stored = await storage.export()
    mark = await storage.states.mark("t")
    await graph.ainvoke(Command(resume="y" * 2000), {**config, "metadata": {"run_id": "second"}})
    assert (await graph.aget_state(config)).next == ()
    await storage.states.delete_run("t", "second", mark)
    after = await graph.aget_state(config)
    assert (after.values, after.next) == (before.values, before.next)
    assert after.tasks == before.tasks
    assert await storage.export() == stored
    await storage.close()


async def test_a_mark_is_not_moved_by_other_threads() -> None:
    """What is deleted elsewhere between a mark and a write does not hide the write."""
    storage = SqliteStorage()
    saver: BaseCheckpointSaver[str] = storage.checkpointer
    for thread_id in ("t", "other"):
        graph = build().compile(checkpointer=saver)
        await graph.ainvoke({"log": ["x"]}, {"configurable": {"thread_id": thread_id}})
    mark = await storage.states.mark("t")
    await storage.states.delete_thread("other")
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    found = saver.get_tuple({"configurable": {"thread_id": "t"}})
    assert found is not None
    before = found.pending_writes
    saver.put_writes(found.config, [("log", ["late"])], "task")
    await storage.states.delete_run("t", "none", mark)
    again = saver.get_tuple(config)
    assert again is not None
    assert again.pending_writes == before
    await storage.close()


async def test_a_long_conversation_stays_small() -> None:
    """200 turns of 2 kB on one thread take less than 20 MB, with all 600 checkpoints."""
    with tempfile.TemporaryDirectory() as folder:
        storage = SqliteStorage(f"{folder}/x.db")
        builder = StateGraph(State)
        builder.add_node("say", lambda state: {"log": [os.urandom(1000).hex()]})
        builder.add_edge(START, "say")
        graph = builder.compile(checkpointer=storage.checkpointer)
        config = {"configurable": {"thread_id": "t"}}
        for _ in range(200):
            await graph.ainvoke({"log": [os.urandom(1000).hex()]}, config)
        assert len((await graph.aget_state(config)).values["log"]) == 400
        size = sum(entry.stat().st_size for entry in os.scandir(folder))
        assert size < 20_000_000
        await storage.close()


async def test_filters_of_a_listing() -> None:
    """`list` filters by metadata, thread, namespace, `before` and limit, as langgraph's does."""
    storage = SqliteStorage()
    savers: list[Any] = [storage.checkpointer, InMemorySaver()]
    answers = []
    for saver in savers:
        config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        for number in range(5):
            checkpoint = {
                "v": 4,
                "id": f"{number}",
                "ts": "2026",
                "channel_values": {"a": number},
                "channel_versions": {"a": f"{number}"},
                "versions_seen": {},
            }
            metadata = {"step": number, "odd": bool(number % 2)}
            config = saver.put(config, checkpoint, metadata, {"a": f"{number}"})
        thread = {"configurable": {"thread_id": "t"}}
        last = {"configurable": {"thread_id": "t", "checkpoint_id": "3"}}
        asked: list[Any] = [
            list(saver.list(thread)),
            list(saver.list(thread, filter={"odd": True})),
            list(saver.list(thread, filter={"step": 3})),
            list(saver.list(thread, before=last, limit=2)),
            list(saver.list(last)),
            list(saver.list(None, limit=1)),
            list(saver.list({"configurable": {"thread_id": "none"}})),
        ]
        answers.append([[found.checkpoint["id"] for found in one] for one in asked])
    await storage.close()
    assert answers[0] == answers[1]
    assert answers[0][1] == ["3", "1"]


@pytest.mark.parametrize(
    ("wanted", "ids"), [({"score": 1}, ["0"]), ({"who": "ann"}, ["2", "1", "0"]), ({"x": 1}, [])]
)
@pytest.mark.parametrize("odd", ["NaN", "-Infinity", "no JSON"])
async def test_odd_numbers_of_earlier_versions_do_not_stop_a_filter(
    wanted: dict[str, Any], ids: list[str], odd: str
) -> None:
    """Metadata was written as Python writes JSON; a row that is no JSON matches nothing."""
    storage = SqliteStorage()
    place: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    for number in range(3):
        checkpoint: Any = {**empty_checkpoint(), "id": f"{number}"}
        metadata: Any = {"who": "ann", "score": number + 1}
        storage.checkpointer.put(place, checkpoint, metadata, {})
    if odd == "no JSON":
        ids = [each for each in ids if each != "1"]
    text = odd if odd == "no JSON" else f'{{"who": "ann", "score": {odd}}}'
    change = "UPDATE checkpoints SET metadata = ? WHERE checkpoint_id = '1'"
    storage._database.execute(change, (text,))
    listed = storage.checkpointer.list({"configurable": {"thread_id": "t"}}, filter=wanted)
    assert [each.checkpoint["id"] for each in listed] == ids
    await storage.close()


def parts_in_memory(value: Any) -> tuple[Any, Any]:
    packed = pack(value, SERDE)
    kept = {part.digest: (part.type, part.data) for part in packed.parts}
    return packed, unpack(packed.type, packed.data, SERDE, lambda names: [kept[n] for n in names])


_ITEMS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(),
    st.binary(),
    st.text(min_size=100).map(HumanMessage),
    st.lists(st.booleans()),
    st.text(min_size=300, max_size=2000),
)


@given(st.one_of(_ITEMS, st.lists(_ITEMS), st.dictionaries(st.text() | st.integers(0, 9), _ITEMS)))
def test_any_value_comes_back(value: Any) -> None:
    """Whatever its size and kind, a value comes back from its parts as it was."""
    packed, found = parts_in_memory(value)
    assert found == value
    assert type(found) is type(value)
    assert len(packed.data) <= 300 or packed.type != "msgpack"


def test_what_is_appended_shares_the_rest() -> None:
    """The parts of a list, or of a dict, are also those of the longer one."""
    items = [f"{number} " * 500 for number in range(50)]
    for shorter, longer in (
        (items[:-1], items),
        ({text[:9]: text for text in items[:-1]}, {text[:9]: text for text in items}),
    ):
        before = {part.digest for part in pack(shorter, SERDE).parts}
        after = {part.digest for part in pack(longer, SERDE).parts}
        assert len(before) > 40
        assert len(after - before) == 1


async def test_a_checkpoint_that_names_code_runs_none() -> None:
    """What a dump or a file says is made into allowed classes only, in memory as well."""
    evil = ormsgpack.Ext(EXT_CONSTRUCTOR_SINGLE_ARG, ormsgpack.packb(["os", "system", "exit 1"]))
    source = SqliteStorage()
    await converse(source.checkpointer, "t", turns=1)
    source._database.execute(
        "UPDATE checkpoint_channels SET type = 'msgpack', value = ? WHERE channel = 'answer'",
        (ormsgpack.packb(evil),),
    )
    tables = await source.export()
    target = SqliteStorage()
    await target.restore(tables)
    found = target.checkpointer.get_tuple({"configurable": {"thread_id": "t"}})
    assert found.checkpoint["channel_values"]["answer"] == "exit 1"
    await source.close()
    await target.close()


@pytest.mark.parametrize("form", ["json", "pickle", "other"])
async def test_formats_that_are_never_written_are_not_read(form: str) -> None:
    """A value in another format, which may name code, is refused with an error that names it."""
    storage = SqliteStorage()
    await converse(storage.checkpointer, "t", turns=1)
    storage._database.execute("UPDATE checkpoint_channels SET type = ?, value = ?", (form, b"{}"))
    with pytest.raises(ValueError, match=form):
        storage.checkpointer.get_tuple({"configurable": {"thread_id": "t"}})
    await storage.close()


async def test_a_dump_with_unknown_columns_is_refused() -> None:
    """Names in a dump never become SQL."""
    storage = SqliteStorage()
    for tables in (
        {"nothing": {"columns": ["a"], "rows": []}},
        {"runs": {"columns": ["run_id) SELECT 1 --"], "rows": []}},
    ):
        with pytest.raises(ValueError, match="does not know"):
            await storage.restore(tables)
    await storage.close()


async def turns_between(saver: Any, config: Any) -> list[int]:
    """Return, for each item of a list of checkpoints, how often another task ran until then."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    found = [turns async for _ in saver.alist(config)]
    task.cancel()
    return found


@pytest.fixture
async def storage(path: str | None) -> AsyncIterator[Any]:
    """A storage in memory, and one in PostgreSQL."""
    opened: Any = await open_postgres(path) if path else SqliteStorage()
    yield opened
    await opened.close()


async def test_a_long_list_lets_other_tasks_run(storage: Any) -> None:
    """The event loop is not held from the first checkpoint of a list to the last one."""
    await converse(storage.checkpointer, "t", turns=2)
    turns = await turns_between(storage.checkpointer, {"configurable": {"thread_id": "t"}})
    assert len(turns) > 5
    assert all(later > earlier for earlier, later in pairwise(turns))


async def test_blocking_and_async_writes_store_the_same_metadata(storage: Any) -> None:
    """A checkpoint of a blocking subgraph names the parent's checkpoint, as an async one does."""
    graph = build().compile(checkpointer=storage.checkpointer)
    await graph.ainvoke({}, {"configurable": {"thread_id": "async"}})
    await asyncio.to_thread(graph.invoke, {}, {"configurable": {"thread_id": "blocking"}})
    keys = [
        [
            set(item.metadata)
            async for item in storage.checkpointer.alist({"configurable": {"thread_id": name}})
        ]
        for name in ("async", "blocking")
    ]
    assert keys[0] == keys[1]
    assert any("checkpoint_map" in names for names in keys[0])


@pytest.mark.parametrize("counters", [5, "text", [1], True, None])
async def test_counters_of_any_form_are_not_in_the_way(storage: Any, counters: Any) -> None:
    """Runs are deleted and threads pruned whatever stands in the place of langgraph's counters."""
    saver = storage.checkpointer
    where = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    for _ in range(2):
        metadata = {DELTA_COUNTERS: counters, "run_id": "r"}
        where = await saver.aput(where, empty_checkpoint(), metadata, {})
    await storage.states.keep_latest("t")
    assert len([item async for item in saver.alist(where)]) == 1
    await storage.states.delete_run("t", "r")
    assert await saver.aget_tuple(where) is None


def class_of_a_factory() -> type:
    class Made:
        pass

    return Made


async def test_allowed_classes_do_not_pile_up(storage: Any) -> None:
    """Each use of a factory allows its classes, also those that it defines anew each time."""
    first = class_of_a_factory()
    storage.allow([first])
    serializer = storage.checkpointer.serde
    storage.allow([first, class_of_a_factory()])
    assert storage.checkpointer.serde is serializer
    kept = weakref.ref(first)
    del first
    collect()
    assert kept() is None
    storage.allow([State])
    assert storage.checkpointer.serde is not serializer


async def test_checkpoints_that_are_deleted_during_a_list() -> None:
    """A checkpoint that was deleted meanwhile is left out, and not listed without its values."""
    storage = SqliteStorage()
    await converse(storage.checkpointer, "t", turns=2)
    found = []
    async for item in storage.checkpointer.alist({"configurable": {"thread_id": "t"}}):
        found.append(item)
        await storage.states.keep_latest("t")
    assert len(found) < 4
    assert all(item.checkpoint["channel_values"] for item in found)
    await storage.close()


@pytest.mark.parametrize("way", ["get", "list"])
async def test_no_other_thread_deletes_while_a_checkpoint_is_read(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A checkpoint has its values, or is not there at all."""
    storage = SqliteStorage()
    saver: Any = storage.checkpointer
    await converse(saver, "t", turns=1)
    lock, read = storage._database.lock, saver._tables.checkpoint

    def delete_if_free() -> None:
        if lock.acquire(blocking=False):
            saver.delete_thread("t")
            lock.release()

    def read_and_be_disturbed(*key: Any) -> Any:
        row = read(*key)
        other = threading.Thread(target=delete_if_free)
        other.start()
        other.join()
        return row

    monkeypatch.setattr(saver._tables, "checkpoint", read_and_be_disturbed)
    config: Any = {"configurable": {"thread_id": "t"}}
    found = next(saver.list(config)) if way == "list" else saver.get_tuple(config)
    assert found.checkpoint["channel_values"]["messages"]
    await storage.close()
