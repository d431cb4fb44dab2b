"""Which tests of the SDK and of RemoteGraph count: those of what is public.

A test counts if its own source touches nothing private, and if it passes when LangGraph's own
classes go the same way as ours, or misses no more than a server.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from upstream.outcomes import Outcome


def reasons(tests: Path, theirs: Mapping[str, Outcome], *, needs_a_client: bool) -> dict[str, str]:
    """Why tests do not count, by their ids.

    Args:
        tests: The folder of the tests.
        theirs: What became of them with LangGraph's own classes.
        needs_a_client: Leave out those that make no client.
    """
    private = private_tests(tests)
    found = {}
    for test, outcome in theirs.items():
        reason = _reason(outcome, private.get(test.partition("[")[0]), needs_a_client)
        if reason:
            found[test] = reason
    return found


def private_tests(tests: Path) -> dict[str, str]:
    """The tests of a folder that touch something private, without parameters, and what."""
    return {
        f"{tests.name}/{path.relative_to(tests)}::{name}": f"touches {attribute}"
        for path in tests.rglob("test_*.py")
        for name, attribute in _private_attributes(path)
        if attribute is not None
    }


def _reason(outcome: Outcome, private: str | None, needs_a_client: bool) -> str | None:
    if private is not None:
        return private
    if outcome.error in ("PrivateNameError", "CollectError"):
        return f"uses the private name {outcome.message}"
    if outcome.outcome == "skipped":
        return "is skipped"
    if outcome.error == "ConnectError":
        return None
    if needs_a_client and not outcome.calls:
        return "makes no client"
    if not outcome.is_passed:
        return f"fails with LangGraph's own: {outcome.reason}"
    return None


def _private_attributes(path: Path) -> Iterator[tuple[str, str | None]]:
    """The tests of a file, each with the first private attribute that it touches."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}::{inner.name}", _private_attribute(inner)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, _private_attribute(node)


def _private_attribute(function: ast.AST) -> str | None:
    local = {node.name for node in ast.walk(function) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(function):
        if not isinstance(node, ast.Attribute):
            continue
        if node.attr == "http":  # `client.http.client`: how the SDK's clients are laid out
            return "http"
        is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls", *local}
        if node.attr.startswith("_") and not node.attr.startswith("__") and not is_own:
            return node.attr
    return None
