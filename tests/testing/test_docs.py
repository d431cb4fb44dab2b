"""docs/testing.md and the docstrings of the kit say what there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import langgraph_client.testing

ROOT = Path(__file__).parent.parent.parent
KIT = ROOT / "langgraph_client" / "testing"


def test_the_table_of_names_is_complete() -> None:
    """Every public name of `langgraph_client.testing` is in it, and no other."""
    page = (ROOT / "docs" / "testing.md").read_text()
    table = page.partition("## All names")[2].partition("\n## ")[0]
    first_cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    names = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert names == set(langgraph_client.testing.__all__)


def is_public(name: str) -> bool:
    return name in langgraph_client.testing.__all__ or name.startswith("Mock")


def undocumented() -> Iterator[str]:
    """Parameters of public methods and functions of the kit that their docstrings do not name."""
    for path in sorted(KIT.glob("*.py")):
        for owner in ast.walk(ast.parse(path.read_text())):
            if not isinstance(owner, ast.ClassDef) or not is_public(owner.name):
                continue
            for node in owner.body:
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                if node.name.startswith("_"):
                    continue
                text = ast.get_docstring(node) or ""
                parameters = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                for name in [parameter.arg for parameter in parameters]:
                    if name not in ("self", "cls") and not re.search(rf"\b{name}\b", text):
                        yield f"{path.name}:{node.lineno} {node.name}({name})"


def test_every_public_method_documents_its_parameters() -> None:
    """An editor shows one docstring, so that each has to name all of its parameters."""
    assert list(undocumented()) == []
