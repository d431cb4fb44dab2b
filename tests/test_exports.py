"""The public names: importable, and loaded no earlier than needed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import langgraph_client


def test_all_is_complete() -> None:
    """`__all__` names each public name once, and each can be had."""
    names = langgraph_client.__all__
    assert len(names) == len(set(names))
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


def test_type_checkers_and_python_see_the_same_names() -> None:
    """What is imported for type checkers is what is loaded on first use, from the same modules."""
    tree = ast.parse(Path(langgraph_client.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {
        name: f"langgraph_client.{module}" for name, module in langgraph_client._LAZY.items()
    }


def test_the_version_is_the_package_s() -> None:
    """`__version__` is what the installed package says."""
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", langgraph_client.__version__)


def test_the_client_module_has_the_names_users_import() -> None:
    """The clients' own module, too; they are the ones of the package."""
    from langgraph_client import client

    for name in client.__all__:
        assert getattr(client, name) is getattr(langgraph_client, name, getattr(client, name))
