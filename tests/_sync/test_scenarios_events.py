# Generated from tests/_async/test_scenarios_events.py by .ci/unasync.py; do not edit.
"""Event streaming over a port: the same scenarios over server-sent events and over WebSockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from langchain_core.language_models.chat_model_stream import ChatModelStream

from langgraph_client import SyncLangGraphClient, get_sync_client
from langgraph_client.stream import ProtocolError, RunFailedError

Way = Literal["sse", "websocket"]


@pytest.fixture
def remote(subject: str, request: Any) -> Iterator[SyncLangGraphClient]:
    """A client of a server on a port: the bundled one, and with --interop the real one."""
    if subject == "real":
        url = request.getfixturevalue("real_url")
    else:
        url = request.getfixturevalue("server").listen()
    with get_sync_client(url=url) as made:
        yield made


@pytest.fixture(params=["sse", "websocket"])
def way(request: pytest.FixtureRequest) -> Any:
    """How events come."""
    return request.param


def test_a_run_is_followed_to_its_end(remote: SyncLangGraphClient, way: Way) -> None:
    """Values, messages with their tokens, lifecycle, and the output."""
    with remote.threads.stream(assistant_id="chat", transport=way) as thread:
        started = thread.run.start(input={"messages": [{"role": "user", "content": "hi"}]})
        assert started["run_id"]
        texts = []
        for message in thread.messages:
            assert isinstance(message, ChatModelStream)
            texts.append("".join([token for token in message.text]))
        assert len(texts) == 1
        assert texts[0]
        snapshots = [values for values in thread.values]
        assert len(snapshots[-1]["messages"]) == 2
        output: Any = thread.output
        assert len(output["messages"]) == 2
        methods = [event["method"] for event in thread.subscribe(["lifecycle", "values"])]
        assert methods[0] == methods[-1] == "lifecycle"


def test_a_question_is_answered(remote: SyncLangGraphClient, way: Way) -> None:
    """The run stops to ask, and goes on with the answer on the same stream."""
    with remote.threads.stream(assistant_id="approval", transport=way) as thread:
        thread.run.start(input={"draft": "a"})
        print(thread.output)
        assert [question["value"]["question"] for question in thread.interrupts] == ["approve?"]
        thread.run.respond("yes")
        output: Any = thread.output
        assert output["answers"] == ["yes"]
        assert not thread.interrupted


def test_parallel_questions_are_answered_at_once(remote: SyncLangGraphClient, way: Way) -> None:
    """`responses` answers several by their ids."""
    with remote.threads.stream(assistant_id="parallel", transport=way) as thread:
        thread.run.start(input={"draft": "a"})
        for _ in thread.values:
            pass
        print(thread.output)
        answers = {one["interrupt_id"]: one["value"][:-1] for one in thread.interrupts}
        assert sorted(answers.values()) == ["left", "right"]
        thread.run.respond(responses=answers)
        output: Any = thread.output
        assert sorted(output["answers"], key=str) == [{"left": "left"}, {"right": "right"}]


def test_runs_in_a_row_and_a_reader_who_comes_late(remote: SyncLangGraphClient, way: Way) -> None:
    """Each run is the current one in its turn; whoever comes late reads the last one."""
    with remote.threads.stream(assistant_id="counter", transport=way) as thread:
        for count in (1, 5):
            thread.run.start(input={"count": count})
            assert thread.output == {"count": count + 1}
    late = remote.threads.stream(thread.thread_id, assistant_id="counter", transport=way)
    with late:
        assert [values for values in late.values] == [{"count": 5}, {"count": 6}]
        assert late.output == {"count": 6}


def test_more_channels_are_asked_for_later(remote: SyncLangGraphClient, way: Way) -> None:
    """What the first subscription does not bring comes with a wider one, from the beginning."""
    with remote.threads.stream(assistant_id="row", transport=way) as thread:
        thread.run.start(input={"log": []})
        values = [item for item in thread.values]
        events = [event for event in thread.events]
        assert [e["params"]["data"] for e in events if e["method"] == "values"] == values
        assert [item for item in thread.values] == values
        assert len({event["seq"] for event in events}) == len(events)
        thread.run.start(input={"log": []})
        print(thread.output)
        again = [event for event in thread.events]
        assert [e["method"] for e in again] == [e["method"] for e in events]


def test_a_failure_and_a_refusal(remote: SyncLangGraphClient, way: Way) -> None:
    """A failing run raises the server's words; a refused command its code."""
    with remote.threads.stream(assistant_id="failing", transport=way) as thread:
        thread.run.start(input={"how": "value"})
        with pytest.raises(RunFailedError):
            print(thread.output)
    with remote.threads.stream(assistant_id="nobody", transport=way) as thread:
        with pytest.raises(ProtocolError):
            thread.run.start(input={})


def test_a_cancelled_run_ends_what_waits(remote: SyncLangGraphClient, way: Way) -> None:
    """Iterators end, and `output` is the state so far."""
    with remote.threads.stream(assistant_id="slow", transport=way) as thread:
        run = thread.run.start(input={"log": []})
        for event in thread.subscribe(["lifecycle", "values"]):
            if event["method"] == "values":
                remote.runs.cancel(thread.thread_id, run["run_id"], wait=True)
        assert not thread.interrupted
        assert thread.output == {"log": []}


@pytest.mark.parametrize("transport", ["sse", "websocket"])
def test_what_cannot_be_a_thread_is_refused(
    remote: SyncLangGraphClient, transport: Way, subject: str
) -> None:
    """A thread id that is no UUID ends the stream with the server's words."""
    if subject == "real":
        pytest.skip("langgraph-api accepts the stream and ends it, again and again")
    with remote.threads.stream("x", assistant_id="row", transport=transport) as thread:
        with pytest.raises(Exception, match="Invalid thread ID"):
            [event for event in thread.events]
