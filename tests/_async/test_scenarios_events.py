"""Event streaming over a port: the same scenarios over server-sent events and over WebSockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream

from langgraph_client import LangGraphClient, get_client
from langgraph_client.stream import ProtocolError, RunFailedError

Way = Literal["sse", "websocket"]


@pytest.fixture
async def remote(subject: str, request: Any) -> AsyncIterator[LangGraphClient]:
    """A client of a server on a port: the bundled one, and with --interop the real one."""
    if subject == "real":
        url = request.getfixturevalue("real_url")
    else:
        url = request.getfixturevalue("server").listen()
    async with get_client(url=url) as made:
        yield made


@pytest.fixture(params=["sse", "websocket"])
def way(request: pytest.FixtureRequest) -> Any:
    """How events come."""
    return request.param


async def test_a_run_is_followed_to_its_end(remote: LangGraphClient, way: Way) -> None:
    """Values, messages with their tokens, lifecycle, and the output."""
    async with remote.threads.stream(assistant_id="chat", transport=way) as thread:
        started = await thread.run.start(input={"messages": [{"role": "user", "content": "hi"}]})
        assert started["run_id"]
        texts = []
        async for message in thread.messages:
            assert isinstance(message, AsyncChatModelStream)
            texts.append("".join([token async for token in message.text]))
        assert len(texts) == 1
        assert texts[0]
        snapshots = [values async for values in thread.values]
        assert len(snapshots[-1]["messages"]) == 2
        output: Any = await thread.output
        assert len(output["messages"]) == 2
        methods = [event["method"] async for event in thread.subscribe(["lifecycle", "values"])]
        assert methods[0] == methods[-1] == "lifecycle"


async def test_a_question_is_answered(remote: LangGraphClient, way: Way) -> None:
    """The run stops to ask, and goes on with the answer on the same stream."""
    async with remote.threads.stream(assistant_id="approval", transport=way) as thread:
        await thread.run.start(input={"draft": "a"})
        print(await thread.output)
        assert [question["value"]["question"] for question in thread.interrupts] == ["approve?"]
        await thread.run.respond("yes")
        output: Any = await thread.output
        assert output["answers"] == ["yes"]
        assert not thread.interrupted


async def test_parallel_questions_are_answered_at_once(remote: LangGraphClient, way: Way) -> None:
    """`responses` answers several by their ids."""
    async with remote.threads.stream(assistant_id="parallel", transport=way) as thread:
        await thread.run.start(input={"draft": "a"})
        async for _ in thread.values:
            pass
        print(await thread.output)
        answers = {one["interrupt_id"]: one["value"][:-1] for one in thread.interrupts}
        assert sorted(answers.values()) == ["left", "right"]
        await thread.run.respond(responses=answers)
        output: Any = await thread.output
        assert sorted(output["answers"], key=str) == [{"left": "left"}, {"right": "right"}]


async def test_runs_in_a_row_and_a_reader_who_comes_late(remote: LangGraphClient, way: Way) -> None:
    """Each run is the current one in its turn; whoever comes late reads the last one."""
    async with remote.threads.stream(assistant_id="counter", transport=way) as thread:
        for count in (1, 5):
            await thread.run.start(input={"count": count})
            assert await thread.output == {"count": count + 1}
    late = remote.threads.stream(thread.thread_id, assistant_id="counter", transport=way)
    async with late:
        assert [values async for values in late.values] == [{"count": 5}, {"count": 6}]
        assert await late.output == {"count": 6}


async def test_more_channels_are_asked_for_later(remote: LangGraphClient, way: Way) -> None:
    """What the first subscription does not bring comes with a wider one, from the beginning."""
    async with remote.threads.stream(assistant_id="row", transport=way) as thread:
        await thread.run.start(input={"log": []})
        values = [item async for item in thread.values]
        events = [event async for event in thread.events]
        assert [e["params"]["data"] for e in events if e["method"] == "values"] == values
        assert [item async for item in thread.values] == values
        assert len({event["seq"] for event in events}) == len(events)
        await thread.run.start(input={"log": []})
        print(await thread.output)
        again = [event async for event in thread.events]
        assert [e["method"] for e in again] == [e["method"] for e in events]


async def test_a_failure_and_a_refusal(remote: LangGraphClient, way: Way) -> None:
    """A failing run raises the server's words; a refused command its code."""
    async with remote.threads.stream(assistant_id="failing", transport=way) as thread:
        await thread.run.start(input={"how": "value"})
        with pytest.raises(RunFailedError):
            print(await thread.output)
    async with remote.threads.stream(assistant_id="nobody", transport=way) as thread:
        with pytest.raises(ProtocolError):
            await thread.run.start(input={})


async def test_a_cancelled_run_ends_what_waits(remote: LangGraphClient, way: Way) -> None:
    """Iterators end, and `output` is the state so far."""
    async with remote.threads.stream(assistant_id="slow", transport=way) as thread:
        run = await thread.run.start(input={"log": []})
        async for event in thread.subscribe(["lifecycle", "values"]):
            if event["method"] == "values":
                await remote.runs.cancel(thread.thread_id, run["run_id"], wait=True)
        assert not thread.interrupted
        assert await thread.output == {"log": []}


@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_what_cannot_be_a_thread_is_refused(
    remote: LangGraphClient, transport: Way, subject: str
) -> None:
    """A thread id that is no UUID ends the stream with the server's words."""
    if subject == "real":
        pytest.skip("langgraph-api accepts the stream and ends it, again and again")
    async with remote.threads.stream("x", assistant_id="row", transport=transport) as thread:
        with pytest.raises(Exception, match="Invalid thread ID"):
            [event async for event in thread.events]
