"""What streams yield."""

from __future__ import annotations

import time

from upstream.behaviours.graphs import (
    asks,
    cfg,
    linear,
    llm,
    nested_plainly,
    slow,
    value_node,
)
from upstream.behaviours.registry import probe

for mode in ("values", "updates", "checkpoints", "tasks", "debug", "custom", "messages"):
    probe(f"stream_mode={mode}", llm if mode == "messages" else linear)(
        lambda g, mode=mode: list(
            g.stream(
                {"messages": [("user", "q")]} if mode == "messages" else {"x": 1},
                cfg(),
                stream_mode=mode,
            )
        )
    )
probe("stream_mode list: item shape", linear)(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode=["values", "updates"]))
)
probe("stream_mode list of one: item shape", linear)(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode=["updates"]))
)
probe("stream_mode default", linear)(lambda g: list(g.stream({"x": 1}, cfg())))
probe("stream subgraphs=True", lambda: nested_plainly())(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode="updates", subgraphs=True))
)
probe("stream subgraphs=True, mode list", lambda: nested_plainly())(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode=["updates", "values"], subgraphs=True))
)
probe("stream version=v2", linear)(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode=["values", "updates"], version="v2"))
)
probe("stream: output_keys", linear)(lambda g: list(g.stream({"x": 1}, cfg(), output_keys="x")))
probe("stream updates: interrupt chunk", asks)(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode="updates"))
)
probe("stream updates: interrupt_before chunk", linear)(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode="updates", interrupt_before=["b"]))
)
probe("stream values: interrupt chunk", asks)(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode="values"))
)
probe("stream: positional stream_mode keyword-only", linear)(
    lambda g: type(g.stream({"x": 1}, cfg())).__name__
)
probe(
    "stream custom: get_stream_writer",
    value_node(
        lambda s: (__import__("langgraph.config").config.get_stream_writer()({"p": 1}), {"x": 1})[1]
    ),
)(lambda g: list(g.stream({"x": 1}, cfg(), stream_mode="custom")))
probe("stream_mode=tools", linear)(
    lambda g: list(g.stream({"x": 1}, cfg(), stream_mode=["updates", "tools"]))
)
probe("stream(): breaking out cancels the run", lambda: slow())(lambda g: _break(g))


def _break(g):

    c = cfg()
    it = g.stream({"x": 1}, c, stream_mode="updates")
    next(it)
    it.close()
    time.sleep(0.9)
    return list(g.get_state(c).next)
