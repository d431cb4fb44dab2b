"""A scripted chat model in real graphs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    message_chunk_to_message,
)
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.testing import FakeChatModel, TestServer


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


def agent(model: BaseChatModel) -> Any:
    """The usual loop of a model and its tools."""
    bound = model.bind_tools([weather])

    async def call(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", call)
    builder.add_node("tools", ToolNode([weather]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile()


def test_a_graph_calls_a_tool_and_answers() -> None:
    """Reply by reply; the calls are there to look at."""
    model = FakeChatModel([{"name": "weather", "args": {"city": "Rome"}}, "It is sunny."])
    with TestServer({"agent": agent(model)}) as server:
        result = server.remote_graph("agent").invoke({"messages": [("user", "Rome?")]})
    texts = [message.content for message in result["messages"]]
    assert texts == ["Rome?", "", "sunny in Rome", "It is sunny."]
    assert result["messages"][1].tool_calls[0]["args"] == {"city": "Rome"}
    first, second = model.calls
    assert first.tools == ["weather"]
    assert [message.content for message in second.messages][-1] == "sunny in Rome"


@pytest.mark.parametrize("color", ["sync", "async"])
async def test_replies_are_streamed(color: str) -> None:
    """Texts word by word, and tool calls with their arguments in parts."""
    model = FakeChatModel([[{"name": "weather", "args": {"city": "Rome"}}], "It is sunny."])
    bound = model.bind_tools([weather])
    chunks = []
    for _ in range(2):
        if color == "sync":
            chunks.append(list(bound.stream("?")))
        else:
            chunks.append([chunk async for chunk in bound.astream("?")])
    calls = chunks[0][0]
    for chunk in chunks[0][1:]:
        calls = calls + chunk
    assert [(call["name"], call["args"]) for call in calls.tool_calls] == [
        ("weather", {"city": "Rome"})
    ]
    assert [chunk.content for chunk in chunks[1] if chunk.content] == ["It ", "is ", "sunny."]


def test_tokens_reach_a_client_of_the_graph() -> None:
    """`stream_mode="messages"` gives them as they come."""
    model = FakeChatModel(["one two three"])
    with TestServer({"agent": agent(model)}) as server:
        parts = server.remote_graph("agent").stream(
            {"messages": [("user", "?")]}, stream_mode="messages"
        )
        assert [chunk.content for chunk, _ in parts if chunk.content] == ["one ", "two ", "three"]


def test_structured_output_works() -> None:
    """As a tool call that is named for the schema."""

    class Person(BaseModel):
        """A person."""

        name: str

    model = FakeChatModel([{"name": "Person", "args": {"name": "Bob"}}])
    assert model.with_structured_output(Person).invoke("who?") == Person(name="Bob")


def test_replies_may_be_computed_messages_and_exceptions() -> None:
    """A function of the messages, an `AIMessage`, an exception that is raised."""
    model = FakeChatModel(lambda messages: f"{len(messages)}: {messages[-1].content}")
    assert model.invoke([HumanMessage("a"), HumanMessage("b")]).content == "2: b"
    scripted = FakeChatModel([AIMessage("hi"), ConnectionError("overloaded")])
    assert scripted.invoke("?").content == "hi"
    with pytest.raises(ConnectionError, match="overloaded"):
        scripted.invoke("?")


MESSAGE = AIMessage(
    [{"type": "text", "text": "Let me see."}, {"type": "text", "text": "Rome?"}],
    id="message-1",
    name="bob",
    tool_calls=[{"name": "weather", "args": {"city": "Rome"}, "id": "call-1"}],
    invalid_tool_calls=[{"name": "weather", "args": "[1]", "id": "call-2", "error": None}],
    usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    response_metadata={"model_name": "x", "finish_reason": "length"},
    additional_kwargs={"refusal": "no"},
)


@pytest.mark.parametrize("message", [MESSAGE, AIMessageChunk("hi", id="m", name="bob")])
def test_a_message_keeps_all_its_fields(message: AIMessage) -> None:
    """An `AIMessage` is the reply as it was written; what it does not say is added."""
    reply = FakeChatModel([message]).bind_tools([weather]).invoke("?")
    expected = message_chunk_to_message(message).model_dump()
    expected["response_metadata"] = {"finish_reason": "stop", **message.response_metadata}
    assert reply.model_dump() == expected


def test_a_message_keeps_all_its_fields_in_a_stream() -> None:
    """Its chunks add up to it, but for the name, which langchain leaves out of a sum."""
    chunks = list(FakeChatModel([MESSAGE]).bind_tools([weather]).stream("?"))
    assert [chunk.content for chunk in chunks if chunk.content] == [[b] for b in MESSAGE.content]
    assert {(chunk.id, chunk.name) for chunk in chunks[:-1]} == {("message-1", "bob")}
    total = message_chunk_to_message(sum(chunks[1:], chunks[0]))
    assert total.model_dump() == {**MESSAGE.model_dump(), "name": None}


INVALID = [{"name": "weather", "args": "{oops", "id": "i", "error": "bad"}]


@pytest.mark.parametrize("color", ["sync", "async"])
@pytest.mark.parametrize(
    "reply",
    [
        AIMessage("hello you", name="bob", id="m"),
        AIMessage("", name="bob", invalid_tool_calls=INVALID, id="m"),
        AIMessage("x", invalid_tool_calls=[{**INVALID[0], "args": None}], id="m"),
        MESSAGE,
    ],
)
def test_a_graph_that_is_streamed_gets_the_same_message(reply: AIMessage, color: str) -> None:
    """With its name, and with tool calls that are invalid as they were written."""
    model = FakeChatModel([reply, reply]).bind_tools([weather])

    def call(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    async def acall(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("n", call if color == "sync" else acall)
    graph = builder.add_edge(START, "n").compile()
    with TestServer({"agent": graph}) as server, server.sync_client() as client:
        waited = client.runs.wait(None, "agent", input={"messages": []})["messages"]
        modes: Any = ["messages-tuple", "values"]
        parts = client.runs.stream(None, "agent", input={"messages": []}, stream_mode=modes)
        *_, last = [part.data["messages"] for part in parts if part.event == "values"]
    assert last == waited
    assert last[0]["name"] == reply.name
    assert [call["args"] for call in last[0]["invalid_tool_calls"]] == [
        call["args"] for call in reply.invalid_tool_calls
    ]


def test_a_message_of_blocks_reaches_a_client_of_the_graph() -> None:
    """A graph that is streamed ends with the message of a graph that is not."""
    for mode in ("messages", "values"):
        model = FakeChatModel([AIMessage([{"type": "text", "text": "hi"}], id="m")])
        with TestServer({"agent": agent(model)}) as server:
            graph = server.remote_graph("agent")
            parts = list(graph.stream({"messages": [("user", "?")]}, stream_mode=[mode, "values"]))
        _, values = parts[-1]
        assert values["messages"][-1].content == [{"type": "text", "text": "hi"}]
        assert values["messages"][-1].id == "m"


def test_a_reply_can_be_used_again() -> None:
    """The model gives copies: what a graph does to a message does not change the script."""
    message = AIMessage("hi", tool_calls=[{"name": "weather", "args": {}, "id": None}])
    model = FakeChatModel([message, message])
    first, second = (model.bind_tools([weather]).invoke("?") for _ in range(2))
    assert first.id != second.id
    assert [reply.tool_calls[0]["id"] for reply in (first, second)] == ["call_1_1", "call_2_1"]
    assert (message.id, message.tool_calls[0]["id"]) == (None, None)


def test_a_tool_of_the_provider_is_bound() -> None:
    """A tool that is no function has the name of its type."""
    model = FakeChatModel([{"name": "web_search_preview"}])
    model.bind_tools([{"type": "web_search_preview"}, weather]).invoke("?")
    assert model.calls[0].tools == ["web_search_preview", "weather"]


def test_a_model_can_be_copied() -> None:
    """A deep copy goes through the replies by itself."""
    model = FakeChatModel(["one", "two"])
    model.invoke("?")
    copied = copy.deepcopy(model)
    assert [copied.invoke("?").content, model.invoke("?").content] == ["two", "two"]
    assert len(model.calls) == len(copied.calls) == 2


def test_what_is_no_reply_is_refused() -> None:
    """Such as a number, or the message of a user."""
    replies: list[Any] = [5, None, HumanMessage("hi"), {"nam": "t"}, ["t"], b"hi", ValueError]
    replies += [{"name": "t", "args": "x"}, [{"args": {}}], {"name": "t", "input": {}}]
    replies += [[{"name": "t"}, {"name": "t", "arguments": {}}], {"name": "t", 5: 5}]
    for reply in replies:
        with pytest.raises(InvalidArgumentError, match=r"^replies\[1\]: "):
            FakeChatModel(["hi", reply])
        with pytest.raises(AssertionError, match="reply 1 is not a reply"):
            FakeChatModel(lambda messages, reply=reply: reply).invoke("?")


def test_a_misspelled_part_of_a_tool_call_is_named() -> None:
    """Without it, the tool would be called without arguments."""
    with pytest.raises(InvalidArgumentError, match=r"'arguments'; did you mean 'args'\?"):
        FakeChatModel([{"name": "weather", "arguments": {"city": "Rome"}}])
    call = {"type": "tool_call", "name": "weather", "args": {}, "id": "mine"}
    reply = FakeChatModel([call]).bind_tools([weather]).invoke("?")
    assert reply.tool_calls == [call]


def test_models_of_one_thread_give_their_tool_calls_different_ids() -> None:
    """An agent would take a call with the id of an earlier one for answered."""
    calls: list[Any] = []
    messages: list[Any] = [HumanMessage("?")]
    for _ in range(3):
        model = FakeChatModel([{"name": "weather"}, {"name": "weather"}])
        for _ in range(2):
            messages.append(model.bind_tools([weather]).invoke(messages))
            calls += [call["id"] for call in messages[-1].tool_calls]
    assert calls == [f"call_{number}_1" for number in range(1, 7)]


def test_a_script_that_does_not_fit_says_so() -> None:
    """More calls than replies; a tool that is not bound."""
    model = FakeChatModel(["only one"])
    model.invoke("?", stop=["x"])
    assert model.calls[0].options == {"stop": ["x"]}
    with pytest.raises(AssertionError, match="for call 2 of the model: FakeChatModel got 1"):
        model.invoke("?")
    unbound = FakeChatModel([{"name": "search"}])
    with pytest.raises(
        AssertionError, match=r"'search', which is not bound; bound tools: 'weather'"
    ):
        unbound.bind_tools([weather], tool_choice="any").invoke("?")
    assert unbound.calls[0].options["tool_choice"] == "any"
