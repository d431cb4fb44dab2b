"""Which events of a thread a filter passes, and how two filters become one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_client._core.event_filter import CHANNELS, EventFilter

_SEGMENTS = ("a", "a:1", "a:2", "b", "b:1")
_NAMESPACES = st.lists(st.sampled_from(_SEGMENTS), max_size=3).map(tuple)
_METHODS = ("values", "updates", "messages")
_FILTERS = st.builds(
    EventFilter.of,
    st.sets(st.sampled_from(_METHODS), min_size=1),
    st.none() | st.lists(_NAMESPACES, min_size=1, max_size=2),
    st.none() | st.integers(0, 2),
)


def event(method: str, namespace: tuple[str, ...] = (), data: Any = None) -> dict[str, Any]:
    return {"method": method, "params": {"namespace": list(namespace), "data": data}}


_EVENTS = st.builds(event, st.sampled_from(_METHODS), _NAMESPACES)


@given(_FILTERS, _FILTERS, _EVENTS)
def test_the_union_passes_what_either_passes(
    one: EventFilter, other: EventFilter, arrived: dict[str, Any]
) -> None:
    """A connection for both of two readers misses nothing."""
    both = one.union(other)
    if one.matches(arrived) or other.matches(arrived):
        assert both.matches(arrived)
    assert both.covers(one)
    assert both.covers(other)


@given(_FILTERS, _FILTERS, _EVENTS)
def test_a_filter_that_covers_another_passes_its_events(
    one: EventFilter, other: EventFilter, arrived: dict[str, Any]
) -> None:
    """So one connection can serve both."""
    if one.covers(other) and other.matches(arrived):
        assert one.matches(arrived)


@pytest.mark.parametrize(
    ("prefix", "depth", "namespace", "passes"),
    [
        ((), None, ("a:1", "b:1"), True),
        ((), 1, ("a:1",), True),
        ((), 1, ("a:1", "b:1"), False),
        (("a",), 0, ("a:1",), True),
        (("a:1",), 0, ("a:2",), False),
        (("a", "b"), None, ("a:1",), False),
    ],
)
def test_namespaces(
    prefix: tuple[str, ...], depth: int | None, namespace: tuple[str, ...], passes: bool
) -> None:
    """A segment without a colon is any task of that node; `depth` counts below the prefix."""
    wanted = EventFilter.of(["values"], [prefix], depth)
    assert wanted.matches(event("values", namespace)) is passes


def test_a_depth_alone_counts_from_the_root() -> None:
    """Servers ignore a depth without namespaces."""
    wanted = EventFilter.of("values", depth=0)
    assert wanted.body() == {"channels": ["values"], "namespaces": [[]], "depth": 0}
    assert not wanted.matches(event("values", ("a:1",)))


def test_named_custom_events() -> None:
    """They pass `custom` and the channel of their name."""
    named = event("custom", data={"name": "progress"})
    assert EventFilter.of(["custom:progress"]).matches(named)
    assert EventFilter.of(["custom"]).matches(named)
    assert not EventFilter.of(["custom:other"]).matches(named)
    assert not EventFilter.of(["custom:progress"]).matches(event("custom", data="progress"))
    assert EventFilter.of(["input"]).matches(event("input.requested"))


@pytest.mark.parametrize("names", [[], ["value"], ["custom:"], "nothing"])
def test_what_is_no_channel(names: Any) -> None:
    """The error names the channels that there are."""
    with pytest.raises(ValueError, match="channel") as refused:
        EventFilter.of(names)
    assert not names or all(name in str(refused.value) for name in CHANNELS)
