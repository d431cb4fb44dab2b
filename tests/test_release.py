"""What the release workflow checks before it publishes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import langgraph_client

ROOT = Path(__file__).parent.parent
_SPEC = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
assert _SPEC is not None
assert _SPEC.loader is not None
release = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(release)

CHANGELOG = """# Changelog

## Unreleased

- later

## 0.2.0 - 2026-01-02

- new

## 0.1.0

- first
"""


def test_the_version_is_read_without_importing() -> None:
    """It is the one that the package has."""
    assert release.version() == langgraph_client.__version__


@pytest.mark.parametrize(
    ("version", "notes"), [("0.2.0", "- new"), ("0.1.0", "- first"), ("0.2", None), ("3", None)]
)
def test_the_section_of_a_version(version: str, notes: str | None) -> None:
    """All below its heading; none where there is no such heading."""
    assert release.section(CHANGELOG, version) == notes


def test_another_version_or_no_section_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """The tag has to name this version, and the changelog has to tell of it."""
    assert release.main("9.9.9") == 1
    assert "the tag says 9.9.9" in capsys.readouterr().err
