"""Imports that are interrupted."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from langgraph_client._core.whole_import import whole_import


def test_after_an_interrupted_import_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was complete is forgotten too: it belongs to the package that is no more."""
    package = tmp_path / "interrupted_package"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import os\n"
        "import interrupted_package.first\n"
        "if os.environ.pop('INTERRUPTED_IMPORT', ''): raise KeyboardInterrupt\n"
        "name = interrupted_package.first.name\n"
    )
    (package / "first.py").write_text("name = 'first'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("INTERRUPTED_IMPORT", "1")
    with pytest.raises(KeyboardInterrupt), whole_import("interrupted_package"):
        importlib.import_module("interrupted_package")
    assert "interrupted_package.first" not in sys.modules
    assert importlib.import_module("interrupted_package").name == "first"
    assert "first" in vars(sys.modules["interrupted_package"])
