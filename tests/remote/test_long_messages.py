"""Messages of servers that send chunks only are put together in time by their length."""

from __future__ import annotations

import gc
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk

from langgraph_client.remote.callbacks import RunCallbacks
from langgraph_client.remote.event_reader import PendingEvents
from langgraph_client.remote.message_events import MessageEvents

ID = f"lc_run--{uuid.UUID(int=7)}"


def chunks(size: int) -> list[AIMessageChunk]:
    """The chunks of a tool call with a long argument, and the end."""
    first = {"name": "write", "args": '{"text": "', "id": "1", "index": 0}
    others: Any = [{"name": None, "args": "word ", "id": None, "index": 0}] * size
    last = {"name": None, "args": '"}', "id": None, "index": 0}
    made = [
        AIMessageChunk(content="", id=ID, tool_call_chunks=[call])  # type: ignore[list-item]
        for call in (first, *others, last)
    ]
    made[-1].chunk_position = "last"
    return made


class Ends(BaseCallbackHandler):
    """Notes the messages that models have made."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        pass

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.messages.append(response.generations[0][0].message)


def as_events(messages: list[Any]) -> Any:
    """The events of a run stream: the last blocks and the end."""
    events = MessageEvents()
    parts = [{"type": "messages", "ns": (), "data": (message, {})} for message in messages]
    made = [event for part in parts for event in events.convert(part)]
    return made[-2]["data"][0]["content"]["args"]


def as_callbacks(messages: list[Any]) -> Any:
    """What a handler hears of the model."""
    ends = Ends()
    with RunCallbacks({"configurable": {}, "callbacks": [ends]}, {}, "g") as run:
        told: Any = [(message, {"ls_model_type": "chat"}) for message in messages]
        run.dispatch(PendingEvents(told, [], []))
    (message,) = ends.messages
    return message.tool_calls[0]["args"]


@pytest.mark.parametrize("read", [as_events, as_callbacks])
def test_a_long_tool_call_takes_time_by_its_length(read: Callable[[list[Any]], Any]) -> None:
    """Twice the chunks take twice the steps, not four times; no argument is lost."""

    def steps(size: int) -> int:
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        messages = chunks(size)
        before = sys.getprofile()
        gc.disable()  # Finalizers of what other tests have left would be counted.
        sys.setprofile(count)
        try:
            args = read(messages)
        finally:
            sys.setprofile(before)
            gc.enable()
        assert args == {"text": "word " * size}
        return calls

    steps(1)  # What is imported or made once does not count.
    assert steps(200) < 2.2 * steps(100)


def test_a_whole_message_after_its_chunks_is_the_answer() -> None:
    """It has all that they have."""
    whole = AIMessage("", id=ID, tool_calls=[{"name": "write", "args": {"text": "w"}, "id": "1"}])
    assert as_callbacks([*chunks(3)[:-1], whole]) == {"text": "w"}
