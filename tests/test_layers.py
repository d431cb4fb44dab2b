"""The folders draw the architecture: imports go downwards only."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "langgraph_client"

#: What each part may import of ours. The package itself (`langgraph_client`) is the public face.
MAY_IMPORT = {
    "errors": set(),
    "values": set(),
    "current_server": set(),
    "auth": set(),
    "encryption": set(),
    "thread_ids": set(),
    "cache": {"errors"},
    "runtime": {"auth"},
    "models": {"errors"},
    "_core": {"errors", "models"},
    "_io": {"errors", "models", "_core"},
    "_async": {"errors", "current_server", "models", "_core", "_io"},
    "_sync": {"errors", "current_server", "models", "_core", "_io"},
    "types": {"remote"},
    "schema": {"models"},
    "client": {"_async", "_sync"},
    "pull": {"_sync", "models", "values"},
    "sse": {"_core", "models"},
    "stream": {"_async", "_core", "_sync", "errors", "models"},
    "remote": {
        "errors",
        "thread_ids",
        "values",
        "models",
        "_core",
        "_async",
        "_io",
        "_sync",
    },
    "server": {
        "auth",
        "cache",
        "encryption",
        "errors",
        "current_server",
        "models",
        "runtime",
        "thread_ids",
        "ui",
        "values",
    },
    "ui": {"_core", "errors", "server"},
    "display": {"_core", "models", "terminal"},
    "terminal": {"SyncLangGraphClient", "_core", "errors", "models", "thread_ids"},
    "testing": {"errors", "models", "_core", "_async", "_io", "_sync", "remote", "server"},
}
#: Optional packages, and the only modules that may import them at their top.
SEAMS = {
    "langgraph": {"remote/compat.py", "server/"},
    "langchain_core": {
        "_io/chat_model_streams.py",
        "remote/compat.py",
        "server/",
        "testing/fake_chat_model.py",
    },
    "langsmith": set(),
    "starlette": {"server/", "testing/", "ui/"},
    "uvicorn": {"server/"},
}
#: What each part of the server may import of the other parts: HTTP knows the domain, and the domain
#: nothing of HTTP. Lazy imports and those for type checkers count.
_BASE = {"clock", "encoding", "errors", "options", "request_context"}
SERVER_MAY_IMPORT: dict[str, set[str]] = {
    "clock": set(),
    "encoding": set(),
    "errors": set(),
    "auth": {"encoding", "errors", "storage"},
    "encryption": {*_BASE, "graphs", "storage"},
    "hooks": set(),
    "user_code": set(),
    "options": set(),
    "request_context": set(),
    "typed_values": {"encoding", "storage"},
    "storage": _BASE,
    "storage_with_saver": {*_BASE, "graphs", "storage"},
    "graphs": {*_BASE, "auth", "reserved_keys", "storage", "typed_values", "user_code"},
    "reserved_keys": {"storage"},
    "runs": {
        *_BASE,
        "auth",
        "graphs",
        "hooks",
        "reserved_keys",
        "storage",
        "typed_values",
        "user_code",
    },
    "background": {*_BASE, "auth", "runs", "storage"},
    "services": {"auth", "background", "clock", "encryption", "graphs", "runs", "storage"},
    "custom_storage": {*_BASE, "graphs", "storage", "storage_with_saver"},
    "documents": {
        *_BASE,
        "auth",
        "background",
        "graphs",
        "reserved_keys",
        "runs",
        "services",
        "storage",
        "user_code",
    },
    "http": {
        *_BASE,
        "auth",
        "background",
        "documents",
        "graphs",
        "runs",
        "services",
        "storage",
        "typed_values",
        "user_code",
    },
    "assembly": {
        *_BASE,
        "auth",
        "background",
        "custom_storage",
        "documents",
        "encryption",
        "graphs",
        "hooks",
        "runs",
        "services",
        "storage",
    },
    "cli": {"graphs", "options", "server"},
    "server": {
        *_BASE,
        "assembly",
        "auth",
        "background",
        "custom_storage",
        "documents",
        "encryption",
        "graphs",
        "hooks",
        "http",
        "runs",
        "services",
        "storage",
        "typed_values",
        "user_code",
    },
    "loop_watch": set(),
    "__main__": {"cli", "errors", "http", "loop_watch", "options", "server"},
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


_MODULE = re.compile(r"langgraph_client(\.\w+)+")
#: A subgraph's view names the RemoteGraph that it belongs to, for type checkers.
_PAIR = {"langgraph_client.remote.graph", "langgraph_client.remote.subgraph"}


def every_import(path: Path) -> Iterator[str]:
    """What a module imports anywhere: inside functions, for type checkers, or by a text."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Constant) and _MODULE.fullmatch(str(node.value)):
            yield str(node.value)


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("server/")])
def test_the_server_is_by_itself(module: str) -> None:
    """No server module imports the client or the testing kit, in any form.

    `server/server.py` alone may reach up to the clients that it hands out.
    """
    hands_out = {"_async", "_sync", "pull", "remote"}
    part = module.split("/")[1].removesuffix(".py")
    for name in every_import(PACKAGE / module):
        root, _, rest = name.partition(".")
        if root != "langgraph_client":
            continue
        target, _, below = rest.partition(".")
        if target != "server":
            allowed = MAY_IMPORT["server"] | (hands_out if module == "server/server.py" else set())
            # `-m langgraph_client.server` starts the command again, in another process.
            assert target in allowed, f"{module} imports {name}"
        elif below:
            other = below.split(".")[0]
            may = SERVER_MAY_IMPORT.get(part, set())
            assert other == part or other in may, f"{module} imports {name}"


def imported_modules(name: str, paths: Mapping[str, Path]) -> set[str]:
    """Which of our modules a module imports, in any form."""
    found = set()
    for imported in every_import(paths[name]):
        target = imported if imported in paths else imported.rpartition(".")[0]
        if target in paths and target not in (name, "langgraph_client"):
            found.add(target)
    return found


def test_no_circles() -> None:
    """No module imports itself by way of others, lazy imports and those for types counted."""
    paths = {}
    for module in modules():
        name = ".".join(("langgraph_client", *Path(module).with_suffix("").parts))
        paths[name.removesuffix(".__init__")] = PACKAGE / module
    imports = {name: imported_modules(name, paths) for name in paths}
    while leaves := {name for name, found in imports.items() if not found}:
        imports = {name: found - leaves for name, found in imports.items() if name not in leaves}
    # What is left imports a circle, or is in one; what nobody left imports is in none.
    while tops := imports.keys() - set().union(*imports.values()):
        imports = {name: found for name, found in imports.items() if name not in tops}
    assert imports.keys() - _PAIR == set()


def test_importing_the_package_is_light() -> None:
    """Neither langgraph, langchain, langsmith nor Starlette is imported before it is needed."""
    program = (
        "import sys, langgraph_client; from langgraph_client import get_client;"
        "print([m for m in sys.modules if m.split('.')[0] in"
        " ('langgraph', 'langchain_core', 'langsmith', 'starlette', 'uvicorn')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.strip() == "[]"
