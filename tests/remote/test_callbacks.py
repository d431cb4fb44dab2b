"""Callbacks of the caller hear of a remote run as they do of a local one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from langchain_core._api import LangChainDeprecationWarning
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_core.tracers._streaming import _StreamingCallbackHandler
from langgraph.graph import START, MessagesState, StateGraph

from langgraph_client import Server


class Heard(BaseCallbackHandler):
    """Notes what the outermost chain says."""

    def __init__(self) -> None:
        self.root: Any = None
        self.said: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        if self.root is None:
            self.root = kwargs["run_id"]
            tags, metadata = kwargs["tags"], kwargs["metadata"]
            self.said.append(("start", inputs, kwargs["name"], tags, metadata["m"]))

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        if kwargs["run_id"] == self.root:
            self.said.append(("end", outputs))

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        if kwargs["run_id"] == self.root:
            self.said.append(("error", isinstance(error, ValueError)))


class AsyncHeard(AsyncCallbackHandler):
    """The same, heard by async callbacks."""

    def __init__(self) -> None:
        self.heard = Heard()

    async def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        self.heard.on_chain_start(*args, **kwargs)

    async def on_chain_end(self, *args: Any, **kwargs: Any) -> None:
        self.heard.on_chain_end(*args, **kwargs)


def config_with(handler: Any) -> dict[str, Any]:
    return {
        "configurable": {"thread_id": "1"},
        "callbacks": [handler],
        "tags": ["t"],
        "metadata": {"m": 1},
        "run_name": "mine",
    }


def test_start_and_end_of_a_run_are_heard(graph_named: Any) -> None:
    """The input with name, tags and metadata; then the output, in whatever mode is streamed."""
    heard = Heard()
    list(graph_named("counter").stream({"count": 1}, config_with(heard), stream_mode="updates"))
    assert heard.said == [("start", {"count": 1}, "mine", ["t"], 1), ("end", {"count": 2})]


class Metadata(BaseCallbackHandler):
    """Notes the metadata of the outermost chain."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_chain_start(self, *_: Any, **kwargs: Any) -> None:
        if kwargs["parent_run_id"] is None:
            own = {key: kwargs["metadata"][key] for key in kwargs["metadata"] if key[:3] != "lc_"}
            self.heard.append(own)


@pytest.mark.parametrize(
    "config",
    [
        {"configurable": {"thread_id": "1"}},
        {"configurable": {"thread_id": 7, "tenant": "t", "graph_id": "g"}, "metadata": {"m": 1}},
        {"configurable": {"thread_id": "1"}, "metadata": {"thread_id": "m", "ls_integration": 1}},
    ],
    ids=["thread", "more", "the caller's own"],
)
async def test_the_metadata_of_a_run_names_its_thread(graph_named: Any, config: Any) -> None:
    """Handlers group what they hear by it; the caller's config stays as it was."""
    counter = graph_named("counter")
    given = copy.deepcopy(config)
    expected = {"ls_integration": "langgraph", "thread_id": config["configurable"]["thread_id"]}
    if "graph_id" in config["configurable"]:
        expected["graph_id"] = "g"
    expected |= config.get("metadata", {})
    heard = Metadata()
    counter.invoke({"count": 1}, {**config, "callbacks": [heard]})
    await counter.ainvoke({"count": 1}, {**config, "callbacks": [heard]})
    assert heard.heard == [expected, expected]
    assert config == given


async def test_async_callbacks_are_awaited(graph_named: Any) -> None:
    """The async methods tell async callbacks the same."""
    handler = AsyncHeard()
    await graph_named("counter").ainvoke({"count": 1}, config_with(handler))
    assert handler.heard.said == [("start", {"count": 1}, "mine", ["t"], 1), ("end", {"count": 2})]


def test_a_failure_is_heard(graph_named: Any) -> None:
    """The error that the caller gets is the error that callbacks get."""
    heard = Heard()
    with pytest.raises(ValueError, match="value is wrong"):
        graph_named("failing").invoke({"how": "value"}, config_with(heard))
    assert heard.said[1:] == [("error", True)]


class Listener(BaseCallbackHandler):
    """Notes what chat models say."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.tokens: list[Any] = []
        self.answers: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.started.append(kwargs["run_id"])

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        assert kwargs["run_id"] in self.started
        assert kwargs["chunk"].message.content == token
        self.tokens.append(token)

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        assert kwargs["run_id"] in self.started
        self.answers.append(response.generations[0][0].message.text)


NAME = {"messages": [("user", "I'm ada. my name?")]}


@pytest.mark.parametrize("mode", ["messages", "values"])
def test_models_inside_are_heard(graph_named: Any, mode: Any) -> None:
    """Start and answer of a chat model, and its tokens where the caller streams messages."""
    heard = Listener()
    chat = graph_named("chat")
    config = {"callbacks": [heard], "configurable": {"thread_id": "1"}}
    streamed = list(chat.stream(NAME, config, stream_mode=mode))
    assert heard.tokens == (["You ", "are ", "Ada", ""] if mode == "messages" else [])
    assert heard.answers == ["You are Ada"]
    assert len(heard.started) == 1
    alone = list(chat.stream(NAME, {"configurable": {"thread_id": "2"}}, stream_mode=mode))
    assert len(streamed) == len(alone)


class Streaming(Listener, _StreamingCallbackHandler):
    """A handler for which models stream, as that of `astream_events`."""

    def tap_output_iter(self, run_id: Any, output: Any) -> Any:
        return output

    def tap_output_aiter(self, run_id: Any, output: Any) -> Any:
        return output


def test_a_streaming_handler_gets_tokens_of_an_invoked_graph(graph_named: Any) -> None:
    """Models stream for it, whatever the caller streams."""
    heard = Streaming()
    config = {"callbacks": [heard], "configurable": {"thread_id": "1"}}
    graph_named("chat").invoke(NAME, config)
    assert heard.tokens == ["You ", "are ", "Ada", ""]


def test_messages_keep_their_form_although_a_handler_hears_them(graph_named: Any) -> None:
    """A handler does not make models stream, so their messages have the ids of whole answers."""
    config = {"callbacks": [Listener()], "configurable": {"thread_id": "1"}}
    answer = graph_named("chat").invoke(NAME, config)["messages"][-1]
    assert answer.id.startswith("lc_run--")
    assert answer.id.endswith("-0")


def test_the_models_callbacks_are_those_of_a_streaming_local_graph(graph_named: Any) -> None:
    """Where the local model streams, the calls are the same, one by one."""
    heard = Listener()
    config = {"callbacks": [heard], "configurable": {"thread_id": "1"}}
    list(graph_named("chat").stream(NAME, config, stream_mode="messages"))
    assert heard.tokens == ["You ", "are ", "Ada", ""]
    assert heard.answers == ["You are Ada"]


class Classes(BaseCallbackHandler):
    """Notes the classes of the messages that it gets."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.heard.append([type(message) for message in messages[0]])

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.heard.append(type(response.generations[0][0].message))

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        self.heard.append((type(output), output.artifact))


def _talking() -> Any:
    @tool(response_format="content_and_artifact")
    def look(word: str) -> tuple[Any, Any]:
        """Look up a word."""
        return "found", (word, {1})

    async def talk(_: MessagesState) -> MessagesState:
        content = ["a", {"type": "text", "text": "b"}, {"type": "image", "url": "u"}]
        model = FakeMessagesListChatModel(responses=[AIMessage(content, id="1")])
        answer = await model.ainvoke([("user", "hi")])
        call = {"name": "look", "args": {"word": "w"}, "id": "c", "type": "tool_call"}
        return {"messages": [answer, await look.ainvoke(call)]}

    return StateGraph(MessagesState).add_node("talk", talk).add_edge(START, "talk").compile()


async def test_handlers_get_messages_where_the_caller_wants_dicts() -> None:
    """Those are written for objects; what the caller gets is another matter."""
    local, heard = Classes(), Classes()
    await _talking().ainvoke({"messages": []}, {"callbacks": [local]})
    with Server({"talking": _talking()}) as server:
        graph = server.remote_graph("talking", decode_messages=False)
        result = await graph.ainvoke({"messages": []}, {"callbacks": [heard]})
    assert [type(message) for message in result["messages"]] == [dict, dict]
    assert local.heard == [[HumanMessage], AIMessage, (ToolMessage, ("w", {1}))]
    assert [kind for kind in heard.heard if kind is not AIMessageChunk] == local.heard


async def test_first_events_of_messages_that_are_dicts() -> None:
    """The answer of a model has its text."""
    with Server({"talking": _talking()}) as server:
        graph = server.remote_graph("talking", decode_messages=False)
        with pytest.warns(LangChainDeprecationWarning):
            events = [event async for event in graph.astream_events({}, version="v1")]
    (end,) = [event for event in events if event["event"] == "on_chat_model_end"]
    ((answer,),) = end["data"]["output"]["generations"]
    assert answer["text"] == "ab"
    assert answer["message"]["content"][1] == {"type": "text", "text": "b"}


async def test_models_inside_are_heard_by_async_code(server: Server) -> None:
    """Handlers of `ainvoke` get the calls of models inside the remote graph."""
    heard = Listener()
    await server.remote_graph("chat").ainvoke(NAME, {"callbacks": [heard]})
    assert (heard.answers, len(heard.started)) == (["You are Ada"], 1)
