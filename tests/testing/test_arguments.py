"""Every setting of the kit that could have no effect is refused where it is given, by its name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from langgraph_client.errors import InvalidArgumentError, LangGraphError
from langgraph_client.testing import (
    Attempts,
    FakeChatModel,
    FaultProxy,
    Faults,
    LangGraphMock,
    RequestLog,
    ScriptedGraph,
    TestClock,
    TestServer,
    Wait,
    recorded,
)

NAN, ENDLESS = math.nan, math.inf
ID = "11111111-1111-1111-1111-111111111111"
EVENT = {"method": "values", "seq": 1, "params": {}}

#: A method of `Faults`, its arguments, the refused one, and a part of the text.
FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    *(
        ("refuse", {"status": status}, "status", "from 400 to 599")
        for status in (99, 200, 302, 399, 600, -1, 503.5, True, "503")
    ),
    *(
        ("refuse", {"retry_after": value}, "retry_after", "must be")
        for value in (-1, NAN, ENDLESS, "", "1\r\nx: y", "é", True)
    ),
    *(("delay", {"seconds": value}, "seconds", "0 or more") for value in (-1, NAN, ENDLESS, "1")),
    *(
        (kind, {name: value}, name, "0 or more")
        for kind in ("stall", "cut_after")
        for name in ("events", "bytes")
        for value in (-1, 1.5, NAN, True, "1")
    ),
    ("stall", {"events": 1, "bytes": 1}, "events", "give either events or bytes"),
    ("cut_after", {"events": 1, "bytes": 1}, "events", "give either events or bytes"),
    ("cut_after", {}, "events", "give either events or bytes"),
    *(("duplicate", {"event": value}, "event", "1 or more") for value in (0, -1, 1.5, True, "1")),
    *(("corrupt", {"byte": value}, "byte", "0 or more") for value in (-1, 0.5, NAN, None, "0")),
    *(("drip", {"bytes": value}, "bytes", "1 or more") for value in (0, -1, 1.5, True)),
    *(("drip", {"seconds": value}, "seconds", "0 or more") for value in (-1, NAN, ENDLESS)),
]
VALID: dict[str, dict[str, Any]] = {
    "refuse": {},
    "unreachable": {},
    "disconnect": {},
    "delay": {"seconds": 0},
    "stall": {},
    "cut_after": {"events": 0},
    "duplicate": {"event": 1},
    "corrupt": {"byte": 0},
    "drip": {"bytes": 1, "seconds": 0},
    "shuffle_headers": {},
}
#: Arguments that every fault has.
COMMON: list[tuple[str, Any]] = [
    *(("times", value) for value in (0, -1, 1.5, True, "1")),
    *(("method", value) for value in ("", "PSOT", 5)),
    *(("path", value) for value in ("", "threads/*", "http://localhost/threads", 5)),
]


@pytest.mark.parametrize(("kind", "arguments", "parameter", "text"), FAULTS)
def test_a_fault_out_of_range(
    kind: str, arguments: dict[str, Any], parameter: str, text: str
) -> None:
    """The error names the argument, its value and what is allowed; no fault is added."""
    faults = Faults()
    with pytest.raises(InvalidArgumentError) as refused:
        getattr(faults, kind)(**arguments)
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, LangGraphError)
    assert refused.value.parameter == parameter
    assert text in refused.value.problem
    if text != "give either events or bytes":
        assert repr(arguments[parameter]) in refused.value.problem
    assert faults.fired == {}


@pytest.mark.parametrize(("parameter", "value"), COMMON)
@pytest.mark.parametrize("kind", VALID)
def test_what_all_faults_have(kind: str, parameter: str, value: object) -> None:
    """Number, method and path are checked for every kind of fault."""
    faults = Faults()
    with pytest.raises(InvalidArgumentError, match=parameter) as refused:
        getattr(faults, kind)(**VALID[kind], **{parameter: value})
    assert repr(value) in refused.value.problem
    assert faults.fired == {}


@pytest.mark.parametrize("kind", VALID)
def test_the_ends_of_the_ranges_are_allowed(kind: str) -> None:
    """The smallest values, any case of a method, and patterns of paths."""
    faults = Faults()
    getattr(faults, kind)(**VALID[kind], times=1, method="post", path="/threads/*")
    getattr(faults, kind)(**VALID[kind], path="*/runs")
    assert faults.fired == {kind: 0}
    for status in (400, 599):
        faults.refuse(status=status, retry_after=0, detail='a "quoted"\nline')


def test_waiting_for_a_fault() -> None:
    """A wait that would end at once, or never, is refused."""
    fault = Faults().refuse()
    for arguments in ({"times": 0}, {"timeout": -1}, {"timeout": ENDLESS}, {"timeout": NAN}):
        with pytest.raises(InvalidArgumentError, match=next(iter(arguments))):
            fault.wait(**arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    with TestServer({"agent": ScriptedGraph([{"a": 1}])}) as server:
        yield server


#: What is refused by a server: the method, its arguments, and the parameter of the error.
SERVER: list[tuple[str, dict[str, Any], str]] = [
    ("hold", {}, "node"),
    ("hold", {"node": "a", "status": "running"}, "node"),
    ("hold", {"node": ""}, "node"),
    ("hold", {"status": "done"}, "status"),
    ("hold", {"node": "a", "graph": "agnet"}, "graph"),
    ("hold", {"node": "a", "thread_id": "mine"}, "thread_id"),
    ("wait_idle", {"timeout": -1}, "timeout"),
    ("wait_idle", {"timeout": ENDLESS}, "timeout"),
    ("expect_error", {"kind": "ValueError"}, "kind"),
    ("expect_error", {"match": "("}, "match"),
    ("expect_error", {"match": 5}, "match"),
    ("expect_error", {"timeout": NAN}, "timeout"),
    ("seed_thread", {"graph": "agnet"}, "graph"),
    ("seed_thread", {"graph": "agent", "thread_id": "mine"}, "thread_id"),
    ("seed_thread", {"graph": "agent", "values": "x"}, "values"),
    ("seed_thread", {"graph": "agent", "values": [1]}, "values"),
    ("seed_thread", {"graph": "agent", "metadata": [1]}, "metadata"),
    ("seed_thread", {"graph": "agent", "history": {"a": 1}}, "history"),
    ("seed_thread", {"graph": "agent", "history": [{"a": 1}, "x"]}, "history[1]"),
]


@pytest.mark.parametrize(("method", "arguments", "parameter"), SERVER)
def test_what_a_server_refuses(
    server: TestServer, method: str, arguments: dict[str, Any], parameter: str
) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidArgumentError) as refused:
        getattr(server, method)(**arguments)
    assert refused.value.parameter == parameter


def test_a_hold_takes_ids_in_any_form(server: TestServer) -> None:
    """A thread's id in capitals holds that thread; an assistant's id is as good as a name."""
    client = server.sync_client()
    thread = client.threads.create()
    assistant_id = client.assistants.search()[0].assistant_id.upper()
    held = {"thread_id": thread.thread_id.upper(), "graph": assistant_id}
    with server.hold(status="running", **held) as hold:
        run = client.runs.create(thread.thread_id, "agent", input={})
        assert hold.wait() == run.run_id
        for arguments in ({"runs": 0}, {"timeout": -1}, {"timeout": NAN}):
            with pytest.raises(InvalidArgumentError, match=next(iter(arguments))):
                hold.wait(**arguments)  # type: ignore[arg-type]
    client.runs.join(thread.thread_id, run.run_id)


#: What makes the other parts of the kit, and the parameter of the error.
OTHERS: list[tuple[str, Callable[[], object]]] = [
    ("remember_requests", lambda: TestServer({}, remember_requests=-1)),
    ("limit", lambda: RequestLog(-1)),
    ("start", lambda: TestClock(datetime(2026, 1, 1))),
    ("seed", lambda: TestClock(seed=1.5)),  # type: ignore[arg-type]
    ("seconds", lambda: TestClock().advance(-1)),
    ("seconds", lambda: TestClock().advance(NAN)),
    ("seconds", lambda: TestClock().advance(days=ENDLESS)),
    ("seconds", lambda: TestClock().advance("1")),  # type: ignore[arg-type]
    ("seconds", lambda: TestClock().advance(None)),  # type: ignore[arg-type]
    ("seconds", lambda: TestClock().advance(day=1)),
    ("seconds", lambda: TestClock().advance(days=365 * 9000)),
    ("clock", lambda: TestServer({}, clock=TestClock)),
    ("clock", lambda: TestServer({}, clock=0)),
    ("upstream", lambda: FaultProxy("localhost:2024")),
    ("upstream", lambda: FaultProxy("")),
    ("upstream", lambda: FaultProxy("ftp://localhost")),
    ("seconds", lambda: Wait(-1)),
    ("seconds", lambda: Wait(NAN)),
    ("scripts", lambda: Attempts()),
    ("script[1]", lambda: ScriptedGraph([{"a": 1}, "b"])),  # type: ignore[list-item]
    ("replies", lambda: FakeChatModel("one reply")),
    ("replies", lambda: FakeChatModel({"name": "tool"})),  # type: ignore[arg-type]
    ("replies", lambda: FakeChatModel(None)),  # type: ignore[arg-type]
    ("replies[0]", lambda: FakeChatModel([{"nam": "t"}])),
    ("url", lambda: LangGraphMock("langgraph.test")),
    ("error", lambda: LangGraphMock().threads.create(error=99)),
    ("error", lambda: LangGraphMock().runs.wait(error=200)),
    ("error", lambda: LangGraphMock().runs.stream(error=600)),
    ("error", lambda: LangGraphMock().runs.join_stream(error=0)),
    ("error", lambda: LangGraphMock().threads.stream_events(error=302)),
    ("count", lambda: LangGraphMock().threads.count(-1)),
    ("count", lambda: LangGraphMock().assistants.count(1.5)),  # type: ignore[arg-type]
    ("count", lambda: LangGraphMock().crons.count(-1)),
    ("pruned", lambda: LangGraphMock().threads.prune(-1)),
    ("events[1]", lambda: LangGraphMock().runs.stream(events=[("values",)])),  # type: ignore[list-item]
    ("events[0]", lambda: LangGraphMock().threads.join_stream(events=[(1, 2)])),  # type: ignore[list-item]
    ("events[0]", lambda: LangGraphMock().threads.join_stream(events=[("a\nb", 2)])),
    ("events[0]", lambda: LangGraphMock().threads.join_stream(events=[("a", 2, "1\r")])),
    ("thread_id", lambda: LangGraphMock().threads.get(UUID(ID))),  # type: ignore[arg-type]
    ("thread_id", lambda: LangGraphMock().runs.wait(thread_id=UUID(ID))),  # type: ignore[arg-type]
    ("run_id", lambda: LangGraphMock().runs.cancel(None, 5)),  # type: ignore[arg-type]
    ("cron_id", lambda: LangGraphMock().crons.get("")),
    ("events[1]", lambda: LangGraphMock().threads.stream_events(events=[EVENT, {"params": 1}])),
    ("events[0]", lambda: LangGraphMock().threads.stream_events(events=["x"])),  # type: ignore[list-item]
    ("states[0]", lambda: LangGraphMock().threads.get_history(states=["x"])),  # type: ignore[list-item]
    ("error", lambda: LangGraphMock().info(error=200)),
    ("error", lambda: LangGraphMock().ok(error=True)),
    ("satus", lambda: LangGraphMock().threads.get(satus="busy")),
    ("stauts", lambda: LangGraphMock().runs.create(stauts="pending")),
    ("threadId", lambda: LangGraphMock().runs.list(runs=[{"threadId": ID}])),
    ("eror", lambda: LangGraphMock().assistants.create(eror=404)),
    ("nxt", lambda: LangGraphMock().threads.get_history(states=[{"nxt": ["a"]}])),
    ("shedule", lambda: LangGraphMock().crons.search([{"shedule": "* * * * *"}])),
    ("values", lambda: LangGraphMock().store.get_item(values={})),
    ("input_schemas", lambda: LangGraphMock().assistants.get_schemas(input_schemas={})),
    ("vrsion", lambda: LangGraphMock().info(vrsion="1")),
    ("mode", lambda: recorded("x.json", mode="never")),  # type: ignore[arg-type]
    ("scrub", lambda: recorded("x.json", scrub="name")),
    ("keep", lambda: recorded("x.json", keep=[""])),
    ("ignore", lambda: recorded("x.json", ignore="name")),
]


@pytest.mark.parametrize(
    ("parameter", "make"), OTHERS, ids=[f"{n} {name}" for n, (name, _) in enumerate(OTHERS)]
)
def test_what_the_rest_of_the_kit_refuses(parameter: str, make: Callable[[], object]) -> None:
    """The error names the argument, and comes when the thing is made."""
    with pytest.raises(InvalidArgumentError) as refused:
        make()
    assert refused.value.parameter == parameter
