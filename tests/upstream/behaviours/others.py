"""Drawings and schemas, graphs within graphs, limits and cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import time

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send
from typing_extensions import TypedDict
from upstream.behaviours.graphs import (
    S,
    asks,
    cfg,
    linear,
    nested,
    nested_plainly,
    ran,
    slow,
    value_node,
)
from upstream.behaviours.registry import probe

probe("get_graph: mermaid", linear)(lambda g: g.get_graph().draw_mermaid())
probe("get_graph: xray", nested_plainly)(lambda g: sorted(g.get_graph(xray=True).nodes))
probe("get_graph: conditional edge flag", lambda: _cond())(
    lambda g: sorted((e.source, e.target, bool(e.conditional)) for e in g.get_graph().edges)
)
probe("get_graph: node data type", linear)(lambda g: type(g.get_graph().nodes["a"].data).__name__)
probe("get_subgraphs", nested_plainly)(lambda g: [n for n, _ in g.get_subgraphs()])
probe("get_input_jsonschema", linear)(lambda g: sorted(g.get_input_jsonschema()["properties"]))
probe("get_output_jsonschema", linear)(lambda g: sorted(g.get_output_jsonschema()["properties"]))
probe("input_schema / get_input_schema", linear)(
    lambda g: sorted(g.get_input_schema().model_json_schema().get("properties", {}))
)
probe("name", linear)(lambda g: g.name)
probe("astream_events version=v2: events", linear)(lambda g: asyncio.run(_events(g)))
probe("stream_events version=v3 without `with`", linear)(
    lambda g: g.stream_events({"x": 1}, cfg(), version="v3").output
)
probe("as a node of a local graph", linear)(lambda g: _as_node(g))
probe("as a node: interrupt surfaces in the parent", asks)(lambda g: _as_node_interrupt(g))
probe("runs from a running event loop (sync call inside async)", linear)(
    lambda g: asyncio.run(_sync_in_async(g))
)
probe("store: node writes are visible to the caller's store", lambda: _stored())(
    lambda g: _store_probe(g)
)
probe("cache policy: second call served from cache", lambda: _cached())(lambda g: _cache_probe(g))


def _cond():
    g = StateGraph(S)
    g.add_node("a", lambda s: {"x": 1})
    g.add_node("b", lambda s: {"x": 2})
    g.add_conditional_edges(START, lambda s: "a", ["a", "b"])
    return g.compile(checkpointer=InMemorySaver())


_STORE = InMemoryStore()


def _stored():
    g = StateGraph(S)

    def n(s, store):
        store.put(("ns",), "k", {"v": 1})
        return {"x": 1}

    from langgraph.store.base import BaseStore

    n.__annotations__["store"] = BaseStore
    g.add_node("n", n)
    g.add_edge(START, "n")
    for k in list(_STORE.search(("ns",))):
        _STORE.delete(("ns",), k.key)
    return g.compile(checkpointer=InMemorySaver(), store=_STORE)


def _store_probe(g):
    g.invoke({"x": 1}, cfg())
    item = _STORE.get(("ns",), "k")
    return item and item.value


def _cached():
    from langgraph.cache.memory import InMemoryCache
    from langgraph.types import CachePolicy

    g = StateGraph(S)
    g.add_node("n", lambda s: {"x": 1}, cache_policy=CachePolicy())
    g.add_edge(START, "n")
    return g.compile(cache=InMemoryCache())


def _cache_probe(g):
    g.invoke({"x": 1})
    return list(g.stream({"x": 1}, stream_mode="updates"))


async def _sync_in_async(g):
    return g.invoke({"x": 1}, cfg())


async def _events(g):
    return sorted({e["event"] async for e in g.astream_events({"x": 1}, cfg(), version="v2")})


def _as_node(g):
    p = StateGraph(S)
    p.add_node("r", g)
    p.add_edge(START, "r")
    return p.compile().invoke({"x": 1}, cfg())


def _as_node_interrupt(g):
    p = StateGraph(S)
    p.add_node("r", g)
    p.add_edge(START, "r")
    c = cfg()
    app = p.compile(checkpointer=InMemorySaver())
    first = app.invoke({"x": 1}, c)
    return "__interrupt__" in first, app.invoke(Command(resume="y"), c)


class _In(TypedDict):
    q: str


class _Out(TypedDict):
    a: str


class _Foo(TypedDict):
    foo: str


def _private():
    def n1(s) -> _Foo:
        return {"foo": "bar"}

    def n2(s: _Foo) -> _Out:
        return {"a": s["foo"]}

    g = StateGraph(_In, output_schema=_Out)
    g.add_node("n1", n1)
    g.add_node("n2", n2)
    g.add_edge(START, "n1")
    g.add_edge("n1", "n2")
    return g.compile(checkpointer=InMemorySaver())


def _fan():
    import threading

    live, peak, lock = [0], [0], threading.Lock()

    def w(s):
        with lock:
            live[0] += 1
            peak[0] = max(peak[0], live[0])
        time.sleep(0.02)
        with lock:
            live[0] -= 1
        return {"log": [1]}

    g = StateGraph(S)
    g.add_node("w", w)
    g.add_node("end", lambda s: {"x": peak[0]})
    g.add_conditional_edges(START, lambda s: [Send("w", {}) for _ in range(8)], ["w"])
    g.add_edge("w", "end")
    return g.compile()


def _errors(exc):
    def n(s):
        raise exc

    return value_node(n)


def _entry():
    from langgraph.func import entrypoint

    @entrypoint(checkpointer=InMemorySaver())
    def f(x: int, *, previous=None):
        return (previous or 0) + x

    return f


async def _cancelled(g):
    c = cfg()
    task = asyncio.create_task(g.ainvoke({"x": 1}, c))
    await asyncio.sleep(0.1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await asyncio.sleep(1.2)
    return list((await g.aget_state(c)).next) != []


def _patch_sub(g):
    c = ran(g)
    inner = g.get_state(c, subgraphs=True).tasks[0].state.config
    g.update_state(inner, {"log": ["patched"]}, as_node="inner")
    return g.invoke(None, c)


probe("stream updates: node that writes a channel outside the output schema", _private)(
    lambda g: list(g.stream({"q": "x"}, cfg(), stream_mode="updates"))
)
probe("stream values: channels outside the output schema", _private)(
    lambda g: list(g.stream({"q": "x"}, cfg(), stream_mode="values"))
)
probe("invoke: output schema", _private)(lambda g: g.invoke({"q": "x"}, cfg()))
probe("stream_mode=[]", linear)(lambda g: list(g.stream({"x": 1}, cfg(), stream_mode=[])))
probe("max_concurrency in config", _fan)(lambda g: g.invoke({}, {"max_concurrency": 2})["x"] <= 2)
probe("error message of an OSError-family exception", _errors(ConnectionError("socket broke")))(
    lambda g: g.invoke({"x": 1}, cfg())
)
probe("functional API: scalar in and out, previous", _entry)(
    lambda g: (lambda c: [g.invoke(1, c), g.invoke(2, c)])(cfg())
)
probe("functional API: get_state values", _entry)(
    lambda g: g.get_state((lambda c: (g.invoke(1, c), c)[1])(cfg())).values
)
probe("asyncio: cancelling ainvoke stops the run", slow)(lambda g: asyncio.run(_cancelled(g)))
probe("update_state inside a subgraph, then resume", nested)(_patch_sub)
probe("get_state_history of a subgraph", nested)(
    lambda g: len(list(g.get_state_history(g.get_state(ran(g)).tasks[0].state)))
)
probe("composition with |", linear)(lambda g: (g | (lambda s: s["x"])).invoke({"x": 1}, cfg()))
