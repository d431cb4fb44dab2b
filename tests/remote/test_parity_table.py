"""The table of what is the same is that of the installed langgraph, and names tests that exist."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def parity() -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity", HERE / "parity.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_up_to_date(parity: ModuleType) -> None:
    """`make parity` writes it."""
    assert (HERE / "parity.md").read_text() == parity.text()


def test_every_test_it_names_exists(parity: ModuleType) -> None:
    """A row whose test is gone proves nothing."""
    for named in parity.tests():
        file, _, function = named.partition("::")
        tree = ast.parse((HERE / file).read_text())
        assert function in {
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }, named
