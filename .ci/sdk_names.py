"""Writes the public names of the installed langgraph_sdk to tests/core/sdk_names.json.

    python .ci/sdk_names.py

Modules and names without an underscore, and the parameters of what can be called: what code that
is written for it may say. tests/core/test_sdk_names.py compares them with ours.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import pkgutil
import types
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "tests" / "core" / "sdk_names.json"


def public_names(module: types.ModuleType) -> list[str]:
    """The names of a module that are its own, or that it lists."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(name for name in listed if not name.startswith("_"))
    source = Path(module.__file__ or "").read_text("utf-8")
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name not in ("annotations", "logger", "T")
        and (
            getattr(value, "__module__", None) == module.__name__
            or f"\n{name} = " in source
            or f"\n{name}: " in source
        )
    )


def parameters(value: object) -> list[str] | None:
    """The parameters that a caller can give, None for what cannot be called."""
    if not isinstance(value, type | types.FunctionType):
        return None
    try:
        found = inspect.signature(value).parameters
    except (TypeError, ValueError):
        return None
    return [name for name in found if name not in ("args", "kwargs")]


def main() -> None:
    root = importlib.import_module("langgraph_sdk")
    names = [
        "langgraph_sdk",
        *(m.name for m in pkgutil.walk_packages(root.__path__, "langgraph_sdk.")),
    ]
    modules: dict[str, dict[str, list[str] | None]] = {}
    for name in sorted(names):
        if any(part.startswith("_") for part in name.split(".")):
            continue
        module = importlib.import_module(name)
        modules[name.removeprefix("langgraph_sdk").lstrip(".")] = {
            public: parameters(getattr(module, public)) for public in public_names(module)
        }
    document = {"version": importlib.metadata.version("langgraph_sdk"), "modules": modules}
    TARGET.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
