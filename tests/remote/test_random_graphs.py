"""Random graphs and random calls: the local graph and the remote one stay the same all along.

The same hundred each time; `RANDOM_GRAPHS=2000` tries so many others.
"""

from __future__ import annotations

import asyncio
import operator
import os
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.cache.memory import InMemoryCache
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.errors import NodeError
from langgraph.func import task
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import RunControl, Runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, StateUpdate, interrupt
from typing_extensions import TypedDict

from langgraph_client import Server
from tests.support.comparison import Names, failure

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

TEXTS = ["a", "b", "", "é\u2028"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
    ),
    max_leaves=4,
)


def joined(state: list[Any], writes: Any) -> list[Any]:
    return [*state, *(item for write in writes for item in write)]


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    n: int
    last: Any
    grown: Annotated[list[Any], DeltaChannel(joined, snapshot_frequency=2)]


class Context(TypedDict, total=False):
    who: str


def handled(state: State, error: NodeError) -> State:
    return {"log": [f"{error.node} {error.error!r}"], "n": 1}


def node(number: int, kind: str, extra: Any, target: str) -> Any:
    """A node of a kind; `extra` is what it says, `target` a node of the graph around its own."""

    @task
    def asked(question: Any) -> Any:
        return interrupt(question)

    def run(state: State, runtime: Runtime[Context]) -> Any:
        said: dict[str, Any] = {"log": [f"{number}:{kind}"], "n": state.get("n", 0) + 1}
        match kind:
            case "write":
                get_stream_writer()({"wrote": (number, extra)})
                return {**said, "grown": [extra]}
            case "store":
                assert runtime.store is not None
                runtime.store.put(("notes",), f"{number}", {"extra": extra})
                found = runtime.store.search(("notes",))
                return {**said, "last": [(item.key, item.value) for item in found]}
            case "context":
                return {**said, "last": runtime.context}
            case "ask in a task":
                return {**said, "last": asked(number).result()}
            case "send":
                return Command(update=said, goto=[Send("n0", {"log": ["sent"], "n": 7})])
            case "to parent":
                return Command(graph=Command.PARENT, update=said, goto=target)
            case "say":
                return {**said, "last": extra}
            case "ask":
                return {**said, "last": interrupt({"node": number, "extra": extra})}
            case "ask twice":
                return {**said, "last": [interrupt(extra), interrupt(number)]}
            case "fail once":
                if state.get("n", 0) % 2 == 0:
                    raise ValueError(f"{number} fails")
                return said
            case "nothing":
                return None
            case _:
                return Command(update=said, goto=END)

    return run


KINDS = ["say", "say", "ask", "ask twice", "fail once", "nothing", "end"]
KINDS += ["write", "store", "context", "ask in a task", "send"]
#: How a node is added, beside its function.
POLICIES: dict[str, dict[str, Any]] = {
    "deferred": {"defer": True},
    "retried": {"retry_policy": RetryPolicy(0.001, max_attempts=2, jitter=False)},
    "cached": {"cache_policy": CachePolicy()},
    "handled": {"error_handler": handled},
}


@st.composite
def specs(draw: Any, depth: int = 1) -> dict[str, Any]:
    """A row of nodes with jumps over some of them, and perhaps a graph of the same kind inside."""
    count = draw(st.integers(1, 4 if depth else 2))
    kinds = KINDS + (["graph", "graph"] if depth else ["to parent"])
    nodes = [
        (kind := draw(st.sampled_from(kinds)), draw(specs(0)) if kind == "graph" else draw(JSON))
        for _ in range(count)
    ]
    jumps = draw(st.dictionaries(st.integers(0, count - 1), st.integers(0, count), max_size=2))
    stops = draw(st.lists(st.integers(0, count - 1), max_size=1)) if depth else []
    policies = st.dictionaries(st.integers(0, count - 1), st.sampled_from([*POLICIES]), max_size=1)
    checkpointer = None if depth else draw(st.sampled_from([None, None, True, False]))
    return {
        "nodes": nodes,
        "jumps": jumps,
        "stops": stops,
        "policies": draw(policies),
        "checkpointer": checkpointer,
    }


def build(spec: dict[str, Any], target: str = "") -> Any:
    """Build the graph; `target` is the node of the parent graph that its nodes may go to."""
    graph = StateGraph(State, Context)
    count = len(spec["nodes"])
    for number, (kind, extra) in enumerate(spec["nodes"]):
        next_one = f"n{(number + 1) % count}"
        made = build(extra, next_one) if kind == "graph" else node(number, kind, extra, target)
        policy = spec["policies"].get(number)
        if policy == "handled" and kind == "graph":
            policy = None
        graph.add_node(f"n{number}", made, **POLICIES.get(policy, {}))
        following = f"n{number + 1}" if number + 1 < count else END
        jump = spec["jumps"].get(number)
        if kind == "send":
            continue  # It says itself what follows. Side by side, order differs locally, too.
        if jump is None or jump <= number:  # Loops only as far as the recursion limit lets them.
            graph.add_edge(f"n{number}", following)
        else:
            over = f"n{jump}" if jump < count else END

            def choose(state: State, over: str = over, following: str = following) -> str:
                return over if state.get("n", 0) % 2 else following

            graph.add_conditional_edges(f"n{number}", choose, [over, following])
    graph.add_edge(START, "n0")
    return graph.compile(
        spec["checkpointer"],
        name="g",
        cache=InMemoryCache(),
        interrupt_before=[f"n{stop}" for stop in spec["stops"]],
    )


MODES = ["values", "updates", "custom", "messages", "tasks", "checkpoints", "debug"]
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "stream_mode": st.sampled_from(MODES) | st.lists(st.sampled_from(MODES), unique=True),
        "output_keys": st.sampled_from(["log", ["log", "n"], []]),
        "interrupt_before": st.sampled_from(["*", ["n1"]]),
        "interrupt_after": st.sampled_from(["*", ["n0"]]),
        "durability": st.sampled_from(["sync", "async", "exit"]),
        "context": st.just({"who": "me"}),
        "print_mode": st.just("updates"),
        "version": st.just("v2"),
        "control": st.just("drained"),
    },
)
UPDATES = st.tuples(
    st.sampled_from([{"log": ["bulk"]}, {"n": 3}]), st.sampled_from(["n0", "n1", "__input__", None])
)

CALLS = st.one_of(
    st.tuples(st.sampled_from(["invoke with", "ainvoke with", "stream with"]), OPTIONS),
    st.tuples(st.just("bulk"), st.lists(UPDATES, min_size=1, max_size=3)),
    st.tuples(st.just("history of"), st.sampled_from([{"source": "loop"}, {"step": 1}])),
    st.tuples(st.just("batch"), st.lists(st.integers(0, 2), max_size=2, unique=True)),
    st.tuples(st.just("invoke"), st.fixed_dictionaries({"n": st.integers(0, 2)})),
    st.tuples(st.just("invoke"), st.none()),
    st.tuples(st.just("resume"), JSON.filter(lambda answer: answer is not None)),
    st.tuples(st.just("stream"), st.sampled_from(["values", "updates", "tasks", "debug"])),
    st.tuples(st.just("update"), st.fixed_dictionaries({"log": st.lists(st.just("by hand"))})),
    st.tuples(st.just("goto"), st.just("n0")),
    st.tuples(st.just("fork"), st.integers(0, 5)),
    st.tuples(st.just("subgraph update"), st.just({"log": ["inside"]})),
)


def played(graph: Any, calls: list[tuple[str, Any]]) -> list[Any]:
    names, told = Names(), []
    config: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 8}

    def call(what: str, value: Any) -> Any:
        match what:
            case "invoke":
                return graph.invoke(value, config)
            case "resume":
                waiting = graph.get_state(config).interrupts
                if len(waiting) > 1:
                    value = {waiting[0].id: value}
                return graph.invoke(Command(resume=value), config) if waiting else None
            case "stream":
                how: Any = {"stream_mode": value, "subgraphs": True}
                return [names(item) for item in graph.stream({"log": ["s"]}, config, **how)]
            case "invoke with" | "ainvoke with" | "stream with":
                if value.get("control"):
                    value = {**value, "control": RunControl()}
                    value["control"].request_drain()
                if what == "invoke with":
                    return graph.invoke({"log": ["w"]}, config, **value)
                if what == "ainvoke with":
                    return asyncio.run(graph.ainvoke({"log": ["w"]}, config, **value))
                items = graph.stream({"log": ["w"]}, config, subgraphs=True, **value)
                return [names(item) for item in items]
            case "bulk":
                return graph.bulk_update_state(config, [[StateUpdate(*one)] for one in value])
            case "history of":
                return list(graph.get_state_history(config, filter=value, limit=2))
            case "batch":
                apart = [{**config, "configurable": {"thread_id": f"t{n}"}} for n in value]
                return graph.batch([{"n": n} for n in value], apart, return_exceptions=True)
            case "update":
                return graph.update_state(config, value, "n0")
            case "goto":
                if graph.get_state(config).next:
                    return None  # Two nodes side by side: which comes first differs locally, too.
                return graph.invoke(Command(goto=value, update={"log": ["go"]}), config)
            case "fork":
                history = list(graph.get_state_history(config))
                return graph.invoke(None, history[value].config) if value < len(history) else None
            case "state":
                return graph.get_state(config, subgraphs=True)
            case "history":
                return list(graph.get_state_history(config))
            case _:
                inside = [task.state for task in graph.get_state(config).tasks if task.state]
                return graph.update_state(inside[0], value) if inside else None

    def tell(what: str, value: Any = None) -> None:
        try:
            told.append((what, names(call(what, value))))
        except Exception as error:  # What is raised is compared, too.
            told.append((what, failure(error)))

    for what, value in calls:
        tell(what, value)
        tell("state")
    tell("history")
    return told


@settings(
    max_examples=int(os.environ.get("RANDOM_GRAPHS", "100")),
    derandomize="RANDOM_GRAPHS" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(specs(), st.lists(CALLS, min_size=1, max_size=5))
def test_random_calls_of_random_graphs(spec: dict[str, Any], calls: list[tuple[str, Any]]) -> None:
    """Results, states and histories are the same after every call."""
    kept = {"checkpointer": InMemorySaver(), "store": InMemoryStore()}
    here = played(build(spec).copy(kept), calls)
    with Server({"g": build(spec)}) as server:
        assert played(server.remote_graph("g"), calls) == here
