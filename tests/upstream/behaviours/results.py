"""What calls return, what a config carries, and what is raised."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict
from upstream.behaviours.graphs import (
    DS,
    PS,
    AnyState,
    Letter,
    asks,
    awaited,
    cfg,
    chat,
    endless,
    linear,
    raises,
    stateless,
    typed,
    value_node,
)
from upstream.behaviours.registry import probe

probe("invoke: plain dict result", linear)(lambda g: g.invoke({"x": 1}, cfg()))
probe("ainvoke: plain dict result", linear)(
    lambda g: asyncio.run(awaited(g.ainvoke({"x": 1}, cfg())))
)
probe("invoke: message objects in the result", chat)(
    lambda g: g.invoke({"messages": [HumanMessage("q", id="0")]}, cfg())
)
probe("invoke: message objects accepted as input", chat)(
    lambda g: len(g.invoke({"messages": [HumanMessage("q", id="0")]}, cfg())["messages"])
)
probe("invoke: dataclass state result type", typed(DS))(lambda g: g.invoke(DS(1), cfg()))
probe("invoke: pydantic state result type", typed(PS))(lambda g: g.invoke(PS(x=1), cfg()))
probe("invoke version=v2: dataclass state value type", typed(DS))(
    lambda g: g.invoke({"x": 1}, cfg(), version="v2")
)
for label, val in {
    "tuple": (1, 2),
    "set": {1},
    "bytes": b"ab",
    "datetime": __import__("datetime").datetime(2024, 1, 2),
    "uuid": uuid.UUID(int=5),
    "decimal": __import__("decimal").Decimal("1.5"),
    "enum": Letter.A,
    "int dict keys": {1: "a"},
    "nan": float("nan"),
    "big int": 2**80,
    "pydantic object": PS(x=3),
    "dataclass object": DS(3),
    "lone surrogate str": "\ud800",
    "NUL in str": "a\x00b",
}.items():
    probe(
        f"channel value type survives: {label}", value_node(lambda s, val=val: {"v": val}, AnyState)
    )(lambda g: g.invoke({}, cfg()))
probe("invoke: __interrupt__ carries Interrupt objects", asks)(lambda g: g.invoke({"x": 1}, cfg()))
probe("invoke: __interrupt__ present when interrupt_before stops the run", linear)(
    lambda g: g.invoke({"x": 1}, cfg(), interrupt_before=["b"])
)
probe("invoke version=v2: GraphOutput.interrupts", asks)(
    lambda g: g.invoke({"x": 1}, cfg(), version="v2")
)
probe("invoke: stream_mode='updates'", linear)(
    lambda g: g.invoke({"x": 1}, cfg(), stream_mode="updates")
)
probe("invoke: output_keys", linear)(lambda g: g.invoke({"x": 1}, cfg(), output_keys=["x"]))
probe("invoke: durability", linear)(lambda g: g.invoke({"x": 1}, cfg(), durability="exit"))
probe("invoke: debug=True", linear)(lambda g: g.invoke({"x": 1}, cfg(), debug=False))
probe("invoke: print_mode", linear)(lambda g: g.invoke({"x": 1}, cfg(), print_mode=()))
probe("invoke: empty dict input", linear)(lambda g: g.invoke({}, cfg()))
probe("invoke: None input on a fresh thread", linear)(lambda g: g.invoke(None, cfg()))
probe("batch", linear)(lambda g: g.batch([{"x": 1}, {"x": 2}], [cfg(), cfg()]))

probe("thread id that is not a UUID", linear)(
    lambda g: g.invoke({"x": 1}, {"configurable": {"thread_id": "1"}})
)
probe("thread id that is an int", linear)(
    lambda g: g.invoke({"x": 1}, {"configurable": {"thread_id": 1}})
)
probe("thread id that is a uuid.UUID", linear)(
    lambda g: g.invoke({"x": 1}, {"configurable": {"thread_id": uuid.uuid4()}})
)
probe("checkpointer but no thread_id: ValueError", linear)(lambda g: g.invoke({"x": 1}))
probe("no checkpointer, get_state: ValueError", stateless)(lambda g: g.get_state(cfg()))
probe("no checkpointer, thread_id given: state is not kept", stateless)(
    lambda g: (lambda c: (g.invoke({"x": 5, "log": [1]}, c), g.invoke({"x": 5, "log": [2]}, c)))(
        cfg()
    )
)


@probe(
    "configurable values reach the node as given",
    value_node(lambda s, config: {"v": repr(config["configurable"].get("k"))}, AnyState),
)
def _(g):
    return [g.invoke({}, cfg(k=k)) for k in (1, "s", None, (1, 2), {"a": None}, 1.5)]


@probe(
    "a live object in configurable reaches the node",
    value_node(lambda s, config: {"v": "k" in config["configurable"]}, AnyState),
)
def _(g):
    return g.invoke({}, cfg(k=object()))


@probe(
    "config metadata and tags reach the node",
    value_node(
        lambda s, config: {
            "v": [
                config["metadata"].get("m"),
                sorted(t for t in config["tags"] or [] if not t.startswith(("seq:", "graph:"))),
            ]
        },
        AnyState,
    ),
)
def _(g):
    return g.invoke({}, {**cfg(), "metadata": {"m": 1}, "tags": ["t"]})


@probe(
    "node sees only the configurable keys it was given",
    value_node(
        lambda s, config: {
            "v": sorted(k for k in config["configurable"] if not k.startswith("__pregel"))
        },
        AnyState,
    ),
)
def _(g):
    return g.invoke({}, cfg())


@probe("recursion_limit: exception type", lambda: endless())
def _(g):
    return g.invoke({"x": 1}, {**cfg(), "recursion_limit": 3})


@probe("callbacks in config are called", linear)
def _(g):
    from langchain_core.callbacks import BaseCallbackHandler

    class H(BaseCallbackHandler):
        n = 0

        def on_chain_start(self, *a, **k):
            self.n += 1

    h = H()
    g.invoke({"x": 1}, {**cfg(), "callbacks": [h]})
    return h.n > 0


@probe("with_config binds", linear)
def _(g):
    c = cfg()
    g.with_config(c).invoke({"x": 1})
    return g.get_state(c).values


class Ctx(TypedDict, total=False):
    who: str


def _ctx(schema=Ctx):
    def build():
        g = StateGraph(AnyState, context_schema=schema)
        g.add_node("n", lambda s, runtime: {"v": repr(runtime.context)})
        g.add_edge(START, "n")
        return g.compile(checkpointer=InMemorySaver())

    return build


@dataclasses.dataclass
class CtxD:
    who: str = "nobody"


probe("context: dict", _ctx())(lambda g: g.invoke({}, cfg(), context={"who": "me"}))
probe("context: dataclass instance", _ctx(CtxD))(lambda g: g.invoke({}, cfg(), context=CtxD("me")))
probe("context: none given", _ctx())(lambda g: g.invoke({}, cfg()))
probe("context: unknown key", _ctx())(
    lambda g: g.invoke({}, cfg(), context={"who": "me", "extra": 1})
)

probe("exception raised in a node: type and message", raises)(lambda g: g.invoke({"x": 1}, cfg()))
probe("stream: exception after first chunks", raises)(lambda g: list(g.stream({"x": 1}, cfg())))
probe("InvalidUpdateError", value_node(lambda s: 5))(lambda g: g.invoke({"x": 1}, cfg()))
probe("input rejected by pydantic state", typed(PS))(lambda g: g.invoke({"x": "nope"}, cfg()))
probe("unknown node in interrupt_before", linear)(
    lambda g: g.invoke({"x": 1}, cfg(), interrupt_before=["zzz"])
)
probe("update_state: unknown as_node", linear)(
    lambda g: (lambda c: (g.invoke({"x": 1}, c), g.update_state(c, {"x": 1}, as_node="zzz")))(cfg())
)
