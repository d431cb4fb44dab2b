"""States, histories, updates, resuming and time travel."""

from __future__ import annotations

import contextlib

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END
from langgraph.types import Command, Send, StateUpdate
from upstream.behaviours.graphs import (
    DS,
    asks,
    cfg,
    chat,
    endless,
    linear,
    nested,
    raises,
    ran,
    two_asks,
    typed,
)
from upstream.behaviours.registry import probe

probe("get_state: values", linear)(lambda g: g.get_state(ran(g)).values)
probe("get_state: next, tasks, interrupts", asks)(
    lambda g: (
        lambda s: (
            s.next,
            s.interrupts,
            [(t.name, t.path, t.interrupts, t.error, t.state, t.result) for t in s.tasks],
        )
    )(g.get_state(ran(g)))
)
probe("get_state: config keys", linear)(
    lambda g: sorted(g.get_state(ran(g)).config["configurable"])
)
probe("get_state: metadata keys", linear)(lambda g: sorted(g.get_state(ran(g)).metadata))
probe("get_state: created_at type", linear)(lambda g: type(g.get_state(ran(g)).created_at).__name__)
probe("get_state: parent_config of the first checkpoint", linear)(
    lambda g: list(g.get_state_history(ran(g)))[-1].parent_config
)
probe("get_state: message objects in values", chat)(
    lambda g: g.get_state(ran(g, {"messages": [HumanMessage("q", id="0")]})).values
)
probe("get_state: thread never seen", linear)(
    lambda g: (lambda s: (s.values, s.next, s.metadata, s.created_at, s.tasks))(g.get_state(cfg()))
)
probe("get_state: dataclass state values type", typed(DS))(
    lambda g: type(g.get_state(ran(g)).values).__name__
)
probe("get_state: failed task error", raises)(
    lambda g: (
        lambda c: (
            _swallow(lambda: g.invoke({"x": 1}, c)),
            [t.error for t in g.get_state(c).tasks],
        )[1]
    )(cfg())
)
probe("get_state subgraphs=True", nested)(
    lambda g: (lambda s: [type(t.state).__name__ for t in s.tasks] + [s.tasks[0].state.next])(
        g.get_state(ran(g), subgraphs=True)
    )
)
probe("get_state of a subgraph by checkpoint_ns", nested)(lambda g: _sub_state(g))
probe("get_state_history: length and order", linear)(
    lambda g: [s.metadata["step"] for s in g.get_state_history(ran(g))]
)
probe("get_state_history: limit", linear)(lambda g: len(list(g.get_state_history(ran(g), limit=2))))
probe("get_state_history: limit=0", linear)(
    lambda g: len(list(g.get_state_history(ran(g), limit=0)))
)
probe("get_state_history: more than 10 states", lambda: endless())(lambda g: _long_history(g))
probe("get_state_history: filter", linear)(
    lambda g: len(list(g.get_state_history(ran(g), filter={"source": "input"})))
)
probe("get_state_history: before", linear)(
    lambda g: (lambda c, h: len(list(g.get_state_history(c, before=h[1].config))))(
        *(lambda c: (c, list(g.get_state_history(c))))(ran(g))
    )
)
probe("get_state_history: thread never seen", linear)(lambda g: list(g.get_state_history(cfg())))
probe("get_state_history: task results", linear)(
    lambda g: [[t.result for t in s.tasks] for s in g.get_state_history(ran(g))]
)
probe("get_state_history: task path", linear)(
    lambda g: [[t.path for t in s.tasks] for s in g.get_state_history(ran(g))]
)
probe("update_state: returned config keys", linear)(
    lambda g: sorted(g.update_state(ran(g), {"x": 7}, as_node="a")["configurable"])
)
probe("update_state then resume", linear)(
    lambda g: (lambda c: (g.update_state(c, {"x": 7}, as_node="a"), g.invoke(None, c))[1])(ran(g))
)
probe("update_state on a thread never seen", linear)(
    lambda g: (lambda c: (g.update_state(c, {"x": 7}, as_node="a"), g.get_state(c).values)[1])(
        cfg()
    )
)
probe("update_state: message object values", chat)(
    lambda g: (
        lambda c: (
            g.update_state(c, {"messages": [AIMessage("z", id="z")]}),
            len(g.get_state(c).values["messages"]),
        )[1]
    )(ran(g, {"messages": [HumanMessage("q", id="0")]}))
)
probe("update_state: values=None as_node=END", linear)(
    lambda g: (
        lambda c: (
            g.invoke({"x": 1}, c, interrupt_before=["b"]),
            g.update_state(c, None, as_node=END),
            g.get_state(c).next,
        )[2]
    )(cfg())
)
probe("update_state: task_id", linear)(
    lambda g: sorted(g.update_state(ran(g), {"x": 7}, as_node="a", task_id="t")["configurable"])
)
probe("bulk_update_state", linear)(
    lambda g: (
        lambda c: (
            g.bulk_update_state(c, [[StateUpdate({"x": 1}, "a")], [StateUpdate({"x": 2}, "b")]]),
            g.get_state(c).values,
        )[1]
    )(cfg())
)


def _swallow(fn):
    with contextlib.suppress(Exception):
        fn()


def _sub_state(g):
    c = ran(g)
    s = g.get_state(c)
    t = s.tasks[0].state
    return (sorted(t["configurable"]), g.get_state(t).next)


def _long_history(g):
    c = {**cfg(), "recursion_limit": 14}
    _swallow(lambda: g.invoke({"x": 1}, c))
    return len(list(g.get_state_history(c))) > 10


probe("Command(resume=...)", asks)(
    lambda g: (lambda c: (g.invoke({"x": 1}, c), g.invoke(Command(resume="yes"), c))[1])(cfg())
)
probe("Command(resume=falsy)", asks)(
    lambda g: (lambda c: (g.invoke({"x": 1}, c), g.invoke(Command(resume=False), c))[1])(cfg())
)
probe("Command(resume=None) re-interrupts or resumes", asks)(
    lambda g: (lambda c: (g.invoke({"x": 1}, c), g.invoke(Command(resume=None), c))[1])(cfg())
)
probe("Command(resume={interrupt_id: ...})", two_asks)(lambda g: _by_id(g))
probe("Command(update=, goto=)", linear)(
    lambda g: (lambda c: g.invoke(Command(update={"x": 4}, goto="b"), c))(ran(g))
)
probe("Command(goto=Send(...))", linear)(
    lambda g: (lambda c: g.invoke(Command(goto=[Send("b", {"x": 9})]), c))(ran(g))
)
probe("Command(update=) with message objects", chat)(
    lambda g: (
        lambda c: len(
            g.invoke(Command(update={"messages": [HumanMessage("w", id="w")]}, goto="talk"), c)[
                "messages"
            ]
        )
    )(ran(g, {"messages": [HumanMessage("q", id="0")]}))
)
probe("resume with None after interrupt_before", linear)(
    lambda g: (lambda c: (g.invoke({"x": 1}, c, interrupt_before=["b"]), g.invoke(None, c))[1])(
        cfg()
    )
)
probe("interrupt_before given at compile time", lambda: linear(interrupt_before=["b"]))(
    lambda g: g.get_state(ran(g)).next
)
probe("time travel: invoke(None, past checkpoint) replays from it", linear)(lambda g: _replay(g))
probe("time travel: new input at a past checkpoint forks", linear)(lambda g: _fork(g))
probe("time travel: update_state at a past checkpoint forks", linear)(lambda g: _fork_update(g))
probe("get_state at a past checkpoint", linear)(
    lambda g: (lambda c, h: [g.get_state(s.config).values for s in h])(
        *(lambda c: (c, list(g.get_state_history(c))))(ran(g))
    )
)


def _by_id(g):
    c = cfg()
    g.invoke({"x": 1}, c)
    ints = g.get_state(c).interrupts
    return sorted(g.invoke(Command(resume={i.id: "!" for i in ints}), c)["log"])


def _counting():
    return None


def _replay(g):
    c = ran(g)
    h = next(s for s in g.get_state_history(c) if s.next == ("b",))
    out = list(g.stream(None, h.config, stream_mode="updates"))
    return out, len(list(g.get_state_history(c)))


def _fork(g):
    c = ran(g)
    h = next(s for s in g.get_state_history(c) if s.next == ("a",))
    g.invoke({"x": 100}, h.config)
    return g.get_state(c).values


def _fork_update(g):
    c = ran(g)
    h = next(s for s in g.get_state_history(c) if s.next == ("b",))
    new = g.update_state(h.config, {"x": 50})
    return g.invoke(None, new)
