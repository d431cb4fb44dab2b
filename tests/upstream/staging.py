"""Copy upstream tests into a scratch folder, with their imports rewritten."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Mapping
from pathlib import Path


def stage(
    folder: Path,
    scratch: Path,
    renames: Mapping[str, str] | None = None,
    literals: Mapping[str, str] | None = None,
) -> Path:
    """Copy `folder` into `scratch` and return the copy.

    Only the tests are copied, so that the package beside them does not hide the installed one.

    Args:
        renames: Dotted module names to those that take their place in import statements; the
            longest name that fits wins.
        literals: Text that is replaced wherever it occurs, such as the URL of a server.
    """
    copy = scratch / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for path in copy.rglob("*.py"):
        text = rewritten(path.read_text("utf-8"), renames or {})
        for old, new in (literals or {}).items():
            text = text.replace(old, new)
        path.write_text(text, "utf-8")
    return copy


def rewritten(source: str, renames: Mapping[str, str]) -> str:
    """`source` with the modules of its import statements renamed."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            _rename_from(node, node.module, lines, renames)
        elif isinstance(node, ast.Import):
            _rename_import(node, lines, renames)
    return "".join(lines)


def _rename_from(
    node: ast.ImportFrom, module: str, lines: list[str], renames: Mapping[str, str]
) -> None:
    first = node.lineno - 1
    submodules = [name for name in node.names if f"{module}.{name.name}" in renames]
    if submodules and len(node.names) > 1:
        raise ValueError(f"a renamed module beside other names in: {lines[first].strip()}")
    if submodules:
        # `from package import module`, where it is the module that is renamed.
        bound = submodules[0].asname or submodules[0].name
        module = renames[f"{module}.{submodules[0].name}"]
        load = f"import importlib; {bound} = importlib.import_module({module!r})\n"
        count = (node.end_lineno or node.lineno) - node.lineno
        lines[first : first + count + 1] = [" " * node.col_offset + load, *["\n"] * count]
    elif (new := _renamed(module, renames)) is not None:
        lines[first] = lines[first].replace(module, new, 1)


def _rename_import(node: ast.Import, lines: list[str], renames: Mapping[str, str]) -> None:
    for name in node.names:
        new = _renamed(name.name, renames)
        if new is not None:
            text = new if name.asname else f"{new} as {name.name.partition('.')[0]}"
            lines[node.lineno - 1] = lines[node.lineno - 1].replace(name.name, text, 1)


def _renamed(module: str, renames: Mapping[str, str]) -> str | None:
    fitting = [old for old in renames if module == old or module.startswith(f"{old}.")]
    if not fitting:
        return None
    old = max(fitting, key=len)
    return renames[old] + module[len(old) :]
