"""The public names: sorted, importable, and loaded no earlier than needed."""

from __future__ import annotations

import langgraph_client


def test_all_is_sorted_and_complete() -> None:
    """`__all__` names each public name once, in order, and each can be had."""
    names = langgraph_client.__all__
    assert list(names) == sorted(set(names))
    for name in names:
        assert getattr(langgraph_client, name) is not None


def test_unknown_names_are_refused_as_everywhere() -> None:
    """A name that is not there is an AttributeError, so that `hasattr` works."""
    assert not hasattr(langgraph_client, "no_such_name")


def test_classes_say_where_they_are_from() -> None:
    """Public classes print under the package or one of its modules."""
    for name in langgraph_client.__all__:
        made = getattr(langgraph_client, name)
        if isinstance(made, type):
            assert made.__module__.startswith("langgraph_client"), name
