"""The folders draw the architecture: imports go downwards only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "langgraph_client"

#: What each part may import of ours. The package itself (`langgraph_client`) is the public face.
MAY_IMPORT = {
    "errors": set(),
    "values": set(),
    "hosting": set(),
    "models": {"errors"},
    "_core": {"errors", "models"},
    "_io": {"errors", "models", "_core"},
    "_async": {"errors", "hosting", "models", "_core", "_io"},
    "_sync": {"errors", "hosting", "models", "_core", "_io"},
    "types": {"remote"},
    "schema": {"models"},
    "client": {"_async", "_sync"},
    "sse": {"_core", "models"},
    "remote": {
        "errors",
        "values",
        "models",
        "_core",
        "_async",
        "_sync",
        "get_client",
        "get_sync_client",
    },
    "server": {"errors", "hosting", "models", "values"},
    "testing": {"errors", "models", "_core", "_async", "_sync", "remote", "server"},
}
#: Optional packages, and the only modules that may import them at their top.
SEAMS = {
    "langgraph": {"remote/compat.py", "server/"},
    "langchain_core": {"remote/compat.py", "server/", "testing/fake_chat_model.py"},
    "langsmith": set(),
    "starlette": {"server/", "testing/"},
    "uvicorn": {"server/"},
}


def modules() -> list[str]:
    return sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


def top_imports(path: Path) -> Iterator[str]:
    """What a module imports when it is imported (not inside functions, nor for type checkers)."""

    def walk(nodes: list[ast.stmt]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from (name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: import absolutely"
                yield from (f"{node.module}.{name.name}" for name in node.names)
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                yield from walk(node.orelse)
            elif isinstance(node, ast.If | ast.Try | ast.With):
                for field in ("body", "orelse", "finalbody"):
                    yield from walk(getattr(node, field, []))
                for handler in getattr(node, "handlers", []):
                    yield from walk(handler.body)

    yield from walk(ast.parse(path.read_text()).body)


@pytest.mark.parametrize("module", modules())
def test_imports_go_downwards(module: str) -> None:
    """A module imports only from its own part and the parts below it."""
    part = module.split("/")[0].removesuffix(".py")
    if part == "__init__":
        return
    for name in top_imports(PACKAGE / module):
        root, _, rest = name.partition(".")
        if root == "langgraph_client":
            target = rest.split(".")[0]
            assert target == part or target in MAY_IMPORT[part], f"{module} imports {name}"
        elif root in SEAMS:
            assert any(module.startswith(seam) for seam in SEAMS[root]), f"{module} imports {name}"


def test_importing_the_package_is_light() -> None:
    """Neither langgraph, langchain, langsmith nor Starlette is imported before it is needed."""
    program = (
        "import sys, langgraph_client; from langgraph_client import get_client;"
        "print([m for m in sys.modules if m.split('.')[0] in"
        " ('langgraph', 'langchain_core', 'langsmith', 'starlette', 'uvicorn', 'orjson_')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
