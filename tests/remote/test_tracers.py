"""Tracers and handlers of the caller see what happens inside a remote run, as of a local one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForRetrieverRun
from langchain_core.callbacks.manager import dispatch_custom_event
from langchain_core.documents import Document
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langchain_core.tracers import BaseTracer, LangChainTracer, Run
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.types import interrupt

from langgraph_client import RemoteGraph
from langgraph_client.testing import TestServer


class State(TypedDict, total=False):
    text: str


class Words(BaseRetriever):
    """Finds one document."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [Document(f"about {query}", metadata={"page": 1})]


@tool
def shout(text: str) -> str:
    """Say it louder."""
    return text.upper()


@tool
def refuse(text: str) -> str:
    """Never answer."""
    raise ValueError(f"not {text}")


def think(state: State) -> State:
    model = FakeMessagesListChatModel(responses=[AIMessage("thought", id="answer")])
    return {"text": str(model.invoke(state["text"]).content)}


def work(state: State, config: RunnableConfig) -> State:
    shout.invoke({"text": state["text"]})
    Words().invoke("words")
    FakeListLLM(responses=["told"]).invoke("tell")
    dispatch_custom_event("noticed", {"text": state["text"]})
    if state["text"] == "fail":
        refuse.invoke({"text": "you"})
    return {"text": interrupt("go on?") if state["text"] == "ask" else state["text"]}


def graph() -> Any:
    inner = StateGraph(State).add_node("think", think).set_entry_point("think").compile()
    outer = StateGraph(State).add_node("work", work).add_node("inner", inner)
    return outer.set_entry_point("work").add_edge("work", "inner").compile()


class Tracer(BaseTracer):
    """Keeps the trees of runs."""

    def __init__(self) -> None:
        super().__init__()
        self.roots: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        self.roots.append(run)


class Listener(BaseCallbackHandler):
    """Keeps the names of what is called, and of what."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.heard.append(("chain", kwargs["name"]))

    def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        self.heard.append(("tool", serialized["name"], input_str))

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        self.heard.append(("shouted", output, kwargs.get("name")))

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        self.heard.append(("refused", str(error)))

    def on_retriever_end(self, documents: Any, **kwargs: Any) -> None:
        self.heard.append(("found", documents))

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.heard.append((name, data))


@pytest.fixture(params=["local", "remote"])
def traced(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The graph, compiled locally with a checkpointer or on a server, in turn."""
    if request.param == "local":
        yield graph().copy({"checkpointer": InMemorySaver()})
        return
    with TestServer({"traced": graph()}) as server:
        yield server.remote_graph("traced", name="LangGraph")


def config(handler: BaseCallbackHandler) -> RunnableConfig:
    return {
        "callbacks": [handler],
        "configurable": {"thread_id": "1"},
        "tags": ["mine"],
        "metadata": {"own": 1},
    }


def tree(run: Run) -> Any:
    """A run as a tuple: kind, name, input, output, error, and those of the runs inside."""
    outputs = run.outputs if run.run_type != "llm" else _texts(run)
    error = run.error and run.error.partition("(")[0].removeprefix("Remote")
    return (run.run_type, run.name, run.inputs, outputs, error, [tree(r) for r in run.child_runs])


def _texts(run: Run) -> Any:
    return [one["text"] for several in (run.outputs or {})["generations"] for one in several]


MODEL = "FakeMessagesListChatModel"
EXPECTED = (
    "chain",
    "LangGraph",
    {"text": "hello"},
    {"text": "thought"},
    None,
    [
        (
            "chain",
            "work",
            {"text": "hello"},
            {"text": "hello"},
            None,
            [
                ("tool", "shout", {"text": "hello"}, {"output": "HELLO"}, None, []),
                (
                    "retriever",
                    "Words",
                    {"query": "words"},
                    {"documents": [Document("about words", metadata={"page": 1})]},
                    None,
                    [],
                ),
                ("llm", "FakeListLLM", {"prompts": ["tell"]}, ["told"], None, []),
            ],
        ),
        (
            "chain",
            "inner",
            {"text": "hello"},
            {"text": "thought"},
            None,
            [
                (
                    "chain",
                    "LangGraph",
                    {"text": "hello"},
                    {"text": "thought"},
                    None,
                    [
                        (
                            "chain",
                            "think",
                            {"text": "hello"},
                            {"text": "thought"},
                            None,
                            [("llm", MODEL, {"prompts": ["Human: hello"]}, ["thought"], None, [])],
                        )
                    ],
                )
            ],
        ),
    ],
)


def test_a_tracer_sees_the_tree_of_runs(traced: Any) -> None:
    """Nodes, subgraphs, tools, retrievers and models, with what they were given and gave."""
    tracer = Tracer()
    traced.invoke({"text": "hello"}, config(tracer))
    (root,) = tracer.roots
    assert tree(root) == EXPECTED


async def test_a_tracer_sees_the_tree_of_an_async_call(traced: Any) -> None:
    """The same of `ainvoke`, and of `astream` whatever is streamed."""
    tracer = Tracer()
    await traced.ainvoke({"text": "hello"}, config(tracer))
    async for _ in traced.astream({"text": "hello"}, config(tracer), stream_mode="custom"):
        pass
    assert [tree(root) for root in tracer.roots] == [EXPECTED, EXPECTED]


async def test_events_are_the_same_beside_a_tracer(traced: Any) -> None:
    """`astream_events` yields what it yields without a tracer, and the tracer sees all."""
    alone = [e async for e in traced.astream_events({"text": "hello"}, config(Listener()))]
    tracer = Tracer()
    beside = [e async for e in traced.astream_events({"text": "hello"}, config(tracer))]
    assert [(e["event"], e["name"]) for e in alone] == [(e["event"], e["name"]) for e in beside]
    assert tree(tracer.roots[0]) == EXPECTED


def test_runs_have_their_tags_and_metadata(traced: Any) -> None:
    """Those of the caller, and langgraph's; none of a server's own."""
    tracer = Tracer()
    traced.invoke({"text": "hello"}, config(tracer))
    work = tracer.roots[0].child_runs[0]
    assert set(work.tags or ()) == {"mine", "graph:step:1"}
    # Newer releases of langchain and langgraph tell of themselves, too.
    assert work.metadata.keys() - {"ls_integration", "lc_versions"} == {
        "langgraph_checkpoint_ns",
        "langgraph_node",
        "langgraph_path",
        "langgraph_step",
        "langgraph_triggers",
        "own",
        "thread_id",
    }
    assert work.metadata["thread_id"] == "1"


def test_a_failure_is_seen_where_it_happened(traced: Any) -> None:
    """Tool, node and graph have the error; what came before is whole."""
    tracer = Tracer()
    with pytest.raises(ValueError, match="not you"):
        traced.invoke({"text": "fail"}, config(tracer))
    _, _, _, _, error, (work,) = tree(tracer.roots[0])
    assert (error, work[4]) == ("ValueError", "ValueError")
    assert [(run[1], run[4]) for run in work[5]] == [
        ("shout", None),
        ("Words", None),
        ("FakeListLLM", None),
        ("refuse", "ValueError"),
    ]


def test_an_interrupt_ends_the_run_of_its_node(traced: Any) -> None:
    """A node that waits has ended with `GraphInterrupt`; the graph has not failed."""
    tracer = Tracer()
    traced.invoke({"text": "ask"}, config(tracer))
    _, _, _, _, error, (work,) = tree(tracer.roots[0])
    assert (error, work[4]) == (None, "GraphInterrupt")


def test_other_handlers_hear_of_what_happens_inside(traced: Any) -> None:
    """Handlers that are no tracers get the calls that they have methods for."""
    heard = Listener()
    with pytest.raises(ValueError, match="not you"):
        traced.invoke({"text": "fail"}, config(heard))
    assert heard.heard == [
        ("chain", "LangGraph"),
        ("chain", "work"),
        ("tool", "shout", "{'text': 'fail'}"),
        ("shouted", "FAIL", "shout"),
        ("found", [Document("about words", metadata={"page": 1})]),
        ("noticed", {"text": "fail"}),
        ("tool", "refuse", "{'text': 'you'}"),
        ("refused", "not you"),
    ]


def test_leaving_a_stream_ends_what_is_open(traced: Any) -> None:
    """A tracer gets an end of every run that it saw begin."""
    tracer = Tracer()
    stream = traced.stream({"text": "hello"}, config(tracer))
    next(stream)
    stream.close()
    (root,) = tracer.roots
    assert root.error is not None
    assert all(run.end_time is not None for run in root.child_runs)


@pytest.mark.parametrize("handlers", [[], [BaseCallbackHandler()], ["langsmith"]])
def test_calls_are_sent_only_where_somebody_listens(handlers: list[Any]) -> None:
    """No tracer and no handler with methods, or LangSmith's alone: the run has no such events."""
    from langsmith import Client

    if handlers == ["langsmith"]:
        # Of all runs it sends none.
        client = Client(api_key="none", auto_batch_tracing=False, tracing_sampling_rate=0.0)
        handlers = [LangChainTracer(client=client)]
    with TestServer({"traced": graph()}) as server:
        remote: RemoteGraph = server.remote_graph("traced")
        remote.invoke({"text": "hello"}, {"callbacks": handlers})
        (run,) = [call for call in server.requests if call.path.endswith("/runs/stream")]
        assert "tracer_calls" not in run.headers.get("x-langgraph-client-extra-events", "")
        assert "handler_calls" not in run.headers.get("x-langgraph-client-extra-events", "")


def test_a_run_in_the_tree_keeps_its_id(traced: Any) -> None:
    """The id of a node's run is the one that langchain's events of it have."""
    tracer = Tracer()
    traced.invoke({"text": "hello"}, config(tracer))
    root = tracer.roots[0]
    assert all(isinstance(run.id, uuid.UUID) for run in root.child_runs)
    assert all(run.parent_run_id == root.id for run in root.child_runs)
    assert {run.trace_id for run in root.child_runs} == {root.id}
