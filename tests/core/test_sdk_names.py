"""The names that code written for langgraph_sdk imports, each at the same place here.

`sdk_names.json` is made of the installed package by `.ci/sdk_names.py`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "sdk_names.json").read_text())

_INSIDE = "what a thread stream is made of there; here it is made of other things"
_HANDLES = "calls private methods of the handles that it makes: thread.tool_calls, thread.subgraphs"
#: What is not here, a module or a name, and why. Nothing stands in for it.
LATER = {
    "stream.controller": _INSIDE,
    "stream.multi_cursor_buffer": _INSIDE,
    "stream.sync_controller": _INSIDE,
    "stream.transport": "threads.stream takes no transport of one's own, but its name, there and "
    "here; get_client(transport=...) takes one for all requests",
    "stream.decoders.SubgraphsDecoder": _HANDLES,
    "stream.decoders.ToolCallsDecoder": _HANDLES,
    "priority": "which runs of a server come first",
    ".Priority": "see priority",
    ".PriorityContext": "see priority",
    ".PrioritySettings": "see priority",
    "client.configure_loopback_transports": "how a hosting server tells clients of itself",
}
NAMES = [
    (module, name, parameters)
    for module, names in TABLE["modules"].items()
    for name, parameters in names.items()
    if not any(f"{module}.{name}".startswith((place, f".{place}")) for place in LATER)
]


def test_the_table_is_of_the_version_we_follow() -> None:
    """The names are those of langgraph_sdk 0.4.14, all modules of it."""
    assert TABLE["version"] == "0.4.14"
    assert {"", "client", "errors", "schema", "sse"} <= TABLE["modules"].keys()


@pytest.mark.parametrize(("module", "name", "parameters"), NAMES, ids=lambda value: str(value)[:40])
def test_each_name_is_at_the_same_place(
    module: str, name: str, parameters: list[str] | None
) -> None:
    """`from langgraph_client.<module> import <name>`, and what it is called with."""
    here = importlib.import_module(f"langgraph_client.{module}".rstrip("."))
    ours = getattr(here, name)
    # Documents take any field; resources are made by their client, with insides of its own.
    is_resource = name.endswith("Client") and not name.endswith("LangGraphClient")
    if parameters is None or module == "schema" or is_resource:
        return
    known = inspect.signature(ours).parameters
    assert [given for given in parameters if given not in known] == []


def test_modules_are_there_without_an_import_of_their_own() -> None:
    """`langgraph_sdk.client` and the like are attributes after `import langgraph_sdk`."""
    loaded = ("auth", "client", "encryption", "errors", "schema", "sse", "stream")
    program = "import langgraph_client as sdk; " + "; ".join(f"sdk.{name}" for name in loaded)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_what_comes_later_is_not_stubbed() -> None:
    """A name on the list of later ones is not importable: a program fails at once, and clearly."""
    for place in LATER:
        module, _, name = place.rpartition(".")
        if not name or place in TABLE["modules"]:
            with pytest.raises(ModuleNotFoundError):
                importlib.import_module(f"langgraph_client.{place}")
        else:
            here = importlib.import_module(f"langgraph_client.{module}".rstrip("."))
            assert not hasattr(here, name), place
